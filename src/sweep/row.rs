//! One run as a row of a table: every setting, every outcome.
//!
//! The same columns go to CSV and to Parquet. In CSV an empty field is no value: GOGC off, no limit, no requests. Numbers are
//! written so that reading them gives the same bits.

use serde::{Deserialize, Serialize};

use super::set::Set;
use crate::scenario::{RunError, RunSettings};
use crate::trace::{Config, Cycle, Trace};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It came to its end.
    Done,
    /// The container's limit killed it; numbers are those of the time before.
    Oom,
    /// The simulation gave up.
    Error,
    /// The simulation broke.
    Panic,
}

impl Outcome {
    /// `done`, `oom`, `error`, `panic`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Oom => "oom",
            Outcome::Error => "error",
            Outcome::Panic => "panic",
        }
    }

    /// Whether there are numbers.
    pub fn has_numbers(self) -> bool {
        matches!(self, Outcome::Done | Outcome::Oom)
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Number of the run in the grid, from 0.
    pub run: u64,
    /// The scenario's file stem.
    pub scenario: String,
    /// Simulated Go release.
    pub go: String,
    /// GOGC in percent; none is off.
    pub gogc_percent: Option<u64>,
    /// GOMEMLIMIT in bytes; none is off.
    pub memory_limit_bytes: Option<u64>,
    /// GOMAXPROCS.
    pub procs: u64,
    /// Processor cores of the machine.
    pub cores: u64,
    /// The container's limit in bytes.
    pub machine_memory_bytes: Option<u64>,
    /// 1 for MADV_DONTNEED, 0 for MADV_FREE.
    pub madvdontneed: u64,
    /// Name of the cost profile.
    pub cost_profile: String,
    /// Repetition of this combination, from 0.
    pub repetition: u64,
    /// Seed of the run: `gclab run --seed` repeats it.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, if not done.
    pub message: Option<String>,
    /// Virtual time from start to end in nanoseconds.
    pub duration_ns: Option<u64>,
    /// Completed GC cycles.
    pub num_gc: Option<u64>,
    /// Highest HeapAlloc in bytes.
    pub peak_heap_alloc_bytes: Option<u64>,
    /// Highest RSS in bytes.
    pub peak_rss_bytes: Option<u64>,
    /// RSS at the end in bytes.
    pub final_rss_bytes: Option<u64>,
    /// Bytes allocated.
    pub total_alloc_bytes: Option<u64>,
    /// GCCPUFraction, 0 to 1.
    pub gc_cpu_fraction: Option<f64>,
    /// CPU time of assists in nanoseconds.
    pub assist_cpu_ns: Option<u64>,
    /// CPU time of dedicated and fractional workers in nanoseconds.
    pub background_mark_cpu_ns: Option<u64>,
    /// CPU time of idle-priority workers in nanoseconds.
    pub idle_mark_cpu_ns: Option<u64>,
    /// Sum of pauses in nanoseconds.
    pub pause_total_ns: Option<u64>,
    /// 99 of 100 pauses of collections were at most so long, in nanoseconds; none without a collection.
    pub p99_pause_ns: Option<u64>,
    /// The longest pause in nanoseconds.
    pub max_pause_ns: Option<u64>,
    /// In 99 of 100 collections assists took at most so much CPU time, in nanoseconds.
    pub p99_cycle_assist_ns: Option<u64>,
    /// 99 of 100 assists held their goroutine up for at most so long, in nanoseconds; none without an assist.
    pub p99_assist_ns: Option<u64>,
    /// Bytes given back to the system.
    pub scavenged_bytes: Option<u64>,
    /// Requests of the last `serve`.
    pub requests: Option<u64>,
    /// Half of them took at most so long, in nanoseconds.
    pub latency_p50_ns: Option<u64>,
    /// 99 of 100 of them, in nanoseconds.
    pub latency_p99_ns: Option<u64>,
    /// The longest, in nanoseconds.
    pub latency_max_ns: Option<u64>,
    /// What is set in the scenario file: a column for each key of the manifest's `set`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
}

