//! A Go installation: which version it is, and programs built with it.
//!
//! The go command is asked and run with a fixed environment: `GOTOOLCHAIN=local`, or it would download another version
//! than the one that was named; `GO111MODULE=off`, because a program of one file is no module; no `GOFLAGS`,
//! `GOEXPERIMENT` or `GOAMD64` of the user, which would build a program that others cannot build again.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::child::{self, Bounds, Ending, Finished, Interrupt};
use crate::version::{GoVersion, VersionError};

/// The go command answers questions at once.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// The first build with a toolchain compiles Go's runtime, too.
const BUILD_TIME: Duration = Duration::from_secs(600);

/// A Go installation that the simulator knows.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The go command.
    go: PathBuf,
    /// As it names itself: `go1.23.9`.
    pub name: String,
    /// What is simulated beside it.
    pub version: GoVersion,
    /// Where built packages are kept; `None` is wherever the go command wants to.
    cache: Option<PathBuf>,
}

/// Why a toolchain cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// There is nothing to start.
    #[error("--go {}: it cannot be started: {error}", path.display())]
    NotThere {
        /// As it was named.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// It is a program, and not the go command.
    #[error("--go {}: it is not a working go command: \"go env\" {what}", path.display())]
    NotGo {
        /// As it was named.
        path: PathBuf,
        /// What it did instead.
        what: String,
    },
    /// A Go that the simulator does not know.
    #[error("--go {}: {error}", path.display())]
    Unknown {
        /// As it was named.
        path: PathBuf,
        /// Which versions would do.
        error: VersionError,
    },
    /// The program could not be built.
    #[error("{name} cannot build the program of {scenario}: {what}")]
    Build {
        /// The toolchain.
        name: String,
        /// Whose program.
        scenario: String,
        /// What the compiler said.
        what: String,
    },
    /// The user wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Toolchain {
    /// Finds the installation that `path` names: the go command, the folder that has it in `bin`, or a name to be looked
    /// for in `PATH`. Built packages go to the user's cache, or below `scratch` when there is none that can be used.
    ///
    /// # Errors
    /// [`ToolchainError`].
    pub fn find(path: &Path, scratch: &Path, interrupt: &Interrupt) -> Result<Toolchain, ToolchainError> {
        let go = if path.is_dir() { path.join("bin/go") } else { path.to_owned() };
        // It is also started from other folders; a bare name stays one that `PATH` knows.
        let go = match go.components().count() {
            0 | 1 => go,
            _ => std::path::absolute(&go)
                .map_err(|error| ToolchainError::NotThere { path: path.to_owned(), error })?,
        };
        let mut command = go_command(&go);
        command.args(["env", "GOVERSION", "GOCACHE"]);
        let bounds = Bounds { time: ANSWER_TIME, memory_bytes: None, interrupt: interrupt.clone() };
        let finished = child::run(&mut command, &bounds)
            .map_err(|error| ToolchainError::NotThere { path: path.to_owned(), error })?;
        let not_go = |what: String| ToolchainError::NotGo { path: path.to_owned(), what };
        match finished.ending {
            Ending::Exited(status) if status.success() => {}
            Ending::Interrupted => return Err(ToolchainError::Interrupted),
            _ => return Err(not_go(outcome(&finished))),
        }
        let mut lines = finished.stdout.lines();
        let name = lines.next().unwrap_or_default().trim().to_owned();
        if !is_version(&name) {
            return Err(not_go(format!("printed {name:?} where a version such as \"go1.23.9\" is expected")));
        }
        let version =
            name.parse().map_err(|error| ToolchainError::Unknown { path: path.to_owned(), error })?;
        let usable = lines.next().is_some_and(|cache| can_be_written(Path::new(cache.trim())));
        let cache = (!usable).then(|| scratch.join("go-cache"));
        Ok(Toolchain { go, name, version, cache })
    }

    /// Builds `source`, the program of `scenario`, as `program`.
    ///
    /// # Errors
    /// [`ToolchainError::Build`] with the compiler's words.
    pub fn build(
        &self,
        scenario: &str,
        source: &Path,
        program: &Path,
        interrupt: &Interrupt,
    ) -> Result<(), ToolchainError> {
        self.build_with(&[], scenario, source, program, interrupt)
    }

    /// As [`build`](Self::build), with flags of the go command.
    ///
    /// # Errors
    /// [`ToolchainError::Build`] with the compiler's words.
    pub fn build_with(
        &self,
        flags: &[&str],
        scenario: &str,
        source: &Path,
        program: &Path,
        interrupt: &Interrupt,
    ) -> Result<(), ToolchainError> {
        let error =
            |what| ToolchainError::Build { name: self.name.clone(), scenario: scenario.to_owned(), what };
        let mut command = go_command(&self.go);
        if let Some(cache) = &self.cache {
            command.env("GOCACHE", cache);
        }
        if let Some(folder) = source.parent() {
            command.current_dir(folder);
        }
        command.arg("build").args(flags).arg("-o").args([program, source]);
        let bounds = Bounds { time: BUILD_TIME, memory_bytes: None, interrupt: interrupt.clone() };
        let finished = child::run(&mut command, &bounds).map_err(|problem| error(problem.to_string()))?;
        match finished.ending {
            Ending::Exited(status) if status.success() && program.is_file() => Ok(()),
            Ending::Exited(status) if status.success() => Err(error("it wrote no program".to_owned())),
            Ending::Interrupted => Err(ToolchainError::Interrupted),
            _ => Err(error(outcome(&finished))),
        }
    }
}

