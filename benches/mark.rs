//! Marking, in objects a second of real time: a list, a tree, and a slice that holds every object.
//!
//! Real Go 1.23.9 marks about 15 million objects a second and core of a slice or tree, and 5 to 10 million of a list
//! (`tests/golden/measured/mark.csv`).

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gclab::heap::mutator::Mutator;
use gclab::heap::object::{Layout, ObjRef};
use gclab::process::{Process, Settings};

/// Objects that are marked.
const COUNT: u32 = 1 << 20;
/// A node with two pointers.
const NODE: Layout = Layout::scan(64, 2, 16);

fn process() -> Process {
    Process::start(Settings { gogc_percent: None, ..Settings::default() })
}

/// All objects, in the order of allocation.
fn objects(process: &mut Process) -> Vec<ObjRef> {
    let mut objects = Vec::with_capacity(COUNT as usize);
    while objects.len() < COUNT as usize {
        objects.extend(process.alloc_run(NODE, COUNT - objects.len() as u32).objects());
    }
    objects
}

fn hold(mut process: Process, root: ObjRef) -> Process {
    let global = process.new_global();
    process.set_global(global, root);
    process
}

fn list() -> Process {
    let mut process = process();
    let objects = objects(&mut process);
    for pair in objects.windows(2) {
        process.set_pointer(pair[1], 0, pair[0]);
    }
    hold(process, objects[objects.len() - 1])
}

/// A list whose nodes lie in memory in another order than they are linked.
fn shuffled_list() -> Process {
    let mut process = process();
    let objects = objects(&mut process);
    // 7919 has no factor in common with a power of two: every object is visited once.
    let at = |number: usize| objects[number * 7919 % objects.len()];
    for number in 1..objects.len() {
        process.set_pointer(at(number), 0, at(number - 1));
    }
    hold(process, at(objects.len() - 1))
}

fn tree() -> Process {
    let mut process = process();
    let objects = objects(&mut process);
    for number in 1..objects.len() {
        process.set_pointer(objects[(number - 1) / 2], ((number - 1) % 2) as u32, objects[number]);
    }
    hold(process, objects[0])
}

fn slice() -> Process {
    let mut process = process();
    let bytes = 8 * u64::from(COUNT);
    let backing = process.alloc(Layout::scan(bytes, COUNT, bytes));
    process.push_local(backing);
    let objects = objects(&mut process);
    for (slot, object) in objects.iter().enumerate() {
        process.set_pointer(backing, slot as u32, *object);
    }
    process.pop_local();
    hold(process, backing)
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mark");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(COUNT)));
    for (name, make) in [
        ("list", list as fn() -> Process),
        ("shuffled-list", shuffled_list),
        ("tree", tree),
        ("slice", slice),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                make,
                |mut process| {
                    process.gc();
                    process
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(marking, benches);
criterion_main!(marking);
