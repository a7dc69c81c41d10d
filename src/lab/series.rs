//! The samples of a trace as columns, as many as a screen can show, and never without a peak or a trough.
//!
//! The recorder keeps up to some thousand samples of a run, closely in short steps and widely in long ones. A screen has fewer
//! columns than that. So the samples are cut into groups of neighbours, and of each group those are kept in which RSS and HeapAlloc
//! are highest and lowest: a point of the chart is always a sample as it was recorded, whose ledger adds up.

use std::ops::Range;

use serde::Serialize;

use crate::trace::{RssLedger, Sample};

/// Samples kept of one group at most.
const KEPT_OF_GROUP: usize = 4;

/// Samples, one column a quantity, all of the same length. Sizes in bytes; `null` where a quantity does not exist.
#[derive(Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names are those of `Sample`")]
pub struct Series {
    pub t_ns: Vec<u64>,
    pub heap_alloc_bytes: Vec<u64>,
    pub heap_inuse_bytes: Vec<u64>,
    pub heap_idle_bytes: Vec<u64>,
    pub heap_released_bytes: Vec<u64>,
    pub heap_live_bytes: Vec<u64>,
    pub heap_goal_bytes: Vec<Option<u64>>,
    pub trigger_bytes: Vec<Option<u64>>,
    pub stack_inuse_bytes: Vec<u64>,
    pub sys_bytes: Vec<u64>,
    pub rss_bytes: Vec<u64>,
    pub ledger: LedgerSeries,
    pub num_gc: Vec<u32>,
    /// 1 while marking.
    pub marking: Vec<u8>,
}

/// Who owns each resident byte. The columns add up to `rss_bytes`.
#[derive(Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names are those of `RssLedger`")]
pub struct LedgerSeries {
    pub marked_bytes: Vec<u64>,
    pub fresh_bytes: Vec<u64>,
    pub dead_bytes: Vec<u64>,
    pub waste_bytes: Vec<u64>,
    pub free_bytes: Vec<u64>,
    pub lazily_freed_bytes: Vec<u64>,
    pub stack_bytes: Vec<u64>,
    pub metadata_bytes: Vec<u64>,
    pub binary_bytes: Vec<u64>,
}

/// The samples between two moments, both included, and the neighbours of these, as `points` points at most.
pub fn series(samples: &[Sample], window_ns: Range<u64>, points: usize) -> Series {
    let first = samples.partition_point(|sample| sample.t_ns < window_ns.start).saturating_sub(1);
    let end = samples.partition_point(|sample| sample.t_ns <= window_ns.end) + 1;
    let inside = &samples[first.min(samples.len())..end.min(samples.len())];
    let mut series = Series::default();
    kept(inside, points).into_iter().for_each(|index| series.push(&inside[index]));
    series
}

/// Which samples are kept, in order.
fn kept(samples: &[Sample], points: usize) -> Vec<usize> {
    if samples.len() <= points {
        return (0..samples.len()).collect();
    }
    let groups = (points.saturating_sub(2) / KEPT_OF_GROUP).max(1);
    let mut kept = vec![0, samples.len() - 1];
    for group in 0..groups {
        let start = group * samples.len() / groups;
        let end = (group + 1) * samples.len() / groups;
        let by = |value: fn(&Sample) -> u64| {
            let highest = (start..end).max_by_key(|index| value(&samples[*index]));
            let lowest = (start..end).min_by_key(|index| value(&samples[*index]));
            [highest, lowest]
        };
        kept.extend(by(|sample| sample.rss_bytes).into_iter().flatten());
        kept.extend(by(|sample| sample.heap_alloc_bytes).into_iter().flatten());
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

impl Series {
    fn push(&mut self, sample: &Sample) {
        self.t_ns.push(sample.t_ns);
        self.heap_alloc_bytes.push(sample.heap_alloc_bytes);
        self.heap_inuse_bytes.push(sample.heap_inuse_bytes);
        self.heap_idle_bytes.push(sample.heap_idle_bytes);
        self.heap_released_bytes.push(sample.heap_released_bytes);
        self.heap_live_bytes.push(sample.heap_live_bytes);
        self.heap_goal_bytes.push(sample.heap_goal_bytes);
        self.trigger_bytes.push(sample.trigger_bytes);
        self.stack_inuse_bytes.push(sample.stack_inuse_bytes);
        self.sys_bytes.push(sample.sys_bytes);
        self.rss_bytes.push(sample.rss_bytes);
        self.ledger.push(&sample.rss_ledger);
        self.num_gc.push(sample.num_gc);
        self.marking.push(u8::from(sample.marking));
    }
}

impl LedgerSeries {
    fn push(&mut self, ledger: &RssLedger) {
        self.marked_bytes.push(ledger.marked_bytes);
        self.fresh_bytes.push(ledger.fresh_bytes);
        self.dead_bytes.push(ledger.dead_bytes);
        self.waste_bytes.push(ledger.waste_bytes);
        self.free_bytes.push(ledger.free_bytes);
        self.lazily_freed_bytes.push(ledger.lazily_freed_bytes);
        self.stack_bytes.push(ledger.stack_bytes);
        self.metadata_bytes.push(ledger.metadata_bytes);
        self.binary_bytes.push(ledger.binary_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples(rss: &[u64]) -> Vec<Sample> {
        let sample = |(index, rss_bytes): (usize, &u64)| Sample {
            t_ns: 10 * index as u64,
            rss_bytes: *rss_bytes,
            heap_alloc_bytes: rss_bytes / 2,
            ..Sample::default()
        };
        rss.iter().enumerate().map(sample).collect()
    }

    proptest! {
        #[test]
        fn peaks_troughs_and_ends_are_kept(
            rss in proptest::collection::vec(0u64..1000, 1..500),
            points in 6usize..200,
        ) {
            let samples = samples(&rss);
            let series = series(&samples, 0..u64::MAX - 1, points);
            prop_assert!(series.t_ns.len() <= points);
            prop_assert!(series.t_ns.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(series.rss_bytes.iter().max(), rss.iter().max());
            prop_assert_eq!(series.rss_bytes.iter().min(), rss.iter().min());
            prop_assert_eq!(series.t_ns.first(), Some(&0));
            prop_assert_eq!(series.t_ns.last(), Some(&samples[samples.len() - 1].t_ns));
        }
    }

    #[test]
    fn a_window_has_its_samples_and_one_neighbour_on_each_side() {
        let samples = samples(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(series(&samples, 25..40, 100).t_ns, [20, 30, 40, 50]);
        assert_eq!(series(&samples, 0..5, 100).t_ns, [0, 10]);
        assert_eq!(series(&samples, 1000..2000, 100).t_ns, [60]);
    }
}
