//! Charts of every kind: readable pages, the same bytes each time, and honest errors.

mod placed_texts;

use gclab::chart::{self, DARK, Format, Kind, PlacedText, Request, Style};
use gclab::scenario::{self, Detail, Overrides, RunOptions, Scenario};
use gclab::trace::{CloseUps, Recording, saved};
use gclab::version::GoVersion;
use placed_texts::{outside, overlapping};
use proptest::prelude::*;

/// A map that grows, loses half of its keys, and garbage under it.
const PROGRAM: &str = r#"
    title    = "A map and some garbage"
    question = "What is where?"
    answer   = "Here."
    vars     = { m = "map[int]int" }
    steps = [
        { snapshot = "start" },
        { make     = { var = "m" } },
        { insert   = { var = "m", keys = "0..30_000" } },
        { garbage  = { count = 30_000, size = "1KiB" } },
        { snapshot = "full" },
        { delete   = { var = "m", keys = "0..18_000" } },
        "gc",
        { snapshot = "emptied" },
        "free-os-memory",
        { snapshot = "freed" },
    ]
"#;

fn record(text: &str, version: GoVersion) -> Recording {
    let scenario = Scenario::parse("small.toml", text).unwrap();
    let settings =
        scenario.settings().overridden(&Overrides { version: Some(version), ..Overrides::default() });
    scenario::run_with(&scenario, &settings, RunOptions::with(Detail::CloseUps)).unwrap()
}

fn small(version: GoVersion) -> Recording {
    record(PROGRAM, version)
}

fn one_run_kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::Comparison)
}

fn assert_readable(run: &Recording, what: &str) {
    let small = Style { width_px: 1280, height_px: 720, ..Style::default() };
    for kind in one_run_kinds() {
        for style in [Style::default(), small.clone()] {
            let texts = match chart::chart_texts(std::slice::from_ref(run), &kind.into(), &style) {
                Ok(texts) => texts,
                Err(error) if kind == Kind::MapXray => {
                    assert!(error.to_string().contains("no map"), "{error}");
                    continue;
                }
                Err(error) => panic!("{what} as {kind}: {error}"),
            };
            assert_eq!(overlapping(&texts), [], "{what} as {kind} at {} px", style.width_px);
            assert_eq!(outside(&texts, &style), Vec::<&PlacedText>::new(), "{what} as {kind}");
        }
    }
}

#[test]
fn no_text_overlaps_another_or_leaves_the_page_in_any_kind() {
    assert_readable(&small(GoVersion::Go1_23), "buckets");
    assert_readable(&small(GoVersion::Go1_27), "groups");
    let nothing =
        "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nsteps = [{ sleep = \"1s\" }, { snapshot = \"x\" }]";
    assert_readable(&record(nothing, GoVersion::Go1_23), "nothing");
}

#[test]
fn the_same_run_gives_the_same_bytes_in_every_kind_and_format() {
    let (first, second) = (small(GoVersion::Go1_23), small(GoVersion::Go1_23));
    for kind in one_run_kinds().filter(|kind| *kind != Kind::HeapFilm) {
        for format in [Format::Png, Format::Svg] {
            let draw = |run: &Recording| {
                chart::draw(std::slice::from_ref(run), &kind.into(), &Style::default(), format).unwrap()
            };
            let bytes = draw(&first);
            assert!(bytes == draw(&second), "{kind} differs");
            let start: &[u8] = if format == Format::Png { b"\x89PNG" } else { b"<svg" };
            assert!(bytes.starts_with(start), "{kind}");
        }
    }
}

#[test]
fn the_dark_theme_changes_colours_and_no_words() {
    let run = [small(GoVersion::Go1_23)];
    let dark = Style { theme: &DARK, ..Style::default() };
    for kind in one_run_kinds().filter(|kind| *kind != Kind::HeapFilm) {
        let light_texts = chart::chart_texts(&run, &kind.into(), &Style::default()).unwrap();
        assert_eq!(chart::chart_texts(&run, &kind.into(), &dark).unwrap(), light_texts, "{kind}");
        let draw = |style| chart::draw(&run, &kind.into(), style, Format::Svg).unwrap();
        assert_ne!(draw(&dark), draw(&Style::default()), "{kind}");
    }
}

