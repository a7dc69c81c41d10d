//! Reading steps about goroutines, loops and tracks.

use toml::de::DeValue;

use super::super::parse::Parser;
use super::super::reader::{Node, Table};
use super::super::{Goroutines, Repeat, Step};
use super::GOROUTINES_LIMIT;
use crate::units::{GIB, KIB};

/// Most tracks of a `parallel`. Our limit.
const TRACKS_LIMIT: usize = 64;
/// Largest stack of a goroutine (`runtime/proc.go` sets `maxstacksize` to 1 GB).
const STACK_LIMIT_BYTES: u64 = GIB / 2;
/// Smallest stack of a goroutine in bytes (`runtime/stack.go` `stackMin`).
const STACK_MIN_BYTES: u64 = 2 * KIB;

impl Parser {
    pub(super) fn go(&mut self, table: &mut Table<'_>) -> Option<Step> {
        let count = self.need_whole(table, "count", 1..=GOROUTINES_LIMIT);
        let stack = match table.take("stack") {
            Some(node) => node.bytes(1..=STACK_LIMIT_BYTES, &mut self.log),
            None => Some(STACK_MIN_BYTES),
        };
        let stack_bytes = stack?.next_power_of_two().max(STACK_MIN_BYTES);
        Some(Step::Go(Goroutines { count: count?, stack_bytes }))
    }

    pub(super) fn repeat(&mut self, table: &mut Table<'_>, depth: usize) -> Option<Step> {
        let times = self.need_whole(table, "times", 1..=1_000_000_000);
        let steps = table.need("steps", "steps = [\"gc\"]", &mut self.log)?;
        let read = self.steps(&steps, depth + 1);
        Some(Step::Repeat(Repeat { times: times?, steps: read }))
    }

    pub(super) fn parallel(&mut self, node: &Node<'_>, depth: usize) -> Option<Step> {
        const ACCEPTED: &str = "a list of tracks, each a list of steps: [[\"gc\"], [{ sleep = \"1s\" }]]";
        let tracks = match node.value {
            DeValue::Table(_) => {
                let mut table = node.table(ACCEPTED, &mut self.log)?;
                let tracks = table.need("tracks", ACCEPTED, &mut self.log);
                table.finish(&mut self.log);
                tracks?.array(ACCEPTED, &mut self.log)?
            }
            _ => node.array(ACCEPTED, &mut self.log)?,
        };
        if tracks.is_empty() || tracks.len() > TRACKS_LIMIT {
            node.wrong(
                format!("{} tracks", tracks.len()),
                &format!("1 to {TRACKS_LIMIT} tracks"),
                &mut self.log,
            );
            return None;
        }
        Some(Step::Parallel(tracks.iter().map(|track| self.steps(track, depth + 1)).collect()))
    }
}
