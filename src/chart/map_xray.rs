//! A map seen through: buckets or groups slot by slot, before and after.
//!
//! Each moment is a panel. A bucket is a row of eight squares; overflow buckets stand behind the bucket they hang on, tied to it.
//! A map of thousands of buckets is shown by its first ones, the whole of it by a bar of how many slots are in which state. A map
//! that grows shows both arrays, the old one first: its entries move as the program writes. Of several maps that share the keys of
//! a variable each is a strip, as long as the others, of how many of its slots are in which state.

use super::axis::size_text;
use super::moments::{Moments, choose};
use super::page::{self, MARGIN_PX};
use super::picture::{Align, Area, Dash, Picture, at};
use super::scale::plain;
use super::text::{bold, regular};
use super::theme::{BODY_PX, Ink, NAME_PX, Theme};
use super::{ChartError, Kind, words};
use crate::trace::{MapArray, MapDesign, MapXray, Recording, SlotCounts, SlotState, Slots};

/// Most moments on a page.
const MOST_MOMENTS: usize = 3;
/// Between two panels in pixels.
const GUTTER_PX: f32 = 44.0;
/// Words and bar above the buckets of a panel, in pixels.
const WORDS_PX: f32 = 118.0;
/// Words above the buckets of each array of a map that grows, in pixels.
const ARRAY_NAME_PX: f32 = 30.0;
const KEY_PX: f32 = 36.0;
/// The lowest and the highest strip of a shard in pixels.
const LOWEST_STRIP_PX: f32 = 27.0;
const HIGHEST_STRIP_PX: f32 = 40.0;
/// Sizes of a slot that are tried, largest first, in pixels with the gap.
const SLOT_PX: [f32; 6] = [22.0, 18.0, 15.0, 13.0, 11.0, 9.0];

const BUCKETS: &str = "delete empties slots and nothing else: the bucket array never shrinks, and overflow buckets stay where they \
    hang. A deleted slot keeps a mark as long as something live follows in its chain, so that a search goes on.";
const GROUPS: &str = "delete empties slots and nothing else: tables never shrink. In a group that was once full a deleted slot \
    becomes a tombstone: a search goes on there, and it takes room like an entry until an insert or a rehash uses it again.";
const SHARDS: &str = "Key k is in shard k % n: a map of its own, with a lock of its own, that grows when it has to. Each pays for its own \
    array, and none becomes smaller.";

/// Draws a map of the run at the moments of `wanted`; without wishes, at its fullest snapshot and at the last one at which it holds
/// something else. Of several maps the largest of those moments is drawn.
///
/// # Errors
/// [`ChartError::NotRecorded`] without close-ups or maps, [`ChartError::NoSuchMoment`].
pub fn draw(
    picture: &mut Picture,
    theme: &Theme,
    recording: &Recording,
    wanted: &[String],
) -> Result<(), ChartError> {
    let close_ups = super::close_ups(recording, Kind::MapXray)?;
    let largest = |is_asked_for: &dyn Fn(&&MapXray) -> bool| {
        let maps = close_ups.maps.iter().filter(is_asked_for);
        maps.max_by_key(|map| (map.bytes, std::cmp::Reverse(map.t_ns)))
    };
    let Some(largest) = largest(&|map| wanted.contains(&map.label)).or(largest(&|_| true)) else {
        return Err(ChartError::NoMap);
    };
    let maps: Vec<&MapXray> = close_ups.maps.iter().filter(|map| map.variable == largest.variable).collect();
    let chosen = if wanted.is_empty() {
        before_and_after(&maps)
    } else {
        let labels: Vec<&str> = maps.iter().map(|map| map.label.as_str()).collect();
        choose(&labels, wanted, MOST_MOMENTS, Moments::Spread)?
    };
    let maps: Vec<&MapXray> = chosen.into_iter().map(|index| maps[index]).collect();

    let title = format!("Inside the map {}: {}", largest.variable, recording.trace.title);
    let top = page::header(picture, theme, &title, &words::settings(&recording.trace.config));
    let explanation = match largest.design {
        _ if !largest.shards.is_empty() => SHARDS,
        MapDesign::Buckets => BUCKETS,
        MapDesign::Groups => GROUPS,
    };
    let bottom = page::footer(picture, theme, explanation);
    let whole = picture.width_px as f32 - 2.0 * MARGIN_PX;
    let width = (whole - GUTTER_PX * (maps.len() - 1) as f32) / maps.len() as f32;
    let panel = |index: usize| {
        let left = MARGIN_PX + index as f32 * (width + GUTTER_PX);
        Area { left, top: top + 2.0, right: left + width, bottom: bottom - KEY_PX }
    };
    // One size of slots for all panels: they are to be compared.
    let slot_px = maps.iter().map(|map| fitting_slot_px(map, panel(0))).fold(SLOT_PX[0], f32::min);
    for (index, map) in maps.iter().enumerate() {
        draw_panel(picture, theme, map, panel(index), slot_px);
    }
    draw_key(picture, theme, &maps, bottom - KEY_PX / 2.0);
    Ok(())
}

