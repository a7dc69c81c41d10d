//! Tasks: a step in the middle of being carried out.

use super::Machine;
use super::calls::CallTask;
use super::draws::Drawn;
use super::maps::{InsertTask, RebuildTask};
use super::objects::{AllocTask, FinalizeTask, GarbageTask, HoldTask};
use super::serve::WorkerTask;
use super::stream::StreamTask;
use super::sync::GetTask;
use crate::scenario::{Access, KeysIter, PoolPut, Release, Step};

/// Operations of one slice of work.
pub(super) const SLICE: usize = 512;
/// Longest stretch of pure computing in one slice, in nanoseconds.
const COMPUTE_SLICE_NS: u64 = 50_000;

/// A step in the middle of being carried out.
pub(super) enum Task<'s> {
    Insert(InsertTask<'s>),
    Lookup(&'s Access, KeysIter),
    Delete(&'s Access, KeysIter),
    Rebuild(RebuildTask),
    Alloc(AllocTask<'s>),
    Garbage(GarbageTask<'s>),
    Hold(HoldTask<'s>),
    Call(CallTask<'s>),
    Finalize(FinalizeTask<'s>),
    Worker(WorkerTask),
    Stream(StreamTask<'s>),
    Get(GetTask<'s>),
    Put(&'s PoolPut, u64),
    Compute {
        left_ns: u64,
    },
    /// Anything that is done at once.
    Once(&'s Step, Label),
}

/// The label of a snapshot, with the number of its turn when it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Plain,
    Turn(u64),
}

/// Whether a task is done.
pub(super) enum Progress {
    /// There is more to do.
    More,
    /// It is done.
    Done,
    /// It is done, and its goroutine sleeps.
    Asleep { until_ns: f64 },
    /// There is more to do, after a sleep.
    Napping { until_ns: f64 },
}

impl<'s> Machine<'s> {
    /// Begins a step for the `turn`-th time, inside so many `repeats`.
    pub(super) fn begin(&mut self, step: &'s Step, turn: u64, repeats: usize) -> Task<'s> {
        let seed = self.run_seed;
        match step {
            Step::Insert(insert) => Task::Insert(InsertTask::new(insert, seed, turn)),
            Step::Lookup(access) => Task::Lookup(access, access.keys.iter(seed, turn)),
            Step::Delete(access) => Task::Delete(access, access.keys.iter(seed, turn)),
            Step::Rebuild(var) => Task::Rebuild(RebuildTask::new(*var)),
            Step::Alloc(alloc) => Task::Alloc(AllocTask::new(alloc, seed, turn)),
            Step::Garbage(garbage) => Task::Garbage(GarbageTask::new(garbage, seed, turn)),
            Step::Hold(hold) => Task::Hold(HoldTask::new(hold, seed, turn)),
            Step::Call(call) => Task::Call(CallTask::new(call)),
            Step::Finalize(finalize) => Task::Finalize(FinalizeTask::new(finalize)),
            Step::Stream(stream) => Task::Stream(StreamTask::new(stream, seed)),
            Step::Get(get) => Task::Get(GetTask::new(get, seed, turn)),
            Step::Put(put) => Task::Put(put, put.count),
            Step::Compute(ns) => Task::Compute { left_ns: *ns },
            other => Task::Once(other, if repeats > 0 { Label::Turn(turn + 1) } else { Label::Plain }),
        }
    }

    /// Does one slice of a task's work, the making of its keys included.
    pub(super) fn work(&mut self, task: &mut Task<'s>) -> Progress {
        let before = Drawn::by(task);
        self.begin_keys(task);
        let progress = self.slice(task);
        self.end_keys(task, before);
        progress
    }

    fn slice(&mut self, task: &mut Task<'s>) -> Progress {
        match task {
            Task::Insert(insert) => self.insert_slice(insert),
            Task::Lookup(access, keys) => self.lookup_slice(access.var, keys),
            Task::Delete(access, keys) => self.delete_slice(access.var, keys),
            Task::Rebuild(rebuild) => self.rebuild_slice(rebuild),
            Task::Alloc(alloc) => self.alloc_slice(alloc),
            Task::Garbage(garbage) => self.garbage_slice(garbage),
            Task::Hold(hold) => self.hold_slice(hold),
            Task::Call(call) => self.call_slice(call),
            Task::Finalize(finalize) => self.finalize_slice(finalize),
            Task::Worker(worker) => self.serve_slice(worker),
            Task::Stream(stream) => self.stream_slice(stream),
            Task::Get(get) => self.get_slice(get),
            Task::Put(put, left) => self.put_slice(put, left),
            Task::Compute { left_ns } => {
                let slice_ns = (*left_ns).min(COMPUTE_SLICE_NS);
                self.process.spend_cpu_ns(slice_ns as f64);
                *left_ns -= slice_ns;
                if *left_ns == 0 { Progress::Done } else { Progress::More }
            }
            Task::Once(step, label) => self.do_once(step, *label),
        }
    }

    fn do_once(&mut self, step: &'s Step, label: Label) -> Progress {
        match step {
            Step::Make(make) => self.make(make),
            Step::Clear(var) => self.clear(*var),
            Step::Drop(var) | Step::Release(Release { var, count: None }) => self.drop_variable(*var),
            Step::Release(Release { var, count: Some(count) }) => self.release(*var, *count),
            Step::Slice(slice) => self.take_part(slice),
            Step::Go(go) => self.process.start_blocked(go.count, go.stack_bytes),
            Step::Exit(count) => self.process.exit_blocked(*count),
            Step::Sleep(ns) => {
                self.process.sleep(*ns);
                return Progress::Asleep { until_ns: self.process.now_ns() as f64 };
            }
            Step::Range(var) => self.range(*var),
            Step::Gc => self.process.gc(),
            Step::FreeOsMemory => self.process.free_os_memory(),
            Step::SetGogc(gogc) => self.process.set_gc_percent(gogc.percent()),
            Step::SetMemoryLimit(limit) => self.process.set_memory_limit(limit.bytes()),
            Step::Snapshot(text) => match label {
                Label::Plain => self.snapshot(text),
                Label::Turn(turn) => self.snapshot(&format!("{text} {turn}")),
            },
            other => panic!("{} is not done at once", other.name()),
        }
        Progress::Done
    }
}
