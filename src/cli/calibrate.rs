//! `gclab calibrate`: what work costs on this machine, as a cost profile for `gclab run --cost`.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::errors::CliError;
use super::files::PendingFile;
use super::terminal::{self, Colour};
use crate::calibrate::{self, Calibration, Effort, Listener, Order};
use crate::cost::GROUPS;
use crate::oracle::{Interrupt, Toolchain};

/// Measure what work costs on this machine, with an installed Go.
///
/// Small Go programs are built and run, one at a time, for about ten minutes: allocation by size, maps by size and load,
/// page faults, madvise, marking by shape of heap, sweeping, pauses, goroutines. From what they print a cost profile is made
/// and written as a TOML file, which "gclab run --cost FILE" simulates with.
///
/// Leave the machine alone meanwhile. When a thermometer at start and end, or two passes, differ by more than 10 %, the
/// profile says quiet = false.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab calibrate --go /usr/local/go/bin/go --out mine.toml\n  \
        gclab run sims/steady-gogc.toml --cost mine.toml\n  \
        gclab calibrate --go ~/go1.21 --quick --only maps,kernel --out maps.toml")]
pub(super) struct CalibrateArgs {
    /// The go command, or the folder of a Go installation: 1.21, 1.23, 1.24, 1.25 or 1.27.
    #[arg(long, value_name = "PATH")]
    go: PathBuf,
    /// The profile to write.
    #[arg(long, value_name = "FILE", default_value = "cost-profile.toml")]
    out: PathBuf,
    /// About two minutes instead of ten: fewer sizes and repetitions, everything once.
    #[arg(long)]
    quick: bool,
    /// Only these groups, or a list; the others stay as in the built-in profile.
    #[arg(long, value_delimiter = ',', value_name = "GROUP", value_parser = clap::builder::PossibleValuesParser::new(GROUPS))]
    only: Vec<String>,
    /// Also write the rows that the prices were made of into this folder, as CSV.
    #[arg(long, value_name = "DIR")]
    rows: Option<PathBuf>,
}

/// Runs the subcommand.
pub(super) fn run(args: &CalibrateArgs) -> Result<(), CliError> {
    let interrupt = Interrupt::default();
    let stop = interrupt.clone();
    // A second handler cannot be set, as in tests: then a signal ends this process at once, as it always did.
    let _ = ctrlc::set_handler(move || stop.stop());
    let scratch =
        tempfile::tempdir().map_err(|error| CliError::Write { path: std::env::temp_dir(), error })?;
    let toolchain = Toolchain::find(&args.go, scratch.path(), &interrupt)
        .map_err(calibrate::CalibrationError::Toolchain)?;
    // What cannot be written is told before ten minutes are spent.
    let out = PendingFile::create(&args.out)?;
    let all = || GROUPS.map(str::to_owned).to_vec();
    let order = Order {
        toolchain,
        effort: if args.quick { Effort::Quick } else { Effort::Full },
        groups: if args.only.is_empty() { all() } else { args.only.clone() },
        scratch: scratch.path().to_owned(),
        interrupt,
    };
    let progress = Progress::new();
    let calibration = calibrate::calibrate(&order, &progress);
    progress.finish();
    let calibration = calibration?;
    write(args, out, &calibration)?;
    tell(args, &calibration);
    Ok(())
}

fn write(args: &CalibrateArgs, mut out: PendingFile, calibration: &Calibration) -> Result<(), CliError> {
    out.write(calibration.profile.to_toml().as_bytes())?;
    if let Some(folder) = &args.rows {
        let provenance = &calibration.profile.provenance;
        // A comma would end the column.
        let cpu = provenance.cpu.replace(',', ";");
        for (name, text) in calibration.rows.files([&provenance.go, &cpu, &provenance.date]) {
            let mut file = PendingFile::create(&folder.join(name))?;
            file.write(text.as_bytes())?;
            file.finish()?;
        }
    }
    out.finish()
}

fn tell(args: &CalibrateArgs, calibration: &Calibration) {
    for (field, why) in &calibration.missing {
        terminal::to_stderr(&format!("note: {field} is that of the built-in profile: {why}\n"));
    }
    for finding in &calibration.noise {
        terminal::to_stderr(&format!("note: not quiet: {finding}\n"));
    }
    let provenance = &calibration.profile.provenance;
    let quiet = if provenance.quiet { "the machine was quiet" } else { "the machine was NOT quiet" };
    let repeated = match (calibration.repeated * 100.0).round() {
        100.0 => "measured twice".to_owned(),
        0.0 => "measured once".to_owned(),
        share => format!("{share} % measured twice"),
    };
    terminal::to_stdout(&format!(
        "Go {} on {}: {quiet}, {repeated}\nWrote {}\n",
        provenance.go,
        provenance.cpu,
        args.out.display()
    ));
}

/// A bar on a terminal; in a pipe, a line for each program.
enum Progress {
    Lines(RefCell<String>),
    Bar(ProgressBar),
}

impl Progress {
    fn new() -> Progress {
        if !terminal::stderr_is_terminal() {
            return Progress::Lines(RefCell::default());
        }
        let bar = ProgressBar::new(1000);
        let template = match terminal::stderr_colour() {
            Colour::On => "{bar:30.cyan} {percent} % {wide_msg}",
            Colour::Off => "{bar:30} {percent} % {wide_msg}",
        };
        bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress::Bar(bar)
    }

    fn finish(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

impl Listener for Progress {
    fn begins(&self, what: &str, share: f64, left: Duration) {
        let left = if left.is_zero() { String::new() } else { format!(", about {} s left", left.as_secs()) };
        match self {
            Progress::Bar(bar) => {
                bar.set_position((share * 1000.0) as u64);
                bar.set_message(format!("{what}{left}"));
            }
            Progress::Lines(last) => {
                let program = what.split(' ').next().unwrap_or_default();
                if program != *last.borrow() {
                    terminal::to_stderr(&format!("{what} ({:.0} %{left})\n", share * 100.0));
                    program.clone_into(&mut last.borrow_mut());
                }
            }
        }
    }
}
