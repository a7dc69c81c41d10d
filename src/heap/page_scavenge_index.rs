//! The scavenge index: which chunks the scavenger may take pages from, and where it left off (Go's `scavengeIndex`).
//!
//! **Why.** First-fit allocation packs the heap towards low addresses. Releasing pages of a chunk that is being packed is
//! wasted: they will be faulted in again soon. So the background scavenger leaves a chunk alone until it has gone a whole
//! GC cycle without being *dense* (496 or more of 512 pages in use), and it looks from the top of the heap down.
//!
//! **Terms.** A *generation* (`gen`) begins at every mark termination. `in_use`: pages allocated now (pages in page
//! caches included). `last_in_use`: what that was when the generation of the chunk's last change began. A chunk is *empty*
//! when the scavenger found nothing in it; the next free into it ends that. Two *cursors* (`searchAddrBg`,
//! `searchAddrForce`) name the highest page that may be worth a look; above them nothing is looked at.
//!
//! **Rules.**
//! 1. A chunk that is not empty is eligible if it is not dense now and, when it changed in the current generation, was not
//!    dense when that began. Forced scavenging (the memory limit at allocation, `debug.FreeOSMemory`) skips this test.
//! 2. The forced cursor rises with every free. The background cursor rises only when a generation begins, to the highest
//!    page freed during the one before.
//! 3. A search walks chunks down from the cursor and drags it along; when it finds nothing, the cursor is cleared.
//! 4. A cursor that has just risen is *marked*. Clearing does not touch a marked cursor (in Go, so that a search cannot
//!    wipe out a rise that it did not see); it stays where it is until a search has found a lower chunk.
//!
//! **Consequence.** The sweep of cycle N runs after generation N began. What it frees above the cursor can be reached only
//! when generation N+1 begins: a program that drops its heap, collects once and goes idle keeps its resident set.
//!
//! Differences from Go: none in behaviour. A count of chunks that are not empty ends hopeless searches early.
//!
//! Sources: `runtime/mgcscavenge.go` `scavengeIndex`, `scavChunkData`; `runtime/mranges.go` `atomicOffAddr` (Go 1.23.9).

use crate::units::CHUNK_PAGES;

/// Pages in use from which on a chunk counts as dense: 0.96875 of 512 (`scavChunkHiOccPages`, Go's, every version).
pub const DENSE_CHUNK_PAGES: u64 = 496;

/// Which chunks scavenging may take pages from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Chunks that have not been dense for a cycle: the background scavenger, and scavenging on heap growth.
    Background,
    /// Every chunk: scavenging for the memory limit, and `debug.FreeOSMemory`.
    Forced,
}

/// What the index knows of one chunk. The default is a chunk as heap growth makes it: free, and nothing to scavenge.
#[derive(Clone, Copy, Debug, Default)]
struct ScavChunk {
    in_use: u16,
    last_in_use: u16,
    generation: u32,
    has_free: bool,
}

impl ScavChunk {
    fn is_eligible(self, generation: u32, reach: Reach) -> bool {
        let sparse = |pages: u16| u64::from(pages) < DENSE_CHUNK_PAGES;
        match reach {
            _ if !self.has_free => false,
            Reach::Forced => true,
            Reach::Background if self.generation == generation => {
                sparse(self.in_use) && sparse(self.last_in_use)
            }
            Reach::Background => sparse(self.in_use),
        }
    }

    #[inline]
    fn enter_generation(&mut self, generation: u32) {
        if self.generation != generation {
            self.last_in_use = self.in_use;
            self.generation = generation;
        }
    }
}

/// Highest page worth a look; `None` when cleared.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    page: Option<u64>,
    marked: bool,
}

impl Cursor {
    #[inline]
    fn raise(&mut self, page: Option<u64>) {
        if self.page < page {
            *self = Cursor { page, marked: true };
        }
    }

    fn lower(&mut self, page: u64) {
        *self = Cursor { page: Some(page), marked: false };
    }

    fn clear(&mut self) {
        if !self.marked {
            self.page = None;
        }
    }
}

/// Density and generation of every chunk, and the cursors.
#[derive(Clone, Debug, Default)]
pub(super) struct ScavengeIndex {
    chunks: Vec<ScavChunk>,
    /// Chunks whose `has_free` is set.
    chunks_with_free: usize,
    generation: u32,
    background: Cursor,
    forced: Cursor,
    /// Highest page freed in this generation (`freeHWM`).
    highest_freed: Option<u64>,
}

impl ScavengeIndex {
    /// Makes room for `chunk_count` chunks.
    pub(super) fn grow(&mut self, chunk_count: usize) {
        self.chunks.resize(chunk_count, ScavChunk::default());
    }

    /// `page_count` pages of `chunk` were allocated.
    #[inline]
    pub(super) fn alloc(&mut self, chunk: usize, page_count: u32) {
        let data = &mut self.chunks[chunk];
        data.enter_generation(self.generation);
        data.in_use += page_count as u16;
        debug_assert!(
            u64::from(data.in_use) <= CHUNK_PAGES,
            "chunk {chunk} has {} pages in use",
            data.in_use
        );
        if u64::from(data.in_use) == CHUNK_PAGES {
            self.set_empty(chunk);
        }
    }

