//! An axis of a sweep: values of one setting, as a flag lists them.
//!
//! `25,50,100` are values; `10..1000:log20` are 20 values from 10 to 1000 with equal ratios, `10..100:lin4` with equal
//! distances; `off,10..1000:log20` is both. Ends are exact, what lies between is rounded to what people write - whole
//! percents, whole MiB - and a value that comes twice counts once.

use std::str::FromStr;

use crate::scenario::{Gogc, MemoryLimit, PROCS_LIMIT};
use crate::units::{Bytes, MIB};

/// Most values of one range.
const COUNT_LIMIT: u32 = 10_000;

/// A setting that an axis can list.
pub trait AxisValue: Copy + PartialEq {
    /// An example of a list, for messages.
    const EXAMPLE: &'static str;

    /// Reads one value.
    ///
    /// # Errors
    /// What is wrong with the text, and what is accepted.
    fn read(text: &str) -> Result<Self, String>;

    /// The number it stands for; `None` for "off".
    fn number(self) -> Option<u64>;

    /// The value nearest to a number, as people write it.
    fn rounded(number: f64) -> Self;
}

/// Values that one part of a list flag, between commas, stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis<T>(Vec<T>);

impl<T: AxisValue> Axis<T> {
    /// The values of all parts of a flag in their order, each once.
    pub fn values(parts: &[Axis<T>]) -> Vec<T> {
        let mut values: Vec<T> = Vec::new();
        for value in parts.iter().flat_map(|part| &part.0) {
            if !values.contains(value) {
                values.push(*value);
            }
        }
        values
    }
}

impl<T: AxisValue> FromStr for Axis<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Axis<T>, String> {
        let Some((ends, spacing)) = text.split_once(':') else {
            if text.contains("..") {
                return Err(format!("{text:?} does not say how many values; accepted: {}", T::EXAMPLE));
            }
            return Ok(Axis(vec![T::read(text)?]));
        };
        let wrong = |what: &str| format!("{text:?} {what}; accepted: {}", T::EXAMPLE);
        let (low, high) = ends.split_once("..").ok_or_else(|| wrong("has no range before the colon"))?;
        let (low, high) = (T::read(low)?, T::read(high)?);
        let (Some(from), Some(to)) = (low.number(), high.number()) else {
            return Err(wrong("has an end that is no number"));
        };
        if from == 0 || from >= to {
            return Err(wrong("is no range from a smaller number above 0 to a larger one"));
        }
        let letters = spacing.find(|c: char| c.is_ascii_digit()).unwrap_or(spacing.len());
        let (name, count) = spacing.split_at(letters);
        let count: u32 = count
            .parse()
            .ok()
            .filter(|count| (2..=COUNT_LIMIT).contains(count))
            .ok_or_else(|| wrong(&format!("needs a count of 2 to {COUNT_LIMIT} values")))?;
        let (from, to) = (from as f64, to as f64);
        let between: fn(f64, f64, f64) -> f64 = match name {
            "log" => |from, to, share| from * (to / from).powf(share),
            "lin" => |from, to, share| from + (to - from) * share,
            _ => return Err(wrong("is spaced in a way that is not known")),
        };
        let share = |number: u32| f64::from(number) / f64::from(count - 1);
        let middle = (1..count - 1).map(|number| T::rounded(between(from, to, share(number))));
        let all: Vec<T> = std::iter::once(low).chain(middle).chain([high]).collect();
        Ok(Axis(Axis::values(&[Axis(all)])))
    }
}

impl AxisValue for Gogc {
    const EXAMPLE: &'static str = "25,50,100 or off,10..1000:log20 or 10..100:lin10";

    fn read(text: &str) -> Result<Gogc, String> {
        text.parse()
    }

    fn number(self) -> Option<u64> {
        self.percent().map(u64::from)
    }

    fn rounded(number: f64) -> Gogc {
        Gogc::Percent(number.round() as u32)
    }
}

impl AxisValue for MemoryLimit {
    const EXAMPLE: &'static str = "off,256MiB or 128MiB..2GiB:log10 or 1GiB..4GiB:lin4";

    fn read(text: &str) -> Result<MemoryLimit, String> {
        text.parse()
    }

    fn number(self) -> Option<u64> {
        self.bytes()
    }

    fn rounded(number: f64) -> MemoryLimit {
        MemoryLimit::Bytes(whole_mib(number))
    }
}

