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
    assert!(!begins.is_empty() && begins.iter().all(|event| event["forced"] == false), "{begins:?}");
    assert!(begins[0]["live_bytes"].as_u64() >= begins[0]["trigger_bytes"].as_u64());
}

#[test]
fn what_cannot_be_watched_is_refused() {
    for (text, words) in [
        ("vars = { m = \"sync.Map\" }\nsteps = [ \"gc\" ]", "only maps, slices and pointers"),
        ("vars = { m = \"map[int]int\" }\nsteps = [ { compute = \"1s\" } ]", "compute cannot be watched"),
        (
            "vars = { m = \"map[int]int\" }\nsteps = [ { garbage = { count = 100_000, size = \"8B\" } } ]",
            "too many to watch",
        ),
        (
            "vars = { m = \"map[int]int\" }\nsteps = [ { garbage = { count = 5_000, size = \"8B\" } } ]",
            "make the program smaller",
        ),
    ] {
        let text = format!("title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\n{text}");
        let refused = answer(&json!({ "step": { "name": "x", "text": text } }).to_string());
        assert!(refused.contains("refused") && refused.contains(words), "{refused}");
    }
}
