//! Latencies of requests: a histogram of fixed size, and the numbers that people ask of it.
//!
//! A latency belongs to the bucket of its leading seven bits: 64 buckets for each power of two, so that a quantile is at most
//! 1.6 % too low. The Go program that a scenario stands for counts in the same buckets.

use serde::{Deserialize, Serialize};

/// Leading bits of a number that choose its bucket, the first apart.
const BITS: u32 = 6;

/// How long requests took, from when they were due to when they were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// How many requests.
    pub requests: u64,
    /// Half of them took at most this many nanoseconds.
    pub p50_ns: u64,
    /// 99 of 100 took at most this many nanoseconds.
    pub p99_ns: u64,
    /// The longest in nanoseconds.
    pub max_ns: u64,
}

/// Counts of latencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    buckets: Vec<u32>,
    count: u64,
    max_ns: u64,
}

impl Latencies {
    /// Counts one request.
    pub fn add(&mut self, ns: u64) {
        let bucket = bucket_of(ns);
        if bucket >= self.buckets.len() {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
        self.max_ns = self.max_ns.max(ns);
    }

    /// The numbers; `None` if nothing was counted.
    pub fn latency(&self) -> Option<Latency> {
        (self.count > 0).then(|| Latency {
            requests: self.count,
            p50_ns: self.quantile_ns(self.count.div_ceil(2)),
            p99_ns: self.quantile_ns((self.count * 99).div_ceil(100)),
            max_ns: self.max_ns,
        })
    }

    /// The least nanoseconds of each bucket that counted something, and how many.
    pub fn bins(&self) -> Vec<(u64, u64)> {
        let counted = self.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(bucket, count)| (least_ns(bucket), u64::from(*count))).collect()
    }

    /// The bucket that request number `rank` lies in, from 1, as the least nanoseconds in it.
    fn quantile_ns(&self, rank: u64) -> u64 {
        let mut below = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            below += u64::from(*count);
            if below >= rank {
                return least_ns(bucket);
            }
        }
        self.max_ns
    }
}

fn bucket_of(ns: u64) -> usize {
    let shift = (u64::BITS - ns.leading_zeros()).saturating_sub(BITS + 1);
    ((u64::from(shift) << BITS) + (ns >> shift)) as usize
}

fn least_ns(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 << BITS {
        return bucket;
    }
    let shift = (bucket >> BITS) - 1;
    (bucket - (shift << BITS)) << shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.latency(), None);
        (1..=100).for_each(|ns| latencies.add(ns));
        latencies.add(5_000_000);
        let expected = Latency { requests: 101, p50_ns: 51, p99_ns: 100, max_ns: 5_000_000 };
        assert_eq!(latencies.latency(), Some(expected));
        let bins = latencies.bins();
        assert_eq!((bins[0], bins.iter().map(|(_, count)| count).sum::<u64>()), ((1, 1), 101));
    }

    proptest! {
        #[test]
        fn a_bucket_is_narrow_and_buckets_ascend(ns in 0..u64::MAX / 2) {
            let least = least_ns(bucket_of(ns));
            prop_assert!(least <= ns && ns - least <= ns / 64, "{ns}: {least}");
            prop_assert!(bucket_of(ns) <= bucket_of(ns + 1));
        }
    }
}
