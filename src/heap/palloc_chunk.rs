//! One palloc chunk: 512 pages (4 MiB) of the heap as two bitmaps (Go's `pallocData`).
//!
//! `allocated` has a 1 for each page that belongs to a span or to a page cache. `scavenged` has a 1 for each free page
//! without memory behind it: never used, or released by the scavenger. Allocation clears the scavenged bits of what it
//! takes, so `allocated & scavenged == 0` always.
//!
//! | allocated | scavenged | the page is |
//! |---|---|---|
//! | 1 | 0 | in use |
//! | 0 | 0 | free and resident as far as Go knows: the scavenger's prey |
//! | 0 | 1 | free and released |
//!
//! Sources: `runtime/mpallocbits.go`, `runtime/mgcscavenge.go` `findScavengeCandidate` (Go 1.23.9).

use std::ops::Range;

use super::page_summary::Summary;
use crate::os::bitmap_words;
use crate::units::{CHUNK_PAGES, MIB, PAGE_BYTES};

/// Pages in a chunk, as a chunk counts them.
pub(super) const PAGES: u32 = CHUNK_PAGES as u32;
/// Pages in one word of a bitmap; also the size of a page cache.
pub(super) const WORD_PAGES: u32 = 64;
const WORDS: usize = (PAGES / WORD_PAGES) as usize;
/// Runtime pages in a 2 MiB transparent huge page of linux/amd64.
const HUGE_PAGE_PAGES: u32 = (2 * MIB / PAGE_BYTES) as u32;

const _: () = assert!(PAGES.is_multiple_of(HUGE_PAGE_PAGES), "a huge page must lie in one chunk");

/// The bitmaps of 512 pages. Page numbers here run from 0 to 511.
#[derive(Clone, Debug)]
pub(super) struct PallocChunk {
    allocated: [u64; WORDS],
    scavenged: [u64; WORDS],
}

impl PallocChunk {
    /// A chunk as heap growth makes it: all free, all scavenged.
    pub(super) const NEW: PallocChunk = PallocChunk { allocated: [0; WORDS], scavenged: [u64::MAX; WORDS] };

    /// Marks free pages as allocated; returns how many of them were scavenged.
    #[inline]
    pub(super) fn allocate(&mut self, pages: Range<u32>) -> u32 {
        let mut scavenged = 0;
        for (word, mask) in words(pages.clone()) {
            assert!(self.allocated[word] & mask == 0, "pages {pages:?} of the chunk are allocated twice");
            self.allocated[word] |= mask;
            scavenged += (self.scavenged[word] & mask).count_ones();
            self.scavenged[word] &= !mask;
        }
        scavenged
    }

    /// Marks allocated pages as free and not scavenged.
    #[inline]
    pub(super) fn free(&mut self, pages: Range<u32>) {
        for (word, mask) in words(pages.clone()) {
            assert!(self.allocated[word] & mask == mask, "pages {pages:?} of the chunk are freed twice");
            self.allocated[word] &= !mask;
        }
    }

    /// Allocates every free page of the 64-page block that holds `page`; returns which those were and which of them
    /// were scavenged, bit 0 for the block's first page.
    pub(super) fn allocate_block(&mut self, page: u32) -> (u64, u64) {
        let word = (page / WORD_PAGES) as usize;
        let free = !self.allocated[word];
        let scavenged = self.scavenged[word];
        self.allocated[word] = u64::MAX;
        self.scavenged[word] = 0;
        (free, scavenged)
    }

    /// Gives pages of the 64-page block that holds `page` back, those of `scavenged` as scavenged.
    pub(super) fn free_block(&mut self, page: u32, free: u64, scavenged: u64) {
        let word = (page / WORD_PAGES) as usize;
        assert!(self.allocated[word] & free == free && scavenged & !free == 0, "flushed pages are not owned");
        self.allocated[word] &= !free;
        self.scavenged[word] |= scavenged;
    }

    /// Marks free pages as released to the operating system.
    pub(super) fn scavenge(&mut self, pages: Range<u32>) {
        for (word, mask) in words(pages.clone()) {
            let taken = self.allocated[word] | self.scavenged[word];
            assert!(taken & mask == 0, "pages {pages:?} of the chunk are not there to scavenge");
            self.scavenged[word] |= mask;
        }
    }

