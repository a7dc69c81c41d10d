//! Lessons for the page: the list, a question, and - once there is a prediction - the runs and what they show.
//!
//! What may be seen before the prediction and what after it is [`crate::lesson`]'s business; here its words become JSON, beside the
//! runs that its picture shows.

use serde::{Deserialize, Serialize};

use super::run::{RunAnswer, RunRequest, shown};
use super::{Denied, Limits};
use crate::go_program::{environment, go_program};
use crate::lesson::{self, Asked, Language, Lesson, Told, Verdict};
use crate::scenario::{RunOptions, run_with};
use crate::trace::Trace;

/// Points of each series of a lesson's picture.
const POINTS: usize = 500;

/// A lesson, and the learner's prediction if there is one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LessonRequest {
    /// Its number, from 1.
    pub number: u32,
    /// `en` or `zh`.
    pub language: String,
    /// What the learner predicts: the key of a choice, or a number with its unit. Without it, only the question is told.
    pub answer: Option<String>,
}

/// A lesson in the list.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    number: u32,
    title: String,
    question: String,
}

/// A lesson.
#[derive(Debug, Serialize)]
pub(super) struct LessonAnswer {
    asked: Asked,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<LessonResult>,
}

/// What is shown after the prediction.
#[derive(Debug, Serialize)]
struct LessonResult {
    verdict: Verdict,
    told: Told,
    /// The runs that the picture shows.
    runs: Vec<NamedRun>,
    program: TryAtHome,
}

/// One run of the picture.
#[derive(Debug, Serialize)]
struct NamedRun {
    name: String,
    /// The scenario as TOML.
    text: String,
    run: RunAnswer,
}

/// The Go program of the first run.
#[derive(Debug, Serialize)]
struct TryAtHome {
    /// Environment variables, as a shell takes them.
    environment: String,
    /// The program.
    text: String,
}

/// The list of lessons.
///
/// # Errors
/// [`Denied`]: there is no such language.
pub(super) fn list(language: &str) -> Result<Vec<Listed>, Denied> {
    let language = language_of(language)?;
    let listed = |lesson: &Lesson| {
        let Asked { number, title, question, .. } = lesson.asked(language);
        Listed { number, title, question }
    };
    Ok(lesson::all().iter().map(listed).collect())
}

/// A lesson, with the runs if there is a prediction.
///
/// # Errors
/// [`Denied`]: there is no such lesson or language, or the prediction is not understood.
pub(super) fn lesson(request: &LessonRequest, limits: &Limits) -> Result<LessonAnswer, Denied> {
    let language = language_of(&request.language)?;
    let lesson = lesson::all()
        .iter()
        .find(|lesson| lesson.number == request.number)
        .ok_or_else(|| Denied::Refused(format!("there is no lesson {}", request.number)))?;
    let result = request.answer.as_deref().map(|answer| result(lesson, language, answer, limits));
    Ok(LessonAnswer { asked: lesson.asked(language), result: result.transpose()? })
}

fn language_of(code: &str) -> Result<Language, Denied> {
    Language::of_code(code).ok_or_else(|| Denied::Refused(format!("there are no lessons in {code:?}")))
}

fn result(
    lesson: &Lesson,
    language: Language,
    answer: &str,
    limits: &Limits,
) -> Result<LessonResult, Denied> {
    let refused = |reason: String| Denied::Refused(reason);
    lesson.prediction.understand(answer).map_err(|error| refused(error.to_string()))?;
    let traces: Vec<Trace> = lesson
        .runs
        .iter()
        .map(|run| run_with(&run.scenario, &run.settings(), RunOptions::within(limits.allowance)))
        .map(|recording| recording.map(|recording| recording.trace))
        .collect::<Result<_, _>>()
        .map_err(|error| refused(error.to_string()))?;
    let measured = lesson.measure(&traces).map_err(|error| refused(error.to_string()))?;
    let verdict = lesson.judge(answer, &measured).map_err(|error| refused(error.to_string()))?;
    let told = lesson.told(language, &measured);
    let mut traces: Vec<Option<Trace>> = traces.into_iter().map(Some).collect();
    let request = RunRequest { points: Some(POINTS), ..RunRequest::default() };
    let runs = lesson.chart.iter().filter_map(|place| {
        let run = &lesson.runs[*place];
        let trace = traces[*place].take()?;
        let shown = shown(trace, &run.scenario.settings(), &request, limits);
        Some(NamedRun { name: run.name.clone(), text: run.text.clone(), run: shown })
    });
    let runs = runs.collect();
    let first = &lesson.runs[0];
    let text = go_program(&first.scenario, &first.settings()).map_err(|error| refused(error.to_string()))?;
    let program = TryAtHome { environment: environment(&first.settings()), text };
    Ok(LessonResult { verdict, told, runs, program })
}
