//! `mallocgc`: from a layout to a slot.
//!
//! Small objects come from the P's cached span of their span class by bumping its free index; when the span is full the P
//! *refills*: it trades the span for a swept one with room, sweeping as it searches, or for a new one. Large objects are
//! spans of their own. Pointer-free objects below 16 bytes share blocks (`runtime/malloc.go`, `mcache.go`, Go 1.23.9).
//!
//! What the pacer sees moves only at a refill or a large allocation:
//!
//! ```text
//! refill:  heap_live += span_bytes - alloc_count * elem_bytes      (all free slots, tail waste and bitmap bytes)
//! large:   heap_live += page_count * 8192
//! flush:   heap_live -= free_slots * elem_bytes                    (only spans cached since this cycle's sweep began)
//! ```
//!
//! Allocation is by *runs*: neighbouring free slots of one span. A program that allocates a million equal objects costs
//! one step a span.
//!
//! Invariant: an object allocated while marking is marked at once (allocate-black).

use super::mcache::TINY_BLOCK_BYTES;
use super::mcentral::{Fill, Swept};
use super::mheap::{Heap, NewSpan};
use super::object::{Layout, ObjRef, SpanId};
use super::scan_size::{scannable_bytes, scanned_bytes};
use super::size_class::{MAX_BYTES_WITHOUT_HEADER, SPAN_CLASS_COUNT, ScanKind, SpanClass, size_class_of};
use super::sweep::SweepOutcome;
use crate::units::{PAGE_BYTES, PHYSICAL_PAGE_BYTES};

/// Spans that a refill examines before it gives up and takes a new one (`runtime/mcentral.go` `spanBudget`).
const REFILL_SPAN_BUDGET: u32 = 100;

/// The colour that new objects get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocColor {
    /// No cycle is running: the next one will look at the object.
    White,
    /// Marking is running: the object survives this cycle.
    Black,
}

/// Slots `start..end` of one span, just allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    span: SpanId,
    // Slots are numbered below 1024; small fields keep a run in one register.
    start: u16,
    end: u16,
}

impl Run {
    #[inline]
    fn new(span: SpanId, start: u32, end: u32) -> Run {
        Run { span, start: start as u16, end: end as u16 }
    }

    /// A run of one object.
    pub fn of_one(object: ObjRef) -> Run {
        Run::new(object.span(), object.index(), object.index() + 1)
    }

    /// Objects in the run.
    #[inline]
    pub fn count(self) -> u32 {
        u32::from(self.end - self.start)
    }

    /// The object in the lowest slot.
    #[inline]
    pub fn first(self) -> ObjRef {
        ObjRef::new(self.span, u32::from(self.start))
    }

    /// The slots.
    #[inline]
    fn slots(self) -> std::ops::Range<u32> {
        u32::from(self.start)..u32::from(self.end)
    }

    /// The objects, lowest slot first.
    pub fn objects(self) -> impl DoubleEndedIterator<Item = ObjRef> {
        self.slots().map(move |index| ObjRef::new(self.span, index))
    }
}

/// What a refill did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refill {
    /// By how much `heap_live` grows.
    pub heap_live_bytes: u64,
    /// Scannable bytes that the pacer learns of.
    pub heap_scan_bytes: u64,
    /// Sweeping on the way.
    pub swept: SweepOutcome,
    /// Set when the page heap had to cut a new span.
    pub new_span: Option<NewSpan>,
}

/// Physical work of preparing memory for objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Bytes cleared.
    pub zeroed_bytes: u64,
    /// Physical pages that became resident.
    pub faulted_pages: u64,
    /// Those of them whose first access was the store of a type into an object's header.
    pub header_pages: u64,
}

/// What flushing a P's cache tells the pacer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flush {
    /// Bytes by which `heap_live` was overcharged.
    pub heap_live_credit_bytes: u64,
    /// Scannable bytes that the pacer learns of.
    pub heap_scan_bytes: u64,
    /// Sweeping of spans that were stale.
    pub swept: SweepOutcome,
}

impl Heap {
    /// The span class that serves `layout`; `None` for a large object.
    #[inline]
    pub fn span_class_of(&self, layout: Layout) -> Option<SpanClass> {
        size_class_of(self.version, layout).map(|class| SpanClass::small(class, ScanKind::of(layout)))
    }

    /// Allocates up to `limit` neighbouring objects from the span cached for `span_class`; `None` when it is full.
    #[inline]
    pub fn alloc_run(
        &mut self,
        cache: usize,
        span_class: SpanClass,
        layout: Layout,
        limit: u32,
        color: AllocColor,
    ) -> Option<Run> {
        let id = self.caches[cache].spans[span_class.index()];
        if id == 0 {
            return None;
        }
        let span = &mut self.spans[id as usize];
        let (start, end) =
            self.bits.next_clear_run(span.alloc_bits, span.free_index, span.slot_count, limit)?;
        span.free_index = end;
        span.alloc_count += end - start;
        span.note_layout(
            start,
            end,
            layout.pointer_slots,
            scanned_bytes(self.version, layout, span.elem_bytes),
        );
        if span.needs_zeroing && span_class.kind() == ScanKind::Scan {
            let shape = span.shape(id);
            (start..end).for_each(|index| span.pointers.clear_object(shape, index));
        }
        let (count, elem_bytes) = (u64::from(end - start), span.elem_bytes);
        self.stats.allocated_bytes += count * elem_bytes;
        self.stats.unflushed_alloc_bytes += count * elem_bytes;
        self.stats.mallocs += count;
        if color == AllocColor::Black {
            self.bits.set_range(span.mark_bits, start, end);
        }
        self.caches[cache].scan_alloc_bytes += count * scannable_bytes(self.version, layout, elem_bytes);
        Some(Run::new(id, start, end))
    }

