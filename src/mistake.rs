//! What is wrong with a file that a user wrote: typed, with its place, and what would have been accepted.

use std::fmt;
use std::ops::Range;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the file that are wrong.
    pub span: Range<usize>,
    /// The key's path: `steps[3].insert.keys`. Empty when the text is no TOML at that place.
    pub key: String,
    /// The text of the file under `span`, shortened to one line.
    pub value: String,
    /// Why it is wrong, in one sentence without a full stop.
    pub reason: String,
    /// What would have been accepted.
    pub accepted: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.reason)
    }
}

/// Everything that is wrong with one file, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {} in {name}", list.len(), if list.len() == 1 { "mistake" } else { "mistakes" })]
pub struct Mistakes {
    /// The file's name as the user gave it.
    pub name: String,
    /// The file's text, for showing the lines.
    pub text: String,
    /// The mistakes; never empty.
    pub list: Vec<Mistake>,
}

/// Where mistakes are gathered while a file is read.
#[derive(Debug, Default)]
pub struct Log {
    list: Vec<Mistake>,
}

impl Log {
    /// Notes a mistake at `span`.
    pub fn report(&mut self, span: Range<usize>, key: &str, reason: impl Into<String>, accepted: &str) {
        let accepted = (!accepted.is_empty()).then(|| accepted.to_owned());
        let mistake =
            Mistake { span, key: key.to_owned(), value: String::new(), reason: reason.into(), accepted };
        if !self.list.contains(&mistake) {
            self.list.push(mistake);
        }
    }

    /// How many mistakes there are so far.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none so far.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The gathered mistakes in the order of the text, or `None` when there are none.
    pub fn into_mistakes(mut self, name: &str, text: &str) -> Option<Mistakes> {
        if self.list.is_empty() {
            return None;
        }
        for mistake in &mut self.list {
            mistake.value = one_line(text.get(mistake.span.clone()).unwrap_or(""));
        }
        self.list.sort_by_key(|mistake| mistake.span.start);
        Some(Mistakes { name: name.to_owned(), text: text.to_owned(), list: self.list })
    }
}

/// Longest value that is repeated in a message, in characters.
const VALUE_CHARS: usize = 60;

fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or("").trim_end();
    if line.len() == text.trim_end().len() && line.chars().count() <= VALUE_CHARS {
        return line.to_owned();
    }
    line.chars().take(VALUE_CHARS).chain("...".chars()).collect()
}

/// The known name that was probably meant by `text`, if one is near enough.
pub fn nearest<'n>(text: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // Three slips in a long word are still that word; a three-letter word with two slips is another word.
    let limit = (text.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&text.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            *distance <= limit || (text.len() >= 3 && (name.starts_with(text) || text.starts_with(*name)))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Up to so many known names are listed although one of them was probably meant.
const SHORT_LIST: usize = 8;

/// `did you mean "keys"? Known: "keys", "var"`.
pub fn suggestion<'n>(text: &str, known: impl IntoIterator<Item = &'n str> + Clone) -> String {
    let names: Vec<String> = known.clone().into_iter().map(|name| format!("\"{name}\"")).collect();
    let list = names.join(", ");
    match nearest(text, known) {
        Some(name) if names.len() > SHORT_LIST => format!("did you mean \"{name}\"?"),
        Some(name) => format!("did you mean \"{name}\"? Known here: {list}"),
        None if names.is_empty() => "nothing is known here".to_owned(),
        None => format!("known here: {list}"),
    }
}
