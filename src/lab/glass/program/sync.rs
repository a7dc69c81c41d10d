//! Maps behind locks, `sync.Map` and `sync.Pool`.

use super::{Program, Value, written_bytes};
use crate::container::map::Map;
use crate::container::sync_map::{Stored, SyncMap};
use crate::container::sync_pool::{PoolList, Pooled, SyncPool};
use crate::heap::mutator::{Global, Mutator, Variables};
use crate::heap::object::{Layout, ObjRef};
use crate::lab::glass::event::{Event, SyncBuild};
use crate::lab::glass::picture::MapPicture;
use crate::scenario::{Insert, InsertValue, PoolGet, PoolPut, VarId, VarType};

/// Ints below this need no box (`runtime/iface.go` `convT64`).
const BOXED_FROM: u32 = 256;
/// A boxed int.
const INT_BOX: Layout = Layout::noscan(8);
/// `buffer`: a struct of one slice.
const BUFFER: Layout = Layout::scan(24, 1, 8);

/// Maps behind locks: key `k` is in number `k % maps`.
pub(super) struct LockedMaps {
    pub maps: Vec<Map>,
    pub names: Vec<String>,
    pub lock: &'static str,
    roots: Vec<Global>,
}

impl LockedMaps {
    pub(super) fn pictures(&mut self) -> Vec<MapPicture> {
        self.maps.iter_mut().zip(&self.names).map(|(map, name)| MapPicture::of(name, map)).collect()
    }
}

/// A pool, and the buffers that the program has got from it.
pub(super) struct Pool {
    pool: SyncPool,
    /// Variables that hold buffers, in use from the front.
    places: Vec<Global>,
    taken: Vec<Taken>,
    cycles_seen: u32,
}

#[derive(Clone, Copy)]
struct Taken {
    buffer: ObjRef,
    cap_bytes: u64,
}

/// The list of all pools.
pub(super) struct Pools {
    list: PoolList,
    cycles_seen: u32,
}

