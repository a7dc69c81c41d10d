//! Colours of a heat map: from light for the least to dark for the most, by equal ratios.
//!
//! The colours are ColorBrewer's YlGnBu (C. Brewer), which people with any common colour vision deficiency order alike, as
//! does a photocopier: lightness falls all the way. Ratios, because a sweep goes from 10 to 1000: twice as much is always the
//! same step.

use super::super::axis::size_text;
use super::super::theme::{Ink, ink};
use crate::units::MIB;

/// What a heat map shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Bytes; cells are labelled in MiB.
    Bytes,
    /// A share, 0 to 1; cells are labelled in percent.
    Share,
}

impl Quantity {
    /// What a cell says: a number in few digits, without its unit.
    pub(super) fn cell_text(self, value: f64) -> String {
        let number = match self {
            Quantity::Bytes => value / MIB as f64,
            Quantity::Share => value * 100.0,
        };
        let decimals = match number {
            number if number >= 9.95 || number == 0.0 => 0,
            number if number >= 0.995 => 1,
            _ => 2,
        };
        format!("{number:.decimals$}")
    }

    /// The unit of the numbers in the cells.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Quantity::Bytes => "MiB",
            Quantity::Share => "%",
        }
    }

    /// A value with its unit, for the key.
    pub(super) fn text(self, value: f64) -> String {
        match self {
            Quantity::Bytes => size_text(value as u64),
            Quantity::Share => format!("{} %", self.cell_text(value)),
        }
    }

    /// Below this, differences are none that anyone would see.
    fn least(self) -> f64 {
        match self {
            Quantity::Bytes => MIB as f64,
            Quantity::Share => 0.0005,
        }
    }
}

const COLOURS: [[u8; 3]; 9] = [
    [255, 255, 217],
    [237, 248, 177],
    [199, 233, 180],
    [127, 205, 187],
    [65, 182, 196],
    [29, 145, 192],
    [34, 94, 168],
    [37, 52, 148],
    [8, 29, 88],
];

/// From values to colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// The scale that reaches from the least to the most of `values`.
    pub fn over(quantity: Quantity, values: impl Iterator<Item = f64>) -> Scale {
        let floored = values.map(|value| value.max(quantity.least()));
        let (low, high) = floored.fold((f64::INFINITY, 0.0), |(low, high), v| (low.min(v), v.max(high)));
        if low > high { Scale { low: quantity.least(), high: quantity.least() } } else { Scale { low, high } }
    }

    /// Where a value lies between the least and the most, 0 to 1.
    fn share(self, value: f64) -> f64 {
        let width = (self.high / self.low).ln();
        if width <= 0.0 { 0.0 } else { ((value.max(self.low) / self.low).ln() / width).min(1.0) }
    }

    /// The value at a share of the way.
    pub fn value_at(self, share: f64) -> f64 {
        self.low * (self.high / self.low).powf(share)
    }

    /// The colour of a value.
    pub fn ink(self, value: f64) -> Ink {
        colour_at(self.share(value))
    }

    /// The colour of a text on [`Scale::ink`].
    pub fn text_ink(self, value: f64) -> Ink {
        let [red, green, blue] = self.ink(value).rgb.map(f64::from);
        if 0.3 * red + 0.59 * green + 0.11 * blue > 140.0 { ink(10, 14, 24) } else { ink(255, 255, 255) }
    }
}

/// The colour at a share of the way from light to dark.
pub(super) fn colour_at(share: f64) -> Ink {
    let place = share.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let below = (place as usize).min(COLOURS.len() - 2);
    let part = place - below as f64;
    let mix = |channel: usize| {
        let (from, to) = (f64::from(COLOURS[below][channel]), f64::from(COLOURS[below + 1][channel]));
        (from + (to - from) * part).round() as u8
    };
    ink(mix(0), mix(1), mix(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_always_darker() {
        let lightness = |share: f64| {
            let [red, green, blue] = colour_at(share).rgb.map(f64::from);
            0.3 * red + 0.59 * green + 0.11 * blue
        };
        for step in 0..100 {
            assert!(lightness(f64::from(step) / 100.0) > lightness(f64::from(step + 1) / 100.0), "{step}");
        }
    }

    #[test]
    fn equal_ratios_are_equal_steps_and_one_value_is_a_scale_too() {
        let scale = Scale::over(Quantity::Bytes, [100.0, 400.0].map(|mib| mib * MIB as f64).into_iter());
        assert!((scale.share(200.0 * MIB as f64) - 0.5).abs() < 1e-12);
        assert!((scale.value_at(0.5) / MIB as f64 - 200.0).abs() < 1e-9);
        let single = Scale::over(Quantity::Share, std::iter::once(0.0));
        assert_eq!(single.ink(0.0), colour_at(0.0));
        assert_eq!(Scale::over(Quantity::Share, std::iter::empty()).share(0.5), 0.0);
    }

    #[test]
    fn cells_have_few_digits() {
        let text = |value: f64| Quantity::Share.cell_text(value / 100.0);
        assert_eq!([text(0.0), text(0.123), text(1.26), text(25.4)], ["0", "0.12", "1.3", "25"]);
        assert_eq!(Quantity::Bytes.cell_text(1536.0 * MIB as f64), "1536");
    }
}
