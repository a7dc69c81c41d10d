//! The film: the page map of a run as a PNG that moves (APNG).
//!
//! Every frame stays equally long on the screen, whether it lasted a microsecond or a minute: the clock says how far the run is, and
//! the step that is running has its name. The first frame is a whole page; of later ones only what changed is stored.

use super::super::axis::{duration_text, size_text};
use super::super::page::MARGIN_PX;
use super::super::picture::{Align, Area, Picture, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, NAME_PX, Theme};
use super::super::{ChartError, Image, Kind, Style, check_size, close_ups, image, page, png_file, words};
use super::Key;
use super::cells::Grid;
use crate::trace::{PageFrame, Recording, Trace};

/// How long a frame stays, and the last one, in milliseconds.
const FRAME_MS: u16 = 120;
const LAST_FRAME_MS: u16 = 3_000;
/// Height of the lines above the squares in pixels.
const WORDS_PX: f32 = 136.0;

/// The film of a run as the bytes of an APNG file.
///
/// # Errors
/// [`ChartError::NotRecorded`] without page maps, [`ChartError::TooSmall`].
pub fn film(recording: &Recording, style: &Style) -> Result<Vec<u8>, ChartError> {
    let frames = frames(recording, style)?;
    let draw = |index| image(&frame_picture(&recording.trace, &frames, index, style));
    let images: Vec<Image> = (0..frames.len()).map(draw).collect();
    // Where a film does not play, the fullest frame stands for it.
    let still = (0..frames.len()).max_by_key(|index| (frames[*index].rss_bytes, std::cmp::Reverse(*index)));
    Ok(png_file::encode_film(&images, still.unwrap_or(0), FRAME_MS, LAST_FRAME_MS))
}

/// The last frame of the film.
///
/// # Errors
/// As [`film`].
pub fn last_frame(recording: &Recording, style: &Style) -> Result<Picture, ChartError> {
    let frames = frames(recording, style)?;
    Ok(frame_picture(&recording.trace, &frames, frames.len() - 1, style))
}

/// The frames, at least one.
fn frames<'r>(recording: &'r Recording, style: &Style) -> Result<Vec<&'r PageFrame>, ChartError> {
    check_size(style)?;
    let film = &close_ups(recording, Kind::HeapFilm)?.film;
    if film.is_empty() {
        return Err(ChartError::NotRecorded { kind: Kind::HeapFilm });
    }
    Ok(film.iter().collect())
}

fn frame_picture(trace: &Trace, frames: &[&PageFrame], index: usize, style: &Style) -> Picture {
    let theme = style.theme;
    let mut picture = Picture::new(style.width_px, style.height_px, theme.background);
    let title = format!("The heap, page by page: {}", trace.title);
    let top = page::header(&mut picture, theme, &title, &words::settings(&trace.config));
    let area = Area {
        left: MARGIN_PX,
        top,
        right: style.width_px as f32 - MARGIN_PX,
        bottom: style.height_px as f32 - MARGIN_PX,
    };
    let key = Key::of(frames, area.width());
    draw_words(&mut picture, theme, trace, frames, index, Area { bottom: top + WORDS_PX, ..area });
    let pages = frames.iter().map(|frame| frame.pages.pages()).max().unwrap_or(0);
    let grid = Grid::fitting(pages, area.width(), area.height() - WORDS_PX - key.height_px());
    grid.draw(&mut picture, theme, &frames[index].pages, area.left, area.top + WORDS_PX);
    key.draw(&mut picture, theme, &grid, area.bottom - key.height_px());
    picture
}

/// The clock, the step that is running, and RSS and HeapAlloc as bars on one scale.
fn draw_words(
    picture: &mut Picture,
    theme: &Theme,
    trace: &Trace,
    frames: &[&PageFrame],
    index: usize,
    area: Area,
) {
    const CLOCK_PX: f32 = 190.0;
    const NAMES_PX: f32 = 110.0;
    const VALUES_PX: f32 = 110.0;
    let frame = frames[index];
    let y = area.top + 16.0;
    picture.text(at(area.left, y), Align::Start, bold(NAME_PX), theme.text, &duration_text(frame.t_ns));
    // A snapshot only looks: the step before it is what goes on.
    let running = trace.steps.iter().rev().filter(|step| !step.label.starts_with("snapshot"));
    let step = running.skip_while(|step| step.t_ns > frame.t_ns).map(|step| step.label.as_str()).next();
    let step = step.unwrap_or("");
    let step = regular(NAME_PX).elide(step, area.width() - CLOCK_PX);
    picture.text(at(area.left + CLOCK_PX, y), Align::Start, regular(NAME_PX), theme.text, &step);
    let most =
        frames.iter().map(|frame| frame.rss_bytes.max(frame.heap_alloc_bytes)).max().unwrap_or(0).max(1);
    let bars = [("RSS", frame.rss_bytes, theme.rss), ("HeapAlloc", frame.heap_alloc_bytes, theme.heap_alloc)];
    for (row, (name, bytes, ink)) in bars.into_iter().enumerate() {
        let y = area.top + 54.0 + row as f32 * 32.0;
        picture.text(at(area.left, y), Align::Start, bold(BODY_PX), ink, name);
        let left = area.left + NAMES_PX;
        let full_px = area.width() - NAMES_PX - VALUES_PX;
        let length = full_px * (bytes as f64 / most as f64) as f32;
        let bar = Area { left, right: left + full_px, top: y - 10.0, bottom: y + 10.0 };
        picture.fill(bar, theme.panel_alternate);
        picture.fill(Area { right: left + length, ..bar }, ink);
        let value = size_text(bytes);
        picture.text(at(area.right, y), Align::End, regular(BODY_PX), theme.text, &value);
    }
}
