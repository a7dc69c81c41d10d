//! Which keys a step touches, in which order: described in a few numbers, produced one at a time.
//!
//! A key is an identity, a `u32`; what the Go program would use as key (an int, a string made from it) does not matter
//! to memory. Every iterator is a pure function of the description, the run's seed and the *turn*: how often this step
//! has run before, which `repeat` raises. The same three give the same keys on any machine.
//!
//! 1. A range yields each key once: ascending, or shuffled by a keyed permutation (a four-round Feistel network over the
//!    next larger power of four, walked until the result is in range), so that a shuffle of a billion keys needs no memory.
//! 2. A random set draws uniformly with replacement (`splitmix64`).
//! 3. Zipf draws key k with probability proportional to `1 / (k + 1)^exponent`, by rejection-inversion
//!    (W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", 1996).
//! 4. A window yields a range in ascending order; whoever inserts its keys deletes the key `size` below each one first.

use super::splitmix64::{SplitMix64, mix, start};
use crate::elementary::{exp, ln};

/// One more than the largest key: keys are 0 to 4,294,967,294.
pub const KEY_LIMIT: u64 = u32::MAX as u64;

/// The keys of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    /// Each key from `first` up to, not including, `end`; both move up by `shift` at each further turn.
    Range {
        /// First key.
        first: u64,
        /// One more than the last key.
        end: u64,
        /// How far the range moves at each turn.
        shift: u64,
        /// Ascending or shuffled.
        order: Order,
    },
    /// `count` keys drawn uniformly, with replacement, from those under `below`. Each turn draws others.
    Random {
        /// How many draws.
        count: u64,
        /// One more than the largest key.
        below: u64,
        /// Distinguishes this step's draws from another's.
        seed: u64,
    },
    /// `count` keys under `below`, few of them often and many of them seldom. Each turn draws others.
    Zipf {
        /// How many draws.
        count: u64,
        /// One more than the largest key.
        below: u64,
        /// How uneven: near 0 uniform, 1 is Zipf's law.
        exponent: f64,
        /// Distinguishes this step's draws from another's.
        seed: u64,
    },
    /// Like an ascending range, but each insert is preceded by a delete of the key `size` below, so that `size` keys live.
    Window {
        /// First key that is inserted.
        first: u64,
        /// One more than the last key that is inserted.
        end: u64,
        /// How far the range moves at each turn.
        shift: u64,
        /// How many keys stay.
        size: u64,
    },
}

/// In which order the keys of a range come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    #[default]
    Ascending,
    /// A shuffle that depends on the run's seed, the step's and the turn.
    Random {
        /// Distinguishes this step's shuffle from another's.
        seed: u64,
    },
}

impl Keys {
    /// How many keys one turn yields.
    pub fn count(&self) -> u64 {
        match *self {
            Keys::Range { first, end, .. } | Keys::Window { first, end, .. } => end - first,
            Keys::Random { count, .. } | Keys::Zipf { count, .. } => count,
        }
    }

    /// One more than the largest key that `turns` turns can yield; saturates.
    pub fn limit(&self, turns: u64) -> u64 {
        match *self {
            Keys::Range { end, shift, .. } | Keys::Window { end, shift, .. } => {
                end.saturating_add(shift.saturating_mul(turns.saturating_sub(1)))
            }
            Keys::Random { below, .. } | Keys::Zipf { below, .. } => below,
        }
    }

    /// For a window, the key to delete before `key` is inserted.
    pub fn evicted_by(&self, key: u32) -> Option<u32> {
        match *self {
            Keys::Window { size, .. } => u64::from(key).checked_sub(size).map(|key| key as u32),
            _ => None,
        }
    }

    /// The keys of turn `turn` (0 for a step outside any `repeat`) in a run with `run_seed`.
    ///
    /// A checked scenario never runs a turn whose keys pass [`KEY_LIMIT`].
    pub fn iter(&self, run_seed: u64, turn: u64) -> KeysIter {
        match *self {
            Keys::Range { first, end, shift, order: Order::Ascending }
            | Keys::Window { first, end, shift, .. } => {
                KeysIter::Ascending { next: first + shift * turn, end: end + shift * turn }
            }
            Keys::Range { first, end, shift, order: Order::Random { seed } } => KeysIter::Shuffled {
                first: first + shift * turn,
                next: 0,
                permutation: Permutation::new(end - first, run_seed, seed, turn),
            },
            Keys::Random { count, below, seed } => {
                KeysIter::Random { left: count, below, rng: SplitMix64::new(run_seed, seed, turn) }
            }
            Keys::Zipf { count, below, exponent, seed } => KeysIter::Zipf {
                left: count,
                zipf: Zipf::new(below, exponent),
                rng: SplitMix64::new(run_seed, seed, turn),
            },
        }
    }
}

