//! Candidates, simulated: a wide grid first, then a close one around its best.
//!
//! The container's limit is that of the simulated machine, so a run that crosses it ends there. Every candidate has the same
//! seeds: differences between candidates are then theirs, not those of chance.

use rayon::prelude::*;

use crate::scenario::{Gogc, MemoryLimit, Overrides, RunSettings, Scenario};
use crate::sweep::{self, Cell, Row};
use crate::units::MIB;

/// GOGC of the wide grid.
const WIDE_GOGC: [Gogc; 7] = [
    Gogc::Percent(25),
    Gogc::Percent(50),
    Gogc::Percent(100),
    Gogc::Percent(200),
    Gogc::Percent(400),
    Gogc::Percent(800),
    Gogc::Off,
];
/// GOMEMLIMIT of the wide grid in hundredths of the container.
const WIDE_LIMIT_PERCENT: [u64; 6] = [50, 60, 70, 80, 90, 100];
/// GOGC of the close grid, as factors of the best.
const CLOSE_FACTORS: [f64; 6] = [0.6, 0.7, 0.85, 1.2, 1.4, 1.7];
/// GOMEMLIMIT of the close grid: so many hundredths of the container more or less.
const CLOSE_PERCENT: [i64; 3] = [-5, 0, 5];

/// A GOGC with a GOMEMLIMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// GOGC.
    pub gogc: Gogc,
    /// GOMEMLIMIT.
    pub memory_limit: MemoryLimit,
}

impl Candidate {
    /// What Go has without settings.
    pub const DEFAULT: Candidate = Candidate { gogc: Gogc::Percent(100), memory_limit: MemoryLimit::Off };

    /// No collection at all: the most aggressive of all.
    pub const NEVER: Candidate = Candidate { gogc: Gogc::Off, memory_limit: MemoryLimit::Off };

    /// Larger numbers let the heap grow further; off is the largest.
    pub(super) fn reach(self) -> (u64, u64) {
        let gogc = self.gogc.percent().map_or(u64::MAX, u64::from);
        (gogc, self.memory_limit.bytes().unwrap_or(u64::MAX))
    }

    /// Whether it lets the heap grow at least as far as `other` in both ways, and further in one.
    pub fn is_more_aggressive_than(self, other: Candidate) -> bool {
        let ((gogc, limit), (other_gogc, other_limit)) = (self.reach(), other.reach());
        self != other && gogc >= other_gogc && limit >= other_limit
    }
}

/// What a candidate does in the simulated container.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The settings.
    pub candidate: Candidate,
    /// Every seed.
    pub cell: Cell,
}

/// What is to be tuned.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// The program.
    pub scenario: &'q Scenario,
    /// Its settings; GOGC, GOMEMLIMIT and the container are replaced.
    pub settings: RunSettings,
    /// The container's memory limit in bytes.
    pub container_bytes: u64,
    /// The most that GC may take of CPU time, 0 to 1.
    pub max_gc_cpu: Option<f64>,
    /// How much of the container no run may touch, 0 to 1.
    pub margin: f64,
    /// Simulations of each candidate, 1 or more.
    pub seeds: u32,
    /// Simulations at a time, 1 or more.
    pub threads: usize,
}

impl Question<'_> {
    /// The most that may be resident in bytes.
    pub fn usable_bytes(&self) -> u64 {
        (self.container_bytes as f64 * (1.0 - self.margin)) as u64
    }

    /// Whether every run of a prediction stays out of the margin.
    pub fn is_safe(&self, prediction: &Prediction) -> bool {
        prediction.cell.survives() && prediction.cell.peak_rss_bytes <= self.usable_bytes()
    }

    /// The settings of a candidate in a container.
    pub fn settings_of(&self, candidate: Candidate) -> RunSettings {
        self.settings.clone().overridden(&Overrides {
            gogc: Some(candidate.gogc),
            memory_limit: Some(candidate.memory_limit),
            machine_memory_bytes: Some(self.container_bytes),
            ..Overrides::default()
        })
    }

    /// Simulates candidates, in their order.
    pub fn predict(&self, candidates: &[Candidate]) -> Vec<Prediction> {
        let settings: Vec<RunSettings> =
            candidates.iter().map(|candidate| self.settings_of(*candidate)).collect();
        let cells = self.simulate(&settings);
        let predictions = candidates.iter().zip(cells);
        predictions.map(|(candidate, cell)| Prediction { candidate: *candidate, cell }).collect()
    }

    /// The cell of each of `settings`: every seed.
    pub(super) fn simulate(&self, settings: &[RunSettings]) -> Vec<Cell> {
        let seeds = self.seeds.max(1);
        let run = |number: usize| -> Row {
            let (index, repetition) = (number / seeds as usize, (number % seeds as usize) as u32);
            let mut settings = settings[index].clone();
            settings.go.seed = settings.go.seed.wrapping_add(u64::from(repetition));
            sweep::evaluate(self.scenario, &settings, number as u64, repetition)
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads.max(1)).build();
        let rows: Vec<Row> = pool.expect("threads can be started").install(|| {
            (0..settings.len() * seeds as usize).into_par_iter().with_max_len(1).map(run).collect()
        });
        rows.chunks(seeds as usize).map(|rows| Cell::of(rows).expect("one seed at least")).collect()
    }

    /// Which of two safe predictions is better. Within the CPU that may be spent the least memory wins; without such a
    /// bound the least CPU. What differs by less than anyone would notice is decided by the other of the two, and then
    /// by having a limit: it is what holds when the program grows beyond this scenario.
    fn rank(&self, prediction: &Prediction) -> (bool, u64, u64, bool) {
        let cpu_steps = |step: f64| (prediction.cell.gc_cpu_fraction / step).round() as u64;
        let memory_steps = (prediction.cell.peak_rss_bytes * 50).div_ceil(self.container_bytes.max(1));
        let unlimited = prediction.candidate.memory_limit == MemoryLimit::Off;
        match self.max_gc_cpu {
            Some(most) if prediction.cell.gc_cpu_fraction <= most => {
                (false, memory_steps, cpu_steps(0.002), unlimited)
            }
            bound => (bound.is_some(), cpu_steps(0.005), memory_steps, unlimited),
        }
    }

    /// The best of the safe predictions. Never to collect at all is none of them: it holds as long as this scenario does.
    pub fn best<'p>(&self, predictions: &'p [Prediction]) -> Option<&'p Prediction> {
        let collects = |prediction: &&Prediction| prediction.candidate != Candidate::NEVER;
        let safe = predictions.iter().filter(collects).filter(|prediction| self.is_safe(prediction));
        safe.min_by_key(|prediction| self.rank(prediction))
    }
}

