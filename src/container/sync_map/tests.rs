//! Both generations of `sync.Map` beside an ordinary map, and what they keep after deletes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::heap::counting::{Collections, CountingHeap};
use crate::heap::mutator::Mutator;
use crate::heap::object::Layout;
use crate::version::GoVersion;

/// Bytes of a value, which nothing else in these maps has.
const VALUE_BYTES: u64 = 3000;
/// Bytes of a boxed key.
const KEY_BYTES: u64 = 8;

fn store(heap: &mut CountingHeap, map: &mut SyncMap, key: u32) -> (Stored, ObjRef) {
    let key_box = heap.alloc(Layout::noscan(KEY_BYTES));
    heap.push_local(key_box);
    let value = heap.alloc(Layout::noscan(VALUE_BYTES));
    heap.push_local(value);
    let stored = map.store(heap, key, key_box, value);
    heap.pop_local();
    heap.pop_local();
    (stored, value)
}

fn heap(version: GoVersion) -> CountingHeap {
    CountingHeap::new(version, 1).collecting(Collections::BeforeEveryAllocation)
}

#[derive(Clone, Debug)]
enum Act {
    Store(u32),
    Load(u32),
    Delete(u32),
    Range,
    Clear,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => (0u32..40).prop_map(Act::Store),
        6 => (0u32..40).prop_map(Act::Load),
        8 => (0u32..40).prop_map(Act::Delete),
        1 => Just(Act::Range),
        1 => Just(Act::Clear),
    ]
}

fn behaves_like_a_map(
    version: GoVersion,
    make: impl Fn(&mut CountingHeap) -> SyncMap,
    acts: Vec<Act>,
) -> Result<(), TestCaseError> {
    let mut heap = heap(version);
    let mut map = make(&mut heap);
    let mut model: BTreeMap<u32, ObjRef> = BTreeMap::new();
    for act in acts {
        match act {
            Act::Store(key) => {
                let (stored, value) = store(&mut heap, &mut map, key);
                let expected =
                    if model.insert(key, value).is_some() { Stored::Replaced } else { Stored::New };
                prop_assert_eq!(stored, expected);
            }
            Act::Load(key) => prop_assert_eq!(map.load(&mut heap, key), model.contains_key(&key)),
            Act::Delete(key) => prop_assert_eq!(map.delete(&mut heap, key), model.remove(&key).is_some()),
            Act::Range => {
                let mut keys = map.range(&mut heap);
                keys.sort_unstable();
                prop_assert_eq!(keys, model.keys().copied().collect::<Vec<_>>());
            }
            Act::Clear => {
                map.clear(&mut heap);
                model.clear();
            }
        }
        prop_assert_eq!(map.len(), model.len() as u64);
        // At every collection, the values that live are those of the model, and no other.
        heap.collect();
        for (key, value) in &model {
            prop_assert_eq!(map.value(&heap, *key), Some(*value));
            prop_assert!(heap.is_reachable(*value));
        }
        prop_assert_eq!(heap.reachable_of_size(VALUE_BYTES), model.len() as u64);
        prop_assert_eq!(heap.locals(), 0);
    }
    map.reset(&mut heap);
    prop_assert_eq!((heap.live_bytes(), map.len()), (0, 0));
    Ok(())
}

proptest! {
    #[test]
    fn two_maps_behave_like_a_map(acts in proptest::collection::vec(act(), 0..150)) {
        for version in [GoVersion::Go1_21, GoVersion::Go1_23] {
            behaves_like_a_map(version, SyncMap::new, acts.clone())?;
        }
    }

    #[test]
    fn a_trie_behaves_like_a_map(acts in proptest::collection::vec(act(), 0..150)) {
        behaves_like_a_map(GoVersion::Go1_24, SyncMap::new, acts)?;
    }

    /// Hashes of which only a few bits count: long ways down, and entries that hang on one another.
    #[test]
    fn a_trie_with_colliding_hashes_behaves_like_a_map(
        acts in proptest::collection::vec(act(), 0..150),
        hash_mask in prop_oneof![Just(0u64), Just(0x3), Just(0x1000_0000_0000_0003), Just(0xf000_0000_0000_0000)],
    ) {
        let make = |heap: &mut CountingHeap| SyncMap::Trie(Box::new(HashTrieMap::with_hash_mask(heap, hash_mask)));
        behaves_like_a_map(GoVersion::Go1_24, make, acts)?;
    }
}

#[test]
fn a_trie_that_is_emptied_is_its_root() {
    let mut heap = CountingHeap::new(GoVersion::Go1_24, 1);
    let mut map = SyncMap::new(&mut heap);
    (0..5000).for_each(|key| {
        map.store(&mut heap, key, ObjRef::NIL, ObjRef::NIL);
    });
    assert!(heap.live_bytes() > 5000 * 48);
    (0..5000).for_each(|key| {
        map.delete(&mut heap, key);
    });
    assert_eq!(heap.live_bytes(), 160);
}

#[test]
fn deleted_keys_linger_until_a_new_key_and_a_promotion() {
    let mut heap = CountingHeap::new(GoVersion::Go1_23, 1);
    let mut map = SyncMap::new(&mut heap);
    let lens = |map: &SyncMap| match map {
        SyncMap::ReadDirty(map) => map.map_lens(),
        SyncMap::Trie(_) => panic!("a trie in Go 1.23"),
    };
    (0..100).for_each(|key| {
        store(&mut heap, &mut map, key);
    });
    map.range(&mut heap);
    assert_eq!(lens(&map), (100, 0));
    (0..100).for_each(|key| {
        map.delete(&mut heap, key);
    });
    assert_eq!((map.len(), lens(&map)), (0, (100, 0)));
    store(&mut heap, &mut map, 100);
    assert_eq!(lens(&map), (100, 1));
    map.load(&mut heap, 101);
    assert_eq!(lens(&map), (1, 0), "one miss is as many as the dirty map has keys");
}
