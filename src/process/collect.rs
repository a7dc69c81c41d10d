//! One GC cycle in virtual time: stop, mark beside the program, stop, hand the rest to the sweeper.
//!
//! ```text
//! finish the old sweep -> STW 1: barrier on, roots, pacer starts -> concurrent mark -> nothing grey is left
//!   -> STW 2: barrier off, pacer ends, every span becomes unswept, scavenger generation -> caches flushed -> sweep
//! ```
//!
//! Who marks, and on which P, is the scheduler's business ([`super::workers`], [`super::marking`]).
//!
//! Differences from Go: workers are simulated in steps of [`MARK_STEP_NS`], one P after another; mark termination begins
//! at the moment the last worker ran dry.
//!
//! Source: `runtime/mgc.go`, Go 1.23.9.

use std::sync::Arc;

use rand::RngExt;

use super::goroutine::WantsP;
use super::workers::{MarkWorkers, SYSMON_PERIOD_NS};
use super::{MARK_STEP_NS, Process};
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
use crate::units::PAGE_BYTES;

/// Pages of one span of work buffers (`runtime/mgcwork.go` `workbufAlloc`: 32 KiB).
const WORK_BUF_SPAN_PAGES: u64 = 4;

/// A cycle that is marking.
#[derive(Debug)]
pub(super) struct RunningCycle {
    record: Cycle,
    assist_ns: f64,
    pub(super) dedicated_ns: f64,
    pub(super) fractional_ns: f64,
    pub(super) idle_ns: f64,
    reported: ScanWork,
    pub(super) workers: MarkWorkers,
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
        self.clear_goroutine_pools();
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
        self.clear_pools();
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
        let job = |kind, scan_bytes, objects| RootJob { kind, scan_bytes, cpu_ns: 0.0, objects };
        let queue: Vec<ObjRef> = self.heap.finalizer_queue.iter().map(|(object, _)| *object).collect();
        let finalizers: Vec<ObjRef> = self.heap.finalized_objects().collect();
        let held: Vec<ObjRef> =
            self.heap.held_by_attachments().chain(self.heap.cleanup_queue.iter().copied()).collect();
        let mut jobs = vec![
            job(RootKind::FinalizerQueue, 0, held),
            job(RootKind::Finalizers, 0, finalizers),
            job(RootKind::FinalizerQueue, 0, queue),
            job(RootKind::Stack, self.startup.stack_scan_bytes, Vec::new()),
        ];
        jobs.extend(self.waiting_stack_jobs());
        for (number, goroutine) in self.goroutines.iter().enumerate() {
            jobs.push(job(RootKind::RunningStack(number), 0, goroutine.locals.clone()));
        }
        // The linker lays out zeroed data by size: the program's pointers come before most of the runtime's own, are found
        // first and, the queue being last in first out, followed last.
        let (of_runtime, of_program) = self.globals.split_at(self.startup.global_count());
        jobs.push(job(RootKind::Globals, self.startup.globals_bytes, [of_program, of_runtime].concat()));
        jobs
    }

    fn alloc_work_buffers(&mut self) {
        let new_span = self.heap.alloc_manual(self.cache(), WORK_BUF_SPAN_PAGES, SpanUse::WorkBuffer);
        self.heap.write_span(new_span.span, 0..WORK_BUF_SPAN_PAGES * PAGE_BYTES);
        self.totals.work_buf_spans.push(new_span.span);
    }

    /// Ends the cycle at `at_ns`, on the P that worked last if it is known, if every queue is empty.
    pub(super) fn end_marking_if_drained(&mut self, at_ns: f64, on: Option<usize>) {
        let at_work = self.cycle.as_ref().is_none_or(|cycle| cycle.workers.any_ahead());
        if !at_work && self.marker.is_drained() {
            self.finish_marking(at_ns, on);
        }
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
        self.settle_stacks();
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
    /// goroutine is idle nor, beside one, the P on which the last worker carries out mark termination. When no goroutine
    /// runs (a forced cycle) workers come and go on all Ps, and each is taken to have been idle.
    fn flush_caches(&mut self, terminating: Option<usize>) {
        for cache in 0..self.heap.caches.len() {
            let flush = self.heap.flush_cache(cache);
            self.count_metadata();
            self.move_heap_live(-(flush.heap_live_credit_bytes as i64), flush.heap_scan_bytes);
            if self.runnable() == 0 || (!self.is_busy(cache) && terminating != Some(cache)) {
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
        self.note_pause(pause_ns);
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
