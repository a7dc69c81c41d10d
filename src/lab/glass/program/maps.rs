//! What a program does to maps, with and without locks.

use super::sync::LockedMaps;
use super::{Program, Value, written_bytes};
use crate::container::entry::Inserted;
use crate::container::map::Map;
use crate::container::map_type::MapType;
use crate::heap::mutator::{Mutator, Variables};
use crate::heap::object::ObjRef;
use crate::lab::glass::event::Event;
use crate::lab::glass::picture::MapPicture;
use crate::scenario::{Insert, InsertValue, VarId, VarType, type_desc};

impl Program<'_> {
    /// Takes the maps into the picture as they are now.
    pub(super) fn picture_maps(&mut self) {
        let mut pictures = Vec::new();
        for variable in &mut self.variables {
            match &mut variable.value {
                Value::Map(map) => pictures.push(MapPicture::of(&variable.name, map)),
                Value::Locked(locked) => pictures.extend(locked.pictures()),
                _ => {}
            }
        }
        self.glass.maps = pictures;
    }

    pub(super) fn make(&mut self, var: VarId, hint: u64) {
        match self.scenario.var(var) {
            VarType::Locked { .. } => self.make_locked(var, hint),
            _ => {
                let map = self.new_map(var, hint);
                let object = map.object();
                self.set(var, object, Value::Map(Box::new(map)));
            }
        }
        self.picture_maps();
        let var = self.name(var);
        self.glass.note(Event::Make { var, hint });
    }

    pub(super) fn new_map(&mut self, var: VarId, hint: u64) -> Map {
        let (VarType::Map { key, value } | VarType::Locked { key, value, .. }) = self.scenario.var(var)
        else {
            panic!("{} is no map", self.scenario.var_name(var));
        };
        Map::make(&mut self.glass, MapType::new(type_desc(key), type_desc(value)), hint)
    }

    /// `m[key] = v`, the value made or fetched first, as Go evaluates it.
    pub(super) fn insert(&mut self, step: &Insert, key: u32, evicted: Option<u32>) {
        if let Some(evicted) = evicted {
            self.delete(step.var, evicted);
        }
        if matches!(self.variables[step.var.0].value, Value::SyncMap(_)) {
            return self.store(step, key);
        }
        let text = step.key_text.map(|layout| {
            let text = self.glass.alloc(layout);
            self.glass.push_local(text);
            text
        });
        let mut pointers = Vec::new();
        self.read_value(&step.value, key, &mut pointers);
        pointers.iter().for_each(|object| self.glass.push_local(*object));
        let locals = pointers.len() + text.iter().count();
        let Some(place) = Place::of(&mut self.variables[step.var.0].value, key) else { return };
        let lock = place.lock;
        let name = place.name.unwrap_or_else(|| self.scenario.var_name(step.var).to_owned());
        let slots_before = slot_count(&self.glass.maps, &name);
        if !pointers.is_empty() {
            pointers.resize(place.map.map_type().elem().pointer_slots as usize, ObjRef::NIL);
        }
        let inserted = place.map.insert(&mut self.glass, key, text.as_slice(), &pointers);
        (0..locals).for_each(|_| self.glass.pop_local());
        self.picture_maps();
        let var = name.clone();
        self.glass.note(match inserted {
            Inserted::New => Event::Insert { var, key, lock },
            Inserted::Updated => Event::Update { var, key, lock },
        });
        let slots = slot_count(&self.glass.maps, &name);
        if slots_before > 0 && slots > slots_before {
            self.glass.note(Event::MapGrows { var: name, slots_before, slots });
        }
    }

    /// The pointers of a value that is about to be inserted; none for nil, and for a value without pointers.
    pub(super) fn read_value(&mut self, value: &InsertValue, key: u32, pointers: &mut Vec<ObjRef>) {
        let from = match value {
            InsertValue::Zero => return,
            InsertValue::New { object, written } => {
                let made = self.glass.allocate(*object, written_bytes(*written, object.size_bytes));
                return pointers.push(made);
            }
            InsertValue::Shared(from) => &self.variables[from.0],
        };
        match &from.value {
            Value::Map(map) => {
                map.read_elem_pointers(&self.glass, key, pointers);
            }
            Value::Pointer | Value::Tree(_) => pointers.push(self.glass.global(from.global)),
            Value::Slice(slice) if slice.len > 0 && slice.slots > 0 => {
                let index = (u64::from(key) % slice.len) as u32;
                pointers.push(self.glass.pointer(slice.backing, index * slice.slots));
            }
            _ => {}
        }
    }

    pub(super) fn delete(&mut self, var: VarId, key: u32) {
        if matches!(self.variables[var.0].value, Value::SyncMap(_)) {
            return self.sync_delete(var, key);
        }
        let own = self.name(var);
        let (deleted, name, lock) = match Place::of(&mut self.variables[var.0].value, key) {
            Some(place) => (place.map.delete(&mut self.glass, key), place.name, place.lock),
            None => (false, None, None),
        };
        self.picture_maps();
        let var = name.unwrap_or(own);
        self.glass.note(match deleted {
            true => Event::Delete { var, key, lock },
            false => Event::DeleteNothing { var, key, lock },
        });
    }

    pub(super) fn lookup(&mut self, var: VarId, key: u32) {
        if matches!(self.variables[var.0].value, Value::SyncMap(_)) {
            return self.load(var, key);
        }
        let own = self.name(var);
        let (found, name, lock) = match Place::of(&mut self.variables[var.0].value, key) {
            Some(place) => (place.map.contains(key), place.name, place.lock),
            None => (false, None, None),
        };
        let var = name.unwrap_or(own);
        self.glass.note(match found {
            true => Event::Lookup { var, key, lock },
            false => Event::LookupNothing { var, key, lock },
        });
    }

    pub(super) fn range(&mut self, var: VarId) {
        let mut keys = 0;
        match &mut self.variables[var.0].value {
            Value::SyncMap(_) => return self.sync_range(var),
            Value::Map(map) => map.range(&mut self.glass, |_, _| keys += 1),
            Value::Locked(locked) => {
                locked.maps.iter_mut().for_each(|map| map.range(&mut self.glass, |_, _| keys += 1));
            }
            _ => {}
        }
        let var = self.name(var);
        self.glass.note(Event::Range { var, keys });
    }

    pub(super) fn clear(&mut self, var: VarId) {
        match &mut self.variables[var.0].value {
            Value::Map(map) => map.clear(&mut self.glass),
            Value::SyncMap(map) => map.clear(&mut self.glass),
            Value::Locked(locked) => locked.maps.iter_mut().for_each(|map| map.clear(&mut self.glass)),
            _ => {}
        }
        self.picture_maps();
        let var = self.name(var);
        self.glass.note(Event::Clear { var });
    }

    /// `n := make(map[K]V, len(m)); for k, v := range m { n[k] = v }; m = n`, all at once.
    pub(super) fn rebuild(&mut self, var: VarId) {
        let Value::Map(map) = &mut self.variables[var.0].value else { return };
        let mut keys = Vec::new();
        map.range(&mut self.glass, |_, key| keys.push(key));
        let name = self.name(var);
        self.glass.note(Event::RebuildBegins { var: name.clone(), keys: keys.len() as u64 });
        let mut new = self.new_map(var, keys.len() as u64);
        self.glass.push_local(new.object());
        let (mut value, mut key_pointers) = (Vec::new(), Vec::new());
        for key in keys {
            let Value::Map(old) = &self.variables[var.0].value else { return };
            old.read_elem_pointers(&self.glass, key, &mut value);
            old.read_key_pointers(&self.glass, key, &mut key_pointers);
            new.insert(&mut self.glass, key, &key_pointers, &value);
        }
        let object = new.object();
        self.set(var, object, Value::Map(Box::new(new)));
        self.glass.pop_local();
        self.picture_maps();
        let object = self.glass.name(object).unwrap_or_default();
        self.glass.note(Event::RebuildEnds { var: name, object });
    }
}

/// The map that has a key: a variable's own, or one of those behind locks.
struct Place<'m> {
    map: &'m mut Map,
    /// The name of the shard.
    name: Option<String>,
    lock: Option<&'static str>,
}

impl Place<'_> {
    fn of(value: &mut Value, key: u32) -> Option<Place<'_>> {
        match value {
            Value::Map(map) => Some(Place { map, name: None, lock: None }),
            Value::Locked(locked) => {
                let LockedMaps { maps, names, lock, .. } = locked.as_mut();
                let shard = key as usize % maps.len();
                Some(Place { map: &mut maps[shard], name: Some(names[shard].clone()), lock: Some(*lock) })
            }
            _ => None,
        }
    }
}

fn slot_count(maps: &[MapPicture], name: &str) -> u64 {
    maps.iter().find(|map| map.is_of(name)).map_or(0, MapPicture::slot_count)
}
