//! Allocation (`programs/malloc`, `programs/duringmark`).
//!
//! The least time an object of `e` bytes took in each situation, with `n` objects in a span of `p` pages of 8 KiB:
//!
//! - fresh: `malloc + refill_fresh(p) / n`
//! - cached, recycled: `malloc + refill_recycled(p) / n + e * zero_byte`
//! - halfdead: `malloc + refill_recycled(p) / (n / 2) + e * zero_hole_byte`
//!
//! A large object is a span of its own and has no malloc and refill, but `large_*`. `cached` cycles through 512 KiB, the
//! others through 64 MiB.

use super::super::rows::{NoRow, Rows};
use super::super::statistics::{mean, median, median_line};
use super::{Fields, rising_curve};
use crate::cost::{Allocation, Curve};
use crate::units::{MIB, PAGE_BYTES};
use crate::version::GoVersion;

/// Bytes of a span of one page.
const SPAN: f64 = PAGE_BYTES as f64;
/// Sizes with one page a span and several objects in it.
const SMALL: [&str; 9] = ["16", "32", "64", "128", "256", "512", "1024", "2048", "4096"];
/// Sizes with one object a span, and the span's pages.
const SINGLE: [(&str, f64); 3] = [("8192", 1.0), ("16384", 2.0), ("32760", 4.0)];
const LARGE: (&str, &str) = ("65536", "1048576");

pub(super) fn derive(rows: &Rows, version: GoVersion, base: &Allocation, fields: &mut Fields) -> Allocation {
    let row = Malloc(rows);
    // The median line of fresh(e) over 1/n: a span of small objects costs its refill once.
    let malloc_noscan_ns = fields.price("allocation.malloc_noscan_ns", &base.malloc_noscan_ns, || {
        let points: Result<Vec<_>, NoRow> =
            SMALL.iter().map(|size| Ok((bytes(size) / SPAN, row.noscan("fresh", size)?))).collect();
        Ok(median_line(&points?).at_zero)
    });
    let zero_byte_ns = fields.price("allocation.zero_byte_ns", &base.zero_byte_ns, || zeroing(rows));
    let (in_cache_ns, out_of_cache_ns) = (zero_byte_ns.at(512 << 10), zero_byte_ns.at(64 * MIB));
    // What a span of one object costs besides the object: a line over its pages.
    let fresh_refill = || {
        let cost = |(size, pages): &(&str, f64)| Ok((*pages, row.noscan("fresh", size)? - malloc_noscan_ns));
        SINGLE.iter().map(cost).collect::<Result<Vec<_>, NoRow>>().map(|points| median_line(&points))
    };
    let recycled_refill = || {
        let cost = |(size, pages): &(&str, f64)| {
            let zero_ns = pages * SPAN * in_cache_ns;
            Ok((*pages, row.noscan("cached", size)? - malloc_noscan_ns - zero_ns))
        };
        SINGLE.iter().map(cost).collect::<Result<Vec<_>, NoRow>>().map(|points| median_line(&points))
    };
    let refill_recycled_page_ns =
        fields.price("allocation.refill_recycled_page_ns", &base.refill_recycled_page_ns, || {
            Ok(recycled_refill()?.slope)
        });
    let refill_recycled_ns = fields.price("allocation.refill_recycled_ns", &base.refill_recycled_ns, || {
        // Out of cache: the median over sizes of a whole span's cost; 1 and 2 KiB prefetch badly and are left out.
        let spans: Result<Vec<f64>, NoRow> = ["128", "256", "512", "4096", "8192"]
            .iter()
            .map(|size| {
                let objects = SPAN / bytes(size);
                let span_ns = objects * (row.noscan("recycled", size)? - malloc_noscan_ns);
                Ok(span_ns - SPAN * out_of_cache_ns - refill_recycled_page_ns)
            })
            .collect();
        Ok(rising_curve(&[(MIB as f64, recycled_refill()?.at_zero), (64.0 * MIB as f64, median(spans?))]))
    });
    let large = |situation| row.large_line("noscan", situation);
    Allocation {
        // Scan minus noscan in cache, median over 16 to 512 B.
        malloc_bitmap_extra_ns: fields.difference(
            "allocation.malloc_bitmap_extra_ns",
            base.malloc_bitmap_extra_ns,
            || {
                let extra =
                    |size: &&str| Ok(row.least("scan", "cached", size)? - row.noscan("cached", size)?);
                Ok(median(SMALL[..6].iter().map(extra).collect::<Result<Vec<_>, NoRow>>()?))
            },
        ),
        // 1016 B with pointers and 1024 B without are slots of the same class.
        malloc_header_extra_ns: fields.difference(
            "allocation.malloc_header_extra_ns",
            base.malloc_header_extra_ns,
            || Ok(row.least("scan", "cached", "1016")? - row.noscan("cached", "1024")?),
        ),
        // Half of a block of 16 B in cache and out of it: the mean of both.
        malloc_tiny_ns: fields.price("allocation.malloc_tiny_ns", &base.malloc_tiny_ns, || {
            Ok(mean(&[row.noscan("cached", "8")?, row.noscan("recycled", "8")?]))
        }),
        refill_fresh_ns: fields
            .price("allocation.refill_fresh_ns", &base.refill_fresh_ns, || Ok(fresh_refill()?.at_zero)),
        refill_fresh_page_ns: fields.price(
            "allocation.refill_fresh_page_ns",
            &base.refill_fresh_page_ns,
            || Ok(fresh_refill()?.slope),
        ),
        // A line through 64 KiB and 1 MiB, over pages.
        large_fresh_ns: fields
            .price("allocation.large_fresh_ns", &base.large_fresh_ns, || Ok(large("fresh")?.at_zero)),
        large_fresh_page_ns: fields.price(
            "allocation.large_fresh_page_ns",
            &base.large_fresh_page_ns,
            || Ok(large("fresh")?.slope),
        ),
        // 64 KiB in cache, less its zeroing.
        large_recycled_ns: fields.price("allocation.large_recycled_ns", &base.large_recycled_ns, || {
            Ok(row.noscan("cached", LARGE.0)? - bytes(LARGE.0) * in_cache_ns)
        }),
        // 1 MiB of pointers against 1 MiB without, where the bitmap is written by malloc at all.
        large_bitmap_byte_ns: fields.difference(
            "allocation.large_bitmap_byte_ns",
            base.large_bitmap_byte_ns,
            || {
                if version.has_malloc_header() {
                    return Ok(0.0);
                }
                let extra_ns =
                    row.least("pointers", "recycled", LARGE.1)? - row.noscan("recycled", LARGE.1)?;
                Ok(extra_ns / bytes(LARGE.1))
            },
        ),
        // Halfdead less malloc and the refill of half a span's objects, a byte: median over 64 to 1024 B.
        zero_hole_byte_ns: fields.price("allocation.zero_hole_byte_ns", &base.zero_hole_byte_ns, || {
            let refill_ns = refill_recycled_ns.at(64 * MIB) + refill_recycled_page_ns;
            let hole = |size: &&str| {
                let refill_share_ns = refill_ns / (SPAN / bytes(size) / 2.0);
                Ok((row.noscan("halfdead", size)? - malloc_noscan_ns - refill_share_ns) / bytes(size))
            };
            Ok(median(SMALL[2..7].iter().map(hole).collect::<Result<Vec<_>, NoRow>>()?))
        }),
        // While marking less while not, median over three kinds of objects that nothing else disturbs.
        allocate_black_ns: fields.price("allocation.allocate_black_ns", &base.allocate_black_ns, || {
            let kinds = ["alloc-noscan-16", "alloc-noscan-64", "alloc-scan-64"];
            let extra = |kind: &&str| more_while_marking(rows, kind);
            Ok(median(kinds.iter().map(extra).collect::<Result<Vec<_>, NoRow>>()?))
        }),
        // Not derived: measured once, by a program that gives 100,000 objects of 64 B finalizers.
        set_finalizer_ns: base.set_finalizer_ns,
        write_barrier_ns: fields.price("allocation.write_barrier_ns", &base.write_barrier_ns, || {
            more_while_marking(rows, "pointer-store-local")
        }),
        malloc_noscan_ns,
        zero_byte_ns,
        refill_recycled_ns,
        refill_recycled_page_ns,
    }
}

