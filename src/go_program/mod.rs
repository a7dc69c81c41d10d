//! A scenario as the Go program that it stands for: one file, the standard library alone, the same work line by line.
//!
//! A scenario is shorthand for Go, and this room writes it out, so that anybody can run the real thing beside the
//! simulation. The interpreter of scenarios says what a step does; the program does the same in the same order:
//! - the same keys: random ones come from splitmix64 in both, shuffles from the same Feistel network. Zipf keys use the
//!   logarithm of Go's `math` package, which may round one draw in billions differently;
//! - the same objects: types have the size and the pointers of the scenario, and as many bytes are written;
//! - the same references: variables are package-level, garbage goes to a variable `sink`, which keeps the newest object.
//!
//! GOGC and GOMEMLIMIT are not in the program but in its environment, as for any Go program; its first comment has the
//! command line. The rest of the file, the harness, looks at the process without changing it: it allocates nothing until
//! the work is done (`harness.go.txt`, and `helpers/` with what only some programs need).
//!
//! Differences from the simulator: strings and byte slices that are written hold blanks; pointers of an object that link
//! nothing stay nil and unwritten; goroutines of one `go` step return in the order in which they began to wait.

mod call;
mod code;
mod finalize;
mod keys;
mod names;
mod serve;
mod slices;
mod steps;
mod stream;
mod sync;
mod types;

use std::collections::BTreeSet;
use std::fmt::Write;

use self::code::{columns, comment, quoted};
use self::names::Names;
use self::steps::Body;
use self::types::GoTypes;
use crate::scenario::{RunSettings, Scenario, Step, VarType};
use crate::units::MIB;

const HARNESS: &str = include_str!("harness.go.txt");

/// A scenario that has no Go program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unwritable {
    /// Why.
    pub reason: String,
}

impl Unwritable {
    fn new(reason: String) -> Unwritable {
        Unwritable { reason }
    }
}

/// Parts of the program that only some scenarios need, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Helper {
    /// Only an import or a variable, without text.
    Bits,
    Unsafe,
    MaxLimit,
    Weak,
    Found,
    Fill,
    Filled,
    Touched,
    Text,
    KeyText,
    KnownKey,
    ConstantKey,
    Spin,
    Waiters,
    Latency,
    Serve,
    Zipf,
    Permutation,
    Stream,
    Mix,
    Buffer,
    Rate,
    Flow,
}

impl Helper {
    const ALL: [Helper; 23] = [
        Helper::Bits,
        Helper::Unsafe,
        Helper::MaxLimit,
        Helper::Weak,
        Helper::Found,
        Helper::Fill,
        Helper::Filled,
        Helper::Touched,
        Helper::Text,
        Helper::KeyText,
        Helper::KnownKey,
        Helper::ConstantKey,
        Helper::Spin,
        Helper::Waiters,
        Helper::Latency,
        Helper::Serve,
        Helper::Zipf,
        Helper::Permutation,
        Helper::Stream,
        Helper::Mix,
        Helper::Buffer,
        Helper::Rate,
        Helper::Flow,
    ];

