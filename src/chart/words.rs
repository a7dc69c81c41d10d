//! What a chart says about a run: its settings and its differences from other runs, in words.

use super::axis::size_text;
use crate::trace::{Config, CycleKind, Trace};

/// One setting in words.
type Setting = fn(&Config) -> String;
/// One setting in words that may say nothing, as `off` does.
type Telling = fn(&Config) -> Option<String>;

/// The settings that are named under every title.
const ALWAYS: [Setting; 4] = [go, gogc, memory_limit, procs];
/// Every setting that can tell two runs apart.
const TELLING: [Telling; 8] = [
    |config| Some(go(config)),
    |config| Some(gogc(config)),
    |config| config.memory_limit_bytes.map(|bytes| format!("limit {}", size_text(bytes))),
    |config| Some(procs(config)),
    container,
    |config| Some(cores(config)),
    |config| Some(madvise(config)),
    |config| Some(format!("seed {}", config.seed)),
];

fn go(config: &Config) -> String {
    format!("Go {}", config.go)
}

fn gogc(config: &Config) -> String {
    format!("GOGC {}", config.gogc_text())
}

fn memory_limit(config: &Config) -> String {
    format!("GOMEMLIMIT {}", config.memory_limit_bytes.map_or_else(|| "off".to_owned(), size_text))
}

fn procs(config: &Config) -> String {
    format!("{} P{}", config.procs, if config.procs == 1 { "" } else { "s" })
}

fn container(config: &Config) -> Option<String> {
    config.machine_memory_bytes.map(|bytes| format!("container {}", size_text(bytes)))
}

fn cores(config: &Config) -> String {
    format!("{} core{}", config.cores, if config.cores == 1 { "" } else { "s" })
}

fn madvise(config: &Config) -> String {
    (if config.madvdontneed { "MADV_DONTNEED" } else { "MADV_FREE" }).to_owned()
}

/// `Go 1.23 · GOGC 100 · GOMEMLIMIT off · 2 Ps`, and the container's limit if there is one.
pub fn settings(config: &Config) -> String {
    let words: Vec<String> = ALWAYS.iter().map(|setting| setting(config)).chain(container(config)).collect();
    words.join(" · ")
}

/// What all of `traces` have in common, as [`settings`] writes it.
pub fn shared_settings(traces: &[Trace]) -> String {
    let config = &traces[0].config;
    let same = |setting: &&Setting| traces.iter().all(|trace| setting(&trace.config) == setting(config));
    let shared_container = container(config).filter(|_| !differs(container, traces));
    let words: Vec<String> =
        ALWAYS.iter().filter(same).map(|setting| setting(config)).chain(shared_container).collect();
    words.join(" · ")
}

fn differs(telling: Telling, traces: &[Trace]) -> bool {
    traces.iter().any(|trace| telling(&trace.config) != telling(&traces[0].config))
}

/// A name for each run that tells it from the others: the settings in which they differ, else their titles, and a
/// number where even those are the same.
pub fn distinct_names(traces: &[Trace]) -> Vec<String> {
    let telling: Vec<Telling> = TELLING.into_iter().filter(|setting| differs(*setting, traces)).collect();
    let name = |trace: &Trace| {
        let words: Vec<String> = telling.iter().filter_map(|setting| setting(&trace.config)).collect();
        match (telling.is_empty(), words.is_empty()) {
            (true, _) => trace.title.clone(),
            (_, true) => "unlimited".to_owned(),
            _ => words.join(" · "),
        }
    };
    let names: Vec<String> = traces.iter().map(name).collect();
    let numbered = |(index, name): (usize, &String)| {
        let same_before = names[..index].iter().filter(|other| *other == name).count();
        let alone = names.iter().filter(|other| *other == name).count() == 1;
        if alone { name.clone() } else { format!("{name} #{}", same_before + 1) }
    };
    names.iter().enumerate().map(numbered).collect()
}

/// `48 GC cycles`, `1 GC: 1 forced`, `13 GCs: 1 forced, 5 timer`.
pub fn cycle_count(trace: &Trace) -> String {
    let count = |kind| trace.cycles.iter().filter(|cycle| cycle.kind == kind).count();
    let (forced, timed) = (count(CycleKind::Forced), count(CycleKind::Time));
    let mut kinds = Vec::new();
    if forced > 0 {
        kinds.push(format!("{forced} forced"));
    }
    if timed > 0 {
        kinds.push(format!("{timed} timer"));
    }
    let total = trace.cycles.len();
    let plural = if total == 1 { "" } else { "s" };
    if kinds.is_empty() {
        format!("{total} GC cycle{plural}")
    } else {
        format!("{total} GC{plural}: {}", kinds.join(", "))
    }
}
