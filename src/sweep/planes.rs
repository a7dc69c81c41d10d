//! Rows as planes of GOGC by memory limit, and the front of settings that nobody beats.
//!
//! A cell holds every repetition of one combination. For memory the worst counts, because a container that is too small once is
//! too small; for CPU the mean; for the P99 the worst. A setting is on the front when no other has both less peak RSS and
//! less GC CPU (or the same of one and less of the other). Combinations of which a run was killed or broke are on no front.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::SweepError;
use super::row::{Outcome, Row, set_keys};

/// Every repetition of one GOGC with one memory limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// GOGC in percent; `None` is off.
    pub gogc_percent: Option<u64>,
    /// GOMEMLIMIT in bytes; `None` is off.
    pub memory_limit_bytes: Option<u64>,
    /// Runs with numbers.
    pub runs: u64,
    /// Runs that the container's limit killed.
    pub killed: u64,
    /// Runs without numbers.
    pub broken: u64,
    /// The highest peak RSS in bytes.
    pub peak_rss_bytes: u64,
    /// The mean of GCCPUFraction, 0 to 1.
    pub gc_cpu_fraction: f64,
    /// The worst P99 in nanoseconds: of requests if there were any, else of pauses.
    pub p99_ns: Option<u64>,
    /// The mean number of collections.
    pub num_gc: f64,
}

impl Cell {
    fn new(row: &Row) -> Cell {
        Cell {
            gogc_percent: row.gogc_percent,
            memory_limit_bytes: row.memory_limit_bytes,
            runs: 0,
            killed: 0,
            broken: 0,
            peak_rss_bytes: 0,
            gc_cpu_fraction: 0.0,
            p99_ns: None,
            num_gc: 0.0,
        }
    }

    /// The cell of `rows`, which are repetitions of one combination; `None` without rows.
    pub fn of(rows: &[Row]) -> Option<Cell> {
        let mut cell = Cell::new(rows.first()?);
        rows.iter().for_each(|row| cell.add(row));
        Some(cell)
    }

    fn add(&mut self, row: &Row) {
        if !row.outcome.has_numbers() {
            self.broken += 1;
            return;
        }
        self.killed += u64::from(row.outcome == Outcome::Oom);
        let before = self.runs as f64;
        self.runs += 1;
        let mean = |old: f64, new: f64| (old * before + new) / (before + 1.0);
        self.gc_cpu_fraction = mean(self.gc_cpu_fraction, row.gc_cpu_fraction.unwrap_or(0.0));
        self.num_gc = mean(self.num_gc, row.num_gc.unwrap_or(0) as f64);
        self.peak_rss_bytes = self.peak_rss_bytes.max(row.peak_rss_bytes.unwrap_or(0));
        self.p99_ns = self.p99_ns.max(row.p99_ns());
    }

    /// Whether every run came to its end.
    pub fn survives(&self) -> bool {
        self.runs > 0 && self.killed == 0 && self.broken == 0
    }
}

/// Every GOGC by every memory limit; all other settings are the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// `steps[0].make.hint = 10 · Go 1.23 · 4 Ps`: the settings in which planes of one sweep may differ.
    pub name: String,
    /// The values of GOGC in the order of the grid, in percent.
    pub gogcs: Vec<Option<u64>>,
    /// The memory limits in the order of the grid, in bytes.
    pub memory_limits: Vec<Option<u64>>,
    /// The cells in the order of the grid: GOGC turns faster.
    pub cells: Vec<Cell>,
}

/// The planes of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planes {
    /// In the order of the grid.
    pub list: Vec<Plane>,
    /// Whether the P99 is that of requests; else it is that of pauses.
    pub has_requests: bool,
    /// The keys of the scenario file that are swept.
    set_keys: Vec<String>,
}

impl Planes {
    /// Adds a row. Rows come in the order of the grid.
    pub fn add(&mut self, row: &Row) {
        self.has_requests |= row.requests.is_some();
        let name = plane_name(row, &self.set_keys);
        if self.list.last().is_none_or(|plane| plane.name != name) {
            self.list.push(Plane { name, gogcs: Vec::new(), memory_limits: Vec::new(), cells: Vec::new() });
        }
        let plane = self.list.last_mut().expect("one was just added");
        let same = |cell: &Cell| {
            (cell.gogc_percent, cell.memory_limit_bytes) == (row.gogc_percent, row.memory_limit_bytes)
        };
        if !plane.cells.last().is_some_and(same) {
            if !plane.gogcs.contains(&row.gogc_percent) {
                plane.gogcs.push(row.gogc_percent);
            }
            if !plane.memory_limits.contains(&row.memory_limit_bytes) {
                plane.memory_limits.push(row.memory_limit_bytes);
            }
            plane.cells.push(Cell::new(row));
        }
        plane.cells.last_mut().expect("one was just added").add(row);
    }

