//! Goroutine stacks: powers of two, small ones cut from shared 32 KiB spans.
//!
//! `StackInuse` counts whole spans, not stacks: the first 2 KiB stack of a kind takes 32 KiB, and a span of stacks stays
//! until the end of a cycle after its last stack is freed (`runtime/stack.go`, Go 1.23.9).
//!
//! Differences from Go: stacks are not cached by P, and do not grow or shrink by themselves; the bytes that a cycle scans
//! of a stack are what its goroutine is said to use.

use crate::heap::mheap::Heap;

use crate::heap::object::SpanId;
use crate::heap::page_accounting::SpanUse;
use crate::units::{KIB, PAGE_BYTES};

/// Smallest stack in bytes (`runtime/stack.go` `stackMin`).
pub const MIN_STACK_BYTES: u64 = 2 * KIB;
/// Bytes of a span that small stacks are cut from (`runtime/stack.go` `_StackCacheSize`).
const POOL_SPAN_BYTES: u64 = 32 * KIB;
/// Number of small stack sizes: 2, 4, 8 and 16 KiB.
const ORDERS: usize = 4;

/// A span of small stacks.
#[derive(Clone, Copy, Debug)]
struct PoolSpan {
    span: SpanId,
    used: u32,
}

/// One goroutine's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Size in bytes, a power of two.
    pub size_bytes: u64,
    /// Its span.
    span: SpanId,
}

/// All stacks of the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Stacks {
    pools: [Vec<PoolSpan>; ORDERS],
    runtime_spans: Vec<SpanId>,
    in_use_bytes: u64,
}

impl Stacks {
    /// A 32 KiB span for stacks of the runtime's own threads and goroutines, resident and never freed.
    pub(super) fn alloc_pool_span(&mut self, heap: &mut Heap, cache: usize) {
        let new_span = heap.alloc_manual(cache, POOL_SPAN_BYTES / PAGE_BYTES, SpanUse::Stack);
        self.runtime_spans.push(new_span.span);
    }

    /// A stack of at least `size_bytes`.
    pub(super) fn alloc(&mut self, heap: &mut Heap, cache: usize, size_bytes: u64) -> Stack {
        let size_bytes = size_bytes.max(MIN_STACK_BYTES).next_power_of_two();
        self.in_use_bytes += size_bytes;
        let order = (size_bytes / MIN_STACK_BYTES).ilog2() as usize;
        let Some(pool) = self.pools.get_mut(order) else {
            let new_span = heap.alloc_manual(cache, size_bytes.div_ceil(PAGE_BYTES), SpanUse::Stack);
            return Stack { size_bytes, span: new_span.span };
        };
        let capacity = (POOL_SPAN_BYTES / size_bytes) as u32;
        let with_room = match pool.iter().position(|span| span.used < capacity) {
            Some(position) => position,
            None => {
                let new_span = heap.alloc_manual(cache, POOL_SPAN_BYTES / PAGE_BYTES, SpanUse::Stack);
                pool.push(PoolSpan { span: new_span.span, used: 0 });
                pool.len() - 1
            }
        };
        pool[with_room].used += 1;
        Stack { size_bytes, span: pool[with_room].span }
    }

    /// Frees a stack. Its span goes back when a cycle's sweep ends, if it is empty then.
    pub(super) fn free(&mut self, heap: &mut Heap, stack: Stack) {
        self.in_use_bytes -= stack.size_bytes;
        let order = (stack.size_bytes / MIN_STACK_BYTES).ilog2() as usize;
        match self.pools.get_mut(order) {
            Some(pool) => {
                let span = pool.iter_mut().find(|pool| pool.span == stack.span);
                span.unwrap_or_else(|| panic!("{stack:?} is in no pool")).used -= 1;
            }
            None => heap.free_span(stack.span),
        }
    }

    /// Gives empty spans of small stacks back.
    pub(super) fn free_empty_spans(&mut self, heap: &mut Heap) {
        for pool in &mut self.pools {
            pool.retain(|span| {
                let in_use = span.used > 0;
                if !in_use {
                    heap.free_span(span.span);
                }
                in_use
            });
        }
    }

    /// Bytes of all goroutine stacks.
    pub(super) fn in_use_bytes(&self) -> u64 {
        self.in_use_bytes
    }
}
