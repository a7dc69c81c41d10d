//! Trigger points: where a cycle began because the heap had reached its trigger.
//!
//! A dot for each such cycle, at its start and at the size that started it. Forced cycles and those of the two-minute timer have no
//! trigger. Dots that would hide one another are left out.

use super::super::picture::{Area, Picture, at};
use super::super::theme::Theme;
use super::Frame;
use crate::trace::{CycleKind, Trace};

/// Radius of a dot, and of its rim, in pixels.
const RADIUS_PX: f32 = 5.5;
const RIM_PX: f32 = 2.0;
/// From one dot to the next in pixels, at least.
const APART_PX: f32 = 11.0;

/// Draws the dots; whether there were any.
pub fn draw(picture: &mut Picture, theme: &Theme, frame: &Frame, trace: &Trace) -> bool {
    let paced = trace.cycles.iter().filter(|cycle| cycle.kind == CycleKind::Heap);
    let mut last_x = f32::NEG_INFINITY;
    for cycle in paced.filter(|cycle| (1..=frame.sizes.max_bytes).contains(&cycle.trigger_bytes)) {
        let center = at(frame.time.x(cycle.start_ns), frame.sizes.y(cycle.trigger_bytes));
        if center.x - last_x >= APART_PX {
            picture.disc(center, RADIUS_PX + RIM_PX, theme.background);
            picture.disc(center, RADIUS_PX, theme.danger);
            last_x = center.x;
        }
    }
    last_x > f32::NEG_INFINITY
}

/// Draws the sample of a dot into its place in the key.
pub fn draw_sample(picture: &mut Picture, theme: &Theme, place: Area) {
    picture.disc(place.center(), RADIUS_PX, theme.danger);
}
