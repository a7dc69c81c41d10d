//! One cell of the matrix: a scenario under one setting with one toolchain, real and simulated, compared.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::OracleError;
use super::band::{RealCurve, curve};
use super::child::Interrupt;
use super::cycles::Cycles;
use super::gctrace::TracedCycle;
use super::growth::Growth;
use super::host::Host;
use super::judge::{Judged, judge, median};
use super::measured::{Measured, Moment};
use super::metric::{self, Class, Row, Whole};
use super::moments;
use super::real_run::{self, Order, RealRun, RealRunError};
use crate::scenario::{self, RunSettings, Scenario};
use crate::trace::{Config, Trace};
use crate::units::{Bytes, Nanos, SECOND_NS};
use crate::version::VersionError;

/// A simulation is run so often, and the fastest counts.
const SIMULATIONS: usize = 3;
/// One that takes longer is not run again.
const LONG_SIMULATION: Duration = Duration::from_secs(5);
/// How long a real run may take without `--timeout`: this, and three times what it should sleep.
const DEFAULT_TIME: Duration = Duration::from_secs(180);

/// Everything that is known of a cell: what the files in the output folder hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellReport {
    /// `delete-million`.
    pub scenario: String,
    /// What it is about.
    pub title: String,
    /// `go1.23.9`.
    pub go: String,
    /// The settings of both sides.
    pub config: Config,
    /// Real runs.
    pub runs: usize,
    /// How often a real run looked at its memory, in nanoseconds.
    pub sampling_ns: u64,
    /// Where the real runs ran.
    pub host: Host,
    /// Every number.
    pub judged: Vec<Judged>,
    /// Collections side by side.
    pub cycles: Cycles,
    /// Who is faster.
    pub speed: Speed,
}

/// Wall times of both sides, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    /// The real process from start to end; the median.
    pub real_ns: u64,
    /// How much of it the program slept.
    pub sleep_ns: u64,
    /// The simulation, within this process and without drawing; the fastest.
    pub simulated_ns: u64,
}

impl Speed {
    /// How many times as fast as real Go the simulation is.
    pub fn ratio(&self) -> f64 {
        self.real_ns as f64 / self.simulated_ns.max(1) as f64
    }
}

impl CellReport {
    /// `delete-million-go1.23.9-gogc100`: the name of its files.
    pub fn name(&self) -> String {
        let Config { memory_limit_bytes, procs, .. } = &self.config;
        let limit = memory_limit_bytes.map_or_else(String::new, |bytes| format!("-limit{bytes}"));
        format!("{}-{}-gogc{}{limit}-procs{procs}", self.scenario, self.go, self.config.gogc_text())
    }

    /// Everything that was judged as exact.
    pub fn exact(&self) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(|judged| judged.is_exact())
    }

    /// Everything beyond its tolerance.
    pub fn misses(&self) -> impl Iterator<Item = &Judged> {
        self.judged.iter().filter(|judged| judged.is_miss())
    }
}

/// What a chart of a cell shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// HeapAlloc of the real runs.
    pub real_heap: RealCurve,
    /// RSS of the real runs.
    pub real_rss: RealCurve,
    /// The simulation.
    pub simulated: Vec<Moment>,
}

/// A simulated run, and how long it took.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What it recorded.
    pub trace: Trace,
    /// The same with the next seeds: hash seeds are random in real Go, and no run of either side is the only right one.
    pub reseeded: Vec<Trace>,
    /// The fastest, in nanoseconds of wall time.
    pub wall_ns: u64,
}

impl Simulated {
    /// Snapshot `index` of every seed that has it.
    fn rows(&self, index: usize) -> impl Iterator<Item = Row<'_>> {
        let traces = std::iter::once(&self.trace).chain(&self.reseeded);
        traces
            .filter_map(move |trace| trace.snapshots.get(index))
            .map(|snapshot| Row { stats: &snapshot.mem_stats, rss_bytes: snapshot.rss_bytes })
    }
}

