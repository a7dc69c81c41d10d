//! The heap goal: how large the live heap may be when the next cycle ends.
//!
//! Two goals compete and the smaller one wins.
//!
//! ```text
//! gc_percent_goal   = max(marked + (marked + stacks + globals) * GOGC / 100, heap minimum)      at commit
//! memory_limit_goal = limit - non-heap memory - overage - headroom, at least marked             whenever asked
//! ```
//!
//! *Non-heap memory* is all mapped memory that is neither a live object nor a free page: stacks, runtime metadata, and
//! the unused parts of spans. *Overage* is what the process already holds above the limit. *Headroom* is 3 % of the
//! result and at least 1 MiB, because the pacer aims well but never exactly.
//!
//! Only when GOGC decides may the goal be moved up: far enough that the sweeper has 1 MiB to finish in, and 64 KiB past
//! the point where a running cycle began. A goal set by the memory limit stays where it is.
//!
//! Source: `runtime/mgcpacer.go` (`commit`, `setGCPercent`, `heapGoalInternal`, `memoryLimitHeapGoal`), Go 1.23.9.

use super::DEFAULT_HEAP_MINIMUM_BYTES;
use crate::units::{KIB, MIB};

/// The GOGC goal when GOGC is off: no goal at all (`^uint64(0)` in Go).
pub const NO_GOAL_BYTES: u64 = u64::MAX;

/// The largest memory limit, which is also Go's way to say that there is none (`math.MaxInt64`).
pub const MAX_MEMORY_LIMIT_BYTES: u64 = i64::MAX as u64;

/// Distance in bytes that the sweeper is given before the next cycle may start (Go's; `runtime/mgc.go`
/// `sweepMinHeapDistance`, 1.23.9).
pub const SWEEP_MIN_HEAP_DISTANCE_BYTES: u64 = MIB;

/// Distance in bytes from the start of a cycle to its goal, at least (Go's; `runtime/mgcpacer.go` `minRunway`, 1.23.9).
const MIN_RUNWAY_BYTES: u64 = 64 * KIB;

/// Least headroom below the memory limit in bytes (Go's; `runtime/mgcpacer.go` `memoryLimitMinHeapGoalHeadroom`, 1.23.9).
const MIN_HEADROOM_BYTES: u64 = MIB;

/// Headroom below the memory limit in percent (Go's; `runtime/mgcpacer.go` `memoryLimitHeapGoalHeadroomPercent`, 1.23.9).
const HEADROOM_PERCENT: u64 = 3;

/// What the memory-limit goal needs to know of the process. All in bytes.
///
/// Invariant: `heap_free + (total_alloc - total_free) <= mapped_ready`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryState {
    /// Everything the runtime has mapped and not given back (`mappedReady`): `Sys - HeapReleased`.
    pub mapped_ready_bytes: u64,
    /// Pages of free spans that are still backed by memory (`heapFree`).
    pub heap_free_bytes: u64,
    /// Bytes of objects ever allocated (`totalAlloc`), as far as they have been counted.
    pub total_alloc_bytes: u64,
    /// Bytes of objects ever freed (`totalFree`).
    pub total_free_bytes: u64,
}

impl MemoryState {
    /// Bytes of objects in use, including garbage that is not yet swept.
    pub fn heap_alloc_bytes(&self) -> u64 {
        self.total_alloc_bytes - self.total_free_bytes
    }

    /// Mapped bytes that hold no object and could not hold one without taking it from elsewhere.
    ///
    /// # Panics
    /// If objects and free pages are more than what is mapped: an accounting error of the caller.
    pub fn non_heap_bytes(&self) -> u64 {
        let heap = self.heap_free_bytes + self.heap_alloc_bytes();
        self.mapped_ready_bytes.checked_sub(heap).unwrap_or_else(|| {
            panic!("heap of {heap} bytes in {} mapped bytes: {self:?}", self.mapped_ready_bytes)
        })
    }
}

