//! `gclab sweep`: a scenario under every combination of settings; a table in files, heat maps and a front as pictures.

mod progress;
pub(super) mod report;

use std::num::NonZero;
use std::path::PathBuf;

use self::progress::Progress;
use super::errors::CliError;
use super::files::{read_cost_profile, read_scenario_and_text};
use super::run::zero_or_one;
use super::terminal;
use crate::oracle::Interrupt;
use crate::scenario::{Gogc, MemoryLimit, Overrides, RunSettings, Scenario};
use crate::sweep::{
    self, Axes, Axis, Ended, Grid, Listener, Manifest, Merged, Order, Procs, RUNS_LIMIT, Row, SetAxis, Shard,
    Variants,
};
use crate::units::Bytes;
use crate::version::GoVersion;

/// Most repetitions of a combination, and most threads.
const SEEDS_LIMIT: i64 = 10_000;
const THREADS_LIMIT: i64 = 1024;

/// Run a scenario under every combination of settings, on all cores.
///
/// Lists may hold ranges: 10..1000:log20 is 20 values with equal ratios, 10..100:lin4 has equal distances. A setting without
/// a flag is the scenario's own; the environment variables of Go programs are not read.
///
/// The output folder gets NAME.sweep.csv and NAME.sweep.parquet, one row a run with all settings and all outcomes;
/// NAME.sweep.json, what was swept and with which gclab; heat maps of peak RSS and GC CPU over GOGC and memory limit,
/// and the front of settings that no other beats. A run that is killed, fails or breaks is a row.
///
/// Each run has a seed of its own, made from --seed and the number of the run. The files are the same, byte for byte, for any
/// number of threads and shards. Ctrl-C stops after the runs that have begun; the same command goes on from there.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab sweep sims/steady-gogc.toml --gogc 10..1000:log20\n  \
        gclab sweep sims/steady-gogc.toml --gogc 10..1000:log20,off --memory-limit 128MiB..2GiB:log10 --seeds 5\n  \
        gclab sweep sims/churn.toml --go 1.23,1.24,1.27 --procs 1,2,4,8 --gogc 50,100,200\n  \
        gclab sweep sims/grow-without-hint.toml --set steps.1.hint=0,1_000,1_000_000 --go 1.23,1.27\n  \
        gclab sweep sims/churn.toml --gogc 10..1000:log20 --shard 3/8 --out parts    one of eight machines\n  \
        gclab merge parts/*.part.csv --out out                                       and then, once")]
pub(super) struct SweepArgs {
    /// Scenario file.
    #[arg(value_name = "SIM.toml")]
    sim: PathBuf,
    /// GOGC in percent or "off": 50,100 or off,10..1000:log20.
    #[arg(long, value_delimiter = ',', value_name = "AXIS")]
    gogc: Vec<Axis<Gogc>>,
    /// GOMEMLIMIT or "off": off,256MiB or 128MiB..2GiB:log10.
    #[arg(long, value_delimiter = ',', value_name = "AXIS")]
    memory_limit: Vec<Axis<MemoryLimit>>,
    /// GOMAXPROCS: 1,2,4,8.
    #[arg(long, value_delimiter = ',', value_name = "AXIS")]
    procs: Vec<Axis<Procs>>,
    /// Processor cores of the machine: 2,4,8.
    #[arg(long, value_delimiter = ',', value_name = "AXIS")]
    cores: Vec<Axis<Procs>>,
    /// Memory limit of the container: 256MiB,512MiB. Crossing it is an OOM kill.
    #[arg(long, value_delimiter = ',', value_name = "AXIS")]
    machine_memory: Vec<Axis<Bytes>>,
    /// Go releases to simulate, of 1.21, 1.23, 1.24, 1.25 and 1.27: 1.23,1.24.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    go: Vec<GoVersion>,
    /// A key of the scenario file and its values: steps.1.make.hint=0,1_000,1_000_000 or types.Session.size=64B..4KiB:log7.
    /// Steps count from 0, and the step's name may be left out: steps.1.hint. May be given several times.
    #[arg(long, value_name = "KEY=LIST")]
    set: Vec<SetAxis>,
    /// How often each combination is run, each time with another seed.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=SEEDS_LIMIT))]
    seeds: u32,
    /// What the seeds of all runs come from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How pages go back: 1 with MADV_DONTNEED, 0 with MADV_FREE.
    #[arg(long, value_name = "0|1", value_parser = zero_or_one)]
    madvdontneed: Option<bool>,
    /// Cost profile of gclab calibrate. Without it, the built-in one of each release.
    #[arg(long, value_name = "FILE")]
    cost: Option<PathBuf>,
    /// Runs at a time; without it, one for each core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=THREADS_LIMIT))]
    threads: Option<u32>,
    /// Only the runs whose number leaves the rest K when divided by N, as NAME.K-of-N.part.csv for gclab merge.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Folder for the results; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Draw no pictures.
    #[arg(long)]
    no_plot: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &SweepArgs) -> Result<(), CliError> {
    let (scenario, text) = read_scenario_and_text(&args.sim)?;
    let variants = variants(args, &scenario, &text)?;
    let grid = grid(args, &scenario, &variants)?;
    let manifest = Manifest::new(&scenario, &text, &grid);
    let merged = Merged::at(&args.out, &manifest);
    if args.shard.is_none() && merged.is_complete() {
        terminal::to_stderr(&format!("note: all {} runs are there already\n", manifest.runs));
        return report::print(&merged, args.no_plot);
    }
    let watch = Watch::new();
    let order = Order {
        scenarios: &variants.scenarios,
        grid: &grid,
        manifest: &manifest,
        shard: args.shard.unwrap_or(Shard::WHOLE),
        folder: &args.out,
        threads: threads(args.threads),
    };
    let ended = sweep::run(&order, &watch);
    watch.progress.finish();
    match ended? {
        Ended::Stopped { done, of } => Err(CliError::Stopped { done, of }),
        Ended::Complete(part) if args.shard.is_some() => {
            terminal::to_stdout(&format!("Wrote {}\n", part.display()));
            Ok(())
        }
        Ended::Complete(part) => {
            let merged = sweep::merge(std::slice::from_ref(&part), &args.out)?;
            std::fs::remove_file(&part).map_err(|error| CliError::Write { path: part, error })?;
            report::print(&merged, args.no_plot)
        }
    }
}

/// The flag, or every core.
pub(super) fn threads(flag: Option<u32>) -> usize {
    flag.map_or_else(
        || std::thread::available_parallelism().map_or(1, NonZero::get),
        |threads| threads as usize,
    )
}

/// The scenario, or what `--set` makes of it.
fn variants(args: &SweepArgs, scenario: &Scenario, text: &str) -> Result<Variants, CliError> {
    if args.set.is_empty() {
        return Ok(Variants { sets: Vec::new(), scenarios: vec![scenario.clone()] });
    }
    let file = args.sim.to_string_lossy();
    Variants::of(&file, text, &args.set)
        .map_err(|error| CliError::Usage { message: error.to_string(), accepted: error.accepted })
}

fn grid(args: &SweepArgs, scenario: &Scenario, variants: &Variants) -> Result<Grid, CliError> {
    let mut versions: Vec<GoVersion> = Vec::new();
    for version in &args.go {
        if !versions.contains(version) {
            versions.push(*version);
        }
    }
    let cost_profile = match &args.cost {
        Some(_) if versions.len() > 1 => {
            return Err(CliError::Usage {
                message: format!("--cost with {} Go releases", versions.len()),
                accepted: "one release, because a profile is of one".to_owned(),
            });
        }
        Some(path) => {
            let version = versions.first().copied().unwrap_or(scenario.go.version);
            Some(read_cost_profile(path, version)?)
        }
        None => None,
    };
    let overrides = Overrides { madvdontneed: args.madvdontneed, cost_profile, ..Overrides::default() };
    let bases: Vec<RunSettings> =
        variants.scenarios.iter().map(|variant| variant.settings().overridden(&overrides)).collect();
    let numbers = |axis: &[Axis<Procs>]| Axis::values(axis).into_iter().map(|procs| procs.0).collect();
    let axes = Axes {
        versions,
        machine_memory_bytes: Axis::values(&args.machine_memory).into_iter().map(|bytes| bytes.0).collect(),
        cores: numbers(&args.cores),
        procs: numbers(&args.procs),
        memory_limits: Axis::values(&args.memory_limit),
        gogcs: Axis::values(&args.gogc),
    };
    let grid = Grid::new(bases[0].clone(), axes, args.seeds, args.seed).over(variants.sets.clone(), bases);
    if grid.len() > RUNS_LIMIT {
        return Err(CliError::Usage {
            message: format!("{} combinations", grid.len()),
            accepted: format!("up to {RUNS_LIMIT} runs in one sweep"),
        });
    }
    Ok(grid)
}

/// Progress, and Ctrl-C.
struct Watch {
    progress: Progress,
    interrupt: Interrupt,
}

impl Watch {
    fn new() -> Watch {
        let interrupt = Interrupt::default();
        let stop = interrupt.clone();
        // A second handler cannot be set, as in tests: then a signal ends this process at once, as it always did.
        let _ = ctrlc::set_handler(move || {
            if stop.is_stopped() {
                std::process::exit(130);
            }
            terminal::to_stderr("\nstopping after the runs that have begun; once more to stop at once\n");
            stop.stop();
        });
        Watch { progress: Progress::new(), interrupt }
    }
}

impl Listener for Watch {
    fn begins(&self, done: u64, of: u64) {
        self.progress.begins(done, of);
    }

    fn done(&self, _row: &Row) {
        self.progress.done();
    }

    fn should_stop(&self) -> bool {
        self.interrupt.is_stopped()
    }
}
