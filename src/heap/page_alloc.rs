//! The page allocator: which 8 KiB pages of the heap are free, and which of them the operating system has taken back.
//!
//! **Mechanism.** Go keeps two bits for each page of its heap - allocated, scavenged - and always hands out the free run
//! at the *lowest address* that is long enough.
//!
//! **Why Go needs it.** Spans of every size come out of one heap. Address-ordered first fit packs them towards the bottom,
//! so that the top of the heap empties and can be given back.
//!
//! **Terms.**
//! - *page*: 8 KiB; numbered from 0 at the start of the heap. *Chunk*: 512 pages, 4 MiB (`pallocChunkPages`), the unit of
//!   heap growth, of the bitmaps ([`pallocData`](https://go.dev/src/runtime/mpallocbits.go)) and of the scavenge index.
//! - *summary*: free runs at the start, inside and at the end of a chunk or of eight of the next smaller stretches.
//! - *search page* (`searchAddr`): no page below it is free.
//! - *scavenged*: free without memory behind it. New pages are born free and scavenged.
//! - *page cache* (`pageCache`): free pages of one 64-page block that belong to a P ([`PageCache`]).
//!
//! **Steps of cutting a span of `n` pages** ([`alloc_span`](PageAlloc::alloc_span), `mheap.allocSpan`):
//! 1. `n < 16`: if the P's cache is empty fill it with the free pages of the block that holds the lowest free page; take
//!    the lowest run of `n` out of the cache.
//! 2. Otherwise, or if the cache has no such run: the lowest run of `n` pages in the heap.
//! 3. If there is none: grow by `n` rounded up to chunks - the free tail of the heap does not make it less - and take the
//!    lowest run, which may begin in that tail.
//!
//! **Steps of scavenging** ([`scavenge`](PageAlloc::scavenge)): highest chunk first, as the scavenge index allows
//! ([`Reach`]); in it the highest free unscavenged run; of that up to 64 KiB from the top, or the whole free 2 MiB huge
//! page that this would break up. A chunk that yields nothing is skipped until pages are freed in it.
//!
//! **Invariants.** A page is in exactly one of: allocated, in a page cache, free, free and scavenged.
//! The bits that `alloc`, `free` and `scavenge` change must have been the opposite: freeing twice panics.
//!
//! **Since Go 1.27** the heap starts at a random page of a random chunk of its first arena ([`HeapBase`]): the pages of the
//! first chunk below that page are marked allocated for ever, though nobody uses them and the accounts count them as released.
//! A process that needs more than the rest of the chunk to start has a heap of 8 MiB.
//!
//! **Differences from Go.** The heap starts at page 0 and is contiguous. While Go's scavenger releases pages it marks them
//! allocated, so that other threads stay away; a simulated process has one thread. Stacks and objects are cut alike.
//! What is Ready and what `HeapReleased` shows is counted by span in [`super::page_accounting`].
//!
//! Sources: `runtime/mpagealloc.go`, `runtime/mpagecache.go`, `runtime/mgcscavenge.go`, `runtime/mheap.go` (Go 1.23.9; the
//! same in 1.21.13).

use std::ops::{ControlFlow, Range};

use super::page_arena::HeapArenas;
use super::page_cache::{PAGE_CACHE_REQUEST_LIMIT_PAGES, PageCache};
pub use super::page_scavenge_index::Reach;
use super::page_scavenge_index::ScavengeIndex;
use super::page_summary::{Found, SummaryTree};
use super::palloc_chunk::{PallocChunk, WORD_PAGES};
use crate::units::{CHUNK_PAGES, PAGE_BYTES};

/// Pages that were found and allocated: where they begin and how many of them were scavenged (and will fault).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// First page.
    pub base_page: u64,
    /// How many of the pages were scavenged.
    pub scavenged_pages: u64,
}

/// Pages for a span, and what the heap did to find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanPlacement {
    /// First page.
    pub base_page: u64,
    /// How many of the pages were scavenged.
    pub scavenged_pages: u64,
    /// Pages by which the heap grew to make room, usually 0.
    pub growth_pages: u64,
}

/// What the bitmaps say of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageBits {
    /// In a span, in a page cache, or padding.
    Allocated,
    /// Free, with whatever memory it has.
    Free,
    /// Free and scavenged.
    Scavenged,
}

