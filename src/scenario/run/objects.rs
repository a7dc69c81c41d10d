//! Steps that make objects and keep or drop them.

use super::Machine;
use super::maps::{more_if, written_bytes};
use super::task::{Progress, SLICE};
use super::variable::{Slice, Value};
use crate::heap::malloc::Run;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};
use crate::heap::size_class::{SizeClass, usable_bytes};
use crate::heap::special::FinalizerAction;
use crate::process::{Global, grown_cap};
use crate::scenario::splitmix64::SplitMix64;
use crate::scenario::{
    Alloc, Amount, Backing, Finalize, FinalizeKind, Garbage, Hold, KeysIter, Shape, TypeLayout, Typed, VarId,
    VarType,
};

/// Bytes of a pointer: what an object that is linked to others has written at least.
pub(super) const POINTER_BYTES: u64 = 8;

/// An `alloc` in the middle of being carried out.
pub(super) struct AllocTask<'s> {
    step: &'s Alloc,
    made: u64,
    /// Every object made, for shapes whose links go back to earlier ones.
    objects: Vec<ObjRef>,
    /// Objects of a graph whose pointers are drawn.
    linked: u64,
    rng: SplitMix64,
}

/// A `garbage` in the middle of being carried out.
pub(super) struct GarbageTask<'s> {
    step: &'s Garbage,
    left: u64,
    rng: SplitMix64,
    weights: u64,
    /// Objects whose kinds were drawn.
    pub(super) drawn: u64,
}

/// A `hold` in the middle of being carried out.
pub(super) struct HoldTask<'s> {
    pub(super) step: &'s Hold,
    pub(super) keys: KeysIter,
}

/// A `finalize` in the middle of being carried out.
pub(super) struct FinalizeTask<'s> {
    step: &'s Finalize,
    made: u64,
    /// The chain that is being linked: a local variable of the loop.
    chain: Option<Global>,
}

impl<'s> AllocTask<'s> {
    pub(super) fn new(step: &'s Alloc, run_seed: u64, turn: u64) -> AllocTask<'s> {
        let seed = if let Shape::Graph { seed, .. } = step.shape { seed } else { 0 };
        let rng = SplitMix64::new(run_seed, seed, turn);
        AllocTask { step, made: 0, objects: Vec::new(), linked: 0, rng }
    }

    /// Pointers of a graph that were drawn.
    pub(super) fn drawn(&self) -> u64 {
        match self.step.shape {
            Shape::Graph { degree, .. } => self.linked * u64::from(degree),
            _ => 0,
        }
    }
}

impl<'s> GarbageTask<'s> {
    pub(super) fn new(step: &'s Garbage, run_seed: u64, turn: u64) -> GarbageTask<'s> {
        let left = match step.amount {
            Amount::Count(count) => count,
            Amount::Bytes(bytes) => bytes,
        };
        let weights = step.mix.iter().map(|part| u64::from(part.weight)).sum();
        GarbageTask { step, left, rng: SplitMix64::new(run_seed, step.seed, turn), weights, drawn: 0 }
    }

    /// The next kind of object, and how many of it may be made at a stroke.
    fn draw(&mut self) -> (Layout, u32) {
        if let [only] = self.step.mix.as_slice() {
            let size_bytes = only.object.size_bytes.max(1);
            let count = match self.step.amount {
                Amount::Count(_) => self.left,
                Amount::Bytes(_) => self.left.div_ceil(size_bytes),
            };
            return (only.object, u32::try_from(count).unwrap_or(u32::MAX));
        }
        self.drawn += 1;
        let mut ticket = self.rng.below(self.weights);
        for part in &self.step.mix {
            match ticket.checked_sub(u64::from(part.weight)) {
                Some(rest) => ticket = rest,
                None => return (part.object, 1),
            }
        }
        panic!("ticket {ticket} beyond {} weights", self.weights)
    }

    fn count(&mut self, object: Layout, count: u32) {
        let made = match self.step.amount {
            Amount::Count(_) => u64::from(count),
            Amount::Bytes(_) => u64::from(count) * object.size_bytes.max(1),
        };
        self.left = self.left.saturating_sub(made);
    }
}

impl<'s> HoldTask<'s> {
    pub(super) fn new(step: &'s Hold, run_seed: u64, turn: u64) -> HoldTask<'s> {
        HoldTask { step, keys: step.keys.iter(run_seed, turn) }
    }
}

impl<'s> FinalizeTask<'s> {
    pub(super) fn new(step: &'s Finalize) -> FinalizeTask<'s> {
        FinalizeTask { step, made: 0, chain: None }
    }
}

impl Machine<'_> {
    /// `v = nil`.
    pub(super) fn drop_variable(&mut self, var: VarId) {
        self.variables[var.0].forget(&mut self.process);
        if self.scenario.var(var).is_ready() {
            return;
        }
        self.variables[var.0].set(&mut self.process, ObjRef::NIL, Value::Nil);
    }

