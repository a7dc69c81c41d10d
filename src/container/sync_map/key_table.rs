//! What a container knows of each key, by key.

use std::hash::{BuildHasherDefault, Hasher};

use indexmap::IndexMap;

/// A table by key. Nothing reads it in its order.
pub(super) type KeyTable<T> = IndexMap<u32, T, BuildHasherDefault<Mix>>;

/// Spreads 32-bit keys: a multiplication (Knuth's, by the golden ratio), the upper half folded on the lower.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mix(u64);

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
