//! `gclab run --chart`, `gclab plot` and `gclab gallery` from outside: what is written, and what is refused.

use std::path::Path;

use assert_cmd::Command;

const SIM: &str = r#"
title    = "A small map"
question = "What does delete give back?"
answer   = "Nothing."
steps = [
  { make     = { var = "m", hint = 2_000 } },
  { insert   = { var = "m", keys = "0..2_000" } },
  { garbage  = { count = 20_000, size = "1KiB" } },
  { snapshot = "full" },
  { delete   = { var = "m", keys = "0..1_000" } },
  "gc",
  { snapshot = "half" },
]

[vars]
m = "map[int]int"
"#;

/// Exit code, stdout, stderr of `gclab` in `folder`.
fn gclab(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env_remove("GOGC")
        .env_remove("GOMEMLIMIT")
        .env_remove("GOMAXPROCS")
        .env_remove("GODEBUG")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn ok(folder: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = gclab(folder, args);
    assert_eq!(code, 0, "{args:?}: {stderr}");
    stdout
}

#[track_caller]
fn refused(folder: &Path, args: &[&str], words: &[&str]) {
    let (code, _, stderr) = gclab(folder, args);
    assert_eq!(code, 2, "{args:?}: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{args:?} does not say {word:?}: {stderr}");
    }
}

/// A folder with the scenario `small.toml`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), SIM).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_draws_what_it_is_asked_to() {
    let folder = folder();
    let charts = "timeline,pacer,map-xray,size-classes,pauses,heap-map";
    ok(folder.path(), &["run", "small.toml", "--chart", charts, "--format", "svg", "--theme", "dark"]);
    assert_eq!(
        names(&folder.path().join("out")),
        [
            "small-heap-map.svg",
            "small-map-xray.svg",
            "small-pacer.svg",
            "small-pauses.svg",
            "small-size-classes.svg",
            "small.csv",
            "small.svg"
        ]
    );
}

#[test]
fn a_saved_trace_is_drawn_as_the_run_itself() {
    let folder = folder();
    let run =
        ["run", "small.toml", "--out", "a", "--chart", "timeline,heap-map", "--save-trace", "small.json"];
    ok(folder.path(), &run);
    let first = std::fs::read(folder.path().join("small.json")).unwrap();
    let stdout = ok(folder.path(), &["plot", "small.json", "--out", "b", "--chart", "timeline,heap-map"]);
    assert!(stdout.starts_with("Wrote b"), "{stdout}");
    for name in ["small.png", "small-heap-map.png"] {
        let read = |out: &str| std::fs::read(folder.path().join(out).join(name)).unwrap();
        assert!(read("a") == read("b"), "{name} differs");
    }
    ok(folder.path(), &run);
    assert!(std::fs::read(folder.path().join("small.json")).unwrap() == first, "the trace differs");
}

#[test]
fn several_saved_traces_are_compared() {
    let folder = folder();
    for gogc in ["50", "100,200"] {
        let file = format!("{}.json", gogc.len());
        ok(folder.path(), &["run", "small.toml", "--gogc", gogc, "--no-plot", "--save-trace", &file]);
    }
    ok(folder.path(), &["plot", "2.json", "7.json", "--out", "c", "--format", "svg"]);
    let svg = std::fs::read_to_string(folder.path().join("c/small.svg")).unwrap();
    for name in ["GOGC 50", "GOGC 100", "GOGC 200", "The trade-off: CPU against memory"] {
        assert!(svg.contains(&format!("aria-label=\"{name}\"")), "{name}");
    }
    refused(
        folder.path(),
        &["plot", "7.json", "--chart", "pacer"],
        &["pacer shows one run", "--chart comparison"],
    );
    let run = ["run", "small.toml", "--gogc", "50,100", "--chart", "pauses"];
    refused(folder.path(), &run, &["pauses shows one run"]);
}

