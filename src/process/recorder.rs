//! Detail: samples over virtual time that never grow beyond a few thousand, and peaks that no sampling can miss.
//!
//! Samples are taken at an interval and at every turn of a cycle. Each top-level step has places of its own, so that a
//! spike of 200 ms is as detailed as the six idle minutes after it: when a step has filled its places, every second of
//! its samples is dropped and the interval doubles. A run of very many steps is thinned out as a whole in the same way.
//!
//! A sample is also a moment at which the process looks up, so its time is part of the run. A recorder that keeps totals
//! only therefore takes the same samples at the same moments, and throws them away: the totals are the same to the bit.

use super::Process;
use crate::trace::{Cycle, Latencies, Latency, Sample, Snapshot, StepMark, Summary, Trace};
use crate::units::MICROSECOND_NS;

/// Most samples of one step.
const MAX_STEP_SAMPLES: usize = 1024;
/// Most samples that a trace keeps.
const MAX_SAMPLES: usize = 8192;
/// First interval between samples in nanoseconds.
const FIRST_INTERVAL_NS: f64 = 20.0 * MICROSECOND_NS as f64;

/// What a run leaves behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The whole trace.
    #[default]
    Everything,
    /// A trace without samples, for runs by the thousand: everything else is as in the whole one.
    Totals,
}

/// What has been recorded so far.
#[derive(Debug)]
pub(super) struct Recorder {
    detail: Detail,
    /// As many as `sample_count`, or none.
    samples: Vec<Sample>,
    sample_count: usize,
    last_sample_ns: Option<u64>,
    /// The first sample of the running step.
    step_start: usize,
    cycles: Vec<Cycle>,
    snapshots: Vec<Snapshot>,
    steps: Vec<StepMark>,
    interval_ns: f64,
    next_sample_ns: f64,
    peak_heap_alloc_bytes: u64,
    peak_rss_bytes: u64,
    latencies: Latencies,
    assists: Latencies,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            detail: Detail::Everything,
            samples: Vec::new(),
            sample_count: 0,
            last_sample_ns: None,
            step_start: 0,
            cycles: Vec::new(),
            snapshots: Vec::new(),
            steps: Vec::new(),
            interval_ns: FIRST_INTERVAL_NS,
            next_sample_ns: FIRST_INTERVAL_NS,
            peak_heap_alloc_bytes: 0,
            peak_rss_bytes: 0,
            latencies: Latencies::default(),
            assists: Latencies::default(),
        }
    }
}

impl Recorder {
    /// When the next sample is due.
    pub(super) fn next_sample_ns(&self) -> f64 {
        self.next_sample_ns
    }

    pub(super) fn push_cycle(&mut self, cycle: Cycle) {
        self.cycles.push(cycle);
    }

    /// A goroutine was held up by an assist.
    pub(super) fn note_assist(&mut self, held_up_ns: u64) {
        self.assists.add(held_up_ns);
    }

    pub(super) fn push_snapshot(&mut self, snapshot: Snapshot) {
        self.snapshots.push(snapshot);
    }

    /// The last cycle's sweep is done.
    pub(super) fn mark_sweep_end(&mut self, at_ns: u64) {
        if let Some(cycle) = self.cycles.last_mut() {
            cycle.sweep_end_ns.get_or_insert(at_ns.max(cycle.end_ns));
        }
    }

    /// Counts a sample of `t_ns`, in place of one of the same moment, and keeps it if it is there.
    fn push_sample(&mut self, t_ns: u64, sample: Option<Sample>) {
        if self.last_sample_ns == Some(t_ns) {
            self.samples.pop();
            self.sample_count -= 1;
        }
        self.last_sample_ns = Some(t_ns);
        self.next_sample_ns = t_ns as f64 + self.interval_ns;
        self.samples.extend(sample);
        self.sample_count += 1;
        if self.sample_count > MAX_SAMPLES {
            self.thin_out(0);
            self.step_start /= 2;
        } else if self.sample_count - self.step_start > MAX_STEP_SAMPLES {
            self.thin_out(self.step_start);
            self.interval_ns *= 2.0;
        }
    }

    /// Drops every second sample from number `first` on. There is an odd number of them: the last one stays.
    fn thin_out(&mut self, first: usize) {
        let mut number = 0;
        self.samples.retain(|_| {
            number += 1;
            number <= first || (number - first) % 2 == 1
        });
        self.sample_count = first + (self.sample_count - first).div_ceil(2);
    }

