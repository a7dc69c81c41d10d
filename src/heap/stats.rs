//! Counters of objects and spans: what was ever allocated and freed. Pages have accounts of their own
//! ([`super::page_accounting`]).
//!
//! ```text
//! HeapAlloc = allocated - freed                       bytes
//! ```
//!
//! Source: `runtime/mstats.go`, `runtime/mheap.go` (`allocSpan`, `freeSpanLocked`), Go 1.23.9.
//!
//! Differences from Go: object counters here are exact at every moment; Go's lag by what cached spans have handed out
//! since they were cached. The lag matters to the memory-limit goal, so it is kept as `unflushed_alloc_bytes`.

/// Counters of the heap, in bytes unless named otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeapStats {
    /// Bytes of all objects ever allocated (TotalAlloc).
    pub allocated_bytes: u64,
    /// Bytes of all objects ever freed.
    pub freed_bytes: u64,
    /// Objects ever allocated, tiny ones apart.
    pub mallocs: u64,
    /// Objects ever freed, tiny ones apart.
    pub frees: u64,
    /// Tiny objects that shared a block with another; Go counts each as allocated and freed at once.
    pub tiny_allocs: u64,
    /// Part of `allocated_bytes` that sits in cached spans and Go's counters have not seen yet.
    pub unflushed_alloc_bytes: u64,
    /// Pages of spans in use by objects.
    pub in_use_pages: u64,
    /// Live span descriptors.
    pub mspans: u64,
    /// Most live span descriptors at one time.
    pub peak_mspans: u64,
    /// Bytes of the records of finalizers, cleanups and weak pointers, outside the heap.
    pub special_bytes: u64,
    /// Most of them at one time: their memory is used again, and not given back.
    pub peak_special_bytes: u64,
    /// Resident physical pages under free memory that is not released; lazily freed ones are not among them.
    pub idle_resident_pages: u64,
    /// Bytes returned to the system over the run.
    pub scavenged_bytes: u64,
}

impl HeapStats {
    /// A record of `bytes` was made.
    pub fn add_special(&mut self, bytes: u64) {
        self.special_bytes += bytes;
        self.peak_special_bytes = self.peak_special_bytes.max(self.special_bytes);
    }

    /// Bytes of objects, reachable or not yet swept (HeapAlloc).
    pub fn heap_alloc_bytes(&self) -> u64 {
        self.allocated_bytes - self.freed_bytes
    }
}
