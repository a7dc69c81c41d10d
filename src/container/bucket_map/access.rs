//! Lookup, insert and delete of one entry.
//!
//! All three walk the chain of the key's bucket: compare eight tophash bytes at once, look at the keys that match, stop
//! at the first `EMPTY_REST`, else go on to the overflow bucket. Insert and delete first do their share of a growth in
//! progress; lookup never does, which is why a map that is only read stays half grown for ever.
//!
//! Source: `runtime/map.go` (`mapaccess2`, `mapassign`, `mapdelete`), `runtime/map_fast64.go`, `runtime/map_faststr.go`,
//! Go 1.23.9.

use super::bucket::{BucketArray, Place, Slot};
use super::hash::Seed;
use super::tophash::{EMPTY_ONE, EMPTY_REST, tophash};
use super::{BucketMap, GrowKind};
use crate::container::map_type::{BUCKET_SLOTS, Stored, TypeDesc};
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

/// What an insert did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The key was absent and has been added.
    New,
    /// The key was present; its elem was replaced.
    Updated,
}

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
        match &self.ledger {
            Some(ledger) => ledger.contains(key),
            None => self.entry(key).is_some(),
        }
    }

    /// Where a key lies in a settled map.
    #[inline]
    fn entry(&self, key: u32) -> Option<EntrySlot> {
        if self.count == 0 {
            return None;
        }
        self.lookup_hashed(key, self.seed.hash(key))
    }

    #[inline]
    pub(super) fn lookup_hashed(&self, key: u32, hash: u64) -> Option<EntrySlot> {
        if let Some(growth) = &self.growth {
            let index = growth.array.index_of(hash);
            if !growth.array.tophashes(index).evacuated() {
                let slot = find(&growth.array, index, tophash(hash), key)?;
                return Some(EntrySlot { generation: Generation::Old, slot });
            }
        }
        let slot = find(&self.current, self.current.index_of(hash), tophash(hash), key)?;
        Some(EntrySlot { generation: Generation::Current, slot })
    }

    /// The pointers in the elem of a present key, as [`insert`](Self::insert) was given them; `None` if the key is absent.
    pub fn elem_pointers<M: Mutator>(&self, m: &M, key: u32) -> Option<Vec<ObjRef>> {
        if self.ledger.is_some() {
            return self.contains(key).then(Vec::new);
        }
        let found = self.entry(key)?;
        let slot = self.map_type.elem_pointer_slot(found.slot.slot);
        let count = self.map_type.elem().pointer_slots;
        Some(self.stored_pointers(m, found, slot, self.map_type.stored_elem(), count))
    }

    /// The pointers in the stored key equal to a present key; `None` if the key is absent.
    pub fn key_pointers<M: Mutator>(&self, m: &M, key: u32) -> Option<Vec<ObjRef>> {
        if self.ledger.is_some() {
            return self.contains(key).then(Vec::new);
        }
        let found = self.entry(key)?;
        let slot = self.map_type.key_pointer_slot(found.slot.slot);
        let count = self.map_type.key().pointer_slots;
        Some(self.stored_pointers(m, found, slot, self.map_type.stored_key(), count))
    }

    fn stored_pointers<M: Mutator>(
        &self,
        m: &M,
        found: EntrySlot,
        slot_in_bucket: u32,
        stored: Stored,
        count: u32,
    ) -> Vec<ObjRef> {
        let array = match found.generation {
            Generation::Current => &self.current,
            Generation::Old => &self.growth.as_ref().expect("entry in the old array").array,
        };
        let place = array.place(&self.map_type, found.slot.bucket);
        let slot = place.first_pointer_slot + slot_in_bucket;
        let (object, first) = match stored.indirect {
            Some(_) => (m.pointer(place.object, slot), 0),
            None => (place.object, slot),
        };
        (first..first + count).map(|slot| m.pointer(object, slot)).collect()
    }

    /// `m[key] = elem`.
    ///
    /// `key_pointers` and `elem_pointers` are the heap pointers inside the key and the elem; empty means all nil. They,
    /// and the map itself, must be reachable: an insert may allocate. Spends no CPU time: callers account for single
    /// operations in batches (see [`take_evacuated`](Self::take_evacuated)).
    ///
    /// Panics if a non-empty slice does not have the type's number of pointers.
    #[inline]
    pub fn insert<M: Mutator>(
        &mut self,
        m: &mut M,
        key: u32,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) -> Inserted {
        self.settle();
        self.insert_hashed(m, key, self.seed.hash(key), key_pointers, elem_pointers)
    }

    #[inline]
    pub(super) fn insert_hashed<M: Mutator>(
        &mut self,
        m: &mut M,
        key: u32,
        hash: u64,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) -> Inserted {
        let top = tophash(hash);
        // Most inserts are decided in the main bucket: nothing grows or has to, and the bucket holds the key or ends its
        // chain.
        if self.growth.is_none() && !self.current.is_unallocated() {
            let bucket = self.current.index_of(hash);
            if let Some(slot) = find_in_bucket(&self.current, bucket, top, key) {
                self.update_pointers(m, slot, key_pointers, elem_pointers);
                return Inserted::Updated;
            }
            let tophashes = self.current.tophashes(bucket);
            if tophashes.ends_chain()
                && !self.must_grow()
                && let Some(slot) = tophashes.empty().first()
            {
                let slot = Slot { bucket, slot };
                self.store_pointers(m, slot, key_pointers, elem_pointers);
                self.write_entry(m, slot, top, key);
                return Inserted::New;
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
        let top = tophash(hash);
        loop {
            let index = self.current.index_of(hash);
            if self.growth.is_some() {
                self.grow_work(m, index);
            }
            let (free, tail) = match search(&self.current, index, top, key) {
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
            self.write_entry(m, slot, top, key);
            return Inserted::New;
        }
    }

    /// Writes tophash and key, and touches the bytes from the tophash to the end of the elem: a bucket is smaller than a
    /// page, so the pages of both ends are all the pages in between.
    #[inline]
    fn write_entry<M: Mutator>(&mut self, m: &mut M, slot: Slot, top: u8, key: u32) {
        self.current.tophashes_mut(slot.bucket).set(slot.slot, top);
        self.current.keys_mut(slot.bucket)[slot.slot as usize] = key;
        self.count += 1;
        let place = self.current.place(&self.map_type, slot.bucket);
        if !place.object.is_nil() {
            m.touch(place.object, place.offset_bytes, self.map_type.elem_end_bytes(slot.slot));
        }
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
        let key_slot = place.first_pointer_slot + self.map_type.key_pointer_slot(slot.slot);
        let key_at = self.home(m, place, key_slot, self.map_type.stored_key());
        write_pointers(m, key_at, self.map_type.key(), key_pointers, OldPointers::Nil);
        let elem_slot = place.first_pointer_slot + self.map_type.elem_pointer_slot(slot.slot);
        let elem_at = self.home(m, place, elem_slot, self.map_type.stored_elem());
        write_pointers(m, elem_at, self.map_type.elem(), elem_pointers, OldPointers::Nil);
    }

    /// Where the pointers of a new key or elem go: its slots in the bucket, or a new object that the bucket refers to.
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
    #[inline]
    pub fn delete<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool {
        if self.count == 0 {
            return false;
        }
        self.settle();
        self.delete_hashed(m, key, self.seed.hash(key))
    }

    #[inline]
    pub(super) fn delete_hashed<M: Mutator>(&mut self, m: &mut M, key: u32, hash: u64) -> bool {
        let index = self.current.index_of(hash);
        if self.growth.is_some() {
            self.grow_work(m, index);
        }
        let Some(slot) = find(&self.current, index, tophash(hash), key) else {
            return false;
        };
        if !self.map_type.is_noscan() {
            self.clear_entry_pointers(m, slot);
        }
        self.empty_slot(index, slot);
        self.count -= 1;
        if self.count == 0 {
            // A new seed makes it harder to provoke collisions again and again.
            self.seed = Seed::new(m.random());
        }
        true
    }

    fn clear_entry_pointers<M: Mutator>(&self, m: &mut M, slot: Slot) {
        let place = self.current.place(&self.map_type, slot.bucket);
        let key = place.first_pointer_slot + self.map_type.key_pointer_slot(slot.slot);
        let elem = place.first_pointer_slot + self.map_type.elem_pointer_slot(slot.slot);
        let (keys, elems) =
            (self.map_type.stored_key().pointer_slots, self.map_type.stored_elem().pointer_slots);
        if keys > 0 {
            m.clear_pointers(place.object, key..key + keys);
        }
        if elems > 0 {
            m.clear_pointers(place.object, elem..elem + elems);
        }
    }

    /// Marks a slot of the chain that starts at `first` empty. If nothing follows it, it and every empty slot directly
    /// before it become [`EMPTY_REST`], so that later walks stop there.
    #[inline]
    pub(super) fn empty_slot(&mut self, first: u32, slot: Slot) {
        let tophashes = self.current.tophashes_mut(slot.bucket);
        tophashes.set(slot.slot, EMPTY_ONE);
        let something_follows = if slot.slot < BUCKET_SLOTS - 1 {
            tophashes.get(slot.slot + 1) != EMPTY_REST
        } else {
            let next = self.current.overflow(slot.bucket);
            next.is_some_and(|next| self.current.tophashes(next).get(0) != EMPTY_REST)
        };
        if !something_follows {
            self.pull_back_the_end(first, slot);
        }
    }

    /// Turns the empty slots from `last` backwards into [`EMPTY_REST`], through the chain down to bucket `first`.
    fn pull_back_the_end(&mut self, first: u32, last: Slot) {
        let mut at = last;
        loop {
            let tophashes = self.current.tophashes_mut(at.bucket);
            while tophashes.get(at.slot) == EMPTY_ONE {
                tophashes.set(at.slot, EMPTY_REST);
                if at.slot == 0 {
                    break;
                }
                at.slot -= 1;
            }
            if tophashes.get(at.slot) != EMPTY_REST || at.bucket == first {
                return;
            }
            // The bucket is empty down to slot 0: go on at the end of the one before it in the chain.
            let before =
                self.current.chain(first).find(|before| self.current.overflow(*before) == Some(at.bucket));
            at = Slot { bucket: before.expect("chains are linked"), slot: BUCKET_SLOTS - 1 };
        }
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

/// What the slots hold that pointers are written to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OldPointers {
    /// Nil: writing nil again is not needed.
    Nil,
    /// Pointers of the entry's previous value.
    Stale,
}

fn write_pointers<M: Mutator>(
    m: &mut M,
    (object, first): (ObjRef, u32),
    desc: TypeDesc,
    pointers: &[ObjRef],
    old: OldPointers,
) {
    let slots = desc.pointer_slots;
    if pointers.is_empty() {
        if old == OldPointers::Stale && slots > 0 {
            m.clear_pointers(object, first..first + slots);
        }
        return;
    }
    let given = pointers.len();
    assert!(given == slots as usize, "{given} pointers given for a type with {slots}");
    for (slot, pointer) in (first..).zip(pointers) {
        m.set_pointer(object, slot, *pointer);
    }
}

/// The slot of a bucket that holds a key.
#[inline]
fn find_in_bucket(array: &BucketArray, bucket: u32, top: u8, key: u32) -> Option<Slot> {
    let mut candidates = array.tophashes(bucket).matching(top);
    let slot = candidates.find(|slot| array.keys(bucket)[*slot as usize] == key)?;
    Some(Slot { bucket, slot })
}

/// Walks the chain of main bucket `index` for a key.
#[inline]
pub(super) fn find(array: &BucketArray, index: u32, top: u8, key: u32) -> Option<Slot> {
    let mut bucket = index;
    loop {
        let found = find_in_bucket(array, bucket, top, key);
        if found.is_some() || array.tophashes(bucket).ends_chain() {
            return found;
        }
        bucket = array.overflow(bucket)?;
    }
}

/// Walks the chain of main bucket `index` for a key, remembering the first empty slot and the last bucket.
#[inline]
fn search(array: &BucketArray, index: u32, top: u8, key: u32) -> Search {
    let mut free = None;
    let mut bucket = index;
    loop {
        if let Some(slot) = find_in_bucket(array, bucket, top, key) {
            return Search::Present(slot);
        }
        let tophashes = array.tophashes(bucket);
        if free.is_none() {
            free = tophashes.empty().first().map(|slot| Slot { bucket, slot });
        }
        if tophashes.ends_chain() {
            return Search::Absent { free, tail: bucket };
        }
        match array.overflow(bucket) {
            Some(next) => bucket = next,
            None => return Search::Absent { free, tail: bucket },
        }
    }
}
