//! Go types as they are written in Go, and what each costs in memory.
//!
//! Every Go value has a size, an alignment and words that may hold pointers; the allocator needs the size, the collector
//! the pointer words. Both follow from the type alone.
//!
//! Terms: *size* (`Type.Size_`), *alignment* (`Type.Align_`), *pointer slots* (words with a set bit in the type's pointer
//! mask), *scan bytes* (`Type.PtrBytes`, formerly `ptrdata`: end of the last pointer word).
//!
//! Rules (amd64, sizes in bytes):
//! 1. `bool`, `int8`, `byte` 1; `int16` 2; `int32`, `rune`, `float32` 4; `int`, `int64`, `uintptr`, `float64` 8; `complex128` 16.
//! 2. A pointer, map, channel or func is one pointer word.
//! 3. A string is pointer and length (16, scan 8); a slice pointer, length, capacity (24, scan 8);
//!    an interface two pointer words (16, scan 16).
//! 4. `[n]T` is n times T; its scan bytes are `(n-1) * size(T) + scan(T)` when T has pointers.
//! 5. A struct aligns each field, pads its end to its largest alignment, and gets one byte more when its last field
//!    has no size (so that a pointer behind it stays inside).
//!
//! Differences from Go: a struct of `[types]` may be given as `{ size, pointers }` without its fields; its pointers then
//! come first. Type parameters, function signatures and struct literals are not read.
//!
//! Sources: `cmd/compile/internal/types/size.go`, `internal/abi/type.go`, Go 1.23.9.

use std::fmt;
use std::ops::Range;

use indexmap::IndexMap;

use crate::heap::object::Layout;
use crate::units::{Bytes, GIB};

/// Largest size in bytes of one value of a type. Our limit: Go's is the address space.
pub const TYPE_LIMIT_BYTES: u64 = GIB;
/// Deepest nesting of a type's text, such as `*` before `*`. Our limit.
const DEPTH_LIMIT: usize = 32;
/// Most named types in a scenario. Our limit.
pub const TYPES_LIMIT: usize = 256;
/// Longest text of a type in bytes. Our limit.
const TEXT_LIMIT_BYTES: usize = 1000;

/// A Go type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoType {
    /// A number or a bool.
    Basic(Basic),
    /// `string`.
    String,
    /// `any` or `error`.
    Interface,
    /// `struct{}`.
    EmptyStruct,
    /// `*T`.
    Pointer(Box<GoType>),
    /// `[]T`.
    Slice(Box<GoType>),
    /// `chan T`.
    Channel(Box<GoType>),
    /// `[n]T`.
    Array(u64, Box<GoType>),
    /// `map[K]V`.
    Map(Box<GoType>, Box<GoType>),
    /// A type of the scenario's `[types]`.
    Named(String),
}

/// A type without parts and without pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basic {
    /// The name as Go prints it.
    pub name: &'static str,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Alignment in bytes.
    pub align_bytes: u64,
}

/// Names of the basic types, their canonical name, size and alignment in bytes.
const BASICS: [(&str, &str, u64, u64); 20] = [
    ("bool", "bool", 1, 1),
    ("int8", "int8", 1, 1),
    ("uint8", "uint8", 1, 1),
    ("byte", "uint8", 1, 1),
    ("int16", "int16", 2, 2),
    ("uint16", "uint16", 2, 2),
    ("int32", "int32", 4, 4),
    ("uint32", "uint32", 4, 4),
    ("rune", "int32", 4, 4),
    ("float32", "float32", 4, 4),
    ("int", "int", 8, 8),
    ("uint", "uint", 8, 8),
    ("int64", "int64", 8, 8),
    ("uint64", "uint64", 8, 8),
    ("uintptr", "uintptr", 8, 8),
    ("float64", "float64", 8, 8),
    ("complex64", "complex64", 8, 4),
    ("complex128", "complex128", 16, 8),
    // time.Duration and time.Month are so common in keys and values that they deserve their names.
    ("time.Duration", "time.Duration", 8, 8),
    ("time.Month", "time.Month", 8, 8),
];

