//! Text: the fonts that travel with the binary, how wide a text is, and where it may break.
//!
//! No system font is ever looked up: a chart has the same bytes on every machine. The faces are IBM Plex Sans
//! Condensed, unmodified, under the SIL Open Font License (`assets/fonts/OFL.txt`).
//!
//! Glyphs are placed by `ab_glyph` with sub-pixel advances and their side bearings, which plotters' own text drawing
//! leaves out (0.3.7: letters touch, words run together).

use std::sync::LazyLock;

use std::fmt::Write as _;

use ab_glyph::{Font as _, FontRef, Glyph, GlyphId, OutlineCurve, PxScale, ScaleFont as _, point};

/// How strongly letters are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Running text.
    Regular,
    /// Names and titles.
    Bold,
}

/// A face at a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Font {
    /// Size of the em square in pixels.
    pub em_px: f32,
    /// Weight of the face.
    pub weight: Weight,
}

/// A regular face at `em_px`.
pub const fn regular(em_px: f32) -> Font {
    Font { em_px, weight: Weight::Regular }
}

/// A bold face at `em_px`.
pub const fn bold(em_px: f32) -> Font {
    Font { em_px, weight: Weight::Bold }
}

static REGULAR: LazyLock<FontRef<'static>> =
    LazyLock::new(|| face(include_bytes!("../../assets/fonts/IBMPlexSansCondensed-Regular.ttf")));
static BOLD: LazyLock<FontRef<'static>> =
    LazyLock::new(|| face(include_bytes!("../../assets/fonts/IBMPlexSansCondensed-SemiBold.ttf")));

fn face(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("a bundled font is a valid TrueType file")
}

/// Height of a capital letter in ems (IBM Plex Sans Condensed: 698 of 1000 units).
const CAP_HEIGHT_EM: f32 = 0.698;
/// Distance between the baselines of two lines in ems.
pub const LINE_EM: f32 = 1.22;
/// What stands at the end of a text that was cut.
const ELLIPSIS: &str = "…";

impl Font {
    fn face(self) -> &'static FontRef<'static> {
        match self.weight {
            Weight::Regular => &REGULAR,
            Weight::Bold => &BOLD,
        }
    }

    /// `ab_glyph` scales by the height from descender to ascender, designers by the em.
    fn scale(self) -> PxScale {
        let face = self.face();
        let units_per_em = face.units_per_em().expect("a bundled font has an em");
        PxScale::from(self.em_px * face.height_unscaled() / units_per_em)
    }

    /// Distance between the baselines of two lines in pixels.
    pub fn line_px(self) -> f32 {
        self.em_px * LINE_EM
    }

    /// Distance from the middle of a capital letter down to the baseline in pixels.
    pub fn middle_to_baseline_px(self) -> f32 {
        self.em_px * CAP_HEIGHT_EM / 2.0
    }

    /// Width of `text` on one line in pixels.
    pub fn width_px(self, text: &str) -> f32 {
        let face = self.face().as_scaled(self.scale());
        let mut previous = None;
        let mut width = 0.0;
        for character in text.chars() {
            let glyph = face.glyph_id(character);
            width += previous.map_or(0.0, |left| face.kern(left, glyph)) + face.h_advance(glyph);
            previous = Some(glyph);
        }
        width
    }

