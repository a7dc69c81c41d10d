//! Whole scenarios, from the text of the file to the trace.
//!
//! Real Go 1.23.9 needs 145 ms for delete-million, 2.3 s for steady-gogc (quiet two-core machine,
//! `tests/golden/measured/`), and six minutes for spike-and-idle. The goal is a tenth of the first two.

use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use gclab::scenario::{Scenario, run};

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scenarios");
    group.sample_size(10);
    for name in [
        "churn",
        "delete-million",
        "delete-million-pointers",
        "sharded-16-against-one",
        "spike-and-idle",
        "steady-gogc",
        "swiss-churn",
        "sync-map-delete",
    ] {
        let file = format!("{name}.toml");
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sims").join(&file);
        let text = std::fs::read_to_string(path).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let scenario = Scenario::parse(&file, &text).unwrap();
                run(&scenario, &scenario.settings()).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(scenarios, benches);
criterion_main!(scenarios);
