//! Growing: from one group to a table, from a table to one of twice the size, from a full-size table to two.
//!
//! All entries of the table move inside the one insert that found no room, each with its hash worked out again. The old
//! table, its groups and an outgrown directory are garbage at once. Tombstones do not move; but they do count when
//! `growth_left` runs out, so a table may double although it holds few entries.
//!
//! Source: `internal/runtime/maps/map.go` (`growToSmall`, `growToTable`), `table.go` (`rehash`, `grow`, `split`,
//! `uncheckedPutSlot`), Go 1.25.5.

use super::SwissMap;
use super::group_type::GROUP_SLOTS;
use super::recall::place_byte;
use super::table::{MAX_TABLE_SLOTS, TABLE, Table};
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;

impl SwissMap {
    /// Allocates the one group of a small map (`growToSmall`).
    #[cold]
    pub(super) fn allocate_small_group<M: Mutator>(&mut self, m: &mut M) {
        let group = self.alloc(m, self.group_type.groups_layout(1));
        self.set_header(m, group);
        self.add_small_group(m, group);
    }

    /// The map is one group from here on, in `object` or in a stack frame.
    pub(super) fn add_small_group<M: Mutator>(&mut self, m: &mut M, object: ObjRef) {
        let mut table = Table::new(m, &self.group_type, ObjRef::NIL, object, GROUP_SLOTS);
        table.make_keys();
        self.keys_are_written = true;
        self.slots = GROUP_SLOTS.into();
        self.tables.push(table);
    }

    /// Allocates an empty table. It is reachable from nowhere yet.
    pub(super) fn new_table<M: Mutator>(&self, m: &mut M, capacity: u32) -> Table {
        let object = self.alloc(m, TABLE);
        m.push_local(object);
        let groups = self.alloc(m, self.group_type.groups_layout(capacity / GROUP_SLOTS));
        m.set_pointer(object, 0, groups);
        m.touch(object, 0, TABLE.size_bytes);
        m.pop_local();
        Table::new(m, &self.group_type, object, groups, capacity)
    }

    /// Turns a small map of eight entries into one table of 16 slots (`growToTable`).
    #[cold]
    pub(super) fn grow_to_table<M: Mutator>(&mut self, m: &mut M) {
        let mut tables = [self.new_table(m, 2 * GROUP_SLOTS)];
        m.push_local(tables[0].object);
        self.move_entries(m, 0, &mut tables, 0);
        self.make_directory(m, 0);
        let [table] = tables;
        self.tables.clear();
        self.slots = 0;
        self.add_table(m, table);
        m.pop_local();
    }

    /// Gives a table without room a successor, or two (`rehash`).
    #[cold]
    pub(super) fn rehash<M: Mutator>(&mut self, m: &mut M, number: usize) {
        self.write_keys();
        if self.tables[number].capacity() < MAX_TABLE_SLOTS {
            self.grow(m, number);
        } else {
            self.split(m, number);
        }
    }

    /// Replaces a table by one of twice the size.
    fn grow<M: Mutator>(&mut self, m: &mut M, number: usize) {
        let mut tables = [self.new_table(m, 2 * self.tables[number].capacity())];
        m.push_local(tables[0].object);
        self.move_entries(m, number, &mut tables, 0);
        let [mut new] = tables;
        let old = &self.tables[number];
        (new.local_depth, new.first_index) = (old.local_depth, old.first_index);
        self.slots += u64::from(old.capacity());
        self.tables[number] = new;
        self.install_table(m, number);
        m.pop_local();
    }

    /// Replaces a table of full size by two; one more bit of hash decides between them.
    fn split<M: Mutator>(&mut self, m: &mut M, number: usize) {
        let left = self.new_table(m, MAX_TABLE_SLOTS);
        m.push_local(left.object);
        let right = self.new_table(m, MAX_TABLE_SLOTS);
        m.push_local(right.object);
        let local_depth = self.tables[number].local_depth + 1;
        let mut tables = [left, right];
        self.move_entries(m, number, &mut tables, 1 << (u64::BITS - u32::from(local_depth)));
        if local_depth > self.directory.global_depth() {
            self.double_directory(m);
        }
        let [mut left, mut right] = tables;
        (left.local_depth, right.local_depth) = (local_depth, local_depth);
        left.first_index = self.tables[number].first_index;
        right.first_index = left.first_index + self.directory.entries_of(local_depth);
        self.tables[number] = left;
        self.install_table(m, number);
        self.add_table(m, right);
        m.pop_local();
        m.pop_local();
    }

    /// Moves the entries of table `number`, in memory order: those whose hash has `right_bit` to the second table, the others
    /// to the first.
    fn move_entries<M: Mutator>(&mut self, m: &mut M, number: usize, to: &mut [Table], right_bit: u64) {
        to.iter_mut().for_each(Table::make_keys);
        let from = &self.tables[number];
        for (group, slot) in from.entries() {
            let key = from.keys(group)[slot as usize];
            let hash = self.seed.hash(key);
            let to = &mut to[usize::from(hash & right_bit != 0)];
            let vacancy = to.vacancy(hash);
            let at = vacancy.slot;
            to.fill(&vacancy);
            to.write_key(at, key);
            self.places.put(key, place_byte(at));
            to.touch_entry(m, &self.group_type, at);
            if !self.group_type.is_noscan() {
                let from_slot = self.group_type.pointer_slot(group, slot);
                self.copy_pointers(
                    m,
                    (from.groups, from_slot),
                    (to.groups, self.group_type.pointer_slot(at.group, at.slot)),
                );
            }
        }
        self.moved_entries += u64::from(from.used());
    }

    /// Copies the pointers of an entry. Indirect keys and elems are not cloned: their pointer moves.
    fn copy_pointers<M: Mutator>(&self, m: &mut M, from: (ObjRef, u32), to: (ObjRef, u32)) {
        for i in 0..self.group_type.slot_pointers() {
            let pointer = m.pointer(from.0, from.1 + i);
            if !pointer.is_nil() {
                m.set_pointer(to.0, to.1 + i, pointer);
            }
        }
    }
}
