//! Many operations in one call, for maps whose entries carry no pointers the caller chooses, and accounting for single
//! ones.
//!
//! Each is the same as calling the single operation in a loop and accounting for it: same allocations, same slots.

use std::hint::black_box;

use super::SwissMap;
use super::group_type::GROUP_SLOTS;
use crate::container::bulk::{self, Bulk, Replaced, SPEND_BATCH};
use crate::container::entry::Inserted;
use crate::container::map_type::MapType;
use crate::heap::mutator::{Mutator, Operation};

/// Maps with fewer slots than this fit in the host's nearest caches.
const NEAR_ANYWAY_SLOTS: u64 = 1 << 18;

impl Bulk for SwissMap {
    #[inline]
    fn insert_nil<M: Mutator>(&mut self, m: &mut M, key: u32) -> Inserted {
        self.insert(m, key, &[], &[])
    }

    #[inline]
    fn delete<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool {
        SwissMap::delete(self, m, key)
    }

    #[inline]
    fn contains(&self, key: u32) -> bool {
        SwissMap::contains(self, key)
    }

    fn load(&self) -> f64 {
        self.count as f64 / self.group_count()
    }

    fn working_set_bytes(&self) -> u64 {
        SwissMap::working_set_bytes(self)
    }

    fn map_type(&self) -> &MapType {
        &self.map_type
    }
}

impl SwissMap {
    /// `m[key] = elem` for every key, with nil pointers; how many keys were new.
    pub fn insert_all<M: Mutator>(&mut self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        let mut keys = keys.into_iter();
        let mut total_new = 0;
        loop {
            let (mut new, mut inserted) = (0, 0);
            for key in keys.by_ref().take(SPEND_BATCH as usize) {
                new += u64::from(self.insert(m, key, &[], &[]) == Inserted::New);
                inserted += 1;
            }
            self.spend_on_inserts(m, new);
            self.spend(m, Operation::MapUpdate, inserted - new);
            self.spend_moved(m);
            total_new += new;
            if inserted < SPEND_BATCH {
                return total_new;
            }
        }
    }

    /// `delete(m, key)` for every key; how many were present.
    pub fn delete_all<M: Mutator>(&mut self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        let mut keys = keys.into_iter();
        let mut total_deleted = 0;
        loop {
            let mut tried = 0;
            for key in keys.by_ref().take(SPEND_BATCH as usize) {
                total_deleted += u64::from(self.delete(m, key));
                tried += 1;
            }
            self.spend_on_deletes(m, tried);
            if tried < SPEND_BATCH {
                return total_deleted;
            }
        }
    }

    /// For every key `delete(m, old)`, if `old_of` names one, then `m[key] = elem` with nil pointers. Spends no CPU time.
    pub fn replace_all<M: Mutator>(
        &mut self,
        m: &mut M,
        keys: &[u32],
        old_of: impl Fn(u32) -> Option<u32>,
    ) -> Replaced {
        bulk::replace_all(self, m, keys, old_of)
    }

    /// `_ = m[key]` for every key; how many were present.
    pub fn lookup_all<M: Mutator>(&self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        bulk::lookup_all(self, m, keys)
    }

    /// Entries that growing has moved since the last call: work to account for after single operations.
    pub fn take_moved(&mut self) -> u64 {
        std::mem::take(&mut self.moved_entries)
    }

    /// Groups, at least a part of one: what entries are spread over.
    pub fn group_count(&self) -> f64 {
        self.slots.max(1) as f64 / f64::from(GROUP_SLOTS)
    }

    /// Accounts for inserts of absent keys, at the price of how full the groups are now.
    pub fn spend_on_inserts<M: Mutator>(&self, m: &mut M, count: u64) {
        bulk::spend_on_inserts(self, m, count);
    }

    /// Accounts for deletes, one by one.
    pub fn spend_on_deletes<M: Mutator>(&self, m: &mut M, count: u64) {
        bulk::spend_on_deletes(self, m, count);
    }

    fn spend_moved<M: Mutator>(&mut self, m: &mut M) {
        let moved = self.take_moved();
        self.spend(m, Operation::MapEvacuate, moved);
    }

    fn spend<M: Mutator>(&self, m: &mut M, operation: Operation, count: u64) {
        bulk::spend(self, m, operation, count);
    }

    /// Reads where the pointers of new entries will go, all together, so that the cache misses overlap. Worth it for a few dozen
    /// keys whose inserts follow.
    pub fn bring_pointers_near<M: Mutator>(&self, m: &M, keys: &[u32]) {
        if self.group_type.is_noscan() || self.slots < NEAR_ANYWAY_SLOTS {
            return;
        }
        let near = keys.iter().fold(0, |near, key| {
            let hash = self.seed.hash(*key);
            let table = &self.tables[self.directory.table_of(hash)];
            let slot = self.group_type.pointer_slot(table.slot_after(hash, 0, 0).group, 0);
            near ^ u32::from(m.pointer(table.groups, slot).is_nil())
        });
        black_box(near);
    }
}
