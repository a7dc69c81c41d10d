//! Labels in the plane: the first of several places where nothing lies yet.

use super::super::picture::{Area, Point, at};

/// What is already taken on a page.
#[derive(Clone, Debug, Default)]
pub struct FreeSpots {
    taken: Vec<Area>,
}

impl FreeSpots {
    /// Keeps later labels out of `area`.
    pub fn take(&mut self, area: Area) {
        self.taken.push(area);
    }

    /// Whether nothing lies in `area`.
    pub fn is_free(&self, area: Area) -> bool {
        self.taken.iter().all(|taken| !taken.overlaps(area))
    }

    /// The middle of a box of `width` by `height` beside `point`, at the free place nearest to it within `page`, and
    /// takes it. Rings of growing distance are tried, in each first right, then left, above, below, and between.
    pub fn beside(&mut self, point: Point, width: f32, height: f32, page: Area) -> Option<Point> {
        const DIRECTIONS: [(f32, f32); 8] = [
            (1.0, 0.0),
            (-1.0, 0.0),
            (0.0, -1.0),
            (0.0, 1.0),
            (1.0, -1.0),
            (1.0, 1.0),
            (-1.0, -1.0),
            (-1.0, 1.0),
        ];
        let boxed = |center: Point| Area {
            left: center.x - width / 2.0,
            top: center.y - height / 2.0,
            right: center.x + width / 2.0,
            bottom: center.y + height / 2.0,
        };
        let mut candidates = [14.0, 26.0, 44.0, 70.0, 110.0].into_iter().flat_map(|gap_px| {
            DIRECTIONS.map(|(right, down)| {
                at(point.x + right * (gap_px + width / 2.0), point.y + down * (gap_px + height / 2.0))
            })
        });
        let inside = |area: Area| {
            area.left >= page.left
                && area.right <= page.right
                && area.top >= page.top
                && area.bottom <= page.bottom
        };
        let chosen = candidates.find(|center| inside(boxed(*center)) && self.is_free(boxed(*center)))?;
        self.take(boxed(chosen));
        Some(chosen)
    }
}

/// The place for a text of `width` by `height` inside a band whose top and bottom are given per pixel column: the
/// column (from 0) where the text begins and the middle of its height, where the band is thickest. `None` when the
/// text fits nowhere. Places that `is_free(left, top, bottom)` refuses are left out.
pub fn band_spot(
    spans: &[(f32, f32)],
    width: f32,
    height: f32,
    is_free: impl Fn(usize, f32, f32) -> bool,
) -> Option<(usize, f32)> {
    const STRIDE: usize = 8;
    let columns = width.ceil() as usize;
    let mut best: Option<(f32, usize, f32)> = None;
    for left in (0..spans.len().saturating_sub(columns)).step_by(STRIDE) {
        let window = || spans[left..=left + columns].iter().step_by(4);
        let top = window().fold(f32::NEG_INFINITY, |top, span| top.max(span.0));
        let bottom = window().fold(f32::INFINITY, |bottom, span| bottom.min(span.1));
        let spare = bottom - top - height;
        if spare < 0.0 || best.is_some_and(|(most, _, _)| spare <= most + 0.5) {
            continue;
        }
        let middle = (top + bottom) / 2.0;
        if is_free(left, middle - height / 2.0, middle + height / 2.0) {
            best = Some((spare, left, middle));
        }
    }
    best.map(|(_, left, middle)| (left, middle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: Area = Area { left: 0.0, top: 0.0, right: 1000.0, bottom: 1000.0 };

    #[test]
    fn a_text_goes_where_its_band_is_thickest() {
        let mut spans = vec![(100.0, 130.0); 400];
        spans[200..400].fill((50.0, 130.0));
        let (left, middle) = band_spot(&spans, 100.0, 24.0, |_, _, _| true).unwrap();
        assert!((200..300).contains(&left), "{left}");
        assert_eq!(middle, 90.0);
    }

    #[test]
    fn a_text_that_fits_nowhere_is_left_out() {
        assert_eq!(band_spot(&[(100.0, 110.0); 400], 100.0, 24.0, |_, _, _| true), None);
        assert_eq!(band_spot(&[(0.0, 110.0); 90], 100.0, 24.0, |_, _, _| true), None);
        assert_eq!(band_spot(&[(0.0, 110.0); 400], 100.0, 24.0, |_, _, _| false), None);
    }

    proptest! {
        #[test]
        fn labels_of_scattered_points_do_not_overlap(
            points in prop::collection::vec((150f32..850.0, 150f32..850.0), 1..9),
        ) {
            let mut spots = FreeSpots::default();
            let areas: Vec<Area> = points
                .iter()
                .filter_map(|(x, y)| {
                    let center = spots.beside(at(*x, *y), 90.0, 24.0, PAGE)?;
                    Some(Area { left: center.x - 45.0, right: center.x + 45.0, top: center.y - 12.0, bottom: center.y + 12.0 })
                })
                .collect();
            prop_assert_eq!(areas.len(), points.len());
            for (index, a) in areas.iter().enumerate() {
                prop_assert!(areas[..index].iter().all(|b| !a.overlaps(*b)), "{areas:?}");
            }
        }
    }
}
