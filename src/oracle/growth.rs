//! The last step of a heap's growth: the one exact number that depends on where a goroutine ran.
//!
//! The page heap grows in steps of 4 MiB, and each P keeps up to 64 free pages of its own, which no other P can use
//! (`runtime/mpagecache.go`). When a heap is full to within what the Ps may keep, the next span takes a new step or does
//! not, depending on which P the goroutine is on; real Go does either from run to run, though not in every few runs.
//! After such a moment `HeapSys`, and `HeapReleased` with it, may differ by one step, and by nothing else.

use super::metric::{Class, Metric, Row};
use crate::units::MIB;

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
}

impl Growth {
    /// Nothing has grown yet.
    pub fn new(procs: u32) -> Growth {
        Growth { caches_bytes: u64::from(procs) * PAGE_CACHE_BYTES, address_space_bytes: 0, was_full: false }
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
        let concerned = matches!(metric.name, "HeapSys" | "HeapReleased") && metric.class == Class::Exact;
        let step_bytes = if self.was_full && concerned { STEP_BYTES as f64 } else { 0.0 };
        let mut exact = metric.exact;
        exact.base += step_bytes;
        Metric { exact, ..metric }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::metric::of_snapshot;
    use crate::oracle::moments::After;
    use crate::trace::MemStats;

    fn allowed_mib(rows: &[(u64, u64)]) -> f64 {
        let mut growth = Growth::new(2);
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
    fn a_heap_with_room_has_not() {
        let start = (3_840, 320);
        assert_eq!(allowed_mib(&[start]), 0.0, "every process starts nearly empty");
        assert_eq!(allowed_mib(&[start, (44_800, 39_400)]), 0.0);
        assert_eq!(allowed_mib(&[start, (44_800, 39_400), (44_800, 44_700)]), 0.0, "it did not grow by then");
    }
}
