//! A heap that only counts: the smallest thing a container can live on.
//!
//! It implements [`Mutator`] without spans, collector, residency or time: every object is an entry of a table, charged by
//! the size-class rule. Containers are tested on it, and anyone who wants to know what a map costs can ask it.
//!
//! What it adds to counting is distrust. [`CountingHeap::collect`] frees what no root and no local reaches, and any later
//! use of a freed object panics; with [`Collections::BeforeEveryAllocation`] it does so at every moment at which a real
//! collector could have finished.
//!
//! **Differences from Go.** No tiny allocator: pointer-free objects under 16 B are charged a slot each. References are
//! never reused.

use std::ops::Range;

use super::mutator::{Global, Mutator, Operation, Variables};
use super::object::{Layout, ObjRef};
use super::size_class::charged_bytes;
use crate::version::GoVersion;

/// Objects that share one span number in the references handed out.
const OBJECTS_PER_SPAN: usize = 1024;

/// When a [`CountingHeap`] collects by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collections {
    /// Only when [`CountingHeap::collect`] is called.
    OnRequest,
    /// Before every allocation: a reference that is neither stored nor a local is found out at once.
    BeforeEveryAllocation,
}

/// A [`Mutator`] that counts allocations and can compute what is live.
#[derive(Clone, Debug)]
pub struct CountingHeap {
    version: GoVersion,
    collections: Collections,
    random_state: u64,
    objects: Vec<Object>,
    roots: Vec<ObjRef>,
    locals: Vec<ObjRef>,
    globals: Vec<ObjRef>,
    total_alloc_bytes: u64,
    mallocs: u64,
    touched_bytes: u64,
    operations: Vec<(Operation, u64)>,
}

#[derive(Clone, Debug)]
struct Object {
    size_bytes: u64,
    charged_bytes: u64,
    /// `None` once freed.
    pointers: Option<Box<[ObjRef]>>,
}

impl CountingHeap {
    /// An empty heap of this Go version whose random numbers follow from `seed`.
    pub fn new(version: GoVersion, seed: u64) -> CountingHeap {
        CountingHeap {
            version,
            collections: Collections::OnRequest,
            random_state: seed,
            objects: Vec::new(),
            roots: Vec::new(),
            locals: Vec::new(),
            globals: Vec::new(),
            total_alloc_bytes: 0,
            mallocs: 0,
            touched_bytes: 0,
            operations: Vec::new(),
        }
    }

    /// The same heap with another habit of collecting.
    pub fn collecting(self, collections: Collections) -> CountingHeap {
        CountingHeap { collections, ..self }
    }

    /// Bytes charged since the beginning (`MemStats.TotalAlloc`).
    pub fn total_alloc_bytes(&self) -> u64 {
        self.total_alloc_bytes
    }

    /// Objects allocated since the beginning (`MemStats.Mallocs`).
    pub fn mallocs(&self) -> u64 {
        self.mallocs
    }

    /// Sum of the lengths of all `touch` calls, in bytes.
    pub fn touched_bytes(&self) -> u64 {
        self.touched_bytes
    }

    /// How many operations of this kind were paid for.
    pub fn spent(&self, operation: Operation) -> u64 {
        self.operations.iter().filter(|(kind, _)| *kind == operation).map(|(_, count)| count).sum()
    }

    /// Locals pushed and not yet popped.
    pub fn locals(&self) -> usize {
        self.locals.len()
    }

    /// Makes `obj` reachable until the root is [removed](Self::remove_root), as a global variable would.
    pub fn add_root(&mut self, obj: ObjRef) {
        self.roots.push(obj);
    }

    /// Drops one root that refers to `obj`.
    pub fn remove_root(&mut self, obj: ObjRef) {
        let position = self.roots.iter().position(|root| *root == obj).expect("not a root");
        self.roots.swap_remove(position);
    }

    /// Charged bytes of everything that roots and locals reach: `HeapAlloc` after a collection.
    pub fn live_bytes(&self) -> u64 {
        let reached = self.reach();
        let charges = self.objects.iter().zip(&reached);
        charges.filter(|(_, reached)| **reached).map(|(object, _)| object.charged_bytes).sum()
    }

    /// Whether roots, variables and locals reach `obj`.
    pub fn is_reachable(&self, obj: ObjRef) -> bool {
        self.reach()[Self::position(obj)]
    }

    /// How many objects that were asked for with `size_bytes` roots, variables and locals reach.
    pub fn reachable_of_size(&self, size_bytes: u64) -> u64 {
        let reached = self.reach();
        let matching =
            self.objects.iter().zip(&reached).filter(|(object, _)| object.size_bytes == size_bytes);
        matching.filter(|(_, reached)| **reached).count() as u64
    }

    /// Frees everything that neither roots nor locals reach. Using a freed object panics from here on.
    pub fn collect(&mut self) {
        let reached = self.reach();
        for (object, reached) in self.objects.iter_mut().zip(reached) {
            if !reached {
                object.pointers = None;
            }
        }
    }

