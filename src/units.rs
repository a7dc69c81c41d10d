//! Units: byte sizes and durations as people write them, and the constants every layer shares.
//!
//! The model computes with plain `u64` whose names end in their unit (`heap_live_bytes`, `pause_ns`).
//! The two newtypes here stand at the edges - scenario files, flags, tables - where text becomes a number
//! and a number becomes text.

use std::fmt;
use std::str::FromStr;

/// One kibibyte.
pub const KIB: u64 = 1 << 10;
/// One mebibyte.
pub const MIB: u64 = 1 << 20;
/// One gibibyte.
pub const GIB: u64 = 1 << 30;

/// One microsecond in nanoseconds.
pub const MICROSECOND_NS: u64 = 1_000;
/// One millisecond in nanoseconds.
pub const MILLISECOND_NS: u64 = 1_000_000;
/// One second in nanoseconds.
pub const SECOND_NS: u64 = 1_000_000_000;

/// Size of a Go runtime page in bytes (`runtime/malloc.go` `pageSize`, every version).
pub const PAGE_BYTES: u64 = 8 * KIB;
/// Size of a physical page in bytes on linux/amd64.
pub const PHYSICAL_PAGE_BYTES: u64 = 4 * KIB;
/// Runtime pages in one palloc chunk, the 4 MiB unit of heap growth and of scavenger bookkeeping
/// (`runtime/mpagealloc.go` `pallocChunkPages`).
pub const CHUNK_PAGES: u64 = 512;
/// Bytes in one palloc chunk: 4 MiB.
pub const CHUNK_BYTES: u64 = CHUNK_PAGES * PAGE_BYTES;

/// A size in bytes that reads and prints as people write it: `"64MiB"`, `"100B"`, `"4096"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

/// A length of time in nanoseconds that reads and prints as people write it: `"250ms"`, `"2m"`, `"1h30m"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

/// Why a text is not a [`Bytes`] or a [`Nanos`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct UnitError {
    /// The text as it was given.
    pub text: String,
    /// What would have been accepted.
    pub expected: &'static str,
}

const BYTES_EXPECTED: &str =
    "a size: a whole number and a unit of B, KiB, MiB, GiB or TiB, such as \"64MiB\"";
const NANOS_EXPECTED: &str =
    "a duration: numbers with a unit of ns, us, ms, s, m or h, such as \"250ms\" or \"1m30s\"";

const BYTE_UNITS: [(&str, u64); 6] =
    [("TiB", 1 << 40), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB), ("B", 1), ("", 1)];
const TIME_UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", MICROSECOND_NS),
    ("µs", MICROSECOND_NS),
    ("ms", MILLISECOND_NS),
    ("s", SECOND_NS),
    ("m", 60 * SECOND_NS),
    ("h", 3600 * SECOND_NS),
];

impl FromStr for Bytes {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError { text: text.to_owned(), expected: BYTES_EXPECTED };
        let (number, unit) = split_number(text.trim()).ok_or_else(error)?;
        let scale = BYTE_UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(error)?.1;
        scale_exactly(number, scale).map(Bytes).ok_or_else(error)
    }
}

impl FromStr for Nanos {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError { text: text.to_owned(), expected: NANOS_EXPECTED };
        let mut rest = text.trim();
        if rest == "0" {
            return Ok(Nanos(0));
        }
        if rest.is_empty() {
            return Err(error());
        }
        let mut total_ns = 0u64;
        while !rest.is_empty() {
            let (number, tail) = split_number(rest).ok_or_else(error)?;
            let unit_end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_end);
            let scale = TIME_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(error)?.1;
            let part_ns = scale_exactly(number, scale).ok_or_else(error)?;
            total_ns = total_ns.checked_add(part_ns).ok_or_else(error)?;
            rest = tail;
        }
        Ok(Nanos(total_ns))
    }
}

/// Splits `"1_000.5MiB"` into its number and the text behind it.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.split_at(end))
}

/// `number * scale`, without passing through floating point; `None` when it is not a whole `u64`.
fn scale_exactly(number: &str, scale: u64) -> Option<u64> {
    let digits: String = number.chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole: u64 = whole.parse().ok()?;
    let mut total = u128::from(whole) * u128::from(scale);
    if !fraction.is_empty() {
        let denominator = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let numerator = fraction.parse::<u128>().ok()?.checked_mul(u128::from(scale))?;
        total += numerator / denominator;
    }
    u64::try_from(total).ok()
}

impl fmt::Display for Bytes {
    /// Two decimals in the largest binary unit that fits: `38.34 MiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, scale) =
            BYTE_UNITS.iter().copied().find(|(_, scale)| self.0 >= *scale).unwrap_or(("B", 1));
        if scale == 1 {
            return f.pad(&format!("{} B", self.0));
        }
        f.pad(&format!("{:.2} {name}", self.0 as f64 / scale as f64))
    }
}

impl fmt::Display for Nanos {
    /// Three significant digits in a unit of ns, µs, ms or s; minutes and hours as `2m05s`, `1h02m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        let text = match ns {
            0..1_000 => format!("{ns} ns"),
            1_000..1_000_000 => three_digits(ns, MICROSECOND_NS, "µs"),
            1_000_000..SECOND_NS => three_digits(ns, MILLISECOND_NS, "ms"),
            SECOND_NS..60_000_000_000 => three_digits(ns, SECOND_NS, "s"),
            60_000_000_000..3_600_000_000_000 => {
                format!("{}m{:02}s", ns / (60 * SECOND_NS), ns / SECOND_NS % 60)
            }
            _ => format!("{}h{:02}m", ns / (3600 * SECOND_NS), ns / (60 * SECOND_NS) % 60),
        };
        f.pad(&text)
    }
}

fn three_digits(ns: u64, scale_ns: u64, unit: &str) -> String {
    let value = ns as f64 / scale_ns as f64;
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("100B", 100),
            ("64MiB", 64 * MIB),
            ("1.5GiB", 3 * GIB / 2),
            ("1_000", 1000),
            ("8 KiB", 8192),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, ns) in [
            ("0", 0),
            ("250ms", 250 * MILLISECOND_NS),
            ("1m30s", 90 * SECOND_NS),
            ("1.5us", 1500),
            ("6m", 360 * SECOND_NS),
        ] {
            assert_eq!(text.parse(), Ok(Nanos(ns)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_what_would_be_accepted() {
        for text in ["", "-1", "64MB", "1e9", "99999999999TiB", "MiB"] {
            assert!(text.parse::<Bytes>().unwrap_err().to_string().contains("MiB"), "{text}");
        }
        for text in ["", "5", "5 minutes", "-2s", "1s garbage"] {
            assert!(text.parse::<Nanos>().unwrap_err().to_string().contains("250ms"), "{text}");
        }
    }

    #[test]
    fn numbers_print_in_the_unit_a_person_would_choose() {
        assert_eq!(Bytes(40_206_336).to_string(), "38.34 MiB");
        assert_eq!(Bytes(512).to_string(), "512 B");
        assert_eq!(Nanos(2_345_678).to_string(), "2.35 ms");
        assert_eq!(Nanos(125 * SECOND_NS).to_string(), "2m05s");
    }
}
