//! The controller: the pacer's state between calls, and the order in which its formulas are used.
//!
//! One life of the state, as a process drives it:
//!
//! ```text
//! new ──► [ add_heap_live ... until heap_live >= trigger() ] ──► start_cycle
//!           ▲                                                       │
//!           │                                     [ add_scan_work, add_heap_live, revise ... ]
//!           │                                                       │
//!           └──────────── commit(SweepState::Pending) ◄── reset_live ◄── end_cycle
//! ```
//!
//! [`set_gc_percent`](PacerController::set_gc_percent) and [`set_memory_limit`](PacerController::set_memory_limit) may come
//! at any time, followed by `commit`, and by `revise` while marking.
//!
//! Source: `runtime/mgcpacer.go` (`gcControllerState`), Go 1.23.9.

use super::assist_ratio::{self, AssistRatio, Progress};
use super::cons_mark::{ConsMark, Measurement};
use super::goal::{self, HeapGoal, MAX_MEMORY_LIMIT_BYTES, MemoryState, SWEEP_MIN_HEAP_DISTANCE_BYTES};
use super::trigger::{self, Trigger};
use super::workers::{CycleStart, WorkerPlan};

/// Whether the spans of the last cycle are all swept (Go's `isSweepDone()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepState {
    /// Nothing is left to sweep.
    Done,
    /// Some spans are not swept yet; so it always is when a cycle ends.
    Pending,
}

/// Scan work in bytes, by where it was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanWork {
    /// Pointerful parts of heap objects (`heapScanWork`).
    pub heap_bytes: i64,
    /// Used parts of goroutine stacks (`stackScanWork`).
    pub stack_bytes: i64,
    /// Data and bss sections (`globalsScanWork`).
    pub globals_bytes: i64,
}

impl ScanWork {
    /// All of it.
    pub fn total_bytes(&self) -> i64 {
        self.heap_bytes + self.stack_bytes + self.globals_bytes
    }
}

/// Where the time of a mark phase went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CycleTimes {
    /// Wall time from the start of marking to its end in nanoseconds.
    pub mark_duration_ns: i64,
    /// CPU time of mutator assists in nanoseconds.
    pub assist_ns: i64,
    /// CPU time of idle-priority mark workers in nanoseconds.
    pub idle_mark_ns: i64,
}

/// The pacer (`gcControllerState`). All sizes in bytes.
///
/// Invariant: `triggered` is set exactly while marking.
#[derive(Clone, Debug)]
pub struct PacerController {
    // Settings.
    gc_percent: Option<u32>,
    memory_limit_bytes: u64,

    // What the heap tells: kept current between and during cycles.
    heap_live_bytes: u64,
    heap_scan_bytes: u64,
    max_stack_scan_bytes: u64,
    globals_scan_bytes: u64,

    // What the last cycle found.
    heap_marked_bytes: u64,
    last_heap_scan_bytes: u64,
    last_stack_scan_bytes: u64,
    last_heap_goal_bytes: u64,
    cons_mark: ConsMark,

    // What `commit` derived from it.
    gc_percent_goal_bytes: u64,
    sweep_min_trigger_bytes: u64,
    runway_bytes: u64,

    // The running cycle.
    triggered_bytes: Option<u64>,
    procs: u32,
    scan_work: ScanWork,
    assist_ratio: AssistRatio,
}

impl PacerController {
    /// The pacer of a process that has not collected yet. `gc_percent` is GOGC, 0 to 2^31-1, `None` for off;
    /// `memory_limit_bytes` is GOMEMLIMIT, `None` for none, and at most 2^63-1 counts.
    pub fn new(gc_percent: Option<u32>, memory_limit_bytes: Option<u64>) -> PacerController {
        let mut pacer = PacerController {
            gc_percent,
            memory_limit_bytes: limit_or_max(memory_limit_bytes),
            heap_live_bytes: 0,
            heap_scan_bytes: 0,
            max_stack_scan_bytes: 0,
            globals_scan_bytes: 0,
            heap_marked_bytes: 0,
            last_heap_scan_bytes: 0,
            last_stack_scan_bytes: 0,
            last_heap_goal_bytes: 0,
            cons_mark: ConsMark::default(),
            gc_percent_goal_bytes: 0,
            sweep_min_trigger_bytes: 0,
            runway_bytes: 0,
            triggered_bytes: None,
            procs: 1,
            scan_work: ScanWork::default(),
            assist_ratio: AssistRatio::default(),
        };
        pacer.commit(SweepState::Done);
        pacer
    }