/// How a column is stored, and where its value is.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// A whole number below 2^63.
    Whole(fn(&Row) -> Option<u64>),
    /// A real number.
    Real(fn(&Row) -> Option<f64>),
    /// A text.
    Text(fn(&Row) -> Option<&str>),
}

/// Every column by name, in the order of [`Row`]'s fields.
pub(super) const COLUMNS: [(&str, Column); 34] = [
    ("run", Column::Whole(|row| Some(row.run))),
    ("scenario", Column::Text(|row| Some(&row.scenario))),
    ("go", Column::Text(|row| Some(&row.go))),
    ("gogc_percent", Column::Whole(|row| row.gogc_percent)),
    ("memory_limit_bytes", Column::Whole(|row| row.memory_limit_bytes)),
    ("procs", Column::Whole(|row| Some(row.procs))),
    ("cores", Column::Whole(|row| Some(row.cores))),
    ("machine_memory_bytes", Column::Whole(|row| row.machine_memory_bytes)),
    ("madvdontneed", Column::Whole(|row| Some(row.madvdontneed))),
    ("cost_profile", Column::Text(|row| Some(&row.cost_profile))),
    ("repetition", Column::Whole(|row| Some(row.repetition))),
    ("seed", Column::Whole(|row| Some(row.seed))),
    ("outcome", Column::Text(|row| Some(row.outcome.name()))),
    ("message", Column::Text(|row| row.message.as_deref())),
    ("duration_ns", Column::Whole(|row| row.duration_ns)),
    ("num_gc", Column::Whole(|row| row.num_gc)),
    ("peak_heap_alloc_bytes", Column::Whole(|row| row.peak_heap_alloc_bytes)),
    ("peak_rss_bytes", Column::Whole(|row| row.peak_rss_bytes)),
    ("final_rss_bytes", Column::Whole(|row| row.final_rss_bytes)),
    ("total_alloc_bytes", Column::Whole(|row| row.total_alloc_bytes)),
    ("gc_cpu_fraction", Column::Real(|row| row.gc_cpu_fraction)),
    ("assist_cpu_ns", Column::Whole(|row| row.assist_cpu_ns)),
    ("background_mark_cpu_ns", Column::Whole(|row| row.background_mark_cpu_ns)),
    ("idle_mark_cpu_ns", Column::Whole(|row| row.idle_mark_cpu_ns)),
    ("pause_total_ns", Column::Whole(|row| row.pause_total_ns)),
    ("p99_pause_ns", Column::Whole(|row| row.p99_pause_ns)),
    ("max_pause_ns", Column::Whole(|row| row.max_pause_ns)),
    ("p99_cycle_assist_ns", Column::Whole(|row| row.p99_cycle_assist_ns)),
    ("p99_assist_ns", Column::Whole(|row| row.p99_assist_ns)),
    ("scavenged_bytes", Column::Whole(|row| row.scavenged_bytes)),
    ("requests", Column::Whole(|row| row.requests)),
    ("latency_p50_ns", Column::Whole(|row| row.latency_p50_ns)),
    ("latency_p99_ns", Column::Whole(|row| row.latency_p99_ns)),
    ("latency_max_ns", Column::Whole(|row| row.latency_max_ns)),
];

impl Row {
    /// The row of a run that is still to come.
    fn of_settings(run: u64, repetition: u32, scenario: &str, settings: &RunSettings) -> Row {
        let config = settings.config();
        let Config { go, gogc_percent, memory_limit_bytes, procs, cores, seed, .. } = config;
        Row {
            run,
            scenario: scenario.to_owned(),
            go,
            gogc_percent: gogc_percent.map(u64::from),
            memory_limit_bytes,
            procs: u64::from(procs),
            cores: u64::from(cores),
            machine_memory_bytes: config.machine_memory_bytes,
            madvdontneed: u64::from(config.madvdontneed),
            cost_profile: config.cost_profile,
            repetition: u64::from(repetition),
            seed,
            outcome: Outcome::Error,
            message: None,
            duration_ns: None,
            num_gc: None,
            peak_heap_alloc_bytes: None,
            peak_rss_bytes: None,
            final_rss_bytes: None,
            total_alloc_bytes: None,
            gc_cpu_fraction: None,
            assist_cpu_ns: None,
            background_mark_cpu_ns: None,
            idle_mark_cpu_ns: None,
            pause_total_ns: None,
            p99_pause_ns: None,
            max_pause_ns: None,
            p99_cycle_assist_ns: None,
            p99_assist_ns: None,
            scavenged_bytes: None,
            requests: None,
            latency_p50_ns: None,
            latency_p99_ns: None,
            latency_max_ns: None,
            set: Vec::new(),
        }
    }

