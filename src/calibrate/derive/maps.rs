//! Map operations (`programs/maps`), by bytes of bucket array.
//!
//! Everything is `map[int]int` with keys in ascending order: hashing makes the order of keys indifferent. Prices do not fall
//! when the map grows; where the measurement says so, it is noise and averaged.

use super::super::rows::{NoRow, Rows};
use super::super::statistics::mean;
use super::{Fields, bucket_array_bytes, buckets, rising_curve};
use crate::cost::{Curve, LOAD_STEPS, Maps};
use crate::version::GoVersion;

/// Steps of half an entry up to 4 entries a bucket: what `insert_ns` is the mean of.
const PRESIZED_STEPS: usize = 8;
/// What a run usually takes: scenarios run once, on caches that something else has used.
const TYPICAL: &str = "median_ns";
/// Bucket arrays up to which loads are measured in cache, in bytes.
const CACHED_BYTES: f64 = (4 << 20) as f64;

type Shares = [f64; LOAD_STEPS];

pub(super) fn derive(rows: &Rows, version: GoVersion, base: &Maps, fields: &mut Fields) -> Maps {
    let cached = fields.price("maps.insert_load_cached", &base.insert_load_cached, || {
        shares(rows, |bytes| bytes <= CACHED_BYTES)
    });
    let uncached = fields.price("maps.insert_load_uncached", &base.insert_load_uncached, || {
        shares(rows, |bytes| bytes > CACHED_BYTES)
    });
    let by_size = |operation| -> Result<Curve, NoRow> {
        let points = rows.series("map", &of(operation), "entries", TYPICAL)?;
        Ok(rising_curve(&sized(&points, version)))
    };
    Maps {
        insert_ns: fields
            .price("maps.insert_ns", &base.insert_ns, || inserts(rows, version, &cached, &uncached)),
        update_ns: fields.price("maps.update_ns", &base.update_ns, || by_size("update")),
        lookup_hit_ns: fields.price("maps.lookup_hit_ns", &base.lookup_hit_ns, || by_size("lookup-hit")),
        lookup_miss_ns: fields.price("maps.lookup_miss_ns", &base.lookup_miss_ns, || by_size("lookup-miss")),
        delete_ns: fields.price("maps.delete_ns", &base.delete_ns, || by_size("delete")),
        iterate_ns: fields.price("maps.iterate_ns", &base.iterate_ns, || by_size("iterate")),
        clear_ns: fields.price("maps.clear_ns", &base.clear_ns, || by_size("clear")),
        // An evacuation reads half as many buckets as it writes: old and new arrays together are three halves of the new.
        evacuate_ns: fields.price("maps.evacuate_ns", &base.evacuate_ns, || {
            let points = rows.series("map", &of("evacuate"), "entries", TYPICAL)?;
            let both = |(entries, ns): &(f64, f64)| (old_buckets(*entries) * 144.0 * 3.0, *ns);
            Ok(rising_curve(&points.iter().map(both).collect::<Vec<_>>()))
        }),
        // Inserts and deletes of map[int]*node less those of map[int]int, their mean.
        pointers_ns: fields.price("maps.pointers_ns", &base.pointers_ns, || {
            let more =
                |operation| less(in_a_row(rows, "pointer", operation)?, in_a_row(rows, "int", operation)?);
            Ok(above_nothing(&sized(&mean_of(&more("insert")?, &more("delete")?), version)))
        }),
        // With an object allocated between any two, less the same in a row, less the allocation; the mean of both.
        apart_ns: fields.price("maps.apart_ns", &base.apart_ns, || {
            let more = |operation: &str| {
                let apart =
                    rows.series("map", &with("pointer", &format!("{operation}-apart")), "entries", TYPICAL)?;
                let alone = rows.series("map", &with("object", "new"), "entries", TYPICAL)?;
                less(less(apart, in_a_row(rows, "pointer", operation)?)?, alone)
            };
            Ok(above_nothing(&sized(&mean_of(&more("insert")?, &more("delete")?), version)))
        }),
        insert_load_cached: cached,
        insert_load_uncached: uncached,
    }
}

/// Differences at the sizes of `all`.
fn less(all: Vec<(f64, f64)>, part: Vec<(f64, f64)>) -> Result<Vec<(f64, f64)>, NoRow> {
    let rest = |(entries, ns): (f64, f64)| {
        let found = part.iter().find(|(other, _)| *other == entries);
        found
            .map(|(_, part_ns)| (entries, ns - part_ns))
            .ok_or_else(|| NoRow(format!("map row of {entries} entries")))
    };
    all.into_iter().map(rest).collect()
}

