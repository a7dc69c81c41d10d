//! `gclab plot`: charts from saved traces, without running anything.

use std::path::PathBuf;

use super::errors::CliError;
use super::files::{PendingFile, read_traces};
use super::pictures::PictureArgs;
use super::terminal;

/// Draw charts from saved traces.
///
/// A trace is what gclab run --save-trace has written. One run becomes a timeline, several - of one file or of several files -
/// are compared; --chart asks for something else. The charts are called after the scenario of the first run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab run sims/churn.toml --save-trace churn.json --no-plot\n  \
        gclab plot churn.json\n  \
        gclab plot churn.json --chart pacer,pauses,size-classes --theme dark\n  \
        gclab plot churn.json --chart heap-map --at full --at \"churned, gc\" --format svg\n  \
        gclab plot before.json after.json --out compared")]
pub(super) struct PlotArgs {
    /// Saved traces.
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    #[command(flatten)]
    pictures: PictureArgs,
    /// Folder for the charts; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
}

/// Runs the subcommand.
pub(super) fn run(args: &PlotArgs) -> Result<(), CliError> {
    let mut runs = Vec::new();
    for path in &args.traces {
        runs.extend(read_traces(path)?);
    }
    args.pictures.check(runs.len())?;
    let name = runs.first().map_or_else(String::new, |run| run.trace.name.clone());
    let files = args.pictures.draw(&runs, &name, &args.out)?;
    let names: Vec<String> = files.iter().map(PendingFile::shown_path).collect();
    files.into_iter().try_for_each(PendingFile::finish)?;
    terminal::to_stdout(&format!("Wrote {}\n", names.join(", ")));
    Ok(())
}
