//! `call`: a function that makes something and returns it - the value, or a pointer to it.
//!
//! **Mechanism.** The compiler decides for every variable and every `new` and `make` whether it may lie on the stack: it must, as
//! far as the compiler can see, be unreachable once its function has returned, and it must not be too large. Whatever fails
//! *escapes* to the heap: one call of `mallocgc`, and later work for the collector. A value that is returned is copied into
//! the caller's frame and costs nothing but that copy.
//!
//! **Why.** A stack's memory is free at the return without anybody having to look for it. Which of the two happens stands nowhere in
//! the source: `go build -gcflags=-m` says "moved to heap: x" or "escapes to heap".
//!
//! | made by | returned by value: on the stack if | returned by pointer |
//! |---|---|---|
//! | `var x T` | at most 10 MiB; since 1.24 128 KiB | heap |
//! | `p := new(T)` | at most 64 KiB | heap |
//! | `b := make([]byte, n)`, n not a constant | never; since 1.25 at most 32 B | heap |
//!
//! The limits are facts of a release: [`GoVersion::max_stack_variable_bytes`] and its neighbours.
//!
//! Differences from Go: the function is not inlined, as functions of some length are not; inlined into its caller, a
//! pointer that the caller does not keep would not escape. The stack on which values lie is there already: that a large value
//! makes it grow once is left out.
//!
//! **Sources**: `cmd/compile/internal/escape/utils.go` `HeapAllocReason`, `cmd/compile/internal/ir/cfg.go`,
//! `cmd/compile/internal/walk/builtin.go` `walkMakeSlice`, Go 1.21.13 to 1.27.3.
//!
//! To see it: `gclab run sims/returned-pointer.toml`.

use super::{GoType, Written};
use crate::heap::object::Layout;
use crate::version::GoVersion;

/// Calls of a function, one after the other, whose results are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// How many.
    pub count: u64,
    /// What each of them makes.
    pub object: Layout,
    /// Its type; an array of bytes when only a size was given.
    pub go_type: GoType,
    /// The expression that makes it.
    pub made: Made,
    /// What the function returns.
    pub returns: Returns,
    /// How much of it the function writes.
    pub written: Written,
}

/// The expression that makes what a function returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Made {
    /// `"var"`: `var x T`; the default.
    #[default]
    Var,
    /// `"new"`: `p := new(T)`, and `&T{}`.
    New,
    /// `"make"`: `b := make([]byte, n)` with a length that the compiler does not know.
    Make,
}

/// What a function returns of what it has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// `"value"`: `return x`, `return *p`; of a slice one element, `return b[0]`.
    Value,
    /// `"pointer"`: `return &x`, `return p`; of a slice the slice itself, `return b`.
    Pointer,
}

/// Where the compiler puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// In the function's frame.
    OnTheStack,
    /// In an object of its own for each call.
    OnTheHeap,
}

impl Call {
    /// Where the compiler of `version` puts what the function makes.
    pub fn lies(&self, version: GoVersion) -> Lies {
        let largest_bytes = match (self.returns, self.made) {
            (Returns::Pointer, _) => return Lies::OnTheHeap,
            (Returns::Value, Made::Var) => version.max_stack_variable_bytes(),
            (Returns::Value, Made::New) => version.max_implicit_stack_bytes(),
            (Returns::Value, Made::Make) => version.max_unknown_make_stack_bytes(),
        };
        if self.object.size_bytes <= largest_bytes { Lies::OnTheStack } else { Lies::OnTheHeap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lies(made: Made, returns: Returns, size_bytes: u64) -> [Lies; GoVersion::ALL.len()] {
        let byte = GoType::parse("byte").unwrap();
        let (object, go_type) = (Layout::noscan(size_bytes), GoType::Array(size_bytes, Box::new(byte)));
        let call = Call { count: 1, object, go_type, made, returns, written: Written::All };
        GoVersion::ALL.map(|version| call.lies(version))
    }

    #[test]
    fn a_returned_pointer_always_escapes_and_a_returned_value_when_it_is_too_large() {
        use Lies::{OnTheHeap as Heap, OnTheStack as Stack};
        for made in [Made::Var, Made::New, Made::Make] {
            assert_eq!(lies(made, Returns::Pointer, 1), [Heap; 5]);
        }
        assert_eq!(lies(Made::Var, Returns::Value, 128 << 10), [Stack; 5]);
        assert_eq!(lies(Made::Var, Returns::Value, 10 << 20), [Stack, Stack, Heap, Heap, Heap]);
        assert_eq!(lies(Made::Var, Returns::Value, (10 << 20) + 1), [Heap; 5]);
        assert_eq!(lies(Made::New, Returns::Value, 64 << 10), [Stack; 5]);
        assert_eq!(lies(Made::New, Returns::Value, (64 << 10) + 1), [Heap; 5]);
        assert_eq!(lies(Made::Make, Returns::Value, 32), [Heap, Heap, Heap, Stack, Stack]);
        assert_eq!(lies(Made::Make, Returns::Value, 33), [Heap; 5]);
    }
}
