//! Assists: a goroutine that allocates during a cycle pays for it with scan work.
//!
//! 1. Every allocation during marking is charged to the goroutine's credit, in bytes allocated.
//! 2. A goroutine in debt turns the debt into scan work with the assist ratio, but never into less than 64 KiB of it:
//!    it pays ahead, so that it does not come back at every object.
//! 3. It first takes what the background workers have marked and nobody has claimed.
//! 4. The rest it marks itself, and is credited for what it really did.
//! 5. If it found nothing to mark and is still in debt, it parks. Background workers pay parked goroutines off, first come
//!    first served, before they add to the common credit; who is paid only in part goes to the back of the queue.
//!
//! Every payment adds one byte, so that rounding down cannot leave a goroutine in debt for ever.
//! While the CPU limiter limits ([`super::cpu_limiter`]), nobody assists.
//!
//! Differences from Go: one thread, so that credit is never taken twice; ids stand for goroutines; who wakes or yields
//! when is the caller's business.
//!
//! Source: `runtime/mgcmark.go` (`gcAssistAlloc`, `gcAssistAlloc1`, `gcParkAssist`, `gcFlushBgCredit`),
//! `runtime/malloc.go` (`deductAssistCredit`), Go 1.23.9.

use std::collections::VecDeque;

use super::assist_ratio::AssistRatio;
use super::float::to_i64;
use crate::units::KIB;

/// Least scan work in bytes of one assist (Go's; `runtime/mgcpacer.go` `gcOverAssistWork`, 1.23.9).
pub const OVER_ASSIST_WORK_BYTES: i64 = 64 * KIB as i64;

/// Scan work in bytes that a worker collects before it hands it over as credit (Go's; `runtime/mgcpacer.go`
/// `gcCreditSlack`, 1.23.9).
pub const CREDIT_SLACK_BYTES: i64 = 2000;

/// Assist time in nanoseconds that a P collects before it reports it (Go's; `runtime/mgcpacer.go`
/// `gcAssistTimeSlack`, 1.23.9).
pub const ASSIST_TIME_SLACK_NS: i64 = 5000;

/// What a goroutine may still allocate in this cycle, in bytes; negative is debt (`gcAssistBytes`).
/// Set back to nothing when a cycle starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssistCredit {
    bytes: i64,
}

/// What a goroutine in debt has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssistDebt {
    /// Scan work in bytes that settles it.
    pub scan_work_bytes: i64,
    /// Allocation in bytes that this scan work is worth.
    pub allocation_bytes: i64,
}

impl AssistCredit {
    /// What may still be allocated in bytes; negative is debt.
    pub fn bytes(self) -> i64 {
        self.bytes
    }

    /// Charges an allocation. Go charges the requested size before it allocates and the rounding to the size class after.
    pub fn charge(&mut self, allocated_bytes: u64) {
        self.bytes -= allocated_bytes as i64;
    }

    /// Takes back a charge for memory that was not allocated after all.
    pub fn refund(&mut self, bytes: u64) {
        self.bytes += bytes as i64;
    }

    /// The debt as scan work, at least [`OVER_ASSIST_WORK_BYTES`]; `None` when there is none.
    pub fn debt(self, ratio: AssistRatio) -> Option<AssistDebt> {
        if self.bytes >= 0 {
            return None;
        }
        let allocation_bytes = -self.bytes;
        let scan_work_bytes = to_i64(ratio.work_per_byte * allocation_bytes as f64);
        if scan_work_bytes >= OVER_ASSIST_WORK_BYTES {
            return Some(AssistDebt { scan_work_bytes, allocation_bytes });
        }
        Some(AssistDebt {
            scan_work_bytes: OVER_ASSIST_WORK_BYTES,
            allocation_bytes: to_i64(ratio.bytes_per_work * OVER_ASSIST_WORK_BYTES as f64),
        })
    }

    /// Credits scan work that the goroutine has done itself, or taken over.
    pub fn pay(&mut self, scan_work_bytes: i64, ratio: AssistRatio) {
        self.bytes += 1 + to_i64(ratio.bytes_per_work * scan_work_bytes as f64);
    }
}

