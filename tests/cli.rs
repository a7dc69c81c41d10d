//! The command line as a user meets it: help, exit codes, error format, nothing half-written.

use std::path::Path;

use assert_cmd::Command;

fn gclab() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gclab"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("NO_COLOR");
    for variable in ["GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG"] {
        command.env_remove(variable);
    }
    command
}

/// Exit code, stdout, stderr.
fn run(args: &[&str]) -> (i32, String, String) {
    let output = gclab().args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn help_is_everywhere_and_has_examples() {
    let pages: [&[&str]; 5] =
        [&["--help"], &["run", "--help"], &["go", "--help"], &["sims", "--help"], &["validate", "--help"]];
    for args in pages {
        let (code, stdout, stderr) = run(args);
        assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
        assert!(stdout.contains("Examples:"), "{args:?}: {stdout}");
        assert!(!stdout.contains('\u{1b}'), "colour in a pipe");
    }
    let (_, stdout, _) = run(&["run", "--help"]);
    for flag in [
        "--gogc",
        "--memory-limit",
        "--go",
        "--procs",
        "--seed",
        "--madvdontneed",
        "--out",
        "--json",
        "--gctrace",
        "--no-plot",
    ] {
        assert!(stdout.contains(flag), "{flag} is not explained");
    }
    assert_eq!(run(&["pacer", "--help"]).0, 0);
}

#[test]
fn sims_lists_files_with_their_questions() {
    let (code, stdout, stderr) = run(&["sims"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("delete-million.toml"), "{stdout}");
    assert!(stdout.contains("Every key of the map is gone. Why is the memory still there?"), "{stdout}");
    let (code, _, stderr) = run(&["sims", "no-such-folder"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("cannot read no-such-folder"), "{stderr}");
}

#[test]
fn a_file_with_mistakes_is_shown_line_by_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sim = folder.path().join("bad.toml");
    let text =
        "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nsteps = [\n  \"gcc\",\n  { sleep = \"1\" },\n]\n";
    std::fs::write(&sim, text).unwrap();
    let out = folder.path().join("out");
    let output = gclab().args(["run", "bad.toml", "--out", "out"]).current_dir(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(!out.exists(), "nothing is written");
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r#"
      x steps[0]: unknown step "gcc"
       ,-[bad.toml:5:3]
     5 |   "gcc",
       :   ^^|^^
       :     `-- here
       `----
      help: did you mean "gc"?

      x steps[1].sleep: "1" is not a duration
       ,-[bad.toml:6:13]
     6 |   { sleep = "1" },
       :             ^|^
       :              `-- here
       `----
      help: numbers with a unit of ns, us, ms, s, m or h, such as "250ms" or "1m30s"

    2 mistakes in bad.toml; nothing was run
    "#);
}

#[test]
fn user_errors_exit_with_2() {
    let sim = "sims/delete-million.toml";
    for (args, said) in [
        (&["run", "no-such.toml"][..], "cannot read no-such.toml"),
        (&["run", "sims"], "cannot read sims"),
        (&["run"], "SIM.toml"),
        (&["run", sim, "--gogc", "fast"], "\"off\""),
        (&["run", sim, "--memory-limit", "64MB"], "64MiB"),
        (&["run", sim, "--go", "1.2"], "\"1.23\""),
        (&["run", sim, "--procs", "0"], "1..=256"),
        (&["run", sim, "--madvdontneed", "yes"], "MADV_FREE"),
        (&["rum", sim], "run"),
    ] {
        let (code, stdout, stderr) = run(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    let many = (0..300).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let (code, _, stderr) = run(&["run", sim, "--gogc", &many]);
    assert_eq!(code, 2);
    assert!(stderr.contains("up to 256 runs"), "{stderr}");
    assert!(!Path::new(env!("CARGO_MANIFEST_DIR")).join("out/no-such.png").exists());
}

#[test]
fn a_file_that_is_no_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sim = folder.path().join("binary.toml");
    std::fs::write(&sim, [0xff, 0xfe, 0x00]).unwrap();
    let (code, _, stderr) = run(&["run", sim.to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(stderr.contains("not UTF-8"), "{stderr}");
}
