//! Steps as statements: for every step the loop that the interpreter of scenarios carries out.

use std::fmt::Write as _;

use toml::Spanned;

use super::code::{Code, grouped, quoted, size, spaced_size};
use super::sync::TakenArray;
use super::types::{GoTypes, byte_array};
use super::{Helper, Unwritable};
use crate::scenario::{
    Alloc, Amount, Backing, Garbage, GoType, Gogc, Hold, Insert, InsertValue, MemoryLimit, MixPart, Release,
    Repeat, Scenario, Shape, Step, Typed, VarId, VarType, Written,
};
use crate::units::SECOND_NS;
use crate::version::GoVersion;

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Loops around it.
    loops: usize,
    /// Its track: 0 outside `parallel`, inside from 1.
    track: usize,
}

/// Writes the body of `main`.
pub(super) struct Body<'s, 't> {
    pub(super) scenario: &'s Scenario,
    pub(super) types: &'t mut GoTypes<'s>,
    pub(super) code: Code,
    /// The variables that hold the newest garbage, with their types.
    pub(super) sinks: Vec<(String, String)>,
    sink_type: String,
    /// Slices of which a part is released, whose first elements are nil.
    pub(super) released: Vec<VarId>,
    /// `go` steps that are carried out.
    pub(super) crowds: u64,
    /// `stream` steps so far, by which their variables are told apart.
    pub(super) streams: u64,
    /// Chooses everything that the program draws at random.
    pub(super) seed: u64,
    place: Place,
    turns: u64,
    /// Arrays for what goroutines have got from pools.
    pub(super) taken: Vec<TakenArray>,
    /// The release that will compile the program.
    pub(super) version: GoVersion,
}

impl<'s, 't> Body<'s, 't> {
    pub(super) fn new(
        scenario: &'s Scenario,
        types: &'t mut GoTypes<'s>,
        version: GoVersion,
        seed: u64,
    ) -> Body<'s, 't> {
        let mut garbage = Vec::new();
        let mut released = Vec::new();
        survey(&scenario.steps, &mut garbage, &mut released);
        let only_bytes = garbage.iter().all(|part| byte_array(&part.go_type).is_some());
        let sink_type = if only_bytes { "[]byte" } else { "any" }.to_owned();
        Body {
            scenario,
            types,
            code: Code::body(),
            sinks: Vec::new(),
            sink_type,
            released,
            crowds: 0,
            streams: 0,
            seed,
            place: Place::default(),
            turns: 1,
            taken: Vec::new(),
            version,
        }
    }

    /// The track that is being written: 0 outside `parallel`, inside from 1.
    pub(super) fn track(&self) -> usize {
        self.place.track
    }

    fn is_concurrent(&self, var: VarId) -> bool {
        self.scenario.var(var).is_concurrent()
    }

    /// `main`: the top-level steps, each with its name.
    pub(super) fn main(&mut self) -> Result<(), Unwritable> {
        self.code.line("begin()");
        for step in &self.scenario.steps {
            let step = step.as_ref();
            match step {
                Step::Snapshot(label) => self.code.line(&format!("snapshot({})", quoted(label))),
                _ => {
                    self.code.line("");
                    self.code.line(&format!("step({})", quoted(&step.describe(self.scenario))));
                    self.step(step)?;
                }
            }
        }
        self.code.line("");
        self.code.line("end()");
        Ok(())
    }

    fn steps(&mut self, steps: &[Spanned<Step>]) -> Result<(), Unwritable> {
        steps.iter().try_for_each(|step| self.step(step.as_ref()))
    }