/// The number that is nearest to what real runs gave; the first of equals.
fn nearest(numbers: impl Iterator<Item = f64>, real: &[f64]) -> Option<f64> {
    let away = |number: &f64| real.iter().map(|real| (real - number).abs()).fold(f64::INFINITY, f64::min);
    numbers.min_by(|a, b| away(a).total_cmp(&away(b)))
}

/// Simulates a scenario with a few seeds, the settings' own first; the fastest time counts.
pub fn simulate(scenario: &Scenario, settings: &RunSettings) -> Result<Simulated, OracleError> {
    let with_seed = |seed| {
        let mut settings = settings.clone();
        settings.go.seed = seed;
        let start = Instant::now();
        let trace = scenario::run(scenario, &settings).map_err(|error| OracleError::Simulation {
            scenario: scenario.name.clone(),
            gogc: settings.go.gogc.to_string(),
            error,
        })?;
        Ok::<_, OracleError>((trace, start.elapsed().as_nanos() as u64))
    };
    let (trace, wall_ns) = with_seed(settings.go.seed)?;
    let mut simulated = Simulated { trace, reseeded: Vec::new(), wall_ns };
    for more in 1..SIMULATIONS as u64 {
        if Duration::from_nanos(simulated.wall_ns) < LONG_SIMULATION {
            let (trace, wall_ns) = with_seed(settings.go.seed.wrapping_add(more))?;
            simulated.reseeded.push(trace);
            simulated.wall_ns = simulated.wall_ns.min(wall_ns);
        }
    }
    Ok(simulated)
}

/// A cell before it is run.
#[derive(Clone, Debug)]
pub struct Cell<'c> {
    /// What is run.
    pub scenario: &'c Scenario,
    /// The settings of both sides.
    pub settings: RunSettings,
    /// `go1.23.9`.
    pub go: &'c str,
    /// The program of the scenario, built.
    pub program: &'c Path,
    /// How often it is run.
    pub runs: usize,
    /// How long one run may take.
    pub time: Option<Duration>,
    /// Stops everything.
    pub interrupt: &'c Interrupt,
    /// The simulation.
    pub simulated: Simulated,
}

impl Cell<'_> {
    /// Runs the real program and compares. `heard` is told about every run.
    pub fn run(&self, heard: &dyn Fn(&str)) -> Result<(CellReport, Curves), OracleError> {
        let peak_bytes = self.simulated.trace.summary.peak_rss_bytes;
        if real_run::most_memory_bytes().is_some_and(|most| peak_bytes > most) {
            return Err(self.error(RealRunError::TooLarge(peak_bytes)));
        }
        let folder = tempfile::tempdir()
            .map_err(|error| self.error(RealRunError::System { what: "no temporary folder", error }))?;
        let sampling_ns = real_run::sampling_ns(self.simulated.trace.summary.duration_ns);
        let slept = Duration::from_nanos(moments::sleep_ns(self.scenario));
        let order = Order {
            program: self.program,
            settings: self.settings.clone(),
            every_ns: sampling_ns,
            time: self.time.unwrap_or(DEFAULT_TIME + 3 * slept),
            folder: folder.path(),
            interrupt: self.interrupt.clone(),
        };
        let mut runs = Vec::new();
        for number in 1..=self.runs {
            let run = self.run_once(&order)?;
            heard(&format!("{}: run {number} of {}: {}", self.title(), self.runs, Nanos(run.wall_ns)));
            runs.push(run);
        }
        compare(self.scenario, self.go, &self.simulated, &runs, sampling_ns)
            .map_err(|reason| self.error(RealRunError::Torn { file: "snapshots (JSON)", reason }))
    }

    /// A run for the numbers, and a second one for the curves: to look at memory over time costs a process objects and spans
    /// of its own, which nobody should count. A scenario that sleeps for long is run once for both.
    fn run_once(&self, order: &Order) -> Result<RealRun, OracleError> {
        let run = |order: &Order| real_run::run(order).map_err(|error| self.error(error));
        let watched = run(order)?;
        if is_sleepy(self.scenario) {
            return Ok(watched);
        }
        Ok(run(&Order { every_ns: 0, ..order.clone() })?.with_curve_of(watched))
    }

    /// `delete-million, go1.23.9, GOGC=100`.
    pub fn title(&self) -> String {
        let go = &self.settings.go;
        let limit =
            go.memory_limit.bytes().map_or_else(String::new, |b| format!(", GOMEMLIMIT={}", Bytes(b)));
        format!("{}, {}, GOGC={}{limit}", self.scenario.name, self.go, go.gogc)
    }

    fn error(&self, error: RealRunError) -> OracleError {
        match error {
            RealRunError::Interrupted => OracleError::Interrupted,
            error => OracleError::RealRun { cell: self.title(), error },
        }
    }
}

