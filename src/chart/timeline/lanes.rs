//! The lanes under the plot: GC cycles, and snapshots by letter.

use super::super::axis::size_text;
use super::super::labels::{FreeSpots, Item, spread};
use super::super::page::MARGIN_PX;
use super::super::picture::{Align, Area, Dash, Picture, at};
use super::super::text::{Font, bold, regular};
use super::super::theme::{BODY_PX, Theme};
use super::super::words;
use super::Frame;
use crate::trace::Trace;

/// Height of the lane of GC cycles in pixels.
pub const HEIGHT_PX: f32 = 38.0;
/// Height of the lane of snapshots in pixels.
const SNAPSHOTS_PX: f32 = 36.0;
/// Up to so many cycles, marking is also shown as a band through the plot.
const MAX_BANDS: usize = 40;
/// Room of one snapshot's letter along the lane, and its disc's radius, in pixels.
const LETTER_PX: f32 = 31.0;
const DISC_PX: f32 = 14.0;
/// More snapshots than letters are only ticks.
const MAX_LETTERS: usize = 26;

const ROW_PX: f32 = 28.0;
const FONT: Font = regular(BODY_PX);

/// A phase of a cycle that is narrower than this is not drawn, in pixels.
const NARROWEST_PHASE_PX: f32 = 1.5;
/// How see-through sweeping is beside marking.
const SWEEP_ALPHA: f32 = 0.38;

/// Marks every cycle in its lane - the world stopped, marking, sweeping - and the marking of few cycles through the plot.
pub fn draw_cycles(picture: &mut Picture, theme: &Theme, frame: &Frame, trace: &Trace) {
    let plot = frame.plot;
    let lane = Area { top: plot.bottom + 13.0, bottom: plot.bottom + HEIGHT_PX - 3.0, ..plot };
    let y = lane.center().y;
    picture.text(at(plot.left - 10.0, y), Align::End, bold(BODY_PX), theme.gc, "GC");
    picture.fill(Area { top: y - 1.0, bottom: y + 1.0, ..lane }, theme.grid);
    let narrowest_px = if trace.cycles.len() > 200 { 1.5 } else { 4.0 };
    let (mut stopped_px, mut swept_px) = (0.0, 0.0);
    for cycle in &trace.cycles {
        let left = frame.time.x(cycle.start_ns);
        let right = frame.time.x(cycle.end_ns).max(left + narrowest_px);
        if let Some(sweep_end_ns) = cycle.sweep_end_ns {
            let end = frame.time.x(sweep_end_ns);
            if end - right >= NARROWEST_PHASE_PX {
                let sweep = Area { left: right, right: end, top: lane.top + 5.0, bottom: lane.bottom - 5.0 };
                picture.fill(sweep, theme.gc.with_alpha(SWEEP_ALPHA));
                swept_px += end - right;
            }
        }
        picture.fill(Area { left, right, ..lane }, theme.gc);
        for (from_ns, to_ns) in [(cycle.start_ns, cycle.mark_start_ns), (cycle.mark_end_ns, cycle.end_ns)] {
            let stopped = Area { left: frame.time.x(from_ns), right: frame.time.x(to_ns), ..lane };
            if stopped.width() >= NARROWEST_PHASE_PX {
                picture.fill(stopped, theme.text);
                stopped_px += stopped.width();
            }
        }
        if trace.cycles.len() <= MAX_BANDS {
            let left = frame.time.x(cycle.mark_start_ns);
            let right = frame.time.x(cycle.mark_end_ns).max(left + 2.0);
            picture.fill(Area { left, right, ..plot }, theme.gc.with_alpha(0.15));
        }
    }
    let count = bold(BODY_PX).elide(&words::cycle_count(trace), super::NAMES_PX - 12.0);
    picture.text(at(plot.right + 12.0, y), Align::Start, bold(BODY_PX), theme.gc, &count);
    // Under it, where the lane of snapshots ends.
    if !trace.snapshots.is_empty() && !trace.cycles.is_empty() {
        let phases = Phases { stopped_px, swept_px };
        phases.draw(picture, theme, plot.right + 42.0, plot.bottom + HEIGHT_PX + SNAPSHOTS_PX / 2.0 + 2.0);
    }
}

/// How much of the phases beside marking can be seen in the lane, in pixels.
struct Phases {
    stopped_px: f32,
    swept_px: f32,
}

impl Phases {
    /// Names the phases that can be seen, from `x` on.
    fn draw(&self, picture: &mut Picture, theme: &Theme, mut x: f32, y: f32) {
        const SEEN_FROM_PX: f32 = 3.0;
        let phases = [
            ("mark", theme.gc, 11.0, f32::INFINITY),
            ("sweep", theme.gc.with_alpha(SWEEP_ALPHA), 6.0, self.swept_px),
            ("stop", theme.text, 11.0, self.stopped_px),
        ];
        for (name, ink, half, _) in phases.into_iter().filter(|(.., seen_px)| *seen_px >= SEEN_FROM_PX) {
            picture.fill(Area { left: x, right: x + 16.0, top: y - half, bottom: y + half }, ink);
            let named = picture.text(at(x + 22.0, y), Align::Start, FONT, theme.text_quiet, name);
            x = named.right + 14.0;
        }
    }
}

/// Height of the lane of snapshots in pixels: none without snapshots.
pub fn snapshot_lane_px(trace: &Trace) -> f32 {
    if trace.snapshots.is_empty() { 0.0 } else { SNAPSHOTS_PX }
}

