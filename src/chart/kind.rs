//! What a chart shows, and as what it is written.

use std::fmt;
use std::str::FromStr;

/// What a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One run: resident memory by owner over time, under HeapAlloc, goal and limits.
    Timeline,
    /// Several runs side by side, and the trade-off between them.
    Comparison,
    /// One run: goal, trigger and peak of every cycle, overshoot, utilization, cons/mark.
    Pacer,
    /// One run: the pages of the heap at chosen moments.
    HeapMap,
    /// One run: the pages of the heap, moving.
    HeapFilm,
    /// One run: the slots of a map at chosen moments.
    MapXray,
    /// One run: spans and waste by size class.
    SizeClasses,
    /// One run: how long pauses and assists took.
    Pauses,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Timeline,
        Kind::Comparison,
        Kind::Pacer,
        Kind::HeapMap,
        Kind::HeapFilm,
        Kind::MapXray,
        Kind::SizeClasses,
        Kind::Pauses,
    ];

    /// What shows so many runs best: a timeline, or from two on a comparison.
    pub fn for_runs(runs: usize) -> Kind {
        if runs < 2 { Kind::Timeline } else { Kind::Comparison }
    }

    /// As it is written on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Timeline => "timeline",
            Kind::Comparison => "comparison",
            Kind::Pacer => "pacer",
            Kind::HeapMap => "heap-map",
            Kind::HeapFilm => "heap-film",
            Kind::MapXray => "map-xray",
            Kind::SizeClasses => "size-classes",
            Kind::Pauses => "pauses",
        }
    }

    /// Whether it shows what only close-ups have.
    pub fn needs_close_ups(self) -> bool {
        !matches!(self, Kind::Timeline | Kind::Comparison | Kind::Pacer)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Kind, String> {
        Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            format!("{text:?} is no chart; accepted: {}", names.join(", "))
        })
    }
}

/// As what a chart is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Pixels. The film is a PNG that moves (APNG).
    #[default]
    Png,
    /// Shapes.
    Svg,
}

impl Format {
    /// The ending of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Svg => "svg",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        match text {
            "png" => Ok(Format::Png),
            "svg" => Ok(Format::Svg),
            _ => Err(format!("{text:?} is no format of charts; accepted: png, svg")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("pie".parse::<Kind>().unwrap_err().contains("accepted: timeline, comparison, pacer"));
        assert!("gif".parse::<Format>().unwrap_err().contains("accepted: png, svg"));
        assert_eq!((Kind::for_runs(1), Kind::for_runs(2)), (Kind::Timeline, Kind::Comparison));
    }
}
