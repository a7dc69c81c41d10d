//! Every kind of mistake in a scenario file is found, at its place, with what would be accepted.

use gclab::scenario::{Mistakes, Scenario};
use proptest::prelude::*;

/// Types and variables that the steps below use.
const TABLES: &str = r#"
[types]
Session = { size = "64B", pointers = 2 }
Node    = { fields = { next = "*Node", id = "int" } }
Empty   = { size = "0B" }

[vars]
m      = "map[int]*Session"
ints   = "map[int]int"
texts  = "map[string][]byte"
small  = "map[uint8]int"
held   = "[]*Session"
blocks = "[][]byte"
flat   = "[]int"
head   = "*Node"
leaf   = "*[64]byte"
"#;

fn with_steps(steps: &str) -> String {
    format!("title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nsteps = [\n{steps}\n]\n{TABLES}")
}

fn with_tables(tables: &str) -> String {
    format!("title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nsteps = [\"gc\"]\n{tables}")
}

fn mistakes(text: &str) -> Mistakes {
    Scenario::parse("test.toml", text).expect_err("the file has a mistake")
}

/// The one mistake of `text`: under which key, on which piece of text, saying and accepting what (in part).
#[track_caller]
fn one(text: &str, key: &str, value: &str, reason: &str, accepted: &str) {
    let mistakes = mistakes(text);
    let [mistake] = mistakes.list.as_slice() else {
        panic!("{} mistakes: {:#?}", mistakes.list.len(), mistakes.list);
    };
    assert_eq!(mistake.key, key);
    assert_eq!(mistake.value, value);
    assert!(mistake.reason.contains(reason), "{}", mistake.reason);
    let said = mistake.accepted.as_deref().unwrap_or("");
    assert!(said.contains(accepted), "{said}");
}

#[track_caller]
fn step(steps: &str, key: &str, value: &str, reason: &str, accepted: &str) {
    one(&with_steps(steps), key, value, reason, accepted);
}

#[track_caller]
fn fine(steps: &str) {
    if let Err(mistakes) = Scenario::parse("test.toml", &with_steps(steps)) {
        panic!("{:#?}", mistakes.list);
    }
}

#[test]
fn text_that_is_no_toml_is_refused_at_its_place() {
    let list = mistakes("title = \"t\"\nquestion = = 1\n").list;
    // The second "=" is behind 12 bytes of the first line and 11 of the second.
    assert_eq!(list[0].span.start, 23);
    assert!(list[0].reason.starts_with("this is not TOML: "), "{}", list[0].reason);
}

#[test]
fn a_huge_file_is_refused_without_reading_it() {
    let text = "#".repeat(2 << 20);
    assert!(mistakes(&text).list[0].reason.contains("2097152 bytes long"));
}

#[test]
fn what_every_file_needs_is_missed() {
    let list = mistakes("").list;
    let reasons: Vec<&str> = list.iter().map(|mistake| mistake.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["\"title\" is missing", "\"question\" is missing", "\"answer\" is missing", "\"steps\" is missing"]
    );
    let empty = with_tables("").replace("[\"gc\"]", "[]");
    one(&empty, "steps", "[]", "there are no steps", "at least one");
    one(&with_tables("").replace("\"q\"", "\" \""), "question", "\" \"", "is empty", "question");
    one(&with_tables("").replace("\"q\"", "7"), "question", "7", "a whole number does not fit", "question");
}

