//! The line that Go prints for each cycle under `GODEBUG=gctrace=1`, character for character.
//!
//! `gc N @Ts U%: a+b+c ms clock, d+e/f/g+h ms cpu, A->B->C MB, G MB goal, S MB stacks, D MB globals, P P`
//!
//! 1. T is the start of the cycle in seconds, cut to milliseconds; U the whole percents of GCCPUFraction.
//! 2. a, b, c are wall time: world stopped for sweep termination, concurrent marking, world stopped for mark termination.
//! 3. d and h are a and c times the processors that stood still; e assists, f dedicated and fractional workers, g idle ones.
//! 4. A, B, C are heap_live at the start and the end, and bytes marked; all sizes are whole MiB, cut.
//! 5. A forced cycle ends in ` (forced)`; one that two minutes of idleness caused is preceded by a line `GC forced`.
//!
//! Sources: `runtime/mgc.go` (end of `gcMarkTermination`), `runtime/mgc.go` (`fmtNSAsMS`), `runtime/proc.go`
//! (`forcegchelper`), Go 1.23.9.

use std::fmt::Write;

use super::{Cycle, CycleKind, Trace};
use crate::units::{MIB, MILLISECOND_NS};

/// The lines of all cycles of a run, each with its line end.
pub fn gctrace(trace: &Trace) -> String {
    trace.cycles.iter().map(|cycle| gctrace_lines(cycle, trace.config.cores)).collect()
}

/// The line of one cycle, and the one before it if two idle minutes caused it, each with its line end.
pub fn gctrace_lines(cycle: &Cycle, cores: u32) -> String {
    let sweep_termination_ns = cycle.mark_start_ns.saturating_sub(cycle.start_ns);
    let mark_ns = cycle.mark_end_ns.saturating_sub(cycle.mark_start_ns);
    let mark_termination_ns = cycle.end_ns.saturating_sub(cycle.mark_end_ns);
    let stopped_procs = u64::from(cycle.procs.min(cores));
    let clock = [sweep_termination_ns, mark_ns, mark_termination_ns].map(milliseconds).join("+");
    let start_ms = cycle.start_ns / MILLISECOND_NS;

    let mut text = String::new();
    if cycle.kind == CycleKind::Time {
        text.push_str("GC forced\n");
    }
    let _ = write!(
        text,
        "gc {} @{}.{:03}s {}%: {clock} ms clock, {}+{}/{}/{}+{} ms cpu, {}->{}->{} MB, {} MB goal, \
         {} MB stacks, {} MB globals, {} P",
        cycle.number,
        start_ms / 1000,
        start_ms % 1000,
        (cycle.gc_cpu_fraction * 100.0) as u64,
        milliseconds(sweep_termination_ns * stopped_procs),
        milliseconds(cycle.assist_cpu_ns),
        milliseconds(cycle.dedicated_cpu_ns + cycle.fractional_cpu_ns),
        milliseconds(cycle.idle_cpu_ns),
        milliseconds(mark_termination_ns * stopped_procs),
        cycle.heap_start_bytes / MIB,
        cycle.heap_end_bytes / MIB,
        cycle.heap_marked_bytes / MIB,
        cycle.goal_bytes / MIB,
        cycle.stack_scan_work_bytes / MIB,
        cycle.globals_scan_work_bytes / MIB,
        cycle.procs,
    );
    text.push_str(if cycle.kind == CycleKind::Forced { " (forced)\n" } else { "\n" });
    text
}

/// Nanoseconds as milliseconds with two digits that count; whole milliseconds from 10 ms; nothing is rounded up.
fn milliseconds(ns: u64) -> String {
    if ns >= 10 * MILLISECOND_NS {
        return (ns / MILLISECOND_NS).to_string();
    }
    let mut digits = ns / 1000;
    if digits == 0 {
        return "0".to_owned();
    }
    let mut decimals = 3;
    while digits >= 100 {
        digits /= 10;
        decimals -= 1;
    }
    if decimals == 0 {
        return digits.to_string();
    }
    let scale = 10u64.pow(decimals);
    format!("{}.{:0width$}", digits / scale, digits % scale, width = decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_have_two_digits_and_are_cut() {
        for (ns, text) in [
            (87_000, "0.087"),
            (560_000, "0.56"),
            (1_234_000, "1.2"),
            (12_900_000, "12"),
            (999, "0"),
            (1000, "0.001"),
            (99_999, "0.099"),
            (100_000, "0.10"),
            (5_400_000, "5.4"),
            (9_999_999, "9.9"),
            (10_000_000, "10"),
        ] {
            assert_eq!(milliseconds(ns), text, "{ns}");
        }
    }

    fn cycle() -> Cycle {
        Cycle {
            number: 4,
            kind: CycleKind::Forced,
            start_ns: 23_900_000,
            mark_start_ns: 23_929_500,
            mark_end_ns: 29_329_500,
            end_ns: 29_337_000,
            sweep_end_ns: None,
            heap_start_bytes: 40 * MIB + 1,
            heap_end_bytes: 40 * MIB + 2,
            heap_marked_bytes: 41 * MIB - 1,
            goal_bytes: 81 * MIB + 5,
            trigger_bytes: 0,
            runway_bytes: 0,
            cons_mark: 0.0,
            heap_scan_work_bytes: 0,
            stack_scan_work_bytes: 8_400,
            globals_scan_work_bytes: 151_216,
            assist_cpu_ns: 0,
            dedicated_cpu_ns: 59_000,
            fractional_cpu_ns: 0,
            idle_cpu_ns: 5_400_000,
            gc_cpu_fraction: 0.259,
            procs: 2,
        }
    }

    #[test]
    fn a_forced_cycle_prints_as_go_prints_it() {
        assert_eq!(
            gctrace_lines(&cycle(), 8),
            "gc 4 @0.023s 25%: 0.029+5.4+0.007 ms clock, 0.059+0/0.059/5.4+0.015 ms cpu, 40->40->40 MB, \
             81 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)\n"
        );
    }

    #[test]
    fn an_idle_cycle_is_announced() {
        let text = gctrace_lines(&Cycle { kind: CycleKind::Time, procs: 8, ..cycle() }, 2);
        assert!(text.starts_with("GC forced\ngc 4 @"), "{text}");
        assert!(text.ends_with(", 8 P\n"), "{text}");
        // Only two of the eight Ps can have stood still.
        assert!(text.contains("ms clock, 0.059+"), "{text}");
    }
}
