//! One GC cycle as the trace remembers it: when its phases were, what the pacer decided, what it cost.

use serde::{Deserialize, Serialize};

/// Why a cycle began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CycleKind {
    /// `heap_live` reached the trigger.
    Heap,
    /// Two minutes had passed since the last cycle.
    Time,
    /// `runtime.GC()` or `debug.FreeOSMemory()` asked for it.
    Forced,
}

/// One completed GC cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cycle {
    /// Number of the cycle, from 1 (NumGC after it).
    pub number: u32,
    /// Why it began.
    pub kind: CycleKind,
    /// Virtual time at which the world was being stopped for sweep termination, in nanoseconds.
    pub start_ns: u64,
    /// Virtual time at which the world ran again and concurrent marking began.
    pub mark_start_ns: u64,
    /// Virtual time at which the world was being stopped for mark termination.
    pub mark_end_ns: u64,
    /// Virtual time at which the world ran again; sweeping begins here.
    pub end_ns: u64,
    /// Virtual time at which the last span was swept; `None` if the run ended, or the next cycle began, before that.
    pub sweep_end_ns: Option<u64>,
    /// `heap_live` when the cycle began, in bytes (gctrace A).
    pub heap_start_bytes: u64,
    /// `heap_live` at mark termination, in bytes (gctrace B): the peak of the cycle.
    pub heap_end_bytes: u64,
    /// Bytes marked (gctrace C): the live heap as the collector sees it.
    pub heap_marked_bytes: u64,
    /// The heap goal of this cycle at its end, in bytes (gctrace G).
    pub goal_bytes: u64,
    /// The computed trigger in bytes when the cycle began.
    pub trigger_bytes: u64,
    /// Runway in bytes that the trigger was computed from.
    pub runway_bytes: u64,
    /// cons/mark ratio after this cycle.
    pub cons_mark: f64,
    /// Scan work done on the heap, in bytes.
    pub heap_scan_work_bytes: u64,
    /// Stack bytes scanned.
    pub stack_scan_work_bytes: u64,
    /// Global (data and bss) bytes scanned.
    pub globals_scan_work_bytes: u64,
    /// CPU time of mutator assists in nanoseconds.
    pub assist_cpu_ns: u64,
    /// CPU time of dedicated mark workers in nanoseconds.
    pub dedicated_cpu_ns: u64,
    /// CPU time of fractional mark workers in nanoseconds.
    pub fractional_cpu_ns: u64,
    /// CPU time of idle mark workers in nanoseconds.
    pub idle_cpu_ns: u64,
    /// GCCPUFraction at the end of the cycle: cumulative since start, 0 to 1.
    pub gc_cpu_fraction: f64,
    /// GOMAXPROCS during the cycle.
    pub procs: u32,
}

impl Cycle {
    /// How long the world stood still for sweep termination and for mark termination, in nanoseconds.
    pub fn pauses_ns(&self) -> [u64; 2] {
        [self.mark_start_ns.saturating_sub(self.start_ns), self.end_ns.saturating_sub(self.mark_end_ns)]
    }

    /// How far the peak lay above the heap goal, as a share of the goal; below 0 when it stayed under it.
    pub fn overshoot_fraction(&self) -> f64 {
        if self.goal_bytes == 0 {
            return 0.0;
        }
        self.heap_end_bytes as f64 / self.goal_bytes as f64 - 1.0
    }

    /// The collector's share of the CPU time of all Ps while it marked: dedicated and fractional workers and assists, without
    /// idle workers. The pacer aims at 0.25 without assists.
    pub fn mark_utilization(&self) -> f64 {
        let mark_ns = self.mark_end_ns.saturating_sub(self.mark_start_ns);
        if mark_ns == 0 || self.procs == 0 {
            return 0.0;
        }
        let cpu_ns = self.dedicated_cpu_ns + self.fractional_cpu_ns + self.assist_cpu_ns;
        cpu_ns as f64 / (mark_ns as f64 * f64::from(self.procs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle() -> Cycle {
        Cycle {
            number: 1,
            kind: CycleKind::Heap,
            start_ns: 0,
            mark_start_ns: 1_000,
            mark_end_ns: 11_000,
            end_ns: 12_000,
            sweep_end_ns: None,
            heap_start_bytes: 90,
            heap_end_bytes: 110,
            heap_marked_bytes: 50,
            goal_bytes: 100,
            trigger_bytes: 90,
            runway_bytes: 10,
            cons_mark: 0.1,
            heap_scan_work_bytes: 0,
            stack_scan_work_bytes: 0,
            globals_scan_work_bytes: 0,
            assist_cpu_ns: 1_000,
            dedicated_cpu_ns: 4_000,
            fractional_cpu_ns: 0,
            idle_cpu_ns: 9_000,
            gc_cpu_fraction: 0.0,
            procs: 2,
        }
    }

    #[test]
    fn overshoot_and_utilization_are_shares() {
        // 110 of 100 bytes; 4 and 1 us of marking in 10 us on two Ps.
        assert!((cycle().overshoot_fraction() - 0.1).abs() < 1e-12);
        assert!((cycle().mark_utilization() - 0.25).abs() < 1e-12);
        let never = Cycle { goal_bytes: 0, mark_end_ns: 1_000, ..cycle() };
        assert_eq!((never.overshoot_fraction(), never.mark_utilization()), (0.0, 0.0));
    }
}
