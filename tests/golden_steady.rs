//! A live list of 64 MiB and 4 GiB of garbage: collections, peak and CPU against three runs of real Go 1.23.9.
//!
//! Goal: the median of five seeds within 10 % of the range that the measured runs span. How often a collector runs that marks
//! one list while another goroutine allocates is a matter of timing to the microsecond; real runs differ by 10 % among
//! themselves. At GOGC 100 about one seed in ten has a cycle that overshoots to 265 MiB; of 16 runs of real Go the highest
//! had 238 MiB.

mod golden_rows;

use gclab::scenario::{Gogc, MemoryLimit, Overrides};
use gclab::trace::{MemStats, Trace};

use golden_rows::{Comparison, Miss, Row, Within, mib, number, rows, shipped, simulate};

const TEN_PERCENT: Within = Within { share: 0.10, plus: 0.0 };
const HEAP: Within = Within { share: 0.001, plus: 64.0 / 1024.0 };

/// Who marks a list - the goroutine by assists, fractional or idle-priority workers, whose time does not count - hangs on
/// microseconds. Later runs of real Go on the same machine gave 0.34 at GOGC 50 and 0.07 at GOGC 200.
const fn cpu_miss(bound: f64) -> Miss {
    miss("end: GCCPUFraction", bound, "idle-priority workers get the list more often than in these runs")
}

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

const fn miss(what: &'static str, share: f64, why: &'static str) -> Miss {
    Miss { what, bound: Within { share, plus: 0.0 }, why }
}

/// The measured rows of one setting, by run.
fn measured(gogc: &str, memory_limit: &str) -> Vec<Vec<Row>> {
    let rows = rows("steady/steady.csv");
    (1..=3)
        .map(|run| {
            let of_run = |row: &&Row| {
                row["go"] == "1.23.9"
                    && row["gogc"] == gogc
                    && row["memory_limit"] == memory_limit
                    && row["run"] == run.to_string()
            };
            rows.iter().filter(of_run).cloned().collect()
        })
        .collect()
}

fn median(mut values: [f64; SEEDS.len()]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[SEEDS.len() / 2]
}

fn compare(gogc: &str, memory_limit: &str, misses: &'static [Miss]) {
    let measured = measured(gogc, memory_limit);
    let overrides = Overrides {
        gogc: Some(gogc.parse::<Gogc>().unwrap()),
        memory_limit: Some(memory_limit.parse::<MemoryLimit>().unwrap()),
        ..Overrides::default()
    };
    let with_seed = |seed| Overrides { seed: Some(seed), ..overrides.clone() };
    let scenario = shipped("steady-gogc.toml");
    let traces = SEEDS.map(|seed| simulate("steady", &scenario, &with_seed(seed)));
    let simulated = |value: &dyn Fn(&Trace) -> f64| median(traces.each_ref().map(value));
    let labelled = |label: &str, column: &str| -> Vec<f64> {
        let of_run = |run: &Vec<Row>| number(run.iter().find(|row| row["label"] == label).unwrap(), column);
        measured.iter().map(of_run).collect()
    };
    let peaks = |column: &str| -> Vec<f64> {
        measured.iter().map(|run| run.iter().map(|row| number(row, column)).fold(0.0, f64::max)).collect()
    };
    let mut comparison = Comparison::new(misses);
    let live = |value: fn(&MemStats) -> f64| simulated(&|trace| value(&trace.snapshots[1].mem_stats));
    comparison.near(
        "live: HeapAlloc",
        live(|stats| mib(stats.heap_alloc)),
        &labelled("live", "heap_alloc_mib"),
        HEAP,
    );
    comparison.near(
        "live: HeapInuse",
        live(|stats| mib(stats.heap_inuse)),
        &labelled("live", "heap_inuse_mib"),
        HEAP,
    );
    // One more or less is a matter of where the last trigger falls.
    let one = Within { share: 0.0, plus: 1.0 };
    comparison.near("live: NumGC", live(|stats| f64::from(stats.num_gc)), &labelled("live", "num_gc"), one);
    let end = |value: fn(&MemStats) -> f64| simulated(&|trace| value(&trace.snapshots[2].mem_stats));
    comparison.near(
        "end: NumGC",
        end(|stats| f64::from(stats.num_gc)),
        &labelled("end", "num_gc"),
        TEN_PERCENT,
    );
    let fraction = labelled("end", "gc_cpu_fraction");
    comparison.near("end: GCCPUFraction", end(|stats| stats.gc_cpu_fraction), &fraction, TEN_PERCENT);
    comparison.near(
        "peak RSS",
        simulated(&|trace| mib(trace.summary.peak_rss_bytes)),
        &peaks("rss_mib"),
        TEN_PERCENT,
    );
    comparison.near("end: Sys", end(|stats| mib(stats.sys)), &labelled("end", "sys_mib"), TEN_PERCENT);
    comparison.near(
        "end: TotalAlloc",
        end(|stats| mib(stats.total_alloc)),
        &labelled("end", "total_alloc_mib"),
        HEAP,
    );
    comparison.finish();
}

#[test]
fn gogc_50_is_as_measured() {
    compare("50", "off", &[]);
}

#[test]
fn gogc_100_is_as_measured() {
    compare("100", "off", &[]);
}

#[test]
fn gogc_200_is_as_measured() {
    const MISSES: [Miss; 1] = [cpu_miss(0.27)];
    compare("200", "off", &MISSES);
}

#[test]
fn gogc_400_is_as_measured() {
    compare("400", "off", &[]);
}

#[test]
fn a_memory_limit_of_120_mib_is_as_measured() {
    compare("off", "120MiB", &[]);
}
