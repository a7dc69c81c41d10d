//! How far a sweep is: a bar with the time left on a terminal, a line every twentieth in a pipe.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::super::terminal::{self, Colour};

/// Lines of a whole sweep in a pipe.
const LINES: u64 = 20;

/// Progress over the runs.
pub(super) enum Progress {
    Lines(Mutex<Lines>),
    Bar(ProgressBar),
}

/// What is known between two lines.
pub(super) struct Lines {
    start: Instant,
    done_before: u64,
    done: u64,
    of: u64,
}

impl Progress {
    pub fn new() -> Progress {
        if !terminal::stderr_is_terminal() {
            return Progress::Lines(Mutex::new(Lines {
                start: Instant::now(),
                done_before: 0,
                done: 0,
                of: 0,
            }));
        }
        let bar = ProgressBar::new(0);
        let template = match terminal::stderr_colour() {
            Colour::On => "{bar:30.cyan} {pos}/{len} runs, {per_sec}, {eta} left",
            Colour::Off => "{bar:30} {pos}/{len} runs, {per_sec}, {eta} left",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress::Bar(bar)
    }

    /// So many rows are there already.
    pub fn begins(&self, done: u64, of: u64) {
        match self {
            Progress::Lines(lines) => {
                if done > 0 {
                    terminal::to_stderr(&format!("{done} of {of} runs are there already\n"));
                }
                let begun = Lines { start: Instant::now(), done_before: done, done, of };
                *lines.lock().expect("nobody panics with it") = begun;
            }
            Progress::Bar(bar) => {
                bar.set_length(of);
                bar.set_position(done);
                // What was done before says nothing about how long the rest takes.
                bar.reset_eta();
            }
        }
    }

    /// A run has ended.
    pub fn done(&self) {
        match self {
            Progress::Lines(lines) => {
                let mut lines = lines.lock().expect("nobody panics with it");
                lines.done += 1;
                if let Some(line) = lines.line() {
                    terminal::to_stderr(&line);
                }
            }
            Progress::Bar(bar) => bar.inc(1),
        }
    }

    pub fn finish(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    /// A line if a further twentieth is done.
    fn line(&self) -> Option<String> {
        let twentieth = |done: u64| done * LINES / self.of.max(1);
        if twentieth(self.done) == twentieth(self.done - 1) {
            return None;
        }
        let ran = (self.done - self.done_before) as f64;
        let left = self.start.elapsed().mul_f64((self.of - self.done) as f64 / ran);
        let left = match left.as_secs() {
            0 if self.done == self.of => String::new(),
            seconds => format!(", about {} s left", seconds + 1),
        };
        Some(format!("ran {} of {} runs ({} %{left})\n", self.done, self.of, self.done * 100 / self.of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_twenty_lines_at_most() {
        let mut lines = Lines { start: Instant::now(), done_before: 0, done: 0, of: 1000 };
        let mut said = Vec::new();
        for done in 1..=1000 {
            lines.done = done;
            said.extend(lines.line());
        }
        assert_eq!(said.len(), 20);
        assert!(said[0].starts_with("ran 50 of 1000 runs (5 %"), "{}", said[0]);
        assert!(said[19].starts_with("ran 1000 of 1000 runs (100 %)"), "{}", said[19]);
    }
}
