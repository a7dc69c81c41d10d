//! A scenario's program, one small thing at a time.
//!
//! The steps are those of any scenario, spelt out ([`spelling`]): an `insert` of ten keys is ten inserts. Tracks of a `parallel` take
//! turns, one thing each; after every thing the collector does one, too, if it has anything to do. A track that calls
//! `runtime.GC()` or sleeps waits until no cycle runs, and the others go on.
//!
//! What steps do to maps, objects and the types of package `sync` is in a file each, with the same allocations in the same order
//! as in a simulated run (`scenario/run/`). What has no place here because there is no time - how long a request takes, when the
//! background scavenger wakes - is said in a sentence.

mod maps;
mod objects;
mod operation;
mod slices;
mod spelling;
mod sync;

use self::objects::Slice;
use self::operation::{Operation, Section};
use self::spelling::Spelling;
use self::sync::{LockedMaps, Pool, Pools};
use super::event::{Cause, Event};
use super::machine::{Glass, Phase};
use super::scale::Scale;
use crate::container::map::Map;
use crate::container::sync_map::SyncMap;
use crate::heap::mutator::Mutator;
use crate::heap::mutator::{Global, Variables};
use crate::heap::object::ObjRef;
use crate::scenario::{Scenario, VarId, Written};
use crate::units::SECOND_NS;

/// Time without a cycle after which one begins by itself (`runtime/proc.go` `forcegcperiod`).
const IDLE_CYCLE_NS: u64 = 120 * SECOND_NS;

/// What a variable refers to.
enum Value {
    Nil,
    Pointer,
    Map(Box<Map>),
    Slice(Slice),
    /// Objects of a tree, in the order they were made.
    Tree(Vec<ObjRef>),
    SyncMap(Box<SyncMap>),
    Locked(Box<LockedMaps>),
    Pool(Box<Pool>),
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
    pools: Option<Pools>,
    /// The local variable of a loop that links a chain, once there is one.
    chain: Option<Global>,
    sections: Vec<Section<'s>>,
    scale: Scale,
}

/// Bytes that the program writes of an object of `size_bytes`.
fn written_bytes(written: Written, size_bytes: u64) -> u64 {
    match written {
        Written::None => 0,
        Written::FirstByte => 1,
        Written::All => size_bytes,
    }
}

impl<'s> Program<'s> {
    /// A program, spelt out; `None` if it does more than anyone can watch.
    pub(super) fn new(
        scenario: &'s Scenario,
        mut glass: Glass,
        seed: u64,
        scale: Scale,
    ) -> Option<Program<'s>> {
        let sections = Spelling::new(glass.version(), seed, scale).sections(&scenario.steps)?;
        let variables = scenario.vars.iter().map(|(name, var_type)| {
            // Structs of package sync and maps behind locks have pointers of their own instead.
            let shown = if var_type.is_concurrent() { "" } else { name };
            Variable { name: name.clone(), global: glass.declare(shown), value: Value::Nil }
        });
        let variables = variables.collect();
        Some(Program { scenario, glass, variables, pools: None, chain: None, sections, scale })
    }

    /// Runs it to its end, and gives back the process; `None` if there is more to watch than anyone can.
    pub(super) fn run(mut self) -> Option<Glass> {
        self.make_ready();
        self.glass.note(Event::Begin);
        if self.scale.factor > 1 {
            self.glass.note(Event::ShownSmall { factor: self.scale.factor });
        }
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
            track.waits = matches!(operation, Operation::Gc | Operation::Sleep(_));
            self.perform(operation.clone());
        }
        self.glass.collector_step();
    }

    fn perform(&mut self, operation: Operation<'s>) {
        match operation {
            Operation::Say(event) => self.glass.note(event),
            Operation::Make(var, hint) => self.make(var, hint),
            Operation::Insert { step, key, evicted } => self.insert(step, key, evicted),
            Operation::Delete(var, key) => self.delete(var, key),
            Operation::Lookup(var, key) => self.lookup(var, key),
            Operation::Range(var) => self.range(var),
            Operation::Clear(var) => self.clear(var),
            Operation::Rebuild(var) => self.rebuild(var),
            Operation::Drop(var) => self.drop_variable(var),
            Operation::Get(step, len_bytes) => self.pool_get(step, len_bytes),
            Operation::Put(step) => self.pool_put(step),
            Operation::Presize(var, count) => self.presize(var, count),
            Operation::Alloc { step, number } => self.alloc(step, number),
            Operation::Array(step, count) => self.alloc_array(step, count),
            Operation::Link { var, from, targets } => self.link(var, from, &targets),
            Operation::Garbage(object, written) => self.garbage(object, written),
            Operation::Hold(from, into, key) => self.hold(from, into, key),
            Operation::Release(var) => self.release(var),
            Operation::Slice(step) => self.take_part(step),
            Operation::Finalize { step, number } => self.finalize(step, number),
            Operation::Request { step, number, objects } => self.request(step, number, objects),
            Operation::Kept(var, object) => self.keep_newest(var, object),
            Operation::Goroutines { count, shown, stack_bytes } => {
                self.glass.start_goroutines(count, shown, stack_bytes);
            }
            Operation::Exit { count, shown } => self.glass.exit_goroutines(count, shown),
            Operation::Sleep(duration_ns) => self.sleep(duration_ns),
            Operation::SetGogc(percent) => self.glass.set_gogc(percent),
            Operation::SetMemoryLimit(bytes) => self.glass.set_memory_limit(bytes),
            Operation::Gc => self.glass.begin_cycle(Cause::Forced),
            Operation::Scavenge => self.glass.scavenge(),
            Operation::Snapshot(label) => self.glass.note(Event::Snapshot { label: label.to_owned() }),
        }
    }

    /// Time passes only in so far as it lets the collector come to its end, and begins a cycle after two minutes.
    fn sleep(&mut self, duration_ns: u64) {
        self.glass.note(Event::Sleep { duration_ns });
        if duration_ns >= IDLE_CYCLE_NS && self.glass.phase() == Phase::Idle {
            self.glass.begin_cycle(Cause::Time);
        }
    }

    fn drop_variable(&mut self, var: VarId) {
        if self.reset(var) {
            return;
        }
        let variable = &mut self.variables[var.0];
        let object = self.glass.global(variable.global);
        self.glass.set_global(variable.global, ObjRef::NIL);
        variable.value = Value::Nil;
        let (var, object) = (variable.name.clone(), self.glass.name(object).unwrap_or_default());
        self.picture_maps();
        self.glass.note(Event::Drop { var, object });
    }

    fn name(&self, var: VarId) -> String {
        self.variables[var.0].name.clone()
    }

    /// Assigns to a variable of the program's own.
    fn set(&mut self, var: VarId, object: ObjRef, value: Value) {
        let variable = &mut self.variables[var.0];
        self.glass.set_global(variable.global, object);
        variable.value = value;
    }

    fn keep(&mut self, var: VarId, object: ObjRef) {
        let (var, object) = (self.name(var), self.glass.name(object).unwrap_or_default());
        self.glass.note(Event::Keep { var, object });
    }
}
