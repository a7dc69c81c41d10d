//! An OOM kill: a red cross where the run ended, and a sentence.

use super::super::axis::size_text;
use super::super::labels::FreeSpots;
use super::super::picture::{Align, Area, Dash, Picture, at};
use super::super::text::bold;
use super::super::theme::{BODY_PX, Theme};
use super::Frame;
use crate::trace::Trace;

/// Half the cross in pixels.
const ARM_PX: f32 = 17.0;
/// The widest line of the sentence in pixels.
const SENTENCE_PX: f32 = 400.0;

/// Draws the kill, if there was one, and takes its room.
pub fn draw(picture: &mut Picture, theme: &Theme, frame: &Frame, trace: &Trace, spots: &mut FreeSpots) {
    let Some(kill) = &trace.oom_kill else { return };
    let center = at(frame.time.x(kill.t_ns), frame.sizes.y(kill.rss_bytes));
    let font = bold(BODY_PX);
    let sentence = format!(
        "OOM kill: {} resident, the container allows {}. Running: {}",
        size_text(kill.rss_bytes),
        size_text(kill.limit_bytes),
        kill.step
    );
    let lines = font.wrap_elided(&sentence, SENTENCE_PX, 4);
    let width = lines.iter().map(|line| font.width_px(line)).fold(0.0, f32::max) + 24.0;
    let height = lines.len() as f32 * font.line_px() + 16.0;
    // Left of the cross, or right of it when there is no room; below the limit, where the rise leaves the page empty.
    let left = center.x - ARM_PX - 30.0 - width;
    let left = if left > frame.plot.left { left } else { (center.x + ARM_PX + 14.0).min(frame.plot.right - width) };
    let top = (center.y + 26.0).clamp(frame.plot.top + 4.0, (frame.plot.bottom - height - 4.0).max(frame.plot.top));
    let area = Area { left, right: left + width, top, bottom: top + height };
    picture.fill(area, theme.danger);
    picture.fill(area.grown(-3.0), theme.background);
    for (index, line) in lines.iter().enumerate() {
        let y = top + 8.0 + (index as f32 + 0.5) * font.line_px();
        picture.text(at(left + 12.0, y), Align::Start, font, theme.text, line);
    }
    for (width_px, ink) in [(14.0, theme.background), (8.0, theme.danger)] {
        for slope in [1.0, -1.0] {
            let arm = vec![
                at(center.x - ARM_PX, center.y - ARM_PX * slope),
                at(center.x + ARM_PX, center.y + ARM_PX * slope),
            ];
            picture.stroke(arm, width_px, Dash::Solid, ink);
        }
    }
    spots.take(area.grown(4.0));
    spots.take(Area { left: center.x, right: center.x, top: center.y, bottom: center.y }.grown(ARM_PX + 8.0));
}
