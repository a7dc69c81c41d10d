//! Steps on `sync.Map`, on maps behind locks and on pools.

use indexmap::IndexMap;

use super::Machine;
use super::maps::{more_if, written_bytes};
use super::task::{Progress, SLICE};
use super::variable::Value;
use crate::container::entry::Inserted;
use crate::container::map::Map;
use crate::container::sync_map::{Stored, SyncMap};
use crate::container::sync_pool::{PoolList, Pooled, SyncPool};
use crate::heap::mutator::{Mutator, Operation};
use crate::heap::object::{Layout, ObjRef};
use crate::process::{
    Global, LockKind, LockTimes, LockUse, LockedBatch, PoolPath, Process, SyncMapOperation,
};
use crate::scenario::splitmix64::SplitMix64;
use crate::scenario::{InsertValue, KeysIter, Lock, Make, PoolGet, PoolPut, VarId, VarType};

/// Ints below this need no box (`runtime/iface.go` `convT64`, `staticuint64s`).
const BOXED_FROM: u32 = 256;
/// A boxed int.
const INT_BOX: Layout = Layout::noscan(8);
/// `buffer`: a struct of one slice.
const BUFFER: Layout = Layout::scan(24, 1, 8);
/// Operations behind locks of one slice of work.
const LOCKED_SLICE: usize = 256;

/// Maps behind locks.
pub(super) struct LockedMaps {
    maps: Vec<Map>,
    roots: Vec<Global>,
    times: LockTimes,
}

/// A pool, and the buffers that goroutines have got from it, by track.
pub(super) struct PoolVariable {
    pool: SyncPool,
    taken: IndexMap<usize, TakenBuffers>,
    cycles_seen: u64,
}

/// What one track has got from a pool and not put back.
#[derive(Default)]
struct TakenBuffers {
    /// Elements of the program's array, in use from the front.
    places: Vec<Global>,
    buffers: Vec<Taken>,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    buffer: ObjRef,
    cap_bytes: u64,
    path: PoolPath,
}

/// A `get` in the middle of being carried out.
pub(super) struct GetTask<'s> {
    step: &'s PoolGet,
    left: u64,
    rng: SplitMix64,
    /// Buffers whose lengths were drawn.
    pub(super) drawn: u64,
}

impl<'s> GetTask<'s> {
    pub(super) fn new(step: &'s PoolGet, run_seed: u64, turn: u64) -> GetTask<'s> {
        GetTask { step, left: step.count, rng: SplitMix64::new(run_seed, step.seed, turn), drawn: 0 }
    }

    /// How long the next buffer is made.
    fn draw(&mut self) -> u64 {
        if let [only] = self.step.mix.as_slice() {
            return only.object.size_bytes;
        }
        self.drawn += 1;
        let weights = self.step.mix.iter().map(|part| u64::from(part.weight)).sum();
        let mut ticket = self.rng.below(weights);
        for part in &self.step.mix {
            match ticket.checked_sub(u64::from(part.weight)) {
                Some(rest) => ticket = rest,
                None => return part.object.size_bytes,
            }
        }
        panic!("ticket {ticket} beyond {weights} weights")
    }
}

/// The list of all pools, as far as the interpreter knows it.
pub(super) struct Pools {
    list: PoolList,
    cycles_seen: u64,
}

impl Machine<'_> {
    /// Variables that are ready as they are.
    pub(super) fn make_ready(&mut self) {
        let types: Vec<&VarType> = self.scenario.vars.values().collect();
        for (index, var_type) in types.into_iter().enumerate() {
            match var_type {
                VarType::SyncMap => {
                    let map = SyncMap::new(&mut self.process);
                    self.variables[index].value = Value::SyncMap(Box::new(map));
                }
                VarType::Pool => {
                    let pool = PoolVariable::new(&mut self.process);
                    self.variables[index].value = Value::Pool(Box::new(pool));
                    self.pools.get_or_insert_with(|| Pools::new(&mut self.process));
                }
                _ => {}
            }
        }
    }

    // ---- sync.Map ----

