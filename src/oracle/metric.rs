//! What is compared: every metric with its class, its tolerance, and where its value comes from.
//!
//! Two classes. **Exact** metrics are what Go computes: bytes and objects allocated, freed and marked, address space,
//! goals. Real Go gives the same number every time, up to a few objects of its own, and the simulation has to give it.
//! **Timing** metrics depend on when things happen: how far a heap overshoots, what the scavenger has given back by a certain
//! millisecond. Real Go varies there from run to run, and the simulation has to be near.

use serde::{Deserialize, Serialize};

use super::measured::Moment;
use super::moments::After;
use crate::trace::{MemStats, Summary};
use crate::units::{KIB, MIB, MILLISECOND_NS};

/// How strictly a metric is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Go computes it.
    Exact,
    /// It depends on when things happen.
    Timing,
    /// Exact by its nature, but the real runs differ by more than the exact tolerance: judged as timing.
    RealVaries,
}

impl Class {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Class::Exact => "exact",
            Class::Timing => "timing",
            Class::RealVaries => "varies",
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// Nanoseconds.
    Nanoseconds,
    /// A part of one.
    Share,
}

/// How far a simulated number may be from the real one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Share of the real median.
    pub share: f64,
    /// And at least so much, in the metric's unit: below this, a difference means nothing.
    pub floor: f64,
    /// And on top of both: what the process has of its own.
    pub base: f64,
}

/// Bytes that Go computes. The base: the runtime's own few objects differ from one start of a program to the next.
const EXACT_BYTES: Tolerance = Tolerance { share: 0.001, floor: 0.0, base: 64.0 * KIB as f64 };
/// Objects that Go counts. The base: a process has some hundred objects of its own before and while `main` runs.
const EXACT_COUNT: Tolerance = Tolerance { share: 0.001, floor: 0.0, base: 1000.0 };
const EXACT_FACT: Tolerance = Tolerance { share: 0.0, floor: 0.0, base: 0.0 };
const TIMING_BYTES: Tolerance = Tolerance { share: 0.1, floor: MIB as f64, base: 0.0 };
const TIMING_COUNT: Tolerance = Tolerance { share: 0.1, floor: 1000.0, base: 0.0 };
const TIMING_CYCLES: Tolerance = Tolerance { share: 0.1, floor: 1.0, base: 0.0 };
/// The floor is one percentage point.
const TIMING_CPU: Tolerance = Tolerance { share: 0.1, floor: 0.01, base: 0.0 };
/// The floor is a scheduling delay.
const TIMING_LATENCY: Tolerance = Tolerance { share: 0.1, floor: 20_000.0, base: 0.0 };
/// The floor is what starting a process takes.
const TIMING_TOTAL: Tolerance = Tolerance { share: 0.1, floor: 2.0 * MILLISECOND_NS as f64, base: 0.0 };

/// A metric without its value.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// As reports call it; fields of `runtime.MemStats` have Go's names.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// By its nature.
    pub class: Class,
    /// When judged exact.
    pub exact: Tolerance,
    /// When judged as timing.
    pub timing: Tolerance,
}

impl Metric {
    const fn exact(name: &'static str, unit: Unit) -> Metric {
        let (exact, timing) = match unit {
            Unit::Bytes => (EXACT_BYTES, TIMING_BYTES),
            _ => (EXACT_COUNT, TIMING_COUNT),
        };
        Metric { name, unit, class: Class::Exact, exact, timing }
    }

    const fn timing(name: &'static str, unit: Unit, timing: Tolerance) -> Metric {
        Metric { name, unit, class: Class::Timing, exact: EXACT_FACT, timing }
    }
}

/// What a snapshot says, real or simulated.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    /// `runtime.MemStats`.
    pub stats: &'r MemStats,
    /// Resident bytes.
    pub rss_bytes: u64,
}

type FromRow = fn(&Row) -> u64;

/// The metrics of a snapshot and where each value is found.
pub fn of_snapshot(after: After) -> Vec<(Metric, FromRow)> {
    let collected = after != After::Work;
    let mut metrics: Vec<(Metric, FromRow)> = vec![
        (Metric::exact("TotalAlloc", Unit::Bytes), |row| row.stats.total_alloc),
        (Metric::exact("Mallocs", Unit::Count), |row| row.stats.mallocs),
        (Metric::exact("HeapSys", Unit::Bytes), |row| row.stats.heap_sys),
    ];
    if collected {
        metrics.extend::<[(Metric, FromRow); 4]>([
            (Metric::exact("bytes freed", Unit::Bytes), |row| {
                row.stats.total_alloc.saturating_sub(row.stats.heap_alloc)
            }),
            (Metric::exact("HeapAlloc", Unit::Bytes), |row| row.stats.heap_alloc),
            (Metric::exact("NextGC", Unit::Bytes), |row| row.stats.next_gc),
            (Metric::exact("HeapObjects", Unit::Count), |row| row.stats.heap_objects),
        ]);
    } else {
        metrics.extend::<[(Metric, FromRow); 2]>([
            (Metric::timing("HeapAlloc", Unit::Bytes, TIMING_BYTES), |row| row.stats.heap_alloc),
            (Metric::timing("Frees", Unit::Count, TIMING_COUNT), |row| row.stats.frees),
        ]);
    }
    let released = match after {
        After::Release => Metric::exact("HeapReleased", Unit::Bytes),
        _ => Metric::timing("HeapReleased", Unit::Bytes, TIMING_BYTES),
    };
    metrics.push((released, |row| row.stats.heap_released));
    metrics.push((Metric::timing("RSS", Unit::Bytes, TIMING_BYTES), |row| row.rss_bytes));
    metrics
}

