//! Evacuation: moving one old bucket, with its overflow chain, into the new array.
//!
//! Old bucket `j` splits into new bucket `j` (*X*) and new bucket `j + n` (*Y*), where `n` is the old bucket count: the next
//! bit of the hash decides. A same-size growth has only X. Entries are packed from slot 0 on, in chain order, so holes
//! that deletes left behind disappear. What stays in the old bucket is a tophash state per slot that says where the entry
//! went; a lookup reads that of slot 0, which stands for the whole chain (here: a bit of [`Growth`]).
//!
//! If buckets hold pointers, the old main bucket is then zeroed (except its tophash bytes): its overflow chain and values
//! become garbage at once. A range loop that may still be walking the old array forbids that.
//!
//! Source: `runtime/map.go` (`evacuate`), Go 1.23.9.

use super::BucketMap;
use super::bucket::{Place, Slot};
use super::grow::{GrowKind, Growth};
use crate::container::map_type::{BUCKET_SLOTS, TOPHASH_BYTES};
use crate::container::slots::SlotSet;
use crate::heap::mutator::Mutator;

/// A bucket that evacuation fills (`evacDst`). Its entries are collected here and written at the end.
struct Destination {
    bucket: u32,
    len: u32,
    keys: [u32; 8],
}

impl Destination {
    fn at(bucket: u32) -> Destination {
        Destination { bucket, len: 0, keys: [0; 8] }
    }
}

impl BucketMap {
    /// Evacuates old bucket `index`, if that has not happened yet.
    pub(super) fn evacuate<M: Mutator>(&mut self, m: &mut M, index: u32) {
        let growth = self.growth.as_mut().expect("growing");
        if growth.mark_evacuated(index) {
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
            let old = &self.old().array;
            let (live, keys, place) =
                (old.live(bucket), *old.keys(bucket), old.place(&self.map_type, bucket));
            next = old.overflow(bucket);
            for slot in live {
                let key = keys[slot as usize];
                let goes_to_y = self.seed.hash(key) & split_bit != 0;
                let destination = &mut destinations[usize::from(goes_to_y)];
                if destination.len == BUCKET_SLOTS {
                    self.finish(m, destination);
                    *destination = Destination::at(self.new_overflow(m, destination.bucket));
                }
                if !self.map_type.is_noscan() {
                    self.copy_pointers(m, (place, slot), destination);
                }
                destination.keys[destination.len as usize] = key;
                let to = Slot { bucket: destination.bucket, slot: destination.len };
                self.recall.put(key, to, self.current.main_count());
                destination.len += 1;
                self.evacuated_entries += 1;
            }
            if !place.object.is_nil() {
                m.touch(place.object, place.offset_bytes, TOPHASH_BYTES);
            }
        }
        destinations.iter().for_each(|destination| self.finish(m, destination));
    }

    /// Writes the entries of a destination bucket, which was empty.
    #[inline]
    fn finish<M: Mutator>(&mut self, m: &mut M, destination: &Destination) {
        let Some(last_slot) = destination.len.checked_sub(1) else {
            return;
        };
        self.current.set_live(destination.bucket, SlotSet::first_slots(destination.len));
        *self.current.keys_mut(destination.bucket) = destination.keys;
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
        array.set_overflow(index, None);
        let slots = place.first_pointer_slot..place.first_pointer_slot + self.map_type.bucket_pointer_slots();
        m.clear_pointers(place.object, slots);
    }

    #[inline]
    fn old(&self) -> &Growth {
        self.growth.as_ref().expect("growing")
    }
}
