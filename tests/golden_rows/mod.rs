//! Golden rows of real Go, and the comparison of a simulated run with several measured ones.
#![allow(dead_code, reason = "each test that includes this uses a part of it")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use gclab::scenario::{Overrides, Scenario, run};
use gclab::trace::Trace;

/// A row by column name.
pub type Row = BTreeMap<String, String>;

/// All rows of a file under `tests/golden`.
pub fn rows(file: &str) -> Vec<Row> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let rows: Vec<Row> = reader.deserialize().map(|row| row.unwrap()).collect();
    assert!(!rows.is_empty(), "{file} has no rows");
    rows
}

/// A number in a row.
pub fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?} is no number"))
}

/// The text of a shipped scenario.
pub fn shipped(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sims").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Parses and runs a scenario.
pub fn simulate(name: &str, text: &str, overrides: &Overrides) -> Trace {
    let scenario = Scenario::parse(name, text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.list));
    run(&scenario, &scenario.settings().overridden(overrides)).unwrap()
}

/// Bytes as MiB.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

/// How far a simulated value may lie outside the range of the measured ones.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    /// Share of the nearest measured value.
    pub share: f64,
    /// And so much, in the value's unit.
    pub plus: f64,
}

/// A deviation that is known: what is compared, its bound today, and why it is there.
pub struct Miss {
    /// As [`Comparison::near`] names it.
    pub what: &'static str,
    /// The bound that holds today.
    pub bound: Within,
    /// Why the goal is missed.
    pub why: &'static str,
}

/// A comparison of many values, which goes on after a deviation so that all are reported together.
pub struct Comparison {
    misses: &'static [Miss],
    needed: Vec<&'static str>,
    faults: Vec<String>,
}

impl Comparison {
    pub fn new(misses: &'static [Miss]) -> Comparison {
        Comparison { misses, needed: Vec::new(), faults: Vec::new() }
    }

    /// Compares a simulated value with the range that real runs span.
    pub fn near(&mut self, what: &str, simulated: f64, measured: &[f64], goal: Within) {
        assert!(!measured.is_empty(), "{what} was never measured");
        let low = measured.iter().copied().fold(f64::INFINITY, f64::min);
        let high = measured.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is_within = |within: Within| {
            simulated >= low - low.abs() * within.share - within.plus
                && simulated <= high + high.abs() * within.share + within.plus
        };
        if is_within(goal) {
            return;
        }
        let away = if simulated < low { simulated / low - 1.0 } else { simulated / high - 1.0 };
        let line = format!("{what}: {simulated:.3}, measured {low:.3} to {high:.3} ({:+.1} %)", away * 100.0);
        match self.misses.iter().find(|miss| miss.what == what) {
            Some(miss) if is_within(miss.bound) => {
                println!("known miss: {line}: {}", miss.why);
                self.needed.push(miss.what);
            }
            Some(_) => self.faults.push(format!("{line}, beyond the bound of the known miss")),
            None => self.faults.push(line),
        }
    }

    /// Compares values that must be equal to one of the measured ones.
    pub fn same(&mut self, what: &str, simulated: u64, measured: &[f64]) {
        self.near(what, simulated as f64, measured, Within { share: 0.0, plus: 0.0 });
    }

    /// Fails if a value was off, or if a known miss is a miss no longer and should be taken off the list.
    #[track_caller]
    pub fn finish(self) {
        let gone: Vec<&str> =
            self.misses.iter().map(|miss| miss.what).filter(|what| !self.needed.contains(what)).collect();
        assert!(self.faults.is_empty(), "not as measured:\n  {}\n", self.faults.join("\n  "));
        assert!(gone.is_empty(), "the goal is met now, take these off the list: {gone:?}");
    }
}
