//! `map[K]V` as a Go version has it: buckets up to 1.23, Swiss tables since 1.24.
//!
//! A program cannot tell which of the two it uses, except by what it costs. Each operation is described at
//! [`BucketMap`] and [`SwissMap`]; those that go through many keys decide once, not for every key.

use super::bucket_map::BucketMap;
use super::bulk::Replaced;
use super::entry::Inserted;
use super::map_type::MapType;
use super::swiss_map::SwissMap;
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

/// A map of either kind.
#[derive(Clone, Debug)]
pub enum Map {
    /// Go 1.21 to 1.23.
    Buckets(Box<BucketMap>),
    /// Go 1.24 and later.
    Swiss(Box<SwissMap>),
}

impl Map {
    /// `make(map[K]V, hint)` for a map that escapes. A hint of 0 is no hint.
    ///
    /// The caller makes [`object`](Self::object) reachable before it allocates again.
    pub fn make<M: Mutator>(m: &mut M, map_type: MapType, hint: u64) -> Map {
        if m.version().has_swiss_maps() {
            Map::Swiss(Box::new(SwissMap::make(m, map_type, hint)))
        } else {
            Map::Buckets(Box::new(BucketMap::make(m, map_type, hint)))
        }
    }

    /// `make(map[K]V, hint)` for a map that does not escape: its header lies in the frame of the calling function, and so
    /// does its first bucket or group if the hint is at most 8.
    ///
    /// Panics if buckets or groups hold pointers: a simulated frame has no pointer slots for them.
    pub fn make_on_stack<M: Mutator>(m: &mut M, map_type: MapType, hint: u64) -> Map {
        if m.version().has_swiss_maps() {
            Map::Swiss(Box::new(SwissMap::make_on_stack(m, map_type, hint)))
        } else {
            Map::Buckets(Box::new(BucketMap::make_on_stack(m, map_type, hint)))
        }
    }

    /// The map's header object: what a variable of map type points to. Nil if the map does not escape.
    pub fn object(&self) -> ObjRef {
        match self {
            Map::Buckets(map) => map.hmap(),
            Map::Swiss(map) => map.map_object(),
        }
    }

    /// The type of the map.
    pub fn map_type(&self) -> &MapType {
        match self {
            Map::Buckets(map) => map.map_type(),
            Map::Swiss(map) => map.map_type(),
        }
    }

    /// `len(m)`.
    pub fn len(&self) -> u64 {
        match self {
            Map::Buckets(map) => map.len(),
            Map::Swiss(map) => map.len(),
        }
    }

    /// Whether `len(m) == 0`.
    pub fn is_empty(&self) -> bool {
        match self {
            Map::Buckets(map) => map.is_empty(),
            Map::Swiss(map) => map.is_empty(),
        }
    }

    /// Whether a key is present.
    #[inline]
    pub fn contains(&self, key: u32) -> bool {
        match self {
            Map::Buckets(map) => map.contains(key),
            Map::Swiss(map) => map.contains(key),
        }
    }

    /// `m[key] = elem` with these pointers; spends no CPU time.
    #[inline]
    pub fn insert<M: Mutator>(
        &mut self,
        m: &mut M,
        key: u32,
        key_pointers: &[ObjRef],
        elem_pointers: &[ObjRef],
    ) -> Inserted {
        match self {
            Map::Buckets(map) => map.insert(m, key, key_pointers, elem_pointers),
            Map::Swiss(map) => map.insert(m, key, key_pointers, elem_pointers),
        }
    }

    /// `delete(m, key)`; whether the key was present. Spends no CPU time.
    #[inline]
    pub fn delete<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool {
        match self {
            Map::Buckets(map) => map.delete(m, key),
            Map::Swiss(map) => map.delete(m, key),
        }
    }

    /// `m[key] = elem` for every key, with nil pointers; how many keys were new.
    pub fn insert_all<M: Mutator>(&mut self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        match self {
            Map::Buckets(map) => map.insert_all(m, keys),
            Map::Swiss(map) => map.insert_all(m, keys),
        }
    }

    /// `delete(m, key)` for every key; how many were present.
    pub fn delete_all<M: Mutator>(&mut self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        match self {
            Map::Buckets(map) => map.delete_all(m, keys),
            Map::Swiss(map) => map.delete_all(m, keys),
        }
    }

