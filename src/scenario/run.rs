//! Carrying out a checked scenario: the program's goroutines, one slice of work after another.
//!
//! Every step is a [`Task`](task::Task): work that can stop after a few hundred operations and go on later. A program
//! with one goroutine runs its tasks to their ends; with `parallel`, each track is a goroutine with a clock of its own, and
//! the one that is furthest behind runs next, so that tracks share the processors in virtual time.
//!
//! Differences from Go: a track that waits inside a step for the collector (an assist, `runtime.GC()`) holds the others up
//! until it goes on.

mod calls;
mod draws;
mod frames;
mod maps;
mod objects;
mod serve;
mod slices;
mod stream;
mod sync;
mod task;
mod variable;

use indexmap::IndexMap;

pub use self::maps::type_desc;

use self::draws::StringKeys;
use self::frames::{Frames, Next};
use self::task::{Progress, Task};
use self::variable::{Value, Variable};
use super::{Lacking, RunSettings, Scenario, Step};
use crate::heap::object::ObjRef;
use crate::process::{Allowance, Exhausted, Global, Process, ReleaseAdvice, Settings};
use crate::trace::{Recording, Trace};
use crate::units::Nanos;

/// Why a run could not be finished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The simulated heap outgrew the model's references.
    #[error(
        "the simulated heap has more than {spans} spans, which is all that the model can tell apart; simulate less memory, or larger objects"
    )]
    HeapTooLarge {
        /// Spans that can be told apart.
        spans: u32,
    },
    /// The scenario uses what the simulated Go does not have.
    #[error(transparent)]
    Lacking(#[from] Lacking),
    /// The run has used up its allowance.
    #[error("cut off in \"{step}\" after {} of virtual time: {exhausted}", Nanos(*t_ns))]
    CutOff {
        /// The top-level step that was running.
        step: String,
        /// Virtual time of the cut in nanoseconds.
        t_ns: u64,
        /// What was used up.
        exhausted: Exhausted,
    },
}

/// Spans below the model's limit at which a run is given up; no slice of work makes more.
const SPAN_MARGIN: u32 = 1 << 16;

/// What a run leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The whole trace.
    #[default]
    Trace,
    /// A trace without samples, for runs by the thousand: everything else is as in the whole one.
    Totals,
    /// The whole trace, and close-ups.
    CloseUps,
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// What it leaves behind.
    pub detail: Detail,
    /// How far it may go; without one to its end.
    pub allowance: Option<Allowance>,
}

impl RunOptions {
    /// To its end.
    pub fn with(detail: Detail) -> RunOptions {
        RunOptions { detail, ..RunOptions::default() }
    }

    /// As far as `allowance` goes, for the trace.
    pub fn within(allowance: Allowance) -> RunOptions {
        RunOptions { allowance: Some(allowance), ..RunOptions::default() }
    }
}

/// Runs `scenario` under `settings` to its end and keeps the trace.
///
/// # Errors
/// [`RunError`].
pub fn run(scenario: &Scenario, settings: &RunSettings) -> Result<Trace, RunError> {
    run_with(scenario, settings, RunOptions::default()).map(|recording| recording.trace)
}

/// Runs `scenario` under `settings` as `options` say. Whatever is kept, the totals are the same.
///
/// # Errors
/// [`RunError`].
pub fn run_with(
    scenario: &Scenario,
    settings: &RunSettings,
    options: RunOptions,
) -> Result<Recording, RunError> {
    let mut machine = Machine::start(scenario, settings)?;
    match options.detail {
        Detail::Trace => {}
        Detail::Totals => machine.process.record_totals_only(),
        Detail::CloseUps => machine.process.take_close_ups(),
    }
    if let Some(allowance) = options.allowance {
        machine.process.set_allowance(allowance);
    }
    machine.run_main()?;
    let close_ups = machine.process.close_ups();
    Ok(Recording { trace: machine.into_trace(), close_ups })
}