/// The places of the fullest map, and of the last one after it that has not become a smaller one and holds something else.
fn before_and_after(maps: &[&MapXray]) -> Vec<usize> {
    let fullest = (0..maps.len()).max_by_key(|index| (maps[*index].len, std::cmp::Reverse(*index)));
    let Some(fullest) = fullest else { return Vec::new() };
    let before = &maps[fullest].current;
    let after = |index: &usize| {
        let now = &maps[*index].current;
        now.slots != before.slots && now.buckets >= before.buckets
    };
    std::iter::once(fullest).chain((fullest + 1..maps.len()).rev().find(after)).collect()
}

/// The arrays of a map with what they are called when there are two.
fn arrays(map: &MapXray) -> Vec<(&'static str, &MapArray)> {
    match &map.old {
        None => vec![("", &map.current)],
        Some(old) => {
            vec![("old array, entries move out as the program writes", old), ("new array", &map.current)]
        }
    }
}

/// The area of each array's buckets in a panel.
fn array_areas(map: &MapXray, panel: Area) -> Vec<Area> {
    let top = panel.top + WORDS_PX;
    let count = arrays(map).len();
    let height = (panel.bottom - top) / count as f32;
    let name_px = if count > 1 { ARRAY_NAME_PX } else { 0.0 };
    (0..count)
        .map(|index| {
            let top = top + index as f32 * height;
            Area { top: top + name_px, bottom: top + height - 8.0, ..panel }
        })
        .collect()
}

/// The largest slot with which all recorded buckets have room.
fn fitting_slot_px(map: &MapXray, panel: Area) -> f32 {
    let fits = |slot_px: &f32| {
        let mut arrays = arrays(map).into_iter().zip(array_areas(map, panel));
        arrays.all(|((_, array), area)| places(array, area, *slot_px).len() == array.chains.len())
    };
    SLOT_PX.into_iter().find(fits).unwrap_or(SLOT_PX[SLOT_PX.len() - 1])
}

/// From the end of a bucket to the next, of its chain or not, in slots: so buckets stand in columns.
const GAP_SLOTS: f32 = 1.2;
/// From one row of buckets to the next, in slots.
const ROW_SLOTS: f32 = 1.45;

/// Width of a chain of so many buckets, in slots.
fn chain_slots(buckets: usize) -> f32 {
    buckets as f32 * (8.0 + GAP_SLOTS) - GAP_SLOTS
}

/// The left top corner of each chain, as far as there is room: in rows, from left to right.
fn places(array: &MapArray, area: Area, slot_px: f32) -> Vec<(f32, f32)> {
    let mut places = Vec::new();
    let (mut x, mut y) = (area.left, area.top);
    for chain in &array.chains {
        let width = chain_slots(chain.len()) * slot_px;
        if x > area.left && x + width > area.right {
            (x, y) = (area.left, y + ROW_SLOTS * slot_px);
        }
        if y + slot_px > area.bottom {
            break;
        }
        places.push((x, y));
        x += width + GAP_SLOTS * slot_px;
    }
    places
}

fn draw_panel(picture: &mut Picture, theme: &Theme, map: &MapXray, panel: Area, slot_px: f32) {
    let width = panel.width();
    let line = |y: f32| at(panel.left, panel.top + y);
    let label = bold(NAME_PX).elide(&map.label, width);
    picture.text(line(16.0), Align::Start, bold(NAME_PX), theme.text, &label);
    let font = regular(BODY_PX);
    picture.text(line(45.0), Align::Start, font, theme.text, &font.elide(&sizes_text(map), width));
    let bar = Area { top: panel.top + 64.0, bottom: panel.top + 84.0, ..panel };
    let areas = array_areas(map, panel);
    let drawn: Vec<Vec<(f32, f32)>> =
        arrays(map).iter().zip(&areas).map(|((_, array), area)| places(array, *area, slot_px)).collect();
    draw_bar(picture, theme, map.all_slots(), bar);
    let shown: usize = drawn.iter().map(Vec::len).sum();
    let strips = shown_shards(map, Area { top: panel.top + WORDS_PX, ..panel });
    let remark = font.elide(&shown_text(map, shown, strips), width);
    picture.text(line(101.0), Align::Start, font, theme.text_quiet, &remark);
    draw_shards(picture, theme, map, Area { top: panel.top + WORDS_PX, ..panel });
    for (((name, array), area), places) in arrays(map).into_iter().zip(areas).zip(drawn) {
        let middle = at(area.left, area.top - ARRAY_NAME_PX / 2.0);
        let name = if places.is_empty() { String::new() } else { font.elide(name, width) };
        picture.text(middle, Align::Start, font, theme.text, &name);
        for (chain, (x, y)) in array.chains.iter().zip(places) {
            draw_chain(picture, theme, chain, (x, y), (slot_px, area.right));
        }
    }
}

