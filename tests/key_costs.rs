//! What programs pay for their keys in virtual time: draws, texts, hashing strings, and faults between inserts.

mod golden_rows;

use std::sync::Arc;

use gclab::cost::{CostModel, CostProfile, Draw, KeyText};
use gclab::heap::mutator::Operation;
use gclab::scenario::{Gogc, Overrides};
use gclab::version::GoVersion;

use golden_rows::simulate;

fn prices() -> Arc<CostModel> {
    Arc::clone(&CostProfile::of(GoVersion::Go1_23).model)
}

/// How long each step took in nanoseconds, with one P and no collection; a last step ends the one before.
fn step_ns(vars: &str, steps: &str) -> Vec<f64> {
    let text = format!(
        "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nsteps = [\n{steps}\n{{ sleep = \"1ms\" }},\n]\n[vars]\n{vars}\n"
    );
    let overrides = Overrides { gogc: Some(Gogc::Off), procs: Some(1), ..Overrides::default() };
    let begins: Vec<u64> = simulate("t.toml", &text, &overrides).steps.iter().map(|step| step.t_ns).collect();
    begins.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect()
}

/// The last step's time over `count` in a program that looks keys up in a map of 300,000.
fn lookup_ns(map: &str, key_size: &str, keys: &str, count: f64) -> f64 {
    let steps = format!(
        r#"{{ make = {{ var = "m", hint = 300_000 }} }},
        {{ insert = {{ var = "m", keys = "0..300_000"{key_size} }} }},
        {{ lookup = {{ var = "m", {keys} }} }},"#
    );
    step_ns(&format!("m = \"{map}\""), &steps)[2] / count
}

#[track_caller]
fn assert_near(measured: f64, expected: f64) {
    assert!((measured - expected).abs() < 0.001 * expected, "{measured} is not {expected}");
}

#[test]
fn shuffled_keys_cost_their_draws_more_than_ascending_ones() {
    let prices = prices();
    for (range, count) in [("0..262_144", 262_144), ("0..300_000", 300_000)] {
        let keys = |order: &str| format!("keys = \"{range}\", order = \"{order}\"");
        let [ascending, random] =
            ["ascending", "random"].map(|order| lookup_ns("map[int]int", "", &keys(order), f64::from(count)));
        assert_near(random - ascending, prices.draw_ns(Draw::Shuffled { count: count as u64 }));
    }
    let [whole, walked] = [262_144, 262_145].map(|count| prices.draw_ns(Draw::Shuffled { count }));
    assert_eq!(whole, prices.keys.permute_ns);
    assert_near(walked - whole, 3.0 * prices.keys.permute_retry_ns);
}

#[test]
fn random_and_zipf_keys_cost_their_draws() {
    let prices = prices();
    let ascending = lookup_ns("map[int]int", "", "keys = \"0..200_000\"", 200_000.0);
    for (keys, draw) in [
        ("random = { count = 200_000, below = 300_000 }", Draw::Uniform),
        ("zipf = { count = 200_000, below = 300_000, exponent = 1.0 }", Draw::Zipf { exponent: 1.0 }),
        ("zipf = { count = 200_000, below = 300_000, exponent = 1.2 }", Draw::Zipf { exponent: 1.2 }),
    ] {
        let drawn = lookup_ns("map[int]int", "", &format!("keys = {{ {keys} }}"), 200_000.0);
        assert_near(drawn - ascending, prices.draw_ns(draw));
    }
}

#[test]
fn texts_of_keys_cost_writing_and_the_misses_of_comparing() {
    let prices = prices();
    let keys = "keys = \"0..200_000\"";
    let constant = lookup_ns("map[string]int", "", keys, 200_000.0);
    for (key_size, bytes, slot_bytes) in [("24B", 24, 24), ("40B", 40, 48)] {
        let text = format!(", key_size = \"{key_size}\"");
        let made = lookup_ns("map[string]int", &text, keys, 200_000.0);
        let hit = |texts_bytes| prices.string_key_ns(Operation::MapLookupHit, texts_bytes);
        let expected = prices.text_ns(KeyText::Known(bytes)) - prices.text_ns(KeyText::Constant)
            + hit(300_000 * slot_bytes)
            - hit(0);
        assert_near(made - constant, expected);
    }
}

#[test]
fn evicting_from_a_window_writes_a_text_too() {
    let prices = prices();
    let insert_ns = |size: &str| {
        let steps = format!(
            r#"{{ make = {{ var = "m", hint = 300_000 }} }},
            {{ insert = {{ var = "m", keys = {{ window = {{ {size} }} }}, key_size = "24B" }} }},"#
        );
        step_ns("m = \"map[string]int\"", &steps)[1]
    };
    // The second evicts half of its keys.
    let [none, half] =
        ["range = \"0..20_000\", size = 20_000", "range = \"0..20_000\", size = 10_000"].map(insert_ns);
    let least = 10_000.0 * prices.text_ns(KeyText::Known(24));
    assert!(half - none > least, "{half} {none}");
}

#[test]
fn objects_of_a_mix_are_drawn() {
    let garbage_ns = |what: &str| step_ns("", &format!("{{ garbage = {{ count = 100_000, {what} }} }},"))[0];
    let one = garbage_ns("size = \"64B\"");
    let two = garbage_ns("mix = [{ size = \"64B\", weight = 1 }, { size = \"64B\", weight = 1 }]");
    assert_near(two - one, 100_000.0 * prices().draw_ns(Draw::Uniform));
}

#[test]
fn graph_links_are_drawn() {
    let graph_ns = |degree: u32| {
        let steps =
            format!(r#"{{ alloc = {{ into = "g", count = 50_000, shape = "graph", degree = {degree} }} }},"#);
        let types = "g = \"[]*Node\"\n[types]\nNode = { size = \"48B\", pointers = 4 }";
        step_ns(types, &steps)[0]
    };
    assert_near(graph_ns(4) - graph_ns(2), 100_000.0 * prices().draw_ns(Draw::Uniform));
}

#[test]
fn faults_of_fresh_buckets_cost_more_than_those_of_a_loop() {
    let prices = prices();
    let steps = r#"{ make = { var = "m", hint = 400_000 } },
        { insert = { var = "m", keys = "0..400_000" } },
        { clear = "m" },
        { insert = { var = "m", keys = "0..400_000" } },"#;
    let times = step_ns("m = \"map[int]int\"", steps);
    // 65,536 buckets of 144 bytes; a few overflow buckets come to them.
    let pages = 65_536.0 * 144.0 / 4096.0;
    let page_ns = (times[1] - times[3]) / pages;
    assert!((page_ns / prices.kernel.fault_scattered_page_ns - 1.0).abs() < 0.1, "{page_ns}");
    assert_eq!(prices.scattered_fault_ns(0), 0.0);
    assert_eq!(
        prices.scattered_fault_ns(3),
        prices.kernel.fault_scattered_page_ns + 2.0 * prices.kernel.fault_page_ns
    );
}
