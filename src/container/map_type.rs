//! Map types: how `map[K]V` becomes a bucket layout.
//!
//! **Mechanism.** The compiler writes one descriptor per map type: how large a key and an elem are inside a bucket, how
//! large the bucket is, and whether it holds pointers.
//!
//! **Why.** These numbers decide what a map costs. A key or elem above 128 B is stored as a pointer to an object of its
//! own, so that buckets stay small; a bucket without any pointer in keys and elems is *noscan*, so that the collector
//! never has to walk a large `map[int]int`.
//!
//! **Formulas** (bytes; K and E are the sizes of key and elem):
//!
//! - stored key `k = K` if `K <= 128`, else 8 (indirect: pointer to a separate object); the same for `e`.
//! - bucket = `8 (tophash) + 8k + 8e + 8 (overflow word)`.
//! - noscan: neither stored key nor stored elem holds a pointer. The overflow word is then typed as an integer.
//!   Otherwise the whole bucket, up to and including its overflow word, is scanned.
//!
//! **Pointer slots of a bucket**, in memory order: those of keys 0 to 7, those of elems 0 to 7, the overflow word. A
//! noscan bucket has none.
//!
//! **Differences from Go.** Types are given by size and pointer count, not by field; alignment padding cannot occur
//! because eight keys (or elems) always fill whole words.
//!
//! **Sources.** `cmd/compile/internal/reflectdata/reflect.go` (`MapBucketType`), `cmd/compile/internal/walk/walk.go`
//! (`mapfast`), `internal/abi/map.go`, Go 1.23.9.

use crate::heap::object::Layout;

/// Slots of a bucket (`abi.MapBucketCount`).
pub const BUCKET_SLOTS: u32 = 8;
/// Largest key or elem in bytes that is stored inside a bucket (`abi.MapMaxKeyBytes`, `abi.MapMaxElemBytes`).
pub const MAX_INLINE_BYTES: u64 = 128;
/// Bytes of a pointer on amd64.
pub const POINTER_BYTES: u64 = 8;
/// Bytes of the tophash array at the start of a bucket.
pub const TOPHASH_BYTES: u64 = 8;

/// How values of a type are compared, as far as maps care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Equality {
    /// Plain memory: integers, bools, arrays and structs of them.
    Memory,
    /// A single pointer.
    Pointer,
    /// Strings: equal strings may lie at different addresses, so an update also replaces the stored key.
    String,
    /// Floats and interfaces: `x != x` is possible (NaN), and equal keys may differ in bits.
    Irreflexive,
}

/// A Go type as a map sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeDesc {
    /// `unsafe.Sizeof`, in bytes.
    pub size_bytes: u64,
    /// Pointers to heap objects in one value (an interface has one: its data word).
    pub pointer_slots: u32,
    /// Offset in bytes of the end of the last pointer word (`PtrBytes`); 0 without pointers.
    pub scan_bytes: u64,
    /// How two values are compared.
    pub equality: Equality,
}

impl TypeDesc {
    /// `int`, `int64`, `uint64`.
    pub const INT: TypeDesc = TypeDesc::memory(8);
    /// `int32`, `uint32`, `rune`.
    pub const INT32: TypeDesc = TypeDesc::memory(4);
    /// `int8`, `uint8`, `byte`.
    pub const INT8: TypeDesc = TypeDesc::memory(1);
    /// `bool`.
    pub const BOOL: TypeDesc = TypeDesc::memory(1);
    /// `struct{}`.
    pub const EMPTY_STRUCT: TypeDesc = TypeDesc::memory(0);
    /// `float64`.
    pub const FLOAT64: TypeDesc = TypeDesc { equality: Equality::Irreflexive, ..TypeDesc::memory(8) };
    /// `string`: data pointer and length.
    pub const STRING: TypeDesc = TypeDesc::with_pointers(16, 1, 8, Equality::String);
    /// `*T`.
    pub const POINTER: TypeDesc = TypeDesc::with_pointers(8, 1, 8, Equality::Pointer);
    /// `[]T`: data pointer, length, capacity.
    pub const SLICE: TypeDesc = TypeDesc::with_pointers(24, 1, 8, Equality::Memory);
    /// `any`: type word and data pointer. Both words are scanned, only the second can point into the heap.
    pub const ANY: TypeDesc = TypeDesc::with_pointers(16, 1, 16, Equality::Irreflexive);

