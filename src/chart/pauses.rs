//! How long: the histogram of pauses, when nobody ran, and of assists, when a goroutine worked for the collector.
//!
//! Durations lie on a logarithmic axis, ten bins to a factor of ten (the preferred numbers R10); both histograms share it. The
//! median, the 99th percentile and the longest are lines with words.

use super::axis::duration_text;
use super::labels::{Item, spread};
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Dash, Picture, at};
use super::scale::{Scale, plain};
use super::text::{bold, regular};
use super::theme::{BODY_PX, Ink, NAME_PX, Theme};
use super::{ChartError, Kind, words};
use crate::trace::{Durations, Recording};

/// Width of the column of counts in pixels.
const COUNTS_PX: f32 = 92.0;
/// Heights of a panel's name, of the words over its lines, and of the axis, in pixels.
const NAME_PX_HIGH: f32 = 36.0;
const LINES_PX: f32 = 46.0;
const AXIS_PX: f32 = 44.0;
/// The ten preferred numbers of a factor of ten, times a hundred.
const R10: [u64; 10] = [100, 125, 160, 200, 250, 315, 400, 500, 630, 800];

const EXPLANATION: &str = "A pause stops the whole program, twice in a cycle, for microseconds. What requests feel more is the assist: \
    a goroutine that allocates while the collector marks has to mark too, or to wait until others have.";

/// Draws the page of one run.
///
/// # Errors
/// [`ChartError::NotRecorded`] without close-ups.
pub fn draw(picture: &mut Picture, theme: &Theme, recording: &Recording) -> Result<(), ChartError> {
    let close_ups = super::close_ups(recording, Kind::Pauses)?;
    let trace = &recording.trace;
    let title = format!("How long the collector holds the program up: {}", trace.title);
    let subtitle = format!(
        "{} · {}{}",
        words::settings(&trace.config),
        words::cycle_count(trace),
        p99_words(&close_ups.pauses, &close_ups.assists)
    );
    let top = page::header(picture, theme, &title, &subtitle);
    let bottom = page::footer(picture, theme, EXPLANATION);
    let area = Area {
        left: MARGIN_PX + COUNTS_PX,
        top,
        right: picture.width_px as f32 - MARGIN_PX - 16.0,
        bottom: bottom - AXIS_PX,
    };
    let all = [&close_ups.pauses, &close_ups.assists];
    let axis = LogAxis::holding(&all, area.left, area.right);
    let height = area.height() / 2.0;
    let panels = [
        ("Pauses: the world stands still", "no pause", theme.danger),
        ("Assists: one goroutine is held up", "no goroutine was held up by an assist", theme.heap_alloc),
    ];
    for (index, ((name, none, ink), durations)) in panels.into_iter().zip(all).enumerate() {
        let top = area.top + index as f32 * height;
        let plot = Area { top: top + NAME_PX_HIGH + LINES_PX, bottom: top + height - 8.0, ..area };
        draw_panel(picture, theme, (name, none, ink), durations, &axis, plot);
    }
    draw_axis(picture, theme, &axis, area.bottom - 8.0);
    Ok(())
}

/// ` · 99 % of pauses ≤ 48 µs, of assists ≤ 1.2 ms`, of what there was.
fn p99_words(pauses: &Durations, assists: &Durations) -> String {
    let named = [("pauses", pauses), ("assists", assists)];
    let said = named.iter().filter(|(_, durations)| durations.count > 0);
    let said: Vec<String> =
        said.map(|(name, durations)| format!("of {name} ≤ {}", duration_text(durations.p99_ns))).collect();
    if said.is_empty() { String::new() } else { format!(" · 99 % {}", said.join(", ")) }
}

/// Durations from `first_bin` on, in bins of [`R10`].
struct LogAxis {
    first_bin: usize,
    bins: usize,
    left: f32,
    right: f32,
}

/// The bin of a duration: ten to a factor of ten, from a nanosecond on.
fn bin_of(ns: u64) -> usize {
    let (mut decade, mut hundredths) = (0, u128::from(ns.max(1)) * 100);
    while hundredths >= 1_000 {
        hundredths /= 10;
        decade += 1;
    }
    let within = R10.iter().rposition(|edge| u128::from(*edge) <= hundredths).unwrap_or(0);
    decade * R10.len() + within
}

/// The shortest duration of a bin in nanoseconds.
fn least_ns(bin: usize) -> u64 {
    let ten_to = 10u128.pow((bin / R10.len()) as u32);
    u64::try_from(u128::from(R10[bin % R10.len()]) * ten_to / 100).unwrap_or(u64::MAX)
}

impl LogAxis {
    /// From the shortest to the longest, at least two factors of ten.
    fn holding(all: &[&Durations], left: f32, right: f32) -> LogAxis {
        let bins = || all.iter().flat_map(|durations| &durations.bins).map(|(ns, _)| bin_of(*ns));
        let longest = all.iter().map(|durations| bin_of(durations.max_ns)).max().unwrap_or(0);
        let first = bins().min().unwrap_or(R10.len() * 3).saturating_sub(1);
        let last = bins().max().unwrap_or(R10.len() * 4).max(longest).max(first + 2 * R10.len()) + 1;
        LogAxis { first_bin: first, bins: last - first + 1, left, right }
    }