    /// Sets GOGC and returns what it was. [`commit`](Self::commit) must follow.
    pub fn set_gc_percent(&mut self, gc_percent: Option<u32>) -> Option<u32> {
        std::mem::replace(&mut self.gc_percent, gc_percent)
    }

    /// Sets GOMEMLIMIT. [`commit`](Self::commit) must follow.
    pub fn set_memory_limit(&mut self, memory_limit_bytes: Option<u64>) {
        self.memory_limit_bytes = limit_or_max(memory_limit_bytes);
    }

    /// Derives the GOGC goal, the sweeper's distance and the runway from what the last cycle found.
    ///
    /// Called at the end of every cycle and whenever a setting has changed. While marking, [`revise`](Self::revise) must
    /// follow.
    pub fn commit(&mut self, sweep: SweepState) {
        self.sweep_min_trigger_bytes = match sweep {
            SweepState::Done => 0,
            SweepState::Pending => self.heap_live_bytes + SWEEP_MIN_HEAP_DISTANCE_BYTES,
        };
        let root_scan = self.last_stack_scan_bytes + self.globals_scan_bytes;
        self.gc_percent_goal_bytes =
            goal::gc_percent_goal_bytes(self.gc_percent, self.heap_marked_bytes, root_scan);
        self.runway_bytes = self.cons_mark.runway_bytes(self.expected_scan_work_bytes());
    }

    /// The heap goal now, and how low the trigger may be.
    pub fn heap_goal(&self, memory: &MemoryState) -> HeapGoal {
        let limit_goal =
            goal::memory_limit_goal_bytes(self.memory_limit_bytes, memory, self.heap_marked_bytes);
        goal::heap_goal(
            self.gc_percent_goal_bytes,
            limit_goal,
            self.sweep_min_trigger_bytes,
            self.triggered_bytes,
        )
    }

    /// The heap goal now in bytes (`NextGC` of `MemStats`).
    pub fn heap_goal_bytes(&self, memory: &MemoryState) -> u64 {
        self.heap_goal(memory).goal_bytes
    }

    /// Where the next cycle should begin.
    pub fn trigger(&self, memory: &MemoryState) -> Trigger {
        trigger::trigger(self.heap_goal(memory), self.heap_marked_bytes, self.runway_bytes)
    }

    /// Starts a cycle on `procs` processors: marking begins now, at the present live heap.
    pub fn start_cycle(&mut self, procs: u32, start: CycleStart, memory: &MemoryState) -> WorkerPlan {
        self.scan_work = ScanWork::default();
        self.triggered_bytes = Some(self.heap_live_bytes);
        self.procs = procs;
        self.revise(memory);
        WorkerPlan::new(procs, start)
    }

    /// Brings the assist ratio up to date. Needed while marking after every change of live heap, scan work, settings or
    /// memory.
    ///
    /// # Panics
    /// Outside of marking.
    pub fn revise(&mut self, memory: &MemoryState) -> AssistRatio {
        let triggered = self.triggered_bytes.expect("the assist ratio is revised while marking only");
        let progress = Progress {
            heap_live: self.heap_live_bytes,
            triggered,
            heap_goal: self.heap_goal_bytes(memory),
            work_done: self.scan_work.total_bytes(),
            expected_work: self.expected_scan_work_bytes(),
            worst_work: self.worst_scan_work_bytes(),
        };
        self.assist_ratio = assist_ratio::assist_ratio(self.gc_percent, &progress);
        self.assist_ratio
    }

