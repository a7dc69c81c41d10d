//! What work costs in virtual nanoseconds: one documented table. (Temporary.)
use crate::gc::mark::MarkCosts;
use crate::heap::mutator::Operation;
use crate::heap::size_class::ScanKind;
use crate::version::GoVersion;
/// Costs.
pub struct CostModel;
#[allow(missing_docs)]
impl CostModel {
    pub fn of(_: GoVersion) -> CostModel { CostModel }
    pub fn fault_ns(&self, pages: u64) -> f64 { 1400.0 * pages as f64 }
    pub fn zero_ns(&self, bytes: u64) -> f64 { 0.105 * bytes as f64 }
    pub fn madvise_ns(&self, pages: u64) -> f64 { 189.0 + 105.0 * pages as f64 }
    pub fn tiny_malloc_ns(&self) -> f64 { 10.0 }
    pub fn malloc_ns(&self, _elem_bytes: u64, kind: ScanKind, count: u64) -> f64 { (if kind == ScanKind::Scan { 17.0 } else { 13.0 }) * count as f64 }
    pub fn large_alloc_ns(&self, pages: u64) -> f64 { 500.0 + pages as f64 * 2.0 }
    pub fn sweep_ns(&self, spans: u32, _slots: u32) -> f64 { 100.0 * f64::from(spans) }
    pub fn new_span_ns(&self, _pages: u64) -> f64 { 262.0 }
    pub fn refill_ns(&self) -> f64 { 100.0 }
    pub fn operation_ns(&self, _op: Operation, count: u64, _ws: u64) -> f64 { 75.0 * count as f64 }
    pub fn mark_costs(&self, _heap: u64) -> MarkCosts { MarkCosts { grey_object_ns: 8.0, scan_object_ns: 6.0, scan_byte_ns: 0.27, seen_pointer_ns: 6.0, stall_in_order_ns: 8.0, stall_scattered_ns: 150.0 } }
    pub fn stop_for_mark_ns(&self, _p: u32) -> f64 { 10_000.0 }
    pub fn stop_for_termination_ns(&self, _p: u32) -> f64 { 10_000.0 }
    pub fn worker_wake_ns(&self) -> f64 { 20_000.0 }
    pub fn mutator_slowdown_while_marking(&self) -> f64 { 1.0 }
    pub fn read_mem_stats_ns(&self) -> f64 { 4_000.0 }
}
