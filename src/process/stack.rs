//! Goroutine stacks: powers of two; small ones are cut from shared 32 KiB spans and cached by each P.
//!
//! **Mechanism.** A goroutine starts with a stack of the *starting size*; when it needs more, it gets a stack of twice the
//! size, the old one is copied and freed. Stacks of 2, 4, 8 and 16 KiB come from a cache of the P, which is filled from
//! spans of 32 KiB; a larger stack is a span of its own.
//!
//! 1. A cache that is empty takes 16 KiB of stacks; one that holds 32 KiB gives back all but 16 KiB.
//! 2. A span whose last stack comes back is free at once - unless the collector marks: then at the end of the cycle.
//! 3. The end of a cycle empties all caches.
//! 4. `starting size = 2^k >= mean bytes of stack that the last cycle scanned + 928`, at least 2 KiB.
//!
//! `StackInuse` counts whole spans, not stacks.
//!
//! Differences from Go: stacks do not shrink; the bytes that a cycle scans of a stack are what its goroutine is said to
//! use.
//!
//! Source: `runtime/stack.go`, Go 1.23.9.

use indexmap::IndexMap;

use crate::heap::mheap::Heap;
use crate::heap::object::SpanId;
use crate::heap::page_accounting::SpanUse;
use crate::units::{KIB, PAGE_BYTES};

/// Smallest stack in bytes (`runtime/stack.go` `stackMin`).
pub const MIN_STACK_BYTES: u64 = 2 * KIB;
/// Bytes of a span that small stacks are cut from, and most that a P caches of one size (`runtime/stack.go` `_StackCacheSize`).
const POOL_SPAN_BYTES: u64 = 32 * KIB;
/// Number of small stack sizes: 2, 4, 8 and 16 KiB.
const ORDERS: usize = 4;
/// Bytes at the end of a stack that a function may not use without looking (`runtime/stack.go` `stackGuard`).
const STACK_GUARD_BYTES: u64 = 928;

/// One goroutine's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Size in bytes, a power of two.
    pub size_bytes: u64,
    /// Its span.
    span: SpanId,
}

/// Whether the collector marks, which is when spans of stacks must not turn into spans of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It does not.
    Off,
    /// It does.
    Marking,
}

/// Spans of small stacks of one size.
#[derive(Clone, Debug, Default)]
struct Pool {
    /// Stacks in use or in a cache, by span.
    used: IndexMap<SpanId, u32>,
    /// Spans with stacks to give; the next one comes from the last.
    with_room: Vec<SpanId>,
}

/// All stacks of the process.
#[derive(Clone, Debug)]
pub(super) struct Stacks {
    pools: [Pool; ORDERS],
    /// Stacks that each P has at hand, by size.
    caches: Vec<[Vec<SpanId>; ORDERS]>,
    /// Spans of large stacks that were freed while the collector marked.
    freed_while_marking: Vec<SpanId>,
    runtime_spans: Vec<SpanId>,
    starting_bytes: u64,
}

impl Stacks {
    /// No stacks yet, and empty caches of `procs` Ps.
    pub(super) fn new(procs: u32) -> Stacks {
        Stacks {
            pools: Default::default(),
            caches: vec![Default::default(); procs as usize],
            freed_while_marking: Vec::new(),
            runtime_spans: Vec::new(),
            starting_bytes: MIN_STACK_BYTES,
        }
    }

    /// A 32 KiB span for stacks of the runtime's own threads and goroutines, resident and never freed.
    pub(super) fn alloc_pool_span(&mut self, heap: &mut Heap, cache: usize) {
        let new_span = heap.alloc_manual(cache, POOL_SPAN_BYTES / PAGE_BYTES, SpanUse::Stack);
        heap.write_span(new_span.span, 0..POOL_SPAN_BYTES);
        self.runtime_spans.push(new_span.span);
    }

    /// Bytes of a new goroutine's stack.
    pub(super) fn starting_bytes(&self) -> u64 {
        self.starting_bytes
    }

