//! What can be known of a scenario's moments before it runs: which snapshots directly follow a forced collection, and how
//! much of the run is sleep.
//!
//! Right after `runtime.GC()` the heap holds what is reachable and nothing else, and right after `debug.FreeOSMemory()`
//! everything that can be given back is given back: real Go says the same there every time, and the simulation must say
//! it, too. At any other moment the numbers depend on how far a collection, the sweeper or the scavenger has come.

use toml::Spanned;

use crate::scenario::{Scenario, Step};

/// What the program did last before a snapshot, other snapshots apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// `runtime.GC()`.
    Collection,
    /// `debug.FreeOSMemory()`, which collects as well.
    Release,
    /// Anything else.
    Work,
}

/// One [`After`] for each snapshot of a run, in the order in which they are taken.
pub fn before_each_snapshot(scenario: &Scenario) -> Vec<After> {
    let mut walk = Walk { last: After::Work, found: Vec::new() };
    walk.steps(&scenario.steps);
    walk.found
}

struct Walk {
    last: After,
    found: Vec<After>,
}

impl Walk {
    fn steps(&mut self, steps: &[Spanned<Step>]) {
        for step in steps {
            match step.as_ref() {
                Step::Gc => self.last = After::Collection,
                Step::FreeOsMemory => self.last = After::Release,
                Step::Snapshot(_) => self.found.push(self.last),
                Step::Repeat(repeat) => {
                    // Without snapshots the second turn leaves what every later one leaves.
                    let turns =
                        if snapshots(&repeat.steps) == 0 { repeat.times.min(2) } else { repeat.times };
                    (0..turns).for_each(|_| self.steps(&repeat.steps));
                }
                Step::Parallel(tracks) => {
                    // What other tracks do meanwhile, no track can know.
                    let inside: u64 = tracks.iter().map(|track| snapshots(track)).sum();
                    self.found.extend((0..inside).map(|_| After::Work));
                    self.last = After::Work;
                }
                _ => self.last = After::Work,
            }
        }
    }
}

/// Snapshots that `steps` take.
fn snapshots(steps: &[Spanned<Step>]) -> u64 {
    let taken = |step: &Step| match step {
        Step::Snapshot(_) => 1,
        Step::Repeat(repeat) => repeat.times.saturating_mul(snapshots(&repeat.steps)),
        Step::Parallel(tracks) => tracks.iter().map(|track| snapshots(track)).sum(),
        _ => 0,
    };
    steps.iter().map(|step| taken(step.as_ref())).sum()
}

/// Time that the program sleeps, in nanoseconds.
pub fn sleep_ns(scenario: &Scenario) -> u64 {
    slept(&scenario.steps)
}

fn slept(steps: &[Spanned<Step>]) -> u64 {
    let one = |step: &Step| match step {
        Step::Sleep(ns) => *ns,
        Step::Repeat(repeat) => repeat.times.saturating_mul(slept(&repeat.steps)),
        // The longest track: the others end before it.
        Step::Parallel(tracks) => tracks.iter().map(|track| slept(track)).max().unwrap_or(0),
        _ => 0,
    };
    steps.iter().fold(0, |sum, step| sum.saturating_add(one(step.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use After::{Collection, Release, Work};

    fn scenario(steps: &str) -> Scenario {
        let text = format!("title='t'\nquestion='q'\nanswer='a'\nsteps=[{steps}]\n");
        Scenario::parse("x.toml", &text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.list))
    }

    #[test]
    fn only_what_directly_follows_counts() {
        let steps = r#"{snapshot="a"}, "gc", {snapshot="b"}, {snapshot="c"}, {compute="1ms"}, {snapshot="d"},
            "free-os-memory", {snapshot="e"}, {sleep="1s"}, {snapshot="f"}"#;
        assert_eq!(
            before_each_snapshot(&scenario(steps)),
            [Work, Collection, Collection, Work, Release, Work]
        );
    }

    #[test]
    fn loops_are_walked_turn_by_turn_and_tracks_know_nothing() {
        let steps = r#"{repeat={times=3, steps=[{snapshot="a"}, "gc"]}}, {snapshot="b"},
            {parallel=[["gc", {snapshot="c"}], [{sleep="3s"}, {sleep="1s"}]]}, {snapshot="d"},
            {repeat={times=1_000_000, steps=["free-os-memory"]}}, {snapshot="e"}"#;
        let scenario = scenario(steps);
        assert_eq!(
            before_each_snapshot(&scenario),
            [Work, Collection, Collection, Collection, Work, Work, Release]
        );
        assert_eq!(sleep_ns(&scenario), 4_000_000_000);
    }
}
