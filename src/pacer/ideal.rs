//! The pacer alone, driving an idealised program: constant rates, no scheduler, no heap.
//!
//! Every cycle starts exactly at the trigger. From then on, in steps of 500 µs:
//!
//! 1. The share of the CPU that marking gets follows from the assist ratio `r`, because assists force
//!    `scanned = r * allocated`:
//!    `u = r * alloc_rate / (r * alloc_rate + scan_rate)`, but at least the quarter of the background workers.
//! 2. `scanned = scan_rate * 500 µs * procs * u` and `allocated = alloc_rate * 500 µs * procs * (1 - u)`. Globals are
//!    scanned first, then stacks, then the heap. The step in which the work runs out is cut short in proportion.
//! 3. The controller hears of both and revises its ratio. What `u` exceeds the quarter by is assist time.
//!
//! What the next cycle finds marked is what this one found, times the growth rate, and everything allocated while marking.
//!
//! There is no memory besides the heap, and nothing is ever above the memory limit: the limit acts as a plain ceiling on
//! the goal, less its headroom.
//!
//! The model is that of the pacer's own test in Go, `runtime/mgcpacer_test.go` 1.23.9 (`TestGcPacer`).

use super::BACKGROUND_UTILIZATION;
use super::controller::{CycleTimes, PacerController, ScanWork, SweepState};
use super::float::to_i64;
use super::goal::MemoryState;
use super::workers::CycleStart;
use crate::units::{KIB, MICROSECOND_NS, MILLISECOND_NS};

/// Time between two revisions in nanoseconds (Go's test).
const STEP_NS: i64 = 500 * MICROSECOND_NS as i64;

/// Bytes per CPU of one step at a rate of 1 KiB per CPU-millisecond: 512.
const BYTES_PER_STEP_AND_RATE: f64 = KIB as f64 * STEP_NS as f64 / MILLISECOND_NS as f64;

/// Bytes that the first cycle finds marked (Go's test).
const FIRST_MARKED_BYTES: i64 = 256 * KIB as i64;

/// Steps after which a cycle is given up: 50,000 seconds of marking (our limit, for inputs that scan next to nothing).
const MAX_STEPS: u64 = 100_000_000;

/// The live heap may not grow beyond this (our limit: the controller counts in signed 64-bit integers).
const MAX_HEAP_BYTES: i64 = i64::MAX;

/// The program and the settings during one cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct IdealCycle {
    /// GOGC; `None` is off.
    pub gc_percent: Option<u32>,
    /// GOMEMLIMIT in bytes, 0 to 2^63-1, which means none.
    pub memory_limit_bytes: u64,
    /// Bytes of global variables, all of them scanned.
    pub globals_bytes: u64,
    /// GOMAXPROCS, 1 or more.
    pub procs: u32,
    /// Allocation rate in KiB per millisecond of CPU time of the program.
    pub alloc_rate_kib_per_cpu_ms: f64,
    /// Scan rate in KiB per millisecond of CPU time of the collector; more than 0.
    pub scan_rate_kib_per_cpu_ms: f64,
    /// The live heap this cycle finds over the live heap the last one found.
    pub growth_rate: f64,
    /// Share of the heap that may hold pointers, 0 to 1.
    pub scannable_frac: f64,
    /// Bytes of goroutine stacks, all of them scanned.
    pub stack_bytes: u64,
}

/// What the pacer made of a cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdealOutcome {
    /// Bytes marked by the cycle before: the heap this one started from.
    pub heap_marked_bytes: u64,
    /// Live heap when the cycle began.
    pub trigger_bytes: u64,
    /// Heap goal when the cycle ended.
    pub goal_bytes: u64,
    /// Live heap when the cycle ended.
    pub peak_bytes: u64,
    /// Wall time of the mark phase in nanoseconds.
    pub gc_duration_ns: i64,
    /// Share of the CPU that marking used, 0.25 to 1; not a number when there was nothing to scan.
    pub gc_utilization: f64,
}

/// Why a cycle cannot be run to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdealError {
    /// Too little is scanned in a step for the work there is.
    #[error(
        "the cycle's scan work takes more than {MAX_STEPS} steps of 500 µs; accepted: a higher scan rate, or less to scan"
    )]
    Endless,
    /// The heap is larger than an address space.
    #[error("the heap outgrows 2^63 bytes; accepted: a lower allocation or growth rate")]
    HeapTooLarge,
}

