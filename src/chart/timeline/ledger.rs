//! Resident memory by owner, stacked: whose every byte is.

use super::super::axis::{ByteAxis, TimeAxis};
use super::super::labels::{FreeSpots, band_spot};
use super::super::picture::{Align, Area, Hatching, Mark, Picture, Skyline, at};
use super::super::text::regular;
use super::super::theme::{BODY_PX, Ink, Theme};
use super::lines::Drawn;
use crate::trace::{RssLedger, Sample};

/// One owner of resident memory.
pub struct Layer {
    /// What it is, for a newcomer.
    pub name: &'static str,
    /// Its share of a ledger in bytes.
    pub bytes: fn(&RssLedger) -> u64,
    /// Its fill.
    pub ink: fn(&Theme) -> Ink,
    /// Stripes over the fill, if any.
    pub hatch: Option<fn(&Theme) -> Ink>,
}

/// The owners from the bottom of the stack to its top. HeapAlloc is the first three.
pub const LAYERS: [Layer; 8] = [
    Layer { name: "live at last GC", bytes: |l| l.marked_bytes, ink: |t| t.marked, hatch: None },
    Layer { name: "new since last GC", bytes: |l| l.fresh_bytes, ink: |t| t.fresh, hatch: None },
    Layer { name: "garbage, not yet swept", bytes: |l| l.dead_bytes, ink: |t| t.dead, hatch: None },
    Layer { name: "gaps in used spans", bytes: |l| l.waste_bytes, ink: |t| t.waste, hatch: None },
    Layer {
        name: "free, kept by Go",
        bytes: |l| l.free_bytes,
        ink: |t| t.free,
        hatch: Some(|t| t.free_hatch),
    },
    Layer {
        name: "free, OS may take it",
        bytes: |l| l.lazily_freed_bytes,
        ink: |t| t.lazily_freed,
        hatch: None,
    },
    Layer { name: "stacks", bytes: |l| l.stack_bytes, ink: |t| t.stacks, hatch: None },
    Layer {
        name: "runtime and code",
        bytes: |l| l.metadata_bytes + l.binary_bytes,
        ink: |t| t.other,
        hatch: None,
    },
];

/// The bytes of each layer.
pub type Layered = [f64; LAYERS.len()];

/// What one pixel column has seen: the sample with the most resident memory, and the last one.
struct Seen {
    column: usize,
    peak: (u64, Layered),
    first: Layered,
    last: Layered,
}

/// The layers in every pixel column of the axis: the highest moment where there are samples, a straight line between
/// its neighbours where there are none. Empty without samples.
pub fn ledger_columns(samples: &[Sample], time: &TimeAxis) -> Vec<Layered> {
    let origin = time.left().floor();
    let count = (time.right().ceil() - origin).max(1.0) as usize;
    let mut seen: Vec<Seen> = Vec::new();
    for sample in samples {
        let column = ((time.x(sample.t_ns) - origin) as usize).min(count - 1);
        let layered = LAYERS.each_ref().map(|layer| (layer.bytes)(&sample.rss_ledger) as f64);
        match seen.last_mut() {
            Some(open) if open.column >= column => {
                if sample.rss_bytes > open.peak.0 {
                    open.peak = (sample.rss_bytes, layered);
                }
                open.last = layered;
            }
            _ => seen.push(Seen { column, peak: (sample.rss_bytes, layered), first: layered, last: layered }),
        }
    }
    let mut columns: Vec<Layered> = Vec::with_capacity(count);
    let mut before: Option<&Seen> = None;
    for here in &seen {
        if let Some(before) = before {
            let share =
                |column: usize| (column - before.column) as f64 / (here.column - before.column) as f64;
            let gap = columns.len()..here.column;
            columns.extend(gap.map(|column| between(&before.last, &here.first, share(column))));
        }
        columns.resize(here.column, here.first);
        columns.push(here.peak.1);
        before = Some(here);
    }
    if let Some(end) = seen.last() {
        columns.resize(count, end.last);
    }
    columns
}

fn between(from: &Layered, to: &Layered, share: f64) -> Layered {
    std::array::from_fn(|layer| from[layer] + (to[layer] - from[layer]) * share)
}

/// The layers on the page: `edges[i]` is the top of layer `i` in every pixel column.
pub struct Stack {
    left: f32,
    bottom: f32,
    edges: Vec<Vec<f32>>,
}

/// A layer that is nowhere thicker than this is neither drawn nor named, in pixels: its bytes go to its upper
/// neighbour's fill.
const THINNEST_PX: f32 = 5.0;

impl Stack {
    /// Places the layers of `columns`, the first at `left`.
    pub fn new(columns: &[Layered], left: f32, sizes: ByteAxis) -> Stack {
        let edge = |layers: usize| {
            let height = |column: &Layered| column[..=layers].iter().sum::<f64>();
            columns.iter().map(|column| sizes.y(height(column) as u64)).collect()
        };
        Stack { left: left.floor(), bottom: sizes.bottom_px, edges: (0..LAYERS.len()).map(edge).collect() }
    }

