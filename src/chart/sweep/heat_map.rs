//! A quantity over GOGC and memory limit: a coloured cell with its number for each combination, panels for other settings.

use super::super::page::{self, MARGIN_PX};
use super::super::picture::{Align, Area, Dash, Picture, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, NAME_PX, Theme};
use super::scale::{Quantity, Scale, colour_at};

/// Most panels of a page.
pub const MAX_PANELS: usize = 6;

/// What is known of a combination.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HeatCell {
    /// The quantity: bytes, or a share from 0 to 1.
    Value(f64),
    /// The container's limit killed a run.
    Killed,
    /// No run came to an end.
    Nothing,
}

/// One plane.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatPanel {
    /// In what it differs from the other panels.
    pub name: String,
    /// A list for each row, from the top, with a cell for each column.
    pub cells: Vec<Vec<HeatCell>>,
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// The heading.
    pub title: String,
    /// What was swept.
    pub subtitle: String,
    /// What the colours stand for.
    pub quantity: Quantity,
    /// What the columns are: `GOGC`.
    pub columns_name: String,
    /// Their values.
    pub columns: Vec<String>,
    /// What the rows are: `GOMEMLIMIT`.
    pub rows_name: String,
    /// Their values, from the top.
    pub rows: Vec<String>,
    /// At most [`MAX_PANELS`] of them are drawn.
    pub panels: Vec<HeatPanel>,
}

const KEY_PX: f32 = 150.0;
const NAME_ROW_PX: f32 = 34.0;
const COLUMN_LABELS_PX: f32 = 34.0;
const GAP_PX: f32 = 24.0;
/// Between two cells.
const SEAM_PX: f32 = 1.0;

/// Draws the page.
pub fn draw(picture: &mut Picture, theme: &Theme, map: &HeatMap) {
    let top = page::header(picture, theme, &map.title, &map.subtitle);
    let (width, height) = (picture.width_px as f32, picture.height_px as f32);
    let font = regular(BODY_PX);
    let row_labels_px =
        map.rows.iter().chain([&map.rows_name]).map(|row| font.width_px(row)).fold(0.0, f32::max) + 14.0;
    let area = Area {
        left: MARGIN_PX + row_labels_px,
        top: top + 6.0,
        right: width - MARGIN_PX - KEY_PX,
        bottom: height - MARGIN_PX - COLUMN_LABELS_PX,
    };
    picture.text(
        at(area.center().x, height - MARGIN_PX - 8.0),
        Align::Middle,
        bold(BODY_PX),
        theme.text,
        &map.columns_name,
    );
    let panels = &map.panels[..map.panels.len().min(MAX_PANELS)];
    let values = panels.iter().flat_map(|panel| panel.cells.iter().flatten()).filter_map(|cell| match cell {
        HeatCell::Value(value) => Some(*value),
        _ => None,
    });
    let scale = Scale::over(map.quantity, values);
    let columns = match panels.len() {
        0 | 1 => 1,
        2..=4 => 2,
        _ => 3,
    };
    let rows = panels.len().div_ceil(columns).max(1);
    let panel_width = (area.width() - GAP_PX * (columns - 1) as f32) / columns as f32;
    let panel_height = (area.height() - GAP_PX * (rows - 1) as f32) / rows as f32;
    for (index, panel) in panels.iter().enumerate() {
        let (column, row) = (index % columns, index / columns);
        let left = area.left + column as f32 * (panel_width + GAP_PX);
        let top = area.top + row as f32 * (panel_height + GAP_PX);
        let place = Area { left, top, right: left + panel_width, bottom: top + panel_height };
        let plot = Area { top: place.top + NAME_ROW_PX, bottom: place.bottom - COLUMN_LABELS_PX, ..place };
        let name = bold(NAME_PX).elide(&panel.name, panel_width);
        let middle = place.top + NAME_ROW_PX / 2.0 - 2.0;
        picture.text(at(plot.left, middle), Align::Start, bold(NAME_PX), theme.text, &name);
        if column == 0 {
            draw_row_labels(picture, theme, map, plot, middle);
        }
        draw_column_labels(picture, theme, map, plot);
        draw_cells(picture, theme, map, panel, scale, plot);
    }
    let key = Area { left: width - MARGIN_PX - KEY_PX + 26.0, right: width - MARGIN_PX, ..area };
    draw_key(picture, theme, map, scale, Area { top: key.top + NAME_ROW_PX, ..key });
}

fn draw_row_labels(picture: &mut Picture, theme: &Theme, map: &HeatMap, plot: Area, name_y: f32) {
    let font = regular(BODY_PX);
    let right = plot.left - 10.0;
    picture.text(at(right, name_y), Align::End, bold(BODY_PX), theme.text, &map.rows_name);
    let height = plot.height() / map.rows.len().max(1) as f32;
    let every = (font.line_px() / height).ceil().max(1.0) as usize;
    for (index, row) in map.rows.iter().enumerate().step_by(every) {
        let y = plot.top + (index as f32 + 0.5) * height;
        picture.text(at(right, y), Align::End, font, theme.text_quiet, row);
    }
}