/// The idealised program and its pacer.
#[derive(Clone, Debug)]
pub struct IdealMutator {
    pacer: PacerController,
    allocated_black_last_bytes: i64,
    first: bool,
}

impl IdealMutator {
    /// A process that starts with the settings of its first cycle.
    pub fn new(gc_percent: Option<u32>, memory_limit_bytes: u64) -> IdealMutator {
        IdealMutator {
            pacer: PacerController::new(gc_percent, Some(memory_limit_bytes)),
            allocated_black_last_bytes: 0,
            first: true,
        }
    }

    /// The pacer as it stands between two cycles.
    pub fn pacer(&self) -> &PacerController {
        &self.pacer
    }

    /// Runs one cycle from trigger to end.
    pub fn run_cycle(&mut self, cycle: &IdealCycle) -> Result<IdealOutcome, IdealError> {
        self.apply_settings(cycle);
        let trigger_bytes = self.start(cycle);
        let found_bytes = self.bytes_to_be_found(cycle)?;
        let mark = self.mark(cycle, found_bytes)?;
        let marked_bytes = found_bytes.checked_add(mark.allocated_bytes).ok_or(IdealError::HeapTooLarge)?;

        let outcome = IdealOutcome {
            heap_marked_bytes: self.pacer.heap_marked_bytes(),
            trigger_bytes,
            goal_bytes: self.pacer.heap_goal_bytes(&MEMORY),
            peak_bytes: self.pacer.heap_live_bytes(),
            gc_duration_ns: mark.duration_ns,
            gc_utilization: mark.assist_ns as f64 / (mark.duration_ns as f64 * f64::from(cycle.procs))
                + BACKGROUND_UTILIZATION,
        };
        let times =
            CycleTimes { mark_duration_ns: mark.duration_ns, assist_ns: mark.assist_ns, idle_mark_ns: 0 };
        self.pacer.end_cycle(times, &MEMORY);
        self.pacer.reset_live(marked_bytes as u64);
        self.pacer.commit(SweepState::Pending);
        self.allocated_black_last_bytes = mark.allocated_bytes;
        self.first = false;
        Ok(outcome)
    }

    /// A setting that differs from the cycle before counts as changed when that one ended.
    fn apply_settings(&mut self, cycle: &IdealCycle) {
        let same = self.pacer.gc_percent() == cycle.gc_percent
            && self.pacer.memory_limit_bytes() == cycle.memory_limit_bytes;
        if same {
            return;
        }
        self.pacer.set_gc_percent(cycle.gc_percent);
        self.pacer.set_memory_limit(Some(cycle.memory_limit_bytes));
        self.pacer.commit(if self.first { SweepState::Done } else { SweepState::Pending });
    }

    /// Fills the heap up to the trigger and starts the cycle there.
    fn start(&mut self, cycle: &IdealCycle) -> u64 {
        let pacer = &mut self.pacer;
        let marked = pacer.heap_marked_bytes();
        let trigger = pacer.trigger(&MEMORY).trigger_bytes.max(marked);
        let allocated = trigger - marked;
        pacer.set_max_stack_scan(cycle.stack_bytes);
        pacer.set_globals_scan(cycle.globals_bytes);
        pacer.add_heap_live((trigger - pacer.heap_live_bytes()) as i64);
        pacer.add_heap_scan(to_i64(allocated as f64 * cycle.scannable_frac));
        pacer.start_cycle(cycle.procs, CycleStart::Heap, &MEMORY);
        trigger
    }

    /// What the cycle will find marked, apart from what is allocated while it runs.
    fn bytes_to_be_found(&self, cycle: &IdealCycle) -> Result<i64, IdealError> {
        if self.first {
            return Ok(FIRST_MARKED_BYTES);
        }
        let found_last = self.pacer.heap_marked_bytes() as i64 - self.allocated_black_last_bytes;
        let found = to_i64(found_last as f64 * cycle.growth_rate);
        // What is too large for an integer converts to a negative one.
        if found < 0 { Err(IdealError::HeapTooLarge) } else { Ok(found) }
    }

