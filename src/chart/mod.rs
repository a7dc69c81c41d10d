//! Charts: traces as pictures, PNG or SVG, that a room can read from the back row.
//!
//! Terms: a *picture* is a list of marks in pixels; a *timeline* shows one trace, a *comparison* several, an *overlay*
//! one over real runs of the same program; the *ledger* is resident memory split by owner, stacked.
//!
//! | [`Kind`] | shows | needs close-ups |
//! |---|---|---|
//! | `timeline` | heap against resident size over time | |
//! | `comparison` | several runs side by side, and the trade-off | |
//! | `pacer` | every cycle: live, trigger, goal, peak; overshoot, utilization, cons/mark | |
//! | `heap-map`, `heap-film` | the pages of the heap, at moments or as an animation | yes |
//! | `map-xray` | the slots of a map, before and after | yes |
//! | `size-classes` | spans and waste by class | yes |
//! | `pauses` | how long pauses and assists took | yes |
//!
//! 1. The page is laid out: question, settings and answer (`page`), then what the kind shows.
//! 2. Time and size get axes (`axis`); samples are thinned to what pixels can show (`decimate`).
//! 3. Labels find places where nothing lies yet (`labels`).
//! 4. The finished picture is painted (`paint`) and encoded (`png_file`), or written as shapes (`svg`).
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
mod heap_map;
mod kind;
mod labels;
mod map_xray;
mod moments;
mod overlay;
mod pacer;
mod page;
mod paint;
mod pauses;
mod picture;
mod png_file;
mod scale;
mod side_names;
mod size_classes;
mod stroke;
mod svg;
mod sweep;
mod text;
mod theme;
mod timeline;
mod words;

use std::path::{Path, PathBuf};

pub use kind::{Format, Kind};
pub use overlay::{BandPoint, Overlay, OverlayPanel, overlay_texts, render_overlay, render_overlay_png};
pub use sweep::{
    FrontPage, FrontPoint, HeatCell, HeatMap, HeatPanel, MAX_PANELS, Quantity, SweepPage, render_sweep,
    render_sweep_png, sweep_texts,
};
pub use theme::{DARK, Ink, LIGHT, Theme};

use crate::trace::{CloseUps, Recording, Sample, Trace};
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
    /// A kind that shows one run was given several.
    #[error(
        "the chart {kind} shows one run, and there are {count}; accepted: a single run, or --chart comparison"
    )]
    OneRunOnly {
        /// The kind.
        kind: Kind,
        /// How many runs were given.
        count: usize,
    },
    /// The run was recorded without what the chart shows.
    #[error(
        "the chart {kind} shows what this trace does not have; accepted: a trace that gclab run --save-trace has written"
    )]
    NotRecorded {
        /// The kind.
        kind: Kind,
    },
    /// There is no map to look into.
    #[error(
        "no map exists at any snapshot of the run; accepted: a scenario with a snapshot while a map variable is not nil"
    )]
    NoMap,
    /// There is no snapshot of this name.
    #[error("there is no moment {label:?} to show; accepted: {labels}")]
    NoSuchMoment {
        /// What was asked for.
        label: String,
        /// What there is.
        labels: String,
    },
    /// More moments than a page has room for.
    #[error("{count} moments do not fit the chart; accepted: at most {most}")]
    TooManyMoments {
        /// How many were asked for.
        count: usize,
        /// How many fit.
        most: usize,
    },
    /// A film has no shapes.
    #[error("a film is a PNG that moves; accepted: --format png")]
    FilmIsPixels,
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

/// What to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the chart shows.
    pub kind: Kind,
    /// Labels of the snapshots that it shows, for kinds that show moments; empty for a choice of its own.
    pub at: Vec<String>,
}

impl From<Kind> for Request {
    fn from(kind: Kind) -> Request {
        Request { kind, at: Vec::new() }
    }
}

