//! One simulated Go process in virtual time: operating system, heap, collector, pacer, scavenger and goroutines together.
//!
//! Everything below this room is a mechanism without a clock. Here they share one: the running goroutine spends CPU time,
//! and before it goes on, everything that runs beside it - mark workers, the background sweeper, the scavenger, the
//! two-minute timer - is brought up to the same moment. Idle time costs nothing: the clock jumps to the next event.
//!
//! The order of things, exactly as Go has it:
//!
//! 1. allocation from a cached span looks at nothing (`allocate`);
//! 2. a refill or a large allocation pays sweep debt first, moves `heap_live`, then tests the trigger (`allocate`);
//! 3. while marking, allocation charges the goroutine's assist credit before it allocates (`assist`);
//! 4. a cycle stops the world, marks concurrently, stops the world, and leaves sweeping to everyone (`collect`);
//! 5. the sweeper and the scavenger run when a P is free (`background`).
//!
//! Invariants: virtual time never goes back; the same settings and calls give the same trace; every byte of RSS has one
//! owner (`statistics`).
//!
//! Differences from Go: workers advance in steps of [`MARK_STEP_NS`]; goroutines that want
//! more CPU than there is are all slowed alike.

mod allocate;
mod allowance;
mod assist;
mod background;
mod blocked;
mod close_ups;
mod collect;
mod copying;
mod goroutine;
mod keys;
mod marking;
mod metadata;
mod pools;
mod prices;
mod recorder;
mod settings;
mod shootdown;
mod specials;
mod stack;
mod startup;
mod startup_objects;
mod statistics;
mod sync;
mod workers;

pub use allowance::{Allowance, Exhausted};

pub use crate::cost::{CostProfile, Draw, KeyText};
pub use crate::heap::mutator::Global;
pub use settings::{ReleaseAdvice, Settings};
pub use sync::{LockKind, LockTimes, LockUse, LockedBatch, PoolPath, SyncMapOperation};

use std::sync::Arc;

use rand::SeedableRng;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::cost::CostModel;
use crate::gc::barrier;
use crate::gc::mark::Marker;
use crate::heap::malloc::Run;
use crate::heap::mheap::{Heap, HeapStart, ScavengedMemory};
use crate::heap::mutator::{Mutator, Operation, Variables};
use crate::heap::object::{Layout, ObjRef};
use crate::heap::page_alloc::HeapBase;
use crate::os::ContainerLimit;
use crate::pacer::assist::AssistQueue;
use crate::pacer::controller::PacerController;
use crate::pacer::cpu_limiter::CpuLimiter;
use crate::pacer::sweep_pace::SweepPace;
use crate::scavenge::BackgroundScavenger;
use crate::trace::OomKill;
use crate::units::CHUNK_PAGES;
use crate::version::GoVersion;
use collect::{CollectorTotals, RunningCycle};
use goroutine::{Assisting, Goroutine, WantsP};
use recorder::Recorder;
use stack::Stacks;
use startup::{Startup, StartupObjects};

/// Virtual nanoseconds by which mark workers run ahead of each other at most.
pub const MARK_STEP_NS: f64 = 10_000.0;

/// Writes up to this many bytes to an object cost nothing of their own: its line is in cache from the allocation.
const WRITE_FREE_BYTES: u64 = 64;

