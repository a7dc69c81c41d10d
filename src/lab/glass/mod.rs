//! Glass runs: a small program and its heap, one event at a time, forward and back.
//!
//! **Mechanism.** A glass run carries out a scenario of a few dozen objects on the real heap, marker, sweeper, pacer and maps, and
//! writes down everything that happens as events. The answer to a request has all events, and the picture of the heap after one of
//! them. Going back is asking for an earlier event: the run is the same every time.
//!
//! **Why apart from the simulated process.** In virtual time a heap of this size is marked in a few microseconds, between two
//! statements of the program. Here the collector does one thing for each thing that the program does, so that the write barrier and
//! black allocation can be seen; see `machine` for all the differences.

//!
//! A scenario with more to watch than that is shown small: its counts and keys are divided by ten until what is left can be watched
//! (`scale`). What cannot be shown at this grain - time, above all - is a sentence.

pub(crate) mod event;
mod machine;
pub(crate) mod picture;
mod program;
mod scale;
mod sentence;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use self::event::Event;
use self::machine::{Bounds, Glass};
use self::picture::Picture;
use self::program::Program;
use self::scale::Scale;
use super::run::{RunRequest, SettingsRequest};
use super::{Denied, Limits};
use crate::lesson::Language;
use crate::scenario::{RunSettings, Scenario};

static PROGRAMS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/lab/glass/programs");

/// What can be watched: enough to see a mechanism, not so much that nobody looks at all of it.
const BOUNDS: Bounds = Bounds { events: 1500, objects: 150 };

/// A program and the event that is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepRequest {
    /// The name of a scenario that travels with gclab, one of those made for stepping or any other; with `text`, the name of that.
    pub name: String,
    /// A scenario in TOML.
    pub text: Option<String>,
    /// Settings that override the scenario's own: its Go, GOGC, memory limit and seed count.
    pub settings: SettingsRequest,
    /// Number of an event, from 0; beyond the last, the last.
    pub at: usize,
    /// Language of the sentences: `en` or `zh`; empty is `en`.
    pub language: String,
}

/// An event and its sentence.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ToldEvent {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// What has happened, and why.
    pub sentence: String,
}

/// A glass run.
#[derive(Debug, Serialize)]
pub struct StepAnswer {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) question: String,
    pub(crate) answer: String,
    pub(crate) go: &'static str,
    pub(crate) gogc_percent: Option<u32>,
    /// What counts and keys were divided by.
    pub(crate) factor: u64,
    /// Number of the event that is pictured.
    pub(crate) at: usize,
    /// Everything that happens.
    pub(crate) events: Vec<ToldEvent>,
    /// The heap after event `at`.
    pub(crate) picture: Picture,
}

/// The programs that travel with gclab for this, in the order of their names: names and texts.
pub fn programs() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = PROGRAMS
        .files()
        .filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
        .collect();
    all.sort_unstable();
    all
}

/// Runs a program and looks at one event.
///
/// # Errors
/// [`Denied`]: mistakes in the scenario, or a scenario that cannot be watched.
pub(crate) fn step(request: &StepRequest, limits: &Limits) -> Result<StepAnswer, Denied> {
    let StepRequest { name, text, settings, at, language } = request.clone();
    let code = if language.is_empty() { "en" } else { &language };
    let language = Language::of_code(code)
        .ok_or_else(|| Denied::Refused(format!("{code:?} is not a language here; accepted: en or zh")))?;
    let shipped = programs().into_iter().find(|(known, _)| *known == name).map(|(_, text)| text.to_owned());
    let request = RunRequest { name, text: text.or(shipped), settings, ..RunRequest::default() };
    let scenario = super::run::scenario(&request, limits)?;
    let overrides = request.settings.overrides().map_err(Denied::Refused)?;
    let settings = scenario.settings().overridden(&overrides);
    watch(&scenario, &settings, at, language).map_err(Denied::Refused)
}

/// Runs a scenario under settings, shown as small as it must be, and looks at event `at`.
///
/// # Errors
/// Why it cannot be watched: its Go lacks something, or even shown small there is too much of it.
pub(crate) fn watch(
    scenario: &Scenario,
    settings: &RunSettings,
    at: usize,
    language: Language,
) -> Result<StepAnswer, String> {
    let (version, gogc_percent, seed) = (settings.go.version, settings.go.gogc.percent(), settings.go.seed);
    if let Some(lacking) = scenario.lacking(version) {
        return Err(lacking.to_string());
    }
    let limit_bytes = settings.go.memory_limit.bytes();
    let watched = Scale::all().find_map(|scale| {
        let glass = Glass::new(version, gogc_percent, limit_bytes, seed, at, BOUNDS);
        let glass = Program::new(scenario, glass, seed, scale)?.run()?;
        Some((glass.finish(), scale))
    });
    let Some(((events, picture), Scale { factor })) = watched else {
        let Bounds { events, objects } = BOUNDS;
        return Err(format!(
            "however small it is shown, there is more to watch than {events} events or {objects} objects: make the \
             program shorter"
        ));
    };
    let at = at.min(events.len() - 1);
    let told = |event: Event| ToldEvent { sentence: sentence::sentence(&event, language), event };
    Ok(StepAnswer {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        question: scenario.question.clone(),
        answer: scenario.answer.clone(),
        go: version.name(),
        gogc_percent,
        factor,
        at,
        events: events.into_iter().map(told).collect(),
        picture,
    })
}

#[cfg(test)]
mod tests;
