//! The objects that a Go process has when `main` starts, with one P.
//!
//! Of Go 1.21 and 1.23 the bare runtime's were measured, and what the programs of `gclab go` add; since 1.24 the objects of such
//! a program: spans of each class and their objects at the first statement of `main`, and after one cycle (what is gone then was
//! garbage). Requests are as large as their slots.

use super::startup::StartupObjects;
use crate::version::GoVersion;

/// What a program of `version` has.
pub(super) fn objects_with_one_proc(version: GoVersion) -> Vec<StartupObjects> {
    match version {
        GoVersion::Go1_21 | GoVersion::Go1_23 => base_objects(version),
        GoVersion::Go1_24 => OBJECTS_1_24.to_vec(),
        GoVersion::Go1_25 => OBJECTS_1_25.to_vec(),
        GoVersion::Go1_27 => OBJECTS_1_27.to_vec(),
    }
}

const fn scan(size_bytes: u64, live: u32, garbage: u32) -> StartupObjects {
    StartupObjects { size_bytes, has_pointers: true, live, garbage }
}

const fn noscan(size_bytes: u64, live: u32, garbage: u32) -> StartupObjects {
    StartupObjects { size_bytes, has_pointers: false, live, garbage }
}

/// Go 1.24.11: 47272 B in 262 objects.
#[rustfmt::skip]
const OBJECTS_1_24: [StartupObjects; 25] = [
    scan(8, 9, 2),
    scan(16, 30, 3),
    noscan(16, 7, 1),
    scan(24, 25, 0),
    noscan(24, 1, 2),
    scan(32, 0, 3),
    scan(48, 54, 0),
    noscan(48, 14, 0),
    scan(64, 5, 0),
    noscan(64, 23, 0),
    scan(96, 6, 0),
    noscan(112, 2, 0),
    noscan(128, 28, 1),
    noscan(144, 9, 0),
    scan(160, 9, 0),
    scan(208, 3, 0),
    scan(224, 0, 1),
    scan(416, 0, 1),
    scan(448, 11, 0),
    scan(888, 0, 1),
    scan(1016, 1, 0),
    noscan(1152, 6, 0),
    scan(2040, 2, 0),
    scan(4856, 1, 0),
    scan(9464, 1, 0),
];

/// Go 1.25.5: 53672 B in 290 objects.
#[rustfmt::skip]
const OBJECTS_1_25: [StartupObjects; 26] = [
    scan(8, 7, 2),
    scan(16, 33, 3),
    noscan(16, 5, 1),
    scan(24, 32, 0),
    noscan(24, 1, 1),
    scan(32, 0, 4),
    scan(48, 64, 0),
    noscan(48, 15, 0),
    scan(64, 4, 0),
    noscan(64, 27, 0),
    scan(96, 6, 0),
    noscan(112, 2, 0),
    noscan(128, 33, 1),
    noscan(144, 9, 0),
    scan(160, 9, 0),
    scan(208, 3, 0),
    scan(224, 0, 1),
    scan(416, 0, 1),
    scan(448, 11, 0),
    scan(888, 0, 1),
    scan(1016, 1, 0),
    noscan(1152, 6, 2),
    scan(1784, 0, 1),
    scan(2040, 2, 0),
    scan(5368, 1, 0),
    scan(9720, 1, 0),
];

/// Go 1.27.3: 53152 B in 159 objects.
#[rustfmt::skip]
const OBJECTS_1_27: [StartupObjects; 24] = [
    scan(8, 8, 1),
    scan(16, 4, 3),
    noscan(16, 5, 1),
    scan(24, 3, 0),
    noscan(24, 1, 1),
    scan(32, 0, 1),
    scan(48, 6, 0),
    noscan(48, 13, 0),
    scan(64, 4, 0),
    noscan(64, 29, 0),
    scan(96, 5, 0),
    scan(112, 1, 0),
    noscan(112, 2, 0),
    noscan(128, 30, 1),
    noscan(144, 12, 0),
    scan(208, 3, 0),
    scan(256, 0, 1),
    scan(480, 10, 0),
    scan(512, 0, 1),
    scan(1144, 1, 0),
    noscan(1152, 6, 2),
    scan(2040, 2, 0),
    scan(6136, 1, 0),
    scan(16376, 1, 0),
];

/// What a program adds that opens a file and imports `fmt` and `runtime/metrics`, as those of `gclab go` do: HeapAlloc and
/// HeapObjects at the start of such a program less those of [`base_objects`], 7 KB in 38 objects and 17.5 KB in 54.
/// How large each is was not measured.
pub(super) fn harness_objects(version: GoVersion) -> Vec<StartupObjects> {
    match version {
        GoVersion::Go1_21 => vec![scan(64, 36, 0), scan(2304, 2, 0)],
        // Counted with the others since 1.24.
        GoVersion::Go1_24 | GoVersion::Go1_25 | GoVersion::Go1_27 => Vec::new(),
        GoVersion::Go1_23 => vec![scan(128, 40, 0), scan(512, 12, 0), scan(3072, 2, 0)],
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