#[test]
fn a_broken_trace_is_named_with_its_place_and_nothing_is_written() {
    let folder = folder();
    ok(folder.path(), &["run", "small.toml", "--no-plot", "--save-trace", "t.json"]);
    let text = std::fs::read_to_string(folder.path().join("t.json")).unwrap();
    let broken = [
        ("cut.json", text[..text.len() / 2].to_owned(), vec!["cut.json", "line 1, column", "EOF"]),
        (
            "old.json",
            text.replacen("\"version\":1", "\"version\":9", 1),
            vec!["\"version\" is 9", "accepted: 1"],
        ),
        ("other.json", text.replacen("gclab trace", "recipe", 1), vec!["no trace", "\"recipe\""]),
        (
            "pages.json",
            text.replacen("\"pages\":\"", "\"pages\":\"?7 ", 1),
            vec!["\"?7\" is no run of pages"],
        ),
    ];
    for (name, text, words) in broken {
        std::fs::write(folder.path().join(name), text).unwrap();
        refused(folder.path(), &["plot", name, "--out", "d"], &words);
    }
    refused(folder.path(), &["plot", "missing.json", "--out", "d"], &["cannot read missing.json"]);
    assert!(!folder.path().join("d").exists());
}

#[test]
fn wrong_flags_say_what_is_accepted() {
    let folder = folder();
    let run = |flags: &[&str], words: &[&str]| {
        let args: Vec<&str> = ["run", "small.toml"].iter().chain(flags).copied().collect();
        refused(folder.path(), &args, words);
    };
    run(&["--chart", "pie"], &["accepted: timeline, comparison, pacer, heap-map"]);
    run(&["--format", "gif"], &["accepted: png, svg"]);
    run(&["--theme", "blue"], &["accepted: light, dark"]);
    run(&["--chart", "heap-map", "--at", "fuller"], &["\"fuller\"", "accepted: \"full\", \"half\""]);
    run(&["--chart", "heap-film", "--format", "svg"], &["accepted: --format png"]);
    assert!(!folder.path().join("out").exists(), "something was written");
}

#[test]
fn the_gallery_draws_its_list_and_every_other_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let (sims, plots) = (folder.path().join("sims"), folder.path().join("plots"));
    std::fs::create_dir_all(&sims).unwrap();
    std::fs::create_dir_all(&plots).unwrap();
    std::fs::write(sims.join("small.toml"), SIM).unwrap();
    std::fs::write(sims.join("other.toml"), SIM).unwrap();
    let list = "intro = \"Look.\"\n[[section]]\ntitle = \"Maps\"\n\
        [[section.picture]]\nsim = \"small\"\nfile = \"small-gogc.png\"\ngogc = [50, 100]\nalt = \"Two panels.\"\n\
        [[section.picture]]\nsim = \"small\"\nfile = \"xray.svg\"\nchart = \"map-xray\"\ntheme = \"dark\"\nalt = \"Slots.\"\n";
    std::fs::write(plots.join("gallery.toml"), list).unwrap();
    let stdout = ok(folder.path(), &["gallery"]);
    assert_eq!(stdout, "Drew 3 pictures and README.md in plots\n");
    assert_eq!(names(&plots), ["README.md", "gallery.toml", "other.png", "small-gogc.png", "xray.svg"]);
    let page = std::fs::read_to_string(plots.join("README.md")).unwrap();
    for words in
        ["# Gallery", "## Maps", "![Two panels.](small-gogc.png)", "[other](../sims/other.toml)", "Nothing."]
    {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }
    let bytes =
        || names(&plots).iter().map(|name| std::fs::read(plots.join(name)).unwrap()).collect::<Vec<_>>();
    let first = bytes();
    ok(folder.path(), &["gallery"]);
    assert!(first == bytes(), "the second gallery differs");

    std::fs::write(plots.join("gallery.toml"), list.replace("map-xray", "map")).unwrap();
    refused(folder.path(), &["gallery"], &["gallery.toml", "picture of small, chart", "accepted: timeline"]);
    std::fs::write(plots.join("gallery.toml"), list.replace("intro", "outro")).unwrap();
    refused(folder.path(), &["gallery"], &["gallery.toml", "outro"]);
    refused(folder.path(), &["gallery", "--out", "nowhere"], &["cannot read", "gallery.toml"]);
    assert!(first[0] == std::fs::read(plots.join("README.md")).unwrap(), "a refused gallery wrote");
}

#[test]
fn every_scenario_and_every_picture_is_in_the_gallery() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("plots/README.md")).unwrap();
    for sim in names(&root.join("sims")).iter().filter_map(|name| name.strip_suffix(".toml")) {
        assert!(page.contains(&format!("(../sims/{sim}.toml)")), "{sim} has no picture: run gclab gallery");
    }
    for name in
        names(&root.join("plots")).iter().filter(|name| name.ends_with("png") || name.ends_with("svg"))
    {
        assert!(
            page.contains(&format!("]({name})")),
            "{name} is in no list: delete it or add it to gallery.toml"
        );
    }
}
