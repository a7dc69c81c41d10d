//! `gclab validate` as a user meets it: toolchains that are none, programs that hang or stop half-way, and the verdict.
//!
//! No Go is needed: a shell script plays the go command, and another one the program that it builds. The last test wants
//! real Go: `GCLAB_GO=/path/to/bin/go cargo test --release --test cli_validate -- --ignored --nocapture`.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use assert_cmd::Command;

const SIM: &str = "title = 't'\nquestion = 'q'\nanswer = 'a'\nsteps = ['gc', { snapshot = 'after' }]\n";

/// A folder with a scenario and a go command that builds `program`, a shell script.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new(go: &str, program: &str) -> Scene {
        let scene = Scene { folder: tempfile::tempdir().unwrap() };
        std::fs::write(scene.path("sim.toml"), SIM).unwrap();
        scene.script("go", go);
        scene.script("program", program);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{text}\n")).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn validate(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gclab"));
        command.current_dir(&self.folder).arg("validate").args(args).env("FAKE", self.folder.path());
        texts(command.output().unwrap())
    }
}

fn texts(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A go command of some version whose build copies the program.
fn go(version: &str) -> String {
    format!(
        "if [ \"$1\" = env ]; then echo {version}; echo \"$FAKE/cache\"; exit 0; fi\n\
         [ \"$1 $2\" = 'build -o' ] && cp \"$FAKE/program\" \"$3\""
    )
}

/// A program that says what it is told: TotalAlloc and HeapAlloc of the snapshot.
fn program(total_alloc: u64, heap_alloc: u64) -> String {
    let stats = format!(
        "{{\"TotalAlloc\":{total_alloc},\"HeapAlloc\":{heap_alloc},\"HeapSys\":3866624,\"NextGC\":4194304,\
         \"Mallocs\":250,\"HeapObjects\":240,\"NumGC\":1}}"
    );
    let json = format!(
        "{{\"runs\":[{{\"snapshots\":[{{\"label\":\"after\",\"t_ns\":1000,\"rss_bytes\":2300000,\"mem_stats\":{stats}}}],\
         \"summary\":{{\"duration_ns\":2000,\"num_gc\":1,\"peak_rss_bytes\":2300000,\"final_rss_bytes\":2300000}}}}]}}"
    );
    format!(
        "echo 'gc 1 @0.000s 1%: 1+1+1 ms clock, 1+0/1/0+1 ms cpu, 0->0->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P \
         (forced)' >&2\n\
         [ \"$1\" = -json ] && echo '{json}' > \"$2\"\n\
         [ \"$3\" = -csv ] && printf 't_ns,heap_alloc_bytes,rss_bytes\\n500,1000,2300000\\n' > \"$4\""
    )
}

#[test]
fn a_program_that_agrees_passes_and_leaves_a_chart_and_a_report() {
    let scene = Scene::new(&go("go1.23.9"), &program(50_000, 45_000));
    let (code, stdout, stderr) = scene.validate(&["sim.toml", "--go", "./go"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    for words in ["go1.23.9", "3 real runs", "after", "HeapAlloc", "exact", "times as fast", "gc 1, forced"] {
        assert!(stdout.contains(words), "{words} is missing:\n{stdout}");
    }
    assert!(stderr.contains("run 3 of 3"), "{stderr}");
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "colour in a pipe");
    let name = "out/sim-go1.23.9-gogc100-procs2";
    assert!(std::fs::read(scene.path(&format!("{name}.png"))).unwrap().starts_with(b"\x89PNG"));

    // The report is made from what was saved, and again without running.
    std::fs::create_dir(scene.path("docs")).unwrap();
    let (code, stdout, stderr) = scene.validate(&["--from", "out", "--report", "docs/FIDELITY.md"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let report = std::fs::read_to_string(scene.path("docs/FIDELITY.md")).unwrap();
    assert!(report.contains("`gclab validate --from out --report docs/FIDELITY.md`"), "{report}");
    assert!(report.contains("| sim | 1.23.9 | 100 |"), "{report}");
}

#[test]
fn an_exact_number_that_differs_is_a_miss_with_exit_code_1() {
    let scene = Scene::new(&go("go1.23.9"), &program(50_000, 8_000_000));
    let (code, stdout, stderr) = scene.validate(&["--quick", "sim.toml", "--go", "./go", "--no-plot"]);
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.contains("HeapAlloc") && stdout.contains("MISS"), "{stdout}");
    assert!(stderr.contains("beyond the tolerance"), "{stderr}");
    // The explanation beside the report is found.
    let mechanism = "[[mechanism]]\nmetric = \"HeapAlloc\"\ntext = \"A script is no Go.\"\n";
    std::fs::write(scene.path("fidelity-mechanisms.toml"), mechanism).unwrap();
    let (code, ..) = scene.validate(&["--from", "out", "--report", "FIDELITY.md"]);
    assert_eq!(code, 1);
    let report = std::fs::read_to_string(scene.path("FIDELITY.md")).unwrap();
    assert!(report.contains("A script is no Go."), "{report}");
}

#[test]
fn json_is_one_list_of_cells() {
    let scene = Scene::new(&go("go1.21.13"), &program(50_000, 45_000));
    let args = ["sim.toml", "--go", "./go", "--gogc", "50,200,50", "--runs", "1", "--json", "--no-plot"];
    let (_, stdout, stderr) = scene.validate(&args);
    let cells: serde_json::Value =
        serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
    let gogcs: Vec<_> =
        cells.as_array().unwrap().iter().map(|cell| &cell["config"]["gogc_percent"]).collect();
    assert_eq!(gogcs, [50, 200]);
    assert_eq!(cells[0]["go"], "go1.21.13");
}

#[test]
fn what_is_no_usable_toolchain_is_a_users_mistake() {
    for (go, said) in [
        ("echo 'cannot load' >&2; exit 3".to_owned(), "exit status: 3: cannot load"),
        ("echo hello".to_owned(), "\"hello\""),
        (go("go1.4.2"), "\"go1.4.2\" is not a Go version gclab simulates"),
        (
            "[ \"$1\" = env ] && echo go1.23.9 && echo \"$FAKE/cache\" && exit 0; echo 'no compiler' >&2; exit 2"
                .to_owned(),
            "cannot build the program of sim: ended with exit status: 2: no compiler",
        ),
    ] {
        let scene = Scene::new(&go, "exit 0");
        let (code, stdout, stderr) = scene.validate(&["sim.toml", "--go", "./go"]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(said), "{said} is missing: {stderr}");
        assert!(!scene.path("out").exists(), "nothing is written");
    }
    let scene = Scene::new("", "");
    let (code, _, stderr) = scene.validate(&["sim.toml", "--go", "./no-such-go"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--go ./no-such-go") && stderr.contains("accepted:"), "{stderr}");
}

#[test]
fn flags_that_make_no_sense_are_users_mistakes() {
    let scene = Scene::new(&go("go1.23.9"), &program(50_000, 45_000));
    for (args, said) in [
        (&["sim.toml"][..], "--go"),
        (&["--go", "./go"], "SIM.toml"),
        (&["no-such.toml", "--go", "./go"], "cannot read no-such.toml"),
        (&["sim.toml", "sim.toml", "--go", "./go"], "another scenario called sim"),
        (&["sim.toml", "--go", "./go", "--go", "./go"], "given before"),
        (&["sim.toml", "--go", "./go", "--runs", "0"], "1..=100"),
        (&["sim.toml", "--go", "./go", "--timeout", "soon"], "250ms"),
        (&["sim.toml", "--go", "./go", "--gogc", "fast"], "\"off\""),
        (&["--from", "docs"], "cannot read docs"),
        (&["--from", "."], "there are no files *.validate.json"),
    ] {
        let (code, stdout, stderr) = scene.validate(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    std::fs::write(scene.path("fidelity-mechanisms.toml"), "[[mechanism]]\nmetrik = 'x'\n").unwrap();
    let (code, _, stderr) = scene.validate(&["sim.toml", "--go", "./go", "--report", "FIDELITY.md"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("fidelity-mechanisms.toml") && stderr.contains("metrik"), "{stderr}");
}

#[test]
fn a_program_that_hangs_is_killed_with_all_it_started() {
    let scene = Scene::new(&go("go1.23.9"), "");
    scene.script(
        "program",
        &format!("sleep 1000 & echo $! > '{}'; sleep 1000", scene.path("child").display()),
    );
    let start = Instant::now();
    let (code, _, stderr) = scene.validate(&["sim.toml", "--go", "./go", "--timeout", "2s", "--no-plot"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("killed after 2 s") && stderr.contains("--timeout"), "{stderr}");
    assert!(start.elapsed() < Duration::from_secs(60));
    let child = std::fs::read_to_string(scene.path("child")).unwrap();
    let is_gone = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z")
    };
    let goes = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        is_gone()
    });
    assert!(goes, "the grandchild is alive");
}

#[test]
fn output_that_breaks_off_is_an_error_that_names_the_file() {
    let torn = format!("{}\nprintf '{{\"runs\":[' > \"$2\"", program(1, 1));
    let lost = "echo 'panic: lost' >&2; exit 2".to_owned();
    for (program, said) in
        [(torn, "JSON"), (lost, "exit status: 2: panic: lost"), ("true".to_owned(), "cannot be read")]
    {
        let scene = Scene::new(&go("go1.23.9"), &program);
        let (code, stdout, stderr) = scene.validate(&["sim.toml", "--go", "./go", "--no-plot"]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(said) && stderr.contains("sim, go1.23.9, GOGC=100"), "{said}: {stderr}");
    }
}

#[test]
#[ignore = "needs real Go: GCLAB_GO=/path/to/bin/go"]
fn delete_million_agrees_with_real_go() {
    let go = std::env::var("GCLAB_GO").expect("GCLAB_GO names the go command of a Go that is simulated");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = tempfile::tempdir().unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gclab"));
    command
        .current_dir(root)
        .args(["validate", "sims/delete-million.toml", "--go", &go, "--out"])
        .arg(out.path());
    let (code, stdout, stderr) = texts(command.output().unwrap());
    println!("{stdout}");
    assert_eq!(code, 0, "{stderr}");
}
