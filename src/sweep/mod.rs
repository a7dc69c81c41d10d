//! Sweeps: one scenario under every combination of settings, on all cores and on several machines, with the same bytes as
//! result however the work was divided.
//!
//! Terms: an *axis* is a list of values of one setting; the *grid* is every combination of the axes; a run is known by its
//! *index* in the grid; a *shard* is every run whose index leaves the same rest; a *part* is the file of a shard's rows; the
//! *manifest* says what was swept, and with which model.
//!
//! 1. Flags become axes (`axis`, and `set` for keys of the scenario file), axes a grid (`grid`): index -> scenario, settings, seed.
//! 2. Every run of the shard becomes a row (`row`): all settings, all outcomes. A run that is killed, fails or panics is a row
//!    too.
//! 3. Rows go to a journal as they come (`part`); whoever is interrupted goes on from there (`engine`).
//! 4. A shard that is complete becomes a part, sorted. Parts are merged (`merge`) into CSV, Parquet (`parquet_file`) and the
//!    manifest (`manifest`); a sweep on one machine is one part.
//! 5. Rows become planes of cells and a front of settings that nobody beats (`planes`), for charts.
//!
//! Invariants: a row depends on the manifest and its index, and on nothing else - not on threads, shards, interruptions or what
//! ran before; rows are in the order of their index; results take their names when they are complete; memory does not grow
//! with the number of runs, eight bytes each apart.

mod axis;
mod engine;
mod grid;
mod manifest;
mod merge;
mod parquet_file;
mod part;
mod planes;
mod row;
mod set;

use std::path::PathBuf;

pub use axis::{Axis, AxisValue, Procs};
pub use engine::{Ended, Listener, Order, evaluate, run};
pub use grid::{Axes, Grid, RUNS_LIMIT};
pub use manifest::{Manifest, Stated};
pub use merge::{Merged, merge};
pub use part::{SHARDS_LIMIT, Shard};
pub use planes::{Cell, Front, Plane, Planes, read_rows};
pub use row::{Outcome, Row};
pub use set::{Set, SetAxis, SetError, Variants};

/// Why a sweep, or a merge of its parts, did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A file or folder cannot be used.
    #[error("cannot {verb} {}: {error}", path.display())]
    File {
        /// What was tried: `read`, `write`.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// Rows that lie there belong to something else.
    #[error("{} has rows of another sweep: {difference}", path.display())]
    OtherSweep {
        /// Which file.
        path: PathBuf,
        /// The first thing that differs.
        difference: String,
    },
    /// A file is no part of a sweep, or not a whole one.
    #[error("{}: {reason}", path.display())]
    NotAPart {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Two parts that do not belong together.
    #[error("{} and {} do not belong together: {difference}", first.display(), second.display())]
    Mixed {
        /// One part.
        first: PathBuf,
        /// Another.
        second: PathBuf,
        /// The first thing that differs.
        difference: String,
    },
    /// Two parts with the same runs.
    #[error("{} and {} overlap: both are shard {shard}", first.display(), second.display())]
    Overlap {
        /// One part.
        first: PathBuf,
        /// Another.
        second: PathBuf,
        /// `3/8`.
        shard: Shard,
    },
    /// Parts that are not there.
    #[error("{missing} of {shards} shards missing: {list}", missing = list.len(), list = numbers(list))]
    Gap {
        /// How many there should be.
        shards: u32,
        /// The numbers of those that are not there.
        list: Vec<u32>,
    },
}

/// `1, 5, 7`, and no more than a line of them.
fn numbers(list: &[u32]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = list.iter().take(SHOWN).map(u32::to_string).collect();
    let more = if list.len() > SHOWN { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

impl SweepError {
    fn read(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> SweepError {
        let path = path.into();
        move |error| SweepError::File { verb: "read", path, error }
    }

    fn write(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> SweepError {
        let path = path.into();
        move |error| SweepError::File { verb: "write", path, error }
    }
}