    /// Measures cons/mark at the end of marking. [`reset_live`](Self::reset_live) and `commit` must follow.
    ///
    /// A cycle during which nothing was allocated measures nothing and leaves the estimate alone.
    ///
    /// # Panics
    /// Outside of marking.
    pub fn end_cycle(&mut self, times: CycleTimes, memory: &MemoryState) {
        let triggered = self.triggered_bytes.expect("a cycle ends after it has started");
        self.last_heap_goal_bytes = self.heap_goal_bytes(memory);
        if self.heap_live_bytes <= triggered {
            return;
        }
        let measurement = Measurement {
            allocated_bytes: self.heap_live_bytes - triggered,
            scan_work_bytes: self.scan_work.total_bytes(),
            mark_duration_ns: times.mark_duration_ns,
            procs: self.procs,
            assist_ns: times.assist_ns,
            idle_mark_ns: times.idle_mark_ns,
        };
        self.cons_mark.record(measurement.cons_mark());
    }

    /// Starts the next period: what was marked is what lives. `commit` must follow.
    pub fn reset_live(&mut self, marked_bytes: u64) {
        self.heap_marked_bytes = marked_bytes;
        self.heap_live_bytes = marked_bytes;
        self.heap_scan_bytes = self.scan_work.heap_bytes as u64;
        self.last_heap_scan_bytes = self.heap_scan_bytes;
        self.last_stack_scan_bytes = self.scan_work.stack_bytes as u64;
        self.triggered_bytes = None;
    }

    /// The live heap has changed: a span was cached or given back, or a large object allocated.
    /// While marking, [`revise`](Self::revise) must follow.
    ///
    /// # Panics
    /// If the live heap would become negative.
    pub fn add_heap_live(&mut self, bytes: i64) {
        self.heap_live_bytes = add(self.heap_live_bytes, bytes, "heap_live");
    }

    /// Pointerful bytes were allocated. Go counts them between cycles only; during one they are scanned by nobody,
    /// because new objects are born marked.
    pub fn add_heap_scan(&mut self, bytes: i64) {
        self.heap_scan_bytes = add(self.heap_scan_bytes, bytes, "heap_scan");
    }

    /// Stack memory of goroutines has been allocated or freed (`addScannableStack`).
    pub fn add_max_stack_scan(&mut self, bytes: i64) {
        self.max_stack_scan_bytes = add(self.max_stack_scan_bytes, bytes, "max_stack_scan");
    }

    /// Sets the stack memory of all goroutines, used or not.
    pub fn set_max_stack_scan(&mut self, bytes: u64) {
        self.max_stack_scan_bytes = bytes;
    }

    /// Sets the size of the data and bss sections.
    pub fn set_globals_scan(&mut self, bytes: u64) {
        self.globals_scan_bytes = bytes;
    }

    /// Scan work has been done. [`revise`](Self::revise) must follow.
    pub fn add_scan_work(&mut self, work: ScanWork) {
        self.scan_work.heap_bytes += work.heap_bytes;
        self.scan_work.stack_bytes += work.stack_bytes;
        self.scan_work.globals_bytes += work.globals_bytes;
    }

    /// What this cycle needs if it needs as much as the last one.
    pub fn expected_scan_work_bytes(&self) -> u64 {
        self.last_heap_scan_bytes
            .wrapping_add(self.last_stack_scan_bytes)
            .wrapping_add(self.globals_scan_bytes)
    }

    /// What this cycle needs if everything turns out to be live.
    pub fn worst_scan_work_bytes(&self) -> u64 {
        self.heap_scan_bytes.wrapping_add(self.max_stack_scan_bytes).wrapping_add(self.globals_scan_bytes)
    }

    /// GOGC in percent, `None` for off.
    pub fn gc_percent(&self) -> Option<u32> {
        self.gc_percent
    }

    /// GOMEMLIMIT in bytes; 2^63-1 when there is none.
    pub fn memory_limit_bytes(&self) -> u64 {
        self.memory_limit_bytes
    }

    /// Bytes that live as far as is known: marked by the last cycle or allocated since.
    pub fn heap_live_bytes(&self) -> u64 {
        self.heap_live_bytes
    }

    /// Pointerful bytes among them.
    pub fn heap_scan_bytes(&self) -> u64 {
        self.heap_scan_bytes
    }

