//! Behaviour of the bucketed map on the counting heap.

use std::collections::HashMap;

use proptest::prelude::*;

use super::bucket::BucketArray;
use super::recall::Recalled;
use super::{BucketMap, BucketMemory, GrowKind};
use crate::container::entry::Inserted;
use crate::container::map_type::{MapType, TypeDesc};
use crate::heap::counting::{Collections, CountingHeap};
use crate::heap::mutator::{Mutator, Operation};
use crate::heap::object::{Layout, ObjRef};
use crate::version::GoVersion;

const INT_INT: MapType = MapType::new(TypeDesc::INT, TypeDesc::INT);
const STRING_POINTER: MapType = MapType::new(TypeDesc::STRING, TypeDesc::POINTER);

fn heap() -> CountingHeap {
    CountingHeap::new(GoVersion::Go1_23, 42)
}

fn made(heap: &mut CountingHeap, map_type: MapType, hint: u64) -> BucketMap {
    let map = BucketMap::make(heap, map_type, hint);
    heap.add_root(map.hmap());
    map
}

fn filled(heap: &mut CountingHeap, map_type: MapType, hint: u64, count: u32) -> BucketMap {
    let mut map = made(heap, map_type, hint);
    map.insert_all(heap, 0..count);
    map
}

/// Checks one generation: that every key lies where its hash says and is recalled there.
fn check_array(map: &BucketMap, array: &BucketArray) -> u64 {
    let mut live = 0;
    for index in 0..array.main_count() {
        if map
            .growth
            .as_ref()
            .is_some_and(|growth| std::ptr::eq(array, &growth.array) && growth.is_evacuated(index))
        {
            continue;
        }
        for bucket in array.chain(index) {
            for slot in array.live(bucket) {
                let key = array.keys(bucket)[slot as usize];
                assert_eq!(array.index_of(map.seed.hash(key)), index);
                let recalled = if bucket == index { Recalled::Main(slot) } else { Recalled::Overflow };
                assert!([recalled, Recalled::Nothing].contains(&map.recall.of(key)), "key {key}");
                live += 1;
            }
        }
    }
    live
}

/// Checks everything that must hold between two operations.
fn check(map: &mut BucketMap) {
    map.write_keys();
    let old = map.growth.as_ref().map_or(0, |growth| check_array(map, &growth.array));
    assert_eq!(check_array(map, &map.current) + old, map.count, "count");
    if let Some(growth) = &map.growth {
        for index in 0..map.evacuated_below {
            assert!(growth.is_evacuated(index), "nevacuate passed bucket {index}");
        }
    }
}

#[test]
fn deleting_every_entry_frees_nothing() {
    let mut heap = heap();
    let mut map = filled(&mut heap, INT_INT, 1_000_000, 1_000_000);
    // 48 hmap + 40,108,032 array + 24 mapextra + 24 slice header + 49,152 pointers to overflow buckets.
    assert_eq!(heap.live_bytes(), 40_157_280);
    assert_eq!(map.delete_all(&mut heap, 0..1_000_000), 1_000_000);
    assert_eq!((map.len(), heap.live_bytes()), (0, 40_157_280));
    heap.remove_root(map.hmap());
    assert_eq!(heap.live_bytes(), 0, "only an unreachable map gives its memory back");
}

#[test]
fn clearing_frees_overflow_buckets_and_keeps_the_array() {
    let mut heap = heap();
    let mut map = filled(&mut heap, INT_INT, 1_000_000, 1_000_000);
    map.clear(&mut heap);
    // 48 hmap + 40,108,032 array + 24 mapextra.
    assert_eq!((map.len(), heap.live_bytes()), (0, 40_108_104));
    assert_eq!(map.geometry().spares_left, 16_384, "spares are free again");
}

#[test]
fn values_behind_pointers_go_when_their_entry_goes() {
    let mut heap = heap();
    let mut map = made(&mut heap, MapType::new(TypeDesc::INT, TypeDesc::POINTER), 1000);
    let empty_bytes = heap.live_bytes();
    for key in 0..1000 {
        let value = heap.alloc(Layout::noscan(64));
        heap.push_local(value);
        map.insert(&mut heap, key, &[], &[value]);
        heap.pop_local();
    }
    assert_eq!(heap.live_bytes(), empty_bytes + 64_000);
    map.delete_all(&mut heap, 0..500);
    assert_eq!(heap.live_bytes(), empty_bytes + 32_000);
}

