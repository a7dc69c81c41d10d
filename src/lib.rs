//! `gclab`: a glass-box simulator of Go's memory runtime.
//!
//! One simulated Go process - its pages, its heap, its collector, its pacer, its scavenger and the maps that live on it -
//! runs a scenario in virtual time and records everything it does in a [`trace::Trace`]. Tables and charts read the
//! trace; they compute nothing of their own.
//!
//! # A scenario, run
//!
//! ```
//! use gclab::scenario::{self, Scenario};
//! use gclab::units::MIB;
//!
//! let text = r#"
//!     title    = "A map comes and goes"
//!     question = "What does deleting every key give back?"
//!     answer   = "Nothing: the bucket array lives as long as the map."
//!     vars     = { m = "map[int]int" }
//!     steps = [
//!         { make     = { var = "m", hint = 500_000 } },
//!         { insert   = { var = "m", keys = "0..500_000" } },
//!         "gc",
//!         { snapshot = "full" },
//!         { delete   = { var = "m", keys = "0..500_000" } },
//!         "gc",
//!         { snapshot = "every key deleted" },
//!         { drop     = "m" },
//!         "gc",
//!         { snapshot = "m = nil" },
//!         "free-os-memory",
//!         { snapshot = "given back" },
//!     ]
//! "#;
//! let scenario = Scenario::parse("comes-and-goes.toml", text).expect("no mistakes");
//! let trace = scenario::run(&scenario, &scenario.settings()).expect("it fits the simulated machine");
//!
//! let [full, deleted, dropped, freed] = &trace.snapshots[..] else { panic!("four snapshots") };
//! assert!(full.mem_stats.heap_alloc > 16 * MIB);
//! assert_eq!(deleted.mem_stats.heap_alloc, full.mem_stats.heap_alloc); // delete empties slots, nothing more
//! assert!(dropped.mem_stats.heap_alloc < MIB); // the collector has freed the bucket array ...
//! assert!(dropped.rss_bytes > 16 * MIB); // ... and its pages are still resident
//! assert!(freed.rss_bytes < 4 * MIB); // until they are given back
//! ```
//!
//! # The house, from the ground up
//!
//! Each room knows only the rooms above it in this list; `tests/` reads the `use` lines and says so when that changes.
//!
//! | room | what it is |
//! |---|---|
//! | [`units`] | sizes and times as people write them |
//! | [`version`] | which Go is simulated, and every fact that differs between versions |
//! | [`mistake`] | what is wrong with a file that a user wrote, with its place and what would be accepted |
//! | [`elementary`] | logarithms, the exponential and the sine, the same bits on every machine |
//! | [`os`] | physical pages: resident or not, `madvise`, the container's limit |
//! | [`heap`] | Go's allocator: size classes, spans, caches, the page allocator, sweeping |
//! | [`gc`] | marking: roots, colours, the grey queue, the write barrier |
//! | [`pacer`] | when to collect and how hard: goal, trigger, assists, workers, CPU limiter |
//! | [`scavenge`] | which free pages go back to the system, when, how fast |
//! | [`container`] | what programs keep data in: maps and their bucket arrays |
//! | [`cost`] | what work costs in virtual nanoseconds, measured on real Go |
//! | [`process`] | all of these as one process in virtual time: the only room where time passes |
//! | [`scenario`] | TOML to a checked program, and the program to a trace |
//! | [`trace`] | what a run records (knows only units) |
//! | [`lesson`] | questions that runs answer, with a prediction asked of the learner |
//! | [`go_program`] | a scenario as the Go program that it stands for |
//! | [`sweep`] | a scenario under every combination of settings, on all cores and several machines |
//! | [`oracle`] | real Go beside the simulation, number by number |
//! | [`tune`] | GOGC and GOMEMLIMIT for a container, and real Go's word on them |
//! | [`calibrate`] | what work costs on this machine, measured with real Go |
//! | [`chart`] | traces as pictures, PNG or SVG |
//! | [`lab`] | a request in JSON to an answer in JSON: what the page of the lab shows |
//! | [`cli`] | the command line: wiring |
//!
//! To learn Go's runtime, read the top of each room's `mod.rs` in that order. `ARCHITECTURE.md` has the map with the paths
//! an allocation and a collection take through it.

#[cfg(feature = "cli")]
pub mod calibrate;
#[cfg(feature = "cli")]
pub mod chart;
#[cfg(feature = "cli")]
pub mod cli;
pub mod container;
pub mod cost;
pub mod elementary;
pub mod gc;
pub mod go_program;
pub mod heap;
pub mod lab;
pub mod lesson;
pub mod mistake;
#[cfg(feature = "cli")]
pub mod oracle;
pub mod os;
pub mod pacer;
pub mod process;
pub mod scavenge;
pub mod scenario;
#[cfg(feature = "cli")]
pub mod sweep;
pub mod trace;
#[cfg(feature = "cli")]
pub mod tune;
pub mod units;
pub mod version;
