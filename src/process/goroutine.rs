//! Goroutines: who allocates, on which P, and what its stack keeps alive.

use crate::heap::object::ObjRef;
use crate::pacer::assist::AssistCredit;

/// A goroutine of the program.
#[derive(Clone, Debug, Default)]
pub struct Goroutine {
    /// Its own virtual time in nanoseconds: goroutines on different Ps run side by side.
    pub clock_ns: f64,
    /// The P it runs on, which is the cache it allocates from.
    pub cache: usize,
    /// References held by its stack frames.
    pub locals: Vec<ObjRef>,
    /// What it may still allocate before it has to assist.
    pub credit: AssistCredit,
    /// Whether it waits for background workers to pay its debt.
    pub parked: Parked,
    /// Whether it is running or would run if a P were free.
    pub wants_p: WantsP,
}

/// Whether a goroutine wants a P.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WantsP {
    /// It runs or is runnable.
    #[default]
    Yes,
    /// It sleeps or waits.
    No,
}

/// Whether the running goroutine is inside an assist: then it counts as a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assisting {
    /// It is not.
    #[default]
    No,
    /// It is.
    Yes,
}

/// Whether a goroutine waits in the assist queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parked {
    /// It runs.
    #[default]
    No,
    /// It waits.
    Yes,
    /// It has been made runnable; a P has to come and fetch it.
    Waking,
}