/// The smallest GOGC goal in bytes: 4 MiB at GOGC=100, in proportion otherwise, 0 at GOGC=0 (`heapMinimum`).
/// `gc_percent` is 0 to 2^31-1; `None` (off) needs no minimum.
pub fn heap_minimum_bytes(gc_percent: Option<u32>) -> u64 {
    gc_percent.map_or(0, |percent| DEFAULT_HEAP_MINIMUM_BYTES * u64::from(percent) / 100)
}

/// The goal in bytes that GOGC asks for; [`NO_GOAL_BYTES`] when it is off.
///
/// Stacks and globals count as live memory because marking them costs the same as marking the heap.
/// `root_scan_bytes` is their sum: stack bytes scanned in the last cycle and all global bytes.
pub fn gc_percent_goal_bytes(gc_percent: Option<u32>, heap_marked_bytes: u64, root_scan_bytes: u64) -> u64 {
    let Some(percent) = gc_percent else { return NO_GOAL_BYTES };
    let base = heap_marked_bytes.wrapping_add(root_scan_bytes);
    let growth = base.wrapping_mul(u64::from(percent)) / 100;
    heap_marked_bytes.wrapping_add(growth).max(heap_minimum_bytes(gc_percent))
}

/// The goal in bytes that keeps the process below `limit_bytes`: at least `heap_marked_bytes`, because what is live
/// cannot be collected.
pub fn memory_limit_goal_bytes(limit_bytes: u64, memory: &MemoryState, heap_marked_bytes: u64) -> u64 {
    let overage = memory.mapped_ready_bytes.saturating_sub(limit_bytes);
    let unusable = memory.non_heap_bytes() + overage;
    if unusable >= limit_bytes {
        return heap_marked_bytes;
    }
    below_headroom(limit_bytes - unusable).max(heap_marked_bytes)
}

/// Takes the headroom off a goal; a goal too small for that becomes as large as the headroom itself.
fn below_headroom(goal_bytes: u64) -> u64 {
    let headroom = (goal_bytes / 100 * HEADROOM_PERCENT).max(MIN_HEADROOM_BYTES);
    match goal_bytes.checked_sub(headroom) {
        Some(rest) if rest >= headroom => rest,
        _ => headroom,
    }
}

/// The goal, and how low the trigger may be because of sweeping. Both in bytes.
///
/// Invariant: `min_trigger_bytes <= goal_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapGoal {
    /// How large the live heap may be when the cycle ends.
    pub goal_bytes: u64,
    /// The trigger may not be below this, so that the sweeper can finish; 0 when nothing is to be swept or the memory
    /// limit decides.
    pub min_trigger_bytes: u64,
}

