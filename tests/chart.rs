//! Charts as a user meets them: deterministic files, readable pages, honest errors.

mod synthetic;

use gclab::chart;
use gclab::trace::Trace;

#[test]
#[ignore = "writes pictures to look at into out/chart"]
fn gallery() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("out/chart");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, traces) in pages() {
        let start = std::time::Instant::now();
        chart::render_png(&traces, &directory.join(format!("{name}.png"))).unwrap();
        println!("{name}: {:?}", start.elapsed());
    }
}

fn pages() -> Vec<(&'static str, Vec<Trace>)> {
    vec![
        ("delete-million", vec![synthetic::delete_million()]),
        ("spike", vec![synthetic::spike()]),
        ("steady", vec![synthetic::steady()]),
        ("killed", vec![synthetic::killed()]),
        ("crowded", vec![synthetic::crowded(9, 9)]),
        ("very-crowded", vec![synthetic::crowded(40, 40)]),
        ("sweep", synthetic::steady_sweep()),
        ("sweep-2", synthetic::steady_sweep().split_off(3)),
        ("sweep-spike", vec![synthetic::spike(), synthetic::spike(), synthetic::delete_million()]),
    ]
}