    /// Bytes that the last cycle marked.
    pub fn heap_marked_bytes(&self) -> u64 {
        self.heap_marked_bytes
    }

    /// Heap bytes that the last cycle scanned.
    pub fn last_heap_scan_bytes(&self) -> u64 {
        self.last_heap_scan_bytes
    }

    /// Stack bytes that the last cycle scanned.
    pub fn last_stack_scan_bytes(&self) -> u64 {
        self.last_stack_scan_bytes
    }

    /// Stack memory of all goroutines.
    pub fn max_stack_scan_bytes(&self) -> u64 {
        self.max_stack_scan_bytes
    }

    /// Size of the data and bss sections.
    pub fn globals_scan_bytes(&self) -> u64 {
        self.globals_scan_bytes
    }

    /// The heap goal at the moment the last cycle ended; 0 before that. The scavenger scales its own goal with it.
    pub fn last_heap_goal_bytes(&self) -> u64 {
        self.last_heap_goal_bytes
    }

    /// The GOGC goal of the last commit; `u64::MAX` when GOGC is off.
    pub fn gc_percent_goal_bytes(&self) -> u64 {
        self.gc_percent_goal_bytes
    }

    /// The runway of the last commit.
    pub fn runway_bytes(&self) -> u64 {
        self.runway_bytes
    }

    /// The cons/mark estimate and its history.
    pub fn cons_mark(&self) -> &ConsMark {
        &self.cons_mark
    }

    /// Where the running cycle began; `None` outside of marking.
    pub fn triggered_bytes(&self) -> Option<u64> {
        self.triggered_bytes
    }

    /// Scan work of the running cycle, or of the last one.
    pub fn scan_work(&self) -> ScanWork {
        self.scan_work
    }

    /// The assist ratio of the last revision.
    pub fn assist_ratio(&self) -> AssistRatio {
        self.assist_ratio
    }
}

fn limit_or_max(memory_limit_bytes: Option<u64>) -> u64 {
    memory_limit_bytes.map_or(MAX_MEMORY_LIMIT_BYTES, |limit| limit.min(MAX_MEMORY_LIMIT_BYTES))
}

