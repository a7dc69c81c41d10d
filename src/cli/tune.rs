//! `gclab tune`: GOGC and GOMEMLIMIT for a container, with the reason and the lines to paste.

use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::errors::CliError;
use super::files::{read_cost_profile, read_scenario};
use super::sweep::threads;
use super::terminal;
use crate::oracle::{Interrupt, OracleError, Toolchain};
use crate::scenario::{Overrides, PROCS_LIMIT};
use crate::tune::{self, Advice, Prediction, Question, RealCheck, Searched};
use crate::units::{Bytes, MIB, Nanos};
use crate::version::GoVersion;

/// Most simulations of a candidate.
const SEEDS_LIMIT: i64 = 100;

/// Recommend GOGC and GOMEMLIMIT for a container.
///
/// Simulates the scenario in a container of that size under some hundred settings, each with several seeds, and recommends one:
/// without --max-gc-cpu the one that spends least CPU on GC, with it the one that needs least memory; in both cases no run may
/// come nearer to the container's limit than the margin. Says why, what to expect, how much is left before the OOM kill,
/// and which more aggressive setting would be too much.
///
/// With --go, real Go is asked: the program of the scenario is built and run with the recommended settings and with more
/// aggressive ones, under the same limit.
///
/// Exit codes: 0 there is a recommendation (and real Go agrees), 1 nothing fits the container or real Go disagrees, 2 a mistake
/// that you can correct.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab tune sims/steady-gogc.toml --container 256MiB\n  \
        gclab tune sims/trading-gateway.toml --container 512MiB --max-gc-cpu 5%\n  \
        gclab tune sims/churn.toml --container 128MiB --go /usr/local/go/bin/go\n  \
        gclab tune sims/churn.toml --container 128MiB --json | jq .recommended")]
pub(super) struct TuneArgs {
    /// Scenario file.
    #[arg(value_name = "SIM.toml")]
    sim: PathBuf,
    /// Memory limit of the container, such as 512MiB.
    #[arg(long, value_name = "SIZE", value_parser = container)]
    container: Bytes,
    /// The most that GC may take of CPU time, such as 5%.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_gc_cpu: Option<f64>,
    /// How much of the container must stay free, such as 10%.
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = share)]
    margin: f64,
    /// Simulations of each setting, each with another seed.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=SEEDS_LIMIT))]
    seeds: u32,
    /// Go release to simulate: 1.21, 1.23, 1.24, 1.25 or 1.27. With --go, that of the toolchain.
    #[arg(long, value_name = "VERSION")]
    go_version: Option<GoVersion>,
    /// GOMAXPROCS.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PROCS_LIMIT)))]
    procs: Option<u32>,
    /// Processor cores of the machine.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PROCS_LIMIT)))]
    cores: Option<u32>,
    /// The first seed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Cost profile of gclab calibrate. Without it, the built-in one.
    #[arg(long, value_name = "FILE")]
    cost: Option<PathBuf>,
    /// Simulations at a time; without it, one for each core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Option<u32>,
    /// Check with real Go: the go command, or the folder of a Go installation.
    #[arg(long, value_name = "PATH")]
    go: Option<PathBuf>,
    /// Real runs of each setting.
    #[arg(long, value_name = "N", default_value_t = 3, requires = "go", value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn container(text: &str) -> Result<Bytes, String> {
    let bytes: Bytes = text.parse().map_err(|error: crate::units::UnitError| error.to_string())?;
    if bytes.0 >= MIB { Ok(bytes) } else { Err("accepted: 1MiB or more".to_owned()) }
}

/// `5%`, `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text.trim(), 1.0),
    };
    let share = number.trim().parse::<f64>().ok().map(|number| number / scale);
    share
        .filter(|share| (0.0..1.0).contains(share))
        .ok_or_else(|| "accepted: a share from 0% up to 100%, such as 5% or 0.05".to_owned())
}

