//! A lesson as a page shows it: what may be seen before the prediction, and what after it, with the numbers filled in.

use serde::Serialize;

use super::language::Language;
use super::placeholder::filled;
use super::prediction::Prediction;
use super::{Lesson, Measured, Source};

/// A lesson before its run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its place in the teaching order, from 1.
    pub number: u32,
    /// The name of its files: `01-delete-every-key`.
    pub name: String,
    /// The language of the words.
    pub language: Language,
    /// A few words.
    pub title: String,
    /// The question as somebody would ask it.
    pub question: String,
    /// What the program does.
    pub setup: String,
    /// What is to be predicted.
    pub predict: String,
    /// The choices in order; empty when a number is predicted.
    pub choices: Vec<Choice>,
    /// The unit of a number; `None` for a choice.
    pub unit: Option<&'static str>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Its key: what an answer and a verdict name.
    pub key: String,
    /// In words.
    pub text: String,
}

/// A lesson after its run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// The right answer in words: the text of a choice, or a number with its unit.
    pub right: String,
    /// What happened.
    pub reveal: String,
    /// The numbers beside the picture.
    pub numbers: Vec<Number>,
    /// Why it happened.
    pub why: String,
    /// What to do about it.
    pub production: Vec<String>,
    /// What to look at in real Go.
    pub try_it: String,
    /// Where to read on.
    pub sources: Vec<Source>,
}

/// A number beside the picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Number {
    /// The metric's name.
    pub name: String,
    /// What it is, in words.
    pub label: String,
    /// With its unit.
    pub text: String,
    /// In its base unit: bytes, nanoseconds, hundredths, or as it is.
    pub value: f64,
}

impl Lesson {
    /// What may be shown before the prediction.
    pub fn asked(&self, language: Language) -> Asked {
        let words = self.words(language);
        let choices = words.choices.iter().map(|(key, text)| Choice { key: key.clone(), text: text.clone() });
        Asked {
            number: self.number,
            name: self.name.clone(),
            language,
            title: words.title.clone(),
            question: words.question.clone(),
            setup: words.setup.clone(),
            predict: words.predict.clone(),
            choices: choices.collect(),
            unit: match &self.prediction {
                Prediction::Choice { .. } => None,
                Prediction::Number { unit: (name, ..), .. } => Some(name),
            },
        }
    }

    /// What is shown after it.
    pub fn told(&self, language: Language, measured: &Measured) -> Told {
        let words = self.words(language);
        let fill = |text: &str| filled(text, |name| measured.text(self, name));
        let right = self.prediction.right(&measured.values);
        let number = |(name, label): (&String, &String)| Number {
            name: name.clone(),
            label: fill(label),
            text: measured.text(self, name),
            value: measured.value(self, name),
        };
        Told {
            right: words.choices.get(&right).cloned().unwrap_or(right),
            reveal: fill(&words.reveal),
            numbers: words.numbers.iter().map(number).collect(),
            why: fill(&words.why),
            production: words.production.iter().map(|text| fill(text)).collect(),
            try_it: fill(&words.try_it),
            sources: self.sources.clone(),
        }
    }
}

impl Measured {
    fn value(&self, lesson: &Lesson, name: &str) -> f64 {
        self.values[lesson.metrics.get_index_of(name).expect("a text names metrics that there are")]
    }

    fn text(&self, lesson: &Lesson, name: &str) -> String {
        lesson.metrics[name].unit().written(self.value(lesson, name))
    }
}