/// The page heap of one process.
#[derive(Clone, Debug, Default)]
pub struct PageAlloc {
    chunks: Vec<PallocChunk>,
    summaries: SummaryTree,
    scavenge_index: ScavengeIndex,
    arenas: HeapArenas,
    /// No page below is free.
    search_page: u64,
    free_pages: u64,
    scavenged_pages: u64,
    /// Pages at the start of the heap that will never be used.
    padding_pages: u64,
}

/// Where the heap starts (`RandomizedHeapBase64`, Go 1.27; both numbers 0 before).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapBase {
    /// Chunks of 4 MiB between the start of the first arena and the heap, 0 to 15.
    pub chunks: u64,
    /// Pages of the first chunk that are never used, 0 to 511. They are mapped, and counted as released for ever.
    pub padding_pages: u64,
}

impl PageAlloc {
    /// A heap without pages.
    pub fn new() -> PageAlloc {
        PageAlloc::default()
    }

    /// A heap without pages that is going to start at `base`.
    pub fn starting_at(base: HeapBase) -> PageAlloc {
        assert!(base.padding_pages < CHUNK_PAGES, "{base:?} leaves nothing of the first chunk");
        PageAlloc {
            arenas: HeapArenas::starting_at(base.chunks * CHUNK_PAGES),
            padding_pages: base.padding_pages,
            ..PageAlloc::default()
        }
    }

    /// Maps room for `page_count` pages, rounded up to whole chunks; they are born free and scavenged.
    /// Returns the pages by which the heap grew.
    pub fn grow(&mut self, page_count: u64) -> u64 {
        let pages = self.arenas.grow(page_count);
        let chunk_count = (pages.end / CHUNK_PAGES) as usize;
        self.chunks.resize(chunk_count, PallocChunk::NEW);
        self.scavenge_index.grow(chunk_count);
        self.summaries.grow(chunk_count);
        self.search_page = self.search_page.min(pages.start);
        let growth_pages = pages.end - pages.start;
        self.free_pages += growth_pages;
        self.scavenged_pages += growth_pages;
        if pages.start == 0 && self.padding_pages > 0 {
            self.allocate_range(0..self.padding_pages);
            self.search_page = self.padding_pages;
        }
        growth_pages
    }

    /// Cuts a span of `page_count` pages for the P that owns `cache`, growing the heap if nothing fits.
    #[inline]
    pub fn alloc_span(&mut self, page_count: u64, cache: &mut PageCache) -> SpanPlacement {
        if page_count < PAGE_CACHE_REQUEST_LIMIT_PAGES {
            if cache.is_empty() {
                *cache = self.alloc_to_cache();
            }
            if let Some(Placement { base_page, scavenged_pages }) = cache.alloc(page_count) {
                return SpanPlacement { base_page, scavenged_pages, growth_pages: 0 };
            }
        }
        let mut growth_pages = 0;
        let placement = self.alloc(page_count).or_else(|| {
            growth_pages = self.grow(page_count);
            self.alloc(page_count)
        });
        let Placement { base_page, scavenged_pages } =
            placement.unwrap_or_else(|| panic!("grew by {growth_pages} pages and found no {page_count}"));
        SpanPlacement { base_page, scavenged_pages, growth_pages }
    }

    /// Allocates the lowest run of `page_count` free pages (at least 1); `None` if there is none.
    pub fn alloc(&mut self, page_count: u64) -> Option<Placement> {
        let base_page = self.find(page_count)?;
        let scavenged_pages = self.allocate_range(base_page..base_page + page_count);
        // The first free page was the lowest of all if it was where the search began, or if one page was asked for.
        if page_count == 1 || base_page == self.search_page {
            self.search_page = base_page + page_count;
        }
        Some(Placement { base_page, scavenged_pages })
    }

    /// Gives `page_count` allocated pages from `base_page` on back. They keep their memory until they are scavenged.
    pub fn free(&mut self, base_page: u64, page_count: u64) {
        let pages = base_page..base_page + page_count;
        for (chunk, in_chunk) in chunks_of(pages) {
            let last_page = chunk as u64 * CHUNK_PAGES + u64::from(in_chunk.end) - 1;
            self.scavenge_index.free(chunk, in_chunk.end - in_chunk.start, last_page);
            self.chunks[chunk].free(in_chunk);
            self.summaries.note_change(chunk);
        }
        self.search_page = self.search_page.min(base_page);
        self.free_pages += page_count;
    }

