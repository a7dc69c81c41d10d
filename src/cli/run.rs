//! `gclab run`: a scenario under one or several settings; tables on stdout, a picture and samples in files.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexSet;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;

use super::environment::Environment;
use super::errors::CliError;
use super::files::{PendingFile, read_cost_profile, read_scenario, samples_csv};
use super::pictures::PictureArgs;
use super::table::{limit_text, report};
use super::terminal::{self, Colour};
use crate::cost::CostProfile;
use crate::scenario::{
    self, Detail, Gogc, MemoryLimit, Overrides, PROCS_LIMIT, RunOptions, RunSettings, Scenario,
};
use crate::trace::{self, Config, OomKill, Recording, Snapshot, Summary, Trace};
use crate::units::Bytes;
use crate::version::GoVersion;

/// Most runs of one command.
const RUNS_LIMIT: usize = 256;

/// Run a scenario, print its snapshots, draw it.
///
/// Prints a table with a row for each snapshot of the scenario, and writes two files into the output folder: NAME.png,
/// the chart, and NAME.csv, the state of memory over time; NAME is the name of the scenario file. Charts of other kinds are
/// called NAME-KIND.
///
/// Flags override what the file says; what neither says has Go's default. Lists make one run for each combination, and
/// the chart compares them.
///
/// The environment variables of Go programs are read too: GOGC, GOMEMLIMIT (64MiB), GOMAXPROCS, and of GODEBUG gctrace=1 and
/// madvdontneed=0 or 1. Flags win over them, and they win over the file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab run sims/delete-million.toml\n  \
        gclab run sims/steady-gogc.toml --gogc 50,100,200,off --memory-limit 256MiB\n  \
        gclab run sims/churn.toml --go 1.21 --seed 7 --out churn-1.21\n  \
        gclab run sims/churn.toml --go 1.21,1.23,1.24,1.27\n  \
        gclab run sims/delete-million.toml --json --no-plot | jq '.runs[0].snapshots[].rss_bytes'\n  \
        gclab run sims/steady-gogc.toml --gctrace 2>gctrace.txt\n  \
        gclab run sims/rebuild-map.toml --chart timeline,heap-map,map-xray --format svg --theme dark")]
pub(super) struct RunArgs {
    /// Scenario file.
    #[arg(value_name = "SIM.toml")]
    sim: PathBuf,
    /// GOGC in percent or "off", or a list: 50,100,200.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    gogc: Vec<Gogc>,
    /// GOMEMLIMIT such as 256MiB or "off", or a list: off,256MiB.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    memory_limit: Vec<MemoryLimit>,
    /// Go release to simulate: 1.21, 1.23, 1.24, 1.25 or 1.27, or a list: 1.23,1.27.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    go: Vec<GoVersion>,
    /// GOMAXPROCS: how many goroutines run at the same time.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PROCS_LIMIT)))]
    procs: Option<u32>,
    /// Processor cores of the machine.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PROCS_LIMIT)))]
    cores: Option<u32>,
    /// Memory limit of the container, such as 512MiB: crossing it is an OOM kill.
    #[arg(long, value_name = "SIZE")]
    machine_memory: Option<Bytes>,
    /// Seed of everything random: the same seed gives the same bytes.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How pages go back: 1 with MADV_DONTNEED, 0 with MADV_FREE.
    #[arg(long, value_name = "0|1", value_parser = zero_or_one)]
    madvdontneed: Option<bool>,
    /// Cost profile: what work costs, as measured by gclab calibrate. Without it, the built-in one.
    #[arg(long, value_name = "FILE")]
    cost: Option<PathBuf>,
    /// Folder for the chart and the samples; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Print one JSON object instead of tables: settings, snapshots and totals of every run.
    #[arg(long)]
    json: bool,
    /// Print a line for each collection on stderr, as GODEBUG=gctrace=1 does.
    #[arg(long)]
    gctrace: bool,
    /// Draw no chart.
    #[arg(long)]
    no_plot: bool,
    #[command(flatten)]
    pictures: PictureArgs,
    /// Save the runs with close-ups of pages and maps, for gclab plot.
    #[arg(long, value_name = "FILE")]
    save_trace: Option<PathBuf>,
}

pub(super) fn zero_or_one(text: &str) -> Result<bool, String> {
    match text {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err("accepted: 1 (MADV_DONTNEED) or 0 (MADV_FREE)".to_owned()),
    }
}

