//! Carrying out a checked scenario. (to come)

use super::{RunSettings, Scenario};
use crate::trace::Trace;

/// Why a run could not be finished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The simulated process is not there yet.
    #[error("this build of gclab reads scenarios but cannot run them yet")]
    NotBuilt,
}

/// Runs `scenario` under `settings`.
///
/// # Errors
/// [`RunError`].
pub fn run(_scenario: &Scenario, _settings: &RunSettings) -> Result<Trace, RunError> {
    Err(RunError::NotBuilt)
}
