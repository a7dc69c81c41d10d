//! Reading the steps of a map's life, and references to its values.

use toml::de::DeValue;

use super::super::keys::{KEY_LIMIT, Keys};
use super::super::parse::{MEMORY_LIMIT_BYTES, Parser};
use super::super::reader::{Node, Table};
use super::super::{Access, GoType, Hold, Insert, InsertValue, Make, Release, Step, Typed, VarType, Written};
use super::{OBJECTS_LIMIT, WRITTEN};
use crate::heap::object::Layout;
use crate::units::GIB;

impl Parser {
    pub(super) fn make(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let map = self.need_map(table, "var");
        let hint = self.optional_whole(table, "hint", 0..=KEY_LIMIT, 0);
        let map = self.refuse_ready(map, table);
        Some(Step::Make(Make { var: map?.0, hint: hint? }))
    }

    pub(super) fn access(&mut self, table: &mut Table<'_>) -> Option<Access> {
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

    pub(super) fn insert(&mut self, table: &mut Table<'_>) -> Option<Step> {
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

    pub(super) fn hold(&mut self, table: &mut Table<'_>) -> Option<Step> {
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

    pub(super) fn release(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let var = table.need("var", "the name of a slice of [vars]", &mut self.log);
        let var = var.and_then(|node| self.slice(&node));
        let count = match table.take("count") {
            Some(node) => Some(node.whole(1..=KEY_LIMIT, &mut self.log)?),
            None => None,
        };
        Some(Step::Release(Release { var: var?.0, count }))
    }
}
