//! Glass runs are runs: nothing reachable is lost, going back gives the same, and each program shows what it is there for.

use serde_json::{Value, json};

use crate::lab::{answer, glass};

fn step(name: &str, at: usize, settings: Value) -> Value {
    let request = json!({ "step": { "name": name, "at": at, "settings": settings } });
    let mut value: Value = serde_json::from_str(&answer(&request.to_string())).unwrap();
    assert!(value.get("step").is_some(), "{name}: {value}");
    value["step"].take()
}

fn kinds(step: &Value) -> Vec<&str> {
    step["events"].as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap()).collect()
}

#[test]
fn nothing_reachable_is_ever_dead_and_black_never_points_to_white_alone() {
    for (name, _) in glass::programs() {
        for go in ["1.23", "1.27"] {
            let count = kinds(&step(name, 0, json!({ "go": go }))).len();
            for at in 0..count {
                let step = step(name, at, json!({ "go": go }));
                for object in step["picture"]["objects"].as_array().unwrap() {
                    let lost = object["color"] == "dead" && object["reachable"] == true;
                    assert!(!lost, "{name} on {go}, event {at}: {object} is lost");
                }
            }
        }
    }
}

#[test]
fn going_back_gives_the_same_picture() {
    let first = step("2-write-barrier", 30, json!({}));
    step("2-write-barrier", 50, json!({}));
    assert_eq!(step("2-write-barrier", 30, json!({})), first);
}

#[test]
fn each_program_shows_what_it_is_there_for() {
    for (name, wanted) in [
        ("1-mark-and-sweep", &["root", "scan", "cycle-ends", "sweep"][..]),
        ("2-write-barrier", &["barrier", "cycle-begins"]),
        ("3-map-slots", &["map-grows", "delete", "drop"]),
        ("4-pacer", &["span", "cycle-begins", "sweep"]),
        ("5-pages", &["scavenge", "sweep"]),
    ] {
        for go in ["1.21", "1.23", "1.24", "1.25", "1.27"] {
            let step = step(name, usize::MAX, json!({ "go": go }));
            let kinds = kinds(&step);
            for kind in wanted {
                assert!(kinds.contains(kind), "{name} on {go} has no {kind}: {kinds:?}");
            }
            assert_eq!(kinds.last(), Some(&"end"));
        }
    }
}

#[test]
fn the_barrier_saves_what_the_program_moves() {
    let all = step("2-write-barrier", 0, json!({ "go": "1.23" }));
    let events = all["events"].as_array().unwrap();
    let saves =
        |event: &&Value| event["what"] == "barrier" && !event["greyed"].as_array().unwrap().is_empty();
    assert!(events.iter().any(|event| saves(&event)), "no barrier greys anything");
    let born_black = |event: &&Value| event["what"] == "alloc" && event["marking"] == true;
    assert!(events.iter().any(|event| born_black(&event)), "nothing is born black");
}

#[test]
fn the_pacer_begins_a_cycle_by_itself() {
    let all = step("4-pacer", 0, json!({}));
    let begins: Vec<&Value> =
        all["events"].as_array().unwrap().iter().filter(|event| event["what"] == "cycle-begins").collect();
    assert!(!begins.is_empty() && begins.iter().all(|event| event["cause"] == "heap"), "{begins:?}");
    assert!(begins[0]["live_bytes"].as_u64() >= begins[0]["trigger_bytes"].as_u64());
}

/// The answer for a scenario of these variables and steps.
fn step_text(vars: &str, steps: &str, at: usize, go: &str) -> Value {
    let text =
        format!("title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nvars = {{ {vars} }}\nsteps = [ {steps} ]");
    let request = json!({ "step": { "name": "x", "text": text, "at": at, "settings": { "go": go } } });
    serde_json::from_str(&answer(&request.to_string())).unwrap()
}

fn events(answer: &Value) -> &Vec<Value> {
    answer["step"]["events"].as_array().unwrap_or_else(|| panic!("{answer}"))
}

fn sentences(answer: &Value) -> Vec<&str> {
    events(answer).iter().map(|event| event["sentence"].as_str().unwrap()).collect()
}

