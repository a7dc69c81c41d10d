//! The write barrier: what a pointer store must do while marking runs.
//!
//! Go's barrier is a hybrid: it shades the pointer that is *overwritten* (so that a reachable object cannot be hidden by
//! moving its last pointer onto an already scanned stack) and the pointer that is *stored* (so that a black object never
//! points at a white one). With both, stacks need to be scanned only once (`runtime/mbarrier.go`, Go 1.23.9).
//!
//! ```text
//! *slot = new:   shade(*slot); shade(new); *slot = new
//! ```
//!
//! Invariant: after the store, neither `old` nor `new` is white.
//!
//! Differences from Go: Go shades `new` only while the storing goroutine's stack is unscanned, and buffers up to 512
//! pointers a P; here both are shaded at every store and at once.

use super::mark::Marker;
use crate::heap::mheap::Heap;
use crate::heap::object::ObjRef;

/// Stores `value` into `slot` of `obj` with the barrier on.
pub fn store(marker: &mut Marker, heap: &mut Heap, obj: ObjRef, slot: u32, value: ObjRef) {
    let overwritten = heap.pointer(obj, slot);
    marker.shade(heap, overwritten);
    marker.shade(heap, value);
    heap.set_pointer(obj, slot, value);
}
