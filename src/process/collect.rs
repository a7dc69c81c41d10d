//! One GC cycle in virtual time: stop, mark beside the program, stop, hand the rest to the sweeper.
//!
//! ```text
//! finish the old sweep -> STW 1: barrier on, roots, pacer starts -> concurrent mark -> nothing grey is left
//!   -> STW 2: barrier off, pacer ends, every span becomes unswept, scavenger generation -> caches flushed -> sweep
//! ```
//!
//! Who marks, and on which P, is the scheduler's business ([`super::workers`]).
//!
//! Differences from Go: workers are simulated in steps of [`MARK_STEP_NS`], one P after another; mark termination begins
//! at the moment the last worker ran dry.
//!
//! Source: `runtime/mgc.go`, Go 1.23.9.

use std::sync::Arc;

use rand::RngExt;

use super::goroutine::{Assisting, Parked, WantsP};
use super::workers::{Check, MarkWorkers, SYSMON_PERIOD_NS, Seen, Wanted, WorkerMode};
use super::{MARK_STEP_NS, Process};
use crate::gc::mark::{Budget, WorkOrder};
use crate::gc::mark_price::{Company, MarkPrices};
use crate::gc::roots::{RootJob, RootKind};
use crate::heap::object::ObjRef;
use crate::heap::page_accounting::SpanUse;
use crate::pacer::assist::AssistCredit;
use crate::pacer::controller::{CycleTimes, ScanWork, SweepState};
use crate::pacer::cpu_limiter::GcTransition;
use crate::pacer::sweep_pace::SweepPace;
use crate::pacer::workers::CycleStart;
use crate::trace::{Cycle, CycleKind};

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

/// Pages of one span of work buffers (`runtime/mgcwork.go` `workbufAlloc`: 32 KiB).
const WORK_BUF_SPAN_PAGES: u64 = 4;

/// A cycle that is marking.
#[derive(Debug)]
pub(super) struct RunningCycle {
    record: Cycle,
    assist_ns: f64,
    dedicated_ns: f64,
    fractional_ns: f64,
    idle_ns: f64,
    reported: ScanWork,
    workers: MarkWorkers,
}

/// Sums over all cycles.
#[derive(Clone, Debug, Default)]
pub(super) struct CollectorTotals {
    pub(super) num_gc: u32,
    pub(super) num_forced_gc: u32,
    pub(super) assist_ns: f64,
    pub(super) background_ns: f64,
    pub(super) idle_ns: f64,
    pub(super) pause_ns: f64,
    pub(super) max_pause_ns: f64,
    /// Pauses on all Ps.
    pub(super) pause_cpu_ns: f64,
    pub(super) last_gc_ns: Option<f64>,
    pub(super) gc_cpu_fraction: f64,
    pub(super) in_use_before_sweep_bytes: u64,
    pub(super) allocated_at_last_mark_bytes: u64,
    pub(super) sweep_credit_ns: f64,
    work_buf_spans: Vec<u32>,
}

impl Process {
    /// `runtime.GC()`: waits for a running cycle, runs one, and sweeps.
    pub fn gc(&mut self) {
        self.catch_up();
        self.wait_for_marking();
        self.start_cycle(CycleKind::Forced);
        self.wait_for_marking();
        self.sweep_everything(self.costs.forced_sweep_yield_ns(u64::from(self.settings.procs)));
        self.catch_up();
    }

    /// `debug.FreeOSMemory()`: a cycle, then everything free goes back.
    pub fn free_os_memory(&mut self) {
        self.gc();
        self.release_everything();
    }

    /// Sleeps until marking is over; the goroutine's P is free meanwhile.
    fn wait_for_marking(&mut self) {
        if !self.marker.is_marking() {
            return;
        }
        self.goroutine_blocks();
        self.horizon_ns = f64::INFINITY;
        while self.marker.is_marking() {
            self.now_ns = self.now_ns.max(self.background_ns) + MARK_STEP_NS;
            self.catch_up();
        }
        self.goroutine_runs();
    }

