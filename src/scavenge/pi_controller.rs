//! The proportional-integral controller that sets the scavenger's sleep ratio (Go's `piController`).
//!
//! Each call takes a sample `input`, the wanted `setpoint`, and the `period` since the last sample:
//!
//! ```text
//! p      = kp * (setpoint - input)
//! raw    = p + integral
//! output = raw clamped to [min, max]
//! integral += kp * period / ti * (setpoint - input)  +  period / tt * (output - raw)
//! ```
//!
//! The last term unwinds the integral while the output is clamped. The output uses the integral from *before* the sample:
//! the scavenger's first step hardly moves it. An infinite or undefined result resets the integral and fails.
//!
//! Source: `runtime/mgcscavenge.go` `piController` (Go 1.23.9).

/// Constants and state of one controller. Times in nanoseconds.
#[derive(Clone, Debug)]
pub struct PiController {
    /// Proportional constant.
    pub kp: f64,
    /// Integral time constant.
    pub ti_ns: f64,
    /// Reset time.
    pub tt_ns: f64,
    /// Least output.
    pub min: f64,
    /// Greatest output.
    pub max: f64,
    /// Integral of the error (`errIntegral`).
    pub integral: f64,
}

impl PiController {
    /// The controller of the background scavenger: input is the share of CPU time it used, output the ratio of time worked
    /// to time slept. Go's constants, every version.
    pub const SCAVENGER: PiController =
        PiController { kp: 0.3375, ti_ns: 3.2e6, tt_ns: 1e9, min: 0.001, max: 1000.0, integral: 0.0 };

    /// The next output; `None` when the error has grown out of bounds, and the state is reset.
    pub fn next(&mut self, input: f64, setpoint: f64, period_ns: f64) -> Option<f64> {
        let error = setpoint - input;
        let raw = self.kp * error + self.integral;
        if !raw.is_finite() {
            self.integral = 0.0;
            return None;
        }
        let output = raw.clamp(self.min, self.max);
        self.integral +=
            (self.kp * period_ns / self.ti_ns) * error + (period_ns / self.tt_ns) * (output - raw);
        if !self.integral.is_finite() {
            self.integral = 0.0;
            return None;
        }
        Some(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
    }

    /// Vector 13: P = 2, worked 1 ms, slept 1 s. Usage 1e6 / (1.001e9 * 2) = 0.0004995.
    #[test]
    fn the_first_sample_moves_the_integral_and_hardly_the_output() {
        let mut controller = PiController::SCAVENGER;
        let usage = 1e6 / ((1e9 + 1e6) * 2.0);
        assert_close(usage, 0.000_499_5, 1e-9);
        // 0.3375 * 0.0095005 = 0.0032064
        assert_close(controller.next(usage, 0.01, 1.001e9).unwrap(), 0.003_206_4, 1e-7);
        // 0.3375 * 1.001e9 / 3.2e6 * 0.0095005 = 1.003
        assert_close(controller.integral, 1.003, 0.001);
    }

    #[test]
    fn a_clamped_output_unwinds_the_integral() {
        let mut controller = PiController { integral: -5.0, ..PiController::SCAVENGER };
        // At the setpoint: raw -5, output 0.001, so the integral moves by 5.001 a second.
        assert_eq!(controller.next(0.01, 0.01, 1e9), Some(0.001));
        assert_close(controller.integral, 0.001, 1e-9);
    }

    #[test]
    fn an_error_out_of_bounds_resets_the_controller() {
        let mut controller = PiController { integral: 3.0, ..PiController::SCAVENGER };
        assert_eq!(controller.next(f64::INFINITY, 0.01, 1e9), None);
        assert_eq!(controller.integral, 0.0);
        assert_eq!(controller.next(f64::NAN, 0.01, 1e9), None);
        assert_eq!(controller.next(-1e300, 0.01, f64::MAX), None);
        assert_eq!(controller.integral, 0.0);
    }
}
