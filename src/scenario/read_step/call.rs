//! Reading `call`: `{ call = { count = 1_000, size = "64B", returns = "pointer" } }`.

use super::super::parse::Parser;
use super::super::reader::{Node, Table};
use super::super::{Call, Made, Returns, Step};
use super::OBJECTS_LIMIT;
use super::objects::is_bytes;
use crate::units::{Bytes, MIB};

/// Largest value that a function returns. Our limit: the stack has it twice, in the frame and as the result.
const VALUE_LIMIT_BYTES: u64 = 16 * MIB;

impl Parser {
    pub(super) fn call(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let count = self.need_whole(table, "count", 1..=OBJECTS_LIMIT);
        let object = self.object(table);
        let kinds = [("value", Returns::Value), ("pointer", Returns::Pointer)];
        let returns = table.need("returns", "returns = \"value\" or \"pointer\"", &mut self.log);
        let returns = returns.and_then(|node| node.choice(&kinds, &mut self.log));
        let ways = [("var", Made::Var), ("new", Made::New), ("make", Made::Make)];
        let made_node = table.take("made");
        let made = made_node.as_ref().map_or(Some(Made::Var), |node| node.choice(&ways, &mut self.log));
        let written = self.written(table);
        let Some(object) = object? else {
            node.wrong("what does the function make?", "size = \"64B\" or type = \"Order\"", &mut self.log);
            return None;
        };
        let (returns, made) = (returns?, made?);
        if let (Some(node), Made::Make, false) = (&made_node, made, is_bytes(&object)) {
            let reason = format!("make makes bytes here, not a {}", object.go_type);
            node.wrong(reason, "size = \"64B\", or made = \"var\" or \"new\"", &mut self.log);
            return None;
        }
        let size_bytes = object.layout.size_bytes;
        if returns == Returns::Value && made != Made::Make && size_bytes > VALUE_LIMIT_BYTES {
            let reason = format!("a value of {} is too large for a stack", Bytes(size_bytes));
            let accepted = format!("up to {}, or returns = \"pointer\"", Bytes(VALUE_LIMIT_BYTES));
            node.wrong(reason, &accepted, &mut self.log);
            return None;
        }
        let (object, go_type) = (object.layout.object(), object.go_type);
        Some(Step::Call(Call { count: count?, object, go_type, made, returns, written: written? }))
    }
}
