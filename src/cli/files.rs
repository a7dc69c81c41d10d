//! Reading what the user names, and writing results whole: a file is there complete or not at all.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::errors::CliError;
use crate::cost::CostProfile;
use crate::scenario::Scenario;
use crate::trace::{Recording, Sample, Trace, saved};
use crate::version::GoVersion;

/// No scenario and no profile is longer; what is longer is not read into memory.
const READ_LIMIT_BYTES: u64 = 2 << 20;

/// Reads and checks a scenario file.
pub(super) fn read_scenario(path: &Path) -> Result<Scenario, CliError> {
    Ok(Scenario::parse(&path.to_string_lossy(), &read_text(path)?)?)
}

/// Reads and checks a scenario file, and keeps its text.
pub(super) fn read_scenario_and_text(path: &Path) -> Result<(Scenario, String), CliError> {
    let text = read_text(path)?;
    Ok((Scenario::parse(&path.to_string_lossy(), &text)?, text))
}

/// Reads and checks a cost profile for simulating `version`.
pub(super) fn read_cost_profile(path: &Path, version: GoVersion) -> Result<Arc<CostProfile>, CliError> {
    Ok(Arc::new(CostProfile::parse(&path.to_string_lossy(), &read_text(path)?, version)?))
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, CliError> {
    let read = |path: &Path| -> std::io::Result<String> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(READ_LIMIT_BYTES).read_to_end(&mut bytes)?;
        String::from_utf8(bytes)
            .map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text"))
    };
    read(path).map_err(|error| CliError::Read { path: path.to_owned(), error })
}

/// A file that is written aside and takes its name only when it is complete.
#[derive(Debug)]
pub(super) struct PendingFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl PendingFile {
    /// Begins a file beside its final place, so that the rename stays within one file system.
    pub fn create(path: &Path) -> Result<PendingFile, CliError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let ending =
            path.extension().map_or(String::new(), |ending| format!(".{}", ending.to_string_lossy()));
        std::fs::create_dir_all(folder)
            .and_then(|()| tempfile::Builder::new().prefix(".gclab-").suffix(&ending).tempfile_in(folder))
            .map(|file| PendingFile { file, path: path.to_owned() })
            .map_err(|error| CliError::Write { path: path.to_owned(), error })
    }

    /// Where the content goes for now.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes the content.
    pub fn write(&mut self, content: &[u8]) -> Result<(), CliError> {
        self.file.write_all(content).map_err(|error| CliError::Write { path: self.path.clone(), error })
    }

    /// The name that the file will have.
    pub fn shown_path(&self) -> String {
        self.path.display().to_string()
    }

    /// Gives the file its name.
    pub fn finish(self) -> Result<(), CliError> {
        let PendingFile { file, path } = self;
        readable_by_all(file.path())
            .and_then(|()| file.persist(&path).map(drop).map_err(|error| error.error))
            .map_err(|error| CliError::Write { path, error })
    }
}