#[test]
fn a_map_that_is_only_read_stays_half_grown() {
    let mut heap = heap();
    // 53 entries overload 8 buckets (52): the growth to 16 has begun, and 2 of 8 old buckets have moved.
    let mut map = filled(&mut heap, INT_INT, 0, 53);
    let before = map.geometry();
    assert_eq!(before.growing, Some(GrowKind::Double));
    assert_eq!(map.lookup_all(&mut heap, 0..1000), 53);
    map.range(&mut heap, |_, _| ());
    assert_eq!(map.geometry(), before);
    // Four writes move at least one old bucket each; eight suffice.
    map.insert_all(&mut heap, 0..8);
    assert_eq!((map.geometry().growing, map.geometry().evacuated_below), (None, 8));
    check(&mut map);
}

#[test]
fn an_update_of_a_large_value_reuses_its_object() {
    let mut heap = heap();
    let mut map = made(&mut heap, MapType::new(TypeDesc::INT, TypeDesc::memory(200)), 0);
    assert_eq!(map.insert(&mut heap, 1, &[], &[]), Inserted::New);
    // hmap, bucket, value.
    assert_eq!((heap.mallocs(), heap.total_alloc_bytes()), (3, 48 + 144 + 208));
    assert_eq!(map.insert(&mut heap, 1, &[], &[]), Inserted::Updated);
    assert_eq!(heap.mallocs(), 3);
    map.delete(&mut heap, 1);
    assert_eq!(heap.live_bytes(), 48 + 144);
}

#[test]
fn a_string_key_is_replaced_by_the_equal_one_that_updates_it() {
    let mut heap = heap();
    let mut map = made(&mut heap, MapType::new(TypeDesc::STRING, TypeDesc::INT), 0);
    let mut live_with = |size_bytes| {
        let text = heap.alloc(Layout::noscan(size_bytes));
        heap.push_local(text);
        map.insert(&mut heap, 7, &[text], &[]);
        heap.pop_local();
        heap.live_bytes()
    };
    // hmap + bucket of 208 B + the text.
    assert_eq!(live_with(512), 48 + 208 + 512);
    assert_eq!(live_with(16), 48 + 208 + 16, "the first text is garbage");
}

#[test]
fn elem_pointers_are_read_back_wherever_the_entry_is() {
    let mut heap = heap();
    let mut map = made(&mut heap, STRING_POINTER, 0);
    let mut values = Vec::new();
    for key in 0..500 {
        let value = heap.alloc(Layout::noscan(16));
        heap.add_root(value);
        values.push(value);
        map.insert(&mut heap, key, &[value], &[value]);
        for probe in 0..=key {
            let found = map.elem_pointers(&heap, probe);
            assert_eq!(found.as_deref(), Some(&values[probe as usize..=probe as usize]));
        }
    }
    assert_eq!(map.elem_pointers(&heap, 500), None);
}

#[test]
fn ranging_over_a_pointer_free_map_allocates_its_overflow_slice() {
    let mut heap = heap();
    let mut map = filled(&mut heap, INT_INT, 0, 5);
    let before = heap.total_alloc_bytes();
    let mut seen = Vec::new();
    map.range(&mut heap, |_, key| seen.push(key));
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
    assert_eq!(heap.total_alloc_bytes() - before, 24 + 24);
    map.range(&mut heap, |_, _| ());
    assert_eq!(heap.total_alloc_bytes() - before, 24 + 24, "only the first loop pays");
}

#[test]
fn a_range_loop_keeps_the_next_growth_from_dropping_old_chains() {
    let live_in_growth = |ranges: u32| {
        let mut heap = heap();
        let mut map = made(&mut heap, MapType::new(TypeDesc::INT, TypeDesc::POINTER), 0);
        map.insert_all(&mut heap, 0..26_624);
        for _ in 0..ranges {
            map.range(&mut heap, |_, _| ());
        }
        map.insert_all(&mut heap, 26_624..28_000);
        assert_eq!(map.geometry().growing, Some(GrowKind::Double));
        heap.live_bytes()
    };
    assert!(live_in_growth(1) > live_in_growth(0) + 100 * 144, "old overflow buckets are held");
}

