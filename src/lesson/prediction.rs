//! What the learner is asked to predict, and whether an answer is right.
//!
//! The right choice is marked in the lesson, and each choice has a condition; that exactly the marked one holds is what the
//! tests and [`super::Lesson::disagreements`] watch over. A number is right within a share of the measured one.

use indexmap::IndexMap;
use serde::Serialize;

use super::condition::Condition;
use super::unit::{ANSWER_UNITS, AnswerUnit, Unit};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// One of several choices.
    Choice {
        /// The right one, by its place.
        right: usize,
        /// Their keys, and what holds in the run if one is right.
        choices: IndexMap<String, Condition>,
    },
    /// A number.
    Number {
        /// The metric to predict, by its place.
        metric: usize,
        /// The unit of an answer that has none.
        unit: AnswerUnit,
        /// How far off is still right, in hundredths of the measured number.
        tolerance_percent: f64,
    },
}

/// Whether an answer is right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether it is.
    pub is_right: bool,
    /// The answer as it was understood: the key of a choice, or a number with its unit.
    pub given: String,
    /// The right answer in the same form.
    pub right: String,
}

/// An answer that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no answer to this question; accepted: {accepted}")]
pub struct NoAnswer {
    /// The answer.
    pub text: String,
    /// What would have been one.
    pub accepted: String,
}

/// An answer as it was understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// A choice, by its place.
    Choice(usize),
    /// A number in base units.
    Number(f64),
}

impl Prediction {
    /// What `answer` means.
    ///
    /// A choice is answered by its letter (`a` is the first), its number (from 1) or its key; a number with a unit or
    /// without one.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn understand(&self, answer: &str) -> Result<Answer, NoAnswer> {
        let (understood, accepted) = match self {
            Prediction::Choice { choices, .. } => {
                (place_of(answer, choices).map(Answer::Choice), letters(choices.len()))
            }
            Prediction::Number { unit, .. } => {
                (number_of(answer, *unit).map(Answer::Number), number_accepted(*unit))
            }
        };
        understood.ok_or_else(|| NoAnswer { text: answer.to_owned(), accepted })
    }

    /// Whether `answer` is right, given the values of all metrics.
    pub(super) fn judge(&self, answer: &str, values: &[f64]) -> Result<Verdict, NoAnswer> {
        let right = self.right(values);
        Ok(match (self.understand(answer)?, self) {
            (Answer::Choice(place), Prediction::Choice { choices, .. }) => {
                let given = choices.get_index(place).expect("a place of a choice").0.clone();
                Verdict { is_right: given == right, given, right }
            }
            (Answer::Number(given), Prediction::Number { metric, unit, tolerance_percent }) => {
                let off = (given - values[*metric]).abs();
                let is_right = off <= tolerance_percent / 100.0 * values[*metric].abs();
                Verdict { is_right, given: unit.1.written(given), right }
            }
            _ => unreachable!("an answer is understood as what is asked"),
        })
    }

    /// The right answer, as a verdict has it.
    pub(super) fn right(&self, values: &[f64]) -> String {
        match self {
            Prediction::Choice { right, choices } => {
                choices.get_index(*right).expect("a place of a choice").0.clone()
            }
            Prediction::Number { metric, unit, .. } => unit.1.written(values[*metric]),
        }
    }
}

/// The letter of a choice: `a` for the first.
pub fn letter(place: usize) -> char {
    char::from(b'a' + u8::try_from(place).expect("few choices"))
}

fn letters(count: usize) -> String {
    let letters: Vec<String> = (0..count).map(|place| letter(place).to_string()).collect();
    letters.join(", ")
}

fn place_of(answer: &str, choices: &IndexMap<String, Condition>) -> Option<usize> {
    let answer = answer.trim().trim_end_matches(['.', ')']).to_lowercase();
    choices.get_index_of(&answer).or_else(|| {
        (0..choices.len())
            .find(|place| answer == letter(*place).to_string() || answer == (place + 1).to_string())
    })
}

/// A number in base units: `38`, `38.4 MiB`, `1,000`.
fn number_of(answer: &str, (_, counts, scale): AnswerUnit) -> Option<f64> {
    let text: String = answer.trim().chars().filter(|c| !matches!(c, ',' | '_')).collect();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim();
    if unit.is_empty() {
        return Some(number * scale);
    }
    let known = ANSWER_UNITS.iter().find(|(name, known, _)| *name == unit && *known == counts)?;
    Some(number * known.2)
}

fn number_accepted((name, counts, _): AnswerUnit) -> String {
    let names: Vec<&str> = ANSWER_UNITS
        .iter()
        .filter(|(name, known, _)| *known == counts && !name.is_empty())
        .map(|unit| unit.0)
        .collect();
    match (counts, names.is_empty()) {
        (Unit::Count, _) | (_, true) => "a number".to_owned(),
        _ => format!("a number, in {name} or with one of {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::metric::Metric;

    fn choice() -> Prediction {
        let metrics: IndexMap<String, Metric> =
            [("x".to_owned(), Metric::Place { run: 0, at: None, value: String::new(), unit: Unit::Count })]
                .into();
        let condition = |text| Condition::parse(text, &metrics).unwrap();
        let choices = [("nothing", "x < 1"), ("half", "x == 1"), ("all", "x > 1")]
            .map(|(key, text)| (key.to_owned(), condition(text)));
        Prediction::Choice { right: 2, choices: choices.into() }
    }

    #[test]
    fn a_choice_is_named_by_letter_number_or_key() {
        for answer in ["c", "C", "3", "all", " c) "] {
            assert!(choice().judge(answer, &[2.0]).unwrap().is_right, "{answer}");
        }
        let verdict = choice().judge("b", &[2.0]).unwrap();
        assert_eq!(verdict, Verdict { is_right: false, given: "half".to_owned(), right: "all".to_owned() });
        for answer in ["d", "", "4", "0", "no"] {
            assert_eq!(choice().judge(answer, &[2.0]).unwrap_err().accepted, "a, b, c", "{answer}");
        }
    }

    #[test]
    fn a_number_is_right_within_its_tolerance() {
        let unit = *ANSWER_UNITS.iter().find(|(name, ..)| *name == "MiB").unwrap();
        let prediction = Prediction::Number { metric: 0, unit, tolerance_percent: 10.0 };
        let values = [100.0 * 1_048_576.0];
        for (answer, is_right) in [
            ("100", true),
            ("91", true),
            ("109.9 MiB", true),
            ("0.1GiB", true),
            ("102_400KiB", true),
            ("89", false),
            ("111", false),
        ] {
            let verdict = prediction.judge(answer, &values).unwrap();
            assert_eq!((verdict.is_right, verdict.right.as_str()), (is_right, "100 MiB"), "{answer}");
        }
        for answer in ["", "many", "5 s", "5 MB", "-3"] {
            let error = prediction.judge(answer, &values).unwrap_err();
            assert!(error.accepted.contains("in MiB or with one of B, KiB"), "{}", error.accepted);
        }
    }
}
