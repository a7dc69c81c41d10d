//! What marking costs, for a heap of one size: the measured prices as a worker needs them.
//!
//! The price of finding an object is the price of its cache miss. Objects that an array leads to are found independently
//! of each other and their misses overlap; an object that only the object before it leads to is waited for. Neighbours in
//! memory come from the prefetcher; objects in no order do not; the buckets of a map add the words between.

use std::sync::Arc;

use crate::cost::{CostModel, CostProfile, Locality, PointerMap, RecentPrice};
use crate::units::{KIB, MIB};
use crate::version::GoVersion;

/// Size in bytes from which on an object is scanned like an array.
const ARRAY_BYTES: u64 = KIB;

/// Sizes differ by words.
const WORD_BYTES: u64 = 8;
/// Prices by size that are remembered at one time: linked objects of a few sizes take turns.
const RECENT_SIZES: usize = 32;

/// Prices in CPU nanoseconds, fixed when a cycle starts.
#[derive(Clone, Debug)]
pub struct MarkPrices {
    costs: Arc<CostModel>,
    heap_bytes: u64,
    factor: f64,
    /// Finding a white pointer-free object: next to the last one, anywhere, or through map buckets.
    noscan_ns: [f64; 3],
    /// Finding and scanning a white object with pointers, anywhere or through map buckets.
    scan_ns: [f64; 3],
    /// The same for neighbours.
    recent_scan: PricesBySize,
    distant_line_ns: f64,
    /// A pointer to an object already found, likewise.
    seen_ns: [f64; 3],
    nil_word_ns: f64,
    nil_array_word_ns: f64,
    stall_ns: [f64; 3],
    recent_chained: PricesBySize,
    /// Scanning the roots of a process that holds nothing: data, bss, stacks.
    pub roots_ns: f64,
}

/// Prices asked for lately, by size of object.
#[derive(Clone, Debug, Default)]
struct PricesBySize([RecentPrice; RECENT_SIZES]);

impl PricesBySize {
    #[inline]
    fn at(&self, object_bytes: u64, price_ns: impl FnOnce() -> f64) -> f64 {
        self.0[(object_bytes / WORD_BYTES) as usize % RECENT_SIZES].at(object_bytes, price_ns)
    }
}

impl Default for MarkPrices {
    fn default() -> Self {
        let costs = Arc::clone(&CostProfile::of(GoVersion::default()).model);
        MarkPrices::new(costs, MIB, Company::Alone)
    }
}

/// Whether a goroutine allocates on another core while marking runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// Marking has the caches to itself.
    Alone,
    /// A goroutine sweeps through them meanwhile.
    Goroutine,
}

const LOCALITIES: [Locality; 3] = [Locality::InOrder, Locality::Scattered, Locality::Hashed];

impl MarkPrices {
    /// Prices for objects spread over `heap_bytes`.
    pub fn new(costs: Arc<CostModel>, heap_bytes: u64, company: Company) -> MarkPrices {
        let factor = match company {
            Company::Alone => 1.0,
            Company::Goroutine => costs.marking.beside_mutator_factor,
        };
        let independent =
            |map, locality| factor * costs.mark_independent_object_ns(map, locality, 64, heap_bytes);
        MarkPrices {
            costs: Arc::clone(&costs),
            heap_bytes,
            factor,
            noscan_ns: LOCALITIES.map(|locality| independent(PointerMap::Noscan, locality)),
            scan_ns: LOCALITIES.map(|locality| independent(PointerMap::Bitmap, locality)),
            recent_scan: PricesBySize::default(),
            distant_line_ns: factor * costs.distant_line_ns(heap_bytes),
            seen_ns: LOCALITIES.map(|locality| factor * costs.marked_pointer_ns(locality, heap_bytes)),
            nil_word_ns: factor * costs.scan_words_ns(1, 64),
            nil_array_word_ns: factor * costs.scan_words_ns(1, 128 * KIB),
            stall_ns: LOCALITIES.map(|locality| {
                let chained_ns = factor * costs.mark_chained_object_ns(locality, 64, heap_bytes);
                (chained_ns - independent(PointerMap::Bitmap, locality)).max(0.0)
            }),
            recent_chained: PricesBySize::default(),
            roots_ns: costs.cycle_fixed_ns(1),
        }
    }

    /// Finding a white object without pointers.
    #[inline]
    pub fn noscan_ns(&self, locality: Locality) -> f64 {
        self.noscan_ns[locality as usize]
    }

    /// Finding a white object of `object_bytes` with pointers, and scanning its first word.
    #[inline]
    pub fn scan_ns(&self, locality: Locality, object_bytes: u64) -> f64 {
        match locality {
            Locality::InOrder => self.recent_scan.at(object_bytes, || {
                let map = PointerMap::Bitmap;
                self.factor
                    * self.costs.mark_independent_object_ns(map, locality, object_bytes, self.heap_bytes)
            }),
            Locality::Scattered | Locality::Hashed => self.scan_ns[locality as usize],
        }
    }

    /// What scanning an object costs more that has its last pointer far from its first.
    #[inline]
    pub fn distant_line_ns(&self) -> f64 {
        self.distant_line_ns
    }

    /// The factor of CPU time while two workers mark at the same time.
    pub fn two_workers_factor(&self) -> f64 {
        self.costs.marking.two_workers_factor
    }

    /// Following a pointer to an object that is not white.
    #[inline]
    pub fn seen_ns(&self, locality: Locality) -> f64 {
        self.seen_ns[locality as usize]
    }

    /// Looking at a nil word of an object of `object_bytes`.
    #[inline]
    pub fn nil_word_ns(&self, object_bytes: u64) -> f64 {
        if object_bytes < ARRAY_BYTES { self.nil_word_ns } else { self.nil_array_word_ns }
    }

    /// One object of a list whose nodes are neighbours.
    pub fn chained_in_order_ns(&self, object_bytes: u64) -> f64 {
        self.recent_chained.at(object_bytes, || {
            self.factor * self.costs.mark_chained_object_ns(Locality::InOrder, object_bytes, self.heap_bytes)
        })
    }

    /// What an object costs more when it is scanned right after the object that led to it.
    pub fn stall_ns(&self, locality: Locality) -> f64 {
        self.stall_ns[locality as usize]
    }
}
