//! The lab: one function from a request to an answer, both JSON, behind the page that a workshop looks at.
//!
//! **Mechanism.** [`answer`] reads a request, runs the scenario in it within [`Limits`], and writes what a page shows: the
//! series of a chart, the cycles, the snapshots, the totals; or the mistakes in the scenario, each with its place.
//!
//! **Why one function.** The page has two carriers: `gclab lab`, a server on this machine, and a static site in which the same
//! function is compiled to WebAssembly. Both give the same bytes for the same request.
//!
//! | request | answer |
//! |---|---|
//! | `"scenarios"` | the scenarios that travel with gclab, with their texts |
//! | `{"run": {...}}` | [`run`]: one run |
//! | `{"lessons": {"language": "en"}}`, `{"lesson": {...}}` | [`lesson`]: their list, or one of them |
//! | `{"step": {...}}` | [`glass`]: a small heap after one of its events |
//!
//! Whatever goes wrong is an answer too: `{"mistakes": {...}}` when the scenario is wrong, `{"refused": {...}}` when the request
//! is, or when it asks for more than [`Limits`] allow.
//!
//! **Invariants.** No IO, no clock, no thread, no state: the same request gives the same answer. Numbers are those of the trace;
//! nothing is computed here that the model has not recorded. Every point of a series is one sample, so that its ledger adds up.

pub mod glass;
pub mod lesson;
pub mod limits;
mod mistakes;
pub mod run;
mod series;
pub mod shipped;

pub use limits::Limits;

use serde::{Deserialize, Serialize};

use mistakes::MistakeList;

/// What a page asks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Request {
    /// The scenarios that travel with gclab.
    Scenarios,
    /// One run.
    Run(run::RunRequest),
    /// The list of lessons.
    Lessons {
        /// `en` or `zh`.
        language: String,
    },
    /// A lesson.
    Lesson(lesson::LessonRequest),
    /// A small heap after one of its events.
    Step(glass::StepRequest),
}

/// What it is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Scenarios(Shelf),
    Run(Box<run::RunAnswer>),
    Lessons(Vec<lesson::Listed>),
    Lesson(Box<lesson::LessonAnswer>),
    Step(Box<glass::StepAnswer>),
    Mistakes(MistakeList),
    Refused(Refusal),
}

/// What travels with gclab.
#[derive(Debug, Serialize)]
struct Shelf {
    /// To be run.
    run: Vec<shipped::Shipped>,
    /// To be stepped through.
    step: Vec<shipped::Shipped>,
}

/// Why there is no result.
#[derive(Debug, Serialize)]
struct Refusal {
    /// One or two sentences for the reader of the page.
    message: String,
}

/// Why a request has no result.
#[derive(Debug)]
pub(crate) enum Denied {
    /// The scenario is wrong.
    Mistakes(MistakeList),
    /// The request is wrong, or asks for too much.
    Refused(String),
}

impl From<Denied> for Answer {
    fn from(denied: Denied) -> Answer {
        match denied {
            Denied::Mistakes(list) => Answer::Mistakes(list),
            Denied::Refused(message) => Answer::Refused(Refusal { message }),
        }
    }
}

/// Answers a request.
pub fn answer(request: &str) -> String {
    answer_within(request, &Limits::default())
}

/// Answers a request within other limits than usual.
pub fn answer_within(request: &str, limits: &Limits) -> String {
    let answer = reply(request, limits).unwrap_or_else(Answer::from);
    serde_json::to_string(&answer).expect("numbers and texts are JSON")
}

fn reply(request: &str, limits: &Limits) -> Result<Answer, Denied> {
    if request.len() > limits.request_bytes {
        let kib = limits.request_bytes >> 10;
        return Err(Denied::Refused(format!("the request is too long: at most {kib} KiB are read")));
    }
    let request = serde_json::from_str(request)
        .map_err(|error| Denied::Refused(format!("the request is not understood: {error}")))?;
    match request {
        Request::Scenarios => Ok(Answer::Scenarios(Shelf { run: shipped::all(), step: shipped::to_step() })),
        Request::Lessons { language } => Ok(Answer::Lessons(lesson::list(&language)?)),
        Request::Lesson(request) => Ok(Answer::Lesson(Box::new(lesson::lesson(&request, limits)?))),
        Request::Step(request) => Ok(Answer::Step(Box::new(glass::step(&request, limits)?))),
        Request::Run(request) => Ok(Answer::Run(Box::new(run::run(&request, limits)?))),
    }
}
