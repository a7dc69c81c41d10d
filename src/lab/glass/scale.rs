//! A large scenario shown small: every count and key divided by one factor, so that there is something to see of each step.
//!
//! `n` things become `ceil(n / factor)`; keys `first..end` become `ceil(first / factor)..ceil(end / factor)`, at least one key. So
//! ranges that were apart stay apart, and a range that was half of another one is half of it still. Objects, types and settings
//! stay as they are.

use crate::scenario::Keys;

/// Fewest turns of a loop that are shown, if it has as many: one turn does not show a loop.
const FEWEST_TURNS: u64 = 2;

/// By how much counts are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// The divisor, at least 1.
    pub factor: u64,
}

impl Scale {
    /// As it is, then ten times smaller each time.
    pub(super) fn all() -> impl Iterator<Item = Scale> {
        (0..10).map(|exponent| Scale { factor: 10_u64.pow(exponent) })
    }

    /// How many of `count` things are shown.
    pub(super) fn count(self, count: u64) -> u64 {
        count.div_ceil(self.factor)
    }

    /// How many turns of a loop are shown.
    pub(super) fn turns(self, times: u64) -> u64 {
        self.count(times).max(times.min(FEWEST_TURNS))
    }

    /// Which keys stand for `keys`.
    pub(super) fn keys(self, keys: &Keys) -> Keys {
        let range = |first: u64, end: u64| {
            let small = self.count(first);
            (small, if end > first { self.count(end).max(small + 1) } else { small })
        };
        match *keys {
            Keys::Range { first, end, shift, order } => {
                let (first, end) = range(first, end);
                Keys::Range { first, end, shift: self.count(shift), order }
            }
            Keys::Window { first, end, shift, size } => {
                let (first, end) = range(first, end);
                Keys::Window { first, end, shift: self.count(shift), size: self.count(size) }
            }
            Keys::Random { count, below, seed } => {
                Keys::Random { count: self.count(count), below: self.count(below), seed }
            }
            Keys::Zipf { count, below, exponent, seed } => {
                Keys::Zipf { count: self.count(count), below: self.count(below), exponent, seed }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Order;

    fn range(first: u64, end: u64) -> Keys {
        Keys::Range { first, end, shift: 0, order: Order::Ascending }
    }

    #[test]
    fn ranges_keep_their_places_and_at_least_one_key() {
        let scale = Scale { factor: 10_000 };
        assert_eq!(scale.keys(&range(0, 1_000_000)), range(0, 100));
        assert_eq!(scale.keys(&range(500_000, 1_000_000)), range(50, 100));
        assert_eq!(scale.keys(&range(200_000, 200_002)), range(20, 21));
        assert_eq!(scale.keys(&range(0, 333_333)), range(0, 34));
        assert_eq!(scale.keys(&range(333_333, 666_666)), range(34, 67));
        assert_eq!(scale.keys(&range(7, 7)).count(), 0);
        let unchanged = range(3, 9);
        assert_eq!(Scale { factor: 1 }.keys(&unchanged), unchanged);
    }

    #[test]
    fn a_loop_is_shown_twice_at_least() {
        let scale = Scale { factor: 100 };
        assert_eq!([0, 1, 2, 100, 5000].map(|times| scale.turns(times)), [0, 1, 2, 2, 50]);
    }
}
