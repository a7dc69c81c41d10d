//! Allocation in virtual time: `mallocgc` with everything that Go hangs on it.
//!
//! ```text
//! small:  [charge assist credit] -> slot of the cached span
//!         span full: pay sweep debt -> refill -> [scavenge for a new span] -> heap_live moves -> slot -> test the trigger
//! large:  [charge assist credit] -> pay sweep debt -> reclaim -> new span -> heap_live moves -> clear -> test the trigger
//! ```
//!
//! Objects are handed out by runs of neighbouring slots; a run ends where the next object could see another state of the
//! collector: at the end of a span, at the end of the assist credit, and after the object that may start a cycle.
//!
//! Sources: `runtime/malloc.go` `mallocgc`, `runtime/mcache.go`, `runtime/mheap.go` `allocSpan`, Go 1.23.9.

use super::Process;
use crate::heap::malloc::{AllocColor, Prepared, Run, is_tiny};
use crate::heap::mheap::NewSpan;
use crate::heap::object::{Layout, ObjRef};
use crate::heap::size_class::SpanClass;
use crate::trace::CycleKind;
use crate::units::PAGE_BYTES;

/// Pages swept by one payment before the background is brought up to date.
const TINY_SPAN_SIZE_BYTES: u64 = 16;

impl Process {
    /// Allocates one object.
    pub(super) fn alloc_one(&mut self, layout: Layout) -> ObjRef {
        let run = self.alloc_run(layout, 1);
        ObjRef::new(run.span, run.start)
    }

    /// Allocates between 1 and `limit` (at least 1) objects of `layout` that are neighbours in one span.
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
            self.spend_cpu_ns(self.costs.tiny_malloc_ns());
            return Run { span: block.span(), start: block.index(), end: block.index() + 1 };
        }
        let block_layout = Layout::noscan(TINY_SPAN_SIZE_BYTES);
        let span_class = self.heap.span_class_of(block_layout).expect("16 bytes are small");
        let run = self.alloc_small(block_layout, span_class, 1);
        let block = ObjRef::new(run.span, run.start);
        self.heap.adopt_tiny_block(cache, block, layout.size_bytes);
        run
    }

    fn alloc_small(&mut self, layout: Layout, span_class: SpanClass, limit: u32) -> Run {
        let elem_bytes = span_class.size_class().expect("a small span class").elem_bytes();
        let paid = if self.marker.is_marking() { self.charge_assist(elem_bytes, limit) } else { limit };
        let cache = self.cache();
        let color = self.color();
        let mut test_trigger = false;
        let run = match self.heap.alloc_run(cache, span_class, layout, paid, color) {
            Some(run) => run,
            None => {
                self.refill(span_class);
                let color = self.color();
                test_trigger = !self.marker.is_marking() && self.is_past_trigger();
                let limit = if test_trigger { 1 } else { paid };
                self.heap
                    .alloc_run(cache, span_class, layout, limit, color)
                    .expect("a refilled span has a free slot")
            }
        };
        self.refund_assist(elem_bytes, paid - run.count());
        if self.marker.is_marking() {
            self.marker.note_black_allocation(u64::from(run.count()), elem_bytes);
        }
        let prepared = self.heap.prepare_run(run);
        let cpu_ns = self.costs.malloc_ns(elem_bytes, span_class.kind(), u64::from(run.count()));
        self.spend_on_preparation(cpu_ns, prepared);
        if test_trigger {
            self.start_cycle_for(ObjRef::new(run.span, run.start));
        }
        run
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
            self.spend_cpu_ns(self.costs.sweep_ns(reclaimed.swept_spans, reclaimed.freed_slots));
        }
        let cache = self.cache();
        let (object, new_span) = self.heap.alloc_large(cache, layout, self.color());
        self.scavenge_for(new_span);
        if self.marker.is_marking() {
            self.marker.note_black_allocation(1, elem_bytes);
        }
        let scan_bytes = std::mem::take(&mut self.heap.caches[cache].scan_alloc_bytes);
        self.move_heap_live(elem_bytes as i64, scan_bytes);
        let prepared = self.heap.prepare_large(object, layout);
        self.spend_on_preparation(self.costs.large_alloc_ns(page_count), prepared);
        if !self.marker.is_marking() && self.is_past_trigger() {
            self.start_cycle_for(object);
        }
        Run { span: object.span(), start: 0, end: 1 }
    }

    /// Trades the cached span of `span_class` for one with room.
    fn refill(&mut self, span_class: SpanClass) {
        self.catch_up();
        self.pay_sweep_debt(self.heap.refill_span_bytes(span_class), 0);
        let refill = self.heap.refill(self.cache(), span_class);
        let sweep_ns = self.costs.sweep_ns(refill.swept_spans, refill.freed_slots);
        let span_ns = match refill.new_span {
            Some(new_span) => {
                self.scavenge_for(new_span);
                self.costs.new_span_ns(new_span.page_count)
            }
            None => self.costs.refill_ns(),
        };
        self.move_heap_live(refill.heap_live_bytes as i64, refill.heap_scan_bytes);
        self.spend_cpu_ns(sweep_ns + span_ns);
    }

    /// Sweeps in proportion to an allocation of `span_bytes` (`deductSweepCredit`).
    fn pay_sweep_debt(&mut self, span_bytes: u64, already_swept_pages: u64) {
        let mut swept_spans = 0;
        let mut freed_slots = 0;
        while self.heap.sweep.is_running()
            && self.sweep_pace.must_sweep(
                span_bytes,
                already_swept_pages,
                self.pacer.heap_live_bytes(),
                self.heap.sweep.swept_pages,
            )
        {
            match self.heap.sweep_one() {
                Some(outcome) => {
                    swept_spans += outcome.swept_spans;
                    freed_slots += outcome.freed_slots;
                }
                None => self.finish_sweep(),
            }
        }
        if swept_spans > 0 {
            self.spend_cpu_ns(self.costs.sweep_ns(swept_spans, freed_slots));
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

    fn spend_on_preparation(&mut self, cpu_ns: f64, prepared: Prepared) {
        let physical_ns =
            self.costs.zero_ns(prepared.zeroed_bytes) + self.costs.fault_ns(prepared.faulted_pages);
        self.spend_cpu_ns(cpu_ns + physical_ns);
    }

    /// Returns memory to the system because a new span grew the heap or crossed the memory limit.
    pub(super) fn scavenge_for(&mut self, new_span: NewSpan) {
        self.count_metadata();
        if new_span.growth_bytes == 0 && new_span.scavenged_bytes == 0 && self.settings.memory_limit_bytes.is_none() {
            return;
        }
        self.scavenge_synchronously(new_span);
    }
}
