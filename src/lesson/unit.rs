//! What a number of a lesson counts, and how it is written for people.
//!
//! Three digits are enough on a projector: `38.3 MiB`, `107 ms`, `2.1`. A share that is not quite all is never written as 100 %.

use crate::units::{GIB, KIB, MIB, MICROSECOND_NS, MILLISECOND_NS, Nanos, SECOND_NS};

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanos,
    /// Things: collections, objects, requests.
    Count,
    /// Hundredths.
    Percent,
    /// How many times as much.
    Times,
}

/// A unit that an answer may be given in: its name, what it counts, and how many base units it has.
pub type AnswerUnit = (&'static str, Unit, f64);

/// Every unit that an answer may be given in.
pub const ANSWER_UNITS: [AnswerUnit; 12] = [
    ("", Unit::Count, 1.0),
    ("%", Unit::Percent, 1.0),
    ("times", Unit::Times, 1.0),
    ("B", Unit::Bytes, 1.0),
    ("KiB", Unit::Bytes, KIB as f64),
    ("MiB", Unit::Bytes, MIB as f64),
    ("GiB", Unit::Bytes, GIB as f64),
    ("ns", Unit::Nanos, 1.0),
    ("us", Unit::Nanos, MICROSECOND_NS as f64),
    ("ms", Unit::Nanos, MILLISECOND_NS as f64),
    ("s", Unit::Nanos, SECOND_NS as f64),
    ("m", Unit::Nanos, 60.0 * SECOND_NS as f64),
];

impl Unit {
    /// What a unit counts, in words.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Bytes => "bytes",
            Unit::Nanos => "time",
            Unit::Count => "a count",
            Unit::Percent => "percent",
            Unit::Times => "a ratio",
        }
    }

    /// `value` as people write it.
    pub fn written(self, value: f64) -> String {
        if value < 0.0 {
            return format!("-{}", self.written(-value));
        }
        match self {
            Unit::Bytes => bytes(value),
            Unit::Nanos => Nanos(value as u64).to_string(),
            Unit::Count => crate::scenario::reader::grouped(value.round() as u64),
            Unit::Percent => percent(value),
            Unit::Times if value < 9.95 => format!("{value:.1}"),
            Unit::Times => format!("{value:.0}"),
        }
    }
}

fn bytes(value: f64) -> String {
    let units = [("GiB", GIB), ("MiB", MIB), ("KiB", KIB)];
    let Some((name, scale)) = units.into_iter().find(|(_, scale)| value >= *scale as f64) else {
        return format!("{value:.0} B");
    };
    let scaled = value / scale as f64;
    let decimals = if scaled < 9.995 { 2 } else { usize::from(scaled < 99.95) };
    format!("{scaled:.decimals$} {name}")
}

fn percent(value: f64) -> String {
    let decimals = match value {
        0.0 => 0,
        v if v < 0.95 => 2,
        v if v < 9.95 || (99.0..100.0).contains(&v) => 1,
        _ => 0,
    };
    format!("{value:.decimals$}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(Unit::Bytes.written(40_206_336.0), "38.3 MiB");
        assert_eq!(Unit::Bytes.written(512.0 * MIB as f64), "512 MiB");
        assert_eq!(Unit::Bytes.written(2.5 * MIB as f64), "2.50 MiB");
        assert_eq!(Unit::Bytes.written(100.0), "100 B");
        assert_eq!(Unit::Bytes.written(-2048.0), "-2.00 KiB");
        assert_eq!(Unit::Nanos.written(2.5e9), "2.50 s");
        assert_eq!(Unit::Count.written(1_000_000.0), "1,000,000");
        assert_eq!(Unit::Times.written(2.06), "2.1");
        assert_eq!(Unit::Times.written(12.4), "12");
    }

    #[test]
    fn what_is_not_quite_all_is_not_written_as_all() {
        assert_eq!(Unit::Percent.written(100.0), "100%");
        assert_eq!(Unit::Percent.written(99.7), "99.7%");
        assert_eq!(Unit::Percent.written(47.2), "47%");
        assert_eq!(Unit::Percent.written(0.31), "0.31%");
        assert_eq!(Unit::Percent.written(0.0), "0%");
    }
}
