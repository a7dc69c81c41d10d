//! Where the reader is in a run, and what keys do about it.

use std::ops::ControlFlow;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Events that Page Up and Page Down go.
const PAGE: usize = 10;

/// Whether time moves the reader on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Playing {
    #[default]
    No,
    Yes,
}

/// Whether the keys are explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Help {
    #[default]
    Hidden,
    Shown,
}

/// The reader's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Viewer {
    /// Number of the event that is shown.
    pub at: usize,
    pub playing: Playing,
    pub help: Help,
}

/// What there is to walk through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course<'c> {
    /// Number of the last event.
    pub last: usize,
    /// Numbers of the events with which a phase of the collector begins.
    pub phases: &'c [usize],
}

impl Viewer {
    /// What a key makes of it; a break is the end.
    pub(super) fn after_key(self, key: KeyEvent, course: Course<'_>) -> ControlFlow<(), Viewer> {
        let to = |at: usize| Viewer { at: at.min(course.last), playing: Playing::No, ..self };
        if self.help == Help::Shown {
            // Whatever is pressed, the reader wants to see the run again.
            return ControlFlow::Continue(Viewer { help: Help::Hidden, ..self });
        }
        let next_phase = course.phases.iter().copied().find(|phase| *phase > self.at);
        let phase_before = course.phases.iter().rev().copied().find(|phase| *phase < self.at);
        ControlFlow::Continue(match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return ControlFlow::Break(());
            }
            KeyCode::Char('q') | KeyCode::Esc => return ControlFlow::Break(()),
            KeyCode::Right | KeyCode::Down | KeyCode::Char('l') => to(self.at + 1),
            KeyCode::Left | KeyCode::Up | KeyCode::Char('h') => to(self.at.saturating_sub(1)),
            KeyCode::PageDown => to(self.at + PAGE),
            KeyCode::PageUp => to(self.at.saturating_sub(PAGE)),
            KeyCode::Home => to(0),
            KeyCode::End => to(course.last),
            KeyCode::Char('n') => to(next_phase.unwrap_or(course.last)),
            KeyCode::Char('p') => to(phase_before.unwrap_or(0)),
            KeyCode::Char(' ') => self.play_or_pause(course),
            KeyCode::Char('?') => Viewer { help: Help::Shown, playing: Playing::No, ..self },
            _ => self,
        })
    }

    /// One beat of playing.
    pub(super) fn after_beat(self, course: Course<'_>) -> Viewer {
        if self.playing == Playing::No {
            return self;
        }
        let at = (self.at + 1).min(course.last);
        let playing = if at == course.last { Playing::No } else { Playing::Yes };
        Viewer { at, playing, ..self }
    }

    /// At the end, playing begins anew.
    fn play_or_pause(self, course: Course<'_>) -> Viewer {
        match self.playing {
            Playing::Yes => Viewer { playing: Playing::No, ..self },
            Playing::No if self.at == course.last => Viewer { at: 0, playing: Playing::Yes, ..self },
            Playing::No => Viewer { playing: Playing::Yes, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COURSE: Course<'static> = Course { last: 50, phases: &[10, 20, 30] };

    fn pressed(viewer: Viewer, keys: &[KeyCode]) -> Viewer {
        keys.iter().fold(viewer, |viewer, code| match viewer.after_key(KeyEvent::from(*code), COURSE) {
            ControlFlow::Continue(viewer) => viewer,
            ControlFlow::Break(()) => panic!("{code:?} ends"),
        })
    }

    #[track_caller]
    fn assert_at(from: usize, keys: &[KeyCode], at: usize) {
        assert_eq!(pressed(Viewer { at: from, ..Viewer::default() }, keys).at, at, "{keys:?} from {from}");
    }

    #[test]
    fn keys_go_forward_and_back_and_stop_at_the_ends() {
        assert_at(5, &[KeyCode::Right, KeyCode::Right, KeyCode::Left], 6);
        assert_at(0, &[KeyCode::Left], 0);
        assert_at(50, &[KeyCode::Right], 50);
        assert_at(45, &[KeyCode::PageDown], 50);
        assert_at(45, &[KeyCode::PageUp], 35);
        assert_at(5, &[KeyCode::End], 50);
        assert_at(5, &[KeyCode::Home], 0);
    }

    #[test]
    fn n_and_p_go_from_phase_to_phase() {
        assert_at(0, &[KeyCode::Char('n'), KeyCode::Char('n')], 20);
        assert_at(20, &[KeyCode::Char('p')], 10);
        assert_at(35, &[KeyCode::Char('n')], 50);
        assert_at(9, &[KeyCode::Char('p')], 0);
    }

    #[test]
    fn space_plays_to_the_end_and_then_from_the_beginning() {
        let playing = pressed(Viewer { at: 48, ..Viewer::default() }, &[KeyCode::Char(' ')]);
        let later = playing.after_beat(COURSE);
        assert_eq!((later.at, later.playing), (49, Playing::Yes));
        let end = later.after_beat(COURSE).after_beat(COURSE);
        assert_eq!((end.at, end.playing), (50, Playing::No));
        assert_eq!(pressed(end, &[KeyCode::Char(' ')]).at, 0);
        assert_eq!(pressed(playing, &[KeyCode::Right]).playing, Playing::No, "a step stops it");
    }

    #[test]
    fn any_key_leaves_the_help_and_three_leave_the_program() {
        let helped = pressed(Viewer::default(), &[KeyCode::Char('?')]);
        assert_eq!(helped.help, Help::Shown);
        assert_eq!(pressed(helped, &[KeyCode::Char('q')]).help, Help::Hidden);
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for key in [KeyEvent::from(KeyCode::Char('q')), KeyEvent::from(KeyCode::Esc), control_c] {
            assert!(Viewer::default().after_key(key, COURSE).is_break(), "{key:?}");
        }
    }
}