    fn step(&mut self, step: &Step) -> Result<(), Unwritable> {
        match step {
            Step::Make(make) if self.is_concurrent(make.var) => self.make_locked(make),
            Step::Insert(insert) if self.is_concurrent(insert.var) => self.insert_sync(insert)?,
            Step::Lookup(access) if self.is_concurrent(access.var) => self.lookup_sync(access),
            Step::Delete(access) if self.is_concurrent(access.var) => self.delete_sync(access),
            Step::Clear(var) if self.is_concurrent(*var) => self.clear_sync(*var),
            Step::Drop(var) if self.is_concurrent(*var) => self.drop_sync(*var),
            Step::Range(var) => self.range(*var),
            Step::Get(get) => self.pool_get(get),
            Step::Put(put) => self.pool_put(put),
            Step::Make(make) => {
                let map = self.map_text(make.var);
                let hint = if make.hint == 0 { String::new() } else { format!(", {}", grouped(make.hint)) };
                self.code.line(&format!("{} = make({map}{hint})", self.name(make.var)));
            }
            Step::Insert(insert) => self.insert(insert)?,
            Step::Lookup(access) => {
                let key = self.open_keys_for_reading(&access.keys, access.var)?;
                self.code.open(&format!("if _, ok := {}[{key}]; ok {{", self.name(access.var)));
                self.code.line("found++");
                self.code.close("}");
                self.code.close("}");
                self.types.need(Helper::Found);
            }
            Step::Delete(access) => {
                let key = self.open_keys_for_reading(&access.keys, access.var)?;
                self.code.line(&format!("delete({}, {key})", self.name(access.var)));
                self.code.close("}");
            }
            Step::Clear(var) => self.code.line(&format!("clear({})", self.name(*var))),
            Step::Drop(var) | Step::Release(Release { var, count: None }) => self.drop_var(*var),
            Step::Rebuild(var) => self.rebuild(*var),
            Step::Alloc(alloc) => self.alloc(alloc)?,
            Step::Garbage(garbage) => self.garbage(garbage),
            Step::Hold(hold) => self.hold(hold)?,
            Step::Release(Release { var, count: Some(count) }) => self.release(*var, *count),
            Step::Call(call) => self.call(call),
            Step::Finalize(finalize) => self.finalize(finalize)?,
            Step::Serve(serve) => self.serve(serve)?,
            Step::Stream(stream) => self.stream(stream),
            Step::Slice(slice) => self.take_part(slice),
            Step::Go(go) => {
                self.crowds += self.turns;
                self.types.need(Helper::Waiters);
                self.code.line(&format!("wait({}, {})", grouped(go.count), size(go.stack_bytes)));
            }
            Step::Exit(count) => {
                self.types.need(Helper::Waiters);
                self.code.line(&format!("dismiss({})", grouped(*count)));
            }
            Step::Sleep(ns) => self.code.line(&format!("time.Sleep({})", duration(*ns))),
            Step::Compute(ns) => {
                self.types.need(Helper::Spin);
                self.code.line(&format!("spin({})", duration(*ns)));
            }
            Step::Gc => self.code.line("runtime.GC()"),
            Step::FreeOsMemory => self.code.line("debug.FreeOSMemory()"),
            Step::SetGogc(Gogc::Off) => self.code.line("debug.SetGCPercent(-1)"),
            Step::SetGogc(Gogc::Percent(percent)) => {
                self.code.line(&format!("debug.SetGCPercent({percent})"))
            }
            Step::SetMemoryLimit(MemoryLimit::Off) => {
                self.types.need(Helper::MaxLimit);
                self.code.line("debug.SetMemoryLimit(math.MaxInt64)");
            }
            Step::SetMemoryLimit(MemoryLimit::Bytes(bytes)) => {
                self.code.line(&format!("debug.SetMemoryLimit({})", spaced_size(*bytes)));
            }
            Step::Repeat(repeat) => self.repeat(repeat)?,
            Step::Parallel(tracks) => self.parallel(tracks)?,
            Step::Snapshot(label) => {
                let turn = self.turn_number();
                self.code.line(&format!("look({}, {turn})", quoted(label)));
            }
        }
        Ok(())
    }

    // ---- names and places ----

    pub(super) fn name(&self, var: VarId) -> String {
        self.types.names.var(var).to_owned()
    }

