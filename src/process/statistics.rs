//! `runtime.ReadMemStats` and RSS: every number computed in one place.
//!
//! RSS is the kernel's count of resident pages. Its ledger gives each byte one owner. Resident bytes of spans in use are
//! split by what the spans hold; where part of a span was never touched, all its contents share the gap alike:
//!
//! ```text
//! resident share = resident bytes of spans in use / HeapInuse
//! marked = share * objects the last cycle marked and nobody freed      dead = share * objects found dead, not swept
//! fresh  = share * objects allocated since                             waste = the rest
//! ```
//!
//! Invariant: the parts of the ledger add up to RSS exactly; `HeapSys = HeapInuse + HeapIdle`;
//! `Sys - HeapReleased = mapped ready`.
//!
//! Source: `runtime/mstats.go`, Go 1.23.9.

use super::Process;
use super::metadata::{Metadata, SysCauses};
use crate::pacer::goal::MemoryState;
use crate::trace::{MemStats, RssLedger, Sample, Snapshot};
use crate::units::PHYSICAL_PAGE_BYTES;

impl Process {
    /// The runtime's own structures now.
    pub(super) fn metadata(&self) -> Metadata {
        Metadata::of(&self.heap, &self.startup, self.totals.num_gc)
    }

    /// Brings the account of the runtime's own structures up to date; needed when a span was cut or a cycle ended.
    pub(super) fn count_metadata(&mut self) {
        let causes = SysCauses::of(&self.heap, self.totals.num_gc);
        if self.counted != Some(causes) {
            self.counted = Some(causes);
            self.heap.accounts.set_metadata_bytes(self.metadata().sys_bytes());
        }
    }

    /// What the memory-limit goal is computed from.
    pub(super) fn memory_state(&self) -> MemoryState {
        let stats = &self.heap.stats;
        MemoryState {
            mapped_ready_bytes: self.mapped_ready_bytes(),
            heap_free_bytes: self.heap.accounts.heap_free_bytes(),
            total_alloc_bytes: stats.allocated_bytes - stats.unflushed_alloc_bytes,
            total_free_bytes: stats.freed_bytes,
        }
    }

    /// Everything mapped and not returned (`mappedReady`).
    pub(super) fn mapped_ready_bytes(&self) -> u64 {
        self.heap.accounts.mapped_ready_bytes()
    }

    /// Resident bytes of everything that is not heap pages: binary and runtime structures.
    pub(super) fn resident_beside_heap_bytes(&self) -> u64 {
        self.metadata().resident_bytes + self.startup.binary_resident_bytes
    }

    /// Resident set size in bytes.
    pub fn rss_bytes(&self) -> u64 {
        self.heap.residency.resident_bytes() + self.resident_beside_heap_bytes()
    }

    /// What `runtime.ReadMemStats` reports, without stopping the world.
    pub fn mem_stats(&self) -> MemStats {
        let (stats, accounts) = (&self.heap.stats, &self.heap.accounts);
        let metadata = self.metadata();
        let stack_sys = accounts.stacks_in_use_bytes();
        let gc_sys = metadata.gc_misc_sys_bytes + accounts.work_buffers_bytes();
        let heap_alloc = stats.heap_alloc_bytes();
        let totals = &self.totals;
        MemStats {
            alloc: heap_alloc,
            total_alloc: stats.allocated_bytes,
            sys: accounts.heap_sys_bytes() + stack_sys + accounts.work_buffers_bytes() + metadata.sys_bytes(),
            lookups: 0,
            mallocs: stats.mallocs + stats.tiny_allocs,
            frees: stats.frees + stats.tiny_allocs,
            heap_alloc,
            heap_sys: accounts.heap_sys_bytes(),
            heap_idle: accounts.heap_idle_bytes(),
            heap_inuse: accounts.heap_in_use_bytes(),
            heap_released: accounts.heap_released_bytes(),
            heap_objects: stats.mallocs - stats.frees,
            stack_inuse: stack_sys,
            stack_sys,
            mspan_inuse: metadata.mspan_inuse_bytes,
            mspan_sys: metadata.mspan_sys_bytes,
            mcache_inuse: metadata.mcache_inuse_bytes,
            mcache_sys: metadata.mcache_sys_bytes,
            buck_hash_sys: metadata.buck_hash_sys_bytes,
            gc_sys,
            other_sys: metadata.other_sys_bytes,
            next_gc: self.pacer.heap_goal_bytes(&self.memory_state()),
            last_gc: totals.last_gc_ns.unwrap_or(0.0) as u64,
            pause_total_ns: totals.pause_ns as u64,
            num_gc: totals.num_gc,
            num_forced_gc: totals.num_forced_gc,
            gc_cpu_fraction: totals.gc_cpu_fraction,
        }
    }

