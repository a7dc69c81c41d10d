//! The command line: one file a subcommand, wiring only.
//!
//! Exit codes: 0 when everything was done (a simulated OOM kill is a result, not a failure), 1 when a run could not be
//! finished or real Go says otherwise, 2 when the user can do something about it: a wrong flag, a mistake in a file, a folder that cannot be written.
//!
//! Results go to stdout, everything else to stderr. Colour is used on a terminal only, and never when `NO_COLOR` is set.

mod calibrate;
mod environment;
mod errors;
mod files;
mod gallery;
mod go;
mod lab;
mod lesson;
mod merge;
pub mod pacer;
mod pictures;
mod plot;
mod run;
mod sims;
mod step;
mod sweep;
mod table;
mod terminal;
mod tune;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A glass-box simulator of Go's memory runtime.
#[derive(Debug, Parser)]
#[command(name = "gclab", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    long_about = "A glass-box simulator of Go's memory runtime.\n\n\
        gclab runs a small Go program, written as a scenario file, in virtual time: its heap, garbage collector, \
        pacer, scavenger, maps and resident memory. It prints what runtime.MemStats and the operating system would \
        show, and draws it.",
    after_help = "Examples:\n  gclab sims                                      the scenarios and the questions they answer\n  \
        gclab run sims/delete-million.toml              run one, print its table, draw it\n  \
        gclab run sims/steady-gogc.toml --gogc 50,100   the same work under two settings\n  \
        gclab go sims/delete-million.toml >x.go         the same work as a Go program\n  \
        gclab validate sims/churn.toml --go go          real Go beside the simulation\n  \
        gclab lesson 1                                  a question, your prediction, the answer\n  \
        gclab step 2-write-barrier                      a small heap, one event at a time\n\n\
        Help on a command: gclab run --help"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Plot(plot::PlotArgs),
    Go(go::GoArgs),
    Validate(validate::ValidateArgs),
    Sweep(sweep::SweepArgs),
    Merge(merge::MergeArgs),
    Tune(tune::TuneArgs),
    Sims(sims::SimsArgs),
    Gallery(gallery::GalleryArgs),
    Lesson(lesson::LessonArgs),
    Pacer(pacer::PacerArgs),
    Calibrate(calibrate::CalibrateArgs),
    Lab(lab::LabArgs),
    Step(step::StepArgs),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Plot(args) => plot::run(&args),
        Command::Gallery(args) => gallery::run(&args),
        Command::Go(args) => go::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Sims(args) => sims::run(&args),
        Command::Lesson(args) => lesson::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Lab(args) => lab::run(&args),
        Command::Step(args) => step::run(&args),
        Command::Pacer(args) => pacer::run(&args).map_err(errors::CliError::from),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::to_stderr(&errors::render(&error, terminal::stderr_colour()));
            ExitCode::from(error.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
