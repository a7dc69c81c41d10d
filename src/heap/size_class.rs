//! Size classes: the 67 slot sizes that small objects are rounded up to, and the rules built on them.
//!
//! **Mechanism.** An object of up to 32 KiB takes a slot of the smallest size class that holds it; a larger one takes
//! whole 8 KiB pages of its own.
//!
//! **Why.** Slots of one size can be handed out by bumping an index and reclaimed by flipping a bit; the price is the
//! rounding, at most 12.5 % for most classes. Every byte count that Go reports (`TotalAlloc`, `HeapAlloc`, the heap
//! profile) is a sum of slot sizes, never of requested sizes.
//!
//! **Terms.** *Size class* (`sizeclass`): 1 to 67, class 0 stands for large objects. *Span class* (`spanClass`): twice the
//! size class, plus one if the objects hold no pointers. *Malloc header*: since Go 1.22 an object with pointers above
//! 512 B starts with an 8-byte type pointer, inside its slot. *Usable size* (`roundupsize`): what a request could have
//! asked for without taking more memory; `append` and bucket arrays grow into it.
//!
//! **Steps** for a request of `n` bytes:
//!
//! 1. `h = 8` if the version has malloc headers, the object holds pointers and `n > 512`, else `h = 0`.
//! 2. `n` at most 32760 (32768 in 1.21): class = smallest with `elem_bytes >= n + h`. Charged `elem_bytes`, usable
//!    `elem_bytes - h`.
//! 3. Larger: charged = usable = `n` rounded up to 8192.
//!
//! **Invariants.** `size_class_of(l).elem_bytes() >= l.size_bytes + h`; classes are strictly increasing; a span of class
//! `c` holds at least one object.
//!
//! **Differences from Go.** The tiny allocator (several pointer-free objects under 16 B in one slot) is not here: it
//! belongs to the allocation path. A request of 0 bytes is charged like one of 1 byte; Go hands out a shared address.
//!
//! **Sources.** `runtime/sizeclasses.go`, `runtime/msize.go`, `runtime/mbitmap.go`, Go 1.21.13 and 1.23.9; `initSpan`, Go 1.27.3.

use super::object::Layout;
use crate::units::PAGE_BYTES;
use crate::version::GoVersion;

/// Size in bytes of the type pointer in front of larger objects with pointers (`mallocHeaderSize`, Go 1.23).
pub const MALLOC_HEADER_BYTES: u64 = 8;
/// Largest object in bytes whose pointer bitmap lies at the end of its span instead of behind a malloc header
/// (`minSizeForMallocHeader`, Go 1.23).
pub const MAX_BYTES_WITHOUT_HEADER: u64 = 512;
/// Bytes of marks, scanned bits, owner and span class at the end of a span with inline marks (`spanInlineMarkBits`, Go 1.27).
pub const INLINE_MARK_BYTES: u64 = 128;
/// Smallest slot in bytes whose spans have inline marks (`gcUsesSpanInlineMarkBits`, Go 1.27); the largest is
/// [`MAX_BYTES_WITHOUT_HEADER`].
const MIN_BYTES_WITH_INLINE_MARKS: u64 = 16;
/// Number of size classes, counting class 0 (`_NumSizeClasses`).
pub const SIZE_CLASS_COUNT: usize = 68;
/// Number of span classes (`numSpanClasses`).
pub const SPAN_CLASS_COUNT: usize = 2 * SIZE_CLASS_COUNT;

/// Slot size in bytes of each class (`class_to_size`).
const ELEM_BYTES: [u16; 68] = [
    0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384,
    416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072,
    3200, 3456, 4096, 4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880, 12288, 13568,
    14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768,
];

/// Pages of 8 KiB in a span of each class (`class_to_allocnpages`).
const SPAN_PAGES: [u8; 68] = [
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    2, 1, 2, 1, 2, 1, 3, 2, 3, 1, 3, 2, 3, 4, 5, 6, 1, 7, 6, 5, 4, 3, 5, 7, 2, 9, 7, 5, 8, 3, 10, 7, 4,
];

/// Width in bytes of a step of [`CLASS_OF_SMALL`] (`smallSizeDiv`) and the size up to which it answers (`smallSizeMax`).
const SMALL_STEP_BYTES: u64 = 8;
const SMALL_LIMIT_BYTES: u64 = 1024;
/// Width in bytes of a step of [`CLASS_OF_LARGER`] (`largeSizeDiv`) and the size up to which it answers.
const LARGER_STEP_BYTES: u64 = 128;
const LARGER_LIMIT_BYTES: u64 = 32768;

