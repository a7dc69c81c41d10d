//! Ticks at round numbers, and sizes and durations in the words of a chart.

use crate::units::{GIB, KIB, MIB, MICROSECOND_NS, MILLISECOND_NS, SECOND_NS};

/// The round steps between two ticks within one unit.
const ROUND: [u64; 9] = [1, 2, 5, 10, 20, 50, 100, 200, 500];
/// The round steps between two sizes in tenths of a unit.
const ROUND_TENTHS: [u64; 13] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
/// Units of size, smallest first.
const SIZE_UNITS: [(&str, u64); 5] = [("B", 1), ("KiB", KIB), ("MiB", MIB), ("GiB", GIB), ("TiB", 1 << 40)];
/// Steps between ticks from a second on: seconds, minutes, hours that clocks are read in.
const CLOCK_STEPS_S: [u64; 14] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/// A tick: a value and how it is written.
pub type Tick = (u64, String);

/// At most `max_ticks` (at least 2) round sizes in `0..=max_bytes`, from 0, all in one unit.
pub fn byte_ticks(max_bytes: u64, max_ticks: usize) -> Vec<Tick> {
    let (name, unit) =
        SIZE_UNITS.into_iter().rev().find(|(_, unit)| *unit <= max_bytes).unwrap_or(SIZE_UNITS[0]);
    let max_tenths = (u128::from(max_bytes) * 10 / u128::from(unit)) as u64;
    let enough = |step: &u64| max_tenths / step < max_ticks.max(2) as u64;
    let whole_bytes = |step: &u64| unit > 1 || *step >= 10;
    let step = ROUND_TENTHS.into_iter().filter(whole_bytes).find(enough).unwrap_or(max_tenths / 20 * 10 + 10);
    let tick = |tenths: u64| {
        let bytes = (u128::from(tenths) * u128::from(unit) / 10) as u64;
        let text = match (tenths, tenths % 10) {
            (0, _) => "0".to_owned(),
            (_, 0) => format!("{} {name}", tenths / 10),
            (_, tenth) => format!("{}.{tenth} {name}", tenths / 10),
        };
        (bytes, text)
    };
    (0..=max_tenths / step).map(|index| tick(index * step)).collect()
}

/// At most `max_ticks` (at least 2) round moments in `0..=max_ns`, from 0.
pub fn time_ticks(max_ns: u64, max_ticks: usize) -> Vec<Tick> {
    let small =
        [1, MICROSECOND_NS, MILLISECOND_NS].into_iter().flat_map(|unit| ROUND.map(|round| round * unit));
    let large = CLOCK_STEPS_S.into_iter().map(|seconds| seconds * SECOND_NS);
    let enough = |step: &u64| max_ns / step < max_ticks.max(2) as u64;
    let step = small.chain(large).find(enough).unwrap_or_else(|| max_ns / max_ticks.max(2) as u64 + 1);
    (0..=max_ns / step).map(|index| (index * step, moment_text(index * step, step))).collect()
}

/// Round moments in `0..=max_ns` whose words stand at least `gap_px` apart on `length_px`.
pub fn fitting_time_ticks(
    max_ns: u64,
    length_px: f32,
    gap_px: f32,
    width_px: impl Fn(&str) -> f32,
) -> Vec<Tick> {
    let fits = |ticks: &Vec<Tick>| {
        let step_ns = ticks.get(1).map_or(max_ns, |tick| tick.0);
        let step_px = length_px * (step_ns as f64 / max_ns.max(1) as f64) as f32;
        ticks.iter().all(|(_, text)| width_px(text) + gap_px <= step_px)
    };
    let most = ((length_px / 100.0) as usize).max(2);
    (2..=most)
        .rev()
        .map(|count| time_ticks(max_ns, count))
        .find(fits)
        .unwrap_or_else(|| vec![(0, "0".to_owned())])
}

/// A tick's moment, written no finer than its step needs.
fn moment_text(ns: u64, step_ns: u64) -> String {
    let seconds = ns / SECOND_NS;
    match step_ns {
        _ if ns == 0 => "0".to_owned(),
        step if step < SECOND_NS => duration_text(ns),
        step if step.is_multiple_of(60 * SECOND_NS) && seconds.is_multiple_of(3600) => {
            format!("{} h", seconds / 3600)
        }
        step if step.is_multiple_of(60 * SECOND_NS) && seconds >= 3600 => {
            format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60)
        }
        _ => duration_text(ns),
    }
}

