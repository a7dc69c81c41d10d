//! Painting a picture, mark by mark, onto a plotters drawing backend.

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::{Color as _, RGBAColor};

use super::picture::{Area, Dash, Hatching, Label, Mark, Picture, Skyline};
use super::stroke;
use super::theme::Ink;

/// Distance between two stripes of a hatching in pixels, and their thickness, both measured along a row.
pub const HATCH_PERIOD_PX: i32 = 14;
pub const HATCH_STRIPE_PX: i32 = 3;

/// The pixels of `picture`: rows from the top, three bytes (red, green, blue) a pixel.
pub fn paint(picture: &Picture) -> Vec<u8> {
    let size = (picture.width_px, picture.height_px);
    let mut rgb = vec![0; 3 * picture.width_px as usize * picture.height_px as usize];
    let mut canvas = Canvas { backend: BitMapBackend::with_buffer(&mut rgb, size), size };
    canvas.fill(0, 0, size.0 as i32, size.1 as i32, picture.background);
    for mark in &picture.marks {
        canvas.mark(mark);
    }
    drop(canvas);
    rgb
}

struct Canvas<'a> {
    backend: BitMapBackend<'a>,
    size: (u32, u32),
}

/// Drawing into memory cannot fail: only writing a file can, and this backend has none.
const IN_MEMORY: &str = "drawing into memory succeeds";

fn plotters_color(ink: Ink) -> RGBAColor {
    let [red, green, blue] = ink.rgb;
    RGBAColor(red, green, blue, f64::from(ink.alpha))
}

impl Canvas<'_> {
    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Fill(area, ink) => self.area(*area, *ink),
            Mark::Stroke { points, width_px, dash, ink } => {
                stroke::rasterize(points, *width_px, *dash, self.size, |x, y, cover| {
                    self.dot(x, y, *ink, cover)
                });
            }
            Mark::Disc { center, radius_px, ink } => {
                let diameter = 2.0 * radius_px;
                stroke::rasterize(&[*center], diameter, Dash::Solid, self.size, |x, y, cover| {
                    self.dot(x, y, *ink, cover);
                });
            }
            Mark::Skyline(skyline) => self.skyline(skyline),
            Mark::Hatching(hatching) => self.hatching(hatching),
            Mark::Text(label) => self.text(label),
        }
    }

    /// One pixel, covered in part.
    fn dot(&mut self, x: i32, y: i32, ink: Ink, coverage: f32) {
        let color = plotters_color(ink.with_alpha(ink.alpha * coverage)).to_backend_color();
        self.backend.draw_pixel((x, y), color).expect(IN_MEMORY);
    }

    /// The pixels `left..right` by `top..bottom`.
    fn fill(&mut self, left: i32, top: i32, right: i32, bottom: i32, ink: Ink) {
        if left < right && top < bottom {
            let color = plotters_color(ink);
            self.backend.draw_rect((left, top), (right, bottom), &color, true).expect(IN_MEMORY);
        }
    }

    fn area(&mut self, area: Area, ink: Ink) {
        let round = |edge: f32| edge.round() as i32;
        self.fill(round(area.left), round(area.top), round(area.right), round(area.bottom), ink);
    }

    /// Neighbouring columns of the same height are one rectangle; the topmost pixel is covered in part.
    fn skyline(&mut self, skyline: &Skyline) {
        let bottom = skyline.bottom.round() as i32;
        let mut left = skyline.left;
        for run in skyline.tops.chunk_by(|a, b| a == b) {
            let right = left + run.len() as i32;
            let top = run[0].min(skyline.bottom);
            let first_full = top.ceil() as i32;
            self.fill(left, first_full, right, bottom, skyline.ink);
            let part = first_full as f32 - top;
            if part > 0.0 && first_full > 0 {
                (left..right).for_each(|x| self.dot(x, first_full - 1, skyline.ink, part));
            }
            left = right;
        }
    }

    fn hatching(&mut self, hatching: &Hatching) {
        for (x, (top, bottom)) in (hatching.left..).zip(&hatching.spans) {
            let bottom = bottom.round() as i32;
            let mut y = top.ceil() as i32;
            while y < bottom {
                let phase = (x + y).rem_euclid(HATCH_PERIOD_PX);
                if phase < HATCH_STRIPE_PX {
                    let end = bottom.min(y + HATCH_STRIPE_PX - phase);
                    self.fill(x, y, x + 1, end, hatching.ink);
                    y = end;
                } else {
                    y += HATCH_PERIOD_PX - phase;
                }
            }
        }
    }

    fn text(&mut self, label: &Label) {
        let baseline = (label.anchor.y + label.font.middle_to_baseline_px()).round();
        let left = label.left();
        let ink = label.ink;
        label.font.rasterize(&label.text, left, baseline, |x, y, coverage| self.dot(x, y, ink, coverage));
    }
}