#[test]
fn steady_churn_ends_in_a_growth_of_the_same_size() {
    let mut heap = heap();
    let mut map = filled(&mut heap, INT_INT, 100, 100);
    let log2_bucket_count = map.geometry().log2_bucket_count;
    let mut same_size_growths = 0;
    for key in 100..20_000 {
        let was_growing = map.geometry().growing.is_some();
        map.delete(&mut heap, key - 100);
        map.insert(&mut heap, key, &[], &[]);
        same_size_growths += u32::from(!was_growing && map.geometry().growing == Some(GrowKind::SameSize));
        if key % 64 == 0 {
            check(&mut map);
        }
    }
    assert!(same_size_growths > 2, "{same_size_growths}");
    assert_eq!(map.geometry().log2_bucket_count, log2_bucket_count);
}

#[test]
fn large_maps_sample_their_overflow_count() {
    let mut heap = heap();
    let mut map = filled(&mut heap, MapType::new(TypeDesc::INT, TypeDesc::EMPTY_STRUCT), 851_968, 851_968);
    let geometry = map.geometry();
    assert_eq!(geometry.log2_bucket_count, 17);
    let spares = 8192;
    let real = geometry.malloced_overflow_buckets + spares;
    // At B = 17 one in four is counted: binomial with a standard deviation of about 75 at 27,000 overflow buckets.
    let counted = u32::from(geometry.overflow_count) * 4;
    assert!(real.abs_diff(counted) < 4 * 5 * 75, "counted {counted} of {real}");
    assert!(map.chain(0).next().is_some_and(|bucket| bucket.memory == BucketMemory::Main));
}

#[test]
fn a_map_that_does_not_escape_lives_in_its_frame() {
    let mut heap = heap().collecting(Collections::BeforeEveryAllocation);
    let mut map = BucketMap::make_on_stack(&mut heap, INT_INT, 0);
    for key in 0..8 {
        map.insert(&mut heap, key, &[], &[]);
    }
    assert_eq!(heap.mallocs(), 0);
    for key in 8..1000 {
        map.frame_pointers().into_iter().for_each(|pointer| heap.push_local(pointer));
        map.insert(&mut heap, key, &[], &[]);
        (0..3).for_each(|_| heap.pop_local());
    }
    check(&mut map);
    assert_eq!((map.len(), heap.locals()), (1000, 0));
}

#[test]
fn a_collection_before_any_allocation_loses_nothing() {
    for map_type in [
        INT_INT,
        STRING_POINTER,
        MapType::new(TypeDesc::memory(200), TypeDesc::INT),
        MapType::new(
            TypeDesc::INT,
            TypeDesc::with_pointers(136, 2, 128, super::super::map_type::Equality::Memory),
        ),
    ] {
        for version in GoVersion::ALL {
            let mut heap = CountingHeap::new(version, 3).collecting(Collections::BeforeEveryAllocation);
            let mut map = made(&mut heap, map_type, 0);
            for key in 0..400 {
                map.insert(&mut heap, key, &[], &[]);
                if key % 3 == 0 {
                    map.delete(&mut heap, key / 2);
                }
                if key == 200 {
                    map.range(&mut heap, |_, _| ());
                }
                if key == 300 {
                    map.clear(&mut heap);
                }
            }
            check(&mut map);
            assert_eq!(heap.locals(), 0);
        }
    }
}

#[test]
fn bulk_operations_do_what_single_ones_do() {
    let single = |heap: &mut CountingHeap, map: &mut BucketMap| {
        (0..3000).for_each(|key| {
            map.insert(heap, key, &[], &[]);
        });
        (0..3100).for_each(|key| {
            map.delete(heap, key);
        });
        (5..700).for_each(|key| {
            map.insert(heap, key, &[], &[]);
        });
    };
    let bulk = |heap: &mut CountingHeap, map: &mut BucketMap| {
        assert_eq!(map.insert_all(heap, 0..3000), 3000);
        assert_eq!(map.delete_all(heap, 0..3100), 3000);
        assert_eq!(map.insert_all(heap, 5..700), 695);
    };
    let outcome = |run: &dyn Fn(&mut CountingHeap, &mut BucketMap)| {
        let mut heap = heap();
        let mut map = made(&mut heap, INT_INT, 0);
        run(&mut heap, &mut map);
        let chains: Vec<_> = {
            let count = map.current.main_count();
            (0..count).flat_map(|index| map.chain(index).collect::<Vec<_>>()).collect()
        };
        (map.geometry(), chains, heap.total_alloc_bytes(), heap.mallocs(), heap.live_bytes())
    };
    assert_eq!(outcome(&single), outcome(&bulk));
}

