//! What work costs in virtual nanoseconds: one documented table.
//!
//! Real Go spends time where its caches, the kernel and the collector make it wait; a simulator has none of that and
//! needs a price list instead. Everything in this file is **measured** on real Go, by the programs in `tests/go/`
//! (results with provenance: `tests/golden/measured/`), and nothing in it is tuned to a scenario.
//!
//! # Terms
//!
//! - *fresh* memory was never used; the kernel maps it at the first write (a *fault*) and it needs no zeroing.
//! - *recycled* memory belongs to swept spans: resident, and zeroed by `mallocgc` (`needzero`).
//! - *refill*: fetching a span into the P's cache (`mcache.refill`), paid once a span.
//! - *working set*: the bytes a repeated operation wanders over; it decides which cache answers.
//! - *independent* objects are found by scanning an array or a bucket: their cache misses overlap. *Chained* objects are
//!   found one behind the other (lists, random graphs): every miss is waited for.
//!
//! # Formulas
//!
//! 1. `n` small objects of `e` bytes: `n * malloc + refills * refill + zero(n * e)`, and `fault` for each physical page
//!    that is written for the first time. While the collector marks, each object costs `allocate_black_ns` more.
//! 2. Marking: for every pointer that leads to a white object one of the `mark_*` prices (which include reading the
//!    pointer), for every other pointer word `scan_words_ns` (nil) or `marked_pointer_ns` (already marked).
//! 3. Sweeping: one `sweep_span_ns` a span; freed slots cost nothing of their own (they are bits).
//!
//! # Invariants
//!
//! Prices are finite and positive, linear in their count, and do not fall when the working set grows, except where
//! the measurement says so: [`CostModel::madvise_ns`] and the object size of [`CostModel::mark_chained_object_ns`].
//!
//! # Differences from Go
//!
//! Averages stand for distributions; host interference, frequency changes and huge pages do not exist. One
//! machine: Intel Xeon (family 6, model 167; 2.6 GHz, 2 MiB L2), KVM guest with 2 cores, 4 KiB pages, Linux 6.18, quiet.
//! The same machine with busy neighbours was measured 2 to 5 times slower in everything that misses L2.
//!
//! Sources: `runtime/malloc.go`, `runtime/mcache.go`, `runtime/mgcmark.go`, `runtime/mgcsweep.go`, `runtime/mem_linux.go`,
//! Go 1.21.13 and 1.23.9, for what is done; measurements for how long it takes.

use std::cell::Cell;

use crate::heap::mutator::Operation;
use crate::units::{KIB, MIB, PAGE_BYTES};
use crate::version::GoVersion;

/// How malloc describes an object's pointers, which is what it pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PointerMap {
    /// No pointers.
    Noscan,
    /// Pointers described by bits that malloc writes (objects up to 512 B; in Go 1.21 all).
    Bitmap,
    /// Pointers described by a type header of 8 bytes in front of the object (above 512 B, since Go 1.22).
    Header,
}

/// Where a span comes from when the P's cache is refilled, or a large object is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanSource {
    /// Pages of address space that were never used.
    Fresh,
    /// Pages that an earlier span used, or a swept span with free slots.
    Recycled,
}

/// How the objects that marking meets one after the other lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locality {
    /// In the order of allocation, upwards or downwards: the hardware prefetches.
    InOrder,
    /// In no order, found through a dense array (independent) or a link (chained).
    #[default]
    Scattered,
    /// In no order, found through the buckets of a map, between which other words are scanned.
    Hashed,
}

/// What sweeping found in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SweepOutcome {
    /// All objects live.
    Full,
    /// Some slots freed.
    PartlyFree,
    /// Nothing live: the span goes back to the page heap.
    Freed,
}

/// Measured pairs of a size in bytes (ascending) and a price in nanoseconds.
///
/// Between two points the price is linear in the logarithm of the size; outside it is that of the nearest point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve(&'static [(u64, f64)]);

impl Curve {
    /// The price at `size_bytes`.
    pub fn at(self, size_bytes: u64) -> f64 {
        let points = self.0;
        let above = points.partition_point(|(bytes, _)| *bytes <= size_bytes);
        if above == 0 {
            return points[0].1;
        }
        let (low_bytes, low_ns) = points[above - 1];
        let Some(&(high_bytes, high_ns)) = points.get(above) else {
            return low_ns;
        };
        let span = log2(high_bytes as f64 / low_bytes as f64);
        let part = log2(size_bytes as f64 / low_bytes as f64) / span;
        low_ns + part * (high_ns - low_ns)
    }
}

/// The price asked for last: most prices are asked for again and again with the same size.
#[derive(Clone, Debug, Default)]
pub struct RecentPrice {
    size_bytes: Cell<u64>,
    price_ns: Cell<Option<f64>>,
}

impl RecentPrice {
    /// The price at `size_bytes`, worked out by `price_ns` unless it is the one asked for last.
    #[inline]
    pub fn at(&self, size_bytes: u64, price_ns: impl FnOnce() -> f64) -> f64 {
        match self.price_ns.get() {
            Some(recent_ns) if self.size_bytes.get() == size_bytes => recent_ns,
            _ => {
                let fresh_ns = price_ns();
                self.size_bytes.set(size_bytes);
                self.price_ns.set(Some(fresh_ns));
                fresh_ns
            }
        }
    }
}