    /// Sweeps all that is left; between two spans the caller gives way for `yield_ns`.
    fn sweep_everything(&mut self, yield_ns: f64) {
        let mut sweepers_ns = 0.0;
        while let Some(outcome) = self.heap.sweep_one() {
            sweepers_ns += self.sweep_ns(outcome) + yield_ns;
        }
        self.now_ns += sweepers_ns;
        self.finish_sweep();
    }

    /// Starts a cycle now.
    pub(super) fn start_cycle(&mut self, kind: CycleKind) {
        debug_assert!(!self.marker.is_marking(), "a cycle started while marking");
        self.sweep_everything(0.0);
        self.catch_up();
        if self.marker.is_marking() {
            return;
        }
        let memory = self.memory_state();
        let trigger = self.pacer.trigger(&memory);
        let heap_start_bytes = self.pacer.heap_live_bytes();
        let start_ns = self.now_ns;
        self.scavenger.wake(self.now_ns as u64);
        self.limiter.start_transition(GcTransition::StartMark, self.now_ns as i64);
        self.heap.bits.start_epoch();
        let start = match kind {
            CycleKind::Heap => CycleStart::Heap,
            CycleKind::Time => CycleStart::Time,
            CycleKind::Forced => CycleStart::Forced,
        };
        let plan = self.pacer.start_cycle(self.settings.procs, start, &memory);
        let prices = self.mark_prices();
        let jobs = self.root_jobs();
        self.marker.start(self.settings.procs as usize, prices, jobs);
        for cache in &self.heap.caches {
            self.marker.shade(&self.heap, cache.tiny_block);
        }
        self.alloc_work_buffers();
        self.count_metadata();
        self.assists.start_cycle();
        for goroutine in &mut self.goroutines {
            goroutine.credit = AssistCredit::default();
        }
        self.pause(self.costs.sweep_termination_ns(u64::from(self.settings.procs)));
        self.limiter.finish_transition(self.now_ns as i64);
        self.cycle = Some(RunningCycle {
            record: Cycle {
                number: self.totals.num_gc + 1,
                kind,
                start_ns: start_ns as u64,
                mark_start_ns: self.now_ns as u64,
                mark_end_ns: 0,
                end_ns: 0,
                sweep_end_ns: None,
                heap_start_bytes,
                heap_end_bytes: 0,
                heap_marked_bytes: 0,
                goal_bytes: trigger.goal_bytes,
                trigger_bytes: trigger.trigger_bytes,
                runway_bytes: self.pacer.runway_bytes(),
                cons_mark: 0.0,
                heap_scan_work_bytes: 0,
                stack_scan_work_bytes: 0,
                globals_scan_work_bytes: 0,
                assist_cpu_ns: 0,
                dedicated_cpu_ns: 0,
                fractional_cpu_ns: 0,
                idle_cpu_ns: 0,
                gc_cpu_fraction: 0.0,
                procs: self.settings.procs,
            },
            assist_ns: 0.0,
            dedicated_ns: 0.0,
            fractional_ns: 0.0,
            idle_ns: 0.0,
            reported: ScanWork::default(),
            workers: MarkWorkers::new(plan, self.settings.procs, self.now_ns, self.worker_wake_ns()),
        });
        self.background_ns = self.now_ns;
        // Where sysmon is in its sleep is a matter of chance: stopping the world may have woken it.
        self.next_sysmon_ns = self.now_ns + self.scheduler_rng.random::<f64>() * SYSMON_PERIOD_NS;
        self.record_sample();
    }

    fn mark_prices(&self) -> MarkPrices {
        let company =
            if self.runnable() > 0 && self.settings.procs > 1 { Company::Goroutine } else { Company::Alone };
        MarkPrices::new(Arc::clone(&self.costs), self.heap.accounts.heap_in_use_bytes(), company)
    }