fn draw_column_labels(picture: &mut Picture, theme: &Theme, map: &HeatMap, plot: Area) {
    let font = regular(BODY_PX);
    let width = plot.width() / map.columns.len().max(1) as f32;
    let widest = map.columns.iter().map(|column| font.width_px(column)).fold(0.0, f32::max);
    let every = ((widest + 10.0) / width).ceil().max(1.0) as usize;
    for (index, column) in map.columns.iter().enumerate().step_by(every) {
        let x = plot.left + (index as f32 + 0.5) * width;
        picture.text(at(x, plot.bottom + 18.0), Align::Middle, font, theme.text_quiet, column);
    }
}

fn draw_cells(
    picture: &mut Picture,
    theme: &Theme,
    map: &HeatMap,
    panel: &HeatPanel,
    scale: Scale,
    plot: Area,
) {
    let font = regular(BODY_PX);
    let width = plot.width() / map.columns.len().max(1) as f32;
    let height = plot.height() / map.rows.len().max(1) as f32;
    let text = |cell: &HeatCell| match cell {
        HeatCell::Value(value) => map.quantity.cell_text(*value),
        HeatCell::Killed => "OOM".to_owned(),
        HeatCell::Nothing => "?".to_owned(),
    };
    let widest = panel.cells.iter().flatten().map(|cell| font.width_px(&text(cell))).fold(0.0, f32::max);
    let is_written = widest + 6.0 <= width && font.em_px + 2.0 <= height;
    for (row, cells) in panel.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let left = plot.left + column as f32 * width;
            let top = plot.top + row as f32 * height;
            let area = Area { left, top, right: left + width - SEAM_PX, bottom: top + height - SEAM_PX };
            let (fill, ink) = match cell {
                HeatCell::Value(value) => (scale.ink(*value), scale.text_ink(*value)),
                HeatCell::Killed => (theme.danger, theme.background),
                HeatCell::Nothing => (theme.panel_alternate, theme.text_quiet),
            };
            picture.fill(area, fill);
            if is_written {
                picture.text(area.center(), Align::Middle, font, ink, &text(cell));
            } else if *cell == HeatCell::Killed {
                // Colour alone would not say it.
                let (low, high) = (at(area.left, area.bottom), at(area.right, area.top));
                picture.stroke(vec![low, high], 2.0, Dash::Solid, theme.background);
            }
        }
    }
}

fn draw_key(picture: &mut Picture, theme: &Theme, map: &HeatMap, scale: Scale, area: Area) {
    const BAR_PX: f32 = 30.0;
    const STEPS: u16 = 64;
    let font = regular(BODY_PX);
    let is_killed = |panel: &HeatPanel| panel.cells.iter().flatten().any(|cell| *cell == HeatCell::Killed);
    let killed = map.panels.iter().any(is_killed);
    picture.text(
        at(area.left, area.top - NAME_ROW_PX / 2.0),
        Align::Start,
        bold(BODY_PX),
        theme.text,
        map.quantity.unit(),
    );
    let bar =
        Area { right: area.left + BAR_PX, bottom: area.bottom - if killed { 50.0 } else { 0.0 }, ..area };
    let step = bar.height() / f32::from(STEPS);
    for number in 0..STEPS {
        let share = 1.0 - (f64::from(number) + 0.5) / f64::from(STEPS);
        let top = bar.top + f32::from(number) * step;
        // Overlapping by a pixel leaves no seam.
        picture.fill(Area { top, bottom: (top + step + 1.0).min(bar.bottom), ..bar }, colour_at(share));
    }
    let inset = font.em_px / 2.0;
    for share in [0.0f32, 0.25, 0.5, 0.75, 1.0] {
        let y = (bar.bottom - inset) - (bar.height() - 2.0 * inset) * share;
        let text = map.quantity.text(scale.value_at(f64::from(share)));
        let text = font.elide(&text, area.right - bar.right - 8.0);
        picture.text(at(bar.right + 8.0, y), Align::Start, font, theme.text_quiet, &text);
    }
    if killed {
        let sample = Area { top: area.bottom - 30.0, bottom: area.bottom, ..bar };
        picture.fill(sample, theme.danger);
        picture.stroke(
            vec![at(sample.left, sample.bottom), at(sample.right, sample.top)],
            2.0,
            Dash::Solid,
            theme.background,
        );
        picture.text(at(sample.right + 8.0, sample.center().y), Align::Start, font, theme.text, "OOM kill");
    }
}
