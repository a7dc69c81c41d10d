//! Collections side by side: the N-th real one and the N-th simulated one, in whole MiB as gctrace prints them.
//!
//! This shows where two runs part, and is not judged: one collection more at the beginning shifts all that follow, and
//! nothing is wrong with those.

use serde::{Deserialize, Serialize};

use super::gctrace::TracedCycle;
use super::judge::median;
use crate::trace::{Cycle, CycleKind};
use crate::units::MIB;

/// A cycle may be so far off, as a share of the real number, or by one MiB.
const NEAR_SHARE: f64 = 0.1;

/// Sizes of one collection in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sizes {
    /// Heap at the start.
    pub start: f64,
    /// The goal.
    pub goal: f64,
    /// Heap at mark termination.
    pub end: f64,
    /// What was marked.
    pub marked: f64,
}

impl Sizes {
    /// Each size by its name.
    pub fn named(self) -> [(&'static str, f64); 4] {
        [("start", self.start), ("goal", self.goal), ("end", self.end), ("marked", self.marked)]
    }
}

/// One collection, real and simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Its number, from 1.
    pub number: u32,
    /// Whether the program asked for it, in the simulation.
    pub forced: bool,
    /// The median of the real runs.
    pub real: Sizes,
    /// The simulation.
    pub simulated: Sizes,
}

/// All collections that both have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cycles {
    /// How many each real run had.
    pub real_counts: Vec<usize>,
    /// How many the simulation had.
    pub simulated_count: usize,
    /// Side by side.
    pub pairs: Vec<Pair>,
}

impl Cycles {
    /// Pairs the cycles of real runs with those of the simulation.
    pub fn compare(real: &[&[TracedCycle]], simulated: &[Cycle]) -> Cycles {
        let pair = |cycle: &Cycle| {
            let same: Vec<&TracedCycle> = real
                .iter()
                .filter_map(|run| run.iter().find(|traced| traced.number == cycle.number))
                .collect();
            let middle = |size: fn(&TracedCycle) -> u64| {
                median(&same.iter().map(|traced| size(traced) as f64).collect::<Vec<_>>())
            };
            let whole = |bytes: u64| (bytes / MIB) as f64;
            Some(Pair {
                number: cycle.number,
                forced: cycle.kind == CycleKind::Forced,
                real: Sizes {
                    start: middle(|traced| traced.start_mib)?,
                    goal: middle(|traced| traced.goal_mib)?,
                    end: middle(|traced| traced.end_mib)?,
                    marked: middle(|traced| traced.marked_mib)?,
                },
                simulated: Sizes {
                    start: whole(cycle.heap_start_bytes),
                    goal: whole(cycle.goal_bytes),
                    end: whole(cycle.heap_end_bytes),
                    marked: whole(cycle.heap_marked_bytes),
                },
            })
        };
        Cycles {
            real_counts: real.iter().map(|run| run.len()).collect(),
            simulated_count: simulated.len(),
            pairs: simulated.iter().filter_map(pair).collect(),
        }
    }

    /// For each size, how many pairs are near one another.
    pub fn near(&self) -> [(&'static str, usize); 4] {
        let names = ["start", "goal", "end", "marked"];
        let count = |index: usize| {
            let is_near = |pair: &&Pair| {
                let (real, simulated) = (pair.real.named()[index].1, pair.simulated.named()[index].1);
                (simulated - real).abs() <= (NEAR_SHARE * real).max(1.0)
            };
            self.pairs.iter().filter(is_near).count()
        };
        [0, 1, 2, 3].map(|index| (names[index], count(index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(start: f64) -> Sizes {
        Sizes { start, goal: 100.0, end: 100.0, marked: 100.0 }
    }

    #[test]
    fn near_is_a_tenth_or_one_mib() {
        let pair = |number, real, simulated| Pair {
            number,
            forced: false,
            real: sizes(real),
            simulated: sizes(simulated),
        };
        let pairs = vec![pair(1, 3.0, 4.0), pair(2, 3.0, 5.0), pair(3, 100.0, 110.0), pair(4, 100.0, 111.0)];
        let cycles = Cycles { pairs, ..Cycles::default() };
        assert_eq!(cycles.near()[0], ("start", 2));
        assert_eq!(cycles.near()[3], ("marked", 4));
    }

    #[test]
    fn cycles_pair_by_number_and_the_real_ones_by_their_median() {
        let traced = |number, start_mib| TracedCycle {
            number,
            start_ns: 0,
            start_mib,
            end_mib: 2,
            marked_mib: 2,
            goal_mib: 2,
            forced: false,
            timed: false,
        };
        let (a, b, c) = ([traced(1, 3)], [traced(1, 5), traced(2, 9)], [traced(1, 4)]);
        let cycles = Cycles::compare(&[&a, &b, &c], &[]);
        assert_eq!(cycles.real_counts, [1, 2, 1]);
        assert_eq!(cycles.pairs, []);
    }
}
