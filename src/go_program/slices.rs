//! Parts of slices.

use super::code::grouped;
use super::steps::Body;
use crate::scenario::{Part, PartPlace, SliceOf};

impl Body<'_, '_> {
    /// `part = whole[:64:64]`, or `parts = append(parts, whole[:64:64])`; a copy instead of the view.
    pub(super) fn take_part(&mut self, step: &SliceOf) {
        let (from, into) = (self.name(step.from), self.name(step.into));
        let len = grouped(step.len);
        let part = match step.part {
            Part::View => format!("{from}[:{len}:{len}]"),
            Part::Copy => {
                let element = self.types.text(self.element(step.from));
                format!("append([]{element}(nil), {from}[:{len}]...)")
            }
        };
        self.code.line(&match step.place {
            PartPlace::Assigned => format!("{into} = {part}"),
            PartPlace::Appended => format!("{into} = append({into}, {part})"),
        });
    }
}
