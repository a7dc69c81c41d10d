//! Reading one step: its keys, its variables' types, its sizes.

mod keys;
mod sync;

use toml::Spanned;
use toml::de::DeValue;

use super::keys::{KEY_LIMIT, Keys};
use super::mistake::suggestion;
use super::parse::{MEMORY_LIMIT_BYTES, Parser, gogc, memory_limit};
use super::reader::{Node, Table, grouped};
use super::{
    Access, Alloc, Amount, Backing, Finalize, FinalizeKind, Garbage, GoType, Goroutines, Hold, Insert,
    InsertValue, Make, MixPart, Release, Repeat, Shape, Step, Typed, VarId, VarType, Written,
};
use crate::heap::object::Layout;
use crate::units::{Bytes, GIB, KIB, SECOND_NS};

/// Most steps in a file. Our limit.
const STEPS_LIMIT: u64 = 10_000;
/// Deepest nesting of `repeat` and `parallel`. Our limit.
const NESTING_LIMIT: usize = 8;
/// Most tracks of a `parallel`. Our limit.
const TRACKS_LIMIT: usize = 64;
/// Longest single sleep or computation: one year. Our limit.
const LONGEST_NS: u64 = 365 * 24 * 3600 * SECOND_NS;
/// Most objects that one step makes. Our limit.
const OBJECTS_LIMIT: u64 = 1_000_000_000;
/// Most goroutines that one step starts. Our limit.
const GOROUTINES_LIMIT: u64 = 10_000_000;
/// Largest stack of a goroutine (`runtime/proc.go` sets `maxstacksize` to 1 GB).
const STACK_LIMIT_BYTES: u64 = GIB / 2;
/// Smallest stack of a goroutine in bytes (`runtime/stack.go` `stackMin`).
const STACK_MIN_BYTES: u64 = 2 * KIB;

/// Steps that are written as a bare text.
const BARE_STEPS: [&str; 2] = ["gc", "free-os-memory"];