    /// Clears what must be cleared for a run and writes what the runtime itself writes.
    #[inline]
    pub fn prepare_run(&mut self, run: Run) -> Prepared {
        let span = &self.spans[run.span as usize];
        let base_bytes = span.base_offset_bytes();
        let (start_bytes, len_bytes) =
            (base_bytes + u64::from(run.start) * span.elem_bytes, u64::from(run.count()) * span.elem_bytes);
        let cleared_bytes = if span.needs_zeroing { len_bytes } else { 0 };
        let (elem_bytes, span_end_bytes) = (span.elem_bytes, base_bytes + span.bytes());
        let (tail_bytes, kind) = (span.tail_bytes, span.span_class.kind());
        let has_headers = kind == ScanKind::Scan
            && elem_bytes > MAX_BYTES_WITHOUT_HEADER
            && self.version.has_malloc_header();
        let (mut faulted_pages, mut header_pages) = (0, 0);
        if cleared_bytes > 0 {
            faulted_pages += self.touch_bytes(start_bytes, cleared_bytes);
        } else if has_headers {
            header_pages = run
                .slots()
                .map(|index| self.touch_bytes(base_bytes + u64::from(index) * elem_bytes, 8))
                .sum::<u64>();
            faulted_pages += header_pages;
        }
        if tail_bytes > 0 {
            faulted_pages += self.touch_bytes(span_end_bytes - tail_bytes, tail_bytes);
        }
        Prepared { zeroed_bytes: cleared_bytes, faulted_pages, header_pages }
    }

    /// The program writes the first `len_bytes` of each object of a run; returns how many physical pages became resident.
    #[inline]
    pub fn write_run(&mut self, run: Run, len_bytes: u64) -> u64 {
        let span = &self.spans[run.span as usize];
        let (elem_bytes, base_bytes) = (span.elem_bytes, span.base_offset_bytes());
        let start_bytes = |index: u32| base_bytes + u64::from(index) * elem_bytes;
        let len_bytes = len_bytes.min(elem_bytes);
        if len_bytes == 0 {
            return 0;
        }
        if elem_bytes - len_bytes < PHYSICAL_PAGE_BYTES || run.count() == 1 {
            let end_bytes = start_bytes(run.slots().end - 1) + len_bytes;
            return self
                .touch_bytes(start_bytes(run.slots().start), end_bytes - start_bytes(run.slots().start));
        }
        run.slots().map(|index| self.touch_bytes(start_bytes(index), len_bytes)).sum()
    }

    /// Bytes of the span that a refill of `span_class` would cache: what sweep debt is paid for.
    pub fn refill_span_bytes(&self, span_class: SpanClass) -> u64 {
        span_pages(span_class) * PAGE_BYTES
    }

    /// Trades the cached span of `span_class` for one with free slots.
    pub fn refill(&mut self, cache: usize, span_class: SpanClass) -> Refill {
        let mut refill = Refill::default();
        let old = std::mem::take(&mut self.caches[cache].spans[span_class.index()]);
        if old != 0 {
            let outcome = self.uncache_span(old);
            refill.swept.add(outcome);
        }
        let id = self.find_span_with_room(cache, span_class, &mut refill);
        let generation = self.sweep.generation;
        let span = &mut self.spans[id as usize];
        debug_assert!(span.alloc_count < span.slot_count, "cached span {id} is full");
        span.sweep_generation = generation + 3;
        span.alloc_count_before_cache = span.alloc_count;
        refill.heap_live_bytes = span.bytes() - u64::from(span.alloc_count) * span.elem_bytes;
        refill.heap_scan_bytes = std::mem::take(&mut self.caches[cache].scan_alloc_bytes);
        self.caches[cache].spans[span_class.index()] = id;
        refill
    }

    fn find_span_with_room(&mut self, cache: usize, span_class: SpanClass, refill: &mut Refill) -> SpanId {
        let generation = self.sweep.generation;
        let central = span_class.index();
        if let Some(id) = self.central[central].pop(Fill::Partial, Swept::Yes, generation) {
            return id;
        }
        let mut budget = REFILL_SPAN_BUDGET;
        for fill in [Fill::Partial, Fill::Full] {
            while budget > 0
                && self.sweep.is_running()
                && let Some(id) = self.central[central].pop(fill, Swept::No, generation)
            {
                budget -= 1;
                if !self.needs_sweep(id) {
                    continue;
                }
                let outcome = self.sweep_for_caching(id);
                refill.swept.add(outcome);
                if self.spans[id as usize].free_count() > 0 {
                    return id;
                }
                self.central[central].push_swept(Fill::Full, generation, id);
            }
        }
        if self.sweep.is_running() {
            let outcome = self.reclaim(span_pages(span_class));
            refill.swept.add(outcome);
        }
        let new = self.alloc_span(cache, span_class, span_pages(span_class));
        refill.new_span = Some(new);
        new.span
    }