    /// A cycle has scanned `scanned_bytes` on the stacks of `count` goroutines.
    pub(super) fn adapt_starting_size(&mut self, scanned_bytes: u64, count: u64) {
        let mean_bytes = scanned_bytes / count.max(1) + STACK_GUARD_BYTES;
        self.starting_bytes = mean_bytes.max(MIN_STACK_BYTES).next_power_of_two();
    }

    /// A stack of `size_bytes`, a power of two, on P `cache`.
    pub(super) fn alloc(&mut self, heap: &mut Heap, cache: usize, size_bytes: u64) -> Stack {
        debug_assert!(size_bytes >= MIN_STACK_BYTES && size_bytes.is_power_of_two(), "{size_bytes} bytes");
        let order = order_of(size_bytes);
        if order >= ORDERS {
            let new_span = heap.alloc_manual(cache, size_bytes.div_ceil(PAGE_BYTES), SpanUse::Stack);
            return Stack { size_bytes, span: new_span.span };
        }
        if self.caches[cache][order].is_empty() {
            for _ in 0..POOL_SPAN_BYTES / 2 / size_bytes {
                let span = self.pools[order].take(heap, cache, size_bytes);
                self.caches[cache][order].push(span);
            }
        }
        let span = self.caches[cache][order].pop().expect("filled above");
        Stack { size_bytes, span }
    }

    /// A stack of twice the size for the one that is full.
    pub(super) fn grow(&mut self, heap: &mut Heap, cache: usize, phase: Phase, old: Stack) -> Stack {
        let new = self.alloc(heap, cache, 2 * old.size_bytes);
        self.free(heap, cache, phase, old);
        new
    }

    /// The goroutine writes the first `used_bytes` of its stack, which grows downwards. All of a span of small stacks is
    /// written already.
    pub(super) fn write(&self, heap: &mut Heap, stack: Stack, used_bytes: u64) {
        if order_of(stack.size_bytes) >= ORDERS {
            let from_bytes = stack.size_bytes - used_bytes.min(stack.size_bytes);
            heap.write_span(stack.span, from_bytes..stack.size_bytes);
        }
    }

    /// Frees a stack on P `cache`.
    pub(super) fn free(&mut self, heap: &mut Heap, cache: usize, phase: Phase, stack: Stack) {
        let order = order_of(stack.size_bytes);
        if order >= ORDERS {
            match phase {
                Phase::Off => heap.free_span(stack.span),
                Phase::Marking => self.freed_while_marking.push(stack.span),
            }
            return;
        }
        let cached = &mut self.caches[cache][order];
        if cached.len() as u64 * stack.size_bytes >= POOL_SPAN_BYTES {
            while cached.len() as u64 * stack.size_bytes > POOL_SPAN_BYTES / 2 {
                let span = cached.pop().expect("more than half of a full cache");
                self.pools[order].put_back(heap, phase, span, stack.size_bytes);
            }
        }
        cached.push(stack.span);
    }

    /// A cycle ends: caches are emptied, and spans without stacks go back to the heap.
    pub(super) fn end_cycle(&mut self, heap: &mut Heap) {
        for cached in &mut self.caches {
            for (order, spans) in cached.iter_mut().enumerate() {
                while let Some(span) = spans.pop() {
                    self.pools[order].put_back(heap, Phase::Marking, span, MIN_STACK_BYTES << order);
                }
            }
        }
        for pool in &mut self.pools {
            pool.free_empty(heap);
        }
        for span in self.freed_while_marking.drain(..) {
            heap.free_span(span);
        }
    }
}

impl Pool {
    /// A stack of one of the spans, a new one if all are full.
    fn take(&mut self, heap: &mut Heap, cache: usize, size_bytes: u64) -> SpanId {
        let span = match self.with_room.last() {
            Some(span) => *span,
            None => {
                let new_span = heap.alloc_manual(cache, POOL_SPAN_BYTES / PAGE_BYTES, SpanUse::Stack);
                // The list of free stacks runs through the stacks themselves, and each is used from its other end.
                heap.write_span(new_span.span, 0..POOL_SPAN_BYTES);
                self.used.insert(new_span.span, 0);
                self.with_room.push(new_span.span);
                new_span.span
            }
        };
        let used = &mut self.used[&span];
        *used += 1;
        if u64::from(*used) == POOL_SPAN_BYTES / size_bytes {
            self.with_room.pop();
        }
        span
    }

