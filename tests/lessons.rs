//! Every lesson: its runs give what its words claim, in both languages, in a second or two.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gclab::lesson::{self, Language, Lesson, Prediction};
use gclab::trace::Trace;

/// A lesson waits no longer for its runs.
const LONGEST: Duration = Duration::from_secs(2);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons")
}

fn traces(lesson: &Lesson) -> Vec<Trace> {
    lesson
        .runs
        .iter()
        .map(|run| run.simulate().unwrap_or_else(|error| panic!("{}: {error}", lesson.name)))
        .collect()
}

#[test]
fn every_lesson_of_the_folder_is_in_the_binary_and_they_are_in_order() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    let expected: BTreeSet<String> = lesson::all()
        .iter()
        .flat_map(|lesson| ["toml", "en.toml", "zh.toml"].map(|ending| format!("{}.{ending}", lesson.name)))
        .collect();
    assert_eq!(files, expected);
    let numbers: Vec<u32> = lesson::all().iter().map(|lesson| lesson.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
    assert!(numbers.len() >= 12);
}

#[test]
fn every_scenario_of_the_lessons_is_used() {
    let used: BTreeSet<&str> =
        lesson::all().iter().flat_map(|lesson| lesson.runs.iter().map(|run| run.file.as_str())).collect();
    for entry in std::fs::read_dir(folder().join("sims")).unwrap() {
        let name = format!("sims/{}", entry.unwrap().file_name().into_string().unwrap());
        assert!(used.contains(name.as_str()), "{name} in no lesson");
    }
}

/// The marked answer is the one that the run gives, every claim holds, every placeholder has a number, in time.
#[test]
fn every_run_gives_what_its_lesson_says() {
    let mut wrong = Vec::new();
    for lesson in lesson::all() {
        let start = Instant::now();
        let traces = traces(lesson);
        let took = start.elapsed();
        if took > LONGEST {
            wrong.push(format!("{}: the runs took {took:?}", lesson.name));
        }
        let measured = match lesson.measure(&traces) {
            Ok(measured) => measured,
            Err(error) => {
                wrong.push(format!("{}: {error}", lesson.name));
                continue;
            }
        };
        let values: Vec<String> = lesson
            .metrics
            .iter()
            .zip(&measured.values)
            .map(|((name, metric), value)| format!("{name} = {}", metric.unit().written(*value)))
            .collect();
        println!("{} {took:.0?}: {}", lesson.name, values.join(", "));
        for disagreement in lesson.disagreements(&measured) {
            wrong.push(format!("{}: {disagreement} ({})", lesson.name, values.join(", ")));
        }
        for language in Language::ALL {
            let told = lesson.told(language, &measured);
            let texts =
                [&told.reveal, &told.why, &told.try_it, &told.right].into_iter().chain(&told.production);
            for text in texts {
                assert!(!text.is_empty(), "{}", lesson.name);
                assert!(!has_placeholder(text), "{}: {text}", lesson.name);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn has_placeholder(text: &str) -> bool {
    let inside = |part: &str| {
        part.split_once('}').is_some_and(|(name, _)| name.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    text.split('{').skip(1).any(inside)
}

/// A number that is typed in would stay when the model moves.
#[test]
fn reveals_have_no_typed_in_measurements() {
    for lesson in lesson::all() {
        for language in Language::ALL {
            let words = lesson.words(language);
            for unit in ["MiB", "KiB", "GiB", " ms", "µs"] {
                let typed = words
                    .reveal
                    .match_indices(unit)
                    .find(|(at, _)| words.reveal[..*at].trim_end().ends_with(|c: char| c.is_ascii_digit()));
                assert!(typed.is_none(), "{} {language:?}: {}", lesson.name, words.reveal);
            }
            assert!(words.reveal.contains('{'), "{} {language:?} shows no number", lesson.name);
        }
    }
}

#[test]
fn the_right_answer_is_judged_right_and_the_others_wrong() {
    let lesson =
        lesson::all().iter().find(|lesson| matches!(lesson.prediction, Prediction::Choice { .. })).unwrap();
    let measured = lesson.measure(&traces(lesson)).unwrap();
    let verdicts: Vec<bool> = lesson
        .asked(Language::English)
        .choices
        .iter()
        .map(|choice| lesson.judge(&choice.key, &measured).unwrap().is_right)
        .collect();
    assert_eq!(verdicts.iter().filter(|right| **right).count(), 1, "{verdicts:?}");
    assert!(lesson.judge("x", &measured).is_err());
}

/// What stands in the Chinese texts is Chinese: half-width marks between Chinese characters are slips.
#[test]
fn chinese_texts_are_set_as_chinese() {
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for lesson in lesson::all() {
        let words = lesson.words(Language::Chinese);
        let all = [
            &words.title,
            &words.question,
            &words.setup,
            &words.predict,
            &words.reveal,
            &words.why,
            &words.try_it,
        ];
        for text in all
            .into_iter()
            .chain(words.choices.values())
            .chain(&words.production)
            .chain(words.numbers.values())
        {
            let characters: Vec<char> = text.chars().collect();
            for window in characters.windows(2) {
                let slip = is_han(window[0]) && [',', ';', ':', '?', '!', '('].contains(&window[1]);
                assert!(!slip, "{}: {:?} in {text}", lesson.name, window);
            }
        }
        assert!(words.question.chars().any(is_han), "{}", lesson.name);
    }
}
