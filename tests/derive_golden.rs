//! The recorded rows of the reference machine, derived again: they give the built-in profiles, field by field.
//!
//! Rows stand in `tests/golden/measured/go1.X.Y/` as `gclab calibrate --rows` has written them; their first columns say on
//! which processor and when.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use gclab::calibrate::{Derived, Rows, TABLES, derive};
use gclab::cost::{CostModel, CostProfile};
use gclab::version::GoVersion;

/// The releases that were measured: each has a folder of rows.
const RELEASES: [(&str, GoVersion); 5] = [
    ("1.21.13", GoVersion::Go1_21),
    ("1.23.9", GoVersion::Go1_23),
    ("1.24.11", GoVersion::Go1_24),
    ("1.25.5", GoVersion::Go1_25),
    ("1.27.3", GoVersion::Go1_27),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of one release, provenance removed.
fn recorded(release: &str) -> Rows {
    let folder = root().join(format!("tests/golden/measured/go{release}"));
    let mut rows = Rows::default();
    for (table, file, columns) in TABLES {
        let path = folder.join(file);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields[0], release, "{file}: {line}");
            assert_eq!(fields.len() - 3, columns.len(), "{file}: {line}");
            rows.add(table, &fields[3..]);
        }
    }
    rows
}

fn derived(release: &str, version: GoVersion) -> Derived {
    derive(&recorded(release), version, &CostProfile::of(version).model)
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
    for (release, version) in RELEASES {
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
fn every_price_has_recorded_rows() {
    for (release, version) in RELEASES {
        let missing = derived(release, version).missing;
        assert!(missing.is_empty(), "{release}: {missing:?}");
    }
}

/// After a calibration: `cargo test --test derive_golden -- --ignored` makes the built-in profiles of the recorded rows again,
/// with the provenance that they have.
#[test]
#[ignore = "writes profiles/"]
fn profiles_are_written_from_the_recorded_rows() {
    for (release, version) in RELEASES {
        let model = Arc::new(derived(release, version).model);
        let profile = CostProfile { model, ..(*CostProfile::of(version)).clone() };
        std::fs::write(root().join(format!("profiles/go{}.toml", version.name())), profile.to_toml())
            .unwrap();
    }
}
