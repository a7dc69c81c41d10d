//! A P's own supply of memory: one span of each span class, the tiny block and the page cache.
//!
//! Allocation from the cached span takes no lock and looks at no trigger; that is why Go's accounting moves in steps of
//! whole spans (`runtime/mcache.go`, Go 1.23.9).

use super::object::{ObjRef, SpanId};
use super::page_cache::PageCache;
use super::size_class::SPAN_CLASS_COUNT;

/// Bytes of the block that tiny objects share (`runtime/malloc.go` `maxTinySize`).
pub const TINY_BLOCK_BYTES: u64 = 16;

/// The memory cached by one P.
#[derive(Debug)]
pub struct Mcache {
    /// The cached span of each span class; 0 is none (Go's `emptymspan`).
    pub spans: [SpanId; SPAN_CLASS_COUNT],
    /// The block that tiny objects are currently placed in; nil is none.
    pub tiny_block: ObjRef,
    /// First free byte of the tiny block.
    pub tiny_offset_bytes: u64,
    /// Tiny objects placed since the last flush.
    pub tiny_allocs: u64,
    /// Scannable bytes allocated since they were last reported to the pacer (`scanAlloc`).
    pub scan_alloc_bytes: u64,
    /// Free pages taken out of the page heap.
    pub pages: PageCache,
}

impl Default for Mcache {
    fn default() -> Self {
        Mcache {
            spans: [0; SPAN_CLASS_COUNT],
            tiny_block: ObjRef::NIL,
            tiny_offset_bytes: 0,
            tiny_allocs: 0,
            scan_alloc_bytes: 0,
            pages: PageCache::default(),
        }
    }
}

impl Mcache {
    /// Where a tiny object of `size_bytes` would start in the current block, if it fits.
    pub fn tiny_fit(&self, size_bytes: u64) -> Option<u64> {
        let align_bytes = match size_bytes {
            size if size % 8 == 0 => 8,
            size if size % 4 == 0 => 4,
            size if size % 2 == 0 => 2,
            _ => 1,
        };
        let offset_bytes = self.tiny_offset_bytes.next_multiple_of(align_bytes);
        let fits = !self.tiny_block.is_nil() && offset_bytes + size_bytes <= TINY_BLOCK_BYTES;
        fits.then_some(offset_bytes)
    }
}