#[test]
fn bulk_operations_are_paid_for() {
    let mut heap = heap();
    let mut map = filled(&mut heap, INT_INT, 0, 1000);
    map.insert_all(&mut heap, 0..10);
    map.lookup_all(&mut heap, 990..1010);
    map.range(&mut heap, |_, _| ());
    map.delete_all(&mut heap, 0..400);
    map.clear(&mut heap);
    let spent = |operation| heap.spent(operation);
    assert_eq!((spent(Operation::MapInsert), spent(Operation::MapUpdate)), (1000, 10));
    assert_eq!((spent(Operation::MapLookupHit), spent(Operation::MapLookupMiss)), (10, 10));
    assert_eq!((spent(Operation::MapIterate), spent(Operation::MapDelete)), (1000, 400));
    assert_eq!(spent(Operation::MapClear), 600);
    // Growths at 9, 14, 27, 53, 105, 209, 417 and 833 entries moved 8 + 13 + 26 + 52 + 104 + 208 + 416 + 832 entries; of
    // the last growth, from 128 buckets, 168 inserts have moved everything.
    assert_eq!(spent(Operation::MapEvacuate), 1659);
}

#[test]
fn the_host_needs_less_than_half_of_the_simulated_memory() {
    let mut heap = heap();
    for hint in [1_000_000, 0] {
        let map = filled(&mut heap, INT_INT, hint, 1_000_000);
        assert!(map.memory_bytes() < 40_000_000 / 2, "{} B", map.memory_bytes());
    }
}

#[test]
fn impossible_hints_count_as_none() {
    let mut heap = heap();
    let map = BucketMap::make(&mut heap, INT_INT, u64::MAX);
    assert_eq!((map.geometry().log2_bucket_count, heap.total_alloc_bytes()), (0, 48));
}

/// Keys that lie too far apart for a table are searched for, with the same outcome.
#[test]
fn keys_far_apart_are_found_too() {
    let mut heap = heap();
    let mut map = made(&mut heap, INT_INT, 0);
    let keys: Vec<u32> = (0..2_000).map(|number| number * 2_000_003).collect();
    assert_eq!(map.insert_all(&mut heap, keys.iter().copied()), 2_000);
    assert_eq!(map.recall.of(1), Recalled::Nothing);
    check_array(&map, &map.current);
    assert_eq!(map.insert_all(&mut heap, keys.iter().copied()), 0);
    assert_eq!(map.lookup_all(&mut heap, keys.iter().map(|key| key + 1)), 0);
    assert_eq!(map.delete_all(&mut heap, keys.iter().copied().step_by(2)), 1_000);
    assert_eq!(map.lookup_all(&mut heap, keys.iter().copied()), 1_000);
    assert!(map.memory_bytes() < 200_000, "{} B", map.memory_bytes());
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u32),
    InsertMany(u32, u32),
    Delete(u32),
    DeleteMany(u32, u32),
    Clear,
    Range,
    RangeDelete,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..600u32;
    prop_oneof![
        20 => key.clone().prop_map(Step::Insert),
        6 => (key.clone(), 1..300u32).prop_map(|(from, count)| Step::InsertMany(from, count)),
        20 => key.clone().prop_map(Step::Delete),
        4 => (key, 1..300u32).prop_map(|(from, count)| Step::DeleteMany(from, count)),
        1 => Just(Step::Clear),
        2 => Just(Step::Range),
        1 => Just(Step::RangeDelete),
    ]
}

