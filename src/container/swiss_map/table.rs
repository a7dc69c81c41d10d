//! One table: up to 128 groups, found by probing, and how many entries still fit.
//!
//! A key's hash is used in three pieces: its top bits choose the table, bits 7 and up (*H1*) the first group, and the low 7 bits
//! (*H2*) stand in the control byte of the entry's slot. A lookup looks at whole groups, in the order `H1`, `H1 + 1`,
//! `H1 + 3`, `H1 + 6`, ... (modulo the number of groups, a power of two: all are visited), and stops at the first group with an
//! empty slot: had the key been inserted, it would lie there or earlier.
//!
//! That stop is why a delete cannot always make a slot empty. If its group was full, keys may have been placed behind it, and
//! the slot becomes a *tombstone* (deleted): free to be used again by an insert that comes by, but no end of a probe.
//!
//! A group therefore never holds both kinds of free slots: until it is full for the first time, its free slots are
//! empty; from then on, they are tombstones. One bit says which: *closed*.
//!
//! **Formulas.** `growth_left = 7/8 * capacity - used - tombstones`: at least an eighth of all slots stays empty, so every
//! probe ends.
//!
//! **Differences from Go.** Control bytes are not stored: a live slot's follows from its key's hash, a free slot's from
//! whether its group is closed. Keys are identities.
//!
//! Source: `internal/runtime/maps/table.go`, `group.go`, Go 1.25.5.

use super::group_type::{CONTROL_BYTES, GROUP_SLOTS, GroupType};
use crate::container::hash::Seed;
use crate::container::slots::SlotSet;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};

/// The largest table (`maxTableCapacity`), in slots.
pub(super) const MAX_TABLE_SLOTS: u32 = 1024;
/// Groups of the largest table.
const MAX_GROUPS: usize = (MAX_TABLE_SLOTS / GROUP_SLOTS) as usize;
/// `table`: 32 B, of which the pointer to the groups ends at 24.
pub(super) const TABLE: Layout = Layout::scan(32, 1, 24);
/// Entries that a group may hold on average (`maxAvgGroupLoad`).
pub(super) const MAX_AVERAGE_GROUP_LOAD: u32 = 7;

/// Where an entry lies in its table. `step` is how many groups a probe passes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub group: u32,
    pub slot: u32,
    pub step: u32,
}

/// Where a new entry goes.
pub(super) struct Vacancy {
    pub slot: Slot,
    /// Whether the slot is a tombstone: using it takes none of the room that is left.
    pub is_tombstone: bool,
}

/// A table, or the one group of a small map.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// The `table` object; nil for a small map's group.
    pub object: ObjRef,
    /// The array of groups; nil for a group in a stack frame.
    pub groups: ObjRef,
    /// `capacity`, in slots.
    capacity: u16,
    /// Live entries.
    used: u16,
    /// Empty slots that may still be filled (`growthLeft`).
    growth_left: u16,
    /// How many top bits of the hash lead here (`localDepth`).
    pub local_depth: u8,
    /// The first entry of the directory that leads here (`index`).
    pub first_index: u32,
    /// A bit for each group whose free slots are tombstones, and for each full group.
    closed: u128,
    /// The live slots of each group.
    live: [SlotSet; MAX_GROUPS],
    /// The key in each slot, unless they are unwritten.
    keys: Box<[[u32; 8]]>,
}

/// The group that a probe for `hash` looks at after `step` others.
#[inline]
pub(super) fn probed_group(hash: u64, step: u32, group_count: u32) -> u32 {
    ((hash >> 7) as u32).wrapping_add(step * (step + 1) / 2) & (group_count - 1)
}

