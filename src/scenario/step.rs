//! The steps of a scenario: what the simulated program does, line by line.
//!
//! Every step stands for a line or a short loop of Go, given in its documentation. By the time a [`Step`] exists,
//! everything in it has been checked and resolved: variables exist and have the right type, sizes are bytes, types are
//! layouts, keys are in range.

use toml::Spanned;

use super::keys::Keys;
use super::reader::grouped;
use super::settings::{Gogc, MemoryLimit};
use super::{Call, GoType, Made, Returns, Scenario, Serve, Stream, VarId};
use crate::heap::object::Layout;
use crate::units::{Bytes, Nanos};

/// One step of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `m = make(map[K]V, hint)`: `{ make = { var = "m", hint = 1_000_000 } }`.
    Make(Make),
    /// `for k := range keys { m[k] = v }`: `{ insert = { var = "m", keys = "0..1_000" } }`.
    Insert(Insert),
    /// `for k := range keys { _ = m[k] }`: `{ lookup = { var = "m", keys = "0..1_000" } }`.
    Lookup(Access),
    /// `for k := range keys { delete(m, k) }`: `{ delete = { var = "m", keys = "0..1_000" } }`.
    Delete(Access),
    /// `clear(m)`: `{ clear = "m" }`.
    Clear(VarId),
    /// `v = nil`: `{ drop = "v" }`.
    Drop(VarId),
    /// `n := make(map[K]V, len(m)); for k, v := range m { n[k] = v }; m = n`: `{ rebuild = "m" }`.
    Rebuild(VarId),
    /// Objects that are kept: `{ alloc = { into = "list", count = 1_000 } }`.
    Alloc(Alloc),
    /// Objects that are dropped at once: `{ garbage = { bytes = "4GiB", size = "256B" } }`.
    Garbage(Garbage),
    /// `for k := range keys { held = append(held, m[k]) }`: `{ hold = { from = "m", keys = "0..10", into = "held" } }`.
    Hold(Hold),
    /// Forgets held references, oldest first: `{ release = { var = "held", count = 5 } }`, or `{ release = "held" }` for all.
    Release(Release),
    /// A function that makes something and returns it or a pointer to it: `{ call = { count = 1_000, size = "64B", returns = "pointer" } }`.
    Call(Call),
    /// Objects with finalizers that nobody else refers to: `{ finalize = { count = 1_000, size = "1KiB" } }`.
    Finalize(Finalize),
    /// A part of a slice, which keeps all of it: `{ slice = { from = "file", into = "heads", len = 64 } }`.
    Slice(SliceOf),
    /// Request load: `{ serve = { duration = "3s", rate = 8_000, cpu = "20us", objects = 20, size = "512B", session = "sessions" } }`.
    Serve(Serve),
    /// Allocation at rates that change: `{ stream = { duration = "10s", size = "1KiB", alloc = "100MiB" } }`.
    Stream(Stream),
    /// Goroutines that block with stacks of a size: `{ go = { count = 1_000, stack = "8KiB" } }`.
    Go(Goroutines),
    /// Goroutines that return, newest first: `{ exit = 1_000 }`.
    Exit(u64),
    /// `time.Sleep`, in nanoseconds: `{ sleep = "6m" }`. Nothing runs; the scavenger and the two-minute collection do.
    Sleep(u64),
    /// CPU time of one goroutine that allocates nothing, in nanoseconds: `{ compute = "50ms" }`.
    Compute(u64),
    /// `runtime.GC()`: `"gc"`.
    Gc,
    /// `debug.FreeOSMemory()`: `"free-os-memory"`.
    FreeOsMemory,
    /// `debug.SetGCPercent(n)`: `{ set-gogc = 50 }` or `{ set-gogc = "off" }`.
    SetGogc(Gogc),
    /// `debug.SetMemoryLimit(n)`: `{ set-memory-limit = "64MiB" }` or `"off"`.
    SetMemoryLimit(MemoryLimit),
    /// The steps again and again: `{ repeat = { times = 10, steps = [...] } }`.
    Repeat(Repeat),
    /// Each track on a goroutine of its own; the step ends when all have ended: `{ parallel = [[...], [...]] }`.
    Parallel(Vec<Vec<Spanned<Step>>>),
    /// A labelled row of MemStats and RSS: `{ snapshot = "inserted" }`. Inside a `repeat` the turn's number is added.
    Snapshot(String),
    /// `m.Range(func(k, v any) bool { return true })`, or `for k := range m`: `{ range = "m" }`.
    Range(VarId),
    /// Buffers from a pool: `{ get = { pool = "buffers", size = "4KiB" } }`.
    Get(PoolGet),
    /// Buffers back into their pool, the newest first: `{ put = { pool = "buffers", max_put = "64KiB" } }`.
    Put(PoolPut),
}

