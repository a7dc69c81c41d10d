//! A process small enough to be watched: one P, the real heap, marker, pacer and maps, and a collector that takes single steps.
//!
//! **Mechanism.** Whatever the program does to memory goes through [`Mutator`], as in the simulated process; here every call is an
//! event. The collector has no clock: it is let do one thing at a time - one root, one grey object, one span - and says what it did
//! by what has changed: which objects are marked now, which are grey. `machine/stacks.rs` has goroutine stacks, `machine/specials.rs`
//! finalizers and the like.
//!
//! **Differences from the simulated process.** No time, no assists, no background scavenger, one P. A concurrent cycle does one thing
//! for each thing that the program does, which is far slower than in Go, so that the two can be seen side by side. What a container
//! allocates is written whole.

mod specials;
mod stacks;

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::stacks::Stacks;
use super::event::{Cause, Event, Name};
use super::picture::{MapPicture, Picture};
use crate::cost::CostProfile;
use crate::gc::mark::{Budget, Marker, WorkOrder};
use crate::gc::mark_price::{Company, MarkPrices};
use crate::gc::roots::{RootJob, RootKind};
use crate::heap::malloc::{AllocColor, Run};
use crate::heap::mheap::{Heap, HeapStart};
use crate::heap::mspan::Mspan;
use crate::heap::mutator::{Global, Mutator, Operation, Variables};
use crate::heap::object::{Layout, ObjRef, SpanId};
use crate::heap::page_accounting::SpanUse;
use crate::heap::page_alloc::Reach;
use crate::os::physical_pages_of_pages;
use crate::pacer::controller::{CycleTimes, PacerController, ScanWork, SweepState};
use crate::pacer::goal::MemoryState;
use crate::pacer::workers::CycleStart;
use crate::units::PAGE_BYTES;
use crate::version::GoVersion;

/// The one P.
const CACHE: usize = 0;
/// Pointer-free objects are not packed into shared blocks: they could not be told apart.
const SMALLEST_BYTES: u64 = 16;
/// A budget for one step: the marker stops after whatever it takes up first.
const ONE_STEP: Budget = Budget { cpu_ns: f64::MIN_POSITIVE, work_bytes: 1 };

/// How much may be watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub events: usize,
    pub objects: usize,
}

/// What the collector is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Idle,
    Marking,
    Sweeping,
}

/// The process.
pub(super) struct Glass {
    pub version: GoVersion,
    pub heap: Heap,
    pub marker: Marker,
    pub pacer: PacerController,
    pub maps: Vec<MapPicture>,
    rng: ChaCha8Rng,
    globals: Vec<(String, ObjRef)>,
    locals: Vec<ObjRef>,
    /// The number of each object, by where it lies.
    serials: Vec<(ObjRef, u32)>,
    next_serial: u32,
    cycles: u32,
    /// Names for the variables that a container declares next.
    names_ahead: Vec<String>,
    /// Variables whose contents the start of a cycle moves: what pools hold becomes their victim cache.
    pool_moves: Vec<(Global, Global)>,
    stacks: Stacks,
    /// How many objects of the finalizer queue have been noted.
    revived_noted: usize,
    /// Roots of the running cycle that were not looked at, in the marker's order from the end.
    roots_left: Vec<String>,
    events: Vec<Event>,
    wanted: usize,
    picture: Option<Picture>,
    bounds: Bounds,
    too_much: bool,
}

impl Glass {
    /// An empty process of a version, which will be pictured after event number `wanted`.
    pub(super) fn new(
        version: GoVersion,
        gogc_percent: Option<u32>,
        limit_bytes: Option<u64>,
        seed: u64,
        wanted: usize,
        bounds: Bounds,
    ) -> Glass {
        Glass {
            version,
            heap: Heap::new(version, 1, HeapStart::default()),
            marker: Marker::default(),
            pacer: PacerController::new(gogc_percent, limit_bytes),
            maps: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            globals: Vec::new(),
            locals: Vec::new(),
            serials: Vec::new(),
            next_serial: 1,
            cycles: 0,
            names_ahead: Vec::new(),
            pool_moves: Vec::new(),
            stacks: Stacks::default(),
            revived_noted: 0,
            roots_left: Vec::new(),
            events: Vec::new(),
            wanted,
            picture: None,
            bounds,
            too_much: false,
        }
    }