    /// Takes all free pages of the 64-page block that holds the lowest free page; an empty cache if no page is free.
    pub fn alloc_to_cache(&mut self) -> PageCache {
        let Some(lowest_page) = self.find(1) else {
            self.search_page = self.mapped_pages();
            return PageCache::default();
        };
        let (chunk, in_chunk) = split(lowest_page);
        let (free, scavenged) = self.chunks[chunk].allocate_block(in_chunk);
        let cache =
            PageCache { base_page: lowest_page - lowest_page % u64::from(WORD_PAGES), free, scavenged };
        self.summaries.note_change(chunk);
        self.scavenge_index.alloc(chunk, free.count_ones());
        self.free_pages -= cache.free_pages();
        self.scavenged_pages -= cache.scavenged_pages();
        self.search_page = cache.base_page + u64::from(WORD_PAGES);
        cache
    }

    /// Gives the pages of a cache back, scavenged ones as scavenged, and leaves it empty.
    pub fn flush_cache(&mut self, cache: &mut PageCache) {
        let PageCache { base_page, free, scavenged } = std::mem::take(cache);
        if free == 0 {
            return;
        }
        let (chunk, in_chunk) = split(base_page);
        self.chunks[chunk].free_block(in_chunk, free, scavenged);
        let last_page = base_page + u64::from(free.ilog2());
        self.scavenge_index.free(chunk, free.count_ones(), last_page);
        self.summaries.note_change(chunk);
        self.search_page = self.search_page.min(base_page);
        self.free_pages += u64::from(free.count_ones());
        self.scavenged_pages += u64::from(scavenged.count_ones());
    }

    /// Whether a span just cut from these pages has to be zeroed before use: whether any of them lies below the highest
    /// page ever handed out of its arena. Remembers them as handed out, so it must be asked once for every span.
    #[inline]
    pub fn needs_zero(&mut self, base_page: u64, page_count: u64) -> bool {
        self.arenas.needs_zero(base_page..base_page + page_count)
    }

    /// Releases at least `bytes` of free pages, or all within reach; returns the bytes released, which may be more.
    ///
    /// `release` hears of each range, so that the caller can tell [`crate::os::Residency`] and
    /// [`super::page_accounting::PageAccounting`]; it breaks to stop early, as when the GC CPU limiter turns on.
    pub fn scavenge(
        &mut self,
        bytes: u64,
        reach: Reach,
        mut release: impl FnMut(Range<u64>) -> ControlFlow<()>,
    ) -> u64 {
        let mut released_bytes = 0;
        while released_bytes < bytes {
            let Some(pages) = self.scavenge_step(bytes - released_bytes, reach) else {
                break;
            };
            released_bytes += (pages.end - pages.start) * PAGE_BYTES;
            if release(pages).is_break() {
                break;
            }
        }
        released_bytes
    }

    /// One step: releases the highest run within reach, cut to about `bytes_hint`, and returns its pages; `None` if
    /// nothing is left.
    fn scavenge_step(&mut self, bytes_hint: u64, reach: Reach) -> Option<Range<u64>> {
        let page_hint = bytes_hint.div_ceil(PAGE_BYTES).min(CHUNK_PAGES) as u32;
        loop {
            let (chunk, from_page) = self.scavenge_index.find(reach)?;
            let (_, from_in_chunk) = split(from_page);
            let Some(in_chunk) = self.chunks[chunk].scavenge_candidate(from_in_chunk, page_hint) else {
                self.scavenge_index.set_empty(chunk);
                continue;
            };
            self.chunks[chunk].scavenge(in_chunk.clone());
            let first_page = chunk as u64 * CHUNK_PAGES;
            let pages = first_page + u64::from(in_chunk.start)..first_page + u64::from(in_chunk.end);
            self.scavenged_pages += pages.end - pages.start;
            return Some(pages);
        }
    }

    /// A mark phase has ended: a new scavenging generation begins. Pages freed in the last one come into the reach of the
    /// background scavenger.
    pub fn next_scavenge_generation(&mut self) {
        self.scavenge_index.next_generation();
    }

    /// Pages mapped since the start: the length of the heap.
    pub fn mapped_pages(&self) -> u64 {
        self.arenas.mapped_pages()
    }

    /// Arenas of 64 MiB reserved since the start; each costs metadata.
    pub fn reserved_arenas(&self) -> u64 {
        self.arenas.reserved_arenas()
    }

