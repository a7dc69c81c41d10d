//! The state of a glass run at one moment: what the page and the terminal draw.

use serde::Serialize;

use super::event::Name;
use super::machine::{Glass, Phase};
use crate::container::map::Map;
use crate::heap::mspan::Mspan;
use crate::heap::object::ObjRef;
use crate::heap::page_accounting::SpanUse;
use crate::os::physical_pages_of_pages;

/// Pages behind the last one in use that are shown.
const PAGES_BEHIND: u64 = 4;
/// Pages that are shown at most.
const MOST_PAGES: u64 = 96;
/// Buckets or groups of a map that are shown at most.
const MOST_BUCKETS: u32 = 32;

/// The whole state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Picture {
    pub phase: &'static str,
    pub objects: Vec<ObjectPicture>,
    pub roots: Vec<RootPicture>,
    /// The grey queue, newest last.
    pub grey: Vec<Name>,
    pub maps: Vec<MapPicture>,
    pub pages: Vec<PagePicture>,
    /// Pages behind those that are in use or resident.
    pub more_pages: u64,
    pub pacer: PacerPicture,
    /// Bytes of objects, reachable or not yet swept (HeapAlloc).
    pub heap_alloc_bytes: u64,
    /// Resident bytes of the heap.
    pub resident_bytes: u64,
}

/// A circle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ObjectPicture {
    pub name: Name,
    pub color: Color,
    pub bytes: u64,
    pub span: u32,
    /// Names of the objects it points to, nil left out.
    pub to: Vec<Name>,
    pub reachable: bool,
}

/// What the collector knows of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    /// No cycle runs, and the object's span is swept.
    Resting,
    /// Not found yet.
    White,
    /// Found, not looked at.
    Grey,
    /// Found and looked at.
    Black,
    /// Found dead, waiting to be swept.
    Dead,
}

/// A variable and what it refers to; a name that is empty stands for registers and stack frames.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct RootPicture {
    pub var: String,
    pub to: Option<Name>,
}

/// A map, slot by slot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MapPicture {
    pub var: String,
    pub kind: &'static str,
    pub len: u64,
    pub buckets: Vec<BucketPicture>,
    /// Buckets or groups that are not shown.
    pub more: u32,
    pub tombstones: u64,
    pub growing: bool,
}

/// A bucket, or a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct BucketPicture {
    /// Number of the main bucket, or of the group.
    pub number: u32,
    pub overflow: bool,
    pub slots: Vec<SlotPicture>,
}

/// A slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SlotPicture {
    Empty,
    /// Free, but no end of a search.
    Tombstone,
    Key(u32),
}

/// A page of 8 KiB.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PagePicture {
    /// The span of objects that it belongs to.
    pub span: Option<u32>,
    /// Whether it is part of goroutine stacks.
    pub stack: bool,
    /// Which of its two halves of 4 KiB the system has given memory for: how many.
    pub resident: u64,
}

/// The pacer's bar, in bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PacerPicture {
    pub gogc_percent: Option<u32>,
    pub marked_bytes: u64,
    pub live_bytes: u64,
    pub trigger_bytes: Option<u64>,
    pub goal_bytes: Option<u64>,
}

impl Picture {
    /// The process as it is.
    pub(super) fn of(glass: &Glass) -> Picture {
        let phase = glass.phase();
        let grey: Vec<ObjRef> = glass.marker.grey_objects().collect();
        let reachable = reachable(glass);
        let objects = glass
            .objects()
            .into_iter()
            .filter_map(|object| {
                Some(ObjectPicture {
                    name: glass.name(object)?,
                    color: color(glass, phase, object, &grey),
                    bytes: glass.heap.elem_bytes(object),
                    span: object.span(),
                    to: pointers(glass, object).into_iter().filter_map(|target| glass.name(target)).collect(),
                    reachable: reachable.contains(&object),
                })
            })
            .collect();
        let roots =
            glass.roots().map(|(var, object)| RootPicture { var: var.to_owned(), to: glass.name(object) });
        let pacer = &glass.pacer;
        let (memory, goal_bytes) = (glass.memory_state(), glass.goal_bytes());
        let (pages, more_pages) = pages(glass);
        Picture {
            phase: match phase {
                Phase::Idle => "idle",
                Phase::Marking => "marking",
                Phase::Sweeping => "sweeping",
            },
            objects,
            roots: roots.collect(),
            grey: grey.iter().filter_map(|object| glass.name(*object)).collect(),
            maps: glass.maps.clone(),
            pages,
            more_pages,
            pacer: PacerPicture {
                gogc_percent: pacer.gc_percent(),
                marked_bytes: pacer.heap_marked_bytes(),
                live_bytes: pacer.heap_live_bytes(),
                trigger_bytes: goal_bytes.map(|_| pacer.trigger(&memory).trigger_bytes),
                goal_bytes,
            },
            heap_alloc_bytes: glass.heap.stats.heap_alloc_bytes(),
            resident_bytes: glass.heap.residency.resident_bytes(),
        }
    }
}

fn color(glass: &Glass, phase: Phase, object: ObjRef, grey: &[ObjRef]) -> Color {
    let marked = glass.is_marked(object);
    match phase {
        Phase::Idle => Color::Resting,
        Phase::Marking if grey.contains(&object) => Color::Grey,
        Phase::Marking if marked => Color::Black,
        Phase::Marking => Color::White,
        Phase::Sweeping if !glass.heap.needs_sweep(object.span()) => Color::Resting,
        Phase::Sweeping if marked => Color::Black,
        Phase::Sweeping => Color::Dead,
    }
}

