//! Names of lines, in a column right of the plot, each at the height where its line ends.

use super::labels::{Item, spread};
use super::picture::{Align, Dash, Picture, at};
use super::text::{bold, regular};
use super::theme::{BODY_PX, Ink, NAME_PX, Theme};

/// From the plot to a name: a short sample of the line stands there, in pixels.
const SAMPLE_PX: f32 = 34.0;
/// Height of a name with its meaning under it, and without, in pixels.
const EXPLAINED_PX: f32 = 56.0;
const NAMED_PX: f32 = 27.0;

/// A line that waits for its name.
pub struct SideName {
    /// What it is, with its last value.
    pub name: String,
    /// What that means.
    pub meaning: &'static str,
    /// Its colour.
    pub ink: Ink,
    /// How it is broken.
    pub dash: Dash,
    /// Its thickness in pixels.
    pub width_px: f32,
    /// Where it ends, downwards.
    pub y: f32,
}

/// Writes the names between `low` and `high` into a column of `width_px` from `left` on.
pub fn draw(
    picture: &mut Picture,
    theme: &Theme,
    names: &[SideName],
    (left, width_px): (f32, f32),
    (low, high): (f32, f32),
) {
    let explained = names.len() as f32 * EXPLAINED_PX <= high - low;
    let length = if explained { EXPLAINED_PX } else { NAMED_PX };
    let items: Vec<Item> = names.iter().map(|name| Item { wish: name.y, length }).collect();
    for (line, middle) in names.iter().zip(spread(&items, low, high)) {
        let y = if explained { middle - 12.0 } else { middle };
        let bend = left + 14.0;
        picture.stroke(vec![at(left, line.y), at(bend, y)], 2.0, Dash::Solid, line.ink);
        let sample = vec![at(bend, y), at(left + SAMPLE_PX - 2.0, y)];
        picture.stroke(sample, line.width_px, line.dash, line.ink);
        let x = left + SAMPLE_PX + 6.0;
        let room_px = width_px - SAMPLE_PX - 6.0;
        let name = bold(NAME_PX).elide(&line.name, room_px);
        picture.text(at(x, y), Align::Start, bold(NAME_PX), line.ink, &name);
        if explained {
            let meaning = regular(BODY_PX).elide(line.meaning, room_px);
            picture.text(at(x, y + 25.0), Align::Start, regular(BODY_PX), theme.text_quiet, &meaning);
        }
    }
}
