//! The judgement of one number: real runs on one side, the simulation on the other.
//!
//! 1. The real runs give a median and a range.
//! 2. An exact metric is judged as exact only if real Go repeats it: when the runs differ by more than the exact tolerance,
//!    it is judged as timing, and the report says so.
//! 3. Exact: the simulated number must lie within the exact tolerance of what one of the real runs gave, with one of
//!    three seeds: hash seeds are random on both sides.
//! 4. Timing: it must lie within the timing tolerance of the median, or between the smallest and the largest real number.
//! 5. A timing miss of more than [`LARGE_SHARE`] is large.

use serde::{Deserialize, Serialize};

use super::metric::{Class, Metric, Tolerance, Unit};

/// A miss beyond this share of the real number is flagged.
pub const LARGE_SHARE: f64 = 0.25;
/// A heap goal beyond any memory: the collector is off.
const OFF: f64 = (1u64 << 60) as f64;

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Within the tolerance.
    Pass,
    /// Beyond it.
    Miss,
    /// Beyond it by far.
    LargeMiss,
}

impl Verdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Miss => "MISS",
            Verdict::LargeMiss => "LARGE MISS",
        }
    }
}

/// One number, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The snapshot; `None` for the whole run.
    pub snapshot: Option<String>,
    /// What was compared.
    pub metric: String,
    /// What it counts.
    pub unit: Unit,
    /// How it was judged.
    pub class: Class,
    /// The real runs.
    pub real_median: f64,
    /// The smallest of them.
    pub real_min: f64,
    /// The largest of them.
    pub real_max: f64,
    /// The simulation.
    pub simulated: f64,
    /// How far the simulation may be from the median.
    pub allowed: f64,
    /// What came out.
    pub verdict: Verdict,
}

impl Judged {
    /// How far the simulation is from the real median, as a share of it; `None` when the median is zero.
    pub fn error(&self) -> Option<f64> {
        if is_off(self.simulated) && is_off(self.real_median) {
            return Some(0.0);
        }
        (self.real_median != 0.0).then(|| (self.simulated - self.real_median) / self.real_median)
    }

    /// Whether it was judged as exact.
    pub fn is_exact(&self) -> bool {
        self.class == Class::Exact
    }

    /// Whether it is beyond its tolerance.
    pub fn is_miss(&self) -> bool {
        self.verdict != Verdict::Pass
    }
}

fn is_off(value: f64) -> bool {
    value >= OFF
}

impl Tolerance {
    fn allowed(self, median: f64) -> f64 {
        (self.share * median.abs()).max(self.floor) + self.base
    }
}

/// Judges `simulated` against what each real run measured; `None` without a real run.
pub fn judge(snapshot: Option<&str>, metric: &Metric, real: &[f64], simulated: f64) -> Option<Judged> {
    let real_median = median(real)?;
    let real_min = real.iter().copied().fold(f64::INFINITY, f64::min);
    let real_max = real.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exact_allowed = metric.exact.allowed(real_median);
    let class = match metric.class {
        Class::Exact if real_max - real_min > exact_allowed => Class::RealVaries,
        class => class,
    };
    let allowed = match class {
        Class::Exact => exact_allowed,
        Class::Timing | Class::RealVaries => metric.timing.allowed(real_median),
    };
    let nearest = if class == Class::Exact { simulated.clamp(real_min, real_max) } else { real_median };
    let away = (simulated - nearest).abs();
    let in_range = class != Class::Exact && (real_min..=real_max).contains(&simulated);
    let verdict = match () {
        () if is_off(simulated) && is_off(real_median) => Verdict::Pass,
        () if away <= allowed || in_range => Verdict::Pass,
        () if (simulated - real_median).abs() > LARGE_SHARE * real_median.abs() => Verdict::LargeMiss,
        () => Verdict::Miss,
    };
    Some(Judged {
        snapshot: snapshot.map(str::to_owned),
        metric: metric.name.to_owned(),
        unit: metric.unit,
        class,
        real_median,
        real_min,
        real_max,
        simulated,
        allowed,
        verdict,
    })
}