/// How a go command failed, in words.
fn outcome(finished: &Finished) -> String {
    match &finished.ending {
        Ending::Exited(status) => format!("ended with {status}: {}", finished.complaint()),
        Ending::TimedOut => format!("did not end within {} s", finished.wall_ns / 1_000_000_000),
        Ending::TooMuchOutput => "printed without end".to_owned(),
        Ending::OverMemory(_) | Ending::Interrupted => "was stopped".to_owned(),
    }
}

fn go_command(go: &Path) -> Command {
    let mut command = Command::new(go);
    for unset in ["GOROOT", "GOEXPERIMENT", "GOOS", "GOARCH", "GOAMD64", "GODEBUG", "GOGC", "GOMEMLIMIT"] {
        command.env_remove(unset);
    }
    command
        .env("GOTOOLCHAIN", "local")
        .env("GO111MODULE", "off")
        .env("GOWORK", "off")
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("CGO_ENABLED", "0");
    command
}

/// `go1.23.9`, `go1.24rc1`, `devel go1.25-...`.
fn is_version(name: &str) -> bool {
    let bare = name.strip_prefix("devel ").unwrap_or(name);
    bare.strip_prefix("go").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn can_be_written(folder: &Path) -> bool {
    folder.is_absolute() && std::fs::create_dir_all(folder).is_ok() && tempfile::tempfile_in(folder).is_ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn find(script: &str) -> Result<Toolchain, ToolchainError> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("go");
        std::fs::write(&go, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&go, std::fs::Permissions::from_mode(0o755)).unwrap();
        Toolchain::find(&go, folder.path(), &Interrupt::default())
    }

    #[test]
    fn a_go_command_names_its_version() {
        let found = find("echo go1.23.9; echo off").unwrap();
        assert_eq!((found.name.as_str(), found.version), ("go1.23.9", GoVersion::Go1_23));
        assert!(found.cache.is_some(), "a cache that is off is replaced");
    }

    #[test]
    fn what_is_no_go_command_is_said_to_be_none() {
        let said = |script: &str| find(script).unwrap_err().to_string();
        assert!(said("echo broken >&2; exit 7").contains("exit status: 7: broken"), "{}", said("exit 7"));
        assert!(said("echo Python 3").contains("\"Python 3\""));
        assert!(said("true").contains("printed \"\""));
        let unknown = said("echo go1.4.2");
        assert!(unknown.contains("\"go1.4.2\" is not a Go version") && unknown.contains("1.23"), "{unknown}");
        let missing = Toolchain::find(Path::new("no/such/go"), Path::new("."), &Interrupt::default());
        assert!(matches!(missing, Err(ToolchainError::NotThere { .. })), "{missing:?}");
    }
}