impl AxisValue for Bytes {
    const EXAMPLE: &'static str = "256MiB,512MiB or 128MiB..2GiB:log5 or 1GiB..4GiB:lin4";

    fn read(text: &str) -> Result<Bytes, String> {
        text.parse().map_err(|error: crate::units::UnitError| error.to_string())
    }

    fn number(self) -> Option<u64> {
        Some(self.0)
    }

    fn rounded(number: f64) -> Bytes {
        Bytes(whole_mib(number))
    }
}

/// Whole MiB, and whole bytes of what is smaller than one.
fn whole_mib(bytes: f64) -> u64 {
    let mib = (bytes / MIB as f64).round() as u64;
    if mib == 0 { bytes.round() as u64 } else { mib * MIB }
}

/// A number of processors: GOMAXPROCS, or the cores of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Procs(pub u32);

impl AxisValue for Procs {
    const EXAMPLE: &'static str = "1,2,4,8 or 1..64:log7 or 1..8:lin8";

    fn read(text: &str) -> Result<Procs, String> {
        let number = text.trim().parse().ok().filter(|procs| (1..=PROCS_LIMIT).contains(procs));
        number
            .map(Procs)
            .ok_or_else(|| format!("{text:?} is not a number of processors; accepted: 1 to {PROCS_LIMIT}"))
    }

    fn number(self) -> Option<u64> {
        Some(u64::from(self.0))
    }

    fn rounded(number: f64) -> Procs {
        Procs(number.round() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gogcs(text: &str) -> Result<Vec<String>, String> {
        let parts: Result<Vec<Axis<Gogc>>, String> = text.split(',').map(str::parse).collect();
        Ok(Axis::values(&parts?).iter().map(Gogc::to_string).collect())
    }

    #[test]
    fn lists_and_ranges_mix_and_a_value_comes_once() {
        assert_eq!(gogcs("off,100,50,100").unwrap(), ["off", "100", "50"]);
        assert_eq!(gogcs("10..1000:log5").unwrap(), ["10", "32", "100", "316", "1000"]);
        assert_eq!(gogcs("100,10..100:lin4").unwrap(), ["100", "10", "40", "70"]);
        assert_eq!(gogcs("1..3:log9").unwrap(), ["1", "2", "3"]);
        assert_eq!(gogcs("10..1000:log20").unwrap().len(), 20);
    }

    #[test]
    fn limits_are_rounded_to_what_people_write() {
        let axis: Axis<MemoryLimit> = "128MiB..2GiB:log10".parse().unwrap();
        let mib: Vec<u64> = Axis::values(&[axis]).iter().map(|limit| limit.bytes().unwrap() >> 20).collect();
        assert_eq!(mib, [128, 174, 237, 323, 439, 597, 813, 1106, 1505, 2048]);
        let procs: Axis<Procs> = "1..8:log4".parse().unwrap();
        assert_eq!(Axis::values(&[procs]), [1, 2, 4, 8].map(Procs));
    }

    #[test]
    fn what_is_no_axis_is_refused_with_what_would_be() {
        for text in [
            "10..1000",
            "10..1000:",
            "10..1000:log",
            "10..1000:log1",
            "1000..10:log5",
            "10..10:log5",
            "0..10:lin3",
            "off..10:log3",
            "10:log3",
            "10..1000:cubic5",
            "10..1000:log99999999",
            "x",
            "-1",
            "",
        ] {
            let error = gogcs(text).unwrap_err();
            assert!(error.contains("accepted"), "{text}: {error}");
        }
        assert!("0".parse::<Axis<Procs>>().unwrap_err().contains("1 to 256"));
    }

    proptest! {
        #[test]
        fn a_range_keeps_its_ends_ascends_and_has_at_most_its_count(
            from in 1u32..1000, more in 1u32..100_000, count in 2usize..50, name in prop::sample::select(vec!["log", "lin"])
        ) {
            let to = from + more;
            let axis: Axis<Gogc> = format!("{from}..{to}:{name}{count}").parse().unwrap();
            let values: Vec<u32> = axis.0.iter().map(|value| value.percent().unwrap()).collect();
            prop_assert_eq!((values[0], *values.last().unwrap()), (from, to));
            prop_assert!(values.windows(2).all(|pair| pair[0] < pair[1]) && values.len() <= count);
        }
    }
}
