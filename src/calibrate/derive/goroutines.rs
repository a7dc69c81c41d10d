//! Goroutines and sleeping (`programs/runtimecosts`).

use super::super::rows::Rows;
use super::Fields;
use crate::cost::Goroutines;

pub(super) fn derive(rows: &Rows, base: &Goroutines, fields: &mut Fields) -> Goroutines {
    let least = |procs, what, column| rows.min("runtime", &[("procs", procs), ("what", what)], column);
    Goroutines {
        // Batches of a thousand that reuse each other's stacks.
        start_ns: fields.price("goroutines.start_ns", &base.start_ns, || {
            least("1", "go-start-exit-batch-1000", "min_ns")
        }),
        start_fresh_ns: fields.price("goroutines.start_fresh_ns", &base.start_fresh_ns, || {
            least("1", "go-start-blocked-fresh", "min_ns")
        }),
        gosched_ns: fields
            .price("goroutines.gosched_ns", &base.gosched_ns, || least("1", "gosched", "min_ns")),
        // Not derived: measured once, by a program with ten thousand goroutines that wait (`gclab go` on goroutines-exited).
        return_ns: base.return_ns,
        grow_stack_ns: base.grow_stack_ns,
        scan_stack_ns: base.scan_stack_ns,
        scan_stack_byte_ns: base.scan_stack_byte_ns,
        // Not derived: it is read off execution traces of a program whose assists park. How long the thread of an idle P
        // takes to wake depends on how deep it sleeps; the row `wake-sleeping-thread` is recorded to compare with.
        thread_wake_ns: base.thread_wake_ns,
        sleep_overshoot_ns: fields.price("goroutines.sleep_overshoot_ns", &base.sleep_overshoot_ns, || {
            Ok(least("1", "sleep-overhead-10ms", "first_quartile_ns")? - 10e6)
        }),
        // A short sleep of a process that does nothing else waits for a whole millisecond of the poller.
        sleep_minimum_ns: fields.price("goroutines.sleep_minimum_ns", &base.sleep_minimum_ns, || {
            rows.min("runtime", &[("what", "sleep-overhead-100us")], "first_quartile_ns")
        }),
    }
}