    /// `page_count` pages of `chunk` were freed; `last_page` is the highest of them, counted from the start of the heap.
    #[inline]
    pub(super) fn free(&mut self, chunk: usize, page_count: u32, last_page: u64) {
        let data = &mut self.chunks[chunk];
        data.enter_generation(self.generation);
        debug_assert!(u32::from(data.in_use) >= page_count, "chunk {chunk}: {} in use", data.in_use);
        data.in_use -= page_count as u16;
        self.chunks_with_free += usize::from(!data.has_free);
        data.has_free = true;
        self.highest_freed = self.highest_freed.max(Some(last_page));
        self.forced.raise(Some(last_page));
    }

    /// The scavenger is done with `chunk` until something is freed into it.
    pub(super) fn set_empty(&mut self, chunk: usize) {
        let data = &mut self.chunks[chunk];
        self.chunks_with_free -= usize::from(data.has_free);
        data.has_free = false;
    }

    /// A mark phase has ended: what the last generation freed comes into the background scavenger's sight.
    pub(super) fn next_generation(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.background.raise(self.highest_freed);
        self.highest_freed = None;
    }

    /// The highest chunk that may have pages to scavenge, and the page of the heap to search downward from in it.
    pub(super) fn find(&mut self, reach: Reach) -> Option<(usize, u64)> {
        let cursor = match reach {
            Reach::Background => &mut self.background,
            Reach::Forced => &mut self.forced,
        };
        let from = cursor.page?;
        if self.chunks_with_free == 0 {
            cursor.clear();
            return None;
        }
        let start = (from / CHUNK_PAGES) as usize;
        let eligible = |data: &ScavChunk| data.is_eligible(self.generation, reach);
        let Some(chunk) = self.chunks[..=start].iter().rposition(eligible) else {
            cursor.clear();
            return None;
        };
        if chunk == start {
            return Some((chunk, from));
        }
        let last_page = (chunk as u64 + 1) * CHUNK_PAGES - 1;
        cursor.lower(last_page);
        Some((chunk, last_page))
    }

    /// Pages of `chunk` in use.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn in_use(&self, chunk: usize) -> u32 {
        u32::from(self.chunks[chunk].in_use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `chunk_count` chunks, all of them fully in use since generation 0.
    fn full(chunk_count: usize) -> ScavengeIndex {
        let mut index = ScavengeIndex::default();
        index.grow(chunk_count);
        (0..chunk_count).for_each(|chunk| index.alloc(chunk, 512));
        index
    }

    fn free_all(index: &mut ScavengeIndex, chunk: usize) {
        index.free(chunk, 512, (chunk as u64 + 1) * 512 - 1);
    }

    #[test]
    fn what_a_generation_frees_is_seen_when_the_next_begins() {
        let mut index = full(3);
        index.next_generation();
        free_all(&mut index, 2);
        assert_eq!(index.find(Reach::Background), None);
        assert_eq!(index.find(Reach::Forced), Some((2, 1535)));
        index.next_generation();
        assert_eq!(index.find(Reach::Background), Some((2, 1535)));
    }

    #[test]
    fn below_the_cursor_a_chunk_still_waits_out_its_dense_generation() {
        let mut index = full(3);
        free_all(&mut index, 2);
        index.next_generation(); // cursor at page 1535
        free_all(&mut index, 0); // was dense when this generation began
        assert_eq!(index.find(Reach::Background), Some((2, 1535)));
        index.set_empty(2);
        assert_eq!(index.find(Reach::Background), None);
        index.next_generation();
        assert_eq!(index.find(Reach::Background), Some((0, 511)));
    }

    #[test]
    fn a_dense_chunk_is_taken_from_by_force_only() {
        let mut index = full(1);
        index.free(0, 16, 15); // 496 in use: dense
        index.next_generation();
        assert_eq!(index.find(Reach::Background), None);
        assert_eq!(index.find(Reach::Forced), Some((0, 15)));
        index.free(0, 1, 16); // 495 in use, but dense when the generation began
        assert_eq!(index.find(Reach::Background), None);
        index.next_generation();
        assert_eq!(index.find(Reach::Background), Some((0, 16)));
    }

    #[test]
    fn a_failed_search_clears_a_cursor_unless_it_has_just_risen() {
        let mut index = full(2);
        index.free(0, 412, 511);
        free_all(&mut index, 1);
        index.set_empty(0);
        index.set_empty(1);
        index.next_generation(); // the cursor rises to page 1023 and is marked
        assert_eq!(index.find(Reach::Background), None);
        index.free(0, 1, 0);
        assert_eq!(index.find(Reach::Background), Some((0, 511))); // a lower chunk was found: no longer marked
        index.set_empty(0);
        assert_eq!(index.find(Reach::Background), None); // cleared
        index.free(0, 1, 1);
        assert_eq!(index.find(Reach::Background), None);
    }
}