    /// The lowest run of `page_count` free pages; no page below `from_page` may be free.
    #[inline]
    pub(super) fn find(&self, page_count: u32, from_page: u32) -> Option<u32> {
        let mut run = 0; // free pages right below the current word
        for word in (from_page / WORD_PAGES) as usize..WORDS {
            let allocated = self.allocated[word];
            if allocated == u64::MAX {
                run = 0;
                continue;
            }
            let word_page = word as u32 * WORD_PAGES;
            if run + allocated.trailing_zeros() >= page_count {
                return Some(word_page - run);
            }
            if allocated == 0 {
                run += WORD_PAGES;
                continue;
            }
            if page_count < WORD_PAGES {
                let starts = run_starts(!allocated, page_count);
                if starts != 0 {
                    return Some(word_page + starts.trailing_zeros());
                }
            }
            run = allocated.leading_zeros();
        }
        None
    }

    /// Free pages at the start, in the longest run and at the end.
    #[inline]
    pub(super) fn summarize(&self) -> Summary {
        let mut start = 0;
        let mut longest = 0;
        let mut run = 0;
        for (word, &allocated) in self.allocated.iter().enumerate() {
            if allocated == 0 {
                run += WORD_PAGES;
                continue;
            }
            let joined = run + allocated.trailing_zeros();
            if run == word as u32 * WORD_PAGES {
                start = joined;
            }
            longest = longest.max(joined);
            run = allocated.leading_zeros();
        }
        if run == PAGES {
            return Summary::all_free(PAGES);
        }
        longest = longest.max(run);
        // A run that touches neither end of its word is at most 62 pages long.
        if longest < WORD_PAGES - 2 {
            for &allocated in &self.allocated {
                longest = longest_run(!allocated, longest);
            }
        }
        Summary { start, longest, end: run }
    }

    /// The pages to release next: from the top end of the highest run of free, unscavenged pages, at most `page_hint` of
    /// them - or more, when stopping there would break up a free 2 MiB huge page.
    ///
    /// The search starts at the 64-page word that holds `from_page` and goes down. With the run `[a, e)` and
    /// `s = e - min(e - a, page_hint)`: if the huge page boundary at or above `s` is at most `e` and the one at or
    /// below `s` is at least `a`, the pages are `[that lower boundary, e)`, otherwise `[s, e)`.
    pub(super) fn scavenge_candidate(&self, from_page: u32, page_hint: u32) -> Option<Range<u32>> {
        let run = self.highest_unscavenged_run(from_page)?;
        let start = run.end - page_hint.clamp(1, run.end - run.start);
        let huge_page_below = start - start % HUGE_PAGE_PAGES;
        let breaks_huge_page =
            start.next_multiple_of(HUGE_PAGE_PAGES) <= run.end && huge_page_below >= run.start;
        Some(if breaks_huge_page { huge_page_below..run.end } else { start..run.end })
    }

    fn highest_unscavenged_run(&self, from_page: u32) -> Option<Range<u32>> {
        let taken = |word: u32| self.allocated[word as usize] | self.scavenged[word as usize];
        let mut word = from_page / WORD_PAGES;
        while taken(word) == u64::MAX {
            word = word.checked_sub(1)?;
        }
        let above = taken(word).leading_ones();
        let end = (word + 1) * WORD_PAGES - above;
        let below = taken(word) << above;
        if below != 0 {
            return Some(end - below.leading_zeros()..end);
        }
        let mut start = word * WORD_PAGES;
        while start > 0 {
            let lower = taken(start / WORD_PAGES - 1);
            start -= lower.leading_zeros();
            if lower != 0 {
                break;
            }
        }
        Some(start..end)
    }

    /// Free pages and scavenged pages, counted.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn counts(&self) -> (u32, u32) {
        let ones = |bits: &[u64; WORDS]| bits.iter().map(|word| word.count_ones()).sum::<u32>();
        (PAGES - ones(&self.allocated), ones(&self.scavenged))
    }

    /// Whether a page is allocated, and whether it is scavenged.
    pub(super) fn page(&self, page: u32) -> (bool, bool) {
        let bit = |bits: &[u64; WORDS]| bits[(page / 64) as usize] >> (page % 64) & 1 == 1;
        (bit(&self.allocated), bit(&self.scavenged))
    }
}