    fn map_types(&self, var: VarId) -> (&'s Typed, &'s Typed) {
        match self.scenario.var(var) {
            VarType::Map { key, value } => (key, value),
            other => panic!("{} is a {other}, not a map", self.scenario.var_name(var)),
        }
    }

    fn map_text(&self, var: VarId) -> String {
        let (key, value) = self.map_types(var);
        format!("map[{}]{}", self.types.text(&key.go_type), self.types.text(&value.go_type))
    }

    /// The loop variable that counts how often a step has run; `None` outside loops.
    fn turn(&self) -> Option<String> {
        match self.place.loops {
            0 => None,
            1 => Some("turn".to_owned()),
            loops => Some(format!("turn{loops}")),
        }
    }

    /// The turn for a snapshot: from 1, and 0 outside loops.
    fn turn_number(&self) -> String {
        self.turn().map_or_else(|| "0".to_owned(), |turn| format!("{turn}+1"))
    }

    /// The turn for a generator.
    pub(super) fn turn_of_numbers(&self) -> String {
        self.turn().map_or_else(|| "0".to_owned(), |turn| format!("uint64({turn})"))
    }

    fn repeat(&mut self, repeat: &Repeat) -> Result<(), Unwritable> {
        let times = grouped(repeat.times);
        let outer = self.turn();
        self.place.loops += 1;
        self.turns = self.turns.saturating_mul(repeat.times);
        let turn = self.turn().expect("inside a loop");
        let head = match outer {
            None => format!("for {turn} := 0; {turn} < {times}; {turn}++ {{"),
            // Turns are counted through: the second time around, an inner loop goes on where it was.
            Some(outer) => {
                format!("for {turn} := {outer} * {times}; {turn} < ({outer}+1)*{times}; {turn}++ {{")
            }
        };
        self.code.open(&head);
        self.steps(&repeat.steps)?;
        self.code.close("}");
        self.place.loops -= 1;
        self.turns /= repeat.times.max(1);
        Ok(())
    }

    fn parallel(&mut self, tracks: &[Vec<Spanned<Step>>]) -> Result<(), Unwritable> {
        self.code.open("{");
        self.code.line("var tracks sync.WaitGroup");
        self.code.line(&format!("tracks.Add({})", tracks.len()));
        for (index, steps) in tracks.iter().enumerate() {
            self.place.track = index + 1;
            self.code.open("go func() {");
            self.code.line("defer tracks.Done()");
            self.steps(steps)?;
            self.code.close("}()");
        }
        self.place.track = 0;
        self.code.line("tracks.Wait()");
        self.code.close("}");
        Ok(())
    }

    // ---- maps ----

    /// Opens a loop over keys, in which `k` is the key.
    pub(super) fn open_keys(&mut self, keys: &crate::scenario::Keys) {
        let turn = self.turn_of_numbers();
        let at = self.turn();
        super::keys::open(keys, at.as_deref(), &turn, self.types, &mut self.code);
    }

    /// The same for a step that looks keys up, with the expression of the key of `var`.
    fn open_keys_for_reading(
        &mut self,
        keys: &crate::scenario::Keys,
        var: VarId,
    ) -> Result<String, Unwritable> {
        self.open_keys(keys);
        let (key, _) = self.map_types(var);
        if key.go_type == GoType::String
            && let Some(length) = self.scenario.key_text_bytes(var)
        {
            self.types.need(Helper::KnownKey);
            return Ok(format!("knownKey(k, {length})"));
        }
        self.key(&key.go_type, "k")
    }

    /// The key of a type that stands for number `k`.
    fn key(&mut self, go_type: &GoType, k: &str) -> Result<String, Unwritable> {
        super::keys::value(go_type, k, self.types)
    }