/// What a value of a type needs in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeLayout {
    /// Size in bytes.
    pub size_bytes: u64,
    /// Alignment in bytes: 1, 2, 4 or 8.
    pub align_bytes: u64,
    /// Words that may hold a pointer.
    pub pointer_slots: u32,
    /// Offset in bytes of the end of the last pointer word; 0 without pointers.
    pub scan_bytes: u64,
}

impl TypeLayout {
    const fn plain(size_bytes: u64, align_bytes: u64) -> TypeLayout {
        TypeLayout { size_bytes, align_bytes, pointer_slots: 0, scan_bytes: 0 }
    }

    const fn words(size_bytes: u64, pointer_slots: u32) -> TypeLayout {
        TypeLayout { size_bytes, align_bytes: 8, pointer_slots, scan_bytes: 8 * pointer_slots as u64 }
    }

    /// An object on the heap that holds one value of this type.
    pub fn object(self) -> Layout {
        self.array(1).expect("one value fits")
    }

    /// An object on the heap that holds `count` values of this type; `None` when it would be too large.
    pub fn array(self, count: u64) -> Option<Layout> {
        let layout = self.repeated(count)?;
        Some(match layout.pointer_slots {
            0 => Layout::noscan(layout.size_bytes),
            slots => Layout::scan(layout.size_bytes, slots, layout.scan_bytes).of_elements(self.size_bytes),
        })
    }

    fn repeated(self, count: u64) -> Option<TypeLayout> {
        let size_bytes = self.size_bytes.checked_mul(count)?;
        let pointer_slots = u32::try_from(u64::from(self.pointer_slots).checked_mul(count)?).ok()?;
        let scan_bytes = if pointer_slots == 0 { 0 } else { size_bytes - self.size_bytes + self.scan_bytes };
        Some(TypeLayout { size_bytes, align_bytes: self.align_bytes, pointer_slots, scan_bytes })
    }
}

/// Why a text is no Go type, or a type has no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; accepted: {accepted}")]
pub struct TypeError {
    /// The bytes of the type's text that are wrong.
    pub at: Range<usize>,
    /// Why.
    pub reason: String,
    /// What would have been accepted.
    pub accepted: String,
}

/// A struct type of `[types]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StructType {
    /// `{ size = "64B", pointers = 2 }`: the pointers come first.
    Opaque(TypeLayout),
    /// `{ fields = { next = "*Node", id = "int" } }`.
    Fields(IndexMap<String, GoType>),
}

impl StructType {
    /// A struct of `size_bytes` that begins with `pointers` pointers; `None` when they do not fit or leave it misaligned.
    pub fn opaque(size_bytes: u64, pointers: u64) -> Option<StructType> {
        let scan_bytes = pointers.checked_mul(8).filter(|scan| *scan <= size_bytes)?;
        // Without fields the alignment is the largest that the size allows, 8 at most.
        let align_bytes = if size_bytes == 0 { 1 } else { 1 << size_bytes.trailing_zeros().min(3) };
        if pointers > 0 && align_bytes != 8 {
            return None;
        }
        let pointer_slots = u32::try_from(pointers).ok()?;
        Some(StructType::Opaque(TypeLayout { size_bytes, align_bytes, pointer_slots, scan_bytes }))
    }
}

/// The scenario's named types, with their layouts worked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Types {
    /// In the order of the file.
    structs: IndexMap<String, StructType>,
    resolved: IndexMap<String, Resolved>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Resolved {
    layout: TypeLayout,
    comparable: bool,
}

impl Types {
    /// Works out the layout of every struct, and says why the others have none.
    ///
    /// # Panics
    /// With more than `TYPES_LIMIT` structs: the caller refuses those.
    pub fn resolve(structs: IndexMap<String, StructType>) -> (Types, IndexMap<String, String>) {
        assert!(structs.len() <= TYPES_LIMIT, "{} types", structs.len());
        let names: Vec<String> = structs.keys().cloned().collect();
        let mut types = Types { structs, resolved: IndexMap::new() };
        let mut failed = IndexMap::new();
        for name in &names {
            if let Err(reason) = types.resolve_struct(name, &mut Vec::new()) {
                failed.insert(name.clone(), reason);
            }
        }
        (types, failed)
    }

