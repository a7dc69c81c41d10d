//! The price list: every price with its unit and meaning, in groups that are the tables of a profile file.
//!
//! Ranges in the comments are what the reference machine gave in several hours (Intel Xeon, family 6, model 167, 2.6 GHz,
//! 2 MiB L2; KVM guest with 2 cores; Linux 6.18); the built-in profiles hold one calibration. How a price follows from
//! measured rows stands in `calibrate/derive`. Units are nanoseconds of one core, unless the name says otherwise.

use serde::{Deserialize, Serialize};

use super::curve::Curve;

/// Steps of half an entry a bucket, up to the load at which a map grows: 0.25, 0.75, ... 6.25.
pub const LOAD_STEPS: usize = 13;

/// All prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is described at its type")]
pub struct CostModel {
    pub allocation: Allocation,
    pub kernel: Kernel,
    pub maps: Maps,
    pub keys: Keys,
    pub marking: Marking,
    pub cycle: Cycle,
    pub sweeping: Sweeping,
    pub goroutines: Goroutines,
    pub sync: Sync,
}

/// What `mallocgc` and zeroing cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
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
    /// `runtime.SetFinalizer` of a function that captures nothing, an object of 64 B: 136 to 140 in all versions; also for
    /// `runtime.AddCleanup` and `weak.Make`, whose objects are paid for apart.
    pub set_finalizer_ns: f64,
    /// What a pointer store costs more while the write barrier is on, flushes included: 8.7 to 8.9.
    pub write_barrier_ns: f64,
}

/// What the kernel charges for pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// First write to a 4 KiB page of anonymous memory, zeroing by the kernel included: 1,402 to 1,413; after DONTNEED
    /// 1,346 to 1,375. Guest memory that the host has not backed yet costs 5,000 to 7,000: not modelled.
    pub fault_page_ns: f64,
    /// The same between other work, as when inserts meet a map's fresh buckets: the kernel's own code and data are out of
    /// the caches by then. Filling fresh buckets less filling them again, a page: 2,300 to 5,300.
    pub fault_scattered_page_ns: f64,
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
    /// What it costs more to take a mapping away (MADV_DONTNEED, a write to a page that has only been read) while another
    /// thread of the process runs: that thread's processor must forget it, and is interrupted to do so. In a virtual
    /// machine each interrupt leaves the guest: 16,300 to 16,900.
    pub shootdown_ns: f64,
    /// What the interrupted thread loses: 9,400 to 9,900.
    pub shootdown_received_ns: f64,
    /// First write to a page by a copy (nothing interrupts one) while a mark worker waits to scan the stack of the copying
    /// goroutine and signals its thread again and again: 21,200 to 25,200.
    pub fault_asked_to_stop_page_ns: f64,
    /// Share of copies over more than a moment that meet with that, when one follows the start of a cycle: 0.48 to 0.63.
    pub asked_to_stop_share: f64,
}

/// What map operations cost, by bytes of bucket array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maps {
    /// Insert into a presized map, mean of 0 to 4 entries a bucket. Key order made no difference (hashing). Spread 15 %
    /// out of cache (1e6 entries: 64 to 75), as for the other operations.
    pub insert_ns: Curve,
    /// Insert by entries a bucket (steps of a half: 0.25, 0.75, ... 6.25), as a share of `insert_ns`, bucket arrays up
    /// to 4 MiB. Chains and overflow buckets make the last inserts before growth dear (2^8 and 2^14 buckets).
    pub insert_load_cached: [f64; LOAD_STEPS],
    /// The same for bucket arrays of 16 MiB and more (2^17 and 2^18 buckets; overflow buckets are cache misses).
    pub insert_load_uncached: [f64; LOAD_STEPS],
    /// Assignment to a key that is present.
    pub update_ns: Curve,
    /// Lookup of a present key.
    pub lookup_hit_ns: Curve,
    /// Lookup of an absent key.
    pub lookup_miss_ns: Curve,
    /// Delete of a present key (`map[int]int`; pointer values cost 2 to 12 more).
    pub delete_ns: Curve,
    /// One entry of a range loop, at 4 to 6 entries a bucket.
    pub iterate_ns: Curve,
    /// One entry's share of `clear`, at 4 to 6 entries a bucket.
    pub clear_ns: Curve,
    /// One entry moved, by bytes of old and new bucket arrays together: a pass of updates that drags the evacuation,
    /// less the same pass when nothing grows. Out of cache 36 to 53 (28 MB), 45 to 60 (57 MB), 52 to 82, 57 to 87.
    pub evacuate_ns: Curve,
    /// What an insert or delete costs more in a map whose elems hold pointers: 0 to 3 in cache, 6 to 13 out of it.
    pub pointers_ns: Curve,
    /// What an insert or delete costs more when an allocation lies between it and the next, so that their cache misses do
    /// not overlap: nothing in cache, 10 to 20 (2.4 MB), 70 to 90 (40 MB).
    pub apart_ns: Curve,
}

