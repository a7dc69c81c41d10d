//! A scenario's program, one small thing at a time.
//!
//! The steps are those of any scenario, spelt out: an `insert` of ten keys is ten inserts. Tracks of a `parallel` take turns, one
//! thing each; after every thing the collector does one, too, if it has anything to do. A track that calls `runtime.GC()` waits
//! until that cycle is over, and the others go on.

use super::event::Event;
use super::machine::{Glass, Phase};
use super::picture::MapPicture;
use crate::container::entry::Inserted;
use crate::container::map::Map;
use crate::container::map_type::MapType;
use crate::heap::mutator::{Global, Mutator, Variables};
use crate::heap::object::{Layout, ObjRef};
use crate::pacer::workers::CycleStart;
use crate::process::grown_cap;
use crate::scenario::{
    Alloc, Amount, Backing, Insert, InsertValue, Keys, Scenario, Shape, Step, VarId, VarType, type_desc,
};

/// Things that a program may do in all.
const MOST_OPERATIONS: u64 = 20_000;

/// One thing that a program does.
#[derive(Clone, Copy, Debug)]
enum Operation<'s> {
    Make(VarId, u64),
    Insert(&'s Insert, u32),
    Delete(VarId, u32),
    Lookup(VarId, u32),
    Clear(VarId),
    Drop(VarId),
    /// A slice that is made to size.
    Presize(VarId, u64),
    Alloc(&'s Alloc),
    Garbage(Layout),
    Hold(VarId, VarId, u32),
    Release(VarId),
    Gc,
    Scavenge,
    Snapshot(&'s str),
}

/// A goroutine.
#[derive(Debug, Default)]
struct Track<'s> {
    operations: Vec<Operation<'s>>,
    next: usize,
    /// It has called `runtime.GC()` and waits for the end of the cycle.
    waits: bool,
}

/// The top level: what runs alone, and what runs side by side.
type Section<'s> = Vec<Track<'s>>;

/// What a variable refers to.
enum Value {
    Nil,
    Pointer,
    Map(Box<Map>),
    Slice(Slice),
}

#[derive(Clone, Copy)]
struct Slice {
    backing: ObjRef,
    len: u64,
    cap: u64,
    released: u64,
}

struct Variable {
    name: String,
    global: Global,
    value: Value,
}

/// The program and the process that it runs in.
pub(super) struct Program<'s> {
    scenario: &'s Scenario,
    glass: Glass,
    variables: Vec<Variable>,
    sections: Vec<Section<'s>>,
}

