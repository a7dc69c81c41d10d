//! The container's memory limit: what a cgroup charges a process for, and when the kernel kills it.
//!
//! The limit (`memory.max` of a cgroup) is compared with resident memory, not with anything Go counts. When a page
//! would cross it the kernel first reclaims what it may - here, pages given up with `MADV_FREE` - and when nothing is
//! left to reclaim it kills the process (out of memory). A Go program can therefore die with most of its heap free:
//! free pages that the scavenger has not released are resident.
//!
//! Differences from Linux: no swap, no page cache to drop, one process in the container.

use super::Residency;
use crate::units::PHYSICAL_PAGE_BYTES;

/// A limit in bytes on the resident memory of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerLimit {
    limit_bytes: u64,
}

/// What the kernel does with a process whose memory it has just counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The process lives. `reclaimed_bytes` of lazily freed memory were taken to make room, usually 0.
    Within {
        /// Lazily freed bytes that are gone now.
        reclaimed_bytes: u64,
    },
    /// The process is killed: it is `over_bytes` above the limit with nothing left to reclaim.
    Killed {
        /// Resident bytes above the limit, at least 1.
        over_bytes: u64,
    },
}

impl ContainerLimit {
    /// A limit of `limit_bytes`.
    pub fn new(limit_bytes: u64) -> ContainerLimit {
        ContainerLimit { limit_bytes }
    }

    /// The limit in bytes.
    pub fn limit_bytes(self) -> u64 {
        self.limit_bytes
    }

    /// Compares the heap's resident pages plus `other_resident_bytes` (binary, runtime metadata, thread stacks) with the
    /// limit; reclaims lazily freed pages if that is needed to stay within it.
    pub fn enforce(self, heap: &mut Residency, other_resident_bytes: u64) -> Verdict {
        let resident_bytes = heap.resident_bytes() + other_resident_bytes;
        let over_bytes = resident_bytes.saturating_sub(self.limit_bytes);
        let reclaimed_pages = heap.reclaim_lazily_freed(over_bytes.div_ceil(PHYSICAL_PAGE_BYTES));
        let reclaimed_bytes = reclaimed_pages * PHYSICAL_PAGE_BYTES;
        match over_bytes.saturating_sub(reclaimed_bytes) {
            0 => Verdict::Within { reclaimed_bytes },
            over_bytes => Verdict::Killed { over_bytes },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 resident heap pages, the lowest `lazily_freed` of them given up with `MADV_FREE`.
    fn heap(lazily_freed: u64) -> Residency {
        let mut heap = Residency::new();
        heap.touch(0..100);
        heap.release_free(0..lazily_freed);
        heap
    }

    #[test]
    fn a_process_at_its_limit_lives() {
        let limit = ContainerLimit::new(101 * 4096);
        assert_eq!(limit.enforce(&mut heap(0), 4096), Verdict::Within { reclaimed_bytes: 0 });
    }

    #[test]
    fn one_byte_over_the_limit_kills() {
        let limit = ContainerLimit::new(101 * 4096);
        assert_eq!(limit.enforce(&mut heap(0), 4097), Verdict::Killed { over_bytes: 1 });
    }

    #[test]
    fn lazily_freed_pages_go_before_the_process_does() {
        let limit = ContainerLimit::new(90 * 4096);
        let mut heap = heap(30);
        assert_eq!(limit.enforce(&mut heap, 1), Verdict::Within { reclaimed_bytes: 11 * 4096 });
        assert_eq!(heap.resident_bytes(), 89 * 4096);
        assert_eq!(heap.resident_in(0..11), 0); // lowest first
    }
}
