//! `gclab go`: a scenario as a Go program, on stdout or in a file.

use std::path::PathBuf;

use super::errors::CliError;
use super::files::{PendingFile, read_scenario};
use super::run::zero_or_one;
use super::terminal;
use crate::go_program::go_program;
use crate::scenario::{Gogc, MemoryLimit, Overrides, PROCS_LIMIT};
use crate::units::Bytes;

/// Print a scenario as a Go program that does the same work.
///
/// The program is one file and needs nothing but Go 1.21 or later. It prints a table of the scenario's snapshots, and
/// writes them with -json FILE in the form of "gclab run --json", and with -csv FILE as samples over time.
///
/// GOGC and the other settings are not in the program but in the command line that its first comment gives; flags
/// override what the file says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab go sims/delete-million.toml\n  \
        gclab go sims/delete-million.toml --out delete-million.go && go run delete-million.go\n  \
        gclab go sims/steady-gogc.toml --gogc 50 --out steady.go && go vet steady.go")]
pub(super) struct GoArgs {
    /// Scenario file.
    #[arg(value_name = "SIM.toml")]
    sim: PathBuf,
    /// GOGC in percent or "off", for the command line in the program's first comment.
    #[arg(long, value_name = "N")]
    gogc: Option<Gogc>,
    /// GOMEMLIMIT such as 256MiB or "off", for the same.
    #[arg(long, value_name = "SIZE")]
    memory_limit: Option<MemoryLimit>,
    /// GOMAXPROCS, for the same.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(PROCS_LIMIT)))]
    procs: Option<u32>,
    /// Memory limit of the container, such as 512MiB, for the same.
    #[arg(long, value_name = "SIZE")]
    machine_memory: Option<Bytes>,
    /// How pages go back, for the same: 1 with MADV_DONTNEED, 0 with MADV_FREE.
    #[arg(long, value_name = "0|1", value_parser = zero_or_one)]
    madvdontneed: Option<bool>,
    /// Seed of random keys: the same keys as in a run with this seed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the program into this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the subcommand.
pub(super) fn run(args: &GoArgs) -> Result<(), CliError> {
    let scenario = read_scenario(&args.sim)?;
    let settings = scenario.settings().overridden(&Overrides {
        gogc: args.gogc,
        memory_limit: args.memory_limit,
        procs: args.procs,
        seed: args.seed,
        madvdontneed: args.madvdontneed,
        machine_memory_bytes: args.machine_memory.map(|bytes| bytes.0),
        ..Overrides::default()
    });
    let program = go_program(&scenario, &settings).map_err(|error| CliError::Usage {
        message: format!("{} has no Go program: {error}", args.sim.display()),
        accepted: "keys that numbers can be turned into, and links of the objects' own type".to_owned(),
    })?;
    match &args.out {
        None => terminal::to_stdout(&program),
        Some(path) => {
            let mut file = PendingFile::create(path)?;
            file.write(program.as_bytes())?;
            file.finish()?;
        }
    }
    Ok(())
}