/// The objects that an object points to, each once.
fn pointers(glass: &Glass, object: ObjRef) -> Vec<ObjRef> {
    let span: &Mspan = glass.heap.span(object.span());
    let mut targets: Vec<ObjRef> = (0..span.pointer_stride)
        .map(|slot| glass.heap.pointer(object, slot))
        .filter(|target| !target.is_nil())
        .collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// What the program can still reach: the truth that the collector is after.
fn reachable(glass: &Glass) -> Vec<ObjRef> {
    let mut found: Vec<ObjRef> = Vec::new();
    let mut queue: Vec<ObjRef> = glass.roots().map(|(_, object)| object).collect();
    queue.extend(glass.kept_by_specials());
    while let Some(object) = queue.pop() {
        if !object.is_nil() && !found.contains(&object) {
            found.push(object);
            queue.extend(pointers(glass, object));
        }
    }
    found
}

/// The first pages, and how many more there are.
fn pages(glass: &Glass) -> (Vec<PagePicture>, u64) {
    let spans: Vec<(u32, &Mspan)> = glass.heap.live_spans().collect();
    let used = spans.iter().map(|(_, span)| span.base_page + span.page_count).max().unwrap_or(0);
    let resident = |page: u64| glass.heap.residency.resident_in(physical_pages_of_pages(page..page + 1));
    let last_resident = (0..glass.heap.pages.mapped_pages()).rev().find(|page| resident(*page) > 0);
    let end = used.max(last_resident.map_or(0, |page| page + 1));
    let shown = (end + PAGES_BEHIND).min(MOST_PAGES).min(glass.heap.pages.mapped_pages());
    let picture = |page: u64| {
        let holds = |span: &Mspan| (span.base_page..span.base_page + span.page_count).contains(&page);
        let owner = spans.iter().find(|(_, span)| holds(span));
        let of = |usage| owner.filter(|(_, span)| span.usage == Some(usage)).map(|(id, _)| *id);
        let (span, stack) = (of(SpanUse::Heap), of(SpanUse::Stack).is_some());
        PagePicture { span, stack, resident: resident(page) }
    };
    ((0..shown).map(picture).collect(), end.saturating_sub(shown))
}

impl MapPicture {
    /// A map, slot by slot.
    pub(super) fn of(var: &str, map: &mut Map) -> MapPicture {
        let len = map.len();
        let (kind, shown, all, tombstones, growing) = match map {
            Map::Buckets(map) => {
                let geometry = map.geometry();
                let count = if geometry.array_buckets == 0 { 0 } else { 1u32 << geometry.log2_bucket_count };
                let chains = (0..count.min(MOST_BUCKETS)).flat_map(|number| {
                    let views: Vec<_> = map.chain(number).collect();
                    views.into_iter().enumerate().map(move |(place, view)| BucketPicture {
                        number,
                        overflow: place > 0,
                        // Tophash bytes below 5 are free slots.
                        slots: slots(&view.keys, |slot| view.tophash[slot] >= 5, false),
                    })
                });
                ("buckets", chains.collect(), count, 0, geometry.growing.is_some())
            }
            Map::Swiss(map) => {
                let geometry = map.geometry();
                let all = (geometry.slots / 8) as u32;
                let (mut shown, mut seen): (Vec<BucketPicture>, u32) = (Vec::new(), 0);
                let entries =
                    if geometry.directory_len == 0 { u32::from(all > 0) } else { geometry.directory_len };
                let mut last = Vec::new();
                for entry in 0..entries {
                    let groups: Vec<_> = map.groups(entry).collect();
                    if seen + groups.len() as u32 > MOST_BUCKETS {
                        break;
                    }
                    // Neighbours in the directory may share a table.
                    if entry > 0 && groups == last {
                        continue;
                    }
                    for view in &groups {
                        let is_closed = view.control.contains(&0xfe);
                        let slots = slots(&view.keys, |slot| view.control[slot] < 0x80, is_closed);
                        shown.push(BucketPicture { number: seen, overflow: false, slots });
                        seen += 1;
                    }
                    last = groups;
                }
                ("groups", shown, all, geometry.tombstones, false)
            }
        };
        let shown: Vec<BucketPicture> = shown;
        let shown_count = shown.iter().filter(|bucket| !bucket.overflow).count() as u32;
        let more = all.saturating_sub(shown_count);
        MapPicture { var: var.to_owned(), kind, len, buckets: shown, more, tombstones, growing }
    }

    /// Whether it is the map in this variable.
    pub(crate) fn is_of(&self, var: &str) -> bool {
        self.var == var
    }

    /// All slots, shown or not.
    pub(crate) fn slot_count(&self) -> u64 {
        let main = self.buckets.iter().filter(|bucket| !bucket.overflow).count() as u64;
        8 * (main + u64::from(self.more))
    }
}

fn slots(keys: &[u32; 8], is_live: impl Fn(usize) -> bool, closed: bool) -> Vec<SlotPicture> {
    let slot = |(slot, key): (usize, &u32)| match (is_live(slot), closed) {
        (true, _) => SlotPicture::Key(*key),
        (false, true) => SlotPicture::Tombstone,
        (false, false) => SlotPicture::Empty,
    };
    keys.iter().enumerate().map(slot).collect()
}
