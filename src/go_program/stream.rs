//! `stream` in Go: a `flow` of rates, and a closure that makes, keeps and drops.

use super::Helper;
use super::code::grouped;
use super::steps::{Body, duration};
use crate::scenario::{Rate, Stream, Written};

impl Body<'_, '_> {
    /// `follow(flow{ticks: 1_000, ...}, func(garbage, kept, dropped int) { ... })`.
    pub(super) fn stream(&mut self, step: &Stream) {
        self.types.need(Helper::Flow);
        let sink = self.sink();
        let none = Rate::Constant(0);
        let (keep, drop) = step.kept.as_ref().map_or((&none, &none), |kept| (&kept.keep, &kept.drop));
        self.streams += 1;
        let (born, died) = (format!("born{}", self.streams), format!("died{}", self.streams));
        if let Some(kept) = &step.kept {
            let name = self.name(kept.into);
            let element = self.types.text(self.element(kept.into));
            let len = grouped(step.totals(self.seed).peak_kept);
            self.code.line(&format!("{name} = make([]{element}, {len})"));
            self.code.line(&format!("{born}, {died} := 0, 0"));
        }
        self.code.open("follow(flow{");
        let rows = [
            ("ticks:", grouped(step.tick_count())),
            ("tick:", duration(step.tick_ns)),
            ("objectBytes:", grouped(step.part.object.size_bytes)),
            ("alloc:", rate(&step.alloc)),
            ("keep:", rate(keep)),
            ("drop:", rate(drop)),
        ];
        for (name, value) in rows {
            self.code.line(&format!("{name:12} {value},"));
        }
        let more = if step.kept.is_some() { "kept, dropped" } else { "_, _" };
        self.code.between(&format!("}}, func(garbage, {more} int) {{"));
        let object = self.types.new_object(&step.part.go_type, Written::All);
        if let Some(kept) = &step.kept {
            let name = self.name(kept.into);
            self.code.open("for ; dropped > 0; dropped-- {");
            self.code.line(&format!("{name}[{died}%len({name})] = nil"));
            self.code.line(&format!("{died}++"));
            self.code.close("}");
            self.code.open("for ; kept > 0; kept-- {");
            self.code.line(&format!("{name}[{born}%len({name})] = {object}"));
            self.code.line(&format!("{born}++"));
            self.code.close("}");
        }
        self.code.open("for ; garbage > 0; garbage-- {");
        self.drop_into(&sink, &step.part, Written::All);
        self.code.close("}");
        self.code.close("})");
    }
}

/// A rate as an expression.
fn rate(rate: &Rate) -> String {
    match rate {
        Rate::Constant(bytes) => format!("constant({})", grouped(*bytes)),
        Rate::Ramp { from, to, over_ns } => {
            format!("ramp({}, {}, {})", grouped(*from), grouped(*to), tight(*over_ns))
        }
        Rate::Step { from, to, at_ns } => {
            format!("stepUp({}, {}, {})", grouped(*from), grouped(*to), tight(*at_ns))
        }
        Rate::Oscillate { mean, amplitude, period_ns } => {
            format!("oscillate({}, {}, {})", grouped(*mean), grouped(*amplitude), tight(*period_ns))
        }
        Rate::Random { from, to, every_ns, seed } => {
            format!("random({}, {}, {}, {seed})", grouped(*from), grouped(*to), tight(*every_ns))
        }
        Rate::Sum(rates) => {
            let rates: Vec<String> = rates.iter().map(self::rate).collect();
            format!("sum({})", rates.join(", "))
        }
        Rate::Delay { by_ns, rate } => format!("delay({}, {})", tight(*by_ns), self::rate(rate)),
        Rate::Scale { by, rate } => format!("scale({by:?}, {})", self::rate(rate)),
    }
}

/// A duration among other arguments, where gofmt leaves out the spaces.
fn tight(ns: u64) -> String {
    duration(ns).replace(" * ", "*")
}
