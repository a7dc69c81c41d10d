//! One size over time: the band and the line of the real runs, and the simulation on top.

use super::super::axis::{ByteAxis, TimeAxis, size_text};
use super::super::decimate::thin;
use super::super::picture::{Align, Area, Dash, Mark, Picture, Point, Skyline, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, NAME_PX, Theme};
use super::super::timeline::{draw_line, has_narrow_teeth};
use super::{BAND_ALPHA, BandPoint, OverlayPanel, Side, Sides};

/// Height of a panel's name in pixels.
const NAME_ROW_PX: f32 = 38.0;
/// Room above the highest value, as a share of it.
const HEADROOM: f64 = 0.08;

/// Draws one panel into `area`.
pub fn draw(
    picture: &mut Picture,
    theme: &Theme,
    sides: &Sides,
    name: &str,
    panel: &OverlayPanel,
    time: &TimeAxis,
    area: Area,
) {
    let plot = Area { top: area.top + NAME_ROW_PX, bottom: area.bottom - 6.0, ..area };
    draw_name(picture, theme, sides, name, panel, area);
    let highest = peak_real(panel).max(peak_simulated(panel)).max(1);
    let max_bytes = (highest as f64 * (1.0 + HEADROOM)) as u64 + 1;
    let sizes = ByteAxis { max_bytes, bottom_px: plot.bottom, top_px: plot.top };
    picture.fill(plot, theme.panel_alternate);
    for (bytes, text) in sizes.ticks((plot.height() / 4.0).clamp(34.0, 62.0)) {
        let y = sizes.y(bytes);
        let ink = if bytes == 0 { theme.rule } else { theme.grid };
        picture.fill(Area { top: y - 1.0, bottom: y + 1.0, ..plot }, ink);
        picture.text(at(plot.left - 10.0, y), Align::End, regular(BODY_PX), theme.text_quiet, &text);
    }
    draw_band(picture, sides, panel, time, sizes);
    let line = |points: &[(u64, u64)]| -> Vec<Point> {
        thin(points.iter().map(|(t_ns, bytes)| at(time.x(*t_ns), sizes.y(*bytes))))
    };
    let (real, simulated) = (line(&panel.real), line(&panel.simulated));
    draw_line(picture, &real, sides.real.width_px, sides.real.dash, sides.real.ink);
    draw_simulated(picture, theme, sides, &simulated);
    for (line, radius_px, ink) in [(real, 8.0, sides.real.ink), (simulated, 6.0, sides.simulated.ink)] {
        if let Some(end) = line.last() {
            picture.disc(*end, radius_px, ink);
        }
    }
}

/// The simulation on top of everything: dashes, or a plain line where it goes up and down too fast for them.
fn draw_simulated(picture: &mut Picture, theme: &Theme, sides: &Sides, line: &[Point]) {
    let Side { ink, dash, width_px } = sides.simulated;
    if has_narrow_teeth(line) {
        draw_line(picture, line, width_px * 0.7, Dash::Solid, ink);
        return;
    }
    // A pale edge keeps the dashes apart from the line that they lie on.
    draw_line(picture, line, width_px + 2.0, dash, theme.background.with_alpha(0.85));
    draw_line(picture, line, width_px, dash, ink);
}

/// The panel's name at the left; the peaks of both sides at the right, each in the colour of its line.
fn draw_name(
    picture: &mut Picture,
    theme: &Theme,
    sides: &Sides,
    name: &str,
    panel: &OverlayPanel,
    area: Area,
) {
    let font = bold(NAME_PX);
    let y = area.top + NAME_ROW_PX / 2.0 + 2.0;
    let mut right = area.right;
    let peaks = [
        (size_text(peak_simulated(panel)), sides.simulated.ink, "simulated"),
        (
            if panel.real.is_empty() { "unknown".to_owned() } else { size_text(peak_real(panel)) },
            sides.real.ink,
            "peak: real",
        ),
    ];
    for (size, ink, words) in peaks {
        let value = picture.text(at(right, y), Align::End, font, ink, &size);
        let named =
            picture.text(at(value.left - 8.0, y), Align::End, regular(BODY_PX), theme.text_quiet, words);
        right = named.left - 24.0;
    }
    let name = font.elide(name, right - area.left);
    picture.text(at(area.left, y), Align::Start, font, theme.text, &name);
}

fn peak_real(panel: &OverlayPanel) -> u64 {
    let run = panel.real.iter().map(|(_, bytes)| *bytes);
    run.chain(panel.spread.iter().map(|point| point.high)).max().unwrap_or(0)
}

fn peak_simulated(panel: &OverlayPanel) -> u64 {
    panel.simulated.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0)
}

/// Fills between the lowest and the highest of the real runs: one column of pixels after another, each as high as the
/// points that fall into it, or as the line between its neighbours.
fn draw_band(picture: &mut Picture, sides: &Sides, panel: &OverlayPanel, time: &TimeAxis, sizes: ByteAxis) {
    let [Some(first), Some(last)] = [panel.spread.first(), panel.spread.last()] else { return };
    let (left, right) = (time.x(first.t_ns).ceil() as i32, time.x(last.t_ns).floor() as i32);
    let mut next = 0;
    for x in left..right {
        while next + 1 < panel.spread.len() && time.x(panel.spread[next + 1].t_ns) <= x as f32 {
            next += 1;
        }
        let BandPoint { low, high, .. } = panel.spread[next];
        if low < high {
            let (top, bottom) = (sizes.y(high), sizes.y(low));
            let ink = sides.real.ink.with_alpha(BAND_ALPHA);
            picture.marks.push(Mark::Skyline(Skyline { left: x, bottom, tops: vec![top], ink }));
        }
    }
}
