//! Entries of a map, of whichever kind: what an insert did, and the pointers that a key or an elem consists of.

use super::map_type::TypeDesc;
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

/// What an insert did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The key was absent and has been added.
    New,
    /// The key was present; its elem was replaced.
    Updated,
}

/// What the slots hold that pointers are written to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OldPointers {
    /// Nil: writing nil again is not needed.
    Nil,
    /// Pointers of the entry's previous value.
    Stale,
}

/// Writes the pointers of a key or an elem of type `desc`, which are all nil if none are given, from slot `first` of an
/// object on.
#[inline]
pub(super) fn write_pointers<M: Mutator>(
    m: &mut M,
    (object, first): (ObjRef, u32),
    desc: TypeDesc,
    pointers: &[ObjRef],
    old: OldPointers,
) {
    let slots = desc.pointer_slots;
    if pointers.is_empty() {
        if old == OldPointers::Stale && slots > 0 {
            m.clear_pointers(object, first..first + slots);
        }
        return;
    }
    let given = pointers.len();
    assert!(given == slots as usize, "{given} pointers given for a type with {slots}");
    for (slot, pointer) in (first..).zip(pointers) {
        m.set_pointer(object, slot, *pointer);
    }
}
