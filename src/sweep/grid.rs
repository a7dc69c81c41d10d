//! The grid of a sweep: index to settings.
//!
//! Axes nest like digits of a number: the repetition turns fastest, then GOGC, the memory limit, the processors, the cores, the
//! container, the Go release, and slowest what is set in the scenario file. The seed of a run comes from the master seed and its index:
//!
//! ```text
//! seed = first number of splitmix64(master seed, index), its upper 53 bits
//! ```
//!
//! so that every run has chances of its own wherever and whenever it runs. 53 bits, because many tools that read tables keep
//! numbers as doubles.

use super::set::Set;
use crate::scenario::{Gogc, MemoryLimit, RunSettings, SplitMix64};
use crate::version::GoVersion;

/// Most runs of one sweep.
pub const RUNS_LIMIT: u64 = 10_000_000;

/// Values of every setting that is swept; an empty list leaves the scenario's own.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "each is the setting of that name")]
pub struct Axes {
    pub versions: Vec<GoVersion>,
    pub machine_memory_bytes: Vec<u64>,
    pub cores: Vec<u32>,
    pub procs: Vec<u32>,
    pub memory_limits: Vec<MemoryLimit>,
    pub gogcs: Vec<Gogc>,
}

/// Every combination, as often as there are repetitions.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// One for each variant of the scenario.
    bases: Vec<RunSettings>,
    sets: Vec<Set>,
    axes: Axes,
    repetitions: u32,
    master_seed: u64,
}

/// The digits of an index.
struct Digits(u64);

impl Digits {
    /// Takes the lowest digit off, of those that stand for `values`; `None` if there are none.
    fn take<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        if values.is_empty() { None } else { Some(values[self.take_number(values.len())]) }
    }

    /// Takes the lowest digit off, of those below `count`.
    fn take_number(&mut self, count: usize) -> usize {
        let digit = self.0 % count as u64;
        self.0 /= count as u64;
        digit as usize
    }
}

impl Grid {
    /// The grid of `axes` over the settings `base`, `repetitions` (1 or more) of each combination.
    pub fn new(base: RunSettings, axes: Axes, repetitions: u32, master_seed: u64) -> Grid {
        assert!(repetitions > 0, "a grid with {repetitions} repetitions has no runs");
        Grid { bases: vec![base], sets: Vec::new(), axes, repetitions, master_seed }
    }

    /// The same over several variants of the scenario: one for each combination of `sets`, with the settings in `bases`.
    pub fn over(self, sets: Vec<Set>, bases: Vec<RunSettings>) -> Grid {
        let combinations: usize = sets.iter().map(|set| set.values.len()).product();
        assert_eq!(bases.len(), combinations, "a variant for each combination of {sets:?}");
        Grid { bases, sets, ..self }
    }

    /// How many runs there are.
    pub fn len(&self) -> u64 {
        let Axes { versions, machine_memory_bytes, cores, procs, memory_limits, gogcs } = &self.axes;
        let lengths = [
            versions.len(),
            machine_memory_bytes.len(),
            cores.len(),
            procs.len(),
            memory_limits.len(),
            gogcs.len(),
            self.bases.len(),
            self.repetitions as usize,
        ];
        lengths.into_iter().fold(1u64, |product, length| product.saturating_mul(length.max(1) as u64))
    }

    /// Never: a grid has at least the scenario's own settings.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The settings of run `index`.
    ///
    /// # Panics
    /// When there is no such run.
    pub fn settings(&self, index: u64) -> RunSettings {
        assert!(index < self.len(), "run {index} of {}", self.len());
        let mut digits = Digits(index / u64::from(self.repetitions));
        let mut settings = self.bases[self.variant(index)].clone();
        let (go, machine) = (&mut settings.go, &mut settings.machine);
        go.gogc = digits.take(&self.axes.gogcs).unwrap_or(go.gogc);
        go.memory_limit = digits.take(&self.axes.memory_limits).unwrap_or(go.memory_limit);
        go.procs = digits.take(&self.axes.procs).unwrap_or(go.procs);
        machine.cores = digits.take(&self.axes.cores).unwrap_or(machine.cores);
        machine.memory_bytes = digits.take(&self.axes.machine_memory_bytes).or(machine.memory_bytes);
        go.version = digits.take(&self.axes.versions).unwrap_or(go.version);
        go.seed = seed(self.master_seed, index);
        settings
    }

    /// The number of the scenario's variant in run `index`.
    pub fn variant(&self, index: u64) -> usize {
        let runs = self.len() / self.bases.len() as u64;
        (index / runs) as usize
    }

    /// What is set in run `index`, a value for each key.
    pub fn set_values(&self, index: u64) -> Vec<String> {
        let mut digits = Digits(self.variant(index) as u64);
        let value = |set: &Set| set.values[digits.take_number(set.values.len())].clone();
        self.sets.iter().map(value).collect()
    }