/// Temporary files are private; results are ordinary files.
#[cfg(unix)]
fn readable_by_all(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The scenario files of a folder, in the order of their names.
pub(super) fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let read_error = |error| CliError::Read { path: folder.to_owned(), error };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(read_error)? {
        let path = entry.map_err(read_error)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The runs of a saved trace.
pub(super) fn read_traces(path: &Path) -> Result<Vec<Recording>, CliError> {
    let bytes = std::fs::read(path).map_err(|error| CliError::Read { path: path.to_owned(), error })?;
    saved::from_text(&String::from_utf8_lossy(&bytes))
        .map_err(|error| CliError::SavedTrace { path: path.to_owned(), error })
}

/// The samples of all runs as CSV: one row a sample, sizes in bytes, empty where there is no value.
pub(super) fn samples_csv<'t>(traces: impl IntoIterator<Item = &'t Trace>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let traces: Vec<&Trace> = traces.into_iter().collect();
    let several_releases = traces.iter().any(|trace| trace.config.go != traces[0].config.go);
    let release = |name: &'t str| several_releases.then_some(name);
    let header = ["gogc", "memory_limit_bytes"].into_iter().chain(COLUMNS.iter().map(|(name, _)| *name));
    writer.write_record(header.chain(release("go"))).expect("writing to memory");
    for trace in traces {
        let limit =
            trace.config.memory_limit_bytes.map_or_else(|| "off".to_owned(), |bytes| bytes.to_string());
        for sample in &trace.samples {
            let settings = [trace.config.gogc_text(), limit.clone()];
            let values = COLUMNS
                .iter()
                .map(|(_, value)| value(sample).map_or_else(String::new, |number| number.to_string()));
            let go = release(&trace.config.go).map(str::to_owned);
            writer.write_record(settings.into_iter().chain(values).chain(go)).expect("writing to memory");
        }
    }
    writer.into_inner().expect("writing to memory")
}

type Column = (&'static str, fn(&Sample) -> Option<u64>);

const COLUMNS: [Column; 22] = [
    ("t_ns", |s| Some(s.t_ns)),
    ("heap_alloc_bytes", |s| Some(s.heap_alloc_bytes)),
    ("heap_inuse_bytes", |s| Some(s.heap_inuse_bytes)),
    ("heap_idle_bytes", |s| Some(s.heap_idle_bytes)),
    ("heap_released_bytes", |s| Some(s.heap_released_bytes)),
    ("heap_live_bytes", |s| Some(s.heap_live_bytes)),
    ("heap_goal_bytes", |s| s.heap_goal_bytes),
    ("trigger_bytes", |s| s.trigger_bytes),
    ("stack_inuse_bytes", |s| Some(s.stack_inuse_bytes)),
    ("sys_bytes", |s| Some(s.sys_bytes)),
    ("rss_bytes", |s| Some(s.rss_bytes)),
    ("rss_marked_bytes", |s| Some(s.rss_ledger.marked_bytes)),
    ("rss_fresh_bytes", |s| Some(s.rss_ledger.fresh_bytes)),
    ("rss_dead_bytes", |s| Some(s.rss_ledger.dead_bytes)),
    ("rss_waste_bytes", |s| Some(s.rss_ledger.waste_bytes)),
    ("rss_free_bytes", |s| Some(s.rss_ledger.free_bytes)),
    ("rss_lazily_freed_bytes", |s| Some(s.rss_ledger.lazily_freed_bytes)),
    ("rss_stack_bytes", |s| Some(s.rss_ledger.stack_bytes)),
    ("rss_metadata_bytes", |s| Some(s.rss_ledger.metadata_bytes)),
    ("rss_binary_bytes", |s| Some(s.rss_ledger.binary_bytes)),
    ("num_gc", |s| Some(u64::from(s.num_gc))),
    ("marking", |s| Some(u64::from(s.marking))),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::tests::trace;

    #[test]
    fn csv_has_a_row_for_each_sample_of_each_run() {
        let mut off = trace();
        off.config.gogc_percent = None;
        off.samples = vec![Sample { t_ns: 7, heap_goal_bytes: None, rss_bytes: 9, ..Sample::default() }];
        let mut limited = trace();
        limited.config.memory_limit_bytes = Some(1024);
        limited.samples = vec![Sample { heap_goal_bytes: Some(5), ..Sample::default() }];
        let text = String::from_utf8(samples_csv([&off, &limited])).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("gogc,memory_limit_bytes,t_ns,heap_alloc_bytes,"));
        assert!(lines[1].starts_with("off,off,7,0,0,0,0,0,,,0,0,9,"), "{}", lines[1]);
        assert!(lines[2].starts_with("100,1024,0,0,0,0,0,0,5,,0,0,0,"), "{}", lines[2]);
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn an_abandoned_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/a.csv");
        let mut file = PendingFile::create(&path).unwrap();
        file.write(b"half").unwrap();
        drop(file);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        let mut file = PendingFile::create(&path).unwrap();
        file.write(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }
}
