//! The eight slots of a bucket or a group that hold an entry, as eight bits.
//!
//! In Go a byte for each slot - tophash or control byte - says which slots are live. The model needs one bit of each byte:
//! the rest follows from the keys.

/// A set of slots of one bucket or group; iterates in slot order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::container) struct SlotSet(pub u8);

impl SlotSet {
    /// The first `count` slots.
    #[inline]
    pub fn first_slots(count: u32) -> SlotSet {
        SlotSet(((1u32 << count) - 1) as u8)
    }

    /// Whether `slot` is in the set.
    #[inline]
    pub fn contains(self, slot: u32) -> bool {
        self.0 >> slot & 1 == 1
    }

    /// The set and one slot more.
    #[inline]
    pub fn with(self, slot: u32) -> SlotSet {
        SlotSet(self.0 | 1 << slot)
    }

    /// The set and one slot less.
    #[inline]
    pub fn without(self, slot: u32) -> SlotSet {
        SlotSet(self.0 & !(1 << slot))
    }

    /// Whether all eight slots are in the set.
    #[inline]
    pub fn is_full(self) -> bool {
        self.0 == u8::MAX
    }

    /// How many slots are not in the set.
    #[inline]
    pub fn free_count(self) -> u32 {
        self.0.count_zeros()
    }

    /// The lowest slot that is not in the set.
    #[inline]
    pub fn first_free(self) -> Option<u32> {
        (self.0 != u8::MAX).then(|| self.0.trailing_ones())
    }

    /// The slots in the order of a loop that begins at slot `first` and wraps around.
    #[inline]
    pub fn starting_at(self, first: u32) -> impl Iterator<Item = u32> {
        SlotSet(self.0.rotate_right(first)).map(move |slot| (slot + first) & 7)
    }
}

impl Iterator for SlotSet {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let slot = (self.0 != 0).then(|| self.0.trailing_zeros())?;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_iterate_in_slot_order_or_from_anywhere() {
        let set = SlotSet(0b1010_0110);
        assert_eq!(set.collect::<Vec<_>>(), [1, 2, 5, 7]);
        assert_eq!(set.starting_at(5).collect::<Vec<_>>(), [5, 7, 1, 2]);
        assert_eq!((set.first_free(), SlotSet(u8::MAX).first_free()), (Some(0), None));
        assert_eq!((SlotSet(0b0011_0111).first_free(), SlotSet::first_slots(8).0), (Some(3), u8::MAX));
    }
}
