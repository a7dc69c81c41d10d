//! Frames at telling moments, and what must be true of any.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::*;
use crate::lab::glass;
use crate::lesson::Language;
use crate::scenario::Scenario;

fn watched(name: &str, at: usize) -> StepAnswer {
    let programs = glass::programs();
    let (_, text) = programs.iter().find(|(known, _)| *known == name).expect("a program");
    let scenario = Scenario::parse(&format!("{name}.toml"), text).expect("no mistakes");
    let settings = scenario.settings();
    glass::watch(&scenario, &settings, at, Language::English).expect("it can be watched")
}

/// The run after the first event that satisfies `wanted`.
fn at_first(name: &str, wanted: impl Fn(&str) -> bool) -> StepAnswer {
    let all = watched(name, 0);
    let at = all.events.iter().position(|told| wanted(&told.sentence)).expect("it happens");
    watched(name, at)
}

fn drawn(watched: &StepAnswer, viewer: Viewer, colour: Colour, columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a buffer");
    let shown = Shown { watched, viewer, colour };
    terminal.draw(|frame| draw(frame, &shown)).expect("drawn");
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let columns = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(columns).map(|row| {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn screen(watched: &StepAnswer) -> String {
    text(&drawn(watched, Viewer::default(), Colour::On, 80, 24))
}

#[test]
fn marking() {
    insta::assert_snapshot!(screen(
        &at_first("1-mark-and-sweep", |said| said.contains("is looked at and is black"))
    ));
}

#[test]
fn write_barrier() {
    insta::assert_snapshot!(
        screen(&at_first("2-write-barrier", |said| said.contains("must not stay white")))
    );
}

#[test]
fn map_delete() {
    insta::assert_snapshot!(screen(&at_first("3-map-slots", |said| said.starts_with("delete(m, 3)"))));
}

#[test]
fn sweeping() {
    insta::assert_snapshot!(screen(&at_first("5-pages", |said| said.contains("nothing in it lives"))));
}

#[test]
fn help_lies_over_the_screen() {
    let watched = watched("4-pacer", 20);
    let viewer = Viewer { help: Help::Shown, ..Viewer::default() };
    insta::assert_snapshot!(text(&drawn(&watched, viewer, Colour::On, 80, 24)));
}

#[test]
fn forward_and_back_is_the_same_screen() {
    for (name, _) in glass::programs() {
        let last = watched(name, 0).events.len() - 1;
        let there: Vec<String> = (0..=last).map(|at| screen(&watched(name, at))).collect();
        for at in (0..=last).rev() {
            assert_eq!(screen(&watched(name, at)), there[at], "{name}, event {at}");
        }
    }
}

#[test]
fn colours_differ_and_signs_do_without_them() {
    let watched = at_first("2-write-barrier", |said| said.contains("must not stay white"));
    let coloured = drawn(&watched, Viewer::default(), Colour::On, 80, 24);
    let plain = drawn(&watched, Viewer::default(), Colour::Off, 80, 24);
    assert_eq!(text(&coloured), text(&plain));
    let styles = |buffer: &Buffer, sign: &str| -> Vec<(Color, Color)> {
        let cells = buffer.content.iter().filter(|cell| cell.symbol() == sign);
        cells.map(|cell| (cell.fg, cell.bg)).collect()
    };
    for sign in ["○", "◐", "●"] {
        assert!(!styles(&coloured, sign).is_empty(), "{sign} is shown");
        assert!(styles(&coloured, sign).iter().all(|style| *style != (Color::Reset, Color::Reset)));
    }
    assert!(plain.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
}

#[test]
fn any_size_can_be_drawn_on() {
    let watched = at_first("3-map-slots", |said| said.contains("had no room left"));
    for (columns, rows) in [(1, 1), (20, 5), (59, 13), (60, 14), (80, 24), (132, 43), (300, 100)] {
        let text = text(&drawn(&watched, Viewer::default(), Colour::On, columns, rows));
        if (columns, rows) >= (60, 14) {
            for part in ["had no room left", "Heap", "Pacer", "Pages of 8 KiB", "Map"] {
                assert!(text.contains(part), "{part} at {columns} x {rows}:\n{text}");
            }
        }
    }
}

#[test]
fn what_the_sentence_is_about_is_in_sight() {
    let scenario = Scenario::parse(
        "many.toml",
        "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nvars = { s = \"[]*[64]byte\" }\n\
         steps = [ { alloc = { into = \"s\", count = 140, shape = \"slice\" } } ]",
    )
    .expect("no mistakes");
    let settings = scenario.settings();
    let last =
        glass::watch(&scenario, &settings, usize::MAX, Language::English).expect("watched").events.len();
    for at in (0..last).step_by(7) {
        let watched = glass::watch(&scenario, &settings, at, Language::English).expect("watched");
        let named = watched.events[watched.at].event.objects();
        let exists = |name: &&str| watched.picture.objects.iter().any(|object| object.name == **name);
        if let Some(name) = named.iter().find(|name| exists(name)) {
            let text = screen(&watched);
            assert!(text.contains('▸'), "{name} at event {at}:\n{text}");
        }
    }
}
