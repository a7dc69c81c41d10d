//! `sync.Map` since Go 1.24: a trie over the bits of a hash.
//!
//! **Mechanism.** Four bits of the key's 64-bit hash, from the top, choose one of a node's sixteen children; a child is
//! another node or an entry. An entry is immutable: a store over an old value puts a new one in its place.
//!
//! **Why.** A reader follows atomic pointers and needs no lock, a writer locks the one node that it changes. And deleting
//! gives memory back: the entry is unlinked, and so is every node that becomes empty.
//!
//! Expected nodes of `n` keys: `1 + sum over d >= 1 of 16^d * (1 - (1-q)^n - n*q*(1-q)^(n-1))`, with `q = 16^-d`: the root, and
//! every prefix of `d` steps that at least two keys share. That is 0.33 to 0.39 nodes a key. A node has 152 B and takes 160, an
//! entry 48.
//!
//! # Steps
//!
//! 1. The first operation of any kind makes the root.
//! 2. **store**: walk to a child that is nil or an entry. Nil: the new entry goes there. An entry with the key: a new one takes
//!    its place. Another key's: as many nodes as the two hashes agree on, each with one child, and one with both.
//!    Keys whose hashes agree in all bits hang on one another (*overflow*).
//! 3. **delete**: unlink the entry; go up as long as a node is empty and not the root, and unlink it. A node with one child
//!    stays.
//! 4. **clear**: a new root.
//!
//! # Invariants
//!
//! - A node that is not the root has a child. An entry lies at the place that its hash leads to.
//! - The books here name a node or entry exactly as long as the root reaches it.
//!
//! Source: `internal/sync/hashtriemap.go`, Go 1.24.11 and 1.27.3.

use super::Stored;
use crate::heap::mutator::{Global, Variables};
use crate::heap::object::{Layout, ObjRef};

/// `indirect`: flags and lock, the parent, sixteen children.
const NODE: Layout = Layout::scan(152, 17, 152);
/// `entry[any, any]`: flag, overflow, key, value. The types' words lead nowhere on the heap.
const ENTRY: Layout = Layout::scan(48, 3, 48);
/// Children of a node, and the bits of a hash that choose one.
const CHILDREN: usize = 16;
const CHILD_BITS: u32 = 4;
/// Bytes that a node takes (its size class).
const NODE_SLOT_BYTES: u64 = 160;
/// Bytes of an entry and of the boxes of an int key and an int value.
const ENTRY_WITH_BOXES_BYTES: u64 = 48 + 16;

/// Pointers of a node: the parent, then the children.
const PARENT_SLOT: u32 = 0;
const FIRST_CHILD_SLOT: u32 = 1;
/// Pointers of an entry.
const OVERFLOW_SLOT: u32 = 0;
const KEY_SLOT: u32 = 1;
const VALUE_SLOT: u32 = 2;

/// A node's or an entry's place in the books. The root is node 0.
type Index = u32;

/// What a child is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Child {
    #[default]
    Nil,
    Node(Index),
    Entry(Index),
}

#[derive(Clone, Debug)]
struct Node {
    object: ObjRef,
    parent: Option<Index>,
    used: u8,
    children: [Child; CHILDREN],
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    object: ObjRef,
    key: u32,
    overflow: Option<Index>,
}

/// Where a walk has ended: a child that is no node.
#[derive(Clone, Copy, Debug)]
struct Place {
    node: Index,
    /// Bits of the hash below those that chose the child.
    shift: u32,
    child: Child,
}

/// A `sync.Map` of Go 1.24 and later. See the [module](self) for how it works.
#[derive(Clone, Debug)]
pub struct HashTrieMap {
    root_global: Global,
    seed: u64,
    /// Which bits of hashes count: all, but in tests.
    hash_mask: u64,
    nodes: Vec<Node>,
    free_nodes: Vec<Index>,
    entries: Vec<Entry>,
    free_entries: Vec<Index>,
    len: u64,
}