/// Runs the subcommand.
pub(super) fn run(args: &RunArgs) -> Result<(), CliError> {
    let scenario = read_scenario(&args.sim)?;
    let version = args.go.first().copied().unwrap_or(scenario.go.version);
    if args.cost.is_some() && args.go.len() > 1 {
        return Err(CliError::Usage {
            message: format!("--cost with {} releases in --go", args.go.len()),
            accepted: "one release: a cost profile is measured with one".to_owned(),
        });
    }
    let cost_profile = args.cost.as_deref().map(|path| read_cost_profile(path, version)).transpose()?;
    if cost_profile.as_ref().is_some_and(|profile| !profile.provenance.quiet) {
        terminal::to_stderr("note: the cost profile was measured on a machine that was not quiet\n");
    }
    let environment = Environment::of_this_process()?;
    let settings = combinations(args, &environment, &scenario, cost_profile)?;
    if !args.no_plot {
        args.pictures.check(settings.len())?;
    }
    let closely =
        args.save_trace.is_some() || (!args.no_plot && args.pictures.need_close_ups(settings.len()));
    let detail = if closely { Detail::CloseUps } else { Detail::Trace };
    let runs = run_all(&scenario, &settings, detail)?;
    let traces: Vec<Trace> = runs.iter().map(|run| run.trace.clone()).collect();
    if args.gctrace || environment.gctrace {
        print_gctrace(&traces);
    }
    let written = write_files(args, &scenario, &runs)?;
    if args.json {
        terminal::to_stdout(&json(&traces));
    } else {
        terminal::to_stdout(&report(&traces, terminal::stdout_colour()));
        terminal::to_stdout(&format!("\nWrote {written}\n"));
    }
    Ok(())
}

/// One settings for each combination of the lists, in the order of the lists.
fn combinations(
    args: &RunArgs,
    environment: &Environment,
    scenario: &Scenario,
    cost_profile: Option<Arc<CostProfile>>,
) -> Result<Vec<RunSettings>, CliError> {
    let overrides = Overrides {
        procs: args.procs.or(environment.procs),
        seed: args.seed,
        madvdontneed: args.madvdontneed.or(environment.madvdontneed),
        machine_memory_bytes: args.machine_memory.map(|bytes| bytes.0),
        cores: args.cores,
        cost_profile,
        ..Overrides::default()
    };
    let gogcs = or_one(&args.gogc, environment.gogc);
    let limits = or_one(&args.memory_limit, environment.memory_limit);
    let versions = or_one(&args.go, None);
    let pairs = gogcs.iter().flat_map(|gogc| limits.iter().map(|limit| (*gogc, *limit)));
    let mut seen = IndexSet::new();
    let mut settings = Vec::new();
    for (version, (gogc, memory_limit)) in
        versions.iter().flat_map(|version| pairs.clone().map(|pair| (*version, pair)))
    {
        let own = Overrides { version, gogc, memory_limit, ..overrides.clone() };
        let one = scenario.settings().overridden(&own);
        if seen.insert((one.go.version, one.go.gogc.percent(), one.go.memory_limit.bytes())) {
            settings.push(one);
        }
    }
    if settings.len() > RUNS_LIMIT {
        return Err(CliError::Usage {
            message: format!("{} combinations of --go, --gogc and --memory-limit", settings.len()),
            accepted: format!("up to {RUNS_LIMIT} runs in one command"),
        });
    }
    Ok(settings)
}

/// The values of a list flag; without the flag, the one of the environment; without that, one that leaves the file's.
fn or_one<T: Copy>(list: &[T], environment: Option<T>) -> Vec<Option<T>> {
    if list.is_empty() { vec![environment] } else { list.iter().copied().map(Some).collect() }
}

fn run_all(
    scenario: &Scenario,
    settings: &[RunSettings],
    detail: Detail,
) -> Result<Vec<Recording>, CliError> {
    let progress = Progress::new(settings.len());
    let runs: Result<Vec<Recording>, CliError> = settings
        .par_iter()
        .map(|settings| {
            let run = scenario::run_with(scenario, settings, RunOptions::with(detail));
            let run = run.map_err(|error| CliError::Run { gogc: settings.go.gogc.to_string(), error })?;
            progress.done(&run.trace.config);
            Ok(run)
        })
        .collect();
    progress.finish();
    runs
}