    /// Reads the table of a sweep.
    ///
    /// # Errors
    /// [`SweepError`].
    pub fn read(csv: &Path) -> Result<Planes, SweepError> {
        let mut planes = Planes { set_keys: read_set_keys(csv)?, ..Planes::default() };
        read_rows(csv, |row| planes.add(&row))?;
        Ok(planes)
    }
}

fn plane_name(row: &Row, set_keys: &[String]) -> String {
    let container = row
        .machine_memory_bytes
        .map_or(String::new(), |bytes| format!(" · container {}", crate::units::Bytes(bytes)));
    let plural = |number: u64, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let settings = format!("Go {} · {} on {}", row.go, plural(row.procs, "P"), plural(row.cores, "core"));
    // What differs most stands first, where it is not cut off.
    let set = set_keys.iter().zip(&row.set).map(|(key, value)| format!("{key} = {value} · "));
    format!("{}{settings}{container}", set.collect::<String>())
}

/// The settings that nobody beats.
#[derive(Clone, Debug, PartialEq)]
pub struct Front<'c> {
    /// From the least memory to the least CPU.
    pub best: Vec<&'c Cell>,
    /// All others that survive.
    pub others: Vec<&'c Cell>,
}

impl<'c> Front<'c> {
    /// The front of `cells`.
    pub fn of(cells: impl IntoIterator<Item = &'c Cell>) -> Front<'c> {
        let mut all: Vec<&Cell> = cells.into_iter().filter(|cell| cell.survives()).collect();
        all.sort_by(|a, b| {
            a.peak_rss_bytes.cmp(&b.peak_rss_bytes).then(a.gc_cpu_fraction.total_cmp(&b.gc_cpu_fraction))
        });
        let mut least_cpu = f64::INFINITY;
        let mut front = Front { best: Vec::new(), others: Vec::new() };
        for cell in all {
            // Two settings with the same result: the first of them stands for both.
            if cell.gc_cpu_fraction < least_cpu {
                least_cpu = cell.gc_cpu_fraction;
                front.best.push(cell);
            } else {
                front.others.push(cell);
            }
        }
        front
    }
}

/// The keys of the scenario file that have columns in a table.
fn read_set_keys(csv: &Path) -> Result<Vec<String>, SweepError> {
    let mut reader = open(csv)?;
    let header = reader.headers().map_err(|error| not_a_table(csv, &error))?;
    Ok(set_keys(header))
}

/// Calls `take` with every row of a table of a sweep.
///
/// # Errors
/// [`SweepError`] when the file cannot be read or is no such table.
pub fn read_rows(csv: &Path, mut take: impl FnMut(Row)) -> Result<(), SweepError> {
    for record in open(csv)?.into_byte_records() {
        // By place, not by name: the last columns are a list.
        let row = record.and_then(|record| record.deserialize(None));
        take(row.map_err(|error| not_a_table(csv, &error))?);
    }
    Ok(())
}

fn open(csv: &Path) -> Result<csv::Reader<BufReader<File>>, SweepError> {
    let file = File::open(csv).map_err(SweepError::read(csv))?;
    Ok(csv::Reader::from_reader(BufReader::new(file)))
}

fn not_a_table(csv: &Path, error: &csv::Error) -> SweepError {
    SweepError::NotAPart { path: csv.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(peak_rss_bytes: u64, gc_cpu_fraction: f64) -> Cell {
        Cell {
            gogc_percent: None,
            memory_limit_bytes: None,
            runs: 1,
            killed: 0,
            broken: 0,
            peak_rss_bytes,
            gc_cpu_fraction,
            p99_ns: None,
            num_gc: 0.0,
        }
    }

    #[test]
    fn a_combination_with_a_killed_run_is_on_no_front() {
        let cells = [cell(10, 0.5), Cell { killed: 1, ..cell(5, 0.1) }, Cell { broken: 1, ..cell(5, 0.1) }];
        assert_eq!(Front::of(&cells).best, [&cells[0]]);
    }

    proptest! {
        #[test]
        fn the_front_is_what_nobody_beats(points in prop::collection::vec((0u64..12, 0u32..12), 0..40)) {
            let cells: Vec<Cell> = points.iter().map(|(rss, cpu)| cell(*rss, f64::from(*cpu))).collect();
            let front = Front::of(&cells);
            prop_assert_eq!(front.best.len() + front.others.len(), cells.len());
            let beats = |a: &Cell, b: &Cell| {
                a.peak_rss_bytes <= b.peak_rss_bytes && a.gc_cpu_fraction <= b.gc_cpu_fraction
                    && (a.peak_rss_bytes, a.gc_cpu_fraction) != (b.peak_rss_bytes, b.gc_cpu_fraction)
            };
            for best in &front.best {
                prop_assert!(!cells.iter().any(|cell| beats(cell, best)));
            }
            for other in &front.others {
                let beaten = cells.iter().any(|cell| beats(cell, other));
                prop_assert!(beaten || front.best.contains(other));
            }
        }
    }
}