    fn resolve_struct(&mut self, name: &str, inside: &mut Vec<String>) -> Result<Resolved, String> {
        if let Some(resolved) = self.resolved.get(name) {
            return Ok(*resolved);
        }
        if inside.iter().any(|outer| outer == name) {
            return Err(format!("{name} contains itself, so it would be infinitely large"));
        }
        let resolved = match self.structs.get(name).cloned() {
            None => return Err(format!("{name} is not a type of this scenario")),
            Some(StructType::Opaque(layout)) => Resolved { layout, comparable: true },
            Some(StructType::Fields(fields)) => {
                inside.push(name.to_owned());
                for contained in fields.values().filter_map(GoType::contained) {
                    self.resolve_struct(contained, inside)?;
                }
                inside.pop();
                Resolved {
                    layout: self.struct_layout(&fields)?,
                    comparable: fields.values().all(|field| self.comparable(field)),
                }
            }
        };
        self.resolved.insert(name.to_owned(), resolved);
        Ok(resolved)
    }

    /// The declared structs in the order of the file.
    pub fn structs(&self) -> &IndexMap<String, StructType> {
        &self.structs
    }

    /// What a value of `go_type` needs in memory.
    ///
    /// # Errors
    /// An unknown name, a struct that contains itself, a type beyond `TYPE_LIMIT_BYTES`.
    pub fn layout(&self, go_type: &GoType) -> Result<TypeLayout, String> {
        let layout = match go_type {
            GoType::Basic(basic) => TypeLayout::plain(basic.size_bytes, basic.align_bytes),
            GoType::EmptyStruct => TypeLayout::plain(0, 1),
            GoType::Pointer(_) | GoType::Map(..) | GoType::Channel(_) => TypeLayout::words(8, 1),
            GoType::String => TypeLayout { scan_bytes: 8, ..TypeLayout::words(16, 1) },
            GoType::Slice(_) => TypeLayout { scan_bytes: 8, ..TypeLayout::words(24, 1) },
            GoType::Interface => TypeLayout::words(16, 2),
            GoType::Array(length, element) => {
                self.layout(element)?.repeated(*length).ok_or_else(|| format!("{go_type} is too large"))?
            }
            GoType::Named(name) => {
                self.resolved
                    .get(name)
                    .ok_or_else(|| format!("{name} is not a type of this scenario"))?
                    .layout
            }
        };
        if layout.size_bytes > TYPE_LIMIT_BYTES {
            let (size, limit) = (Bytes(layout.size_bytes), Bytes(TYPE_LIMIT_BYTES));
            return Err(format!("{go_type} is {size}, more than {limit}"));
        }
        Ok(layout)
    }

    fn struct_layout(&self, fields: &IndexMap<String, GoType>) -> Result<TypeLayout, String> {
        let mut whole = TypeLayout::plain(0, 1);
        let mut last_size_bytes = 1;
        for field in fields.values() {
            let layout = self.layout(field)?;
            let offset_bytes = whole.size_bytes.next_multiple_of(layout.align_bytes);
            if layout.pointer_slots > 0 {
                whole.scan_bytes = offset_bytes + layout.scan_bytes;
                // At most one pointer in eight bytes, and the size stays below TYPE_LIMIT_BYTES.
                whole.pointer_slots += layout.pointer_slots;
            }
            whole.size_bytes = offset_bytes + layout.size_bytes;
            if whole.size_bytes > TYPE_LIMIT_BYTES {
                return Err(format!("the struct is larger than {}", Bytes(TYPE_LIMIT_BYTES)));
            }
            whole.align_bytes = whole.align_bytes.max(layout.align_bytes);
            last_size_bytes = layout.size_bytes;
        }
        if last_size_bytes == 0 && whole.size_bytes > 0 {
            whole.size_bytes += 1;
        }
        whole.size_bytes = whole.size_bytes.next_multiple_of(whole.align_bytes);
        Ok(whole)
    }

