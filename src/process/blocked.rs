//! Goroutines that wait: what a thousand of them hold.
//!
//! A waiting goroutine is a `g` descriptor on the heap and a stack. When it returns, its stack is freed, but the
//! descriptor goes to a free list and stays for the next goroutine: a process keeps a `g` for every goroutine it ever had at
//! one time (`runtime/proc.go` `gfput`, Go 1.23.9).
//!
//! Differences from Go: stacks of waiting goroutines are neither shrunk nor cached; half of each stack counts as used.

use super::Process;
use super::stack::Stack;
use crate::heap::mutator::Mutator;
use crate::heap::object::Layout;
use crate::version::GoVersion;

/// Goroutines that wait, and descriptors of those that have returned.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    stacks: Vec<Stack>,
    free_descriptors: u64,
}

impl Process {
    /// Starts `count` goroutines that block with stacks of `stack_bytes`.
    pub fn start_blocked(&mut self, count: u64, stack_bytes: u64) {
        for _ in 0..count {
            let cpu_ns = if self.blocked.free_descriptors > 0 {
                self.blocked.free_descriptors -= 1;
                self.costs.goroutines.start_ns
            } else {
                let descriptor = self.alloc(g_layout(self.settings.version));
                let allgs = self.new_global();
                self.set_global(allgs, descriptor);
                self.write_part(descriptor, 0, self.settings.version.g_bytes());
                self.costs.goroutines.start_fresh_ns
            };
            let cache = self.cache();
            let stack = self.stacks.alloc(&mut self.heap, cache, stack_bytes);
            self.count_metadata();
            self.blocked.stacks.push(stack);
            self.pacer.add_max_stack_scan(stack.size_bytes as i64);
            self.spend_cpu_ns(cpu_ns);
        }
        if self.marker.is_marking() {
            self.revise();
        }
    }

    /// Lets the `count` newest of them return.
    pub fn exit_blocked(&mut self, count: u64) {
        for _ in 0..count {
            let Some(stack) = self.blocked.stacks.pop() else { break };
            self.stacks.free(&mut self.heap, stack);
            self.blocked.free_descriptors += 1;
            self.pacer.add_max_stack_scan(-(stack.size_bytes as i64));
            self.spend_cpu_ns(self.costs.goroutines.gosched_ns);
        }
        if self.marker.is_marking() {
            self.revise();
        }
    }

    /// Stack bytes that a cycle scans.
    pub(super) fn stack_scan_bytes(&self) -> u64 {
        self.startup.stack_scan_bytes + self.stacks.in_use_bytes() / 2
    }
}

fn g_layout(version: GoVersion) -> Layout {
    Layout::scan(version.g_bytes(), 1, version.g_bytes())
}
