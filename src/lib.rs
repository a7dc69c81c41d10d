//! `gclab`: a glass-box simulator of Go's memory runtime.

pub mod chart;
pub mod cli;
pub mod container;
pub mod cost;
pub mod gc;
pub mod heap;
pub mod os;
pub mod pacer;
pub mod process;
pub mod scavenge;
pub mod scenario;
pub mod trace;
pub mod units;
pub mod version;