/// A goroutine that waits for the background workers to pay its debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parked {
    goroutine: u64,
    credit: AssistCredit,
}

/// The credit of the background workers (`bgScanCredit`) and the goroutines that wait for it (`assistQueue`).
#[derive(Clone, Debug, Default)]
pub struct AssistQueue {
    background_credit_bytes: i64,
    parked: VecDeque<Parked>,
}

impl AssistQueue {
    /// Scan work in bytes done in the background and not yet claimed.
    pub fn background_credit_bytes(&self) -> i64 {
        self.background_credit_bytes
    }

    /// Forgets unclaimed credit: a cycle starts.
    ///
    /// # Panics
    /// If goroutines still wait from the last cycle; they should have been taken out with [`wake_all`](Self::wake_all).
    pub fn start_cycle(&mut self) {
        assert!(self.parked.is_empty(), "{} goroutines parked across cycles", self.parked.len());
        self.background_credit_bytes = 0;
    }

    /// Pays as much of a debt as there is background credit. Returns the scan work in bytes the goroutine has to do itself.
    pub fn steal(&mut self, credit: &mut AssistCredit, debt: AssistDebt, ratio: AssistRatio) -> i64 {
        if self.background_credit_bytes <= 0 {
            return debt.scan_work_bytes;
        }
        let stolen = self.background_credit_bytes.min(debt.scan_work_bytes);
        self.background_credit_bytes -= stolen;
        if stolen == debt.scan_work_bytes {
            credit.bytes += debt.allocation_bytes;
        } else {
            credit.pay(stolen, ratio);
        }
        debt.scan_work_bytes - stolen
    }

    /// Queues a goroutine that is in debt and found nothing to mark, unless there is credit to try for again.
    pub fn park(&mut self, goroutine: u64, credit: AssistCredit) -> Parking {
        if self.background_credit_bytes > 0 {
            return Parking::TryAgain;
        }
        self.parked.push_back(Parked { goroutine, credit });
        Parking::Parked
    }

    /// Hands over scan work done in the background. `wake` is called, in order, with each goroutine whose debt is paid;
    /// its credit is then zero.
    pub fn add_background_work(
        &mut self,
        scan_work_bytes: i64,
        ratio: AssistRatio,
        mut wake: impl FnMut(u64),
    ) {
        if self.parked.is_empty() {
            self.background_credit_bytes += scan_work_bytes;
            return;
        }
        let mut payable = to_i64(scan_work_bytes as f64 * ratio.bytes_per_work);
        while payable > 0 {
            let Some(mut first) = self.parked.pop_front() else { break };
            if payable + first.credit.bytes < 0 {
                first.credit.bytes += payable;
                payable = 0;
                self.parked.push_back(first);
            } else {
                payable += first.credit.bytes;
                wake(first.goroutine);
            }
        }
        if payable > 0 {
            self.background_credit_bytes += to_i64(payable as f64 * ratio.work_per_byte);
        }
    }

    /// Takes one goroutine out of the queue: it goes on without having been paid.
    pub fn leave(&mut self, goroutine: u64) {
        self.parked.retain(|parked| parked.goroutine != goroutine);
    }

    /// Marking ends: takes out every waiting goroutine, in order. Debts do not outlive the cycle.
    pub fn wake_all(&mut self, mut wake: impl FnMut(u64)) {
        for parked in self.parked.drain(..) {
            wake(parked.goroutine);
        }
    }
}