/// Compares real runs with a simulation.
///
/// # Errors
/// When the two do not have the same snapshots.
pub fn compare(
    scenario: &Scenario,
    go: &str,
    simulated: &Simulated,
    runs: &[RealRun],
    sampling_ns: u64,
) -> Result<(CellReport, Curves), String> {
    let trace = &simulated.trace;
    let measured: Vec<&Measured> = runs.iter().filter_map(|run| run.measured.as_ref()).collect();
    let mut judged = judged_snapshots(scenario, simulated, &measured)?;
    let sleep_ns = moments::sleep_ns(scenario);
    let simulated_moments = simulated_moments(trace);
    judged.extend(judged_run(trace, &simulated_moments, runs, sleep_ns, sampling_ns));
    let cycles: Vec<&[TracedCycle]> = runs.iter().map(|run| run.cycles.as_slice()).collect();
    let walls: Vec<f64> = runs.iter().map(|run| run.wall_ns as f64).collect();
    let real_moments: Vec<&[Moment]> = runs.iter().map(|run| run.moments.as_slice()).collect();
    let report = CellReport {
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        go: go.to_owned(),
        config: trace.config.clone(),
        runs: runs.len(),
        sampling_ns,
        host: Host::here(),
        judged,
        cycles: Cycles::compare(&cycles, &trace.cycles),
        speed: Speed {
            real_ns: median(&walls).unwrap_or(0.0) as u64,
            sleep_ns,
            simulated_ns: simulated.wall_ns,
        },
    };
    let curves = Curves {
        real_heap: curve(&real_moments, |moment| moment.heap_alloc_bytes),
        real_rss: curve(&real_moments, |moment| Some(moment.rss_bytes)),
        simulated: simulated_moments,
    };
    Ok((report, curves))
}

fn judged_snapshots(
    scenario: &Scenario,
    simulated: &Simulated,
    measured: &[&Measured],
) -> Result<Vec<Judged>, String> {
    let trace = &simulated.trace;
    let mut judged = Vec::new();
    let whole: Vec<&&Measured> = measured.iter().collect();
    let version = trace.config.go.parse().map_err(|error: VersionError| error.to_string())?;
    let mut growth = vec![Growth::new(version, trace.config.procs); whole.len() + 1];
    let moments = trace.snapshots.iter().zip(moments::before_each_snapshot(scenario));
    for (index, (snapshot, after)) in moments.enumerate() {
        let label = snapshot.label.as_str();
        let rows = whole
            .iter()
            .map(|run| {
                let row = run.snapshots.iter().find(|row| row.label == label);
                let row = row.ok_or_else(|| format!("there is no snapshot {label:?}"))?;
                Ok(Row { stats: &row.mem_stats, rss_bytes: row.rss_bytes })
            })
            .collect::<Result<Vec<Row>, String>>()?;
        let row = Row { stats: &snapshot.mem_stats, rss_bytes: snapshot.rss_bytes };
        growth.iter_mut().zip(rows.iter().chain([&row])).for_each(|(growth, row)| growth.see(row));
        let full = growth.iter().copied().find(|growth| growth.was_full()).unwrap_or(growth[0]);
        for (metric, value) in metric::of_snapshot(after) {
            let real: Vec<f64> = rows.iter().map(|row| value(row) as f64).collect();
            let seeds = simulated.rows(index).map(|row| value(&row) as f64);
            let number = if metric.class == Class::Exact { nearest(seeds, &real) } else { None };
            let number = number.unwrap_or(value(&row) as f64);
            judged.extend(judge(Some(label), &full.allow(metric), &real, number));
        }
    }
    if let Some(run) =
        whole.iter().find(|run| trace.oom_kill.is_none() && run.snapshots.len() != trace.snapshots.len())
    {
        return Err(format!(
            "{} snapshots where {} are expected",
            run.snapshots.len(),
            trace.snapshots.len()
        ));
    }
    Ok(judged)
}

