//! Slices: arrays behind variables, how they grow, and parts of them.

use super::objects::Slice;
use super::{Program, Value};
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};
use crate::heap::size_class::usable_bytes;
use crate::lab::glass::event::Event;
use crate::process::grown_cap;
use crate::scenario::{Part, PartPlace, SliceOf, TypeLayout, Typed, VarId, VarType};

impl Program<'_> {
    /// The layout of an element of the slice in `var`.
    pub(super) fn element(&self, var: VarId) -> TypeLayout {
        match self.scenario.var(var) {
            VarType::Slice { element: Typed { layout, .. } } => *layout,
            other => panic!("{} is a {other}, not a slice", self.scenario.var_name(var)),
        }
    }

    /// `s = make([]T, 0, count)`.
    pub(super) fn presize(&mut self, var: VarId, count: u64) {
        let backing = self.backing(var, count);
        let slice = Slice { len: 0, cap: count.max(1), ..backing };
        self.set(var, slice.backing, Value::Slice(slice));
        self.keep(var, slice.backing);
    }

    /// An array for at least `count` elements, rounded up to what its size class holds.
    fn backing(&mut self, var: VarId, count: u64) -> Slice {
        let element = self.element(var);
        let asked = element.array(count.max(1)).expect("smaller than what was checked");
        let cap = usable_bytes(self.glass.version, asked) / element.size_bytes.max(1);
        let layout = element.array(cap).expect("a little more than what was asked for");
        let backing = self.glass.alloc(layout);
        Slice { backing, len: count, cap, released: 0, slots: element.pointer_slots }
    }

    /// `s = append(s, element)`, whose pointers are locals of the caller.
    pub(super) fn append(&mut self, var: VarId, pointers: &[ObjRef]) {
        let mut slice = match self.variables[var.0].value {
            Value::Slice(slice) => slice,
            _ => {
                let slots = self.element(var).pointer_slots;
                Slice { backing: ObjRef::NIL, len: 0, cap: 0, released: 0, slots }
            }
        };
        if slice.len == slice.cap {
            slice = self.grow(var, slice);
        }
        for (place, pointer) in pointers.iter().enumerate() {
            let slot = slice.slot(slice.len) + place as u32;
            self.glass.set_pointer(slice.backing, slot, *pointer);
        }
        slice.len += 1;
        self.variables[var.0].value = Value::Slice(slice);
    }

    /// A larger array with the old one's elements.
    fn grow(&mut self, var: VarId, old: Slice) -> Slice {
        let new = self.backing(var, grown_cap(old.cap));
        self.glass.push_local(new.backing);
        for slot in 0..old.len as u32 * old.slots {
            let pointer = self.glass.pointer(old.backing, slot);
            if !pointer.is_nil() {
                self.glass.set_pointer(new.backing, slot, pointer);
            }
        }
        let slice = Slice { len: old.len, released: old.released, ..new };
        self.set(var, slice.backing, Value::Slice(slice));
        self.glass.pop_local();
        slice
    }

    /// A new object of a stream, in the ring that keeps its newest.
    pub(super) fn keep_newest(&mut self, var: VarId, layout: Layout) {
        let object = self.glass.alloc(layout);
        self.glass.push_local(object);
        if let Value::Slice(mut slice) = self.variables[var.0].value {
            self.glass.set_pointer(slice.backing, slice.slot(slice.len), object);
            slice.len += 1;
            self.variables[var.0].value = Value::Slice(slice);
            self.keep(var, object);
        }
        self.glass.pop_local();
    }

    /// A part of a slice; of a slice that is shorter, all of it.
    pub(super) fn take_part(&mut self, step: &SliceOf) {
        let Value::Slice(whole) = self.variables[step.from.0].value else { return };
        let len = step.len.min(whole.len);
        let part = match step.part {
            Part::View => Slice { len, cap: len, ..whole },
            Part::Copy => self.copy_of(step, len),
        };
        self.glass.push_local(part.backing);
        match step.place {
            PartPlace::Assigned => self.set(step.into, part.backing, Value::Slice(part)),
            PartPlace::Appended => self.append(step.into, &[part.backing]),
        }
        self.glass.pop_local();
        let (from, into) = (self.name(step.from), self.name(step.into));
        let object = self.glass.name(part.backing).unwrap_or_default();
        self.glass.note(match step.part {
            Part::View => Event::View { from, into, len, object },
            Part::Copy => Event::Copy { from, into, len, object },
        });
    }

    /// `append([]T(nil), whole[:len]...)`: as many elements as the size class has room for.
    fn copy_of(&mut self, step: &SliceOf, len: u64) -> Slice {
        let element = self.element(step.from);
        let asked = element.array(len).expect("checked: the array has a size");
        let cap = usable_bytes(self.glass.version, asked) / element.size_bytes.max(1);
        let layout = element.array(cap).expect("a little more than what was asked for");
        let backing = self.glass.allocate(layout, len * element.size_bytes);
        Slice { backing, len, cap, released: 0, slots: 0 }
    }
}