    /// Notes that something has happened, and pictures the process if this is the event that was asked for.
    pub(super) fn note(&mut self, event: Event) {
        if self.events.len() == self.wanted {
            self.picture = Some(Picture::of(self));
        }
        self.events.push(event);
        self.too_much |= self.events.len() > self.bounds.events;
    }

    /// Whether there is more to watch than anyone can.
    pub(super) fn is_too_much(&self) -> bool {
        self.too_much
    }

    /// The events, and the picture after the one that was asked for, or after the last.
    pub(super) fn finish(mut self) -> (Vec<Event>, Picture) {
        let picture = self.picture.take().unwrap_or_else(|| Picture::of(&self));
        (self.events, picture)
    }

    /// Declares a variable by its name.
    pub(super) fn declare(&mut self, name: &str) -> Global {
        self.globals.push((name.to_owned(), ObjRef::NIL));
        Global(self.globals.len() - 1)
    }

    /// The variables that a container declares next have these names.
    pub(super) fn name_globals(&mut self, mut names: Vec<String>) {
        names.reverse();
        self.names_ahead = names;
    }

    /// From now on each start of a cycle moves what `local` points to into `victim`.
    pub(super) fn clear_at_cycles(&mut self, moves: (Global, Global)) {
        self.pool_moves.push(moves);
    }

    /// How many cycles have begun.
    pub(super) fn cycles_begun(&self) -> u32 {
        self.cycles
    }

    /// The variables that refer to something, and what is held in registers and stack frames.
    pub(super) fn roots(&self) -> impl Iterator<Item = (&str, ObjRef)> {
        let variables = self.globals.iter().filter(|(name, _)| !name.is_empty());
        let variables = variables.map(|(name, object)| (name.as_str(), *object));
        variables.chain(self.locals.iter().map(|object| ("", *object)))
    }

    /// The phase of the collector.
    pub(super) fn phase(&self) -> Phase {
        match (self.marker.is_marking(), self.heap.sweep.is_running()) {
            (true, _) => Phase::Marking,
            (_, true) => Phase::Sweeping,
            _ => Phase::Idle,
        }
    }

    /// `#12`; a reference that was never an object has no name.
    pub(super) fn name(&self, object: ObjRef) -> Option<Name> {
        let serial = self.serials.iter().rev().find(|(place, _)| *place == object);
        serial.map(|(_, number)| format!("#{number}"))
    }

    fn names(&self, objects: impl IntoIterator<Item = ObjRef>) -> Vec<Name> {
        objects.into_iter().filter_map(|object| self.name(object)).collect()
    }

    /// All objects that exist, swept or not, in order of their places.
    pub(super) fn objects(&self) -> Vec<ObjRef> {
        let spans = self.heap.live_spans().filter(|(_, span)| span.usage == Some(SpanUse::Heap));
        spans
            .flat_map(|(id, span)| {
                (0..span.slot_count)
                    .filter(|index| self.exists(span, *index))
                    .map(move |index| ObjRef::new(id, index))
            })
            .collect()
    }

    fn exists(&self, span: &Mspan, index: u32) -> bool {
        index < span.free_index || self.heap.bits.is_set(span.alloc_bits, index)
    }

    /// Whether an object's mark bit is set.
    pub(super) fn is_marked(&self, object: ObjRef) -> bool {
        self.heap.bits.is_set(self.heap.span(object.span()).mark_bits, object.index())
    }

    /// What the pacer asks of the heap's books.
    pub(super) fn memory_state(&self) -> MemoryState {
        let (stats, accounts) = (&self.heap.stats, &self.heap.accounts);
        MemoryState {
            mapped_ready_bytes: accounts.mapped_ready_bytes(),
            heap_free_bytes: accounts.heap_free_bytes(),
            total_alloc_bytes: stats.allocated_bytes - stats.unflushed_alloc_bytes,
            total_free_bytes: stats.freed_bytes,
        }
    }

    // ---- the collector, one thing at a time ----

