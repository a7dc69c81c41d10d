//! One run of the real program: started, watched, and read.
//!
//! The program gets an environment of exactly four variables, GOGC, GOMEMLIMIT, GOMAXPROCS and GODEBUG: a Go process keeps
//! its environment in memory, and the user's would be counted among its objects. It writes its snapshots as JSON and
//! its samples as CSV when it has done its work; `gctrace=1` lets the runtime print a line for each collection.
//!
//! A scenario's container has a limit. The kernel would have to be asked as root; instead the process is watched from
//! outside and killed when its resident memory lies above, as the kernel would do. A peak between two looks is found
//! afterwards in what the process knows of itself (VmHWM) and counts the same.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::child::{self, Bounds, Ending, Finished, Interrupt};
use super::gctrace::{self, TracedCycle};
use super::host;
use super::measured::{self, Measured, Moment};
use crate::scenario::RunSettings;
use crate::units::{Bytes, MILLISECOND_NS};

/// What is to be run, and what it may use.
#[derive(Clone, Debug)]
pub struct Order<'o> {
    /// The program.
    pub program: &'o Path,
    /// GOGC and the others.
    pub settings: RunSettings,
    /// How often the program looks at its memory between snapshots, in nanoseconds; 0 is never.
    pub every_ns: u64,
    /// How long it may take.
    pub time: Duration,
    /// A folder for what it writes.
    pub folder: &'o Path,
    /// Stops it.
    pub interrupt: Interrupt,
}

/// What a run showed.
#[derive(Clone, Debug)]
pub struct RealRun {
    /// The whole process, from start to end.
    pub wall_ns: u64,
    /// Snapshots and totals; `None` when the container's limit killed the process before it could tell.
    pub measured: Option<Measured>,
    /// Memory over time.
    pub moments: Vec<Moment>,
    /// Every collection.
    pub cycles: Vec<TracedCycle>,
}

impl RealRun {
    /// This run, with memory over time as another run of the same program has seen it.
    pub fn with_curve_of(mut self, watched: RealRun) -> RealRun {
        let (Some(measured), Some(seen)) = (&mut self.measured, &watched.measured) else { return self };
        let peak = &mut measured.summary.peak_heap_alloc_bytes;
        *peak = seen.summary.peak_heap_alloc_bytes.max(*peak);
        RealRun { moments: watched.moments, ..self }
    }
}

