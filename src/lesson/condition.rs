//! Conditions on the numbers of a run: `0.4 * full < deleted < 0.6 * full`.
//!
//! Two or three terms with a comparison between each; several such with `and` between them. A term is a metric, a number times a
//! metric, a size, a time, a share, or a bare number. What is compared must count the same: bytes are not compared with seconds.

use std::ops::Range;

use indexmap::IndexMap;

use super::metric::Metric;
use super::unit::Unit;
use crate::mistake::suggestion;
use crate::units::{Bytes, Nanos};

/// A checked condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// As it was written.
    pub text: String,
    chains: Vec<Chain>,
}

/// Two or three terms and the comparisons between them.
#[derive(Clone, Debug, PartialEq)]
struct Chain {
    terms: Vec<Term>,
    comparisons: Vec<Comparison>,
}

/// A number times a metric, or a number alone, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Term {
    factor: f64,
    metric: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConditionMistake {
    /// The part of the text that is wrong.
    pub span: Range<usize>,
    pub reason: String,
    pub accepted: String,
}

const EXAMPLE: &str =
    "two or three terms with <, <=, >, >= or == between them, such as \"deleted > 0.95 * full\"";
/// What stands between two comparisons that both have to hold.
const AND: &str = " and ";
const TERM: &str =
    "a metric, a number times a metric (0.5 * full), a size (4MiB), a time (2m), a share (30%) or a number";

impl Condition {
    /// Reads a condition on `metrics`.
    pub(super) fn parse(
        text: &str,
        metrics: &IndexMap<String, Metric>,
    ) -> Result<Condition, ConditionMistake> {
        let mut chains = Vec::new();
        let mut start = 0;
        for part in text.split(AND) {
            chains.push(Chain::parse(part, metrics).map_err(|mistake| ConditionMistake {
                span: start + mistake.span.start..start + mistake.span.end,
                ..mistake
            })?);
            start += part.len() + AND.len();
        }
        Ok(Condition { text: text.to_owned(), chains })
    }

    /// Whether it holds for `values`, which are told by the metrics' places.
    pub(super) fn holds(&self, values: &[f64]) -> bool {
        self.chains.iter().all(|chain| chain.holds(values))
    }
}

impl Chain {
    fn parse(text: &str, metrics: &IndexMap<String, Metric>) -> Result<Chain, ConditionMistake> {
        let whole = |reason: &str| ConditionMistake {
            span: 0..text.len(),
            reason: reason.to_owned(),
            accepted: EXAMPLE.to_owned(),
        };
        let mut chain = Chain { terms: Vec::new(), comparisons: Vec::new() };
        let mut unit: Option<Unit> = None;
        let mut start = 0;
        loop {
            let rest = &text[start..];
            let end = start + rest.find(['<', '>', '=']).unwrap_or(rest.len());
            let (term, term_unit) = read_term(&text[start..end], start, metrics)?;
            chain.terms.push(term);
            if let (Some(unit), Some(term_unit)) = (unit, term_unit)
                && unit != term_unit
            {
                return Err(whole(&format!("{} and {} do not compare", unit.name(), term_unit.name())));
            }
            unit = unit.or(term_unit);
            if end == text.len() {
                break;
            }
            let (comparison, length) =
                read_comparison(&text[end..]).ok_or_else(|| whole("\"=\" alone is no comparison"))?;
            chain.comparisons.push(comparison);
            start = end + length;
        }
        if !(2..=3).contains(&chain.terms.len()) {
            return Err(whole("this compares nothing"));
        }
        if chain.terms.iter().all(|term| term.metric.is_none()) {
            return Err(whole("there is no metric in it"));
        }
        Ok(chain)
    }

    fn holds(&self, values: &[f64]) -> bool {
        let value = |term: &Term| term.factor * term.metric.map_or(1.0, |metric| values[metric]);
        self.terms.windows(2).zip(&self.comparisons).all(|(pair, comparison)| {
            let (left, right) = (value(&pair[0]), value(&pair[1]));
            match comparison {
                Comparison::Less => left < right,
                Comparison::LessOrEqual => left <= right,
                Comparison::Greater => left > right,
                Comparison::GreaterOrEqual => left >= right,
                Comparison::Equal => left == right,
            }
        })
    }
}

fn read_comparison(text: &str) -> Option<(Comparison, usize)> {
    let known = [
        ("<=", Comparison::LessOrEqual),
        (">=", Comparison::GreaterOrEqual),
        ("==", Comparison::Equal),
        ("<", Comparison::Less),
        (">", Comparison::Greater),
    ];
    known
        .into_iter()
        .find(|(sign, _)| text.starts_with(sign))
        .map(|(sign, comparison)| (comparison, sign.len()))
}

