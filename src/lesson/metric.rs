//! The numbers of a lesson: where each stands in a run, and what follows from two of them.
//!
//! A metric names a place in the JSON that `gclab run --json` prints of a run, so what a lesson shows is what the run says.
//! Others are made of metrics that stand above them: a difference, a sum, a ratio, a share.

use serde_json::{Value, json};

use super::unit::Unit;
use crate::trace::{Config, Latency, MemStats, OomKill, RssLedger, Snapshot, Summary, Trace};

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// A place in the JSON of a run.
    Place {
        /// Which run, by its place in the lesson.
        run: usize,
        /// The label of a snapshot; `None` is the run itself.
        at: Option<String>,
        /// The keys that lead to the number, with dots between them.
        value: String,
        /// What the number counts.
        unit: Unit,
    },
    /// A number made of others, which are told by their place in the lesson.
    Made {
        /// How.
        how: How,
        /// Of which: exactly two, or for a sum any number.
        of: Vec<usize>,
        /// What the result counts.
        unit: Unit,
    },
}

/// How a number is made of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The first less the second.
    Minus,
    /// All together.
    Sum,
    /// How many times the second the first is.
    Ratio,
    /// The first in hundredths of the second.
    Percent,
}

/// A number that a run does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoNumber {
    /// There is no snapshot of that label.
    #[error("there is no snapshot {label:?} in run {run:?}; there are {known}")]
    NoSnapshot {
        /// The label that was asked for.
        label: String,
        /// The run's name.
        run: String,
        /// The labels that there are.
        known: String,
    },
    /// The place is empty: GOGC is off, nobody was killed, no request was served.
    #[error("run {run:?} has no {value}")]
    Empty {
        /// The path that was asked for.
        value: String,
        /// The run's name.
        run: String,
    },
    /// A share or a multiple of nothing.
    #[error("{metric:?} divides by {divisor:?}, which is 0")]
    DividedByZero {
        /// The metric.
        metric: String,
        /// What it divides by.
        divisor: String,
    },
}

impl Metric {
    /// What the number counts.
    pub fn unit(&self) -> Unit {
        match self {
            Metric::Place { unit, .. } | Metric::Made { unit, .. } => *unit,
        }
    }
}

/// The number at `value` in `trace`, of the snapshot `at` if one is named, in the base unit of `unit`.
pub(super) fn number_at(
    trace: &Trace,
    run: &str,
    at: Option<&str>,
    value: &str,
    unit: Unit,
) -> Result<f64, NoNumber> {
    let json = match at {
        None => run_json(&trace.config, &trace.summary, trace.oom_kill.as_ref()),
        Some(label) => {
            let snapshot = trace.snapshots.iter().find(|snapshot| snapshot.label == label);
            let snapshot = snapshot.ok_or_else(|| NoNumber::NoSnapshot {
                label: label.to_owned(),
                run: run.to_owned(),
                known: labels(trace),
            })?;
            serde_json::to_value(snapshot).expect("numbers and texts are JSON")
        }
    };
    let number = json.pointer(&pointer(value)).and_then(Value::as_f64);
    let number = number.ok_or_else(|| NoNumber::Empty { value: value.to_owned(), run: run.to_owned() })?;
    Ok(if unit == Unit::Percent && is_fraction(value) { 100.0 * number } else { number })
}

fn labels(trace: &Trace) -> String {
    let labels: Vec<String> =
        trace.snapshots.iter().map(|snapshot| format!("{:?}", snapshot.label)).collect();
    labels.join(", ")
}

fn pointer(value: &str) -> String {
    format!("/{}", value.replace('.', "/"))
}

fn run_json(config: &Config, summary: &Summary, oom_kill: Option<&OomKill>) -> Value {
    json!({ "config": config, "summary": summary, "oom_kill": oom_kill })
}

/// What the number at a path counts, by its last name: those of `runtime.MemStats` that say nothing else are bytes.
pub(super) fn unit_of(value: &str) -> Unit {
    let name = value.rsplit('.').next().expect("a path has a last name");
    match name {
        "NumGC" | "num_gc" | "NumForcedGC" | "Mallocs" | "Frees" | "Lookups" | "HeapObjects" | "requests"
        | "procs" | "cores" | "seed" => Unit::Count,
        "gogc_percent" => Unit::Percent,
        "LastGC" | "PauseTotalNs" => Unit::Nanos,
        _ if is_fraction(value) => Unit::Percent,
        _ if name.ends_with("_ns") => Unit::Nanos,
        _ => Unit::Bytes,
    }
}

fn is_fraction(value: &str) -> bool {
    value.ends_with("gc_cpu_fraction") || value.ends_with("GCCPUFraction")
}

/// Every path to a number in a snapshot.
pub(super) fn snapshot_paths() -> Vec<String> {
    let snapshot = Snapshot {
        label: String::new(),
        t_ns: 0,
        rss_bytes: 0,
        rss_ledger: RssLedger::default(),
        mem_stats: MemStats::default(),
        latency: Some(Latency::default()),
    };
    numbers_in(&serde_json::to_value(snapshot).expect("numbers and texts are JSON"))
}

/// Every path to a number in a run.
pub(super) fn run_paths() -> Vec<String> {
    let config = Config {
        go: String::new(),
        gogc_percent: Some(0),
        memory_limit_bytes: Some(0),
        procs: 0,
        cores: 0,
        seed: 0,
        madvdontneed: true,
        machine_memory_bytes: Some(0),
        cost_profile: String::new(),
    };
    let summary = Summary { latency: Some(Latency::default()), p99_assist_ns: Some(0), ..Summary::default() };
    let oom_kill = OomKill { t_ns: 0, rss_bytes: 0, limit_bytes: 0, step: String::new() };
    numbers_in(&run_json(&config, &summary, Some(&oom_kill)))
}

fn numbers_in(json: &Value) -> Vec<String> {
    let Value::Object(object) = json else { return Vec::new() };
    let mut paths = Vec::new();
    for (key, value) in object {
        if value.is_number() {
            paths.push(key.clone());
        }
        paths.extend(numbers_in(value).into_iter().map(|inner| format!("{key}.{inner}")));
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_a_run_has_a_path_and_a_unit() {
        let paths = snapshot_paths();
        for (path, unit) in [
            ("t_ns", Unit::Nanos),
            ("rss_bytes", Unit::Bytes),
            ("rss_ledger.free_bytes", Unit::Bytes),
            ("mem_stats.HeapAlloc", Unit::Bytes),
            ("mem_stats.NextGC", Unit::Bytes),
            ("mem_stats.NumGC", Unit::Count),
            ("mem_stats.PauseTotalNs", Unit::Nanos),
            ("mem_stats.GCCPUFraction", Unit::Percent),
            ("latency.p99_ns", Unit::Nanos),
        ] {
            assert!(paths.iter().any(|known| known == path), "{path} in {paths:?}");
            assert_eq!(unit_of(path), unit, "{path}");
        }
        let paths = run_paths();
        for (path, unit) in [
            ("summary.peak_rss_bytes", Unit::Bytes),
            ("summary.gc_cpu_fraction", Unit::Percent),
            ("summary.num_gc", Unit::Count),
            ("config.gogc_percent", Unit::Percent),
            ("config.machine_memory_bytes", Unit::Bytes),
            ("oom_kill.t_ns", Unit::Nanos),
        ] {
            assert!(paths.iter().any(|known| known == path), "{path} in {paths:?}");
            assert_eq!(unit_of(path), unit, "{path}");
        }
        assert!(!paths.iter().any(|path| path == "config.go"), "a text is no number");
    }
}
