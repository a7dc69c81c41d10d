//! `clear(m)`, and the range loop that means the same.
//!
//! Clearing keeps every table and the directory: groups are zeroed in place, all slots are empty again, tombstones
//! included. Nothing is freed but what entries refer to. Go 1.24 does nothing for a map without entries, so tombstones
//! that single deletes left stay; since 1.25 they go, too.
//!
//! Differences from Go: which groups are zeroed depends on the version and on how full the table is; here all pages of a table
//! are resident already, so nobody can see it.
//!
//! Source: `internal/runtime/maps/map.go` (`Clear`), `table.go` (`Clear`), Go 1.24.11, 1.25.5 and 1.27.3.

use super::SwissMap;
use crate::container::hash::Seed;
use crate::container::key_table::KeyTable;
use crate::heap::mutator::{Mutator, Operation};

impl SwissMap {
    /// `clear(m)`.
    pub fn clear<M: Mutator>(&mut self, m: &mut M) {
        let looks_for_tombstones = m.version().clear_removes_lone_tombstones();
        if self.count == 0 && !(looks_for_tombstones && self.tombstone_possible) {
            return;
        }
        let cleared = self.count;
        for table in &mut self.tables {
            if table.used() > 0 && !self.group_type.is_noscan() {
                let slots = table.capacity() * self.group_type.slot_pointers();
                m.clear_pointers(table.groups, 0..slots);
            }
            table.reset();
        }
        self.count = 0;
        self.tombstone_possible = false;
        self.places = KeyTable::default();
        self.keys_are_written = self.is_small();
        self.seed = Seed::of_64_bits(m.random());
        if cleared > 0 {
            m.spend(Operation::MapClear, cleared, self.working_set_bytes());
        }
    }

    /// `for k := range m { delete(m, k) }`, which the compiler turns into `clear(m)` if every key equals itself.
    pub fn range_delete<M: Mutator>(&mut self, m: &mut M) {
        if self.map_type.has_reflexive_key() {
            self.clear(m);
            return;
        }
        let mut keys = Vec::with_capacity(self.count as usize);
        self.range(m, |_, key| keys.push(key));
        self.delete_all(m, keys);
    }
}
