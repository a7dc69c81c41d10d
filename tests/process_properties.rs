//! Random programs against a slow, obvious model: nothing reachable is ever lost, nothing unreachable stays, and every
//! account adds up after every step.
//!
//! The mutator knows objects only by what a Go program could hold: globals, locals, and pointers read from them. The
//! model beside it is the heap graph as the program wrote it, kept in ordered maps, and a plain graph search.

use std::collections::{BTreeMap, BTreeSet};

use gclab::heap::mutator::Mutator;
use gclab::heap::object::{Layout, ObjRef};
use gclab::heap::special::FinalizerAction;
use gclab::process::{Global, Process, ReleaseAdvice, Settings};
use gclab::units::MIB;
use gclab::version::GoVersion;
use proptest::prelude::*;

/// Globals that the random program uses.
const GLOBALS: usize = 6;

/// One statement of a random program.
#[derive(Clone, Debug)]
enum Statement {
    /// Allocates up to `count` objects, links each to the one before, and stores the last in a global.
    Alloc { layout: Layout, count: u32, into: usize },
    /// Stores the object in one global, found by walking `hops` pointers, into a slot of another's object.
    Link { from: usize, hops: u32, slot: u32, to: usize },
    /// `g = h`.
    Copy { from: usize, to: usize },
    /// `g = nil`.
    Drop { global: usize },
    /// Clears some pointer slots of a global's object.
    Clear { global: usize, slots: u32 },
    /// Garbage.
    Garbage { layout: Layout, count: u32 },
    /// A finalizer on the object in a global; what it does with the object.
    Finalizer { global: usize, action: FinalizerAction },
    /// CPU time without allocation: cycles run on.
    Compute { us: u64 },
    /// `time.Sleep`.
    Sleep { ms: u64 },
    /// `runtime.GC()`.
    Gc,
    /// `debug.FreeOSMemory()`.
    FreeOsMemory,
    /// A labelled row, which flushes the caches.
    Snapshot,
}

fn layouts() -> impl Strategy<Value = Layout> {
    prop_oneof![
        // tiny
        (1..16u64).prop_map(Layout::noscan),
        // small without pointers
        (16..33_000u64).prop_map(Layout::noscan),
        // nodes
        (1..8u32, 0..64u64).prop_map(|(slots, rest)| {
            let pointers_bytes = 8 * u64::from(slots);
            Layout::scan(pointers_bytes + 8 * rest, slots, pointers_bytes)
        }),
        // arrays of pointers on both sides of the malloc header and the largest size class
        (60..5_000u32).prop_map(|slots| Layout::scan(8 * u64::from(slots), slots, 8 * u64::from(slots))),
        // large
        (33_000..300_000u64).prop_map(Layout::noscan),
        // larger than an oblet
        (16_000..40_000u32).prop_map(|slots| Layout::scan(8 * u64::from(slots), slots, 8 * u64::from(slots))),
    ]
}

