//! Overflow buckets, and the side structures that count them and keep them alive.
//!
//! 1. A full chain gets the next *spare* of the array, if one is left; else a bucket allocated by itself.
//! 2. `noverflow` counts it: exactly below B = 16, above with probability `2^-(B-15)`, so that 16 bits suffice.
//! 3. In a noscan map the collector does not look into buckets and would miss the overflow word. The bucket is therefore
//!    also appended to a slice that hangs off `mapextra`. That slice grows like any other and costs what `append` costs.
//!
//! ```text
//! hmap -> mapextra -> overflow    -> slice header -> array of bucket pointers   (overflow buckets of buckets)
//!                  -> oldoverflow -> slice header -> array of bucket pointers   (overflow buckets of oldbuckets)
//!                  -> nextOverflow                                              (the bucket array, while spares are left)
//! ```
//!
//! Source: `runtime/map.go` (`newoverflow`, `incrnoverflow`, `createOverflow`), `runtime/slice.go` (`nextslicecap`),
//! Go 1.23.9; the slice growth rule is the same in 1.21.13.

use super::BucketMap;
use super::header::HeaderField;
use crate::container::map_type::POINTER_BYTES;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};
use crate::heap::size_class::usable_bytes;
use crate::version::GoVersion;

/// `mapextra`: three pointers.
const MAP_EXTRA: Layout = Layout::scan(24, 3, 24);
/// A slice header on the heap: pointer, length, capacity.
const SLICE_HEADER: Layout = Layout::scan(24, 1, 8);
/// Pointer slots of `mapextra`.
const EXTRA_OVERFLOW: u32 = 0;
const EXTRA_OLD_OVERFLOW: u32 = 1;
const EXTRA_NEXT_OVERFLOW: u32 = 2;
/// Up to this capacity `append` doubles, above it grows by a quarter and a bit (`nextslicecap`).
const DOUBLING_BELOW_CAPACITY: u64 = 256;
/// The largest `B` at which overflow buckets are counted one by one (`incrnoverflow`).
const EXACT_COUNT_UP_TO_LOG2: u8 = 15;

/// The host's view of a map's `mapextra`.
#[derive(Clone, Debug)]
pub(super) struct MapExtra {
    object: ObjRef,
    /// The slice of this generation's overflow buckets (noscan maps only).
    overflow: Option<OverflowSlice>,
}

/// A `*[]*bmap`.
#[derive(Clone, Debug)]
struct OverflowSlice {
    header: ObjRef,
    array: ObjRef,
    len: u64,
    capacity: u64,
}

impl BucketMap {
    /// Hangs a fresh overflow bucket behind bucket `tail` and returns its index (`newoverflow`).
    pub(super) fn new_overflow<M: Mutator>(&mut self, m: &mut M, tail: u32) -> u32 {
        let index = match self.current.take_spare() {
            Some(spare) => {
                if self.current.spares_left() == 0 {
                    self.set_extra(m, EXTRA_NEXT_OVERFLOW, ObjRef::NIL);
                }
                self.count_overflow(m);
                self.keep_alive(m, self.current.object);
                spare
            }
            None => {
                let object = self.alloc(m, self.map_type.buckets_layout(1));
                m.push_local(object);
                self.count_overflow(m);
                self.keep_alive(m, object);
                m.pop_local();
                self.current.add_malloced(object)
            }
        };
        self.link(m, tail, index);
        index
    }

    /// Writes the overflow word of bucket `tail`.
    fn link<M: Mutator>(&mut self, m: &mut M, tail: u32, next: u32) {
        self.current.set_overflow(tail, Some(next));
        let place = self.current.place(&self.map_type, tail);
        if place.object.is_nil() {
            return;
        }
        let word_offset_bytes = place.offset_bytes + self.map_type.bucket_bytes() - POINTER_BYTES;
        m.touch(place.object, word_offset_bytes, POINTER_BYTES);
        if !self.map_type.is_noscan() {
            let slot = place.first_pointer_slot + self.map_type.overflow_pointer_slot();
            m.set_pointer(place.object, slot, self.current.place(&self.map_type, next).object);
        }
    }

    /// `incrnoverflow`.
    fn count_overflow<M: Mutator>(&mut self, m: &mut M) {
        let counted = match self.log2_bucket_count.checked_sub(EXACT_COUNT_UP_TO_LOG2) {
            None | Some(0) => true,
            Some(excess) => m.random() & ((1 << excess) - 1) == 0,
        };
        self.overflow_count = self.overflow_count.wrapping_add(u16::from(counted));
    }

    /// Appends a noscan bucket to the slice that keeps overflow buckets alive.
    fn keep_alive<M: Mutator>(&mut self, m: &mut M, object: ObjRef) {
        if self.map_type.is_noscan() {
            self.ensure_overflow_slice(m);
            self.append_overflow(m, object);
        }
    }

    /// Makes sure that the slice header exists (`createOverflow`).
    pub(super) fn ensure_overflow_slice<M: Mutator>(&mut self, m: &mut M) {
        self.ensure_extra(m);
        if self.extra.as_ref().is_some_and(|extra| extra.overflow.is_some()) {
            return;
        }
        let header = self.alloc(m, SLICE_HEADER);
        m.touch(header, 0, SLICE_HEADER.size_bytes);
        self.set_extra(m, EXTRA_OVERFLOW, header);
        let slice = OverflowSlice { header, array: ObjRef::NIL, len: 0, capacity: 0 };
        self.extra.as_mut().expect("just ensured").overflow = Some(slice);
    }

