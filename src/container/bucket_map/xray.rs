//! A bucket map seen through: chains in the order of their main buckets.

use super::BucketMap;
use super::bucket::BucketArray;
use super::grow::Growth;
use super::tophash::{EMPTY_ONE, EMPTY_REST, tophash_bytes};
use crate::container::slots::SlotSet;
use crate::container::xray::{ArrayView, MapView, SlotView, slots};

impl BucketMap {
    /// The map seen through, with the first `limit` chains of each array slot by slot.
    pub fn xray(&self, limit: usize) -> MapView {
        if self.ledger.is_some() {
            // What is put off is done in a copy.
            let mut settled = self.clone();
            settled.settle();
            return settled.xray(limit);
        }
        let mut current = ArrayView::default();
        for index in 0..self.current.main_count() {
            current.add(chain(&self.current, index), limit);
        }
        MapView {
            len: self.count,
            tables: 0,
            bytes: self.working_set_bytes(),
            current,
            old: self.growth.as_ref().map(|growth| old(growth, limit)),
        }
    }
}

/// The array that a growth moves out of.
fn old(growth: &Growth, limit: usize) -> ArrayView {
    let mut view = ArrayView::default();
    for index in 0..growth.array.main_count() {
        let moved = |bucket| slots(growth.array.live(bucket), SlotView::Evacuated, SlotView::Empty);
        let seen = match growth.is_evacuated(index) {
            true => growth.array.chain(index).map(moved).collect(),
            false => chain(&growth.array, index),
        };
        view.add(seen, limit);
    }
    view
}

/// The buckets of a chain, as their tophash bytes tell them.
fn chain(array: &BucketArray, index: u32) -> Vec<[SlotView; 8]> {
    let mut followed = false;
    let mut views: Vec<[SlotView; 8]> = Vec::new();
    let buckets: Vec<u32> = array.chain(index).collect();
    for bucket in buckets.into_iter().rev() {
        let live = array.live(bucket);
        // Which hash a live slot has does not matter here.
        let bytes = tophash_bytes(live, |_| u64::MAX, followed);
        followed |= live != SlotSet::default();
        views.push(bytes.map(|byte| match byte {
            EMPTY_REST => SlotView::Empty,
            EMPTY_ONE => SlotView::Deleted,
            _ => SlotView::Full,
        }));
    }
    views.reverse();
    views
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::map_type::{MapType, TypeDesc};
    use crate::heap::counting::CountingHeap;
    use crate::version::GoVersion;

    fn map_of(heap: &mut CountingHeap, hint: u64, keys: u32) -> BucketMap {
        let mut map = BucketMap::make(heap, MapType::new(TypeDesc::INT, TypeDesc::INT), hint);
        map.insert_all(heap, 0..keys);
        map
    }

    #[test]
    fn every_entry_is_a_full_slot_and_looking_changes_nothing() {
        let mut heap = CountingHeap::new(GoVersion::Go1_23, 1);
        // Large enough for the ledger.
        let mut map = map_of(&mut heap, 40_000, 40_000);
        assert!(map.ledger.is_some());
        let view = map.xray(10);
        assert_eq!((view.len, view.current.counts[0], view.current.chains.len()), (40_000, 40_000, 10));
        assert_eq!(view.current.buckets, 8192);
        assert!(map.ledger.is_some());
        let slots = (view.current.buckets + view.current.overflow_buckets) * 8;
        assert_eq!(view.current.counts.iter().sum::<u64>(), slots);
        map.delete_all(&mut heap, 0..40_000);
        let emptied = map.xray(10);
        assert_eq!((emptied.len, emptied.current.counts), (0, [0, slots, 0, 0]));
    }

    #[test]
    fn holes_before_live_entries_are_deleted_slots() {
        let mut heap = CountingHeap::new(GoVersion::Go1_23, 3);
        let mut map = map_of(&mut heap, 100, 100);
        map.delete_all(&mut heap, (0..100).step_by(2));
        let view = map.xray(100).current;
        assert_eq!(view.counts[0], 50);
        assert!(view.counts[2] > 5, "{:?}", view.counts);
        for chain in &view.chains {
            let last = chain.as_flattened().iter().rposition(|slot| *slot == SlotView::Full);
            let states = || chain.iter().flatten().enumerate();
            assert!(
                states().all(|(at, slot)| *slot != SlotView::Deleted || last.is_some_and(|last| at < last))
            );
            assert!(states().all(|(at, slot)| *slot != SlotView::Empty || last.is_none_or(|last| at > last)));
        }
    }

    #[test]
    fn a_growing_map_has_an_old_array_whose_entries_move() {
        let mut heap = CountingHeap::new(GoVersion::Go1_23, 1);
        let mut map = map_of(&mut heap, 0, 0);
        let mut seen = 0;
        for key in 0..2_000 {
            map.insert_all(&mut heap, key..key + 1);
            let view = map.xray(usize::MAX);
            let old = view.old.unwrap_or_default();
            assert_eq!(view.current.counts[0] + old.counts[0], u64::from(key) + 1, "key {key}");
            seen += u32::from(old.counts[0] > 0 && old.counts[3] > 0);
        }
        assert!(seen > 100, "moving was seen {seen} times");
    }
}
