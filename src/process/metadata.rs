//! The runtime's own memory: what `Sys` counts beside heap and stacks, and how much of it is resident.
//!
//! Go's structures live outside the heap: span descriptors, bitmaps, page summaries, the arena map. Each is obtained from
//! the system in chunks and never given back. Most grows with the number of pages and spans:
//!
//! ```text
//! MSpanSys = 16320 B chunks of mspan descriptors (160 B each, 168 B in 1.21)
//! GCSys    = base + 68,624 B for each further 64 MiB arena (1,133,584 B in 1.21) + 64 KiB bitmap arenas
//!            + span-set blocks of 512 spans
//! OtherSys = base + span table beyond its first 8192 entries + 16 KiB chunks of records of finalizers (48 B each) and the like
//! ```
//!
//! Differences from Go: the bases are what a fresh process reports (start-up and first cycle measured, see
//! [`super::startup`]); which P opens a new 256 KiB `persistentalloc` chunk when is chance in Go and the most common
//! outcome here.
//!
//! Sources: `runtime/mheap.go`, `runtime/malloc.go`, `runtime/mstats.go`, Go 1.21.13 and 1.23.9.

use super::startup::Startup;
use crate::heap::mheap::Heap;
use crate::units::{CHUNK_BYTES, PAGE_BYTES, PHYSICAL_PAGE_BYTES};

/// Chunk of the fixed-size allocator in bytes (`runtime/malloc.go` `_FixAllocChunk`).
const FIXALLOC_CHUNK_BYTES: u64 = 16 << 10;
/// Bytes of one block of a span set: 512 pointers and a header (`runtime/mspanset.go`).
const SPAN_SET_BLOCK_BYTES: u64 = 4120;
const SPAN_SET_BLOCK_SPANS: u64 = 512;
/// First capacity of the table of all spans (`runtime/mheap.go` `recordspan`): 64 KiB.
const SPAN_TABLE_FIRST_ENTRIES: u64 = 8192;
/// Descriptors that one P caches (`runtime/mheap.go` `mspancache`).
const MSPAN_CACHE: u64 = 128;

/// Everything in a running process that [`Metadata::sys_bytes`] follows from: while it stays, so do they.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SysCauses {
    peak_mspans: u64,
    bitmap_bytes: u64,
    reserved_arenas: u64,
    peak_special_bytes: u64,
    num_gc: u32,
}

impl SysCauses {
    /// What holds after `num_gc` cycles.
    #[inline]
    pub(super) fn of(heap: &Heap, num_gc: u32) -> SysCauses {
        SysCauses {
            peak_mspans: heap.stats.peak_mspans,
            bitmap_bytes: heap.bits.arena_bytes(),
            reserved_arenas: heap.pages.reserved_arenas(),
            peak_special_bytes: heap.stats.peak_special_bytes,
            num_gc,
        }
    }
}

/// Sizes of the runtime's structures in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// MSpanInuse.
    pub mspan_inuse_bytes: u64,
    /// MSpanSys.
    pub mspan_sys_bytes: u64,
    /// MCacheInuse.
    pub mcache_inuse_bytes: u64,
    /// MCacheSys.
    pub mcache_sys_bytes: u64,
    /// BuckHashSys.
    pub buck_hash_sys_bytes: u64,
    /// GCSys without work buffers.
    pub gc_misc_sys_bytes: u64,
    /// OtherSys.
    pub other_sys_bytes: u64,
    /// Resident part of all of it.
    pub resident_bytes: u64,
}

impl Metadata {
    /// The structures that a heap of this shape needs after `num_gc` cycles.
    pub fn of(heap: &Heap, startup: &Startup, num_gc: u32) -> Metadata {
        let version = heap.version;
        let mspan_bytes = version.mspan_bytes();
        let per_chunk = FIXALLOC_CHUNK_BYTES / mspan_bytes;
        let chunk_bytes = per_chunk * mspan_bytes;
        let extra_mspans = heap.stats.peak_mspans.saturating_sub(startup.mspans);
        let mspan_sys_bytes = startup.mspan_sys_bytes
            + (startup.mspans + MSPAN_CACHE / 2 + extra_mspans)
                .saturating_sub(startup.mspan_sys_bytes / mspan_bytes)
                .div_ceil(per_chunk)
                * chunk_bytes;
        let heap_bytes = heap.pages.mapped_pages() * PAGE_BYTES;
        let more_arenas = heap.pages.reserved_arenas().saturating_sub(1);
        let bitmap_bytes = heap.bits.arena_bytes().saturating_sub(64 << 10);
        let span_set_bytes = extra_mspans / SPAN_SET_BLOCK_SPANS * SPAN_SET_BLOCK_BYTES;
        let (first_cycle_gc_bytes, first_cycle_other_bytes) = match num_gc {
            0 => (0, 0),
            _ => (startup.first_cycle_gc_sys_bytes, startup.first_cycle_other_sys_bytes),
        };
        let special_bytes = match heap.stats.peak_special_bytes {
            0 => 0,
            bytes => bytes.next_multiple_of(FIXALLOC_CHUNK_BYTES),
        };
        let table_bytes = span_table_bytes(heap.stats.peak_mspans);
        // Of a further arena's descriptor only the entries of pages in use are touched: 8 B a page, and in 1.21 a bit a word.
        let arena_touched_bytes = heap_bytes.saturating_sub(CHUNK_BYTES) / PAGE_BYTES * 8
            + if version.has_malloc_header() { 0 } else { heap_bytes.saturating_sub(CHUNK_BYTES) / 64 };
        let touched_bytes = extra_mspans * mspan_bytes
            + bitmap_bytes
            + span_set_bytes
            + table_bytes
            + special_bytes
            + arena_touched_bytes
            + if num_gc > 0 { startup.first_cycle_resident_bytes } else { 0 };
        Metadata {
            mspan_inuse_bytes: (startup.mspans_in_use_with_caches + heap.stats.mspans)
                .saturating_sub(startup.mspans)
                * mspan_bytes,
            mspan_sys_bytes,
            mcache_inuse_bytes: heap.caches.len() as u64 * version.mcache_bytes(),
            mcache_sys_bytes: startup.mcache_sys_bytes,
            buck_hash_sys_bytes: startup.buck_hash_sys_bytes,
            gc_misc_sys_bytes: startup.gc_sys_bytes
                + first_cycle_gc_bytes
                + more_arenas * version.heap_arena_bytes()
                + bitmap_bytes
                + span_set_bytes,
            other_sys_bytes: startup.other_sys_bytes + first_cycle_other_bytes + table_bytes + special_bytes,
            resident_bytes: startup.metadata_resident_bytes
                + touched_bytes.next_multiple_of(PHYSICAL_PAGE_BYTES),
        }
    }

    /// Everything, as `Sys` counts it.
    pub fn sys_bytes(&self) -> u64 {
        self.mspan_sys_bytes
            + self.mcache_sys_bytes
            + self.buck_hash_sys_bytes
            + self.gc_misc_sys_bytes
            + self.other_sys_bytes
    }
}

/// Bytes of the table of all spans beyond its first capacity: it grows by half when full, and old tables are not freed.
fn span_table_bytes(peak_mspans: u64) -> u64 {
    let mut entries = SPAN_TABLE_FIRST_ENTRIES;
    let mut bytes = 0;
    while entries < peak_mspans {
        entries = entries * 3 / 2;
        bytes += entries * 8;
    }
    bytes
}