    /// Returns a span that a P has cached to its central lists, sweeping it first if it is stale.
    fn uncache_span(&mut self, id: SpanId) -> SweepOutcome {
        let generation = self.sweep.generation;
        let span = &mut self.spans[id as usize];
        self.stats.unflushed_alloc_bytes -=
            u64::from(span.alloc_count - span.alloc_count_before_cache) * span.elem_bytes;
        if span.sweep_generation == generation + 1 {
            return self.sweep_span(id);
        }
        span.sweep_generation = generation;
        let fill = if span.free_count() > 0 { Fill::Partial } else { Fill::Full };
        self.central[span.span_class.index()].push_swept(fill, generation, id);
        SweepOutcome::default()
    }

    /// Flushes a P's cache: every cached span goes back, the tiny block is forgotten.
    pub fn flush_cache(&mut self, cache: usize) -> Flush {
        let mut flush = Flush {
            heap_scan_bytes: std::mem::take(&mut self.caches[cache].scan_alloc_bytes),
            ..Flush::default()
        };
        for index in 0..SPAN_CLASS_COUNT {
            let id = std::mem::take(&mut self.caches[cache].spans[index]);
            if id == 0 {
                continue;
            }
            let span = &self.spans[id as usize];
            if span.sweep_generation != self.sweep.generation + 1 {
                flush.heap_live_credit_bytes += u64::from(span.free_count()) * span.elem_bytes;
            }
            let outcome = self.uncache_span(id);
            flush.swept.add(outcome);
        }
        self.caches[cache].tiny_block = ObjRef::NIL;
        self.caches[cache].tiny_offset_bytes = 0;
        flush
    }

    /// Allocates one large object. The caller has paid sweep debt and reclaimed.
    pub fn alloc_large(&mut self, cache: usize, layout: Layout, color: AllocColor) -> (ObjRef, NewSpan) {
        let page_count = layout.size_bytes.div_ceil(PAGE_BYTES);
        let span_class = SpanClass::large(ScanKind::of(layout));
        let new = self.alloc_span(cache, span_class, page_count);
        let generation = self.sweep.generation;
        let span = &mut self.spans[new.span as usize];
        span.free_index = 1;
        span.alloc_count = 1;
        span.note_layout(0, 1, layout.pointer_slots, scanned_bytes(self.version, layout, span.elem_bytes));
        let elem_bytes = span.elem_bytes;
        if color == AllocColor::Black {
            let mark_bits = span.mark_bits;
            self.bits.set(mark_bits, 0);
        }
        self.central[span_class.index()].push_swept(Fill::Full, generation, new.span);
        self.stats.allocated_bytes += elem_bytes;
        self.stats.mallocs += 1;
        self.caches[cache].scan_alloc_bytes += scannable_bytes(self.version, layout, elem_bytes);
        (ObjRef::new(new.span, 0), new)
    }

    /// Clears a large object if its memory was used before.
    pub fn prepare_large(&mut self, obj: ObjRef, layout: Layout) -> Prepared {
        let span = &self.spans[obj.span() as usize];
        if !span.needs_zeroing {
            return Prepared::default();
        }
        let (base_bytes, len_bytes) = (span.base_offset_bytes(), layout.size_bytes);
        let faulted_pages = self.touch_bytes(base_bytes, len_bytes);
        Prepared { zeroed_bytes: len_bytes, faulted_pages, header_pages: 0 }
    }

    /// Places a tiny object in the P's current block; `None` when it does not fit and needs a new block.
    pub fn alloc_tiny(&mut self, cache: usize, size_bytes: u64) -> Option<ObjRef> {
        let cache = &mut self.caches[cache];
        let offset_bytes = cache.tiny_fit(size_bytes)?;
        cache.tiny_offset_bytes = offset_bytes + size_bytes;
        self.stats.tiny_allocs += 1;
        Some(cache.tiny_block)
    }

    /// Makes a fresh 16-byte slot that holds one tiny object the current block, if it has more room than the old one.
    pub fn adopt_tiny_block(&mut self, cache: usize, block: ObjRef, size_bytes: u64) {
        let cache = &mut self.caches[cache];
        if cache.tiny_block.is_nil() || size_bytes < cache.tiny_offset_bytes {
            cache.tiny_block = block;
            cache.tiny_offset_bytes = size_bytes;
        }
    }
}

/// Whether pointer-free objects of `layout` share 16-byte blocks.
pub fn is_tiny(layout: Layout) -> bool {
    layout.is_noscan() && layout.size_bytes < TINY_BLOCK_BYTES
}

/// Pages of a span of small objects.
fn span_pages(span_class: SpanClass) -> u64 {
    span_class.size_class().map_or(0, |class| class.span_pages())
}
