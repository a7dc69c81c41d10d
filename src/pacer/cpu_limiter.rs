//! The GC CPU limiter: assists stop when collection has eaten more than half of the CPU for a while.
//!
//! A program whose live heap does not fit its memory limit would otherwise collect for ever and do nothing else. With the
//! limiter it grows past the limit instead.
//!
//! A leaky bucket holds at most one second of CPU time for each P. GC time fills it, all other time drains it, both with
//! the same weight, so it stays full only while the collector takes half of the CPU or more. Full is *limiting*; it ends as
//! soon as an update drains the bucket a little.
//!
//! ```text
//! update after a window of w ns:
//!   total = w * procs
//!   gc    = assists (marking and scavenging) + 0.25 * total while marking
//!   fill += gc - (total - idle - gc), held between 0 and procs * 1 s
//! ```
//!
//! Idle time, including idle-priority marking, counts on neither side. While the world is stopped all of it is GC time.
//!
//! What limiting changes: assists return at once, a running assist stops, and allocation no longer scavenges to keep the
//! memory limit. Background workers and triggers go on as before.
//!
//! Differences from Go: time is passed in; the time of an assist or of idling is added when it is spent, so that
//! events in flight need not be looked at.
//!
//! Source: `runtime/mgclimit.go`, Go 1.23.9.

use super::BACKGROUND_UTILIZATION;
use super::float::to_i64;
use crate::units::{MILLISECOND_NS, SECOND_NS};

/// Bucket capacity for each P in nanoseconds of CPU time (Go's; `runtime/mgclimit.go` `capacityPerProc`, 1.23.9).
pub const CAPACITY_PER_PROC_NS: u64 = SECOND_NS;

/// Wall time in nanoseconds after which the scheduler updates the limiter while marking (Go's; `runtime/mgclimit.go`
/// `gcCPULimiterUpdatePeriod`, 1.23.9).
pub const UPDATE_PERIOD_NS: i64 = 10 * MILLISECOND_NS as i64;

/// Which way a stop-the-world pause changes the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GcTransition {
    /// Marking begins.
    StartMark,
    /// Marking ends.
    EndMark,
}

/// The leaky bucket. All times in nanoseconds.
///
/// Invariant: `fill_ns <= capacity_ns`.
#[derive(Clone, Debug)]
pub struct CpuLimiter {
    fill_ns: u64,
    capacity_ns: u64,
    overflow_ns: u64,
    limiting: bool,
    marking: bool,
    transitioning: bool,
    pending_assist_ns: i64,
    pending_idle_ns: i64,
    last_update_ns: i64,
    procs: u32,
    last_enabled_cycle: u32,
    /// Completed GC cycles; the owner keeps it current. Only [`last_enabled_cycle`](Self::last_enabled_cycle) reads it.
    pub num_gc: u32,
}

impl CpuLimiter {
    /// An empty bucket for `procs` processors at time `now_ns`.
    pub fn new(now_ns: i64, procs: u32) -> CpuLimiter {
        CpuLimiter {
            fill_ns: 0,
            capacity_ns: u64::from(procs) * CAPACITY_PER_PROC_NS,
            overflow_ns: 0,
            limiting: false,
            marking: false,
            transitioning: false,
            pending_assist_ns: 0,
            pending_idle_ns: 0,
            last_update_ns: now_ns,
            procs,
            last_enabled_cycle: 0,
            num_gc: 0,
        }
    }

    /// Whether assists are to be skipped.
    pub fn is_limiting(&self) -> bool {
        self.limiting
    }

    /// How full the bucket is, in nanoseconds of CPU time.
    pub fn fill_ns(&self) -> u64 {
        self.fill_ns
    }

    /// How much the bucket holds, in nanoseconds of CPU time.
    pub fn capacity_ns(&self) -> u64 {
        self.capacity_ns
    }

    /// GC time in nanoseconds that found the bucket full, since process start.
    pub fn overflow_ns(&self) -> u64 {
        self.overflow_ns
    }

    /// Number of the GC cycle in which limiting last began, 0 if never (`/gc/limiter/last-enabled:gc-cycle`).
    pub fn last_enabled_cycle(&self) -> u32 {
        self.last_enabled_cycle
    }

