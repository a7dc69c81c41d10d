//! What a run records: the one thing that tables, charts and exports read.
//!
//! A [`Trace`] is complete and self-describing: the configuration, the scenario's own words, samples over virtual
//! time, every GC cycle, every labelled snapshot and the summary. Nothing that reads a trace recomputes a model
//! quantity; if a chart needs a number, the number is recorded here.

mod close_ups;
mod cycle;
mod gctrace;
mod latency;
mod map_xray;
mod mem_stats;
mod page_map;
mod sample;
pub mod saved;

pub use close_ups::{CloseUps, DurationCounter, Durations, PageFrame, Recording, SizeClassRow, SizeClasses};
pub use cycle::{Cycle, CycleKind};
pub use gctrace::{gctrace, gctrace_lines};
pub use latency::{Latencies, Latency};
pub use map_xray::{MapArray, MapDesign, MapShard, MapXray, SlotCounts, SlotState, Slots, SlotsError};
pub use mem_stats::MemStats;
pub use page_map::{Backing, PageMap, PageMapError, PageRun, PageState, PageUse};
pub use sample::{RssLedger, Sample};

use serde::{Deserialize, Serialize};

/// Everything one simulated process did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trace {
    /// The scenario's file stem: `delete-million`.
    pub name: String,
    /// The scenario's title.
    pub title: String,
    /// The question the scenario answers.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// The settings of this run.
    pub config: Config,
    /// The state of memory over time, in time order, never more than a few thousand.
    pub samples: Vec<Sample>,
    /// Every GC cycle, in order.
    pub cycles: Vec<Cycle>,
    /// The labelled rows the scenario asked for, in order.
    pub snapshots: Vec<Snapshot>,
    /// When each top-level step began and what it was, in order: the names along the top of a chart.
    pub steps: Vec<StepMark>,
    /// Set when the container limit killed the process; the trace ends there.
    pub oom_kill: Option<OomKill>,
    /// Totals of the run.
    pub summary: Summary,
}

/// The settings of a run, after flags have overridden the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Simulated Go release, `"1.23"`.
    pub go: String,
    /// GOGC in percent; `None` is `off`.
    pub gogc_percent: Option<u32>,
    /// GOMEMLIMIT in bytes; `None` is `off`.
    pub memory_limit_bytes: Option<u64>,
    /// GOMAXPROCS.
    pub procs: u32,
    /// Processor cores of the simulated machine.
    pub cores: u32,
    /// Seed of everything random.
    pub seed: u64,
    /// Whether pages go back with MADV_DONTNEED (`true`) or MADV_FREE.
    pub madvdontneed: bool,
    /// The container's memory limit in bytes; crossing it is an OOM kill.
    pub machine_memory_bytes: Option<u64>,
    /// Name of the cost profile: what work costs. `go1.23` and the like are built in.
    pub cost_profile: String,
}

impl Config {
    /// `"100"` or `"off"`, as GOGC is written.
    pub fn gogc_text(&self) -> String {
        self.gogc_percent.map_or_else(|| "off".to_owned(), |percent| percent.to_string())
    }
}

/// A labelled MemStats and RSS row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// The scenario's label for this moment.
    pub label: String,
    /// Virtual time since process start in nanoseconds.
    pub t_ns: u64,
    /// Resident set size in bytes (VmRSS).
    pub rss_bytes: u64,
    /// Who owns each resident byte.
    pub rss_ledger: RssLedger,
    /// What `runtime.ReadMemStats` would report.
    pub mem_stats: MemStats,
    /// Of the requests of the last `serve` before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub latency: Option<Latency>,
}

/// The beginning of a top-level step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepMark {
    /// Virtual time in nanoseconds at which the step began.
    pub t_ns: u64,
    /// The step in a few words: `insert 1,000,000 keys into sessions`.
    pub label: String,
}

/// The kernel killed the process for crossing its container limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OomKill {
    /// Virtual time of the kill in nanoseconds.
    pub t_ns: u64,
    /// Resident bytes at that moment.
    pub rss_bytes: u64,
    /// The limit that was crossed.
    pub limit_bytes: u64,
    /// The step that was running.
    pub step: String,
}

/// Totals of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Virtual time from start to end of the scenario in nanoseconds.
    pub duration_ns: u64,
    /// Completed GC cycles.
    pub num_gc: u32,
    /// Highest HeapAlloc seen, in bytes.
    pub peak_heap_alloc_bytes: u64,
    /// Highest RSS seen, in bytes.
    pub peak_rss_bytes: u64,
    /// RSS at the end, in bytes.
    pub final_rss_bytes: u64,
    /// Bytes allocated over the whole run (TotalAlloc).
    pub total_alloc_bytes: u64,
    /// Share of available CPU time spent in GC since start (GCCPUFraction), 0 to 1.
    pub gc_cpu_fraction: f64,
    /// CPU time of assists in nanoseconds.
    pub assist_cpu_ns: u64,
    /// CPU time of dedicated and fractional mark workers in nanoseconds.
    pub background_mark_cpu_ns: u64,
    /// CPU time of idle-priority mark workers in nanoseconds.
    pub idle_mark_cpu_ns: u64,
    /// Sum of stop-the-world pauses in nanoseconds of wall time.
    pub pause_total_ns: u64,
    /// Longest single stop-the-world pause in nanoseconds.
    pub max_pause_ns: u64,
    /// 99 of 100 assists held their goroutine up for at most so long, marking and waiting, in nanoseconds; none without an assist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_assist_ns: Option<u64>,
    /// Bytes of memory returned to the operating system over the run.
    pub scavenged_bytes: u64,
    /// Of the requests of the last `serve`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}
