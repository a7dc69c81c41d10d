//! The state of memory at one moment, and who owns each resident byte.

use serde::{Deserialize, Serialize};

/// The state of memory at one moment of virtual time. All sizes in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Virtual time since process start in nanoseconds.
    pub t_ns: u64,
    /// Bytes of allocated objects, reachable or not yet swept (HeapAlloc).
    pub heap_alloc_bytes: u64,
    /// Bytes in spans in use (HeapInuse).
    pub heap_inuse_bytes: u64,
    /// Bytes in free spans (HeapIdle).
    pub heap_idle_bytes: u64,
    /// Bytes of free spans that are returned to, or were never taken from, the operating system (HeapReleased).
    pub heap_released_bytes: u64,
    /// What the pacer compares with the trigger (`heapLive`).
    pub heap_live_bytes: u64,
    /// The heap goal (NextGC); `None` when the collector is off and there is no memory limit.
    pub heap_goal_bytes: Option<u64>,
    /// The computed trigger; `None` like the goal.
    pub trigger_bytes: Option<u64>,
    /// Bytes in stack spans (StackInuse).
    pub stack_inuse_bytes: u64,
    /// Everything obtained from the system (Sys).
    pub sys_bytes: u64,
    /// Resident set size (VmRSS).
    pub rss_bytes: u64,
    /// Who owns each resident byte.
    pub rss_ledger: RssLedger,
    /// Completed GC cycles.
    pub num_gc: u32,
    /// Whether concurrent marking is running.
    pub marking: bool,
}

/// Who owns each resident byte. The parts add up to RSS exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RssLedger {
    /// Resident bytes of objects that the last finished mark phase found reachable.
    pub marked_bytes: u64,
    /// Resident bytes of objects allocated since then: in use or already garbage, the collector does not know yet.
    pub fresh_bytes: u64,
    /// Resident bytes of objects found dead and not yet swept.
    pub dead_bytes: u64,
    /// Resident bytes of spans in use that hold no object: free slots, tails, in-span bitmaps.
    pub waste_bytes: u64,
    /// Resident pages of free spans: what the scavenger could return.
    pub free_bytes: u64,
    /// Resident pages handed back with MADV_FREE that the kernel has not taken yet.
    pub lazily_freed_bytes: u64,
    /// Resident bytes of goroutine and thread stacks.
    pub stack_bytes: u64,
    /// Resident bytes of the runtime's own structures: mspans, bitmaps, page summaries, caches, work buffers.
    pub metadata_bytes: u64,
    /// Resident bytes of the binary: code, read-only data, globals.
    pub binary_bytes: u64,
}

impl RssLedger {
    /// The sum of all parts: RSS.
    pub fn total_bytes(&self) -> u64 {
        self.marked_bytes
            + self.fresh_bytes
            + self.dead_bytes
            + self.waste_bytes
            + self.free_bytes
            + self.lazily_freed_bytes
            + self.stack_bytes
            + self.metadata_bytes
            + self.binary_bytes
    }
}
