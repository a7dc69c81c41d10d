//! `sync.Map` up to Go 1.23: a read map without a lock, and a dirty map behind one.
//!
//! **Mechanism.** Both maps are `map[any]*entry` and share the entries, each of which points to a value. Lookups that the
//! read map cannot answer go to the dirty map and are counted; when there are as many as the dirty map has keys, the dirty map
//! becomes the read map (*promotion*), and the next new key makes another dirty map out of it.
//!
//! | here | in Go | meaning |
//! |---|---|---|
//! | `read` | `read.m` | immutable but for the entries' pointers |
//! | `is_amended` | `read.amended` | the dirty map has keys that the read map lacks |
//! | `dirty` | `dirty` | read map's live keys and the new ones, or nil |
//! | `misses` | `misses` | lookups that went to the dirty map since the last promotion |
//! | `Record::is_expunged` | `expunged` | deleted, and left out of the dirty map |
//!
//! # Steps
//!
//! 1. **load**: read map; if it lacks the key and is amended, dirty map and a miss.
//! 2. **store**: a key of the read map that is not expunged gets a new value cell (16 B), without a lock. Else with the lock:
//!    an expunged key returns to the dirty map; a key of the dirty map gets the cell; a new key needs a dirty map (made from
//!    the read map, one pass over it), the mark *amended* (16 B), a second cell (16 B), an entry (8 B), a slot.
//! 3. **delete**: a key of the read map loses its value and nothing else; a key of the dirty map alone goes from it, and that
//!    is a miss.
//! 4. **range** promotes an amended map first. **clear** forgets the read map and empties the dirty one, whose buckets stay.
//!
//! Why deleted keys linger: the read map is never written, so its slots, keys and entries stay until a dirty map that was made
//! without them is promoted. That takes a new key first and then misses or a range - and the map that comes was made with
//! room for as many keys as the read map had, deleted ones included.
//!
//! # Invariants
//!
//! - A live key is in the read map, the dirty map or both; both then share its entry.
//! - With a dirty map, every live key of the read map is in it; expunged keys are not.
//!
//! Source: `sync/map.go`, Go 1.21.13 and 1.23.9 (`Clear` since 1.23).

use super::Stored;
use super::key_table::KeyTable;
use crate::container::bucket_map::BucketMap;
use crate::container::entry::Inserted;
use crate::container::map_type::{MapType, TypeDesc};
use crate::heap::mutator::{Global, Mutator, Variables};
use crate::heap::object::{Layout, ObjRef};

/// `readOnly`: the map's pointer and a bool.
const READ_ONLY: Layout = Layout::scan(16, 1, 8);
/// `entry`: one pointer.
const ENTRY: Layout = Layout::scan(8, 1, 8);
/// An `any` on the heap: what an entry points to.
const CELL: Layout = Layout::scan(16, 1, 16);
/// Bytes of an entry, its cell, and the boxes of an int key and an int value.
const ENTRY_WITH_BOXES_BYTES: u64 = 8 + 16 + 16;
/// Copied keys that are paid for at a time.
const SPEND_BATCH: u64 = 256;

/// A map's number: it tells which keys' records speak of it. No map has the number 0.
type MapNumber = u32;

/// What is known of a key that is or was in the map.
#[derive(Clone, Copy, Debug)]
struct Record {
    entry: ObjRef,
    /// The boxed key in the newest map that has it.
    key_box: ObjRef,
    /// The last two maps that the key was put into.
    maps: [MapNumber; 2],
    /// Whether the entry points to a value.
    is_live: bool,
    is_expunged: bool,
}

impl Record {
    fn is_in(&self, map: MapNumber) -> bool {
        self.maps.contains(&map)
    }

    fn put_into(&mut self, map: MapNumber, key_box: ObjRef) {
        self.maps = [map, self.maps[0]];
        self.key_box = key_box;
    }
}

/// A map and its number.
#[derive(Clone, Debug)]
struct Numbered {
    map: BucketMap,
    number: MapNumber,
}

/// A `sync.Map` of Go 1.21 to 1.23. See the [module](self) for how it works.
#[derive(Clone, Debug)]
pub struct ReadDirtyMap {
    /// The variable's two pointers.
    read_global: Global,
    dirty_global: Global,
    read: Option<Numbered>,
    dirty: Option<Numbered>,
    is_amended: bool,
    misses: u64,
    records: KeyTable<Record>,
    len: u64,
    last_number: MapNumber,
}

impl ReadDirtyMap {
    /// An empty map.
    pub fn new<M: Variables>(m: &mut M) -> ReadDirtyMap {
        ReadDirtyMap {
            read_global: m.new_global(),
            dirty_global: m.new_global(),
            read: None,
            dirty: None,
            is_amended: false,
            misses: 0,
            records: KeyTable::default(),
            len: 0,
            last_number: 0,
        }
    }

