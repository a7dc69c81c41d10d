//! A run in words and tables: settings, snapshots with what changed, totals, question and answer.

use std::fmt::Write;

use comfy_table::{Attribute, Cell, CellAlignment, Color, Table, presets};

use super::terminal::Colour;
use crate::scenario::MemoryLimit;
use crate::trace::{Config, Latency, Snapshot, Summary, Trace};
use crate::units::{Bytes, MIB, Nanos};

/// What one table cell shows of a snapshot.
type Column = (&'static str, fn(&Snapshot) -> u64);

/// The widest line of a report in characters: a terminal of ordinary width does not break it.
const WIDTH: usize = 100;
/// Spaces between two columns.
const GAP: usize = 2;
/// A label gets at least so many characters.
const NARROWEST_LABEL: usize = 12;

/// The sizes of the snapshot table, in bytes: fields of `runtime.MemStats`, and RSS as the operating system counts it.
const SIZES: [Column; 7] = [
    ("HeapAlloc", |s| s.mem_stats.heap_alloc),
    ("HeapInuse", |s| s.mem_stats.heap_inuse),
    ("HeapIdle", |s| s.mem_stats.heap_idle),
    ("Heap\nReleased", |s| s.mem_stats.heap_released),
    ("Sys", |s| s.mem_stats.sys),
    ("RSS", |s| s.rss_bytes),
    ("NextGC", |s| s.mem_stats.next_gc),
];

/// A NextGC beyond any memory: the collector is off (Go prints a number near 2^63).
const OFF_BYTES: u64 = 1 << 60;

/// The whole report of a scenario's runs, ending in a line end.
pub(super) fn report(traces: &[Trace], colour: Colour) -> String {
    let mut text = String::new();
    let Some(first) = traces.first() else { return text };
    let _ = writeln!(text, "{}\n", first.title);
    paragraph(&mut text, "Question: ", &first.question);
    text.push('\n');
    for trace in traces {
        let _ = writeln!(text, "{}", settings_line(&trace.config));
        if !trace.snapshots.is_empty() {
            let _ = writeln!(text, "{}", snapshot_table(&trace.snapshots, colour));
        }
        paragraph(&mut text, "", &summary_line(&trace.summary));
        if let Some(latency) = &trace.summary.latency {
            paragraph(&mut text, "", &latency_line(latency));
        }
        if let Some(kill) = &trace.oom_kill {
            let line = format!(
                "OOM kill at {}: {} resident, the container's limit is {}, during \"{}\".",
                Nanos(kill.t_ns),
                Bytes(kill.rss_bytes),
                Bytes(kill.limit_bytes),
                kill.step
            );
            paragraph(&mut text, "", &line);
        }
        text.push('\n');
    }
    if traces.len() > 1 {
        let _ = writeln!(text, "{}\n", comparison_table(traces, colour));
    }
    if traces.iter().any(|trace| !trace.snapshots.is_empty()) {
        paragraph(&mut text, "", LEGEND);
        text.push('\n');
    }
    paragraph(&mut text, "Answer:   ", &first.answer);
    text
}

/// What the snapshot table's columns mean.
const LEGEND: &str = "t is virtual time. Sizes are in MiB; under each number, what changed since the row above. \
    Heap... and Sys are the fields of runtime.MemStats, NextGC is the heap goal, RSS is what the operating system \
    counts as resident.";

/// Appends `lead` and `words` in lines of at most [`WIDTH`] characters, the later ones indented.
fn paragraph(text: &mut String, lead: &str, words: &str) {
    let indent = " ".repeat(lead.chars().count());
    for (index, line) in wrap(words, WIDTH - indent.len()).iter().enumerate() {
        let _ = writeln!(text, "{}{line}", if index == 0 { lead } else { &indent });
    }
}

/// Lines of at most `width` characters, broken between words; a longer word stands alone.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `Go 1.23, GOGC=100, GOMEMLIMIT=off, GOMAXPROCS=2 on 2 cores, seed 1`.
pub(super) fn settings_line(config: &Config) -> String {
    let mut text = format!(
        "Go {}, GOGC={}, GOMEMLIMIT={}, GOMAXPROCS={} on {} cores, seed {}",
        config.go,
        config.gogc_text(),
        limit_text(config),
        config.procs,
        config.cores,
        config.seed
    );
    if !config.madvdontneed {
        text.push_str(", MADV_FREE");
    }
    if config.cost_profile != format!("go{}", config.go) {
        let _ = write!(text, ", costs {}", config.cost_profile);
    }
    if let Some(bytes) = config.machine_memory_bytes {
        let _ = write!(text, ", container {}", Bytes(bytes));
    }
    text
}

pub(super) fn limit_text(config: &Config) -> String {
    config.memory_limit_bytes.map_or(MemoryLimit::Off, MemoryLimit::Bytes).to_string()
}

fn summary_line(summary: &Summary) -> String {
    format!(
        "Totals: {} of virtual time, {} collections, {:.1}% of CPU in GC, peak HeapAlloc {}, peak RSS {}, longest pause {}",
        Nanos(summary.duration_ns),
        summary.num_gc,
        100.0 * summary.gc_cpu_fraction,
        Bytes(summary.peak_heap_alloc_bytes),
        Bytes(summary.peak_rss_bytes),
        Nanos(summary.max_pause_ns)
    )
}

fn latency_line(latency: &Latency) -> String {
    format!(
        "{} requests: half took at most {}, 99 of 100 at most {}, the longest {}",
        latency.requests,
        Nanos(latency.p50_ns),
        Nanos(latency.p99_ns),
        Nanos(latency.max_ns)
    )
}

/// Two lines a snapshot: the numbers, and under each what changed. Long labels run on in the second line, so that the
/// table keeps within [`WIDTH`].
fn snapshot_table(snapshots: &[Snapshot], colour: Colour) -> String {
    let rows: Vec<[Vec<String>; 2]> = snapshots
        .iter()
        .enumerate()
        .map(|(index, snapshot)| {
            let above = index.checked_sub(1).map(|above| &snapshots[above]);
            [numbers(snapshot), above.map_or_else(Vec::new, |above| changes(above, snapshot))]
        })
        .collect();
    let names: Vec<&str> =
        ["t"].into_iter().chain(SIZES.iter().map(|(name, _)| *name)).chain(["NumGC"]).collect();
    let widest = |column: usize| {
        let cells = rows.iter().flatten().filter_map(|row| row.get(column)).map(|text| text.chars().count());
        cells.chain(names[column].lines().map(str::len)).max().unwrap_or(0)
    };
    let numbers_width: usize = (0..names.len()).map(|column| widest(column) + GAP).sum();
    let label_width = WIDTH.saturating_sub(numbers_width + GAP).max(NARROWEST_LABEL);
    let mut table = new_table(colour);
    table.set_header(["snapshot"].into_iter().chain(names).map(|name| heading(name, colour)));
    for (snapshot, [numbers, changes]) in snapshots.iter().zip(rows) {
        let mut label = wrap(&snapshot.label, label_width).into_iter();
        let first = Cell::new(label.next().unwrap_or_default());
        table.add_row([first].into_iter().chain(numbers.into_iter().map(number)));
        let is_same = !changes.is_empty() && changes.iter().all(String::is_empty);
        let second =
            label.next().unwrap_or_else(|| if is_same { "  no change".into() } else { String::new() });
        if !changes.is_empty() || !second.is_empty() {
            let changes = changes.into_iter().map(|text| change(text, colour));
            table.add_row([Cell::new(second)].into_iter().chain(changes));
        }
        label.for_each(|line| {
            table.add_row([Cell::new(line)]);
        });
    }
    trim(table)
}

fn numbers(snapshot: &Snapshot) -> Vec<String> {
    let sizes = SIZES.iter().map(|(_, size)| size_text(size(snapshot)));
    let collections = snapshot.mem_stats.num_gc.to_string();
    [Nanos(snapshot.t_ns).to_string()].into_iter().chain(sizes).chain([collections]).collect()
}

fn changes(above: &Snapshot, snapshot: &Snapshot) -> Vec<String> {
    let sizes = SIZES.iter().map(|(_, size)| size_change(size(above), size(snapshot)));
    let collections = match snapshot.mem_stats.num_gc.saturating_sub(above.mem_stats.num_gc) {
        0 => String::new(),
        count => format!("+{count}"),
    };
    [String::new()].into_iter().chain(sizes).chain([collections]).collect()
}

/// One row a run, for several runs of one scenario.
fn comparison_table(traces: &[Trace], colour: Colour) -> String {
    let mut table = new_table(colour);
    let several_releases = traces.iter().any(|trace| trace.config.go != traces[0].config.go);
    let names = [
        if several_releases { "Go, GOGC" } else { "GOGC" },
        if several_releases { "limit" } else { "GOMEMLIMIT" },
        "time",
        "NumGC",
        "GC CPU",
        "assist CPU",
        "peak heap",
        "peak RSS",
        "final RSS",
        "max pause",
    ];
    table.set_header(names.map(|name| heading(name, colour)));
    for Trace { config, summary, oom_kill, .. } in traces {
        let peak_rss = Bytes(summary.peak_rss_bytes).to_string();
        table.add_row(vec![
            number(match several_releases {
                true => format!("{}, {}", config.go, config.gogc_text()),
                false => config.gogc_text(),
            }),
            number(limit_text(config)),
            number(Nanos(summary.duration_ns).to_string()),
            number(summary.num_gc.to_string()),
            number(format!("{:.1}%", 100.0 * summary.gc_cpu_fraction)),
            number(Nanos(summary.assist_cpu_ns).to_string()),
            number(Bytes(summary.peak_heap_alloc_bytes).to_string()),
            number(if oom_kill.is_some() { format!("{peak_rss} (OOM kill)") } else { peak_rss }),
            number(Bytes(summary.final_rss_bytes).to_string()),
            number(Nanos(summary.max_pause_ns).to_string()),
        ]);
    }
    trim(table)
}

/// A table without lines but the one under its headings.
pub(super) fn new_table(colour: Colour) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_NO_BORDERS);
    let style = table.style_mut();
    *style =
        presets::NOTHING.header_separator(presets::ASCII_NO_BORDERS.header_separator.fill('-').junction('-'));
    match colour {
        Colour::On => table.enforce_styling(),
        Colour::Off => table.force_no_tty(),
    };
    table
}

