//! Many operations in one call, for maps whose entries carry no pointers the caller chooses.
//!
//! Each is the same as calling the single operation in a loop and accounting for it: same allocations, same slots. While a
//! map grows, the buckets that a batch of keys will move are read once, together, so that their cache misses overlap
//! instead of queueing up. So are the pointers of entries, growing or not: a million pointers inserted and deleted in a
//! presized map take 128 ms instead of 155 on the host.

use std::hint::black_box;

use super::BucketMap;
use super::recall::Recalled;
use crate::container::bulk::{self, Bulk, Replaced, SPEND_BATCH};
use crate::container::entry::Inserted;
use crate::container::map_type::MapType;
use crate::heap::mutator::{Mutator, Operation};
use crate::heap::object::ObjRef;

/// Maps with fewer buckets than this fit in the host's nearest caches.
const NEAR_ANYWAY_BUCKETS: u32 = 1 << 15;

/// Keys in the order in which they will be used.
struct Batch {
    len: usize,
    keys: [u32; SPEND_BATCH as usize],
}

impl Batch {
    fn new() -> Batch {
        Batch { len: 0, keys: [0; SPEND_BATCH as usize] }
    }

    /// Takes the next keys; `false` when none is left.
    fn fill(&mut self, keys: &mut impl Iterator<Item = u32>) -> bool {
        self.len = 0;
        for (place, key) in self.keys.iter_mut().zip(keys) {
            *place = key;
            self.len += 1;
        }
        self.len > 0
    }

    fn keys(&self) -> &[u32] {
        &self.keys[..self.len]
    }
}

impl Bulk for BucketMap {
    #[inline]
    fn insert_nil<M: Mutator>(&mut self, m: &mut M, key: u32) -> Inserted {
        self.insert(m, key, &[], &[])
    }

    #[inline]
    fn delete<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool {
        BucketMap::delete(self, m, key)
    }

    #[inline]
    fn contains(&self, key: u32) -> bool {
        BucketMap::contains(self, key)
    }

    fn load(&self) -> f64 {
        self.count as f64 / f64::from(self.current.main_count().max(1))
    }

    fn working_set_bytes(&self) -> u64 {
        BucketMap::working_set_bytes(self)
    }

    fn map_type(&self) -> &MapType {
        &self.map_type
    }
}

impl BucketMap {
    /// `m[key] = elem` for every key, with nil pointers; how many keys were new.
    pub fn insert_all<M: Mutator>(&mut self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        let mut keys = keys.into_iter();
        let (mut total_new, leftover) = self.insert_in_order(m, &mut keys);
        let Some(leftover) = leftover else { return total_new };
        let mut keys = std::iter::once(leftover).chain(keys);
        let mut batch = Batch::new();
        while batch.fill(&mut keys) {
            self.bring_keys_near(batch.keys());
            let mut new = 0;
            for key in batch.keys() {
                new += u64::from(self.insert(m, *key, &[], &[]) == Inserted::New);
            }
            self.spend_on_inserts(m, new);
            self.spend(m, Operation::MapUpdate, batch.len as u64 - new);
            self.spend_evacuated(m);
            total_new += new;
        }
        total_new
    }

    /// `delete(m, key)` for every key; how many were present.
    pub fn delete_all<M: Mutator>(&mut self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        let mut keys = keys.into_iter();
        let (mut deleted, leftover) = self.delete_in_order(m, &mut keys);
        let Some(leftover) = leftover else { return deleted };
        let mut keys = std::iter::once(leftover).chain(keys);
        let mut batch = Batch::new();
        while batch.fill(&mut keys) {
            self.bring_keys_near(batch.keys());
            self.bring_pointers_near(m, batch.keys());
            for key in batch.keys() {
                deleted += u64::from(self.delete(m, *key));
            }
            self.spend_on_deletes(m, batch.len as u64);
            self.spend_evacuated(m);
        }
        deleted
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

    /// Entries that evacuation has moved since the last call: work to account for after single operations.
    pub fn take_evacuated(&mut self) -> u64 {
        std::mem::take(&mut self.evacuated_entries)
    }

    /// Accounts for inserts of absent keys, at the price of how full the buckets are now.
    pub fn spend_on_inserts<M: Mutator>(&self, m: &mut M, count: u64) {
        bulk::spend_on_inserts(self, m, count);
    }

    /// Accounts for deletes of keys that were present, one by one.
    pub fn spend_on_deletes<M: Mutator>(&self, m: &mut M, count: u64) {
        bulk::spend_on_deletes(self, m, count);
    }

    fn spend_evacuated<M: Mutator>(&mut self, m: &mut M) {
        let moved = self.take_evacuated();
        self.spend(m, Operation::MapEvacuate, moved);
    }

    fn spend<M: Mutator>(&self, m: &mut M, operation: Operation, count: u64) {
        bulk::spend(self, m, operation, count);
    }

    /// Reads what inserting or deleting these keys will need, all together, so that the cache misses overlap. Worth it for
    /// a few dozen keys whose single operations follow.
    pub fn bring_keys_near(&self, keys: &[u32]) {
        if self.current.total_count() < NEAR_ANYWAY_BUCKETS {
            return;
        }
        if self.growth.is_some() {
            black_box(keys.iter().fold(0, |near, key| near ^ self.bring_near(*key)));
        }
    }

    /// Reads the pointers that inserting or deleting these keys will read or write, all together. Worth it for a few dozen
    /// keys whose single operations follow. Where they lie is worked out first: then nothing stands between the misses.
    pub fn bring_pointers_near<M: Mutator>(&self, m: &M, keys: &[u32]) {
        if self.map_type.is_noscan() || self.current.total_count() < NEAR_ANYWAY_BUCKETS {
            return;
        }
        let mut slots = [0; SPEND_BATCH as usize];
        for keys in keys.chunks(SPEND_BATCH as usize) {
            let mut bring_near = |object: ObjRef, slot_of: &dyn Fn(u32) -> u32| {
                slots.iter_mut().zip(keys).for_each(|(slot, key)| *slot = slot_of(*key));
                m.bring_near(object, &slots[..keys.len()]);
            };
            let Some(growth) = &self.growth else {
                bring_near(self.current.object, &|key| self.entry_pointer_slot(key));
                continue;
            };
            let stride = self.map_type.bucket_pointer_slots();
            let old = |key| growth.array.index_of(self.seed.hash(key));
            let upper = growth.array.main_count() & (self.current.main_count() - 1);
            bring_near(growth.array.object, &|key| old(key) * stride);
            bring_near(self.current.object, &|key| old(key) * stride);
            bring_near(self.current.object, &|key| (old(key) + upper) * stride);
        }
    }

    /// The pointer slot, counted in the array, of a key's elem: where it is, or where it most likely will be.
    #[inline]
    fn entry_pointer_slot(&self, key: u32) -> u32 {
        let bucket = self.current.index_of(self.seed.hash(key));
        let slot = match self.recall.of(key) {
            Recalled::Main(slot) => slot,
            _ => self.current.live(bucket).first_free().unwrap_or(0),
        };
        bucket * self.map_type.bucket_pointer_slots() + self.map_type.elem_pointer_slot(slot)
    }

    /// Reads a little of every bucket that a write to `key` will need during a growth.
    #[inline]
    fn bring_near(&self, key: u32) -> u32 {
        let Some(growth) = &self.growth else { return 0 };
        let old = growth.array.index_of(self.seed.hash(key));
        let upper = self.current.index_of(u64::from(old + growth.array.main_count()));
        growth.array.keys(old)[0] ^ self.current.keys(old)[0] ^ self.current.keys(upper)[0]
    }
}