fn statements() -> impl Strategy<Value = Statement> {
    let global = 0..GLOBALS;
    prop_oneof![
        6 => (layouts(), 1..200u32, global.clone())
            .prop_map(|(layout, count, into)| Statement::Alloc { layout, count, into }),
        6 => (global.clone(), 0..40u32, any::<u32>(), global.clone())
            .prop_map(|(from, hops, slot, to)| Statement::Link { from, hops, slot, to }),
        3 => (global.clone(), global.clone()).prop_map(|(from, to)| Statement::Copy { from, to }),
        2 => global.clone().prop_map(|global| Statement::Drop { global }),
        2 => (global.clone(), 1..100u32).prop_map(|(global, slots)| Statement::Clear { global, slots }),
        4 => (layouts(), 1..2_000u32).prop_map(|(layout, count)| {
            // At most 8 MiB a statement.
            let count = count.min((8 * MIB / layout.size_bytes.max(16)) as u32).max(1);
            Statement::Garbage { layout, count }
        }),
        1 => (global, prop_oneof![Just(FinalizerAction::Return), Just(FinalizerAction::Resurrect)])
            .prop_map(|(global, action)| Statement::Finalizer { global, action }),
        3 => (1..400u64).prop_map(|us| Statement::Compute { us }),
        1 => (1..2_000u64).prop_map(|ms| Statement::Sleep { ms }),
        1 => Just(Statement::Gc),
        1 => Just(Statement::FreeOsMemory),
        1 => Just(Statement::Snapshot),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    (
        prop_oneof![
            Just(GoVersion::Go1_21),
            Just(GoVersion::Go1_23),
            Just(GoVersion::Go1_25),
            Just(GoVersion::Go1_27)
        ],
        prop_oneof![Just(Some(20)), Just(Some(100)), Just(Some(400)), Just(None)],
        prop_oneof![3 => Just(None), 1 => (8..64u64).prop_map(|mib| Some(mib * MIB))],
        1..5u32,
        1..3u32,
        any::<u64>(),
    )
        .prop_map(|(version, gogc_percent, memory_limit_bytes, procs, cores, seed)| Settings {
            version,
            gogc_percent,
            memory_limit_bytes,
            procs,
            cores,
            seed,
            ..Settings::default()
        })
}

/// The random program and the model of what it wrote.
struct Program {
    process: Process,
    globals: Vec<Global>,
    /// Pointers of every object that the program can reach or could at the last collection, by slot.
    edges: BTreeMap<ObjRef, BTreeMap<u32, ObjRef>>,
    slots: BTreeMap<ObjRef, u32>,
}

impl Program {
    fn new(settings: Settings) -> Program {
        let mut process = Process::start(settings);
        let globals = (0..GLOBALS).map(|_| process.new_global()).collect();
        Program { process, globals, edges: BTreeMap::new(), slots: BTreeMap::new() }
    }

    fn get(&self, global: usize) -> ObjRef {
        self.process.global(self.globals[global])
    }

    fn set(&mut self, global: usize, value: ObjRef) {
        self.process.set_global(self.globals[global], value);
    }

    fn store(&mut self, object: ObjRef, slot: u32, value: ObjRef) {
        self.process.set_pointer(object, slot, value);
        self.edges.entry(object).or_default().insert(slot, value);
    }

    fn born(&mut self, object: ObjRef, layout: Layout) {
        // A tiny block is shared, everything else is a fresh slot: whatever was there is gone.
        if layout.is_noscan() {
            self.slots.insert(object, 0);
            self.edges.remove(&object);
        } else {
            self.slots.insert(object, layout.pointer_slots);
            self.edges.insert(object, BTreeMap::new());
        }
    }

    fn run(&mut self, statement: &Statement) {
        match *statement {
            Statement::Alloc { layout, count, into } => self.alloc(layout, count, into),
            Statement::Link { from, hops, slot, to } => {
                let mut value = self.get(from);
                for hop in 0..hops {
                    let slots = self.slots.get(&value).copied().unwrap_or(0);
                    if slots == 0 {
                        break;
                    }
                    let next = self.process.pointer(value, hop % slots);
                    if next.is_nil() {
                        break;
                    }
                    value = next;
                }
                let target = self.get(to);
                let slots = self.slots.get(&target).copied().unwrap_or(0);
                if slots > 0 {
                    self.store(target, slot % slots, value);
                } else {
                    self.set(to, value);
                }
            }
            Statement::Copy { from, to } => {
                let value = self.get(from);
                self.set(to, value);
            }
            Statement::Drop { global } => self.set(global, ObjRef::NIL),
            Statement::Clear { global, slots } => {
                let object = self.get(global);
                let end = slots.min(self.slots.get(&object).copied().unwrap_or(0));
                if end > 0 {
                    self.process.clear_pointers(object, 0..end);
                    self.edges.entry(object).or_default().retain(|slot, _| *slot >= end);
                }
            }
            Statement::Garbage { layout, count } => {
                let mut left = count;
                while left > 0 {
                    let run = self.process.alloc_run(layout, left);
                    self.process.write_run(run, layout.size_bytes);
                    run.objects().for_each(|object| self.born(object, layout));
                    left -= run.count();
                }
            }
            Statement::Finalizer { global, action } => {
                let object = self.get(global);
                if !object.is_nil() && self.slots.get(&object).copied().unwrap_or(0) > 0 {
                    self.process.set_finalizer(object, action);
                }
            }
            Statement::Compute { us } => self.process.spend_cpu_ns(us as f64 * 1_000.0),
            Statement::Sleep { ms } => self.process.sleep(ms * 1_000_000),
            Statement::Gc => self.process.gc(),
            Statement::FreeOsMemory => self.process.free_os_memory(),
            Statement::Snapshot => self.process.snapshot("row"),
        }
    }

    /// A list that starts with what the global held before, as far as the objects have pointers.
    fn alloc(&mut self, layout: Layout, count: u32, into: usize) {
        let mut left = count.min((4 * MIB / layout.size_bytes.max(16)) as u32).max(1);
        while left > 0 {
            let run = self.process.alloc_run(layout, left);
            left -= run.count();
            for object in run.objects() {
                self.born(object, layout);
                let before = self.get(into);
                if layout.pointer_slots > 0 {
                    self.store(object, layout.pointer_slots - 1, before);
                }
                self.set(into, object);
            }
            self.process.write_run(run, layout.size_bytes);
        }
    }

    /// Everything that a plain search from `from` reaches, by the model's own record of pointers. Objects of the startup
    /// have none.
    fn reach(&self, from: impl Iterator<Item = ObjRef>) -> BTreeSet<ObjRef> {
        let mut reached = BTreeSet::new();
        let mut todo: Vec<ObjRef> = from.filter(|object| !object.is_nil()).collect();
        while let Some(object) = todo.pop() {
            if reached.insert(object)
                && let Some(edges) = self.edges.get(&object)
            {
                todo.extend(edges.values().copied().filter(|target| !target.is_nil()));
            }
        }
        reached
    }

    fn is_marked(&self, object: ObjRef) -> bool {
        let heap = self.process.heap();
        let span = heap.span(object.span());
        // The record may name a slot of a span that is long gone: the number stands for another one now.
        object.index() < span.slot_count && heap.bits.is_set(span.mark_bits, object.index())
    }

    /// Slot sizes of `objects`, as the heap's own spans say.
    fn bytes(&self, objects: &BTreeSet<ObjRef>) -> u64 {
        objects.iter().map(|object| self.process.heap().elem_bytes(*object)).sum()
    }

    /// What a finalizer in waiting keeps: the objects themselves and all they reach.
    fn kept_by_finalizers(&self) -> BTreeSet<ObjRef> {
        let heap = self.process.heap();
        let set = heap.finalized_objects();
        self.reach(set.chain(heap.finalizer_queue.iter().map(|(object, _)| *object)))
    }

    /// The heap holds the pointers that the program wrote.
    fn check_pointers(&self) {
        for object in self.reach(self.process.roots()) {
            for (slot, value) in self.edges.get(&object).into_iter().flatten() {
                assert_eq!(self.process.pointer(object, *slot), *value, "slot {slot} of {object:?}");
            }
        }
    }

    /// No black object points to a white one, and every white object that the program can reach is reached from a grey
    /// object or a root that is not looked at yet.
    fn check_colours(&self) {
        let marker = self.process.marker();
        if !marker.is_marking() {
            return;
        }
        let grey: BTreeSet<ObjRef> = marker.grey_objects().collect();
        for object in &grey {
            assert!(self.is_marked(*object), "grey {object:?} is not marked");
        }
        for (object, edges) in &self.edges {
            // An entry may be out of date where the object was freed: only objects in the program's reach count.
            if !self.is_marked(*object) || grey.contains(object) {
                continue;
            }
            for (slot, target) in edges {
                assert!(
                    target.is_nil() || self.is_marked(*target),
                    "black {object:?} points to white {target:?} in slot {slot}"
                );
            }
        }
    }

    /// Drops what the model knows of objects that nothing can reach any more.
    fn forget_unreachable(&mut self) {
        let mut kept = self.reach(self.process.roots());
        kept.append(&mut self.kept_by_finalizers());
        self.edges.retain(|object, _| kept.contains(object));
        self.slots.retain(|object, _| kept.contains(object));
    }

    /// The identities of `runtime.MemStats` and of the ledger.
    fn check_accounts(&self) {
        let stats = self.process.mem_stats();
        assert_eq!(stats.heap_sys, stats.heap_inuse + stats.heap_idle);
        assert!(stats.heap_alloc <= stats.heap_inuse, "{} > {}", stats.heap_alloc, stats.heap_inuse);
        assert!(stats.heap_released <= stats.heap_idle, "{} > {}", stats.heap_released, stats.heap_idle);
        let accounts = &self.process.heap().accounts;
        let mapped_bytes = stats.heap_sys + stats.stack_inuse + accounts.work_buffers_bytes();
        assert_eq!(mapped_bytes % (4 * MIB), 0, "{mapped_bytes} bytes mapped");
        let by_name = stats.heap_sys
            + stats.stack_sys
            + stats.mspan_sys
            + stats.mcache_sys
            + stats.buck_hash_sys
            + stats.gc_sys
            + stats.other_sys;
        assert_eq!(stats.sys, by_name);
        assert_eq!(stats.mallocs - stats.frees, stats.heap_objects);
        assert_eq!(self.process.rss_ledger().total_bytes(), self.process.rss_bytes());
        self.check_spans();
    }

    /// HeapInuse, HeapAlloc and HeapObjects, counted span by span.
    fn check_spans(&self) {
        let stats = self.process.mem_stats();
        let (mut in_use, mut allocated, mut objects) = (0, 0, 0);
        for (id, span) in self.process.heap().live_spans() {
            assert!(span.free_index <= span.slot_count && span.alloc_count <= span.slot_count, "span {id}");
            if span.slot_count > 0 {
                in_use += span.bytes();
                allocated += u64::from(span.alloc_count) * span.elem_bytes;
                objects += u64::from(span.alloc_count);
            }
        }
        assert_eq!((in_use, allocated, objects), (stats.heap_inuse, stats.heap_alloc, stats.heap_objects));
    }

    /// After a collection that found no finalizers: what is allocated is what the program reaches.
    fn check_nothing_unreachable_stays(&mut self) {
        // A finalizer takes a cycle, and what it resurrects or refers to another: until no more come due.
        for _ in 0..8 {
            self.process.gc();
            self.check_accounts();
        }
        let heap = self.process.heap();
        assert!(heap.finalizer_queue.is_empty());
        let mut alive = self.reach(self.process.roots());
        let mut finalized = self.kept_by_finalizers();
        // As in Go, an object whose finalizer is set and that reaches itself is never due.
        let behind =
            |object: &ObjRef| self.edges.get(object).into_iter().flat_map(|edges| edges.values().copied());
        let held = self.reach(heap.finalized_objects().flat_map(|object| behind(&object)));
        for object in heap.finalized_objects() {
            assert!(
                alive.contains(&object) || held.contains(&object),
                "{object:?} is not due after eight cycles"
            );
        }
        alive.append(&mut finalized);
        assert_eq!(self.process.mem_stats().heap_alloc, self.bytes(&alive), "HeapAlloc and what is reached");
        assert_eq!(self.process.mem_stats().heap_objects, alive.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_reachable_is_lost_and_nothing_unreachable_stays(
        settings in settings(),
        program in prop::collection::vec(statements(), 1..60),
    ) {
        let mut running = Program::new(settings);
        for statement in &program {
            let cycles = running.process.mem_stats().num_gc;
            running.run(statement);
            running.check_accounts();
            if running.process.mem_stats().num_gc != cycles {
                running.check_pointers();
                running.forget_unreachable();
            }
            running.check_colours();
        }
        running.check_nothing_unreachable_stays();
        running.check_pointers();
    }

    #[test]
    fn what_is_mapped_and_not_released_is_mapped_ready(
        settings in settings(),
        program in prop::collection::vec(statements(), 1..30),
    ) {
        let mut running = Program::new(settings);
        for statement in &program {
            running.run(statement);
            let stats = running.process.mem_stats();
            let mapped_ready_bytes = running.process.heap().accounts.mapped_ready_bytes();
            prop_assert_eq!(stats.sys - stats.heap_released, mapped_ready_bytes, "after {:?}", statement);
        }
    }

    #[test]
    fn lazily_freed_pages_have_one_owner(program in prop::collection::vec(statements(), 1..30)) {
        let mut running = Program::new(Settings { release: ReleaseAdvice::Free, ..Settings::default() });
        for statement in &program {
            running.run(statement);
            running.check_accounts();
        }
    }

    #[test]
    fn colours_hold_at_every_step_of_a_slow_cycle(
        procs in 1..4u32,
        links in prop::collection::vec((0..2_000usize, 0..4u32, 0..2_000usize), 400),
    ) {
        // A graph of 2,000 objects, two thirds of which hang from one chain; the mutator moves pointers about while
        // workers mark, and looks at the colours after every store.
        let mut running = Program::new(Settings { gogc_percent: None, procs, ..Settings::default() });
        let node = Layout::scan(64, 4, 32);
        running.alloc(node, 2_000, 0);
        let objects: Vec<ObjRef> = running.slots.keys().copied().collect();
        prop_assert_eq!(objects.len(), 2_000);
        running.process.set_gc_percent(Some(1));
        let mut looked = 0;
        for (number, (from, slot, to)) in links.into_iter().enumerate() {
            // Only objects that are reachable can be written or read.
            let reached = running.reach(running.process.roots());
            let (from, to) = (objects[from], objects[to]);
            if reached.contains(&from) && reached.contains(&to) {
                running.store(from, slot, to);
            }
            if number % 7 == 3 && reached.contains(&objects[number]) {
                running.store(objects[number], 3, ObjRef::NIL);
            }
            running.run(&Statement::Garbage { layout: Layout::noscan(2_048), count: 16 });
            running.process.spend_cpu_ns(3_000.0);
            running.check_colours();
            looked += usize::from(running.process.marker().is_marking());
        }
        prop_assert!(looked > 5, "only {} steps fell into a cycle", looked);
        running.check_nothing_unreachable_stays();
    }
}
