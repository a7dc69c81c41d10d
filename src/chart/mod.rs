//! Charts: traces as PNG pictures that a room can read from the back row.
//!
//! Terms: a *picture* is a list of marks in pixels; a *timeline* shows one trace, a *comparison* several, an *overlay*
//! one over real runs of the same program; the *ledger* is resident memory split by owner, stacked.
//!
//! 1. The page is laid out: question, settings and answer (`page`), then a timeline or a comparison.
//! 2. Time and size get axes (`axis`); samples are thinned to what pixels can show (`decimate`).
//! 3. Labels find places where nothing lies yet (`labels`).
//! 4. The finished picture is painted (`paint`) and encoded (`png_file`).
//!
//! Invariants: the same traces give the same bytes on every machine - fonts travel with the binary and nothing asks the
//! system; no two texts overlap; colour is never the only sign; a file is written whole or not at all.
//! No model quantity is computed here: if a chart needs a number, the trace has it.
//!
//! plotters (0.3.7) is the canvas: filled rectangles and pixels. Text and thick lines are rasterised in `text` and
//! `stroke`, because plotters leaves out side bearings and puts line corners on whole pixels.

mod axis;
mod comparison;
mod decimate;
mod labels;
mod overlay;
mod page;
mod paint;
mod picture;
mod png_file;
mod stroke;
mod sweep;
mod text;
mod theme;
mod timeline;
mod words;

use std::path::{Path, PathBuf};

pub use overlay::{BandPoint, Overlay, OverlayPanel, overlay_texts, render_overlay, render_overlay_png};
pub use sweep::{
    FrontPage, FrontPoint, HeatCell, HeatMap, HeatPanel, MAX_PANELS, Quantity, SweepPage, render_sweep,
    render_sweep_png, sweep_texts,
};
pub use theme::{DARK, Ink, LIGHT, Theme};

use crate::trace::{Sample, Trace};
use picture::Picture;

/// The most traces that one chart compares.
pub const MAX_TRACES: usize = 8;

/// Size and looks of a chart.
#[derive(Clone, Debug)]
pub struct Style {
    /// Width in pixels, at least [`Style::MIN_WIDTH_PX`].
    pub width_px: u32,
    /// Height in pixels, at least [`Style::MIN_HEIGHT_PX`].
    pub height_px: u32,
    /// Colours.
    pub theme: &'static Theme,
}

impl Style {
    /// Below this width the words no longer fit beside the plot.
    pub const MIN_WIDTH_PX: u32 = 1280;
    /// Below this height the words no longer fit above and below the plot.
    pub const MIN_HEIGHT_PX: u32 = 720;
}

impl Default for Style {
    /// 1600 by 900 pixels, dark on white.
    fn default() -> Style {
        Style { width_px: 1600, height_px: 900, theme: &LIGHT }
    }
}

/// Pixels: rows from the top, three bytes (red, green, blue) a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// `3 * width_px * height_px` bytes.
    pub rgb: Vec<u8>,
}