    fn insert(&mut self, insert: &Insert) -> Result<(), Unwritable> {
        let (key_type, value_type) = self.map_types(insert.var);
        let (key_type, value_type) = (&key_type.go_type, &value_type.go_type);
        let map = self.name(insert.var);
        self.open_keys(&insert.keys);
        if let crate::scenario::Keys::Window { first, size, .. } = insert.keys {
            let old = format!("k-{}", grouped(size));
            let old_key = match insert.key_text {
                Some(layout) => {
                    self.types.need(Helper::KnownKey);
                    format!("knownKey({old}, {})", layout.size_bytes)
                }
                None => self.key(key_type, &old)?,
            };
            let delete = format!("delete({map}, {old_key})");
            if first < size {
                self.code.open(&format!("if k >= {} {{", grouped(size)));
                self.code.line(&delete);
                self.code.close("}");
            } else {
                self.code.line(&delete);
            }
        }
        let key = match insert.key_text {
            Some(layout) => {
                self.types.need(Helper::KeyText);
                format!("keyText(k, {})", layout.size_bytes)
            }
            None => self.key(key_type, "k")?,
        };
        let value = match &insert.value {
            InsertValue::Zero => self.plain_value(value_type),
            InsertValue::New { object, written } => self.fresh(value_type, object.size_bytes, *written),
            InsertValue::Shared(from) => self.shared(*from, &key),
        };
        self.code.line(&format!("{map}[{key}] = {value}"));
        self.code.close("}");
        Ok(())
    }

    /// A value that lies in the map itself.
    pub(super) fn plain_value(&self, go_type: &GoType) -> String {
        let text = self.types.text(go_type);
        match go_type {
            GoType::Basic(basic) => match basic.name {
                "int" => "k".to_owned(),
                "bool" => "true".to_owned(),
                "complex64" | "complex128" => "1".to_owned(),
                _ => format!("{text}(k)"),
            },
            GoType::String => "\"\"".to_owned(),
            GoType::EmptyStruct => "struct{}{}".to_owned(),
            GoType::Array(..) | GoType::Named(_) => format!("{text}{{}}"),
            _ => "nil".to_owned(),
        }
    }

    /// A new object of `size_bytes` behind a value of `go_type`.
    pub(super) fn fresh(&mut self, go_type: &GoType, size_bytes: u64, written: Written) -> String {
        match go_type {
            GoType::Pointer(target) => self.types.new_object(target, written),
            GoType::Slice(element) => {
                let length = self.length(element, size_bytes);
                self.types.new_slice(element, length, written)
            }
            GoType::String => {
                let bytes = self.types.new_bytes(size_bytes, written);
                self.types.need(Helper::Text);
                format!("text({bytes})")
            }
            _ => {
                let byte = GoType::parse("byte").expect("byte is a type");
                self.types.new_object(&GoType::Array(size_bytes, Box::new(byte)), written)
            }
        }
    }

    /// How many elements a backing array of `size_bytes` has.
    fn length(&self, element: &GoType, size_bytes: u64) -> u64 {
        let element_bytes = self.scenario.types.layout(element).map_or(1, |layout| layout.size_bytes);
        size_bytes.div_ceil(element_bytes.max(1))
    }

    pub(super) fn shared(&self, from: VarId, key: &str) -> String {
        let name = self.name(from);
        match self.scenario.var(from) {
            VarType::Map { .. } => format!("{name}[{key}]"),
            VarType::Slice { .. } => format!("{name}[k%len({name})]"),
            VarType::Pointer { .. } => name,
            other => panic!("{name} is a {other}, from which nothing is shared"),
        }
    }

    fn rebuild(&mut self, var: VarId) {
        let (name, map) = (self.name(var), self.map_text(var));
        self.code.open("{");
        self.code.line(&format!("rebuilt := make({map}, len({name}))"));
        self.code.open(&format!("for k, v := range {name} {{"));
        self.code.line("rebuilt[k] = v");
        self.code.close("}");
        self.code.line(&format!("{name} = rebuilt"));
        self.code.close("}");
    }

    // ---- references ----

    fn drop_var(&mut self, var: VarId) {
        self.code.line(&format!("{} = nil", self.name(var)));
        self.restart_release(var);
    }

