//! One thing that a program does, and who does it.

use crate::heap::object::Layout;
use crate::lab::glass::event::Event;
use crate::scenario::{Alloc, Finalize, Insert, PoolGet, PoolPut, Serve, SliceOf, VarId, Written};

/// One thing that a program does. Counts and keys are those that are shown.
#[derive(Clone, Debug)]
pub(super) enum Operation<'s> {
    /// Nothing but a sentence.
    Say(Event),
    Make(VarId, u64),
    /// `evicted` is deleted first.
    Insert {
        step: &'s Insert,
        key: u32,
        evicted: Option<u32>,
    },
    Delete(VarId, u32),
    Lookup(VarId, u32),
    Range(VarId),
    Clear(VarId),
    Rebuild(VarId),
    Drop(VarId),
    /// A buffer that is made so many bytes long.
    Get(&'s PoolGet, u64),
    Put(&'s PoolPut),
    /// A slice that is made to size.
    Presize(VarId, u64),
    /// One object; `number` counts those of the step.
    Alloc {
        step: &'s Alloc,
        number: u64,
    },
    /// One array of so many elements.
    Array(&'s Alloc, u64),
    /// Pointers from one element's object to others'.
    Link {
        var: VarId,
        from: u64,
        targets: Vec<u64>,
    },
    Garbage(Layout, Written),
    Hold(VarId, VarId, u32),
    Release(VarId),
    Slice(&'s SliceOf),
    Finalize {
        step: &'s Finalize,
        number: u64,
    },
    /// A request that makes and drops so many objects.
    Request {
        step: &'s Serve,
        number: u64,
        objects: u64,
    },
    /// A new object in the place of the ring's oldest.
    Kept(VarId, Layout),
    Goroutines {
        count: u64,
        shown: u64,
        stack_bytes: u64,
    },
    Exit {
        count: u64,
        shown: u64,
    },
    Sleep(u64),
    SetGogc(Option<u32>),
    SetMemoryLimit(Option<u64>),
    Gc,
    Scavenge,
    Snapshot(&'s str),
}

/// A goroutine.
#[derive(Debug, Default)]
pub(super) struct Track<'s> {
    pub operations: Vec<Operation<'s>>,
    pub next: usize,
    /// It has called `runtime.GC()`, or sleeps, and waits until no cycle runs.
    pub waits: bool,
}

/// The top level: what runs alone, and what runs side by side.
pub(super) type Section<'s> = Vec<Track<'s>>;
