//! The Swiss map: what `map[K]V` is in Go since 1.24.
//!
//! **Mechanism.** A map is a directory of *tables* of at most 1024 slots each; the top bits of a key's hash choose the table,
//! the rest leads by probing to a *group* of eight slots, whose control word holds a byte of hash or a state for every
//! slot. A table that is too full is replaced by one of twice the size, or, at 1024 slots, by two; the directory doubles when a
//! split needs one more bit of hash (*extendible hashing*).
//!
//! **Why.** A lookup compares eight control bytes at once and mostly looks at one group, so tables can be seven eighths
//! full where buckets averaged at most 6.5 of 8 plus their overflow. Growing moves 1024 slots at a time: no insert waits for a
//! whole map to move, and no old array outlives its use. What stays as it was: nothing ever shrinks.
//!
//! # Why delete does not shrink a map
//!
//! [`delete`](SwissMap::delete) makes a slot empty or a tombstone; tables are never merged, made smaller or freed, so a
//! `map[int]int` that was made for a million entries takes 37,832,752 B before and after deleting them all. `clear(m)` gives
//! nothing back either: it zeroes the groups in place. What can go away is what entries refer to - values behind pointers,
//! keys and elems above 128 B - and everything at once when nothing refers to the map any more.
//!
//! # Why a steady map grows
//!
//! Delete one key and insert another, again and again: the entries stay as many, the tombstones become more, and a tombstone
//! takes room like an entry. In Go 1.24 a table that is full of them grows or splits although it is half empty; since 1.25 it
//! first turns tombstones that no probe needs back into empty slots (`prune`, in `table.rs`), and mostly stays as it is.
//!
//! # Terms
//!
//! | here | in Go | meaning |
//! |---|---|---|
//! | `count` | `used` | live entries, `len(m)` |
//! | `seed` | `seed` | makes hashes differ from map to map |
//! | `directory` | `dirPtr`, `dirLen` | which table each top-bits value leads to |
//! | `global_depth` | `globalDepth` | how many top bits choose a directory entry |
//! | `Table::local_depth` | `localDepth` | how many of them all keys of a table share |
//! | `Table::growth_left` | `growthLeft` | empty slots that may still be filled |
//! | small map | `dirLen == 0` | a map of one group, without table and directory |
//!
//! # Steps
//!
//! 1. **make**: 48 B of `Map`. With a hint above 8: a directory and as many tables as the hint over 7/8 needs, all empty.
//!    Making a table writes every control word, so a map that is made to size is resident before its first insert.
//! 2. **insert** (`access.rs`): up to 8 entries one group; then probe a table, take the first tombstone on the way or the empty
//!    slot at its end, prune or `rehash.rs` the table if it has no room left.
//! 3. **delete** (`access.rs`): an empty slot if the group has one already, else a tombstone.
//! 4. **clear** (`clear.rs`), **range** (`range.rs`).
//!
//! Bytes of a `map[int]int` of `T` tables: `48 + 8 T (directory) + T * (32 + 18,432)`; groups of 136 B, 128 a table.
//!
//! # Invariants
//!
//! - Every live key lies in the table its hash's top bits lead to, at a group of its probe, with no empty slot in a group
//!   before it.
//! - All entries of the directory that share a table are neighbours: `2^(global_depth - local_depth)` of them.
//! - Between two operations everything the map will use again is reachable from its `Map` object: keeping that reachable is
//!   the caller's part. Inside an operation, what is not stored yet is a local.
//!
//! # Differences from Go
//!
//! Keys are 32-bit identities, values are not stored at all. Keys that differ from themselves (NaN) do not exist. A map in a
//! stack frame must be pointer-free. The map does not change during a range loop. `maps.Clone` is missing.
//!
//! # Sources
//!
//! `internal/runtime/maps/map.go`, `table.go`, `group.go`, `runtime_fast64_swiss.go`, Go 1.24.11, 1.25.5 and 1.27.3.

mod access;
mod bulk;
mod clear;
mod directory;
mod geometry;
mod group_type;
mod header;
mod pointers;
mod range;
mod recall;
mod rehash;
mod table;
#[cfg(test)]
mod tests;
mod xray;

pub use geometry::{Geometry, GroupView};
pub use group_type::{CONTROL_BYTES, GROUP_SLOTS, GroupType};

use directory::Directory;
use header::{Header, MAP};
use table::{MAX_AVERAGE_GROUP_LOAD, MAX_TABLE_SLOTS, Table};

use super::hash::Seed;
use super::key_table::KeyTable;
use super::map_type::{MapType, Variant};
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

/// Hints whose groups would not fit in the address space count as none (`maxAlloc` on linux/amd64).
const MAX_ALLOC_BYTES: u64 = 1 << 48;

