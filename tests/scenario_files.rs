//! The scenario files that are shipped: they read, teach, and say what they mean.

use std::path::PathBuf;

use gclab::heap::object::Layout;
use gclab::scenario::{
    Alloc, Amount, Garbage, Gogc, Insert, InsertValue, Keys, MemoryLimit, Overrides, Scenario, Shape, Step,
    VarId, Written,
};

fn shipped() -> Vec<(PathBuf, Scenario)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sims");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let scenario = Scenario::parse(&path.to_string_lossy(), &text)
                .unwrap_or_else(|mistakes| panic!("{}: {:#?}", path.display(), mistakes.list));
            (path, scenario)
        })
        .collect()
}

fn named(name: &str) -> Scenario {
    shipped().into_iter().find(|(_, scenario)| scenario.name == name).expect("a shipped scenario").1
}

fn step(scenario: &Scenario, index: usize) -> &Step {
    scenario.steps[index].get_ref()
}

#[test]
fn every_shipped_scenario_reads_and_shows_something() {
    let shipped = shipped();
    for name in [
        "delete-million",
        "delete-million-pointers",
        "grow-without-hint",
        "big-values",
        "rebuild-map",
        "external-reference",
        "steady-gogc",
        "memory-limit",
        "spike-and-idle",
        "madv-free",
        "container-oom",
        "churn",
        "leak-or-retained",
    ] {
        assert!(shipped.iter().any(|(_, scenario)| scenario.name == name), "{name} is missing");
    }
    for (path, scenario) in &shipped {
        assert!(scenario.question.ends_with('?'), "{}: {}", path.display(), scenario.question);
        assert!(scenario.answer.ends_with('.'), "{}: {}", path.display(), scenario.answer);
        assert!(!scenario.answer.contains('\n'), "{}: {}", path.display(), scenario.answer);
        let last = scenario.steps.last().unwrap().get_ref();
        let shows = matches!(last, Step::Snapshot(_) | Step::Repeat(_));
        assert!(shows, "{} ends without a snapshot", path.display());
    }
}

#[test]
fn steps_mean_what_the_file_says() {
    let scenario = named("delete-million-pointers");
    let Step::Insert(Insert { var, keys, value, key_text: None }) = step(&scenario, 2) else { panic!() };
    assert_eq!((*var, keys.count()), (VarId(0), 1_000_000));
    assert_eq!(*value, InsertValue::New { object: Layout::noscan(64), written: Written::None });
    assert_eq!(scenario.var(*var).to_string(), "map[int]*[64]byte");
    assert_eq!(step(&scenario, 2).describe(&scenario), "insert 1,000,000 keys into m");

    let scenario = named("steady-gogc");
    let Step::Alloc(Alloc { count: 1_048_576, object, shape: Shape::List, .. }) = step(&scenario, 1) else {
        panic!()
    };
    assert_eq!(*object, Layout::scan(64, 1, 8));
    let Step::Garbage(Garbage { amount: Amount::Bytes(bytes), mix, .. }) = step(&scenario, 3) else {
        panic!()
    };
    assert_eq!((*bytes, mix.len(), mix[0].object), (4 << 30, 1, Layout::noscan(256)));

    let scenario = named("churn");
    let Step::Repeat(repeat) = step(&scenario, 4) else { panic!() };
    let Step::Insert(insert) = repeat.steps[0].get_ref() else { panic!() };
    assert_eq!(insert.keys, Keys::Window { first: 100_000, end: 600_000, shift: 500_000, size: 100_000 });
}

#[test]
fn settings_come_from_the_file_and_flags_override_them() {
    let scenario = named("memory-limit");
    assert_eq!(scenario.go.gogc, Gogc::Off);
    assert_eq!(scenario.go.memory_limit, MemoryLimit::Bytes(100 << 20));
    let overrides = Overrides { gogc: Some(Gogc::Percent(50)), seed: Some(9), ..Overrides::default() };
    let config = scenario.settings().overridden(&overrides).config();
    assert_eq!((config.gogc_percent, config.memory_limit_bytes, config.seed), (Some(50), Some(100 << 20), 9));
    assert_eq!(named("container-oom").machine.memory_bytes, Some(64 << 20));
    assert!(!named("madv-free").go.madvdontneed);
}
