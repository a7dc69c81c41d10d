//! `gclab pacer FILE.csv`: replays an idealised program through the pacer, cycle by cycle.

mod table;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use crate::pacer::ideal::{IdealMutator, IdealOutcome};

pub use table::{INPUT_COLUMNS, Mistake, OUTPUT_COLUMNS, Row};

/// Replay an idealised program of constant rates through the pacer, one GC cycle a row.
///
/// FILE.csv has a header line and the columns cycle, gc_percent (-1 is off), memory_limit_bytes
/// (9223372036854775807 is none), globals_bytes, procs, alloc_rate_kib_per_cpu_ms, scan_rate_kib_per_cpu_ms,
/// growth_rate, scannable_frac and stack_bytes, in any order; other columns are ignored. The same columns are printed as
/// CSV, followed by heap_marked_bytes, trigger_bytes, goal_bytes, peak_bytes, gc_duration_ns and gc_utilization.
#[derive(Clone, Debug, clap::Args)]
pub struct PacerArgs {
    /// The cycles to replay
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
}

/// Why a file could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum PacerError {
    /// The file cannot be read.
    #[error(
        "cannot read {file}: {source}; accepted: a CSV file with one GC cycle a row (see gclab pacer --help)"
    )]
    Read {
        /// The file as it was named.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The file can be read, but not understood.
    #[error("{}", table::describe(file, mistakes))]
    Mistakes {
        /// The file as it was named.
        file: String,
        /// Everything wrong with it, in the order of its lines; not empty.
        mistakes: Vec<Mistake>,
    },
    /// The result cannot be written.
    #[error("cannot write the result: {0}")]
    Write(#[from] io::Error),
}

/// Replays the file and prints the result to standard output.
pub fn run(args: &PacerArgs) -> Result<(), PacerError> {
    let file = args.file.display().to_string();
    let input = File::open(&args.file).map_err(|source| PacerError::Read { file: file.clone(), source })?;
    replay(&file, input, io::stdout().lock())
}

/// Replays the cycles of `input`, which errors call `file`, and writes the result to `output`.
/// Nothing is written unless everything is right.
pub fn replay(file: &str, mut input: impl Read, output: impl Write) -> Result<(), PacerError> {
    let mut text = Vec::new();
    input.read_to_end(&mut text).map_err(|source| PacerError::Read { file: file.to_owned(), source })?;
    let outcomes = table::read(&text)
        .and_then(|rows| {
            let outcomes = run_cycles(&rows)?;
            Ok((rows, outcomes))
        })
        .map_err(|mistakes| PacerError::Mistakes { file: file.to_owned(), mistakes });
    let (rows, outcomes) = outcomes?;
    match table::write(&rows, &outcomes, output) {
        // Whoever reads the output has seen enough: `gclab pacer FILE.csv | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn run_cycles(rows: &[Row]) -> Result<Vec<IdealOutcome>, Vec<Mistake>> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let mut ideal = IdealMutator::new(first.cycle.gc_percent, first.cycle.memory_limit_bytes);
    rows.iter()
        .map(|row| ideal.run_cycle(&row.cycle).map_err(|error| vec![Mistake::cycle(row.line, &error)]))
        .collect()
}
