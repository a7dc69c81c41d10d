//! Pools: what the start of a cycle does to every `sync.Pool`.
//!
//! With the world stopped, before anything is marked, what a pool holds becomes its *victim cache*, and the victim cache of
//! the cycle before is forgotten. Both are pointers of package-level variables, so the process moves them; the pool itself
//! learns from [`Process::cycles_begun`] how often that has happened.
//!
//! Sources: `sync/pool.go` `poolCleanup`, `runtime/mgc.go` `clearpools`, Go 1.23.9.

use super::Process;
use crate::heap::mutator::Global;
use crate::heap::object::ObjRef;

/// Variables that are moved when a cycle starts.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// From where to where.
    moves: Vec<(Global, Global)>,
    cycles_begun: u64,
}

impl Process {
    /// From now on each start of a cycle moves what `local` points to into `victim`.
    pub fn clear_at_cycles(&mut self, local: Global, victim: Global) {
        self.pools.moves.push((local, victim));
    }

    /// How many cycles have started.
    pub fn cycles_begun(&self) -> u64 {
        self.pools.cycles_begun
    }

    /// The P of the running goroutine.
    pub fn current_p(&self) -> usize {
        self.cache()
    }

    /// `clearpools`: the world is stopped and nothing is marked yet, so no barrier is needed.
    pub(super) fn clear_pools(&mut self) {
        self.pools.cycles_begun += 1;
        for (local, victim) in &self.pools.moves {
            self.globals[victim.0] = std::mem::take(&mut self.globals[local.0]);
        }
        debug_assert!(self.pools.moves.iter().all(|(local, _)| self.globals[local.0] == ObjRef::NIL));
    }
}
