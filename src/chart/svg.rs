//! A picture as SVG: the same marks as [`paint`](super::paint), as shapes instead of pixels.
//!
//! Letters are shapes too: every glyph that a page uses is defined once, in the units of its font, and used by number. So a page
//! looks the same wherever it is opened, with no font of the system. Each text carries its words as `aria-label`, for screen
//! readers and for whoever searches the file.
//!
//! plotters' own SVG backend (0.3.7) puts everything on whole pixels and asks the viewer's system for fonts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::paint::{HATCH_PERIOD_PX, HATCH_STRIPE_PX};
use super::picture::{Area, Dash, Hatching, Label, Mark, Picture, Point, Skyline};
use super::text::{Font, Weight};
use super::theme::Ink;

/// The picture as an SVG document; `title` is what it shows, in words.
pub fn document(picture: &Picture, title: &str) -> String {
    let mut page = Page::default();
    let (width, height) = (picture.width_px, picture.height_px);
    let whole = Area { left: 0.0, top: 0.0, right: width as f32, bottom: height as f32 };
    page.area(whole, picture.background);
    picture.marks.iter().for_each(|mark| page.mark(mark));
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\">\n<title>{}</title>\n<defs>\n",
        escaped(title)
    );
    for (name, path) in &page.glyphs {
        let _ = writeln!(text, "<path id=\"{name}\" d=\"{path}\"/>");
    }
    for (number, ink) in page.hatches.iter().enumerate() {
        text.push_str(&hatch(number, *ink));
    }
    text.push_str("</defs>\n");
    text.push_str(&page.body);
    text.push_str("</svg>\n");
    text
}

/// What has been written so far.
#[derive(Default)]
struct Page {
    body: String,
    /// Outlines by name, `r36` for glyph 36 of the regular face.
    glyphs: BTreeMap<String, String>,
    /// Colours of stripes; the index is the pattern's name.
    hatches: Vec<Ink>,
}

impl Page {
    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Fill(area, ink) => self.area(*area, *ink),
            Mark::Stroke { points, width_px, dash, ink } => self.stroke(points, *width_px, *dash, *ink),
            Mark::Disc { center, radius_px, ink } => {
                let (x, y, r) = (number(center.x), number(center.y), number(*radius_px));
                self.line(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" {}/>", fill(*ink)));
            }
            Mark::Skyline(skyline) => self.skyline(skyline),
            Mark::Hatching(hatching) => self.hatching(hatching),
            Mark::Text(label) => self.text(label),
        }
    }

    fn line(&mut self, line: &str) {
        self.body.push_str(line);
        self.body.push('\n');
    }

    /// A rectangle on whole pixels, as it is painted.
    fn area(&mut self, area: Area, ink: Ink) {
        let (left, top) = (area.left.round(), area.top.round());
        let (width, height) = (area.right.round() - left, area.bottom.round() - top);
        if width > 0.0 && height > 0.0 {
            let ink = fill(ink);
            self.line(&format!(
                "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" {ink}/>"
            ));
        }
    }

    fn stroke(&mut self, points: &[Point], width_px: f32, dash: Dash, ink: Ink) {
        let [first, rest @ ..] = points else { return };
        let mut path = format!("M{} {}", number(first.x), number(first.y));
        // A line to where it is becomes a dot, because of its round ends.
        for point in if rest.is_empty() { points } else { rest } {
            let _ = write!(path, "L{} {}", number(point.x), number(point.y));
        }
        let [red, green, blue] = ink.rgb;
        let mut line = format!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"#{red:02x}{green:02x}{blue:02x}\" stroke-width=\"{}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"",
            number(width_px)
        );
        if ink.alpha < 1.0 {
            let _ = write!(line, " stroke-opacity=\"{}\"", number(ink.alpha));
        }
        if dash != Dash::Solid {
            let lengths: Vec<String> =
                dash.pattern().iter().map(|length| number(length * width_px)).collect();
            let _ = write!(line, " stroke-dasharray=\"{}\"", lengths.join(" "));
        }
        line.push_str("/>");
        self.line(&line);
    }

    fn skyline(&mut self, skyline: &Skyline) {
        let bottom = skyline.bottom.round();
        let mut path = format!("M{} {bottom}", skyline.left);
        let mut right = skyline.left;
        for run in skyline.tops.chunk_by(|a, b| a == b) {
            right += run.len() as i32;
            let _ = write!(path, "V{}H{right}", number(run[0].min(bottom)));
        }
        if right > skyline.left {
            self.line(&format!("<path d=\"{path}V{bottom}Z\" {}/>", fill(skyline.ink)));
        }
    }

    fn hatching(&mut self, hatching: &Hatching) {
        let mut path = String::new();
        let mut left = hatching.left;
        for run in hatching.spans.chunk_by(|a, b| a == b) {
            let right = left + run.len() as i32;
            let (top, bottom) = (run[0].0, run[0].1.round());
            if top < bottom {
                let _ = write!(path, "M{left} {}H{right}V{bottom}H{left}Z", number(top));
            }
            left = right;
        }
        if path.is_empty() {
            return;
        }
        let index = self.hatches.iter().position(|ink| *ink == hatching.ink).unwrap_or_else(|| {
            self.hatches.push(hatching.ink);
            self.hatches.len() - 1
        });
        self.line(&format!("<path d=\"{path}\" fill=\"url(#hatch{index})\"/>"));
    }

    fn text(&mut self, label: &Label) {
        let Font { em_px, weight } = label.font;
        let baseline = (label.anchor.y + label.font.middle_to_baseline_px()).round();
        let scale = em_px / label.font.units_per_em();
        let mut line = format!(
            "<g transform=\"translate({} {baseline}) scale({scale:.5} -{scale:.5})\" {} aria-label=\"{}\">",
            number(label.left()),
            fill(label.ink),
            escaped(&label.text)
        );
        for (glyph, x_units) in label.font.glyphs(&label.text) {
            let Some(outline) = label.font.outline(glyph) else { continue };
            let face = match weight {
                Weight::Regular => 'r',
                Weight::Bold => 'b',
            };
            let name = format!("{face}{glyph}");
            let _ = write!(line, "<use href=\"#{name}\" x=\"{}\"/>", number(x_units));
            self.glyphs.entry(name).or_insert(outline);
        }
        line.push_str("</g>");
        self.line(&line);
    }
}

