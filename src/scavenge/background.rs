//! The background scavenger: when it works, for how long, and when it sleeps (Go's `scavengerState`, `bgscavenge`).
//!
//! ```text
//! parked --wake--> run: release 64 KiB at a time, until 1 ms is worked, the goals are met, or less than 64 KiB came
//!                   nothing released -> parked
//!                   else worked = max(worked, 1 ms); sleep worked / sleep_ratio (a wake cuts it short)
//! awake: cooling down? -> cool-down -= slept + worked
//!        else usage = worked / ((slept + worked) * P)
//!             sleep_ratio = controller(usage, 0.01, slept + worked); if that fails: 0.001, and 5 s of cool-down
//!        -> run
//! ```
//!
//! From rest: 1 ms of work, 1 s of sleep at ratio 0.001, then one of about 0.3 s, then ratio about 1 - which is 100 times
//! the CPU share aimed at - until the controller has pulled it back.
//!
//! While parked or asleep it costs nothing: [`BackgroundScavenger::next_event_ns`] says when to call again.
//!
//! Differences from Go: it runs the moment it is due, and its CPU time passes at once: the sleep starts at the call's time
//! plus the time worked.
//!
//! Source: `runtime/mgcscavenge.go` `scavengerState` (Go 1.23.9).

use super::PiController;
use crate::units::{KIB, MICROSECOND_NS, MILLISECOND_NS, PHYSICAL_PAGE_BYTES, SECOND_NS};

/// Bytes asked for in one step (`scavengeQuantum`, Go's, every version). A step may release up to 2 MiB.
pub const QUANTUM_BYTES: u64 = 64 * KIB;
/// Least work between two sleeps (`minScavWorkTime`, Go's, every version).
const MIN_WORK_NS: f64 = MILLISECOND_NS as f64;
/// Sleep ratio at the start and while cooling down (`startingScavSleepRatio`, Go's, every version).
const STARTING_SLEEP_RATIO: f64 = 0.001;
/// Share of CPU time to spend (`scavengePercent`, Go's, every version).
const TARGET_CPU_FRACTION: f64 = 0.01;
/// How long the controller rests after it failed (Go's, every version).
const COOL_DOWN_NS: u64 = 5 * SECOND_NS;
/// What releasing a physical page is taken to cost when no time seems to have passed (Go's, every version).
const ASSUMED_PAGE_NS: u64 = 10 * MICROSECOND_NS;

/// What one step of scavenging did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Bytes released; less than the quantum means that nothing is left.
    pub released_bytes: u64,
    /// CPU time it took.
    pub worked_ns: u64,
}

/// What one run between two sleeps did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Bytes released.
    pub released_bytes: u64,
    /// CPU time spent.
    pub worked_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Waits for a wake-up.
    Parked,
    /// Runs from this time on.
    Due { at_ns: u64 },
    /// Worked, then sleeps from one time to the other.
    Asleep { from_ns: u64, until_ns: u64, worked_ns: f64 },
}

/// The scavenger goroutine of one process.
#[derive(Clone, Debug)]
pub struct BackgroundScavenger {
    state: State,
    sleep_ratio: f64,
    controller: PiController,
    cool_down_ns: u64,
    controller_was_reset: bool,
}

impl Default for BackgroundScavenger {
    fn default() -> Self {
        BackgroundScavenger {
            state: State::Parked,
            sleep_ratio: STARTING_SLEEP_RATIO,
            controller: PiController::SCAVENGER,
            cool_down_ns: 0,
            controller_was_reset: false,
        }
    }
}

impl BackgroundScavenger {
    /// A scavenger that is parked, as at the start of a process.
    pub fn new() -> BackgroundScavenger {
        BackgroundScavenger::default()
    }

    /// Ends parking, or cuts a sleep short. Does nothing while the scavenger is at work or due already.
    pub fn wake(&mut self, now_ns: u64) {
        match &mut self.state {
            State::Parked => self.state = State::Due { at_ns: now_ns },
            State::Asleep { from_ns, until_ns, .. } if *from_ns <= now_ns => {
                *until_ns = now_ns.min(*until_ns)
            }
            State::Asleep { .. } | State::Due { .. } => {}
        }
    }

