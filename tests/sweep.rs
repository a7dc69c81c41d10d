//! A sweep gives the same bytes however it was run, goes on where it was stopped, and never mixes what does not belong together.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use gclab::scenario::{self, Detail, Gogc, MemoryLimit, RunOptions, Scenario};
use gclab::sweep::{
    Axes, Ended, Grid, Listener, Manifest, Merged, Order, Outcome, Row, Shard, SweepError, merge, read_rows,
    run,
};
use proptest::prelude::*;

const SIM: &str = "title = 'a small program'\nquestion = 'q'\nanswer = 'a'\nsteps = [\n\
    { alloc = { into = 'live', count = 64, size = '64KiB' } },\n\
    { garbage = { bytes = '16MiB', size = '1KiB' } },\n]\n[vars]\nlive = '[][]byte'\n";

/// A sweep of 24 runs, of which the containers of 5 MiB kill some.
struct Sweep {
    scenario: Scenario,
    grid: Grid,
    manifest: Manifest,
}

impl Sweep {
    fn new() -> Sweep {
        Sweep::of(SIM, 1)
    }

    fn of(text: &str, master_seed: u64) -> Sweep {
        let scenario = Scenario::parse("small.toml", text).unwrap();
        let axes = Axes {
            gogcs: vec![Gogc::Percent(50), Gogc::Off, Gogc::Percent(200)],
            memory_limits: vec![MemoryLimit::Off, MemoryLimit::Bytes(12 << 20)],
            machine_memory_bytes: vec![5 << 20, 1 << 30],
            ..Axes::default()
        };
        let grid = Grid::new(scenario.settings(), axes, 2, master_seed);
        let manifest = Manifest::new(&scenario, text, &grid);
        Sweep { scenario, grid, manifest }
    }

    fn run(&self, shard: &str, folder: &Path, threads: usize, stop_after: u64) -> Result<Ended, SweepError> {
        let shard: Shard = shard.parse().unwrap();
        let order = Order {
            scenarios: std::slice::from_ref(&self.scenario),
            grid: &self.grid,
            manifest: &self.manifest,
            shard,
            folder,
            threads,
        };
        run(&order, &StopAfter { left: AtomicU64::new(stop_after), done: AtomicU64::new(0) })
    }

    fn part(&self, shard: &str, folder: &Path) -> PathBuf {
        match self.run(shard, folder, 2, u64::MAX).unwrap() {
            Ended::Complete(part) => part,
            stopped => panic!("{stopped:?}"),
        }
    }

    /// The files of the sweep as one machine with one thread writes them.
    fn whole(&self, folder: &Path) -> Merged {
        let Ended::Complete(part) = self.run("0/1", folder, 1, u64::MAX).unwrap() else { panic!("complete") };
        merge(&[part], folder).unwrap()
    }
}

/// Stops a sweep after so many runs.
struct StopAfter {
    left: AtomicU64,
    done: AtomicU64,
}

impl Listener for StopAfter {
    fn begins(&self, _done: u64, _of: u64) {}