    /// The row of run number `run`. `result` is the trace, or why there is none; a panic is its message.
    pub(super) fn new(
        run: u64,
        repetition: u32,
        scenario: &str,
        settings: &RunSettings,
        result: Result<Result<Trace, RunError>, String>,
    ) -> Row {
        let row = Row::of_settings(run, repetition, scenario, settings);
        match result {
            Ok(Ok(trace)) => row.with(&trace),
            Ok(Err(error)) => Row { message: Some(one_line(&error.to_string())), ..row },
            Err(message) => Row { outcome: Outcome::Panic, message: Some(one_line(&message)), ..row },
        }
    }

    fn with(self, trace: &Trace) -> Row {
        let summary = &trace.summary;
        let kill = trace.oom_kill.as_ref();
        let latency = summary.latency;
        let pauses = trace.cycles.iter().flat_map(Cycle::pauses_ns).collect();
        Row {
            outcome: if kill.is_some() { Outcome::Oom } else { Outcome::Done },
            message: kill.map(|kill| one_line(&format!("killed in step: {}", kill.step))),
            duration_ns: Some(summary.duration_ns),
            num_gc: Some(u64::from(summary.num_gc)),
            peak_heap_alloc_bytes: Some(summary.peak_heap_alloc_bytes),
            // What crossed the limit was resident, however briefly.
            peak_rss_bytes: Some(kill.map_or(0, |kill| kill.rss_bytes).max(summary.peak_rss_bytes)),
            final_rss_bytes: Some(summary.final_rss_bytes),
            total_alloc_bytes: Some(summary.total_alloc_bytes),
            gc_cpu_fraction: Some(summary.gc_cpu_fraction),
            assist_cpu_ns: Some(summary.assist_cpu_ns),
            background_mark_cpu_ns: Some(summary.background_mark_cpu_ns),
            idle_mark_cpu_ns: Some(summary.idle_mark_cpu_ns),
            pause_total_ns: Some(summary.pause_total_ns),
            p99_pause_ns: p99(pauses),
            max_pause_ns: Some(summary.max_pause_ns),
            p99_cycle_assist_ns: p99(trace.cycles.iter().map(|cycle| cycle.assist_cpu_ns).collect()),
            p99_assist_ns: summary.p99_assist_ns,
            scavenged_bytes: Some(summary.scavenged_bytes),
            requests: latency.map(|latency| latency.requests),
            latency_p50_ns: latency.map(|latency| latency.p50_ns),
            latency_p99_ns: latency.map(|latency| latency.p99_ns),
            latency_max_ns: latency.map(|latency| latency.max_ns),
            ..self
        }
    }

    /// The P99 that a reader asks for: of requests if there were any, else of pauses.
    pub fn p99_ns(&self) -> Option<u64> {
        self.latency_p99_ns.or(self.p99_pause_ns)
    }

    /// The row as a line of CSV with its line end.
    pub(super) fn to_line(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        writer.serialize(self).expect("a row is flat");
        writer.into_inner().expect("writing to memory")
    }

    /// Reads a line of CSV, with or without its line end.
    pub(super) fn from_line(line: &[u8]) -> Result<Row, String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
        let row = reader.deserialize().next().ok_or_else(|| "an empty line".to_owned())?;
        row.map_err(|error: csv::Error| error.to_string())
    }
}