    /// Whether the last update is more than [`UPDATE_PERIOD_NS`] ago.
    pub fn needs_update(&self, now_ns: i64) -> bool {
        now_ns - self.last_update_ns > UPDATE_PERIOD_NS
    }

    /// Adds CPU time of assists - marking or scavenging - to the next update.
    pub fn add_assist_ns(&mut self, cpu_ns: i64) {
        self.pending_assist_ns += cpu_ns;
    }

    /// Adds time that a P was idle, or marked at idle priority, to the next update.
    pub fn add_idle_ns(&mut self, cpu_ns: i64) {
        self.pending_idle_ns += cpu_ns;
    }

    /// Accounts for everything since the last update.
    pub fn update(&mut self, now_ns: i64) {
        assert!(!self.transitioning, "limiter updated while the world is stopped, at {now_ns} ns");
        self.flush(now_ns);
    }

    /// The world has been stopped to begin or end marking.
    pub fn start_transition(&mut self, transition: GcTransition, now_ns: i64) {
        let marking = transition == GcTransition::StartMark;
        assert!(self.marking != marking, "{transition:?} at {now_ns} ns, but marking is {}", self.marking);
        self.flush(now_ns);
        self.marking = marking;
        self.transitioning = true;
    }

    /// The world runs again: the whole pause was GC time on every P.
    pub fn finish_transition(&mut self, now_ns: i64) {
        assert!(self.transitioning, "no transition to finish at {now_ns} ns");
        if now_ns >= self.last_update_ns {
            self.accumulate(0, (now_ns - self.last_update_ns) * i64::from(self.procs));
        }
        self.last_update_ns = now_ns;
        self.transitioning = false;
    }

    /// GOMAXPROCS has changed. Not to be called while marking.
    pub fn set_procs(&mut self, now_ns: i64, procs: u32) {
        self.flush(now_ns);
        self.procs = procs;
        self.capacity_ns = u64::from(procs) * CAPACITY_PER_PROC_NS;
        if self.fill_ns > self.capacity_ns {
            self.fill_ns = self.capacity_ns;
            self.enable();
        } else if self.fill_ns < self.capacity_ns {
            self.limiting = false;
        }
    }

    fn flush(&mut self, now_ns: i64) {
        if now_ns < self.last_update_ns {
            return;
        }
        let total_ns = (now_ns - self.last_update_ns) * i64::from(self.procs);
        self.last_update_ns = now_ns;
        let idle_ns = std::mem::take(&mut self.pending_idle_ns);
        let mut gc_ns = std::mem::take(&mut self.pending_assist_ns);
        if self.marking {
            gc_ns += to_i64(total_ns as f64 * BACKGROUND_UTILIZATION);
        }
        self.accumulate(total_ns - idle_ns - gc_ns, gc_ns);
    }

    fn accumulate(&mut self, mutator_ns: i64, gc_ns: i64) {
        let headroom_ns = self.capacity_ns - self.fill_ns;
        let was_full = headroom_ns == 0;
        let change_ns = gc_ns - mutator_ns;
        if change_ns > 0 && headroom_ns <= change_ns as u64 {
            self.overflow_ns += change_ns as u64 - headroom_ns;
            self.fill_ns = self.capacity_ns;
            if !was_full {
                self.enable();
            }
            return;
        }
        self.fill_ns = self.fill_ns.saturating_add_signed(change_ns);
        if change_ns != 0 && was_full {
            self.limiting = false;
        }
    }

