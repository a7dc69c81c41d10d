//! Marking: workers turn grey objects black until none is left.
//!
//! A worker takes a grey object, looks at its pointers, and greys every white object they lead to. A pointer-free object
//! is black as soon as it is found. Objects above 128 KiB are looked at in pieces (*oblets*) so that several workers can
//! share them (`runtime/mgcmark.go` `gcDrain`, `scanobject`, `greyobject`, Go 1.23.9).
//!
//! 1. background workers take root jobs first, assists take them last;
//! 2. then comes the worker's own queue, last in first out; then what others share;
//! 3. `bytes_marked` grows by the slot size of every object found, `heap_scan_work` by the scanned bytes of every object
//!    looked at, up to its last pointer slot.
//!
//! **Why lists mark slowly.** A worker that finds many objects at once overlaps their cache misses. A linked list has one
//! grey object at any time: every step waits for the step before, and a second worker has nothing to do. The model says
//! the same: an object that is scanned right after the object that led to it costs a *stall*, and a queue of four or fewer
//! objects is not shared.
//!
//! **Green Tea (Go 1.27).** An object in a span with inline marks is not queued; its span is, and gathers marks while it waits
//! ([`super::span_queue`]). All that a span has gathered is scanned at once. If that is an eighth of its slots or more, a
//! vector kernel does it, and whole slots count as scan work instead of what lies before their last pointers.
//!
//! Work is bought with CPU time: [`Marker::drain`] is given a budget and reports what it spent.
//!
//! Invariants: an object is in a queue only if its mark bit is set; `drain` never looks at an object twice; when the
//! marker is idle everything reachable from the roots is marked.
//!
//! Differences from Go: queues are unbounded vectors rather than 2 KiB work buffers; a run of list nodes that are
//! neighbours in memory is walked bitmap word by bitmap word, with the costs of single steps. The bytes of an object in a
//! span with inline marks are counted when it is found, not when it is scanned. The processor has the vector kernel.

use std::ops::Range;

use super::mark_price::MarkPrices;
use super::recent_pages::{Recency, RecentPages};
use super::roots::{RootJob, RootKind};
use super::span_queue::{Gathered, SpanQueues};
use crate::cost::Locality;
use crate::heap::mheap::Heap;
use crate::heap::mspan::{MarkUnit, Mspan};
use crate::heap::object::{ObjRef, SpanId};
use crate::heap::pointers::{Chain, PointerWords};
use crate::heap::size_class::ScanKind;

/// Objects larger than this are scanned in pieces (`runtime/mgcmark.go` `maxObletBytes`).
pub const OBLET_BYTES: u64 = 128 << 10;
/// An object that is scanned right after the object that led to it, and to at most this many in all, is waited for: it was
/// asked for too recently. Binary trees and random graphs of degree 2 mark at the price of lists, arrays of pointers do not (measured).
const OVERLAPPED_MISSES: u32 = 4;
/// Objects from this size on may have pointers that are far apart.
const FAR_OBJECT_BYTES: u64 = 512;
/// Cache lines come in pairs: what lies up to here behind a pointer comes with it.
const NEAR_BYTES: u64 = 128;
/// A queue with at most this many objects is not shared (`runtime/mgcwork.go` `balance`).
const KEEP_OBJECTS: usize = 4;

/// How much a worker may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// CPU time in nanoseconds.
    pub cpu_ns: f64,
    /// Scan work in bytes.
    pub work_bytes: u64,
}

/// What a worker takes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkOrder {
    /// Root jobs, then grey objects: background workers (`gcDrain`).
    RootsFirst,
    /// Grey objects, then root jobs: assists (`gcDrainN`).
    ObjectsFirst,
}

/// What a worker did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drained {
    /// CPU time spent in nanoseconds.
    pub cpu_ns: f64,
    /// Scan work done in bytes (heap, stacks and globals).
    pub work_bytes: u64,
}

/// An entry of the grey queue: an object, or piece number `oblet` of one that is larger than [`OBLET_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grey {
    object: ObjRef,
    oblet: u32,
}

