//! The assist ratio: how much scan work a goroutine owes for each byte it allocates during a cycle.
//!
//! ```text
//! work per byte = (expected scan work - work done) / (heap goal - heap_live)
//! ```
//!
//! If every allocation pays this, marking ends when the heap reaches the goal. What is *expected* depends on how the cycle
//! goes:
//!
//! 1. As long as less is done than the last cycle needed, this cycle is expected to need the same.
//! 2. Once more is done, the live heap is growing, and everything that could be live is expected to be: all scannable heap,
//!    all stack memory, all globals. The goal moves out in proportion, so that the ratio does not jump, but not beyond
//!    `(1 + GOGC/100) * goal`: the next cycle would need that much memory anyway.
//! 3. Once the live heap is past even that goal, it gets 10 % more.
//!
//! The goal that moves is used here and nowhere else; `NextGC` does not change.
//!
//! Source: `runtime/mgcpacer.go` (`revise`), Go 1.23.9.

use super::float::to_i64;

/// Scan work in bytes that is taken to remain, at least (Go's; `revise` in `runtime/mgcpacer.go`, 1.23.9).
const MIN_REMAINING_WORK_BYTES: i64 = 1000;

/// How far a heap that is past its goal may go on, as a factor on the goal (Go's; `maxOvershoot` in
/// `runtime/mgcpacer.go`, 1.23.9).
const MAX_OVERSHOOT: f64 = 1.1;

/// GOGC in percent that a forced cycle goes by when GOGC is off (Go's; `revise` in `runtime/mgcpacer.go`, 1.23.9).
const PERCENT_WHEN_OFF: u32 = 100_000;

/// The assist ratio and its reciprocal. Both are 0 before the first cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AssistRatio {
    /// Bytes of scan work owed for each byte allocated (`assistWorkPerByte`).
    pub work_per_byte: f64,
    /// Bytes that may be allocated for each byte of scan work (`assistBytesPerWork`).
    pub bytes_per_work: f64,
}

/// How far a cycle has come. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Live heap now.
    pub heap_live: u64,
    /// Live heap when the cycle began.
    pub triggered: u64,
    /// Heap goal now.
    pub heap_goal: u64,
    /// Scan work done in this cycle on heap, stacks and globals.
    pub work_done: i64,
    /// What the cycle needs if it needs as much as the last one: heap and stacks scanned then, all globals.
    pub expected_work: u64,
    /// What the cycle needs at worst: all scannable heap, all stack memory, all globals.
    pub worst_work: u64,
}

/// Where marking has to be done by, and how much of it there is.
struct Plan {
    heap_goal: i64,
    work: i64,
}

/// The ratio that lets marking end when the heap reaches its goal. `gc_percent` is `None` when GOGC is off.
///
/// Sums and differences wrap around as in Go: with GOGC off and no memory limit the bound on the moved goal is beyond
/// any integer, and the ratio comes out as next to nothing.
pub fn assist_ratio(gc_percent: Option<u32>, progress: &Progress) -> AssistRatio {
    let plan = plan(gc_percent, progress);
    let work_left = plan.work.wrapping_sub(progress.work_done).max(MIN_REMAINING_WORK_BYTES);
    let heap_left = plan.heap_goal.wrapping_sub(progress.heap_live as i64).max(1);
    AssistRatio {
        work_per_byte: work_left as f64 / heap_left as f64,
        bytes_per_work: heap_left as f64 / work_left as f64,
    }
}

fn plan(gc_percent: Option<u32>, progress: &Progress) -> Plan {
    let mut plan = Plan { heap_goal: progress.heap_goal as i64, work: progress.expected_work as i64 };
    if progress.work_done > plan.work {
        plan = moved_out(gc_percent, progress);
    }
    if progress.heap_live as i64 > plan.heap_goal {
        plan.heap_goal = to_i64(plan.heap_goal as f64 * MAX_OVERSHOOT);
        plan.work = progress.worst_work as i64;
    }
    plan
}