#[track_caller]
fn assert_said(answer: &Value, words: &str) {
    assert!(
        sentences(answer).iter().any(|said| said.contains(words)),
        "{words:?} not in {:#?}",
        sentences(answer)
    );
}

#[test]
fn every_scenario_that_travels_with_gclab_can_be_watched() {
    for scenario in crate::lab::shipped::all() {
        for go in ["1.23", "1.27"] {
            for language in ["en", "zh"] {
                let request = json!({ "step": { "name": scenario.name, "at": 7, "settings": { "go": go }, "language": language } });
                let told: Value = serde_json::from_str(&answer(&request.to_string())).unwrap();
                let lacking = told["refused"]["message"].as_str().is_some_and(|why| why.contains("Go 1."));
                assert!(
                    lacking || kinds(&told["step"]).last() == Some(&"end"),
                    "{} on {go}: {told}",
                    scenario.name
                );
            }
        }
    }
}

#[test]
fn nothing_is_lost_in_scenarios_of_every_kind() {
    for name in [
        "sync-map-delete",
        "oversized-pool-buffers",
        "finalizer-two-cycles",
        "trading-gateway",
        "slice-pins-array",
    ] {
        for go in ["1.23", "1.27"] {
            let count = kinds(&step(name, 0, json!({ "go": go }))).len();
            for at in (0..count).step_by(count / 40 + 1) {
                let step = step(name, at, json!({ "go": go }));
                for object in step["picture"]["objects"].as_array().unwrap() {
                    let lost = object["color"] == "dead" && object["reachable"] == true;
                    assert!(!lost, "{name} on {go}, event {at}: {object} is lost");
                }
            }
        }
    }
}

#[test]
fn a_large_scenario_is_shown_small_and_says_so() {
    let told = step("delete-million", usize::MAX, json!({}));
    assert_eq!(told["factor"], 10_000);
    let said = told["events"][1]["sentence"].as_str().unwrap();
    assert!(said.contains("divided by 10000"), "{said}");
    let inserts = kinds(&told).iter().filter(|kind| **kind == "insert").count();
    assert_eq!(inserts, 100);
}

#[test]
fn a_sync_map_shows_what_a_delete_leaves() {
    let steps = "{ insert = { var = \"m\", keys = \"0..4\", value = \"zero\" } }, { range = \"m\" }, \
                 { delete = { var = \"m\", keys = \"0..4\" } }, \"gc\"";
    let left = |go| {
        let told = step_text("m = \"sync.Map\"", steps, usize::MAX, go);
        assert_said(&told, "m.Delete(3)");
        told["step"]["picture"]["objects"].as_array().unwrap().len()
    };
    // Two maps keep every entry; a trie keeps its root.
    assert!(left("1.23") > 4, "{}", left("1.23"));
    assert_eq!(left("1.27"), 1);
}

#[test]
fn a_pool_empties_itself_in_two_cycles() {
    let steps = "{ get = { pool = \"p\", count = 2, size = \"1KiB\" } }, { put = { pool = \"p\", count = 2 } }, \"gc\", \"gc\", \"gc\"";
    let told = step_text("p = \"sync.Pool\"", steps, usize::MAX, "1.27");
    assert_said(&told, "p.Get(): the pool has none, so New makes a buffer");
    assert_said(&told, "becomes their victim cache");
    assert_eq!(told["step"]["picture"]["objects"].as_array().unwrap().len(), 0, "{told}");
    let capped = "{ get = { pool = \"p\", count = 1, size = \"8KiB\" } }, { put = { pool = \"p\", count = 1, max_put = \"4KiB\" } }";
    assert_said(&step_text("p = \"sync.Pool\"", capped, 0, "1.23"), "it does not go back into p");
}

#[test]
fn a_finalizer_costs_a_second_cycle() {
    let steps = "{ finalize = { count = 1, size = \"64B\" } }, \"gc\", \"gc\"";
    let told = step_text("", steps, usize::MAX, "1.27");
    let kinds = kinds(&told["step"]);
    let place = |kind: &str| {
        kinds.iter().position(|other| *other == kind).unwrap_or_else(|| panic!("{kind}: {kinds:?}"))
    };
    assert!(place("special") < place("revived") && place("revived") < place("finalized"));
    assert_eq!(told["step"]["picture"]["objects"].as_array().unwrap().len(), 0);
}

