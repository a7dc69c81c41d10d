//! What stands beside the heap, as text: the pacer's bar, the pages, the slots of maps.

use ratatui::style::{Color, Modifier};
use ratatui::text::{Line, Span};

use super::frame::{Shown, cut};
use super::heap_panel::in_sight;
use crate::lab::glass::picture::{BucketPicture, MapPicture, PagePicture, SlotPicture};
use crate::units::Bytes;

/// Slots of a bucket or group.
const SLOTS: usize = 8;
/// Columns before the slots of a row: the bucket's number and a line.
const NUMBER_COLUMNS: usize = 4;

/// `1.5 MiB`: short enough for a panel.
fn short(bytes: u64) -> String {
    Bytes(bytes).to_string().replace(".00 ", " ")
}

/// Live heap, trigger and goal on one bar, and in numbers.
pub(super) fn pacer(shown: &Shown, width: u16) -> Vec<Line<'static>> {
    let pacer = &shown.watched.picture.pacer;
    let columns = usize::from(width);
    let most = pacer.live_bytes.max(pacer.goal_bytes.unwrap_or(pacer.live_bytes)).max(1);
    // A little more than the largest, so that its mark has a place.
    let column = |bytes: u64| (bytes as f64 / (most as f64 * 1.08) * columns as f64) as usize;
    let (marked, live) = (column(pacer.marked_bytes), column(pacer.live_bytes));
    let marks = [(pacer.trigger_bytes, 'T'), (pacer.goal_bytes, 'G')];
    let cell = |place: usize| {
        let mark = marks.iter().rev().find(|(bytes, _)| bytes.is_some_and(|bytes| column(bytes) == place));
        match mark {
            Some((_, letter)) => Span::styled(letter.to_string(), shown.strong()),
            None if place < marked => Span::styled("█", shown.coloured(shown.strong().fg(Color::Blue))),
            None if place < live => Span::styled("▒", shown.coloured(shown.strong().fg(Color::Yellow))),
            None => Span::styled("─", shown.quiet()),
        }
    };
    let off = |bytes: Option<u64>| bytes.map_or_else(|| "off".to_owned(), short);
    vec![
        Line::from((0..columns).map(cell).collect::<Vec<_>>()),
        Line::raw(format!("█ marked {}  ▒ live {}", short(pacer.marked_bytes), short(pacer.live_bytes))),
        Line::raw(format!("T trigger {}  G goal {}", off(pacer.trigger_bytes), off(pacer.goal_bytes))),
    ]
}

/// A sign for each page, and what they come to.
pub(super) fn pages(shown: &Shown, width: u16) -> Vec<Line<'static>> {
    let picture = &shown.watched.picture;
    let sign = |page: &PagePicture| match (page.span, page.stack, page.resident) {
        (Some(_), _, _) => '▓',
        (None, true, _) => '≡',
        (None, false, 0) => '·',
        (None, false, _) => '░',
    };
    let signs: Vec<char> = picture.pages.iter().map(sign).collect();
    let mut lines: Vec<Line> =
        signs.chunks(usize::from(width)).map(|row| Line::raw(row.iter().collect::<String>())).collect();
    if picture.more_pages > 0 {
        lines.push(Line::styled(format!("… {} pages more", picture.more_pages), shown.quiet()));
    }
    lines.push(Line::styled("▓ objects ≡ stacks ░ free · none", shown.quiet()));
    let (resident, objects) = (short(picture.resident_bytes), short(picture.heap_alloc_bytes));
    lines.push(Line::raw(format!("resident {resident}, objects {objects}")));
    lines
}

/// The slots of every map, a row for each bucket or group.
pub(super) fn maps(shown: &Shown, width: u16, height: u16) -> Vec<Line<'static>> {
    let picture = &shown.watched.picture;
    if picture.maps.is_empty() {
        return vec![Line::styled("There is no map now.", shown.quiet())];
    }
    let event = &shown.watched.events[shown.watched.at].event;
    let (mut lines, mut focus) = (Vec::new(), None);
    for map in &picture.maps {
        let is_meant = event.map().is_some_and(|var| map.is_of(var));
        if is_meant {
            focus = Some(lines.len());
        }
        lines.extend(caption(shown, map, usize::from(width)));
        let key = event.key().filter(|_| is_meant);
        let columns = slot_columns(map);
        for bucket in &map.buckets {
            if bucket.slots.iter().any(|slot| matches!(slot, SlotPicture::Key(own) if Some(*own) == key)) {
                focus = Some(lines.len());
            }
            lines.extend(bucket_lines(shown, bucket, key, columns, usize::from(width)));
        }
        if map.more > 0 {
            lines.push(Line::styled(format!("and {} more", map.more), shown.quiet()));
        }
    }
    in_sight(lines, focus, usize::from(height), shown.quiet())
}

fn caption(shown: &Shown, map: &MapPicture, width: usize) -> Vec<Line<'static>> {
    let count = map.slot_count() / SLOTS as u64;
    let mut text = format!("{}: {} keys, {count} {} of 8", map.var, map.len, map.kind);
    if map.tombstones > 0 {
        text.push_str(&format!(", {} †", map.tombstones));
    }
    if map.growing {
        text.push_str(", moving");
    }
    vec![Line::styled(cut(&text, width), shown.strong())]
}

/// Columns of one slot: room for the longest key and a space.
fn slot_columns(map: &MapPicture) -> usize {
    let keys = map.buckets.iter().flat_map(|bucket| &bucket.slots);
    let longest = keys.filter_map(|slot| match slot {
        SlotPicture::Key(key) => Some(key.to_string().len()),
        _ => None,
    });
    longest.max().unwrap_or(1).max(2) + 1
}

fn bucket_lines(
    shown: &Shown,
    bucket: &BucketPicture,
    key: Option<u32>,
    columns: usize,
    width: usize,
) -> Vec<Line<'static>> {
    let head = if bucket.overflow { "↳".to_owned() } else { bucket.number.to_string() };
    let slot = |slot: &SlotPicture| {
        let (text, style) = match slot {
            SlotPicture::Empty => ("·".to_owned(), shown.quiet()),
            SlotPicture::Tombstone => ("†".to_owned(), shown.quiet()),
            SlotPicture::Key(own) if Some(*own) == key => {
                (own.to_string(), shown.strong().add_modifier(Modifier::REVERSED))
            }
            SlotPicture::Key(own) => (own.to_string(), shown.strong()),
        };
        [Span::raw(" ".repeat(columns.saturating_sub(text.chars().count()))), Span::styled(text, style)]
    };
    let fits = NUMBER_COLUMNS + SLOTS * columns <= width;
    let row_len = if fits { SLOTS } else { SLOTS / 2 };
    let rows = bucket.slots.chunks(row_len).enumerate().map(|(number, slots)| {
        let head = if number == 0 { head.as_str() } else { "" };
        let mut spans = vec![Span::styled(format!("{head:>2} │"), shown.quiet())];
        spans.extend(slots.iter().flat_map(slot));
        Line::from(spans)
    });
    rows.collect()
}
