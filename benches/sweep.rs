//! A sweep from the flags to the table: runs a second on one thread and on two.
//!
//! The scenario is small, so that what a sweep adds to its runs - settings, rows, the journal, the merge - is seen too.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gclab::scenario::{Gogc, Scenario};
use gclab::sweep::{Axes, Ended, Grid, Listener, Manifest, Order, Row, Shard, merge, run};

const SIM: &str = "title = 'small'\nquestion = 'q'\nanswer = 'a'\n\
                   steps = [{ garbage = { bytes = '64MiB', size = '1KiB' } }, { snapshot = 'end' }]\n";
const RUNS: u32 = 64;

struct Silent;

impl Listener for Silent {
    fn begins(&self, _done: u64, _of: u64) {}

    fn done(&self, _row: &Row) {}

    fn should_stop(&self) -> bool {
        false
    }
}

fn benches(criterion: &mut Criterion) {
    let scenario = Scenario::parse("small.toml", SIM).unwrap();
    let axes = Axes { gogcs: [25, 50, 100, 200].map(Gogc::Percent).to_vec(), ..Axes::default() };
    let grid = Grid::new(scenario.settings(), axes, RUNS / 4, 1);
    let manifest = Manifest::new(&scenario, SIM, &grid);
    let mut group = criterion.benchmark_group("sweep");
    group.sample_size(10).throughput(Throughput::Elements(u64::from(RUNS)));
    for threads in [1, 2] {
        group.bench_with_input(BenchmarkId::new("threads", threads), &threads, |bencher, &threads| {
            bencher.iter(|| {
                let folder = tempfile::tempdir().unwrap();
                let order = Order {
                    scenarios: std::slice::from_ref(&scenario),
                    grid: &grid,
                    manifest: &manifest,
                    shard: Shard::WHOLE,
                    folder: folder.path(),
                    threads,
                };
                let Ended::Complete(part) = run(&order, &Silent).unwrap() else { panic!("nobody stops it") };
                merge(&[part], folder.path()).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(sweeps, benches);
criterion_main!(sweeps);
