//! The document: title and words, `[go]`, `[machine]`, `[types]`, `[vars]`; steps are read by `read_step`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::mistake::{Log, Mistakes, suggestion};
use super::reader::{Entry, Node, Table};
use super::settings::{GOGC_LIMIT_PERCENT, PROCS_LIMIT};
use super::types::{TYPE_LIMIT_BYTES, TYPES_LIMIT, is_predeclared};
use super::{
    GoSettings, GoType, Gogc, Lock, Machine, MemoryLimit, Scenario, StructType, Typed, Types, VarId, VarType,
    check,
};
use crate::units::{GIB, MIB};
use crate::version::GoVersion;

/// Longest scenario file in bytes. Our limit: shipped ones are 2 KiB.
const FILE_LIMIT_BYTES: usize = 1 << 20;
/// Longest title, question, answer or label in bytes. Our limit.
pub(super) const TEXT_LIMIT_BYTES: usize = 2000;
/// Most memory in bytes that a limit or a machine can have, and that one step can allocate. Our limit.
pub(super) const MEMORY_LIMIT_BYTES: u64 = 1024 * GIB;
/// Most maps that share the keys of one variable. Our limit.
const SHARDS_LIMIT: u64 = 1024;
/// Most variables. Our limit.
const VARS_LIMIT: usize = 256;

/// Reads and checks the text of a scenario file.
pub(super) fn parse(file: &str, text: &str) -> Result<Scenario, Mistakes> {
    let mut log = Log::default();
    if text.len() > FILE_LIMIT_BYTES {
        let accepted = format!("up to {} MiB", FILE_LIMIT_BYTES as u64 / MIB);
        log.report(0..0, "", format!("the file is {} bytes long", text.len()), &accepted);
        return Err(log.into_mistakes(file, "").expect("one was reported"));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let end = text.trim_end().len();
        let span = error.span().unwrap_or(end..end);
        log.report(span, "", format!("this is not TOML: {}", error.message()), "");
    }
    // What a parser guesses behind a syntax error would be reported as mistakes that nobody made.
    if let Some(mistakes) = log.into_mistakes(file, text) {
        return Err(mistakes);
    }
    let mut parser = Parser::default();
    // A key missing from the whole file is shown at its first line.
    let first_line = 0..text.lines().next().map_or(0, str::len);
    let scenario = parser.document(file, Table::new(document.get_ref(), first_line, ""));
    match (parser.log.into_mistakes(file, text), scenario) {
        (None, Some(scenario)) => Ok(scenario),
        (Some(mistakes), _) => Err(mistakes),
        (None, None) => unreachable!("what cannot be read is reported"),
    }
}

/// What is known while a document is read.
#[derive(Debug, Default)]
pub(super) struct Parser {
    pub log: Log,
    /// The Go release of the file.
    pub version: GoVersion,
    pub types: Types,
    /// Names in `[types]` that have no layout: already reported.
    broken_types: BTreeSet<String>,
    pub vars: IndexMap<String, VarType>,
    /// Names in `[vars]` whose types are wrong: already reported.
    broken_vars: BTreeSet<String>,
    /// Variables in steps that could not be read: nothing is known of their contents.
    pub uncertain_vars: BTreeSet<VarId>,
    /// Where each step begins in the text, and its path of keys.
    pub step_paths: BTreeMap<usize, String>,
    /// Steps read so far; a step's number is the default of its seed.
    pub step_count: u64,
}

