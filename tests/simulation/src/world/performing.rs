//! From an input to its effects. They are carried out in the order that `chat::Effects` states, up to the point where
//! the peer is killed, if it is.

use chat::{Change, Effects, Event, LinkId, News, Store};

use super::{Happening, Violation, World};
use crate::plan::Boundary;

impl World {
    /// A frame arrives, and perhaps more from the same link in the same turn.
    pub(super) fn arrive(&mut self, end: LinkId) -> Result<(), Violation> {
        let mut turn = None;
        while let Some(arrived) = self.network.arrive(self.now, end) {
            self.chronicle.tally.frames += 1;
            self.note_copy(arrived.from, arrived.to);
            if let Some(ready) = arrived.ready {
                self.ready(arrived.from, ready)?;
            }
            let machine = &mut self.machines[arrived.to];
            let now = machine.now(self.now);
            let Some(peer) = &mut machine.peer else { return Ok(()) };
            turn = Some(arrived.to);
            if let Err(bad) = peer.handle_frame(now, arrived.link, &arrived.frame) {
                self.note(|world| {
                    let [to, from] = [arrived.to, arrived.from].map(|who| &world.machines[who]);
                    format!("{to} closes its link to {from}: {bad}")
                });
                // If a liar lies about its own clock, others tell its peer of messages that it never sent.
                let forgotten_again = bad.to_string().contains("too soon to be believed");
                // What its copy said was handed on to the other side, which proves that on the next link.
                let by_its_copy =
                    self.machines[arrived.to].lineage.rolled_back && bad.to_string().contains("never sent");
                if !forgotten_again && !by_its_copy && ![arrived.from, arrived.to].iter().any(|&who| self.lies(who)) {
                    return Err(Violation {
                        invariant: "the honest are believed",
                        what: format!(
                            "{} sent {} a bad frame: {bad}",
                            self.machines[arrived.from], self.machines[arrived.to]
                        ),
                    });
                }
                self.link_down(arrived.link, "a bad frame")?;
                self.network.close(self.now, arrived.link, "a bad frame");
                return Ok(());
            }
            if self.dice.percent(60) {
                break;
            }
        }
        turn.map_or(Ok(()), |who| self.perform(who))
    }

    /// A link has room again. Its sender learns so once it takes anything in.
    pub(super) fn ready(&mut self, who: usize, link: LinkId) -> Result<(), Violation> {
        if let Some(later) = self.machines[who].full_until.filter(|_| self.is_stuck(who)) {
            self.schedule(later, Happening::Ready(who, link));
        } else if let Some(peer) = &mut self.machines[who].peer {
            peer.handle_link_ready(link);
            self.perform(who)?;
        }
        Ok(())
    }

    pub(super) fn link_up(&mut self, end: LinkId) -> Result<(), Violation> {
        let Some((who, other)) = self.network.up(end) else { return Ok(()) };
        self.chronicle.tally.links += 1;
        self.note(|world| format!("{} has a link to {}", world.machines[who], world.machines[other]));
        let (person, mut remote) = (self.machines[other].id(), self.machines[other].address());
        remote.set_port(50_000);
        let now = self.machines[who].now(self.now);
        if let Some(peer) = &mut self.machines[who].peer {
            peer.handle_link_up(now, end, person, remote);
        }
        self.network.arrive_at(self.now, end);
        self.perform(who)
    }

    pub(super) fn link_down(&mut self, end: LinkId, reason: &'static str) -> Result<(), Violation> {
        let Some((who, other)) = self.network.owner(end) else { return Ok(()) };
        self.note(|world| {
            format!("{} has no link to {} any more: {reason}", world.machines[who], world.machines[other])
        });
        let now = self.machines[who].now(self.now);
        let Some(peer) = &mut self.machines[who].peer else { return Ok(()) };
        peer.handle_link_down(now, end, reason);
        self.perform(who)
    }

    pub(super) fn timeout(&mut self, who: usize) -> Result<(), Violation> {
        let now = self.machines[who].now(self.now);
        if let Some(peer) = &mut self.machines[who].peer {
            peer.handle_timeout(now);
        }
        self.perform(who)
    }

    /// Carries out what a user asked for, or undoes and refuses it. Returns whether it was done.
    pub(super) fn perform_for_user(&mut self, who: usize) -> Result<bool, Violation> {
        let machine = &mut self.machines[who];
        let now = machine.now(self.now);
        let Some(peer) = &mut machine.peer else { return Ok(false) };
        let effects = peer.take_effects(now);
        if self.lacks_room(who, &effects) {
            self.refuse(who, &effects)?;
            return Ok(false);
        }
        self.carry_out(who, effects)?;
        Ok(true)
    }

