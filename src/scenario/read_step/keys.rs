//! Reading which keys a step takes.

use super::super::keys::{KEY_LIMIT, Keys, Order};
use super::super::parse::Parser;
use super::super::reader::{Node, Table};
use super::OBJECTS_LIMIT;

const KEYS_EXPECTED: &str = "\"0..1_000_000\", or one of { range = \"0..1_000\", shift = 1_000 }, \
    { random = { count = 1_000, below = 1_000_000 } }, { zipf = { count = 1_000, below = 1_000_000 } }, \
    { window = { range = \"0..1_000_000\", size = 1_000 } }";

impl Parser {
    /// The keys of a step, in the order that it asks for.
    pub(super) fn need_keys(&mut self, table: &mut Table<'_>) -> Option<Keys> {
        let node = table.need("keys", KEYS_EXPECTED, &mut self.log);
        let order = table.take("order");
        let keys = self.keys(&node?);
        let (Some(order), Some(mut keys)) = (order.clone(), keys.clone()) else {
            return keys.filter(|_| order.is_none());
        };
        let seed = self.step_count;
        let choices = [("ascending", Order::Ascending), ("random", Order::Random { seed })];
        let chosen = order.choice(&choices, &mut self.log)?;
        match &mut keys {
            Keys::Range { order, .. } => *order = chosen,
            _ => {
                order.wrong(
                    "only a range has an order",
                    "leave it out, or keys = \"0..1_000\"",
                    &mut self.log,
                );
                return None;
            }
        }
        Some(keys)
    }

    fn keys(&mut self, node: &Node<'_>) -> Option<Keys> {
        if node.as_text().is_some() {
            let (first, end) = self.key_range(node)?;
            return Some(Keys::Range { first, end, shift: 0, order: Order::Ascending });
        }
        let mut table = node.table(KEYS_EXPECTED, &mut self.log)?;
        let keys = if let Some(range) = table.take("range") {
            let shift = self.optional_whole(&mut table, "shift", 0..=KEY_LIMIT, 0);
            self.key_range(&range).and_then(|(first, end)| {
                Some(Keys::Range { first, end, shift: shift?, order: Order::Ascending })
            })
        } else if let Some(random) = table.take("random") {
            self.random_keys(&random)
        } else if let Some(zipf) = table.take("zipf") {
            self.zipf_keys(&zipf)
        } else if let Some(window) = table.take("window") {
            self.window_keys(&window)
        } else {
            if table.is_empty() {
                node.wrong("which keys?", KEYS_EXPECTED, &mut self.log);
            }
            None
        };
        table.finish(&mut self.log);
        keys
    }

    /// `"0..1_000_000"`.
    fn key_range(&mut self, node: &Node<'_>) -> Option<(u64, u64)> {
        const ACCEPTED: &str =
            "first..end with the end left out, as in Rust: \"0..1_000_000\" is 0 to 999,999";
        let text = node.text(ACCEPTED, &mut self.log)?;
        let number = |text: &str| {
            let digits = text.trim().replace('_', "");
            (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
                .then(|| digits.parse::<u64>().unwrap_or(u64::MAX))
        };
        let ends = text.split_once("..").and_then(|(first, end)| Some((number(first)?, number(end)?)));
        let Some((first, end)) = ends else {
            node.wrong(format!("\"{text}\" is not a range of keys"), ACCEPTED, &mut self.log);
            return None;
        };
        if end > KEY_LIMIT {
            let reason = format!("\"{text}\" goes beyond the largest key");
            node.wrong(reason, &format!("an end of at most {KEY_LIMIT}"), &mut self.log);
            return None;
        }
        if first >= end {
            node.wrong(format!("\"{text}\" holds no key"), ACCEPTED, &mut self.log);
            return None;
        }
        Some((first, end))
    }

    fn random_keys(&mut self, node: &Node<'_>) -> Option<Keys> {
        let mut table = node.table("{ count = 1_000, below = 1_000_000 }", &mut self.log)?;
        let count = self.need_whole(&mut table, "count", 1..=OBJECTS_LIMIT);
        let below = self.need_whole(&mut table, "below", 1..=KEY_LIMIT);
        let seed = self.seed(&mut table);
        table.finish(&mut self.log);
        Some(Keys::Random { count: count?, below: below?, seed: seed? })
    }

    fn zipf_keys(&mut self, node: &Node<'_>) -> Option<Keys> {
        let mut table = node.table("{ count = 1_000, below = 1_000_000, exponent = 1.1 }", &mut self.log)?;
        let count = self.need_whole(&mut table, "count", 1..=OBJECTS_LIMIT);
        let below = self.need_whole(&mut table, "below", 1..=KEY_LIMIT);
        let exponent = match table.take("exponent") {
            Some(node) => node.number(0.0, 10.0, &mut self.log),
            None => Some(1.0),
        };
        let seed = self.seed(&mut table);
        table.finish(&mut self.log);
        Some(Keys::Zipf { count: count?, below: below?, exponent: exponent?, seed: seed? })
    }

    fn window_keys(&mut self, node: &Node<'_>) -> Option<Keys> {
        let mut table = node.table("{ range = \"0..1_000_000\", size = 1_000 }", &mut self.log)?;
        let range = table.need("range", "\"0..1_000_000\"", &mut self.log);
        let range = range.and_then(|node| self.key_range(&node));
        let size = self.need_whole(&mut table, "size", 1..=KEY_LIMIT);
        let shift = self.optional_whole(&mut table, "shift", 0..=KEY_LIMIT, 0);
        table.finish(&mut self.log);
        let (first, end) = range?;
        Some(Keys::Window { first, end, shift: shift?, size: size? })
    }
}
