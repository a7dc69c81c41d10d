//! Go's conversions of floating-point numbers to integers, as its amd64 compiler makes them.
//!
//! Go leaves the result of an out-of-range conversion to the machine. The pacer reaches that range in corners that
//! real programs visit - GOGC=off without a memory limit, a cycle with nothing expected to scan - and what happens next
//! follows from the number the machine happened to give. Rust's `as` saturates, so it would take another turn there.
//!
//! Source: `cmd/compile/internal/ssagen/ssa.go` (`floatToUint`) and the CVTTSD2SQ instruction, Go 1.23.9.

/// 2^63, the first float beyond `i64`.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// `int64(x)`: truncation towards zero; `i64::MIN` for NaN and for everything out of range.
pub(super) fn to_i64(x: f64) -> i64 {
    if (-TWO_TO_63..TWO_TO_63).contains(&x) { x as i64 } else { i64::MIN }
}

/// `uint64(x)`: truncation towards zero; numbers from 2^63 up are shifted down by 2^63, converted and shifted back.
/// NaN and everything from 2^64 up give 2^63.
pub(super) fn to_u64(x: f64) -> u64 {
    if x < TWO_TO_63 { to_i64(x) as u64 } else { to_i64(x - TWO_TO_63) as u64 | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_range_are_truncated_towards_zero() {
        assert_eq!(to_i64(2.9), 2);
        assert_eq!(to_i64(-2.9), -2);
        assert_eq!(to_u64(2.9), 2);
        assert_eq!(to_u64(1.5 * TWO_TO_63), 3 << 62);
    }

    #[test]
    fn numbers_out_of_range_give_what_amd64_gives() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, TWO_TO_63, -1e300] {
            assert_eq!(to_i64(x), i64::MIN, "{x}");
        }
        for x in [f64::NAN, f64::INFINITY, 2.0 * TWO_TO_63] {
            assert_eq!(to_u64(x), 1 << 63, "{x}");
        }
    }
}
