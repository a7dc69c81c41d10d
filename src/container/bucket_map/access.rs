//! Lookup, insert and delete of one entry.
//!
//! In Go all three walk the chain of the key's bucket: compare eight tophash bytes at once, look at the keys that match,
//! stop at the first `EMPTY_REST`, else go on to the overflow bucket. Insert and delete first do their share of a growth
//! in progress; lookup never does, which is why a map that is only read stays half grown for ever. The model mostly
//! remembers the slot ([`recall`](super::recall)) and walks only where it does not.
//!
//! Source: `runtime/map.go` (`mapaccess2`, `mapassign`, `mapdelete`), `runtime/map_fast64.go`, `runtime/map_faststr.go`,
//! Go 1.23.9.

use super::bucket::{BucketArray, Place, Slot};
use super::recall::Recalled;
use super::{BucketMap, GrowKind};
use crate::container::entry::{Inserted, OldPointers, write_pointers};
use crate::container::hash::Seed;
use crate::container::map_type::{MapType, Stored};
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

/// Where an entry lies; valid until the next write to the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntrySlot {
    generation: Generation,
    slot: Slot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    Current,
    Old,
}

/// The outcome of walking a chain for an insert.
enum Search {
    Present(Slot),
    Absent { free: Option<Slot>, tail: u32 },
}

impl BucketMap {
    /// Whether a key is present. Changes nothing, not even the progress of a growth.
    #[inline]
    pub fn contains(&self, key: u32) -> bool {
        if let Some(ledger) = &self.ledger {
            return ledger.contains(key);
        }
        match self.recall.of(key) {
            Recalled::Absent => false,
            Recalled::Main(_) | Recalled::Overflow => true,
            Recalled::Nothing => self.entry(key).is_some(),
        }
    }

    /// Where a key lies.
    #[inline]
    fn entry(&self, key: u32) -> Option<EntrySlot> {
        let recalled = self.recall.of(key);
        if recalled == Recalled::Absent || self.count == 0 {
            return None;
        }
        let hash = self.seed.hash(key);
        let (generation, array) = match &self.growth {
            Some(growth) if !growth.is_evacuated(growth.array.index_of(hash)) => {
                (Generation::Old, &growth.array)
            }
            _ => (Generation::Current, &self.current),
        };
        let slot = find(array, array.index_of(hash), recalled, key)?;
        Some(EntrySlot { generation, slot })
    }

    /// The pointers in the elem of a present key, as [`insert`](Self::insert) was given them; `None` if the key is absent.
    pub fn elem_pointers<M: Mutator>(&self, m: &M, key: u32) -> Option<Vec<ObjRef>> {
        let mut pointers = Vec::new();
        self.read_elem_pointers(m, key, &mut pointers).then_some(pointers)
    }

    /// Reads the pointers in the elem of a key, in place of what `into` holds; `false` if the key is absent.
    pub fn read_elem_pointers<M: Mutator>(&self, m: &M, key: u32, into: &mut Vec<ObjRef>) -> bool {
        let (stored, count) = (self.map_type.stored_elem(), self.map_type.elem().pointer_slots);
        self.read_pointers(m, key, stored, count, MapType::elem_pointer_slot, into)
    }

    /// Reads the pointers in the stored key equal to a key, in place of what `into` holds; `false` if the key is absent.
    pub fn read_key_pointers<M: Mutator>(&self, m: &M, key: u32, into: &mut Vec<ObjRef>) -> bool {
        let (stored, count) = (self.map_type.stored_key(), self.map_type.key().pointer_slots);
        self.read_pointers(m, key, stored, count, MapType::key_pointer_slot, into)
    }

    fn read_pointers<M: Mutator>(
        &self,
        m: &M,
        key: u32,
        stored: Stored,
        count: u32,
        slot_in_bucket: impl Fn(&MapType, u32) -> u32,
        into: &mut Vec<ObjRef>,
    ) -> bool {
        into.clear();
        if count == 0 {
            return self.contains(key);
        }
        let Some(found) = self.entry(key) else { return false };
        let array = match found.generation {
            Generation::Current => &self.current,
            Generation::Old => &self.growth.as_ref().expect("entry in the old array").array,
        };
        let place = array.place(&self.map_type, found.slot.bucket);
        let slot = place.first_pointer_slot + slot_in_bucket(&self.map_type, found.slot.slot);
        let (object, first) = match stored.indirect {
            Some(_) => (m.pointer(place.object, slot), 0),
            None => (place.object, slot),
        };
        into.extend((first..first + count).map(|slot| m.pointer(object, slot)));
        true
    }

