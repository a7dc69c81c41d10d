//! Types and new objects: struct declarations with the layout that the scenario gives, and functions that make an object
//! and write as much of it as the scenario says.
//!
//! A type given as `{ size, pointers }` becomes a struct of pointers and bytes. How its pointers are called follows from
//! what the steps do with it: `next` in a list, `left` and `right` in a tree, `links` in a graph, `refs` otherwise.

use indexmap::IndexMap;

use super::code::{Code, columns, grouped};
use super::names::{Names, field};
use super::{Helper, Unwritable};
use crate::scenario::{GoType, Scenario, Shape, Step, StructType, Types, VarType, Written};

/// How the steps link objects of a type.
#[derive(Clone, Copy, Debug, Default)]
struct Links {
    list: bool,
    tree: bool,
    /// Most pointers of a graph's node.
    degree: u64,
}

/// A function that makes objects.
#[derive(Debug)]
struct Maker {
    name: String,
    text: String,
}

/// The program's types and the functions that make objects.
#[derive(Debug)]
pub(super) struct GoTypes<'s> {
    types: &'s Types,
    pub(super) names: Names,
    links: IndexMap<String, Links>,
    /// Structs that the scenario does not name, by name.
    extra: IndexMap<String, String>,
    /// Functions that make objects, by name.
    makers: IndexMap<String, Maker>,
    pub(super) helpers: Vec<Helper>,
}

