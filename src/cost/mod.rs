//! What work costs in virtual nanoseconds: prices, and the formulas that use them.
//!
//! Real Go spends time where its caches, the kernel and the collector make it wait; a simulator has none of that and
//! needs a price list instead. Every price is **measured** on real Go, by the programs that `gclab calibrate` runs (rows
//! of the reference machine: `tests/golden/measured/`), and none is tuned to a scenario.
//!
//! The list itself is data: a [`CostProfile`] in TOML, one built in for each Go release (`profiles/`), others by
//! `gclab calibrate` and `gclab run --cost FILE`. `list` says what each price means, `model` has the formulas, `curve` the
//! prices that depend on a size.
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
//! 2. Marking: for every pointer that leads to a white object one of the prices of [`Marking`] (which include reading the
//!    pointer), for every other pointer word `scan_words_ns` (nil) or `marked_pointer_ns` (already marked).
//! 3. Keys: every draw one [`CostModel::draw_ns`], every text of a string key one [`CostModel::text_ns`], and for each map
//!    operation on string keys [`CostModel::string_key_ns`] beyond what the operation costs with ints.
//! 4. First writes: `fault_ns` for pages that are written one after the other, `scattered_fault_ns` where other work lies
//!    between.
//! 5. Sweeping: one `sweep_span_ns` a span; freed slots cost nothing of their own (they are bits).
//!
//! # Invariants
//!
//! Prices are finite and positive, linear in their count, and do not fall when the working set grows, except where
//! the measurement says so: [`CostModel::madvise_ns`] and the object size of [`CostModel::mark_chained_object_ns`].
//!
//! # Differences from Go
//!
//! Averages stand for distributions; host interference, frequency changes and huge pages do not exist. A profile is
//! one machine; the built-in ones say which. The same machine with busy neighbours was measured 2 to 5 times slower in
//! everything that misses its second-level cache.
//!
//! Sources: `runtime/malloc.go`, `runtime/mcache.go`, `runtime/mgcmark.go`, `runtime/mgcsweep.go`, `runtime/mem_linux.go`,
//! Go 1.21.13 and 1.23.9, for what is done; measurements for how long it takes.

mod curve;
mod list;
mod model;
mod profile;

pub use curve::{Curve, RecentPrice};
pub use list::{
    Allocation, CostModel, Cycle, Goroutines, Kernel, Keys, LOAD_STEPS, Maps, Marking, Sweeping, Sync,
};
pub use profile::{CostProfile, GROUPS, Provenance};

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

/// How a program draws a number at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// Uniformly, with replacement.
    Uniform,
    /// The next of a shuffle of so many numbers.
    Shuffled {
        /// How many numbers are shuffled.
        count: u64,
    },
    /// From a Zipf distribution.
    Zipf {
        /// How uneven.
        exponent: f64,
    },
}

/// How a program comes by the text of a string key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyText {
    /// A new string of so many bytes, whose allocation is paid for as that of any object.
    Made(u64),
    /// So many bytes in a buffer that every key is written into.
    Known(u64),
    /// A constant of the program.
    Constant,
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