/// Lets the two goals compete. All in bytes.
///
/// `sweep_min_trigger` is 0 when nothing is left to sweep. `triggered` is where the running cycle began, `None` outside
/// of marking.
pub fn heap_goal(
    gc_percent_goal: u64,
    memory_limit_goal: u64,
    sweep_min_trigger: u64,
    triggered: Option<u64>,
) -> HeapGoal {
    if memory_limit_goal < gc_percent_goal {
        return HeapGoal { goal_bytes: memory_limit_goal, min_trigger_bytes: 0 };
    }
    let past_trigger = triggered.map_or(0, |start| start.wrapping_add(MIN_RUNWAY_BYTES));
    HeapGoal {
        goal_bytes: gc_percent_goal.max(sweep_min_trigger).max(past_trigger),
        min_trigger_bytes: sweep_min_trigger,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gogc_goal_adds_stacks_and_globals_to_the_base() {
        // A real process: 42,438,944 + (42,438,944 + 8,400 + 151,216) * 100 % = 85,037,504, read back as NextGC.
        assert_eq!(gc_percent_goal_bytes(Some(100), 42_438_944, 8_400 + 151_216), 85_037_504);
        assert_eq!(gc_percent_goal_bytes(Some(37), 42_438_944, 8_400 + 151_216), 58_200_411);
    }

    #[test]
    fn small_heaps_are_given_the_minimum_in_proportion_to_gogc() {
        assert_eq!(gc_percent_goal_bytes(Some(100), 0, 151_216), 4 * MIB);
        assert_eq!(gc_percent_goal_bytes(Some(3000), 0, 0), 125_829_120);
        assert_eq!(gc_percent_goal_bytes(Some(0), 1000, 500), 1000);
        assert_eq!(gc_percent_goal_bytes(None, 1000, 500), NO_GOAL_BYTES);
    }

    #[test]
    fn memory_limit_goal_leaves_non_heap_memory_and_headroom_out() {
        // Two real processes with GOMEMLIMIT=64MiB; the second has more metadata.
        // 67,108,864 - 2,837,872 = 64,270,992; its headroom is 642,709 * 3 = 1,928,127.
        for (non_heap, goal) in [(2_837_872, 62_342_865), (4_257_136, 60_966_177)] {
            let memory = MemoryState {
                mapped_ready_bytes: 24_345_616,
                heap_free_bytes: 147_456,
                total_alloc_bytes: 24_345_616 - 147_456 - non_heap,
                total_free_bytes: 0,
            };
            assert_eq!(memory_limit_goal_bytes(64 * MIB, &memory, 0), goal);
        }
    }

    #[test]
    fn no_memory_limit_still_gives_an_enormous_goal() {
        // (2^63-1) less 3 % of itself, rounded as Go rounds: x/100*3 with x = 9,223,372,036,854,775,807.
        let goal = memory_limit_goal_bytes(MAX_MEMORY_LIMIT_BYTES, &MemoryState::default(), 0);
        assert_eq!(goal, 9_223_372_036_854_775_807 - 276_701_161_105_643_274);
    }

    #[test]
    fn memory_above_the_limit_counts_twice() {
        // 100 MiB mapped, all of it objects, 90 MiB allowed: 90 - (100 - 90) = 80 MiB, less 3 %.
        let memory = MemoryState {
            mapped_ready_bytes: 100 * MIB,
            total_alloc_bytes: 100 * MIB,
            ..MemoryState::default()
        };
        assert_eq!(memory_limit_goal_bytes(90 * MIB, &memory, 0), 80 * MIB - 80 * MIB / 100 * 3);
    }

    #[test]
    fn a_limit_that_cannot_be_kept_asks_for_the_live_heap() {
        let memory = MemoryState { mapped_ready_bytes: 2 * MIB, ..MemoryState::default() };
        assert_eq!(memory_limit_goal_bytes(MIB, &memory, 12_345), 12_345);
        assert_eq!(memory_limit_goal_bytes(0, &MemoryState::default(), 7), 7);
    }

    #[test]
    fn a_tiny_limit_gives_a_goal_of_the_minimum_headroom() {
        // 1.5 MiB less 1 MiB would be less than the headroom itself.
        assert_eq!(memory_limit_goal_bytes(3 * MIB / 2, &MemoryState::default(), 0), MIB);
        assert_eq!(memory_limit_goal_bytes(2 * MIB, &MemoryState::default(), 0), MIB);
        assert_eq!(memory_limit_goal_bytes(2 * MIB + 1, &MemoryState::default(), 0), MIB + 1);
    }

    #[test]
    fn only_a_gogc_goal_is_moved_up_for_sweeping_and_late_starts() {
        let moved = heap_goal(1000, 5000, 2000, Some(10_000));
        assert_eq!(moved, HeapGoal { goal_bytes: 10_000 + 64 * KIB, min_trigger_bytes: 2000 });
        let limited = heap_goal(1000, 999, 2000, Some(10_000));
        assert_eq!(limited, HeapGoal { goal_bytes: 999, min_trigger_bytes: 0 });
    }
}
