//! Go's allocator: size classes, spans, caches and the page heap.

pub mod counting;
pub mod mutator;
pub mod object;
pub mod page_alloc;
pub mod size_class;
