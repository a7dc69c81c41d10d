//! Traces made by hand, close to what real Go 1.23.9 was measured to do, for tests of charts.
//!
//! A run is given by key moments; samples lie on straight lines between them. The sizes are those of real programs
//! on a two-core machine, rounded: a million map entries deleted, a 512 MiB spike, garbage over a live list. What a
//! measurement cannot see - which resident byte belongs to whom - is split so that the parts add up to RSS.

#![allow(dead_code)]

use gclab::trace::{
    Config, Cycle, CycleKind, MemStats, OomKill, RssLedger, Sample, Snapshot, StepMark, Summary, Trace,
};

const MIB: f64 = 1024.0 * 1024.0;

/// The state of memory at one moment: milliseconds, then MiB.
#[derive(Clone, Copy)]
pub struct Moment {
    pub t_ms: f64,
    pub marked: f64,
    pub fresh: f64,
    pub dead: f64,
    pub free: f64,
    pub goal: f64,
}

pub const fn moment(t_ms: f64, marked: f64, fresh: f64, dead: f64, free: f64, goal: f64) -> Moment {
    Moment { t_ms, marked, fresh, dead, free, goal }
}

/// Everything a run needs beside its moments.
#[derive(Default)]
pub struct Script {
    pub name: &'static str,
    pub title: &'static str,
    pub question: &'static str,
    pub answer: &'static str,
    pub moments: Vec<Moment>,
    /// Milliseconds and label.
    pub steps: Vec<(f64, String)>,
    pub snapshots: Vec<(f64, String)>,
    /// Begin and end of marking in milliseconds.
    pub cycles: Vec<(f64, f64, CycleKind)>,
    pub gogc_percent: Option<u32>,
    pub memory_limit_mib: Option<u64>,
    pub container_mib: Option<u64>,
    pub gc_cpu_fraction: f64,
    pub samples_per_stretch: usize,
}

fn ns(t_ms: f64) -> u64 {
    (t_ms * 1e6).round() as u64
}

fn bytes(mib: f64) -> u64 {
    (mib * MIB).round() as u64
}

/// The runtime's own resident memory: the binary's 1.9 MiB, stacks, and a little for every heap page.
fn sample(at: Moment) -> Sample {
    let used = at.marked + at.fresh + at.dead;
    let rss_ledger = RssLedger {
        marked_bytes: bytes(at.marked),
        fresh_bytes: bytes(at.fresh),
        dead_bytes: bytes(at.dead),
        waste_bytes: bytes(used * 0.012 + 0.2),
        free_bytes: bytes(at.free),
        lazily_freed_bytes: 0,
        stack_bytes: bytes(0.3),
        metadata_bytes: bytes(0.6 + (used + at.free) * 0.008),
        binary_bytes: bytes(1.9),
    };
    let heap_alloc_bytes = bytes(at.marked) + bytes(at.fresh) + bytes(at.dead);
    Sample {
        t_ns: ns(at.t_ms),
        heap_alloc_bytes,
        heap_inuse_bytes: heap_alloc_bytes + rss_ledger.waste_bytes,
        heap_idle_bytes: bytes(at.free),
        heap_live_bytes: heap_alloc_bytes,
        heap_goal_bytes: (at.goal > 0.0).then(|| bytes(at.goal)),
        rss_bytes: rss_ledger.total_bytes(),
        rss_ledger,
        ..Sample::default()
    }
}

fn between(from: Moment, to: Moment, share: f64) -> Moment {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    Moment {
        t_ms: mix(from.t_ms, to.t_ms),
        marked: mix(from.marked, to.marked),
        fresh: mix(from.fresh, to.fresh),
        dead: mix(from.dead, to.dead),
        free: mix(from.free, to.free),
        goal: from.goal,
    }
}

fn cycle(number: usize, (start_ms, end_ms, kind): (f64, f64, CycleKind)) -> Cycle {
    Cycle {
        number: number as u32 + 1,
        kind,
        start_ns: ns(start_ms),
        mark_start_ns: ns(start_ms) + 20_000,
        mark_end_ns: ns(end_ms),
        end_ns: ns(end_ms) + 20_000,
        sweep_end_ns: None,
        heap_start_bytes: 0,
        heap_end_bytes: 0,
        heap_marked_bytes: 0,
        goal_bytes: 0,
        trigger_bytes: 0,
        runway_bytes: 0,
        cons_mark: 0.0,
        heap_scan_work_bytes: 0,
        stack_scan_work_bytes: 0,
        globals_scan_work_bytes: 0,
        assist_cpu_ns: 0,
        dedicated_cpu_ns: 0,
        fractional_cpu_ns: 0,
        idle_cpu_ns: 0,
        gc_cpu_fraction: 0.0,
        procs: 2,
    }
}

