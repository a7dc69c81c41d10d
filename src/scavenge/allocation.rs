//! Scavenging by an allocation: what a goroutine releases before it uses the span it has just cut.
//!
//! ```text
//! for the limit:  if the GC CPU limiter is off and scavenged + mapped_ready > limit:
//!                     the difference, by force
//! for growth:     if the percent goal is active, the heap grew by g, and retained + g > goal:
//!                     min(g, retained + g - goal), as the background scavenger may
//! ```
//!
//! The larger amount is released, by force if the first rule applies. `scavenged` are the bytes of the new span that were
//! scavenged, which is what the span will add to `mapped_ready`.
//!
//! The reason for the second rule: the heap grew because no free run was long enough, so the short ones are released in
//! exchange.
//!
//! Source: `runtime/mheap.go` `allocSpan` (Go 1.23.9).

use super::Goals;
use crate::heap::page_alloc::Reach;

/// The bytes that `debug.FreeOSMemory` asks to release, by force: all.
pub const FREE_OS_MEMORY_BYTES: u64 = u64::MAX;

/// The state of the heap when a span has been cut but not accounted. All in bytes.
#[derive(Clone, Copy, Debug)]
pub struct AllocationScavenge {
    /// The memory limit; `i64::MAX` when there is none. `None` while the GC CPU limiter is limiting, which suspends the
    /// first rule.
    pub enforced_limit_bytes: Option<u64>,
    /// Memory of the runtime that has not been released, without the new span's scavenged bytes.
    pub mapped_ready_bytes: u64,
    /// The heap's part of it (`heapInUse + heapFree`).
    pub retained_bytes: u64,
    /// How much of the new span was scavenged.
    pub scavenged_bytes: u64,
    /// By how much the heap grew for it, usually 0.
    pub growth_bytes: u64,
}

/// How much an allocation has to release, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScavengeDemand {
    /// At least so many bytes, more than 0.
    pub bytes: u64,
    /// From which chunks.
    pub reach: Reach,
}

/// What the allocation has to release, if anything.
#[inline]
pub fn allocation_scavenge(goals: &Goals, heap: &AllocationScavenge) -> Option<ScavengeDemand> {
    let for_limit_bytes = heap.enforced_limit_bytes.map_or(0, |limit_bytes| {
        (heap.scavenged_bytes + heap.mapped_ready_bytes).saturating_sub(limit_bytes)
    });
    let for_growth_bytes = goals.percent_bytes.map_or(0, |goal_bytes| {
        let over_bytes = (heap.retained_bytes + heap.growth_bytes).saturating_sub(goal_bytes);
        over_bytes.min(heap.growth_bytes)
    });
    let bytes = for_limit_bytes.max(for_growth_bytes);
    let reach = if for_limit_bytes > 0 { Reach::Forced } else { Reach::Background };
    (bytes > 0).then_some(ScavengeDemand { bytes, reach })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MIB;

    const QUIET: AllocationScavenge = AllocationScavenge {
        enforced_limit_bytes: Some(i64::MAX as u64),
        mapped_ready_bytes: 110 * MIB,
        retained_bytes: 105_400_000,
        scavenged_bytes: 0,
        growth_bytes: 0,
    };
    const GOALS: Goals = Goals { percent_bytes: Some(38_920_000), limit_bytes: None };

    /// Vector 11 (real Go): goal 38.92 MB, retained 105.4 MB, a growth of 8 MiB (and then one of 32 MiB) is released whole.
    #[test]
    fn growth_above_the_goal_is_released_in_exchange() {
        for growth_bytes in [8_388_608, 33_554_432] {
            let heap = AllocationScavenge { growth_bytes, ..QUIET };
            let demand = ScavengeDemand { bytes: growth_bytes, reach: Reach::Background };
            assert_eq!(allocation_scavenge(&GOALS, &heap), Some(demand));
        }
    }

    #[test]
    fn growth_releases_no_more_than_the_excess() {
        let heap =
            AllocationScavenge { growth_bytes: 8 * MIB, retained_bytes: 38_920_000 - 5 * MIB, ..QUIET };
        assert_eq!(allocation_scavenge(&GOALS, &heap).unwrap().bytes, 3 * MIB);
        assert_eq!(allocation_scavenge(&Goals::default(), &heap), None); // the goal is off
        assert_eq!(allocation_scavenge(&GOALS, &QUIET), None); // no growth
    }

    /// Vector 12 (real Go): 20,873,216 + 108,062,752 - 104,857,600.
    #[test]
    fn an_allocation_over_the_limit_releases_the_difference_by_force() {
        let heap = AllocationScavenge {
            enforced_limit_bytes: Some(104_857_600),
            mapped_ready_bytes: 108_062_752,
            scavenged_bytes: 20_873_216,
            ..QUIET
        };
        let demand = ScavengeDemand { bytes: 24_078_368, reach: Reach::Forced };
        assert_eq!(allocation_scavenge(&Goals::default(), &heap), Some(demand));
        let limiting = AllocationScavenge { enforced_limit_bytes: None, ..heap };
        assert_eq!(allocation_scavenge(&Goals::default(), &limiting), None);
    }

    #[test]
    fn of_both_demands_the_larger_counts_by_force() {
        let heap = AllocationScavenge {
            enforced_limit_bytes: Some(100 * MIB),
            mapped_ready_bytes: 101 * MIB,
            growth_bytes: 8 * MIB,
            ..QUIET
        };
        let demand = ScavengeDemand { bytes: 8 * MIB, reach: Reach::Forced };
        assert_eq!(allocation_scavenge(&GOALS, &heap), Some(demand));
    }
}
