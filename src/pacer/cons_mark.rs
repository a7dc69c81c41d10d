//! cons/mark: how fast the program allocates compared with how fast the collector marks, and the runway that follows.
//!
//! *Cons* is the old Lisp word for allocating. Both rates are per nanosecond of CPU time, so that the ratio says
//! something about the program and not about how the processors happened to be shared out.
//!
//! ```text
//!                 (heap_live - triggered) / (CPU time of the program:   1 - u)
//! measured  =     ------------------------------------------------------------
//!                 scan work               / (CPU time of the collector: u + u_idle)
//!
//! u        = 0.25 + assist time / (mark duration * procs)      background marking is taken to use exactly its quarter
//! u_idle   = idle mark time / (mark duration * procs)          extra time, which the program could have had
//! estimate = the largest of this measurement and the four before
//! runway   = estimate * 0.75 / 0.25 * expected scan work
//! ```
//!
//! Taking the largest errs on the safe side: cycles start a little early rather than goroutines having to assist.
//! It also means that one outlier is remembered for four more cycles.
//!
//! Source: `runtime/mgcpacer.go` (`endCycle`, `commit`), Go 1.23.9.

use super::float::to_u64;
use super::{BACKGROUND_UTILIZATION, GOAL_UTILIZATION};

/// Measurements before the current one that the estimate remembers (Go's; `lastConsMark` in `runtime/mgcpacer.go`, 1.23.9).
const HISTORY: usize = 4;

/// What one cycle cost and achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// Bytes allocated while marking: `heap_live` at the end minus `triggered`.
    pub allocated_bytes: u64,
    /// Scan work done on heap, stacks and globals, in bytes.
    pub scan_work_bytes: i64,
    /// Wall time from the start of marking to its end in nanoseconds.
    pub mark_duration_ns: i64,
    /// Processors (GOMAXPROCS).
    pub procs: u32,
    /// CPU time of mutator assists in nanoseconds.
    pub assist_ns: i64,
    /// CPU time of idle-priority mark workers in nanoseconds.
    pub idle_mark_ns: i64,
}

impl Measurement {
    /// The cons/mark ratio of this cycle. Not a number or infinite when nothing was scanned.
    pub fn cons_mark(&self) -> f64 {
        let utilization = BACKGROUND_UTILIZATION + self.share_of_cpu(self.assist_ns);
        let idle_utilization = self.share_of_cpu(self.idle_mark_ns);
        (self.allocated_bytes as f64 * (utilization + idle_utilization))
            / (self.scan_work_bytes as f64 * (1.0 - utilization))
    }

    fn share_of_cpu(&self, cpu_ns: i64) -> f64 {
        if self.mark_duration_ns <= 0 {
            return 0.0;
        }
        cpu_ns as f64 / (self.mark_duration_ns * i64::from(self.procs)) as f64
    }
}

/// The estimate and the measurements it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConsMark {
    estimate: f64,
    /// Measured values of the last cycles, oldest first.
    history: [f64; HISTORY],
}

impl ConsMark {
    /// The ratio the next cycle is planned with; 0 before the first measurement.
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The four latest measurements, oldest first.
    pub fn history(&self) -> [f64; HISTORY] {
        self.history
    }

    /// Takes in the measurement of the cycle that ends.
    pub fn record(&mut self, measured: f64) {
        // Written as Go compares, so that a measurement that is not a number is kept as it is kept there.
        self.estimate = measured;
        for old in self.history {
            if old > self.estimate {
                self.estimate = old;
            }
        }
        self.history.rotate_left(1);
        self.history[HISTORY - 1] = measured;
    }

    /// Bytes the program will allocate while the collector, on its share of the CPU, does the expected scan work.
    pub fn runway_bytes(&self, expected_scan_work_bytes: u64) -> u64 {
        let allocated_per_scanned = self.estimate * (1.0 - GOAL_UTILIZATION) / GOAL_UTILIZATION;
        to_u64(allocated_per_scanned * expected_scan_work_bytes as f64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUIET: Measurement = Measurement {
        allocated_bytes: 3_000,
        scan_work_bytes: 1_000,
        mark_duration_ns: 100,
        procs: 4,
        assist_ns: 0,
        idle_mark_ns: 0,
    };

    #[test]
    fn rates_are_per_cpu_time_of_each_side() {
        // 3000 B in 3/4 of the CPU against 1000 B in 1/4 of it: the same rate.
        assert_eq!(QUIET.cons_mark(), 1.0);
        // 100 of 400 CPU-ns are assists: 3000 B in 1/2 against 1000 B in 1/2.
        assert_eq!(Measurement { assist_ns: 100, ..QUIET }.cons_mark(), 3.0);
        // Idle marking adds to the collector's time and takes nothing from the program's: (1/4 + 1/4) / (3/4) * 3.
        assert_eq!(Measurement { idle_mark_ns: 100, ..QUIET }.cons_mark(), 2.0);
    }

    #[test]
    fn runway_is_what_is_allocated_during_the_expected_scan_work() {
        // A real process: 3 * 1.943469847 * (10,476,640 + 8,632 + 151,216) = 62,015,081.6.
        let mut cons_mark = ConsMark::default();
        cons_mark.record(1.943_469_847);
        assert_eq!(cons_mark.runway_bytes(10_476_640 + 8_632 + 151_216), 62_015_081);
    }

    #[test]
    fn a_spike_is_remembered_for_four_more_cycles() {
        let mut cons_mark = ConsMark::default();
        cons_mark.record(9.0);
        for _ in 0..4 {
            cons_mark.record(1.0);
            assert_eq!(cons_mark.estimate(), 9.0);
        }
        cons_mark.record(1.0);
        assert_eq!(cons_mark.estimate(), 1.0);
    }

    proptest! {
        #[test]
        fn the_estimate_is_the_largest_of_the_last_five(values in prop::collection::vec(0.0f64..100.0, 1..20)) {
            let mut cons_mark = ConsMark::default();
            for (i, value) in values.iter().enumerate() {
                cons_mark.record(*value);
                let window = &values[i.saturating_sub(4)..=i];
                prop_assert_eq!(cons_mark.estimate(), window.iter().copied().fold(0.0, f64::max));
            }
        }
    }
}
