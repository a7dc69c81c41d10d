//! The directory: which table the top bits of a hash lead to.
//!
//! A directory of depth `d` has `2^d` pointers. A table whose keys share `l <= d` top bits is pointed at by `2^(d - l)`
//! neighbours. When a table of `l = d` splits, the directory doubles: every pointer is written twice. The old directory is
//! garbage at once.
//!
//! Source: `internal/runtime/maps/map.go` (`directoryIndex`, `replaceTable`, `installTableSplit`), Go 1.25.5.

use super::SwissMap;
use super::table::Table;
use crate::container::map_type::POINTER_BYTES;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};

/// The host's view of a directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    /// The array of table pointers.
    object: ObjRef,
    /// Numbers of tables in `SwissMap::tables`; empty in a small map.
    tables: Vec<u32>,
    global_depth: u8,
}

impl Directory {
    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// `dirLen`.
    pub fn len(&self) -> u32 {
        self.tables.len() as u32
    }

    /// `globalDepth`.
    pub fn global_depth(&self) -> u8 {
        self.global_depth
    }

    /// The number of the table that a hash leads to.
    #[inline]
    pub fn table_of(&self, hash: u64) -> usize {
        // In two steps, because a shift by 64 is none.
        self.tables[(hash >> 1 >> (63 - self.global_depth)) as usize] as usize
    }

    /// The number of the table that entry `index` leads to.
    pub fn table_at(&self, index: u32) -> usize {
        self.tables[index as usize] as usize
    }

    /// Entries that lead to a table of this local depth.
    pub fn entries_of(&self, local_depth: u8) -> u32 {
        1 << (self.global_depth - local_depth)
    }

    /// Bytes that the directory takes on the host.
    pub fn memory_bytes(&self) -> usize {
        self.tables.capacity() * size_of::<u32>()
    }
}

impl SwissMap {
    /// Allocates a directory of nil pointers and makes the map refer to it.
    pub(super) fn make_directory<M: Mutator>(&mut self, m: &mut M, global_depth: u8) {
        let object = self.alloc(m, pointer_array(1 << global_depth));
        self.directory = Directory { object, tables: vec![u32::MAX; 1 << global_depth], global_depth };
        self.set_header(m, object);
    }

    /// Takes a table into the map: the entries of the directory from its first index on.
    pub(super) fn add_table<M: Mutator>(&mut self, m: &mut M, table: Table) {
        self.slots += u64::from(table.capacity());
        self.tables.push(table);
        self.install_table(m, self.tables.len() - 1);
    }

    /// Makes the directory lead to a table (`replaceTable`).
    pub(super) fn install_table<M: Mutator>(&mut self, m: &mut M, number: usize) {
        let table = &self.tables[number];
        let first = table.first_index;
        let count = self.directory.entries_of(table.local_depth);
        for index in first..first + count {
            self.directory.tables[index as usize] = number as u32;
            m.set_pointer(self.directory.object, index, table.object);
        }
        let (offset_bytes, len_bytes) = (u64::from(first) * POINTER_BYTES, u64::from(count) * POINTER_BYTES);
        m.touch(self.directory.object, offset_bytes, len_bytes);
    }

    /// Doubles the directory.
    pub(super) fn double_directory<M: Mutator>(&mut self, m: &mut M) {
        let old = std::mem::take(&mut self.directory);
        let object = self.alloc(m, pointer_array(2 * old.len()));
        for (index, number) in (0..).zip(&old.tables) {
            let table = self.tables[*number as usize].object;
            m.set_pointer(object, 2 * index, table);
            m.set_pointer(object, 2 * index + 1, table);
        }
        m.touch(object, 0, 2 * u64::from(old.len()) * POINTER_BYTES);
        self.tables.iter_mut().for_each(|table| table.first_index *= 2);
        self.directory = Directory {
            object,
            tables: old.tables.iter().flat_map(|number| [*number, *number]).collect(),
            global_depth: old.global_depth + 1,
        };
        self.set_header(m, object);
    }
}

/// The layout of an array of `count` pointers.
fn pointer_array(count: u32) -> Layout {
    let size_bytes = u64::from(count) * POINTER_BYTES;
    Layout::scan(size_bytes, count, size_bytes).of_elements(POINTER_BYTES)
}