    /// Begins a cycle.
    pub(super) fn begin_cycle(&mut self, cause: Cause) {
        while self.phase() == Phase::Sweeping {
            self.collector_step();
        }
        self.move_pools();
        let memory = self.memory_state();
        let (live_bytes, trigger_bytes) =
            (self.pacer.heap_live_bytes(), self.pacer.trigger(&memory).trigger_bytes);
        self.heap.bits.start_epoch();
        let start = match cause {
            Cause::Heap => CycleStart::Heap,
            Cause::Time => CycleStart::Time,
            Cause::Forced => CycleStart::Forced,
        };
        self.pacer.start_cycle(1, start, &memory);
        let model = Arc::clone(&CostProfile::of(self.version).model);
        let prices = MarkPrices::new(model, self.heap.accounts.heap_in_use_bytes(), Company::Alone);
        // The marker takes the last job first.
        let (names, jobs): (Vec<String>, Vec<RootJob>) = self.root_jobs().into_iter().rev().unzip();
        self.roots_left = names;
        self.marker.start(1, prices, jobs);
        self.cycles += 1;
        let roots = self.roots_left.len();
        self.note(Event::CycleBegins { number: self.cycles, cause, live_bytes, trigger_bytes, roots });
    }

    /// What is looked at first, by the names of the roots: variables and stack, then what finalizers keep.
    fn root_jobs(&self) -> Vec<(String, RootJob)> {
        let job = |kind, objects| RootJob { kind, scan_bytes: 0, cpu_ns: 0.0, objects };
        let variables = self.roots().filter(|(_, object)| !object.is_nil());
        let variables =
            variables.map(|(name, object)| (name.to_owned(), job(RootKind::Globals, vec![object])));
        variables
            .chain(self.special_roots().map(|(name, kind, objects)| (name, job(kind, objects))))
            .collect()
    }

    /// `clearpools`: with the world stopped, what pools hold becomes their victim cache.
    fn move_pools(&mut self) {
        let (mut forgotten, mut moved) = (0, 0);
        for (local, victim) in self.pool_moves.clone() {
            let object = std::mem::take(&mut self.globals[local.0].1);
            moved += usize::from(!object.is_nil());
            let old = std::mem::replace(&mut self.globals[victim.0].1, object);
            forgotten += usize::from(!old.is_nil());
        }
        if forgotten + moved > 0 {
            self.note(Event::PoolsMoved { forgotten, moved });
        }
    }

    /// Lets the collector do one thing; `false` if there is nothing to do.
    pub(super) fn collector_step(&mut self) -> bool {
        match self.phase() {
            Phase::Idle => false,
            Phase::Marking => {
                if self.marker.is_drained() {
                    self.end_cycle();
                } else {
                    self.mark_step();
                }
                true
            }
            Phase::Sweeping => {
                self.sweep_step();
                true
            }
        }
    }

    fn mark_step(&mut self) {
        let objects = self.objects();
        let white: Vec<ObjRef> = objects.iter().copied().filter(|object| !self.is_marked(*object)).collect();
        let grey: Vec<ObjRef> = self.marker.grey_objects().collect();
        self.marker.drain(&self.heap, CACHE, ONE_STEP, WorkOrder::RootsFirst);
        self.report_scan_work();
        let grey_now: Vec<ObjRef> = self.marker.grey_objects().collect();
        let (greyed, blackened): (Vec<ObjRef>, Vec<ObjRef>) = white
            .into_iter()
            .filter(|object| self.is_marked(*object))
            .partition(|object| grey_now.contains(object));
        let (greyed, blackened) = (self.names(greyed), self.names(blackened));
        if let Some(var) = self.roots_left.pop() {
            self.note(Event::Root { var, greyed, blackened });
            return;
        }
        let looked_at = self.names(grey.into_iter().filter(|object| !grey_now.contains(object)));
        if !(looked_at.is_empty() && greyed.is_empty() && blackened.is_empty()) {
            self.note(Event::Scan { objects: looked_at, greyed, blackened });
        }
    }

    fn report_scan_work(&mut self) {
        let done = self.marker.heap_scan_work_bytes as i64 - self.pacer.scan_work().heap_bytes;
        self.pacer.add_scan_work(ScanWork { heap_bytes: done, ..ScanWork::default() });
    }

    fn end_cycle(&mut self) {
        let (marked, dead): (Vec<ObjRef>, Vec<ObjRef>) =
            self.objects().into_iter().partition(|object| self.is_marked(*object));
        let memory = self.memory_state();
        let times = CycleTimes { mark_duration_ns: 1, assist_ns: 0, idle_mark_ns: 0 };
        self.pacer.end_cycle(times, &memory);
        let marked_bytes = self.marker.bytes_marked;
        self.pacer.reset_live(marked_bytes);
        self.marker.stop();
        self.heap.start_sweep();
        self.pacer.commit(SweepState::Pending);
        self.heap.pages.next_scavenge_generation();
        self.flush_cache();
        self.free_waiting_stacks();
        let goal_bytes = self.goal_bytes();
        let (marked, dead) = (marked.len(), dead.len());
        self.note(Event::CycleEnds { number: self.cycles, marked_bytes, marked, dead, goal_bytes });
        self.note_revived();
    }