    /// `[N]byte`, or any other type of `size_bytes` without pointers.
    pub const fn memory(size_bytes: u64) -> TypeDesc {
        TypeDesc { size_bytes, pointer_slots: 0, scan_bytes: 0, equality: Equality::Memory }
    }

    /// A type with pointers, the last of which ends at `scan_bytes`.
    pub const fn with_pointers(
        size_bytes: u64,
        pointer_slots: u32,
        scan_bytes: u64,
        equality: Equality,
    ) -> TypeDesc {
        assert!(pointer_slots > 0 && scan_bytes > 0 && scan_bytes <= size_bytes);
        TypeDesc { size_bytes, pointer_slots, scan_bytes, equality }
    }

    /// The layout of one value on the heap (`new(T)`).
    pub const fn layout(self) -> Layout {
        match self.pointer_slots {
            0 => Layout::noscan(self.size_bytes),
            slots => Layout::scan(self.size_bytes, slots, self.scan_bytes),
        }
    }

    const fn stored(self) -> Stored {
        if self.size_bytes > MAX_INLINE_BYTES {
            Stored { size_bytes: POINTER_BYTES, pointer_slots: 1, indirect: Some(self.layout()) }
        } else {
            Stored { size_bytes: self.size_bytes, pointer_slots: self.pointer_slots, indirect: None }
        }
    }
}

/// A key or an elem as it lies in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// Bytes in the bucket.
    pub size_bytes: u64,
    /// Pointers in the bucket.
    pub pointer_slots: u32,
    /// The separate object it is stored in, if it is larger than [`MAX_INLINE_BYTES`].
    pub indirect: Option<Layout>,
}

/// Which of the runtime's map implementations the compiler picks (`mapfast`). All of them allocate alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// `mapassign`: any key, hash function called through the type.
    Generic,
    /// `mapassign_fast32`.
    Fast32,
    /// `mapassign_fast64`.
    Fast64,
    /// `mapassign_fast64ptr`.
    Fast64Pointer,
    /// `mapassign_faststr`.
    FastString,
}

/// The descriptor of a map type (`abi.OldMapType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MapType {
    key: TypeDesc,
    elem: TypeDesc,
    stored_key: Stored,
    stored_elem: Stored,
    bucket_bytes: u64,
    bucket_slots: u32,
}

impl MapType {
    /// `map[key]elem`.
    pub const fn new(key: TypeDesc, elem: TypeDesc) -> MapType {
        let (stored_key, stored_elem) = (key.stored(), elem.stored());
        let entry_bytes = stored_key.size_bytes + stored_elem.size_bytes;
        let entry_pointers = stored_key.pointer_slots + stored_elem.pointer_slots;
        MapType {
            key,
            elem,
            stored_key,
            stored_elem,
            bucket_bytes: TOPHASH_BYTES + BUCKET_SLOTS as u64 * entry_bytes + POINTER_BYTES,
            bucket_slots: if entry_pointers == 0 { 0 } else { BUCKET_SLOTS * entry_pointers + 1 },
        }
    }

    /// The key type.
    pub const fn key(&self) -> TypeDesc {
        self.key
    }

    /// The elem type.
    pub const fn elem(&self) -> TypeDesc {
        self.elem
    }

    /// The key as it lies in a bucket.
    pub const fn stored_key(&self) -> Stored {
        self.stored_key
    }

    /// The elem as it lies in a bucket.
    pub const fn stored_elem(&self) -> Stored {
        self.stored_elem
    }

    /// Bytes of one bucket.
    pub const fn bucket_bytes(&self) -> u64 {
        self.bucket_bytes
    }

    /// Pointer slots of one bucket, its overflow word included; 0 if noscan.
    pub const fn bucket_pointer_slots(&self) -> u32 {
        self.bucket_slots
    }

    /// Whether buckets hold no pointers, so that the collector never looks into them.
    pub const fn is_noscan(&self) -> bool {
        self.bucket_slots == 0
    }

    /// The layout of `count` adjacent buckets.
    pub const fn buckets_layout(&self, count: u64) -> Layout {
        let size_bytes = count * self.bucket_bytes;
        if self.is_noscan() {
            Layout::noscan(size_bytes)
        } else {
            Layout::scan(size_bytes, count as u32 * self.bucket_slots, size_bytes)
                .of_elements(self.bucket_bytes)
        }
    }