/// Clearing a buffer in pieces of a span: a byte, by the size of the buffer.
fn zeroing(rows: &Rows) -> Result<Curve, NoRow> {
    let filter = [("situation", "clearing")];
    Ok(rising_curve(&rows.series("malloc", &filter, "object_bytes", "min_ns")?))
}

/// First quartiles: the chunks are so short that the smallest is luck.
fn more_while_marking(rows: &Rows, operation: &str) -> Result<f64, NoRow> {
    let in_phase = |collector| {
        let filter = [("operation", operation), ("collector", collector)];
        rows.min("duringmark", &filter, "first_quartile_ns")
    };
    Ok(in_phase("marking")? - in_phase("off")?)
}

/// Questions to the table of `programs/malloc`.
struct Malloc<'r>(&'r Rows);

impl Malloc<'_> {
    fn least(&self, kind: &str, situation: &str, size: &str) -> Result<f64, NoRow> {
        self.0.min("malloc", &[("kind", kind), ("situation", situation), ("object_bytes", size)], "min_ns")
    }

    fn noscan(&self, situation: &str, size: &str) -> Result<f64, NoRow> {
        self.least("noscan", situation, size)
    }

    /// The line through both large sizes, over pages of 8 KiB.
    fn large_line(&self, kind: &str, situation: &str) -> Result<super::super::statistics::Line, NoRow> {
        let point = |size| Ok((bytes(size) / SPAN, self.least(kind, situation, size)?));
        Ok(median_line(&[point(LARGE.0)?, point(LARGE.1)?]))
    }
}

fn bytes(size: &str) -> f64 {
    size.parse().expect("sizes are numbers")
}