    /// The variable that garbage is assigned to: `sink = make([]byte, 256)`. It keeps the newest object reachable, and
    /// each track has one of its own. While a step goes on, a small object is not worth the assignment: it is one of
    /// hundreds in its span.
    pub(super) fn sink(&mut self) -> Global {
        *self.sinks.entry(self.track).or_insert_with(|| self.process.new_global())
    }

    /// Objects that are garbage at once, but for the newest.
    pub(super) fn garbage_slice(&mut self, task: &mut GarbageTask) -> Progress {
        for _ in 0..SLICE {
            if task.left == 0 {
                return Progress::Done;
            }
            let (object, limit) = task.draw();
            let run = self.process.alloc_run(object, limit);
            self.process.write_run(run, written_bytes(task.step.written, object.size_bytes));
            task.count(object, run.count());
            if task.left == 0 || SizeClass::fitting(object.size_bytes).is_none() {
                let sink = self.sink();
                self.process.set_global(sink, run.objects().last().expect("a run has an object"));
            }
        }
        more_if(task.left > 0)
    }

    /// Objects that a variable keeps.
    pub(super) fn alloc_slice(&mut self, task: &mut AllocTask) -> Progress {
        let step = task.step;
        if task.made == 0 {
            self.prepare(step);
        }
        if task.made == step.count {
            return self.link_graph(task);
        }
        let limit = u32::try_from(step.count - task.made).unwrap_or(u32::MAX).min(SLICE as u32);
        match step.shape {
            Shape::One | Shape::InPlace => {
                self.alloc_single(step);
                return Progress::Done;
            }
            Shape::Slice(_) => task.made += self.append_new(step, limit),
            Shape::List => task.made += self.push_on_list(step, limit),
            Shape::Tree => self.extend_tree(task, limit),
            Shape::Graph { .. } => self.fill_graph(task, limit),
        }
        let unlinked = matches!(step.shape, Shape::Graph { degree, .. } if degree > 0);
        more_if(task.made < step.count || unlinked)
    }

    /// What comes before the first object: arrays made to size, and forgetting what a shape replaces.
    fn prepare(&mut self, step: &Alloc) {
        match step.shape {
            Shape::Slice(Backing::Presized) => {
                let backing = self.make_backing(step.into, step.count);
                self.set_slice(step.into, Slice { len: 0, cap: step.count, ..backing });
            }
            Shape::Graph { .. } => {
                let backing = self.make_backing(step.into, step.count);
                self.set_slice(step.into, Slice { cap: step.count, ..backing });
            }
            _ => {}
        }
    }

    fn alloc_single(&mut self, step: &Alloc) {
        let layout = match step.shape {
            Shape::InPlace => {
                self.element(step.into).array(step.count).expect("checked: the array has a size")
            }
            _ => step.object,
        };
        let run = self.process.alloc_run(layout, 1);
        let object = run.first();
        let value = match step.shape {
            Shape::InPlace => {
                let slots = self.element(step.into).pointer_slots;
                Value::Slice(Slice { backing: object, len: step.count, cap: step.count, released: 0, slots })
            }
            _ => Value::Pointer,
        };
        self.variables[step.into.0].set(&mut self.process, object, value);
        self.process.write_run(run, written_bytes(step.written, layout.size_bytes));
    }

    /// `n := new(T); n.next = head; head = n`.
    fn push_on_list(&mut self, step: &Alloc, limit: u32) -> u64 {
        let run = self.process.alloc_run(step.object, limit);
        let variable = &mut self.variables[step.into.0];
        let mut head = self.process.global(variable.global);
        for object in run.objects() {
            self.process.set_pointer(object, 0, head);
            head = object;
        }
        variable.set(&mut self.process, head, Value::Pointer);
        self.write_linked(run, step);
        u64::from(run.count())
    }

