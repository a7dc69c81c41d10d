//! Whether a measurement can be trusted: the thermometer's drift, and repetitions that disagree.
//!
//! A neighbour on the same machine takes cache and memory bandwidth: what misses the cache becomes 2 to 5 times slower, what
//! hits it hardly changes. The thermometer measures two things that miss: the first write to a page, and a walk in
//! which every step waits for memory. It is read before and after everything else.
//!
//! Repetitions are compared as prices, derived from each pass alone. Prices of waking threads on several Ps have long tails
//! even on a quiet machine and are left out.

use super::derive::Derived;
use super::rows::Rows;
use crate::cost::CostModel;

/// Readings or prices further apart than this disagree.
const TOLERANCE: f64 = 0.10;

/// What shows that the thermometer has moved, in words; empty when it has not.
pub(super) fn drift(before: &Rows, after: &Rows) -> Vec<String> {
    let read = |rows: &Rows, what: &str| rows.min("thermometer", &[("what", what)], "first_quartile_ns");
    let moved = |what: &str, named: &str| {
        let (before_ns, after_ns) = (read(before, what).ok()?, read(after, what).ok()?);
        (distance(before_ns, after_ns) > TOLERANCE)
            .then(|| format!("{named} took {before_ns:.0} ns before and {after_ns:.0} ns after"))
    };
    [
        moved("first-write-ns-per-page", "the first write to a page"),
        moved("walk-ns-per-step", "a walk over memory"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Prices that two derivations make differently by more than a tenth, in words. A list or a curve counts by the median of
/// its points: one wild point is no disagreement.
pub fn disagreements(first: &Derived, second: &Derived) -> Vec<String> {
    let (ones, others) = (named_prices(&first.model), named_prices(&second.model));
    let missing = |name: &str| {
        [first, second].iter().any(|derived| derived.missing.iter().any(|(field, _)| *field == name))
    };
    let mut found = Vec::new();
    for ((name, one), (_, other)) in ones.iter().zip(&others) {
        if missing(name) || has_a_long_tail(name) || one.len() != other.len() {
            continue;
        }
        let mut distances: Vec<f64> = one.iter().zip(other).map(|(a, b)| distance(*a, *b)).collect();
        distances.sort_by(f64::total_cmp);
        let middle = distances[(distances.len() - 1) / 2];
        if middle > TOLERANCE {
            found.push(format!("{name}: {:.0} % between two passes", middle * 100.0));
        }
    }
    found
}

fn has_a_long_tail(name: &str) -> bool {
    // Differences of nearly equal numbers are no measure of noise, either.
    ["many_procs", "thread_wake", "_extra_", "forced_yield"].iter().any(|part| name.contains(part))
}

/// How much more the larger is than the smaller.
fn distance(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { a.max(b) / a.min(b) - 1.0 }
}

/// Every price as `group.field` with its numbers; of curves, those of the points.
fn named_prices(model: &CostModel) -> Vec<(String, Vec<f64>)> {
    let toml::Value::Table(groups) = toml::Value::try_from(model).expect("prices are TOML") else {
        unreachable!("a struct is a table");
    };
    let mut prices = Vec::new();
    for (group, fields) in &groups {
        for (field, value) in fields.as_table().into_iter().flatten() {
            prices.push((format!("{group}.{field}"), numbers(value)));
        }
    }
    prices
}

fn numbers(value: &toml::Value) -> Vec<f64> {
    match value {
        toml::Value::Float(ns) => vec![*ns],
        toml::Value::Array(elements) => {
            elements.iter().filter_map(|element| numbers(element).last().copied()).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cost::CostProfile;
    use crate::version::GoVersion;

    fn derived(change: impl FnOnce(&mut CostModel)) -> Derived {
        let mut model = Arc::unwrap_or_clone(CostProfile::of(GoVersion::Go1_23).model.clone());
        change(&mut model);
        Derived { model, missing: Vec::new() }
    }

    #[test]
    fn a_price_that_moves_by_more_than_a_tenth_is_told() {
        let same = derived(|_| ());
        assert!(disagreements(&same, &derived(|model| model.kernel.fault_page_ns *= 1.09)).is_empty());
        let told = disagreements(&same, &derived(|model| model.kernel.fault_page_ns *= 1.2));
        assert_eq!(told, ["kernel.fault_page_ns: 20 % between two passes"]);
        let told = disagreements(&same, &derived(|model| model.cycle.fixed_many_procs_ns *= 3.0));
        assert!(told.is_empty(), "threads wake as they like: {told:?}");
    }

    #[test]
    fn a_thermometer_that_rises_is_told() {
        let reading = |ns: &str| {
            let mut rows = Rows::default();
            rows.add("thermometer", &["walk-ns-per-step", ns, ns, ns]);
            rows
        };
        assert!(drift(&reading("100"), &reading("105")).is_empty());
        assert_eq!(drift(&reading("100"), &reading("150")).len(), 1);
    }
}
