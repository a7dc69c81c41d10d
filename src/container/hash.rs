//! The hash function of both kinds of map: a seeded mixer of key identities.
//!
//! Bytes and mallocs of a map depend on its hash function only through how evenly it spreads keys. Go's (AES-based or
//! wyhash-like) spreads as evenly as a random function; so does this one, and it costs a nanosecond.
//!
//! **Differences from Go.** Keys are 32-bit identities, not values; the hash of a string does not depend on its length.

/// A map's hash seed, spread to 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

/// An odd constant with irregular bits: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Seed {
    /// A seed from 64 random bits, of which bucketed maps keep 32 (`hash0` is a `uint32`).
    pub fn of_32_bits(random: u64) -> Seed {
        Seed::of_64_bits(u64::from(random as u32))
    }

    /// A seed from 64 random bits, as Swiss maps have it.
    pub fn of_64_bits(random: u64) -> Seed {
        Seed(mix(random.wrapping_mul(GOLDEN)))
    }

    /// The 64-bit hash of a key identity.
    #[inline]
    pub fn hash(self, key: u32) -> u64 {
        mix(self.0.wrapping_add(u64::from(key).wrapping_mul(GOLDEN)))
    }
}

/// The finaliser of splitmix64: every input bit changes every output bit with probability one half.
#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With uniform hashes the entries per bucket are Poisson distributed: their variance equals their mean.
    #[test]
    fn consecutive_keys_spread_like_random_ones() {
        const BUCKETS: u32 = 4096;
        const LOAD: f64 = 4.0;
        for bits in [0, 52] {
            let mut sizes = vec![0u32; BUCKETS as usize];
            let seed = Seed::of_32_bits(7);
            for key in 0..(f64::from(BUCKETS) * LOAD) as u32 {
                sizes[(seed.hash(key) >> bits) as usize % BUCKETS as usize] += 1;
            }
            let squares: f64 = sizes.iter().map(|size| (f64::from(*size) - LOAD).powi(2)).sum();
            let variance = squares / f64::from(BUCKETS);
            // The variance of 4096 Poisson counts has a standard error of 4 * sqrt(2 / 4096) = 0.09.
            assert!((variance - LOAD).abs() < 0.35, "variance {variance} of bits {bits}");
        }
    }
}
