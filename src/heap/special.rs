//! Specials: finalizers, cleanups and weak pointers.
//!
//! A finalizer is a record on the side of a span. Everything reachable *from* the object is a root, the object itself is
//! not. When sweeping finds the object unmarked it revives it and queues the finalizer; only the next cycle, with the
//! record gone, frees it (`runtime/mfinal.go`, `runtime/mgcsweep.go`, Go 1.23.9).
//!
//! A cleanup (`runtime.AddCleanup`) and a weak pointer (`weak.Make`, both since Go 1.24) are records as well, but nothing that
//! the object refers to hangs on them: only what they hold themselves - the function and its argument, the handle - is a root.
//! Sweeping frees the object at once, and what the record held goes with the next cycle.
//!
//! An object with a finalizer and another record is revived first. A weak pointer is nil from then on; a cleanup waits until
//! the object is freed.
//!
//! Differences from Go: the record's own bytes lie outside the heap and are counted in the process's metadata, not here.
//!
//! Sources: `runtime/mfinal.go`, `runtime/mcleanup.go`, `runtime/mgcsweep.go`, `runtime/mgcmark.go` `markrootSpans`, Go 1.24.11.

use super::object::ObjRef;
use crate::version::GoVersion;

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

/// A record of an object that does not keep it alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// What it holds: reachable as long as the record exists. Nil is nothing.
    pub held: ObjRef,
}

/// Records that do not keep their object alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachmentKind {
    /// `runtime.AddCleanup`.
    Cleanup,
    /// `weak.Make`.
    Weak,
}

impl AttachmentKind {
    /// Bytes of the record outside the heap.
    pub fn record_bytes(self, version: GoVersion) -> u64 {
        match self {
            AttachmentKind::Cleanup => version.cleanup_record_bytes(),
            AttachmentKind::Weak => version.weak_record_bytes(),
        }
    }
}
