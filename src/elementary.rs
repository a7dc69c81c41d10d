//! Logarithms, the exponential and the sine, from additions, multiplications and divisions alone.
//!
//! **Mechanism.** An argument is brought near zero by steps that are exact or nearly so - powers of two, quarters of a turn - and
//! a short series does the rest.
//!
//! **Why.** The basic operations round the same way on every machine; a host's mathematical library need not, and WebAssembly has
//! another one than the system. What goes into a recorded run comes from here: the same file and seed give the same bytes.
//! Charts, which are drawn on one machine, may use the host's.

use std::f64::consts::{LN_2, SQRT_2, TAU};

/// The natural logarithm of a positive normal number.
pub fn ln(x: f64) -> f64 {
    let [ln] = lns([x]);
    ln
}

/// e^x; 0 and the largest number beyond the range of `f64`.
pub fn exp(x: f64) -> f64 {
    let [exp] = exps([x]);
    exp
}

/// [`ln`] of several numbers: the series are chains of operations, and several run side by side.
#[inline]
pub fn lns<const N: usize>(xs: [f64; N]) -> [f64; N] {
    let split = xs.map(|x| {
        let bits = x.to_bits();
        let exponent = (bits >> 52) as i64 - 1023;
        let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
        if mantissa > SQRT_2 { (exponent + 1, mantissa / 2.0) } else { (exponent, mantissa) }
    });
    // ln m = 2 artanh r with r = (m-1)/(m+1); |r| < 0.172, so the 12th term is below 2^-60.
    let ratios = split.map(|(_, mantissa)| (mantissa - 1.0) / (mantissa + 1.0));
    let mut series = [0.0; N];
    for k in (0..12).rev() {
        for (sum, r) in series.iter_mut().zip(&ratios) {
            *sum = *sum * (r * r) + 1.0 / f64::from(2 * k + 1);
        }
    }
    std::array::from_fn(|lane| split[lane].0 as f64 * LN_2 + 2.0 * ratios[lane] * series[lane])
}

/// [`exp`] of several numbers.
#[inline]
pub fn exps<const N: usize>(xs: [f64; N]) -> [f64; N] {
    let powers = xs.map(|x| (x / LN_2).round());
    let rests: [f64; N] = std::array::from_fn(|lane| xs[lane] - powers[lane] * LN_2);
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

/// The logarithm to base 2 of a ratio of at least 1. Exact to 1e-12.
pub fn log2(ratio: f64) -> f64 {
    let mut exponent = 0.0;
    let mut mantissa = ratio;
    while mantissa >= 2.0 {
        mantissa /= 2.0;
        exponent += 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)); the argument is below 1/3, so 12 terms reach 1e-13.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let (mut power, mut sum) = (s, 0.0);
    for term in 0..12 {
        sum += power / f64::from(2 * term + 1);
        power *= s * s;
    }
    exponent + 2.0 * sum / LN_2
}

/// The sine of an angle in whole turns, from 0 on: `sin(2 pi turns)`, and exactly 0, 1 and -1 at quarters.
pub fn sin_of_turns(turns: f64) -> f64 {
    let part = turns - turns.floor();
    let quarters = (4.0 * part).round();
    // At most an eighth of a turn from the nearest quarter: |angle| < 0.786.
    let angle = (part - quarters / 4.0) * TAU;
    match quarters as u32 % 4 {
        0 => small_sin(angle),
        1 => small_cos(angle),
        2 => -small_sin(angle),
        _ => -small_cos(angle),
    }
}

/// The sine of an angle of at most an eighth of a turn: the term with x^19 is below 2^-60.
fn small_sin(x: f64) -> f64 {
    let series = (1..9).rev().fold(1.0, |sum, k| 1.0 - sum * x * x / f64::from(2 * k * (2 * k + 1)));
    x * series
}

/// The cosine of the same: the term with x^18 is below 2^-58.
fn small_cos(x: f64) -> f64 {
    (1..10).rev().fold(1.0, |sum, k| 1.0 - sum * x * x / f64::from((2 * k - 1) * 2 * k))
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
            let xs: [f64; 8] = std::array::from_fn(|lane| f64::from(i) * 0.91 - 910.0 + lane as f64 * 0.37);
            assert_eq!(exps(xs).map(f64::to_bits), xs.map(|x| exp(x).to_bits()), "exp {xs:?}");
            let positive = xs.map(|x| x.abs() + 1e-3);
            assert_eq!(lns(positive).map(f64::to_bits), positive.map(|x| ln(x).to_bits()), "ln {positive:?}");
        }
    }

    #[test]
    fn the_binary_logarithm_of_a_ratio_is_near_the_hosts() {
        for ratio in [1.0, 1.5, 2.0, 3.0, 1e3, 1e9, 1e15] {
            assert!((log2(ratio) - f64::log2(ratio)).abs() < 1e-11, "{ratio}");
        }
    }

    #[test]
    fn the_sine_of_turns_agrees_with_the_hosts_and_is_exact_at_quarters() {
        for i in 0..4000 {
            let turns = f64::from(i) * 0.0037;
            assert!((sin_of_turns(turns) - (TAU * turns).sin()).abs() < 2e-14, "{turns} turns");
        }
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0, 1000.25].map(sin_of_turns), [0.0, 1.0, 0.0, -1.0, 0.0, 1.0]);
        assert!((sin_of_turns(0.125) - std::f64::consts::FRAC_1_SQRT_2).abs() < 1e-16);
    }
}
