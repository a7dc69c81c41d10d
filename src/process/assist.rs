//! Assists: a goroutine that allocates while marking runs pays for it with marking.
//!
//! Each goroutine has credit in bytes of allocation. When it falls below zero the goroutine first takes what background
//! workers have earned, then marks itself, and if there is nothing to mark - one linked list has one grey object, and a
//! worker holds it - it parks until the background has paid. That is how a list throttles its program
//! (`runtime/mgcmark.go` `gcAssistAlloc`, Go 1.23.9).
//!
//! Differences from Go: Go charges the requested size first and the rounding afterwards; here an object is charged its
//! slot at once.

use super::goroutine::{Assisting, Parked};
use super::{MARK_STEP_NS, Process};
use crate::gc::mark::{Budget, WorkOrder};
use crate::pacer::assist::{AssistCredit, Parking};

impl Process {
    /// Charges up to `limit` objects of `elem_bytes` to the goroutine's credit, assisting as needed; returns how many are
    /// paid for (at least 1).
    pub(super) fn charge_assist(&mut self, elem_bytes: u64, limit: u32) -> u32 {
        let credit = &mut self.goroutines[self.current].credit;
        let affordable = u64::try_from(credit.bytes()).unwrap_or(0) / elem_bytes;
        let paid = u64::from(limit).min(affordable.max(1));
        credit.charge(paid * elem_bytes);
        if credit.bytes() < 0 {
            let before_ns = self.now_ns;
            self.assist();
            self.note_assist(self.now_ns - before_ns);
        }
        paid as u32
    }

    /// Gives back the charge for objects that were not allocated.
    pub(super) fn refund_assist(&mut self, elem_bytes: u64, count: u32) {
        if count > 0 && self.marker.is_marking() {
            self.goroutines[self.current].credit.refund(u64::from(count) * elem_bytes);
        }
    }

    fn assist(&mut self) {
        while self.marker.is_marking() && !self.limiter.is_limiting() {
            let ratio = self.pacer.assist_ratio();
            let goroutine = &mut self.goroutines[self.current];
            let Some(debt) = goroutine.credit.debt(ratio) else { return };
            let left_bytes = self.assists.steal(&mut goroutine.credit, debt, ratio);
            if left_bytes <= 0 {
                return;
            }
            if self.mark_as_assist(left_bytes as u64) {
                continue;
            }
            self.park_until_paid();
        }
    }

    /// Marks for the goroutine's own account; `false` if there was nothing to mark.
    fn mark_as_assist(&mut self, work_bytes: u64) -> bool {
        let mut left_bytes = work_bytes;
        let mut found_work = false;
        self.assisting = Assisting::Yes;
        while left_bytes > 0 && self.marker.is_marking() {
            let budget = Budget { cpu_ns: MARK_STEP_NS, work_bytes: left_bytes };
            let drained = self.marker.drain(&self.heap, self.cache(), budget, WorkOrder::ObjectsFirst);
            if drained.work_bytes == 0 && drained.cpu_ns == 0.0 {
                break;
            }
            found_work = true;
            left_bytes = left_bytes.saturating_sub(drained.work_bytes);
            self.account_assist(drained.cpu_ns);
            let ratio = self.pacer.assist_ratio();
            self.goroutines[self.current].credit.pay(drained.work_bytes as i64, ratio);
            self.report_scan_work();
            self.now_ns += drained.cpu_ns * self.slowdown();
            self.catch_up();
        }
        self.assisting = Assisting::No;
        let _ = self.mark_done();
        self.end_marking_if_drained(self.now_ns, Some(self.cache()));
        found_work
    }

    /// Waits in the assist queue until background workers have paid or marking has ended.
    fn park_until_paid(&mut self) {
        let number = self.current;
        let credit = self.goroutines[number].credit;
        if self.assists.park(number as u64, credit) == Parking::TryAgain {
            return;
        }
        self.goroutines[number].parked = Parked::Yes;
        self.goroutine_blocks();
        self.horizon_ns = f64::INFINITY;
        while self.goroutines[number].parked == Parked::Yes && self.marker.is_marking() {
            self.now_ns = self.now_ns.max(self.background_ns) + MARK_STEP_NS;
            self.catch_up();
        }
        self.assists.leave(number as u64);
        if self.marker.is_marking() {
            self.goroutines[number].parked = Parked::Waking;
            self.now_ns += self.costs.goroutines.thread_wake_ns;
            self.catch_up();
        }
        self.goroutines[number].parked = Parked::No;
        self.goroutine_runs();
    }

    /// A parked goroutine's debt is paid.
    pub(super) fn unpark(&mut self, number: u64) {
        let goroutine = &mut self.goroutines[number as usize];
        goroutine.parked = Parked::No;
        goroutine.credit = AssistCredit::default();
    }
}
