//! `stream`: allocation, survival and death at rates that change with time.
//!
//! Time is cut into ticks. At the beginning of each the program drops the oldest objects it keeps, makes new ones, keeps
//! some of them, and then sleeps until the tick is over. How many objects each tick makes follows from the rates alone, not
//! from how fast the machine is: a program that cannot keep up does the work and lags behind.
//!
//! `objects up to tick i = round(sum over j <= i of rate(j * tick) * tick / object size)`

use super::parse::Parser;
use super::rate::{Rate, in_seconds};
use super::reader::{Node, Table};
use super::{GoType, MixPart, Step, VarId, VarType};

/// Longest stream: a day. Our limit.
pub(super) const LONGEST_NS: u64 = 24 * 3600 * 1_000_000_000;
/// Most ticks of a stream. Our limit.
const TICKS_LIMIT: u64 = 1_000_000;
/// The tick if none is given.
const DEFAULT_TICK_NS: u64 = 10_000_000;
/// Most objects that are kept at a time. Our limit: a backing array of 32 GiB.
const KEPT_LIMIT: u64 = 4 << 30;

/// Allocation that goes on for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// For how long, in nanoseconds.
    pub duration_ns: u64,
    /// Length of a tick in nanoseconds.
    pub tick_ns: u64,
    /// What is made: all objects are of this kind; the weight means nothing.
    pub part: MixPart,
    /// How much is allocated.
    pub alloc: Rate,
    /// What of it stays reachable, and for how long; `None` keeps nothing.
    pub kept: Option<Kept>,
}

/// What a stream keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// A slice of pointers; it is replaced by a ring with room for the most objects kept at a time.
    pub into: VarId,
    /// How much of what is allocated is kept; no more than is allocated.
    pub keep: Rate,
    /// How much of what is kept is dropped, oldest first.
    pub drop: Rate,
}

/// What is done in one tick, in objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Made and dropped at once.
    pub garbage: u64,
    /// Made and kept.
    pub kept: u64,
    /// Kept before and dropped now.
    pub dropped: u64,
}

impl Stream {
    /// How many ticks there are.
    pub fn tick_count(&self) -> u64 {
        self.duration_ns / self.tick_ns
    }

    /// The ticks in a run with `run_seed`.
    pub fn ticks(&self, run_seed: u64) -> Ticks<'_> {
        Ticks {
            stream: self,
            run_seed,
            number: 0,
            live: 0,
            alloc: Flow::default(),
            keep: Flow::default(),
            drop: Flow::default(),
        }
    }

    /// Most objects that are kept at a time, at least 1, and all that are made.
    pub fn totals(&self, run_seed: u64) -> Totals {
        let mut totals = Totals { peak_kept: 1, made: 0 };
        let mut live = 0;
        for tick in self.ticks(run_seed) {
            live = live - tick.dropped + tick.kept;
            totals.peak_kept = totals.peak_kept.max(live);
            totals.made += tick.garbage + tick.kept;
        }
        totals
    }
}

/// What a stream comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Most objects kept at a time, at least 1.
    pub peak_kept: u64,
    /// Objects made.
    pub made: u64,
}

/// The ticks of a stream, one after the other.
#[derive(Clone, Debug)]
pub struct Ticks<'s> {
    stream: &'s Stream,
    run_seed: u64,
    number: u64,
    live: u64,
    alloc: Flow,
    keep: Flow,
    drop: Flow,
}

/// Objects that a rate has come to.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    bytes: f64,
    objects: u64,
}

impl Flow {
    /// The objects of a tick of `tick_s` seconds at `rate` bytes a second.
    fn next(&mut self, rate: f64, tick_s: f64, object_bytes: u64) -> u64 {
        self.bytes += rate * tick_s;
        let objects = (self.bytes / object_bytes as f64 + 0.5) as u64;
        let new = objects - self.objects;
        self.objects = objects;
        new
    }
}

impl Iterator for Ticks<'_> {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let stream = self.stream;
        if self.number == stream.tick_count() {
            return None;
        }
        let tick_s = in_seconds(stream.tick_ns);
        let (seconds, bytes) = (self.number as f64 * tick_s, stream.part.object.size_bytes);
        self.number += 1;
        let made = self.alloc.next(stream.alloc.at(seconds, self.run_seed), tick_s, bytes);
        let Some(kept) = &stream.kept else { return Some(Tick { garbage: made, ..Tick::default() }) };
        let keep = self.keep.next(kept.keep.at(seconds, self.run_seed), tick_s, bytes).min(made);
        let dropped = self.drop.next(kept.drop.at(seconds, self.run_seed), tick_s, bytes).min(self.live);
        self.live = self.live - dropped + keep;
        Some(Tick { garbage: made - keep, kept: keep, dropped })
    }
}

