//! `serve`: request load, as a step and as it is read.
//!
//! Requests are due at times that do not depend on how fast they are served (an *open loop*): at equal intervals, or at
//! random with exponentially distributed intervals. Each worker is a goroutine that takes the next request, waits until it
//! is due - busily, as a poller does, so that no timer is measured - and serves it. The latency of a request is from
//! when it was due to when it was done, queueing included.

use super::parse::Parser;
use super::reader::{Node, Table};
use super::splitmix64::SplitMix64;
use super::zipf::ln;
use super::{GoType, MixPart, Step, Typed, VarId};
use crate::units::SECOND_NS;

/// Most requests of one step. Our limit.
const REQUESTS_LIMIT: u64 = 100_000_000;
/// Most requests a second. Our limit.
const RATE_LIMIT: u64 = 10_000_000;
/// Most workers. Our limit.
const WORKERS_LIMIT: u64 = 64;
/// Most objects that a request makes and drops. Our limit.
const OBJECTS_LIMIT: u64 = 100_000;
/// Longest load: a day. Our limit.
const DURATION_LIMIT_NS: u64 = 24 * 3600 * SECOND_NS;

/// Request load.
#[derive(Clone, Debug, PartialEq)]
pub struct Serve {
    /// For how long requests are due, in nanoseconds.
    pub duration_ns: u64,
    /// Requests a second.
    pub rate: u64,
    /// When they are due.
    pub arrival: Arrival,
    /// Goroutines that serve them.
    pub workers: u64,
    /// CPU time of each request beside its allocations, in nanoseconds.
    pub cpu_ns: u64,
    /// What each request makes and drops when it is done; `None` is nothing.
    pub garbage: Option<RequestGarbage>,
    /// A slice of pointers; each request replaces its oldest element by a new object.
    pub session: Option<Session>,
    /// Distinguishes the arrivals from another step's draws.
    pub seed: u64,
}

/// Objects that a request drops.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestGarbage {
    /// How many.
    pub count: u64,
    /// Each of them; the weight means nothing.
    pub part: MixPart,
}

/// What a request keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The slice.
    pub into: VarId,
    /// What its elements point to.
    pub object: Typed,
}

/// When requests are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrival {
    /// `"fixed"`: at equal intervals; the default.
    #[default]
    Fixed,
    /// `"poisson"`: independently of each other.
    Poisson,
}

impl Serve {
    /// How many requests there are.
    pub fn requests(&self) -> u64 {
        (u128::from(self.duration_ns) * u128::from(self.rate) / u128::from(SECOND_NS)) as u64
    }

    /// Mean interval between two requests, in nanoseconds.
    pub fn interval_ns(&self) -> f64 {
        SECOND_NS as f64 / self.rate as f64
    }
}

/// The times at which the requests of one turn of a step are due, in nanoseconds since its beginning.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    left: u64,
    number: u64,
    interval_ns: f64,
    arrival: Arrival,
    at_ns: f64,
    rng: SplitMix64,
}

impl Arrivals {
    pub(super) fn new(serve: &Serve, run_seed: u64, turn: u64) -> Arrivals {
        Arrivals {
            left: serve.requests(),
            number: 0,
            interval_ns: serve.interval_ns(),
            arrival: serve.arrival,
            at_ns: 0.0,
            rng: SplitMix64::new(run_seed, serve.seed, turn),
        }
    }
}

impl Iterator for Arrivals {
    /// Number of the request, and when it is due.
    type Item = (u64, f64);

