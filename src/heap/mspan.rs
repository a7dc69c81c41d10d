//! A span: a run of pages that holds objects of one size class, or one large object.
//!
//! Everything the collector and the sweeper know of objects they know through their span: where the next free slot is,
//! which slots were marked, whether the span was swept since the last cycle (`runtime/mheap.go` `mspan`, Go 1.23.9).
//!
//! `sweep_generation` against the heap's generation `h` (which grows by 2 a cycle):
//!
//! | value | the span |
//! |---|---|
//! | h - 2 | needs sweeping |
//! | h - 1 | is being swept |
//! | h | is swept and may be used |
//! | h + 1 | was cached before this cycle's sweep began, is still cached and needs sweeping (*stale*) |
//! | h + 3 | was swept, then cached |
//!
//! Invariants: `free_index <= slot_count`; every slot below `free_index` is allocated; `alloc_count` is the number of
//! allocated slots; a span of class 0 has one slot.

use super::gc_bits::BitsRef;
use super::object::SpanId;
use super::page_accounting::SpanUse;
use super::pointers::{PointerWords, SpanShape};
use super::size_class::{ScanKind, SpanClass};

/// How many bytes the collector scans of each object of a span.
///
/// Differences from Go: Go reads the pointer bitmap or the object's type; here one number stands for a whole span, and
/// a span that holds several types keeps one number a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ScanBytes {
    /// No object was allocated yet, or none has pointers.
    #[default]
    None,
    /// The same for every object.
    Uniform(u64),
    /// One number a slot.
    Each(Box<[u32]>),
}

impl ScanBytes {
    /// Bytes scanned of the object in slot `index`.
    #[inline]
    pub fn get(&self, index: u32) -> u64 {
        match self {
            ScanBytes::None => 0,
            ScanBytes::Uniform(bytes) => *bytes,
            ScanBytes::Each(each) => u64::from(each[index as usize]),
        }
    }

    /// Notes that objects `start..end` have `bytes` to scan.
    #[inline]
    fn set_range(&mut self, slot_count: u32, start: u32, end: u32, bytes: u64) {
        if !matches!(self, ScanBytes::Uniform(uniform) if *uniform == bytes) {
            self.set_range_slowly(slot_count, start, end, bytes);
        }
    }

    #[cold]
    fn set_range_slowly(&mut self, slot_count: u32, start: u32, end: u32, bytes: u64) {
        match self {
            ScanBytes::None => *self = ScanBytes::Uniform(bytes),
            ScanBytes::Uniform(uniform) => {
                let each = vec![*uniform as u32; slot_count as usize];
                *self = ScanBytes::Each(each.into_boxed_slice());
                self.set_range(slot_count, start, end, bytes);
            }
            ScanBytes::Each(each) => each[start as usize..end as usize].fill(bytes as u32),
        }
    }
}

/// What the collector queues when it finds an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarkUnit {
    /// The object.
    #[default]
    Object,
    /// Its span, which has inline marks (Green Tea).
    Span,
}

/// One span.
#[derive(Debug)]
pub struct Mspan {
    /// Page number of its first page.
    pub base_page: u64,
    /// Pages.
    pub page_count: u64,
    /// Bytes at its end that hold the pointer bitmap and inline marks: written when the span is made.
    pub tail_bytes: u64,
    /// What the collector queues when it finds an object here.
    pub mark_unit: MarkUnit,
    /// Size class and scan kind.
    pub span_class: SpanClass,
    /// Use of the pages; `None` for a free descriptor.
    pub usage: Option<SpanUse>,
    /// Bytes of one slot; of the whole span for a large object.
    pub elem_bytes: u64,
    /// Slots (Go's `nelems`).
    pub slot_count: u32,
    /// No free slot lies below this one (Go's `freeindex`).
    pub free_index: u32,
    /// Allocated slots (Go's `allocCount`).
    pub alloc_count: u32,
    /// `alloc_count` when the span was cached: what statistics have not seen yet is counted from here.
    pub alloc_count_before_cache: u32,
    /// See the table in the module's text.
    pub sweep_generation: u32,
    /// Marks of the running or coming cycle.
    pub mark_bits: BitsRef,
    /// Slots allocated at the last sweep.
    pub alloc_bits: BitsRef,
    /// Whether slots must be cleared when allocated, because the memory was used before.
    pub needs_zeroing: bool,
    /// Whether an object of the span has a finalizer, a cleanup or a weak pointer.
    pub has_specials: bool,
    /// Most pointer slots of any object here.
    pub pointer_stride: u32,
    /// Bytes scanned of each object.
    pub scan_bytes: ScanBytes,
    /// The objects' pointers.
    pub pointers: PointerWords,
}

impl Mspan {
    /// A span over `page_count` pages at `base_page`, without slots yet.
    pub fn new(usage: SpanUse, base_page: u64, page_count: u64) -> Mspan {
        Mspan {
            base_page,
            page_count,
            tail_bytes: 0,
            mark_unit: MarkUnit::Object,
            span_class: SpanClass::large(ScanKind::Noscan),
            usage: Some(usage),
            elem_bytes: 0,
            slot_count: 0,
            free_index: 0,
            alloc_count: 0,
            alloc_count_before_cache: 0,
            sweep_generation: 0,
            mark_bits: BitsRef::ALL_CLEAR,
            alloc_bits: BitsRef::ALL_CLEAR,
            needs_zeroing: false,
            has_specials: false,
            pointer_stride: 0,
            scan_bytes: ScanBytes::None,
            pointers: PointerWords::Nil,
        }
    }

    /// A descriptor that stands for no span.
    pub fn dead() -> Mspan {
        Mspan { usage: None, ..Mspan::new(SpanUse::Heap, 0, 0) }
    }

    /// The descriptor stands for no span from here on; returns what the span was used for, `None` if it was dead before.
    pub fn die(&mut self) -> Option<SpanUse> {
        (self.scan_bytes, self.pointers, self.slot_count) = (ScanBytes::None, PointerWords::Nil, 0);
        (self.mark_bits, self.alloc_bits) = (BitsRef::ALL_CLEAR, BitsRef::ALL_CLEAR);
        self.usage.take()
    }

    /// Bytes of the span.
    pub fn bytes(&self) -> u64 {
        self.page_count * crate::units::PAGE_BYTES
    }

    /// Address of the span's first byte, as an offset into the heap.
    pub fn base_offset_bytes(&self) -> u64 {
        self.base_page * crate::units::PAGE_BYTES
    }

    /// Free slots.
    pub fn free_count(&self) -> u32 {
        self.slot_count - self.alloc_count
    }

    /// What a pointer store has to know of span number `id`, which is this one.
    #[inline]
    pub fn shape(&self, id: SpanId) -> SpanShape {
        SpanShape { span: id, slot_count: self.slot_count, stride: self.pointer_stride }
    }

    /// Notes the layout of objects just allocated in slots `start..end`.
    #[inline]
    pub fn note_layout(&mut self, start: u32, end: u32, pointer_slots: u32, scan_bytes: u64) {
        if self.span_class.kind() == ScanKind::Noscan {
            return;
        }
        self.pointer_stride = self.pointer_stride.max(pointer_slots);
        self.scan_bytes.set_range(self.slot_count, start, end, scan_bytes);
    }
}