/// The price list. Units are nanoseconds of one core, unless the name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostModel {
    // --- Allocation (tests/go/malloc) ---
    /// A pointer-free object without refill and zeroing: intercept over sizes 16..4096 B on fresh memory. Spread 4 %.
    pub malloc_noscan_ns: f64,
    /// What writing the pointer bitmap adds: scan minus noscan in cache, 16..512 B. Measured 3.1 to 4.7.
    pub malloc_bitmap_extra_ns: f64,
    /// What writing the type header adds: 1016 B scan against 1024 B noscan in cache. Measured 0 to 1.
    pub malloc_header_extra_ns: f64,
    /// One request below 16 B without pointers (tiny allocator), its share of the 16-byte block included. Spread 8 %.
    pub malloc_tiny_ns: f64,
    /// Refill with a fresh span, part that does not depend on its length: fit over 8, 16 and 32 KiB spans. Within 15 %.
    pub refill_fresh_ns: f64,
    /// Refill with a fresh span, for each page of 8 KiB: page bitmap, span table and their metadata faults.
    pub refill_fresh_page_ns: f64,
    /// Refill with a recycled span, part that does not depend on its length, by working set: cost a span less objects,
    /// zeroing and pages. In cache 130, out of cache 175 to 200.
    pub refill_recycled_ns: Curve,
    /// Refill with a recycled span, for each page of 8 KiB: 8, 16 and 32 KiB spans in cache.
    pub refill_recycled_page_ns: f64,
    /// A large object on fresh pages, part that does not depend on length: line through 64 KiB and 1 MiB.
    pub large_fresh_ns: f64,
    /// A large object on fresh pages, for each page of 8 KiB.
    pub large_fresh_page_ns: f64,
    /// A large object on recycled pages without zeroing: 64 KiB, in cache.
    pub large_recycled_ns: f64,
    /// What a large pointerful object pays in addition for each byte: Go 1.21 writes its bitmap (1 MiB of pointers).
    pub large_bitmap_byte_ns: f64,
    /// Zeroing a byte of recycled memory in order, by working set. Out of cache measured 0.097 (large) to 0.130 (1 KiB).
    pub zero_byte_ns: Curve,
    /// Zeroing a byte in holes between live objects out of cache: the lines between are fetched too. Within 10 %.
    pub zero_hole_byte_ns: f64,
    /// What an object allocated while the collector marks costs more (`gcmarknewobject`): 16, 64 and 256 B gave 15.9,
    /// 17 and 18 (noscan), 12.8 (scan).
    pub allocate_black_ns: f64,
    /// What a pointer store costs more while the write barrier is on, flushes included: 8.7 to 8.9.
    pub write_barrier_ns: f64,

    // --- Kernel (tests/go/pages) ---
    /// First write to a 4 KiB page of anonymous memory, zeroing by the kernel included: 1,402 to 1,413; after DONTNEED
    /// 1,346 to 1,375. Guest memory that the host has not backed yet costs 5,000 to 7,000: not modelled.
    pub fault_page_ns: f64,
    /// `madvise(DONTNEED)` over pages that are not resident, a call: 163 to 211.
    pub madvise_call_ns: f64,
    /// Fixed cost of a short call (up to 33 pages) that finds resident pages: line through 8 and 64 KiB.
    pub madvise_short_ns: f64,
    /// For each resident page of a short call: pages leave the TLB one by one.
    pub madvise_short_page_ns: f64,
    /// Fixed cost of a long call: line through 256 KiB and 2 MiB.
    pub madvise_long_ns: f64,
    /// For each resident page of a long call: the TLB is flushed whole. 102.5, and 109 at 256 MiB.
    pub madvise_long_page_ns: f64,

    // --- Maps (tests/go/maps), by bytes of bucket array ---
    /// Insert into a presized map, mean of 0 to 4 entries a bucket. Key order made no difference (hashing). Spread 15 %
    /// out of cache (1e6 entries: 64 to 75), as for the other operations.
    pub map_insert_ns: Curve,
    /// Insert by entries a bucket (steps of a half: 0.25, 0.75, ... 6.25), as a share of `map_insert_ns`, bucket arrays up
    /// to 4 MiB. Chains and overflow buckets make the last inserts before growth dear (2^8 and 2^14 buckets).
    pub map_insert_load_cached: [f64; 13],
    /// The same for bucket arrays of 16 MiB and more (2^17 and 2^18 buckets; overflow buckets are cache misses).
    pub map_insert_load_uncached: [f64; 13],
    /// Assignment to a key that is present.
    pub map_update_ns: Curve,
    /// Lookup of a present key.
    pub map_lookup_hit_ns: Curve,
    /// Lookup of an absent key.
    pub map_lookup_miss_ns: Curve,
    /// Delete of a present key (`map[int]int`; pointer values cost 2 to 12 more).
    pub map_delete_ns: Curve,
    /// One entry of a range loop, at 4 to 6 entries a bucket.
    pub map_iterate_ns: Curve,
    /// One entry's share of `clear`, at 4 to 6 entries a bucket.
    pub map_clear_ns: Curve,
    /// One entry moved, by bytes of old and new bucket arrays together: a pass of updates that drags the evacuation,
    /// less the same pass when nothing grows. Out of cache 36 to 53 (28 MB), 45 to 60 (57 MB), 52 to 82, 57 to 87.
    pub map_evacuate_ns: Curve,

    // --- Marking (tests/go/mark; one worker; prices include reading the pointer) ---
    /// Independent pointer-free object in allocation order: 10.6 to 12.4 from 4 to 256 MiB.
    pub mark_noscan_in_order_ns: f64,
    /// Independent pointer-free object, scattered, by heap size.
    pub mark_noscan_scattered_ns: Curve,
    /// Independent pointer-free object found in map buckets: `map[int]*[64]byte` less the same map with nil values.
    pub mark_noscan_hashed_ns: Curve,
    /// Independent object with one nil pointer, in allocation order: 20.4 to 22.4.
    pub mark_scan_in_order_ns: f64,
    /// Independent object with one nil pointer, scattered, by heap size.
    pub mark_scan_scattered_ns: Curve,
    /// Object of a list in allocation order, by object size, heap of at most 4 MiB (cached).
    pub mark_chained_in_order_cached_ns: Curve,
    /// The same for heaps of 16 MiB and more. The prefetcher gives up near strides of 256 B. Spread at 1 KiB: 48 to 78.
    pub mark_chained_in_order_ns: Curve,
    /// Object of a list linked in random order, by heap size; hardly depends on the object's size.
    pub mark_chained_scattered_ns: Curve,
    /// A nil pointer word beyond an object's first, by object size. Arrays scan fastest; 8 words are unrolled by luck.
    pub scan_word_ns: Curve,
    /// A pointer to an object that is marked already, when few objects are pointed at: 7.3 to 7.8.
    pub marked_pointer_in_order_ns: f64,
    /// The same to random objects, by heap size: half the difference of random graphs of degree 4 and 2.
    pub marked_pointer_scattered_ns: Curve,
    /// What marking costs more, as a factor, while a mutator allocates at full speed on the other core: 28 against 25 ns
    /// an object of the steady list.
    pub mark_beside_mutator_factor: f64,

    // --- The cycle (tests/go/runtimecosts, mark, steady) ---
    /// Concurrent phase of a cycle on an empty heap with one P: roots, stacks, the phase changes. 30 to 45 us.
    pub cycle_fixed_one_proc_ns: f64,
    /// The same with more Ps: sleeping threads must be woken. 80 to 360 us.
    pub cycle_fixed_many_procs_ns: f64,
    /// Stop of the world for sweep termination, one P (both pauses together 4.3 to 5 us).
    pub sweep_termination_one_proc_ns: f64,
    /// The same with two Ps and a busy mutator: 22 to 30 us typical, up to 130.
    pub sweep_termination_many_procs_ns: f64,
    /// Stop of the world for mark termination, one P.
    pub mark_termination_one_proc_ns: f64,
    /// The same with two Ps: 5 to 90 us, a long tail to milliseconds.
    pub mark_termination_many_procs_ns: f64,
    /// `ReadMemStats`, one P: 616 to 676.
    pub read_mem_stats_one_proc_ns: f64,
    /// `ReadMemStats` with two Ps: 12.8 to 14.8 us minimum, 28 us typical when threads sleep.
    pub read_mem_stats_many_procs_ns: f64,

    // --- Sweeping (tests/go/sweep) ---
    /// A span in which everything lives: 80 to 90 (16 B objects 147).
    pub sweep_full_span_ns: f64,
    /// A span with some free slots: 102 to 107 (16 B objects 122).
    pub sweep_partly_free_span_ns: f64,
    /// A span that goes back to the page heap: 262 to 275, 302 at 1 MiB.
    pub sweep_freed_span_ns: f64,
    /// What `runtime.GC()` adds to each span it sweeps by yielding, one P: 104 a span in all.
    pub forced_sweep_yield_one_proc_ns: f64,
    /// The same with two Ps that hand the work to and fro: 330 to 400 a span in all, and noisy.
    pub forced_sweep_yield_many_procs_ns: f64,

    // --- Goroutines and time (tests/go/runtimecosts) ---
    /// Start, run and end of a goroutine whose g and stack are reused: 198 to 216 in batches, 330 with a channel switch.
    pub go_start_ns: f64,
    /// Start of a goroutine that needs a new g and a new 2 KiB stack, faults included: 2.3 to 2.6 us.
    pub go_start_fresh_ns: f64,
    /// `runtime.Gosched` with nobody waiting.
    pub gosched_ns: f64,
    /// From making a goroutine runnable to its running on a P whose thread sleeps: 17 to 20 us in execution traces of the
    /// steady program (parked assists), quiet machine.
    pub thread_wake_ns: f64,
    /// What `time.Sleep` oversleeps: 0.16 to 0.25 ms from 10 to 100 ms.
    pub sleep_overshoot_ns: f64,
    /// Shortest sleep when the process is otherwise idle (the poller counts milliseconds).
    pub sleep_minimum_ns: f64,
}

