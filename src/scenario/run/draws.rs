//! What a slice of work draws and writes to come by its keys.
//!
//! The Go program calls a generator for each key that does not simply follow the last one, and makes the text of each
//! string key. That work is counted here, slice by slice: how far a task has come before and after.
//!
//! 1. Keys drawn uniformly, by Zipf or from a shuffle cost a draw each; so do objects of a `garbage` mix of several kinds
//!    and the pointers of a graph.
//! 2. String keys cost their texts: `keyText` for an insert with `key_size`, `knownKey` for a lookup, a delete, a hold and
//!    what a window evicts, a constant otherwise.
//! 3. Operations on maps by strings hash and compare texts; all texts of a map are a working set of one slot each.
//!
//! Differences from Go: loops over a map that is nil draw nothing; a rebuild finds the texts that it hashes in cache;
//! strings inside structs and interfaces cost what plain memory costs.

use super::Machine;
use super::task::Task;
use crate::heap::object::Layout;
use crate::heap::size_class::usable_bytes;
use crate::process::{Draw, KeyText};
use crate::scenario::{GoType, Keys, KeysIter, Order, Scenario, VarId, VarType};
use crate::version::GoVersion;

/// The keys of a map by strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringKeys {
    /// How a lookup comes by a text.
    known: KeyText,
    /// Heap memory of one text; 0 for constants.
    slot_bytes: u64,
}

impl StringKeys {
    /// For every variable of a scenario, its string keys.
    pub(super) fn of_variables(scenario: &Scenario, version: GoVersion) -> Vec<Option<StringKeys>> {
        let of_variable = |(index, var_type): (usize, &VarType)| {
            let VarType::Map { key, .. } = var_type else { return None };
            let of_text = |bytes| StringKeys {
                known: KeyText::Known(bytes),
                slot_bytes: usable_bytes(version, Layout::noscan(bytes)),
            };
            let constant = StringKeys { known: KeyText::Constant, slot_bytes: 0 };
            let is_string = key.go_type == GoType::String;
            is_string.then(|| scenario.key_text_bytes(VarId(index)).map_or(constant, of_text))
        };
        scenario.vars.values().enumerate().map(of_variable).collect()
    }
}

/// How far a task has come with what it draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    /// Keys, in whichever order.
    keys: u64,
    /// Keys that a window has evicted.
    evicted: u64,
    /// Other numbers.
    numbers: u64,
}

impl Drawn {
    /// What `task` has drawn so far.
    pub(super) fn by(task: &Task<'_>) -> Drawn {
        let numbers = match task {
            Task::Garbage(garbage) => garbage.drawn,
            Task::Alloc(alloc) => alloc.drawn(),
            Task::Get(get) => get.drawn,
            _ => 0,
        };
        let Some((keys, left)) = keys_of(task) else { return Drawn { numbers, ..Drawn::default() } };
        let evicted = match (keys, left) {
            (Keys::Window { size, .. }, KeysIter::Ascending { next, .. }) => next.saturating_sub(*size),
            _ => 0,
        };
        Drawn { keys: keys.count() - left.size_hint().0 as u64, evicted, numbers }
    }

    fn since(self, before: Drawn) -> Drawn {
        Drawn {
            keys: self.keys - before.keys,
            evicted: self.evicted - before.evicted,
            numbers: self.numbers - before.numbers,
        }
    }
}

/// The keys that a task goes through, and those still to come.
fn keys_of<'t>(task: &'t Task<'_>) -> Option<(&'t Keys, &'t KeysIter)> {
    match task {
        Task::Insert(insert) => Some((&insert.step.keys, &insert.keys)),
        Task::Lookup(access, left) | Task::Delete(access, left) => Some((&access.keys, left)),
        Task::Hold(hold) => Some((&hold.step.keys, &hold.keys)),
        _ => None,
    }
}

/// The map that a task works on.
fn map_of(task: &Task<'_>) -> Option<VarId> {
    match task {
        Task::Insert(insert) => Some(insert.step.var),
        Task::Lookup(access, _) | Task::Delete(access, _) => Some(access.var),
        Task::Hold(hold) => Some(hold.step.from),
        Task::Rebuild(rebuild) => Some(rebuild.var),
        _ => None,
    }
}

/// How a generator draws keys; `None` for keys that follow one another.
fn draw_of(keys: &Keys) -> Option<Draw> {
    match *keys {
        Keys::Range { order: Order::Ascending, .. } | Keys::Window { .. } => None,
        Keys::Range { first, end, order: Order::Random { .. }, .. } => {
            Some(Draw::Shuffled { count: end - first })
        }
        Keys::Random { .. } => Some(Draw::Uniform),
        Keys::Zipf { exponent, .. } => Some(Draw::Zipf { exponent }),
    }
}

impl Machine<'_> {
    /// Before a slice of `task`: the process learns whether maps hash strings.
    pub(super) fn begin_keys(&mut self, task: &Task<'_>) {
        let Some(var) = map_of(task) else { return };
        if let Some(keys) = self.string_keys[var.0]
            && let Some(map) = self.variables[var.0].map()
        {
            let texts_bytes = map.len() * keys.slot_bytes;
            self.process.begin_string_keys(texts_bytes);
        }
    }

    /// After a slice of `task`, which had drawn so much `before`: draws and texts are paid for.
    pub(super) fn end_keys(&mut self, task: &Task<'_>, before: Drawn) {
        self.process.end_string_keys();
        let drawn = Drawn::by(task).since(before);
        if drawn.numbers > 0 {
            // Kinds of garbage and ends of pointers.
            self.process.spend_draws(Draw::Uniform, drawn.numbers);
        }
        let Some((keys, _)) = keys_of(task).filter(|_| drawn.keys > 0) else { return };
        if let Some(draw) = draw_of(keys) {
            self.process.spend_draws(draw, drawn.keys);
        }
        let var = map_of(task).expect("keys are those of a map");
        let Some(strings) = self.string_keys[var.0] else { return };
        let text = match task {
            Task::Insert(insert) => {
                insert.step.key_text.map_or(KeyText::Constant, |layout| KeyText::Made(layout.size_bytes))
            }
            _ => strings.known,
        };
        self.process.spend_texts(text, drawn.keys);
        if drawn.evicted > 0 {
            self.process.spend_texts(strings.known, drawn.evicted);
        }
    }
}
