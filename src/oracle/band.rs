//! Several real runs as one line and its spread: the run of middle length, and at each of some hundred moments the lowest
//! and the highest of all.

use super::measured::Moment;

/// How many moments a spread has at most.
const MOMENTS: u64 = 600;

/// One size of all real runs over time, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RealCurve {
    /// The run whose length is in the middle: nanoseconds and bytes.
    pub line: Vec<(u64, u64)>,
    /// All runs; empty for one.
    pub spread: Vec<Spread>,
}

/// The spread of one size at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Since the start, in nanoseconds.
    pub t_ns: u64,
    /// The lowest of all runs that are still running.
    pub low: u64,
    /// The highest.
    pub high: u64,
}

/// The curve of what `size` says of each run. Between two samples a run is as it was at the earlier one; a run that has
/// ended is no longer part of the spread.
pub fn curve(runs: &[&[Moment]], size: impl Fn(&Moment) -> Option<u64>) -> RealCurve {
    let mut by_length: Vec<&[Moment]> = runs.to_vec();
    by_length.sort_by_key(|run| end_ns(run));
    let Some(middle) = by_length.get(by_length.len().saturating_sub(1) / 2) else {
        return RealCurve::default();
    };
    let line = middle.iter().filter_map(|moment| Some((moment.t_ns, size(moment)?))).collect();
    if runs.len() == 1 {
        return RealCurve { line, spread: Vec::new() };
    }
    let last_ns = by_length.last().map_or(0, |run| end_ns(run));
    let spread = |index: u64| {
        let t_ns = (u128::from(last_ns) * u128::from(index) / u128::from(MOMENTS)) as u64;
        let values: Vec<u64> = runs
            .iter()
            .filter(|run| end_ns(run) >= t_ns)
            .filter_map(|run| run[..run.partition_point(|moment| moment.t_ns <= t_ns)].last().and_then(&size))
            .collect();
        Some(Spread { t_ns, low: *values.iter().min()?, high: *values.iter().max()? })
    };
    RealCurve { line, spread: (0..=MOMENTS).filter_map(spread).collect() }
}

fn end_ns(run: &[Moment]) -> u64 {
    run.last().map_or(0, |last| last.t_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(values: &[(u64, u64)]) -> Vec<Moment> {
        let moment = |(t_ns, rss_bytes): &(u64, u64)| Moment {
            t_ns: *t_ns,
            heap_alloc_bytes: None,
            rss_bytes: *rss_bytes,
        };
        values.iter().map(moment).collect()
    }

    #[test]
    fn a_spread_is_that_of_the_runs_that_are_still_running() {
        let (a, b) = (run(&[(0, 10), (600, 20)]), run(&[(0, 30), (300, 50)]));
        let curve = curve(&[&a, &b], |moment| Some(moment.rss_bytes));
        assert_eq!(curve.spread[100], Spread { t_ns: 100, low: 10, high: 30 });
        assert_eq!(curve.spread[301], Spread { t_ns: 301, low: 10, high: 10 });
        assert_eq!(curve.spread.last(), Some(&Spread { t_ns: 600, low: 20, high: 20 }));
    }

    #[test]
    fn the_line_is_the_run_of_middle_length() {
        let (a, b, c) = (run(&[(1, 1)]), run(&[(9, 9)]), run(&[(5, 5)]));
        assert_eq!(curve(&[&a, &b, &c], |moment| Some(moment.rss_bytes)).line, [(5, 5)]);
        assert_eq!(curve(&[&a], |moment| Some(moment.rss_bytes)).spread, []);
        assert_eq!(curve(&[&a], |moment| moment.heap_alloc_bytes).line, []);
        assert_eq!(curve(&[], |moment| moment.heap_alloc_bytes), RealCurve::default());
    }
}
