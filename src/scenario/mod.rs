//! Scenario files: TOML in, a checked program out, or every mistake at once.
//!
//! A scenario is what a small Go program does to memory, line by line, with the question it answers. Reading one has
//! three parts, each of which goes on after a mistake so that all are reported together:
//! 1. `reader` and `parse` turn text into a tree with spans and read settings, types and variables;
//! 2. `read_step` reads each step: variables exist and have the right type, sizes are bytes, keys are in range;
//! 3. `check` walks the program in order: nothing is inserted into a nil map, labels are unique, the work is bounded.
//!
//! What comes out is a [`Scenario`] that [`run()`] can carry out without looking back: nothing in it can be misspelt,
//! missing or of the wrong kind.
//!
//! ```
//! let text = r#"
//!     title = "A map comes and goes"
//!     question = "Does delete give memory back?"
//!     answer = "No."
//!     vars = { m = "map[int]int" }
//!     steps = [
//!         { make = { var = "m" } },
//!         { insert = { var = "m", keys = "0..1_000" } },
//!         { delete = { var = "m", keys = "0..1_000" } },
//!         "gc",
//!         { snapshot = "deleted" },
//!     ]
//! "#;
//! let scenario = gclab::scenario::Scenario::parse("come-and-go.toml", text).unwrap();
//! assert_eq!(scenario.steps.len(), 5);
//! ```

mod call;
mod check;
mod keys;
mod needs;
mod parse;
mod rate;
mod read_step;
pub(crate) mod reader;
mod run;
mod serve;
mod settings;
mod splitmix64;
mod step;
mod stream;
mod types;
mod zipf;

pub use crate::mistake::{Mistake, Mistakes};
pub use crate::process::{Allowance, Exhausted};
pub use call::{Call, Lies, Made, Returns};
pub use keys::{KEY_LIMIT, Keys, KeysIter, Order};
pub use needs::Lacking;
pub use rate::Rate;
pub use run::{Detail, RunError, RunOptions, run, run_with, type_desc};
pub use serve::{Arrival, RequestGarbage, Serve, Session};
pub use settings::{
    GOGC_LIMIT_PERCENT, GoSettings, Gogc, Machine, MemoryLimit, Overrides, PROCS_LIMIT, RunSettings,
};
pub use splitmix64::SplitMix64;
pub use step::{
    Access, Alloc, Amount, Backing, Finalize, FinalizeKind, Garbage, Goroutines, Hold, Insert, InsertValue,
    Make, MixPart, Part, PartPlace, PoolGet, PoolPut, Release, Repeat, Shape, SliceOf, Step, Written,
};
pub use stream::{Kept, Stream, Tick, Ticks, Totals};
pub use types::{Basic, GoType, StructType, TypeError, TypeLayout, Types};

use indexmap::IndexMap;
use toml::Spanned;

use crate::mistake;

/// A checked scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without folder and ending: `delete-million`.
    pub name: String,
    /// What happens, in a few words.
    pub title: String,
    /// The question that the scenario answers.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// The process.
    pub go: GoSettings,
    /// What it runs on.
    pub machine: Machine,
    /// Named struct types.
    pub types: Types,
    /// Package-level variables, nil at the start: the program's roots. [`VarId`] is the index.
    pub vars: IndexMap<String, VarType>,
    /// The program. A step's span is its place in the file and distinguishes it from every other step.
    pub steps: Vec<Spanned<Step>>,
}

/// A variable of a scenario: its index in [`Scenario::vars`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarId(pub usize);

/// The type of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VarType {
    /// `map[K]V`.
    Map {
        /// K.
        key: Typed,
        /// V.
        value: Typed,
    },
    /// `[]T`.
    Slice {
        /// T.
        element: Typed,
    },
    /// `*T`.
    Pointer {
        /// T.
        target: Typed,
    },
    /// `sync.Map` with keys of type int.
    SyncMap,
    /// `sync.Pool` of buffers: structs with a byte slice that grows.
    Pool,
    /// A map behind a lock, or several of them that share the keys: `{ of = "map[int]int", shards = 16, lock = "sync.RWMutex" }`.
    Locked {
        /// K, which is int.
        key: Typed,
        /// V.
        value: Typed,
        /// How many maps with a lock each; key `k` is in number `k % shards`.
        shards: u32,
        /// The lock of each.
        lock: Lock,
    },
}

/// What guards a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// `sync.Mutex`.
    Mutex,
    /// `sync.RWMutex`: lookups share it.
    RwMutex,
}

impl Lock {
    /// As Go spells it.
    pub fn name(self) -> &'static str {
        match self {
            Lock::Mutex => "sync.Mutex",
            Lock::RwMutex => "sync.RWMutex",
        }
    }
}

impl VarType {
    /// Whether several goroutines may use the variable at a time.
    pub fn is_concurrent(&self) -> bool {
        matches!(self, VarType::SyncMap | VarType::Pool | VarType::Locked { .. })
    }

    /// Whether its zero value is ready to use.
    pub fn is_ready(&self) -> bool {
        matches!(self, VarType::SyncMap | VarType::Pool)
    }
}

/// A type and what it needs in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The type.
    pub go_type: GoType,
    /// Its layout.
    pub layout: TypeLayout,
}

impl Scenario {
    /// Reads and checks a scenario. `file` is its name for messages and, without folder and ending, the scenario's name.
    ///
    /// # Errors
    /// Every mistake in the file, in the order of the text.
    pub fn parse(file: &str, text: &str) -> Result<Scenario, Mistakes> {
        parse::parse(file, text)
    }

    /// The settings of a run without flags.
    pub fn settings(&self) -> RunSettings {
        RunSettings { go: self.go, machine: self.machine, cost_profile: None }
    }

    /// A variable's type.
    pub fn var(&self, var: VarId) -> &VarType {
        &self.vars[var.0]
    }

    /// A variable's name.
    pub fn var_name(&self, var: VarId) -> &str {
        self.vars.get_index(var.0).expect("a VarId is an index of vars").0
    }

    /// Bytes of the texts of a map's string keys (`key_size`); `None` when they are constants.
    pub fn key_text_bytes(&self, var: VarId) -> Option<u64> {
        fn find(steps: &[Spanned<Step>], var: VarId) -> Option<u64> {
            steps.iter().find_map(|step| match step.as_ref() {
                Step::Insert(insert) if insert.var == var => insert.key_text.map(|layout| layout.size_bytes),
                Step::Repeat(repeat) => find(&repeat.steps, var),
                Step::Parallel(tracks) => tracks.iter().find_map(|track| find(track, var)),
                _ => None,
            })
        }
        find(&self.steps, var)
    }
}

impl std::fmt::Display for VarType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            VarType::Map { key, value } => write!(f, "map[{}]{}", key.go_type, value.go_type),
            VarType::Slice { element } => write!(f, "[]{}", element.go_type),
            VarType::Pointer { target } => write!(f, "*{}", target.go_type),
            VarType::SyncMap => f.write_str("sync.Map"),
            VarType::Pool => f.write_str("sync.Pool"),
            VarType::Locked { key, value, shards: 1, lock } => {
                write!(f, "map[{}]{} behind a {}", key.go_type, value.go_type, lock.name())
            }
            VarType::Locked { key, value, shards, lock } => {
                write!(f, "{shards} map[{}]{} behind a {} each", key.go_type, value.go_type, lock.name())
            }
        }
    }
}