/// `b := pool.Get().(*buffer); b.use(n)`, and `b` is kept until a put.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolGet {
    /// A pool.
    pub pool: VarId,
    /// How many buffers.
    pub count: u64,
    /// How long each is made, drawn from here: a longer one than a buffer ever was needs a new array. At least one.
    pub mix: Vec<MixPart>,
    /// How much of it the program writes.
    pub written: Written,
    /// Distinguishes the draws from another step's.
    pub seed: u64,
}

/// `pool.Put(b)` for buffers that were got before, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolPut {
    /// A pool.
    pub pool: VarId,
    /// How many buffers.
    pub count: u64,
    /// `if cap(b.data) <= max_put`, in bytes: larger buffers are dropped.
    pub max_put_bytes: Option<u64>,
}

/// `make(map[K]V, hint)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Make {
    /// A map.
    pub var: VarId,
    /// Entries to make room for; 0 is `make(map[K]V)`.
    pub hint: u64,
}

/// Assignments `m[k] = v`.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// A map that has been made.
    pub var: VarId,
    /// The keys, in order. With [`Keys::Window`], each insert is preceded by a delete.
    pub keys: Keys,
    /// What is assigned.
    pub value: InsertValue,
    /// For string keys, the bytes of each key's text (`key_size`), allocated for every insert; `None` when the texts are constants.
    pub key_text: Option<Layout>,
}

/// What `insert` assigns to each key.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertValue {
    /// `value = "zero"`: the value lies in the map (an int, a struct), or is nil.
    Zero,
    /// `value = "new"`: a fresh object each time, which the map's value points to.
    New {
        /// The object: a `T` for `*T`, the backing array (`size` or `len`) for a slice or string.
        object: Layout,
        /// How much of it the program writes.
        written: Written,
    },
    /// `value = { shared = "other" }`: what another variable refers to. From a map: the value of the same key, nil when
    /// absent. From a slice: the element whose index is the key modulo the length. From a pointer: that pointer.
    Shared(VarId),
}

/// How much of a fresh object the program writes: only written pages become resident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Written {
    /// `"none"`: `new(T)` whose zeroes are never touched.
    None,
    /// `"first-byte"`: one byte at the beginning.
    FirstByte,
    /// `"all"`: every byte; the default.
    #[default]
    All,
}

/// Lookups or deletes.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// A map; nil counts as empty, as in Go.
    pub var: VarId,
    /// The keys, in order.
    pub keys: Keys,
}

/// Objects that a variable keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Alloc {
    /// The variable that keeps them.
    pub into: VarId,
    /// How many objects; for [`Shape::InPlace`] how many elements.
    pub count: u64,
    /// One object. For [`Shape::InPlace`], one element.
    pub object: Layout,
    /// Its type; an array of bytes when only a size was given.
    pub go_type: GoType,
    /// How the variable reaches them.
    pub shape: Shape,
    /// How much of each object the program writes. Words that link the objects are always written.
    pub written: Written,
}

/// How a variable reaches the objects that `alloc` makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `p = new(T)`: one object behind a pointer.
    One,
    /// `s = make([]T, count)`: one backing array that holds the elements themselves. Replaces what the slice held.
    InPlace,
    /// `s = append(s, new(T))`: each object behind an element of a slice.
    Slice(Backing),
    /// `n := new(T); n.next = head; head = n`: word 0 of each object points to the one made before. Extends a list that is there.
    List,
    /// A balanced binary tree: object i points with words 0 and 1 to objects 2i+1 and 2i+2; the pointer to object 0. Replaces what was there.
    Tree,
    /// Every object in a slice made with `make([]*T, count)`, and its first `degree` words pointing to objects drawn at
    /// random. Replaces what the slice held.
    Graph {
        /// Pointers of each object.
        degree: u32,
        /// Distinguishes this graph from another's.
        seed: u64,
    },
}

