//! Glass runs: a small program and its heap, one event at a time, forward and back.
//!
//! **Mechanism.** A glass run carries out a scenario of a few dozen objects on the real heap, marker, sweeper, pacer and maps, and
//! writes down everything that happens as events. The answer to a request has all events, and the picture of the heap after one of
//! them. Going back is asking for an earlier event: the run is the same every time.
//!
//! **Why apart from the simulated process.** In virtual time a heap of this size is marked in a few microseconds, between two
//! statements of the program. Here the collector does one thing for each thing that the program does, so that the write barrier and
//! black allocation can be seen; see `machine` for all the differences.

mod event;
mod machine;
mod picture;
mod program;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use self::event::Event;
use self::machine::{Bounds, Glass};
use self::picture::Picture;
use self::program::Program;
use super::run::{RunRequest, SettingsRequest};
use super::{Denied, Limits};

static PROGRAMS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/lab/glass/programs");

/// What can be watched: enough to see a mechanism, not so much that nobody looks at all of it.
const BOUNDS: Bounds = Bounds { events: 8000, objects: 400 };

/// A program and the event that is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepRequest {
    /// The name of a program that travels with gclab; with `text`, the name of that.
    pub name: String,
    /// A scenario in TOML.
    pub text: Option<String>,
    /// Settings that override the scenario's own: its Go, GOGC, memory limit and seed count.
    pub settings: SettingsRequest,
    /// Number of an event, from 0; beyond the last, the last.
    pub at: usize,
}

/// A glass run.
#[derive(Debug, Serialize)]
pub struct StepAnswer {
    name: String,
    title: String,
    question: String,
    answer: String,
    go: &'static str,
    gogc_percent: Option<u32>,
    /// Number of the event that is pictured.
    at: usize,
    /// Everything that happens.
    events: Vec<Event>,
    /// The heap after event `at`.
    picture: Picture,
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
    let StepRequest { name, text, settings, at } = request.clone();
    let shipped = programs().into_iter().find(|(known, _)| *known == name).map(|(_, text)| text.to_owned());
    let request = RunRequest { name, text: text.or(shipped), settings, ..RunRequest::default() };
    let scenario = super::run::scenario(&request, limits)?;
    let overrides = request.settings.overrides().map_err(Denied::Refused)?;
    let settings = scenario.settings().overridden(&overrides);
    if let Some(lacking) = scenario.lacking(settings.go.version) {
        return Err(Denied::Refused(lacking.to_string()));
    }
    let (version, gogc_percent, seed) = (settings.go.version, settings.go.gogc.percent(), settings.go.seed);
    let glass = Glass::new(version, gogc_percent, settings.go.memory_limit.bytes(), seed, at, BOUNDS);
    let run = Program::new(&scenario, glass, seed).map(Program::run);
    let glass = match run {
        Ok(Some(glass)) => glass,
        Ok(None) => {
            let Bounds { events, objects } = BOUNDS;
            let message = format!(
                "there is more to watch than {events} events or {objects} objects: make the program smaller"
            );
            return Err(Denied::Refused(message));
        }
        Err(message) => return Err(Denied::Refused(message)),
    };
    let (events, picture) = glass.finish();
    let at = at.min(events.len() - 1);
    let (name, title, question, answer) = (scenario.name, scenario.title, scenario.question, scenario.answer);
    Ok(StepAnswer { name, title, question, answer, go: version.name(), gogc_percent, at, events, picture })
}

#[cfg(test)]
mod tests;
