//! The mutator's door to the heap: everything a running Go program may do to memory, and nothing else.
//!
//! Containers (maps, pools) are written against this trait. The simulated process implements it with write barrier,
//! assists, residency and virtual time; tests implement it with a heap that only counts.

use std::ops::Range;

use super::object::{Layout, ObjRef};
use crate::version::GoVersion;

/// Work of a container that costs mutator CPU time but is no allocation. The process turns it into nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Insert of a key that was absent.
    MapInsert,
    /// Insert (assignment) of a key that was present.
    MapUpdate,
    /// Lookup of a key that is present.
    MapLookupHit,
    /// Lookup of a key that is absent.
    MapLookupMiss,
    /// Delete, hit or miss.
    MapDelete,
    /// One entry visited by a range loop.
    MapIterate,
    /// One entry's share of `clear(m)`.
    MapClear,
    /// One entry moved by evacuation.
    MapEvacuate,
    /// What an insert or delete costs more when elems hold pointers.
    MapPointers,
    /// What an insert, update or delete costs more when the program writes new memory between it and the next: the
    /// cache misses of operations that follow each other overlap, those of operations apart do not.
    MapApart,
}

impl Operation {
    /// How many kinds of operation there are.
    pub const COUNT: usize = Operation::MapApart as usize + 1;
}

/// A goroutine's view of memory.
///
/// Objects are reachable only through pointers stored in other objects, through global variables (not visible here)
/// and through the goroutine's *locals*: a reference that is held across an [`alloc`](Mutator::alloc) and is not yet
/// stored anywhere must be pushed with [`push_local`](Mutator::push_local), as it would sit in a Go stack frame.
pub trait Mutator {
    /// Which Go this is.
    fn version(&self) -> GoVersion;

    /// Allocates a zeroed object (`mallocgc`). May assist the collector, sweep, and start or finish a cycle.
    fn alloc(&mut self, layout: Layout) -> ObjRef;

    /// The pointer in `slot` of `obj`.
    fn pointer(&self, obj: ObjRef, slot: u32) -> ObjRef;

    /// The host reads these pointer slots of `obj` together, so that the cache misses of operations that follow overlap.
    /// Changes nothing, and need not do anything.
    fn bring_near(&self, _obj: ObjRef, _slots: &[u32]) {}

    /// Stores a pointer into `slot` of `obj`, through the write barrier when it is on.
    fn set_pointer(&mut self, obj: ObjRef, slot: u32, value: ObjRef);

    /// Sets a range of pointer slots to nil through the write barrier (`memclrHasPointers`).
    fn clear_pointers(&mut self, obj: ObjRef, slots: Range<u32>);

    /// The program writes `len_bytes` at `offset_bytes` of the object: those physical pages become resident.
    fn touch(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64);

    /// As [`touch`](Mutator::touch), where the program looks at the memory before it writes to it: a fresh page is mapped
    /// twice, first as the kernel's page of zeros.
    fn touch_after_looking(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) {
        self.touch(obj, offset_bytes, len_bytes);
    }

    /// Keeps `obj` reachable from this goroutine's stack until the matching [`pop_local`](Mutator::pop_local).
    fn push_local(&mut self, obj: ObjRef);

    /// Drops the most recently pushed local.
    fn pop_local(&mut self);

    /// Spends the CPU time of `count` operations on a container whose memory is `working_set_bytes` large.
    /// The collector's workers and the scavenger catch up, so callers batch: a few hundred operations a call.
    fn spend(&mut self, operation: Operation, count: u64, working_set_bytes: u64);

    /// Spends the CPU time of `count` [`MapInsert`](Operation::MapInsert)s into buckets that hold `entries_per_bucket` on
    /// average: a crowded bucket is searched longer, and more of its chains overflow.
    fn spend_on_inserts(&mut self, count: u64, working_set_bytes: u64, entries_per_bucket: f64);

    /// The next 64 random bits of the process's seeded generator (hash seeds, overflow sampling).
    fn random(&mut self) -> u64;
}

/// A package-level variable that can hold a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Global(pub usize);

/// A mutator whose program has package-level variables. Containers that are structs of such a variable - a `sync.Map`, a
/// `sync.Pool` - have their pointers there, not in an object of their own.
pub trait Variables: Mutator {
    /// Declares a variable, nil at first.
    fn new_global(&mut self) -> Global;

    /// What a variable points to.
    fn global(&self, global: Global) -> ObjRef;

    /// Assigns to a variable, through the write barrier when it is on.
    fn set_global(&mut self, global: Global, value: ObjRef);
}