/// Where the elements of [`Shape::Slice`] go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backing {
    /// `"append"`: the backing array grows as `append` grows it, leaving the old ones as garbage; the default.
    #[default]
    Append,
    /// `"presized"`: `make([]*T, 0, count)` first. Replaces what the slice held.
    Presized,
}

/// Objects that are garbage as soon as they are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Garbage {
    /// When to stop.
    pub amount: Amount,
    /// What is made: each object is drawn from here. At least one.
    pub mix: Vec<MixPart>,
    /// How much of each object the program writes.
    pub written: Written,
    /// Distinguishes the draws from another step's.
    pub seed: u64,
}

/// How much garbage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many objects.
    Count(u64),
    /// Until the objects' sizes, as asked for, add up to at least so many bytes.
    Bytes(u64),
}

/// One kind of object in a mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixPart {
    /// The object.
    pub object: Layout,
    /// Its type; an array of bytes when only a size was given.
    pub go_type: GoType,
    /// How often, against the sum of all weights; at least 1.
    pub weight: u32,
}

impl Garbage {
    /// Mean size of an object in bytes, at least 1.
    pub fn mean_size_bytes(&self) -> u64 {
        let weights: u128 = self.mix.iter().map(|part| u128::from(part.weight)).sum();
        let sizes: u128 =
            self.mix.iter().map(|part| u128::from(part.weight) * u128::from(part.object.size_bytes)).sum();
        ((sizes / weights.max(1)) as u64).max(1)
    }

    /// How many objects are to be expected.
    pub fn expected_count(&self) -> u64 {
        match self.amount {
            Amount::Count(count) => count,
            Amount::Bytes(bytes) => bytes.div_ceil(self.mean_size_bytes()),
        }
    }
}

/// Second references to a map's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// A map whose values hold a pointer.
    pub from: VarId,
    /// Whose values; absent keys are passed over.
    pub keys: Keys,
    /// A slice of the map's value type that the values are appended to.
    pub into: VarId,
}

/// The end of second references.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// A slice. Its elements are set to nil from the front; the backing array stays.
    pub var: VarId,
    /// How many; `None` is `v = nil`, which lets the backing array go too.
    pub count: Option<u64>,
}

/// `part = whole[:len:len]`, or `parts = append(parts, whole[:len:len])`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceOf {
    /// A slice that has been filled.
    pub from: VarId,
    /// A slice of the same type, which is assigned to, or a slice of such slices, which is appended to.
    pub into: VarId,
    /// Elements of the part.
    pub len: u64,
    /// What the part consists of.
    pub part: Part,
    /// Whether `into` is assigned to or appended to.
    pub place: PartPlace,
}

/// What a part of a slice consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Another view of the same backing array, which stays as long as the part does.
    #[default]
    View,
    /// `copy = true`: a backing array of its own.
    Copy,
}

/// Where a part of a slice goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartPlace {
    /// It becomes what the variable holds.
    Assigned,
    /// It becomes one more element.
    Appended,
}

/// What is set on an object with [`Finalize`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FinalizeKind {
    /// `"finalizer"`: `runtime.SetFinalizer`; the default.
    #[default]
    Finalizer,
    /// `"cleanup"`: `runtime.AddCleanup`, since Go 1.24.
    Cleanup,
    /// `"weak"`: `weak.Make`, since Go 1.24.
    Weak,
}

impl FinalizeKind {
    /// Go's name for it, when not every version has it.
    pub fn since_cleanups(self) -> Option<&'static str> {
        match self {
            FinalizeKind::Finalizer => None,
            FinalizeKind::Cleanup => Some("runtime.AddCleanup"),
            FinalizeKind::Weak => Some("weak.Make"),
        }
    }
}

/// Objects with finalizers, cleanups or weak pointers.
#[derive(Clone, Debug, PartialEq)]
pub struct Finalize {
    /// What they have.
    pub kind: FinalizeKind,
    /// How many objects in all.
    pub count: u64,
    /// One object. In a chain word 0 points to the next.
    pub object: Layout,
    /// Its type; an array of bytes when only a size was given.
    pub go_type: GoType,
    /// Length of the chains that the objects are linked into. With finalizers each object keeps the next one reachable until
    /// its own has run. 1 is no chain.
    pub chain: u64,
    /// How much of each object the program writes.
    pub written: Written,
}

/// Goroutines that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goroutines {
    /// How many.
    pub count: u64,
    /// Stack of each in bytes, a power of two from 2 KiB, as the runtime rounds it.
    pub stack_bytes: u64,
}

