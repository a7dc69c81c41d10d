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
use super::bucket::{Bucket, Link, Place, Slot};
use super::grow::{GrowKind, Growth};
use super::tophash::{EVACUATED_EMPTY, EVACUATED_X, TopHashes};
use crate::container::map_type::{BUCKET_SLOTS, TOPHASH_BYTES};
use crate::heap::mutator::Mutator;

impl BucketMap {
    /// Evacuates old bucket `index`, if that has not happened yet.
    pub(super) fn evacuate<M: Mutator>(&mut self, m: &mut M, index: u32) {
        let growth = self.growth.as_ref().expect("growing");
        if !growth.array.bucket(index).tophash.evacuated() {
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
        let start_of = |bucket| Slot { bucket, slot: 0 };
        let mut destinations = [start_of(index), start_of(index + old_count)];
        let split_bit = match self.old().kind {
            GrowKind::Double => u64::from(old_count),
            GrowKind::SameSize => 0,
        };
        let mut next = Some(index);
        while let Some(at) = next {
            let bucket = *self.old().array.bucket(at);
            let place = self.old().array.place(&self.map_type, at);
            let mut marks = TopHashes::all(EVACUATED_EMPTY);
            for slot in bucket.tophash.live() {
                let goes_to_y = self.seed.hash(bucket.keys[slot as usize]) & split_bit != 0;
                marks.set(slot, EVACUATED_X + u8::from(goes_to_y));
                self.move_entry(m, &bucket, place, slot, &mut destinations[usize::from(goes_to_y)]);
            }
            self.growth.as_mut().expect("growing").array.bucket_mut(at).tophash = marks;
            if !place.object.is_nil() {
                m.touch(place.object, place.offset_bytes, TOPHASH_BYTES);
            }
            next = bucket.overflow.bucket();
        }
        for destination in destinations {
            self.touch_filled(m, destination);
        }
    }

    /// Copies one entry to `destination`, the next free slot (`evacDst`), whose chain gets an overflow bucket when it is full.
    #[inline]
    fn move_entry<M: Mutator>(
        &mut self,
        m: &mut M,
        from: &Bucket,
        from_place: Place,
        from_slot: u32,
        destination: &mut Slot,
    ) {
        if destination.slot == BUCKET_SLOTS {
            self.touch_filled(m, *destination);
            let bucket = self.new_overflow(m, destination.bucket);
            *destination = Slot { bucket, slot: 0 };
        }
        let to = *destination;
        let bucket = self.current.bucket_mut(to.bucket);
        bucket.tophash.set(to.slot, from.tophash.get(from_slot));
        bucket.keys[to.slot as usize] = from.keys[from_slot as usize];
        if !self.map_type.is_noscan() {
            let to_place = self.current.place(&self.map_type, to.bucket);
            self.copy_pointers(m, (from_place, from_slot), (to_place, to.slot));
        }
        destination.slot += 1;
        self.evacuated_entries += 1;
    }

    /// Copies the pointers of an entry. Indirect keys and elems are not cloned: their pointer moves.
    fn copy_pointers<M: Mutator>(&self, m: &mut M, from: (Place, u32), to: (Place, u32)) {
        let (from, from_slot) = from;
        let (to, to_slot) = to;
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

    /// Touches what evacuation wrote into a destination bucket, up to the next free slot.
    fn touch_filled<M: Mutator>(&self, m: &mut M, destination: Slot) {
        let Some(last_slot) = destination.slot.checked_sub(1) else {
            return;
        };
        let place = self.current.place(&self.map_type, destination.bucket);
        m.touch(place.object, place.offset_bytes, self.map_type.elem_end_bytes(last_slot));
    }

    /// Zeroes an evacuated main bucket so that the collector can free its chain and values.
    fn unlink_evacuated<M: Mutator>(&mut self, m: &mut M, index: u32) {
        if self.map_type.is_noscan() || self.iterators.may_use_old_buckets() {
            return;
        }
        let array = &mut self.growth.as_mut().expect("growing").array;
        let place = array.place(&self.map_type, index);
        array.bucket_mut(index).overflow = Link::NIL;
        let slots = place.first_pointer_slot..place.first_pointer_slot + self.map_type.bucket_pointer_slots();
        m.clear_pointers(place.object, slots);
    }

    #[inline]
    fn old(&self) -> &Growth {
        self.growth.as_ref().expect("growing")
    }
}