impl Parser {
    fn document(&mut self, file: &str, mut table: Table<'_>) -> Option<Scenario> {
        let title = self.words(&mut table, "title", "a few words: title = \"Delete a million entries\"");
        let question = self.words(&mut table, "question", "the question that the scenario answers");
        let answer = self.words(&mut table, "answer", "the answer in a sentence or two");
        let machine_node = table.take("machine");
        let machine = self.machine(machine_node);
        let go_node = table.take("go");
        let go = self.go_settings(go_node, machine.cores);
        self.version = go.version;
        let types_node = table.take("types");
        self.types(types_node);
        let vars_node = table.take("vars");
        self.vars(vars_node);
        let steps_node = table.need("steps", "what the program does: steps = [\"gc\"]", &mut self.log);
        let steps = steps_node.and_then(|node| {
            if matches!(node.value, DeValue::Array(array) if array.is_empty()) {
                node.wrong("there are no steps", "at least one step, such as \"gc\"", &mut self.log);
                return None;
            }
            Some(self.steps(&node, 0))
        });
        table.finish(&mut self.log);
        if let Some(steps) = &steps {
            check::check(steps, &self.vars, &self.uncertain_vars, &self.step_paths, &mut self.log);
        }
        Some(Scenario {
            name: Path::new(file).file_stem().map_or(file.into(), |stem| stem.to_string_lossy()).into_owned(),
            title: title?,
            question: question?,
            answer: answer?,
            go,
            machine,
            types: std::mem::take(&mut self.types),
            vars: std::mem::take(&mut self.vars),
            steps: steps?,
        })
    }

    fn words(&mut self, table: &mut Table<'_>, key: &'static str, accepted: &str) -> Option<String> {
        let node = table.need(key, accepted, &mut self.log)?;
        self.line(&node, accepted)
    }

    /// A text that is neither empty nor very long.
    pub fn line(&mut self, node: &Node<'_>, accepted: &str) -> Option<String> {
        let text = node.text(accepted, &mut self.log)?.trim();
        if text.is_empty() {
            node.wrong("is empty", accepted, &mut self.log);
            return None;
        }
        if text.len() > TEXT_LIMIT_BYTES {
            node.wrong("is too long", &format!("up to {TEXT_LIMIT_BYTES} bytes"), &mut self.log);
            return None;
        }
        Some(text.to_owned())
    }

    fn machine(&mut self, node: Option<Node<'_>>) -> Machine {
        let mut machine = Machine { memory_bytes: None, cores: 2 };
        let Some(mut table) =
            node.and_then(|node| node.table("a table: [machine] memory = \"512MiB\"", &mut self.log))
        else {
            return machine;
        };
        if let Some(node) = table.take("memory") {
            machine.memory_bytes = match node.as_text() {
                Some("off") => None,
                _ => node.bytes(MIB..=MEMORY_LIMIT_BYTES, &mut self.log),
            };
        }
        if let Some(cores) =
            table.take("cores").and_then(|node| node.whole(1..=u64::from(PROCS_LIMIT), &mut self.log))
        {
            machine.cores = cores as u32;
        }
        table.finish(&mut self.log);
        machine
    }

    fn go_settings(&mut self, node: Option<Node<'_>>, cores: u32) -> GoSettings {
        let mut go = GoSettings {
            version: GoVersion::default(),
            gogc: Gogc::Percent(100),
            memory_limit: MemoryLimit::Off,
            procs: cores,
            seed: 1,
            madvdontneed: true,
        };
        let Some(mut table) = node.and_then(|node| node.table("a table: [go] gogc = 100", &mut self.log))
        else {
            return go;
        };
        let log = &mut self.log;
        if let Some(version) = table.take("version").and_then(|node| version(&node, log)) {
            go.version = version;
        }
        if let Some(gogc) = table.take("gogc").and_then(|node| gogc(&node, log)) {
            go.gogc = gogc;
        }
        if let Some(limit) = table.take("memory_limit").and_then(|node| memory_limit(&node, log)) {
            go.memory_limit = limit;
        }
        if let Some(procs) = table.take("procs").and_then(|node| node.whole(1..=u64::from(PROCS_LIMIT), log))
        {
            go.procs = procs as u32;
        }
        if let Some(seed) = table.take("seed").and_then(|node| node.whole(0..=i64::MAX as u64, log)) {
            go.seed = seed;
        }
        if let Some(node) = table.take("madvdontneed") {
            match node.value {
                DeValue::Boolean(value) => go.madvdontneed = *value,
                _ => node.wrong_kind("true (MADV_DONTNEED) or false (MADV_FREE)", log),
            }
        }
        table.finish(log);
        go
    }

