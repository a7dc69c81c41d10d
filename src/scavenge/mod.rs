//! The scavenger: how much memory Go gives back to the operating system, and when.
//!
//! **Mechanism.** Free pages of the heap keep their memory until the scavenger releases it: a background goroutine that
//! spends about 1 % of one CPU per P on it, and allocations that release pages before they take others.
//!
//! **Why Go needs it.** Releasing costs a system call and taking the page back costs a fault and a clear, so memory that
//! will be needed again soon should stay. But a heap that has shrunk must not hold its peak forever, and a memory limit
//! must be defended while the program allocates.
//!
//! **Terms.** *Retained*: `heapInUse + heapFree`, the heap's memory that has not been released. *mapped ready*: all memory
//! of the runtime that has not (`mappedReady`). *Percent goal* (`gcPercentGoal`) and *limit goal* (`memoryLimitGoal`): what
//! those two may amount to. *Sleep ratio*: time worked over time slept.
//!
//! **When what happens.**
//! 1. At every mark termination, and when GOGC or the memory limit change, both goals are computed ([`Goals`]) and a
//!    scavenging generation begins ([`crate::heap::page_alloc::PageAlloc::next_scavenge_generation`]).
//! 2. At the start of each cycle, and after its sweep, the background scavenger is woken. It releases 64 KiB at a time for
//!    a millisecond, sleeps as its controller says, and parks when nothing can be released ([`BackgroundScavenger`]).
//! 3. An allocation that grows the heap while the percent goal is active releases as much as it grew; one that would cross
//!    the memory limit releases the difference, by force ([`allocation_scavenge`]).
//! 4. `debug.FreeOSMemory` collects, then releases everything free by force ([`FREE_OS_MEMORY_BYTES`]).
//!
//! **Invariants.** Policy only: nothing here touches a page. The background scavenger stops at the first step at or below
//! both goals, so it overshoots by less than one step (2 MiB).
//!
//! **Differences from Go.** The background scavenger is a state machine that is told the time; its goroutine always gets to
//! run the moment it is due. `sysmon`, which in Go passes on the wake-up after a sweep (20 us to 10 ms later, up to 60 s in
//! an idle process), is the caller's.
//!
//! Sources: `runtime/mgcscavenge.go`, `runtime/mheap.go` `allocSpan`, `scavengeAll` (Go 1.23.9; 1.21.13 but for the slip in
//! [`Goals`]).

mod allocation;
mod background;
mod goals;
mod pi_controller;

pub use allocation::{AllocationScavenge, FREE_OS_MEMORY_BYTES, ScavengeDemand, allocation_scavenge};
pub use background::{BackgroundScavenger, Batch, QUANTUM_BYTES, Work};
pub use goals::{GoalInputs, Goals};
pub use pi_controller::PiController;

#[cfg(test)]
mod tests;
