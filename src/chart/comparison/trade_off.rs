//! The trade-off: CPU spent on collection against peak resident memory, one point per run. Runs that differ in GOGC alone lie on a
//! curve, which is drawn from the smallest GOGC to the largest.

use super::super::axis::{ByteAxis, byte_ticks, percent_ticks};
use super::super::labels::FreeSpots;
use super::super::picture::{Align, Area, Dash, Picture, Point, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, NAME_PX, Theme};
use crate::trace::{Config, Trace};

/// Room for the heading, for the percentages and for the sizes, in pixels.
const HEADING_PX: f32 = 64.0;
const PERCENTS_PX: f32 = 62.0;
const SIZES_PX: f32 = 60.0;
const DISC_PX: f32 = 10.0;
/// Into so many parts a stretch of the curve is cut to keep names off it.
const CURVE_PARTS: u16 = 24;
/// Room beyond the largest value, as a factor.
const HEADROOM: f64 = 1.18;

/// The axis of CPU reaches at least so far: differences below it are none that anyone would pay memory for.
const LEAST_PERCENT: f64 = 1.0;
/// Names further from their point than this are tied to it by a line, in pixels.
const TIE_FROM_PX: f32 = 20.0;

/// Draws the points of `traces` into `area`.
pub fn draw(picture: &mut Picture, theme: &Theme, traces: &[Trace], names: &[String], area: Area) {
    let plot = Area {
        left: area.left + PERCENTS_PX,
        top: area.top + HEADING_PX,
        right: area.right - 8.0,
        bottom: area.bottom - SIZES_PX,
    };
    let heading = "The trade-off: CPU against memory";
    picture.text(at(area.left, area.top + 15.0), Align::Start, bold(NAME_PX), theme.text, heading);
    let quiet = theme.text_quiet;
    picture.text(
        at(area.left, area.top + 45.0),
        Align::Start,
        regular(BODY_PX),
        quiet,
        "GC's share of CPU time",
    );
    picture.fill(plot, theme.panel_alternate);

    let percent = |trace: &Trace| trace.summary.gc_cpu_fraction * 100.0;
    let max_percent = traces.iter().map(percent).fold(LEAST_PERCENT, f64::max) * HEADROOM;
    let peak_bytes = traces.iter().map(|trace| trace.summary.peak_rss_bytes).max().unwrap_or(0).max(1);
    // An axis of sizes that lies on its side: 0 at the left.
    let sizes = ByteAxis {
        max_bytes: (peak_bytes as f64 * HEADROOM) as u64 + 1,
        bottom_px: plot.left,
        top_px: plot.right,
    };
    let y = |percent: f64| plot.bottom - plot.height() * (percent / max_percent) as f32;
    for (percent, text) in percent_ticks(max_percent, ((plot.height() / 36.0) as usize).clamp(2, 5)) {
        picture.fill(Area { top: y(percent) - 1.0, bottom: y(percent), ..plot }, theme.grid);
        picture.text(at(plot.left - 8.0, y(percent)), Align::End, regular(BODY_PX), quiet, &text);
    }
    for (bytes, text) in byte_ticks(sizes.max_bytes, 5) {
        let x = sizes.y(bytes);
        picture.fill(Area { left: x - 1.0, right: x, ..plot }, theme.grid);
        let half = regular(BODY_PX).width_px(&text) / 2.0;
        picture.text(
            at(x.min(area.right - half), plot.bottom + 18.0),
            Align::Middle,
            regular(BODY_PX),
            quiet,
            &text,
        );
    }
    picture.text(at(plot.center().x, plot.bottom + 44.0), Align::Middle, regular(BODY_PX), quiet, "peak RSS");

    let points: Vec<Point> =
        traces.iter().map(|trace| at(sizes.y(trace.summary.peak_rss_bytes), y(percent(trace)))).collect();
    let mut spots = FreeSpots::default();
    draw_curve(picture, theme, traces, &points, &mut spots);
    draw_points(picture, theme, &points, names, (plot, spots));
}

/// A line through the points in the order of GOGC, if nothing else tells the runs apart.
fn draw_curve(
    picture: &mut Picture,
    theme: &Theme,
    traces: &[Trace],
    points: &[Point],
    spots: &mut FreeSpots,
) {
    let apart_from_gogc = |trace: &Trace| Config { gogc_percent: None, ..trace.config.clone() };
    let alike = |trace: &Trace| {
        trace.oom_kill.is_none()
            && trace.name == traces[0].name
            && apart_from_gogc(trace) == apart_from_gogc(&traces[0])
    };
    if points.len() < 3 || !traces.iter().all(alike) {
        return;
    }
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|index| traces[*index].config.gogc_percent.unwrap_or(u32::MAX));
    let curve: Vec<Point> = order.into_iter().map(|index| points[index]).collect();
    for pair in curve.windows(2) {
        // Names keep off the curve.
        for part in 0..=CURVE_PARTS {
            let share = f32::from(part) / f32::from(CURVE_PARTS);
            let x = pair[0].x + (pair[1].x - pair[0].x) * share;
            let y = pair[0].y + (pair[1].y - pair[0].y) * share;
            spots.take(Area { left: x, right: x, top: y, bottom: y }.grown(3.0));
        }
    }
    picture.stroke(curve, 3.0, Dash::Solid, theme.heap_alloc.with_alpha(0.45));
}

fn draw_points(
    picture: &mut Picture,
    theme: &Theme,
    points: &[Point],
    names: &[String],
    (plot, mut spots): (Area, FreeSpots),
) {
    let around = |point: Point| {
        Area { left: point.x, right: point.x, top: point.y, bottom: point.y }.grown(DISC_PX + 1.0)
    };
    points.iter().for_each(|point| spots.take(around(*point)));
    let font = bold(BODY_PX);
    for (point, name) in points.iter().zip(names) {
        let name = font.elide(name, plot.width() * 0.6);
        let Some(middle) = spots.beside(*point, font.width_px(&name) + 6.0, BODY_PX + 6.0, plot) else {
            continue;
        };
        let named = picture.text(middle, Align::Middle, font, theme.text, &name);
        let near = at(point.x.clamp(named.left, named.right), point.y.clamp(named.top, named.bottom));
        let (dx, dy) = (near.x - point.x, near.y - point.y);
        if dx * dx + dy * dy > TIE_FROM_PX * TIE_FROM_PX {
            picture.stroke(vec![*point, near], 2.0, Dash::Solid, theme.rule);
        }
    }
    for point in points {
        picture.disc(*point, DISC_PX + 2.0, theme.background);
        picture.disc(*point, DISC_PX, theme.heap_alloc);
    }
}
