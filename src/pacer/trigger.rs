//! The trigger: the size of the live heap at which the next cycle should begin.
//!
//! ```text
//! trigger = goal - runway, but
//!   not below  marked + 45/64 of the way to the goal        (else collection never stops under fast allocation)
//!   not above  marked + 61/64 of the way to the goal, or goal - 4 MiB if that is more   (always some way left)
//!   not below  the point where the sweeper must be done     (see goal)
//! ```
//!
//! On heaps that grow by more than 85.33 MiB a cycle the `goal - 4 MiB` bound is the higher one
//! (3/64 of the way = 4 MiB at 85.33 MiB).
//!
//! Source: `runtime/mgcpacer.go` (`trigger`), Go 1.23.9.

use super::DEFAULT_HEAP_MINIMUM_BYTES;
use super::goal::HeapGoal;

/// Denominator of the bounds (Go's; `runtime/mgcpacer.go` `triggerRatioDen`, 1.23.9).
const RATIO_DENOMINATOR: u64 = 64;

/// Lowest trigger in 64ths of the way from the marked heap to the goal (Go's; `runtime/mgcpacer.go`
/// `minTriggerRatioNum`, 1.23.9). Found by experiment there.
const MIN_RATIO_NUMERATOR: u64 = 45;

/// Highest trigger in 64ths of the way from the marked heap to the goal (Go's; `runtime/mgcpacer.go`
/// `maxTriggerRatioNum`, 1.23.9).
const MAX_RATIO_NUMERATOR: u64 = 61;

const _: () = assert!(MIN_RATIO_NUMERATOR < MAX_RATIO_NUMERATOR && MAX_RATIO_NUMERATOR < RATIO_DENOMINATOR);

/// The trigger with the bounds it was held between. All in bytes.
///
/// Invariant: `lower_bound_bytes <= trigger_bytes <= upper_bound_bytes`, and `trigger_bytes <= goal_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The live heap at which a cycle should begin.
    pub trigger_bytes: u64,
    /// The heap goal it belongs to.
    pub goal_bytes: u64,
    /// The trigger could not have been less than this.
    pub lower_bound_bytes: u64,
    /// The trigger could not have been more than this.
    pub upper_bound_bytes: u64,
}

/// Places the trigger. All in bytes.
///
/// # Panics
/// If the trigger came out above the goal, which would be a mistake here.
pub fn trigger(heap_goal: HeapGoal, heap_marked_bytes: u64, runway_bytes: u64) -> Trigger {
    let goal = heap_goal.goal_bytes;
    if heap_marked_bytes >= goal {
        return Trigger {
            trigger_bytes: goal,
            goal_bytes: goal,
            lower_bound_bytes: goal,
            upper_bound_bytes: goal,
        };
    }
    let on_the_way =
        |numerator| (goal - heap_marked_bytes) / RATIO_DENOMINATOR * numerator + heap_marked_bytes;
    let lower = on_the_way(MIN_RATIO_NUMERATOR).max(heap_goal.min_trigger_bytes);
    let upper =
        on_the_way(MAX_RATIO_NUMERATOR).max(goal.saturating_sub(DEFAULT_HEAP_MINIMUM_BYTES)).max(lower);
    let trigger = goal.saturating_sub(runway_bytes).clamp(lower, upper);
    assert!(trigger <= goal, "trigger {trigger} above goal {goal}, bounds {lower} and {upper}");
    Trigger { trigger_bytes: trigger, goal_bytes: goal, lower_bound_bytes: lower, upper_bound_bytes: upper }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::MIB;

    fn check(goal: u64, marked: u64, runway: u64) -> Trigger {
        trigger(HeapGoal { goal_bytes: goal, min_trigger_bytes: 0 }, marked, runway)
    }

    #[test]
    fn the_first_cycle_starts_at_the_upper_bound() {
        // Nothing is marked and nothing is known of the program: 61/64 of 4 MiB.
        assert_eq!(check(4 * MIB, 0, 0).trigger_bytes, 3_997_696);
        assert_eq!(check(16 * MIB, 0, 0).trigger_bytes, 15_990_784);
        assert_eq!(check(32 * MIB, 0, 0).trigger_bytes, 31_981_568);
        // 120 MiB is beyond 85.33 MiB: goal - 4 MiB.
        assert_eq!(check(120 * MIB, 0, 0).trigger_bytes, 121_634_816);
    }

    #[test]
    fn a_long_runway_is_cut_at_the_lower_bound() {
        // 113,259,368 - 62,015,081 would be below the live heap.
        // (113,259,368 - 56,549,760) / 64 * 45 + 56,549,760 = 886,087 * 45 + 56,549,760.
        assert_eq!(check(113_259_368, 56_549_760, 62_015_081).trigger_bytes, 96_423_675);
    }

    #[test]
    fn a_runway_between_the_bounds_decides_the_trigger() {
        let found = check(88_189_506, 44_014_448, 12_834_622);
        assert_eq!((found.lower_bound_bytes, found.upper_bound_bytes), (75_075_023, 86_118_783));
        assert_eq!(found.trigger_bytes, 75_354_884);
    }

    #[test]
    fn a_goal_at_the_live_heap_triggers_at_once() {
        assert_eq!(check(1000, 1000, 0).trigger_bytes, 1000);
        assert_eq!(check(1000, 2000, 0).trigger_bytes, 1000);
    }

    #[test]
    fn the_sweeper_is_given_its_distance() {
        let goal = HeapGoal { goal_bytes: 2 * MIB, min_trigger_bytes: 2 * MIB };
        assert_eq!(trigger(goal, MIB, 0).trigger_bytes, 2 * MIB);
    }

    proptest! {
        #[test]
        fn the_trigger_lies_between_its_bounds(
            goal in 0u64..1 << 48, marked in 0u64..1 << 48, runway: u64, sweep in 0u64..1 << 48,
        ) {
            let heap_goal = HeapGoal { goal_bytes: goal, min_trigger_bytes: sweep.min(goal) };
            let found = trigger(heap_goal, marked, runway);
            prop_assert!(found.lower_bound_bytes <= found.trigger_bytes);
            prop_assert!(found.trigger_bytes <= found.upper_bound_bytes);
            prop_assert!(found.trigger_bytes <= goal);
            if marked < goal {
                prop_assert!(found.trigger_bytes >= marked.max(heap_goal.min_trigger_bytes));
            }
        }

        #[test]
        fn a_longer_runway_never_starts_a_cycle_later(
            goal in 0u64..1 << 48, marked in 0u64..1 << 48, runway in 0u64..1 << 49, more in 0u64..1 << 40,
        ) {
            let early = check(goal, marked, runway + more).trigger_bytes;
            prop_assert!(early <= check(goal, marked, runway).trigger_bytes);
        }
    }
}
