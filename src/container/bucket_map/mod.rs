//! The bucketed map: what `map[K]V` is in Go up to 1.23.
//!
//! **Mechanism.** A map is an array of `2^B` buckets of eight slots each; a hash chooses the bucket by its low bits and
//! is remembered in one byte per slot by its high bits; full buckets grow chains of overflow buckets, and when the array is
//! too full a larger one takes over, a few buckets at every write.
//!
//! **Why.** Eight entries side by side cost one cache miss, not eight, and no pointer per entry: a `map[int]int` of any
//! size is one large object that the collector never looks into. Moving entries at every write instead of all at once
//! keeps a single insert from taking milliseconds. The price is memory that outlives its use.
//!
//! # Why delete does not shrink a map
//!
//! Delete a million entries one by one and the live heap is what it was before, to the byte: 40,157,280 B for a
//! `map[int]int` in Go 1.23. The steps of [`delete`](BucketMap::delete) show it: the slot's tophash byte becomes *empty*, pointers in the
//! slot become nil, the count drops. There is no step that frees a bucket, because buckets are parts of one array object, and
//! none that makes a smaller array, because `B` only ever grows. Overflow buckets stay linked, too. What *can* go away:
//!
//! - memory behind pointers in keys and elems, and keys or elems above 128 B (they are stored behind a pointer);
//! - overflow buckets and an old array, with `clear(m)` - not with deletes;
//! - everything, when nothing refers to the map any more.
//!
//! # Terms
//!
//! | here | in Go | meaning |
//! |---|---|---|
//! | `count` | `count` | live entries, `len(m)` |
//! | `log2_bucket_count` | `B` | the array has `2^B` main buckets |
//! | `overflow_count` | `noverflow` | overflow buckets since the last growth began, sampled from B = 16 on |
//! | `seed` | `hash0` | makes hashes differ from map to map |
//! | `current` | `buckets` | the array inserts go to, nil until the first insert if B = 0 |
//! | `growth` | `oldbuckets`, `sameSizeGrow` | the array being evacuated, if any |
//! | `evacuated_below` | `nevacuate` | old buckets with a lower index are all evacuated |
//! | `extra` | `extra` (`mapextra`) | overflow slices and the next spare bucket |
//! | `iterators` | `iterator`, `oldIterator` | a range loop may be walking an array |
//!
//! # Steps
//!
//! 1. **make**: 48 B of `hmap`; with a hint above 8 also the array with spare overflow buckets, and 24 B of `mapextra`
//!    that knows where the spares are. Bucket sizes: [`MapType`].
//! 2. **insert** (`access.rs`): do your share of a growth; walk the chain; start a growth if the map is overloaded
//!    (`grow.rs`); else take the first empty slot, or an overflow bucket (`overflow.rs`).
//! 3. **evacuate** (`evacuate.rs`): split an old bucket in two by the next hash bit.
//! 4. **delete** (`access.rs`): empty the slot. **clear** (`clear.rs`): empty the array. **range** (`range.rs`): look, and
//!    leave a trace.
//!
//! Average load is at most 6.5 entries a bucket (6 in 1.21). With hashes that spread evenly a bucket's load is Poisson
//! distributed, so at 6.5 about 21 overflow buckets per 100 buckets exist, most of them spares.
//!
//! # Invariants
//!
//! - Every live key lies in exactly one slot, of the generation and chain its hash chooses.
//! - [`EMPTY_REST`](tophash::EMPTY_REST) means empty, and nothing behind it in the chain.
//! - A chain of the old generation is evacuated as a whole or not at all.
//! - Between two operations everything the map will use again is reachable from its `hmap`: keeping the `hmap` reachable
//!   is the caller's part. Inside an operation, what is not stored yet is a local.
//!
//! # Differences from Go
//!
//! Keys are 32-bit identities, values are not stored at all. Keys that differ from themselves (NaN) do not exist. Bucket
//! pointers in `mapextra` and in overflow words point to the object, not into it, and the sentinel in the last spare
//! bucket is only touched. A map in a stack frame must be pointer-free. `maps.Clone` is missing.
//!
//! # Sources
//!
//! `runtime/map.go`, `runtime/map_fast32.go`, `runtime/map_fast64.go`, `runtime/map_faststr.go`,
//! `internal/abi/map.go`, Go 1.21.13 and 1.23.9.

mod access;
mod bucket;
mod bulk;
mod clear;
mod evacuate;
mod geometry;
mod grow;
mod header;
mod ledger;
mod overflow;
mod range;
mod recall;
#[cfg(test)]
mod tests;
pub mod tophash;
mod xray;

pub use geometry::{BucketMemory, BucketView, Geometry};
pub use grow::GrowKind;

use bucket::{ArraySize, BucketArray};
use grow::{Growth, log2_bucket_count_for};
use header::{HMAP, Header, HeaderField};
use ledger::Ledger;
use overflow::MapExtra;
use range::IteratorFlags;
use recall::Recall;

use super::hash::Seed;
use super::map_type::MapType;
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

