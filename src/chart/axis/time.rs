//! The horizontal axis: one scale for the whole run when every step can be seen on it, else one scale per step.
//!
//! Two seconds of allocation and six idle minutes on one scale put all the action into the first eight pixels. Then
//! each step gets a width of its own: what its name needs, plus a share of the rest that grows with the logarithm of
//! its duration. Inside a step time stays linear. Such an axis never pretends: the steps stand apart, each with its
//! duration written under it.

use crate::trace::StepMark;

/// A stretch of the run between two step marks.
#[derive(Clone, Debug, PartialEq)]
pub struct StepSpan {
    /// Begin in nanoseconds.
    pub start_ns: u64,
    /// End in nanoseconds, `>= start_ns`.
    pub end_ns: u64,
    /// What happens, in the scenario's words.
    pub label: String,
}

impl StepSpan {
    fn duration_ns(&self) -> u64 {
        self.end_ns - self.start_ns
    }
}

/// Steps that stand apart on a page; more are joined with their neighbours.
const MAX_SPANS: usize = 12;
/// A step shorter than this share of the run takes no time that could be drawn.
const INSTANT_SHARE: u64 = 1_000_000;

/// The run cut at its steps: snapshots and steps that take no time are joined with their neighbours, and so are the
/// shortest ones when there are more than [`MAX_SPANS`]. Covers `0..end_ns` without gaps; never empty.
pub fn step_spans(steps: &[StepMark], end_ns: u64) -> Vec<StepSpan> {
    let mut pending: Option<String> = None;
    let mut spans: Vec<StepSpan> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let start_ns = step.t_ns.min(end_ns);
        let next_ns = steps.get(index + 1).map_or(end_ns, |next| next.t_ns.clamp(start_ns, end_ns));
        if is_snapshot(&step.label) {
            extend_last(&mut spans, next_ns);
            continue;
        }
        let label = joined(pending.take().as_deref().unwrap_or_default(), &step.label);
        let takes_time = next_ns - start_ns > end_ns / INSTANT_SHARE;
        if takes_time {
            spans.push(StepSpan { start_ns, end_ns: next_ns, label });
        } else {
            extend_last(&mut spans, next_ns);
            pending = Some(label);
        }
    }
    if let (Some(label), Some(last)) = (pending, spans.last_mut()) {
        last.label = joined(&last.label, &label);
    }
    close_gaps(&mut spans, end_ns);
    while spans.len() > MAX_SPANS {
        join_shortest(&mut spans);
    }
    spans
}

/// `snapshot "inserted"` only looks: its letter stands below the axis.
fn is_snapshot(label: &str) -> bool {
    label.starts_with("snapshot")
}

fn joined(before: &str, after: &str) -> String {
    let separator = if before.is_empty() || after.is_empty() { "" } else { ", " };
    format!("{before}{separator}{after}")
}

fn extend_last(spans: &mut [StepSpan], end_ns: u64) {
    if let Some(last) = spans.last_mut() {
        last.end_ns = last.end_ns.max(end_ns);
    }
}

fn close_gaps(spans: &mut Vec<StepSpan>, end_ns: u64) {
    match spans.first_mut() {
        Some(first) => first.start_ns = 0,
        None => spans.push(StepSpan { start_ns: 0, end_ns, label: String::new() }),
    }
    let starts: Vec<u64> = spans.iter().skip(1).map(|span| span.start_ns).chain([end_ns]).collect();
    spans.iter_mut().zip(starts).for_each(|(span, next_ns)| span.end_ns = next_ns.max(span.start_ns));
}

/// Joins the two neighbours that are shortest together.
fn join_shortest(spans: &mut Vec<StepSpan>) {
    let pair_ns = |index: &usize| spans[*index + 1].end_ns - spans[*index].start_ns;
    let Some(index) = (0..spans.len() - 1).min_by_key(pair_ns) else { return };
    let second = spans.remove(index + 1);
    spans[index].end_ns = second.end_ns;
    spans[index].label = joined(&spans[index].label, &second.label);
}

/// How time is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeScale {
    /// One scale for the whole run.
    Uniform,
    /// Every step has its own.
    PerStep,
}

/// A step and its place on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// What it stands for.
    pub span: StepSpan,
    /// Left edge in pixels.
    pub left: f32,
    /// Right edge in pixels.
    pub right: f32,
}

impl Segment {
    /// Width in pixels.
    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    fn x(&self, t_ns: u64) -> f32 {
        let duration_ns = self.span.duration_ns();
        if duration_ns == 0 {
            return self.left;
        }
        let passed_ns = t_ns.clamp(self.span.start_ns, self.span.end_ns) - self.span.start_ns;
        self.left + self.width() * (passed_ns as f64 / duration_ns as f64) as f32
    }
}

