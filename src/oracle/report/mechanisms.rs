//! Why the simulation misses where it misses: explanations that people have written, found again for every report.
//!
//! A TOML file with one table for each explanation. Patterns may contain `*`; what is left out fits everything; the first
//! explanation that fits a miss is its own.
//!
//! ```toml
//! [[mechanism]]
//! scenario = "steady-*"
//! metric   = "GC CPU"
//! text     = "Idle-priority workers do too much of the marking."
//! ```

use serde::Deserialize;

use super::super::cell::CellReport;
use super::super::judge::Judged;

/// Explanations, the first ones first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mechanisms {
    #[serde(default, rename = "mechanism")]
    list: Vec<Mechanism>,
}

/// An explanation and what it is for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mechanism {
    #[serde(default = "everything")]
    scenario: String,
    #[serde(default = "everything")]
    metric: String,
    #[serde(default = "everything")]
    snapshot: String,
    #[serde(default = "everything")]
    go: String,
    #[serde(default = "everything")]
    gogc: String,
    /// The explanation.
    pub text: String,
}

fn everything() -> String {
    "*".to_owned()
}

impl Mechanisms {
    /// Reads the file's text.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Mechanisms, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// The number of the explanation of a miss, and the explanation.
    pub fn of(&self, report: &CellReport, judged: &Judged) -> Option<(usize, &Mechanism)> {
        let snapshot = judged.snapshot.as_deref().unwrap_or("");
        let gogc = report.config.gogc_text();
        self.list.iter().enumerate().find(|(_, mechanism)| {
            fits(&mechanism.scenario, &report.scenario)
                && fits(&mechanism.metric, &judged.metric)
                && fits(&mechanism.snapshot, snapshot)
                && fits(&mechanism.go, &report.go)
                && fits(&mechanism.gogc, &gogc)
        })
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            rest.is_empty()
                || text.char_indices().any(|(index, _)| fits(rest, &text[index..]))
                || fits(rest, "")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::report::samples;
    use crate::oracle::{Class, Verdict};

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("steady-*", "steady-gogc", true),
            ("steady-*", "unsteady-gogc", false),
            ("*gogc", "steady-gogc", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("RSS", "peak RSS", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_that_fits_explains() {
        let text = "[[mechanism]]\nmetric = \"HeapSys\"\ntext = \"space\"\n\
                    [[mechanism]]\nscenario = \"t*\"\ngo = \"go1.23*\"\ntext = \"tiny\"\n";
        let mechanisms = Mechanisms::parse(text).unwrap();
        let report = samples::report(100, vec![]);
        let of = |metric: &str| {
            let judged = samples::judged(None, metric, Class::Timing, Verdict::Miss);
            mechanisms.of(&report, &judged).map(|(number, mechanism)| (number, mechanism.text.clone()))
        };
        assert_eq!(of("HeapSys"), Some((0, "space".to_owned())));
        assert_eq!(of("RSS"), Some((1, "tiny".to_owned())));
        assert!(
            Mechanisms::default()
                .of(&report, &samples::judged(None, "RSS", Class::Timing, Verdict::Miss))
                .is_none()
        );
        let error = Mechanisms::parse("[[mechanism]]\nmetrik = \"x\"\ntext = \"\"\n").unwrap_err();
        assert!(error.contains("metrik"), "{error}");
    }
}
