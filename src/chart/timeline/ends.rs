//! The column right of the plot: every line and every fill by name, at the height where it ends.

use super::super::labels::{Item, spread};
use super::super::picture::{Align, Area, Dash, Picture, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, NAME_PX, Theme};
use super::Frame;
use super::ledger::{LAYERS, Stack};
use super::lines::Drawn;

/// Height of a name in pixels: with a line that says what it means, without, and of a fill's name.
const EXPLAINED_PX: f32 = 58.0;
const NAMED_PX: f32 = 32.0;
const FILL_PX: f32 = 29.0;
/// From the plot to a name: a short sample of the line stands there.
const SAMPLE_PX: f32 = 34.0;
/// Lines whose ends differ by more than this from their name's place get a leader, in pixels.
const LEADER_FROM_PX: f32 = 6.0;

/// Names lines and the fills that have no name inside the plot.
pub fn draw(picture: &mut Picture, theme: &Theme, frame: &Frame, drawn: &[Drawn], stack: &Stack, fills: &[usize]) {
    let (low, high) = (frame.plot.top - 8.0, frame.plot.bottom + 16.0);
    let fill_room = FILL_PX * fills.len() as f32;
    let explained = EXPLAINED_PX * drawn.len() as f32 + fill_room <= high - low;
    let line_length = if explained { EXPLAINED_PX } else { NAMED_PX };
    let mut items: Vec<Item> =
        drawn.iter().map(|line| Item { wish: line.end.y, length: line_length }).collect();
    items.extend(fills.iter().map(|index| Item { wish: stack.end_y(*index), length: FILL_PX }));
    let middles = spread(&items, low, high);
    let left = frame.plot.right + 6.0;
    for (line, middle) in drawn.iter().zip(&middles) {
        let name_y = if explained { middle - 13.0 } else { *middle };
        draw_leader(picture, line, left, name_y);
        let name = if line.pieces.is_empty() { format!("{} {}, above", line.name, line.value) } else { format!("{} {}", line.name, line.value) };
        let x = left + SAMPLE_PX + 6.0;
        picture.text(at(x, name_y), Align::Start, bold(NAME_PX), line.ink, &name);
        if explained {
            picture.text(at(x, name_y + 26.0), Align::Start, regular(BODY_PX), theme.text_quiet, line.meaning);
        }
    }
    for (index, middle) in fills.iter().zip(&middles[drawn.len()..]) {
        let layer = &LAYERS[*index];
        let swatch = Area { left: left + 10.0, right: left + SAMPLE_PX, top: middle - 9.0, bottom: middle + 9.0 };
        picture.fill(swatch, theme.rule);
        picture.fill(swatch.grown(-1.0), (layer.ink)(theme));
        picture.text(at(left + SAMPLE_PX + 6.0, *middle), Align::Start, regular(BODY_PX), theme.text, layer.name);
    }
}

/// A sample of the line beside its name, bent towards the line's end.
fn draw_leader(picture: &mut Picture, line: &Drawn, left: f32, name_y: f32) {
    let right = left + SAMPLE_PX - 2.0;
    let bend = left + 14.0;
    let thin_px = 2.0;
    if (line.end.y - name_y).abs() > LEADER_FROM_PX {
        picture.stroke(vec![at(left, line.end.y), at(bend, name_y)], thin_px, Dash::Solid, line.ink);
    } else {
        picture.stroke(vec![at(left, line.end.y), at(bend, name_y)], line.width_px, Dash::Solid, line.ink);
    }
    picture.stroke(vec![at(bend, name_y), at(right, name_y)], line.width_px, line.dash, line.ink);
}
