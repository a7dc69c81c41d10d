//! The map header `hmap`, on the heap or in a stack frame.
//!
//! `make(map[K]V)` returns a pointer to a 48-byte object whose three pointers are all that connects a map to the
//! collector. A map that does not escape has its header - and its first bucket - in the frame of the function that made it.
//!
//! Source: `runtime/map.go` (`hmap`), Go 1.23.9.

use super::BucketMap;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};

/// `hmap`: 48 B, the last pointer ends at 48.
pub(super) const HMAP: Layout = Layout::scan(48, 3, 48);

/// The pointers of `hmap`, by their slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderField {
    Buckets = 0,
    OldBuckets = 1,
    Extra = 2,
}

/// Where a map's header lies.
#[derive(Clone, Debug)]
pub(super) enum Header {
    /// An object of its own.
    Heap(ObjRef),
    /// In a stack frame, with these pointers.
    Stack([ObjRef; 3]),
}

impl BucketMap {
    /// Stores a pointer of the header.
    pub(super) fn set_header<M: Mutator>(&mut self, m: &mut M, field: HeaderField, value: ObjRef) {
        match &mut self.header {
            Header::Heap(hmap) => m.set_pointer(*hmap, field as u32, value),
            Header::Stack(pointers) => pointers[field as usize] = value,
        }
    }

    /// Allocates for the map; what a header in a stack frame refers to is kept alive meanwhile.
    pub(super) fn alloc<M: Mutator>(&self, m: &mut M, layout: Layout) -> ObjRef {
        let frame = match &self.header {
            Header::Heap(_) => return m.alloc(layout),
            Header::Stack(pointers) => pointers.iter().filter(|pointer| !pointer.is_nil()),
        };
        frame.clone().for_each(|pointer| m.push_local(*pointer));
        let object = m.alloc(layout);
        frame.for_each(|_| m.pop_local());
        object
    }
}
