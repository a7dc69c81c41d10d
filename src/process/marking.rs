//! Marking beside the program: what every P does from one moment to the next while a cycle marks.
//!
//! The rules of who marks where are those of [`super::workers`]; here they meet the clock, the marker and the goroutines. A P
//! that no goroutine wants looks for a worker, lets it drain the marker for a step, and parks it when it has run dry, has
//! had its share, or gives way. When the last worker parks, the ragged barrier flushes all queues and every P looks anew.
//!
//! Differences from Go: one P after another in steps of [`MARK_STEP_NS`]; the barrier takes the same time whatever the
//! goroutines do.
//!
//! Sources: `runtime/mgc.go` `gcMarkDone`, `runtime/proc.go` `findRunnable`, `sysmon`, `forEachP`, Go 1.23.9.

use super::goroutine::{Assisting, Parked, WantsP};
use super::workers::{Check, Seen, Wanted, WorkerMode};
use super::{MARK_STEP_NS, Process};
use crate::gc::mark::{Budget, WorkOrder};

/// What the ragged barrier of `gcMarkDone` takes until every P has been preempted and looks for work again: 40 to 55 us in
/// execution traces of the steady program, quiet machine with two cores.
const RAGGED_BARRIER_NS: f64 = 45_000.0;

/// How much later than the goroutines that it has preempted the P goes on that carried out the barrier: it returns, parks its
/// worker and looks for other work; 25 us in the same traces. An assist may take what was flushed meanwhile.
const BARRIER_RETURN_NS: f64 = 25_000.0;

/// Whether flushing the Ps' queues has brought work to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Nothing was grey, or somebody still marks.
    Nothing,
    /// There is work that any P may take.
    Work,
}

/// Whether the P of a worker that ended went to a goroutine that waited for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HandOver {
    /// It did.
    Done,
    /// No goroutine waited.
    NobodyWaits,
}

impl Process {
    /// Marks from `start_ns` to `end_ns` beside the program; ends the cycle if nothing grey is left.
    pub(super) fn mark_beside(&mut self, start_ns: f64, end_ns: f64) {
        let (mut last_work_ns, mut last_worker) = (start_ns, None);
        for number in (0..self.settings.procs as usize).rev() {
            if !self.is_busy(number) {
                let worked_until_ns = self.mark_on(number, start_ns, end_ns);
                if worked_until_ns > last_work_ns {
                    (last_work_ns, last_worker) = (worked_until_ns, Some(number));
                }
            }
        }
        if self.limiter.needs_update(end_ns as i64) {
            self.limiter.update(end_ns as i64);
        }
        self.end_marking_if_drained(last_work_ns, last_worker);
    }

    /// Whether a goroutine keeps P `number` busy.
    pub(super) fn is_busy(&self, number: usize) -> bool {
        self.goroutines.iter().any(|goroutine| goroutine.wants_p == WantsP::Yes && goroutine.cache == number)
    }

    /// Lets the worker of a P that no goroutine wants run from `start_ns` to `end_ns`; returns when it last had work.
    fn mark_on(&mut self, number: usize, start_ns: f64, end_ns: f64) -> f64 {
        let Some(cycle) = &mut self.cycle else { return start_ns };
        let slot = cycle.workers.slots[number];
        if slot.mode.is_none() {
            if slot.look_ns > start_ns {
                return start_ns;
            }
            let found = self.marker.has_work_for(number)
                && cycle.workers.schedule(number, start_ns, Wanted::No).is_some();
            if !found {
                cycle.workers.sleep(number);
                return start_ns;
            }
        }
        let cycle = self.cycle.as_ref().expect("still marking");
        let rate = self.core_share(self.busy_count() + cycle.workers.running_count());
        let wall_ns = end_ns - start_ns;
        if slot.ahead_ns >= wall_ns {
            self.set_ahead(number, slot.ahead_ns - wall_ns);
            return end_ns;
        }
        if self.acts_on(slot.pending) {
            self.park_worker(number, start_ns + slot.ahead_ns);
            return start_ns + slot.ahead_ns;
        }
        let (cpu_ns, check) = self.drain_on(number, (wall_ns - slot.ahead_ns) * rate, end_ns);
        let used_ns = slot.ahead_ns + cpu_ns / rate;
        self.set_ahead(number, (used_ns - wall_ns).max(0.0));
        let worked_until_ns = start_ns + used_ns.min(wall_ns);
        if used_ns > wall_ns + MARK_STEP_NS {
            // It cannot look up before its piece of work is done.
            self.set_pending(number, check);
            return worked_until_ns;
        }
        if self.marker.waits_for_stack() && used_ns < wall_ns {
            self.ask_to_stop(number, (wall_ns - used_ns) * rate);
            return end_ns;
        }
        let ran_dry = used_ns < wall_ns && !self.marker.has_work_for(number);
        if ran_dry || self.acts_on(check) {
            self.park_worker(number, worked_until_ns);
        }
        worked_until_ns
    }

