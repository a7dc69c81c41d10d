//! Reading `alloc`: objects that a variable keeps, and how it reaches them.

use super::super::parse::{MEMORY_LIMIT_BYTES, Parser};
use super::super::reader::{Node, Table, grouped};
use super::super::{Alloc, Backing, GoType, Shape, Step, Typed, VarType};
use super::OBJECTS_LIMIT;
use super::objects::is_bytes;
use crate::units::Bytes;

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

impl Parser {
    pub(super) fn alloc(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
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
}