/// Pages up to which the kernel drops TLB entries one by one (Linux x86 `tlb_single_page_flush_ceiling`).
const TLB_SINGLE_FLUSH_PAGES: u64 = 33;

/// Heap size up to which chained marking runs out of cache, and from which it does not.
const CHAIN_CACHED_BYTES: u64 = 4 * MIB;
const CHAIN_UNCACHED_BYTES: u64 = 16 * MIB;

/// Prices of Go 1.23 (1.23.9).
pub const MEASURED_1_23: CostModel = CostModel {
    malloc_noscan_ns: 12.6,
    malloc_bitmap_extra_ns: 4.0,
    malloc_header_extra_ns: 0.5,
    malloc_tiny_ns: 9.3,
    refill_fresh_ns: 200.0,
    refill_fresh_page_ns: 65.0,
    refill_recycled_ns: Curve(&[(MIB, 130.0), (64 * MIB, 180.0)]),
    refill_recycled_page_ns: 65.0,
    large_fresh_ns: 395.0,
    large_fresh_page_ns: 22.5,
    large_recycled_ns: 575.0,
    large_bitmap_byte_ns: 0.0,
    zero_byte_ns: Curve(&[(MIB, 0.011), (4 * MIB, 0.029), (64 * MIB, 0.107)]),
    zero_hole_byte_ns: 0.19,
    allocate_black_ns: 16.0,
    write_barrier_ns: 8.8,

    fault_page_ns: 1_402.0,
    madvise_call_ns: 189.0,
    madvise_short_ns: 905.0,
    madvise_short_page_ns: 262.0,
    madvise_long_ns: 553.0,
    madvise_long_page_ns: 102.5,

    map_insert_ns: Curve(&[
        (2_304, 22.5),
        (36_864, 23.0),
        (294_912, 25.5),
        (2_359_296, 27.5),
        (18_874_368, 38.0),
        (37_748_736, 66.0),
        (150_994_944, 86.0),
    ]),
    map_insert_load_cached: [0.56, 0.86, 1.0, 1.06, 1.09, 1.09, 1.14, 1.19, 1.24, 1.27, 1.38, 1.49, 1.56],
    map_insert_load_uncached: [0.67, 0.84, 0.97, 1.03, 1.04, 1.06, 1.06, 1.13, 1.27, 1.42, 1.72, 2.05, 2.43],
    map_update_ns: Curve(&[
        (2_304, 8.1),
        (36_864, 9.6),
        (294_912, 20.3),
        (2_359_296, 28.6),
        (37_748_736, 57.5),
        (150_994_944, 82.3),
    ]),
    map_lookup_hit_ns: Curve(&[
        (2_304, 5.9),
        (36_864, 6.8),
        (294_912, 19.0),
        (2_359_296, 27.2),
        (37_748_736, 49.0),
        (150_994_944, 64.7),
    ]),
    map_lookup_miss_ns: Curve(&[
        (2_304, 8.7),
        (36_864, 8.7),
        (294_912, 9.7),
        (2_359_296, 17.7),
        (37_748_736, 37.0),
        (150_994_944, 70.5),
    ]),
    map_delete_ns: Curve(&[
        (2_304, 24.5),
        (36_864, 28.4),
        (294_912, 31.4),
        (2_359_296, 35.0),
        (37_748_736, 58.5),
        (150_994_944, 77.5),
    ]),
    map_iterate_ns: Curve(&[(2_304, 7.0), (36_864, 8.9), (2_359_296, 8.9), (37_748_736, 10.4)]),
    map_clear_ns: Curve(&[(2_304, 3.0), (2_359_296, 3.0), (37_748_736, 6.5)]),
    map_evacuate_ns: Curve(&[
        (27_648, 13.5),
        (442_368, 15.2),
        (3_538_944, 15.4),
        (28_311_552, 41.3),
        (56_623_104, 50.0),
        (113_246_208, 60.0),
        (226_492_416, 70.0),
    ]),

    mark_noscan_in_order_ns: 12.0,
    mark_noscan_scattered_ns: Curve(&[
        (4 * MIB, 12.0),
        (16 * MIB, 12.0),
        (64 * MIB, 14.5),
        (256 * MIB, 30.8),
    ]),
    mark_noscan_hashed_ns: Curve(&[
        (1_600 * KIB, 14.0),
        (6_400 * KIB, 15.6),
        (25 * MIB, 20.4),
        (100 * MIB, 28.5),
        (407 * MIB, 69.3),
    ]),
    mark_scan_in_order_ns: 21.4,
    mark_scan_scattered_ns: Curve(&[
        (MIB, 22.0),
        (4 * MIB, 24.3),
        (16 * MIB, 33.0),
        (64 * MIB, 58.7),
        (256 * MIB, 122.8),
    ]),
    mark_chained_in_order_cached_ns: Curve(&[
        (16, 21.0),
        (64, 22.6),
        (128, 24.5),
        (256, 32.0),
        (1_024, 50.0),
    ]),
    mark_chained_in_order_ns: Curve(&[
        (16, 22.1),
        (32, 22.6),
        (64, 25.0),
        (128, 37.7),
        (256, 103.0),
        (1_024, 62.0),
    ]),
    mark_chained_scattered_ns: Curve(&[
        (256 * KIB, 25.0),
        (MIB, 33.3),
        (4 * MIB, 64.6),
        (16 * MIB, 188.0),
        (64 * MIB, 236.0),
        (256 * MIB, 404.0),
    ]),
    scan_word_ns: Curve(&[(64, 1.3), (256, 3.3), (8_192, 3.1), (128 * KIB, 2.25)]),
    marked_pointer_in_order_ns: 7.7,
    marked_pointer_scattered_ns: Curve(&[
        (MIB, 7.7),
        (4 * MIB, 8.3),
        (16 * MIB, 19.0),
        (64 * MIB, 34.5),
        (256 * MIB, 53.0),
    ]),
    mark_beside_mutator_factor: 1.12,

    cycle_fixed_one_proc_ns: 33_000.0,
    cycle_fixed_many_procs_ns: 90_000.0,
    sweep_termination_one_proc_ns: 2_300.0,
    sweep_termination_many_procs_ns: 25_000.0,
    mark_termination_one_proc_ns: 2_000.0,
    mark_termination_many_procs_ns: 20_000.0,
    read_mem_stats_one_proc_ns: 650.0,
    read_mem_stats_many_procs_ns: 13_000.0,

    sweep_full_span_ns: 84.0,
    sweep_partly_free_span_ns: 104.0,
    sweep_freed_span_ns: 268.0,
    forced_sweep_yield_one_proc_ns: 20.0,
    forced_sweep_yield_many_procs_ns: 250.0,

    go_start_ns: 215.0,
    go_start_fresh_ns: 2_260.0,
    gosched_ns: 87.0,
    thread_wake_ns: 18_000.0,
    sleep_overshoot_ns: 180_000.0,
    sleep_minimum_ns: 1_060_000.0,
};

