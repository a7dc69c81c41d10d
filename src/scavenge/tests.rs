//! The policy and the page allocator together: what a program sees of the scavenger.

use std::ops::ControlFlow;

use super::*;
use crate::heap::page_accounting::{PageAccounting, SpanUse};
use crate::heap::page_alloc::{PageAlloc, Reach};
use crate::heap::page_cache::PageCache;
use crate::os::{Residency, physical_pages_of_pages};
use crate::units::{MIB, PAGE_BYTES, SECOND_NS};
use crate::version::GoVersion;

/// Spans of one page, as small objects make them, over the accounts and the kernel's ledger.
#[derive(Default)]
struct Machine {
    pages: PageAlloc,
    cache: PageCache,
    accounts: PageAccounting,
    residency: Residency,
    spans: Vec<u64>,
}

impl Machine {
    fn fill(&mut self, page_count: u64) {
        for _ in 0..page_count {
            let span = self.pages.alloc_span(1, &mut self.cache);
            self.accounts.grew(span.growth_pages);
            self.accounts.span_allocated(SpanUse::Heap, 1, span.scavenged_pages);
            self.residency.touch(physical_pages_of_pages(span.base_page..span.base_page + 1));
            self.spans.push(span.base_page);
        }
    }

    /// Frees all spans but the first `kept`, as a sweep does.
    fn drop_to(&mut self, kept: usize) {
        for page in self.spans.drain(kept..) {
            self.pages.free(page, 1);
            self.accounts.span_freed(SpanUse::Heap, 1);
        }
    }

    fn scavenge(&mut self, bytes: u64, reach: Reach) -> u64 {
        self.pages.scavenge(bytes, reach, |pages| {
            self.accounts.scavenged(pages.end - pages.start);
            self.residency.release_dontneed(physical_pages_of_pages(pages));
            ControlFlow::Continue(())
        })
    }

    /// The next scheduled run of the scavenger, 0.1 ms for every 2 MiB.
    fn run(&mut self, scavenger: &mut BackgroundScavenger, goals: &Goals) {
        let now_ns = scavenger.next_event_ns().unwrap();
        scavenger.run(now_ns, 2, |quantum_bytes| {
            if goals.are_met(self.accounts.retained_bytes(), self.accounts.mapped_ready_bytes()) {
                return None;
            }
            let released_bytes = self.scavenge(quantum_bytes, Reach::Background);
            Some(Work { released_bytes, worked_ns: released_bytes * 100_000 / (2 * MIB) })
        });
    }
}

/// The drop of a heap from 105 MB to 10.8 MB as real Go 1.23 shows it: nothing is released after the first GC, the
/// second brings retained memory just below the goal within 3 s.
#[test]
fn a_dropped_heap_is_given_back_after_the_second_cycle() {
    let mut machine = Machine::default();
    machine.fill(105_000_000 / PAGE_BYTES);
    let last_heap_in_use_bytes = machine.accounts.heap_in_use_bytes();
    machine.pages.next_scavenge_generation();
    machine.drop_to((10_800_000 / PAGE_BYTES) as usize);

    let inputs = GoalInputs {
        memory_limit_bytes: i64::MAX as u64,
        mapped_ready_bytes: machine.accounts.mapped_ready_bytes(),
        retained_bytes: machine.accounts.retained_bytes(),
        last_heap_in_use_bytes,
        heap_goal_bytes: 21_600_000,
        last_heap_goal_bytes: 210_000_000,
    };
    let goals = Goals::new(GoVersion::Go1_23, &inputs);
    let goal_bytes = goals.percent_bytes.unwrap(); // active at once
    let mut scavenger = BackgroundScavenger::new();
    scavenger.wake(0);
    machine.run(&mut scavenger, &goals);
    assert_eq!(scavenger.next_event_ns(), None);
    assert_eq!(machine.accounts.retained_bytes(), inputs.retained_bytes);

    machine.pages.next_scavenge_generation();
    scavenger.wake(0);
    let mut last_ns = 0;
    while let Some(now_ns) = scavenger.next_event_ns() {
        last_ns = now_ns;
        machine.run(&mut scavenger, &goals);
    }
    let retained_bytes = machine.accounts.retained_bytes();
    assert!(retained_bytes <= goal_bytes && retained_bytes > goal_bytes - 2 * MIB, "{retained_bytes}");
    assert!(last_ns < 3 * SECOND_NS, "{last_ns} ns");
    // The kernel agrees: pages in the cache still count as released, and nobody has touched them.
    assert_eq!(machine.residency.resident_bytes(), retained_bytes);
}

#[test]
fn free_os_memory_releases_every_free_page_but_those_in_caches() {
    let mut machine = Machine::default();
    machine.fill(3000);
    machine.drop_to(0);
    machine.scavenge(FREE_OS_MEMORY_BYTES, Reach::Forced);
    assert_eq!(machine.accounts.retained_bytes(), 0);
    machine.fill(1);
    machine.drop_to(0);
    assert_eq!(machine.accounts.heap_free_bytes(), PAGE_BYTES);
    // The page went back to the heap, not into the cache, so it is there to release.
    assert_eq!(machine.scavenge(FREE_OS_MEMORY_BYTES, Reach::Forced), PAGE_BYTES);
    assert_eq!(machine.residency.resident_bytes(), 0);
}