    fn text(self) -> &'static str {
        match self {
            Helper::Bits | Helper::Unsafe | Helper::MaxLimit | Helper::Weak | Helper::Found => "",
            Helper::Fill => include_str!("helpers/fill.go.txt"),
            Helper::Filled => include_str!("helpers/filled.go.txt"),
            Helper::Touched => include_str!("helpers/touched.go.txt"),
            Helper::Text => include_str!("helpers/text.go.txt"),
            Helper::KeyText => include_str!("helpers/key_text.go.txt"),
            Helper::KnownKey => include_str!("helpers/known_key.go.txt"),
            Helper::ConstantKey => include_str!("helpers/constant_key.go.txt"),
            Helper::Spin => include_str!("helpers/spin.go.txt"),
            Helper::Waiters => include_str!("helpers/waiters.go.txt"),
            Helper::Latency => include_str!("helpers/latency.go.txt"),
            Helper::Serve => include_str!("helpers/serve.go.txt"),
            Helper::Zipf => include_str!("helpers/zipf.go.txt"),
            Helper::Permutation => include_str!("helpers/permutation.go.txt"),
            Helper::Stream => include_str!("helpers/stream.go.txt"),
            Helper::Mix => include_str!("helpers/mix.go.txt"),
            Helper::Buffer => include_str!("helpers/buffer.go.txt"),
            Helper::Rate => include_str!("helpers/rate.go.txt"),
            Helper::Flow => include_str!("helpers/flow.go.txt"),
        }
    }

    /// What the helper itself needs.
    fn needs(self) -> &'static [Helper] {
        match self {
            Helper::Filled | Helper::Buffer => &[Helper::Fill],
            Helper::Text => &[Helper::Unsafe],
            Helper::KeyText => &[Helper::Text, Helper::Unsafe],
            Helper::KnownKey => &[Helper::KeyText, Helper::Text, Helper::Unsafe],
            Helper::ConstantKey => &[Helper::Text, Helper::Unsafe, Helper::Mix],
            Helper::Latency => &[Helper::Bits],
            Helper::Serve => &[Helper::Latency, Helper::Stream, Helper::Mix, Helper::Bits, Helper::MaxLimit],
            Helper::Flow => &[Helper::Rate, Helper::Stream, Helper::Mix, Helper::Bits, Helper::MaxLimit],
            Helper::Zipf => &[Helper::Stream, Helper::Mix, Helper::Bits, Helper::MaxLimit],
            Helper::Permutation => &[Helper::Mix],
            Helper::Stream => &[Helper::Mix, Helper::Bits],
            _ => &[],
        }
    }

    fn import(self) -> Option<&'static str> {
        match self {
            Helper::Bits => Some("math/bits"),
            Helper::Unsafe => Some("unsafe"),
            Helper::MaxLimit => Some("math"),
            Helper::Weak => Some("weak"),
            _ => None,
        }
    }
}

/// Writes `scenario` under `settings` as a Go program.
///
/// # Errors
/// A scenario whose types no Go program can fill or link.
pub fn go_program(scenario: &Scenario, settings: &RunSettings) -> Result<String, Unwritable> {
    if let Some(lacking) = scenario.lacking(settings.go.version) {
        return Err(Unwritable::new(lacking.to_string()));
    }
    let texts: Vec<&str> = Helper::ALL.iter().map(|helper| helper.text()).chain([HARNESS]).collect();
    let mut types = GoTypes::new(scenario, Names::of(scenario, &texts));
    let mut body = Body::new(scenario, &mut types, settings.go.version, settings.go.seed);
    body.declare_shards();
    body.main()?;
    let Body { code, sinks, released, crowds, taken, .. } = body;
    let helpers = all_helpers(&types);

    let mut text = head(scenario, settings);
    text.push_str("package main\n\n");
    text.push_str(&imports(&helpers));
    let _ = writeln!(text, "const programName = {}\n", quoted(&scenario.name));
    let _ = writeln!(text, "// seed chooses everything that the program draws at random.");
    let _ = writeln!(text, "const seed = {}\n", settings.go.seed);
    text.push_str(&types.declarations());
    text.push_str(&variables(scenario, &types, &sinks, &released, &helpers));
    let pools = scenario.vars.values().enumerate().filter(|(_, var_type)| **var_type == VarType::Pool);
    let pools: Vec<String> =
        pools.map(|(index, _)| types.names.var(crate::scenario::VarId(index)).to_owned()).collect();
    text.push_str(&sync::pool_variables(&pools, &taken));
    let _ = writeln!(text, "func main() {{\n{}}}", code.text());
    text.push_str(&types.makers());
    for helper in helpers {
        if !helper.text().is_empty() {
            text.push('\n');
            text.push_str(
                &helper
                    .text()
                    .replace("{{crowds}}", &crowds.max(1).to_string())
                    .replace("{{longest}}", &steps::longest_key_text(&scenario.steps).max(1).to_string()),
            );
        }
    }
    let _ = writeln!(
        text,
        "\n// snapshotCount and stepCount are how many there will be: room is made before the start."
    );
    let counts = [
        ("snapshotCount".to_owned(), format!("= {}", snapshot_count(&scenario.steps))),
        ("stepCount".to_owned(), format!("= {}", scenario.steps.len())),
    ];
    let _ = write!(text, "const (\n{})\n\n{HARNESS}", columns(&counts));
    Ok(text)
}

fn all_helpers(types: &GoTypes<'_>) -> BTreeSet<Helper> {
    let direct = types.helpers.iter();
    direct.flat_map(|helper| helper.needs().iter().chain([helper])).copied().collect()
}

