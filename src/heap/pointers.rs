//! The pointers stored in a span's objects, as compactly as their pattern allows.
//!
//! Real objects hold their pointers in their own bytes. The model never stores payload, so each span keeps the pointer
//! words of its objects on the side, in one of three forms:
//!
//! * **nil** - nothing but nil so far; costs nothing;
//! * **chain** - object `i` points at its neighbour `i - 1`: what pushing nodes on the front of a linked list leaves in
//!   memory. Two slot numbers and one exit describe the whole span, and the marker walks it word by word of bitmap;
//! * **words** - one 32-bit reference a pointer slot, for every other graph.
//!
//! The form is invisible from outside: a store that does not fit the pattern turns the span into words.
//!
//! Invariant: reading slot `s` of object `i` gives the last value stored there since the object was allocated, in every form.

use super::object::{ObjRef, SpanId};

/// Objects `first..=last` of one span; each points at its lower neighbour, and `first` points at `exit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Lowest slot of the chain.
    pub first: u32,
    /// Highest slot of the chain.
    pub last: u32,
    /// Where the lowest object points.
    pub exit: ObjRef,
}

/// The pointer words of all objects of one span.
#[derive(Clone, Debug, Default)]
pub enum PointerWords {
    /// Every pointer is nil.
    #[default]
    Nil,
    /// One pointer an object, each at its lower neighbour.
    Chain(Chain),
    /// `stride` references an object, in slot order.
    Words {
        /// Pointer slots stored for each object.
        stride: u32,
        /// `stride * slot_count` references.
        words: Box<[ObjRef]>,
    },
}

/// Which span the words belong to, and how many pointers its objects have: what a store may have to know.
#[derive(Clone, Copy, Debug)]
pub struct SpanShape {
    /// The span.
    pub span: SpanId,
    /// Slots in the span.
    pub slot_count: u32,
    /// Most pointer slots of any object in the span.
    pub stride: u32,
}

impl PointerWords {
    /// The pointer in `slot` of object `index`.
    #[inline]
    pub fn get(&self, span: SpanId, index: u32, slot: u32) -> ObjRef {
        match self {
            PointerWords::Nil => ObjRef::NIL,
            PointerWords::Chain(chain) if slot == 0 => chain.next(span, index),
            PointerWords::Chain(_) => ObjRef::NIL,
            PointerWords::Words { stride, words } if slot < *stride => {
                words[(index * stride + slot) as usize]
            }
            PointerWords::Words { .. } => ObjRef::NIL,
        }
    }

    /// Stores `value` in `slot` of object `index`.
    #[inline]
    pub fn set(&mut self, shape: SpanShape, index: u32, slot: u32, value: ObjRef) {
        if let PointerWords::Words { stride, words } = self
            && *stride == shape.stride
        {
            words[(index * *stride + slot) as usize] = value;
        } else {
            self.set_slow(shape, index, slot, value);
        }
    }

    fn set_slow(&mut self, shape: SpanShape, index: u32, slot: u32, value: ObjRef) {
        match self {
            PointerWords::Nil if value.is_nil() => {}
            PointerWords::Nil if shape.stride == 1 && shape.slot_count > 1 => {
                *self = PointerWords::Chain(Chain { first: index, last: index, exit: value });
            }
            PointerWords::Chain(chain) if shape.stride == 1 && chain.takes(shape.span, index, value) => {
                chain.last += u32::from(!value.is_nil() && index > chain.last);
            }
            _ => {
                self.spell_out(shape);
                self.set(shape, index, slot, value);
            }
        }
    }

    /// Forgets all pointers of object `index`, which is about to be allocated again.
    #[inline]
    pub fn clear_object(&mut self, shape: SpanShape, index: u32) {
        match self {
            PointerWords::Nil => {}
            PointerWords::Chain(chain) if index < chain.first || index > chain.last => {}
            PointerWords::Chain(_) => {
                self.spell_out(shape);
                self.clear_object(shape, index);
            }
            PointerWords::Words { stride, words } => {
                let start = (index * *stride) as usize;
                words[start..start + *stride as usize].fill(ObjRef::NIL);
            }
        }
    }

