//! Scenarios as Go programs: what they look like, and, where Go is at hand, that Go agrees they are programs.
//!
//! The tests that need Go are run by hand or by `.ci/run`:
//! `GCLAB_GO=/path/to/bin/go cargo test --test go_program -- --ignored`. Any Go from 1.21 on will do.

use std::path::{Path, PathBuf};
use std::process::Command;

use gclab::go_program::go_program;
use gclab::scenario::{self, Keys, Order, Overrides, Scenario};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Scenario {
    let text = std::fs::read_to_string(path).unwrap();
    Scenario::parse(&path.to_string_lossy(), &text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn program(scenario: &Scenario) -> String {
    go_program(scenario, &scenario.settings()).unwrap()
}

/// Every shipped scenario, and one with every step.
fn scenarios() -> Vec<Scenario> {
    let folder = std::fs::read_dir(root().join("sims")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = folder.collect();
    paths.sort();
    paths.push(every_step());
    paths.iter().map(|path| read(path)).collect()
}

fn every_step() -> PathBuf {
    root().join("tests/go_program/every-step.toml")
}

/// The program's own part: from its head to the end of `main`.
fn own_part(program: &str) -> &str {
    let main = program.find("func main() {").expect("there is a main");
    let end = program[main..].find("\n}\n").expect("main ends");
    &program[..main + end + 3]
}

/// A scenario with these tables and steps, and what its steps become.
#[track_caller]
fn body(tables: &str, steps: &str) -> String {
    let text = format!("title = \"T\"\nquestion = \"Q?\"\nanswer = \"A.\"\nsteps = [{steps}]\n{tables}");
    let scenario = Scenario::parse("t.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let program = program(&scenario);
    let own = own_part(&program);
    let begin = "\tbegin()\n";
    let start = own.find(begin).unwrap() + begin.len();
    own[start..own.len() - "\n\tend()\n}\n".len()].to_owned()
}

#[test]
fn a_scenario_reads_as_a_go_program() {
    let scenario = read(&root().join("sims/churn.toml"));
    insta::assert_snapshot!(own_part(&program(&scenario)));
}

#[test]
fn every_step_has_its_loop() {
    let scenario = read(&every_step());
    insta::assert_snapshot!(own_part(&program(&scenario)));
}

#[test]
fn settings_are_in_the_command_line_not_in_the_program() {
    let scenario = read(&root().join("sims/memory-limit.toml"));
    let overrides = Overrides { madvdontneed: Some(false), seed: Some(9), ..Overrides::default() };
    let text = go_program(&scenario, &scenario.settings().overridden(&overrides)).unwrap();
    let command =
        "//\tGOGC=off GOMEMLIMIT=100MiB GOMAXPROCS=2 GODEBUG=madvdontneed=0 go run memory-limit.go\n";
    assert!(text.contains(command), "{text}");
    assert!(text.contains("const seed = 9\n"));
    assert!(!own_part(&text).contains("SetGCPercent") && !own_part(&text).contains("SetMemoryLimit"));
}

#[test]
fn names_that_go_or_the_program_uses_get_another_spelling() {
    let steps = "{ make = { var = \"len\" } }, { insert = { var = \"len\", keys = \"0..2\" } }, { drop = \"snapshot\" }";
    let vars = "[vars]\nlen = \"map[int]*row\"\nsnapshot = \"[]*row\"\n[types]\nrow = { size = \"8B\" }";
    let text = body(vars, steps);
    assert!(text.contains("lenVar = make(map[int]*rowType)"), "{text}");
    assert!(text.contains("lenVar[k] = newRowType()"), "{text}");
    assert!(text.contains("snapshotVar = nil"), "{text}");
}

#[test]
fn a_repeated_range_moves_with_the_turn() {
    let steps = "{ make = { var = \"m\" } }, { repeat = { times = 3, steps = [ { repeat = { times = 2, steps = [
        { insert = { var = \"m\", keys = { range = \"5..10\", shift = 10 } } }, { snapshot = \"in\" } ] } } ] } }";
    let text = body("[vars]\nm = \"map[int]int\"", steps);
    assert!(text.contains("for turn2 := turn * 2; turn2 < (turn+1)*2; turn2++ {"), "{text}");
    assert!(text.contains("k := 5 + turn2*10 + i"), "{text}");
    assert!(text.contains("look(\"in\", turn2+1)"), "{text}");
}

#[test]
fn what_go_cannot_say_is_refused_with_a_reason() {
    let refused = |text: &str| {
        let head = "title = \"T\"\nquestion = \"Q?\"\nanswer = \"A.\"\n";
        let scenario = Scenario::parse("t.toml", &format!("{head}{text}")).unwrap();
        go_program(&scenario, &scenario.settings()).unwrap_err().reason
    };
    let keys = "steps = [{ make = { var = \"m\" } }, { insert = { var = \"m\", keys = \"0..2\" } }]
        vars = { m = \"map[*int]int\" }";
    assert!(refused(keys).contains("keys of type *int"), "{}", refused(keys));
    let links = "steps = [{ alloc = { into = \"p\", count = 2 } }]
        vars = { p = \"*Named\" }\n[types]\nNamed = { fields = { name = \"string\" } }";
    assert!(refused(links).contains("need 1 fields of type *Named"), "{}", refused(links));
}

#[test]
fn braces_and_quotes_are_in_balance() {
    for scenario in scenarios() {
        let text = program(&scenario);
        let mut depth = 0i64;
        for (number, line) in text.lines().enumerate() {
            let at = || format!("{}: line {}: {line}", scenario.name, number + 1);
            assert_eq!(line.trim_end(), line, "{}", at());
            if line.trim_start().starts_with("//") {
                continue;
            }
            let quotes = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
            assert_eq!(quotes % 2, 0, "{}", at());
            let code: String = line.split('"').step_by(2).collect();
            let indent = line.len() - line.trim_start_matches('\t').len();
            depth += code.matches(['{', '(']).count() as i64 - code.matches(['}', ')']).count() as i64;
            assert!(depth >= 0 && indent as i64 <= depth + 2, "{}", at());
        }
        assert_eq!(depth, 0, "{}", scenario.name);
    }
}

#[test]
fn every_snapshot_and_step_has_room() {
    for scenario in scenarios() {
        let text = program(&scenario);
        let rows = scenario::run(&scenario, &scenario.settings()).unwrap();
        if rows.oom_kill.is_none() {
            assert!(
                text.contains(&format!("\tsnapshotCount = {}\n", rows.snapshots.len())),
                "{}",
                scenario.name
            );
        }
        assert!(text.contains(&format!("\tstepCount     = {}\n", scenario.steps.len())), "{}", scenario.name);
        for name in ["{{", "}}"] {
            let part = text.lines().find(|line| line.contains(name) && !line.contains("struct{}{}"));
            assert!(part.is_none_or(
                |line| !line.contains(&format!("{name}c")) && !line.contains(&format!("{name}l"))
            ));
        }
    }
}

// ---- with Go ----

/// The `go` command that `GCLAB_GO` names, or its neighbour `gofmt`.
fn tool(name: &str) -> Command {
    let go = std::env::var_os("GCLAB_GO").map(PathBuf::from).expect("GCLAB_GO names a go command");
    let mut command = Command::new(go.with_file_name(name));
    command.env("GOTOOLCHAIN", "local").env("GO111MODULE", "off").env("GOFLAGS", "");
    command
}

/// Writes the programs into a folder and returns their paths.
fn written(folder: &Path) -> Vec<PathBuf> {
    let write = |scenario: &Scenario| {
        let path = folder.join(format!("{}.go", scenario.name));
        std::fs::write(&path, program(scenario)).unwrap();
        path
    };
    scenarios().iter().map(write).collect()
}

/// Runs a command that must succeed, and returns what it printed.
#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}:\n{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
#[ignore = "needs real Go: GCLAB_GO=/path/to/bin/go"]
fn gofmt_and_vet_have_nothing_to_say() {
    let folder = tempfile::tempdir().unwrap();
    for path in written(folder.path()) {
        assert_eq!(succeed(tool("gofmt").arg("-d").arg(&path)), "", "{}", path.display());
        succeed(tool("go").arg("vet").arg(&path));
    }
}

#[test]
#[ignore = "needs real Go: GCLAB_GO=/path/to/bin/go"]
fn the_program_of_every_step_does_what_the_simulation_does() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = read(&every_step());
    let (source, binary) = (folder.path().join("every-step.go"), folder.path().join("every-step"));
    std::fs::write(&source, program(&scenario)).unwrap();
    succeed(tool("go").args(["build", "-o"]).arg(&binary).arg(&source));
    let (json, csv) = (folder.path().join("rows.json"), folder.path().join("samples.csv"));
    let mut command = Command::new(&binary);
    command.env("GOGC", "75").env("GOMAXPROCS", "2").env_remove("GOMEMLIMIT").env_remove("GODEBUG");
    let table = succeed(command.args(["-every", "1ms"]).arg("-json").arg(&json).arg("-csv").arg(&csv));

    let real: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let real = &real["runs"][0];
    let trace = scenario::run(&scenario, &scenario.settings()).unwrap();
    let rows = real["snapshots"].as_array().unwrap();
    let sorted = |mut labels: Vec<String>| {
        labels.sort();
        labels
    };
    // Tracks run side by side: their rows come in any order.
    assert_eq!(
        sorted(rows.iter().map(|row| row["label"].as_str().unwrap().to_owned()).collect()),
        sorted(trace.snapshots.iter().map(|row| row.label.clone()).collect())
    );
    let steps: Vec<&str> =
        real["steps"].as_array().unwrap().iter().map(|step| step["label"].as_str().unwrap()).collect();
    assert_eq!(steps, trace.steps.iter().map(|step| step.label.as_str()).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| table.contains(row["label"].as_str().unwrap())), "{table}");
    let samples = std::fs::read_to_string(csv).unwrap();
    assert!(
        samples.starts_with("gogc,memory_limit_bytes,t_ns,heap_alloc_bytes,") && samples.lines().count() > 3
    );

    // As many objects are made, to within those of the runtime itself and of the channels that goroutines wait at.
    let mallocs = |row: &serde_json::Value| row["mem_stats"]["Mallocs"].as_u64().unwrap();
    for (row, simulated) in rows.iter().zip(&trace.snapshots) {
        let simulated = simulated.mem_stats.mallocs;
        assert!(
            mallocs(row).abs_diff(simulated) < 1_000,
            "{}: {} and {simulated}",
            row["label"],
            mallocs(row)
        );
    }
    assert!(real["summary"]["peak_rss_bytes"].as_u64().unwrap() > 1 << 20);
}

#[test]
#[ignore = "needs real Go: GCLAB_GO=/path/to/bin/go"]
fn the_compiler_moves_to_the_heap_what_the_simulation_allocates() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = read(&root().join("sims/returned-pointer.toml"));
    let source = folder.path().join("returned-pointer.go");
    let text = program(&scenario);
    std::fs::write(&source, &text).unwrap();
    let mut build = tool("go");
    build.args(["build", "-gcflags=-m", "-o"]).arg(folder.path().join("returned-pointer")).arg(&source);
    let output = build.output().expect("go starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let escapes = |function: &str| {
        let start = text.lines().position(|line| line.starts_with(&format!("func {function}("))).unwrap();
        let length = text.lines().skip(start).position(|line| line == "}").unwrap();
        let in_it = |line: &&str| {
            let number = line.split(':').nth(1).and_then(|number| number.parse::<usize>().ok());
            number.is_some_and(|number| (start + 1..=start + length).contains(&number))
        };
        said.lines()
            .filter(|line| line.contains("moved to heap") || line.ends_with("escapes to heap"))
            .any(|line| in_it(&line))
    };
    for (function, is_on_the_heap) in [
        ("valueOf16Byte", false),
        ("pointerTo16Byte", true),
        ("valueOfOrder", false),
        ("pointerToOrder", true),
        ("valueOf200Byte", false),
        ("pointerTo200Byte", true),
        ("valueOfNew1024Byte", false),
        ("pointerToNew1024Byte", true),
    ] {
        assert_eq!(escapes(function), is_on_the_heap, "{function}: {said}");
    }
}

#[test]
#[ignore = "needs real Go: GCLAB_GO=/path/to/bin/go"]
fn go_draws_the_same_keys() {
    const MAIN: &str = "package main\n\nimport (\n\t\"fmt\"\n\t\"math\"\n\t\"math/bits\"\n)\n\nfunc main() {
        order := newPermutation(1_000_000, 7, 3, 2)
        numbers := newStream(7, 3, 2)
        few := newZipf(1_000_000, 1.0, newStream(7, 3, 2))
        many := newZipf(4_000_000_000, 1.3, newStream(7, 3, 2))
        for i := 0; i < 10_000; i++ {
            fmt.Println(order.at(i), numbers.below(1_000_000), few.draw(), many.draw())
        }
    }\n";
    let helper = |name: &str| {
        std::fs::read_to_string(root().join(format!("src/go_program/helpers/{name}.go.txt"))).unwrap()
    };
    let helpers = ["permutation", "zipf", "stream", "mix"].map(helper).concat();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.go");
    std::fs::write(&path, format!("{MAIN}{helpers}")).unwrap();
    let text = succeed(tool("go").arg("run").arg(&path));

    let (count, below, seed) = (10_000, 1_000_000, 3);
    let kinds = [
        Keys::Range { first: 0, end: below, shift: 0, order: Order::Random { seed } },
        Keys::Random { count, below, seed },
        Keys::Zipf { count, below, exponent: 1.0, seed },
        Keys::Zipf { count, below: 4_000_000_000, exponent: 1.3, seed },
    ];
    let mut columns = kinds.map(|keys| keys.iter(7, 2));
    for line in text.lines() {
        let keys = columns.each_mut().map(|keys| keys.next().unwrap().to_string());
        assert_eq!(line, keys.join(" "));
    }
    assert_eq!(text.lines().count(), 10_000);
}

#[test]
#[ignore = "needs real Go: GCLAB_GO=/path/to/bin/go"]
fn every_program_builds() {
    let folder = tempfile::tempdir().unwrap();
    for path in written(folder.path()) {
        succeed(tool("go").args(["build", "-o"]).arg(path.with_extension("")).arg(&path));
    }
}
