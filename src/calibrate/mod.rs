//! Calibration: what work costs on *this* machine, measured with an installed Go, as a cost profile.
//!
//! A simulator has no caches, no kernel and no threads that must be woken; it has a price list (`cost`). This room makes one:
//!
//! 1. Small Go programs travel with the binary (`programs/`), each of which times one kind of work; `plan` says which are
//!    run with which arguments, in which order, for which group of prices.
//! 2. They are built with the named toolchain and run one after the other, alone, for a bounded time (`measure`). What they
//!    print are [`Rows`].
//! 3. [`derive()`] turns rows into prices: a pure function, one file for each group, every formula beside its field.
//! 4. A thermometer is read before and after, and everything is measured a second time as far as the time allows; when
//!    either disagrees with itself, the profile says that the machine was not quiet (`noise`).
//!
//! Invariants: nothing is tuned to a scenario; the same rows give the same profile; no program outlives the calibration.

mod derive;
mod measure;
mod noise;
mod plan;
mod rows;
mod statistics;

pub use derive::{Derived, derive};
pub use measure::{Calibration, CalibrationError, Listener, Order, calibrate};
pub use noise::disagreements;
pub use plan::Effort;
pub use rows::{NoRow, Rows, TABLES, Where};
