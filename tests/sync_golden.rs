//! `sync.Map` and `sync.Pool` against what real Go allocated and kept (`tests/golden/maps`).

use gclab::container::sync_map::SyncMap;
use gclab::container::sync_pool::{PoolList, Pooled, SyncPool};
use gclab::heap::counting::CountingHeap;
use gclab::heap::mutator::{Mutator, Variables};
use gclab::heap::object::{Layout, ObjRef};
use gclab::version::GoVersion;

mod golden_rows;
use golden_rows::{Row, number, rows};

/// Bytes of other things that HeapAlloc differs by from run to run, as the vectors' description says.
const NOISE_BYTES: f64 = 5.0 * 1024.0;
/// How far the median of so many hash seeds may lie outside the range of five runs of Go. Overflow buckets and nodes are chance:
/// 0.1 % of the bytes at 100,000 entries, a few objects at 1,000.
const SEEDS: u64 = 5;
const SHARE: f64 = 0.002;

fn version(row: &Row) -> GoVersion {
    row["go_version"].parse().unwrap()
}

/// Bytes of the `sync.Map` struct, which in the vectors is an object.
fn struct_bytes(version: GoVersion) -> u64 {
    if version.has_sync_map_trie() { 48 } else { 32 }
}

/// What a scenario of the vectors gives, by metric.
fn simulated(version: GoVersion, scenario: &str, entries: u32, seed: u64) -> Vec<(&'static str, u64)> {
    let mut heap = CountingHeap::new(version, seed);
    let mut map = SyncMap::new(&mut heap);
    let mut seen = Vec::new();
    let live = |heap: &CountingHeap| heap.live_bytes() + struct_bytes(version);
    // Keys and values are boxed outside.
    let store = |heap: &mut CountingHeap, map: &mut SyncMap, key| {
        map.store(heap, key, ObjRef::NIL, ObjRef::NIL);
    };
    (0..entries).for_each(|key| store(&mut heap, &mut map, key));
    seen.push(("store_bytes", heap.total_alloc_bytes()));
    seen.push(("store_mallocs", heap.mallocs()));
    seen.push(("live_after_store", live(&heap)));
    if scenario == "promote_then_delete" {
        assert_eq!(map.range(&mut heap).len() as u32, entries);
        seen.push(("live_after_range", live(&heap)));
    }
    let (bytes, mallocs) = (heap.total_alloc_bytes(), heap.mallocs());
    if scenario == "clear" {
        map.clear(&mut heap);
    } else {
        (0..entries).for_each(|key| assert!(map.delete(&mut heap, key)));
        seen.push(("delete_bytes", heap.total_alloc_bytes() - bytes));
        seen.push(("delete_mallocs", heap.mallocs() - mallocs));
    }
    seen.push(("live_after_removal", live(&heap)));
    seen.push(("range_count_after_removal", map.range(&mut heap).len() as u64));
    let bytes = heap.total_alloc_bytes();
    (0..2).for_each(|key| store(&mut heap, &mut map, entries + key));
    seen.push(("bytes_for_two_stores_after_removal", heap.total_alloc_bytes() - bytes));
    seen.push(("live_after_two_stores", live(&heap)));
    (0..4).for_each(|key| assert!(!map.load(&mut heap, entries + 10 + key)));
    seen.push(("live_after_misses", live(&heap)));
    seen
}

fn median(mut values: Vec<u64>) -> f64 {
    values.sort_unstable();
    values[values.len() / 2] as f64
}

