//! What work costs in virtual nanoseconds: one documented table.
//!
//! (to come)