/// What became of a goroutine that wanted to park.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parking {
    /// It waits.
    Parked,
    /// Background credit has appeared meanwhile: it should assist again.
    TryAgain,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Half a byte of scan work for each byte allocated.
    const HALF: AssistRatio = AssistRatio { work_per_byte: 0.5, bytes_per_work: 2.0 };

    fn in_debt(bytes: u64) -> AssistCredit {
        let mut credit = AssistCredit::default();
        credit.charge(bytes);
        credit
    }

    #[test]
    fn small_debts_are_paid_ahead() {
        // 64 bytes would be 32 bytes of work; 65,536 are done instead and are worth 131,072 bytes.
        let mut credit = in_debt(64);
        let debt = credit.debt(HALF).unwrap();
        assert_eq!(debt, AssistDebt { scan_work_bytes: 65_536, allocation_bytes: 131_072 });
        credit.pay(debt.scan_work_bytes, HALF);
        assert_eq!(credit.bytes(), 131_072 - 64 + 1);
        assert_eq!(credit.debt(HALF), None);
    }

    #[test]
    fn large_debts_are_paid_as_they_are() {
        let debt = in_debt(1_000_000).debt(HALF).unwrap();
        assert_eq!(debt, AssistDebt { scan_work_bytes: 500_000, allocation_bytes: 1_000_000 });
    }

    #[test]
    fn background_credit_is_taken_before_any_work() {
        let mut queue = AssistQueue::default();
        queue.add_background_work(70_000, HALF, |_| unreachable!("nobody waits"));
        let mut credit = in_debt(64);
        let debt = credit.debt(HALF).unwrap();
        assert_eq!(queue.steal(&mut credit, debt, HALF), 0);
        assert_eq!((credit.bytes(), queue.background_credit_bytes()), (131_072 - 64, 70_000 - 65_536));

        // The next one finds 4,464 bytes of work, worth 8,928 + 1 bytes, and does 61,072 itself.
        let mut credit = in_debt(64);
        assert_eq!(queue.steal(&mut credit, debt, HALF), 61_072);
        assert_eq!((credit.bytes(), queue.background_credit_bytes()), (8_929 - 64, 0));
        assert_eq!(queue.steal(&mut credit, debt, HALF), 65_536);
    }

    #[test]
    fn parked_goroutines_are_paid_first_come_first_served() {
        let mut queue = AssistQueue::default();
        assert_eq!(queue.park(1, in_debt(1000)), Parking::Parked);
        assert_eq!(queue.park(2, in_debt(10_000)), Parking::Parked);
        assert_eq!(queue.park(3, in_debt(500)), Parking::Parked);
        let mut woken = Vec::new();

        // 1000 of work pay for 2000 bytes: all of the first, 1000 of the second, which goes to the back.
        queue.add_background_work(1000, HALF, |goroutine| woken.push(goroutine));
        assert_eq!((woken.as_slice(), queue.background_credit_bytes()), ([1].as_slice(), 0));

        // 5000 pay for 10,000: 500 to the third, 9000 to the second; 500 bytes are left, worth 250 of work.
        queue.add_background_work(5000, HALF, |goroutine| woken.push(goroutine));
        assert_eq!((woken.as_slice(), queue.background_credit_bytes()), ([1, 3, 2].as_slice(), 250));
        assert_eq!(queue.park(4, in_debt(10)), Parking::TryAgain);
    }

    #[test]
    fn the_end_of_marking_wakes_everyone() {
        let mut queue = AssistQueue::default();
        queue.park(7, in_debt(1));
        queue.park(5, in_debt(1));
        let mut woken = Vec::new();
        queue.wake_all(|goroutine| woken.push(goroutine));
        assert_eq!(woken, [7, 5]);
        queue.start_cycle();
    }

    proptest! {
        #[test]
        fn background_work_is_claimed_once(
            steps in prop::collection::vec((0i64..100_000, 1u64..200_000), 1..50),
            work_per_byte in 0.01f64..10.0,
        ) {
            let ratio = AssistRatio { work_per_byte, bytes_per_work: 1.0 / work_per_byte };
            let mut queue = AssistQueue::default();
            let (mut added, mut stolen) = (0, 0);
            for (work, allocated) in steps {
                queue.add_background_work(work, ratio, |_| unreachable!("nobody waits"));
                added += work;
                let mut credit = in_debt(allocated);
                let debt = credit.debt(ratio).unwrap();
                let remaining = queue.steal(&mut credit, debt, ratio);
                stolen += debt.scan_work_bytes - remaining;
                prop_assert_eq!(queue.background_credit_bytes(), added - stolen);
                // Whoever does the rest is out of debt, but for rounding: less than one unit of scan work is cut off the
                // debt, and less than a byte off each of the two payments, which add a byte each.
                if remaining > 0 {
                    credit.pay(remaining, ratio);
                }
                prop_assert!(credit.bytes() >= -1 - ratio.bytes_per_work as i64, "{:?} at {:?}", credit, ratio);
            }
        }
    }
}
