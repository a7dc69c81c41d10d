//! What a sweep leaves: a few lines on stdout, and pictures beside the table.

use std::fmt::Write;
use std::path::Path;

use super::super::errors::CliError;
use super::super::files::PendingFile;
use super::super::terminal;
use crate::chart::{
    FrontPage, FrontPoint, HeatCell, HeatMap, HeatPanel, MAX_PANELS, Quantity, SweepPage, render_sweep_png,
};
use crate::sweep::{Cell, Front, Manifest, Merged, Plane, Planes};
use crate::units::{Bytes, Nanos};

/// Settings of the front that are listed.
const LISTED: usize = 12;

/// Draws the pictures of a complete sweep, and says what there is.
pub(in crate::cli) fn print(merged: &Merged, no_plot: bool) -> Result<(), CliError> {
    let planes = Planes::read(&merged.csv)?;
    let mut written = vec![merged.csv.as_path(), &merged.parquet, &merged.json];
    let folder = merged.csv.parent().unwrap_or(Path::new("."));
    let mut pictures = Vec::new();
    if !no_plot {
        for (name, page) in pages(&merged.manifest, &planes) {
            let path = folder.join(format!("{}.sweep-{name}.png", merged.manifest.scenario));
            let png = PendingFile::create(&path)?;
            render_sweep_png(&page, png.path())
                .map_err(|error| CliError::Chart { path: path.clone(), error })?;
            png.finish()?;
            pictures.push(path);
        }
    }
    written.extend(pictures.iter().map(|path| path.as_path()));
    terminal::to_stdout(&summary(&merged.manifest, &planes));
    for path in written {
        terminal::to_stdout(&format!("Wrote {}\n", path.display()));
    }
    if !no_plot && planes.list.len() > MAX_PANELS {
        let more = planes.list.len() - MAX_PANELS;
        terminal::to_stderr(&format!(
            "note: the heat maps show {MAX_PANELS} planes, {more} more are in the table\n"
        ));
    }
    Ok(())
}

fn cells(planes: &Planes) -> impl Iterator<Item = &Cell> {
    planes.list.iter().flat_map(|plane| &plane.cells)
}

fn summary(manifest: &Manifest, planes: &Planes) -> String {
    let sum = |count: fn(&Cell) -> u64| cells(planes).map(count).sum::<u64>();
    let (killed, broken) = (sum(|cell| cell.killed), sum(|cell| cell.broken));
    let mut text = format!("{}: {} runs", manifest.title, manifest.runs);
    if killed > 0 {
        let _ = write!(text, ", {killed} killed by the container's limit");
    }
    if broken > 0 {
        let _ = write!(text, ", {broken} without a result (column message)");
    }
    text.push('\n');
    let p99_of = if planes.has_requests { "requests" } else { "pauses" };
    for plane in &planes.list {
        let best = Front::of(&plane.cells).best;
        if best.is_empty() || planes.list.len() > MAX_PANELS {
            continue;
        }
        let _ = writeln!(text, "\n{}: settings that no other beats in both peak RSS and GC CPU", plane.name);
        let _ = writeln!(
            text,
            "  {:>8}  {:>10}  {:>12}  {:>7}  P99 of {p99_of}",
            "GOGC", "GOMEMLIMIT", "peak RSS", "GC CPU"
        );
        for cell in spread(&best) {
            let p99 = cell.p99_ns.map_or_else(String::new, |ns| Nanos(ns).to_string());
            let _ = writeln!(
                text,
                "  {:>8}  {:>10}  {:>12}  {:>5.2} %  {p99}",
                gogc_text(cell.gogc_percent),
                limit_text(cell.memory_limit_bytes),
                Bytes(cell.peak_rss_bytes).to_string(),
                cell.gc_cpu_fraction * 100.0,
            );
        }
    }
    text.push('\n');
    text
}

/// A dozen of a longer list, the ends among them.
fn spread<'c>(list: &[&'c Cell]) -> Vec<&'c Cell> {
    if list.len() <= LISTED {
        return list.to_vec();
    }
    (0..LISTED).map(|number| list[number * (list.len() - 1) / (LISTED - 1)]).collect()
}

fn gogc_text(percent: Option<u64>) -> String {
    percent.map_or_else(|| "off".to_owned(), |percent| percent.to_string())
}

