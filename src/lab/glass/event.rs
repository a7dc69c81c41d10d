//! What happens in a glass run, one event a step: each is one plain sentence on the page.

use serde::Serialize;

/// The name of an object: `#12`, the twelfth that was allocated.
pub(super) type Name = String;

/// One thing that has happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the sentence of its name; sizes are in bytes")]
pub(super) enum Event {
    /// Nothing yet.
    Begin,
    Make {
        var: String,
        hint: u64,
    },
    Insert {
        var: String,
        key: u32,
    },
    Update {
        var: String,
        key: u32,
    },
    /// The insert before has moved entries: the map has outgrown what it had.
    MapGrows {
        var: String,
        slots_before: u64,
        slots: u64,
    },
    Delete {
        var: String,
        key: u32,
    },
    /// The key was not there.
    DeleteNothing {
        var: String,
        key: u32,
    },
    Lookup {
        var: String,
        key: u32,
    },
    LookupNothing {
        var: String,
        key: u32,
    },
    Clear {
        var: String,
    },
    /// The variable refers to nothing any more.
    Drop {
        var: String,
        object: Name,
    },
    /// An object comes into being, white, or black while marking.
    Alloc {
        object: Name,
        size_bytes: u64,
        slot_bytes: u64,
        marking: bool,
    },
    /// Pages become a span for objects of one size.
    Span {
        pages: u64,
        slot_bytes: u64,
        slots: u32,
    },
    /// The object before is referred to by nothing.
    Garbage {
        object: Name,
    },
    /// A variable reaches one more object.
    Keep {
        var: String,
        object: Name,
    },
    /// A slice has forgotten an object.
    Release {
        var: String,
        object: Name,
    },
    /// The world has stopped, the write barrier is on, the roots are queued.
    CycleBegins {
        number: u32,
        forced: bool,
        live_bytes: u64,
        trigger_bytes: u64,
        roots: usize,
    },
    /// A root was looked at.
    Root {
        var: String,
        greyed: Vec<Name>,
        blackened: Vec<Name>,
    },
    /// Grey objects were looked at and are black now.
    Scan {
        objects: Vec<Name>,
        greyed: Vec<Name>,
        blackened: Vec<Name>,
    },
    /// A pointer was stored while marking: what was there and what comes are not white any more.
    Barrier {
        place: String,
        overwritten: Option<Name>,
        stored: Option<Name>,
        greyed: Vec<Name>,
    },
    /// Nothing is grey: the world has stopped, the barrier is off, sweeping begins.
    CycleEnds {
        number: u32,
        marked_bytes: u64,
        marked: usize,
        dead: usize,
        goal_bytes: Option<u64>,
    },
    /// A span was swept.
    Sweep {
        freed: usize,
        kept: usize,
        freed_pages: u64,
    },
    /// All spans are swept.
    Swept,
    /// Free pages went back to the system.
    Scavenge {
        pages: u64,
    },
    Snapshot {
        label: String,
    },
    /// The program is over.
    End,
}
