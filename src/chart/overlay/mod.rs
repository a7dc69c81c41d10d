//! Real against simulated: two panels, HeapAlloc over RSS, on one axis of true time.
//!
//! Real Go is a thick solid line, one of its runs, with the spread of all as a band; the simulation is a dashed line of another
//! colour on top. Where the model is right the dashes lie on the line. Each line is named once, at the top; each
//! panel says how far the highest points are apart. Times are true on both sides: when one run takes longer, it ends
//! further right.

mod panel;

use std::path::Path;

use super::axis::{TimeAxis, fitting_time_ticks};
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Dash, Picture, at};
use super::text::{bold, regular};
use super::theme::{BODY_PX, Ink, NAME_PX, Theme};
use super::{ChartError, Image, PlacedText, Style, paint, placed, png_file};

/// The spread of the real runs at one moment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandPoint {
    /// Since the start, in nanoseconds.
    pub t_ns: u64,
    /// The lowest.
    pub low: u64,
    /// The highest.
    pub high: u64,
}

/// One size over time, real and simulated, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlayPanel {
    /// A real run: nanoseconds and bytes.
    pub real: Vec<(u64, u64)>,
    /// The spread of all real runs; empty for one.
    pub spread: Vec<BandPoint>,
    /// The simulation: nanoseconds and bytes.
    pub simulated: Vec<(u64, u64)>,
}

impl OverlayPanel {
    /// Where the lines end; what runs on longer than the one that is drawn says nothing about it.
    fn end_ns(&self) -> u64 {
        let last = |line: &[(u64, u64)]| line.last().map_or(0, |(t_ns, _)| *t_ns);
        last(&self.real).max(last(&self.simulated))
    }
}

/// A page that lays a simulation over real runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// What happens.
    pub title: String,
    /// The settings of both sides.
    pub subtitle: String,
    /// Whose runs: `real Go 1.23.9, 3 runs`.
    pub real_name: String,
    /// HeapAlloc.
    pub heap_alloc: OverlayPanel,
    /// Resident memory.
    pub rss: OverlayPanel,
}

/// Draws an overlay into a PNG file of the default style.
///
/// # Errors
/// As [`render_overlay`], and [`ChartError::Write`] when the file cannot be written; then nothing is left behind.
pub fn render_overlay_png(overlay: &Overlay, path: &Path) -> Result<(), ChartError> {
    png_file::write(&png_file::encode(&render_overlay(overlay, &Style::default())?), path)
}

/// Draws an overlay as pixels.
///
/// # Errors
/// [`ChartError::TooSmall`].
pub fn render_overlay(overlay: &Overlay, style: &Style) -> Result<Image, ChartError> {
    let picture = compose(overlay, style)?;
    Ok(Image { width_px: picture.width_px, height_px: picture.height_px, rgb: paint::paint(&picture) })
}

/// Every text that [`render_overlay`] draws, and where.
///
/// # Errors
/// As [`render_overlay`].
pub fn overlay_texts(overlay: &Overlay, style: &Style) -> Result<Vec<PlacedText>, ChartError> {
    Ok(compose(overlay, style)?.labels().map(placed).collect())
}

/// The two sides as they are drawn.
struct Sides {
    real: Side,
    simulated: Side,
}

/// A line's looks.
#[derive(Clone, Copy)]
struct Side {
    ink: Ink,
    dash: Dash,
    width_px: f32,
}

/// How see-through the band of the real runs is.
const BAND_ALPHA: f32 = 0.28;
/// Height of the key, of the time axis and of a panel's name, in pixels.
const KEY_PX: f32 = 40.0;
const TIME_PX: f32 = 66.0;
const SIZES_PX: f32 = 96.0;

