//! Looking at a map from outside: its numbers, its groups, its size.

use super::SwissMap;
use super::group_type::GROUP_SLOTS;
use super::header::MAP;
use super::table::TABLE;
use crate::container::map_type::POINTER_BYTES;

/// The control byte of a slot that is empty (`ctrlEmpty`).
const EMPTY: u8 = 0x80;
/// The control byte of a tombstone (`ctrlDeleted`).
const DELETED: u8 = 0xfe;

/// The numbers in a map's headers, and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Distinct tables; 0 in a small map.
    pub tables: u32,
    /// `dirLen`; 0 in a small map.
    pub directory_len: u32,
    /// Slots of all tables, or of the one group.
    pub slots: u64,
    /// Slots that are neither live nor empty.
    pub tombstones: u64,
    /// Empty slots that may still be filled, in all tables.
    pub growth_left: u64,
}

/// One group, as a picture of the map shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// The control byte of each slot: 0x80 empty, 0xfe deleted, else the low 7 bits of its key's hash.
    pub control: [u8; 8],
    /// The key identity of each live slot, 0 in the others.
    pub keys: [u32; 8],
}

impl SwissMap {
    /// The map's numbers.
    pub fn geometry(&self) -> Geometry {
        let tables = if self.is_small() { &[] } else { &self.tables[..] };
        Geometry {
            tables: tables.len() as u32,
            directory_len: self.directory.len(),
            slots: self.slots,
            tombstones: tables.iter().map(|table| u64::from(table.tombstones())).sum(),
            growth_left: tables.iter().map(|table| u64::from(table.growth_left())).sum(),
        }
    }

    /// The groups of the table that entry `index` of the directory leads to; of a small map, for `index` 0, its one group.
    /// Panics if there is no such entry.
    pub fn groups(&mut self, index: u32) -> impl Iterator<Item = GroupView> {
        let number = if self.is_small() { index as usize } else { self.directory.table_at(index) };
        self.write_keys();
        let (table, seed) = (&self.tables[number], self.seed);
        (0..table.group_count()).map(move |group| {
            let (live, mut keys) = (table.live(group), *table.keys(group));
            let mut control = [if table.is_closed(group) { DELETED } else { EMPTY }; 8];
            for slot in 0..GROUP_SLOTS {
                match live.contains(slot) {
                    true => control[slot as usize] = (seed.hash(keys[slot as usize]) & 0x7f) as u8,
                    false => keys[slot as usize] = 0,
                }
            }
            GroupView { control, keys }
        })
    }

    /// Bytes of simulated memory that operations on the map range over: header, directory, tables, groups.
    #[inline]
    pub fn working_set_bytes(&self) -> u64 {
        let groups = self.slots / u64::from(GROUP_SLOTS);
        let directory_bytes = u64::from(self.directory.len()) * POINTER_BYTES;
        let tables_bytes = self.tables.len() as u64 * TABLE.size_bytes;
        MAP.size_bytes + directory_bytes + tables_bytes + groups * self.group_type.group_bytes()
    }

    /// Bytes that the map takes on the host.
    pub fn memory_bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(super::Table::memory_bytes).sum();
        size_of::<SwissMap>() + tables + self.directory.memory_bytes() + self.places.memory_bytes()
    }
}
