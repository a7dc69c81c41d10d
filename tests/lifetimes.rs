//! How many cycles an object needs to go: plain, with finalizers, in chains and in circles, against real Go.
//!
//! The measured program makes objects of 1 MiB, drops them, and calls `runtime.GC()` and sleeps 20 ms until HeapAlloc is
//! back. Not carried by the model yet, and therefore not compared: clearing a finalizer, `sync.Pool`.

mod golden_rows;

use gclab::heap::mutator::Mutator;
use gclab::heap::object::{Layout, ObjRef};
use gclab::heap::size_class::charged_bytes;
use gclab::heap::special::FinalizerAction;
use gclab::process::{Process, Settings};
use gclab::units::MIB;
use gclab::version::GoVersion;

use golden_rows::{Row, number, rows};

/// Objects of 1 MiB whose first word is a pointer.
const OBJECT: Layout = Layout::scan(MIB, 1, 8);
/// Cycles after which the measured program gave up, beyond the number of objects.
const PATIENCE: usize = 6;

/// Measured scenarios that the model has no words for.
const NOT_MODELLED: [&str; 5] = [
    "finalizer_set_then_cleared",
    "sync.Pool_private",
    "sync.Pool_private_plus_shared",
    // Not counts of cycles, but what `Value` says.
    "weak_value_nil_after_free",
    "weak_nil_after_first_gc_with_finalizer",
];

/// Makes the objects of a measured scenario and drops them.
fn make_garbage(process: &mut Process, scenario: &str) {
    let count = if scenario.contains("chain") {
        3
    } else if scenario.contains("cycle") || scenario.contains("other_object") {
        2
    } else {
        1
    };
    let objects: Vec<ObjRef> = (0..count)
        .map(|_| {
            let object = process.alloc(OBJECT);
            process.push_local(object);
            object
        })
        .collect();
    for pair in objects.windows(2).filter(|_| !scenario.contains("other_object")) {
        process.set_pointer(pair[0], 0, pair[1]);
    }
    let finalized: &[ObjRef] = match scenario {
        "plain"
        | "addcleanup"
        | "addcleanup_arg_holds_other_object"
        | "addcleanup_chain_each"
        | "weak_pointer" => &[],
        "finalizer_and_cleanup" | "weak_pointer_and_finalizer" => &objects,
        "finalizer" | "finalizer_resurrects_to_global" | "finalizer_chain_each" => &objects,
        "finalizer_chain_head_only" => &objects[..1],
        "finalizer_chain_tail_only" => &objects[count - 1..],
        "finalizer_cycle_of_two" => {
            process.set_pointer(objects[1], 0, objects[0]);
            &objects
        }
        other => panic!("what is {other}?"),
    };
    let action = match scenario {
        "finalizer_resurrects_to_global" => FinalizerAction::Resurrect,
        _ => FinalizerAction::Return,
    };
    finalized.iter().for_each(|object| process.set_finalizer(*object, action));
    match scenario {
        "addcleanup_arg_holds_other_object" => process.add_cleanup(objects[0], objects[1]),
        _ if scenario.contains("cleanup") => {
            objects.iter().for_each(|object| process.add_cleanup(*object, ObjRef::NIL));
        }
        _ if scenario.contains("weak") => {
            let handle = process.make_weak(objects[0]);
            let kept = process.new_global();
            process.set_global(kept, handle);
        }
        _ => {}
    }
    objects.iter().for_each(|_| process.pop_local());
}

/// HeapAlloc above `base_bytes` in whole MiB after each cycle, until it is back or for `count` cycles.
fn cycles_until_back(process: &mut Process, base_bytes: u64, count: usize) -> Vec<u64> {
    let mut after = Vec::new();
    while after.len() < count && after.last() != Some(&0) {
        process.gc();
        process.sleep(20_000_000);
        let more_bytes = process.mem_stats().heap_alloc.saturating_sub(base_bytes);
        after.push((more_bytes + MIB / 2) / MIB);
    }
    after
}

