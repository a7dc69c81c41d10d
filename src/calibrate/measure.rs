//! Running the programs: built with the toolchain, one after the other, alone, for a bounded time.
//!
//! The first pass runs the whole plan. A full calibration goes through the plan again as long as the time allows, which is
//! known exactly then: each program has told in the first pass how long it takes. The thermometer is read before and
//! after.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::derive::{Derived, derive};
use super::noise::{disagreements, drift};
use super::plan::{self, Effort, Measurement, PROGRAMS};
use super::rows::Rows;
use crate::cost::{CostModel, CostProfile, GROUPS, Provenance};
use crate::oracle::child::{self, Bounds, Ending, Interrupt};
use crate::oracle::{Host, Toolchain, ToolchainError};

/// How long a calibration may take in all, in seconds: beyond it nothing is measured a second time.
const FULL_SECONDS: f64 = 570.0;
/// A program that takes this many times as long as on the reference machine hangs; short ones have a minute.
const PATIENCE: f64 = 20.0;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Order {
    /// With which Go.
    pub toolchain: Toolchain,
    /// How thoroughly.
    pub effort: Effort,
    /// Groups of prices.
    pub groups: Vec<String>,
    /// A folder for programs.
    pub scratch: PathBuf,
    /// Stops everything.
    pub interrupt: Interrupt,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// The prices.
    pub profile: CostProfile,
    /// What they were made of, thermometer included.
    pub rows: Rows,
    /// Fields that could not be derived, and why.
    pub missing: Vec<(&'static str, String)>,
    /// What shows that the machine was not quiet; empty when nothing does.
    pub noise: Vec<String>,
    /// How long the second pass came, as a share of the plan.
    pub repeated: f64,
}

/// Who wants to hear how far it is.
pub trait Listener {
    /// Something begins; `share` of everything is done, and this much time is left as far as one can tell.
    fn begins(&self, what: &str, share: f64, left: Duration);
}

/// Why there is no calibration.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// A toolchain that cannot be used.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// A file that cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A program that did not do what it should.
    #[error("the measuring program {program} {what}")]
    Program {
        /// Which, with its arguments.
        program: String,
        /// What it did.
        what: String,
    },
    /// The user wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Measures this machine.
///
/// # Errors
/// [`CalibrationError`].
pub fn calibrate(order: &Order, listener: &dyn Listener) -> Result<Calibration, CalibrationError> {
    let bench = Bench::build(order, listener)?;
    let plan = plan::plan(order.effort, &order.groups);
    let mut passes = vec![Rows::default()];
    let before = bench.thermometer()?;
    let mut took = Vec::new();
    let mut progress = Progress::new(&plan, order.effort, listener);
    for one in &plan {
        progress.begins(one);
        let start = Instant::now();
        passes[0].extend(bench.run(one)?);
        took.push(start.elapsed());
        progress.done(one);
    }
    let mut repeated = 0;
    if order.effort == Effort::Full {
        passes.push(Rows::default());
        for (one, took) in plan.iter().zip(&took) {
            if (bench.start.elapsed() + *took).as_secs_f64() > FULL_SECONDS {
                break;
            }
            progress.begins(one);
            passes[1].extend(bench.run(one)?);
            progress.done(one);
            repeated += 1;
        }
    }
    let after = bench.thermometer()?;
    let mut noise = drift(&before, &after);
    let base = CostProfile::of(order.toolchain.version);
    let derived_from = |rows: &Rows| derive(rows, order.toolchain.version, &base.model);
    if let [first, second] = &passes[..] {
        noise.extend(disagreements(&derived_from(first), &derived_from(second)));
    }
    let mut rows = before;
    rows.extend(after);
    passes.into_iter().for_each(|pass| rows.extend(pass));
    let Derived { model, mut missing } = derived_from(&rows);
    missing.retain(|(field, _)| order.groups.iter().any(|group| field.starts_with(&format!("{group}."))));
    let model = only(&order.groups, model, &base.model);
    let provenance = provenance(order, noise.is_empty());
    let profile = CostProfile { name: "calibrated".to_owned(), provenance, model: Arc::new(model) };
    let repeated = f64::from(repeated) / plan.len() as f64;
    Ok(Calibration { profile, rows, missing, noise, repeated })
}

/// The wanted groups of `model`, the others of `base`.
fn only(groups: &[String], model: CostModel, base: &CostModel) -> CostModel {
    let wanted = |name: &str| groups.iter().any(|group| group == name);
    let mut chosen = base.clone();
    if wanted("allocation") {
        chosen.allocation = model.allocation;
    }
    if wanted("kernel") {
        chosen.kernel = model.kernel;
    }
    if wanted("maps") {
        chosen.maps = model.maps;
    }
    if wanted("keys") {
        chosen.keys = model.keys;
    }
    if wanted("marking") {
        chosen.marking = model.marking;
    }
    if wanted("cycle") {
        chosen.cycle = model.cycle;
    }
    if wanted("sweeping") {
        chosen.sweeping = model.sweeping;
    }
    if wanted("goroutines") {
        chosen.goroutines = model.goroutines;
    }
    if wanted("sync") {
        chosen.sync = model.sync;
    }
    chosen
}

fn provenance(order: &Order, quiet: bool) -> Provenance {
    let host = Host::here();
    let measured = GROUPS.iter().filter(|name| order.groups.iter().any(|group| group == *name));
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Provenance {
        go: order.toolchain.name.trim_start_matches("go").to_owned(),
        cpu: host.processor,
        cores: host.cores as u32,
        kernel: host.kernel,
        date: date(seconds / 86_400),
        gclab: env!("CARGO_PKG_VERSION").to_owned(),
        programs: plan::programs_hash(),
        quiet,
        measured: measured.map(|name| (*name).to_owned()).collect(),
    }
}

/// `2026-11-23` of days since 1970: the civil calendar by counting (years begin in March, so that leap days come last).
fn date(days: u64) -> String {
    let days = days + 719_468; // from 0000-03-01 to 1970-01-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

/// The built programs, and how they are run.
struct Bench<'o> {
    order: &'o Order,
    start: Instant,
    pinning: Pinning,
}

/// Whether a program can be kept on one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pinning {
    Taskset,
    Unavailable,
}

