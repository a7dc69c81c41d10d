//! Range loops.
//!
//! A loop starts at a random bucket and at a random slot inside each bucket, and wraps around. In the middle of a growth
//! it visits a bucket that is not evacuated yet in the old array. It writes almost nothing, but not nothing: a noscan map
//! gets its `mapextra` and overflow slice (24 B each) if it has none, because the loop wants to keep overflow buckets
//! alive through them; and the map remembers that it was ranged over, which keeps its next growth from zeroing evacuated
//! buckets.
//!
//! **Differences from Go.** The map does not change during a loop, so the iterator itself, which would keep its arrays
//! alive, need not exist between steps.
//!
//! Source: `runtime/map.go` (`mapiterinit`, `mapiternext`), Go 1.23.9.

use super::BucketMap;
use super::grow::GrowKind;
use crate::container::bulk::SPEND_BATCH;
use crate::container::map_type::BUCKET_SLOTS;
use crate::heap::mutator::{Mutator, Operation};

/// Which arrays a range loop may be walking (`iterator` and `oldIterator` of `hmap.flags`).
///
/// Nothing tells a map that a loop has ended, so only the next growth forgets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IteratorFlags {
    buckets: bool,
    old_buckets: bool,
}

impl IteratorFlags {
    fn loop_started(&mut self) {
        *self = IteratorFlags { buckets: true, old_buckets: true };
    }

    pub fn buckets_became_old(&mut self) {
        *self = IteratorFlags { buckets: false, old_buckets: self.buckets };
    }

    pub fn may_use_old_buckets(self) -> bool {
        self.old_buckets
    }
}

impl BucketMap {
    /// `for k := range m`: calls `visit` with every key, in an order that differs from loop to loop.
    pub fn range<M: Mutator>(&mut self, m: &mut M, mut visit: impl FnMut(&mut M, u32)) {
        if self.count == 0 {
            return;
        }
        self.write_keys();
        if self.map_type.is_noscan() {
            self.ensure_overflow_slice(m);
        }
        self.iterators.loop_started();
        let random = m.random();
        let bucket_count = self.current.main_count();
        let first_bucket = random as u32 & (bucket_count - 1);
        let first_slot = (random >> self.log2_bucket_count) as u32 & (BUCKET_SLOTS - 1);
        let mut unspent = 0;
        for i in 0..bucket_count {
            let bucket = (first_bucket + i) & (bucket_count - 1);
            unspent += self.visit_bucket(bucket, first_slot, |key| visit(m, key));
            if unspent >= SPEND_BATCH {
                m.spend(Operation::MapIterate, std::mem::take(&mut unspent), self.working_set_bytes());
            }
        }
        if unspent > 0 {
            m.spend(Operation::MapIterate, unspent, self.working_set_bytes());
        }
    }

    /// Visits the entries of new main bucket `index`, wherever they still are; how many there were.
    fn visit_bucket(&self, index: u32, first_slot: u32, mut visit: impl FnMut(u32)) -> u64 {
        let mut array = &self.current;
        let mut start = index;
        let mut must_split = false;
        if let Some(growth) = &self.growth {
            let old_index = growth.array.index_of(index.into());
            if !growth.is_evacuated(old_index) {
                array = &growth.array;
                start = old_index;
                must_split = growth.kind == GrowKind::Double;
            }
        }
        let mut visited = 0;
        for bucket in array.chain(start) {
            for slot in array.live(bucket).starting_at(first_slot) {
                let key = array.keys(bucket)[slot as usize];
                if !must_split || self.current.index_of(self.seed.hash(key)) == index {
                    visit(key);
                    visited += 1;
                }
            }
        }
        visited
    }
}
