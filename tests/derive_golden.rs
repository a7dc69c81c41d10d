//! The recorded rows of the reference machine, derived again: they give the built-in profiles, field by field.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gclab::calibrate::{Derived, Rows, TABLES, derive};
use gclab::cost::{CostModel, CostProfile, Curve};
use gclab::version::GoVersion;

const RELEASES: [(&str, GoVersion); 5] = [
    ("1.21.13", GoVersion::Go1_21),
    ("1.23.9", GoVersion::Go1_23),
    ("1.24.11", GoVersion::Go1_24),
    ("1.25.5", GoVersion::Go1_25),
    ("1.27.3", GoVersion::Go1_27),
];

/// The releases that were measured: rows of 1.21 and 1.23 were recorded by hand before there was a calibration, all others have a
/// folder of their own.
fn measured_releases() -> impl Iterator<Item = (&'static str, GoVersion)> {
    let measured = |(release, version): &(&str, GoVersion)| {
        *version <= GoVersion::Go1_23 || folder(release).1 == Recording::Calibrated
    };
    RELEASES.into_iter().filter(measured)
}

/// Recorded tables that say nothing about prices, with the reason: they are not read.
const DISTURBED: [(&str, &str, &str); 4] = [
    ("1.21.13", "mark", "its rows end at 4 MiB: beyond, the machine was busy"),
    ("1.21.13", "map", "it was measured while the other core marked large heaps: 10 to 30 % too slow"),
    ("1.21.13", "pages", "the kernel is the same for both releases, and the rows of 1.23.9 are quieter"),
    ("1.21.13", "runtime", "the machine was not quiet: pauses of one P are twice those of 1.23.9"),
];

/// Fields whose rows were not recorded, with the reason.
const NOT_RECORDED: [(&str, &str); 1] =
    [("allocation.zero_byte_ns", "clearing by working set was measured and not kept")];

/// A point of a curve whose row was not recorded: lists linked in random order on a heap of 256 KiB.
const POINT_NOT_RECORDED: (&str, u64) = ("marking.chained_scattered_ns", 256 << 10);

/// Groups and fields that have no rows of Go 1.21 but disturbed ones, or none: the profile has the prices of Go 1.23.
const NOT_OF_1_21: [&str; 9] = [
    "maps.",
    "marking.",
    "sweeping.",
    "kernel.",
    "cycle.",
    "goroutines.",
    "keys.string_",
    "allocation.allocate_black_ns",
    "allocation.write_barrier_ns",
];

/// The folder of the recorded rows: what one calibration has written (`gclab calibrate --rows`), if there is one.
fn folder(release: &str) -> (PathBuf, Recording) {
    let all = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/measured");
    let calibrated = all.join(format!("go{release}"));
    if calibrated.is_dir() { (calibrated, Recording::Calibrated) } else { (all, Recording::ByHand) }
}

/// How rows were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recording {
    /// By `gclab calibrate`: complete.
    Calibrated,
    /// Program by program, before there was a calibration.
    ByHand,
}

/// The rows of one release, provenance removed.
fn recorded(release: &str) -> Rows {
    let (folder, recording) = folder(release);
    let mut rows = Rows::default();
    for (table, file, columns) in TABLES {
        let by_hand = recording == Recording::ByHand;
        if by_hand && DISTURBED.iter().any(|(at, name, _)| *at == release && *name == table) {
            continue;
        }
        let more = if by_hand && table == "mark" { Some("mark-two-procs.csv") } else { None };
        for file in [Some(file), more].into_iter().flatten() {
            let Ok(text) = std::fs::read_to_string(folder.join(file)) else { continue };
            for line in text.lines().filter(|line| line.starts_with(&format!("{release},"))) {
                let mut fields: Vec<&str> = line.split(',').skip(3).collect();
                assert_eq!(fields.len(), columns.len(), "{file}: {line}");
                if table == "map" {
                    // The same measurement again, when nothing else ran.
                    fields[1] = fields[1].trim_end_matches("-quiet-rerun");
                }
                rows.add(table, &fields);
            }
        }
    }
    if recording == Recording::ByHand {
        beside_mutator(&folder, release, &mut rows);
    }
    rows
}

