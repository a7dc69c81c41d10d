//! Sweeping: unmarked slots become free slots, one span at a time, before the span is used again.
//!
//! After mark termination every span is unswept. Sweeping a span costs two bitmap operations - the mark bits become the
//! allocation bits - and returns the span to the page heap if nothing in it was marked. It is done by whoever comes
//! first: the background sweeper, an allocation that owes sweeping in proportion to what it allocates, a refill looking
//! for free slots, or an allocation that needs pages and reclaims whole dead spans
//! (`runtime/mgcsweep.go`, `runtime/mheap.go` `reclaim`, Go 1.23.9).
//!
//! 1. `freed = alloc_count - marked`; `alloc_bits = mark_bits`; fresh mark bits; `free_index = 0`.
//! 2. Unmarked objects with a finalizer are marked here and live one more cycle ([`super::special`]).
//! 3. No object left: pages to the page heap (unless the span is swept to be cached). All left: full list. Else: partial list.
//! 4. The background order is span class by span class from 0 (large), full spans before partial ones.
//!
//! Invariant: all spans are swept when the next cycle starts.
//!
//! Differences from Go: sweepers do not run at the same time, so no span is ever "being swept".

use super::mcentral::{Fill, Swept};
use super::mheap::Heap;
use super::mspan::Mspan;
use super::object::{ObjRef, SpanId};
use super::page_accounting::SpanUse;
use super::size_class::SPAN_CLASS_COUNT;
use super::special::{Attachment, AttachmentKind, Finalizer, FinalizerAction};

/// Pages that one step of reclaiming looks at (`runtime/mheap.go` `pagesPerReclaimerChunk`).
const PAGES_PER_RECLAIM_STEP: u64 = 512;
/// Pages of a 64 MiB arena.
const PAGES_PER_ARENA: u64 = 8192;

/// How far sweeping has come since the last cycle.
#[derive(Clone, Debug, Default)]
pub struct SweepState {
    /// Grows by 2 when a cycle ends.
    pub generation: u32,
    /// Pages of swept spans since the last cycle ended.
    pub swept_pages: u64,
    /// Where the background order stands; twice [`SPAN_CLASS_COUNT`] is the end.
    position: usize,
    phase: SweepPhase,
    reclaim_page: Option<u64>,
    reclaim_credit_pages: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SweepPhase {
    #[default]
    Done,
    Running,
}

impl SweepState {
    /// Whether spans may still be unswept.
    pub fn is_running(&self) -> bool {
        self.phase == SweepPhase::Running
    }
}

/// What some sweeping did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepOutcome {
    /// Spans in which everything lives.
    pub full_spans: u32,
    /// Spans that keep some objects and have free slots now.
    pub partly_free_spans: u32,
    /// Spans returned to the page heap.
    pub freed_spans: u32,
    /// Pages of those.
    pub freed_pages: u64,
    /// Finalizers, cleanups and weak pointers of objects that nothing refers to any more.
    pub specials: u32,
}

impl SweepOutcome {
    /// Adds what other sweeping did.
    pub fn add(&mut self, other: SweepOutcome) {
        self.full_spans += other.full_spans;
        self.partly_free_spans += other.partly_free_spans;
        self.freed_spans += other.freed_spans;
        self.freed_pages += other.freed_pages;
        self.specials += other.specials;
    }
}

impl Heap {
    /// Makes every span unswept: the cycle's marks are complete.
    pub fn start_sweep(&mut self) {
        debug_assert!(!self.sweep.is_running(), "a cycle ended before its predecessor was swept");
        self.sweep.generation += 2;
        self.sweep.swept_pages = 0;
        self.sweep.position = 0;
        self.sweep.phase = SweepPhase::Running;
        self.sweep.reclaim_page = Some(0);
        self.sweep.reclaim_credit_pages = 0;
    }

    /// Whether span `id` waits to be swept.
    pub fn needs_sweep(&self, id: SpanId) -> bool {
        let span = &self.spans[id as usize];
        span.usage == Some(SpanUse::Heap) && span.sweep_generation + 2 == self.sweep.generation
    }