    fn types(&mut self, node: Option<Node<'_>>) {
        const ACCEPTED: &str = "a table: [types] Session = { size = \"64B\", pointers = 0 }";
        let Some(table) = node.as_ref().and_then(|node| node.table(ACCEPTED, &mut self.log)) else { return };
        let entries = table.into_entries();
        if entries.len() > TYPES_LIMIT {
            let accepted = format!("up to {TYPES_LIMIT} types");
            self.log.report(entries[TYPES_LIMIT].name_span.clone(), "types", "too many types", &accepted);
        }
        let entries = &entries[..entries.len().min(TYPES_LIMIT)];
        let mut structs = IndexMap::new();
        for entry in entries {
            self.identifier(entry);
            if is_predeclared(&entry.name) {
                let reason = format!("\"{}\" is a type of Go itself", entry.name);
                self.log.report(entry.name_span.clone(), &entry.node.path, reason, "another name");
            }
            match self.struct_type(&entry.node) {
                Some(struct_type) => drop(structs.insert(entry.name.clone(), struct_type)),
                None => drop(self.broken_types.insert(entry.name.clone())),
            }
        }
        for entry in entries {
            // A field of an unknown type is reported at the field; what has no layout because of it is not reported again.
            if let Some(StructType::Fields(fields)) = structs.get(&entry.name)
                && fields.values().any(|field| !self.names_are_declared(field, &structs))
            {
                self.report_unknown_fields(&entry.node, &structs);
                self.broken_types.insert(entry.name.clone());
            }
        }
        let (types, failed) = Types::resolve(structs);
        let blameless = !self.broken_types.is_empty();
        self.types = types;
        for (name, reason) in failed {
            let entry = entries.iter().find(|entry| entry.name == name).expect("a declared type");
            if !blameless || reason.contains("itself") || reason.contains("larger") {
                let accepted = "a struct of finite size, such as { next = \"*Node\" } with a pointer";
                entry.node.wrong(reason, accepted, &mut self.log);
            }
            self.broken_types.insert(name);
        }
    }

    fn struct_type(&mut self, node: &Node<'_>) -> Option<StructType> {
        const ACCEPTED: &str =
            "{ size = \"64B\", pointers = 2 } or { fields = { next = \"*Node\", id = \"int\" } }";
        let mut table = node.table(ACCEPTED, &mut self.log)?;
        if let Some(fields) = table.take("fields") {
            let fields = fields.table("a table: { next = \"*Node\", id = \"int\" }", &mut self.log);
            table.finish(&mut self.log);
            let mut read = IndexMap::new();
            let mut whole = true;
            for entry in fields?.into_entries() {
                match self.go_type(&entry.node) {
                    Some(go_type) => drop(read.insert(entry.name, go_type)),
                    None => whole = false,
                }
            }
            return whole.then_some(StructType::Fields(read));
        }
        let size = table.need("size", ACCEPTED, &mut self.log);
        let size_bytes = size.and_then(|node| node.bytes(0..=TYPE_LIMIT_BYTES, &mut self.log));
        let pointers_node = table.take("pointers");
        let pointers = match &pointers_node {
            Some(node) => node.whole(0..=TYPE_LIMIT_BYTES / 8, &mut self.log),
            None => Some(0),
        };
        table.finish(&mut self.log);
        let (size_bytes, pointers) = (size_bytes?, pointers?);
        let opaque = StructType::opaque(size_bytes, pointers);
        if opaque.is_none() {
            let reason = format!("{pointers} pointers do not fit into a struct of {size_bytes} bytes");
            let accepted =
                format!("a size that is a multiple of 8 and at least {} bytes", pointers.saturating_mul(8));
            pointers_node.as_ref().unwrap_or(node).wrong(reason, &accepted, &mut self.log);
        }
        opaque
    }

    fn names_are_declared(&self, go_type: &GoType, structs: &IndexMap<String, StructType>) -> bool {
        go_type.names().iter().all(|name| structs.contains_key(*name) || self.broken_types.contains(*name))
    }

    fn report_unknown_fields(&mut self, node: &Node<'_>, structs: &IndexMap<String, StructType>) {
        let mut quiet = Log::default();
        let fields = node
            .table("", &mut quiet)
            .and_then(|mut table| table.take("fields"))
            .and_then(|fields| fields.table("", &mut quiet));
        for entry in fields.map(Table::into_entries).unwrap_or_default() {
            let Some(go_type) = entry.node.as_text().and_then(|text| GoType::parse(text).ok()) else {
                continue;
            };
            let known: Vec<&str> = structs.keys().chain(&self.broken_types).map(String::as_str).collect();
            for name in go_type.names() {
                if !structs.contains_key(name) && !self.broken_types.contains(name) {
                    report_unknown_type(&entry.node, name, &known, &mut self.log);
                }
            }
        }
    }