    /// Objects of a tree in breadth-first order; each is linked to its parent as soon as it is made.
    fn extend_tree(&mut self, task: &mut AllocTask, limit: u32) {
        let step = task.step;
        let run = self.process.alloc_run(step.object, limit);
        for object in run.objects() {
            let number = task.made;
            if number == 0 {
                self.variables[step.into.0].set(&mut self.process, object, Value::Pointer);
            } else {
                let parent = task.objects[((number - 1) / 2) as usize];
                self.process.set_pointer(parent, ((number - 1) % 2) as u32, object);
            }
            task.objects.push(object);
            task.made += 1;
        }
        self.write_linked(run, step);
    }

    /// Objects of a graph, into the slice that holds them all.
    fn fill_graph(&mut self, task: &mut AllocTask, limit: u32) {
        let step = task.step;
        let run = self.process.alloc_run(step.object, limit);
        let slice = self.variables[step.into.0].slice().expect("prepared");
        for object in run.objects() {
            self.process.set_pointer(slice.backing, task.made as u32 * slice.slots, object);
            task.objects.push(object);
            task.made += 1;
        }
        self.touch_elements(step.into, task.made - u64::from(run.count())..task.made);
        self.write_linked(run, step);
    }

    /// Draws the pointers of some objects of a graph, once all exist.
    fn link_graph(&mut self, task: &mut AllocTask) -> Progress {
        let Shape::Graph { degree, .. } = task.step.shape else { return Progress::Done };
        let end = task.step.count.min(task.linked + SLICE as u64);
        for number in task.linked..end {
            let object = task.objects[number as usize];
            for slot in 0..degree {
                let target = task.rng.below(task.step.count) as usize;
                self.process.set_pointer(object, slot, task.objects[target]);
            }
            self.process.write_part(object, 0, POINTER_BYTES * u64::from(degree));
        }
        task.linked = end;
        more_if(end < task.step.count)
    }

    fn write_linked(&mut self, run: Run, step: &Alloc) {
        let len_bytes = written_bytes(step.written, step.object.size_bytes).max(POINTER_BYTES);
        self.process.write_run(run, len_bytes);
    }

    /// `s = append(s, new(T))` for up to `limit` objects.
    fn append_new(&mut self, step: &Alloc, limit: u32) -> u64 {
        let run = self.process.alloc_run(step.object, limit);
        let objects: Vec<ObjRef> = run.objects().collect();
        objects.iter().for_each(|object| self.process.push_local(*object));
        self.process.write_run(run, written_bytes(step.written, step.object.size_bytes));
        for object in &objects {
            self.append(step.into, std::slice::from_ref(object));
        }
        objects.iter().for_each(|_| self.process.pop_local());
        u64::from(run.count())
    }

    /// `s = append(s, element)`.
    pub(super) fn append(&mut self, var: VarId, pointers: &[ObjRef]) {
        let mut slice = self.variables[var.0].slice().unwrap_or(Slice {
            backing: ObjRef::NIL,
            len: 0,
            cap: 0,
            released: 0,
            slots: self.element(var).pointer_slots,
        });
        if slice.len == slice.cap {
            slice = self.grow_slice(var, slice);
        }
        for (slot, pointer) in pointers.iter().enumerate() {
            self.process.set_pointer(slice.backing, slice.len as u32 * slice.slots + slot as u32, *pointer);
        }
        slice.len += 1;
        self.variables[var.0].value = Value::Slice(slice);
        self.touch_elements(var, slice.len - 1..slice.len);
    }

    /// A larger backing array with the old one's elements.
    fn grow_slice(&mut self, var: VarId, old: Slice) -> Slice {
        let new = self.make_backing(var, grown_cap(old.cap));
        for slot in 0..old.len as u32 * old.slots {
            let pointer = self.process.pointer(old.backing, slot);
            if !pointer.is_nil() {
                self.process.set_pointer(new.backing, slot, pointer);
            }
        }
        let slice = Slice { len: old.len, released: old.released, ..new };
        self.set_slice(var, slice);
        self.touch_elements(var, 0..slice.len);
        slice
    }