fn version_of(row: &Row) -> Option<GoVersion> {
    match row["go_version"].as_str() {
        "1.21.13" => Some(GoVersion::Go1_21),
        "1.23.9" => Some(GoVersion::Go1_23),
        "1.24.11" => Some(GoVersion::Go1_24),
        "1.25.5" => Some(GoVersion::Go1_25),
        "1.27.3" => Some(GoVersion::Go1_27),
        _ => None,
    }
}

#[test]
fn objects_go_after_as_many_cycles_as_in_real_go() {
    let mut compared = 0;
    for row in rows("maps/gc_lifetimes.csv") {
        let Some(version) = version_of(&row) else { continue };
        let scenario = row["scenario"].as_str();
        if NOT_MODELLED.contains(&scenario) {
            continue;
        }
        let measured: Vec<u64> =
            row["heap_MiB_after_each_cycle"].split_terminator('|').map(|mib| mib.parse().unwrap()).collect();
        let mut process =
            Process::start(Settings { version, gogc_percent: None, procs: 1, ..Settings::default() });
        process.gc();
        let base_bytes = process.mem_stats().heap_alloc;
        make_garbage(&mut process, scenario);
        let objects = number(&row, "objects") as usize;
        // What cleanups and weak pointers hold is small.
        assert_eq!((process.mem_stats().heap_alloc - base_bytes) / MIB, objects as u64, "{scenario}");

        let after = cycles_until_back(&mut process, base_bytes, objects + PATIENCE);
        assert_eq!(after, measured, "Go {version}: {scenario}");
        let cycles = if after.last() == Some(&0) { after.len() as f64 } else { -1.0 };
        assert_eq!(cycles, number(&row, "gc_cycles_until_freed"), "Go {version}: {scenario}");
        compared += 1;
    }
    // Seven scenarios in five versions, and six of cleanups and weak pointers in three.
    assert_eq!(compared, 7 * 5 + 6 * 3);
}

#[test]
fn finalizers_cleanups_and_weak_pointers_cost_what_they_hold() {
    const COUNT: u64 = 9_999;
    for row in rows("maps/finalizer_cleanup_cost.csv") {
        let Some(version) = version_of(&row) else { continue };
        let mut process =
            Process::start(Settings { version, gogc_percent: None, procs: 1, ..Settings::default() });
        let layout = Layout::scan(56, 1, 8);
        assert_eq!(charged_bytes(version, layout), 64);
        let all = process.new_global();
        for _ in 0..COUNT {
            let object = process.alloc(layout);
            let before = process.global(all);
            process.set_pointer(object, 0, before);
            process.set_global(all, object);
        }
        // A closure over one int is a code pointer, which the collector does not look at, and the int.
        let closure = match row["operation"].as_str() {
            "SetFinalizer_noncapturing"
            | "AddCleanup_int_arg"
            | "weak.Make_first"
            | "weak.Make_first_then_again" => None,
            "SetFinalizer_capturing_int" => Some(Layout::noscan(16)),
            other => panic!("what is {other}?"),
        };
        let before = process.mem_stats();
        let mut object = process.global(all);
        while !object.is_nil() {
            if let Some(closure) = closure {
                process.alloc(closure);
            }
            match row["operation"].as_str() {
                "AddCleanup_int_arg" => process.add_cleanup(object, ObjRef::NIL),
                "weak.Make_first" => drop(process.make_weak(object)),
                "weak.Make_first_then_again" => {
                    let handle = process.make_weak(object);
                    assert_eq!(process.make_weak(object), handle);
                }
                _ => process.set_finalizer(object, FinalizerAction::Return),
            }
            object = process.pointer(object, 0);
        }
        let after = process.mem_stats();
        let each = |bytes: u64| bytes as f64 / COUNT as f64;
        // An odd number of handles leaves half a block of 16 bytes unused.
        let bytes_each = (each(after.total_alloc - before.total_alloc) * 100.0).round() / 100.0;
        assert_eq!(bytes_each, number(&row, "heap_bytes_per_op"), "Go {version}: {}", row["operation"]);
        assert_eq!(each(after.mallocs - before.mallocs), number(&row, "mallocs_per_op"));
    }
}
