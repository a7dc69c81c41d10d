//! `gclab lesson`: a lesson as text in the terminal. Question, prediction, run, and what to make of it.

mod prose;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::prose::Prose;
use super::errors::CliError;
use super::files::{PendingFile, read_text};
use super::table::settings_line;
use super::terminal;
use crate::go_program::{environment, go_program};
use crate::lesson::{self, Asked, Files, Headings, Language, Lesson, NoAnswer, Run, Told, letter};
use crate::trace::Trace;

/// Learn from a question: predict the answer, run the simulation, see why.
///
/// Without a number, lists the lessons. With one, asks the question, takes a prediction, runs the simulation, and shows what
/// came out, why, and what to do in production. Writes two files into the output folder: NAME.png, the chart, and NAME.go, the
/// Go program to try at home.
///
/// On a terminal the prediction is typed in; an empty line gives up. Elsewhere it comes from --answer, or nobody predicts.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab lesson\n  gclab lesson 1\n  gclab lesson 1 --lang zh\n  \
        gclab lesson 6 --answer c --out workshop\n  gclab lesson lessons/01-delete-every-key.toml")]
pub(super) struct LessonArgs {
    /// Number of a lesson, or the file of one that is being written.
    #[arg(value_name = "N|FILE")]
    lesson: Option<String>,
    /// Language: en or zh.
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = language)]
    lang: Language,
    /// Your prediction: a letter of the choices, or a number.
    #[arg(long, value_name = "X")]
    answer: Option<String>,
    /// Folder for the chart and the Go program; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

pub(super) fn language(code: &str) -> Result<Language, String> {
    Language::of_code(code).ok_or_else(|| {
        let codes = Language::ALL.map(Language::code);
        format!("accepted: {}", codes.join(" or "))
    })
}

/// Runs the subcommand.
pub(super) fn run(args: &LessonArgs) -> Result<(), CliError> {
    match &args.lesson {
        None => terminal::to_stdout(&list(lesson::all(), args.lang)),
        Some(name) if name.parse::<u32>().is_ok() => {
            let found = lesson::all().iter().find(|lesson| name.parse() == Ok(lesson.number));
            let lesson = found.ok_or_else(|| CliError::Usage {
                message: format!("there is no lesson {name}"),
                accepted: format!("1 to {}; gclab lesson lists them", lesson::all().len()),
            })?;
            teach(lesson, args)?;
        }
        Some(file) => teach(&read_lesson(Path::new(file))?, args)?,
    }
    Ok(())
}

/// Every lesson with its question.
fn list(lessons: &[Lesson], language: Language) -> String {
    let mut prose = Prose::new(terminal::stdout_colour());
    prose.heading(language.headings().lessons);
    for lesson in lessons {
        let asked = lesson.asked(language);
        prose.item(&format!("{:>2}", asked.number), &format!("{}\n{}", asked.title, asked.question));
    }
    prose.text("gclab lesson 1");
    prose.into_text()
}