    /// Calls `plot(x, y, coverage)` for every pixel that `text` touches, from `x_px` on the baseline at `y_px`.
    pub fn rasterize(self, text: &str, x_px: f32, y_px: f32, mut plot: impl FnMut(i32, i32, f32)) {
        let face = self.face().as_scaled(self.scale());
        let mut previous = None;
        let mut x = x_px;
        for character in text.chars() {
            let id = face.glyph_id(character);
            x += previous.map_or(0.0, |left| face.kern(left, id));
            let glyph: Glyph = id.with_scale_and_position(self.scale(), point(x, y_px));
            if let Some(outline) = self.face().outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
                outline.draw(|dx, dy, coverage| plot(left + dx as i32, top + dy as i32, coverage));
            }
            x += face.h_advance(id);
            previous = Some(id);
        }
    }

    /// Units of the em square: what [`Font::glyphs`] and [`Font::outline`] measure in.
    pub fn units_per_em(self) -> f32 {
        self.face().units_per_em().expect("a bundled font has an em")
    }

    /// The number of each glyph of `text` and how far from the text's beginning it stands, in units of the face.
    pub fn glyphs(self, text: &str) -> Vec<(u16, f32)> {
        let face = self.face();
        let (mut x, mut previous) = (0.0, None);
        let mut glyphs = Vec::new();
        for character in text.chars() {
            let id = face.glyph_id(character);
            x += previous.map_or(0.0, |left| face.kern_unscaled(left, id));
            glyphs.push((id.0, x));
            x += face.h_advance_unscaled(id);
            previous = Some(id);
        }
        glyphs
    }

    /// The outline of a glyph as the path of an SVG, upwards in units of the face; `None` for a blank.
    pub fn outline(self, glyph: u16) -> Option<String> {
        let outline = self.face().outline(GlyphId(glyph))?;
        let mut path = String::new();
        let mut last = None;
        for curve in &outline.curves {
            let (from, to) = match curve {
                OutlineCurve::Line(from, to)
                | OutlineCurve::Quad(from, _, to)
                | OutlineCurve::Cubic(from, _, _, to) => (*from, *to),
            };
            if last != Some(from) {
                let _ = write!(path, "{}M{} {}", if path.is_empty() { "" } else { "Z" }, from.x, from.y);
            }
            let _ = match curve {
                OutlineCurve::Line(..) => write!(path, "L{} {}", to.x, to.y),
                OutlineCurve::Quad(_, by, _) => write!(path, "Q{} {} {} {}", by.x, by.y, to.x, to.y),
                OutlineCurve::Cubic(_, by, and, _) => {
                    write!(path, "C{} {} {} {} {} {}", by.x, by.y, and.x, and.y, to.x, to.y)
                }
            };
            last = Some(to);
        }
        path.push('Z');
        (path.len() > 1).then_some(path)
    }

    /// `text`, cut with an ellipsis so that it is at most `max_px` wide; empty when not even that fits.
    pub fn elide(self, text: &str, max_px: f32) -> String {
        if self.width_px(text) <= max_px {
            return text.to_owned();
        }
        let mut kept = text.to_owned();
        while kept.pop().is_some() {
            let cut = format!("{}{ELLIPSIS}", kept.trim_end());
            if self.width_px(&cut) <= max_px && !kept.is_empty() {
                return cut;
            }
        }
        String::new()
    }

    /// Breaks `text` at spaces into lines of at most `max_px`; `None` when that takes more than `max_lines`, or a
    /// single word is wider than a line.
    pub fn wrap(self, text: &str, max_px: f32, max_lines: usize) -> Option<Vec<String>> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if let Some(line) = lines.last_mut() {
                let longer = format!("{line} {word}");
                if self.width_px(&longer) <= max_px {
                    *line = longer;
                    continue;
                }
            }
            if lines.len() == max_lines || self.width_px(word) > max_px {
                return None;
            }
            lines.push(word.to_owned());
        }
        Some(lines)
    }

    /// As [`Font::wrap`], but what does not fit is cut with an ellipsis.
    pub fn wrap_elided(self, text: &str, max_px: f32, max_lines: usize) -> Vec<String> {
        if let Some(lines) = self.wrap(text, max_px, max_lines) {
            return lines;
        }
        let mut words = text.split_whitespace().peekable();
        let mut lines = Vec::new();
        while words.peek().is_some() && lines.len() + 1 < max_lines {
            let mut line = words.next().unwrap_or_default().to_owned();
            while let Some(word) = words.peek() {
                let longer = format!("{line} {word}");
                if self.width_px(&longer) > max_px {
                    break;
                }
                line = longer;
                words.next();
            }
            lines.push(self.elide(&line, max_px));
        }
        let rest: Vec<&str> = words.collect();
        if !rest.is_empty() && max_lines > 0 {
            lines.push(self.elide(&rest.join(" "), max_px));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_fits_and_says_so() {
        let font = regular(20.0);
        let cut = font.elide("insert 1,000,000 keys into sessions", 120.0);
        assert!(font.width_px(&cut) <= 120.0);
        assert!(cut.ends_with(ELLIPSIS) && cut.starts_with("insert"), "{cut}");
        assert_eq!(font.elide("short", 120.0), "short");
        assert_eq!(font.elide("anything", 1.0), "");
    }

    #[test]
    fn lines_break_at_spaces_and_stay_within_the_width() {
        let font = regular(20.0);
        let lines = font.wrap("insert 1,000,000 keys into sessions", 130.0, 3).unwrap();
        assert!(lines.len() > 1 && lines.iter().all(|line| font.width_px(line) <= 130.0));
        assert_eq!(lines.join(" "), "insert 1,000,000 keys into sessions");
        assert_eq!(font.wrap("insert 1,000,000 keys into sessions", 130.0, 1), None);
        assert_eq!(font.wrap_elided("one two three four five six seven", 60.0, 2).len(), 2);
        assert!(font.wrap_elided("", 60.0, 2).is_empty());
    }

    #[test]
    fn every_character_that_charts_use_is_in_the_bundled_fonts() {
        for character in "…·–↑µ%/+,.0123456789×≥≤’".chars() {
            for font in [regular(20.0), bold(20.0)] {
                assert_ne!(font.face().glyph_id(character).0, 0, "{character:?} has no glyph");
            }
        }
    }
}
