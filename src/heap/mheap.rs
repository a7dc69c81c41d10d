//! The page heap: where spans come from and where they go back to.
//!
//! `mheap` cuts spans from pages (lowest address first), keeps the table from page to span, and owns everything below it:
//! central lists, per-P caches, bitmaps, residency. Allocation of objects is in `malloc`, sweeping in `sweep`
//! (`runtime/mheap.go`, Go 1.23.9).
//!
//! A new span takes these steps, in this order:
//!
//! 1. fewer than 16 pages: try the P's page cache, filling it if it is empty;
//! 2. else, or if that fails: the lowest run of pages that is long enough;
//! 3. else: grow the heap by whole 4 MiB chunks and search again;
//! 4. the scavenged part of the span leaves `released`, the rest leaves `free`; the caller pays what the heap's growth or
//!    the memory limit asks to be returned.
//!
//! Invariants: `in_use + free + released + stack + work_buf` is the mapped heap, a multiple of 4 MiB; a page belongs to
//! at most one span.

use std::hint::black_box;
use std::ops::Range;

use indexmap::IndexMap;

use super::gc_bits::{BitsRef, GcBits};
use super::mcache::Mcache;
use super::mcentral::Mcentral;
use super::mspan::{MarkUnit, Mspan};
use super::object::{ObjRef, SpanId};
use super::page_accounting::{PageAccounting, SpanUse};
use super::page_alloc::{HeapBase, PageAlloc};
use super::pointers::PointerWords;
use super::size_class::{SPAN_CLASS_COUNT, SpanClass};
use super::special::{Attachment, Finalizer};
use super::stats::HeapStats;
use super::sweep::SweepState;
use crate::os::{Residency, physical_pages_of_bytes, physical_pages_of_pages};
use crate::units::PAGE_BYTES;
use crate::version::GoVersion;

/// What a new span cost the page heap; the caller scavenges for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSpan {
    /// The span.
    pub span: SpanId,
    /// Bytes by which the heap grew to make room.
    pub growth_bytes: u64,
    /// Bytes of the span that were released and are mapped again.
    pub scavenged_bytes: u64,
    /// Pages of the span.
    pub page_count: u64,
}

/// What a span finds in pages that had been given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScavengedMemory {
    /// Zeroes, but the allocator does not count on them: used once, cleared for ever (up to Go 1.25; with `MADV_FREE`).
    #[default]
    ClearedAgain,
    /// Zeroes from the kernel, if all pages of the span had been given back (Go 1.27 with `MADV_DONTNEED`).
    KnownToBeZero,
}

/// How a process's heap begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapStart {
    /// Where.
    pub base: HeapBase,
    /// What becomes of memory that was given back.
    pub scavenged_memory: ScavengedMemory,
}

/// One process's heap.
pub struct Heap {
    /// Which Go.
    pub version: GoVersion,
    /// Page bitmaps and scavenge index.
    pub pages: PageAlloc,
    /// Which physical pages of the heap are resident.
    pub residency: Residency,
    /// Mark and allocation bits.
    pub bits: GcBits,
    /// To whom every page belongs.
    pub accounts: PageAccounting,
    /// Counters of objects and spans.
    pub stats: HeapStats,
    /// One cache a P.
    pub caches: Vec<Mcache>,
    /// Progress of sweeping.
    pub sweep: SweepState,
    /// Finalizers by object, in the order they were set; `None` for one that was queued and has not run.
    pub(super) finalizers: IndexMap<ObjRef, Option<Finalizer>>,
    /// Cleanups and weak pointers by object.
    pub(super) attachments: IndexMap<ObjRef, Vec<Attachment>>,
    /// What due cleanups hold: reachable until they have run.
    pub cleanup_queue: Vec<ObjRef>,
    /// Objects whose finalizer is due: reachable until the finalizer goroutine has run it.
    pub finalizer_queue: Vec<(ObjRef, Finalizer)>,
    pub(super) spans: Vec<Mspan>,
    pub(super) central: Vec<Mcentral>,
    scavenged_memory: ScavengedMemory,
    free_span_ids: Vec<SpanId>,
    span_at_page: Vec<SpanId>,
}

