//! Reading one step: which it is, its variables and its numbers. What belongs to one kind of step lies in a file for its subject.

mod alloc;
mod call;
mod control;
mod keys;
mod maps;
mod objects;
mod slice;
mod sync;

use toml::Spanned;
use toml::de::DeValue;

use super::mistake::suggestion;
use super::parse::{Parser, gogc, memory_limit};
use super::reader::{Node, Table, grouped};
use super::{Release, Step, Typed, VarId, VarType, Written};
use crate::units::SECOND_NS;

/// Most steps in a file. Our limit.
const STEPS_LIMIT: u64 = 10_000;
/// Deepest nesting of `repeat` and `parallel`. Our limit.
const NESTING_LIMIT: usize = 8;
/// Longest single sleep or computation: one year. Our limit.
const LONGEST_NS: u64 = 365 * 24 * 3600 * SECOND_NS;
/// Most objects that one step makes. Our limit.
const OBJECTS_LIMIT: u64 = 1_000_000_000;
/// Most goroutines that one step starts. Our limit.
const GOROUTINES_LIMIT: u64 = 10_000_000;

/// Steps that are written as a bare text.
const BARE_STEPS: [&str; 2] = ["gc", "free-os-memory"];

/// Steps that are written as a table, with an example of each.
const TABLE_STEPS: [(&str, &str); 29] = [
    ("make", "{ make = { var = \"m\", hint = 1_000 } }"),
    ("insert", "{ insert = { var = \"m\", keys = \"0..1_000\" } }"),
    ("lookup", "{ lookup = { var = \"m\", keys = \"0..1_000\" } }"),
    ("delete", "{ delete = { var = \"m\", keys = \"0..1_000\" } }"),
    ("clear", "{ clear = \"m\" }"),
    ("drop", "{ drop = \"m\" }"),
    ("rebuild", "{ rebuild = \"m\" }"),
    ("alloc", "{ alloc = { into = \"list\", count = 1_000 } }"),
    ("garbage", "{ garbage = { bytes = \"64MiB\", size = \"256B\" } }"),
    ("hold", "{ hold = { from = \"m\", keys = \"0..10\", into = \"held\" } }"),
    ("release", "{ release = \"held\" }"),
    ("call", "{ call = { count = 1_000, size = \"64B\", returns = \"pointer\" } }"),
    ("finalize", "{ finalize = { count = 1_000, size = \"1KiB\" } }"),
    ("slice", "{ slice = { from = \"file\", into = \"heads\", len = 64 } }"),
    (
        "serve",
        "{ serve = { duration = \"3s\", rate = 8_000, cpu = \"20us\", objects = 20, size = \"512B\" } }",
    ),
    ("stream", "{ stream = { duration = \"10s\", size = \"1KiB\", alloc = \"100MiB\" } }"),
    ("go", "{ go = { count = 1_000, stack = \"8KiB\" } }"),
    ("exit", "{ exit = 1_000 }"),
    ("sleep", "{ sleep = \"6m\" }"),
    ("compute", "{ compute = \"50ms\" }"),
    ("set-gogc", "{ set-gogc = 50 }"),
    ("set-memory-limit", "{ set-memory-limit = \"64MiB\" }"),
    ("repeat", "{ repeat = { times = 10, steps = [\"gc\"] } }"),
    ("parallel", "{ parallel = [[\"gc\"], [{ sleep = \"1s\" }]] }"),
    ("snapshot", "{ snapshot = \"inserted\" }"),
    ("range", "{ range = \"m\" }"),
    ("get", "{ get = { pool = \"buffers\", size = \"4KiB\" } }"),
    ("put", "{ put = { pool = \"buffers\" } }"),
    // Read as a table too, so that its mistake can say how it is written.
    ("gc", "\"gc\""),
];

const WRITTEN: [(&str, Written); 3] =
    [("all", Written::All), ("first-byte", Written::FirstByte), ("none", Written::None)];

fn step_names() -> impl Iterator<Item = &'static str> + Clone {
    BARE_STEPS.into_iter().chain(TABLE_STEPS.iter().map(|(name, _)| *name).filter(|name| *name != "gc"))
}

fn example(name: &str) -> Option<&'static str> {
    TABLE_STEPS.iter().find(|(step, _)| *step == name).map(|(_, example)| *example)
}

