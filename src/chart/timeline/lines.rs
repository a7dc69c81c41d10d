//! The bold lines over the stack: RSS, HeapAlloc, heap goal and limits.

use super::super::axis::{ByteAxis, TimeAxis, size_text};
use super::super::decimate::{envelope, staircase, thin};
use super::super::picture::{Area, Dash, Picture, Point, at};
use super::super::theme::{Ink, Theme};
use super::Frame;
use crate::trace::{Sample, Trace};

/// A line that was drawn and waits for its name.
pub struct Drawn {
    /// What it is: `RSS`.
    pub name: &'static str,
    /// What that means.
    pub meaning: &'static str,
    /// Its last value: `39 MiB`.
    pub value: String,
    /// Its colour.
    pub ink: Ink,
    /// How it is broken.
    pub dash: Dash,
    /// Its thickness in pixels.
    pub width_px: f32,
    /// Where it ends; its height is the top of the plot when it lies above.
    pub end: Point,
    /// Its corners, in pieces where it leaves the plot.
    pub pieces: Vec<Vec<Point>>,
}

impl Drawn {
    /// Whether the line runs through `area`.
    pub fn crosses(&self, area: Area) -> bool {
        let area = area.grown(self.width_px / 2.0);
        self.pieces.iter().flat_map(|piece| piece.windows(2)).any(|pair| {
            let (from, to) = (pair[0], pair[1]);
            if from.x > area.right || to.x < area.left {
                return false;
            }
            // The heights at which the segment enters and leaves the columns of the area.
            let slope = if to.x > from.x { (to.y - from.y) / (to.x - from.x) } else { 0.0 };
            let y = |x: f32| if to.x > from.x { from.y + slope * (x - from.x) } else { from.y };
            let enter = y(area.left.max(from.x));
            let leave = if to.x > from.x { y(area.right.min(to.x)) } else { to.y };
            enter.min(leave) < area.bottom && enter.max(leave) > area.top
        })
    }
}

