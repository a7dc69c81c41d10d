//! Buckets, and the arrays they come in.
//!
//! A [`BucketArray`] is one *generation*: the array object with its `2^B` main buckets and its spare overflow buckets,
//! and every overflow bucket that was allocated one by one to hang behind them. A generation is born when a map is made
//! or a growth starts, and is forgotten as a whole when its last bucket is evacuated.
//!
//! What is stored per bucket on the host: which slots are live, key identities, the link to the next overflow bucket.
//! That is 37 B for the 144 B of a `map[int]int`. Pointers live in the simulated objects. The three lie in separate
//! tables: most operations need only the live slots, one byte a bucket, which stay in the host's caches.
//!
//! Source: `runtime/map.go` (`bmap`, `makeBucketArray`), Go 1.23.9.

use crate::container::map_type::MapType;
use crate::container::slots::SlotSet;
use crate::heap::object::ObjRef;
use crate::heap::size_class::usable_bytes;
use crate::version::GoVersion;

/// From this `B` on an array carries spare overflow buckets (`makeBucketArray`).
const SPARES_FROM_LOG2_COUNT: u8 = 4;

/// A slot of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub bucket: u32,
    pub slot: u32,
}

/// Where a bucket lies in the simulated heap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The array, or the overflow bucket's own object; nil for a bucket in a stack frame.
    pub object: ObjRef,
    /// Offset of the bucket in that object.
    pub offset_bytes: u64,
    /// The bucket's first pointer slot in that object.
    pub first_pointer_slot: u32,
}

/// How many buckets an array has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ArraySize {
    /// `2^B`.
    pub main: u32,
    /// Main and spare overflow buckets.
    pub total: u32,
}

impl ArraySize {
    /// The size of the array for `2^log2_count` buckets: from B = 4 on one spare per 16 buckets, and as many more as the
    /// size class leaves room for.
    pub fn of(version: GoVersion, map_type: &MapType, log2_count: u8) -> ArraySize {
        let main = 1u64 << log2_count;
        let mut total = main;
        if log2_count >= SPARES_FROM_LOG2_COUNT {
            total += main >> SPARES_FROM_LOG2_COUNT;
            total = usable_bytes(version, map_type.buckets_layout(total)) / map_type.bucket_bytes();
        }
        ArraySize { main: main as u32, total: total as u32 }
    }
}

/// One generation of buckets. Indexes below `total_count` are in the array object, those above are overflow buckets of
/// their own.
#[derive(Clone, Debug, Default)]
pub(super) struct BucketArray {
    /// The array object; nil while unallocated and for an array in a stack frame.
    pub object: ObjRef,
    main_count: u32,
    total_count: u32,
    next_spare: u32,
    /// A bit for each live slot.
    live: Vec<u8>,
    keys: Vec<[u32; 8]>,
    /// The overflow word: one more than the index of the next bucket in the chain, 0 for none.
    overflows: Vec<u32>,
    malloced_objects: Vec<ObjRef>,
}

impl BucketArray {
    pub fn new(object: ObjRef, size: ArraySize) -> BucketArray {
        let total = size.total as usize;
        BucketArray {
            object,
            main_count: size.main,
            total_count: size.total,
            next_spare: size.main,
            live: vec![0; total],
            keys: vec![[0; 8]; total],
            overflows: vec![0; total],
            malloced_objects: Vec::new(),
        }
    }

    /// `hmap.buckets == nil`.
    #[inline]
    pub fn is_unallocated(&self) -> bool {
        self.main_count == 0
    }

    /// Buckets that hashes choose from: `2^B`.
    #[inline]
    pub fn main_count(&self) -> u32 {
        self.main_count
    }

    /// Main and spare buckets.
    #[inline]
    pub fn total_count(&self) -> u32 {
        self.total_count
    }

    /// Overflow buckets that are objects of their own.
    pub fn malloced_count(&self) -> u32 {
        self.malloced_objects.len() as u32
    }

    pub fn spares_left(&self) -> u32 {
        self.total_count - self.next_spare
    }

    /// The main bucket of a hash.
    #[inline]
    pub fn index_of(&self, hash: u64) -> u32 {
        hash as u32 & self.main_count.wrapping_sub(1)
    }

    /// The slots of a bucket that hold an entry.
    #[inline]
    pub fn live(&self, bucket: u32) -> SlotSet {
        SlotSet(self.live[bucket as usize])
    }

    #[inline]
    pub fn set_live(&mut self, bucket: u32, live: SlotSet) {
        self.live[bucket as usize] = live.0;
    }

    /// Makes a slot live.
    #[inline]
    pub fn fill_slot(&mut self, at: Slot) {
        self.live[at.bucket as usize] |= 1 << at.slot;
    }

