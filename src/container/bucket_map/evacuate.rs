//! Evacuation: moving one old bucket, with its overflow chain, into the new array.
//!
//! Old bucket `j` splits into new bucket `j` (*X*) and new bucket `j + n` (*Y*), where `n` is the old bucket count: the next
//! bit of the hash decides. A same-size growth has only X. Entries are packed from slot 0 on, in chain order, so holes
//! that deletes left behind disappear. What stays in the old bucket is a tophash state per slot that says where the entry
//! went; a lookup reads it, and the mark of slot 0 stands for the whole chain.
//!
//! If buckets hold pointers, the old main bucket is then zeroed (except its tophash bytes): its overflow chain and values
//! become garbage at once. A range loop that may still be walking the old array forbids that.
//!
//! Source: `runtime/map.go` (`evacuate`), Go 1.23.9.

use super::BucketMap;
use super::bucket::{Link, Place};
use super::grow::{GrowKind, Growth};
use super::tophash::{EVACUATED_EMPTY, EVACUATED_X, TopHashes};
use crate::container::map_type::{BUCKET_SLOTS, TOPHASH_BYTES};
use crate::heap::mutator::Mutator;

/// A bucket that evacuation fills (`evacDst`). Its tophash bytes are collected here and written at the end.
struct Destination {
    bucket: u32,
    len: u32,
    tophashes: TopHashes,
}

impl Destination {
    fn at(bucket: u32) -> Destination {
        Destination { bucket, len: 0, tophashes: TopHashes::default() }
    }
}

impl BucketMap {
    /// Evacuates old bucket `index`, if that has not happened yet.
    pub(super) fn evacuate<M: Mutator>(&mut self, m: &mut M, index: u32) {
        let growth = self.growth.as_ref().expect("growing");
        if !growth.array.tophashes(index).evacuated() {
            self.evacuate_chain(m, index);
            self.unlink_evacuated(m, index);
        }
        if index == self.evacuated_below {
            self.advance_evacuation_mark(m);
        }
    }

    fn evacuate_chain<M: Mutator>(&mut self, m: &mut M, index: u32) {
        let old_count = self.old().array.main_count();
        // X and Y; in a same-size growth no hash bit leads to Y.
        let mut destinations = [Destination::at(index), Destination::at(index + old_count)];
        let split_bit = match self.old().kind {
            GrowKind::Double => u64::from(old_count),
            GrowKind::SameSize => 0,
        };
        let mut next = Some(index);
        while let Some(bucket) = next {
            let tophashes = self.old().array.tophashes(bucket);
            let place = self.old().array.place(&self.map_type, bucket);
            let mut marks = TopHashes::all(EVACUATED_EMPTY);
            for slot in tophashes.live() {
                let key = self.old().array.keys(bucket)[slot as usize];
                let goes_to_y = self.seed.hash(key) & split_bit != 0;
                marks.set(slot, EVACUATED_X + u8::from(goes_to_y));
                let destination = &mut destinations[usize::from(goes_to_y)];
                if destination.len == BUCKET_SLOTS {
                    self.finish(m, destination);
                    *destination = Destination::at(self.new_overflow(m, destination.bucket));
                }
                if !self.map_type.is_noscan() {
                    self.copy_pointers(m, (place, slot), destination);
                }
                destination.tophashes.fill(destination.len, tophashes.get(slot));
                self.current.keys_mut(destination.bucket)[destination.len as usize] = key;
                destination.len += 1;
                self.evacuated_entries += 1;
            }
            *self.growth.as_mut().expect("growing").array.tophashes_mut(bucket) = marks;
            if !place.object.is_nil() {
                m.touch(place.object, place.offset_bytes, TOPHASH_BYTES);
            }
            next = self.old().array.overflow(bucket);
        }
        destinations.iter().for_each(|destination| self.finish(m, destination));
    }

    /// Writes the tophash bytes of a destination bucket, which was empty.
    #[inline]
    fn finish<M: Mutator>(&mut self, m: &mut M, destination: &Destination) {
        let Some(last_slot) = destination.len.checked_sub(1) else {
            return;
        };
        *self.current.tophashes_mut(destination.bucket) = destination.tophashes;
        let place = self.current.place(&self.map_type, destination.bucket);
        m.touch(place.object, place.offset_bytes, self.map_type.elem_end_bytes(last_slot));
    }

    /// Copies the pointers of an entry. Indirect keys and elems are not cloned: their pointer moves.
    fn copy_pointers<M: Mutator>(&self, m: &mut M, (from, from_slot): (Place, u32), to: &Destination) {
        let (to, to_slot) = (self.current.place(&self.map_type, to.bucket), to.len);
        let mut copy = |from_pointer: u32, to_pointer: u32, count: u32| {
            for i in 0..count {
                let value = m.pointer(from.object, from.first_pointer_slot + from_pointer + i);
                if !value.is_nil() {
                    m.set_pointer(to.object, to.first_pointer_slot + to_pointer + i, value);
                }
            }
        };
        let t = &self.map_type;
        copy(t.key_pointer_slot(from_slot), t.key_pointer_slot(to_slot), t.stored_key().pointer_slots);
        copy(t.elem_pointer_slot(from_slot), t.elem_pointer_slot(to_slot), t.stored_elem().pointer_slots);
    }

    /// Zeroes an evacuated main bucket so that the collector can free its chain and values.
    fn unlink_evacuated<M: Mutator>(&mut self, m: &mut M, index: u32) {
        if self.map_type.is_noscan() || self.iterators.may_use_old_buckets() {
            return;
        }
        let array = &mut self.growth.as_mut().expect("growing").array;
        let place = array.place(&self.map_type, index);
        array.set_overflow(index, Link::NIL);
        let slots = place.first_pointer_slot..place.first_pointer_slot + self.map_type.bucket_pointer_slots();
        m.clear_pointers(place.object, slots);
    }

    #[inline]
    fn old(&self) -> &Growth {
        self.growth.as_ref().expect("growing")
    }
}