    /// Whether `==` is defined on the type, so that it can be a map's key. Undeclared names count as comparable.
    pub fn comparable(&self, go_type: &GoType) -> bool {
        match go_type {
            GoType::Slice(_) | GoType::Map(..) => false,
            GoType::Array(_, element) => self.comparable(element),
            GoType::Named(name) => self.resolved.get(name).is_none_or(|resolved| resolved.comparable),
            _ => true,
        }
    }
}

impl GoType {
    /// Reads a type as Go writes it.
    ///
    /// # Errors
    /// Text that is no Go type, or one that is not read here (functions, type parameters, struct literals).
    pub fn parse(text: &str) -> Result<GoType, TypeError> {
        let mut parser = TypeParser { text, at: 0 };
        if text.len() > TEXT_LIMIT_BYTES {
            return Err(parser.error(0..text.len(), "the type's text is too long"));
        }
        let go_type = parser.go_type(DEPTH_LIMIT)?;
        parser.skip_spaces();
        if parser.at < text.len() {
            return Err(parser.error(parser.at..text.len(), "the type ends before this"));
        }
        Ok(go_type)
    }

    /// The named type that a value of this type holds inside itself, not behind a pointer.
    fn contained(&self) -> Option<&str> {
        match self {
            GoType::Named(name) => Some(name),
            GoType::Array(_, element) => element.contained(),
            _ => None,
        }
    }

    /// The named types that occur in the text of this type.
    pub fn names(&self) -> Vec<&str> {
        match self {
            GoType::Named(name) => vec![name],
            GoType::Pointer(inner)
            | GoType::Slice(inner)
            | GoType::Channel(inner)
            | GoType::Array(_, inner) => inner.names(),
            GoType::Map(key, value) => [key.names(), value.names()].concat(),
            GoType::Basic(_) | GoType::String | GoType::Interface | GoType::EmptyStruct => vec![],
        }
    }
}

impl fmt::Display for GoType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GoType::Basic(Basic { name: "uint8", .. }) => f.write_str("byte"),
            GoType::Basic(basic) => f.write_str(basic.name),
            GoType::String => f.write_str("string"),
            GoType::Interface => f.write_str("any"),
            GoType::EmptyStruct => f.write_str("struct{}"),
            GoType::Pointer(target) => write!(f, "*{target}"),
            GoType::Slice(element) => write!(f, "[]{element}"),
            GoType::Channel(element) => write!(f, "chan {element}"),
            GoType::Array(length, element) => write!(f, "[{length}]{element}"),
            GoType::Map(key, value) => write!(f, "map[{key}]{value}"),
            GoType::Named(name) => f.write_str(name),
        }
    }
}

const TYPE_EXPECTED: &str =
    "a Go type such as \"int\", \"[]byte\", \"*Node\", \"[64]byte\", \"map[int]*Session\"";

