//! Mark workers and the scheduler: who marks on which P, and in which mode.
//!
//! Go does not start mark workers, it *finds* them: every time a P looks for something to run while marking is on, it
//! prefers a dedicated or fractional worker, and takes an idle-priority worker when there is nothing else - but only if
//! there is marking work it could take. That has consequences that are easy to miss:
//!
//! * A P that is asleep stays asleep. Nobody wakes it because grey objects have appeared; it looks when the world is
//!   started, when something becomes runnable, when its own goroutine blocks.
//! * Work sits in the queue of the P that found it. If the first assist of the allocating goroutine finds the head of a
//!   long list, that goroutine's P keeps the list, and other Ps sleep: the program marks its own heap, by assists and, after
//!   each 10 ms time slice, by a fractional worker.
//! * When the last worker or assist ends and nothing common is left, every queue is flushed and marking either ends or
//!   goes on with what the flush has brought to light (`gcMarkDone`). The barrier that flushes preempts every goroutine, so
//!   that each P looks for work anew: a P whose fractional share is not used up takes the work over, and its goroutine goes
//!   on where the last worker was. In this way one list uses up the fractional shares of *all* Ps before an
//!   idle-priority worker gets it.
//! * A goroutine that is preempted moves to a P that is idle, if there is one, and leaves its marking work behind: the
//!   old P runs a fractional worker with it.
//! * A worker that makes a parked goroutine runnable puts it on its own P's queue, where a sleeping P comes to fetch it.
//!   If the worker looks up meanwhile - an idle-priority worker every 100,000 bytes of scan work, a fractional one that has
//!   had its share - it gives way: the goroutine goes on here, and takes up the work that the worker has put down.
//! * A fractional worker looks whether it has had its share every 100,000 bytes of scan work, so short phases are fractional
//!   rather than idle work, and `GCCPUFraction` counts them.
//!
//! Sources: `runtime/mgc.go` `gcBgMarkWorker`, `gcMarkDone`; `runtime/mgcpacer.go` `findRunnableGCWorker`;
//! `runtime/proc.go` `findRunnable`, `checkIdleGCNoP`; Go 1.23.9.
//!
//! Differences from Go: a look takes place a fixed latency after its reason, and one P looks after another.

use crate::pacer::workers::WorkerPlan;
use crate::units::MILLISECOND_NS;

/// Interval at which `sysmon` looks at running Ps when nothing else keeps it awake: it sleeps for 10 ms, and the kernel wakes
/// it 50 us (its timer slack) and a thread switch later, so that it keeps no step with anything. A P that runs the same goroutine or
/// worker at two looks in a row is preempted: after 10 to 20 ms (`runtime/proc.go` `sysmon`, `forcePreemptNS`).
pub(super) const SYSMON_PERIOD_NS: f64 = 10.06 * MILLISECOND_NS as f64;
/// Scan work between two looks of a worker at its share or at other work (`runtime/mgcmark.go` `drainCheckThreshold`).
const CHECK_WORK_BYTES: u64 = 100_000;

/// How a worker came to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkerMode {
    /// Keeps its P until marking ends.
    Dedicated,
    /// Takes its P's share of 25 %.
    Fractional,
    /// Uses a P that nothing else wants.
    Idle,
}

/// One P as far as marking is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct MarkSlot {
    /// The worker running here.
    pub(super) mode: Option<WorkerMode>,
    /// When the P looks for work next; infinite while it sleeps.
    pub(super) look_ns: f64,
    /// Whether what runs here now ran here when `sysmon` looked last.
    pub(super) seen: Seen,
    /// Wall time that the worker's last piece of work reaches beyond the present step: an oblet is scanned in one go.
    pub(super) ahead_ns: f64,
    /// What the worker found when it looked up in the middle of such a piece: it acts on it at the end.
    pub(super) pending: Check,
    fractional_ns: f64,
    unchecked_work_bytes: u64,
}

/// All Ps of a cycle.
#[derive(Clone, Debug)]
pub(super) struct MarkWorkers {
    plan: WorkerPlan,
    mark_start_ns: f64,
    /// The Ps, by number.
    pub(super) slots: Vec<MarkSlot>,
}

impl MarkWorkers {
    /// Workers of a cycle that starts marking at `mark_start_ns`. Ps look one after another, `wake_ns` apart: each P that
    /// finds something wakes the next.
    pub(super) fn new(plan: WorkerPlan, procs: u32, mark_start_ns: f64, wake_ns: f64) -> MarkWorkers {
        let slot = |number: u32| MarkSlot {
            mode: None,
            look_ns: mark_start_ns + wake_ns * f64::from(procs - number),
            seen: Seen::Yes,
            ahead_ns: 0.0,
            pending: Check::GoOn,
            fractional_ns: 0.0,
            unchecked_work_bytes: 0,
        };
        MarkWorkers { plan, mark_start_ns, slots: (0..procs).map(slot).collect() }
    }

