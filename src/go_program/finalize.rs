//! Objects with finalizers, cleanups and weak pointers.

use super::code::grouped;
use super::steps::Body;
use super::types::byte_array;
use super::{Helper, Unwritable};
use crate::scenario::{Finalize, FinalizeKind};

impl Body<'_, '_> {
    fn finalize_statement(&mut self, kind: FinalizeKind, object: &str, type_text: &str) -> String {
        match kind {
            FinalizeKind::Finalizer => format!("runtime.SetFinalizer({object}, func(*{type_text}) {{}})"),
            FinalizeKind::Cleanup => format!("runtime.AddCleanup({object}, func(int) {{}}, 0)"),
            FinalizeKind::Weak => {
                self.types.need(Helper::Weak);
                format!("_ = weak.Make({object})")
            }
        }
    }

    /// The loop that makes objects and attaches to each what the step says.
    pub(super) fn finalize(&mut self, finalize: &Finalize) -> Result<(), Unwritable> {
        let count = grouped(finalize.count);
        if finalize.chain == 1 {
            let text = self.types.text(&finalize.go_type);
            let object = self.types.new_object(&finalize.go_type, finalize.written);
            self.code.open(&format!("for i := 0; i < {count}; i++ {{"));
            let statement = self.finalize_statement(finalize.kind, &object, &text);
            self.code.line(&statement);
            self.code.close("}");
            return Ok(());
        }
        let go_type = match byte_array(&finalize.go_type) {
            Some(size_bytes) => self.types.link_struct(size_bytes),
            None => finalize.go_type.clone(),
        };
        let link = match byte_array(&finalize.go_type) {
            Some(_) => "next".to_owned(),
            None => self.types.selectors(&go_type, 1)?.remove(0),
        };
        let text = self.types.text(&go_type);
        let object = self.types.new_object(&go_type, finalize.written);
        self.code.line(&format!(
            "// Chains of {}: each object points to the one before it.",
            grouped(finalize.chain)
        ));
        self.code.open(&format!("for i, p := 0, (*{text})(nil); i < {count}; i++ {{"));
        self.code.open(&format!("if i%{} == 0 {{", finalize.chain));
        self.code.line("p = nil");
        self.code.close("}");
        self.code.line(&format!("n := {object}"));
        self.code.line(&format!("n.{link} = p"));
        self.code.line("p = n");
        let statement = self.finalize_statement(finalize.kind, "n", &text);
        self.code.line(&statement);
        self.code.close("}");
        Ok(())
    }
}
