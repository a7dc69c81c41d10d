//! Marking (`programs/mark`, one worker; `programs/besidemutator`).
//!
//! What a cycle takes beyond the cycle of an empty heap, divided by the objects of the shape. In order, sizes of heap make no
//! difference, and the median over them is taken; in no order the price is a curve over the size of the heap.

use super::super::rows::{NoRow, Rows};
use super::super::statistics::median;
use super::{Fields, bucket_array_bytes, curve, rising_curve};
use crate::cost::{Curve, Marking};
use crate::units::{KIB, MIB};
use crate::version::GoVersion;

/// Sizes of heap in MiB up to which a list is marked in cache, and from which it is not.
const CACHED_MIB: f64 = 4.0;
const UNCACHED_MIB: f64 = 16.0;

pub(super) fn derive(
    rows: &Rows,
    version: GoVersion,
    (chained_in_order_cached_ns, chained_in_order_ns): (Curve, Curve),
    base: &Marking,
    fields: &mut Fields,
) -> Marking {
    let marks = Marks(rows);
    let in_order = |shape| Ok(median(marks.by_heap(shape, 64)?.iter().filter(|p| p.0 >= 4.0).map(|p| p.1)));
    let scattered = |shape, least_mib: f64| -> Result<Curve, NoRow> {
        let mut points = marks.by_heap(shape, 64)?;
        points.retain(|(mib, _)| *mib >= least_mib);
        Ok(rising_curve(&in_bytes(&points)))
    };
    // A pointer to one of sixteen marked objects.
    let marked_in_order_ns =
        fields.price("marking.marked_pointer_in_order_ns", &base.marked_pointer_in_order_ns, || {
            Ok(median(marks.by_heap("fewarray", 8)?.iter().map(|p| p.1)))
        });
    Marking {
        noscan_in_order_ns: fields
            .price("marking.noscan_in_order_ns", &base.noscan_in_order_ns, || in_order("noscanslice")),
        noscan_scattered_ns: fields.price("marking.noscan_scattered_ns", &base.noscan_scattered_ns, || {
            scattered("noscanshuffled", 4.0)
        }),
        noscan_hashed_ns: fields
            .price("marking.noscan_hashed_ns", &base.noscan_hashed_ns, || hashed(&marks, version)),
        // By object size: the median over heaps, out of cache for large objects.
        scan_in_order_ns: fields.price("marking.scan_in_order_ns", &base.scan_in_order_ns, || {
            let of_size = |size: u64| -> Result<(f64, f64), NoRow> {
                let points = marks.by_heap("scanslice", size)?;
                Ok((size as f64, median(points.iter().filter(|p| p.0 >= UNCACHED_MIB).map(|p| p.1))))
            };
            Ok(rising_curve(&[of_size(64)?, of_size(256)?, of_size(KIB)?]))
        }),
        scan_scattered_ns: fields
            .price("marking.scan_scattered_ns", &base.scan_scattered_ns, || scattered("scanshuffled", 1.0)),
        chained_scattered_ns: fields.price(
            "marking.chained_scattered_ns",
            &base.chained_scattered_ns,
            || scattered("listshuffled", 0.0),
        ),
        // Pointers at both ends of 1 KiB, less one pointer in front, both in no order.
        distant_line_ns: fields.price("marking.distant_line_ns", &base.distant_line_ns, || {
            let more = less(&marks.by_heap("farshuffled", KIB)?, &marks.by_heap("scanshuffled", KIB)?);
            Ok(rising_curve(&in_bytes(&more)))
        }),
        // CPU of two workers for what one worker marks, the median over shapes that both can share.
        two_workers_factor: fields.price("marking.two_workers_factor", &base.two_workers_factor, || {
            let shapes = [("scanslice", 64), ("scanshuffled", 64), ("mapptr", 64), ("scanshuffled", KIB)];
            let factors: Result<Vec<f64>, NoRow> =
                shapes.iter().map(|(shape, size)| marks.two_workers_factor(shape, *size)).collect();
            Ok(median(factors?).max(1.0))
        }),
        scan_word_ns: fields.price("marking.scan_word_ns", &base.scan_word_ns, || nil_words(&marks)),
        // Random graphs of 4 and of 2 pointers a node: both reach the same nodes, one looks at two pointers more.
        marked_pointer_scattered_ns: fields.price(
            "marking.marked_pointer_scattered_ns",
            &base.marked_pointer_scattered_ns,
            || {
                let (four, two) = (marks.by_heap("graph4", 64)?, marks.by_heap("graph2", 64)?);
                let pointer = |(mib, more): (f64, f64)| (mib, (more / 2.0).max(marked_in_order_ns));
                let points: Vec<(f64, f64)> = less(&four, &two).into_iter().map(pointer).collect();
                Ok(rising_curve(&in_bytes(&points)))
            },
        ),
        // CPU of marking an object of a list beside an allocating goroutine, against the same list alone.
        beside_mutator_factor: fields.price(
            "marking.beside_mutator_factor",
            &base.beside_mutator_factor,
            || {
                let beside = rows.min("beside", &[("what", "mark-cpu-ns-per-object")], "min_ns")?;
                Ok((beside / chained_in_order_ns.at(64)).max(1.0))
            },
        ),
        marked_pointer_in_order_ns: marked_in_order_ns,
        chained_in_order_cached_ns,
        chained_in_order_ns,
    }
}

