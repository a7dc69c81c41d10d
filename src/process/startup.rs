//! The process before `main`: what a Go program already has when its first statement runs.
//!
//! Measured, not derived: a program that reads its statistics first thing in `main` (`tests/go/startup`), most common
//! value of ten runs, linux/amd64. The objects are the runtime's own - Ps, Ms, Gs, module data, `os.Args` and
//! environment - and some of them are garbage by the first cycle.
//!
//! Since 1.24 it is a program of `gclab go` that was measured, with the spans of each class counted (`tests/go/startup/overlay`):
//! the most common value of fifteen runs, with one P and with two. What the first cycle adds to `Sys` with two Ps is chance in
//! Go 1.27: 64 KiB in seven runs, 320 KiB, which is what stands here, in others.

use super::startup_objects::{harness_objects, objects_with_one_proc};
use crate::version::GoVersion;

/// Objects of one kind that exist when `main` starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartupObjects {
    /// Size of each in bytes.
    pub size_bytes: u64,
    /// Whether they hold pointers.
    pub has_pointers: bool,
    /// How many stay reachable.
    pub live: u32,
    /// How many are garbage already.
    pub garbage: u32,
}

/// The state of a process when `main` starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startup {
    /// Heap objects.
    pub objects: Vec<StartupObjects>,
    /// Stack spans of 32 KiB.
    pub stack_spans: u32,
    /// Live span descriptors.
    pub mspans: u64,
    /// Live descriptors and those cached by Ps: MSpanInuse / descriptor size.
    pub mspans_in_use_with_caches: u64,
    /// MSpanSys in bytes.
    pub mspan_sys_bytes: u64,
    /// MCacheSys in bytes.
    pub mcache_sys_bytes: u64,
    /// BuckHashSys in bytes.
    pub buck_hash_sys_bytes: u64,
    /// GCSys in bytes.
    pub gc_sys_bytes: u64,
    /// What the first cycle adds to GCSys in bytes, beside 64 KiB of mark bits.
    pub first_cycle_gc_sys_bytes: u64,
    /// What the first cycle adds to OtherSys in bytes: a chunk of 256 KiB was opened, of which most goes to GCSys. `Sys` grows
    /// by 327,680 B in all with one P, in every release.
    pub first_cycle_other_sys_bytes: u64,
    /// OtherSys in bytes.
    pub other_sys_bytes: u64,
    /// RSS in bytes (VmRSS): median of the first rows of `tests/golden/delete-million` (1.23) and `tests/golden/spike`
    /// (1.21), programs that read their own status and print it. One that never prints has 0.2 to 0.4 MiB less.
    pub resident_bytes: u64,
    /// Resident bytes of the runtime's structures: what of RSS is neither binary nor heap pages. Known once the objects
    /// have been laid out.
    pub metadata_resident_bytes: u64,
    /// Resident bytes that the first cycle adds.
    pub first_cycle_resident_bytes: u64,
    /// Resident bytes of the binary (RssFile): 1020 KiB (1.21) and 1364 KiB (1.23) of a program that never prints, and
    /// most of what printing adds.
    pub binary_resident_bytes: u64,
    /// Data and bss sections in bytes: scanned as roots each cycle.
    pub globals_bytes: u64,
    /// Stack bytes scanned in a cycle of a program whose goroutines do nothing.
    pub stack_scan_bytes: u64,
}

impl Startup {
    /// Package-level variables of the runtime's own that refer to its live objects.
    pub fn global_count(&self) -> usize {
        self.objects.iter().map(|kind| kind.live as usize).sum()
    }