/// What `programs/besidemutator` measures, from the recorded runs of the steady program with two Ps and GOGC=100: what
/// happens between the rows `live` and `end`.
fn beside_mutator(folder: &Path, release: &str, rows: &mut Rows) {
    let text = std::fs::read_to_string(folder.join("steady.csv")).unwrap();
    let runs: Vec<Vec<f64>> = text
        .lines()
        .filter(|line| line.starts_with(&format!("{release},")) && line.contains(",2,100,"))
        .map(|line| line.split(',').skip(7).map(|field| field.parse().unwrap()).collect())
        .collect();
    for run in runs.chunks(2) {
        let more: Vec<f64> = run[1].iter().zip(&run[0]).map(|(end, live)| end - live).collect();
        let [num_gc, assist_ms, dedicated_ms, idle_ms, pauses_ms, _] = more[..] else { panic!("{more:?}") };
        let mark_ns = (assist_ms + dedicated_ms + idle_ms) * 1e6 / num_gc / f64::from(1 << 20);
        for (what, ns) in
            [("mark-cpu-ns-per-object", mark_ns), ("pauses-ns-per-cycle", pauses_ms * 1e6 / num_gc)]
        {
            let ns = ns.to_string();
            rows.add("beside", &[what, &ns, &ns, &ns]);
        }
    }
}

/// Where fields without rows come from: the profile itself.
fn base(version: GoVersion) -> CostModel {
    (*CostProfile::of(version).model).clone()
}

fn derived(release: &str, version: GoVersion) -> Derived {
    let base = base(version);
    let mut derived = derive(&recorded(release), version, &base);
    let (_, least_bytes) = POINT_NOT_RECORDED;
    let chained = &mut derived.model.marking.chained_scattered_ns;
    if chained.points()[0].0 > least_bytes {
        let mut points = chained.points().to_vec();
        points.insert(0, (least_bytes, base.marking.chained_scattered_ns.at(least_bytes)));
        *chained = Curve::through(points);
    }
    derived
}

/// `group.field` and what stands there.
fn fields(model: &CostModel) -> BTreeMap<String, toml::Value> {
    let groups = toml::Table::try_from(model).unwrap();
    let mut fields = BTreeMap::new();
    for (group, prices) in groups {
        for (name, price) in prices.as_table().unwrap().clone() {
            fields.insert(format!("{group}.{name}"), price);
        }
    }
    fields
}

#[test]
fn recorded_rows_give_the_built_in_profiles_field_by_field() {
    let mut wrong = Vec::new();
    for (release, version) in measured_releases() {
        let (made, built_in) =
            (fields(&derived(release, version).model), fields(&CostProfile::of(version).model));
        for (name, price) in &built_in {
            if *price != made[name] {
                wrong.push(format!("{release} {name}: rows give {}, the profile has {price}", made[name]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_not_recorded_is_known_by_name() {
    for (release, version) in measured_releases() {
        let (_, recording) = folder(release);
        let is_known = |field: &&str| {
            let of_1_21 = release == "1.21.13" && NOT_OF_1_21.iter().any(|name| field.starts_with(name));
            of_1_21 || NOT_RECORDED.iter().any(|(name, _)| field == name)
        };
        let mut missing: Vec<&str> =
            derived(release, version).missing.iter().map(|(field, _)| *field).collect();
        if recording == Recording::ByHand {
            missing.retain(|field| !is_known(field));
        }
        assert!(missing.is_empty(), "{release}: {missing:?}");
    }
}

/// After a calibration: `cargo test --test derive_golden -- --ignored` makes the built-in profiles of the recorded rows again,
/// with the provenance that they have.
#[test]
#[ignore = "writes profiles/"]
fn profiles_are_written_from_the_recorded_rows() {
    for (release, version) in measured_releases() {
        let model = Arc::new(derived(release, version).model);
        let profile = CostProfile { model, ..(*CostProfile::of(version)).clone() };
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("profiles/go{}.toml", version.name()));
        std::fs::write(path, profile.to_toml()).unwrap();
    }
}