    fn next(&mut self) -> Option<(u64, f64)> {
        self.left = self.left.checked_sub(1)?;
        self.number += 1;
        self.at_ns += match self.arrival {
            Arrival::Fixed => self.interval_ns,
            Arrival::Poisson => {
                // A number above 0 and up to 1, from the upper 53 bits.
                let uniform = ((self.rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
                -ln(uniform) * self.interval_ns
            }
        };
        Some((self.number - 1, self.at_ns))
    }
}

impl Parser {
    pub(super) fn serve(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Step> {
        let duration = table.need("duration", "duration = \"3s\"", &mut self.log);
        let duration_ns = duration.and_then(|node| node.nanos(DURATION_LIMIT_NS, &mut self.log));
        let rate = self.need_whole(table, "rate", 1..=RATE_LIMIT);
        let arrivals = [("fixed", Arrival::Fixed), ("poisson", Arrival::Poisson)];
        let arrival =
            table.take("arrival").map_or(Some(Arrival::Fixed), |node| node.choice(&arrivals, &mut self.log));
        let workers = self.optional_whole(table, "workers", 1..=WORKERS_LIMIT, 1);
        let cpu_ns = table.take("cpu").map_or(Some(0), |node| node.nanos(SECOND_NS, &mut self.log));
        let garbage = self.request_garbage(table, node);
        let session = match table.take("session") {
            None => Some(None),
            Some(node) => self.session(&node).map(Some),
        };
        let seed = self.seed(table);
        let serve = Serve {
            duration_ns: duration_ns?,
            rate: rate?,
            arrival: arrival?,
            workers: workers?,
            cpu_ns: cpu_ns?,
            garbage: garbage?,
            session: session?,
            seed: seed?,
        };
        if serve.requests() == 0 || serve.requests() > REQUESTS_LIMIT {
            let reason = format!("{} requests", serve.requests());
            node.wrong(reason, "a rate and a duration that make 1 to 100_000_000 requests", &mut self.log);
            return None;
        }
        Some(Step::Serve(serve))
    }

    fn request_garbage(&mut self, table: &mut Table<'_>, node: &Node<'_>) -> Option<Option<RequestGarbage>> {
        let count = table.take("objects").map(|node| node.whole(1..=OBJECTS_LIMIT, &mut self.log));
        match (count, self.object(table)?) {
            (None, None) => Some(None),
            (Some(count), Some(Typed { go_type, layout })) => {
                let part = MixPart { object: layout.object(), go_type, weight: 1 };
                Some(Some(RequestGarbage { count: count?, part }))
            }
            _ => {
                let accepted = "both objects = 20 and size = \"256B\" (or type = \"Node\"), or neither";
                node.wrong("what does a request make?", accepted, &mut self.log);
                None
            }
        }
    }

    fn session(&mut self, node: &Node<'_>) -> Option<Session> {
        let (into, element) = self.slice(node)?;
        let GoType::Pointer(target) = &element.go_type else {
            let reason = format!("elements of type {} cannot be replaced by new objects", element.go_type);
            node.wrong(reason, "a slice of pointers, such as []*Session", &mut self.log);
            return None;
        };
        let object = self.typed(target, node)?;
        Some(Session { into, object })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arrival: Arrival) -> Serve {
        Serve {
            duration_ns: 10 * SECOND_NS,
            rate: 1_000,
            arrival,
            workers: 1,
            cpu_ns: 0,
            garbage: None,
            session: None,
            seed: 3,
        }
    }

    #[test]
    fn requests_are_due_at_their_rate() {
        let fixed: Vec<f64> = Arrivals::new(&serve(Arrival::Fixed), 1, 0).map(|(_, at_ns)| at_ns).collect();
        assert_eq!((fixed.len(), fixed[0], fixed[1]), (10_000, 1e6, 2e6));
        let random: Vec<f64> =
            Arrivals::new(&serve(Arrival::Poisson), 1, 0).map(|(_, at_ns)| at_ns).collect();
        let last_s = random.last().unwrap() / 1e9;
        assert!((9.7..10.3).contains(&last_s), "10,000 requests at 1,000 a second took {last_s} s");
        assert!(random.is_sorted());
        let long = random.windows(2).filter(|pair| pair[1] - pair[0] > 1e6).count();
        assert!((3_500..3_860).contains(&long), "{long} intervals above the mean, expected 3,679");
    }
}