    fn put_back(&mut self, heap: &mut Heap, phase: Phase, span: SpanId, size_bytes: u64) {
        let used = self.used.get_mut(&span).unwrap_or_else(|| panic!("span {span} is in no pool"));
        if u64::from(*used) == POOL_SPAN_BYTES / size_bytes {
            self.with_room.push(span);
        }
        *used -= 1;
        if *used == 0 && phase == Phase::Off {
            self.used.swap_remove(&span);
            let place = self.with_room.iter().rposition(|other| *other == span);
            self.with_room.remove(place.expect("an empty span has room"));
            heap.free_span(span);
        }
    }

    fn free_empty(&mut self, heap: &mut Heap) {
        let used = &mut self.used;
        self.with_room.retain(|span| {
            let in_use = used[span] > 0;
            if !in_use {
                used.swap_remove(span);
                heap.free_span(*span);
            }
            in_use
        });
    }
}

/// 0 for 2 KiB, 1 for 4 KiB and so on.
fn order_of(size_bytes: u64) -> usize {
    (size_bytes / MIN_STACK_BYTES).ilog2() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::mheap::HeapStart;
    use crate::version::GoVersion;

    fn stack_bytes(heap: &Heap) -> u64 {
        heap.accounts.stacks_in_use_bytes()
    }

    #[test]
    fn small_stacks_share_spans_that_are_freed_with_the_last() {
        let (mut heap, mut stacks) = (Heap::new(GoVersion::Go1_23, 1, HeapStart::default()), Stacks::new(1));
        let all: Vec<Stack> = (0..64).map(|_| stacks.alloc(&mut heap, 0, 8 * KIB)).collect();
        assert_eq!(stack_bytes(&heap), 64 * 8 * KIB);
        all.into_iter().for_each(|stack| stacks.free(&mut heap, 0, Phase::Off, stack));
        // The cache keeps between 16 and 32 KiB.
        assert!(stack_bytes(&heap) <= 2 * POOL_SPAN_BYTES, "{}", stack_bytes(&heap));
        stacks.end_cycle(&mut heap);
        assert_eq!(stack_bytes(&heap), 0);
    }

    #[test]
    fn nothing_becomes_object_memory_while_the_collector_marks() {
        let (mut heap, mut stacks) = (Heap::new(GoVersion::Go1_23, 1, HeapStart::default()), Stacks::new(1));
        for size_bytes in [2 * KIB, 64 * KIB] {
            let all: Vec<Stack> = (0..100).map(|_| stacks.alloc(&mut heap, 0, size_bytes)).collect();
            let before = stack_bytes(&heap);
            all.into_iter().for_each(|stack| stacks.free(&mut heap, 0, Phase::Marking, stack));
            assert_eq!(stack_bytes(&heap), before);
            stacks.end_cycle(&mut heap);
            assert_eq!(stack_bytes(&heap), 0);
        }
    }

    #[test]
    fn stacks_grow_by_copying() {
        let (mut heap, mut stacks) = (Heap::new(GoVersion::Go1_23, 1, HeapStart::default()), Stacks::new(1));
        let small = stacks.alloc(&mut heap, 0, 32 * KIB);
        let large = stacks.grow(&mut heap, 0, Phase::Off, small);
        assert_eq!((large.size_bytes, stack_bytes(&heap)), (64 * KIB, 64 * KIB));
        let before = heap.residency.resident_bytes();
        stacks.write(&mut heap, large, 40 * KIB);
        assert_eq!(heap.residency.resident_bytes() - before, 40 * KIB);
    }

    #[test]
    fn goroutines_start_with_what_they_used_on_average() {
        let mut stacks = Stacks::new(1);
        for (mean_bytes, starting_bytes) in
            [(0, 2048), (1120, 2048), (1121, 4096), (5_184, 8192), (39_168, 65_536)]
        {
            stacks.adapt_starting_size(10 * mean_bytes, 10);
            assert_eq!(stacks.starting_bytes(), starting_bytes, "{mean_bytes}");
        }
    }
}
