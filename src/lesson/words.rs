//! The words of a lesson in one language.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::metric::Metric;
use super::placeholder::placeholders;
use super::prediction::Prediction;
use crate::mistake::{Log, suggestion};
use crate::scenario::reader::{Node, Table};

/// The words of a lesson in one language, with placeholders for its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// A few words.
    pub title: String,
    /// The question as somebody would ask it.
    pub question: String,
    /// What the program does.
    pub setup: String,
    /// What is to be predicted.
    pub predict: String,
    /// The choices, under the keys of the prediction.
    pub choices: IndexMap<String, String>,
    /// What happened.
    pub reveal: String,
    /// Labels of the numbers beside the picture, under the names of metrics.
    pub numbers: IndexMap<String, String>,
    /// Why it happened.
    pub why: String,
    /// What to do about it.
    pub production: Vec<String>,
    /// What to look at in real Go.
    pub try_it: String,
}

/// Longest text of a lesson in characters: what a projector shows without scrolling.
const TEXT_LIMIT_CHARS: usize = 800;
/// Most pieces of advice.
const ADVICE_LIMIT: usize = 4;

/// A part of a lesson's words, under its key.
type Part = (&'static str, fn(&Words) -> String);

/// Whether a text may have placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Before,
    After,
}

/// What is known while the words are read.
pub(super) struct Reader<'l> {
    pub metrics: &'l IndexMap<String, Metric>,
    pub prediction: &'l Prediction,
    pub log: Log,
}

