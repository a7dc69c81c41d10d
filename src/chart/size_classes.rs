//! Spans by size class: what the heap is made of, and what of it is waste.
//!
//! A row for each size class in use, in order of size, says two things that one bar cannot say. How much memory its spans hold: a bar on
//! a logarithmic axis, because one class often holds a thousand times as much as the next. And what those spans consist of: a bar of
//! equal length for every class, in which objects, free slots and what no slot covers are parts of the whole. The numbers stand
//! at the bars.

use super::axis::{duration_text, size_text};
use super::moments::{Moments, choose};
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Hatching, Mark, Picture, at};
use super::scale::plain;
use super::text::{Font, bold, regular};
use super::theme::{BODY_PX, Theme};
use super::{ChartError, Kind, words};
use crate::elementary::log2;
use crate::trace::{Recording, SizeClassRow, SizeClasses};

/// Width of the column of sizes in pixels.
const NAMES_PX: f32 = 130.0;
/// Width of the bars of bytes, with the number at their ends, and of that number, in pixels.
const BYTES_PX: f32 = 500.0;
const BYTES_TEXT_PX: f32 = 104.0;
/// From the bars of bytes to those of parts, in pixels.
const GUTTER_PX: f32 = 36.0;
/// Width of the columns of numbers on the right, in pixels.
const NUMBERS_PX: f32 = 330.0;
/// The lowest and the highest row in pixels.
const LOWEST_PX: f32 = 27.0;
const HIGHEST_PX: f32 = 60.0;
/// Heights of the key, the heading and the axis in pixels.
const KEY_PX: f32 = 38.0;
const HEADING_PX: f32 = 34.0;
const AXIS_PX: f32 = 40.0;

const EXPLANATION: &str = "Every span holds slots of one size. A free slot serves only objects of that size class, and a span goes \
    back to the page heap only when all of its slots are free: that is how a few survivors hold many pages.";

/// Draws the size classes at the moment in `wanted`, or when spans took the most room.
///
/// # Errors
/// [`ChartError::NotRecorded`] without close-ups, [`ChartError::NoSuchMoment`], [`ChartError::TooManyMoments`].
pub fn draw(
    picture: &mut Picture,
    theme: &Theme,
    recording: &Recording,
    wanted: &[String],
) -> Result<(), ChartError> {
    let moments = &super::close_ups(recording, Kind::SizeClasses)?.size_classes;
    let labels: Vec<&str> = moments.iter().map(|moment| moment.label.as_str()).collect();
    let size = |index: &usize| total(&moments[*index].rows).span_bytes;
    let largest = (0..moments.len()).max_by_key(|index| (size(index), std::cmp::Reverse(*index)));
    let chosen = choose(&labels, wanted, 1, Moments::Only(largest.unwrap_or(0)))?;

    let title = format!("What the heap is made of: {}", recording.trace.title);
    let settings = words::settings(&recording.trace.config);
    let moment = chosen.first().map(|index| &moments[*index]);
    let subtitle = match moment {
        Some(moment) => format!("at “{}”, after {} – {settings}", moment.label, duration_text(moment.t_ns)),
        None => settings,
    };
    let top = page::header(picture, theme, &title, &subtitle);
    let bottom = page::footer(picture, theme, EXPLANATION);
    let area = Area { left: MARGIN_PX, top, right: picture.width_px as f32 - MARGIN_PX, bottom };
    match moment.filter(|moment| !moment.rows.is_empty()) {
        Some(moment) => draw_classes(picture, theme, moment, area),
        None => page::remark(
            picture,
            theme,
            (top, bottom),
            "No span is in use at any snapshot: there is nothing to draw.",
        ),
    }
    Ok(())
}

fn total(rows: &[SizeClassRow]) -> SizeClassRow {
    rows.iter().fold(SizeClassRow::default(), |sum, row| SizeClassRow {
        elem_bytes: 0,
        spans: sum.spans + row.spans,
        span_bytes: sum.span_bytes + row.span_bytes,
        objects: sum.objects + row.objects,
        object_bytes: sum.object_bytes + row.object_bytes,
        free_slot_bytes: sum.free_slot_bytes + row.free_slot_bytes,
        tail_bytes: sum.tail_bytes + row.tail_bytes,
    })
}

