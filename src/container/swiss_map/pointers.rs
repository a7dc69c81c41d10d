//! The pointers of an entry: in its slot, or in objects of their own.
//!
//! A key or an elem above 128 B is stored as a pointer to an object that the first insert allocates; an update keeps the
//! object of the elem, a delete lets go of both.
//!
//! Source: `internal/runtime/maps/table.go` (`PutSlot`, `Delete`), `runtime_faststr_swiss.go`, Go 1.25.5.

use super::SwissMap;
use super::table::Slot;
use crate::container::entry::{OldPointers, write_pointers};
use crate::container::map_type::Stored;
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

/// Which half of an entry.
#[derive(Clone, Copy)]
enum Half {
    Key,
    Elem,
}

impl SwissMap {
    /// The pointers in the elem of a present key, as [`insert`](Self::insert) was given them; `None` if the key is absent.
    pub fn elem_pointers<M: Mutator>(&self, m: &M, key: u32) -> Option<Vec<ObjRef>> {
        let mut pointers = Vec::new();
        self.read_elem_pointers(m, key, &mut pointers).then_some(pointers)
    }

    /// Reads the pointers in the elem of a key, in place of what `into` holds; `false` if the key is absent.
    pub fn read_elem_pointers<M: Mutator>(&self, m: &M, key: u32, into: &mut Vec<ObjRef>) -> bool {
        self.read_pointers(m, key, Half::Elem, into)
    }

    /// Reads the pointers in the stored key equal to a key, in place of what `into` holds; `false` if the key is absent.
    pub fn read_key_pointers<M: Mutator>(&self, m: &M, key: u32, into: &mut Vec<ObjRef>) -> bool {
        self.read_pointers(m, key, Half::Key, into)
    }

    fn read_pointers<M: Mutator>(&self, m: &M, key: u32, half: Half, into: &mut Vec<ObjRef>) -> bool {
        into.clear();
        let count = match half {
            Half::Key => self.map_type.key().pointer_slots,
            Half::Elem => self.map_type.elem().pointer_slots,
        };
        if count == 0 {
            return self.contains(key);
        }
        let hash = self.seed.hash(key);
        let number = self.table_of(hash);
        let Some(at) = number.and_then(|number| self.slot_of(number, hash, key)) else { return false };
        let (object, first) = self.written_at(m, number.expect("an entry has a table"), at, half);
        into.extend((first..first + count).map(|slot| m.pointer(object, slot)));
        true
    }

    /// How a key or elem is stored, and its first pointer slot in the groups.
    #[inline]
    fn place(&self, at: Slot, half: Half) -> (Stored, u32) {
        let key = self.group_type.pointer_slot(at.group, at.slot);
        match half {
            Half::Key => (self.map_type.stored_key(), key),
            Half::Elem => (self.map_type.stored_elem(), key + self.group_type.key_pointers()),
        }
    }

    /// Where the pointers of a present key or elem are.
    fn written_at<M: Mutator>(&self, m: &M, number: usize, at: Slot, half: Half) -> (ObjRef, u32) {
        let groups = self.tables[number].groups;
        match self.place(at, half) {
            (Stored { indirect: None, .. }, slot) => (groups, slot),
            (_, slot) => (m.pointer(groups, slot), 0),
        }
    }

    /// Where the pointers of a new key or elem go: its place in the slot, or a new object that the slot refers to.
    fn home<M: Mutator>(&self, m: &mut M, number: usize, at: Slot, half: Half) -> (ObjRef, u32) {
        let groups = self.tables[number].groups;
        let (stored, slot) = self.place(at, half);
        let Some(layout) = stored.indirect else { return (groups, slot) };
        let object = self.alloc(m, layout);
        m.set_pointer(groups, slot, object);
        m.touch(object, 0, layout.size_bytes);
        (object, 0)
    }

    /// Allocates what is stored indirectly and writes the pointers of a new entry. Its slot holds nil pointers so far.
    #[inline(never)]
    pub(super) fn store_pointers<M: Mutator>(
        &mut self,
        m: &mut M,
        (number, at): (usize, Slot),
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) {
        let key_at = self.home(m, number, at, Half::Key);
        write_pointers(m, key_at, self.map_type.key(), key_pointers, OldPointers::Nil);
        let elem_at = self.home(m, number, at, Half::Elem);
        write_pointers(m, elem_at, self.map_type.elem(), elem_pointers, OldPointers::Nil);
    }

    /// Replaces the pointers of a present entry. An indirect elem keeps its object.
    #[inline(never)]
    pub(super) fn update_pointers<M: Mutator>(
        &mut self,
        m: &mut M,
        (number, at): (usize, Slot),
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) {
        if self.map_type.replaces_key_on_update() {
            let key_at = self.written_at(m, number, at, Half::Key);
            write_pointers(m, key_at, self.map_type.key(), key_pointers, OldPointers::Stale);
        }
        let elem_at = self.written_at(m, number, at, Half::Elem);
        write_pointers(m, elem_at, self.map_type.elem(), elem_pointers, OldPointers::Stale);
    }

    /// Sets the pointers of a deleted entry to nil.
    #[inline(never)]
    pub(super) fn clear_pointers_of<M: Mutator>(&self, m: &mut M, number: usize, at: Slot) {
        let first = self.group_type.pointer_slot(at.group, at.slot);
        m.clear_pointers(self.tables[number].groups, first..first + self.group_type.slot_pointers());
    }
}
