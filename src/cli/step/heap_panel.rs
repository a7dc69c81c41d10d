//! The heap as text: roots, objects with their signs and pointers, and the grey queue.
//!
//! Objects stand in the order in which they are reached from the roots; what nobody reaches comes last. If there are more than fit,
//! those that the sentence is about are in sight.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::frame::{Shown, cut};
use crate::lab::glass::picture::{Color, ObjectPicture, Picture};

/// Columns of one cell; an object takes as many cells as its text needs.
const CELL: usize = 12;
/// Pointers of an object that are written out.
const MOST_POINTERS: usize = 4;

/// The sign of a colour.
fn sign(color: Color) -> char {
    match color {
        Color::Resting => '∙',
        Color::White => '○',
        Color::Grey => '◐',
        Color::Black => '●',
        Color::Dead => '✕',
    }
}

/// The panel's lines, `height` at most.
pub(super) fn lines(shown: &Shown, width: u16, height: u16) -> Vec<Line<'static>> {
    let (width, height) = (usize::from(width), usize::from(height));
    let picture = &shown.watched.picture;
    let mut top = vec![legend(shown)];
    top.extend(roots(shown, picture, width));
    let queue = queue(shown, picture, width);
    let room = height.saturating_sub(top.len() + queue.len());
    let (objects, focus) = objects(shown, picture, width);
    top.extend(in_sight(objects, focus, room, shown.quiet()));
    while top.len() + queue.len() < height {
        top.push(Line::default());
    }
    top.extend(queue);
    top
}

fn legend(shown: &Shown) -> Line<'static> {
    let item = |color: Color, word: &'static str| {
        [Span::styled(format!("{} {word}", sign(color)), shown.of_object(color)), Span::raw(" ")]
    };
    let items = [
        item(Color::White, "white"),
        item(Color::Grey, "grey"),
        item(Color::Black, "black"),
        item(Color::Dead, "dead"),
        item(Color::Resting, "no cycle"),
    ];
    Line::from(items.into_iter().flatten().collect::<Vec<_>>())
}

/// `roots  old→#1  m→#9  fresh=nil`, on as many lines as they need.
fn roots(shown: &Shown, picture: &Picture, width: usize) -> Vec<Line<'static>> {
    let texts = picture.roots.iter().filter(|root| !root.var.is_empty() || root.to.is_some()).map(|root| {
        let var = if root.var.is_empty() { "stack" } else { &root.var };
        root.to.as_ref().map_or_else(|| format!("{var}=nil"), |object| format!("{var}→{object}"))
    });
    wrapped("roots  ", texts, width, shown.strong())
}

/// The grey queue, newest last; nothing when no object could be in it.
fn queue(shown: &Shown, picture: &Picture, width: usize) -> Vec<Line<'static>> {
    if picture.phase != "marking" {
        return Vec::new();
    }
    let empty = picture.grey.is_empty().then(|| "empty".to_owned());
    let mut lines =
        wrapped("grey queue  ", empty.into_iter().chain(picture.grey.iter().cloned()), width, shown.strong());
    lines.truncate(3);
    lines
}

fn wrapped(
    head: &'static str,
    texts: impl Iterator<Item = String>,
    width: usize,
    style: Style,
) -> Vec<Line<'static>> {
    let mut rows = vec![String::new()];
    let room = width.saturating_sub(head.chars().count());
    for text in texts {
        let text = cut(&text, room);
        let row = rows.last_mut().expect("never empty");
        if !row.is_empty() && row.chars().count() + 2 + text.chars().count() > room {
            rows.push(text);
        } else {
            let gap = if row.is_empty() { "" } else { "  " };
            row.push_str(&format!("{gap}{text}"));
        }
    }
    let indent = " ".repeat(head.chars().count());
    let line = |(number, row): (usize, String)| match number {
        0 => Line::from(vec![Span::styled(head, style), Span::raw(row)]),
        _ => Line::raw(format!("{indent}{row}")),
    };
    rows.into_iter().enumerate().map(line).collect()
}