/// A term and what it counts; `None` for a number that may count anything. `at` is where it begins in the condition.
fn read_term(
    text: &str,
    at: usize,
    metrics: &IndexMap<String, Metric>,
) -> Result<(Term, Option<Unit>), ConditionMistake> {
    let word = text.trim();
    let start = at + text.len() - text.trim_start().len();
    let mistake = |reason: String, accepted: &str| ConditionMistake {
        span: start..start + word.len().max(1),
        reason,
        accepted: accepted.to_owned(),
    };
    if let Some((factor, name)) = word.split_once('*') {
        let factor = factor
            .trim()
            .parse()
            .map_err(|_| mistake(format!("\"{}\" is not a number", factor.trim()), TERM))?;
        let (term, unit) = read_term(name, at + text.len() - name.len(), metrics)?;
        if term.metric.is_none() {
            return Err(mistake("only a metric is multiplied".to_owned(), TERM));
        }
        return Ok((Term { factor, ..term }, unit));
    }
    if let Some((index, _, metric)) = metrics.get_full(word) {
        return Ok((Term { factor: 1.0, metric: Some(index) }, Some(metric.unit())));
    }
    let constant = |factor, unit| Ok((Term { factor, metric: None }, unit));
    if let Ok(number) = word.parse::<f64>() {
        return constant(number, None);
    }
    if let Some(percent) = word.strip_suffix('%').and_then(|number| number.parse().ok()) {
        return constant(percent, Some(Unit::Percent));
    }
    if let Ok(Nanos(ns)) = word.parse() {
        return constant(ns as f64, Some(Unit::Nanos));
    }
    if let Ok(Bytes(bytes)) = word.parse() {
        return constant(bytes as f64, Some(Unit::Bytes));
    }
    if word.starts_with(|c: char| c.is_ascii_lowercase()) {
        let known = suggestion(word, metrics.keys().map(String::as_str));
        return Err(mistake(format!("there is no metric \"{word}\""), &known));
    }
    Err(mistake(format!("\"{word}\" is no term"), TERM))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> IndexMap<String, Metric> {
        let place = |unit| Metric::Place { run: 0, at: None, value: String::new(), unit };
        [
            ("full", Unit::Bytes),
            ("left", Unit::Bytes),
            ("cycles", Unit::Count),
            ("after", Unit::Nanos),
            ("kept", Unit::Percent),
        ]
        .map(|(name, unit)| (name.to_owned(), place(unit)))
        .into()
    }

    const MIB: f64 = 1048576.0;

    #[test]
    fn conditions_compare_metrics_with_each_other_and_with_sizes() {
        let values = [40.0 * MIB, 38.0 * MIB, 5.0, 120e9, 95.0];
        for (text, holds) in [
            ("left > 0.9 * full", true),
            ("left >= full", false),
            ("0.4 * full < left < 0.6 * full", false),
            ("0.9*full<left<full", true),
            ("left < 39MiB", true),
            ("cycles == 5", true),
            ("cycles <= 4", false),
            ("1m < after <= 2m", true),
            ("kept > 90%", true),
            ("kept > 90% and left < full", true),
            ("kept > 90% and left < full and cycles < 5", false),
        ] {
            assert_eq!(Condition::parse(text, &metrics()).unwrap().holds(&values), holds, "{text}");
        }
    }

    #[test]
    fn mistakes_say_where_and_what_would_do() {
        for (text, part, reason, accepted) in [
            ("left > 0.9 * ful", "ful", "no metric \"ful\"", "did you mean \"full\"?"),
            ("left", "left", "compares nothing", "<="),
            ("1 < 2", "1 < 2", "no metric", "deleted"),
            ("left > 2m", "left > 2m", "bytes and time do not compare", ""),
            ("left = full", "left = full", "alone is no comparison", "=="),
            ("x2 * full > 1MiB", "x2 * full", "\"x2\" is not a number", "0.5 * full"),
            ("left > 4MB", "4MB", "is no term", "4MiB"),
            ("left > ", "", "is no term", "4MiB"),
            ("2 * 3 < full", "2 * 3", "only a metric", ""),
            ("left < full and ful < left", "ful", "no metric \"ful\"", "full"),
        ] {
            let mistake = Condition::parse(text, &metrics()).unwrap_err();
            let span = mistake.span.start..mistake.span.end.min(text.len());
            assert_eq!(text[span].trim(), part, "{text}: {mistake:?}");
            assert!(mistake.reason.contains(reason), "{text}: {}", mistake.reason);
            assert!(mistake.accepted.contains(accepted), "{text}: {}", mistake.accepted);
        }
    }
}
