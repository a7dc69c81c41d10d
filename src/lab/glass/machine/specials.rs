//! Finalizers, cleanups and weak pointers of a glass run ([`crate::heap::special`] has their rules).

use super::Glass;
use crate::gc::roots::RootKind;
use crate::heap::mutator::Mutator;
use crate::heap::object::{Layout, ObjRef};
use crate::heap::special::{Attachment, AttachmentKind, Finalizer, FinalizerAction};
use crate::lab::glass::event::Event;
use crate::scenario::FinalizeKind;

impl Glass {
    /// Sets what a `finalize` step sets on an object, which is a local of the caller.
    pub(in crate::lab::glass) fn set_special(&mut self, object: ObjRef, kind: FinalizeKind) {
        let kind = match kind {
            FinalizeKind::Finalizer => {
                self.heap.set_finalizer(object, Finalizer { action: FinalizerAction::Return });
                "finalizer"
            }
            FinalizeKind::Cleanup => {
                let held = self.cleanup_objects();
                self.attach(object, AttachmentKind::Cleanup, held);
                "cleanup"
            }
            FinalizeKind::Weak => {
                let handle = self.alloc(Layout::noscan(self.version.weak_handle_bytes()));
                self.attach(object, AttachmentKind::Weak, handle);
                "weak pointer"
            }
        };
        let object = self.name(object).unwrap_or_default();
        self.note(Event::Special { object, kind });
    }

    /// The closure and the boxes of `runtime.AddCleanup`, each pointing to the next.
    fn cleanup_objects(&mut self) -> ObjRef {
        let mut held = ObjRef::NIL;
        for bytes in self.version.cleanup_objects_bytes().iter().rev() {
            self.push_local(held);
            let next = self.alloc(Layout::scan(*bytes, 1, 8));
            self.set_pointer(next, 0, held);
            self.pop_local();
            held = next;
        }
        held
    }

    fn attach(&mut self, object: ObjRef, kind: AttachmentKind, held: ObjRef) {
        self.marker.shade(&self.heap, held);
        self.heap.attach(object, Attachment { kind, held });
    }

    /// What finalizers and their like keep: the names of the roots, and their objects.
    pub(super) fn special_roots(&self) -> impl Iterator<Item = (String, RootKind, Vec<ObjRef>)> {
        let queue = self.heap.finalizer_queue.iter().map(|(object, _)| *object).collect();
        let held = self.heap.held_by_attachments().chain(self.heap.cleanup_queue.iter().copied()).collect();
        let finalized = self.heap.finalized_objects().collect();
        let roots: [(&str, RootKind, Vec<ObjRef>); 3] = [
            ("finalizer queue", RootKind::FinalizerQueue, queue),
            ("cleanups", RootKind::FinalizerQueue, held),
            ("inside finalized objects", RootKind::Finalizers, finalized),
        ];
        let roots = roots.into_iter().filter(|(_, _, objects)| !objects.is_empty());
        roots.map(|(name, kind, objects)| (name.to_owned(), kind, objects))
    }

    /// Objects that are reachable from no variable, but stay: by what keeps them.
    pub(in crate::lab::glass) fn kept_by_specials(&self) -> Vec<ObjRef> {
        let mut kept = Vec::new();
        for (_, kind, objects) in self.special_roots() {
            match kind {
                RootKind::Finalizers => {
                    for object in objects {
                        let slots = self.heap.span(object.span()).pointer_stride;
                        kept.extend((0..slots).map(|slot| self.heap.pointer(object, slot)));
                    }
                }
                _ => kept.extend(objects),
            }
        }
        kept
    }

    /// Notes the objects that sweeping has kept for their finalizers since it was noted last: the collector's own sweeping, and
    /// that of whoever allocates.
    pub(super) fn note_revived(&mut self) {
        let revived = self.heap.finalizer_queue[self.revived_noted..].iter().map(|(object, _)| *object);
        let objects = self.names(revived.collect::<Vec<_>>());
        self.revived_noted = self.heap.finalizer_queue.len();
        if !objects.is_empty() {
            self.note(Event::Revived { objects });
        }
    }

    /// Runs the finalizers that are due.
    pub(super) fn run_finalizers(&mut self) {
        let due: Vec<ObjRef> = self.heap.finalizer_queue.iter().map(|(object, _)| *object).collect();
        let objects = self.names(due);
        // None of a scenario's finalizers keeps its object.
        self.heap.run_finalizers();
        self.revived_noted = 0;
        if !objects.is_empty() {
            self.note(Event::Finalized { objects });
        }
    }
}