impl Grey {
    /// The number that stands for a large object not yet cut into pieces, and for any smaller object.
    const WHOLE: u32 = u32::MAX;

    fn whole(object: ObjRef) -> Grey {
        Grey { object, oblet: Grey::WHOLE }
    }
}

/// Marking in progress: queues, counters.
#[derive(Debug, Default)]
pub struct Marker {
    active: Activity,
    prices: MarkPrices,
    /// The object found last, how it lay, and the pages of those before it: their neighbours are cheap.
    last_found: ObjRef,
    last_locality: Locality,
    recent: RecentPages,
    /// How many white objects the object that was scanned last led to.
    found_by_last_scan: u32,
    root_jobs: Vec<RootJob>,
    /// The goroutine whose stack cannot be scanned now, because nothing stops it.
    unstoppable: Option<usize>,
    shared: Vec<Grey>,
    workers: Vec<Vec<Grey>>,
    spans: SpanQueues,
    /// Bytes of all objects found, black allocation included.
    pub bytes_marked: u64,
    /// Scan work on heap objects in bytes.
    pub heap_scan_work_bytes: u64,
    /// Scan work on stacks in bytes.
    pub stack_scan_work_bytes: u64,
    /// Scan work on globals in bytes.
    pub globals_scan_work_bytes: u64,
    /// Objects found.
    pub objects_marked: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Activity {
    #[default]
    Off,
    Marking,
}

impl Marker {
    /// Begins marking with `worker_count` queues and the given roots.
    pub fn start(&mut self, worker_count: usize, prices: MarkPrices, root_jobs: Vec<RootJob>) {
        debug_assert!(self.is_drained(), "marking started with grey objects left");
        *self = Marker {
            active: Activity::Marking,
            prices,
            root_jobs,
            workers: std::mem::take(&mut self.workers),
            spans: SpanQueues::new(worker_count),
            ..Marker::default()
        };
        self.workers.resize(worker_count, Vec::new());
    }

    /// Ends marking.
    pub fn stop(&mut self) {
        debug_assert!(self.is_drained(), "marking stopped with grey objects left");
        self.active = Activity::Off;
    }

    /// The prices of this cycle.
    pub fn prices(&self) -> &MarkPrices {
        &self.prices
    }

    /// Whether marking is running: the write barrier is on and new objects are black.
    pub fn is_marking(&self) -> bool {
        self.active == Activity::Marking
    }

    /// Whether no root job and no grey object is left.
    pub fn is_drained(&self) -> bool {
        self.root_jobs.is_empty()
            && !self.has_common_work()
            && self.workers.iter().all(Vec::is_empty)
            && self.spans.is_empty()
    }

    /// Whether there is work that any worker could take (`gcMarkWorkAvailable`).
    pub fn has_common_work(&self) -> bool {
        self.has_root_job() || !self.shared.is_empty() || self.spans.has_common()
    }

    /// Whether there is work for the worker of one P: common work, or its own queue.
    pub fn has_work_for(&self, worker: usize) -> bool {
        self.has_common_work() || !self.workers[worker].is_empty() || self.spans.has_own(worker)
    }

    /// Goroutine `number` does something that nothing interrupts, until [`goroutine_stops`](Self::goroutine_stops): the
    /// worker that wants to scan its stack waits.
    pub fn goroutine_is_unstoppable(&mut self, number: usize) {
        self.unstoppable = Some(number);
    }

    /// The goroutine stops when it is asked to.
    pub fn goroutine_stops(&mut self) {
        self.unstoppable = None;
    }

    /// Whether the stack of goroutine `number` is still to be scanned.
    pub fn wants_stack_of(&self, number: usize) -> bool {
        self.root_jobs.iter().any(|job| job.kind == RootKind::RunningStack(number))
    }

    /// Whether the next root job is a stack whose goroutine nothing stops.
    pub fn waits_for_stack(&self) -> bool {
        !self.root_jobs.is_empty() && !self.has_root_job()
    }

    fn has_root_job(&self) -> bool {
        self.root_jobs.last().is_some_and(|job| {
            self.unstoppable.is_none_or(|goroutine| job.kind != RootKind::RunningStack(goroutine))
        })
    }

