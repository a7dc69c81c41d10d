//! `gclab sims`: the scenario files of a folder and the questions they answer.

use std::fmt::Write;
use std::path::PathBuf;

use super::errors::{CliError, render};
use super::files::{read_scenario, scenario_files};
use super::terminal;

/// List scenario files and the questions they answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab sims\n  gclab sims my-scenarios")]
pub(super) struct SimsArgs {
    /// Folder with scenario files.
    #[arg(default_value = "sims")]
    folder: PathBuf,
}

/// Runs the subcommand. A file with mistakes does not hide the others.
pub(super) fn run(args: &SimsArgs) -> Result<(), CliError> {
    let paths = scenario_files(&args.folder)?;
    if paths.is_empty() {
        return Err(CliError::Usage {
            message: format!("there are no scenario files in {}", args.folder.display()),
            accepted: "a folder with .toml files: gclab sims FOLDER".to_owned(),
        });
    }
    let mut text = String::new();
    let mut wrong = Vec::new();
    for path in &paths {
        match read_scenario(path) {
            Ok(scenario) => {
                let _ =
                    writeln!(text, "{}\n    {}\n    {}\n", path.display(), scenario.title, scenario.question);
            }
            Err(error) => {
                terminal::to_stderr(&render(&error, terminal::stderr_colour()));
                wrong.push(path.display().to_string());
            }
        }
    }
    let _ = writeln!(text, "Run one with: gclab run {}", paths[0].display());
    terminal::to_stdout(&text);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(CliError::Usage {
        message: format!("cannot be read: {}", wrong.join(", ")),
        accepted: "files without the mistakes shown above".to_owned(),
    })
}
