//! Charts as a user meets them: deterministic files, readable pages, honest errors.

mod placed_texts;
mod synthetic;

use std::path::Path;

use gclab::chart::{self, ChartError, DARK, PlacedText, Style};
use gclab::trace::{Sample, StepMark, Trace};
use placed_texts::{outside, overlapping};
use proptest::prelude::*;

fn pages() -> Vec<(&'static str, Vec<Trace>)> {
    vec![
        ("delete-million", vec![synthetic::delete_million()]),
        ("spike", vec![synthetic::spike()]),
        ("steady", vec![synthetic::steady()]),
        ("killed", vec![synthetic::killed()]),
        ("crowded", vec![synthetic::crowded(9, 9)]),
        ("very-crowded", vec![synthetic::crowded(40, 40)]),
        ("empty", vec![empty()]),
        ("one-sample", vec![one_sample()]),
        ("sweep", synthetic::steady_sweep()),
        ("sweep-of-two", synthetic::steady_sweep().split_off(3)),
        ("sweep-of-eight", sweep_of_eight()),
        ("sweep-of-spikes", vec![synthetic::spike(), synthetic::spike()]),
        (
            "sweep-of-the-killed",
            vec![synthetic::killed(), synthetic::steady(), synthetic::killed(), synthetic::killed()],
        ),
        ("sweep-of-the-empty", vec![empty(), one_sample(), synthetic::killed()]),
    ]
}

fn sweep_of_eight() -> Vec<Trace> {
    let mut traces = synthetic::steady_sweep();
    traces.extend(synthetic::steady_sweep().into_iter().take(3));
    traces
}

fn empty() -> Trace {
    let mut trace = synthetic::spike();
    trace.samples.clear();
    trace
}

fn one_sample() -> Trace {
    let mut trace = synthetic::Script { title: "one sample", ..synthetic::Script::default() }.trace();
    trace.samples.push(Sample {
        t_ns: 5,
        rss_bytes: 3 << 20,
        heap_alloc_bytes: 2 << 20,
        ..Sample::default()
    });
    trace
}

#[test]
fn no_text_overlaps_another_or_leaves_the_page() {
    let small = Style { width_px: 1280, height_px: 720, ..Style::default() };
    for (name, traces) in pages() {
        for style in [Style::default(), small.clone()] {
            let texts = chart::placed_texts(&traces, &style).unwrap();
            assert_eq!(overlapping(&texts), [], "{name} at {} px", style.width_px);
            assert_eq!(outside(&texts, &style), Vec::<&PlacedText>::new(), "{name} at {} px", style.width_px);
        }
    }
}

#[test]
fn a_timeline_says_what_a_newcomer_needs() {
    let texts = chart::placed_texts(&[synthetic::delete_million()], &Style::default()).unwrap();
    let says = |words: &str| texts.iter().any(|text| text.text.contains(words));
    for words in [
        "Why is the memory still there?",
        "GOGC 100 · GOMEMLIMIT off · 2 Ps",
        "RSS 3.1 MiB",
        "HeapAlloc",
        "heap goal 4 MiB",
        "free, kept by Go",
        "live at last GC",
        "free-os-memory",
        "given back 42.1 MiB",
        "8 GCs: 5 forced",
        "541 ms",
        "each step has its own",
        "the bucket array is one live object",
    ] {
        assert!(says(words), "the page does not say {words:?}");
    }
}

#[test]
fn a_kill_is_a_sentence() {
    let texts = chart::placed_texts(&[synthetic::killed()], &Style::default()).unwrap();
    assert!(texts.iter().any(|text| text.text.starts_with("OOM kill: 256 MiB resident")), "{texts:?}");
}

#[test]
fn a_comparison_names_each_run_by_what_differs() {
    let texts = chart::placed_texts(&synthetic::steady_sweep(), &Style::default()).unwrap();
    for name in ["GOGC 50", "GOGC 100", "GOGC 200", "GOGC 400", "GOGC off · limit 120 MiB"] {
        // Its panel, its point and its row of the table.
        assert_eq!(texts.iter().filter(|text| text.text == name).count(), 3, "{name}");
    }
}

#[test]
fn the_same_traces_give_the_same_bytes() {
    for (name, traces) in pages() {
        let style = Style::default();
        let first = chart::render_png_bytes(&traces, &style).unwrap();
        assert!(first == chart::render_png_bytes(&traces, &style).unwrap(), "{name} differs");
        assert!(first.starts_with(b"\x89PNG"));
    }
}

