//! `gclab pacer`: replays recorded cycles through the pacer alone. (to come)

use std::path::PathBuf;

use super::errors::CliError;

/// Feed recorded GC cycles to the pacer and compare its decisions.
#[derive(Debug, clap::Args)]
pub(super) struct PacerArgs {
    /// CSV file of cycles.
    file: PathBuf,
}

/// Runs the subcommand.
pub(super) fn run(args: &PacerArgs) -> Result<(), CliError> {
    Err(CliError::Usage {
        message: format!("this build of gclab cannot replay {} yet", args.file.display()),
        accepted: "gclab run, gclab sims".to_owned(),
    })
}
