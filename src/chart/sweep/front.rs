//! GC CPU against peak RSS, a disc for each combination: large where the P99 is large, coloured and tied together where no
//! other combination has both less memory and less CPU.

use super::super::axis::{duration_text, percent_ticks, size_text};
use super::super::labels::FreeSpots;
use super::super::page::{self, MARGIN_PX};
use super::super::picture::{Align, Area, Dash, Picture, Point, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, NAME_PX, Theme};
use crate::units::MIB;

/// A combination.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontPoint {
    /// Its settings in a few words.
    pub name: String,
    /// The worst peak RSS in bytes.
    pub peak_rss_bytes: u64,
    /// GC's share of CPU time, 0 to 1.
    pub gc_cpu_fraction: f64,
    /// The worst P99 in nanoseconds.
    pub p99_ns: Option<u64>,
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontPage {
    /// The heading.
    pub title: String,
    /// What was swept.
    pub subtitle: String,
    /// What the P99 is of: `pauses`, `requests`.
    pub p99_of: String,
    /// Settings that nobody beats, from the least memory to the least CPU.
    pub best: Vec<FrontPoint>,
    /// All others.
    pub others: Vec<FrontPoint>,
}

const PERCENTS_PX: f32 = 66.0;
const SIZES_PX: f32 = 62.0;
const KEY_PX: f32 = 44.0;
const LEAST_RADIUS_PX: f32 = 5.0;
const MOST_RADIUS_PX: f32 = 16.0;
/// From the line of no CPU to the foot of the plot, so that a disc there has room.
const FOOT_PX: f32 = 22.0;
/// Points nearer to one that is named have no name of their own.
const NAMED_APART_PX: f32 = 64.0;
/// Names further from their point than this are tied to it by a line, in pixels.
const TIE_FROM_PX: f32 = 34.0;

/// A logarithmic axis of sizes.
struct SizeAxis {
    low: f64,
    high: f64,
    left: f32,
    right: f32,
}

impl SizeAxis {
    fn x(&self, bytes: u64) -> f32 {
        let share = (bytes.max(1) as f64 / self.low).ln() / (self.high / self.low).ln();
        self.left + (self.right - self.left) * share as f32
    }

    /// Powers of two, and what lies halfway between them when there are few.
    fn ticks(&self) -> Vec<u64> {
        let inside = |bytes: &u64| (*bytes as f64) >= self.low && (*bytes as f64) <= self.high;
        let powers = (10..50).map(|power| 1u64 << power);
        let whole: Vec<u64> = powers.clone().filter(inside).collect();
        if whole.len() > 3 {
            return whole;
        }
        let quarters = powers.flat_map(|power| [4, 5, 6, 7].map(|quarter| power / 4 * quarter));
        quarters.filter(inside).collect()
    }
}

/// Draws the page.
pub fn draw(picture: &mut Picture, theme: &Theme, page: &FrontPage) {
    let top = page::header(picture, theme, &page.title, &page.subtitle);
    let (width, height) = (picture.width_px as f32, picture.height_px as f32);
    let plot = Area {
        left: MARGIN_PX + PERCENTS_PX,
        top: top + KEY_PX,
        right: width - MARGIN_PX,
        bottom: height - MARGIN_PX - SIZES_PX,
    };
    let quiet = theme.text_quiet;
    let font = regular(BODY_PX);
    picture.fill(plot, theme.panel_alternate);
    picture.text(at(MARGIN_PX, plot.top - 24.0), Align::Start, font, quiet, "GC's share of CPU time");
    let all = || page.best.iter().chain(&page.others);
    let most = all().map(|point| point.gc_cpu_fraction * 100.0).fold(0.1, f64::max) * 1.12;
    let low = all().map(|point| point.peak_rss_bytes).min().unwrap_or(MIB).max(1) as f64 / 1.15;
    let high = all().map(|point| point.peak_rss_bytes).max().unwrap_or(MIB).max(1) as f64 * 1.25;
    let sizes = SizeAxis { low, high, left: plot.left, right: plot.right };
    let zero = plot.bottom - FOOT_PX;
    let y = |share: f64| zero - (zero - plot.top) * (share * 100.0 / most) as f32;
    for (percent, text) in percent_ticks(most, 8) {
        let line = y(percent / 100.0);
        picture.fill(Area { top: line - 1.0, bottom: line, ..plot }, theme.grid);
        picture.text(at(plot.left - 8.0, line), Align::End, font, quiet, &text);
    }
    for bytes in sizes.ticks() {
        let (x, text) = (sizes.x(bytes), size_text(bytes));
        picture.fill(Area { left: x - 1.0, right: x, ..plot }, theme.grid);
        let half = font.width_px(&text) / 2.0;
        let center = x.clamp(plot.left + half, plot.right - half);
        picture.text(at(center, plot.bottom + 18.0), Align::Middle, font, quiet, &text);
    }
    picture.text(at(plot.center().x, plot.bottom + 46.0), Align::Middle, font, quiet, "peak RSS");

    let worst_ns = all().filter_map(|point| point.p99_ns).max();
    let least_ns = all().filter_map(|point| point.p99_ns).min();
    draw_key(picture, theme, page, worst_ns, plot);
    let place = |point: &FrontPoint| at(sizes.x(point.peak_rss_bytes), y(point.gc_cpu_fraction));
    let radius = |point: &FrontPoint| match (point.p99_ns, worst_ns) {
        (Some(_), worst) if worst == least_ns => (LEAST_RADIUS_PX + MOST_RADIUS_PX) / 2.0,
        // The area of a disc is what people compare.
        (Some(p99), Some(worst)) if worst > 0 => {
            let share = (p99 as f64 / worst as f64).sqrt() as f32;
            LEAST_RADIUS_PX + (MOST_RADIUS_PX - LEAST_RADIUS_PX) * share
        }
        _ => LEAST_RADIUS_PX,
    };
    for point in &page.others {
        picture.disc(place(point), radius(point), theme.rule.with_alpha(0.45));
    }
    picture.stroke(page.best.iter().map(place).collect(), 3.0, Dash::Solid, theme.danger);
    for point in &page.best {
        picture.disc(place(point), radius(point) + 2.0, theme.background);
        picture.disc(place(point), radius(point), theme.heap_alloc);
    }
    let discs: Vec<(Point, f32)> = page.best.iter().map(|point| (place(point), radius(point))).collect();
    draw_names(picture, theme, page, &discs, plot);
}

