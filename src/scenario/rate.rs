//! Rates over time: how many bytes a second a `stream` allocates, keeps and drops.
//!
//! A rate is a function of the seconds since its step began. Simple ones are put together: a load that doubles, swings and
//! jitters is a sum of a step, an oscillation and a random rate. Before its beginning every rate is zero, so that a delayed
//! one starts late. The generated Go program has the same functions under the same names and computes the same numbers; its sine may
//! differ in the last bits.

use super::parse::{MEMORY_LIMIT_BYTES, Parser};
use super::reader::Node;
use super::splitmix64::SplitMix64;
use super::stream::LONGEST_NS;
use crate::elementary::sin_of_turns;
use crate::units::SECOND_NS;

/// How deeply rates may be nested. Our limit.
const NESTING_LIMIT: usize = 8;
/// How many rates a sum may have. Our limit.
const SUM_LIMIT: usize = 16;
/// What a rate may be multiplied by. Our limit.
const FACTOR_LIMIT: f64 = 1000.0;

/// Bytes a second as they change with time.
#[derive(Clone, Debug, PartialEq)]
pub enum Rate {
    /// Always the same: `"100MiB"`.
    Constant(u64),
    /// From one value to another in a straight line, and then that one: `{ ramp = { from = "10MiB", to = "90MiB", over = "5s" } }`.
    Ramp {
        /// Bytes a second at the beginning.
        from: u64,
        /// Bytes a second at the end.
        to: u64,
        /// How long it takes, in nanoseconds.
        over_ns: u64,
    },
    /// One value before a moment and another from then on: `{ step = { from = "10MiB", to = "90MiB", at = "2s" } }`.
    Step {
        /// Bytes a second before.
        from: u64,
        /// Bytes a second afterwards.
        to: u64,
        /// When, in nanoseconds.
        at_ns: u64,
    },
    /// A sine: `{ oscillate = { mean = "50MiB", amplitude = "40MiB", period = "2s" } }`. Below zero it counts as zero.
    Oscillate {
        /// Bytes a second around which it swings.
        mean: u64,
        /// How far it swings, in bytes a second.
        amplitude: u64,
        /// How long a swing takes, in nanoseconds.
        period_ns: u64,
    },
    /// A new uniform value now and then: `{ random = { from = "10MiB", to = "90MiB", every = "500ms" } }`.
    Random {
        /// Least bytes a second.
        from: u64,
        /// Most bytes a second.
        to: u64,
        /// How long each value lasts, in nanoseconds.
        every_ns: u64,
        /// Distinguishes the draws from another rate's.
        seed: u64,
    },
    /// Rates added up: `{ sum = ["10MiB", { ramp = { ... } }] }`.
    Sum(Vec<Rate>),
    /// A rate that begins later: `{ delay = { by = "2s", rate = "10MiB" } }`.
    Delay {
        /// By how much, in nanoseconds.
        by_ns: u64,
        /// Which.
        rate: Box<Rate>,
    },
    /// A rate times a factor: `{ scale = { by = 0.5, rate = { ... } } }`.
    Scale {
        /// The factor.
        by: f64,
        /// Which.
        rate: Box<Rate>,
    },
}

