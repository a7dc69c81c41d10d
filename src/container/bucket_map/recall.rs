//! What a map remembers of its keys: one byte a key that says which slot the key lies in.
//!
//! A lookup in a real map reads the key's bucket, wherever in memory the hash has put it. Key identities are small numbers
//! that programs use in some order, so a table that is indexed by *key* finds the slot without a hash and mostly
//! without a cache miss; the bucket's mask of live slots is all that an insert or a delete looks at besides. What lies in the bucket can
//! even be left unwritten until somebody wants to go from bucket to key, which only growing and ranging do
//! ([`BucketMap::write_keys`]): a map that is made to size and filled never touches its keys on the host.
//!
//! A table over keys that lie far apart would be larger than the map. It is given up then, and keys are searched for.
//!
//! Invariants: unless given up, the table is right about every key; a key that is in no main bucket's slot lies in an
//! overflow bucket of its chain. In a growth the byte speaks of the array that holds the key.

use super::BucketMap;
use super::bucket::Slot;

/// Keys below this are remembered in any map.
const ALWAYS_NEAR: usize = 1 << 24;
/// A table may have this many bytes for each entry of the map.
const BYTES_PER_ENTRY: u64 = 16;
/// The smallest table.
const MIN_BYTES: usize = 1 << 10;

const ABSENT: u8 = 0;
/// The first of eight bytes for the eight slots of a main bucket.
const MAIN: u8 = 1;
const OVERFLOW: u8 = MAIN + 8;

/// What is known of a key without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recalled {
    /// It is not in the map.
    Absent,
    /// It is in this slot of its main bucket.
    Main(u32),
    /// It is in an overflow bucket of its chain.
    Overflow,
    /// Nothing: the table was given up.
    Nothing,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub(super) struct Recall {
    slots: Vec<u8>,
    given_up: bool,
}

impl Recall {
    /// What is known of a key.
    #[inline]
    pub fn of(&self, key: u32) -> Recalled {
        match self.slots.get(key as usize) {
            Some(&ABSENT) => Recalled::Absent,
            Some(&OVERFLOW) => Recalled::Overflow,
            Some(slot) => Recalled::Main(u32::from(slot - MAIN)),
            None if self.given_up => Recalled::Nothing,
            None => Recalled::Absent,
        }
    }

    /// Whether [`put`](Self::put) may be called for a key.
    #[inline]
    pub fn reaches(&self, key: u32) -> bool {
        (key as usize) < self.slots.len() || self.given_up
    }

    /// Makes room for a key of a map with `count` entries; `false` if it lies too far away.
    fn stretch(&mut self, key: u32, count: u64) -> bool {
        let needed = key as usize + 1;
        if needed > ALWAYS_NEAR && needed as u64 > BYTES_PER_ENTRY * count {
            return false;
        }
        // Memory that is zero from the start costs nothing until it is written.
        let mut longer = vec![ABSENT; needed.next_power_of_two().max(MIN_BYTES)];
        longer[..self.slots.len()].copy_from_slice(&self.slots);
        self.slots = longer;
        true
    }

    /// Notes where a key lies now.
    #[inline]
    pub fn put(&mut self, key: u32, slot: Slot, main_count: u32) {
        if let Some(byte) = self.slots.get_mut(key as usize) {
            *byte = if slot.bucket < main_count { MAIN + slot.slot as u8 } else { OVERFLOW };
        }
    }

    /// Notes that a key is gone.
    #[inline]
    pub fn remove(&mut self, key: u32) {
        if let Some(byte) = self.slots.get_mut(key as usize) {
            *byte = ABSENT;
        }
    }

    /// Every key in a main bucket, with its slot.
    fn in_main(&self) -> impl Iterator<Item = (u32, u32)> {
        let known = self.slots.iter().zip(0..).filter(|(byte, _)| (MAIN..OVERFLOW).contains(*byte));
        known.map(|(byte, key)| (key, u32::from(byte - MAIN)))
    }

    /// Bytes of the table on the host.
    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity()
    }
}

impl BucketMap {
    /// Makes sure that the table can hold a key, or gives it up.
    #[inline]
    pub(super) fn make_recallable(&mut self, key: u32) {
        if !self.recall.reaches(key) {
            self.stretch_recall(key);
        }
    }

    #[cold]
    fn stretch_recall(&mut self, key: u32) {
        if !self.recall.stretch(key, self.count) {
            self.write_keys();
            self.recall = Recall { slots: Vec::new(), given_up: true };
        }
    }

    /// Writes the keys that were left unwritten into their buckets. From here on they are written at once.
    pub(super) fn write_keys(&mut self) {
        self.settle();
        if self.keys_are_written {
            return;
        }
        self.keys_are_written = true;
        for (key, slot) in self.recall.in_main() {
            let bucket = self.current.index_of(self.seed.hash(key));
            self.current.keys_mut(bucket)[slot as usize] = key;
        }
    }
}
