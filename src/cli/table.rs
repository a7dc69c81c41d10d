//! A run in words and tables: settings, snapshots with what changed, totals, question and answer.

use std::fmt::Write;

use comfy_table::{Attribute, Cell, CellAlignment, Color, Table, presets};

use super::terminal::Colour;
use crate::scenario::MemoryLimit;
use crate::trace::{Config, Snapshot, Summary, Trace};
use crate::units::{Bytes, MIB, Nanos};

/// What one table cell shows of a snapshot.
type Column = (&'static str, fn(&Snapshot) -> u64);

/// The sizes of the snapshot table, in bytes.
const SIZES: [Column; 7] = [
    ("HeapAlloc", |s| s.mem_stats.heap_alloc),
    ("HeapInuse", |s| s.mem_stats.heap_inuse),
    ("HeapIdle", |s| s.mem_stats.heap_idle),
    ("HeapReleased", |s| s.mem_stats.heap_released),
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
    for trace in traces {
        let _ = writeln!(text, "{}", settings_line(&trace.config));
        if !trace.snapshots.is_empty() {
            let _ = writeln!(text, "{}", snapshot_table(&trace.snapshots, colour));
        }
        let _ = writeln!(text, "{}", summary_line(&trace.summary));
        if let Some(kill) = &trace.oom_kill {
            let _ = writeln!(
                text,
                "OOM kill at {}: {} resident, the container's limit is {}, during \"{}\".",
                Nanos(kill.t_ns),
                Bytes(kill.rss_bytes),
                Bytes(kill.limit_bytes),
                kill.step
            );
        }
        text.push('\n');
    }
    if traces.len() > 1 {
        let _ = writeln!(text, "{}\n", comparison_table(traces, colour));
    }
    if traces.iter().any(|trace| !trace.snapshots.is_empty()) {
        text.push_str("Sizes in MiB; under each number what changed since the row above.\n\n");
    }
    let _ = writeln!(text, "Question: {}\nAnswer:   {}", first.question, first.answer);
    text
}

/// `Go 1.23, GOGC=100, GOMEMLIMIT=off, 2 Ps on 2 cores, seed 1`.
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
        "{} of virtual time, {} collections, {:.1}% of CPU in GC, peak HeapAlloc {}, peak RSS {}, longest pause {}",
        Nanos(summary.duration_ns),
        summary.num_gc,
        100.0 * summary.gc_cpu_fraction,
        Bytes(summary.peak_heap_alloc_bytes),
        Bytes(summary.peak_rss_bytes),
        Nanos(summary.max_pause_ns)
    )
}

fn snapshot_table(snapshots: &[Snapshot], colour: Colour) -> String {
    let mut table = new_table(colour);
    let names = ["snapshot", "t"].into_iter().chain(SIZES.iter().map(|(name, _)| *name)).chain(["NumGC"]);
    table.set_header(names.map(|name| heading(name, colour)));
    let mut above: Option<&Snapshot> = None;
    for snapshot in snapshots {
        let mut row = vec![Cell::new(&snapshot.label), number(Nanos(snapshot.t_ns).to_string())];
        for (_, size) in SIZES {
            row.push(number(size_text(size(snapshot))));
        }
        row.push(number(snapshot.mem_stats.num_gc.to_string()));
        table.add_row(row);
        if let Some(above) = above {
            let mut row = vec![Cell::new(""), Cell::new("")];
            for (_, size) in SIZES {
                row.push(change(size_change(size(above), size(snapshot)), colour));
            }
            let collections = snapshot.mem_stats.num_gc.saturating_sub(above.mem_stats.num_gc);
            let text = if collections == 0 { String::new() } else { format!("+{collections}") };
            row.push(change(text, colour));
            table.add_row(row);
        }
        above = Some(snapshot);
    }
    trim(&table)
}

/// One row a run, for several runs of one scenario.
fn comparison_table(traces: &[Trace], colour: Colour) -> String {
    let mut table = new_table(colour);
    let names = [
        "GOGC",
        "GOMEMLIMIT",
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
            number(config.gogc_text()),
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
    trim(&table)
}

fn new_table(colour: Colour) -> Table {
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

fn trim(table: &Table) -> String {
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
        Snapshot { label: label.to_owned(), t_ns, rss_bytes, rss_ledger: RssLedger::default(), mem_stats }
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

        Go 1.23, GOGC=100, GOMEMLIMIT=off, GOMAXPROCS=2 on 2 cores, seed 1
         snapshot        t   HeapAlloc   HeapInuse   HeapIdle   HeapReleased     Sys      RSS   NextGC   NumGC
        -------------------------------------------------------------------------------------------------------
         start        0 ns        0.05        0.11       0.00           0.00   46.00     2.00      off       0
         inserted   148 ms       39.00       39.06       0.00           0.00   46.00    40.00    78.00       1
                                +38.95      +38.95                                     +38.00               +1
         nil        148 ms        0.05        0.11       0.00           0.00   46.00    40.00     0.09       2
                                -38.95      -38.95                                              -77.91      +1
        148 ms of virtual time, 2 collections, 0.0% of CPU in GC, peak HeapAlloc 0 B, peak RSS 0 B, longest pause 0 ns

        Sizes in MiB; under each number what changed since the row above.

        Question: Is it tiny?
        Answer:   It is.
        ");
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