    fn done(&self, _row: &Row) {
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    fn should_stop(&self) -> bool {
        self.done.load(Ordering::SeqCst) >= self.left.load(Ordering::SeqCst)
    }
}

/// CSV, Parquet and manifest.
fn bytes(merged: &Merged) -> [Vec<u8>; 3] {
    [&merged.csv, &merged.parquet, &merged.json].map(|path| std::fs::read(path).unwrap())
}

fn rows(merged: &Merged) -> Vec<Row> {
    let mut rows = Vec::new();
    read_rows(&merged.csv, |row| rows.push(row)).unwrap();
    rows
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn every_run_is_a_row_in_order_and_gives_what_a_run_alone_gives() {
    let (sweep, out) = (Sweep::new(), folder());
    let merged = sweep.whole(out.path());
    let rows = rows(&merged);
    assert_eq!(rows.len() as u64, sweep.grid.len());
    assert!(rows.iter().any(|row| row.outcome == Outcome::Oom), "the small containers kill");
    assert!(rows.iter().any(|row| row.outcome == Outcome::Done));
    for (index, row) in rows.iter().enumerate() {
        let settings = sweep.grid.settings(index as u64);
        let trace = scenario::run(&sweep.scenario, &settings).unwrap();
        assert_eq!((row.run, row.seed), (index as u64, settings.go.seed));
        assert_eq!(row.num_gc, Some(u64::from(trace.summary.num_gc)));
        assert_eq!(row.final_rss_bytes, Some(trace.summary.final_rss_bytes));
        assert_eq!(row.gc_cpu_fraction, Some(trace.summary.gc_cpu_fraction));
        assert_eq!(row.duration_ns, Some(trace.summary.duration_ns));
        assert_eq!(row.outcome == Outcome::Oom, trace.oom_kill.is_some());
    }
    assert!(merged.is_complete());
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 4, "table, manifest and part, nothing else");
}

#[test]
fn totals_are_those_of_the_whole_recording() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims");
    for name in [
        "delete-million",
        "memory-limit",
        "container-oom",
        "spike-and-idle",
        "trading-gateway",
        "rebuild-map",
    ] {
        let text = std::fs::read_to_string(root.join(name).with_extension("toml")).unwrap();
        let scenario = Scenario::parse(name, &text).unwrap();
        let settings = scenario.settings();
        let mut whole = scenario::run(&scenario, &settings).unwrap();
        let totals =
            scenario::run_with(&scenario, &settings, RunOptions::with(Detail::Totals)).unwrap().trace;
        assert!(totals.samples.is_empty() && !whole.samples.is_empty());
        whole.samples.clear();
        assert_eq!(format!("{whole:?}"), format!("{totals:?}"), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn threads_shards_and_interruptions_leave_no_trace(
        shards in 1u32..7,
        threads in 1usize..5,
        stops in prop::collection::vec(0u64..6, 0..4),
        torn in 0u64..120,
    ) {
        let (sweep, reference, out) = (Sweep::new(), folder(), folder());
        let expected = bytes(&sweep.whole(reference.path()));
        let mut parts = Vec::new();
        for number in 0..shards {
            let shard = format!("{number}/{shards}");
            for stop in &stops {
                let ended = sweep.run(&shard, out.path(), threads, *stop).unwrap();
                if matches!(ended, Ended::Stopped { .. }) {
                    tear(out.path(), torn);
                }
            }
            parts.push(sweep.part(&shard, out.path()));
        }
        // In any order.
        parts.rotate_left(shards as usize / 2);
        let merged = merge(&parts, out.path()).unwrap();
        prop_assert_eq!(bytes(&merged), expected);
    }
}

/// Cuts up to `bytes` off the end of the journal in `folder`, as a machine that loses power does.
fn tear(folder: &Path, bytes: u64) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with(".journal.csv") {
            let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length.saturating_sub(bytes)).unwrap();
        }
    }
}

#[test]
fn what_was_run_is_not_run_again() {
    let (sweep, out) = (Sweep::new(), folder());
    let Ended::Stopped { done, of } = sweep.run("0/1", out.path(), 1, 7).unwrap() else { panic!("stopped") };
    assert_eq!((done, of), (7, 24));
    let journal = out.path().join("small.0-of-1.journal.csv");
    let before = std::fs::read_to_string(&journal).unwrap();
    let Ended::Stopped { done, .. } = sweep.run("0/1", out.path(), 1, 3).unwrap() else { panic!("stopped") };
    assert_eq!(done, 10);
    let after = std::fs::read_to_string(&journal).unwrap();
    assert!(after.starts_with(&before), "rows that were there are left alone");
    sweep.part("0/1", out.path());
    assert!(!journal.exists());
}

#[test]
fn two_at_once_on_one_shard_do_each_run_once() {
    let (sweep, out, reference) = (Sweep::new(), folder(), folder());
    let expected = bytes(&sweep.whole(reference.path()));
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let start = || scope.spawn(|| sweep.run("0/1", out.path(), 1, u64::MAX).unwrap());
        [start(), start()].map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!(ended[0], ended[1]);
    let Ended::Complete(part) = &ended[0] else { panic!("complete") };
    assert_eq!(bytes(&merge(std::slice::from_ref(part), out.path()).unwrap()), expected);
}

#[test]
fn rows_of_another_sweep_are_not_gone_on_with() {
    let out = folder();
    let _ = Sweep::new().run("0/1", out.path(), 1, 3).unwrap();
    let other = Sweep::of(SIM, 2);
    let error = other.run("0/1", out.path(), 1, 3).unwrap_err().to_string();
    assert!(error.contains("another sweep") && error.contains("seed differs: 2 against 1"), "{error}");
    let foreign = folder();
    std::fs::write(foreign.path().join("small.0-of-1.journal.csv"), "a file\n".repeat(500)).unwrap();
    let error = other.run("0/1", foreign.path(), 1, 3).unwrap_err();
    assert!(matches!(error, SweepError::OtherSweep { .. }), "{error}");
    let kept = std::fs::read_to_string(foreign.path().join("small.0-of-1.journal.csv")).unwrap();
    assert_eq!(kept, "a file\n".repeat(500), "what is not ours is left alone");
}