    fn take_root_job(&mut self) -> Option<RootJob> {
        if self.has_root_job() { self.root_jobs.pop() } else { None }
    }

    /// The objects that are grey now, in no particular order.
    pub fn grey_objects(&self) -> impl Iterator<Item = ObjRef> {
        self.workers.iter().flatten().chain(&self.shared).map(|grey| grey.object).chain(self.spans.objects())
    }

    /// Counts objects that were born black.
    pub fn note_black_allocation(&mut self, count: u64, elem_bytes: u64) {
        self.bytes_marked += count * elem_bytes;
        self.objects_marked += count;
    }

    /// Greys `obj` if it is white, for anyone to scan (write barrier, tiny blocks).
    pub fn shade(&mut self, heap: &Heap, obj: ObjRef) {
        if self.is_marking() && self.mark(heap, obj) == Found::Scannable {
            match heap.span(obj.span()).mark_unit {
                MarkUnit::Object => self.shared.push(Grey::whole(obj)),
                MarkUnit::Span => self.spans.put_common(obj),
            }
        }
    }

    /// Queues a scannable object that worker `worker` has just marked.
    #[inline]
    fn queue(&mut self, heap: &Heap, worker: usize, obj: ObjRef) {
        match heap.span(obj.span()).mark_unit {
            MarkUnit::Object => self.workers[worker].push(Grey::whole(obj)),
            MarkUnit::Span => self.spans.put(worker, obj),
        }
    }

    /// Works as worker `worker` until the budget is spent or there is nothing to do.
    pub fn drain(&mut self, heap: &Heap, worker: usize, budget: Budget, order: WorkOrder) -> Drained {
        let mut drained = Drained::default();
        while drained.cpu_ns < budget.cpu_ns && drained.work_bytes < budget.work_bytes {
            let left = Budget {
                cpu_ns: budget.cpu_ns - drained.cpu_ns,
                work_bytes: budget.work_bytes - drained.work_bytes,
            };
            let Some(step) = self.step(heap, worker, left, order) else { break };
            drained.cpu_ns += step.cpu_ns;
            drained.work_bytes += step.work_bytes;
        }
        drained
    }

    /// Makes every queue common property: the last worker found nothing to do, yet Ps may hold what their goroutines did
    /// not finish (the ragged barrier of `gcMarkDone`).
    pub fn flush_queues(&mut self) {
        for worker in &mut self.workers {
            self.shared.append(worker);
        }
        self.spans.flush();
    }

    fn step(&mut self, heap: &Heap, worker: usize, left: Budget, order: WorkOrder) -> Option<Drained> {
        self.balance(worker);
        if order == WorkOrder::RootsFirst
            && let Some(job) = self.take_root_job()
        {
            return Some(self.scan_roots(heap, worker, &job));
        }
        if let Some(grey) = self.workers[worker].pop() {
            return Some(self.scan(heap, worker, grey, left));
        }
        if let Some((span, gathered)) = self.spans.take_own(worker) {
            return Some(self.scan_gathered(heap, worker, span, &gathered, left));
        }
        if let Some(grey) = self.take_shared(worker) {
            return Some(self.scan(heap, worker, grey, left));
        }
        if let Some((span, gathered)) = self.spans.take_common(worker) {
            return Some(self.scan_gathered(heap, worker, span, &gathered, left));
        }
        let job = self.take_root_job()?;
        Some(self.scan_roots(heap, worker, &job))
    }

    /// Takes half of what is shared into a worker's queue, and one entry out of it.
    fn take_shared(&mut self, worker: usize) -> Option<Grey> {
        let half = self.shared.len().div_ceil(2);
        let taken = self.shared.drain(self.shared.len() - half..);
        self.workers[worker].extend(taken);
        self.workers[worker].pop()
    }

    /// Shares the older half of a worker's queue when nothing else is shared.
    fn balance(&mut self, worker: usize) {
        let queue = &mut self.workers[worker];
        if self.shared.is_empty() && queue.len() > KEEP_OBJECTS {
            let half = queue.len() / 2;
            self.shared.extend(queue.drain(..half));
        }
    }