    /// `m[key] = elem`.
    ///
    /// `key_pointers` and `elem_pointers` are the heap pointers inside the key and the elem; empty means all nil. They,
    /// and the map itself, must be reachable: an insert may allocate. Spends no CPU time: callers account for single
    /// operations in batches (see [`take_evacuated`](Self::take_evacuated)).
    ///
    /// Panics if a non-empty slice does not have the type's number of pointers.
    #[inline(always)]
    pub fn insert<M: Mutator>(
        &mut self,
        m: &mut M,
        key: u32,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) -> Inserted {
        self.settle();
        let hash = self.seed.hash(key);
        // Most inserts are decided by the main bucket: nothing grows or has to, and the bucket holds the key or has room.
        if self.growth.is_none() && !self.current.is_unallocated() {
            let bucket = self.current.index_of(hash);
            match self.recall.of(key) {
                Recalled::Main(slot) => {
                    if !self.map_type.is_noscan() {
                        self.update_pointers(m, Slot { bucket, slot }, key_pointers, elem_pointers);
                    }
                    return Inserted::Updated;
                }
                Recalled::Absent if !self.must_grow() => {
                    if let Some(slot) = self.current.live(bucket).first_free() {
                        let slot = Slot { bucket, slot };
                        if !self.map_type.is_noscan() {
                            self.store_pointers(m, slot, key_pointers, elem_pointers);
                        }
                        self.write_entry(m, slot, key);
                        return Inserted::New;
                    }
                }
                _ => {}
            }
        }
        self.insert_by_the_book(m, key, hash, key_pointers, elem_pointers)
    }

    /// `mapassign`, with every case.
    #[inline(never)]
    fn insert_by_the_book<M: Mutator>(
        &mut self,
        m: &mut M,
        key: u32,
        hash: u64,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) -> Inserted {
        if self.current.is_unallocated() {
            self.allocate_first_bucket(m);
        }
        loop {
            let index = self.current.index_of(hash);
            if self.growth.is_some() {
                self.grow_work(m, index);
            }
            let (free, tail) = match search(&self.current, index, self.recall.of(key), key) {
                Search::Present(slot) => {
                    self.update_pointers(m, slot, key_pointers, elem_pointers);
                    return Inserted::Updated;
                }
                Search::Absent { free, tail } => (free, tail),
            };
            if self.growth.is_none() && self.must_grow() {
                // Growing moves every bucket: look again in the new array.
                self.start_growth(m);
                continue;
            }
            let slot = match free {
                Some(slot) => slot,
                None => Slot { bucket: self.new_overflow(m, tail), slot: 0 },
            };
            self.store_pointers(m, slot, key_pointers, elem_pointers);
            self.write_entry(m, slot, key);
            return Inserted::New;
        }
    }

    /// Makes the slot live and touches the bytes from the tophash to the end of the elem: a bucket is smaller than a page,
    /// so the pages of both ends are all the pages in between.
    #[inline(always)]
    fn write_entry<M: Mutator>(&mut self, m: &mut M, slot: Slot, key: u32) {
        self.place_entry(slot, key);
        self.count += 1;
        let place = self.current.place(&self.map_type, slot.bucket);
        if !place.object.is_nil() {
            m.touch_after_looking(place.object, place.offset_bytes, self.map_type.elem_end_bytes(slot.slot));
        }
    }

    /// Notes a new entry in the map's own books.
    #[inline(always)]
    pub(super) fn place_entry(&mut self, slot: Slot, key: u32) {
        self.make_recallable(key);
        self.recall.put(key, slot, self.current.main_count());
        self.current.fill_slot(slot);
        if self.keys_are_written || slot.bucket >= self.current.main_count() {
            self.current.keys_mut(slot.bucket)[slot.slot as usize] = key;
        }
    }

    /// Strikes an entry out of the map's own books.
    #[inline(always)]
    pub(super) fn displace_entry(&mut self, slot: Slot, key: u32) {
        self.current.empty_slot(slot);
        self.recall.remove(key);
    }

    /// Where a key of the current array lies.
    pub(super) fn current_slot(&self, key: u32) -> Option<Slot> {
        self.entry(key).map(|found| found.slot)
    }

    /// Allocates what is stored indirectly and writes the pointers of a new entry. Its slot holds nil pointers so far.
    #[inline]
    fn store_pointers<M: Mutator>(
        &mut self,
        m: &mut M,
        slot: Slot,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) {
        if self.map_type.is_noscan() {
            return;
        }
        let place = self.current.place(&self.map_type, slot.bucket);
        let t = self.map_type;
        if t.stored_key().pointer_slots > 0 {
            let key_slot = place.first_pointer_slot + t.key_pointer_slot(slot.slot);
            let key_at = self.home(m, place, key_slot, t.stored_key());
            write_pointers(m, key_at, t.key(), key_pointers, OldPointers::Nil);
        }
        if t.stored_elem().pointer_slots > 0 {
            let elem_slot = place.first_pointer_slot + t.elem_pointer_slot(slot.slot);
            let elem_at = self.home(m, place, elem_slot, t.stored_elem());
            write_pointers(m, elem_at, t.elem(), elem_pointers, OldPointers::Nil);
        }
    }

