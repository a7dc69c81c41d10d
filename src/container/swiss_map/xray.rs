//! A Swiss map seen through: groups in the order of the directory.

use super::SwissMap;
use super::table::Table;
use crate::container::xray::{ArrayView, MapView, SlotView, slots};

impl SwissMap {
    /// The map seen through, with the first `limit` groups slot by slot.
    pub fn xray(&self, limit: usize) -> MapView {
        let mut current = ArrayView::default();
        for table in self.tables_in_order() {
            for group in 0..table.group_count() {
                let free = if table.is_closed(group) { SlotView::Deleted } else { SlotView::Empty };
                current.add(vec![slots(table.live(group), SlotView::Full, free)], limit);
            }
        }
        MapView {
            len: self.count,
            tables: if self.is_small() { 0 } else { self.tables.len() as u64 },
            bytes: self.working_set_bytes(),
            current,
            old: None,
        }
    }

    /// Each table once, in the order of the directory; the one group of a small map.
    fn tables_in_order(&self) -> impl Iterator<Item = &Table> {
        let mut index = 0;
        let in_directory = std::iter::from_fn(move || {
            if index >= self.directory.len() {
                return None;
            }
            let table = &self.tables[self.directory.table_at(index)];
            index += self.directory.entries_of(table.local_depth);
            Some(table)
        });
        let small = if self.is_small() { self.tables.first() } else { None };
        small.into_iter().chain(in_directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::map_type::{MapType, TypeDesc};
    use crate::heap::counting::CountingHeap;
    use crate::version::GoVersion;

    fn map_of(heap: &mut CountingHeap, hint: u64, keys: u32) -> SwissMap {
        let mut map = SwissMap::make(heap, MapType::new(TypeDesc::INT, TypeDesc::INT), hint);
        map.insert_all(heap, 0..keys);
        map
    }

    #[test]
    fn counts_are_those_of_the_geometry() {
        let mut heap = CountingHeap::new(GoVersion::Go1_24, 1);
        for (hint, keys, gone) in [(0, 5, 2), (0, 8, 8), (0, 3_000, 1_000), (20_000, 20_000, 9_999)] {
            let mut map = map_of(&mut heap, hint, keys);
            map.delete_all(&mut heap, 0..gone);
            let (view, geometry) = (map.xray(7), map.geometry());
            assert_eq!((view.len, view.current.counts[0]), (u64::from(keys - gone), map.len()));
            assert_eq!(view.current.buckets * 8, geometry.slots);
            assert_eq!(view.tables, u64::from(geometry.tables));
            if view.tables > 0 {
                assert_eq!(view.current.counts[2], geometry.tombstones, "{keys} keys");
            }
            assert_eq!(view.current.chains.len() as u64, view.current.buckets.min(7));
        }
    }
}
