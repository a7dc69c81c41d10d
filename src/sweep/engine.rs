//! Running a shard: every core takes the next run that is missing, and its row goes to the journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::SweepError;
use super::grid::Grid;
use super::manifest::Manifest;
use super::part::{Head, Journal, PartReader, Shard};
use super::row::Row;
use crate::scenario::{self, Detail, RunOptions, RunSettings, Scenario};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Order<'o> {
    /// The scenario, or a variant of it for each combination of what is set.
    pub scenarios: &'o [Scenario],
    /// Their settings.
    pub grid: &'o Grid,
    /// What the rows belong to.
    pub manifest: &'o Manifest,
    /// Which of the runs.
    pub shard: Shard,
    /// Where journal and part go.
    pub folder: &'o Path,
    /// How many runs at a time, 1 or more.
    pub threads: usize,
}

/// Who wants to know how it goes on, and may end it.
pub trait Listener: Sync {
    /// So many rows are there from an earlier time, of so many.
    fn begins(&self, done: u64, of: u64);

    /// A run has ended.
    fn done(&self, row: &Row);

    /// Whether no further run should begin.
    fn should_stop(&self) -> bool;
}

/// How a shard ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every row is in this part.
    Complete(PathBuf),
    /// Somebody wanted it to stop; the same order goes on from here.
    Stopped {
        /// Rows that are there.
        done: u64,
        /// Rows that there should be.
        of: u64,
    },
}

/// Runs what is missing of a shard.
///
/// # Errors
/// [`SweepError`] when files cannot be used or belong to another sweep. A run that fails is a row.
pub fn run(order: &Order, listener: &dyn Listener) -> Result<Ended, SweepError> {
    let of = order.shard.len(order.manifest.runs);
    if let Some(part) = complete_part(order)? {
        listener.begins(of, of);
        return Ok(Ended::Complete(part));
    }
    let head = Head { shard: order.shard, manifest: order.manifest.clone() };
    let Some(journal) = Journal::open(order.folder, head, &|| listener.should_stop())? else {
        return Ok(Ended::Stopped { done: 0, of });
    };
    // Whoever had the journal before may have completed it; then this one is empty, or nobody's any more.
    if let Some(part) = complete_part(order)? {
        journal.abandon();
        listener.begins(of, of);
        return Ok(Ended::Complete(part));
    }
    listener.begins(journal.done(), of);
    let journal = work(order, journal, listener)?;
    match journal.done() {
        done if done == of => journal.into_part(order.folder).map(Ended::Complete),
        done => Ok(Ended::Stopped { done, of }),
    }
}

/// The part of the shard, if an earlier order has completed it.
fn complete_part(order: &Order) -> Result<Option<PathBuf>, SweepError> {
    let path = order.shard.part_path(order.folder, &order.manifest.scenario);
    if !path.exists() {
        return Ok(None);
    }
    let part = PartReader::open(&path)?;
    match order.manifest.difference(&part.head.manifest) {
        None => Ok(Some(path)),
        Some(difference) => Err(SweepError::OtherSweep { path, difference }),
    }
}

fn work(order: &Order, journal: Journal, listener: &dyn Listener) -> Result<Journal, SweepError> {
    let missing: Vec<u64> = journal.missing().collect();
    let next = AtomicUsize::new(0);
    let journal = Mutex::new(journal);
    let failed = Mutex::new(None);
    let worker = |_| {
        while !listener.should_stop() && failed.lock().expect("nobody panics with it").is_none() {
            let Some(&index) = missing.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            let settings = order.grid.settings(index);
            let scenario = &order.scenarios[order.grid.variant(index)];
            let row = evaluate(scenario, &settings, index, order.grid.repetition(index));
            let row = Row { set: order.grid.set_values(index), ..row };
            match journal.lock().expect("nobody panics with it").push(&row) {
                Ok(()) => listener.done(&row),
                Err(error) => *failed.lock().expect("nobody panics with it") = Some(error),
            }
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(order.threads.max(1)).build();
    pool.expect("threads can be started").broadcast(|context| worker(context.index()));
    match failed.into_inner().expect("nobody panics with it") {
        Some(error) => Err(error),
        None => Ok(journal.into_inner().expect("nobody panics with it")),
    }
}

/// Runs once and makes a row of it, whatever happens.
pub fn evaluate(scenario: &Scenario, settings: &RunSettings, run: u64, repetition: u32) -> Row {
    let totals = || scenario::run_with(scenario, settings, RunOptions::with(Detail::Totals));
    let result = caught(|| totals().map(|recording| recording.trace));
    Row::new(run, repetition, &scenario.name, settings, result)
}

/// What `run` returns, or the message of its panic. The panic itself is on stderr as always, with its place.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast_ref::<&str>().unwrap_or(&"no message")).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let number = std::hint::black_box(3);
        assert_eq!(caught(|| assert!(number == 4, "{number} spans")), Err("3 spans".to_owned()));
        assert_eq!(caught(|| panic!("plain")), Err::<(), String>("plain".to_owned()));
    }
}