struct TypeParser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> TypeParser<'t> {
    fn go_type(&mut self, depth: usize) -> Result<GoType, TypeError> {
        self.skip_spaces();
        if depth == 0 {
            return Err(self.error(self.at..self.text.len(), "the type is nested too deeply"));
        }
        if self.eat("*") {
            return Ok(GoType::Pointer(Box::new(self.go_type(depth - 1)?)));
        }
        if self.eat("[") {
            return self.slice_or_array(depth);
        }
        let start = self.at;
        match self.word() {
            "map" => self.map(depth),
            "chan" => Ok(GoType::Channel(Box::new(self.go_type(depth - 1)?))),
            word @ ("struct" | "interface") => {
                if !(self.eat("{") && self.eat("}")) {
                    let reason =
                        format!("a {word} with content cannot be written here: declare it in [types]");
                    return Err(self.error(start..self.text.len(), &reason));
                }
                Ok(if word == "struct" { GoType::EmptyStruct } else { GoType::Interface })
            }
            "func" => Err(self.error(start..self.text.len(), "function types are not simulated")),
            "string" => Ok(GoType::String),
            "any" | "error" => Ok(GoType::Interface),
            "" => Err(self.error(start..self.text.len(), "a type is missing")),
            word => Ok(basic(word).map_or_else(|| GoType::Named(word.to_owned()), GoType::Basic)),
        }
    }

    fn slice_or_array(&mut self, depth: usize) -> Result<GoType, TypeError> {
        if self.eat("]") {
            return Ok(GoType::Slice(Box::new(self.go_type(depth - 1)?)));
        }
        let start = self.at;
        let rest = &self.text[start..];
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
        self.at += digits;
        let length = rest[..digits]
            .replace('_', "")
            .parse()
            .map_err(|_| self.error(start..start + digits, "an array's length is a whole number"))?;
        if !self.eat("]") {
            return Err(self.error(self.at..self.text.len(), "\"]\" is missing"));
        }
        Ok(GoType::Array(length, Box::new(self.go_type(depth - 1)?)))
    }

    fn map(&mut self, depth: usize) -> Result<GoType, TypeError> {
        if !self.eat("[") {
            return Err(self.error(self.at..self.text.len(), "\"[\" and the key's type are missing"));
        }
        let key = self.go_type(depth - 1)?;
        if !self.eat("]") {
            return Err(self.error(self.at..self.text.len(), "\"]\" is missing"));
        }
        Ok(GoType::Map(Box::new(key), Box::new(self.go_type(depth - 1)?)))
    }

    fn word(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let end = rest
            .char_indices()
            .find(|(index, c)| {
                !(c.is_alphabetic() || *c == '_' || *index > 0 && (c.is_numeric() || *c == '.'))
            })
            .map_or(rest.len(), |(index, _)| index);
        self.at += end;
        &rest[..end]
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_spaces();
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn skip_spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn error(&self, at: Range<usize>, reason: &str) -> TypeError {
        TypeError { at, reason: reason.to_owned(), accepted: TYPE_EXPECTED.to_owned() }
    }
}

fn basic(word: &str) -> Option<Basic> {
    let (_, name, size_bytes, align_bytes) = BASICS.iter().find(|(alias, ..)| *alias == word)?;
    Some(Basic { name, size_bytes: *size_bytes, align_bytes: *align_bytes })
}