impl Parser {
    /// Reads a list of steps. Steps that cannot be read are left out and reported.
    pub fn steps(&mut self, node: &Node<'_>, depth: usize) -> Vec<Spanned<Step>> {
        let accepted = "a list of steps: [\"gc\", { snapshot = \"after gc\" }]";
        let Some(nodes) = node.array(accepted, &mut self.log) else { return Vec::new() };
        if depth > NESTING_LIMIT {
            node.wrong(
                "steps are nested too deeply",
                &format!("up to {NESTING_LIMIT} levels"),
                &mut self.log,
            );
            return Vec::new();
        }
        let mut steps = Vec::with_capacity(nodes.len());
        for node in nodes {
            self.step_count += 1;
            if self.step_count > STEPS_LIMIT {
                let accepted =
                    format!("up to {} steps; {} repeats some", grouped(STEPS_LIMIT), "{ repeat = ... }");
                node.wrong("the file has too many steps", &accepted, &mut self.log);
                break;
            }
            match self.step(&node, depth) {
                Some(step) => {
                    self.step_paths.insert(node.span.start, format!("{}.{}", node.path, step.name()));
                    steps.push(Spanned::new(node.span.clone(), step));
                }
                None => self.note_uncertain_vars(node.value),
            }
        }
        steps
    }

    /// Nothing is known of a variable that a broken step names.
    fn note_uncertain_vars(&mut self, value: &DeValue<'_>) {
        match value {
            DeValue::String(text) => {
                self.uncertain_vars.extend(self.vars.get_index_of(text.as_ref()).map(VarId));
            }
            DeValue::Array(array) => array.iter().for_each(|v| self.note_uncertain_vars(v.get_ref())),
            DeValue::Table(table) => table.values().for_each(|v| self.note_uncertain_vars(v.get_ref())),
            _ => {}
        }
    }

    fn step(&mut self, node: &Node<'_>, depth: usize) -> Option<Step> {
        if let Some(name) = node.as_text() {
            return self.bare_step(node, name);
        }
        let accepted = "\"gc\", or a table with one step: { snapshot = \"after gc\" }";
        let mut entries = node.table(accepted, &mut self.log)?.into_entries();
        if entries.len() != 1 {
            let reason = match entries.len() {
                0 => "an empty step".to_owned(),
                n => format!("{n} steps in one table"),
            };
            node.wrong(reason, "one step in each pair of braces", &mut self.log);
            return None;
        }
        let entry = entries.remove(0);
        if BARE_STEPS.contains(&entry.name.as_str()) {
            let reason = format!("\"{}\" takes nothing", entry.name);
            node.wrong(reason, &format!("the bare text: \"{}\"", entry.name), &mut self.log);
            return None;
        }
        if example(&entry.name).is_none() {
            let reason = format!("unknown step \"{}\"", entry.name);
            let accepted = suggestion(&entry.name, step_names());
            self.log.report(entry.name_span.clone(), &entry.node.path, reason, &accepted);
            return None;
        }
        self.table_step(&entry.name, &entry.node, depth)
    }

    fn bare_step(&mut self, node: &Node<'_>, name: &str) -> Option<Step> {
        match name {
            "gc" => return Some(Step::Gc),
            "free-os-memory" => return Some(Step::FreeOsMemory),
            _ => {}
        }
        match example(name) {
            Some(example) => {
                node.wrong(
                    format!("\"{name}\" needs to be told more"),
                    &format!("such as {example}"),
                    &mut self.log,
                );
            }
            None => {
                let accepted = suggestion(name, step_names());
                node.wrong(format!("unknown step \"{name}\""), &accepted, &mut self.log);
            }
        }
        None
    }

    fn table_step(&mut self, name: &str, node: &Node<'_>, depth: usize) -> Option<Step> {
        match name {
            "clear" => self.map_itself(node, "clear").map(Step::Clear),
            "range" => self.map_itself(node, "range").map(Step::Range),
            "rebuild" => self.rebuild(node),
            "drop" => self.var_itself(node, "drop").map(Step::Drop),
            "sleep" => node.nanos(LONGEST_NS, &mut self.log).map(Step::Sleep),
            "compute" => node.nanos(LONGEST_NS, &mut self.log).map(Step::Compute),
            "exit" => node.whole(1..=GOROUTINES_LIMIT, &mut self.log).map(Step::Exit),
            "set-gogc" => gogc(node, &mut self.log).map(Step::SetGogc),
            "set-memory-limit" => memory_limit(node, &mut self.log).map(Step::SetMemoryLimit),
            "snapshot" => self.line(node, "a label in quotes: \"inserted\"").map(Step::Snapshot),
            "parallel" => self.parallel(node, depth),
            "release" if node.as_text().is_some() => {
                self.slice(node).map(|(var, _)| Step::Release(Release { var, count: None }))
            }
            _ => {
                let accepted = example(name).unwrap_or_default();
                let mut table = node.table(accepted, &mut self.log)?;
                let before = self.log.len();
                let step = match name {
                    "make" => self.make(&mut table),
                    "insert" => self.insert(&mut table),
                    "lookup" => self.access(&mut table).map(Step::Lookup),
                    "delete" => self.access(&mut table).map(Step::Delete),
                    "alloc" => self.alloc(&mut table, node),
                    "garbage" => self.garbage(&mut table, node),
                    "hold" => self.hold(&mut table),
                    "release" => self.release(&mut table),
                    "call" => self.call(&mut table, node),
                    "finalize" => self.finalize(&mut table, node),
                    "serve" => self.serve(&mut table, node),
                    "stream" => self.stream(&mut table, node),
                    "slice" => self.slice_of(&mut table, node),
                    "go" => self.go(&mut table),
                    "repeat" => self.repeat(&mut table, depth),
                    "get" => self.pool_get(&mut table, node),
                    "put" => self.pool_put(&mut table),
                    other => unreachable!("{other} is no step"),
                };
                table.finish(&mut self.log);
                // A step with an unknown key may mean something else than what was understood.
                step.filter(|step| matches!(step, Step::Repeat(_)) || self.log.len() == before)
            }
        }
    }