impl<'o> Bench<'o> {
    fn build(order: &'o Order, listener: &dyn Listener) -> Result<Bench<'o>, CalibrationError> {
        let start = Instant::now();
        // Reading the runtime's variables is forbidden to the linker from Go 1.23 on.
        let flags: &[&str] =
            if order.toolchain.version.has_malloc_header() { &["-ldflags=-checklinkname=0"] } else { &[] };
        for (name, source) in PROGRAMS {
            listener.begins(&format!("building {name}"), 0.0, Duration::ZERO);
            let folder = order.scratch.join(name);
            let file = folder.join("main.go");
            std::fs::create_dir_all(&folder)
                .and_then(|()| std::fs::write(&file, source))
                .map_err(|error| CalibrationError::Write { path: file.clone(), error })?;
            let program = folder.join("program");
            order.toolchain.build_with(flags, name, &file, &program, &order.interrupt).map_err(|error| {
                match error {
                    ToolchainError::Interrupted => CalibrationError::Interrupted,
                    other => CalibrationError::Toolchain(other),
                }
            })?;
        }
        let taskset = Command::new("taskset").args(["-c", "1", "true"]).output();
        let pinning = match taskset {
            Ok(output) if output.status.success() => Pinning::Taskset,
            _ => Pinning::Unavailable,
        };
        Ok(Bench { order, start, pinning })
    }

    fn thermometer(&self) -> Result<Rows, CalibrationError> {
        self.run(&plan::thermometer())
    }

    /// Runs one program and reads what it prints.
    fn run(&self, one: &Measurement) -> Result<Rows, CalibrationError> {
        let bounds = Bounds {
            time: Duration::from_secs_f64((one.seconds * PATIENCE).max(60.0)),
            memory_bytes: crate::oracle::most_memory_bytes(),
            interrupt: self.order.interrupt.clone(),
        };
        let failed = |what: String| CalibrationError::Program { program: described(one), what };
        let finished = child::run(&mut self.command(one), &bounds)
            .map_err(|error| failed(format!("cannot be started: {error}")))?;
        match finished.ending {
            Ending::Exited(status) if status.success() => {}
            Ending::Exited(status) => {
                return Err(failed(format!("ended with {status}: {}", finished.complaint())));
            }
            Ending::TimedOut => return Err(failed(format!("was killed after {:?}", bounds.time))),
            Ending::OverMemory(_) => {
                return Err(failed("would have used up this machine's memory".to_owned()));
            }
            Ending::TooMuchOutput => return Err(failed("printed without end".to_owned())),
            Ending::Interrupted => return Err(CalibrationError::Interrupted),
        }
        let mut rows = Rows::default();
        rows.add_output(&finished.stdout).map_err(|what| failed(format!("cannot be understood: {what}")))?;
        Ok(rows)
    }

    fn command(&self, one: &Measurement) -> Command {
        let program: &Path = &self.order.scratch.join(one.program).join("program");
        let mut command = match (one.procs, self.pinning) {
            (1, Pinning::Taskset) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["-c", "1"]).arg(program);
                pinned
            }
            _ => Command::new(program),
        };
        for unset in ["GOGC", "GOMEMLIMIT", "GODEBUG", "GOTRACEBACK"] {
            command.env_remove(unset);
        }
        let effort = if self.order.effort == Effort::Quick { "quick" } else { "full" };
        command.env("GOMAXPROCS", one.procs.to_string()).env("CALIBRATE", effort).args(&one.args);
        command
    }
}

fn described(one: &Measurement) -> String {
    [&[one.program.to_owned()], &one.args[..]].concat().join(" ")
}

/// How far it is, by the time that programs took on the reference machine and this machine's speed so far.
struct Progress<'l> {
    listener: &'l dyn Listener,
    start: Instant,
    done_seconds: f64,
    all_seconds: f64,
}

impl<'l> Progress<'l> {
    fn new(plan: &[Measurement], effort: Effort, listener: &'l dyn Listener) -> Progress<'l> {
        let once: f64 = plan.iter().map(|one| one.seconds).sum();
        let all_seconds = if effort == Effort::Full { (2.0 * once).min(FULL_SECONDS) } else { once };
        Progress { listener, start: Instant::now(), done_seconds: 0.0, all_seconds }
    }

    fn begins(&self, one: &Measurement) {
        let pace = if self.done_seconds < 5.0 {
            1.0
        } else {
            self.start.elapsed().as_secs_f64() / self.done_seconds
        };
        let left = (self.all_seconds - self.done_seconds).max(0.0);
        let share = (self.done_seconds / self.all_seconds).min(1.0);
        self.listener.begins(&described(one), share, Duration::from_secs_f64(left * pace));
    }

    fn done(&mut self, one: &Measurement) {
        self.done_seconds += one.seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_780), "2026-11-23");
        assert_eq!(date(20_818), "2026-12-31");
    }
}