    /// When [`run`](Self::run) has to be called next; `None` while parked.
    #[inline]
    pub fn next_event_ns(&self) -> Option<u64> {
        match self.state {
            State::Parked => None,
            State::Due { at_ns } => Some(at_ns),
            State::Asleep { until_ns, .. } => Some(until_ns),
        }
    }

    /// Works if it is time: calls `release` with the quantum until there is a reason to stop, then sleeps or parks.
    ///
    /// `release` scavenges so many bytes with background reach; it answers `None` when both goals are met. `procs` is
    /// GOMAXPROCS.
    pub fn run(&mut self, now_ns: u64, procs: u64, release: impl FnMut(u64) -> Option<Work>) -> Batch {
        if self.next_event_ns().is_none_or(|due_ns| now_ns < due_ns) {
            return Batch::default();
        }
        if let State::Asleep { from_ns, worked_ns, .. } = self.state {
            self.adjust_sleep_ratio((now_ns - from_ns) as f64, worked_ns, procs);
        }
        let batch = work(release);
        self.state = if batch.released_bytes == 0 {
            State::Parked
        } else {
            let worked_ns = MIN_WORK_NS.max(batch.worked_ns as f64);
            let from_ns = now_ns + batch.worked_ns;
            State::Asleep { from_ns, until_ns: from_ns + (worked_ns / self.sleep_ratio) as u64, worked_ns }
        };
        batch
    }

    /// The ratio of time worked to time slept, as the controller set it last.
    pub fn sleep_ratio(&self) -> f64 {
        self.sleep_ratio
    }

    /// Whether the controller failed since this was last asked: `scavtrace` prints it.
    pub fn take_controller_reset(&mut self) -> bool {
        std::mem::take(&mut self.controller_was_reset)
    }

    fn adjust_sleep_ratio(&mut self, slept_ns: f64, worked_ns: f64, procs: u64) {
        let period_ns = slept_ns + worked_ns;
        if self.cool_down_ns > 0 {
            self.cool_down_ns = self.cool_down_ns.saturating_sub(period_ns as u64);
            return;
        }
        let cpu_fraction = worked_ns / (period_ns * procs as f64);
        self.sleep_ratio =
            self.controller.next(cpu_fraction, TARGET_CPU_FRACTION, period_ns).unwrap_or_else(|| {
                self.cool_down_ns = COOL_DOWN_NS;
                self.controller_was_reset = true;
                STARTING_SLEEP_RATIO
            });
    }
}

