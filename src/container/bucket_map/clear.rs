//! `clear(m)`, and the range loop that means the same.
//!
//! Clearing keeps the main array: it is zeroed in place, all its spares are free again, and `B` stays. What goes is
//! everything that hangs off it: the old array of a growth, overflow buckets that were allocated one by one, and the
//! slices that kept them alive.
//!
//! Source: `runtime/map.go` (`mapclear`), `cmd/compile/internal/walk/range.go` (`isMapClear`), Go 1.23.9.

use super::BucketMap;
use super::header::HeaderField;
use super::recall::Recall;
use crate::container::hash::Seed;
use crate::heap::mutator::{Mutator, Operation};
use crate::heap::object::ObjRef;

impl BucketMap {
    /// `clear(m)`. An empty map is left alone, overflow chains and all.
    pub fn clear<M: Mutator>(&mut self, m: &mut M) {
        if self.count == 0 {
            return;
        }
        let (cleared, working_set_bytes) = (self.count, self.working_set_bytes());
        if self.growth.take().is_some() {
            self.set_header(m, HeaderField::OldBuckets, ObjRef::NIL);
        }
        self.ledger = None;
        self.recall = Recall::default();
        self.keys_are_written = false;
        self.evacuated_below = 0;
        self.overflow_count = 0;
        self.count = 0;
        self.seed = Seed::of_32_bits(m.random());
        self.clear_extra(m);
        self.current.reset();
        self.zero_array(m);
        self.announce_spares(m);
        m.spend(Operation::MapClear, cleared, working_set_bytes);
    }

    /// Zeroing writes every byte of the array, used or not.
    fn zero_array<M: Mutator>(&self, m: &mut M) {
        let object = self.current.object;
        if object.is_nil() {
            return;
        }
        let layout = self.map_type.buckets_layout(self.current.total_count().into());
        if !layout.is_noscan() {
            m.clear_pointers(object, 0..layout.pointer_slots);
        }
        m.touch(object, 0, layout.size_bytes);
    }

    /// `for k := range m { delete(m, k) }`, which the compiler turns into `clear(m)` if every key equals itself.
    pub fn range_delete<M: Mutator>(&mut self, m: &mut M) {
        if self.map_type.has_reflexive_key() {
            self.clear(m);
            return;
        }
        let mut keys = Vec::with_capacity(self.count as usize);
        self.range(m, |_, key| keys.push(key));
        self.delete_all(m, keys);
    }
}
