//! What happens in a glass run, one event a step: each is one plain sentence ([`super::sentence`]).

use serde::Serialize;

/// The name of an object: `#12`, the twelfth that was allocated.
pub(crate) type Name = String;

/// One thing that has happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the sentence of its name; sizes are in bytes, times in nanoseconds")]
pub(crate) enum Event {
    /// Nothing yet.
    Begin,
    /// Counts and keys are divided by a factor, so that there is not more to see than anyone can watch.
    ShownSmall {
        factor: u64,
    },
    /// A loop whose turns are not all shown.
    Repeat {
        times: u64,
        shown: u64,
    },

    // ---- maps ----
    Make {
        var: String,
        hint: u64,
    },
    /// `lock` is what guards the map, if anything does.
    Insert {
        var: String,
        key: u32,
        lock: Option<&'static str>,
    },
    Update {
        var: String,
        key: u32,
        lock: Option<&'static str>,
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
        lock: Option<&'static str>,
    },
    /// The key was not there.
    DeleteNothing {
        var: String,
        key: u32,
        lock: Option<&'static str>,
    },
    Lookup {
        var: String,
        key: u32,
        lock: Option<&'static str>,
    },
    LookupNothing {
        var: String,
        key: u32,
        lock: Option<&'static str>,
    },
    Range {
        var: String,
        keys: u64,
    },
    Clear {
        var: String,
    },
    /// A new map is filled with what the old one has.
    RebuildBegins {
        var: String,
        keys: u64,
    },
    /// The new map has taken the old one's place.
    RebuildEnds {
        var: String,
        object: Name,
    },

    // ---- sync.Map ----
    Store {
        var: String,
        key: u32,
        over: bool,
        build: SyncBuild,
    },
    Load {
        var: String,
        key: u32,
        found: bool,
        build: SyncBuild,
    },
    SyncDelete {
        var: String,
        key: u32,
        found: bool,
        build: SyncBuild,
    },
    SyncRange {
        var: String,
        keys: u64,
        build: SyncBuild,
    },
    Reset {
        var: String,
    },

    // ---- sync.Pool ----
    /// A buffer came from the pool, or `New` made one.
    PoolGet {
        var: String,
        object: Name,
        made: bool,
    },
    /// A buffer was too short: it has a longer array now.
    PoolGrow {
        object: Name,
        array: Name,
        before_bytes: u64,
        len_bytes: u64,
    },
    PoolPut {
        var: String,
        object: Name,
    },
    /// A buffer was too large to go back.
    PoolRefuse {
        var: String,
        object: Name,
        cap_bytes: u64,
        most_bytes: u64,
    },
    /// A cycle is about to begin: what pools hold has become their victim cache.
    PoolsMoved {
        forgotten: usize,
        moved: usize,
    },

    // ---- objects and variables ----
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
    /// Pointers of objects to one another have been drawn.
    Link {
        object: Name,
        to: Vec<Name>,
    },
    /// A slice has forgotten an object.
    Release {
        var: String,
        object: Name,
    },
    /// A part of a slice, which keeps the whole array.
    View {
        from: String,
        into: String,
        len: u64,
        object: Name,
    },
    /// A part of a slice with an array of its own.
    Copy {
        from: String,
        into: String,
        len: u64,
        object: Name,
    },
    /// A finalizer, cleanup or weak pointer was set.
    Special {
        object: Name,
        kind: &'static str,
    },
    /// Sweeping has found objects dead and keeps them for their finalizers.
    Revived {
        objects: Vec<Name>,
    },
    /// Finalizers have run: their objects are ordinary ones now.
    Finalized {
        objects: Vec<Name>,
    },