/// One simulated Go process.
pub struct Process {
    /// The settings now: `debug.SetGCPercent` and `debug.SetMemoryLimit` change them.
    settings: Settings,
    /// The settings at the start, as the trace records them.
    started_with: crate::trace::Config,
    costs: Arc<CostModel>,
    recent: prices::RecentPrices,
    /// The price of the write that was asked for last: most programs write objects of one size.
    recent_write: crate::cost::RecentPrice,
    string_keys: keys::StringKeys,
    startup: Startup,
    heap: Heap,
    marker: Marker,
    pacer: PacerController,
    sweep_pace: SweepPace,
    assists: AssistQueue,
    limiter: CpuLimiter,
    scavenger: BackgroundScavenger,
    scavenge_goals: crate::scavenge::Goals,
    container: Option<ContainerLimit>,
    stacks: Stacks,
    blocked: blocked::Blocked,
    rng: ChaCha8Rng,
    /// Chance in the scheduler, apart from the program's own.
    scheduler_rng: ChaCha8Rng,
    /// The running goroutine's time.
    now_ns: f64,
    /// Everything that runs beside goroutines has been brought up to here.
    background_ns: f64,
    goroutines: Vec<Goroutine>,
    current: usize,
    /// Whether the running goroutine is inside an assist.
    assisting: Assisting,
    /// When `sysmon` looks at running Ps next, while marking.
    next_sysmon_ns: f64,
    /// Time that the background does not overtake: other goroutines have not come further.
    horizon_ns: f64,
    globals: Vec<ObjRef>,
    cycle: Option<RunningCycle>,
    totals: CollectorTotals,
    /// What the account of the runtime's own structures was worked out from last.
    counted: Option<metadata::SysCauses>,
    recorder: Recorder,
    /// Takes close-ups, if they were asked for.
    observer: Option<Box<close_ups::Observer>>,
    oom_kill: Option<OomKill>,
    step: String,
    pools: pools::Pools,
    meter: allowance::Meter,
}

/// The scheduler's chances: a stream of the run's seed that no map draws from.
fn scheduler_rng(seed: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1);
    rng
}

/// Where the heap begins, and what scavenged memory holds: a stream of the run's seed that nothing else draws from.
fn heap_start(settings: &Settings) -> HeapStart {
    let mut base = HeapBase::default();
    if settings.version.has_random_heap_base() {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        rng.set_stream(2);
        base = HeapBase { chunks: rng.random_range(0..16), padding_pages: rng.random_range(0..CHUNK_PAGES) };
    }
    let trusted = settings.version.trusts_scavenged_pages_to_be_zero();
    let scavenged_memory = match settings.release {
        ReleaseAdvice::DontNeed if trusted => ScavengedMemory::KnownToBeZero,
        ReleaseAdvice::DontNeed | ReleaseAdvice::Free => ScavengedMemory::ClearedAgain,
    };
    HeapStart { base, scavenged_memory }
}

/// The capacity that `append` asks for when a slice of capacity `cap` is full: double up to 256, then ever nearer to a
/// quarter more (`runtime/slice.go` `nextslicecap`, Go 1.23.9; 1.21 gives the same).
pub fn grown_cap(cap: u64) -> u64 {
    const DOUBLING_LIMIT: u64 = 256;
    match cap {
        0 => 1,
        small if small < DOUBLING_LIMIT => small * 2,
        large => large + (large + 3 * DOUBLING_LIMIT) / 4,
    }
}

impl Process {
    /// A process at the first statement of `main`.
    pub fn start(settings: Settings) -> Process {
        let startup = Startup::of(settings.version, settings.procs);
        let mut pacer = PacerController::new(settings.gogc_percent, settings.memory_limit_bytes);
        pacer.set_globals_scan(startup.globals_bytes);
        pacer.set_max_stack_scan(startup.stack_scan_bytes);
        let mut process = Process {
            costs: Arc::clone(&settings.cost_profile().model),
            recent: Default::default(),
            recent_write: Default::default(),
            string_keys: Default::default(),
            heap: Heap::new(settings.version, settings.procs, heap_start(&settings)),
            marker: Marker::default(),
            pacer,
            sweep_pace: SweepPace::DONE,
            assists: AssistQueue::default(),
            limiter: CpuLimiter::new(0, settings.procs),
            scavenger: BackgroundScavenger::default(),
            scavenge_goals: Default::default(),
            container: settings.machine_memory_bytes.map(ContainerLimit::new),
            stacks: Stacks::new(settings.procs),
            blocked: blocked::Blocked::new(settings.procs),
            rng: ChaCha8Rng::seed_from_u64(settings.seed),
            scheduler_rng: scheduler_rng(settings.seed),
            now_ns: 0.0,
            background_ns: 0.0,
            goroutines: vec![Goroutine::default()],
            current: 0,
            assisting: Assisting::No,
            next_sysmon_ns: 0.0,
            horizon_ns: f64::INFINITY,
            globals: Vec::new(),
            cycle: None,
            totals: CollectorTotals::default(),
            counted: None,
            recorder: Recorder::default(),
            observer: None,
            oom_kill: None,
            step: String::new(),
            pools: pools::Pools::default(),
            meter: allowance::Meter::default(),
            startup,
            started_with: settings.config(),
            settings,
        };
        process.lay_out_startup();
        process.record_sample();
        process
    }

