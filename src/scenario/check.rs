//! The program as a whole: what no single step can know.
//!
//! The steps are walked in order with what is known of every variable:
//! - an insert needs a map that has been made (in Go: a panic on a nil map), a rebuild and a hold as well;
//! - snapshot labels are unique, so that a row can be found by its name;
//! - no more goroutines exit than wait;
//! - two tracks of a `parallel` do not use one map unless both only read (in Go: a fatal error);
//! - keys fit their type and stay below [`KEY_LIMIT`] in every turn of a `repeat`;
//! - the whole is bounded: rows, steps, operations and virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use indexmap::IndexMap;
use toml::Spanned;

use super::keys::KEY_LIMIT;
use super::mistake::Log;
use super::reader::grouped;
use super::{GoType, InsertValue, Step, VarId, VarType};
use crate::units::SECOND_NS;

/// Most rows that a run may print. Our limit.
const SNAPSHOTS_LIMIT: u64 = 10_000;
/// Most steps that a run may carry out. Our limit.
const TURNS_LIMIT: u64 = 10_000_000;
/// Most elementary operations (entries, objects) of a run. Our limit: minutes of real time.
const OPERATIONS_LIMIT: u64 = 10_000_000_000;
/// Longest virtual time that sleeps and computations may add up to: ten years. Our limit.
const TIME_LIMIT_NS: u64 = 10 * 365 * 24 * 3600 * SECOND_NS;

/// Walks the program and reports what is wrong with it as a whole.
pub(super) fn check(
    steps: &[Spanned<Step>],
    vars: &IndexMap<String, VarType>,
    uncertain: &BTreeSet<VarId>,
    paths: &BTreeMap<usize, String>,
    log: &mut Log,
) {
    let mut checker =
        Checker { vars, uncertain, paths, log, labels: BTreeMap::new(), totals: Totals::default() };
    checker.walk(steps, &mut State::default(), Place { turns: 1, tracks: Tracks::Outside });
}

struct Checker<'c> {
    vars: &'c IndexMap<String, VarType>,
    uncertain: &'c BTreeSet<VarId>,
    /// Where each step begins, and its path of keys.
    paths: &'c BTreeMap<usize, String>,
    log: &'c mut Log,
    /// Labels and where they were first.
    labels: BTreeMap<String, Range<usize>>,
    totals: Totals,
}

/// What is known of the program's state between two steps.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    made: BTreeSet<VarId>,
    goroutines: u64,
    /// Buffers of each pool that the goroutine has got and not put back.
    taken: BTreeMap<VarId, u64>,
}

/// Sums over the whole run.
#[derive(Debug, Default)]
struct Totals {
    snapshots: u64,
    turns: u64,
    operations: u64,
    time_ns: u64,
}

#[derive(Clone, Copy)]
struct Place {
    /// How often the steps here run.
    turns: u64,
    tracks: Tracks,
}

#[derive(Clone, Copy, PartialEq)]
enum Tracks {
    Outside,
    Inside,
}

