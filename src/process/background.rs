//! What runs beside goroutines: mark workers, the sweeper, the scavenger, the timer - each up to the same moment.
//!
//! [`Process::catch_up`] is the only place where time passes for them. It goes from event to event, so that ten idle
//! minutes cost as much as the few events in them.
//!
//! * The background sweeper sweeps in batches of 10 spans and goes on as long as a P is free; otherwise it gets one batch
//!   a scheduling round (`runtime/mgcsweep.go` `bgsweep`).
//! * The scavenger works and sleeps by its own controller ([`crate::scavenge`]); it is woken when a cycle starts and
//!   after a sweep ends, when `sysmon` looks.
//! * Two minutes after a cycle, if there ever was one, `sysmon` forces the next (`runtime/proc.go` `forcegcperiod`).
//!
//! Sources: `runtime/proc.go`, `runtime/mgcsweep.go`, `runtime/mgcscavenge.go`, Go 1.23.9.

use std::ops::ControlFlow;

use super::shootdown::Sender;
use super::workers::SYSMON_PERIOD_NS;
use super::{MARK_STEP_NS, Process, ReleaseAdvice};
use crate::heap::mheap::NewSpan;
use crate::heap::page_alloc::Reach;
use crate::heap::sweep::SweepOutcome;
use crate::os::{Verdict, physical_pages_of_pages};
use crate::scavenge::{
    AllocationScavenge, FREE_OS_MEMORY_BYTES, GoalInputs, Goals, Work, allocation_scavenge,
};
use crate::trace::{CycleKind, OomKill};
use crate::units::{PAGE_BYTES, SECOND_NS};

/// Time without a cycle after which one is forced (`runtime/proc.go` `forcegcperiod`).
const FORCE_GC_PERIOD_NS: f64 = 120.0 * SECOND_NS as f64;
/// Spans that the background sweeper sweeps before it looks for other work (`runtime/mgcsweep.go` `sweepBatchSize`).
const SWEEP_BATCH_SPANS: u32 = 10;
/// How far a running goroutine may be ahead of the background when nothing but sampling can happen.
const QUIET_STEP_NS: f64 = 100_000.0;

/// What releasing pages has done.
#[derive(Clone, Copy, Debug, Default)]
struct Released {
    bytes: u64,
    /// CPU time of the calls, were no other thread running.
    cpu_ns: f64,
    /// Calls that took resident pages away.
    unmappings: u64,
}

impl Process {
    /// How far the running goroutine may be ahead of everything beside it.
    pub(super) fn patience_ns(&self) -> f64 {
        if self.marker.is_marking() { MARK_STEP_NS } else { QUIET_STEP_NS }
    }

    /// Brings everything that runs beside goroutines up to the running goroutine's time.
    pub(super) fn catch_up(&mut self) {
        while self.background_ns < self.now_ns.min(self.horizon_ns) && self.oom_kill.is_none() {
            let start_ns = self.background_ns;
            let end_ns = self.next_stop_ns(start_ns);
            self.background_ns = end_ns;
            if self.marker.is_marking() {
                self.mark_beside(start_ns, end_ns);
                if self.marker.is_marking() && end_ns >= self.next_sysmon_ns {
                    self.next_sysmon_ns = end_ns + SYSMON_PERIOD_NS;
                    self.preempt_long_runners(end_ns);
                }
            } else if self.heap.sweep.is_running() {
                self.sweep_beside(start_ns, end_ns);
            }
            self.run_scavenger();
            self.force_cycle_if_due();
            self.record_if_due();
            self.meter.count_step();
            if self.meter.is_spent() {
                // One event a call from here on: whoever waits for the collector still gets there.
                break;
            }
        }
        self.enforce_container_limit();
    }

    /// The next moment at which something beside the goroutine may happen, at most its own time.
    fn next_stop_ns(&self, start_ns: f64) -> f64 {
        let busy_ns = if self.marker.is_marking() {
            start_ns + MARK_STEP_NS
        } else if self.heap.sweep.is_running() {
            start_ns + QUIET_STEP_NS
        } else {
            f64::INFINITY
        };
        let scavenger_ns = self.scavenger.next_event_ns().map_or(f64::INFINITY, |due_ns| due_ns as f64);
        let timer_ns = self.next_forced_cycle_ns();
        let sample_ns = self.recorder.next_sample_ns();
        let event_ns = busy_ns.min(scavenger_ns).min(timer_ns).min(sample_ns);
        event_ns.max(start_ns + 1.0).min(self.now_ns.min(self.horizon_ns))
    }

    fn next_forced_cycle_ns(&self) -> f64 {
        match self.totals.last_gc_ns {
            Some(last_ns) if self.settings.gogc_percent.is_some() && !self.marker.is_marking() => {
                last_ns + FORCE_GC_PERIOD_NS
            }
            _ => f64::INFINITY,
        }
    }

    fn force_cycle_if_due(&mut self) {
        if self.background_ns < self.next_forced_cycle_ns() {
            return;
        }
        let goroutine_ns = self.now_ns;
        self.now_ns = self.background_ns;
        self.start_cycle(CycleKind::Time);
        self.now_ns = goroutine_ns.max(self.now_ns);
    }