    /// The worker on P `number` goes on asking a goroutine to stop, for `cpu_ns`. A fractional worker has had its share after
    /// its first root job, and an idle-priority one takes its place.
    fn ask_to_stop(&mut self, number: usize, cpu_ns: f64) {
        if let Some(cycle) = &mut self.cycle
            && cycle.workers.slots[number].mode == Some(WorkerMode::Fractional)
        {
            cycle.workers.slots[number].mode = Some(WorkerMode::Idle);
        }
        self.account_worker(number, cpu_ns);
    }

    /// Whether a worker that finds this when it looks up ends.
    fn acts_on(&self, check: Check) -> bool {
        match check {
            Check::GoOn => false,
            Check::HadItsShare => true,
            Check::LooksAround => self.is_someone_waking(),
        }
    }

    fn set_pending(&mut self, number: usize, check: Check) {
        if let Some(cycle) = &mut self.cycle {
            cycle.workers.slots[number].pending = check;
        }
    }

    fn set_ahead(&mut self, number: usize, ahead_ns: f64) {
        if let Some(cycle) = &mut self.cycle {
            cycle.workers.slots[number].ahead_ns = ahead_ns;
        }
    }

    /// The worker on P `number` ends; its P looks for something else to do.
    fn park_worker(&mut self, number: usize, now_ns: f64) {
        let Some(cycle) = &mut self.cycle else { return };
        cycle.workers.park(number, now_ns);
        let flushed = self.mark_done();
        if self.hand_over_to_waking(number, now_ns) == HandOver::Done {
            return;
        }
        if flushed == Flushed::Work {
            self.reschedule_after_barrier(number, now_ns);
        }
    }

    /// A goroutine that was made runnable by the worker that ended on P `number` goes on there.
    fn hand_over_to_waking(&mut self, number: usize, now_ns: f64) -> HandOver {
        let wake_ns = self.worker_wake_ns();
        let waking = self.goroutines.iter_mut().find(|goroutine| goroutine.parked == Parked::Waking);
        if let (Some(goroutine), Some(cycle)) = (waking, &mut self.cycle) {
            // It goes on here; the P that was coming to fetch it finds nothing to run, and looks for marking work.
            cycle.workers.sleep(number);
            let coming = std::mem::replace(&mut goroutine.cache, number);
            if coming != number {
                cycle.workers.goroutine_blocked(coming, now_ns + wake_ns);
            }
            return HandOver::Done;
        }
        HandOver::NobodyWaits
    }

