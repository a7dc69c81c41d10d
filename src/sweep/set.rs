//! `--set KEY=A,B,C`: an axis over any key of the scenario file.
//!
//! A key is its path in the file as messages write it, `steps[1].make.hint`; `steps.1.make.hint` is the same, and the name of
//! the step may be left out: `steps.1.hint`. A value is TOML, or a text without its quotes: `100`, `64KiB`, `off`,
//! `{ random = { count = 1_000, below = 1_000_000 } }`. Ranges are those of other axes: `1_000..1_000_000:log4`, `1KiB..64KiB:log7`.
//!
//! Every combination of values is the file with those values written into it, and is read like any other file: a run of the
//! sweep is the run of the file that somebody has edited by hand. A key that is not there is added to its table.

use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use super::axis::{Axis, AxisValue};
use crate::mistake::suggestion;
use crate::scenario::Scenario;
use crate::units::Bytes;

/// Most combinations of values: each is read before the first run begins. Our limit.
const VARIANTS_LIMIT: usize = 10_000;

/// A key of the scenario file and the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAxis {
    /// The key as it was given, in parts.
    parts: Vec<String>,
    /// The key as it was given.
    pub key: String,
    /// As they were given, each once.
    pub values: Vec<String>,
}

/// Why a key cannot take a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--set {flag}: {reason}")]
pub struct SetError {
    /// `KEY=VALUE`.
    pub flag: String,
    /// Why, in one sentence without a full stop.
    pub reason: String,
    /// What would have been accepted.
    pub accepted: String,
}

/// A key, as messages write it, and its values: a column of the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The key.
    pub key: String,
    /// The values, in the order of the flag.
    pub values: Vec<String>,
}

impl Set {
    /// Whether every value is a whole number.
    pub(super) fn is_whole(&self) -> bool {
        self.values.iter().all(|value| whole_number(value).is_some())
    }
}

/// The scenario with every combination of values.
#[derive(Clone, Debug)]
pub struct Variants {
    /// What is set.
    pub sets: Vec<Set>,
    /// One for each combination; the first key turns fastest.
    pub scenarios: Vec<Scenario>,
}

impl SetAxis {
    fn error(&self, value: &str, reason: impl Into<String>, accepted: impl Into<String>) -> SetError {
        SetError { flag: format!("{}={value}", self.key), reason: reason.into(), accepted: accepted.into() }
    }
}

impl FromStr for SetAxis {
    type Err = String;

    fn from_str(text: &str) -> Result<SetAxis, String> {
        const ACCEPTED: &str =
            "KEY=A,B,C, such as steps.1.make.hint=0,1_000,1_000_000 or types.Session.size=64B..4KiB:log7";
        let (key, list) =
            text.split_once('=').ok_or_else(|| format!("{text:?} sets nothing; accepted: {ACCEPTED}"))?;
        let key = key.trim();
        let parts: Vec<String> =
            key.replace('[', ".").replace(']', "").split('.').map(|part| part.trim().to_owned()).collect();
        if parts.iter().any(String::is_empty) {
            return Err(format!("{key:?} is not a path of keys; accepted: {ACCEPTED}"));
        }
        let mut values: Vec<String> = Vec::new();
        for part in at_commas(list) {
            let part = part.trim();
            if part.is_empty() {
                return Err(format!("{text:?} has an empty value; accepted: {ACCEPTED}"));
            }
            for value in spelt_out(part)? {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        Ok(SetAxis { parts, key: key.to_owned(), values })
    }
}

/// The parts between commas that stand in no quotes, brackets or braces.
fn at_commas(list: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0usize, None);
    for (at, c) in list.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts
}

/// A value, or those of a range such as `1KiB..64KiB:log7`.
fn spelt_out(part: &str) -> Result<Vec<String>, String> {
    let spacing = part.split_once("..").and_then(|(_, end)| end.split_once(':'));
    let Some((end, _)) = spacing.filter(|(_, name)| name.starts_with("log") || name.starts_with("lin"))
    else {
        return Ok(vec![part.to_owned()]);
    };
    if Whole::read(end).is_ok() {
        let axis: Axis<Whole> = part.parse()?;
        return Ok(Axis::values(&[axis]).into_iter().map(|whole| whole.0.to_string()).collect());
    }
    let axis: Axis<Bytes> = part.parse()?;
    Ok(Axis::values(&[axis]).into_iter().map(|bytes| format!("{}B", bytes.0)).collect())
}

/// A whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Whole(u64);

impl AxisValue for Whole {
    const EXAMPLE: &'static str = "100,1_000 or 100..100_000:log4 or 100..400:lin4";

    fn read(text: &str) -> Result<Whole, String> {
        let number = whole_number(text).ok_or_else(|| format!("{text:?} is not a whole number"));
        number.map(Whole)
    }