/// At most `max_ticks` (at least 2) round percentages in `0..=max_percent`, from 0.
pub fn percent_ticks(max_percent: f64, max_ticks: usize) -> Vec<(f64, String)> {
    const STEPS: [(f64, usize); 11] = [
        (0.01, 2),
        (0.02, 2),
        (0.05, 2),
        (0.1, 1),
        (0.2, 1),
        (0.5, 1),
        (1.0, 0),
        (2.0, 0),
        (5.0, 0),
        (10.0, 0),
        (20.0, 0),
    ];
    let enough = |step: f64| max_percent / step < max_ticks.max(2) as f64;
    let (step, decimals) = STEPS.into_iter().find(|(step, _)| enough(*step)).unwrap_or((50.0, 0));
    let count = (max_percent / step + 1e-9) as usize;
    let text = |value: f64| if value == 0.0 { "0 %".to_owned() } else { format!("{value:.decimals$} %") };
    (0..=count).map(|index| index as f64 * step).map(|value| (value, text(value))).collect()
}

/// A length of time as a person says it: `0.4 ms`, `148 ms`, `2.5 s`, `6 min 42 s`, `1 h 05 min`.
pub fn duration_text(ns: u64) -> String {
    let seconds = (ns + SECOND_NS / 2) / SECOND_NS;
    match ns {
        0 => "0 s".to_owned(),
        1..MICROSECOND_NS => format!("{ns} ns"),
        MICROSECOND_NS..MILLISECOND_NS => two_digits(ns, MICROSECOND_NS, "µs"),
        MILLISECOND_NS..SECOND_NS => two_digits(ns, MILLISECOND_NS, "ms"),
        _ if seconds < 60 => two_digits(ns, SECOND_NS, "s"),
        _ if seconds < 3600 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ if seconds < 3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `ns` in `unit_ns`: two digits below ten unless the second is a zero, whole numbers above.
fn two_digits(ns: u64, unit_ns: u64, unit: &str) -> String {
    let tenths = (ns * 10 + unit_ns / 2) / unit_ns;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", (ns + unit_ns / 2) / unit_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words<V>(ticks: Vec<(V, String)>) -> Vec<String> {
        ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn sizes_are_ticked_at_round_numbers_of_one_unit() {
        assert_eq!(words(byte_ticks(77 * MIB, 6)), ["0", "20 MiB", "40 MiB", "60 MiB"]);
        assert_eq!(
            words(byte_ticks(600 * MIB, 7)),
            ["0", "100 MiB", "200 MiB", "300 MiB", "400 MiB", "500 MiB", "600 MiB"]
        );
        assert_eq!(words(byte_ticks(5 * GIB / 2, 5)), ["0", "1 GiB", "2 GiB"]);
        assert_eq!(words(byte_ticks(7 * GIB / 4, 5)), ["0", "0.5 GiB", "1 GiB", "1.5 GiB"]);
        assert_eq!(words(byte_ticks(7, 5)), ["0", "2 B", "4 B", "6 B"]);
        assert_eq!(words(byte_ticks(0, 5)), ["0"]);
    }

    #[test]
    fn time_is_ticked_as_clocks_are_read() {
        assert_eq!(words(time_ticks(404 * SECOND_NS, 5)), ["0", "2 min", "4 min", "6 min"]);
        assert_eq!(words(time_ticks(90 * SECOND_NS, 4)), ["0", "30 s", "1 min", "1 min 30 s"]);
        assert_eq!(
            words(time_ticks(250 * MILLISECOND_NS, 6)),
            ["0", "50 ms", "100 ms", "150 ms", "200 ms", "250 ms"]
        );
        assert_eq!(words(time_ticks(2 * 3600 * SECOND_NS, 5)), ["0", "30 min", "1 h", "1 h 30 min", "2 h"]);
    }

    #[test]
    fn durations_are_said_as_people_say_them() {
        for (ns, text) in [
            (0, "0 s"),
            (400 * MICROSECOND_NS, "400 µs"),
            (148_200 * MICROSECOND_NS, "148 ms"),
            (2_483 * MILLISECOND_NS, "2.5 s"),
            (2 * SECOND_NS, "2 s"),
            (402 * SECOND_NS, "6 min 42 s"),
            (3900 * SECOND_NS, "1 h 05 min"),
        ] {
            assert_eq!(duration_text(ns), text);
        }
    }

    #[test]
    fn percentages_are_round() {
        assert_eq!(words(percent_ticks(37.0, 5)), ["0 %", "10 %", "20 %", "30 %"]);
        assert_eq!(words(percent_ticks(0.4, 5)), ["0 %", "0.1 %", "0.2 %", "0.3 %", "0.4 %"]);
    }

    proptest! {
        #[test]
        fn ticks_are_few_within_range_and_all_different(max in 0u64..1 << 60, count in 2usize..9) {
            for ticks in [byte_ticks(max, count), time_ticks(max, count)] {
                prop_assert!(!ticks.is_empty() && ticks.len() <= count, "{ticks:?}");
                prop_assert!(ticks.iter().all(|(value, _)| *value <= max));
                prop_assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1), "{ticks:?}");
            }
        }
    }
}
