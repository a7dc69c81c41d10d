//! What the process's work costs in virtual nanoseconds: measured prices ([`crate::cost`]) applied to the state of the heap.
//!
//! Prices depend on which cache answers, so each of them is asked for with a working set: the bytes that the work wanders
//! over. Allocation comes round to the same memory once a cycle, so its working set is what is allocated between cycles.

use super::Process;
use crate::cost::{self, PointerMap, RecentPrice, SpanSource};
use crate::heap::malloc::Prepared;
use crate::heap::mutator::Operation;
use crate::heap::object::ObjRef;
use crate::heap::size_class::{MAX_BYTES_WITHOUT_HEADER, ScanKind, SpanClass};
use crate::heap::sweep::SweepOutcome;

/// What fetching a recycled span costs more when another P has swept it: its descriptor, bitmaps and the page heap's lists lie
/// in that processor's cache. 4 Mi objects of 256 B beside 64 MiB that live cost 61.8 ns each with two Ps (16 cycles a GiB)
/// where the same prices without this give 49.6, and 32 objects share a span; with one P they agree (52.4 and 53.1).
const SWEPT_ELSEWHERE_NS: f64 = 390.0;

/// Loads of a map that are priced apart, half an entry a bucket each; the last is for all above.
const LOAD_STEPS: usize = 16;

/// A line of a cache.
const CACHE_LINE_BYTES: u64 = 64;

/// Prices asked for last.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentPrices {
    /// What had been allocated when an operation was paid for last.
    allocated_bytes: u64,
    zero_byte: RecentPrice,
    operations: [RecentPrice; Operation::COUNT],
    inserts: [RecentPrice; LOAD_STEPS],
}

impl Process {
    /// The working set of `count` operations that wander over `container_bytes`, while the program goes through fresh
    /// objects between one and the next. Prices were measured with nothing between; a line of the container is met again
    /// after as many operations as the container has lines, and what is allocated meanwhile passes through the cache too:
    ///
    /// ```text
    /// working set = container_bytes * (1 + bytes allocated an operation / 64)
    /// ```
    pub(super) fn working_set_bytes(
        &mut self,
        operation: Operation,
        count: u64,
        container_bytes: u64,
    ) -> u64 {
        let allocated_bytes = self.heap.stats.allocated_bytes;
        let between_bytes = (allocated_bytes - self.recent.allocated_bytes) / count.max(1);
        self.recent.allocated_bytes = allocated_bytes;
        match operation {
            Operation::MapInsert
            | Operation::MapUpdate
            | Operation::MapLookupHit
            | Operation::MapLookupMiss
            | Operation::MapDelete => container_bytes.saturating_mul(1 + between_bytes / CACHE_LINE_BYTES),
            _ => container_bytes,
        }
    }

    /// `count` operations on a container.
    #[inline]
    pub(super) fn operation_ns(&self, operation: Operation, count: u64, working_set_bytes: u64) -> f64 {
        let recent = &self.recent.operations[operation as usize];
        let one_ns =
            recent.at(working_set_bytes, || self.costs.operation_ns(operation, 1, working_set_bytes));
        one_ns * count as f64
    }

    /// `count` inserts of absent keys into buckets that hold `entries_per_bucket` on average.
    #[inline]
    pub(super) fn inserts_ns(&self, count: u64, working_set_bytes: u64, entries_per_bucket: f64) -> f64 {
        let step = ((2.0 * entries_per_bucket) as usize).min(LOAD_STEPS - 1);
        let one_ns = self.recent.inserts[step]
            .at(working_set_bytes, || self.costs.map_insert_ns(1, working_set_bytes, step as f64 / 2.0));
        one_ns * count as f64
    }

    /// `count` small objects in slots of `elem_bytes`, without refill, zeroing and faults.
    #[inline]
    pub(super) fn small_object_ns(&self, elem_bytes: u64, kind: ScanKind, count: u64) -> f64 {
        let black_ns = if self.marker.is_marking() { self.costs.allocation.allocate_black_ns } else { 0.0 };
        self.costs.malloc_ns(elem_bytes, self.pointer_map(elem_bytes, kind), count) + black_ns * count as f64
    }

    /// A large object, without zeroing and faults.
    pub(super) fn large_object_ns(&self, object: ObjRef, kind: ScanKind) -> f64 {
        let span = self.heap.span(object.span());
        self.costs.large_alloc_ns(
            source(span.needs_zeroing),
            self.pointer_map(span.elem_bytes, kind),
            span.elem_bytes,
        )
    }

    #[inline]
    fn pointer_map(&self, elem_bytes: u64, kind: ScanKind) -> PointerMap {
        match kind {
            ScanKind::Noscan => PointerMap::Noscan,
            ScanKind::Scan
                if self.settings.version.has_malloc_header() && elem_bytes > MAX_BYTES_WITHOUT_HEADER =>
            {
                PointerMap::Header
            }
            ScanKind::Scan => PointerMap::Bitmap,
        }
    }

    /// Fetching the span that is cached for `span_class` now.
    pub(super) fn refill_ns(&self, span_class: SpanClass) -> f64 {
        let span = self.heap.span(self.heap.caches[self.cache()].spans[span_class.index()]);
        let refill_ns = self.costs.refill_ns(
            source(span.needs_zeroing),
            span.page_count,
            self.allocation_working_set_bytes(),
        );
        let swept_elsewhere = span.needs_zeroing && self.settings.procs > 1;
        refill_ns + if swept_elsewhere { SWEPT_ELSEWHERE_NS } else { 0.0 }
    }

    /// Clearing memory and faulting it in.
    #[inline]
    pub(super) fn preparation_ns(&self, prepared: Prepared) -> f64 {
        let zero_ns = match prepared.zeroed_bytes {
            0 => 0.0,
            bytes => {
                let working_set_bytes = self.allocation_working_set_bytes();
                let byte_ns =
                    self.recent.zero_byte.at(working_set_bytes, || self.costs.zero_ns(1, working_set_bytes));
                bytes as f64 * byte_ns
            }
        };
        zero_ns + self.costs.fault_ns(prepared.faulted_pages)
    }

    /// Sweeping.
    pub(super) fn sweep_ns(&self, swept: SweepOutcome) -> f64 {
        f64::from(swept.full_spans) * self.costs.sweep_span_ns(cost::SweepOutcome::Full)
            + f64::from(swept.partly_free_spans) * self.costs.sweep_span_ns(cost::SweepOutcome::PartlyFree)
            + f64::from(swept.freed_spans) * self.costs.sweep_span_ns(cost::SweepOutcome::Freed)
            + f64::from(swept.specials) * self.costs.special_ns(u64::from(self.settings.procs))
    }

    /// Latency until a sleeping P has found that there is marking to do: what a cycle on an empty heap costs more when
    /// threads must be woken.
    pub(super) fn worker_wake_ns(&self) -> f64 {
        let procs = u64::from(self.settings.procs);
        self.costs.cycle_fixed_ns(procs) - self.costs.cycle_fixed_ns(1)
    }

    /// Memory that allocation goes through before it comes back to the same place: what the goal leaves room for.
    #[inline]
    fn allocation_working_set_bytes(&self) -> u64 {
        let retained_bytes = self.heap.accounts.retained_bytes();
        let room_bytes = self.pacer.gc_percent_goal_bytes().saturating_sub(self.pacer.heap_marked_bytes());
        retained_bytes.min(room_bytes)
    }
}

fn source(needs_zeroing: bool) -> SpanSource {
    if needs_zeroing { SpanSource::Recycled } else { SpanSource::Fresh }
}
