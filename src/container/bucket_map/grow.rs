//! Growing: when a map gets a new array, and how the work of moving into it is spread over later writes.
//!
//! 1. An insert of an absent key, outside a growth, checks two limits: `count + 1` entries over the load factor (6.5 a
//!    bucket; 6 in Go 1.21), or about as many overflow buckets as buckets (`noverflow >= 2^min(B, 15)`).
//! 2. Over the load factor the map doubles; with too many overflow buckets it gets an array of the *same* size, into which
//!    sparse chains are packed.
//! 3. The old array stays as `oldbuckets`. From now on every write evacuates the old bucket of its own key and one more,
//!    so a growth from n buckets is over after n/2 to n writes. Reads and range loops do nothing for it.
//! 4. With the last old bucket evacuated `oldbuckets` becomes nil, and the collector frees the array in its next cycle.
//!
//! Source: `runtime/map.go` (`hashGrow`, `overLoadFactor`, `tooManyOverflowBuckets`, `growWork`,
//! `advanceEvacuationMark`), Go 1.21.13 and 1.23.9.

use super::BucketMap;
use super::bucket::{ArraySize, BucketArray};
use super::header::HeaderField;
use crate::container::map_type::POINTER_BYTES;
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;
use crate::version::GoVersion;

/// From this `B` on the limit of overflow buckets no longer rises (`noverflow` has 16 bits).
const MAX_OVERFLOW_LIMIT_LOG2: u8 = 15;
/// A map is never overloaded with this many entries: they fit in one bucket (`abi.MapBucketCount`).
const ALWAYS_FITS: u64 = 8;
/// How far `nevacuate` may jump over buckets that are already evacuated, in one step.
const MARK_ADVANCE_LIMIT: u32 = 1024;

/// What kind of growth is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrowKind {
    /// To an array of twice the size: the map was overloaded.
    Double,
    /// To an array of the same size: the map had too many overflow buckets (`sameSizeGrow`).
    SameSize,
}

/// A growth in progress.
#[derive(Clone, Debug)]
pub(super) struct Growth {
    /// The old generation (`oldbuckets`).
    pub array: BucketArray,
    pub kind: GrowKind,
    /// A bit for each old bucket whose chain has moved.
    evacuated: Vec<u64>,
}

impl Growth {
    fn new(array: BucketArray, kind: GrowKind) -> Growth {
        let words = array.main_count().div_ceil(u64::BITS) as usize;
        Growth { array, kind, evacuated: vec![0; words] }
    }

    /// Whether the chain of old bucket `index` has moved.
    #[inline]
    pub fn is_evacuated(&self, index: u32) -> bool {
        self.evacuated[(index / u64::BITS) as usize] >> (index % u64::BITS) & 1 == 1
    }

    /// Notes that the chain of old bucket `index` moves; `false` if it had already.
    #[inline]
    pub fn mark_evacuated(&mut self, index: u32) -> bool {
        let word = &mut self.evacuated[(index / u64::BITS) as usize];
        let bit = 1 << (index % u64::BITS);
        let is_news = *word & bit == 0;
        *word |= bit;
        is_news
    }
}

/// The largest number of entries that does not overload `2^log2_count` buckets.
pub(super) fn max_count(version: GoVersion, log2_count: u8) -> u64 {
    // Half the bucket count, rounded down, times twice the load factor: Go's integer arithmetic, which makes it 0 for B = 0.
    let by_load = version.map_load_factor_numerator() * ((1 << log2_count) / 2);
    by_load.max(ALWAYS_FITS)
}

/// The smallest `B` whose buckets a number of entries does not overload.
pub(super) fn log2_bucket_count_for(version: GoVersion, count: u64) -> u8 {
    let fits = |log2_count: &u8| count <= max_count(version, *log2_count);
    (0..u64::BITS as u8 - 8).find(fits).expect("hints are limited by the address space")
}

