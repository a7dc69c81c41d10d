//! Child processes that cannot run away: a deadline, a memory bound, bounded output, and nothing left behind.
//!
//! A child leads a process group of its own, so that whatever it starts goes with it. It is waited for without being
//! reaped, the group is killed, and only then is the child reaped: until that moment its number cannot belong to
//! anybody else. The same happens when the caller goes away early (`Drop`). What it prints goes into files, because a
//! pipe stays open as long as any grandchild holds it.
//!
//! Resident memory is read from `/proc/PID/statm` every few milliseconds; where there is no such file nothing is watched.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a child is looked at.
const POLL: Duration = Duration::from_millis(3);
/// More output than this is a mistake: the child is killed.
const OUTPUT_LIMIT_BYTES: u64 = 64 << 20;

/// Set once when the user wants everything to stop; every waiting child is then killed.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Stops everything that waits.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether everything should stop.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a child may use.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Wall time.
    pub time: Duration,
    /// Resident bytes; `None` for no bound.
    pub memory_bytes: Option<u64>,
    /// Kills the child when set.
    pub interrupt: Interrupt,
}

/// How a child ended.
#[derive(Debug)]
pub enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// Killed after the time it was given.
    TimedOut,
    /// Killed because this many bytes were resident.
    OverMemory(u64),
    /// Killed because it printed more than it may.
    TooMuchOutput,
    /// Killed because the user wanted to stop.
    Interrupted,
}

/// A child that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub ending: Ending,
    /// From start to end, in nanoseconds.
    pub wall_ns: u64,
    /// What it printed.
    pub stdout: String,
    /// What it said on stderr.
    pub stderr: String,
    /// Resident bytes at moments (nanoseconds) since the start.
    pub resident: Vec<(u64, u64)>,
}

impl Finished {
    /// The first line of stderr that says something, else of stdout.
    pub fn complaint(&self) -> &str {
        let lines = self.stderr.lines().chain(self.stdout.lines()).map(str::trim);
        lines
            .clone()
            .filter(|line| !line.starts_with('#'))
            .find(|line| !line.is_empty())
            .unwrap_or("no message")
    }
}

/// Runs `command` to its end, or to the end of what it may use.
///
/// # Errors
/// The system's, when it cannot be started.
pub fn run(command: &mut Command, bounds: &Bounds) -> io::Result<Finished> {
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    group::lead(command);
    let start = Instant::now();
    let mut family = Family { child: command.spawn()? };
    let (said, ended) = mpsc::channel();
    let number = family.child.id();
    let waiter = std::thread::spawn(move || {
        group::wait_without_reaping(number);
        // Nobody listens any more when the child was killed first.
        let _ = said.send(Instant::now());
    });
    let mut watch = Watch { number, start, bounds, resident: Vec::new(), outputs: [&stdout, &stderr] };
    let (stopped, end) = loop {
        match ended.recv_timeout(POLL) {
            Ok(end) => break (None, end),
            Err(RecvTimeoutError::Disconnected) => break (None, Instant::now()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(ending) = watch.look()? {
                    break (Some(ending), Instant::now());
                }
            }
        }
    };
    let resident = watch.resident;
    let status = family.end()?;
    let _ = waiter.join();
    Ok(Finished {
        ending: stopped.unwrap_or(Ending::Exited(status)),
        wall_ns: (end - start).as_nanos() as u64,
        stdout: text(&mut stdout)?,
        stderr: text(&mut stderr)?,
        resident,
    })
}

/// What is known of a running child.
struct Watch<'b> {
    number: u32,
    start: Instant,
    bounds: &'b Bounds,
    resident: Vec<(u64, u64)>,
    outputs: [&'b File; 2],
}

impl Watch<'_> {
    /// Looks once; says how the child must end if it must.
    fn look(&mut self) -> io::Result<Option<Ending>> {
        let passed = self.start.elapsed();
        if self.bounds.interrupt.is_stopped() {
            return Ok(Some(Ending::Interrupted));
        }
        if passed > self.bounds.time {
            return Ok(Some(Ending::TimedOut));
        }
        if let Some(bytes) = resident_bytes(self.number) {
            self.resident.push((passed.as_nanos() as u64, bytes));
            if self.bounds.memory_bytes.is_some_and(|limit| bytes > limit) {
                return Ok(Some(Ending::OverMemory(bytes)));
            }
        }
        for output in self.outputs {
            if output.metadata()?.len() > OUTPUT_LIMIT_BYTES {
                return Ok(Some(Ending::TooMuchOutput));
            }
        }
        Ok(None)
    }
}

