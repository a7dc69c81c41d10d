//! Steps on maps.

use super::Machine;
use super::sync::Deletes;
use super::task::{Progress, SLICE};
use super::variable::Value;
use crate::container::bulk::Replaced;
use crate::container::entry::Inserted;
use crate::container::map::Map;
use crate::container::map_type::{Equality, MapType, TypeDesc};
use crate::heap::mutator::{Mutator, Operation};
use crate::heap::object::{Layout, ObjRef};
use crate::scenario::{GoType, Insert, InsertValue, KeysIter, Make, Typed, VarId, VarType, Written};

/// Keys that are inserted one by one in a slice of work.
const BATCH: usize = 64;

/// An `insert` in the middle of being carried out.
pub(super) struct InsertTask<'s> {
    pub(super) step: &'s Insert,
    pub(super) keys: KeysIter,
    /// The pointers of the value that is being inserted.
    pub(super) value: Vec<ObjRef>,
}

/// A `rebuild` in the middle of being carried out.
pub(super) struct RebuildTask {
    pub(super) var: VarId,
    /// The new map and the keys still to be copied, once the loop over the old map has begun.
    copy: Option<(Map, std::vec::IntoIter<u32>)>,
}

impl<'s> InsertTask<'s> {
    pub(super) fn new(step: &'s Insert, run_seed: u64, turn: u64) -> InsertTask<'s> {
        InsertTask { step, keys: step.keys.iter(run_seed, turn), value: Vec::new() }
    }
}

impl RebuildTask {
    pub(super) fn new(var: VarId) -> RebuildTask {
        RebuildTask { var, copy: None }
    }
}

impl Machine<'_> {
    /// `m = make(map[K]V, hint)`.
    pub(super) fn make(&mut self, make: &Make) {
        if matches!(self.scenario.var(make.var), VarType::Locked { .. }) {
            return self.make_locked(make);
        }
        let map = self.new_map(make.var, make.hint);
        let object = map.object();
        self.variables[make.var.0].set(&mut self.process, object, Value::Map(map));
    }

    pub(super) fn new_map(&mut self, var: VarId, hint: u64) -> Map {
        let (VarType::Map { key, value } | VarType::Locked { key, value, .. }) = self.scenario.var(var)
        else {
            panic!("{} is no map", self.scenario.var_name(var));
        };
        Map::make(&mut self.process, MapType::new(type_desc(key), type_desc(value)), hint)
    }

    /// `clear(m)`.
    pub(super) fn clear(&mut self, var: VarId) {
        match &mut self.variables[var.0].value {
            Value::Map(map) => map.clear(&mut self.process),
            Value::SyncMap(map) => map.clear(&mut self.process),
            Value::Locked(maps) => maps.clear(&mut self.process),
            _ => {}
        }
    }

    pub(super) fn lookup_slice(&mut self, var: VarId, keys: &mut KeysIter) -> Progress {
        match &self.variables[var.0].value {
            Value::SyncMap(_) => return self.sync_map_slice(var, keys, Deletes::No),
            Value::Locked(_) => return self.locked_slice(var, keys, Deletes::No),
            _ => {}
        }
        let Some(map) = self.variables[var.0].map() else { return Progress::Done };
        match keys.next_range(SLICE as u64) {
            Some(range) => map.lookup_all(&mut self.process, range),
            None => map.lookup_all(&mut self.process, keys.by_ref().take(SLICE)),
        };
        more_if(keys.size_hint().0 > 0)
    }

    pub(super) fn delete_slice(&mut self, var: VarId, keys: &mut KeysIter) -> Progress {
        match &self.variables[var.0].value {
            Value::SyncMap(_) => return self.sync_map_slice(var, keys, Deletes::Yes),
            Value::Locked(_) => return self.locked_slice(var, keys, Deletes::Yes),
            _ => {}
        }
        let Some(map) = self.variables[var.0].map() else { return Progress::Done };
        match keys.next_range(SLICE as u64) {
            Some(range) => map.delete_all(&mut self.process, range),
            None => map.delete_all(&mut self.process, keys.by_ref().take(SLICE)),
        };
        more_if(keys.size_hint().0 > 0)
    }

