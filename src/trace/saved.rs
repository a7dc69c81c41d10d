//! Saved traces: recordings as text, and back.
//!
//! **Format.** One JSON object: `format` is `"gclab trace"`, `version` a number, `runs` a list of recordings with the field names of
//! [`Recording`]; lengths of time in nanoseconds, sizes in bytes. Version [`VERSION`] is the only one there is. Numbers are
//! written so that reading gives the same bits, and the same recordings give the same bytes.

use serde::{Deserialize, Serialize};

use super::Recording;

/// What the file says it is.
const FORMAT: &str = "gclab trace";
/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Why a text is no saved trace.
#[derive(Debug, thiserror::Error)]
pub enum SavedTraceError {
    /// It is not JSON, or a field is missing or of the wrong kind.
    #[error("line {line}, column {column}: {reason}")]
    Broken {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// It is something else.
    #[error("this is no trace: its \"format\" is {format:?}; accepted: {FORMAT:?}")]
    OtherFormat {
        /// What it says it is.
        format: String,
    },
    /// It was written by another gclab.
    #[error("\"version\" is {version}; accepted: {VERSION}")]
    OtherVersion {
        /// The version it has.
        version: u32,
    },
    /// There is nothing in it.
    #[error("\"runs\" is empty; accepted: at least one run")]
    Empty,
}

/// The head of a file, read first so that another version is not taken for a broken file.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[derive(Serialize)]
struct Written<'r> {
    format: &'static str,
    version: u32,
    runs: &'r [Recording],
}

#[derive(Deserialize)]
struct Read {
    runs: Vec<Recording>,
}

/// Recordings as text, with a line end.
pub fn to_text(runs: &[Recording]) -> String {
    let written = Written { format: FORMAT, version: VERSION, runs };
    let mut text = serde_json::to_string(&written).expect("numbers and texts are JSON");
    text.push('\n');
    text
}

/// Recordings from text.
///
/// # Errors
/// [`SavedTraceError`], which says what is wrong and what is accepted.
pub fn from_text(text: &str) -> Result<Vec<Recording>, SavedTraceError> {
    let head: Head = serde_json::from_str(text).map_err(broken)?;
    if head.format != FORMAT {
        return Err(SavedTraceError::OtherFormat { format: head.format });
    }
    if head.version != VERSION {
        return Err(SavedTraceError::OtherVersion { version: head.version });
    }
    let read: Read = serde_json::from_str(text).map_err(broken)?;
    if read.runs.is_empty() {
        return Err(SavedTraceError::Empty);
    }
    Ok(read.runs)
}

fn broken(error: serde_json::Error) -> SavedTraceError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    // The place is told apart from the reason.
    let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
    SavedTraceError::Broken { line, column, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_trace_is_refused_with_the_reason() {
        let reason = |text: &str| from_text(text).unwrap_err().to_string();
        assert_eq!(
            reason("{\n  \"format\": 7}"),
            "line 2, column 13: invalid type: integer `7`, expected a string"
        );
        assert!(reason("").starts_with("line 1, column 0: EOF"), "{}", reason(""));
        assert!(reason(r#"{"format":"x","version":1}"#).contains("accepted: \"gclab trace\""));
        assert!(reason(r#"{"format":"gclab trace","version":2,"runs":[]}"#).contains("accepted: 1"));
        assert!(reason(r#"{"format":"gclab trace","version":1,"runs":[]}"#).contains("at least one run"));
        let text = r#"{"format":"gclab trace","version":1,"runs":[{"trace":{"name":"x"}}]}"#;
        assert!(reason(text).contains("missing field `title`"), "{}", reason(text));
    }
}
