//! `gclab lesson`: the list, a lesson in each language, answers, files of one's own, and mistakes.

use std::path::Path;

use assert_cmd::Command;

/// Exit code, stdout, stderr of `gclab lesson` in the project's folder; stdin is no terminal.
fn lesson(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
        .arg("lesson")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A lesson that goes well: its text.
#[track_caller]
fn taught(args: &[&str], out: &Path) -> String {
    let args: Vec<&str> = args.iter().copied().chain(["--out", out.to_str().unwrap()]).collect();
    let (code, stdout, stderr) = lesson(&args);
    assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
    stdout
}

/// Columns that a terminal gives to `line`.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
}

#[test]
fn without_a_number_the_lessons_are_listed_in_both_languages() {
    let (code, stdout, stderr) = lesson(&[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains(" 1  I deleted every key\n      Every key of the map is deleted."), "{stdout}");
    assert!(stdout.matches('?').count() >= 12, "{stdout}");
    let (code, stdout, _) = lesson(&["--lang", "zh"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("所有 key 都删了"), "{stdout}");
}

#[test]
fn a_right_answer_is_told_so_and_the_files_are_written() {
    let out = tempfile::tempdir().unwrap();
    let text = taught(&["2", "--answer", "b"], out.path());
    for part in [
        "Lesson 2: m = nil",
        "Question",
        "Your prediction",
        "\n  b  HeapAlloc falls, RSS stays\n",
        "Right: HeapAlloc falls, RSS stays.",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    // Numbers of the run, not of the file.
    assert!(text.contains("HeapAlloc falls from 38."), "{text}");
    assert!(!text.contains('{') || !text.contains('}'), "a placeholder is left: {text}");
    for (name, head) in
        [("02-set-the-map-to-nil.png", &b"\x89PNG\r\n\x1a\n"[..]), ("02-set-the-map-to-nil.go", b"// ")]
    {
        assert!(std::fs::read(out.path().join(name)).unwrap().starts_with(head), "{name}");
        assert!(text.contains(name), "{name}");
    }
    assert!(text.contains("GOGC=100 GOMAXPROCS=2 go run "), "{text}");
    assert!(text.contains("runtime/mgcscavenge.go (Go 1.23.9)"), "{text}");
}

#[test]
fn a_wrong_answer_is_corrected_and_no_answer_is_fine() {
    let out = tempfile::tempdir().unwrap();
    let text = taught(&["2", "--answer", "c"], out.path());
    assert!(text.contains("Not quite. In this run: HeapAlloc falls, RSS stays."), "{text}");
    let text = taught(&["2"], out.path());
    assert!(text.contains("\n  In this run: HeapAlloc falls, RSS stays."), "{text}");
}

#[test]
fn a_number_is_judged_within_its_tolerance() {
    let out = tempfile::tempdir().unwrap();
    assert!(taught(&["4", "--answer", "40 MiB"], out.path()).contains("Right: 38."));
    assert!(taught(&["4", "--answer", "1"], out.path()).contains("Not quite. In this run: 38."));
}

#[test]
fn chinese_is_chinese_throughout_and_every_line_fits() {
    let out = tempfile::tempdir().unwrap();
    let text = taught(&["1", "--lang", "zh", "--answer", "d"], out.path());
    for part in [
        "第 1 课：所有 key 都删了",
        "问题",
        "先猜一猜",
        "猜对了：一点也没有回收。",
        "为什么",
        "线上怎么做",
        "延伸阅读",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for line in text.lines().filter(|line| !line.contains(out.path().to_str().unwrap())) {
        assert!(columns(line) <= 100, "{} columns: {line}", columns(line));
    }
}

#[test]
fn mistakes_say_what_is_accepted() {
    for (args, said) in [
        (&["99"][..], ["there is no lesson 99", "1 to "]),
        (&["1", "--answer", "z"], ["\"z\" is no answer", "a, b, c, d"]),
        (&["4", "--answer", "big"], ["\"big\" is no answer", "in MiB or with one of"]),
        (&["1", "--lang", "fr"], ["fr", "en or zh"]),
        (&["nowhere.toml"], ["cannot read nowhere.toml", ""]),
    ] {
        let (code, _, stderr) = lesson(args);
        assert_eq!(code, 2, "{args:?}");
        assert!(said.iter().all(|part| stderr.contains(part)), "{args:?}: {stderr}");
    }
}

/// A teacher's own copy, changed: it runs, or its mistakes are shown with line and caret.
#[test]
fn a_lesson_that_is_being_written_is_read_from_its_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let lessons = folder.path().join("lessons");
    std::fs::create_dir_all(folder.path().join("sims")).unwrap();
    std::fs::create_dir_all(&lessons).unwrap();
    std::fs::copy(root.join("sims/delete-million.toml"), folder.path().join("sims/delete-million.toml"))
        .unwrap();
    for ending in ["toml", "en.toml", "zh.toml"] {
        let name = format!("02-set-the-map-to-nil.{ending}");
        std::fs::copy(root.join("lessons").join(&name), lessons.join(&name)).unwrap();
    }
    let plan = lessons.join("02-set-the-map-to-nil.toml");
    let file = plan.to_str().unwrap();
    let out = folder.path().join("out");
    assert!(taught(&[file, "--answer", "heap"], &out).contains("Right: "));

    let text = std::fs::read_to_string(&plan).unwrap();
    std::fs::write(&plan, text.replace("right = \"heap\"", "right = \"both\"")).unwrap();
    let (code, _, stderr) = lesson(&[file, "--out", out.to_str().unwrap()]);
    assert_eq!(code, 0);
    assert!(stderr.contains("note: 02-set-the-map-to-nil: \"heap\" is not marked as right"), "{stderr}");

    let words = lessons.join("02-set-the-map-to-nil.zh.toml");
    let text = std::fs::read_to_string(&words).unwrap();
    std::fs::write(&words, text.replace("{rss_nil}", "{rss_nill}")).unwrap();
    let (code, _, stderr) = lesson(&[file]);
    assert_eq!(code, 2);
    assert!(stderr.contains("there is no metric \"rss_nill\"") && stderr.contains("zh.toml:"), "{stderr}");
}
