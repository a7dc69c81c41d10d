//! What lies on the stack and what escapes, against bytes and objects a call that real Go allocated in each release.
//!
//! `tests/golden/escape/escape_limits.csv`: `go_version,case,heap_bytes_per_call,mallocs_per_call`, the mean of many calls.

use gclab::scenario::{self, Scenario};
use gclab::trace::Snapshot;

const CALLS: u64 = 1_000;

/// Cases that a `call` step can say. The others are about `append`, boxing and maps.
fn step(case: &str) -> Option<String> {
    let (size_bytes, made) = if let Some(n) = case.strip_prefix("make_int_variable_n") {
        (8 * n.parse::<u64>().unwrap(), "make")
    } else if let Some(n) = case.strip_prefix("make_byte_variable_n") {
        (n.parse().unwrap(), "make")
    } else if let Some(n) = case.strip_prefix("new_") {
        (n.parse().unwrap(), "new")
    } else {
        let size = match case.strip_prefix("var_")? {
            "1MiB" => 1 << 20,
            "10MiB_plus_1" => (10 << 20) + 1,
            number => number.parse().unwrap(),
        };
        (size, "var")
    };
    Some(format!(
        "{{ call = {{ count = {CALLS}, size = \"{size_bytes}B\", returns = \"value\", made = \"{made}\", written = \"none\" }} }}"
    ))
}

/// Bytes and objects of a call, as the simulation has them.
fn simulated(version: &str, step: &str) -> (f64, f64) {
    let text = format!(
        "title = \"T\"\nquestion = \"Q?\"\nanswer = \"A.\"\n\
         steps = [{{ snapshot = \"before\" }}, {step}, {{ snapshot = \"after\" }}]\n[go]\nversion = \"{version}\"\n"
    );
    let scenario =
        Scenario::parse("escape.toml", &text).unwrap_or_else(|mistakes| panic!("{:?}", mistakes.list));
    let trace = scenario::run(&scenario, &scenario.settings()).unwrap();
    let [before, after] = &trace.snapshots[..] else { panic!("two snapshots") };
    let a_call = |field: fn(&Snapshot) -> u64| (field(after) - field(before)) as f64 / CALLS as f64;
    (a_call(|row| row.mem_stats.total_alloc), a_call(|row| row.mem_stats.mallocs))
}

#[test]
fn calls_allocate_what_they_allocate_in_real_go() {
    let csv = include_str!("golden/escape/escape_limits.csv");
    let mut checked = 0;
    for line in csv.lines().skip(1) {
        let [version, case, bytes, mallocs] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let Some(step) = step(case) else { continue };
        let (real_bytes, real_mallocs): (f64, f64) = (bytes.parse().unwrap(), mallocs.parse().unwrap());
        let (bytes, mallocs) = simulated(version, &step);
        // The tiny allocator's last block is only begun, and a mean of two decimals is rounded.
        let close = |real: f64, simulated: f64| (real - simulated).abs() <= 0.001 * real + 0.15;
        assert!(close(real_mallocs, mallocs), "{line}: {mallocs} objects");
        assert!(close(real_bytes, bytes), "{line}: {bytes} B");
        checked += 1;
    }
    assert_eq!(checked, 5 * 13, "rows of five releases");
}