/// Why there is no chart.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// No trace was given.
    #[error("a chart needs at least one trace")]
    NoTrace,
    /// More traces than can be told apart on a page.
    #[error("{count} traces do not fit one chart: at most {MAX_TRACES} can be compared")]
    TooManyTraces {
        /// How many were given.
        count: usize,
    },
    /// The page is too small for its words.
    #[error(
        "a chart of {width_px} by {height_px} pixels is too small: at least {} by {} are needed",
        Style::MIN_WIDTH_PX,
        Style::MIN_HEIGHT_PX
    )]
    TooSmall {
        /// The width that was asked for.
        width_px: u32,
        /// The height that was asked for.
        height_px: u32,
    },
    /// The file could not be written.
    #[error("cannot write the chart {}: {source}", path.display())]
    Write {
        /// Where it should have gone.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Draws `traces` - one as heap and resident memory over time, several side by side - into a PNG file of the default
/// style.
///
/// # Errors
/// As [`render`], and [`ChartError::Write`] when the file cannot be written; then nothing is left behind.
pub fn render_png(traces: &[Trace], path: &Path) -> Result<(), ChartError> {
    png_file::write(&render_png_bytes(traces, &Style::default())?, path)
}

/// Draws `traces` as the bytes of a PNG file.
///
/// # Errors
/// As [`render`].
pub fn render_png_bytes(traces: &[Trace], style: &Style) -> Result<Vec<u8>, ChartError> {
    Ok(png_file::encode(&render(traces, style)?))
}

/// Draws `traces` as pixels.
///
/// # Errors
/// [`ChartError::NoTrace`], [`ChartError::TooManyTraces`] (above [`MAX_TRACES`]) or [`ChartError::TooSmall`].
pub fn render(traces: &[Trace], style: &Style) -> Result<Image, ChartError> {
    let picture = compose(traces, style)?;
    Ok(Image { width_px: picture.width_px, height_px: picture.height_px, rgb: paint::paint(&picture) })
}

/// A line of text on a chart, and the room it takes in pixels from the top left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedText {
    /// The words.
    pub text: String,
    /// Left edge.
    pub left_px: f32,
    /// Top edge.
    pub top_px: f32,
    /// Right edge.
    pub right_px: f32,
    /// Bottom edge.
    pub bottom_px: f32,
}

/// Every text that [`render`] draws, and where: what a reader finds on the page.
///
/// # Errors
/// As [`render`].
pub fn placed_texts(traces: &[Trace], style: &Style) -> Result<Vec<PlacedText>, ChartError> {
    Ok(compose(traces, style)?.labels().map(placed).collect())
}

fn placed(label: &picture::Label) -> PlacedText {
    let picture::Area { left, top, right, bottom } = label.area();
    PlacedText { text: label.text.clone(), left_px: left, top_px: top, right_px: right, bottom_px: bottom }
}

/// A snapshot is a sample too: every labelled moment is on the lines, however thin the samples are around it.
fn with_snapshots_as_samples(trace: &Trace) -> Trace {
    let mut trace = trace.clone();
    if trace.samples.is_empty() {
        return trace;
    }
    for snapshot in &trace.snapshots {
        let Err(place) = trace.samples.binary_search_by_key(&snapshot.t_ns, |sample| sample.t_ns) else {
            continue;
        };
        // What a snapshot does not tell is as it was at the sample before.
        let near = trace.samples[place.saturating_sub(1)].clone();
        let sample = Sample {
            t_ns: snapshot.t_ns,
            heap_alloc_bytes: snapshot.mem_stats.heap_alloc,
            heap_inuse_bytes: snapshot.mem_stats.heap_inuse,
            heap_idle_bytes: snapshot.mem_stats.heap_idle,
            heap_released_bytes: snapshot.mem_stats.heap_released,
            rss_bytes: snapshot.rss_bytes,
            rss_ledger: snapshot.rss_ledger,
            num_gc: snapshot.mem_stats.num_gc,
            ..near
        };
        trace.samples.insert(place, sample);
    }
    trace
}

fn compose(traces: &[Trace], style: &Style) -> Result<Picture, ChartError> {
    let Style { width_px, height_px, theme } = *style;
    if width_px < Style::MIN_WIDTH_PX || height_px < Style::MIN_HEIGHT_PX {
        return Err(ChartError::TooSmall { width_px, height_px });
    }
    let mut picture = Picture::new(width_px, height_px, theme.background);
    let traces: Vec<Trace> = traces.iter().map(with_snapshots_as_samples).collect();
    match traces.as_slice() {
        [] => return Err(ChartError::NoTrace),
        [trace] => timeline::draw(&mut picture, theme, trace),
        _ if traces.len() > MAX_TRACES => return Err(ChartError::TooManyTraces { count: traces.len() }),
        _ => comparison::draw(&mut picture, theme, &traces),
    }
    Ok(picture)
}
