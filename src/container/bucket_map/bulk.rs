//! Many operations in one call, for maps whose entries carry no pointers the caller chooses.
//!
//! Each is the same as calling the single operation in a loop and accounting for it: same allocations, same slots. It is
//! faster because a batch of keys is hashed first and the buckets it will need are read once, together, so that their
//! cache misses overlap instead of queueing up.

use std::hint::black_box;

use super::BucketMap;
use super::access::Inserted;
use super::bucket::BucketArray;
use crate::heap::mutator::{Mutator, Operation};

/// Operations between two calls of [`Mutator::spend`], and the size of a batch.
pub(super) const SPEND_BATCH: u64 = 256;

/// Maps with fewer buckets than this fit in the host's nearest caches.
const NEAR_ANYWAY_BUCKETS: u32 = 512;

/// Keys and their hashes, in the order in which they will be used.
struct Batch {
    len: usize,
    keys: [u32; SPEND_BATCH as usize],
    hashes: [u64; SPEND_BATCH as usize],
}

impl Batch {
    fn new() -> Batch {
        Batch { len: 0, keys: [0; SPEND_BATCH as usize], hashes: [0; SPEND_BATCH as usize] }
    }

    fn entries(&self) -> impl Iterator<Item = (u32, u64)> {
        self.keys.iter().copied().zip(self.hashes.iter().copied()).take(self.len)
    }
}

impl BucketMap {
    /// `m[key] = elem` for every key, with nil pointers; how many keys were new.
    pub fn insert_all<M: Mutator>(&mut self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        let mut keys = keys.into_iter();
        let (mut total_new, leftover) = self.insert_in_order(m, &mut keys);
        let Some(leftover) = leftover else { return total_new };
        self.settle();
        let mut keys = std::iter::once(leftover).chain(keys);
        let mut batch = Batch::new();
        while self.fill(&mut batch, &mut keys) {
            let mut new = 0;
            for (key, hash) in batch.entries() {
                new += u64::from(self.insert_hashed(m, key, hash, &[], &[]) == Inserted::New);
            }
            self.spend(m, Operation::MapInsert, new);
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
        self.settle();
        let mut keys = std::iter::once(leftover).chain(keys);
        let mut batch = Batch::new();
        while self.fill(&mut batch, &mut keys) {
            for (key, hash) in batch.entries() {
                // Once the map is empty its seed, and with it the hashes, have changed: nothing is left to delete.
                deleted += u64::from(self.count > 0 && self.delete_hashed(m, key, hash));
            }
            self.spend(m, Operation::MapDelete, batch.len as u64);
            self.spend_evacuated(m);
        }
        deleted
    }

    /// `_ = m[key]` for every key; how many were present.
    pub fn lookup_all<M: Mutator>(&self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        let mut keys = keys.into_iter();
        let mut batch = Batch::new();
        let mut total_hits = 0;
        while self.fill(&mut batch, &mut keys) {
            let mut hits = 0;
            for (key, hash) in batch.entries() {
                hits += u64::from(match &self.ledger {
                    Some(ledger) => ledger.contains(key),
                    None => self.count > 0 && self.lookup_hashed(key, hash).is_some(),
                });
            }
            self.spend(m, Operation::MapLookupHit, hits);
            self.spend(m, Operation::MapLookupMiss, batch.len as u64 - hits);
            total_hits += hits;
        }
        total_hits
    }

    /// Entries that evacuation has moved since the last call: work to account for after single operations.
    pub fn take_evacuated(&mut self) -> u64 {
        std::mem::take(&mut self.evacuated_entries)
    }

    fn spend_evacuated<M: Mutator>(&mut self, m: &mut M) {
        let moved = self.take_evacuated();
        self.spend(m, Operation::MapEvacuate, moved);
    }

    fn spend<M: Mutator>(&self, m: &mut M, operation: Operation, count: u64) {
        if count > 0 {
            m.spend(operation, count, self.working_set_bytes());
        }
    }

    /// Fills a batch with the next keys, hashes them and brings their buckets near; `false` when no key is left.
    fn fill(&self, batch: &mut Batch, keys: &mut impl Iterator<Item = u32>) -> bool {
        batch.len = 0;
        for ((key, hash), next) in batch.keys.iter_mut().zip(&mut batch.hashes).zip(keys) {
            *key = next;
            *hash = self.seed.hash(next);
            batch.len += 1;
        }
        if self.current.total_count() >= NEAR_ANYWAY_BUCKETS && self.ledger.is_none() {
            let near = batch.entries().fold(0, |near, (_, hash)| near ^ self.bring_near(hash));
            black_box(near);
        }
        batch.len > 0
    }

    /// Reads what inserting or deleting these keys will need, all together, so that the cache misses overlap. Worth it for
    /// a few dozen keys whose single operations follow.
    pub fn bring_keys_near<M: Mutator>(&self, m: &M, keys: &[u32]) {
        if self.current.is_unallocated() || self.ledger.is_some() {
            return;
        }
        let scanned = !self.map_type.is_noscan();
        let mut near = 0;
        for key in keys {
            let hash = self.seed.hash(*key);
            near ^= self.bring_near(hash);
            if scanned {
                let place = self.current.place(&self.map_type, self.current.index_of(hash));
                near ^= u32::from(m.pointer(place.object, place.first_pointer_slot).is_nil());
            }
        }
        black_box(near);
    }

    /// Reads a little of every bucket that a write with this hash will need.
    #[inline]
    fn bring_near(&self, hash: u64) -> u32 {
        let read =
            |array: &BucketArray, bucket| u32::from(array.tophashes(bucket).get(0)) ^ array.keys(bucket)[0];
        let Some(growth) = &self.growth else {
            return read(&self.current, self.current.index_of(hash));
        };
        let old = growth.array.index_of(hash);
        let upper = self.current.index_of(u64::from(old + growth.array.main_count()));
        read(&growth.array, old) ^ read(&self.current, old) ^ read(&self.current, upper)
    }
}
