//! Where a goroutine is in its program: a stack of step lists, one for each `repeat` it is inside.

use toml::Spanned;

use crate::scenario::Step;

/// A list of steps that is being carried out.
struct Frame<'s> {
    steps: &'s [Spanned<Step>],
    next: usize,
    turns_left: u64,
}

/// The place of a goroutine in its program.
pub(super) struct Frames<'s> {
    stack: Vec<Frame<'s>>,
    /// Repeats around the whole program: those around the `parallel` that a track belongs to.
    repeats_around: usize,
}

/// What comes next.
pub(super) enum Next<'s> {
    /// A step that is not a `repeat`.
    Step(&'s Spanned<Step>),
    /// Nothing.
    Done,
}

impl<'s> Frames<'s> {
    /// A program of one step.
    pub(super) fn once(step: &'s Spanned<Step>) -> Frames<'s> {
        Frames::within(0, std::slice::from_ref(step))
    }

    /// A program of several steps with `repeats_around` it.
    pub(super) fn within(repeats_around: usize, steps: &'s [Spanned<Step>]) -> Frames<'s> {
        Frames { stack: vec![Frame { steps, next: 0, turns_left: 1 }], repeats_around }
    }

    /// How many `repeat`s the step that was last given out is inside.
    pub(super) fn repeats(&self) -> usize {
        self.repeats_around + self.stack.len() - 1
    }

    /// The next step, entering and leaving repeats on the way.
    pub(super) fn next(&mut self) -> Next<'s> {
        loop {
            let Some(frame) = self.stack.last_mut() else { return Next::Done };
            let Some(step) = frame.steps.get(frame.next) else {
                frame.turns_left -= 1;
                frame.next = 0;
                if frame.turns_left == 0 {
                    self.stack.pop();
                }
                continue;
            };
            frame.next += 1;
            match step.as_ref() {
                Step::Repeat(repeat) => {
                    self.stack.push(Frame { steps: &repeat.steps, next: 0, turns_left: repeat.times });
                }
                _ => return Next::Step(step),
            }
        }
    }
}
