//! `gclab run` and its sisters when all goes well: what is printed, what is written, and that nothing else is.

use std::path::Path;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use serde_json::Value;

/// Exit code, stdout, stderr of `gclab` in the project's folder.
fn gclab(args: &[&str]) -> (i32, String, String) {
    gclab_with(&[], args)
}

/// The same with environment variables.
fn gclab_with(variables: &[(&str, &str)], args: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("NO_COLOR")
        .env_remove("GOGC")
        .env_remove("GOMEMLIMIT")
        .env_remove("GOMAXPROCS")
        .env_remove("GODEBUG")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Runs `gclab run` into a fresh folder and returns stdout and stderr.
fn run(sim: &str, out: &Path, flags: &[&str]) -> (String, String) {
    let mut args = vec!["run", sim, "--out", out.to_str().unwrap()];
    args.extend(flags);
    let (code, stdout, stderr) = gclab(&args);
    assert_eq!(code, 0, "{args:?}: {stderr}");
    (stdout, stderr)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn json_is_one_object_with_gos_names_and_files_are_written() {
    let out = tempfile::tempdir().unwrap();
    let (stdout, stderr) = run("sims/delete-million.toml", out.path(), &["--json"]);
    assert_eq!(stderr, "");
    let mut objects = serde_json::Deserializer::from_str(&stdout).into_iter::<Value>();
    let value = objects.next().unwrap().unwrap();
    assert!(objects.next().is_none(), "more than one object");
    assert!(stdout.ends_with("}\n"));

    let runs = value["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert!(runs[0].get("oom_kill").is_none());
    let snapshots = runs[0]["snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), 8);
    let stats = snapshots[1]["mem_stats"].as_object().unwrap();
    // Every name that `encoding/json` gives runtime.MemStats, for the fields that the model has.
    for name in [
        "Alloc",
        "TotalAlloc",
        "Sys",
        "Lookups",
        "Mallocs",
        "Frees",
        "HeapAlloc",
        "HeapSys",
        "HeapIdle",
        "HeapInuse",
        "HeapReleased",
        "HeapObjects",
        "StackInuse",
        "StackSys",
        "MSpanInuse",
        "MSpanSys",
        "MCacheInuse",
        "MCacheSys",
        "BuckHashSys",
        "GCSys",
        "OtherSys",
        "NextGC",
        "LastGC",
        "PauseTotalNs",
        "NumGC",
        "NumForcedGC",
        "GCCPUFraction",
    ] {
        assert!(stats.contains_key(name), "{name} is missing in {stats:?}");
    }
    assert_eq!(stats.len(), 27);
    assert_eq!(
        stats["HeapSys"].as_u64(),
        Some(stats["HeapInuse"].as_u64().unwrap() + stats["HeapIdle"].as_u64().unwrap())
    );

    assert_eq!(names(out.path()), ["delete-million.csv", "delete-million.png"]);
    let png = std::fs::read(out.path().join("delete-million.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 10_000, "{} bytes", png.len());
    let mut csv = csv::Reader::from_path(out.path().join("delete-million.csv")).unwrap();
    let columns = csv.headers().unwrap().len();
    let rows: Vec<csv::StringRecord> = csv.records().map(|row| row.unwrap()).collect();
    assert!(columns > 10 && rows.len() > 100, "{columns} columns, {} rows", rows.len());
}

#[test]
fn tables_name_question_answer_and_every_snapshot() {
    let out = tempfile::tempdir().unwrap();
    let (stdout, stderr) = run("sims/external-reference.toml", out.path(), &["--no-plot"]);
    assert_eq!(stderr, "");
    for said in [
        "Deleted here, held there",
        // Labels that are too long for their column run on in the next line.
        "deleted, half ",
        "held elsewhere ",
        "released ",
        "HeapAlloc",
        "The sessions were deleted from the map",
        "A second reference. delete removes",
        "Wrote ",
    ] {
        assert!(stdout.contains(said), "{said} is missing:\n{stdout}");
    }
    assert!(!stdout.contains('\u{1b}'), "colour in a pipe");
    assert_eq!(names(out.path()), ["external-reference.csv"]);
}

/// Splits a gctrace line into the numbers between its fixed words; `None` if a word is not where Go has it.
fn gctrace_numbers(line: &str) -> Option<Vec<f64>> {
    // gc N @Ts U%: a+b+c ms clock, d+e/f/g+h ms cpu, A->B->C MB, G MB goal, S MB stacks, D MB globals, P P
    let line = line.strip_suffix(" (forced)").unwrap_or(line);
    let between = [
        "gc ",
        " @",
        "s ",
        "%: ",
        "+",
        "+",
        " ms clock, ",
        "+",
        "/",
        "/",
        "+",
        " ms cpu, ",
        "->",
        "->",
        " MB, ",
        " MB goal, ",
        " MB stacks, ",
        " MB globals, ",
        " P",
    ];
    let mut rest = line.strip_prefix(between[0])?;
    let mut numbers = Vec::new();
    for word in &between[1..] {
        let at = rest.find(word)?;
        let number = &rest[..at];
        if !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return None;
        }
        numbers.push(number.parse().ok()?);
        rest = &rest[at + word.len()..];
    }
    rest.is_empty().then_some(numbers)
}

#[test]
fn the_reader_of_gctrace_reads_real_lines() {
    // Printed by Go 1.23.9 and 1.21.13.
    for line in [
        "gc 1 @0.009s 2%: 0.016+0.44+0.003 ms clock, 0.033+0.14/0.13/0.38+0.006 ms cpu, 3->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P",
        "gc 12 @1.504s 0%: 0.029+5.4+0.007 ms clock, 0.059+0/0.059/12+0.015 ms cpu, 40->40->40 MB, 81 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)",
    ] {
        assert!(gctrace_numbers(line).is_some(), "{line}");
    }
    assert_eq!(gctrace_numbers("gc 1 @0.009s 2%: 0.016+0.44 ms clock, 1 P"), None);
    assert_eq!(gctrace_numbers("gc one @0.009s"), None);
}

#[test]
fn gctrace_lines_are_gos() {
    let out = tempfile::tempdir().unwrap();
    let flags = ["--gctrace", "--no-plot", "--json"];
    for sim in ["sims/spike-and-idle.toml", "sims/grow-without-hint.toml", "sims/memory-limit.toml"] {
        let (stdout, stderr) = run(sim, out.path(), &flags);
        let value: Value = serde_json::from_str(&stdout).unwrap();
        let cycles = value["runs"][0]["summary"]["num_gc"].as_u64().unwrap();
        let (forced, lines): (Vec<&str>, Vec<&str>) = stderr.lines().partition(|line| *line == "GC forced");
        assert_eq!(lines.len() as u64, cycles, "{sim}");
        assert_eq!(forced.is_empty(), !sim.contains("idle"), "{sim}: two-minute cycles");
        let mut last_s = 0.0;
        for (index, line) in lines.iter().enumerate() {
            let numbers =
                gctrace_numbers(line).unwrap_or_else(|| panic!("{sim}: not as Go writes it: {line}"));
            assert_eq!(numbers[0], index as f64 + 1.0, "{line}");
            assert!(numbers[1] >= last_s, "time goes back: {line}");
            last_s = numbers[1];
            assert_eq!(*numbers.last().unwrap(), 2.0, "{line}");
        }
    }
}

#[test]
fn a_list_of_gogcs_gives_a_run_for_each_in_order() {
    let out = tempfile::tempdir().unwrap();
    let flags = ["--gogc", "50,100,off", "--json"];
    let (stdout, _) = run("sims/grow-without-hint.toml", out.path(), &flags);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    let runs = value["runs"].as_array().unwrap();
    let gogcs: Vec<Option<u64>> = runs.iter().map(|run| run["config"]["gogc_percent"].as_u64()).collect();
    assert_eq!(gogcs, [Some(50), Some(100), None]);
    let cycles: Vec<u64> = runs.iter().map(|run| run["summary"]["num_gc"].as_u64().unwrap()).collect();
    assert!(cycles[0] > cycles[1] && cycles[1] > cycles[2], "{cycles:?}");
    // `off` leaves what the program asks for: three runtime.GC or FreeOSMemory.
    assert_eq!(cycles[2], 3);
    assert_eq!(names(out.path()), ["grow-without-hint.csv", "grow-without-hint.png"]);
}

#[test]
fn every_shipped_scenario_runs_to_its_end_in_seconds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims");
    let sims = names(&folder);
    assert!(sims.len() >= 13, "{sims:?}");
    let mut faults = Vec::new();
    for sim in sims {
        let out = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let args = ["run", &format!("sims/{sim}"), "--json", "--out", out.path().to_str().unwrap()];
        let (code, stdout, stderr) = gclab(&args);
        if code != 0 {
            faults.push(format!(
                "{sim} exits with {code}: {}",
                stderr.lines().take(3).collect::<Vec<_>>().join(" ")
            ));
            continue;
        }
        let value: Value = serde_json::from_str(&stdout).unwrap();
        let killed = value["runs"][0].get("oom_kill").is_some();
        if killed != (sim == "container-oom.toml") {
            faults.push(format!("{sim}: killed: {killed}"));
        }
        if start.elapsed() > Duration::from_secs(10) {
            faults.push(format!("{sim} takes {:?}", start.elapsed()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_container_limit_kills_and_a_memory_limit_saves() {
    let out = tempfile::tempdir().unwrap();
    let (stdout, _) = run("sims/container-oom.toml", out.path(), &["--json", "--no-plot"]);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    let run_ = &value["runs"][0];
    let kill = &run_["oom_kill"];
    assert_eq!(kill["limit_bytes"].as_u64(), Some(64 << 20));
    assert!(kill["rss_bytes"].as_u64() > kill["limit_bytes"].as_u64(), "{kill}");
    assert!(kill["step"].as_str().unwrap().contains("garbage"), "{kill}");
    let labels: Vec<&str> =
        run_["snapshots"].as_array().unwrap().iter().map(|row| row["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["start", "40 MiB live"]);

    // What the scenario's answer promises.
    let flags = ["--json", "--no-plot", "--memory-limit", "58MiB"];
    let (stdout, _) = run("sims/container-oom.toml", out.path(), &flags);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert!(value["runs"][0].get("oom_kill").is_none());
    assert_eq!(value["runs"][0]["snapshots"][2]["label"], "survived");
}

#[test]
fn the_other_commands_work() {
    let golden = "tests/golden/pacer/steady.csv";
    let (code, stdout, stderr) = gclab(&["pacer", golden]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let before = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(golden)).unwrap();
    assert_eq!(stdout.lines().next(), before.lines().next());
    assert_eq!(stdout.lines().count(), before.lines().count());
    let (code, stdout, stderr) = gclab(&["sims"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for sim in names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sims")) {
        assert!(stdout.contains(&sim), "{sim} is not listed");
    }
    let (code, stdout, _) = gclab(&["--version"]);
    assert_eq!((code, stdout), (0, format!("gclab {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_bad_file_leaves_what_was_there_before() {
    let folder = tempfile::tempdir().unwrap();
    let sim = folder.path().join("bad.toml");
    std::fs::write(&sim, "title = 1\n").unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("bad.csv"), "before").unwrap();
    let (code, stdout, stderr) = gclab(&["run", sim.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("nothing was run"), "{stderr}");
    assert_eq!(names(&out), ["bad.csv"]);
    assert_eq!(std::fs::read_to_string(out.join("bad.csv")).unwrap(), "before");
}

/// The settings of the runs that were made, and stderr.
fn configs_with(variables: &[(&str, &str)], sim: &str, flags: &[&str]) -> (Vec<Value>, String) {
    let out = tempfile::tempdir().unwrap();
    let mut args = vec!["run", sim, "--json", "--no-plot", "--out", out.path().to_str().unwrap()];
    args.extend(flags);
    let (code, stdout, stderr) = gclab_with(variables, &args);
    assert_eq!(code, 0, "{stderr}");
    let runs: Value = serde_json::from_str(&stdout).unwrap();
    (runs["runs"].as_array().unwrap().iter().map(|run| run["config"].clone()).collect(), stderr)
}

#[test]
fn environment_variables_of_go_win_over_the_file_and_flags_over_them() {
    let variables = [
        ("GOGC", "50"),
        ("GOMEMLIMIT", "256MiB"),
        ("GOMAXPROCS", "1"),
        ("GODEBUG", "gctrace=1,madvdontneed=1"),
    ];
    // The file says madvdontneed = false and nothing else.
    let (configs, stderr) = configs_with(&variables, "sims/madv-free.toml", &[]);
    let [config] = &configs[..] else { panic!("{configs:?}") };
    assert_eq!(config["gogc_percent"], 50);
    assert_eq!(config["memory_limit_bytes"], 256 << 20);
    assert_eq!((&config["procs"], &config["madvdontneed"]), (&Value::from(1), &Value::from(true)));
    assert!(
        stderr.starts_with("gc 1 @") && stderr.lines().all(|line| gctrace_numbers(line).is_some()),
        "{stderr}"
    );

    let flags = ["--gogc", "100,200", "--memory-limit", "off", "--procs", "2", "--madvdontneed", "0"];
    let (configs, _) = configs_with(&variables, "sims/madv-free.toml", &flags);
    assert_eq!(configs.iter().map(|c| c["gogc_percent"].as_u64().unwrap()).collect::<Vec<_>>(), [100, 200]);
    assert!(configs.iter().all(|config| config["memory_limit_bytes"].is_null() && config["procs"] == 2));
    assert!(configs.iter().all(|config| config["madvdontneed"] == false));

    let (configs, stderr) = configs_with(&[], "sims/madv-free.toml", &[]);
    assert_eq!(
        (&configs[0]["gogc_percent"], &configs[0]["madvdontneed"]),
        (&Value::from(100), &Value::from(false))
    );
    assert_eq!(stderr, "");
}

#[test]
fn environment_variables_that_cannot_be_understood_are_named() {
    let out = tempfile::tempdir().unwrap();
    for (name, value) in
        [("GOGC", "many"), ("GOMEMLIMIT", "64MB"), ("GOMAXPROCS", "0"), ("GODEBUG", "gctrace=on")]
    {
        let args = ["run", "sims/madv-free.toml", "--no-plot", "--out", out.path().to_str().unwrap()];
        let (code, stdout, stderr) = gclab_with(&[(name, value)], &args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(stderr.contains(name) && stderr.contains(value), "{stderr}");
    }
    assert_eq!(names(out.path()), [""; 0]);
}

#[test]
fn help_says_who_wins() {
    let (code, stdout, _) = gclab(&["run", "--help"]);
    assert_eq!(code, 0);
    for word in ["GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "Flags win over them"] {
        assert!(stdout.contains(word), "{word} is not in\n{stdout}");
    }
}