/// Everything that was simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// In the order of the search.
    pub predictions: Vec<Prediction>,
    /// How many runs that took.
    pub runs: u64,
}

impl Searched {
    /// What was found for a candidate.
    pub fn of(&self, candidate: Candidate) -> Option<&Prediction> {
        self.predictions.iter().find(|prediction| prediction.candidate == candidate)
    }
}

/// Simulates the wide grid and the close one. `heard` is told what is going on.
pub fn search(question: &Question, heard: &dyn Fn(&str)) -> Searched {
    let mut predictions = Vec::new();
    let simulate = |what: &str, mut candidates: Vec<Candidate>, predictions: &mut Vec<Prediction>| {
        let is_known =
            |candidate: &Candidate, known: &[Prediction]| known.iter().any(|p| p.candidate == *candidate);
        candidates.retain(|candidate| !is_known(candidate, predictions));
        heard(&format!("{what}: {} settings, {} seeds each", candidates.len(), question.seeds));
        predictions.extend(question.predict(&candidates));
    };
    simulate("a wide grid", wide(question), &mut predictions);
    if let Some(best) = question.best(&predictions) {
        let close = close(question, best.candidate);
        simulate("a close grid around the best", close, &mut predictions);
    }
    let runs = predictions.len() as u64 * u64::from(question.seeds);
    Searched { predictions, runs }
}

/// Every GOGC with every limit.
fn wide(question: &Question) -> Vec<Candidate> {
    let limit = |percent: &u64| limit_of(question, *percent as i64);
    let limits: Vec<MemoryLimit> =
        WIDE_LIMIT_PERCENT.iter().filter_map(limit).chain([MemoryLimit::Off]).collect();
    let with_limits =
        |gogc| limits.iter().map(move |memory_limit| Candidate { gogc, memory_limit: *memory_limit });
    WIDE_GOGC.into_iter().flat_map(with_limits).collect()
}

fn close(question: &Question, best: Candidate) -> Vec<Candidate> {
    let gogcs: Vec<Gogc> = match best.gogc {
        Gogc::Off => vec![Gogc::Off],
        Gogc::Percent(percent) => {
            let near =
                CLOSE_FACTORS.map(|factor| Gogc::Percent((f64::from(percent) * factor).round() as u32));
            near.into_iter().chain([best.gogc]).collect()
        }
    };
    let limits: Vec<MemoryLimit> = match best.memory_limit {
        MemoryLimit::Off => vec![MemoryLimit::Off],
        MemoryLimit::Bytes(bytes) => {
            let percent = (bytes as f64 * 100.0 / question.container_bytes as f64).round() as i64;
            CLOSE_PERCENT.iter().filter_map(|more| limit_of(question, percent + more)).collect()
        }
    };
    let all = gogcs.into_iter().flat_map(|gogc| {
        limits.iter().map(move |memory_limit| Candidate { gogc, memory_limit: *memory_limit })
    });
    let mut candidates: Vec<Candidate> = Vec::new();
    all.for_each(|candidate| {
        if !candidates.contains(&candidate) {
            candidates.push(candidate);
        }
    });
    candidates
}

/// So many hundredths of the container in whole MiB; `None` for less than one, and for more than the container.
fn limit_of(question: &Question, percent: i64) -> Option<MemoryLimit> {
    let percent = u64::try_from(percent).ok().filter(|percent| *percent <= 100)?;
    let mib = question.container_bytes / 100 * percent / MIB;
    (mib > 0).then_some(MemoryLimit::Bytes(mib * MIB))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_reaches_further_than_any_number() {
        let candidate = |gogc, mib: u64| Candidate {
            gogc,
            memory_limit: if mib == 0 { MemoryLimit::Off } else { MemoryLimit::Bytes(mib * MIB) },
        };
        let one = candidate(Gogc::Percent(100), 400);
        for more in
            [candidate(Gogc::Off, 400), candidate(Gogc::Percent(100), 0), candidate(Gogc::Percent(200), 500)]
        {
            assert!(more.is_more_aggressive_than(one) && !one.is_more_aggressive_than(more), "{more:?}");
        }
        assert!(!one.is_more_aggressive_than(one));
        assert!(!candidate(Gogc::Off, 300).is_more_aggressive_than(one), "more of one, less of the other");
    }
}
