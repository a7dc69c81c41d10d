//! `call`: a function that makes something and returns it or a pointer to it, again and again.
//!
//! What escapes is an object like any other; the call itself is 0.4 ns and not counted. What lies on the stack costs the bytes that
//! are written: the variable is zeroed, filled and copied into the caller's frame, three passes in the nearest cache.
//!
//! The prices below are a fit to functions of 16 B to 64 KiB in Go 1.23.9 and 1.27.3 on the machine of the built-in profiles, whole calls
//! in nanoseconds, best of 15:
//!
//! | size in bytes | 16 | 64 | 256 | 1024 | 4096 | 16384 | 65536 |
//! |---|---|---|---|---|---|---|---|
//! | Go 1.23.9 | 7.6 | 4.7 | 15.6 | 52 | 108 | 397 | 4954 |
//! | Go 1.27.3 | 7.4 | 4.5 | 14.5 | 43 | 111 | 450 | 6132 |
//! | here | 4.6 | 6.6 | 14.4 | 45 | 115 | 391 | 1497 |
//!
//! Differences from Go: three copies of more than 16 KiB fall out of the nearest cache, which is not modelled. The prices are the
//! same whatever cost profile a run has.

use super::Machine;
use super::maps::{more_if, written_bytes};
use super::task::{Progress, SLICE};
use crate::scenario::{Call, Lies, Made, Returns};

/// A call that writes to its stack, without the bytes.
const CALL_NS: f64 = 4.0;
/// One pass over a byte of the first [`SHORT_BYTES`]: zeroing, filling or copying it.
const SHORT_BYTE_NS: f64 = 0.0135;
/// The same of a byte beyond them.
const LONG_BYTE_NS: f64 = 0.0075;
/// What is copied in short moves.
const SHORT_BYTES: u64 = 1024;

/// A `call` in the middle of being carried out.
pub(super) struct CallTask<'s> {
    step: &'s Call,
    left: u64,
}

impl<'s> CallTask<'s> {
    pub(super) fn new(step: &'s Call) -> CallTask<'s> {
        CallTask { step, left: step.count }
    }
}

impl Machine<'_> {
    /// Some calls.
    pub(super) fn call_slice(&mut self, task: &mut CallTask) -> Progress {
        match task.step.lies(self.process.settings().version) {
            Lies::OnTheStack => self.call_on_the_stack(task),
            Lies::OnTheHeap => self.call_on_the_heap(task),
        }
        more_if(task.left > 0)
    }

    fn call_on_the_stack(&mut self, task: &mut CallTask) {
        let step = task.step;
        let zeroed_bytes = step.object.size_bytes;
        let passes_bytes = [zeroed_bytes, written_bytes(step.written, zeroed_bytes), copied_bytes(step)];
        let call_ns = CALL_NS + passes_bytes.map(pass_ns).iter().sum::<f64>();
        let calls = task.left.min(SLICE as u64);
        self.process.spend_cpu_ns(calls as f64 * call_ns);
        task.left -= calls;
    }

    fn call_on_the_heap(&mut self, task: &mut CallTask) {
        let step = task.step;
        for _ in 0..SLICE {
            if task.left == 0 {
                return;
            }
            let limit = u32::try_from(task.left).unwrap_or(u32::MAX);
            let run = self.process.alloc_run(step.object, limit);
            self.process.write_run(run, written_bytes(step.written, step.object.size_bytes));
            let calls = u64::from(run.count());
            self.process.spend_cpu_ns(calls as f64 * pass_ns(copied_bytes(step)));
            task.left -= calls;
        }
    }
}

/// One pass over so many bytes of the stack.
fn pass_ns(bytes: u64) -> f64 {
    let short = bytes.min(SHORT_BYTES);
    short as f64 * SHORT_BYTE_NS + (bytes - short) as f64 * LONG_BYTE_NS
}

/// Bytes that are copied into the caller's frame.
fn copied_bytes(step: &Call) -> u64 {
    match (step.returns, step.made) {
        (Returns::Value, Made::Var | Made::New) => step.object.size_bytes,
        (Returns::Value, Made::Make) | (Returns::Pointer, _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row "here" of the table above.
    #[test]
    fn a_returned_value_is_zeroed_filled_and_copied() {
        let call_ns = |bytes| (10.0 * (CALL_NS + 3.0 * pass_ns(bytes))).round() / 10.0;
        assert_eq!([16, 64, 256, 1024, 4096, 16384].map(call_ns), [4.6, 6.6, 14.4, 45.5, 114.6, 391.1]);
    }
}
