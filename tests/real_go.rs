//! Real Go beside the simulation: the same million entries, the same labelled moments, number by number.
//!
//! Run by `.ci/run`, or by hand: `GCLAB_GO=/path/to/go1.23/bin/go cargo test --release --test real_go -- --ignored`.
//! The program is `tests/go/labelledrows`; its folder of build results is `GOCACHE`, if set.

use std::path::{Path, PathBuf};
use std::process::Command;

use gclab::scenario::{self, Scenario};
use gclab::trace::Snapshot;

/// One line that the Go program printed, sizes in bytes.
#[derive(Debug)]
struct Row {
    label: String,
    heap_alloc: u64,
    heap_inuse: u64,
    heap_idle: u64,
    heap_released: u64,
    next_gc: u64,
    num_gc: u64,
    rss: u64,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds and runs the program with the toolchain that `GCLAB_GO` names.
fn measured() -> Vec<Row> {
    let go =
        std::env::var_os("GCLAB_GO").map(PathBuf::from).expect("GCLAB_GO names the go command of Go 1.23");
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("labelledrows");
    let built = Command::new(go)
        .current_dir(root().join("tests/go/labelledrows"))
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-mod=mod")
        .args(["build", "-o"])
        .args([&program, Path::new("main.go")])
        .status()
        .expect("the go command starts");
    assert!(built.success(), "go build: {built}");
    let output = Command::new(program)
        .env("GOMAXPROCS", "2")
        .env_remove("GOGC")
        .env_remove("GOMEMLIMIT")
        .env_remove("GODEBUG")
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    println!("{text}");
    text.lines().skip(1).map(row).collect()
}

fn row(line: &str) -> Row {
    let fields: Vec<&str> = line.split(';').collect();
    let number = |column: usize| fields[column].parse().unwrap_or_else(|_| panic!("{line}"));
    Row {
        label: fields[0].to_owned(),
        heap_alloc: number(1),
        heap_inuse: number(2),
        heap_idle: number(3),
        heap_released: number(4),
        next_gc: number(6),
        num_gc: number(7),
        rss: number(8),
    }
}

fn simulated() -> Vec<Snapshot> {
    let file = root().join("sims/delete-million.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let scenario = Scenario::parse("sims/delete-million.toml", &text).unwrap();
    scenario::run(&scenario, &scenario.settings()).unwrap().snapshots
}

/// A number that must agree: what it is, measured, simulated, and how far apart they may be.
struct Pair {
    name: &'static str,
    real: u64,
    simulated: u64,
    tolerance: u64,
}

fn pairs(real: &Row, simulated: &Snapshot) -> Vec<Pair> {
    const KIB: u64 = 1 << 10;
    let stats = &simulated.mem_stats;
    // 0.1 % and 64 KiB: the runtime's own few objects differ from one start of the same program to the next.
    let exact =
        |name, real: u64, simulated| Pair { name, real, simulated, tolerance: real / 1000 + 64 * KIB };
    let heap_sys = real.heap_inuse + real.heap_idle;
    let mut pairs = vec![
        exact("HeapAlloc", real.heap_alloc, stats.heap_alloc),
        exact("NextGC", real.next_gc, stats.next_gc),
        Pair { name: "NumGC", real: real.num_gc, simulated: u64::from(stats.num_gc), tolerance: 0 },
        // Threads and code touch pages that no two starts share: 2 % and 1 MiB.
        Pair {
            name: "RSS",
            real: real.rss,
            simulated: simulated.rss_bytes,
            tolerance: real.rss / 50 + 1024 * KIB,
        },
    ];
    if real.label.ends_with("freed") {
        // After FreeOSMemory every idle page is released: 0.5 % of the heap's address space.
        pairs.push(Pair {
            name: "HeapReleased",
            real: real.heap_released,
            simulated: stats.heap_released,
            tolerance: heap_sys / 200,
        });
    } else if real.label == "m = nil, gc" {
        // How much the scavenger has taken by now is a matter of microseconds: RSS is not comparable here.
        pairs.retain(|pair| pair.name != "RSS");
    }
    pairs
}

#[test]
#[ignore = "needs real Go: GCLAB_GO=/path/to/bin/go"]
fn delete_million_agrees_with_real_go() {
    let (real, simulated) = (measured(), simulated());
    let labels = |labels: Vec<&str>| labels.join(", ");
    assert_eq!(
        labels(real.iter().map(|row| row.label.as_str()).collect()),
        labels(simulated.iter().map(|snapshot| snapshot.label.as_str()).collect())
    );
    let mut apart = Vec::new();
    for (row, snapshot) in real.iter().zip(&simulated) {
        for Pair { name, real, simulated, tolerance } in pairs(row, snapshot) {
            let difference = simulated as i64 - real as i64;
            println!(
                "{:15} {name:13} real {real:10} simulated {simulated:10} {difference:+8} of {tolerance}",
                row.label
            );
            if difference.unsigned_abs() > tolerance {
                apart.push(format!(
                    "{} {name}: real {real}, simulated {simulated}, allowed {tolerance}",
                    row.label
                ));
            }
        }
    }
    assert!(apart.is_empty(), "beyond the tolerance:\n{}", apart.join("\n"));
}
