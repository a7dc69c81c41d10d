//! What came out, for readers: files with one cell each, and a document about all of them.
//!
//! A cell's file (JSON) has everything that was compared, so that the document can be made again from a folder of such
//! files, without running anything.

mod markdown;
mod mechanisms;
mod words;

use std::path::{Path, PathBuf};

pub use markdown::markdown;
pub use mechanisms::{Mechanism, Mechanisms};
pub use words::{error_text, value_text};

use super::cell::CellReport;

/// The ending of a cell's file, after its name.
pub const FILE_ENDING: &str = ".validate.json";
/// No cell's file is larger; what is larger is not read into memory.
const READ_LIMIT_BYTES: u64 = 64 << 20;

/// Why saved reports cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The system says no.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which file or folder.
        path: PathBuf,
        /// Its reason.
        error: std::io::Error,
    },
    /// It is no such file, or not all of it.
    #[error("{}: not a saved report: {reason}", path.display())]
    Torn {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is none.
    #[error("there are no files *{FILE_ENDING} in {}", path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
}

/// A cell's file.
pub fn to_json(report: &CellReport) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("numbers and texts are JSON");
    text.push('\n');
    text
}

/// Every cell that was saved in `folder`, in the order of their names.
///
/// # Errors
/// [`SavedError`].
pub fn load(folder: &Path) -> Result<Vec<CellReport>, SavedError> {
    let read_error = |path: &Path, error| SavedError::Read { path: path.to_owned(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| read_error(folder, error))? {
        let path = entry.map_err(|error| read_error(folder, error))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(FILE_ENDING)) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(SavedError::None { path: folder.to_owned() });
    }
    paths.sort();
    let mut reports = Vec::new();
    for path in paths {
        let length = std::fs::metadata(&path).map_err(|error| read_error(&path, error))?.len();
        let torn = |reason: String| SavedError::Torn { path: path.clone(), reason };
        if length > READ_LIMIT_BYTES {
            return Err(torn(format!("it has {length} bytes")));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| read_error(&path, error))?;
        reports.push(serde_json::from_str(&text).map_err(|error| torn(error.to_string()))?);
    }
    sort(&mut reports);
    Ok(reports)
}

/// Orders cells as a reader looks for them.
pub fn sort(reports: &mut [CellReport]) {
    reports.sort_by_cached_key(order);
}

/// Scenario by scenario, then by version, then by GOGC.
fn order(report: &CellReport) -> (String, Vec<u32>, u32, u64) {
    let numbers = report.go.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
    let config = &report.config;
    let gogc = config.gogc_percent.unwrap_or(u32::MAX);
    (report.scenario.clone(), numbers.collect(), gogc, config.memory_limit_bytes.unwrap_or(u64::MAX))
}

/// Reports for tests.
#[cfg(test)]
pub(super) mod samples {
    use crate::oracle::{CellReport, Class, Cycles, Host, Judged, Speed, Unit, Verdict};
    use crate::trace::Config;

    pub fn judged(snapshot: Option<&str>, metric: &str, class: Class, verdict: Verdict) -> Judged {
        let simulated = if verdict == Verdict::Pass { 41e6 } else { 60e6 };
        Judged {
            snapshot: snapshot.map(str::to_owned),
            metric: metric.to_owned(),
            unit: Unit::Bytes,
            class,
            real_median: 40e6,
            real_min: 39e6,
            real_max: 42e6,
            simulated,
            allowed: 4e6,
            verdict,
        }
    }

    pub fn report(gogc: u32, judged: Vec<Judged>) -> CellReport {
        CellReport {
            scenario: "tiny".to_owned(),
            title: "A tiny run".to_owned(),
            go: "go1.23.9".to_owned(),
            config: Config {
                go: "1.23".to_owned(),
                gogc_percent: Some(gogc),
                memory_limit_bytes: None,
                procs: 2,
                cores: 2,
                seed: 1,
                madvdontneed: true,
                machine_memory_bytes: None,
                cost_profile: "go1.23".to_owned(),
            },
            runs: 3,
            sampling_ns: 2_000_000,
            host: Host { processor: "A CPU".to_owned(), cores: 2, kernel: "Linux 6".to_owned() },
            judged,
            cycles: Cycles::default(),
            speed: Speed { real_ns: 200_000_000, sleep_ns: 0, simulated_ns: 10_000_000 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{judged, report};
    use super::*;
    use crate::oracle::{Class, Verdict};

    #[test]
    fn saved_reports_come_back_in_order() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(load(folder.path()), Err(SavedError::None { .. })));
        let one = judged(Some("a"), "RSS", Class::Timing, Verdict::Miss);
        for gogc in [400, 50, 100] {
            let report = report(gogc, vec![one.clone()]);
            let path = folder.path().join(format!("{}{FILE_ENDING}", report.name()));
            std::fs::write(path, to_json(&report)).unwrap();
        }
        std::fs::write(folder.path().join("other.json"), "{}").unwrap();
        let loaded = load(folder.path()).unwrap();
        assert_eq!(
            loaded.iter().map(|report| report.config.gogc_percent.unwrap()).collect::<Vec<_>>(),
            [50, 100, 400]
        );
        assert_eq!(loaded[0], report(50, vec![one]));
        std::fs::write(folder.path().join(format!("torn{FILE_ENDING}")), "{\"scenario\"").unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("torn.validate.json") && error.contains("EOF"), "{error}");
    }
}