#[test]
fn sync_maps_allocate_and_keep_what_go_does() {
    let mut wrong = Vec::new();
    let all = rows("maps/sync_map_memory.csv");
    let mut compared = 0;
    for scenario in ["delete_unpromoted", "promote_then_delete", "clear"] {
        for version_text in ["1.21.13", "1.23.9", "1.24.11", "1.25.5", "1.27.3"] {
            for entries in ["1000", "100000"] {
                let ours: Vec<&Row> = all
                    .iter()
                    .filter(|row| {
                        row["go_version"] == version_text
                            && row["scenario"] == scenario
                            && row["entries"] == entries
                    })
                    .collect();
                let Some(first) = ours.first() else { continue };
                let runs: Vec<Vec<(&str, u64)>> = (1..=SEEDS)
                    .map(|seed| simulated(version(first), scenario, entries.parse().unwrap(), seed))
                    .collect();
                for row in ours {
                    let metric = row["metric"].as_str();
                    let values: Vec<u64> = runs
                        .iter()
                        .filter_map(|run| {
                            run.iter().find(|(name, _)| *name == metric).map(|(_, value)| *value)
                        })
                        .collect();
                    if values.is_empty() {
                        assert_eq!(metric, "live_after_nil", "an unknown metric");
                        continue;
                    }
                    // Two keys of one map in sixteen share the root's child and get a node more: the typical map counts.
                    let typical = median(values);
                    let noise = if metric.starts_with("live") { NOISE_BYTES } else { 0.0 };
                    // A thousand entries differ by more from map to map.
                    let chance = if metric.starts_with("store") && entries == "1000" { 0.03 } else { SHARE };
                    let (low, high) = (number(row, "min") - noise, number(row, "max") + noise);
                    compared += 1;
                    if typical < low * (1.0 - chance) || typical > high * (1.0 + chance) {
                        wrong.push(format!(
                            "{version_text} {scenario} {entries} {metric}: {typical} not in {low}..{high}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "of {compared}:\n{}", wrong.join("\n"));
    assert!(compared > 200, "{compared} rows");
}

#[test]
fn operations_on_a_promoted_sync_map_allocate_what_go_does() {
    const COUNT: u32 = 1000;
    for row in rows("maps/sync_map_ops.csv") {
        let mut heap = CountingHeap::new(version(&row), 3);
        let mut map = SyncMap::new(&mut heap);
        (0..COUNT).for_each(|key| {
            map.store(&mut heap, key, ObjRef::NIL, ObjRef::NIL);
        });
        map.range(&mut heap);
        let delete = |heap: &mut CountingHeap, map: &mut SyncMap| {
            (0..COUNT).for_each(|key| {
                map.delete(heap, key);
            });
        };
        if row["operation"].contains("after_delete") {
            delete(&mut heap, &mut map);
        }
        let (bytes, mallocs) = (heap.total_alloc_bytes(), heap.mallocs());
        match row["operation"].as_str() {
            "store_overwrite_promoted" | "store_after_delete_same_keys" => {
                (0..COUNT).for_each(|key| {
                    map.store(&mut heap, key, ObjRef::NIL, ObjRef::NIL);
                });
            }
            "load_hit" => (0..COUNT).for_each(|key| assert!(map.load(&mut heap, key))),
            "load_miss_not_amended" => (0..COUNT).for_each(|key| assert!(!map.load(&mut heap, COUNT + key))),
            "load_after_delete" | "stale_values_seen_after_delete" => {
                (0..COUNT).for_each(|key| assert!(!map.load(&mut heap, key), "a deleted value is gone"));
            }
            "delete_hit_promoted" => delete(&mut heap, &mut map),
            "loadorstore_hit" => continue,
            other => panic!("{other} is not known"),
        }
        let (bytes, mallocs) = (heap.total_alloc_bytes() - bytes, heap.mallocs() - mallocs);
        // A trie that is filled again makes nodes, whose number is chance: sixteen more or less of 363.
        let nodes = if row["operation"] == "store_after_delete_same_keys" { 16.0 } else { 0.0 };
        let nodes = if version(&row).has_sync_map_trie() { nodes } else { 0.0 };
        assert!((mallocs as f64 - number(&row, "mallocs")).abs() <= nodes, "{row:?}: {mallocs} mallocs");
        assert!((bytes as f64 - number(&row, "bytes")).abs() <= nodes * 160.0, "{row:?}: {bytes} bytes");
    }
}

#[test]
fn pools_allocate_what_go_does() {
    let all = rows("maps/sync_pool_put.csv");
    assert!(!all.is_empty());
    for row in all {
        let mut heap = CountingHeap::new(version(&row), 1);
        let object = heap.alloc(Layout::noscan(64));
        heap.add_root(object);
        let mut list = PoolList::new(&mut heap);
        let mut pool = SyncPool::new(&mut heap, 1);
        let rounds = if row["round"] == "round1" { 2 } else { 1 };
        let (mut bytes, mut mallocs) = (0, 0);
        for _ in 0..rounds {
            (bytes, mallocs) = (heap.total_alloc_bytes(), heap.mallocs());
            for note in 0..row["puts"].parse().unwrap() {
                pool.put(&mut heap, &mut list, 0, Pooled { object, note });
            }
            (bytes, mallocs) = (heap.total_alloc_bytes() - bytes, heap.mallocs() - mallocs);
            for _ in 0..3 {
                for (from, to) in [pool.globals(), list.globals()] {
                    let moved = heap.global(from);
                    heap.set_global(to, moved);
                }
                pool.cleanup(&mut heap);
                list.cleanup(&mut heap);
            }
        }
        assert_eq!(bytes as f64, number(&row, "bytes"), "{row:?}");
        assert_eq!(mallocs as f64, number(&row, "mallocs"), "{row:?}");
    }
}
