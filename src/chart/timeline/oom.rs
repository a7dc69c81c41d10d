//! An OOM kill: a red cross where the run ended, and a sentence.

use super::super::axis::size_text;
use super::super::labels::FreeSpots;
use super::super::picture::{Align, Area, Dash, Picture, Point, at};
use super::super::text::bold;
use super::super::theme::{BODY_PX, Theme};
use super::Frame;
use super::lines::Drawn;
use crate::trace::Trace;

/// Half the cross in pixels.
const ARM_PX: f32 = 17.0;
/// The widest line of the sentence in pixels.
const SENTENCE_PX: f32 = 400.0;

/// Draws the kill, if there was one, and takes its room.
pub fn draw(
    picture: &mut Picture,
    theme: &Theme,
    frame: &Frame,
    trace: &Trace,
    drawn: &[Drawn],
    spots: &mut FreeSpots,
) {
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
    let area = place(frame, center, width, height, drawn);
    let Area { left, top, .. } = area;
    let near = at(center.x.clamp(area.left, area.right), center.y.clamp(area.top, area.bottom));
    picture.stroke(vec![center, near], 3.0, Dash::Solid, theme.danger);
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
    for share in 0..=20u8 {
        let along = f32::from(share) / 20.0;
        let (x, y) = (center.x + (near.x - center.x) * along, center.y + (near.y - center.y) * along);
        spots.take(Area { left: x, right: x, top: y, bottom: y }.grown(8.0));
    }
    spots.take(Area { left: center.x, right: center.x, top: center.y, bottom: center.y }.grown(ARM_PX + 8.0));
}

/// The place in the plot nearest to the cross that no line crosses; over the lines when there is none.
fn place(frame: &Frame, cross: Point, width: f32, height: f32, drawn: &[Drawn]) -> Area {
    const STRIDE_PX: f32 = 24.0;
    let plot = frame.plot.grown(-6.0);
    let steps =
        |room_px: f32| (0..=(room_px.max(0.0) / STRIDE_PX) as usize).map(|step| step as f32 * STRIDE_PX);
    let boxed = |left: f32, top: f32| Area { left, right: left + width, top, bottom: top + height };
    let distance = |area: &Area| {
        let middle = area.center();
        // Nearness across counts as much as nearness along.
        (middle.x - cross.x).abs() + (middle.y - cross.y).abs()
    };
    let beside_cross =
        |area: &Area| area.right < cross.x - 2.0 * ARM_PX || area.left > cross.x + 2.0 * ARM_PX;
    steps(plot.width() - width)
        .flat_map(|x| steps(plot.height() - height).map(move |y| (x, y)))
        .map(|(x, y)| boxed(plot.right - width - x, plot.top + y))
        .filter(|area| beside_cross(area) && drawn.iter().all(|line| !line.crosses(area.grown(6.0))))
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .unwrap_or(boxed((cross.x - 3.0 * ARM_PX - width).max(plot.left), plot.top))
}
