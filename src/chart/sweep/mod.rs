//! Sweeps as pictures: a quantity over GOGC and memory limit as a heat map, and the front of settings that no other beats.
//!
//! A page is drawn from plain numbers and words; which run belongs where, and which settings are on the front, the caller
//! knows.

mod front;
mod heat_map;
mod scale;

use std::path::Path;

pub use front::{FrontPage, FrontPoint};
pub use heat_map::{HeatCell, HeatMap, HeatPanel, MAX_PANELS};
pub use scale::Quantity;

use super::picture::Picture;
use super::{ChartError, Image, PlacedText, Style, paint, placed, png_file};

/// A page about a sweep.
#[derive(Clone, Debug, PartialEq)]
pub enum SweepPage {
    /// A quantity over two settings.
    HeatMap(HeatMap),
    /// GC CPU against peak RSS.
    Front(FrontPage),
}

/// Draws a page into a PNG file of the default style.
///
/// # Errors
/// As [`render_sweep`], and [`ChartError::Write`] when the file cannot be written; then nothing is left behind.
pub fn render_sweep_png(page: &SweepPage, path: &Path) -> Result<(), ChartError> {
    png_file::write(&png_file::encode(&render_sweep(page, &Style::default())?), path)
}

/// Draws a page as pixels.
///
/// # Errors
/// [`ChartError::TooSmall`].
pub fn render_sweep(page: &SweepPage, style: &Style) -> Result<Image, ChartError> {
    let picture = compose(page, style)?;
    Ok(Image { width_px: picture.width_px, height_px: picture.height_px, rgb: paint::paint(&picture) })
}

/// Every text that [`render_sweep`] draws, and where.
///
/// # Errors
/// As [`render_sweep`].
pub fn sweep_texts(page: &SweepPage, style: &Style) -> Result<Vec<PlacedText>, ChartError> {
    Ok(compose(page, style)?.labels().map(placed).collect())
}

fn compose(page: &SweepPage, style: &Style) -> Result<Picture, ChartError> {
    let Style { width_px, height_px, theme } = *style;
    if width_px < Style::MIN_WIDTH_PX || height_px < Style::MIN_HEIGHT_PX {
        return Err(ChartError::TooSmall { width_px, height_px });
    }
    let mut picture = Picture::new(width_px, height_px, theme.background);
    match page {
        SweepPage::HeatMap(map) => heat_map::draw(&mut picture, theme, map),
        SweepPage::Front(front) => front::draw(&mut picture, theme, front),
    }
    Ok(picture)
}
