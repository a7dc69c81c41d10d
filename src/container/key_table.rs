//! A byte for each key of a map, in a table indexed by key: where in the map the key lies.
//!
//! Key identities are small numbers that programs use in some order, so a table that is indexed by *key* finds an entry
//! without a hash and mostly without a cache miss. What the byte says is up to the map; 0 says that the key is absent.
//!
//! A table over keys that lie far apart would be larger than the map. It is given up then, and keys are searched for.
//!
//! **Invariant.** Unless given up, the table is right about every key.

/// Keys below this are remembered in any map.
const ALWAYS_NEAR: usize = 1 << 24;
/// A table may have this many bytes for each entry of the map.
const BYTES_PER_ENTRY: u64 = 16;
/// The smallest table.
const MIN_BYTES: usize = 1 << 10;

/// The byte of a key that is not in the map.
pub(super) const ABSENT: u8 = 0;

/// The table.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyTable {
    bytes: Vec<u8>,
    given_up: bool,
}

impl KeyTable {
    /// The byte of a key; `None` if the table was given up.
    #[inline]
    pub fn of(&self, key: u32) -> Option<u8> {
        match self.bytes.get(key as usize) {
            Some(byte) => Some(*byte),
            None if self.given_up => None,
            None => Some(ABSENT),
        }
    }

    /// Whether [`put`](Self::put) may be called for a key.
    #[inline]
    pub fn reaches(&self, key: u32) -> bool {
        (key as usize) < self.bytes.len() || self.given_up
    }

    /// Makes room for a key of a map with `count` entries; `false` if it lies too far away.
    pub fn stretch(&mut self, key: u32, count: u64) -> bool {
        let needed = key as usize + 1;
        if needed > ALWAYS_NEAR && needed as u64 > BYTES_PER_ENTRY * count {
            return false;
        }
        // Memory that is zero from the start costs nothing until it is written.
        let mut longer = vec![ABSENT; needed.next_power_of_two().max(MIN_BYTES)];
        longer[..self.bytes.len()].copy_from_slice(&self.bytes);
        self.bytes = longer;
        true
    }

    /// Gives the table up: nothing is known of any key from here on.
    pub fn give_up(&mut self) {
        *self = KeyTable { bytes: Vec::new(), given_up: true };
    }

    /// Notes where a key lies now.
    #[inline]
    pub fn put(&mut self, key: u32, byte: u8) {
        if let Some(place) = self.bytes.get_mut(key as usize) {
            *place = byte;
        }
    }

    /// Every key in the map, with its byte; none if the table was given up.
    pub fn present(&self) -> impl Iterator<Item = (u32, u8)> {
        (0..).zip(self.bytes.iter().copied()).filter(|(_, byte)| *byte != ABSENT)
    }

    /// Bytes of the table on the host.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}
