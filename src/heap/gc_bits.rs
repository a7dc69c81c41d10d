//! Mark bits and allocation bits: one bit a slot, in bump arenas that are dropped whole.
//!
//! Go marks objects in bitmaps that belong to spans. When a span is swept its mark bits *become* its allocation bits
//! (an unmarked slot is a free slot) and it gets fresh, zeroed mark bits for the next cycle. Freeing bitmaps one by one
//! would cost as much as freeing objects, so Go cuts them from 64 KiB arenas and forgets a whole arena once no span
//! can refer to it any more (`runtime/mheap.go` `gcBitsArenas`, Go 1.23.9).
//!
//! The life of a bitmap, by *epoch* (an epoch ends when a cycle starts):
//!
//! 1. cut from the arena of epoch `e`, as mark bits of a new or just swept span;
//! 2. marked in, by the cycle that starts epoch `e + 1` (or the running one, for a span born while marking);
//! 3. allocation bits from that cycle's sweep until the sweep of epoch `e + 2` replaces them;
//! 4. the arena is emptied when epoch `e + 3` starts.
//!
//! Invariant: three arenas are enough, because sweeping is always finished before an epoch ends.
//!
//! Differences from Go: Go keeps emptied 64 KiB arenas on a free list; here those of an epoch come out of a `bumpalo::Bump`
//! that is reset as a whole, and marking an object reads nothing but the arena's address and the word. The bytes that Go
//! would have taken from the system are reported by [`GcBits::arena_bytes`].

use std::cell::Cell;

use bumpalo::Bump;
use self_cell::self_cell;

/// Bytes of one of Go's bitmap arenas (`runtime/mheap.go` `gcBitsChunkBytes`), of which the header takes 16.
const ARENA_BYTES: u64 = 64 << 10;
const ARENA_USABLE_BYTES: u64 = ARENA_BYTES - 16;
const ARENA_WORDS: usize = ARENA_USABLE_BYTES as usize / 8;

/// Epochs whose bitmaps can be referred to at one time.
const LIVE_EPOCHS: usize = 3;

type Arenas<'bump> = Vec<&'bump [Cell<u64>]>;

self_cell!(
    /// One epoch's arenas and the bump allocator they are cut from.
    struct Epoch {
        owner: Bump,
        #[covariant]
        dependent: Arenas,
    }
);

/// Bits of a [`BitsRef`] that number a word of an arena.
const WORD_BITS: u32 = ARENA_WORDS.ilog2() + 1;

/// Names one bitmap: the epoch in the top two bits, the number of its arena below them, then the number of its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitsRef(u32);

impl BitsRef {
    /// A bitmap of any length that is all zeroes: the allocation bits of a span that was never swept.
    pub const ALL_CLEAR: BitsRef = BitsRef(u32::MAX);

    #[inline]
    fn epoch(self) -> usize {
        (self.0 >> 30) as usize
    }

    #[inline]
    fn arena(self) -> usize {
        (self.0 << 2 >> (2 + WORD_BITS)) as usize
    }

    #[inline]
    fn first_word(self) -> usize {
        (self.0 & ((1 << WORD_BITS) - 1)) as usize
    }
}

/// All bitmaps of the heap.
pub struct GcBits {
    epochs: [Epoch; LIVE_EPOCHS],
    current: usize,
    /// Words handed out of the newest arena of the current epoch.
    used_words: usize,
    /// Bytes handed out in each epoch.
    used_bytes: [u64; LIVE_EPOCHS],
    /// Most 64 KiB arenas that were ever in use together: Go never gives one back.
    peak_arenas: u64,
}

impl Default for GcBits {
    fn default() -> Self {
        let empty = || Epoch::new(Bump::new(), |_| Vec::new());
        GcBits {
            epochs: [empty(), empty(), empty()],
            current: 0,
            used_words: ARENA_WORDS,
            used_bytes: [0; LIVE_EPOCHS],
            peak_arenas: 1,
        }
    }
}

