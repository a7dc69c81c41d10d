//! Colours and type sizes: everything about a chart's looks that is not its layout.
//!
//! The hues are those of Okabe and Ito's palette (*Color Universal Design*, 2008), which people with any common
//! colour vision deficiency tell apart; fills are the same hues mixed with the background, so that the bold lines
//! stay the darkest things on the page. Colour is never the only sign: lines differ in dash and carry their name,
//! fills carry theirs, and the fill that matters most is hatched.

/// A colour with its opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// Red, green and blue, 0 to 255.
    pub rgb: [u8; 3],
    /// Opacity, 0 (nothing) to 1 (covers).
    pub alpha: f32,
}

/// An opaque colour.
pub const fn ink(red: u8, green: u8, blue: u8) -> Ink {
    Ink { rgb: [red, green, blue], alpha: 1.0 }
}

impl Ink {
    /// The same colour, see-through.
    pub const fn with_alpha(self, alpha: f32) -> Ink {
        Ink { rgb: self.rgb, alpha }
    }

    /// The colour with a share of `other`, 0 to 1, mixed in.
    pub fn mixed_with(self, other: Ink, share: f32) -> Ink {
        let mix =
            |own: u8, other: u8| (f32::from(own) * (1.0 - share) + f32::from(other) * share).round() as u8;
        let [red, green, blue] = std::array::from_fn(|index| mix(self.rgb[index], other.rgb[index]));
        Ink { rgb: [red, green, blue], alpha: self.alpha }
    }
}

/// Every colour on a page, by what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// The page.
    pub background: Ink,
    /// The plot area and every second step.
    pub panel: Ink,
    /// The steps in between.
    pub panel_alternate: Ink,
    /// Titles and values.
    pub text: Ink,
    /// Axis numbers, subtitles, remarks.
    pub text_quiet: Ink,
    /// Grid lines.
    pub grid: Ink,
    /// The borders between steps, and the axes.
    pub rule: Ink,
    /// RSS line.
    pub rss: Ink,
    /// HeapAlloc line.
    pub heap_alloc: Ink,
    /// Heap goal line.
    pub heap_goal: Ink,
    /// GOMEMLIMIT line.
    pub memory_limit: Ink,
    /// Container limit line and OOM kill.
    pub danger: Ink,
    /// GC cycles.
    pub gc: Ink,
    /// Fill: objects the last mark phase found reachable.
    pub marked: Ink,
    /// Fill: objects allocated since.
    pub fresh: Ink,
    /// Fill: dead objects not yet swept.
    pub dead: Ink,
    /// Fill: free slots and tails inside spans.
    pub waste: Ink,
    /// Fill: free pages that are still resident.
    pub free: Ink,
    /// Hatching over free pages.
    pub free_hatch: Ink,
    /// Fill: pages handed back lazily that the kernel has not taken.
    pub lazily_freed: Ink,
    /// Fill: stacks.
    pub stacks: Ink,
    /// Fill: the runtime's own structures and the binary.
    pub other: Ink,
    /// Pages of small objects without pointers.
    pub page_small: Ink,
    /// Pages of large objects without pointers.
    pub page_large: Ink,
}

/// Dark on white: for paper, projectors and daylight.
pub const LIGHT: Theme = Theme {
    background: ink(255, 255, 255),
    panel: ink(250, 250, 251),
    panel_alternate: ink(242, 244, 247),
    text: ink(20, 24, 31),
    text_quiet: ink(84, 92, 105),
    grid: ink(220, 224, 230),
    rule: ink(164, 171, 182),
    rss: ink(20, 24, 31),
    heap_alloc: ink(0, 98, 160),
    heap_goal: ink(0, 134, 98),
    memory_limit: ink(166, 84, 138),
    danger: ink(200, 70, 0),
    gc: ink(166, 84, 138),
    marked: ink(150, 203, 240),
    fresh: ink(207, 231, 248),
    dead: ink(246, 236, 140),
    waste: ink(233, 203, 221),
    free: ink(252, 222, 168),
    free_hatch: ink(240, 184, 84),
    lazily_freed: ink(254, 240, 214),
    stacks: ink(190, 226, 212),
    other: ink(205, 209, 216),
    page_small: ink(112, 186, 236),
    page_large: ink(124, 204, 178),
};

/// Light on near-black, for dark pages and dark rooms.
pub const DARK: Theme = Theme {
    background: ink(20, 22, 27),
    panel: ink(28, 31, 38),
    panel_alternate: ink(36, 40, 48),
    text: ink(240, 242, 246),
    text_quiet: ink(170, 178, 190),
    grid: ink(56, 61, 71),
    rule: ink(104, 112, 126),
    rss: ink(250, 250, 250),
    heap_alloc: ink(96, 190, 245),
    heap_goal: ink(60, 200, 155),
    memory_limit: ink(222, 150, 194),
    danger: ink(255, 130, 60),
    gc: ink(222, 150, 194),
    marked: ink(22, 84, 128),
    fresh: ink(36, 60, 84),
    dead: ink(110, 102, 24),
    waste: ink(98, 64, 84),
    free: ink(106, 74, 20),
    free_hatch: ink(168, 116, 26),
    lazily_freed: ink(70, 56, 34),
    stacks: ink(22, 92, 74),
    other: ink(74, 79, 88),
    page_small: ink(40, 112, 166),
    page_large: ink(28, 122, 96),
};

/// Em of the question at the top, in pixels.
pub const TITLE_PX: f32 = 42.0;
/// Em of the answer at the bottom when it fits two lines, in pixels.
pub const ANSWER_PX: f32 = 27.0;
/// Em of line names and values, in pixels.
pub const NAME_PX: f32 = 24.0;
/// Em of subtitles, in pixels.
pub const SUBTITLE_PX: f32 = 24.0;
/// Em of everything else, in pixels: nothing on a page is smaller.
pub const BODY_PX: f32 = 21.0;