    /// The heap goal; `None` if there is none.
    pub(super) fn goal_bytes(&self) -> Option<u64> {
        let is_limited = self.pacer.memory_limit_bytes() < i64::MAX as u64;
        let has_goal = is_limited || self.pacer.gc_percent().is_some();
        has_goal.then(|| self.pacer.heap_goal_bytes(&self.memory_state()))
    }

    fn flush_cache(&mut self) {
        let flush = self.heap.flush_cache(CACHE);
        self.pacer.add_heap_live(-(flush.heap_live_credit_bytes as i64));
        self.pacer.add_heap_scan(flush.heap_scan_bytes as i64);
        self.heap.flush_page_cache(CACHE);
    }

    fn sweep_step(&mut self) {
        let before = self.objects().len();
        let waiting = self.unswept();
        match self.heap.sweep_one() {
            Some(outcome) => {
                let swept = waiting.into_iter().find(|id| !self.unswept().contains(id));
                let kept = swept.map_or(0, |id| match self.heap.span(id).usage {
                    Some(SpanUse::Heap) => self.heap.span(id).alloc_count as usize,
                    _ => 0,
                });
                let freed = before - self.objects().len();
                self.note(Event::Sweep { freed, kept, freed_pages: outcome.freed_pages });
                self.note_revived();
            }
            None => {
                self.pacer.commit(SweepState::Done);
                self.note(Event::Swept);
                self.run_finalizers();
            }
        }
    }

    /// `debug.SetGCPercent`.
    pub(super) fn set_gogc(&mut self, percent: Option<u32>) {
        self.pacer.set_gc_percent(percent);
        self.commit_settings();
        self.note(Event::SetGogc { percent, goal_bytes: self.goal_bytes() });
    }

    /// `debug.SetMemoryLimit`.
    pub(super) fn set_memory_limit(&mut self, limit_bytes: Option<u64>) {
        self.pacer.set_memory_limit(limit_bytes);
        self.commit_settings();
        self.note(Event::SetMemoryLimit { limit_bytes, goal_bytes: self.goal_bytes() });
    }

    fn commit_settings(&mut self) {
        let sweeping = self.phase() == Phase::Sweeping;
        self.pacer.commit(if sweeping { SweepState::Pending } else { SweepState::Done });
        if self.phase() == Phase::Marking {
            self.pacer.revise(&self.memory_state());
        }
    }

    /// Spans that wait to be swept.
    pub(super) fn unswept(&self) -> Vec<SpanId> {
        self.heap.live_spans().map(|(id, _)| id).filter(|id| self.heap.needs_sweep(*id)).collect()
    }

    /// Everything free goes back to the system.
    pub(super) fn scavenge(&mut self) {
        let (accounts, residency, stats) =
            (&mut self.heap.accounts, &mut self.heap.residency, &mut self.heap.stats);
        let mut released_pages = 0;
        self.heap.pages.scavenge(u64::MAX >> 1, Reach::Forced, |pages| {
            let page_count = pages.end - pages.start;
            let physical = physical_pages_of_pages(pages);
            stats.idle_resident_pages -= residency.kept_in(physical.clone());
            let had_memory = residency.release_dontneed(physical) > 0;
            accounts.scavenged(page_count);
            released_pages += if had_memory { page_count } else { 0 };
            ControlFlow::Continue(())
        });
        self.note(Event::Scavenge { pages: released_pages });
    }

    // ---- the program ----

