//! A frame: what is shown of a run at one event, from nothing but the run, the reader's place and whether there is colour.
//!
//! ```text
//!  title                                        settings
//!  event 44 of 131  ========>-----------  MARKING
//!  the sentence
//! +-- heap -----------------------------+-- pacer ------+
//! | roots, objects, grey queue          +-- pages ------+
//! |                                     +-- map --------+
//!  keys
//! ```
//!
//! Each colour of the collector has a sign of its own, so that nothing is lost without colours.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::viewer::{Help, Playing, Viewer};
use super::{heap_panel, side_panels};
use crate::cli::terminal::Colour;
use crate::lab::glass::StepAnswer;
use crate::lab::glass::picture;

/// Rows of the sentence.
const SENTENCE_ROWS: u16 = 3;
/// The smallest screen on which panels say something.
const LEAST_COLUMNS: u16 = 60;
const LEAST_ROWS: u16 = 14;
/// From this width on the panels at the side get more room.
const WIDE_COLUMNS: u16 = 120;
const SIDE_COLUMNS: u16 = 38;
const WIDE_SIDE_COLUMNS: u16 = 50;

/// Everything that a frame follows from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'w> {
    pub watched: &'w StepAnswer,
    pub viewer: Viewer,
    pub colour: Colour,
}

impl Shown<'_> {
    /// A style with colours, or without any.
    pub(super) fn coloured(&self, style: Style) -> Style {
        match self.colour {
            Colour::On => style,
            Colour::Off => Style { fg: None, bg: None, ..style },
        }
    }

    /// How an object of a colour looks. The colours are literal: white on black is black.
    pub(super) fn of_object(&self, color: picture::Color) -> Style {
        let style = Style::new();
        self.coloured(match color {
            picture::Color::Resting => style,
            picture::Color::White => style.fg(Color::Black).bg(Color::White),
            picture::Color::Grey => style.fg(Color::White).bg(Color::DarkGray),
            picture::Color::Black => style.fg(Color::White).bg(Color::Black),
            picture::Color::Dead => style.fg(Color::Red),
        })
    }

    pub(super) fn quiet(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn strong(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}

/// Draws it all.
pub(super) fn draw(frame: &mut Frame, shown: &Shown) {
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(SENTENCE_ROWS),
        Constraint::Min(0),
        Constraint::Length(1),
    ]);
    let [title, progress, sentence, body, keys] = rows.areas(frame.area());
    frame.render_widget(Paragraph::new(title_line(shown, title.width)), title);
    frame.render_widget(Paragraph::new(progress_line(shown, progress.width)), progress);
    let told = &shown.watched.events[shown.watched.at].sentence;
    let said = Paragraph::new(told.as_str()).style(shown.strong()).wrap(Wrap { trim: true });
    frame.render_widget(said, sentence.inner(ratatui::layout::Margin::new(1, 0)));
    if frame.area().width < LEAST_COLUMNS || frame.area().height < LEAST_ROWS {
        let least = format!(" the heap is shown from {LEAST_COLUMNS} x {LEAST_ROWS} on");
        frame.render_widget(Paragraph::new(least).style(shown.quiet()), body);
    } else {
        draw_panels(frame, shown, body);
    }
    frame.render_widget(Paragraph::new(key_line(keys.width)).style(shown.quiet()), keys);
    if shown.viewer.help == Help::Shown {
        draw_help(frame);
    }
}

fn draw_panels(frame: &mut Frame, shown: &Shown, body: Rect) {
    let side = if body.width >= WIDE_COLUMNS { WIDE_SIDE_COLUMNS } else { SIDE_COLUMNS };
    let [heap, side] = Layout::horizontal([Constraint::Min(0), Constraint::Length(side)]).areas(body);
    let inner = side.width - 2;
    let (pacer, pages) = (side_panels::pacer(shown, inner), side_panels::pages(shown, inner));
    let heights = [pacer.len(), pages.len()].map(|rows| Constraint::Length(rows as u16 + 2));
    let [pacer_area, pages_area, maps_area] =
        Layout::vertical([heights[0], heights[1], Constraint::Min(3)]).areas(side);
    let lines = heap_panel::lines(shown, heap.width - 2, heap.height.saturating_sub(2));
    draw_panel(frame, shown, "Heap", heap, lines);
    draw_panel(frame, shown, "Pacer", pacer_area, pacer);
    draw_panel(frame, shown, "Pages of 8 KiB", pages_area, pages);
    let maps = side_panels::maps(shown, inner, maps_area.height.saturating_sub(2));
    draw_panel(frame, shown, "Map", maps_area, maps);
}

