//! Heat maps and fronts: every text has its place on the page, cells say what they are, and the same sweep gives the same bytes.

use gclab::chart::{
    DARK, FrontPage, FrontPoint, HeatCell, HeatMap, HeatPanel, PlacedText, Quantity, Style, SweepPage,
    render_sweep, sweep_texts,
};

const MIB: f64 = 1048576.0;

fn heat_map(panels: usize, columns: usize, rows: usize) -> SweepPage {
    let cell = |panel: usize, row: usize, column: usize| match (panel + row * 7 + column) % 11 {
        3 => HeatCell::Killed,
        7 => HeatCell::Nothing,
        _ => HeatCell::Value((64.0 + (row * columns + column) as f64 * 40.0) * MIB),
    };
    let panel = |panel: usize| HeatPanel {
        name: format!("Go 1.23 · {} Ps on 8 cores · container 512.00 MiB", panel + 1),
        cells: (0..rows).map(|row| (0..columns).map(|column| cell(panel, row, column)).collect()).collect(),
    };
    SweepPage::HeatMap(HeatMap {
        title: "Peak RSS in MiB, worst seed".to_owned(),
        subtitle: "Steady garbage over a live list – 2000 runs, 5 seeds each".to_owned(),
        quantity: Quantity::Bytes,
        columns_name: "GOGC".to_owned(),
        columns: (0..columns).map(|column| (10 + column * 49).to_string()).collect(),
        rows_name: "GOMEMLIMIT".to_owned(),
        rows: (0..rows).map(|row| format!("{}MiB", 4200 - row * 100)).collect(),
        panels: (0..panels).map(panel).collect(),
    })
}

fn front(points: usize, p99: bool) -> SweepPage {
    let point = |number: usize| FrontPoint {
        name: format!("GOGC {} · {}MiB", 10 + number * 13, 128 + number),
        peak_rss_bytes: ((80.0 * 1.2f64.powi(number as i32)) * MIB) as u64,
        gc_cpu_fraction: 0.4 / (number + 1) as f64,
        p99_ns: p99.then_some(100_000 * (number as u64 + 1)),
    };
    SweepPage::Front(FrontPage {
        title: "What memory buys: GC CPU against peak RSS".to_owned(),
        subtitle: "Steady garbage over a live list – 2000 runs".to_owned(),
        p99_of: "requests".to_owned(),
        best: (0..points).map(point).collect(),
        others: (0..points).map(|number| FrontPoint { gc_cpu_fraction: 0.3, ..point(number) }).collect(),
    })
}

fn pages() -> Vec<SweepPage> {
    vec![
        heat_map(1, 20, 10),
        heat_map(1, 1, 1),
        heat_map(1, 60, 40),
        heat_map(2, 5, 5),
        heat_map(4, 20, 10),
        heat_map(6, 9, 3),
        front(16, true),
        front(1, false),
        front(0, false),
    ]
}

#[track_caller]
fn assert_apart(texts: &[PlacedText], style: &Style) {
    for (index, one) in texts.iter().enumerate() {
        assert!(
            one.left_px >= 0.0
                && one.top_px >= 0.0
                && one.right_px <= style.width_px as f32
                && one.bottom_px <= style.height_px as f32,
            "{one:?} leaves the page"
        );
        for other in &texts[..index] {
            let apart = one.right_px <= other.left_px
                || other.right_px <= one.left_px
                || one.bottom_px <= other.top_px
                || other.bottom_px <= one.top_px;
            assert!(apart, "{one:?} lies on {other:?}");
        }
    }
}

#[test]
fn no_two_texts_overlap() {
    for style in [Style::default(), Style { width_px: 1280, height_px: 720, theme: &DARK }] {
        for page in pages() {
            assert_apart(&sweep_texts(&page, &style).unwrap(), &style);
        }
    }
}

#[test]
fn cells_carry_their_numbers_where_there_is_room() {
    let style = Style::default();
    let words = |page: &SweepPage| -> Vec<String> {
        sweep_texts(page, &style).unwrap().into_iter().map(|text| text.text).collect()
    };
    let roomy = words(&heat_map(1, 20, 10));
    assert!(
        roomy.contains(&"64".to_owned())
            && roomy.contains(&"OOM".to_owned())
            && roomy.contains(&"?".to_owned())
    );
    assert!(roomy.contains(&"GOMEMLIMIT".to_owned()) && roomy.contains(&"OOM kill".to_owned()));
    let tight = words(&heat_map(1, 60, 40));
    assert!(!tight.contains(&"OOM".to_owned()), "no room for words");
    let ends = words(&front(16, true));
    assert!(
        ends.contains(&"GOGC 10 · 128MiB".to_owned()) && ends.contains(&"GOGC 205 · 143MiB".to_owned()),
        "{ends:?}"
    );
    assert!(ends.iter().any(|text| text == "area: P99 of requests, at most 1.6 ms"), "{ends:?}");
}

#[test]
fn the_same_page_gives_the_same_pixels() {
    for page in pages() {
        let style = Style::default();
        assert_eq!(render_sweep(&page, &style).unwrap(), render_sweep(&page, &style).unwrap());
    }
}
