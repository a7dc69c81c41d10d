//! Allocation in virtual time: `mallocgc` with everything that Go hangs on it.
//!
//! ```text
//! small:  [charge assist credit] -> slot of the cached span
//!         span full: pay sweep debt -> refill -> [scavenge for a new span] -> heap_live moves -> slot -> test the trigger
//! large:  [charge assist credit] -> pay sweep debt -> reclaim -> new span -> heap_live moves -> clear -> test the trigger
//!         since 1.24: ... -> heap_live moves -> test the trigger -> clear
//! ```
//!
//! Objects are handed out by runs of neighbouring slots; a run ends where the next object could see another state of the
//! collector: at the end of a span, at the end of the assist credit, and after the object that may start a cycle.
//!
//! Sources: `runtime/malloc.go` `mallocgc`, `runtime/mcache.go`, `runtime/mheap.go` `allocSpan`, Go 1.23.9.

use super::Process;
use crate::heap::malloc::{AllocColor, Prepared, Run, is_tiny};
use crate::heap::mcache::TINY_BLOCK_BYTES;
use crate::heap::mheap::NewSpan;
use crate::heap::object::{Layout, ObjRef};
use crate::heap::size_class::{ScanKind, SpanClass};
use crate::heap::sweep::SweepOutcome;
use crate::trace::CycleKind;
use crate::units::PAGE_BYTES;

impl Process {
    /// Allocates one object.
    pub(super) fn alloc_one(&mut self, layout: Layout) -> ObjRef {
        self.alloc_run(layout, 1).first()
    }

    /// Allocates between 1 and `limit` (at least 1) objects of `layout` that are neighbours in one span.
    #[inline]
    pub fn alloc_run(&mut self, layout: Layout, limit: u32) -> Run {
        if is_tiny(layout) {
            return self.alloc_tiny(layout);
        }
        match self.heap.span_class_of(layout) {
            Some(span_class) => self.alloc_small(layout, span_class, limit),
            None => self.alloc_large(layout),
        }
    }

    fn alloc_tiny(&mut self, layout: Layout) -> Run {
        let cache = self.cache();
        if self.marker.is_marking() {
            self.charge_assist(layout.size_bytes, 1);
        }
        if let Some(block) = self.heap.alloc_tiny(cache, layout.size_bytes) {
            self.spend_cpu_ns(self.costs.allocation.malloc_tiny_ns);
            return Run::of_one(block);
        }
        let block_layout = Layout::noscan(TINY_BLOCK_BYTES);
        let span_class = self.heap.span_class_of(block_layout).expect("16 bytes are small");
        let run = self.alloc_small(block_layout, span_class, 1);
        self.heap.adopt_tiny_block(cache, run.first(), layout.size_bytes);
        run
    }

    #[inline]
    fn alloc_small(&mut self, layout: Layout, span_class: SpanClass, limit: u32) -> Run {
        let elem_bytes = span_class.size_class().expect("a small span class").elem_bytes();
        if !self.marker.is_marking() {
            // The usual case: the cached span has room, and nobody looks.
            let cache = self.cache();
            if let Some(run) = self.heap.alloc_run(cache, span_class, layout, limit, AllocColor::White) {
                self.pay_for_run(run, span_class, elem_bytes);
                return run;
            }
        }
        self.alloc_small_by_the_book(layout, span_class, elem_bytes, limit)
    }

    #[inline(never)]
    fn alloc_small_by_the_book(
        &mut self,
        layout: Layout,
        span_class: SpanClass,
        elem_bytes: u64,
        limit: u32,
    ) -> Run {
        let paid = if self.marker.is_marking() { self.charge_assist(elem_bytes, limit) } else { limit };
        let mut test_trigger = false;
        let run = loop {
            // A goroutine may find itself on another P after a refill, with another cache.
            let (cache, color) = (self.cache(), self.color());
            let limit = if test_trigger { 1 } else { paid };
            if let Some(run) = self.heap.alloc_run(cache, span_class, layout, limit, color) {
                break run;
            }
            self.refill(span_class);
            test_trigger = !self.marker.is_marking() && self.is_past_trigger();
        };
        self.refund_assist(elem_bytes, paid - run.count());
        if self.marker.is_marking() {
            self.marker.note_black_allocation(u64::from(run.count()), elem_bytes);
        }
        self.pay_for_run(run, span_class, elem_bytes);
        if test_trigger && !self.marker.is_marking() {
            self.start_cycle_for(run.first());
        }
        run
    }

    /// Makes the memory of a run ready, and spends what that and its allocation cost.
    #[inline]
    fn pay_for_run(&mut self, run: Run, span_class: SpanClass, elem_bytes: u64) {
        let prepared = self.heap.prepare_run(run);
        let cpu_ns = self.small_object_ns(elem_bytes, span_class.kind(), u64::from(run.count()));
        self.spend_on_preparation(cpu_ns, prepared);
    }

