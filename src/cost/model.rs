//! The formulas: what work costs, by the [price list](super::list).

use super::curve::Curve;
use super::list::{CostModel, LOAD_STEPS};
use super::{Draw, KeyText, Locality, PointerMap, SpanSource, SweepOutcome};
use crate::elementary::log2;
use crate::heap::mutator::Operation;
use crate::units::{KIB, MIB, PAGE_BYTES};

/// Pages up to which the kernel drops TLB entries one by one (Linux x86 `tlb_single_page_flush_ceiling`).
const TLB_SINGLE_FLUSH_PAGES: u64 = 33;

/// Heap size up to which chained marking runs out of cache, and from which it does not.
const CHAIN_CACHED_BYTES: u64 = 4 * MIB;
const CHAIN_UNCACHED_BYTES: u64 = 16 * MIB;

impl CostModel {
    /// `count` small objects of `elem_bytes` (size class, not request), without refills, zeroing and faults.
    /// Below 16 pointer-free bytes this is the tiny allocator's price for a request.
    pub fn malloc_ns(&self, elem_bytes: u64, kind: PointerMap, count: u64) -> f64 {
        let one_ns = match kind {
            PointerMap::Noscan if elem_bytes < 16 => self.allocation.malloc_tiny_ns,
            PointerMap::Noscan => self.allocation.malloc_noscan_ns,
            PointerMap::Bitmap => self.allocation.malloc_noscan_ns + self.allocation.malloc_bitmap_extra_ns,
            PointerMap::Header => self.allocation.malloc_noscan_ns + self.allocation.malloc_header_extra_ns,
        };
        one_ns * count as f64
    }

    /// One refill of a P's cache with a span of `span_pages` 8 KiB pages; `working_set_bytes` is the memory that
    /// allocation cycles through between two visits to the same span.
    pub fn refill_ns(&self, source: SpanSource, span_pages: u64, working_set_bytes: u64) -> f64 {
        match source {
            SpanSource::Fresh => {
                self.allocation.refill_fresh_ns + self.allocation.refill_fresh_page_ns * span_pages as f64
            }
            SpanSource::Recycled => {
                self.allocation.refill_recycled_ns.at(working_set_bytes)
                    + self.allocation.refill_recycled_page_ns * span_pages as f64
            }
        }
    }

    /// Zeroing `bytes` of recycled memory in order.
    pub fn zero_ns(&self, bytes: u64, working_set_bytes: u64) -> f64 {
        bytes as f64 * self.allocation.zero_byte_ns.at(working_set_bytes)
    }

    /// Zeroing `bytes` in slots of `elem_bytes` between live neighbours: out of cache, small slots pay for the lines
    /// between them, slots of 2 KiB and more do not.
    pub fn zero_holes_ns(&self, bytes: u64, elem_bytes: u64, working_set_bytes: u64) -> f64 {
        let in_order = self.allocation.zero_byte_ns.at(working_set_bytes);
        let coldness = in_order / self.allocation.zero_byte_ns.at(u64::MAX);
        let hole_ns = if elem_bytes >= 2 * KIB {
            in_order
        } else {
            in_order.max(self.allocation.zero_hole_byte_ns * coldness)
        };
        bytes as f64 * hole_ns
    }

    /// First writes to `pages` physical pages of 4 KiB.
    pub fn fault_ns(&self, pages: u64) -> f64 {
        self.kernel.fault_page_ns * pages as f64
    }

    /// First writes to `pages` neighbouring pages of 4 KiB in the midst of other work: the kernel's code and data must be
    /// fetched again for the first of them only.
    pub fn scattered_fault_ns(&self, pages: u64) -> f64 {
        match pages {
            0 => 0.0,
            _ => self.kernel.fault_scattered_page_ns + self.fault_ns(pages - 1),
        }
    }

    /// A large object of `bytes` (any number; pages of 8 KiB are counted), without zeroing and faults.
    pub fn large_alloc_ns(&self, source: SpanSource, kind: PointerMap, bytes: u64) -> f64 {
        let pages = bytes.div_ceil(PAGE_BYTES) as f64;
        let bitmap_ns = match kind {
            PointerMap::Bitmap => self.allocation.large_bitmap_byte_ns * bytes as f64,
            PointerMap::Noscan | PointerMap::Header => 0.0,
        };
        bitmap_ns
            + match source {
                SpanSource::Fresh => {
                    self.allocation.large_fresh_ns + self.allocation.large_fresh_page_ns * pages
                }
                SpanSource::Recycled => self.allocation.large_recycled_ns,
            }
    }