    /// Draws the fills from the top of the stack down, each over the feet of the one above it.
    pub fn draw(&self, picture: &mut Picture, theme: &Theme) {
        let left = self.left as i32;
        for (index, layer) in LAYERS.iter().enumerate().rev() {
            if index + 1 < LAYERS.len() && !self.is_visible(index) {
                continue;
            }
            let tops = self.edges[index].clone();
            let ink = (layer.ink)(theme);
            picture.marks.push(Mark::Skyline(Skyline { left, bottom: self.bottom, tops, ink }));
            if let Some(hatch) = layer.hatch {
                let spans = self.spans(index);
                picture.marks.push(Mark::Hatching(Hatching { left, spans, ink: hatch(theme) }));
            }
        }
    }

    /// Top and bottom of a layer in every column.
    fn spans(&self, index: usize) -> Vec<(f32, f32)> {
        let floor = |column: usize| if index == 0 { self.bottom } else { self.edges[index - 1][column] };
        self.edges[index].iter().enumerate().map(|(column, top)| (*top, floor(column))).collect()
    }

    fn is_visible(&self, index: usize) -> bool {
        self.spans(index).iter().any(|(top, bottom)| bottom - top >= THINNEST_PX)
    }

    /// Writes the names of layers into them where there is room that no line crosses; returns the visible layers that
    /// have no room.
    pub fn draw_names(
        &self,
        picture: &mut Picture,
        theme: &Theme,
        drawn: &[Drawn],
        spots: &FreeSpots,
    ) -> Vec<usize> {
        let font = regular(BODY_PX);
        let mut unnamed = Vec::new();
        for (index, layer) in LAYERS.iter().enumerate().filter(|(index, _)| self.is_visible(*index)) {
            let width = font.width_px(layer.name) + 14.0;
            let is_free = |column: usize, top: f32, bottom: f32| {
                let left = self.left + column as f32;
                let area = Area { left, right: left + width, top, bottom };
                spots.is_free(area) && drawn.iter().all(|line| !line.crosses(area))
            };
            match band_spot(&self.spans(index), width, BODY_PX + 10.0, is_free) {
                Some((column, y)) => {
                    let x = self.left + column as f32 + width / 2.0;
                    picture.text(at(x, y), Align::Middle, font, theme.text, layer.name);
                }
                None => unnamed.push(index),
            }
        }
        unnamed
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::axis::StepSpan;
    use super::*;

    fn sample(t_ns: u64, marked_bytes: u64) -> Sample {
        let rss_ledger = RssLedger { marked_bytes, ..RssLedger::default() };
        Sample { t_ns, rss_bytes: marked_bytes, rss_ledger, ..Sample::default() }
    }

    fn axis() -> TimeAxis {
        TimeAxis::uniform(vec![StepSpan { start_ns: 0, end_ns: 10, label: String::new() }], 0.0, 10.0)
    }

    #[test]
    fn columns_without_samples_lie_on_a_straight_line() {
        let columns = ledger_columns(&[sample(0, 0), sample(10, 100)], &axis());
        let marked: Vec<f64> = columns.iter().map(|layered| layered[0]).collect();
        // Ten columns; the last sample, at the right edge, falls into the tenth: 9 columns from 0 to 100.
        assert_eq!(marked.len(), 10);
        assert!((marked[3] - 100.0 / 3.0).abs() < 1e-9, "{marked:?}");
        assert_eq!((marked[0], marked[9]), (0.0, 100.0));
    }

    #[test]
    fn a_drop_within_a_column_shows_its_peak_and_goes_on_from_its_end() {
        let columns = ledger_columns(&[sample(0, 50), sample(5, 80), sample(5, 8), sample(10, 8)], &axis());
        assert_eq!((columns[5][0], columns[6][0], columns[9][0]), (80.0, 8.0, 8.0));
    }

    #[test]
    fn no_samples_make_no_columns() {
        assert!(ledger_columns(&[], &axis()).is_empty());
        assert_eq!(ledger_columns(&[sample(4, 7)], &axis()).len(), 10);
    }

    #[test]
    fn the_layers_are_the_whole_ledger() {
        let ledger = RssLedger {
            marked_bytes: 1,
            fresh_bytes: 2,
            dead_bytes: 4,
            waste_bytes: 8,
            free_bytes: 16,
            lazily_freed_bytes: 32,
            stack_bytes: 64,
            metadata_bytes: 128,
            binary_bytes: 256,
        };
        assert_eq!(LAYERS.iter().map(|layer| (layer.bytes)(&ledger)).sum::<u64>(), ledger.total_bytes());
    }
}
