//! `gclab sweep`, `gclab merge` and `gclab tune` as a user meets them.

use std::path::Path;
use std::process::{Command, Output};

const SIM: &str = "title = 'a small program'\nquestion = 'q'\nanswer = 'a'\nsteps = [\n\
    { alloc = { into = 'live', count = 64, size = '64KiB' } },\n\
    { garbage = { bytes = '32MiB', size = '1KiB' } },\n]\n[vars]\nlive = '[][]byte'\n";

/// `gclab` in a folder with the scenario.
fn gclab(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gclab"));
    command.current_dir(folder).env_remove("NO_COLOR");
    command
}

fn scene() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), SIM).unwrap();
    folder
}

fn texts(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn run(folder: &Path, line: &str) -> (i32, String, String) {
    texts(gclab(folder).args(line.split(' ')).output().unwrap())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_iter().map(|(name, _)| name).collect()
}

const SWEEP: &str = "sweep small.toml --gogc 25..400:log5,off --memory-limit 16MiB,off --seeds 2";

#[test]
fn a_sweep_leaves_tables_a_manifest_and_pictures() {
    let scene = scene();
    let (code, stdout, stderr) = run(scene.path(), SWEEP);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        names(&scene.path().join("out")),
        [
            "small.sweep-front.png",
            "small.sweep-gc-cpu.png",
            "small.sweep-peak-rss.png",
            "small.sweep.csv",
            "small.sweep.json",
            "small.sweep.parquet"
        ]
    );
    assert!(
        stdout.contains("24 runs") && stdout.contains("no other beats") && stdout.contains("P99 of pauses")
    );
    assert!(stdout.contains("Wrote out/small.sweep.parquet"), "{stdout}");
    assert_eq!(stderr.lines().count(), 20, "{stderr}");
    assert!(stderr.ends_with("ran 24 of 24 runs (100 %)\n"), "{stderr}");
    let csv = std::fs::read_to_string(scene.path().join("out/small.sweep.csv")).unwrap();
    assert_eq!(csv.lines().count(), 25);

    let (code, again, stderr) = run(scene.path(), SWEEP);
    assert_eq!((code, again), (0, stdout));
    assert_eq!(stderr, "note: all 24 runs are there already\n");
}

#[test]
fn shards_that_are_merged_are_the_sweep() {
    let scene = scene();
    run(scene.path(), SWEEP);
    for shard in 0..3 {
        let (code, stdout, stderr) =
            run(scene.path(), &format!("{SWEEP} --shard {shard}/3 --out parts --threads 1"));
        assert_eq!((code, stdout), (0, format!("Wrote parts/small.{shard}-of-3.part.csv\n")), "{stderr}");
    }
    let parts = "parts/small.0-of-3.part.csv parts/small.1-of-3.part.csv";
    let (code, _, stderr) = run(scene.path(), &format!("merge {parts} --out merged"));
    assert_eq!(code, 2);
    assert!(stderr.contains("1 of 3 shards missing: 2") && stderr.contains("accepted"), "{stderr}");
    assert!(!scene.path().join("merged/small.sweep.csv").exists());
    let (code, _, stderr) =
        run(scene.path(), &format!("merge {parts} parts/small.2-of-3.part.csv --out merged"));
    assert_eq!(code, 0, "{stderr}");
    assert!(files(&scene.path().join("merged")) == files(&scene.path().join("out")), "not the same bytes");
}

const SET: &str = "sweep small.toml --set steps.1.bytes=8MiB,32MiB --set steps[0].alloc.count=16..64:lin2 --gogc 50,100 \
    --seeds 2 --seed 5";

