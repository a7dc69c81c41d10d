//! The page cache: up to 64 free pages that belong to one P (Go's `pageCache`).
//!
//! Small spans (under 16 pages) are cut from the running P's cache without looking at the heap. A cache is filled when it
//! is empty, and then with *all* free pages of the 64-page block that holds the heap's lowest free page, adjacent or not.
//! For the heap those pages are in use: no other P and no scavenger sees them. For the statistics they are still free, or
//! still released: that changes when a span is cut.
//!
//! Sources: `runtime/mpagecache.go`, `runtime/mheap.go` `allocSpan` (Go 1.23.9).

use super::page_alloc::Placement;
use super::palloc_chunk::{WORD_PAGES, run_starts};

/// Requests of fewer pages than this try the page cache first (`pageCachePages/4`, `runtime/mheap.go`, every version).
pub const PAGE_CACHE_REQUEST_LIMIT_PAGES: u64 = WORD_PAGES as u64 / 4;

/// Free pages of one 64-page block that a P owns. The default is empty.
#[derive(Clone, Debug, Default)]
pub struct PageCache {
    /// First page of the block, a multiple of 64.
    pub(super) base_page: u64,
    /// Which pages of the block the P owns, bit 0 for the first.
    pub(super) free: u64,
    /// Which of those are scavenged.
    pub(super) scavenged: u64,
}

impl PageCache {
    /// Whether no page is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.free == 0
    }

    /// How many pages the P owns.
    pub fn free_pages(&self) -> u64 {
        u64::from(self.free.count_ones())
    }

    /// How many of them are scavenged.
    pub fn scavenged_pages(&self) -> u64 {
        u64::from(self.scavenged.count_ones())
    }

    /// Takes the lowest run of `page_count` pages, 1 to 15, out of the cache; `None` if it holds no such run.
    #[inline]
    pub fn alloc(&mut self, page_count: u64) -> Option<Placement> {
        debug_assert!(
            (1..PAGE_CACHE_REQUEST_LIMIT_PAGES).contains(&page_count),
            "{page_count} pages of a cache"
        );
        let starts = run_starts(self.free, page_count as u32);
        if starts == 0 {
            return None;
        }
        let first = starts.trailing_zeros();
        let mask = ((1u64 << page_count) - 1) << first;
        let scavenged_pages = u64::from((self.scavenged & mask).count_ones());
        self.free &= !mask;
        self.scavenged &= !mask;
        Some(Placement { base_page: self.base_page + u64::from(first), scavenged_pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_fitting_run_is_cut_and_its_scavenged_pages_are_counted() {
        let mut cache = PageCache { base_page: 640, free: 0b1111_0110, scavenged: 0b0110_0010 };
        assert_eq!(cache.alloc(3), Some(Placement { base_page: 644, scavenged_pages: 2 }));
        assert_eq!(cache.alloc(3), None);
        assert_eq!(cache.alloc(1), Some(Placement { base_page: 641, scavenged_pages: 1 }));
        assert_eq!((cache.free_pages(), cache.scavenged_pages()), (2, 0));
    }
}