impl Script {
    pub fn trace(self) -> Trace {
        let count = self.samples_per_stretch.max(1);
        let mut samples: Vec<Sample> = Vec::new();
        for pair in self.moments.windows(2) {
            samples.extend(
                (0..count).map(|index| sample(between(pair[0], pair[1], index as f64 / count as f64))),
            );
        }
        samples.extend(self.moments.last().map(|last| sample(*last)));
        let rss_at = |t_ms: f64| samples.iter().rev().find(|sample| sample.t_ns <= ns(t_ms));
        let snapshots = self
            .snapshots
            .iter()
            .map(|(t_ms, label)| Snapshot {
                label: label.clone(),
                t_ns: ns(*t_ms),
                rss_bytes: rss_at(*t_ms).map_or(0, |sample| sample.rss_bytes),
                rss_ledger: rss_at(*t_ms).map_or(RssLedger::default(), |sample| sample.rss_ledger),
                mem_stats: MemStats::default(),
                latency: None,
            })
            .collect();
        let summary = Summary {
            duration_ns: samples.last().map_or(0, |sample| sample.t_ns),
            num_gc: self.cycles.len() as u32,
            peak_heap_alloc_bytes: samples.iter().map(|sample| sample.heap_alloc_bytes).max().unwrap_or(0),
            peak_rss_bytes: samples.iter().map(|sample| sample.rss_bytes).max().unwrap_or(0),
            final_rss_bytes: samples.last().map_or(0, |sample| sample.rss_bytes),
            gc_cpu_fraction: self.gc_cpu_fraction,
            ..Summary::default()
        };
        Trace {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            question: self.question.to_owned(),
            answer: self.answer.to_owned(),
            config: Config {
                go: "1.23".to_owned(),
                gogc_percent: self.gogc_percent,
                memory_limit_bytes: self.memory_limit_mib.map(|mib| mib << 20),
                procs: 2,
                cores: 2,
                seed: 1,
                madvdontneed: true,
                machine_memory_bytes: self.container_mib.map(|mib| mib << 20),
                cost_profile: "go1.23".to_owned(),
            },
            samples,
            cycles: self.cycles.into_iter().enumerate().map(|(index, times)| cycle(index, times)).collect(),
            snapshots,
            steps: self.steps.into_iter().map(|(t_ms, label)| StepMark { t_ns: ns(t_ms), label }).collect(),
            oom_kill: None,
            summary,
        }
    }
}

fn labelled(items: &[(f64, &str)]) -> Vec<(f64, String)> {
    items.iter().map(|(t_ms, label)| (*t_ms, (*label).to_owned())).collect()
}