    /// The Go type that a text value spells. Names in it may still be unknown.
    pub fn go_type(&mut self, node: &Node<'_>) -> Option<GoType> {
        let text = node.text("a Go type such as \"map[int]*Session\"", &mut self.log)?;
        match GoType::parse(text) {
            Ok(go_type) => Some(go_type),
            Err(error) => {
                self.log.report(node.part_span(error.at), &node.path, error.reason, &error.accepted);
                None
            }
        }
    }

    /// A type whose layout is known; what is wrong with it is reported at `node`.
    pub fn typed(&mut self, go_type: &GoType, node: &Node<'_>) -> Option<Typed> {
        let known: Vec<String> = self.types.structs().keys().chain(&self.broken_types).cloned().collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let mut whole = true;
        for name in go_type.names() {
            if self.broken_types.contains(name) {
                whole = false;
            } else if !known.contains(&name) {
                whole = false;
                report_unknown_type(node, name, &known, &mut self.log);
            }
        }
        if !whole {
            return None;
        }
        match self.types.layout(go_type) {
            Ok(layout) => Some(Typed { go_type: go_type.clone(), layout }),
            Err(reason) => {
                node.wrong(reason, "a smaller type", &mut self.log);
                None
            }
        }
    }

    fn vars(&mut self, node: Option<Node<'_>>) {
        const ACCEPTED: &str = "a table: [vars] sessions = \"map[int]*Session\"";
        let Some(table) = node.and_then(|node| node.table(ACCEPTED, &mut self.log)) else { return };
        let entries = table.into_entries();
        if let Some(extra) = entries.get(VARS_LIMIT) {
            let accepted = format!("up to {VARS_LIMIT} variables");
            self.log.report(extra.name_span.clone(), "vars", "too many variables", &accepted);
        }
        for entry in entries.into_iter().take(VARS_LIMIT) {
            self.identifier(&entry);
            match self.var_type(&entry.node) {
                Some(var_type) => drop(self.vars.insert(entry.name, var_type)),
                None => drop(self.broken_vars.insert(entry.name)),
            }
        }
    }

    fn var_type(&mut self, node: &Node<'_>) -> Option<VarType> {
        if matches!(node.value, DeValue::Table(_)) {
            return self.locked_maps(node);
        }
        match self.go_type(node)? {
            GoType::Named(name) if name == "sync.Map" => Some(VarType::SyncMap),
            GoType::Named(name) if name == "sync.Pool" => Some(VarType::Pool),
            GoType::Map(key, value) => {
                let (key, value) = (self.typed(&key, node), self.typed(&value, node));
                let (key, value) = (key?, value?);
                if !self.types.comparable(&key.go_type) {
                    let reason = format!("{} cannot be a map's key: it has no ==", key.go_type);
                    node.wrong(
                        reason,
                        "a key type with ==, such as int, string or a struct of those",
                        &mut self.log,
                    );
                    return None;
                }
                Some(VarType::Map { key, value })
            }
            GoType::Slice(element) => Some(VarType::Slice { element: self.typed(&element, node)? }),
            GoType::Pointer(target) => Some(VarType::Pointer { target: self.typed(&target, node)? }),
            other => {
                let reason = format!("a variable of type {other} keeps nothing on the heap");
                node.wrong(
                    reason,
                    "a map, a slice, a pointer, sync.Map or sync.Pool: \"map[int]int\", \"[][]byte\", \"*Node\"",
                    &mut self.log,
                );
                None
            }
        }
    }

