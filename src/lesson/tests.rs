//! Mistakes in the files of a lesson are found, all of them, at their places.

use super::{Files, Language, Lesson, LessonMistakes};

const SCENARIO: &str = r#"
title = "t"
question = "q?"
answer = "a."
vars = { m = "map[int]int" }
steps = [
  { make = { var = "m" } },
  { insert = { var = "m", keys = "0..1_000" } },
  { snapshot = "full" },
  { drop = "m" },
  "gc",
  { snapshot = "dropped" },
]
"#;

const PLAN: &str = r#"
checks = ["full > left"]

[runs]
only = { scenario = "small.toml" }

[metrics]
full = { at = "full", value = "mem_stats.HeapAlloc" }
left = { at = "dropped", value = "mem_stats.HeapAlloc" }
kept = { percent = ["left", "full"] }

[prediction]
right = "less"
choices = { same = "left == full", less = "left < full" }

[[sources]]
file = "runtime/map.go"
go = "1.23.9"
about = "mapdelete"
"#;

const WORDS: &str = r#"
title = "A title"
question = "A question?"
setup = "A program."
predict = "What remains?"
reveal = "{left} of {full}."
why = "The map is gone."
production = ["Drop it."]
try = "Look at HeapAlloc."
choices = { same = "As much", less = "Less" }
numbers = { full = "before", left = "after" }
"#;

fn parse(plan: &str, english: &str, chinese: &str) -> Result<Lesson, LessonMistakes> {
    let words = [("01-small.en.toml", english), ("01-small.zh.toml", chinese)];
    let files = Files { name: "lessons/01-small.toml", plan, words };
    Lesson::parse(&files, &|file| match file {
        "small.toml" => Ok(SCENARIO.to_owned()),
        "broken.toml" => Ok("steps = [\"gcc\"]".to_owned()),
        _ => Err(format!("{file} is not there")),
    })
}

/// The one mistake: its file, key, the text it stands on, and parts of what is said.
#[track_caller]
fn one(
    result: Result<Lesson, LessonMistakes>,
    file: &str,
    key: &str,
    value: &str,
    reason: &str,
    accepted: &str,
) {
    let mistakes = result.expect_err("there is a mistake");
    let list: Vec<_> = mistakes.files.iter().flat_map(|f| f.list.iter().map(move |m| (&f.name, m))).collect();
    let [(name, mistake)] = list.as_slice() else { panic!("{list:#?}") };
    assert!(name.ends_with(file), "{name}");
    assert_eq!((mistake.key.as_str(), mistake.value.as_str()), (key, value));
    assert!(mistake.reason.contains(reason), "{}", mistake.reason);
    assert!(mistake.accepted.as_deref().unwrap_or("").contains(accepted), "{:?}", mistake.accepted);
}

fn plan_with(from: &str, to: &str) -> Result<Lesson, LessonMistakes> {
    assert!(PLAN.contains(from), "{from}");
    parse(&PLAN.replacen(from, to, 1), WORDS, WORDS)
}

fn words_with(from: &str, to: &str) -> Result<Lesson, LessonMistakes> {
    assert!(WORDS.contains(from), "{from}");
    parse(PLAN, WORDS, &WORDS.replacen(from, to, 1))
}

#[test]
fn a_lesson_measures_what_its_run_says() {
    let lesson = parse(PLAN, WORDS, WORDS).unwrap();
    assert_eq!((lesson.number, lesson.name.as_str()), (1, "01-small"));
    let traces = [lesson.runs[0].simulate().unwrap()];
    let measured = lesson.measure(&traces).unwrap();
    let alloc = |row: usize| traces[0].snapshots[row].mem_stats.heap_alloc as f64;
    assert_eq!(measured.values, [alloc(0), alloc(1), 100.0 * alloc(1) / alloc(0)]);
    assert_eq!(lesson.disagreements(&measured), Vec::<String>::new());
    assert!(lesson.judge("b", &measured).unwrap().is_right);
    let told = lesson.told(Language::Chinese, &measured);
    assert_eq!(told.right, "Less");
    assert_eq!(told.reveal, format!("{} of {}.", told.numbers[1].text, told.numbers[0].text));
    assert_eq!(told.sources[0].url, "https://github.com/golang/go/blob/go1.23.9/src/runtime/map.go");
}

#[test]
fn a_run_that_says_otherwise_is_told() {
    let lesson = plan_with("right = \"less\"", "right = \"same\"").unwrap();
    let measured = lesson.measure(&[lesson.runs[0].simulate().unwrap()]).unwrap();
    assert_eq!(
        lesson.disagreements(&measured),
        [
            "\"same\" is marked as right, but this is false: left == full",
            "\"less\" is not marked as right, but this is true: left < full",
        ]
    );
    let lesson = plan_with("full > left", "full < left").unwrap();
    let measured = lesson.measure(&[lesson.runs[0].simulate().unwrap()]).unwrap();
    assert_eq!(lesson.disagreements(&measured), ["this is false: full < left"]);
}

#[test]
fn a_number_that_the_run_does_not_have_is_named() {
    let lesson = plan_with("at = \"full\"", "at = \"ful\"").unwrap();
    let traces = [lesson.runs[0].simulate().unwrap()];
    let error = lesson.measure(&traces).unwrap_err().to_string();
    assert_eq!(error, "there is no snapshot \"ful\" in run \"only\"; there are \"full\", \"dropped\"");
    let lesson = plan_with(
        "full = { at = \"full\", value = \"mem_stats.HeapAlloc\" }",
        "full = { value = \"oom_kill.rss_bytes\" }",
    );
    let error = lesson.unwrap().measure(&traces).unwrap_err().to_string();
    assert_eq!(error, "run \"only\" has no oom_kill.rss_bytes");
}

