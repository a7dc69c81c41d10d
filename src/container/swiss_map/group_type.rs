//! Groups: how `map[K]V` becomes eight slots behind a control word.
//!
//! **Formulas** (bytes; `k` and `e` are the stored key and elem: the type itself up to 128 B, else a pointer):
//!
//! - slot = a Go struct of key and elem: the elem at the next multiple of its alignment, the end padded to the larger
//!   alignment, one byte more before that if the elem has no size and the key has.
//! - group = `8 (control word) + 8 * slot`; 16 if the slot has no size.
//! - noscan: neither stored key nor stored elem holds a pointer.
//!
//! **Why it matters.** Keys and elems alternate, so a small elem behind a large key is padded eight times: a
//! `map[int]bool` takes 136 B a group, as much as a `map[int]int`; a bucket of Go 1.23 took 88.
//!
//! **Pointer slots of a group**, in memory order: those of key 0, elem 0, key 1, elem 1, ...
//!
//! **Sources.** `cmd/compile/internal/reflectdata/map_swiss.go` (`SwissMapGroupType`), `internal/runtime/maps/group.go`,
//! Go 1.25.5. The experiment `mapsplitgroup` of 1.27 is not modelled; it is off by default.

use crate::container::map_type::{MapType, Stored};
use crate::heap::object::Layout;

/// Slots of a group (`abi.SwissMapGroupSlots`).
pub const GROUP_SLOTS: u32 = 8;
/// Bytes of the control word at the start of a group: one control byte a slot.
pub const CONTROL_BYTES: u64 = 8;

/// The layout of a group of some map type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupType {
    slot_bytes: u64,
    group_bytes: u64,
    /// Offset of the end of the last pointer word of a group.
    scan_bytes: u64,
    key_pointers: u32,
    slot_pointers: u32,
}

impl GroupType {
    /// The groups of a `map[K]V`.
    pub const fn of(map_type: &MapType) -> GroupType {
        let (key, elem) = (map_type.stored_key(), map_type.stored_elem());
        let elem_offset_bytes = key.size_bytes.next_multiple_of(elem.align_bytes);
        let slot_bytes = slot_bytes(key, elem, elem_offset_bytes);
        let last_slot_bytes = CONTROL_BYTES + (GROUP_SLOTS as u64 - 1) * slot_bytes;
        GroupType {
            slot_bytes,
            group_bytes: if slot_bytes == 0 {
                // Go gives a struct one byte more when its last field has no size; then it is aligned.
                2 * CONTROL_BYTES
            } else {
                CONTROL_BYTES + GROUP_SLOTS as u64 * slot_bytes
            },
            scan_bytes: match (key.pointer_slots, elem.pointer_slots) {
                (0, 0) => 0,
                (_, 0) => last_slot_bytes + key.scan_bytes,
                _ => last_slot_bytes + elem_offset_bytes + elem.scan_bytes,
            },
            key_pointers: key.pointer_slots,
            slot_pointers: key.pointer_slots + elem.pointer_slots,
        }
    }

    /// Bytes of one group.
    pub const fn group_bytes(&self) -> u64 {
        self.group_bytes
    }

    /// Pointers in one slot, those of its key first.
    pub const fn slot_pointers(&self) -> u32 {
        self.slot_pointers
    }

    /// Pointers in one stored key.
    pub const fn key_pointers(&self) -> u32 {
        self.key_pointers
    }

    /// Whether groups hold no pointers, so that the collector never looks into them.
    pub const fn is_noscan(&self) -> bool {
        self.slot_pointers == 0
    }

    /// The layout of an array of groups.
    pub const fn groups_layout(&self, count: u32) -> Layout {
        let size_bytes = count as u64 * self.group_bytes;
        if self.is_noscan() {
            return Layout::noscan(size_bytes);
        }
        let scan_bytes = (count as u64 - 1) * self.group_bytes + self.scan_bytes;
        Layout::scan(size_bytes, count * GROUP_SLOTS * self.slot_pointers, scan_bytes)
            .of_elements(self.group_bytes)
    }

    /// The first pointer slot, counted in the array, of a slot of a group.
    #[inline]
    pub const fn pointer_slot(&self, group: u32, slot: u32) -> u32 {
        (group * GROUP_SLOTS + slot) * self.slot_pointers
    }

    /// Offset in bytes, in its group, of the end of a slot.
    #[inline]
    pub const fn slot_end_bytes(&self, slot: u32) -> u64 {
        CONTROL_BYTES + (slot as u64 + 1) * self.slot_bytes
    }
}

const fn slot_bytes(key: Stored, elem: Stored, elem_offset_bytes: u64) -> u64 {
    let align_bytes = if key.align_bytes > elem.align_bytes { key.align_bytes } else { elem.align_bytes };
    let padding = if elem.size_bytes == 0 && elem_offset_bytes > 0 { 1 } else { 0 };
    (elem_offset_bytes + elem.size_bytes + padding).next_multiple_of(align_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::map_type::TypeDesc;

    /// Sizes and pointer bytes that the compiler of Go 1.25.5 writes down.
    #[test]
    fn slots_are_padded_as_structs_are() {
        for (key, elem, group_bytes, scan_bytes) in [
            (TypeDesc::INT, TypeDesc::INT, 136, 0),
            (TypeDesc::INT, TypeDesc::BOOL, 136, 0),
            (TypeDesc::INT, TypeDesc::EMPTY_STRUCT, 136, 0),
            (TypeDesc::EMPTY_STRUCT, TypeDesc::EMPTY_STRUCT, 16, 0),
            (TypeDesc::INT32, TypeDesc::INT32, 72, 0),
            (TypeDesc::INT8, TypeDesc::INT8, 24, 0),
            (TypeDesc::STRING, TypeDesc::INT, 200, 184),
            (TypeDesc::STRING, TypeDesc::STRING, 264, 256),
            (TypeDesc::memory(200), TypeDesc::INT, 136, 128),
        ] {
            let group = GroupType::of(&MapType::new(key, elem));
            assert_eq!(
                (group.group_bytes(), group.scan_bytes),
                (group_bytes, scan_bytes),
                "{key:?} {elem:?}"
            );
        }
    }
}
