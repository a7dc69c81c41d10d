//! Sweeping a span (`programs/sweep`; what `runtime.GC()` adds: `programs/mark`).
//!
//! The least time of a span of 8 KiB, median over objects of 64, 256 and 1024 B: smaller ones have more bits to look at,
//! larger ones are spans of their own.

use super::super::rows::{NoRow, Rows};
use super::super::statistics::median;
use super::Fields;
use crate::cost::Sweeping;

pub(super) fn derive(rows: &Rows, base: &Sweeping, fields: &mut Fields) -> Sweeping {
    let span = |pattern: &str| -> Result<f64, NoRow> {
        let least = |size| rows.min("sweep", &[("pattern", pattern), ("object_bytes", size)], "min_ns");
        Ok(median([least("64")?, least("256")?, least("1024")?]))
    };
    let full_span_ns = fields.price("sweeping.full_span_ns", &base.full_span_ns, || span("live"));
    // A forced cycle over a list of 64 MiB sweeps spans in which everything lives.
    let forced = |procs: &str| -> Result<f64, NoRow> {
        let filter = [("procs", procs), ("shape", "list"), ("object_bytes", "64"), ("heap_mib", "64")];
        Ok(rows.min("mark", &filter, "sweep_ns_per_page")? - full_span_ns)
    };
    Sweeping {
        partly_free_span_ns: fields
            .price("sweeping.partly_free_span_ns", &base.partly_free_span_ns, || span("half")),
        freed_span_ns: fields.price("sweeping.freed_span_ns", &base.freed_span_ns, || span("dead")),
        forced_yield_one_proc_ns: fields.difference(
            "sweeping.forced_yield_one_proc_ns",
            base.forced_yield_one_proc_ns,
            || forced("1"),
        ),
        forced_yield_many_procs_ns: fields.difference(
            "sweeping.forced_yield_many_procs_ns",
            base.forced_yield_many_procs_ns,
            || forced("2"),
        ),
        // Not derived: measured once, by a program that gives 100,000 objects of 64 B finalizers.
        special_one_proc_ns: base.special_one_proc_ns,
        special_many_procs_ns: base.special_many_procs_ns,
        full_span_ns,
    }
}