#[inline]
fn words(pages: Range<u32>) -> impl Iterator<Item = (usize, u64)> {
    bitmap_words(u64::from(pages.start)..u64::from(pages.end))
}

/// Bits of `free` at which `length` ones in a row begin, `length` from 1 to 63. Doubles the length it knows in each step.
#[inline]
pub(super) fn run_starts(free: u64, length: u32) -> u64 {
    let mut starts = free;
    let mut known = 1;
    while known < length && starts != 0 {
        let step = known.min(length - known);
        starts &= starts >> step;
        known += step;
    }
    starts
}

/// The longest run of ones in `free` if it is longer than `longest` (below 63), otherwise `longest`.
#[inline]
fn longest_run(free: u64, mut longest: u32) -> u32 {
    let mut starts = run_starts(free, longest + 1);
    while starts != 0 {
        longest += 1;
        starts &= starts >> 1;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk in which the ranges `free` (first page, end) are free and unscavenged, and all else is allocated.
    fn chunk(free: &[(u32, u32)]) -> PallocChunk {
        let mut chunk = PallocChunk::NEW;
        chunk.allocate(0..PAGES);
        free.iter().for_each(|&(first, end)| chunk.free(first..end));
        chunk
    }

    #[test]
    fn a_summary_knows_both_ends_and_the_longest_run() {
        let summary = |free: &[(u32, u32)]| chunk(free).summarize();
        assert_eq!(summary(&[]), Summary { start: 0, longest: 0, end: 0 });
        assert_eq!(summary(&[(0, 512)]), Summary::all_free(512));
        assert_eq!(summary(&[(0, 3), (70, 80), (500, 512)]), Summary { start: 3, longest: 12, end: 12 });
        assert_eq!(summary(&[(0, 130), (200, 300)]), Summary { start: 130, longest: 130, end: 0 });
        assert_eq!(summary(&[(5, 15), (60, 71)]), Summary { start: 0, longest: 11, end: 0 });
        assert_eq!(summary(&[(1, 64)]), Summary { start: 0, longest: 63, end: 0 });
    }

    #[test]
    fn the_lowest_run_that_fits_is_found() {
        let chunk = chunk(&[(3, 4), (10, 14), (60, 68), (128, 320)]);
        assert_eq!(chunk.find(1, 0), Some(3));
        assert_eq!(chunk.find(4, 0), Some(10));
        assert_eq!(chunk.find(5, 0), Some(60));
        assert_eq!(chunk.find(9, 0), Some(128));
        assert_eq!(chunk.find(192, 0), Some(128));
        assert_eq!(chunk.find(193, 0), None);
    }

    #[test]
    fn a_step_takes_eight_pages_from_the_top_of_the_highest_run() {
        let chunk = chunk(&[(5, 6), (100, 200)]);
        assert_eq!(chunk.scavenge_candidate(511, 8), Some(192..200));
        assert_eq!(chunk.scavenge_candidate(90, 8), Some(120..128)); // the word of page 90 is searched whole
        assert_eq!(chunk.scavenge_candidate(63, 8), Some(5..6));
        assert_eq!(chunk.scavenge_candidate(511, 512), Some(100..200));
    }

    #[test]
    fn a_step_into_a_free_huge_page_takes_it_whole() {
        // Run [0, 512): s = 504, boundaries 512 and 256, so [256, 512) goes: 2 MiB.
        assert_eq!(chunk(&[(0, 512)]).scavenge_candidate(511, 8), Some(256..512));
        // Run [0, 260): s = 252; boundary above 256 <= 260, below 0 >= 0: all 260 pages go.
        assert_eq!(chunk(&[(0, 260)]).scavenge_candidate(511, 8), Some(0..260));
        // Run [1, 260): the huge page is not wholly free, 8 pages go.
        assert_eq!(chunk(&[(1, 260)]).scavenge_candidate(511, 8), Some(252..260));
        // Run [0, 255): the boundary above lies beyond the run, 8 pages go.
        assert_eq!(chunk(&[(0, 255)]).scavenge_candidate(511, 8), Some(247..255));
    }
}
