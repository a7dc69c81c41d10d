//! A map seen through: the slots of its first buckets or groups, one by one, and how many slots of it are in which state.
//!
//! A slot is a letter in a text of eight: `#` full, `.` empty, `x` deleted, `>` evacuated.
//!
//! | state | buckets (up to Go 1.23) | groups (since Go 1.24) |
//! |---|---|---|
//! | full | a live entry | a live entry |
//! | empty | never used, or empty with nothing live behind it in its chain (`emptyRest`) | `ctrlEmpty` |
//! | deleted | a hole: empty, and something live follows (`emptyOne`) | a tombstone (`ctrlDeleted`) |
//! | evacuated | the entry has moved into the new array | - |

use serde::{Deserialize, Serialize};

/// How a map keeps its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapDesign {
    /// Buckets of eight slots with overflow chains, up to Go 1.23.
    Buckets,
    /// Tables of groups of eight slots, since Go 1.24.
    Groups,
}

/// The state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// It holds an entry.
    Full,
    /// It is empty, and a search may end here.
    Empty,
    /// Its entry was deleted, and a search goes on.
    Deleted,
    /// Its entry lies in the new array.
    Evacuated,
}

impl SlotState {
    /// Every state, in the order of the table.
    pub const ALL: [SlotState; 4] =
        [SlotState::Full, SlotState::Empty, SlotState::Deleted, SlotState::Evacuated];

    fn letter(self) -> u8 {
        match self {
            SlotState::Full => b'#',
            SlotState::Empty => b'.',
            SlotState::Deleted => b'x',
            SlotState::Evacuated => b'>',
        }
    }
}

/// Eight slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Slots(pub [SlotState; 8]);

impl From<Slots> for String {
    fn from(slots: Slots) -> String {
        slots.0.iter().map(|slot| char::from(slot.letter())).collect()
    }
}

/// Why a text is no eight slots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no bucket; accepted: eight of # . x >")]
pub struct SlotsError(String);

impl TryFrom<String> for Slots {
    type Error = SlotsError;

    fn try_from(text: String) -> Result<Slots, SlotsError> {
        let state = |letter: &u8| SlotState::ALL.into_iter().find(|state| state.letter() == *letter);
        let states: Option<Vec<SlotState>> = text.as_bytes().iter().map(state).collect();
        let slots = states.and_then(|states| states.try_into().ok());
        slots.map(Slots).ok_or_else(|| SlotsError(text.clone()))
    }
}

/// How many slots are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCounts {
    /// Full.
    pub full: u64,
    /// Empty.
    pub empty: u64,
    /// Deleted.
    pub deleted: u64,
    /// Evacuated.
    pub evacuated: u64,
}

impl SlotCounts {
    /// Counts eight slots.
    pub fn add(&mut self, slots: Slots) {
        for slot in slots.0 {
            *match slot {
                SlotState::Full => &mut self.full,
                SlotState::Empty => &mut self.empty,
                SlotState::Deleted => &mut self.deleted,
                SlotState::Evacuated => &mut self.evacuated,
            } += 1;
        }
    }

    /// These and `other` together.
    fn and(self, other: SlotCounts) -> SlotCounts {
        SlotCounts {
            full: self.full + other.full,
            empty: self.empty + other.empty,
            deleted: self.deleted + other.deleted,
            evacuated: self.evacuated + other.evacuated,
        }
    }

    /// All slots.
    pub fn total(&self) -> u64 {
        self.full + self.empty + self.deleted + self.evacuated
    }
}

/// Buckets of one generation of a map: its array, or the array that it moves out of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapArray {
    /// Main buckets, or groups.
    pub buckets: u64,
    /// Overflow buckets in use.
    pub overflow_buckets: u64,
    /// States of all slots.
    pub slots: SlotCounts,
    /// The first buckets, each with its overflow chain behind it; of groups, always alone.
    pub chains: Vec<Vec<Slots>>,
}

/// One of several maps that share the keys of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapShard {
    /// `len(m)`.
    pub len: u64,
    /// Bytes of the map: header, arrays, overflow buckets.
    pub bytes: u64,
    /// States of all slots, those of an old array too.
    pub slots: SlotCounts,
}

/// A map at one moment, or several behind locks of their own as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapXray {
    /// The snapshot at which it was taken.
    pub label: String,
    /// Virtual time in nanoseconds.
    pub t_ns: u64,
    /// The variable.
    pub variable: String,
    /// How it keeps its entries.
    pub design: MapDesign,
    /// `len(m)`.
    pub len: u64,
    /// Tables of groups; 0 for buckets and for a map of one group.
    pub tables: u64,
    /// Bytes of the map: header, arrays, overflow buckets.
    pub bytes: u64,
    /// Where entries are and will be.
    pub current: MapArray,
    /// What it moves out of while it grows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub old: Option<MapArray>,
    /// The maps that it consists of, if there are several; then nothing is kept slot by slot.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub shards: Vec<MapShard>,
}

impl MapXray {
    /// Slots of both arrays.
    pub fn all_slots(&self) -> SlotCounts {
        let old = self.old.as_ref().map_or(SlotCounts::default(), |old| old.slots);
        self.current.slots.and(old)
    }

    /// Maps that share the keys of one variable, as one. At least one.
    pub fn of_shards(maps: Vec<MapXray>) -> MapXray {
        let shards = maps
            .iter()
            .map(|map| MapShard { len: map.len, bytes: map.bytes, slots: map.all_slots() })
            .collect();
        let whole = maps.into_iter().reduce(|sum, map| MapXray {
            len: sum.len + map.len,
            tables: sum.tables + map.tables,
            bytes: sum.bytes + map.bytes,
            current: sum.current.and(map.current),
            old: match (sum.old, map.old) {
                (Some(sum), Some(map)) => Some(sum.and(map)),
                (sum, map) => sum.or(map),
            },
            ..sum
        });
        MapXray { shards, ..whole.expect("a variable of no maps has nothing to see") }
    }
}

impl MapArray {
    /// Both arrays together; none of it slot by slot.
    fn and(self, other: MapArray) -> MapArray {
        MapArray {
            buckets: self.buckets + other.buckets,
            overflow_buckets: self.overflow_buckets + other.overflow_buckets,
            slots: self.slots.and(other.slots),
            chains: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_written_as_eight_letters_and_read_back() {
        for text in ["#x.>####", "........"] {
            let slots = Slots::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(slots), text);
        }
        let mut counts = SlotCounts::default();
        counts.add(Slots::try_from("##x.>>>.".to_owned()).unwrap());
        assert_eq!(counts, SlotCounts { full: 2, empty: 2, deleted: 1, evacuated: 3 });
        assert_eq!(counts.total(), 8);
    }

    #[test]
    fn what_is_no_bucket_is_named() {
        for text in ["", "###", "#########", "#######?", "ééé.."] {
            let error = Slots::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(error.contains("eight of"), "{error}");
        }
    }
}
