//! How the process is set up: the `[go]` and `[machine]` tables, and flags that override them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::process::CostProfile;
use crate::trace::Config;
use crate::units::Bytes;
use crate::version::GoVersion;

/// Largest GOGC in percent that is accepted. Our limit, far beyond any use: Go's is that of an `int32`.
pub const GOGC_LIMIT_PERCENT: u32 = 1_000_000;
/// Largest GOMAXPROCS and number of cores that are accepted. Our limit.
pub const PROCS_LIMIT: u32 = 256;

/// GOGC: how much the heap may grow between collections, in percent of what was live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gogc {
    /// Never collect for growth.
    Off,
    /// Percent, 0 to `GOGC_LIMIT_PERCENT`.
    Percent(u32),
}

impl Gogc {
    /// The percentage; `None` when off.
    pub fn percent(self) -> Option<u32> {
        match self {
            Gogc::Off => None,
            Gogc::Percent(percent) => Some(percent),
        }
    }
}

impl FromStr for Gogc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "off" => Ok(Gogc::Off),
            number => number
                .parse()
                .ok()
                .filter(|percent| *percent <= GOGC_LIMIT_PERCENT)
                .map(Gogc::Percent)
                .ok_or_else(|| {
                    format!("{text:?} is not a GOGC; accepted: 0 to {GOGC_LIMIT_PERCENT}, or \"off\"")
                }),
        }
    }
}

impl fmt::Display for Gogc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gogc::Off => f.pad("off"),
            Gogc::Percent(percent) => f.pad(&percent.to_string()),
        }
    }
}

/// GOMEMLIMIT: the soft limit on what the runtime takes from the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    /// No limit.
    Off,
    /// The limit in bytes.
    Bytes(u64),
}

impl MemoryLimit {
    /// The limit in bytes; `None` when off.
    pub fn bytes(self) -> Option<u64> {
        match self {
            MemoryLimit::Off => None,
            MemoryLimit::Bytes(bytes) => Some(bytes),
        }
    }
}

impl FromStr for MemoryLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "off" => Ok(MemoryLimit::Off),
            size => size
                .parse::<Bytes>()
                .ok()
                .filter(|bytes| bytes.0 > 0)
                .map(|bytes| MemoryLimit::Bytes(bytes.0))
                .ok_or_else(|| {
                    format!("{text:?} is not a memory limit; accepted: a size such as \"64MiB\", or \"off\"")
                }),
        }
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemoryLimit::Off => f.pad("off"),
            MemoryLimit::Bytes(bytes) => f.pad(&Bytes(*bytes).to_string()),
        }
    }
}

/// The `[go]` table: the simulated process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoSettings {
    /// Which Go is simulated; the newest by default.
    pub version: GoVersion,
    /// GOGC; 100 by default.
    pub gogc: Gogc,
    /// GOMEMLIMIT; off by default.
    pub memory_limit: MemoryLimit,
    /// GOMAXPROCS; the machine's cores by default.
    pub procs: u32,
    /// Seed of everything random; 1 by default.
    pub seed: u64,
    /// Whether pages go back with MADV_DONTNEED (`true`, the default) or MADV_FREE (`GODEBUG=madvdontneed=0`).
    pub madvdontneed: bool,
}

/// The `[machine]` table: what the process runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The container's memory limit in bytes: crossing it kills the process. No limit by default.
    pub memory_bytes: Option<u64>,
    /// Processor cores; 2 by default.
    pub cores: u32,
}

/// Flags that override a scenario's settings. `None` leaves the file's.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "each overrides the field of that name")]
pub struct Overrides {
    pub version: Option<GoVersion>,
    pub gogc: Option<Gogc>,
    pub memory_limit: Option<MemoryLimit>,
    pub procs: Option<u32>,
    pub seed: Option<u64>,
    pub madvdontneed: Option<bool>,
    pub machine_memory_bytes: Option<u64>,
    pub cores: Option<u32>,
    pub cost_profile: Option<Arc<CostProfile>>,
}

/// The settings of one run: a scenario's own, after flags have overridden them.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSettings {
    /// The process.
    pub go: GoSettings,
    /// What it runs on.
    pub machine: Machine,
    /// What work costs; `None` is the built-in profile of the Go release.
    pub cost_profile: Option<Arc<CostProfile>>,
}

impl RunSettings {
    /// These settings with `overrides` in their place.
    pub fn overridden(self, overrides: &Overrides) -> RunSettings {
        let RunSettings { go, machine, cost_profile } = self;
        RunSettings {
            go: GoSettings {
                version: overrides.version.unwrap_or(go.version),
                gogc: overrides.gogc.unwrap_or(go.gogc),
                memory_limit: overrides.memory_limit.unwrap_or(go.memory_limit),
                procs: overrides.procs.unwrap_or(go.procs),
                seed: overrides.seed.unwrap_or(go.seed),
                madvdontneed: overrides.madvdontneed.unwrap_or(go.madvdontneed),
            },
            machine: Machine {
                memory_bytes: overrides.machine_memory_bytes.or(machine.memory_bytes),
                cores: overrides.cores.unwrap_or(machine.cores),
            },
            cost_profile: overrides.cost_profile.clone().or(cost_profile),
        }
    }

    /// What work costs in this run.
    pub fn cost_profile(&self) -> Arc<CostProfile> {
        self.cost_profile.clone().unwrap_or_else(|| CostProfile::of(self.go.version))
    }

    /// What the trace says about these settings.
    pub fn config(&self) -> Config {
        Config {
            go: self.go.version.name().to_owned(),
            gogc_percent: self.go.gogc.percent(),
            memory_limit_bytes: self.go.memory_limit.bytes(),
            procs: self.go.procs,
            cores: self.machine.cores,
            seed: self.go.seed,
            madvdontneed: self.go.madvdontneed,
            machine_memory_bytes: self.machine.memory_bytes,
            cost_profile: self.cost_profile().name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_as_go_writes_them() {
        assert_eq!("off".parse(), Ok(Gogc::Off));
        assert_eq!("200".parse(), Ok(Gogc::Percent(200)));
        assert_eq!("64MiB".parse(), Ok(MemoryLimit::Bytes(64 << 20)));
        assert_eq!("off".parse(), Ok(MemoryLimit::Off));
        for text in ["-1", "Off", "100%", "1000001", ""] {
            assert!(text.parse::<Gogc>().unwrap_err().contains("or \"off\""), "{text}");
        }
        for text in ["0", "64MB", "-1", ""] {
            assert!(text.parse::<MemoryLimit>().unwrap_err().contains("64MiB"), "{text}");
        }
    }
}
