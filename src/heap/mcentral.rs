//! The central lists of one span class: spans with free slots and spans without, swept and not yet swept.
//!
//! A P that runs out of free slots of a class trades its full span here for one with room. The lists are first in,
//! first out. Which of the two pairs of lists holds the swept spans alternates: when a cycle ends, the generation grows
//! by 2 and *every* swept span becomes an unswept one without being touched (`runtime/mcentral.go`, Go 1.23.9).
//!
//! Differences from Go: Go's span sets are lock-free block lists; these are plain queues. The bytes of Go's blocks are
//! part of the metadata estimate in the process.

use std::collections::VecDeque;

use super::object::SpanId;

/// Which of a span class's four lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Spans with at least one free slot.
    Partial,
    /// Spans without a free slot.
    Full,
}

/// Whether a list's spans were swept since the last cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// They were.
    Yes,
    /// They were not.
    No,
}

/// The four lists of one span class.
#[derive(Clone, Debug, Default)]
pub struct Mcentral {
    lists: [[VecDeque<SpanId>; 2]; 2],
}

impl Mcentral {
    fn list(&mut self, fill: Fill, swept: Swept, sweep_generation: u32) -> &mut VecDeque<SpanId> {
        let phase = (sweep_generation / 2 % 2) as usize;
        let side = match swept {
            Swept::Yes => phase,
            Swept::No => 1 - phase,
        };
        &mut self.lists[fill as usize][side]
    }

    /// Adds a swept span.
    pub fn push_swept(&mut self, fill: Fill, sweep_generation: u32, span: SpanId) {
        self.list(fill, Swept::Yes, sweep_generation).push_back(span);
    }

    /// Takes the oldest span of a list.
    pub fn pop(&mut self, fill: Fill, swept: Swept, sweep_generation: u32) -> Option<SpanId> {
        self.list(fill, swept, sweep_generation).pop_front()
    }
}
