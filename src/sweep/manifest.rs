//! What was swept, and with which model: rows with the same manifest belong together, others do not.
//!
//! The model is named by its version and by a hash of its source, because two builds of one version may compute different
//! numbers. The scenario and the cost profile count with their texts. The manifest's own hash names it in messages.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::grid::Grid;
use super::set::Set;
use crate::scenario::{RunSettings, Scenario};
use crate::version::GoVersion;

/// Changes when rows or files change their form.
const FORMAT: u32 = 2;

/// The hash of the source that this program was built from.
const SOURCE_SHA256: &str = env!("GCLAB_SOURCE_SHA256");

/// What was swept. Axes are lists of the words of the flags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Form of the files.
    pub format: u32,
    /// Version of gclab.
    pub gclab: String,
    /// Hash of its source.
    pub source_sha256: String,
    /// The scenario's file stem.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// Hash of the scenario's text.
    pub scenario_sha256: String,
    /// Settings that are not swept.
    pub base: Stated,
    /// Go releases.
    pub go: Vec<String>,
    /// Limits of the container in bytes.
    pub machine_memory_bytes: Vec<u64>,
    /// Cores of the machine.
    pub cores: Vec<u32>,
    /// GOMAXPROCS.
    pub procs: Vec<u32>,
    /// GOMEMLIMIT in bytes, or off.
    pub memory_limit: Vec<String>,
    /// GOGC.
    pub gogc: Vec<String>,
    /// Keys of the scenario file.
    pub set: Vec<Set>,
    /// Repetitions of each combination.
    pub seeds: u32,
    /// What all seeds come from.
    pub seed: u64,
    /// How many runs there are.
    pub runs: u64,
}

/// The settings that axes change, as the scenario and the flags have them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// Go release.
    pub go: String,
    /// GOGC.
    pub gogc: String,
    /// GOMEMLIMIT in bytes, or off.
    pub memory_limit: String,
    /// GOMAXPROCS.
    pub procs: u32,
    /// Cores of the machine.
    pub cores: u32,
    /// The container's limit in bytes.
    pub machine_memory_bytes: Option<u64>,
    /// MADV_DONTNEED rather than MADV_FREE.
    pub madvdontneed: bool,
    /// Hash of a cost profile that is not built in.
    pub cost_profile_sha256: Option<String>,
}

impl Stated {
    fn of(settings: &RunSettings) -> Stated {
        let profile = settings.cost_profile.as_ref();
        Stated {
            go: settings.go.version.name().to_owned(),
            gogc: settings.go.gogc.to_string(),
            memory_limit: limit_text(settings.go.memory_limit.bytes()),
            procs: settings.go.procs,
            cores: settings.machine.cores,
            machine_memory_bytes: settings.machine.memory_bytes,
            madvdontneed: settings.go.madvdontneed,
            cost_profile_sha256: profile.map(|profile| sha256(profile.to_toml().as_bytes())),
        }
    }
}

fn limit_text(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "off".to_owned(), |bytes| bytes.to_string())
}

impl Manifest {
    /// The manifest of a grid over `scenario`, whose file has `text` before anything is set in it.
    pub fn new(scenario: &Scenario, text: &str, grid: &Grid) -> Manifest {
        let axes = grid.axes();
        Manifest {
            format: FORMAT,
            gclab: env!("CARGO_PKG_VERSION").to_owned(),
            source_sha256: SOURCE_SHA256.to_owned(),
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            scenario_sha256: sha256(text.as_bytes()),
            base: Stated::of(grid.base()),
            go: axes.versions.iter().copied().map(GoVersion::name).map(str::to_owned).collect(),
            machine_memory_bytes: axes.machine_memory_bytes.clone(),
            cores: axes.cores.clone(),
            procs: axes.procs.clone(),
            memory_limit: axes.memory_limits.iter().map(|limit| limit_text(limit.bytes())).collect(),
            gogc: axes.gogcs.iter().map(ToString::to_string).collect(),
            set: grid.sets().to_vec(),
            seeds: grid.repetitions(),
            seed: grid.master_seed(),
            runs: grid.len(),
        }
    }

    /// On one line.
    pub(super) fn to_line(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts are JSON")
    }

    /// As a file for people.
    pub(super) fn to_file(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("numbers and texts are JSON");
        text.push('\n');
        text
    }

    /// The first twelve digits of its hash: its name in messages.
    pub fn short_hash(&self) -> String {
        sha256(self.to_line().as_bytes())[..12].to_owned()
    }

    /// The first thing in which two manifests differ: `gogc: ["50"] against ["100"]`.
    pub(super) fn difference(&self, other: &Manifest) -> Option<String> {
        let fields = |manifest: &Manifest| match serde_json::to_value(manifest).expect("a manifest is JSON") {
            serde_json::Value::Object(fields) => fields,
            value => panic!("a manifest is an object, not {value}"),
        };
        let (mine, others) = (fields(self), fields(other));
        // The text of the scenario says more than its hash, and its name more than its title.
        let named = |key: &str| match key {
            "gclab" => "gclab (mixed versions)".to_owned(),
            "source_sha256" => "the source that gclab was built from (mixed versions)".to_owned(),
            "scenario_sha256" => "the text of the scenario".to_owned(),
            key => key.to_owned(),
        };
        let (key, value) = mine.iter().find(|(key, value)| others.get(*key) != Some(value))?;
        Some(format!("{} differs: {} against {}", named(key), shortened(value), shortened(&others[key])))
    }
}

fn shortened(value: &serde_json::Value) -> String {
    const SHOWN_CHARS: usize = 60;
    let text = value.to_string();
    if text.chars().count() <= SHOWN_CHARS {
        return text;
    }
    text.chars().take(SHOWN_CHARS).chain("...".chars()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::scenario::Gogc;
    use crate::sweep::Axes;

    /// The manifest of a sweep with one GOGC.
    pub fn manifest(gogc: u32, seeds: u32) -> Manifest {
        let text = "title='t'\nquestion='q'\nanswer='a'\nsteps=['gc']\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let axes = Axes { gogcs: vec![Gogc::Percent(gogc)], ..Axes::default() };
        Manifest::new(&scenario, text, &Grid::new(scenario.settings(), axes, seeds, 1))
    }

    #[test]
    fn the_hash_is_sha256() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(SOURCE_SHA256.len(), 64);
    }

    #[test]
    fn a_manifest_survives_its_line_and_names_what_differs() {
        let one = manifest(50, 3);
        assert_eq!(serde_json::from_str::<Manifest>(&one.to_line()).unwrap(), one);
        assert_eq!(one.difference(&one), None);
        let difference = one.difference(&manifest(70, 3)).unwrap();
        assert_eq!(difference, "gogc differs: [\"50\"] against [\"70\"]");
        assert_ne!(one.short_hash(), manifest(70, 3).short_hash());
        let newer = Manifest { gclab: "9.9.9".to_owned(), ..one.clone() };
        assert!(one.difference(&newer).unwrap().contains("mixed versions"));
    }
}