    /// A new slice has no elements that were released.
    fn restart_release(&mut self, var: VarId) {
        if self.released.contains(&var) {
            self.code.line(&format!("{} = 0", self.released_name(var)));
        }
    }

    pub(super) fn released_name(&self, var: VarId) -> String {
        format!("{}Released", self.name(var))
    }

    fn hold(&mut self, hold: &Hold) -> Result<(), Unwritable> {
        let key = self.open_keys_for_reading(&hold.keys, hold.from)?;
        let (from, into) = (self.name(hold.from), self.name(hold.into));
        self.code.open(&format!("if v, ok := {from}[{key}]; ok {{"));
        self.code.line(&format!("{into} = append({into}, v)"));
        self.code.close("}");
        self.code.close("}");
        Ok(())
    }

    fn release(&mut self, var: VarId, count: u64) {
        let (name, first) = (self.name(var), self.released_name(var));
        self.code.open(&format!("for n := 0; n < {} && {first} < len({name}); n++ {{", grouped(count)));
        let zero = match self.scenario.var(var) {
            VarType::Slice { element } => match &element.go_type {
                GoType::Pointer(_)
                | GoType::Slice(_)
                | GoType::Map(..)
                | GoType::Channel(_)
                | GoType::Interface => "nil".to_owned(),
                GoType::String => "\"\"".to_owned(),
                other => format!("{}{{}}", self.types.text(other)),
            },
            other => panic!("{} is a {other}, not a slice", self.scenario.var_name(var)),
        };
        self.code.line(&format!("{name}[{first}] = {zero}"));
        self.code.line(&format!("{first}++"));
        self.code.close("}");
    }

    // ---- objects ----

    fn alloc(&mut self, alloc: &Alloc) -> Result<(), Unwritable> {
        let name = self.name(alloc.into);
        let count = grouped(alloc.count);
        match alloc.shape {
            Shape::One => {
                let object = self.types.new_object(&alloc.go_type, alloc.written);
                self.code.line(&format!("{name} = {object}"));
            }
            Shape::InPlace => {
                let slice = self.types.new_slice(&alloc.go_type, alloc.count, alloc.written);
                self.code.line(&format!("{name} = {slice}"));
                self.restart_release(alloc.into);
            }
            Shape::Slice(backing) => {
                let element = self.element(alloc.into);
                if backing == Backing::Presized {
                    self.code.line(&format!("{name} = make([]{}, 0, {count})", self.types.text(element)));
                    self.restart_release(alloc.into);
                }
                let object = self.element_object(element, alloc);
                self.code.open(&format!("for i := 0; i < {count}; i++ {{"));
                self.code.line(&format!("{name} = append({name}, {object})"));
                self.code.close("}");
            }
            Shape::List => self.list(&name, alloc)?,
            Shape::Tree => self.tree(&name, alloc)?,
            Shape::Graph { degree, seed } => self.graph(&name, alloc, degree, seed)?,
        }
        Ok(())
    }

