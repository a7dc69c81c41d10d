//! Several real runs as one line with its spread: at each of some hundred moments the lowest, the middle and the highest.

use super::judge::median;
use super::measured::Moment;

/// How many moments a band has at most.
const MOMENTS: u64 = 600;

/// The spread of one size at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Since the start, in nanoseconds.
    pub t_ns: u64,
    /// Of all runs that are still running.
    pub low: u64,
    /// Their median.
    pub middle: u64,
    /// The highest.
    pub high: u64,
}

/// The band of what `size` says of each run. Between two samples a run is as it was at the earlier one; a run
/// that has ended is no longer part of it. A single run keeps its own moments.
pub fn band(runs: &[&[Moment]], size: impl Fn(&Moment) -> Option<u64>) -> Vec<Spread> {
    if let [run] = runs {
        let alone = |moment: &Moment| {
            let bytes = size(moment)?;
            Some(Spread { t_ns: moment.t_ns, low: bytes, middle: bytes, high: bytes })
        };
        return run.iter().filter_map(alone).collect();
    }
    let end_ns = runs.iter().filter_map(|run| run.last()).map(|last| last.t_ns).max().unwrap_or(0);
    let spread = |t_ns: u64| {
        let at = |run: &&[Moment]| {
            let next = run.partition_point(|moment| moment.t_ns <= t_ns);
            // After its end a run says nothing.
            (next < run.len() || run.last().is_some_and(|last| last.t_ns == t_ns))
                .then(|| run[..next].last().and_then(&size))
                .flatten()
        };
        let values: Vec<u64> = runs.iter().filter_map(at).collect();
        let middle = median(&values.iter().map(|value| *value as f64).collect::<Vec<_>>())? as u64;
        Some(Spread { t_ns, low: *values.iter().min()?, middle, high: *values.iter().max()? })
    };
    (0..=MOMENTS)
        .filter_map(|index| spread((u128::from(end_ns) * u128::from(index) / u128::from(MOMENTS)) as u64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: &[(u64, u64)]) -> Vec<Moment> {
        values
            .iter()
            .map(|(t_ns, rss)| Moment { t_ns: *t_ns, heap_alloc_bytes: None, rss_bytes: *rss })
            .collect()
    }

    #[test]
    fn a_band_spans_the_runs_that_are_still_running() {
        let (a, b) = (run(&[(0, 10), (600, 20)]), run(&[(0, 30), (300, 50)]));
        let band = band(&[&a, &b], |moment| Some(moment.rss_bytes));
        assert_eq!(band[100], Spread { t_ns: 100, low: 10, middle: 20, high: 30 });
        assert_eq!(band[301], Spread { t_ns: 301, low: 10, middle: 10, high: 10 });
        assert_eq!(band.last(), Some(&Spread { t_ns: 600, low: 20, middle: 20, high: 20 }));
    }

    #[test]
    fn one_run_is_itself() {
        let alone = run(&[(3, 1), (7, 2)]);
        assert_eq!(band(&[&alone], |moment| Some(moment.rss_bytes)).len(), 2);
        assert_eq!(band(&[&alone], |moment| moment.heap_alloc_bytes), []);
    }
}
