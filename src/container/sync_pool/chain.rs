//! A P's chain of rings: the owner pushes and pops at the head, everybody else pops at the tail.
//!
//! The first ring has 8 places; when the newest is full, one with twice as many is linked in front of it. Rings never shrink,
//! and an empty one goes only when somebody takes from the tail and a newer one is there. A link is 48 B, a ring of `n`
//! places `16 n` (with a header above 512 B since Go 1.22): eight objects cost 176 B, 250 cost 9,504 B.
//!
//! Source: `sync/poolqueue.go` (`poolChain`, `poolDequeue`), Go 1.23.9.

use std::collections::VecDeque;

use super::Pooled;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};

/// `poolChainElt`: positions, the ring's slice, next and previous link.
const LINK: Layout = Layout::scan(48, 3, 48);
const RING_SLOT: u32 = 0;
const NEXT_SLOT: u32 = 1;
const PREVIOUS_SLOT: u32 = 2;
/// Places of the first ring.
const FIRST_PLACES: u32 = 8;
/// Places of the largest ring (`dequeueLimit`).
const MOST_PLACES: u32 = 1 << 30;
/// Bytes of a place: an interface, whose type word leads nowhere on the heap.
const PLACE_BYTES: u64 = 16;

#[derive(Clone, Debug)]
struct Ring {
    link: ObjRef,
    array: ObjRef,
    places: u32,
    /// Place of the oldest object.
    tail: u32,
    objects: VecDeque<Pooled>,
}

/// A chain of rings, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    rings: VecDeque<Ring>,
}

impl Chain {
    /// Puts an object at the head. The chain's ends are pointers `ends_slot` (newest) and the next (oldest) of `owner`.
    pub fn push_head<M: Mutator>(&mut self, m: &mut M, owner: ObjRef, ends_slot: u32, pooled: Pooled) {
        let places = match self.rings.back() {
            None => FIRST_PLACES,
            Some(ring) if ring.objects.len() as u32 == ring.places => (2 * ring.places).min(MOST_PLACES),
            Some(_) => 0,
        };
        if places > 0 {
            self.add_ring(m, owner, ends_slot, places);
        }
        let ring = self.rings.back_mut().expect("a chain that is pushed to has a ring");
        let place = ring.place_of(ring.objects.len() as u32);
        ring.objects.push_back(pooled);
        m.set_pointer(ring.array, place, pooled.object);
        m.touch(ring.array, u64::from(place) * PLACE_BYTES, PLACE_BYTES);
    }

    fn add_ring<M: Mutator>(&mut self, m: &mut M, owner: ObjRef, ends_slot: u32, places: u32) {
        let link = m.alloc(LINK);
        m.touch(link, 0, LINK.size_bytes);
        m.push_local(link);
        let bytes = u64::from(places) * PLACE_BYTES;
        let array = m.alloc(Layout::scan(bytes, places, bytes));
        m.set_pointer(link, RING_SLOT, array);
        match self.rings.back() {
            Some(old) => {
                m.set_pointer(link, PREVIOUS_SLOT, old.link);
                m.set_pointer(old.link, NEXT_SLOT, link);
            }
            None => m.set_pointer(owner, ends_slot + 1, link),
        }
        m.set_pointer(owner, ends_slot, link);
        m.pop_local();
        self.rings.push_back(Ring { link, array, places, tail: 0, objects: VecDeque::new() });
    }

    /// Takes the newest object.
    pub fn pop_head<M: Mutator>(&mut self, m: &mut M) -> Option<Pooled> {
        let ring = self.rings.iter_mut().rev().find(|ring| !ring.objects.is_empty())?;
        let taken = ring.objects.pop_back()?;
        m.set_pointer(ring.array, ring.place_of(ring.objects.len() as u32), ObjRef::NIL);
        Some(taken)
    }

    /// Takes the oldest object; rings that are empty and not the newest go. `tail_slot` is where `owner` points to the oldest.
    pub fn pop_tail<M: Mutator>(&mut self, m: &mut M, owner: ObjRef, tail_slot: u32) -> Option<Pooled> {
        loop {
            let ring = self.rings.front_mut()?;
            if let Some(taken) = ring.objects.pop_front() {
                m.set_pointer(ring.array, ring.tail, ObjRef::NIL);
                ring.tail = (ring.tail + 1) & (ring.places - 1);
                return Some(taken);
            }
            if self.rings.len() == 1 {
                return None;
            }
            self.rings.pop_front();
            let oldest = self.rings[0].link;
            m.set_pointer(owner, tail_slot, oldest);
            m.set_pointer(oldest, PREVIOUS_SLOT, ObjRef::NIL);
        }
    }

    /// What the chain holds.
    pub fn contents(&self) -> impl Iterator<Item = Pooled> {
        self.rings.iter().flat_map(|ring| ring.objects.iter().copied())
    }
}

impl Ring {
    /// Where the object lies that `newer_than` objects are older than.
    fn place_of(&self, newer_than: u32) -> u32 {
        (self.tail + newer_than) & (self.places - 1)
    }
}