    pub(super) fn element(&self, var: VarId) -> &'s GoType {
        match self.scenario.var(var) {
            VarType::Slice { element } => &element.go_type,
            other => panic!("{} is a {other}, not a slice", self.scenario.var_name(var)),
        }
    }

    /// A new object for an element of a slice.
    fn element_object(&mut self, element: &GoType, alloc: &Alloc) -> String {
        match element {
            GoType::Pointer(target) if **target != alloc.go_type => {
                // The scenario gives these objects a size of their own.
                self.types.need(Helper::Unsafe);
                let object = self.types.new_object(&alloc.go_type, alloc.written);
                format!("({})(unsafe.Pointer({object}))", self.types.text(element))
            }
            GoType::Pointer(target) => self.types.new_object(target, alloc.written),
            GoType::Interface => self.types.new_object(&alloc.go_type, alloc.written),
            other => self.fresh(other, alloc.object.size_bytes, alloc.written),
        }
    }

    /// What is written of a linked object besides the link, which is its beginning.
    fn beyond_the_link(written: Written) -> Written {
        if written == Written::All { Written::All } else { Written::None }
    }

    fn list(&mut self, name: &str, alloc: &Alloc) -> Result<(), Unwritable> {
        let selectors = self.types.selectors(&alloc.go_type, 1)?;
        let link = &selectors[0];
        let object = self.types.new_object(&alloc.go_type, Self::beyond_the_link(alloc.written));
        self.code.open(&format!("for i := 0; i < {}; i++ {{", grouped(alloc.count)));
        if object.starts_with("new(") && !link.contains('[') {
            self.code.line(&format!("{name} = &{}{{{link}: {name}}}", self.types.text(&alloc.go_type)));
        } else {
            self.code.line(&format!("n := {object}"));
            self.code.line(&format!("n.{link} = {name}"));
            self.code.line(&format!("{name} = n"));
        }
        self.code.close("}");
        Ok(())
    }

    /// A balanced tree without a list of its nodes: the bits of a node's number below the first are the way to it.
    fn tree(&mut self, name: &str, alloc: &Alloc) -> Result<(), Unwritable> {
        let selectors = self.types.selectors(&alloc.go_type, 2)?;
        let object = self.types.new_object(&alloc.go_type, Self::beyond_the_link(alloc.written));
        self.types.need(Helper::Bits);
        self.code.line(
            "// Node i has the children 2i and 2i+1, so the bits of i below the first are the way to it.",
        );
        self.code.open(&format!("for i := 1; i <= {}; i++ {{", grouped(alloc.count)));
        self.code.line(&format!("link := &{name}"));
        self.code.open("for bit := bits.Len(uint(i)) - 2; bit >= 0; bit-- {");
        self.code.open("if i>>bit&1 == 0 {");
        self.code.line(&format!("link = &(*link).{}", selectors[0]));
        self.code.between("} else {");
        self.code.line(&format!("link = &(*link).{}", selectors[1]));
        self.code.close("}");
        self.code.close("}");
        self.code.line(&format!("*link = {object}"));
        self.code.close("}");
        Ok(())
    }

    fn graph(&mut self, name: &str, alloc: &Alloc, degree: u32, seed: u64) -> Result<(), Unwritable> {
        let selectors = self.types.selectors(&alloc.go_type, degree as usize)?;
        let object = self.types.new_object(&alloc.go_type, Self::beyond_the_link(alloc.written));
        let (count, element) = (grouped(alloc.count), self.types.text(self.element(alloc.into)));
        self.types.need(Helper::Stream);
        self.code.line(&format!("{name} = make([]{element}, {count})"));
        self.restart_release(alloc.into);
        self.code.open(&format!("for i := range {name} {{"));
        self.code.line(&format!("{name}[i] = {object}"));
        self.code.close("}");
        let turn = self.turn_of_numbers();
        self.code.open(&format!("for i, numbers := 0, newStream(seed, {seed}, {turn}); i < {count}; i++ {{"));
        let drawn = format!("{name}[numbers.below({count})]");
        let in_array = selectors.iter().enumerate().all(|(index, link)| *link == format!("links[{index}]"));
        if in_array && selectors.len() > 3 {
            self.code.open(&format!("for j := 0; j < {degree}; j++ {{"));
            self.code.line(&format!("{name}[i].links[j] = {drawn}"));
            self.code.close("}");
        } else {
            for link in &selectors {
                self.code.line(&format!("{name}[i].{link} = {drawn}"));
            }
        }
        self.code.close("}");
        Ok(())
    }

    pub(super) fn sink(&mut self) -> String {
        let name = match self.place.track {
            0 => "sink".to_owned(),
            track => format!("sink{track}"),
        };
        if !self.sinks.iter().any(|(sink, _)| *sink == name) {
            self.sinks.push((name.clone(), self.sink_type.clone()));
        }
        name
    }

    /// `sink = make([]byte, 256)`.
    pub(super) fn drop_into(&mut self, sink: &str, part: &MixPart, written: Written) {
        let object = match byte_array(&part.go_type) {
            Some(length) if self.sink_type == "[]byte" => self.types.new_bytes(length, written),
            _ => self.types.new_object(&part.go_type, written),
        };
        self.code.line(&format!("{sink} = {object}"));
    }

    fn garbage(&mut self, garbage: &Garbage) {
        let sink = self.sink();
        if let [only] = garbage.mix.as_slice() {
            let each = only.object.size_bytes.max(1);
            self.code.open(&match garbage.amount {
                Amount::Count(count) => format!("for i := 0; i < {}; i++ {{", grouped(count)),
                Amount::Bytes(bytes) => {
                    format!("for made := 0; made < {}; made += {} {{", size(bytes), grouped(each))
                }
            });
            self.drop_into(&sink, only, garbage.written);
            self.code.close("}");
            return;
        }
        self.types.need(Helper::Stream);
        let numbers = format!("newStream(seed, {}, {})", garbage.seed, self.turn_of_numbers());
        self.code.open(&match garbage.amount {
            Amount::Count(count) => format!("for i, numbers := 0, {numbers}; i < {}; i++ {{", grouped(count)),
            Amount::Bytes(bytes) => format!("for made, numbers := 0, {numbers}; made < {}; {{", size(bytes)),
        });
        let weights: u64 = garbage.mix.iter().map(|part| u64::from(part.weight)).sum();
        self.code.line(&format!("switch n := numbers.below({weights}); {{"));
        let mut below = 0;
        for (index, part) in garbage.mix.iter().enumerate() {
            below += u64::from(part.weight);
            let last = index + 1 == garbage.mix.len();
            self.code.open(&if last { "default:".to_owned() } else { format!("case n < {below}:") });
            self.drop_into(&sink, part, garbage.written);
            if matches!(garbage.amount, Amount::Bytes(_)) {
                self.code.line(&format!("made += {}", grouped(part.object.size_bytes.max(1))));
            }
            self.code.end_case();
        }
        self.code.line("}");
        self.code.close("}");
    }
}

