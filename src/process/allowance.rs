//! How much a run may do before it is cut off: for runs that a stranger has asked for.
//!
//! Work is counted, not timed, so that the same run is cut off at the same place on every machine. A unit is a slice of the
//! program's work (a few hundred operations), twenty microseconds in which the program was busy, or a step of what runs
//! beside it: each takes the host some microseconds.
//!
//! **Invariant.** A run that stays within its allowance is the run without one, byte for byte.

use super::Process;

/// Virtual nanoseconds of a busy program that count as one unit of work.
const BUSY_UNIT_NS: f64 = 20_000.0;

/// How much a run may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Units of work.
    pub work: u64,
    /// Bytes of address space of the heap and of stacks (`Sys`).
    pub sys_bytes: u64,
}

impl Allowance {
    /// As much as it likes.
    pub const UNLIMITED: Allowance = Allowance { work: u64::MAX, sys_bytes: u64::MAX };
}

/// What a run has used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// Work.
    #[error("it needs more work than one run may do here ({limit} units)")]
    Work {
        /// Units allowed.
        limit: u64,
    },
    /// Memory.
    #[error("it needs more memory than one run may have here ({} MiB)", limit_bytes >> 20)]
    Memory {
        /// Bytes allowed.
        limit_bytes: u64,
    },
}

/// What is allowed and what was done.
#[derive(Debug)]
pub(super) struct Meter {
    allowance: Allowance,
    work: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Meter { allowance: Allowance::UNLIMITED, work: 0 }
    }
}

impl Meter {
    /// Counts one step of what runs beside the program.
    #[inline]
    pub(super) fn count_step(&mut self) {
        self.work += 1;
    }

    /// Whether all work that was allowed is done.
    #[inline]
    pub(super) fn is_spent(&self) -> bool {
        self.work > self.allowance.work
    }
}

impl Process {
    /// Limits what the process may do from its start on.
    pub fn set_allowance(&mut self, allowance: Allowance) {
        self.meter.allowance = allowance;
    }

    /// Counts a slice of the program's work during which the program was busy for `busy_ns`.
    pub fn count_work(&mut self, busy_ns: f64) {
        self.meter.work += 1 + (busy_ns / BUSY_UNIT_NS) as u64;
    }

    /// Units of work done so far.
    pub fn work(&self) -> u64 {
        self.meter.work
    }

    /// Set once the process has used up what it is allowed; whoever runs it stops.
    pub fn exhausted(&self) -> Option<Exhausted> {
        let Allowance { work, sys_bytes } = self.meter.allowance;
        if self.meter.is_spent() {
            return Some(Exhausted::Work { limit: work });
        }
        let accounts = &self.heap.accounts;
        let is_large = accounts.heap_sys_bytes() + accounts.stacks_in_use_bytes() > sys_bytes;
        is_large.then_some(Exhausted::Memory { limit_bytes: sys_bytes })
    }
}
