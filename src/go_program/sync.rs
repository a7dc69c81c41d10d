//! Steps on `sync.Map`, on maps behind locks and on pools as statements.

use toml::Spanned;

use super::code::{grouped, size};
use super::steps::Body;
use super::{Helper, Unwritable};
use crate::scenario::{
    Access, Insert, InsertValue, Lock, Make, PoolGet, PoolPut, Step, Typed, VarId, VarType, Written,
};

/// Bytes of a shard: two cache lines, so that neighbours do not share one.
const SHARD_BYTES: u64 = 128;
const POINTER_BYTES: u64 = 8;

/// An array for the buffers that a goroutine has got from a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TakenArray {
    pub(super) name: String,
    pub(super) length: u64,
}

impl Body<'_, '_> {
    /// How a map behind a lock is declared.
    fn locked(&self, var: VarId) -> (&Typed, &Typed, u32, Lock) {
        match self.scenario.var(var) {
            VarType::Locked { key, value, shards, lock } => (key, value, *shards, *lock),
            other => panic!("{} is a {other}", self.scenario.var_name(var)),
        }
    }

    /// The map of key `k`, after the statement that chooses it.
    fn shard_of_k(&mut self, var: VarId) -> String {
        let (name, (.., shards, _)) = (self.name(var), self.locked(var));
        if shards == 1 {
            return name;
        }
        self.code.line(&format!("s := &{name}[k%{shards}]"));
        "s".to_owned()
    }

    /// Does something with every shard.
    fn each_shard(&mut self, var: VarId, statement: impl Fn(&str) -> String) {
        let (name, (.., shards, _)) = (self.name(var), self.locked(var));
        if shards == 1 {
            return self.code.line(&statement(&name));
        }
        self.code.open(&format!("for i := range {name} {{"));
        self.code.line(&statement(&format!("{name}[i]")));
        self.code.close("}");
    }

    pub(super) fn make_locked(&mut self, make: &Make) {
        let (key, value, shards, _) = self.locked(make.var);
        let map = format!("map[{}]{}", self.types.text(&key.go_type), self.types.text(&value.go_type));
        let hint = match make.hint / u64::from(shards) {
            0 => String::new(),
            hint => format!(", {}", grouped(hint)),
        };
        self.each_shard(make.var, |shard| format!("{shard}.m = make({map}{hint})"));
    }

    pub(super) fn drop_sync(&mut self, var: VarId) {
        match self.scenario.var(var) {
            VarType::Locked { .. } => self.each_shard(var, |shard| format!("{shard}.m = nil")),
            VarType::Pool => {
                let name = self.name(var);
                self.code.line(&format!("{name} = sync.Pool{{New: newBuffer}}"));
            }
            _ => {
                let name = self.name(var);
                self.code.line(&format!("{name} = sync.Map{{}}"));
            }
        }
    }

    pub(super) fn clear_sync(&mut self, var: VarId) {
        let name = self.name(var);
        match self.scenario.var(var) {
            VarType::Locked { .. } => self.each_shard(var, |shard| format!("clear({shard}.m)")),
            _ if self.version.has_sync_map_clear() => self.code.line(&format!("{name}.Clear()")),
            _ => {
                self.code.open(&format!("{name}.Range(func(k, _ any) bool {{"));
                self.code.line(&format!("{name}.Delete(k)"));
                self.code.line("return true");
                self.code.close("})");
            }
        }
    }

    pub(super) fn range(&mut self, var: VarId) {
        let name = self.name(var);
        self.types.need(Helper::Found);
        match self.scenario.var(var) {
            VarType::SyncMap => {
                self.code.open(&format!("{name}.Range(func(_, _ any) bool {{"));
                self.code.line("found++");
                self.code.line("return true");
                self.code.close("})");
            }
            VarType::Locked { shards, .. } => {
                let map = if *shards == 1 { format!("{name}.m") } else { format!("{name}[i].m") };
                if *shards > 1 {
                    self.code.open(&format!("for i := range {name} {{"));
                }
                self.code.open(&format!("for range {map} {{"));
                self.code.line("found++");
                self.code.close("}");
                if *shards > 1 {
                    self.code.close("}");
                }
            }
            _ => {
                self.code.open(&format!("for range {name} {{"));
                self.code.line("found++");
                self.code.close("}");
            }
        }
    }