fn judged_run(
    trace: &Trace,
    simulated_moments: &[Moment],
    runs: &[RealRun],
    sleep_ns: u64,
    sampling_ns: u64,
) -> Vec<Judged> {
    let (kill, is_killed) = metric::OOM_KILL;
    let nothing = crate::trace::Summary::default();
    let real: Vec<Whole> = runs
        .iter()
        .map(|run| Whole {
            summary: run.measured.as_ref().map_or(&nothing, |measured| &measured.summary),
            moments: &run.moments,
            sleep_ns,
            is_killed: run.measured.is_none(),
        })
        .collect();
    let simulated = Whole {
        summary: &trace.summary,
        moments: simulated_moments,
        sleep_ns,
        is_killed: trace.oom_kill.is_some(),
    };
    let mut judged = Vec::new();
    let survivors: Vec<&Whole> = real.iter().filter(|whole| !whole.is_killed).collect();
    if !simulated.is_killed {
        for (metric, value) in metric::of_run(sampling_ns) {
            let measured: Vec<f64> = survivors.iter().filter_map(|whole| value(whole)).collect();
            // Where only one side lets go of memory at all there is no time to compare; final RSS shows it.
            if let Some(simulated) = value(&simulated).filter(|_| measured.len() == survivors.len()) {
                judged.extend(judge(None, &metric, &measured, simulated));
            }
        }
    }
    if trace.config.machine_memory_bytes.is_some() {
        let measured: Vec<f64> = real.iter().filter_map(is_killed).collect();
        let simulated = is_killed(&simulated).unwrap_or_default();
        judged.extend(judge(None, &kill, &measured, simulated));
    }
    judged
}

/// Samples and snapshots of a simulated run, in order of time.
fn simulated_moments(trace: &Trace) -> Vec<Moment> {
    let samples = trace.samples.iter().map(|sample| Moment {
        t_ns: sample.t_ns,
        heap_alloc_bytes: Some(sample.heap_alloc_bytes),
        rss_bytes: sample.rss_bytes,
    });
    let snapshots = trace.snapshots.iter().map(|snapshot| Moment {
        t_ns: snapshot.t_ns,
        heap_alloc_bytes: Some(snapshot.mem_stats.heap_alloc),
        rss_bytes: snapshot.rss_bytes,
    });
    let mut moments: Vec<Moment> = samples.chain(snapshots).collect();
    moments.sort_by_key(|moment| moment.t_ns);
    moments
}

