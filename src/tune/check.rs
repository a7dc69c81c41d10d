//! Real Go in the container: does it survive what is recommended, and is more aggressive worse?
//!
//! The scenario's program is built and run with the settings, several times each. The container is kept from outside: a process
//! whose resident memory crosses its limit is killed, and a peak that was too short to be seen counts when the process
//! knows of it (VmHWM).

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::search::{Candidate, Prediction, Question};
use crate::oracle::{Interrupt, OracleError, RealOrder, RealRunError, Toolchain, build, run_real};

/// How long one run may take.
const TIME: Duration = Duration::from_secs(600);

/// Runs of one candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// GOGC.
    pub gogc: String,
    /// GOMEMLIMIT.
    pub memory_limit: String,
    /// Real runs.
    pub runs: u32,
    /// How many of them crossed the container's limit.
    pub killed: u32,
    /// The highest resident size that was seen, in bytes.
    pub peak_rss_bytes: u64,
    /// The mean share of CPU time that GC took in runs that came to an end, 0 to 1.
    pub gc_cpu_fraction: Option<f64>,
    /// What the simulation said of the peak, in bytes.
    pub predicted_peak_rss_bytes: u64,
    /// What it said of the share.
    pub predicted_gc_cpu_fraction: f64,
    /// How many of its seeds it said would be killed.
    pub predicted_killed: u64,
}

/// What real Go says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RealCheck {
    /// `go1.23.9`.
    pub go: String,
    /// The container's limit in bytes.
    pub container_bytes: u64,
    /// The recommended settings first, then more aggressive ones.
    pub checked: Vec<Checked>,
}

impl RealCheck {
    /// Whether the recommended settings survived every run.
    pub fn survives(&self) -> bool {
        self.checked.first().is_some_and(|recommended| recommended.killed == 0)
    }

    /// Whether each of the others was killed more often, or came nearer to the limit.
    pub fn others_are_worse(&self) -> bool {
        let Some((recommended, others)) = self.checked.split_first() else { return false };
        others.iter().all(|other| {
            (other.killed, other.peak_rss_bytes) > (recommended.killed, recommended.peak_rss_bytes)
        })
    }
}

/// Runs each of `predictions` in real Go, `runs` times.
///
/// # Errors
/// [`OracleError`] when the program cannot be built, or fails for another reason than memory.
pub fn check(
    question: &Question,
    predictions: &[&Prediction],
    toolchain: &Toolchain,
    runs: u32,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<RealCheck, OracleError> {
    let scenario = question.scenario;
    let program = build(scenario, toolchain, &question.settings_of(Candidate::DEFAULT), folder, interrupt)?;
    let mut checked = Vec::new();
    for prediction in predictions {
        let candidate = prediction.candidate;
        let order = RealOrder {
            program: &program,
            settings: question.settings_of(candidate),
            every_ns: 0,
            time: TIME,
            folder,
            interrupt: interrupt.clone(),
        };
        let mut one = Checked {
            gogc: candidate.gogc.to_string(),
            memory_limit: super::advice::limit_text(candidate.memory_limit),
            runs,
            killed: 0,
            peak_rss_bytes: 0,
            gc_cpu_fraction: None,
            predicted_peak_rss_bytes: prediction.cell.peak_rss_bytes,
            predicted_gc_cpu_fraction: prediction.cell.gc_cpu_fraction,
            predicted_killed: prediction.cell.killed,
        };
        let mut shares = Vec::new();
        for _ in 0..runs {
            let run = run_real(&order).map_err(|error| match error {
                RealRunError::Interrupted => OracleError::Interrupted,
                error => OracleError::RealRun {
                    cell: format!("{}, {}", scenario.name, super::advice::words(candidate)),
                    error,
                },
            })?;
            let seen = run.moments.iter().map(|moment| moment.rss_bytes).max().unwrap_or(0);
            match &run.measured {
                None => {
                    one.killed += 1;
                    one.peak_rss_bytes = one.peak_rss_bytes.max(seen).max(question.container_bytes + 1);
                }
                Some(measured) => {
                    one.peak_rss_bytes = one.peak_rss_bytes.max(seen).max(measured.summary.peak_rss_bytes);
                    shares.push(measured.summary.gc_cpu_fraction);
                }
            }
        }
        if !shares.is_empty() {
            one.gc_cpu_fraction = Some(shares.iter().sum::<f64>() / shares.len() as f64);
        }
        checked.push(one);
    }
    Ok(RealCheck { go: toolchain.name.clone(), container_bytes: question.container_bytes, checked })
}
