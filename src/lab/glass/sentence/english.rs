//! The sentences in English.

use super::super::event::{Cause, Event, SyncBuild};
use super::{locked, size, size_or, time};

/// The sentence for an event.
pub(super) fn sentence(event: &Event) -> String {
    of_maps(event)
        .or_else(|| of_sync(event))
        .or_else(|| of_objects(event))
        .or_else(|| of_loads(event))
        .or_else(|| of_collector(event))
        .expect("every event has its sentence")
}

fn names(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn or_nil(name: &Option<String>) -> &str {
    name.as_deref().unwrap_or("nil")
}

fn variable(var: &str) -> &str {
    if var.is_empty() { "stack" } else { var }
}

/// `#3 turned grey, and #4 turned black at once`; `None` if nothing was found.
fn found(greyed: &[String], blackened: &[String]) -> Option<String> {
    let grey = (!greyed.is_empty()).then(|| format!("{} turned grey", names(greyed)));
    let black = (!blackened.is_empty())
        .then(|| format!("{} turned black at once, for there are no pointers inside", names(blackened)));
    let both: Vec<String> = grey.into_iter().chain(black).collect();
    (!both.is_empty()).then(|| both.join(", and "))
}

fn of_maps(event: &Event) -> Option<String> {
    let held = |lock: &Option<&str>| locked(*lock, "held: ");
    Some(match event {
        Event::Make { var, .. } => {
            format!("{var} = make(map): the map has its header, and buckets if a size was given.")
        }
        Event::Insert { var, key, lock } => {
            format!("{}{var}[{key}] = v: the key takes a free slot.", held(lock))
        }
        Event::Update { var, key, lock } => {
            format!("{}{var}[{key}] = v: the key was there, its value is replaced.", held(lock))
        }
        Event::MapGrows { var, slots_before, slots } => format!(
            "{var} had no room left: it has {slots} slots now, before {slots_before}. What it leaves behind is garbage."
        ),
        Event::Delete { var, key, lock } => format!(
            "{}delete({var}, {key}): its slot is free again. Nothing else changes: a map never gets smaller.",
            held(lock)
        ),
        Event::DeleteNothing { var, key, lock } => {
            format!("{}delete({var}, {key}): the key is not there, so nothing happens.", held(lock))
        }
        Event::Lookup { var, key, lock } => format!("{}{var}[{key}] is there.", held(lock)),
        Event::LookupNothing { var, key, lock } => format!("{}{var}[{key}] is not there.", held(lock)),
        Event::Range { var, keys } => {
            format!("for k := range {var}: {keys} keys are visited. Nothing is allocated, nothing is freed.")
        }
        Event::Clear { var } => format!("clear({var}): all slots are free. The buckets stay."),
        Event::RebuildBegins { var, keys } => format!(
            "A new map is made with room for the {keys} keys of {var}, and each is copied. Until that is done both maps live."
        ),
        Event::RebuildEnds { var, object } => format!(
            "{var} refers to the new map, {object}. The old one is garbage: that is how a map gets smaller."
        ),
        _ => return None,
    })
}

fn of_sync(event: &Event) -> Option<String> {
    Some(match event {
        Event::Store { var, key, over: true, .. } => {
            format!("{var}.Store({key}, v): the key was there, its entry points to the new value.")
        }
        Event::Store { var, key, over: false, build: SyncBuild::ReadDirty } => format!(
            "{var}.Store({key}, v): a new entry goes into the dirty map. The read map, which needs no lock, does not have it yet."
        ),
        Event::Store { var, key, over: false, build: SyncBuild::Trie } => {
            format!("{var}.Store({key}, v): a new entry hangs on a node of the trie.")
        }
        Event::Load { var, key, found: true, .. } => format!("{var}.Load({key}) finds it."),
        Event::Load { var, key, found: false, build: SyncBuild::ReadDirty } => format!(
            "{var}.Load({key}): not there. When misses are as many as the dirty map has keys, it becomes the read map."
        ),
        Event::Load { var, key, found: false, build: SyncBuild::Trie } => {
            format!("{var}.Load({key}): not there.")
        }
        Event::SyncDelete { var, key, found: false, .. } => {
            format!("{var}.Delete({key}): not there, so nothing happens.")
        }
        Event::SyncDelete { var, key, build: SyncBuild::ReadDirty, .. } => format!(
            "{var}.Delete({key}): a key of the read map only loses its value; key and entry stay until another map takes over."
        ),
        Event::SyncDelete { var, key, build: SyncBuild::Trie, .. } => format!(
            "{var}.Delete({key}): the entry is cut off its node, and is garbage. A node that becomes empty goes too."
        ),
        Event::SyncRange { var, keys, build: SyncBuild::ReadDirty } => format!(
            "{var}.Range visits {keys} keys. If the dirty map had any that the read map lacks, it is the read map now."
        ),
        Event::SyncRange { var, keys, build: SyncBuild::Trie } => format!("{var}.Range visits {keys} keys."),
        Event::Reset { var } => format!("{var} is reset to its zero value: all that it led to is garbage."),
        Event::PoolGet { var, object, made: true } => {
            format!("{var}.Get(): the pool has none, so New makes a buffer, {object}.")
        }
        Event::PoolGet { var, object, made: false } => {
            format!("{var}.Get(): {object} comes out of the pool, with the array that it had.")
        }
        Event::PoolGrow { object, array, before_bytes: 0, len_bytes } => {
            format!("{object} gets an array of {}, {array}.", size(*len_bytes))
        }
        Event::PoolGrow { object, array, before_bytes, len_bytes } => format!(
            "{object} needs {}, and had {}: it gets a longer array, {array}, and the old one is garbage.",
            size(*len_bytes),
            size(*before_bytes)
        ),
        Event::PoolPut { var, object } => {
            format!("{var}.Put({object}): the pool keeps it, and the array with it, however long that is.")
        }
        Event::PoolRefuse { var, object, cap_bytes, most_bytes } => format!(
            "{object} has {}, more than {}: it does not go back into {var}, and is garbage.",
            size(*cap_bytes),
            size(*most_bytes)
        ),
        Event::PoolsMoved { forgotten, moved } => format!(
            "A cycle is about to begin: what the pools hold ({moved}) becomes their victim cache; what was that ({forgotten}) is forgotten."
        ),
        _ => return None,
    })
}

fn of_objects(event: &Event) -> Option<String> {
    Some(match event {
        Event::Drop { var, object } if object.is_empty() => format!("{var} = nil: it was nil before."),
        Event::Drop { var, object } => {
            format!("{var} = nil: {object} has lost this reference. The collector will find out, not now.")
        }
        Event::Alloc { object, slot_bytes, marking: true, .. } => format!(
            "{object} is allocated while marking runs, so it is born black: it survives this cycle. Slot of {}.",
            size(*slot_bytes)
        ),
        Event::Alloc { object, size_bytes, slot_bytes, .. } => format!(
            "{object} is allocated: {} asked for, a slot of {} taken.",
            size(*size_bytes),
            size(*slot_bytes)
        ),
        Event::Span { pages, slot_bytes, slots } => format!(
            "No slot was free: a new span is cut from free pages ({pages}), with {slots} slots of {}. The pacer counts the whole span as live heap now.",
            size(*slot_bytes)
        ),
        Event::Garbage { object } => format!(
            "{object} is referred to by nobody: garbage. Its slot stays taken until a cycle finds out."
        ),
        Event::Keep { var, object } => format!("{var} reaches {object} now."),
        Event::Link { object, to } => format!("{object} points to {}.", names(to)),
        Event::Release { var, object } if object.is_empty() => {
            format!("{var} has set an element to nil that was nil.")
        }
        Event::Release { var, object } => format!("{var} has set its reference to {object} to nil."),
        Event::View { from, into, len, object } => format!(
            "{into} gets {from}[:{len}], a view of the same array: as long as it lives, all of {object} does."
        ),
        Event::Copy { from, into, len, object } => format!(
            "{into} gets a copy of {from}[:{len}] in an array of its own, {object}: it keeps nothing of the old one."
        ),
        Event::Special { object, kind: "finalizer" } => format!(
            "runtime.SetFinalizer({object}, f): when a cycle finds it dead, it stays for f to look at, and goes with the next cycle."
        ),
        Event::Special { object, kind: "cleanup" } => format!(
            "runtime.AddCleanup({object}, f, arg): f runs after the object is gone, so it does not keep it."
        ),
        Event::Special { object, kind } => {
            format!("{object} has a {kind} now, which does not keep it alive.")
        }
        Event::Revived { objects } => format!(
            "{} was found dead, but has a finalizer: it is kept for that, and is free one cycle later.",
            names(objects)
        ),
        Event::Finalized { objects } => {
            format!("Finalizers have run: nothing keeps {} any more.", names(objects))
        }
        _ => return None,
    })
}

fn of_loads(event: &Event) -> Option<String> {
    Some(match event {
        Event::ShownSmall { factor } => format!(
            "Shown small: every count and key of the scenario is divided by {factor}, at least one of each stays. Objects have their real sizes, so the heap seldom reaches the trigger, and cycles begin where the program asks for one."
        ),
        Event::Repeat { times, shown } => {
            format!("A loop begins: {shown} of its {times} turns are shown.")
        }
        Event::Serve { requests, shown, objects, objects_shown } => format!(
            "Requests begin: {shown} of {requests} are shown, each with {objects_shown} of its {objects} short-lived objects. When they are due, and how long they take, is not shown."
        ),
        Event::Request { number, dropped } => {
            format!("Request {number} is done: the objects that it made for itself ({dropped}) are garbage.")
        }
        Event::Stream { duration_ns, made, shown } => format!(
            "A stream of {} begins: {shown} of its {made} objects are shown, in their order. Its rates over time are not shown.",
            time(*duration_ns)
        ),
        Event::Goroutines { count, shown, stack_bytes, pages } => format!(
            "{count} goroutines start and wait; {shown} are shown. Each has a stack of {}: {pages} pages were taken for them, which hold no objects.",
            size(*stack_bytes)
        ),
        Event::Exit { count, pages, waiting_pages: 0 } => format!(
            "{count} goroutines return: {pages} pages of stacks are free. Their descriptors stay for ever, outside the heap."
        ),
        Event::Exit { count, pages, waiting_pages } => format!(
            "{count} goroutines return: {pages} pages of stacks are free, {waiting_pages} more when the next cycle ends. Their descriptors stay for ever, outside the heap."
        ),
        Event::Sleep { duration_ns } => format!(
            "The program sleeps for {}, and the collector goes on. What the background scavenger gives back in that time is not shown.",
            time(*duration_ns)
        ),
        Event::Compute { duration_ns } => format!(
            "The program computes for {} and allocates nothing. Time is not shown here, so nothing changes.",
            time(*duration_ns)
        ),
        Event::OnTheStack { calls } => format!(
            "{} calls return values: what they make lies on the stack, and the heap does not change.",
            calls
        ),
        Event::SetGogc { percent, goal_bytes } => format!(
            "GOGC is {} now: the goal is {}.",
            percent.map_or_else(|| "off".to_owned(), |percent| percent.to_string()),
            size_or(*goal_bytes, "off")
        ),
        Event::SetMemoryLimit { limit_bytes, goal_bytes } => format!(
            "GOMEMLIMIT is {} now: the goal is {}.",
            size_or(*limit_bytes, "off"),
            size_or(*goal_bytes, "off")
        ),
        _ => return None,
    })
}

fn of_collector(event: &Event) -> Option<String> {
    Some(match event {
        Event::Begin => "The program begins. Nothing is on the heap.".to_owned(),
        Event::End => "The program is over.".to_owned(),
        Event::CycleBegins { number, cause, live_bytes, trigger_bytes, roots } => {
            let why = match cause {
                Cause::Heap => format!(
                    "by itself: the live heap, {}, has reached the trigger, {}",
                    size(*live_bytes),
                    size(*trigger_bytes)
                ),
                Cause::Time => "because two minutes have passed without one".to_owned(),
                Cause::Forced => "because runtime.GC() was called, which waits for it".to_owned(),
            };
            format!("GC {number} begins {why}. The write barrier is on; roots to be looked at: {roots}.")
        }
        Event::Root { var, greyed, blackened } => match found(greyed, blackened) {
            Some(found) => format!("The root {} is looked at: {found}.", variable(var)),
            None => {
                format!("The root {} is looked at: what it refers to has been found already.", variable(var))
            }
        },
        Event::Scan { objects, greyed, blackened } => match found(greyed, blackened) {
            Some(found) => format!("{} is looked at and is black now: {found}.", names(objects)),
            None => format!(
                "{} is looked at and is black now: it leads to nothing that was not found before.",
                names(objects)
            ),
        },
        Event::Barrier { place, overwritten, stored, greyed } if greyed.is_empty() => format!(
            "Write barrier: in {}, {} replaces {}. Neither is white, so there is nothing to do.",
            variable(place),
            or_nil(stored),
            or_nil(overwritten)
        ),
        Event::Barrier { place, overwritten, stored, greyed } => format!(
            "Write barrier: in {}, {} replaces {} while marking runs, so both must not stay white. Grey now: {}.",
            variable(place),
            or_nil(stored),
            or_nil(overwritten),
            names(greyed)
        ),
        Event::CycleEnds { number, marked_bytes, marked, dead, goal_bytes } => format!(
            "GC {number}: nothing is grey, so marking is over. Survivors: {marked} ({}). Dead: {dead}. The next goal is {}.",
            size(*marked_bytes),
            size_or(*goal_bytes, "off")
        ),
        Event::Sweep { freed: 0, kept, .. } => {
            format!("A span is swept: everything in it lives ({kept}), no slot becomes free.")
        }
        Event::Sweep { kept: 0, freed_pages, .. } => format!(
            "A span is swept: nothing in it lives, so its memory is free again (pages: {freed_pages}). It is still resident: RSS does not fall."
        ),
        Event::Sweep { freed, kept, .. } => format!(
            "A span is swept: {freed} of its slots are free again. What still lives in it ({kept}) keeps its pages."
        ),
        Event::Swept => "All spans are swept: the cycle is over.".to_owned(),
        Event::Scavenge { pages } => format!(
            "Free pages go back to the system: {pages} of them had memory behind them. Now RSS falls."
        ),
        Event::Snapshot { label } => format!("The program looks at its memory: {label}."),
        _ => return None,
    })
}
