//! Reading a TOML document value by value, with spans and key paths, gathering mistakes instead of stopping at one.
//!
//! `toml` parses the text into a tree whose every key and value knows its place. The accessors here turn one value
//! into what a step needs; a value of the wrong kind is noted in the [`Log`] and read as `None`.

use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Log, suggestion};
use crate::units::{Bytes, Nanos};

/// A value of the document and the path of keys that leads to it.
#[derive(Clone, Debug)]
pub(crate) struct Node<'d> {
    pub value: &'d DeValue<'d>,
    pub span: Range<usize>,
    pub path: String,
}

/// A table whose keys are taken one by one; [`Table::finish`] reports those that nobody asked for.
#[derive(Debug)]
pub(crate) struct Table<'d> {
    entries: Vec<Entry<'d>>,
    known: Vec<&'static str>,
    pub span: Range<usize>,
    pub path: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry<'d> {
    pub name: String,
    pub name_span: Range<usize>,
    pub node: Node<'d>,
}

impl<'d> Table<'d> {
    /// Wraps a parsed table; entries come in the order of the text.
    pub fn new(table: &'d DeTable<'d>, span: Range<usize>, path: &str) -> Table<'d> {
        let mut entries: Vec<Entry<'d>> = table
            .iter()
            .map(|(name, value)| Entry {
                name: name.get_ref().to_string(),
                name_span: name.span(),
                node: Node::new(value, join(path, name.get_ref())),
            })
            .collect();
        entries.sort_by_key(|entry| entry.name_span.start);
        Table { entries, known: Vec::new(), span, path: path.to_owned() }
    }

    /// The value of `key`, if it is there. The key counts as known from now on.
    pub fn take(&mut self, key: &'static str) -> Option<Node<'d>> {
        self.known.push(key);
        let at = self.entries.iter().position(|entry| entry.name == key)?;
        Some(self.entries.remove(at).node)
    }

    /// The value of `key`; its absence is a mistake.
    pub fn need(&mut self, key: &'static str, accepted: &str, log: &mut Log) -> Option<Node<'d>> {
        let found = self.take(key);
        // A misspelt key is reported as unknown, with the right one: do not also call it missing.
        if found.is_none()
            && super::mistake::nearest(key, self.entries.iter().map(|e| e.name.as_str())).is_none()
        {
            log.report(self.span.clone(), &self.path, format!("\"{key}\" is missing"), accepted);
        }
        found
    }

    /// Reports every key that was not taken.
    pub fn finish(self, log: &mut Log) {
        for entry in &self.entries {
            let reason = format!("unknown key \"{}\"", entry.name);
            let accepted = suggestion(&entry.name, self.known.iter().copied());
            log.report(entry.name_span.clone(), &entry.node.path, reason, &accepted);
        }
    }

    /// Whether nothing is left that was not taken.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries themselves, for tables whose keys are the user's own names.
    pub fn into_entries(self) -> Vec<Entry<'d>> {
        self.entries
    }
}