    // ---- variables ----

    fn need_var(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<(Place, VarId)> {
        let node = table.need(key, "the name of a variable of [vars]", &mut self.log)?;
        let var = self.var(&node)?;
        Some((Place { span: node.span, path: node.path }, var))
    }

    /// `{ drop = "m" }` or `{ drop = { var = "m" } }`.
    fn var_itself(&mut self, node: &Node<'_>, step: &str) -> Option<VarId> {
        if node.as_text().is_some() {
            return self.var(node);
        }
        let accepted = format!("the name of a variable: {{ {step} = \"m\" }}");
        let mut table = node.table(&accepted, &mut self.log)?;
        let var = self.need_var(&mut table, "var").map(|(_, var)| var);
        table.finish(&mut self.log);
        var
    }

    fn map_itself(&mut self, node: &Node<'_>, step: &str) -> Option<VarId> {
        let var = self.var_itself(node, step)?;
        self.expect_map(&Place { span: node.span.clone(), path: node.path.clone() }, var)?;
        Some(var)
    }

    fn expect_map(&mut self, at: &Place, var: VarId) -> Option<(Typed, Typed)> {
        let (name, var_type) = self.vars.get_index(var.0).expect("a VarId is an index of vars");
        match var_type {
            VarType::Map { key, value } | VarType::Locked { key, value, .. } => {
                return Some((key.clone(), value.clone()));
            }
            VarType::SyncMap => return Some(self.sync_map_types()),
            _ => {}
        }
        let reason = format!("{name} is a {var_type}, not a map");
        let is_map = |var_type: &VarType| {
            matches!(var_type, VarType::Map { .. } | VarType::Locked { .. } | VarType::SyncMap)
        };
        let maps = self.vars.iter().filter(|(_, t)| is_map(t)).map(|(name, _)| name.as_str());
        let accepted = format!("a variable that is a map; there are: {}", list_or_none(maps));
        self.log.report(at.span.clone(), &at.path, reason, &accepted);
        None
    }

    fn need_map(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<(VarId, Typed, Typed)> {
        let (at, var) = self.need_var(table, key)?;
        let (key, value) = self.expect_map(&at, var)?;
        Some((var, key, value))
    }

    pub(super) fn slice(&mut self, node: &Node<'_>) -> Option<(VarId, Typed)> {
        let var = self.var(node)?;
        let (name, var_type) = self.vars.get_index(var.0).expect("a VarId is an index of vars");
        if let VarType::Slice { element } = var_type {
            return Some((var, element.clone()));
        }
        let reason = format!("{name} is a {var_type}, not a slice");
        let slices = self
            .vars
            .iter()
            .filter(|(_, t)| matches!(t, VarType::Slice { .. }))
            .map(|(name, _)| name.as_str());
        let accepted = format!("a variable that is a slice; there are: {}", list_or_none(slices));
        node.wrong(reason, &accepted, &mut self.log);
        None
    }

    // ---- numbers ----

    pub(super) fn need_whole(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let accepted =
            format!("{key} = a whole number from {} to {}", grouped(*range.start()), grouped(*range.end()));
        table.need(key, &accepted, &mut self.log)?.whole(range, &mut self.log)
    }

    pub(super) fn optional_whole(
        &mut self,
        table: &mut Table<'_>,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Option<u64> {
        table.take(key).map_or(Some(default), |node| node.whole(range, &mut self.log))
    }

    pub(super) fn seed(&mut self, table: &mut Table<'_>) -> Option<u64> {
        let default = self.step_count;
        self.optional_whole(table, "seed", 0..=i64::MAX as u64, default)
    }

    fn written(&mut self, table: &mut Table<'_>) -> Option<Written> {
        table.take("written").map_or(Some(Written::All), |node| node.choice(&WRITTEN, &mut self.log))
    }
}

/// The place of a value, for mistakes that are found later.
#[derive(Debug)]
struct Place {
    span: std::ops::Range<usize>,
    path: String,
}

fn list_or_none<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
