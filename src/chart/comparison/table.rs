//! The numbers behind the panels, one row per run.

use super::super::axis::{duration_text, size_text};
use super::super::picture::{Align, Area, Picture, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, Theme};
use crate::trace::Trace;

const ROW_PX: f32 = 30.0;

/// A column of numbers: its heading, its width in pixels, and what stands in it.
type Column = (&'static str, f32, fn(&Trace) -> String);

const COLUMNS: [Column; 4] = [
    ("GCs", 62.0, |trace| trace.summary.num_gc.to_string()),
    ("peak RSS", 100.0, |trace| size_text(trace.summary.peak_rss_bytes)),
    ("GC CPU", 80.0, |trace| percent_text(trace.summary.gc_cpu_fraction * 100.0)),
    ("time", 98.0, |trace| match trace.oom_kill {
        Some(_) => "OOM kill".to_owned(),
        None => duration_text(trace.summary.duration_ns),
    }),
];

/// `29.7 %`, `0.04 %`.
fn percent_text(percent: f64) -> String {
    if percent < 1.0 { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
}

/// Height of a table of so many runs in pixels.
pub fn height_px(runs: usize) -> f32 {
    (runs + 1) as f32 * ROW_PX + 6.0
}

/// Draws the table into `area`.
pub fn draw(picture: &mut Picture, theme: &Theme, traces: &[Trace], names: &[String], area: Area) {
    let numbers_px: f32 = COLUMNS.iter().map(|(_, width, _)| width).sum();
    let middle = |row: usize| area.top + (row as f32 + 0.5) * ROW_PX;
    for row in (2..=traces.len()).step_by(2) {
        let stripe = Area { top: middle(row) - ROW_PX / 2.0, bottom: middle(row) + ROW_PX / 2.0, ..area };
        picture.fill(stripe, theme.panel_alternate);
    }
    let rule = area.top + ROW_PX;
    picture.fill(Area { top: rule - 1.0, bottom: rule + 1.0, ..area }, theme.rule);
    for (row, name) in names.iter().enumerate() {
        let name = bold(BODY_PX).elide(name, area.width() - numbers_px - 8.0);
        picture.text(at(area.left + 6.0, middle(row + 1)), Align::Start, bold(BODY_PX), theme.text, &name);
    }
    let mut right = area.right - numbers_px - 6.0;
    for (heading, width, cell) in COLUMNS {
        right += width;
        picture.text(at(right, middle(0)), Align::End, regular(BODY_PX), theme.text_quiet, heading);
        for (row, trace) in traces.iter().enumerate() {
            picture.text(at(right, middle(row + 1)), Align::End, regular(BODY_PX), theme.text, &cell(trace));
        }
    }
}
