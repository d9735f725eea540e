//! Full disks. A peer that cannot keep a turn sends and shows nothing of it, and takes nothing in until it can
//! (`node`'s event loop). Frames wait on its links, it refuses its user, and its timers run on. A turn that its user
//! asked for is undone.

use std::time::Duration;

use chat::{Effects, Store as _};

use super::{Happening, Violation, World};
use crate::machine::Stuck;
use crate::network::Motion;
use crate::plan::Action;

/// How soon to check again whether a peer takes in what waits for it. A disk may get room before its time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl World {
    pub(super) fn is_stuck(&self, who: usize) -> bool {
        self.machines[who].stuck.is_some()
    }

    /// For this long nothing can be kept.
    pub(super) fn fill(&mut self, who: usize, time: Duration) {
        let full_until = &mut self.machines[who].full_until;
        *full_until = (*full_until).max(Some(self.now + time));
    }

    /// Whether a turn that changes the store must wait. A store in memory has no disk that could be full.
    pub(super) fn lacks_room(&mut self, who: usize, effects: &Effects) -> bool {
        let machine = &mut self.machines[who];
        !effects.durable.is_empty()
            && machine.full_until.is_some_and(|until| until > self.now)
            && machine.peer.as_mut().is_some_and(|peer| peer.store_mut().survives())
    }

    /// A turn waits for room.
    pub(super) fn get_stuck(&mut self, who: usize, effects: Effects) {
        self.note(|world| format!("{} cannot keep a turn", world.machines[who]));
        self.chronicle.tally.stuck += 1;
        let machine = &mut self.machines[who];
        (machine.stuck, machine.wake) = (Some(Stuck { effects }), None);
        let until = machine.full_until.expect("it is full");
        self.schedule(until, Happening::Room(who));
    }

    /// What a user asked for cannot be kept. It is refused, and has not happened.
    pub(super) fn refuse(&mut self, who: usize, unkept: &Effects) -> Result<(), Violation> {
        self.chronicle.tally.refused += 1;
        let machine = &mut self.machines[who];
        let now = machine.now(self.now);
        let refused = std::mem::take(&mut machine.owed);
        machine.promising.clear();
        let Some(peer) = &mut machine.peer else { return Ok(()) };
        if let Err(error) = peer.revert(now, unkept) {
            let what = format!("{}: {error}", self.machines[who]);
            return Err(Violation { invariant: "a turn can be undone", what });
        }
        let effects = peer.take_effects(now);
        refused.into_iter().for_each(|id| self.chronicle.refuse(id, who));
        self.get_stuck(who, effects);
        Ok(())
    }

    /// When the peer that this motion concerns can see it, if not now: a peer that cannot keep a turn sees nothing
    /// until it can.
    pub(super) fn seen_at(&self, motion: Motion) -> Option<Duration> {
        let (one, other) = match motion {
            Motion::Arrive(end) => (self.network.receiver(end), None),
            Motion::Notice(end) | Motion::Down(end, _) | Motion::Up(end) => (self.network.sender(end), None),
            Motion::Dial(a, b) => (Some(a), Some(b)),
        };
        let stuck =
            one.into_iter().chain(other).map(|who| &self.machines[who]).filter(|machine| machine.stuck.is_some());
        stuck.filter_map(|machine| machine.full_until).max().map(|until| until.min(self.now + LOOK_AGAIN))
    }

    /// Whether a user would do something that the user's peer cannot take now.
    pub(super) fn is_refused(&self, action: &Action) -> bool {
        match action {
            Action::Say { who, .. }
            | Action::Cancel { who, .. }
            | Action::Create { who, .. }
            | Action::Join { who, .. }
            | Action::Leave { who, .. }
            | Action::Alias { who, .. }
            | Action::Forget { who, .. }
            | Action::Break { a: who, .. }
            | Action::Goodbye { who } => self.is_stuck(*who) || self.is_being_deleted(*who),
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
            | Action::Right { .. }
            | Action::Fill { .. } => false,
        }
    }

    /// If there is room again, the turn is kept, and the peer goes on with what its timers say or with what it was
    /// sent.
    pub(super) fn find_room(&mut self, who: usize) -> Result<(), Violation> {
        if let Some(until) = self.machines[who].full_until.filter(|&until| until > self.now) {
            self.schedule(until, Happening::Room(who));
            return Ok(());
        }
        let Some(Stuck { effects }) = self.machines[who].stuck.take() else { return Ok(()) };
        self.note(|world| format!("{} can keep the turn", world.machines[who]));
        self.carry_out(who, effects)?;
        if self.dice.percent(50) { self.timeout(who) } else { Ok(()) }
    }
}
