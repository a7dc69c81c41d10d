//! Reading steps on `sync.Map`, `sync.Pool` and maps behind locks.

use super::super::parse::{MEMORY_LIMIT_BYTES, Parser};
use super::super::reader::{Node, Table};
use super::super::{GoType, PoolGet, PoolPut, Step, Typed, VarId, VarType};
use super::list_or_none;
use super::objects::mix_part;

/// Most buffers that one step gets or puts. Our limit: they are all in use at the same time.
const BUFFERS_LIMIT: u64 = 1_000_000;

/// A variable that is a map, and the types of its keys and values.
type Map = (VarId, Typed, Typed);

impl Parser {
    /// What a `sync.Map` of a scenario maps to what.
    pub(super) fn sync_map_types(&self) -> (Typed, Typed) {
        let typed = |text| {
            let go_type = GoType::parse(text).expect("a type of Go");
            let layout = self.types.layout(&go_type).expect("int and any have layouts");
            Typed { go_type, layout }
        };
        (typed("int"), typed("any"))
    }

    /// A map that `make` can make.
    pub(super) fn refuse_ready(&mut self, map: Option<Map>, table: &Table<'_>) -> Option<Map> {
        self.refuse(map, table, VarType::is_ready, (", which is ready as it is", "no make step for it"))
    }

    /// A plain map.
    pub(super) fn refuse_concurrent(&mut self, map: Option<Map>, table: &Table<'_>) -> Option<Map> {
        self.refuse(map, table, VarType::is_concurrent, ("", "a plain map"))
    }

    /// A map whose type is not what `is_wrong` says; the words tell why it would be wrong, and what is accepted.
    fn refuse(
        &mut self,
        map: Option<Map>,
        table: &Table<'_>,
        is_wrong: fn(&VarType) -> bool,
        (because, accepted): (&str, &str),
    ) -> Option<Map> {
        let map = map?;
        let (name, var_type) = self.vars.get_index(map.0.0).expect("a VarId is an index of vars");
        if is_wrong(var_type) {
            let reason = format!("{name} is a {var_type}{because}");
            self.log.report(table.span.clone(), &table.path, reason, accepted);
            return None;
        }
        Some(map)
    }

    /// `{ rebuild = "m" }`.
    pub(super) fn rebuild(&mut self, node: &Node<'_>) -> Option<Step> {
        let var = self.map_itself(node, "rebuild")?;
        let (name, var_type) = self.vars.get_index(var.0).expect("a VarId is an index of vars");
        if var_type.is_concurrent() {
            let reason = format!("{name} is a {var_type}, which no step rebuilds");
            node.wrong(reason, "a plain map", &mut self.log);
            return None;
        }
        Some(Step::Rebuild(var))
    }

    fn need_pool(&mut self, table: &mut Table<'_>) -> Option<VarId> {
        let node = table.need("pool", "the name of a sync.Pool of [vars]", &mut self.log)?;
        let var = self.var(&node)?;
        let (name, var_type) = self.vars.get_index(var.0).expect("a VarId is an index of vars");
        if *var_type == VarType::Pool {
            return Some(var);
        }
        let reason = format!("{name} is a {var_type}, not a sync.Pool");
        let pools = self.vars.iter().filter(|(_, t)| **t == VarType::Pool).map(|(name, _)| name.as_str());
        let accepted = format!("a variable that is a sync.Pool; there are: {}", list_or_none(pools));
        node.wrong(reason, &accepted, &mut self.log);
        None
    }

    /// `{ get = { pool = "buffers", count = 4, size = "32KiB" } }`.
    pub(super) fn pool_get(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let pool = self.need_pool(table);
        let count = self.optional_whole(table, "count", 1..=BUFFERS_LIMIT, 1);
        let object = self.object(table);
        let mix_node = table.take("mix");
        let mix = mix_node.as_ref().map(|node| self.mix(node));
        let written = self.written(table);
        let seed = self.seed(table);
        let mix = match (object?, mix) {
            (Some(object), None) => vec![mix_part(object, 1)],
            (None, Some(mix)) => mix?,
            _ => {
                let accepted = "one of size = \"4KiB\" and mix = [{ size = \"4KiB\", weight = 99 }, ...]";
                node.wrong("buffers of what size?", accepted, &mut self.log);
                return None;
            }
        };
        if mix.iter().any(|part| !part.go_type.to_string().ends_with("]byte")) {
            node.wrong("a buffer holds bytes", "size = \"4KiB\"", &mut self.log);
            return None;
        }
        Some(Step::Get(PoolGet { pool: pool?, count: count?, mix, written: written?, seed: seed? }))
    }

    /// `{ put = { pool = "buffers", count = 4, max_put = "64KiB" } }`.
    pub(super) fn pool_put(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let pool = self.need_pool(table);
        let count = self.optional_whole(table, "count", 1..=BUFFERS_LIMIT, 1);
        let max_put = table.take("max_put");
        let max_put_bytes = match max_put {
            Some(node) => Some(node.bytes(1..=MEMORY_LIMIT_BYTES, &mut self.log)?),
            None => None,
        };
        Some(Step::Put(PoolPut { pool: pool?, count: count?, max_put_bytes }))
    }
}
