//! A page map: what every page of the heap is used for at one moment, in address order.
//!
//! A heap of a gigabyte has 131,072 pages and far fewer changes between neighbours, so a map is a list of runs. In a saved trace
//! it is a line of text: a letter and a number of pages for each run, `S3 n12 f500`.
//!
//! | letter | pages |
//! |---|---|
//! | `s` | of spans of small objects with pointers |
//! | `n` | of spans of small objects without pointers |
//! | `l` | of a large object with pointers |
//! | `b` | of a large object without pointers |
//! | `k` | of stacks |
//! | `w` | of the collector's work buffers |
//! | `f` | free, kept by the process |
//! | `r` | free, given back to the system or never used |
//! | `x` | kept out of use for ever (the start of the heap since Go 1.27) |
//!
//! A capital says that at least one of its two physical pages is resident: `b` is a part of an array that nobody has written yet, `R`
//! was given back with MADV_FREE and the kernel has not taken it.
//!
//! Invariants: neighbouring runs differ, no run is empty.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a page is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PageUse {
    /// Small objects with pointers.
    SmallScan,
    /// Small objects without pointers.
    SmallNoscan,
    /// A part of a large object with pointers.
    LargeScan,
    /// A part of a large object without pointers.
    LargeNoscan,
    /// Stacks.
    Stack,
    /// The collector's work buffers.
    WorkBuffer,
    /// Nothing; kept by the process.
    Free,
    /// Nothing; given back, or never used.
    Released,
    /// Kept out of use.
    Reserved,
}

impl PageUse {
    /// Every use, in the order of the table of letters.
    pub const ALL: [PageUse; 9] = [
        PageUse::SmallScan,
        PageUse::SmallNoscan,
        PageUse::LargeScan,
        PageUse::LargeNoscan,
        PageUse::Stack,
        PageUse::WorkBuffer,
        PageUse::Free,
        PageUse::Released,
        PageUse::Reserved,
    ];

    fn letter(self) -> char {
        match self {
            PageUse::SmallScan => 's',
            PageUse::SmallNoscan => 'n',
            PageUse::LargeScan => 'l',
            PageUse::LargeNoscan => 'b',
            PageUse::Stack => 'k',
            PageUse::WorkBuffer => 'w',
            PageUse::Free => 'f',
            PageUse::Released => 'r',
            PageUse::Reserved => 'x',
        }
    }
}

/// Whether there is memory behind a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backing {
    /// At least one of its two physical pages is resident.
    Resident,
    /// None is.
    Absent,
}

/// The state of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageState {
    /// What for.
    pub usage: PageUse,
    /// Whether with memory.
    pub backing: Backing,
}

/// So many neighbouring pages in the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRun {
    /// Their state.
    pub state: PageState,
    /// How many, at least 1.
    pub pages: u64,
}

/// The state of every page of the heap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PageMap {
    runs: Vec<PageRun>,
}

impl PageMap {
    /// A map of these states, from the lowest address.
    pub fn of(states: impl IntoIterator<Item = PageState>) -> PageMap {
        let mut runs: Vec<PageRun> = Vec::new();
        for state in states {
            match runs.last_mut() {
                Some(run) if run.state == state => run.pages += 1,
                _ => runs.push(PageRun { state, pages: 1 }),
            }
        }
        PageMap { runs }
    }

    /// Runs of equal pages, from the lowest address.
    pub fn runs(&self) -> &[PageRun] {
        &self.runs
    }

    /// Pages of the heap.
    pub fn pages(&self) -> u64 {
        self.runs.iter().map(|run| run.pages).sum()
    }

    /// Pages in `state`.
    pub fn count(&self, state: PageState) -> u64 {
        self.runs.iter().filter(|run| run.state == state).map(|run| run.pages).sum()
    }
}

impl fmt::Display for PageMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, run) in self.runs.iter().enumerate() {
            let letter = run.state.usage.letter();
            let letter = match run.state.backing {
                Backing::Resident => letter.to_ascii_uppercase(),
                Backing::Absent => letter,
            };
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{letter}{}", run.pages)?;
        }
        Ok(())
    }
}

impl From<PageMap> for String {
    fn from(map: PageMap) -> String {
        map.to_string()
    }
}

/// Why a text is no page map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no run of pages; accepted: one of the letters snlbkwfrx, small or capital, and a number from 1 on"
)]
pub struct PageMapError(String);

impl FromStr for PageMap {
    type Err = PageMapError;

    fn from_str(text: &str) -> Result<PageMap, PageMapError> {
        let runs = text.split_ascii_whitespace().map(read_run).collect::<Result<_, _>>()?;
        Ok(PageMap { runs })
    }
}

impl TryFrom<String> for PageMap {
    type Error = PageMapError;

    fn try_from(text: String) -> Result<PageMap, PageMapError> {
        text.parse()
    }
}

fn read_run(word: &str) -> Result<PageRun, PageMapError> {
    let run = || {
        let letter = word.chars().next()?;
        let usage = PageUse::ALL.into_iter().find(|usage| usage.letter() == letter.to_ascii_lowercase())?;
        let backing = if letter.is_ascii_uppercase() { Backing::Resident } else { Backing::Absent };
        // More pages than 2^40 are no heap, and sums of them could overflow.
        let pages = word[1..].parse().ok().filter(|pages| (1..=1u64 << 40).contains(pages))?;
        Some(PageRun { state: PageState { usage, backing }, pages })
    };
    run().ok_or_else(|| PageMapError(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn state(number: usize) -> PageState {
        let backing = if number.is_multiple_of(2) { Backing::Resident } else { Backing::Absent };
        PageState { usage: PageUse::ALL[number / 2 % PageUse::ALL.len()], backing }
    }

    #[test]
    fn a_map_is_written_as_letters_and_numbers() {
        let map = PageMap::of([state(0), state(0), state(13), state(2)]);
        assert_eq!(map.to_string(), "S2 f1 N1");
        assert_eq!((map.pages(), map.count(state(0))), (4, 2));
    }

    #[test]
    fn what_is_no_run_is_named() {
        for text in ["q4", "S", "S0", "S-1", "4S", "S2 f", "é3", "S99999999999999999999"] {
            let error = text.parse::<PageMap>().unwrap_err().to_string();
            assert!(error.contains("snlbkwfrx"), "{text}: {error}");
        }
        assert_eq!("".parse::<PageMap>().unwrap(), PageMap::default());
    }

    proptest! {
        #[test]
        fn a_map_is_read_back_as_it_was(numbers in prop::collection::vec(0usize..18, 0..200)) {
            let map = PageMap::of(numbers.iter().map(|number| state(*number)));
            prop_assert_eq!(map.pages(), numbers.len() as u64);
            prop_assert!(map.runs().windows(2).all(|pair| pair[0].state != pair[1].state));
            prop_assert_eq!(map.to_string().parse::<PageMap>().unwrap(), map);
        }
    }
}
