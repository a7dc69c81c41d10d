//! Thinning: as many samples as pixels can show, and never losing a peak or a trough.

use super::picture::{Point, at};

/// A line through `points` (in drawing order, `x` never falling) of at most four points per pixel column: where the
/// column is entered, its highest and lowest point in their order, and where it is left.
pub fn thin(points: impl IntoIterator<Item = Point>) -> Vec<Point> {
    let mut line: Vec<Point> = Vec::new();
    let mut column: Option<Column> = None;
    for (index, point) in points.into_iter().enumerate() {
        match &mut column {
            Some(open) if open.number == point.x.floor() => open.add(index, point),
            _ => {
                column.take().into_iter().for_each(|full| full.flush(&mut line));
                column = Some(Column::new(index, point));
            }
        }
    }
    column.into_iter().for_each(|full| full.flush(&mut line));
    line
}

/// The points of one pixel column seen so far.
struct Column {
    number: f32,
    first: Point,
    highest: (usize, Point),
    lowest: (usize, Point),
    last: Point,
}

impl Column {
    fn new(index: usize, point: Point) -> Column {
        let number = point.x.floor();
        Column { number, first: point, highest: (index, point), lowest: (index, point), last: point }
    }

    fn add(&mut self, index: usize, point: Point) {
        if point.y < self.highest.1.y {
            self.highest = (index, point);
        }
        if point.y > self.lowest.1.y {
            self.lowest = (index, point);
        }
        self.last = point;
    }

    fn flush(self, line: &mut Vec<Point>) {
        let mut extremes = [self.highest, self.lowest];
        extremes.sort_by_key(|(index, _)| *index);
        for point in [self.first, extremes[0].1, extremes[1].1, self.last] {
            if line.last() != Some(&point) {
                line.push(point);
            }
        }
    }
}

/// The line as a staircase: each value holds until the next point.
pub fn staircase(points: impl IntoIterator<Item = Point>) -> Vec<Point> {
    let mut line: Vec<Point> = Vec::new();
    for point in points {
        if let Some(last) = line.last().copied().filter(|last| last.y != point.y) {
            line.push(at(point.x, last.y));
        }
        line.push(point);
    }
    line
}

/// The highs and the lows of a dense line, one of each for every [`ENVELOPE_PX`] pixels.
pub fn envelope(line: &[Point]) -> (Vec<Point>, Vec<Point>) {
    let bucket = |point: &Point| (point.x / ENVELOPE_PX).floor();
    let buckets = || line.chunk_by(|a, b| bucket(a) == bucket(b));
    let highest = |points: &[Point]| points.iter().copied().min_by(|a, b| a.y.total_cmp(&b.y));
    let lowest = |points: &[Point]| points.iter().copied().max_by(|a, b| a.y.total_cmp(&b.y));
    (buckets().filter_map(highest).collect(), buckets().filter_map(lowest).collect())
}

/// Wide enough to hold a tooth of any sawtooth that is too dense to draw.
const ENVELOPE_PX: f32 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn thinning_keeps_the_ends_and_every_extreme(
            steps in prop::collection::vec((0f32..0.5, 0f32..500.0), 1..800),
        ) {
            let mut x = 0.0;
            let points: Vec<Point> = steps.iter().map(|(step, y)| { x += step; at(x, *y) }).collect();
            let line = thin(points.iter().copied());
            let columns = x.floor() as usize + 1;
            prop_assert!(line.len() <= 4 * columns);
            prop_assert_eq!(line.first(), points.first());
            prop_assert_eq!(line.last(), points.last());
            prop_assert!(line.windows(2).all(|pair| pair[0].x <= pair[1].x));
            let range = |line: &[Point]| line.iter().fold((f32::MAX, f32::MIN), |(low, high), point| {
                (low.min(point.y), high.max(point.y))
            });
            prop_assert_eq!(range(&line), range(&points));
        }
    }

    #[test]
    fn the_envelope_of_a_dense_sawtooth_is_two_level_lines() {
        let teeth: Vec<Point> =
            (0..200).map(|index| at(index as f32 * 0.7, (index % 4) as f32 * 100.0)).collect();
        let (highs, lows) = envelope(&teeth);
        assert!(highs.len() >= 14 && highs.iter().all(|point| point.y == 0.0), "{highs:?}");
        assert!(lows.iter().all(|point| point.y == 300.0), "{lows:?}");
    }

    #[test]
    fn a_staircase_has_no_slopes() {
        let line = staircase([at(0.0, 5.0), at(10.0, 8.0), at(20.0, 8.0)]);
        assert_eq!(line, [at(0.0, 5.0), at(10.0, 5.0), at(10.0, 8.0), at(20.0, 8.0)]);
    }
}