    /// `m.Store(k, v)` for the next keys.
    pub(super) fn store_slice(&mut self, task: &mut super::maps::InsertTask) -> Progress {
        let var = task.step.var;
        let (mut new, mut replaced) = (0, 0);
        for key in task.keys.by_ref().take(SLICE) {
            let key_box = self.box_int(key);
            self.process.push_local(key_box);
            let value = match &task.step.value {
                InsertValue::Zero => self.box_int(key),
                InsertValue::New { object, written } => {
                    let run = self.process.alloc_run(*object, 1);
                    self.process.write_run(run, written_bytes(*written, object.size_bytes));
                    run.first()
                }
                InsertValue::Shared(from) => {
                    self.read_shared_value(*from, key, &mut task.value);
                    task.value.pop().unwrap_or(ObjRef::NIL)
                }
            };
            self.process.push_local(value);
            let map = self.variables[var.0].sync_map();
            match map.store(&mut self.process, key, key_box, value) {
                Stored::New => new += 1,
                Stored::Replaced => replaced += 1,
            }
            self.process.pop_local();
            self.process.pop_local();
        }
        let bytes = self.variables[var.0].sync_map().working_set_bytes();
        self.process.spend_on_sync_map(SyncMapOperation::Store, new, bytes);
        self.process.spend_on_sync_map(SyncMapOperation::Overwrite, replaced, bytes);
        more_if(task.keys.size_hint().0 > 0)
    }

    /// An int as an interface.
    fn box_int(&mut self, value: u32) -> ObjRef {
        if value < BOXED_FROM {
            return ObjRef::NIL;
        }
        let run = self.process.alloc_run(INT_BOX, 1);
        self.process.write_run(run, INT_BOX.size_bytes);
        run.first()
    }

    /// `m.Load(k)` or `m.Delete(k)` for the next keys.
    pub(super) fn sync_map_slice(&mut self, var: VarId, keys: &mut KeysIter, deletes: Deletes) -> Progress {
        let map = self.variables[var.0].sync_map();
        let (mut hits, mut all) = (0, 0);
        for key in keys.by_ref().take(SLICE) {
            let found = match deletes {
                Deletes::Yes => map.delete(&mut self.process, key),
                Deletes::No => map.load(&mut self.process, key),
            };
            hits += u64::from(found);
            all += 1;
        }
        let bytes = map.working_set_bytes();
        let (of_hit, of_miss) = match deletes {
            Deletes::Yes => (SyncMapOperation::Delete, SyncMapOperation::LoadMiss),
            Deletes::No => (SyncMapOperation::LoadHit, SyncMapOperation::LoadMiss),
        };
        self.process.spend_on_sync_map(of_hit, hits, bytes);
        self.process.spend_on_sync_map(of_miss, all - hits, bytes);
        more_if(keys.size_hint().0 > 0)
    }

    /// `m.Range(f)`, or a range loop over a map.
    pub(super) fn range(&mut self, var: VarId) {
        match &mut self.variables[var.0].value {
            Value::SyncMap(map) => {
                let count = map.range(&mut self.process).len() as u64;
                let bytes = map.working_set_bytes();
                self.process.spend_on_sync_map(SyncMapOperation::Range, count, bytes);
            }
            Value::Map(map) => map.range(&mut self.process, |_, _| {}),
            Value::Locked(locked) => {
                locked.maps.iter_mut().for_each(|map| map.range(&mut self.process, |_, _| {}));
            }
            _ => {}
        }
    }

    // ---- maps behind locks ----

    /// Makes every shard, each with its part of the room.
    pub(super) fn make_locked(&mut self, make: &Make) {
        let VarType::Locked { shards, .. } = *self.scenario.var(make.var) else {
            panic!("{} is not behind locks", self.scenario.var_name(make.var));
        };
        let mut locked = LockedMaps { maps: Vec::new(), roots: Vec::new(), times: LockTimes::default() };
        self.variables[make.var.0].forget(&mut self.process);
        for _ in 0..shards {
            let map = self.new_map(make.var, make.hint / u64::from(shards));
            let root = self.process.new_global();
            self.process.set_global(root, map.object());
            locked.maps.push(map);
            locked.roots.push(root);
        }
        self.variables[make.var.0].value = Value::Locked(Box::new(locked));
    }

    fn lock_kind(&self, var: VarId) -> LockKind {
        match self.scenario.var(var) {
            VarType::Locked { lock: Lock::Mutex, .. } => LockKind::Mutex,
            VarType::Locked { lock: Lock::RwMutex, .. } => LockKind::RwMutex,
            other => panic!("{} is a {other}", self.scenario.var_name(var)),
        }
    }