/// A strip for each map of several, as many as there is room for: its number, the states of its slots, its entries.
fn draw_shards(picture: &mut Picture, theme: &Theme, map: &MapXray, area: Area) {
    let font = regular(BODY_PX);
    let (number_px, count_px) = (font.width_px("1,023") + 12.0, font.width_px("1,000,000") + 12.0);
    let shown = shown_shards(map, area);
    let row_px = (area.height() / shown.max(1) as f32).min(HIGHEST_STRIP_PX);
    for (number, shard) in map.shards.iter().take(shown).enumerate() {
        let top = area.top + number as f32 * row_px;
        let y = top + row_px / 2.0;
        let strip = Area {
            left: area.left + number_px,
            right: area.right - count_px,
            top: top + 3.0,
            bottom: top + row_px - 3.0,
        };
        let number = plain(number as f64, 0);
        picture.text(at(strip.left - 10.0, y), Align::End, font, theme.text_quiet, &number);
        draw_bar(picture, theme, shard.slots, strip);
        let entries = plain(shard.len as f64, 0);
        picture.text(at(area.right, y), Align::End, font, theme.text, &entries);
    }
}

/// How many strips have room.
fn shown_shards(map: &MapXray, area: Area) -> usize {
    map.shards.len().min((area.height() / LOWEST_STRIP_PX) as usize)
}

/// `1,000 entries in 262,144 buckets, 38 MiB`
fn sizes_text(map: &MapXray) -> String {
    let count = |number: u64| plain(number as f64, 0);
    let (entries, buckets) = (count(map.len), count(map.current.buckets));
    let overflow = match map.current.overflow_buckets {
        0 => String::new(),
        overflow => format!(" + {} overflow", count(overflow)),
    };
    let bytes = size_text(map.bytes);
    if !map.shards.is_empty() {
        return format!("{entries} entries in {} shards, {bytes}", count(map.shards.len() as u64));
    }
    match (map.design, map.tables) {
        (MapDesign::Buckets, _) => format!("{entries} entries in {buckets} buckets{overflow}, {bytes}"),
        (MapDesign::Groups, 0) => format!("{entries} entries in one group, {bytes}"),
        (MapDesign::Groups, tables) => {
            format!("{entries} entries in {buckets} groups of {} tables, {bytes}", count(tables))
        }
    }
}

/// How much of the map the squares are.
fn shown_text(map: &MapXray, shown: usize, strips: usize) -> String {
    match map.shards.len() {
        0 => {}
        all if all == strips => return "bar: all slots; strips: the shards, and their entries".to_owned(),
        _ => return format!("bar: all slots; strips: the first {strips} shards, and their entries"),
    }
    let all: u64 = arrays(map).iter().map(|(_, array)| array.buckets).sum();
    let name = match map.design {
        MapDesign::Buckets => "buckets",
        MapDesign::Groups => "groups",
    };
    if shown as u64 >= all {
        format!("bar: all slots; squares: all {name}, eight slots each")
    } else {
        format!("bar: all slots; squares: the first {shown} {name}, eight slots each")
    }
}

/// The share of each state of all slots, with its percentage where there is room.
fn draw_bar(picture: &mut Picture, theme: &Theme, slots: SlotCounts, bar: Area) {
    let total = slots.total().max(1) as f64;
    let mut left = bar.left;
    picture.fill(bar.grown(1.0), theme.rule);
    for state in SlotState::ALL {
        let share = count_of(slots, state) as f64 / total;
        let right = left + bar.width() * share as f32;
        picture.fill(Area { left, right, ..bar }, slot_ink(theme, state));
        let text = if share < 0.995 { format!("{:.0} %", share * 100.0) } else { "100 %".to_owned() };
        let font = bold(BODY_PX * 0.86);
        if font.width_px(&text) + 10.0 < right - left {
            let middle = at((left + right) / 2.0, bar.center().y);
            picture.text(middle, Align::Middle, font, on(theme, state), &text);
        }
        left = right;
    }
}

