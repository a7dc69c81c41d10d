//! Lookup, insert and delete of one entry.
//!
//! In Go all three walk the groups of the key's probe: compare eight control bytes with the low bits of the hash at once, look
//! at the keys of slots that match, stop at the first group with an empty slot. The model mostly remembers the place
//! ([`recall`](super::recall)) and probes only for a place to put a new entry.
//!
//! Source: `internal/runtime/maps/map.go` (`PutSlot`, `putSlotSmall`, `Delete`), `table.go` (`PutSlot`, `Delete`),
//! `runtime_fast64_swiss.go`, Go 1.24.11, 1.25.5 and 1.27.3.

use super::SwissMap;
use super::group_type::GROUP_SLOTS;
use super::table::Slot;
use crate::container::entry::Inserted;
use crate::container::hash::Seed;
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

impl SwissMap {
    /// Whether a key is present.
    #[inline]
    pub fn contains(&self, key: u32) -> bool {
        self.recalled(key).unwrap_or_else(|| self.finds(key))
    }

    #[inline(never)]
    fn finds(&self, key: u32) -> bool {
        let hash = self.seed.hash(key);
        self.table_of(hash).is_some_and(|number| self.slot_of(number, hash, key).is_some())
    }

    /// The number of the table that a hash leads to: `tables[0]` in a small map, none before the first insert.
    #[inline]
    pub(super) fn table_of(&self, hash: u64) -> Option<usize> {
        if self.is_small() {
            (!self.tables.is_empty()).then_some(0)
        } else {
            Some(self.directory.table_of(hash))
        }
    }

    /// `m[key] = elem`.
    ///
    /// `key_pointers` and `elem_pointers` are the heap pointers inside the key and the elem; empty means all nil. They,
    /// and the map itself, must be reachable: an insert may allocate. Spends no CPU time: callers account for single
    /// operations in batches (see [`take_moved`](Self::take_moved)).
    ///
    /// Panics if a non-empty slice does not have the type's number of pointers.
    #[inline]
    pub fn insert<M: Mutator>(
        &mut self,
        m: &mut M,
        key: u32,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) -> Inserted {
        let hash = self.seed.hash(key);
        if self.is_small() && !self.has_room_in_group(m, hash, key) {
            self.grow_to_table(m);
        }
        let number = self.table_of(hash).expect("made above");
        if let Some(at) = self.slot_of(number, hash, key) {
            if !self.group_type.is_noscan() {
                self.update_pointers(m, (number, at), key_pointers, elem_pointers);
            }
            return Inserted::Updated;
        }
        let (number, at) = self.take_slot(m, number, hash);
        self.count += 1;
        self.remember(number, at, key);
        self.tables[number].touch_entry(m, &self.group_type, at);
        if !self.group_type.is_noscan() {
            self.store_pointers(m, (number, at), key_pointers, elem_pointers);
        }
        Inserted::New
    }

    /// Whether an assignment leaves a small map one; makes its group if there is none.
    #[inline(never)]
    fn has_room_in_group<M: Mutator>(&mut self, m: &mut M, hash: u64, key: u32) -> bool {
        if self.tables.is_empty() {
            self.allocate_small_group(m);
        }
        self.count < u64::from(GROUP_SLOTS)
            || (!m.version().full_small_map_grows_on_update() && self.slot_of(0, hash, key).is_some())
    }

    /// Takes a slot for a new entry, which may first give its table a successor: the table's number and the slot.
    #[inline]
    fn take_slot<M: Mutator>(&mut self, m: &mut M, number: usize, hash: u64) -> (usize, Slot) {
        if self.is_small() {
            return (0, self.take_small_slot());
        }
        let table = &mut self.tables[number];
        let vacancy = table.vacancy(hash);
        if vacancy.is_tombstone || table.growth_left() > 0 {
            table.fill(&vacancy);
            return (number, vacancy.slot);
        }
        self.take_slot_when_full(m, hash)
    }

    fn take_small_slot(&mut self) -> Slot {
        let slot = self.tables[0].live(0).first_free().expect("a small map has room here");
        self.tables[0].fill_small(slot);
        Slot { group: 0, slot, step: 0 }
    }

    /// Makes room, by pruning or by growing, until the new entry fits.
    #[inline(never)]
    fn take_slot_when_full<M: Mutator>(&mut self, m: &mut M, hash: u64) -> (usize, Slot) {
        loop {
            let number = self.directory.table_of(hash);
            // What a probe finds stays right when tombstones behind it are pruned: it passed none.
            let vacancy = self.tables[number].vacancy(hash);
            if !vacancy.is_tombstone && self.tables[number].growth_left() == 0 && self.prunes {
                self.write_keys();
                self.tables[number].prune(self.seed);
            }
            let table = &mut self.tables[number];
            if vacancy.is_tombstone || table.growth_left() > 0 {
                table.fill(&vacancy);
                return (number, vacancy.slot);
            }
            self.rehash(m, number);
        }
    }

    /// `delete(m, key)`; whether the key was present. Spends no CPU time.
    ///
    /// The slot becomes empty or a tombstone, and the pointers in it go; nothing else does. No table is freed.
    #[inline]
    pub fn delete<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool {
        if self.count == 0 {
            return false;
        }
        let hash = self.seed.hash(key);
        let number = self.table_of(hash).expect("a map with entries has a table");
        let Some(at) = self.slot_of(number, hash, key) else { return false };
        if !self.group_type.is_noscan() {
            self.clear_pointers_of(m, number, at);
        }
        if self.is_small() {
            self.tables[number].empty_small(at.slot);
        } else {
            self.tombstone_possible |= self.tables[number].empty(at);
        }
        self.forget(key);
        self.count -= 1;
        if self.count == 0 {
            // A new seed makes it harder to provoke collisions again and again.
            self.seed = Seed::of_64_bits(m.random());
        }
        true
    }
}
