//! Full disks. A peer that cannot keep a turn sends and shows nothing of it, and takes nothing in until it can (`node`'s event
//! loop): what its links hear waits, its user is refused, and its timers run on.

use std::time::Duration;

use chat::Effects;

use super::{Happening, Violation, World};
use crate::network::Motion;
use crate::person::Stuck;
use crate::plan::{Action, Boundary};

/// How soon it is looked again whether a peer takes in what waits for it. Disks may get room before their time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl World {
    pub(super) fn is_stuck(&self, who: usize) -> bool {
        self.people[who].stuck.is_some()
    }

    /// Nothing can be kept for so long.
    pub(super) fn fill(&mut self, who: usize, time: Duration) {
        let full_until = &mut self.people[who].full_until;
        *full_until = (*full_until).max(Some(self.now + time));
    }

    /// Whether a turn that changes what is kept has to wait.
    pub(super) fn lacks_room(&self, who: usize, effects: &Effects) -> bool {
        !effects.durable.is_empty() && self.people[who].full_until.is_some_and(|until| until > self.now)
    }

    /// A turn waits for room.
    pub(super) fn get_stuck(&mut self, who: usize, effects: Effects) {
        self.note(|_| format!("p{who} cannot keep a turn"));
        self.chronicle.tally.stuck += 1;
        let person = &mut self.people[who];
        (person.stuck, person.wake) = (Some(Stuck { effects, answer: None }), None);
        let until = person.full_until.expect("it is full");
        self.schedule(until, Happening::Room(who));
    }

    /// When this motion may be seen by whom it concerns, if not now: what cannot keep a turn sees nothing before it can.
    pub(super) fn seen_at(&self, motion: Motion) -> Option<Duration> {
        let (one, other) = match motion {
            Motion::Arrive(end) => (self.network.receiver(end), None),
            Motion::Notice(end) | Motion::Down(end, _) | Motion::Up(end) => (self.network.sender(end), None),
            Motion::Dial(a, b) => (Some(a), Some(b)),
        };
        let stuck = one.into_iter().chain(other).map(|who| &self.people[who]).filter(|person| person.stuck.is_some());
        stuck.filter_map(|person| person.full_until).max().map(|until| until.min(self.now + LOOK_AGAIN))
    }

    /// Whether a user would do something that his peer cannot take now.
    pub(super) fn is_refused(&self, action: &Action) -> bool {
        match action {
            Action::Say { who, .. }
            | Action::Create { who, .. }
            | Action::Join { who, .. }
            | Action::Leave { who, .. }
            | Action::Alias { who, .. }
            | Action::Forget { who, .. }
            | Action::Break { a: who, .. }
            | Action::Goodbye { who } => self.is_stuck(*who),
            Action::Block { .. }
            | Action::Cut { .. }
            | Action::Split { .. }
            | Action::Mend { .. }
            | Action::MendAll
            | Action::Slow { .. }
            | Action::Crash { .. }
            | Action::Start { .. }
            | Action::Copy { .. }
            | Action::Jump { .. }
            | Action::Fill { .. } => false,
        }
    }

    /// If there is room again, the turn is kept, and the peer goes on: with what its timers say or with what it was sent.
    pub(super) fn find_room(&mut self, who: usize) -> Result<(), Violation> {
        if let Some(until) = self.people[who].full_until.filter(|&until| until > self.now) {
            self.schedule(until, Happening::Room(who));
            return Ok(());
        }
        let Some(Stuck { effects, answer }) = self.people[who].stuck.take() else { return Ok(()) };
        self.note(|_| format!("p{who} can keep the turn"));
        let doomed = self.people[who].doomed;
        self.carry_out(who, effects)?;
        // What was killed before it was durable never happened.
        if let Some(answer) = answer.filter(|_| doomed != Some(Boundary::BeforeDurable)) {
            self.note_answer(who, answer);
        }
        if self.dice.percent(50) { self.timeout(who) } else { Ok(()) }
    }
}
