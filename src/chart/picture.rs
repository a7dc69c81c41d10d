//! A picture before it is painted: a list of marks in pixels, in drawing order.
//!
//! Charts are laid out as pictures and painted afterwards, so that tests can ask a picture what lies where.

use super::text::Font;
use super::theme::Ink;

/// A point in pixels, from the top left corner of the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Rightwards.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// A shorthand for points.
pub const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

/// An upright rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge, `>= left`.
    pub right: f32,
    /// Bottom edge, `>= top`.
    pub bottom: f32,
}

impl Area {
    /// Width in pixels.
    pub fn width(self) -> f32 {
        self.right - self.left
    }

    /// Height in pixels.
    pub fn height(self) -> f32 {
        self.bottom - self.top
    }

    /// The middle.
    pub fn center(self) -> Point {
        at((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    /// Whether the two share more than an edge.
    pub fn overlaps(self, other: Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// The area with every edge moved outwards by `margin_px`.
    pub fn grown(self, margin_px: f32) -> Area {
        Area {
            left: self.left - margin_px,
            top: self.top - margin_px,
            right: self.right + margin_px,
            bottom: self.bottom + margin_px,
        }
    }
}

/// How a line is broken, as a second sign beside its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// Long dashes.
    Long,
    /// Dots.
    Dots,
    /// Long, short, long, short.
    Mixed,
}

impl Dash {
    /// Lengths of ink and gap in turn, in units of the line's width; empty for solid.
    pub fn pattern(self) -> &'static [f32] {
        match self {
            Dash::Solid => &[],
            Dash::Long => &[4.0, 2.5],
            Dash::Dots => &[0.1, 2.2],
            Dash::Mixed => &[6.0, 2.2, 0.1, 2.2],
        }
    }
}

/// Which end of a text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The text begins there.
    Start,
    /// The text's middle is there.
    Middle,
    /// The text ends there.
    End,
}

/// One line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where the text is: its start, middle or end, halfway up a capital letter.
    pub anchor: Point,
    /// Which of them.
    pub align: Align,
    /// The face.
    pub font: Font,
    /// The colour.
    pub ink: Ink,
    /// The words.
    pub text: String,
}

impl Label {
    /// Where the text begins.
    pub fn left(&self) -> f32 {
        let width = self.font.width_px(&self.text);
        match self.align {
            Align::Start => self.anchor.x,
            Align::Middle => self.anchor.x - width / 2.0,
            Align::End => self.anchor.x - width,
        }
    }

    /// The room the text takes: one em high, around the middle of its capitals.
    pub fn area(&self) -> Area {
        let left = self.left();
        let half = self.font.em_px / 2.0;
        Area {
            left,
            top: self.anchor.y - half,
            right: left + self.font.width_px(&self.text),
            bottom: self.anchor.y + half,
        }
    }
}

/// A filled shape under a skyline: one top per pixel column.
#[derive(Clone, Debug, PartialEq)]
pub struct Skyline {
    /// The first pixel column.
    pub left: i32,
    /// Where the fill ends, in pixels.
    pub bottom: f32,
    /// Where it begins, one per column, in pixels.
    pub tops: Vec<f32>,
    /// The fill.
    pub ink: Ink,
}

/// Diagonal stripes between two skylines.
#[derive(Clone, Debug, PartialEq)]
pub struct Hatching {
    /// The first pixel column.
    pub left: i32,
    /// Top and bottom in pixels, one pair per column.
    pub spans: Vec<(f32, f32)>,
    /// The stripes.
    pub ink: Ink,
}

/// Something to draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A filled rectangle.
    Fill(Area, Ink),
    /// A line through points, with round ends and corners.
    Stroke {
        /// The corners.
        points: Vec<Point>,
        /// Thickness in pixels.
        width_px: f32,
        /// How it is broken.
        dash: Dash,
        /// The colour.
        ink: Ink,
    },
    /// A filled circle.
    Disc {
        /// The middle.
        center: Point,
        /// From the middle to the rim, in pixels.
        radius_px: f32,
        /// The colour.
        ink: Ink,
    },
    /// A filled shape under a skyline.
    Skyline(Skyline),
    /// Stripes.
    Hatching(Hatching),
    /// A line of text.
    Text(Label),
}

/// A page of marks.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// What is under everything.
    pub background: Ink,
    /// What to draw, from the lowest to the topmost.
    pub marks: Vec<Mark>,
}

impl Picture {
    /// An empty page.
    pub fn new(width_px: u32, height_px: u32, background: Ink) -> Picture {
        Picture { width_px, height_px, background, marks: Vec::new() }
    }

    /// Adds a filled rectangle.
    pub fn fill(&mut self, area: Area, ink: Ink) {
        self.marks.push(Mark::Fill(area, ink));
    }

    /// Adds a line.
    pub fn stroke(&mut self, points: Vec<Point>, width_px: f32, dash: Dash, ink: Ink) {
        self.marks.push(Mark::Stroke { points, width_px, dash, ink });
    }

    /// Adds a circle.
    pub fn disc(&mut self, center: Point, radius_px: f32, ink: Ink) {
        self.marks.push(Mark::Disc { center, radius_px, ink });
    }

    /// Adds a line of text and says which room it takes. An empty text adds nothing.
    pub fn text(&mut self, anchor: Point, align: Align, font: Font, ink: Ink, text: &str) -> Area {
        let label = Label { anchor, align, font, ink, text: text.to_owned() };
        let area = label.area();
        if !text.is_empty() {
            self.marks.push(Mark::Text(label));
        }
        area
    }

    /// Every text on the page.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.marks.iter().filter_map(|mark| match mark {
            Mark::Text(label) => Some(label),
            _ => None,
        })
    }
}
