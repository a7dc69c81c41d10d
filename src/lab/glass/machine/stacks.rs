//! Goroutine stacks of a glass run: spans that hold no objects.
//!
//! Stacks of less than 32 KiB are cut from spans of that size. A span whose last stack comes back is free at once, unless the
//! collector marks or its stacks have the size that goroutines start with: then when a cycle ends (`runtime/stack.go`, Go 1.23.9).
//!
//! **Differences from the simulated process.** No cache of the P; what waiting goroutines refer to is not shown.

use super::{CACHE, Glass, Phase};
use crate::heap::object::SpanId;
use crate::heap::page_accounting::SpanUse;
use crate::lab::glass::event::Event;
use crate::units::{KIB, PAGE_BYTES};

/// Spans that small stacks are cut from (`_StackCacheSize`).
const POOL_SPAN_BYTES: u64 = 32 * KIB;
/// What goroutines start with.
const STARTING_BYTES: u64 = 2 * KIB;

/// Spans of stacks, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    spans: Vec<StackSpan>,
    waiting: Vec<SpanId>,
}

#[derive(Clone, Copy, Debug)]
struct StackSpan {
    span: SpanId,
    pages: u64,
    stack_bytes: u64,
    /// Stacks of it that are in use.
    used: u64,
}

impl StackSpan {
    fn has_room(&self, stack_bytes: u64) -> bool {
        self.stack_bytes == stack_bytes && self.used < POOL_SPAN_BYTES / stack_bytes
    }
}

impl Glass {
    /// `shown` of `count` goroutines start, each with a stack of `stack_bytes`, of which the first page is written.
    pub(in crate::lab::glass) fn start_goroutines(&mut self, count: u64, shown: u64, stack_bytes: u64) {
        let mut pages = 0;
        for _ in 0..shown {
            match self.stacks.spans.last_mut().filter(|last| last.has_room(stack_bytes)) {
                Some(last) => last.used += 1,
                None => {
                    let span_pages = stack_bytes.max(POOL_SPAN_BYTES) / PAGE_BYTES;
                    let span = self.heap.alloc_manual(CACHE, span_pages, SpanUse::Stack).span;
                    self.stacks.spans.push(StackSpan { span, pages: span_pages, stack_bytes, used: 1 });
                    pages += span_pages;
                }
            }
            let last = *self.stacks.spans.last().expect("has one");
            let end_bytes = last.used * stack_bytes;
            self.heap.write_span(last.span, end_bytes - stack_bytes.min(2 * KIB)..end_bytes);
        }
        self.note(Event::Goroutines { count, shown, stack_bytes, pages });
    }

    /// `shown` of `count` goroutines return, the newest first.
    pub(in crate::lab::glass) fn exit_goroutines(&mut self, count: u64, shown: u64) {
        let (mut pages, mut waiting_pages) = (0, 0);
        for _ in 0..shown {
            let Some(last) = self.stacks.spans.last_mut() else { break };
            last.used -= 1;
            if last.used > 0 {
                continue;
            }
            let gone = self.stacks.spans.pop().expect("looked at above");
            if self.phase() == Phase::Marking || gone.stack_bytes == STARTING_BYTES {
                self.stacks.waiting.push(gone.span);
                waiting_pages += gone.pages;
            } else {
                self.heap.free_span(gone.span);
                pages += gone.pages;
            }
        }
        self.note(Event::Exit { count, pages, waiting_pages });
    }

    /// At the end of a cycle.
    pub(super) fn free_waiting_stacks(&mut self) {
        for span in std::mem::take(&mut self.stacks.waiting) {
            self.heap.free_span(span);
        }
    }
}