    fn root_jobs(&self) -> Vec<RootJob> {
        let job = |kind, scan_bytes, objects| RootJob { kind, scan_bytes, objects };
        let queue: Vec<ObjRef> = self.heap.finalizer_queue.iter().map(|(object, _)| *object).collect();
        let finalizers: Vec<ObjRef> = self.heap.finalized_objects().collect();
        let mut jobs = vec![
            job(RootKind::Finalizers, 0, finalizers),
            job(RootKind::FinalizerQueue, 0, queue),
            job(RootKind::Stack, self.stack_scan_bytes(), Vec::new()),
        ];
        for goroutine in &self.goroutines {
            jobs.push(job(RootKind::Stack, 0, goroutine.locals.clone()));
        }
        // The linker lays out zeroed data by size: the program's pointers come before most of the runtime's own, are found
        // first and, the queue being last in first out, followed last.
        let (of_runtime, of_program) = self.globals.split_at(self.startup.global_count());
        jobs.push(job(RootKind::Globals, self.startup.globals_bytes, [of_program, of_runtime].concat()));
        jobs
    }

    fn alloc_work_buffers(&mut self) {
        let new_span = self.heap.alloc_manual(self.cache(), WORK_BUF_SPAN_PAGES, SpanUse::WorkBuffer);
        self.totals.work_buf_spans.push(new_span.span);
    }

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
    fn is_busy(&self, number: usize) -> bool {
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
        let ran_dry = used_ns < wall_ns && !self.marker.has_work_for(number);
        if ran_dry || self.acts_on(check) {
            self.park_worker(number, worked_until_ns);
        }
        worked_until_ns
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
            } else if let Some(cycle) = &mut self.cycle
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

    fn delay_goroutines_on(&mut self, number: usize, delay_ns: f64) {
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
        let budget = Budget { cpu_ns, work_bytes: u64::MAX };
        let drained = self.marker.drain(&self.heap, number, budget, WorkOrder::RootsFirst);
        self.report_scan_work();
        let ratio = self.pacer.assist_ratio();
        let mut paid = Vec::new();
        self.assists.add_background_work(drained.work_bytes as i64, ratio, |goroutine| paid.push(goroutine));
        paid.into_iter().for_each(|goroutine| self.unpark(goroutine));
        let Some(cycle) = &mut self.cycle else { return (drained.cpu_ns, Check::GoOn) };
        match cycle.workers.slots[number].mode {
            Some(WorkerMode::Dedicated) => cycle.dedicated_ns += drained.cpu_ns,
            Some(WorkerMode::Fractional) => cycle.fractional_ns += drained.cpu_ns,
            Some(WorkerMode::Idle) => {
                cycle.idle_ns += drained.cpu_ns;
                self.limiter.add_idle_ns(drained.cpu_ns as i64);
            }
            None => panic!("P {number} drains without a worker"),
        }
        let check = cycle.workers.note_work(number, drained.cpu_ns, drained.work_bytes, now_ns);
        (drained.cpu_ns, check)
    }

