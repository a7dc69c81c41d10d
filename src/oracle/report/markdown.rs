//! The document about all cells: where, how, what came out, and every miss with its mechanism.

use std::fmt::Write;

use indexmap::{IndexMap, IndexSet};

use super::super::cell::CellReport;
use super::super::judge::{Judged, LARGE_SHARE, Verdict, median};
use super::super::metric::Class;
use super::mechanisms::Mechanisms;
use super::words::{error_text, value_text};

/// The document. `command` makes it again.
pub fn markdown(reports: &[CellReport], mechanisms: &Mechanisms, command: &str) -> String {
    let mut text = String::from("# Fidelity: real Go beside the simulation\n\n");
    let _ = writeln!(
        text,
        "Written by `{command}`; do not edit. The explanations of misses are kept in `fidelity-mechanisms.toml`.\n"
    );
    provenance(&mut text, reports);
    method(&mut text);
    summary(&mut text, reports);
    medians(&mut text, reports);
    misses(&mut text, reports, mechanisms);
    text
}

fn provenance(text: &mut String, reports: &[CellReport]) {
    let hosts: IndexSet<String> = reports
        .iter()
        .map(|report| {
            let host = &report.host;
            format!("{}, {} cores, {}", host.processor, host.cores, host.kernel)
        })
        .collect();
    let joined = |names: IndexSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
    let _ = writeln!(text, "* Machine: {}", joined(hosts));
    let _ = writeln!(text, "* Real Go: {}", joined(reports.iter().map(|report| report.go.clone()).collect()));
    let runs: IndexSet<String> = reports.iter().map(|report| report.runs.to_string()).collect();
    let _ = writeln!(text, "* Cells: {}; real runs of each: {}\n", reports.len(), joined(runs));
}

fn method(text: &mut String) {
    let _ = write!(
        text,
        "## How it is judged\n\n\
         `gclab go` writes each scenario as a Go program. It is built with real Go, run, and asked at the same labelled \
         moments for what `runtime.MemStats` and the kernel say; the simulation runs under the same settings. Numbers come from runs that \
         only look at snapshots, curves from as many others that look all the time. Nothing in \
         the simulation is fitted to these programs.\n\n\
         * **Exact** metrics are what Go computes: TotalAlloc, Mallocs, HeapSys everywhere; HeapAlloc, bytes freed, NextGC and \
         HeapObjects right after a forced collection; HeapReleased right after `debug.FreeOSMemory()`. Bytes must agree \
         within 0.1 % and 64 KiB, counts within 0.1 % and 1000 (a process has objects of its own). Where the real runs \
         themselves differ by more than that, the metric counts as timing: it *varies*. Of a cell with one run it is not \
         known whether real Go repeats itself.\n\
         * **Timing** metrics depend on when things happen: the number of collections, peaks, RSS, the share of CPU in GC, \
         total time without sleeps, the time until memory was given back. They must be within 10 % of the median of the real \
         runs or between the smallest and the largest; NumGC may always be off by one, sizes by 1 MiB, CPU by one percentage \
         point, time by 2 ms. A miss beyond {:.0} % is large.\n\
         * **Speed** is the wall time of the real process over that of the simulation without drawing. At least ten times \
         is the promise.\n\n",
        100.0 * LARGE_SHARE
    );
}

fn summary(text: &mut String, reports: &[CellReport]) {
    text.push_str("## Summary\n\n| scenario | Go | GOGC | exact | real varies | timing | worst timing metric | times as fast |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for report in reports {
        let passed = |class: Class| {
            let all = report.judged.iter().filter(|judged| judged.class == class);
            let passed = all.clone().filter(|judged| !judged.is_miss()).count();
            format!("{passed}/{}", all.count())
        };
        let limit = report.config.memory_limit_bytes.map_or_else(String::new, |bytes| {
            format!(", limit {}", value_text(crate::oracle::Unit::Bytes, bytes as f64))
        });
        let _ = writeln!(
            text,
            "| {} | {} | {}{limit} | {} | {} | {} | {} | {:.0} |",
            report.scenario,
            report.go.trim_start_matches("go"),
            report.config.gogc_text(),
            passed(Class::Exact),
            passed(Class::RealVaries),
            passed(Class::Timing),
            worst(report).unwrap_or_else(|| "all pass".to_owned()),
            report.speed.ratio()
        );
    }
    text.push('\n');
}

/// The timing metric that is furthest off of those that miss.
fn worst(report: &CellReport) -> Option<String> {
    let far = |judged: &&Judged| judged.error().map_or(f64::INFINITY, f64::abs);
    let missed = report.misses().filter(|judged| !judged.is_exact());
    let worst = missed.max_by(|a, b| far(a).total_cmp(&far(b)))?;
    Some(format!("{} {}", place(worst), error_text(worst)))
}

/// `RSS at "inserted"`, `peak RSS`.
fn place(judged: &Judged) -> String {
    match &judged.snapshot {
        Some(label) => format!("{} at \"{}\"", judged.metric, label.replace('|', "\\|")),
        None => judged.metric.clone(),
    }
}