/// A child and everything it started: gone when this is gone.
struct Family {
    child: Child,
}

impl Family {
    fn end(&mut self) -> io::Result<ExitStatus> {
        group::kill(&mut self.child);
        self.child.wait()
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // A child that was reaped has given its number back: it must not be used again.
        if let Ok(None) = self.child.try_wait() {
            let _ = self.end();
        }
    }
}

/// The second number of `/proc/PID/statm` is resident pages.
fn resident_bytes(number: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{number}/statm")).ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * group::page_bytes())
}

fn text(file: &mut File) -> io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(OUTPUT_LIMIT_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(unix)]
mod group {
    //! Process groups.

    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    pub fn lead(command: &mut Command) {
        command.process_group(0);
    }

    fn pid(number: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(number).ok()?)
    }

    pub fn wait_without_reaping(number: u32) {
        let Some(pid) = pid(number) else { return };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
    }

    pub fn kill(child: &mut Child) {
        if let Some(pid) = pid(child.id()) {
            // A group whose members are all gone is no error.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    pub fn page_bytes() -> u64 {
        rustix::param::page_size() as u64
    }
}

#[cfg(not(unix))]
mod group {
    //! Elsewhere a child is killed alone, and its end is found by asking.

    use std::process::{Child, Command};

    pub fn lead(_command: &mut Command) {}

    pub fn wait_without_reaping(_number: u32) {
        unimplemented!("real Go is run on unix only")
    }

    pub fn kill(child: &mut Child) {
        let _ = child.kill();
    }

    pub fn page_bytes() -> u64 {
        4096
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, bounds: &Bounds) -> Finished {
        run(Command::new("sh").args(["-c", script]), bounds).unwrap()
    }

    fn bounds(milliseconds: u64) -> Bounds {
        Bounds {
            time: Duration::from_millis(milliseconds),
            memory_bytes: None,
            interrupt: Interrupt::default(),
        }
    }

    /// Whether a process is gone, or goes within a moment: a kill is not waited for by those who are not its parent.
    fn goes(number: &str) -> bool {
        let number: u32 = number.trim().parse().expect("the script had time to tell a number");
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z")
        })
    }

    #[test]
    fn output_and_status_come_back() {
        let finished = shell("echo out; echo err >&2; exit 3", &bounds(20_000));
        assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("out\n", "err\n"));
        assert!(matches!(finished.ending, Ending::Exited(status) if status.code() == Some(3)));
        assert!(finished.wall_ns > 0);
    }

    #[test]
    fn a_child_that_hangs_is_killed_with_all_it_started() {
        let finished = shell("sleep 1000 & echo $!; sleep 1000", &bounds(2_000));
        assert!(matches!(finished.ending, Ending::TimedOut), "{finished:?}");
        assert!(goes(&finished.stdout), "the grandchild is alive");
    }

    #[test]
    fn what_a_child_leaves_in_the_background_goes_with_it() {
        let finished = shell("sleep 1000 & echo $!", &bounds(20_000));
        assert!(matches!(finished.ending, Ending::Exited(_)), "{finished:?}");
        assert!(goes(&finished.stdout), "the grandchild is alive");
    }

    #[test]
    fn too_much_memory_and_an_interrupt_end_a_child() {
        let tight = Bounds { memory_bytes: Some(1), ..bounds(20_000) };
        assert!(matches!(shell("sleep 1000", &tight).ending, Ending::OverMemory(bytes) if bytes > 1));
        let stopped = bounds(20_000);
        stopped.interrupt.stop();
        assert!(matches!(shell("sleep 1000", &stopped).ending, Ending::Interrupted));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        assert!(run(&mut Command::new("no-such-program"), &bounds(1000)).is_err());
    }
}