/// The horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeAxis {
    /// One scale, or one per step.
    pub scale: TimeScale,
    /// The steps from left to right, without gaps; never empty.
    pub segments: Vec<Segment>,
}

/// On one scale for all, a step narrower than this hides what happens in it, in pixels.
const NARROWEST_PX: f32 = 40.0;
/// The share of all that happens that narrow steps may hide together.
const HIDDEN_SHARE: f64 = 0.05;

impl TimeAxis {
    /// One scale over `left..right` pixels for all of `spans`.
    pub fn uniform(spans: Vec<StepSpan>, left: f32, right: f32) -> TimeAxis {
        let total_ns = spans.last().map_or(0, |span| span.end_ns).max(1);
        let x = |t_ns: u64| left + (right - left) * (t_ns as f64 / total_ns as f64) as f32;
        let place = |span: StepSpan| Segment { left: x(span.start_ns), right: x(span.end_ns), span };
        TimeAxis { scale: TimeScale::Uniform, segments: spans.into_iter().map(place).collect() }
    }

    /// One scale if what happens can be seen on it, else one per step, each at least as wide as `needed_px` says its
    /// name needs (as far as there is room). `action` says how much happens in each step, in any unit.
    pub fn fitting(
        spans: Vec<StepSpan>,
        action: &[f64],
        left: f32,
        right: f32,
        needed_px: impl Fn(&StepSpan) -> f32,
    ) -> TimeAxis {
        let uniform = TimeAxis::uniform(spans, left, right);
        let narrow =
            uniform.segments.iter().zip(action).filter(|(segment, _)| segment.width() < NARROWEST_PX);
        let hidden: f64 = narrow.map(|(_, action)| action).sum();
        if uniform.segments.len() == 1 || hidden <= action.iter().sum::<f64>() * HIDDEN_SHARE {
            return uniform;
        }
        let spans: Vec<StepSpan> = uniform.segments.into_iter().map(|segment| segment.span).collect();
        let needed: Vec<f32> = spans.iter().map(needed_px).collect();
        let widths = shared_widths(&spans, &needed, right - left);
        let mut edge = left;
        let place = |(span, width): (StepSpan, f32)| {
            let segment = Segment { span, left: edge, right: edge + width };
            edge += width;
            segment
        };
        TimeAxis { scale: TimeScale::PerStep, segments: spans.into_iter().zip(widths).map(place).collect() }
    }

    /// Page position of a moment; before the beginning lies at the beginning, after the end at the end.
    pub fn x(&self, t_ns: u64) -> f32 {
        let index = self.segments.partition_point(|segment| segment.span.end_ns < t_ns);
        self.segments[index.min(self.segments.len() - 1)].x(t_ns)
    }

    /// Left edge in pixels.
    pub fn left(&self) -> f32 {
        self.segments[0].left
    }

    /// Right edge in pixels.
    pub fn right(&self) -> f32 {
        self.segments[self.segments.len() - 1].right
    }
}

/// Every step gets what it needs, and of what is left a share by the logarithm of its duration. When there is not
/// enough, needs shrink in proportion.
fn shared_widths(spans: &[StepSpan], needed_px: &[f32], room_px: f32) -> Vec<f32> {
    let total_needed: f32 = needed_px.iter().sum();
    let shrink = (room_px / total_needed.max(1.0)).min(1.0);
    let rest = (room_px - total_needed * shrink).max(0.0);
    let shortest_ns = spans.iter().map(StepSpan::duration_ns).filter(|ns| *ns > 0).min().unwrap_or(1);
    let weights: Vec<f32> =
        spans.iter().map(|span| log2(1.0 + span.duration_ns() as f64 / shortest_ns as f64)).collect();
    let total_weight: f32 = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    needed_px.iter().zip(weights).map(|(need, weight)| need * shrink + rest * weight / total_weight).collect()
}