impl GcBits {
    /// A zeroed bitmap for `slot_count` slots from this epoch's newest arena.
    #[inline]
    pub fn cut(&mut self, slot_count: u32) -> BitsRef {
        let word_count = slot_count.div_ceil(64) as usize;
        self.used_bytes[self.current] += 8 * word_count as u64;
        if self.used_words + word_count > ARENA_WORDS {
            self.add_arena();
        }
        let arena = self.epochs[self.current].borrow_dependent().len() - 1;
        let first_word = self.used_words;
        self.used_words += word_count;
        BitsRef((self.current as u32) << 30 | (arena as u32) << WORD_BITS | first_word as u32)
    }

    #[cold]
    fn add_arena(&mut self) {
        let count = self.epochs[self.current].with_dependent_mut(|bump, arenas| {
            arenas.push(bump.alloc_slice_fill_default(ARENA_WORDS));
            arenas.len()
        });
        assert!(count < 1 << (30 - WORD_BITS), "{count} arenas of bitmaps in one epoch");
        self.used_words = 0;
    }

    /// Starts a new epoch: the arenas of the oldest are given up, and it becomes the current one.
    pub fn start_epoch(&mut self) {
        self.peak_arenas = self.peak_arenas.max(self.arenas_in_use());
        self.current = (self.current + 1) % LIVE_EPOCHS;
        let oldest =
            std::mem::replace(&mut self.epochs[self.current], Epoch::new(Bump::new(), |_| Vec::new()));
        let mut bump = oldest.into_owner();
        bump.reset();
        self.epochs[self.current] = Epoch::new(bump, |_| Vec::new());
        self.used_words = ARENA_WORDS;
        self.used_bytes[self.current] = 0;
    }

    /// The 64-bit words of a bitmap and of those behind it in its arena; empty for [`BitsRef::ALL_CLEAR`].
    #[inline]
    fn words(&self, bits: BitsRef) -> &[Cell<u64>] {
        if bits == BitsRef::ALL_CLEAR {
            return &[];
        }
        &self.epochs[bits.epoch()].borrow_dependent()[bits.arena()][bits.first_word()..]
    }

    /// Whether bit `index` is set.
    #[inline]
    pub fn is_set(&self, bits: BitsRef, index: u32) -> bool {
        self.words(bits).get(index as usize / 64).is_some_and(|word| word.get() >> (index % 64) & 1 == 1)
    }

    /// Sets bit `index`; `true` if it was clear.
    #[inline]
    pub fn set(&self, bits: BitsRef, index: u32) -> bool {
        let arena = self.epochs[bits.epoch()].borrow_dependent()[bits.arena()];
        let word = &arena[bits.first_word() + index as usize / 64];
        let mask = 1 << (index % 64);
        let was = word.get();
        word.set(was | mask);
        was & mask == 0
    }

    /// Sets bits `start..end`, and returns how many of them were clear.
    pub fn set_range(&self, bits: BitsRef, start: u32, end: u32) -> u32 {
        let words = self.words(bits);
        let mut newly_set = 0;
        for_each_word(start, end, |word, mask| {
            let was = words[word].get();
            newly_set += (mask & !was).count_ones();
            words[word].set(was | mask);
        });
        newly_set
    }

    /// How many bits of a bitmap for `slot_count` slots are set.
    #[inline]
    pub fn count(&self, bits: BitsRef, slot_count: u32) -> u32 {
        let words = self.words(bits).iter().take(slot_count.div_ceil(64) as usize);
        words.map(|word| word.get().count_ones()).sum()
    }

    /// The longest run of clear bits that starts at the first clear bit at or above `from`, cut off at `limit` bits
    /// and at `slot_count`. `None` when no bit is clear.
    pub fn next_clear_run(
        &self,
        bits: BitsRef,
        from: u32,
        slot_count: u32,
        limit: u32,
    ) -> Option<(u32, u32)> {
        let words = self.words(bits);
        if words.is_empty() {
            return (from < slot_count).then(|| (from, slot_count.min(from.saturating_add(limit))));
        }
        let start = next_bit(words, from, slot_count, u64::MAX)?;
        let end_limit = slot_count.min(start.saturating_add(limit));
        let end = next_bit(words, start, end_limit, 0).unwrap_or(end_limit);
        Some((start, end))
    }