    /// Sweeps the next span in the background order; `None` when all are swept.
    pub fn sweep_one(&mut self) -> Option<SweepOutcome> {
        if !self.sweep.is_running() {
            return None;
        }
        while self.sweep.position < 2 * SPAN_CLASS_COUNT {
            let (class, fill) =
                (self.sweep.position / 2, [Fill::Full, Fill::Partial][self.sweep.position % 2]);
            let Some(id) = self.central[class].pop(fill, Swept::No, self.sweep.generation) else {
                self.sweep.position += 1;
                continue;
            };
            if self.needs_sweep(id) {
                let outcome = self.sweep_span(id);
                self.sweep.reclaim_credit_pages += outcome.freed_pages;
                return Some(outcome);
            }
        }
        self.sweep.phase = SweepPhase::Done;
        None
    }

    /// Sweeps span `id` and puts it where it belongs.
    pub(super) fn sweep_span(&mut self, id: SpanId) -> SweepOutcome {
        let outcome = self.sweep_bits(id);
        let span = &self.spans[id as usize];
        let (class, free, allocated) = (span.span_class.index(), span.free_count(), span.alloc_count);
        let generation = self.sweep.generation;
        if allocated == 0 {
            let freed_pages = span.page_count;
            self.free_span(id);
            let specials = outcome.specials;
            return SweepOutcome { freed_spans: 1, freed_pages, specials, ..SweepOutcome::default() };
        } else {
            let fill = if free == 0 { Fill::Full } else { Fill::Partial };
            self.central[class].push_swept(fill, generation, id);
        }
        outcome
    }

    /// Sweeps span `id`, which the caller is about to cache.
    pub(super) fn sweep_for_caching(&mut self, id: SpanId) -> SweepOutcome {
        self.sweep_bits(id)
    }

    fn sweep_bits(&mut self, id: SpanId) -> SweepOutcome {
        let specials = if self.spans[id as usize].has_specials { self.sweep_specials(id) } else { 0 };
        let span = &self.spans[id as usize];
        let marked = self.bits.count(span.mark_bits, span.slot_count);
        self.turn_marks_into_allocation(id);
        let generation = self.sweep.generation;
        let span = &mut self.spans[id as usize];
        assert!(marked <= span.alloc_count, "span {id}: {marked} marked of {} allocated", span.alloc_count);
        let freed = span.alloc_count - marked;
        span.alloc_count = marked;
        span.alloc_count_before_cache = marked;
        span.free_index = 0;
        span.needs_zeroing |= freed > 0;
        span.sweep_generation = generation;
        self.sweep.swept_pages += span.page_count;
        self.stats.freed_bytes += u64::from(freed) * span.elem_bytes;
        self.stats.frees += u64::from(freed);
        SweepOutcome {
            full_spans: u32::from(freed == 0),
            partly_free_spans: u32::from(freed > 0),
            specials,
            ..SweepOutcome::default()
        }
    }

    /// Revives the unmarked objects of a span that have finalizers and queues those; carries out the other records of the
    /// unmarked objects without. Returns how many records there were.
    fn sweep_specials(&mut self, id: SpanId) -> u32 {
        let span = &self.spans[id as usize];
        let unmarked: Vec<ObjRef> = (0..span.slot_count)
            .map(|index| ObjRef::new(id, index))
            .filter(|obj| self.has_specials(*obj) && !self.bits.is_set(span.mark_bits, obj.index()))
            .collect();
        let mut records = 0;
        for obj in unmarked {
            let finalizer = self.finalizers.get_mut(&obj).and_then(Option::take);
            if let Some(finalizer) = finalizer {
                self.bits.set(self.spans[id as usize].mark_bits, obj.index());
                self.finalizer_queue.push((obj, finalizer));
                self.stats.special_bytes -= self.version.finalizer_record_bytes();
                records += 1;
            }
            records += self.sweep_attachments(obj, finalizer.is_some());
        }
        let left =
            (0..self.spans[id as usize].slot_count).any(|index| self.has_specials(ObjRef::new(id, index)));
        self.spans[id as usize].has_specials = left;
        records
    }

    /// The object dies, or is revived by a finalizer: then only its weak pointers become nil.
    fn sweep_attachments(&mut self, obj: ObjRef, is_revived: bool) -> u32 {
        let Some(attachments) = self.attachments.swap_remove(&obj) else { return 0 };
        let (kept, due): (Vec<Attachment>, Vec<Attachment>) =
            attachments.into_iter().partition(|record| is_revived && record.kind == AttachmentKind::Cleanup);
        for record in &due {
            self.stats.special_bytes -= record.kind.record_bytes(self.version);
            if record.kind == AttachmentKind::Cleanup && !record.held.is_nil() {
                self.cleanup_queue.push(record.held);
            }
        }
        if !kept.is_empty() {
            self.attachments.insert(obj, kept);
        }
        due.len() as u32
    }

