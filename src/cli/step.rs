//! `gclab step`: a scenario's small heap in the terminal, one event at a time, forward and back.
//!
//! What is shown is what the page's Step shows: [`crate::lab::glass`] carries the scenario out and pictures it. `viewer` says what
//! keys do, `frame` and the panels draw a picture, `live` owns the terminal; without one, events are printed as lines.

mod frame;
mod heap_panel;
mod live;
mod side_panels;
mod viewer;

use std::fmt::Write;
use std::path::PathBuf;

use super::errors::CliError;
use super::files::read_scenario;
use super::terminal;
use crate::lab::glass::{self, StepAnswer};
use crate::lesson::Language;
use crate::scenario::{Gogc, MemoryLimit, Overrides, RunSettings, Scenario};
use crate::version::GoVersion;

/// Step through a scenario: its heap, collector, maps and pages, one event at a time.
///
/// Shows the objects of a small heap - white, grey or black - with their pointers, the roots, the grey queue, the slots of maps,
/// the pages and the pacer, after each thing that the program or the collector does, with a sentence that says what and why. The
/// collector does one thing for each thing that the program does, which is far slower than in Go. A scenario with more to watch is
/// shown small: its counts and keys are divided by ten as often as it takes.
///
/// Without a terminal, or with --plain, prints the events as lines. Without a scenario, lists those that are made for stepping.
#[derive(Debug, clap::Args)]
#[command(after_help = "Keys:\n  \
        Right, Left            one event forward, back      Home, End  the first, the last event\n  \
        Page Down, Page Up     ten events                   n, p       next, previous phase of the collector\n  \
        Space                  play, pause                  ?          help\n  \
        q, Escape, Ctrl-C      quit\n\n\
        Examples:\n  gclab step 2-write-barrier\n  gclab step sims/delete-million.toml\n  \
        gclab step sims/sync-map-delete.toml --go 1.23 --at 40\n  \
        gclab step sims/finalizer-two-cycles.toml --plain | grep finalizer")]
pub(super) struct StepArgs {
    /// Scenario file, or the name of a program that travels with gclab.
    #[arg(value_name = "SIM.toml|NAME")]
    sim: Option<PathBuf>,
    /// Begin at this event.
    #[arg(long, value_name = "N", default_value_t = 0)]
    at: usize,
    /// Print the events as lines, also on a terminal.
    #[arg(long)]
    plain: bool,
    /// Go release such as 1.23; else that of the file.
    #[arg(long, value_name = "VERSION")]
    go: Option<GoVersion>,
    /// GOGC in percent or "off"; else that of the file.
    #[arg(long, value_name = "N")]
    gogc: Option<Gogc>,
    /// GOMEMLIMIT such as 64MiB or "off"; else that of the file.
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<MemoryLimit>,
    /// Seed of everything random; else that of the file.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Language of the sentences: en or zh.
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = super::lesson::language)]
    lang: Language,
}

/// A scenario and how it is watched.
struct Watch {
    scenario: Scenario,
    settings: RunSettings,
    language: Language,
}

impl Watch {
    /// The run after event `at`, or the last.
    fn after(&self, at: usize) -> Result<StepAnswer, CliError> {
        glass::watch(&self.scenario, &self.settings, at, self.language).map_err(|message| CliError::Usage {
            message: format!("{} cannot be watched: {message}", self.scenario.name),
            accepted: "gclab step without a scenario lists some that can".to_owned(),
        })
    }
}

/// Runs the subcommand.
pub(super) fn run(args: &StepArgs) -> Result<(), CliError> {
    let Some(sim) = &args.sim else {
        terminal::to_stdout(&list());
        return Ok(());
    };
    let shipped = glass::programs().into_iter().find(|(name, _)| sim.as_os_str() == *name);
    let scenario = match shipped {
        Some((name, text)) => Scenario::parse(&format!("{name}.toml"), text)?,
        None => read_scenario(sim)?,
    };
    let overrides = Overrides {
        version: args.go,
        gogc: args.gogc,
        memory_limit: args.memory_limit,
        seed: args.seed,
        ..Overrides::default()
    };
    let settings = scenario.settings().overridden(&overrides);
    let watch = Watch { scenario, settings, language: args.lang };
    let first = watch.after(args.at)?;
    if args.plain || !terminal::is_interactive() {
        terminal::to_stdout(&plain(&first));
        return Ok(());
    }
    live::show(&watch, first)
}

/// The programs that are made for stepping, with their questions.
fn list() -> String {
    let mut text = String::new();
    for (name, program) in glass::programs() {
        let scenario = Scenario::parse(&format!("{name}.toml"), program).unwrap_or_else(|mistakes| {
            panic!("what travels with gclab has no mistakes: {:?}", mistakes.list)
        });
        let _ = writeln!(text, "{name}\n    {}\n    {}\n", scenario.title, scenario.question);
    }
    text.push_str("gclab step 1-mark-and-sweep\n");
    text
}

/// The events from the one that is looked at on, a line each.
fn plain(watched: &StepAnswer) -> String {
    let gogc = watched.gogc_percent.map_or_else(|| "off".to_owned(), |percent| percent.to_string());
    let mut text = format!("{}\n{}\nGo {}, GOGC {gogc}\n\n", watched.title, watched.question, watched.go);
    let last = watched.events.len() - 1;
    let width = last.to_string().len();
    for (number, event) in watched.events.iter().enumerate().skip(watched.at) {
        let _ = writeln!(text, "{number:>width$}  {}", event.sentence);
    }
    text
}
