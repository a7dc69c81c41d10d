//! Parts of slices: `part = whole[:len:len]`, which keeps the whole, and its cure, a copy.

use super::Machine;
use super::variable::{Slice, Value};
use crate::heap::mutator::Mutator;
use crate::heap::size_class::usable_bytes;
use crate::scenario::{Part, PartPlace, SliceOf};

impl Machine<'_> {
    /// Takes a part of a slice; of a slice that is shorter, all of it.
    pub(super) fn take_part(&mut self, step: &SliceOf) {
        let Some(whole) = self.variables[step.from.0].slice() else { return };
        let len = step.len.min(whole.len);
        let part = match step.part {
            Part::View => Slice { len, cap: len, ..whole },
            Part::Copy => self.copy_of(step, len),
        };
        match step.place {
            PartPlace::Assigned => {
                self.variables[step.into.0].set(&mut self.process, part.backing, Value::Slice(part));
            }
            PartPlace::Appended => {
                self.process.push_local(part.backing);
                self.append(step.into, &[part.backing]);
                self.process.pop_local();
            }
        }
    }

    /// `append([]T(nil), whole[:len]...)`: as many elements as the size class has room for.
    fn copy_of(&mut self, step: &SliceOf, len: u64) -> Slice {
        let element = self.element(step.from);
        let asked = element.array(len).expect("checked: the array has a size");
        let cap = usable_bytes(self.process.version(), asked) / element.size_bytes.max(1);
        let layout = element.array(cap).expect("a little more than what was asked for");
        let backing = self.process.alloc(layout);
        self.process.write_part(backing, 0, len * element.size_bytes);
        Slice { backing, len, cap, released: 0, slots: 0 }
    }
}
