//! The summary tree: where in a large heap is a run of free pages? (Go's radix tree of `pallocSum`s)
//!
//! Each entry says of a stretch of address space how many pages are free at its start, in its longest free run, and at
//! its end. Level 0 has an entry for each 4 MiB chunk; an entry of the next level covers eight of the level below; the top
//! level has at most eight entries. To find `n` pages the search walks one level's entries in address order. Either the pages at the
//! end of one entry and at the start of the next make up `n` - found - or an entry's longest run is `n` or more, and the
//! search goes on inside it, one level down. At most eight entries a level are read, so a 64 GiB heap costs what 64 MiB do.
//!
//! Invariant: every level is exact when a search reads it. A change of a chunk only notes that the chunk is stale: frees, and
//! allocations near the bottom of the heap, never look at a summary.
//!
//! Differences from Go: Go has five levels, keeps them all exact at every change, reserves address space for the summaries of
//! all 2^48 bytes and packs an entry into 8 bytes; here there are as many levels as the heap needs, padded to whole groups of
//! eight with "nothing free".
//!
//! Sources: `runtime/mpagealloc.go` `find`, `update`, `mergeSummaries` (Go 1.23.9).

use super::palloc_chunk::PAGES;

/// Entries of one level under one entry of the next (Go's `1 << summaryLevelBits`).
const FANOUT: usize = 8;

/// Free pages at the start of a stretch, in its longest free run, and at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) start: u32,
    pub(super) longest: u32,
    pub(super) end: u32,
}

impl Summary {
    /// Nothing is free.
    const NONE: Summary = Summary { start: 0, longest: 0, end: 0 };

    /// All of `page_count` pages are free.
    pub(super) fn all_free(page_count: u32) -> Summary {
        Summary { start: page_count, longest: page_count, end: page_count }
    }
}

/// Where the search for free pages ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The run begins at this page of the heap.
    Page(u64),
    /// The run lies inside this chunk.
    InsideChunk(usize),
}

enum Scan {
    Straddles(u64),
    Inside(usize),
    Nothing,
}

/// The levels, finest first.
#[derive(Clone, Debug, Default)]
pub(super) struct SummaryTree {
    levels: Vec<Vec<Summary>>,
    /// Chunks that have changed since their summaries were made, each once; what is above them is stale too.
    stale_chunks: Vec<usize>,
    /// For each chunk, whether it is among them.
    is_stale: Vec<bool>,
}

impl SummaryTree {
    /// Makes room for `chunk_count` chunks; the new ones are stale.
    pub(super) fn grow(&mut self, chunk_count: usize) {
        let (known_levels, known_chunks) = (self.levels.len(), self.is_stale.len());
        let mut entries = chunk_count;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[level].resize(entries.next_multiple_of(FANOUT), Summary::NONE);
            if entries <= FANOUT {
                break;
            }
            entries = entries.div_ceil(FANOUT);
        }
        self.is_stale.resize(chunk_count, false);
        // A new level knows nothing of the chunks below it.
        let first = if self.levels.len() > known_levels { 0 } else { known_chunks };
        (first..chunk_count).for_each(|chunk| self.note_change(chunk));
    }

    /// The summary of one chunk; `None` if it is stale.
    #[cfg(any(test, debug_assertions))]
    pub(super) fn chunk(&self, chunk: usize) -> Option<Summary> {
        (!self.is_stale[chunk]).then(|| self.levels[0][chunk])
    }

    /// Chunk `chunk` has changed.
    #[inline]
    pub(super) fn note_change(&mut self, chunk: usize) {
        if !std::mem::replace(&mut self.is_stale[chunk], true) {
            self.stale_chunks.push(chunk);
        }
    }

    /// Makes all levels exact.
    fn refresh(&mut self, summarize: impl Fn(usize) -> Summary) {
        let mut entries = std::mem::take(&mut self.stale_chunks);
        entries.sort_unstable();
        for chunk in &mut entries {
            self.is_stale[*chunk] = false;
            self.levels[0][*chunk] = summarize(*chunk);
            *chunk /= FANOUT;
        }
        let mut child_pages = PAGES;
        for level in 1..self.levels.len() {
            entries.dedup();
            for entry in &mut entries {
                self.levels[level][*entry] = self.merged(level, *entry, child_pages);
                *entry /= FANOUT;
            }
            child_pages *= FANOUT as u32;
        }
        entries.clear();
        self.stale_chunks = entries; // keeps its capacity
    }

    /// What an entry above level 0 must be, from its children of `child_pages` pages each.
    #[inline]
    fn merged(&self, level: usize, entry: usize, child_pages: u32) -> Summary {
        merge(&self.levels[level - 1][entry * FANOUT..(entry + 1) * FANOUT], child_pages)
    }

    /// The lowest run of `page_count` free pages; nothing below page `from_page` is free. `summarize` is asked for the summary
    /// of each chunk that has changed.
    pub(super) fn find(
        &mut self,
        page_count: u64,
        from_page: u64,
        summarize: impl Fn(usize) -> Summary,
    ) -> Option<Found> {
        self.refresh(summarize);
        let top = self.levels.len().checked_sub(1)?;
        let mut level = top;
        let mut begin = 0;
        let mut end = self.levels[level].len();
        loop {
            let entry_pages = entry_pages(level);
            let first = begin.max((from_page / entry_pages) as usize);
            match scan(self.levels[level].get(first..end)?, first, entry_pages, page_count) {
                Scan::Straddles(page) => return Some(Found::Page(page)),
                Scan::Inside(entry) if level == 0 => return Some(Found::InsideChunk(entry)),
                Scan::Inside(entry) => {
                    level -= 1;
                    begin = entry * FANOUT;
                    end = begin + FANOUT;
                }
                Scan::Nothing => {
                    assert!(level == top, "no {page_count} pages at level {level}, entries {begin}..{end}");
                    return None;
                }
            }
        }
    }
}