    /// `s := &m[k%n]; s.Lock(); s.m[k] = v; s.Unlock()` for the next keys.
    pub(super) fn locked_insert_slice(&mut self, task: &mut super::maps::InsertTask) -> Progress {
        let var = task.step.var;
        let start_ns = self.process.exact_now_ns();
        let (mut new, mut updated) = (0, 0);
        let keys: Vec<u32> = task.keys.by_ref().take(LOCKED_SLICE).collect();
        if let [only] = self.variables[var.0].locked().maps.as_slice() {
            only.bring_keys_near(&keys);
        }
        for key in keys {
            task.value.clear();
            match &task.step.value {
                InsertValue::Zero => {}
                InsertValue::New { object, written } => {
                    let run = self.process.alloc_run(*object, 1);
                    self.process.write_run(run, written_bytes(*written, object.size_bytes));
                    task.value.push(run.first());
                }
                InsertValue::Shared(from) => self.read_shared_value(*from, key, &mut task.value),
            }
            let locals = task.value.len();
            task.value.iter().for_each(|pointer| self.process.push_local(*pointer));
            let map = self.variables[var.0].locked().shard(key);
            if locals > 0 {
                task.value.resize(map.map_type().elem().pointer_slots as usize, ObjRef::NIL);
            }
            match map.insert(&mut self.process, key, &[], &task.value) {
                Inserted::New => new += 1,
                Inserted::Updated => updated += 1,
            }
            (0..locals).for_each(|_| self.process.pop_local());
        }
        let locked = self.variables[var.0].locked();
        let (bytes, load, moved) = (locked.working_set_bytes(), locked.load(), locked.take_evacuated());
        let with_pointers = locked.with_pointers(new);
        self.process.spend_on_inserts(new, bytes, load);
        self.process.spend(Operation::MapPointers, with_pointers, bytes);
        self.process.spend(Operation::MapUpdate, updated, bytes);
        self.process.spend(Operation::MapEvacuate, moved, bytes);
        self.settle(var, start_ns, new + updated, LockUse::Write);
        more_if(task.keys.size_hint().0 > 0)
    }

    /// Lookups or deletes behind locks.
    pub(super) fn locked_slice(&mut self, var: VarId, keys: &mut KeysIter, deletes: Deletes) -> Progress {
        let start_ns = self.process.exact_now_ns();
        let locked = self.variables[var.0].locked();
        let (mut hits, mut all) = (0, 0);
        for key in keys.by_ref().take(LOCKED_SLICE) {
            let map = locked.shard(key);
            let found = match deletes {
                Deletes::Yes => map.delete(&mut self.process, key),
                Deletes::No => map.contains(key),
            };
            hits += u64::from(found);
            all += 1;
        }
        let (bytes, moved) = (locked.working_set_bytes(), locked.take_evacuated());
        let with_pointers = locked.with_pointers(hits);
        match deletes {
            Deletes::Yes => {
                self.process.spend(Operation::MapDelete, all, bytes);
                self.process.spend(Operation::MapPointers, with_pointers, bytes);
            }
            Deletes::No => {
                self.process.spend(Operation::MapLookupHit, hits, bytes);
                self.process.spend(Operation::MapLookupMiss, all - hits, bytes);
            }
        }
        self.process.spend(Operation::MapEvacuate, moved, bytes);
        let lock_use = match (deletes, self.lock_kind(var)) {
            (Deletes::No, LockKind::RwMutex) => LockUse::Read,
            _ => LockUse::Write,
        };
        self.settle(var, start_ns, all, lock_use);
        more_if(keys.size_hint().0 > 0)
    }

    fn settle(&mut self, var: VarId, start_ns: f64, count: u64, lock_use: LockUse) {
        let lock = self.lock_kind(var);
        let locked = self.variables[var.0].locked();
        let (locks, working_set_bytes) = (locked.maps.len() as u32, locked.working_set_bytes());
        let batch = LockedBatch { start_ns, count, lock_use, locks, working_set_bytes };
        self.process.spend_on_locks(&batch, lock);
        self.process.settle_locks(&mut locked.times, &batch);
    }

    // ---- pools ----

    pub(super) fn get_slice(&mut self, task: &mut GetTask) -> Progress {
        for _ in 0..task.left.min(SLICE as u64) {
            let len_bytes = task.draw();
            self.pool_get(task.step, len_bytes);
            task.left -= 1;
        }
        more_if(task.left > 0)
    }

    pub(super) fn put_slice(&mut self, step: &PoolPut, left: &mut u64) -> Progress {
        for _ in 0..(*left).min(SLICE as u64) {
            self.pool_put(step);
            *left -= 1;
        }
        more_if(*left > 0)
    }