    /// Where the pointers of a new key or elem go: its slots in the bucket, or a new object that the bucket refers to.
    #[inline]
    fn home<M: Mutator>(&self, m: &mut M, place: Place, slot: u32, stored: Stored) -> (ObjRef, u32) {
        match stored.indirect {
            None => (place.object, slot),
            Some(layout) => {
                let object = self.alloc(m, layout);
                m.set_pointer(place.object, slot, object);
                m.touch(object, 0, layout.size_bytes);
                (object, 0)
            }
        }
    }

    /// Replaces the pointers of a present entry. An indirect elem keeps its object.
    #[inline(never)]
    fn update_pointers<M: Mutator>(
        &mut self,
        m: &mut M,
        slot: Slot,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) {
        if self.map_type.is_noscan() {
            return;
        }
        let place = self.current.place(&self.map_type, slot.bucket);
        let at = |slot_in_bucket: u32, stored: Stored, m: &M| {
            let slot = place.first_pointer_slot + slot_in_bucket;
            match stored.indirect {
                None => (place.object, slot),
                Some(_) => (m.pointer(place.object, slot), 0),
            }
        };
        if self.map_type.replaces_key_on_update() {
            let key_at = at(self.map_type.key_pointer_slot(slot.slot), self.map_type.stored_key(), m);
            write_pointers(m, key_at, self.map_type.key(), key_pointers, OldPointers::Stale);
        }
        let elem_at = at(self.map_type.elem_pointer_slot(slot.slot), self.map_type.stored_elem(), m);
        write_pointers(m, elem_at, self.map_type.elem(), elem_pointers, OldPointers::Stale);
    }

    /// `delete(m, key)`; whether the key was present. Spends no CPU time.
    ///
    /// The slot becomes empty and the pointers in it go; nothing else does. No bucket is freed, no chain shortened.
    #[inline(always)]
    pub fn delete<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool {
        if self.count == 0 {
            return false;
        }
        self.settle();
        let index = self.current.index_of(self.seed.hash(key));
        if self.growth.is_some() {
            self.grow_work(m, index);
        }
        let found = match self.recall.of(key) {
            Recalled::Absent => None,
            Recalled::Main(slot) => Some(Slot { bucket: index, slot }),
            recalled => find(&self.current, index, recalled, key),
        };
        let Some(slot) = found else { return false };
        if !self.map_type.is_noscan() {
            self.clear_entry_pointers(m, slot);
        }
        self.displace_entry(slot, key);
        self.count -= 1;
        if self.count == 0 {
            // A new seed makes it harder to provoke collisions again and again.
            self.seed = Seed::of_32_bits(m.random());
        }
        true
    }

    #[inline]
    fn clear_entry_pointers<M: Mutator>(&self, m: &mut M, slot: Slot) {
        let place = self.current.place(&self.map_type, slot.bucket);
        let key = place.first_pointer_slot + self.map_type.key_pointer_slot(slot.slot);
        let elem = place.first_pointer_slot + self.map_type.elem_pointer_slot(slot.slot);
        let (keys, elems) =
            (self.map_type.stored_key().pointer_slots, self.map_type.stored_elem().pointer_slots);
        (key..key + keys).for_each(|slot| m.set_pointer(place.object, slot, ObjRef::NIL));
        (elem..elem + elems).for_each(|slot| m.set_pointer(place.object, slot, ObjRef::NIL));
    }

    /// Whether an insert of an absent key must start a growth first.
    #[inline]
    pub(super) fn must_grow(&self) -> bool {
        self.count >= self.max_count || self.overflow_count >= self.max_overflow_count
    }

    /// How this map would grow now: to twice the size if one more entry overloads it, else sideways.
    pub(super) fn due_growth(&self) -> GrowKind {
        if self.count >= self.max_count { GrowKind::Double } else { GrowKind::SameSize }
    }
}

/// Finds a key in the chain of main bucket `index`.
#[inline(never)]
fn find(array: &BucketArray, index: u32, recalled: Recalled, key: u32) -> Option<Slot> {
    let first = match recalled {
        Recalled::Absent => return None,
        Recalled::Main(slot) => return Some(Slot { bucket: index, slot }),
        Recalled::Overflow => array.overflow(index)?,
        Recalled::Nothing => index,
    };
    array.chain(first).find_map(|bucket| array.slot_of(bucket, key))
}

/// Finds a key in the chain of main bucket `index`, or the first empty slot and the last bucket.
#[inline]
fn search(array: &BucketArray, index: u32, recalled: Recalled, key: u32) -> Search {
    if let Some(slot) = find(array, index, recalled, key) {
        return Search::Present(slot);
    }
    let mut tail = index;
    for bucket in array.chain(index) {
        if let Some(slot) = array.live(bucket).first_free() {
            return Search::Absent { free: Some(Slot { bucket, slot }), tail: bucket };
        }
        tail = bucket;
    }
    Search::Absent { free: None, tail }
}