    /// Turns any form into words of the shape's stride.
    fn spell_out(&mut self, shape: SpanShape) {
        let old = std::mem::take(self);
        let old_stride = match &old {
            PointerWords::Nil => 0,
            PointerWords::Chain(_) => 1,
            PointerWords::Words { stride, .. } => *stride,
        };
        let stride = shape.stride.max(old_stride);
        let mut words = vec![ObjRef::NIL; stride as usize * shape.slot_count as usize].into_boxed_slice();
        for index in 0..if old_stride == 0 { 0 } else { shape.slot_count } {
            for slot in 0..old_stride {
                words[(index * stride + slot) as usize] = old.get(shape.span, index, slot);
            }
        }
        *self = PointerWords::Words { stride, words };
    }
}

impl Chain {
    fn next(&self, span: SpanId, index: u32) -> ObjRef {
        if index == self.first {
            self.exit
        } else if index > self.first && index <= self.last {
            ObjRef::new(span, index - 1)
        } else {
            ObjRef::NIL
        }
    }

    /// Whether object `index` pointing at `value` is part of the chain, or would continue it at the top.
    fn takes(&self, span: SpanId, index: u32, value: ObjRef) -> bool {
        let continues = index == self.last + 1 && value == ObjRef::new(span, self.last);
        continues || self.next(span, index) == value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPE: SpanShape = SpanShape { span: 7, slot_count: 40, stride: 1 };

    #[test]
    fn pushing_nodes_on_a_list_stays_a_chain() {
        let mut pointers = PointerWords::Nil;
        let other = ObjRef::new(3, 9);
        pointers.set(SHAPE, 0, 0, other);
        for index in 1..40 {
            pointers.set(SHAPE, index, 0, ObjRef::new(7, index - 1));
        }
        assert!(
            matches!(pointers, PointerWords::Chain(chain) if chain == Chain { first: 0, last: 39, exit: other })
        );
    }

    proptest! {
        #[test]
        fn every_form_reads_back_what_was_stored(
            stores in proptest::collection::vec((0u32..40, 0u32..3, 0u32..41, 1u32..4, any::<bool>()), 0..60),
        ) {
            let mut pointers = PointerWords::Nil;
            let mut model = vec![[ObjRef::NIL; 3]; 40];
            let mut widest = 1;
            for (index, slot, target, stride, clear) in stores {
                widest = widest.max(stride);
                let shape = SpanShape { stride: widest, ..SHAPE };
                if clear {
                    pointers.clear_object(shape, index);
                    model[index as usize] = [ObjRef::NIL; 3];
                } else {
                    let value = if target == 40 { ObjRef::NIL } else { ObjRef::new(7, target) };
                    let slot = slot.min(widest - 1);
                    pointers.set(shape, index, slot, value);
                    model[index as usize][slot as usize] = value;
                }
                for (i, object) in model.iter().enumerate() {
                    for s in 0..widest {
                        prop_assert_eq!(pointers.get(7, i as u32, s), object[s as usize]);
                    }
                }
            }
        }

        #[test]
        fn list_like_stores_read_back_too(indices in proptest::collection::vec(0u32..40, 0..60)) {
            let mut pointers = PointerWords::Nil;
            let mut model = [ObjRef::NIL; 40];
            for index in indices {
                let value = if index == 0 { ObjRef::new(9, 1) } else { ObjRef::new(7, index - 1) };
                pointers.set(SHAPE, index, 0, value);
                model[index as usize] = value;
            }
            for (i, value) in model.iter().enumerate() {
                prop_assert_eq!(pointers.get(7, i as u32, 0), *value);
            }
        }
    }
}
