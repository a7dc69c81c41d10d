//! Whether the texts of a page can be read: which overlap, and which leave it.

use gclab::chart::{PlacedText, Style};

/// Pairs of texts that overlap. A letter's side bearing is not ink: half a pixel of shared edge is none.
pub fn overlapping(texts: &[PlacedText]) -> Vec<(&str, &str)> {
    let overlap = |a: &PlacedText, b: &PlacedText| {
        a.left_px + 0.5 < b.right_px
            && b.left_px + 0.5 < a.right_px
            && a.top_px + 0.5 < b.bottom_px
            && b.top_px + 0.5 < a.bottom_px
    };
    let mut pairs = Vec::new();
    for (index, a) in texts.iter().enumerate() {
        let others = texts[index + 1..].iter().filter(|b| overlap(a, b));
        pairs.extend(others.map(|b| (a.text.as_str(), b.text.as_str())));
    }
    pairs
}

/// Texts that are not wholly on a page of this size.
pub fn outside<'t>(texts: &'t [PlacedText], style: &Style) -> Vec<&'t PlacedText> {
    let (width, height) = (style.width_px as f32, style.height_px as f32);
    let inside = |text: &&PlacedText| {
        text.left_px >= 0.0 && text.top_px >= 0.0 && text.right_px <= width && text.bottom_px <= height
    };
    texts.iter().filter(|text| !inside(text)).collect()
}
