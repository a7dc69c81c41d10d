//! `call` as Go: a function that makes something and returns it, or a pointer to it, and a loop that calls it.
//!
//! The compiler must see what the scenario says and nothing else. `//go:noinline` keeps the function a function: inlined, a pointer
//! that its caller drops would not escape. The length of a `make` is a parameter, so that no constant is known of it.

use super::Helper;
use super::code::{Code, grouped};
use super::steps::Body;
use super::types::{GoTypes, in_a_name};
use crate::scenario::{Call, Made, Returns, Written};

impl Body<'_, '_> {
    /// `for i := 0; i < n; i++ { _ = pointerToOrder() }`.
    pub(super) fn call(&mut self, call: &Call) {
        let function = self.types.returning(call);
        self.code.open(&format!("for i := 0; i < {}; i++ {{", grouped(call.count)));
        self.code.line(&format!("_ = {function}"));
        self.code.close("}");
    }
}

/// The words of a function.
struct Function {
    name: String,
    parameters: &'static str,
    result: String,
    /// What it makes, and what of it is returned.
    make: String,
    returned: &'static str,
    /// The expression that is written to.
    place: &'static str,
}

impl GoTypes<'_> {
    /// A call of the function that `call` stands for.
    fn returning(&mut self, call: &Call) -> String {
        let size = grouped(call.object.size_bytes);
        let type_text = self.text(&call.go_type);
        let function = function(call, &type_text);
        let mut body = Code::body();
        body.line(&function.make);
        match (call.made, call.written) {
            (Made::Var | Made::New, written) => {
                self.write(function.place, &call.go_type, written, &mut body);
            }
            (Made::Make, Written::None) => {}
            (Made::Make, Written::FirstByte) => body.line("b[0] = 1"),
            (Made::Make, Written::All) => {
                self.need(Helper::Fill);
                body.line("fill(b)");
            }
        }
        body.line(&format!("return {}", function.returned));
        let what = match (call.returns, call.made) {
            (Returns::Value, Made::Make) => "uses some bytes, and returns one of them".to_owned(),
            (Returns::Pointer, Made::Make) => "makes some bytes, and returns the slice".to_owned(),
            (Returns::Value, _) => format!("makes a {type_text}, and returns it"),
            (Returns::Pointer, _) => format!("makes a {type_text}, and returns a pointer to it"),
        };
        let Function { name, parameters, result, .. } = function;
        let key = format!("{name} {type_text} {:?}", call.written);
        let name = self.function(key, &name, |name| {
            let head =
                format!("// {name} {what}.\n//\n//go:noinline\nfunc {name}({parameters}) {result} {{\n");
            format!("{head}{}}}\n", body.text())
        });
        if call.made == Made::Make { format!("{name}({size})") } else { format!("{name}()") }
    }
}

fn function(call: &Call, type_text: &str) -> Function {
    let (made, make, place) = match call.made {
        Made::Var => ("", format!("var x {type_text}"), "x"),
        Made::New => ("New", format!("p := new({type_text})"), "p"),
        Made::Make => ("", "b := make([]byte, n)".to_owned(), "b"),
    };
    let (returned, result, what) = match (call.returns, call.made) {
        (Returns::Value, Made::Var) => ("x", type_text.to_owned(), "valueOf"),
        (Returns::Value, Made::New) => ("*p", type_text.to_owned(), "valueOf"),
        (Returns::Value, Made::Make) => ("b[0]", "byte".to_owned(), "oneOf"),
        (Returns::Pointer, Made::Var) => ("&x", format!("*{type_text}"), "pointerTo"),
        (Returns::Pointer, Made::New) => ("p", format!("*{type_text}"), "pointerTo"),
        (Returns::Pointer, Made::Make) => ("b", "[]byte".to_owned(), "sliceOf"),
    };
    let named = match call.made {
        Made::Make => "SomeBytes".to_owned(),
        _ => in_a_name(type_text),
    };
    let parameters = if call.made == Made::Make { "n int" } else { "" };
    Function { name: format!("{what}{made}{named}"), parameters, result, make, returned, place }
}