/// A million 64-byte values in a map, deleted, dropped, given back: 695 ms.
pub fn delete_million() -> Trace {
    use CycleKind::{Forced, Heap};
    Script {
        name: "delete-million",
        title: "Delete a million entries",
        question: "Every key is gone. Why is the memory still there?",
        answer: "delete clears slots; the bucket array is one live object for as long as the map is reachable. \
                 Drop the map, and the next GC frees it; only FreeOSMemory (or minutes of idling) gives it back.",
        moments: vec![
            moment(0.2, 0.0, 0.05, 0.0, 0.0, 4.0),
            moment(60.0, 0.0, 4.0, 0.0, 0.0, 4.0),
            moment(64.0, 3.9, 0.3, 0.2, 0.5, 8.0),
            moment(150.0, 3.9, 24.0, 0.0, 2.0, 8.0),
            moment(158.0, 20.0, 0.0, 6.0, 2.0, 46.0),
            moment(165.0, 20.0, 0.8, 0.0, 8.0, 46.0),
            moment(330.0, 20.0, 38.0, 0.0, 4.0, 46.0),
            moment(352.0, 52.0, 1.0, 8.0, 4.0, 112.0),
            moment(360.0, 52.0, 2.0, 0.0, 12.0, 112.0),
            moment(541.0, 52.0, 69.0, 0.0, 6.0, 112.0),
            moment(541.3, 52.0, 69.0, 0.0, 6.0, 112.0),
            moment(580.0, 99.3, 0.0, 21.7, 6.0, 198.8),
            moment(581.6, 99.3, 0.0, 0.0, 28.0, 198.8),
            moment(670.5, 99.3, 0.05, 0.0, 28.0, 198.8),
            moment(677.0, 38.3, 0.0, 61.0, 28.0, 76.8),
            moment(680.0, 38.3, 0.0, 0.0, 88.0, 76.8),
            moment(680.1, 38.3, 0.0, 0.0, 88.0, 76.8),
            moment(691.7, 38.3, 0.0, 0.0, 0.0, 76.8),
            moment(691.8, 38.3, 0.0, 0.0, 0.0, 76.8),
            moment(692.0, 0.05, 0.0, 38.2, 0.0, 4.0),
            moment(692.3, 0.05, 0.0, 0.0, 38.2, 4.0),
            moment(692.4, 0.05, 0.0, 0.0, 38.2, 4.0),
            moment(695.1, 0.05, 0.0, 0.0, 0.0, 4.0),
        ],
        steps: labelled(&[
            (0.2, "make sessions"),
            (0.2, "insert 1,000,000 keys into sessions"),
            (541.3, "snapshot \"inserted\""),
            (541.3, "gc"),
            (581.6, "delete 1,000,000 keys from sessions"),
            (670.5, "gc"),
            (680.0, "snapshot \"deleted\""),
            (680.1, "free-os-memory"),
            (691.7, "snapshot \"given back\""),
            (691.8, "drop sessions"),
            (691.8, "gc"),
            (692.3, "snapshot \"dropped\""),
            (692.4, "free-os-memory"),
            (695.1, "snapshot \"end\""),
        ]),
        snapshots: labelled(&[
            (541.3, "inserted"),
            (680.0, "deleted"),
            (691.7, "given back"),
            (692.3, "dropped"),
            (695.1, "end"),
        ]),
        cycles: vec![
            (60.0, 63.0, Heap),
            (150.0, 158.0, Heap),
            (330.0, 352.0, Heap),
            (541.3, 580.0, Forced),
            (670.5, 677.0, Forced),
            (680.2, 688.0, Forced),
            (691.8, 692.0, Forced),
            (692.5, 693.0, Forced),
        ],
        gogc_percent: Some(100),
        gc_cpu_fraction: 0.11,
        samples_per_stretch: 24,
        ..Script::default()
    }
    .trace()
}

