//! Mistakes in a scenario as a page shows them: the words of the command line, and the place to underline.

use serde::Serialize;

use crate::scenario::{Mistake, Mistakes};

/// Everything that is wrong with a scenario, in the order of the text.
#[derive(Debug, Serialize)]
pub(crate) struct MistakeList {
    /// `2 mistakes in x.toml`.
    pub message: String,
    /// The mistakes.
    pub list: Vec<PlacedMistake>,
}

/// One mistake and its place.
#[derive(Debug, Serialize)]
pub(crate) struct PlacedMistake {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// First character that is wrong, in UTF-16 units from the beginning: what a browser counts in.
    pub start: usize,
    /// One more than the last character that is wrong, in the same units.
    pub end: usize,
    /// What is wrong: the sentence that the command line prints.
    pub message: String,
    /// What would have been accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

impl From<&Mistakes> for MistakeList {
    fn from(mistakes: &Mistakes) -> MistakeList {
        let list = mistakes.list.iter().map(|mistake| placed(&mistakes.text, mistake)).collect();
        MistakeList { message: mistakes.to_string(), list }
    }
}

fn placed(text: &str, mistake: &Mistake) -> PlacedMistake {
    let (start, end) = (boundary(text, mistake.span.start), boundary(text, mistake.span.end));
    let (line, column) = line_and_column(text, start);
    PlacedMistake {
        line,
        column,
        start: utf16_len(&text[..start]),
        end: utf16_len(&text[..end.max(start)]),
        message: mistake.to_string(),
        accepted: mistake.accepted.clone(),
    }
}

/// The line and column of byte `at`, both from 1; columns are characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..boundary(text, at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The last place up to `at` between two characters of the text.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_readers_and_browsers_count_them() {
        let text = "a = 1\nb = \"\u{1F600}é\" x\n";
        let at = text.find('x').unwrap();
        assert_eq!(line_and_column(text, at), (2, 10));
        let mistake = Mistake {
            span: at..at + 1,
            key: "b".into(),
            value: "x".into(),
            reason: "is odd".into(),
            accepted: None,
        };
        let placed = placed(text, &mistake);
        assert_eq!((placed.start, placed.end, placed.message.as_str()), (16, 17, "b: is odd"));
        assert_eq!(line_and_column(text, 1000), (3, 1));
    }
}
