//! Prices that depend on a size: measured points with straight lines between them.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use crate::elementary::log2;

/// Measured pairs of a size in bytes (ascending) and a price in nanoseconds.
///
/// Between two points the price is linear in the logarithm of the size; outside it is that of the nearest point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve(Vec<(u64, f64)>);

impl Curve {
    /// A curve through `points`.
    ///
    /// # Panics
    /// Panics if there is no point, or if the sizes do not ascend.
    pub fn through(points: Vec<(u64, f64)>) -> Curve {
        assert!(!points.is_empty() && points.is_sorted_by(|a, b| a.0 < b.0), "{points:?}");
        Curve(points)
    }

    /// The measured points.
    pub fn points(&self) -> &[(u64, f64)] {
        &self.0
    }

    /// The price at `size_bytes`.
    pub fn at(&self, size_bytes: u64) -> f64 {
        let points = &self.0;
        let above = points.partition_point(|(bytes, _)| *bytes <= size_bytes);
        if above == 0 {
            return points[0].1;
        }
        let (low_bytes, low_ns) = points[above - 1];
        let Some(&(high_bytes, high_ns)) = points.get(above) else {
            return low_ns;
        };
        let span = log2(high_bytes as f64 / low_bytes as f64);
        let part = log2(size_bytes as f64 / low_bytes as f64) / span;
        low_ns + part * (high_ns - low_ns)
    }
}

/// The price asked for last: most prices are asked for again and again with the same size.
#[derive(Clone, Debug, Default)]
pub struct RecentPrice {
    size_bytes: Cell<u64>,
    price_ns: Cell<Option<f64>>,
}

impl RecentPrice {
    /// The price at `size_bytes`, worked out by `price_ns` unless it is the one asked for last.
    #[inline]
    pub fn at(&self, size_bytes: u64, price_ns: impl FnOnce() -> f64) -> f64 {
        match self.price_ns.get() {
            Some(recent_ns) if self.size_bytes.get() == size_bytes => recent_ns,
            _ => {
                let fresh_ns = price_ns();
                self.size_bytes.set(size_bytes);
                self.price_ns.set(Some(fresh_ns));
                fresh_ns
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::KIB;

    #[test]
    fn a_curve_goes_through_its_points_and_halves_between_them_in_logarithm() {
        let curve = Curve::through(vec![(KIB, 10.0), (4 * KIB, 30.0), (16 * KIB, 40.0)]);
        assert_eq!(curve.at(KIB), 10.0);
        assert_eq!(curve.at(4 * KIB), 30.0);
        assert_eq!(curve.at(16 * KIB), 40.0);
        // 2 KiB is the geometric mean of 1 and 4 KiB; 8 KiB that of 4 and 16.
        assert!((curve.at(2 * KIB) - 20.0).abs() < 1e-9);
        assert!((curve.at(8 * KIB) - 35.0).abs() < 1e-9);
    }

    #[test]
    fn outside_its_points_a_curve_is_flat() {
        let curve = Curve::through(vec![(KIB, 10.0), (4 * KIB, 30.0)]);
        assert_eq!(curve.at(0), 10.0);
        assert_eq!(curve.at(u64::MAX), 30.0);
    }
}