/// What a program does to make keys and, when they are strings, to hash and compare them. The makers are the helpers of
/// the programs that `gclab go` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    /// A number drawn uniformly (splitmix64, reduced by a multiplication).
    pub random_ns: f64,
    /// A number of a shuffle (a Feistel network) that is in range at once.
    pub permute_ns: f64,
    /// Each further round of the walk until a number is in range: a branch that is hard to foresee.
    pub permute_retry_ns: f64,
    /// A number of a Zipf distribution: logarithms and powers.
    pub zipf_ns: f64,
    /// The same with exponent 1, where powers are logarithms.
    pub zipf_harmonic_ns: f64,
    /// Writing a key's text into a new string, by bytes of text; its allocation apart.
    pub text_ns: Curve,
    /// Writing a key's text into a buffer, to look it up, by bytes of text.
    pub known_text_ns: Curve,
    /// Finding a key's text in the program itself.
    pub constant_text_ns: f64,
    /// What hashing a string key costs more than hashing an int, its text cached: absent keys of `map[string]int` less
    /// those of `map[int]int`.
    pub string_hash_ns: f64,
    /// What comparing a string key with the one in the map costs more than comparing ints, by bytes of all texts in the
    /// map: next to nothing in cache, a miss beyond.
    pub string_compare_ns: Curve,
}

/// What one mark worker pays; prices of objects include reading the pointer to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marking {
    /// Independent pointer-free object in allocation order: 10.6 to 12.4 from 4 to 256 MiB.
    pub noscan_in_order_ns: f64,
    /// Independent pointer-free object, scattered, by heap size.
    pub noscan_scattered_ns: Curve,
    /// Independent pointer-free object found in map buckets: `map[int]*[64]byte` less the same map with nil values.
    pub noscan_hashed_ns: Curve,
    /// Independent object with one nil pointer, in allocation order, by object size: the prefetcher follows small strides.
    pub scan_in_order_ns: Curve,
    /// Independent object with one nil pointer, scattered, by heap size.
    pub scan_scattered_ns: Curve,
    /// Object of a list in allocation order, by object size, heap of at most 4 MiB (cached).
    pub chained_in_order_cached_ns: Curve,
    /// The same for heaps of 16 MiB and more. The prefetcher gives up near strides of 256 B. Spread at 1 KiB: 48 to 78.
    pub chained_in_order_ns: Curve,
    /// Object of a list linked in random order, by heap size; hardly depends on the object's size.
    pub chained_scattered_ns: Curve,
    /// What an object costs more whose last pointer lies in another cache line than its first, by heap size.
    pub distant_line_ns: Curve,
    /// A nil pointer word beyond an object's first, by object size. Arrays scan fastest; 8 words are unrolled by luck.
    pub scan_word_ns: Curve,
    /// A pointer to an object that is marked already, when few objects are pointed at: 7.3 to 7.8.
    pub marked_pointer_in_order_ns: f64,
    /// The same to random objects, by heap size: half the difference of random graphs of degree 4 and 2.
    pub marked_pointer_scattered_ns: Curve,
    /// What marking costs more, as a factor, while a mutator allocates at full speed on the other core: 28 against 25 ns
    /// an object of the steady list.
    pub beside_mutator_factor: f64,
    /// What marking costs more, as a factor of CPU time, while another worker marks on another core: the mark bits of
    /// neighbouring spans share cache lines, which go to and fro. Two workers were no faster than one here.
    pub two_workers_factor: f64,
}

/// What a cycle and a stopped world cost, whatever the heap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cycle {
    /// Concurrent phase of a cycle on an empty heap with one P: roots, stacks, the phase changes. 30 to 45 us.
    pub fixed_one_proc_ns: f64,
    /// The same with more Ps: sleeping threads must be woken. 80 to 360 us.
    pub fixed_many_procs_ns: f64,
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
}