/// The comment before `package`: what the program is about, and how it is run.
fn head(scenario: &Scenario, settings: &RunSettings) -> String {
    let mut text = comment(&format!("{}.", scenario.title.trim_end_matches(['.', '?', '!'])));
    let _ = write!(text, "//\n{}", comment(&format!("Question: {}", scenario.question)));
    let _ = write!(text, "//\n{}", comment(&format!("Answer: {}", scenario.answer)));
    let _ = writeln!(text, "//\n// Run it with\n//");
    let _ = writeln!(text, "//\t{}go run {}.go", environment(settings), scenario.name);
    let _ = write!(
        text,
        "//\n{}",
        comment(
            "It prints a table of its snapshots. -json FILE writes them in more detail, -csv FILE writes samples over \
             time, taken every 10ms or as -every says."
        )
    );
    if let Some(bytes) = settings.machine.memory_bytes {
        let mib = bytes.div_ceil(MIB);
        let _ = writeln!(text, "//\n// The container that the question speaks of has {mib} MiB:\n//");
        let _ = writeln!(text, "//\tgo build {}.go", scenario.name);
        let _ = writeln!(
            text,
            "//\t{}systemd-run --user --scope -p MemoryMax={mib}M -p MemorySwapMax=0 ./{}",
            environment(settings),
            scenario.name
        );
    }
    text
}

/// The environment variables of a run with these settings, as they stand before a command: `GOGC=100 GOMAXPROCS=2 `.
pub fn environment(settings: &RunSettings) -> String {
    let mut text = format!("GOGC={} ", settings.go.gogc);
    if let Some(bytes) = settings.go.memory_limit.bytes() {
        let _ = match bytes % MIB {
            0 => write!(text, "GOMEMLIMIT={}MiB ", bytes / MIB),
            _ => write!(text, "GOMEMLIMIT={bytes} "),
        };
    }
    let _ = write!(text, "GOMAXPROCS={} ", settings.go.procs);
    if !settings.go.madvdontneed {
        text.push_str("GODEBUG=madvdontneed=0 ");
    }
    text
}

fn imports(helpers: &BTreeSet<Helper>) -> String {
    let always = ["fmt", "os", "runtime", "runtime/debug", "runtime/metrics", "strings", "sync", "time"];
    let names: BTreeSet<&str> =
        always.into_iter().chain(helpers.iter().filter_map(|helper| helper.import())).collect();
    let lines: String = names.iter().map(|name| format!("\t\"{name}\"\n")).collect();
    format!("import (\n{lines})\n\n")
}

/// The package-level variables: the scenario's own, and what the steps need beside them.
fn variables(
    scenario: &Scenario,
    types: &GoTypes<'_>,
    sinks: &[(String, String)],
    released: &[crate::scenario::VarId],
    helpers: &BTreeSet<Helper>,
) -> String {
    let mut text = String::new();
    let group = |rows: &[(String, String)]| match rows {
        [] => String::new(),
        [(name, go_type)] => format!("var {name} {go_type}\n\n"),
        rows => format!("var (\n{})\n\n", columns(rows)),
    };
    let declared = scenario.vars.values().enumerate().filter(|(_, var_type)| **var_type != VarType::Pool);
    let own = declared.map(|(index, var_type)| {
        let name = types.names.var(crate::scenario::VarId(index)).to_owned();
        let text = types.var_text(&name, var_type);
        (name, text)
    });
    text.push_str(&group(&own.collect::<Vec<_>>()));
    if !sinks.is_empty() {
        text.push_str("// Garbage goes here, so that the compiler cannot leave it out; the newest object stays reachable.\n");
        text.push_str(&group(sinks));
    }
    if !released.is_empty() {
        text.push_str("// How many elements at the front of a slice have been released.\n");
        let rows: Vec<(String, String)> = released
            .iter()
            .map(|var| (format!("{}Released", types.names.var(*var)), "int".to_owned()))
            .collect();
        text.push_str(&group(&rows));
    }
    if helpers.contains(&Helper::Found) {
        text.push_str("// found counts the keys that lookups find, so that the compiler cannot leave them out.\nvar found int\n\n");
    }
    text
}

/// Rows that a run of the steps prints.
fn snapshot_count(steps: &[toml::Spanned<Step>]) -> u64 {
    let count = |step: &Step| match step {
        Step::Snapshot(_) => 1,
        Step::Repeat(repeat) => snapshot_count(&repeat.steps).saturating_mul(repeat.times),
        Step::Parallel(tracks) => tracks.iter().map(|track| snapshot_count(track)).sum(),
        _ => 0,
    };
    steps.iter().map(|step| count(step.as_ref())).sum()
}
