//! The process before `main`: what a Go program already has when its first statement runs.
//!
//! Measured, not derived: a program that reads its statistics first thing in `main` (`tests/go/startup`), most common
//! value of ten runs, linux/amd64. The objects are the runtime's own - Ps, Ms, Gs, module data, `os.Args` and
//! environment - and 14 of them are garbage by the first cycle.

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
    /// What the first cycle adds to GCSys in bytes.
    pub first_cycle_gc_sys_bytes: u64,
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

/// Bytes of a `p` structure, one heap object for each P after the first.
const P_BYTES: u64 = 8944;

impl Startup {
    /// Package-level variables of the runtime's own that refer to its live objects.
    pub fn global_count(&self) -> usize {
        self.objects.iter().map(|kind| kind.live as usize).sum()
    }

    /// What a program built with `version` and run with `procs` Ps starts with.
    pub fn of(version: GoVersion, procs: u32) -> Startup {
        let more_procs = procs.saturating_sub(1);
        let mut objects = base_objects(version);
        objects.push(live(P_BYTES, more_procs));
        // Each further P brings thread descriptors: about 4 KiB of objects.
        objects.push(live(1792, more_procs.min(3) * 2));
        objects.extend(harness_objects(version));
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
                first_cycle_gc_sys_bytes: 195_064,
                other_sys_bytes: 379_882,
                resident_bytes: 2028 << 10,
                metadata_resident_bytes: 0,
                first_cycle_resident_bytes: 160 << 10,
                binary_resident_bytes: 1284 << 10,
                globals_bytes: 210_984,
                stack_scan_bytes: 2_552,
            },
            _ => Startup {
                objects,
                stack_spans: 7 + (procs.min(4) / 2),
                mspans: 46,
                mspans_in_use_with_caches: 146,
                mspan_sys_bytes: 32_640,
                mcache_sys_bytes: 15_600,
                buck_hash_sys_bytes: 2_361,
                gc_sys_bytes: 1_517_512,
                first_cycle_gc_sys_bytes: 201_232,
                other_sys_bytes: 618_143,
                resident_bytes: if procs == 1 { 2188 << 10 } else { 2280 << 10 },
                metadata_resident_bytes: 0,
                first_cycle_resident_bytes: 192 << 10,
                binary_resident_bytes: 1490 << 10,
                globals_bytes: 156_336,
                stack_scan_bytes: 2_552,
            },
        }
    }
}

fn live(size_bytes: u64, count: u32) -> StartupObjects {
    StartupObjects { size_bytes, has_pointers: true, live: count, garbage: 0 }
}

/// What a program adds that opens a file and imports `fmt` and `runtime/metrics`, as those of `gclab go` do: HeapAlloc and
/// HeapObjects at the start of such a program less those of [`base_objects`], 7 KB in 38 objects and 17.5 KB in 54.
/// How large each is was not measured.
fn harness_objects(version: GoVersion) -> Vec<StartupObjects> {
    match version {
        GoVersion::Go1_21 => vec![live(64, 36), live(2304, 2)],
        _ => vec![live(128, 40), live(512, 12), live(3072, 2)],
    }
}

/// Objects with one P. 1.23: 35.5 KB in 206 objects; 1.21: 21.4 KB in 86 objects.
fn base_objects(version: GoVersion) -> Vec<StartupObjects> {
    let kind =
        |size_bytes, has_pointers, live, garbage| StartupObjects { size_bytes, has_pointers, live, garbage };
    match version {
        GoVersion::Go1_21 => vec![
            kind(16, false, 14, 2),
            kind(16, true, 6, 0),
            kind(32, false, 8, 0),
            kind(32, true, 6, 1),
            kind(48, true, 8, 0),
            kind(64, true, 6, 1),
            kind(64, false, 4, 0),
            kind(96, true, 5, 1),
            kind(112, true, 3, 0),
            kind(128, true, 3, 0),
            kind(208, true, 2, 0),
            kind(256, false, 2, 0),
            kind(288, true, 1, 0),
            kind(416, true, 7, 0),
            kind(480, true, 1, 0),
            kind(512, true, 1, 0),
            kind(1024, true, 2, 0),
            kind(1280, false, 1, 0),
            kind(1792, true, 4, 0),
            kind(2048, true, 1, 0),
        ],
        _ => vec![
            kind(8, true, 12, 1),
            kind(16, false, 40, 4),
            kind(16, true, 14, 1),
            kind(24, false, 6, 1),
            kind(24, true, 4, 0),
            kind(32, false, 16, 2),
            kind(32, true, 12, 1),
            kind(48, true, 18, 1),
            kind(48, false, 4, 0),
            kind(64, true, 12, 1),
            kind(64, false, 8, 0),
            kind(80, true, 4, 0),
            kind(96, true, 8, 1),
            kind(112, true, 4, 0),
            kind(128, true, 6, 0),
            kind(144, true, 2, 0),
            kind(160, true, 2, 0),
            kind(208, true, 4, 0),
            kind(256, true, 2, 0),
            kind(288, true, 2, 0),
            kind(320, false, 1, 0),
            kind(384, true, 1, 0),
            kind(416, true, 0, 1),
            kind(448, true, 9, 0),
            kind(512, true, 2, 0),
            kind(688, true, 1, 0),
            kind(1016, true, 2, 0),
            kind(1272, true, 1, 1),
            kind(1784, true, 4, 0),
            kind(2040, true, 1, 0),
        ],
    }
}