#[test]
fn a_merge_refuses_gaps_overlaps_and_mixtures() {
    let (sweep, out, elsewhere) = (Sweep::new(), folder(), folder());
    let parts: Vec<PathBuf> = (0..3).map(|number| sweep.part(&format!("{number}/3"), out.path())).collect();
    let refused = |parts: &[PathBuf]| {
        let target = folder();
        let error = merge(parts, target.path()).unwrap_err();
        assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 0, "nothing is written");
        error
    };
    let gap = refused(&[parts[0].clone(), parts[2].clone()]);
    assert!(matches!(&gap, SweepError::Gap { shards: 3, list } if *list == [1]), "{gap}");
    let twice = refused(&[parts[0].clone(), parts[1].clone(), parts[1].clone(), parts[2].clone()]);
    assert!(matches!(&twice, SweepError::Overlap { .. }), "{twice}");
    let other_count = sweep.part("1/2", elsewhere.path());
    let mixed = refused(&[parts[0].clone(), other_count]);
    assert!(mixed.to_string().contains("of 3 shards, the other of 2"), "{mixed}");
    let other_seed = Sweep::of(SIM, 2).part("1/3", &elsewhere.path().join("seed"));
    let mixed = refused(&[parts[0].clone(), other_seed, parts[2].clone()]);
    assert!(mixed.to_string().contains("seed differs"), "{mixed}");
    let other_text = Sweep::of(&SIM.replace("16MiB", "17MiB"), 1).part("1/3", &elsewhere.path().join("text"));
    let mixed = refused(&[parts[0].clone(), other_text, parts[2].clone()]);
    assert!(mixed.to_string().contains("the text of the scenario"), "{mixed}");
}

#[test]
fn a_merge_refuses_other_versions_and_rows_that_were_touched() {
    let (sweep, out) = (Sweep::new(), folder());
    let parts: Vec<PathBuf> = (0..2).map(|number| sweep.part(&format!("{number}/2"), out.path())).collect();
    let text = std::fs::read_to_string(&parts[1]).unwrap();
    let refused = |text: &str| {
        std::fs::write(&parts[1], text).unwrap();
        let target = folder();
        let error = merge(&parts, target.path()).unwrap_err().to_string();
        assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 0, "nothing is written");
        error
    };
    let version = format!("\"gclab\":\"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(refused(&text.replace(&version, "\"gclab\":\"0.0.1\"")).contains("mixed versions"));
    let source = sweep.manifest.source_sha256.clone();
    assert!(refused(&text.replace(&source, &"0".repeat(64))).contains("mixed versions"));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let without = |number: usize| [&lines[..number], &lines[number + 1..]].concat().concat();
    assert!(refused(&without(4)).contains("in the place of run 5"));
    assert!(refused(&without(lines.len() - 1)).contains("it ends before run 23"));
    assert!(refused(&format!("{text}{}", lines[2])).contains("more rows"));
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    assert!(refused(&swapped.concat()).contains("in the place of run 3"));
    assert!(refused(text.trim_end()).contains("no end"));
    assert!(refused("run,scenario\n1,x\n").contains("first two lines"));
    std::fs::write(&parts[1], &text).unwrap();
    merge(&parts, out.path()).unwrap();
}

#[test]
fn a_run_that_cannot_be_simulated_is_a_row() {
    let text = "title='t'\nquestion='q'\nanswer='a'\n\
                steps=[{ finalize = { count = 10, size = '64B', kind = 'cleanup' } }]\n[go]\nversion = '1.24'\n";
    let scenario = Scenario::parse("cleanup.toml", text).unwrap();
    let versions = ["1.23", "1.24"].map(|version| version.parse().unwrap()).to_vec();
    let grid = Grid::new(scenario.settings(), Axes { versions, ..Axes::default() }, 1, 1);
    let manifest = Manifest::new(&scenario, text, &grid);
    let sweep = Sweep { scenario, grid, manifest };
    let out = folder();
    let rows = rows(&sweep.whole(out.path()));
    assert_eq!((rows[0].outcome, rows[0].num_gc), (Outcome::Error, None));
    assert!(rows[0].message.as_ref().unwrap().contains("runtime.AddCleanup"), "{:?}", rows[0].message);
    assert_eq!((rows[1].outcome, rows[1].num_gc), (Outcome::Done, Some(0)));
}