impl Table {
    /// A table of empty slots, which writes every control word of its groups.
    pub fn new<M: Mutator>(
        m: &mut M,
        group_type: &GroupType,
        object: ObjRef,
        groups: ObjRef,
        capacity: u32,
    ) -> Table {
        let group_count = capacity / GROUP_SLOTS;
        if !groups.is_nil() {
            m.touch(groups, 0, u64::from(group_count - 1) * group_type.group_bytes() + CONTROL_BYTES);
        }
        let mut table = Table {
            object,
            groups,
            capacity: capacity as u16,
            used: 0,
            growth_left: 0,
            local_depth: 0,
            first_index: 0,
            closed: 0,
            live: [SlotSet::default(); MAX_GROUPS],
            keys: Box::default(),
        };
        table.growth_left = table.max_growth_left();
        table
    }

    /// Slots.
    #[inline]
    pub fn capacity(&self) -> u32 {
        self.capacity.into()
    }

    /// Groups.
    #[inline]
    pub fn group_count(&self) -> u32 {
        u32::from(self.capacity) / GROUP_SLOTS
    }

    /// Live entries.
    pub fn used(&self) -> u32 {
        self.used.into()
    }

    /// Empty slots that may still be filled.
    #[inline]
    pub fn growth_left(&self) -> u32 {
        self.growth_left.into()
    }

    fn max_growth_left(&self) -> u16 {
        match u32::from(self.capacity) {
            GROUP_SLOTS => (GROUP_SLOTS - 1) as u16,
            capacity => (capacity / GROUP_SLOTS * MAX_AVERAGE_GROUP_LOAD) as u16,
        }
    }

    /// Slots that were live and are not empty again.
    pub fn tombstones(&self) -> u32 {
        u32::from(self.max_growth_left() - self.used - self.growth_left)
    }

    /// The live slots of a group.
    #[inline]
    pub fn live(&self, group: u32) -> SlotSet {
        self.live[group as usize]
    }

    /// Whether the free slots of a group are tombstones.
    #[inline]
    pub fn is_closed(&self, group: u32) -> bool {
        self.closed >> group & 1 == 1
    }

    /// The keys of a group. Panics if they are unwritten.
    #[inline]
    pub fn keys(&self, group: u32) -> &[u32; 8] {
        &self.keys[group as usize]
    }

    /// Makes room to write keys.
    pub fn make_keys(&mut self) {
        self.keys = vec![[0; 8]; self.group_count() as usize].into_boxed_slice();
    }

    /// Writes the key of a slot.
    #[inline]
    pub fn write_key(&mut self, at: Slot, key: u32) {
        self.keys[at.group as usize][at.slot as usize] = key;
    }

    /// Where an entry lies that a probe meets in `slot` of the group after `step` others.
    #[inline]
    pub fn slot_after(&self, hash: u64, step: u32, slot: u32) -> Slot {
        Slot { group: probed_group(hash, step, self.group_count()), slot, step }
    }

    /// Looks for a key as Go does, group by group. Keys must be written.
    pub fn find(&self, hash: u64, key: u32) -> Option<Slot> {
        for step in 0..self.group_count() {
            let group = probed_group(hash, step, self.group_count());
            let mut live = self.live(group);
            let found = live.find(|slot| self.keys(group)[*slot as usize] == key);
            match found {
                Some(slot) => return Some(Slot { group, slot, step }),
                None if self.is_closed(group) => {}
                None => return None,
            }
        }
        panic!(
            "a probe passed all {} groups: {} used, {} left",
            self.group_count(),
            self.used,
            self.growth_left
        );
    }

    /// Where an insert of an absent key puts it: the first tombstone on its way, or else the first empty slot.
    #[inline]
    pub fn vacancy(&self, hash: u64) -> Vacancy {
        let group = probed_group(hash, 0, self.group_count());
        match self.live(group).first_free() {
            Some(slot) if !self.is_closed(group) => {
                Vacancy { slot: Slot { group, slot, step: 0 }, is_tombstone: false }
            }
            _ => self.vacancy_by_probing(hash),
        }
    }

