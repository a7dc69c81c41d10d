//! Finalizers: the reason an object needs two cycles to go.
//!
//! A finalizer is a record on the side of a span. Everything reachable *from* the object is a root, the object itself is
//! not. When sweeping finds the object unmarked it revives it and queues the finalizer; only the next cycle, with the
//! record gone, frees it (`runtime/mfinal.go`, `runtime/mgcsweep.go`, Go 1.23.9).
//!
//! Differences from Go: the record's own off-heap bytes (48) are counted in the process's metadata, not here.

/// A finalizer set on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finalizer {
    /// What the finalizer function does with the object.
    pub action: FinalizerAction,
}

/// What a finalizer function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinalizerAction {
    /// Returns without keeping the object.
    Return,
    /// Stores the object in a global: it lives on.
    Resurrect,
}