    fn scan_roots(&mut self, heap: &Heap, worker: usize, job: &RootJob) -> Drained {
        match job.kind {
            RootKind::Globals => self.globals_scan_work_bytes += job.scan_bytes,
            RootKind::Stack | RootKind::RunningStack(_) => self.stack_scan_work_bytes += job.scan_bytes,
            RootKind::FinalizerQueue | RootKind::Finalizers => {}
        }
        let mut cpu_ns = job.cpu_ns;
        if job.kind == RootKind::Globals {
            cpu_ns += self.prices.roots_ns;
        }
        for object in &job.objects {
            cpu_ns += match job.kind {
                RootKind::Finalizers => self.scan_for_finalizer(heap, worker, *object),
                _ => self.follow(heap, worker, *object, Locality::Scattered),
            };
        }
        Drained { cpu_ns, work_bytes: job.scan_bytes }
    }

    /// Marks what the finalizer of `object` may follow, not the object itself. Go counts it as marked bytes nevertheless, as
    /// it does whenever an object is scanned: once more if something else reaches it (`scanobject`, all versions). So a chain
    /// of objects with finalizers makes the next heap goal larger than the heap explains.
    fn scan_for_finalizer(&mut self, heap: &Heap, worker: usize, object: ObjRef) -> f64 {
        let span = heap.span(object.span());
        if span.span_class.kind() == ScanKind::Scan {
            self.bytes_marked += span.elem_bytes;
        }
        self.scan_everything(heap, worker, object).cpu_ns
    }

    /// Scans an object of any size in one go, without marking it.
    fn scan_everything(&mut self, heap: &Heap, worker: usize, object: ObjRef) -> Drained {
        let span = heap.span(object.span());
        let scan_bytes = span.scan_bytes.get(object.index());
        self.scan_slots(heap, worker, object, 0..span.pointer_stride, scan_bytes)
    }

    fn scan(&mut self, heap: &Heap, worker: usize, grey: Grey, left: Budget) -> Drained {
        let span = heap.span(grey.object.span());
        let scan_bytes = span.scan_bytes.get(grey.object.index());
        if grey.oblet != Grey::WHOLE {
            return self.scan_oblet(heap, worker, grey, scan_bytes);
        }
        if scan_bytes > OBLET_BYTES {
            return self.split(worker, grey.object, scan_bytes);
        }
        self.scan_alone(heap, worker, grey.object, left)
    }

    /// Scans what a span has gathered.
    fn scan_gathered(
        &mut self,
        heap: &Heap,
        worker: usize,
        span_id: SpanId,
        gathered: &Gathered,
        left: Budget,
    ) -> Drained {
        let mut slots = gathered.slots().map(|index| ObjRef::new(span_id, index));
        if gathered.count() == 1
            && let Some(object) = slots.next()
        {
            return self.scan_alone(heap, worker, object, left);
        }
        let (work_before, found_before) = (self.heap_scan_work_bytes, self.objects_marked);
        let cpu_ns = slots.map(|object| self.scan_everything(heap, worker, object).cpu_ns).sum();
        let span = heap.span(span_id);
        if heap.version.counts_whole_slots_of_dense_spans() && gathered.count() >= span.slot_count / 8 {
            self.heap_scan_work_bytes = work_before + u64::from(gathered.count()) * span.elem_bytes;
        }
        self.found_by_last_scan = u32::try_from(self.objects_marked - found_before).unwrap_or(u32::MAX);
        Drained { cpu_ns, work_bytes: self.heap_scan_work_bytes - work_before }
    }

    /// Scans one object in one go, and the list behind it if it is part of one.
    fn scan_alone(&mut self, heap: &Heap, worker: usize, object: ObjRef, left: Budget) -> Drained {
        let span = heap.span(object.span());
        if let PointerWords::Chain(chain) = &span.pointers {
            let scan_bytes = span.scan_bytes.get(object.index());
            return self.walk_chain(heap, worker, object, *chain, scan_bytes, left);
        }
        let stall_ns = if (1..=OVERLAPPED_MISSES).contains(&self.found_by_last_scan) {
            // Anything but the object found last was asked for a while ago.
            self.prices.stall_ns(if object == self.last_found {
                self.last_locality
            } else {
                Locality::InOrder
            })
        } else {
            0.0
        };
        let mut drained = self.scan_everything(heap, worker, object);
        drained.cpu_ns += stall_ns;
        drained
    }

