//! A vertical axis of plain numbers, which may begin below zero: shares, ratios, counts.

use super::picture::{Align, Area, Picture, at};
use super::text::regular;
use super::theme::{BODY_PX, Theme};

/// Where a number lies on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The number at the bottom.
    pub low: f64,
    /// The number at the top, above `low`.
    pub high: f64,
    /// The bottom in pixels.
    pub bottom_px: f32,
    /// The top in pixels.
    pub top_px: f32,
}

impl Scale {
    /// A scale that holds all of `values` and `base`, with some room beyond.
    pub fn holding(values: impl IntoIterator<Item = f64>, base: f64, plot: Area) -> Scale {
        const ROOM: f64 = 0.08;
        let (low, high) = values
            .into_iter()
            .filter(|value| value.is_finite())
            .fold((base, base), |(low, high), value| (low.min(value), high.max(value)));
        let span = if high > low { high - low } else { 1.0 };
        Scale {
            low: if low < base { low - span * ROOM } else { low },
            high: if high > base { high + span * ROOM } else { high + span },
            bottom_px: plot.bottom,
            top_px: plot.top,
        }
    }

    /// The height of a number; numbers beyond the ends lie at the ends.
    pub fn y(&self, value: f64) -> f32 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.bottom_px - (self.bottom_px - self.top_px) * share as f32
    }

    /// Round numbers, at most so many that neighbours stand `gap_px` apart, and how many decimals they need.
    pub fn ticks(&self, gap_px: f32) -> (Vec<f64>, usize) {
        let most = ((self.bottom_px - self.top_px) / gap_px).max(2.0);
        let wanted = (self.high - self.low) / f64::from(most);
        let (mut unit, mut decimals) = (1.0, 0usize);
        while unit > wanted && decimals < 6 {
            unit /= 10.0;
            decimals += 1;
        }
        while unit * 10.0 <= wanted {
            unit *= 10.0;
        }
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * unit).into_iter().find(|step| *step >= wanted);
        let step = step.unwrap_or(unit * 10.0);
        if step >= unit * 10.0 {
            decimals = decimals.saturating_sub(1);
        }
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        ((first..=last).map(|index| index as f64 * step).collect(), decimals)
    }

    /// Draws the ticks across `plot` with their numbers left of it.
    pub fn draw(&self, picture: &mut Picture, theme: &Theme, plot: Area, gap_px: f32, unit: &str) {
        let (ticks, decimals) = self.ticks(gap_px);
        for value in ticks {
            let y = self.y(value);
            let ink = if value == 0.0 { theme.rule } else { theme.grid };
            picture.fill(Area { top: y - 1.0, bottom: y, ..plot }, ink);
            let text = format!("{}{unit}", plain(value, decimals));
            picture.text(at(plot.left - 10.0, y), Align::End, regular(BODY_PX), theme.text_quiet, &text);
        }
    }
}

/// A number with so many decimals, and thousands apart.
pub fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) if rest.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) => ("-", rest),
        Some(rest) => ("", rest),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, String::new()), |(whole, fraction)| (whole, format!(".{fraction}")));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLOT: Area = Area { left: 0.0, top: 100.0, right: 10.0, bottom: 300.0 };

    #[test]
    fn numbers_are_round_and_grouped() {
        let scale = Scale::holding([-0.05, 0.12], 0.0, PLOT);
        let (ticks, decimals) = scale.ticks(50.0);
        let words: Vec<String> = ticks.iter().map(|tick| plain(*tick, decimals)).collect();
        assert_eq!(words, ["-0.05", "0.00", "0.05", "0.10"]);
        assert_eq!(plain(1_234_567.0, 0), "1,234,567");
        assert_eq!((plain(-0.001, 2), plain(-12.5, 1)), ("0.00".to_owned(), "-12.5".to_owned()));
    }

    #[test]
    fn equal_numbers_have_a_scale_too() {
        let scale = Scale::holding([0.0, 0.0], 0.0, PLOT);
        assert_eq!((scale.y(0.0), scale.y(5.0)), (300.0, 100.0));
    }

    proptest! {
        #[test]
        fn ticks_are_few_and_within_the_scale(
            values in prop::collection::vec(-1e9f64..1e9, 1..9),
            gap_px in 20f32..120.0,
        ) {
            let scale = Scale::holding(values, 0.0, PLOT);
            let (ticks, _) = scale.ticks(gap_px);
            prop_assert!(ticks.len() <= (200.0 / gap_px).max(2.0) as usize + 2, "{ticks:?}");
            prop_assert!(ticks.iter().all(|tick| (scale.low..=scale.high).contains(tick)));
        }
    }
}