    /// Free pages, scavenged or not; pages in page caches are not among them.
    pub fn free_pages(&self) -> u64 {
        self.free_pages
    }

    /// Free pages that are scavenged; pages in page caches are not among them.
    pub fn scavenged_pages(&self) -> u64 {
        self.scavenged_pages
    }

    /// What the bitmaps say of every mapped page, from the lowest.
    pub fn bits(&self) -> impl Iterator<Item = PageBits> {
        (0..self.mapped_pages()).map(|page| {
            let (chunk, in_chunk) = split(page);
            match self.chunks[chunk].page(in_chunk) {
                (true, _) => PageBits::Allocated,
                (false, false) => PageBits::Free,
                (false, true) => PageBits::Scavenged,
            }
        })
    }

    /// The first page of the lowest run of `page_count` free pages.
    #[inline]
    fn find(&mut self, page_count: u64) -> Option<u64> {
        let (chunk, in_chunk) = split(self.search_page);
        if chunk >= self.chunks.len() {
            return None;
        }
        if let Some(page) = self.find_in_chunk(chunk, page_count, in_chunk) {
            return Some(page);
        }
        let chunks = &self.chunks;
        match self.summaries.find(page_count, self.search_page, |chunk| chunks[chunk].summarize())? {
            Found::Page(page) => Some(page),
            Found::InsideChunk(chunk) => {
                let page = self.find_in_chunk(chunk, page_count, 0);
                Some(page.unwrap_or_else(|| panic!("chunk {chunk} has no {page_count} free pages")))
            }
        }
    }

    #[inline]
    fn find_in_chunk(&self, chunk: usize, page_count: u64, from_page: u32) -> Option<u64> {
        if page_count > CHUNK_PAGES {
            return None;
        }
        let page = self.chunks[chunk].find(page_count as u32, from_page)?;
        Some(chunk as u64 * CHUNK_PAGES + u64::from(page))
    }

    /// Allocates a range of free pages; returns how many of them were scavenged.
    fn allocate_range(&mut self, pages: Range<u64>) -> u64 {
        let mut scavenged_pages = 0;
        for (chunk, in_chunk) in chunks_of(pages.clone()) {
            self.scavenge_index.alloc(chunk, in_chunk.end - in_chunk.start);
            scavenged_pages += u64::from(self.chunks[chunk].allocate(in_chunk));
            self.summaries.note_change(chunk);
        }
        self.free_pages -= pages.end - pages.start;
        self.scavenged_pages -= scavenged_pages;
        scavenged_pages
    }

    /// Panics unless counters, summaries, bitmaps and scavenge index agree. Reads the whole heap.
    #[cfg(any(test, debug_assertions))]
    pub fn assert_consistent(&self) {
        let (mut free_pages, mut scavenged_pages) = (0, 0);
        for (chunk, bitmaps) in self.chunks.iter().enumerate() {
            let (free, scavenged) = bitmaps.counts();
            assert_eq!(self.scavenge_index.in_use(chunk) + free, CHUNK_PAGES as u32, "chunk {chunk}");
            if let Some(summary) = self.summaries.chunk(chunk) {
                assert_eq!(summary, bitmaps.summarize(), "chunk {chunk}");
            }
            free_pages += u64::from(free);
            scavenged_pages += u64::from(scavenged);
        }
        assert_eq!((free_pages, scavenged_pages), (self.free_pages, self.scavenged_pages));
        assert_eq!(self.chunks.len() as u64 * CHUNK_PAGES, self.mapped_pages());
    }
}

/// A page's chunk and its number in the chunk.
#[inline]
fn split(page: u64) -> (usize, u32) {
    ((page / CHUNK_PAGES) as usize, (page % CHUNK_PAGES) as u32)
}

/// The chunks that `pages` lie in, each with the pages in it, counted from the chunk's start.
#[inline]
fn chunks_of(pages: Range<u64>) -> impl Iterator<Item = (usize, Range<u32>)> {
    let mut next = pages.start;
    std::iter::from_fn(move || {
        if next >= pages.end {
            return None;
        }
        let (chunk, first) = split(next);
        let count = (CHUNK_PAGES - u64::from(first)).min(pages.end - next);
        next += count;
        Some((chunk, first..first + count as u32))
    })
}

#[cfg(test)]
mod tests;