/// Class by size, in steps of 8 B: entry `i` serves sizes up to `8 * i`.
const CLASS_OF_SMALL: [u8; (SMALL_LIMIT_BYTES / SMALL_STEP_BYTES) as usize + 1] =
    class_table(0, SMALL_STEP_BYTES);
/// Class by size above 1024 B, in steps of 128 B: entry `i` serves sizes up to `1024 + 128 * i`.
const CLASS_OF_LARGER: [u8; ((LARGER_LIMIT_BYTES - SMALL_LIMIT_BYTES) / LARGER_STEP_BYTES) as usize + 1] =
    class_table(SMALL_LIMIT_BYTES, LARGER_STEP_BYTES);

/// The smallest class that holds `from_bytes + i * step_bytes`, for every `i < N`.
const fn class_table<const N: usize>(from_bytes: u64, step_bytes: u64) -> [u8; N] {
    let mut table = [0; N];
    let mut class = 1u8;
    let mut i = 0;
    while i < N {
        let size_bytes = from_bytes + i as u64 * step_bytes;
        while (ELEM_BYTES[class as usize] as u64) < size_bytes {
            class += 1;
        }
        table[i] = class;
        i += 1;
    }
    table
}

/// Whether the collector looks inside a span's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScanKind {
    /// Objects hold pointers and are scanned.
    Scan,
    /// Objects hold no pointers: they are marked and never looked into.
    Noscan,
}

impl ScanKind {
    /// The kind of an object with this layout.
    #[inline]
    pub const fn of(layout: Layout) -> ScanKind {
        if layout.is_noscan() { ScanKind::Noscan } else { ScanKind::Scan }
    }
}

/// A size class of small objects, 1 to 67.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SizeClass(u8);

impl SizeClass {
    /// Every size class, smallest slots first.
    pub fn all() -> impl Iterator<Item = SizeClass> {
        (1..SIZE_CLASS_COUNT as u8).map(SizeClass)
    }

    /// Class number `index`, 1 to 67. Panics outside.
    pub const fn new(index: u8) -> SizeClass {
        assert!(index > 0 && (index as usize) < SIZE_CLASS_COUNT);
        SizeClass(index)
    }

    /// The smallest class whose slots hold `size_bytes`, headers already counted; `None` above 32768.
    #[inline]
    pub const fn fitting(size_bytes: u64) -> Option<SizeClass> {
        if size_bytes <= SMALL_LIMIT_BYTES {
            return Some(SizeClass(CLASS_OF_SMALL[size_bytes.div_ceil(SMALL_STEP_BYTES) as usize]));
        }
        if size_bytes <= LARGER_LIMIT_BYTES {
            let step = (size_bytes - SMALL_LIMIT_BYTES).div_ceil(LARGER_STEP_BYTES);
            return Some(SizeClass(CLASS_OF_LARGER[step as usize]));
        }
        None
    }

    /// The class number, 1 to 67.
    #[inline]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// Slot size in bytes.
    #[inline]
    pub const fn elem_bytes(self) -> u64 {
        ELEM_BYTES[self.0 as usize] as u64
    }

    /// Pages of 8 KiB in a span of this class.
    #[inline]
    pub const fn span_pages(self) -> u64 {
        SPAN_PAGES[self.0 as usize] as u64
    }

    /// Slots in a span of this class.
    ///
    /// Since Go 1.22 a span of objects with pointers of up to 512 B gives up 1/64 of its bytes to the pointer bitmap; with
    /// Green Tea one of slots from 16 to 512 B gives up [`INLINE_MARK_BYTES`] more.
    pub fn objects_per_span(self, version: GoVersion, kind: ScanKind) -> u32 {
        let reserved_bytes = self.pointer_bitmap_bytes(version, kind) + self.inline_mark_bytes(version);
        ((self.span_pages() * PAGE_BYTES - reserved_bytes) / self.elem_bytes()) as u32
    }

    /// Bytes of pointer bitmap at the end of a span of this class.
    pub fn pointer_bitmap_bytes(self, version: GoVersion, kind: ScanKind) -> u64 {
        let has_bitmap = version.has_malloc_header()
            && kind == ScanKind::Scan
            && self.elem_bytes() <= MAX_BYTES_WITHOUT_HEADER;
        if has_bitmap { self.span_pages() * PAGE_BYTES / 64 } else { 0 }
    }

