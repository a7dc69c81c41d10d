//! Containers: what a Go program keeps its data in, built on the heap and nothing above it.
//!
//! A container knows how the Go runtime lays it out - which objects it allocates, when, how large, and which pointers
//! lie in which of them - and does all of that through the [`Mutator`](crate::heap::mutator::Mutator) door. Whether
//! behind that door stands a simulated process or a heap that only counts, it cannot tell.
//!
//! - [`map_type`]: how a map's key and elem types become bucket sizes and pointer layouts.
//! - [`bucket_map`]: the bucketed hash table that `map[K]V` was up to Go 1.23.
//! - [`sync_map`]: `sync.Map`, as two maps (up to Go 1.23) and as a hash trie.
//! - [`sync_pool`]: `sync.Pool`.
//!
//! **Invariant.** A container never frees anything and never learns what was freed. It keeps its host-side bookkeeping
//! (key identities, tophash bytes) beside the simulated objects and drops it when the *program* lets go of them; the
//! collector finds out on its own.

pub mod bucket_map;
pub mod map_type;
pub mod sync_map;
pub mod sync_pool;
