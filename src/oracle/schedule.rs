//! The whole matrix: every scenario with every toolchain under every setting, in an order that disturbs nothing.
//!
//! 1. Every program is built and every cell simulated.
//! 2. Cells that mostly sleep are started side by side, one after the other has done its work and sleeps; together they
//!    may hold half of this machine's memory. Idle processes disturb nobody.
//! 3. All others run strictly one after the other, so that none takes time from another.
//!
//! A cell that fails does not keep the others from being run; the first failure is reported in the end.

use std::path::{Path, PathBuf};

use std::sync::{Arc, Mutex};
use std::time::Duration;

use indexmap::IndexMap;

use super::OracleError;
use super::cell::{self, Cell, CellReport, Curves};
use super::child::Interrupt;
use super::host;
use super::toolchain::{Toolchain, ToolchainError};
use crate::cost::CostProfile;
use crate::go_program;
use crate::scenario::{Gogc, MemoryLimit, Overrides, RunSettings, Scenario};

/// A process that sleeps has done its work after so many times what the simulation says, and this on top.
const SETTLE_FACTOR: u32 = 3;
const SETTLE: Duration = Duration::from_millis(500);

/// What is to be validated.
#[derive(Debug)]
pub struct Matrix {
    /// Each with every toolchain and setting.
    pub scenarios: Vec<Scenario>,
    /// The judges.
    pub toolchains: Vec<Toolchain>,
    /// What work costs under each of them, in the same order; the built-in profile where there is none.
    pub cost_profiles: Vec<Option<Arc<CostProfile>>>,
    /// GOGC; `None` is the scenario's own.
    pub gogcs: Vec<Option<Gogc>>,
    /// GOMEMLIMIT, as above.
    pub memory_limits: Vec<Option<MemoryLimit>>,
    /// GOMAXPROCS, as above.
    pub procs: Option<u32>,
    /// Real runs of each cell; `None` is three, and one where a scenario sleeps for long.
    pub runs: Option<usize>,
    /// How long one real run may take; `None` leaves it to the scenario.
    pub time: Option<Duration>,
    /// Where programs are built.
    pub scratch: PathBuf,
    /// Stops everything.
    pub interrupt: Interrupt,
}

/// Real runs of a cell without `--runs`.
const RUNS: usize = 3;

/// Who wants to know how it goes on.
pub trait Listener: Sync {
    /// Something small happened.
    fn heard(&self, what: &str);
    /// A cell is complete.
    fn done(&self, report: &CellReport, curves: &Curves) -> Result<(), OracleError>;
}

impl Matrix {
    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.scenarios.len() * self.toolchains.len() * self.gogcs.len() * self.memory_limits.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Real runs of a cell of `scenario`.
    pub fn runs_of(&self, scenario: &Scenario) -> usize {
        self.runs.unwrap_or(if cell::is_sleepy(scenario) { 1 } else { RUNS })
    }

    /// Runs everything and tells `listener`.
    ///
    /// # Errors
    /// The first failure, after everything that did not fail; at once for a program that cannot be built.
    pub fn run(&self, listener: &dyn Listener) -> Result<(), OracleError> {
        let programs = self.build_all(listener)?;
        let cells = self.cells(&programs, listener)?;
        let (sleepy, busy): (Vec<Cell>, Vec<Cell>) =
            cells.into_iter().partition(|cell| cell::is_sleepy(cell.scenario));
        let failed = Mutex::new(None);
        let attempt = |cell: &Cell| {
            if self.interrupt.is_stopped() {
                return;
            }
            let result = cell
                .run(&|what| listener.heard(what))
                .and_then(|(report, curves)| listener.done(&report, &curves));
            if let Err(error) = result {
                listener.heard(&format!("failed: {error}"));
                failed.lock().expect("nobody panics with it").get_or_insert(error);
            }
        };
        let room = MemoryRoom::new();
        std::thread::scope(|scope| {
            for cell in &sleepy {
                let bytes = cell.simulated.trace.summary.peak_rss_bytes;
                room.wait_for(bytes, &self.interrupt);
                let (room, attempt) = (&room, &attempt);
                scope.spawn(move || {
                    attempt(cell);
                    room.give_back(bytes);
                });
                self.let_settle(cell);
            }
            busy.iter().for_each(attempt);
        });
        if self.interrupt.is_stopped() {
            return Err(OracleError::Interrupted);
        }
        failed.into_inner().expect("nobody panics with it").map_or(Ok(()), Err)
    }

