//! Spelling steps out: each becomes the single things that it does, as long as these are not too many.
//!
//! Draws - keys, mixes, links - come from the same generators with the same seeds as in a simulated run.

use toml::Spanned;

use super::operation::{Operation, Section, Track};
use crate::lab::glass::event::Event;
use crate::lab::glass::scale::Scale;
use crate::scenario::{
    Alloc, Amount, Backing, Call, Finalize, Garbage, Insert, Keys, Lies, MixPart, PoolGet, Release, Repeat,
    Serve, Shape, SplitMix64, Step, Stream,
};
use crate::version::GoVersion;

/// Things that a program may do in all.
const MOST_OPERATIONS: u64 = 4000;
/// Objects of a request that are shown, if requests are not all shown.
const OBJECTS_OF_REQUEST: u64 = 3;

/// A program that is being spelt out.
pub(super) struct Spelling {
    version: GoVersion,
    seed: u64,
    scale: Scale,
    count: u64,
}

/// More than anyone can watch.
struct TooMany;

impl Spelling {
    pub(super) fn new(version: GoVersion, seed: u64, scale: Scale) -> Spelling {
        Spelling { version, seed, scale, count: 0 }
    }

    /// The top-level steps: what stands between two `parallel`s is one track. `None` if there is too much.
    pub(super) fn sections<'s>(mut self, steps: &'s [Spanned<Step>]) -> Option<Vec<Section<'s>>> {
        let mut sections: Vec<Section<'s>> = vec![vec![Track::default()]];
        for step in steps {
            match step.as_ref() {
                Step::Parallel(tracks) => {
                    sections.push(self.tracks(tracks).ok()?);
                    sections.push(vec![Track::default()]);
                }
                one => {
                    let last = sections.last_mut().and_then(|section| section.first_mut());
                    self.spell(one, 0, &mut last.expect("made above").operations).ok()?;
                }
            }
        }
        Some(sections)
    }

    fn tracks<'s>(&mut self, tracks: &'s [Vec<Spanned<Step>>]) -> Result<Section<'s>, TooMany> {
        let mut section = Vec::new();
        for steps in tracks {
            let mut track = Track::default();
            steps.iter().try_for_each(|step| self.spell(step.as_ref(), 0, &mut track.operations))?;
            section.push(track);
        }
        Ok(section)
    }

    /// Counts things before they are made.
    fn admit(&mut self, things: u64) -> Result<(), TooMany> {
        self.count = self.count.saturating_add(things);
        if self.count > MOST_OPERATIONS { Err(TooMany) } else { Ok(()) }
    }

    fn spell<'s>(&mut self, step: &'s Step, turn: u64, into: &mut Vec<Operation<'s>>) -> Result<(), TooMany> {
        match step {
            Step::Insert(insert) => self.insert(insert, turn, into)?,
            Step::Delete(access) => {
                let keys = self.keys(&access.keys, turn)?;
                into.extend(keys.map(|key| Operation::Delete(access.var, key)));
            }
            Step::Lookup(access) => {
                let keys = self.keys(&access.keys, turn)?;
                into.extend(keys.map(|key| Operation::Lookup(access.var, key)));
            }
            Step::Hold(hold) => {
                let keys = self.keys(&hold.keys, turn)?;
                into.extend(keys.map(|key| Operation::Hold(hold.from, hold.into, key)));
            }
            Step::Release(Release { var, count: Some(count) }) => {
                let shown = self.shown(*count)?;
                into.extend((0..shown).map(|_| Operation::Release(*var)));
            }
            Step::Alloc(alloc) => self.alloc(alloc, turn, into)?,
            Step::Garbage(garbage) => self.garbage(garbage, turn, into)?,
            Step::Call(call) => self.call(call, into)?,
            Step::Finalize(finalize) => self.finalize(finalize, into)?,
            Step::Get(get) => self.get(get, turn, into)?,
            Step::Put(put) => {
                let shown = self.shown(put.count)?;
                into.extend((0..shown).map(|_| Operation::Put(put)));
            }
            Step::Serve(serve) => self.serve(serve, into)?,
            Step::Stream(stream) => self.stream(stream, into)?,
            Step::Go(go) => {
                let shown = self.shown(go.count)?;
                into.push(Operation::Goroutines { count: go.count, shown, stack_bytes: go.stack_bytes });
            }
            Step::Exit(count) => into.push(Operation::Exit { count: *count, shown: self.shown(*count)? }),
            Step::Repeat(repeat) => self.repeat(repeat, into)?,
            Step::Parallel(tracks) => self.in_turns(tracks, turn, into)?,
            one => self.single(one, into)?,
        }
        Ok(())
    }

    fn call<'s>(&mut self, call: &'s Call, into: &mut Vec<Operation<'s>>) -> Result<(), TooMany> {
        match call.lies(self.version) {
            Lies::OnTheStack => {
                self.admit(1)?;
                into.push(Operation::Say(Event::OnTheStack { calls: call.count }));
            }
            Lies::OnTheHeap => {
                let shown = self.shown(call.count)?;
                into.extend((0..shown).map(|_| Operation::Garbage(call.object, call.written)));
            }
        }
        Ok(())
    }

    /// A step that is one thing.
    fn single<'s>(&mut self, step: &'s Step, into: &mut Vec<Operation<'s>>) -> Result<(), TooMany> {
        self.admit(1)?;
        match step {
            Step::Make(make) => into.push(Operation::Make(make.var, self.scale.count(make.hint))),
            Step::Range(var) => into.push(Operation::Range(*var)),
            Step::Clear(var) => into.push(Operation::Clear(*var)),
            Step::Rebuild(var) => into.push(Operation::Rebuild(*var)),
            Step::Drop(var) | Step::Release(Release { var, count: None }) => into.push(Operation::Drop(*var)),
            Step::Slice(slice) => into.push(Operation::Slice(slice)),
            Step::Sleep(duration_ns) => into.push(Operation::Sleep(*duration_ns)),
            Step::Compute(duration_ns) => {
                into.push(Operation::Say(Event::Compute { duration_ns: *duration_ns }));
            }
            Step::Gc => into.push(Operation::Gc),
            Step::FreeOsMemory => into.extend([Operation::Gc, Operation::Scavenge]),
            Step::SetGogc(gogc) => into.push(Operation::SetGogc(gogc.percent())),
            Step::SetMemoryLimit(limit) => into.push(Operation::SetMemoryLimit(limit.bytes())),
            Step::Snapshot(label) => into.push(Operation::Snapshot(label)),
            other => panic!("{} is not a single thing", other.name()),
        }
        Ok(())
    }

    /// How many of `count` things are shown, and counted as such.
    fn shown(&mut self, count: u64) -> Result<u64, TooMany> {
        let shown = self.scale.count(count);
        self.admit(shown)?;
        Ok(shown)
    }

    fn keys(&mut self, keys: &Keys, turn: u64) -> Result<impl Iterator<Item = u32> + use<>, TooMany> {
        let keys = self.scale.keys(keys);
        self.admit(keys.count())?;
        Ok(keys.iter(self.seed, turn))
    }

    fn insert<'s>(
        &mut self,
        step: &'s Insert,
        turn: u64,
        into: &mut Vec<Operation<'s>>,
    ) -> Result<(), TooMany> {
        let window = self.scale.keys(&step.keys);
        let keys = self.keys(&step.keys, turn)?;
        into.extend(keys.map(|key| Operation::Insert { step, key, evicted: window.evicted_by(key) }));
        Ok(())
    }

    fn alloc<'s>(
        &mut self,
        step: &'s Alloc,
        turn: u64,
        into: &mut Vec<Operation<'s>>,
    ) -> Result<(), TooMany> {
        let shown = match step.shape {
            Shape::InPlace => {
                self.admit(1)?;
                into.push(Operation::Array(step, self.scale.count(step.count)));
                return Ok(());
            }
            Shape::One => 1,
            _ => self.shown(step.count)?,
        };
        if matches!(step.shape, Shape::Slice(Backing::Presized) | Shape::Graph { .. }) {
            into.push(Operation::Presize(step.into, shown));
        }
        into.extend((0..shown).map(|number| Operation::Alloc { step, number }));
        if let Shape::Graph { degree, seed } = step.shape {
            self.admit(shown)?;
            let mut rng = SplitMix64::new(self.seed, seed, turn);
            for from in 0..shown {
                let targets = (0..degree).map(|_| rng.below(shown)).collect();
                into.push(Operation::Link { var: step.into, from, targets });
            }
        }
        Ok(())
    }

    fn garbage<'s>(
        &mut self,
        step: &'s Garbage,
        turn: u64,
        into: &mut Vec<Operation<'s>>,
    ) -> Result<(), TooMany> {
        let mut rng = SplitMix64::new(self.seed, step.seed, turn);
        let mut left = match step.amount {
            Amount::Count(count) => self.scale.count(count),
            Amount::Bytes(bytes) => self.scale.count(bytes),
        };
        while left > 0 {
            self.admit(1)?;
            let object = drawn(&step.mix, &mut rng).object;
            into.push(Operation::Garbage(object, step.written));
            left = left.saturating_sub(match step.amount {
                Amount::Count(_) => 1,
                Amount::Bytes(_) => object.size_bytes.max(1),
            });
        }
        Ok(())
    }

    fn finalize<'s>(&mut self, step: &'s Finalize, into: &mut Vec<Operation<'s>>) -> Result<(), TooMany> {
        // A chain is shown whole.
        let shown = self.scale.count(step.count).max(step.chain.min(step.count)).next_multiple_of(step.chain);
        let shown = shown.min(step.count);
        self.admit(shown)?;
        into.extend((0..shown).map(|number| Operation::Finalize { step, number }));
        Ok(())
    }

    fn get<'s>(
        &mut self,
        step: &'s PoolGet,
        turn: u64,
        into: &mut Vec<Operation<'s>>,
    ) -> Result<(), TooMany> {
        let shown = self.shown(step.count)?;
        let mut rng = SplitMix64::new(self.seed, step.seed, turn);
        for _ in 0..shown {
            into.push(Operation::Get(step, drawn(&step.mix, &mut rng).object.size_bytes));
        }
        Ok(())
    }

    fn serve<'s>(&mut self, step: &'s Serve, into: &mut Vec<Operation<'s>>) -> Result<(), TooMany> {
        let (requests, objects) = (step.requests(), step.garbage.as_ref().map_or(0, |garbage| garbage.count));
        let shown = self.scale.count(requests);
        let objects_shown = if shown < requests { objects.min(OBJECTS_OF_REQUEST) } else { objects };
        self.admit(shown.saturating_mul(objects_shown + 1))?;
        into.push(Operation::Say(Event::Serve { requests, shown, objects, objects_shown }));
        let request = |number| Operation::Request { step, number, objects: objects_shown };
        into.extend((0..shown).map(request));
        Ok(())
    }

    /// Objects in the order of the ticks, one of so many each.
    fn stream<'s>(&mut self, step: &'s Stream, into: &mut Vec<Operation<'s>>) -> Result<(), TooMany> {
        let totals = step.totals(self.seed);
        let shown = self.scale.count(totals.made);
        self.admit(shown)?;
        into.push(Operation::Say(Event::Stream { duration_ns: step.duration_ns, made: totals.made, shown }));
        if let Some(kept) = &step.kept {
            into.push(Operation::Presize(kept.into, self.scale.count(totals.peak_kept) + 1));
        }
        let (mut garbage, mut kept, mut dropped) = (0, 0, 0);
        for tick in step.ticks(self.seed) {
            let due = |sum: &mut u64, more: u64| {
                let before = *sum / self.scale.factor;
                *sum += more;
                *sum / self.scale.factor - before
            };
            let variable = step.kept.as_ref().map(|kept| kept.into);
            let drops = due(&mut dropped, tick.dropped);
            into.extend((0..drops).filter_map(|_| variable.map(Operation::Release)));
            let object = step.part.object;
            let keeps = due(&mut kept, tick.kept);
            into.extend((0..keeps).filter_map(|_| variable.map(|var| Operation::Kept(var, object))));
            let wastes = due(&mut garbage, tick.garbage);
            into.extend((0..wastes).map(|_| Operation::Garbage(object, Default::default())));
        }
        Ok(())
    }

    fn repeat<'s>(&mut self, repeat: &'s Repeat, into: &mut Vec<Operation<'s>>) -> Result<(), TooMany> {
        let shown = self.scale.turns(repeat.times);
        if shown < repeat.times {
            into.push(Operation::Say(Event::Repeat { times: repeat.times, shown }));
        }
        for turn in 0..shown {
            self.admit(1)?;
            repeat.steps.iter().try_for_each(|step| self.spell(step.as_ref(), turn, into))?;
        }
        Ok(())
    }

    /// Tracks that are not at the top: one thing of each at a time.
    fn in_turns<'s>(
        &mut self,
        tracks: &'s [Vec<Spanned<Step>>],
        turn: u64,
        into: &mut Vec<Operation<'s>>,
    ) -> Result<(), TooMany> {
        let mut queues = Vec::new();
        for steps in tracks {
            let mut operations = Vec::new();
            steps.iter().try_for_each(|step| self.spell(step.as_ref(), turn, &mut operations))?;
            queues.push(operations.into_iter());
        }
        loop {
            let before = into.len();
            into.extend(queues.iter_mut().filter_map(Iterator::next));
            if into.len() == before {
                return Ok(());
            }
        }
    }
}

/// One of a mix, by weight.
fn drawn<'m>(mix: &'m [MixPart], rng: &mut SplitMix64) -> &'m MixPart {
    if let [only] = mix {
        return only;
    }
    let weights = mix.iter().map(|part| u64::from(part.weight)).sum();
    let mut ticket = rng.below(weights);
    for part in mix {
        match ticket.checked_sub(u64::from(part.weight)) {
            Some(rest) => ticket = rest,
            None => return part,
        }
    }
    panic!("ticket {ticket} beyond {weights} weights")
}
