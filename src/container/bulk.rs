//! Going through many keys of a map of either kind, and accounting for it.
//!
//! Each is the same as calling the single operation in a loop: same allocations, same slots. Which kind of map it is, and
//! whether its entries hold pointers, is decided once for all keys.

use super::entry::Inserted;
use super::map_type::MapType;
use crate::heap::mutator::{Mutator, Operation};

/// Operations between two calls of [`Mutator::spend`].
pub(super) const SPEND_BATCH: u64 = 256;

/// A map as far as many operations on it are concerned. Each is described at the map that has it.
pub(super) trait Bulk {
    /// `m[key] = elem` with nil pointers.
    fn insert_nil<M: Mutator>(&mut self, m: &mut M, key: u32) -> Inserted;
    /// `delete(m, key)`.
    fn delete<M: Mutator>(&mut self, m: &mut M, key: u32) -> bool;
    /// Whether a key is present.
    fn contains(&self, key: u32) -> bool;
    /// Live entries a bucket or group.
    fn load(&self) -> f64;
    /// Bytes of simulated memory that operations range over.
    fn working_set_bytes(&self) -> u64;
    /// The type of the map.
    fn map_type(&self) -> &MapType;
}

/// What keys in place of others did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Keys that were absent.
    pub new: u64,
    /// Keys that were present.
    pub updated: u64,
    /// Deletes, hit or miss.
    pub deleted: u64,
}

/// For every key `delete(m, old)`, if `old_of` names one, then `m[key] = elem` with nil pointers. Spends no CPU time.
pub(super) fn replace_all<M: Mutator>(
    map: &mut impl Bulk,
    m: &mut M,
    keys: &[u32],
    old_of: impl Fn(u32) -> Option<u32>,
) -> Replaced {
    let mut replaced = Replaced::default();
    for key in keys {
        if let Some(old) = old_of(*key) {
            map.delete(m, old);
            replaced.deleted += 1;
        }
        replaced.new += u64::from(map.insert_nil(m, *key) == Inserted::New);
    }
    replaced.updated = keys.len() as u64 - replaced.new;
    replaced
}

/// `_ = m[key]` for every key; how many were present.
pub(super) fn lookup_all<M: Mutator>(map: &impl Bulk, m: &mut M, keys: impl IntoIterator<Item = u32>) -> u64 {
    let mut keys = keys.into_iter();
    let mut total_hits = 0;
    loop {
        let (mut hits, mut looked_up) = (0, 0);
        for key in keys.by_ref().take(SPEND_BATCH as usize) {
            hits += u64::from(map.contains(key));
            looked_up += 1;
        }
        spend(map, m, Operation::MapLookupHit, hits);
        spend(map, m, Operation::MapLookupMiss, looked_up - hits);
        total_hits += hits;
        if looked_up < SPEND_BATCH {
            return total_hits;
        }
    }
}

/// Accounts for inserts of absent keys, at the price of how full the map is now.
pub(super) fn spend_on_inserts<M: Mutator>(map: &impl Bulk, m: &mut M, count: u64) {
    if count > 0 {
        m.spend_on_inserts(count, map.working_set_bytes(), map.load());
        spend_on_pointers(map, m, count);
    }
}

/// Accounts for deletes, one by one.
pub(super) fn spend_on_deletes<M: Mutator>(map: &impl Bulk, m: &mut M, count: u64) {
    spend(map, m, Operation::MapDelete, count);
    spend_on_pointers(map, m, count);
}

fn spend_on_pointers<M: Mutator>(map: &impl Bulk, m: &mut M, count: u64) {
    if map.map_type().elem().pointer_slots > 0 {
        spend(map, m, Operation::MapPointers, count);
    }
}

/// Accounts for `count` operations, if there were any.
pub(super) fn spend<M: Mutator>(map: &impl Bulk, m: &mut M, operation: Operation, count: u64) {
    if count > 0 {
        m.spend(operation, count, map.working_set_bytes());
    }
}