    /// Every program once for each toolchain, by scenario and toolchain.
    fn build_all(&self, listener: &dyn Listener) -> Result<IndexMap<(String, usize), PathBuf>, OracleError> {
        let mut programs = IndexMap::new();
        for (number, toolchain) in self.toolchains.iter().enumerate() {
            for scenario in &self.scenarios {
                let folder = self.scratch.join(format!("{}-{number}", scenario.name));
                let program = build(
                    scenario,
                    toolchain,
                    &self.settings(scenario, number, None, None),
                    &folder,
                    &self.interrupt,
                )?;
                listener.heard(&format!("built {} with {}", scenario.name, toolchain.name));
                programs.insert((scenario.name.clone(), number), program);
            }
        }
        Ok(programs)
    }

    fn cells<'c>(
        &'c self,
        programs: &'c IndexMap<(String, usize), PathBuf>,
        listener: &dyn Listener,
    ) -> Result<Vec<Cell<'c>>, OracleError> {
        let mut cells = Vec::new();
        for scenario in &self.scenarios {
            for (number, toolchain) in self.toolchains.iter().enumerate() {
                for &gogc in &self.gogcs {
                    for &memory_limit in &self.memory_limits {
                        if self.interrupt.is_stopped() {
                            return Err(OracleError::Interrupted);
                        }
                        let settings = self.settings(scenario, number, gogc, memory_limit);
                        let cell = Cell {
                            scenario,
                            settings: settings.clone(),
                            go: &toolchain.name,
                            program: &programs[&(scenario.name.clone(), number)],
                            runs: self.runs_of(scenario),
                            time: self.time,
                            interrupt: &self.interrupt,
                            simulated: cell::simulate(scenario, &settings)?,
                        };
                        listener.heard(&format!("simulated {}", cell.title()));
                        cells.push(cell);
                    }
                }
            }
        }
        Ok(cells)
    }

    fn settings(
        &self,
        scenario: &Scenario,
        toolchain: usize,
        gogc: Option<Gogc>,
        memory_limit: Option<MemoryLimit>,
    ) -> RunSettings {
        scenario.settings().overridden(&Overrides {
            version: Some(self.toolchains[toolchain].version),
            cost_profile: self.cost_profiles.get(toolchain).cloned().flatten(),
            gogc,
            memory_limit,
            procs: self.procs,
            ..Overrides::default()
        })
    }

    /// Waits until a process that was just started sleeps.
    fn let_settle(&self, cell: &Cell) {
        let summary = &cell.simulated.trace.summary;
        let busy_ns = summary.duration_ns.saturating_sub(super::moments::sleep_ns(cell.scenario));
        let mut left = SETTLE_FACTOR * Duration::from_nanos(busy_ns) + SETTLE;
        const NAP: Duration = Duration::from_millis(20);
        while !left.is_zero() && !self.interrupt.is_stopped() {
            std::thread::sleep(NAP);
            left = left.saturating_sub(NAP);
        }
    }
}

/// Writes the program of `scenario` into `folder` and builds it there.
///
/// # Errors
/// [`OracleError`]: a scenario that has no program, a folder that cannot be written, a toolchain that does not build it.
pub fn build(
    scenario: &Scenario,
    toolchain: &Toolchain,
    settings: &RunSettings,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<PathBuf, OracleError> {
    let (source, program) = (folder.join("main.go"), folder.join("program"));
    let text = go_program::go_program(scenario, settings)
        .map_err(|error| OracleError::Unwritable { scenario: scenario.name.clone(), error })?;
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&source, text))
        .map_err(|error| OracleError::Folder { path: folder.to_owned(), error })?;
    toolchain.build(&scenario.name, &source, &program, interrupt).map_err(|error| match error {
        ToolchainError::Interrupted => OracleError::Interrupted,
        error => OracleError::Toolchain(error),
    })?;
    Ok(program)
}

/// Memory that processes side by side may hold.
struct MemoryRoom {
    all_bytes: u64,
    taken_bytes: Mutex<u64>,
}

impl MemoryRoom {
    fn new() -> MemoryRoom {
        MemoryRoom {
            all_bytes: host::memory_bytes().map_or(u64::MAX, |bytes| bytes / 2),
            taken_bytes: Mutex::new(0),
        }
    }

    /// Waits until there is room for `bytes`; a process alone always has room.
    fn wait_for(&self, bytes: u64, interrupt: &Interrupt) {
        loop {
            {
                let mut taken = self.taken_bytes.lock().expect("nobody panics with it");
                if *taken == 0 || *taken + bytes <= self.all_bytes || interrupt.is_stopped() {
                    *taken += bytes;
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn give_back(&self, bytes: u64) {
        *self.taken_bytes.lock().expect("nobody panics with it") -= bytes;
    }
}