    fn enable(&mut self) {
        self.limiting = true;
        self.last_enabled_cycle = self.num_gc + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: i64 = MILLISECOND_NS as i64;
    const S: i64 = SECOND_NS as i64;
    const PROCS: u32 = 4;

    fn marking() -> CpuLimiter {
        let mut limiter = CpuLimiter::new(0, PROCS);
        limiter.start_transition(GcTransition::StartMark, 0);
        limiter.finish_transition(0);
        limiter
    }

    #[test]
    fn the_program_alone_never_fills_the_bucket() {
        let mut limiter = CpuLimiter::new(0, PROCS);
        for now in [10 * MS, S, 3600 * S] {
            limiter.update(now);
            assert_eq!((limiter.fill_ns(), limiter.is_limiting()), (0, false));
        }
    }

    #[test]
    fn background_marking_alone_drains_the_bucket() {
        let mut limiter = CpuLimiter::new(0, PROCS);
        limiter.start_transition(GcTransition::StartMark, 10 * MS);
        limiter.finish_transition(12 * MS);
        // 2 ms of pause on 4 processors.
        assert_eq!(limiter.fill_ns(), 8_000_000);
        // 1 ms at 25 %: 1 ms of CPU in, 3 ms out.
        limiter.update(13 * MS);
        assert_eq!(limiter.fill_ns(), 6_000_000);
    }

    #[test]
    fn half_of_the_cpu_is_where_filling_begins() {
        let mut limiter = marking();
        limiter.add_assist_ns(10 * MS);
        limiter.update(10 * MS);
        assert_eq!(limiter.fill_ns(), 0);
        limiter.add_assist_ns(11 * MS);
        limiter.update(20 * MS);
        assert_eq!(limiter.fill_ns(), 2_000_000);
    }

    #[test]
    fn a_full_bucket_limits_until_it_is_drained_a_little() {
        let mut limiter = marking();
        limiter.num_gc = 6;
        // Everything is GC time: 3 of 4 processors assist for a second.
        limiter.add_assist_ns(3 * S);
        limiter.update(S);
        assert_eq!((limiter.fill_ns(), limiter.overflow_ns()), (4_000_000_000, 0));
        assert!(limiter.is_limiting());
        assert_eq!(limiter.last_enabled_cycle(), 7);
        // Exactly half: neither in nor out, still limiting.
        limiter.add_assist_ns(S);
        limiter.update(2 * S);
        assert!(limiter.is_limiting());
        // A second of nothing but GC time overflows.
        limiter.add_assist_ns(3 * S);
        limiter.update(3 * S);
        assert_eq!(limiter.overflow_ns(), 4_000_000_000);
        // A nanosecond without assists ends it.
        limiter.update(3 * S + 1);
        assert!(!limiter.is_limiting());
        assert_eq!(limiter.fill_ns(), 4_000_000_000 - 2);
    }

    #[test]
    fn idle_time_counts_on_neither_side() {
        let mut limiter = marking();
        // 4 s of CPU, 2 s of it idle, 1 s background marking: 1 s GC against 1 s program.
        limiter.add_idle_ns(2 * S);
        limiter.update(S);
        assert_eq!(limiter.fill_ns(), 0);
        // With 3 s idle the rest is all GC time.
        limiter.add_idle_ns(3 * S);
        limiter.update(2 * S);
        assert_eq!(limiter.fill_ns(), 1_000_000_000);
    }

    #[test]
    fn more_processors_end_limiting_and_fewer_bring_it_back() {
        let mut limiter = marking();
        limiter.add_assist_ns(3 * S);
        limiter.start_transition(GcTransition::EndMark, S);
        limiter.finish_transition(S);
        assert!(limiter.is_limiting());
        limiter.set_procs(S, 6);
        assert!(!limiter.is_limiting());
        assert_eq!((limiter.fill_ns(), limiter.capacity_ns()), (4_000_000_000, 6_000_000_000));
        limiter.set_procs(S, 2);
        assert!(limiter.is_limiting());
        assert_eq!((limiter.fill_ns(), limiter.overflow_ns()), (2_000_000_000, 0));
    }

    #[test]
    fn updates_are_due_every_ten_milliseconds() {
        let limiter = CpuLimiter::new(0, 1);
        assert!(!limiter.needs_update(10 * MS));
        assert!(limiter.needs_update(10 * MS + 1));
    }

    proptest! {
        #[test]
        fn the_bucket_is_never_more_than_full(
            steps in prop::collection::vec((0i64..S, 0i64..4 * S, 0i64..4 * S), 1..40),
        ) {
            let mut limiter = marking();
            let mut now = 0;
            for (window, assist, idle) in steps {
                now += window;
                limiter.add_assist_ns(assist);
                limiter.add_idle_ns(idle);
                limiter.update(now);
                prop_assert!(limiter.fill_ns() <= limiter.capacity_ns());
                prop_assert!(!limiter.is_limiting() || limiter.fill_ns() == limiter.capacity_ns());
            }
        }
    }
}
