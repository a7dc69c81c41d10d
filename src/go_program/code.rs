//! Go source as it grows: lines with the indentation that gofmt gives them.

use std::fmt::Write;

/// Lines of Go.
#[derive(Clone, Debug, Default)]
pub(super) struct Code {
    text: String,
    depth: usize,
}

impl Code {
    /// Lines inside a function's body.
    pub(super) fn body() -> Code {
        Code { text: String::new(), depth: 1 }
    }

    /// One line; an empty one is not indented.
    pub(super) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            (0..self.depth).for_each(|_| self.text.push('\t'));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// A line that opens a block, such as `for {`.
    pub(super) fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    /// The end of the block that was opened last.
    pub(super) fn close(&mut self, line: &str) {
        self.depth -= 1;
        self.line(line);
    }

    /// A line between two parts of a block, such as `} else {` or `default:`.
    pub(super) fn between(&mut self, line: &str) {
        self.close(line);
        self.depth += 1;
    }

    /// The end of a `case`, which has no line of its own.
    pub(super) fn end_case(&mut self) {
        self.depth -= 1;
    }

    /// What was written.
    pub(super) fn text(self) -> String {
        self.text
    }
}

/// Names and their types in two columns, as gofmt lays out struct fields and variables.
pub(super) fn columns(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, go_type) in rows {
        let _ = writeln!(text, "\t{name:width$} {go_type}");
    }
    text
}

/// A text in Go's quotes. What is not a letter, sign or space becomes a space: labels are for people.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A number with its digits in groups of three, as Go allows: `1_000_000`. Up to four digits stay together.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() <= 4 {
        return digits;
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// A size in an expression that needs no spaces: `4<<30`, or the number.
pub(super) fn size(bytes: u64) -> String {
    for shift in [30, 20, 10] {
        if bytes >= 1 << shift && bytes.trailing_zeros() >= shift {
            return format!("{}<<{shift}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// A size as the only argument of a call, where gofmt puts spaces: `64 << 20`.
pub(super) fn spaced_size(bytes: u64) -> String {
    size(bytes).replace("<<", " << ")
}

/// Text in lines of a comment, at most about 100 characters each.
pub(super) fn comment(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = String::new();
    let mut line = String::from("//");
    for word in text.split_whitespace() {
        if line.len() > 2 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("//");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sizes_and_texts_are_go() {
        assert_eq!(
            [0, 999, 1_000, 10_000, 1_000_000].map(grouped),
            ["0", "999", "1000", "10_000", "1_000_000"]
        );
        assert_eq!([100, 2048, 3 << 20, 4 << 30].map(size), ["100", "2<<10", "3<<20", "4<<30"]);
        assert_eq!(quoted("a \"b\" \\ \n"), r#""a \"b\" \\  ""#);
        assert!(
            comment(&"word ".repeat(60)).lines().all(|line| line.len() <= 100 && line.starts_with("// word"))
        );
    }

    #[test]
    fn columns_are_as_wide_as_the_widest_name() {
        let rows = [("a", "int"), ("long", "[]byte")].map(|(name, t)| (name.to_owned(), t.to_owned()));
        assert_eq!(columns(&rows), "\ta    int\n\tlong []byte\n");
    }
}
