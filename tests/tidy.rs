//! The house rules that a machine can check: layering, file heads, sizes, names, what may be used where.
//!
//! Every finding is printed, not only the first one. Whatever is exempt today stands in a list with its reason, and the
//! test fails when the exemption is no longer needed.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Most lines of a source file.
const MAX_LINES: usize = 700;

/// Files that are longer than [`MAX_LINES`] today, and the length that they must not exceed.
const TOO_LONG_TODAY: [(&str, usize); 0] = [];

/// Who may use whom: a room and the rooms directly below it. A room may use all that those may use.
const BELOW: [(&str, &[&str]); 23] = [
    ("units", &[]),
    ("version", &[]),
    ("mistake", &[]),
    ("elementary", &[]),
    ("os", &["units", "version"]),
    ("heap", &["os"]),
    ("cost", &["heap", "mistake", "elementary"]),
    ("gc", &["cost"]),
    ("pacer", &["units"]),
    ("scavenge", &["heap", "pacer"]),
    ("container", &["heap"]),
    ("trace", &["units"]),
    ("process", &["gc", "scavenge", "container", "trace"]),
    ("scenario", &["process"]),
    ("sweep", &["scenario"]),
    ("lesson", &["scenario"]),
    ("go_program", &["scenario"]),
    ("oracle", &["go_program"]),
    ("tune", &["sweep", "oracle"]),
    ("calibrate", &["oracle", "cost"]),
    ("chart", &["trace", "elementary"]),
    ("lab", &["lesson", "go_program"]),
    ("cli", &["calibrate", "chart", "tune", "lab"]),
];

/// What a room may not use although it lies below: what a scenario does, it does through the process.
const NOT_EVEN_BELOW: [(&str, &[&str]); 1] = [("scenario", &["os", "cost", "gc", "pacer", "scavenge"])];

/// Rooms with a clock, files or output; everything else is below the process and has none of them.
const MAY_DO_IO: [&str; 8] = ["calibrate", "oracle", "sweep", "tune", "cli", "chart", "main", "lib"];

/// A source file: its path as it is shown, and its text.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// `heap` of `src/heap/sweep.rs`, `units` of `src/units.rs`.
    fn room(&self) -> &str {
        let inside = self.name.strip_prefix("src/").expect("a source file");
        inside.split(['/', '.']).next().expect("a room")
    }

    /// Numbered lines of code: without comments, and without the tests at the end of a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test_file = self.name.ends_with("/tests.rs");
        let lines = self.text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        lines.enumerate().filter(move |(_, line)| !is_test_file && !line.trim_start().starts_with("//")).map(
            |(index, line)| {
                let code = line.split(" // ").next().expect("something stands before a comment");
                (index + 1, code)
            },
        )
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    assert!(paths.len() > 100, "only {} files under src", paths.len());
    let read = |path: PathBuf| Source {
        name: path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"),
        text: std::fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

#[track_caller]
fn assert_none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n  {}\n", findings.join("\n  "));
}

/// Findings in the lines of code of every file, tests apart.
fn in_code(sources: &[Source], find: impl Fn(&Source, &str) -> Option<String>) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        for (number, line) in source.code() {
            if let Some(found) = find(source, line) {
                findings.push(format!("{}:{number}: {found}: {}", source.name, line.trim()));
            }
        }
    }
    findings
}

/// Everything that `room` may use, itself apart.
fn allowed(room: &str) -> Vec<&'static str> {
    let kept_away = NOT_EVEN_BELOW.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, away)| away);
    let mut all = everything_below(room);
    all.retain(|name| !kept_away.contains(name));
    all
}

fn everything_below(room: &str) -> Vec<&'static str> {
    let (_, below) = BELOW
        .iter()
        .find(|(name, _)| *name == room)
        .unwrap_or_else(|| panic!("room {room} has no place in the layering: give it one in BELOW"));
    let mut all: Vec<&str> = Vec::new();
    for direct in *below {
        all.push(direct);
        all.extend(everything_below(direct));
    }
    all
}

