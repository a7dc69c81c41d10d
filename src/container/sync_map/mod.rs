//! `sync.Map`: two generations of one type, which free memory at different times.
//!
//! **Mechanism.** Up to Go 1.23 it is a read-only map that needs no lock and a *dirty* map behind one, which takes the
//! other's place when enough lookups have missed ([`read_dirty`]). Since Go 1.24 it is a trie over the bits of a hash, whose
//! nodes are replaced one pointer at a time ([`trie`]).
//!
//! **Why.** Many goroutines that read the same keys must not queue at one lock word. Both generations pay for that with
//! memory: keys and values are interfaces, and every entry is an object of its own.
//!
//! What a delete of a key gives back at the next collection:
//!
//! | | value | entry | key and its place |
//! |---|---|---|---|
//! | read map has the key (≤ 1.23) | yes | no | no: with the next dirty map that takes over |
//! | only the dirty map has it (≤ 1.23) | yes | yes | the key yes, the slot of the bucket never |
//! | trie (≥ 1.24) | yes | yes | yes, and nodes that become empty |
//!
//! Bytes for one new key, boxes of key and value apart (an int of 256 or more is boxed in 8 B): 16 + 16 + 8 and its share of
//! a `map[any]*entry` up to 1.23; 48 and about 0.36 nodes of 160 since.
//!
//! **Differences from Go.** Goroutines take turns, so a compare-and-swap never fails and no lock is found held. Keys are
//! 32-bit identities. `LoadOrStore`, `Swap` and the compare operations are missing.
//!
//! **Sources.** `sync/map.go`, Go 1.21.13 and 1.23.9; `internal/sync/hashtriemap.go`, `sync/hashtriemap.go`, Go 1.24.11 and
//! 1.27.3.

mod key_table;
pub mod read_dirty;
#[cfg(test)]
mod tests;
pub mod trie;

use read_dirty::ReadDirtyMap;
use trie::HashTrieMap;

use crate::heap::mutator::Variables;
use crate::heap::object::ObjRef;

/// What a store did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The key was not in the map, or deleted.
    New,
    /// The key's value was replaced.
    Replaced,
}

/// A `sync.Map` in a package-level variable, empty and ready like its zero value.
#[derive(Clone, Debug)]
pub enum SyncMap {
    /// Up to Go 1.23.
    ReadDirty(Box<ReadDirtyMap>),
    /// Since Go 1.24.
    Trie(Box<HashTrieMap>),
}

impl SyncMap {
    /// `var m sync.Map`. The map's own pointers are package-level variables.
    pub fn new<M: Variables>(m: &mut M) -> SyncMap {
        if m.version().has_sync_map_trie() {
            SyncMap::Trie(Box::new(HashTrieMap::new(m)))
        } else {
            SyncMap::ReadDirty(Box::new(ReadDirtyMap::new(m)))
        }
    }

    /// `m.Load(key)`: whether there is a value.
    pub fn load<M: Variables>(&mut self, m: &mut M, key: u32) -> bool {
        match self {
            SyncMap::ReadDirty(map) => map.load(m, key),
            SyncMap::Trie(map) => map.load(m, key),
        }
    }

    /// `m.Store(key, value)`, with the objects that the two interfaces point to; nil for what needs no object. Both must be
    /// locals of the caller.
    pub fn store<M: Variables>(&mut self, m: &mut M, key: u32, key_box: ObjRef, value: ObjRef) -> Stored {
        match self {
            SyncMap::ReadDirty(map) => map.store(m, key, key_box, value),
            SyncMap::Trie(map) => map.store(m, key, key_box, value),
        }
    }

    /// `m.Delete(key)`: whether there was a value.
    pub fn delete<M: Variables>(&mut self, m: &mut M, key: u32) -> bool {
        match self {
            SyncMap::ReadDirty(map) => map.delete(m, key),
            SyncMap::Trie(map) => map.delete(m, key),
        }
    }

    /// `m.Range(f)`: the keys with values.
    pub fn range<M: Variables>(&mut self, m: &mut M) -> Vec<u32> {
        match self {
            SyncMap::ReadDirty(map) => map.range(m),
            SyncMap::Trie(map) => map.range(m),
        }
    }

    /// `m.Clear()`; before Go 1.23, which has none, a range loop that deletes every key.
    pub fn clear<M: Variables>(&mut self, m: &mut M) {
        match self {
            SyncMap::ReadDirty(map) if m.version().has_sync_map_clear() => map.clear(m),
            SyncMap::ReadDirty(map) => {
                for key in map.range(m) {
                    map.delete(m, key);
                }
            }
            SyncMap::Trie(map) => map.clear(m),
        }
    }

    /// `m = sync.Map{}`.
    pub fn reset<M: Variables>(&mut self, m: &mut M) {
        match self {
            SyncMap::ReadDirty(map) => map.reset(m),
            SyncMap::Trie(map) => map.reset(m),
        }
    }

    /// The object that the value of `key` points to; `None` without a value.
    pub fn value<M: Variables>(&self, m: &M, key: u32) -> Option<ObjRef> {
        match self {
            SyncMap::ReadDirty(map) => map.value(m, key),
            SyncMap::Trie(map) => map.value(m, key),
        }
    }

    /// Keys with values.
    pub fn len(&self) -> u64 {
        match self {
            SyncMap::ReadDirty(map) => map.len(),
            SyncMap::Trie(map) => map.len(),
        }
    }

    /// Whether no key has a value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that an operation on any key may have to read: maps or nodes, and the entries.
    pub fn working_set_bytes(&self) -> u64 {
        match self {
            SyncMap::ReadDirty(map) => map.working_set_bytes(),
            SyncMap::Trie(map) => map.working_set_bytes(),
        }
    }
}