    /// Carries out the effects, or waits until they can be kept.
    pub(super) fn perform(&mut self, who: usize) -> Result<(), Violation> {
        let machine = &mut self.machines[who];
        let now = machine.now(self.now);
        let Some(peer) = machine.peer.as_mut().filter(|_| machine.stuck.is_none()) else { return Ok(()) };
        let effects = peer.take_effects(now);
        if self.lacks_room(who, &effects) {
            self.get_stuck(who, effects);
            return Ok(());
        }
        self.carry_out(who, effects)
    }

    pub(super) fn carry_out(&mut self, who: usize, effects: Effects) -> Result<(), Violation> {
        let machine = &mut self.machines[who];
        let Some(peer) = &mut machine.peer else { return Ok(()) };
        let doom = machine.doomed.filter(|_| !effects.is_empty());
        if doom == Some(Boundary::BeforeDurable) {
            self.kill(who, "before its effects were durable");
            return Ok(());
        }
        let Effects { durable, journal, frames, renew, dial: _, reach: _, met: _, events } = effects;
        if let Err(error) = peer.store_mut().apply(&durable) {
            return Err(Violation { invariant: "the store keeps", what: format!("{}: {error}", self.machines[who]) });
        }
        let promised = std::mem::take(&mut self.machines[who].promising);
        self.machines[who].lineage.promised.extend(promised);
        self.note_resent(who, &durable);
        self.note_inherited(who, &durable);
        // What is durable has happened. If the trace was not written yet, it is completed from the store at the next
        // start.
        for entry in journal {
            self.journal(who, entry)?;
        }
        self.look_at_welcomes(who, &durable)?;
        if doom == Some(Boundary::AfterDurable) {
            return self.kill_behind(who, events, "after its effects were durable");
        }
        let sent = match doom {
            Some(Boundary::BetweenFrames(percent)) => frames.len() * percent / 100,
            Some(Boundary::BeforeDurable | Boundary::AfterDurable | Boundary::BeforeEvents) | None => frames.len(),
        };
        for (link, frame) in frames.into_iter().take(sent) {
            let lies = self.liar.as_mut().filter(|_| self.chronicle.liars.contains(&self.machines[who].person));
            let frames = lies.map_or_else(|| vec![frame.clone()], |liar| liar.tell(link, frame.clone()));
            frames.into_iter().for_each(|frame| self.send(who, link, frame));
        }
        if doom.is_some() {
            return self.kill_behind(who, events, "before its events were shown");
        }
        for (link, _) in renew {
            self.link_down(link, "closed")?;
            self.network.close(self.now, link, "closed by the other side");
        }
        for id in std::mem::take(&mut self.machines[who].owed) {
            self.chronicle.confirm(id);
        }
        for event in events {
            self.tell(who, &event)?;
        }
        let machine = &mut self.machines[who];
        machine.wake = machine.peer.as_ref().and_then(chat::Peer::poll_timeout).map(|(at, _)| at);
        Ok(())
    }

    /// Checks the messages that a peer names in welcomes.
    fn look_at_welcomes(&self, who: usize, durable: &[Change]) -> Result<(), Violation> {
        let person = self.machines[who].id();
        for change in durable {
            if let Change::Delivered { kept } = change
                && kept.id().process.person == person
            {
                self.check(who, |invariant, scene| invariant.on_welcome(scene, &kept.named()))?;
            }
        }
        Ok(())
    }

    fn send(&mut self, who: usize, link: LinkId, frame: bytes::Bytes) {
        // A link that is gone is reported by an event of its own.
        if self.owner(link) == Some(who)
            && self.network.send(self.now, link, frame)
            && let Some(peer) = &mut self.machines[who].peer
        {
            peer.handle_link_full(link);
        }
    }

    fn tell(&mut self, who: usize, event: &Event) -> Result<(), Violation> {
        if let Event::Message { message } = event {
            // A scheduled text of this user goes out. It was shown when it was stamped.
            if !message.own || message.fetched {
                self.shown(who, message)?;
            }
        } else if let Event::Warning { text } = event {
            self.note(|world| format!("{} is warned: {text}", world.machines[who]));
            self.machines[who].lineage.lacks_history |= text.contains("could not be fetched");
        }
        Ok(())
    }

    /// The process is gone without a word.
    pub(super) fn kill(&mut self, who: usize, when: &str) {
        self.note(|world| format!("{} is killed {when}", world.machines[who]));
        self.chronicle.tally.crashes += 1;
        self.end_process(who);
    }

    /// The process is gone once its effects were durable. What it did not show is in its history.
    fn kill_behind(&mut self, who: usize, events: News, when: &str) -> Result<(), Violation> {
        for event in events {
            self.tell(who, &event)?;
        }
        self.kill(who, when);
        Ok(())
    }

    pub(super) fn end_process(&mut self, who: usize) {
        let machine = &mut self.machines[who];
        (machine.doomed, machine.wake) = (None, None);
        (machine.full_until, machine.stuck) = (None, None);
        machine.owed.clear();
        machine.promising.clear();
        machine.disk = machine.peer.take().map(chat::Peer::into_store).filter(Store::survives);
        self.network.end_all(self.now, who);
    }
}
