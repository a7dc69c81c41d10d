//! The pool against its rules: what stays, for how many cycles, and whom another P robs.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::heap::counting::{Collections, CountingHeap};
use crate::version::GoVersion;

/// A pool on a heap that collects before every allocation, so that a missing reference is found out.
fn pool(procs: usize) -> (CountingHeap, SyncPool, PoolList) {
    let mut heap = CountingHeap::new(GoVersion::Go1_23, 1).collecting(Collections::BeforeEveryAllocation);
    let list = PoolList::new(&mut heap);
    let pool = SyncPool::new(&mut heap, procs);
    (heap, pool, list)
}

fn put_new(heap: &mut CountingHeap, pool: &mut SyncPool, list: &mut PoolList, p: usize, note: u64) {
    let object = heap.alloc(Layout::noscan(1024));
    heap.push_local(object);
    pool.put(heap, list, p, Pooled { object, note });
    heap.pop_local();
}

/// What the start of a cycle does, and the cycle.
fn collect(heap: &mut CountingHeap, pool: &mut SyncPool, list: &mut PoolList) {
    for (from, to) in [pool.globals(), list.globals()] {
        let moved = heap.global(from);
        heap.set_global(to, moved);
        heap.set_global(from, ObjRef::NIL);
    }
    pool.cleanup(heap);
    list.cleanup(heap);
    heap.collect();
}

#[test]
fn an_idle_pool_is_empty_after_two_cycles() {
    let (mut heap, mut pool, mut list) = pool(1);
    (0..3).for_each(|note| put_new(&mut heap, &mut pool, &mut list, 0, note));
    let held = heap.live_bytes();
    collect(&mut heap, &mut pool, &mut list);
    assert_eq!(heap.live_bytes(), held);
    collect(&mut heap, &mut pool, &mut list);
    assert_eq!((heap.live_bytes(), pool.contents().count()), (0, 0));
}

#[test]
fn an_object_from_the_victim_cache_is_kept_when_it_is_put_back() {
    let (mut heap, mut pool, mut list) = pool(2);
    put_new(&mut heap, &mut pool, &mut list, 1, 7);
    for _ in 0..5 {
        collect(&mut heap, &mut pool, &mut list);
        let got = pool.get(&mut heap, &mut list, 1).expect("one cycle does not empty a pool");
        heap.push_local(got.object);
        pool.put(&mut heap, &mut list, 1, got);
        heap.pop_local();
        assert_eq!(got.note, 7);
    }
}

#[test]
fn another_p_takes_the_oldest_but_not_the_private_object() {
    let (mut heap, mut pool, mut list) = pool(2);
    (0..3).for_each(|note| put_new(&mut heap, &mut pool, &mut list, 0, note));
    let mut taken = Vec::new();
    while let Some(got) = pool.get(&mut heap, &mut list, 1) {
        taken.push(got.note);
    }
    assert_eq!(taken, [1, 2]);
    assert_eq!(pool.get(&mut heap, &mut list, 0).map(|got| got.note), Some(0));
}

#[derive(Clone, Debug)]
enum Act {
    Put(usize),
    Get(usize),
    Cycle,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![6 => (0usize..3).prop_map(Act::Put), 5 => (0usize..3).prop_map(Act::Get), 1 => Just(Act::Cycle)]
}

proptest! {
    /// The model: what was put and not taken, with the number of cycles it has lain there.
    #[test]
    fn a_pool_holds_what_was_put_less_than_two_cycles_ago(acts in proptest::collection::vec(act(), 0..200)) {
        let (mut heap, mut pool, mut list) = pool(3);
        let mut model: Vec<(u64, u32)> = Vec::new();
        for (note, act) in acts.into_iter().enumerate() {
            match act {
                Act::Put(p) => {
                    put_new(&mut heap, &mut pool, &mut list, p, note as u64);
                    model.push((note as u64, 0));
                }
                Act::Get(p) => {
                    if let Some(got) = pool.get(&mut heap, &mut list, p) {
                        let place = model.iter().position(|(note, _)| *note == got.note);
                        model.remove(place.expect("a pool gives what was put, once"));
                        prop_assert!(heap.is_reachable(got.object) || pool.contents().all(|other| other != got));
                    }
                }
                Act::Cycle => {
                    collect(&mut heap, &mut pool, &mut list);
                    model.iter_mut().for_each(|(_, cycles)| *cycles += 1);
                    model.retain(|(_, cycles)| *cycles < 2);
                    // Reachable is exactly what the model says, and nothing that was taken or cleaned up.
                    let held: BTreeSet<u64> = pool.contents().map(|pooled| pooled.note).collect();
                    prop_assert_eq!(&held, &model.iter().map(|(note, _)| *note).collect::<BTreeSet<u64>>());
                    let objects: u64 = pool.contents().map(|pooled| u64::from(heap.is_reachable(pooled.object))).sum();
                    prop_assert_eq!(objects, model.len() as u64);
                    prop_assert_eq!(heap.reachable_of_size(1024), model.len() as u64);
                }
            }
        }
    }
}
