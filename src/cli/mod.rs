//! The command line: one file a subcommand, wiring only.

use std::process::ExitCode;

pub mod pacer;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
