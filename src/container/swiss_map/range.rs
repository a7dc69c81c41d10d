//! Range loops.
//!
//! A loop starts at a random entry of the directory and, in every table, at the same random slot, and wraps around both. It
//! allocates nothing and leaves no trace in the map.
//!
//! **Differences from Go.** The map does not change during a loop, so the iterator itself, which would keep a replaced table
//! alive, need not exist between steps.
//!
//! Source: `internal/runtime/maps/table.go` (`Iter.Init`, `Iter.Next`), Go 1.25.5.

use super::SwissMap;
use super::group_type::GROUP_SLOTS;
use super::table::Table;
use crate::container::bulk::SPEND_BATCH;
use crate::heap::mutator::{Mutator, Operation};

impl SwissMap {
    /// `for k := range m`: calls `visit` with every key, in an order that differs from loop to loop.
    pub fn range<M: Mutator>(&mut self, m: &mut M, mut visit: impl FnMut(&mut M, u32)) {
        if self.count == 0 {
            return;
        }
        self.write_keys();
        let (first_slot, first_entry) = (m.random(), m.random());
        let mut unspent = 0;
        for number in self.tables_from(first_entry) {
            let table = &self.tables[number];
            visit_table(table, first_slot as u32 & (table.capacity() - 1), |key| visit(m, key));
            unspent += u64::from(table.used());
            if unspent >= SPEND_BATCH {
                m.spend(Operation::MapIterate, std::mem::take(&mut unspent), self.working_set_bytes());
            }
        }
        if unspent > 0 {
            m.spend(Operation::MapIterate, unspent, self.working_set_bytes());
        }
    }

    /// The numbers of all tables, each once, from the one that a directory entry leads to.
    fn tables_from(&self, entry: u64) -> Vec<usize> {
        if self.is_small() {
            return vec![0];
        }
        let len = self.directory.len();
        let first = self.tables[self.directory.table_at(entry as u32 & (len - 1))].first_index;
        let mut order = Vec::with_capacity(self.tables.len());
        let mut passed = 0;
        while passed < len {
            let number = self.directory.table_at((first + passed) & (len - 1));
            order.push(number);
            passed += self.directory.entries_of(self.tables[number].local_depth);
        }
        order
    }
}

/// Visits the keys of a table from a slot on, wrapping around.
fn visit_table(table: &Table, first_slot: u32, mut visit: impl FnMut(u32)) {
    let (first_group, first_in_group) = (first_slot / GROUP_SLOTS, first_slot % GROUP_SLOTS);
    let mut visit_group = |group: u32, wanted: &dyn Fn(&u32) -> bool| {
        table.live(group).filter(wanted).for_each(|slot| visit(table.keys(group)[slot as usize]));
    };
    visit_group(first_group, &|slot| *slot >= first_in_group);
    for i in 1..table.group_count() {
        visit_group((first_group + i) % table.group_count(), &|_| true);
    }
    visit_group(first_group, &|slot| *slot < first_in_group);
}
