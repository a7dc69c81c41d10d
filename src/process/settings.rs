//! The settings of one simulated process: its Go, its environment variables, its machine.

use std::sync::Arc;

use crate::cost::CostProfile;
use crate::trace::Config;
use crate::version::GoVersion;

/// What a process is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Which Go.
    pub version: GoVersion,
    /// GOGC in percent; `None` is off.
    pub gogc_percent: Option<u32>,
    /// GOMEMLIMIT in bytes; `None` is off.
    pub memory_limit_bytes: Option<u64>,
    /// GOMAXPROCS, 1 or more.
    pub procs: u32,
    /// Processor cores of the machine, 1 or more.
    pub cores: u32,
    /// Seed of everything random.
    pub seed: u64,
    /// How free pages go back to the kernel.
    pub release: ReleaseAdvice,
    /// The container's memory limit in bytes; `None` is none.
    pub machine_memory_bytes: Option<u64>,
    /// What work costs; `None` is the built-in profile of the version.
    pub cost_profile: Option<Arc<CostProfile>>,
}

/// The `madvise` call that returns pages (GODEBUG `madvdontneed`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReleaseAdvice {
    /// MADV_DONTNEED: RSS falls at once (the default of every version simulated).
    #[default]
    DontNeed,
    /// MADV_FREE: RSS falls only when the kernel is short of memory.
    Free,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            version: GoVersion::default(),
            gogc_percent: Some(100),
            memory_limit_bytes: None,
            procs: 2,
            cores: 2,
            seed: 1,
            release: ReleaseAdvice::default(),
            machine_memory_bytes: None,
            cost_profile: None,
        }
    }
}

impl Settings {
    /// What work costs.
    pub fn cost_profile(&self) -> Arc<CostProfile> {
        self.cost_profile.clone().unwrap_or_else(|| CostProfile::of(self.version))
    }

    /// The settings as a trace records them.
    pub fn config(&self) -> Config {
        Config {
            go: self.version.name().to_owned(),
            gogc_percent: self.gogc_percent,
            memory_limit_bytes: self.memory_limit_bytes,
            procs: self.procs,
            cores: self.cores,
            seed: self.seed,
            madvdontneed: self.release == ReleaseAdvice::DontNeed,
            machine_memory_bytes: self.machine_memory_bytes,
            cost_profile: self.cost_profile().name.clone(),
        }
    }
}