    pub(super) fn insert_slice(&mut self, task: &mut InsertTask) -> Progress {
        match &self.variables[task.step.var.0].value {
            Value::SyncMap(_) => return self.store_slice(task),
            Value::Locked(_) => return self.locked_insert_slice(task),
            _ => {}
        }
        let plain = task.step.value == InsertValue::Zero && task.step.key_text.is_none();
        let window = matches!(task.step.keys, crate::scenario::Keys::Window { .. });
        if plain && !window {
            let map = self.variables[task.step.var.0].map().expect("checked: the map was made");
            match task.keys.next_range(SLICE as u64) {
                Some(range) => map.insert_all(&mut self.process, range),
                None => map.insert_all(&mut self.process, task.keys.by_ref().take(SLICE)),
            };
        } else {
            self.insert_one_by_one(task);
        }
        more_if(task.keys.size_hint().0 > 0)
    }

    fn insert_one_by_one(&mut self, task: &mut InsertTask) {
        let step = task.step;
        let mut batch = [0; BATCH];
        let mut len = 0;
        for (place, key) in batch.iter_mut().zip(task.keys.by_ref()) {
            *place = key;
            len += 1;
        }
        let batch = &batch[..len];
        if let Some(map) = self.variables[step.var.0].map() {
            map.bring_keys_near(batch);
            map.bring_pointers_near(&self.process, batch);
        }
        let Replaced { new, updated, deleted } = self.replace(step, batch, &mut task.value);
        if let Some(map) = self.variables[step.var.0].map() {
            map.spend_on_inserts(&mut self.process, new);
            map.spend_on_deletes(&mut self.process, deleted);
        }
        self.spend_on_map(step.var, Operation::MapUpdate, updated);
        if writes_between(step) {
            self.spend_on_map(step.var, Operation::MapApart, new + updated + deleted);
        }
        let moved = self.variables[step.var.0].map().map_or(0, Map::take_moved);
        self.spend_on_map(step.var, Operation::MapEvacuate, moved);
    }

    /// For every key, deletes what a window has left behind and inserts the key. `value` is scratch space.
    fn replace(&mut self, step: &Insert, keys: &[u32], value: &mut Vec<ObjRef>) -> Replaced {
        if step.value == InsertValue::Zero && step.key_text.is_none() {
            let map = self.variables[step.var.0].map().expect("checked: the map was made");
            return map.replace_all(&mut self.process, keys, |key| step.keys.evicted_by(key));
        }
        let mut replaced = Replaced::default();
        for &key in keys {
            if let Some(evicted) = step.keys.evicted_by(key) {
                let map = self.variables[step.var.0].map().expect("checked: the map was made");
                map.delete(&mut self.process, evicted);
                replaced.deleted += 1;
            }
            match self.insert_one(step, key, value) {
                Inserted::New => replaced.new += 1,
                Inserted::Updated => replaced.updated += 1,
            }
        }
        replaced
    }

    fn spend_on_map(&mut self, var: VarId, operation: Operation, count: u64) {
        if let Some(map) = self.variables[var.0].map()
            && count > 0
        {
            let working_set_bytes = map.working_set_bytes();
            self.process.spend(operation, count, working_set_bytes);
        }
    }

    /// `m[key] = value`, the value made or fetched first, as Go evaluates it. `value` is scratch space.
    fn insert_one(&mut self, step: &Insert, key: u32, value: &mut Vec<ObjRef>) -> Inserted {
        let key_text = step.key_text.map(|layout| {
            let text = self.process.alloc(layout);
            self.process.touch(text, 0, layout.size_bytes);
            self.process.push_local(text);
            text
        });
        if let (InsertValue::New { object, written }, None) = (&step.value, key_text)
            && self.variables[step.var.0].map().is_some_and(|map| map.map_type().elem().pointer_slots == 1)
        {
            return self.insert_new(step.var, key, *object, *written);
        }
        value.clear();
        match &step.value {
            InsertValue::Zero => {}
            InsertValue::New { object, written } => value.push(self.new_value(*object, *written)),
            InsertValue::Shared(from) => self.read_shared_value(*from, key, value),
        };
        let locals = value.len() + key_text.iter().count();
        value.iter().for_each(|pointer| self.process.push_local(*pointer));
        let map = self.variables[step.var.0].map().expect("checked: the map was made");
        if !value.is_empty() {
            value.resize(map.map_type().elem().pointer_slots as usize, ObjRef::NIL);
        }
        let inserted = map.insert(&mut self.process, key, key_text.as_slice(), value);
        (0..locals).for_each(|_| self.process.pop_local());
        inserted
    }