    fn number(self) -> Option<u64> {
        Some(self.0)
    }

    fn rounded(number: f64) -> Whole {
        Whole(number.round() as u64)
    }
}

/// The whole number that a text spells as TOML does: `1_000`.
pub(super) fn whole_number(text: &str) -> Option<u64> {
    let digits = text.trim().replace('_', "");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| is_number && i64::try_from(*number).is_ok())
}

impl Variants {
    /// The scenario of `file` with `text`, under every combination of `axes`.
    ///
    /// # Errors
    /// [`SetError`]: a path that leads nowhere, a value that its key does not accept, a combination that makes no scenario.
    pub fn of(file: &str, text: &str, axes: &[SetAxis]) -> Result<Variants, SetError> {
        let count = axes.iter().fold(1usize, |product, axis| product.saturating_mul(axis.values.len()));
        if let Some(last) = axes.last().filter(|_| count > VARIANTS_LIMIT) {
            let reason = format!("with it the scenario has {count} variants");
            return Err(last.error("...", reason, format!("up to {VARIANTS_LIMIT} combinations of values")));
        }
        let mut named = Vec::new();
        let mut scenarios = Vec::with_capacity(count);
        for number in 0..count {
            let (mut variant, mut rest) = (text.to_owned(), number);
            let mut chosen = Vec::new();
            for axis in axes {
                let value = &axis.values[rest % axis.values.len()];
                rest /= axis.values.len();
                let (edited, key) = written_into(&variant, axis, value)?;
                variant = edited;
                chosen.push((axis, value, key));
            }
            scenarios.push(read(file, &variant, &chosen)?);
            if number == 0 {
                let set = |(axis, _, key): (&SetAxis, _, _)| Set { key, values: axis.values.clone() };
                named = chosen.into_iter().map(set).collect();
            }
        }
        Ok(Variants { sets: named, scenarios })
    }
}

/// Reads a variant; its first mistake is told as one of the flag that has made it.
fn read(file: &str, text: &str, chosen: &[(&SetAxis, &String, String)]) -> Result<Scenario, SetError> {
    Scenario::parse(file, text).map_err(|mistakes| {
        let blamed = mistakes.list.iter().find_map(|mistake| {
            let at = chosen.iter().find(|(_, _, key)| mistake.key.starts_with(key.as_str()))?;
            Some((at, mistake))
        });
        let ((axis, value, _), mistake) = blamed.unwrap_or((&chosen[chosen.len() - 1], &mistakes.list[0]));
        axis.error(value, mistake.to_string(), mistake.accepted.clone().unwrap_or_default())
    })
}

/// The text with `value` at the key of `axis`, and the key in full as messages write it.
fn written_into(text: &str, axis: &SetAxis, value: &str) -> Result<(String, String), SetError> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if let Some(error) = errors.first() {
        return Err(axis.error(value, format!("this is not TOML: {}", error.message()), ""));
    }
    let place = find(document.get_ref(), &axis.parts)
        .map_err(|(reason, accepted)| axis.error(value, reason, accepted))?;
    let value = as_toml(value);
    let mut text = text.to_owned();
    match place.target {
        Target::Value(span) => text.replace_range(span, &value),
        Target::Absent { table, key } => {
            let (at, line) = match table.map(|table| (table.start, text[table].chars().next())) {
                None => (0, format!("{key} = {value}\n")),
                Some((start, Some('{'))) => (start + 1, in_braces(&text[start + 1..], &key, &value)),
                Some((start, Some('['))) => {
                    let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
                    (end, format!("\n{key} = {value}"))
                }
                Some(_) => {
                    let reason = format!(
                        "\"{key}\" is not in the file, and cannot be added to a table of dotted keys"
                    );
                    return Err(axis.error(&value, reason, "a key that is in the file"));
                }
            };
            text.insert_str(at, &line);
        }
    }
    Ok((text, place.key))
}

/// An entry at the beginning of an inline table whose text goes on with `rest`.
fn in_braces(rest: &str, key: &str, value: &str) -> String {
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    format!(" {key} = {value}{comma}")
}

/// A value as TOML: what is none is a text without its quotes.
fn as_toml(value: &str) -> String {
    let is_toml = !value.contains('\n') && toml::from_str::<toml::Table>(&format!("x = {value}")).is_ok();
    if is_toml { value.to_owned() } else { toml::Value::String(value.to_owned()).to_string() }
}

/// Where a path leads.
struct Place {
    /// In full, as messages write it.
    key: String,
    target: Target,
}

enum Target {
    Value(Range<usize>),
    /// Nothing is there yet.
    Absent {
        /// The table that it belongs into; the document itself has no place.
        table: Option<Range<usize>>,
        /// The keys that are missing, with dots between them.
        key: String,
    },
}

