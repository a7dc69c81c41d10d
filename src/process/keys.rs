//! What keys cost: drawing them, writing their texts, hashing and comparing strings.
//!
//! A map takes its keys as identities and tells the process how many operations it has carried out. What the Go program
//! does beside them is known to whoever runs the program, and said here:
//!
//! 1. [`Process::spend_draws`] for numbers drawn at random and [`Process::spend_texts`] for texts of string keys, after the
//!    fact;
//! 2. [`Process::begin_string_keys`] before operations on a map with string keys, [`Process::end_string_keys`] after them:
//!    in between, each operation costs what hashing and comparing strings costs more ([`CostModel::string_key_ns`]).
//!    Entries that an operation evacuates are among them, as they are hashed again.
//!
//! Differences from Go: which key is compared with which text is not followed; all texts of a map are one working set,
//! although keys that come in the order in which their texts were made meet them in cache lines that were prefetched.
//!
//! [`CostModel::string_key_ns`]: crate::cost::CostModel::string_key_ns

use super::Process;
use crate::cost::{Draw, KeyText};
use crate::heap::mutator::Operation;

/// Every kind of operation on a map, in the order of its number.
const OPERATIONS: [Operation; Operation::COUNT] = [
    Operation::MapInsert,
    Operation::MapUpdate,
    Operation::MapLookupHit,
    Operation::MapLookupMiss,
    Operation::MapDelete,
    Operation::MapIterate,
    Operation::MapClear,
    Operation::MapEvacuate,
    Operation::MapPointers,
    Operation::MapApart,
];

/// What each map operation costs more while keys are strings: nothing at other times.
#[derive(Clone, Debug, Default)]
pub(super) struct StringKeys {
    more_ns: [f64; Operation::COUNT],
}

impl StringKeys {
    /// What one operation costs more now.
    #[inline]
    pub(super) fn more_ns(&self, operation: Operation) -> f64 {
        self.more_ns[operation as usize]
    }
}

impl Process {
    /// The program has drawn `count` numbers.
    pub fn spend_draws(&mut self, draw: Draw, count: u64) {
        self.spend_cpu_ns(self.costs.draw_ns(draw) * count as f64);
    }

    /// The program has come by the texts of `count` string keys.
    pub fn spend_texts(&mut self, text: KeyText, count: u64) {
        self.spend_cpu_ns(self.costs.text_ns(text) * count as f64);
    }

    /// Map operations that follow are on string keys; the texts in the map take `texts_bytes`.
    pub fn begin_string_keys(&mut self, texts_bytes: u64) {
        let costs = &self.costs;
        self.string_keys.more_ns = OPERATIONS.map(|operation| costs.string_key_ns(operation, texts_bytes));
    }

    /// Map operations that follow are on keys of other types.
    pub fn end_string_keys(&mut self) {
        self.string_keys = StringKeys::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_in_the_order_of_their_numbers() {
        assert!(OPERATIONS.iter().enumerate().all(|(number, operation)| *operation as usize == number));
    }
}