    /// Who owns each resident byte.
    pub fn rss_ledger(&self) -> RssLedger {
        let (stats, accounts) = (&self.heap.stats, &self.heap.accounts);
        let resident_bytes = self.heap.residency.resident_bytes();
        let lazily_freed_bytes = self.heap.residency.lazily_freed_bytes();
        let free_bytes = stats.idle_resident_pages * PHYSICAL_PAGE_BYTES;
        let manual_bytes = accounts.stacks_in_use_bytes() + accounts.work_buffers_bytes();
        let stack_bytes = manual_bytes.min(resident_bytes - lazily_freed_bytes - free_bytes);
        let span_bytes = resident_bytes - lazily_freed_bytes - free_bytes - stack_bytes;

        let share = |bytes: u64| {
            let in_use = accounts.heap_in_use_bytes().max(1);
            (u128::from(bytes) * u128::from(span_bytes) / u128::from(in_use)) as u64
        };
        let heap_alloc = stats.heap_alloc_bytes();
        let marked = self.pacer.heap_marked_bytes().min(heap_alloc);
        let fresh =
            (stats.allocated_bytes - self.totals.allocated_at_last_mark_bytes).min(heap_alloc - marked);
        let dead = heap_alloc - marked - fresh;
        let (marked_bytes, fresh_bytes, dead_bytes) = (share(marked), share(fresh), share(dead));
        RssLedger {
            marked_bytes,
            fresh_bytes,
            dead_bytes,
            waste_bytes: span_bytes - marked_bytes - fresh_bytes - dead_bytes,
            free_bytes,
            lazily_freed_bytes,
            stack_bytes,
            metadata_bytes: self.metadata().resident_bytes,
            binary_bytes: self.startup.binary_resident_bytes,
        }
    }

    /// The state of memory now.
    pub(super) fn sample(&self, t_ns: u64) -> Sample {
        let memory = self.memory_state();
        let stats = &self.heap.stats;
        let accounts = &self.heap.accounts;
        let paced = self.pacer.gc_percent().is_some() || self.settings.memory_limit_bytes.is_some();
        Sample {
            t_ns,
            heap_alloc_bytes: stats.heap_alloc_bytes(),
            heap_inuse_bytes: accounts.heap_in_use_bytes(),
            heap_idle_bytes: accounts.heap_idle_bytes(),
            heap_released_bytes: accounts.heap_released_bytes(),
            heap_live_bytes: self.pacer.heap_live_bytes(),
            heap_goal_bytes: paced.then(|| self.pacer.heap_goal_bytes(&memory)),
            trigger_bytes: paced.then(|| self.pacer.trigger(&memory).trigger_bytes),
            stack_inuse_bytes: accounts.stacks_in_use_bytes(),
            sys_bytes: memory.mapped_ready_bytes + accounts.heap_released_bytes(),
            rss_bytes: self.rss_bytes(),
            rss_ledger: self.rss_ledger(),
            num_gc: self.totals.num_gc,
            marking: self.marker.is_marking(),
        }
    }

    /// A labelled row: stops the world, flushes every cache, reads (`runtime.ReadMemStats`), and looks at VmRSS.
    pub fn snapshot(&mut self, label: &str) {
        self.catch_up();
        for cache in 0..self.heap.caches.len() {
            let flush = self.heap.flush_cache(cache);
            self.count_metadata();
            self.move_heap_live(-(flush.heap_live_credit_bytes as i64), flush.heap_scan_bytes);
        }
        self.spend_cpu_ns(self.costs.stop_the_world_ns(u64::from(self.settings.procs)));
        self.record_sample();
        let snapshot = Snapshot {
            latency: self.latency(),
            label: label.to_owned(),
            t_ns: self.now_ns as u64,
            rss_bytes: self.rss_bytes(),
            rss_ledger: self.rss_ledger(),
            mem_stats: self.mem_stats(),
        };
        self.recorder.push_snapshot(snapshot);
        self.look_at_snapshot(label);
    }
}
