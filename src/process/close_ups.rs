//! Close-ups: looking at pages, size classes and maps while a process runs, if it was asked to
//! ([`crate::trace::CloseUps`] says what and when).
//!
//! Invariants: looking spends no virtual time and changes nothing that the trace records.

use super::Process;
use crate::container::map::Map;
use crate::container::swiss_map::GROUP_SLOTS;
use crate::container::xray::{ArrayView, SlotView};
use crate::heap::page_states::PageKind;
use crate::heap::size_class::ScanKind;
use crate::trace::{
    Backing, CloseUps, DurationCounter, MapArray, MapDesign, MapXray, PageFrame, PageMap, PageState, PageUse,
    SizeClassRow, SizeClasses, SlotCounts, SlotState, Slots,
};
use crate::units::MICROSECOND_NS;
use indexmap::IndexMap;

/// Buckets or groups of each array that are kept slot by slot: as many as a page of pictures can show.
const XRAY_CHAINS: usize = 384;
/// Most frames of one step in the film.
const MOST_STEP_FRAMES: usize = 48;
/// First interval between frames in nanoseconds.
const FIRST_INTERVAL_NS: u64 = 20 * MICROSECOND_NS;

/// What has been looked at so far.
#[derive(Debug)]
pub(super) struct Observer {
    seen: CloseUps,
    pauses: DurationCounter,
    assists: DurationCounter,
    /// The first frame of the running step.
    step_start: usize,
    interval_ns: u64,
    next_frame_ns: u64,
}

impl Observer {
    fn new() -> Observer {
        Observer {
            seen: CloseUps::default(),
            pauses: DurationCounter::default(),
            assists: DurationCounter::default(),
            step_start: 0,
            interval_ns: FIRST_INTERVAL_NS,
            next_frame_ns: 0,
        }
    }

    fn push_frame(&mut self, frame: PageFrame) {
        self.next_frame_ns = frame.t_ns + self.interval_ns;
        self.seen.film.push(frame);
        if self.seen.film.len() > CloseUps::MOST_FRAMES {
            self.thin_out(0);
            self.step_start /= 2;
        } else if self.seen.film.len() - self.step_start > MOST_STEP_FRAMES {
            self.thin_out(self.step_start);
            self.interval_ns *= 2;
        }
    }

    /// Drops every second frame from number `first` on.
    fn thin_out(&mut self, first: usize) {
        let mut number = 0;
        self.seen.film.retain(|_| {
            number += 1;
            number <= first || (number - first) % 2 == 1
        });
    }
}

impl Process {
    /// Looks closely from now on.
    pub fn take_close_ups(&mut self) {
        self.observer = Some(Box::new(Observer::new()));
    }

    /// Whether somebody wants to see the inside of maps at a snapshot.
    pub fn takes_close_ups(&self) -> bool {
        self.observer.is_some()
    }

    /// What was seen; `None` unless close-ups were asked for.
    pub fn close_ups(&self) -> Option<CloseUps> {
        let observer = self.observer.as_ref()?;
        Some(CloseUps {
            pauses: observer.pauses.durations(),
            assists: observer.assists.durations(),
            ..observer.seen.clone()
        })
    }

    /// Looks through a map that belongs to `variable`, at the snapshot `label`.
    pub fn look_through_map(&mut self, label: &str, variable: &str, map: &Map) {
        let xray = self.xray(label, variable, map, XRAY_CHAINS);
        if let Some(observer) = &mut self.observer {
            observer.seen.maps.push(xray);
        }
    }

    /// The same for maps that share the keys of `variable`: what each holds, and nothing slot by slot.
    pub fn look_through_shards(&mut self, label: &str, variable: &str, maps: &[Map]) {
        let shards = maps.iter().map(|map| self.xray(label, variable, map, 0)).collect();
        if let Some(observer) = &mut self.observer {
            observer.seen.maps.push(MapXray::of_shards(shards));
        }
    }

    fn xray(&self, label: &str, variable: &str, map: &Map, chains: usize) -> MapXray {
        let view = map.xray(chains);
        MapXray {
            label: label.to_owned(),
            t_ns: self.now_ns as u64,
            variable: variable.to_owned(),
            design: match map {
                Map::Buckets(_) => MapDesign::Buckets,
                Map::Swiss(_) => MapDesign::Groups,
            },
            len: view.len,
            tables: view.tables,
            bytes: view.bytes,
            current: map_array(view.current),
            old: view.old.map(map_array),
            shards: Vec::new(),
        }
    }

    pub(super) fn note_pause(&mut self, pause_ns: f64) {
        if let Some(observer) = &mut self.observer {
            observer.pauses.add(pause_ns as u64);
        }
    }

