//! Serving requests: workers side by side that take them one after the other.

use super::frames::Frames;
use super::maps::written_bytes;
use super::task::{Progress, Task};
use super::{Machine, RunError, Track};
use crate::heap::mutator::Mutator;
use crate::process::Global;
use crate::scenario::serve::{Arrivals, Serve};
use crate::scenario::{Typed, Written};

/// Requests of one slice of work.
const REQUESTS_A_SLICE: u64 = 4;

/// A `serve` in the middle of being carried out, shared by its workers.
pub(super) struct Serving<'s> {
    step: &'s Serve,
    arrivals: Arrivals,
    start_ns: f64,
}

/// One worker.
pub(super) struct WorkerTask {
    /// Where it keeps what its request has made.
    cells: Vec<Global>,
}

impl<'s> Machine<'s> {
    /// Lets workers serve until the last request is done.
    pub(super) fn run_serve(&mut self, step: &'s Serve, turn: u64) -> Result<(), RunError> {
        let arrivals = Arrivals::new(step, self.run_seed, turn);
        let start_ns = self.process.clock_ns(self.process.current_goroutine());
        self.serving = Some(Serving { step, arrivals, start_ns });
        self.process.begin_serving();
        let cell_count = step.garbage.as_ref().map_or(0, |garbage| garbage.count);
        let workers = (1..=step.workers as usize).map(|number| {
            let goroutine = self.process.add_goroutine();
            let cells = (0..cell_count).map(|_| self.process.new_global()).collect();
            let task = Some(Task::Worker(WorkerTask { cells }));
            Track { task, ..Track::new(number, goroutine, Frames::within(0, &[])) }
        });
        let workers = workers.collect();
        self.run_tracks(workers)?;
        self.serving = None;
        Ok(())
    }

    /// A few requests of one worker.
    pub(super) fn serve_slice(&mut self, worker: &WorkerTask) -> Progress {
        for _ in 0..REQUESTS_A_SLICE {
            let serving = self.serving.as_mut().expect("a worker serves");
            let (step, start_ns) = (serving.step, serving.start_ns);
            let Some((number, due_ns)) = serving.arrivals.next() else {
                worker
                    .cells
                    .iter()
                    .for_each(|cell| self.process.set_global(*cell, crate::heap::object::ObjRef::NIL));
                return Progress::Done;
            };
            let due_ns = start_ns + due_ns;
            self.process.wait_busily_until(due_ns);
            self.serve_one(step, number, &worker.cells);
            self.process.note_latency(due_ns);
            if step.workers > 1 {
                // Another worker may be behind now.
                return Progress::More;
            }
        }
        Progress::More
    }

    fn serve_one(&mut self, step: &Serve, number: u64, cells: &[Global]) {
        if let Some(garbage) = &step.garbage {
            let mut made = 0;
            while made < cells.len() {
                let limit = (cells.len() - made) as u32;
                let run = self.process.alloc_run(garbage.part.object, limit);
                for object in run.objects() {
                    self.process.set_global(cells[made], object);
                    made += 1;
                }
                self.process.write_run(run, written_bytes(Written::All, garbage.part.object.size_bytes));
            }
        }
        if let Some(session) = &step.session
            && let Some(slice) = self.variables[session.into.0].slice()
            && slice.len > 0
        {
            let Typed { layout, .. } = &session.object;
            let run = self.process.alloc_run(layout.object(), 1);
            self.process.push_local(run.first());
            self.process.write_run(run, layout.size_bytes);
            let element = (number % slice.len) as u32 * slice.slots;
            self.process.set_pointer(slice.backing, element, run.first());
            self.process.pop_local();
        }
        if step.cpu_ns > 0 {
            self.process.spend_cpu_ns(step.cpu_ns as f64);
        }
    }
}
