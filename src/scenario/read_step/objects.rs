//! Reading steps that make objects which no variable keeps: `garbage` and `finalize`; and what objects consist of.

use super::super::parse::{MEMORY_LIMIT_BYTES, Parser};
use super::super::reader::{Node, Table};
use super::super::{Amount, Finalize, FinalizeKind, Garbage, GoType, MixPart, Step, Typed};
use super::OBJECTS_LIMIT;
use crate::heap::object::Layout;
use crate::units::GIB;

impl Parser {
    /// `size = "256B"` or `type = "Node"`; `None` in the middle when neither is given.
    pub(in crate::scenario) fn object(&mut self, table: &mut Table<'_>) -> Option<Option<Typed>> {
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

    pub(super) fn garbage(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
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

    pub(super) fn mix(&mut self, node: &Node<'_>) -> Option<Vec<MixPart>> {
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

    pub(super) fn finalize(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
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
}

pub(super) fn mix_part(object: Typed, weight: u32) -> MixPart {
    MixPart { object: object.layout.object(), go_type: object.go_type, weight }
}

/// Whether an object was given by its size alone.
pub(super) fn is_bytes(object: &Typed) -> bool {
    matches!(&object.go_type, GoType::Array(_, element) if element.to_string() == "byte")
}
