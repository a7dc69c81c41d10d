//! The steps of the scenario along the top, and time along the bottom.
//!
//! Names stand inside their steps when every name finds room there in three lines; otherwise the steps are numbered
//! and the names stand in rows above.

use super::super::axis::{Segment, StepSpan, TimeAxis, TimeScale, duration_text, fitting_time_ticks};
use super::super::labels::{Item, spread};
use super::super::page::MARGIN_PX;
use super::super::picture::{Align, Area, Picture, at};
use super::super::text::{Font, bold, regular};
use super::super::theme::{BODY_PX, Theme};
use super::Frame;

const FONT: Font = regular(BODY_PX);
const ROW_PX: f32 = 26.0;
const MAX_LINES: usize = 3;
/// From the border of a step to its name, in pixels.
const PADDING_PX: f32 = 7.0;
/// The narrowest and the widest room that a name asks for, in pixels.
const NARROWEST_PX: f32 = 76.0;
const WIDEST_PX: f32 = 250.0;

/// The width that a step's name needs in at most three lines.
pub fn needed_px(span: &StepSpan) -> f32 {
    let duration = bold(BODY_PX).width_px(&duration_text(span.end_ns - span.start_ns)) + 2.0 * PADDING_PX;
    let mut width = NARROWEST_PX.max(duration);
    while width < WIDEST_PX && FONT.wrap(&span.label, width - 2.0 * PADDING_PX, MAX_LINES).is_none() {
        width += 6.0;
    }
    width
}

/// How the steps are named.
pub enum Names {
    /// There is nothing to name.
    None,
    /// In the steps, in lines.
    Inside(Vec<Vec<String>>),
    /// By number, with rows of names above.
    Numbered(Vec<Vec<Entry>>),
}

impl Names {
    /// Finds room for the names of the steps on `time`, or else in rows of `row_px`.
    pub fn fitting(time: &TimeAxis, row_px: f32) -> Names {
        if time.segments.iter().all(|segment| segment.span.label.is_empty()) {
            return Names::None;
        }
        let inside =
            |segment: &Segment| FONT.wrap(&segment.span.label, segment.width() - 2.0 * PADDING_PX, MAX_LINES);
        match time.segments.iter().map(inside).collect() {
            Some(lines) => Names::Inside(lines),
            None => Names::Numbered(legend_rows(time, row_px)),
        }
    }

    /// Height of everything between the header and the plot in pixels.
    pub fn height_px(&self) -> f32 {
        match self {
            Names::None => 10.0,
            Names::Inside(lines) => Names::band_px(lines.iter().map(Vec::len).max().unwrap_or(1)),
            Names::Numbered(rows) => Names::band_px(1) + rows.len() as f32 * ROW_PX,
        }
    }

    fn band_px(lines: usize) -> f32 {
        lines as f32 * ROW_PX + 8.0
    }

    /// Draws names from `top` down to the plot, and the steps behind the plot.
    pub fn draw(&self, picture: &mut Picture, theme: &Theme, frame: &Frame, top: f32) {
        let mut band_top = top;
        if let Names::Numbered(rows) = self {
            for row in rows {
                draw_row(picture, theme, row, band_top + ROW_PX / 2.0);
                band_top += ROW_PX;
            }
        }
        let area_top = if matches!(self, Names::None) { frame.plot.top } else { band_top };
        for (index, segment) in frame.time.segments.iter().enumerate() {
            let ink = if index % 2 == 0 { theme.panel } else { theme.panel_alternate };
            let Segment { left, right, .. } = *segment;
            picture.fill(Area { left, right, top: area_top, bottom: frame.plot.bottom }, ink);
            if index > 0 {
                let border = Area { left: left - 1.0, right: left, top: area_top, bottom: frame.plot.bottom };
                picture.fill(border, theme.rule);
            }
            let middle = (left + right) / 2.0;
            if let Names::Inside(lines) = self {
                for (row, line) in lines[index].iter().enumerate() {
                    let y = band_top + 4.0 + (row as f32 + 0.5) * ROW_PX;
                    picture.text(at(middle, y), Align::Middle, FONT, theme.text, line);
                }
            }
        }
        if let Names::Numbered(_) = self {
            draw_numbers(picture, theme, frame, band_top + Names::band_px(1) / 2.0);
        }
    }
}

/// A number in, or at least near, the middle of every step.
fn draw_numbers(picture: &mut Picture, theme: &Theme, frame: &Frame, y: f32) {
    const NUMBER_PX: f32 = 32.0;
    let middle = |segment: &Segment| Item { wish: (segment.left + segment.right) / 2.0, length: NUMBER_PX };
    let items: Vec<Item> = frame.time.segments.iter().map(middle).collect();
    let places = spread(&items, frame.plot.left - NUMBER_PX / 2.0, frame.plot.right + NUMBER_PX / 2.0);
    for (index, x) in places.into_iter().enumerate() {
        picture.text(at(x, y), Align::Middle, bold(BODY_PX), theme.text, &(index + 1).to_string());
    }
}

/// A numbered step: `1`, `insert …`.
type Entry = (String, String);

/// From a number to its name, and from a name to the next number, in pixels.
const NUMBER_GAP_PX: f32 = 7.0;
const ENTRY_GAP_PX: f32 = 26.0;

