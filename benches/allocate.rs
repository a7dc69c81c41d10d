//! Allocation, in objects a second of real time: the simulator must stay far faster than `mallocgc`.
//!
//! Real Go makes 10 to 60 million small objects a second on one core, of large ones far fewer.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gclab::heap::object::Layout;
use gclab::process::{Process, Settings};

/// Objects of one measured run.
const COUNT: u64 = 1_000_000;

/// Allocates `count` objects by runs of at most `limit`.
fn allocate(mut process: Process, layout: Layout, count: u64, limit: u32) -> Process {
    let mut left = count;
    while left > 0 {
        let run = process.alloc_run(layout, limit.min(u32::try_from(left).unwrap_or(u32::MAX)));
        left -= u64::from(run.count());
    }
    process
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("allocate");
    group.sample_size(10);
    let start = || Process::start(Settings::default());
    for (name, layout, limit, count) in [
        ("64B-runs", Layout::noscan(64), u32::MAX, COUNT),
        ("64B-one-by-one", Layout::noscan(64), 1, COUNT),
        ("64B-pointers-one-by-one", Layout::scan(64, 8, 64), 1, COUNT),
        ("1KiB-runs", Layout::noscan(1 << 10), u32::MAX, COUNT),
        ("tiny", Layout::noscan(8), 1, COUNT),
        ("64KiB", Layout::noscan(64 << 10), 1, 20_000),
    ] {
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                start,
                |process| allocate(process, layout, count, limit),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(allocation, benches);
criterion_main!(allocation);
