//! What an event is in one plain sentence: what has happened, and why.
//!
//! The page and the terminal show the same sentences, in English and Chinese, a file for each language. Numbers in them are
//! those of the event; nothing is computed here.

mod chinese;
mod english;

use super::event::Event;
use crate::lesson::Language;
use crate::units::{Bytes, Nanos};

/// The sentence for an event.
pub(crate) fn sentence(event: &Event, language: Language) -> String {
    match language {
        Language::English => english::sentence(event),
        Language::Chinese => chinese::sentence(event),
    }
}

/// `1.50 MiB`, `8 KiB`: without decimals that say nothing.
fn size(bytes: u64) -> String {
    Bytes(bytes).to_string().replace(".00 ", " ")
}

/// A size that may be switched off.
fn size_or(bytes: Option<u64>, off: &str) -> String {
    bytes.map_or_else(|| off.to_owned(), size)
}

/// `250 ms`.
fn time(ns: u64) -> String {
    Nanos(ns).to_string()
}

/// `sync.RWMutex held: ` before what is done behind a lock.
fn locked(lock: Option<&str>, held: &str) -> String {
    lock.map_or_else(String::new, |lock| format!("{lock} {held}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_locks_read_as_people_say_them() {
        assert_eq!((size(8192), size(1600)), ("8 KiB".to_owned(), "1.56 KiB".to_owned()));
        assert_eq!(locked(Some("sync.Mutex"), "held: "), "sync.Mutex held: ");
        assert_eq!((locked(None, "held: "), size_or(None, "off")), (String::new(), "off".to_owned()));
    }
}
