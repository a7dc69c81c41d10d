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

#[cfg(test)]
mod tests {
    use crate::heap::object::Layout;
    use crate::process::{Process, Settings};
    use crate::trace::CycleKind;
    use crate::units::MIB;

    const PAGES: u64 = 256;

    fn process(seed: u64) -> Process {
        Process::start(Settings { procs: 2, cores: 2, seed, ..Settings::default() })
    }

    /// What a copy of a mebibyte takes that follows the start of a cycle.
    fn copy_after_start_ns(process: &mut Process) -> f64 {
        let buffer = process.alloc_run(Layout::noscan(MIB), 1);
        process.start_cycle(CycleKind::Heap);
        let start_ns = process.now_ns;
        process.write_run(buffer, MIB);
        process.now_ns - start_ns
    }

    #[test]
    fn copies_that_the_collector_asks_to_stop_are_many_times_slower_in_their_share_of_cases() {
        let slow = |seed: &u64| {
            let mut process = process(*seed);
            let undisturbed_ns = PAGES as f64 * process.costs.kernel.fault_page_ns;
            copy_after_start_ns(&mut process) > 5.0 * undisturbed_ns
        };
        let share = (0..200).filter(slow).count() as f64 / 200.0;
        let expected = process(0).costs.kernel.asked_to_stop_share;
        assert!((share - expected).abs() < 0.12, "{share} of copies were slow, prices say {expected}");
    }

    #[test]
    fn marking_does_not_end_before_the_copy_does() {
        for seed in 0..20 {
            let mut process = process(seed);
            let slow = copy_after_start_ns(&mut process) > 2e6;
            if slow {
                process.gc();
                let ended_ns = process.into_trace("", "", "", "").cycles[0].mark_end_ns;
                assert!(ended_ns > 2_000_000, "seed {seed}: marking ended after {ended_ns} ns");
            }
        }
    }

    #[test]
    fn a_copy_with_no_collection_costs_its_faults() {
        let mut process = process(1);
        let start_ns = process.now_ns;
        process.copy_into_fresh(PAGES);
        assert_eq!(process.now_ns - start_ns, process.costs.fault_ns(PAGES));
    }
}
