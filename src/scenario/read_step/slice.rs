//! Reading `slice`: `{ slice = { from = "file", into = "heads", len = 64 } }`.

use toml::de::DeValue;

use super::super::parse::{MEMORY_LIMIT_BYTES, Parser};
use super::super::reader::{Node, Table};
use super::super::{GoType, Part, PartPlace, SliceOf, Step, VarType};

impl Parser {
    pub(super) fn slice_of(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let from = table.need("from", "the slice that a part is taken of", &mut self.log);
        let into = table.need("into", "a slice of the same type, or a slice of such slices", &mut self.log);
        let len = self.need_whole(table, "len", 1..=MEMORY_LIMIT_BYTES);
        let part = match table.take("copy") {
            None => Some(Part::View),
            Some(node) => match node.value {
                DeValue::Boolean(true) => Some(Part::Copy),
                DeValue::Boolean(false) => Some(Part::View),
                _ => {
                    node.wrong_kind("true (a backing array of its own) or false", &mut self.log);
                    None
                }
            },
        };
        let (from, element) = self.slice(&from?)?;
        let into_node = into?;
        let (into, into_element) = self.slice(&into_node)?;
        let place = match &into_element.go_type {
            own if *own == element.go_type => PartPlace::Assigned,
            GoType::Slice(inner) if **inner == element.go_type => PartPlace::Appended,
            other => {
                let reason = format!("a part of a []{} does not fit into a []{other}", element.go_type);
                let accepted = format!("a variable of type []{0} or [][]{0}", element.go_type);
                into_node.wrong(reason, &accepted, &mut self.log);
                return None;
            }
        };
        if element.layout.pointer_slots > 0 {
            let (name, _) = self.vars.get_index(from.0).expect("a VarId is an index of vars");
            let reason = format!("{name} is a {}, whose elements have pointers", VarType::Slice { element });
            node.wrong(reason, "a slice of elements without pointers, such as []byte", &mut self.log);
            return None;
        }
        Some(Step::Slice(SliceOf { from, into, len: len?, part: part?, place }))
    }
}
