//! The column right of the plot: every line by name, at the height where it ends, and beside them the fills that have
//! no name in the plot, in the order of the stack.

use super::super::labels::{Item, spread};
use super::super::picture::{Align, Area, Dash, Hatching, Mark, Picture, at};
use super::super::text::{bold, regular};
use super::super::theme::{BODY_PX, NAME_PX, Theme};
use super::ledger::{LAYERS, Layer};
use super::lines::Drawn;
use super::{Frame, triggers};

/// Height of a name in pixels: with a line that says what it means, without, and of a fill's name.
const EXPLAINED_PX: f32 = 58.0;
const NAMED_PX: f32 = 32.0;
const FILL_PX: f32 = 29.0;
/// The widest name in pixels.
const NAME_WIDTH_PX: f32 = super::NAMES_PX - 46.0 + 20.0;
/// From the plot to a name: a short sample of the line stands there.
const SAMPLE_PX: f32 = 34.0;
/// Lines whose ends differ by more than this from their name's place get a leader, in pixels.
const LEADER_FROM_PX: f32 = 6.0;

/// What is named beside the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A fill without a name in the plot, by its place in [`LAYERS`].
    Fill(usize),
    /// The dots where cycles began.
    Trigger,
}

/// Names lines, the fills that have no name inside the plot, and the dots.
pub fn draw(picture: &mut Picture, theme: &Theme, frame: &Frame, drawn: &[Drawn], fills: &[Key]) {
    let (low, high) = (frame.plot.top - 8.0, frame.plot.bottom + 12.0);
    // Fills that have no room even beside short names stay without a name.
    let room_px = high - low - NAMED_PX * drawn.len() as f32 - FILL_PX;
    let fills = &fills[..fills.len().min((room_px / FILL_PX).max(0.0) as usize)];
    let fills_px = if fills.is_empty() { 0.0 } else { FILL_PX * (fills.len() + 1) as f32 };
    let explained = EXPLAINED_PX * drawn.len() as f32 + fills_px <= high - low;
    let length = if explained { EXPLAINED_PX } else { NAMED_PX };
    let items: Vec<Item> = drawn.iter().map(|line| Item { wish: line.end.y, length }).collect();
    // The lines' names have first choice; the fills take the larger of the two ends that are left over.
    let mean_y = items.iter().map(|item| item.wish).sum::<f32>() / items.len().max(1) as f32;
    let fills_above = mean_y > frame.plot.center().y;
    let middles = match fills_above {
        true => spread(&items, low + fills_px, high),
        false => spread(&items, low, high - fills_px),
    };
    let left = frame.plot.right + 6.0;
    for (line, middle) in drawn.iter().zip(&middles) {
        let name_y = if explained { middle - 13.0 } else { *middle };
        draw_leader(picture, line, left, name_y);
        // A line that lies wholly above the plot.
        let above = if line.pieces.is_empty() { " ↑" } else { "" };
        let name = bold(NAME_PX).elide(&format!("{} {}{above}", line.name, line.value), NAME_WIDTH_PX);
        let x = left + SAMPLE_PX + 6.0;
        picture.text(at(x, name_y), Align::Start, bold(NAME_PX), line.ink, &name);
        if explained {
            picture.text(
                at(x, name_y + 26.0),
                Align::Start,
                regular(BODY_PX),
                theme.text_quiet,
                line.meaning,
            );
        }
    }
    let fills_top = if fills_above { low + FILL_PX / 2.0 } else { high - fills_px + FILL_PX / 2.0 };
    for (row, key) in fills.iter().rev().enumerate() {
        let y = fills_top + (row as f32 + 0.5) * FILL_PX;
        match key {
            Key::Fill(index) => draw_fill_name(picture, theme, &LAYERS[*index], left, y),
            Key::Trigger => draw_trigger_name(picture, theme, left, y),
        }
    }
}

/// A swatch and what it stands for.
fn draw_fill_name(picture: &mut Picture, theme: &Theme, layer: &Layer, left: f32, y: f32) {
    let swatch = Area { left: left + 6.0, right: left + SAMPLE_PX, top: y - 10.0, bottom: y + 10.0 };
    picture.fill(swatch, theme.rule);
    let inner = swatch.grown(-1.0);
    picture.fill(inner, (layer.ink)(theme));
    if let Some(hatch) = layer.hatch {
        let spans = vec![(inner.top, inner.bottom); inner.width() as usize];
        picture.marks.push(Mark::Hatching(Hatching { left: inner.left as i32, spans, ink: hatch(theme) }));
    }
    picture.text(at(left + SAMPLE_PX + 6.0, y), Align::Start, regular(BODY_PX), theme.text, layer.name);
}

/// A dot and what it stands for.
fn draw_trigger_name(picture: &mut Picture, theme: &Theme, left: f32, y: f32) {
    triggers::draw_sample(
        picture,
        theme,
        Area { left: left + 6.0, right: left + SAMPLE_PX, top: y, bottom: y },
    );
    picture.text(
        at(left + SAMPLE_PX + 6.0, y),
        Align::Start,
        regular(BODY_PX),
        theme.text,
        "trigger: a GC starts",
    );
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