/// Why a run says nothing.
#[derive(Debug, thiserror::Error)]
pub enum RealRunError {
    /// The system would not start it, or its files cannot be read.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        error: std::io::Error,
    },
    /// It took too long.
    #[error("it was killed after {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It failed.
    #[error("it ended with {status}: {complaint}")]
    Failed {
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        complaint: String,
    },
    /// It would have used up this machine.
    #[error("it was killed with {} resident: more than three quarters of this machine's memory", Bytes(*.0))]
    TooLarge(u64),
    /// It printed without end.
    #[error("it printed more than anybody will read")]
    TooMuchOutput,
    /// What it wrote is not whole.
    #[error("what it wrote cannot be read: {file}: {reason}")]
    Torn {
        /// Which file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The user wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Three quarters of this machine's memory.
pub fn most_memory_bytes() -> Option<u64> {
    host::memory_bytes().map(|bytes| bytes / 4 * 3)
}

/// Runs the program once.
///
/// # Errors
/// [`RealRunError`].
pub fn run(order: &Order) -> Result<RealRun, RealRunError> {
    let (json, csv) = (order.folder.join("run.json"), order.folder.join("run.csv"));
    for file in [&json, &csv] {
        let _ = std::fs::remove_file(file);
    }
    let container = order.settings.machine.memory_bytes;
    let bounds = Bounds {
        time: order.time,
        memory_bytes: [container, most_memory_bytes()].into_iter().flatten().min(),
        interrupt: order.interrupt.clone(),
    };
    let finished = child::run(&mut command(order, &json, &csv), &bounds)
        .map_err(|error| RealRunError::System { what: "it cannot be started", error })?;
    let cycles = gctrace::parse(&finished.stderr)
        .map_err(|reason| RealRunError::Torn { file: "gctrace lines", reason })?;
    let is_within = |bytes: u64| container.is_none_or(|limit| bytes <= limit);
    match finished.ending {
        Ending::Exited(status) if status.success() => {}
        Ending::Exited(status) => {
            let complaint = complaint(&finished);
            return Err(RealRunError::Failed { status, complaint });
        }
        Ending::OverMemory(bytes) if !is_within(bytes) => {
            return Ok(RealRun {
                measured: None,
                moments: watched(&finished),
                wall_ns: finished.wall_ns,
                cycles,
            });
        }
        Ending::OverMemory(bytes) => return Err(RealRunError::TooLarge(bytes)),
        Ending::TimedOut => return Err(RealRunError::TimedOut(order.time)),
        Ending::TooMuchOutput => return Err(RealRunError::TooMuchOutput),
        Ending::Interrupted => return Err(RealRunError::Interrupted),
    }
    let measured = measured::from_json(&read(&json)?)
        .map_err(|reason| RealRunError::Torn { file: "snapshots (JSON)", reason })?;
    let mut moments = measured::from_csv(&read(&csv)?)
        .map_err(|reason| RealRunError::Torn { file: "samples (CSV)", reason })?;
    add_snapshots(&mut moments, &measured);
    let measured = Some(with_peaks_of_cycles(measured, &cycles))
        .filter(|measured| is_within(measured.summary.peak_rss_bytes));
    Ok(RealRun { wall_ns: finished.wall_ns, measured, moments, cycles })
}

fn command(order: &Order, json: &PathBuf, csv: &PathBuf) -> Command {
    let go = &order.settings.go;
    let limit = go.memory_limit.bytes().map_or_else(|| "off".to_owned(), |bytes| bytes.to_string());
    let madvise = if go.madvdontneed { "" } else { ",madvdontneed=0" };
    let mut command = Command::new(order.program);
    command
        .current_dir(order.folder)
        .env_clear()
        .env("GOGC", go.gogc.to_string())
        .env("GOMEMLIMIT", limit)
        .env("GOMAXPROCS", go.procs.to_string())
        .env("GODEBUG", format!("gctrace=1{madvise}"))
        .arg("-json")
        .arg(json)
        .arg("-csv")
        .arg(csv)
        .args(["-every", &format!("{}us", order.every_ns / 1000)]);
    command
}

/// The first line on stderr that is no gctrace line.
fn complaint(finished: &Finished) -> String {
    let is_trace = |line: &&str| line.starts_with("gc ") || *line == "GC forced";
    let mut lines = finished.stderr.lines().filter(|line| !is_trace(line) && !line.trim().is_empty());
    lines.next().unwrap_or("it said nothing").to_owned()
}

fn read(path: &Path) -> Result<String, RealRunError> {
    std::fs::read_to_string(path)
        .map_err(|error| RealRunError::System { what: "what it should have written cannot be read", error })
}

/// Resident memory as it was seen from outside.
fn watched(finished: &Finished) -> Vec<Moment> {
    let moment = |(t_ns, rss_bytes): &(u64, u64)| Moment {
        t_ns: *t_ns,
        heap_alloc_bytes: None,
        rss_bytes: *rss_bytes,
    };
    finished.resident.iter().map(moment).collect()
}

/// Snapshots are moments, too.
fn add_snapshots(moments: &mut Vec<Moment>, measured: &Measured) {
    moments.extend(measured.snapshots.iter().map(|snapshot| Moment {
        t_ns: snapshot.t_ns,
        heap_alloc_bytes: Some(snapshot.mem_stats.heap_alloc),
        rss_bytes: snapshot.rss_bytes,
    }));
    moments.sort_by_key(|moment| moment.t_ns);
}

/// Between two samples the heap can have been larger: every collection says how large it was at its end. It counts from what
/// the one before has marked, and where that is more than there was - objects with finalizers are counted once more when
/// they are scanned for these - the surplus was never there.
fn with_peaks_of_cycles(mut measured: Measured, cycles: &[TracedCycle]) -> Measured {
    let surplus_mib = |cycle: &TracedCycle| cycle.marked_mib.saturating_sub(cycle.end_mib);
    let before = std::iter::once(0).chain(cycles.iter().map(surplus_mib));
    let ends_mib = cycles.iter().zip(before).map(|(cycle, surplus)| cycle.end_mib.saturating_sub(surplus));
    let largest = ends_mib.max().unwrap_or(0) << 20;
    let peak = &mut measured.summary.peak_heap_alloc_bytes;
    *peak = largest.max(*peak);
    measured
}

/// How often to look at a run that should take `duration_ns`: a thousand times, at least every tenth of a second, at most
/// every two milliseconds.
pub fn sampling_ns(duration_ns: u64) -> u64 {
    (duration_ns / 1000).clamp(2 * MILLISECOND_NS, 100 * MILLISECOND_NS)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn settings(extra: &str) -> RunSettings {
        let text = format!("title='t'\nquestion='q'\nanswer='a'\nsteps=['gc']\n{extra}");
        Scenario::parse("x.toml", &text).unwrap().settings()
    }

    fn contained(kib: u64) -> RunSettings {
        let mut settings = settings("");
        settings.machine.memory_bytes = Some(kib << 10);
        settings
    }

    fn run_script(script: &str, settings: RunSettings) -> Result<RealRun, RealRunError> {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        run(&Order {
            program: &program,
            settings,
            every_ns: 10_000_000,
            time: Duration::from_millis(1500),
            folder: folder.path(),
            interrupt: Interrupt::default(),
        })
    }

    const WHOLE: &str = r#"echo '{"runs":[{"snapshots":[{"label":"a","t_ns":5,"rss_bytes":9,"mem_stats":{}}],
        "summary":{"duration_ns":8,"peak_heap_alloc_bytes":3,"peak_rss_bytes":3000000}}]}' > run.json
        printf 't_ns,heap_alloc_bytes,rss_bytes\n7,1,2\n' > run.csv"#;
    const CYCLE: &str =
        "echo 'gc 1 @0.001s 2%: 1+1+1 ms clock, 1+0/1/0+1 ms cpu, 3->4->3 MB, 4 MB goal, 2 P' >&2";

    #[test]
    fn a_run_is_read_from_its_files_and_its_gctrace_lines() {
        let run = run_script(&format!("{CYCLE}\n{WHOLE}"), settings("")).unwrap();
        let measured = run.measured.unwrap();
        assert_eq!((measured.snapshots.len(), run.cycles.len(), run.moments.len()), (1, 1, 2));
        assert_eq!(run.moments[0].t_ns, 5, "snapshots are moments, in order of time");
        assert_eq!(measured.summary.peak_heap_alloc_bytes, 4 << 20, "the cycle saw more");
    }

    #[test]
    fn what_a_cycle_counted_twice_is_no_peak_of_the_next() {
        let cycle = |heap: &str| CYCLE.replace("3->4->3", heap);
        let script = format!("{}\n{}\n{WHOLE}", cycle("22->22->36"), cycle("36->36->22"));
        let measured = run_script(&script, settings("")).unwrap().measured.unwrap();
        assert_eq!(measured.summary.peak_heap_alloc_bytes, 22 << 20);
    }

    #[test]
    fn a_curve_comes_from_another_run_and_numbers_stay() {
        let quiet = run_script(WHOLE, settings("")).unwrap();
        let mut watched = quiet.clone();
        watched.wall_ns = 7;
        watched.moments.clear();
        watched.measured.as_mut().unwrap().summary.peak_heap_alloc_bytes = 99;
        watched.measured.as_mut().unwrap().summary.peak_rss_bytes = 99;
        let both = quiet.clone().with_curve_of(watched);
        assert_eq!((both.wall_ns, both.moments.len()), (quiet.wall_ns, 0));
        let summary = both.measured.unwrap().summary;
        assert_eq!((summary.peak_heap_alloc_bytes, summary.peak_rss_bytes), (99, 3_000_000));
    }

    #[test]
    fn settings_are_the_only_environment() {
        let script = format!("{WHOLE}\nenv | grep -v -e '^_=' -e PWD -e PATH -e SHLVL -e OLDPWD >&2; exit 1");
        let error = run_script(&script, settings("[go]\ngogc = 50\nmadvdontneed = false\n")).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("GO") && !said.contains("HOME"), "{said}");
    }

    #[test]
    fn what_goes_wrong_is_told() {
        let said = |script: &str| run_script(script, settings("")).unwrap_err().to_string();
        assert!(
            said(&format!("{CYCLE}\necho 'panic: no' >&2; exit 2")).contains("exit status: 2: panic: no")
        );
        assert!(said("sleep 1000").contains("killed after 1.5 s"));
        assert!(said("true").contains("cannot be read"));
        assert!(said(&format!("{WHOLE}\necho '{{\"runs\":[' > run.json")).contains("JSON"));
        assert!(said(&format!("{WHOLE}\nprintf 't_ns,heap' > run.csv")).contains("CSV"));
        assert!(said("echo 'gc 1 @0.0' >&2").contains("gctrace"));
    }

    #[test]
    fn a_container_kills_what_is_above_its_limit() {
        let small = contained(64);
        let killed = run_script("sleep 1000", small).unwrap();
        assert!(killed.measured.is_none() && !killed.moments.is_empty());
        // The peak that no look saw.
        let between = contained(2800);
        assert!(run_script(WHOLE, between).unwrap().measured.is_none());
    }
}