/// 512 MiB in two and a half seconds, dropped, then six idle minutes.
pub fn spike() -> Trace {
    use CycleKind::{Forced, Heap, Time};
    let mut moments = vec![moment(8.0, 0.0, 0.05, 0.0, 0.0, 4.0)];
    let mut cycles = Vec::new();
    // The heap doubles from collection to collection: 4, 8 ... 300 MiB live at 206 MiB a second.
    for live in [4.0, 8.0, 16.0, 37.0, 75.0, 149.0, 298.0] {
        let end_ms = 8.0 + live / 512.5 * 2467.0;
        cycles.push((end_ms - 2.0 - live / 100.0, end_ms, Heap));
        let before = moments.last().map_or(0.0, |last: &Moment| last.marked);
        moments.push(moment(end_ms - 0.1, before, live - before, 0.0, 0.0, moments[moments.len() - 1].goal));
        moments.push(moment(end_ms, live, 0.0, 0.0, 0.0, live * 2.0));
    }
    moments.extend([
        moment(2474.8, 298.0, 214.5, 0.0, 0.0, 595.7),
        moment(2475.0, 298.0, 214.5, 0.0, 0.0, 595.7),
        moment(2481.0, 0.05, 0.0, 512.4, 0.0, 4.0),
        moment(2483.2, 0.05, 0.0, 0.0, 512.5, 4.0),
        moment(67_000.0, 0.05, 2.0, 0.0, 511.0, 4.0),
        moment(81_500.0, 0.05, 2.5, 0.0, 510.5, 4.0),
        moment(81_510.0, 0.05, 0.3, 0.0, 512.0, 4.0),
        moment(85_000.0, 0.05, 0.4, 0.0, 1.5, 4.0),
        moment(150_000.0, 0.05, 2.3, 0.0, 0.5, 4.0),
        moment(150_010.0, 0.05, 0.3, 0.0, 2.0, 4.0),
        moment(230_000.0, 0.05, 2.4, 0.0, 0.5, 4.0),
        moment(230_010.0, 0.05, 0.3, 0.0, 1.8, 4.0),
        moment(362_483.0, 0.05, 1.6, 0.0, 0.9, 4.0),
    ]);
    cycles.extend([
        (2475.0, 2481.0, Forced),
        (81_500.0, 81_510.0, Time),
        (150_000.0, 150_010.0, Time),
        (230_000.0, 230_010.0, Time),
    ]);
    Script {
        name: "spike-and-idle",
        title: "A spike, then six idle minutes",
        question: "The spike is over and collected. When does the memory go back?",
        answer: "Freed pages wait for the next GC cycle, which in an idle process is up to two minutes away; \
                 then the background scavenger returns nearly all of them within seconds.",
        moments,
        steps: labelled(&[
            (8.0, "allocate 512 MiB in 64 KiB blocks"),
            (2475.0, "drop blocks"),
            (2475.0, "gc"),
            (2483.2, "snapshot \"dropped\""),
            (2483.2, "sleep 6m"),
            (362_483.0, "snapshot \"rested\""),
        ]),
        snapshots: labelled(&[(2474.8, "full"), (2483.2, "dropped"), (362_483.0, "rested")]),
        cycles,
        gogc_percent: Some(100),
        gc_cpu_fraction: 0.0001,
        samples_per_stretch: 60,
        ..Script::default()
    }
    .trace()
}

/// What garbage over a live list of 64 MiB was measured to cost under one setting.
pub struct Steady {
    pub gogc_percent: Option<u32>,
    pub memory_limit_mib: Option<u64>,
    pub cycles: usize,
    pub duration_ms: f64,
    pub peak_alloc_mib: f64,
    pub rss_mib: f64,
    pub gc_cpu_fraction: f64,
}

const STEADY: [Steady; 5] = [
    steady_setting(Some(50), None, 105, 4560.0, 140.0, 146.0, 0.357),
    steady_setting(Some(100), None, 48, 2976.0, 190.0, 208.0, 0.297),
    steady_setting(Some(200), None, 24, 2350.0, 268.0, 292.0, 0.211),
    steady_setting(Some(400), None, 12, 2010.0, 390.0, 421.0, 0.127),
    steady_setting(None, Some(120), 116, 5625.0, 111.0, 118.0, 0.364),
];

const fn steady_setting(
    gogc_percent: Option<u32>,
    memory_limit_mib: Option<u64>,
    cycles: usize,
    duration_ms: f64,
    peak_alloc_mib: f64,
    rss_mib: f64,
    gc_cpu_fraction: f64,
) -> Steady {
    Steady { gogc_percent, memory_limit_mib, cycles, duration_ms, peak_alloc_mib, rss_mib, gc_cpu_fraction }
}

/// 4 GiB of garbage over a live list of 64 MiB, GOGC=100.
pub fn steady() -> Trace {
    steady_run(&STEADY[1])
}

/// The same work under each measured setting.
pub fn steady_sweep() -> Vec<Trace> {
    STEADY.iter().map(steady_run).collect()
}