/// A letter for every snapshot, tied to its moment by a dotted line through the plot.
pub fn draw_snapshots(picture: &mut Picture, theme: &Theme, frame: &Frame, trace: &Trace) {
    let plot = frame.plot;
    let top = plot.bottom + HEIGHT_PX;
    let y = top + SNAPSHOTS_PX / 2.0 + 2.0;
    let moments: Vec<f32> = trace.snapshots.iter().map(|snapshot| frame.time.x(snapshot.t_ns)).collect();
    let items: Vec<Item> = moments.iter().map(|x| Item { wish: *x, length: LETTER_PX }).collect();
    let places = spread(&items, plot.left - 20.0, plot.right + 20.0);
    for (index, (x, place)) in moments.iter().zip(places).enumerate() {
        if moments.len() > MAX_LETTERS {
            picture.fill(Area { left: x - 1.0, right: x + 1.0, top, bottom: y + 8.0 }, theme.text_quiet);
            continue;
        }
        picture.stroke(vec![at(*x, plot.top), at(*x, top)], 1.6, Dash::Dots, theme.text_quiet);
        picture.stroke(vec![at(*x, top), at(place, y)], 1.6, Dash::Solid, theme.text_quiet);
        picture.disc(at(place, y), DISC_PX, theme.text);
        picture.text(at(place, y), Align::Middle, bold(BODY_PX), theme.background, &letter(index));
    }
}

/// Keeps names inside the plot off the lines of snapshots and the borders of steps.
pub fn take_vertical_lines(frame: &Frame, trace: &Trace, spots: &mut FreeSpots) {
    let named = Some(&trace.snapshots).filter(|snapshots| snapshots.len() <= MAX_LETTERS);
    let moments = named.into_iter().flatten().map(|snapshot| frame.time.x(snapshot.t_ns));
    let borders = frame.time.segments.iter().map(|segment| segment.left);
    for x in moments.chain(borders) {
        spots.take(Area { left: x - 2.0, right: x + 2.0, ..frame.plot });
    }
}

/// `A` for 0, `B` for 1, up to `Z`.
fn letter(index: usize) -> String {
    char::from(b'A' + (index % MAX_LETTERS) as u8).to_string()
}

/// What the letters mean and how much was resident, in at most two rows.
pub struct SnapshotLegend {
    rows: Vec<Vec<(String, String)>>,
}

const ENTRY_GAP_PX: f32 = 34.0;
/// Room for `… and 10 more` in pixels.
const MISSING_PX: f32 = 136.0;
/// What the sizes beside the snapshots' labels are.
const HEADING: &str = "RSS at";

impl SnapshotLegend {
    /// Breaks the snapshots' labels into rows of `row_px`; what does not fit is counted.
    pub fn fitting(trace: &Trace, row_px: f32) -> SnapshotLegend {
        const MAX_ROWS: usize = 2;
        let count = trace.snapshots.len();
        let mut rows: Vec<Vec<(String, String)>> = Vec::new();
        if count > MAX_LETTERS {
            let all = format!("{count} snapshots, too many to name here");
            return SnapshotLegend { rows: vec![vec![(String::new(), FONT.elide(&all, row_px))]] };
        }
        let mut used_px = 0.0;
        if count > 0 {
            rows.push(vec![(String::new(), HEADING.to_owned())]);
            used_px = FONT.width_px(HEADING) + ENTRY_GAP_PX;
        }
        for (index, snapshot) in trace.snapshots.iter().enumerate() {
            let label = FONT.elide(&snapshot.label, row_px / 3.0);
            let entry = (letter(index), format!("{label} {}", size_text(snapshot.rss_bytes)));
            let width = entry_px(&entry);
            // The last row keeps room to say how many are missing.
            let is_tight = rows.len() == MAX_ROWS && index + 1 < count;
            let room_px = if is_tight { row_px - MISSING_PX - ENTRY_GAP_PX } else { row_px };
            if used_px + width > room_px {
                if rows.len() == MAX_ROWS {
                    let rest = format!("… and {} more", count - index);
                    rows[MAX_ROWS - 1].push((String::new(), rest));
                    break;
                }
                rows.push(Vec::new());
                used_px = 0.0;
            }
            used_px += width + ENTRY_GAP_PX;
            rows.last_mut().into_iter().for_each(|row| row.push(entry.clone()));
        }
        SnapshotLegend { rows }
    }

    /// Height of the rows in pixels.
    pub fn height_px(&self) -> f32 {
        self.rows.len() as f32 * ROW_PX
    }

    /// Draws the rows from `top`.
    pub fn draw(&self, picture: &mut Picture, theme: &Theme, top: f32) {
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + (index as f32 + 0.5) * ROW_PX;
            let mut x = MARGIN_PX;
            for (letter, label) in row {
                let area = picture.text(at(x, y), Align::Start, bold(BODY_PX), theme.text, letter);
                let label_x = if letter.is_empty() { x } else { area.right + 7.0 };
                picture.text(at(label_x, y), Align::Start, FONT, theme.text_quiet, label);
                x = label_x + FONT.width_px(label) + ENTRY_GAP_PX;
            }
        }
    }
}

fn entry_px((letter, label): &(String, String)) -> f32 {
    bold(BODY_PX).width_px(letter) + 7.0 + FONT.width_px(label)
}
