//! Roots: the pointers from which everything reachable is reached.
//!
//! Root marking is cut into jobs that workers take before any heap object: the globals (data and bss), one job a
//! goroutine stack, the finalizer queue, and the objects that have finalizers. Globals and stacks count as scan work by
//! their size, whether or not the words are pointers; the other jobs count nothing (`runtime/mgcmark.go`, Go 1.23.9).
//!
//! Differences from Go: the sections are one job each rather than one per 256 KiB; a goroutine's stack is a list of the
//! references it holds.

use crate::heap::object::ObjRef;

/// What kind of memory a root job scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKind {
    /// Package-level variables.
    Globals,
    /// One goroutine's stack.
    Stack,
    /// The stack of the goroutine of this number, which runs or may run: it must stop to be scanned.
    RunningStack(usize),
    /// Objects whose finalizer waits to be run, and what cleanups and weak pointers hold: they and all they reach stay.
    FinalizerQueue,
    /// Objects with a finalizer: what they reach stays, they themselves need not.
    Finalizers,
}

/// One piece of root marking.
#[derive(Clone, Debug, PartialEq)]
pub struct RootJob {
    /// What is scanned.
    pub kind: RootKind,
    /// Scan work of the job in bytes.
    pub scan_bytes: u64,
    /// CPU time of finding them, in nanoseconds.
    pub cpu_ns: f64,
    /// The references found there.
    pub objects: Vec<ObjRef>,
}
