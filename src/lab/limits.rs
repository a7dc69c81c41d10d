//! What one request may use: a page on the net must not be able to stop the machine that answers it.
//!
//! Three fences, all of them counted and none timed, so that the same request always ends in the same place:
//!
//! 1. the request and its scenario have a longest length;
//! 2. before a run, every step is looked at: a single step may not ask for more memory or more uninterrupted work than the
//!    run could be stopped in;
//! 3. during a run, [`Allowance`] counts work and simulated memory.
//!
//! `gclab run` has none of these.

use toml::Spanned;

use crate::scenario::{Allowance, Scenario, Shape, Step};
use crate::units::{GIB, KIB, MIB};

/// What one request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request.
    pub request_bytes: usize,
    /// Bytes of a scenario.
    pub scenario_bytes: usize,
    /// Points of one series.
    pub points: usize,
    /// GC cycles in an answer.
    pub cycles: usize,
    /// Snapshots in an answer.
    pub snapshots: usize,
    /// Bytes of one simulated object.
    pub object_bytes: u64,
    /// Entries that one map is made for.
    pub hint: u64,
    /// Goroutines that one step starts.
    pub goroutines: u64,
    /// Bytes of the stacks of those.
    pub stacks_bytes: u64,
    /// Objects that one request of a `serve` makes.
    pub objects_per_request: u64,
    /// Work and memory of a run.
    pub allowance: Allowance,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            request_bytes: 256 * KIB as usize,
            scenario_bytes: 64 * KIB as usize,
            points: 4000,
            cycles: 400,
            snapshots: 400,
            object_bytes: 512 * MIB,
            hint: 16_000_000,
            goroutines: 200_000,
            stacks_bytes: 2 * GIB,
            objects_per_request: 10_000,
            allowance: Allowance { work: 1_000_000, sys_bytes: 2 * GIB },
        }
    }
}

/// A step that asks for too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooMuch {
    /// Where the step begins, in bytes of the text.
    pub at: usize,
    /// What it asks for and what it may, in one sentence without a full stop.
    pub message: String,
}

impl Limits {
    /// Looks at every step of a scenario.
    ///
    /// # Errors
    /// The first step that asks for too much.
    pub fn admit(&self, scenario: &Scenario) -> Result<(), TooMuch> {
        self.admit_all(&scenario.steps)
    }

    fn admit_all(&self, steps: &[Spanned<Step>]) -> Result<(), TooMuch> {
        for step in steps {
            match step.as_ref() {
                Step::Repeat(repeat) => self.admit_all(&repeat.steps)?,
                Step::Parallel(tracks) => tracks.iter().try_for_each(|track| self.admit_all(track))?,
                one => self.admit_one(one).map_err(|message| TooMuch { at: step.span().start, message })?,
            }
        }
        Ok(())
    }

    fn admit_one(&self, step: &Step) -> Result<(), String> {
        for (what, asked, limit) in self.demands(step) {
            if asked > limit {
                return Err(format!("{asked} {what} are more than this page simulates: at most {limit}"));
            }
        }
        Ok(())
    }

    /// What a step asks for at once: in which unit, how much, and how much it may.
    fn demands(&self, step: &Step) -> Vec<(&'static str, u64, u64)> {
        let object = |bytes: u64| ("bytes in one object", bytes, self.object_bytes);
        match step {
            Step::Make(make) => vec![("entries to make room for", make.hint, self.hint)],
            Step::Alloc(alloc) => vec![
                object(alloc.object.size_bytes),
                object(match alloc.shape {
                    Shape::InPlace => alloc.object.size_bytes.saturating_mul(alloc.count),
                    Shape::Slice(_) | Shape::Graph { .. } => alloc.count.saturating_mul(8),
                    Shape::One | Shape::List | Shape::Tree => 0,
                }),
            ],
            Step::Garbage(garbage) => garbage.mix.iter().map(|part| object(part.object.size_bytes)).collect(),
            Step::Get(get) => get.mix.iter().map(|part| object(part.object.size_bytes)).collect(),
            Step::Call(call) => vec![object(call.object.size_bytes)],
            Step::Finalize(finalize) => vec![object(finalize.object.size_bytes)],
            Step::Go(go) => vec![
                ("goroutines", go.count, self.goroutines),
                ("bytes of stacks", go.count.saturating_mul(go.stack_bytes), self.stacks_bytes),
            ],
            Step::Serve(serve) => serve
                .garbage
                .iter()
                .flat_map(|garbage| {
                    let objects = ("objects in one request", garbage.count, self.objects_per_request);
                    [objects, object(garbage.part.object.size_bytes)]
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(steps: &str) -> Option<String> {
        let text = format!(
            "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\n\
             vars = {{ m = \"map[int]int\", s = \"[]int\" }}\nsteps = [ {steps} ]"
        );
        let scenario = Scenario::parse("x.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        Limits::default().admit(&scenario).err().map(|too_much| {
            assert!(text[too_much.at..].starts_with('{'), "{}", &text[too_much.at..]);
            too_much.message
        })
    }

    #[test]
    fn a_step_that_asks_for_too_much_at_once_is_refused_before_the_run() {
        assert_eq!(refused("{ make = { var = \"m\", hint = 1_000_000 } }"), None);
        let message = refused("{ make = { var = \"m\", hint = 1_000_000_000 } }").expect("refused");
        assert_eq!(
            message,
            "1000000000 entries to make room for are more than this page simulates: at most 16000000"
        );
        let inner = refused("{ repeat = { times = 2, steps = [ { go = { count = 10_000_000 } } ] } }");
        assert!(inner.expect("refused").contains("goroutines"));
        let large = refused("{ alloc = { into = \"s\", count = 1_000_000_000 } }");
        assert!(large.expect("refused").contains("bytes in one object"));
    }
}