    /// Offset in bytes of key `slot` in its bucket.
    pub const fn key_offset_bytes(&self, slot: u32) -> u64 {
        TOPHASH_BYTES + slot as u64 * self.stored_key.size_bytes
    }

    /// Offset in bytes of the end of elem `slot` in its bucket.
    pub const fn elem_end_bytes(&self, slot: u32) -> u64 {
        TOPHASH_BYTES
            + BUCKET_SLOTS as u64 * self.stored_key.size_bytes
            + (slot as u64 + 1) * self.stored_elem.size_bytes
    }

    /// First pointer slot, counted in the bucket, of key `slot`.
    pub const fn key_pointer_slot(&self, slot: u32) -> u32 {
        slot * self.stored_key.pointer_slots
    }

    /// First pointer slot, counted in the bucket, of elem `slot`.
    pub const fn elem_pointer_slot(&self, slot: u32) -> u32 {
        BUCKET_SLOTS * self.stored_key.pointer_slots + slot * self.stored_elem.pointer_slots
    }

    /// Pointer slot, counted in the bucket, of the overflow word of a bucket with pointers.
    pub const fn overflow_pointer_slot(&self) -> u32 {
        self.bucket_slots - 1
    }

    /// Whether an update of a present key also replaces the stored key (`NeedKeyUpdate`).
    pub fn replaces_key_on_update(&self) -> bool {
        matches!(self.key.equality, Equality::String | Equality::Irreflexive)
    }

    /// Whether every key equals itself. Only then does the compiler turn `for k := range m { delete(m, k) }` into
    /// `clear(m)`.
    pub fn has_reflexive_key(&self) -> bool {
        self.key.equality != Equality::Irreflexive
    }

    /// The implementation that the compiler picks for this type.
    pub fn variant(&self) -> Variant {
        if self.elem.size_bytes > MAX_INLINE_BYTES {
            return Variant::Generic;
        }
        match (self.key.equality, self.key.size_bytes) {
            (Equality::Memory, 4) => Variant::Fast32,
            (Equality::Memory, 8) => Variant::Fast64,
            (Equality::Pointer, 8) => Variant::Fast64Pointer,
            (Equality::String, _) => Variant::FastString,
            _ => Variant::Generic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_has_fast_paths_for_common_keys() {
        for (key, elem, variant) in [
            (TypeDesc::INT, TypeDesc::INT, Variant::Fast64),
            (TypeDesc::INT32, TypeDesc::STRING, Variant::Fast32),
            (TypeDesc::POINTER, TypeDesc::INT, Variant::Fast64Pointer),
            (TypeDesc::STRING, TypeDesc::ANY, Variant::FastString),
            (TypeDesc::FLOAT64, TypeDesc::INT, Variant::Generic),
            (TypeDesc::INT, TypeDesc::memory(129), Variant::Generic),
            (TypeDesc::INT, TypeDesc::memory(128), Variant::Fast64),
        ] {
            assert_eq!(MapType::new(key, elem).variant(), variant);
        }
    }

    #[test]
    fn slots_follow_memory_order() {
        // map[string]any: 8 string pointers, 8 data words, the overflow word.
        let map_type = MapType::new(TypeDesc::STRING, TypeDesc::ANY);
        assert_eq!(map_type.bucket_pointer_slots(), 17);
        assert_eq!(map_type.key_pointer_slot(7), 7);
        assert_eq!(map_type.elem_pointer_slot(0), 8);
        assert_eq!(map_type.overflow_pointer_slot(), 16);
        // 8 tophash + 8 * 16 key bytes + 8 * 16 elem bytes, then the overflow word.
        assert_eq!(map_type.elem_end_bytes(7), 264);
        assert_eq!(map_type.bucket_bytes(), 272);
    }

    #[test]
    fn a_large_value_is_one_pointer_in_the_bucket() {
        let map_type = MapType::new(TypeDesc::INT, TypeDesc::memory(129));
        assert_eq!(map_type.stored_elem().size_bytes, 8);
        assert_eq!(map_type.stored_elem().indirect, Some(Layout::noscan(129)));
        assert!(!map_type.is_noscan(), "the pointer makes the bucket scannable");
        assert!(MapType::new(TypeDesc::INT, TypeDesc::memory(128)).is_noscan());
    }
}
