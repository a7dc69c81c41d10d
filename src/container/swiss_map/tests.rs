//! Behaviour of the Swiss map on the counting heap.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::SwissMap;
use super::table::MAX_TABLE_SLOTS;
use crate::container::entry::Inserted;
use crate::container::map_type::{Equality, MapType, TypeDesc};
use crate::heap::counting::{Collections, CountingHeap};
use crate::heap::mutator::{Mutator, Operation};
use crate::heap::object::{Layout, ObjRef};
use crate::heap::size_class::charged_bytes;
use crate::version::GoVersion;

const INT_INT: MapType = MapType::new(TypeDesc::INT, TypeDesc::INT);
const STRING_POINTER: MapType = MapType::new(TypeDesc::STRING, TypeDesc::POINTER);
const VERSIONS: [GoVersion; 3] = [GoVersion::Go1_24, GoVersion::Go1_25, GoVersion::Go1_27];

fn heap() -> CountingHeap {
    CountingHeap::new(GoVersion::Go1_25, 42)
}

fn made(heap: &mut CountingHeap, map_type: MapType, hint: u64) -> SwissMap {
    let map = SwissMap::make(heap, map_type, hint);
    heap.add_root(map.map_object());
    map
}

fn filled(heap: &mut CountingHeap, map_type: MapType, hint: u64, count: u32) -> SwissMap {
    let mut map = made(heap, map_type, hint);
    map.insert_all(heap, 0..count);
    map
}

/// Checks everything that must hold between two operations.
fn check(map: &mut SwissMap) {
    map.write_keys();
    let mut live = 0;
    for (number, table) in map.tables.iter().enumerate() {
        assert_eq!(table.entries().count() as u32, table.used());
        live += u64::from(table.used());
        for (group, slot) in table.entries() {
            let key = table.keys(group)[slot as usize];
            let hash = map.seed.hash(key);
            assert_eq!(map.table_of(hash), Some(number), "table of key {key}");
            let found = table.find(hash, key).unwrap_or_else(|| panic!("no probe finds key {key}"));
            assert_eq!((found.group, found.slot), (group, slot));
            assert_eq!(map.slot_of(number, hash, key), Some(found), "recalled elsewhere");
        }
        if map.is_small() {
            continue;
        }
        let free = |closed| {
            let groups = (0..table.group_count()).filter(move |group| table.is_closed(*group) == closed);
            groups.map(|group| table.live(group).free_count()).sum::<u32>()
        };
        assert_eq!(free(true), table.tombstones(), "free slots of closed groups are tombstones");
        assert!(free(false) >= table.capacity() / 8, "an eighth stays empty: {} do", free(false));
        assert!(table.capacity() <= MAX_TABLE_SLOTS);
        for index in table.first_index..table.first_index + map.directory.entries_of(table.local_depth) {
            assert_eq!(map.directory.table_at(index), number);
        }
    }
    assert_eq!(live, map.count, "count");
}

/// A check of small numbers: the directory's entries are as many as its tables say.
fn entries_of_all_tables(map: &SwissMap) -> u32 {
    map.tables.iter().map(|table| map.directory.entries_of(table.local_depth)).sum()
}

#[test]
fn deleting_or_clearing_every_entry_frees_nothing() {
    for version in VERSIONS {
        let mut heap = CountingHeap::new(version, 42);
        let mut map = filled(&mut heap, INT_INT, 1_000_000, 1_000_000);
        // 48 Map + 18,432 directory + 2048 * (32 table + 18,432 groups).
        assert_eq!(heap.live_bytes(), 37_832_752);
        assert_eq!(map.delete_all(&mut heap, 0..1_000_000), 1_000_000);
        assert_eq!((map.len(), heap.live_bytes()), (0, 37_832_752));
        map.insert_all(&mut heap, 0..500_000);
        map.clear(&mut heap);
        assert_eq!((map.len(), heap.live_bytes()), (0, 37_832_752));
        assert_eq!(map.geometry().tombstones, 0);
        heap.remove_root(map.map_object());
        assert_eq!(heap.live_bytes(), 0, "only an unreachable map gives its memory back");
    }
}