/// Draws runs as the bytes of a file.
///
/// # Errors
/// [`ChartError`], except for [`ChartError::Write`].
pub fn draw(
    runs: &[Recording],
    request: &Request,
    style: &Style,
    format: Format,
) -> Result<Vec<u8>, ChartError> {
    if request.kind == Kind::HeapFilm {
        let run = only(runs, Kind::HeapFilm)?;
        return match format {
            Format::Png => heap_map::film(run, style),
            Format::Svg => Err(ChartError::FilmIsPixels),
        };
    }
    let picture = lay_out(runs, request, style)?;
    Ok(match format {
        Format::Png => png_file::encode(&image(&picture)),
        Format::Svg => {
            let title = runs.first().map_or("", |run| run.trace.title.as_str());
            svg::document(&picture, &format!("{}: {title}", request.kind)).into_bytes()
        }
    })
}

/// Writes the bytes of a chart to a file, whole or not at all.
///
/// # Errors
/// [`ChartError::Write`]; then nothing is left behind.
pub fn write(bytes: &[u8], path: &Path) -> Result<(), ChartError> {
    png_file::write(bytes, path)
}

/// Every text that [`draw`] draws, and where; of a film, its last frame.
///
/// # Errors
/// As [`draw`].
pub fn chart_texts(
    runs: &[Recording],
    request: &Request,
    style: &Style,
) -> Result<Vec<PlacedText>, ChartError> {
    Ok(lay_out(runs, request, style)?.labels().map(placed).collect())
}

fn lay_out(runs: &[Recording], request: &Request, style: &Style) -> Result<Picture, ChartError> {
    let Style { width_px, height_px, theme } = *style;
    let kind = request.kind;
    let traces = || runs.iter().map(|run| run.trace.clone()).collect::<Vec<Trace>>();
    match kind {
        Kind::Timeline => return compose(&[only(runs, kind)?.trace.clone()], style),
        Kind::Comparison => return compose(&traces(), style),
        Kind::HeapFilm => return heap_map::last_frame(only(runs, kind)?, style),
        _ => check_size(style)?,
    }
    let run = only(runs, kind)?;
    let mut picture = Picture::new(width_px, height_px, theme.background);
    match kind {
        Kind::HeapMap => heap_map::draw(&mut picture, theme, run, &request.at)?,
        Kind::MapXray => map_xray::draw(&mut picture, theme, run, &request.at)?,
        Kind::SizeClasses => size_classes::draw(&mut picture, theme, run, &request.at)?,
        Kind::Pauses => pauses::draw(&mut picture, theme, run)?,
        _ => pacer::draw(&mut picture, theme, &run.trace),
    }
    Ok(picture)
}

/// The one run of a chart that shows one.
fn only(runs: &[Recording], kind: Kind) -> Result<&Recording, ChartError> {
    match runs {
        [] => Err(ChartError::NoTrace),
        [run] => Ok(run),
        several => Err(ChartError::OneRunOnly { kind, count: several.len() }),
    }
}

/// The close-ups that a chart of `kind` shows.
fn close_ups(run: &Recording, kind: Kind) -> Result<&CloseUps, ChartError> {
    run.close_ups.as_ref().ok_or(ChartError::NotRecorded { kind })
}

fn image(picture: &Picture) -> Image {
    Image { width_px: picture.width_px, height_px: picture.height_px, rgb: paint::paint(picture) }
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
    Ok(image(&compose(traces, style)?))
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

fn check_size(style: &Style) -> Result<(), ChartError> {
    let Style { width_px, height_px, .. } = *style;
    if width_px < Style::MIN_WIDTH_PX || height_px < Style::MIN_HEIGHT_PX {
        return Err(ChartError::TooSmall { width_px, height_px });
    }
    Ok(())
}

fn compose(traces: &[Trace], style: &Style) -> Result<Picture, ChartError> {
    let Style { width_px, height_px, theme } = *style;
    check_size(style)?;
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
