//! The map header `Map`, on the heap or in a stack frame.
//!
//! `make(map[K]V)` returns a pointer to a 48-byte object with a single pointer: to the directory, or, in a small map, to
//! the one group. A map that does not escape has its header - and its first group - in the frame of the function that made
//! it.
//!
//! Source: `internal/runtime/maps/map.go` (`Map`), Go 1.25.5.

use super::SwissMap;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};

/// `Map`: 48 B, of which the pointer (`dirPtr`) ends at 24.
pub(super) const MAP: Layout = Layout::scan(48, 1, 24);

/// Where a map's header lies.
#[derive(Clone, Debug)]
pub(super) enum Header {
    /// An object of its own.
    Heap(ObjRef),
    /// In a stack frame, with this pointer.
    Stack(ObjRef),
}

impl SwissMap {
    /// Stores `dirPtr`.
    pub(super) fn set_header<M: Mutator>(&mut self, m: &mut M, value: ObjRef) {
        match &mut self.header {
            Header::Heap(object) => m.set_pointer(*object, 0, value),
            Header::Stack(pointer) => *pointer = value,
        }
    }

    /// Allocates for the map; what a header in a stack frame refers to is kept alive meanwhile.
    pub(super) fn alloc<M: Mutator>(&self, m: &mut M, layout: Layout) -> ObjRef {
        let pointer = self.frame_pointer();
        if pointer.is_nil() {
            return m.alloc(layout);
        }
        m.push_local(pointer);
        let object = m.alloc(layout);
        m.pop_local();
        object
    }
}
