//! A cost profile: the price list of one machine under one Go release, as a TOML file.
//!
//! A profile has a `[provenance]` table, which says where its prices come from, and a table for each group of the
//! [`CostModel`]. Prices are numbers, curves are lists of `[bytes, nanoseconds]` pairs in ascending order of bytes. Two
//! profiles are built in, one for each Go release (`profiles/`); `gclab calibrate` writes others.
//!
//! # Reading
//!
//! 1. The text is parsed into a tree in which every value knows its place.
//! 2. The tree is compared with the built-in profile: the same tables, the same keys, values of the same kind. Whatever is
//!    unknown, missing or no price is noted, all of it ([`Mistakes`]).
//! 3. Only a tree without mistakes becomes a [`CostModel`].
//!
//! Invariants: writing a profile and reading it again gives the same profile, bit for bit; a profile that exists has
//! finite prices above 0 (differences may be 0) and curves that ascend.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::list::CostModel;
use crate::mistake::{Log, Mistakes, nearest, suggestion};
use crate::version::GoVersion;

/// The groups of prices in the order of a file.
pub const GROUPS: [&str; 9] =
    ["allocation", "kernel", "maps", "keys", "marking", "cycle", "sweeping", "goroutines", "sync"];

/// Prices that are what one thing costs *more* than another, and may be nothing.
const MAY_BE_ZERO: [&str; 6] = [
    "malloc_bitmap_extra_ns",
    "malloc_header_extra_ns",
    "large_bitmap_byte_ns",
    "string_hash_ns",
    "forced_yield_one_proc_ns",
    "forced_yield_many_procs_ns",
];

/// Highest price that is accepted: a thousand seconds. Our limit.
const PRICE_LIMIT_NS: f64 = 1e12;

/// Longest profile in bytes that is accepted. Our limit: the built-in ones have 6 KiB.
const FILE_LIMIT_BYTES: usize = 1 << 20;

const PRICE: &str = "a price in nanoseconds above 0, such as 12.6";
const DIFFERENCE: &str = "a price in nanoseconds, 0 or more, such as 0.5";
const CURVE: &str =
    "a list of [bytes, nanoseconds] in ascending order of bytes: [[4_096, 8.0], [65_536, 9.5]]";

/// Prices, and where they come from.
#[derive(Clone, Debug, PartialEq)]
pub struct CostProfile {
    /// What a trace calls it: the file's name without folder and ending; `go1.23` for a built-in one.
    pub name: String,
    /// Where the prices come from.
    pub provenance: Provenance,
    /// The prices, shared by everything that asks for them.
    pub model: Arc<CostModel>,
}

/// Where the prices of a profile come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Go release with its patch level: `1.23.9`.
    pub go: String,
    /// Processor.
    pub cpu: String,
    /// Processor cores that were there.
    pub cores: u32,
    /// Release of the operating system's kernel.
    pub kernel: String,
    /// Day of the measurement, `2026-11-23`.
    pub date: String,
    /// Version of gclab that derived the prices.
    pub gclab: String,
    /// Hash of the programs that measured.
    pub programs: String,
    /// Whether nothing disturbed the measurement, as far as it could tell.
    pub quiet: bool,
    /// The groups that were measured; the others are those of the built-in profile.
    pub measured: Vec<String>,
}

/// What a file says, table by table.
#[derive(Serialize, Deserialize)]
struct File {
    provenance: Provenance,
    #[serde(flatten)]
    model: CostModel,
}

/// The profiles that are part of the binary, in the order of [`GoVersion::ALL`]. Constants in all but their form.
static BUILT_IN: LazyLock<[Arc<CostProfile>; 5]> = LazyLock::new(|| {
    [
        built_in("go1.21.toml", include_str!("../../profiles/go1.21.toml")),
        built_in("go1.23.toml", include_str!("../../profiles/go1.23.toml")),
        built_in("go1.24.toml", include_str!("../../profiles/go1.24.toml")),
        built_in("go1.25.toml", include_str!("../../profiles/go1.25.toml")),
        built_in("go1.27.toml", include_str!("../../profiles/go1.27.toml")),
    ]
});

fn built_in(file: &str, text: &str) -> Arc<CostProfile> {
    let File { provenance, model } = toml::from_str(text).expect("a test reads the built-in profiles");
    Arc::new(CostProfile { name: name_of(file), provenance, model: Arc::new(model) })
}