impl Checker<'_> {
    fn walk(&mut self, steps: &[Spanned<Step>], state: &mut State, place: Place) {
        for step in steps {
            self.step(step, state, place);
        }
    }

    fn step(&mut self, spanned: &Spanned<Step>, state: &mut State, place: Place) {
        let (step, span) = (spanned.get_ref(), spanned.span());
        self.count(step, &span, place);
        self.check_keys(step, &span, place);
        match step {
            Step::Make(make) => drop(state.made.insert(make.var)),
            Step::Alloc(alloc) => drop(state.made.insert(alloc.into)),
            Step::Drop(var) => drop(state.made.remove(var)),
            Step::Insert(insert) => {
                self.need_made(insert.var, step, &span, state);
                if let InsertValue::Shared(from) = insert.value {
                    self.need_made(from, step, &span, state);
                }
            }
            Step::Rebuild(var) => self.need_made(*var, step, &span, state),
            Step::Serve(serve) => {
                if let Some(session) = &serve.session {
                    self.need_made(session.into, step, &span, state);
                }
                if place.tracks == Tracks::Inside {
                    self.report(
                        &span,
                        "a track cannot have workers",
                        "serve outside parallel, with more workers",
                    );
                }
            }
            Step::Stream(_) => state.made.extend(step.vars()),
            Step::Slice(slice) => {
                self.need_made(slice.from, step, &span, state);
                state.made.insert(slice.into);
            }
            Step::Hold(hold) => {
                self.need_made(hold.from, step, &span, state);
                state.made.insert(hold.into);
            }
            Step::Release(release) => {
                self.need_made(release.var, step, &span, state);
                if release.count.is_none() {
                    state.made.remove(&release.var);
                }
            }
            Step::Get(get) => {
                let taken = state.taken.entry(get.pool).or_insert(0);
                *taken = taken.saturating_add(get.count);
            }
            Step::Put(put) => {
                let taken = state.taken.entry(put.pool).or_insert(0);
                let missing = put.count.saturating_sub(*taken);
                let before = std::mem::replace(taken, taken.saturating_sub(put.count));
                if missing > 0 {
                    let reason = format!(
                        "{} buffers cannot be put back: only {} were got here before",
                        grouped(put.count),
                        grouped(before)
                    );
                    self.report(&span, reason, "as many as get steps of the same goroutine have taken");
                }
            }
            Step::Go(go) => state.goroutines = state.goroutines.saturating_add(go.count),
            Step::Exit(count) => {
                if *count > state.goroutines && place.tracks == Tracks::Outside {
                    let reason = format!(
                        "{} goroutines cannot exit: only {} wait here",
                        grouped(*count),
                        grouped(state.goroutines)
                    );
                    self.report(&span, reason, "as many as go steps have started before");
                }
                state.goroutines = state.goroutines.saturating_sub(*count);
            }
            Step::Snapshot(label) => self.label(label, span),
            Step::Repeat(repeat) => {
                let inside = Place { turns: place.turns.saturating_mul(repeat.times), ..place };
                let before = state.clone();
                self.walk(&repeat.steps, state, inside);
                let started = state.goroutines.saturating_sub(before.goroutines);
                for (pool, taken) in &mut state.taken {
                    let first = before.taken.get(pool).copied().unwrap_or(0);
                    *taken += taken.saturating_sub(first).saturating_mul(repeat.times - 1);
                }
                if repeat.times > 1 && *state != before {
                    self.second_turn(&repeat.steps, state, inside);
                }
                if started > 0 {
                    state.goroutines = before.goroutines.saturating_add(started.saturating_mul(repeat.times));
                }
            }
            Step::Parallel(tracks) => self.parallel(tracks, &span, state, place),
            _ => {}
        }
    }

    /// A loop's second turn starts with what the first left: a map that it dropped is nil.
    fn second_turn(&mut self, steps: &[Spanned<Step>], state: &mut State, place: Place) {
        let totals = std::mem::take(&mut self.totals);
        let labels = std::mem::take(&mut self.labels);
        self.walk(steps, state, place);
        self.totals = totals;
        self.labels = labels;
    }

    fn parallel(
        &mut self,
        tracks: &[Vec<Spanned<Step>>],
        span: &Range<usize>,
        state: &mut State,
        place: Place,
    ) {
        if place.tracks == Tracks::Inside {
            self.report(span, "tracks cannot have tracks", "one parallel step with more tracks");
            return;
        }
        // Readers and writers of each variable, by track.
        let mut uses: BTreeMap<VarId, (BTreeSet<usize>, BTreeSet<usize>)> = BTreeMap::new();
        let before = state.clone();
        for (index, track) in tracks.iter().enumerate() {
            let mut own = State { taken: BTreeMap::new(), ..before.clone() };
            self.walk(track, &mut own, Place { tracks: Tracks::Inside, ..place });
            state.made.extend(&own.made);
            state.goroutines =
                state.goroutines.saturating_add(own.goroutines.saturating_sub(before.goroutines));
            note_uses(track, index, &mut uses);
        }
        for (var, (readers, writers)) in uses {
            let users = readers.union(&writers).count();
            let (name, var_type) = self.vars.get_index(var.0).expect("a VarId is an index of vars");
            if users > 1 && !writers.is_empty() && !var_type.is_concurrent() {
                let reason = format!(
                    "{name} is written in one track and used in another, which Go forbids without a lock"
                );
                self.report(span, reason, "a variable of its own for each track");
            }
        }
    }

    fn need_made(&mut self, var: VarId, step: &Step, span: &Range<usize>, state: &mut State) {
        let (name, var_type) = self.vars.get_index(var.0).expect("a VarId is an index of vars");
        if state.made.contains(&var) || self.uncertain.contains(&var) || var_type.is_ready() {
            return;
        }
        let reason = match step {
            Step::Insert(insert) if insert.var == var => {
                format!("{name} is nil here: Go panics with \"assignment to entry in nil map\"")
            }
            _ => format!("{name} is nil here: there is nothing in it"),
        };
        let accepted = match var_type {
            VarType::Map { .. } | VarType::Locked { .. } => {
                format!("{{ make = {{ var = \"{name}\" }} }} before it")
            }
            _ => format!("a step before it that fills {name}: alloc or hold"),
        };
        self.report(span, reason, &accepted);
        // One report is enough.
        state.made.insert(var);
    }

    fn label(&mut self, label: &str, span: Range<usize>) {
        if let Some(first) = self.labels.get(label) {
            if *first != span {
                let reason = format!("there is a snapshot \"{label}\" already");
                self.report(&span, reason, "labels that differ");
            }
            return;
        }
        self.labels.insert(label.to_owned(), span);
    }

    fn check_keys(&mut self, step: &Step, span: &Range<usize>, place: Place) {
        let Some(keys) = step.keys() else { return };
        let limit = keys.limit(place.turns);
        if limit > KEY_LIMIT {
            let reason =
                format!("in the last of {} turns the keys go beyond the largest key", grouped(place.turns));
            let accepted = format!("a smaller shift or fewer turns: keys stay below {}", grouped(KEY_LIMIT));
            self.report(span, reason, &accepted);
            return;
        }
        let map = step.vars()[0];
        if let VarType::Map { key, .. } = &self.vars[map.0]
            && let Some(values) = key_values(&key.go_type)
            && limit > values
        {
            let reason = format!("a key of type {} has no value {}", key.go_type, grouped(limit - 1));
            let accepted = format!("keys below {}, or a larger key type", grouped(values));
            self.report(span, reason, &accepted);
        }
    }

    /// Adds the step to the totals and reports the step with which a bound is passed.
    fn count(&mut self, step: &Step, span: &Range<usize>, place: Place) {
        let mut totals = std::mem::take(&mut self.totals);
        let turns = place.turns;
        let mut bound = |total: &mut u64, more: u64, limit: u64, what: &str| {
            let before = *total;
            *total = total.saturating_add(more.saturating_mul(turns));
            if before <= limit && *total > limit {
                let reason = format!("with this step the run has {} {what}", grouped(*total));
                self.report(span, reason, &format!("up to {} {what} in a run", grouped(limit)));
            }
        };
        bound(&mut totals.turns, 1, TURNS_LIMIT, "steps");
        bound(&mut totals.operations, step.operations(), OPERATIONS_LIMIT, "operations");
        match step {
            Step::Snapshot(_) => bound(&mut totals.snapshots, 1, SNAPSHOTS_LIMIT, "snapshots"),
            Step::Serve(serve) => {
                bound(&mut totals.time_ns, serve.duration_ns, TIME_LIMIT_NS, "nanoseconds of virtual time");
            }
            Step::Stream(stream) => {
                bound(&mut totals.time_ns, stream.duration_ns, TIME_LIMIT_NS, "nanoseconds of virtual time");
            }
            Step::Sleep(ns) | Step::Compute(ns) => {
                bound(&mut totals.time_ns, *ns, TIME_LIMIT_NS, "nanoseconds of virtual time");
            }
            _ => {}
        }
        self.totals = totals;
    }

    fn report(&mut self, span: &Range<usize>, reason: impl Into<String>, accepted: &str) {
        let path = self.paths.get(&span.start).map_or("", String::as_str);
        self.log.report(span.clone(), path, reason, accepted);
    }
}

