//! Real Go is the judge: the same program, really run, beside the simulation, number by number.
//!
//! A model of Go is worth what real Go says about it. This room takes a scenario, lets `go_program` write it as Go, builds
//! that with an installed toolchain, runs it a few times, runs the simulation under the same settings, and compares.
//!
//! Terms: a *cell* is one scenario under one setting with one toolchain; a *metric* is a number that both sides have; its
//! *class* says how strictly it is judged (`metric`), its *verdict* what came out (`judge`).
//!
//! 1. A toolchain is found and asked for its version (`toolchain`); the simulator has to know it.
//! 2. Cells are simulated, built and run in an order that disturbs nothing (`schedule`, `cell`).
//! 3. Each real run is a process that cannot run away (`child`, `real_run`). It says what it saw in three ways: snapshots
//!    as JSON, samples as CSV (`measured`), and the runtime's own gctrace lines (`gctrace`).
//! 4. Snapshots that directly follow a forced collection are held to the byte, nearly; the others to what real Go itself
//!    repeats (`moments`, `metric`, `judge`). Collections are laid side by side (`cycles`).
//! 5. The result is data: a table, a chart, JSON and a report for readers (`report`) are made from it.
//!
//! Invariants: the simulation never sees a real number; a tolerance is a constant of a metric and never of a scenario; every
//! comparison can fail; no process outlives its run.

mod band;
mod cell;
pub mod child;
mod cycles;
mod gctrace;
mod growth;
mod host;
mod judge;
mod measured;
mod metric;
mod moments;
mod real_run;
pub mod report;
mod schedule;
mod toolchain;

use std::path::PathBuf;

pub use band::{RealCurve, Spread};
pub use cell::{CellReport, Curves, Simulated, Speed, compare, simulate};
pub use child::Interrupt;
pub use cycles::{Cycles, Pair, Sizes};
pub use gctrace::TracedCycle;
pub use host::Host;
pub use judge::{Judged, LARGE_SHARE, Verdict};
pub use measured::{Measured, MeasuredSnapshot, Moment};
pub use metric::{Class, Unit};
pub use real_run::{Order as RealOrder, RealRun, RealRunError, most_memory_bytes, run as run_real};
pub use schedule::{Listener, Matrix, build};
pub use toolchain::{Toolchain, ToolchainError};

use crate::go_program::Unwritable;
use crate::scenario::RunError;

/// Why there is no judgement.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// A toolchain that cannot be used.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// A real run that says nothing.
    #[error("the real program of {cell}: {error}")]
    RealRun {
        /// Which cell.
        cell: String,
        /// What happened.
        error: RealRunError,
    },
    /// A simulation that could not be finished.
    #[error("the simulation of {scenario} with GOGC={gogc} stopped: {error}")]
    Simulation {
        /// Which scenario.
        scenario: String,
        /// Under which setting.
        gogc: String,
        /// What happened.
        error: RunError,
    },
    /// A scenario that has no Go program.
    #[error("{scenario} has no Go program: {error}")]
    Unwritable {
        /// Which scenario.
        scenario: String,
        /// Why.
        error: Unwritable,
    },
    /// A folder that cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A result that its reader did not take.
    #[error("{0}")]
    Result(String),
    /// The user wanted to stop.
    #[error("interrupted")]
    Interrupted,
}
