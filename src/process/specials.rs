//! Finalizers, cleanups and weak pointers as a program makes them ([`crate::heap::special`] has their rules).
//!
//! `runtime.AddCleanup` makes a closure and boxes, `weak.Make` a handle: objects of the heap that the record keeps. A finalizer
//! that captures nothing makes none.

use super::Process;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};
use crate::heap::special::{Attachment, AttachmentKind, Finalizer, FinalizerAction};

impl Process {
    /// `runtime.SetFinalizer`.
    pub fn set_finalizer(&mut self, object: ObjRef, action: FinalizerAction) {
        self.spend_cpu_ns(self.costs.allocation.set_finalizer_ns);
        self.heap.set_finalizer(object, Finalizer { action });
        self.count_metadata();
    }

    /// `runtime.AddCleanup(object, func(*T) {}, argument)`; nil stands for an argument that is a number.
    pub fn add_cleanup(&mut self, object: ObjRef, argument: ObjRef) {
        let mut held = argument;
        self.push_local(object);
        for bytes in self.settings.version.cleanup_objects_bytes().iter().rev() {
            self.push_local(held);
            let next = self.alloc(Layout::scan(*bytes, 1, 8));
            self.set_pointer(next, 0, held);
            self.pop_local();
            held = next;
        }
        self.attach(object, AttachmentKind::Cleanup, held);
        self.pop_local();
    }

    /// `weak.Make(object)`; returns the handle, which an object has only one of.
    pub fn make_weak(&mut self, object: ObjRef) -> ObjRef {
        if let Some(handle) = self.heap.weak_handle(object) {
            return handle;
        }
        self.push_local(object);
        let handle = self.alloc(Layout::noscan(self.settings.version.weak_handle_bytes()));
        self.attach(object, AttachmentKind::Weak, handle);
        self.pop_local();
        handle
    }

    fn attach(&mut self, object: ObjRef, kind: AttachmentKind, held: ObjRef) {
        self.spend_cpu_ns(self.costs.allocation.set_finalizer_ns);
        self.marker.shade(&self.heap, held);
        self.heap.attach(object, Attachment { kind, held });
        self.count_metadata();
    }
}