    /// Allocates what exists before `main`. Objects come before stacks: Go's first span is that of a goroutine descriptor
    /// (`mpreinit`), one page, for which even the last page of a chunk is enough.
    fn lay_out_startup(&mut self) {
        let objects = std::mem::take(&mut self.startup.objects);
        let (first, others) = objects.split_first().expect("every process has objects at its start");
        self.lay_out_objects(first);
        for _ in 0..self.startup.stack_spans {
            self.stacks.alloc_pool_span(&mut self.heap, 0);
        }
        others.iter().for_each(|kind| self.lay_out_objects(kind));
        self.startup.objects = objects;
        self.startup.metadata_resident_bytes = self
            .startup
            .resident_bytes
            .saturating_sub(self.startup.binary_resident_bytes + self.heap.residency.resident_bytes());
        self.now_ns = 0.0;
        self.background_ns = 0.0;
    }

    fn lay_out_objects(&mut self, kind: &StartupObjects) {
        let layout = match kind.has_pointers {
            true => Layout::scan(kind.size_bytes, 1, kind.size_bytes / 8 * 8),
            false => Layout::noscan(kind.size_bytes),
        };
        for number in 0..kind.live + kind.garbage {
            let object = self.alloc(layout);
            self.write_part(object, 0, kind.size_bytes);
            if number < kind.live {
                let global = self.new_global();
                self.set_global(global, object);
            }
        }
    }

    /// Declares a package-level variable, nil at first.
    pub fn new_global(&mut self) -> Global {
        self.globals.push(ObjRef::NIL);
        Global(self.globals.len() - 1)
    }

    /// What a global points to.
    pub fn global(&self, global: Global) -> ObjRef {
        self.globals[global.0]
    }

    /// Assigns to a global, through the write barrier when it is on.
    pub fn set_global(&mut self, global: Global, value: ObjRef) {
        let overwritten = std::mem::replace(&mut self.globals[global.0], value);
        if self.marker.is_marking() {
            self.marker.shade(&self.heap, overwritten);
            self.marker.shade(&self.heap, value);
        }
    }