/// Collects which track reads and which writes each variable.
fn note_uses(
    steps: &[Spanned<Step>],
    track: usize,
    uses: &mut BTreeMap<VarId, (BTreeSet<usize>, BTreeSet<usize>)>,
) {
    for step in steps {
        let step = step.get_ref();
        for (position, var) in step.vars().into_iter().enumerate() {
            let (readers, writers) = uses.entry(var).or_default();
            // Of two variables, insert writes its first and reads its second; hold the other way round.
            let writes = match step {
                Step::Lookup(_) | Step::Range(_) => false,
                Step::Insert(_) => position == 0,
                Step::Hold(_) | Step::Slice(_) => position == 1,
                _ => true,
            };
            let set = if writes { writers } else { readers };
            set.insert(track);
        }
        match step {
            Step::Repeat(repeat) => note_uses(&repeat.steps, track, uses),
            Step::Parallel(tracks) => tracks.iter().for_each(|steps| note_uses(steps, track, uses)),
            _ => {}
        }
    }
}

/// How many different keys a small type has; `None` when there are more than there are identities.
fn key_values(go_type: &GoType) -> Option<u64> {
    match go_type {
        GoType::EmptyStruct => Some(1),
        GoType::Basic(basic) => match basic.name {
            "bool" => Some(2),
            "int8" => Some(1 << 7),
            "uint8" => Some(1 << 8),
            "int16" => Some(1 << 15),
            "uint16" => Some(1 << 16),
            "int32" => Some(1 << 31),
            _ => None,
        },
        GoType::Array(0, _) => Some(1),
        _ => None,
    }
}
