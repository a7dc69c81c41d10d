//! The pages that marking has been to lately: what decides whether an object's cache line is waited for.
//!
//! A processor fetches ahead on every page on which it has seen a run of neighbouring accesses, and keeps what it has
//! fetched for a while. Marking a tree that was built level by level goes down several such runs at once, one for each
//! level: hardly any access follows its predecessor in memory, and hardly any is a miss.
//!
//! Terms: a *page* is a physical page of 4 KiB, beyond which hardware does not fetch ahead. A page is *recent* while no
//! other page has taken its place in a direct-mapped table of `RECENT_PAGES` entries.
//!
//! Differences from Go: none, Go has no part in this; it stands for the second-level cache and its prefetcher. The table is
//! half as large as the 2 MiB cache of the machine on which prices were measured.

use crate::heap::mheap::Heap;
use crate::heap::object::ObjRef;

/// Pages that are remembered: 1 MiB.
const RECENT_PAGES: usize = 256;
/// Bytes of a physical page as a power of two.
const PHYSICAL_PAGE_SHIFT: u32 = 12;

/// The pages that were touched last.
#[derive(Debug)]
pub struct RecentPages {
    pages: [u64; RECENT_PAGES],
}

impl Default for RecentPages {
    fn default() -> Self {
        RecentPages { pages: [u64::MAX; RECENT_PAGES] }
    }
}

/// Whether a page was touched lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recency {
    /// It was.
    Recent,
    /// It was not; it is now.
    New,
}

impl RecentPages {
    /// Marking goes to `object`.
    #[inline]
    pub fn touch(&mut self, heap: &Heap, object: ObjRef) -> Recency {
        let span = heap.span(object.span());
        self.touch_address(span.base_offset_bytes() + u64::from(object.index()) * span.elem_bytes)
    }

    #[inline]
    fn touch_address(&mut self, address: u64) -> Recency {
        let page = address >> PHYSICAL_PAGE_SHIFT;
        let place = &mut self.pages[page as usize % RECENT_PAGES];
        if std::mem::replace(place, page) == page { Recency::Recent } else { Recency::New }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_runs_side_by_side_stay_recent() {
        let mut recent = RecentPages::default();
        let mut misses = 0;
        for step in 0..10_000 {
            for run in 0..4 {
                // 64-byte objects; the runs are a prime number of pages apart.
                let address = run * 10_007 * 4096 + step * 64;
                misses += u32::from(recent.touch_address(address) == Recency::New);
            }
        }
        assert_eq!(misses, 4 * 10_000_u32.div_ceil(64));
    }

    #[test]
    fn accesses_in_no_order_are_new() {
        let mut recent = RecentPages::default();
        let misses = (0..10_000u64)
            .filter(|step| recent.touch_address(step * 7_919 * 6_151 % (64 << 20)) == Recency::New)
            .count();
        assert!(misses > 9_500, "{misses} of 10,000");
    }
}