/// Runs the subcommand.
pub(super) fn run(args: &TuneArgs) -> Result<(), CliError> {
    let scenario = read_scenario(&args.sim)?;
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    if args.go.is_some() {
        // A second handler cannot be set, as in tests: then a signal ends this process at once, as it always did.
        let _ = ctrlc::set_handler(move || stop.stop());
    }
    let scratch =
        tempfile::tempdir().map_err(|error| CliError::Write { path: std::env::temp_dir(), error })?;
    let find = |path: &PathBuf| Toolchain::find(path, scratch.path(), &interrupt).map_err(OracleError::from);
    let toolchain = args.go.as_ref().map(find).transpose()?;
    if let (Some(toolchain), Some(version)) = (&toolchain, args.go_version)
        && toolchain.version != version
    {
        return Err(CliError::Usage {
            message: format!("--go-version {version} and --go with {}", toolchain.name),
            accepted: "one of them".to_owned(),
        });
    }
    let version = toolchain.as_ref().map(|toolchain| toolchain.version).or(args.go_version);
    let profiled = version.unwrap_or(scenario.go.version);
    let cost_profile = args.cost.as_deref().map(|path| read_cost_profile(path, profiled)).transpose()?;
    if let Some(lacking) = scenario.lacking(profiled) {
        return Err(CliError::Usage {
            message: lacking.to_string(),
            accepted: "another --go-version".to_owned(),
        });
    }
    let settings = scenario.settings().overridden(&Overrides {
        version,
        procs: args.procs,
        cores: args.cores,
        seed: args.seed,
        cost_profile,
        ..Overrides::default()
    });
    let question = Question {
        scenario: &scenario,
        settings,
        container_bytes: args.container.0,
        max_gc_cpu: args.max_gc_cpu,
        margin: args.margin,
        seeds: args.seeds,
        threads: threads(args.threads),
    };
    let searched = tune::search(&question, &|what| terminal::to_stderr(&format!("{what}\n")));
    let advice = tune::advise(&question, &searched);
    let real = match (&toolchain, &advice) {
        (Some(toolchain), Advice::Use { recommended, next, killed, .. }) => {
            let mut predictions = vec![recommended];
            predictions.extend(next);
            predictions.extend(killed.as_ref().filter(|killed| next.as_ref() != Some(*killed)));
            terminal::to_stderr(&format!(
                "real {}: {} settings, {} runs each\n",
                toolchain.name,
                predictions.len(),
                args.runs
            ));
            Some(tune::check(&question, &predictions, toolchain, args.runs, scratch.path(), &interrupt)?)
        }
        _ => None,
    };
    let text = if args.json {
        json(&question, &searched, &advice, real.as_ref())
    } else {
        report(&question, &searched, &advice, real.as_ref())
    };
    terminal::to_stdout(&text);
    verdict(&question, &advice, real.as_ref())
}

fn verdict(question: &Question, advice: &Advice, real: Option<&RealCheck>) -> Result<(), CliError> {
    match (advice, real) {
        (Advice::TooSmall { .. }, _) => Err(CliError::Untunable {
            reason: format!("nothing that was tried fits a container of {}", Bytes(question.container_bytes)),
        }),
        (_, Some(real)) if !real.survives() => Err(CliError::Untunable {
            reason: format!("real {} was killed with the recommended settings", real.go),
        }),
        _ => Ok(()),
    }
}

/// As Go reads it.
fn limit_text(prediction: &Prediction) -> String {
    match prediction.candidate.memory_limit.bytes() {
        None => "off".to_owned(),
        Some(bytes) if bytes % MIB == 0 => format!("{}MiB", bytes / MIB),
        Some(bytes) => format!("{bytes}B"),
    }
}

fn dockerfile(prediction: &Prediction) -> String {
    format!("ENV GOGC={}\nENV GOMEMLIMIT={}\n", prediction.candidate.gogc, limit_text(prediction))
}