#[test]
fn a_view_keeps_the_array_and_a_copy_does_not() {
    let steps = |copy: &str| {
        format!(
            "{{ alloc = {{ into = \"file\", count = 4096 }} }}, {{ slice = {{ from = \"file\", into = \"heads\", len = 64{copy} }} }}, \
                 {{ drop = \"file\" }}, \"gc\""
        )
    };
    let largest = |copy: &str| {
        let told = step_text("file = \"[]byte\", heads = \"[][]byte\"", &steps(copy), usize::MAX, "1.27");
        let objects = told["step"]["picture"]["objects"].as_array().unwrap().clone();
        objects.iter().map(|object| object["bytes"].as_u64().unwrap()).max()
    };
    assert_eq!((largest(""), largest(", copy = true")), (Some(4096), Some(64)));
}

#[test]
fn stacks_take_pages_that_hold_no_objects() {
    let told = |steps: &str| step_text("", steps, usize::MAX, "1.27");
    let stacks = |told: &Value| {
        let pages = told["step"]["picture"]["pages"].as_array().unwrap();
        pages.iter().filter(|page| page["stack"] == true).count()
    };
    // Four of 8 KiB share a span of 32 KiB.
    assert_eq!(stacks(&told("{ go = { count = 5, stack = \"8KiB\" } }")), 8);
    assert_eq!(stacks(&told("{ go = { count = 5, stack = \"8KiB\" } }, { exit = 5 }")), 0);
    let small = "{ go = { count = 5, stack = \"2KiB\" } }, { exit = 5 }";
    assert_eq!((stacks(&told(small)), stacks(&told(&format!("{small}, \"gc\"")))), (4, 0));
}

#[test]
fn what_cannot_be_shown_is_said() {
    let told = step_text(
        "m = \"map[int]int\"",
        "{ compute = \"1s\" }, { sleep = \"3m\" }, { set-gogc = 50 }, { set-memory-limit = \"64MiB\" }",
        0,
        "1.27",
    );
    assert_said(&told, "Time is not shown here");
    assert_said(&told, "because two minutes have passed without one");
    assert_said(&told, "GOGC is 50 now");
    assert_said(&told, "GOMEMLIMIT is 64 MiB now");
}

#[test]
fn every_shape_of_objects_is_reached_by_its_variable() {
    for (vars, steps) in [
        ("t = \"*N\"", "{ alloc = { into = \"t\", count = 7, type = \"N\", shape = \"tree\" } }"),
        (
            "g = \"[]*N\"",
            "{ alloc = { into = \"g\", count = 6, type = \"N\", shape = \"graph\", degree = 2 } }",
        ),
        ("l = \"*N\"", "{ alloc = { into = \"l\", count = 5, type = \"N\", shape = \"list\" } }"),
    ] {
        let text = format!(
            "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nvars = {{ {vars} }}\n\
                            steps = [ {steps}, \"gc\" ]\n[types]\nN = {{ size = \"64B\", pointers = 2 }}"
        );
        let request = json!({ "step": { "name": "x", "text": text, "at": 100_000 } });
        let told: Value = serde_json::from_str(&answer(&request.to_string())).unwrap();
        let objects =
            told["step"]["picture"]["objects"].as_array().unwrap_or_else(|| panic!("{steps}: {told}"));
        assert!(
            objects.len() >= 5 && objects.iter().all(|object| object["reachable"] == true),
            "{objects:?}"
        );
    }
}

#[test]
fn a_hostile_program_is_refused_at_once() {
    let steps = "\"gc\", ".repeat(2000);
    let refused = step_text("m = \"map[int]int\"", &steps, 0, "1.27");
    let why =
        refused["refused"]["message"].as_str().unwrap_or_else(|| panic!("{}", &refused.to_string()[..300]));
    assert!(why.contains("make the program shorter"), "{why}");
}