/// Reads a lesson from its files: the one that is named and its neighbours with the words.
fn read_lesson(path: &Path) -> Result<Lesson, CliError> {
    let plan = read_text(path)?;
    let words = Language::ALL.map(|language| path.with_extension(format!("{}.toml", language.code())));
    let texts = words.iter().map(|path| read_text(path)).collect::<Result<Vec<_>, _>>()?;
    let names = words.map(|path| path.to_string_lossy().into_owned());
    let name = path.to_string_lossy();
    let files = Files {
        name: &name,
        plan: &plan,
        words: std::array::from_fn(|place| (names[place].as_str(), texts[place].as_str())),
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let scenario = |file: &str| read_text(&folder.join(file)).map_err(|error| error.to_string());
    Lesson::parse(&files, &scenario).map_err(CliError::Lesson)
}

fn teach(lesson: &Lesson, args: &LessonArgs) -> Result<(), CliError> {
    let words = args.lang.headings();
    let asked = lesson.asked(args.lang);
    terminal::to_stdout(&question(&asked, words));
    // An answer that cannot be understood is refused before the run, not after it.
    let answer = match &args.answer {
        Some(answer) => Some(answer.clone()),
        None => typed_answer(lesson, words),
    };
    if let Some(answer) = &answer {
        lesson.prediction.understand(answer).map_err(no_answer)?;
    }
    let traces = simulate(lesson)?;
    let measured = lesson.measure(&traces).map_err(|error| CliError::Usage {
        message: format!("{}: {error}", lesson.name),
        accepted: "metrics that the runs of the lesson have".to_owned(),
    })?;
    for disagreement in lesson.disagreements(&measured) {
        terminal::to_stderr(&format!("note: {}: {disagreement}\n", lesson.name));
    }
    let verdict = answer.map(|answer| lesson.judge(&answer, &measured)).transpose().map_err(no_answer)?;
    let told = lesson.told(args.lang, &measured);
    let outcome = match verdict {
        None => words.unanswered,
        Some(verdict) if verdict.is_right => words.right,
        Some(_) => words.wrong,
    };
    let outcome = outcome.replace("{answer}", told.right.trim_end_matches(['.', '。']));
    let written = write_files(lesson, &traces, &args.out)?;
    terminal::to_stdout(&reveal(lesson, &traces, &told, &outcome, words, &written));
    Ok(())
}

fn no_answer(error: NoAnswer) -> CliError {
    CliError::Usage {
        message: format!("{:?} is no answer to this question", error.text),
        accepted: error.accepted,
    }
}

/// What is shown before the prediction.
fn question(asked: &Asked, words: &Headings) -> String {
    let mut prose = Prose::new(terminal::stdout_colour());
    let number = asked.number.to_string();
    prose.heading(&words.lesson.replace("{number}", &number).replace("{title}", &asked.title));
    prose.section(words.question, &asked.question);
    prose.section(words.setup, &asked.setup);
    let unit = asked.unit.filter(|unit| !unit.is_empty()).map_or(String::new(), |unit| format!(" [{unit}]"));
    prose.section(words.predict, &format!("{}{unit}", asked.predict));
    for (place, choice) in asked.choices.iter().enumerate() {
        prose.item(&letter(place).to_string(), &choice.text);
    }
    prose.into_text()
}

/// A prediction typed on a terminal; `None` elsewhere, and for an empty line.
fn typed_answer(lesson: &Lesson, words: &Headings) -> Option<String> {
    if !terminal::stdin_is_terminal() {
        return None;
    }
    loop {
        terminal::to_stderr(&format!("\n{}: ", words.your_answer));
        let line = terminal::typed_line()?;
        match lesson.prediction.understand(&line) {
            _ if line.is_empty() => return None,
            Ok(_) => return Some(line),
            Err(error) => terminal::to_stderr(&format!("{}\n", error.accepted)),
        }
    }
}

fn simulate(lesson: &Lesson) -> Result<Vec<Trace>, CliError> {
    let simulate = |run: &Run| {
        let stopped = |error| CliError::Run { gogc: run.settings().go.gogc.to_string(), error };
        run.simulate().map_err(stopped)
    };
    lesson.runs.par_iter().map(simulate).collect()
}

/// What is shown after it.
fn reveal(
    lesson: &Lesson,
    traces: &[Trace],
    told: &Told,
    outcome: &str,
    words: &Headings,
    written: &[PathBuf; 2],
) -> String {
    let mut prose = Prose::new(terminal::stdout_colour());
    let settings = traces.iter().map(|trace| settings_line(&trace.config));
    prose.section(words.run, &settings.collect::<Vec<_>>().join("\n"));
    prose.section(words.reveal, &format!("{outcome}\n{}", told.reveal));
    prose.table(
        words.numbers,
        told.numbers.iter().map(|number| (number.label.as_str(), number.text.as_str())),
    );
    prose.section(words.why, &told.why);
    prose.section(words.production, "");
    for advice in &told.production {
        prose.item("-", advice);
    }
    prose.section(words.try_it, &told.try_it);
    let [_, program] = written;
    prose.command(&format!("{}go run {}", environment(&lesson.runs[0].settings()), program.display()));
    prose.section(words.sources, "");
    for source in &told.sources {
        prose.item("-", &format!("{}: {}", source.title, source.about));
    }
    let paths = written.each_ref().map(|path| path.display().to_string());
    prose.text(&format!("Wrote {}", paths.join(" and ")));
    prose.into_text()
}

/// Writes the picture and the Go program of the first run; returns their paths.
fn write_files(lesson: &Lesson, traces: &[Trace], folder: &Path) -> Result<[PathBuf; 2], CliError> {
    let png = folder.join(format!("{}.png", lesson.name));
    let shown: Vec<Trace> = lesson.chart.iter().map(|run| traces[*run].clone()).collect();
    let file = PendingFile::create(&png)?;
    crate::chart::render_png(&shown, file.path())
        .map_err(|error| CliError::Chart { path: png.clone(), error })?;
    let program = folder.join(format!("{}.go", lesson.name));
    let first = &lesson.runs[0];
    let text = go_program(&first.scenario, &first.settings()).map_err(|error| CliError::Usage {
        message: format!("{} has no Go program: {error}", first.file),
        accepted: "keys that numbers can be turned into, and links of the objects' own type".to_owned(),
    })?;
    let mut program_file = PendingFile::create(&program)?;
    program_file.write(text.as_bytes())?;
    program_file.finish()?;
    file.finish()?;
    Ok([png, program])
}
