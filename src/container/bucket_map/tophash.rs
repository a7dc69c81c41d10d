//! Tophash: one byte per slot, the top of the key's hash or a state of the slot.
//!
//! A lookup in Go compares eight of these bytes before it looks at a single key; the states below
//! [`MIN_TOP_HASH`] make deletion, early stopping and evacuation possible without a word of extra memory.
//!
//! **Differences from Go.** The model does not store these bytes, because they follow from what it stores: a live slot's
//! byte from its key; `EMPTY_REST` from there being no live slot behind in the chain, which every delete in Go restores by
//! turning the empty slots at the end of a chain back; and an evacuated bucket is looked at no more. They are worked out
//! for whoever wants to see a bucket.
//!
//! Source: `runtime/map.go` (`emptyRest` ... `minTopHash`, `tophash`, `mapdelete`), Go 1.23.9.

use crate::container::slots::SlotSet;

/// The slot is empty, and so is everything after it in its bucket and in the overflow buckets behind (`emptyRest`).
pub const EMPTY_REST: u8 = 0;
/// The slot is empty, but something may follow (`emptyOne`).
pub const EMPTY_ONE: u8 = 1;
/// The smallest value that stands for a live entry (`minTopHash`); between lie the states of evacuated slots.
pub const MIN_TOP_HASH: u8 = 5;

/// The tophash byte of a hash: its top 8 bits, moved past the slot states.
#[inline]
pub fn tophash(hash: u64) -> u8 {
    let top = (hash >> 56) as u8;
    if top < MIN_TOP_HASH { top + MIN_TOP_HASH } else { top }
}

/// The tophash bytes of a bucket whose live slots have these hashes; `followed` if anything is live behind it in its chain.
pub(super) fn tophash_bytes(live: SlotSet, hash: impl Fn(u32) -> u64, followed: bool) -> [u8; 8] {
    let mut bytes = [EMPTY_REST; 8];
    let mut followed = followed;
    for slot in (0..8).rev() {
        if live.contains(slot) {
            bytes[slot as usize] = tophash(hash(slot));
            followed = true;
        } else if followed {
            bytes[slot as usize] = EMPTY_ONE;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_never_hashes() {
        for top in 0..=255u64 {
            assert!(tophash(top << 56) >= MIN_TOP_HASH);
        }
        assert_eq!(tophash(3 << 56), 8); // 3 + 5
        assert_eq!(tophash(200 << 56), 200);
    }

    #[test]
    fn empty_slots_know_whether_anything_follows() {
        let bytes =
            |live, followed| tophash_bytes(SlotSet(live), |slot| u64::from(slot + 10) << 56, followed);
        assert_eq!(bytes(0b0000_1010, false), [1, 11, 1, 13, 0, 0, 0, 0]);
        assert_eq!(bytes(0b0000_1010, true), [1, 11, 1, 13, 1, 1, 1, 1]);
        assert_eq!(bytes(0, false), [0; 8]);
    }
}
