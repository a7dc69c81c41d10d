//! Residency: which 4 KiB pages of the heap have memory behind them.
//!
//! Two bitmaps, one bit a page, both growing on demand: `kept` for pages the process wants, `lazily_freed` for pages it
//! gave up with `MADV_FREE` that the kernel has not taken yet. They never overlap, and a page in neither is absent.
//! Ranges are handled 64 pages at a time; the one page that is already there, the usual case of a write, is a load and a
//! shift.

use std::ops::Range;

use super::bitmap_words::bitmap_words;
use crate::units::PHYSICAL_PAGE_BYTES;

/// Physical pages in one word of a bitmap.
const WORD_PAGES: u64 = 64;

/// The kernel's record of which physical pages of the heap are resident.
#[derive(Clone, Debug, Default)]
pub struct Residency {
    /// Pages resident and wanted. Always as long as `lazily_freed`.
    kept: Vec<u64>,
    /// Pages given up with `MADV_FREE` and still resident.
    lazily_freed: Vec<u64>,
    kept_pages: u64,
    lazily_freed_pages: u64,
    /// No page below this word is lazily freed.
    lowest_lazy_word: usize,
}

impl Residency {
    /// A process that has written nothing yet.
    pub fn new() -> Residency {
        Residency::default()
    }

    /// Writes to physical page `page`; returns the faults: 1 if it was absent, else 0.
    #[inline]
    pub fn touch_page(&mut self, page: u64) -> u64 {
        let word = (page / WORD_PAGES) as usize;
        if self.kept.get(word).is_some_and(|bits| bits >> (page % WORD_PAGES) & 1 == 1) {
            return 0;
        }
        self.touch_slowly(page..page + 1)
    }

    /// Writes to every physical page of `pages`; returns how many were absent and became resident (faults).
    #[inline]
    pub fn touch(&mut self, pages: Range<u64>) -> u64 {
        // Few pages, all in one word: the usual object.
        let word = pages.start / WORD_PAGES;
        if pages.end > pages.start && (pages.end - 1) / WORD_PAGES == word {
            let mask = u64::MAX >> (WORD_PAGES - (pages.end - pages.start)) << (pages.start % WORD_PAGES);
            if self.kept.get(word as usize).is_some_and(|bits| bits & mask == mask) {
                return 0;
            }
        }
        self.touch_slowly(pages)
    }

    #[inline(never)]
    fn touch_slowly(&mut self, pages: Range<u64>) -> u64 {
        self.grow_to(pages.end);
        let mut faults = 0;
        let mut taken_back = 0;
        for (word, mask) in bitmap_words(pages) {
            let wanted = mask & !self.kept[word];
            let lazy = wanted & self.lazily_freed[word];
            self.kept[word] |= mask;
            self.lazily_freed[word] ^= lazy;
            taken_back += u64::from(lazy.count_ones());
            faults += u64::from((wanted ^ lazy).count_ones());
        }
        self.kept_pages += faults + taken_back;
        self.lazily_freed_pages -= taken_back;
        faults
    }

    /// `MADV_DONTNEED`: the pages lose their memory at once. Returns how many had any.
    pub fn release_dontneed(&mut self, pages: Range<u64>) -> u64 {
        let pages = self.clamp(pages);
        let (mut kept, mut lazy) = (0, 0);
        for (word, mask) in bitmap_words(pages) {
            kept += u64::from((self.kept[word] & mask).count_ones());
            lazy += u64::from((self.lazily_freed[word] & mask).count_ones());
            self.kept[word] &= !mask;
            self.lazily_freed[word] &= !mask;
        }
        self.kept_pages -= kept;
        self.lazily_freed_pages -= lazy;
        kept + lazy
    }

    /// `MADV_FREE`: the pages stay resident until the kernel is short of memory. Returns how many became lazily freed.
    pub fn release_free(&mut self, pages: Range<u64>) -> u64 {
        let pages = self.clamp(pages);
        if pages.is_empty() {
            return 0;
        }
        self.lowest_lazy_word = self.lowest_lazy_word.min((pages.start / WORD_PAGES) as usize);
        let mut freed = 0;
        for (word, mask) in bitmap_words(pages) {
            let given_up = self.kept[word] & mask;
            self.kept[word] ^= given_up;
            self.lazily_freed[word] |= given_up;
            freed += u64::from(given_up.count_ones());
        }
        self.kept_pages -= freed;
        self.lazily_freed_pages += freed;
        freed
    }

    /// The kernel is short of memory: takes up to `page_count` lazily freed pages, lowest address first. Returns how many.
    pub fn reclaim_lazily_freed(&mut self, page_count: u64) -> u64 {
        let target = page_count.min(self.lazily_freed_pages);
        let mut missing = target;
        while missing > 0 {
            let bits = &mut self.lazily_freed[self.lowest_lazy_word];
            while *bits != 0 && missing > 0 {
                *bits &= *bits - 1; // the lowest page of the word
                missing -= 1;
            }
            if *bits == 0 {
                self.lowest_lazy_word += 1;
            }
        }
        self.lazily_freed_pages -= target;
        target
    }

    /// Bytes with memory behind them, lazily freed ones included: the heap's share of RSS.
    #[inline]
    pub fn resident_bytes(&self) -> u64 {
        (self.kept_pages + self.lazily_freed_pages) * PHYSICAL_PAGE_BYTES
    }

    /// Bytes given up with `MADV_FREE` that still count in RSS.
    #[inline]
    pub fn lazily_freed_bytes(&self) -> u64 {
        self.lazily_freed_pages * PHYSICAL_PAGE_BYTES
    }

