//! `sync.Pool`: objects to be used again, until the collector has come by twice.
//!
//! **Mechanism.** Every P has one *private* object and a chain of rings ([`chain`]) that it alone pushes to and any P may take
//! from. When a cycle starts, all of that becomes the pool's *victim cache*, and the victim cache of the cycle before is
//! forgotten.
//!
//! **Why.** Taking and returning needs no lock; and a pool that nobody uses empties itself in two cycles, so it is no leak. But
//! an object that comes back again and again stays: a buffer that once grew to a megabyte is a megabyte for the next user
//! who needs a hundred bytes, for as long as the pool is busy.
//!
//! # Steps
//!
//! 1. Any operation *pins*: without an array for the Ps it makes one, 128 B a P, and enters the pool in the list of all pools
//!    ([`PoolList`]).
//! 2. **put**: the P's private place if it is free, else its chain.
//! 3. **get**: own private, own chain's newest, oldest of the other Ps' chains, own private in the victim cache, oldest of any
//!    chain there. When all fails the victim cache is closed until the next cycle.
//! 4. **cleanup**, when a cycle starts: the process has moved the variables; the pool catches up in its books.
//!
//! # Invariants
//!
//! - What the pool will give is reachable from its two variables, and everything else it ever held is not.
//!
//! **Differences from Go.** A cycle may start inside an operation, where Go's is pinned; then it counts as started at the end
//! of it. Goroutines take turns, so no steal fails. GOMAXPROCS does not change. An object is put while the
//! caller still refers to it.
//!
//! **Sources.** `sync/pool.go`, `sync/poolqueue.go`, Go 1.21.13 to 1.27.3 (the same in all).

pub mod chain;
#[cfg(test)]
mod tests;

use chain::Chain;

use crate::heap::mutator::{Global, Mutator, Variables};
use crate::heap::object::{Layout, ObjRef};

/// Bytes of a P's part of the array (`poolLocal`): padded to two cache lines.
const LOCAL_BYTES: u64 = 128;
/// End of its last pointer: the private interface and the chain's two ends.
const LOCAL_SCAN_BYTES: u64 = 32;
/// Pointers in it: private object, newest and oldest ring.
const LOCAL_SLOTS: u32 = 3;
const POINTER_BYTES: u64 = 8;

/// An object in a pool, and what the program knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooled {
    /// The object.
    pub object: ObjRef,
    /// Anything: the pool does not look at it.
    pub note: u64,
}

/// What one P has.
#[derive(Clone, Debug, Default)]
struct Local {
    private: Option<Pooled>,
    chain: Chain,
}

/// An array with a part for each P.
#[derive(Clone, Debug)]
struct Locals {
    array: ObjRef,
    of: Vec<Local>,
}

/// Whether `get` looks into the victim cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Open,
    Closed,
}

/// A `sync.Pool` in a package-level variable. See the [module](self) for how it works.
#[derive(Clone, Debug)]
pub struct SyncPool {
    local_global: Global,
    victim_global: Global,
    procs: usize,
    local: Option<Locals>,
    victim: Option<Locals>,
    victim_state: Victim,
}

impl SyncPool {
    /// An empty pool of a process with so many Ps.
    pub fn new<M: Variables>(m: &mut M, procs: usize) -> SyncPool {
        let (local_global, victim_global) = (m.new_global(), m.new_global());
        SyncPool {
            local_global,
            victim_global,
            procs,
            local: None,
            victim: None,
            victim_state: Victim::Closed,
        }
    }

    /// The variables whose contents the start of a cycle moves, from the first into the second.
    pub fn globals(&self) -> (Global, Global) {
        (self.local_global, self.victim_global)
    }

    /// What the start of a cycle does, in the pool's books. The variables are the books' again, whenever in an operation the
    /// cycle has started.
    pub fn cleanup<M: Variables>(&mut self, m: &mut M) {
        self.victim = self.local.take();
        self.victim_state = Victim::Open;
        m.set_global(self.local_global, ObjRef::NIL);
        m.set_global(self.victim_global, self.victim.as_ref().map_or(ObjRef::NIL, |victim| victim.array));
    }

