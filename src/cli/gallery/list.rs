//! The list of the gallery's pictures: a TOML file beside them.
//!
//! ```toml
//! intro = "Every picture is one run of a scenario."
//!
//! [[section]]
//! title = "Maps"
//!
//! [[section.picture]]
//! sim   = "churn"              # sims/churn.toml
//! file  = "churn-pacer.svg"    # sim and .png, if it is not said
//! chart = "pacer"              # a timeline, or of several runs a comparison
//! gogc  = [50, 100, "off"]     # the scenario's own
//! go    = "1.24"               # the scenario's own
//! theme = "dark"               # light
//! at    = ["full"]             # the snapshots that the chart shows
//! text  = "What stands above the picture."
//! alt   = "What the picture shows, in words."
//! ```

use serde::Deserialize;
use toml::Value;

use crate::chart::{Format, Kind};
use crate::cli::pictures::ThemeName;
use crate::scenario::Gogc;
use crate::version::GoVersion;

/// The whole list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    /// What the gallery is.
    pub(super) intro: String,
    /// Its parts, in order.
    pub(super) section: Vec<Section>,
}

/// Pictures under one heading.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    /// The heading.
    pub(super) title: String,
    /// The pictures, in order.
    pub(super) picture: Vec<Entry>,
}

/// A picture as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The scenario's name.
    pub(super) sim: String,
    file: Option<String>,
    chart: Option<String>,
    #[serde(default)]
    gogc: Vec<Value>,
    go: Option<String>,
    theme: Option<String>,
    #[serde(default)]
    pub(super) at: Vec<String>,
    /// What stands above the picture.
    #[serde(default)]
    pub(super) text: String,
    /// What it shows.
    pub(super) alt: String,
}

/// A picture as it is drawn.
#[derive(Debug)]
pub(super) struct Picture {
    /// Its file.
    pub(super) file: String,
    /// As what it is written.
    pub(super) format: Format,
    /// What it shows.
    pub(super) kind: Kind,
    /// Its colours.
    pub(super) theme: ThemeName,
    /// Settings of GOGC, a run each; empty for the scenario's own.
    pub(super) gogc: Vec<Gogc>,
    /// Go release; `None` for the scenario's own.
    pub(super) go: Option<GoVersion>,
}

impl Entry {
    /// A timeline of a scenario that nobody has described yet: its own words have to do.
    pub(super) fn of_scenario(sim: &str, question: &str, answer: &str) -> Entry {
        Entry {
            sim: sim.to_owned(),
            file: None,
            chart: None,
            gogc: Vec::new(),
            go: None,
            theme: None,
            at: Vec::new(),
            text: String::new(),
            alt: format!("{question} {answer}"),
        }
    }

    /// The picture that the entry asks for.
    ///
    /// # Errors
    /// A sentence with the scenario, the key and what is accepted.
    pub(super) fn picture(&self) -> Result<Picture, String> {
        let wrong = |key: &str, reason: String| format!("picture of {}, {key}: {reason}", self.sim);
        let gogc: Vec<Gogc> = self
            .gogc
            .iter()
            .map(|value| match value {
                Value::String(text) => text.parse(),
                Value::Integer(percent) => percent.to_string().parse(),
                other => Err(format!("{other} is not a GOGC; accepted: a number or \"off\"")),
            })
            .collect::<Result<_, String>>()
            .map_err(|reason| wrong("gogc", reason))?;
        let kind = match &self.chart {
            Some(name) => name.parse().map_err(|reason| wrong("chart", reason))?,
            None => Kind::for_runs(gogc.len()),
        };
        let file = self.file.clone().unwrap_or_else(|| format!("{}.png", self.sim));
        let format = match file.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() && !file.contains(['/', '\\']) => ending.parse(),
            _ => Err(format!("{file:?} is no file name; accepted: NAME.png or NAME.svg")),
        };
        let theme = self.theme.as_deref().unwrap_or("light").parse();
        let go = self.go.as_deref().map(str::parse::<GoVersion>).transpose();
        Ok(Picture {
            format: format.map_err(|reason| wrong("file", reason))?,
            file,
            kind,
            theme: theme.map_err(|reason| wrong("theme", reason))?,
            gogc,
            go: go.map_err(|reason| wrong("go", reason.to_string()))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(lines: &str) -> Entry {
        toml::from_str(&format!("sim = \"x\"\nalt = \"a\"\n{lines}")).unwrap()
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let picture = entry("").picture().unwrap();
        assert_eq!(
            (picture.file.as_str(), picture.kind, picture.format),
            ("x.png", Kind::Timeline, Format::Png)
        );
        let picture = entry("gogc = [50, \"off\"]\nfile = \"y.svg\"").picture().unwrap();
        assert_eq!((picture.kind, picture.format), (Kind::Comparison, Format::Svg));
        assert_eq!(picture.gogc, [Gogc::Percent(50), Gogc::Off]);
    }

    #[test]
    fn mistakes_name_the_picture_the_key_and_what_is_accepted() {
        for (lines, key) in [
            ("chart = \"pie\"", "chart"),
            ("gogc = [true]", "gogc"),
            ("gogc = [-5]", "gogc"),
            ("file = \"../x.png\"", "file"),
            ("file = \"x.gif\"", "file"),
            ("theme = \"blue\"", "theme"),
            ("go = \"1.5\"", "go"),
        ] {
            let error = entry(lines).picture().unwrap_err();
            assert!(error.starts_with(&format!("picture of x, {key}: ")), "{lines}: {error}");
        }
        let unknown = toml::from_str::<Entry>("sim = \"x\"\nalt = \"a\"\ncolour = 1").unwrap_err();
        assert!(unknown.to_string().contains("colour"), "{unknown}");
    }
}