impl Reader<'_> {
    pub fn words(&mut self, mut table: Table<'_>) -> Option<Words> {
        let title = self.text(&mut table, "title", "a few words", Told::Before);
        let question =
            self.text(&mut table, "question", "the question as somebody would ask it", Told::Before);
        let setup = self.text(&mut table, "setup", "what the program does", Told::Before);
        let predict = self.text(&mut table, "predict", "what is to be predicted", Told::Before);
        let choices_node = table.take("choices");
        let choices = self.choices(choices_node.as_ref(), &table);
        let reveal = self.text(&mut table, "reveal", "what happened, with {name} for a metric", Told::After);
        let why = self.text(&mut table, "why", "why it happened", Told::After);
        let production = self.production(&mut table);
        let try_it = self.text(&mut table, "try", "what to look at when the Go program runs", Told::After);
        let numbers = self.numbers(&mut table);
        table.finish(&mut self.log);
        Some(Words {
            title: title?,
            question: question?,
            setup: setup?,
            predict: predict?,
            choices: choices?,
            reveal: reveal?,
            numbers: numbers?,
            why: why?,
            production: production?,
            try_it: try_it?,
        })
    }

    fn text(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
        accepted: &str,
        told: Told,
    ) -> Option<String> {
        let node = table.need(key, accepted, &mut self.log)?;
        self.text_of(&node, accepted, told)
    }

    fn text_of(&mut self, node: &Node<'_>, accepted: &str, told: Told) -> Option<String> {
        let text = node.text(accepted, &mut self.log)?;
        if text.trim().is_empty() {
            node.wrong("the text is empty", accepted, &mut self.log);
            return None;
        }
        let length = text.chars().count();
        if length > TEXT_LIMIT_CHARS {
            let reason = format!("a text of {length} characters does not fit a projector");
            node.wrong(reason, &format!("up to {TEXT_LIMIT_CHARS} characters"), &mut self.log);
        }
        for (place, name) in placeholders(text) {
            let span = node.part_span(place);
            if told == Told::Before {
                let reason = format!("{{{name}}} would give the answer away");
                self.log.report(span, &node.path, reason, "no placeholder before the prediction");
            } else if !self.metrics.contains_key(name) {
                let known = suggestion(name, self.metrics.keys().map(String::as_str));
                self.log.report(span, &node.path, format!("there is no metric \"{name}\""), &known);
            }
        }
        Some(text.trim().to_owned())
    }

    /// A text for each choice of the prediction, in its order.
    fn choices(&mut self, node: Option<&Node<'_>>, document: &Table<'_>) -> Option<IndexMap<String, String>> {
        let Prediction::Choice { choices, .. } = self.prediction else {
            if let Some(node) = node {
                let accepted = "leave [choices] out: a number is predicted";
                node.wrong("there is nothing to choose", accepted, &mut self.log);
            }
            return Some(IndexMap::new());
        };
        let keys: Vec<&str> = choices.keys().map(String::as_str).collect();
        let accepted = format!("a text for each of {}", keys.join(", "));
        let Some(node) = node else {
            self.log.report(document.span.clone(), "", "\"choices\" is missing", &accepted);
            return None;
        };
        let mut texts = IndexMap::new();
        for entry in node.table(&accepted, &mut self.log)?.into_entries() {
            if !keys.contains(&entry.name.as_str()) {
                let known = suggestion(&entry.name, keys.iter().copied());
                let reason = format!("the prediction has no choice \"{}\"", entry.name);
                self.log.report(entry.name_span.clone(), &entry.node.path, reason, &known);
            } else if let Some(text) = self.text_of(&entry.node, "a choice in words", Told::Before) {
                texts.insert(entry.name, text);
            }
        }
        for key in &keys {
            if !texts.contains_key(*key) {
                node.wrong(format!("the choice \"{key}\" has no text"), &accepted, &mut self.log);
            }
        }
        texts.sort_by_cached_key(|key, _| keys.iter().position(|known| known == key));
        Some(texts)
    }

    fn production(&mut self, table: &mut Table<'_>) -> Option<Vec<String>> {
        let accepted = format!("a list of 1 to {ADVICE_LIMIT} texts");
        let node = table.need("production", &accepted, &mut self.log)?;
        let list = node.array(&accepted, &mut self.log)?;
        if !(1..=ADVICE_LIMIT).contains(&list.len()) {
            node.wrong(format!("{} pieces of advice", list.len()), &accepted, &mut self.log);
            return None;
        }
        list.iter().map(|node| self.text_of(node, "a piece of advice", Told::After)).collect()
    }

    fn numbers(&mut self, table: &mut Table<'_>) -> Option<IndexMap<String, String>> {
        let accepted = "labels for metrics: [numbers] full = \"HeapAlloc, a million entries\"";
        let node = table.need("numbers", accepted, &mut self.log)?;
        let mut labels = IndexMap::new();
        for entry in node.table(accepted, &mut self.log)?.into_entries() {
            if !self.metrics.contains_key(&entry.name) {
                let known = suggestion(&entry.name, self.metrics.keys().map(String::as_str));
                let reason = format!("there is no metric \"{}\"", entry.name);
                self.log.report(entry.name_span.clone(), &entry.node.path, reason, &known);
            } else if let Some(label) = self.text_of(&entry.node, "a label", Told::After) {
                labels.insert(entry.name, label);
            }
        }
        Some(labels)
    }
}

impl Words {
    /// In what these words differ in structure from `other`: the numbers shown, the pieces of advice, the metrics that a
    /// text speaks of. Each is a key and what is different.
    pub(super) fn differences(&self, other: &Words) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let keys = |words: &Words| words.numbers.keys().cloned().collect::<Vec<_>>();
        if keys(self) != keys(other) {
            let reason = format!("{:?} here, {:?} there", keys(self), keys(other));
            found.push(("numbers".to_owned(), reason));
        }
        let count = |words: &Words| words.production.len();
        if count(self) != count(other) {
            let reason = format!("{} pieces of advice here, {} there", count(self), count(other));
            found.push(("production".to_owned(), reason));
        }
        let parts: [Part; 4] = [
            ("reveal", |words| words.reveal.clone()),
            ("why", |words| words.why.clone()),
            ("production", |words| words.production.join(" ")),
            ("try", |words| words.try_it.clone()),
        ];
        for (key, part) in parts {
            let (here, there) = (part(self), part(other));
            let (here, there) = (names(&here), names(&there));
            if here != there {
                found.push((key.to_owned(), format!("it speaks of {here:?} here, of {there:?} there")));
            }
        }
        found
    }
}

fn names(text: &str) -> BTreeSet<&str> {
    placeholders(text).into_iter().map(|(_, name)| name).collect()
}