impl Rate {
    /// Bytes a second at `seconds` after the beginning, in a run with `run_seed`.
    pub fn at(&self, seconds: f64, run_seed: u64) -> f64 {
        if seconds < 0.0 {
            return 0.0;
        }
        match self {
            Rate::Constant(bytes) => *bytes as f64,
            Rate::Ramp { from, to, over_ns } => {
                let (from, to) = (*from as f64, *to as f64);
                from + (to - from) * (seconds / in_seconds(*over_ns)).min(1.0)
            }
            Rate::Step { from, to, at_ns } => {
                let is_before = seconds < in_seconds(*at_ns);
                (if is_before { *from } else { *to }) as f64
            }
            Rate::Oscillate { mean, amplitude, period_ns } => {
                let turns = seconds / in_seconds(*period_ns);
                (*mean as f64 + *amplitude as f64 * sin_of_turns(turns)).max(0.0)
            }
            Rate::Random { from, to, every_ns, seed } => {
                let number = (seconds / in_seconds(*every_ns)) as u64;
                // A number from 0 up to 1, from the upper 53 bits.
                let uniform =
                    (SplitMix64::new(run_seed, *seed, number).next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                *from as f64 + (*to as f64 - *from as f64) * uniform
            }
            Rate::Sum(rates) => rates.iter().map(|rate| rate.at(seconds, run_seed)).sum(),
            Rate::Delay { by_ns, rate } => rate.at(seconds - in_seconds(*by_ns), run_seed),
            Rate::Scale { by, rate } => by * rate.at(seconds, run_seed),
        }
    }
}

/// Seconds and their fraction one by one, as Go's `Duration.Seconds` does: the sum is rounded once.
pub(super) fn in_seconds(ns: u64) -> f64 {
    (ns / SECOND_NS) as f64 + (ns % SECOND_NS) as f64 / SECOND_NS as f64
}

/// The words that rates are written with, and an example of each.
const EXAMPLES: [(&str, &str); 7] = [
    ("ramp", "{ ramp = { from = \"10MiB\", to = \"90MiB\", over = \"5s\" } }"),
    ("step", "{ step = { from = \"10MiB\", to = \"90MiB\", at = \"2s\" } }"),
    ("oscillate", "{ oscillate = { mean = \"50MiB\", amplitude = \"40MiB\", period = \"2s\" } }"),
    ("random", "{ random = { from = \"10MiB\", to = \"90MiB\", every = \"500ms\" } }"),
    ("sum", "{ sum = [\"10MiB\", { ramp = { from = \"0B\", to = \"90MiB\", over = \"5s\" } }] }"),
    ("delay", "{ delay = { by = \"2s\", rate = \"10MiB\" } }"),
    ("scale", "{ scale = { by = 0.5, rate = \"10MiB\" } }"),
];

const ACCEPTED: &str =
    "bytes a second such as \"100MiB\", or { ramp = ... }, step, oscillate, random, sum, delay, scale";

impl Parser {
    /// Reads a rate.
    pub(super) fn rate(&mut self, node: &Node<'_>) -> Option<Rate> {
        self.nested_rate(node, 0)
    }

    fn nested_rate(&mut self, node: &Node<'_>, depth: usize) -> Option<Rate> {
        if !matches!(node.value, toml::de::DeValue::Table(_)) {
            return node.bytes(0..=MEMORY_LIMIT_BYTES, &mut self.log).map(Rate::Constant);
        }
        if depth == NESTING_LIMIT {
            node.wrong(
                "rates are nested too deeply",
                &format!("up to {NESTING_LIMIT} levels"),
                &mut self.log,
            );
            return None;
        }
        let mut entries = node.table(ACCEPTED, &mut self.log)?.into_entries();
        if entries.len() != 1 {
            node.wrong(format!("{} words where a rate has one", entries.len()), ACCEPTED, &mut self.log);
            return None;
        }
        let entry = entries.remove(0);
        let Some((_, example)) = EXAMPLES.iter().find(|(name, _)| *name == entry.name) else {
            let accepted = super::mistake::suggestion(&entry.name, EXAMPLES.iter().map(|(name, _)| *name));
            let reason = format!("unknown rate \"{}\"", entry.name);
            self.log.report(entry.name_span.clone(), &entry.node.path, reason, &accepted);
            return None;
        };
        match entry.name.as_str() {
            "sum" => self.sum(&entry.node, example, depth),
            "delay" | "scale" => self.changed_rate(&entry.name, &entry.node, example, depth),
            name => self.simple_rate(name, &entry.node, example),
        }
    }

    fn sum(&mut self, node: &Node<'_>, example: &str, depth: usize) -> Option<Rate> {
        let nodes = node.array(example, &mut self.log)?;
        if nodes.is_empty() || nodes.len() > SUM_LIMIT {
            node.wrong(format!("{} rates", nodes.len()), &format!("1 to {SUM_LIMIT}"), &mut self.log);
            return None;
        }
        let rates: Vec<Option<Rate>> = nodes.iter().map(|node| self.nested_rate(node, depth + 1)).collect();
        rates.into_iter().collect::<Option<_>>().map(Rate::Sum)
    }

