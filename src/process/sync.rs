//! What locks, `sync.Map` and `sync.Pool` cost in virtual time.
//!
//! Goroutines of different Ps carry out their work batch by batch, each with a clock of its own; the one that is furthest
//! behind goes first. So contention is settled batch by batch, too: a batch behind a lock has needed the lock for some time,
//! and where another goroutine's batch held the same lock at the same time, it waits. A goroutine that comes second finds the
//! whole stretch taken: it gets its turn when the other's batch has ended. That is how Go behaves as well - who runs and wants
//! the lock again gets it before somebody who has to wake up first.
//!
//! Formulas, for a batch of `n` operations that takes `d` ns alone, all of it inside locks:
//!
//! 1. With `s` locks that are used alike, a batch keeps each busy for a share `1/s` of its time. Beside it another batch
//!    advances at the rate `1 - 1/s`, and not at all when `s` is 1. Readers do not wait for readers.
//! 2. Beside `o` other goroutines that use the same locks, each operation costs `2 * o / (o + 1)` times a measured price
//!    more: half of all operations of two goroutines find lock and bucket in another core's cache. For one lock these are
//!    `write_handoff_ns` and `read_contended_ns`, for several `write_shared_ns` and `read_shared_ns`.
//!
//! Differences from Go: keys are taken to use all locks of a sharded map alike; who waits does not give its P to another
//! goroutine; starvation mode, which hands a lock over after a millisecond, is part of the measured price. The price for
//! several locks was measured with 16 and two goroutines, and is used for any number.
//!
//! Sources: `sync/mutex.go`, `sync/rwmutex.go`, Go 1.23.9.

use super::Process;
use crate::cost::Sync;
use crate::heap::malloc::Run;
use crate::heap::object::ObjRef;

/// Shares of a lock above which nobody else gets it.
const ALL_OF_IT: f64 = 0.999;
/// Batches of other goroutines that are remembered, at most.
const BATCHES_LIMIT: usize = 256;

/// An operation on a `sync.Map`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMapOperation {
    /// `Store` of a new key.
    Store,
    /// `Store` over an old value.
    Overwrite,
    /// `Load` of a key that is there.
    LoadHit,
    /// `Load` of a key that is not.
    LoadMiss,
    /// `Delete`.
    Delete,
    /// One key of a `Range`.
    Range,
}

/// How an object came from a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolPath {
    /// By way of a P's private place.
    Private,
    /// By way of a chain.
    Shared,
    /// Not at all: `New` made it.
    New,
}

/// What a batch does behind locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockUse {
    /// `Lock`.
    Write,
    /// `RLock`.
    Read,
}

/// A batch of operations behind locks that has been carried out as if nobody else were there.
#[derive(Clone, Copy, Debug)]
pub struct LockedBatch {
    /// When it began.
    pub start_ns: f64,
    /// Operations.
    pub count: u64,
    /// How the locks are held.
    pub lock_use: LockUse,
    /// Locks.
    pub locks: u32,
    /// Bytes that the operations wander over.
    pub working_set_bytes: u64,
}

/// Who held the locks of a variable when.
#[derive(Clone, Debug, Default)]
pub struct LockTimes {
    held: Vec<Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    goroutine: usize,
    start_ns: f64,
    end_ns: f64,
    lock_use: LockUse,
}

impl LockTimes {
    /// When work that needs each lock for `1/locks` of its time is done, if it starts at `start_ns` and takes `need_ns` alone.
    fn done_ns(&self, goroutine: usize, start_ns: f64, need_ns: f64, lock_use: LockUse, locks: u32) -> f64 {
        let (mut now_ns, mut need_ns) = (start_ns, need_ns);
        let excludes = |held: &&Held| {
            held.goroutine != goroutine && (held.lock_use == LockUse::Write || lock_use == LockUse::Write)
        };
        let busy = 1.0 / f64::from(locks);
        for held in self.held.iter().filter(excludes).filter(|held| held.end_ns > start_ns) {
            if now_ns + need_ns <= held.start_ns {
                break;
            }
            let free_ns = (held.start_ns - now_ns).max(0.0);
            need_ns -= free_ns;
            now_ns += free_ns;
            let beside_ns = (held.end_ns - now_ns).max(0.0);
            if busy < ALL_OF_IT {
                let advance_ns = (beside_ns * (1.0 - busy)).min(need_ns);
                now_ns += advance_ns / (1.0 - busy);
                need_ns -= advance_ns;
            } else {
                now_ns += beside_ns;
            }
        }
        now_ns + need_ns
    }

    /// Goroutines other than this one that held a lock after `since_ns`.
    fn others_since(&self, goroutine: usize, since_ns: f64) -> usize {
        let others = self.held.iter().filter(|held| held.goroutine != goroutine && held.end_ns > since_ns);
        let mut numbers: Vec<usize> = others.map(|held| held.goroutine).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.len()
    }

    fn note(&mut self, held: Held) {
        let place = self.held.partition_point(|other| other.start_ns <= held.start_ns);
        self.held.insert(place, held);
        if self.held.len() > BATCHES_LIMIT {
            self.held.remove(0);
        }
    }
}

impl Process {
    fn sync_prices(&self) -> &Sync {
        &self.costs.sync
    }

    /// Virtual time of the running goroutine, to the part of a nanosecond.
    pub fn exact_now_ns(&self) -> f64 {
        self.now_ns
    }

