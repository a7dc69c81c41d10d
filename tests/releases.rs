//! What differs between Go releases, from the outside: a process at the start of `main`, scan work with Green Tea, memory that
//! was given back, where the heap begins. Real numbers are those of programs that `gclab go` writes, on linux/amd64.

use std::collections::BTreeSet;

use gclab::scenario::{Overrides, Scenario, run};
use gclab::trace::Trace;
use gclab::version::GoVersion;

fn simulate(text: &str, version: GoVersion, more: Overrides) -> Trace {
    let scenario = Scenario::parse("releases.toml", text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let overrides = Overrides { version: Some(version), ..more };
    run(&scenario, &scenario.settings().overridden(&overrides)).unwrap()
}

const NEW: [GoVersion; 3] = [GoVersion::Go1_24, GoVersion::Go1_25, GoVersion::Go1_27];

fn near(what: &str, simulated: u64, real: u64, share: f64) {
    let miss = (simulated as f64 - real as f64).abs() / real as f64;
    assert!(miss <= share, "{what}: simulated {simulated}, real {real}, {:.2} % apart", miss * 100.0);
}

/// What a process has at the first statement of `main` and after one cycle, with two Ps: the most common of fifteen runs each,
/// VmRSS the median; but two values of 1.27 are the second most common ones. `HeapAlloc` was 80,800 B in seven runs and
/// 75,480 B in six. `Sys` after the cycle was 7,887,112 B in seven runs, in which no P opened a further chunk of 256 KiB; in
/// others one did, as with one P and in other releases.
struct Start {
    version: GoVersion,
    heap_alloc: u64,
    stack_inuse: u64,
    mspan_sys: u64,
    mcache_sys: u64,
    buck_hash_sys: u64,
    sys: [u64; 2],
    rss_kib: [u64; 2],
}

const STARTS: [Start; 3] = [
    Start {
        version: GoVersion::Go1_24,
        heap_alloc: 60_368,
        stack_inuse: 262_144,
        mspan_sys: 32_640,
        mcache_sys: 15_704,
        buck_hash_sys: 2_455,
        sys: [6_380_560, 6_708_240],
        rss_kib: [2404, 2688],
    },
    Start {
        version: GoVersion::Go1_25,
        heap_alloc: 69_536,
        stack_inuse: 262_144,
        mspan_sys: 32_640,
        mcache_sys: 15_704,
        buck_hash_sys: 1_442_681,
        sys: [7_821_576, 8_149_256],
        rss_kib: [2508, 2768],
    },
    Start {
        version: GoVersion::Go1_27,
        heap_alloc: 75_480,
        stack_inuse: 262_144,
        mspan_sys: 32_640,
        mcache_sys: 16_072,
        buck_hash_sys: 1_442_660,
        sys: [7_821_576, 8_149_256],
        rss_kib: [2516, 2832],
    },
];

#[test]
fn a_process_begins_as_a_real_one() {
    let text = r#"
        title = "t"
        question = "q"
        answer = "a"
        steps = [{ snapshot = "start" }, "gc", { snapshot = "collected" }]
    "#;
    for real in STARTS {
        let version = real.version;
        let trace = simulate(text, version, Overrides::default());
        let [start, collected] = &trace.snapshots[..] else { panic!("{} snapshots", trace.snapshots.len()) };
        let stats = &start.mem_stats;
        assert_eq!(stats.stack_inuse, real.stack_inuse, "{version}");
        assert_eq!(stats.mspan_sys, real.mspan_sys, "{version}");
        assert_eq!(stats.mcache_sys, real.mcache_sys, "{version}");
        assert_eq!(stats.buck_hash_sys, real.buck_hash_sys, "{version}");
        assert_eq!(stats.next_gc, 4 << 20, "{version}");
        let mapped = stats.heap_sys + stats.stack_inuse;
        assert!(
            mapped == 4 << 20 || (version == GoVersion::Go1_27 && mapped == 8 << 20),
            "{version}: {mapped}"
        );
        // A heap that begins high in its first chunk needs a second one.
        let second_chunk = mapped - (4 << 20);
        near(&format!("{version} HeapAlloc"), stats.heap_alloc, real.heap_alloc, 0.12);
        near(&format!("{version} Sys"), stats.sys - second_chunk, real.sys[0], 0.0001);
        near(
            &format!("{version} Sys, collected"),
            collected.mem_stats.sys - second_chunk,
            real.sys[1],
            0.002,
        );
        near(&format!("{version} RSS"), start.rss_bytes >> 10, real.rss_kib[0], 0.01);
        near(&format!("{version} RSS, collected"), collected.rss_bytes >> 10, real.rss_kib[1], 0.05);
    }
}

/// Separate nodes of 64 B, one pointer each, behind a slice of pointers; real Go marks 28,859,144 B of scan work with 1.27.3,
/// 6,443,816 B with 1.25.5 and 6,444,064 B with 1.23.9.
#[test]
fn dense_spans_count_whole_slots_with_green_tea() {
    let text = r#"
        title = "t"
        question = "q"
        answer = "a"
        steps = [
          { alloc = { into = "nodes", count = 400_000, backing = "presized" } },
          "gc",
        ]
        [types]
        Node = { fields = { next = "*Node", payload = "[7]int" } }
        [vars]
        nodes = "[]*Node"
    "#;
    for (version, real) in
        [(GoVersion::Go1_23, 6_444_064), (GoVersion::Go1_25, 6_443_816), (GoVersion::Go1_27, 28_859_144)]
    {
        let trace = simulate(text, version, Overrides::default());
        let forced = trace.cycles.last().unwrap();
        near(&format!("{version} scan work"), forced.heap_scan_work_bytes, real, 0.003);
    }
}

#[test]
fn memory_that_was_given_back_is_cleared_again_up_to_1_25() {
    let text = r#"
        title = "t"
        question = "q"
        answer = "a"
        steps = [
          { alloc = { into = "blocks", count = 4, size = "16MiB" } },
          { drop = "blocks" },
          "free-os-memory",
          { snapshot = "given back" },
          { alloc = { into = "blocks", count = 1, size = "16MiB", written = "first-byte" } },
          { snapshot = "taken again" },
        ]
        [vars]
        blocks = "[][]byte"
    "#;
    for version in GoVersion::ALL {
        let grown = |madvdontneed| {
            let trace = simulate(
                text,
                version,
                Overrides { madvdontneed: Some(madvdontneed), ..Overrides::default() },
            );
            let rss = |index: usize| trace.snapshots[index].rss_bytes as i64;
            (rss(1) - rss(0)) >> 20
        };
        let resident_mib = if version == GoVersion::Go1_27 { 0..=0 } else { 16..=16 };
        assert!(resident_mib.contains(&grown(true)), "{version}: {} MiB became resident", grown(true));
        // Pages given up with MADV_FREE may still hold what they held.
        assert_eq!(grown(false), 0, "{version}: the pages were resident all the time");
    }
}

#[test]
fn the_heap_of_1_27_begins_where_the_seed_says() {
    let text = r#"
        title = "t"
        question = "q"
        answer = "a"
        steps = [{ snapshot = "start" }]
    "#;
    let start = |version, seed| {
        let trace = simulate(text, version, Overrides { seed: Some(seed), ..Overrides::default() });
        let stats = &trace.snapshots[0].mem_stats;
        (stats.heap_released, stats.heap_sys + stats.stack_inuse)
    };
    let mut sizes = BTreeSet::new();
    let mut of_8_mib = 0;
    for seed in 0..200 {
        let (released, mapped) = start(GoVersion::Go1_27, seed);
        assert_eq!((released, mapped), start(GoVersion::Go1_27, seed), "seed {seed}");
        sizes.insert(mapped);
        of_8_mib += u32::from(mapped == 8 << 20);
    }
    assert_eq!(sizes, BTreeSet::from([4 << 20, 8 << 20]));
    // 4 of 40 real processes.
    assert!((10..=40).contains(&of_8_mib), "{of_8_mib} of 200 processes began with 8 MiB");
    for version in NEW.into_iter().filter(|version| *version != GoVersion::Go1_27) {
        assert_eq!(start(version, 1), start(version, 2));
    }
}
