//! Thick lines: how much of each pixel a polyline with round ends and corners covers.
//!
//! plotters turns thick lines into polygons on whole pixels, which shows as steps on a projector and as spikes at the
//! sharp corners of a sawtooth. Here every pixel near a segment takes the coverage `radius + 1/2 - distance`, and
//! where segments meet the larger coverage counts, so that a line never darkens itself.

use super::picture::{Dash, Point, at};

/// The pixels a stroke may touch: `left..left + width` by `top..top + height`.
#[derive(Clone, Copy, Debug)]
struct Window {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
}

/// Calls `plot(x, y, coverage)` for every pixel of a page of `page_px` that the line covers, coverage above 0, up to 1.
pub fn rasterize(
    points: &[Point],
    width_px: f32,
    dash: Dash,
    page_px: (u32, u32),
    mut plot: impl FnMut(i32, i32, f32),
) {
    let radius = width_px / 2.0;
    let Some(window) = window(points, radius + 1.0, page_px) else { return };
    let mut mask = vec![0u8; (window.width * window.height) as usize];
    each_segment(points, width_px, dash, |from, to| cover(&mut mask, window, from, to, radius));
    for (row, line) in mask.chunks_exact(window.width as usize).enumerate() {
        for (column, coverage) in line.iter().enumerate().filter(|(_, coverage)| **coverage > 0) {
            plot(window.left + column as i32, window.top + row as i32, f32::from(*coverage) / 255.0);
        }
    }
}

/// The part of the page that lies within `margin_px` of the points.
fn window(points: &[Point], margin_px: f32, (page_width, page_height): (u32, u32)) -> Option<Window> {
    let first = points.first()?;
    let (mut low, mut high) = (*first, *first);
    for point in points {
        low = at(low.x.min(point.x), low.y.min(point.y));
        high = at(high.x.max(point.x), high.y.max(point.y));
    }
    let left = ((low.x - margin_px).floor() as i32).max(0);
    let top = ((low.y - margin_px).floor() as i32).max(0);
    let right = ((high.x + margin_px).ceil() as i32).min(page_width as i32);
    let bottom = ((high.y + margin_px).ceil() as i32).min(page_height as i32);
    (right > left && bottom > top).then_some(Window { left, top, width: right - left, height: bottom - top })
}

/// Calls `draw` for every piece of the line that carries ink. A single point is a dot.
fn each_segment(points: &[Point], width_px: f32, dash: Dash, mut draw: impl FnMut(Point, Point)) {
    if let [only] = points {
        draw(*only, *only);
    }
    let pattern = dash.pattern();
    if pattern.is_empty() {
        points.windows(2).for_each(|pair| draw(pair[0], pair[1]));
        return;
    }
    let (mut index, mut left_px) = (0, pattern[0] * width_px);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = distance(from, to);
            let step = left_px.min(length);
            let share = if length > 0.0 { step / length } else { 1.0 };
            let reached = at(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share);
            if index % 2 == 0 {
                draw(from, reached);
            }
            from = reached;
            left_px -= step;
            if left_px > 0.0 {
                break;
            }
            index = (index + 1) % pattern.len();
            left_px = pattern[index] * width_px;
            if step >= length {
                break;
            }
        }
    }
}

fn distance(from: Point, to: Point) -> f32 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    (dx * dx + dy * dy).sqrt()
}

/// Raises the mask to the coverage of one segment.
fn cover(mask: &mut [u8], window: Window, from: Point, to: Point, radius: f32) {
    let reach = radius + 1.0;
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length_squared = dx * dx + dy * dy;
    // On one row, pixels within reach of the endless line through the segment lie this far left and right of it.
    let half_width = if dy.abs() > 1e-3 { reach * length_squared.sqrt() / dy.abs() } else { f32::INFINITY };
    let (left, right) = (from.x.min(to.x) - reach, from.x.max(to.x) + reach);
    let first_row = ((from.y.min(to.y) - reach) as i32 - window.top).max(0);
    let last_row = ((from.y.max(to.y) + reach).ceil() as i32 - window.top).min(window.height);
    for row in first_row..last_row {
        let y = (window.top + row) as f32 + 0.5;
        let middle = if dy.abs() > 1e-3 { from.x + dx * (y - from.y) / dy } else { from.x };
        let low = left.max(middle - half_width);
        let high = right.min(middle + half_width);
        let first = (low.floor() as i32 - window.left).clamp(0, window.width);
        let last = (high.ceil() as i32 - window.left).clamp(first, window.width);
        let line = &mut mask[(row * window.width) as usize..][first as usize..last as usize];
        for (column, pixel) in line.iter_mut().enumerate() {
            let x = (window.left + first + column as i32) as f32 + 0.5;
            let along = if length_squared > 0.0 {
                (((x - from.x) * dx + (y - from.y) * dy) / length_squared).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let (off_x, off_y) = (x - from.x - along * dx, y - from.y - along * dy);
            let coverage = radius + 0.5 - (off_x * off_x + off_y * off_y).sqrt();
            *pixel = (*pixel).max((coverage.clamp(0.0, 1.0) * 255.0) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(points: &[Point], width_px: f32, dash: Dash) -> Vec<(i32, i32, f32)> {
        let mut found = Vec::new();
        rasterize(points, width_px, dash, (100, 100), |x, y, coverage| found.push((x, y, coverage)));
        found
    }

    #[test]
    fn a_level_line_is_as_thick_as_it_says() {
        // 4 px thick around y = 50: rows 48, 49, 50, 51 are full.
        let found = pixels(&[at(10.0, 50.0), at(90.0, 50.0)], 4.0, Dash::Solid);
        let column: Vec<i32> =
            found.iter().filter(|(x, _, c)| *x == 40 && *c > 0.99).map(|(_, y, _)| *y).collect();
        assert_eq!(column, [48, 49, 50, 51]);
    }

    #[test]
    fn steep_and_slanted_lines_cover_length_times_width() {
        for to in [at(10.5, 90.0), at(90.0, 90.0), at(60.0, 12.0)] {
            let from = at(10.0, 10.0);
            let ink: f32 = pixels(&[from, to], 4.0, Dash::Solid).iter().map(|(_, _, c)| c).sum();
            // A rectangle and two half discs.
            let expected = distance(from, to) * 4.0 + std::f32::consts::PI * 4.0;
            assert!((ink - expected).abs() < expected * 0.03, "{ink} against {expected} to {to:?}");
        }
    }

    #[test]
    fn dashes_leave_gaps() {
        let line = [at(5.0, 50.0), at(95.0, 50.0)];
        let solid: f32 = pixels(&line, 4.0, Dash::Solid).iter().map(|(_, _, c)| c).sum();
        for dash in [Dash::Long, Dash::Dots, Dash::Mixed] {
            let broken: f32 = pixels(&line, 4.0, dash).iter().map(|(_, _, c)| c).sum();
            assert!(broken < solid * 0.95 && broken > solid * 0.2, "{dash:?}: {broken} of {solid}");
        }
    }

    #[test]
    fn what_lies_off_the_page_is_left_out() {
        assert!(pixels(&[at(-50.0, -50.0), at(-10.0, -10.0)], 4.0, Dash::Solid).is_empty());
        assert!(pixels(&[], 4.0, Dash::Solid).is_empty());
        assert!(!pixels(&[at(-50.0, 50.0), at(150.0, 50.0)], 4.0, Dash::Long).is_empty());
    }
}
