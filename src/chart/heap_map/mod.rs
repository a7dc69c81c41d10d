//! The heap as a map: the address space page by page, at chosen moments or as a film.
//!
//! Every square is a page, or a power of two of neighbouring pages; addresses grow to the right and then down. All moments of a
//! page share one grid, so that the same address lies at the same place in each. Nothing ever moves in a Go heap: what can be
//! seen is who comes to use which page, which pages fall free, and which go back.

mod cells;
mod film;

pub use film::{film, last_frame};

use super::axis::{duration_text, size_text};
use super::moments::{Moments, choose};
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Picture, at};
use super::text::{bold, regular};
use super::theme::{BODY_PX, NAME_PX, Theme};
use super::{ChartError, words};
use crate::trace::{Backing, PageFrame, PageState, PageUse, Recording};
use crate::units::PAGE_BYTES;
use cells::Grid;

/// Most moments on a page.
pub const MOST_MOMENTS: usize = 6;
/// Height of a moment's two lines of words, in pixels.
const WORDS_PX: f32 = 62.0;
/// Between two moments in pixels.
const GUTTER_PX: f32 = 34.0;
/// Height of a row of the key in pixels.
const KEY_ROW_PX: f32 = 32.0;

const EXPLANATION: &str = "Nothing in a Go heap ever moves: a page is used again for spans of any size once every object on it is \
    dead and swept, and only the scavenger gives free pages back. New spans take the lowest addresses.";

/// Draws the heap at the moments of `wanted`, or at up to six that are spread over the run.
///
/// # Errors
/// [`ChartError::NotRecorded`] without page maps, [`ChartError::NoSuchMoment`].
pub fn draw(
    picture: &mut Picture,
    theme: &Theme,
    recording: &Recording,
    wanted: &[String],
) -> Result<(), ChartError> {
    let close_ups = super::close_ups(recording, super::Kind::HeapMap)?;
    let labels: Vec<&str> = close_ups.moments.iter().map(|frame| frame.label.as_str()).collect();
    let chosen = choose(&labels, wanted, MOST_MOMENTS, Moments::Spread)?;
    let frames: Vec<&PageFrame> = chosen.into_iter().map(|index| &close_ups.moments[index]).collect();

    let title = format!("The heap, page by page: {}", recording.trace.title);
    let top = page::header(picture, theme, &title, &words::settings(&recording.trace.config));
    let bottom = page::footer(picture, theme, EXPLANATION);
    if frames.is_empty() {
        page::remark(picture, theme, (top, bottom), "The run has no snapshots: there is nothing to draw.");
        return Ok(());
    }
    let area = Area { left: MARGIN_PX, top: top + 4.0, right: picture.width_px as f32 - MARGIN_PX, bottom };
    let (columns, rows) = arrangement(frames.len());
    let pages = frames.iter().map(|frame| frame.pages.pages()).max().unwrap_or(0);
    let key = Key::of(&frames, area.width());
    let width = (area.width() - GUTTER_PX * (columns - 1) as f32) / columns as f32;
    let height = (area.height() - key.height_px()) / rows as f32;
    let grid = Grid::fitting(pages, width, height - WORDS_PX - 12.0);
    for (index, frame) in frames.iter().enumerate() {
        let left = area.left + (index % columns) as f32 * (width + GUTTER_PX);
        let top = area.top + (index / columns) as f32 * height;
        draw_words(picture, theme, frame, Area { left, top, right: left + width, bottom: top + WORDS_PX });
        grid.draw(picture, theme, &frame.pages, left, top + WORDS_PX);
    }
    key.draw(picture, theme, &grid, area.bottom - key.height_px());
    Ok(())
}

/// Columns and rows for so many moments.
fn arrangement(moments: usize) -> (usize, usize) {
    match moments {
        0 | 1 => (1, 1),
        2 => (2, 1),
        3 => (3, 1),
        4 => (2, 2),
        _ => (3, 2),
    }
}

/// The label of a moment, and its sizes.
fn draw_words(picture: &mut Picture, theme: &Theme, frame: &PageFrame, area: Area) {
    let label = bold(NAME_PX).elide(&frame.label, area.width());
    picture.text(at(area.left, area.top + 16.0), Align::Start, bold(NAME_PX), theme.text, &label);
    let sizes = regular(BODY_PX).elide(&sizes_text(frame), area.width());
    picture.text(at(area.left, area.top + 44.0), Align::Start, regular(BODY_PX), theme.text_quiet, &sizes);
}

