//! What an operation on a map costs on the host, in nanoseconds: buckets (Go 1.23) and Swiss tables (Go 1.25).
//!
//! The heap under it does nothing, so that the map alone is measured. `cargo bench --bench map`.

use std::hint::black_box;
use std::ops::Range;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gclab::container::map::Map;
use gclab::container::map_type::{MapType, TypeDesc};
use gclab::heap::mutator::{Mutator, Operation};
use gclab::heap::object::{Layout, ObjRef};
use gclab::version::GoVersion;

const INT_INT: MapType = MapType::new(TypeDesc::INT, TypeDesc::INT);

/// One version for each kind of map.
const VERSIONS: [GoVersion; 2] = [GoVersion::Go1_23, GoVersion::Go1_25];

/// A heap that hands out references and forgets them.
struct NoHeap {
    version: GoVersion,
    objects: u32,
    random: u64,
    touched_pages: u64,
}

impl NoHeap {
    fn of(version: GoVersion) -> NoHeap {
        NoHeap { version, objects: 0, random: 0, touched_pages: 0 }
    }
}

impl Mutator for NoHeap {
    fn version(&self) -> GoVersion {
        self.version
    }
    fn alloc(&mut self, _layout: Layout) -> ObjRef {
        self.objects += 1;
        ObjRef::new(self.objects / 1024 + 1, self.objects % 1024)
    }
    fn pointer(&self, _obj: ObjRef, _slot: u32) -> ObjRef {
        ObjRef::NIL
    }
    fn set_pointer(&mut self, _obj: ObjRef, _slot: u32, _value: ObjRef) {}
    fn clear_pointers(&mut self, _obj: ObjRef, _slots: Range<u32>) {}
    fn touch(&mut self, _obj: ObjRef, offset_bytes: u64, _len_bytes: u64) {
        self.touched_pages ^= offset_bytes >> 12;
    }
    fn push_local(&mut self, _obj: ObjRef) {}
    fn pop_local(&mut self) {}
    fn spend(&mut self, _operation: Operation, _count: u64, _working_set_bytes: u64) {}
    fn spend_on_inserts(&mut self, _count: u64, _working_set_bytes: u64, _entries_per_bucket: f64) {}
    fn random(&mut self) -> u64 {
        self.random += 1;
        self.random.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

fn filled(version: GoVersion, entries: u32) -> (NoHeap, Map) {
    let mut heap = NoHeap::of(version);
    let mut map = Map::make(&mut heap, INT_INT, entries.into());
    map.insert_all(&mut heap, 0..entries);
    (heap, map)
}

fn int_maps(criterion: &mut Criterion) {
    for (version, entries) in
        VERSIONS.into_iter().flat_map(|version| [(version, 1_000), (version, 1_000_000)])
    {
        let mut group = criterion.benchmark_group(format!("map[int]int of Go {version}, {entries} entries"));
        group.sample_size(10).throughput(Throughput::Elements(entries.into()));
        group
            .bench_function("make and insert, presized", |bencher| bencher.iter(|| filled(version, entries)));
        group.bench_function("insert into cleared", |bencher| {
            bencher.iter_batched_ref(
                || {
                    let (mut heap, mut map) = filled(version, entries);
                    map.clear(&mut heap);
                    (heap, map)
                },
                |(heap, map)| map.insert_all(heap, 0..entries),
                BatchSize::LargeInput,
            );
        });
        group.bench_function("insert, growing", |bencher| {
            bencher.iter(|| {
                let mut heap = NoHeap::of(version);
                let mut map = Map::make(&mut heap, INT_INT, 0);
                map.insert_all(&mut heap, 0..entries)
            });
        });
        let (mut heap, mut map) = filled(version, entries);
        group.bench_function("update", |bencher| bencher.iter(|| map.insert_all(&mut heap, 0..entries)));
        group.bench_function("lookup hit", |bencher| bencher.iter(|| map.lookup_all(&mut heap, 0..entries)));
        group.bench_function("lookup miss", |bencher| {
            bencher.iter(|| map.lookup_all(&mut heap, entries..2 * entries));
        });
        group.bench_function("lookup hit, one by one", |bencher| {
            bencher.iter(|| (0..entries).filter(|key| black_box(map.contains(*key))).count());
        });
        group.bench_function("delete", |bencher| {
            bencher.iter_batched_ref(
                || filled(version, entries),
                |(heap, map)| map.delete_all(heap, 0..entries),
                BatchSize::LargeInput,
            );
        });
        group.bench_function("iterate", |bencher| {
            bencher.iter(|| {
                let mut sum = 0u64;
                map.range(&mut heap, |_, key| sum += u64::from(key));
                sum
            });
        });
        group.finish();
    }
}

/// Keys in no order, by a step that has no factor in common with a power of ten.
fn scattered(entries: u32) -> impl Iterator<Item = u32> {
    (0..entries).map(move |number| (u64::from(number) * 7_919 % u64::from(entries)) as u32)
}

/// Keys in no order: nothing is decided by a ledger of ordered keys.
fn scattered_keys(criterion: &mut Criterion) {
    VERSIONS.into_iter().for_each(|version| scattered_keys_of(criterion, version));
}

fn scattered_keys_of(criterion: &mut Criterion, version: GoVersion) {
    const ENTRIES: u32 = 1_000_000;
    let mut group = criterion.benchmark_group(format!("map[int]int of Go {version}, scattered keys"));
    group.sample_size(10).throughput(Throughput::Elements(ENTRIES.into()));
    for (name, hint) in [("insert, presized", u64::from(ENTRIES)), ("insert, growing", 0)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut heap = NoHeap::of(version);
                let mut map = Map::make(&mut heap, INT_INT, hint);
                map.insert_all(&mut heap, scattered(ENTRIES))
            });
        });
    }
    let (mut heap, mut map) = filled(version, ENTRIES);
    map.insert_all(&mut heap, scattered(ENTRIES));
    group.bench_function("lookup hit", |bencher| {
        bencher.iter(|| map.lookup_all(&mut heap, scattered(ENTRIES)));
    });
    group.bench_function("delete", |bencher| {
        bencher.iter_batched_ref(
            || filled(version, ENTRIES),
            |(heap, map)| map.delete_all(heap, scattered(ENTRIES)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, int_maps, scattered_keys);
criterion_main!(benches);