    /// The samples of a new step are taken as closely as those of the first.
    fn begin_step(&mut self, step: StepMark) {
        self.step_start = self.sample_count;
        self.interval_ns = FIRST_INTERVAL_NS;
        self.next_sample_ns = step.t_ns as f64 + FIRST_INTERVAL_NS;
        self.steps.push(step);
    }
}

impl Process {
    /// Keeps no samples from now on, nor those that are there.
    pub fn record_totals_only(&mut self) {
        self.recorder.detail = Detail::Totals;
        self.recorder.samples = Vec::new();
    }

    /// Requests are served from now on.
    pub fn begin_serving(&mut self) {
        self.recorder.latencies = Latencies::default();
    }

    /// A request that was due at `due_ns` is done now.
    pub fn note_latency(&mut self, due_ns: f64) {
        self.recorder.latencies.add((self.now_ns - due_ns).max(0.0) as u64);
    }

    /// Of the requests of the last load.
    pub(super) fn latency(&self) -> Option<Latency> {
        self.recorder.latencies.latency()
    }

    /// A top-level step of the scenario begins.
    pub fn begin_step(&mut self, label: &str) {
        self.catch_up();
        label.clone_into(&mut self.step);
        self.begin_step_of_film();
        self.recorder.begin_step(StepMark { t_ns: self.now_ns as u64, label: label.to_owned() });
        self.record_sample();
    }

    /// The top-level step that runs.
    pub fn step(&self) -> &str {
        &self.step
    }

    pub(super) fn record_if_due(&mut self) {
        if self.background_ns >= self.recorder.next_sample_ns {
            self.record_sample_at(self.background_ns as u64);
        }
    }

    /// Records the state of memory at the running goroutine's time.
    pub(super) fn record_sample(&mut self) {
        self.record_sample_at(self.now_ns as u64);
    }

    /// Records the state of memory as that of `t_ns`.
    pub(super) fn record_sample_at(&mut self, t_ns: u64) {
        if self.oom_kill.is_some() {
            return;
        }
        let t_ns = t_ns.max(self.recorder.last_sample_ns.unwrap_or(0));
        let sample = match self.recorder.detail {
            Detail::Everything => Some(self.sample(t_ns)),
            Detail::Totals => None,
        };
        self.recorder.push_sample(t_ns, sample);
        self.film_if_due(t_ns);
        self.record_peaks();
    }

    pub(super) fn record_peaks(&mut self) {
        if self.oom_kill.is_some() {
            return;
        }
        let heap_alloc_bytes = self.heap.stats.heap_alloc_bytes();
        let rss_bytes = self.rss_bytes();
        let recorder = &mut self.recorder;
        recorder.peak_heap_alloc_bytes = recorder.peak_heap_alloc_bytes.max(heap_alloc_bytes);
        recorder.peak_rss_bytes = recorder.peak_rss_bytes.max(rss_bytes);
    }

    /// Ends the run and gives up its trace.
    pub fn into_trace(mut self, name: &str, title: &str, question: &str, answer: &str) -> Trace {
        self.catch_up();
        self.record_sample();
        let totals = &self.totals;
        let summary = Summary {
            duration_ns: self.oom_kill.as_ref().map_or(self.now_ns as u64, |kill| kill.t_ns),
            num_gc: totals.num_gc,
            peak_heap_alloc_bytes: self.recorder.peak_heap_alloc_bytes,
            peak_rss_bytes: self.recorder.peak_rss_bytes,
            final_rss_bytes: self.oom_kill.as_ref().map_or(self.rss_bytes(), |kill| kill.rss_bytes),
            total_alloc_bytes: self.heap.stats.allocated_bytes,
            gc_cpu_fraction: totals.gc_cpu_fraction,
            assist_cpu_ns: totals.assist_ns as u64,
            background_mark_cpu_ns: totals.background_ns as u64,
            idle_mark_cpu_ns: totals.idle_ns as u64,
            pause_total_ns: totals.pause_ns as u64,
            max_pause_ns: totals.max_pause_ns as u64,
            p99_assist_ns: self.recorder.assists.latency().map(|assists| assists.p99_ns),
            latency: self.latency(),
            scavenged_bytes: self.heap.stats.scavenged_bytes,
        };
        Trace {
            name: name.to_owned(),
            title: title.to_owned(),
            question: question.to_owned(),
            answer: answer.to_owned(),
            config: self.started_with,
            samples: self.recorder.samples,
            cycles: self.recorder.cycles,
            snapshots: self.recorder.snapshots,
            steps: self.recorder.steps,
            oom_kill: self.oom_kill,
            summary,
        }
    }
}