fn add(value: u64, change: i64, name: &str) -> u64 {
    value
        .checked_add_signed(change)
        .unwrap_or_else(|| panic!("{name} of {value} bytes cannot change by {change}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::MIB;

    const NOTHING: MemoryState =
        MemoryState { mapped_ready_bytes: 0, heap_free_bytes: 0, total_alloc_bytes: 0, total_free_bytes: 0 };

    /// Runs one cycle that starts at the trigger, allocates and scans so much, and marks so much.
    fn cycle(pacer: &mut PacerController, allocated: i64, heap_scan: i64, marked: u64, memory: &MemoryState) {
        let trigger = pacer.trigger(memory).trigger_bytes.max(pacer.heap_live_bytes());
        pacer.add_heap_live((trigger - pacer.heap_live_bytes()) as i64);
        pacer.start_cycle(4, CycleStart::Heap, memory);
        pacer.add_heap_live(allocated);
        pacer.add_scan_work(ScanWork { heap_bytes: heap_scan, stack_bytes: 8192, globals_bytes: 1000 });
        pacer.revise(memory);
        pacer.end_cycle(CycleTimes { mark_duration_ns: 1_000_000, assist_ns: 0, idle_mark_ns: 0 }, memory);
        pacer.reset_live(marked);
        pacer.commit(SweepState::Pending);
    }

    #[test]
    fn a_fresh_process_triggers_below_four_mebibytes() {
        for (percent, trigger) in
            [(100, 3_997_696), (400, 15_990_784), (800, 31_981_568), (3000, 121_634_816)]
        {
            let mut pacer = PacerController::new(Some(percent), None);
            pacer.set_globals_scan(151_216);
            pacer.commit(SweepState::Done);
            assert_eq!(pacer.trigger(&NOTHING).trigger_bytes, trigger, "GOGC={percent}");
        }
        assert_eq!(PacerController::new(Some(100), None).heap_goal_bytes(&NOTHING), 4 * MIB);
    }

    #[test]
    fn gogc_off_without_a_limit_has_an_enormous_goal_and_no_trigger_in_reach() {
        let pacer = PacerController::new(None, None);
        assert_eq!(pacer.heap_goal_bytes(&NOTHING), 8_946_670_875_749_132_533);
        assert!(pacer.trigger(&NOTHING).trigger_bytes > 1 << 62);
    }

    #[test]
    fn gogc_zero_still_leaves_the_sweeper_its_mebibyte() {
        let mut pacer = PacerController::new(Some(0), None);
        cycle(&mut pacer, 1000, 1000, 5 * MIB, &NOTHING);
        // The goal would be the live heap itself; sweeping needs 1 MiB, and the trigger cannot be before that either.
        let trigger = pacer.trigger(&NOTHING);
        assert_eq!((trigger.goal_bytes, trigger.trigger_bytes), (6 * MIB, 6 * MIB));
        pacer.commit(SweepState::Done);
        assert_eq!(pacer.trigger(&NOTHING).trigger_bytes, 5 * MIB);
    }

    #[test]
    fn a_late_start_pushes_a_gogc_goal_but_not_a_limit_goal() {
        let mut pacer = PacerController::new(Some(100), None);
        pacer.add_heap_live(10 * MIB as i64);
        pacer.start_cycle(1, CycleStart::Heap, &NOTHING);
        assert_eq!(pacer.heap_goal_bytes(&NOTHING), 10 * MIB + 65_536);
        pacer.set_memory_limit(Some(3 * MIB));
        assert_eq!(pacer.heap_goal_bytes(&NOTHING), 2 * MIB);
    }

    #[test]
    fn a_cycle_without_allocation_measures_nothing() {
        let mut pacer = PacerController::new(Some(100), None);
        cycle(&mut pacer, 100_000, 50_000, MIB, &NOTHING);
        let before = *pacer.cons_mark();
        assert!(before.estimate() > 0.0);
        cycle(&mut pacer, 0, 50_000, MIB, &NOTHING);
        assert_eq!(*pacer.cons_mark(), before);
    }

    #[test]
    fn settings_take_effect_at_commit() {
        let mut pacer = PacerController::new(Some(100), None);
        pacer.set_globals_scan(151_216);
        pacer.start_cycle(2, CycleStart::Forced, &NOTHING);
        pacer.add_scan_work(ScanWork { heap_bytes: 1, stack_bytes: 8_400, globals_bytes: 151_216 });
        pacer.end_cycle(CycleTimes::default(), &NOTHING);
        pacer.reset_live(42_438_944);
        pacer.commit(SweepState::Pending);
        assert_eq!(pacer.heap_goal_bytes(&NOTHING), 85_037_504);
        assert_eq!(pacer.set_gc_percent(Some(37)), Some(100));
        assert_eq!(pacer.heap_goal_bytes(&NOTHING), 85_037_504);
        pacer.commit(SweepState::Done);
        assert_eq!(pacer.heap_goal_bytes(&NOTHING), 58_200_411);
    }

    proptest! {
        #[test]
        fn goal_and_trigger_keep_their_order_over_any_run_of_cycles(
            percent in prop::option::of(0u32..1000),
            limit in prop::option::of(0u64..1 << 36),
            cycles in prop::collection::vec((0i64..1 << 30, 1i64..1 << 30, 0u64..1 << 34, 0u64..1 << 28), 1..12),
        ) {
            let mut pacer = PacerController::new(percent, limit);
            for (allocated, scanned, marked, non_heap) in cycles {
                let memory = MemoryState { mapped_ready_bytes: non_heap, ..NOTHING };
                cycle(&mut pacer, allocated, scanned, marked, &memory);
                let found = pacer.trigger(&memory);
                prop_assert!(found.goal_bytes >= marked);
                prop_assert!((marked..=found.goal_bytes).contains(&found.trigger_bytes));
                prop_assert!(found.lower_bound_bytes <= found.trigger_bytes);
                prop_assert!(found.trigger_bytes <= found.upper_bound_bytes);
            }
        }
    }
}