    fn record_in(&self, map: Option<&Numbered>, key: u32) -> Option<Record> {
        let number = map?.number;
        self.records.get(key).filter(|record| record.is_in(number)).copied()
    }

    /// `Load`.
    pub fn load<M: Variables>(&mut self, m: &mut M, key: u32) -> bool {
        if let Some(record) = self.record_in(self.read.as_ref(), key) {
            return record.is_live;
        }
        if !self.is_amended {
            return false;
        }
        let found = self.record_in(self.dirty.as_ref(), key);
        self.count_miss(m);
        found.is_some_and(|record| record.is_live)
    }

    /// `Store`. `key_box` and `value` are locals of the caller, or nil.
    pub fn store<M: Variables>(&mut self, m: &mut M, key: u32, key_box: ObjRef, value: ObjRef) -> Stored {
        // Swap's value is moved to the heap at once, whether it will be used or not.
        let cell = new_cell(m, value);
        m.push_local(cell);
        let in_read = self.record_in(self.read.as_ref(), key);
        let in_dirty = self.record_in(self.dirty.as_ref(), key);
        let stored = match (in_read, in_dirty) {
            (Some(record), _) => {
                if record.is_expunged {
                    self.records[key].is_expunged = false;
                    self.put_into_dirty(m, key, key_box, record.entry);
                }
                self.replace(m, key, cell)
            }
            (None, Some(_)) => self.replace(m, key, cell),
            (None, None) => self.add(m, key, key_box, value),
        };
        m.pop_local();
        stored
    }

    /// Gives an entry that some map has a value.
    fn replace<M: Variables>(&mut self, m: &mut M, key: u32, cell: ObjRef) -> Stored {
        let record = &mut self.records[key];
        m.set_pointer(record.entry, 0, cell);
        if std::mem::replace(&mut record.is_live, true) {
            return Stored::Replaced;
        }
        self.len += 1;
        Stored::New
    }

    /// A key that no map has.
    fn add<M: Variables>(&mut self, m: &mut M, key: u32, key_box: ObjRef, value: ObjRef) -> Stored {
        if !self.is_amended {
            self.make_dirty(m);
            self.publish_read(m);
            self.is_amended = true;
        }
        let cell = new_cell(m, value);
        m.push_local(cell);
        let entry = m.alloc(ENTRY);
        m.touch(entry, 0, ENTRY.size_bytes);
        m.set_pointer(entry, 0, cell);
        m.push_local(entry);
        self.records.insert(key, Record { entry, key_box, maps: [0; 2], is_live: true, is_expunged: false });
        self.put_into_dirty(m, key, key_box, entry);
        m.pop_local();
        m.pop_local();
        self.len += 1;
        Stored::New
    }

    fn put_into_dirty<M: Variables>(&mut self, m: &mut M, key: u32, key_box: ObjRef, entry: ObjRef) {
        let dirty = self.dirty.as_mut().expect("an expunged or new key has a dirty map to go to");
        let inserted = dirty.map.insert(m, key, &[key_box], &[entry]);
        debug_assert_eq!(inserted, Inserted::New, "key {key} was in the dirty map");
        self.records[key].put_into(dirty.number, key_box);
    }

    /// `dirtyLocked`: a dirty map with the live keys of the read map; the others are expunged.
    fn make_dirty<M: Variables>(&mut self, m: &mut M) {
        if self.dirty.is_some() {
            return;
        }
        let hint = self.read.as_ref().map_or(0, |read| read.map.len());
        let mut dirty = BucketMap::make(m, MapType::new(TypeDesc::ANY, TypeDesc::POINTER), hint);
        m.set_global(self.dirty_global, dirty.hmap());
        self.last_number += 1;
        let number = self.last_number;
        if let Some(mut read) = self.read.take() {
            let records = &mut self.records;
            let mut unpaid = 0;
            read.map.range(m, |m, key| {
                let record = &mut records[key];
                if !record.is_live {
                    record.is_expunged = true;
                    return;
                }
                dirty.insert(m, key, &[record.key_box], &[record.entry]);
                record.put_into(number, record.key_box);
                unpaid += 1;
                if unpaid == SPEND_BATCH {
                    dirty.spend_on_inserts(m, std::mem::take(&mut unpaid));
                }
            });
            dirty.spend_on_inserts(m, unpaid);
            self.read = Some(read);
        }
        self.dirty = Some(Numbered { map: dirty, number });
    }

    /// A new `readOnly` for the read map that is there.
    fn publish_read<M: Variables>(&mut self, m: &mut M) {
        let read_only = m.alloc(READ_ONLY);
        m.touch(read_only, 0, READ_ONLY.size_bytes);
        if let Some(read) = &self.read {
            m.set_pointer(read_only, 0, read.map.hmap());
        }
        m.set_global(self.read_global, read_only);
    }

