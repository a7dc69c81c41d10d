//! Filling a map with keys in order without writing its slots: which slot a key lies in is decided when somebody looks.
//!
//! A program that inserts the keys 0, 1, 2 ... into a presized map, and later deletes them in the same order, is the first
//! lesson of every course - and a million cache misses on the host. Nothing that the collector or the statistics see
//! depends on the slots, only on how full each bucket is: overflow buckets are taken when a bucket fills up, pages become
//! resident when a bucket is written. So while keys come in order, the map keeps a *ledger*: one counter a bucket and the
//! range of keys. Any other operation *settles* the ledger first: it fills the slots as the inserts and deletes would
//! have.
//!
//! Invariants: allocations, touched bytes, overflow buckets, random draws and counts are the same, at the same moments, as
//! without a ledger; a settled map is equal slot for slot.

use indexmap::IndexMap;

use super::BucketMap;
use super::bucket::Slot;
use crate::container::bulk::SPEND_BATCH;
use crate::container::hash::Seed;
use crate::container::map_type::BUCKET_SLOTS;
use crate::heap::mutator::{Mutator, Operation};

/// Maps with fewer buckets are in the host's cache anyway.
const MIN_BUCKETS: u32 = 4096;

/// Keys `deleted_end..end` are present; `first..deleted_end` were inserted and deleted again.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    first: u32,
    deleted_end: u32,
    end: u32,
    /// Entries ever inserted into each main bucket's chain.
    filled: Box<[u8]>,
    /// The last bucket of each chain that is longer than one.
    tails: IndexMap<u32, u32>,
}

impl Ledger {
    /// Whether a key is present.
    pub(super) fn contains(&self, key: u32) -> bool {
        (self.deleted_end..self.end).contains(&key)
    }
}

impl BucketMap {
    /// Inserts keys as long as they continue the ledger; returns how many, and the first key that does not.
    pub(super) fn insert_in_order<M: Mutator>(
        &mut self,
        m: &mut M,
        keys: &mut impl Iterator<Item = u32>,
    ) -> (u64, Option<u32>) {
        let mut inserted = 0;
        let mut unspent = 0;
        let leftover = loop {
            let Some(key) = keys.next() else { break None };
            if !self.take_into_ledger(m, key) {
                break Some(key);
            }
            inserted += 1;
            unspent += 1;
            if unspent == SPEND_BATCH {
                self.spend_on_inserts(m, std::mem::take(&mut unspent));
            }
        };
        self.spend_on_inserts(m, unspent);
        (inserted, leftover)
    }

    /// Deletes keys as long as they are the oldest of the ledger; returns how many, and the first key that is not.
    pub(super) fn delete_in_order<M: Mutator>(
        &mut self,
        m: &mut M,
        keys: &mut impl Iterator<Item = u32>,
    ) -> (u64, Option<u32>) {
        let mut deleted = 0;
        let mut unspent = 0;
        let leftover = loop {
            let Some(key) = keys.next() else { break None };
            match &mut self.ledger {
                Some(ledger) if key == ledger.deleted_end => ledger.deleted_end += 1,
                _ => break Some(key),
            }
            self.count -= 1;
            if self.count == 0 {
                // Every slot is empty again, as it was before the first insert: nothing is left to settle.
                self.ledger = None;
                self.seed = Seed::of_32_bits(m.random());
            }
            deleted += 1;
            unspent += 1;
            if unspent == SPEND_BATCH {
                m.spend(Operation::MapDelete, std::mem::take(&mut unspent), self.working_set_bytes());
            }
        };
        if unspent > 0 {
            m.spend(Operation::MapDelete, unspent, self.working_set_bytes());
        }
        (deleted, leftover)
    }

    /// Notes one insert, if it continues the ledger or can start one.
    #[inline]
    fn take_into_ledger<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool {
        if self.ledger.is_none() && self.may_start_ledger() {
            self.ledger = Some(Box::new(Ledger {
                first: key,
                deleted_end: key,
                end: key,
                filled: vec![0; self.current.main_count() as usize].into_boxed_slice(),
                tails: IndexMap::new(),
            }));
        }
        let must_grow = self.must_grow();
        let Some(ledger) = &mut self.ledger else { return false };
        let index = self.current.index_of(self.seed.hash(key));
        let filled = ledger.filled[index as usize];
        // Freed slots are filled before new ones, so after a delete the counters no longer tell the slot.
        let in_order = key == ledger.end && ledger.deleted_end == ledger.first;
        if !in_order || must_grow || filled == u8::MAX {
            return false;
        }
        ledger.end += 1;
        ledger.filled[index as usize] = filled + 1;
        let slot = u32::from(filled) % BUCKET_SLOTS;
        let mut bucket = index;
        if u32::from(filled) >= BUCKET_SLOTS {
            bucket = ledger.tails.get(&index).copied().unwrap_or(index);
            if slot == 0 {
                bucket = self.new_overflow(m, bucket);
                let ledger = self.ledger.as_mut().expect("an allocation does not settle");
                ledger.tails.insert(index, bucket);
            }
        }
        self.count += 1;
        let place = self.current.place(&self.map_type, bucket);
        m.touch_after_looking(place.object, place.offset_bytes, self.map_type.elem_end_bytes(slot));
        true
    }

    /// Whether the map is as good as new, and worth it.
    fn may_start_ledger(&self) -> bool {
        self.count == 0
            && self.map_type.is_noscan()
            && self.growth.is_none()
            && self.current.main_count() >= MIN_BUCKETS
            && self.current.has_no_overflow()
    }

    /// Fills the slots that the ledger stands for.
    #[inline]
    pub(super) fn settle(&mut self) {
        if let Some(ledger) = self.ledger.take() {
            self.fill_slots(&ledger);
        }
    }

    #[cold]
    fn fill_slots(&mut self, ledger: &Ledger) {
        for key in ledger.first..ledger.end {
            let mut bucket = self.current.index_of(self.seed.hash(key));
            let slot = loop {
                match self.current.live(bucket).first_free() {
                    Some(slot) => break Slot { bucket, slot },
                    None => bucket = self.current.overflow(bucket).expect("the chain was made long enough"),
                }
            };
            self.place_entry(slot, key);
        }
        for key in ledger.first..ledger.deleted_end {
            let slot = self.current_slot(key).expect("inserted above");
            self.displace_entry(slot, key);
        }
    }
}