/// At most two decimals, and none that say nothing.
fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn fill(ink: Ink) -> String {
    let [red, green, blue] = ink.rgb;
    let colour = format!("fill=\"#{red:02x}{green:02x}{blue:02x}\"");
    if ink.alpha < 1.0 { format!("{colour} fill-opacity=\"{}\"", number(ink.alpha)) } else { colour }
}

/// The stripes where `x + y` modulo the period is below the stripe's width, as they are painted.
fn hatch(index: usize, ink: Ink) -> String {
    let (period, stripe) = (HATCH_PERIOD_PX, HATCH_STRIPE_PX);
    format!(
        "<pattern id=\"hatch{index}\" width=\"{period}\" height=\"{period}\" patternUnits=\"userSpaceOnUse\">\
         <path d=\"M0 0H{stripe}L0 {stripe}ZM{period} 0V{stripe}L{stripe} {period}H0Z\" {}/></pattern>\n",
        fill(ink)
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML has no way to write other control characters.
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::picture::{Align, at};
    use super::super::text::regular;
    use super::super::theme::{LIGHT, ink};
    use super::*;

    #[test]
    fn every_mark_is_written_and_words_are_found_again() {
        let mut picture = Picture::new(100, 50, LIGHT.background);
        picture.fill(Area { left: 1.4, top: 2.0, right: 11.4, bottom: 5.0 }, ink(1, 2, 3).with_alpha(0.5));
        picture.stroke(vec![at(0.0, 0.0), at(10.5, 0.25)], 2.0, Dash::Long, ink(0, 0, 0));
        picture.disc(at(5.0, 5.0), 3.0, ink(255, 0, 0));
        picture.text(at(5.0, 20.0), Align::Start, regular(20.0), LIGHT.text, "a < b & \"c\"");
        let spans = vec![(1.0, 9.0), (1.0, 9.0), (9.0, 1.0)];
        picture.marks.push(Mark::Hatching(Hatching { left: 3, spans, ink: ink(9, 9, 9) }));
        let tops = vec![4.5, 4.5, 8.0];
        picture.marks.push(Mark::Skyline(Skyline { left: 2, bottom: 10.0, tops, ink: ink(7, 7, 7) }));
        let text = document(&picture, "Why?");
        for part in [
            "<title>Why?</title>",
            "<rect x=\"1\" y=\"2\" width=\"10\" height=\"3\" fill=\"#010203\" fill-opacity=\"0.5\"/>",
            "d=\"M0 0L10.5 0.25\"",
            "stroke-dasharray=\"8 5\"",
            "<circle cx=\"5\" cy=\"5\" r=\"3\" fill=\"#ff0000\"/>",
            "aria-label=\"a &lt; b &amp; &quot;c&quot;\"",
            "d=\"M3 1H5V9H3Z\" fill=\"url(#hatch0)\"",
            "d=\"M2 10V4.5H4V8H5V10Z\"",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains("<text") && !text.contains("font-family"), "a font of the system");
        assert_eq!(text.matches("<g ").count(), text.matches("</g>").count());
    }
}