    /// Virtual time in nanoseconds since the process started.
    pub fn now_ns(&self) -> u64 {
        self.now_ns as u64
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The heap, for pictures and tests.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// The marker, for pictures and tests.
    pub fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Every reference held outside the heap: globals and stacks.
    pub fn roots(&self) -> impl Iterator<Item = ObjRef> {
        let locals = self.goroutines.iter().flat_map(|goroutine| goroutine.locals.iter());
        self.globals.iter().chain(locals).copied().filter(|object| !object.is_nil())
    }

    /// Set once the container limit has killed the process; nothing that happens after it counts.
    pub fn oom_kill(&self) -> Option<&OomKill> {
        self.oom_kill.as_ref()
    }

    /// Spends CPU time of the running goroutine.
    #[inline]
    pub fn spend_cpu_ns(&mut self, cpu_ns: f64) {
        self.now_ns += cpu_ns * self.slowdown();
        if self.now_ns - self.background_ns >= self.patience_ns() {
            self.catch_up();
        }
    }

    /// `debug.SetGCPercent`.
    pub fn set_gc_percent(&mut self, gogc_percent: Option<u32>) {
        self.settings.gogc_percent = gogc_percent;
        self.pacer.set_gc_percent(gogc_percent);
        self.commit_pacing();
    }

    /// `debug.SetMemoryLimit`.
    pub fn set_memory_limit(&mut self, memory_limit_bytes: Option<u64>) {
        self.settings.memory_limit_bytes = memory_limit_bytes;
        self.pacer.set_memory_limit(memory_limit_bytes);
        self.commit_pacing();
    }

    /// Adds a goroutine that runs beside the others from now on; the number names it in [`Process::switch_to`].
    pub fn add_goroutine(&mut self) -> usize {
        let cache = self.goroutines.len() % self.settings.procs as usize;
        self.goroutines.push(Goroutine { clock_ns: self.now_ns, cache, ..Goroutine::default() });
        self.goroutines.len() - 1
    }

    /// Lets goroutine `number` run; only the goroutines in `awake` want a P now. What runs beside goroutines does not
    /// overtake `horizon_ns`, the time of the others; infinite if there are none.
    pub fn switch_to(&mut self, number: usize, awake: &[usize], horizon_ns: f64) {
        self.goroutines[self.current].clock_ns = self.now_ns;
        self.current = number;
        self.now_ns = self.goroutines[number].clock_ns.max(self.background_ns);
        for (index, goroutine) in self.goroutines.iter_mut().enumerate() {
            let wants = index == number || awake.contains(&index);
            goroutine.wants_p = if wants { WantsP::Yes } else { WantsP::No };
        }
        self.horizon_ns = horizon_ns;
    }

    /// The goroutine that runs.
    pub fn current_goroutine(&self) -> usize {
        self.current
    }

    /// Virtual time of goroutine `number` in nanoseconds.
    pub fn clock_ns(&self, number: usize) -> f64 {
        if number == self.current { self.now_ns } else { self.goroutines[number].clock_ns }
    }

    /// Lets the running goroutine wait until `until_ns`.
    pub fn wait_until(&mut self, until_ns: f64) {
        self.now_ns = self.now_ns.max(until_ns);
        self.catch_up();
    }

    /// Keeps the running goroutine on its P, doing nothing useful, until `until_ns`.
    pub fn wait_busily_until(&mut self, until_ns: f64) {
        while self.now_ns < until_ns && self.oom_kill.is_none() && !self.meter.is_spent() {
            self.now_ns = until_ns.min(self.now_ns + self.patience_ns());
            self.catch_up();
        }
    }

    /// `time.Sleep`: the goroutine's P is free until it wakes up.
    pub fn sleep(&mut self, asked_ns: u64) {
        self.goroutine_blocks();
        self.now_ns += self.costs.sleep_ns(asked_ns);
        self.catch_up();
        self.goroutine_runs();
    }

    /// The program writes the first `len_bytes` of each object of a run.
    #[inline]
    pub fn write_run(&mut self, run: Run, len_bytes: u64) {
        let faults = self.heap.write_run(run, len_bytes);
        if faults > 0 {
            match run.count() {
                1 => self.copy_into_fresh(faults),
                _ => self.spend_cpu_ns(self.costs.fault_ns(faults)),
            }
            self.enforce_container_limit();
        }
        let written_bytes = len_bytes * u64::from(run.count());
        if len_bytes > WRITE_FREE_BYTES {
            let write_ns =
                self.recent_write.at(written_bytes, || self.costs.zero_ns(written_bytes, written_bytes));
            self.spend_cpu_ns(write_ns);
        }
    }

    /// The program writes a part of an object, as it goes through memory in order. Containers write where a hash leads
    /// them: that is [`Mutator::touch`].
    pub fn write_part(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) {
        let faults = self.heap.touch(obj, offset_bytes, len_bytes);
        if faults > 0 {
            self.spend_cpu_ns(self.costs.fault_ns(faults));
        }
    }

    /// As [`write_part`](Self::write_part), for a part that is pointers: the write barrier reads before they are written.
    pub fn write_pointers(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) {
        let faults = self.heap.touch(obj, offset_bytes, len_bytes);
        if faults > 0 {
            self.spend_cpu_ns(self.costs.fault_ns(faults));
            self.first_pointers(faults);
        }
    }

    fn cache(&self) -> usize {
        self.goroutines[self.current].cache
    }
}

impl Mutator for Process {
    fn version(&self) -> GoVersion {
        self.settings.version
    }