    /// `count` map operations on a map whose buckets take `working_set_bytes` (old and new together while it grows).
    pub fn operation_ns(&self, operation: Operation, count: u64, working_set_bytes: u64) -> f64 {
        let curve = match operation {
            Operation::MapInsert => &self.maps.insert_ns,
            Operation::MapUpdate => &self.maps.update_ns,
            Operation::MapLookupHit => &self.maps.lookup_hit_ns,
            Operation::MapLookupMiss => &self.maps.lookup_miss_ns,
            Operation::MapDelete => &self.maps.delete_ns,
            Operation::MapIterate => &self.maps.iterate_ns,
            Operation::MapClear => &self.maps.clear_ns,
            Operation::MapEvacuate => &self.maps.evacuate_ns,
            Operation::MapPointers => &self.maps.pointers_ns,
            Operation::MapApart => &self.maps.apart_ns,
        };
        curve.at(working_set_bytes) * count as f64
    }

    /// `count` inserts into buckets that hold `entries_per_bucket` on average. [`operation_ns`](Self::operation_ns) has no
    /// load and charges the mean of an insert into a presized map; a growing map lives at 3 to 6.5 entries a bucket.
    pub fn map_insert_ns(&self, count: u64, working_set_bytes: u64, entries_per_bucket: f64) -> f64 {
        let step = ((entries_per_bucket * 2.0) as usize).min(LOAD_STEPS - 1);
        let share = if working_set_bytes <= CHAIN_CACHED_BYTES {
            self.maps.insert_load_cached[step]
        } else {
            self.maps.insert_load_uncached[step]
        };
        self.operation_ns(Operation::MapInsert, count, working_set_bytes) * share
    }

    /// One number drawn at random. A shuffle enciphers over the next power of four and walks on until a number is in
    /// range: `domain / count - 1` times more than once.
    pub fn draw_ns(&self, draw: Draw) -> f64 {
        match draw {
            Draw::Uniform => self.keys.random_ns,
            Draw::Shuffled { count } => {
                self.keys.permute_ns + self.keys.permute_retry_ns * shuffle_retries(count)
            }
            Draw::Zipf { exponent } if (exponent - 1.0).abs() < HARMONIC => self.keys.zipf_harmonic_ns,
            Draw::Zipf { .. } => self.keys.zipf_ns,
        }
    }

    /// The text of one string key, its allocation apart.
    pub fn text_ns(&self, text: KeyText) -> f64 {
        match text {
            KeyText::Made(bytes) => by_length(&self.keys.text_ns, bytes),
            KeyText::Known(bytes) => by_length(&self.keys.known_text_ns, bytes),
            KeyText::Constant => self.keys.constant_text_ns,
        }
    }

    /// What one map operation costs more than [`operation_ns`](Self::operation_ns) when keys are strings, and the texts of
    /// all keys in the map take `texts_bytes`. Evacuation keeps no hashes: it reads each text again.
    pub fn string_key_ns(&self, operation: Operation, texts_bytes: u64) -> f64 {
        match operation {
            Operation::MapInsert | Operation::MapLookupMiss => self.keys.string_hash_ns,
            Operation::MapUpdate
            | Operation::MapLookupHit
            | Operation::MapDelete
            | Operation::MapEvacuate => {
                self.keys.string_hash_ns + self.keys.string_compare_ns.at(texts_bytes)
            }
            Operation::MapIterate | Operation::MapClear | Operation::MapPointers | Operation::MapApart => 0.0,
        }
    }

    /// Marking one object that was found independently of its neighbours, its first pointer word included.
    /// `heap_bytes` is the memory the marked objects are spread over.
    pub fn mark_independent_object_ns(
        &self,
        kind: PointerMap,
        locality: Locality,
        object_bytes: u64,
        heap_bytes: u64,
    ) -> f64 {
        match (kind, locality) {
            (PointerMap::Noscan, Locality::InOrder) => self.marking.noscan_in_order_ns,
            (PointerMap::Noscan, Locality::Scattered) => self.marking.noscan_scattered_ns.at(heap_bytes),
            (PointerMap::Noscan, Locality::Hashed) => self.marking.noscan_hashed_ns.at(heap_bytes),
            (_, Locality::InOrder) => self.marking.scan_in_order_ns.at(object_bytes),
            (_, Locality::Scattered) => self.marking.scan_scattered_ns.at(heap_bytes),
            // Not measured apart: buckets add to a pointerful object what they add to a pointer-free one.
            (_, Locality::Hashed) => {
                self.marking.scan_scattered_ns.at(heap_bytes) + self.marking.noscan_hashed_ns.at(heap_bytes)
                    - self.marking.noscan_scattered_ns.at(heap_bytes)
            }
        }
    }

    /// Marking one object whose only pointer stood in the object scanned just before, its first pointer word included.
    pub fn mark_chained_object_ns(&self, locality: Locality, object_bytes: u64, heap_bytes: u64) -> f64 {
        match locality {
            Locality::InOrder => {
                let cached_ns = self.marking.chained_in_order_cached_ns.at(object_bytes);
                let uncached_ns = self.marking.chained_in_order_ns.at(object_bytes);
                let clamped = heap_bytes.clamp(CHAIN_CACHED_BYTES, CHAIN_UNCACHED_BYTES) as f64;
                let part = log2(clamped / CHAIN_CACHED_BYTES as f64)
                    / log2(CHAIN_UNCACHED_BYTES as f64 / CHAIN_CACHED_BYTES as f64);
                cached_ns + part * (uncached_ns - cached_ns)
            }
            Locality::Scattered | Locality::Hashed => {
                let in_order_ns = self.marking.chained_in_order_cached_ns.at(object_bytes);
                self.marking.chained_scattered_ns.at(heap_bytes).max(in_order_ns)
            }
        }
    }