/// A row of the chart: its name and its numbers.
struct Bar {
    name: String,
    row: SizeClassRow,
}

/// Every class, or the `most - 1` that take the most room, in order of size, and then all others together.
fn bars(rows: &[SizeClassRow], most: usize) -> Vec<Bar> {
    let mut by_room: Vec<usize> = (0..rows.len()).collect();
    by_room.sort_by_key(|index| (std::cmp::Reverse(rows[*index].span_bytes), *index));
    let named = if rows.len() > most { most - 1 } else { rows.len() };
    let mut shown = by_room[..named].to_vec();
    shown.sort_unstable();
    let name = |row: &SizeClassRow| match row.elem_bytes {
        0 => "above 32 KiB".to_owned(),
        bytes => format!("{} B", plain(bytes as f64, 0)),
    };
    let mut bars: Vec<Bar> =
        shown.iter().map(|index| Bar { name: name(&rows[*index]), row: rows[*index] }).collect();
    let others: Vec<SizeClassRow> = by_room[named..].iter().map(|index| rows[*index]).collect();
    if !others.is_empty() {
        bars.push(Bar { name: format!("{} others", others.len()), row: total(&others) });
    }
    bars
}

/// Where a row's parts lie across the page.
struct Columns {
    bytes: LogAxis,
    /// The bars of parts, from left to right.
    parts: (f32, f32),
    right: f32,
}

/// Bytes on a logarithmic axis that begins at a power of two.
struct LogAxis {
    least_bytes: u64,
    most_bytes: u64,
    left: f32,
    right: f32,
}

impl LogAxis {
    /// From half of the smallest to the largest of `rows`.
    fn holding<'r>(rows: impl Iterator<Item = &'r SizeClassRow> + Clone, left: f32, right: f32) -> LogAxis {
        let sizes = rows.map(|row| row.span_bytes.max(1));
        let least_bytes = sizes.clone().min().unwrap_or(1).next_power_of_two() / 2;
        let most_bytes = sizes.max().unwrap_or(1).max(2 * least_bytes.max(1));
        LogAxis { least_bytes: least_bytes.max(1), most_bytes, left, right }
    }

    fn x(&self, bytes: u64) -> f32 {
        let ratio = |bytes: u64| log2(bytes.max(self.least_bytes) as f64 / self.least_bytes as f64);
        let share = ratio(bytes) / ratio(self.most_bytes);
        self.left + share as f32 * (self.right - self.left)
    }

    /// Powers of eight or of a larger power of two, so that there are at most six.
    fn ticks(&self) -> Vec<u64> {
        let powers = |step: u32| {
            (0..64).step_by(step as usize).map(|power| 1u64 << power).filter(|bytes| self.holds(*bytes))
        };
        let step =
            (1..).map(|thirds| 3 * thirds).find(|step| powers(*step).count() <= 6).expect("a wide step");
        powers(step).collect()
    }

    fn holds(&self, bytes: u64) -> bool {
        (self.least_bytes..=self.most_bytes).contains(&bytes)
    }
}