    fn alloc_large(&mut self, layout: Layout) -> Run {
        let page_count = layout.size_bytes.div_ceil(PAGE_BYTES);
        let elem_bytes = page_count * PAGE_BYTES;
        if self.marker.is_marking() {
            self.charge_assist(elem_bytes, 1);
        }
        self.pay_sweep_debt(elem_bytes, page_count);
        if self.heap.sweep.is_running() {
            let reclaimed = self.heap.reclaim(page_count);
            self.spend_cpu_ns(self.sweep_ns(reclaimed));
        }
        let cache = self.cache();
        let (object, new_span) = self.heap.alloc_large(cache, layout, self.color());
        self.count_metadata();
        self.scavenge_for(new_span);
        if self.marker.is_marking() {
            self.marker.note_black_allocation(1, elem_bytes);
        }
        let scan_bytes = std::mem::take(&mut self.heap.caches[cache].scan_alloc_bytes);
        self.move_heap_live(elem_bytes as i64, scan_bytes);
        if self.settings.version.tests_trigger_before_clearing() {
            self.start_cycle_if_due(object);
            self.clear_large(object, layout);
        } else {
            self.clear_large(object, layout);
            self.start_cycle_if_due(object);
        }
        Run::of_one(object)
    }

    fn clear_large(&mut self, object: ObjRef, layout: Layout) {
        let prepared = self.heap.prepare_large(object, layout);
        let cpu_ns = self.large_object_ns(object, ScanKind::of(layout));
        self.spend_on_preparation(cpu_ns, Prepared { faulted_pages: 0, ..prepared });
        if prepared.faulted_pages > 0 {
            self.copy_into_fresh(prepared.faulted_pages);
            self.enforce_container_limit();
        }
    }

    fn start_cycle_if_due(&mut self, object: ObjRef) {
        if !self.marker.is_marking() && self.is_past_trigger() {
            self.start_cycle_for(object);
        }
    }

    /// Trades the cached span of `span_class` for one with room.
    fn refill(&mut self, span_class: SpanClass) {
        self.catch_up();
        self.pay_sweep_debt(self.heap.refill_span_bytes(span_class), 0);
        let refill = self.heap.refill(self.cache(), span_class);
        if let Some(new_span) = refill.new_span {
            self.count_metadata();
            self.scavenge_for(new_span);
        }
        self.count_metadata();
        self.move_heap_live(refill.heap_live_bytes as i64, refill.heap_scan_bytes);
        let cpu_ns = self.sweep_ns(refill.swept) + self.refill_ns(span_class);
        self.spend_cpu_ns(cpu_ns);
    }

    /// Sweeps in proportion to an allocation of `span_bytes` (`deductSweepCredit`).
    fn pay_sweep_debt(&mut self, span_bytes: u64, already_swept_pages: u64) {
        let mut swept = SweepOutcome::default();
        while self.heap.sweep.is_running()
            && self.sweep_pace.must_sweep(
                span_bytes,
                already_swept_pages,
                self.pacer.heap_live_bytes(),
                self.heap.sweep.swept_pages,
            )
        {
            match self.heap.sweep_one() {
                Some(outcome) => swept.add(outcome),
                None => self.finish_sweep(),
            }
        }
        if swept != SweepOutcome::default() {
            self.count_metadata();
            self.spend_cpu_ns(self.sweep_ns(swept));
        }
    }

    /// Tells the pacer that cached or large spans have come or gone.
    pub(super) fn move_heap_live(&mut self, bytes: i64, scan_bytes: u64) {
        self.pacer.add_heap_live(bytes);
        if self.marker.is_marking() {
            self.revise();
        } else {
            self.pacer.add_heap_scan(scan_bytes as i64);
        }
    }

    /// Whether a cycle is due.
    fn is_past_trigger(&self) -> bool {
        self.pacer.heap_live_bytes() >= self.pacer.trigger(&self.memory_state()).trigger_bytes
    }

    /// Starts a cycle from the allocation of `object`, which only the allocating goroutine's registers hold yet.
    fn start_cycle_for(&mut self, object: ObjRef) {
        self.goroutines[self.current].locals.push(object);
        self.start_cycle(CycleKind::Heap);
        self.goroutines[self.current].locals.pop();
    }

    fn color(&self) -> AllocColor {
        if self.marker.is_marking() { AllocColor::Black } else { AllocColor::White }
    }

    #[inline]
    fn spend_on_preparation(&mut self, cpu_ns: f64, prepared: Prepared) {
        if prepared == Prepared::default() {
            return self.spend_cpu_ns(cpu_ns);
        }
        self.spend_cpu_ns(cpu_ns + self.preparation_ns(prepared));
        if prepared.faulted_pages > 0 {
            self.first_pointers(prepared.header_pages);
            self.enforce_container_limit();
        }
    }

    /// Returns memory to the system because a new span grew the heap or crossed the memory limit.
    pub(super) fn scavenge_for(&mut self, new_span: NewSpan) {
        if new_span.growth_bytes == 0
            && new_span.scavenged_bytes == 0
            && self.settings.memory_limit_bytes.is_none()
        {
            return;
        }
        self.scavenge_synchronously(new_span);
    }
}
