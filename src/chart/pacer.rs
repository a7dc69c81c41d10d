//! The pacer, cycle by cycle: where each cycle began and should have ended, where it did, and what the pacer learned.
//!
//! On top the sizes of every cycle: live heap, trigger, goal, peak. A cycle starts at its trigger so that it ends at its goal; the
//! peak says how well it aimed. Below, on the same cycles, how far the peak missed the goal, the collector's share of the CPU
//! while it marked, and cons/mark, the pacer's memory of how fast the program allocates against how fast the collector marks.
//! All of these are fields of [`Cycle`] or said by it.

use super::axis::{ByteAxis, size_text};
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Dash, Picture, Point, at};
use super::scale::Scale;
use super::side_names::{self, SideName};
use super::text::{bold, regular};
use super::theme::{BODY_PX, Ink, NAME_PX, Theme};
use super::words;
use crate::trace::{Cycle, CycleKind, Trace};

/// Width of the columns left and right of the plot in pixels.
const SIZES_PX: f32 = 96.0;
const NAMES_PX: f32 = 290.0;
/// Height of each of the three lower panels with its name: as a share of the room for all, at least and at most, in pixels.
const LOWER_SHARE: f32 = 0.21;
const LOWER_PX: (f32, f32) = (84.0, 120.0);
const NAME_ROW_PX: f32 = 30.0;
/// Height of the axis of cycles in pixels.
const AXIS_PX: f32 = 62.0;
/// Cycles at least this far apart get a dot each, in pixels.
const DOTS_FROM_PX: f32 = 13.0;
/// What the pacer aims at: a quarter of all Ps (`gcBackgroundUtilization`).
const TARGET_UTILIZATION_PERCENT: f64 = 25.0;

const EXPLANATION: &str = "A cycle starts at its trigger so that marking ends when the heap reaches its goal. A peak above the \
    goal is an overshoot. cons/mark is what the pacer learns from each cycle: bytes that the program allocates for each byte \
    that the collector marks in the same CPU time.";

/// Draws the page of one trace.
pub fn draw(picture: &mut Picture, theme: &Theme, trace: &Trace) {
    let title = format!("How the pacer aims: {}", trace.title);
    let subtitle = format!("{} · {}", words::settings(&trace.config), words::cycle_count(trace));
    let top = page::header(picture, theme, &title, &subtitle);
    let bottom = page::footer(picture, theme, EXPLANATION);
    if trace.cycles.is_empty() {
        page::remark(picture, theme, (top, bottom), "The run had no GC cycle: there is nothing to draw.");
        return;
    }
    let lower_px = ((bottom - AXIS_PX - top) * LOWER_SHARE).clamp(LOWER_PX.0, LOWER_PX.1);
    let plot = Area {
        left: MARGIN_PX + SIZES_PX,
        top: top + 6.0,
        right: picture.width_px as f32 - MARGIN_PX - NAMES_PX,
        bottom: bottom - AXIS_PX - 3.0 * lower_px,
    };
    let cycles = Cycles { all: &trace.cycles, left: plot.left, right: plot.right };
    draw_sizes(picture, theme, &cycles, plot);
    let lower = |index: usize| {
        let top = plot.bottom + index as f32 * lower_px + NAME_ROW_PX;
        Area { top, bottom: top + lower_px - NAME_ROW_PX - 6.0, ..plot }
    };
    draw_overshoot(picture, theme, &cycles, lower(0));
    draw_utilization(picture, theme, &cycles, lower(1));
    draw_cons_mark(picture, theme, &cycles, lower(2));
    draw_axis(picture, theme, &cycles, lower(2).bottom);
}

/// The cycles and where they lie across the page.
struct Cycles<'t> {
    all: &'t [Cycle],
    left: f32,
    right: f32,
}

impl Cycles<'_> {
    fn step_px(&self) -> f32 {
        (self.right - self.left) / self.all.len() as f32
    }

    /// The middle of the column of cycle number `index`, from 0.
    fn x(&self, index: usize) -> f32 {
        self.left + (index as f32 + 0.5) * self.step_px()
    }

    /// A point for each cycle.
    fn points(&self, y: impl Fn(&Cycle) -> f32) -> Vec<Point> {
        self.all.iter().enumerate().map(|(index, cycle)| at(self.x(index), y(cycle))).collect()
    }

    /// A line through a point for each cycle, with dots where there is room.
    fn line(
        &self,
        picture: &mut Picture,
        width_px: f32,
        (dash, ink): (Dash, Ink),
        y: impl Fn(&Cycle) -> f32,
    ) {
        let points = self.points(y);
        if self.step_px() >= DOTS_FROM_PX || points.len() == 1 {
            points.iter().for_each(|point| picture.disc(*point, width_px + 1.5, ink));
        }
        picture.stroke(points, width_px, dash, ink);
    }
}