/// Whether a scenario sleeps so long that its real runs are better done side by side.
pub fn is_sleepy(scenario: &Scenario) -> bool {
    moments::sleep_ns(scenario) > 3 * SECOND_NS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::measured::MeasuredSnapshot;
    use crate::oracle::metric::Class;

    fn scenario(machine: &str) -> Scenario {
        let text = format!(
            "title='t'\nquestion='q'\nanswer='a'\nvars={{ m = 'map[int]int' }}\n\
             steps=[{{ make = {{ var = 'm', hint = 100_000 }} }}, {{ insert = {{ var = 'm', keys = '0..100_000' }} }}, \
             {{ snapshot = 'full' }}, {{ drop = 'm' }}, 'free-os-memory', {{ snapshot = 'given back' }}]\n{machine}"
        );
        Scenario::parse("tiny.toml", &text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.list))
    }

    /// A real run that shows what the simulation shows.
    fn twin(simulated: &Simulated) -> RealRun {
        let trace = &simulated.trace;
        let row = |snapshot: &crate::trace::Snapshot| MeasuredSnapshot {
            label: snapshot.label.clone(),
            t_ns: snapshot.t_ns,
            rss_bytes: snapshot.rss_bytes,
            mem_stats: snapshot.mem_stats.clone(),
        };
        RealRun {
            wall_ns: 100 * simulated.wall_ns,
            measured: Some(Measured {
                snapshots: trace.snapshots.iter().map(row).collect(),
                steps: trace.steps.clone(),
                summary: trace.summary.clone(),
            }),
            moments: simulated_moments(trace),
            cycles: crate::oracle::gctrace::parse(&crate::trace::gctrace(trace)).unwrap(),
        }
    }

    fn missed(report: &CellReport) -> Vec<String> {
        let name =
            |judged: &Judged| format!("{} {}", judged.snapshot.as_deref().unwrap_or("run"), judged.metric);
        report.misses().map(name).collect()
    }

    #[test]
    fn a_twin_passes_and_every_changed_number_is_found() {
        let scenario = scenario("");
        let simulated = simulate(&scenario, &scenario.settings()).unwrap();
        let same = twin(&simulated);
        let (report, curves) =
            compare(&scenario, "go1.23.9", &simulated, std::slice::from_ref(&same), 1).unwrap();
        assert_eq!(missed(&report), Vec::<String>::new());
        assert!(report.exact().count() > 8, "{}", report.exact().count());
        assert!((99.0..101.0).contains(&report.speed.ratio()));
        assert_eq!(report.name(), "tiny-go1.23.9-gogc100-procs2");
        assert!(report.cycles.near().iter().all(|(_, near)| *near == report.cycles.pairs.len()));
        assert!(!curves.real_rss.line.is_empty() && !curves.real_heap.line.is_empty());

        let mut wrong = same.clone();
        let measured = wrong.measured.as_mut().unwrap();
        measured.snapshots[1].mem_stats.heap_alloc += 1 << 20;
        measured.snapshots[1].mem_stats.heap_released += 8 << 20;
        measured.summary.num_gc += 10;
        measured.summary.duration_ns *= 2;
        let (report, _) =
            compare(&scenario, "go1.23.9", &simulated, std::slice::from_ref(&wrong), 1).unwrap();
        assert_eq!(
            missed(&report),
            [
                "given back bytes freed",
                "given back HeapAlloc",
                "given back HeapReleased",
                "run NumGC",
                "run total time"
            ]
        );

        // Two runs that disagree: real Go does not repeat it, and the simulation lies between them.
        let (report, _) = compare(&scenario, "go1.23.9", &simulated, &[same, wrong], 1).unwrap();
        let heap = report.judged.iter().find(|judged| {
            judged.metric == "HeapReleased" && judged.snapshot.as_deref() == Some("given back")
        });
        assert_eq!(heap.map(|judged| (judged.class, judged.is_miss())), Some((Class::RealVaries, false)));
    }

    #[test]
    fn other_snapshots_are_another_program() {
        let scenario = scenario("");
        let simulated = simulate(&scenario, &scenario.settings()).unwrap();
        let mut renamed = twin(&simulated);
        renamed.measured.as_mut().unwrap().snapshots[0].label = "other".to_owned();
        let error = compare(&scenario, "go1.23.9", &simulated, &[renamed], 1).unwrap_err();
        assert!(error.contains("\"full\""), "{error}");
    }

    #[test]
    fn a_kill_on_one_side_is_an_exact_miss() {
        let scenario = scenario("[machine]\nmemory = '64MiB'\n");
        let simulated = simulate(&scenario, &scenario.settings()).unwrap();
        let killed = RealRun { measured: None, ..twin(&simulated) };
        let (report, _) = compare(&scenario, "go1.23.9", &simulated, &[killed], 1).unwrap();
        assert_eq!(missed(&report), ["run OOM kill"]);
        let (report, _) = compare(&scenario, "go1.23.9", &simulated, &[twin(&simulated)], 1).unwrap();
        assert_eq!(missed(&report), Vec::<String>::new());
        assert!(report.judged.iter().any(|judged| judged.metric == "OOM kill"));
    }
}
