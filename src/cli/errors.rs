//! What can go wrong at the command line, and how it is told.

use std::fmt::{self, Write};
use std::path::PathBuf;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, NamedSource, SourceCode,
    SourceSpan, SpanContents,
};

use super::terminal::Colour;
use crate::calibrate::CalibrationError;
use crate::lesson::LessonMistakes;
use crate::oracle::report::SavedError;
use crate::oracle::{OracleError, RealRunError, ToolchainError};
use crate::scenario::{Mistake, Mistakes, RunError};

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The file is wrong.
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
    /// The files of a lesson are wrong.
    #[error(transparent)]
    Lesson(LessonMistakes),
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: std::io::Error },
    /// Recorded cycles cannot be replayed.
    #[error(transparent)]
    Pacer(#[from] super::pacer::PacerError),
    /// The result cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: std::io::Error },
    /// A combination of flags that makes no sense, or anything else the user can change.
    #[error("{message}")]
    Usage { message: String, accepted: String },
    /// The simulation could not be finished.
    #[error("the run with GOGC={gogc} stopped: {error}")]
    Run { gogc: String, error: RunError },
    /// Real Go could not be asked.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// This machine could not be measured.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// Reports of an earlier command cannot be used.
    #[error(transparent)]
    Saved(#[from] SavedError),
    /// Real Go says otherwise.
    #[error("{missed} exact metric{} beyond the tolerance", if *missed == 1 { " is" } else { "s are" })]
    Unfaithful { missed: usize },
    /// The picture could not be drawn.
    #[error("cannot draw {}: {reason}", path.display())]
    Chart { path: PathBuf, reason: String },
}

impl CliError {
    /// 2 when the user can do something about it, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Mistakes(_)
            | CliError::Lesson(_)
            | CliError::Read { .. }
            | CliError::Write { .. }
            | CliError::Pacer(_)
            | CliError::Usage { .. } => 2,
            CliError::Saved(_) => 2,
            CliError::Oracle(error) => oracle_exit_code(error),
            CliError::Calibration(error) => match error {
                CalibrationError::Toolchain(_) | CalibrationError::Write { .. } => 2,
                CalibrationError::Interrupted => 130,
                CalibrationError::Program { .. } => 1,
            },
            CliError::Run { .. } | CliError::Chart { .. } | CliError::Unfaithful { .. } => 1,
        }
    }
}

/// A toolchain can be replaced and a time-out raised; a program that fails cannot be helped from outside. 130 is what a
/// shell says after Ctrl-C.
fn oracle_exit_code(error: &OracleError) -> u8 {
    match error {
        OracleError::Toolchain(_)
        | OracleError::Folder { .. }
        | OracleError::Result(_)
        | OracleError::RealRun { error: RealRunError::TimedOut(_) | RealRunError::TooLarge(_), .. } => 2,
        OracleError::Interrupted => 130,
        OracleError::RealRun { .. } | OracleError::Simulation { .. } | OracleError::Unwritable { .. } => 1,
    }
}

/// What would do instead, where the message does not say it.
fn accepted(error: &CliError) -> Option<&'static str> {
    match error {
        CliError::Oracle(OracleError::Toolchain(error))
        | CliError::Calibration(CalibrationError::Toolchain(error)) => accepted_toolchain(error),
        CliError::Oracle(OracleError::RealRun { error: RealRunError::TimedOut(_), .. }) => {
            Some("a longer --timeout, such as 10m")
        }
        _ => None,
    }
}

fn accepted_toolchain(error: &ToolchainError) -> Option<&'static str> {
    match error {
        ToolchainError::NotThere { .. } | ToolchainError::NotGo { .. } => Some(
            "the go command of an installed Go 1.21 or later, such as /usr/local/go/bin/go, or the folder it was \
             installed in",
        ),
        _ => None,
    }
}

/// The whole message, ending in a line end.
pub(super) fn render(error: &CliError, colour: Colour) -> String {
    match error {
        CliError::Mistakes(mistakes) => render_mistakes(mistakes, colour),
        CliError::Lesson(mistakes) => {
            mistakes.files.iter().map(|mistakes| render_mistakes(mistakes, colour)).collect()
        }
        CliError::Usage { message, accepted } => format!("error: {message}\n  accepted: {accepted}\n"),
        other => match accepted(other) {
            Some(accepted) => format!("error: {other}\n  accepted: {accepted}\n"),
            None => format!("error: {other}\n"),
        },
    }
}

/// Every mistake with its line and a caret, then how many there are.
pub(super) fn render_mistakes(mistakes: &Mistakes, colour: Colour) -> String {
    let theme = match colour {
        Colour::On => GraphicalTheme::unicode(),
        Colour::Off => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_context_lines(1);
    let source = Line(NamedSource::new(&mistakes.name, mistakes.text.clone()));
    let mut text = String::new();
    for mistake in &mistakes.list {
        let report = Report { mistake, source: &source };
        handler.render_report(&mut text, &report).expect("writing to a String");
        text.push('\n');
    }
    let _ = writeln!(text, "{mistakes}; nothing was run");
    text
}

/// A file of which only the line in question is shown, whole and without its neighbours.
#[derive(Debug)]
struct Line(NamedSource<String>);

impl SourceCode for Line {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        if lines_before + lines_after == 0 {
            // The place of the span itself: line and column.
            return self.0.read_span(span, 0, 0);
        }
        let text = self.0.inner();
        let start = text[..span.offset()].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[span.offset()..].find('\n').map_or(text.len(), |newline| span.offset() + newline);
        let length = (end - start).max(span.offset() + span.len() - start).min(text.len() - start);
        self.0.read_span(&(start, length).into(), 0, 0)
    }
}

/// A mistake as miette wants it.
#[derive(Debug)]
struct Report<'m> {
    mistake: &'m Mistake,
    source: &'m Line,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mistake.fmt(f)
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = &self.mistake.span;
        // A long value is marked at its first line only: the rest is not what is wrong.
        let text = self.source.0.inner().get(span.clone()).unwrap_or("");
        let length = text.lines().next().unwrap_or("").len().max(1);
        // An end of file has no character to stand under.
        let start = span.start.min(self.source.0.inner().len().saturating_sub(1));
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(
            Some("here".to_owned()),
            (start, length),
        ))))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistake.accepted.as_ref().map(|accepted| Box::new(accepted) as Box<dyn fmt::Display>)
    }
}