/// The names of the columns, those of `sets` last, as a line of CSV with its line end.
pub(super) fn header(sets: &[Set]) -> String {
    let names = COLUMNS.iter().map(|(name, _)| *name).chain(sets.iter().map(|set| set.key.as_str()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(names).expect("names are texts");
    String::from_utf8(writer.into_inner().expect("writing to memory")).expect("names are UTF-8")
}

/// The names of the columns beyond those that every table has.
pub(super) fn set_keys(header: &csv::StringRecord) -> Vec<String> {
    header.iter().skip(COLUMNS.len()).map(str::to_owned).collect()
}

/// The least of `values` that 99 of 100 do not exceed.
fn p99(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    let rank = (values.len() * 99).div_ceil(100);
    values.get(rank.checked_sub(1)?).copied()
}

/// Most characters of a message in a row.
const MESSAGE_CHARS: usize = 300;

/// A row is a line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ").chars().take(MESSAGE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{self, Detail, Overrides, RunOptions, Scenario};

    const SIM: &str =
        "title='t'\nquestion='q'\nanswer='a'\nsteps=[{ garbage = { bytes = '64MiB', size = '1KiB' } }]\n";

    fn row(overrides: &Overrides) -> (Row, Trace) {
        let scenario = Scenario::parse("x.toml", SIM).unwrap();
        let settings = scenario.settings().overridden(overrides);
        let trace = scenario::run_with(&scenario, &settings, RunOptions::with(Detail::Totals)).unwrap().trace;
        (Row::new(7, 2, "x", &settings, Ok(Ok(trace.clone()))), trace)
    }

    #[test]
    fn csv_and_parquet_have_the_same_columns_and_reading_gives_the_same_bits() {
        let (row, _) = row(&Overrides::default());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(&row).unwrap();
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert_eq!(text.lines().next().unwrap(), header(&[]).trim_end());
        assert_eq!(text.lines().nth(1).unwrap().as_bytes(), row.to_line().trim_ascii_end());
        assert_eq!(Row::from_line(&row.to_line()), Ok(row));
    }

    #[test]
    fn what_is_set_is_the_last_columns() {
        let (row, _) = row(&Overrides::default());
        let row = Row { set: vec!["64KiB".to_owned(), "{ count = 5, below = 9 }".to_owned()], ..row };
        assert_eq!(Row::from_line(&row.to_line()), Ok(row));
        let sets = ["types.Session.size", "steps[0].insert.keys"]
            .map(|key| Set { key: key.to_owned(), values: vec!["1".to_owned()] });
        let header = header(&sets);
        assert!(header.ends_with("latency_max_ns,types.Session.size,steps[0].insert.keys\n"), "{header}");
        let names = csv::StringRecord::from(header.trim_end().split(',').collect::<Vec<_>>());
        assert_eq!(set_keys(&names), ["types.Session.size", "steps[0].insert.keys"]);
    }

    #[test]
    fn a_killed_run_has_a_peak_above_the_limit_and_says_where() {
        let small = Overrides { machine_memory_bytes: Some(4 << 20), ..Overrides::default() };
        let (row, _) = row(&small);
        assert_eq!(row.outcome, Outcome::Oom);
        assert!(row.peak_rss_bytes.unwrap() > 4 << 20 && row.message.unwrap().contains("garbage"));
    }

    #[test]
    fn a_broken_run_is_one_line_without_numbers() {
        let scenario = Scenario::parse("x.toml", SIM).unwrap();
        let broken = Row::new(0, 0, "x", &scenario.settings(), Err("left: 1\n\"right\", 2".to_owned()));
        assert_eq!((broken.outcome, broken.num_gc), (Outcome::Panic, None));
        let line = broken.to_line();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(Row::from_line(&line).unwrap().message.unwrap(), "left: 1 \"right\", 2");
    }

    #[test]
    fn pauses_of_all_collections_make_the_p99() {
        let (row, trace) = row(&Overrides::default());
        assert!(trace.cycles.len() > 5);
        let mut pauses: Vec<u64> = trace.cycles.iter().flat_map(Cycle::pauses_ns).collect();
        pauses.sort_unstable();
        let below = pauses.iter().filter(|pause| **pause <= row.p99_pause_ns.unwrap()).count();
        assert!(below * 100 >= pauses.len() * 99, "{below} of {}", pauses.len());
        assert!(row.p99_pause_ns.unwrap() <= row.max_pause_ns.unwrap() + 1, "cut to whole nanoseconds");
        assert_eq!(p99(Vec::new()), None);
        assert_eq!(p99((1..=200).collect()), Some(198));
    }
}
