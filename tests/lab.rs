//! The function behind the page: its numbers are those of the command line, its ledgers add up, and it cannot be worn out.

use std::path::Path;
use std::time::Instant;

use assert_cmd::Command;
use gclab::lab;
use serde_json::{Value, json};

fn ask(request: &Value) -> Value {
    serde_json::from_str(&lab::answer(&request.to_string())).expect("an answer is JSON")
}

#[track_caller]
fn run(request: Value) -> Value {
    let mut answer = ask(&json!({ "run": request }));
    assert!(answer.get("run").is_some(), "{answer}");
    answer["run"].take()
}

/// `gclab run` in the project's folder, without the environment variables that it reads.
fn gclab(args: &[&str], folder: &Path) -> (String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
        .args(args)
        .current_dir(folder)
        .env_remove("GOGC")
        .env_remove("GOMEMLIMIT")
        .env_remove("GOMAXPROCS")
        .env_remove("GODEBUG")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn numbers_are_those_of_the_command_line() {
    let out = tempfile::tempdir().unwrap();
    for (name, flags, settings) in [
        ("delete-million", vec![], json!({})),
        (
            "madv-free",
            vec!["--madvdontneed", "1", "--seed", "7"],
            json!({ "madvdontneed": true, "seed": "7" }),
        ),
        (
            "container-oom",
            vec!["--gogc", "150", "--memory-limit", "100MiB", "--go", "1.24", "--procs", "3"],
            json!({ "gogc": "150", "memory_limit": "100MiB", "go": "1.24", "procs": 3 }),
        ),
    ] {
        let path = format!("sims/{name}.toml");
        let mut args =
            vec!["run", path.as_str(), "--json", "--no-plot", "--out", out.path().to_str().unwrap()];
        args.extend(flags);
        let (stdout, stderr) = gclab(&args, Path::new(env!("CARGO_MANIFEST_DIR")));
        let printed: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
        let printed = &printed["runs"][0];
        let shown = run(json!({ "name": name, "settings": settings }));
        for key in ["config", "snapshots", "summary"] {
            assert_eq!(shown[key], printed[key], "{name} {key}");
        }
        assert_eq!(shown.get("oom_kill"), printed.get("oom_kill"), "{name}");
    }
}

#[test]
fn every_point_has_a_ledger_that_adds_up() {
    let shown = run(json!({ "name": "spike-and-idle", "points": 300 }));
    let series = &shown["series"];
    let rss = series["rss_bytes"].as_array().unwrap();
    assert!((100..=300).contains(&rss.len()), "{} points", rss.len());
    for (index, rss) in rss.iter().enumerate() {
        let parts = series["ledger"].as_object().unwrap().values();
        let sum: u64 = parts.map(|part| part[index].as_u64().unwrap()).sum();
        assert_eq!(sum, rss.as_u64().unwrap(), "point {index}");
    }
    assert_eq!(
        rss.iter().map(|rss| rss.as_u64()).max().unwrap(),
        shown["summary"]["peak_rss_bytes"].as_u64()
    );
}

#[test]
fn a_window_shows_the_same_run_closer() {
    let all = run(json!({ "name": "delete-million", "points": 100 }));
    let close =
        run(json!({ "name": "delete-million", "points": 100, "window_ns": [20_000_000, 30_000_000] }));
    assert_eq!(all["summary"], close["summary"]);
    let count = |run: &Value| {
        let times = run["series"]["t_ns"].as_array().unwrap().iter().map(|t| t.as_u64().unwrap());
        times.filter(|t| (20_000_000..=30_000_000).contains(t)).count()
    };
    assert!(count(&close) > 3 * count(&all), "{} and {}", count(&close), count(&all));
}

#[test]
fn mistakes_have_the_words_and_the_places_of_the_command_line() {
    let text = "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nvars = { m = \"map[int]int\" }\nsteps = [\n  \
                { make = { var = \"m\", hint = -5 } },\n  { insert = { var = \"n\", keys = \"0..1_000_000_000_000_000\" } },\n]\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wrong.toml"), text).unwrap();
    let (_, printed) = gclab(&["run", "wrong.toml", "--out", "out"], folder.path());
    let printed: String = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    let answer = ask(&json!({ "run": { "name": "wrong", "text": text } }));
    let list = answer["mistakes"]["list"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert!(list.len() >= 3, "{answer}");
    for mistake in list {
        let place = format!("wrong.toml:{}:{}", mistake["line"], mistake["column"]);
        assert!(printed.contains(&place), "{place} is not in: {printed}");
        for key in ["message", "accepted"] {
            let words = mistake[key].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
            // A long line is broken with a bar before its rest.
            assert!(printed.replace("│ ", "").contains(&words), "{words} is not in: {printed}");
        }
    }
    assert!(printed.contains(answer["mistakes"]["message"].as_str().unwrap()));
}

