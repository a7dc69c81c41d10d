//! `gclab run --cost` and `gclab calibrate`: profiles that are used, and what is said about mistakes.

use std::path::Path;

use assert_cmd::Command;

/// Exit code, stdout, stderr.
fn gclab(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Runs churn with the built-in profile of Go 1.23 after a replacement; `mine.toml` in `folder`.
fn run_with(folder: &Path, from: &str, to: &str, flags: &[&str]) -> (i32, String, String) {
    let built_in = std::fs::read_to_string("profiles/go1.23.toml").unwrap();
    assert!(built_in.contains(from), "{from}");
    let profile = folder.join("mine.toml");
    std::fs::write(&profile, built_in.replacen(from, to, 1)).unwrap();
    let (profile, out) = (profile.to_str().unwrap(), folder.to_str().unwrap());
    let run = ["run", "sims/external-reference.toml", "--no-plot", "--json", "--out", out, "--cost", profile];
    gclab(&[&run, flags].concat())
}

#[test]
fn a_profile_changes_times_and_is_named_in_the_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (code, same, _) = run_with(folder.path(), "quiet", "quiet", &[]);
    assert_eq!(code, 0);
    let (_, dearer, _) = run_with(folder.path(), "fault_page_ns = ", "fault_page_ns = 99_000.0 # ", &[]);
    let duration = |json: &str| {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["runs"][0]["config"]["cost_profile"], "mine");
        value["runs"][0]["summary"]["duration_ns"].as_u64().unwrap()
    };
    assert!(duration(&dearer) > duration(&same));
}

#[test]
fn mistakes_in_a_profile_have_lines_and_say_what_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = run_with(folder.path(), "gosched_ns = ", "goshed_ns = -", &[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    for said in ["mine.toml:", "unknown key \"goshed_ns\"", "did you mean \"gosched_ns\"", "1 mistake"] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    let (code, _, stderr) = run_with(folder.path(), "quiet", "quiet", &["--go", "1.21"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("simulates Go 1.21") && stderr.contains("profile of Go 1.21"), "{stderr}");
    let (code, _, stderr) = gclab(&["run", "sims/churn.toml", "--cost", "no/such.toml"]);
    assert!(code == 2 && stderr.contains("cannot read no/such.toml"), "{stderr}");
}

#[test]
fn profiles_of_noisy_machines_are_used_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    for (was, noted) in [("quiet = false", true), ("quiet = true", false)] {
        let (code, _, stderr) = run_with(folder.path(), "quiet = false", was, &[]);
        assert_eq!(code, 0);
        assert_eq!(stderr.contains("not quiet"), noted, "{was}: {stderr}");
    }
}

#[test]
fn without_a_working_go_nothing_is_measured_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("mine.toml");
    let (code, _, stderr) = gclab(&["calibrate", "--go", "no/such/go", "--out", out.to_str().unwrap()]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("no/such/go") && stderr.contains("accepted: "), "{stderr}");
    let (code, _, stderr) =
        gclab(&["calibrate", "--go", "/bin/true", "--only", "dance", "--out", out.to_str().unwrap()]);
    assert!(code == 2 && stderr.contains("allocation"), "{stderr}");
    assert!(!out.exists());
}