    /// Ends the cycle at `at_ns`, on the P that worked last if it is known, if every queue is empty.
    pub(super) fn end_marking_if_drained(&mut self, at_ns: f64, on: Option<usize>) {
        let at_work = self.cycle.as_ref().is_none_or(|cycle| cycle.workers.any_ahead());
        if !at_work && self.marker.is_drained() {
            self.finish_marking(at_ns, on);
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

    /// Goroutines that want a P now.
    pub(super) fn runnable(&self) -> u32 {
        self.goroutines.iter().filter(|goroutine| goroutine.wants_p == WantsP::Yes).count() as u32
    }

    /// Notes CPU time of an assist.
    pub(super) fn account_assist(&mut self, cpu_ns: f64) {
        self.limiter.add_assist_ns(cpu_ns as i64);
        if let Some(cycle) = &mut self.cycle {
            cycle.assist_ns += cpu_ns;
        }
    }

    /// Tells the pacer of scan work done since the last time.
    pub(super) fn report_scan_work(&mut self) {
        let done = ScanWork {
            heap_bytes: self.marker.heap_scan_work_bytes as i64,
            stack_bytes: self.marker.stack_scan_work_bytes as i64,
            globals_bytes: self.marker.globals_scan_work_bytes as i64,
        };
        let Some(cycle) = &mut self.cycle else { return };
        let before = std::mem::replace(&mut cycle.reported, done);
        self.pacer.add_scan_work(ScanWork {
            heap_bytes: done.heap_bytes - before.heap_bytes,
            stack_bytes: done.stack_bytes - before.stack_bytes,
            globals_bytes: done.globals_bytes - before.globals_bytes,
        });
        self.revise();
    }

    /// Brings the assist ratio up to date.
    pub(super) fn revise(&mut self) {
        let memory = self.memory_state();
        self.pacer.revise(&memory);
    }

    /// Mark termination at `at_ns`, carried out on P `on`.
    fn finish_marking(&mut self, at_ns: f64, on: Option<usize>) {
        let Some(cycle) = self.cycle.take() else { return };
        self.background_ns = at_ns;
        self.record_peaks();
        let mut record = cycle.record;
        record.mark_end_ns = at_ns as u64;
        self.limiter.start_transition(GcTransition::EndMark, at_ns as i64);
        let memory = self.memory_state();
        let duration_ns = at_ns - record.mark_start_ns as f64;
        self.pacer.end_cycle(
            CycleTimes {
                mark_duration_ns: duration_ns as i64,
                assist_ns: cycle.assist_ns as i64,
                idle_mark_ns: cycle.idle_ns as i64,
            },
            &memory,
        );
        record.heap_end_bytes = self.pacer.heap_live_bytes();
        record.heap_marked_bytes = self.marker.bytes_marked;
        record.goal_bytes = self.pacer.last_heap_goal_bytes();
        record.cons_mark = self.pacer.cons_mark().estimate();
        record.heap_scan_work_bytes = self.marker.heap_scan_work_bytes;
        record.stack_scan_work_bytes = self.marker.stack_scan_work_bytes;
        record.globals_scan_work_bytes = self.marker.globals_scan_work_bytes;
        self.pacer.reset_live(self.marker.bytes_marked);
        self.marker.stop();
        self.heap.start_sweep();
        self.totals.in_use_before_sweep_bytes = self.heap.accounts.heap_in_use_bytes();
        self.totals.allocated_at_last_mark_bytes = self.heap.stats.allocated_bytes;

        let mut woken = Vec::new();
        self.assists.wake_all(|number| woken.push(number));
        woken.into_iter().for_each(|number| self.unpark(number));
        let pause_ns = self.costs.mark_termination_ns(u64::from(self.settings.procs));
        self.pause(pause_ns);
        let end_ns = at_ns + pause_ns;
        self.limiter.finish_transition(end_ns as i64);
        record.end_ns = end_ns as u64;
        record.assist_cpu_ns = cycle.assist_ns as u64;
        record.dedicated_cpu_ns = cycle.dedicated_ns as u64;
        record.fractional_cpu_ns = cycle.fractional_ns as u64;
        record.idle_cpu_ns = cycle.idle_ns as u64;
        self.settle_totals(&mut record, end_ns);
        self.count_metadata();
        self.commit_pacing();
        self.heap.pages.next_scavenge_generation();
        self.flush_caches(on);
        self.recorder.push_cycle(record);
        self.record_sample_at(end_ns as u64);
    }

    fn settle_totals(&mut self, record: &mut Cycle, end_ns: f64) {
        let totals = &mut self.totals;
        totals.num_gc += 1;
        totals.num_forced_gc += u32::from(record.kind == CycleKind::Forced);
        totals.assist_ns += record.assist_cpu_ns as f64;
        totals.background_ns += (record.dedicated_cpu_ns + record.fractional_cpu_ns) as f64;
        totals.idle_ns += record.idle_cpu_ns as f64;
        totals.last_gc_ns = Some(end_ns);
        let gc_ns = totals.assist_ns + totals.background_ns + totals.pause_cpu_ns;
        totals.gc_cpu_fraction = (gc_ns / (f64::from(self.settings.procs) * end_ns.max(1.0))).min(1.0);
        record.gc_cpu_fraction = totals.gc_cpu_fraction;
        self.limiter.num_gc = totals.num_gc;
    }

    /// Every P gives its cached spans back before it allocates again; idle Ps give back free pages too. Neither a P that runs a
    /// goroutine is idle nor the one on which the last worker carries out mark termination.
    fn flush_caches(&mut self, terminating: Option<usize>) {
        for cache in 0..self.heap.caches.len() {
            let flush = self.heap.flush_cache(cache);
            self.count_metadata();
            self.move_heap_live(-(flush.heap_live_credit_bytes as i64), flush.heap_scan_bytes);
            if !self.is_busy(cache) && terminating != Some(cache) {
                self.heap.flush_page_cache(cache);
            }
        }
    }

    /// Derives goal, trigger, sweep pace and scavenge goals anew.
    pub(super) fn commit_pacing(&mut self) {
        let sweep = if self.heap.sweep.is_running() { SweepState::Pending } else { SweepState::Done };
        self.pacer.commit(sweep);
        if self.marker.is_marking() {
            self.revise();
        }
        let memory = self.memory_state();
        self.sweep_pace = match sweep {
            SweepState::Done => SweepPace::DONE,
            SweepState::Pending => SweepPace::new(
                self.pacer.trigger(&memory).trigger_bytes,
                self.pacer.heap_live_bytes(),
                self.heap.stats.in_use_pages,
                self.heap.sweep.swept_pages,
            ),
        };
        self.set_scavenge_goals();
    }

    /// The last span was swept.
    pub(super) fn finish_sweep(&mut self) {
        self.count_metadata();
        self.sweep_pace = SweepPace::DONE;
        for span in std::mem::take(&mut self.totals.work_buf_spans) {
            self.heap.free_span(span);
        }
        self.stacks.free_empty_spans(&mut self.heap);
        self.recorder.mark_sweep_end(self.now_ns.max(self.background_ns) as u64);
        for object in self.heap.run_finalizers() {
            let global = self.new_global();
            self.set_global(global, object);
        }
        self.wake_scavenger_after_sweep();
    }

    /// Stops the world: every goroutine loses `pause_ns`.
    fn pause(&mut self, pause_ns: f64) {
        self.now_ns += pause_ns;
        for goroutine in &mut self.goroutines {
            goroutine.clock_ns += pause_ns;
        }
        self.totals.pause_ns += pause_ns;
        self.totals.max_pause_ns = self.totals.max_pause_ns.max(pause_ns);
        self.totals.pause_cpu_ns += pause_ns * f64::from(self.settings.procs);
    }

    /// CPU time a thread gets for each nanosecond of wall time when `threads` want to run.
    pub(super) fn core_share(&self, threads: u32) -> f64 {
        (f64::from(self.settings.cores) / f64::from(threads.max(1))).min(1.0)
    }

    /// Wall time that one nanosecond of CPU time takes a goroutine.
    #[inline]
    pub(super) fn slowdown(&self) -> f64 {
        if self.goroutines.len() == 1 && self.cycle.is_none() { 1.0 } else { self.shared_slowdown() }
    }

    fn shared_slowdown(&self) -> f64 {
        let workers = self.cycle.as_ref().map_or(0, |cycle| cycle.workers.running_count());
        let runnable = f64::from(self.runnable().max(1));
        let free = f64::from(self.settings.procs - workers.min(self.settings.procs - 1));
        (runnable / free).max(1.0) / self.core_share(self.busy_count().max(1) + workers)
    }
}