/// Steps that are written as a table, with an example of each.
const TABLE_STEPS: [(&str, &str); 28] = [
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

    // ---- maps ----

    fn make(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let map = self.need_map(table, "var");
        let hint = self.optional_whole(table, "hint", 0..=KEY_LIMIT, 0);
        let map = self.refuse_ready(map, table);
        Some(Step::Make(Make { var: map?.0, hint: hint? }))
    }

    fn access(&mut self, table: &mut Table<'_>) -> Option<Access> {
        let map = self.need_map(table, "var");
        let keys = self.need_keys(table);
        let keys = self.refuse_window(keys, table);
        Some(Access { var: map?.0, keys: keys? })
    }

    fn refuse_window(&mut self, keys: Option<Keys>, table: &Table<'_>) -> Option<Keys> {
        if matches!(keys, Some(Keys::Window { .. })) {
            let reason = "a window inserts and deletes, so only insert can have one";
            self.log.report(table.span.clone(), &table.path, reason, "keys = \"0..1_000\"");
            return None;
        }
        keys
    }

    fn insert(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let map = self.need_map(table, "var");
        let keys = self.need_keys(table);
        let keys = match &map {
            Some((var, ..)) if self.vars[var.0].is_concurrent() => self.refuse_window(keys, table),
            _ => keys,
        };
        let value_node = table.take("value");
        let size = self.payload(table, map.as_ref().map(|(_, _, value)| value));
        let written_node = table.take("written");
        let written =
            written_node.as_ref().map_or(Some(Written::All), |node| node.choice(&WRITTEN, &mut self.log));
        let key_size = table.take("key_size");
        let (var, key_type, value_type) = map?;
        let key_text = match key_size {
            None => Some(None),
            Some(node) if key_type.go_type == GoType::String => {
                node.bytes(1..=GIB, &mut self.log).map(|bytes| Some(Layout::noscan(bytes)))
            }
            Some(node) => {
                let reason = format!("keys of type {} have no text", key_type.go_type);
                node.wrong(reason, "leave it out: key_size is for string keys", &mut self.log);
                None
            }
        };
        let plain = value_node.is_none() && size == Some(None);
        let value = match self.vars[var.0] {
            VarType::SyncMap if plain => Some(InsertValue::Zero),
            _ => self.insert_value(value_node.as_ref(), &value_type, size?, written?, table),
        };
        if let (Some(node), Some(value)) = (&written_node, &value)
            && !matches!(value, InsertValue::New { .. })
        {
            let accepted = "leave it out: written is for fresh objects that the map points to";
            node.wrong("no object is made here", accepted, &mut self.log);
        }
        Some(Step::Insert(Insert { var, keys: keys?, value: value?, key_text: key_text? }))
    }

    /// `size = "1KiB"` or `len = 8`: how large the object behind a slice or string is.
    fn payload(&mut self, table: &mut Table<'_>, value: Option<&Typed>) -> Option<Option<Layout>> {
        let (size, len) = (table.take("size"), table.take("len"));
        let element = match value.map(|value| &value.go_type) {
            Some(GoType::Slice(element)) => {
                let element = (**element).clone();
                let node = size.as_ref().or(len.as_ref());
                node.and_then(|node| self.typed(&element, node))
            }
            _ => None,
        };
        match (size, len) {
            (None, None) => Some(None),
            (Some(_), Some(len)) => {
                len.wrong("size and len say the same thing twice", "one of them", &mut self.log);
                None
            }
            (Some(size), None) => {
                let bytes = size.bytes(1..=MEMORY_LIMIT_BYTES, &mut self.log)?;
                if let Some(element) = element.filter(|element| element.layout.size_bytes != 1) {
                    let reason = format!("a slice of {} is measured in elements", element.go_type);
                    size.wrong(reason, "len = 8", &mut self.log);
                    return None;
                }
                Some(Some(Layout::noscan(bytes)))
            }
            (None, Some(len)) => {
                let length = len.whole(1..=OBJECTS_LIMIT, &mut self.log)?;
                let Some(element) = element else {
                    if value.is_some() {
                        len.wrong("only a slice has a len", "size = \"1KiB\"", &mut self.log);
                    }
                    return None;
                };
                let array = element.layout.array(length).filter(|a| a.size_bytes <= MEMORY_LIMIT_BYTES);
                if array.is_none() || element.layout.size_bytes == 0 {
                    len.wrong(
                        "the backing array has no size or too large a one",
                        "a shorter slice",
                        &mut self.log,
                    );
                    return None;
                }
                Some(array)
            }
        }
    }

    fn insert_value(
        &mut self,
        node: Option<&Node<'_>>,
        value: &Typed,
        payload: Option<Layout>,
        written: Written,
        table: &Table<'_>,
    ) -> Option<InsertValue> {
        if let Some(node) = node
            && node.as_text().is_none()
        {
            let mut choice = node.table("\"new\", \"zero\" or { shared = \"other\" }", &mut self.log)?;
            let from = choice.need("shared", "{ shared = \"other\" }", &mut self.log);
            choice.finish(&mut self.log);
            return self.shared_value(&from?, value);
        }
        let points = matches!(
            value.go_type,
            GoType::Pointer(_) | GoType::Slice(_) | GoType::String | GoType::Interface
        );
        let new = match node {
            Some(node) => node.choice(&[("new", true), ("zero", false)], &mut self.log)?,
            None => points,
        };
        let at = node.map_or(table.span.clone(), |node| node.span.clone());
        let path = node.map_or(&table.path, |node| &node.path);
        if !new {
            return Some(InsertValue::Zero);
        }
        if !points {
            let reason = format!("a value of type {} lies in the map: nothing new is made", value.go_type);
            self.log.report(at, path, reason, "\"zero\", or leave it out");
            return None;
        }
        if let (GoType::Pointer(target), None) = (&value.go_type, payload) {
            let place = Node { value: &DeValue::Boolean(true), span: at.clone(), path: path.clone() };
            let target = self.typed(target, &place)?;
            if target.layout.size_bytes == 0 {
                let reason = format!("a {} has no size: Go makes no object for it", target.go_type);
                self.log.report(at, path, reason, "value = \"zero\"");
                return None;
            }
            return Some(InsertValue::New { object: target.layout.object(), written });
        }
        match (payload, &value.go_type) {
            (Some(_), GoType::Pointer(_)) => {
                let reason = format!("the size of a {} is known from its type", value.go_type);
                self.log.report(at, path, reason, "leave size out");
                None
            }
            (Some(object), _) => Some(InsertValue::New { object, written }),
            (None, go_type) => {
                let reason = format!("how large is what each {go_type} refers to?");
                self.log.report(at, path, reason, "size = \"1KiB\" or len = 8; or value = \"zero\" for nil");
                None
            }
        }
    }

    fn shared_value(&mut self, node: &Node<'_>, value: &Typed) -> Option<InsertValue> {
        let from = self.var(node)?;
        let (name, from_type) = self.vars.get_index(from.0).expect("a VarId is an index of vars");
        let offered = match from_type {
            VarType::Map { value, .. } => value.go_type.clone(),
            VarType::Slice { element } => element.go_type.clone(),
            VarType::Pointer { target } => GoType::Pointer(Box::new(target.go_type.clone())),
            VarType::SyncMap | VarType::Pool | VarType::Locked { .. } => {
                let reason = format!("{name} is a {from_type}, whose values are not shared here");
                node.wrong(reason, "a map, a slice or a pointer", &mut self.log);
                return None;
            }
        };
        if offered != value.go_type {
            let reason = format!("{name} offers {offered}, but the map's values are {}", value.go_type);
            let accepted = format!("a map or slice of {0}, or a variable of type {0}", value.go_type);
            node.wrong(reason, &accepted, &mut self.log);
            return None;
        }
        if value.layout.pointer_slots == 0 {
            let reason = format!("values of type {} are copied, not shared", value.go_type);
            node.wrong(reason, "value = \"zero\"", &mut self.log);
            return None;
        }
        Some(InsertValue::Shared(from))
    }

    fn hold(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let map = self.need_map(table, "from");
        let map = self.refuse_concurrent(map, table);
        let keys = self.need_keys(table);
        let keys = self.refuse_window(keys, table);
        let into = table.need("into", "the name of a slice of [vars]", &mut self.log);
        let into = into.and_then(|node| Some((self.slice(&node)?, node)));
        let ((from, _, value), ((into, element), into_node)) = (map?, into?);
        if element.go_type != value.go_type {
            let reason = format!("{} values do not fit into a []{}", value.go_type, element.go_type);
            into_node.wrong(reason, &format!("a variable of type []{}", value.go_type), &mut self.log);
            return None;
        }
        if value.layout.pointer_slots == 0 {
            let reason = format!("values of type {} are copied: a copy keeps nothing alive", value.go_type);
            into_node.wrong(reason, "a map whose values are pointers, slices or strings", &mut self.log);
            return None;
        }
        Some(Step::Hold(Hold { from, keys: keys?, into }))
    }

    fn release(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let var = table.need("var", "the name of a slice of [vars]", &mut self.log);
        let var = var.and_then(|node| self.slice(&node));
        let count = match table.take("count") {
            Some(node) => Some(node.whole(1..=KEY_LIMIT, &mut self.log)?),
            None => None,
        };
        Some(Step::Release(Release { var: var?.0, count }))
    }

    // ---- objects ----

    /// `size = "256B"` or `type = "Node"`; `None` in the middle when neither is given.
    pub(super) fn object(&mut self, table: &mut Table<'_>) -> Option<Option<Typed>> {
        let (size, go_type) = (table.take("size"), table.take("type"));
        match (size, go_type) {
            (None, None) => Some(None),
            (Some(_), Some(go_type)) => {
                go_type.wrong("size and type are both given", "one of them", &mut self.log);
                None
            }
            (Some(size), None) => {
                let bytes = size.bytes(1..=GIB, &mut self.log)?;
                let byte = GoType::parse("byte").expect("byte is a type");
                let go_type = GoType::Array(bytes, Box::new(byte));
                self.typed(&go_type, &size).map(Some)
            }
            (None, Some(node)) => {
                let go_type = self.go_type(&node)?;
                let typed = self.typed(&go_type, &node)?;
                if typed.layout.size_bytes == 0 {
                    let reason = format!("a {go_type} has no size: Go makes no object for it");
                    node.wrong(reason, "a type with a size", &mut self.log);
                    return None;
                }
                Some(Some(typed))
            }
        }
    }

    fn alloc(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let into = table.need("into", "the variable that keeps the objects", &mut self.log);
        let into = into.and_then(|node| Some((self.var(&node)?, node)));
        let count = self.need_whole(table, "count", 1..=OBJECTS_LIMIT);
        let object = self.object(table);
        let shape = self.shape(table);
        let written = self.written(table);
        let ((into, into_node), count, object, shape) = (into?, count?, object?, shape?);
        let var_type = self.vars[into.0].clone();
        let (object, shape) = match var_type {
            VarType::Map { .. } | VarType::SyncMap | VarType::Pool | VarType::Locked { .. } => {
                let accepted = "a slice or a pointer; insert fills maps";
                into_node.wrong("a map cannot keep these objects", accepted, &mut self.log);
                return None;
            }
            VarType::Slice { element } => self.slice_objects(node, &element, object, shape)?,
            VarType::Pointer { target } => self.linked_objects(node, &target, object, shape, count)?,
        };
        let (go_type, object) = (object.go_type, object.layout.object());
        let total_bytes = object.size_bytes.checked_mul(count).filter(|bytes| *bytes <= MEMORY_LIMIT_BYTES);
        if total_bytes.is_none() {
            let reason = format!("{} objects of {} are too many", grouped(count), Bytes(object.size_bytes));
            node.wrong(reason, &format!("up to {} in one step", Bytes(MEMORY_LIMIT_BYTES)), &mut self.log);
        }
        Some(Step::Alloc(Alloc { into, count, object, go_type, shape, written: written? }))
    }

    fn shape(&mut self, table: &mut Table<'_>) -> Option<AskedShape> {
        let shape_node = table.take("shape");
        let backing_node = table.take("backing");
        let (degree_node, seed_node) = (table.take("degree"), table.take("seed"));
        let choices = [
            ("slice", ShapeName::Slice),
            ("list", ShapeName::List),
            ("tree", ShapeName::Tree),
            ("graph", ShapeName::Graph),
        ];
        let name = match &shape_node {
            Some(node) => Some(node.choice(&choices, &mut self.log)?),
            None => None,
        };
        let backings = [("append", Backing::Append), ("presized", Backing::Presized)];
        let backing = match &backing_node {
            Some(node) => Some(node.choice(&backings, &mut self.log)?),
            None => None,
        };
        if name != Some(ShapeName::Graph) {
            for node in [&degree_node, &seed_node].into_iter().flatten() {
                node.wrong("only a graph has this", "shape = \"graph\", or leave it out", &mut self.log);
            }
        }
        let degree = degree_node.map_or(Some(2), |node| node.whole(1..=1024, &mut self.log))?;
        let default_seed = self.step_count;
        let seed =
            seed_node.map_or(Some(default_seed), |node| node.whole(0..=i64::MAX as u64, &mut self.log))?;
        Some(AskedShape { name, backing, degree: degree as u32, seed })
    }

    fn slice_objects(
        &mut self,
        node: &Node<'_>,
        element: &Typed,
        object: Option<Typed>,
        asked: AskedShape,
    ) -> Option<(Typed, Shape)> {
        let log = &mut self.log;
        if let Some(ShapeName::List | ShapeName::Tree) = asked.name {
            let accepted = "a variable that is a pointer, such as \"*Node\", or shape = \"slice\"";
            node.wrong("a slice cannot be the head of a list or tree", accepted, log);
            return None;
        }
        let object = match (&element.go_type, object) {
            (GoType::Pointer(target), None) => {
                let target = (**target).clone();
                self.typed(&target, node)?
            }
            (GoType::Pointer(target), Some(object)) if **target != object.go_type && !is_bytes(&object) => {
                let reason = format!("a {} does not fit behind a {}", object.go_type, element.go_type);
                node.wrong(reason, &format!("type = \"{target}\", or leave it out"), log);
                return None;
            }
            (GoType::Slice(_) | GoType::String | GoType::Interface | GoType::Pointer(_), Some(object)) => {
                object
            }
            (GoType::Slice(_) | GoType::String | GoType::Interface, None) => {
                let reason = format!("how large is what each {} refers to?", element.go_type);
                node.wrong(reason, "size = \"64KiB\"", log);
                return None;
            }
            (go_type, object) => {
                let plain = object.is_none() && asked.backing.is_none() && asked.name.is_none();
                if !plain {
                    let reason = format!("elements of type {go_type} lie in the slice itself");
                    node.wrong(reason, "into and count alone", log);
                    return None;
                }
                if element.layout.size_bytes == 0 {
                    node.wrong(format!("a {go_type} has no size"), "a slice of something with a size", log);
                    return None;
                }
                return Some((element.clone(), Shape::InPlace));
            }
        };
        if object.layout.size_bytes == 0 {
            let reason = format!("a {} has no size: Go makes no object for it", object.go_type);
            node.wrong(reason, "a type with a size", &mut self.log);
            return None;
        }
        if asked.name == Some(ShapeName::Graph) {
            self.need_slots(node, &object, asked.degree, "graph")?;
            return Some((object, Shape::Graph { degree: asked.degree, seed: asked.seed }));
        }
        Some((object, Shape::Slice(asked.backing.unwrap_or_default())))
    }

    fn linked_objects(
        &mut self,
        node: &Node<'_>,
        target: &Typed,
        object: Option<Typed>,
        asked: AskedShape,
        count: u64,
    ) -> Option<(Typed, Shape)> {
        if asked.backing.is_some() {
            node.wrong("only a slice has a backing array", "leave backing out", &mut self.log);
            return None;
        }
        if let Some(object) = object.filter(|object| object.go_type != target.go_type) {
            let reason = format!("a {} does not fit behind a *{}", object.go_type, target.go_type);
            let accepted = format!("type = \"{}\", or leave size and type out", target.go_type);
            node.wrong(reason, &accepted, &mut self.log);
            return None;
        }
        if target.layout.size_bytes == 0 {
            let reason = format!("a {} has no size: Go makes no object for it", target.go_type);
            node.wrong(reason, "a type with a size", &mut self.log);
            return None;
        }
        let shape = match asked.name {
            None if count == 1 => Shape::One,
            None | Some(ShapeName::List) => {
                self.need_slots(node, target, 1, "list")?;
                Shape::List
            }
            Some(ShapeName::Tree) => {
                self.need_slots(node, target, 2, "tree")?;
                Shape::Tree
            }
            Some(ShapeName::Slice | ShapeName::Graph) => {
                let accepted = format!("a variable of type []*{}", target.go_type);
                node.wrong("a pointer cannot keep a slice or graph", &accepted, &mut self.log);
                return None;
            }
        };
        Some((target.clone(), shape))
    }

    fn need_slots(&mut self, node: &Node<'_>, object: &Typed, slots: u32, shape: &str) -> Option<()> {
        if object.layout.pointer_slots >= slots {
            return Some(());
        }
        let reason = format!(
            "a {shape} needs {slots} pointers in each object, {} has {}",
            object.go_type, object.layout.pointer_slots
        );
        node.wrong(reason, &format!("a type with at least {slots} pointers"), &mut self.log);
        None
    }

    fn garbage(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let bytes = table.take("bytes").map(|node| node.bytes(1..=MEMORY_LIMIT_BYTES, &mut self.log));
        let count = table.take("count").map(|node| node.whole(1..=10 * OBJECTS_LIMIT, &mut self.log));
        let object = self.object(table);
        let mix_node = table.take("mix");
        let mix = mix_node.as_ref().map(|node| self.mix(node));
        let written = self.written(table);
        let seed = self.seed(table);
        let amount = match (bytes, count) {
            (Some(bytes), None) => Amount::Bytes(bytes?),
            (None, Some(count)) => Amount::Count(count?),
            _ => {
                let reason = "how much garbage?";
                node.wrong(reason, "one of bytes = \"4GiB\" and count = 1_000_000", &mut self.log);
                return None;
            }
        };
        let mix = match (object?, mix) {
            (Some(object), None) => vec![mix_part(object, 1)],
            (None, Some(mix)) => mix?,
            _ => {
                let accepted =
                    "one of size = \"256B\", type = \"Node\" and mix = [{ size = \"64B\", weight = 3 }, ...]";
                node.wrong("garbage of what?", accepted, &mut self.log);
                return None;
            }
        };
        Some(Step::Garbage(Garbage { amount, mix, written: written?, seed: seed? }))
    }

    fn mix(&mut self, node: &Node<'_>) -> Option<Vec<MixPart>> {
        const ACCEPTED: &str = "a list: [{ size = \"64B\", weight = 3 }, { type = \"Node\", weight = 1 }]";
        let nodes = node.array(ACCEPTED, &mut self.log)?;
        if nodes.is_empty() || nodes.len() > 256 {
            node.wrong("a mix has 1 to 256 parts", ACCEPTED, &mut self.log);
            return None;
        }
        let parts: Vec<Option<MixPart>> = nodes
            .iter()
            .map(|node| {
                let mut table = node.table("{ size = \"64B\", weight = 3 }", &mut self.log)?;
                let object = self.object(&mut table);
                let weight = self.optional_whole(&mut table, "weight", 1..=1_000_000, 1);
                table.finish(&mut self.log);
                let Some(object) = object? else {
                    node.wrong("what is this part?", "size = \"64B\" or type = \"Node\"", &mut self.log);
                    return None;
                };
                Some(mix_part(object, weight? as u32))
            })
            .collect();
        parts.into_iter().collect()
    }

    fn finalize(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let count = self.need_whole(table, "count", 1..=OBJECTS_LIMIT);
        let object = self.object(table);
        let kind = table.take("kind");
        let chain_node = table.take("chain");
        let chain = chain_node.as_ref().map_or(Some(1), |node| node.whole(1..=1_000_000, &mut self.log));
        let written = self.written(table);
        let kind = match &kind {
            Some(node) => self.finalize_kind(node)?,
            None => FinalizeKind::Finalizer,
        };
        let Some(object) = object? else {
            node.wrong("objects of what size?", "size = \"1KiB\" or type = \"Node\"", &mut self.log);
            return None;
        };
        let chain = chain?;
        let mut layout = object.layout.object();
        if chain > 1 && layout.is_noscan() {
            if layout.size_bytes < 8 || !is_bytes(&object) {
                let accepted = "a type with a pointer, or a size of at least 8B";
                node.wrong("an object of a chain points to the next", accepted, &mut self.log);
                return None;
            }
            // An object given by its size alone is a struct whose first word is the link.
            layout = Layout::scan(layout.size_bytes, 1, 8);
        }
        let go_type = object.go_type;
        Some(Step::Finalize(Finalize {
            kind,
            count: count?,
            object: layout,
            go_type,
            chain,
            written: written?,
        }))
    }

    fn finalize_kind(&mut self, node: &Node<'_>) -> Option<FinalizeKind> {
        let kinds = [
            ("finalizer", FinalizeKind::Finalizer),
            ("cleanup", FinalizeKind::Cleanup),
            ("weak", FinalizeKind::Weak),
        ];
        let kind = node.choice(&kinds, &mut self.log)?;
        if let Some(function) = kind.since_cleanups().filter(|_| !self.version.has_cleanups()) {
            let reason = format!("Go {} has no {function}", self.version);
            let accepted = "kind = \"finalizer\", or [go] version = \"1.24\" or newer";
            node.wrong(reason, accepted, &mut self.log);
            return None;
        }
        Some(kind)
    }

    // ---- goroutines and time ----

    fn go(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let count = self.need_whole(table, "count", 1..=GOROUTINES_LIMIT);
        let stack = match table.take("stack") {
            Some(node) => node.bytes(1..=STACK_LIMIT_BYTES, &mut self.log),
            None => Some(STACK_MIN_BYTES),
        };
        let stack_bytes = stack?.next_power_of_two().max(STACK_MIN_BYTES);
        Some(Step::Go(Goroutines { count: count?, stack_bytes }))
    }

    fn repeat(&mut self, table: &mut Table<'_>, depth: usize) -> Option<Step> {
        let times = self.need_whole(table, "times", 1..=1_000_000_000);
        let steps = table.need("steps", "steps = [\"gc\"]", &mut self.log)?;
        let read = self.steps(&steps, depth + 1);
        Some(Step::Repeat(Repeat { times: times?, steps: read }))
    }

    fn parallel(&mut self, node: &Node<'_>, depth: usize) -> Option<Step> {
        const ACCEPTED: &str = "a list of tracks, each a list of steps: [[\"gc\"], [{ sleep = \"1s\" }]]";
        let tracks = match node.value {
            DeValue::Table(_) => {
                let mut table = node.table(ACCEPTED, &mut self.log)?;
                let tracks = table.need("tracks", ACCEPTED, &mut self.log);
                table.finish(&mut self.log);
                tracks?.array(ACCEPTED, &mut self.log)?
            }
            _ => node.array(ACCEPTED, &mut self.log)?,
        };
        if tracks.is_empty() || tracks.len() > TRACKS_LIMIT {
            node.wrong(
                format!("{} tracks", tracks.len()),
                &format!("1 to {TRACKS_LIMIT} tracks"),
                &mut self.log,
            );
            return None;
        }
        Some(Step::Parallel(tracks.iter().map(|track| self.steps(track, depth + 1)).collect()))
    }
}

/// The place of a value, for mistakes that are found later.
#[derive(Debug)]
struct Place {
    span: std::ops::Range<usize>,
    path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ShapeName {
    Slice,
    List,
    Tree,
    Graph,
}

/// What an `alloc` step says about its shape.
#[derive(Clone, Copy, Debug)]
struct AskedShape {
    name: Option<ShapeName>,
    backing: Option<Backing>,
    degree: u32,
    seed: u64,
}

fn mix_part(object: Typed, weight: u32) -> MixPart {
    MixPart { object: object.layout.object(), go_type: object.go_type, weight }
}

/// Whether an object was given by its size alone.
fn is_bytes(object: &Typed) -> bool {
    matches!(&object.go_type, GoType::Array(_, element) if element.to_string() == "byte")
}

fn list_or_none<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
