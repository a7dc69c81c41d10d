//! One small panel per run, all on the same scales of time and size.

use super::super::axis::{ByteAxis, Segment, StepSpan, TimeAxis, TimeScale, fitting_time_ticks, step_spans};
use super::super::page::MARGIN_PX;
use super::super::picture::{Align, Area, Dash, Mark, Picture, Point, Skyline, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, Ink, NAME_PX, Theme};
use super::super::timeline::{
    action, draw_line, end_ns, highest_bytes, ledger_columns, size_line, staircase_line,
};
use crate::trace::{Sample, Trace};

/// Width of the column of sizes in pixels.
const SIZES_PX: f32 = 88.0;
/// Height of a panel's name, of the key above all panels and of the time axis below them, in pixels.
const NAME_ROW_PX: f32 = 32.0;
const KEY_PX: f32 = 34.0;
const TIME_PX: f32 = 34.0;
/// Between two panels beside one another in pixels.
const GAP_PX: f32 = 22.0;

/// Draws a panel for each trace into `area`.
pub fn draw(picture: &mut Picture, theme: &Theme, traces: &[Trace], names: &[String], area: Area) {
    draw_key(picture, theme, traces, area);
    let columns = if traces.len() <= 3 { 1 } else { 2 };
    let rows = traces.len().div_ceil(columns);
    let (left, top) = (area.left + SIZES_PX, area.top + KEY_PX);
    let width = (area.right - left - GAP_PX * (columns - 1) as f32) / columns as f32;
    let height = (area.bottom - TIME_PX - top) / rows as f32;
    let max_bytes = traces.iter().map(highest_bytes).max().unwrap_or(1);
    let shared = shared_time(traces, width);
    for (index, (trace, name)) in traces.iter().zip(names).enumerate() {
        // Down the first column, then down the second: neighbours in the list are neighbours on the page.
        let (column, row) = (index / rows, index % rows);
        let panel_left = left + column as f32 * (width + GAP_PX);
        let name_top = top + row as f32 * height;
        let plot = Area {
            left: panel_left,
            top: name_top + NAME_ROW_PX,
            right: panel_left + width,
            bottom: name_top + height - 8.0,
        };
        let sizes = ByteAxis { max_bytes, bottom_px: plot.bottom, top_px: plot.top };
        let is_last = row + 1 == rows || index + 1 == traces.len();
        let name = bold(NAME_PX).elide(name, width);
        picture.text(
            at(plot.left, name_top + NAME_ROW_PX / 2.0),
            Align::Start,
            bold(NAME_PX),
            theme.text,
            &name,
        );
        picture.fill(plot, theme.panel_alternate);
        draw_sizes(picture, theme, plot, sizes, column == 0);
        draw_run(picture, theme, trace, &shared.for_run(trace, plot.left), sizes, plot);
        if is_last {
            shared.draw_axis(picture, theme, plot);
        }
    }
}

/// What fill and lines are, once for all panels.
fn draw_key(picture: &mut Picture, theme: &Theme, traces: &[Trace], area: Area) {
    const SAMPLE_PX: f32 = 32.0;
    const GAP_PX: f32 = 20.0;
    let font = regular(BODY_PX);
    let mut entries: Vec<(&str, Ink, Dash)> = vec![
        ("RSS, held from the OS", theme.rss, Dash::Solid),
        ("HeapAlloc", theme.heap_alloc, Dash::Solid),
        ("heap goal", theme.heap_goal, Dash::Long),
    ];
    let limited = |limit: &Limit| traces.iter().any(|trace| limit.0(trace).is_some());
    entries.extend(limits(theme).into_iter().filter(limited).map(|(_, name, ink, dash)| (name, ink, dash)));
    let length_px: f32 =
        entries.iter().map(|(name, ..)| font.width_px(name) + SAMPLE_PX + 8.0 + GAP_PX).sum();
    if length_px > area.width() {
        entries[0].0 = "RSS";
    }
    let y = area.top + KEY_PX / 2.0 - 2.0;
    let mut x = area.left;
    for (index, (name, ink, dash)) in entries.into_iter().enumerate() {
        if index == 0 {
            picture.fill(Area { left: x, right: x + SAMPLE_PX, top: y, bottom: y + 11.0 }, theme.other);
        }
        picture.stroke(vec![at(x + 2.0, y), at(x + SAMPLE_PX - 2.0, y)], 2.8, dash, ink);
        let named = picture.text(at(x + SAMPLE_PX + 8.0, y), Align::Start, font, theme.text, name);
        x = named.right + GAP_PX;
    }
}

