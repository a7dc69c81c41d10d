//! Statistics that one disturbed measurement does not move much.

/// The middle value; the mean of the two middle ones of an even number.
///
/// # Panics
/// Panics without values.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// The mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// `y = at_zero + slope * x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub at_zero: f64,
    pub slope: f64,
}

/// The line whose slope is the median of the slopes between any two points, and which half of the points lie above
/// (Theil and Sen). Through two points it is the line through both.
///
/// # Panics
/// Panics with fewer than two different `x`.
pub fn median_line(points: &[(f64, f64)]) -> Line {
    let pairs =
        points.iter().enumerate().flat_map(|(index, a)| points[index + 1..].iter().map(move |b| (a, b)));
    let slope = median(pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)));
    Line { slope, at_zero: median(points.iter().map(|(x, y)| y - slope * x)) }
}

/// The values with neighbours that fall replaced by their mean, until nothing falls: what a price that grows with its size
/// looks like when measured with noise (isotonic regression).
pub fn without_falls(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for &(_, value) in points {
        let mut pool = (value, 1);
        while let Some(before) = pools.pop_if(|before| before.0 > pool.0) {
            let count = before.1 + pool.1;
            pool = ((before.0 * before.1 as f64 + pool.0 * pool.1 as f64) / count as f64, count);
        }
        pools.push(pool);
    }
    let values = pools.iter().flat_map(|(value, count)| std::iter::repeat_n(*value, *count));
    points.iter().zip(values).map(|((size, _), value)| (*size, value)).collect()
}

/// Four significant digits: more than a measurement has.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wild_point_does_not_move_a_line() {
        let mut points: Vec<(f64, f64)> = (0..9).map(|x| (f64::from(x), 5.0 + 2.0 * f64::from(x))).collect();
        points[4].1 = 1000.0;
        assert_eq!(median_line(&points), Line { at_zero: 5.0, slope: 2.0 });
    }

    #[test]
    fn falls_are_averaged_away() {
        let points = [(1.0, 7.0), (2.0, 9.0), (3.0, 8.0), (4.0, 10.0)];
        assert_eq!(without_falls(&points), [(1.0, 7.0), (2.0, 8.5), (3.0, 8.5), (4.0, 10.0)]);
        assert!(without_falls(&[(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]).iter().all(|(_, ns)| *ns == 2.0));
    }

    #[test]
    fn four_digits_are_kept() {
        assert_eq!(rounded(0.012_345), 0.012_35); // half away in binary
        assert_eq!(rounded(1_234_567.0), 1_235_000.0);
        assert_eq!(rounded(12.6), 12.6);
    }
}