    /// How many physical pages of `pages` are resident, lazily freed ones included.
    pub fn resident_in(&self, pages: Range<u64>) -> u64 {
        bitmap_words(self.clamp(pages))
            .map(|(word, mask)| u64::from(((self.kept[word] | self.lazily_freed[word]) & mask).count_ones()))
            .sum()
    }

    /// How many physical pages of `pages` are resident and not lazily freed.
    #[inline]
    pub fn kept_in(&self, pages: Range<u64>) -> u64 {
        bitmap_words(self.clamp(pages))
            .map(|(word, mask)| u64::from((self.kept[word] & mask).count_ones()))
            .sum()
    }

    /// Makes room for pages below `end_page`.
    fn grow_to(&mut self, end_page: u64) {
        let words = end_page.div_ceil(WORD_PAGES) as usize;
        if words > self.kept.len() {
            self.kept.resize(words, 0);
            self.lazily_freed.resize(words, 0);
        }
    }

    /// The part of `pages` that the bitmaps cover: pages beyond were never touched.
    fn clamp(&self, pages: Range<u64>) -> Range<u64> {
        let end = pages.end.min(self.kept.len() as u64 * WORD_PAGES);
        pages.start.min(end)..end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_touch_faults_and_the_second_does_not() {
        let mut residency = Residency::new();
        assert_eq!(residency.touch_page(70), 1);
        assert_eq!(residency.touch_page(70), 0);
        assert_eq!(residency.touch(60..80), 19); // 20 pages, one of them there already
        assert_eq!(residency.resident_bytes(), 20 * 4096);
    }

    #[test]
    fn dontneed_lowers_rss_at_once_and_free_does_not() {
        let mut residency = Residency::new();
        residency.touch(0..200);
        assert_eq!(residency.release_free(0..100), 100);
        assert_eq!((residency.resident_bytes(), residency.lazily_freed_bytes()), (200 * 4096, 100 * 4096));
        assert_eq!(residency.release_dontneed(50..150), 100);
        assert_eq!((residency.resident_bytes(), residency.lazily_freed_bytes()), (100 * 4096, 50 * 4096));
    }

    #[test]
    fn a_write_takes_a_lazily_freed_page_back_without_a_fault() {
        let mut residency = Residency::new();
        residency.touch(0..10);
        residency.release_free(0..10);
        assert_eq!(residency.touch(4..6), 0);
        assert_eq!(residency.lazily_freed_bytes(), 8 * 4096);
        assert_eq!(residency.reclaim_lazily_freed(100), 8);
        assert_eq!(residency.resident_in(0..10), 2);
    }

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum PageState {
        Absent,
        Kept,
        LazilyFreed,
    }

    #[derive(Clone, Debug)]
    enum Step {
        Touch(Range<u64>),
        DontNeed(Range<u64>),
        Free(Range<u64>),
        Reclaim(u64),
        Count(Range<u64>),
    }

    const MODEL_PAGES: u64 = 400;

    fn any_range() -> impl Strategy<Value = Range<u64>> {
        (0..MODEL_PAGES, prop_oneof![Just(1), 0..160u64])
            .prop_map(|(start, length)| start..(start + length).min(MODEL_PAGES))
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => any_range().prop_map(Step::Touch),
            1 => any_range().prop_map(Step::DontNeed),
            2 => any_range().prop_map(Step::Free),
            1 => (0..90u64).prop_map(Step::Reclaim),
            1 => any_range().prop_map(Step::Count),
        ]
    }

    /// Moves every page of `range` that is in a state of `from` to `to`; returns how many moved.
    fn shift(model: &mut [PageState], range: Range<u64>, from: &[PageState], to: PageState) -> u64 {
        let mut moved = 0;
        for state in &mut model[range.start as usize..range.end as usize] {
            if from.contains(state) {
                *state = to;
                moved += 1;
            }
        }
        moved
    }

    proptest! {
        #[test]
        fn residency_agrees_with_one_state_a_page(steps in prop::collection::vec(any_step(), 1..120)) {
            use PageState::{Absent, Kept, LazilyFreed};
            let mut model = vec![Absent; MODEL_PAGES as usize];
            let mut residency = Residency::new();
            for step in steps {
                match step {
                    Step::Touch(range) => {
                        let faults = shift(&mut model, range.clone(), &[Absent], Kept);
                        shift(&mut model, range.clone(), &[LazilyFreed], Kept);
                        prop_assert_eq!(residency.touch(range), faults);
                    }
                    Step::DontNeed(range) => {
                        let left = shift(&mut model, range.clone(), &[Kept, LazilyFreed], Absent);
                        prop_assert_eq!(residency.release_dontneed(range), left);
                    }
                    Step::Free(range) => {
                        let freed = shift(&mut model, range.clone(), &[Kept], LazilyFreed);
                        prop_assert_eq!(residency.release_free(range), freed);
                    }
                    Step::Reclaim(count) => {
                        let mut taken = 0;
                        for state in model.iter_mut().filter(|state| **state == LazilyFreed) {
                            if taken < count {
                                *state = Absent;
                                taken += 1;
                            }
                        }
                        prop_assert_eq!(residency.reclaim_lazily_freed(count), taken);
                    }
                    Step::Count(range) => {
                        let slice = &model[range.start as usize..range.end as usize];
                        let resident = slice.iter().filter(|state| **state != Absent).count() as u64;
                        prop_assert_eq!(residency.resident_in(range), resident);
                    }
                }
                let resident = model.iter().filter(|state| **state != Absent).count() as u64;
                let lazy = model.iter().filter(|state| **state == LazilyFreed).count() as u64;
                prop_assert_eq!(residency.resident_bytes(), resident * 4096);
                prop_assert_eq!(residency.lazily_freed_bytes(), lazy * 4096);
            }
        }
    }
}