#[test]
fn keys_of_the_scenario_are_swept_and_each_is_a_column() {
    let scene = scene();
    let (code, stdout, stderr) = run(scene.path(), SET);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("16 runs") && stdout.contains("steps[1].garbage.bytes = 32MiB"), "{stdout}");
    let csv = std::fs::read_to_string(scene.path().join("out/small.sweep.csv")).unwrap();
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    assert!(header.ends_with(",latency_max_ns,steps[1].garbage.bytes,steps[0].alloc.count"), "{header}");
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let column = |name: &str| header.split(',').position(|known| known == name).unwrap();
    let last = |row: &Vec<&str>| (row[row.len() - 2].to_owned(), row[row.len() - 1].to_owned());
    let pair = |bytes: &str, count: &str| (bytes.to_owned(), count.to_owned());
    assert_eq!(last(&rows[0]), pair("8MiB", "16"));
    assert_eq!(last(&rows[4]), pair("32MiB", "16"));
    assert_eq!(last(&rows[8]), pair("8MiB", "64"));
    assert_eq!(last(&rows[15]), pair("32MiB", "64"));
    // The row is the run of the file that somebody has edited by hand.
    let edited = SIM.replace("count = 64", "count = 16").replace("32MiB", "8MiB");
    std::fs::write(scene.path().join("edited.toml"), edited).unwrap();
    let line = format!("run edited.toml --gogc 50 --seed {} --json --no-plot", rows[0][column("seed")]);
    let (code, json, stderr) = run(scene.path(), &line);
    assert_eq!(code, 0, "{stderr}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let summary = &value["runs"][0]["summary"];
    for name in ["duration_ns", "num_gc", "total_alloc_bytes", "peak_rss_bytes"] {
        assert_eq!(rows[0][column(name)], summary[name].to_string(), "{name}");
    }
}

#[test]
fn shards_of_a_sweep_over_keys_merge_and_sweeps_over_other_values_do_not_mix() {
    let scene = scene();
    run(scene.path(), SET);
    for shard in 0..2 {
        let (code, _, stderr) = run(scene.path(), &format!("{SET} --shard {shard}/2 --out parts"));
        assert_eq!(code, 0, "{stderr}");
    }
    let (code, _, stderr) =
        run(scene.path(), "merge parts/small.0-of-2.part.csv parts/small.1-of-2.part.csv --out merged");
    assert_eq!(code, 0, "{stderr}");
    assert!(files(&scene.path().join("merged")) == files(&scene.path().join("out")), "not the same bytes");
    let other = SET.replace("8MiB,32MiB", "8MiB,16MiB");
    let (code, _, stderr) = run(scene.path(), &format!("{other} --shard 1/2 --out parts"));
    assert_eq!(code, 2);
    assert!(stderr.contains("another sweep") && stderr.contains("set differs"), "{stderr}");
}

#[test]
fn a_key_that_cannot_be_set_is_named_with_what_is_accepted() {
    let scene = scene();
    for (set, words) in [
        ("steps.1.bites=8MiB", ["steps.1.bites=8MiB", "unknown key", "bytes"]),
        ("steps.1.bytes=8MiB,lots", ["steps.1.bytes=lots", "lots", "accepted"]),
        ("steps.9.bytes=8MiB", ["no element 9", "0 to 1", "accepted"]),
        ("sizes.live=3", ["no \"sizes\"", "vars", "accepted"]),
        ("steps.1.bytes", ["sets nothing", "KEY=A,B,C", "accepted"]),
    ] {
        let (code, _, stderr) = run(scene.path(), &format!("sweep small.toml --set {set}"));
        assert_eq!(code, 2, "{set}: {stderr}");
        let stderr = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.iter().all(|word| stderr.contains(word)), "{set}: {stderr}");
        assert!(!scene.path().join("out").exists(), "{set} wrote something");
    }
}

