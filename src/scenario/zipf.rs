//! Zipf's law: few keys often, many keys seldom.
//!
//! Keys are drawn by rejection-inversion (W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone
//! discrete distributions", 1996): a uniform number becomes an area under `x^-exponent`, the area a place `x`, the place the
//! nearest rank, and the rank is taken unless the area lies outside its bar.
//!
//! The series of logarithms and powers ([`crate::elementary`]) are chains of divisions, so candidates are worked out several
//! at a time, side by side: a candidate depends on its own uniform number only, so the keys are those that one candidate after another gives.

use super::splitmix64::SplitMix64;
use crate::elementary::{exp, exps, ln, lns};

/// Candidates that are worked out side by side.
const LANES: usize = 8;

/// The distribution over `0..below`.
#[derive(Clone, Debug)]
struct Zipf {
    below: f64,
    exponent: f64,
    area_low: f64,
    area_high: f64,
    accept: f64,
}

/// An endless stream of draws.
#[derive(Clone, Debug)]
pub struct ZipfDraws {
    zipf: Zipf,
    rng: SplitMix64,
    /// Keys drawn ahead: those from `next` up to `end` are still to come.
    ahead: [u64; LANES],
    next: usize,
    end: usize,
}

impl ZipfDraws {
    /// Draws from `0..below`.
    pub(super) fn new(below: u64, exponent: f64, rng: SplitMix64) -> ZipfDraws {
        ZipfDraws { zipf: Zipf::new(below, exponent), rng, ahead: [0; LANES], next: 0, end: 0 }
    }

    /// The next key.
    #[inline]
    pub(super) fn next_key(&mut self) -> u64 {
        while self.next == self.end {
            self.draw_ahead();
        }
        self.next += 1;
        self.ahead[self.next - 1]
    }

    fn draw_ahead(&mut self) {
        let zipf = &self.zipf;
        let areas: [f64; LANES] = std::array::from_fn(|_| {
            let unit = (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            zipf.area_high + unit * (zipf.area_low - zipf.area_high)
        });
        let places = zipf.area_inverses(areas);
        (self.next, self.end) = (0, 0);
        for (area, x) in areas.into_iter().zip(places) {
            let rank = (x + 0.5).floor().clamp(1.0, zipf.below);
            if rank - x <= zipf.accept || area >= zipf.area(rank + 0.5) - zipf.height(rank) {
                // Ranks run from 1, keys from 0.
                self.ahead[self.end] = rank as u64 - 1;
                self.end += 1;
            }
        }
    }
}

impl Zipf {
    fn new(below: u64, exponent: f64) -> Zipf {
        let mut zipf = Zipf { below: below as f64, exponent, area_low: 0.0, area_high: 0.0, accept: 0.0 };
        zipf.area_low = zipf.area(1.5) - 1.0;
        zipf.area_high = zipf.area(zipf.below + 0.5);
        let [near_two] = zipf.area_inverses([zipf.area(2.5) - zipf.height(2.0)]);
        zipf.accept = 2.0 - near_two;
        zipf
    }

    /// `x^-exponent`.
    fn height(&self, x: f64) -> f64 {
        exp(-self.exponent * ln(x))
    }

    /// An antiderivative of [`height`](Zipf::height).
    fn area(&self, x: f64) -> f64 {
        let rise = 1.0 - self.exponent;
        if rise.abs() < 1e-9 { ln(x) } else { (exp(rise * ln(x)) - 1.0) / rise }
    }

    /// The inverse of [`area`](Zipf::area).
    fn area_inverses<const N: usize>(&self, areas: [f64; N]) -> [f64; N] {
        let rise = 1.0 - self.exponent;
        if rise.abs() < 1e-9 {
            return exps(areas);
        }
        exps(lns(areas.map(|area| (1.0 + area * rise).max(f64::MIN_POSITIVE))).map(|ln| ln / rise))
    }
}