fn draw_classes(picture: &mut Picture, theme: &Theme, moment: &SizeClasses, area: Area) {
    let all = total(&moment.rows);
    let rows_top = area.top + KEY_PX + HEADING_PX;
    let room = area.bottom - AXIS_PX - rows_top;
    // The last row is the sum.
    let most = ((room / LOWEST_PX) as usize).max(3) - 1;
    let bars = bars(&moment.rows, most);
    let row_px = (room / (bars.len() + 1) as f32).min(HIGHEST_PX);
    draw_key(picture, theme, area, &all);
    let left = area.left + NAMES_PX;
    let bytes_right = left + BYTES_PX - BYTES_TEXT_PX;
    let rows = bars.iter().map(|bar| &bar.row).chain([&all]);
    let columns = Columns {
        bytes: LogAxis::holding(rows, left, bytes_right),
        parts: (left + BYTES_PX + GUTTER_PX, area.right - NUMBERS_PX),
        right: area.right,
    };
    let bottom = rows_top + bars.len() as f32 * row_px;
    picture.fill(Area { left, top: rows_top, right: left + BYTES_PX, bottom }, theme.panel_alternate);
    draw_axis(picture, theme, &columns.bytes, (rows_top, bottom + row_px));
    draw_heading(picture, theme, &columns, rows_top - HEADING_PX / 2.0);
    for (index, bar) in bars.iter().enumerate() {
        let top = rows_top + index as f32 * row_px;
        draw_row(picture, theme, bar, &columns, (top, row_px), regular(BODY_PX));
    }
    picture.fill(
        Area { left: area.left, top: bottom + 1.0, right: area.right, bottom: bottom + 3.0 },
        theme.rule,
    );
    let sum = Bar { name: "together".to_owned(), row: all };
    draw_row(picture, theme, &sum, &columns, (bottom + 2.0, row_px), bold(BODY_PX));
}

/// One class: its name, its bytes, what they consist of, its numbers.
fn draw_row(
    picture: &mut Picture,
    theme: &Theme,
    bar: &Bar,
    columns: &Columns,
    (top, row_px): (f32, f32),
    font: Font,
) {
    let y = top + row_px / 2.0;
    let half = (row_px * 0.36).min(18.0);
    let (top, bottom) = (y - half, y + half);
    let left = columns.bytes.left;
    let name = bold(BODY_PX).elide(&bar.name, NAMES_PX - 12.0);
    picture.text(at(left - 12.0, y), Align::End, bold(BODY_PX), theme.text, &name);
    let right = columns.bytes.x(bar.row.span_bytes).max(left + 2.0);
    picture.fill(Area { left, right, top, bottom }, theme.page_small);
    picture.text(at(right + 9.0, y), Align::Start, font, theme.text, &size_text(bar.row.span_bytes));
    draw_parts(picture, theme, &bar.row, columns.parts, (top, bottom));
    for (_, from_right, cell) in NUMBERS {
        picture.text(at(columns.right - from_right, y), Align::End, font, theme.text, &cell(&bar.row));
    }
}

/// What the spans of a row consist of, as parts of one length.
fn draw_parts(
    picture: &mut Picture,
    theme: &Theme,
    row: &SizeClassRow,
    (left, right): (f32, f32),
    (top, bottom): (f32, f32),
) {
    let whole = row.span_bytes.max(1) as f32;
    let edge = |bytes: u64| left + (right - left) * bytes as f32 / whole;
    let objects = edge(row.object_bytes);
    let free = edge(row.object_bytes + row.free_slot_bytes);
    picture.fill(Area { left, right: objects, top, bottom }, theme.heap_alloc);
    picture.fill(Area { left: objects, right: free, top, bottom }, theme.free);
    hatch(picture, theme, Area { left: objects, right: free, top, bottom });
    picture.fill(Area { left: free, right, top, bottom }, theme.memory_limit);
}

fn hatch(picture: &mut Picture, theme: &Theme, area: Area) {
    let columns = (area.right.round() - area.left.round()).max(0.0) as usize;
    let spans = vec![(area.top.round(), area.bottom.round()); columns];
    picture.marks.push(Mark::Hatching(Hatching {
        left: area.left.round() as i32,
        spans,
        ink: theme.free_hatch,
    }));
}

