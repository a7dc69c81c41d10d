//! Buckets, and the arrays they come in.
//!
//! A [`BucketArray`] is one *generation*: the array object with its `2^B` main buckets and its spare overflow buckets,
//! and every overflow bucket that was allocated one by one to hang behind them. A generation is born when a map is made
//! or a growth starts, and is forgotten as a whole when its last bucket is evacuated.
//!
//! What is stored per bucket on the host is what a lookup can see: tophash bytes, key identities, the link to the next
//! overflow bucket. That is 48 B for the 144 B of a `map[int]int`. Pointers live in the simulated objects.
//!
//! Source: `runtime/map.go` (`bmap`, `makeBucketArray`), Go 1.23.9.

use super::tophash::TopHashes;
use crate::container::map_type::MapType;
use crate::heap::object::ObjRef;
use crate::heap::size_class::usable_bytes;
use crate::version::GoVersion;

/// From this `B` on an array carries spare overflow buckets (`makeBucketArray`).
const SPARES_FROM_LOG2_COUNT: u8 = 4;

/// One bucket, main or overflow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    pub tophash: TopHashes,
    pub keys: [u32; 8],
    pub overflow: Link,
}

/// The overflow word of a bucket: the index of the next one in its generation, or nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link(u32);

impl Link {
    pub const NIL: Link = Link(0);

    pub fn to(bucket: u32) -> Link {
        Link(bucket + 1)
    }

    #[inline]
    pub fn bucket(self) -> Option<u32> {
        self.0.checked_sub(1)
    }
}

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

/// One generation of buckets. Indexes below `total` are in the array object, those above are overflow buckets of
/// their own.
#[derive(Clone, Debug, Default)]
pub(super) struct BucketArray {
    /// The array object; nil while unallocated and for an array in a stack frame.
    pub object: ObjRef,
    main_count: u32,
    next_spare: u32,
    in_array: Vec<Bucket>,
    malloced: Vec<Bucket>,
    malloced_objects: Vec<ObjRef>,
}

impl BucketArray {
    pub fn new(object: ObjRef, size: ArraySize) -> BucketArray {
        BucketArray {
            object,
            main_count: size.main,
            next_spare: size.main,
            in_array: vec![Bucket::default(); size.total as usize],
            malloced: Vec::new(),
            malloced_objects: Vec::new(),
        }
    }

    /// `hmap.buckets == nil`.
    #[inline]
    pub fn is_unallocated(&self) -> bool {
        self.in_array.is_empty()
    }

    /// Buckets that hashes choose from: `2^B`.
    #[inline]
    pub fn main_count(&self) -> u32 {
        self.main_count
    }

    /// Main and spare buckets.
    pub fn total_count(&self) -> u32 {
        self.in_array.len() as u32
    }

    /// Overflow buckets that are objects of their own.
    pub fn malloced_count(&self) -> u32 {
        self.malloced.len() as u32
    }

    pub fn spares_left(&self) -> u32 {
        self.total_count() - self.next_spare
    }

    /// The main bucket of a hash.
    #[inline]
    pub fn index_of(&self, hash: u64) -> u32 {
        hash as u32 & self.main_count.wrapping_sub(1)
    }

    #[inline]
    pub fn bucket(&self, index: u32) -> &Bucket {
        match self.in_array.get(index as usize) {
            Some(bucket) => bucket,
            None => &self.malloced[index as usize - self.in_array.len()],
        }
    }

    #[inline]
    pub fn bucket_mut(&mut self, index: u32) -> &mut Bucket {
        let in_array = self.in_array.len();
        match self.in_array.get_mut(index as usize) {
            Some(bucket) => bucket,
            None => &mut self.malloced[index as usize - in_array],
        }
    }

    /// Where bucket `index` lies in the simulated heap.
    #[inline]
    pub fn place(&self, map_type: &MapType, index: u32) -> Place {
        if (index as usize) < self.in_array.len() {
            Place {
                object: self.object,
                offset_bytes: u64::from(index) * map_type.bucket_bytes(),
                first_pointer_slot: index * map_type.bucket_pointer_slots(),
            }
        } else {
            let object = self.malloced_objects[index as usize - self.in_array.len()];
            Place { object, offset_bytes: 0, first_pointer_slot: 0 }
        }
    }

    /// Hands out the next spare overflow bucket.
    pub fn take_spare(&mut self) -> Option<u32> {
        let spare = self.next_spare;
        (spare < self.total_count()).then(|| {
            self.next_spare += 1;
            spare
        })
    }

    /// Adds an overflow bucket that is the object `object`.
    pub fn add_malloced(&mut self, object: ObjRef) -> u32 {
        self.malloced.push(Bucket::default());
        self.malloced_objects.push(object);
        self.total_count() + self.malloced_count() - 1
    }

    /// Zeroes the array and forgets the overflow buckets behind it.
    pub fn reset(&mut self) {
        self.in_array.fill(Bucket::default());
        self.next_spare = self.main_count;
        self.malloced = Vec::new();
        self.malloced_objects = Vec::new();
    }

    /// The chain that starts at bucket `index`: first the bucket itself, then its overflow buckets.
    pub fn chain(&self, index: u32) -> impl Iterator<Item = (u32, &Bucket)> {
        std::iter::successors(Some(index), |at| self.bucket(*at).overflow.bucket())
            .map(|at| (at, self.bucket(at)))
    }

    /// Bytes of all buckets of this generation in the simulated heap.
    pub fn simulated_bytes(&self, map_type: &MapType) -> u64 {
        (self.in_array.len() + self.malloced.len()) as u64 * map_type.bucket_bytes()
    }

    /// Bytes this generation takes on the host.
    pub fn memory_bytes(&self) -> usize {
        (self.in_array.capacity() + self.malloced.capacity()) * size_of::<Bucket>()
            + self.malloced_objects.capacity() * size_of::<ObjRef>()
    }
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