impl<'d> Node<'d> {
    pub fn new(value: &'d Spanned<DeValue<'d>>, path: String) -> Node<'d> {
        Node { value: value.get_ref(), span: value.span(), path }
    }

    /// Notes that this value is wrong.
    pub fn wrong(&self, reason: impl Into<String>, accepted: &str, log: &mut Log) {
        log.report(self.span.clone(), &self.path, reason, accepted);
    }

    /// Notes that this value is of the wrong kind.
    pub fn wrong_kind(&self, accepted: &str, log: &mut Log) {
        self.wrong(format!("{} does not fit here", kind_name(self.value)), accepted, log);
    }

    /// The text of a string value, without a mistake if it is something else.
    pub fn as_text(&self) -> Option<&'d str> {
        match self.value {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    pub fn text(&self, accepted: &str, log: &mut Log) -> Option<&'d str> {
        let text = self.as_text();
        if text.is_none() {
            self.wrong_kind(accepted, log);
        }
        text
    }

    pub fn table(&self, accepted: &str, log: &mut Log) -> Option<Table<'d>> {
        match self.value {
            DeValue::Table(table) => Some(Table::new(table, self.span.clone(), &self.path)),
            _ => {
                self.wrong_kind(accepted, log);
                None
            }
        }
    }

    pub fn array(&self, accepted: &str, log: &mut Log) -> Option<Vec<Node<'d>>> {
        match self.value {
            DeValue::Array(array) => Some(
                array
                    .iter()
                    .enumerate()
                    .map(|(index, value)| Node::new(value, format!("{}[{index}]", self.path)))
                    .collect(),
            ),
            _ => {
                self.wrong_kind(accepted, log);
                None
            }
        }
    }

    /// A whole number from `range`.
    pub fn whole(&self, range: std::ops::RangeInclusive<u64>, log: &mut Log) -> Option<u64> {
        let accepted =
            format!("a whole number from {} to {}", grouped(*range.start()), grouped(*range.end()));
        let DeValue::Integer(integer) = self.value else {
            self.wrong_kind(&accepted, log);
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let fits = number.and_then(|n| u64::try_from(n).ok()).filter(|n| range.contains(n));
        if fits.is_none() {
            let reason = if number.is_some_and(|n| n < 0) { "is negative" } else { "is out of range" };
            self.wrong(format!("{} {reason}", integer.as_str()), &accepted, log);
        }
        fits
    }

    /// A number, whole or not, from `low` (exclusive) to `high`.
    pub fn number(&self, low: f64, high: f64, log: &mut Log) -> Option<f64> {
        let number = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => None,
        };
        let fits = number.filter(|n| *n > low && *n <= high);
        if fits.is_none() {
            self.wrong("not a number in range", &format!("a number above {low} and up to {high}"), log);
        }
        fits
    }

    /// A size such as `"64MiB"`, or a whole number of bytes, of `range`.
    pub fn bytes(&self, range: std::ops::RangeInclusive<u64>, log: &mut Log) -> Option<u64> {
        let text = self.measure("a size such as \"64MiB\"", log)?;
        let bytes = self.parsed::<Bytes>(&text, log)?.0;
        if !range.contains(&bytes) {
            let reason = format!("a size of {} is out of range", Bytes(bytes));
            let accepted = format!("{} to {}", Bytes(*range.start()), Bytes(*range.end()));
            self.wrong(reason, &accepted, log);
            return None;
        }
        Some(bytes)
    }

    /// A duration such as `"250ms"`, up to `longest_ns`.
    pub fn nanos(&self, longest_ns: u64, log: &mut Log) -> Option<u64> {
        let text = self.text("a duration such as \"250ms\" or \"6m\"", log)?;
        let ns = self.parsed::<Nanos>(text, log)?.0;
        if ns > longest_ns {
            let accepted = format!("up to {}", Nanos(longest_ns));
            self.wrong(format!("{text} is longer than a scenario may last"), &accepted, log);
            return None;
        }
        Some(ns)
    }

    /// One of the named choices.
    pub fn choice<T: Copy>(&self, choices: &[(&'static str, T)], log: &mut Log) -> Option<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        let text = self.text(&suggestion("", names()), log)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            self.wrong(format!("\"{text}\" is not a choice"), &suggestion(text, names()), log);
        }
        found
    }

    /// A value that its own `FromStr` understands and whose error says what it would accept.
    pub fn parsed<T: FromStr>(&self, text: &str, log: &mut Log) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let message = error.to_string();
                // "x is not a size: ...": the part behind the colon or semicolon is what would be accepted.
                let (reason, accepted) = message
                    .split_once("; accepted: ")
                    .or_else(|| message.split_once(": "))
                    .unwrap_or((&message, ""));
                self.wrong(reason, accepted, log);
                None
            }
        }
    }

    /// The text of a string, or of a whole number that is not negative.
    fn measure(&self, accepted: &str, log: &mut Log) -> Option<String> {
        match self.value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(integer) if integer.radix() == 10 => Some(integer.as_str().to_owned()),
            _ => {
                self.wrong_kind(accepted, log);
                None
            }
        }
    }

    /// The bytes of the file behind `part` of a string value; the whole value when it is written with escapes.
    pub fn part_span(&self, part: Range<usize>) -> Range<usize> {
        let length = self.as_text().map_or(0, str::len);
        if self.span.len() != length + 2 {
            return self.span.clone();
        }
        self.span.start + 1 + part.start..self.span.start + 1 + part.end
    }
}

/// The kind of a TOML value, in words.
fn kind_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `1,000,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
