//! Locks, `sync.Map` and `sync.Pool` (`programs/sync`).
//!
//! Everything is a difference: an operation in a lock less the same without, a store less what it allocates, two goroutines
//! less one. Where two goroutines were timed the row says how long one of them takes for an operation of its own.

use super::super::rows::{NoRow, Rows};
use super::{Fields, bucket_array_bytes, buckets, curve, rising_curve};
use crate::cost::{Curve, Sync};
use crate::version::GoVersion;

/// Locks of the sharded map.
const SHARDS: f64 = 16.0;
/// Bytes of a bucket of `map[any]*entry`: 8 tophash bytes, 8 interfaces, 8 pointers, the overflow word.
const BUCKET_BYTES: f64 = 208.0;
/// Bytes of an entry of two maps, its cell and the boxes of an int key and value.
const ENTRY_BYTES: f64 = 8.0 + 16.0 + 16.0;
/// Bytes of an entry of a trie, the boxes and its share of nodes of 160 B.
const TRIE_ENTRY_BYTES: f64 = 48.0 + 16.0 + 0.36 * 160.0;
/// The least that a difference is said to cost: curves have no zero.
const LEAST_NS: f64 = 0.1;

pub(super) fn derive(rows: &Rows, version: GoVersion, base: &Sync, fields: &mut Fields) -> Sync {
    let one = |procs: &'static str, what: &'static str, size: &'static str| {
        move || rows.min("sync", &[("procs", procs), ("what", what), ("size", size)], "min_ns")
    };
    let series =
        |procs: &str, what: &str| rows.series("sync", &[("procs", procs), ("what", what)], "size", "min_ns");
    let whole_map = |entries: f64| match version.has_sync_map_trie() {
        true => entries * TRIE_ENTRY_BYTES,
        false => BUCKET_BYTES * buckets(entries, version) + entries * ENTRY_BYTES,
    };
    // A share of one series less a multiple of another, by entries.
    let less =
        |procs: &str, what: &str, share: f64, other: &str, times: f64| -> Result<Vec<(f64, f64)>, NoRow> {
            let (measured, apart) = (series(procs, what)?, series(procs, other)?);
            let pairs = measured.iter().zip(&apart);
            Ok(pairs
                .map(|((n, ns), (_, apart_ns))| (*n, (share * ns - times * apart_ns).max(LEAST_NS)))
                .collect())
        };
    let of_buckets = |points: Vec<(f64, f64)>| -> Curve {
        let sized = points.iter().map(|(n, ns)| (bucket_array_bytes(*n, version), *ns));
        rising_curve(&sized.collect::<Vec<_>>())
    };
    let of_sync_map = |points: Vec<(f64, f64)>| -> Curve {
        curve(&points.iter().map(|(n, ns)| (whole_map(*n), *ns)).collect::<Vec<_>>())
    };
    Sync {
        mutex_ns: fields.price("sync.mutex_ns", &base.mutex_ns, one("1", "mutex", "0")),
        rwmutex_write_ns: fields.price(
            "sync.rwmutex_write_ns",
            &base.rwmutex_write_ns,
            one("1", "rwmutex-write", "0"),
        ),
        rwmutex_read_ns: fields.price(
            "sync.rwmutex_read_ns",
            &base.rwmutex_read_ns,
            one("1", "rwmutex-read", "0"),
        ),
        write_locked_ns: fields.price("sync.write_locked_ns", &base.write_locked_ns, || {
            Ok(of_buckets(less("1", "locked-update", 1.0, "plain-update", 1.0)?))
        }),
        read_locked_ns: fields.price("sync.read_locked_ns", &base.read_locked_ns, || {
            Ok(of_buckets(less("1", "locked-lookup", 1.0, "plain-lookup", 1.0)?))
        }),
        // Two goroutines behind one lock take turns: half of the time is the other's.
        write_handoff_ns: fields.price("sync.write_handoff_ns", &base.write_handoff_ns, || {
            Ok(of_buckets(less("2", "contended-update", 0.5, "locked-update", 1.0)?))
        }),
        // With 16 locks one finds the other inside its lock one time in 16, half way through, and every other wait is its own.
        write_shared_ns: fields.price("sync.write_shared_ns", &base.write_shared_ns, || {
            Ok(of_buckets(less("2", "spread-update", 1.0, "sharded-update", 1.0 + 0.5 / SHARDS)?))
        }),
        read_contended_ns: fields.price("sync.read_contended_ns", &base.read_contended_ns, || {
            Ok(of_buckets(less("2", "contended-lookup", 1.0, "locked-lookup", 1.0)?))
        }),
        read_shared_ns: fields.price("sync.read_shared_ns", &base.read_shared_ns, || {
            Ok(of_buckets(less("2", "spread-lookup", 1.0, "sharded-lookup", 1.0)?))
        }),
        store_ns: fields.price("sync.store_ns", &base.store_ns, || {
            Ok(of_sync_map(less("1", "store", 1.0, "store-allocation", 1.0)?))
        }),
        overwrite_ns: fields.price("sync.overwrite_ns", &base.overwrite_ns, || {
            Ok(of_sync_map(less("1", "overwrite", 1.0, "overwrite-allocation", 1.0)?))
        }),
        load_hit_ns: fields
            .price("sync.load_hit_ns", &base.load_hit_ns, || Ok(of_sync_map(series("1", "load-hit")?))),
        load_miss_ns: fields
            .price("sync.load_miss_ns", &base.load_miss_ns, || Ok(of_sync_map(series("1", "load-miss")?))),
        delete_ns: fields
            .price("sync.delete_ns", &base.delete_ns, || Ok(of_sync_map(series("1", "delete")?))),
        range_ns: fields.price("sync.range_ns", &base.range_ns, || Ok(of_sync_map(series("1", "range")?))),
        pool_private_ns: fields.price(
            "sync.pool_private_ns",
            &base.pool_private_ns,
            one("1", "pool-pair", "1"),
        ),
        pool_shared_ns: fields.price(
            "sync.pool_shared_ns",
            &base.pool_shared_ns,
            one("1", "pool-pair", "64"),
        ),
        pool_new_ns: fields.price("sync.pool_new_ns", &base.pool_new_ns, || {
            Ok(one("1", "pool-new", "1")()? - one("1", "pool-new-allocation", "1")()?)
        }),
    }
}