/// An object of a list in the order of allocation, by object size: in cache (4 MiB) and out of it (median of 16 MiB on).
pub(super) fn chained_in_order(rows: &Rows, base: &Marking, fields: &mut Fields) -> (Curve, Curve) {
    let marks = Marks(rows);
    let by_size = |sizes: &[u64], wanted: fn(f64) -> bool| -> Result<Curve, NoRow> {
        let price = |size: &u64| {
            let points = marks.by_heap("list", *size)?;
            let ns: Vec<f64> = points.iter().filter(|p| wanted(p.0)).map(|p| p.1).collect();
            if ns.is_empty() {
                Err(NoRow(format!("mark row of a large list of {size} B")))
            } else {
                Ok((*size as f64, median(ns)))
            }
        };
        Ok(curve(&sizes.iter().map(price).collect::<Result<Vec<_>, NoRow>>()?))
    };
    let cached = fields.price("marking.chained_in_order_cached_ns", &base.chained_in_order_cached_ns, || {
        by_size(&[16, 64, 128, 256, 1024], |mib| mib == CACHED_MIB)
    });
    let uncached = fields.price("marking.chained_in_order_ns", &base.chained_in_order_ns, || {
        by_size(&[16, 32, 64, 128, 256, 1024], |mib| mib >= UNCACHED_MIB)
    });
    (cached, uncached)
}

/// `map[int]*[64]byte` less the same map with nil values, by bytes of objects and buckets together.
fn hashed(marks: &Marks<'_>, version: GoVersion) -> Result<Curve, NoRow> {
    let points = less(&marks.by_heap("mapptr", 64)?, &marks.by_heap("mapnil", 64)?);
    let sized = |(mib, ns): &(f64, f64)| {
        let object_bytes = mib * MIB as f64;
        (object_bytes + bucket_array_bytes(object_bytes / 64.0, version), *ns)
    };
    Ok(rising_curve(&points.iter().map(sized).collect::<Vec<_>>()))
}

/// A nil word beyond the first, by object size: objects full of nil words less objects with one. An array of nil words has
/// no objects to speak of; it stands for everything from 128 KiB on.
fn nil_words(marks: &Marks<'_>) -> Result<Curve, NoRow> {
    let of_size = |size: u64| -> Result<(f64, f64), NoRow> {
        let words = (if size < KIB { size } else { size - 8 }) as f64 / 8.0 - 1.0;
        // An object of 8 KiB has so many words that its first one does not matter.
        let one_word_size = size.min(256);
        let more = less(&marks.by_heap("wordslice", size)?, &marks.by_heap("scanslice", one_word_size)?);
        Ok((size as f64, median(more.iter().map(|(_, ns)| ns / words))))
    };
    let array = median(marks.by_heap("nilarray", 8)?.iter().map(|p| p.1));
    Ok(curve(&[of_size(64)?, of_size(256)?, of_size(8 * KIB)?, (128.0 * KIB as f64, array)]))
}

/// Differences at the sizes that both have.
fn less(all: &[(f64, f64)], part: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let rest = |(size, ns): &(f64, f64)| {
        part.iter().find(|(other, _)| other == size).map(|(_, part_ns)| (*size, ns - part_ns))
    };
    all.iter().filter_map(rest).collect()
}

fn in_bytes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().map(|(mib, ns)| (mib * MIB as f64, *ns)).collect()
}

/// Questions to the table of `programs/mark`.
struct Marks<'r>(&'r Rows);

impl Marks<'_> {
    /// Nanoseconds an object by size of heap in MiB: concurrent marking less that of an empty heap.
    fn by_heap(&self, shape: &str, object_bytes: u64) -> Result<Vec<(f64, f64)>, NoRow> {
        let size = object_bytes.to_string();
        let filter = [("procs", "1"), ("shape", shape), ("object_bytes", &size)];
        let times = self.0.series("mark", &filter, "heap_mib", "mark_ns_per_object")?;
        let objects = self.0.series("mark", &filter, "heap_mib", "objects")?;
        let empty = self.0.series("mark", &[("procs", "1"), ("shape", "empty")], "heap_mib", "mark_ms")?;
        let empty_ns = median(empty.iter().map(|p| p.1)) * 1e6;
        Ok(times.iter().zip(&objects).map(|((mib, ns), (_, n))| (*mib, ns - empty_ns / n)).collect())
    }

    /// CPU time with two workers by that with one, on a heap of 64 MiB.
    fn two_workers_factor(&self, shape: &str, object_bytes: u64) -> Result<f64, NoRow> {
        let size = object_bytes.to_string();
        let cpu = |procs: &str| {
            let filter =
                [("procs", procs), ("shape", shape), ("object_bytes", size.as_str()), ("heap_mib", "64")];
            self.0.min("mark", &filter, "cpu_ns_per_object")
        };
        Ok(cpu("2")? / cpu("1")?)
    }
}