#[test]
fn unknown_keys_are_mistakes_with_the_nearest_known_one() {
    one(&with_tables("[go]\ngogcc = 1"), "go.gogcc", "gogcc", "unknown key", "did you mean \"gogc\"?");
    one(&with_tables("[machin]\n"), "machin", "machin", "unknown key", "did you mean \"machine\"?");
    one(&with_tables("[machine]\ndisk = 1"), "machine.disk", "disk", "unknown key", "\"memory\", \"cores\"");
    step(
        "{ make = { var = \"m\", hnt = 1 } }",
        "steps[0].make.hnt",
        "hnt",
        "unknown key",
        "did you mean \"hint\"?",
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    one(&with_tables("[go]\ngogc = -1"), "go.gogc", "-1", "is negative", "0 to 1,000,000");
    one(&with_tables("[go]\ngogc = \"on\""), "go.gogc", "\"on\"", "not a GOGC", "\"off\"");
    one(&with_tables("[go]\nversion = \"1.20\""), "go.version", "\"1.20\"", "not a Go version", "\"1.23\"");
    one(&with_tables("[go]\nversion = 1.23"), "go.version", "1.23", "does not fit here", "in quotes");
    one(&with_tables("[go]\nmemory_limit = \"64MB\""), "go.memory_limit", "\"64MB\"", "not a size", "MiB");
    one(&with_tables("[go]\nprocs = 0"), "go.procs", "0", "out of range", "1 to 256");
    one(&with_tables("[go]\nseed = -5"), "go.seed", "-5", "is negative", "0 to");
    one(&with_tables("[go]\nmadvdontneed = 1"), "go.madvdontneed", "1", "does not fit", "MADV_FREE");
    one(
        &with_tables("[machine]\nmemory = \"1KiB\""),
        "machine.memory",
        "\"1KiB\"",
        "out of range",
        "1.00 MiB to",
    );
    one(&with_tables("[machine]\ncores = 1e3"), "machine.cores", "1e3", "does not fit here", "1 to 256");
    one(&with_tables("go = 7"), "go", "7", "does not fit here", "a table");
}

#[test]
fn wrong_types_are_refused_at_the_letter() {
    one(&with_tables("[vars]\nm = \"map[int\""), "vars.m", "", "\"]\" is missing", "a Go type");
    one(
        &with_tables("[vars]\nm = \"map[int]*Sesion\"\n[types]\nSession = { size = \"8B\" }"),
        "vars.m",
        "Sesion",
        "there is no type \"Sesion\"",
        "did you mean \"Session\"?",
    );
    one(
        &with_tables("[vars]\nm = \"map[int]*Session\""),
        "vars.m",
        "Session",
        "there is no type",
        "[types] Session =",
    );
    one(&with_tables("[vars]\nm = \"map[[]byte]int\""), "vars.m", "\"map[[]byte]int\"", "no ==", "string");
    one(
        &with_tables("[vars]\nn = \"int\""),
        "vars.n",
        "\"int\"",
        "keeps nothing on the heap",
        "a slice, a pointer, sync.Map or sync.Pool",
    );
    one(&with_tables("[vars]\nm = 7"), "vars.m", "7", "a whole number does not fit", "a Go type");
    one(
        &with_tables("[vars]\nm = \"[][4_000_000_000]byte\""),
        "vars.m",
        "\"[][4_000_000_000]byte\"",
        "more than 1.00 GiB",
        "",
    );
    one(&with_tables("[vars]\n2m = \"[]int\""), "vars.2m", "2m", "cannot be a name in Go", "letters");
    one(
        &with_tables("[vars]\nrange = \"[]int\""),
        "vars.range",
        "range",
        "cannot be a name in Go",
        "no keyword",
    );
}

#[test]
fn wrong_structs_are_refused() {
    let of = |text: &str| with_tables(&format!("[types]\n{text}"));
    one(
        &of("T = { size = \"8B\", pointers = 2 }"),
        "types.T.pointers",
        "2",
        "do not fit",
        "at least 16 bytes",
    );
    one(&of("T = { pointers = 2 }"), "types.T", "{ pointers = 2 }", "\"size\" is missing", "fields");
    one(&of("T = { size = \"-8B\" }"), "types.T.size", "\"-8B\"", "not a size", "");
    one(&of("T = { size = \"2GiB\" }"), "types.T.size", "\"2GiB\"", "out of range", "to 1.00 GiB");
    one(&of("int = { size = \"8B\" }"), "types.int", "int", "a type of Go itself", "another name");
    one(&of("T = { fields = { a = \"U\" } }"), "types.T.fields.a", "U", "there is no type \"U\"", "");
    one(
        &of("T = { fields = { a = \"T\" } }"),
        "types.T",
        "{ fields = { a = \"T\" } }",
        "contains itself",
        "*Node",
    );
    one(&of("T = { fields = 1 }"), "types.T.fields", "1", "does not fit", "next");
    one(&of("T = { fields = {}, size = \"8B\" }"), "types.T.size", "size", "unknown key", "\"fields\"");
    // Doubling 250 times: neither time nor memory may follow.
    let mut doubling = String::from("T0 = { fields = { a = \"struct{}\", b = \"struct{}\" } }\n");
    for n in 1..250 {
        doubling += &format!("T{n} = {{ fields = {{ a = \"T{0}\", b = \"T{0}\" }} }}\n", n - 1);
    }
    assert!(Scenario::parse("t.toml", &of(&doubling)).is_ok());
    let many: String = (0..300).map(|n| format!("T{n} = {{ size = \"8B\" }}\n")).collect();
    one(&of(&many), "types", "T256", "too many types", "up to 256");
}

#[test]
fn unknown_and_malformed_steps_are_refused() {
    step("\"gcc\"", "steps[0]", "\"gcc\"", "unknown step", "did you mean \"gc\"?");
    step("\"sleep\"", "steps[0]", "\"sleep\"", "needs to be told more", "{ sleep = \"6m\" }");
    step("{ gc = true }", "steps[0]", "{ gc = true }", "takes nothing", "the bare text: \"gc\"");
    step("{ snapshott = \"x\" }", "steps[0].snapshott", "snapshott", "unknown step", "\"snapshot\"");
    step("{ server = {} }", "steps[0].server", "server", "unknown step", "\"serve\"");
    step("{}", "steps[0]", "{}", "an empty step", "one step");
    step(
        "{ sleep = \"1s\", exit = 1 }",
        "steps[0]",
        "{ sleep = \"1s\", exit = 1 }",
        "2 steps in one",
        "braces",
    );
    step("7", "steps[0]", "7", "does not fit here", "\"gc\"");
    step("{ make = 7 }", "steps[0].make", "7", "does not fit here", "{ make = {");
    one(&with_tables("").replace("[\"gc\"]", "7"), "steps", "7", "does not fit here", "a list of steps");
}

#[test]
fn variables_must_exist_and_have_the_right_type() {
    step(
        "{ make = { var = \"mm\" } }",
        "steps[0].make.var",
        "\"mm\"",
        "no variable \"mm\"",
        "did you mean \"m\"?",
    );
    step("{ make = {} }", "steps[0].make", "{}", "\"var\" is missing", "[vars]");
    step(
        "{ make = { var = \"held\" } }",
        "steps[0].make.var",
        "\"held\"",
        "held is a []*Session, not a map",
        "\"ints\"",
    );
    step(
        "{ clear = \"head\" }",
        "steps[0].clear",
        "\"head\"",
        "head is a *Node, not a map",
        "there are: \"m\"",
    );
    step("{ release = \"m\" }", "steps[0].release", "\"m\"", "not a slice", "\"held\", \"blocks\", \"flat\"");
    step("{ drop = \"hold\" }", "steps[0].drop", "\"hold\"", "no variable", "did you mean \"held\"?");
    step("{ make = { var = 3 } }", "steps[0].make.var", "3", "does not fit here", "[vars]");
    one(
        &with_tables("").replace("\"gc\"", "{ drop = \"x\" }"),
        "steps[0].drop",
        "\"x\"",
        "no variable",
        "declare it: [vars] x",
    );
}

#[test]
fn keys_must_be_in_range() {
    let of = |keys: &str| format!("{{ lookup = {{ var = \"m\", keys = {keys} }} }}");
    let at = "steps[0].lookup.keys";
    step(&of("\"0..5_000_000_000\""), at, "\"0..5_000_000_000\"", "beyond the largest key", "4294967295");
    step(&of("\"0..1e15\""), at, "\"0..1e15\"", "not a range", "\"0..1_000_000\"");
    step(&of("\"0..99999999999999999999\""), at, "\"0..99999999999999999999\"", "beyond the largest", "");
    step(&of("\"5..5\""), at, "\"5..5\"", "holds no key", "");
    step(&of("\"-1..5\""), at, "\"-1..5\"", "not a range", "");
    step(&of("7"), at, "7", "does not fit here", "zipf");
    step(&of("{}"), at, "{}", "which keys?", "range");
    step(&of("{ rnage = \"0..5\" }"), &format!("{at}.rnage"), "rnage", "unknown key", "\"range\"");
    step(
        &of("{ random = { count = 5 } }"),
        &format!("{at}.random"),
        "{ count = 5 }",
        "\"below\" is missing",
        "",
    );
    step(
        &of("{ random = { count = -5, below = 9 } }"),
        &format!("{at}.random.count"),
        "-5",
        "is negative",
        "",
    );
    step(
        &of("{ zipf = { count = 5, below = 9, exponent = 0.0 } }"),
        &format!("{at}.zipf.exponent"),
        "0.0",
        "",
        "above 0",
    );
    step(&of("{ range = \"0..5\", shift = -1 }"), &format!("{at}.shift"), "-1", "is negative", "");
    step(
        &of("\"0..5\", order = \"down\""),
        "steps[0].lookup.order",
        "\"down\"",
        "not a choice",
        "\"random\"",
    );
    step(
        &of("{ random = { count = 5, below = 9 } }, order = \"random\""),
        "steps[0].lookup.order",
        "\"random\"",
        "only a range has an order",
        "",
    );
    step(
        &of("{ window = { range = \"0..5\", size = 2 } }"),
        "steps[0].lookup",
        "{ var = \"m\", keys = { window = { range = \"0..5\", size = 2 } ...",
        "only insert can have one",
        "",
    );
    step(
        "{ repeat = { times = 5_000, steps = [{ lookup = { var = \"m\", keys = { range = \"0..1_000_000\", shift = 1_000_000 } } }] } }",
        "steps[0].repeat.steps[0].lookup",
        "{ lookup = { var = \"m\", keys = { range = \"0..1_000_000\", shi...",
        "in the last of 5,000 turns",
        "a smaller shift",
    );
    step(
        "{ lookup = { var = \"small\", keys = \"0..257\" } }",
        "steps[0].lookup",
        "{ lookup = { var = \"small\", keys = \"0..257\" } }",
        "a key of type byte has no value 256",
        "keys below 256",
    );
}

#[test]
fn values_must_fit_their_map() {
    let of =
        |rest: &str| format!("{{ make = {{ var = \"m\" }} }}, {{ insert = {{ keys = \"0..9\", {rest} }} }}");
    let made = |map: &str, rest: &str| {
        of(&format!("var = \"{map}\", {rest}")).replacen("\"m\"", &format!("\"{map}\""), 1)
    };
    fine(&made("m", "value = \"zero\""));
    fine(&made("m", "written = \"none\""));
    fine(&made("texts", "size = \"1KiB\", key_size = \"16B\""));
    fine(&made("texts", "len = 8"));
    let at = "steps[1].insert";
    step(&made("m", "value = \"old\""), &format!("{at}.value"), "\"old\"", "not a choice", "\"new\"");
    step(
        &made("m", "written = \"some\""),
        &format!("{at}.written"),
        "\"some\"",
        "not a choice",
        "\"first-byte\"",
    );
    step(&made("ints", "value = \"new\""), &format!("{at}.value"), "\"new\"", "lies in the map", "\"zero\"");
    step(&made("ints", "written = \"all\""), &format!("{at}.written"), "\"all\"", "no object is made", "");
    step(
        &made("ints", "key_size = \"8B\""),
        &format!("{at}.key_size"),
        "\"8B\"",
        "have no text",
        "string keys",
    );
    step(&made("texts", "size = \"1KiB\", len = 3"), &format!("{at}.len"), "3", "twice", "one of them");
    step(
        &made("texts", "value = \"new\""),
        &format!("{at}.value"),
        "\"new\"",
        "how large",
        "size = \"1KiB\"",
    );
    step(&made("texts", "size = \"0B\""), &format!("{at}.size"), "\"0B\"", "out of range", "1 B to");
    step(
        &made("m", "size = \"8B\", value = \"new\""),
        &format!("{at}.value"),
        "\"new\"",
        "known from its type",
        "leave size out",
    );
    step(
        &made("m", "value = { shared = \"texts\" }"),
        &format!("{at}.value.shared"),
        "\"texts\"",
        "texts offers []byte",
        "of *Session",
    );
    step(
        &made("ints", "value = { shared = \"flat\" }"),
        &format!("{at}.value.shared"),
        "\"flat\"",
        "copied, not shared",
        "zero",
    );
    step(&made("m", "value = {}"), &format!("{at}.value"), "{}", "is missing", "shared")
}

#[test]
fn hints_and_counts_must_be_possible() {
    step(
        "{ make = { var = \"m\", hint = -1 } }",
        "steps[0].make.hint",
        "-1",
        "is negative",
        "0 to 4,294,967,295",
    );
    step(
        "{ make = { var = \"m\", hint = 1_000_000_000_000_000 } }",
        "steps[0].make.hint",
        "1_000_000_000_000_000",
        "out of range",
        "",
    );
    step("{ exit = 0 }", "steps[0].exit", "0", "out of range", "1 to");
    step("{ sleep = \"5 minutes\" }", "steps[0].sleep", "\"5 minutes\"", "not a duration", "250ms");
    step(
        "{ sleep = \"10000h\" }",
        "steps[0].sleep",
        "\"10000h\"",
        "longer than a scenario may last",
        "8760h",
    );
    step("{ set-gogc = \"of\" }", "steps[0].set-gogc", "\"of\"", "not a GOGC", "\"off\"");
    step("{ set-memory-limit = \"0B\" }", "steps[0].set-memory-limit", "\"0B\"", "out of range", "");
    step("{ go = { count = 5, stack = \"2GiB\" } }", "steps[0].go.stack", "\"2GiB\"", "out of range", "");
    step("{ go = { stack = \"2KiB\" } }", "steps[0].go", "{ stack = \"2KiB\" }", "\"count\" is missing", "");
    step("{ snapshot = \"\" }", "steps[0].snapshot", "\"\"", "is empty", "a label");
    step(
        "{ repeat = { times = 0, steps = [\"gc\"] } }",
        "steps[0].repeat.times",
        "0",
        "out of range",
        "1 to",
    );
}

#[test]
fn objects_must_fit_their_variable() {
    let of = |rest: &str| format!("{{ alloc = {{ {rest} }} }}");
    for rest in [
        "into = \"held\", count = 5",
        "into = \"held\", count = 5, backing = \"presized\"",
        "into = \"held\", count = 5, shape = \"graph\", degree = 2",
        "into = \"blocks\", count = 5, size = \"64KiB\"",
        "into = \"flat\", count = 5",
        "into = \"head\", count = 5",
        "into = \"head\", count = 5, type = \"Node\", shape = \"list\"",
        "into = \"leaf\", count = 1",
    ] {
        fine(&of(rest));
    }
    let wrong = |rest: &str, reason: &str, accepted: &str| {
        let list = mistakes(&with_steps(&of(rest))).list;
        assert_eq!(list.len(), 1, "{list:#?}");
        assert!(list[0].reason.contains(reason), "{}", list[0].reason);
        assert!(list[0].accepted.as_deref().unwrap_or("").contains(accepted), "{:?}", list[0].accepted);
    };
    wrong("into = \"m\", count = 5", "a map cannot keep", "insert fills maps");
    wrong("into = \"blocks\", count = 5", "how large", "64KiB");
    wrong("into = \"blocks\", count = 5, size = \"1KiB\", type = \"int\"", "both given", "one of them");
    wrong("into = \"held\", count = 5, type = \"Node\"", "a Node does not fit behind a *Session", "Session");
    wrong("into = \"held\", count = 5, shape = \"list\"", "cannot be the head", "a pointer");
    wrong("into = \"held\", count = 5, degree = 2", "only a graph", "graph");
    wrong("into = \"held\", count = 5, shape = \"graph\", degree = 3", "needs 3 pointers", "at least 3");
    wrong(
        "into = \"head\", count = 5, shape = \"tree\"",
        "a tree needs 2 pointers in each object, Node has 1",
        "",
    );
    wrong("into = \"leaf\", count = 5", "a list needs 1 pointers", "");
    wrong("into = \"head\", count = 5, shape = \"slice\"", "a pointer cannot keep", "[]*Node");
    wrong("into = \"head\", count = 5, backing = \"append\"", "only a slice", "");
    wrong("into = \"flat\", count = 5, size = \"8B\"", "lie in the slice itself", "alone");
    wrong("into = \"blocks\", count = 999_999_999, size = \"1GiB\"", "too many", "1.00 TiB");
    wrong("into = \"held\", count = 5, type = \"Sesion\"", "no type \"Sesion\"", "\"Session\"");
    wrong("into = \"held\", count = 1_000_000_000_000_000", "out of range", "1,000,000,000");
}

#[test]
fn garbage_and_finalizers_must_say_how_much_of_what() {
    for garbage in [
        "bytes = \"1MiB\", size = \"8B\"",
        "count = 5, type = \"Node\"",
        "count = 5, mix = [{ size = \"8B\", weight = 3 }, { type = \"Node\" }]",
    ] {
        fine(&format!("{{ garbage = {{ {garbage} }} }}"));
    }
    let wrong = |step: &str, reason: &str, accepted: &str| {
        let list = mistakes(&with_steps(step)).list;
        assert_eq!(list.len(), 1, "{list:#?}");
        assert!(list[0].reason.contains(reason), "{}", list[0].reason);
        assert!(list[0].accepted.as_deref().unwrap_or("").contains(accepted), "{:?}", list[0].accepted);
    };
    wrong("{ garbage = { size = \"8B\" } }", "how much garbage?", "bytes = \"4GiB\"");
    wrong("{ garbage = { bytes = \"1MiB\", count = 5, size = \"8B\" } }", "how much garbage?", "one of");
    wrong("{ garbage = { count = 5 } }", "garbage of what?", "mix");
    wrong("{ garbage = { count = 5, mix = [] } }", "1 to 256 parts", "weight");
    wrong("{ garbage = { count = 5, mix = [{ weight = 1 }] } }", "what is this part?", "size");
    wrong("{ garbage = { count = 5, mix = [{ size = \"8B\", weight = 0 }] } }", "out of range", "1 to");
    wrong("{ garbage = { count = 5, type = \"Empty\" } }", "has no size", "");
    wrong("{ finalize = { count = 5 } }", "objects of what size?", "1KiB");
    wrong(
        "{ finalize = { count = 5, size = \"8B\", kind = \"cleanup\" } }",
        "has no runtime.AddCleanup",
        "\"finalizer\"",
    );
    wrong("{ finalize = { count = 5, size = \"4B\", chain = 2 } }", "points to the next", "at least 8B");
    fine("{ finalize = { count = 5, size = \"8B\", chain = 2 } }");
}

#[test]
fn the_program_must_make_sense_as_a_whole() {
    let insert = "{ insert = { var = \"ints\", keys = \"0..9\" } }";
    step(
        insert,
        "steps[0].insert",
        insert,
        "assignment to entry in nil map",
        "{ make = { var = \"ints\" } }",
    );
    step(
        &format!("{{ make = {{ var = \"ints\" }} }}, {{ drop = \"ints\" }}, {insert}"),
        "steps[2].insert",
        insert,
        "ints is nil here",
        "",
    );
    // The first turn is fine, the second inserts into what the first dropped.
    step(
        &format!(
            "{{ make = {{ var = \"ints\" }} }}, {{ repeat = {{ times = 2, steps = [{insert}, {{ drop = \"ints\" }}] }} }}"
        ),
        "steps[1].repeat.steps[0].insert",
        insert,
        "ints is nil here",
        "",
    );
    fine(&format!(
        "{{ repeat = {{ times = 2, steps = [{{ make = {{ var = \"ints\" }} }}, {insert}, {{ drop = \"ints\" }}] }} }}"
    ));
    fine("{ delete = { var = \"ints\", keys = \"0..9\" } }, { clear = \"ints\" }");
    step("{ rebuild = \"ints\" }", "steps[0].rebuild", "{ rebuild = \"ints\" }", "nothing in it", "make");
    step(
        "{ release = \"held\" }",
        "steps[0].release",
        "{ release = \"held\" }",
        "nothing in it",
        "alloc or hold",
    );
    step(
        "{ snapshot = \"a\" }, { snapshot = \"a\" }",
        "steps[1].snapshot",
        "{ snapshot = \"a\" }",
        "already",
        "differ",
    );
    step("{ go = { count = 5 } }, { exit = 6 }", "steps[1].exit", "{ exit = 6 }", "only 5 wait", "");
    fine("{ repeat = { times = 100, steps = [{ go = { count = 10 } }] } }, { exit = 1_000 }");
}

#[test]
fn second_references_must_be_references() {
    let made = "{ make = { var = \"m\" } }, { make = { var = \"ints\" } }, ";
    fine(&format!(
        "{made} {{ hold = {{ from = \"m\", keys = \"0..9\", into = \"held\" }} }}, {{ release = {{ var = \"held\", count = 3 }} }}"
    ));
    step(
        &format!("{made} {{ hold = {{ from = \"m\", keys = \"0..9\", into = \"blocks\" }} }}"),
        "steps[2].hold.into",
        "\"blocks\"",
        "*Session values do not fit into a [][]byte",
        "[]*Session",
    );
    step(
        &format!("{made} {{ hold = {{ from = \"ints\", keys = \"0..9\", into = \"flat\" }} }}"),
        "steps[2].hold.into",
        "\"flat\"",
        "a copy keeps nothing alive",
        "",
    );
}

#[test]
fn tracks_must_not_share_a_map_that_is_written() {
    let parallel =
        "{ parallel = [[{ clear = \"ints\" }], [{ lookup = { var = \"ints\", keys = \"0..9\" } }]] }";
    let list = mistakes(&with_steps(parallel)).list;
    assert_eq!(list.len(), 1);
    assert!(
        list[0].reason.contains("ints is written in one track and used in another"),
        "{}",
        list[0].reason
    );
    fine(
        "{ parallel = [[{ lookup = { var = \"ints\", keys = \"0..9\" } }], [{ lookup = { var = \"ints\", keys = \"0..9\" } }]] }",
    );
    step("{ parallel = [] }", "steps[0].parallel", "[]", "0 tracks", "1 to 64");
    step(
        "{ parallel = [[{ parallel = [[\"gc\"]] }]] }",
        "steps[0].parallel[0][0].parallel",
        "{ parallel = [[\"gc\"]] }",
        "tracks cannot have tracks",
        "",
    );
}

#[test]
fn work_without_bounds_is_refused() {
    let wrong = |steps: &str, reason: &str| {
        let list = mistakes(&with_steps(steps)).list;
        assert!(list.iter().any(|mistake| mistake.reason.contains(reason)), "{list:#?}");
    };
    wrong("{ repeat = { times = 1_000_000_000, steps = [\"gc\"] } }", "1,000,000,001 steps");
    wrong("{ repeat = { times = 20_000, steps = [{ snapshot = \"s\" }] } }", "20,000 snapshots");
    wrong(
        "{ repeat = { times = 1_000, steps = [{ garbage = { count = 1_000_000_000, size = \"8B\" } }] } }",
        "operations",
    );
    wrong("{ repeat = { times = 1_000, steps = [{ sleep = \"8760h\" }] } }", "nanoseconds of virtual time");
    let mut nested = "\"gc\"".to_owned();
    for _ in 0..12 {
        nested = format!("{{ repeat = {{ times = 2, steps = [{nested}] }} }}");
    }
    wrong(&nested, "nested too deeply");
    wrong(&"\"gc\",\n".repeat(10_001), "too many steps");
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_text() {
    let text = "titel = \"x\"\nquestion = \"\"\nanswer = \"a\"\nsteps = [{ sleep = \"1\" }, \"gcc\", { drop = \"v\" }]\n[go]\ngogc = -1\n";
    let list = mistakes(text).list;
    let keys: Vec<&str> = list.iter().map(|mistake| mistake.key.as_str()).collect();
    assert_eq!(keys, ["titel", "question", "steps[0].sleep", "steps[1]", "steps[2].drop", "go.gogc"]);
}

#[test]
fn one_mistake_is_not_reported_as_many() {
    // The broken make is not followed by "nil map", the broken variable not by "no variable".
    let broken = "{ make = { var = \"m\", hint = -1 } }, { insert = { var = \"m\", keys = \"0..9\" } }";
    step(broken, "steps[0].make.hint", "-1", "is negative", "");
    let text = with_steps("{ make = { var = \"m\" } }").replace("map[int]*Session", "map[int]*Sesion");
    one(&text, "vars.m", "Sesion", "there is no type", "");
}

/// Text made of the pieces of scenario files, so that it gets past the first check.
fn scenario_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "title = \"t\"\n",
        "steps = [",
        "]",
        "{",
        "}",
        " = ",
        ", ",
        "\"gc\"",
        "\"0..10\"",
        "-1",
        "1e15",
        "7",
        "\"é\"",
        "\n",
        "[vars]\n",
        "[types]\n",
        "[go]\n",
        "m = \"map[int]*T\"\n",
        "T = { size = \"64B\", pointers = 9 }\n",
        "\"m\"",
        "{ insert = { var = \"m\", keys = \"0..10\" } }",
        "{ repeat = { times = 3, steps = [",
        "] } }",
        "var",
        "keys",
        "alloc",
        "garbage",
        "\"64MiB\"",
        "\"map[string][]byte\"",
        "fields",
        "parallel",
        "99999999999999999999",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = Scenario::parse("x.toml", &text);
    }

    #[test]
    fn no_near_scenario_makes_the_reader_panic(text in scenario_like()) {
        if let Err(mistakes) = Scenario::parse("x.toml", &text) {
            prop_assert!(!mistakes.list.is_empty());
            for mistake in &mistakes.list {
                prop_assert!(text.get(mistake.span.clone()).is_some(), "{mistake:?} is not in the text");
            }
        }
    }

    #[test]
    fn no_step_makes_the_reader_panic(steps in scenario_like()) {
        let _ = Scenario::parse("x.toml", &with_steps(&steps));
    }
}

