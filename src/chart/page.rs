//! What every page has: the question on top, the settings under it, the answer at the bottom.

use super::picture::{Align, Area, Picture, at};
use super::text::{Font, bold, regular};
use super::theme::{ANSWER_PX, BODY_PX, NAME_PX, SUBTITLE_PX, TITLE_PX, Theme};

/// Distance from the edge of the page to anything on it, in pixels.
pub const MARGIN_PX: f32 = 30.0;

/// Draws the title (at most two lines) and the subtitle; returns where the page is free below them, in pixels.
pub fn header(picture: &mut Picture, theme: &Theme, title: &str, subtitle: &str) -> f32 {
    let width = picture.width_px as f32 - 2.0 * MARGIN_PX;
    let smaller = bold(TITLE_PX * 0.8);
    let font = if bold(TITLE_PX).wrap(title, width, 1).is_some() { bold(TITLE_PX) } else { smaller };
    let mut y = MARGIN_PX - 6.0;
    for line in font.wrap_elided(title, width, 2) {
        picture.text(at(MARGIN_PX, y + font.line_px() / 2.0), Align::Start, font, theme.text, &line);
        y += font.line_px();
    }
    let font = regular(SUBTITLE_PX);
    let subtitle = font.elide(subtitle, width);
    picture.text(at(MARGIN_PX, y + font.line_px() / 2.0), Align::Start, font, theme.text_quiet, &subtitle);
    y + font.line_px() + 8.0
}

/// Draws the answer in a box at the foot of the page; returns where the page is free above it, in pixels.
pub fn footer(picture: &mut Picture, theme: &Theme, answer: &str) -> f32 {
    const PADDING_PX: f32 = 10.0;
    const BAR_PX: f32 = 8.0;
    let bottom = picture.height_px as f32 - MARGIN_PX + 10.0;
    if answer.trim().is_empty() {
        return bottom;
    }
    let right = picture.width_px as f32 - MARGIN_PX;
    let width = right - MARGIN_PX - BAR_PX - 2.0 * PADDING_PX - 10.0;
    let (font, lines) = answer_lines(answer, width);
    let top = bottom - lines.len() as f32 * font.line_px() - 2.0 * PADDING_PX;
    picture.fill(Area { left: MARGIN_PX, top, right, bottom }, theme.panel_alternate);
    picture.fill(Area { left: MARGIN_PX, top, right: MARGIN_PX + BAR_PX, bottom }, theme.heap_alloc);
    for (index, line) in lines.iter().enumerate() {
        let y = top + PADDING_PX + (index as f32 + 0.5) * font.line_px();
        picture.text(at(MARGIN_PX + BAR_PX + PADDING_PX + 4.0, y), Align::Start, font, theme.text, line);
    }
    top - 12.0
}

/// Writes one line where a chart would be, between `top` and `bottom`.
pub fn remark(picture: &mut Picture, theme: &Theme, (top, bottom): (f32, f32), words: &str) {
    let middle = at(picture.width_px as f32 / 2.0, (top + bottom) / 2.0);
    picture.text(middle, Align::Middle, regular(NAME_PX), theme.text_quiet, words);
}

/// Two lines in large type, else three in ordinary type.
fn answer_lines(answer: &str, width: f32) -> (Font, Vec<String>) {
    let large = regular(ANSWER_PX);
    let small = regular(BODY_PX);
    match large.wrap(answer, width, 2) {
        Some(lines) => (large, lines),
        None => (small, small.wrap_elided(answer, width, 3)),
    }
}
