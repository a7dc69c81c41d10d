//! Which programs are run, with which arguments, for which groups of prices.
//!
//! Sizes lie on both sides of the usual caches: a map of 100 entries and one of four million, heaps from 256 KiB to
//! 256 MiB. A quick calibration leaves out what takes longest and stands at the ends of curves, which then are flatter there.

/// How thorough a calibration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Everything, twice if the time allows: about ten minutes.
    Full,
    /// Fewer sizes and repetitions, once: about two minutes.
    Quick,
}

/// One run of one program.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measurement {
    pub program: &'static str,
    pub args: Vec<String>,
    /// GOMAXPROCS; programs with 1 are pinned to a core.
    pub procs: u32,
    /// Groups of prices that its rows are for.
    pub groups: &'static [&'static str],
    /// Time it took on the reference machine, for progress.
    pub seconds: f64,
}

/// The programs that travel with the binary.
pub(super) const PROGRAMS: [(&str, &str); 11] = [
    ("thermometer", include_str!("programs/thermometer/main.go")),
    ("pages", include_str!("programs/pages/main.go")),
    ("malloc", include_str!("programs/malloc/main.go")),
    ("maps", include_str!("programs/maps/main.go")),
    ("keys", include_str!("programs/keys/main.go")),
    ("mark", include_str!("programs/mark/main.go")),
    ("sweep", include_str!("programs/sweep/main.go")),
    ("runtimecosts", include_str!("programs/runtimecosts/main.go")),
    ("duringmark", include_str!("programs/duringmark/main.go")),
    ("besidemutator", include_str!("programs/besidemutator/main.go")),
    ("sync", include_str!("programs/sync/main.go")),
];