/// Prices of Go 1.21 (1.21.13). What is not listed was equal to Go 1.23 within the spread, or (marking of heaps above
/// 16 MiB, sweeping, goroutines) was not measured apart on a quiet machine and is assumed equal.
pub const MEASURED_1_21: CostModel = CostModel {
    malloc_noscan_ns: 11.2,
    malloc_bitmap_extra_ns: 4.0,
    malloc_header_extra_ns: 0.0,
    malloc_tiny_ns: 8.4,
    // The heap bitmap lies in the arena's metadata, is cleared span by span, and faults on its own.
    refill_fresh_ns: 200.0,
    refill_fresh_page_ns: 195.0,
    large_fresh_ns: 757.0,
    large_fresh_page_ns: 88.0,
    large_bitmap_byte_ns: 0.045,
    gosched_ns: 54.7,
    ..MEASURED_1_23
};

impl CostModel {
    /// The prices of a Go release.
    pub fn of(version: GoVersion) -> CostModel {
        match version {
            GoVersion::Go1_21 => MEASURED_1_21,
            GoVersion::Go1_23 => MEASURED_1_23,
        }
    }

    /// `count` small objects of `elem_bytes` (size class, not request), without refills, zeroing and faults.
    /// Below 16 pointer-free bytes this is the tiny allocator's price for a request.
    pub fn malloc_ns(&self, elem_bytes: u64, kind: PointerMap, count: u64) -> f64 {
        let one_ns = match kind {
            PointerMap::Noscan if elem_bytes < 16 => self.malloc_tiny_ns,
            PointerMap::Noscan => self.malloc_noscan_ns,
            PointerMap::Bitmap => self.malloc_noscan_ns + self.malloc_bitmap_extra_ns,
            PointerMap::Header => self.malloc_noscan_ns + self.malloc_header_extra_ns,
        };
        one_ns * count as f64
    }

    /// One refill of a P's cache with a span of `span_pages` 8 KiB pages; `working_set_bytes` is the memory that
    /// allocation cycles through between two visits to the same span.
    pub fn refill_ns(&self, source: SpanSource, span_pages: u64, working_set_bytes: u64) -> f64 {
        match source {
            SpanSource::Fresh => self.refill_fresh_ns + self.refill_fresh_page_ns * span_pages as f64,
            SpanSource::Recycled => {
                self.refill_recycled_ns.at(working_set_bytes)
                    + self.refill_recycled_page_ns * span_pages as f64
            }
        }
    }