impl Heap {
    /// An empty heap for `procs` Ps.
    pub fn new(version: GoVersion, procs: u32, start: HeapStart) -> Heap {
        Heap {
            version,
            pages: PageAlloc::starting_at(start.base),
            scavenged_memory: start.scavenged_memory,
            residency: Residency::default(),
            bits: GcBits::default(),
            accounts: PageAccounting::default(),
            stats: HeapStats::default(),
            caches: (0..procs).map(|_| Mcache::default()).collect(),
            sweep: SweepState::default(),
            finalizers: IndexMap::new(),
            finalizer_queue: Vec::new(),
            attachments: IndexMap::new(),
            cleanup_queue: Vec::new(),
            spans: vec![Mspan::dead()],
            central: vec![Mcentral::default(); SPAN_CLASS_COUNT],
            free_span_ids: Vec::new(),
            span_at_page: Vec::new(),
        }
    }

    /// Span number `id`.
    #[inline]
    pub fn span(&self, id: SpanId) -> &Mspan {
        &self.spans[id as usize]
    }

    /// How many span numbers are in use or were.
    pub fn span_count(&self) -> u32 {
        self.spans.len() as u32
    }

    /// All spans that exist, with their numbers.
    pub fn live_spans(&self) -> impl Iterator<Item = (SpanId, &Mspan)> {
        self.spans.iter().enumerate().filter(|(_, span)| span.usage.is_some()).map(|(id, s)| (id as u32, s))
    }

    /// The span whose first page is `page`, if one starts there.
    pub(super) fn span_starting_at(&self, page: u64) -> Option<SpanId> {
        self.span_at_page.get(page as usize).copied().filter(|id| *id != 0)
    }

    /// Cuts a span for objects of `span_class` from the heap.
    pub(super) fn alloc_span(&mut self, cache: usize, span_class: SpanClass, page_count: u64) -> NewSpan {
        let new = self.alloc_pages(cache, page_count, SpanUse::Heap);
        self.stats.in_use_pages += page_count;
        let (version, kind) = (self.version, span_class.kind());
        let has_marks = span_class.size_class().is_some_and(|class| class.inline_mark_bytes(version) > 0);
        let mark_unit = if has_marks { MarkUnit::Span } else { MarkUnit::Object };
        let (elem_bytes, slot_count, tail_bytes) = match span_class.size_class() {
            Some(class) => (
                class.elem_bytes(),
                class.objects_per_span(version, kind),
                class.pointer_bitmap_bytes(version, kind) + class.inline_mark_bytes(version),
            ),
            None => (page_count * PAGE_BYTES, 1, 0),
        };
        let mark_bits = self.bits.cut(slot_count);
        let generation = self.sweep.generation;
        let span = &mut self.spans[new.span as usize];
        span.span_class = span_class;
        span.elem_bytes = elem_bytes;
        span.tail_bytes = tail_bytes;
        span.mark_unit = mark_unit;
        span.slot_count = slot_count;
        span.mark_bits = mark_bits;
        span.sweep_generation = generation;
        new
    }

    /// Cuts a span that is managed by hand (stacks, work buffers), without writing to it.
    pub fn alloc_manual(&mut self, cache: usize, page_count: u64, usage: SpanUse) -> NewSpan {
        debug_assert!(usage != SpanUse::Heap, "spans of objects are not managed by hand");
        self.alloc_pages(cache, page_count, usage)
    }

    /// Writes a range of bytes of a span that is managed by hand; returns how many physical pages became resident.
    pub fn write_span(&mut self, id: SpanId, bytes: Range<u64>) -> u64 {
        let start_bytes = self.spans[id as usize].base_page * PAGE_BYTES;
        self.touch_bytes(start_bytes + bytes.start, bytes.end - bytes.start)
    }

    fn alloc_pages(&mut self, cache: usize, page_count: u64, usage: SpanUse) -> NewSpan {
        let placed = self.pages.alloc_span(page_count, &mut self.caches[cache].pages);
        let base_page = placed.base_page;
        self.accounts.grew(placed.growth_pages);
        self.accounts.span_allocated(usage, page_count, placed.scavenged_pages);
        self.stats.idle_resident_pages -= self.resident_pages(base_page, page_count);
        self.stats.mspans += 1;
        self.stats.peak_mspans = self.stats.peak_mspans.max(self.stats.mspans);

        let mut span = Mspan::new(usage, base_page, page_count);
        // Asked in any case: it remembers the pages as handed out.
        let was_used = self.pages.needs_zero(base_page, page_count);
        let is_zero =
            self.scavenged_memory == ScavengedMemory::KnownToBeZero && placed.scavenged_pages == page_count;
        span.needs_zeroing = was_used && !is_zero;
        let id = self.free_span_ids.pop().unwrap_or(self.spans.len() as SpanId);
        assert!(id < ObjRef::SPAN_LIMIT, "the model holds at most {} spans", ObjRef::SPAN_LIMIT);
        if id as usize == self.spans.len() {
            self.spans.push(span);
        } else {
            self.spans[id as usize] = span;
        }
        if self.span_at_page.len() <= base_page as usize {
            self.span_at_page.resize(self.pages.mapped_pages() as usize, 0);
        }
        self.span_at_page[base_page as usize] = id;
        NewSpan {
            span: id,
            growth_bytes: placed.growth_pages * PAGE_BYTES,
            scavenged_bytes: placed.scavenged_pages * PAGE_BYTES,
            page_count,
        }
    }