fn draw_panel(frame: &mut Frame, shown: &Shown, title: &'static str, area: Rect, lines: Vec<Line<'static>>) {
    let block = Block::bordered().title(Span::styled(format!(" {title} "), shown.strong()));
    frame.render_widget(Paragraph::new(lines).block(block.border_style(shown.quiet())), area);
}

/// Two texts at the ends of a line; the left one is cut if there is not room for both.
fn ends(left: &str, right: &str, width: u16) -> String {
    let room = usize::from(width).saturating_sub(right.chars().count() + 1);
    let left = cut(left, room);
    let gap = usize::from(width).saturating_sub(left.chars().count() + right.chars().count());
    format!("{left}{}{right}", " ".repeat(gap))
}

/// A text of at most `width` characters; an ellipsis stands for the rest.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let head: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{head}…")
}

fn title_line(shown: &Shown, width: u16) -> Line<'static> {
    let StepAnswer { name, title, go, gogc_percent, factor, .. } = shown.watched;
    let gogc = gogc_percent.map_or_else(|| "off".to_owned(), |percent| percent.to_string());
    let small = if *factor > 1 { format!("1:{factor}  ") } else { String::new() };
    let right = format!("{small}Go {go}  GOGC {gogc} ");
    Line::styled(
        ends(&format!(" {name}: {title}"), &right, width),
        Style::new().add_modifier(Modifier::REVERSED),
    )
}

fn progress_line(shown: &Shown, width: u16) -> Line<'static> {
    let (at, last) = (shown.watched.at, shown.watched.events.len() - 1);
    let play = if shown.viewer.playing == Playing::Yes { "  playing" } else { "" };
    let count = format!(" event {at} of {last}{play} ");
    let phase = match shown.watched.picture.phase {
        "marking" => " MARKING, write barrier on ",
        "sweeping" => " SWEEPING ",
        _ => " no cycle ",
    };
    let room = usize::from(width).saturating_sub(count.chars().count() + phase.chars().count());
    let done = (room * at).checked_div(last).unwrap_or(room);
    let style = match shown.watched.picture.phase {
        "idle" => shown.quiet(),
        _ => shown.strong(),
    };
    Line::from(vec![
        Span::raw(count),
        Span::raw("━".repeat(done)),
        Span::styled("─".repeat(room - done), shown.quiet()),
        Span::styled(phase, style),
    ])
}

fn key_line(width: u16) -> String {
    let long = " ←/→ step   n/p phase   space play   Home/End   PgUp/PgDn ten   ? help   q quit";
    let short = " ←/→ step  n/p phase  space play  ? help  q quit";
    if usize::from(width) >= long.chars().count() { long.to_owned() } else { short.to_owned() }
}

const HELP: [&str; 14] = [
    "→ ←          one event forward, back",
    "PgDn PgUp    ten events",
    "Home End     the first, the last",
    "n p          next, previous phase of the collector",
    "space        play, pause",
    "q            quit",
    "",
    "○ white      not found yet",
    "◐ grey       found, to be looked at",
    "● black      looked at, survives",
    "✕ dead       not found, to be swept",
    "∙            no cycle is running",
    "▸            what the sentence is about",
    "any key goes back",
];

fn draw_help(frame: &mut Frame) {
    let (width, height) = (54, HELP.len() as u16 + 2);
    let area = frame.area();
    let area =
        area.centered(Constraint::Length(width.min(area.width)), Constraint::Length(height.min(area.height)));
    frame.render_widget(Clear, area);
    let lines: Vec<Line> = HELP.iter().map(|line| Line::raw(format!(" {line}"))).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Keys and signs ")), area);
}

#[cfg(test)]
mod tests;
