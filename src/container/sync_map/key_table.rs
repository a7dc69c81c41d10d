//! What a container knows of each key, by key.
//!
//! Programs mostly use keys that are small numbers, in some order: those lie in a vector by key. Keys that would make the
//! vector much longer than the table has entries lie in a hash table.

use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{Index, IndexMut};

use indexmap::IndexMap;

/// Places by key that the vector may have for each entry, and how many it may have at first.
const PLACES_PER_ENTRY: usize = 8;
const FIRST_PLACES: usize = 1 << 10;

/// A table by key. Nothing reads it in an order.
#[derive(Clone, Debug)]
pub(super) struct KeyTable<T> {
    /// Entries of the keys below its length.
    near: Vec<Option<T>>,
    near_count: usize,
    /// Entries of all other keys.
    far: IndexMap<u32, T, BuildHasherDefault<Mix>>,
}

impl<T> Default for KeyTable<T> {
    fn default() -> Self {
        KeyTable { near: Vec::new(), near_count: 0, far: IndexMap::default() }
    }
}

impl<T> KeyTable<T> {
    /// What is known of a key.
    #[inline]
    pub fn get(&self, key: u32) -> Option<&T> {
        match self.near.get(key as usize) {
            Some(entry) => entry.as_ref(),
            None if self.far.is_empty() => None,
            None => self.far.get(&key),
        }
    }

    #[inline]
    fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        match self.near.get_mut(key as usize) {
            Some(entry) => entry.as_mut(),
            None => self.far.get_mut(&key),
        }
    }

    /// Sets what is known of a key.
    #[inline]
    pub fn insert(&mut self, key: u32, value: T) {
        if key as usize >= self.near.len() {
            self.stretch(key);
        }
        match self.near.get_mut(key as usize) {
            Some(entry) => self.near_count += usize::from(entry.replace(value).is_none()),
            None => {
                self.far.insert(key, value);
            }
        }
    }

    /// Makes the vector reach `key`, unless that lies too far away.
    #[cold]
    fn stretch(&mut self, key: u32) {
        let places = (key as usize + 1).next_power_of_two();
        if places > FIRST_PLACES.max(PLACES_PER_ENTRY * (self.near_count + self.far.len())) {
            return;
        }
        self.near.resize_with(places, || None);
        let (near, count) = (&mut self.near, &mut self.near_count);
        for (key, value) in std::mem::take(&mut self.far) {
            match near.get_mut(key as usize) {
                Some(entry) => {
                    *entry = Some(value);
                    *count += 1;
                }
                None => {
                    self.far.insert(key, value);
                }
            }
        }
    }

    /// Forgets every key.
    pub fn clear(&mut self) {
        *self = KeyTable::default();
    }
}

impl<T> Index<u32> for KeyTable<T> {
    type Output = T;

    /// Panics if nothing is known of the key.
    #[inline]
    fn index(&self, key: u32) -> &T {
        self.get(key).unwrap_or_else(|| panic!("nothing is known of key {key}"))
    }
}

impl<T> IndexMut<u32> for KeyTable<T> {
    #[inline]
    fn index_mut(&mut self, key: u32) -> &mut T {
        self.get_mut(key).unwrap_or_else(|| panic!("nothing is known of key {key}"))
    }
}

/// Spreads 32-bit keys: a multiplication (Knuth's, by the golden ratio), the upper half folded on the lower.
#[derive(Clone, Copy, Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, key: u32) {
        let spread = (self.0 ^ u64::from(key)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_that_follow_one_another_need_no_hash() {
        let mut table = KeyTable::default();
        (0..100_000).for_each(|key| table.insert(key, key));
        assert!(table.far.is_empty() && table.near.len() == 1 << 17);
    }

    proptest! {
        #[test]
        fn agrees_with_a_map(
            inserts in prop::collection::vec((prop_oneof![0u32..4000, 0u32..200_000, any::<u32>()], any::<u16>()), 0..1500),
            probes in prop::collection::vec(any::<u32>(), 20),
        ) {
            let (mut table, mut model) = (KeyTable::default(), BTreeMap::new());
            for (key, value) in &inserts {
                table.insert(*key, *value);
                model.insert(*key, *value);
                prop_assert_eq!(table[*key], *value);
            }
            for key in inserts.iter().map(|(key, _)| *key).chain(probes) {
                prop_assert_eq!(table.get(key), model.get(&key));
            }
            prop_assert_eq!(table.near_count + table.far.len(), model.len());
        }
    }
}