    fn mark(&mut self, cycle: &IdealCycle, found_bytes: i64) -> Result<MarkPhase, IdealError> {
        let mut left = ScanWork {
            globals_bytes: cycle.globals_bytes as i64,
            stack_bytes: cycle.stack_bytes as i64,
            heap_bytes: to_i64(found_bytes as f64 * cycle.scannable_frac),
        };
        let mut mark = MarkPhase::default();
        let most_scanned = cycle.scan_rate_kib_per_cpu_ms * BYTES_PER_STEP_AND_RATE * f64::from(cycle.procs);
        if left.total_bytes() > 0 && most_scanned < 1.0 {
            return Err(IdealError::Endless);
        }
        for _ in 0..MAX_STEPS {
            if left.total_bytes() <= 0 {
                return Ok(mark);
            }
            let step = Step::new(cycle, self.pacer.assist_ratio().work_per_byte, &mut left);
            if !(0..=MAX_HEAP_BYTES - self.pacer.heap_live_bytes() as i64).contains(&step.allocated_bytes) {
                return Err(IdealError::HeapTooLarge);
            }
            self.pacer.add_heap_live(step.allocated_bytes);
            // Unlike a real heap, the model also counts what is allocated while marking as scannable.
            self.pacer.add_heap_scan(to_i64(step.allocated_bytes as f64 * cycle.scannable_frac));
            self.pacer.add_scan_work(step.scanned);
            self.pacer.revise(&MEMORY);
            mark.add(&step);
        }
        Err(IdealError::Endless)
    }
}

/// No memory besides the heap.
const MEMORY: MemoryState =
    MemoryState { mapped_ready_bytes: 0, heap_free_bytes: 0, total_alloc_bytes: 0, total_free_bytes: 0 };

/// Totals of a mark phase.
#[derive(Clone, Copy, Debug, Default)]
struct MarkPhase {
    duration_ns: i64,
    assist_ns: i64,
    allocated_bytes: i64,
}

impl MarkPhase {
    fn add(&mut self, step: &Step) {
        self.duration_ns += step.elapsed_ns;
        self.assist_ns += step.assist_ns;
        self.allocated_bytes += step.allocated_bytes;
    }
}

/// 500 µs of marking, or what was left of it.
struct Step {
    scanned: ScanWork,
    allocated_bytes: i64,
    elapsed_ns: i64,
    assist_ns: i64,
}

impl Step {
    /// Marks and allocates for one step at an assist ratio, taking its work off `left`.
    ///
    /// The order of the factors is that of the model this follows: another one would round differently.
    fn new(cycle: &IdealCycle, work_per_byte: f64, left: &mut ScanWork) -> Step {
        let (alloc_rate, scan_rate) = (cycle.alloc_rate_kib_per_cpu_ms, cycle.scan_rate_kib_per_cpu_ms);
        let procs = f64::from(cycle.procs);
        let demanded = work_per_byte * alloc_rate / (work_per_byte * alloc_rate + scan_rate);
        let utilization = if demanded < BACKGROUND_UTILIZATION { BACKGROUND_UTILIZATION } else { demanded };

        let scannable = scan_rate * BYTES_PER_STEP_AND_RATE * procs * utilization;
        let scanned = take_work(left, to_i64(scannable));
        let (elapsed_ns, allocated) = if scanned.total_bytes() < to_i64(scannable) {
            let elapsed_ns = to_i64(scanned.total_bytes() as f64 * STEP_NS as f64 / scannable);
            let part = alloc_rate * BYTES_PER_STEP_AND_RATE * elapsed_ns as f64 / STEP_NS as f64;
            (elapsed_ns, part * procs * (1.0 - utilization))
        } else {
            (STEP_NS, alloc_rate * BYTES_PER_STEP_AND_RATE * procs * (1.0 - utilization))
        };
        Step {
            scanned,
            allocated_bytes: to_i64(allocated),
            elapsed_ns,
            assist_ns: to_i64(elapsed_ns as f64 * procs * (utilization - BACKGROUND_UTILIZATION)),
        }
    }
}