/// Tables of a scenario that a file may do without.
const ROOT_TABLES: [&str; 2] = ["go", "machine"];

/// A table on the way.
struct Here<'d> {
    table: &'d DeTable<'d>,
    /// The document itself has none.
    span: Option<Range<usize>>,
    key: String,
}

impl<'d> Here<'d> {
    /// The only entry of a step is the step itself, whose name may be left out.
    fn inside_the_step(self, left: &[String]) -> Here<'d> {
        let name = left[0].as_str();
        if !self.key.ends_with(']') || self.table.len() != 1 || self.table.contains_key(name) {
            return self;
        }
        match self.table.iter().next() {
            Some((step, value)) => match value.get_ref() {
                DeValue::Table(inner) if left.len() == 1 || inner.contains_key(name) => Here {
                    table: inner,
                    span: Some(value.span()),
                    key: format!("{}.{}", self.key, step.get_ref()),
                },
                _ => self,
            },
            None => self,
        }
    }

    /// The place of keys that are not there: of one in its table, or of a table that a file may do without.
    fn absent(self, left: &[String]) -> Result<Place, (String, String)> {
        let may_be_added = match self.span {
            Some(_) => left.len() == 1,
            None => left.len() == 2 && ROOT_TABLES.contains(&left[0].as_str()),
        };
        if !may_be_added {
            let known: Vec<&str> = self.table.keys().map(|name| name.get_ref().as_ref()).collect();
            let accepted = suggestion(&left[0], known.iter().copied());
            return Err((format!("there is no \"{}\" here", left[0]), accepted));
        }
        let missing = left.join(".");
        let key = if self.key.is_empty() { missing.clone() } else { format!("{}.{missing}", self.key) };
        Ok(Place { key, target: Target::Absent { table: self.span, key: missing } })
    }
}