/// `RSS 39 MiB · HeapAlloc 38 MiB · after 148 ms`
fn sizes_text(frame: &PageFrame) -> String {
    let (rss, heap) = (size_text(frame.rss_bytes), size_text(frame.heap_alloc_bytes));
    format!("RSS {rss} · HeapAlloc {heap} · after {}", duration_text(frame.t_ns))
}

/// What the colours mean: only those that are on the page.
struct Key {
    rows: Vec<Vec<(PageState, String)>>,
}

const SWATCH_PX: f32 = 20.0;
const ENTRY_GAP_PX: f32 = 26.0;

impl Key {
    fn of(frames: &[&PageFrame], width: f32) -> Key {
        let is_there = |state: PageState| frames.iter().any(|frame| frame.pages.count(state) > 0);
        let mut entries: Vec<(PageState, String)> = Vec::new();
        let mut has_pale = false;
        for usage in PageUse::ALL {
            let [resident, absent] =
                [Backing::Resident, Backing::Absent].map(|backing| PageState { usage, backing });
            let own_name = match usage {
                PageUse::Released => Some("given back, still resident"),
                _ => None,
            };
            match (is_there(resident), is_there(absent)) {
                (false, false) => continue,
                (true, both) => {
                    let text = own_name.unwrap_or(cells::name(usage));
                    entries.push((resident, text.to_owned()));
                    if both && own_name.is_some() {
                        entries.push((absent, cells::name(usage).to_owned()));
                    }
                    has_pale |= both && own_name.is_none();
                }
                (false, true) if own_name.is_some() || usage == PageUse::Reserved => {
                    entries.push((absent, cells::name(usage).to_owned()));
                }
                (false, true) => {
                    entries.push((resident, cells::name(usage).to_owned()));
                    has_pale = true;
                }
            }
        }
        if has_pale {
            let pale = PageState { usage: PageUse::LargeNoscan, backing: Backing::Absent };
            entries.push((pale, "pale: not written yet, no memory behind it".to_owned()));
        }
        let mut rows: Vec<Vec<(PageState, String)>> = vec![Vec::new()];
        let mut used_px = 0.0;
        for entry in entries {
            let needed = SWATCH_PX + 8.0 + regular(BODY_PX).width_px(&entry.1) + ENTRY_GAP_PX;
            if used_px + needed - ENTRY_GAP_PX > width && used_px > 0.0 {
                rows.push(Vec::new());
                used_px = 0.0;
            }
            used_px += needed;
            rows.last_mut().into_iter().for_each(|row| row.push(entry.clone()));
        }
        Key { rows }
    }

    /// Height of the key and of the line that says what a square is, in pixels.
    fn height_px(&self) -> f32 {
        (self.rows.len() + 1) as f32 * KEY_ROW_PX
    }

    fn draw(&self, picture: &mut Picture, theme: &Theme, grid: &Grid, top: f32) {
        let font = regular(BODY_PX);
        let mut y = top + KEY_ROW_PX / 2.0;
        let scale = scale_text(grid);
        picture.text(at(MARGIN_PX, y), Align::Start, font, theme.text_quiet, &scale);
        for row in &self.rows {
            y += KEY_ROW_PX;
            let mut x = MARGIN_PX;
            for (state, text) in row {
                let swatch = Area { left: x, right: x + SWATCH_PX, top: y - 10.0, bottom: y + 10.0 };
                picture.fill(swatch, theme.rule);
                picture.fill(swatch.grown(-1.0), cells::ink(theme, *state));
                let named = picture.text(at(x + SWATCH_PX + 8.0, y), Align::Start, font, theme.text, text);
                x = named.right + ENTRY_GAP_PX;
            }
        }
    }
}

/// What a square and a row stand for.
fn scale_text(grid: &Grid) -> String {
    let square = match grid.pages_per_cell {
        1 => "a page of 8 KiB".to_owned(),
        pages => format!("{} neighbouring pages, {}", pages, size_text(pages * PAGE_BYTES)),
    };
    let row = size_text(grid.pages_per_cell * grid.columns * PAGE_BYTES);
    format!("Each square is {square}; each row is {row}. Addresses grow to the right and down.")
}
