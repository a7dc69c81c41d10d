//! A cycle of an empty heap, pauses, stopping the world (`programs/mark`, `programs/runtimecosts`,
//! `programs/besidemutator`).
//!
//! With one P everything repeats within a few percent. With more, threads must be stopped and woken, and how long that takes
//! depends on how deep they sleep: from 8 to 100 us for the pauses of a cycle. Of pauses the
//! median is taken: it is what a program meets.

use super::super::rows::{NoRow, Rows};
use super::super::statistics::median;
use super::Fields;
use crate::cost::Cycle;

/// The runtime adds both pauses up; in gctrace lines sweep termination is this share of the sum, with one P and with two.
const SWEEP_TERMINATION_SHARE: f64 = 0.55;

pub(super) fn derive(rows: &Rows, base: &Cycle, fields: &mut Fields) -> Cycle {
    // CPU of the median empty cycle; roots and stacks included.
    let runtime = |procs, what, column| rows.min("runtime", &[("procs", procs), ("what", what)], column);
    let one_pause =
        |share: f64| -> Result<f64, NoRow> { Ok(runtime("1", "both-pauses-of-a-cycle", "min_ns")? * share) };
    let beside_pause = |share: f64| -> Result<f64, NoRow> {
        Ok(rows.min("beside", &[("what", "pauses-ns-per-cycle")], "median_ns")? * share)
    };
    let rest = 1.0 - SWEEP_TERMINATION_SHARE;
    Cycle {
        fixed_one_proc_ns: fields.price("cycle.fixed_one_proc_ns", &base.fixed_one_proc_ns, || {
            let empty = rows.values("mark", &[("procs", "1"), ("shape", "empty")], "mark_cpu_ms")?;
            Ok(median(empty) * 1e6)
        }),
        // Wall time of the fastest: the threads of a program that allocates are awake.
        fixed_many_procs_ns: fields.price("cycle.fixed_many_procs_ns", &base.fixed_many_procs_ns, || {
            Ok(rows.min("mark", &[("procs", "2"), ("shape", "empty")], "mark_ms")? * 1e6)
        }),
        sweep_termination_one_proc_ns: fields.price(
            "cycle.sweep_termination_one_proc_ns",
            &base.sweep_termination_one_proc_ns,
            || one_pause(SWEEP_TERMINATION_SHARE),
        ),
        sweep_termination_many_procs_ns: fields.price(
            "cycle.sweep_termination_many_procs_ns",
            &base.sweep_termination_many_procs_ns,
            || beside_pause(SWEEP_TERMINATION_SHARE),
        ),
        mark_termination_one_proc_ns: fields.price(
            "cycle.mark_termination_one_proc_ns",
            &base.mark_termination_one_proc_ns,
            || one_pause(rest),
        ),
        mark_termination_many_procs_ns: fields.price(
            "cycle.mark_termination_many_procs_ns",
            &base.mark_termination_many_procs_ns,
            || beside_pause(rest),
        ),
        read_mem_stats_one_proc_ns: fields.price(
            "cycle.read_mem_stats_one_proc_ns",
            &base.read_mem_stats_one_proc_ns,
            || runtime("1", "read-mem-stats", "min_ns"),
        ),
        read_mem_stats_many_procs_ns: fields.price(
            "cycle.read_mem_stats_many_procs_ns",
            &base.read_mem_stats_many_procs_ns,
            || runtime("2", "read-mem-stats", "median_ns"),
        ),
    }
}