    /// The ragged barrier of `gcMarkDone` has preempted every goroutine, and the work that the worker on P `number` left
    /// behind is anybody's: a P whose fractional share is not used up takes it, and its goroutine goes on at P `number`.
    fn reschedule_after_barrier(&mut self, number: usize, now_ns: f64) {
        let after_ns = now_ns + RAGGED_BARRIER_NS;
        let busy: Vec<usize> =
            (0..self.settings.procs as usize).filter(|other| self.is_busy(*other)).collect();
        for &other in &busy {
            self.delay_goroutines_on(other, RAGGED_BARRIER_NS);
        }
        let Some(cycle) = &mut self.cycle else { return };
        let taker = busy
            .into_iter()
            .find(|other| cycle.workers.schedule(*other, after_ns, Wanted::ByGoroutine).is_some());
        let Some(taker) = taker else {
            cycle.workers.slots[number].look_ns = after_ns + BARRIER_RETURN_NS;
            return;
        };
        cycle.workers.slots[taker].ahead_ns = RAGGED_BARRIER_NS;
        cycle.workers.sleep(number);
        cycle.workers.slots[number].seen = Seen::No;
        for goroutine in self.goroutines.iter_mut().filter(|goroutine| goroutine.cache == taker) {
            goroutine.cache = number;
        }
    }

    /// Whether a goroutine that was parked has been made runnable and does not run yet.
    fn is_someone_waking(&self) -> bool {
        self.goroutines.iter().any(|goroutine| goroutine.parked == Parked::Waking)
    }

    /// The last worker or assist found nothing more (`gcMarkDone`): what Ps still hold becomes common.
    pub(super) fn mark_done(&mut self) -> Flushed {
        let running = self.cycle.as_ref().is_some_and(|cycle| cycle.workers.any_running());
        if !running && self.assisting == Assisting::No && !self.marker.has_common_work() {
            self.marker.flush_queues();
            if self.marker.has_common_work() {
                return Flushed::Work;
            }
        }
        Flushed::Nothing
    }

    /// `sysmon` preempts what has run on its P for a time slice.
    pub(super) fn preempt_long_runners(&mut self, now_ns: f64) {
        for number in 0..self.settings.procs as usize {
            let Some(cycle) = &mut self.cycle else { return };
            if !cycle.workers.sysmon_looks(number) {
                continue;
            }
            if self.is_busy(number) {
                self.preempt_goroutine(number, now_ns);
            } else if !self.marker.waits_for_stack()
                && let Some(cycle) = &mut self.cycle
                && matches!(cycle.workers.slots[number].mode, Some(WorkerMode::Idle | WorkerMode::Fractional))
            {
                self.park_worker(number, now_ns);
            }
        }
    }

    /// The goroutine on P `number` gives way: it goes on at once on a P that is idle, or after a fractional worker.
    fn preempt_goroutine(&mut self, number: usize, now_ns: f64) {
        let idle = (0..self.settings.procs as usize).find(|other| {
            let sleeps = self.cycle.as_ref().is_some_and(|cycle| cycle.workers.slots[*other].mode.is_none());
            sleeps && !self.is_busy(*other)
        });
        let Some(cycle) = &mut self.cycle else { return };
        if !self.marker.has_work_for(number) {
            return;
        }
        if let Some(idle) = idle {
            for goroutine in self.goroutines.iter_mut().filter(|goroutine| goroutine.cache == number) {
                goroutine.cache = idle;
            }
            cycle.workers.slots[idle].seen = Seen::No;
            cycle.workers.schedule(number, now_ns, Wanted::No);
            return;
        }
        if cycle.workers.schedule(number, now_ns, Wanted::ByGoroutine).is_none() {
            return;
        }
        let mut taken_ns = 0.0;
        loop {
            let (cpu_ns, check) = self.drain_on(number, MARK_STEP_NS, now_ns + taken_ns);
            taken_ns += cpu_ns;
            if check == Check::HadItsShare || cpu_ns == 0.0 {
                break;
            }
        }
        if let Some(cycle) = &mut self.cycle {
            cycle.workers.slots[number].mode = None;
        }
        let _ = self.mark_done();
        self.delay_goroutines_on(number, taken_ns);
    }

    pub(super) fn delay_goroutines_on(&mut self, number: usize, delay_ns: f64) {
        for (index, goroutine) in self.goroutines.iter_mut().enumerate() {
            if goroutine.cache == number {
                goroutine.clock_ns += delay_ns;
                if index == self.current {
                    self.now_ns += delay_ns;
                }
            }
        }
    }