#[cfg(unix)]
#[test]
fn whoever_is_stopped_or_killed_goes_on() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::time::{Duration, Instant};
    let scene = scene();
    let line = "sweep small.toml --gogc 25..400:log40 --seeds 25 --no-plot";
    let journal = scene.path().join("out/small.0-of-1.journal.csv");
    let lines = || std::fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    let mut stopped = 0;
    for signal in [Signal::INT, Signal::KILL, Signal::INT] {
        let before = lines();
        let child = gclab(scene.path())
            .args(line.split(' '))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while lines() < before + 5 && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal);
        let (code, _, stderr) = texts(child.wait_with_output().unwrap());
        if signal == Signal::INT {
            assert_eq!(code, 130, "{stderr}");
            assert!(stderr.contains("of 1000 runs done; the same command goes on from there"), "{stderr}");
            stopped += 1;
        }
    }
    assert_eq!(stopped, 2);
    let (code, _, stderr) = run(scene.path(), line);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("of 1000 runs are there already"), "{stderr}");
    let (code, _, stderr) = run(scene.path(), &format!("{line} --threads 1 --out whole"));
    assert_eq!(code, 0, "{stderr}");
    assert!(files(&scene.path().join("out")) == files(&scene.path().join("whole")), "not the same bytes");
}

#[test]
fn mistakes_name_the_value_and_what_would_be_accepted() {
    let scene = scene();
    for (line, words) in [
        ("sweep small.toml --gogc 10..1000", "how many values"),
        ("sweep small.toml --gogc 1000..10:log5", "is no range"),
        ("sweep small.toml --memory-limit 1..2:cubic3", "not known"),
        ("sweep small.toml --shard 3/3", "K from 0 to N-1"),
        ("sweep small.toml --procs 0", "1 to 256"),
        ("sweep small.toml --gogc 1..100000:lin10000 --seeds 10000", "up to 10000000 runs"),
        ("sweep missing.toml", "cannot read missing.toml"),
        ("merge small.toml", "first two lines"),
        ("merge missing.csv", "cannot read missing.csv"),
        ("tune small.toml --container 64MB", "64MB"),
        ("tune small.toml --container 64MiB --max-gc-cpu 120%", "accepted: a share"),
    ] {
        let (code, stdout, stderr) = run(scene.path(), line);
        assert_eq!((code, stdout.as_str()), (2, ""), "{line}: {stderr}");
        assert!(stderr.contains(words), "{line}: {stderr}");
        assert!(!scene.path().join("out").exists(), "{line} wrote something");
    }
}

#[test]
fn help_has_examples() {
    let scene = scene();
    for command in ["sweep", "merge", "tune"] {
        let (code, stdout, _) = run(scene.path(), &format!("{command} --help"));
        assert_eq!(code, 0);
        assert!(stdout.contains("Examples:"), "{stdout}");
    }
}

#[test]
fn tune_recommends_predicts_and_has_lines_to_paste() {
    let scene = scene();
    let (code, stdout, stderr) = run(scene.path(), "tune small.toml --container 16MiB --seeds 2");
    assert_eq!(code, 0, "{stderr}");
    for words in [
        "Recommended: GOGC=",
        "Margin to the OOM kill:",
        "ENV GOGC=",
        "ENV GOMEMLIMIT=",
        "memory: \"16Mi\"",
        "more aggressive",
    ] {
        assert!(stdout.contains(words), "{words} is missing: {stdout}");
    }
    let (code, json, _) = run(scene.path(), "tune small.toml --container 16MiB --seeds 2 --json");
    assert_eq!(code, 0);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let recommended = &value["recommended"];
    let peak = recommended["peak_rss_bytes"].as_u64().unwrap();
    assert!(peak * 10 <= (16 << 20) * 9 && recommended["killed"] == 0, "{recommended}");
    assert!(value["first_killed"]["killed"].as_u64().unwrap() > 0, "{value}");
    assert_eq!(value["margin_to_oom_bytes"].as_u64().unwrap(), (16 << 20) - peak);
    assert!(stdout.contains(&format!("GOGC={} ", recommended["gogc"].as_str().unwrap())), "{stdout}");
    assert_eq!(run(scene.path(), "tune small.toml --container 16MiB --seeds 2 --json --threads 1").1, json);

    let (code, stdout, stderr) = run(scene.path(), "tune small.toml --container 4MiB --seeds 1");
    assert_eq!(code, 1);
    assert!(
        stdout.contains("needs a container of about") && stderr.contains("nothing that was tried"),
        "{stdout}{stderr}"
    );
}
