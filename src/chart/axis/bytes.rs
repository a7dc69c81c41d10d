//! The vertical axis: sizes in bytes, from zero.

use super::ticks::{Tick, byte_ticks};
use crate::units::{GIB, KIB, MIB};

/// A linear axis of sizes from 0 at the bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByteAxis {
    /// The size at the top, above 0.
    pub max_bytes: u64,
    /// Page position of the size 0, in pixels.
    pub bottom_px: f32,
    /// Page position of `max_bytes`, in pixels.
    pub top_px: f32,
}

impl ByteAxis {
    /// Page position of a size; sizes beyond the top lie at the top.
    pub fn y(self, bytes: u64) -> f32 {
        let share = bytes.min(self.max_bytes) as f64 / self.max_bytes.max(1) as f64;
        self.bottom_px + (self.top_px - self.bottom_px) * share as f32
    }

    /// Round sizes, at least `gap_px` apart.
    pub fn ticks(self, gap_px: f32) -> Vec<Tick> {
        byte_ticks(self.max_bytes, ((self.bottom_px - self.top_px) / gap_px) as usize)
    }
}

/// A size in two or three digits: `0`, `48 KiB`, `4.2 MiB`, `39 MiB`, `517 MiB`, `1.25 GiB`.
pub fn size_text(bytes: u64) -> String {
    let (unit, scale) = match bytes {
        0 => return "0".to_owned(),
        1..KIB => ("B", 1),
        KIB..MIB => ("KiB", KIB),
        MIB..GIB => ("MiB", MIB),
        _ => ("GiB", GIB),
    };
    let value = bytes as f64 / scale as f64;
    let decimals = match value {
        value if value.fract() == 0.0 || value >= 99.5 => 0,
        value if value >= 9.95 || scale < GIB => 1,
        _ => 2,
    };
    let number = format!("{value:.decimals$}");
    let number =
        if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_lies_at_the_bottom_and_too_much_at_the_top() {
        let axis = ByteAxis { max_bytes: 100, bottom_px: 500.0, top_px: 100.0 };
        assert_eq!((axis.y(0), axis.y(50), axis.y(100), axis.y(1000)), (500.0, 300.0, 100.0, 100.0));
    }

    #[test]
    fn sizes_are_written_in_few_digits() {
        for (bytes, text) in [
            (0, "0"),
            (512, "512 B"),
            (48 * KIB, "48 KiB"),
            (40_206_336, "38.3 MiB"),
            (517 * MIB + 200 * KIB, "517 MiB"),
            (4 * MIB, "4 MiB"),
            (5 * GIB / 4, "1.25 GiB"),
            (3 * GIB, "3 GiB"),
        ] {
            assert_eq!(size_text(bytes), text);
        }
    }
}
