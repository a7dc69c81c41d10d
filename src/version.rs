//! Which Go is simulated, and the facts that differ between versions.
//!
//! Every difference that the model honours is a method here, so that a reader finds all of them in one place and
//! no other module compares version numbers.
//!
//! Sources: `runtime/*` of Go 1.21.13, 1.23.9, 1.24.11, 1.25.5 and 1.27.3, linux/amd64.

use std::fmt;
use std::str::FromStr;

/// A simulated Go release. Patch levels are the ones the facts were read and measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GoVersion {
    /// Go 1.21 (1.21.13): classic maps with load factor 6, no malloc header.
    Go1_21,
    /// Go 1.23 (1.23.9): classic maps with load factor 6.5, malloc headers.
    #[default]
    Go1_23,
    /// Go 1.24 (1.24.11): Swiss maps, sync.Map as a hash trie, cleanups and weak pointers.
    Go1_24,
    /// Go 1.25 (1.25.5): Swiss maps that prune tombstones, cleanups with a queue of their own.
    Go1_25,
    /// Go 1.27 (1.27.3): Green Tea marking, a heap base chosen at random, scavenged spans that are not cleared again.
    Go1_27,
}

impl GoVersion {
    /// Every version that can be simulated, oldest first.
    pub const ALL: [GoVersion; 5] =
        [GoVersion::Go1_21, GoVersion::Go1_23, GoVersion::Go1_24, GoVersion::Go1_25, GoVersion::Go1_27];