/// The binary logarithm of a number from 1 on, straight between powers of two: near enough for widths, and the same
/// to the last bit on every machine, which the mathematical library's is not.
fn log2(number: f64) -> f32 {
    let (mut rest, mut exponent) = (number, 0.0f32);
    while rest >= 2.0 {
        rest /= 2.0;
        exponent += 1.0;
    }
    exponent + (rest - 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{MILLISECOND_NS, SECOND_NS};
    use proptest::prelude::*;

    fn marks(steps: &[(u64, &str)]) -> Vec<StepMark> {
        steps.iter().map(|(t_ns, label)| StepMark { t_ns: *t_ns, label: (*label).to_owned() }).collect()
    }

    fn labels(spans: &[StepSpan]) -> Vec<&str> {
        spans.iter().map(|span| span.label.as_str()).collect()
    }

    #[test]
    fn steps_that_take_no_time_join_the_next_and_snapshots_vanish() {
        let steps = marks(&[
            (0, "make sessions"),
            (0, "insert"),
            (100, "snapshot \"full\""),
            (100, "drop sessions"),
            (100, "gc"),
            (120, "snapshot \"dropped\""),
        ]);
        let spans = step_spans(&steps, 120);
        assert_eq!(labels(&spans), ["make sessions, insert", "drop sessions, gc"]);
        assert_eq!((spans[0].end_ns, spans[1].start_ns, spans[1].end_ns), (100, 100, 120));
    }

    #[test]
    fn a_last_step_without_duration_is_still_named() {
        let spans = step_spans(&marks(&[(0, "insert"), (100, "drop")]), 100);
        assert_eq!(labels(&spans), ["insert, drop"]);
    }

    #[test]
    fn a_run_without_steps_is_one_span() {
        assert_eq!(labels(&step_spans(&[], 7)), [""]);
        assert_eq!(labels(&step_spans(&marks(&[(0, "drop")]), 0)), [""]);
    }

    #[test]
    fn many_steps_are_joined_to_a_dozen() {
        let many: Vec<StepMark> =
            (0..100).map(|index| StepMark { t_ns: index * 10, label: format!("step {index}") }).collect();
        let spans = step_spans(&many, 1000);
        assert_eq!(spans.len(), MAX_SPANS);
        assert_eq!((spans[0].start_ns, spans[MAX_SPANS - 1].end_ns), (0, 1000));
    }

    #[test]
    fn steps_of_like_length_share_one_scale() {
        let spans = step_spans(&marks(&[(0, "a"), (300, "b")]), 1000);
        let axis = TimeAxis::fitting(spans, &[5.0, 5.0], 0.0, 1000.0, |_| 100.0);
        assert_eq!(axis.scale, TimeScale::Uniform);
        assert_eq!((axis.x(0), axis.x(300), axis.x(500), axis.x(2000)), (0.0, 300.0, 500.0, 1000.0));
    }

    #[test]
    fn a_short_beginning_before_a_long_idle_time_gets_room() {
        let steps =
            marks(&[(0, "allocate"), (2 * SECOND_NS, "gc"), (2 * SECOND_NS + MILLISECOND_NS, "sleep")]);
        let axis =
            TimeAxis::fitting(step_spans(&steps, 362 * SECOND_NS), &[5.0, 5.0, 5.0], 100.0, 1300.0, |_| {
                120.0
            });
        assert_eq!(axis.scale, TimeScale::PerStep);
        assert!(axis.segments[0].width() > 300.0, "{:?}", axis.segments[0].width());
        assert!(axis.segments.iter().all(|segment| segment.width() >= 120.0));
        assert!(axis.segments[2].width() > axis.segments[0].width());
        assert!((axis.right() - 1300.0).abs() < 0.01);
    }

    #[test]
    fn a_short_step_in_which_little_happens_stretches_nothing() {
        let spans = || step_spans(&marks(&[(0, "build"), (10, "work")]), 1000);
        let scale = |action: &[f64]| TimeAxis::fitting(spans(), action, 0.0, 1000.0, |_| 100.0).scale;
        assert_eq!(scale(&[1.0, 99.0]), TimeScale::Uniform);
        assert_eq!(scale(&[10.0, 90.0]), TimeScale::PerStep);
    }

    proptest! {
        #[test]
        fn later_is_never_further_left(
            times in prop::collection::vec(0u64..1 << 40, 1..30),
            end_ns in 1u64..1 << 40,
            moments in prop::collection::vec(0u64..1 << 41, 2..40),
        ) {
            let mut times = times;
            times.sort_unstable();
            let steps: Vec<StepMark> =
                times.iter().map(|t_ns| StepMark { t_ns: *t_ns, label: "step".to_owned() }).collect();
            let spans = step_spans(&steps, end_ns);
            prop_assert!(spans.windows(2).all(|pair| pair[0].end_ns == pair[1].start_ns));
            let action = vec![1.0; spans.len()];
            let axis = TimeAxis::fitting(spans, &action, 10.0, 1000.0, |_| 90.0);
            prop_assert!((axis.left() - 10.0).abs() < 0.01 && (axis.right() - 1000.0).abs() < 0.1);
            let mut moments = moments;
            moments.sort_unstable();
            let places: Vec<f32> = moments.iter().map(|t_ns| axis.x(*t_ns)).collect();
            prop_assert!(places.windows(2).all(|pair| pair[0] <= pair[1] + 0.01), "{places:?}");
            prop_assert!(places.iter().all(|x| (9.99..=1000.1).contains(x)));
        }
    }
}
