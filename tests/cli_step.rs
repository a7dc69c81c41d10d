//! `gclab step`: lines without a terminal, a screen with one, and mistakes.

use std::path::Path;

use assert_cmd::Command;

/// Exit code, stdout, stderr of `gclab step` in the project's folder, without a terminal.
fn step(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
        .arg("step")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn told(args: &[&str]) -> String {
    let (code, stdout, stderr) = step(args);
    assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
    stdout
}

/// A scenario file with these lines after the head.
fn file(folder: &Path, lines: &str) -> String {
    let path = folder.join("mine.toml");
    std::fs::write(&path, format!("title = \"t\"\nquestion = \"q\"\nanswer = \"a\"\n{lines}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_a_terminal_each_event_is_a_line() {
    let text = told(&["sims/delete-million.toml"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Delete a million entries");
    assert!(text.contains("\n  0  The program begins. Nothing is on the heap.\n"), "{text}");
    assert!(
        text.contains("  1  Shown small: every count and key of the scenario is divided by 10000"),
        "{text}"
    );
    assert!(text.contains("delete(m, 99): its slot is free again."), "{text}");
    assert!(text.trim_end().ends_with("The program is over."), "{text}");
    assert!(!text.contains('\u{1b}'), "no escape sequences");
}

#[test]
fn a_run_can_begin_anywhere_and_with_other_settings() {
    let all = told(&["2-write-barrier", "--plain"]);
    let from = told(&["2-write-barrier", "--at", "20"]);
    let events = |text: &str| text.lines().skip(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(events(&from), events(&all)[20..]);
    assert!(told(&["2-write-barrier", "--at", "1000000"]).ends_with("The program is over.\n"));
    let (old, new) = (told(&["3-map-slots", "--go", "1.23"]), told(&["3-map-slots", "--go", "1.27"]));
    assert!(old.contains("Go 1.23, GOGC 100") && new.contains("Go 1.27") && events(&old) != events(&new));
    assert!(told(&["4-pacer", "--gogc", "off"]).contains("GOGC off"));
    assert!(told(&["1-mark-and-sweep", "--lang", "zh"]).contains("程序开始"));
}

#[test]
fn without_a_scenario_those_made_for_stepping_are_listed() {
    let text = told(&[]);
    for name in ["1-mark-and-sweep", "5-pages"] {
        assert!(text.contains(&format!("{name}\n    ")), "{text}");
    }
}

#[test]
fn what_has_no_place_on_a_small_heap_is_said() {
    let text = told(&["sims/trading-gateway.toml"]);
    assert!(text.contains("Requests begin: ") && text.contains("of 24000 are shown"), "{text}");
    let text = told(&["sims/sync-map-delete.toml", "--go", "1.23"]);
    assert!(text.contains("a key of the read map only loses its value"), "{text}");
}

#[test]
fn mistakes_name_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = file(
        folder.path(),
        "vars = { m = \"map[int]int\" }\nsteps = [ { insert = { var = \"m\", keys = \"0..-5\" } } ]",
    );
    let (code, stdout, stderr) = step(&[&wrong]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("mine.toml:5:") && stderr.contains("steps[0].insert.keys"), "{stderr}");
    for (args, words) in [
        (&["nowhere.toml"][..], "cannot read nowhere.toml"),
        (&["1-mark-and-sweep", "--at=-3"], "--at"),
        (&["1-mark-and-sweep", "--go", "2.0"], "2.0"),
        (&["1-mark-and-sweep", "--gogc=-7"], "--gogc"),
        (&["1-mark-and-sweep", "--lang", "fr"], "en or zh"),
    ] {
        let (code, stdout, stderr) = step(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
    }
}

#[test]
fn what_is_too_much_even_when_small_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let many = "  \"gc\",\n".repeat(2000);
    let long = file(folder.path(), &format!("vars = {{ m = \"map[int]int\" }}\nsteps = [\n{many}]"));
    let (code, _, stderr) = step(&[&long]);
    assert_eq!(code, 2);
    assert!(stderr.contains("mine cannot be watched") && stderr.contains("accepted: "), "{stderr}");
}

#[cfg(unix)]
mod on_a_terminal {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::ffi::OsStrExt;
    use std::process::{Child, Command, ExitStatus};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

    /// What ends the second screen that a program may draw on.
    const LEAVE_SCREEN: &str = "\u{1b}[?1049l";
    const PATIENCE: Duration = Duration::from_secs(30);

    /// What a terminal of 80 columns shows, and everything that was written on it.
    struct Screen {
        cells: Vec<Vec<char>>,
        place: (usize, usize),
        written: String,
    }

    impl Screen {
        fn new() -> Screen {
            Screen { cells: vec![vec![' '; 80]; 24], place: (0, 0), written: String::new() }
        }

        /// Takes what was written since: characters, and of the escape sequences those that move the cursor.
        fn write(&mut self, block: &str) {
            self.written.push_str(block);
            let mut rest = block.chars();
            while let Some(letter) = rest.next() {
                match letter {
                    '\u{1b}' => {
                        let text = rest.as_str();
                        let end = text.find(|letter: char| letter.is_ascii_alphabetic());
                        let end = end.map_or(text.len(), |end| end + 1);
                        self.obey(text[..end].trim_start_matches('['));
                        rest = text[end..].chars();
                    }
                    letter if letter >= ' ' => {
                        let (row, column) = self.place;
                        if let Some(cell) = self.cells.get_mut(row).and_then(|cells| cells.get_mut(column)) {
                            *cell = letter;
                        }
                        self.place.1 += 1;
                    }
                    _ => {}
                }
            }
        }

        fn obey(&mut self, sequence: &str) {
            if let Some(place) = sequence.strip_suffix('H') {
                let mut numbers = place.split(';').map(|number| number.parse::<usize>().unwrap_or(1));
                let mut next = || numbers.next().unwrap_or(1) - 1;
                self.place = (next(), next());
            }
        }

        fn shows(&self, words: &str) -> bool {
            self.cells.iter().any(|row| row.iter().collect::<String>().contains(words))
        }
    }

    /// `gclab step` on a terminal of its own.
    struct Session {
        child: Child,
        master: File,
        /// The other end, which the program has, too: for looking at its settings.
        slave: File,
        output: Receiver<Vec<u8>>,
        screen: Screen,
    }

    impl Session {
        fn start(args: &[&str], env: &[(&str, &str)]) -> Session {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&master).unwrap();
            unlockpt(&master).unwrap();
            let name = ptsname(&master, Vec::new()).unwrap();
            let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
            let slave = File::options().read(true).write(true).open(path).unwrap();
            tcsetwinsize(&slave, Winsize { ws_col: 80, ws_row: 24, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
            let child = Command::new(assert_cmd::cargo::cargo_bin!("gclab"))
                .arg("step")
                .args(args)
                .env("TERM", "xterm-256color")
                .env_remove("NO_COLOR")
                .envs(env.iter().copied())
                .stdin(slave.try_clone().unwrap())
                .stdout(slave.try_clone().unwrap())
                .stderr(slave.try_clone().unwrap())
                .spawn()
                .unwrap();
            let master = File::from(master);
            let (sender, output) = channel();
            let mut reader = master.try_clone().unwrap();
            std::thread::spawn(move || {
                let mut block = [0; 4096];
                while let Ok(len) = reader.read(&mut block) {
                    if len == 0 || sender.send(block[..len].to_vec()).is_err() {
                        break;
                    }
                }
            });
            Session { child, master, slave, output, screen: Screen::new() }
        }

        /// Waits until the screen is as `wanted`.
        #[track_caller]
        fn expect(&mut self, what: &str, wanted: impl Fn(&Screen) -> bool) {
            let deadline = Instant::now() + PATIENCE;
            while !wanted(&self.screen) {
                let left = deadline.saturating_duration_since(Instant::now());
                match self.output.recv_timeout(left) {
                    Ok(block) => self.screen.write(&String::from_utf8_lossy(&block)),
                    Err(_) => panic!("{what:?} did not come in {:?}", self.screen.written),
                }
            }
        }

        #[track_caller]
        fn expect_words(&mut self, words: &str) {
            self.expect(words, |screen| screen.shows(words));
        }

        #[track_caller]
        fn expect_to_leave(&mut self) {
            self.expect("the other screen", |screen| screen.written.contains(LEAVE_SCREEN));
        }

        fn press(&mut self, keys: &str) {
            self.master.write_all(keys.as_bytes()).unwrap();
        }

        /// Whether keys come one by one and unseen.
        fn is_raw(&self) -> bool {
            !tcgetattr(&self.slave).unwrap().local_modes.contains(LocalModes::ICANON)
        }

        fn end(&mut self) -> ExitStatus {
            let deadline = Instant::now() + PATIENCE;
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                assert!(Instant::now() < deadline, "it goes on");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    impl Drop for Session {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    fn keys_step_and_q_gives_the_terminal_back() {
        let mut session = Session::start(&["1-mark-and-sweep"], &[]);
        session.expect_words("The program begins");
        assert!(session.is_raw());
        session.press("\u{1b}[C");
        session.expect_words("a new span is cut");
        session.press("\u{1b}[D");
        session.expect_words("The program begins");
        session.press("q");
        session.expect_to_leave();
        assert!(session.end().success());
        assert!(!session.is_raw(), "the terminal is as it was");
    }

    #[test]
    fn control_c_and_signals_give_the_terminal_back() {
        let mut session = Session::start(&["4-pacer", "--at", "5"], &[]);
        session.expect_words("event 5 of");
        session.press("\u{3}");
        session.expect_to_leave();
        assert!(session.end().success() && !session.is_raw());

        let mut session = Session::start(&["4-pacer"], &[]);
        session.expect_words("event 0 of");
        let id = session.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        session.expect_to_leave();
        assert_eq!(session.end().code(), Some(130));
        assert!(!session.is_raw());
    }

    #[test]
    fn no_color_is_respected() {
        let coloured = |env: &[(&str, &str)]| {
            let mut session = Session::start(&["1-mark-and-sweep", "--at", "40"], env);
            session.expect_words("q quit");
            let seen = session.screen.written.clone();
            session.press("q");
            session.end();
            // Foregrounds and backgrounds, as numbers or out of a palette.
            ["\u{1b}[38;", "\u{1b}[48;", "\u{1b}[30m", "\u{1b}[47m", "\u{1b}[107m"]
                .iter()
                .any(|code| seen.contains(code))
        };
        assert!(coloured(&[]));
        assert!(!coloured(&[("NO_COLOR", "1")]));
    }
}