impl Parser {
    /// `{ stream = { duration = "10s", size = "1KiB", alloc = "100MiB", into = "live", keep = "10MiB", drop = "10MiB" } }`.
    pub(super) fn stream(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let duration = table.need("duration", "duration = \"10s\"", &mut self.log);
        let duration_ns = duration.and_then(|node| node.nanos(LONGEST_NS, &mut self.log));
        let tick_node = table.take("tick");
        let tick_ns =
            tick_node.as_ref().map_or(Some(DEFAULT_TICK_NS), |node| node.nanos(LONGEST_NS, &mut self.log));
        let object = self.object(table);
        let alloc = table.need("alloc", "alloc = \"100MiB\", in bytes a second", &mut self.log);
        let alloc = alloc.and_then(|node| self.rate(&node));
        let kept = self.kept(table, node);
        let (duration_ns, tick_ns) = (duration_ns?, tick_ns?);
        if tick_ns == 0 || tick_ns > duration_ns || duration_ns / tick_ns > TICKS_LIMIT {
            let at = tick_node.as_ref().unwrap_or(node);
            let accepted = format!("a tick that cuts the duration into 1 to {TICKS_LIMIT} parts");
            at.wrong("ticks do not fit the duration", &accepted, &mut self.log);
            return None;
        }
        let Some(object) = object? else {
            node.wrong("a stream of what?", "size = \"1KiB\" or type = \"Node\"", &mut self.log);
            return None;
        };
        let (alloc, (kept, element)) = (alloc?, kept?);
        if let Some(element) = element.filter(|element| *element != object.go_type) {
            let reason = format!("objects of type {} do not fit a slice of *{element}", object.go_type);
            node.wrong(reason, &format!("type = \"{element}\""), &mut self.log);
            return None;
        }
        let part = MixPart { object: object.layout.object(), go_type: object.go_type, weight: 1 };
        let stream = Stream { duration_ns, tick_ns, part, alloc, kept };
        let totals = stream.totals(0);
        if totals.peak_kept > KEPT_LIMIT {
            let reason = format!("{} objects would be kept", totals.peak_kept);
            node.wrong(reason, &format!("up to {KEPT_LIMIT} at a time"), &mut self.log);
            return None;
        }
        Some(Step::Stream(stream))
    }

    /// `into`, `keep` and `drop`, with the type that the slice's elements point to.
    fn kept(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<(Option<Kept>, Option<GoType>)> {
        let (into, keep, drop) = (table.take("into"), table.take("keep"), table.take("drop"));
        let keep = keep.map(|node| self.rate(&node));
        let drop = drop.map(|node| self.rate(&node)).unwrap_or(Some(Rate::Constant(0)));
        let (into, keep) = match (into, keep) {
            (None, None) => return Some((None, None)),
            (Some(into), Some(keep)) => (into, keep?),
            _ => {
                let accepted = "both into = \"live\" and keep = \"10MiB\", or neither";
                node.wrong("what is kept, and where?", accepted, &mut self.log);
                return None;
            }
        };
        let (var, element) = self.slice(&into)?;
        let GoType::Pointer(target) = element.go_type else {
            let slice = VarType::Slice { element };
            into.wrong(
                format!("a {slice} does not keep objects"),
                "a slice of pointers: []*Node",
                &mut self.log,
            );
            return None;
        };
        Some((Some(Kept { into: var, keep, drop: drop? }), Some(*target)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::object::Layout;
    use crate::units::SECOND_NS;

    fn stream(alloc: Rate, keep: Rate, drop: Rate) -> Stream {
        let byte = GoType::parse("byte").unwrap();
        let part =
            MixPart { object: Layout::noscan(1000), go_type: GoType::Array(1000, Box::new(byte)), weight: 1 };
        let kept = Some(Kept { into: VarId(0), keep, drop });
        Stream { duration_ns: SECOND_NS, tick_ns: 10_000_000, part, alloc, kept }
    }

    #[test]
    fn ticks_add_up_to_the_rates() {
        let stream = stream(Rate::Constant(123_456), Rate::Constant(50_000), Rate::Constant(20_000));
        let sum = |count: fn(&Tick) -> u64| stream.ticks(1).map(|tick| count(&tick)).sum::<u64>();
        assert_eq!(stream.ticks(1).count(), 100);
        assert_eq!(sum(|tick| tick.garbage + tick.kept), 123);
        assert_eq!(stream.totals(1), Totals { peak_kept: 30, made: 123 });
        assert_eq!((sum(|tick| tick.kept), sum(|tick| tick.dropped)), (50, 20));
    }

    #[test]
    fn no_more_is_kept_than_made_and_no_more_dropped_than_kept() {
        let greedy = stream(Rate::Constant(100_000), Rate::Constant(900_000), Rate::Constant(0));
        assert!(greedy.ticks(1).all(|tick| tick.garbage == 0));
        assert_eq!(greedy.totals(1).peak_kept, 100);
        let deadly = stream(Rate::Constant(100_000), Rate::Constant(10_000), Rate::Constant(900_000));
        let (kept, dropped) =
            deadly.ticks(1).fold((0, 0), |(kept, dropped), tick| (kept + tick.kept, dropped + tick.dropped));
        assert!(kept == 10 && dropped <= kept, "{kept} {dropped}");
    }
}