impl HashTrieMap {
    /// An empty map.
    pub fn new<M: Variables>(m: &mut M) -> HashTrieMap {
        HashTrieMap::empty(m.new_global())
    }

    /// An empty map whose hashes agree in the bits that are not in `hash_mask`, so that keys collide.
    #[cfg(test)]
    pub(super) fn with_hash_mask<M: Variables>(m: &mut M, hash_mask: u64) -> HashTrieMap {
        HashTrieMap { hash_mask, ..HashTrieMap::new(m) }
    }

    /// `init`: the first operation makes the root.
    fn init<M: Variables>(&mut self, m: &mut M) {
        if self.nodes.is_empty() {
            self.seed = m.random();
            self.make_root(m);
        }
    }

    fn make_root<M: Variables>(&mut self, m: &mut M) {
        let object = m.alloc(NODE);
        m.touch(object, 0, NODE.size_bytes);
        m.set_global(self.root_global, object);
        (self.nodes, self.entries) = (Vec::new(), Vec::new());
        (self.free_nodes, self.free_entries) = (Vec::new(), Vec::new());
        self.nodes.push(Node { object, parent: None, used: 0, children: [Child::Nil; CHILDREN] });
        self.len = 0;
    }

    /// A mixing of 64 bits in which no two keys of 32 bits agree (splitmix64's finalizer).
    fn hash(&self, key: u32) -> u64 {
        let mut z = self.seed ^ u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) & self.hash_mask
    }

    fn walk(&self, hash: u64) -> Place {
        let (mut node, mut shift) = (0, u64::BITS);
        loop {
            shift -= CHILD_BITS;
            match self.nodes[node as usize].children[child_number(hash, shift)] {
                Child::Node(next) => node = next,
                child => return Place { node, shift, child },
            }
        }
    }

    /// The entry of a key among those that hang on `head`, and the one before it.
    fn find_in_chain(&self, head: Index, key: u32) -> Option<(Option<Index>, Index)> {
        let (mut before, mut at) = (None, Some(head));
        while let Some(index) = at {
            let entry = &self.entries[index as usize];
            if entry.key == key {
                return Some((before, index));
            }
            (before, at) = (at, entry.overflow);
        }
        None
    }

    /// `Load`.
    pub fn load<M: Variables>(&mut self, m: &mut M, key: u32) -> bool {
        self.init(m);
        match self.walk(self.hash(key)).child {
            Child::Entry(head) => self.find_in_chain(head, key).is_some(),
            _ => false,
        }
    }

    /// `Store`. `key_box` and `value` are locals of the caller, or nil.
    pub fn store<M: Variables>(&mut self, m: &mut M, key: u32, key_box: ObjRef, value: ObjRef) -> Stored {
        self.init(m);
        let hash = self.hash(key);
        let place = self.walk(hash);
        let new = self.new_entry(m, key, key_box, value);
        m.push_local(self.entries[new as usize].object);
        let stored = match place.child {
            Child::Entry(head) => match self.find_in_chain(head, key) {
                Some((before, old)) => {
                    self.replace(m, place, hash, before, old, new);
                    Stored::Replaced
                }
                None => {
                    self.expand(m, place, head, new, hash);
                    Stored::New
                }
            },
            _ => {
                self.set_child(m, place.node, child_number(hash, place.shift), Child::Entry(new));
                Stored::New
            }
        };
        m.pop_local();
        if stored == Stored::New {
            self.len += 1;
        }
        stored
    }

    fn new_entry<M: Variables>(&mut self, m: &mut M, key: u32, key_box: ObjRef, value: ObjRef) -> Index {
        let object = m.alloc(ENTRY);
        m.touch(object, 0, ENTRY.size_bytes);
        if !key_box.is_nil() {
            m.set_pointer(object, KEY_SLOT, key_box);
        }
        if !value.is_nil() {
            m.set_pointer(object, VALUE_SLOT, value);
        }
        let entry = Entry { object, key, overflow: None };
        if let Some(index) = self.free_entries.pop() {
            self.entries[index as usize] = entry;
            return index;
        }
        self.entries.push(entry);
        (self.entries.len() - 1) as Index
    }

    /// A new entry takes an old one's place and what hangs on it.
    fn replace<M: Variables>(
        &mut self,
        m: &mut M,
        place: Place,
        hash: u64,
        before: Option<Index>,
        old: Index,
        new: Index,
    ) {
        let overflow = self.entries[old as usize].overflow;
        self.set_overflow(m, new, overflow);
        match before {
            None => self.set_child(m, place.node, child_number(hash, place.shift), Child::Entry(new)),
            Some(before) => self.set_overflow(m, before, Some(new)),
        }
        self.free_entries.push(old);
    }

    fn set_overflow<M: Variables>(&mut self, m: &mut M, entry: Index, overflow: Option<Index>) {
        let Entry { object, overflow: old, .. } = self.entries[entry as usize];
        if old.is_none() && overflow.is_none() {
            return;
        }
        self.entries[entry as usize].overflow = overflow;
        let target = overflow.map_or(ObjRef::NIL, |overflow| self.entries[overflow as usize].object);
        m.set_pointer(object, OVERFLOW_SLOT, target);
    }

    /// Stores a child into a node.
    fn set_child<M: Variables>(&mut self, m: &mut M, node: Index, number: usize, child: Child) {
        let target = match child {
            Child::Nil => ObjRef::NIL,
            Child::Node(index) => self.nodes[index as usize].object,
            Child::Entry(index) => self.entries[index as usize].object,
        };
        let node = &mut self.nodes[node as usize];
        let old = std::mem::replace(&mut node.children[number], child);
        node.used += u8::from(child != Child::Nil);
        node.used -= u8::from(old != Child::Nil);
        m.set_pointer(node.object, FIRST_CHILD_SLOT + number as u32, target);
    }

    fn new_node<M: Variables>(&mut self, m: &mut M, parent: Index) -> Index {
        let object = m.alloc(NODE);
        m.touch(object, 0, NODE.size_bytes);
        m.set_pointer(object, PARENT_SLOT, self.nodes[parent as usize].object);
        let node = Node { object, parent: Some(parent), used: 0, children: [Child::Nil; CHILDREN] };
        if let Some(index) = self.free_nodes.pop() {
            self.nodes[index as usize] = node;
            return index;
        }
        self.nodes.push(node);
        (self.nodes.len() - 1) as Index
    }

    /// `expand`: nodes down to where the hashes of two entries differ; they are linked from `place` when they are complete.
    fn expand<M: Variables>(&mut self, m: &mut M, place: Place, old: Index, new: Index, new_hash: u64) {
        let old_hash = self.hash(self.entries[old as usize].key);
        let number = child_number(new_hash, place.shift);
        if old_hash == new_hash {
            self.set_overflow(m, new, Some(old));
            self.set_child(m, place.node, number, Child::Entry(new));
            return;
        }
        let top = self.new_node(m, place.node);
        m.push_local(self.nodes[top as usize].object);
        let (mut node, mut shift) = (top, place.shift);
        loop {
            shift -= CHILD_BITS;
            let (of_old, of_new) = (child_number(old_hash, shift), child_number(new_hash, shift));
            if of_old != of_new {
                self.set_child(m, node, of_old, Child::Entry(old));
                self.set_child(m, node, of_new, Child::Entry(new));
                break;
            }
            let next = self.new_node(m, node);
            self.set_child(m, node, of_old, Child::Node(next));
            node = next;
        }
        self.set_child(m, place.node, number, Child::Node(top));
        m.pop_local();
    }

    /// `Delete`: whether there was a value.
    pub fn delete<M: Variables>(&mut self, m: &mut M, key: u32) -> bool {
        self.init(m);
        let hash = self.hash(key);
        let place = self.walk(hash);
        let Child::Entry(head) = place.child else { return false };
        let Some((before, found)) = self.find_in_chain(head, key) else { return false };
        let overflow = self.entries[found as usize].overflow;
        self.entries[found as usize].overflow = None;
        self.free_entries.push(found);
        self.len -= 1;
        match (before, overflow) {
            (Some(before), _) => self.set_overflow(m, before, overflow),
            (None, Some(next)) => {
                self.set_child(m, place.node, child_number(hash, place.shift), Child::Entry(next));
            }
            (None, None) => self.prune(m, place, hash),
        }
        true
    }

    /// Unlinks a child, and the nodes above it that become empty.
    fn prune<M: Variables>(&mut self, m: &mut M, place: Place, hash: u64) {
        let (mut node, mut shift) = (place.node, place.shift);
        self.set_child(m, node, child_number(hash, shift), Child::Nil);
        while let Node { used: 0, parent: Some(parent), .. } = self.nodes[node as usize] {
            shift += CHILD_BITS;
            self.set_child(m, parent, child_number(hash, shift), Child::Nil);
            self.free_nodes.push(node);
            node = parent;
        }
    }

    /// `Range`: depth first.
    pub fn range<M: Variables>(&mut self, m: &mut M) -> Vec<u32> {
        self.init(m);
        let mut keys = Vec::with_capacity(self.len as usize);
        self.range_below(0, &mut keys);
        keys
    }

    fn range_below(&self, node: Index, keys: &mut Vec<u32>) {
        for child in self.nodes[node as usize].children {
            match child {
                Child::Nil => {}
                Child::Node(index) => self.range_below(index, keys),
                Child::Entry(head) => {
                    let mut at = Some(head);
                    while let Some(index) = at {
                        let entry = self.entries[index as usize];
                        keys.push(entry.key);
                        at = entry.overflow;
                    }
                }
            }
        }
    }

    /// `Clear`: a new root; everything else is garbage.
    pub fn clear<M: Variables>(&mut self, m: &mut M) {
        self.init(m);
        self.make_root(m);
    }

    /// The zero value again.
    pub fn reset<M: Variables>(&mut self, m: &mut M) {
        m.set_global(self.root_global, ObjRef::NIL);
        *self = HashTrieMap { hash_mask: self.hash_mask, ..HashTrieMap::empty(self.root_global) };
    }

    fn empty(root_global: Global) -> HashTrieMap {
        HashTrieMap {
            root_global,
            seed: 0,
            hash_mask: u64::MAX,
            nodes: Vec::new(),
            free_nodes: Vec::new(),
            entries: Vec::new(),
            free_entries: Vec::new(),
            len: 0,
        }
    }

    /// The object that a key's value points to; `None` without a value.
    pub fn value<M: Variables>(&self, m: &M, key: u32) -> Option<ObjRef> {
        if self.nodes.is_empty() {
            return None;
        }
        let Child::Entry(head) = self.walk(self.hash(key)).child else { return None };
        let (_, found) = self.find_in_chain(head, key)?;
        Some(m.pointer(self.entries[found as usize].object, VALUE_SLOT))
    }

    /// Keys with values.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no key has a value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Nodes, the root included.
    pub fn node_count(&self) -> u64 {
        (self.nodes.len() - self.free_nodes.len()) as u64
    }

    /// Bytes of nodes, entries and boxes.
    pub fn working_set_bytes(&self) -> u64 {
        self.node_count() * NODE_SLOT_BYTES + self.len * ENTRY_WITH_BOXES_BYTES
    }
}

/// Which child a hash leads to, `shift` bits above its end.
fn child_number(hash: u64, shift: u32) -> usize {
    (hash >> shift) as usize & (CHILDREN - 1)
}
