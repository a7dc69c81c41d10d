//! The file of a lesson that has no words: runs, metrics, the prediction, sources.

use indexmap::IndexMap;
use serde::Serialize;
use toml::de::DeValue;

use super::condition::Condition;
use super::metric::{self, How, Metric};
use super::prediction::Prediction;
use super::unit::{ANSWER_UNITS, Unit};
use crate::mistake::{Log, Mistakes, suggestion};
use crate::scenario::reader::{Entry, Node, Table};
use crate::scenario::{
    self, GOGC_LIMIT_PERCENT, Gogc, MemoryLimit, Overrides, PROCS_LIMIT, RunError, RunSettings, Scenario,
};
use crate::trace::Trace;
use crate::units::GIB;

/// Most runs of a lesson: as many as a chart compares.
const RUNS_LIMIT: usize = 8;
/// Most memory of a machine in bytes. Our limit.
const MEMORY_LIMIT_BYTES: u64 = 1024 * GIB;
/// Choices of a prediction.
const CHOICES: std::ops::RangeInclusive<usize> = 2..=6;

/// One run of a lesson: a scenario under settings.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name in the lesson.
    pub name: String,
    /// The scenario's file, relative to the lesson's.
    pub file: String,
    /// The scenario as TOML.
    pub text: String,
    /// The scenario.
    pub scenario: Scenario,
    /// What the lesson changes in the scenario's own settings.
    pub overrides: Overrides,
}

impl Run {
    /// The settings of the run.
    pub fn settings(&self) -> RunSettings {
        self.scenario.settings().overridden(&self.overrides)
    }

    /// Runs it.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn simulate(&self) -> Result<Trace, RunError> {
        scenario::run(&self.scenario, &self.settings())
    }
}

/// Where to read on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// What it is called: `runtime/map.go (Go 1.23.9)`, or the page's address.
    pub title: String,
    /// Its address.
    pub url: String,
    /// What it is about.
    pub about: String,
}

/// What the file says.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub runs: Vec<Run>,
    pub chart: Vec<usize>,
    pub metrics: IndexMap<String, Metric>,
    pub prediction: Prediction,
    pub checks: Vec<Condition>,
    pub sources: Vec<Source>,
}

/// What is known while the file is read.
pub(super) struct Reader<'f> {
    pub log: Log,
    /// Mistakes in scenarios.
    pub in_scenarios: Vec<Mistakes>,
    /// The text of a scenario by its file, or why there is none.
    pub scenario_text: &'f dyn Fn(&str) -> Result<String, String>,
}