/// Releases quanta until a millisecond is worked, the goals are met, or nothing is left.
fn work(mut release: impl FnMut(u64) -> Option<Work>) -> Batch {
    let mut batch = Batch::default();
    while (batch.worked_ns as f64) < MIN_WORK_NS {
        let Some(work) = release(QUANTUM_BYTES) else {
            break;
        };
        batch.worked_ns += match work.worked_ns {
            0 => work.released_bytes / PHYSICAL_PAGE_BYTES * ASSUMED_PAGE_NS,
            worked_ns => worked_ns,
        };
        batch.released_bytes += work.released_bytes;
        if work.released_bytes < QUANTUM_BYTES {
            break;
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A step that releases 2 MiB in 0.1 ms.
    fn huge_page(_: u64) -> Option<Work> {
        Some(Work { released_bytes: 2 << 20, worked_ns: 100_000 })
    }

    #[test]
    fn a_parked_scavenger_costs_nothing_until_it_is_woken() {
        let mut scavenger = BackgroundScavenger::new();
        assert_eq!(scavenger.next_event_ns(), None);
        assert_eq!(scavenger.run(1_000_000, 2, |_| panic!("it is parked")), Batch::default());
        scavenger.wake(5);
        assert_eq!(scavenger.next_event_ns(), Some(5));
    }

    #[test]
    fn it_works_a_millisecond_and_sleeps_a_second() {
        let mut scavenger = BackgroundScavenger::new();
        scavenger.wake(0);
        let batch = scavenger.run(0, 2, huge_page);
        assert_eq!(batch, Batch { released_bytes: 20 << 20, worked_ns: 1_000_000 }); // ten steps of 0.1 ms
        assert_eq!(scavenger.next_event_ns(), Some(1_000_000 + 1_000_000_000));
        assert_eq!(scavenger.run(500_000_000, 2, |_| panic!("it is asleep")), Batch::default());
    }

    #[test]
    fn the_second_sleep_is_a_third_of_a_second_and_the_third_a_millisecond() {
        let mut scavenger = BackgroundScavenger::new();
        scavenger.wake(0);
        let mut sleeps_ns = Vec::new();
        for _ in 0..3 {
            let now_ns = scavenger.next_event_ns().unwrap();
            scavenger.run(now_ns, 2, huge_page);
            sleeps_ns.push(scavenger.next_event_ns().unwrap() - now_ns - 1_000_000);
        }
        assert_eq!(sleeps_ns[0], 1_000_000_000); // 1 ms / 0.001
        assert_eq!(sleeps_ns[1] / 1_000_000, 311); // 1 ms / 0.0032064
        // The integral is 1.0030 now, and usage 1 / (2 * 312.9) = 0.0016: 1.0030 + 0.3375 * 0.0084 = 1.0058.
        // (Real Go 1.23 shows 1.06 to 2.12 after two sleeps: its timers fire late.)
        assert!((scavenger.sleep_ratio() - 1.0058).abs() < 1e-4, "{}", scavenger.sleep_ratio());
        assert_eq!(sleeps_ns[2] / 1_000, 994);
    }

    #[test]
    fn too_little_work_counts_as_a_millisecond() {
        let mut scavenger = BackgroundScavenger::new();
        scavenger.wake(0);
        let batch = scavenger.run(0, 2, |_| Some(Work { released_bytes: 8192, worked_ns: 3_000 }));
        assert_eq!(batch, Batch { released_bytes: 8192, worked_ns: 3_000 }); // less than asked: nothing is left
        assert_eq!(scavenger.next_event_ns(), Some(3_000 + 1_000_000_000));
    }

    #[test]
    fn it_parks_when_nothing_is_released_or_the_goals_are_met() {
        for answer in [None, Some(Work { released_bytes: 0, worked_ns: 500 })] {
            let mut scavenger = BackgroundScavenger::new();
            scavenger.wake(7);
            assert_eq!(scavenger.run(7, 2, |_| answer).released_bytes, 0);
            assert_eq!(scavenger.next_event_ns(), None);
        }
    }

    #[test]
    fn a_wake_cuts_the_sleep_short_and_the_controller_hears_of_it() {
        let mut scavenger = BackgroundScavenger::new();
        scavenger.wake(0);
        scavenger.run(0, 1, huge_page);
        scavenger.wake(500_000); // still at work: no effect
        assert_eq!(scavenger.next_event_ns(), Some(1_001_000_000));
        scavenger.wake(4_000_000); // 3 ms into the sleep
        assert_eq!(scavenger.next_event_ns(), Some(4_000_000));
        scavenger.run(4_000_000, 1, huge_page);
        // Usage 1 / (3 + 1) = 25 %, above 1 %: the ratio stays at its floor.
        assert_eq!(scavenger.sleep_ratio(), 0.001);
    }

    #[test]
    fn without_a_measured_time_a_page_counts_ten_microseconds() {
        let mut scavenger = BackgroundScavenger::new();
        scavenger.wake(0);
        // 64 KiB are 16 physical pages, 160 us: seven steps reach 1 ms.
        let batch = scavenger.run(0, 1, |quantum| Some(Work { released_bytes: quantum, worked_ns: 0 }));
        assert_eq!(batch, Batch { released_bytes: 7 * QUANTUM_BYTES, worked_ns: 7 * 160_000 });
    }

    #[test]
    fn after_a_failure_the_controller_rests_five_seconds() {
        let mut scavenger = BackgroundScavenger::new();
        scavenger.controller.integral = f64::MAX;
        scavenger.controller.tt_ns = 1e-300; // makes the integral overflow
        scavenger.wake(0);
        let mut resets = 0;
        let mut now_ns = 0;
        while now_ns < 6 * SECOND_NS {
            now_ns = scavenger.next_event_ns().unwrap();
            scavenger.run(now_ns, 2, huge_page);
            assert_eq!(scavenger.sleep_ratio(), STARTING_SLEEP_RATIO);
            resets += u32::from(scavenger.take_controller_reset());
        }
        assert_eq!(resets, 1); // at 1.001 s; the rest lasts until 6.006 s
    }
}