#[test]
fn cleanups_need_a_go_that_has_them() {
    let finalize = |version: &str, kind: &str| {
        let step = format!("{{ finalize = {{ count = 1, size = \"16B\", kind = \"{kind}\" }} }}");
        format!(
            "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nsteps = [{step}]\n[go]\nversion = \"{version}\"\n"
        )
    };
    for (kind, function) in [("cleanup", "runtime.AddCleanup"), ("weak", "weak.Make")] {
        let mistakes = mistakes(&finalize("1.23", kind));
        assert_eq!(mistakes.list[0].value, format!("\"{kind}\""));
        assert!(mistakes.list[0].reason.contains(function), "{mistakes:?}");
        let scenario = Scenario::parse("test.toml", &finalize("1.24", kind)).unwrap();
        let lacking = scenario.lacking(gclab::version::GoVersion::Go1_23).unwrap();
        assert!(lacking.to_string().contains(function));
        assert_eq!(scenario.lacking(gclab::version::GoVersion::Go1_25), None);
    }
}

#[test]
fn parts_fit_where_they_go() {
    let part = |from: &str, into: &str| {
        let tables = format!("[vars]\nfile = \"{from}\"\ninto = \"{into}\"\n");
        format!(
            "title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\nsteps = [{{ alloc = {{ into = \"file\", count = 9 }} }}, \
             {{ slice = {{ from = \"file\", into = \"into\", len = 2 }} }}]\n{tables}"
        )
    };
    for into in ["[]byte", "[][]byte"] {
        Scenario::parse("test.toml", &part("[]byte", into)).unwrap();
    }
    let list = mistakes(&part("[]byte", "[]int")).list;
    assert!(
        list[0].reason.contains("does not fit") && list[0].accepted.as_deref().unwrap().contains("[][]byte")
    );
    let list = mistakes(&part("[]*int", "[]*int")).list;
    assert!(list[0].reason.contains("have pointers"), "{list:?}");
}

#[test]
fn a_load_has_requests_and_says_what_they_make() {
    let serve = |keys: &str| with_steps(&format!("{{ serve = {{ {keys} }} }}"));
    Scenario::parse("test.toml", &serve("duration = \"1s\", rate = 10")).unwrap();
    for (keys, reason) in [
        ("duration = \"1ms\", rate = 10", "0 requests"),
        ("duration = \"1s\", rate = 10, objects = 3", "what does a request make?"),
        ("duration = \"1s\"", "rate"),
        ("duration = \"1s\", rate = 10, arrival = \"bursts\"", "bursts"),
    ] {
        let list = mistakes(&serve(keys)).list;
        let told = list
            .iter()
            .any(|m| m.reason.contains(reason) || m.key.contains(reason) || m.value.contains(reason));
        assert!(told, "{keys}: {list:#?}");
    }
    let list = mistakes(&with_steps("{ parallel = [[{ serve = { duration = \"1s\", rate = 10 } }]] }")).list;
    assert!(list[0].reason.contains("workers"), "{list:?}");
}