/// Finds what steps drop, and which slices they release in parts.
fn survey<'s>(steps: &'s [Spanned<Step>], garbage: &mut Vec<&'s MixPart>, released: &mut Vec<VarId>) {
    for step in steps {
        match step.as_ref() {
            Step::Garbage(step) => garbage.extend(&step.mix),
            Step::Stream(step) => garbage.push(&step.part),
            Step::Release(Release { var, count: Some(_) }) if !released.contains(var) => released.push(*var),
            Step::Repeat(repeat) => survey(&repeat.steps, garbage, released),
            Step::Parallel(tracks) => tracks.iter().for_each(|track| survey(track, garbage, released)),
            _ => {}
        }
    }
}

/// The longest text of a string key.
pub(super) fn longest_key_text(steps: &[Spanned<Step>]) -> u64 {
    let longest = steps.iter().map(|step| match step.as_ref() {
        Step::Insert(insert) => insert.key_text.map_or(0, |layout| layout.size_bytes),
        Step::Repeat(repeat) => longest_key_text(&repeat.steps),
        Step::Parallel(tracks) => tracks.iter().map(|track| longest_key_text(track)).max().unwrap_or(0),
        _ => 0,
    });
    longest.max().unwrap_or(0)
}

/// A time as Go writes it: `6 * time.Minute`.
pub(super) fn duration(ns: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (3600 * SECOND_NS, "time.Hour"),
        (60 * SECOND_NS, "time.Minute"),
        (SECOND_NS, "time.Second"),
        (1_000_000, "time.Millisecond"),
        (1_000, "time.Microsecond"),
        (1, "time.Nanosecond"),
    ];
    let (unit_ns, unit) = UNITS.iter().find(|(unit_ns, _)| ns.is_multiple_of(*unit_ns)).expect("nanoseconds");
    let mut text = String::new();
    match ns / unit_ns {
        1 => text.push_str(unit),
        0 => text.push('0'),
        count => {
            let _ = write!(text, "{} * {unit}", grouped(count));
        }
    }
    text
}