impl<'s> Program<'s> {
    /// A program, spelt out.
    ///
    /// # Errors
    /// What in it cannot be watched, as a sentence without a full stop.
    pub(super) fn new(scenario: &'s Scenario, mut glass: Glass, seed: u64) -> Result<Program<'s>, String> {
        for (name, var_type) in &scenario.vars {
            if !matches!(var_type, VarType::Map { .. } | VarType::Slice { .. } | VarType::Pointer { .. }) {
                return Err(format!("{name} is a {var_type}: only maps, slices and pointers can be watched"));
            }
        }
        let mut spelling = Spelling { seed, count: 0 };
        let sections = spelling.sections(&scenario.steps)?;
        let variables = scenario
            .vars
            .keys()
            .map(|name| Variable { name: name.clone(), global: glass.declare(name), value: Value::Nil })
            .collect();
        Ok(Program { scenario, glass, variables, sections })
    }

    /// Runs it to its end, and gives back the process; `None` if there is more to watch than anyone can.
    pub(super) fn run(mut self) -> Option<Glass> {
        self.glass.note(Event::Begin);
        for mut section in std::mem::take(&mut self.sections) {
            while section.iter().any(|track| track.waits || track.next < track.operations.len()) {
                self.turn(&mut section);
                if self.glass.is_too_much() {
                    return None;
                }
            }
        }
        self.glass.note(Event::End);
        Some(self.glass)
    }

    /// Every track that can does one thing; then the collector does one.
    fn turn(&mut self, section: &mut Section<'s>) {
        for track in section.iter_mut() {
            if track.waits {
                track.waits = self.glass.phase() != Phase::Idle;
                continue;
            }
            let Some(operation) = track.operations.get(track.next) else { continue };
            if matches!(operation, Operation::Gc) && self.glass.phase() == Phase::Marking {
                // A cycle runs already: this one comes after it.
                continue;
            }
            track.next += 1;
            track.waits = matches!(operation, Operation::Gc);
            self.perform(*operation);
        }
        self.glass.collector_step();
    }

    fn perform(&mut self, operation: Operation<'s>) {
        match operation {
            Operation::Make(var, hint) => self.make(var, hint),
            Operation::Insert(insert, key) => self.insert(insert, key),
            Operation::Delete(var, key) => self.delete(var, key),
            Operation::Lookup(var, key) => {
                let name = self.variables[var.0].name.clone();
                let found = self.map(var).is_some_and(|map| map.contains(key));
                self.glass.note(match found {
                    true => Event::Lookup { var: name, key },
                    false => Event::LookupNothing { var: name, key },
                });
            }
            Operation::Clear(var) => {
                if let Value::Map(map) = &mut self.variables[var.0].value {
                    map.clear(&mut self.glass);
                }
                self.picture_maps();
                self.glass.note(Event::Clear { var: self.variables[var.0].name.clone() });
            }
            Operation::Drop(var) => self.drop_variable(var),
            Operation::Presize(var, cap) => {
                let backing = self.array(cap);
                self.set_slice(var, Slice { backing, len: 0, cap, released: 0 });
            }
            Operation::Alloc(alloc) => self.alloc(alloc),
            Operation::Garbage(layout) => {
                let object = self.glass.alloc(layout);
                let object = self.glass.name(object).unwrap_or_default();
                self.glass.note(Event::Garbage { object });
            }
            Operation::Hold(from, into, key) => {
                let mut pointers = Vec::new();
                if let Value::Map(map) = &self.variables[from.0].value {
                    map.read_elem_pointers(&self.glass, key, &mut pointers);
                }
                if let Some(object) = pointers.first().copied().filter(|object| !object.is_nil()) {
                    self.append(into, object);
                }
            }
            Operation::Release(var) => self.release(var),
            Operation::Gc => self.glass.begin_cycle(CycleStart::Forced),
            Operation::Scavenge => self.glass.scavenge(),
            Operation::Snapshot(label) => self.glass.note(Event::Snapshot { label: label.to_owned() }),
        }
    }

    fn map(&self, var: VarId) -> Option<&Map> {
        match &self.variables[var.0].value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    fn picture_maps(&mut self) {
        let pictures = self.variables.iter_mut().filter_map(|variable| match &mut variable.value {
            Value::Map(map) => Some(MapPicture::of(&variable.name, map)),
            _ => None,
        });
        self.glass.maps = pictures.collect();
    }

    fn make(&mut self, var: VarId, hint: u64) {
        let VarType::Map { key, value } = self.scenario.var(var) else { return };
        let map = Map::make(&mut self.glass, MapType::new(type_desc(key), type_desc(value)), hint);
        let variable = &mut self.variables[var.0];
        self.glass.set_global(variable.global, map.object());
        variable.value = Value::Map(Box::new(map));
        let name = variable.name.clone();
        self.picture_maps();
        self.glass.note(Event::Make { var: name, hint });
    }

    fn insert(&mut self, insert: &Insert, key: u32) {
        if let Some(evicted) = insert.keys.evicted_by(key) {
            self.delete(insert.var, evicted);
        }
        let mut pointers = self.value(insert, key);
        pointers.iter().for_each(|object| self.glass.push_local(*object));
        let held = pointers.len();
        let name = self.variables[insert.var.0].name.clone();
        let slots_before = self.slot_count(&name);
        let Value::Map(map) = &mut self.variables[insert.var.0].value else { return };
        if !pointers.is_empty() {
            pointers.resize(map.map_type().elem().pointer_slots as usize, ObjRef::NIL);
        }
        let inserted = map.insert(&mut self.glass, key, &[], &pointers);
        (0..held).for_each(|_| self.glass.pop_local());
        self.picture_maps();
        let var = name.clone();
        self.glass.note(match inserted {
            Inserted::New => Event::Insert { var, key },
            Inserted::Updated => Event::Update { var, key },
        });
        let slots = self.slot_count(&name);
        if slots_before > 0 && slots > slots_before {
            self.glass.note(Event::MapGrows { var: name, slots_before, slots });
        }
    }

    fn slot_count(&self, name: &str) -> u64 {
        self.glass.maps.iter().find(|map| map.is_of(name)).map_or(0, MapPicture::slot_count)
    }

    /// The pointers of a value that is about to be inserted.
    fn value(&mut self, insert: &Insert, key: u32) -> Vec<ObjRef> {
        let mut pointers = Vec::new();
        match &insert.value {
            InsertValue::Zero => {}
            InsertValue::New { object, .. } => pointers.push(self.glass.alloc(*object)),
            InsertValue::Shared(from) => {
                let variable = &self.variables[from.0];
                match &variable.value {
                    Value::Map(map) => {
                        map.read_elem_pointers(&self.glass, key, &mut pointers);
                    }
                    Value::Pointer => pointers.push(self.glass.global(variable.global)),
                    Value::Slice(slice) if slice.len > 0 => {
                        pointers.push(self.glass.pointer(slice.backing, (u64::from(key) % slice.len) as u32));
                    }
                    Value::Slice(_) | Value::Nil => {}
                }
            }
        }
        pointers
    }

    fn delete(&mut self, var: VarId, key: u32) {
        let name = self.variables[var.0].name.clone();
        let deleted = match &mut self.variables[var.0].value {
            Value::Map(map) => map.delete(&mut self.glass, key),
            _ => false,
        };
        self.picture_maps();
        self.glass.note(match deleted {
            true => Event::Delete { var: name, key },
            false => Event::DeleteNothing { var: name, key },
        });
    }

    fn drop_variable(&mut self, var: VarId) {
        let variable = &mut self.variables[var.0];
        let object = self.glass.global(variable.global);
        self.glass.set_global(variable.global, ObjRef::NIL);
        variable.value = Value::Nil;
        let (var, object) = (variable.name.clone(), self.glass.name(object).unwrap_or_default());
        self.picture_maps();
        self.glass.note(Event::Drop { var, object });
    }

    fn alloc(&mut self, alloc: &Alloc) {
        let object = self.glass.alloc(alloc.object);
        self.glass.push_local(object);
        let variable = &mut self.variables[alloc.into.0];
        match alloc.shape {
            Shape::List => {
                let head = self.glass.global(variable.global);
                self.glass.set_pointer(object, 0, head);
                self.glass.set_global(variable.global, object);
                variable.value = Value::Pointer;
                self.keep(alloc.into, object);
            }
            Shape::Slice(_) => self.append(alloc.into, object),
            _ => {
                self.glass.set_global(variable.global, object);
                variable.value = Value::Pointer;
                self.keep(alloc.into, object);
            }
        }
        self.glass.pop_local();
    }

    fn keep(&mut self, var: VarId, object: ObjRef) {
        let (var, object) = (self.variables[var.0].name.clone(), self.glass.name(object).unwrap_or_default());
        self.glass.note(Event::Keep { var, object });
    }

    /// An array of `cap` pointers.
    fn array(&mut self, cap: u64) -> ObjRef {
        self.glass.alloc(Layout::scan(8 * cap, cap as u32, 8 * cap))
    }

    fn set_slice(&mut self, var: VarId, slice: Slice) {
        let variable = &mut self.variables[var.0];
        self.glass.set_global(variable.global, slice.backing);
        variable.value = Value::Slice(slice);
    }

    /// `s = append(s, object)`.
    fn append(&mut self, var: VarId, object: ObjRef) {
        let mut slice = match self.variables[var.0].value {
            Value::Slice(slice) => slice,
            _ => Slice { backing: ObjRef::NIL, len: 0, cap: 0, released: 0 },
        };
        if slice.len == slice.cap {
            let cap = grown_cap(slice.cap);
            let backing = self.array(cap);
            self.glass.push_local(backing);
            for index in 0..slice.len as u32 {
                let pointer = self.glass.pointer(slice.backing, index);
                self.glass.set_pointer(backing, index, pointer);
            }
            slice = Slice { backing, cap, ..slice };
            self.set_slice(var, slice);
            self.glass.pop_local();
        }
        self.glass.set_pointer(slice.backing, slice.len as u32, object);
        slice.len += 1;
        self.variables[var.0].value = Value::Slice(slice);
        self.keep(var, object);
    }

    /// Sets the first element that a slice still has to nil.
    fn release(&mut self, var: VarId) {
        let Value::Slice(mut slice) = self.variables[var.0].value else { return };
        if slice.released == slice.len {
            return;
        }
        let object = self.glass.pointer(slice.backing, slice.released as u32);
        self.glass.set_pointer(slice.backing, slice.released as u32, ObjRef::NIL);
        slice.released += 1;
        self.variables[var.0].value = Value::Slice(slice);
        let (var, object) = (self.variables[var.0].name.clone(), self.glass.name(object).unwrap_or_default());
        self.glass.note(Event::Release { var, object });
    }
}

/// Spelling steps out, as long as there are not too many.
struct Spelling {
    seed: u64,
    count: u64,
}

impl Spelling {
    /// The top-level steps: what stands between two `parallel`s is one track.
    fn sections<'s>(&mut self, steps: &'s [toml::Spanned<Step>]) -> Result<Vec<Section<'s>>, String> {
        let mut sections: Vec<Section<'s>> = vec![vec![Track::default()]];
        for step in steps {
            match step.as_ref() {
                Step::Parallel(tracks) => {
                    let mut section = Vec::new();
                    for steps in tracks {
                        let mut track = Track::default();
                        steps
                            .iter()
                            .try_for_each(|step| self.spell(step.as_ref(), 0, &mut track.operations))?;
                        section.push(track);
                    }
                    sections.push(section);
                    sections.push(vec![Track::default()]);
                }
                one => {
                    let last = sections.last_mut().and_then(|section| section.first_mut());
                    self.spell(one, 0, &mut last.expect("made above").operations)?;
                }
            }
        }
        Ok(sections)
    }

