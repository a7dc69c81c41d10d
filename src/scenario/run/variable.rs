//! The program's variables: what each refers to now, on the heap and in the interpreter's own books.

use crate::container::map::Map;
use crate::heap::object::ObjRef;
use crate::process::{Global, Process};

/// A package-level variable.
pub(super) struct Variable {
    /// The root that the collector sees.
    pub(super) global: Global,
    /// What the interpreter knows about it.
    pub(super) value: Value,
}

/// What a variable refers to.
pub(super) enum Value {
    /// Nothing.
    Nil,
    /// A map.
    Map(Map),
    /// A slice.
    Slice(Slice),
    /// One object, or the first of several that are linked.
    Pointer,
}

/// A slice header and what is known about its elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// The backing array.
    pub(super) backing: ObjRef,
    /// Elements in use.
    pub(super) len: u64,
    /// Elements that fit.
    pub(super) cap: u64,
    /// Elements at the front that have been set to nil.
    pub(super) released: u64,
    /// Pointer slots of one element.
    pub(super) slots: u32,
}

impl Variable {
    /// A variable that is nil.
    pub(super) fn nil(global: Global) -> Variable {
        Variable { global, value: Value::Nil }
    }

    /// Makes the variable refer to `object`.
    pub(super) fn set(&mut self, process: &mut Process, object: ObjRef, value: Value) {
        process.set_global(self.global, object);
        self.value = value;
    }

    /// The map in the variable, if there is one.
    pub(super) fn map(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The slice in the variable, if there is one.
    pub(super) fn slice(&self) -> Option<Slice> {
        match self.value {
            Value::Slice(slice) => Some(slice),
            _ => None,
        }
    }
}
