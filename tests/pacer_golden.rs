//! The pacer against Go's: every output of every cycle of the recorded runs.
//!
//! The files in `tests/golden/pacer` are runs of the pacer of Go 1.23.9 under the idealised program of its own test.
//! Their rates are written with ten digits. Where a rate has more, what follows from it differs in the ninth digit, from
//! rounding that builds up over the cycles; Go itself, given the rounded rates, differs in the same way. All else is exact.

use std::path::PathBuf;

use gclab::cli::pacer::{INPUT_COLUMNS, OUTPUT_COLUMNS, PacerArgs, PacerError, replay, run};

fn golden(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pacer").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Largest relative deviation of any output of any cycle.
fn worst_deviation(name: &str) -> (f64, String) {
    let expected = golden(name);
    let mut output = Vec::new();
    replay(name, expected.as_bytes(), &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    assert_eq!(output.lines().next(), expected.lines().next(), "header");
    assert_eq!(output.lines().count(), expected.lines().count(), "rows");

    let mut worst = (0.0, "none".to_owned());
    for (ours, theirs) in output.lines().zip(expected.lines()).skip(1) {
        let (ours, theirs): (Vec<_>, Vec<_>) = (ours.split(',').collect(), theirs.split(',').collect());
        assert_eq!(ours[..INPUT_COLUMNS.len()], theirs[..INPUT_COLUMNS.len()]);
        for (i, column) in OUTPUT_COLUMNS.iter().enumerate() {
            let (ours, theirs) = (ours[INPUT_COLUMNS.len() + i], theirs[INPUT_COLUMNS.len() + i]);
            if ours == theirs {
                continue;
            }
            let (a, b): (f64, f64) = (ours.parse().unwrap(), theirs.parse().unwrap());
            let deviation = (a - b).abs() / b.abs().max(1.0);
            if deviation > worst.0 {
                worst = (deviation, format!("{column}: {ours} instead of {theirs}"));
            }
        }
    }
    worst
}

/// What rates of ten digits may lead to.
const ROUNDED_RATES: f64 = 1e-7;

fn check(name: &str, tolerance: f64) {
    let (deviation, what) = worst_deviation(name);
    assert!(deviation <= tolerance, "{name}: off by {deviation:e}, {what}");
}

#[test]
fn a_steady_program_is_paced_as_in_go() {
    check("steady.csv", 0.0);
}

#[test]
fn big_stacks_are_paced_as_in_go() {
    check("steady-big-stacks.csv", 0.0);
}

#[test]
fn a_step_in_allocation_is_paced_as_in_go() {
    check("step-alloc.csv", 0.0);
}

#[test]
fn oscillating_allocation_is_paced_as_in_go() {
    check("osc-alloc.csv", 0.0);
}

#[test]
fn a_high_gogc_is_paced_as_in_go() {
    check("high-gogc.csv", ROUNDED_RATES);
}

#[test]
fn a_memory_limit_out_of_reach_is_paced_as_in_go() {
    check("steady-memory-limit.csv", 0.0);
}

#[test]
fn a_memory_limit_that_is_exceeded_is_paced_as_in_go() {
    check("exceed-memory-limit-nogc-percent.csv", ROUNDED_RATES);
}

#[test]
fn a_replay_without_the_output_columns_prints_them() {
    let full = golden("steady.csv");
    let inputs_only: String = full
        .lines()
        .map(|line| line.split(',').take(INPUT_COLUMNS.len()).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    let (mut from_full, mut from_inputs) = (Vec::new(), Vec::new());
    replay("full", full.as_bytes(), &mut from_full).unwrap();
    replay("inputs", inputs_only.as_bytes(), &mut from_inputs).unwrap();
    assert_eq!(from_full, from_inputs);
}

#[test]
fn mistakes_name_file_line_column_and_value_and_print_nothing() {
    let bad = golden("steady.csv").replace("\n7,100,", "\n7,lots,");
    let mut output = Vec::new();
    let error = replay("mine.csv", bad.as_bytes(), &mut output).unwrap_err();
    assert!(matches!(error, PacerError::Mistakes { .. }));
    let text = error.to_string();
    assert!(text.starts_with("mine.csv: line 8, column 2 (gc_percent): \"lots\""), "{text}");
    assert!(output.is_empty());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = run(&PacerArgs { file: "no/such/file.csv".into() }).unwrap_err();
    assert!(error.to_string().starts_with("cannot read no/such/file.csv: "), "{error}");
}