    /// Looking at `nil_words` pointer words that are nil in an object of `object_bytes`. Words without pointers are
    /// jumped over and cost nothing measurable.
    pub fn scan_words_ns(&self, nil_words: u64, object_bytes: u64) -> f64 {
        nil_words as f64 * self.marking.scan_word_ns.at(object_bytes)
    }

    /// What scanning an object costs more whose last pointer lies in another cache line than its first: nothing prefetches it.
    pub fn distant_line_ns(&self, heap_bytes: u64) -> f64 {
        self.marking.distant_line_ns.at(heap_bytes)
    }

    /// Looking at one pointer to an object that is marked already.
    pub fn marked_pointer_ns(&self, locality: Locality, heap_bytes: u64) -> f64 {
        match locality {
            Locality::InOrder => self.marking.marked_pointer_in_order_ns,
            Locality::Scattered | Locality::Hashed => self.marking.marked_pointer_scattered_ns.at(heap_bytes),
        }
    }

    /// Sweeping one span.
    pub fn sweep_span_ns(&self, outcome: SweepOutcome) -> f64 {
        match outcome {
            SweepOutcome::Full => self.sweeping.full_span_ns,
            SweepOutcome::PartlyFree => self.sweeping.partly_free_span_ns,
            SweepOutcome::Freed => self.sweeping.freed_span_ns,
        }
    }

    /// A finalizer of an object that nothing refers to any more, from its mark root until it has run.
    pub fn special_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.sweeping.special_one_proc_ns, self.sweeping.special_many_procs_ns)
    }

    /// What each span costs in addition when `runtime.GC()` sweeps it.
    pub fn forced_sweep_yield_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.sweeping.forced_yield_one_proc_ns, self.sweeping.forced_yield_many_procs_ns)
    }

    /// The concurrent phase's price before the first heap object: roots, stacks, phase changes.
    pub fn cycle_fixed_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.cycle.fixed_one_proc_ns, self.cycle.fixed_many_procs_ns)
    }

    /// The first pause of a cycle (gctrace's `a`).
    pub fn sweep_termination_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.cycle.sweep_termination_one_proc_ns, self.cycle.sweep_termination_many_procs_ns)
    }

    /// The second pause of a cycle (gctrace's `c`).
    pub fn mark_termination_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.cycle.mark_termination_one_proc_ns, self.cycle.mark_termination_many_procs_ns)
    }

    /// A stop of the world for anything else: measured at `ReadMemStats`, whose reading is a small part of it.
    pub fn stop_the_world_ns(&self, procs: u64) -> f64 {
        by_procs(procs, self.cycle.read_mem_stats_one_proc_ns, self.cycle.read_mem_stats_many_procs_ns)
    }

    /// One `madvise(DONTNEED)` call over `resident_pages` physical pages of 4 KiB. Beyond 33 pages the kernel flushes the
    /// whole TLB instead of page after page: a call of 34 pages is cheaper than one of 33.
    pub fn madvise_ns(&self, resident_pages: u64) -> f64 {
        match resident_pages {
            0 => self.kernel.madvise_call_ns,
            1..=TLB_SINGLE_FLUSH_PAGES => {
                self.kernel.madvise_short_ns + self.kernel.madvise_short_page_ns * resident_pages as f64
            }
            _ => self.kernel.madvise_long_ns + self.kernel.madvise_long_page_ns * resident_pages as f64,
        }
    }

    /// Real time that `time.Sleep` takes when asked for `asked_ns`.
    pub fn sleep_ns(&self, asked_ns: u64) -> f64 {
        (asked_ns as f64 + self.goroutines.sleep_overshoot_ns).max(self.goroutines.sleep_minimum_ns)
    }
}

/// How far an exponent may be from 1 for the helper to take logarithms for powers.
const HARMONIC: f64 = 1e-9;

/// How often a number of a shuffle of `count` is out of range, on average.
fn shuffle_retries(count: u64) -> f64 {
    let mut domain = 1.0;
    while domain < count as f64 {
        domain *= 4.0;
    }
    domain / count.max(1) as f64 - 1.0
}

/// Texts longer than measured cost in proportion: they are written byte by byte.
fn by_length(curve: &Curve, bytes: u64) -> f64 {
    let (longest_bytes, longest_ns) = curve.points()[curve.points().len() - 1];
    if bytes > longest_bytes { longest_ns * bytes as f64 / longest_bytes as f64 } else { curve.at(bytes) }
}

/// Go's fast paths are for one P; with more, other threads must be stopped and woken. Only one and two were measured.
fn by_procs(procs: u64, one_ns: f64, many_ns: f64) -> f64 {
    if procs <= 1 { one_ns } else { many_ns }
}