/// Hints whose buckets would not fit in the address space count as none (`maxAlloc` on linux/amd64).
const MAX_ALLOC_BYTES: u64 = 1 << 48;
/// The largest hint that gets by without an array; the first bucket of a map in a stack frame lies there, too.
const MAX_HINT_WITHOUT_ARRAY: u64 = 8;

/// A `map[K]V` of Go 1.21 to 1.23. See the [module](self) for how it works.
#[derive(Clone, Debug)]
pub struct BucketMap {
    map_type: MapType,
    header: Header,
    seed: Seed,
    count: u64,
    /// The largest count that does not overload the array; follows from `log2_bucket_count`.
    max_count: u64,
    overflow_count: u16,
    /// The overflow count at which the map grows sideways; follows from `log2_bucket_count`.
    max_overflow_count: u16,
    log2_bucket_count: u8,
    current: BucketArray,
    growth: Option<Growth>,
    evacuated_below: u32,
    iterators: IteratorFlags,
    extra: Option<MapExtra>,
    /// Entries moved and not yet accounted for.
    evacuated_entries: u64,
    recall: Recall,
    /// Keys whose slots are not filled yet.
    ledger: Option<Box<Ledger>>,
    /// Whether the keys in main buckets are written, or only recalled.
    keys_are_written: bool,
}

impl BucketMap {
    /// `make(map[K]V, hint)` for a map that escapes. A hint of 0 is no hint.
    ///
    /// The caller makes [`hmap`](Self::hmap) reachable before it allocates again.
    pub fn make<M: Mutator>(m: &mut M, map_type: MapType, hint: u64) -> BucketMap {
        let hmap = m.alloc(HMAP);
        m.push_local(hmap);
        m.touch(hmap, 0, HMAP.size_bytes);
        let mut map = BucketMap::empty(m, map_type, Header::Heap(hmap));
        map.presize(m, hint);
        m.pop_local();
        map
    }

    /// `make(map[K]V, hint)` for a map that does not escape: its header lies in the frame of the calling function, and so
    /// does its first bucket if the hint is at most 8. While the map lives, the function keeps
    /// [`frame_pointers`](Self::frame_pointers) reachable.
    ///
    /// Panics if the map's buckets hold pointers: a simulated frame has no pointer slots for a bucket.
    pub fn make_on_stack<M: Mutator>(m: &mut M, map_type: MapType, hint: u64) -> BucketMap {
        assert!(map_type.is_noscan(), "a map in a stack frame must have no pointers in its buckets");
        let mut map = BucketMap::empty(m, map_type, Header::Stack([ObjRef::NIL; 3]));
        if hint <= MAX_HINT_WITHOUT_ARRAY {
            map.current = BucketArray::new(ObjRef::NIL, ArraySize { main: 1, total: 1 });
        } else {
            map.presize(m, hint);
        }
        map
    }

    fn empty<M: Mutator>(m: &mut M, map_type: MapType, header: Header) -> BucketMap {
        let mut map = BucketMap {
            map_type,
            header,
            seed: Seed::of_32_bits(m.random()),
            count: 0,
            max_count: 0,
            overflow_count: 0,
            max_overflow_count: 0,
            log2_bucket_count: 0,
            current: BucketArray::default(),
            growth: None,
            evacuated_below: 0,
            iterators: IteratorFlags::default(),
            extra: None,
            evacuated_entries: 0,
            recall: Recall::default(),
            ledger: None,
            keys_are_written: false,
        };
        map.set_log2_bucket_count(m.version(), 0);
        map
    }

    fn presize<M: Mutator>(&mut self, m: &mut M, hint: u64) {
        let fits =
            hint.checked_mul(self.map_type.bucket_bytes()).is_some_and(|bytes| bytes <= MAX_ALLOC_BYTES);
        let log2_count = log2_bucket_count_for(m.version(), if fits { hint } else { 0 });
        self.set_log2_bucket_count(m.version(), log2_count);
        if log2_count > 0 {
            self.current = self.new_array(m, log2_count);
            self.set_header(m, HeaderField::Buckets, self.current.object);
            self.announce_spares(m);
        }
    }

    /// The one bucket of a map without hint comes with the first insert.
    #[cold]
    fn allocate_first_bucket<M: Mutator>(&mut self, m: &mut M) {
        self.current = self.new_array(m, 0);
        self.set_header(m, HeaderField::Buckets, self.current.object);
    }

    /// The `hmap` object: what a variable of map type points to. Nil if the map does not escape.
    pub fn hmap(&self) -> ObjRef {
        match self.header {
            Header::Heap(hmap) => hmap,
            Header::Stack(_) => ObjRef::NIL,
        }
    }

    /// What the header of a map that does not escape refers to from its stack frame; nil pointers otherwise.
    pub fn frame_pointers(&self) -> [ObjRef; 3] {
        match self.header {
            Header::Heap(_) => [ObjRef::NIL; 3],
            Header::Stack(pointers) => pointers,
        }
    }

    /// `len(m)`.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether `len(m) == 0`.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The type of the map.
    pub fn map_type(&self) -> &MapType {
        &self.map_type
    }
}
