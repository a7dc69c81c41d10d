//! One run for the page: a scenario and settings in, what a chart and its tables need out.
//!
//! `config`, `snapshots`, `summary` and `oom_kill` are what `gclab run --json` prints, field by field.

use serde::{Deserialize, Serialize};

use super::limits::{Limits, TooMuch};
use super::mistakes::{MistakeList, line_and_column};
use super::series::{Series, series};
use super::{Denied, shipped};
use crate::scenario::{
    Gogc, MemoryLimit, Overrides, PROCS_LIMIT, RunOptions, RunSettings, Scenario, run_with,
};
use crate::trace::{Config, Cycle, OomKill, Snapshot, StepMark, Summary, Trace};
use crate::version::GoVersion;

/// A scenario, by its name or as text, and settings that override its own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunRequest {
    /// The name of a scenario that travels with gclab; with `text`, the name of that.
    pub name: String,
    /// A scenario in TOML.
    pub text: Option<String>,
    /// Settings.
    pub settings: SettingsRequest,
    /// Points of each series at most.
    pub points: Option<usize>,
    /// Only the series and cycles between these two moments, in nanoseconds of virtual time.
    pub window_ns: Option<(u64, u64)>,
}

/// Settings that override a scenario's own, as a command line writes them. What is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingsRequest {
    /// GOGC: `100`, `off`.
    pub gogc: Option<String>,
    /// GOMEMLIMIT: `64MiB`, `off`.
    pub memory_limit: Option<String>,
    /// Go release: `1.23`.
    pub go: Option<String>,
    /// GOMAXPROCS.
    pub procs: Option<u32>,
    /// How pages go back: `true` with MADV_DONTNEED.
    pub madvdontneed: Option<bool>,
    /// Seed of everything random, in digits: a browser's numbers are too short for it.
    pub seed: Option<String>,
}

/// What a run has shown.
#[derive(Debug, Serialize)]
pub struct RunAnswer {
    /// The scenario's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its question.
    pub question: String,
    /// Its answer.
    pub answer: String,
    /// The settings of the run.
    pub config: Config,
    /// The settings of the scenario itself.
    pub own_config: Config,
    /// Labelled rows.
    pub snapshots: Vec<Snapshot>,
    /// How many labelled rows there were; more than in `snapshots` if those were too many.
    pub snapshot_count: usize,
    /// Totals.
    pub summary: Summary,
    /// Set when the container's limit killed the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_kill: Option<OomKill>,
    /// When each top-level step began.
    pub steps: Vec<StepMark>,
    /// GC cycles; evenly chosen ones if there were too many.
    pub cycles: Vec<Cycle>,
    /// How many there were.
    pub cycle_count: usize,
    /// The state of memory over time.
    pub series: Series,
}

/// Points of each series if the request does not say.
const DEFAULT_POINTS: usize = 600;

/// Runs a scenario.
///
/// # Errors
/// [`Denied`]: mistakes in the scenario, settings that do not exist, or more work than `limits` allow.
pub(crate) fn run(request: &RunRequest, limits: &Limits) -> Result<RunAnswer, Denied> {
    let scenario = scenario(request, limits)?;
    let settings = scenario.settings().overridden(&request.settings.overrides().map_err(Denied::Refused)?);
    let recording = run_with(&scenario, &settings, RunOptions::within(limits.allowance))
        .map_err(|error| Denied::Refused(format!("{error}. The command gclab run has no such limit.")))?;
    Ok(shown(recording.trace, &scenario.settings(), request, limits))
}

/// The scenario of a request, checked, and small enough.
pub(super) fn scenario(request: &RunRequest, limits: &Limits) -> Result<Scenario, Denied> {
    let name = if request.name.is_empty() { "scenario" } else { &request.name };
    let text = match &request.text {
        Some(text) => text,
        None => shipped::text(name)
            .ok_or_else(|| Denied::Refused(format!("there is no scenario named {name:?} here")))?,
    };
    if text.len() > limits.scenario_bytes {
        let kib = limits.scenario_bytes >> 10;
        return Err(Denied::Refused(format!("the scenario is too long: at most {kib} KiB are read")));
    }
    let file = format!("{name}.toml");
    let scenario =
        Scenario::parse(&file, text).map_err(|mistakes| Denied::Mistakes(MistakeList::from(&mistakes)))?;
    limits.admit(&scenario).map_err(|TooMuch { at, message }| {
        let (line, column) = line_and_column(text, at);
        Denied::Refused(format!(
            "{file}:{line}:{column}: {message}. The command gclab run has no such limit."
        ))
    })?;
    Ok(scenario)
}

impl SettingsRequest {
    pub(super) fn overrides(&self) -> Result<Overrides, String> {
        let procs = self.procs.filter(|procs| !(1..=PROCS_LIMIT).contains(procs));
        if let Some(procs) = procs {
            return Err(format!("{procs} is not a GOMAXPROCS; accepted: 1 to {PROCS_LIMIT}"));
        }
        let seed = self.seed.as_deref().map(|text| {
            text.parse::<u64>().map_err(|_| format!("{text:?} is not a seed; accepted: 0 to {}", u64::MAX))
        });
        Ok(Overrides {
            version: self
                .go
                .as_deref()
                .map(str::parse::<GoVersion>)
                .transpose()
                .map_err(|e| e.to_string())?,
            gogc: self.gogc.as_deref().map(str::parse::<Gogc>).transpose()?,
            memory_limit: self.memory_limit.as_deref().map(str::parse::<MemoryLimit>).transpose()?,
            procs: self.procs,
            seed: seed.transpose()?,
            madvdontneed: self.madvdontneed,
            ..Overrides::default()
        })
    }
}

/// What a page shows of a trace.
pub(super) fn shown(trace: Trace, own: &RunSettings, request: &RunRequest, limits: &Limits) -> RunAnswer {
    let points = request.points.unwrap_or(DEFAULT_POINTS).clamp(2, limits.points);
    let (from_ns, to_ns) = request.window_ns.unwrap_or((0, u64::MAX - 1));
    let inside = |cycle: &Cycle| cycle.end_ns >= from_ns && cycle.start_ns <= to_ns;
    let snapshot_count = trace.snapshots.len();
    let cycle_count = trace.cycles.len();
    let cycles = trace.cycles.into_iter().filter(inside).collect();
    let mut snapshots = trace.snapshots;
    snapshots.truncate(limits.snapshots);
    RunAnswer {
        series: series(&trace.samples, from_ns..to_ns.max(from_ns), points),
        name: trace.name,
        title: trace.title,
        question: trace.question,
        answer: trace.answer,
        config: trace.config,
        own_config: own.config(),
        snapshots,
        snapshot_count,
        summary: trace.summary,
        oom_kill: trace.oom_kill,
        steps: trace.steps,
        cycles: evenly(cycles, limits.cycles),
        cycle_count,
    }
}

/// At most `limit` of these, evenly chosen, the first and the last among them.
fn evenly<T>(all: Vec<T>, limit: usize) -> Vec<T> {
    let count = all.len();
    if count <= limit {
        return all;
    }
    let mut chosen = (0..limit).map(|place| place * (count - 1) / (limit - 1)).peekable();
    all.into_iter()
        .enumerate()
        .filter(|(index, _)| chosen.next_if_eq(index).is_some())
        .map(|(_, one)| one)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_among_the_chosen() {
        assert_eq!(evenly((0..10).collect(), 4), [0, 3, 6, 9]);
        assert_eq!(evenly((0..4).collect(), 4), [0, 1, 2, 3]);
        assert_eq!(evenly((0..1000).collect::<Vec<u32>>(), 7).len(), 7);
    }
}