impl Reader<'_> {
    pub fn plan(&mut self, mut table: Table<'_>) -> Option<Plan> {
        let runs = self.runs(&mut table);
        let chart_node = table.take("chart");
        let metrics_node = table.need("metrics", "numbers of the runs, by name", &mut self.log);
        let prediction_node = table.need("prediction", "what the learner predicts", &mut self.log);
        let checks_node = table.take("checks");
        let sources_node = table.need("sources", "where to read on: [[sources]]", &mut self.log);
        table.finish(&mut self.log);
        let sources = sources_node.and_then(|node| self.sources(&node));
        let runs = runs?;
        let chart = self.chart(chart_node.as_ref(), &runs);
        let metrics = self.metrics(&metrics_node?, &runs)?;
        let prediction = self.prediction(&prediction_node?, &metrics);
        let checks = self.checks(checks_node.as_ref(), &metrics);
        Some(Plan {
            runs,
            chart: chart?,
            metrics,
            prediction: prediction?,
            checks: checks?,
            sources: sources?,
        })
    }

    fn runs(&mut self, table: &mut Table<'_>) -> Option<Vec<Run>> {
        let accepted = "at least one run: [runs] only = { scenario = \"../sims/delete-million.toml\" }";
        let node = table.need("runs", accepted, &mut self.log)?;
        let entries = node.table(accepted, &mut self.log)?.into_entries();
        if entries.is_empty() || entries.len() > RUNS_LIMIT {
            let accepted = format!("1 to {RUNS_LIMIT} runs");
            node.wrong(format!("{} runs", entries.len()), &accepted, &mut self.log);
            return None;
        }
        // Every run is read, also after one that is wrong.
        let runs: Vec<Option<Run>> = entries.iter().map(|entry| self.run(entry)).collect();
        runs.into_iter().collect()
    }

    fn run(&mut self, entry: &Entry<'_>) -> Option<Run> {
        let accepted =
            "a scenario and what differs from its settings: { scenario = \"../sims/churn.toml\", gogc = 50 }";
        let mut table = entry.node.table(accepted, &mut self.log)?;
        let file_node = table.need("scenario", "a scenario file, relative to this one", &mut self.log);
        let log = &mut self.log;
        let overrides = Overrides {
            version: table.take("go").and_then(|node| {
                let text = node.text("a version in quotes, such as \"1.23\"", log)?;
                node.parsed(text, log)
            }),
            gogc: table.take("gogc").and_then(|node| gogc(&node, log)),
            memory_limit: table.take("memory_limit").and_then(|node| {
                let text = node.text("a size such as \"64MiB\", or \"off\"", log)?;
                node.parsed::<MemoryLimit>(text, log)
            }),
            procs: table.take("procs").and_then(|node| whole(&node, PROCS_LIMIT, log)),
            cores: table.take("cores").and_then(|node| whole(&node, PROCS_LIMIT, log)),
            seed: table.take("seed").and_then(|node| node.whole(0..=u64::MAX, log)),
            madvdontneed: table.take("madvdontneed").and_then(|node| yes_or_no(&node, log)),
            machine_memory_bytes: table
                .take("machine_memory")
                .and_then(|node| node.bytes(1..=MEMORY_LIMIT_BYTES, log)),
            cost_profile: None,
        };
        table.finish(&mut self.log);
        let file_node = file_node?;
        let file = file_node.text("a file in quotes", &mut self.log)?;
        let text = match (self.scenario_text)(file) {
            Ok(text) => text,
            Err(reason) => {
                file_node.wrong(reason, "a scenario file, relative to this one", &mut self.log);
                return None;
            }
        };
        match Scenario::parse(file, &text) {
            Ok(scenario) => {
                Some(Run { name: entry.name.clone(), file: file.to_owned(), text, scenario, overrides })
            }
            Err(mistakes) => {
                self.in_scenarios.push(mistakes);
                None
            }
        }
    }

    /// The runs that the picture shows: the first without a word about it.
    fn chart(&mut self, node: Option<&Node<'_>>, runs: &[Run]) -> Option<Vec<usize>> {
        let Some(node) = node else { return Some(vec![0]) };
        let names = node.array("a list of runs", &mut self.log)?;
        if names.is_empty() {
            node.wrong("the picture shows no run", "at least one run", &mut self.log);
            return None;
        }
        names.iter().map(|name| self.run_of(name, runs)).collect()
    }

    fn run_of(&mut self, node: &Node<'_>, runs: &[Run]) -> Option<usize> {
        let name = node.text("the name of a run", &mut self.log)?;
        let found = runs.iter().position(|run| run.name == name);
        if found.is_none() {
            let known = suggestion(name, runs.iter().map(|run| run.name.as_str()));
            node.wrong(format!("there is no run \"{name}\""), &known, &mut self.log);
        }
        found
    }

    fn metrics(&mut self, node: &Node<'_>, runs: &[Run]) -> Option<IndexMap<String, Metric>> {
        let accepted = "numbers by name: [metrics] full = { at = \"full\", value = \"mem_stats.HeapAlloc\" }";
        let mut metrics = IndexMap::new();
        let mut complete = true;
        for entry in node.table(accepted, &mut self.log)?.into_entries() {
            let shaped = entry.name.starts_with(|c: char| c.is_ascii_lowercase())
                && entry.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if !shaped {
                let reason = format!("\"{}\" cannot be a metric's name", entry.name);
                let accepted = "small letters, digits and _, beginning with a letter";
                self.log.report(entry.name_span.clone(), &entry.node.path, reason, accepted);
            }
            match self.metric(&entry.node, runs, &metrics) {
                Some(metric) => drop(metrics.insert(entry.name, metric)),
                None => complete = false,
            }
        }
        complete.then_some(metrics)
    }

    fn metric(&mut self, node: &Node<'_>, runs: &[Run], above: &IndexMap<String, Metric>) -> Option<Metric> {
        let accepted =
            "{ at = \"label\", value = \"mem_stats.HeapAlloc\" }, or { percent = [\"part\", \"whole\"] }";
        let mut table = node.table(accepted, &mut self.log)?;
        for (key, how) in
            [("minus", How::Minus), ("sum", How::Sum), ("ratio", How::Ratio), ("percent", How::Percent)]
        {
            if let Some(of) = table.take(key) {
                table.finish(&mut self.log);
                return self.made(&of, how, above);
            }
        }
        let run = match table.take("run") {
            Some(node) => self.run_of(&node, runs),
            None => Some(0),
        };
        let at = match table.take("at") {
            Some(node) => Some(node.text("the label of a snapshot", &mut self.log)?.to_owned()),
            None => None,
        };
        let value_node = table.need("value", "a path such as \"mem_stats.HeapAlloc\"", &mut self.log);
        table.finish(&mut self.log);
        let value_node = value_node?;
        let value = value_node.text("a path such as \"mem_stats.HeapAlloc\"", &mut self.log)?;
        let known = if at.is_some() { metric::snapshot_paths() } else { metric::run_paths() };
        if !known.iter().any(|path| path == value) {
            let whose = if at.is_some() { "a snapshot" } else { "a run (without \"at\")" };
            let reason = format!("{whose} has no number \"{value}\"");
            value_node.wrong(reason, &suggestion(value, known.iter().map(String::as_str)), &mut self.log);
            return None;
        }
        Some(Metric::Place { run: run?, at, value: value.to_owned(), unit: metric::unit_of(value) })
    }

    fn made(&mut self, node: &Node<'_>, how: How, above: &IndexMap<String, Metric>) -> Option<Metric> {
        let accepted = "a list of two metrics that stand above, or more for a sum";
        let names = node.array(accepted, &mut self.log)?;
        if names.len() < 2 || (how != How::Sum && names.len() > 2) {
            node.wrong(format!("a list of {}", names.len()), accepted, &mut self.log);
            return None;
        }
        let mut of = Vec::new();
        for name_node in &names {
            let name = name_node.text(accepted, &mut self.log)?;
            let Some(index) = above.get_index_of(name) else {
                let known = suggestion(name, above.keys().map(String::as_str));
                name_node.wrong(format!("no metric \"{name}\" stands above"), &known, &mut self.log);
                return None;
            };
            of.push(index);
        }
        let unit = above[of[0]].unit();
        if let Some(other) = of.iter().map(|index| above[*index].unit()).find(|other| *other != unit) {
            let reason = format!("{} and {} do not go together", unit.name(), other.name());
            node.wrong(reason, "metrics that count the same", &mut self.log);
            return None;
        }
        let unit = match how {
            How::Minus | How::Sum => unit,
            How::Ratio => Unit::Times,
            How::Percent => Unit::Percent,
        };
        Some(Metric::Made { how, of, unit })
    }

    fn prediction(&mut self, node: &Node<'_>, metrics: &IndexMap<String, Metric>) -> Option<Prediction> {
        let accepted = "choices with the right one, or a number with its unit and tolerance_percent";
        let mut table = node.table(accepted, &mut self.log)?;
        if let Some(number) = table.take("number") {
            return self.number(&number, table, metrics);
        }
        let right = table.need("right", "the key of the right choice, or a number to predict", &mut self.log);
        let choices_node = table.need("choices", "[prediction.choices] key = \"condition\"", &mut self.log);
        table.finish(&mut self.log);
        let choices_node = choices_node?;
        let entries = choices_node.table(accepted, &mut self.log)?.into_entries();
        if !CHOICES.contains(&entries.len()) {
            let accepted = format!("{} to {} choices", CHOICES.start(), CHOICES.end());
            choices_node.wrong(format!("{} choices", entries.len()), &accepted, &mut self.log);
            return None;
        }
        let mut choices = IndexMap::new();
        for entry in entries {
            if entry.name.len() < 2 || entry.name != entry.name.to_lowercase() {
                let reason = format!("\"{}\" cannot be a choice's key", entry.name);
                let accepted = "a word in small letters: single letters are for answering";
                self.log.report(entry.name_span.clone(), &entry.node.path, reason, accepted);
            }
            if let Some(condition) = self.condition(&entry.node, metrics) {
                choices.insert(entry.name, condition);
            }
        }
        let right_node = right?;
        let key = right_node.text("the key of the right choice", &mut self.log)?;
        let Some(right) = choices.get_index_of(key) else {
            let known = suggestion(key, choices.keys().map(String::as_str));
            right_node.wrong(format!("there is no choice \"{key}\""), &known, &mut self.log);
            return None;
        };
        Some(Prediction::Choice { right, choices })
    }

    fn number(
        &mut self,
        number: &Node<'_>,
        mut table: Table<'_>,
        metrics: &IndexMap<String, Metric>,
    ) -> Option<Prediction> {
        let unit_node = table.need("unit", "the unit of an answer, such as \"MiB\"", &mut self.log);
        let tolerance = table.need("tolerance_percent", "how far off is still right: 20", &mut self.log);
        table.finish(&mut self.log);
        let tolerance_percent = tolerance.and_then(|node| node.number(0.0, 100.0, &mut self.log));
        let name = number.text("the name of a metric", &mut self.log)?;
        let Some((metric, _, known)) = metrics.get_full(name) else {
            let known = suggestion(name, metrics.keys().map(String::as_str));
            number.wrong(format!("there is no metric \"{name}\""), &known, &mut self.log);
            return None;
        };
        let fitting = ANSWER_UNITS.map(|unit| (unit.0, unit));
        let fitting: Vec<_> =
            fitting.into_iter().filter(|(_, (_, counts, _))| *counts == known.unit()).collect();
        let unit = unit_node?.choice(&fitting, &mut self.log);
        Some(Prediction::Number { metric, unit: unit?, tolerance_percent: tolerance_percent? })
    }

    fn checks(
        &mut self,
        node: Option<&Node<'_>>,
        metrics: &IndexMap<String, Metric>,
    ) -> Option<Vec<Condition>> {
        let Some(node) = node else { return Some(Vec::new()) };
        let list = node.array("a list of conditions", &mut self.log)?;
        let conditions: Vec<Option<Condition>> =
            list.iter().map(|node| self.condition(node, metrics)).collect();
        conditions.into_iter().collect()
    }

    fn condition(&mut self, node: &Node<'_>, metrics: &IndexMap<String, Metric>) -> Option<Condition> {
        let text = node.text("a condition such as \"deleted > 0.95 * full\"", &mut self.log)?;
        match Condition::parse(text, metrics) {
            Ok(condition) => Some(condition),
            Err(mistake) => {
                let span = node.part_span(mistake.span);
                self.log.report(span, &node.path, mistake.reason, &mistake.accepted);
                None
            }
        }
    }

    fn sources(&mut self, node: &Node<'_>) -> Option<Vec<Source>> {
        let list = node.array("a list of tables: [[sources]]", &mut self.log)?;
        if list.is_empty() {
            node.wrong("there are no sources", "at least one: [[sources]]", &mut self.log);
        }
        list.iter().map(|node| self.source(node)).collect()
    }

    fn source(&mut self, node: &Node<'_>) -> Option<Source> {
        let accepted = "{ file = \"runtime/map.go\", go = \"1.23.9\", about = \"...\" } or { url = \"https://...\", about = \"...\" }";
        let mut table = node.table(accepted, &mut self.log)?;
        let about = table.need("about", "what to look for there", &mut self.log);
        let file = table.take("file");
        let (title, url) = match file {
            Some(file) => {
                let go = table.need("go", "a release in full, such as \"1.23.9\"", &mut self.log)?;
                let go = go.text("a release in full, such as \"1.23.9\"", &mut self.log)?;
                let file = file.text("a file of Go's source below src", &mut self.log)?;
                let url = format!("https://github.com/golang/go/blob/go{go}/src/{file}");
                (format!("{file} (Go {go})"), url)
            }
            None => {
                let node = table.need("url", accepted, &mut self.log)?;
                let url = node.text("an address", &mut self.log)?;
                if !url.starts_with("https://") {
                    node.wrong(format!("\"{url}\" is no address"), "https://...", &mut self.log);
                }
                (url.to_owned(), url.to_owned())
            }
        };
        table.finish(&mut self.log);
        let about = about?.text("what to look for there", &mut self.log)?.to_owned();
        Some(Source { title, url, about })
    }
}

fn whole(node: &Node<'_>, most: u32, log: &mut Log) -> Option<u32> {
    node.whole(1..=u64::from(most), log).map(|number| number as u32)
}

fn yes_or_no(node: &Node<'_>, log: &mut Log) -> Option<bool> {
    match node.value {
        DeValue::Boolean(value) => Some(*value),
        _ => {
            node.wrong_kind("true or false", log);
            None
        }
    }
}

/// `100` or `"off"`.
fn gogc(node: &Node<'_>, log: &mut Log) -> Option<Gogc> {
    match node.as_text() {
        Some(text) => node.parsed(text, log),
        None => {
            node.whole(0..=u64::from(GOGC_LIMIT_PERCENT), log).map(|percent| Gogc::Percent(percent as u32))
        }
    }
}
