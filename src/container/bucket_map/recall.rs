//! What a map remembers of its keys: one byte a key that says which slot the key lies in.
//!
//! A lookup in a real map reads the key's bucket, wherever in memory the hash has put it. Here a table indexed by key
//! ([`KeyTable`]) tells the slot; the bucket's mask of live slots is all that an insert or a delete looks at besides. What
//! lies in the bucket can even be left unwritten until somebody wants to go from bucket to key, which only growing and ranging
//! do ([`BucketMap::write_keys`]): a map that is made to size and filled never touches its keys on the host.
//!
//! Invariants: unless given up, the table is right about every key; a key that is in no main bucket's slot lies in an
//! overflow bucket of its chain. In a growth the byte speaks of the array that holds the key.

use super::BucketMap;
use super::bucket::Slot;
use crate::container::key_table::{ABSENT, KeyTable};

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
pub(super) struct Recall(KeyTable);

impl Recall {
    /// What is known of a key.
    #[inline]
    pub fn of(&self, key: u32) -> Recalled {
        match self.0.of(key) {
            Some(ABSENT) => Recalled::Absent,
            Some(OVERFLOW) => Recalled::Overflow,
            Some(slot) => Recalled::Main(u32::from(slot - MAIN)),
            None => Recalled::Nothing,
        }
    }

    /// Notes where a key lies now.
    #[inline]
    pub fn put(&mut self, key: u32, slot: Slot, main_count: u32) {
        self.0.put(key, if slot.bucket < main_count { MAIN + slot.slot as u8 } else { OVERFLOW });
    }

    /// Notes that a key is gone.
    #[inline]
    pub fn remove(&mut self, key: u32) {
        self.0.put(key, ABSENT);
    }

    /// Every key in a main bucket, with its slot.
    fn in_main(&self) -> impl Iterator<Item = (u32, u32)> {
        let known = self.0.present().filter(|(_, byte)| (MAIN..OVERFLOW).contains(byte));
        known.map(|(key, byte)| (key, u32::from(byte - MAIN)))
    }

    /// Bytes of the table on the host.
    pub fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}

impl BucketMap {
    /// Makes sure that the table can hold a key, or gives it up.
    #[inline]
    pub(super) fn make_recallable(&mut self, key: u32) {
        if !self.recall.0.reaches(key) {
            self.stretch_recall(key);
        }
    }

    #[cold]
    fn stretch_recall(&mut self, key: u32) {
        if !self.recall.0.stretch(key, self.count) {
            self.write_keys();
            self.recall.0.give_up();
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
