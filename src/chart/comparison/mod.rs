//! Several traces: small panels on shared axes, and what each setting costs.
//!
//! Left, one panel per run on the same scales, so that heights and lengths compare by eye. Right, the trade-off: GC CPU
//! against peak RSS with a point per run, and the same numbers in a table.

mod panels;
mod table;
mod trade_off;

use super::page::{self, MARGIN_PX};
use super::picture::{Area, Picture};
use super::theme::Theme;
use super::words;
use crate::trace::Trace;

/// The panels' share of the width.
const PANELS_SHARE: f32 = 0.6;
/// From the panels to the trade-off in pixels.
const GUTTER_PX: f32 = 36.0;

/// Draws the page of two or more traces.
pub fn draw(picture: &mut Picture, theme: &Theme, traces: &[Trace]) {
    let first = &traces[0];
    let shared = words::shared_settings(traces);
    let title = if first.question.is_empty() { &first.title } else { &first.question };
    let subtitle =
        if shared.is_empty() { first.title.clone() } else { format!("{} – {shared}", first.title) };
    let top = page::header(picture, theme, title, &subtitle);
    let bottom = page::footer(picture, theme, &first.answer);
    let names = words::distinct_names(traces);
    let width = picture.width_px as f32;
    let split = width * PANELS_SHARE;
    panels::draw(picture, theme, traces, &names, Area { left: MARGIN_PX, top, right: split, bottom });
    let right = Area { left: split + GUTTER_PX, top, right: width - MARGIN_PX, bottom };
    let table_top = right.bottom - table::height_px(traces.len());
    trade_off::draw(picture, theme, traces, &names, Area { bottom: table_top - 16.0, ..right });
    table::draw(picture, theme, traces, &names, Area { top: table_top, ..right });
}