    /// `count` operations on a `sync.Map` of so many bytes, without what they allocate.
    pub fn spend_on_sync_map(&mut self, operation: SyncMapOperation, count: u64, working_set_bytes: u64) {
        if count == 0 {
            return;
        }
        let prices = self.sync_prices();
        let curve = match operation {
            SyncMapOperation::Store => &prices.store_ns,
            SyncMapOperation::Overwrite => &prices.overwrite_ns,
            SyncMapOperation::LoadHit => &prices.load_hit_ns,
            SyncMapOperation::LoadMiss => &prices.load_miss_ns,
            SyncMapOperation::Delete => &prices.delete_ns,
            SyncMapOperation::Range => &prices.range_ns,
        };
        let cpu_ns = curve.at(working_set_bytes) * count as f64;
        self.spend_cpu_ns(cpu_ns);
    }

    /// A `Get` from a pool and the `Put` that belongs to it, without what `New` allocates.
    pub fn spend_on_pool(&mut self, path: PoolPath) {
        let prices = self.sync_prices();
        let cpu_ns = match path {
            PoolPath::Private => prices.pool_private_ns,
            PoolPath::Shared => prices.pool_shared_ns,
            PoolPath::New => prices.pool_new_ns,
        };
        self.spend_cpu_ns(cpu_ns);
    }

    /// The program writes the first `len_bytes` of an object that it has had for a while.
    pub fn write_again(&mut self, object: ObjRef, len_bytes: u64) {
        self.write_run(Run::of_one(object), len_bytes);
    }

    /// What locking and unlocking adds to each operation of a batch while nobody else wants the locks. A `sync.Mutex` is
    /// cheaper than an `RWMutex` by what it is alone.
    pub fn spend_on_locks(&mut self, batch: &LockedBatch, lock: LockKind) {
        let prices = self.sync_prices();
        let more_ns = match batch.lock_use {
            LockUse::Write => prices.write_locked_ns.at(batch.working_set_bytes),
            LockUse::Read => prices.read_locked_ns.at(batch.working_set_bytes),
        };
        let cheaper_ns = match (lock, batch.lock_use) {
            (LockKind::RwMutex, _) => 0.0,
            (LockKind::Mutex, LockUse::Write) => prices.rwmutex_write_ns - prices.mutex_ns,
            (LockKind::Mutex, LockUse::Read) => prices.rwmutex_read_ns - prices.mutex_ns,
        };
        let cpu_ns = (more_ns - cheaper_ns).max(0.0) * batch.count as f64;
        self.spend_cpu_ns(cpu_ns);
    }

    /// Settles with the other goroutines what a batch has taken: waiting, and cache lines that come from other cores.
    pub fn settle_locks(&mut self, times: &mut LockTimes, batch: &LockedBatch) {
        let goroutine = self.current;
        let others = times.others_since(goroutine, batch.start_ns) as f64;
        if others > 0.0 {
            let prices = self.sync_prices();
            let curve = match (batch.lock_use, batch.locks) {
                (LockUse::Write, 1) => &prices.write_handoff_ns,
                (LockUse::Write, _) => &prices.write_shared_ns,
                (LockUse::Read, 1) => &prices.read_contended_ns,
                (LockUse::Read, _) => &prices.read_shared_ns,
            };
            let more_ns = curve.at(batch.working_set_bytes) * 2.0 * others / (others + 1.0);
            self.spend_cpu_ns(more_ns * batch.count as f64);
        }
        let need_ns = self.now_ns - batch.start_ns;
        let done_ns = times.done_ns(goroutine, batch.start_ns, need_ns, batch.lock_use, batch.locks);
        let start_ns = if batch.locks == 1 { done_ns - need_ns } else { batch.start_ns };
        times.note(Held { goroutine, start_ns, end_ns: done_ns, lock_use: batch.lock_use });
        self.now_ns = self.now_ns.max(done_ns);
        self.catch_up();
    }
}

/// The kind of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// `sync.Mutex`: lookups exclude one another as well.
    Mutex,
    /// `sync.RWMutex`.
    RwMutex,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(batches: &[(usize, f64, f64, LockUse)]) -> LockTimes {
        let mut times = LockTimes::default();
        for (goroutine, start_ns, end_ns, lock_use) in batches.iter().copied() {
            times.note(Held { goroutine, start_ns, end_ns, lock_use });
        }
        times
    }

    #[test]
    fn a_writer_waits_for_the_whole_of_anothers_turn() {
        let times = times(&[(1, 100.0, 200.0, LockUse::Write)]);
        assert_eq!(times.done_ns(2, 100.0, 80.0, LockUse::Write, 1), 280.0);
        assert_eq!(times.done_ns(2, 50.0, 80.0, LockUse::Write, 1), 230.0, "50 ns before, 30 after");
        assert_eq!(times.done_ns(2, 0.0, 80.0, LockUse::Write, 1), 80.0);
        assert_eq!(times.done_ns(1, 100.0, 80.0, LockUse::Write, 1), 180.0, "nobody waits for himself");
    }

    #[test]
    fn with_many_locks_a_batch_is_slowed_by_the_share_of_one() {
        let times = times(&[(1, 0.0, 1000.0, LockUse::Write)]);
        assert!((times.done_ns(2, 0.0, 150.0, LockUse::Write, 16) - 160.0).abs() < 1e-9);
    }

    #[test]
    fn readers_share_and_writers_do_not() {
        let times = times(&[(1, 0.0, 100.0, LockUse::Read)]);
        assert_eq!(times.done_ns(2, 0.0, 50.0, LockUse::Read, 1), 50.0);
        assert_eq!(times.done_ns(2, 0.0, 50.0, LockUse::Write, 1), 150.0);
        assert_eq!(times.others_since(2, 50.0), 1);
        assert_eq!(times.others_since(1, 50.0), 0);
    }
}