/// The middle one, or the mean of the middle two; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::metric::{OOM_KILL, of_run, of_snapshot};
    use super::super::moments::After;
    use super::*;
    use crate::units::{KIB, MIB};

    const M: f64 = MIB as f64;

    fn snapshot_metric(after: After, name: &str) -> Metric {
        of_snapshot(after).into_iter().map(|(metric, _)| metric).find(|metric| metric.name == name).unwrap()
    }

    fn run_metric(name: &str) -> Metric {
        of_run(10_000_000).into_iter().map(|(metric, _)| metric).find(|metric| metric.name == name).unwrap()
    }

    fn verdict(metric: &Metric, real: &[f64], simulated: f64) -> (Class, Verdict) {
        let judged = judge(None, metric, real, simulated).unwrap();
        (judged.class, judged.verdict)
    }

    #[test]
    fn exact_bytes_may_be_a_thousandth_and_64_kib_off() {
        let heap = snapshot_metric(After::Collection, "HeapAlloc");
        let (real, allowed) = ([100.0 * M; 3], 0.1 * M + 64.0 * KIB as f64);
        assert_eq!(verdict(&heap, &real, 100.0 * M + allowed - 1.0), (Class::Exact, Verdict::Pass));
        assert_eq!(verdict(&heap, &real, 100.0 * M + allowed + 1.0), (Class::Exact, Verdict::Miss));
        assert_eq!(verdict(&heap, &real, 100.0 * M - allowed - 1.0), (Class::Exact, Verdict::Miss));
        assert_eq!(verdict(&heap, &real, 10.0 * M), (Class::Exact, Verdict::LargeMiss));
    }

    #[test]
    fn exact_counts_have_a_base_of_a_thousand() {
        let mallocs = snapshot_metric(After::Work, "Mallocs");
        assert_eq!(verdict(&mallocs, &[1e6], 1e6 + 2000.0).1, Verdict::Pass);
        assert_eq!(verdict(&mallocs, &[1e6], 1e6 + 2001.0).1, Verdict::Miss);
    }

    #[test]
    fn what_real_go_does_not_repeat_is_no_exact_metric() {
        let space = snapshot_metric(After::Work, "HeapSys");
        let real = [60.0 * M, 60.0 * M, 64.0 * M];
        assert_eq!(verdict(&space, &real, 63.0 * M), (Class::RealVaries, Verdict::Pass));
        assert_eq!(verdict(&space, &real, 70.0 * M), (Class::RealVaries, Verdict::Miss));
        assert_eq!(verdict(&space, &[60.0 * M; 3], 63.0 * M), (Class::Exact, Verdict::Miss));
    }

    #[test]
    fn timing_passes_near_the_median_or_inside_the_range() {
        let rss = run_metric("peak RSS");
        assert_eq!(verdict(&rss, &[100.0 * M], 110.0 * M), (Class::Timing, Verdict::Pass));
        assert_eq!(verdict(&rss, &[100.0 * M], 111.0 * M), (Class::Timing, Verdict::Miss));
        assert_eq!(verdict(&rss, &[90.0 * M, 100.0 * M, 140.0 * M], 139.0 * M).1, Verdict::Pass);
        assert_eq!(verdict(&rss, &[100.0 * M], 126.0 * M).1, Verdict::LargeMiss);
        assert_eq!(verdict(&rss, &[2.0 * M], 2.9 * M).1, Verdict::Pass, "below the floor");
        assert_eq!(verdict(&run_metric("NumGC"), &[3.0], 4.0).1, Verdict::Pass);
        assert_eq!(verdict(&run_metric("NumGC"), &[3.0], 5.0).1, Verdict::LargeMiss);
        assert_eq!(verdict(&run_metric("GC CPU"), &[0.02], 0.031).1, Verdict::LargeMiss);
    }

    #[test]
    fn a_kill_is_a_fact() {
        assert_eq!(verdict(&OOM_KILL.0, &[1.0, 1.0], 1.0), (Class::Exact, Verdict::Pass));
        assert!(judge(None, &OOM_KILL.0, &[0.0], 1.0).unwrap().is_miss());
    }

    #[test]
    fn a_goal_that_is_off_is_off_on_both_sides() {
        let goal = snapshot_metric(After::Collection, "NextGC");
        let (off, other_off) = ((1u64 << 63) as f64, (1u64 << 62) as f64);
        assert_eq!(verdict(&goal, &[off], other_off).1, Verdict::Pass);
        assert_ne!(verdict(&goal, &[off], 4.0 * M).1, Verdict::Pass);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[]), None);
    }
}