    /// Bytes of mark bits at the very end of a span of this class: [`INLINE_MARK_BYTES`] or 0.
    pub fn inline_mark_bytes(self, version: GoVersion) -> u64 {
        let has_marks = version.has_inline_marks()
            && (MIN_BYTES_WITH_INLINE_MARKS..=MAX_BYTES_WITHOUT_HEADER).contains(&self.elem_bytes());
        if has_marks { INLINE_MARK_BYTES } else { 0 }
    }
}

/// A size class (0 = large) together with whether its objects hold pointers: what free lists are kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanClass(u8);

impl SpanClass {
    /// The span class of small objects of this size class and kind.
    #[inline]
    pub const fn small(class: SizeClass, kind: ScanKind) -> SpanClass {
        SpanClass(class.0 << 1 | kind as u8)
    }

    /// The span class of large objects of this kind.
    pub const fn large(kind: ScanKind) -> SpanClass {
        SpanClass(kind as u8)
    }

    /// `2 * class + noscan`, 0 to 135.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The size class, or `None` for large objects.
    #[inline]
    pub const fn size_class(self) -> Option<SizeClass> {
        if self.0 < 2 { None } else { Some(SizeClass(self.0 >> 1)) }
    }

    /// Whether objects of this class hold pointers.
    #[inline]
    pub const fn kind(self) -> ScanKind {
        if self.0 & 1 == 0 { ScanKind::Scan } else { ScanKind::Noscan }
    }
}

/// Bytes of malloc header that an object with this layout carries inside its slot: 8 or 0.
#[inline]
pub fn malloc_header_bytes(version: GoVersion, layout: Layout) -> u64 {
    let small = layout.size_bytes <= version.max_small_size_bytes();
    let carries = version.has_malloc_header()
        && small
        && !layout.is_noscan()
        && layout.size_bytes > MAX_BYTES_WITHOUT_HEADER;
    if carries { MALLOC_HEADER_BYTES } else { 0 }
}

/// The size class an object with this layout is allocated from; `None` means large: a span of its own.
#[inline]
pub fn size_class_of(version: GoVersion, layout: Layout) -> Option<SizeClass> {
    if layout.size_bytes > version.max_small_size_bytes() {
        return None;
    }
    SizeClass::fitting(layout.size_bytes + malloc_header_bytes(version, layout))
}

/// Bytes that allocating this layout adds to `TotalAlloc` and `HeapAlloc`: its slot, or its pages.
#[inline]
pub fn charged_bytes(version: GoVersion, layout: Layout) -> u64 {
    match size_class_of(version, layout) {
        Some(class) => class.elem_bytes(),
        None => layout.size_bytes.next_multiple_of(PAGE_BYTES),
    }
}