/// A whole run, real or simulated.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'w> {
    /// Its totals.
    pub summary: &'w Summary,
    /// Resident memory over time.
    pub moments: &'w [Moment],
    /// Time that the program sleeps.
    pub sleep_ns: u64,
    /// Whether the container's limit killed it.
    pub is_killed: bool,
}

type FromWhole = fn(&Whole) -> Option<f64>;

/// Whether the container's limit killed the process.
pub const OOM_KILL: (Metric, FromWhole) = (
    Metric {
        name: "OOM kill",
        unit: Unit::Count,
        class: Class::Exact,
        exact: EXACT_FACT,
        timing: EXACT_FACT,
    },
    |whole| Some(f64::from(u8::from(whole.is_killed))),
);

/// The metrics of a whole run and where each value is found. `every_ns` is how often memory was looked at.
pub fn of_run(every_ns: u64) -> Vec<(Metric, FromWhole)> {
    let to_release = Tolerance { share: 0.1, floor: 2.0 * every_ns as f64, base: 0.0 };
    vec![
        (Metric::timing("NumGC", Unit::Count, TIMING_CYCLES), |whole| Some(f64::from(whole.summary.num_gc))),
        (Metric::timing("peak HeapAlloc", Unit::Bytes, TIMING_BYTES), |whole| {
            Some(whole.summary.peak_heap_alloc_bytes as f64)
        }),
        (Metric::timing("peak RSS", Unit::Bytes, TIMING_BYTES), |whole| {
            Some(whole.summary.peak_rss_bytes as f64)
        }),
        (Metric::timing("final RSS", Unit::Bytes, TIMING_BYTES), |whole| {
            Some(whole.summary.final_rss_bytes as f64)
        }),
        (Metric::timing("time to release", Unit::Nanoseconds, to_release), |whole| {
            time_to_release_ns(whole.moments).map(|ns| ns as f64)
        }),
        (Metric::timing("GC CPU", Unit::Share, TIMING_CPU), |whole| Some(whole.summary.gc_cpu_fraction)),
        (Metric::timing("total time", Unit::Nanoseconds, TIMING_TOTAL), |whole| {
            Some(whole.summary.duration_ns.saturating_sub(whole.sleep_ns) as f64)
        }),
        (Metric::timing("P50 latency", Unit::Nanoseconds, TIMING_LATENCY), |whole| {
            whole.summary.latency.map(|latency| latency.p50_ns as f64)
        }),
        (Metric::timing("P99 latency", Unit::Nanoseconds, TIMING_LATENCY), |whole| {
            whole.summary.latency.map(|latency| latency.p99_ns as f64)
        }),
    ]
}

/// When resident memory had fallen half the way from its peak to its end, in nanoseconds since the start; `None` when it
/// ends less than a fifth below its peak.
fn time_to_release_ns(moments: &[Moment]) -> Option<u64> {
    let last = moments.last()?;
    let (peak_index, peak) = moments.iter().enumerate().rev().max_by_key(|(_, moment)| moment.rss_bytes)?;
    if last.rss_bytes as f64 > 0.8 * peak.rss_bytes as f64 {
        return None;
    }
    let half = last.rss_bytes + (peak.rss_bytes - last.rss_bytes) / 2;
    moments[peak_index..].iter().find(|moment| moment.rss_bytes < half).map(|moment| moment.t_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(rss: &[u64]) -> Vec<Moment> {
        let moment =
            |(t, rss): (usize, &u64)| Moment { t_ns: 10 * t as u64, heap_alloc_bytes: None, rss_bytes: *rss };
        rss.iter().enumerate().map(moment).collect()
    }

    #[test]
    fn release_is_half_the_way_down_from_the_peak() {
        assert_eq!(time_to_release_ns(&moments(&[1, 100, 100, 90, 56, 40, 10])), Some(50));
        assert_eq!(time_to_release_ns(&moments(&[1, 100, 85])), None);
        assert_eq!(time_to_release_ns(&[]), None);
        assert_eq!(time_to_release_ns(&moments(&[5])), None);
    }

    #[test]
    fn what_is_exact_depends_on_what_the_program_did_last() {
        let class = |after, name: &str| {
            let metrics = of_snapshot(after);
            metrics.iter().find(|(metric, _)| metric.name == name).map(|(metric, _)| metric.class)
        };
        assert_eq!(class(After::Work, "HeapAlloc"), Some(Class::Timing));
        assert_eq!(class(After::Collection, "HeapAlloc"), Some(Class::Exact));
        assert_eq!(class(After::Collection, "HeapReleased"), Some(Class::Timing));
        assert_eq!(class(After::Release, "HeapReleased"), Some(Class::Exact));
        assert_eq!(class(After::Work, "NextGC"), None);
        assert_eq!(class(After::Work, "Mallocs"), Some(Class::Exact));
    }
}
