//! What an object looks like from outside: a compact reference to it and the layout it was allocated with.

/// Index of a span in the heap's span table. Span 0 does not exist, so that the all-zero [`ObjRef`] is nil.
pub type SpanId = u32;

/// Bits of an [`ObjRef`] that hold the slot index: no span has more than 1024 slots (8-byte objects in 8 KiB).
const INDEX_BITS: u32 = 10;

/// A reference to a heap object: which span, which slot. Nil is all zeroes.
///
/// Differences from Go: Go's pointer is an address, from which the runtime finds the span by a table lookup and the slot
/// by a division. Nothing in the model can see the difference, and 32 bits hold it: 2^22 spans of up to 1024 slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjRef(u32);

impl ObjRef {
    /// The nil pointer.
    pub const NIL: ObjRef = ObjRef(0);
    /// One more than the largest span id that a reference can name.
    pub const SPAN_LIMIT: SpanId = 1 << (32 - INDEX_BITS);

    /// The object in slot `index` of span `span`.
    pub fn new(span: SpanId, index: u32) -> ObjRef {
        debug_assert!(span > 0 && span < Self::SPAN_LIMIT, "span {span} out of range");
        debug_assert!(index < 1 << INDEX_BITS, "slot {index} out of range");
        ObjRef(span << INDEX_BITS | index)
    }

    /// The span that holds the object.
    #[inline]
    pub fn span(self) -> SpanId {
        self.0 >> INDEX_BITS
    }

    /// The object's slot in its span.
    #[inline]
    pub fn index(self) -> u32 {
        self.0 & ((1 << INDEX_BITS) - 1)
    }

    /// Whether this is the nil pointer.
    #[inline]
    pub fn is_nil(self) -> bool {
        self == ObjRef::NIL
    }
}

/// What the allocator needs to know of a Go type (or array of it): its size and its pointers.
///
/// Invariant: `scan_bytes <= size_bytes`, and `scan_bytes == 0` exactly when `pointer_slots == 0`;
/// `element_bytes` divides `size_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Bytes asked for, before rounding to a size class.
    pub size_bytes: u64,
    /// How many pointer words the model stores for the object; slot numbers run from 0 to this.
    pub pointer_slots: u32,
    /// Offset in bytes of the end of the last pointer word: what the collector scans (Go's `ptrdata`, `PtrBytes`).
    pub scan_bytes: u64,
    /// Bytes of one value of the type; less than `size_bytes` for an array that `make` or `append` allocates.
    pub element_bytes: u64,
}

impl Layout {
    /// An object without pointers: the collector marks it and never looks inside.
    pub const fn noscan(size_bytes: u64) -> Layout {
        Layout { size_bytes, pointer_slots: 0, scan_bytes: 0, element_bytes: size_bytes }
    }

    /// An object with `pointer_slots` pointers, the last of which ends at `scan_bytes`.
    pub const fn scan(size_bytes: u64, pointer_slots: u32, scan_bytes: u64) -> Layout {
        assert!(pointer_slots > 0 && scan_bytes > 0 && scan_bytes <= size_bytes);
        Layout { size_bytes, pointer_slots, scan_bytes, element_bytes: size_bytes }
    }

    /// The same object as an array of values of `element_bytes`.
    pub const fn of_elements(self, element_bytes: u64) -> Layout {
        assert!(element_bytes > 0 && self.size_bytes.is_multiple_of(element_bytes));
        Layout { element_bytes, ..self }
    }

    /// Whether the object holds no pointers.
    pub const fn is_noscan(self) -> bool {
        self.pointer_slots == 0
    }
}
