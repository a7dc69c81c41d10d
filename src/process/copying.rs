//! Copies into fresh memory that the collector asks to stop.
//!
//! **Mechanism.** A mark worker scans the stack of a goroutine only after that has stopped. It asks by a signal to the thread, and
//! asks again every few microseconds; but in the middle of `memmove` no signal stops a goroutine. While the worker asks, each
//! page that the copy faults in is interrupted several times, and takes some 20 microseconds instead of 1.4. The worker marks
//! nothing meanwhile, and marking does not end before the copy does.
//!
//! **Why it matters.** The allocation of a large buffer is what starts a cycle, and what the program does next is to fill the
//! buffer. So a program with buffers of a mebibyte on an almost empty heap has cycles of 5 ms instead of 0.2: twice its time.
//!
//! ```text
//! pages before the worker asks: fault_page_ns each
//! pages after that:             fault_asked_to_stop_page_ns each, in a share of cases (asked_to_stop_share)
//! ```
//!
//! **Differences from Go.** In the other cases the stack is scanned before the copy begins; here the copy just goes on. Copies
//! within resident memory are not slowed.
//!
//! Sources: `runtime/preempt.go` `suspendG`, `runtime/signal_unix.go` `doSigPreempt`, Go 1.23.9; prices by `gclab calibrate`
//! (`pages copy`).

use rand::RngExt;

use super::{MARK_STEP_NS, Process};

impl Process {
    /// The program copies into one object: `pages` pages become resident.
    pub(super) fn copy_into_fresh(&mut self, pages: u64) {
        if pages < 2 || !self.marker.wants_stack_of(self.current) || !self.is_slow_to_stop() {
            return self.spend_cpu_ns(self.costs.fault_ns(pages));
        }
        self.marker.goroutine_is_unstoppable(self.current);
        let mut left = pages;
        while left > 0 {
            let page_ns = match self.marker.waits_for_stack() {
                true => self.costs.kernel.fault_asked_to_stop_page_ns,
                false => self.costs.kernel.fault_page_ns,
            };
            let now = left.min((MARK_STEP_NS / page_ns).ceil() as u64);
            left -= now;
            self.spend_cpu_ns(now as f64 * page_ns);
        }
        self.marker.goroutine_stops();
    }

    /// Whether the copy is one of those that meet with a worker that asks.
    fn is_slow_to_stop(&mut self) -> bool {
        self.scheduler_rng.random::<f64>() < self.costs.kernel.asked_to_stop_share
    }
}
