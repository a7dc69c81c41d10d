//! Green Tea: marking queues whole spans of small objects instead of their objects (Go 1.27).
//!
//! **Mechanism.** A pointer to an object in a span with inline marks sets the object's mark and, unless the span waits in
//! a queue already, queues the span. Spans are taken in the order in which they were queued; meanwhile they gather marks.
//! Whoever takes one scans all that it has gathered at once.
//!
//! **Why.** Objects of one span are neighbours in memory and share their bitmaps: a second one costs no second cache
//! miss. A stack (last in, first out) would take a span as soon as it was found, with one mark.
//!
//! **Terms.** *Ring*: the queue of one P, of 256 spans. *Chain*: what a P has spilled out of its ring and others may steal.
//! *Gathered*: the marks since the span was last taken.
//!
//! **Steps.**
//!
//! 1. A full ring spills its older half into the chain. So that others find work early, every 64th span put looks whether
//!    the chain is empty, and spills up to 16 spans, half of the ring at most, if these are more than 4.
//! 2. A P takes grey objects of its own first, then its ring, then common objects, then its chain, then other Ps' chains; from
//!    a chain it takes half, 128 at most.
//!
//! **Invariants.** A span is in one queue exactly when it has gathered marks; the mark bit of each of them is set.
//!
//! **Differences from Go.** Chains are unbounded queues rather than rings that double, and the memory of those (8 KiB at first,
//! in `GCSys`) is not counted; what a write barrier shades lies in a chain of its own; no sleeping P is woken when work
//! can be stolen, they look by themselves.
//!
//! **Sources.** `runtime/mgcmark_greenteagc.go` `tryDeferToSpanScan`, `spanQueue`; `runtime/mgcwork.go`, Go 1.27.3.

use std::collections::VecDeque;

use crate::heap::object::{ObjRef, SpanId};

/// Spans that a ring holds (`spanQueue.ring`).
const RING_SPANS: usize = 256;
/// Spans put between two looks at an empty chain (`spillPeriod`).
const SPILL_PERIOD: u32 = 64;
/// Most spans spilled at such a look (`spillMax`), and how many are too few.
const SPILL_MOST: usize = 16;
const SPILL_TOO_FEW: usize = 4;
/// Words of a set of slots: spans of 8 KiB with slots from 16 B.
const SLOT_WORDS: usize = 8;

/// The marks that a span has gathered since it was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    slots: [u64; SLOT_WORDS],
    count: u32,
}

impl Gathered {
    fn add(&mut self, index: u32) {
        let (word, bit) = (index as usize / 64, 1 << (index % 64));
        debug_assert!(self.slots[word] & bit == 0, "slot {index} was gathered twice");
        self.slots[word] |= bit;
        self.count += 1;
    }

    /// How many objects.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Their slots, lowest first.
    pub fn slots(&self) -> impl Iterator<Item = u32> + use<> {
        let mut words = self.slots;
        let mut word = 0;
        std::iter::from_fn(move || {
            while word < SLOT_WORDS && words[word] == 0 {
                word += 1;
            }
            let bits = words.get_mut(word)?;
            let index = word as u32 * 64 + bits.trailing_zeros();
            *bits &= *bits - 1;
            Some(index)
        })
    }
}

/// The queue of one P.
#[derive(Clone, Debug, Default)]
struct SpanQueue {
    ring: VecDeque<SpanId>,
    chain: VecDeque<SpanId>,
    puts_since_look: u32,
}

impl SpanQueue {
    fn put(&mut self, span: SpanId) {
        if self.ring.len() == RING_SPANS {
            self.spill(RING_SPANS / 2);
            self.ring.push_back(span);
            return;
        }
        self.ring.push_back(span);
        self.puts_since_look += 1;
        if self.puts_since_look >= SPILL_PERIOD {
            self.puts_since_look = 0;
            let count = (self.ring.len() / 2).min(SPILL_MOST);
            if count > SPILL_TOO_FEW && self.chain.is_empty() {
                self.spill(count);
            }
        }
    }

    fn spill(&mut self, count: usize) {
        self.chain.extend(self.ring.drain(..count));
    }
}

/// The queues of all Ps, and what spans have gathered.
#[derive(Clone, Debug, Default)]
pub struct SpanQueues {
    queues: Vec<SpanQueue>,
    /// Spans that write barriers have found.
    of_barriers: VecDeque<SpanId>,
    /// By span: 1 + the place of what it has gathered, or 0.
    place_of_span: Vec<u32>,
    places: Vec<Gathered>,
    free_places: Vec<u32>,
}

impl SpanQueues {
    /// Empty queues for `worker_count` Ps.
    pub fn new(worker_count: usize) -> SpanQueues {
        SpanQueues { queues: vec![SpanQueue::default(); worker_count], ..SpanQueues::default() }
    }

    /// Object `obj` was marked by the worker of P `worker`.
    #[inline]
    pub fn put(&mut self, worker: usize, obj: ObjRef) {
        if self.gather(obj) == Queued::Now {
            self.queues[worker].put(obj.span());
        }
    }

    /// Object `obj` was marked by a write barrier.
    pub fn put_common(&mut self, obj: ObjRef) {
        if self.gather(obj) == Queued::Now {
            self.of_barriers.push_back(obj.span());
        }
    }