    fn changed_rate(&mut self, name: &str, node: &Node<'_>, example: &str, depth: usize) -> Option<Rate> {
        let mut table = node.table(example, &mut self.log)?;
        let by = table.need("by", example, &mut self.log);
        let rate = table.need("rate", example, &mut self.log);
        table.finish(&mut self.log);
        let rate = rate.and_then(|node| self.nested_rate(&node, depth + 1)).map(Box::new);
        match name {
            "delay" => {
                let by_ns = by?.nanos(LONGEST_NS, &mut self.log)?;
                Some(Rate::Delay { by_ns, rate: rate? })
            }
            _ => {
                let by = by?.number(0.0, FACTOR_LIMIT, &mut self.log)?;
                Some(Rate::Scale { by, rate: rate? })
            }
        }
    }

    fn simple_rate(&mut self, name: &str, node: &Node<'_>, example: &str) -> Option<Rate> {
        let mut table = node.table(example, &mut self.log)?;
        let keys: [&'static str; 3] = match name {
            "ramp" => ["from", "to", "over"],
            "step" => ["from", "to", "at"],
            "oscillate" => ["mean", "amplitude", "period"],
            _ => ["from", "to", "every"],
        };
        let nodes = keys.map(|key| table.need(key, example, &mut self.log));
        let seed = if name == "random" { self.seed(&mut table)? } else { 0 };
        table.finish(&mut self.log);
        let [first, second, time] = nodes;
        let first = first.and_then(|node| node.bytes(0..=MEMORY_LIMIT_BYTES, &mut self.log));
        let second = second.and_then(|node| node.bytes(0..=MEMORY_LIMIT_BYTES, &mut self.log));
        let time_node = time?;
        let time_ns = time_node.nanos(LONGEST_NS, &mut self.log)?;
        if time_ns == 0 {
            time_node.wrong("no time", "a time above zero", &mut self.log);
            return None;
        }
        let (first, second) = (first?, second?);
        Some(match name {
            "ramp" => Rate::Ramp { from: first, to: second, over_ns: time_ns },
            "step" => Rate::Step { from: first, to: second, at_ns: time_ns },
            "oscillate" => Rate::Oscillate { mean: first, amplitude: second, period_ns: time_ns },
            _ => Rate::Random { from: first, to: second, every_ns: time_ns, seed },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rate: &Rate, seconds: f64) -> f64 {
        rate.at(seconds, 1)
    }

    #[test]
    fn simple_rates_have_their_shapes() {
        let ramp = Rate::Ramp { from: 100, to: 300, over_ns: 2 * SECOND_NS };
        assert_eq!([0.0, 1.0, 2.0, 9.0].map(|s| at(&ramp, s)), [100.0, 200.0, 300.0, 300.0]);
        let step = Rate::Step { from: 10, to: 90, at_ns: SECOND_NS };
        assert_eq!([0.0, 0.999, 1.0].map(|s| at(&step, s)), [10.0, 10.0, 90.0]);
        let sine = Rate::Oscillate { mean: 50, amplitude: 80, period_ns: 4 * SECOND_NS };
        assert_eq!([0.0, 1.0, 3.0].map(|s| at(&sine, s).round()), [50.0, 130.0, 0.0]);
    }

    #[test]
    fn a_random_rate_keeps_its_value_for_a_while_and_stays_in_range() {
        let rate = Rate::Random { from: 10, to: 90, every_ns: SECOND_NS / 2, seed: 7 };
        assert_eq!(at(&rate, 0.0), at(&rate, 0.49));
        assert_ne!(at(&rate, 0.0), at(&rate, 0.5));
        assert!((0..1000).all(|turn| (10.0..=90.0).contains(&at(&rate, f64::from(turn)))));
    }

    #[test]
    fn rates_are_put_together() {
        let late = Rate::Delay { by_ns: SECOND_NS, rate: Box::new(Rate::Constant(10)) };
        let half = Rate::Scale { by: 0.5, rate: Box::new(Rate::Constant(100)) };
        let sum = Rate::Sum(vec![late, half]);
        assert_eq!([0.0, 0.9, 1.0].map(|s| at(&sum, s)), [50.0, 50.0, 60.0]);
    }
}
