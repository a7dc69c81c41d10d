//! Behaviour of the page allocator, and its agreement with a slow model of one flag a page.

use proptest::prelude::*;

use super::*;
use crate::units::MIB;

const PAGES_PER_MIB: u64 = MIB / PAGE_BYTES;

/// Releases and forgets the pages.
fn unseen(_: Range<u64>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A heap of `chunk_count` chunks, all of it allocated by one span.
fn full_heap(chunk_count: u64) -> PageAlloc {
    let mut heap = PageAlloc::new();
    heap.grow(chunk_count * CHUNK_PAGES);
    heap.alloc(chunk_count * CHUNK_PAGES).unwrap();
    heap
}

#[test]
fn new_pages_are_free_and_scavenged() {
    let mut heap = PageAlloc::new();
    assert_eq!(heap.alloc(1), None);
    assert_eq!(heap.grow(1), 512);
    assert_eq!((heap.free_pages(), heap.scavenged_pages()), (512, 512));
    assert_eq!(heap.alloc(3), Some(Placement { base_page: 0, scavenged_pages: 3 }));
    heap.free(0, 3);
    assert_eq!((heap.free_pages(), heap.scavenged_pages()), (512, 509));
    assert_eq!(heap.alloc(4), Some(Placement { base_page: 0, scavenged_pages: 1 }));
}

#[test]
fn the_lowest_address_wins_over_resident_pages() {
    let mut heap = full_heap(3);
    heap.free(100, 20);
    heap.scavenge(u64::MAX, Reach::Forced, unseen);
    heap.free(900, 20);
    assert_eq!(heap.alloc(16), Some(Placement { base_page: 100, scavenged_pages: 16 }));
    assert_eq!(heap.alloc(16), Some(Placement { base_page: 900, scavenged_pages: 0 }));
}

#[test]
fn freed_pages_join_their_neighbours() {
    let mut heap = full_heap(2);
    heap.free(500, 6);
    heap.free(518, 6);
    assert_eq!(heap.alloc(7), None);
    heap.free(506, 12); // across the chunk boundary, between the two
    assert_eq!(heap.alloc(24), Some(Placement { base_page: 500, scavenged_pages: 0 }));
}

#[test]
#[should_panic(expected = "freed twice")]
fn freeing_twice_panics() {
    let mut heap = full_heap(1);
    heap.free(7, 2);
    heap.free(8, 1);
}

/// Vector 15, Go 1.23.9 and 1.27.3: HeapSys + StackInuse after `make` of so many MiB from a 4 MiB start. The pages a
/// program has in use before main (0.6 MiB) lie in the first chunk.
#[test]
fn growth_never_counts_the_free_tail() {
    let mut heap = PageAlloc::new();
    let mut cache = PageCache::default();
    heap.alloc_span(77, &mut cache);
    assert_eq!(heap.mapped_pages() * PAGE_BYTES, 4_194_304);
    for (make_mib, heap_sys_bytes) in [
        (5, 12_582_912),   // 640 pages do not fit in 435: +2 chunks
        (1, 12_582_912),   // fits
        (4, 12_582_912),   // fits
        (60, 75_497_472),  // +15 chunks
        (20, 96_468_992),  // +5 chunks; the second arena begins
        (16, 113_246_208), // +4 chunks
    ] {
        heap.alloc_span(make_mib * PAGES_PER_MIB, &mut cache);
        assert_eq!(heap.mapped_pages() * PAGE_BYTES, heap_sys_bytes, "after {make_mib} MiB");
    }
    assert_eq!(heap.reserved_arenas(), 2);
    heap.assert_consistent();
}

#[test]
fn a_cache_takes_every_free_page_of_the_lowest_block() {
    let mut heap = full_heap(1);
    heap.free(70, 2);
    heap.free(80, 1);
    heap.free(127, 3); // 127 is in the block, 128 and 129 are in the next
    let mut cache = heap.alloc_to_cache();
    assert_eq!((cache.free_pages(), heap.free_pages()), (4, 2));
    assert_eq!(cache.alloc(2), Some(Placement { base_page: 70, scavenged_pages: 0 }));
    assert_eq!(heap.alloc(1), Some(Placement { base_page: 128, scavenged_pages: 0 }));
    heap.flush_cache(&mut cache);
    assert!(cache.is_empty());
    assert_eq!(heap.alloc(1), Some(Placement { base_page: 80, scavenged_pages: 0 }));
    heap.assert_consistent();
}

#[test]
fn pages_in_a_cache_are_out_of_the_scavengers_reach() {
    let mut heap = full_heap(1);
    heap.free(0, 64);
    let mut cache = heap.alloc_to_cache();
    assert_eq!(heap.scavenge(u64::MAX, Reach::Forced, unseen), 0);
    heap.flush_cache(&mut cache);
    assert_eq!(heap.scavenge(u64::MAX, Reach::Forced, unseen), 64 * PAGE_BYTES);
    // Refilled from scavenged pages, the cache knows it.
    let mut cache = heap.alloc_to_cache();
    assert_eq!(cache.alloc(3), Some(Placement { base_page: 0, scavenged_pages: 3 }));
    heap.flush_cache(&mut cache);
    assert_eq!(heap.scavenged_pages(), 61);
}

#[test]
fn a_cache_without_a_fitting_run_is_kept() {
    let mut heap = full_heap(1);
    heap.free(0, 1);
    heap.free(200, 8);
    let mut cache = PageCache::default();
    let span = heap.alloc_span(2, &mut cache);
    assert_eq!(span, SpanPlacement { base_page: 200, scavenged_pages: 0, growth_pages: 0 });
    assert_eq!(cache.free_pages(), 1);
}

/// Trap 4: 105 MB in use, all but 10 % of it dropped, one cycle.
#[test]
fn what_a_sweep_frees_stays_resident_until_the_next_mark_termination() {
    let mut heap = full_heap(25);
    let background = |heap: &mut PageAlloc| heap.scavenge(64 << 10, Reach::Background, unseen);
    heap.next_scavenge_generation(); // mark termination N ...
    heap.free(2 * CHUNK_PAGES + 256, 22 * CHUNK_PAGES + 256); // ... and its sweep
    assert_eq!(background(&mut heap), 0);
    heap.next_scavenge_generation(); // mark termination N+1
    assert_eq!(background(&mut heap), 2 * MIB); // a free huge page goes whole, for 64 KiB asked
    let rest = heap.scavenge(u64::MAX, Reach::Background, unseen);
    // Chunk 2 has 256 pages in use, not dense: it is scavenged too.
    assert_eq!(rest + 2 * MIB, (22 * CHUNK_PAGES + 256) * PAGE_BYTES);
    assert_eq!(background(&mut heap), 0);
}

#[test]
fn scavenging_goes_from_the_top_down() {
    let mut heap = full_heap(2);
    heap.free(10, 4);
    heap.free(600, 20);
    heap.free(1000, 3);
    let mut released = Vec::new();
    heap.scavenge(15 * PAGE_BYTES, Reach::Forced, |pages| {
        released.push(pages);
        ControlFlow::Continue(())
    });
    assert_eq!(released, [1000..1003, 608..620]); // 3 pages, then 12 of the 20
    let stop_at_once = |_| ControlFlow::Break(());
    assert_eq!(heap.scavenge(u64::MAX, Reach::Forced, stop_at_once), 8 * PAGE_BYTES);
}

/// Vector 12's release: 24,078,368 bytes needed, the next page multiple released.
#[test]
fn a_forced_scavenge_ends_at_the_next_page_multiple() {
    let mut heap = full_heap(8);
    for chunk in 0..8 {
        heap.free(chunk * CHUNK_PAGES + 1, CHUNK_PAGES - 1);
    }
    // 24,078,368 / 8192 = 2939.25 pages. Five chunks of 511, then 385 of the sixth: no boundary below within its run.
    assert_eq!(heap.scavenge(24_078_368, Reach::Forced, unseen), 24_084_480);
}

#[test]
fn a_heap_of_64_gib_is_searched_by_the_tree() {
    let mut heap = full_heap(16384);
    heap.free(16000 * CHUNK_PAGES - 3, 5);
    heap.free(16001 * CHUNK_PAGES, 100);
    assert_eq!(heap.alloc(6).unwrap().base_page, 16001 * CHUNK_PAGES);
    assert_eq!(heap.alloc(4).unwrap().base_page, 16000 * CHUNK_PAGES - 3);
    heap.assert_consistent();
}

/// One flag pair a page, linear first fit.
#[derive(Default)]
struct Model {
    allocated: Vec<bool>,
    scavenged: Vec<bool>,
}

impl Model {
    fn grow(&mut self, page_count: u64) {
        let length = self.allocated.len() + page_count.next_multiple_of(CHUNK_PAGES) as usize;
        self.allocated.resize(length, false);
        self.scavenged.resize(length, true);
    }

    fn first_fit(&self, page_count: u64) -> Option<u64> {
        let mut run = 0;
        for (page, allocated) in self.allocated.iter().enumerate() {
            run = if *allocated { 0 } else { run + 1 };
            if run == page_count {
                return Some(page as u64 + 1 - page_count);
            }
        }
        None
    }

    fn take(&mut self, base_page: u64, page_count: u64) -> Placement {
        let mut scavenged_pages = 0;
        for page in base_page..base_page + page_count {
            assert!(!std::mem::replace(&mut self.allocated[page as usize], true));
            scavenged_pages += u64::from(std::mem::replace(&mut self.scavenged[page as usize], false));
        }
        Placement { base_page, scavenged_pages }
    }

    fn alloc(&mut self, page_count: u64) -> Option<Placement> {
        let base_page = self.first_fit(page_count)?;
        Some(self.take(base_page, page_count))
    }

    fn free(&mut self, base_page: u64, page_count: u64) {
        self.allocated[base_page as usize..(base_page + page_count) as usize].fill(false);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Grow(u64),
    Alloc(u64),
    Free(prop::sample::Index),
    FillCache,
    AllocFromCache(u64),
    FlushCache,
    Scavenge(u64),
    NextGeneration,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (1..700u64).prop_map(Step::Grow),
        6 => prop_oneof![Just(1), 1..20u64, 1..300u64, 400..1200u64].prop_map(Step::Alloc),
        5 => any::<prop::sample::Index>().prop_map(Step::Free),
        1 => Just(Step::FillCache),
        4 => (1..16u64).prop_map(Step::AllocFromCache),
        1 => Just(Step::FlushCache),
        1 => (1..6_000_000u64).prop_map(Step::Scavenge),
        1 => Just(Step::NextGeneration),
    ]
}

/// The real allocator and the model, step by step side by side.
#[derive(Default)]
struct Pair {
    heap: PageAlloc,
    model: Model,
    cache: PageCache,
    spans: Vec<(u64, u64)>,
}

impl Pair {
    fn run(&mut self, step: Step) {
        match step {
            Step::Grow(page_count) => {
                if self.model.allocated.len() < 20_000 {
                    self.heap.grow(page_count);
                    self.model.grow(page_count);
                }
            }
            Step::Alloc(page_count) => {
                let placement = self.heap.alloc(page_count);
                assert_eq!(placement, self.model.alloc(page_count));
                self.spans.extend(placement.map(|placement| (placement.base_page, page_count)));
            }
            Step::Free(index) => {
                if !self.spans.is_empty() {
                    let (base_page, page_count) = self.spans.swap_remove(index.index(self.spans.len()));
                    self.heap.free(base_page, page_count);
                    self.model.free(base_page, page_count);
                }
            }
            Step::FillCache => self.fill_cache(),
            Step::AllocFromCache(page_count) => {
                if let Some(placement) = self.cache.alloc(page_count) {
                    // To the model, cached pages are allocated already: their bits were checked on the way in.
                    self.spans.push((placement.base_page, page_count));
                }
            }
            Step::FlushCache => self.flush_cache(),
            Step::Scavenge(bytes) => self.scavenge(bytes),
            Step::NextGeneration => self.heap.next_scavenge_generation(),
        }
        self.compare();
    }

    fn fill_cache(&mut self) {
        if !self.cache.is_empty() {
            return;
        }
        let lowest = self.model.first_fit(1);
        self.cache = self.heap.alloc_to_cache();
        let Some(block) = lowest.map(|page| page / 64 * 64) else {
            assert!(self.cache.is_empty());
            return;
        };
        for page in block..block + 64 {
            let free = !self.model.allocated[page as usize];
            assert_eq!(self.cache.free >> (page - block) & 1 == 1, free);
            if free {
                let scavenged = self.model.take(page, 1).scavenged_pages;
                assert_eq!(self.cache.scavenged >> (page - block) & 1, scavenged);
            }
        }
        assert_eq!(self.cache.base_page, block);
    }

    fn flush_cache(&mut self) {
        let PageCache { base_page, free, scavenged } = self.cache;
        self.heap.flush_cache(&mut self.cache);
        for bit in (0..64).filter(|bit| free >> bit & 1 == 1) {
            self.model.free(base_page + bit, 1);
            self.model.scavenged[(base_page + bit) as usize] = scavenged >> bit & 1 == 1;
        }
    }

    fn scavenge(&mut self, bytes: u64) {
        let model = &mut self.model;
        let released_bytes = self.heap.scavenge(bytes, Reach::Forced, |pages| {
            for page in pages.start as usize..pages.end as usize {
                assert!(!model.allocated[page], "page {page} is in use");
                assert!(!std::mem::replace(&mut model.scavenged[page], true), "page {page} is scavenged");
            }
            ControlFlow::Continue(())
        });
        if released_bytes < bytes {
            let prey = |page: &usize| !self.model.allocated[*page] && !self.model.scavenged[*page];
            assert_eq!((0..self.model.allocated.len()).find(prey), None, "a forced scavenge missed pages");
        }
    }

    fn compare(&self) {
        self.heap.assert_consistent();
        for page in 0..self.heap.mapped_pages() {
            let (chunk, in_chunk) = split(page);
            let model = (self.model.allocated[page as usize], self.model.scavenged[page as usize]);
            assert_eq!(self.heap.chunks[chunk].page(in_chunk), model, "page {page}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_allocator_agrees_with_linear_first_fit(steps in prop::collection::vec(any_step(), 1..150)) {
        let mut pair = Pair::default();
        pair.run(Step::Grow(600));
        for step in steps {
            pair.run(step);
        }
    }
}