/// The process and the program's variables.
struct Machine<'s> {
    scenario: &'s Scenario,
    process: Process,
    variables: Vec<Variable>,
    /// The keys of each variable that is a map by strings.
    string_keys: Vec<Option<StringKeys>>,
    /// How often each step has run, by its place in the file.
    turns: IndexMap<usize, u64>,
    run_seed: u64,
    /// Where each track drops its garbage.
    sinks: IndexMap<usize, Global>,
    /// The load that is being served.
    serving: Option<serve::Serving<'s>>,
    /// The track that is being carried out: 0 outside `parallel`, inside from 1.
    track: usize,
    /// The list of pools, if the program has one.
    pools: Option<sync::Pools>,
}

/// One goroutine of the program.
struct Track<'s> {
    /// 0 outside `parallel`, inside from 1.
    number: usize,
    goroutine: usize,
    frames: Frames<'s>,
    task: Option<Task<'s>>,
    asleep_until_ns: f64,
}

impl<'s> Machine<'s> {
    /// The program before its first step, unless its release of Go lacks something that it needs.
    fn start(scenario: &'s Scenario, settings: &RunSettings) -> Result<Machine<'s>, RunError> {
        match scenario.lacking(settings.go.version) {
            Some(lacking) => Err(RunError::Lacking(lacking)),
            None => Ok(Machine::new(scenario, settings)),
        }
    }

    fn new(scenario: &'s Scenario, settings: &RunSettings) -> Machine<'s> {
        let mut process = Process::start(process_settings(settings));
        let variables = scenario.vars.values().map(|_| Variable::nil(process.new_global())).collect();
        let string_keys = StringKeys::of_variables(scenario, process.settings().version);
        let run_seed = settings.go.seed;
        let mut machine = Machine {
            scenario,
            process,
            variables,
            string_keys,
            turns: IndexMap::new(),
            run_seed,
            sinks: IndexMap::new(),
            serving: None,
            track: 0,
            pools: None,
        };
        machine.make_ready();
        machine
    }

    fn into_trace(self) -> Trace {
        let Scenario { name, title, question, answer, .. } = self.scenario;
        self.process.into_trace(name, title, question, answer)
    }

    /// A snapshot with this label, and a look through every map, behind a lock or not.
    fn snapshot(&mut self, label: &str) {
        self.process.snapshot(label);
        if !self.process.takes_close_ups() {
            return;
        }
        for (name, variable) in self.scenario.vars.keys().zip(&self.variables) {
            match &variable.value {
                Value::Map(map) => self.process.look_through_map(label, name, map),
                Value::Locked(locked) => match locked.maps() {
                    [only] => self.process.look_through_map(label, name, only),
                    maps => self.process.look_through_shards(label, name, maps),
                },
                _ => {}
            }
        }
    }

    /// `main`: the top-level steps on one goroutine.
    fn run_main(&mut self) -> Result<(), RunError> {
        for step in &self.scenario.steps {
            self.process.begin_step(&step.as_ref().describe(self.scenario));
            let mut main = Track::new(0, 0, Frames::once(step));
            while !self.advance(&mut main)? {
                if self.process.oom_kill().is_some() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Lets a track do one slice of work; `true` when it has nothing left to do.
    fn advance(&mut self, track: &mut Track<'s>) -> Result<bool, RunError> {
        let task = match track.task.take() {
            Some(task) => task,
            None => match track.frames.next() {
                Next::Done => return Ok(true),
                Next::Step(step) => {
                    let turn = self.turns.entry(step.span().start).or_insert(0);
                    *turn += 1;
                    let turn = *turn - 1;
                    if let Step::Parallel(tracks) = step.as_ref() {
                        self.run_parallel(tracks, track.frames.repeats())?;
                        return Ok(false);
                    }
                    if let Step::Serve(serve) = step.as_ref() {
                        self.run_serve(serve, turn)?;
                        return Ok(false);
                    }
                    self.begin(step.as_ref(), turn, track.frames.repeats())
                }
            },
        };
        let mut task = task;
        let start_ns = self.process.now_ns();
        let progress = self.work(&mut task);
        let is_busy = !matches!(progress, Progress::Asleep { .. } | Progress::Napping { .. });
        self.process.count_work(if is_busy { (self.process.now_ns() - start_ns) as f64 } else { 0.0 });
        match progress {
            Progress::More => track.task = Some(task),
            Progress::Done => {}
            Progress::Asleep { until_ns } => track.asleep_until_ns = until_ns,
            Progress::Napping { until_ns } => {
                track.asleep_until_ns = until_ns;
                track.task = Some(task);
            }
        }
        if self.process.heap().span_count() > ObjRef::SPAN_LIMIT - SPAN_MARGIN {
            return Err(RunError::HeapTooLarge { spans: ObjRef::SPAN_LIMIT });
        }
        if let Some(exhausted) = self.process.exhausted() {
            let (step, t_ns) = (self.process.step().to_owned(), self.process.now_ns());
            return Err(RunError::CutOff { step, t_ns, exhausted });
        }
        Ok(false)
    }

    /// Runs the tracks of a `parallel` inside so many `repeats`.
    fn run_parallel(
        &mut self,
        tracks: &'s [Vec<toml::Spanned<Step>>],
        repeats: usize,
    ) -> Result<(), RunError> {
        let track = |(index, steps)| {
            Track::new(index + 1, self.process.add_goroutine(), Frames::within(repeats, steps))
        };
        let running = tracks.iter().map(Vec::as_slice).enumerate().map(track).collect();
        self.run_tracks(running)
    }

    /// Runs tracks side by side until all have ended; the goroutine that started them waits meanwhile.
    fn run_tracks(&mut self, mut running: Vec<Track<'s>>) -> Result<(), RunError> {
        let starter = self.process.current_goroutine();
        let mut end_ns = self.process.clock_ns(starter);
        while !running.is_empty() && self.process.oom_kill().is_none() {
            let (next, now_ns) = furthest_behind(&running, &self.process);
            let others = running.iter().enumerate().filter(|(index, _)| *index != next);
            let horizon_ns =
                others.map(|(_, track)| self.process.clock_ns(track.goroutine)).fold(f64::INFINITY, f64::min);
            let awake: Vec<usize> = running
                .iter()
                .filter(|track| track.asleep_until_ns <= now_ns)
                .map(|track| track.goroutine)
                .collect();
            self.process.switch_to(running[next].goroutine, &awake, horizon_ns);
            self.track = running[next].number;
            if self.advance(&mut running[next])? {
                end_ns = end_ns.max(self.process.clock_ns(running[next].goroutine));
                running.remove(next);
            }
        }
        self.track = 0;
        self.process.switch_to(starter, &[starter], f64::INFINITY);
        self.process.wait_until(end_ns);
        Ok(())
    }
}

impl<'s> Track<'s> {
    fn new(number: usize, goroutine: usize, frames: Frames<'s>) -> Track<'s> {
        Track { number, goroutine, frames, task: None, asleep_until_ns: 0.0 }
    }
}

/// The track whose clock is lowest, the first of equals, and that clock.
fn furthest_behind(tracks: &[Track], process: &Process) -> (usize, f64) {
    let clocks = tracks.iter().map(|track| process.clock_ns(track.goroutine)).enumerate();
    clocks.min_by(|(_, a), (_, b)| a.total_cmp(b)).expect("there is a track left")
}

fn process_settings(settings: &RunSettings) -> Settings {
    Settings {
        version: settings.go.version,
        gogc_percent: settings.go.gogc.percent(),
        memory_limit_bytes: settings.go.memory_limit.bytes(),
        procs: settings.go.procs,
        cores: settings.machine.cores,
        seed: settings.go.seed,
        release: match settings.go.madvdontneed {
            true => ReleaseAdvice::DontNeed,
            false => ReleaseAdvice::Free,
        },
        machine_memory_bytes: settings.machine.memory_bytes,
        cost_profile: settings.cost_profile.clone(),
    }
}