impl CostProfile {
    /// The built-in profile of a Go release.
    pub fn of(version: GoVersion) -> Arc<CostProfile> {
        let index = GoVersion::ALL.iter().position(|known| *known == version);
        Arc::clone(&BUILT_IN[index.expect("ALL has every version")])
    }

    /// Reads a profile for simulating `version`. `file` is its name for messages.
    ///
    /// # Errors
    /// Every mistake in the text, in its order.
    pub fn parse(file: &str, text: &str, version: GoVersion) -> Result<CostProfile, Mistakes> {
        let mut log = Log::default();
        if text.len() > FILE_LIMIT_BYTES {
            log.report(0..0, "", format!("the file is {} bytes long", text.len()), "up to 1 MiB");
            return Err(log.into_mistakes(file, "").expect("one was reported"));
        }
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let end = text.trim_end().len();
            log.report(
                error.span().unwrap_or(end..end),
                "",
                format!("this is not TOML: {}", error.message()),
                "",
            );
        }
        if let Some(mistakes) = log.into_mistakes(file, text) {
            return Err(mistakes);
        }
        let mut checker = Checker { log: Log::default(), version };
        checker.document(document.get_ref(), 0..text.lines().next().map_or(0, str::len));
        if checker.log.is_empty() {
            match toml::from_str::<File>(text) {
                Ok(File { provenance, model }) => {
                    return Ok(CostProfile { name: name_of(file), provenance, model: Arc::new(model) });
                }
                Err(error) => checker.log.report(error.span().unwrap_or(0..0), "", error.message(), ""),
            }
        }
        Err(checker.log.into_mistakes(file, text).expect("what is no profile was reported"))
    }

    /// The profile as a file.
    pub fn to_toml(&self) -> String {
        let file = File { provenance: self.provenance.clone(), model: (*self.model).clone() };
        let tables = toml::to_string(&file).expect("texts and numbers are TOML");
        let head = "# What work costs on one machine under one Go release, in nanoseconds. Curves are [bytes, nanoseconds].\n\
             # What each price means, and how it follows from measurements: src/cost/list.rs, src/calibrate/derive.\n\n";
        tables.lines().fold(head.to_owned(), |text, line| text + &folded(line) + "\n")
    }
}

