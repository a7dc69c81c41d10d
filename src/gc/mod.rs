//! The collector's hands: colours, the grey queue, roots and the write barrier.
//!
//! Go's collector is a concurrent, non-moving, tri-colour mark and sweep: while the program runs, workers visit every
//! object that can be reached; what was not visited is free memory.
//!
//! Why tri-colour: the program keeps changing pointers behind the workers' backs. Every object is
//!
//! * **white** - not found yet (mark bit clear),
//! * **grey** - found, its pointers not yet looked at (mark bit set, in a queue),
//! * **black** - found and looked at (mark bit set, in no queue).
//!
//! When no grey object is left, white objects cannot be reached. That is sound as long as no black object ever points to
//! a white one; the *write barrier* sees to it: while marking, a pointer store shades both the pointer that is
//! overwritten and the one that is stored, and new objects are born black.
//!
//! The rooms: [`mark`] (grey queue and workers), [`span_queue`] (Green Tea: queues of
//! spans, Go 1.27), [`recent_pages`] (what a cache would hold), [`roots`] (where marking starts), [`barrier`] (what a store must do).
//! Sweeping belongs to the heap ([`crate::heap::sweep`]); when a cycle starts and how fast it runs is the pacer's word
//! ([`crate::pacer`]); the phases are put together in virtual time by the process.
//!
//! Sources: `runtime/mgc.go`, `runtime/mgcmark.go`, `runtime/mgcwork.go`, `runtime/mbarrier.go`, Go 1.23.9.
//! See it: `gclab run sims/steady-gogc.toml`.

pub mod barrier;
pub mod mark;
pub mod mark_price;
pub mod recent_pages;
pub mod roots;
pub mod span_queue;