/// The corners of a size over time, thinned to the pixels; in pieces where the size is unknown or above the axis.
pub fn size_line(
    samples: &[Sample],
    time: &TimeAxis,
    sizes: ByteAxis,
    size: impl Fn(&Sample) -> Option<u64>,
) -> Vec<Vec<Point>> {
    let shown = |sample: &Sample| size(sample).filter(|bytes| *bytes <= sizes.max_bytes);
    let point = |sample: &Sample| shown(sample).map(|bytes| at(time.x(sample.t_ns), sizes.y(bytes)));
    samples
        .chunk_by(|a, b| shown(a).is_some() == shown(b).is_some())
        .map(|piece| thin(piece.iter().filter_map(point)))
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// As [`size_line`] for a size that changes in steps.
pub fn staircase_line(
    samples: &[Sample],
    time: &TimeAxis,
    sizes: ByteAxis,
    size: impl Fn(&Sample) -> Option<u64>,
) -> Vec<Vec<Point>> {
    size_line(samples, time, sizes, size).into_iter().map(staircase).collect()
}

/// Draws the lines of a trace, the most important one last.
pub fn draw(picture: &mut Picture, theme: &Theme, frame: &Frame, trace: &Trace) -> Vec<Drawn> {
    let samples = trace.samples.as_slice();
    let Frame { time, sizes, .. } = frame;
    let last = samples.last();
    let mut drawn = Vec::new();
    let limits = [
        (
            trace.config.machine_memory_bytes,
            "container",
            "above it the kernel kills",
            theme.danger,
            Dash::Dots,
        ),
        (trace.config.memory_limit_bytes, "GOMEMLIMIT", "Go's soft limit", theme.memory_limit, Dash::Mixed),
    ];
    for (limit, name, meaning, ink, dash) in limits {
        let Some(bytes) = limit else { continue };
        let end = at(frame.plot.right, sizes.y(bytes));
        let visible = bytes <= sizes.max_bytes;
        let pieces = if visible { vec![vec![at(frame.plot.left, end.y), end]] } else { Vec::new() };
        drawn.push(Drawn { name, meaning, value: size_text(bytes), ink, dash, width_px: 4.0, end, pieces });
    }
    let goal = |sample: &Sample| sample.heap_goal_bytes;
    if let Some(bytes) = samples.iter().rev().find_map(goal) {
        drawn.push(Drawn {
            name: "heap goal",
            meaning: "GC aims to stay below",
            value: size_text(bytes),
            ink: theme.heap_goal,
            dash: Dash::Long,
            width_px: 3.5,
            end: at(frame.plot.right, sizes.y(bytes)),
            pieces: staircase_line(samples, time, *sizes, goal),
        });
    }
    let rss_bytes = last.map_or(0, |sample| sample.rss_bytes);
    drawn.push(Drawn {
        name: "RSS",
        meaning: "held from the OS",
        value: size_text(rss_bytes),
        ink: theme.rss,
        dash: Dash::Solid,
        width_px: 5.0,
        end: at(frame.plot.right, sizes.y(rss_bytes)),
        pieces: size_line(samples, time, *sizes, |sample| Some(sample.rss_bytes)),
    });
    let heap_bytes = last.map_or(0, |sample| sample.heap_alloc_bytes);
    drawn.push(Drawn {
        name: "HeapAlloc",
        meaning: "objects, as Go counts",
        value: size_text(heap_bytes),
        ink: theme.heap_alloc,
        dash: Dash::Solid,
        width_px: 4.0,
        end: at(frame.plot.right, sizes.y(heap_bytes)),
        pieces: size_line(samples, time, *sizes, |sample| Some(sample.heap_alloc_bytes)),
    });
    for line in &drawn {
        line.pieces.iter().for_each(|piece| draw_line(picture, piece, line.width_px, line.dash, line.ink));
    }
    drawn
}

/// Teeth of a sawtooth narrower than this run into one another, in pixels from one high to the next.
const NARROWEST_TOOTH_PX: f32 = 6.0;
/// Two rows of narrow teeth that are no further apart than this are one, in pixels.
const BRIDGE_PX: f32 = 60.0;
/// So many narrow teeth in a row become a band.
const FEWEST_TEETH: usize = 5;
/// A turn counts when the line has moved so far since the last one, in pixels.
const TURN_PX: f32 = 8.0;

/// Draws one piece of a line. Teeth too narrow to be told apart become what they look like from afar: a band between
/// the line's highs and lows, through which the fills stay visible.
pub fn draw_line(picture: &mut Picture, piece: &[Point], width_px: f32, dash: Dash, ink: Ink) {
    const BAND_ALPHA: f32 = 0.3;
    let mut from = 0;
    let dense = if dash == Dash::Solid { dense_runs(piece) } else { Vec::new() };
    for run in dense {
        picture.stroke(piece[from..=run.start].to_vec(), width_px, dash, ink);
        let (highs, lows) = envelope(&piece[run.start..=run.end]);
        picture.stroke(piece[run.start..=run.end].to_vec(), 1.5, dash, ink.with_alpha(BAND_ALPHA));
        picture.stroke(lows, width_px * 0.6, dash, ink);
        picture.stroke(highs, width_px, dash, ink);
        from = run.end;
    }
    picture.stroke(piece[from..].to_vec(), width_px, dash, ink);
}

/// Whether a part of a line becomes a band: dashes would only make it harder to see.
pub fn has_narrow_teeth(piece: &[Point]) -> bool {
    !dense_runs(piece).is_empty()
}

/// The parts of a line that are rows of teeth too narrow to draw, each from its first to its last turn.
fn dense_runs(piece: &[Point]) -> Vec<std::ops::Range<usize>> {
    let turns = turns(piece);
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    // From high to high, or from low to low.
    for tooth in turns.windows(3).filter(|tooth| piece[tooth[2]].x - piece[tooth[0]].x < NARROWEST_TOOTH_PX) {
        match runs.last_mut() {
            Some(open) if piece[tooth[0]].x - piece[open.end].x < BRIDGE_PX => open.end = tooth[2],
            _ => runs.push(tooth[0]..tooth[2]),
        }
    }
    let teeth = |run: &std::ops::Range<usize>| turns.iter().filter(|turn| run.contains(turn)).count() / 2;
    runs.retain(|run| teeth(run) >= FEWEST_TEETH);
    runs
}

/// Where the line turns from rising to falling or back: the points at the turns.
fn turns(piece: &[Point]) -> Vec<usize> {
    let mut turns = Vec::new();
    let (mut falls, mut extreme) = (true, 0);
    for (index, point) in piece.iter().enumerate() {
        let since = point.y - piece[extreme].y;
        if (falls && since >= 0.0) || (!falls && since <= 0.0) {
            extreme = index;
        } else if since.abs() > TURN_PX {
            // Where the line begins is no turn.
            turns.extend(Some(extreme).filter(|turn| *turn > 0));
            falls = !falls;
            extreme = index;
        }
    }
    turns
}