    fn resident_pages(&self, base_page: u64, page_count: u64) -> u64 {
        self.residency.kept_in(physical_pages_of_pages(base_page..base_page + page_count))
    }

    /// Gives a span's pages back to the page heap. They stay resident until they are scavenged.
    pub fn free_span(&mut self, id: SpanId) {
        let span = &mut self.spans[id as usize];
        let (base_page, page_count) = (span.base_page, span.page_count);
        let usage = span.die().unwrap_or_else(|| panic!("span {id} was freed twice"));
        if usage == SpanUse::Heap {
            self.stats.in_use_pages -= page_count;
        }
        self.accounts.span_freed(usage, page_count);
        self.stats.idle_resident_pages += self.resident_pages(base_page, page_count);
        self.stats.mspans -= 1;
        self.pages.free(base_page, page_count);
        self.span_at_page[base_page as usize] = 0;
        self.free_span_ids.push(id);
    }

    /// Gives the free pages cached by `cache`'s P back to the page heap.
    pub fn flush_page_cache(&mut self, cache: usize) {
        self.pages.flush_cache(&mut self.caches[cache].pages);
    }

    /// The pointer in `slot` of `obj`.
    #[inline]
    pub fn pointer(&self, obj: ObjRef, slot: u32) -> ObjRef {
        self.span(obj.span()).pointers.get(obj.span(), obj.index(), slot)
    }

    /// Reads pointer slots of `obj` one right after the other, so that the host's cache misses overlap.
    pub fn bring_pointers_near(&self, obj: ObjRef, slots: &[u32]) {
        if let PointerWords::Words { stride, words } = &self.span(obj.span()).pointers {
            let words = &words[(obj.index() * stride) as usize..];
            black_box(slots.iter().fold(false, |near, slot| near ^ words[*slot as usize].is_nil()));
        }
    }

    /// Stores a pointer without a write barrier.
    #[inline]
    pub fn set_pointer(&mut self, obj: ObjRef, slot: u32, value: ObjRef) {
        let span = &mut self.spans[obj.span() as usize];
        debug_assert!(
            slot < span.pointer_stride,
            "slot {slot} of {obj:?} with {} slots",
            span.pointer_stride
        );
        let shape = span.shape(obj.span());
        span.pointers.set(shape, obj.index(), slot, value);
    }

    /// The program writes `len_bytes` at `offset_bytes` of `obj`; returns how many physical pages became resident.
    #[inline]
    pub fn touch(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) -> u64 {
        let span = self.span(obj.span());
        let start_bytes =
            span.base_page * PAGE_BYTES + u64::from(obj.index()) * span.elem_bytes + offset_bytes;
        self.touch_bytes(start_bytes, len_bytes)
    }

    /// Writes `len_bytes` at an offset into the heap; returns how many physical pages became resident.
    #[inline]
    pub(super) fn touch_bytes(&mut self, start_bytes: u64, len_bytes: u64) -> u64 {
        let pages = physical_pages_of_bytes(start_bytes, len_bytes);
        if pages.end - pages.start == 1 {
            return self.residency.touch_page(pages.start);
        }
        self.residency.touch(pages)
    }

    /// Bytes of the slot that holds `obj`.
    pub fn elem_bytes(&self, obj: ObjRef) -> u64 {
        self.span(obj.span()).elem_bytes
    }

    /// Fresh mark bits in place of a swept span's; its old marks become its allocation bits.
    pub(super) fn turn_marks_into_allocation(&mut self, id: SpanId) {
        let slot_count = self.spans[id as usize].slot_count;
        let fresh = self.bits.cut(slot_count);
        let span = &mut self.spans[id as usize];
        span.alloc_bits = std::mem::replace(&mut span.mark_bits, fresh);
        debug_assert!(span.alloc_bits != BitsRef::ALL_CLEAR);
    }
}