    /// Queues the pieces of a large object, the first on top.
    fn split(&mut self, worker: usize, object: ObjRef, scan_bytes: u64) -> Drained {
        let pieces = scan_bytes.div_ceil(OBLET_BYTES) as u32;
        self.workers[worker].extend((0..pieces).rev().map(|oblet| Grey { object, oblet }));
        Drained { cpu_ns: self.prices.scan_ns(Locality::InOrder, 64), work_bytes: 0 }
    }

    fn scan_oblet(&mut self, heap: &Heap, worker: usize, grey: Grey, scan_bytes: u64) -> Drained {
        let slots = u64::from(heap.span(grey.object.span()).pointer_stride);
        let pieces = scan_bytes.div_ceil(OBLET_BYTES);
        let bound = |piece: u64| (slots * piece / pieces) as u32;
        let piece = u64::from(grey.oblet);
        let piece_bytes = OBLET_BYTES.min(scan_bytes - piece * OBLET_BYTES);
        self.scan_slots(heap, worker, grey.object, bound(piece)..bound(piece + 1), piece_bytes)
    }

    fn scan_slots(
        &mut self,
        heap: &Heap,
        worker: usize,
        object: ObjRef,
        slots: Range<u32>,
        scan_bytes: u64,
    ) -> Drained {
        let span = heap.span(object.span());
        let locality = if scan_bytes > 8 * u64::from(slots.end - slots.start) && span.elem_bytes > OBLET_BYTES
        {
            Locality::Hashed
        } else {
            Locality::Scattered
        };
        let nil_ns = self.prices.nil_word_ns(span.elem_bytes);
        let found_before = self.objects_marked;
        let mut cpu_ns = 0.0;
        match &span.pointers {
            PointerWords::Nil => cpu_ns += nil_ns * f64::from((slots.end - slots.start).saturating_sub(1)),
            PointerWords::Words { stride, words } => {
                let first = object.index() * stride;
                let (start, end) = (first + slots.start.min(*stride), first + slots.end.min(*stride));
                cpu_ns +=
                    self.follow_words(heap, worker, &words[start as usize..end as usize], locality, nil_ns);
            }
            PointerWords::Chain(_) => {
                let target = heap.pointer(object, 0);
                if !target.is_nil() {
                    cpu_ns += self.follow(heap, worker, target, locality);
                }
            }
        }
        self.found_by_last_scan = u32::try_from(self.objects_marked - found_before).unwrap_or(u32::MAX);
        self.heap_scan_work_bytes += scan_bytes;
        Drained { cpu_ns, work_bytes: scan_bytes }
    }

    /// Follows an object's pointers. Nil words are counted eight at a time: an emptied map is nothing else.
    fn follow_words(
        &mut self,
        heap: &Heap,
        worker: usize,
        words: &[ObjRef],
        locality: Locality,
        nil_ns: f64,
    ) -> f64 {
        let mut cpu_ns = 0.0;
        let mut nil_count = 0u32;
        for eight in words.chunks(8) {
            if eight.iter().all(|target| target.is_nil()) {
                nil_count += eight.len() as u32;
                continue;
            }
            for target in eight {
                if target.is_nil() {
                    nil_count += 1;
                } else {
                    cpu_ns += self.follow(heap, worker, *target, locality);
                }
            }
        }
        cpu_ns + nil_ns * f64::from(nil_count)
    }