    /// For every key `delete(m, old)`, if `old_of` names one, then `m[key] = elem` with nil pointers. Spends no CPU time.
    pub fn replace_all<M: Mutator>(
        &mut self,
        m: &mut M,
        keys: &[u32],
        old_of: impl Fn(u32) -> Option<u32>,
    ) -> Replaced {
        match self {
            Map::Buckets(map) => map.replace_all(m, keys, old_of),
            Map::Swiss(map) => map.replace_all(m, keys, old_of),
        }
    }

    /// `_ = m[key]` for every key; how many were present.
    pub fn lookup_all<M: Mutator>(&self, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
        match self {
            Map::Buckets(map) => map.lookup_all(m, keys),
            Map::Swiss(map) => map.lookup_all(m, keys),
        }
    }

    /// `clear(m)`.
    pub fn clear<M: Mutator>(&mut self, m: &mut M) {
        match self {
            Map::Buckets(map) => map.clear(m),
            Map::Swiss(map) => map.clear(m),
        }
    }

    /// `for k := range m { delete(m, k) }`.
    pub fn range_delete<M: Mutator>(&mut self, m: &mut M) {
        match self {
            Map::Buckets(map) => map.range_delete(m),
            Map::Swiss(map) => map.range_delete(m),
        }
    }

    /// `for k := range m`: calls `visit` with every key, in an order that differs from loop to loop.
    pub fn range<M: Mutator>(&mut self, m: &mut M, visit: impl FnMut(&mut M, u32)) {
        match self {
            Map::Buckets(map) => map.range(m, visit),
            Map::Swiss(map) => map.range(m, visit),
        }
    }

    /// Reads the pointers in the elem of a key, in place of what `into` holds; `false` if the key is absent.
    pub fn read_elem_pointers<M: Mutator>(&self, m: &M, key: u32, into: &mut Vec<ObjRef>) -> bool {
        match self {
            Map::Buckets(map) => map.read_elem_pointers(m, key, into),
            Map::Swiss(map) => map.read_elem_pointers(m, key, into),
        }
    }

    /// Reads the pointers in the stored key equal to a key, in place of what `into` holds; `false` if the key is absent.
    pub fn read_key_pointers<M: Mutator>(&self, m: &M, key: u32, into: &mut Vec<ObjRef>) -> bool {
        match self {
            Map::Buckets(map) => map.read_key_pointers(m, key, into),
            Map::Swiss(map) => map.read_key_pointers(m, key, into),
        }
    }

    /// Entries that growing has moved since the last call: work to account for after single operations.
    pub fn take_moved(&mut self) -> u64 {
        match self {
            Map::Buckets(map) => map.take_evacuated(),
            Map::Swiss(map) => map.take_moved(),
        }
    }

    /// Accounts for inserts of absent keys, at the price of how full the map is now.
    pub fn spend_on_inserts<M: Mutator>(&self, m: &mut M, count: u64) {
        match self {
            Map::Buckets(map) => map.spend_on_inserts(m, count),
            Map::Swiss(map) => map.spend_on_inserts(m, count),
        }
    }

    /// Accounts for deletes.
    pub fn spend_on_deletes<M: Mutator>(&self, m: &mut M, count: u64) {
        match self {
            Map::Buckets(map) => map.spend_on_deletes(m, count),
            Map::Swiss(map) => map.spend_on_deletes(m, count),
        }
    }

    /// Main buckets, or groups: what entries are spread over.
    pub fn bucket_count(&self) -> f64 {
        match self {
            Map::Buckets(map) => f64::from(1u32 << map.geometry().log2_bucket_count),
            Map::Swiss(map) => map.group_count(),
        }
    }

    /// Bytes of simulated memory that operations on the map range over.
    pub fn working_set_bytes(&self) -> u64 {
        match self {
            Map::Buckets(map) => map.working_set_bytes(),
            Map::Swiss(map) => map.working_set_bytes(),
        }
    }

    /// Reads what inserting or deleting these keys will need, all together, so that the host's cache misses overlap.
    pub fn bring_keys_near(&self, keys: &[u32]) {
        match self {
            Map::Buckets(map) => map.bring_keys_near(keys),
            // What a Swiss map keeps beside its keys is small, and a table that grows is read in order.
            Map::Swiss(_) => {}
        }
    }

    /// Reads where the pointers of new entries will go, all together.
    pub fn bring_pointers_near<M: Mutator>(&self, m: &M, keys: &[u32]) {
        match self {
            Map::Buckets(map) => map.bring_pointers_near(m, keys),
            Map::Swiss(map) => map.bring_pointers_near(m, keys),
        }
    }
}
