//! How much of an object the collector looks at.
//!
//! **Mechanism.** Scan work is counted in bytes: from the start of an object's slot to the end of its last pointer word.
//!
//! **Why.** The pacer weighs what is left to scan against what may still be allocated, so the count decides when a cycle
//! starts and how hard goroutines assist. Memory behind the last pointer is never read.
//!
//! **Since Go 1.22** the collector finds the pointers of an object above 512 B through its type, which an 8-byte header
//! names. It knows the type's size and the slot's, not how many values of the type were asked for: it takes the whole slot
//! for an array of the type, and what would be pointers in the waste at the end are looked at as well (they are nil).
//!
//! ```text
//! struct of 1016 B, pointer in front: slot 1024 = header 8 + 1016                  scanned up to byte   16
//! struct of 1024 B, pointer in front: slot 1152 = header 8 + 1024 + waste 120      scanned up to byte 1040
//! ```
//!
//! One pointer word more in the struct makes a cycle scan sixty times as many bytes, each object's second cache line among
//! them.
//!
//! **Differences from Go.** Types are known by size and pointer count: pointers are taken to stand at the front of a type
//! where only a part of it fits the waste.
//!
//! **Sources.** `runtime/mbitmap.go` `typePointers.next`, `runtime/mgcmark.go` `scanobject`, `runtime/malloc.go` `mallocgc`
//! (`scanSize`), Go 1.23.9; `/gc/scan/heap:bytes` of a map of 106,764 such structs agrees to the KiB.

use super::object::Layout;
use super::size_class::{MAX_BYTES_WITHOUT_HEADER, malloc_header_bytes};
use crate::version::GoVersion;

/// Bytes of a pointer word.
const WORD_BYTES: u64 = 8;

/// Scan work in bytes of one object of `layout` in a slot of `elem_bytes`, when it is marked.
pub fn scanned_bytes(version: GoVersion, layout: Layout, elem_bytes: u64) -> u64 {
    if layout.is_noscan() {
        return 0;
    }
    let header_bytes = malloc_header_bytes(version, layout);
    let waste_bytes = elem_bytes - header_bytes - layout.size_bytes;
    if !is_scanned_by_type(version, layout) || waste_bytes < WORD_BYTES {
        return header_bytes + layout.scan_bytes;
    }
    let last_value_bytes = layout.scan_bytes + layout.element_bytes - layout.size_bytes;
    let (whole, rest_bytes) = (waste_bytes / layout.element_bytes, waste_bytes % layout.element_bytes);
    let in_waste_bytes = match last_value_bytes.min(rest_bytes / WORD_BYTES * WORD_BYTES) {
        0 => (whole - 1) * layout.element_bytes + last_value_bytes,
        words_bytes => whole * layout.element_bytes + words_bytes,
    };
    header_bytes + layout.size_bytes + in_waste_bytes
}

/// What one object of `layout` in a slot of `elem_bytes` adds to the scannable heap when it is allocated: up to its last
/// pointer, or the whole slot where the collector goes by type.
pub fn scannable_bytes(version: GoVersion, layout: Layout, elem_bytes: u64) -> u64 {
    if layout.is_noscan() {
        0
    } else if is_scanned_by_type(version, layout) {
        elem_bytes
    } else {
        layout.scan_bytes
    }
}

fn is_scanned_by_type(version: GoVersion, layout: Layout) -> bool {
    version.has_malloc_header() && layout.size_bytes > MAX_BYTES_WITHOUT_HEADER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::size_class::charged_bytes;

    fn scanned(version: GoVersion, layout: Layout) -> u64 {
        scanned_bytes(version, layout, charged_bytes(version, layout))
    }

    #[test]
    fn waste_behind_a_large_struct_is_looked_at_since_1_22() {
        let (fits, wastes) = (Layout::scan(1016, 1, 8), Layout::scan(1024, 2, 16));
        assert_eq!(scanned(GoVersion::Go1_23, fits), 16);
        // A heap of 106,764 of these and the map that holds them: 114,199 KiB of scan work in Go 1.23.9.
        assert_eq!(scanned(GoVersion::Go1_23, wastes), 8 + 1024 + 16);
        assert_eq!(scanned(GoVersion::Go1_21, fits), 8);
        assert_eq!(scanned(GoVersion::Go1_21, wastes), 16);
    }

    #[test]
    fn small_objects_are_scanned_up_to_their_last_pointer() {
        assert_eq!(scanned(GoVersion::Go1_23, Layout::scan(500, 2, 16)), 16);
    }

    #[test]
    fn arrays_repeat_their_element_in_the_waste() {
        // 70 pointers take 560 B; the slot has 576, 8 of them header: one word more.
        let pointers = Layout::scan(560, 70, 560).of_elements(8);
        assert_eq!(scanned(GoVersion::Go1_23, pointers), 576);
        // Ten of 104 B: 1048 with the header, slot 1152: one whole value, whose only pointer ends at its byte 8.
        let structs = Layout::scan(1040, 10, 9 * 104 + 8).of_elements(104);
        assert_eq!(scanned(GoVersion::Go1_23, structs), 8 + 1040 + 8);
    }
}