    /// What a program built with `version` and run with `procs` Ps starts with.
    pub fn of(version: GoVersion, procs: u32) -> Startup {
        let more_procs = procs.saturating_sub(1);
        let mut objects = objects_with_one_proc(version);
        objects.push(live(version.p_bytes(), more_procs));
        // Each further P brings thread descriptors: about 4 KiB of objects.
        objects.push(live(1792, more_procs.min(3) * 2));
        objects.extend(harness_objects(version));
        let unopened_chunk_bytes = if procs == 1 { PERSISTENT_CHUNK_BYTES } else { 0 };
        match version {
            GoVersion::Go1_21 => Startup {
                objects,
                stack_spans: 6 + procs.min(4) / 2 * 2,
                mspans: 44,
                mspans_in_use_with_caches: 144,
                mspan_sys_bytes: 32_592,
                mcache_sys_bytes: 15_600,
                buck_hash_sys_bytes: 3_198,
                gc_sys_bytes: 2_557_800,
                first_cycle_gc_sys_bytes: 123_360,
                first_cycle_other_sys_bytes: 138_784,
                other_sys_bytes: 379_882,
                resident_bytes: 2028 << 10,
                metadata_resident_bytes: 0,
                first_cycle_resident_bytes: 160 << 10,
                binary_resident_bytes: 1284 << 10,
                globals_bytes: 210_984,
                stack_scan_bytes: 2_552,
            },
            GoVersion::Go1_23 => Startup {
                objects,
                stack_spans: 7 + (procs.min(4) / 2),
                mspans: 46,
                mspans_in_use_with_caches: 146,
                mspan_sys_bytes: 32_640,
                mcache_sys_bytes: 15_600,
                buck_hash_sys_bytes: 2_361,
                gc_sys_bytes: 1_517_512,
                first_cycle_gc_sys_bytes: 160_368,
                first_cycle_other_sys_bytes: 101_776,
                other_sys_bytes: 618_143,
                resident_bytes: if procs == 1 { 2188 << 10 } else { 2280 << 10 },
                metadata_resident_bytes: 0,
                first_cycle_resident_bytes: 192 << 10,
                binary_resident_bytes: 1490 << 10,
                globals_bytes: 156_336,
                stack_scan_bytes: 2_552,
            },
            GoVersion::Go1_24 => Startup {
                mspans_in_use_with_caches: 141,
                mcache_sys_bytes: 15_704,
                buck_hash_sys_bytes: 2_455,
                gc_sys_bytes: 1_536_016,
                first_cycle_gc_sys_bytes: 166_536,
                first_cycle_other_sys_bytes: 95_608,
                other_sys_bytes: 599_441 - unopened_chunk_bytes,
                resident_bytes: if procs == 1 { 2236 << 10 } else { 2404 << 10 },
                binary_resident_bytes: 1596 << 10,
                globals_bytes: 156_930,
                ..Startup::with(objects, procs)
            },
            GoVersion::Go1_25 => Startup {
                mspans_in_use_with_caches: 141,
                mcache_sys_bytes: 15_704,
                buck_hash_sys_bytes: 1_442_681,
                gc_sys_bytes: 1_532_688,
                first_cycle_gc_sys_bytes: 219_648,
                first_cycle_other_sys_bytes: 42_496,
                other_sys_bytes: 603_559 - unopened_chunk_bytes,
                resident_bytes: if procs == 1 { 2400 << 10 } else { 2508 << 10 },
                binary_resident_bytes: 1640 << 10,
                globals_bytes: 158_586,
                ..Startup::with(objects, procs)
            },
            GoVersion::Go1_27 => Startup {
                mspans_in_use_with_caches: 144,
                mcache_sys_bytes: 16_072,
                buck_hash_sys_bytes: 1_442_660,
                gc_sys_bytes: 1_519_376,
                first_cycle_gc_sys_bytes: 169_472,
                first_cycle_other_sys_bytes: 92_672,
                other_sys_bytes: 616_524 - unopened_chunk_bytes,
                resident_bytes: if procs == 1 { 2404 << 10 } else { 2516 << 10 },
                binary_resident_bytes: 1704 << 10,
                globals_bytes: 160_330,
                ..Startup::with(objects, procs)
            },
        }
    }

    /// What Go 1.24, 1.25 and 1.27 have in common.
    fn with(objects: Vec<StartupObjects>, procs: u32) -> Startup {
        Startup {
            objects,
            stack_spans: 7 + (procs.min(4) / 2),
            mspans: 46,
            mspans_in_use_with_caches: 0,
            mspan_sys_bytes: 32_640,
            mcache_sys_bytes: 0,
            buck_hash_sys_bytes: 0,
            gc_sys_bytes: 0,
            first_cycle_gc_sys_bytes: 0,
            first_cycle_other_sys_bytes: 0,
            other_sys_bytes: 0,
            resident_bytes: 0,
            metadata_resident_bytes: 0,
            first_cycle_resident_bytes: 192 << 10,
            binary_resident_bytes: 0,
            globals_bytes: 0,
            stack_scan_bytes: 1_912,
        }
    }
}

/// Chunk in bytes of what the runtime allocates for ever (`persistentalloc`): with two Ps, two have opened one at the start.
const PERSISTENT_CHUNK_BYTES: u64 = 256 << 10;

fn live(size_bytes: u64, count: u32) -> StartupObjects {
    StartupObjects { size_bytes, has_pointers: true, live: count, garbage: 0 }
}