    /// `"1.23"`.
    pub fn name(self) -> &'static str {
        match self {
            GoVersion::Go1_21 => "1.21",
            GoVersion::Go1_23 => "1.23",
            GoVersion::Go1_24 => "1.24",
            GoVersion::Go1_25 => "1.25",
            GoVersion::Go1_27 => "1.27",
        }
    }

    /// Whether pointerful objects above 512 B carry an 8-byte type header inside their slot, and smaller ones a
    /// pointer bitmap at the end of their span (`runtime/mbitmap.go`, since 1.22).
    pub fn has_malloc_header(self) -> bool {
        self >= GoVersion::Go1_23
    }

    /// The largest request in bytes that is served from a size class; anything larger is a span of its own.
    pub fn max_small_size_bytes(self) -> u64 {
        match self {
            GoVersion::Go1_21 => 32768,
            _ => 32768 - 8,
        }
    }

    /// Whether `map[K]V` is a Swiss table (`internal/runtime/maps`, since 1.24) and no longer buckets with overflow chains.
    pub fn has_swiss_maps(self) -> bool {
        self >= GoVersion::Go1_24
    }

    /// Whether a Swiss map's small group of eight entries becomes a table even when the key that is assigned is present
    /// (`internal/runtime/maps/map.go` `PutSlot`, until 1.25).
    pub fn full_small_map_grows_on_update(self) -> bool {
        matches!(self, GoVersion::Go1_24 | GoVersion::Go1_25)
    }

    /// Whether a Swiss table without room first turns tombstones back into empty slots (`table.pruneTombstones`, since
    /// 1.25).
    pub fn prunes_tombstones(self) -> bool {
        self >= GoVersion::Go1_25
    }

    /// Whether it does so for pointer keys, too, whose fast path forgot it in 1.25 (`runtime_fast64.go`).
    pub fn prunes_tombstones_of_pointer_keys(self) -> bool {
        self >= GoVersion::Go1_27
    }

    /// Whether `clear` of a Swiss map without entries looks for tombstones, and skips tables that have neither
    /// (`Map.tombstonePossible`, since 1.25).
    pub fn clear_removes_lone_tombstones(self) -> bool {
        self >= GoVersion::Go1_25
    }

    // ---- what the compiler keeps on the stack ----

    /// Largest declared variable (`var x T`) in bytes that may lie on the stack: 128 KiB since 1.24, 10 MiB before
    /// (`cmd/compile/internal/ir/cfg.go` `MaxStackVarSize`).
    pub fn max_stack_variable_bytes(self) -> u64 {
        if self >= GoVersion::Go1_24 { 128 << 10 } else { 10 << 20 }
    }

    /// Largest `new(T)`, `&T{}` and `make([]T, constant)` in bytes that may lie on the stack (`MaxImplicitStackVarSize`).
    pub fn max_implicit_stack_bytes(self) -> u64 {
        64 << 10
    }

    /// Largest backing array in bytes that `make([]T, n)` may have on the stack when the compiler does not know `n`: since 1.25
    /// it keeps a buffer of 32 bytes there in case (`cmd/compile/internal/base/flag.go` `VariableMakeThreshold`).
    pub fn max_unknown_make_stack_bytes(self) -> u64 {
        if self >= GoVersion::Go1_25 { 32 } else { 0 }
    }

    // ---- goroutines, finalizers and what else programs keep ----

    /// Stack bytes of a goroutine that waits for a channel, and of each call with 256 bytes of variables above that, as the
    /// collector scans them (`/gc/scan/stack:bytes` of ten thousand).
    pub fn waiting_frame_bytes(self) -> u64 {
        match self {
            GoVersion::Go1_21 => 296,
            _ => 288,
        }
    }

    /// Whether there are `runtime.AddCleanup` and the package `weak`.
    pub fn has_cleanups(self) -> bool {
        self >= GoVersion::Go1_24
    }

    /// Bytes of the record of a finalizer, outside the heap (`runtime/mheap.go` `specialfinalizer`).
    pub fn finalizer_record_bytes(self) -> u64 {
        if self >= GoVersion::Go1_24 { 56 } else { 48 }
    }

    /// Bytes of the record of a cleanup (`specialCleanup`).
    pub fn cleanup_record_bytes(self) -> u64 {
        if self >= GoVersion::Go1_27 { 56 } else { 40 }
    }

    /// Bytes of the record of a weak pointer (`specialWeakHandle`).
    pub fn weak_record_bytes(self) -> u64 {
        32
    }

    /// Sizes of the objects that `runtime.AddCleanup` makes when the argument is an int: 40 bytes in 2 objects, 48 in 3, 32
    /// in 2 (measured; how the bytes are shared out is a guess but for their size classes).
    pub fn cleanup_objects_bytes(self) -> &'static [u64] {
        match self {
            GoVersion::Go1_25 => &[24, 16, 8],
            GoVersion::Go1_27 => &[24, 8],
            _ => &[24, 16],
        }
    }

    /// Bytes of the object behind a weak pointer: small enough to share a block of 16 bytes, which 1.27 keeps it from.
    pub fn weak_handle_bytes(self) -> u64 {
        if self >= GoVersion::Go1_27 { 16 } else { 8 }
    }

    /// Whether `sync.Map` is a hash trie (`internal/sync/hashtriemap.go`, since 1.24) and no longer two maps.
    pub fn has_sync_map_trie(self) -> bool {
        self >= GoVersion::Go1_24
    }

    /// Whether `sync.Map` has `Clear` (since 1.23).
    pub fn has_sync_map_clear(self) -> bool {
        self >= GoVersion::Go1_23
    }

    /// Numerator of the classic map's load factor over 2: 12 (1.21, an integer-division slip) or 13.
    pub fn map_load_factor_numerator(self) -> u64 {
        match self {
            GoVersion::Go1_21 => 12,
            _ => 13,
        }
    }

    /// Whether spans of slots from 16 to 512 B end in 128 B of mark bits of their own, and marking queues such spans rather
    /// than their objects (Green Tea, `runtime/mgcmark_greenteagc.go`; the default since 1.26 or 1.27).
    pub fn has_inline_marks(self) -> bool {
        self >= GoVersion::Go1_27
    }

    /// Whether the collector's look at many objects of a span at once counts whole slots as scan work: with the vector
    /// kernel of a processor that has AVX-512 (VBMI, BITALG, GFNI), which is the one simulated (`scanSpan`).
    pub fn counts_whole_slots_of_dense_spans(self) -> bool {
        self >= GoVersion::Go1_27
    }

    /// Whether the heap begins at a page chosen at random (`RandomizedHeapBase64`, `runtime/mheap.go` `grow`): the pages of
    /// the first chunk below it are never used, and counted as released.
    pub fn has_random_heap_base(self) -> bool {
        self >= GoVersion::Go1_27
    }

    /// Whether a span whose pages were all given back is known to be zeroed by the kernel (`runtime/mheap.go` `initSpan`).
    /// Before, it was cleared once more, and became resident as a whole.
    pub fn trusts_scavenged_pages_to_be_zero(self) -> bool {
        self >= GoVersion::Go1_27
    }

    /// Whether a large allocation tests the trigger before it clears its memory (`mallocgcLarge`, since 1.24), so that the
    /// clearing falls into the cycle.
    pub fn tests_trigger_before_clearing(self) -> bool {
        self >= GoVersion::Go1_24
    }

    /// Bytes of a span descriptor (`mspan`), from debug info of real binaries; so are those below.
    pub fn mspan_bytes(self) -> u64 {
        match self {
            GoVersion::Go1_21 => 168,
            _ => 160,
        }
    }

    /// Bytes of one P's `mcache`.
    pub fn mcache_bytes(self) -> u64 {
        match self {
            GoVersion::Go1_21 | GoVersion::Go1_23 => 1200,
            GoVersion::Go1_24 | GoVersion::Go1_25 => 1208,
            GoVersion::Go1_27 => 2296,
        }
    }

    /// Bytes of a `p`, a heap object for each P after the first.
    pub fn p_bytes(self) -> u64 {
        match self {
            GoVersion::Go1_21 => 8912,
            GoVersion::Go1_23 => 8944,
            GoVersion::Go1_24 => 8952,
            GoVersion::Go1_25 => 9512,
            GoVersion::Go1_27 => 15_920,
        }
    }

    /// Bytes of a `g`, a goroutine's descriptor on the heap.
    pub fn g_bytes(self) -> u64 {
        match self {
            GoVersion::Go1_21 => 408,
            GoVersion::Go1_23 => 432,
            GoVersion::Go1_24 | GoVersion::Go1_25 => 440,
            GoVersion::Go1_27 => 456,
        }
    }

    /// Bytes of the descriptor of a 64 MiB arena (`heapArena`): span table and bitmaps; in 1.21 a bit for each heap word too.
    pub fn heap_arena_bytes(self) -> u64 {
        match self {
            GoVersion::Go1_21 => 1_133_584,
            GoVersion::Go1_23 | GoVersion::Go1_24 => 68_624,
            GoVersion::Go1_25 | GoVersion::Go1_27 => 69_648,
        }
    }

    /// What the memory limit is multiplied by for the background scavenger's goal: 0.95, but 95 in 1.21 (a slip, so that
    /// the goal is never active; `runtime/mgcscavenge.go` `gcPaceScavenger`).
    pub fn scavenge_limit_factor(self) -> f64 {
        match self {
            GoVersion::Go1_21 => 100.0 - 5.0,
            _ => 1.0 - 5.0 / 100.0,
        }
    }
}

