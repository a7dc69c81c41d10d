//! The last step of a heap's growth: the one exact number that depends on where a goroutine ran.
//!
//! The page heap grows in steps of 4 MiB, and each P keeps up to 64 free pages of its own, which no other P can use
//! (`runtime/mpagecache.go`). When a heap is full to within what the Ps may keep, the next span takes a new step or does
//! not, depending on which P the goroutine is on; real Go does either from run to run, though not in every few runs.
//! After such a moment `HeapSys`, and `HeapReleased` with it, may differ by one step, and by nothing else.
//!
//! Since Go 1.27 they always may: the heap begins at a random page of its first step, and what lies below is never used.

use super::metric::{Class, Metric, Row};
use crate::units::MIB;
use crate::version::GoVersion;

/// Bytes by which a heap grows.
const STEP_BYTES: u64 = 4 * MIB;
/// Free bytes that a P may keep: 64 pages of 8 KiB.
const PAGE_CACHE_BYTES: u64 = 512 << 10;

/// Whether a run has come to a moment at which its heap was full.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    caches_bytes: u64,
    address_space_bytes: u64,
    was_full: bool,
    base: Base,
}

/// Where the heap begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Base {
    /// At the start of its first step.
    Fixed,
    /// Anywhere in it.
    Random,
}

impl Growth {
    /// Nothing has grown yet.
    pub fn new(version: GoVersion, procs: u32) -> Growth {
        let base = if version.has_random_heap_base() { Base::Random } else { Base::Fixed };
        let caches_bytes = u64::from(procs) * PAGE_CACHE_BYTES;
        Growth { caches_bytes, address_space_bytes: 0, was_full: false, base }
    }

    /// The next snapshot, real or simulated, in order. Only one by which the heap has grown says anything.
    pub fn see(&mut self, row: &Row) {
        let stats = row.stats;
        if stats.heap_sys <= self.address_space_bytes {
            return;
        }
        let first = self.address_space_bytes == 0;
        self.address_space_bytes = stats.heap_sys;
        let free_bytes = stats.heap_sys - stats.heap_inuse;
        let just_grown = (STEP_BYTES..STEP_BYTES + self.caches_bytes).contains(&free_bytes);
        self.was_full |= !first && (free_bytes < self.caches_bytes || just_grown);
    }

    /// Whether the number of steps is a matter of chance by now.
    pub fn was_full(&self) -> bool {
        self.was_full
    }

    /// The metric as it is to be judged now.
    pub fn allow(&self, metric: Metric) -> Metric {
        let concerned = matches!(metric.name, "HeapSys" | "HeapReleased");
        let (mut exact, mut timing) = (metric.exact, metric.timing);
        if concerned && self.base == Base::Random {
            exact.base += STEP_BYTES as f64;
            timing.base += STEP_BYTES as f64;
        } else if concerned && self.was_full && metric.class == Class::Exact {
            exact.base += STEP_BYTES as f64;
        }
        Metric { exact, timing, ..metric }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::metric::of_snapshot;
    use crate::oracle::moments::After;
    use crate::trace::MemStats;

    fn allowed_mib(rows: &[(u64, u64)]) -> f64 {
        allowed_mib_by(GoVersion::Go1_23, rows)
    }

    fn allowed_mib_by(version: GoVersion, rows: &[(u64, u64)]) -> f64 {
        let mut growth = Growth::new(version, 2);
        for (sys_kib, inuse_kib) in rows {
            let stats =
                MemStats { heap_sys: sys_kib << 10, heap_inuse: inuse_kib << 10, ..MemStats::default() };
            growth.see(&Row { stats: &stats, rss_bytes: 0 });
        }
        let metrics = of_snapshot(After::Work);
        let (metric, _) = metrics.iter().find(|(metric, _)| metric.name == "HeapSys").unwrap();
        (growth.allow(*metric).exact.base - metric.exact.base) / MIB as f64
    }

    #[test]
    fn a_full_heap_may_have_taken_one_step_more() {
        let start = (3_840, 320);
        assert_eq!(allowed_mib(&[start, (106_240, 101_944)]), 4.0, "just grown");
        assert_eq!(allowed_mib(&[start, (102_144, 101_976)]), 4.0, "about to grow");
        assert_eq!(allowed_mib(&[start, (102_144, 101_976), (102_144, 40_000)]), 4.0, "it stays");
    }

    #[test]
    fn a_heap_that_begins_anywhere_may_have_taken_it_at_once() {
        assert_eq!(allowed_mib_by(GoVersion::Go1_27, &[(3_840, 320)]), 4.0);
        assert_eq!(allowed_mib_by(GoVersion::Go1_25, &[(3_840, 320)]), 0.0);
    }

    #[test]
    fn a_heap_with_room_has_not() {
        let start = (3_840, 320);
        assert_eq!(allowed_mib(&[start]), 0.0, "every process starts nearly empty");
        assert_eq!(allowed_mib(&[start, (44_800, 39_400)]), 0.0);
        assert_eq!(allowed_mib(&[start, (44_800, 39_400), (44_800, 44_700)]), 0.0, "it did not grow by then");
    }
}
