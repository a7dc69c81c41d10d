//! Lessons: a question, a prediction asked of the learner, the run that answers it, and what to make of it.
//!
//! **Mechanism**: a lesson names runs and numbers in them; its words have placeholders, and the simulation fills them.
//!
//! **Why**: a typed-in number is true until somebody corrects the model. Here a wrong claim fails a test: the marked answer
//! is the one whose condition holds in the run, and whatever else the words claim is a condition too.
//!
//! A lesson is three files (`lessons/README.md` has the format): the [`plan`](self) without words, and its [`Words`] in each
//! [`Language`]. Reading goes on after a mistake, so that all of a file's are reported together, with line and key.
//!
//! Invariants: a [`Lesson`] that exists names only runs, metrics and choices that there are, in every language the same.
//! Nothing here reads files, prints or knows the time: a terminal and a page in a browser share it.
//!
//! ```
//! use gclab::lesson::{self, Language};
//!
//! let lesson = &lesson::all()[0];
//! let asked = lesson.asked(Language::English);
//! assert!(asked.question.ends_with('?'));
//! let traces: Vec<_> = lesson.runs.iter().map(|run| run.simulate().unwrap()).collect();
//! let measured = lesson.measure(&traces).unwrap();
//! assert!(!lesson.judge("a", &measured).unwrap().is_right);
//! assert!(lesson.told(Language::English, &measured).reveal.contains("MiB"));
//! ```

mod condition;
mod language;
mod metric;
mod placeholder;
mod plan;
mod prediction;
mod shipped;
#[cfg(test)]
mod tests;
mod told;
mod unit;
mod words;

use indexmap::IndexMap;
use toml::de::DeTable;

pub use condition::Condition;
pub use language::{Headings, Language};
pub use metric::{How, Metric, NoNumber};
pub use plan::{Run, Source};
pub use prediction::{Answer, NoAnswer, Prediction, Verdict, letter};
pub use shipped::all;
pub use told::{Asked, Choice, Number, Told};
pub use unit::{AnswerUnit, Unit};
pub use words::Words;

use crate::mistake::{Log, Mistakes};
use crate::scenario::reader::Table;
use crate::trace::Trace;

/// Longest file of a lesson in bytes. Our limit: shipped ones are 4 KiB.
const FILE_LIMIT_BYTES: usize = 1 << 20;

/// A checked lesson.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Its place in the teaching order, from 1.
    pub number: u32,
    /// The name of its files: `01-delete-every-key`.
    pub name: String,
    /// The runs that answer the question, in order.
    pub runs: Vec<Run>,
    /// The runs that the picture shows, by their places.
    pub chart: Vec<usize>,
    /// The numbers that answer it, each made only of those above it.
    pub metrics: IndexMap<String, Metric>,
    /// What the learner predicts.
    pub prediction: Prediction,
    /// What the words claim beside that.
    pub checks: Vec<Condition>,
    /// Where to read on.
    pub sources: Vec<Source>,
    /// In the order of [`Language::ALL`].
    words: Vec<Words>,
}

/// The texts of a lesson's files.
#[derive(Clone, Copy, Debug)]
pub struct Files<'t> {
    /// Name of the file without words, for messages; its stem is the lesson's name.
    pub name: &'t str,
    /// Its text.
    pub plan: &'t str,
    /// The words: file name and text, in the order of [`Language::ALL`].
    pub words: [(&'t str, &'t str); Language::ALL.len()],
}

/// Everything that is wrong with the files of a lesson.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", files.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct LessonMistakes {
    /// One for each file with mistakes; never empty.
    pub files: Vec<Mistakes>,
}

/// The values of a lesson's metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// In the order of the metrics, in base units: bytes, nanoseconds, hundredths, or as they are.
    pub values: Vec<f64>,
}

impl Lesson {
    /// Reads and checks a lesson. `scenario_text` gives the text of a scenario by its path relative to the lesson, or says
    /// why there is none.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn parse(
        files: &Files<'_>,
        scenario_text: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Lesson, LessonMistakes> {
        let mut reader = plan::Reader { log: Log::default(), in_scenarios: Vec::new(), scenario_text };
        let (plan, number) = document(files.name, files.plan, |table| {
            let number = lesson_number(files.name, table.span.clone(), &mut reader.log);
            let plan = reader.plan(table);
            (std::mem::take(&mut reader.log), plan.zip(number))
        })
        .map_err(|mistakes| LessonMistakes {
            files: [mistakes].into_iter().flatten().chain(std::mem::take(&mut reader.in_scenarios)).collect(),
        })?;
        let mut wrong = Vec::new();
        let mut words: Vec<Words> = Vec::new();
        for (file, text) in files.words {
            let read = document(file, text, |table| {
                let span = table.span.clone();
                let mut reader = words::Reader {
                    metrics: &plan.metrics,
                    prediction: &plan.prediction,
                    log: Log::default(),
                };
                let read = reader.words(table);
                if let (Some(read), Some(first)) = (&read, words.first()) {
                    for (key, reason) in read.differences(first) {
                        reader.log.report(span.clone(), &key, reason, "the same in every language");
                    }
                }
                (reader.log, read)
            });
            match read {
                Ok(read) => words.push(read),
                Err(mistakes) => wrong.extend(mistakes),
            }
        }
        if !wrong.is_empty() {
            return Err(LessonMistakes { files: wrong });
        }
        let plan::Plan { runs, chart, metrics, prediction, checks, sources } = plan;
        Ok(Lesson {
            number,
            name: stem(files.name).to_owned(),
            runs,
            chart,
            metrics,
            prediction,
            checks,
            sources,
            words,
        })
    }