    /// Zeroing `bytes` of recycled memory in order.
    pub fn zero_ns(&self, bytes: u64, working_set_bytes: u64) -> f64 {
        bytes as f64 * self.zero_byte_ns.at(working_set_bytes)
    }

    /// Zeroing `bytes` in slots of `elem_bytes` between live neighbours: out of cache, small slots pay for the lines
    /// between them, slots of 2 KiB and more do not.
    pub fn zero_holes_ns(&self, bytes: u64, elem_bytes: u64, working_set_bytes: u64) -> f64 {
        let in_order = self.zero_byte_ns.at(working_set_bytes);
        let coldness = in_order / self.zero_byte_ns.at(u64::MAX);
        let hole_ns =
            if elem_bytes >= 2 * KIB { in_order } else { in_order.max(self.zero_hole_byte_ns * coldness) };
        bytes as f64 * hole_ns
    }

    /// First writes to `pages` physical pages of 4 KiB.
    pub fn fault_ns(&self, pages: u64) -> f64 {
        self.fault_page_ns * pages as f64
    }

    /// A large object of `bytes` (any number; pages of 8 KiB are counted), without zeroing and faults.
    pub fn large_alloc_ns(&self, source: SpanSource, kind: PointerMap, bytes: u64) -> f64 {
        let pages = bytes.div_ceil(PAGE_BYTES) as f64;
        let bitmap_ns = match kind {
            PointerMap::Bitmap => self.large_bitmap_byte_ns * bytes as f64,
            PointerMap::Noscan | PointerMap::Header => 0.0,
        };
        bitmap_ns
            + match source {
                SpanSource::Fresh => self.large_fresh_ns + self.large_fresh_page_ns * pages,
                SpanSource::Recycled => self.large_recycled_ns,
            }
    }

    /// `count` map operations on a map whose buckets take `working_set_bytes` (old and new together while it grows).
    pub fn operation_ns(&self, operation: Operation, count: u64, working_set_bytes: u64) -> f64 {
        let curve = match operation {
            Operation::MapInsert => self.map_insert_ns,
            Operation::MapUpdate => self.map_update_ns,
            Operation::MapLookupHit => self.map_lookup_hit_ns,
            Operation::MapLookupMiss => self.map_lookup_miss_ns,
            Operation::MapDelete => self.map_delete_ns,
            Operation::MapIterate => self.map_iterate_ns,
            Operation::MapClear => self.map_clear_ns,
            Operation::MapEvacuate => self.map_evacuate_ns,
        };
        curve.at(working_set_bytes) * count as f64
    }

    /// `count` inserts into buckets that hold `entries_per_bucket` on average. [`operation_ns`](Self::operation_ns) has no
    /// load and charges the mean of an insert into a presized map; a growing map lives at 3 to 6.5 entries a bucket.
    pub fn map_insert_ns(&self, count: u64, working_set_bytes: u64, entries_per_bucket: f64) -> f64 {
        let step = ((entries_per_bucket * 2.0) as usize).min(self.map_insert_load_cached.len() - 1);
        let share = if working_set_bytes <= CHAIN_CACHED_BYTES {
            self.map_insert_load_cached[step]
        } else {
            self.map_insert_load_uncached[step]
        };
        self.operation_ns(Operation::MapInsert, count, working_set_bytes) * share
    }

    /// Marking one object that was found independently of its neighbours, its first pointer word included.
    /// `heap_bytes` is the memory the marked objects are spread over.
    pub fn mark_independent_object_ns(&self, kind: PointerMap, locality: Locality, heap_bytes: u64) -> f64 {
        match (kind, locality) {
            (PointerMap::Noscan, Locality::InOrder) => self.mark_noscan_in_order_ns,
            (PointerMap::Noscan, Locality::Scattered) => self.mark_noscan_scattered_ns.at(heap_bytes),
            (PointerMap::Noscan, Locality::Hashed) => self.mark_noscan_hashed_ns.at(heap_bytes),
            (_, Locality::InOrder) => self.mark_scan_in_order_ns,
            (_, Locality::Scattered) => self.mark_scan_scattered_ns.at(heap_bytes),
            // Not measured apart: buckets add to a pointerful object what they add to a pointer-free one.
            (_, Locality::Hashed) => {
                self.mark_scan_scattered_ns.at(heap_bytes) + self.mark_noscan_hashed_ns.at(heap_bytes)
                    - self.mark_noscan_scattered_ns.at(heap_bytes)
            }
        }
    }

    /// Marking one object whose only pointer stood in the object scanned just before, its first pointer word included.
    pub fn mark_chained_object_ns(&self, locality: Locality, object_bytes: u64, heap_bytes: u64) -> f64 {
        match locality {
            Locality::InOrder => {
                let cached_ns = self.mark_chained_in_order_cached_ns.at(object_bytes);
                let uncached_ns = self.mark_chained_in_order_ns.at(object_bytes);
                let clamped = heap_bytes.clamp(CHAIN_CACHED_BYTES, CHAIN_UNCACHED_BYTES) as f64;
                let part = log2(clamped / CHAIN_CACHED_BYTES as f64)
                    / log2(CHAIN_UNCACHED_BYTES as f64 / CHAIN_CACHED_BYTES as f64);
                cached_ns + part * (uncached_ns - cached_ns)
            }
            Locality::Scattered | Locality::Hashed => {
                let in_order_ns = self.mark_chained_in_order_cached_ns.at(object_bytes);
                self.mark_chained_scattered_ns.at(heap_bytes).max(in_order_ns)
            }
        }
    }

    /// Looking at `nil_words` pointer words that are nil in an object of `object_bytes`. Words without pointers are
    /// jumped over and cost nothing measurable.
    pub fn scan_words_ns(&self, nil_words: u64, object_bytes: u64) -> f64 {
        nil_words as f64 * self.scan_word_ns.at(object_bytes)
    }