pub fn steady_run(setting: &Steady) -> Trace {
    let live = 64.0;
    let goal = setting
        .memory_limit_mib
        .map_or(live * (1.0 + f64::from(setting.gogc_percent.unwrap_or(100)) / 100.0), |limit| {
            limit as f64 - 11.0
        });
    let room = setting.peak_alloc_mib - live;
    let held = (setting.rss_mib - setting.peak_alloc_mib * 1.02 - 4.0).max(0.0);
    let period = (setting.duration_ms - 85.0) / setting.cycles as f64;
    let mut moments = vec![
        moment(0.2, 0.0, 0.05, 0.0, 0.0, if setting.memory_limit_mib.is_some() { goal } else { 4.0 }),
        moment(40.0, 0.0, 30.0, 0.0, 0.0, goal * 0.5),
        moment(85.0, live, 0.0, 0.0, 0.0, goal),
    ];
    let mut cycles = Vec::new();
    for index in 0..setting.cycles {
        let begin = 85.0 + period * index as f64;
        let sweep = if index == 0 { 0.0 } else { room * 0.9 };
        // Marking takes the last third of the period, and everything allocated meanwhile survives it.
        moments.push(moment(begin + period * 0.15, live, room * 0.15, 0.0, sweep * 0.85 + held, goal));
        moments.push(moment(begin + period * 0.98, live, room, 0.0, held, goal));
        moments.push(moment(begin + period, live, room * 0.1, room * 0.9, held, goal));
        cycles.push((begin + period * 0.66, begin + period * 0.99, CycleKind::Heap));
    }
    Script {
        name: "steady",
        title: "4 GiB of garbage over a live list of 64 MiB",
        question: "What does GOGC buy, and what does it cost?",
        answer: "A higher GOGC spends memory to save CPU: the live heap is the same, but the collector runs less often. \
                 A memory limit alone does the opposite when it is close to the live heap.",
        moments,
        steps: labelled(&[(0.2, "build a list of 1,048,576 nodes"), (85.0, "allocate and drop 4 GiB in 256-byte objects")]),
        snapshots: labelled(&[(85.0, "live"), (setting.duration_ms, "end")]),
        cycles,
        gogc_percent: setting.gogc_percent,
        memory_limit_mib: setting.memory_limit_mib,
        gc_cpu_fraction: setting.gc_cpu_fraction,
        samples_per_stretch: 6,
        ..Script::default()
    }
    .trace()
}

/// A cache that grows into a container's limit.
pub fn killed() -> Trace {
    let mut moments = vec![moment(0.2, 0.0, 0.05, 0.0, 0.0, 4.0)];
    let mut cycles = Vec::new();
    for live in [4.0, 8.0, 16.0, 32.0, 64.0, 128.0] {
        let end_ms = live * 8.0;
        cycles.push((end_ms - live / 20.0, end_ms, CycleKind::Heap));
        let before = moments.last().map_or(0.0, |last: &Moment| last.marked);
        moments.push(moment(end_ms - 0.1, before, live - before, 0.0, 0.0, live));
        moments.push(moment(end_ms, live, 0.0, 0.0, 0.0, live * 2.0));
    }
    moments.push(moment(1940.0, 128.0, 118.0, 0.0, 0.0, 256.0));
    let mut trace = Script {
        name: "oom",
        title: "A cache without a bound in a container of 256 MiB",
        question: "The live heap is half the limit. Why does the kernel kill it?",
        answer: "With GOGC=100 the heap may double before the next collection: set GOMEMLIMIT below the container's limit.",
        moments,
        steps: labelled(&[(0.2, "start"), (400.0, "insert 4,000,000 keys into cache")]),
        snapshots: Vec::new(),
        cycles,
        gogc_percent: Some(100),
        container_mib: Some(256),
        gc_cpu_fraction: 0.05,
        samples_per_stretch: 20,
        ..Script::default()
    }
    .trace();
    let last = trace.samples.last().map_or((0, 0), |sample| (sample.t_ns, sample.rss_bytes));
    trace.oom_kill = Some(OomKill {
        t_ns: last.0,
        rss_bytes: last.1.max(256 << 20),
        limit_bytes: 256 << 20,
        step: "insert 4,000,000 keys into cache".to_owned(),
    });
    trace
}

/// As much of everything as a page may meet: hundreds of cycles, many steps with long names, many snapshots.
pub fn crowded(steps: usize, snapshots: usize) -> Trace {
    let mut trace = steady_run(&steady_setting(Some(25), Some(150), 480, 9000.0, 120.0, 140.0, 0.42));
    let share = |index: usize, count: usize| 9_000_000_000 / count.max(1) as u64 * index as u64;
    trace.steps = (0..steps)
        .map(|index| StepMark {
            t_ns: share(index, steps),
            label: format!("insert {},000 keys into the map of sessions", index * 37),
        })
        .collect();
    let snapshot = trace.snapshots[0].clone();
    trace.snapshots = (0..snapshots)
        .map(|index| Snapshot {
            label: format!("after round {index}"),
            t_ns: share(index, snapshots * 3),
            ..snapshot.clone()
        })
        .collect();
    trace
}