/// Whether a name of `[types]` hides one of Go's own.
pub(super) fn is_predeclared(name: &str) -> bool {
    basic(name).is_some()
        || matches!(name, "string" | "any" | "error" | "map" | "chan" | "struct" | "interface" | "func")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Types {
        let fields = |list: &[(&str, &str)]| {
            StructType::Fields(
                list.iter().map(|(name, text)| ((*name).to_owned(), GoType::parse(text).unwrap())).collect(),
            )
        };
        let mut structs = IndexMap::new();
        structs.insert("Session".to_owned(), StructType::opaque(64, 2).unwrap());
        structs.insert("Node".to_owned(), fields(&[("next", "*Node"), ("payload", "[7]int")]));
        structs.insert(
            "Mixed".to_owned(),
            fields(&[("a", "bool"), ("b", "int64"), ("c", "string"), ("d", "byte")]),
        );
        structs.insert("Tail".to_owned(), fields(&[("a", "int32"), ("b", "struct{}")]));
        structs.insert("Self".to_owned(), fields(&[("a", "[2]Self")]));
        Types::resolve(structs).0
    }

    #[track_caller]
    fn check(text: &str, size_bytes: u64, align_bytes: u64, pointer_slots: u32, scan_bytes: u64) {
        let layout = types().layout(&GoType::parse(text).unwrap()).unwrap();
        assert_eq!(layout, TypeLayout { size_bytes, align_bytes, pointer_slots, scan_bytes }, "{text}");
    }

    #[test]
    fn layouts_follow_gos_rules() {
        check("bool", 1, 1, 0, 0);
        check("int32", 4, 4, 0, 0);
        check("complex128", 16, 8, 0, 0);
        check("struct{}", 0, 1, 0, 0);
        check("string", 16, 8, 1, 8);
        check("[]byte", 24, 8, 1, 8);
        check("any", 16, 8, 2, 16);
        check("*Session", 8, 8, 1, 8);
        check("map[string][]byte", 8, 8, 1, 8);
        check("[64]byte", 64, 1, 0, 0);
        // Three strings: the last one's pointer ends at 2 * 16 + 8.
        check("[3]string", 48, 8, 3, 40);
        check("[0]*int", 0, 8, 0, 0);
        check("Session", 64, 8, 2, 16);
        check("Node", 64, 8, 1, 8);
        // bool at 0, int64 at 8, string at 16 (pointer ends at 24), byte at 32, padded to 40.
        check("Mixed", 40, 8, 1, 24);
        // The field without size gets a byte: 4 + 1, padded to 8.
        check("Tail", 8, 4, 0, 0);
    }

    #[test]
    fn types_print_as_they_are_written() {
        for text in ["map[int]*Session", "map[string][]byte", "[]*Node", "[64]byte", "struct{}", "chan int"] {
            assert_eq!(GoType::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(GoType::parse(" map[ int ] interface{} ").unwrap().to_string(), "map[int]any");
    }

    #[test]
    fn text_that_is_no_type_is_refused_where_it_is_wrong() {
        for (text, at, reason) in [
            ("", 0..0, "a type is missing"),
            ("map[int", 7..7, "\"]\" is missing"),
            ("map int", 4..7, "\"[\" and the key's type"),
            ("[x]byte", 1..1, "whole number"),
            ("[]", 2..2, "a type is missing"),
            ("int int", 4..7, "ends before this"),
            ("func()", 0..6, "function types"),
            ("struct{ a int }", 0..15, "[types]"),
        ] {
            let error = GoType::parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}");
            assert!(error.reason.contains(reason), "{text}: {}", error.reason);
        }
        assert!(GoType::parse(&"*".repeat(40)).unwrap_err().reason.contains("nested too deeply"));
        assert!(GoType::parse(&"*".repeat(4000)).unwrap_err().reason.contains("too long"));
    }

    #[test]
    fn types_without_a_finite_layout_are_refused() {
        let error = |text: &str| types().layout(&GoType::parse(text).unwrap()).unwrap_err();
        let (_, failed) = Types::resolve(types().structs);
        assert_eq!(failed.keys().collect::<Vec<_>>(), ["Self"]);
        assert!(failed["Self"].contains("contains itself"));
        assert!(error("Sesion").contains("not a type of this scenario"));
        assert!(error("[2_000_000_000]byte").contains("more than 1.00 GiB"));
        assert!(error("[18446744073709551615]int").contains("too large"));
        assert!(StructType::opaque(60, 8).is_none(), "eight pointers need 64 bytes");
        assert!(StructType::opaque(12, 1).is_none(), "a struct with a pointer is a multiple of 8");
    }

    #[test]
    fn slices_and_maps_cannot_be_keys() {
        let comparable = |text: &str| types().comparable(&GoType::parse(text).unwrap());
        assert!(comparable("string") && comparable("*[]int") && comparable("Node"));
        assert!(!comparable("[]byte") && !comparable("[2]map[int]int"));
    }

    #[test]
    fn objects_of_a_type_have_its_pointers() {
        let node = types().layout(&GoType::parse("Node").unwrap()).unwrap();
        assert_eq!(node.object(), Layout::scan(64, 1, 8));
        assert_eq!(node.array(3), Some(Layout::scan(192, 3, 136).of_elements(64)));
        assert_eq!(node.array(u64::MAX), None);
        assert_eq!(TypeLayout::plain(1, 1).array(100), Some(Layout::noscan(100)));
    }
}
