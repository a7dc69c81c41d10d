//! `gclab merge`: the parts of a sweep that ran on several machines, as one table.

use std::path::PathBuf;

use super::errors::CliError;
use super::sweep::report;
use crate::sweep;

/// Join the parts of a sweep that several machines have run.
///
/// Takes the part of every shard of one sweep ("gclab sweep --shard K/N") and writes what the same sweep on one machine would
/// have written, byte for byte. Parts of different sweeps, different scenario texts or different builds of gclab are refused;
/// so are a shard that comes twice, one that is missing, and rows that are not where they belong.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  gclab merge parts/*.part.csv\n  gclab merge a/x.0-of-2.part.csv b/x.1-of-2.part.csv --out out"
)]
pub(super) struct MergeArgs {
    /// Parts: NAME.K-of-N.part.csv.
    #[arg(value_name = "PART.csv", required = true)]
    parts: Vec<PathBuf>,
    /// Folder for the results; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Draw no pictures.
    #[arg(long)]
    no_plot: bool,
}

/// Runs the subcommand.
pub(super) fn run(args: &MergeArgs) -> Result<(), CliError> {
    report::print(&sweep::merge(&args.parts, &args.out)?, args.no_plot)
}