/// `1 insert …    2 gc …`, in at most three rows; names are shortened evenly when they are too long, and what does not
/// fit even then is cut.
fn legend_rows(time: &TimeAxis, row_px: f32) -> Vec<Vec<Entry>> {
    const MAX_ROWS: usize = 3;
    let entry = |(index, segment): (usize, &Segment)| ((index + 1).to_string(), segment.span.label.clone());
    let whole: Vec<Entry> = time.segments.iter().enumerate().map(entry).collect();
    let (rows, all) = broken(&whole, row_px, MAX_ROWS);
    if all {
        return rows;
    }
    let per_row = whole.len().div_ceil(MAX_ROWS) as f32;
    let short = |(number, label): &Entry| {
        let number_px = bold(BODY_PX).width_px(number) + NUMBER_GAP_PX + ENTRY_GAP_PX;
        (number.clone(), FONT.elide(label, row_px / per_row - number_px))
    };
    let shortened: Vec<Entry> = whole.iter().map(short).collect();
    broken(&shortened, row_px, MAX_ROWS).0
}

/// Entries in rows, and whether all of them found room.
fn broken(entries: &[Entry], row_px: f32, max_rows: usize) -> (Vec<Vec<Entry>>, bool) {
    let mut rows: Vec<Vec<Entry>> = vec![Vec::new()];
    let mut used_px = 0.0;
    for entry in entries {
        let width = entry_px(entry);
        if used_px > 0.0 && used_px + width > row_px {
            if rows.len() == max_rows {
                return (rows, false);
            }
            rows.push(Vec::new());
            used_px = 0.0;
        }
        if width > row_px {
            return (rows, false);
        }
        used_px += width + ENTRY_GAP_PX;
        rows.last_mut().into_iter().for_each(|row| row.push(entry.clone()));
    }
    (rows, true)
}

fn entry_px((number, label): &Entry) -> f32 {
    bold(BODY_PX).width_px(number) + NUMBER_GAP_PX + FONT.width_px(label)
}

fn draw_row(picture: &mut Picture, theme: &Theme, row: &[Entry], y: f32) {
    let mut x = MARGIN_PX;
    for (number, label) in row {
        let area = picture.text(at(x, y), Align::Start, bold(BODY_PX), theme.text, number);
        let area =
            picture.text(at(area.right + NUMBER_GAP_PX, y), Align::Start, FONT, theme.text_quiet, label);
        x = area.right + ENTRY_GAP_PX;
    }
}

/// Height of the time axis in pixels.
pub fn axis_px(time: &TimeAxis) -> f32 {
    match time.scale {
        TimeScale::Uniform => ROW_PX + 8.0,
        TimeScale::PerStep => 2.0 * ROW_PX + 10.0,
    }
}

/// Draws time below the lanes, from `top`.
pub fn draw_axis(picture: &mut Picture, theme: &Theme, frame: &Frame, top: f32) {
    match frame.time.scale {
        TimeScale::Uniform => draw_uniform(picture, theme, frame, top),
        TimeScale::PerStep => draw_per_step(picture, theme, frame, top),
    }
}

fn draw_uniform(picture: &mut Picture, theme: &Theme, frame: &Frame, top: f32) {
    let end_ns = frame.time.segments.last().map_or(0, |segment| segment.span.end_ns);
    let y = top + 8.0 + ROW_PX / 2.0;
    for (t_ns, text) in fitting_time_ticks(end_ns, frame.plot.width(), 30.0, |text| FONT.width_px(text)) {
        let x = frame.time.x(t_ns);
        picture.fill(Area { left: x - 1.0, right: x + 1.0, top, bottom: top + 7.0 }, theme.rule);
        picture.text(at(x, y), Align::Middle, FONT, theme.text_quiet, &text);
    }
    picture.text(at(frame.plot.right + 58.0, y), Align::Start, FONT, theme.text_quiet, "time");
}

/// Each step with its duration, and ticks inside the wide ones, counted from the step's beginning.
fn draw_per_step(picture: &mut Picture, theme: &Theme, frame: &Frame, top: f32) {
    const TICKS_FROM_PX: f32 = 300.0;
    let ticks_y = top + 6.0 + ROW_PX / 2.0;
    let durations_y = ticks_y + ROW_PX;
    for segment in &frame.time.segments {
        let Segment { left, right, .. } = *segment;
        for x in [left, right] {
            picture.fill(Area { left: x - 1.0, right: x + 1.0, top, bottom: durations_y + 8.0 }, theme.rule);
        }
        let duration_ns = segment.span.end_ns - segment.span.start_ns;
        draw_duration(picture, theme, segment, durations_y, &duration_text(duration_ns));
        if segment.width() < TICKS_FROM_PX {
            continue;
        }
        for (since_ns, text) in
            fitting_time_ticks(duration_ns, segment.width(), 30.0, |text| FONT.width_px(text))
        {
            let x = left + segment.width() * (since_ns as f64 / duration_ns as f64) as f32;
            let half = FONT.width_px(&text) / 2.0 + 8.0;
            if since_ns > 0 && x + half < right {
                picture.fill(Area { left: x - 1.0, right: x + 1.0, top, bottom: top + 6.0 }, theme.rule);
                picture.text(at(x, ticks_y), Align::Middle, FONT, theme.text_quiet, &text);
            }
        }
    }
    let x = frame.plot.right + 12.0;
    picture.text(at(x, ticks_y), Align::Start, FONT, theme.text_quiet, "each step has its own");
    picture.text(at(x, durations_y), Align::Start, FONT, theme.text_quiet, "time scale");
}

/// `|-- 148 ms --|`
fn draw_duration(picture: &mut Picture, theme: &Theme, segment: &Segment, y: f32, text: &str) {
    let font = bold(BODY_PX);
    let middle = (segment.left + segment.right) / 2.0;
    let text = font.elide(text, segment.width() - 6.0);
    let area = picture.text(at(middle, y), Align::Middle, font, theme.text, &text);
    for (left, right) in [(segment.left + 1.0, area.left - 6.0), (area.right + 6.0, segment.right - 1.0)] {
        if right - left > 3.0 {
            picture.fill(Area { left, right, top: y - 1.0, bottom: y + 1.0 }, theme.rule);
        }
    }
}