    // ---- loads, goroutines, time ----
    /// Requests begin; `shown` of them, with `objects_shown` of their objects each.
    Serve {
        requests: u64,
        shown: u64,
        objects: u64,
        objects_shown: u64,
    },
    /// A request is done: what it made is dropped, but for what it keeps.
    Request {
        number: u64,
        dropped: usize,
    },
    /// A stream begins.
    Stream {
        duration_ns: u64,
        made: u64,
        shown: u64,
    },
    Goroutines {
        count: u64,
        shown: u64,
        stack_bytes: u64,
        pages: u64,
    },
    Exit {
        count: u64,
        pages: u64,
        /// Spans of stacks that only go back when a cycle ends.
        waiting_pages: u64,
    },
    Sleep {
        duration_ns: u64,
    },
    Compute {
        duration_ns: u64,
    },
    /// Functions returned what they had made in their frames.
    OnTheStack {
        calls: u64,
    },
    SetGogc {
        percent: Option<u32>,
        goal_bytes: Option<u64>,
    },
    SetMemoryLimit {
        limit_bytes: Option<u64>,
        goal_bytes: Option<u64>,
    },

    // ---- the collector ----
    /// The world has stopped, the write barrier is on, the roots are queued.
    CycleBegins {
        number: u32,
        cause: Cause,
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

/// Why a cycle begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cause {
    /// The live heap has reached the trigger.
    Heap,
    /// Two minutes have passed without a cycle.
    Time,
    /// `runtime.GC()`.
    Forced,
}

/// How a `sync.Map` is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SyncBuild {
    /// Two maps, up to Go 1.23.
    ReadDirty,
    /// A trie, since Go 1.24.
    Trie,
}

impl Event {
    /// The objects that it is about.
    pub(crate) fn objects(&self) -> Vec<&str> {
        match self {
            Event::Drop { object, .. }
            | Event::Alloc { object, .. }
            | Event::Garbage { object }
            | Event::Keep { object, .. }
            | Event::Release { object, .. }
            | Event::View { object, .. }
            | Event::Copy { object, .. }
            | Event::Special { object, .. }
            | Event::PoolGet { object, .. }
            | Event::PoolPut { object, .. }
            | Event::PoolRefuse { object, .. }
            | Event::RebuildEnds { object, .. } => vec![object],
            Event::PoolGrow { object, array, .. } => vec![object, array],
            Event::Link { object, to } => std::iter::once(object).chain(to).map(String::as_str).collect(),
            Event::Revived { objects } | Event::Finalized { objects } => {
                objects.iter().map(String::as_str).collect()
            }
            Event::Root { greyed, blackened, .. } => {
                greyed.iter().chain(blackened).map(String::as_str).collect()
            }
            Event::Scan { objects, greyed, blackened } => {
                objects.iter().chain(greyed).chain(blackened).map(String::as_str).collect()
            }
            Event::Barrier { overwritten, stored, .. } => {
                overwritten.iter().chain(stored).map(String::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The key that it is about.
    pub(crate) fn key(&self) -> Option<u32> {
        match self {
            Event::Insert { key, .. }
            | Event::Update { key, .. }
            | Event::Delete { key, .. }
            | Event::DeleteNothing { key, .. }
            | Event::Lookup { key, .. }
            | Event::LookupNothing { key, .. } => Some(*key),
            _ => None,
        }
    }

    /// The map that it is about.
    pub(crate) fn map(&self) -> Option<&str> {
        match self {
            Event::Make { var, .. }
            | Event::Insert { var, .. }
            | Event::Update { var, .. }
            | Event::MapGrows { var, .. }
            | Event::Delete { var, .. }
            | Event::DeleteNothing { var, .. }
            | Event::Lookup { var, .. }
            | Event::LookupNothing { var, .. }
            | Event::Range { var, .. }
            | Event::Clear { var }
            | Event::RebuildBegins { var, .. }
            | Event::RebuildEnds { var, .. } => Some(var),
            _ => None,
        }
    }

    /// Whether another phase of the collector begins with it.
    pub(crate) fn begins_phase(&self) -> bool {
        matches!(self, Event::CycleBegins { .. } | Event::CycleEnds { .. } | Event::Swept)
    }
}