/// A bar on a terminal, lines in a pipe, nothing for a single run.
enum Progress {
    Silent,
    Lines,
    Bar(ProgressBar),
}

impl Progress {
    fn new(runs: usize) -> Progress {
        match (runs, terminal::stderr_is_terminal()) {
            (0 | 1, _) => Progress::Silent,
            (_, false) => Progress::Lines,
            (_, true) => {
                let bar = ProgressBar::new(runs as u64);
                let template = match terminal::stderr_colour() {
                    Colour::On => "{bar:30.cyan} {pos}/{len} runs {msg}",
                    Colour::Off => "{bar:30} {pos}/{len} runs {msg}",
                };
                bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
                bar.enable_steady_tick(Duration::from_millis(200));
                Progress::Bar(bar)
            }
        }
    }

    fn done(&self, config: &Config) {
        let name = run_name(config);
        match self {
            Progress::Silent => {}
            Progress::Lines => terminal::to_stderr(&format!("ran {name}\n")),
            Progress::Bar(bar) => {
                bar.inc(1);
                bar.set_message(name);
            }
        }
    }

    fn finish(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn run_name(config: &Config) -> String {
    format!("Go {} GOGC={} GOMEMLIMIT={}", config.go, config.gogc_text(), limit_text(config))
}

fn print_gctrace(traces: &[Trace]) {
    for trace in traces {
        if traces.len() > 1 {
            terminal::to_stderr(&format!("{}\n", run_name(&trace.config)));
        }
        terminal::to_stderr(&trace::gctrace(trace));
    }
}

/// Writes samples, charts and trace; all take their names only when all are complete. Returns what was written.
fn write_files(args: &RunArgs, scenario: &Scenario, runs: &[Recording]) -> Result<String, CliError> {
    let mut files = match args.no_plot {
        true => Vec::new(),
        false => args.pictures.draw(runs, &scenario.name, &args.out)?,
    };
    let mut csv = PendingFile::create(&args.out.join(format!("{}.csv", scenario.name)))?;
    csv.write(&samples_csv(runs.iter().map(|run| &run.trace)))?;
    files.push(csv);
    if let Some(path) = &args.save_trace {
        let mut saved = PendingFile::create(path)?;
        saved.write(trace::saved::to_text(runs).as_bytes())?;
        files.push(saved);
    }
    let names: Vec<String> = files.iter().map(PendingFile::shown_path).collect();
    files.into_iter().try_for_each(PendingFile::finish)?;
    Ok(names.join(" and "))
}

#[derive(Serialize)]
struct Runs<'t> {
    runs: Vec<Run<'t>>,
}

#[derive(Serialize)]
struct Run<'t> {
    config: &'t Config,
    snapshots: &'t [Snapshot],
    summary: &'t Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    oom_kill: Option<&'t OomKill>,
}

/// `{"runs": [...]}` and a line end.
fn json(traces: &[Trace]) -> String {
    let runs = traces
        .iter()
        .map(|Trace { config, snapshots, summary, oom_kill, .. }| Run {
            config,
            snapshots,
            summary,
            oom_kill: oom_kill.as_ref(),
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&Runs { runs }).expect("numbers and texts are JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::tests::trace;

    #[test]
    fn json_has_gos_own_names_and_the_oom_kill_only_when_there_was_one() {
        let mut killed = trace();
        killed.oom_kill = Some(OomKill { t_ns: 1, rss_bytes: 2, limit_bytes: 1, step: "x".to_owned() });
        let value: serde_json::Value = serde_json::from_str(&json(&[trace(), killed])).unwrap();
        let run = &value["runs"][0];
        assert_eq!(run["config"]["gogc_percent"], 100);
        assert_eq!(run["snapshots"][1]["label"], "inserted");
        assert_eq!(run["snapshots"][1]["rss_bytes"], 40 << 20);
        assert_eq!(run["snapshots"][1]["mem_stats"]["HeapAlloc"], 39 << 20);
        assert_eq!(run["snapshots"][1]["mem_stats"]["NumGC"], 1);
        assert_eq!(run["summary"]["num_gc"], 2);
        assert!(run.get("oom_kill").is_none());
        assert_eq!(value["runs"][1]["oom_kill"]["rss_bytes"], 2);
    }
}
