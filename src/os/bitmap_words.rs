//! Bitmaps by the word: a range of bit numbers as the 64-bit words that hold it, each with a mask.

use std::ops::Range;

/// Bits in one word of a bitmap.
const WORD_BITS: u64 = u64::BITS as u64;

/// The words that hold the bits of `range`, lowest first: each word's index and a mask of the bits meant.
#[inline]
pub(crate) fn bitmap_words(range: Range<u64>) -> impl Iterator<Item = (usize, u64)> {
    let mut next = range.start;
    std::iter::from_fn(move || {
        if next >= range.end {
            return None;
        }
        let first_bit = next % WORD_BITS;
        let count = (WORD_BITS - first_bit).min(range.end - next);
        let word = (next / WORD_BITS) as usize;
        next += count;
        Some((word, u64::MAX >> (WORD_BITS - count) << first_bit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_its_words_and_masks() {
        let words: Vec<_> = bitmap_words(62..129).collect();
        assert_eq!(words, [(0, 0b11 << 62), (1, u64::MAX), (2, 1)]);
        assert_eq!(bitmap_words(5..5).count(), 0);
        assert_eq!(bitmap_words(64..128).collect::<Vec<_>>(), [(1, u64::MAX)]);
    }
}
