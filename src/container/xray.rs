//! A map seen through: the state of every slot, counted, and of the first buckets or groups one by one. For pictures.
//!
//! Looking changes nothing, not even what the model has put off ([`bucket_map`](super::bucket_map)'s ledger): the caller sees a map
//! that goes on as if nobody had looked.

use super::map::Map;
use super::slots::SlotSet;

/// The state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotView {
    /// A live entry.
    Full,
    /// Empty; a search ends here.
    Empty,
    /// Empty after a delete; a search goes on.
    Deleted,
    /// The entry has moved into the new array.
    Evacuated,
}

/// The buckets or groups of one generation of a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayView {
    /// Main buckets, or groups.
    pub buckets: u64,
    /// Overflow buckets in use.
    pub overflow_buckets: u64,
    /// Slots in each state, in the order of [`SlotView`].
    pub counts: [u64; 4],
    /// The first buckets, each with its overflow buckets behind it.
    pub chains: Vec<Vec<[SlotView; 8]>>,
}

/// A map, seen through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapView {
    /// `len(m)`.
    pub len: u64,
    /// Tables; 0 for buckets and for a map of one group.
    pub tables: u64,
    /// Bytes of header, arrays and overflow buckets.
    pub bytes: u64,
    /// Where entries are and will be.
    pub current: ArrayView,
    /// The array that the map moves out of.
    pub old: Option<ArrayView>,
}

impl ArrayView {
    /// Adds a chain; it is kept slot by slot while there are fewer than `limit`.
    pub(super) fn add(&mut self, chain: Vec<[SlotView; 8]>, limit: usize) {
        self.buckets += 1;
        self.overflow_buckets += chain.len() as u64 - 1;
        chain.iter().flatten().for_each(|slot| self.counts[*slot as usize] += 1);
        if self.chains.len() < limit {
            self.chains.push(chain);
        }
    }
}

/// Eight slots, of which those in `live` are `full` and the others `free`.
pub(super) fn slots(live: SlotSet, full: SlotView, free: SlotView) -> [SlotView; 8] {
    std::array::from_fn(|slot| if live.contains(slot as u32) { full } else { free })
}

impl Map {
    /// The map seen through, with the first `limit` chains or groups of each array slot by slot.
    pub fn xray(&self, limit: usize) -> MapView {
        match self {
            Map::Buckets(map) => map.xray(limit),
            Map::Swiss(map) => map.xray(limit),
        }
    }
}