/// The limit of a run in bytes, its name and its line.
type Limit = (fn(&Trace) -> Option<u64>, &'static str, Ink, Dash);

fn limits(theme: &Theme) -> [Limit; 2] {
    [
        (|trace| trace.config.memory_limit_bytes, "GOMEMLIMIT", theme.memory_limit, Dash::Mixed),
        (|trace| trace.config.machine_memory_bytes, "container", theme.danger, Dash::Dots),
    ]
}

fn draw_sizes(picture: &mut Picture, theme: &Theme, plot: Area, sizes: ByteAxis, written: bool) {
    for (bytes, text) in sizes.ticks((plot.height() / 4.0).clamp(30.0, 50.0)) {
        let y = sizes.y(bytes);
        picture
            .fill(Area { top: y - 1.0, bottom: y, ..plot }, if bytes == 0 { theme.rule } else { theme.grid });
        if written {
            picture.text(
                at(MARGIN_PX + SIZES_PX - 10.0, y),
                Align::End,
                regular(BODY_PX),
                theme.text_quiet,
                &text,
            );
        }
    }
}

fn draw_run(
    picture: &mut Picture,
    theme: &Theme,
    trace: &Trace,
    time: &TimeAxis,
    sizes: ByteAxis,
    plot: Area,
) {
    let samples = trace.samples.as_slice();
    let columns = ledger_columns(samples, time);
    let tops = columns.iter().map(|layers| sizes.y(layers.iter().sum::<f64>() as u64)).collect();
    let left = time.left().floor() as i32;
    picture.marks.push(Mark::Skyline(Skyline { left, bottom: sizes.bottom_px, tops, ink: theme.other }));
    for (limit, _, ink, dash) in limits(theme) {
        if let Some(bytes) = limit(trace).filter(|bytes| *bytes <= sizes.max_bytes) {
            let y = sizes.y(bytes);
            picture.stroke(vec![at(plot.left, y), at(plot.right, y)], 3.0, dash, ink);
        }
    }
    let goal = |sample: &Sample| sample.heap_goal_bytes;
    let rss = |sample: &Sample| Some(sample.rss_bytes);
    let heap = |sample: &Sample| Some(sample.heap_alloc_bytes);
    let mut draw = |pieces: Vec<Vec<Point>>, width_px: f32, dash: Dash, ink: Ink| {
        pieces.iter().for_each(|piece| draw_line(picture, piece, width_px, dash, ink));
    };
    draw(size_line(samples, time, sizes, heap), 3.0, Dash::Solid, theme.heap_alloc);
    draw(size_line(samples, time, sizes, rss), 4.0, Dash::Solid, theme.rss);
    draw(staircase_line(samples, time, sizes, goal), 3.0, Dash::Long, theme.heap_goal);
    draw_kill(picture, theme, trace, time, sizes, plot);
}

/// A red cross and two words, on the side where there is room.
fn draw_kill(
    picture: &mut Picture,
    theme: &Theme,
    trace: &Trace,
    time: &TimeAxis,
    sizes: ByteAxis,
    plot: Area,
) {
    const ARM_PX: f32 = 10.0;
    let Some(kill) = &trace.oom_kill else { return };
    let center = at(time.x(kill.t_ns), sizes.y(kill.rss_bytes).max(plot.top + ARM_PX));
    for slope in [1.0, -1.0] {
        let (from, to) = (center.y - ARM_PX * slope, center.y + ARM_PX * slope);
        let arm = vec![at(center.x - ARM_PX, from), at(center.x + ARM_PX, to)];
        picture.stroke(arm, 6.0, Dash::Solid, theme.danger);
    }
    let (x, align) = match center.x < plot.center().x {
        true => (center.x + 2.0 * ARM_PX, Align::Start),
        false => (center.x - 2.0 * ARM_PX, Align::End),
    };
    picture.text(at(x, center.y + 1.5 * ARM_PX), align, bold(BODY_PX), theme.danger, "OOM kill");
}

/// The time axis that all panels share.
struct SharedTime {
    /// Of the longest run, or of the longest of each step; from 0 pixels.
    axis: TimeAxis,
}

/// One scale for all runs; step by step when that hides steps and all runs have the same steps.
fn shared_time(traces: &[Trace], width: f32) -> SharedTime {
    const NEEDED_PX: f32 = 44.0;
    let runs: Vec<Vec<StepSpan>> =
        traces.iter().map(|trace| step_spans(&trace.steps, end_ns(trace))).collect();
    if runs.iter().all(|spans| spans.len() == runs[0].len()) {
        let mut start_ns = 0;
        let longest = |step: usize| {
            let duration_ns =
                runs.iter().map(|spans| spans[step].end_ns - spans[step].start_ns).max().unwrap_or_default();
            let span = StepSpan { start_ns, end_ns: start_ns + duration_ns, label: String::new() };
            start_ns = span.end_ns;
            span
        };
        let spans: Vec<StepSpan> = (0..runs[0].len()).map(longest).collect();
        let mut moved = vec![0.0; spans.len()];
        for (trace, run) in traces.iter().zip(&runs) {
            moved.iter_mut().zip(action(trace, run)).for_each(|(sum, action)| *sum += action);
        }
        let axis = TimeAxis::fitting(spans, &moved, 0.0, width, |_| NEEDED_PX);
        if axis.scale == TimeScale::PerStep {
            return SharedTime { axis };
        }
    }
    let end_ns = traces.iter().map(end_ns).max().unwrap_or(1);
    let whole = vec![StepSpan { start_ns: 0, end_ns, label: String::new() }];
    SharedTime { axis: TimeAxis::uniform(whole, 0.0, width) }
}

impl SharedTime {
    /// The axis of one run in a panel that begins at `left`: shorter where the run, or its step, is shorter.
    fn for_run(&self, trace: &Trace, left: f32) -> TimeAxis {
        let share = |part_ns: u64, whole_ns: u64| (part_ns as f64 / whole_ns.max(1) as f64) as f32;
        let place = |shared: &Segment, span: StepSpan| {
            let part = share(span.end_ns - span.start_ns, shared.span.end_ns - shared.span.start_ns);
            Segment { left: left + shared.left, right: left + shared.left + shared.width() * part, span }
        };
        let spans = match self.axis.scale {
            TimeScale::PerStep => step_spans(&trace.steps, end_ns(trace)),
            TimeScale::Uniform => vec![StepSpan { start_ns: 0, end_ns: end_ns(trace), label: String::new() }],
        };
        let segments =
            self.axis.segments.iter().zip(spans).map(|(shared, span)| place(shared, span)).collect();
        TimeAxis { scale: self.axis.scale, segments }
    }

    fn draw_axis(&self, picture: &mut Picture, theme: &Theme, plot: Area) {
        let font = regular(BODY_PX);
        let y = plot.bottom + 22.0;
        if self.axis.scale == TimeScale::PerStep {
            for segment in &self.axis.segments[1..] {
                let x = plot.left + segment.left;
                picture.fill(
                    Area { left: x - 1.0, right: x + 1.0, top: plot.bottom, bottom: plot.bottom + 8.0 },
                    theme.rule,
                );
            }
            let remark = font.elide("time; each step has its own scale", plot.width());
            picture.text(at(plot.center().x, y), Align::Middle, font, theme.text_quiet, &remark);
            return;
        }
        let end_ns = self.axis.segments[0].span.end_ns;
        for (t_ns, text) in fitting_time_ticks(end_ns, plot.width(), 40.0, |text| font.width_px(text)) {
            let x = plot.left + self.axis.x(t_ns);
            picture.fill(
                Area { left: x - 1.0, right: x + 1.0, top: plot.bottom, bottom: plot.bottom + 7.0 },
                theme.rule,
            );
            // The last number stays within its panel, so that two panels beside one another never touch.
            let half = font.width_px(&text) / 2.0;
            let x = x.clamp(plot.left + half - 10.0, plot.right - half);
            picture.text(at(x, y), Align::Middle, font, theme.text_quiet, &text);
        }
    }
}