#[test]
fn a_map_made_to_size_writes_every_group_but_keys_only_when_asked() {
    let mut heap = heap();
    let mut map = made(&mut heap, INT_INT, 100_000);
    // 128 tables of 128 groups: Map, tables, directory; of each array all but the slots of the last group.
    assert_eq!(heap.touched_bytes(), 48 + 128 * (32 + 8 + 127 * 136 + 8));
    map.insert_all(&mut heap, 0..100_000);
    assert!(!map.keys_are_written);
    check(&mut map);
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
fn an_update_of_a_large_value_reuses_its_object() {
    let mut heap = heap();
    let mut map = made(&mut heap, MapType::new(TypeDesc::INT, TypeDesc::memory(200)), 0);
    assert_eq!(map.insert(&mut heap, 1, &[], &[]), Inserted::New);
    // Map, group, value.
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
    // Map + group of 200 B in a slot of 208 + the text.
    assert_eq!(live_with(512), 48 + 208 + 512);
    assert_eq!(live_with(16), 48 + 208 + 16, "the first text is garbage");
}

#[test]
fn an_update_of_a_full_small_map_makes_a_table_up_to_1_25() {
    for (version, mallocs) in [(GoVersion::Go1_24, 5), (GoVersion::Go1_25, 5), (GoVersion::Go1_27, 2)] {
        let mut heap = CountingHeap::new(version, 1);
        let mut map = filled(&mut heap, INT_INT, 0, 8);
        assert_eq!(heap.mallocs(), 2, "Map and group");
        assert_eq!(map.insert(&mut heap, 3, &[], &[]), Inserted::Updated);
        assert_eq!(heap.mallocs(), mallocs, "{version}");
        check(&mut map);
    }
}

#[test]
fn steady_churn_doubles_a_map_in_1_24_and_not_since() {
    for (version, tables) in [(GoVersion::Go1_24, 4), (GoVersion::Go1_25, 2), (GoVersion::Go1_27, 2)] {
        let mut heap = CountingHeap::new(version, 9);
        let mut map = filled(&mut heap, INT_INT, 1000, 1000);
        assert_eq!(map.geometry().tables, 2);
        for key in 1000..17_000 {
            map.delete(&mut heap, key - 1000);
            map.insert(&mut heap, key, &[], &[]);
        }
        check(&mut map);
        assert_eq!(map.geometry().tables, tables, "{version}");
    }
}

#[test]
fn pointer_keys_are_not_pruned_in_1_25() {
    let pointers = MapType::new(TypeDesc::POINTER, TypeDesc::INT);
    for (version, tables) in [(GoVersion::Go1_25, 4), (GoVersion::Go1_27, 2)] {
        let mut heap = CountingHeap::new(version, 9);
        let mut map = filled(&mut heap, pointers, 1000, 1000);
        for key in 1000..17_000 {
            map.delete(&mut heap, key - 1000);
            map.insert(&mut heap, key, &[], &[]);
        }
        assert_eq!(map.geometry().tables, tables, "{version}");
    }
}

#[test]
fn clear_of_an_empty_map_removes_its_tombstones_since_1_25() {
    for version in VERSIONS {
        let mut heap = CountingHeap::new(version, 5);
        let mut map = filled(&mut heap, INT_INT, 0, 800);
        map.delete_all(&mut heap, 0..800);
        let left = map.geometry().tombstones;
        assert!(left > 0);
        map.clear(&mut heap);
        let expected = if version == GoVersion::Go1_24 { left } else { 0 };
        assert_eq!(map.geometry().tombstones, expected, "{version}");
    }
}

#[test]
fn ranging_allocates_nothing_and_visits_every_key_once_in_changing_order() {
    let mut heap = heap();
    for count in [5, 100, 5000] {
        let mut map = filled(&mut heap, INT_INT, 0, count);
        let before = heap.total_alloc_bytes();
        let mut loops = Vec::new();
        for _ in 0..2 {
            let mut seen = Vec::new();
            map.range(&mut heap, |_, key| seen.push(key));
            loops.push(seen);
        }
        assert_eq!(heap.total_alloc_bytes(), before);
        assert!(count == 5 || loops[0] != loops[1], "two orders of {count}");
        for mut seen in loops {
            seen.sort_unstable();
            assert_eq!(seen, Vec::from_iter(0..count));
        }
    }
}

#[test]
fn a_map_that_does_not_escape_lives_in_its_frame() {
    let mut heap = heap().collecting(Collections::BeforeEveryAllocation);
    let mut map = SwissMap::make_on_stack(&mut heap, INT_INT, 0);
    for key in 0..8 {
        map.insert(&mut heap, key, &[], &[]);
    }
    assert_eq!(heap.mallocs(), 0);
    for key in 8..2000 {
        heap.push_local(map.frame_pointer());
        map.insert(&mut heap, key, &[], &[]);
        heap.pop_local();
    }
    check(&mut map);
    assert_eq!((map.len(), heap.locals()), (2000, 0));
}

#[test]
fn bulk_operations_are_paid_for() {
    let mut heap = heap();
    let mut map = filled(&mut heap, INT_INT, 0, 800);
    map.insert_all(&mut heap, 0..10);
    map.lookup_all(&mut heap, 790..810);
    map.range(&mut heap, |_, _| ());
    map.delete_all(&mut heap, 0..400);
    map.clear(&mut heap);
    let spent = |operation| heap.spent(operation);
    assert_eq!((spent(Operation::MapInsert), spent(Operation::MapUpdate)), (800, 10));
    assert_eq!((spent(Operation::MapLookupHit), spent(Operation::MapLookupMiss)), (10, 10));
    assert_eq!((spent(Operation::MapIterate), spent(Operation::MapDelete)), (800, 400));
    assert_eq!(spent(Operation::MapClear), 400);
    // Tables of 16, 32, ... 1024 slots took over at 9, 15, 29, 57, 113, 225 and 449 entries.
    assert_eq!(spent(Operation::MapEvacuate), 8 + 14 + 28 + 56 + 112 + 224 + 448);
}

#[test]
fn the_host_needs_a_small_part_of_the_simulated_memory() {
    let mut heap = heap();
    for (hint, part) in [(1_000_000, 16), (0, 3)] {
        let map = filled(&mut heap, INT_INT, hint, 1_000_000);
        assert!(map.memory_bytes() < 37_832_752 / part, "{} B", map.memory_bytes());
    }
}

#[test]
fn impossible_hints_count_as_none() {
    for hint in [u64::MAX, u64::MAX / 8, 1 << 45] {
        let mut heap = heap();
        let map = SwissMap::make(&mut heap, INT_INT, hint);
        assert_eq!((map.geometry().tables, heap.total_alloc_bytes()), (0, 48), "{hint}");
    }
}

/// Keys that lie too far apart for a table are searched for, with the same outcome.
#[test]
fn keys_far_apart_are_found_too() {
    let mut heap = heap();
    let mut map = made(&mut heap, INT_INT, 0);
    let keys: Vec<u32> = (0..2_000).map(|number| number * 2_000_003).collect();
    assert_eq!(map.insert_all(&mut heap, keys.iter().copied()), 2_000);
    assert_eq!(map.recalled(1), None);
    check(&mut map);
    assert_eq!(map.insert_all(&mut heap, keys.iter().copied()), 0);
    assert_eq!(map.lookup_all(&mut heap, keys.iter().map(|key| key + 1)), 0);
    assert_eq!(map.delete_all(&mut heap, keys.iter().copied().step_by(2)), 1_000);
    assert_eq!(map.lookup_all(&mut heap, keys.iter().copied()), 1_000);
    assert!(map.memory_bytes() < 200_000, "{} B", map.memory_bytes());
}

/// A byte names the first 31 groups of a probe. Entries behind them are searched for; here all are made to look so.
#[test]
fn entries_too_far_along_their_probe_are_searched_for() {
    let far = super::recall::place_byte(super::table::Slot { group: 0, slot: 7, step: 31 });
    let mut heap = heap();
    let mut map = filled(&mut heap, STRING_POINTER, 0, 5_000);
    (0..5_000).for_each(|key| map.places.put(key, far));
    assert_eq!(map.insert_all(&mut heap, 2_000..6_000), 1_000);
    assert_eq!(map.delete_all(&mut heap, (0..7_000).step_by(2)), 3_000);
    assert_eq!(map.lookup_all(&mut heap, 0..6_000), 3_000);
    assert_eq!(map.elem_pointers(&heap, 4_999), Some(vec![ObjRef::NIL]));
    (1..5_000).step_by(2).for_each(|key| {
        let hash = map.seed.hash(key);
        let number = map.table_of(hash).expect("a table");
        let found = map.tables[number].find(hash, key);
        assert!(found.is_some() && map.slot_of(number, hash, key) == found, "key {key}");
    });
}

/// A map that is looked at all the time and one whose keys stay unwritten must agree on everything.
#[test]
fn keys_left_unwritten_are_invisible() {
    let (mut lazy_heap, mut eager_heap) = (heap(), heap());
    let mut lazy = made(&mut lazy_heap, INT_INT, 100_000);
    let mut eager = made(&mut eager_heap, INT_INT, 100_000);
    for (inserted, deleted) in [(100..80_000, 100..40_000), (90_000..99_000, 0..100_000), (0..110_000, 5..6)]
    {
        for (heap, map) in [(&mut lazy_heap, &mut lazy), (&mut eager_heap, &mut eager)] {
            map.insert_all(heap, inserted.clone());
            map.delete_all(heap, deleted.clone());
        }
        eager.write_keys();
        assert_eq!(lazy.geometry(), eager.geometry());
        assert_eq!(lazy_heap.total_alloc_bytes(), eager_heap.total_alloc_bytes());
        assert!((0..120_000).step_by(97).all(|key| lazy.contains(key) == eager.contains(key)));
    }
    for index in 0..lazy.directory.len() {
        assert!(lazy.groups(index).eq(eager.groups(index)), "table {index}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u32),
    InsertMany(u32, u32),
    Delete(u32),
    DeleteMany(u32, u32),
    Churn(u32),
    Clear,
    Range,
    RangeDelete,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..3000u32;
    prop_oneof![
        20 => key.clone().prop_map(Step::Insert),
        8 => (key.clone(), 1..1500u32).prop_map(|(from, count)| Step::InsertMany(from, count)),
        20 => key.clone().prop_map(Step::Delete),
        4 => (key.clone(), 1..1500u32).prop_map(|(from, count)| Step::DeleteMany(from, count)),
        4 => key.prop_map(Step::Churn),
        1 => Just(Step::Clear),
        2 => Just(Step::Range),
        1 => Just(Step::RangeDelete),
    ]
}

/// Inserts a key with a value of its own, if elems have pointers.
fn insert_one(heap: &mut CountingHeap, map: &mut SwissMap, model: &mut BTreeMap<u32, ObjRef>, key: u32) {
    let value = heap.alloc(Layout::noscan(32));
    heap.push_local(value);
    let pointers = if map.map_type().elem().pointer_slots > 0 { vec![value] } else { vec![] };
    let inserted = map.insert(heap, key, &[], &pointers);
    heap.pop_local();
    let expected = if model.insert(key, value).is_some() { Inserted::Updated } else { Inserted::New };
    assert_eq!(inserted, expected);
}

/// Applies one step to the map and to a plain ordered map from keys to elem pointers.
fn apply(step: Step, heap: &mut CountingHeap, map: &mut SwissMap, model: &mut BTreeMap<u32, ObjRef>) {
    match step {
        Step::Insert(key) => insert_one(heap, map, model, key),
        Step::InsertMany(from, count) => {
            let new = (from..from + count).filter(|key| model.insert(*key, ObjRef::NIL).is_none()).count();
            assert_eq!(map.insert_all(heap, from..from + count), new as u64);
        }
        Step::Delete(key) => assert_eq!(map.delete(heap, key), model.remove(&key).is_some()),
        Step::DeleteMany(from, count) => {
            let gone = (from..from + count).filter(|key| model.remove(key).is_some()).count();
            assert_eq!(map.delete_all(heap, from..from + count), gone as u64);
        }
        Step::Churn(from) => {
            for key in from..from + 200 {
                insert_one(heap, map, model, key);
                let (oldest, _) = model.pop_first().expect("just inserted");
                assert!(map.delete(heap, oldest));
            }
        }
        Step::Clear => {
            map.clear(heap);
            model.clear();
        }
        Step::Range => {
            let mut seen = Vec::new();
            map.range(heap, |_, key| seen.push(key));
            seen.sort_unstable();
            assert!(seen.iter().eq(model.keys()), "a loop visits every key once");
        }
        Step::RangeDelete => {
            map.range_delete(heap);
            model.clear();
        }
    }
}

/// Bytes that the map's own structure takes: everything but the values that entries refer to.
fn structure_bytes(heap: &CountingHeap, model: &BTreeMap<u32, ObjRef>, with_pointers: bool) -> u64 {
    let values = model.values().filter(|value| with_pointers && !value.is_nil()).count() as u64;
    heap.live_bytes() - 32 * values
}

/// Charged bytes of header, directory, tables and groups.
fn own_bytes(map: &SwissMap, version: GoVersion) -> u64 {
    let charged = |layout| charged_bytes(version, layout);
    let directory_bytes = 8 * u64::from(map.directory.len());
    let directory = if map.is_small() {
        0
    } else {
        charged(Layout::scan(directory_bytes, map.directory.len(), directory_bytes))
    };
    let tables = map.tables.iter().map(|table| {
        let groups = charged(map.group_type.groups_layout(table.group_count()));
        groups + if table.object.is_nil() { 0 } else { charged(super::table::TABLE) }
    });
    48 + directory + tables.sum::<u64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What the map holds is what the model holds, and what the collector can reach from the map is its tables and exactly
    /// the values of the entries in it: values that were deleted, replaced or cleared are garbage at every moment.
    #[test]
    fn any_sequence_of_operations_agrees_with_a_plain_ordered_map(
        steps in prop::collection::vec(step(), 1..60),
        seed in any::<u64>(),
        type_index in 0..6usize,
        version_index in 0..3usize,
        collects_always in any::<bool>(),
    ) {
        let map_type = [
            INT_INT,
            MapType::new(TypeDesc::FLOAT64, TypeDesc::EMPTY_STRUCT),
            STRING_POINTER,
            MapType::new(TypeDesc::POINTER, TypeDesc::POINTER),
            MapType::new(TypeDesc::memory(129), TypeDesc::POINTER),
            MapType::new(TypeDesc::INT, TypeDesc::with_pointers(136, 1, 128, Equality::Memory)),
        ][type_index];
        let with_pointers = map_type.elem().pointer_slots > 0;
        let collections =
            if collects_always { Collections::BeforeEveryAllocation } else { Collections::OnRequest };
        // Collecting before every allocation is slow: short programs only.
        let steps = if collects_always { &steps[..steps.len().min(6)] } else { &steps[..] };
        let mut heap = CountingHeap::new(VERSIONS[version_index], seed).collecting(collections);
        let mut map = made(&mut heap, map_type, seed % 1500);
        let mut model = BTreeMap::new();
        for step in steps {
            apply(*step, &mut heap, &mut map, &mut model);
            check(&mut map);
            prop_assert_eq!(map.len(), model.len() as u64);
            let structure = structure_bytes(&heap, &model, with_pointers);
            let indirect = [map_type.stored_key().indirect, map_type.stored_elem().indirect];
            let indirect_bytes: u64 = indirect
                .iter()
                .flatten()
                .map(|layout| charged_bytes(VERSIONS[version_index], *layout))
                .sum();
            prop_assert_eq!(structure, own_bytes(&map, VERSIONS[version_index]) + map.len() * indirect_bytes);
            if !map.is_small() {
                prop_assert_eq!(entries_of_all_tables(&map), map.directory.len());
            }
        }
        for key in 0..4600 {
            prop_assert_eq!(map.contains(key), model.contains_key(&key));
            if with_pointers {
                prop_assert_eq!(map.elem_pointers(&heap, key), model.get(&key).map(|value| vec![*value]));
            }
        }
        prop_assert_eq!(heap.locals(), 0);
    }
}