impl<'s> GoTypes<'s> {
    pub(super) fn new(scenario: &'s Scenario, names: Names) -> GoTypes<'s> {
        let mut links = IndexMap::new();
        note_links(scenario.steps.iter().map(toml::Spanned::get_ref), &mut links);
        GoTypes {
            types: &scenario.types,
            names,
            links,
            extra: IndexMap::new(),
            makers: IndexMap::new(),
            helpers: Vec::new(),
        }
    }

    /// The type as the program writes it.
    pub(super) fn text(&self, go_type: &GoType) -> String {
        match go_type {
            GoType::Named(name) => self.names.named(name).to_owned(),
            GoType::Pointer(target) => format!("*{}", self.text(target)),
            GoType::Slice(element) => format!("[]{}", self.text(element)),
            GoType::Channel(element) => format!("chan {}", self.text(element)),
            GoType::Array(length, element) => format!("[{length}]{}", self.text(element)),
            GoType::Map(key, value) => format!("map[{}]{}", self.text(key), self.text(value)),
            plain => plain.to_string(),
        }
    }

    /// The type of a variable.
    pub(super) fn var_text(&self, name: &str, var_type: &VarType) -> String {
        match var_type {
            VarType::Map { key, value } => {
                format!("map[{}]{}", self.text(&key.go_type), self.text(&value.go_type))
            }
            VarType::Slice { element } => format!("[]{}", self.text(&element.go_type)),
            VarType::Pointer { target } => format!("*{}", self.text(&target.go_type)),
            VarType::SyncMap => "sync.Map".to_owned(),
            VarType::Pool => "sync.Pool".to_owned(),
            VarType::Locked { shards: 1, .. } => format!("{name}Shard"),
            VarType::Locked { shards, .. } => format!("[{shards}]{name}Shard"),
        }
    }

    /// Adds a type's declaration.
    pub(super) fn declare(&mut self, name: &str, text: String) {
        self.extra.insert(name.to_owned(), text);
    }

    /// Has a helper written.
    pub(super) fn need(&mut self, helper: Helper) {
        self.helpers.push(helper);
    }

    /// Declarations of all structs.
    pub(super) fn declarations(&self) -> String {
        let mut text = String::new();
        for (name, declared) in self.types.structs() {
            let name_text = self.names.named(name);
            let fields = self.fields(name, declared);
            match fields.is_empty() {
                true => text.push_str(&format!("type {name_text} struct{{}}\n\n")),
                false => text.push_str(&format!("type {name_text} struct {{\n{}}}\n\n", columns(&fields))),
            }
        }
        self.extra.values().for_each(|declaration| text.push_str(declaration));
        text
    }

    /// Functions that make objects.
    pub(super) fn makers(&self) -> String {
        self.makers.values().map(|maker| format!("\n{}", maker.text)).collect()
    }

    fn fields(&self, name: &str, declared: &StructType) -> Vec<(String, String)> {
        match declared {
            StructType::Fields(fields) => {
                fields.iter().map(|(name, go_type)| (field(name), self.text(go_type))).collect()
            }
            StructType::Opaque(layout) => {
                let pointers = u64::from(layout.pointer_slots);
                let own = format!("*{}", self.names.named(name));
                let mut rows: Vec<(String, String)> = Vec::new();
                let linked = self.link_fields(name);
                if let [only] = linked.as_slice()
                    && only.contains('[')
                {
                    let count = self.link_count(name);
                    rows.push(("links".to_owned(), format!("[{count}]{own}")));
                } else {
                    rows.extend(linked.iter().map(|name| (name.clone(), own.clone())));
                }
                let rest = pointers - self.link_count(name);
                if rest > 0 {
                    rows.push(("refs".to_owned(), format!("[{rest}]*byte")));
                }
                let data_bytes = layout.size_bytes - 8 * pointers;
                if data_bytes > 0 {
                    if pointers == 0 && layout.align_bytes > 1 && self.is_embedded(name) {
                        rows.push(("_".to_owned(), format!("[0]uint{}", 8 * layout.align_bytes)));
                    }
                    rows.push(("data".to_owned(), format!("[{data_bytes}]byte")));
                }
                rows
            }
        }
    }

    /// Whether another struct holds a value of the type, so that its alignment shows.
    fn is_embedded(&self, name: &str) -> bool {
        self.types.structs().values().any(|declared| match declared {
            StructType::Fields(fields) => fields.values().any(|field| field.names().contains(&name)),
            StructType::Opaque(_) => false,
        })
    }

    fn link_count(&self, name: &str) -> u64 {
        self.links
            .get(name)
            .map_or(0, |links| links.degree.max(if links.tree { 2 } else { u64::from(links.list) }))
    }

    /// Fields of an opaque struct that link: one `links[...]`, or names.
    fn link_fields(&self, name: &str) -> Vec<String> {
        match self.links.get(name) {
            None => vec![],
            Some(Links { list: true, tree: false, degree: 0 }) => vec!["next".to_owned()],
            Some(Links { list: false, tree: true, degree: 0 }) => vec!["left".to_owned(), "right".to_owned()],
            Some(_) => vec!["links[]".to_owned()],
        }
    }

    /// Selectors of the first `count` fields that can point to another object of the type: `next`, `links[0]`.
    pub(super) fn selectors(&self, go_type: &GoType, count: usize) -> Result<Vec<String>, Unwritable> {
        let mut found = Vec::new();
        if let GoType::Named(name) = go_type {
            match self.types.structs().get(name) {
                Some(StructType::Fields(fields)) => {
                    let own = GoType::Pointer(Box::new(go_type.clone()));
                    for (name, of_field) in fields {
                        let name = field(name);
                        match of_field {
                            GoType::Array(length, element) if **element == own => {
                                let room = (count as u64).min(*length);
                                found.extend((0..room).map(|index| format!("{name}[{index}]")));
                            }
                            plain if *plain == own || *plain == GoType::Interface => found.push(name),
                            _ => {}
                        }
                    }
                }
                Some(StructType::Opaque(_)) => match self.link_fields(name).as_slice() {
                    [only] if only.contains('[') => {
                        found.extend((0..self.link_count(name)).map(|index| format!("links[{index}]")));
                    }
                    names => found.extend(names.iter().cloned()),
                },
                None => {}
            }
        }
        if found.len() < count {
            let reason =
                format!("objects of type {go_type} need {count} fields of type *{go_type} to be linked");
            return Err(Unwritable::new(reason));
        }
        found.truncate(count);
        Ok(found)
    }

    /// A struct of `size_bytes` whose first word points to another such struct.
    pub(super) fn link_struct(&mut self, size_bytes: u64) -> GoType {
        let key = format!("Link{size_bytes}");
        if !self.extra.contains_key(&key) {
            let mut rows = vec![("next".to_owned(), format!("*{key}"))];
            if size_bytes > 8 {
                rows.push(("data".to_owned(), format!("[{}]byte", size_bytes - 8)));
            }
            self.extra.insert(key.clone(), format!("type {key} struct {{\n{}}}\n\n", columns(&rows)));
        }
        GoType::Named(key)
    }

    /// An expression that makes a `T`: `new(T)`, or a call of a function that writes it as well.
    pub(super) fn new_object(&mut self, go_type: &GoType, written: Written) -> String {
        let plain = format!("new({})", self.text(go_type));
        let mut code = Code::body();
        let wrote = self.write("p", go_type, written, &mut code);
        if !wrote {
            return plain;
        }
        let type_text = self.text(go_type);
        let name = self.maker(&type_text, written, |name, what| {
            let head =
                format!("// {name} makes a {type_text} and writes {what}.\nfunc {name}() *{type_text} {{\n");
            format!("{head}\tp := {plain}\n{}\treturn p\n}}\n", code.text())
        });
        format!("{name}()")
    }

    /// An expression that makes a `[]T`.
    pub(super) fn new_slice(&mut self, element: &GoType, length: u64, written: Written) -> String {
        let count = grouped(length);
        let plain = format!("make([]{}, {count})", self.text(element));
        if is_byte(element) {
            return self.new_bytes(length, written);
        }
        let mut code = Code::body();
        let wrote = match written {
            Written::None => false,
            Written::FirstByte => self.write("p[0]", element, written, &mut code),
            Written::All => {
                let array = GoType::Array(2, Box::new(element.clone()));
                self.write("p", &array, written, &mut code)
            }
        };
        if !wrote {
            return plain;
        }
        let type_text = self.text(element);
        let name = self.maker(&format!("{type_text}s"), written, |name, what| {
            let head =
                format!("// {name} makes a slice and writes {what}.\nfunc {name}(n int) []{type_text} {{\n");
            format!("{head}\tp := make([]{type_text}, n)\n{}\treturn p\n}}\n", code.text())
        });
        format!("{name}({count})")
    }

    /// The name of the function that makes such objects; `write` gives its text when there is none yet.
    fn maker(&mut self, what: &str, written: Written, write: impl FnOnce(&str, &str) -> String) -> String {
        let (wanted, extent) = maker_name(what, written);
        self.function(format!("{wanted} {what}"), &wanted, |name| write(name, extent))
    }

    /// The name of the function known as `key`; `write` gives its text when there is none yet.
    pub(super) fn function(
        &mut self,
        key: String,
        wanted: &str,
        write: impl FnOnce(&str) -> String,
    ) -> String {
        if !self.makers.contains_key(&key) {
            let name = self.names.fresh(wanted);
            let text = write(&name);
            self.makers.insert(key.clone(), Maker { name, text });
        }
        self.makers[&key].name.clone()
    }

    /// An expression that makes a `[]byte`.
    pub(super) fn new_bytes(&mut self, length: u64, written: Written) -> String {
        let count = grouped(length);
        match written {
            Written::None => format!("make([]byte, {count})"),
            Written::FirstByte => {
                self.need(Helper::Touched);
                format!("touched({count})")
            }
            Written::All => {
                self.need(Helper::Filled);
                format!("filled({count})")
            }
        }
    }

    /// Statements that write a value; `false` when it holds nothing but pointers, which stay nil.
    pub(super) fn write(&mut self, place: &str, go_type: &GoType, written: Written, code: &mut Code) -> bool {
        match written {
            Written::None => false,
            Written::FirstByte => self.write_first(place, go_type, code),
            Written::All => self.write_all(place, go_type, 0, code),
        }
    }

    fn write_first(&mut self, place: &str, go_type: &GoType, code: &mut Code) -> bool {
        match go_type {
            GoType::Basic(_) | GoType::String | GoType::Interface => {
                let dereferenced = if place == "p" { "*p" } else { place };
                code.line(&format!("{dereferenced} = {}", one(go_type)));
                true
            }
            GoType::Array(length, element) if *length > 0 => {
                self.write_first(&format!("{place}[0]"), element, code)
            }
            GoType::Named(name) => {
                let parts = self.parts(name);
                parts.iter().any(|(field, part)| self.write_first(&format!("{place}.{field}"), part, code))
            }
            _ => false,
        }
    }

    fn write_all(&mut self, place: &str, go_type: &GoType, depth: usize, code: &mut Code) -> bool {
        match go_type {
            GoType::Basic(_) | GoType::String | GoType::Interface => self.write_first(place, go_type, code),
            GoType::Array(0, _) => false,
            GoType::Array(_, element) if is_byte(element) => {
                self.need(Helper::Fill);
                code.line(&format!("fill({place}[:])"));
                true
            }
            GoType::Array(_, element) => {
                let index = ["i", "j", "k", "l"][depth.min(3)];
                let mut inner = code.clone();
                inner.open(&format!("for {index} := range {place} {{"));
                let wrote = self.write_all(&format!("{place}[{index}]"), element, depth + 1, &mut inner);
                if wrote {
                    inner.close("}");
                    *code = inner;
                }
                wrote
            }
            GoType::Named(name) => {
                let mut wrote = false;
                for (field, part) in self.parts(name) {
                    wrote |= self.write_all(&format!("{place}.{field}"), &part, depth, code);
                }
                wrote
            }
            _ => false,
        }
    }

    /// Fields of a struct that hold more than the pointers that link it.
    fn parts(&self, name: &str) -> Vec<(String, GoType)> {
        let bytes = |length| GoType::Array(length, Box::new(GoType::parse("byte").expect("a type")));
        match self.types.structs().get(name) {
            Some(StructType::Fields(fields)) => {
                fields.iter().map(|(name, go_type)| (field(name), go_type.clone())).collect()
            }
            Some(StructType::Opaque(layout)) => {
                match layout.size_bytes - 8 * u64::from(layout.pointer_slots) {
                    0 => vec![],
                    data_bytes => vec![("data".to_owned(), bytes(data_bytes))],
                }
            }
            None => match name.strip_prefix("Link").and_then(|size| size.parse::<u64>().ok()) {
                Some(size_bytes) if size_bytes > 8 => vec![("data".to_owned(), bytes(size_bytes - 8))],
                _ => vec![],
            },
        }
    }

    /// The struct's declaration, if the scenario has it.
    pub(super) fn declared(&self, name: &str) -> Option<&'s StructType> {
        self.types.structs().get(name)
    }
}