    /// `new(T)`.
    #[inline]
    fn new_value(&mut self, object: Layout, written: Written) -> ObjRef {
        let run = self.process.alloc_run(object, 1);
        self.process.write_run(run, written_bytes(written, object.size_bytes));
        run.first()
    }

    /// `m[key] = new(T)`, where no text is made for the key: what most programs do.
    #[inline]
    fn insert_new(&mut self, var: VarId, key: u32, object: Layout, written: Written) -> Inserted {
        let pointer = self.new_value(object, written);
        self.process.push_local(pointer);
        let map = self.variables[var.0].map().expect("checked: the map was made");
        let inserted = map.insert(&mut self.process, key, &[], &[pointer]);
        self.process.pop_local();
        inserted
    }

    /// What `value = { shared = "from" }` means for `key`: the pointers of the value, none for nil.
    pub(super) fn read_shared_value(&self, from: VarId, key: u32, value: &mut Vec<ObjRef>) {
        let variable = &self.variables[from.0];
        match &variable.value {
            Value::Nil => {}
            Value::Map(map) => {
                map.read_elem_pointers(&self.process, key, value);
            }
            Value::Slice(slice) if slice.len == 0 || slice.slots == 0 => {}
            Value::Slice(slice) => {
                let index = (u64::from(key) % slice.len) as u32;
                value.push(self.process.pointer(slice.backing, index * slice.slots));
            }
            Value::Pointer => value.push(self.process.global(variable.global)),
            Value::SyncMap(_) | Value::Locked(_) | Value::Pool(_) => panic!("checked: not shared from"),
        }
    }

    /// `n := make(map[K]V, len(m)); for k, v := range m { n[k] = v }; m = n`.
    pub(super) fn rebuild_slice(&mut self, task: &mut RebuildTask) -> Progress {
        let var = task.var;
        let Some((new, keys)) = &mut task.copy else {
            let Some(map) = self.variables[var.0].map() else { return Progress::Done };
            let hint = map.len();
            let new = self.new_map(var, hint);
            self.process.push_local(new.object());
            let mut keys = Vec::with_capacity(hint as usize);
            let map = self.variables[var.0].map().expect("looked at above");
            map.range(&mut self.process, |_, key| keys.push(key));
            task.copy = Some((new, keys.into_iter()));
            return Progress::More;
        };
        let mut copied = 0;
        let (mut value, mut key_pointers) = (Vec::new(), Vec::new());
        for key in keys.by_ref().take(SLICE) {
            let old = self.variables[var.0].map().expect("the old map stays until the copy is done");
            old.read_elem_pointers(&self.process, key, &mut value);
            old.read_key_pointers(&self.process, key, &mut key_pointers);
            new.insert(&mut self.process, key, &key_pointers, &value);
            copied += 1;
        }
        new.spend_on_inserts(&mut self.process, copied);
        if keys.len() > 0 {
            return Progress::More;
        }
        let (new, _) = task.copy.take().expect("the copy is done");
        let object = new.object();
        self.variables[var.0].set(&mut self.process, object, Value::Map(new));
        self.process.pop_local();
        Progress::Done
    }
}

pub(super) fn more_if(more: bool) -> Progress {
    if more { Progress::More } else { Progress::Done }
}

/// Whether the program writes memory that it has just allocated between any two operations on the map.
fn writes_between(step: &Insert) -> bool {
    let writes_value = matches!(step.value, InsertValue::New { written, .. } if written != Written::None);
    step.key_text.is_some() || writes_value
}

/// Bytes that the program writes of an object of `size_bytes`.
pub(super) fn written_bytes(written: Written, size_bytes: u64) -> u64 {
    match written {
        Written::None => 0,
        Written::FirstByte => 1,
        Written::All => size_bytes,
    }
}

/// Types for which `x != x` is possible.
const FLOATS: [&str; 4] = ["float32", "float64", "complex64", "complex128"];

/// A scenario's type as a map sees it.
pub fn type_desc(typed: &Typed) -> TypeDesc {
    let layout = typed.layout;
    let equality = match &typed.go_type {
        GoType::Pointer(_) => Equality::Pointer,
        GoType::String => Equality::String,
        GoType::Basic(basic) if FLOATS.contains(&basic.name) => Equality::Irreflexive,
        GoType::Interface => Equality::Irreflexive,
        _ => Equality::Memory,
    };
    TypeDesc {
        size_bytes: layout.size_bytes,
        pointer_slots: layout.pointer_slots,
        scan_bytes: layout.scan_bytes,
        align_bytes: layout.align_bytes,
        equality,
    }
}