/// `off`, `512MiB`, as flags are written.
fn limit_text(bytes: Option<u64>) -> String {
    match bytes {
        None => "off".to_owned(),
        Some(bytes) if bytes % (1 << 20) == 0 => format!("{}MiB", bytes >> 20),
        Some(bytes) => format!("{bytes}B"),
    }
}

/// The pictures by name.
fn pages(manifest: &Manifest, planes: &Planes) -> Vec<(&'static str, SweepPage)> {
    let mut pages = Vec::new();
    if planes.list.first().is_some_and(|plane| plane.cells.len() > 1) {
        let memory = heat_map(manifest, planes, Quantity::Bytes, |cell| cell.peak_rss_bytes as f64);
        let cpu = heat_map(manifest, planes, Quantity::Share, |cell| cell.gc_cpu_fraction);
        pages.push(("peak-rss", SweepPage::HeatMap(memory)));
        pages.push(("gc-cpu", SweepPage::HeatMap(cpu)));
    }
    pages.push(("front", SweepPage::Front(front_page(manifest, planes))));
    pages
}

fn subtitle(manifest: &Manifest, planes: &Planes) -> String {
    let only = match planes.list.as_slice() {
        [plane] => format!("{} – ", plane.name),
        _ => String::new(),
    };
    let repeated = match manifest.seeds {
        1 => String::new(),
        seeds => format!(", {seeds} seeds each"),
    };
    format!("{} – {only}{} runs{repeated}", manifest.title, manifest.runs)
}

fn heat_map(manifest: &Manifest, planes: &Planes, quantity: Quantity, value: fn(&Cell) -> f64) -> HeatMap {
    let first = &planes.list[0];
    // Off is more than any number. Rows go down from the largest limit, columns up to the largest GOGC.
    let mut gogcs = first.gogcs.clone();
    gogcs.sort_by_key(|gogc| gogc.unwrap_or(u64::MAX));
    let mut limits = first.memory_limits.clone();
    limits.sort_by_key(|limit| std::cmp::Reverse(limit.unwrap_or(u64::MAX)));
    let panel = |plane: &Plane| {
        let cell = |limit: Option<u64>, gogc: Option<u64>| {
            let found =
                plane.cells.iter().find(|cell| cell.gogc_percent == gogc && cell.memory_limit_bytes == limit);
            match found {
                Some(cell) if cell.killed > 0 => HeatCell::Killed,
                Some(cell) if cell.runs > 0 => HeatCell::Value(value(cell)),
                _ => HeatCell::Nothing,
            }
        };
        let rows = limits.iter().map(|limit| gogcs.iter().map(|gogc| cell(*limit, *gogc)).collect());
        let name = if planes.list.len() > 1 { plane.name.clone() } else { String::new() };
        HeatPanel { name, cells: rows.collect() }
    };
    let title = match quantity {
        Quantity::Bytes => "Peak RSS in MiB, worst seed",
        Quantity::Share => "GC's share of CPU time in percent",
    };
    HeatMap {
        title: title.to_owned(),
        subtitle: subtitle(manifest, planes),
        quantity,
        columns_name: "GOGC".to_owned(),
        columns: gogcs.iter().map(|gogc| gogc_text(*gogc)).collect(),
        rows_name: "GOMEMLIMIT".to_owned(),
        rows: limits.iter().map(|limit| limit_text(*limit)).collect(),
        panels: planes.list.iter().map(panel).collect(),
    }
}

fn front_page(manifest: &Manifest, planes: &Planes) -> FrontPage {
    let front = Front::of(cells(planes));
    let has_limits = cells(planes).any(|cell| cell.memory_limit_bytes.is_some());
    let point = |cell: &&Cell| {
        let limit = limit_text(cell.memory_limit_bytes);
        let name = match has_limits {
            true => format!("GOGC {} · {limit}", gogc_text(cell.gogc_percent)),
            false => format!("GOGC {}", gogc_text(cell.gogc_percent)),
        };
        FrontPoint {
            name,
            peak_rss_bytes: cell.peak_rss_bytes,
            gc_cpu_fraction: cell.gc_cpu_fraction,
            p99_ns: cell.p99_ns,
        }
    };
    FrontPage {
        title: "What memory buys: GC CPU against peak RSS".to_owned(),
        subtitle: subtitle(manifest, planes),
        p99_of: if planes.has_requests { "requests" } else { "pauses" }.to_owned(),
        best: front.best.iter().map(point).collect(),
        others: front.others.iter().map(point).collect(),
    }
}
