//! What a scenario needs of Go: some steps stand for functions that older releases do not have.

use toml::Spanned;

use super::{Scenario, Step};
use crate::version::GoVersion;

/// A function that a scenario uses and a Go release lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scenario needs {function}, which Go {version} does not have; accepted: Go 1.24 or newer")]
pub struct Lacking {
    /// Go's name of the function.
    pub function: &'static str,
    /// The release.
    pub version: GoVersion,
}

/// The function that `step` itself needs and `version` lacks.
pub(super) fn lacking_in(step: &Step, version: GoVersion) -> Option<Lacking> {
    let function = match step {
        Step::Finalize(finalize) => finalize.kind.since_cleanups()?,
        _ => return None,
    };
    (!version.has_cleanups()).then_some(Lacking { function, version })
}

impl Scenario {
    /// The first function that the scenario uses and `version` lacks.
    pub fn lacking(&self, version: GoVersion) -> Option<Lacking> {
        find(&self.steps, version)
    }
}

fn find(steps: &[Spanned<Step>], version: GoVersion) -> Option<Lacking> {
    steps.iter().find_map(|step| match step.as_ref() {
        Step::Repeat(repeat) => find(&repeat.steps, version),
        Step::Parallel(tracks) => tracks.iter().find_map(|track| find(track, version)),
        step => lacking_in(step, version),
    })
}
