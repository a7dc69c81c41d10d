//! `gclab validate`: real Go beside the simulation; a table on stdout, a chart and a JSON file for each cell, and a
//! report on all of them.

mod command;
mod progress;
mod table;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::command::as_typed;
use self::progress::Progress;
use self::table::{misses, summary, table};
use super::errors::CliError;
use super::files::{PendingFile, read_cost_profile, read_scenario};
use super::terminal;
use crate::chart::{BandPoint, Overlay, OverlayPanel};
use crate::cost::CostProfile;
use crate::oracle::report::{self, FILE_ENDING, Mechanisms};
use crate::oracle::{
    CellReport, Curves, Interrupt, Listener, Matrix, OracleError, RealCurve, Spread, Toolchain,
};
use crate::scenario::{Gogc, MemoryLimit, PROCS_LIMIT, Scenario};
use crate::units::Nanos;

/// Most real runs of one cell.
const RUNS_LIMIT: i64 = 100;
/// GOGC of `--all`.
const ALL_GOGC: [u32; 4] = [50, 100, 200, 400];
/// The scenarios of `--all`.
const ALL_FOLDER: &str = "sims";
/// Explanations of misses, beside the report.
const MECHANISMS_FILE: &str = "fidelity-mechanisms.toml";

/// Run a scenario in real Go and in the simulation, and compare the two number by number.
///
/// The scenario is written as a Go program (see "gclab go"), built with each toolchain that --go names, run several times
/// and compared with a simulation of the same version under the same settings: snapshots, totals, collections. Each
/// combination of scenario, toolchain and settings is a cell; the output folder gets a chart (PNG) and a report
/// (.validate.json) for each.
///
/// Exact metrics (what Go computes: bytes and objects allocated, the heap after a forced collection) have to agree within
/// 0.1 % and 64 KiB, counts within 0.1 % and 1000. Timing metrics (collections, peaks, RSS, CPU, time) have to be within 10 % of
/// the median of the real runs or between the smallest and the largest.
///
/// Exit codes: 0 every exact metric passes, 1 an exact metric misses or a run could not be finished, 2 a mistake that you
/// can correct: no toolchain, an unknown version, a time-out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab validate sims/delete-million.toml --go /usr/local/go/bin/go\n  \
        gclab validate sims/steady-gogc.toml --go go1.21 --go go1.23 --gogc 50,100 --runs 5\n  \
        gclab validate --all --go ~/go1.23 --out out/all --report docs/FIDELITY.md\n  \
        gclab validate --from out/all --report docs/FIDELITY.md      the report again, without running\n  \
        gclab validate --quick sims/*.toml --go go                   three runs, GOGC=100, misses only")]
pub(super) struct ValidateArgs {
    /// Scenario files.
    #[arg(value_name = "SIM.toml", required_unless_present_any = ["all", "from"])]
    sims: Vec<PathBuf>,
    /// The go command, or the folder of a Go installation; once for each toolchain.
    #[arg(long, value_name = "PATH", required_unless_present = "from")]
    go: Vec<PathBuf>,
    /// Cost profile of gclab calibrate for the simulation; once for each --go, in the same order.
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    cost: Vec<PathBuf>,
    /// GOGC in percent or "off", or a list: 50,100,200.
    #[arg(long, value_delimiter = ',', value_name = "LIST", conflicts_with = "quick")]
    gogc: Vec<Gogc>,
    /// GOMEMLIMIT such as 256MiB or "off", or a list: off,256MiB.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    memory_limit: Vec<MemoryLimit>,
    /// GOMAXPROCS on both sides.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PROCS_LIMIT)))]
    procs: Option<u32>,
    /// Real runs of each cell; without it 3, and 1 where a scenario sleeps for long.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=RUNS_LIMIT))]
    runs: Option<u32>,
    /// How long one real run may take, such as 2m; without it what the scenario sleeps, three times, and 3m.
    #[arg(long, value_name = "TIME")]
    timeout: Option<Nanos>,
    /// Every scenario in sims with GOGC 50, 100, 200 and 400; prints misses only.
    #[arg(long, conflicts_with_all = ["sims", "quick"])]
    all: bool,
    /// GOGC=100 only; prints misses only.
    #[arg(long)]
    quick: bool,
    /// Folder for charts and reports of cells; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Run nothing: read the reports of cells that an earlier --out left in this folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sims", "go", "all", "quick", "gogc", "memory_limit", "procs", "runs", "timeout"])]
    from: Option<PathBuf>,
    /// Write a report on all cells as Markdown; explanations of misses come from fidelity-mechanisms.toml beside it.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print one JSON list of cells instead of tables.
    #[arg(long)]
    json: bool,
    /// Draw no charts.
    #[arg(long)]
    no_plot: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &ValidateArgs) -> Result<(), CliError> {
    // Before anything runs for minutes: the explanations can be read.
    let mechanisms = args.report.as_deref().map(read_mechanisms).transpose()?;
    let reports = match &args.from {
        Some(folder) => report::load(folder)?,
        None => measure(args)?,
    };
    print(args, &reports);
    if let (Some(path), Some(mechanisms)) = (&args.report, &mechanisms) {
        let text = report::markdown(&reports, mechanisms, &as_typed(std::env::args()));
        let mut file = PendingFile::create(path)?;
        file.write(text.as_bytes())?;
        file.finish()?;
        terminal::to_stderr(&format!("wrote {}\n", path.display()));
    }
    let missed = reports.iter().flat_map(CellReport::exact).filter(|judged| judged.is_miss()).count();
    if missed == 0 { Ok(()) } else { Err(CliError::Unfaithful { missed }) }
}

fn print(args: &ValidateArgs, reports: &[CellReport]) {
    let colour = terminal::stdout_colour();
    if args.json {
        let cells: Vec<String> =
            reports.iter().map(|report| report::to_json(report).trim_end().to_owned()).collect();
        terminal::to_stdout(&format!("[\n{}\n]\n", cells.join(",\n")));
        return;
    }
    let is_brief = args.all || args.quick || args.from.is_some();
    for report in reports {
        terminal::to_stdout(&if is_brief { misses(report, colour) } else { table(report, colour) });
    }
    if reports.len() > 1 {
        terminal::to_stdout(&summary(reports, colour));
    }
}

/// Runs the matrix; the files of each cell are written as soon as it is complete.
fn measure(args: &ValidateArgs) -> Result<Vec<CellReport>, CliError> {
    let scenarios = read_scenarios(args)?;
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    // A second handler cannot be set, as in tests: then a signal ends this process at once, as it always did.
    let _ = ctrlc::set_handler(move || stop.stop());
    let scratch =
        tempfile::tempdir().map_err(|error| CliError::Write { path: std::env::temp_dir(), error })?;
    let mut toolchains: Vec<Toolchain> = Vec::new();
    for path in &args.go {
        let found = Toolchain::find(path, scratch.path(), &interrupt).map_err(OracleError::from)?;
        if let Some(same) = toolchains.iter().find(|other| other.name == found.name) {
            let message = format!("--go {}: this is {}, which was given before", path.display(), same.name);
            return Err(CliError::Usage { message, accepted: "toolchains of different versions".to_owned() });
        }
        toolchains.push(found);
    }
    let cost_profiles = cost_profiles(args, &toolchains)?;
    let matrix = Matrix {
        scenarios,
        toolchains,
        cost_profiles,
        gogcs: gogcs(args),
        memory_limits: or_the_files_own(&args.memory_limit),
        procs: args.procs,
        runs: args.runs.map(|runs| runs as usize),
        time: args.timeout.map(|time| Duration::from_nanos(time.0)),
        scratch: scratch.path().to_owned(),
        interrupt,
    };
    let writer = Writer::new(args, Progress::new(matrix.len()));
    let result = matrix.run(&writer);
    writer.progress.finish();
    result?;
    let mut reports = writer.reports.into_inner().expect("nobody panics with it");
    report::sort(&mut reports);
    Ok(reports)
}

/// The profile of each toolchain; none where the built-in ones do.
fn cost_profiles(
    args: &ValidateArgs,
    toolchains: &[Toolchain],
) -> Result<Vec<Option<Arc<CostProfile>>>, CliError> {
    if !args.cost.is_empty() && args.cost.len() != toolchains.len() {
        let message = format!("{} times --cost and {} times --go", args.cost.len(), toolchains.len());
        return Err(CliError::Usage { message, accepted: "one profile for each toolchain".to_owned() });
    }
    let profile =
        |(path, toolchain): (&PathBuf, &Toolchain)| read_cost_profile(path, toolchain.version).map(Some);
    args.cost.iter().zip(toolchains).map(profile).collect()
}

fn gogcs(args: &ValidateArgs) -> Vec<Option<Gogc>> {
    match (args.gogc.is_empty(), args.all, args.quick) {
        (true, _, true) => vec![Some(Gogc::Percent(100))],
        (true, true, _) => ALL_GOGC.map(|percent| Some(Gogc::Percent(percent))).to_vec(),
        _ => or_the_files_own(&args.gogc),
    }
}

/// The values of a list flag; without the flag, one value that leaves the file's.
fn or_the_files_own<T: Copy + PartialEq>(list: &[T]) -> Vec<Option<T>> {
    let mut values: Vec<Option<T>> = Vec::new();
    for value in list {
        if !values.contains(&Some(*value)) {
            values.push(Some(*value));
        }
    }
    if values.is_empty() { vec![None] } else { values }
}

fn read_scenarios(args: &ValidateArgs) -> Result<Vec<Scenario>, CliError> {
    let paths = if args.all { scenario_files(Path::new(ALL_FOLDER))? } else { args.sims.clone() };
    let mut scenarios: Vec<Scenario> = Vec::new();
    for path in &paths {
        let scenario = read_scenario(path)?;
        if scenarios.iter().any(|other| other.name == scenario.name) {
            let message = format!("{}: there is another scenario called {}", path.display(), scenario.name);
            return Err(CliError::Usage { message, accepted: "files of different names".to_owned() });
        }
        scenarios.push(scenario);
    }
    Ok(scenarios)
}

fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let error = |error| CliError::Read { path: folder.to_owned(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The explanations beside the report; none where there is no such file.
fn read_mechanisms(report: &Path) -> Result<Mechanisms, CliError> {
    let path = report.with_file_name(MECHANISMS_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Mechanisms::parse(&text).map_err(|reason| CliError::Usage {
            message: format!("{}: {reason}", path.display()),
            accepted: "tables [[mechanism]] with scenario, metric, snapshot, go, gogc (patterns) and text"
                .to_owned(),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Mechanisms::default()),
        Err(error) => Err(CliError::Read { path, error }),
    }
}

/// Writes cells as they are completed, and keeps them.
struct Writer<'w> {
    args: &'w ValidateArgs,
    progress: Progress,
    reports: Mutex<Vec<CellReport>>,
}

impl<'w> Writer<'w> {
    fn new(args: &'w ValidateArgs, progress: Progress) -> Writer<'w> {
        Writer { args, progress, reports: Mutex::new(Vec::new()) }
    }

    fn write(&self, report: &CellReport, curves: &Curves) -> Result<(), CliError> {
        let file = |ending: &str| self.args.out.join(format!("{}{ending}", report.name()));
        let mut json = PendingFile::create(&file(FILE_ENDING))?;
        json.write(report::to_json(report).as_bytes())?;
        if !self.args.no_plot {
            let path = file(".png");
            let png = PendingFile::create(&path)?;
            crate::chart::render_overlay_png(&overlay(report, curves), png.path())
                .map_err(|error| CliError::Chart { path: path.clone(), error })?;
            png.finish()?;
        }
        json.finish()
    }
}

impl Listener for Writer<'_> {
    fn heard(&self, what: &str) {
        self.progress.line(what);
    }

    fn done(&self, report: &CellReport, curves: &Curves) -> Result<(), OracleError> {
        self.write(report, curves).map_err(|error| OracleError::Result(error.to_string()))?;
        self.progress.done(&report.name());
        self.reports.lock().expect("nobody panics with it").push(report.clone());
        Ok(())
    }
}

/// The page of a cell.
fn overlay(report: &CellReport, curves: &Curves) -> Overlay {
    let point = |spread: &Spread| BandPoint { t_ns: spread.t_ns, low: spread.low, high: spread.high };
    let panel = |real: &RealCurve, simulated: Vec<(u64, u64)>| OverlayPanel {
        real: real.line.clone(),
        spread: real.spread.iter().map(point).collect(),
        simulated,
    };
    let simulated = &curves.simulated;
    let heap = simulated.iter().filter_map(|moment| Some((moment.t_ns, moment.heap_alloc_bytes?)));
    let go = report.go.trim_start_matches("go");
    let runs = if report.runs == 1 { "1 run".to_owned() } else { format!("{} runs", report.runs) };
    Overlay {
        title: report.title.clone(),
        subtitle: format!(
            "{} – real Go {go} against the simulation, {}",
            report.scenario,
            table::settings(report)
        ),
        real_name: format!("real Go {go}, {runs}"),
        heap_alloc: panel(&curves.real_heap, heap.collect()),
        rss: panel(
            &curves.real_rss,
            simulated.iter().map(|moment| (moment.t_ns, moment.rss_bytes)).collect(),
        ),
    }
}