/// Bytes a request of this layout could have asked for at the same charge (`roundupsize`): slices and bucket arrays grow
/// into them.
#[inline]
pub fn usable_bytes(version: GoVersion, layout: Layout) -> u64 {
    charged_bytes(version, layout) - malloc_header_bytes(version, layout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(size_bytes: u64) -> Layout {
        Layout::scan(size_bytes, 1, 8)
    }

    #[test]
    fn a_class_is_the_smallest_that_fits() {
        for size_bytes in 1..=32768 {
            let class = SizeClass::fitting(size_bytes).unwrap();
            let slowly = SizeClass::all().find(|class| class.elem_bytes() >= size_bytes);
            assert_eq!(Some(class), slowly, "{size_bytes} B");
        }
        assert_eq!(SizeClass::fitting(32769), None);
    }

    /// Charged bytes that real Go 1.23.9 reported for these requests.
    #[test]
    fn requests_are_charged_as_go_charges_them() {
        let go = GoVersion::Go1_23;
        for (size_bytes, noscan, pointers) in [
            (48, 48, 48),
            (512, 512, 512),
            (520, 576, 576),
            (568, 576, 576),
            (576, 576, 640), // 576 + 8 B of header
            (1024, 1024, 1152),
            (1025, 1152, 1152),
            (28673, 32768, 32768),
            (32752, 32768, 32768),
            (32761, 32768, 32768), // large: 4 pages
            (32769, 40960, 40960),
            (100_000, 106_496, 106_496),
        ] {
            assert_eq!(charged_bytes(go, Layout::noscan(size_bytes)), noscan, "{size_bytes} B noscan");
            assert_eq!(charged_bytes(go, scan(size_bytes)), pointers, "{size_bytes} B scan");
        }
        assert_eq!(charged_bytes(GoVersion::Go1_21, scan(1024)), 1024, "1.21 has no header");
    }

    #[test]
    fn the_largest_small_object_differs_by_version() {
        let layout = Layout::noscan(32768);
        assert_eq!(size_class_of(GoVersion::Go1_21, layout), Some(SizeClass::new(67)));
        assert_eq!(size_class_of(GoVersion::Go1_23, layout), None);
        assert_eq!(size_class_of(GoVersion::Go1_23, Layout::noscan(32760)), Some(SizeClass::new(67)));
    }

    #[test]
    fn usable_size_leaves_room_for_the_header() {
        // 128 pointers are 1024 B; with the header they take the 1152 B class, of which 1144 B = 143 pointers are usable.
        assert_eq!(usable_bytes(GoVersion::Go1_23, scan(1024)), 1144);
        assert_eq!(usable_bytes(GoVersion::Go1_21, scan(1024)), 1024);
    }

    #[test]
    fn pointer_bitmaps_cost_slots_since_1_22() {
        let slots = |elem_bytes, version, kind| {
            SizeClass::fitting(elem_bytes).unwrap().objects_per_span(version, kind)
        };
        for (elem_bytes, noscan, with_bitmap) in
            [(8, 1024, 1008), (16, 512, 504), (48, 170, 168), (512, 16, 15), (576, 14, 14)]
        {
            assert_eq!(slots(elem_bytes, GoVersion::Go1_23, ScanKind::Noscan), noscan);
            assert_eq!(slots(elem_bytes, GoVersion::Go1_23, ScanKind::Scan), with_bitmap);
            assert_eq!(slots(elem_bytes, GoVersion::Go1_21, ScanKind::Scan), noscan);
        }
    }

    /// Slots of each size class up to 512 B that real Go 1.23.9 and 1.27.3 use: without and with pointers.
    #[test]
    fn inline_marks_cost_slots_since_1_27() {
        const SLOTS: [(u64, [u32; 2], [u32; 2]); 26] = [
            (8, [1024, 1008], [1024, 1008]),
            (16, [512, 504], [504, 496]),
            (24, [341, 336], [336, 330]),
            (32, [256, 252], [252, 248]),
            (48, [170, 168], [168, 165]),
            (64, [128, 126], [126, 124]),
            (80, [102, 100], [100, 99]),
            (96, [85, 84], [84, 82]),
            (112, [73, 72], [72, 70]),
            (128, [64, 63], [63, 62]),
            (144, [56, 56], [56, 55]),
            (160, [51, 50], [50, 49]),
            (176, [46, 45], [45, 45]),
            (192, [42, 42], [42, 41]),
            (208, [39, 38], [38, 38]),
            (224, [36, 36], [36, 35]),
            (240, [34, 33], [33, 33]),
            (256, [32, 31], [31, 31]),
            (288, [28, 28], [28, 27]),
            (320, [25, 25], [25, 24]),
            (352, [23, 22], [22, 22]),
            (384, [21, 21], [21, 20]),
            (416, [19, 19], [19, 19]),
            (448, [18, 18], [18, 17]),
            (480, [17, 16], [16, 16]),
            (512, [16, 15], [15, 15]),
        ];
        for (elem_bytes, of_1_23, of_1_27) in SLOTS {
            let class = SizeClass::fitting(elem_bytes).unwrap();
            let slots = |version| {
                [ScanKind::Noscan, ScanKind::Scan].map(|kind| class.objects_per_span(version, kind))
            };
            for version in [GoVersion::Go1_23, GoVersion::Go1_24, GoVersion::Go1_25] {
                assert_eq!(slots(version), of_1_23, "{elem_bytes} B, {version}");
            }
            assert_eq!(slots(GoVersion::Go1_27), of_1_27, "{elem_bytes} B");
        }
        let larger = SizeClass::all().filter(|class| class.elem_bytes() > 512);
        for class in larger {
            let slots = |version| class.objects_per_span(version, ScanKind::Scan);
            assert_eq!(slots(GoVersion::Go1_27), slots(GoVersion::Go1_21), "{} B", class.elem_bytes());
        }
    }

    #[test]
    fn span_classes_name_class_and_kind() {
        let class = SizeClass::new(5);
        for kind in [ScanKind::Scan, ScanKind::Noscan] {
            let span_class = SpanClass::small(class, kind);
            assert_eq!((span_class.size_class(), span_class.kind()), (Some(class), kind));
            assert_eq!(SpanClass::large(kind).size_class(), None);
        }
        assert_eq!(SpanClass::small(class, ScanKind::Noscan).index(), 11);
    }
}
