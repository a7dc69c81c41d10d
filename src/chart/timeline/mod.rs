//! One trace: heap against resident size over time.
//!
//! From top to bottom: the steps by name; the plot - resident memory stacked by owner, under the lines of RSS,
//! HeapAlloc, heap goal and limits; a lane of GC cycles; a lane of snapshots; the time axis; what the snapshots are.
//! The column on the right names every line where it ends.

mod ends;
mod lanes;
mod ledger;
mod lines;
mod oom;
mod steps;
mod triggers;

pub(super) use ledger::ledger_columns;
pub(super) use lines::{draw_line, has_narrow_teeth, size_line, staircase_line};

use super::axis::{ByteAxis, StepSpan, TimeAxis, step_spans};
use super::labels::FreeSpots;
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Picture, at};
use super::text::regular;
use super::theme::{BODY_PX, Theme};
use super::words;
use crate::trace::Trace;

/// Width of the column of sizes left of the plot in pixels.
const SIZES_PX: f32 = 88.0;
/// Width of the column of names right of the plot in pixels.
const NAMES_PX: f32 = 286.0;
/// Room above the highest value, as a share of it.
const HEADROOM: f64 = 0.07;
/// The heap goal is shown whole up to this multiple of the highest RSS or HeapAlloc, a limit up to the second.
const GOAL_REACH: f64 = 2.3;
const LIMIT_REACH: f64 = 1.6;

/// Where the parts of a timeline lie, and its axes.
struct Frame {
    plot: Area,
    sizes: ByteAxis,
    time: TimeAxis,
}

/// Draws the page of one trace.
pub fn draw(picture: &mut Picture, theme: &Theme, trace: &Trace) {
    let settings = words::settings(&trace.config);
    let (title, subtitle) = match trace.question.as_str() {
        "" => (trace.title.as_str(), settings),
        question => (question, format!("{} – {settings}", trace.title)),
    };
    let top = page::header(picture, theme, title, &subtitle);
    let bottom = page::footer(picture, theme, &trace.answer);
    if trace.samples.is_empty() {
        page::remark(picture, theme, (top, bottom), "The run recorded no samples: there is nothing to draw.");
        return;
    }
    draw_run(picture, theme, trace, top, bottom);
}

fn draw_run(picture: &mut Picture, theme: &Theme, trace: &Trace, top: f32, bottom: f32) {
    let left = MARGIN_PX + SIZES_PX;
    let right = picture.width_px as f32 - MARGIN_PX - NAMES_PX;
    let spans = step_spans(&trace.steps, end_ns(trace));
    let action = action(trace, &spans);
    let time = TimeAxis::fitting(spans, &action, left, right, steps::needed_px);
    let names = steps::Names::fitting(&time, picture.width_px as f32 - 2.0 * MARGIN_PX);
    let legend = lanes::SnapshotLegend::fitting(trace, picture.width_px as f32 - 2.0 * MARGIN_PX);
    let below =
        lanes::HEIGHT_PX + lanes::snapshot_lane_px(trace) + steps::axis_px(&time) + legend.height_px();
    let plot = Area { left, top: top + names.height_px(), right, bottom: bottom - below };
    let sizes = ByteAxis { max_bytes: highest_bytes(trace), bottom_px: plot.bottom, top_px: plot.top };
    let frame = Frame { plot, sizes, time };

    names.draw(picture, theme, &frame, top);
    draw_grid(picture, theme, &frame);
    let columns = ledger_columns(&trace.samples, &frame.time);
    let stack = ledger::Stack::new(&columns, frame.time.left(), frame.sizes);
    stack.draw(picture, theme);
    lanes::draw_cycles(picture, theme, &frame, trace);
    lanes::draw_snapshots(picture, theme, &frame, trace);
    let drawn = lines::draw(picture, theme, &frame, trace);
    let has_triggers = triggers::draw(picture, theme, &frame, trace);
    let mut spots = FreeSpots::default();
    oom::draw(picture, theme, &frame, trace, &drawn, &mut spots);
    lanes::take_vertical_lines(&frame, trace, &mut spots);
    let unnamed = stack.draw_names(picture, theme, &drawn, &spots);
    let mut keys: Vec<ends::Key> = unnamed.into_iter().map(ends::Key::Fill).collect();
    if has_triggers {
        keys.push(ends::Key::Trigger);
    }
    ends::draw(picture, theme, &frame, &drawn, &keys);
    let axis_top = plot.bottom + lanes::HEIGHT_PX + lanes::snapshot_lane_px(trace);
    steps::draw_axis(picture, theme, &frame, axis_top);
    legend.draw(picture, theme, axis_top + steps::axis_px(&frame.time));
}

/// The end of the run in nanoseconds: nothing recorded lies later.
pub(super) fn end_ns(trace: &Trace) -> u64 {
    let samples = trace.samples.last().map_or(0, |sample| sample.t_ns);
    let cycles = trace.cycles.last().map_or(0, |cycle| cycle.end_ns);
    let snapshots = trace.snapshots.last().map_or(0, |snapshot| snapshot.t_ns);
    [trace.summary.duration_ns, samples, cycles, snapshots].into_iter().max().unwrap_or(0).max(1)
}

/// How much happens in each of `spans`: the sum of all rises and falls of RSS and HeapAlloc, in bytes.
pub(super) fn action(trace: &Trace, spans: &[StepSpan]) -> Vec<f64> {
    let mut action = vec![0.0; spans.len()];
    for pair in trace.samples.windows(2) {
        let index = spans.partition_point(|span| span.end_ns < pair[1].t_ns).min(spans.len() - 1);
        let moved = pair[0].rss_bytes.abs_diff(pair[1].rss_bytes);
        action[index] += (moved + pair[0].heap_alloc_bytes.abs_diff(pair[1].heap_alloc_bytes)) as f64;
    }
    action
}

/// The size at the top of the plot: above all of RSS and HeapAlloc, above goal and limits when they are near.
pub(super) fn highest_bytes(trace: &Trace) -> u64 {
    let used = trace
        .samples
        .iter()
        .map(|sample| sample.rss_bytes.max(sample.heap_alloc_bytes))
        .max()
        .unwrap_or(0)
        .max(1);
    let near = |bytes: Option<u64>, reach: f64| bytes.filter(|bytes| *bytes as f64 <= used as f64 * reach);
    let goal = trace.samples.iter().filter_map(|sample| near(sample.heap_goal_bytes, GOAL_REACH)).max();
    let limit = near(trace.config.memory_limit_bytes, LIMIT_REACH);
    let container = near(trace.config.machine_memory_bytes, LIMIT_REACH);
    let highest = [Some(used), goal, limit, container].into_iter().flatten().max().unwrap_or(used);
    (highest as f64 * (1.0 + HEADROOM)) as u64 + 1
}

/// Sizes at the left, a line across the plot for each.
fn draw_grid(picture: &mut Picture, theme: &Theme, frame: &Frame) {
    let Area { left, right, top, .. } = frame.plot;
    picture.fill(Area { left, right, top: top - 1.0, bottom: top }, theme.rule);
    for (bytes, text) in frame.sizes.ticks(62.0) {
        let y = frame.sizes.y(bytes);
        let ink = if bytes == 0 { theme.rule } else { theme.grid };
        picture.fill(Area { left, right, top: y - 1.0, bottom: y + if bytes == 0 { 1.0 } else { 0.0 } }, ink);
        picture.text(at(left - 10.0, y), Align::End, regular(BODY_PX), theme.text_quiet, &text);
    }
}