    /// Allocates an object and writes the first `written_bytes` of it.
    pub(super) fn allocate(&mut self, layout: Layout, written_bytes: u64) -> ObjRef {
        let layout = match layout {
            small if small.is_noscan() && small.size_bytes < SMALLEST_BYTES => Layout::noscan(SMALLEST_BYTES),
            other => other,
        };
        let color = if self.marker.is_marking() { AllocColor::Black } else { AllocColor::White };
        let object = match self.heap.span_class_of(layout) {
            Some(span_class) => loop {
                if let Some(run) = self.heap.alloc_run(CACHE, span_class, layout, 1, color) {
                    self.heap.prepare_run(run);
                    break run.first();
                }
                let refill = self.heap.refill(CACHE, span_class);
                self.pacer.add_heap_live(refill.heap_live_bytes as i64);
                self.pacer.add_heap_scan(refill.heap_scan_bytes as i64);
                if let Some(new) = refill.new_span {
                    self.note_span(new.span);
                }
            },
            None => {
                let (object, new) = self.heap.alloc_large(CACHE, layout, color);
                self.heap.prepare_large(object, layout);
                self.pacer.add_heap_live((new.page_count * PAGE_BYTES) as i64);
                self.note_span(new.span);
                object
            }
        };
        self.heap.write_run(Run::of_one(object), written_bytes.min(layout.size_bytes));
        if self.marker.is_marking() {
            self.marker.note_black_allocation(1, self.heap.elem_bytes(object));
        }
        self.serials.retain(|(place, _)| *place != object);
        self.serials.push((object, self.next_serial));
        self.next_serial += 1;
        self.too_much |= self.heap.stats.mallocs - self.heap.stats.frees > self.bounds.objects as u64;
        let (size_bytes, slot_bytes) = (layout.size_bytes, self.heap.elem_bytes(object));
        let name = self.name(object).expect("named above");
        let marking = self.marker.is_marking();
        self.locals.push(object);
        self.note(Event::Alloc { object: name, size_bytes, slot_bytes, marking });
        self.note_revived();
        if self.phase() != Phase::Marking && self.is_past_trigger() {
            self.begin_cycle(Cause::Heap);
        }
        self.locals.pop();
        object
    }

    fn note_span(&mut self, id: SpanId) {
        let span = self.heap.span(id);
        let (pages, slot_bytes, slots) = (span.page_count, span.elem_bytes, span.slot_count);
        self.note(Event::Span { pages, slot_bytes, slots });
    }

    fn is_past_trigger(&self) -> bool {
        self.pacer.heap_live_bytes() >= self.pacer.trigger(&self.memory_state()).trigger_bytes
    }

    /// The write barrier, if it is on: shades what was there and what comes.
    fn shade(&mut self, place: String, overwritten: ObjRef, stored: ObjRef) {
        if !self.marker.is_marking() || (overwritten.is_nil() && stored.is_nil()) {
            return;
        }
        let mut greyed = Vec::new();
        for object in [overwritten, stored] {
            let was_white = !object.is_nil() && !self.is_marked(object);
            self.marker.shade(&self.heap, object);
            if was_white {
                greyed.extend(self.name(object));
            }
        }
        let (overwritten, stored) = (self.name(overwritten), self.name(stored));
        self.note(Event::Barrier { place, overwritten, stored, greyed });
    }
}

impl Mutator for Glass {
    fn version(&self) -> GoVersion {
        self.version
    }

    fn alloc(&mut self, layout: Layout) -> ObjRef {
        self.allocate(layout, layout.size_bytes)
    }

    fn pointer(&self, obj: ObjRef, slot: u32) -> ObjRef {
        self.heap.pointer(obj, slot)
    }

    fn set_pointer(&mut self, obj: ObjRef, slot: u32, value: ObjRef) {
        let overwritten = self.heap.pointer(obj, slot);
        let place = self.name(obj).unwrap_or_default();
        self.shade(place, overwritten, value);
        self.heap.set_pointer(obj, slot, value);
    }

    fn clear_pointers(&mut self, obj: ObjRef, slots: Range<u32>) {
        for slot in slots {
            self.set_pointer(obj, slot, ObjRef::NIL);
        }
    }

    fn touch(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) {
        self.heap.touch(obj, offset_bytes, len_bytes);
    }

    fn push_local(&mut self, obj: ObjRef) {
        self.locals.push(obj);
    }

    fn pop_local(&mut self) {
        self.locals.pop();
    }

    fn spend(&mut self, _operation: Operation, _count: u64, _working_set_bytes: u64) {}

    fn spend_on_inserts(&mut self, _count: u64, _working_set_bytes: u64, _entries_per_bucket: f64) {}

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }
}

impl Variables for Glass {
    fn new_global(&mut self) -> Global {
        let name = self.names_ahead.pop().unwrap_or_else(|| format!("global {}", self.globals.len()));
        self.declare(&name)
    }

    fn global(&self, global: Global) -> ObjRef {
        self.globals[global.0].1
    }

    fn set_global(&mut self, global: Global, value: ObjRef) {
        let (name, overwritten) = self.globals[global.0].clone();
        if overwritten == value {
            // A container's books that say what is so already are no store of the program's.
            return;
        }
        self.shade(name, overwritten, value);
        self.globals[global.0].1 = value;
    }
}
