//! TLB shootdowns: what it costs to change a mapping while another thread of the process runs.
//!
//! **Mechanism.** Each processor caches translations of addresses. When a thread takes a translation away that another
//! processor may hold, the kernel interrupts that processor and waits until it has forgotten it. The thread that asked pays,
//! and so does the one that was interrupted; in a virtual machine both leave the guest, and it is 16 and 9 microseconds
//! where the page fault itself is 1.4.
//!
//! **Why it matters.** A first *write* to a fresh page adds a translation and asks nobody. These take one away:
//!
//! * `madvise(MADV_DONTNEED)`: a scavenger that works beside the program is an order of magnitude slower than
//!   `debug.FreeOSMemory` in a process that does nothing else, and returns so much less in its one percent of time;
//! * a write to a page that has only been *read*: the read has mapped the kernel's page of zeros, the write replaces it.
//!   A `map` of Go 1.23 and before looks at the tophash bytes of a fresh bucket before it writes them. While the collector
//!   marks, a pointer store reads the old value first, for the write barrier - also the runtime's own store of the type into
//!   the header of an object above 512 B. So a program that grows while the collector marks pays twice for such pages, and
//!   interrupts the mark workers each time.
//!
//! ```text
//! sender:    n * shootdown_ns           if any other P runs a goroutine or a mark worker, else nothing
//! receivers: n * shootdown_received_ns  each
//! ```
//!
//! **Differences from Go.** Ps stand for the threads that run; sweeping in the background counts for nothing.
//!
//! Sources: `runtime/malloc.go` `heapSetTypeSmallHeader`, `runtime/map.go` `mapassign`, `runtime/mwbbuf.go`, Go 1.23.9; Linux
//! `do_wp_page`, `flush_tlb_mm_range`; prices by `gclab calibrate` (`pages beside`).

use super::Process;

/// Who changes mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The running goroutine.
    Goroutine,
    /// The background scavenger, on a P that nothing else needs if there is one.
    Scavenger,
}

impl Process {
    /// The Ps on which something else than `sender` runs.
    fn interrupted_by(&self, sender: Sender) -> impl Iterator<Item = usize> {
        let own = match sender {
            Sender::Goroutine => Some(self.cache()),
            Sender::Scavenger => None,
        };
        let procs = self.settings.procs.min(self.settings.cores) as usize;
        (0..self.settings.procs as usize)
            .filter(move |number| Some(*number) != own && (self.is_busy(*number) || self.has_worker(*number)))
            .take(procs - 1)
    }

    fn has_worker(&self, number: usize) -> bool {
        self.cycle.as_ref().is_some_and(|cycle| cycle.workers.slots[number].mode.is_some())
    }

    /// What `count` changes of mappings cost `sender` more because others run; they lose their share.
    pub(super) fn shoot_down(&mut self, sender: Sender, count: u64) -> f64 {
        if count == 0 || self.settings.procs == 1 || self.settings.cores == 1 {
            return 0.0;
        }
        let receivers: Vec<usize> = self.interrupted_by(sender).collect();
        if receivers.is_empty() {
            return 0.0;
        }
        let lost_ns = self.costs.kernel.shootdown_received_ns * count as f64;
        for number in receivers {
            if self.has_worker(number) {
                self.hold_up_worker(number, lost_ns);
            } else {
                self.delay_goroutines_on(number, lost_ns);
            }
        }
        self.costs.kernel.shootdown_ns * count as f64
    }

    /// The program looks at fresh memory before it writes to it: `pages` pages are replaced.
    pub(super) fn replace_zero_pages(&mut self, pages: u64) {
        let cpu_ns = self.shoot_down(Sender::Goroutine, pages);
        if cpu_ns > 0.0 {
            self.spend_cpu_ns(cpu_ns);
        }
    }

    /// A pointer store was the first access to `pages` pages. While the collector marks, the write barrier reads what it
    /// overwrites: a read fault more for each, and a page to replace.
    pub(super) fn first_pointers(&mut self, pages: u64) {
        if pages > 0 && self.marker.is_marking() {
            self.spend_cpu_ns(self.costs.fault_ns(pages));
            self.replace_zero_pages(pages);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sender;
    use crate::process::{Process, Settings};

    fn process(procs: u32) -> Process {
        Process::start(Settings { procs, cores: procs, ..Settings::default() })
    }

    #[test]
    fn nobody_is_interrupted_when_nothing_else_runs() {
        let mut process = process(2);
        assert_eq!(process.shoot_down(Sender::Goroutine, 3), 0.0);
    }

    #[test]
    fn one_processor_interrupts_nobody() {
        let mut process = process(1);
        assert_eq!(process.shoot_down(Sender::Scavenger, 3), 0.0);
    }

    #[test]
    fn the_scavenger_pays_and_the_program_loses_for_each_page_range() {
        let mut process = process(2);
        let before_ns = process.now_ns;
        let paid_ns = process.shoot_down(Sender::Scavenger, 3);
        let kernel = &process.costs.kernel;
        assert_eq!(paid_ns, 3.0 * kernel.shootdown_ns);
        assert_eq!(process.now_ns - before_ns, 3.0 * kernel.shootdown_received_ns);
    }

    #[test]
    fn a_goroutine_beside_another_delays_that_one_and_not_itself() {
        let mut process = process(2);
        let other = process.add_goroutine();
        let clocks = |process: &Process| (process.clock_ns(0), process.clock_ns(other));
        let before = clocks(&process);
        let paid_ns = process.shoot_down(Sender::Goroutine, 1);
        let after = clocks(&process);
        assert_eq!(paid_ns, process.costs.kernel.shootdown_ns);
        assert_eq!(after.0, before.0);
        assert_eq!(after.1 - before.1, process.costs.kernel.shootdown_received_ns);
    }
}
