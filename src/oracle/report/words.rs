//! Numbers of a comparison as a reader wants them.

use super::super::judge::Judged;
use super::super::metric::Unit;
use crate::units::{MIB, Nanos};

/// A heap goal beyond any memory: the collector is off.
const OFF: f64 = (1u64 << 60) as f64;

/// A number with its unit.
pub fn value_text(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Bytes if value >= OFF => "off".to_owned(),
        Unit::Bytes => format!("{:.2} MiB", value / MIB as f64),
        Unit::Count => format!("{value:.0}"),
        Unit::Nanoseconds => Nanos(value.max(0.0) as u64).to_string(),
        Unit::Share => format!("{:.1} %", 100.0 * value),
    }
}

/// How far the simulation is off: `+3.1 %`, or the plain difference where the real number is zero.
pub fn error_text(judged: &Judged) -> String {
    match judged.error() {
        Some(error) if error.abs() < 10.0 => format!("{:+.1} %", 100.0 * error),
        Some(error) => format!("{:+.0} times", error + 1.0),
        None if judged.simulated == 0.0 => "0".to_owned(),
        None => format!("+{}", value_text(judged.unit, judged.simulated)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::report::samples;
    use crate::oracle::{Class, Verdict};

    #[test]
    fn numbers_have_units() {
        assert_eq!(value_text(Unit::Bytes, 1.5 * MIB as f64), "1.50 MiB");
        assert_eq!(value_text(Unit::Bytes, (1u64 << 63) as f64), "off");
        assert_eq!(value_text(Unit::Count, 48.0), "48");
        assert_eq!(value_text(Unit::Nanoseconds, 2.5e6), "2.50 ms");
        assert_eq!(value_text(Unit::Share, 0.301), "30.1 %");
        let mut judged = samples::judged(None, "RSS", Class::Timing, Verdict::Miss);
        assert_eq!(error_text(&judged), "+50.0 %");
        judged.real_median = 0.0;
        assert_eq!(error_text(&judged), "+57.22 MiB");
    }
}