    /// Drains on P `number` for at most `cpu_ns`; returns the CPU time used and what the worker finds when it looks up.
    fn drain_on(&mut self, number: usize, cpu_ns: f64, now_ns: f64) -> (f64, Check) {
        let workers = self.cycle.as_ref().map_or(0, |cycle| cycle.workers.running_count());
        let factor = if workers > 1 { self.marker.prices().two_workers_factor() } else { 1.0 };
        let budget = Budget { cpu_ns: cpu_ns / factor, work_bytes: u64::MAX };
        let mut drained = self.marker.drain(&self.heap, number, budget, WorkOrder::RootsFirst);
        drained.cpu_ns *= factor;
        self.report_scan_work();
        let ratio = self.pacer.assist_ratio();
        let mut paid = Vec::new();
        self.assists.add_background_work(drained.work_bytes as i64, ratio, |goroutine| paid.push(goroutine));
        paid.into_iter().for_each(|goroutine| self.unpark(goroutine));
        self.account_worker(number, drained.cpu_ns);
        let Some(cycle) = &mut self.cycle else { return (drained.cpu_ns, Check::GoOn) };
        let check = cycle.workers.note_work(number, drained.cpu_ns, drained.work_bytes, now_ns);
        (drained.cpu_ns, check)
    }

    /// Notes CPU time of the worker on P `number`, in its mode.
    fn account_worker(&mut self, number: usize, cpu_ns: f64) {
        let Some(cycle) = &mut self.cycle else { return };
        match cycle.workers.slots[number].mode {
            Some(WorkerMode::Dedicated) => cycle.dedicated_ns += cpu_ns,
            Some(WorkerMode::Fractional) => cycle.fractional_ns += cpu_ns,
            Some(WorkerMode::Idle) => {
                cycle.idle_ns += cpu_ns;
                self.limiter.add_idle_ns(cpu_ns as i64);
            }
            None => panic!("P {number} marks without a worker"),
        }
    }

    /// The worker on P `number` is kept from its work for `lost_ns`, which counts as its time nevertheless.
    pub(super) fn hold_up_worker(&mut self, number: usize, lost_ns: f64) {
        self.account_worker(number, lost_ns);
        if let Some(cycle) = &mut self.cycle {
            cycle.workers.slots[number].ahead_ns += lost_ns;
        }
    }

    /// The running goroutine blocks: its P looks for marking to do.
    pub(super) fn goroutine_blocks(&mut self) {
        let (cache, now_ns) = (self.cache(), self.now_ns);
        self.goroutines[self.current].wants_p = WantsP::No;
        if let Some(cycle) = &mut self.cycle {
            cycle.workers.goroutine_blocked(cache, now_ns);
        }
    }

    /// The running goroutine runs again, on its P if that is free, else on one that is.
    pub(super) fn goroutine_runs(&mut self) {
        let old = self.cache();
        let procs = self.settings.procs as usize;
        if let Some(cycle) = &self.cycle
            && cycle.workers.slots[old].mode.is_some()
        {
            let slots = &cycle.workers.slots;
            let free = (0..procs).find(|number| slots[*number].mode.is_none() && !self.is_busy(*number));
            match free {
                Some(free) => self.goroutines[self.current].cache = free,
                None => {
                    // An idle-priority worker sees that something is runnable and gives way.
                    if let Some(cycle) = &mut self.cycle {
                        cycle.workers.slots[old].mode = None;
                        cycle.workers.sleep(old);
                    }
                }
            }
        }
        let number = self.cache();
        self.goroutines[self.current].wants_p = WantsP::Yes;
        if let Some(cycle) = &mut self.cycle {
            cycle.workers.slots[number].seen = Seen::No;
        }
    }

    /// Ps that goroutines keep busy.
    pub(super) fn busy_count(&self) -> u32 {
        self.runnable().min(self.settings.procs)
    }
}