fn draw_key(picture: &mut Picture, theme: &Theme, area: Area, all: &SizeClassRow) {
    const SWATCH_PX: f32 = 30.0;
    let y = area.top + KEY_PX / 2.0;
    let font = regular(BODY_PX);
    let mut x = area.left;
    let entries = [
        (format!("objects {}", size_text(all.object_bytes)), theme.heap_alloc),
        (format!("free slots {}", size_text(all.free_slot_bytes)), theme.free),
        (format!("no slot: bitmaps and ends of spans {}", size_text(all.tail_bytes)), theme.memory_limit),
    ];
    for (text, ink) in entries {
        let swatch = Area { left: x, right: x + SWATCH_PX, top: y - 10.0, bottom: y + 10.0 };
        picture.fill(swatch, ink);
        if ink == theme.free {
            hatch(picture, theme, swatch);
        }
        let named = picture.text(at(x + SWATCH_PX + 8.0, y), Align::Start, font, theme.text, &text);
        x = named.right + 34.0;
    }
}

/// A column of numbers: heading, its right edge from the right in pixels, and what stands in it.
type Column = (&'static str, f32, fn(&SizeClassRow) -> String);

const NUMBERS: [Column; 3] = [
    ("waste", 222.0, |row| percent_text(row.free_slot_bytes + row.tail_bytes, row.span_bytes)),
    ("spans", 122.0, |row| plain(row.spans as f64, 0)),
    ("objects", 6.0, |row| plain(row.objects as f64, 0)),
];

fn percent_text(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

fn draw_heading(picture: &mut Picture, theme: &Theme, columns: &Columns, y: f32) {
    let font = regular(BODY_PX);
    let mut heading = |x: f32, align: Align, text: &str| {
        picture.text(at(x, y), align, font, theme.text_quiet, text);
    };
    heading(columns.bytes.left - 12.0, Align::End, "slot size");
    heading(columns.bytes.left, Align::Start, "memory in spans, logarithmic");
    heading(columns.parts.0, Align::Start, "what the spans consist of");
    for (text, from_right, _) in NUMBERS {
        heading(columns.right - from_right, Align::End, text);
    }
}

fn draw_axis(picture: &mut Picture, theme: &Theme, axis: &LogAxis, (top, bottom): (f32, f32)) {
    for bytes in axis.ticks() {
        let x = axis.x(bytes);
        picture.fill(Area { left: x - 1.0, right: x, top, bottom }, theme.grid);
        let text = size_text(bytes);
        picture.text(at(x, bottom + 18.0), Align::Middle, regular(BODY_PX), theme.text_quiet, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_classes_have_names_and_the_others_are_one_row() {
        let row =
            |elem_bytes, span_bytes| SizeClassRow { elem_bytes, span_bytes, spans: 1, ..Default::default() };
        let rows = [row(8, 10), row(16, 500), row(24, 20), row(48, 400), row(0, 900), row(96, 1)];
        let names = |most| -> Vec<(String, u64)> {
            bars(&rows, most).into_iter().map(|bar| (bar.name, bar.row.span_bytes)).collect()
        };
        let named = |name: &str, bytes| (name.to_owned(), bytes);
        assert_eq!(
            names(4),
            [named("16 B", 500), named("48 B", 400), named("above 32 KiB", 900), named("3 others", 31)]
        );
        // However small: every class has a row if there is room.
        assert_eq!(names(6).last(), Some(&named("96 B", 1)));
    }

    #[test]
    fn one_class_may_hold_a_thousand_times_as_much_as_another_and_both_can_be_seen() {
        let row = |span_bytes| SizeClassRow { span_bytes, ..Default::default() };
        let rows = [row(8 << 10), row(100 << 20), row(24 << 10)];
        let axis = LogAxis::holding(rows.iter(), 100.0, 500.0);
        assert_eq!((axis.least_bytes, axis.x(4 << 10), axis.x(100 << 20)), (4 << 10, 100.0, 500.0));
        assert!(axis.x(8 << 10) > 120.0 && axis.x(24 << 10) > axis.x(8 << 10) + 20.0);
        assert_eq!(axis.ticks(), [4 << 10, 32 << 10, 256 << 10, 2 << 20, 16 << 20]);
        let narrow = LogAxis::holding([row(8192)].iter(), 0.0, 100.0);
        assert!(narrow.x(8192) > 0.0 && narrow.ticks().len() <= 6);
    }
}
