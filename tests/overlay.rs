//! Overlays of a simulation over real runs: readable pages, whatever the numbers.

mod placed_texts;

use gclab::chart::{self, BandPoint, Overlay, OverlayPanel, PlacedText, Style};
use placed_texts::{outside, overlapping};
use proptest::prelude::*;

fn overlay(title: &str, real_name: &str, panel: OverlayPanel) -> Overlay {
    Overlay {
        title: title.to_owned(),
        subtitle: "delete-million – real Go 1.23.9 against the simulation, GOGC 100".to_owned(),
        real_name: real_name.to_owned(),
        heap_alloc: panel.clone(),
        rss: panel,
    }
}

fn panel(points: &[(u64, u64)]) -> OverlayPanel {
    let band = |(t_ns, bytes): &(u64, u64)| BandPoint { t_ns: *t_ns, low: bytes / 2, high: bytes * 2 };
    OverlayPanel {
        real: points.to_vec(),
        spread: points.iter().map(band).collect(),
        simulated: points.iter().map(|(t_ns, bytes)| (t_ns / 2, bytes + 1)).collect(),
    }
}

#[test]
fn a_page_names_both_sides_and_their_peaks() {
    let page = overlay("A map", "real Go 1.23.9, 3 runs", panel(&[(0, 0), (1_000_000, 40 << 20)]));
    let texts = chart::overlay_texts(&page, &Style::default()).unwrap();
    for words in ["A map", "real Go 1.23.9, 3 runs", "gclab, simulated", "HeapAlloc", "RSS", "80 MiB", "1 ms"]
    {
        assert!(texts.iter().any(|text| text.text.contains(words)), "{words} is missing: {texts:?}");
    }
}

#[test]
fn pages_without_samples_are_pages() {
    let page = overlay("", "", OverlayPanel::default());
    let image = chart::render_overlay(&page, &Style::default()).unwrap();
    assert_eq!(image.rgb.len(), 3 * 1600 * 900);
}

#[test]
fn the_same_overlay_gives_the_same_pixels_and_the_band_is_drawn() {
    let page = overlay("A map", "real Go", panel(&[(0, 10 << 20), (1_000_000, 40 << 20)]));
    let first = chart::render_overlay(&page, &Style::default()).unwrap();
    assert!(first == chart::render_overlay(&page, &Style::default()).unwrap());
    let mut alone = page;
    alone.rss.spread.clear();
    assert!(first != chart::render_overlay(&alone, &Style::default()).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_numbers_make_texts_overlap(
        mut points in prop::collection::vec((0u64..1 << 50, 0u64..1 << 40), 0..30),
        title in "[A-Za-z ?]{0,200}",
        real_name in "[A-Za-z0-9 .,]{0,90}",
        width_px in 1280u32..2000,
        height_px in 720u32..1200,
    ) {
        points.sort_unstable();
        let style = Style { width_px, height_px, ..Style::default() };
        let texts = chart::overlay_texts(&overlay(&title, &real_name, panel(&points)), &style).unwrap();
        prop_assert_eq!(overlapping(&texts), vec![]);
        prop_assert_eq!(outside(&texts, &style), Vec::<&PlacedText>::new());
    }
}
