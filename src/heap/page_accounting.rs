//! Page accounting: to whom every page of the heap belongs, in the bytes that Go reports and paces by.
//!
//! **Mechanism.** Each mapped page is in one of five accounts. Spans move pages out of *free* and *released* and back into
//! *free*; the scavenger moves them from *free* to *released*; growth puts new pages into *released*.
//!
//! **Why.** The scavenger's goals, the memory limit and `MemStats` are sums of these accounts. None of them is RSS: that
//! is the kernel's ledger ([`crate::os::Residency`]).
//!
//! **Terms and formulas** (bytes):
//!
//! | here | Go | |
//! |---|---|---|
//! | `heap_in_use_bytes` | `heapInUse`, `HeapInuse` | whole spans of objects |
//! | `stacks_in_use_bytes` | `inStacks`, `StackInuse` | spans of stacks |
//! | `work_buffers_bytes` | `inWorkBufs` | spans of the collector's work buffers, reported in `GCSys` |
//! | `heap_free_bytes` | `heapFree` | idle, not scavenged; pages in page caches too |
//! | `heap_released_bytes` | `heapReleased`, `HeapReleased` | idle, never used or given back |
//!
//! - `retained = heap_in_use + heap_free` (`heapRetained`)
//! - `heap_sys = heap_in_use + heap_free + heap_released` (`HeapSys`)
//! - `mapped_ready = heap_in_use + stacks_in_use + work_buffers + heap_free + metadata` (`mappedReady`)
//!
//! **Invariants.** The five accounts sum to the mapped pages: a whole number of 4 MiB. `HeapSys` therefore *shrinks* when
//! stacks take pages. `mapped_ready = Sys - HeapReleased`.
//!
//! Differences from Go: `mappedReady` is computed from the accounts, so the identity cannot break. 1.23's spans of GC
//! program bitmaps (huge pointerful types only) have no account.
//!
//! Sources: `runtime/mheap.go` `allocSpan`, `freeSpanLocked`; `runtime/mem.go` (Go 1.23.9).

use crate::units::PAGE_BYTES;

/// What a span is for: which account its pages are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanUse {
    /// Objects (`spanAllocHeap`).
    Heap,
    /// Goroutine stacks (`spanAllocStack`).
    Stack,
    /// The collector's work buffers (`spanAllocWorkBuf`).
    WorkBuffer,
}

/// The accounts, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageAccounting {
    heap_in_use_bytes: u64,
    stacks_in_use_bytes: u64,
    work_buffers_bytes: u64,
    heap_free_bytes: u64,
    heap_released_bytes: u64,
    metadata_bytes: u64,
}

impl PageAccounting {
    /// The heap grew by `page_count` pages: born released.
    pub fn grew(&mut self, page_count: u64) {
        self.heap_released_bytes += page_count * PAGE_BYTES;
    }

    /// A span of `page_count` pages was cut, `scavenged_pages` of which were scavenged.
    #[inline]
    pub fn span_allocated(&mut self, span_use: SpanUse, page_count: u64, scavenged_pages: u64) {
        self.heap_released_bytes -= scavenged_pages * PAGE_BYTES;
        self.heap_free_bytes -= (page_count - scavenged_pages) * PAGE_BYTES;
        *self.in_use_mut(span_use) += page_count * PAGE_BYTES;
    }

    /// A span of `page_count` pages was given back. Its pages keep their memory.
    #[inline]
    pub fn span_freed(&mut self, span_use: SpanUse, page_count: u64) {
        *self.in_use_mut(span_use) -= page_count * PAGE_BYTES;
        self.heap_free_bytes += page_count * PAGE_BYTES;
    }

    /// The scavenger released `page_count` free pages.
    pub fn scavenged(&mut self, page_count: u64) {
        self.heap_free_bytes -= page_count * PAGE_BYTES;
        self.heap_released_bytes += page_count * PAGE_BYTES;
    }

    /// The runtime holds `bytes` of memory for itself, outside the heap (`sysAlloc`).
    pub fn set_metadata_bytes(&mut self, bytes: u64) {
        self.metadata_bytes = bytes;
    }

    fn in_use_mut(&mut self, span_use: SpanUse) -> &mut u64 {
        match span_use {
            SpanUse::Heap => &mut self.heap_in_use_bytes,
            SpanUse::Stack => &mut self.stacks_in_use_bytes,
            SpanUse::WorkBuffer => &mut self.work_buffers_bytes,
        }
    }

    /// Bytes in spans of objects (`HeapInuse`).
    pub fn heap_in_use_bytes(&self) -> u64 {
        self.heap_in_use_bytes
    }

    /// Bytes in spans of stacks (`StackInuse`).
    pub fn stacks_in_use_bytes(&self) -> u64 {
        self.stacks_in_use_bytes
    }

    /// Bytes in spans of work buffers.
    pub fn work_buffers_bytes(&self) -> u64 {
        self.work_buffers_bytes
    }

    /// Bytes mapped, idle and not scavenged (`heapFree`).
    pub fn heap_free_bytes(&self) -> u64 {
        self.heap_free_bytes
    }

    /// Bytes mapped and idle that were never used or were given back (`HeapReleased`).
    pub fn heap_released_bytes(&self) -> u64 {
        self.heap_released_bytes
    }

    /// Bytes the runtime holds outside the heap.
    pub fn metadata_bytes(&self) -> u64 {
        self.metadata_bytes
    }

    /// The heap's memory as the scavenger's percent goal sees it (`heapRetained`).
    #[inline]
    pub fn retained_bytes(&self) -> u64 {
        self.heap_in_use_bytes + self.heap_free_bytes
    }

    /// `HeapSys`.
    pub fn heap_sys_bytes(&self) -> u64 {
        self.retained_bytes() + self.heap_released_bytes
    }

    /// `HeapIdle`.
    pub fn heap_idle_bytes(&self) -> u64 {
        self.heap_free_bytes + self.heap_released_bytes
    }

    /// What the memory limit is compared with (`mappedReady`).
    #[inline]
    pub fn mapped_ready_bytes(&self) -> u64 {
        self.retained_bytes() + self.stacks_in_use_bytes + self.work_buffers_bytes + self.metadata_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_and_work_buffers_take_from_heap_sys() {
        let mut pages = PageAccounting::default();
        pages.grew(512);
        pages.span_allocated(SpanUse::Stack, 32, 32);
        // Go 1.23 at start: 3,932,160 + 262,144 = 4 MiB.
        assert_eq!(pages.heap_sys_bytes(), 3_932_160);
        assert_eq!(pages.stacks_in_use_bytes(), 262_144);
    }

    #[test]
    fn pages_go_round_and_the_sum_stays() {
        let mut pages = PageAccounting::default();
        pages.grew(1024);
        pages.set_metadata_bytes(100);
        pages.span_allocated(SpanUse::Heap, 100, 100);
        assert_eq!(pages.mapped_ready_bytes(), 100 * 8192 + 100);
        pages.span_freed(SpanUse::Heap, 100);
        assert_eq!((pages.retained_bytes(), pages.heap_free_bytes()), (100 * 8192, 100 * 8192));
        pages.scavenged(60);
        pages.span_allocated(SpanUse::WorkBuffer, 50, 10);
        assert_eq!(pages.heap_free_bytes(), 0);
        assert_eq!(pages.heap_released_bytes(), (1024 - 50) * 8192);
        assert_eq!(pages.heap_sys_bytes() + pages.work_buffers_bytes(), 1024 * 8192);
    }
}