    /// `missLocked`.
    fn count_miss<M: Variables>(&mut self, m: &mut M) {
        self.misses += 1;
        let dirty_len = self.dirty.as_ref().map_or(0, |dirty| dirty.map.len());
        if self.misses >= dirty_len {
            self.promote(m);
        }
    }

    /// The dirty map becomes the read map.
    fn promote<M: Variables>(&mut self, m: &mut M) {
        // While the readOnly is made, the variable still refers to the dirty map.
        let old = std::mem::replace(&mut self.read, self.dirty.take());
        self.publish_read(m);
        drop(old);
        m.set_global(self.dirty_global, ObjRef::NIL);
        self.is_amended = false;
        self.misses = 0;
    }

    /// `Delete`: whether there was a value.
    pub fn delete<M: Variables>(&mut self, m: &mut M, key: u32) -> bool {
        if let Some(record) = self.record_in(self.read.as_ref(), key) {
            return self.let_go(m, key, record);
        }
        if !self.is_amended {
            return false;
        }
        let found = self.record_in(self.dirty.as_ref(), key);
        if found.is_some() {
            let dirty = self.dirty.as_mut().expect("it has the key");
            dirty.map.delete(m, key);
        }
        let Some(record) = found else {
            self.count_miss(m);
            return false;
        };
        m.push_local(record.entry);
        self.count_miss(m);
        let deleted = self.let_go(m, key, record);
        m.pop_local();
        self.records[key].maps = [0; 2];
        deleted
    }

    /// The entry's pointer becomes nil.
    fn let_go<M: Variables>(&mut self, m: &mut M, key: u32, record: Record) -> bool {
        if !record.is_live {
            return false;
        }
        m.set_pointer(record.entry, 0, ObjRef::NIL);
        self.records[key].is_live = false;
        self.len -= 1;
        true
    }

    /// `Range`: promotes an amended map, then walks the read map.
    pub fn range<M: Variables>(&mut self, m: &mut M) -> Vec<u32> {
        if self.is_amended {
            self.promote(m);
        }
        let mut keys = Vec::with_capacity(self.len as usize);
        let Some(read) = &mut self.read else { return keys };
        let records = &self.records;
        read.map.range(m, |_, key| {
            if records[key].is_live {
                keys.push(key);
            }
        });
        keys
    }

    /// `Clear`.
    pub fn clear<M: Variables>(&mut self, m: &mut M) {
        if self.read.as_ref().is_none_or(|read| read.map.is_empty()) && !self.is_amended {
            return;
        }
        self.read = None;
        self.publish_read(m);
        self.is_amended = false;
        if let Some(dirty) = &mut self.dirty {
            dirty.map.clear(m);
        }
        self.records.clear();
        self.len = 0;
        self.misses = 0;
    }

    /// The zero value again.
    pub fn reset<M: Variables>(&mut self, m: &mut M) {
        m.set_global(self.read_global, ObjRef::NIL);
        m.set_global(self.dirty_global, ObjRef::NIL);
        (self.read, self.dirty, self.is_amended, self.misses, self.len) = (None, None, false, 0, 0);
        self.records = KeyTable::default();
    }

    /// The object that a key's value points to; `None` without a value.
    pub fn value<M: Variables>(&self, m: &M, key: u32) -> Option<ObjRef> {
        let of = |map: &Option<Numbered>| self.record_in(map.as_ref(), key);
        let record = of(&self.read).or_else(|| of(&self.dirty)).filter(|record| record.is_live)?;
        Some(m.pointer(m.pointer(record.entry, 0), 0))
    }

    /// Keys with values.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether no key has a value.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Keys in the read map, deleted ones included, and in the dirty map.
    pub fn map_lens(&self) -> (u64, u64) {
        let len = |map: &Option<Numbered>| map.as_ref().map_or(0, |numbered| numbered.map.len());
        (len(&self.read), len(&self.dirty))
    }

    /// Bytes of both maps, of the entries and what they point to.
    pub fn working_set_bytes(&self) -> u64 {
        let maps = [&self.read, &self.dirty].into_iter().flatten();
        let buckets: u64 = maps.map(|numbered| numbered.map.working_set_bytes()).sum();
        buckets + self.len * ENTRY_WITH_BOXES_BYTES
    }
}

/// An `any` of its own on the heap.
fn new_cell<M: Mutator>(m: &mut M, value: ObjRef) -> ObjRef {
    let cell = m.alloc(CELL);
    m.touch(cell, 0, CELL.size_bytes);
    if !value.is_nil() {
        m.set_pointer(cell, 0, value);
    }
    cell
}