    /// Walks a list from `object` down its span: each node is found through the one before it.
    fn walk_chain(
        &mut self,
        heap: &Heap,
        worker: usize,
        object: ObjRef,
        chain: Chain,
        scan_bytes: u64,
        left: Budget,
    ) -> Drained {
        let span = heap.span(object.span());
        let nil_words = (span.pointer_stride - 1) as f64;
        let node_ns = self.prices.chained_in_order_ns(span.elem_bytes)
            + nil_words * self.prices.nil_word_ns(span.elem_bytes);
        let affordable_ns = (left.cpu_ns / node_ns).ceil();
        let affordable = affordable_ns.min(left.work_bytes.div_ceil(scan_bytes.max(1)) as f64) as u32;

        let index = object.index();
        let floor = if (chain.first..=chain.last).contains(&index) { chain.first } else { index };
        let seen = heap.bits.highest_set_below(span.mark_bits, floor, index);
        let lowest_white = seen.map_or(floor, |seen| seen + 1);
        let step = (index - lowest_white).min(affordable.max(1));
        let reached = index - step;
        let newly = heap.bits.set_range(span.mark_bits, reached, index);
        debug_assert_eq!(newly, step);
        self.bytes_marked += u64::from(step) * span.elem_bytes;
        self.objects_marked += u64::from(step);

        let mut cpu_ns = f64::from(step) * node_ns;
        let mut scanned = u64::from(step);
        if reached > lowest_white {
            self.queue(heap, worker, ObjRef::new(object.span(), reached));
        } else {
            scanned += 1;
            cpu_ns += node_ns;
            let target = heap.pointer(ObjRef::new(object.span(), reached), 0);
            if !target.is_nil() {
                // The price of the next node is charged when it is walked.
                self.follow(heap, worker, target, Locality::InOrder);
            }
        }
        self.heap_scan_work_bytes += scanned * scan_bytes;
        Drained { cpu_ns, work_bytes: scanned * scan_bytes }
    }

    /// Greys the object that a pointer leads to, into `worker`'s queue; returns the cost, scanning it included.
    #[inline]
    fn follow(&mut self, heap: &Heap, worker: usize, target: ObjRef, locality: Locality) -> f64 {
        let locality = self.locality(heap, target, locality);
        match self.mark(heap, target) {
            Found::Before => self.prices.seen_ns(locality),
            Found::PointerFree => self.prices.noscan_ns(locality),
            Found::Scannable => {
                self.queue(heap, worker, target);
                let span = heap.span(target.span());
                let near_ns = self.prices.scan_ns(locality, span.elem_bytes);
                if span.elem_bytes >= FAR_OBJECT_BYTES && has_distant_pointer(span, target) {
                    near_ns + self.prices.distant_line_ns()
                } else {
                    near_ns
                }
            }
        }
    }

    /// How `target` lies to what was found before: objects of one span are neighbours, and so is what shares a recent page.
    #[inline]
    fn locality(&mut self, heap: &Heap, target: ObjRef, otherwise: Locality) -> Locality {
        let last = std::mem::replace(&mut self.last_found, target);
        self.last_locality =
            if last.span() == target.span() || self.recent.touch(heap, target) == Recency::Recent {
                Locality::InOrder
            } else {
                otherwise
            };
        self.last_locality
    }

    #[inline]
    fn mark(&mut self, heap: &Heap, obj: ObjRef) -> Found {
        if obj.is_nil() {
            return Found::Before;
        }
        let span = heap.span(obj.span());
        if !heap.bits.set(span.mark_bits, obj.index()) {
            return Found::Before;
        }
        self.bytes_marked += span.elem_bytes;
        self.objects_marked += 1;
        if span.span_class.kind() == ScanKind::Noscan { Found::PointerFree } else { Found::Scannable }
    }
}

/// Whether an object's last pointer is in a cache line that scanning the words before it does not bring.
fn has_distant_pointer(span: &Mspan, object: ObjRef) -> bool {
    let scan_bytes = span.scan_bytes.get(object.index());
    let dense_bytes = 8 * u64::from(span.pointer_stride);
    (NEAR_BYTES + dense_bytes..=OBLET_BYTES).contains(&scan_bytes)
}

/// What a pointer led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Nothing, or an object that is not white.
    Before,
    /// A white object without pointers: black now.
    PointerFree,
    /// A white object with pointers: grey now.
    Scannable,
}