    #[inline(never)]
    fn vacancy_by_probing(&self, hash: u64) -> Vacancy {
        let mut tombstone = None;
        for step in 0..self.group_count() {
            let group = probed_group(hash, step, self.group_count());
            let free = self.live(group).first_free().map(|slot| Slot { group, slot, step });
            if !self.is_closed(group) {
                let empty = free.expect("a group that was never full has an empty slot");
                return Vacancy { slot: tombstone.unwrap_or(empty), is_tombstone: tombstone.is_some() };
            }
            tombstone = tombstone.or(free);
        }
        panic!(
            "a probe passed all {} groups: {} used, {} left",
            self.group_count(),
            self.used,
            self.growth_left
        );
    }

    /// Makes a free slot live.
    #[inline]
    pub fn fill(&mut self, vacancy: &Vacancy) {
        let Slot { group, slot, .. } = vacancy.slot;
        self.used += 1;
        self.growth_left -= u16::from(!vacancy.is_tombstone);
        let live = self.live[group as usize].with(slot);
        self.live[group as usize] = live;
        self.closed |= u128::from(live.is_full()) << group;
    }

    /// Makes a live slot free; whether it became a tombstone.
    #[inline]
    pub fn empty(&mut self, at: Slot) -> bool {
        let live = &mut self.live[at.group as usize];
        *live = live.without(at.slot);
        self.used -= 1;
        let is_tombstone = self.is_closed(at.group);
        self.growth_left += u16::from(!is_tombstone);
        is_tombstone
    }

    /// Makes a slot of a small map's group live. Its free slots are never tombstones.
    pub fn fill_small(&mut self, slot: u32) {
        self.live[0] = self.live[0].with(slot);
        self.used += 1;
    }

    /// Makes a slot of a small map's group empty.
    pub fn empty_small(&mut self, slot: u32) {
        self.live[0] = self.live[0].without(slot);
        self.used -= 1;
    }

    /// Makes every slot empty.
    pub fn reset(&mut self) {
        self.used = 0;
        self.growth_left = self.max_growth_left();
        self.closed = 0;
        self.live = [SlotSet::default(); MAX_GROUPS];
    }

    /// An entry is written. Every control word was when the table was made, and groups are smaller than pages: only the end
    /// of the last group can lie on a page of its own.
    #[inline]
    pub fn touch_entry<M: Mutator>(&self, m: &mut M, group_type: &GroupType, at: Slot) {
        if at.group + 1 == self.group_count() && !self.groups.is_nil() {
            let group_offset_bytes = u64::from(at.group) * group_type.group_bytes();
            m.touch(self.groups, group_offset_bytes, group_type.slot_end_bytes(at.slot));
        }
    }

    /// Live slots, in memory order: group and slot.
    pub fn entries(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..self.group_count()).flat_map(|group| self.live(group).map(move |slot| (group, slot)))
    }

    /// Turns tombstones that no probe needs back into empty slots, if that frees a tenth of the table
    /// (`pruneTombstones`).
    ///
    /// A tombstone is needed if a live entry's probe passes its group: the probe must not end there. Tombstones of other
    /// groups can go, all of a group together. Nothing moves.
    pub fn prune(&mut self, seed: Seed) {
        if self.tombstones() * 10 < self.capacity() {
            return;
        }
        let mut needed: u128 = 0;
        for (group, slot) in self.entries() {
            let hash = seed.hash(self.keys(group)[slot as usize]);
            let passed = (0..).map(|step| probed_group(hash, step, self.group_count()));
            needed |= passed.take_while(|passed| *passed != group).fold(0, |bits, group| bits | 1 << group);
        }
        let removable =
            |group: &u32| self.is_closed(*group) && needed >> *group & 1 == 0 && !self.live(*group).is_full();
        let (groups, freed) =
            (0..self.group_count()).filter(removable).fold((0u128, 0), |(bits, freed), group| {
                (bits | 1 << group, freed + self.live(group).free_count())
            });
        if freed * 10 >= self.capacity() {
            self.closed &= !groups;
            self.growth_left += freed as u16;
        }
    }

    /// Bytes that the table takes on the host.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Table>() + size_of_val(&*self.keys)
    }
}