    /// Adds a cleanup or a weak pointer to an object.
    pub fn attach(&mut self, object: ObjRef, attachment: Attachment) {
        self.spans[object.span() as usize].has_specials = true;
        self.stats.add_special(attachment.kind.record_bytes(self.version));
        self.attachments.entry(object).or_default().push(attachment);
    }

    /// The handle of the weak pointers to an object, if it has any.
    pub fn weak_handle(&self, object: ObjRef) -> Option<ObjRef> {
        let attachments = self.attachments.get(&object)?;
        attachments.iter().find(|record| record.kind == AttachmentKind::Weak).map(|record| record.held)
    }

    /// What cleanups and weak pointers hold, in an order that follows from the run alone.
    pub fn held_by_attachments(&self) -> impl Iterator<Item = ObjRef> {
        self.attachments.values().flatten().map(|record| record.held).filter(|held| !held.is_nil())
    }

    /// Sets a finalizer on an object.
    pub fn set_finalizer(&mut self, object: ObjRef, finalizer: Finalizer) {
        self.spans[object.span() as usize].has_specials = true;
        if self.finalizers.get(&object).is_none_or(Option::is_none) {
            self.stats.add_special(self.version.finalizer_record_bytes());
        }
        if self.finalizers.insert(object, Some(finalizer)) == Some(None) {
            self.finalizers.move_index(
                self.finalizers.get_index_of(&object).expect("just inserted"),
                self.finalizers.len() - 1,
            );
        }
    }

    fn has_specials(&self, object: ObjRef) -> bool {
        self.finalizers.get(&object).is_some_and(Option::is_some) || self.attachments.contains_key(&object)
    }

    /// The objects that have finalizers, in the order these were set.
    pub fn finalized_objects(&self) -> impl Iterator<Item = ObjRef> {
        self.finalizers.iter().filter(|(_, finalizer)| finalizer.is_some()).map(|(object, _)| *object)
    }

    /// Runs the cleanups that are due; takes the finalizers that are due and returns the objects that they keep alive for good.
    pub fn run_finalizers(&mut self) -> Vec<ObjRef> {
        self.finalizers.retain(|_, finalizer| finalizer.is_some());
        self.cleanup_queue.clear();
        let queue = std::mem::take(&mut self.finalizer_queue);
        queue
            .into_iter()
            .filter(|(_, f)| f.action == FinalizerAction::Resurrect)
            .map(|(obj, _)| obj)
            .collect()
    }

    /// Sweeps spans in which nothing was marked, in address order, until `page_count` pages are free.
    pub fn reclaim(&mut self, page_count: u64) -> SweepOutcome {
        let mut outcome = SweepOutcome::default();
        let mut wanted_pages = page_count;
        let arena_pages = self.pages.mapped_pages().next_multiple_of(PAGES_PER_ARENA);
        while wanted_pages > 0 {
            let take = wanted_pages.min(self.sweep.reclaim_credit_pages);
            if take > 0 {
                self.sweep.reclaim_credit_pages -= take;
                wanted_pages -= take;
                continue;
            }
            let Some(first_page) = self.sweep.reclaim_page else { break };
            if first_page >= arena_pages {
                self.sweep.reclaim_page = None;
                break;
            }
            self.sweep.reclaim_page = Some(first_page + PAGES_PER_RECLAIM_STEP);
            let step = self.reclaim_step(first_page);
            let used_pages = step.freed_pages.min(wanted_pages);
            wanted_pages -= used_pages;
            self.sweep.reclaim_credit_pages += step.freed_pages - used_pages;
            outcome.add(step);
        }
        outcome
    }

    fn reclaim_step(&mut self, first_page: u64) -> SweepOutcome {
        let mut outcome = SweepOutcome::default();
        for page in first_page..first_page + PAGES_PER_RECLAIM_STEP {
            if let Some(id) = self.span_starting_at(page)
                && self.needs_sweep(id)
                && self.is_unmarked(&self.spans[id as usize])
            {
                outcome.add(self.sweep_span(id));
            }
        }
        outcome
    }

    fn is_unmarked(&self, span: &Mspan) -> bool {
        self.bits.count(span.mark_bits, span.slot_count) == 0
    }
}
