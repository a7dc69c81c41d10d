//! The scenarios that travel with gclab: the files of `sims/`, inside the binary.

use include_dir::{Dir, include_dir};
use serde::Serialize;

use super::glass;
use crate::scenario::Scenario;

static SIMS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sims");

/// A scenario that travels with gclab.
#[derive(Clone, Debug, Serialize)]
pub struct Shipped {
    /// The file's name without its ending: `delete-million`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The question it answers.
    pub question: String,
    /// The file.
    pub text: String,
}

/// All of them, by name.
pub fn all() -> Vec<Shipped> {
    let mut all: Vec<Shipped> = texts().map(|(file, text)| shipped(file, text)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The small programs that can be stepped through, in their order.
pub fn to_step() -> Vec<Shipped> {
    glass::programs().into_iter().map(|(name, text)| shipped(&format!("{name}.toml"), text)).collect()
}

fn shipped(file: &str, text: &str) -> Shipped {
    let scenario = Scenario::parse(file, text)
        .unwrap_or_else(|mistakes| panic!("what travels with gclab has no mistakes: {:?}", mistakes.list));
    let Scenario { name, title, question, .. } = scenario;
    Shipped { name, title, question, text: text.to_owned() }
}

/// The text of one.
pub fn text(name: &str) -> Option<&'static str> {
    texts().find(|(file, _)| file.strip_suffix(".toml") == Some(name)).map(|(_, text)| text)
}

fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    SIMS.files().filter_map(|file| {
        let name = file.path().file_name()?.to_str()?;
        name.ends_with(".toml").then_some((name, file.contents_utf8()?))
    })
}
