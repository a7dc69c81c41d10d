//! Every page of the heap at one moment: who uses it and whether there is memory behind it. For pictures and tests.
//!
//! The page bitmaps know which pages are allocated, free and scavenged; the spans know what for. A page that is allocated and in
//! no span lies in a P's page cache and is free, or is padding that is never used.
//!
//! Formulas: the bytes of each kind are those of the accounts ([`super::page_accounting`]), padding and scavenged pages together
//! being `released`.
//!
//! Differences from Go: Go has no such view; a debugger puts it together from the same tables.

use super::mheap::Heap;
use super::page_accounting::SpanUse;
use super::page_alloc::PageBits;
use super::size_class::ScanKind;
use crate::os::physical_pages_of_pages;

/// What a page is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// A part of a span of small objects.
    Small(ScanKind),
    /// A part of a large object.
    Large(ScanKind),
    /// A part of a span of stacks.
    Stack,
    /// A part of a span of work buffers.
    WorkBuffer,
    /// Free and kept.
    Free,
    /// Free and scavenged, or never used.
    Scavenged,
    /// Padding at the start of the heap.
    Padding,
}

impl Heap {
    /// The kind of every page, and how many of its two physical pages are resident; from the lowest address.
    pub fn page_states(&self) -> Vec<(PageKind, u64)> {
        let mut kinds: Vec<PageKind> = self.pages.bits().map(kind_of_bits).collect();
        for cache in &self.caches {
            for bit in (0..u64::from(u64::BITS)).filter(|bit| cache.pages.free >> bit & 1 == 1) {
                let scavenged = cache.pages.scavenged >> bit & 1 == 1;
                let kind = if scavenged { PageKind::Scavenged } else { PageKind::Free };
                kinds[(cache.pages.base_page + bit) as usize] = kind;
            }
        }
        for (_, span) in self.live_spans() {
            let scan = span.span_class.kind();
            let kind = match (span.usage, span.span_class.size_class()) {
                (Some(SpanUse::Stack), _) => PageKind::Stack,
                (Some(SpanUse::WorkBuffer), _) => PageKind::WorkBuffer,
                (_, Some(_)) => PageKind::Small(scan),
                (_, None) => PageKind::Large(scan),
            };
            kinds[span.base_page as usize..(span.base_page + span.page_count) as usize].fill(kind);
        }
        let resident = |page: u64| self.residency.resident_in(physical_pages_of_pages(page..page + 1));
        (0..).zip(kinds).map(|(page, kind)| (kind, resident(page))).collect()
    }
}

/// What the bitmaps say, until a cache or a span says more.
fn kind_of_bits(bits: PageBits) -> PageKind {
    match bits {
        PageBits::Allocated => PageKind::Padding,
        PageBits::Free => PageKind::Free,
        PageBits::Scavenged => PageKind::Scavenged,
    }
}