/// The keys of one turn of a step, made one at a time.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "only its Iterator is of interest")]
pub enum KeysIter {
    Ascending { next: u64, end: u64 },
    Shuffled { first: u64, next: u64, permutation: Permutation },
    Random { left: u64, below: u64, rng: SplitMix64 },
    Zipf { left: u64, zipf: Zipf, rng: SplitMix64 },
}

impl KeysIter {
    /// The next keys, at most `limit`, when they are neighbours in ascending order; `None` when they come otherwise.
    pub fn next_range(&mut self, limit: u64) -> Option<std::ops::Range<u32>> {
        let KeysIter::Ascending { next, end } = self else { return None };
        let first = *next;
        *next = (*next + limit).min(*end);
        Some(first as u32..*next as u32)
    }
}

impl Iterator for KeysIter {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let key = match self {
            KeysIter::Ascending { next, end } => {
                if *next >= *end {
                    return None;
                }
                *next += 1;
                *next - 1
            }
            KeysIter::Shuffled { first, next, permutation } => {
                if *next >= permutation.count {
                    return None;
                }
                *next += 1;
                *first + permutation.apply(*next - 1)
            }
            KeysIter::Random { left, below, rng } => {
                *left = left.checked_sub(1)?;
                rng.below(*below)
            }
            KeysIter::Zipf { left, zipf, rng } => {
                *left = left.checked_sub(1)?;
                zipf.draw(rng)
            }
        };
        debug_assert!(key < KEY_LIMIT, "key {key} is not below {KEY_LIMIT}");
        Some(key as u32)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self {
            KeysIter::Ascending { next, end } => end - next,
            KeysIter::Shuffled { next, permutation, .. } => permutation.count - next,
            KeysIter::Random { left, .. } | KeysIter::Zipf { left, .. } => *left,
        };
        (usize::try_from(left).unwrap_or(usize::MAX), usize::try_from(left).ok())
    }
}

/// A bijection of `0..count`, chosen by seed and turn.
#[derive(Clone, Debug)]
pub struct Permutation {
    count: u64,
    half_bits: u32,
    round_keys: [u64; 4],
}

impl Permutation {
    fn new(count: u64, run_seed: u64, step_seed: u64, turn: u64) -> Permutation {
        let mut bits = 0;
        while bits < 64 && (1u64 << bits) < count {
            bits += 2;
        }
        let first = start(run_seed, step_seed, turn);
        Permutation { count, half_bits: bits / 2, round_keys: [0, 1, 2, 3].map(|round| mix(first ^ round)) }
    }

    /// The image of `index`, which must be below the count.
    fn apply(&self, index: u64) -> u64 {
        let mut value = self.encipher(index);
        // The domain is at most four times the count, so this takes under four rounds on average.
        while value >= self.count {
            value = self.encipher(value);
        }
        value
    }