/// The table as text, its columns [`GAP`] apart: one space is the column's padding, the other the separator.
pub(super) fn trim(mut table: Table) -> String {
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, GAP as u16 - 1));
    });
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn heading(name: &str, colour: Colour) -> Cell {
    let alignment = if name == "snapshot" { CellAlignment::Left } else { CellAlignment::Right };
    let cell = Cell::new(name).set_alignment(alignment);
    if colour == Colour::On { cell.add_attribute(Attribute::Bold) } else { cell }
}

fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn change(text: String, colour: Colour) -> Cell {
    let tint = if text.starts_with('-') { Color::Green } else { Color::Yellow };
    let cell = number(text);
    if colour == Colour::On { cell.fg(tint) } else { cell }
}

fn size_text(bytes: u64) -> String {
    if bytes >= OFF_BYTES { "off".to_owned() } else { format!("{:.2}", bytes as f64 / MIB as f64) }
}

/// `+38.29`; nothing when the two decimals would not show it.
fn size_change(before: u64, after: u64) -> String {
    if before >= OFF_BYTES || after >= OFF_BYTES {
        return String::new();
    }
    let change = (after as f64 - before as f64) / MIB as f64;
    if change.abs() < 0.005 { String::new() } else { format!("{change:+.2}") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::trace::{MemStats, OomKill, RssLedger};
    use crate::units::KIB;

    fn snapshot(label: &str, t_ns: u64, heap_alloc: u64, rss_bytes: u64, num_gc: u32) -> Snapshot {
        let mem_stats = MemStats {
            heap_alloc,
            heap_inuse: heap_alloc + 64 * KIB,
            sys: 46 * MIB,
            next_gc: if num_gc == 0 { u64::MAX / 2 } else { 2 * heap_alloc },
            num_gc,
            ..MemStats::default()
        };
        Snapshot {
            label: label.to_owned(),
            t_ns,
            rss_bytes,
            rss_ledger: RssLedger::default(),
            mem_stats,
            latency: None,
        }
    }

    pub(in crate::cli) fn trace() -> Trace {
        Trace {
            name: "tiny".to_owned(),
            title: "A tiny run".to_owned(),
            question: "Is it tiny?".to_owned(),
            answer: "It is.".to_owned(),
            config: Config {
                go: "1.23".to_owned(),
                gogc_percent: Some(100),
                memory_limit_bytes: None,
                procs: 2,
                cores: 2,
                seed: 1,
                madvdontneed: true,
                machine_memory_bytes: None,
                cost_profile: "go1.23".to_owned(),
            },
            samples: vec![],
            cycles: vec![],
            snapshots: vec![
                snapshot("start", 0, 48 * KIB, 2 * MIB, 0),
                snapshot("inserted", 147_900_000, 39 * MIB, 40 * MIB, 1),
                snapshot("nil", 148_000_000, 48 * KIB, 40 * MIB, 2),
            ],
            steps: vec![],
            oom_kill: None,
            summary: Summary { duration_ns: 148_000_000, num_gc: 2, ..Summary::default() },
        }
    }

    #[test]
    fn the_table_shows_sizes_and_what_changed() {
        insta::assert_snapshot!(report(&[trace()], Colour::Off), @r"
        A tiny run

        Question: Is it tiny?

        Go 1.23, GOGC=100, GOMEMLIMIT=off, GOMAXPROCS=2 on 2 cores, seed 1
        snapshot       t  HeapAlloc  HeapInuse  HeapIdle      Heap    Sys     RSS  NextGC  NumGC
                                                          Released
        -----------------------------------------------------------------------------------------
        start       0 ns       0.05       0.11      0.00      0.00  46.00    2.00     off      0
        inserted  148 ms      39.00      39.06      0.00      0.00  46.00   40.00   78.00      1
                             +38.95     +38.95                             +38.00             +1
        nil       148 ms       0.05       0.11      0.00      0.00  46.00   40.00    0.09      2
                             -38.95     -38.95                                     -77.91     +1
        Totals: 148 ms of virtual time, 2 collections, 0.0% of CPU in GC, peak HeapAlloc 0 B, peak RSS 0 B,
        longest pause 0 ns

        t is virtual time. Sizes are in MiB; under each number, what changed since the row above. Heap...
        and Sys are the fields of runtime.MemStats, NextGC is the heap goal, RSS is what the operating
        system counts as resident.

        Answer:   It is.
        ");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_and_long_labels_run_on() {
        let mut wide = trace();
        wide.snapshots[1].label = "deleted, but half of them held elsewhere".to_owned();
        wide.snapshots[1].mem_stats.heap_alloc = 123_456 * MIB / 10;
        wide.answer = "word ".repeat(100);
        let text = report(&[wide], Colour::Off);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("\ndeleted, but"), "{text}");
        assert!(text.contains("\nelsewhere\n"), "{text}");
    }

    #[test]
    fn several_runs_are_compared_and_an_oom_kill_is_told() {
        let mut killed = trace();
        killed.config.gogc_percent = None;
        killed.snapshots.clear();
        killed.oom_kill = Some(OomKill {
            t_ns: 1_000_000,
            rss_bytes: 513 * MIB,
            limit_bytes: 512 * MIB,
            step: "64.00 MiB garbage".to_owned(),
        });
        let text = report(&[trace(), killed], Colour::Off);
        assert!(
            text.contains("OOM kill at 1.00 ms: 513.00 MiB resident, the container's limit is 512.00 MiB"),
            "{text}"
        );
        assert!(text.contains("GOMEMLIMIT"), "{text}");
        assert!(!text.contains('\u{1b}'), "no colour");
        assert!(report(&[trace()], Colour::On).contains('\u{1b}'), "colour on a terminal");
    }
}