/// Why a text is not a Go version that gclab simulates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a Go version gclab simulates; accepted: \"1.21\", \"1.23\", \"1.24\", \"1.25\" and \"1.27\" (patch levels such as \"1.23.9\" too)"
)]
pub struct VersionError {
    /// The text as it was given.
    pub text: String,
}

impl FromStr for GoVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let trimmed = text.trim();
        let bare = trimmed.strip_prefix("go").unwrap_or(trimmed);
        GoVersion::ALL
            .into_iter()
            .find(|version| {
                bare.strip_prefix(version.name()).is_some_and(|rest| {
                    rest.is_empty()
                        || rest.strip_prefix('.').is_some_and(|patch| patch.parse::<u16>().is_ok())
                })
            })
            .ok_or_else(|| VersionError { text: text.to_owned() })
    }
}

impl fmt::Display for GoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_levels_name_their_release() {
        assert_eq!("1.23.9".parse(), Ok(GoVersion::Go1_23));
        assert_eq!("go1.21".parse(), Ok(GoVersion::Go1_21));
    }

    #[test]
    fn versions_that_are_not_simulated_are_refused() {
        for text in ["1.20", "1.22", "1.26", "1.28", "1.2", "1.230", "1.23.x", "", "2"] {
            assert!(text.parse::<GoVersion>().is_err(), "{text}");
        }
    }
}