    fn encipher(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.round_keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// Draws from a Zipf distribution over `0..below`.
#[derive(Clone, Debug)]
pub struct Zipf {
    below: f64,
    exponent: f64,
    area_low: f64,
    area_high: f64,
    accept: f64,
}

impl Zipf {
    fn new(below: u64, exponent: f64) -> Zipf {
        let mut zipf = Zipf { below: below as f64, exponent, area_low: 0.0, area_high: 0.0, accept: 0.0 };
        zipf.area_low = zipf.area(1.5) - 1.0;
        zipf.area_high = zipf.area(zipf.below + 0.5);
        zipf.accept = 2.0 - zipf.area_inverse(zipf.area(2.5) - zipf.height(2.0));
        zipf
    }

    /// A key; ranks run from 1, keys from 0.
    fn draw(&self, rng: &mut SplitMix64) -> u64 {
        loop {
            let unit = (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            let area = self.area_high + unit * (self.area_low - self.area_high);
            let x = self.area_inverse(area);
            let rank = (x + 0.5).floor().clamp(1.0, self.below);
            if rank - x <= self.accept || area >= self.area(rank + 0.5) - self.height(rank) {
                return rank as u64 - 1;
            }
        }
    }

    /// `x^-exponent`.
    fn height(&self, x: f64) -> f64 {
        exp(-self.exponent * ln(x))
    }

    /// An antiderivative of [`height`](Zipf::height).
    fn area(&self, x: f64) -> f64 {
        let rise = 1.0 - self.exponent;
        if rise.abs() < 1e-9 { ln(x) } else { (exp(rise * ln(x)) - 1.0) / rise }
    }

    fn area_inverse(&self, area: f64) -> f64 {
        let rise = 1.0 - self.exponent;
        if rise.abs() < 1e-9 { exp(area) } else { exp(ln((1.0 + area * rise).max(f64::MIN_POSITIVE)) / rise) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, end: u64, order: Order) -> Keys {
        Keys::Range { first, end, shift: 0, order }
    }

    #[test]
    fn a_range_yields_each_key_once_in_order() {
        let keys: Vec<u32> = range(3, 7, Order::Ascending).iter(1, 0).collect();
        assert_eq!(keys, [3, 4, 5, 6]);
    }

    #[test]
    fn a_shuffled_range_is_a_permutation_that_the_seed_chooses() {
        for count in [0, 1, 2, 3, 5, 16, 17, 1000] {
            let mut keys: Vec<u32> = range(10, 10 + count, Order::Random { seed: 0 }).iter(7, 0).collect();
            keys.sort_unstable();
            assert!(keys.iter().copied().eq((10..10 + count as u32).collect::<Vec<_>>()), "{count}");
        }
        let of = |seed, turn| range(0, 1000, Order::Random { seed: 0 }).iter(seed, turn).collect::<Vec<_>>();
        assert_eq!(of(1, 0), of(1, 0));
        assert_ne!(of(1, 0), of(2, 0));
        assert_ne!(of(1, 0), of(1, 1));
        assert!(!of(1, 0).is_sorted());
    }

    #[test]
    fn a_shifted_range_moves_on_at_each_turn() {
        let keys = Keys::Range { first: 0, end: 3, shift: 3, order: Order::Ascending };
        assert_eq!(keys.iter(1, 2).collect::<Vec<_>>(), [6, 7, 8]);
        // Three turns: 0..3, 3..6, 6..9.
        assert_eq!(keys.limit(3), 9);
        assert_eq!(keys.limit(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_window_says_which_key_must_go() {
        let keys = Keys::Window { first: 0, end: 10, shift: 0, size: 4 };
        assert_eq!((keys.evicted_by(3), keys.evicted_by(4), keys.evicted_by(9)), (None, Some(0), Some(5)));
        assert_eq!(keys.iter(1, 0).count(), 10);
    }

    #[test]
    fn draws_repeat_with_their_seed_and_differ_without() {
        for keys in [
            Keys::Random { count: 500, below: 100, seed: 3 },
            Keys::Zipf { count: 500, below: 100, exponent: 1.1, seed: 3 },
        ] {
            let of = |seed, turn| keys.iter(seed, turn).collect::<Vec<_>>();
            assert_eq!(of(1, 0).len(), 500);
            assert!(of(1, 0).iter().all(|key| *key < 100));
            assert_eq!(of(1, 0), of(1, 0));
            assert_ne!(of(1, 0), of(2, 0));
            assert_ne!(of(1, 0), of(1, 1));
        }
    }

    /// Draws are part of every recorded run: these exact keys must never change.
    #[test]
    fn draws_are_the_same_on_every_machine() {
        let random = Keys::Random { count: 4, below: 1_000_000, seed: 1 };
        let zipf = Keys::Zipf { count: 6, below: 1_000_000, exponent: 1.0, seed: 1 };
        let shuffled = range(0, 1_000_000, Order::Random { seed: 0 });
        let text = format!(
            "{:?} {:?} {:?}",
            random.iter(1, 0).collect::<Vec<_>>(),
            zipf.iter(1, 0).collect::<Vec<_>>(),
            shuffled.iter(1, 0).take(4).collect::<Vec<_>>()
        );
        insta::assert_snapshot!(text, @"[786710, 556698, 760444, 592010] [11, 327, 16, 196, 7, 12280] [425799, 328251, 896974, 168302]");
    }

    #[test]
    fn zipf_follows_its_law() {
        // With exponent 1 over 1000 keys, key k has probability 1 / ((k+1) * H) with H = sum of 1/i = 7.4855.
        let keys = Keys::Zipf { count: 200_000, below: 1000, exponent: 1.0, seed: 0 };
        let mut counts = [0u32; 1000];
        keys.iter(9, 0).for_each(|key| counts[key as usize] += 1);
        let harmonic: f64 = (1..=1000).map(|i| 1.0 / f64::from(i)).sum();
        for key in [0usize, 1, 9] {
            let expected = 200_000.0 / ((key + 1) as f64 * harmonic);
            // Five standard deviations of a Poisson count.
            let allowed = 5.0 * expected.sqrt();
            assert!(
                (f64::from(counts[key]) - expected).abs() < allowed,
                "{key}: {} for {expected}",
                counts[key]
            );
        }
        for exponent in [0.01, 0.99, 1.0, 2.0, 10.0] {
            for below in [1, 2, 4_000_000_000] {
                let keys = Keys::Zipf { count: 100, below, exponent, seed: 0 };
                assert!(keys.iter(1, 0).all(|key| u64::from(key) < below), "{exponent} {below}");
            }
        }
    }
}
