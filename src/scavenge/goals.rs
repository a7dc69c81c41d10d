//! The scavenger's goals: how much memory may stay.
//!
//! ```text
//! percent goal: off until a GC has completed
//!     x = floor(last_heap_in_use * heap_goal / last_heap_goal)      in f64
//!     x = x + x/10, rounded up to 4096
//!     off if retained <= x or retained - x < 4096, else x
//! limit goal:   floor(memory_limit * 0.95), off if mapped_ready is not above it
//! ```
//!
//! `last_heap_in_use` is taken at mark termination *before* the sweep, so it still counts dead spans; when the heap
//! shrinks, the ratio of the new heap goal to the last one takes that back.
//!
//! Go 1.21 multiplies the limit by 95 (`100.0 - reduceExtraPercent` where 0.95 was meant): the limit goal is never active
//! and only allocations defend the limit.
//!
//! Sources: `runtime/mgcscavenge.go` `gcPaceScavenger` (Go 1.23.9, 1.21.13).

use crate::units::PHYSICAL_PAGE_BYTES;
use crate::version::GoVersion;

/// The percent goal exceeds what the heap is expected to need by one part in this many (`retainExtraPercent` = 10 %, Go's).
const RETAIN_EXTRA_DIVISOR: u64 = 10;

/// What the goals are computed from, at the end of a mark phase or when a setting changes. All in bytes.
#[derive(Clone, Copy, Debug)]
pub struct GoalInputs {
    /// The memory limit; `i64::MAX` when there is none.
    pub memory_limit_bytes: u64,
    /// Memory of the runtime that has not been released.
    pub mapped_ready_bytes: u64,
    /// The heap's part of it, without stacks: `heapInUse + heapFree`.
    pub retained_bytes: u64,
    /// Bytes in spans of objects at the last mark termination, before its sweep.
    pub last_heap_in_use_bytes: u64,
    /// The new heap goal.
    pub heap_goal_bytes: u64,
    /// The heap goal of the cycle that has just ended; 0 before the first.
    pub last_heap_goal_bytes: u64,
}

/// How much memory may stay, in bytes; `None` is "off": as much as there is (Go's `^uint64(0)`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goals {
    /// For retained bytes, derived from GOGC's heap goal.
    pub percent_bytes: Option<u64>,
    /// For mapped-ready bytes, derived from the memory limit.
    pub limit_bytes: Option<u64>,
}

impl Goals {
    /// Computes both goals.
    pub fn new(version: GoVersion, inputs: &GoalInputs) -> Goals {
        Goals { percent_bytes: percent_goal(inputs), limit_bytes: limit_goal(version, inputs) }
    }

    /// Whether the background scavenger may stop.
    pub fn are_met(&self, retained_bytes: u64, mapped_ready_bytes: u64) -> bool {
        self.percent_bytes.is_none_or(|goal_bytes| retained_bytes <= goal_bytes)
            && self.limit_bytes.is_none_or(|goal_bytes| mapped_ready_bytes <= goal_bytes)
    }
}

fn percent_goal(inputs: &GoalInputs) -> Option<u64> {
    if inputs.last_heap_goal_bytes == 0 {
        return None;
    }
    let ratio = inputs.heap_goal_bytes as f64 / inputs.last_heap_goal_bytes as f64;
    let expected_bytes = (inputs.last_heap_in_use_bytes as f64 * ratio) as u64;
    let goal_bytes = expected_bytes
        .saturating_add(expected_bytes / RETAIN_EXTRA_DIVISOR)
        .checked_next_multiple_of(PHYSICAL_PAGE_BYTES)?;
    (inputs.retained_bytes.saturating_sub(goal_bytes) >= PHYSICAL_PAGE_BYTES).then_some(goal_bytes)
}

fn limit_goal(version: GoVersion, inputs: &GoalInputs) -> Option<u64> {
    let goal_bytes = (inputs.memory_limit_bytes as f64 * version.scavenge_limit_factor()) as u64;
    (inputs.mapped_ready_bytes > goal_bytes).then_some(goal_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MIB;

    const INPUTS: GoalInputs = GoalInputs {
        memory_limit_bytes: i64::MAX as u64,
        mapped_ready_bytes: 110 * MIB,
        retained_bytes: 100 * MIB,
        last_heap_in_use_bytes: 21_315_584,
        heap_goal_bytes: 42_000_000,
        last_heap_goal_bytes: 42_000_000,
    };

    fn percent(inputs: GoalInputs) -> Option<u64> {
        Goals::new(GoVersion::Go1_23, &inputs).percent_bytes
    }

    /// Vector 9 (real Go): 21,315,584 * 1.1 = 23,447,142, rounded up to 4096.
    #[test]
    fn a_steady_heap_keeps_a_tenth_more_than_it_uses() {
        assert_eq!(percent(INPUTS), Some(23_449_600));
    }

    /// Vector 10 (real Go): 21,364,736 * 42,219,864 / 42,219,696 = 21,364,821.01; + 2,136,482 = 23,501,303.
    #[test]
    fn the_goal_follows_the_heap_goal() {
        let inputs = GoalInputs {
            last_heap_in_use_bytes: 21_364_736,
            heap_goal_bytes: 42_219_864,
            last_heap_goal_bytes: 42_219_696,
            ..INPUTS
        };
        assert_eq!(percent(inputs), Some(23_502_848));
    }

    #[test]
    fn there_is_no_percent_goal_before_the_first_cycle_or_within_a_page_of_it() {
        assert_eq!(percent(GoalInputs { last_heap_goal_bytes: 0, ..INPUTS }), None);
        assert_eq!(percent(GoalInputs { retained_bytes: 23_449_600 + 4095, ..INPUTS }), None);
        assert_eq!(percent(GoalInputs { retained_bytes: 23_449_600 + 4096, ..INPUTS }), Some(23_449_600));
    }

    #[test]
    fn the_limit_goal_is_95_percent_of_the_limit() {
        let inputs = GoalInputs { memory_limit_bytes: 100_000_000, mapped_ready_bytes: 95_000_001, ..INPUTS };
        let goal = |version, inputs| Goals::new(version, &inputs).limit_bytes;
        assert_eq!(goal(GoVersion::Go1_23, inputs), Some(95_000_000));
        assert_eq!(goal(GoVersion::Go1_23, GoalInputs { mapped_ready_bytes: 95_000_000, ..inputs }), None);
        assert_eq!(goal(GoVersion::Go1_21, inputs), None); // 95 times the limit
        for version in GoVersion::ALL {
            assert_eq!(goal(version, INPUTS), None, "no limit in {version}");
        }
    }

    #[test]
    fn both_goals_must_be_met() {
        let goals = Goals { percent_bytes: Some(10), limit_bytes: Some(20) };
        assert!(goals.are_met(10, 20));
        assert!(!goals.are_met(11, 20));
        assert!(!goals.are_met(10, 21));
        assert!(Goals::default().are_met(u64::MAX, u64::MAX));
    }
}