/// Names of the points of the front, where there is room: the ends first, then those between that lie apart.
fn draw_names(picture: &mut Picture, theme: &Theme, page: &FrontPage, discs: &[(Point, f32)], plot: Area) {
    let mut spots = FreeSpots::default();
    let around = |point: Point, margin_px: f32| {
        Area { left: point.x, right: point.x, top: point.y, bottom: point.y }.grown(margin_px)
    };
    discs.iter().for_each(|(center, radius)| spots.take(around(*center, radius + 2.0)));
    for pair in discs.windows(2) {
        let (from, to) = (pair[0].0, pair[1].0);
        let steps = ((to.x - from.x).hypot(to.y - from.y) / 8.0) as u16;
        for step in 1..steps {
            let share = f32::from(step) / f32::from(steps);
            spots.take(around(at(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share), 3.0));
        }
    }
    let font = bold(BODY_PX);
    let last = page.best.len().saturating_sub(1);
    let mut order: Vec<usize> = (0..page.best.len()).collect();
    order.sort_by_key(|index| *index != 0 && *index != last);
    let mut named: Vec<Point> = Vec::new();
    for index in order {
        let (center, _) = discs[index];
        let is_near = |other: &Point| (other.x - center.x).hypot(other.y - center.y) < NAMED_APART_PX;
        if named.iter().any(is_near) {
            continue;
        }
        let name = &page.best[index].name;
        let Some(middle) = spots.beside(center, font.width_px(name) + 8.0, BODY_PX + 6.0, plot) else {
            continue;
        };
        named.push(center);
        let text = picture.text(middle, Align::Middle, font, theme.text, name);
        let near = at(center.x.clamp(text.left, text.right), center.y.clamp(text.top, text.bottom));
        if (near.x - center.x).hypot(near.y - center.y) > TIE_FROM_PX {
            picture.stroke(vec![center, near], 1.5, Dash::Solid, theme.rule);
        }
    }
}

fn draw_key(picture: &mut Picture, theme: &Theme, page: &FrontPage, worst_ns: Option<u64>, plot: Area) {
    let font = regular(BODY_PX);
    let y = plot.top - 24.0;
    let mut right = plot.right;
    if let Some(worst_ns) = worst_ns {
        let text = format!("area: P99 of {}, at most {}", page.p99_of, duration_text(worst_ns));
        right = picture.text(at(right, y), Align::End, font, theme.text_quiet, &text).left - 12.0;
        picture.disc(at(right - MOST_RADIUS_PX, y), MOST_RADIUS_PX, theme.rule.with_alpha(0.45));
        right -= 2.0 * MOST_RADIUS_PX + 30.0;
    }
    let best =
        picture.text(at(right, y), Align::End, bold(NAME_PX), theme.text, "no setting has less of both");
    let x = best.left - 40.0;
    picture.stroke(vec![at(x - 24.0, y), at(x + 24.0, y)], 3.0, Dash::Solid, theme.danger);
    picture.disc(at(x, y), 9.0, theme.heap_alloc);
}
