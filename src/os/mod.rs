//! The machine as one process sees it: which physical pages back its heap, and when the kernel kills it.
//!
//! **Mechanism.** An operating system hands out *address space* for nothing and *memory* page by page: a 4 KiB page
//! costs memory from the first write to it until the process says it does not need it any more (`madvise`).
//!
//! **Why Go needs it.** Go never gives heap address space back. Everything that makes the resident set (RSS) of a Go
//! program fall is the scavenger telling the kernel, by `madvise`, that free pages need no memory behind them. What Go
//! counts (`HeapReleased`, `HeapSys`) and what the kernel counts (RSS) are two ledgers; this module is the kernel's.
//!
//! **Terms.**
//! - *heap offset*: an address minus the start of the heap (`0x00c000000000` on linux/amd64). Offset 0 is page 0.
//! - *runtime page*: 8 KiB, the unit of Go's page allocator. *Physical page*: 4 KiB, two to a runtime page, the unit here.
//! - *resident*: memory is behind the page. *Fault*: the write that makes it so.
//! - `MADV_DONTNEED`: the page loses its memory now. `MADV_FREE`: the page is *lazily freed*; it stays resident, the
//!   kernel takes it when memory is short, and a write before that takes it back without a fault.
//!
//! **Steps.**
//! 1. A write touches pages: those not resident become resident, one fault each ([`Residency::touch`]).
//! 2. The scavenger releases pages: at once ([`Residency::release_dontneed`], Go's default) or lazily
//!    ([`Residency::release_free`], `GODEBUG=madvdontneed=0`).
//! 3. A container has a limit: when resident memory crosses it, lazily freed pages go first, lowest address first; if
//!    that is not enough the process is killed ([`ContainerLimit`]).
//!
//! **Invariants.** A page is in exactly one of three states: absent, resident, or lazily freed. `resident_bytes` is 4096
//! times the pages in the last two; no release makes it grow, no touch makes it shrink.
//!
//! **Differences from Go.** Go has no such ledger, the kernel has. Left out: transparent huge pages (Go 1.21.4 and later
//! ask for none on heap memory), read faults (which map the shared zero page), swap, and the kernel's own order of
//! reclaim, which here is by address so that a run repeats.
//!
//! Sources: `runtime/mem_linux.go` (Go 1.23.9); `madvise(2)`.

mod bitmap_words;
mod container;
mod residency;

pub(crate) use bitmap_words::bitmap_words;
pub use container::{ContainerLimit, Verdict};
pub use residency::Residency;

use std::ops::Range;

use crate::units::{PAGE_BYTES, PHYSICAL_PAGE_BYTES};

/// Physical pages to one runtime page: 2.
pub const PHYSICAL_PAGES_PER_PAGE: u64 = PAGE_BYTES / PHYSICAL_PAGE_BYTES;

/// The physical pages under `length_bytes` bytes at heap offset `start_bytes`; an empty range for no bytes.
#[inline]
pub fn physical_pages_of_bytes(start_bytes: u64, length_bytes: u64) -> Range<u64> {
    let first = start_bytes / PHYSICAL_PAGE_BYTES;
    if length_bytes == 0 {
        return first..first;
    }
    first..(start_bytes + length_bytes - 1) / PHYSICAL_PAGE_BYTES + 1
}

/// The physical pages under a range of runtime pages.
#[inline]
pub fn physical_pages_of_pages(pages: Range<u64>) -> Range<u64> {
    pages.start * PHYSICAL_PAGES_PER_PAGE..pages.end * PHYSICAL_PAGES_PER_PAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_cover_every_physical_page_they_touch() {
        assert_eq!(physical_pages_of_bytes(0, 1), 0..1);
        assert_eq!(physical_pages_of_bytes(4095, 2), 0..2);
        assert_eq!(physical_pages_of_bytes(4096, 4096), 1..2);
        assert!(physical_pages_of_bytes(5000, 0).is_empty());
        assert_eq!(physical_pages_of_pages(3..5), 6..10);
    }
}
