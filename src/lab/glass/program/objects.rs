//! Objects that a program makes, keeps and drops.

use super::{Program, Value, written_bytes};
use crate::heap::mutator::{Global, Mutator, Variables};
use crate::heap::object::{Layout, ObjRef};
use crate::lab::glass::event::Event;
use crate::scenario::{Alloc, Finalize, Serve, Shape, Typed, VarId, Written};

/// A slice and what is known about its elements. That of a stream is a ring: element `n` lies at `n % cap`.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    pub backing: ObjRef,
    pub len: u64,
    pub cap: u64,
    /// Elements at the front that have been set to nil.
    pub released: u64,
    /// Pointer slots of one element.
    pub slots: u32,
}

impl Slice {
    /// The pointer slot of element `number`.
    pub fn slot(&self, number: u64) -> u32 {
        (number % self.cap.max(1)) as u32 * self.slots
    }
}

impl Program<'_> {
    /// One object of an `alloc`, reached as its shape says.
    pub(super) fn alloc(&mut self, step: &Alloc, number: u64) {
        let object = self.glass.allocate(step.object, written_bytes(step.written, step.object.size_bytes));
        self.glass.push_local(object);
        match step.shape {
            Shape::List => {
                let head = self.glass.global(self.variables[step.into.0].global);
                self.glass.set_pointer(object, 0, head);
                self.set(step.into, object, Value::Pointer);
            }
            Shape::Tree => self.hang_on_tree(step.into, object, number),
            Shape::Slice(_) | Shape::Graph { .. } => self.append(step.into, &[object]),
            Shape::One | Shape::InPlace => self.set(step.into, object, Value::Pointer),
        }
        self.keep(step.into, object);
        self.glass.pop_local();
    }

    /// Object `number` of a tree: its parent is object `(number - 1) / 2`.
    fn hang_on_tree(&mut self, var: VarId, object: ObjRef, number: u64) {
        if number == 0 {
            return self.set(var, object, Value::Tree(vec![object]));
        }
        let Value::Tree(objects) = &mut self.variables[var.0].value else { return };
        let parent = objects[((number - 1) / 2) as usize];
        objects.push(object);
        self.glass.set_pointer(parent, ((number - 1) % 2) as u32, object);
    }

    /// `s = make([]T, count)`: the elements lie in the array.
    pub(super) fn alloc_array(&mut self, step: &Alloc, count: u64) {
        let element = self.element(step.into);
        let layout = element.array(count.max(1)).expect("smaller than what was checked");
        let object = self.glass.allocate(layout, written_bytes(step.written, layout.size_bytes));
        let slice =
            Slice { backing: object, len: count, cap: count, released: 0, slots: element.pointer_slots };
        self.set(step.into, object, Value::Slice(slice));
        self.keep(step.into, object);
    }

    /// Pointers of the object behind one element to those behind others.
    pub(super) fn link(&mut self, var: VarId, from: u64, targets: &[u64]) {
        let Value::Slice(slice) = self.variables[var.0].value else { return };
        let object = self.glass.pointer(slice.backing, slice.slot(from));
        let mut to = Vec::new();
        for (place, target) in targets.iter().enumerate() {
            let target = self.glass.pointer(slice.backing, slice.slot(*target));
            self.glass.set_pointer(object, place as u32, target);
            to.extend(self.glass.name(target));
        }
        let object = self.glass.name(object).unwrap_or_default();
        self.glass.note(Event::Link { object, to });
    }

    pub(super) fn garbage(&mut self, object: Layout, written: Written) {
        let object = self.glass.allocate(object, written_bytes(written, object.size_bytes));
        let object = self.glass.name(object).unwrap_or_default();
        self.glass.note(Event::Garbage { object });
    }

    /// `held = append(held, m[k])`; an absent key is passed over.
    pub(super) fn hold(&mut self, from: VarId, into: VarId, key: u32) {
        let mut pointers = Vec::new();
        let Value::Map(map) = &self.variables[from.0].value else { return };
        if !map.read_elem_pointers(&self.glass, key, &mut pointers) {
            return;
        }
        self.append(into, &pointers);
        let object = pointers.first().copied().unwrap_or(ObjRef::NIL);
        self.keep(into, object);
    }

    /// Sets the first element that a slice still has to nil.
    pub(super) fn release(&mut self, var: VarId) {
        let Value::Slice(mut slice) = self.variables[var.0].value else { return };
        if slice.released == slice.len || slice.slots == 0 {
            return;
        }
        let slot = slice.slot(slice.released);
        let object = self.glass.pointer(slice.backing, slot);
        self.glass.clear_pointers(slice.backing, slot..slot + slice.slots);
        slice.released += 1;
        self.variables[var.0].value = Value::Slice(slice);
        let (var, object) = (self.name(var), self.glass.name(object).unwrap_or_default());
        self.glass.note(Event::Release { var, object });
    }

    /// An object that nobody refers to, or only the one before it in its chain, with a finalizer or the like.
    pub(super) fn finalize(&mut self, step: &Finalize, number: u64) {
        let object = self.glass.allocate(step.object, written_bytes(step.written, step.object.size_bytes));
        self.glass.push_local(object);
        let chain = self.chain();
        if step.chain > 1 && !number.is_multiple_of(step.chain) {
            let next = self.glass.global(chain);
            self.glass.set_pointer(object, 0, next);
        }
        self.glass.set_global(chain, object);
        self.glass.set_special(object, step.kind);
        if (number + 1).is_multiple_of(step.chain) || number + 1 == step.count {
            self.glass.set_global(chain, ObjRef::NIL);
        }
        self.glass.pop_local();
    }

    /// The local variable of the loop that links a chain.
    fn chain(&mut self) -> Global {
        if let Some(chain) = self.chain {
            return chain;
        }
        self.glass.name_globals(vec!["chain".to_owned()]);
        let chain = self.glass.new_global();
        self.chain = Some(chain);
        chain
    }

    /// A request: it makes its objects, replaces the oldest session, and is done.
    pub(super) fn request(&mut self, step: &Serve, number: u64, objects: u64) {
        let garbage = step.garbage.as_ref().map(|garbage| garbage.part.object);
        for _ in 0..objects {
            let Some(layout) = garbage else { break };
            let object = self.glass.alloc(layout);
            self.glass.push_local(object);
        }
        if let Some(session) = &step.session
            && let Value::Slice(slice) = self.variables[session.into.0].value
            && slice.len > 0
        {
            let Typed { layout, .. } = &session.object;
            let object = self.glass.alloc(layout.object());
            self.glass.push_local(object);
            self.glass.set_pointer(slice.backing, slice.slot(number % slice.len), object);
            self.keep(session.into, object);
            self.glass.pop_local();
        }
        let made = if garbage.is_some() { objects } else { 0 };
        (0..made).for_each(|_| self.glass.pop_local());
        self.glass.note(Event::Request { number, dropped: made as usize });
    }
}
