//! Proportional sweep: sweeping is done by the time the next cycle wants to start.
//!
//! Spans of the last cycle are swept by a background goroutine, but also by whoever needs a span: before it takes one,
//! it sweeps as many pages as are due for the bytes it is about to add to the heap.
//!
//! ```text
//! pages per byte = (pages in use - pages swept) / (trigger - heap_live - 1 MiB, at least one page)       at commit
//! due            = pages per byte * (span bytes + heap_live - heap_live at commit) - pages the caller swept
//! ```
//!
//! Source: `runtime/mgcsweep.go` (`gcPaceSweeper`, `deductSweepCredit`), Go 1.23.9.

use super::float::to_i64;
use crate::units::{MIB, PAGE_BYTES};

/// Distance in bytes before the trigger by which sweeping should be done (Go's; `gcPaceSweeper` in
/// `runtime/mgcsweep.go`, 1.23.9).
const MARGIN_BYTES: i64 = MIB as i64;

/// How much to sweep for each byte allocated, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SweepPace {
    /// Pages to sweep for each byte of heap growth; 0 when sweeping is done (`sweepPagesPerByte`).
    pages_per_byte: f64,
    /// Live heap in bytes when the pace was set (`sweepHeapLiveBasis`).
    heap_live_basis_bytes: u64,
    /// Pages swept in this sweep when the pace was set (`pagesSweptBasis`).
    pages_swept_basis: u64,
}

impl SweepPace {
    /// The pace when nothing is left to sweep.
    pub const DONE: SweepPace =
        SweepPace { pages_per_byte: 0.0, heap_live_basis_bytes: 0, pages_swept_basis: 0 };

    /// Spreads the unswept pages over the heap growth up to the trigger.
    pub fn new(trigger_bytes: u64, heap_live_bytes: u64, pages_in_use: u64, pages_swept: u64) -> SweepPace {
        let distance_bytes = (trigger_bytes as i64)
            .wrapping_sub(heap_live_bytes as i64)
            .wrapping_sub(MARGIN_BYTES)
            .max(PAGE_BYTES as i64);
        let distance_pages = pages_in_use as i64 - pages_swept as i64;
        if distance_pages <= 0 {
            return SweepPace::DONE;
        }
        SweepPace {
            pages_per_byte: distance_pages as f64 / distance_bytes as f64,
            heap_live_basis_bytes: heap_live_bytes,
            pages_swept_basis: pages_swept,
        }
    }

    /// Pages to sweep for each byte of heap growth.
    pub fn pages_per_byte(&self) -> f64 {
        self.pages_per_byte
    }

    /// Whether an allocation that needs a span of `span_bytes` must still sweep, `pages_swept` pages having been swept so
    /// far. `caller_swept_pages` is what the caller has swept on its own account already.
    ///
    /// The caller sweeps span by span and asks again after each; when nothing is left it sets the pace to
    /// [`SweepPace::DONE`].
    pub fn must_sweep(
        &self,
        span_bytes: u64,
        caller_swept_pages: u64,
        heap_live_bytes: u64,
        pages_swept: u64,
    ) -> bool {
        let target = self.target_pages(span_bytes, caller_swept_pages, heap_live_bytes);
        target > pages_swept.wrapping_sub(self.pages_swept_basis) as i64
    }

    /// Pages that should have been swept since the pace was set before a span of `span_bytes` is taken.
    pub fn target_pages(&self, span_bytes: u64, caller_swept_pages: u64, heap_live_bytes: u64) -> i64 {
        if self.pages_per_byte == 0.0 {
            return 0;
        }
        let growth_bytes = span_bytes + heap_live_bytes.saturating_sub(self.heap_live_basis_bytes);
        to_i64(self.pages_per_byte * growth_bytes as f64) - caller_swept_pages as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_spread_over_the_way_to_the_trigger() {
        // 1024 pages over 11 - 2 - 1 = 8 MiB: one page for each 8 KiB.
        let pace = SweepPace::new(11 * MIB, 2 * MIB, 1524, 500);
        assert_eq!(pace.pages_per_byte(), 1.0 / 8192.0);
        // A span of 32 KiB after 16 KiB of growth: 4 + 2 pages.
        assert_eq!(pace.target_pages(32_768, 0, 2 * MIB + 16_384), 6);
        assert!(pace.must_sweep(32_768, 0, 2 * MIB + 16_384, 505));
        assert!(!pace.must_sweep(32_768, 0, 2 * MIB + 16_384, 506));
        // A large allocation that has reclaimed 6 pages itself owes nothing.
        assert!(!pace.must_sweep(32_768, 6, 2 * MIB + 16_384, 500));
        // At the end of the way everything is swept.
        assert_eq!(pace.target_pages(0, 0, 10 * MIB), 1024);
    }

    #[test]
    fn a_trigger_that_is_near_does_not_make_the_pace_infinite() {
        assert_eq!(SweepPace::new(2 * MIB, 2 * MIB, 100, 0).pages_per_byte(), 100.0 / 8192.0);
        assert_eq!(SweepPace::new(MIB, 2 * MIB, 100, 0).pages_per_byte(), 100.0 / 8192.0);
    }

    #[test]
    fn nothing_is_due_when_everything_is_swept() {
        let pace = SweepPace::new(11 * MIB, 2 * MIB, 500, 500);
        assert_eq!(pace, SweepPace::DONE);
        assert!(!pace.must_sweep(1 << 40, 0, 1 << 40, 0));
    }
}
