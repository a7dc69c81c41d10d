//! Making keys, hashing and comparing strings (`programs/keys`, `programs/maps text`).

use super::super::rows::{NoRow, Rows};
use super::super::statistics::{mean, median};
use super::{Fields, bucket_bytes, buckets, curve, rising_curve};
use crate::cost::{Curve, Keys, Maps};
use crate::version::GoVersion;

/// Bytes of a key and a value of `map[string]int`.
const ENTRY_BYTES: f64 = 24.0;
/// Bytes of the texts in `programs/maps text`, a size class.
const TEXT_BYTES: f64 = 24.0;
/// Texts and buckets of maps up to so many entries are in cache.
const CACHED_ENTRIES: f64 = 1000.0;
/// The least that comparing is said to cost: curves have no zero.
const LEAST_NS: f64 = 0.1;

pub(super) fn derive(rows: &Rows, version: GoVersion, maps: &Maps, base: &Keys, fields: &mut Fields) -> Keys {
    let drawn = |what: &'static str| move || rows.min("keys", &[("what", what)], "min_ns");
    let texts = |what: &str| rows.series("keys", &[("what", what)], "size", "min_ns");
    // What a measured text costs less what was measured with it.
    let less = |what: &str, apart: &dyn Fn(f64) -> Result<f64, NoRow>| -> Result<Curve, NoRow> {
        let mut points = texts(what)?;
        for (bytes, ns) in &mut points {
            *ns = (*ns - apart(*bytes)?).max(LEAST_NS);
        }
        Ok(curve(&points))
    };
    let call = || rows.min("keys", &[("what", "call")], "min_ns");
    let allocation = |bytes: f64| {
        let size = bytes.to_string();
        rows.min("keys", &[("what", "text-allocation"), ("size", &size)], "min_ns")
    };
    let string_hash_ns = fields.difference("keys.string_hash_ns", base.string_hash_ns, || {
        let absent = more_ns(rows, version, "lookup-miss", &maps.lookup_miss_ns)?;
        let cached = absent.iter().filter(|(entries, _)| *entries <= CACHED_ENTRIES).map(|(_, ns)| *ns);
        let cached: Vec<f64> = cached.collect();
        if cached.is_empty() {
            return Err(NoRow("map row of absent string keys in cache".to_owned()));
        }
        Ok(median(cached))
    });
    Keys {
        random_ns: fields.price("keys.random_ns", &base.random_ns, drawn("random")),
        permute_ns: fields.price("keys.permute_ns", &base.permute_ns, || {
            let shuffles = texts("permute")?;
            let whole: Vec<f64> =
                shuffles.iter().filter(|(count, _)| retries(*count) == 0.0).map(|(_, ns)| *ns).collect();
            if whole.is_empty() {
                return Err(NoRow("keys row of a shuffle without retries".to_owned()));
            }
            Ok(median(whole))
        }),
        // What numbers of smaller counts cost more, by how often they were out of range.
        permute_retry_ns: fields.price("keys.permute_retry_ns", &base.permute_retry_ns, || {
            let (whole, walked): (Vec<_>, Vec<_>) =
                texts("permute")?.into_iter().partition(|(count, _)| retries(*count) == 0.0);
            let Some((_, at_once_ns)) = whole.first() else {
                return Err(NoRow("keys row of a shuffle without retries".to_owned()));
            };
            if walked.is_empty() {
                return Err(NoRow("keys row of a shuffle with retries".to_owned()));
            }
            let slopes: Vec<f64> =
                walked.iter().map(|(count, ns)| (ns - at_once_ns) / retries(*count)).collect();
            Ok(mean(&slopes))
        }),
        zipf_ns: fields.price("keys.zipf_ns", &base.zipf_ns, drawn("zipf")),
        zipf_harmonic_ns: fields.price(
            "keys.zipf_harmonic_ns",
            &base.zipf_harmonic_ns,
            drawn("zipf-harmonic"),
        ),
        text_ns: fields.price("keys.text_ns", &base.text_ns, || less("text", &allocation)),
        known_text_ns: fields
            .price("keys.known_text_ns", &base.known_text_ns, || less("known-text", &|_| call())),
        constant_text_ns: fields.price("keys.constant_text_ns", &base.constant_text_ns, || {
            Ok((rows.min("keys", &[("what", "constant-text")], "min_ns")? - call()?).max(LEAST_NS))
        }),
        string_hash_ns,
        // Present keys less absent ones' hash: what reading the text in the map adds.
        string_compare_ns: fields.price("keys.string_compare_ns", &base.string_compare_ns, || {
            let present = more_ns(rows, version, "lookup-hit", &maps.lookup_hit_ns)?;
            let points: Vec<(f64, f64)> = present
                .iter()
                .map(|(entries, ns)| (entries * TEXT_BYTES, (ns - string_hash_ns).max(LEAST_NS)))
                .collect();
            Ok(rising_curve(&points))
        }),
    }
}

/// What an operation costs more with string keys in random order than `int_ns` at the same bytes of buckets, the making of
/// texts apart, by entries.
fn more_ns(
    rows: &Rows,
    version: GoVersion,
    operation: &str,
    int_ns: &Curve,
) -> Result<Vec<(f64, f64)>, NoRow> {
    let of = |operation| {
        let filter = [("values", "int-by-text"), ("key_order", "shuffled"), ("operation", operation)];
        rows.series("map", &filter, "entries", "min_ns")
    };
    let (measured, texts) = (of(operation)?, of("known-text")?);
    let more = |((entries, ns), (_, text_ns)): (&(f64, f64), &(f64, f64))| {
        let buckets_bytes = bucket_bytes(ENTRY_BYTES, version) * buckets(*entries, version);
        (*entries, ns - text_ns - int_ns.at(buckets_bytes as u64))
    };
    Ok(measured.iter().zip(&texts).map(more).collect())
}

/// How often a number of a shuffle of `count` is out of range on average: the domain is the next power of four.
fn retries(count: f64) -> f64 {
    let mut domain = 1.0;
    while domain < count {
        domain *= 4.0;
    }
    domain / count - 1.0
}