/// Takes up to `work_bytes` off the work left: globals first, then stacks, then the heap.
fn take_work(left: &mut ScanWork, mut work_bytes: i64) -> ScanWork {
    let mut take = |left: &mut i64| {
        let taken = (*left).min(work_bytes);
        *left -= taken;
        work_bytes -= taken;
        taken
    };
    ScanWork {
        globals_bytes: take(&mut left.globals_bytes),
        stack_bytes: take(&mut left.stack_bytes),
        heap_bytes: take(&mut left.heap_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::MIB;

    fn steady() -> IdealCycle {
        IdealCycle {
            gc_percent: Some(100),
            memory_limit_bytes: i64::MAX as u64,
            globals_bytes: 32 * KIB,
            procs: 8,
            alloc_rate_kib_per_cpu_ms: 33.0,
            scan_rate_kib_per_cpu_ms: 1024.0,
            growth_rate: 1.0,
            scannable_frac: 1.0,
            stack_bytes: 8192,
        }
    }

    fn run(cycles: usize, cycle: impl Fn(usize) -> IdealCycle) -> Vec<IdealOutcome> {
        let mut ideal = IdealMutator::new(cycle(0).gc_percent, cycle(0).memory_limit_bytes);
        (0..cycles).map(|i| ideal.run_cycle(&cycle(i)).unwrap()).collect()
    }

    #[test]
    fn the_first_cycle_scans_globals_stacks_and_256_kib() {
        let first = run(1, |_| steady())[0];
        // 303,104 bytes at 1024 KiB * 8 processors * 0.25 = 2 MiB a millisecond: 144,531 ns.
        assert_eq!(first.gc_duration_ns, 303_104 * 1_000_000 / (2 * MIB as i64));
        assert_eq!((first.heap_marked_bytes, first.trigger_bytes), (0, 3_997_696));
    }

    #[test]
    fn a_steady_program_settles_without_assists_at_its_goal() {
        let growing = |i| IdealCycle { growth_rate: if i < 10 { 1.8 } else { 1.0 }, ..steady() };
        let last = *run(40, growing).last().unwrap();
        assert!((last.gc_utilization - 0.25).abs() < 0.005, "{last:?}");
        assert!((last.peak_bytes as f64 / last.goal_bytes as f64 - 1.0).abs() < 0.05, "{last:?}");
    }

    #[test]
    fn fast_allocation_makes_goroutines_assist() {
        let fast = |i| IdealCycle {
            growth_rate: if i < 12 { 1.8 } else { 1.0 },
            alloc_rate_kib_per_cpu_ms: if i < 20 { 33.0 } else { 2000.0 },
            ..steady()
        };
        let outcomes = run(21, fast);
        assert!(outcomes[19].gc_utilization < 0.251);
        assert!(outcomes[20].gc_utilization > 0.4, "{:?}", outcomes[20]);
    }

    #[test]
    fn a_changed_setting_holds_from_the_cycle_it_is_given_for() {
        let changed = |i| IdealCycle { gc_percent: Some(if i < 3 { 100 } else { 400 }), ..steady() };
        let goals: Vec<u64> = run(5, changed).iter().map(|outcome| outcome.goal_bytes).collect();
        assert_eq!(goals, [4 * MIB, 4 * MIB, 4 * MIB, 16 * MIB, 16 * MIB]);
    }

    #[test]
    fn a_cycle_that_cannot_end_is_refused() {
        let mut ideal = IdealMutator::new(Some(100), i64::MAX as u64);
        ideal.run_cycle(&steady()).unwrap();
        let huge = IdealCycle { growth_rate: 1e300, ..steady() };
        assert_eq!(ideal.clone().run_cycle(&huge), Err(IdealError::HeapTooLarge));
        // Half a byte a step is none: 500 µs * 1 processor * 0.001 KiB/ms.
        let slow = IdealCycle {
            scan_rate_kib_per_cpu_ms: 0.001,
            alloc_rate_kib_per_cpu_ms: 0.0,
            procs: 1,
            ..steady()
        };
        assert_eq!(ideal.run_cycle(&slow), Err(IdealError::Endless));
    }

    #[test]
    fn nothing_to_scan_is_a_cycle_of_no_time() {
        let empty = IdealCycle { globals_bytes: 0, stack_bytes: 0, scannable_frac: 0.0, ..steady() };
        let outcome = run(2, |_| empty.clone())[1];
        assert_eq!(outcome.gc_duration_ns, 0);
        assert!(outcome.gc_utilization.is_nan());
    }
}
