//! Streams: what a tick makes, keeps and drops, and the sleep until it is over.

use super::Machine;
use super::maps::written_bytes;
use super::objects::POINTER_BYTES;
use super::task::{Progress, SLICE};
use super::variable::{Slice, Value};
use crate::heap::mutator::Mutator;
use crate::heap::object::ObjRef;
use crate::scenario::{Stream, Tick, Ticks, Written};

/// A `stream` in the middle of being carried out.
pub(super) struct StreamTask<'s> {
    step: &'s Stream,
    ticks: Ticks<'s>,
    /// What is left of this tick.
    left: Tick,
    /// When it is over, in nanoseconds; `None` before the first.
    due_ns: Option<f64>,
    /// Objects kept and dropped since the beginning: places in the ring.
    born: u64,
    died: u64,
}

impl<'s> StreamTask<'s> {
    pub(super) fn new(step: &'s Stream, run_seed: u64) -> StreamTask<'s> {
        StreamTask {
            step,
            ticks: step.ticks(run_seed),
            left: Tick::default(),
            due_ns: None,
            born: 0,
            died: 0,
        }
    }
}

impl Machine<'_> {
    /// A part of a tick's work, or the sleep until it is over.
    pub(super) fn stream_slice(&mut self, task: &mut StreamTask) -> Progress {
        if task.left != Tick::default() {
            self.work_on_tick(task);
            return Progress::More;
        }
        let now_ns = self.process.clock_ns(self.process.current_goroutine());
        let due_ns = match task.due_ns {
            Some(due_ns) => due_ns,
            None => {
                self.make_ring(task.step);
                now_ns
            }
        };
        // A program that lags behind does not sleep.
        if due_ns >= now_ns + 1.0 {
            self.process.sleep((due_ns - now_ns) as u64);
            return Progress::Napping { until_ns: self.process.now_ns() as f64 };
        }
        match task.ticks.next() {
            None => Progress::Done,
            Some(tick) => {
                task.left = tick;
                task.due_ns = Some(due_ns + task.step.tick_ns as f64);
                Progress::More
            }
        }
    }

    /// `live = make([]*T, n)`: a ring with room for the most objects kept at a time.
    fn make_ring(&mut self, step: &Stream) {
        if let Some(kept) = &step.kept {
            let len = step.totals(self.run_seed).peak_kept;
            let ring = self.make_backing(kept.into, len);
            let ring = Slice { len, cap: len, ..ring };
            self.variables[kept.into.0].set(&mut self.process, ring.backing, Value::Slice(ring));
        }
    }

    /// Drops first, then keeps, then makes garbage.
    fn work_on_tick(&mut self, task: &mut StreamTask) {
        let ring = task.step.kept.as_ref().map(|kept| self.variables[kept.into.0].slice().expect("made"));
        if let Some(ring) = ring {
            for _ in 0..task.left.dropped.min(SLICE as u64) {
                self.set_place(ring, task.died, ObjRef::NIL);
                task.died += 1;
                task.left.dropped -= 1;
            }
            if task.left.dropped > 0 {
                return;
            }
        }
        let object = task.step.part.object;
        let wanted = if task.left.kept > 0 { task.left.kept } else { task.left.garbage };
        if wanted == 0 {
            return;
        }
        let run = self.process.alloc_run(object, wanted.min(SLICE as u64) as u32);
        self.process.write_run(run, written_bytes(Written::All, object.size_bytes));
        let count = u64::from(run.count());
        if task.left.kept == 0 {
            task.left.garbage -= count;
            let sink = self.sink();
            self.process.set_global(sink, run.objects().last().expect("a run has an object"));
            return;
        }
        task.left.kept -= count;
        for object in run.objects() {
            self.set_place(ring.expect("something is kept"), task.born, object);
            task.born += 1;
        }
    }

    /// `live[number%len(live)] = object`.
    fn set_place(&mut self, ring: Slice, number: u64, object: ObjRef) {
        let place = number % ring.len;
        self.process.set_pointer(ring.backing, place as u32 * ring.slots, object);
        if !object.is_nil() {
            self.process.write_pointers(ring.backing, place * POINTER_BYTES, POINTER_BYTES);
        }
    }
}
