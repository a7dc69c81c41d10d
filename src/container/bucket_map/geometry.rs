//! Looking at a map from outside: its numbers, its chains, its size.

use super::BucketMap;
use super::grow::GrowKind;
use super::header::HMAP;
use super::tophash::tophash_bytes;
use crate::container::slots::SlotSet;

/// The numbers in a map's header, and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// `B`: the array has `2^B` main buckets.
    pub log2_bucket_count: u8,
    /// `noverflow`.
    pub overflow_count: u16,
    /// The growth in progress, if any.
    pub growing: Option<GrowKind>,
    /// `nevacuate`; keeps its last value when a growth is over.
    pub evacuated_below: u32,
    /// Buckets of the current array, spares included; 0 while unallocated.
    pub array_buckets: u32,
    /// Spare overflow buckets not handed out yet.
    pub spares_left: u32,
    /// Overflow buckets of the current generation that are objects of their own.
    pub malloced_overflow_buckets: u32,
}

/// Whose memory a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketMemory {
    /// One of the `2^B` main buckets of the array.
    Main,
    /// A spare overflow bucket at the end of the array.
    Spare,
    /// An overflow bucket allocated by itself.
    Malloced,
}

/// One bucket, as a picture of the map shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketView {
    /// The tophash byte of each slot.
    pub tophash: [u8; 8],
    /// The key identity of each live slot, 0 in the others.
    pub keys: [u32; 8],
    /// Whose memory it is.
    pub memory: BucketMemory,
}

impl BucketMap {
    /// The map's numbers.
    pub fn geometry(&self) -> Geometry {
        Geometry {
            log2_bucket_count: self.log2_bucket_count,
            overflow_count: self.overflow_count,
            growing: self.growth.as_ref().map(|growth| growth.kind),
            evacuated_below: self.evacuated_below,
            array_buckets: self.current.total_count(),
            spares_left: self.current.spares_left(),
            malloced_overflow_buckets: self.current.malloced_count(),
        }
    }

    /// Main bucket `index` and its overflow buckets. Panics if `index` is not below the bucket count, or if the map has no
    /// buckets yet.
    pub fn chain(&mut self, index: u32) -> impl Iterator<Item = BucketView> {
        assert!(index < self.current.main_count(), "bucket {index} of {}", self.current.main_count());
        self.write_keys();
        let buckets: Vec<u32> = self.current.chain(index).collect();
        let mut followed = false;
        let mut views = Vec::with_capacity(buckets.len());
        for bucket in buckets.into_iter().rev() {
            views.push(self.view(bucket, followed));
            followed |= self.current.live(bucket) != SlotSet::default();
        }
        views.into_iter().rev()
    }

    /// A bucket of the current array; `followed` if anything is live behind it in its chain.
    fn view(&self, bucket: u32, followed: bool) -> BucketView {
        let array = &self.current;
        let memory = if bucket < array.main_count() {
            BucketMemory::Main
        } else if bucket < array.total_count() {
            BucketMemory::Spare
        } else {
            BucketMemory::Malloced
        };
        let (live, mut keys) = (array.live(bucket), *array.keys(bucket));
        let tophash = tophash_bytes(live, |slot| self.seed.hash(keys[slot as usize]), followed);
        (0..8).filter(|slot| !live.contains(*slot)).for_each(|slot| keys[slot as usize] = 0);
        BucketView { tophash, keys, memory }
    }

    /// Bytes of simulated memory that operations on the map range over: header, arrays, overflow buckets and slice.
    pub fn working_set_bytes(&self) -> u64 {
        let old = self.growth.as_ref().map_or(0, |growth| growth.array.simulated_bytes(&self.map_type));
        HMAP.size_bytes + self.current.simulated_bytes(&self.map_type) + old + self.overflow_slice_bytes()
    }

    /// Bytes that the map takes on the host.
    pub fn memory_bytes(&self) -> usize {
        let old = self.growth.as_ref().map_or(0, |growth| growth.array.memory_bytes());
        size_of::<BucketMap>() + self.current.memory_bytes() + old + self.recall.memory_bytes()
    }
}