    /// Workers running in `mode`.
    fn running(&self, mode: WorkerMode) -> u32 {
        self.slots.iter().filter(|slot| slot.mode == Some(mode)).count() as u32
    }

    /// Whether any worker runs.
    pub(super) fn any_running(&self) -> bool {
        self.slots.iter().any(|slot| slot.mode.is_some())
    }

    /// Whether a worker is still at a piece of work that is no longer in any queue.
    pub(super) fn any_ahead(&self) -> bool {
        self.slots.iter().any(|slot| slot.mode.is_some() && slot.ahead_ns > 0.0)
    }

    /// Ps with a worker on them.
    pub(super) fn running_count(&self) -> u32 {
        self.slots.iter().filter(|slot| slot.mode.is_some()).count() as u32
    }

    /// P `number` looks for a worker at `now_ns`. `goroutine` says whether a goroutine wants the P.
    pub(super) fn schedule(&mut self, number: usize, now_ns: f64, wanted: Wanted) -> Option<WorkerMode> {
        let elapsed_ns = (now_ns - self.mark_start_ns).max(0.0) as u64;
        let may_run_fractional =
            self.plan.may_run_fractional(self.slots[number].fractional_ns as u64, elapsed_ns);
        let mode = if self.running(WorkerMode::Dedicated) < self.plan.dedicated_count {
            Some(WorkerMode::Dedicated)
        } else if may_run_fractional {
            Some(WorkerMode::Fractional)
        } else if wanted == Wanted::No && self.running(WorkerMode::Idle) < self.plan.max_idle_count {
            Some(WorkerMode::Idle)
        } else {
            None
        };
        let slot = &mut self.slots[number];
        slot.mode = mode;
        slot.look_ns = f64::INFINITY;
        slot.seen = Seen::No;
        slot.unchecked_work_bytes = 0;
        mode
    }

    /// Notes what the worker on P `number` did until `now_ns`.
    pub(super) fn note_work(&mut self, number: usize, cpu_ns: f64, work_bytes: u64, now_ns: f64) -> Check {
        let elapsed_ns = (now_ns - self.mark_start_ns).max(0.0) as u64;
        let slot = &mut self.slots[number];
        slot.unchecked_work_bytes += work_bytes;
        if slot.mode == Some(WorkerMode::Fractional) {
            slot.fractional_ns += cpu_ns;
        }
        if slot.unchecked_work_bytes < CHECK_WORK_BYTES {
            return Check::GoOn;
        }
        slot.unchecked_work_bytes = 0;
        match slot.mode {
            Some(WorkerMode::Idle) => Check::LooksAround,
            Some(WorkerMode::Fractional)
                if self.plan.must_stop_fractional(slot.fractional_ns as u64, elapsed_ns) =>
            {
                Check::HadItsShare
            }
            _ => Check::GoOn,
        }
    }

    /// `sysmon` looks at P `number`; `true` if what runs there must give way.
    pub(super) fn sysmon_looks(&mut self, number: usize) -> bool {
        std::mem::replace(&mut self.slots[number].seen, Seen::Yes) == Seen::Yes
    }

    /// The worker on P `number` ran dry at `now_ns`: it parks, and its P looks once more before it sleeps.
    pub(super) fn park(&mut self, number: usize, now_ns: f64) {
        self.slots[number].mode = None;
        self.slots[number].ahead_ns = 0.0;
        self.slots[number].pending = Check::GoOn;
        self.slots[number].look_ns = now_ns;
    }

    /// P `number` finds nothing and goes to sleep.
    pub(super) fn sleep(&mut self, number: usize) {
        self.slots[number].look_ns = f64::INFINITY;
    }

    /// The goroutine of P `number` blocks at `now_ns`: the P looks for something else.
    pub(super) fn goroutine_blocked(&mut self, number: usize, now_ns: f64) {
        let slot = &mut self.slots[number];
        slot.look_ns = slot.look_ns.min(now_ns);
    }
}

/// What a worker finds when it looks up from its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing to do but go on.
    GoOn,
    /// It is fractional and has used up its share.
    HadItsShare,
    /// It is idle-priority and gives way to any goroutine that is runnable here.
    LooksAround,
}

/// Whether `sysmon` has seen what runs on a P.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It was scheduled since the last look.
    No,
    /// It ran at the last look already.
    Yes,
}

/// Whether a goroutine wants the P that looks for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The P would be idle otherwise.
    No,
    /// A goroutine waits for it.
    ByGoroutine,
}
