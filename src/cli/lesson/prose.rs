//! Texts of a lesson in lines that fit a terminal, in languages with and without spaces between words.
//!
//! A Chinese character takes two columns and a line may end behind any of them, except before a mark that closes a sentence or a
//! bracket. Everything else breaks at spaces only.

use std::fmt::Write;

use crate::cli::terminal::Colour;

/// The widest line in columns.
const WIDTH: usize = 88;
/// Columns before the text of a section.
const INDENT: usize = 2;
/// Marks that do not begin a line.
const CLOSING: &str = "，。；：、！？）」』》”’%";
/// Marks that do not end one.
const OPENING: &str = "（「『《“‘";

/// A text that grows section by section.
#[derive(Debug)]
pub(super) struct Prose {
    text: String,
    colour: Colour,
}

impl Prose {
    /// An empty text.
    pub fn new(colour: Colour) -> Prose {
        Prose { text: String::new(), colour }
    }

    /// The finished text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// A line that everything below belongs to.
    pub fn heading(&mut self, words: &str) {
        let rule = "=".repeat(columns(words));
        let _ = writeln!(self.text, "{}\n{rule}", self.bold(words));
    }

    /// A heading of a part, and the part.
    pub fn section(&mut self, heading: &str, words: &str) {
        let _ = writeln!(self.text, "\n{}", self.bold(heading));
        self.lines(words, "", INDENT);
    }

    /// A paragraph by itself.
    pub fn text(&mut self, words: &str) {
        self.text.push('\n');
        self.lines(words, "", INDENT);
    }

    /// A line that is copied as it is, however long.
    pub fn command(&mut self, line: &str) {
        let _ = writeln!(self.text, "\n{}{line}", " ".repeat(INDENT));
    }

    /// A paragraph behind a mark: a letter, a number, a dash.
    pub fn item(&mut self, mark: &str, words: &str) {
        let mark = format!("{mark}  ");
        self.lines(words, &mark, INDENT);
    }

    /// Labels and numbers, the numbers to the right.
    pub fn table<'r>(&mut self, heading: &str, rows: impl Iterator<Item = (&'r str, &'r str)> + Clone) {
        let labels = rows.clone().map(|(label, _)| columns(label)).max().unwrap_or(0);
        let numbers = rows.clone().map(|(_, number)| columns(number)).max().unwrap_or(0);
        let _ = writeln!(self.text, "\n{}", self.bold(heading));
        for (label, number) in rows {
            let gap = " ".repeat(labels - columns(label) + 2 + numbers - columns(number));
            let _ = writeln!(self.text, "{}{label}{gap}{number}", " ".repeat(INDENT));
        }
    }

    fn bold(&self, words: &str) -> String {
        match self.colour {
            Colour::On => format!("\u{1b}[1m{words}\u{1b}[0m"),
            Colour::Off => words.to_owned(),
        }
    }

    /// Appends `words`; their own line ends are kept. `mark` stands before the first line, spaces before the others.
    fn lines(&mut self, words: &str, mark: &str, indent: usize) {
        let spaces = " ".repeat(columns(mark));
        let mut lead = mark;
        for paragraph in words.lines() {
            for line in wrapped(paragraph, WIDTH - indent - columns(mark)) {
                let _ = writeln!(self.text, "{}", format!("{}{lead}{line}", " ".repeat(indent)).trim_end());
                lead = &spaces;
            }
        }
    }
}

/// Columns that `text` takes in a terminal.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Chinese characters and their punctuation. Of the general punctuation, only what Chinese fonts draw wide is in this range.
fn is_wide(c: char) -> bool {
    ('\u{2e80}'..='\u{ffef}').contains(&c)
}

/// Lines of at most `width` columns. A word that is longer stands alone. An empty paragraph is one empty line.
fn wrapped(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(paragraph) {
        let line = lines.last_mut().expect("there is a line");
        if line.is_empty() || columns(line) + columns(piece.trim_end()) <= width {
            line.push_str(piece);
        } else {
            line.truncate(line.trim_end().len());
            lines.push(piece.to_owned());
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The pieces of a paragraph between which a line may end, spaces at their ends.
fn pieces(paragraph: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut characters = paragraph.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let Some(&(next_at, next)) = characters.peek() else { break };
        let breaks = match c {
            // `code` stays whole.
            _ if paragraph[..next_at].matches('`').count() % 2 == 1 => false,
            ' ' => next != ' ' && !is_unit_of_number(&paragraph[..at], &paragraph[next_at..]),
            _ if next == ' ' || CLOSING.contains(next) || OPENING.contains(c) => false,
            _ => is_wide(c) || is_wide(next),
        };
        if breaks {
            pieces.push(&paragraph[start..next_at]);
            start = next_at;
        }
    }
    pieces.push(&paragraph[start..]);
    pieces
}

/// A number and its unit stay together, and so do Go and its release.
fn is_unit_of_number(before: &str, after: &str) -> bool {
    const UNITS: [&str; 8] = ["B", "KiB", "MiB", "GiB", "ns", "µs", "ms", "s"];
    let word =
        after.split(|c: char| !c.is_alphabetic() || is_wide(c)).next().expect("a text has a beginning");
    let number = before.ends_with(|c: char| c.is_ascii_digit()) && UNITS.contains(&word);
    number || (before.ends_with("Go") && after.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_lines_fit() {
        let text = "delete empties a slot and never shrinks the map";
        assert_eq!(wrapped(text, 20), ["delete empties a", "slot and never", "shrinks the map"]);
        assert_eq!(wrapped("averyveryverylongword x", 5), ["averyveryverylongword", "x"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("it was 38.4 MiB", 12), ["it was", "38.4 MiB"]);
        assert_eq!(wrapped("since Go 1.24", 10), ["since", "Go 1.24"]);
        assert_eq!(wrapped("Now `m = nil`, and", 8), ["Now", "`m = nil`,", "and"]);
    }

    #[test]
    fn chinese_breaks_between_characters_but_not_before_a_full_stop() {
        assert_eq!(columns("堆 GC"), 5);
        assert_eq!(wrapped("桶数组是一个对象。", 8), ["桶数组是", "一个对", "象。"]);
        assert_eq!(wrapped("调用 runtime.GC() 之后", 16), ["调用", "runtime.GC() 之", "后"]);
        let text = "删除只会清空槽位，桶数组还是同一个对象（一直可达），所以堆不会变小。";
        for width in 8..40 {
            let lines = wrapped(text, width);
            assert_eq!(lines.concat(), text);
            for line in &lines {
                assert!(columns(line) <= width, "{width}: {line}");
                assert!(!line.starts_with(|c| CLOSING.contains(c)), "{line}");
                assert!(!line.ends_with(|c| OPENING.contains(c)), "{line}");
            }
        }
    }

    #[test]
    fn numbers_stand_to_the_right() {
        let mut prose = Prose::new(Colour::Off);
        prose.table("数字", [("插入后", "38.3 MiB"), ("HeapAlloc", "0 B")].into_iter());
        assert_eq!(prose.into_text(), "\n数字\n  插入后     38.3 MiB\n  HeapAlloc       0 B\n");
    }
}