fn note_links<'s>(steps: impl Iterator<Item = &'s Step>, links: &mut IndexMap<String, Links>) {
    for step in steps {
        match step {
            Step::Alloc(alloc) => {
                let GoType::Named(name) = &alloc.go_type else { continue };
                match alloc.shape {
                    Shape::List => links.entry(name.clone()).or_default().list = true,
                    Shape::Tree => links.entry(name.clone()).or_default().tree = true,
                    Shape::Graph { degree, .. } => {
                        let degree = u64::from(degree);
                        let entry = links.entry(name.clone()).or_default();
                        entry.degree = entry.degree.max(degree);
                    }
                    _ => {}
                }
            }
            Step::Finalize(finalize) if finalize.chain > 1 => {
                if let GoType::Named(name) = &finalize.go_type {
                    links.entry(name.clone()).or_default().list = true;
                }
            }
            Step::Repeat(repeat) => note_links(repeat.steps.iter().map(toml::Spanned::get_ref), links),
            Step::Parallel(tracks) => {
                note_links(tracks.iter().flatten().map(toml::Spanned::get_ref), links);
            }
            _ => {}
        }
    }
}

/// The name of a function that makes a type, and what it writes.
fn maker_name(type_text: &str, written: Written) -> (String, &'static str) {
    let (verb, extent) = match written {
        Written::All => ("new", "all of it"),
        _ => ("touched", "to its beginning"),
    };
    (format!("{verb}{}", in_a_name(type_text)), extent)
}

/// A type as a part of a name: `PointerToOrder`, `64Byte`.
pub(super) fn in_a_name(type_text: &str) -> String {
    let mut name = String::new();
    let mut upper = true;
    for c in type_text.chars() {
        match c {
            '*' => name.push_str("PointerTo"),
            c if c.is_ascii_alphanumeric() => {
                name.push(if upper { c.to_ascii_uppercase() } else { c });
            }
            _ => {}
        }
        upper = !c.is_ascii_alphanumeric();
    }
    name
}

pub(super) fn is_byte(go_type: &GoType) -> bool {
    matches!(go_type, GoType::Basic(basic) if basic.name == "uint8")
}

/// The length of an array of bytes.
pub(super) fn byte_array(go_type: &GoType) -> Option<u64> {
    match go_type {
        GoType::Array(length, element) if is_byte(element) => Some(*length),
        _ => None,
    }
}

/// A value that is not zero.
fn one(go_type: &GoType) -> &'static str {
    match go_type {
        GoType::Basic(basic) if basic.name == "bool" => "true",
        GoType::String => "\"x\"",
        GoType::Interface => "true",
        _ => "1",
    }
}