/// A hash of all programs (FNV-1a, 64 bits): profiles with the same hash were measured by the same programs.
pub(super) fn programs_hash() -> String {
    let bytes = PROGRAMS.iter().flat_map(|(name, source)| name.bytes().chain(source.bytes()));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

/// The thermometer is read before and after everything else.
pub(super) fn thermometer() -> Measurement {
    Measurement { program: "thermometer", args: Vec::new(), procs: 1, groups: &[], seconds: 3.0 }
}

/// What is to be run for the wanted groups, in order.
pub(super) fn plan(effort: Effort, wanted: &[String]) -> Vec<Measurement> {
    let mut plan = Plan { effort, all: Vec::new() };
    plan.kernel();
    plan.allocation();
    plan.cycle_and_goroutines();
    plan.maps();
    plan.keys();
    plan.marking();
    plan.marking_by_two();
    plan.sweeping();
    plan.sync();
    plan.all.retain(|one| one.groups.iter().any(|group| wanted.iter().any(|name| name == group)));
    plan.all
}

struct Plan {
    effort: Effort,
    all: Vec<Measurement>,
}

impl Plan {
    fn add(&mut self, groups: &'static [&'static str], procs: u32, seconds: f64, line: &str) {
        let mut words = line.split(' ');
        let named = words.next().expect("a line begins with a program");
        let (program, _) =
            PROGRAMS.iter().find(|(name, _)| *name == named).expect("the program is one of ours");
        let seconds = if self.effort == Effort::Quick { seconds / 2.5 } else { seconds };
        let args = words.map(str::to_owned).collect();
        self.all.push(Measurement { program, args, procs, groups, seconds });
    }

    /// Values for a full calibration, and the first few of them for a quick one.
    fn some<T: Copy>(&self, values: &[T], quick: usize) -> Vec<T> {
        values[..if self.effort == Effort::Quick { quick } else { values.len() }].to_vec()
    }

    fn kernel(&mut self) {
        self.add(&["kernel"], 1, 9.0, "pages");
        self.add(&["kernel"], 2, 1.8, "pages beside");
        self.add(&["kernel"], 2, 1.5, "pages copy");
        for entries in ["10000", "100000", "300000", "1000000"] {
            self.add(&["kernel"], 1, 1.5, &format!("maps fresh {entries}"));
        }
    }

    fn allocation(&mut self) {
        self.add(&["allocation"], 1, 2.0, "malloc clearing");
        for object in [
            "n8", "n16", "n32", "n64", "n128", "n256", "n512", "n1024", "n2048", "n4096", "n8192", "n16k",
            "n32k", "n64k",
        ] {
            self.add(&["allocation"], 1, 1.3, &format!("malloc {object}"));
        }
        for object in ["n1m", "p1m"] {
            self.add(&["allocation"], 1, 4.0, &format!("malloc {object}"));
        }
        for object in ["s16", "s32", "s64", "s128", "s256", "s512", "s1024"] {
            self.add(&["allocation"], 1, 1.5, &format!("malloc {object}"));
        }
        self.add(&["allocation"], 2, 6.0, "duringmark prices");
    }

    fn cycle_and_goroutines(&mut self) {
        for procs in [1, 2] {
            self.add(&["cycle", "goroutines"], procs, 4.0, "runtimecosts");
            for _ in 0..3 {
                self.add(&["cycle", "marking"], procs, 0.4, "mark empty 0 0");
            }
        }
        self.add(&["cycle", "marking"], 2, 4.0, "besidemutator");
    }

    fn maps(&mut self) {
        for entries in ["100 9", "1000 9", "10000 9", "100000 9"] {
            self.add(&["maps"], 1, 1.0, &format!("maps {entries} int"));
        }
        for (entries, seconds) in self.some(&[("1000000 7", 6.0), ("4000000 3", 10.0)], 1) {
            self.add(&["maps"], 1, seconds, &format!("maps {entries} int"));
        }
        for (entries, seconds) in
            self.some(&[("1000", 0.4), ("10000", 0.4), ("100000", 0.6), ("1000000", 8.0), ("300000", 2.0)], 4)
        {
            self.add(&["maps"], 1, seconds, &format!("maps apart {entries}"));
        }
        for (log, seconds) in
            self.some(&[(6, 0.5), (10, 0.5), (13, 0.5), (16, 2.0), (17, 3.0), (18, 6.0), (19, 12.0)], 5)
        {
            self.add(&["maps"], 1, seconds, &format!("maps evacuate {log}"));
        }
        for (log, seconds) in [(8, 0.3), (11, 0.3), (14, 0.3), (17, 2.0), (18, 4.0)] {
            self.add(&["maps"], 1, seconds, &format!("maps load {log}"));
        }
    }

    fn keys(&mut self) {
        self.add(&["keys"], 1, 6.0, "keys");
        for (entries, seconds) in
            self.some(&[("1000", 0.5), ("30000", 0.8), ("300000", 2.0), ("1000000", 8.0)], 3)
        {
            self.add(&["keys"], 1, seconds, &format!("maps text {entries}"));
        }
    }

    fn marking(&mut self) {
        let heaps = self.some(&["0.25", "1", "4", "16", "64", "256"], 5);
        let mut mark = |shape: &str, heap: &&str, seconds: f64| {
            let mib: f64 = heap.parse().expect("a size in MiB");
            let share = if mib < 20.0 { mib / 16.0 } else { mib / 64.0 };
            self.add(&["marking"], 1, 0.3 + seconds * share, &format!("mark {shape} {heap}"));
        };
        for heap in &heaps {
            mark("listshuffled 64", heap, 4.0);
        }
        for heap in &heaps[1..] {
            for shape in ["scanshuffled 64", "graph2 64", "graph4 64"] {
                mark(shape, heap, 3.0);
            }
            mark("mapptr 64", heap, 1.5);
            mark("mapnil 64", heap, 1.0);
        }
        for heap in &heaps[2..] {
            mark("list 64", heap, 0.7);
            mark("noscanslice 64", heap, 0.5);
            mark("noscanshuffled 64", heap, 1.0);
            mark("scanslice 64", heap, 0.6);
        }
        for heap in &["4", "16", "64"] {
            for size in [16, 32, 128, 256, 1024] {
                mark(&format!("list {size}"), heap, 0.8);
            }
            for shape in [
                "scanslice 256",
                "scanslice 1024",
                "scanshuffled 1024",
                "farshuffled 1024",
                "wordslice 64",
                "wordslice 256",
                "wordslice 8192",
                "nilarray 8",
                "fewarray 8",
            ] {
                mark(shape, heap, 0.8);
            }
        }
    }

    fn sync(&mut self) {
        self.add(&["sync"], 1, 17.0, "sync");
        self.add(&["sync"], 2, 10.0, "sync");
    }

    /// The same heaps with two workers.
    fn marking_by_two(&mut self) {
        for shape in ["scanslice 64", "scanshuffled 64", "mapptr 64", "scanshuffled 1024"] {
            self.add(&["marking"], 2, 2.0, &format!("mark {shape} 64"));
        }
    }

    fn sweeping(&mut self) {
        for size in [64, 256, 1024] {
            for pattern in ["live", "half", "dead"] {
                self.add(&["sweeping"], 1, 3.0, &format!("sweep {size} {pattern} 128"));
            }
        }
        for procs in [1, 2] {
            self.add(&["sweeping"], procs, 1.0, "mark list 64 64");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::GROUPS;

    #[test]
    fn keys_are_made_by_the_helpers_of_written_programs() {
        let helpers = [
            include_str!("../go_program/helpers/constant_key.go.txt"),
            include_str!("../go_program/helpers/key_text.go.txt"),
            include_str!("../go_program/helpers/known_key.go.txt"),
            include_str!("../go_program/helpers/mix.go.txt"),
            include_str!("../go_program/helpers/permutation.go.txt"),
            include_str!("../go_program/helpers/stream.go.txt"),
            include_str!("../go_program/helpers/text.go.txt"),
            include_str!("../go_program/helpers/zipf.go.txt"),
        ];
        let source = |wanted: &str| PROGRAMS.iter().find(|(name, _)| *name == wanted).unwrap().1;
        for helper in helpers.map(|text| text.replace("{{longest}}", "256")) {
            assert!(source("keys").contains(&helper), "{helper}");
        }
        for helper in [helpers[1], helpers[2], helpers[6]].map(|text| text.replace("{{longest}}", "256")) {
            assert!(source("maps").contains(&helper), "{helper}");
        }
    }

    #[test]
    fn every_group_is_measured_and_the_time_is_bounded() {
        let all: Vec<String> = GROUPS.map(str::to_owned).to_vec();
        let seconds = |plan: &[Measurement]| plan.iter().map(|one| one.seconds).sum::<f64>();
        let (full, quick) = (plan(Effort::Full, &all), plan(Effort::Quick, &all));
        assert!(seconds(&full) < 480.0, "{}", seconds(&full));
        assert!(seconds(&quick) < 110.0, "{}", seconds(&quick));
        for group in all {
            assert!(!plan(Effort::Quick, &[group]).is_empty());
        }
    }
}