/// The plan for a growing heap: more work, and a goal further out in proportion.
fn moved_out(gc_percent: Option<u32>, progress: &Progress) -> Plan {
    let triggered = progress.triggered as i64;
    let heap_goal = progress.heap_goal as i64;
    let expected = progress.expected_work as i64;
    let worst = progress.worst_work as i64;

    let runway = heap_goal.wrapping_sub(triggered) as f64;
    let in_proportion = to_i64(runway / expected as f64 * worst as f64).wrapping_add(triggered);
    let percent = f64::from(gc_percent.unwrap_or(PERCENT_WHEN_OFF));
    let hard_limit = to_i64((1.0 + percent / 100.0) * heap_goal as f64);
    Plan { heap_goal: in_proportion.min(hard_limit), work: worst }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::MIB;

    const START: Progress = Progress {
        heap_live: 96_425_056,
        triggered: 96_425_056,
        heap_goal: 113_259_368,
        work_done: 0,
        expected_work: 10_636_488,
        worst_work: 20_000_000,
    };

    #[test]
    fn the_expected_work_is_spread_over_the_way_to_the_goal() {
        // A real process printed 6.318338e-001: 10,636,488 / (113,259,368 - 96,425,056).
        let ratio = assist_ratio(Some(100), &START);
        assert!((ratio.work_per_byte - 0.631_833_8).abs() < 5e-8, "{ratio:?}");
        assert_eq!(ratio.bytes_per_work, 16_834_312.0 / 10_636_488.0);
    }

    #[test]
    fn a_growing_heap_moves_the_goal_out_in_proportion() {
        // Goal 10 MiB, started at 6 MiB for 1 MiB of work; 1 byte more is done, 2 MiB may be needed:
        // the goal becomes 6 + 4 * 2 = 14 MiB, below the hard limit of 20 MiB.
        let progress = Progress {
            heap_live: 6 * MIB,
            triggered: 6 * MIB,
            heap_goal: 10 * MIB,
            work_done: MIB as i64 + 1,
            expected_work: MIB,
            worst_work: 2 * MIB,
        };
        let ratio = assist_ratio(Some(100), &progress);
        assert_eq!(ratio.work_per_byte, (MIB - 1) as f64 / (8 * MIB) as f64);
        // 4 MiB of work would ask for a goal of 22 MiB; GOGC=100 allows 20.
        let ratio = assist_ratio(Some(100), &Progress { worst_work: 4 * MIB, ..progress });
        assert_eq!(ratio.work_per_byte, (3 * MIB - 1) as f64 / (14 * MIB) as f64);
    }

    #[test]
    fn a_heap_past_its_goal_gets_a_tenth_more() {
        let progress = Progress { heap_live: 101, heap_goal: 100, triggered: 50, ..START };
        // 110 - 101 = 9 bytes are left for everything that could be live.
        assert_eq!(assist_ratio(Some(100), &progress).work_per_byte, 20_000_000.0 / 9.0);
        // Past even that: one byte, never none.
        let progress = Progress { heap_live: 111, ..progress };
        assert_eq!(assist_ratio(Some(100), &progress).work_per_byte, 20_000_000.0);
    }

    #[test]
    fn the_last_thousand_bytes_of_work_are_never_written_off() {
        let progress = Progress { work_done: START.expected_work as i64, ..START };
        assert_eq!(assist_ratio(Some(100), &progress).work_per_byte, 1000.0 / 16_834_312.0);
    }

    #[test]
    fn a_forced_cycle_without_any_goal_asks_for_next_to_nothing() {
        // GOGC=off, no limit: 1001 * 8.9e18 is no integer; the goal turns negative and wraps around to plenty.
        let goal = 8_946_670_875_749_132_533;
        let progress = Progress { heap_goal: goal, work_done: 10_636_489, ..START };
        assert!(assist_ratio(None, &progress).work_per_byte < 1e-9);
    }

    proptest! {
        #[test]
        fn the_ratio_is_positive_and_its_parts_are_reciprocal(
            live in 1u64..1 << 40, before in 0u64..1 << 30, ahead in 0u64..1 << 40,
            done in 0i64..1 << 40, expected in 1u64..1 << 40, worst in 1u64..1 << 40, percent in 0u32..2000,
        ) {
            let triggered = live.saturating_sub(before);
            let progress = Progress {
                heap_live: live, triggered, heap_goal: triggered + ahead,
                work_done: done, expected_work: expected, worst_work: worst,
            };
            let ratio = assist_ratio(Some(percent), &progress);
            prop_assert!(ratio.work_per_byte > 0.0 && ratio.work_per_byte.is_finite());
            prop_assert!((ratio.work_per_byte * ratio.bytes_per_work - 1.0).abs() < 1e-9);
        }
    }
}
