//! Pages as squares: how many pages a square stands for, how large it is, and what colour it has.

use super::super::picture::{Area, Picture};
use super::super::theme::{Ink, Theme};
use crate::trace::{Backing, PageMap, PageState, PageUse};

/// The smallest square in pixels, its gap included.
const SMALLEST_PX: f32 = 5.0;
/// The largest one in pixels.
const LARGEST_PX: f32 = 22.0;
/// Squares of a row are a multiple of this, up to so many times it.
const COLUMN_STEP: u64 = 16;
const MOST_COLUMN_STEPS: u64 = 16;
/// From this size on squares stand apart, in pixels.
const GAP_FROM_PX: f32 = 4.0;

/// How the pages of a heap are laid out in an area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Pages of one square, a power of two.
    pub pages_per_cell: u64,
    /// Squares of a row.
    pub columns: u64,
    /// Rows.
    pub rows: u64,
    /// Width and height of a square with its gap, in pixels.
    pub cell_px: f32,
}

impl Grid {
    /// The grid with the largest squares that shows `pages` pages in `width` by `height` pixels; a square stands for as few pages as
    /// squares of a visible size allow.
    pub fn fitting(pages: u64, width: f32, height: f32) -> Grid {
        let mut pages_per_cell = 1;
        loop {
            let cells = pages.div_ceil(pages_per_cell).max(1);
            let grid = |columns: u64| {
                let rows = cells.div_ceil(columns).max(1);
                let cell_px = (width / columns as f32).min(height / rows as f32).min(LARGEST_PX);
                // Whole pixels: squares of unequal width would shimmer.
                Grid { pages_per_cell, columns, rows, cell_px: cell_px.floor() }
            };
            let columns = (1..=MOST_COLUMN_STEPS).map(|steps| steps * COLUMN_STEP);
            let best = columns.map(grid).max_by(|a, b| a.cell_px.total_cmp(&b.cell_px));
            let best = best.expect("there are several columns to choose from");
            if best.cell_px >= SMALLEST_PX || pages_per_cell >= 1 << 40 {
                return best;
            }
            pages_per_cell *= 2;
        }
    }

    /// Draws `map` with its first page at `left`, `top`. Neighbours of one colour in a row are one rectangle where squares touch.
    pub fn draw(&self, picture: &mut Picture, theme: &Theme, map: &PageMap, left: f32, top: f32) {
        let gap_px = if self.cell_px >= GAP_FROM_PX { 1.0 } else { 0.0 };
        for (index, state) in (0..).zip(self.cells(map)) {
            let (row, column) = (index / self.columns, index % self.columns);
            let (left, top) = (left + column as f32 * self.cell_px, top + row as f32 * self.cell_px);
            let square =
                Area { left, top, right: left + self.cell_px - gap_px, bottom: top + self.cell_px - gap_px };
            picture.fill(square, ink(theme, state));
        }
    }

    /// The state of each square: that of most of its pages, of equals the first in the order of states.
    pub fn cells(&self, map: &PageMap) -> Vec<PageState> {
        let mut cells = Vec::new();
        let mut counts: Vec<(PageState, u64)> = Vec::new();
        let mut missing = self.pages_per_cell;
        for run in map.runs() {
            let mut left = run.pages;
            // Whole squares of one state.
            while left > 0 {
                let taken = left.min(missing);
                match counts.iter_mut().find(|(state, _)| *state == run.state) {
                    Some((_, count)) => *count += taken,
                    None => counts.push((run.state, taken)),
                }
                (left, missing) = (left - taken, missing - taken);
                if missing == 0 {
                    cells.push(most(&counts));
                    counts.clear();
                    missing = self.pages_per_cell;
                }
            }
        }
        if !counts.is_empty() {
            cells.push(most(&counts));
        }
        cells
    }
}

fn most(counts: &[(PageState, u64)]) -> PageState {
    let best = counts.iter().min_by_key(|(state, count)| (std::cmp::Reverse(*count), *state));
    best.map(|(state, _)| *state).expect("a square has pages")
}

/// The colour of a page. Pages in use without memory behind them are pale.
pub fn ink(theme: &Theme, state: PageState) -> Ink {
    let full = match state.usage {
        PageUse::SmallScan => theme.heap_alloc,
        PageUse::SmallNoscan => theme.page_small,
        PageUse::LargeScan => theme.heap_goal,
        PageUse::LargeNoscan => theme.page_large,
        PageUse::Stack => theme.memory_limit,
        PageUse::WorkBuffer => theme.danger,
        PageUse::Free => theme.free_hatch,
        PageUse::Released => theme.free,
        PageUse::Reserved => theme.rule,
    };
    match (state.usage, state.backing) {
        (_, Backing::Resident) | (PageUse::Reserved, _) => full,
        (PageUse::Released, Backing::Absent) => theme.grid,
        (_, Backing::Absent) => full.mixed_with(theme.background, 0.68),
    }
}

/// What a page is, in the words of the key.
pub fn name(usage: PageUse) -> &'static str {
    match usage {
        PageUse::SmallScan => "small objects, pointers",
        PageUse::SmallNoscan => "small objects, no pointers",
        PageUse::LargeScan => "large object, pointers",
        PageUse::LargeNoscan => "large object, no pointers",
        PageUse::Stack => "stacks",
        PageUse::WorkBuffer => "GC work buffers",
        PageUse::Free => "free, kept by Go",
        PageUse::Released => "free, given back or never used",
        PageUse::Reserved => "never used",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn state(usage: PageUse) -> PageState {
        PageState { usage, backing: Backing::Resident }
    }

    #[test]
    fn a_square_has_the_state_of_most_of_its_pages() {
        let (free, stack) = (state(PageUse::Free), state(PageUse::Stack));
        let map = PageMap::of([free, stack, stack, stack, free, free, stack]);
        let grid = Grid { pages_per_cell: 4, columns: 16, rows: 1, cell_px: 8.0 };
        assert_eq!(grid.cells(&map), [stack, free]);
    }

    proptest! {
        #[test]
        fn every_page_has_a_square_and_every_square_a_place(
            pages in 0u64..1 << 34,
            width in 300f32..1500.0,
            height in 200f32..800.0,
        ) {
            let grid = Grid::fitting(pages, width, height);
            prop_assert!(grid.columns * grid.rows * grid.pages_per_cell >= pages);
            let (wide, high) = (grid.columns as f32 * grid.cell_px, grid.rows as f32 * grid.cell_px);
            prop_assert!(wide <= width && high <= height, "{grid:?}");
            prop_assert!(grid.cell_px >= SMALLEST_PX);
        }
    }
}
