//! Spans by size class: what the heap is made of, and what of it is waste.
//!
//! A bar for each size class, as long as its spans are large: objects, free slots, and what no slot covers. The widest classes come
//! first in number of bytes; the order on the page is that of sizes.

use super::axis::{ByteAxis, byte_ticks, duration_text, size_text};
use super::moments::{Moments, choose};
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Hatching, Mark, Picture, at};
use super::scale::plain;
use super::text::{bold, regular};
use super::theme::{BODY_PX, Theme};
use super::{ChartError, Kind, words};
use crate::trace::{Recording, SizeClassRow, SizeClasses};

/// Width of the column of sizes, and of the columns of numbers, in pixels.
const NAMES_PX: f32 = 130.0;
const NUMBERS_PX: f32 = 420.0;
/// The lowest and the highest row in pixels.
const LOWEST_PX: f32 = 27.0;
const HIGHEST_PX: f32 = 84.0;
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

/// Classes with less than this share of all bytes have no row of their own: one part in so many.
const SMALLEST_PART: u64 = 200;

/// The classes that take the most room, in order of size, then all others together.
fn bars(rows: &[SizeClassRow], most: usize) -> Vec<Bar> {
    let mut by_room: Vec<usize> = (0..rows.len()).collect();
    by_room.sort_by_key(|index| (std::cmp::Reverse(rows[*index].span_bytes), *index));
    let all = total(rows).span_bytes;
    let large = by_room.iter().take_while(|index| rows[**index].span_bytes * SMALLEST_PART >= all).count();
    let named = if large < rows.len() || rows.len() > most { large.min(most - 1) } else { rows.len() };
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

fn draw_classes(picture: &mut Picture, theme: &Theme, moment: &SizeClasses, area: Area) {
    let all = total(&moment.rows);
    let rows_top = area.top + KEY_PX + HEADING_PX;
    let room = area.bottom - AXIS_PX - rows_top;
    // The last row is the sum.
    let most = ((room / LOWEST_PX) as usize).max(3) - 1;
    let bars = bars(&moment.rows, most);
    let row_px = (room / (bars.len() + 1) as f32).min(HIGHEST_PX);
    draw_key(picture, theme, area, &all);
    let plot = Area {
        left: area.left + NAMES_PX,
        top: rows_top,
        right: area.right - NUMBERS_PX,
        bottom: rows_top + bars.len() as f32 * row_px,
    };
    let largest = bars.iter().map(|bar| bar.row.span_bytes).max().unwrap_or(0).max(1);
    let sizes =
        ByteAxis { max_bytes: (largest as f64 * 1.04) as u64 + 1, bottom_px: plot.left, top_px: plot.right };
    picture.fill(plot, theme.panel_alternate);
    draw_axis(picture, theme, sizes, plot);
    draw_heading(picture, theme, area, plot.top - HEADING_PX / 2.0);
    for (index, bar) in bars.iter().enumerate() {
        let y = plot.top + (index as f32 + 0.5) * row_px;
        let name = bold(BODY_PX).elide(&bar.name, NAMES_PX - 12.0);
        picture.text(at(plot.left - 12.0, y), Align::End, bold(BODY_PX), theme.text, &name);
        let half = (row_px * 0.36).min(26.0);
        draw_bar(picture, theme, &bar.row, sizes, (y - half, y + half));
        draw_numbers(picture, theme, &bar.row, area.right, y);
    }
    // Below the axis of the bars, in the columns of numbers.
    let y = plot.bottom + row_px / 2.0 + 4.0;
    let rule = Area { left: plot.right + 12.0, top: plot.bottom + 1.0, bottom: plot.bottom + 3.0, ..area };
    picture.fill(rule, theme.rule);
    draw_numbers(picture, theme, &all, area.right, y);
}

/// The parts of a row: bytes, and whether hatched.
fn draw_bar(
    picture: &mut Picture,
    theme: &Theme,
    row: &SizeClassRow,
    sizes: ByteAxis,
    (top, bottom): (f32, f32),
) {
    let edge = |bytes: u64| sizes.y(bytes);
    let objects = edge(row.object_bytes);
    let free = edge(row.object_bytes + row.free_slot_bytes);
    let tail = edge(row.span_bytes);
    let left = edge(0);
    picture.fill(Area { left, right: objects, top, bottom }, theme.heap_alloc);
    picture.fill(Area { left: objects, right: free, top, bottom }, theme.free);
    hatch(picture, theme, Area { left: objects, right: free, top, bottom });
    picture.fill(Area { left: free, right: tail, top, bottom }, theme.memory_limit);
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

const COLUMNS: [Column; 4] = [
    ("spans", 318.0, |row| plain(row.spans as f64, 0)),
    ("objects", 208.0, |row| plain(row.objects as f64, 0)),
    ("spans’ size", 90.0, |row| size_text(row.span_bytes)),
    ("waste", 6.0, |row| percent_text(row.free_slot_bytes + row.tail_bytes, row.span_bytes)),
];

fn percent_text(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

fn draw_heading(picture: &mut Picture, theme: &Theme, area: Area, y: f32) {
    let font = regular(BODY_PX);
    picture.text(at(area.left + NAMES_PX - 12.0, y), Align::End, font, theme.text_quiet, "slot size");
    for (heading, from_right, _) in COLUMNS {
        picture.text(at(area.right - from_right, y), Align::End, font, theme.text_quiet, heading);
    }
}

fn draw_numbers(picture: &mut Picture, theme: &Theme, row: &SizeClassRow, right: f32, y: f32) {
    for (_, from_right, cell) in COLUMNS {
        picture.text(at(right - from_right, y), Align::End, regular(BODY_PX), theme.text, &cell(row));
    }
}

fn draw_axis(picture: &mut Picture, theme: &Theme, sizes: ByteAxis, plot: Area) {
    for (bytes, text) in byte_ticks(sizes.max_bytes, ((plot.width() / 110.0) as usize).max(2)) {
        let x = sizes.y(bytes);
        picture.fill(Area { left: x - 1.0, right: x, ..plot }, theme.grid);
        let half = regular(BODY_PX).width_px(&text) / 2.0;
        let x = x.min(plot.right - half + 10.0);
        picture.text(at(x, plot.bottom + 18.0), Align::Middle, regular(BODY_PX), theme.text_quiet, &text);
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
        // One byte of 1,831 is not worth a row.
        assert_eq!(names(9).last(), Some(&named("1 others", 1)));
        assert_eq!(bars(&rows[..5], 9).len(), 5);
    }
}