fn kubernetes(prediction: &Prediction, container_bytes: u64) -> String {
    let memory = match container_bytes {
        bytes if bytes % MIB == 0 => format!("{}Mi", bytes / MIB),
        bytes => bytes.to_string(),
    };
    format!(
        "env:\n  - name: GOGC\n    value: \"{}\"\n  - name: GOMEMLIMIT\n    value: \"{}\"\nresources:\n  limits:\n    memory: \"{memory}\"\n",
        prediction.candidate.gogc,
        limit_text(prediction)
    )
}

fn report(question: &Question, searched: &Searched, advice: &Advice, real: Option<&RealCheck>) -> String {
    let mut text = format!(
        "{}\n\nGo {} in a container of {}, {} runs of {} settings\n\n",
        question.scenario.title,
        question.settings.go.version,
        Bytes(question.container_bytes),
        searched.runs,
        searched.predictions.len()
    );
    let (recommended, reasons, default, next, killed) = match advice {
        Advice::TooSmall { needed_bytes, frugal } => {
            let _ = writeln!(
                text,
                "Nothing fits. Every setting that was tried comes nearer to the limit than {:.0} %.",
                question.margin * 100.0
            );
            if let Some(needed) = needed_bytes {
                let _ = writeln!(
                    text,
                    "With GOGC={} the program needs a container of about {}.",
                    frugal.gogc,
                    Bytes(*needed)
                );
            }
            return text;
        }
        Advice::Use { recommended, reasons, default, next, killed, .. } => {
            (recommended, reasons, default, next, killed)
        }
    };
    let _ = writeln!(
        text,
        "Recommended: GOGC={} GOMEMLIMIT={}\n",
        recommended.candidate.gogc,
        limit_text(recommended)
    );
    for reason in reasons {
        let _ = writeln!(text, "* {reason}");
    }
    let left = question.container_bytes.saturating_sub(recommended.cell.peak_rss_bytes);
    let _ = writeln!(
        text,
        "* Margin to the OOM kill: {} ({:.0} %) in the worst of {} seeds.\n",
        Bytes(left),
        left as f64 * 100.0 / question.container_bytes as f64,
        question.seeds
    );
    let _ = writeln!(
        text,
        "{:<18} {:>6} {:>10} {:>12} {:>8} {:>8}  P99",
        "Predicted", "GOGC", "GOMEMLIMIT", "peak RSS", "GC CPU", "GCs"
    );
    let mut rows: Vec<(&str, &Prediction)> = vec![("recommended", recommended), ("Go's own", default)];
    rows.extend(next.as_ref().map(|next| ("more aggressive", next)));
    rows.extend(
        killed
            .as_ref()
            .filter(|killed| next.as_ref() != Some(*killed))
            .map(|killed| ("first OOM kill", killed)),
    );
    for (name, prediction) in rows {
        let cell = &prediction.cell;
        let peak = match cell.killed {
            0 => Bytes(cell.peak_rss_bytes).to_string(),
            killed => format!("OOM {killed} of {}", cell.runs),
        };
        let _ = writeln!(
            text,
            "{name:<18} {:>6} {:>10} {peak:>12} {:>6.2} % {:>8.0}  {}",
            prediction.candidate.gogc.to_string(),
            limit_text(prediction),
            cell.gc_cpu_fraction * 100.0,
            cell.num_gc,
            cell.p99_ns.map_or_else(String::new, |ns| Nanos(ns).to_string())
        );
    }
    if let Some(real) = real {
        let _ = writeln!(text, "\nReal {}", real.go);
        for checked in &real.checked {
            let fate = match checked.killed {
                0 => format!(
                    "survived, peak RSS {} (predicted {})",
                    Bytes(checked.peak_rss_bytes),
                    Bytes(checked.predicted_peak_rss_bytes)
                ),
                killed => format!(
                    "killed in {killed} of {} runs (predicted: {} seeds)",
                    checked.runs, checked.predicted_killed
                ),
            };
            let gc = checked.gc_cpu_fraction.map_or_else(String::new, |share| {
                format!(
                    ", GC CPU {:.2} % (predicted {:.2} %)",
                    share * 100.0,
                    checked.predicted_gc_cpu_fraction * 100.0
                )
            });
            let _ = writeln!(text, "  GOGC={} GOMEMLIMIT={}: {fate}{gc}", checked.gogc, checked.memory_limit);
        }
    }
    let _ = write!(
        text,
        "\nDockerfile:\n\n{}\nKubernetes, in the container:\n\n{}",
        dockerfile(recommended),
        kubernetes(recommended, question.container_bytes)
    );
    text
}