/// What sweeping costs, a span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sweeping {
    /// A span in which everything lives: 80 to 90 (16 B objects 147).
    pub full_span_ns: f64,
    /// A span with some free slots: 102 to 107 (16 B objects 122).
    pub partly_free_span_ns: f64,
    /// A span that goes back to the page heap: 262 to 275, 302 at 1 MiB.
    pub freed_span_ns: f64,
    /// A finalizer of an object that nothing refers to any more: a root to mark, found by the sweep, queued and run. A forced
    /// cycle over 100,000 dead objects of 64 B with finalizers less the same without, an object, one P: 98 to 109.
    pub special_one_proc_ns: f64,
    /// The same with two Ps, which hand locks to and fro: 109 to 315, noisy.
    pub special_many_procs_ns: f64,
    /// What `runtime.GC()` adds to each span it sweeps by yielding, one P: 104 a span in all.
    pub forced_yield_one_proc_ns: f64,
    /// The same with two Ps that hand the work to and fro: 330 to 400 a span in all, and noisy.
    pub forced_yield_many_procs_ns: f64,
}

/// What goroutines and sleeping cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goroutines {
    /// Start, run and end of a goroutine whose g and stack are reused: 198 to 216 in batches, 330 with a channel switch.
    pub start_ns: f64,
    /// Start of a goroutine that needs a new g and a new 2 KiB stack, faults included: 2.3 to 2.6 us.
    pub start_fresh_ns: f64,
    /// Letting a goroutine that waits for a channel return and waiting for it: two switches, each with a send or a
    /// semaphore; ten thousand one after the other, 2 KiB stacks: 800 to 870 with one P and with two.
    pub return_ns: f64,
    /// A stack that grows: its frames are walked, copied and adjusted. Going from 2 to 8 KiB in 17 calls costs 4.1 us more
    /// than not going there, 2.1 of it faults.
    pub grow_stack_ns: f64,
    /// Scanning the stack of a goroutine that waits for a channel: a forced cycle over ten thousand, 880 to 930 each.
    pub scan_stack_ns: f64,
    /// What each further byte of stack costs, in frames of 288 B that are walked one by one: 17 frames more cost 1.8 to 1.9 us.
    pub scan_stack_byte_ns: f64,
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

/// What locks, `sync.Map` and `sync.Pool` cost. Prices of `sync.Map` are those of the release's own generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sync {
    /// `Lock` and `Unlock` of a `sync.Mutex` that nobody else wants: 14.0 to 14.3.
    pub mutex_ns: f64,
    /// The same of a `sync.RWMutex`: 23.9 to 24.5.
    pub rwmutex_write_ns: f64,
    /// `RLock` and `RUnlock` when nobody else wants the lock: 13.5 to 13.9.
    pub rwmutex_read_ns: f64,
    /// What an assignment to a map costs more inside `RWMutex.Lock`, by bytes of buckets. Atomic operations keep one
    /// operation's cache misses from overlapping with the next one's: out of cache it is twice what the lock costs alone.
    pub write_locked_ns: Curve,
    /// What a lookup costs more inside `RWMutex.RLock`, by bytes of buckets.
    pub read_locked_ns: Curve,
    /// What an assignment behind one lock costs more when a second goroutine wants the lock all the time: spinning, parking
    /// and the cache lines of lock, map and bucket that come from another core.
    pub write_handoff_ns: Curve,
    /// What an assignment behind one of 16 locks costs more beside a second goroutine that uses all of them: cache lines.
    pub write_shared_ns: Curve,
    /// What a lookup behind one `RLock` costs more beside a second reader: the count of readers is one cache line.
    pub read_contended_ns: Curve,
    /// The same with 16 locks.
    pub read_shared_ns: Curve,
    /// `sync.Map.Store` of a new key without what it allocates, growth included, by bytes of the whole map.
    pub store_ns: Curve,
    /// `Store` over an old value, without what it allocates.
    pub overwrite_ns: Curve,
    /// `Load` of a key that is there.
    pub load_hit_ns: Curve,
    /// `Load` of a key that is not.
    pub load_miss_ns: Curve,
    /// `Delete` of a key that is there.
    pub delete_ns: Curve,
    /// One key of a `Range`.
    pub range_ns: Curve,
    /// `Put` and `Get` of a `sync.Pool` by way of the P's private place.
    pub pool_private_ns: f64,
    /// `Put` and `Get` by way of the P's chain.
    pub pool_shared_ns: f64,
    /// A `Get` that finds nothing, without what `New` allocates.
    pub pool_new_ns: f64,
}