impl BucketMap {
    /// Allocates the array for `2^log2_count` buckets (`makeBucketArray`).
    pub(super) fn new_array<M: Mutator>(&self, m: &mut M, log2_count: u8) -> BucketArray {
        let size = ArraySize::of(m.version(), &self.map_type, log2_count);
        let array = BucketArray::new(self.alloc(m, self.map_type.buckets_layout(size.total.into())), size);
        self.mark_last_spare(m, &array);
        array
    }

    /// Go writes a non-nil word into the last spare bucket to find the end of the spares; the page is touched.
    pub(super) fn mark_last_spare<M: Mutator>(&self, m: &mut M, array: &BucketArray) {
        if array.spares_left() > 0 {
            let end_bytes = u64::from(array.total_count()) * self.map_type.bucket_bytes();
            m.touch(array.object, end_bytes - POINTER_BYTES, POINTER_BYTES);
        }
    }

    /// Begins a growth (`hashGrow`). Nothing moves yet.
    #[cold]
    pub(super) fn start_growth<M: Mutator>(&mut self, m: &mut M) {
        self.write_keys();
        let kind = self.due_growth();
        let log2_count = self.log2_bucket_count + u8::from(kind == GrowKind::Double);
        let new = self.new_array(m, log2_count);
        self.set_header(m, HeaderField::OldBuckets, self.current.object);
        self.set_header(m, HeaderField::Buckets, new.object);
        self.growth = Some(Growth::new(std::mem::replace(&mut self.current, new), kind));
        self.set_log2_bucket_count(m.version(), log2_count);
        self.evacuated_below = 0;
        self.overflow_count = 0;
        self.iterators.buckets_became_old();
        self.retire_overflow_slice(m);
        self.announce_spares(m);
    }

    pub(super) fn set_log2_bucket_count(&mut self, version: GoVersion, log2_count: u8) {
        self.log2_bucket_count = log2_count;
        self.max_count = max_count(version, log2_count);
        self.max_overflow_count = 1 << log2_count.min(MAX_OVERFLOW_LIMIT_LOG2);
    }

    /// The share of a growth that a write to main bucket `index` does (`growWork`).
    #[inline(never)]
    pub(super) fn grow_work<M: Mutator>(&mut self, m: &mut M, index: u32) {
        let growth = self.growth.as_ref().expect("growing");
        let old_index = growth.array.index_of(index.into());
        self.evacuate(m, old_index);
        if self.growth.is_some() {
            self.evacuate(m, self.evacuated_below);
        }
    }

    /// Moves `nevacuate` past bucket `evacuated_below` and all evacuated ones behind it; ends the growth when it passes
    /// the last.
    pub(super) fn advance_evacuation_mark<M: Mutator>(&mut self, m: &mut M) {
        let old = self.growth.as_ref().expect("growing");
        let mut mark = self.evacuated_below + 1;
        let stop = (mark + MARK_ADVANCE_LIMIT).min(old.array.main_count());
        while mark != stop && old.is_evacuated(mark) {
            mark += 1;
        }
        self.evacuated_below = mark;
        if mark == old.array.main_count() {
            self.growth = None;
            self.set_header(m, HeaderField::OldBuckets, ObjRef::NIL);
            self.drop_old_overflow_slice(m);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest counts without growth, measured with real Go.
    #[test]
    fn the_load_factor_depends_on_the_version() {
        for (log2_count, in_1_21, in_1_23) in
            [(0, 8, 8), (1, 12, 13), (2, 24, 26), (4, 96, 104), (10, 6144, 6656), (18, 1_572_864, 1_703_936)]
        {
            assert_eq!(max_count(GoVersion::Go1_21, log2_count), in_1_21);
            assert_eq!(max_count(GoVersion::Go1_23, log2_count), in_1_23);
        }
    }

    #[test]
    fn a_hint_chooses_the_smallest_array_that_holds_it() {
        for (count, log2_count) in [(0, 0), (8, 0), (9, 1), (13, 1), (14, 2), (1_000_000, 18)] {
            assert_eq!(log2_bucket_count_for(GoVersion::Go1_23, count), log2_count, "{count} entries");
        }
    }
}
