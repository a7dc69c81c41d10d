//! From measured rows to prices: one file for each group, every field with the rows it is made of and the formula.
//!
//! Terms: *the least* of a series is its smallest repetition, because disturbances only add; its *median* is taken where
//! repetitions differ for reasons that a program meets too (cold caches, sleeping threads); a *difference* of two prices what
//! one thing costs more than another; a *line* through several sizes separates what is paid once from what is
//! paid for each byte, page or object ([`statistics`](super::statistics)).
//!
//! What cannot be derived, because rows are missing or because their difference is no price, keeps its price in the profile
//! that the derivation starts from, and is listed ([`Derived::missing`]). Prices have four significant digits.

mod allocation;
mod cycle;
mod goroutines;
mod kernel;
mod keys;
mod maps;
mod marking;
mod sweeping;
mod sync;

use super::rows::{NoRow, Rows};
use super::statistics::{rounded, without_falls};
use crate::cost::{CostModel, Curve, LOAD_STEPS};
use crate::version::GoVersion;

/// Prices made of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// All prices.
    pub model: CostModel,
    /// The fields that kept what they were, and why.
    pub missing: Vec<(&'static str, String)>,
}

/// Derives every price that `rows`, measured with `version`, allow; the others stay those of `base`.
pub fn derive(rows: &Rows, version: GoVersion, base: &CostModel) -> Derived {
    let mut fields = Fields::default();
    let chained_ns = marking::chained_in_order(rows, &base.marking, &mut fields);
    let sweeping = sweeping::derive(rows, &base.sweeping, &mut fields);
    let maps = maps::derive(rows, version, &base.maps, &mut fields);
    let model = CostModel {
        allocation: allocation::derive(rows, version, &base.allocation, &mut fields),
        kernel: kernel::derive(rows, version, &base.kernel, &mut fields),
        keys: keys::derive(rows, version, &maps, &base.keys, &mut fields),
        maps,
        marking: marking::derive(rows, version, chained_ns, &base.marking, &mut fields),
        cycle: cycle::derive(rows, &base.cycle, &mut fields),
        sweeping,
        goroutines: goroutines::derive(rows, &base.goroutines, &mut fields),
        sync: sync::derive(rows, version, &base.sync, &mut fields),
    };
    Derived { model, missing: fields.missing }
}

/// Where fields that could not be derived are gathered.
#[derive(Debug, Default)]
struct Fields {
    missing: Vec<(&'static str, String)>,
}

impl Fields {
    /// The price that `derive` makes of the rows, or `base` if it makes none.
    fn price<P: Price>(
        &mut self,
        field: &'static str,
        base: &P,
        derive: impl FnOnce() -> Result<P, NoRow>,
    ) -> P {
        match derive().map(P::rounded) {
            Ok(price) if price.is_price() => price,
            Ok(_) => {
                self.missing.push((field, "the measurements contradict each other".to_owned()));
                base.clone()
            }
            Err(NoRow(row)) => {
                self.missing.push((field, format!("there is no {row}")));
                base.clone()
            }
        }
    }

    /// As [`price`](Self::price), for what one thing costs more than another: less than nothing is nothing.
    fn difference(
        &mut self,
        field: &'static str,
        base: f64,
        derive: impl FnOnce() -> Result<f64, NoRow>,
    ) -> f64 {
        match derive() {
            Ok(ns) => rounded(ns.max(0.0)),
            Err(NoRow(row)) => {
                self.missing.push((field, format!("there is no {row}")));
                base
            }
        }
    }
}

/// Something that stands in a profile.
trait Price: Clone {
    fn rounded(self) -> Self;
    fn is_price(&self) -> bool;
}

impl Price for f64 {
    fn rounded(self) -> f64 {
        rounded(self)
    }

    fn is_price(&self) -> bool {
        self.is_finite() && *self > 0.0
    }
}

impl Price for [f64; LOAD_STEPS] {
    fn rounded(self) -> Self {
        self.map(rounded)
    }

    fn is_price(&self) -> bool {
        self.iter().all(Price::is_price)
    }
}

impl Price for Curve {
    fn rounded(self) -> Curve {
        Curve::through(self.points().iter().map(|(bytes, ns)| (*bytes, rounded(*ns))).collect())
    }

    fn is_price(&self) -> bool {
        self.points().iter().all(|(_, ns)| ns.is_price())
    }
}

/// A curve through points of bytes and prices, as they are.
fn curve(points: &[(f64, f64)]) -> Curve {
    Curve::through(points.iter().map(|(bytes, ns)| (*bytes as u64, *ns)).collect())
}

/// A curve of prices that do not fall with the size.
fn rising_curve(points: &[(f64, f64)]) -> Curve {
    curve(&without_falls(points))
}

/// Bytes of the buckets of a `map[int]int` or `map[int]*T` with a hint of `entries`, or of its groups of a Swiss table.
fn bucket_array_bytes(entries: f64, version: GoVersion) -> f64 {
    bucket_bytes(16.0, version) * buckets(entries, version)
}

/// Bytes of a bucket, or group, whose keys and values take `entry_bytes` together: eight entries, eight bytes of hashes and,
/// in a bucket, a pointer to the next.
fn bucket_bytes(entry_bytes: f64, version: GoVersion) -> f64 {
    let link_bytes = if version.has_swiss_maps() { 0.0 } else { 8.0 };
    8.0 * entry_bytes + 8.0 + link_bytes
}

/// Buckets of a map with a hint of `entries`: a power of two, loaded to the version's load factor at most (`runtime/map.go`
/// `overLoadFactor`). Or groups: slots for eight sevenths of the entries, shared out to tables of up to 1024 slots; slots of a table
/// and tables are powers of two (`internal/runtime/maps` `NewMap`).
fn buckets(entries: f64, version: GoVersion) -> f64 {
    if version.has_swiss_maps() {
        return groups(entries as u64) as f64;
    }
    let most = version.map_load_factor_numerator() as f64 / 2.0;
    let mut buckets = 1.0;
    while entries > 8.0 && entries > most * buckets {
        buckets *= 2.0;
    }
    buckets
}

fn groups(entries: u64) -> u64 {
    if entries <= 8 {
        return 1;
    }
    let slots = entries * 8 / 7;
    let tables = slots.div_ceil(1024).next_power_of_two();
    tables * (slots / tables).max(8).next_power_of_two() / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_have_the_buckets_or_groups_that_go_gives_them() {
        for (entries, of_1_21, of_1_23, of_1_24) in [
            (8.0, 1.0, 1.0, 1.0),
            (13.0, 4.0, 2.0, 2.0),
            (896.0, 256.0, 256.0, 128.0),
            (897.0, 256.0, 256.0, 128.0), // 1025 slots: two tables of 512
            (1_000_000.0, 262_144.0, 262_144.0, 262_144.0),
        ] {
            let counted =
                [GoVersion::Go1_21, GoVersion::Go1_23, GoVersion::Go1_24].map(|v| buckets(entries, v));
            assert_eq!(counted, [of_1_21, of_1_23, of_1_24], "{entries} entries");
        }
        assert_eq!(bucket_array_bytes(8.0, GoVersion::Go1_23), 144.0);
        assert_eq!(bucket_array_bytes(8.0, GoVersion::Go1_24), 136.0);
    }
}
