//! The program's variables: what each refers to now, on the heap and in the interpreter's own books.

use super::sync::{LockedMaps, PoolVariable};
use crate::container::map::Map;
use crate::container::sync_map::SyncMap;
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
    /// A `sync.Map`.
    SyncMap(Box<SyncMap>),
    /// Maps behind locks.
    Locked(Box<LockedMaps>),
    /// A `sync.Pool`.
    Pool(Box<PoolVariable>),
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

    /// The `sync.Map` that the variable is.
    pub(super) fn sync_map(&mut self) -> &mut SyncMap {
        match &mut self.value {
            Value::SyncMap(map) => map,
            _ => panic!("the variable is no sync.Map"),
        }
    }

    /// The maps behind locks that the variable is, which have been made.
    pub(super) fn locked(&mut self) -> &mut LockedMaps {
        match &mut self.value {
            Value::Locked(maps) => maps,
            _ => panic!("the variable has no maps behind locks"),
        }
    }

    /// The `sync.Pool` that the variable is.
    pub(super) fn pool(&mut self) -> &mut PoolVariable {
        match &mut self.value {
            Value::Pool(pool) => pool,
            _ => panic!("the variable is no sync.Pool"),
        }
    }

    /// Lets go of what the variable holds in variables of its own.
    pub(super) fn forget(&mut self, process: &mut Process) {
        match &mut self.value {
            Value::SyncMap(map) => map.reset(process),
            Value::Locked(maps) => maps.forget(process),
            _ => {}
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