    /// Sweeps from `start_ns` to `end_ns` on a free P, or one batch a time slice if there is none.
    fn sweep_beside(&mut self, start_ns: f64, end_ns: f64) {
        let mut budget_ns = end_ns - start_ns;
        if self.runnable() >= self.settings.procs {
            let batch = SweepOutcome { full_spans: SWEEP_BATCH_SPANS, ..SweepOutcome::default() };
            let batch_ns = self.sweep_ns(batch);
            budget_ns *= (batch_ns / SYSMON_PERIOD_NS).min(1.0);
        }
        self.totals.sweep_credit_ns += budget_ns;
        while self.totals.sweep_credit_ns > 0.0 {
            let Some(outcome) = self.heap.sweep_one() else {
                self.totals.sweep_credit_ns = 0.0;
                self.finish_sweep();
                return;
            };
            self.totals.sweep_credit_ns -= self.sweep_ns(outcome);
        }
        self.count_metadata();
    }

    /// `sysmon` sees the flag that the last sweeper has set.
    pub(super) fn wake_scavenger_after_sweep(&mut self) {
        let due_ns = self.now_ns.max(self.background_ns) + SYSMON_PERIOD_NS;
        self.scavenger.wake(due_ns as u64);
    }

    fn run_scavenger(&mut self) {
        let now_ns = self.background_ns as u64;
        if self.scavenger.next_event_ns().is_none_or(|due_ns| due_ns > now_ns) {
            return;
        }
        let mut scavenger = std::mem::take(&mut self.scavenger);
        scavenger.run(now_ns, u64::from(self.settings.procs), |quantum_bytes| {
            let mapped_bytes = self.mapped_ready_bytes();
            if self.scavenge_goals.are_met(self.heap.accounts.retained_bytes(), mapped_bytes) {
                return None;
            }
            let released = self.release_pages(quantum_bytes, Reach::Background);
            let cpu_ns = released.cpu_ns + self.shoot_down(Sender::Scavenger, released.unmappings);
            Some(Work { released_bytes: released.bytes, worked_ns: cpu_ns as u64 })
        });
        self.scavenger = scavenger;
    }

    /// Returns at least `bytes` to the system, or all within reach.
    fn release_pages(&mut self, bytes: u64, reach: Reach) -> Released {
        let (accounts, residency, stats) =
            (&mut self.heap.accounts, &mut self.heap.residency, &mut self.heap.stats);
        let (costs, advice) = (&self.costs, self.settings.release);
        let mut released = Released::default();
        released.bytes = self.heap.pages.scavenge(bytes, reach, |pages| {
            let page_count = pages.end - pages.start;
            let physical = physical_pages_of_pages(pages);
            stats.idle_resident_pages -= residency.kept_in(physical.clone());
            let left = match advice {
                ReleaseAdvice::DontNeed => residency.release_dontneed(physical),
                ReleaseAdvice::Free => residency.release_free(physical),
            };
            accounts.scavenged(page_count);
            stats.scavenged_bytes += page_count * PAGE_BYTES;
            released.cpu_ns += costs.madvise_ns(left);
            released.unmappings += u64::from(left > 0);
            ControlFlow::Continue(())
        });
        released
    }

    /// Heap growth and the memory limit make an allocation return other memory first.
    pub(super) fn scavenge_synchronously(&mut self, new_span: NewSpan) {
        let limit_bytes = self.pacer.memory_limit_bytes();
        let demand = allocation_scavenge(
            &self.scavenge_goals,
            &AllocationScavenge {
                enforced_limit_bytes: (!self.limiter.is_limiting()).then_some(limit_bytes),
                mapped_ready_bytes: self.mapped_ready_bytes() - new_span.scavenged_bytes,
                retained_bytes: self.heap.accounts.retained_bytes() - new_span.scavenged_bytes,
                scavenged_bytes: new_span.scavenged_bytes,
                growth_bytes: new_span.growth_bytes,
            },
        );
        if let Some(demand) = demand {
            let released = self.release_pages(demand.bytes, demand.reach);
            let cpu_ns = released.cpu_ns + self.shoot_down(Sender::Goroutine, released.unmappings);
            self.limiter.add_assist_ns(cpu_ns as i64);
            self.now_ns += cpu_ns * self.slowdown();
        }
    }

    /// Returns everything free (`debug.FreeOSMemory`).
    pub(super) fn release_everything(&mut self) {
        let released = self.release_pages(FREE_OS_MEMORY_BYTES, Reach::Forced);
        let cpu_ns = released.cpu_ns + self.shoot_down(Sender::Goroutine, released.unmappings);
        self.spend_cpu_ns(cpu_ns);
        self.catch_up();
    }

    /// Derives the scavenger's goals from the pacer's.
    pub(super) fn set_scavenge_goals(&mut self) {
        let memory = self.memory_state();
        self.scavenge_goals = Goals::new(
            self.settings.version,
            &GoalInputs {
                memory_limit_bytes: self.pacer.memory_limit_bytes(),
                mapped_ready_bytes: memory.mapped_ready_bytes,
                retained_bytes: self.heap.accounts.retained_bytes(),
                last_heap_in_use_bytes: self.totals.in_use_before_sweep_bytes,
                heap_goal_bytes: self.pacer.heap_goal_bytes(&memory),
                last_heap_goal_bytes: self.pacer.last_heap_goal_bytes(),
            },
        );
    }

    /// Looks whether the kernel kills the process; after that nothing is recorded any more.
    pub(super) fn enforce_container_limit(&mut self) {
        let Some(container) = self.container else { return };
        let other_bytes = self.resident_beside_heap_bytes();
        let rss_bytes = self.rss_bytes();
        if self.oom_kill.is_some() {
            return;
        }
        if let Verdict::Killed { .. } = container.enforce(&mut self.heap.residency, other_bytes) {
            self.record_sample_at(self.now_ns as u64);
            self.oom_kill = Some(OomKill {
                t_ns: self.now_ns as u64,
                rss_bytes,
                limit_bytes: container.limit_bytes(),
                step: self.step.clone(),
            });
        }
    }
}
