//! What a map remembers of its keys: one byte a key that says how far along its probe, and in which slot, the key lies.
//!
//! A lookup in a real map reads control words and keys, wherever in memory the hash has put them. Here a table indexed by
//! key ([`KeyTable`]) tells the place; the group's mask of live slots is all that an insert or a delete looks at besides. The keys
//! in the slots can even be left unwritten until somebody wants to go from slot to key, which pruning, growing and ranging
//! do ([`SwissMap::write_keys`]): a map that is made to size and filled never touches its keys on the host.
//!
//! Invariants: unless given up, the table is right about every key; keys that it cannot place are written.

use super::SwissMap;
use super::table::Slot;
use crate::container::key_table::ABSENT;

/// The byte of the first slot of the first group of a probe; eight bytes a group follow.
const FIRST: u8 = 1;
/// Groups of a probe that a byte can name.
const NEAR_STEPS: u32 = 31;
/// The byte of a key that lies farther along its probe.
const FAR: u8 = FIRST + 8 * NEAR_STEPS as u8;

/// The byte that says where an entry lies.
#[inline]
pub(super) fn place_byte(at: Slot) -> u8 {
    if at.step < NEAR_STEPS { FIRST + (at.step * 8 + at.slot) as u8 } else { FAR }
}

/// The step along the probe and the slot that a byte stands for.
#[inline]
fn near(byte: u8) -> (u32, u32) {
    let place = u32::from(byte - FIRST);
    (place / 8, place % 8)
}

impl SwissMap {
    /// Where a key lies in table `number`, which its hash leads to.
    #[inline]
    pub(super) fn slot_of(&self, number: usize, hash: u64, key: u32) -> Option<Slot> {
        match self.places.of(key) {
            Some(ABSENT) => None,
            Some(FAR) | None => self.tables[number].find(hash, key),
            Some(byte) => {
                let (step, slot) = near(byte);
                Some(self.tables[number].slot_after(hash, step, slot))
            }
        }
    }

    /// Whether a key is present, without a look at its table; `None` if nobody remembers.
    #[inline]
    pub(super) fn recalled(&self, key: u32) -> Option<bool> {
        self.places.of(key).map(|byte| byte != ABSENT)
    }

    /// Notes a new entry in the map's own books.
    #[inline]
    pub(super) fn remember(&mut self, number: usize, at: Slot, key: u32) {
        if !self.places.reaches(key) {
            self.stretch_places(key);
        }
        if at.step >= NEAR_STEPS {
            self.write_keys();
        }
        self.places.put(key, place_byte(at));
        if self.keys_are_written {
            self.tables[number].write_key(at, key);
        }
    }

    /// Strikes an entry out of the map's own books.
    #[inline]
    pub(super) fn forget(&mut self, key: u32) {
        self.places.put(key, ABSENT);
    }

    #[cold]
    fn stretch_places(&mut self, key: u32) {
        if !self.places.stretch(key, self.count) {
            self.write_keys();
            self.places.give_up();
        }
    }

    /// Writes the keys that were left unwritten into their slots. From here on they are written at once.
    pub(super) fn write_keys(&mut self) {
        if self.keys_are_written {
            return;
        }
        self.keys_are_written = true;
        self.tables.iter_mut().for_each(super::Table::make_keys);
        for (key, byte) in self.places.present() {
            let hash = self.seed.hash(key);
            let (step, slot) = near(byte);
            let table = &mut self.tables[self.directory.table_of(hash)];
            table.write_key(table.slot_after(hash, step, slot), key);
        }
    }
}
