//! Reading the lines that `GODEBUG=gctrace=1` prints, as Go 1.21 to 1.27 write them.
//!
//! `gc N @Ts U%: ... ms clock, ... ms cpu, A->B->C MB, G MB goal, ... P (forced)`: the number of the cycle, its start
//! since the start of the process, heap at the start, at the end and marked, and the goal; whole MiB. Fields are found
//! by their names, not by their places, so that a version that adds one is read as well. A cycle after a line
//! `GC forced` began because two minutes had passed. Everything else on stderr belongs to somebody else.

use serde::{Deserialize, Serialize};

use crate::units::MILLISECOND_NS;

/// A cycle as one line tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedCycle {
    /// From 1.
    pub number: u32,
    /// Since the start of the process, in nanoseconds, cut to milliseconds.
    pub start_ns: u64,
    /// Heap when it began.
    pub start_mib: u64,
    /// Heap at mark termination.
    pub end_mib: u64,
    /// What was marked.
    pub marked_mib: u64,
    /// The goal.
    pub goal_mib: u64,
    /// Whether the program asked for it.
    pub forced: bool,
    /// Whether two idle minutes asked for it.
    pub timed: bool,
}

/// All cycles in `text`, or the first line that begins as one and does not go on so. A last line without its end is one that
/// the process could not finish.
///
/// # Errors
/// The line that cannot be read.
pub fn parse(text: &str) -> Result<Vec<TracedCycle>, String> {
    let mut cycles = Vec::new();
    let mut timed = false;
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break };
        if line == "GC forced" {
            timed = true;
        } else if is_cycle(line) {
            let cycle = cycle(line).ok_or_else(|| format!("not a gctrace line: {line:?}"))?;
            cycles.push(TracedCycle { timed, ..cycle });
            timed = false;
        }
    }
    Ok(cycles)
}

fn is_cycle(line: &str) -> bool {
    line.strip_prefix("gc ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn cycle(line: &str) -> Option<TracedCycle> {
    let (head, fields) = line.split_once(": ")?;
    let mut words = head.split_whitespace().skip(1);
    let number = words.next()?.parse().ok()?;
    let start_ns = milliseconds(words.next()?.strip_prefix('@')?.strip_suffix('s')?)? * MILLISECOND_NS;
    let named = |name: &str| fields.split(", ").find_map(|field| field.strip_suffix(name));
    let mut heap = named(" MB")?.split("->").map(|size| size.parse::<u64>().ok());
    let (start_mib, end_mib, marked_mib) = (heap.next()??, heap.next()??, heap.next()??);
    let goal_mib = named(" MB goal")?.parse().ok()?;
    let forced = line.ends_with("(forced)");
    Some(TracedCycle { number, start_ns, start_mib, end_mib, marked_mib, goal_mib, forced, timed: false })
}

/// `0.023` seconds are 23.
fn milliseconds(seconds: &str) -> Option<u64> {
    let (whole, parts) = seconds.split_once('.')?;
    let parts = (parts.len() == 3).then_some(parts)?;
    Some(1000 * whole.parse::<u64>().ok()? + parts.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Cycle, CycleKind, gctrace_lines};
    use crate::units::MIB;
    use proptest::prelude::*;

    #[test]
    fn lines_of_real_go_are_read() {
        let text = "hello\ngc 1 @0.000s 2%: 0.007+0.21+0.004 ms clock, 0.015+0/0.13/0+0.009 ms cpu, 3->4->3 MB, 4 MB \
                    goal, 0 MB stacks, 0 MB globals, 2 P\n\
                    GC forced\n\
                    gc 12 @121.304s 0%: 0.029+5.4+0.007 ms clock, 0.059+0/0.059/5.4+0.015 ms cpu, 40->41->39 MB, 81 MB \
                    goal, 0 MB stacks, 0 MB globals, 2 P\n\
                    gc 13 @122.000s 0%: 0.029+5.4+0.007 ms clock, 0.059+0/0.059/5.4+0.015 ms cpu, 512->512->0 MB, 1025 \
                    MB goal, 0 MB stacks, 0 MB globals, 16 P (forced)\n\
                    gc 14 @12";
        let cycles = parse(text).unwrap();
        let shape =
            |c: &TracedCycle| (c.number, c.start_mib, c.end_mib, c.marked_mib, c.goal_mib, c.forced, c.timed);
        assert_eq!(
            cycles.iter().map(shape).collect::<Vec<_>>(),
            [
                (1, 3, 4, 3, 4, false, false),
                (12, 40, 41, 39, 81, false, true),
                (13, 512, 512, 0, 1025, true, false)
            ]
        );
        assert_eq!(cycles[1].start_ns, 121_304 * MILLISECOND_NS);
    }

    #[test]
    fn a_line_that_breaks_off_in_the_middle_is_an_error() {
        for line in [
            "gc 1 @0.000s 2%: 3->4 MB, 4 MB goal\n",
            "gc 1 @x\n",
            "gc 1 @0.1s 2%: 3->4->3 MB, 4 MB goal, 2 P\n",
        ] {
            assert!(parse(line).unwrap_err().contains("gc 1"), "{line}");
        }
        assert_eq!(parse("gc is on\nscvg: 8 MB released\n").unwrap(), []);
    }

    proptest! {
        #[test]
        fn what_the_simulator_prints_reads_back(
            sizes in prop::array::uniform4(0u64..1 << 36),
            start_ms in 0u64..10_000_000,
            number in 1u32..10_000,
            kind in prop::sample::select(vec![CycleKind::Heap, CycleKind::Time, CycleKind::Forced]),
        ) {
            let [heap_start_bytes, heap_end_bytes, heap_marked_bytes, goal_bytes] = sizes;
            let start_ns = start_ms * MILLISECOND_NS;
            let cycle = Cycle {
                number, kind, start_ns, mark_start_ns: start_ns + 1, mark_end_ns: start_ns + 2, end_ns: start_ns + 3,
                sweep_end_ns: None, heap_start_bytes, heap_end_bytes, heap_marked_bytes, goal_bytes, trigger_bytes: 0,
                runway_bytes: 0, cons_mark: 0.0, heap_scan_work_bytes: 0, stack_scan_work_bytes: 0,
                globals_scan_work_bytes: 0, assist_cpu_ns: 0, dedicated_cpu_ns: 0, fractional_cpu_ns: 0,
                idle_cpu_ns: 0, gc_cpu_fraction: 0.1, procs: 2,
            };
            let read = parse(&gctrace_lines(&cycle, 2)).unwrap();
            prop_assert_eq!(read, [TracedCycle {
                number, start_ns,
                start_mib: heap_start_bytes / MIB, end_mib: heap_end_bytes / MIB,
                marked_mib: heap_marked_bytes / MIB, goal_mib: goal_bytes / MIB,
                forced: kind == CycleKind::Forced, timed: kind == CycleKind::Time,
            }]);
        }
    }
}