    /// Looking at one pointer to an object that is marked already.
    pub fn marked_pointer_ns(&self, locality: Locality, heap_bytes: u64) -> f64 {
        match locality {
            Locality::InOrder => self.marked_pointer_in_order_ns,
            Locality::Scattered | Locality::Hashed => self.marked_pointer_scattered_ns.at(heap_bytes),
        }
    }

    /// Sweeping one span.
    pub fn sweep_span_ns(&self, outcome: SweepOutcome) -> f64 {
        match outcome {
            SweepOutcome::Full => self.sweep_full_span_ns,
            SweepOutcome::PartlyFree => self.sweep_partly_free_span_ns,
            SweepOutcome::Freed => self.sweep_freed_span_ns,
        }
    }

    /// What each span costs in addition when `runtime.GC()` sweeps it.
    pub fn forced_sweep_yield_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.forced_sweep_yield_one_proc_ns, self.forced_sweep_yield_many_procs_ns)
    }

    /// The concurrent phase's price before the first heap object: roots, stacks, phase changes.
    pub fn cycle_fixed_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.cycle_fixed_one_proc_ns, self.cycle_fixed_many_procs_ns)
    }

    /// The first pause of a cycle (gctrace's `a`).
    pub fn sweep_termination_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.sweep_termination_one_proc_ns, self.sweep_termination_many_procs_ns)
    }

    /// The second pause of a cycle (gctrace's `c`).
    pub fn mark_termination_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.mark_termination_one_proc_ns, self.mark_termination_many_procs_ns)
    }

    /// A stop of the world for anything else: measured at `ReadMemStats`, whose reading is a small part of it.
    pub fn stop_the_world_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.read_mem_stats_one_proc_ns, self.read_mem_stats_many_procs_ns)
    }

    /// One `madvise(DONTNEED)` call over `resident_pages` physical pages of 4 KiB. Beyond 33 pages the kernel flushes the
    /// whole TLB instead of page after page: a call of 34 pages is cheaper than one of 33.
    pub fn madvise_ns(&self, resident_pages: u64) -> f64 {
        match resident_pages {
            0 => self.madvise_call_ns,
            1..=TLB_SINGLE_FLUSH_PAGES => {
                self.madvise_short_ns + self.madvise_short_page_ns * resident_pages as f64
            }
            _ => self.madvise_long_ns + self.madvise_long_page_ns * resident_pages as f64,
        }
    }

    /// Real time that `time.Sleep` takes when asked for `asked_ns`.
    pub fn sleep_ns(&self, asked_ns: u64) -> f64 {
        (asked_ns as f64 + self.sleep_overshoot_ns).max(self.sleep_minimum_ns)
    }
}

/// Base-2 logarithm of a ratio of at least 1, by additions and multiplications only, so that every machine computes the
/// same bits (a platform's own `ln` may differ in the last one). Exact to 1e-12.
fn log2(ratio: f64) -> f64 {
    let mut exponent = 0.0;
    let mut mantissa = ratio;
    while mantissa >= 2.0 {
        mantissa /= 2.0;
        exponent += 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is below 1/3, so 12 terms reach 1e-13.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum) = (s, 0.0);
    for term in 0..12 {
        sum += power / f64::from(2 * term + 1);
        power *= s * s;
    }
    exponent + 2.0 * sum / std::f64::consts::LN_2
}

