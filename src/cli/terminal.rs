//! Where output goes, and whether it may be coloured.

use std::io::{BufRead, IsTerminal, Write};

/// Whether a stream shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// A terminal that nobody asked to be plain.
    On,
    /// A file, a pipe, `NO_COLOR`, or a terminal that cannot.
    Off,
}

fn colour(is_terminal: bool) -> Colour {
    // https://no-color.org: set and not empty.
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if is_terminal && !refused { Colour::On } else { Colour::Off }
}

pub(super) fn stdout_colour() -> Colour {
    colour(std::io::stdout().is_terminal())
}

pub(super) fn stderr_colour() -> Colour {
    colour(std::io::stderr().is_terminal())
}

/// Writes to stdout. A reader that has gone away (`| head`) is no error.
pub(super) fn to_stdout(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes to stderr.
pub(super) fn to_stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether stderr is a terminal, where a bar can move.
pub(super) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether there is a terminal to draw on and somebody at its keyboard.
pub(super) fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Whether somebody can be asked.
pub(super) fn stdin_is_terminal() -> bool {
    std::io::stdin().is_terminal()
}

/// A line from stdin without white space around it; `None` at its end.
pub(super) fn typed_line() -> Option<String> {
    let mut line = String::new();
    let bytes = std::io::stdin().lock().read_line(&mut line).ok()?;
    (bytes > 0).then(|| line.trim().to_owned())
}