    pub(super) fn insert_sync(&mut self, insert: &Insert) -> Result<(), Unwritable> {
        self.open_keys(&insert.keys);
        let any = crate::scenario::GoType::Interface;
        let value_type = match self.scenario.var(insert.var) {
            VarType::Locked { value, .. } => &value.go_type,
            _ => &any,
        };
        let value = match &insert.value {
            InsertValue::Zero if *value_type == any => "k".to_owned(),
            InsertValue::Zero => self.plain_value(value_type),
            InsertValue::New { object, written } => self.fresh(value_type, object.size_bytes, *written),
            InsertValue::Shared(from) => self.shared(*from, "k"),
        };
        if let VarType::SyncMap = self.scenario.var(insert.var) {
            let name = self.name(insert.var);
            self.code.line(&format!("{name}.Store(k, {value})"));
        } else {
            let value = match insert.value {
                InsertValue::Zero => value,
                _ => {
                    // Made before the lock is taken.
                    self.code.line(&format!("v := {value}"));
                    "v".to_owned()
                }
            };
            let shard = self.shard_of_k(insert.var);
            self.code.line(&format!("{shard}.Lock()"));
            self.code.line(&format!("{shard}.m[k] = {value}"));
            self.code.line(&format!("{shard}.Unlock()"));
        }
        self.code.close("}");
        Ok(())
    }

    pub(super) fn lookup_sync(&mut self, access: &Access) {
        self.code.open("{");
        self.code.line("hits := 0");
        self.open_keys(&access.keys);
        if let VarType::SyncMap = self.scenario.var(access.var) {
            let name = self.name(access.var);
            self.code.open(&format!("if _, ok := {name}.Load(k); ok {{"));
            self.code.line("hits++");
            self.code.close("}");
        } else {
            let (.., lock) = self.locked(access.var);
            let read = if lock == Lock::RwMutex { "R" } else { "" };
            let shard = self.shard_of_k(access.var);
            self.code.line(&format!("{shard}.{read}Lock()"));
            self.code.open(&format!("if _, ok := {shard}.m[k]; ok {{"));
            self.code.line("hits++");
            self.code.close("}");
            self.code.line(&format!("{shard}.{read}Unlock()"));
        }
        self.code.close("}");
        self.code.line("runtime.KeepAlive(hits)");
        self.code.close("}");
    }

    pub(super) fn delete_sync(&mut self, access: &Access) {
        self.open_keys(&access.keys);
        if let VarType::SyncMap = self.scenario.var(access.var) {
            let name = self.name(access.var);
            self.code.line(&format!("{name}.Delete(k)"));
        } else {
            let shard = self.shard_of_k(access.var);
            self.code.line(&format!("{shard}.Lock()"));
            self.code.line(&format!("delete({shard}.m, k)"));
            self.code.line(&format!("{shard}.Unlock()"));
        }
        self.code.close("}");
    }

    // ---- pools ----

    /// The array that this goroutine keeps a pool's buffers in.
    fn taken(&mut self, pool: VarId) -> String {
        let track = if self.track() == 0 { String::new() } else { self.track().to_string() };
        let name = format!("{}Taken{track}", self.name(pool));
        if !self.taken.iter().any(|array| array.name == name) {
            let length = most_taken(&self.scenario.steps, pool).max(1);
            self.taken.push(TakenArray { name: name.clone(), length });
        }
        name
    }

    pub(super) fn pool_get(&mut self, get: &PoolGet) {
        let (name, taken) = (self.name(get.pool), self.taken(get.pool));
        let count = grouped(get.count);
        let use_of = |bytes: u64| {
            let written = match get.written {
                Written::None => "0".to_owned(),
                Written::FirstByte => "1".to_owned(),
                Written::All => size(bytes),
            };
            format!("b.use({}, {written})", size(bytes))
        };
        if let [only] = get.mix.as_slice() {
            self.code.open(&format!("for i := 0; i < {count}; i++ {{"));
            self.code.line(&format!("b := {name}.Get().(*buffer)"));
            self.code.line(&use_of(only.object.size_bytes));
        } else {
            self.types.need(Helper::Stream);
            let numbers = format!("newStream(seed, {}, {})", get.seed, self.turn_of_numbers());
            self.code.open(&format!("for i, numbers := 0, {numbers}; i < {count}; i++ {{"));
            self.code.line(&format!("b := {name}.Get().(*buffer)"));
            let weights: u64 = get.mix.iter().map(|part| u64::from(part.weight)).sum();
            self.code.line(&format!("switch n := numbers.below({weights}); {{"));
            let mut below = 0;
            for (index, part) in get.mix.iter().enumerate() {
                below += u64::from(part.weight);
                let last = index + 1 == get.mix.len();
                self.code.open(&if last { "default:".to_owned() } else { format!("case n < {below}:") });
                self.code.line(&use_of(part.object.size_bytes));
                self.code.end_case();
            }
            self.code.line("}");
        }
        self.code.line(&format!("{taken}[{taken}Count] = b"));
        self.code.line(&format!("{taken}Count++"));
        self.code.close("}");
    }

