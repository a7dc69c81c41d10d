//! Go's allocator: size classes, spans, caches and the page heap.

pub mod mutator;
pub mod object;
pub mod page_accounting;
pub mod page_alloc;
mod page_arena;
pub mod page_cache;
pub mod page_scavenge_index;
mod page_summary;
mod palloc_chunk;
