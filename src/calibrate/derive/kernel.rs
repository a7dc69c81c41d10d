//! What the kernel charges (`programs/pages`, and `programs/maps` for faults between other work).

use super::super::rows::{NoRow, Rows};
use super::super::statistics::{Line, median, median_line};
use super::{Fields, bucket_array_bytes};
use crate::cost::Kernel;
use crate::version::GoVersion;

/// Bytes of a physical page.
const PAGE: f64 = 4096.0;

pub(super) fn derive(rows: &Rows, version: GoVersion, base: &Kernel, fields: &mut Fields) -> Kernel {
    // The line through two sizes of a call that finds all its pages resident, over pages.
    let line = |small: &str, large: &str| -> Result<Line, NoRow> {
        let point = |piece: &str| {
            let filter = [("what", "madvise-resident-ns-per-call"), ("piece_bytes", piece)];
            Ok((bytes(piece) / PAGE, rows.min("pages", &filter, "min_ns")?))
        };
        Ok(median_line(&[point(small)?, point(large)?]))
    };
    let paged = |what: &str| rows.min("pages", &[("what", what)], "median_ns");
    let usual = |what: &str| Ok(median(rows.values("pages", &[("what", what)], "median_ns")?));
    let short = || line("8192", "65536");
    let long = || line("262144", "2097152");
    Kernel {
        fault_page_ns: fields.price("kernel.fault_page_ns", &base.fault_page_ns, || {
            rows.min("pages", &[("what", "first-write-ns-per-page")], "median_ns")
        }),
        // Filling fresh buckets less filling them again, by the pages of the bucket array: the median over sizes of map.
        fault_scattered_page_ns: fields.price(
            "kernel.fault_scattered_page_ns",
            &base.fault_scattered_page_ns,
            || {
                let filled = |operation| {
                    let filter = [("values", "int"), ("key_order", "ascending"), ("operation", operation)];
                    rows.series("map", &filter, "entries", "median_ns")
                };
                let (fresh, again) = (filled("insert-fresh")?, filled("insert-refilled")?);
                let page_ns = |((entries, fresh_ns), (_, again_ns)): (&(f64, f64), &(f64, f64))| {
                    (fresh_ns - again_ns) * entries / (bucket_array_bytes(*entries, version) / PAGE)
                };
                Ok(median(fresh.iter().zip(&again).map(page_ns)))
            },
        ),
        // A call that finds nothing resident: the median over pieces up to 4 MiB.
        madvise_call_ns: fields.price("kernel.madvise_call_ns", &base.madvise_call_ns, || {
            let filter = [("what", "madvise-empty-ns-per-call")];
            let calls = rows.series("pages", &filter, "piece_bytes", "min_ns")?;
            Ok(median(calls.iter().filter(|(piece, _)| *piece <= 4e6 + 2e5).map(|(_, ns)| *ns)))
        }),
        // Up to 33 pages the TLB is flushed page by page: 8 and 64 KiB; beyond as a whole: 256 KiB and 2 MiB.
        madvise_short_ns: fields
            .price("kernel.madvise_short_ns", &base.madvise_short_ns, || Ok(short()?.at_zero)),
        madvise_short_page_ns: fields.price(
            "kernel.madvise_short_page_ns",
            &base.madvise_short_page_ns,
            || Ok(short()?.slope),
        ),
        madvise_long_ns: fields.price(
            "kernel.madvise_long_ns",
            &base.madvise_long_ns,
            || Ok(long()?.at_zero),
        ),
        madvise_long_page_ns: fields
            .price("kernel.madvise_long_page_ns", &base.madvise_long_page_ns, || Ok(long()?.slope)),
        // Both ways of changing a mapping page by page, beside a spinning thread less alone.
        shootdown_ns: fields.price("kernel.shootdown_ns", &base.shootdown_ns, || {
            let more =
                |what: &str| Ok(paged(&format!("{what}-beside-ns"))? - paged(&format!("{what}-alone-ns"))?);
            Ok(median([more("read-then-write")?, more("madvise-page")?]))
        }),
        shootdown_received_ns: fields.price(
            "kernel.shootdown_received_ns",
            &base.shootdown_received_ns,
            || {
                let lost = [paged("read-then-write-lost-ns")?, paged("madvise-page-lost-ns")?];
                Ok(median(lost))
            },
        ),
        fault_asked_to_stop_page_ns: fields.price(
            "kernel.fault_asked_to_stop_page_ns",
            &base.fault_asked_to_stop_page_ns,
            || usual("copy-fresh-asked-to-stop-ns-per-page"),
        ),
        asked_to_stop_share: fields.price("kernel.asked_to_stop_share", &base.asked_to_stop_share, || {
            Ok(usual("copy-fresh-asked-to-stop-percent")? / 100.0)
        }),
    }
}

fn bytes(piece: &str) -> f64 {
    piece.parse().expect("pieces are numbers")
}