/// A size of a cycle as a line: its name, what it means, the size, its looks.
struct SizeLine {
    name: &'static str,
    meaning: &'static str,
    bytes: fn(&Cycle) -> u64,
    ink: Ink,
    dash: Dash,
    width_px: f32,
}

fn size_lines(theme: &Theme) -> [SizeLine; 4] {
    [
        SizeLine {
            name: "peak",
            meaning: "heap when marking ended",
            bytes: |cycle| cycle.heap_end_bytes,
            ink: theme.rss,
            dash: Dash::Solid,
            width_px: 3.5,
        },
        SizeLine {
            name: "trigger",
            meaning: "where a cycle starts",
            bytes: |cycle| cycle.trigger_bytes,
            ink: theme.danger,
            dash: Dash::Dots,
            width_px: 4.0,
        },
        SizeLine {
            name: "live",
            meaning: "what it marked",
            bytes: |cycle| cycle.heap_marked_bytes,
            ink: theme.heap_alloc,
            dash: Dash::Solid,
            width_px: 3.5,
        },
        SizeLine {
            name: "goal",
            meaning: "where it should end",
            bytes: |cycle| cycle.goal_bytes,
            ink: theme.heap_goal,
            dash: Dash::Long,
            width_px: 3.5,
        },
    ]
}

/// Live heap, trigger, goal and peak of every cycle. A goal or trigger far above the peaks, as with GOGC off, is cut off.
fn draw_sizes(picture: &mut Picture, theme: &Theme, cycles: &Cycles, plot: Area) {
    const REACH: u64 = 3;
    let peak = cycles.all.iter().map(|cycle| cycle.heap_end_bytes).max().unwrap_or(0).max(1);
    let shown = |bytes: &u64| *bytes <= peak.saturating_mul(REACH);
    let highest =
        cycles.all.iter().flat_map(|cycle| [cycle.goal_bytes, cycle.trigger_bytes]).filter(shown).max();
    let max_bytes = (highest.unwrap_or(peak).max(peak) as f64 * 1.07) as u64 + 1;
    let sizes = ByteAxis { max_bytes, bottom_px: plot.bottom, top_px: plot.top };
    picture.fill(plot, theme.panel_alternate);
    for (bytes, text) in sizes.ticks(38.0) {
        let y = sizes.y(bytes);
        picture
            .fill(Area { top: y - 1.0, bottom: y, ..plot }, if bytes == 0 { theme.rule } else { theme.grid });
        picture.text(at(plot.left - 10.0, y), Align::End, regular(BODY_PX), theme.text_quiet, &text);
    }
    let y = |bytes: u64| sizes.y(bytes.min(max_bytes));
    let half_px = (cycles.step_px() * 0.3).clamp(0.5, 9.0);
    for (index, cycle) in cycles.all.iter().enumerate().filter(|(_, cycle)| cycle.kind == CycleKind::Heap) {
        // What was allocated while the cycle marked.
        let (top, bottom) = (y(cycle.heap_end_bytes), y(cycle.heap_start_bytes));
        let x = cycles.x(index);
        picture.fill(Area { left: x - half_px, right: x + half_px, top, bottom }, theme.gc.with_alpha(0.3));
    }
    let mut names = Vec::new();
    for line in size_lines(theme) {
        match line.dash {
            // Over the peaks that hit it: dots would hide them.
            Dash::Long => picture.stroke(
                cycles.points(|cycle| y((line.bytes)(cycle))),
                line.width_px,
                line.dash,
                line.ink,
            ),
            dash => cycles.line(picture, line.width_px, (dash, line.ink), |cycle| y((line.bytes)(cycle))),
        }
        let last = cycles.all.last().map_or(0, line.bytes);
        names.push(SideName {
            name: format!("{} {}", line.name, size_text(last)),
            meaning: line.meaning,
            ink: line.ink,
            dash: line.dash,
            width_px: line.width_px,
            y: y(last),
        });
    }
    side_names::draw(
        picture,
        theme,
        &names,
        (plot.right + 6.0, NAMES_PX - 6.0),
        (plot.top - 8.0, plot.bottom + 14.0),
    );
}

fn draw_name(picture: &mut Picture, theme: &Theme, plot: Area, name: &str, remark: &str) {
    let y = plot.top - NAME_ROW_PX / 2.0 + 1.0;
    let named = picture.text(at(plot.left, y), Align::Start, bold(NAME_PX), theme.text, name);
    picture.text(at(named.right + 12.0, y), Align::Start, regular(BODY_PX), theme.text_quiet, remark);
    picture.fill(plot, theme.panel_alternate);
}