/// `my-machine` of `some/folder/my-machine.toml`.
fn name_of(file: &str) -> String {
    Path::new(file).file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Longest line of a written file in characters.
const LINE_CHARS: usize = 110;

/// A line with breaks between the elements of a list that is too long for it.
fn folded(line: &str) -> String {
    let Some((key, list)) = line.split_once(" = [") else { return line.to_owned() };
    if line.len() <= LINE_CHARS {
        return line.to_owned();
    }
    let separator = if list.starts_with('[') { "], " } else { ", " };
    let elements: Vec<&str> = list.trim_end_matches(']').split(separator).collect();
    let close = separator.trim_end_matches(", ");
    let lines: Vec<String> = elements.iter().map(|element| format!("    {element}{close},\n")).collect();
    format!("{key} = [\n{}]", lines.concat())
}

/// Compares a parsed file with the built-in profile.
struct Checker {
    log: Log,
    version: GoVersion,
}

impl Checker {
    /// `top` is where what is missing from the whole file is shown.
    fn document(&mut self, document: &DeTable<'_>, top: Range<usize>) {
        let sample = CostProfile::of(self.version);
        let shape = toml::Table::try_from(&*sample.model).expect("prices are TOML");
        let known: Vec<&str> = ["provenance"].into_iter().chain(GROUPS).collect();
        self.unknown(document, "", &known);
        for name in known {
            let Some(value) = document.get(name) else {
                self.missing(
                    document,
                    top.clone(),
                    "",
                    name,
                    "a table of prices; see profiles/ in the sources",
                );
                continue;
            };
            let DeValue::Table(table) = value.get_ref() else {
                self.log.report(value.span(), name, "a table belongs here", &format!("[{name}]"));
                continue;
            };
            match shape.get(name) {
                Some(toml::Value::Table(prices)) => self.group(name, table, value.span(), prices),
                _ => self.provenance(table, value.span()),
            }
        }
    }

    /// One table of prices, all of which `shape` has.
    fn group(&mut self, group: &str, table: &DeTable<'_>, span: Range<usize>, shape: &toml::Table) {
        let known: Vec<&str> = shape.keys().map(String::as_str).collect();
        self.unknown(table, group, &known);
        for (name, sample) in shape {
            let Some(value) = table.get(name.as_str()) else {
                self.missing(table, span.clone(), group, name, wanted(name, sample).accepted());
                continue;
            };
            let key = format!("{group}.{name}");
            match wanted(name, sample) {
                Wanted::Curve => self.curve(&key, value),
                Wanted::List(length) => self.list(&key, value, length),
                one => {
                    self.price(&key, value, one);
                }
            }
        }
    }

    fn price(&mut self, key: &str, value: &Spanned<DeValue<'_>>, wanted: Wanted) -> Option<f64> {
        let least = if wanted == Wanted::Difference { 0.0 } else { f64::MIN_POSITIVE };
        let number = number(value.get_ref());
        let fits = number.filter(|ns| (least..=PRICE_LIMIT_NS).contains(ns));
        if fits.is_none() {
            let reason = if number.is_some() { "this is no price" } else { "this is no number" };
            self.log.report(value.span(), key, reason, wanted.accepted());
        }
        fits
    }

    fn list(&mut self, key: &str, value: &Spanned<DeValue<'_>>, length: usize) {
        let elements = match value.get_ref() {
            DeValue::Array(elements) if elements.len() == length => elements,
            _ => {
                let reason = format!("a list of {length} numbers belongs here");
                return self.log.report(value.span(), key, reason, "a share for each half entry a bucket");
            }
        };
        for (index, element) in elements.iter().enumerate() {
            self.price(&format!("{key}[{index}]"), element, Wanted::Price);
        }
    }

    fn curve(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        let DeValue::Array(points) = value.get_ref() else {
            return self.log.report(value.span(), key, "a curve belongs here", CURVE);
        };
        if points.is_empty() {
            self.log.report(value.span(), key, "the curve has no point", CURVE);
        }
        let mut last_bytes = 0;
        for (index, point) in points.iter().enumerate() {
            let key = format!("{key}[{index}]");
            let pair = match point.get_ref() {
                DeValue::Array(pair) if pair.len() == 2 => pair,
                _ => {
                    self.log.report(point.span(), &key, "this is no point of a curve", CURVE);
                    continue;
                }
            };
            match whole(pair[0].get_ref()) {
                Some(bytes) if bytes > last_bytes => last_bytes = bytes,
                Some(_) => {
                    let accepted = format!("more than {last_bytes} bytes");
                    self.log.report(pair[0].span(), &key, "the sizes do not ascend", &accepted);
                }
                None => self.log.report(pair[0].span(), &key, "this is no number of bytes", CURVE),
            }
            self.price(&key, &pair[1], Wanted::Price);
        }
    }

    /// The kinds of the values are left to serde, which names them; here is what they mean.
    fn provenance(&mut self, table: &DeTable<'_>, span: Range<usize>) {
        let sample = CostProfile::of(self.version);
        let shape = toml::Table::try_from(&sample.provenance).expect("provenance is TOML");
        let known: Vec<&str> = shape.keys().map(String::as_str).collect();
        self.unknown(table, "provenance", &known);
        for name in known {
            if table.get(name).is_none() {
                self.missing(table, span.clone(), "provenance", name, &format!("such as {}", shape[name]));
            }
        }
        let Some(go) = table.get("go") else { return };
        let measured = match go.get_ref() {
            DeValue::String(text) => text.parse::<GoVersion>().ok(),
            _ => None,
        };
        if measured != Some(self.version) {
            let reason = format!("the run simulates Go {}, these are prices of another Go", self.version);
            let accepted = format!("a profile of Go {}, or --go with the profile's", self.version);
            self.log.report(go.span(), "provenance.go", reason, &accepted);
        }
    }

    fn unknown(&mut self, table: &DeTable<'_>, path: &str, known: &[&str]) {
        for (name, _) in table.iter().filter(|(name, _)| !known.contains(&&**name.get_ref())) {
            let reason = format!("unknown key \"{}\"", name.get_ref());
            let accepted = suggestion(name.get_ref(), known.iter().copied());
            self.log.report(name.span(), path, reason, &accepted);
        }
    }

    /// A misspelt key is reported as unknown, with the right one: it is not also called missing.
    fn missing(&mut self, table: &DeTable<'_>, span: Range<usize>, path: &str, name: &str, accepted: &str) {
        if nearest(name, table.keys().map(|key| &**key.get_ref())).is_none_or(|near| near == name) {
            self.log.report(span, path, format!("\"{name}\" is missing"), accepted);
        }
    }
}

/// What a key of a profile wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Price,
    Difference,
    List(usize),
    Curve,
}