fn compose(overlay: &Overlay, style: &Style) -> Result<Picture, ChartError> {
    let Style { width_px, height_px, theme } = *style;
    if width_px < Style::MIN_WIDTH_PX || height_px < Style::MIN_HEIGHT_PX {
        return Err(ChartError::TooSmall { width_px, height_px });
    }
    let mut picture = Picture::new(width_px, height_px, theme.background);
    let sides = Sides {
        real: Side { ink: theme.heap_alloc, dash: Dash::Solid, width_px: 9.0 },
        simulated: Side { ink: theme.danger, dash: Dash::Long, width_px: 4.0 },
    };
    let top = page::header(&mut picture, theme, &overlay.title, &overlay.subtitle);
    draw_key(&mut picture, theme, &sides, overlay, top);
    let area = Area {
        left: MARGIN_PX + SIZES_PX,
        top: top + KEY_PX,
        right: width_px as f32 - MARGIN_PX,
        bottom: height_px as f32 - MARGIN_PX - TIME_PX + 26.0,
    };
    let end_ns = overlay.heap_alloc.end_ns().max(overlay.rss.end_ns()).max(1);
    let span = super::axis::StepSpan { start_ns: 0, end_ns, label: String::new() };
    let time = TimeAxis::uniform(vec![span], area.left, area.right - 12.0);
    let middle = area.center().y;
    for (name, panel, top, bottom) in [
        ("HeapAlloc, objects as Go counts them", &overlay.heap_alloc, area.top, middle),
        ("RSS, held from the operating system", &overlay.rss, middle, area.bottom),
    ] {
        panel::draw(&mut picture, theme, &sides, name, panel, &time, Area { top, bottom, ..area });
    }
    let is_spread = !overlay.heap_alloc.spread.is_empty() || !overlay.rss.spread.is_empty();
    let remark = match is_spread {
        true => "time since the start; the line is one real run, the band the spread of all",
        false => "time since the start",
    };
    draw_time(&mut picture, theme, &time, remark, area.bottom);
    Ok(picture)
}

/// The two lines by name, as they are drawn below.
fn draw_key(picture: &mut Picture, theme: &Theme, sides: &Sides, overlay: &Overlay, top: f32) {
    const SAMPLE_PX: f32 = 70.0;
    let font = bold(NAME_PX);
    let y = top + KEY_PX / 2.0 - 4.0;
    let mut x = MARGIN_PX + SIZES_PX;
    let room = (picture.width_px as f32 - MARGIN_PX - x) / 2.0 - SAMPLE_PX - 50.0;
    for (side, name) in [(sides.real, overlay.real_name.as_str()), (sides.simulated, "gclab, simulated")] {
        if side.dash == Dash::Solid && !overlay.rss.spread.is_empty() {
            let band = Area { left: x, right: x + SAMPLE_PX, top: y - 12.0, bottom: y + 12.0 };
            picture.fill(band, side.ink.with_alpha(BAND_ALPHA));
        }
        picture.stroke(vec![at(x + 5.0, y), at(x + SAMPLE_PX - 5.0, y)], side.width_px, side.dash, side.ink);
        let name = font.elide(name, room);
        let named = picture.text(at(x + SAMPLE_PX + 12.0, y), Align::Start, font, theme.text, &name);
        x = named.right + 50.0;
    }
}

fn draw_time(picture: &mut Picture, theme: &Theme, time: &TimeAxis, remark: &str, top: f32) {
    let end_ns = time.segments[0].span.end_ns;
    let font = regular(BODY_PX);
    let y = top + 24.0;
    for (t_ns, text) in
        fitting_time_ticks(end_ns, time.right() - time.left(), 50.0, |text| font.width_px(text))
    {
        let x = time.x(t_ns);
        picture.fill(Area { left: x - 1.0, right: x + 1.0, top, bottom: top + 9.0 }, theme.rule);
        let half = font.width_px(&text) / 2.0;
        let x = x.clamp(time.left() + half - 10.0, time.right() + 12.0 - half);
        picture.text(at(x, y), Align::Middle, font, theme.text_quiet, &text);
    }
    picture.text(at(time.left(), y + 27.0), Align::Start, font, theme.text_quiet, remark);
}