#[test]
fn every_scenario_that_travels_along_is_within_the_limits() {
    let shipped = ask(&json!("scenarios"));
    let shipped = shipped["scenarios"]["run"].as_array().unwrap();
    let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("sims")).unwrap().count();
    assert_eq!(shipped.len(), files);
    for scenario in shipped {
        run(json!({ "name": scenario["name"], "points": 10 }));
    }
}

/// A scenario with these variables and steps.
fn scenario(vars: &str, steps: &str) -> Value {
    let head = "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\n";
    json!({ "run": { "name": "hostile", "text": format!("{head}vars = {{ {vars} }}\nsteps = [ {steps} ]") } })
}

#[test]
fn a_hostile_request_is_refused_or_cut_off() {
    let map = "m = \"map[int]int\"";
    let pointers = "s = \"[]*T\" }\ntypes = { T = { size = \"8B\", pointers = 1 }";
    for (what, request) in [
        (
            "a quadrillion keys",
            scenario(
                map,
                "{ make = { var = \"m\" } }, { insert = { var = \"m\", keys = \"0..1_000_000_000_000_000\" } }",
            ),
        ),
        (
            "as many keys as there are",
            scenario(
                map,
                "{ make = { var = \"m\" } }, { insert = { var = \"m\", keys = \"0..4_000_000_000\" } }",
            ),
        ),
        ("room for all of them", scenario(map, "{ make = { var = \"m\", hint = 4_000_000_000 } }")),
        ("a negative size", scenario(map, "{ garbage = { count = 1, size = -1 } }")),
        (
            "a loop without end",
            scenario(map, "{ repeat = { times = 9_000_000, steps = [ { compute = \"1s\" } ] } }"),
        ),
        ("collections without end", scenario(map, "{ repeat = { times = 9_000_000, steps = [ \"gc\" ] } }")),
        ("a sleep of years", scenario(map, "\"gc\", { sleep = \"80000h\" }")),
        ("garbage without end", scenario(map, "{ garbage = { bytes = \"900GiB\", size = \"16B\" } }")),
        (
            "a terabyte in one piece",
            scenario(
                pointers,
                "{ alloc = { into = \"s\", count = 100_000_000_000, shape = \"slice\", backing = \"presized\" } }",
            ),
        ),
        (
            "more objects than fit",
            scenario(pointers, "{ alloc = { into = \"s\", count = 2_000_000_000, shape = \"slice\" } }"),
        ),
        ("a million deep stacks", scenario(map, "{ go = { count = 1_000_000, stack = \"1MiB\" } }")),
        ("a request that is none", json!({ "run": { "name": 5 } })),
        ("settings that do not exist", json!({ "run": { "name": "churn", "settings": { "gogc": "-1" } } })),
        ("another key", json!({ "run": { "name": "churn", "script": "x" } })),
        ("a file of this machine", json!({ "run": { "name": "../Cargo" } })),
        ("a long text", json!({ "run": { "text": "#".repeat(100_000) } })),
        ("a longer text", json!({ "run": { "text": "#".repeat(1_000_000) } })),
    ] {
        let start = Instant::now();
        let answer = ask(&request);
        let message = match (answer.get("mistakes"), answer.get("refused")) {
            (Some(mistakes), _) => mistakes["list"][0]["message"].as_str().unwrap(),
            (_, Some(refused)) => refused["message"].as_str().unwrap(),
            _ => panic!("{what} was carried out"),
        };
        assert!(message.len() > 15, "{what}: {message}");
        println!("{what}: {:.1} s: {message}", start.elapsed().as_secs_f64());
    }
}

#[test]
fn where_a_run_is_cut_off_does_not_depend_on_the_day() {
    let request = scenario(
        "m = \"map[int]int\"",
        "{ repeat = { times = 1_000_000, steps = [ { garbage = { count = 1_000, size = \"1KiB\" } } ] } }",
    );
    let first = lab::answer(&request.to_string());
    assert!(first.contains("cut off in"), "{first}");
    assert_eq!(lab::answer(&request.to_string()), first);
}