fn medians(text: &mut String, reports: &[CellReport]) {
    let mut by_metric: IndexMap<&str, Vec<&Judged>> = IndexMap::new();
    for judged in
        reports.iter().flat_map(|report| &report.judged).filter(|judged| judged.class == Class::Timing)
    {
        by_metric.entry(&judged.metric).or_default().push(judged);
    }
    text.push_str("## Timing metrics over all cells\n\n| metric | compared | pass | median of the errors | median without sign |\n");
    text.push_str("|---|---|---|---|---|\n");
    for (metric, all) in by_metric {
        let errors: Vec<f64> = all.iter().filter_map(|judged| judged.error()).collect();
        let sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
        let percent = |share: Option<f64>| {
            share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
        };
        let passed = all.iter().filter(|judged| !judged.is_miss()).count();
        let _ = writeln!(
            text,
            "| {metric} | {} | {passed} | {} | {} |",
            all.len(),
            percent(median(&errors)),
            percent(median(&sizes))
        );
    }
    text.push('\n');
}

/// An explanation, and the misses that it explains.
type Explained<'r> = (String, Vec<(&'r CellReport, &'r Judged)>);

/// Misses by their explanation, those without one first.
fn misses(text: &mut String, reports: &[CellReport], mechanisms: &Mechanisms) {
    let mut groups: IndexMap<Option<usize>, Explained> = IndexMap::new();
    for report in reports {
        for judged in report.misses() {
            let found = mechanisms.of(report, judged);
            let words = found
                .map_or_else(|| "unexplained".to_owned(), |(_, mechanism)| mechanism.text.trim().to_owned());
            groups
                .entry(found.map(|(number, _)| number))
                .or_insert_with(|| (words, Vec::new()))
                .1
                .push((report, judged));
        }
    }
    groups.sort_keys();
    text.push_str("## Every miss\n\n");
    if groups.is_empty() {
        text.push_str("None.\n");
    }
    for (words, members) in groups.values() {
        let _ = writeln!(text, "**{}:** {words}\n", count(members.len()));
        text.push_str("| scenario | Go | GOGC | metric | class | real | simulated | error |\n|---|---|---|---|---|---|---|---|\n");
        for (report, judged) in members {
            let large = if judged.verdict == Verdict::LargeMiss { " (large)" } else { "" };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {}{large} |",
                report.scenario,
                report.go.trim_start_matches("go"),
                report.config.gogc_text(),
                place(judged),
                judged.class.name(),
                range(judged),
                value_text(judged.unit, judged.simulated),
                error_text(judged)
            );
        }
        text.push('\n');
    }
}

fn count(misses: usize) -> String {
    if misses == 1 { "1 miss".to_owned() } else { format!("{misses} misses") }
}

/// `38.44 MiB (38.40 - 38.50)`.
fn range(judged: &Judged) -> String {
    let [middle, low, high] =
        [judged.real_median, judged.real_min, judged.real_max].map(|value| value_text(judged.unit, value));
    if low == high { middle } else { format!("{middle} ({low} - {high})") }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{judged, report};
    use super::*;

    fn reports() -> Vec<CellReport> {
        vec![
            report(
                100,
                vec![
                    judged(Some("a"), "HeapAlloc", Class::Exact, Verdict::Miss),
                    judged(Some("a"), "NextGC", Class::Exact, Verdict::Pass),
                    judged(None, "peak RSS", Class::Timing, Verdict::LargeMiss),
                ],
            ),
            report(200, vec![judged(None, "peak RSS", Class::Timing, Verdict::Pass)]),
        ]
    }

    #[test]
    fn the_document_tells_what_passed_and_explains_what_did_not() {
        let mechanisms =
            Mechanisms::parse("[[mechanism]]\nmetric = \"peak RSS\"\ntext = \"The scavenger.\"\n").unwrap();
        let text = markdown(&reports(), &mechanisms, "gclab validate --all");
        for line in [
            "Written by `gclab validate --all`",
            "* Machine: A CPU, 2 cores, Linux 6",
            "| tiny | 1.23.9 | 100 | 1/2 | 0/0 | 0/1 | peak RSS +50.0 % | 20 |",
            "| tiny | 1.23.9 | 200 | 0/0 | 0/0 | 1/1 | all pass | 20 |",
            "| peak RSS | 2 | 1 | 26.2 % | 26.2 % |",
            "**1 miss:** unexplained",
            "| tiny | 1.23.9 | 100 | HeapAlloc at \"a\" | exact | 38.15 MiB (37.19 MiB - 40.05 MiB) | 57.22 MiB | +50.0 % |",
            "**1 miss:** The scavenger.",
            "+50.0 % (large) |",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
        let (first, second) = (text.find("unexplained").unwrap(), text.find("The scavenger").unwrap());
        assert!(first < second, "what nobody has explained comes first");
    }

    #[test]
    fn nothing_to_explain_is_said() {
        let text = markdown(&reports()[1..], &Mechanisms::default(), "x");
        assert!(text.ends_with("## Every miss\n\nNone.\n"), "{text}");
    }
}