    pub(super) fn pool_put(&mut self, put: &PoolPut) {
        let (name, taken) = (self.name(put.pool), self.taken(put.pool));
        self.code.open(&format!("for i := 0; i < {}; i++ {{", grouped(put.count)));
        self.code.line(&format!("{taken}Count--"));
        self.code.line(&format!("b := {taken}[{taken}Count]"));
        self.code.line(&format!("{taken}[{taken}Count] = nil"));
        match put.max_put_bytes {
            Some(bytes) => {
                self.code.open(&format!("if cap(b.data) <= {} {{", size(bytes)));
                self.code.line(&format!("{name}.Put(b)"));
                self.code.close("}");
            }
            None => self.code.line(&format!("{name}.Put(b)")),
        }
        self.code.close("}");
    }

    /// Declarations of the types of maps behind locks, and of what pools hold.
    pub(super) fn declare_shards(&mut self) {
        if self.scenario.vars.values().any(|var_type| *var_type == VarType::Pool) {
            self.types.need(Helper::Buffer);
        }
        for index in 0..self.scenario.vars.len() {
            let var = VarId(index);
            let VarType::Locked { key, value, lock, .. } = self.scenario.var(var) else { continue };
            let lock_bytes = if *lock == Lock::RwMutex { 24 } else { 8 };
            let map = format!("map[{}]{}", self.types.text(&key.go_type), self.types.text(&value.go_type));
            let padding = SHARD_BYTES - lock_bytes - POINTER_BYTES;
            let name = self.name(var);
            let text = format!(
                "// A {name}Shard is a map behind a lock, two cache lines long.\ntype {name}Shard struct {{\n\t{}\n\tm map_type\n\t_ [{padding}]byte\n}}\n\n",
                lock.name()
            );
            self.types.declare(&format!("{name}Shard"), text.replace("map_type", &map));
        }
    }
}

/// Most buffers of a pool that one goroutine has at a time.
fn most_taken(steps: &[Spanned<Step>], pool: VarId) -> u64 {
    walk_taken(steps, pool, 0).1
}

/// Buffers at the end, and the most on the way, when there are so many at the start.
fn walk_taken(steps: &[Spanned<Step>], pool: VarId, start: u64) -> (u64, u64) {
    let (mut now, mut most) = (start, start);
    for step in steps {
        match step.as_ref() {
            Step::Get(get) if get.pool == pool => now = now.saturating_add(get.count),
            Step::Put(put) if put.pool == pool => now = now.saturating_sub(put.count),
            Step::Repeat(repeat) => {
                let (end, peak) = walk_taken(&repeat.steps, pool, now);
                let more = end.saturating_sub(now).saturating_mul(repeat.times - 1);
                most = most.max(peak.saturating_add(more));
                now = end.saturating_add(more);
            }
            Step::Parallel(tracks) => {
                for track in tracks {
                    most = most.max(walk_taken(track, pool, 0).1);
                }
            }
            _ => {}
        }
        most = most.max(now);
    }
    (now, most)
}

/// The pools and the arrays beside them.
pub(super) fn pool_variables(pools: &[String], taken: &[TakenArray]) -> String {
    let mut text: String =
        pools.iter().map(|name| format!("var {name} = sync.Pool{{New: newBuffer}}\n\n")).collect();
    if taken.is_empty() {
        return text;
    }
    text.push_str("// What goroutines have got from pools and not put back.\nvar (\n");
    let rows: Vec<(String, String)> = taken
        .iter()
        .flat_map(|array| {
            let of_array = (array.name.clone(), format!("[{}]*buffer", array.length));
            [of_array, (format!("{}Count", array.name), "int".to_owned())]
        })
        .collect();
    text.push_str(&super::code::columns(&rows));
    text.push_str(")\n\n");
    text
}