    /// The words in `language`.
    pub fn words(&self, language: Language) -> &Words {
        let place = Language::ALL.iter().position(|known| *known == language);
        &self.words[place.expect("every language is one of them")]
    }

    /// The value of every metric, from the traces of all runs in their order.
    ///
    /// # Errors
    /// [`NoNumber`], when a run does not have what the lesson asks of it.
    pub fn measure(&self, traces: &[Trace]) -> Result<Measured, NoNumber> {
        assert_eq!(traces.len(), self.runs.len(), "{}: a trace for each run", self.name);
        let mut values: Vec<f64> = Vec::new();
        for (name, metric) in &self.metrics {
            let value = match metric {
                Metric::Place { run, at, value, unit } => {
                    metric::number_at(&traces[*run], &self.runs[*run].name, at.as_deref(), value, *unit)?
                }
                Metric::Made { how, of, .. } => {
                    let parts: Vec<f64> = of.iter().map(|index| values[*index]).collect();
                    if matches!(how, How::Ratio | How::Percent) && parts[1] == 0.0 {
                        let divisor = self.metrics.get_index(of[1]).expect("it stands above").0.clone();
                        return Err(NoNumber::DividedByZero { metric: name.clone(), divisor });
                    }
                    match how {
                        How::Minus => parts[0] - parts[1],
                        How::Sum => parts.iter().sum(),
                        How::Ratio => parts[0] / parts[1],
                        How::Percent => 100.0 * parts[0] / parts[1],
                    }
                }
            };
            values.push(value);
        }
        Ok(Measured { values })
    }

    /// Whether `answer` is right.
    ///
    /// # Errors
    /// [`NoAnswer`], when it cannot be understood.
    pub fn judge(&self, answer: &str, measured: &Measured) -> Result<Verdict, NoAnswer> {
        self.prediction.judge(answer, &measured.values)
    }

    /// Where the run says otherwise than the lesson: conditions of choices that hold and are not marked as right, or are
    /// marked and do not hold, and checks that fail. Empty when all is well.
    pub fn disagreements(&self, measured: &Measured) -> Vec<String> {
        let mut found = Vec::new();
        if let Prediction::Choice { right, choices } = &self.prediction {
            for (place, (key, condition)) in choices.iter().enumerate() {
                match (condition.holds(&measured.values), place == *right) {
                    (false, true) => {
                        found.push(format!(
                            "{key:?} is marked as right, but this is false: {}",
                            condition.text
                        ));
                    }
                    (true, false) => {
                        found.push(format!(
                            "{key:?} is not marked as right, but this is true: {}",
                            condition.text
                        ));
                    }
                    _ => {}
                }
            }
        }
        let failed = self.checks.iter().filter(|check| !check.holds(&measured.values));
        found.extend(failed.map(|check| format!("this is false: {}", check.text)));
        found
    }
}

/// `01-delete-every-key` of `lessons/01-delete-every-key.toml`.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().expect("a file has a last name");
    name.split('.').next().expect("a name has a beginning")
}

/// 1 of `01-delete-every-key`.
fn lesson_number(file: &str, first_line: std::ops::Range<usize>, log: &mut Log) -> Option<u32> {
    let name = stem(file);
    let number =
        name.split_once('-').and_then(|(digits, _)| digits.parse().ok()).filter(|number| *number > 0);
    if number.is_none() {
        let reason = format!("\"{name}\" has no place in the teaching order");
        log.report(first_line, "", reason, "a file name such as 01-delete-every-key.toml");
    }
    number
}

/// Parses TOML and hands its table to `read`, which says what it noted and what it read. `Err(None)` is never wrong by itself:
/// what `read` could not read, it reported elsewhere.
fn document<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(Table<'_>) -> (Log, Option<T>),
) -> Result<T, Option<Mistakes>> {
    let mut log = Log::default();
    if text.len() > FILE_LIMIT_BYTES {
        log.report(0..0, "", format!("the file is {} bytes long", text.len()), "up to 1 MiB");
        return Err(log.into_mistakes(file, ""));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let end = text.trim_end().len();
        let span = error.span().unwrap_or(end..end);
        log.report(span, "", format!("this is not TOML: {}", error.message()), "");
    }
    // What a parser guesses behind a syntax error would be reported as mistakes that nobody made.
    if let Some(mistakes) = log.into_mistakes(file, text) {
        return Err(Some(mistakes));
    }
    let first_line = 0..text.lines().next().map_or(0, str::len);
    let (log, value) = read(Table::new(document.get_ref(), first_line, ""));
    match (log.into_mistakes(file, text), value) {
        (None, Some(value)) => Ok(value),
        (mistakes, _) => Err(mistakes),
    }
}