    /// A goroutine was held up by an assist, or had its debt paid at once.
    pub(super) fn note_assist(&mut self, held_up_ns: f64) {
        if held_up_ns < 1.0 {
            return;
        }
        self.recorder.note_assist(held_up_ns as u64);
        if let Some(observer) = &mut self.observer {
            observer.assists.add(held_up_ns as u64);
        }
    }

    /// The film of a new step is as close as that of the first.
    pub(super) fn begin_step_of_film(&mut self) {
        if let Some(observer) = &mut self.observer {
            observer.step_start = observer.seen.film.len();
            observer.interval_ns = FIRST_INTERVAL_NS;
            observer.next_frame_ns = 0;
        }
    }

    /// A sample was recorded: it becomes a frame of the film if one is due.
    pub(super) fn film_if_due(&mut self, t_ns: u64) {
        if self.observer.as_ref().is_some_and(|observer| t_ns >= observer.next_frame_ns) {
            let frame = self.page_frame(t_ns, "");
            if let Some(observer) = &mut self.observer {
                observer.push_frame(frame);
            }
        }
    }

    /// The page map and the size classes at a snapshot.
    pub(super) fn look_at_snapshot(&mut self, label: &str) {
        if self.observer.is_none() {
            return;
        }
        let t_ns = self.now_ns as u64;
        let frame = self.page_frame(t_ns, label);
        let size_classes = SizeClasses { label: label.to_owned(), t_ns, rows: self.size_class_rows() };
        if let Some(observer) = &mut self.observer {
            observer.seen.moments.push(frame);
            observer.seen.size_classes.push(size_classes);
        }
    }

    fn page_frame(&self, t_ns: u64, label: &str) -> PageFrame {
        PageFrame {
            t_ns,
            label: label.to_owned(),
            heap_alloc_bytes: self.heap.stats.heap_alloc_bytes(),
            rss_bytes: self.rss_bytes(),
            pages: PageMap::of(self.heap.page_states().into_iter().map(page_state)),
        }
    }

    fn size_class_rows(&self) -> Vec<SizeClassRow> {
        let mut rows: IndexMap<u64, SizeClassRow> = IndexMap::new();
        for (_, span) in self.heap.live_spans().filter(|(_, span)| span.slot_count > 0) {
            let elem_bytes = if span.span_class.size_class().is_some() { span.elem_bytes } else { 0 };
            let row = rows.entry(elem_bytes).or_insert(SizeClassRow { elem_bytes, ..Default::default() });
            let (objects, free) = (u64::from(span.alloc_count), u64::from(span.free_count()));
            row.spans += 1;
            row.span_bytes += span.bytes();
            row.objects += objects;
            row.object_bytes += objects * span.elem_bytes;
            row.free_slot_bytes += free * span.elem_bytes;
            row.tail_bytes += span.bytes() - (objects + free) * span.elem_bytes;
        }
        // Large objects, with 0, come last.
        rows.sort_unstable_by_key(|elem_bytes, _| elem_bytes.wrapping_sub(1));
        rows.into_values().collect()
    }
}

fn page_state((kind, resident_pages): (PageKind, u64)) -> PageState {
    let usage = match kind {
        PageKind::Small(ScanKind::Scan) => PageUse::SmallScan,
        PageKind::Small(ScanKind::Noscan) => PageUse::SmallNoscan,
        PageKind::Large(ScanKind::Scan) => PageUse::LargeScan,
        PageKind::Large(ScanKind::Noscan) => PageUse::LargeNoscan,
        PageKind::Stack => PageUse::Stack,
        PageKind::WorkBuffer => PageUse::WorkBuffer,
        PageKind::Free => PageUse::Free,
        PageKind::Scavenged => PageUse::Released,
        PageKind::Padding => PageUse::Reserved,
    };
    PageState { usage, backing: if resident_pages > 0 { Backing::Resident } else { Backing::Absent } }
}

fn map_array(view: ArrayView) -> MapArray {
    let [full, empty, deleted, evacuated] = view.counts;
    let bucket = |slots: &[SlotView; GROUP_SLOTS as usize]| Slots(slots.map(slot_state));
    MapArray {
        buckets: view.buckets,
        overflow_buckets: view.overflow_buckets,
        slots: SlotCounts { full, empty, deleted, evacuated },
        chains: view.chains.iter().map(|chain| chain.iter().map(bucket).collect()).collect(),
    }
}

fn slot_state(slot: SlotView) -> SlotState {
    match slot {
        SlotView::Full => SlotState::Full,
        SlotView::Empty => SlotState::Empty,
        SlotView::Deleted => SlotState::Deleted,
        SlotView::Evacuated => SlotState::Evacuated,
    }
}