    /// `b := pool.Get().(*buffer); b.use(n)` for one buffer.
    fn pool_get(&mut self, step: &PoolGet, len_bytes: u64) {
        self.catch_up_pools(step.pool);
        let p = self.process.current_p();
        let list = &mut self.pools.as_mut().expect("there is a pool").list;
        let variable = self.variables[step.pool.0].pool();
        let taken_here = variable.taken.entry(self.track).or_default();
        let place = taken_here.buffers.len();
        if place == taken_here.places.len() {
            taken_here.places.push(self.process.new_global());
        }
        let global = taken_here.places[place];
        let got = variable.pool.get(&mut self.process, list, p);
        let mut taken = match got {
            Some(Pooled { object, note }) => {
                Taken { buffer: object, cap_bytes: note, path: PoolPath::Shared }
            }
            None => {
                let buffer = self.process.alloc(BUFFER);
                self.process.write_part(buffer, 0, BUFFER.size_bytes);
                Taken { buffer, cap_bytes: 0, path: PoolPath::New }
            }
        };
        // Whoever puts back before getting again finds the private place filled.
        if got.is_some() && place == 0 {
            taken.path = PoolPath::Private;
        }
        self.process.set_global(global, taken.buffer);
        if taken.cap_bytes < len_bytes {
            let array = self.process.alloc_run(Layout::noscan(len_bytes), 1).first();
            self.process.set_pointer(taken.buffer, 0, array);
            taken.cap_bytes = len_bytes;
        }
        let array = self.process.pointer(taken.buffer, 0);
        self.process.write_again(array, written_bytes(step.written, len_bytes));
        self.variables[step.pool.0].pool().taken[&self.track].buffers.push(taken);
        self.process.spend_on_pool(taken.path);
        self.catch_up_pools(step.pool);
    }

    /// `pool.Put(b)` for the newest buffer that was got.
    fn pool_put(&mut self, step: &PoolPut) {
        self.catch_up_pools(step.pool);
        let p = self.process.current_p();
        let list = &mut self.pools.as_mut().expect("there is a pool").list;
        let variable = self.variables[step.pool.0].pool();
        let taken_here = variable.taken.get_mut(&self.track).expect("checked: buffers were got");
        let taken = taken_here.buffers.pop().expect("checked: as many were got");
        let global = taken_here.places[taken_here.buffers.len()];
        if step.max_put_bytes.is_none_or(|most| taken.cap_bytes <= most) {
            let pooled = Pooled { object: taken.buffer, note: taken.cap_bytes };
            variable.pool.put(&mut self.process, list, p, pooled);
        }
        self.process.set_global(global, ObjRef::NIL);
        self.catch_up_pools(step.pool);
    }

    /// The books of a pool and of the list learn of cycles that have started.
    fn catch_up_pools(&mut self, var: VarId) {
        let begun = self.process.cycles_begun();
        if let Some(pools) = &mut self.pools
            && pools.cycles_seen < begun
        {
            pools.cycles_seen = begun;
            pools.list.cleanup(&mut self.process);
        }
        let variable = self.variables[var.0].pool();
        for _ in variable.cycles_seen..begun.min(variable.cycles_seen + 2) {
            variable.pool.cleanup(&mut self.process);
        }
        variable.cycles_seen = begun;
    }
}

/// Whether keys are deleted or looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletes {
    Yes,
    No,
}

impl LockedMaps {
    /// The maps, in the order of their shards.
    pub(super) fn maps(&self) -> &[Map] {
        &self.maps
    }

    fn shard(&mut self, key: u32) -> &mut Map {
        let shards = self.maps.len() as u32;
        &mut self.maps[(key % shards) as usize]
    }

    fn working_set_bytes(&self) -> u64 {
        self.maps.iter().map(Map::working_set_bytes).sum()
    }

    /// Entries a bucket.
    fn load(&self) -> f64 {
        let entries: u64 = self.maps.iter().map(Map::len).sum();
        entries as f64 / self.maps.iter().map(Map::bucket_count).sum::<f64>()
    }

    fn take_evacuated(&mut self) -> u64 {
        self.maps.iter_mut().map(Map::take_moved).sum()
    }

    /// `count` if the values hold pointers, otherwise 0.
    fn with_pointers(&self, count: u64) -> u64 {
        let pointer_slots = self.maps.first().map_or(0, |map| map.map_type().elem().pointer_slots);
        if pointer_slots > 0 { count } else { 0 }
    }

    /// `clear(m)` of every shard.
    pub(super) fn clear(&mut self, process: &mut Process) {
        self.maps.iter_mut().for_each(|map| map.clear(process));
    }

    /// The variables are nil.
    pub(super) fn forget(&self, process: &mut Process) {
        self.roots.iter().for_each(|root| process.set_global(*root, ObjRef::NIL));
    }
}

impl PoolVariable {
    fn new(process: &mut Process) -> PoolVariable {
        let procs = process.settings().procs as usize;
        let pool = SyncPool::new(process, procs);
        let (local, victim) = pool.globals();
        process.clear_at_cycles(local, victim);
        PoolVariable { pool, taken: IndexMap::new(), cycles_seen: process.cycles_begun() }
    }
}

impl Pools {
    fn new(process: &mut Process) -> Pools {
        let list = PoolList::new(process);
        let (all, old) = list.globals();
        process.clear_at_cycles(all, old);
        Pools { list, cycles_seen: process.cycles_begun() }
    }
}