    /// `{ of = "map[int]int", shards = 16, lock = "sync.RWMutex" }`.
    fn locked_maps(&mut self, node: &Node<'_>) -> Option<VarType> {
        const ACCEPTED: &str = "{ of = \"map[int]int\", shards = 16, lock = \"sync.RWMutex\" }";
        let mut table = node.table(ACCEPTED, &mut self.log)?;
        let of = table.need("of", "the type of each map: of = \"map[int]int\"", &mut self.log);
        let shards = table.take("shards").map_or(Some(1), |node| node.whole(1..=SHARDS_LIMIT, &mut self.log));
        let locks = [("sync.Mutex", Lock::Mutex), ("sync.RWMutex", Lock::RwMutex)];
        let lock = table.take("lock").map_or(Some(Lock::RwMutex), |node| node.choice(&locks, &mut self.log));
        table.finish(&mut self.log);
        let of = of?;
        let GoType::Map(key, value) = self.go_type(&of)? else {
            of.wrong("only maps are kept behind locks", "of = \"map[int]int\"", &mut self.log);
            return None;
        };
        let (key, value) = (self.typed(&key, &of)?, self.typed(&value, &of)?);
        if key.go_type.to_string() != "int" {
            let reason = format!("a key of type {} has no remainder to choose a shard by", key.go_type);
            of.wrong(reason, "keys of type int", &mut self.log);
            return None;
        }
        Some(VarType::Locked { key, value, shards: shards? as u32, lock: lock? })
    }

    /// Names become identifiers of a Go program.
    fn identifier(&mut self, entry: &Entry<'_>) {
        const KEYWORDS: [&str; 25] = [
            "break",
            "case",
            "chan",
            "const",
            "continue",
            "default",
            "defer",
            "else",
            "fallthrough",
            "for",
            "func",
            "go",
            "goto",
            "if",
            "import",
            "interface",
            "map",
            "package",
            "range",
            "return",
            "select",
            "struct",
            "switch",
            "type",
            "var",
        ];
        let name = &entry.name;
        let shaped = !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !shaped || KEYWORDS.contains(&name.as_str()) {
            let reason = format!("\"{name}\" cannot be a name in Go");
            let accepted = "letters, digits and _, not beginning with a digit, and no keyword";
            self.log.report(entry.name_span.clone(), &entry.node.path, reason, accepted);
        }
    }

    /// The variable that a text value names.
    pub fn var(&mut self, node: &Node<'_>) -> Option<VarId> {
        let name = node.text("the name of a variable of [vars]", &mut self.log)?;
        let found = self.vars.get_index_of(name);
        if found.is_none() && !self.broken_vars.contains(name) {
            let known = self.vars.keys().chain(&self.broken_vars).map(String::as_str);
            let accepted = if known.clone().next().is_none() {
                format!("declare it: [vars] {name} = \"map[int]int\"")
            } else {
                suggestion(name, known)
            };
            node.wrong(format!("there is no variable \"{name}\""), &accepted, &mut self.log);
        }
        found.map(VarId)
    }
}

fn report_unknown_type(node: &Node<'_>, name: &str, known: &[&str], log: &mut Log) {
    let at = node.as_text().and_then(|text| text.find(name)).unwrap_or(0);
    let accepted = if known.is_empty() {
        format!("declare it: [types] {name} = {{ size = \"64B\", pointers = 0 }}")
    } else {
        suggestion(name, known.iter().copied())
    };
    let reason = format!("there is no type \"{name}\"");
    log.report(node.part_span(at..at + name.len()), &node.path, reason, &accepted);
}

/// `"1.23"`.
fn version(node: &Node<'_>, log: &mut Log) -> Option<GoVersion> {
    let text = node.text("a version in quotes, such as \"1.23\"", log)?;
    node.parsed(text, log)
}

/// `100` or `"off"`.
pub(super) fn gogc(node: &Node<'_>, log: &mut Log) -> Option<Gogc> {
    match node.as_text() {
        Some(text) => node.parsed(text, log),
        None => {
            node.whole(0..=u64::from(GOGC_LIMIT_PERCENT), log).map(|percent| Gogc::Percent(percent as u32))
        }
    }
}

/// `"64MiB"` or `"off"`.
pub(super) fn memory_limit(node: &Node<'_>, log: &mut Log) -> Option<MemoryLimit> {
    match node.as_text() {
        Some("off") => Some(MemoryLimit::Off),
        _ => node.bytes(1..=MEMORY_LIMIT_BYTES, log).map(MemoryLimit::Bytes),
    }
}