    fn bin_px(&self) -> f32 {
        (self.right - self.left) / self.bins as f32
    }

    /// Where a duration lies: in proportion within its bin.
    fn x(&self, ns: u64) -> f32 {
        let bin = bin_of(ns);
        let (from, to) = (least_ns(bin) as f64, least_ns(bin + 1) as f64);
        let within = if to > from { ((ns as f64 - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        let bins = bin as f64 + within - self.first_bin as f64;
        (self.left + self.bin_px() * bins as f32).clamp(self.left, self.right)
    }
}

fn draw_panel(
    picture: &mut Picture,
    theme: &Theme,
    (name, none, ink): (&str, &str, Ink),
    durations: &Durations,
    axis: &LogAxis,
    plot: Area,
) {
    let y = plot.top - LINES_PX - NAME_PX_HIGH / 2.0;
    let named = picture.text(at(MARGIN_PX, y), Align::Start, bold(NAME_PX), theme.text, name);
    picture.fill(plot, theme.panel_alternate);
    if durations.count == 0 {
        picture.text(plot.center(), Align::Middle, regular(NAME_PX), theme.text_quiet, none);
        return;
    }
    let words =
        format!("{} times, together {}", plain(durations.count as f64, 0), duration_text(durations.total_ns));
    picture.text(at(named.right + 16.0, y), Align::Start, regular(BODY_PX), theme.text_quiet, &words);

    let mut counts = vec![0u64; axis.bins];
    for (ns, count) in &durations.bins {
        counts[(bin_of(*ns) - axis.first_bin).min(axis.bins - 1)] += count;
    }
    let scale = Scale::holding(counts.iter().map(|count| *count as f64), 0.0, plot);
    let whole = Scale { high: scale.high.max(4.0), ..scale };
    whole.draw(picture, theme, plot, 46.0, "");
    for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let left = axis.left + bin as f32 * axis.bin_px();
        // One pause among thousands is still there.
        let top = whole.y(*count as f64).min(plot.bottom - 2.0);
        let bar = Area { left: left + 1.0, right: left + axis.bin_px() - 1.0, top, bottom: plot.bottom };
        picture.fill(bar, ink);
    }
    draw_lines(picture, theme, durations, axis, plot);
}

/// Median, 99th percentile and longest, each with its words above the plot.
fn draw_lines(picture: &mut Picture, theme: &Theme, durations: &Durations, axis: &LogAxis, plot: Area) {
    let font = bold(BODY_PX);
    let lines = [("half", durations.p50_ns), ("99 %", durations.p99_ns), ("longest", durations.max_ns)];
    let texts = lines
        .map(|(name, ns)| {
            format!("{name} {} {}", if name == "longest" { "" } else { "≤" }, duration_text(ns))
        })
        .map(|text| text.replace("  ", " "));
    let items: Vec<Item> = lines
        .iter()
        .zip(&texts)
        .map(|((_, ns), text)| Item { wish: axis.x(*ns), length: font.width_px(text) + 22.0 })
        .collect();
    let places = spread(&items, MARGIN_PX, plot.right + 16.0);
    let y = plot.top - LINES_PX + 14.0;
    for (((_, ns), text), place) in lines.iter().zip(&texts).zip(places) {
        let x = axis.x(*ns);
        picture.stroke(
            vec![at(place, y + 15.0), at(x, plot.top), at(x, plot.bottom)],
            2.0,
            Dash::Long,
            theme.text,
        );
        picture.text(at(place, y), Align::Middle, font, theme.text, text);
    }
}

/// Round durations: 1, 2 and 5 of every unit, as many as there is room for.
fn draw_axis(picture: &mut Picture, theme: &Theme, axis: &LogAxis, top: f32) {
    let font = regular(BODY_PX);
    let mut free_from = f32::NEG_INFINITY;
    let bins = axis.first_bin..=axis.first_bin + axis.bins;
    let fits_fives = axis.bin_px() * 3.0 > 84.0;
    for bin in bins.filter(|bin| matches!((bin % R10.len(), fits_fives), (0, _) | (3 | 7, true))) {
        let x = axis.left + (bin - axis.first_bin) as f32 * axis.bin_px();
        let text = duration_text(least_ns(bin));
        let half = font.width_px(&text) / 2.0;
        if x - half < free_from || x + half > picture.width_px as f32 - 4.0 {
            continue;
        }
        free_from = x + half + 14.0;
        picture.fill(Area { left: x - 1.0, right: x + 1.0, top, bottom: top + 8.0 }, theme.rule);
        picture.text(at(x, top + 25.0), Align::Middle, font, theme.text_quiet, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bins_begin_at_preferred_numbers() {
        assert_eq!([0, 1, 3, 10, 33].map(least_ns), [1, 1, 2, 10, 2_000]);
        assert_eq!([1, 9, 10, 12, 13, 1_999, 2_000].map(bin_of), [0, 9, 10, 10, 11, 32, 33]);
    }

    proptest! {
        #[test]
        fn a_duration_lies_in_its_bin(ns in 100u64..1 << 60) {
            let bin = bin_of(ns);
            prop_assert!(least_ns(bin) <= ns && ns < least_ns(bin + 1), "{ns} in {bin}");
        }
    }
}