impl Wanted {
    fn accepted(self) -> &'static str {
        match self {
            Wanted::Price => PRICE,
            Wanted::Difference => DIFFERENCE,
            Wanted::List(_) => "a list of shares, one for each half entry a bucket",
            Wanted::Curve => CURVE,
        }
    }
}

/// What stands under `name`, by what the built-in profile has there.
fn wanted(name: &str, sample: &toml::Value) -> Wanted {
    match sample {
        toml::Value::Array(elements) if elements.iter().all(toml::Value::is_array) => Wanted::Curve,
        toml::Value::Array(elements) => Wanted::List(elements.len()),
        _ if MAY_BE_ZERO.contains(&name) => Wanted::Difference,
        _ => Wanted::Price,
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: GoVersion = GoVersion::Go1_23;

    fn text() -> String {
        CostProfile::of(VERSION).to_toml()
    }

    /// Reasons and accepted values of what is wrong with the built-in profile after a replacement.
    #[track_caller]
    fn mistakes(from: &str, to: &str) -> Vec<String> {
        let text = text();
        assert!(text.contains(from), "{from}");
        let mistakes = CostProfile::parse("p.toml", &text.replacen(from, to, 1), VERSION).unwrap_err();
        let told = |m: &crate::mistake::Mistake| format!("{m} ({})", m.accepted.as_deref().unwrap_or(""));
        mistakes.list.iter().map(told).collect()
    }

    #[test]
    fn built_in_profiles_are_without_mistakes_and_come_back_as_they_were() {
        for version in GoVersion::ALL {
            let built_in = CostProfile::of(version);
            assert_eq!(built_in.provenance.go.parse(), Ok(version));
            let again = CostProfile::parse(&built_in.name, &built_in.to_toml(), version).unwrap();
            assert_eq!(again.provenance, built_in.provenance);
            assert_eq!(again.model, built_in.model);
        }
    }

    #[test]
    fn a_profile_is_named_after_its_file() {
        let profile = CostProfile::parse("some/where/mine.toml", &text(), VERSION).unwrap();
        assert_eq!(profile.name, "mine");
        assert_eq!(CostProfile::of(VERSION).name, "go1.23");
    }

    #[test]
    fn misspelt_keys_are_told_with_the_right_one_and_once() {
        let told = mistakes("gosched_ns", "goshed_ns");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("unknown key \"goshed_ns\"") && told[0].contains("gosched_ns"), "{told:?}");
    }

    #[test]
    fn missing_keys_and_tables_are_told() {
        let told = mistakes("gosched_ns = ", "# ");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("\"gosched_ns\" is missing") && told[0].contains("12.6"), "{told:?}");
        let mistakes = CostProfile::parse("p.toml", "", VERSION).unwrap_err();
        assert_eq!(mistakes.list.len(), 1 + GROUPS.len());
    }

    #[test]
    fn prices_are_finite_numbers_above_nothing() {
        for wrong in ["-1.0", "0", "nan", "inf", "\"1\"", "true"] {
            let told = mistakes("fault_page_ns = ", &format!("fault_page_ns = {wrong} # "));
            assert_eq!(told.len(), 1, "{wrong}: {told:?}");
            assert!(told[0].starts_with("kernel.fault_page_ns: this is no"), "{told:?}");
        }
        let text = text().replacen("malloc_header_extra_ns = ", "malloc_header_extra_ns = 0 # ", 1);
        assert!(CostProfile::parse("p.toml", &text, VERSION).is_ok(), "a difference may be 0");
    }

    #[test]
    fn curves_ascend_and_have_points() {
        for (wrong, reason) in [
            ("[]", "no point"),
            ("7", "a curve belongs here"),
            ("[[4, 1.0], [4, 2.0]]", "do not ascend"),
            ("[[-4, 1.0]]", "no number of bytes"),
            ("[[4, 0.0]]", "no price"),
            ("[[4]]", "no point of a curve"),
        ] {
            let told = mistakes("refill_recycled_ns = ", &format!("refill_recycled_ns = {wrong} # "));
            assert_eq!(told.len(), 1, "{wrong}: {told:?}");
            assert!(told[0].contains(reason), "{told:?}");
        }
    }

    #[test]
    fn prices_of_another_go_are_refused() {
        let text = CostProfile::of(GoVersion::Go1_21).to_toml();
        let mistakes = CostProfile::parse("p.toml", &text, VERSION).unwrap_err();
        assert!(mistakes.list[0].reason.contains("simulates Go 1.23"), "{mistakes:?}");
    }
}
