//! Go's allocator: size classes, spans, caches and the page heap.
//!
//! A Go program's objects never move, so where an object is placed decides how long the memory around it stays. The
//! allocator therefore sorts objects by size: memory is cut into 8 KiB pages, pages into *spans*, and every span holds
//! slots of one of 68 size classes. A P allocates from spans of its own without a lock; spans with room wait in central
//! lists; whole free spans return to the page heap, where the scavenger may give their pages back to the system.
//!
//! Read in this order: [`object`] and [`size_class`] (what is asked for), [`page_alloc`] with its neighbours (pages),
//! [`mspan`] (slots), [`mcache`], [`mcentral`], [`mheap`] (who holds spans), [`malloc`] (an allocation from top to bottom),
//! [`sweep`] (how slots become free), [`gc_bits`] and [`pointers`] (what the collector reads), [`mutator`] (the door that
//! containers use).
//!
//! Sources: `runtime/malloc.go`, `runtime/mheap.go`, `runtime/mcentral.go`, `runtime/mcache.go`, `runtime/mpagealloc.go`,
//! Go 1.23.9. See it: `gclab run sims/delete-million.toml`.

pub mod counting;
pub mod gc_bits;
pub mod malloc;
pub mod mcache;
pub mod mcentral;
pub mod mheap;
pub mod mspan;
pub mod mutator;
pub mod object;
pub mod page_accounting;
pub mod page_alloc;
mod page_arena;
pub mod page_cache;
pub mod page_scavenge_index;
pub mod page_states;
mod page_summary;
mod palloc_chunk;
pub mod pointers;
pub mod scan_size;
pub mod size_class;
pub mod special;
pub mod stats;
pub mod sweep;
