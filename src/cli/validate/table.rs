//! A cell in words and tables: every number of both sides, what missed, and who is faster.

use std::fmt::Write;

use comfy_table::{Attribute, Cell, CellAlignment, Color};

use super::super::table::{limit_text, new_table, trim};
use super::super::terminal::Colour;
use crate::oracle::report::{error_text, value_text};
use crate::oracle::{CellReport, Class, Cycles, Judged, Verdict};
use crate::units::Nanos;

/// The promise: so many times as fast as real Go.
const PROMISE: f64 = 10.0;
/// So many collections are shown one by one.
const CYCLES_SHOWN: usize = 12;

/// `GOGC 100, GOMEMLIMIT off, GOMAXPROCS 2`.
pub(super) fn settings(report: &CellReport) -> String {
    let config = &report.config;
    format!("GOGC {}, GOMEMLIMIT {}, GOMAXPROCS {}", config.gogc_text(), limit_text(config), config.procs)
}

/// Everything about a cell.
pub(super) fn table(report: &CellReport, colour: Colour) -> String {
    let mut text = heading(report);
    let rows: Vec<&Judged> = report.judged.iter().collect();
    let _ = writeln!(text, "{}\n", judged_table(&rows, colour));
    text.push_str(&cycles(&report.cycles, colour));
    text.push_str(&conclusion(report));
    text.push('\n');
    text
}

/// A cell's misses, and how many numbers there were.
pub(super) fn misses(report: &CellReport, colour: Colour) -> String {
    let mut text = heading(report);
    let rows: Vec<&Judged> = report.misses().collect();
    if !rows.is_empty() {
        let _ = writeln!(text, "{}", judged_table(&rows, colour));
    }
    text.push_str(&conclusion(report));
    text.push('\n');
    text
}

fn heading(report: &CellReport) -> String {
    let runs = if report.runs == 1 {
        "1 real run: whether real Go repeats itself is not known".to_owned()
    } else {
        format!("{} real runs", report.runs)
    };
    format!("{}\n{} with {}, {}; {runs}\n", report.title, report.scenario, report.go, settings(report))
}

fn judged_table(rows: &[&Judged], colour: Colour) -> String {
    let mut table = new_table(colour);
    let names = ["snapshot", "metric", "real", "min - max", "simulated", "error", "class", ""];
    table.set_header(names.map(|name| head(name, colour)));
    let mut last: Option<&Option<String>> = None;
    for judged in rows {
        let label = match &judged.snapshot {
            _ if last == Some(&judged.snapshot) => String::new(),
            Some(label) => label.clone(),
            None => "whole run".to_owned(),
        };
        last = Some(&judged.snapshot);
        let value = |value: f64| value_text(judged.unit, value);
        let range = if judged.real_min == judged.real_max {
            String::new()
        } else {
            [judged.real_min, judged.real_max]
                .map(|end| value(end).trim_end_matches(" MiB").to_owned())
                .join(" - ")
        };
        table.add_row([
            Cell::new(label),
            Cell::new(&judged.metric),
            number(value(judged.real_median)),
            number(range),
            number(value(judged.simulated)),
            number(error_text(judged)),
            Cell::new(judged.class.name()),
            verdict(judged.verdict, colour),
        ]);
    }
    trim(table)
}

fn verdict(verdict: Verdict, colour: Colour) -> Cell {
    let cell = Cell::new(verdict.name());
    match (colour, verdict) {
        (Colour::Off, _) => cell,
        (Colour::On, Verdict::Pass) => cell.fg(Color::Green),
        (Colour::On, _) => cell.fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

/// Collections one by one when they are few, and how many are near one another.
fn cycles(cycles: &Cycles, colour: Colour) -> String {
    let mut text = String::new();
    let counts: Vec<String> = cycles.real_counts.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "Collections: {} real, {} simulated", counts.join(", "), cycles.simulated_count);
    if cycles.pairs.is_empty() {
        return text + "\n";
    }
    let near: Vec<String> = cycles.near().map(|(name, near)| format!("{name} {near}")).to_vec();
    let _ = writeln!(
        text,
        "Of {} side by side, within 10 % or 1 MiB of the real median: {}",
        cycles.pairs.len(),
        near.join(", ")
    );
    if cycles.pairs.len() <= CYCLES_SHOWN {
        let mut table = new_table(colour);
        let names = ["MiB, real / simulated", "start", "goal", "end", "marked"];
        table.set_header(names.map(|name| head(name, colour)));
        for pair in &cycles.pairs {
            let forced = if pair.forced { ", forced" } else { "" };
            let name = Cell::new(format!("gc {}{forced}", pair.number));
            let sizes = pair.real.named().into_iter().zip(pair.simulated.named());
            let sizes =
                sizes.map(|((_, real), (_, simulated))| number(format!("{real:.0} / {simulated:.0}")));
            table.add_row([name].into_iter().chain(sizes));
        }
        let _ = writeln!(text, "{}", trim(table));
    }
    text + "\n"
}

/// How many of each class passed, and the speed.
fn conclusion(report: &CellReport) -> String {
    let mut text = String::new();
    let of = |class: Class| {
        let all = report.judged.iter().filter(|judged| judged.class == class);
        (all.clone().filter(|judged| !judged.is_miss()).count(), all.count())
    };
    let (exact, timing, varies) = (of(Class::Exact), of(Class::Timing), of(Class::RealVaries));
    let _ = writeln!(
        text,
        "Exact: {} of {} pass. Timing: {} of {} pass. Real Go itself varies: {} of {} pass.",
        exact.0, exact.1, timing.0, timing.1, varies.0, varies.1
    );
    let speed = &report.speed;
    let kept =
        if speed.ratio() >= PROMISE { "the promise of 10 is kept" } else { "the promise of 10 is NOT kept" };
    let slept = if speed.sleep_ns > 0 {
        format!(", of which {} asleep", Nanos(speed.sleep_ns))
    } else {
        String::new()
    };
    let _ = writeln!(
        text,
        "Speed: real {} (whole process, median{slept}), simulated {} (in process, no drawing, fastest):\n  \
         {:.1} times as fast, {kept}.",
        Nanos(speed.real_ns),
        Nanos(speed.simulated_ns),
        speed.ratio()
    );
    text
}

/// One line a cell.
pub(super) fn summary(reports: &[CellReport], colour: Colour) -> String {
    let mut table = new_table(colour);
    let names = ["scenario", "go", "settings", "exact", "timing", "real varies", "times as fast"];
    table.set_header(names.map(|name| head(name, colour)));
    for report in reports {
        let passed = |class: Class| {
            let all = report.judged.iter().filter(|judged| judged.class == class);
            number(format!("{}/{}", all.clone().filter(|judged| !judged.is_miss()).count(), all.count()))
        };
        table.add_row([
            Cell::new(&report.scenario),
            Cell::new(&report.go),
            Cell::new(settings(report)),
            passed(Class::Exact),
            passed(Class::Timing),
            passed(Class::RealVaries),
            number(format!("{:.1}", report.speed.ratio())),
        ]);
    }
    format!("{}\n", trim(table))
}

fn head(name: &str, colour: Colour) -> Cell {
    let cell = Cell::new(name);
    if colour == Colour::On { cell.add_attribute(Attribute::Bold) } else { cell }
}

fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