/// The rooms named by `crate::` paths in a line. A group after `crate::{` counts by its top-level names.
fn rooms_used(line: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut used = Vec::new();
    for (at, path) in line.match_indices("crate::") {
        let after = &line[at + path.len()..];
        match after.strip_prefix('{') {
            None => used.push(word(after)),
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (index, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            used.push(word(&group[index..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    used
}

#[test]
fn the_reader_of_paths_reads_paths() {
    assert_eq!(rooms_used("use crate::heap::object::{Layout, ObjRef};"), ["heap"]);
    assert_eq!(rooms_used("use crate::{heap::{a, b}, units, os::x};"), ["heap", "units", "os"]);
    assert_eq!(rooms_used("fn f(x: crate::os::A) -> crate::units::B"), ["os", "units"]);
    assert!(allowed("gc").contains(&"os") && !allowed("gc").contains(&"pacer"));
    assert!(!allowed("scenario").contains(&"pacer") && allowed("scenario").contains(&"heap"));
    assert!(allowed("cli").contains(&"pacer") && !allowed("chart").contains(&"scenario"));
    assert_eq!(allowed("trace"), ["units"]);
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    let findings = in_code(&sources(), |source, line| {
        let room = source.room();
        if room == "lib" || room == "main" {
            return None;
        }
        let allowed = allowed(room);
        let wrong =
            rooms_used(line).into_iter().find(|used| used != room && !allowed.contains(&used.as_str()));
        wrong.map(|used| format!("{room} may not use {used}"))
    });
    assert_none("wrong directions", &findings);
}

#[test]
fn every_file_opens_with_what_it_is() {
    let findings: Vec<String> = sources()
        .iter()
        .filter(|source| {
            let first = source.text.lines().next().unwrap_or("");
            !first.starts_with("//! ") || first.len() < "//! ".len() + 10
        })
        .map(|source| source.name.clone())
        .collect();
    assert_none("first line is no //! sentence", &findings);
}

#[test]
fn files_are_short_enough_to_read() {
    let mut findings = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        match TOO_LONG_TODAY.iter().find(|(name, _)| *name == source.name) {
            None if lines > MAX_LINES => findings.push(format!("{}: {lines} lines", source.name)),
            Some((_, limit)) if lines > *limit => findings.push(format!("{} grew to {lines}", source.name)),
            Some(_) if lines <= MAX_LINES => {
                findings.push(format!("{} is short now: take it off the list", source.name));
            }
            _ => {}
        }
    }
    assert_none("too long", &findings);
}

#[test]
fn file_names_say_something() {
    let findings: Vec<String> = sources()
        .iter()
        .filter(|source| {
            let words: Vec<&str> = source.name.split(['/', '.', '_']).collect();
            ["util", "utils", "common", "helper", "helpers", "manager", "misc"]
                .iter()
                .any(|empty| words.contains(empty))
        })
        .map(|source| source.name.clone())
        .collect();
    assert_none("names that say nothing", &findings);
}

#[test]
fn nothing_is_unsafe() {
    let findings = in_code(&sources(), |_, line| {
        // What stands in quotes is text, such as the name of Go's package.
        let code: String = line.split('"').step_by(2).collect();
        let words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.into_iter().any(|word| word == "unsafe").then(|| "unsafe".to_owned())
    });
    assert_none("unsafe", &findings);
}

#[test]
fn the_model_has_no_clock_no_files_and_no_output() {
    const FORBIDDEN: [&str; 12] = [
        "std::time",
        "SystemTime",
        "Instant::now",
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "println!",
        "eprintln!",
        "print!(",
        "dbg!",
    ];
    let findings = in_code(&sources(), |source, line| {
        if MAY_DO_IO.contains(&source.room()) {
            return None;
        }
        FORBIDDEN.iter().find(|word| line.contains(**word)).map(|word| (*word).to_owned())
    });
    assert_none("clock or IO in the model", &findings);
}

#[test]
fn prints_are_for_the_terminal_alone() {
    let findings = in_code(&sources(), |source, line| {
        let prints =
            ["println!", "eprintln!", "print!(", "dbg!"].iter().find(|word| line.contains(**word))?;
        (!source.name.starts_with("src/cli/") && source.room() != "main").then(|| (*prints).to_owned())
    });
    assert_none("prints", &findings);
}

#[test]
fn order_that_depends_on_hashing_is_nowhere() {
    let findings = in_code(&sources(), |_, line| {
        ["HashMap", "HashSet"].iter().find(|word| line.contains(**word)).map(|word| (*word).to_owned())
    });
    assert_none("unordered collections", &findings);
}

#[test]
fn no_line_names_a_place_outside_the_project() {
    // Written in pieces, so that this file does not find itself.
    let places = [concat!("/wo", "rk/"), concat!("/tm", "p/"), concat!("../sha", "red")];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut findings = String::new();
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches", "sims", "lessons"] {
        collect_all(&root.join(folder), &mut paths);
    }
    paths.sort();
    for path in paths {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (index, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                let name = path.strip_prefix(root).unwrap().display();
                let _ = writeln!(findings, "  {name}:{}: {}", index + 1, line.trim());
            }
        }
    }
    assert!(findings.is_empty(), "places outside the project:\n{findings}");
}

fn collect_all(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("node_modules") {
            // What npm has put there is nobody's text.
            continue;
        }
        if path.is_dir() {
            collect_all(&path, paths);
        } else if path.extension().is_some_and(|ending| ending != "csv" && ending != "snap") {
            paths.push(path);
        }
    }
}