    fn ensure_extra<M: Mutator>(&mut self, m: &mut M) {
        if self.extra.is_none() {
            let object = self.alloc(m, MAP_EXTRA);
            m.touch(object, 0, MAP_EXTRA.size_bytes);
            self.set_header(m, HeaderField::Extra, object);
            self.extra = Some(MapExtra { object, overflow: None });
        }
    }

    fn append_overflow<M: Mutator>(&mut self, m: &mut M, object: ObjRef) {
        let mut slice = self.extra.as_mut().and_then(|extra| extra.overflow.take()).expect("slice exists");
        if slice.len == slice.capacity {
            self.grow_slice(m, &mut slice);
        }
        m.set_pointer(slice.array, slice.len as u32, object);
        m.touch(slice.array, slice.len * POINTER_BYTES, POINTER_BYTES);
        slice.len += 1;
        self.extra.as_mut().expect("extra exists").overflow = Some(slice);
    }

    /// `growslice` for one more pointer.
    fn grow_slice<M: Mutator>(&self, m: &mut M, slice: &mut OverflowSlice) {
        let capacity = next_capacity(m.version(), slice.capacity);
        let array = self.alloc(m, pointer_array(capacity));
        for i in 0..slice.len as u32 {
            m.set_pointer(array, i, m.pointer(slice.array, i));
        }
        m.touch(array, 0, slice.len * POINTER_BYTES);
        m.set_pointer(slice.header, 0, array);
        slice.array = array;
        slice.capacity = capacity;
    }

    /// Notes in `mapextra` that the fresh array has spares.
    pub(super) fn announce_spares<M: Mutator>(&mut self, m: &mut M) {
        if self.current.spares_left() > 0 {
            self.ensure_extra(m);
            self.set_extra(m, EXTRA_NEXT_OVERFLOW, self.current.object);
        }
    }

    /// At the start of a growth the overflow buckets become the old generation's.
    pub(super) fn retire_overflow_slice<M: Mutator>(&mut self, m: &mut M) {
        if let Some(slice) = self.extra.as_mut().and_then(|extra| extra.overflow.take()) {
            self.set_extra(m, EXTRA_OLD_OVERFLOW, slice.header);
            self.set_extra(m, EXTRA_OVERFLOW, ObjRef::NIL);
        }
    }

    /// At the end of a growth the old generation's overflow buckets lose their keeper.
    pub(super) fn drop_old_overflow_slice<M: Mutator>(&mut self, m: &mut M) {
        if self.extra.is_some() {
            self.set_extra(m, EXTRA_OLD_OVERFLOW, ObjRef::NIL);
        }
    }

    /// `*h.extra = mapextra{}`.
    pub(super) fn clear_extra<M: Mutator>(&mut self, m: &mut M) {
        if let Some(extra) = &mut self.extra {
            extra.overflow = None;
            m.clear_pointers(extra.object, 0..MAP_EXTRA.pointer_slots);
        }
    }

    fn set_extra<M: Mutator>(&self, m: &mut M, slot: u32, value: ObjRef) {
        let extra = self.extra.as_ref().expect("mapextra exists");
        m.set_pointer(extra.object, slot, value);
    }

    /// Charged-size bytes of the slice of overflow buckets, for working-set estimates.
    pub(super) fn overflow_slice_bytes(&self) -> u64 {
        let slice = self.extra.as_ref().and_then(|extra| extra.overflow.as_ref());
        slice.map_or(0, |slice| slice.capacity * POINTER_BYTES)
    }
}

/// The layout of an array of `capacity` pointers.
fn pointer_array(capacity: u64) -> Layout {
    Layout::scan(capacity * POINTER_BYTES, capacity as u32, capacity * POINTER_BYTES)
        .of_elements(POINTER_BYTES)
}

/// The capacity that `append` of one pointer gives a full slice: grown by the rule, then filled up to the size class.
fn next_capacity(version: GoVersion, capacity: u64) -> u64 {
    let wanted = match capacity {
        0 => 1,
        1..DOUBLING_BELOW_CAPACITY => 2 * capacity,
        _ => capacity + (capacity + 3 * DOUBLING_BELOW_CAPACITY) / 4,
    };
    usable_bytes(version, pointer_array(wanted)) / POINTER_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacities(version: GoVersion, count: usize) -> Vec<u64> {
        std::iter::successors(Some(1), |capacity| Some(next_capacity(version, *capacity)))
            .take(count)
            .collect()
    }

    /// Capacities that real Go shows for `append` to a `[]*T`.
    #[test]
    fn the_overflow_slice_grows_as_append_does() {
        assert_eq!(
            capacities(GoVersion::Go1_23, 18),
            [1, 2, 4, 8, 16, 32, 64, 143, 287, 607, 1023, 1535, 2303, 3071, 4095, 6144, 8192, 11264]
        );
        assert_eq!(
            capacities(GoVersion::Go1_21, 17),
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 848, 1280, 1792, 2560, 3408, 5120, 7168]
        );
    }
}