/// A `map[K]V` of Go 1.24 to 1.27. See the [module](self) for how it works.
#[derive(Clone, Debug)]
pub struct SwissMap {
    map_type: MapType,
    group_type: GroupType,
    header: Header,
    seed: Seed,
    count: u64,
    /// Whether a delete has left a tombstone since the last clear (`tombstonePossible`).
    tombstone_possible: bool,
    /// Whether a table without room is pruned before it grows.
    prunes: bool,
    directory: Directory,
    /// The distinct tables of the directory, in no order that matters; the one group of a small map.
    tables: Vec<Table>,
    /// Slots of all tables.
    slots: u64,
    /// Entries moved and not yet accounted for.
    moved_entries: u64,
    /// How far along its probe, and in which slot, each key lies.
    places: KeyTable,
    /// Whether the keys in slots are written, or only recalled.
    keys_are_written: bool,
}

impl SwissMap {
    /// `make(map[K]V, hint)` for a map that escapes. A hint of 0 is no hint.
    ///
    /// The caller makes [`map_object`](Self::map_object) reachable before it allocates again.
    pub fn make<M: Mutator>(m: &mut M, map_type: MapType, hint: u64) -> SwissMap {
        let object = m.alloc(MAP);
        m.push_local(object);
        m.touch(object, 0, MAP.size_bytes);
        let mut map = SwissMap::empty(m, map_type, Header::Heap(object));
        map.presize(m, hint);
        m.pop_local();
        map
    }

    /// `make(map[K]V, hint)` for a map that does not escape: its header lies in the frame of the calling function, and so
    /// does its first group if the hint is at most 8. While the map lives, the function keeps
    /// [`frame_pointer`](Self::frame_pointer) reachable.
    ///
    /// Panics if the map's groups hold pointers: a simulated frame has no pointer slots for a group.
    pub fn make_on_stack<M: Mutator>(m: &mut M, map_type: MapType, hint: u64) -> SwissMap {
        assert!(map_type.is_noscan(), "a map in a stack frame must have no pointers in its groups");
        let mut map = SwissMap::empty(m, map_type, Header::Stack(ObjRef::NIL));
        if hint <= u64::from(GROUP_SLOTS) {
            map.add_small_group(m, ObjRef::NIL);
        } else {
            map.presize(m, hint);
        }
        map
    }

    fn empty<M: Mutator>(m: &mut M, map_type: MapType, header: Header) -> SwissMap {
        let version = m.version();
        let has_pointer_key = map_type.variant() == Variant::Fast64Pointer;
        SwissMap {
            map_type,
            group_type: GroupType::of(&map_type),
            header,
            seed: Seed::of_64_bits(m.random()),
            count: 0,
            tombstone_possible: false,
            prunes: version.prunes_tombstones()
                && (!has_pointer_key || version.prunes_tombstones_of_pointer_keys()),
            directory: Directory::default(),
            tables: Vec::new(),
            slots: 0,
            moved_entries: 0,
            places: KeyTable::default(),
            keys_are_written: false,
        }
    }

    /// Makes the tables for a hint above 8 (`NewMap`).
    fn presize<M: Mutator>(&mut self, m: &mut M, hint: u64) {
        if hint <= u64::from(GROUP_SLOTS) {
            return;
        }
        let Some((table_count, capacity)) = self.presized(hint) else { return };
        self.make_directory(m, table_count.trailing_zeros() as u8);
        for index in 0..table_count {
            let mut table = self.new_table(m, capacity);
            (table.local_depth, table.first_index) = (self.directory.global_depth(), index);
            self.add_table(m, table);
        }
    }

    /// How many tables of how many slots a hint asks for; `None` if they cannot be had.
    fn presized(&self, hint: u64) -> Option<(u32, u32)> {
        let slots = hint.checked_mul(GROUP_SLOTS.into())? / u64::from(MAX_AVERAGE_GROUP_LOAD);
        let table_count = slots.div_ceil(MAX_TABLE_SLOTS.into()).checked_next_power_of_two()?;
        let bytes =
            table_count.checked_mul(MAX_TABLE_SLOTS.into())?.checked_mul(self.group_type.group_bytes())?;
        if bytes > MAX_ALLOC_BYTES {
            return None;
        }
        // Rounded down first: a hint just above a power of two gets tables of half the size.
        let capacity = (slots / table_count).max(GROUP_SLOTS.into()).next_power_of_two();
        Some((table_count as u32, capacity as u32))
    }

    /// The `Map` object: what a variable of map type points to. Nil if the map does not escape.
    pub fn map_object(&self) -> ObjRef {
        match self.header {
            Header::Heap(object) => object,
            Header::Stack(_) => ObjRef::NIL,
        }
    }

    /// What the header of a map that does not escape refers to from its stack frame; a nil pointer otherwise.
    pub fn frame_pointer(&self) -> ObjRef {
        match self.header {
            Header::Heap(_) => ObjRef::NIL,
            Header::Stack(pointer) => pointer,
        }
    }

    /// `len(m)`.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether `len(m) == 0`.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The type of the map.
    pub fn map_type(&self) -> &MapType {
        &self.map_type
    }

    /// The layout of the map's groups.
    pub fn group_type(&self) -> &GroupType {
        &self.group_type
    }

    /// Whether the map is one group, or nothing yet.
    #[inline]
    fn is_small(&self) -> bool {
        self.directory.is_empty()
    }
}