#[test]
fn themes_change_colours_and_nothing_else() {
    let traces = [synthetic::spike()];
    let dark = Style { theme: &DARK, ..Style::default() };
    assert_ne!(chart::render(&traces, &dark).unwrap(), chart::render(&traces, &Style::default()).unwrap());
    assert_eq!(
        chart::placed_texts(&traces, &dark).unwrap(),
        chart::placed_texts(&traces, &Style::default()).unwrap()
    );
}

#[test]
fn a_million_samples_draw_like_a_few() {
    let mut trace = synthetic::steady();
    let last = trace.samples.last().unwrap().clone();
    trace.samples.extend((0..1_000_000).map(|index| {
        let heap_alloc_bytes = last.heap_alloc_bytes - index * 7919 % (100 << 20);
        Sample { t_ns: last.t_ns + index * 1000, heap_alloc_bytes, ..last.clone() }
    }));
    assert!(chart::render(&[trace], &Style::default()).is_ok());
}

#[test]
fn numbers_at_the_end_of_their_range_are_drawn() {
    let mut trace = synthetic::spike();
    for sample in &mut trace.samples {
        sample.heap_goal_bytes = Some(u64::MAX);
    }
    trace.config.memory_limit_bytes = Some(u64::MAX);
    trace.summary.duration_ns = u64::MAX / 4;
    trace.steps.push(StepMark { t_ns: u64::MAX, label: "never".to_owned() });
    let texts = chart::placed_texts(&[trace], &Style::default()).unwrap();
    assert_eq!(overlapping(&texts), []);
}

#[test]
fn a_missing_directory_is_an_error_and_nothing_is_left_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing/chart.png");
    let error = chart::render_png(&[synthetic::spike()], &path).unwrap_err();
    assert!(matches!(&error, ChartError::Write { path: told, .. } if *told == path), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_chart_replaces_an_older_one_and_leaves_only_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("chart.png");
    std::fs::write(&path, "old").unwrap();
    chart::render_png(&[synthetic::killed()], &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes == chart::render_png_bytes(&[synthetic::killed()], &Style::default()).unwrap());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_reason() {
    let style = Style::default();
    assert_eq!(chart::render(&[], &style).unwrap_err().to_string(), "a chart needs at least one trace");
    let nine = vec![empty(); 9];
    assert!(chart::render(&nine, &style).unwrap_err().to_string().contains("at most 8"));
    let tiny = Style { width_px: 320, height_px: 200, ..style };
    assert!(chart::render(&[empty()], &tiny).unwrap_err().to_string().contains("at least 1280 by 720"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_scenario_makes_labels_overlap(
        steps in prop::collection::vec((0u64..9_000_000_000, "[a-z0-9 ,]{0,40}"), 0..30),
        snapshots in prop::collection::vec((0u64..9_000_000_000, "[a-z ]{0,30}"), 0..40),
        limits in (prop::option::of(1u64..400), prop::option::of(1u64..400)),
        title in "[A-Za-z ?]{0,200}",
        width_px in 1280u32..2000,
        height_px in 720u32..1200,
    ) {
        let mut trace = synthetic::delete_million();
        let template = trace.snapshots[0].clone();
        trace.title = title.clone();
        trace.question = title;
        trace.steps = steps.into_iter().map(|(t_ns, label)| StepMark { t_ns: t_ns / 10, label }).collect();
        trace.steps.sort_by_key(|step| step.t_ns);
        trace.snapshots = snapshots
            .into_iter()
            .map(|(t_ns, label)| gclab::trace::Snapshot { t_ns: t_ns / 10, label, ..template.clone() })
            .collect();
        trace.snapshots.sort_by_key(|snapshot| snapshot.t_ns);
        trace.config.memory_limit_bytes = limits.0.map(|mib| mib << 20);
        trace.config.machine_memory_bytes = limits.1.map(|mib| mib << 20);
        let style = Style { width_px, height_px, ..Style::default() };
        let texts = chart::placed_texts(&[trace], &style).unwrap();
        prop_assert_eq!(overlapping(&texts), vec![]);
        prop_assert_eq!(outside(&texts, &style), Vec::<&PlacedText>::new());
    }
}

/// Pictures to look at: `cargo test --test chart -- --ignored gallery`, then open `out/chart`.
#[test]
#[ignore = "writes pictures to look at into out/chart"]
fn gallery() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("out/chart");
    std::fs::create_dir_all(&directory).unwrap();
    let dark = Style { theme: &DARK, ..Style::default() };
    let bytes = chart::render_png_bytes(&[synthetic::delete_million()], &dark).unwrap();
    std::fs::write(directory.join("dark.png"), bytes).unwrap();
    for (name, traces) in pages() {
        let start = std::time::Instant::now();
        chart::render_png(&traces, &directory.join(format!("{name}.png"))).unwrap();
        println!("{name}: {:?}", start.elapsed());
    }
}