/// How far each peak lay above (or below) its goal, in percent.
fn draw_overshoot(picture: &mut Picture, theme: &Theme, cycles: &Cycles, plot: Area) {
    draw_name(
        picture,
        theme,
        plot,
        "overshoot",
        "peak above the goal; forced cycles start where they are told to",
    );
    let percent = |cycle: &Cycle| cycle.overshoot_fraction() * 100.0;
    let aimed = || cycles.all.iter().filter(|cycle| cycle.kind == CycleKind::Heap);
    // A difference below a percent is none; a peak far below a goal says nothing.
    let scale =
        Scale::holding(aimed().map(percent).map(|percent| percent.max(-30.0)).chain([-1.0, 1.0]), 0.0, plot);
    scale.draw(picture, theme, plot, 28.0, " %");
    let half_px = (cycles.step_px() * 0.38).clamp(0.5, 12.0);
    let zero = scale.y(0.0);
    let mut worst: Option<&Cycle> = None;
    for (index, cycle) in cycles.all.iter().enumerate().filter(|(_, cycle)| cycle.kind == CycleKind::Heap) {
        let y = scale.y(percent(cycle));
        let x = cycles.x(index);
        let ink = if percent(cycle) > 0.0 { theme.danger } else { theme.heap_goal };
        picture
            .fill(Area { left: x - half_px, right: x + half_px, top: y.min(zero), bottom: y.max(zero) }, ink);
        if worst.is_none_or(|worst| percent(cycle) > percent(worst)) {
            worst = Some(cycle);
        }
    }
    let text = match worst {
        Some(cycle) => format!("worst {:+.1} % (cycle {})", percent(cycle), cycle.number),
        None => "no cycle was paced".to_owned(),
    };
    draw_side(picture, theme, plot, &text);
}

/// The collector's share of all Ps while it marked, in percent.
fn draw_utilization(picture: &mut Picture, theme: &Theme, cycles: &Cycles, plot: Area) {
    draw_name(
        picture,
        theme,
        plot,
        "utilization",
        "GC's share of CPU while marking; 25 % is the aim, assists come on top",
    );
    let percent = |cycle: &Cycle| cycle.mark_utilization() * 100.0;
    let scale =
        Scale::holding(cycles.all.iter().map(percent).chain([TARGET_UTILIZATION_PERCENT * 1.2]), 0.0, plot);
    scale.draw(picture, theme, plot, 28.0, " %");
    let target = scale.y(TARGET_UTILIZATION_PERCENT);
    picture.stroke(vec![at(plot.left, target), at(plot.right, target)], 2.0, Dash::Long, theme.heap_goal);
    cycles.line(picture, 3.0, (Dash::Solid, theme.gc), |cycle| scale.y(percent(cycle)));
    let last = cycles.all.last().map_or(0.0, percent);
    draw_side(picture, theme, plot, &format!("last {last:.1} %"));
}

fn draw_cons_mark(picture: &mut Picture, theme: &Theme, cycles: &Cycles, plot: Area) {
    draw_name(
        picture,
        theme,
        plot,
        "cons/mark",
        "bytes allocated for each byte marked, as the pacer expects next",
    );
    let scale = Scale::holding(cycles.all.iter().map(|cycle| cycle.cons_mark), 0.0, plot);
    scale.draw(picture, theme, plot, 28.0, "");
    cycles.line(picture, 3.0, (Dash::Solid, theme.heap_alloc), |cycle| scale.y(cycle.cons_mark));
    let last = cycles.all.last().map_or(0.0, |cycle| cycle.cons_mark);
    draw_side(picture, theme, plot, &format!("last {last:.3}"));
}

/// A remark right of a lower panel.
fn draw_side(picture: &mut Picture, theme: &Theme, plot: Area, text: &str) {
    let text = regular(BODY_PX).elide(text, NAMES_PX - 14.0);
    picture.text(at(plot.right + 12.0, plot.center().y), Align::Start, regular(BODY_PX), theme.text, &text);
}

/// Numbers of cycles.
fn draw_axis(picture: &mut Picture, theme: &Theme, cycles: &Cycles, top: f32) {
    let font = regular(BODY_PX);
    let numbers = cycles.all.len();
    let widest = font.width_px(&cycles.all.last().map_or(0, |cycle| cycle.number).to_string()) + 26.0;
    let every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000]
        .into_iter()
        .find(|every| *every as f32 * cycles.step_px() >= widest)
        .unwrap_or(numbers.max(1));
    for (index, cycle) in cycles.all.iter().enumerate() {
        if (cycle.number as usize).is_multiple_of(every) || numbers == 1 {
            let x = cycles.x(index);
            picture.fill(Area { left: x - 1.0, right: x + 1.0, top, bottom: top + 7.0 }, theme.rule);
            let text = cycle.number.to_string();
            picture.text(at(x, top + 21.0), Align::Middle, font, theme.text_quiet, &text);
        }
    }
    let middle = (cycles.left + cycles.right) / 2.0;
    picture.text(at(middle, top + 46.0), Align::Middle, font, theme.text_quiet, "GC cycle");
}
