//! The pacer: when a GC cycle begins, how large the heap may get before it ends, and how much marking each
//! allocation must pay for.
//!
//! **The mechanism.** A cycle starts when the live heap reaches the *trigger* and should end before it reaches the
//! *heap goal*; between the two, a quarter of the processors marks, and the pacer places the trigger so early that
//! this quarter alone is done in time.
//!
//! **Why Go needs it.** Marking runs beside the program, and the program keeps allocating. Start too late and
//! goroutines must stop and help (assist), or the heap grows past what GOGC promised; start too early and the
//! collector runs all the time for nothing.
//!
//! **Terms** (Go's identifier in brackets)
//!
//! | term | meaning | unit |
//! |---|---|---|
//! | `heap_marked` (`heapMarked`) | what the last finished cycle found reachable, and what was allocated during it | bytes |
//! | `heap_live` (`heapLive`) | `heap_marked` and everything allocated since | bytes |
//! | heap goal (`heapGoal`) | how large `heap_live` may be when the next cycle ends; `NextGC` of `MemStats` | bytes |
//! | trigger (`trigger()`) | `heap_live` at which the next cycle should begin; `triggered` is where it really began | bytes |
//! | scan work | bytes looked at for pointers: globals, stacks, pointerful parts of objects | bytes |
//! | cons/mark (`consMark`) | bytes allocated per CPU-ns of the program over bytes scanned per CPU-ns of the collector | none |
//! | runway (`runway`) | bytes the program will allocate while a quarter of the CPU does the expected scan work | bytes |
//! | assist ratio (`assistWorkPerByte`) | scan work owed for each byte allocated during a cycle | none |
//!
//! **Steps of a cycle**, each in the file of its name
//!
//! 1. At the end of a cycle, [`commit`](PacerController::commit) fixes
//!    `gc_percent_goal = marked + (marked + stacks + globals) * GOGC / 100` ([`goal`]) and
//!    `runway = cons_mark * 0.75 / 0.25 * expected scan work` ([`cons_mark`]).
//! 2. While the program runs, `goal = min(gc_percent_goal, memory_limit_goal)` is evaluated whenever it is asked for, for
//!    the memory limit's part moves with every allocation ([`goal`]).
//! 3. `trigger = goal - runway`, held between 70 % and 95 % of the way from `marked` to the goal ([`trigger`]).
//! 4. The cycle starts: so many workers of each mode ([`workers`]), a first assist ratio ([`assist_ratio`]).
//! 5. Every step of progress revises the ratio `remaining scan work / remaining heap`; allocating goroutines pay their
//!    debt with it ([`assist`]), unless the collector has eaten more than half of the CPU lately ([`cpu_limiter`]).
//! 6. The cycle ends: cons/mark is measured ([`cons_mark`]), `marked` is set, sweeping is spread over the way to the next
//!    trigger ([`sweep_pace`]), and step 1 begins again.
//!
//! [`ideal`] closes the loop without a heap: a program of constant rates that shows the pacer's behaviour alone.
//!
//! **Invariants**
//!
//! - `marked <= trigger <= goal`, except that the trigger equals the goal when `marked >= goal`.
//! - The memory limit only ever lowers the goal, and never below `marked`.
//! - Everything here is numbers in, numbers out: no clock, no heap, no IO. Nothing here allocates per call.
//!
//! **Differences from Go**
//!
//! - One thread: Go's atomics, per-P batching of counters and the races they allow are absent.
//! - What Go reads from global statistics (mapped memory, free memory, bytes allocated and freed) is passed in as
//!   [`MemoryState`] where it is needed.
//! - Assist and worker times are summed by the caller and handed over at the end of the cycle.
//! - `GODEBUG=gcstoptheworld` and the 512 KiB heap minimum experiment are not modelled.
//!
//! **Sources**: `runtime/mgcpacer.go`, `runtime/mgclimit.go`, `runtime/mgcmark.go` (assists), `runtime/mgcsweep.go`
//! (proportional sweep), Go 1.23.9; the formulas are the same in 1.21.13. Run `gclab pacer FILE.csv` to see them work.

pub mod assist;
pub mod assist_ratio;
pub mod cons_mark;
pub mod controller;
pub mod cpu_limiter;
mod float;
pub mod goal;
pub mod ideal;
pub mod sweep_pace;
pub mod trigger;
pub mod workers;

pub use assist::{AssistCredit, AssistQueue};
pub use assist_ratio::AssistRatio;
pub use controller::{CycleTimes, PacerController, ScanWork, SweepState};
pub use cpu_limiter::{CpuLimiter, GcTransition};
pub use goal::{HeapGoal, MemoryState};
pub use sweep_pace::SweepPace;
pub use trigger::Trigger;
pub use workers::{CycleStart, WorkerPlan};

use crate::units::MIB;

/// Share of the processors that marks in the background, 0 to 1 (Go's; `runtime/mgcpacer.go`
/// `gcBackgroundUtilization`, 1.23.9).
pub const BACKGROUND_UTILIZATION: f64 = 0.25;

/// Share of the processors that marking should need altogether, 0 to 1: the runway is as long as it takes for assists
/// to be unnecessary (Go's; `runtime/mgcpacer.go` `gcGoalUtilization`, 1.23.9).
pub const GOAL_UTILIZATION: f64 = BACKGROUND_UTILIZATION;

/// The smallest heap worth a cycle at GOGC=100, in bytes (Go's; `runtime/mgcpacer.go` `defaultHeapMinimum`, 1.23.9).
pub const DEFAULT_HEAP_MINIMUM_BYTES: u64 = 4 * MIB;
