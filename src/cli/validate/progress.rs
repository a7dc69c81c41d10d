//! How far it is: a bar on a terminal, lines in a pipe.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::super::terminal::{self, Colour};

/// Progress over the cells.
pub(super) enum Progress {
    Lines,
    Bar(ProgressBar),
}

impl Progress {
    pub fn new(cells: usize) -> Progress {
        if !terminal::stderr_is_terminal() {
            return Progress::Lines;
        }
        let bar = ProgressBar::new(cells as u64);
        let template = match terminal::stderr_colour() {
            Colour::On => "{bar:24.cyan} {pos}/{len} cells {wide_msg}",
            Colour::Off => "{bar:24} {pos}/{len} cells {wide_msg}",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress::Bar(bar)
    }

    /// Something small happened.
    pub fn line(&self, what: &str) {
        match self {
            Progress::Lines => terminal::to_stderr(&format!("{what}\n")),
            Progress::Bar(bar) => bar.set_message(what.to_owned()),
        }
    }

    /// A cell is complete.
    pub fn done(&self, name: &str) {
        if let Progress::Bar(bar) = self {
            bar.inc(1);
            bar.set_message(name.to_owned());
        }
    }

    pub fn finish(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