    fn reach(&self) -> Vec<bool> {
        let mut reached = vec![false; self.objects.len()];
        let mut queue: Vec<ObjRef> =
            self.roots.iter().chain(&self.locals).chain(&self.globals).copied().collect();
        while let Some(obj) = queue.pop() {
            if obj.is_nil() || std::mem::replace(&mut reached[Self::position(obj)], true) {
                continue;
            }
            queue.extend(self.live_pointers(obj));
        }
        reached
    }

    fn position(obj: ObjRef) -> usize {
        debug_assert!(!obj.is_nil(), "nil pointer dereference");
        (obj.span() as usize - 1) * OBJECTS_PER_SPAN + obj.index() as usize
    }

    fn live_pointers(&self, obj: ObjRef) -> &[ObjRef] {
        let object = &self.objects[Self::position(obj)];
        object.pointers.as_deref().unwrap_or_else(|| panic!("{obj:?} was freed"))
    }

    fn live_pointers_mut(&mut self, obj: ObjRef) -> &mut [ObjRef] {
        let object = &mut self.objects[Self::position(obj)];
        object.pointers.as_deref_mut().unwrap_or_else(|| panic!("{obj:?} was freed"))
    }
}

impl Mutator for CountingHeap {
    fn version(&self) -> GoVersion {
        self.version
    }

    fn alloc(&mut self, layout: Layout) -> ObjRef {
        if self.collections == Collections::BeforeEveryAllocation {
            self.collect();
        }
        let charged_bytes = charged_bytes(self.version, layout);
        self.total_alloc_bytes += charged_bytes;
        self.mallocs += 1;
        let number = self.objects.len();
        let pointers = Some(vec![ObjRef::NIL; layout.pointer_slots as usize].into_boxed_slice());
        self.objects.push(Object { size_bytes: layout.size_bytes, charged_bytes, pointers });
        ObjRef::new((number / OBJECTS_PER_SPAN + 1) as u32, (number % OBJECTS_PER_SPAN) as u32)
    }

    #[inline]
    fn pointer(&self, obj: ObjRef, slot: u32) -> ObjRef {
        self.live_pointers(obj)[slot as usize]
    }

    #[inline]
    fn set_pointer(&mut self, obj: ObjRef, slot: u32, value: ObjRef) {
        self.live_pointers_mut(obj)[slot as usize] = value;
    }

    fn clear_pointers(&mut self, obj: ObjRef, slots: Range<u32>) {
        self.live_pointers_mut(obj)[slots.start as usize..slots.end as usize].fill(ObjRef::NIL);
    }

    #[inline]
    fn touch(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) {
        let object = &self.objects[Self::position(obj)];
        debug_assert!(object.pointers.is_some(), "{obj:?} was freed");
        let size_bytes = object.size_bytes;
        let end_bytes = offset_bytes + len_bytes;
        debug_assert!(end_bytes <= size_bytes, "touched {end_bytes} of {size_bytes} bytes of {obj:?}");
        self.touched_bytes += len_bytes;
    }

    fn push_local(&mut self, obj: ObjRef) {
        self.locals.push(obj);
    }

    fn pop_local(&mut self) {
        self.locals.pop().expect("a local was pushed");
    }

    fn spend(&mut self, operation: Operation, count: u64, _working_set_bytes: u64) {
        match self.operations.iter_mut().find(|(kind, _)| *kind == operation) {
            Some((_, total)) => *total += count,
            None => self.operations.push((operation, count)),
        }
    }

    fn spend_on_inserts(&mut self, count: u64, working_set_bytes: u64, _entries_per_bucket: f64) {
        self.spend(Operation::MapInsert, count, working_set_bytes);
    }

    /// splitmix64.
    fn random(&mut self) -> u64 {
        self.random_state = self.random_state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random_state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Variables for CountingHeap {
    fn new_global(&mut self) -> Global {
        self.globals.push(ObjRef::NIL);
        Global(self.globals.len() - 1)
    }

    fn global(&self, global: Global) -> ObjRef {
        self.globals[global.0]
    }

    fn set_global(&mut self, global: Global, value: ObjRef) {
        self.globals[global.0] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked_pair(heap: &mut CountingHeap) -> (ObjRef, ObjRef) {
        let head = heap.alloc(Layout::scan(16, 1, 8));
        heap.push_local(head);
        let tail = heap.alloc(Layout::noscan(100));
        heap.set_pointer(head, 0, tail);
        heap.pop_local();
        (head, tail)
    }

    #[test]
    fn live_bytes_follow_pointers_from_roots() {
        let mut heap = CountingHeap::new(GoVersion::Go1_23, 1);
        let (head, _) = linked_pair(&mut heap);
        assert_eq!((heap.live_bytes(), heap.total_alloc_bytes(), heap.mallocs()), (0, 16 + 112, 2));
        heap.add_root(head);
        assert_eq!(heap.live_bytes(), 16 + 112);
        heap.set_pointer(head, 0, ObjRef::NIL);
        assert_eq!(heap.live_bytes(), 16);
        heap.remove_root(head);
        assert_eq!(heap.live_bytes(), 0);
    }

    #[test]
    #[should_panic(expected = "was freed")]
    fn a_freed_object_must_not_be_used() {
        let mut heap = CountingHeap::new(GoVersion::Go1_23, 1);
        let (head, _) = linked_pair(&mut heap);
        heap.collect();
        heap.pointer(head, 0);
    }
}
