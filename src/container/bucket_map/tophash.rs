//! Tophash: one byte per slot, the top of the key's hash or a state of the slot.
//!
//! A lookup compares eight of these bytes before it looks at a single key; the states below
//! [`MIN_TOP_HASH`] make deletion, early stopping and evacuation possible without a word of extra memory.
//!
//! The eight bytes are kept as one `u64` (slot `i` in bits `8i` to `8i + 7`) and compared all at once.
//!
//! Source: `runtime/map.go` (`emptyRest` ... `minTopHash`, `tophash`), Go 1.23.9.

/// The slot is empty, and so is everything after it in its bucket and in the overflow buckets behind (`emptyRest`).
pub const EMPTY_REST: u8 = 0;
/// The slot is empty, but something may follow (`emptyOne`).
pub const EMPTY_ONE: u8 = 1;
/// The entry has moved to the bucket with the same index in the new array (`evacuatedX`).
pub const EVACUATED_X: u8 = 2;
/// The entry has moved to the bucket in the upper half of the new array (`evacuatedY`).
pub const EVACUATED_Y: u8 = 3;
/// The slot was empty when its bucket was evacuated (`evacuatedEmpty`).
pub const EVACUATED_EMPTY: u8 = 4;
/// The smallest value that stands for a live entry (`minTopHash`).
pub const MIN_TOP_HASH: u8 = 5;

/// The tophash byte of a hash: its top 8 bits, moved past the slot states.
#[inline]
pub fn tophash(hash: u64) -> u8 {
    let top = (hash >> 56) as u8;
    if top < MIN_TOP_HASH { top + MIN_TOP_HASH } else { top }
}

const ONE_IN_EACH: u64 = 0x0101_0101_0101_0101;
const HIGH_BIT_IN_EACH: u64 = 0x8080_8080_8080_8080;

/// The eight tophash bytes of a bucket. The default is a fresh bucket: all [`EMPTY_REST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopHashes(u64);

impl TopHashes {
    /// The same byte in all eight slots.
    pub const fn all(byte: u8) -> TopHashes {
        TopHashes(byte as u64 * ONE_IN_EACH)
    }

    /// The byte of `slot`.
    #[inline]
    pub fn get(self, slot: u32) -> u8 {
        (self.0 >> (8 * slot)) as u8
    }

    /// Replaces the byte of `slot`.
    #[inline]
    pub fn set(&mut self, slot: u32, byte: u8) {
        let shift = 8 * slot;
        self.0 = self.0 & !(0xff << shift) | u64::from(byte) << shift;
    }

    /// Sets the byte of `slot`, which is [`EMPTY_REST`] so far.
    #[inline]
    pub fn fill(&mut self, slot: u32, byte: u8) {
        debug_assert!(self.get(slot) == EMPTY_REST, "slot {slot} of {:?} is taken", self.bytes());
        self.0 |= u64::from(byte) << (8 * slot);
    }

    /// Slots whose byte is exactly `byte`.
    #[inline]
    pub fn matching(self, byte: u8) -> SlotSet {
        SlotSet::of_zero_bytes(self.0 ^ (u64::from(byte) * ONE_IN_EACH))
    }

    /// Slots that are empty: [`EMPTY_REST`] or [`EMPTY_ONE`].
    #[inline]
    pub fn empty(self) -> SlotSet {
        SlotSet::of_zero_bytes(self.0 & !ONE_IN_EACH)
    }

    /// Slots that hold a live entry, in a bucket that is not evacuated.
    #[inline]
    pub fn live(self) -> SlotSet {
        SlotSet(self.empty().0 ^ HIGH_BIT_IN_EACH)
    }

    /// Whether nothing follows behind this bucket. [`EMPTY_REST`] slots are always the last ones, so one byte tells.
    #[inline]
    pub fn ends_chain(self) -> bool {
        self.get(7) == EMPTY_REST
    }

    /// Whether the first byte says that this bucket, and with it its whole chain, was evacuated.
    #[inline]
    pub fn evacuated(self) -> bool {
        let first = self.get(0);
        first > EMPTY_ONE && first < MIN_TOP_HASH
    }

    /// The bytes in slot order.
    pub fn bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}

/// A set of slots of one bucket; iterates in slot order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotSet(u64);

impl SlotSet {
    #[inline]
    fn of_zero_bytes(word: u64) -> SlotSet {
        // Adding 0x7f carries into the high bit of every byte that is not zero (and never into the next byte).
        let low_bits = word & !HIGH_BIT_IN_EACH;
        let not_zero = (low_bits + !HIGH_BIT_IN_EACH) | word;
        SlotSet(!not_zero & HIGH_BIT_IN_EACH)
    }

    /// The lowest slot of the set.
    #[inline]
    pub fn first(self) -> Option<u32> {
        (self.0 != 0).then(|| self.0.trailing_zeros() / 8)
    }
}

impl Iterator for SlotSet {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let slot = self.first()?;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: [u8; 8]) -> TopHashes {
        let mut hashes = TopHashes::default();
        for (slot, byte) in bytes.into_iter().enumerate() {
            hashes.set(slot as u32, byte);
        }
        hashes
    }

    #[test]
    fn states_are_never_hashes() {
        for top in 0..=255u64 {
            assert!(tophash(top << 56) >= MIN_TOP_HASH);
        }
        assert_eq!(tophash(3 << 56), 8); // 3 + 5
        assert_eq!(tophash(200 << 56), 200);
    }

    #[test]
    fn eight_bytes_are_compared_at_once_and_exactly() {
        let bytes = [7, 6, 1, 7, 0x87, 0, 255, 0];
        let hashes = of(bytes);
        assert_eq!(hashes.bytes(), bytes);
        for byte in 0..=255 {
            let slowly: Vec<u32> = (0..8).filter(|slot| bytes[*slot as usize] == byte).collect();
            assert_eq!(hashes.matching(byte).collect::<Vec<_>>(), slowly, "byte {byte}");
        }
        assert_eq!(hashes.empty().collect::<Vec<_>>(), [2, 5, 7]);
        assert_eq!(hashes.live().collect::<Vec<_>>(), [0, 1, 3, 4, 6]);
    }

    #[test]
    fn the_first_byte_tells_evacuated_buckets() {
        assert!(!TopHashes::all(EMPTY_REST).evacuated());
        assert!(!TopHashes::all(EMPTY_ONE).evacuated());
        for state in [EVACUATED_X, EVACUATED_Y, EVACUATED_EMPTY] {
            assert!(TopHashes::all(state).evacuated());
        }
        assert!(!TopHashes::all(MIN_TOP_HASH).evacuated());
    }
}
