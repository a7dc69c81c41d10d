//! Axes: round numbers in bytes and time, and where a moment or a size lies on the page.

mod bytes;
mod ticks;
mod time;

pub use bytes::{ByteAxis, size_text};
pub use ticks::{byte_ticks, duration_text, fitting_time_ticks, percent_ticks};
pub use time::{Segment, StepSpan, TimeAxis, TimeScale, step_spans};