    /// The highest set bit strictly below `below` and not below `floor`.
    pub fn highest_set_below(&self, bits: BitsRef, floor: u32, below: u32) -> Option<u32> {
        let words = self.words(bits);
        let mut found = None;
        let mut end = below;
        while end > floor && found.is_none() {
            let word = (end - 1) / 64;
            let low = (word * 64).max(floor);
            let mask = range_mask(low % 64, end - word * 64);
            let masked = words[word as usize].get() & mask;
            if masked != 0 {
                found = Some(word * 64 + 63 - masked.leading_zeros());
            }
            end = low;
        }
        found
    }

    /// Bytes of 64 KiB arenas that Go would hold for these bitmaps (part of GCSys).
    pub fn arena_bytes(&self) -> u64 {
        self.peak_arenas.max(self.arenas_in_use()) * ARENA_BYTES
    }

    fn arenas_in_use(&self) -> u64 {
        self.used_bytes.iter().map(|bytes| bytes.div_ceil(ARENA_USABLE_BYTES)).sum()
    }
}

/// The first bit at or above `from` that differs from the bits of `same` (all ones: the first clear bit).
fn next_bit(words: &[Cell<u64>], from: u32, end: u32, same: u64) -> Option<u32> {
    let mut at = from;
    while at < end {
        let differing = (words[at as usize / 64].get() ^ same) >> (at % 64);
        if differing != 0 {
            let found = at + differing.trailing_zeros();
            return (found < end).then_some(found);
        }
        at = (at / 64 + 1) * 64;
    }
    None
}

/// Calls `visit(word, mask)` for each word that holds some of the bits `start..end`.
fn for_each_word(start: u32, end: u32, mut visit: impl FnMut(usize, u64)) {
    let mut at = start;
    while at < end {
        let word = at / 64;
        let stop = end.min((word + 1) * 64);
        visit(word as usize, range_mask(at % 64, stop - word * 64));
        at = stop;
    }
}

/// Bits `low..high` of a word, `low < high <= 64`.
fn range_mask(low: u32, high: u32) -> u64 {
    (u64::MAX >> (64 - (high - low))) << low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_survive_two_epochs_and_their_arena_is_reused_in_the_third() {
        let mut bits = GcBits::default();
        let first = bits.cut(100);
        bits.set(first, 99);
        for _ in 0..2 {
            bits.start_epoch();
            assert!(bits.is_set(first, 99));
        }
        bits.start_epoch();
        let reused = bits.cut(100);
        assert_eq!(reused, first);
        assert_eq!(bits.count(reused, 100), 0);
    }

    proptest! {
        #[test]
        fn agrees_with_a_vector_of_flags(
            slots in 1u32..300, set in proptest::collection::vec((0u32..300, 1u32..80), 0..8),
            from in 0u32..300, limit in 1u32..300,
        ) {
            let mut bits = GcBits::default();
            let map = bits.cut(slots);
            let mut model = vec![false; slots as usize];
            for (start, len) in set {
                let (start, end) = (start.min(slots), (start + len).min(slots));
                let newly = (start..end).filter(|i| !model[*i as usize]).count();
                prop_assert_eq!(bits.set_range(map, start, end), newly as u32);
                (start..end).for_each(|i| model[i as usize] = true);
            }
            prop_assert_eq!(bits.count(map, slots) as usize, model.iter().filter(|set| **set).count());
            let start = (from..slots).find(|i| !model[*i as usize]);
            let run = start.map(|start| {
                let stop = slots.min(start + limit);
                (start, (start..stop).find(|i| model[*i as usize]).unwrap_or(stop))
            });
            prop_assert_eq!(bits.next_clear_run(map, from, slots, limit), run);
            let below = from.min(slots);
            prop_assert_eq!(bits.highest_set_below(map, 0, below), (0..below).rev().find(|i| model[*i as usize]));
        }
    }
}