/// Objects in the order in which they are reached, and those that are not.
fn ordered(picture: &Picture) -> (Vec<&ObjectPicture>, Vec<&ObjectPicture>) {
    let find = |name: &String| picture.objects.iter().find(|object| object.name == *name);
    let mut reached: Vec<&ObjectPicture> = Vec::new();
    let push = |reached: &mut Vec<_>, name: &String| {
        if let Some(object) = find(name)
            && !reached.iter().any(|other: &&ObjectPicture| other.name == object.name)
        {
            reached.push(object);
        }
    };
    picture.roots.iter().filter_map(|root| root.to.as_ref()).for_each(|name| push(&mut reached, name));
    let mut next = 0;
    while let Some(object) = reached.get(next).copied() {
        object.to.iter().for_each(|name| push(&mut reached, name));
        next += 1;
    }
    let is_reached = |object: &&ObjectPicture| reached.iter().any(|other| other.name == object.name);
    let lost = picture.objects.iter().filter(|object| !is_reached(object)).collect();
    (reached, lost)
}

/// Lines of objects, and the first line that the sentence is about.
fn objects(shown: &Shown, picture: &Picture, width: usize) -> (Vec<Line<'static>>, Option<usize>) {
    let event = &shown.watched.events[shown.watched.at].event;
    let named = event.objects();
    let (reached, lost) = ordered(picture);
    let mut flow = Flow { lines: Vec::new(), row: Vec::new(), used: 0, width, focus: None };
    for object in reached {
        flow.push(object, shown, &named);
    }
    flow.end_row();
    if !lost.is_empty() {
        flow.lines.push(Line::styled("─ no variable leads here ─", shown.quiet()));
    }
    for object in lost {
        flow.push(object, shown, &named);
    }
    flow.end_row();
    (flow.lines, flow.focus)
}

/// Cells that flow from line to line.
struct Flow {
    lines: Vec<Line<'static>>,
    row: Vec<Span<'static>>,
    used: usize,
    width: usize,
    focus: Option<usize>,
}

impl Flow {
    fn push(&mut self, object: &ObjectPicture, shown: &Shown, named: &[&str]) {
        let is_named = named.contains(&object.name.as_str());
        let pointers = cut(&pointers(object), self.width.saturating_sub(CELL));
        let body = format!("{} {}", sign(object.color), object.name);
        let text_width = 1 + body.chars().count() + pointers.chars().count();
        let cell_width = (text_width + 1).next_multiple_of(CELL).min(self.width);
        if self.used + cell_width > self.width {
            self.end_row();
        }
        let mark = if is_named { "▸" } else { " " };
        let mut style = shown.of_object(object.color);
        if is_named {
            style = style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
            self.focus = self.focus.or(Some(self.lines.len()));
        }
        let gap = " ".repeat(cell_width.saturating_sub(text_width));
        self.row.extend([Span::raw(mark), Span::styled(body, style), Span::raw(pointers), Span::raw(gap)]);
        self.used += cell_width;
    }

    fn end_row(&mut self) {
        if !self.row.is_empty() {
            self.lines.push(Line::from(std::mem::take(&mut self.row)));
        }
        self.used = 0;
    }
}

/// ` →#3 #4 +2`.
fn pointers(object: &ObjectPicture) -> String {
    if object.to.is_empty() {
        return String::new();
    }
    let shown = object.to[..object.to.len().min(MOST_POINTERS)].join(" ");
    match object.to.len().saturating_sub(MOST_POINTERS) {
        0 => format!("→{shown}"),
        more => format!("→{shown} +{more}"),
    }
}

/// As many lines as there is room for, `focus` among them, with what is left out said.
pub(super) fn in_sight(
    mut lines: Vec<Line<'static>>,
    focus: Option<usize>,
    room: usize,
    style: Style,
) -> Vec<Line<'static>> {
    let all = lines.len();
    if all <= room || room < 3 {
        lines.truncate(room);
        return lines;
    }
    // A line above and one below may be needed to say what is left out.
    let first = focus.unwrap_or(0).saturating_sub(room / 2).min(all - room);
    let mut shown: Vec<Line> = lines.drain(first..first + room).collect();
    let below = all - first - room;
    if first > 0 {
        shown[0] = Line::styled(format!("… {} lines above", first + 1), style);
    }
    if below > 0 {
        shown[room - 1] = Line::styled(format!("… {} lines below", below + 1), style);
    }
    shown
}