/// Follows a path through the document.
fn find<'d>(document: &'d DeTable<'d>, parts: &[String]) -> Result<Place, (String, String)> {
    let mut here = Here { table: document, span: None, key: String::new() };
    let mut left = parts;
    loop {
        here = here.inside_the_step(left);
        let name = left[0].as_str();
        let Some(mut value) = here.table.get(name) else { return here.absent(left) };
        let mut key = if here.key.is_empty() { name.to_owned() } else { format!("{}.{name}", here.key) };
        left = &left[1..];
        while let (DeValue::Array(array), Some(number)) = (value.get_ref(), left.first()) {
            let element = number.parse().ok().and_then(|index: usize| array.get(index));
            value = element.ok_or_else(|| {
                let last = array.len().saturating_sub(1);
                (format!("{key} has no element {number}"), format!("0 to {last}, as in {key}[0]"))
            })?;
            key = format!("{key}[{number}]");
            left = &left[1..];
        }
        match value.get_ref() {
            _ if left.is_empty() => return Ok(Place { key, target: Target::Value(value.span()) }),
            DeValue::Table(table) => here = Here { table, span: Some(value.span()), key },
            _ => return Err((format!("{key} has no keys of its own"), format!("{key}=VALUE"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIM: &str = "title = 't'\nquestion = 'q'\nanswer = 'a'\nsteps = [\n\
        { make = { var = 'm' } },\n\
        { insert = { var = 'm', keys = '0..1_000' } }, # the keys\n\
        { snapshot = 'end' },\n]\n\n[vars]\nm = 'map[int]Session'\n\n[types]\nSession = { size = '64B' }\n";

    fn variants(flags: &[&str]) -> Result<Variants, SetError> {
        let axes: Vec<SetAxis> = flags.iter().map(|flag| flag.parse().unwrap()).collect();
        Variants::of("small.toml", SIM, &axes)
    }

    #[track_caller]
    fn edited(flag: &str, from: &str, to: &str) -> String {
        let by_hand = Scenario::parse("small.toml", &SIM.replacen(from, to, 1)).unwrap();
        let variants = variants(&[flag]).unwrap();
        assert_eq!(variants.scenarios.len(), 1);
        let (own, hand) = (&variants.scenarios[0], &by_hand);
        let steps = |scenario: &Scenario| {
            scenario.steps.iter().map(|step| step.get_ref().clone()).collect::<Vec<_>>()
        };
        assert_eq!((steps(own), &own.vars, own.settings()), (steps(hand), &hand.vars, hand.settings()));
        variants.sets[0].key.clone()
    }

    #[test]
    fn a_value_is_written_over_the_one_that_is_there() {
        assert_eq!(edited("steps[1].insert.keys=0..77", "0..1_000", "0..77"), "steps[1].insert.keys");
        assert_eq!(edited("steps.1.keys=\"0..77\"", "0..1_000", "0..77"), "steps[1].insert.keys");
        assert_eq!(edited("vars.m=map[int]int", "map[int]Session", "map[int]int"), "vars.m");
        assert_eq!(edited("types.Session.size=128B", "64B", "128B"), "types.Session.size");
        let random = "{ random = { count = 5, below = 9 } }";
        assert_eq!(edited(&format!("steps.1.keys={random}"), "'0..1_000'", random), "steps[1].insert.keys");
    }

    #[test]
    fn a_key_that_is_not_there_is_added_to_its_table() {
        let hint = "{ var = 'm', hint = 500 }";
        assert_eq!(edited("steps.0.make.hint=500", "{ var = 'm' }", hint), "steps[0].make.hint");
        assert_eq!(edited("steps.0.hint=500", "{ var = 'm' }", hint), "steps[0].make.hint");
        assert_eq!(
            edited("types.Session.pointers=1", "'64B'", "'64B', pointers = 1"),
            "types.Session.pointers"
        );
        assert_eq!(
            edited("types.Other={ size = \"8B\" }", "[types]", "[types]\nOther = { size = '8B' }"),
            "types.Other"
        );
        assert_eq!(edited("go.procs=4", "[vars]", "[go]\nprocs = 4\n[vars]"), "go.procs");
        assert_eq!(
            edited("machine.memory=64MiB", "[vars]", "[machine]\nmemory = '64MiB'\n[vars]"),
            "machine.memory"
        );
    }

    #[test]
    fn every_combination_is_a_variant_and_the_first_key_turns_fastest() {
        let variants =
            variants(&["steps.0.hint=0,10..1_000:log3", "types.Session.size=64B,1KiB..4KiB:log3"]).unwrap();
        assert_eq!(
            variants.sets,
            [
                Set {
                    key: "steps[0].make.hint".to_owned(),
                    values: ["0", "10", "100", "1000"].map(str::to_owned).to_vec()
                },
                Set {
                    key: "types.Session.size".to_owned(),
                    values: ["64B", "1024B", "2048B", "4096B"].map(str::to_owned).to_vec()
                },
            ]
        );
        assert_eq!(variants.scenarios.len(), 16);
        let describe = |number: usize| {
            variants.scenarios[number].steps[0].get_ref().describe(&variants.scenarios[number])
        };
        assert_eq!((describe(0), describe(1)), ("make m".to_owned(), "make m for 10".to_owned()));
        assert_eq!((describe(4), describe(7)), ("make m".to_owned(), "make m for 1,000".to_owned()));
    }

    #[test]
    fn what_leads_nowhere_or_does_not_fit_names_the_key_and_what_would() {
        let refused = |flag: &str| {
            let error = variants(&[flag]).unwrap_err();
            format!("{error}; {}", error.accepted)
        };
        for (flag, words) in [
            ("steps.0.make.hnt=5", ["steps.0.make.hnt=5", "unknown key \"hnt\"", "\"hint\""]),
            ("steps.0.mke.hint=5", ["steps.0.mke.hint=5", "no \"mke\"", "\"make\""]),
            ("steps.7.hint=5", ["steps has no element 7", "0 to 2", "steps[0]"]),
            ("stps.0.hint=5", ["no \"stps\"", "did you mean \"steps\"", "title"]),
            ("title.x=5", ["title has no keys of its own", "title=VALUE", "--set"]),
            ("steps.0.hint=many", ["steps.0.hint=many", "a text does not fit", "a whole number"]),
            ("types.Session.size=64BB", ["types.Session.size=64BB", "64BB", "size"]),
            ("vars.m=[]int", ["vars.m=[]int", "not a map", "a variable that is a map"]),
        ] {
            let said = refused(flag);
            assert!(words.iter().all(|word| said.contains(word)), "{flag}: {said}");
        }
        for flag in ["steps.0.hint", "=5", "a..b=5", "steps.0.hint=", "steps.0.hint=1,,2", "x=1..5:log0"] {
            let error = flag.parse::<SetAxis>().unwrap_err();
            assert!(error.contains("accepted"), "{flag}: {error}");
        }
        let many = "steps.0.hint=1..1_000:lin1000".parse::<SetAxis>().unwrap();
        let error = Variants::of("small.toml", SIM, &[many.clone(), many]).unwrap_err();
        assert!(error.reason.contains("1000000 variants"), "{error}");
    }

    #[test]
    fn commas_in_lists_and_quotes_part_nothing() {
        let axis: SetAxis =
            "steps.1.keys={ random = { count = 5, below = 9 } },\"0..1, 2\",0..9".parse().unwrap();
        assert_eq!(axis.values, ["{ random = { count = 5, below = 9 } }", "\"0..1, 2\"", "0..9"]);
    }
}
