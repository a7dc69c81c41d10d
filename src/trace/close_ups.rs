//! Close-ups: what a run records beside its trace when pictures need more than sizes over time.
//!
//! They cost time and room - a page map looks at every page - so a run takes them only when it is asked to. They change nothing:
//! the trace of a run with close-ups is that of the run without.
//!
//! | what | when |
//! |---|---|
//! | page map, size classes, every `map` variable | at each snapshot |
//! | page map (the *film*) | at an interval that doubles as a step goes on, at most [`CloseUps::MOST_FRAMES`] in all |
//! | pauses and assists | always, as histograms |

use serde::{Deserialize, Serialize};

use super::map_xray::MapXray;
use super::page_map::PageMap;
use super::{Latencies, Trace};

/// The page map of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageFrame {
    /// Virtual time in nanoseconds.
    pub t_ns: u64,
    /// The label of the snapshot; empty in the film.
    pub label: String,
    /// HeapAlloc in bytes.
    pub heap_alloc_bytes: u64,
    /// Resident set size in bytes.
    pub rss_bytes: u64,
    /// The pages.
    pub pages: PageMap,
}

/// The spans of one size class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeClassRow {
    /// Bytes of a slot; 0 stands for objects above 32 KiB, each in a span of its own.
    pub elem_bytes: u64,
    /// Spans.
    pub spans: u64,
    /// Bytes of the spans: the sum of the four below.
    pub span_bytes: u64,
    /// Slots with an object, reachable or not yet swept.
    pub objects: u64,
    /// Bytes of those slots.
    pub object_bytes: u64,
    /// Bytes of free slots.
    pub free_slot_bytes: u64,
    /// Bytes that hold no slot: pointer bitmaps, mark bits and what is left over at the end of a span.
    pub tail_bytes: u64,
}

/// Spans by size class at one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeClasses {
    /// The snapshot.
    pub label: String,
    /// Virtual time in nanoseconds.
    pub t_ns: u64,
    /// One row for each size class in use, smallest slots first, large objects last.
    pub rows: Vec<SizeClassRow>,
}

/// Lengths of time, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations {
    /// How many.
    pub count: u64,
    /// Half of them were at most so long, in nanoseconds.
    pub p50_ns: u64,
    /// 99 of 100 were at most so long, in nanoseconds.
    pub p99_ns: u64,
    /// The longest in nanoseconds.
    pub max_ns: u64,
    /// The sum in nanoseconds.
    pub total_ns: u64,
    /// The shortest duration of a bin in nanoseconds, and how many fell into it, shortest first. Bins are at most 1.6 % wide.
    pub bins: Vec<(u64, u64)>,
}

/// Durations that are being counted.
#[derive(Clone, Debug, Default)]
pub struct DurationCounter {
    latencies: Latencies,
    total_ns: u64,
}

impl DurationCounter {
    /// Counts one.
    pub fn add(&mut self, ns: u64) {
        self.latencies.add(ns);
        self.total_ns += ns;
    }

    /// What was counted.
    pub fn durations(&self) -> Durations {
        let Some(latency) = self.latencies.latency() else { return Durations::default() };
        Durations {
            count: latency.requests,
            p50_ns: latency.p50_ns,
            p99_ns: latency.p99_ns,
            max_ns: latency.max_ns,
            total_ns: self.total_ns,
            bins: self.latencies.bins(),
        }
    }
}

/// Everything beyond the trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloseUps {
    /// The page map at each snapshot, in order.
    pub moments: Vec<PageFrame>,
    /// Page maps over the run, in order.
    pub film: Vec<PageFrame>,
    /// Size classes at each snapshot, in order.
    pub size_classes: Vec<SizeClasses>,
    /// Every map at each snapshot, in order.
    pub maps: Vec<MapXray>,
    /// How long the world stood still, each time.
    pub pauses: Durations,
    /// How long goroutines were held up by assists, each time: marking and waiting for others to mark.
    pub assists: Durations,
}

impl CloseUps {
    /// Most page maps in the film.
    pub const MOST_FRAMES: usize = 192;
}

/// A run as it is saved: the trace, and the close-ups if they were taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// The run.
    pub trace: Trace,
    /// What was looked at more closely.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub close_ups: Option<CloseUps>,
}

impl From<Trace> for Recording {
    fn from(trace: Trace) -> Recording {
        Recording { trace, close_ups: None }
    }
}