/// Steps that run again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// How often, at least once.
    pub times: u64,
    /// What.
    pub steps: Vec<Spanned<Step>>,
}

impl Step {
    /// The word that names the step in a file.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Make(_) => "make",
            Step::Insert(_) => "insert",
            Step::Lookup(_) => "lookup",
            Step::Delete(_) => "delete",
            Step::Clear(_) => "clear",
            Step::Drop(_) => "drop",
            Step::Rebuild(_) => "rebuild",
            Step::Alloc(_) => "alloc",
            Step::Garbage(_) => "garbage",
            Step::Hold(_) => "hold",
            Step::Release(_) => "release",
            Step::Call(_) => "call",
            Step::Finalize(_) => "finalize",
            Step::Slice(_) => "slice",
            Step::Serve(_) => "serve",
            Step::Stream(_) => "stream",
            Step::Go(_) => "go",
            Step::Exit(_) => "exit",
            Step::Sleep(_) => "sleep",
            Step::Compute(_) => "compute",
            Step::Gc => "gc",
            Step::FreeOsMemory => "free-os-memory",
            Step::SetGogc(_) => "set-gogc",
            Step::SetMemoryLimit(_) => "set-memory-limit",
            Step::Repeat(_) => "repeat",
            Step::Parallel(_) => "parallel",
            Step::Snapshot(_) => "snapshot",
            Step::Range(_) => "range",
            Step::Get(_) => "get",
            Step::Put(_) => "put",
        }
    }

    /// The variables the step names itself; not those of steps inside it.
    pub fn vars(&self) -> Vec<VarId> {
        match self {
            Step::Make(make) => vec![make.var],
            Step::Insert(Insert { var, value: InsertValue::Shared(from), .. }) => vec![*var, *from],
            Step::Insert(insert) => vec![insert.var],
            Step::Lookup(access) | Step::Delete(access) => vec![access.var],
            Step::Clear(var) | Step::Drop(var) | Step::Rebuild(var) | Step::Range(var) => vec![*var],
            Step::Get(PoolGet { pool, .. }) | Step::Put(PoolPut { pool, .. }) => vec![*pool],
            Step::Alloc(alloc) => vec![alloc.into],
            Step::Hold(hold) => vec![hold.from, hold.into],
            Step::Release(release) => vec![release.var],
            Step::Serve(serve) => serve.session.iter().map(|session| session.into).collect(),
            Step::Stream(stream) => stream.kept.iter().map(|kept| kept.into).collect(),
            Step::Slice(slice) => vec![slice.from, slice.into],
            _ => vec![],
        }
    }

    /// The keys the step goes through, if any.
    pub fn keys(&self) -> Option<&Keys> {
        match self {
            Step::Insert(insert) => Some(&insert.keys),
            Step::Lookup(access) | Step::Delete(access) => Some(&access.keys),
            Step::Hold(hold) => Some(&hold.keys),
            _ => None,
        }
    }

    /// How many elementary operations one turn is, roughly: entries, objects, goroutines.
    pub fn operations(&self) -> u64 {
        match self {
            Step::Alloc(alloc) => alloc.count,
            Step::Garbage(garbage) => garbage.expected_count(),
            Step::Call(call) => call.count,
            Step::Finalize(finalize) => finalize.count,
            Step::Go(go) => go.count,
            Step::Serve(serve) => {
                let objects = serve.garbage.as_ref().map_or(0, |garbage| garbage.count);
                serve.requests().saturating_mul(objects + 1)
            }
            Step::Stream(stream) => stream.tick_count().saturating_add(stream.totals(0).made),
            Step::Exit(count) => *count,
            Step::Get(PoolGet { count, .. }) | Step::Put(PoolPut { count, .. }) => *count,
            _ => self.keys().map_or(1, |keys| keys.count().max(1)),
        }
    }

    /// The step in a few words, for the top of a chart: `insert 1,000,000 keys into sessions`.
    pub fn describe(&self, scenario: &Scenario) -> String {
        let name = |var: &VarId| scenario.var_name(*var);
        let keys = |keys: &Keys| format!("{} keys", grouped(keys.count()));
        match self {
            Step::Make(Make { var, hint: 0 }) => format!("make {}", name(var)),
            Step::Make(Make { var, hint }) => format!("make {} for {}", name(var), grouped(*hint)),
            Step::Insert(step) => format!("insert {} into {}", keys(&step.keys), name(&step.var)),
            Step::Lookup(step) => format!("look up {} in {}", keys(&step.keys), name(&step.var)),
            Step::Delete(step) => format!("delete {} from {}", keys(&step.keys), name(&step.var)),
            Step::Clear(var) => format!("clear {}", name(var)),
            Step::Drop(var) if scenario.var(*var).is_ready() => {
                format!("{} = {}{{}}", name(var), scenario.var(*var))
            }
            Step::Drop(var) => format!("{} = nil", name(var)),
            Step::Rebuild(var) => format!("rebuild {}", name(var)),
            Step::Alloc(step) => {
                let (count, size) = (grouped(step.count), short_size(step.object.size_bytes));
                format!("{count} x {size} into {}", name(&step.into))
            }
            Step::Garbage(Garbage { amount: Amount::Bytes(bytes), .. }) => {
                format!("{} garbage", short_size(*bytes))
            }
            Step::Garbage(Garbage { amount: Amount::Count(count), .. }) => {
                format!("{} garbage objects", grouped(*count))
            }
            Step::Hold(step) => format!("hold {} of {}", keys(&step.keys), name(&step.from)),
            Step::Release(Release { var, count: Some(count) }) => {
                format!("release {} of {}", grouped(*count), name(var))
            }
            Step::Release(Release { var, count: None }) => format!("release {}", name(var)),
            Step::Call(step) => {
                let (count, size) = (grouped(step.count), short_size(step.object.size_bytes));
                match (step.returns, step.made) {
                    (Returns::Value, Made::Make) => format!("{count} calls use {size}"),
                    (Returns::Value, _) => format!("{count} calls return {size}"),
                    (Returns::Pointer, _) => format!("{count} calls return a pointer to {size}"),
                }
            }
            Step::Finalize(step) => {
                let what = match step.kind {
                    FinalizeKind::Finalizer => "finalizers",
                    FinalizeKind::Cleanup => "cleanups",
                    FinalizeKind::Weak => "weak pointers",
                };
                format!("{} objects with {what}", grouped(step.count))
            }
            Step::Serve(step) => {
                format!("{} requests a second for {}", grouped(step.rate), Nanos(step.duration_ns))
            }
            Step::Stream(step) => format!("stream for {}", Nanos(step.duration_ns)),
            Step::Slice(step) => {
                let verb = if step.part == Part::Copy { "copy" } else { "slice" };
                format!("{verb} {} of {} into {}", grouped(step.len), name(&step.from), name(&step.into))
            }
            Step::Go(step) => {
                format!("{} goroutines with {} stacks", grouped(step.count), short_size(step.stack_bytes))
            }
            Step::Exit(count) => format!("{} goroutines exit", grouped(*count)),
            Step::Sleep(ns) => format!("sleep {}", Nanos(*ns)),
            Step::Compute(ns) => format!("compute {}", Nanos(*ns)),
            Step::Gc => "runtime.GC()".to_owned(),
            Step::FreeOsMemory => "FreeOSMemory()".to_owned(),
            Step::SetGogc(gogc) => format!("GOGC = {gogc}"),
            Step::SetMemoryLimit(limit) => format!("GOMEMLIMIT = {limit}"),
            Step::Repeat(repeat) => {
                const LONGEST_CHARS: usize = 100;
                let steps = repeat.steps.iter().map(Spanned::get_ref);
                let acts = steps.filter(|step| !matches!(step, Step::Snapshot(_)));
                let inner = acts.map(|step| step.describe(scenario)).collect::<Vec<_>>().join(", ");
                let inner = match inner.chars().count() <= LONGEST_CHARS {
                    true => inner,
                    false => format!("{} steps", repeat.steps.len()),
                };
                format!("{} times: {inner}", grouped(repeat.times))
            }
            Step::Parallel(tracks) => format!("{} tracks in parallel", tracks.len()),
            Step::Snapshot(label) => format!("snapshot {label}"),
            Step::Range(var) => format!("range over {}", name(var)),
            Step::Get(step) => format!("get {} from {}", grouped(step.count), name(&step.pool)),
            Step::Put(step) => format!("put {} into {}", grouped(step.count), name(&step.pool)),
        }
    }
}

/// `64 KiB`, `1.50 MiB`: a size without decimals that say nothing.
fn short_size(bytes: u64) -> String {
    Bytes(bytes).to_string().replace(".00 ", " ")
}