    fn alloc(&mut self, layout: Layout) -> ObjRef {
        self.alloc_one(layout)
    }

    #[inline]
    fn pointer(&self, obj: ObjRef, slot: u32) -> ObjRef {
        self.heap.pointer(obj, slot)
    }

    fn bring_near(&self, obj: ObjRef, slots: &[u32]) {
        self.heap.bring_pointers_near(obj, slots);
    }

    #[inline]
    fn set_pointer(&mut self, obj: ObjRef, slot: u32, value: ObjRef) {
        if self.marker.is_marking() {
            barrier::store(&mut self.marker, &mut self.heap, obj, slot, value);
            self.now_ns += self.costs.allocation.write_barrier_ns;
        } else {
            self.heap.set_pointer(obj, slot, value);
        }
    }

    fn clear_pointers(&mut self, obj: ObjRef, slots: std::ops::Range<u32>) {
        for slot in slots {
            self.set_pointer(obj, slot, ObjRef::NIL);
        }
    }

    #[inline]
    fn touch(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) {
        let faults = self.heap.touch(obj, offset_bytes, len_bytes);
        if faults > 0 {
            self.spend_cpu_ns(self.costs.scattered_fault_ns(faults));
        }
    }

    #[inline]
    fn touch_after_looking(&mut self, obj: ObjRef, offset_bytes: u64, len_bytes: u64) {
        let faults = self.heap.touch(obj, offset_bytes, len_bytes);
        if faults > 0 {
            self.spend_cpu_ns(self.costs.scattered_fault_ns(faults));
            self.replace_zero_pages(faults);
        }
    }

    #[inline]
    fn push_local(&mut self, obj: ObjRef) {
        self.goroutines[self.current].locals.push(obj);
    }

    #[inline]
    fn pop_local(&mut self) {
        let popped = self.goroutines[self.current].locals.pop();
        debug_assert!(popped.is_some(), "no local to pop");
    }

    fn spend(&mut self, operation: Operation, count: u64, working_set_bytes: u64) {
        let strings_ns = self.string_keys.more_ns(operation) * count as f64;
        let working_set_bytes = self.working_set_bytes(operation, count, working_set_bytes);
        self.spend_cpu_ns(self.operation_ns(operation, count, working_set_bytes) + strings_ns);
    }

    fn spend_on_inserts(&mut self, count: u64, working_set_bytes: u64, entries_per_bucket: f64) {
        let strings_ns = self.string_keys.more_ns(Operation::MapInsert) * count as f64;
        let working_set_bytes = self.working_set_bytes(Operation::MapInsert, count, working_set_bytes);
        self.spend_cpu_ns(self.inserts_ns(count, working_set_bytes, entries_per_bucket) + strings_ns);
    }

    fn random(&mut self) -> u64 {
        self.rng.next_u64()
    }
}

impl Variables for Process {
    fn new_global(&mut self) -> Global {
        Process::new_global(self)
    }

    fn global(&self, global: Global) -> ObjRef {
        Process::global(self, global)
    }

    fn set_global(&mut self, global: Global, value: ObjRef) {
        Process::set_global(self, global, value);
    }
}
