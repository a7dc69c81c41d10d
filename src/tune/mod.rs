//! Tuning: which GOGC and GOMEMLIMIT a program should have in a container of a given size.
//!
//! Terms: a *candidate* is a GOGC with a GOMEMLIMIT; it is *safe* when no run of it comes nearer to the container's limit than
//! the *margin*; a *more aggressive* candidate has a GOGC and a limit that are at least as large.
//!
//! 1. Candidates are simulated in the container, each with several seeds (`search`), first wide apart, then close around the best.
//! 2. The best safe one is recommended (`advice`), with the reason, and with the nearest more aggressive one that is not safe.
//! 3. Real Go can be asked whether that is so (`check`).
//!
//! Invariants: the same question gets the same answer; a prediction is the worst of the seeds for memory and their mean for CPU;
//! nothing is recommended that a simulated run did not survive.

mod advice;
mod check;
mod search;

pub use advice::{Advice, advise};
pub use check::{Checked, RealCheck, check};
pub use search::{Candidate, Prediction, Question, Searched, search};