    /// The P's part of the array, which is made if there is none.
    fn pin<M: Variables>(&mut self, m: &mut M, pools: &mut PoolList) -> &mut Locals {
        if self.local.is_none() {
            pools.enter(m);
            let (procs, last) = (self.procs as u64, (self.procs - 1) as u64);
            let scan_bytes = last * LOCAL_BYTES + LOCAL_SCAN_BYTES;
            let array = m.alloc(Layout::scan(procs * LOCAL_BYTES, procs as u32 * LOCAL_SLOTS, scan_bytes));
            m.touch(array, 0, procs * LOCAL_BYTES);
            m.set_global(self.local_global, array);
            self.local = Some(Locals { array, of: vec![Local::default(); self.procs] });
        }
        self.local.as_mut().expect("made above")
    }

    /// `Put` by a goroutine on P `p`. The object is a local of the caller.
    pub fn put<M: Variables>(&mut self, m: &mut M, pools: &mut PoolList, p: usize, pooled: Pooled) {
        let Locals { array, of } = self.pin(m, pools);
        let first_slot = p as u32 * LOCAL_SLOTS;
        let local = &mut of[p];
        if local.private.is_none() {
            local.private = Some(pooled);
            m.set_pointer(*array, first_slot, pooled.object);
        } else {
            local.chain.push_head(m, *array, first_slot + 1, pooled);
        }
    }

    /// `Get` by a goroutine on P `p`; `None` when `New` has to make one. The caller makes the object a local.
    pub fn get<M: Variables>(&mut self, m: &mut M, pools: &mut PoolList, p: usize) -> Option<Pooled> {
        let Locals { array, of } = self.pin(m, pools);
        let own = take_private(m, *array, &mut of[p], p).or_else(|| of[p].chain.pop_head(m));
        own.or_else(|| steal(m, self.local.as_mut(), p + 1)).or_else(|| self.take_from_victim(m, p))
    }

    fn take_from_victim<M: Mutator>(&mut self, m: &mut M, p: usize) -> Option<Pooled> {
        if self.victim_state == Victim::Closed {
            return None;
        }
        let victim = self.victim.as_mut()?;
        let found = take_private(m, victim.array, &mut victim.of[p], p).or_else(|| steal(m, Some(victim), p));
        if found.is_none() {
            self.victim_state = Victim::Closed;
        }
        found
    }

    /// Everything that the pool holds, in no order that means anything.
    pub fn contents(&self) -> impl Iterator<Item = Pooled> {
        let locals = self.local.iter().chain(&self.victim).flat_map(|locals| &locals.of);
        locals.flat_map(|local| local.private.into_iter().chain(local.chain.contents()))
    }
}

fn take_private<M: Mutator>(m: &mut M, array: ObjRef, local: &mut Local, p: usize) -> Option<Pooled> {
    let taken = local.private.take()?;
    m.set_pointer(array, p as u32 * LOCAL_SLOTS, ObjRef::NIL);
    Some(taken)
}

/// The oldest object of the first chain that has one, P `first` first.
fn steal<M: Mutator>(m: &mut M, locals: Option<&mut Locals>, first: usize) -> Option<Pooled> {
    let Locals { array, of } = locals?;
    let procs = of.len();
    (0..procs).map(|offset| (first + offset) % procs).find_map(|p| {
        let chain = &mut of[p].chain;
        chain.pop_tail(m, *array, p as u32 * LOCAL_SLOTS + 2)
    })
}

/// The list of pools that have been used since the last cycle began (`allPools`), which a cycle empties like the pools.
#[derive(Clone, Debug)]
pub struct PoolList {
    list_global: Global,
    old_global: Global,
    len: u64,
    cap: u64,
}

impl PoolList {
    /// An empty list.
    pub fn new<M: Variables>(m: &mut M) -> PoolList {
        PoolList { list_global: m.new_global(), old_global: m.new_global(), len: 0, cap: 0 }
    }

    /// The variables whose contents the start of a cycle moves, from the first into the second.
    pub fn globals(&self) -> (Global, Global) {
        (self.list_global, self.old_global)
    }

    /// What the start of a cycle does, in the books.
    pub fn cleanup<M: Variables>(&mut self, m: &mut M) {
        (self.len, self.cap) = (0, 0);
        m.set_global(self.list_global, ObjRef::NIL);
    }

    /// `allPools = append(allPools, p)`. Pools are variables, not objects: the pointers lead nowhere on the heap.
    fn enter<M: Variables>(&mut self, m: &mut M) {
        if self.len == self.cap {
            self.cap = (2 * self.cap).max(1);
            let bytes = self.cap * POINTER_BYTES;
            let list = m.alloc(Layout::scan(bytes, self.cap as u32, bytes));
            m.touch(list, 0, bytes);
            m.set_global(self.list_global, list);
        }
        self.len += 1;
    }
}