#[test]
fn mistakes_in_runs_and_metrics_are_at_their_places() {
    let plan = "01-small.toml";
    one(
        plan_with("small.toml", "tall.toml"),
        plan,
        "runs.only.scenario",
        "\"tall.toml\"",
        "is not there",
        "scenario file",
    );
    one(
        plan_with("\"small.toml\"", "\"small.toml\", gogcc = 50"),
        plan,
        "runs.only.gogcc",
        "gogcc",
        "unknown key",
        "gogc",
    );
    one(
        plan_with("\"small.toml\"", "\"small.toml\", go = \"1.20\""),
        plan,
        "runs.only.go",
        "\"1.20\"",
        "1.20",
        "1.23",
    );
    one(
        plan_with("mem_stats.HeapAlloc", "mem_stats.HeapAloc"),
        plan,
        "metrics.full.value",
        "\"mem_stats.HeapAloc\"",
        "no number",
        "mem_stats.HeapAlloc",
    );
    one(
        plan_with("\"full\"] }", "\"fool\"] }"),
        plan,
        "metrics.kept.percent[1]",
        "\"fool\"",
        "no metric \"fool\" stands above",
        "full",
    );
    one(plan_with("full > left", "full > lefd"), plan, "checks[0]", "lefd", "no metric \"lefd\"", "left");
    one(
        plan_with("right = \"less\"", "right = \"les\""),
        plan,
        "prediction.right",
        "\"les\"",
        "no choice \"les\"",
        "less",
    );
    one(plan_with("checks", "chekcs"), plan, "chekcs", "chekcs", "unknown key", "checks");
    one(plan_with("about = ", "abut = "), plan, "sources[0].abut", "abut", "unknown key", "about");
}

#[test]
fn a_number_is_asked_in_a_unit_of_what_it_counts() {
    let number = "number = \"left\"\nunit = \"KiB\"\ntolerance_percent = 20";
    let choice = "right = \"less\"\nchoices = { same = \"left == full\", less = \"left < full\" }";
    let plan = PLAN.replace(choice, number);
    let words = WORDS.replace("choices = { same = \"As much\", less = \"Less\" }", "");
    let lesson = parse(&plan, &words, &words).unwrap();
    assert_eq!(lesson.asked(Language::English).unit, Some("KiB"));
    let seconds = plan.replace("KiB", "ms");
    one(parse(&seconds, &words, &words), "01-small.toml", "prediction.unit", "\"ms\"", "not a choice", "KiB");
    let mistakes = parse(&plan, &words, WORDS).unwrap_err();
    assert!(mistakes.files[0].list[0].reason.contains("nothing to choose"), "{mistakes:?}");
}

#[test]
fn mistakes_in_words_are_at_their_places() {
    let zh = "01-small.zh.toml";
    one(
        words_with("{left} of {full}", "{lefd} of {full}, {left}"),
        zh,
        "reveal",
        "{lefd}",
        "no metric \"lefd\"",
        "left",
    );
    one(
        words_with("What remains?", "Is it {left}?"),
        zh,
        "predict",
        "{left}",
        "give the answer away",
        "before",
    );
    one(
        words_with("less = \"Less\"", "fewer = \"Less\", less = \"Less\""),
        zh,
        "choices.fewer",
        "fewer",
        "no choice \"fewer\"",
        "less",
    );
    one(
        words_with(", less = \"Less\"", ""),
        zh,
        "choices",
        "{ same = \"As much\" }",
        "\"less\" has no text",
        "less",
    );
    one(words_with("why = ", "wy = "), zh, "wy", "wy", "unknown key", "why");
    one(words_with("\"The map is gone.\"", "\" \""), zh, "why", "\" \"", "empty", "why");
    one(words_with("try = \"Look at HeapAlloc.\"\n", ""), zh, "", "", "\"try\" is missing", "Go program");
}

#[test]
fn languages_that_differ_in_structure_are_mistakes() {
    let zh = "01-small.zh.toml";
    one(
        words_with("full = \"before\", left = \"after\"", "full = \"before\""),
        zh,
        "numbers",
        "",
        "there",
        "same in every language",
    );
    one(
        words_with("[\"Drop it.\"]", "[\"Drop it.\", \"Or not.\"]"),
        zh,
        "production",
        "",
        "2 pieces of advice here, 1 there",
        "same",
    );
    one(words_with("The map is gone.", "Gone: {kept}."), zh, "why", "", "{\"kept\"}", "same");
}

#[test]
fn a_broken_scenario_and_a_file_without_number_are_told() {
    let mistakes = plan_with("small.toml", "broken.toml").unwrap_err();
    assert_eq!(mistakes.files[0].name, "broken.toml");
    let words = [("small.en.toml", WORDS), ("small.zh.toml", WORDS)];
    let files = Files { name: "small.toml", plan: PLAN, words };
    let result = Lesson::parse(&files, &|_| Ok(SCENARIO.to_owned()));
    one(result, "small.toml", "", "", "no place in the teaching order", "01-delete");
}
