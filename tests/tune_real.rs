//! What `gclab tune` recommends, in real Go under the same limit.
//!
//! Wants real Go: `GCLAB_GO=/path/to/bin/go cargo test --release --test tune_real -- --ignored --nocapture`. The container is
//! kept twice: by gclab, which watches the process and its peak, and, where a memory cgroup can be made, by the kernel itself.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Scenario and container in MiB.
const CASES: [(&str, u64); 3] = [("steady-gogc", 192), ("trading-gateway", 128), ("churn", 64)];
/// Real runs of each setting.
const RUNS: u32 = 3;

fn go() -> PathBuf {
    std::env::var_os("GCLAB_GO").expect("GCLAB_GO names the go command").into()
}

fn gclab() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("gclab"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn tune(sim: &str, mib: u64) -> Value {
    let output = gclab()
        .args(["tune", &format!("sims/{sim}.toml"), "--container", &format!("{mib}MiB"), "--json", "--go"])
        .arg(go())
        .args(["--runs", &RUNS.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{sim}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The program of a scenario, built.
fn program(sim: &str, folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("main.go"), folder.join("program"));
    let written = gclab().args(["go", &format!("sims/{sim}.toml"), "--out"]).arg(&source).status().unwrap();
    assert!(written.success());
    let built = Command::new(go())
        .args(["build", "-o"])
        .args([&program, &source])
        .current_dir(folder)
        .env("GOTOOLCHAIN", "local")
        .env("GO111MODULE", "off")
        .env("GOCACHE", folder.join("cache"))
        .status()
        .unwrap();
    assert!(built.success());
    program
}

/// A memory cgroup with a limit; gone when this is gone.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new(name: &str, bytes: u64) -> Option<Cgroup> {
        for (root, limit) in
            [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]
        {
            let folder = Path::new(root).join(format!("gclab-{name}-{}", std::process::id()));
            if std::fs::create_dir(&folder).is_err() {
                continue;
            }
            let cgroup = Cgroup(folder);
            if cgroup.0.join(limit).exists()
                && std::fs::write(cgroup.0.join(limit), bytes.to_string()).is_ok()
            {
                return Some(cgroup);
            }
        }
        None
    }

    /// Whether the kernel let a program come to its end.
    fn survives(&self, program: &Path, checked: &Value) -> bool {
        let enter = format!("echo $$ > {}/cgroup.procs && exec {}", self.0.display(), program.display());
        let status = Command::new("sh")
            .args(["-c", &enter])
            .env_clear()
            .env("GOGC", checked["gogc"].as_str().unwrap())
            .env("GOMEMLIMIT", checked["memory_limit"].as_str().unwrap())
            .env("GOMAXPROCS", "2")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        use std::os::unix::process::ExitStatusExt;
        assert!(status.success() || status.signal() == Some(9), "{status}: killed by something else");
        status.success()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The kernel lets go of a process a moment after it has ended.
        for _ in 0..50 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
#[ignore = "wants real Go in GCLAB_GO"]
fn what_is_recommended_survives_and_more_aggressive_settings_are_worse() {
    for (sim, mib) in CASES {
        let answer = tune(sim, mib);
        let checked = answer["real"]["checked"].as_array().unwrap();
        println!("\n{sim} in {mib} MiB, {}", answer["real"]["go"]);
        for one in checked {
            println!(
                "  GOGC={} GOMEMLIMIT={}: killed {} of {RUNS}, peak {:.1} MiB (predicted {:.1}), GC CPU {} (predicted {:.3})",
                one["gogc"].as_str().unwrap(),
                one["memory_limit"].as_str().unwrap(),
                one["killed"],
                one["peak_rss_bytes"].as_f64().unwrap() / 1048576.0,
                one["predicted_peak_rss_bytes"].as_f64().unwrap() / 1048576.0,
                one["gc_cpu_fraction"],
                one["predicted_gc_cpu_fraction"].as_f64().unwrap(),
            );
        }
        let (recommended, others) = checked.split_first().unwrap();
        assert_eq!(recommended["killed"], 0, "{sim}: the recommended setting is killed");
        assert!(!others.is_empty(), "{sim}: there is nothing more aggressive to compare with");
        let nearness =
            |one: &Value| (one["killed"].as_u64().unwrap(), one["peak_rss_bytes"].as_u64().unwrap());
        for other in others {
            assert!(nearness(other) > nearness(recommended), "{sim}: {other} is not worse");
        }
        let folder = tempfile::tempdir().unwrap();
        let Some(cgroup) = Cgroup::new(sim, mib << 20) else {
            println!("  no memory cgroup can be made here: the kernel was not asked");
            continue;
        };
        let program = program(sim, folder.path());
        for (index, one) in checked.iter().enumerate() {
            let survived = (0..RUNS).filter(|_| cgroup.survives(&program, one)).count();
            println!(
                "  in a cgroup: {} GOMEMLIMIT={} survived {survived} of {RUNS}",
                one["gogc"], one["memory_limit"]
            );
            assert!(
                index > 0 || survived == RUNS as usize,
                "{sim}: the kernel kills the recommended setting"
            );
        }
    }
}
