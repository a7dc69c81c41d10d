//! Names of the program: the scenario's own, unless Go or the rest of the program has a meaning for them.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::scenario::{Scenario, VarId};

/// What Go declares for every program, and its keywords.
const OF_GO: &str = "\
    any append bool break byte cap case chan clear close comparable complex complex64 complex128 \
    const continue copy default defer delete else error fallthrough false float32 float64 for func \
    go goto if imag import init int int8 int16 int32 int64 interface iota len main make map max \
    min new nil package panic print println range real recover return rune select string struct \
    switch true type uint uint8 uint64 uintptr var";

/// Packages, and local names of the loops that steps become.
const OF_THE_PROGRAM: &str = "\
    bits debug fmt math metrics os runtime strings sync time uint16 uint32 _ seed sink \
    found snapshotCount stepCount programName i j k l n p v ok bit link made numbers order rebuilt \
    tracks node s b x hits";

/// The names under which the scenario's variables and types appear.
#[derive(Clone, Debug)]
pub(super) struct Names {
    vars: Vec<String>,
    types: IndexMap<String, String>,
    taken: BTreeSet<String>,
}

impl Names {
    /// Names that differ from each other and from what `texts`, the rest of the program, declares.
    pub(super) fn of(scenario: &Scenario, texts: &[&str]) -> Names {
        let words = OF_GO.split_whitespace().chain(OF_THE_PROGRAM.split_whitespace());
        let own = words.chain(["unsafe"]).map(str::to_owned);
        let mut taken: BTreeSet<String> = own.chain(texts.iter().flat_map(|text| declared(text))).collect();
        let types = scenario
            .types
            .structs()
            .keys()
            .map(|name| (name.clone(), free(name, "Type", &mut taken)))
            .collect();
        let vars = scenario.vars.keys().map(|name| free(name, "Var", &mut taken)).collect();
        Names { vars, types, taken }
    }

    /// A variable's name.
    pub(super) fn var(&self, var: VarId) -> &str {
        &self.vars[var.0]
    }

    /// A type's name; one that is not of the scenario keeps its own.
    pub(super) fn named<'n>(&'n self, name: &'n str) -> &'n str {
        self.types.get(name).map_or(name, String::as_str)
    }

    /// A name for something new.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        free(wanted, "Of", &mut self.taken)
    }
}

/// `wanted`, or with endings until nothing else has the name.
fn free(wanted: &str, ending: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    while taken.contains(&name) || is_numbered(&name) {
        name.push_str(ending);
    }
    taken.insert(name.clone());
    name
}

/// Whether a name is one of those that loops and tracks number: `turn`, `turn2`, `sink1`.
fn is_numbered(name: &str) -> bool {
    ["turn", "sink"].iter().any(|word| {
        name.strip_prefix(word).is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
    })
}

/// A struct field's name; keywords and what is no name get an underscore.
pub(super) fn field(name: &str) -> String {
    let mut text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if OF_GO.split_whitespace().any(|word| word == name)
        || text.starts_with(|c: char| c.is_ascii_digit())
        || text == "_"
        || text.is_empty()
    {
        text.insert(0, 'f');
    }
    text
}

/// What a Go text declares at package level.
fn declared(text: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    let mut names = Vec::new();
    let mut in_group = false;
    for line in text.lines() {
        if let Some(rest) =
            ["func ", "type ", "var ", "const "].iter().find_map(|start| line.strip_prefix(start))
        {
            in_group = rest.starts_with('(') && !line.starts_with("func");
            names.push(word(rest));
        } else if in_group && line.starts_with('\t') {
            let (left, _) = line.split_once(" =").unwrap_or((line, ""));
            names.extend(left.split(',').map(|name| word(name.trim())));
        } else if line.starts_with(')') {
            in_group = false;
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_found() {
        let text = "// A\nvar (\n\ta, b string\n\tc = 1\n)\n\nfunc f(x int) {\n\ty := 1\n}\n\nfunc (t *T) m() {\n}\ntype T struct {\n\tz int\n}\n";
        assert_eq!(declared(text), ["a", "b", "c", "f", "T"]);
    }
}