/// Applies one step to the map and to a plain hash map from keys to elem pointers.
fn apply(step: Step, heap: &mut CountingHeap, map: &mut BucketMap, model: &mut HashMap<u32, ObjRef>) {
    let with_pointers = map.map_type().elem().pointer_slots > 0;
    match step {
        Step::Insert(key) => {
            let value = heap.alloc(Layout::noscan(32));
            heap.push_local(value);
            let pointers = if with_pointers { vec![value] } else { vec![] };
            let inserted = map.insert(heap, key, &[], &pointers);
            heap.pop_local();
            let expected = if model.insert(key, value).is_some() { Inserted::Updated } else { Inserted::New };
            assert_eq!(inserted, expected);
        }
        Step::InsertMany(from, count) => {
            let new = (from..from + count).filter(|key| model.insert(*key, ObjRef::NIL).is_none()).count();
            assert_eq!(map.insert_all(heap, from..from + count), new as u64);
        }
        Step::Delete(key) => assert_eq!(map.delete(heap, key), model.remove(&key).is_some()),
        Step::DeleteMany(from, count) => {
            let gone = (from..from + count).filter(|key| model.remove(key).is_some()).count();
            assert_eq!(map.delete_all(heap, from..from + count), gone as u64);
        }
        Step::Clear => {
            map.clear(heap);
            model.clear();
        }
        Step::Range => {
            let mut seen = Vec::new();
            map.range(heap, |_, key| seen.push(key));
            seen.sort_unstable();
            let mut expected: Vec<u32> = model.keys().copied().collect();
            expected.sort_unstable();
            assert_eq!(seen, expected);
        }
        Step::RangeDelete => {
            map.range_delete(heap);
            model.clear();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_sequence_of_operations_agrees_with_a_plain_hash_map(
        steps in prop::collection::vec(step(), 1..120),
        seed in any::<u64>(),
        type_index in 0..5usize,
        version_index in 0..2usize,
    ) {
        let map_type = [
            INT_INT,
            MapType::new(TypeDesc::FLOAT64, TypeDesc::EMPTY_STRUCT),
            STRING_POINTER,
            MapType::new(TypeDesc::memory(129), TypeDesc::POINTER),
            MapType::new(TypeDesc::ANY, TypeDesc::memory(300)),
        ][type_index];
        let mut heap = CountingHeap::new(GoVersion::ALL[version_index], seed)
            .collecting(Collections::BeforeEveryAllocation);
        let mut map = made(&mut heap, map_type, seed % 50);
        let mut model = HashMap::new();
        for step in steps {
            apply(step, &mut heap, &mut map, &mut model);
            check(&mut map);
            prop_assert_eq!(map.len(), model.len() as u64);
        }
        for key in 0..900 {
            prop_assert_eq!(map.contains(key), model.contains_key(&key));
            if map_type.elem().pointer_slots > 0 {
                let expected = model.get(&key).map(|value| vec![*value]);
                prop_assert_eq!(map.elem_pointers(&heap, key), expected);
            }
        }
        prop_assert_eq!(heap.locals(), 0);
    }
}

/// A map of one array leaves its keys unwritten until somebody looks. One that is looked at all the time and one that is
/// not must agree on everything: numbers, slots, allocations.
#[test]
fn keys_left_unwritten_are_invisible() {
    enum Step {
        Insert(std::ops::Range<u32>),
        Delete(std::ops::Range<u32>),
    }
    let steps = [
        ("filled", Step::Insert(100..90_000)),
        ("half deleted", Step::Delete(100..50_000)),
        ("more", Step::Insert(95_000..99_000)),
        ("emptied", Step::Delete(0..100_000)),
    ];
    let (mut bulk_heap, mut single_heap) = (heap(), heap());
    let mut bulk = made(&mut bulk_heap, INT_INT, 100_000);
    let mut single = made(&mut single_heap, INT_INT, 100_000);
    single.write_keys();
    for (name, step) in steps {
        match step {
            Step::Insert(keys) => {
                let new = bulk.insert_all(&mut bulk_heap, keys.clone());
                let singly =
                    keys.filter(|key| single.insert(&mut single_heap, *key, &[], &[]) == Inserted::New);
                assert_eq!(new, singly.count() as u64, "{name}");
            }
            Step::Delete(keys) => {
                let deleted = bulk.delete_all(&mut bulk_heap, keys.clone());
                let singly = keys.filter(|key| single.delete(&mut single_heap, *key));
                assert_eq!(deleted, singly.count() as u64, "{name}");
            }
        }
        assert_eq!(bulk.len(), single.len(), "{name}");
        for key in (0..100_000).step_by(997) {
            assert_eq!(bulk.contains(key), single.contains(key), "{name}: {key}");
        }
        assert_eq!(bulk.geometry(), single.geometry(), "{name}");
        assert_eq!(bulk_heap.total_alloc_bytes(), single_heap.total_alloc_bytes(), "{name}");
        assert_eq!(bulk_heap.mallocs(), single_heap.mallocs(), "{name}");

        for index in 0..bulk.current.main_count() {
            let views: Vec<_> = bulk.chain(index).collect();
            assert_eq!(views, single.chain(index).collect::<Vec<_>>(), "{name}: bucket {index}");
        }
    }
}