fn mean_of(a: &[(f64, f64)], b: &[(f64, f64)]) -> Vec<(f64, f64)> {
    a.iter().zip(b).map(|((entries, a_ns), (_, b_ns))| (*entries, (a_ns + b_ns) / 2.0)).collect()
}

/// A rising curve of differences: less than a tenth of a nanosecond is noise about nothing.
fn above_nothing(points: &[(f64, f64)]) -> Curve {
    rising_curve(&points.iter().map(|(bytes, ns)| (*bytes, ns.max(0.1))).collect::<Vec<_>>())
}

fn in_a_row(rows: &Rows, values: &str, operation: &str) -> Result<Vec<(f64, f64)>, NoRow> {
    rows.series("map", &with(values, &format!("{operation}-in-a-row")), "entries", TYPICAL)
}

fn with<'w>(values: &'w str, operation: &'w str) -> [(&'w str, &'w str); 3] {
    [("values", values), ("key_order", "ascending"), ("operation", operation)]
}

fn of(operation: &str) -> [(&str, &str); 3] {
    with("int", operation)
}

/// Points by entries as points by bytes of bucket array.
fn sized(points: &[(f64, f64)], version: GoVersion) -> Vec<(f64, f64)> {
    points.iter().map(|(entries, ns)| (bucket_array_bytes(*entries, version), *ns)).collect()
}

/// The programs `evacuate` and `load` call a map of 2^k buckets by 13/2 entries a bucket.
fn old_buckets(entries: f64) -> f64 {
    entries * 2.0 / 13.0
}

/// Insert prices at every half entry a bucket, by bytes of bucket array.
fn loads(rows: &Rows) -> Result<Vec<(f64, Shares)>, NoRow> {
    let mut loads: Vec<(f64, Shares)> = Vec::new();
    for step in 0..LOAD_STEPS {
        let operation = format!("insert-at-{:.1}-a-bucket", step as f64 / 2.0 + 0.25);
        for (entries, ns) in rows.series("map", &of(&operation), "entries", TYPICAL)? {
            let bytes = old_buckets(entries) * 144.0;
            match loads.iter_mut().find(|(known, _)| *known == bytes) {
                Some((_, steps)) => steps[step] = ns,
                None => {
                    let mut steps = [f64::NAN; LOAD_STEPS];
                    steps[step] = ns;
                    loads.push((bytes, steps));
                }
            }
        }
    }
    Ok(loads)
}

/// What each step costs as a share of the mean over the first four entries a bucket, averaged over the sizes of map that
/// `wanted` takes.
fn shares(rows: &Rows, wanted: impl Fn(f64) -> bool) -> Result<Shares, NoRow> {
    let steps: Vec<Shares> =
        loads(rows)?.into_iter().filter(|(bytes, _)| wanted(*bytes)).map(|(_, steps)| steps).collect();
    if steps.is_empty() {
        return Err(NoRow("map rows by load for this size".to_owned()));
    }
    Ok(std::array::from_fn(|step| {
        let shares: Vec<f64> = steps.iter().map(|ns| ns[step] / mean(&ns[..PRESIZED_STEPS])).collect();
        mean(&shares)
    }))
}

/// Filling a presized map whose buckets are resident, brought to a final load of four entries a bucket by the shares; and
/// the mean of the first four entries where only loads were measured.
fn inserts(rows: &Rows, version: GoVersion, cached: &Shares, uncached: &Shares) -> Result<Curve, NoRow> {
    let filled = rows.series("map", &of("insert-resident"), "entries", TYPICAL)?;
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (entries, ns) in filled {
        let bytes = bucket_array_bytes(entries, version);
        let shares = if bytes <= CACHED_BYTES { cached } else { uncached };
        points.push((bytes, ns / mean_share(shares, entries / buckets(entries, version))));
    }
    for (bytes, steps) in loads(rows)? {
        if points.iter().all(|(known, _)| *known != bytes) {
            points.push((bytes, mean(&steps[..PRESIZED_STEPS])));
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(rising_curve(&points))
}

/// The mean share of inserts from empty buckets to `load` entries a bucket.
fn mean_share(shares: &Shares, load: f64) -> f64 {
    let steps = (load * 2.0).min(LOAD_STEPS as f64);
    let whole = steps as usize;
    let last = shares.get(whole).copied().unwrap_or(0.0) * (steps - whole as f64);
    (shares[..whole].iter().sum::<f64>() + last) / steps
}