/// Pages that one entry of `level` covers.
fn entry_pages(level: usize) -> u64 {
    u64::from(PAGES) * (FANOUT as u64).pow(level as u32)
}

fn scan(entries: &[Summary], first: usize, entry_pages: u64, page_count: u64) -> Scan {
    let mut run = 0; // free pages right below the entry
    for (offset, summary) in entries.iter().enumerate() {
        let entry = first + offset;
        if run + u64::from(summary.start) >= page_count {
            return Scan::Straddles(entry as u64 * entry_pages - run);
        }
        if u64::from(summary.longest) >= page_count {
            return Scan::Inside(entry);
        }
        let all_free = u64::from(summary.start) == entry_pages;
        run = if all_free { run + entry_pages } else { u64::from(summary.end) };
    }
    Scan::Nothing
}

/// The summary of neighbouring stretches of `child_pages` pages each.
#[inline]
fn merge(children: &[Summary], child_pages: u32) -> Summary {
    let mut merged = Summary::NONE;
    let mut run = 0; // free pages right below the child
    let mut all_free_so_far = true;
    for child in children {
        let joined = run + child.start;
        if all_free_so_far {
            merged.start = joined;
        }
        merged.longest = merged.longest.max(child.longest).max(joined);
        if child.start == child_pages {
            run = joined;
        } else {
            all_free_so_far = false;
            run = child.end;
        }
    }
    merged.end = run;
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree over chunks that are as they are told to be.
    struct Told {
        tree: SummaryTree,
        chunks: Vec<Summary>,
    }

    impl Told {
        fn grow(&mut self, chunk_count: usize) {
            self.chunks.resize(chunk_count, Summary::NONE);
            self.tree.grow(chunk_count);
        }

        fn update(&mut self, chunk: usize, summary: Summary) {
            self.chunks[chunk] = summary;
            self.tree.note_change(chunk);
        }

        fn find(&mut self, page_count: u64, from_page: u64) -> Option<Found> {
            self.tree.find(page_count, from_page, |chunk| self.chunks[chunk])
        }
    }

    fn tree(chunks: &[Summary]) -> Told {
        let mut told = Told { tree: SummaryTree::default(), chunks: chunks.to_vec() };
        told.tree.grow(chunks.len());
        told
    }

    #[test]
    fn a_run_may_straddle_chunks() {
        let tail = Summary { start: 0, longest: 100, end: 100 };
        let head = Summary { start: 28, longest: 28, end: 0 };
        let mut tree = tree(&[Summary::NONE, tail, head]);
        assert_eq!(tree.find(100, 0), Some(Found::InsideChunk(1)));
        assert_eq!(tree.find(128, 0), Some(Found::Page(2 * 512 - 100)));
        assert_eq!(tree.find(129, 0), None);
    }

    #[test]
    fn a_run_may_straddle_groups_of_any_level() {
        // Chunk 511 is the last under a level-3 entry; 600 pages straddle it and chunk 512.
        let mut chunks = vec![Summary::NONE; 600];
        chunks[511] = Summary { start: 0, longest: 90, end: 90 };
        chunks[512] = Summary::all_free(512);
        assert_eq!(tree(&chunks).find(600, 0), Some(Found::Page(512 * 512 - 90)));
    }

    #[test]
    fn a_level_added_by_growth_knows_what_was_below() {
        let mut tree = tree(&[Summary::all_free(512); 8]);
        tree.grow(100);
        assert_eq!(tree.find(8 * 512, 0), Some(Found::Page(0)));
        assert_eq!(tree.find(8 * 512 + 1, 0), None);
        tree.update(8, Summary { start: 1, longest: 1, end: 0 });
        assert_eq!(tree.find(8 * 512 + 1, 0), Some(Found::Page(0)));
    }

    #[test]
    fn whole_free_chunks_add_up() {
        let mut tree = tree(&[Summary::all_free(512); 20]);
        assert_eq!(tree.find(20 * 512, 0), Some(Found::Page(0)));
        assert_eq!(tree.find(20 * 512 + 1, 0), None);
    }
}
