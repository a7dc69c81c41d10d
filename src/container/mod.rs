//! Containers: what a Go program keeps its data in, built on the heap and nothing above it.
//!
//! A container knows how the Go runtime lays it out - which objects it allocates, when, how large, and which pointers
//! lie in which of them - and does all of that through the [`Mutator`](crate::heap::mutator::Mutator) door. Whether
//! behind that door stands a simulated process or a heap that only counts, it cannot tell.
//!
//! - [`map_type`] - how a map's key and elem types become bucket sizes and pointer layouts.
//! - [`bucket_map`] - the bucketed hash table that `map[K]V` was up to Go 1.23.
//! - [`swiss_map`] - the Swiss table that it is since Go 1.24.
//! - [`map`] - whichever of the two a Go version has.
//! - [`entry`] - what both do with one entry.
//! - [`bulk`] - what both do with many.
//! - [`xray`] - a map seen through, slot by slot.
//! - [`sync_map`] - `sync.Map`, as two maps (up to Go 1.23) and as a hash trie.
//! - [`sync_pool`] - `sync.Pool`.
//!
//! **Invariant.** A container never frees anything and never learns what was freed. It keeps its host-side bookkeeping
//! (key identities, which slots are live) beside the simulated objects and drops it when the *program* lets go of them; the
//! collector finds out on its own.

pub mod bucket_map;
pub mod bulk;
pub mod entry;
mod hash;
mod key_table;
pub mod map;
pub mod map_type;
mod slots;
pub mod swiss_map;
pub mod sync_map;
pub mod sync_pool;
pub mod xray;
