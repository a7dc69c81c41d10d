//! How many processors mark: dedicated, fractional and idle-priority workers.
//!
//! ```text
//! want      = 0.25 * procs
//! dedicated = want rounded to the nearest whole number     these mark and nothing else until the phase ends
//! if that misses `want` by more than 30 %:
//!     dedicated is rounded down instead, and every P gives (want - dedicated) / procs of its time to a
//!     fractional worker
//! idle cap  = procs - dedicated                            these run on a P that has nothing else to do
//! ```
//!
//! Fractional workers exist for 1, 2, 3 and 6 processors only. A periodic cycle, which runs because the process has been
//! quiet for two minutes, uses no idle workers, or one if it would otherwise depend on a fractional one.
//!
//! Source: `runtime/mgcpacer.go` (`startCycle`, `findRunnableGCWorker`), `runtime/mgc.go` (`pollFractionalWorkerExit`),
//! Go 1.23.9.

use super::BACKGROUND_UTILIZATION;

/// Largest relative error of the rounding that is tolerated (Go's; `runtime/mgcpacer.go` `maxUtilError`, 1.23.9).
const MAX_UTILIZATION_ERROR: f64 = 0.3;

/// A running fractional worker stops at this multiple of its goal (Go's; `runtime/mgc.go` `pollFractionalWorkerExit`,
/// 1.23.9), so that it does not start and stop all the time.
const FRACTIONAL_SLACK: f64 = 1.2;

/// Why a cycle starts (Go's `gcTriggerKind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CycleStart {
    /// The live heap reached the trigger (`gcTriggerHeap`).
    Heap,
    /// Two minutes without a cycle (`gcTriggerTime`).
    Time,
    /// The program asked for it (`gcTriggerCycle`).
    Forced,
}

/// The workers of one cycle.
///
/// Invariant: `dedicated_count / procs + fractional_utilization` is within 30 % of 0.25.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkerPlan {
    /// Workers that keep a P to themselves until marking ends (`dedicatedMarkWorkersNeeded`).
    pub dedicated_count: u32,
    /// Share of wall time, 0 to 1, that the fractional worker of each other P may use; 0 means there are none
    /// (`fractionalUtilizationGoal`).
    pub fractional_utilization: f64,
    /// Largest number of idle-priority workers at one time.
    pub max_idle_count: u32,
}

impl WorkerPlan {
    /// The workers for a cycle on `procs` processors (1 or more).
    pub fn new(procs: u32, start: CycleStart) -> WorkerPlan {
        assert!(procs > 0, "no processors to mark on");
        let want = f64::from(procs) * BACKGROUND_UTILIZATION;
        let rounded = (want + 0.5).floor();
        let error = rounded / want - 1.0;
        let (dedicated, fractional) = if error.abs() > MAX_UTILIZATION_ERROR {
            let dedicated = if rounded > want { rounded - 1.0 } else { rounded };
            (dedicated, (want - dedicated) / f64::from(procs))
        } else {
            (rounded, 0.0)
        };
        let dedicated_count = dedicated as u32;
        let max_idle_count = match start {
            CycleStart::Time => u32::from(dedicated_count == 0),
            CycleStart::Heap | CycleStart::Forced => procs - dedicated_count,
        };
        WorkerPlan { dedicated_count, fractional_utilization: fractional, max_idle_count }
    }

    /// Whether a P that has marked fractionally for `marked_ns` since marking began `elapsed_ns` ago may start to do so
    /// again.
    pub fn may_run_fractional(&self, marked_ns: u64, elapsed_ns: u64) -> bool {
        let behind = elapsed_ns == 0 || marked_ns as f64 / elapsed_ns as f64 <= self.fractional_utilization;
        self.fractional_utilization > 0.0 && behind
    }

    /// Whether a running fractional worker has used up its share. `marked_ns` includes its current run.
    pub fn must_stop_fractional(&self, marked_ns: u64, elapsed_ns: u64) -> bool {
        elapsed_ns == 0
            || marked_ns as f64 / elapsed_ns as f64 > FRACTIONAL_SLACK * self.fractional_utilization
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quarter_of_the_processors_marks() {
        let table = [
            (1, 0, 0.25),
            (2, 0, 0.25),
            (3, 0, 0.25),
            (4, 1, 0.0),
            (5, 1, 0.0),
            (6, 1, 0.5 / 6.0),
            (7, 2, 0.0),
            (8, 2, 0.0),
            (9, 2, 0.0),
            (10, 3, 0.0),
            (12, 3, 0.0),
            (16, 4, 0.0),
        ];
        for (procs, dedicated_count, fractional_utilization) in table {
            let expected = WorkerPlan {
                dedicated_count,
                fractional_utilization,
                max_idle_count: procs - dedicated_count,
            };
            assert_eq!(WorkerPlan::new(procs, CycleStart::Heap), expected, "{procs} processors");
        }
    }

    #[test]
    fn a_periodic_cycle_keeps_idle_processors_idle() {
        assert_eq!(WorkerPlan::new(8, CycleStart::Time).max_idle_count, 0);
        // Without a dedicated worker one idle worker must be allowed: a fractional one may never be scheduled.
        assert_eq!(WorkerPlan::new(2, CycleStart::Time).max_idle_count, 1);
    }

    #[test]
    fn a_fractional_worker_stays_near_its_share() {
        let plan = WorkerPlan::new(2, CycleStart::Heap);
        assert!(plan.may_run_fractional(250, 1000));
        assert!(!plan.may_run_fractional(251, 1000));
        assert!(!plan.must_stop_fractional(300, 1000));
        assert!(plan.must_stop_fractional(301, 1000));
        assert!(!WorkerPlan::new(4, CycleStart::Heap).may_run_fractional(0, 1000));
    }

    proptest! {
        #[test]
        fn workers_come_within_30_percent_of_a_quarter(procs in 1u32..5000) {
            let plan = WorkerPlan::new(procs, CycleStart::Forced);
            let share = f64::from(plan.dedicated_count) / f64::from(procs) + plan.fractional_utilization;
            prop_assert!((share / 0.25 - 1.0).abs() <= 0.3 + 1e-12, "{} of {}", share, procs);
            prop_assert_eq!(plan.dedicated_count + plan.max_idle_count, procs);
        }
    }
}