#[derive(Serialize)]
struct Report<'r> {
    scenario: &'r str,
    go: &'static str,
    container_bytes: u64,
    margin: f64,
    max_gc_cpu: Option<f64>,
    seeds: u32,
    runs: u64,
    recommended: Option<Predicted>,
    margin_to_oom_bytes: Option<u64>,
    reasons: &'r [String],
    over_budget: bool,
    default: Option<Predicted>,
    next_more_aggressive: Option<Predicted>,
    first_killed: Option<Predicted>,
    needed_container_bytes: Option<u64>,
    dockerfile: Option<String>,
    kubernetes: Option<String>,
    real: Option<&'r RealCheck>,
}

#[derive(Serialize)]
struct Predicted {
    gogc: String,
    memory_limit: String,
    runs: u64,
    killed: u64,
    peak_rss_bytes: u64,
    gc_cpu_fraction: f64,
    num_gc: f64,
    p99_ns: Option<u64>,
}

impl Predicted {
    fn of(prediction: &Prediction) -> Predicted {
        let cell = &prediction.cell;
        Predicted {
            gogc: prediction.candidate.gogc.to_string(),
            memory_limit: limit_text(prediction),
            runs: cell.runs,
            killed: cell.killed,
            peak_rss_bytes: cell.peak_rss_bytes,
            gc_cpu_fraction: cell.gc_cpu_fraction,
            num_gc: cell.num_gc,
            p99_ns: cell.p99_ns,
        }
    }
}

fn json(question: &Question, searched: &Searched, advice: &Advice, real: Option<&RealCheck>) -> String {
    let mut report = Report {
        scenario: &question.scenario.name,
        go: question.settings.go.version.name(),
        container_bytes: question.container_bytes,
        margin: question.margin,
        max_gc_cpu: question.max_gc_cpu,
        seeds: question.seeds,
        runs: searched.runs,
        recommended: None,
        margin_to_oom_bytes: None,
        reasons: &[],
        over_budget: false,
        default: None,
        next_more_aggressive: None,
        first_killed: None,
        needed_container_bytes: None,
        dockerfile: None,
        kubernetes: None,
        real,
    };
    match advice {
        Advice::TooSmall { needed_bytes, .. } => report.needed_container_bytes = *needed_bytes,
        Advice::Use { recommended, reasons, default, next, killed, over_budget } => {
            report.recommended = Some(Predicted::of(recommended));
            report.margin_to_oom_bytes =
                Some(question.container_bytes.saturating_sub(recommended.cell.peak_rss_bytes));
            report.reasons = reasons;
            report.over_budget = *over_budget;
            report.default = Some(Predicted::of(default));
            report.next_more_aggressive = next.as_ref().map(Predicted::of);
            report.first_killed = killed.as_ref().map(Predicted::of);
            report.dockerfile = Some(dockerfile(recommended));
            report.kubernetes = Some(kubernetes(recommended, question.container_bytes));
        }
    }
    let mut text = serde_json::to_string_pretty(&report).expect("numbers and texts are JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_in_percent_or_as_a_number() {
        assert_eq!((share("5%"), share("0.05"), share(" 12.5 % ")), (Ok(0.05), Ok(0.05), Ok(0.125)));
        for text in ["100%", "5", "-1%", "x", ""] {
            assert!(share(text).unwrap_err().contains("5%"), "{text}");
        }
        assert!(container("5KiB").is_err() && container("512MiB").is_ok());
    }
}
