//! The machine that real Go runs on: how much memory it has, and what a report says about it.

use serde::{Deserialize, Serialize};

/// What a reader has to know to judge numbers that depend on time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// `Intel(R) Xeon(R) ...`.
    pub processor: String,
    /// Processors that a program can use.
    pub cores: usize,
    /// `Linux 6.1.0`.
    pub kernel: String,
}

impl Host {
    /// This machine.
    pub fn here() -> Host {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let kernel = format!(
            "{} {}",
            read("/proc/sys/kernel/ostype").trim(),
            read("/proc/sys/kernel/osrelease").trim()
        );
        Host {
            processor: processor(&read("/proc/cpuinfo")).unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: if kernel.trim().is_empty() { std::env::consts::OS.to_owned() } else { kernel },
        }
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Memory of this machine in bytes, or of the container that it is; `None` when neither says.
pub fn memory_bytes() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let total = read("/proc/meminfo").as_deref().and_then(total_bytes);
    let limit = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
    [total, limit].into_iter().flatten().min()
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        assert_eq!(total_bytes("MemTotal:       24635772 kB\nMemFree: 1 kB\n"), Some(24_635_772 << 10));
        assert_eq!(total_bytes("nothing"), None);
        assert_eq!(processor("processor: 0\nmodel name\t: A CPU\n").as_deref(), Some("A CPU"));
    }
}
