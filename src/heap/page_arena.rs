//! Heap arenas: the 64 MiB pieces in which Go reserves address space, and what it remembers of each.
//!
//! Address space passes through three states. *Reserved*: a range that nothing else may use. *Prepared*: mapped, counted
//! in `HeapSys` and `HeapReleased`, usable after a transition that on Linux costs nothing. *Ready*: counted in
//! `mappedReady`; memory comes behind a page with its first write. The heap reserves whole arenas and prepares whole 4 MiB
//! chunks of them, upward from the start of the heap.
//!
//! Each arena keeps `zeroedBase`: everything from there up has never been handed out, so the kernel's zeroes are still in
//! it and a span cut there needs no clearing.
//!
//! Differences from Go: the hint address always succeeds, so the heap is contiguous; no fallback to other addresses.
//!
//! The heap starts at the start of an arena; since Go 1.27 at any 4 MiB boundary in it.
//!
//! Sources: `runtime/mheap.go` `grow`, `allocNeedsZero`; `runtime/malloc.go` `sysAlloc` (Go 1.23.9).

use std::ops::Range;

use crate::units::{CHUNK_PAGES, MIB, PAGE_BYTES};

/// Pages in one heap arena of 64 MiB (`heapArenaBytes`, 64-bit other than Windows and wasm).
pub(super) const ARENA_PAGES: u64 = 64 * MIB / PAGE_BYTES;

/// The arenas of the heap, lowest first.
#[derive(Clone, Debug, Default)]
pub(super) struct HeapArenas {
    /// Pages of the first arena that lie below the start of the heap.
    below_heap_pages: u64,
    /// For each reserved arena: pages below this, counted from the arena's start, have been handed out (`zeroedBase`).
    used_below_pages: Vec<u64>,
    /// Pages from the start of the heap that are prepared or ready: whole chunks (`curArena.base`).
    mapped_pages: u64,
}

impl HeapArenas {
    /// No arenas yet; the heap is going to start `below_heap_pages` above the start of the first.
    pub(super) fn starting_at(below_heap_pages: u64) -> HeapArenas {
        assert!(below_heap_pages < ARENA_PAGES, "{below_heap_pages} pages are more than an arena");
        HeapArenas { below_heap_pages, ..HeapArenas::default() }
    }

    /// Maps room for `page_count` pages, rounded up to whole chunks, reserving arenas as needed. Returns the new pages.
    ///
    /// The free tail of what was mapped before does not make the request smaller.
    pub(super) fn grow(&mut self, page_count: u64) -> Range<u64> {
        let ask_pages = page_count.next_multiple_of(CHUNK_PAGES);
        if self.mapped_pages + ask_pages > self.reserved_pages() {
            // The new reservation is for the whole request, although part of the old one is left.
            let arenas = self.used_below_pages.len() + ask_pages.div_ceil(ARENA_PAGES) as usize;
            self.used_below_pages.resize(arenas, 0);
        }
        let first = self.mapped_pages;
        self.mapped_pages += ask_pages;
        first..self.mapped_pages
    }

    /// Pages that are mapped.
    pub(super) fn mapped_pages(&self) -> u64 {
        self.mapped_pages
    }

    /// Pages that are reserved, mapped or not.
    fn reserved_pages(&self) -> u64 {
        (self.used_below_pages.len() as u64 * ARENA_PAGES).saturating_sub(self.below_heap_pages)
    }

    /// Arenas that are reserved.
    pub(super) fn reserved_arenas(&self) -> u64 {
        self.used_below_pages.len() as u64
    }

    /// Hands `pages` out: returns whether any of them may have been used before, and remembers them as used.
    pub(super) fn needs_zero(&mut self, pages: Range<u64>) -> bool {
        let mut needs_zero = false;
        let (mut next, end) = (pages.start + self.below_heap_pages, pages.end + self.below_heap_pages);
        while next < end {
            let offset = next % ARENA_PAGES;
            let used_below = &mut self.used_below_pages[(next / ARENA_PAGES) as usize];
            let end_offset = (offset + end - next).min(ARENA_PAGES);
            needs_zero |= offset < *used_below;
            *used_below = end_offset.max(*used_below);
            next += end_offset - offset;
        }
        needs_zero
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_whole_chunks_in_reserved_arenas() {
        let mut arenas = HeapArenas::default();
        assert_eq!(arenas.grow(1), 0..512);
        assert_eq!(arenas.reserved_arenas(), 1);
        assert_eq!(arenas.grow(513), 512..1536);
        assert_eq!(arenas.grow(ARENA_PAGES), 1536..1536 + ARENA_PAGES);
        assert_eq!(arenas.reserved_arenas(), 2);
    }

    #[test]
    fn a_heap_that_starts_inside_an_arena_leaves_it_sooner() {
        let mut arenas = HeapArenas::starting_at(15 * CHUNK_PAGES);
        assert_eq!((arenas.grow(1), arenas.reserved_arenas()), (0..512, 1));
        assert_eq!((arenas.grow(1), arenas.reserved_arenas()), (512..1024, 2));
        assert!(!arenas.needs_zero(510..514), "half in either arena");
        assert!(arenas.needs_zero(511..512) && arenas.needs_zero(513..515));
    }

    #[test]
    fn a_span_is_clean_only_above_everything_handed_out_before() {
        let mut arenas = HeapArenas::default();
        arenas.grow(2 * ARENA_PAGES);
        assert!(!arenas.needs_zero(0..4));
        assert!(!arenas.needs_zero(8..10)); // skips 4..8 ...
        assert!(arenas.needs_zero(4..8)); // ... which are taken for used from now on, though nobody wrote there
        assert!(!arenas.needs_zero(ARENA_PAGES - 1..ARENA_PAGES + 1));
        assert!(arenas.needs_zero(ARENA_PAGES..ARENA_PAGES + 2));
        assert!(!arenas.needs_zero(ARENA_PAGES + 2..ARENA_PAGES + 3));
    }
}
