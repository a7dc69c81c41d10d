//! Zipf's law: few keys often, many keys seldom.
//!
//! Keys are drawn by rejection-inversion (W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone
//! discrete distributions", 1996): a uniform number becomes an area under `x^-exponent`, the area a place `x`, the place the
//! nearest rank, and the rank is taken unless the area lies outside its bar.
//!
//! Logarithms and powers come from basic operations alone, which round the same way on every machine; the mathematical
//! library of the host need not. Their series are chains of divisions, so candidates are worked out several at a time, side by
//! side: a candidate depends on its own uniform number only, so the keys are those that one candidate after another gives.

use super::splitmix64::SplitMix64;

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

/// The natural logarithm of a positive normal number.
pub(super) fn ln(x: f64) -> f64 {
    let [ln] = lns([x]);
    ln
}

/// e^x; 0 and the largest number beyond the range of `f64`.
fn exp(x: f64) -> f64 {
    let [exp] = exps([x]);
    exp
}

/// [`ln`] of several numbers.
#[inline]
fn lns<const N: usize>(xs: [f64; N]) -> [f64; N] {
    let split = xs.map(|x| {
        let bits = x.to_bits();
        let exponent = (bits >> 52) as i64 - 1023;
        let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
        if mantissa > std::f64::consts::SQRT_2 {
            (exponent + 1, mantissa / 2.0)
        } else {
            (exponent, mantissa)
        }
    });
    // ln m = 2 artanh r with r = (m-1)/(m+1); |r| < 0.172, so the 12th term is below 2^-60.
    let ratios = split.map(|(_, mantissa)| (mantissa - 1.0) / (mantissa + 1.0));
    let mut series = [0.0; N];
    for k in (0..12).rev() {
        for (sum, r) in series.iter_mut().zip(&ratios) {
            *sum = *sum * (r * r) + 1.0 / f64::from(2 * k + 1);
        }
    }
    std::array::from_fn(|lane| {
        split[lane].0 as f64 * std::f64::consts::LN_2 + 2.0 * ratios[lane] * series[lane]
    })
}

/// [`exp`] of several numbers.
#[inline]
fn exps<const N: usize>(xs: [f64; N]) -> [f64; N] {
    let powers = xs.map(|x| (x / std::f64::consts::LN_2).round());
    let rests: [f64; N] = std::array::from_fn(|lane| xs[lane] - powers[lane] * std::f64::consts::LN_2);
    // |rest| < 0.347: the 16th term is below 2^-60.
    let mut series = [1.0; N];
    for k in (1..17).rev() {
        for (sum, rest) in series.iter_mut().zip(&rests) {
            *sum = 1.0 + *sum * rest / f64::from(k);
        }
    }
    std::array::from_fn(|lane| match xs[lane] {
        x if x < -700.0 => 0.0,
        x if x > 700.0 => f64::MAX,
        _ => series[lane] * f64::from_bits(((powers[lane] as i64 + 1023) as u64) << 52),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_logarithm_and_exponential_agree_with_the_hosts() {
        for i in 1..2000 {
            let x = f64::from(i) * 0.37;
            assert!((ln(x) - x.ln()).abs() < 1e-14 * x.ln().abs().max(1.0), "ln {x}");
            let y = x / 10.0 - 37.0;
            assert!((exp(y) / y.exp() - 1.0).abs() < 1e-13, "exp {y}");
        }
    }

    #[test]
    fn several_at_a_time_are_the_same_to_the_bit() {
        for i in 0..2000 {
            let xs: [f64; LANES] =
                std::array::from_fn(|lane| f64::from(i) * 0.91 - 910.0 + lane as f64 * 0.37);
            assert_eq!(exps(xs).map(f64::to_bits), xs.map(|x| exp(x).to_bits()), "exp {xs:?}");
            let positive = xs.map(|x| x.abs() + 1e-3);
            assert_eq!(lns(positive).map(f64::to_bits), positive.map(|x| ln(x).to_bits()), "ln {positive:?}");
        }
    }
}