/// Go's fast paths are for one P; with more, other threads must be stopped and woken. Only one and two were measured.
fn by_procs(procs: u64, one_ns: f64, many_ns: f64) -> f64 {
    if procs <= 1 { one_ns } else { many_ns }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_exact_enough() {
        for ratio in [1.0, 1.5, 2.0, 3.0, 1e3, 1e9, 1e15] {
            assert!((log2(ratio) - f64::log2(ratio)).abs() < 1e-11, "{ratio}");
        }
    }

    const MODELS: [(&str, CostModel); 2] = [("1.21.13", MEASURED_1_21), ("1.23.9", MEASURED_1_23)];

    /// The rows of one measured file for one Go version, without the three provenance columns.
    fn rows<'a>(text: &'a str, go_version: &'a str) -> impl Iterator<Item = Vec<&'a str>> {
        text.lines().filter_map(move |line| {
            let fields: Vec<&str> = line.split(',').collect();
            (fields[0] == go_version).then(|| fields[3..].to_vec())
        })
    }

    fn curves(model: &CostModel) -> Vec<(&'static str, Curve)> {
        vec![
            ("refill_recycled", model.refill_recycled_ns),
            ("zero_byte", model.zero_byte_ns),
            ("map_insert", model.map_insert_ns),
            ("map_update", model.map_update_ns),
            ("map_lookup_hit", model.map_lookup_hit_ns),
            ("map_lookup_miss", model.map_lookup_miss_ns),
            ("map_delete", model.map_delete_ns),
            ("map_iterate", model.map_iterate_ns),
            ("map_clear", model.map_clear_ns),
            ("map_evacuate", model.map_evacuate_ns),
            ("mark_noscan_scattered", model.mark_noscan_scattered_ns),
            ("mark_noscan_hashed", model.mark_noscan_hashed_ns),
            ("mark_scan_scattered", model.mark_scan_scattered_ns),
            ("mark_chained_scattered", model.mark_chained_scattered_ns),
            ("marked_pointer_scattered", model.marked_pointer_scattered_ns),
        ]
    }

    #[test]
    fn a_curve_goes_through_its_points_and_halves_between_them_in_logarithm() {
        let curve = Curve(&[(KIB, 10.0), (4 * KIB, 30.0), (16 * KIB, 40.0)]);
        assert_eq!(curve.at(KIB), 10.0);
        assert_eq!(curve.at(4 * KIB), 30.0);
        assert_eq!(curve.at(16 * KIB), 40.0);
        // 2 KiB is the geometric mean of 1 and 4 KiB; 8 KiB that of 4 and 16.
        assert!((curve.at(2 * KIB) - 20.0).abs() < 1e-9);
        assert!((curve.at(8 * KIB) - 35.0).abs() < 1e-9);
    }

    #[test]
    fn outside_its_points_a_curve_is_flat() {
        let curve = Curve(&[(KIB, 10.0), (4 * KIB, 30.0)]);
        assert_eq!(curve.at(0), 10.0);
        assert_eq!(curve.at(u64::MAX), 30.0);
    }

    #[test]
    fn larger_working_sets_never_make_an_operation_cheaper() {
        for (version, model) in MODELS {
            for (name, curve) in curves(&model) {
                assert!(curve.0.is_sorted_by(|a, b| a.0 < b.0), "{version} {name}: sizes must ascend");
                assert!(curve.0.is_sorted_by(|a, b| a.1 <= b.1), "{version} {name}: prices must not fall");
                assert!(curve.0.iter().all(|(_, ns)| ns.is_finite() && *ns > 0.0), "{version} {name}");
            }
        }
    }

    #[test]
    fn madvise_is_cheaper_for_34_pages_than_for_33_and_rises_otherwise() {
        let m = MEASURED_1_23;
        assert!(m.madvise_ns(34) < m.madvise_ns(33));
        for pages in (0..33).chain(34..2000) {
            assert!(m.madvise_ns(pages) < m.madvise_ns(pages + 1), "{pages}");
        }
    }

    #[test]
    fn scattered_chains_cost_more_than_ordered_ones_and_chains_more_than_independent_objects() {
        let m = MEASURED_1_23;
        for heap_bytes in [MIB, 8 * MIB, 64 * MIB, 512 * MIB] {
            let ordered = m.mark_chained_object_ns(Locality::InOrder, 64, heap_bytes);
            let scattered = m.mark_chained_object_ns(Locality::Scattered, 64, heap_bytes);
            let independent =
                m.mark_independent_object_ns(PointerMap::Bitmap, Locality::Scattered, heap_bytes);
            assert!(ordered <= scattered && independent <= scattered, "{heap_bytes}");
        }
    }

    /// `malloc` prices one object of the measured situations; objects a span as in `sizeclasses.go`.
    fn predicted_malloc_ns(m: &CostModel, kind: PointerMap, situation: &str, bytes: u64) -> f64 {
        let cold = 64 * MIB;
        let cached = 512 * KIB;
        if bytes > 32_760 {
            return match situation {
                "fresh" => m.large_alloc_ns(SpanSource::Fresh, kind, bytes),
                "touched" => m.large_alloc_ns(SpanSource::Fresh, kind, bytes) + m.fault_ns(bytes / (4 * KIB)),
                "recycled" => m.large_alloc_ns(SpanSource::Recycled, kind, bytes) + m.zero_ns(bytes, cold),
                _ => m.large_alloc_ns(SpanSource::Recycled, kind, bytes) + m.zero_ns(bytes, cached),
            };
        }
        let span_pages = bytes.div_ceil(PAGE_BYTES).max(1);
        let objects = (span_pages * PAGE_BYTES / bytes) as f64;
        let one_ns = m.malloc_ns(bytes, kind, 1);
        match situation {
            "fresh" => one_ns + m.refill_ns(SpanSource::Fresh, span_pages, cold) / objects,
            "touched" => {
                let faults_ns = m.fault_ns(2 * span_pages) / objects;
                one_ns + m.refill_ns(SpanSource::Fresh, span_pages, cold) / objects + faults_ns
            }
            "recycled" => {
                let refill_ns = m.refill_ns(SpanSource::Recycled, span_pages, cold) / objects;
                one_ns + refill_ns + m.zero_ns(bytes, cold)
            }
            "cached" => {
                let refill_ns = m.refill_ns(SpanSource::Recycled, span_pages, cached) / objects;
                one_ns + refill_ns + m.zero_ns(bytes, cached)
            }
            "halfdead" => {
                let refill_ns = m.refill_ns(SpanSource::Recycled, span_pages, cold) / (objects / 2.0);
                one_ns + refill_ns + m.zero_holes_ns(bytes, bytes, cold)
            }
            other => panic!("unknown situation {other}"),
        }
    }

    #[test]
    fn allocation_prices_reproduce_the_measured_table() {
        let text = include_str!("../tests/golden/measured/malloc.csv");
        for (version, model) in MODELS {
            let mut checked = 0;
            let mut misses = Vec::new();
            for row in rows(text, version) {
                let [kind, situation, bytes, min_ns, _] = row[..] else { panic!("{row:?}") };
                let (bytes, min_ns) = (bytes.parse::<u64>().unwrap(), min_ns.parse::<f64>().unwrap());
                // 1 MiB "in cache" is 4 MiB and is not; scan kinds fault their bitmaps on fresh memory.
                if kind != "noscan" || bytes < 16 || (situation == "cached" && bytes == MIB) {
                    continue;
                }
                let predicted_ns = predicted_malloc_ns(&model, PointerMap::Noscan, situation, bytes);
                checked += 1;
                let ratio = predicted_ns / min_ns;
                if !(0.80..1.25).contains(&ratio) {
                    misses.push(format!("{situation} {bytes} B: {predicted_ns:.1} for {min_ns:.1}"));
                }
            }
            assert!(checked > 70, "{version}: only {checked} rows");
            // Mid sizes (1 and 2 KiB) prefetch badly; see the field docs.
            assert!(misses.len() * 20 <= checked, "{version}: {misses:#?}");
        }
    }

    #[test]
    fn the_steady_list_programs_mutator_is_predicted_within_ten_percent() {
        // tests/go/steady with the collector off and one P (Go 1.23.9), measured in ms.
        let m = MEASURED_1_23;
        let near = |predicted_ns: f64, measured_ms: f64| {
            let ratio = predicted_ns / 1e6 / measured_ms;
            assert!((0.90..1.10).contains(&ratio), "{} for {measured_ms}", predicted_ns / 1e6);
        };
        // 2^20 nodes of 64 B on fresh memory, 126 a span, every page written: 45.9 and 51.0 ms.
        let nodes = 1u64 << 20;
        let spans = nodes.div_ceil(126);
        let list_ns = m.malloc_ns(64, PointerMap::Bitmap, nodes)
            + spans as f64 * m.refill_ns(SpanSource::Fresh, 1, 64 * MIB)
            + m.fault_ns(2 * spans);
        near(list_ns, 45.9);
        // 2^22 objects of 256 B on fresh memory, 32 a span, every page written: 470 ms.
        let pieces = 1u64 << 22;
        let spans = pieces / 32;
        let fresh_ns = m.malloc_ns(256, PointerMap::Noscan, pieces)
            + spans as f64 * m.refill_ns(SpanSource::Fresh, 1, 1024 * MIB)
            + m.fault_ns(2 * spans);
        near(fresh_ns, 470.1);
        // The same on recycled memory: 198 ms.
        let recycled_ns = m.malloc_ns(256, PointerMap::Noscan, pieces)
            + spans as f64 * m.refill_ns(SpanSource::Recycled, 1, 1024 * MIB)
            + m.zero_ns(1024 * MIB, 1024 * MIB);
        near(recycled_ns, 198.0);
    }

    #[test]
    fn a_million_entries_in_and_out_are_predicted_within_twelve_percent() {
        // tests/go/deletemillion inline, collector off, one P, Go 1.23.9: 2^18 buckets of 144 B, a sixteenth for overflow.
        let m = MEASURED_1_23;
        let bytes = 144u64 << 18;
        let pages = bytes.div_ceil(4 * KIB) * 17 / 16;
        let insert_ns = m.operation_ns(Operation::MapInsert, 1_000_000, bytes) + m.fault_ns(pages);
        let delete_ns = m.operation_ns(Operation::MapDelete, 1_000_000, bytes);
        // Quiet: 88.2 to 92.0 ms and 55.3 to 60.0 ms.
        assert!((0.88..1.12).contains(&(insert_ns / 88.2e6)), "insert {insert_ns}");
        assert!((0.88..1.12).contains(&(delete_ns / 55.3e6)), "delete {delete_ns}");
    }

    #[test]
    fn a_growing_map_pays_for_crowded_buckets_evacuation_and_new_pages() {
        // tests/go/deletemillion inline0: 190 to 195 ms for a million inserts into an empty map on fresh memory, which
        // the table underestimates by up to a fifth; on recycled memory (tests/go/maps insert-growing) it was 149 ms.
        let m = MEASURED_1_23;
        let (mut entries, mut buckets, mut total_ns) = (8u64, 1u64, 0.0);
        while entries < 1_000_000 {
            let moved = entries;
            buckets *= 2;
            let (old_bytes, new_bytes) = (72 * buckets, 144 * buckets);
            total_ns += m.operation_ns(Operation::MapEvacuate, moved, old_bytes + new_bytes);
            total_ns += m.fault_ns(new_bytes * 17 / 16 / (4 * KIB));
            let full = (buckets * 13 / 2).min(1_000_000);
            let batch = (buckets / 4).max(1);
            while entries < full {
                let load = entries as f64 / buckets as f64;
                total_ns += m.map_insert_ns(batch.min(full - entries), new_bytes, load);
                entries = (entries + batch).min(full);
            }
        }
        assert!((0.78..1.10).contains(&(total_ns / 190.2e6)), "{total_ns}");
    }

    #[test]
    fn marking_prices_reproduce_the_measured_shapes() {
        let text = include_str!("../tests/golden/measured/mark.csv");
        let m = MEASURED_1_23;
        let mut checked = 0;
        for row in rows(text, "1.23.9") {
            let (shape, mib) = (row[1], row[3].parse::<u64>().unwrap());
            if row[2] != "64" || mib < 4 {
                continue;
            }
            let heap_bytes = mib * MIB;
            let predicted_ns = match shape {
                "list" | "listback" => m.mark_chained_object_ns(Locality::InOrder, 64, heap_bytes),
                "listshuffled" => m.mark_chained_object_ns(Locality::Scattered, 64, heap_bytes),
                "noscanslice" => {
                    m.mark_independent_object_ns(PointerMap::Noscan, Locality::InOrder, heap_bytes)
                }
                "noscanshuffled" => {
                    m.mark_independent_object_ns(PointerMap::Noscan, Locality::Scattered, heap_bytes)
                }
                "scanslice" => {
                    m.mark_independent_object_ns(PointerMap::Bitmap, Locality::InOrder, heap_bytes)
                }
                "scanshuffled" => {
                    m.mark_independent_object_ns(PointerMap::Bitmap, Locality::Scattered, heap_bytes)
                }
                _ => continue,
            };
            let ratio = predicted_ns / row[12].parse::<f64>().unwrap();
            assert!((0.85..1.18).contains(&ratio), "{row:?}: {predicted_ns:.1}");
            checked += 1;
        }
        assert!(checked >= 25, "only {checked} rows");
    }

    #[test]
    fn map_prices_reproduce_the_measured_table() {
        let text = include_str!("../tests/golden/measured/maps.csv");
        // Entries measured and the bytes of their bucket arrays: 144 B a bucket of map[int]int.
        let buckets = |entries: &str| match entries {
            "100" => 1 << 4,
            "1000" => 1 << 8,
            "10000" => 1 << 11,
            "100000" => 1 << 14,
            "1000000" => 1 << 18,
            "4000000" => 1 << 20,
            _ => 0,
        };
        for (version, model) in MODELS {
            let mut checked = 0;
            for row in rows(text, version) {
                // Rows of one million entries were measured again when nothing contended for the cache.
                let [values, order, operation, entries, min_ns, _] = row[..] else { panic!("{row:?}") };
                let quiet = order == "ascending-quiet-rerun";
                let operation = match operation {
                    "insert-resident" => Operation::MapInsert,
                    "update" => Operation::MapUpdate,
                    "lookup-hit" => Operation::MapLookupHit,
                    "lookup-miss" => Operation::MapLookupMiss,
                    "delete" => Operation::MapDelete,
                    _ => continue,
                };
                if values != "int"
                    || entries.len() < 5
                    || buckets(entries) == 0
                    || (entries == "1000000" && !quiet)
                {
                    continue;
                }
                let predicted_ns = model.operation_ns(operation, 1, 144 * buckets(entries));
                let ratio = predicted_ns / min_ns.parse::<f64>().unwrap();
                assert!((0.78..1.25).contains(&ratio), "{version} {row:?}: {predicted_ns:.1}");
                checked += 1;
            }
            assert!(checked >= 2 * 5 * 3, "{version}: both key orders, five operations, three sizes");
        }
    }
}