    /// The keys of the scenario file that are swept.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The repetition that run `index` is, from 0.
    pub fn repetition(&self, index: u64) -> u32 {
        (index % u64::from(self.repetitions)) as u32
    }

    /// How often each combination is run.
    pub fn repetitions(&self) -> u32 {
        self.repetitions
    }

    /// What all seeds come from.
    pub fn master_seed(&self) -> u64 {
        self.master_seed
    }

    /// The settings that the axes change.
    pub fn base(&self) -> &RunSettings {
        &self.bases[0]
    }

    /// The axes.
    pub fn axes(&self) -> &Axes {
        &self.axes
    }
}

/// The stream of seeds among those of a master seed.
const SEED_STREAM: u64 = 0x5eed;

fn seed(master_seed: u64, index: u64) -> u64 {
    SplitMix64::new(master_seed, SEED_STREAM, index).next_u64() >> 11
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn base() -> RunSettings {
        let text = "title='t'\nquestion='q'\nanswer='a'\nsteps=['gc']\n[go]\ngogc = 77\n";
        Scenario::parse("x.toml", text).unwrap().settings()
    }

    fn grid() -> Grid {
        let axes = Axes {
            gogcs: vec![Gogc::Percent(50), Gogc::Off, Gogc::Percent(200)],
            procs: vec![1, 4],
            ..Axes::default()
        };
        Grid::new(base(), axes, 5, 1)
    }

    #[test]
    fn every_combination_comes_once_and_repetitions_turn_fastest() {
        let grid = grid();
        assert_eq!(grid.len(), 30);
        let mut seen = Vec::new();
        for index in 0..grid.len() {
            let go = grid.settings(index).go;
            let combination = (go.procs, go.gogc.percent(), grid.repetition(index));
            assert!(!seen.contains(&combination), "{combination:?}");
            seen.push(combination);
        }
        assert_eq!(seen[0], (1, Some(50), 0));
        assert_eq!(seen[4], (1, Some(50), 4));
        assert_eq!(seen[5], (1, None, 0));
        assert_eq!(seen[29], (4, Some(200), 4));
    }

    #[test]
    fn every_run_has_a_seed_of_its_own_that_doubles_can_hold() {
        let grid = grid();
        let seeds: Vec<u64> = (0..grid.len()).map(|index| grid.settings(index).go.seed).collect();
        assert!((1..seeds.len()).all(|i| !seeds[..i].contains(&seeds[i])), "{seeds:?}");
        assert!(seeds.iter().all(|seed| *seed < 1 << 53));
        let other = Grid::new(base(), grid.axes().clone(), 5, 2);
        assert_ne!(other.settings(0).go.seed, seeds[0]);
    }

    #[test]
    fn without_axes_there_is_the_scenarios_own_setting() {
        let grid = Grid::new(base(), Axes::default(), 1, 9);
        assert_eq!(grid.len(), 1);
        let settings = grid.settings(0);
        assert_eq!(settings.go.gogc, Gogc::Percent(77));
        assert_eq!(settings.machine, base().machine);
    }

    #[test]
    fn variants_of_the_scenario_turn_slowest_and_bring_their_own_settings() {
        let set = |key: &str, values: &[&str]| Set {
            key: key.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let mut bases = vec![base(); 6];
        bases[5].go.procs = 7;
        let axes = Axes { gogcs: vec![Gogc::Percent(50), Gogc::Off], ..Axes::default() };
        let sets = vec![set("a", &["x", "y", "z"]), set("b", &["1", "2"])];
        let grid = Grid::new(base(), axes, 2, 1).over(sets, bases);
        assert_eq!(grid.len(), 24);
        let values = |index| grid.set_values(index).join(" ");
        assert_eq!([0, 3, 4, 8, 12, 23].map(values), ["x 1", "x 1", "y 1", "z 1", "x 2", "z 2"]);
        assert_eq!([0, 3, 4, 23].map(|index| grid.variant(index)), [0, 0, 1, 5]);
        assert_eq!((grid.settings(19).go.procs, grid.settings(20).go.procs), (base().go.procs, 7));
        assert_eq!((grid.settings(20).go.gogc, grid.settings(22).go.gogc), (Gogc::Percent(50), Gogc::Off));
    }

    #[test]
    fn too_many_combinations_are_counted_and_not_wrapped_round() {
        let many = Axes {
            gogcs: vec![Gogc::Off; 1 << 20],
            procs: vec![1; 1 << 20],
            cores: vec![1; 1 << 20],
            memory_limits: vec![MemoryLimit::Off; 1 << 10],
            ..Axes::default()
        };
        assert_eq!(Grid::new(base(), many, 5, 1).len(), u64::MAX);
    }
}