    /// Makes a slot empty.
    #[inline]
    pub fn empty_slot(&mut self, at: Slot) {
        self.live[at.bucket as usize] &= !(1 << at.slot);
    }

    /// The slot of a bucket that holds a key. Reads the bucket's keys.
    #[inline]
    pub fn slot_of(&self, bucket: u32, key: u32) -> Option<Slot> {
        let keys = &self.keys[bucket as usize];
        let equal = (0..8).fold(0, |equal, slot| equal | u8::from(keys[slot] == key) << slot);
        let slot = SlotSet(equal & self.live[bucket as usize]).next()?;
        Some(Slot { bucket, slot })
    }

    #[inline]
    pub fn keys(&self, bucket: u32) -> &[u32; 8] {
        &self.keys[bucket as usize]
    }

    #[inline]
    pub fn keys_mut(&mut self, bucket: u32) -> &mut [u32; 8] {
        &mut self.keys[bucket as usize]
    }

    /// The next overflow bucket in the chain.
    #[inline]
    pub fn overflow(&self, bucket: u32) -> Option<u32> {
        self.overflows[bucket as usize].checked_sub(1)
    }

    pub fn set_overflow(&mut self, bucket: u32, next: Option<u32>) {
        self.overflows[bucket as usize] = next.map_or(0, |next| next + 1);
    }

    /// Where a bucket lies in the simulated heap.
    #[inline]
    pub fn place(&self, map_type: &MapType, bucket: u32) -> Place {
        match bucket.checked_sub(self.total_count) {
            None => Place {
                object: self.object,
                offset_bytes: u64::from(bucket) * map_type.bucket_bytes(),
                first_pointer_slot: bucket * map_type.bucket_pointer_slots(),
            },
            Some(malloced) => Place {
                object: self.malloced_objects[malloced as usize],
                offset_bytes: 0,
                first_pointer_slot: 0,
            },
        }
    }

    /// Whether no overflow bucket was ever handed out.
    pub fn has_no_overflow(&self) -> bool {
        self.next_spare == self.main_count && self.malloced_objects.is_empty()
    }

    /// Hands out the next spare overflow bucket.
    pub fn take_spare(&mut self) -> Option<u32> {
        let spare = self.next_spare;
        (spare < self.total_count).then(|| {
            self.next_spare += 1;
            spare
        })
    }

    /// Adds an overflow bucket that is the object `object`.
    pub fn add_malloced(&mut self, object: ObjRef) -> u32 {
        let bucket = self.live.len();
        push(&mut self.live, 0);
        push(&mut self.keys, [0; 8]);
        push(&mut self.overflows, 0);
        self.malloced_objects.push(object);
        bucket as u32
    }

    /// Zeroes the array and forgets the overflow buckets behind it.
    pub fn reset(&mut self) {
        let size = ArraySize { main: self.main_count, total: self.total_count };
        *self = BucketArray::new(self.object, size);
    }

    /// The chain that starts at main bucket `index`: first the bucket itself, then its overflow buckets.
    pub fn chain(&self, index: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(index), |bucket| self.overflow(*bucket))
    }

    /// Bytes of all buckets of this generation in the simulated heap.
    pub fn simulated_bytes(&self, map_type: &MapType) -> u64 {
        self.live.len() as u64 * map_type.bucket_bytes()
    }

    /// Bytes this generation takes on the host.
    pub fn memory_bytes(&self) -> usize {
        self.live.capacity()
            + self.keys.capacity() * size_of::<[u32; 8]>()
            + self.overflows.capacity() * size_of::<u32>()
            + self.malloced_objects.capacity() * size_of::<ObjRef>()
    }
}

/// Pushes onto a large table, which grows by an eighth instead of doubling.
fn push<T>(table: &mut Vec<T>, value: T) {
    if table.len() == table.capacity() {
        table.reserve_exact((table.len() / 8).max(8));
    }
    table.push(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::map_type::TypeDesc;

    /// Buckets and spares that real Go 1.23.9 allocates.
    #[test]
    fn spare_buckets_fill_the_size_class() {
        let ints = MapType::new(TypeDesc::INT, TypeDesc::INT);
        let strings = MapType::new(TypeDesc::STRING, TypeDesc::STRING);
        for (map_type, log2_count, main, total) in [
            (ints, 3, 8, 8),
            (ints, 4, 16, 18), // 17 * 144 = 2448 -> class 2688 -> 18 buckets
            (ints, 10, 1024, 1137),
            (ints, 18, 262_144, 278_528),
            (strings, 4, 16, 17),
            (strings, 7, 128, 150),
        ] {
            let size = ArraySize::of(GoVersion::Go1_23, &map_type, log2_count);
            assert_eq!(size, ArraySize { main, total }, "B = {log2_count}");
        }
    }
}