#[test]
fn svg_says_the_same_words_as_png() {
    let run = [small(GoVersion::Go1_23)];
    for kind in one_run_kinds().filter(|kind| *kind != Kind::HeapFilm) {
        let texts = chart::chart_texts(&run, &kind.into(), &Style::default()).unwrap();
        let svg = chart::draw(&run, &kind.into(), &Style::default(), Format::Svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert_eq!(svg.matches("aria-label=").count(), texts.len(), "{kind}");
    }
}

#[test]
fn a_film_is_a_png_that_moves() {
    // A small one: every frame is painted.
    let mut run = small(GoVersion::Go1_23);
    let film = &mut run.close_ups.as_mut().unwrap().film;
    film.truncate(3);
    let style = Style { width_px: 1280, height_px: 720, ..Style::default() };
    let film = |run: &Recording| {
        chart::draw(std::slice::from_ref(run), &Kind::HeapFilm.into(), &style, Format::Png).unwrap()
    };
    let bytes = film(&run);
    assert!(bytes.windows(4).any(|chunk| chunk == b"acTL"), "no animation control");
    assert_eq!(bytes.windows(4).filter(|chunk| *chunk == b"fcTL").count(), 3);
    assert!(bytes == film(&run));
    let error = chart::draw(&[run], &Kind::HeapFilm.into(), &style, Format::Svg).unwrap_err();
    assert!(error.to_string().contains("accepted: --format png"), "{error}");
}

#[test]
fn pages_say_what_they_show() {
    let run = [small(GoVersion::Go1_23)];
    let says = |kind: Kind, words: &[&str]| {
        let texts = chart::chart_texts(&run, &kind.into(), &Style::default()).unwrap();
        for word in words {
            assert!(
                texts.iter().any(|text| text.text.contains(word)),
                "{kind} does not say {word:?}: {texts:?}"
            );
        }
    };
    says(Kind::Timeline, &["runtime and code", "trigger: a GC starts", "mark"]);
    says(Kind::Pacer, &["overshoot", "utilization", "cons/mark", "goal", "trigger", "live", "peak", "worst"]);
    says(Kind::HeapMap, &["start", "full", "emptied", "freed", "free, kept by Go", "page of 8 KiB", "RSS"]);
    says(
        Kind::MapXray,
        &["full", "freed", "12,000 entries", "deleted, live slots follow", "overflow bucket"],
    );
    says(Kind::SizeClasses, &["1,024 B", "waste", "free slots", "at “full”"]);
    says(Kind::Pauses, &["Pauses: the world stands still", "Assists", "longest"]);
}

#[test]
fn maps_that_share_the_keys_of_a_variable_are_a_strip_each() {
    let sharded = PROGRAM.replace("\"map[int]int\"", "{ of = \"map[int]int\", shards = 5 }");
    for version in [GoVersion::Go1_23, GoVersion::Go1_27] {
        let run = record(&sharded, version);
        let maps = &run.close_ups.as_ref().unwrap().maps;
        let full = maps.iter().find(|map| map.label == "full").unwrap();
        assert_eq!((full.len, full.shards.len()), (30_000, 5));
        for shard in &full.shards {
            assert_eq!((shard.len, shard.slots.full), (6_000, 6_000));
            assert!(shard.bytes * 5 < full.bytes * 2, "{shard:?}");
        }
        assert_eq!(full.shards.iter().map(|shard| shard.bytes).sum::<u64>(), full.bytes);
        assert_readable(&run, "shards");
        let texts = chart::chart_texts(&[run], &Kind::MapXray.into(), &Style::default()).unwrap();
        for words in ["30,000 entries in 5 shards", "6,000", "2,400", "strips: the shards"] {
            assert!(texts.iter().any(|text| text.text.contains(words)), "{version}: {words}: {texts:?}");
        }
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_with_what_is_accepted() {
    let run = small(GoVersion::Go1_23);
    let refused = |runs: &[Recording], request: &Request| {
        chart::chart_texts(runs, request, &Style::default()).unwrap_err().to_string()
    };
    let plain = Recording { close_ups: None, ..run.clone() };
    for kind in Kind::ALL.into_iter().filter(|kind| kind.needs_close_ups()) {
        assert!(refused(std::slice::from_ref(&plain), &kind.into()).contains("--save-trace"), "{kind}");
    }
    for kind in one_run_kinds() {
        assert!(refused(&[run.clone(), run.clone()], &kind.into()).contains("there are 2"), "{kind}");
        assert_eq!(refused(&[], &kind.into()), "a chart needs at least one trace");
    }
    for kind in [Kind::HeapMap, Kind::MapXray, Kind::SizeClasses] {
        let request = Request { kind, at: vec!["ful".to_owned()] };
        let error = refused(std::slice::from_ref(&run), &request);
        assert!(
            error.contains("\"ful\"") && error.contains("accepted:") && error.contains("\"full\""),
            "{error}"
        );
    }
    let two = Request { kind: Kind::SizeClasses, at: vec!["full".to_owned(), "start".to_owned()] };
    assert!(refused(std::slice::from_ref(&run), &two).contains("at most 1"));
}

#[test]
fn close_ups_change_nothing_and_add_up() {
    for version in [GoVersion::Go1_21, GoVersion::Go1_23, GoVersion::Go1_24, GoVersion::Go1_27] {
        let scenario = Scenario::parse("small.toml", PROGRAM).unwrap();
        let settings =
            scenario.settings().overridden(&Overrides { version: Some(version), ..Overrides::default() });
        let plain = scenario::run(&scenario, &settings).unwrap();
        let run = scenario::run_with(&scenario, &settings, RunOptions::with(Detail::CloseUps)).unwrap();
        let as_text = |trace| saved::to_text(&[Recording { trace, close_ups: None }]);
        assert!(as_text(run.trace.clone()) == as_text(plain), "{version}: looking changed the run");
        add_up(&run, version);
    }
}

fn add_up(run: &Recording, version: GoVersion) {
    use gclab::trace::{Backing, PageState, PageUse};
    const PAGE_BYTES: u64 = 8192;
    let close_ups = run.close_ups.as_ref().unwrap();
    let snapshots = &run.trace.snapshots;
    assert_eq!(close_ups.moments.len(), snapshots.len());
    for ((frame, classes), snapshot) in close_ups.moments.iter().zip(&close_ups.size_classes).zip(snapshots) {
        let what = format!("{version} at {}", snapshot.label);
        let stats = &snapshot.mem_stats;
        let bytes = |uses: &[PageUse]| {
            let pages = |usage: &PageUse| {
                [Backing::Resident, Backing::Absent]
                    .map(|backing| frame.pages.count(PageState { usage: *usage, backing }))
                    .iter()
                    .sum::<u64>()
            };
            uses.iter().map(pages).sum::<u64>() * PAGE_BYTES
        };
        let heap = [PageUse::SmallScan, PageUse::SmallNoscan, PageUse::LargeScan, PageUse::LargeNoscan];
        assert_eq!(bytes(&heap), stats.heap_inuse, "{what}: HeapInuse");
        assert_eq!(bytes(&[PageUse::Stack]), stats.stack_inuse, "{what}: StackInuse");
        let idle = [PageUse::Free, PageUse::Released, PageUse::Reserved];
        assert_eq!(bytes(&idle), stats.heap_idle, "{what}: HeapIdle");
        assert_eq!(bytes(&idle[1..]), stats.heap_released, "{what}: HeapReleased");
        let rows = &classes.rows;
        assert_eq!(rows.iter().map(|row| row.span_bytes).sum::<u64>(), stats.heap_inuse, "{what}: spans");
        assert_eq!(rows.iter().map(|row| row.object_bytes).sum::<u64>(), stats.heap_alloc, "{what}: objects");
        for row in rows {
            let parts = row.object_bytes + row.free_slot_bytes + row.tail_bytes;
            assert_eq!(parts, row.span_bytes, "{what}: class {}", row.elem_bytes);
        }
    }
    for map in &close_ups.maps {
        let old = map.old.as_ref().map_or(0, |old| old.slots.full);
        assert_eq!(map.current.slots.full + old, map.len, "{version}: {}", map.label);
    }
    assert!(close_ups.film.len() > 20 && close_ups.film.len() <= CloseUps::MOST_FRAMES);
    assert!(close_ups.film.windows(2).all(|pair| pair[0].t_ns <= pair[1].t_ns));
    assert_eq!(close_ups.pauses.count, 2 * run.trace.cycles.len() as u64);
    assert_eq!(close_ups.pauses.max_ns, run.trace.summary.max_pause_ns);
    assert_eq!(close_ups.pauses.bins.iter().map(|(_, count)| count).sum::<u64>(), close_ups.pauses.count);
}

#[test]
fn a_saved_run_is_read_back_bit_for_bit() {
    for version in [GoVersion::Go1_23, GoVersion::Go1_27] {
        let runs = [small(version), small(version).trace.into()];
        let text = saved::to_text(&runs);
        let read = saved::from_text(&text).unwrap();
        assert!(saved::to_text(&read) == text, "{version}: what was read differs from what was saved");
        assert_eq!(read[0].close_ups, runs[0].close_ups);
        assert_eq!(read[1].close_ups, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_saved_run_makes_labels_overlap(
        cycles in prop::collection::vec((0u64..1 << 34, 0u64..1 << 34, 0u64..1 << 36, 0f64..50.0), 0..120),
        pauses in prop::collection::vec(1u64..1 << 40, 0..40),
        title in "[A-Za-z ?]{0,120}",
        width_px in 1280u32..2000,
        height_px in 720u32..1200,
    ) {
        let mut run = RUN.clone();
        let template = run.trace.cycles[0].clone();
        run.trace.title = title;
        run.trace.cycles = cycles.iter().enumerate().map(|(index, (live, peak, goal, cons_mark))| {
            let mut cycle = template.clone();
            cycle.number = index as u32 + 1;
            (cycle.heap_marked_bytes, cycle.heap_end_bytes, cycle.goal_bytes) = (*live, *peak, *goal);
            (cycle.trigger_bytes, cycle.cons_mark) = (goal / 2, *cons_mark);
            cycle
        }).collect();
        let close_ups = run.close_ups.as_mut().unwrap();
        let mut counter = gclab::trace::DurationCounter::default();
        pauses.iter().for_each(|ns| counter.add(*ns));
        close_ups.assists = counter.durations();
        let style = Style { width_px, height_px, ..Style::default() };
        for kind in [Kind::Pacer, Kind::Pauses, Kind::HeapMap, Kind::MapXray, Kind::SizeClasses] {
            let texts = chart::chart_texts(std::slice::from_ref(&run), &kind.into(), &style).unwrap();
            prop_assert_eq!(overlapping(&texts), vec![], "{}", kind);
            prop_assert_eq!(outside(&texts, &style), Vec::<&PlacedText>::new(), "{}", kind);
        }
    }
}

static RUN: std::sync::LazyLock<Recording> = std::sync::LazyLock::new(|| small(GoVersion::Go1_23));