    /// A backing array for at least `count` elements, rounded up to what its size class holds.
    pub(super) fn make_backing(&mut self, var: VarId, count: u64) -> Slice {
        let element = self.element(var);
        let asked = element.array(count.max(1)).expect("checked: the array has a size");
        let usable = usable_bytes(self.process.version(), asked);
        let cap = usable / element.size_bytes.max(1);
        let layout = element.array(cap).expect("a little more than what was asked for");
        let backing = self.process.alloc(layout);
        Slice { backing, len: count, cap, released: 0, slots: element.pointer_slots }
    }

    fn set_slice(&mut self, var: VarId, slice: Slice) {
        self.variables[var.0].set(&mut self.process, slice.backing, Value::Slice(slice));
    }

    fn touch_elements(&mut self, var: VarId, elements: std::ops::Range<u64>) {
        let element = self.element(var);
        let element_bytes = element.size_bytes;
        if let Some(slice) = self.variables[var.0].slice()
            && elements.start < elements.end
        {
            let len_bytes = (elements.end - elements.start) * element_bytes;
            let start_bytes = elements.start * element_bytes;
            if element.pointer_slots > 0 {
                self.process.write_pointers(slice.backing, start_bytes, len_bytes);
            } else {
                self.process.write_part(slice.backing, start_bytes, len_bytes);
            }
        }
    }

    /// The layout of an element of the slice in `var`.
    pub(super) fn element(&self, var: VarId) -> TypeLayout {
        match self.scenario.var(var) {
            VarType::Slice { element: Typed { layout, .. } } => *layout,
            other => panic!("{} is a {other}, not a slice", self.scenario.var_name(var)),
        }
    }

    /// `held = append(held, m[k])` for every key.
    pub(super) fn hold_slice(&mut self, task: &mut HoldTask) -> Progress {
        let mut value = Vec::new();
        for key in task.keys.by_ref().take(SLICE) {
            let Some(map) = self.variables[task.step.from.0].map() else { return Progress::Done };
            if map.read_elem_pointers(&self.process, key, &mut value) {
                self.append(task.step.into, &value);
            }
        }
        more_if(task.keys.size_hint().0 > 0)
    }

    /// Sets the oldest `count` elements to nil.
    pub(super) fn release(&mut self, var: VarId, count: u64) {
        let Some(slice) = self.variables[var.0].slice() else { return };
        let end = slice.len.min(slice.released + count);
        self.process
            .clear_pointers(slice.backing, slice.released as u32 * slice.slots..end as u32 * slice.slots);
        self.variables[var.0].value = Value::Slice(Slice { released: end, ..slice });
    }

    fn finalize_object(&mut self, kind: FinalizeKind, object: ObjRef) {
        match kind {
            FinalizeKind::Finalizer => self.process.set_finalizer(object, FinalizerAction::Return),
            FinalizeKind::Cleanup => self.process.add_cleanup(object, ObjRef::NIL),
            FinalizeKind::Weak => drop(self.process.make_weak(object)),
        }
    }

    /// Objects with finalizers that nobody refers to.
    pub(super) fn finalize_slice(&mut self, task: &mut FinalizeTask) -> Progress {
        let step = task.step;
        let chain = *task.chain.get_or_insert_with(|| self.process.new_global());
        for _ in 0..SLICE {
            if task.made == step.count {
                self.process.set_global(chain, ObjRef::NIL);
                return Progress::Done;
            }
            if task.made.is_multiple_of(step.chain) {
                self.process.set_global(chain, ObjRef::NIL);
            }
            let run = self.process.alloc_run(step.object, 1);
            let object = run.first();
            let next = self.process.global(chain);
            if step.chain > 1 {
                self.process.set_pointer(object, 0, next);
            }
            self.process.set_global(chain, object);
            self.process.write_run(run, written_bytes(step.written, step.object.size_bytes));
            self.finalize_object(step.kind, object);
            task.made += 1;
        }
        Progress::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_grow_by_half_as_much_the_larger_they_are() {
        assert_eq!([0, 1, 128, 256, 512, 1024].map(grown_cap), [1, 2, 256, 512, 832, 1472]);
    }
}
