//! The terminal while a run is stepped through: taken over, drawn on, and given back however it ends.

use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::Watch;
use super::frame::{self, Shown};
use super::viewer::{Course, Playing, Viewer};
use crate::cli::errors::CliError;
use crate::cli::terminal;
use crate::lab::glass::StepAnswer;

/// Time between two events while it plays.
const BEAT: Duration = Duration::from_millis(700);
/// What a shell says after Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Shows a run until the reader leaves it.
pub(super) fn show(watch: &Watch, first: StepAnswer) -> Result<(), CliError> {
    // A signal from outside must leave the terminal as it was, too; a panic does so by ratatui's own hook.
    let _ = ctrlc::set_handler(|| {
        ratatui::restore();
        std::process::exit(INTERRUPTED);
    });
    let mut terminal = ratatui::try_init().map_err(no_terminal)?;
    let end = walk(&mut terminal, watch, first);
    ratatui::restore();
    end
}

fn no_terminal(error: io::Error) -> CliError {
    CliError::Usage {
        message: format!("the terminal cannot be drawn on: {error}"),
        accepted: "--plain, which prints lines".to_owned(),
    }
}

fn walk(terminal: &mut DefaultTerminal, watch: &Watch, mut watched: StepAnswer) -> Result<(), CliError> {
    let colour = terminal::stdout_colour();
    let phases: Vec<usize> = watched
        .events
        .iter()
        .enumerate()
        .filter(|(_, told)| told.event.begins_phase())
        .map(|(number, _)| number)
        .collect();
    let course = Course { last: watched.events.len() - 1, phases: &phases };
    let mut viewer = Viewer { at: watched.at, ..Viewer::default() };
    loop {
        if watched.at != viewer.at {
            watched = watch.after(viewer.at)?;
        }
        let shown = Shown { watched: &watched, viewer, colour };
        terminal.draw(|canvas| frame::draw(canvas, &shown)).map_err(no_terminal)?;
        match next(viewer, course).map_err(no_terminal)? {
            ControlFlow::Continue(next) => viewer = next,
            ControlFlow::Break(()) => return Ok(()),
        }
    }
}

/// Waits for a key, a change of the window, or the next beat.
fn next(viewer: Viewer, course: Course<'_>) -> io::Result<ControlFlow<(), Viewer>> {
    let deadline = Instant::now() + BEAT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if viewer.playing == Playing::Yes && !event::poll(left)? {
            return Ok(ControlFlow::Continue(viewer.after_beat(course)));
        }
        match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                return Ok(viewer.after_key(key, course));
            }
            Event::Resize(..) => return Ok(ControlFlow::Continue(viewer)),
            _ => {}
        }
    }
}