    fn spell<'s>(&mut self, step: &'s Step, turn: u64, into: &mut Vec<Operation<'s>>) -> Result<(), String> {
        self.count = self.count.saturating_add(step.operations());
        if self.count > MOST_OPERATIONS {
            return Err(format!("the program does more than {MOST_OPERATIONS} things: too many to watch"));
        }
        match step {
            Step::Make(make) => into.push(Operation::Make(make.var, make.hint)),
            Step::Insert(insert) if insert.key_text.is_none() => {
                into.extend(self.keys(&insert.keys, turn).map(|key| Operation::Insert(insert, key)));
            }
            Step::Delete(access) => {
                into.extend(self.keys(&access.keys, turn).map(|key| Operation::Delete(access.var, key)));
            }
            Step::Lookup(access) => {
                into.extend(self.keys(&access.keys, turn).map(|key| Operation::Lookup(access.var, key)));
            }
            Step::Hold(hold) => {
                into.extend(
                    self.keys(&hold.keys, turn).map(|key| Operation::Hold(hold.from, hold.into, key)),
                );
            }
            Step::Clear(var) => into.push(Operation::Clear(*var)),
            Step::Drop(var) => into.push(Operation::Drop(*var)),
            Step::Release(release) => match release.count {
                Some(count) => into.extend((0..count).map(|_| Operation::Release(release.var))),
                None => into.push(Operation::Drop(release.var)),
            },
            Step::Alloc(alloc) => match alloc.shape {
                Shape::One | Shape::List | Shape::Slice(_) => {
                    if alloc.shape == Shape::Slice(Backing::Presized) {
                        into.push(Operation::Presize(alloc.into, alloc.count));
                    }
                    into.extend((0..alloc.count).map(|_| Operation::Alloc(alloc)));
                }
                Shape::InPlace | Shape::Tree | Shape::Graph { .. } => {
                    return Err(
                        "alloc with this shape cannot be watched; accepted: pointer, list, slice".to_owned()
                    );
                }
            },
            Step::Garbage(garbage) => {
                let object = garbage.mix[0].object;
                let count = match garbage.amount {
                    Amount::Count(count) => count,
                    Amount::Bytes(bytes) => bytes.div_ceil(object.size_bytes.max(1)),
                };
                into.extend((0..count).map(|_| Operation::Garbage(object)));
            }
            Step::Gc => into.push(Operation::Gc),
            Step::FreeOsMemory => into.extend([Operation::Gc, Operation::Scavenge]),
            Step::Snapshot(label) => into.push(Operation::Snapshot(label)),
            Step::Repeat(repeat) => {
                for turn in 0..repeat.times {
                    self.count += 1;
                    repeat.steps.iter().try_for_each(|step| self.spell(step.as_ref(), turn, into))?;
                    if self.count > MOST_OPERATIONS {
                        break;
                    }
                }
            }
            other => return Err(format!("the step {} cannot be watched", other.name())),
        }
        Ok(())
    }

    fn keys(&self, keys: &Keys, turn: u64) -> impl Iterator<Item = u32> {
        keys.iter(self.seed, turn)
    }
}