fn count_of(slots: SlotCounts, state: SlotState) -> u64 {
    match state {
        SlotState::Full => slots.full,
        SlotState::Empty => slots.empty,
        SlotState::Deleted => slots.deleted,
        SlotState::Evacuated => slots.evacuated,
    }
}

fn slot_ink(theme: &Theme, state: SlotState) -> Ink {
    match state {
        SlotState::Full => theme.heap_alloc,
        SlotState::Empty => theme.panel_alternate,
        SlotState::Deleted => theme.free_hatch,
        SlotState::Evacuated => theme.marked,
    }
}

/// The colour of words on a slot's colour.
fn on(theme: &Theme, state: SlotState) -> Ink {
    match state {
        SlotState::Full => theme.background,
        SlotState::Empty | SlotState::Deleted | SlotState::Evacuated => theme.text,
    }
}

/// Buckets of a chain, as far as the area goes; a chain that does not end there ends in an arrow's line.
fn draw_chain(
    picture: &mut Picture,
    theme: &Theme,
    chain: &[Slots],
    (x, y): (f32, f32),
    (slot_px, right_px): (f32, f32),
) {
    for (number, bucket) in chain.iter().enumerate() {
        let left = x + number as f32 * (8.0 + GAP_SLOTS) * slot_px;
        let middle = y + (slot_px - 1.0) / 2.0;
        if number > 0 {
            let from = left - GAP_SLOTS * slot_px;
            let link = vec![at(from, middle), at((left - 1.0).min(right_px), middle)];
            picture.stroke(link, 3.0, Dash::Solid, theme.danger);
        }
        if left + 8.0 * slot_px > right_px + 1.0 && number > 0 {
            return;
        }
        for (slot, state) in bucket.0.iter().enumerate() {
            let left = left + slot as f32 * slot_px;
            let square = Area { left, top: y, right: left + slot_px - 1.0, bottom: y + slot_px - 1.0 };
            draw_slot(picture, theme, *state, square);
        }
    }
}

/// A square; a second sign beside its colour is the dot in a deleted slot and the line through one that has moved.
fn draw_slot(picture: &mut Picture, theme: &Theme, state: SlotState, square: Area) {
    picture.fill(square, if state == SlotState::Empty { theme.rule } else { slot_ink(theme, state) });
    let middle = square.center();
    match state {
        SlotState::Empty => picture.fill(square.grown(-1.0), slot_ink(theme, state)),
        SlotState::Deleted => picture.disc(middle, square.width() * 0.16, theme.text),
        SlotState::Evacuated => {
            let half = square.width() * 0.26;
            let line = vec![at(middle.x - half, middle.y), at(middle.x + half, middle.y)];
            picture.stroke(line, 2.0, Dash::Solid, theme.heap_alloc);
        }
        SlotState::Full => {}
    }
}

/// What the squares mean.
fn draw_key(picture: &mut Picture, theme: &Theme, maps: &[&MapXray], y: f32) {
    const SQUARE_PX: f32 = 21.0;
    let design = maps.first().map_or(MapDesign::Buckets, |map| map.design);
    let name = |state: SlotState| match (state, design) {
        (SlotState::Full, _) => "full",
        (SlotState::Empty, _) => "empty",
        (SlotState::Deleted, MapDesign::Buckets) => "deleted, live slots follow",
        (SlotState::Deleted, MapDesign::Groups) => "tombstone",
        (SlotState::Evacuated, _) => "moved to the new array",
    };
    let font = regular(BODY_PX);
    let mut x = MARGIN_PX;
    for state in SlotState::ALL {
        let is_there = maps.iter().any(|map| count_of(map.all_slots(), state) > 0);
        if !is_there {
            continue;
        }
        let square =
            Area { left: x, right: x + SQUARE_PX, top: y - SQUARE_PX / 2.0, bottom: y + SQUARE_PX / 2.0 };
        draw_slot(picture, theme, state, square);
        let named = picture.text(at(square.right + 8.0, y), Align::Start, font, theme.text, name(state));
        x = named.right + 30.0;
    }
    let has_overflow = |map: &&MapXray| {
        map.shards.is_empty() && arrays(map).iter().any(|(_, array)| array.overflow_buckets > 0)
    };
    if maps.iter().any(has_overflow) {
        picture.stroke(vec![at(x, y), at(x + 18.0, y)], 3.0, Dash::Solid, theme.danger);
        picture.text(at(x + 28.0, y), Align::Start, font, theme.text, "overflow bucket hangs on");
    }
}