impl Program<'_> {
    /// Variables that are ready as they are.
    pub(super) fn make_ready(&mut self) {
        let types: Vec<&VarType> = self.scenario.vars.values().collect();
        for (index, var_type) in types.into_iter().enumerate() {
            let name = self.variables[index].name.clone();
            match var_type {
                VarType::SyncMap => {
                    let names = match self.build() {
                        SyncBuild::ReadDirty => vec![format!("{name}.read"), format!("{name}.dirty")],
                        SyncBuild::Trie => vec![name],
                    };
                    self.glass.name_globals(names);
                    let map = SyncMap::new(&mut self.glass);
                    self.variables[index].value = Value::SyncMap(Box::new(map));
                }
                VarType::Pool => self.variables[index].value = Value::Pool(Box::new(self.new_pool(&name))),
                _ => {}
            }
        }
    }

    fn build(&self) -> SyncBuild {
        if self.glass.version.has_sync_map_trie() { SyncBuild::Trie } else { SyncBuild::ReadDirty }
    }

    /// `v = nil` for what is not one pointer: `true` if it was that.
    pub(super) fn reset(&mut self, var: VarId) -> bool {
        match &mut self.variables[var.0].value {
            Value::SyncMap(map) => map.reset(&mut self.glass),
            Value::Locked(locked) => {
                locked.roots.iter().for_each(|root| self.glass.set_global(*root, ObjRef::NIL));
                self.variables[var.0].value = Value::Nil;
            }
            _ => return false,
        }
        self.picture_maps();
        let var = self.name(var);
        self.glass.note(Event::Reset { var });
        true
    }

    // ---- maps behind locks ----

    /// Makes every shard, each with its part of the room.
    pub(super) fn make_locked(&mut self, var: VarId, hint: u64) {
        let VarType::Locked { shards, lock, .. } = self.scenario.var(var) else { return };
        let (shards, lock, own) = (*shards, lock.name(), self.name(var));
        let names: Vec<String> = match shards {
            1 => vec![own],
            _ => (0..shards).map(|shard| format!("{own}[{shard}]")).collect(),
        };
        let mut locked = LockedMaps { maps: Vec::new(), names: names.clone(), lock, roots: Vec::new() };
        self.glass.name_globals(names);
        for _ in 0..shards {
            let map = self.new_map(var, hint / u64::from(shards));
            let root = self.glass.new_global();
            self.glass.set_global(root, map.object());
            locked.maps.push(map);
            locked.roots.push(root);
        }
        self.variables[var.0].value = Value::Locked(Box::new(locked));
    }

    // ---- sync.Map ----

    /// `m.Store(k, v)`: key and value are interfaces, and ints from 256 on need boxes.
    pub(super) fn store(&mut self, step: &Insert, key: u32) {
        let key_box = self.box_int(key);
        self.glass.push_local(key_box);
        let value = match &step.value {
            InsertValue::Zero => self.box_int(key),
            other => {
                let mut pointers = Vec::new();
                self.read_value(other, key, &mut pointers);
                pointers.pop().unwrap_or(ObjRef::NIL)
            }
        };
        self.glass.push_local(value);
        let Value::SyncMap(map) = &mut self.variables[step.var.0].value else { return };
        let over = map.store(&mut self.glass, key, key_box, value) == Stored::Replaced;
        self.glass.pop_local();
        self.glass.pop_local();
        let (var, build) = (self.name(step.var), self.build());
        self.glass.note(Event::Store { var, key, over, build });
    }

    fn box_int(&mut self, value: u32) -> ObjRef {
        if value < BOXED_FROM { ObjRef::NIL } else { self.glass.alloc(INT_BOX) }
    }

    pub(super) fn load(&mut self, var: VarId, key: u32) {
        let Value::SyncMap(map) = &mut self.variables[var.0].value else { return };
        let found = map.load(&mut self.glass, key);
        let (var, build) = (self.name(var), self.build());
        self.glass.note(Event::Load { var, key, found, build });
    }

    pub(super) fn sync_delete(&mut self, var: VarId, key: u32) {
        let Value::SyncMap(map) = &mut self.variables[var.0].value else { return };
        let found = map.delete(&mut self.glass, key);
        let (var, build) = (self.name(var), self.build());
        self.glass.note(Event::SyncDelete { var, key, found, build });
    }

    pub(super) fn sync_range(&mut self, var: VarId) {
        let Value::SyncMap(map) = &mut self.variables[var.0].value else { return };
        let keys = map.range(&mut self.glass).len() as u64;
        let (var, build) = (self.name(var), self.build());
        self.glass.note(Event::SyncRange { var, keys, build });
    }

    // ---- sync.Pool ----

    fn new_pool(&mut self, name: &str) -> Pool {
        if self.pools.is_none() {
            self.glass.name_globals(vec!["allPools".to_owned(), "oldPools".to_owned()]);
            let list = PoolList::new(&mut self.glass);
            self.glass.clear_at_cycles(list.globals());
            self.pools = Some(Pools { list, cycles_seen: 0 });
        }
        self.glass.name_globals(vec![name.to_owned(), format!("{name}.victim")]);
        // One P, as everything else here.
        let pool = SyncPool::new(&mut self.glass, 1);
        self.glass.clear_at_cycles(pool.globals());
        Pool { pool, places: Vec::new(), taken: Vec::new(), cycles_seen: 0 }
    }

    fn pool(&mut self, var: VarId) -> &mut Pool {
        match &mut self.variables[var.0].value {
            Value::Pool(pool) => pool,
            _ => panic!("{} is no sync.Pool", self.scenario.var_name(var)),
        }
    }

    /// `b := pool.Get().(*buffer); b.use(n)`, and `b` is kept until a put.
    pub(super) fn pool_get(&mut self, step: &PoolGet, len_bytes: u64) {
        self.catch_up_pools(step.pool);
        let place = self.place_for_buffer(step.pool);
        let list = &mut self.pools.as_mut().expect("there is a pool").list;
        let Value::Pool(pool) = &mut self.variables[step.pool.0].value else { return };
        let got = pool.pool.get(&mut self.glass, list, 0);
        let made = got.is_none();
        let mut taken = match got {
            Some(Pooled { object, note }) => Taken { buffer: object, cap_bytes: note },
            None => Taken { buffer: self.glass.alloc(BUFFER), cap_bytes: 0 },
        };
        self.glass.set_global(place, taken.buffer);
        let (var, object) = (self.name(step.pool), self.glass.name(taken.buffer).unwrap_or_default());
        self.glass.note(Event::PoolGet { var, object: object.clone(), made });
        if taken.cap_bytes < len_bytes {
            let written = written_bytes(step.written, len_bytes);
            let array = self.glass.allocate(Layout::noscan(len_bytes), written);
            self.glass.push_local(array);
            self.glass.set_pointer(taken.buffer, 0, array);
            self.glass.pop_local();
            let (before_bytes, array) = (taken.cap_bytes, self.glass.name(array).unwrap_or_default());
            taken.cap_bytes = len_bytes;
            self.glass.note(Event::PoolGrow { object, array, before_bytes, len_bytes });
        }
        self.pool(step.pool).taken.push(taken);
        self.catch_up_pools(step.pool);
    }

    /// The variable for the next buffer that is got.
    fn place_for_buffer(&mut self, var: VarId) -> Global {
        let number = self.pool(var).taken.len();
        if number == self.pool(var).places.len() {
            let name = format!("got[{number}]");
            self.glass.name_globals(vec![name]);
            let place = self.glass.new_global();
            self.pool(var).places.push(place);
        }
        self.pool(var).places[number]
    }

    /// `pool.Put(b)` for the newest buffer that was got.
    pub(super) fn pool_put(&mut self, step: &PoolPut) {
        self.catch_up_pools(step.pool);
        let pool = self.pool(step.pool);
        let Some(taken) = pool.taken.pop() else { return };
        let place = pool.places[pool.taken.len()];
        let (var, object) = (self.name(step.pool), self.glass.name(taken.buffer).unwrap_or_default());
        let event = match step.max_put_bytes {
            Some(most_bytes) if taken.cap_bytes > most_bytes => {
                Event::PoolRefuse { var, object, cap_bytes: taken.cap_bytes, most_bytes }
            }
            _ => {
                let pooled = Pooled { object: taken.buffer, note: taken.cap_bytes };
                let list = &mut self.pools.as_mut().expect("there is a pool").list;
                let Value::Pool(pool) = &mut self.variables[step.pool.0].value else { return };
                pool.pool.put(&mut self.glass, list, 0, pooled);
                Event::PoolPut { var, object }
            }
        };
        self.glass.set_global(place, ObjRef::NIL);
        self.glass.note(event);
        self.catch_up_pools(step.pool);
    }

    /// The books of a pool and of the list learn of cycles that have begun.
    fn catch_up_pools(&mut self, var: VarId) {
        let begun = self.glass.cycles_begun();
        if let Some(pools) = &mut self.pools
            && pools.cycles_seen < begun
        {
            pools.cycles_seen = begun;
            pools.list.cleanup(&mut self.glass);
        }
        let Value::Pool(pool) = &mut self.variables[var.0].value else { return };
        for _ in pool.cycles_seen..begun.min(pool.cycles_seen + 2) {
            pool.pool.cleanup(&mut self.glass);
        }
        pool.cycles_seen = begun;
    }
}