    #[inline]
    fn gather(&mut self, obj: ObjRef) -> Queued {
        let span = obj.span() as usize;
        if span >= self.place_of_span.len() {
            self.place_of_span.resize(span + 1, 0);
        }
        let place = self.place_of_span[span];
        if place != 0 {
            self.places[place as usize - 1].add(obj.index());
            return Queued::Before;
        }
        let mut gathered = Gathered::default();
        gathered.add(obj.index());
        match self.free_places.pop() {
            Some(free) => {
                self.places[free as usize] = gathered;
                self.place_of_span[span] = free + 1;
            }
            None => {
                self.places.push(gathered);
                self.place_of_span[span] = self.places.len() as u32;
            }
        }
        Queued::Now
    }

    /// The oldest span of a P's own ring.
    #[inline]
    pub fn take_own(&mut self, worker: usize) -> Option<(SpanId, Gathered)> {
        let span = self.queues[worker].ring.pop_front()?;
        Some(self.release(span))
    }

    /// The oldest span of a P's chain, of what barriers have found, or of another P's chain. More of them come along.
    pub fn take_common(&mut self, worker: usize) -> Option<(SpanId, Gathered)> {
        let count = self.queues.len();
        let chain = (0..count)
            .map(|step| (worker + step) % count)
            .find(|other| !self.queues[*other].chain.is_empty());
        let source = match chain {
            Some(own) if own == worker => &mut self.queues[own].chain,
            _ if !self.of_barriers.is_empty() => &mut self.of_barriers,
            Some(other) => &mut self.queues[other].chain,
            None => return None,
        };
        let half = source.len().div_ceil(2).min(RING_SPANS / 2);
        let taken: Vec<SpanId> = source.drain(..half).collect();
        self.queues[worker].ring.extend(taken);
        self.take_own(worker)
    }

    fn release(&mut self, span: SpanId) -> (SpanId, Gathered) {
        let place = std::mem::take(&mut self.place_of_span[span as usize]);
        assert!(place != 0, "span {span} was queued without marks");
        self.free_places.push(place - 1);
        (span, self.places[place as usize - 1])
    }

    /// Whether a P has spans in its ring.
    pub fn has_own(&self, worker: usize) -> bool {
        self.queues.get(worker).is_some_and(|queue| !queue.ring.is_empty())
    }

    /// Whether there are spans that any P could take.
    pub fn has_common(&self) -> bool {
        !self.of_barriers.is_empty() || self.queues.iter().any(|queue| !queue.chain.is_empty())
    }

    /// Whether no span waits.
    pub fn is_empty(&self) -> bool {
        !self.has_common() && self.queues.iter().all(|queue| queue.ring.is_empty())
    }

    /// Makes all rings stealable.
    pub fn flush(&mut self) {
        for queue in &mut self.queues {
            queue.spill(queue.ring.len());
        }
    }

    /// The objects that wait.
    pub fn objects(&self) -> impl Iterator<Item = ObjRef> {
        let waits = |(span, place): (usize, &u32)| (*place != 0).then(|| (span, *place as usize - 1));
        self.place_of_span.iter().enumerate().filter_map(waits).flat_map(|(span, place)| {
            self.places[place].slots().map(move |index| ObjRef::new(span as SpanId, index))
        })
    }
}

/// Whether a mark has queued its span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queued {
    /// It waited already.
    Before,
    /// It does now.
    Now,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(queues: &mut SpanQueues, worker: usize) -> Option<(SpanId, Vec<u32>)> {
        let (span, gathered) = queues.take_own(worker).or_else(|| queues.take_common(worker))?;
        assert_eq!(gathered.count() as usize, gathered.slots().count());
        Some((span, gathered.slots().collect()))
    }

    #[test]
    fn a_span_gathers_marks_while_it_waits() {
        let mut queues = SpanQueues::new(1);
        for (span, index) in [(7, 3), (9, 0), (7, 495), (7, 64)] {
            queues.put(0, ObjRef::new(span, index));
        }
        assert_eq!(queues.objects().count(), 4);
        assert_eq!(taken(&mut queues, 0), Some((7, vec![3, 64, 495])));
        queues.put(0, ObjRef::new(7, 4));
        assert_eq!(taken(&mut queues, 0), Some((9, vec![0])));
        assert_eq!(taken(&mut queues, 0), Some((7, vec![4])));
        assert!(queues.is_empty());
    }

    #[test]
    fn others_find_work_early_and_what_does_not_fit() {
        let mut queues = SpanQueues::new(2);
        for span in 1..64 {
            queues.put(0, ObjRef::new(span, 0));
        }
        assert!(!queues.has_common());
        queues.put(0, ObjRef::new(64, 0));
        assert_eq!(queues.queues[0].chain.len(), 16);
        for span in 65..400 {
            queues.put(0, ObjRef::new(span, 0));
        }
        assert_eq!(queues.queues[0].ring.len() + queues.queues[0].chain.len(), 399);
        // The thief takes half of the chain, oldest first.
        assert_eq!(taken(&mut queues, 1), Some((1, vec![0])));
        assert!(queues.has_own(1) && queues.has_own(0));
    }

    proptest! {
        #[test]
        fn every_mark_comes_out_once(marks in proptest::collection::btree_set((1u32..600, 0u32..496), 0..800), split in 0usize..3) {
            let mut queues = SpanQueues::new(2);
            for (number, (span, index)) in marks.iter().enumerate() {
                let obj = ObjRef::new(*span, *index);
                match (number + split) % 3 {
                    0 => queues.put_common(obj),
                    worker => queues.put(worker - 1, obj),
                }
            }
            let mut out = std::collections::BTreeSet::new();
            while let Some((span, slots)) = taken(&mut queues, 1).or_else(|| taken(&mut queues, 0)) {
                for index in slots {
                    prop_assert!(out.insert((span, index)));
                }
            }
            prop_assert_eq!(out, marks);
            prop_assert!(queues.is_empty());
        }
    }
}
