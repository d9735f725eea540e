//! One identity in two places: detects this, and tells the older start ([`elsewhere`](crate::elsewhere) has the rules).
//!
//! - Two starts of one identity connect to this peer. The newer one gets the link at once. The older one's connection
//!   is kept for a moment, until the newer one has answered with the proof.
//! - An introduction names a different start than the link's. If the introducer has a link to the newer start, this
//!   peer asks the introducer. Otherwise it asks its own link and tells the introducer.
//! - An announcement names a different start than the link's. This peer dials it (see [`rumours`](crate::rumours)).

use std::time::Instant;

use libp2p::swarm::ConnectionId;

use super::{Connection, Driver, Stage};
use crate::{
    DownReason, Event,
    elsewhere::{Question, Supersedes},
    frame::Kind,
    link::Ended,
    peer::{Key, Start},
    questions::PATIENCE,
    tiebreak::Source,
};

/// How many questions of one peer are taken in a second. Each costs a signature, or a frame to another peer.
pub(super) const ASKS: u32 = 4;
/// How many questions are passed on to one peer in a second. The peer takes more than that, so this peer's own
/// questions have room.
pub(super) const RELAYS: u32 = 2;

impl Driver {
    /// Which start of the peer has the link.
    pub(super) fn linked_start(&self, peer: &Key) -> Option<Start> {
        self.linked(peer)?.1.start()
    }

    fn linked(&self, peer: &Key) -> Option<(ConnectionId, &Connection)> {
        let id = *self.up.get(peer)?;
        let connection = self.connections.get(&id)?;
        (connection.stage == Stage::Up).then_some((id, connection))
    }

    /// The link to the peer, if its start is older than `newer`.
    pub(super) fn link_of_older(&self, peer: &Key, newer: Option<Start>) -> Option<ConnectionId> {
        let (id, connection) = self.linked(peer)?;
        newer?.is_newer_than(&connection.start()?).then_some(id)
    }

    /// Demotes a connection of an older start, because a newer one has the link or is about to. It is no longer a link.
    /// It stays until the proof has come or is overdue.
    pub(super) fn outlived(&mut self, now: Instant, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (Some(link), Some(start)) = (&connection.link, connection.greeting.as_ref().map(|theirs| theirs.start))
        else {
            return;
        };
        let (peer, link, was) = (connection.peer, (link.id, &link.outgoing), connection.stage);
        let until = now + PATIENCE;
        connection.stage = Stage::Outlived { until };
        if was == Stage::Up {
            let (link, outgoing) = link;
            outgoing.take_down();
            // The dial is answered already.
            connection.dial = None;
            self.up.remove(&peer);
            self.links.write().remove(&link);
            self.down(now, peer, link, Ended::Down(DownReason::Superseded));
        }
        self.is_overdue_at(until);
        self.ask_linked(Question { peer, older: start });
    }

    /// The link to a start of the peer is up, so its connections of older starts end.
    pub(super) fn outlive_others(&mut self, now: Instant, peer: Key, newest: Start) {
        let of_peer = |(id, connection): (&ConnectionId, &Connection)| {
            let start = connection.start().filter(|_| connection.peer == peer)?;
            newest.is_newer_than(&start).then_some((*id, connection.stage, start))
        };
        for (id, stage, older) in self.connections.iter().filter_map(of_peer).collect::<Vec<_>>() {
            match stage {
                Stage::Outlived { .. } => self.ask_linked(Question { peer, older }),
                Stage::Greeted | Stage::Accepted => self.outlived(now, id),
                Stage::Opening | Stage::Up | Stage::Ending => {}
            }
        }
    }

    /// Asks the peer itself, if the linked start is the newer one.
    fn ask_linked(&self, question: Question) {
        let Some((id, connection)) = self.linked(&question.peer) else { return };
        if connection.start().is_some_and(|linked| linked.is_newer_than(&question.older)) {
            self.push(id, Kind::Elsewhere, &question.encode());
        }
    }

    fn push(&self, id: ConnectionId, kind: Kind, payload: &[u8]) {
        if let Some(link) = self.connections.get(&id).and_then(|connection| connection.link.as_ref()) {
            link.outgoing.push_control(kind, payload);
        }
    }

    /// Ends a connection of an older start and says why. The proof has been sent, or it did not come in time.
    pub(super) fn refuse_outlived(&mut self, id: ConnectionId) {
        let reason = "another program with the same identity was started later and is connected: close one of them, or \
                      give this one a data folder of its own";
        self.end(id, Some((Kind::Refuse, reason.to_owned())), DownReason::Superseded);
    }

    /// A peer that has a link to some start of another peer has introduced it.
    pub(super) fn start_introduced(&mut self, id: ConnectionId, peer: Key, start: Start) {
        let now = Instant::now();
        let Some(linked) = self.linked_start(&peer) else { return };
        if linked.is_newer_than(&start) {
            self.asked(now, id, Question { peer, older: start });
        } else if start.is_newer_than(&linked)
            && self.connections.get_mut(&id).is_some_and(|introducer| introducer.relays.allows(now))
        {
            self.push(id, Kind::Elsewhere, &Question { peer, older: linked }.encode());
        }
    }

    pub(super) fn on_question(&mut self, id: ConnectionId, payload: &[u8]) {
        match Question::decode(payload) {
            Some(question) => self.asked(Instant::now(), id, question),
            None => self.violated(id, "a malformed question"),
        }
    }

    /// Answers with a proof, or passes the question on to the newer start. Any other question stays unanswered.
    fn asked(&mut self, now: Instant, id: ConnectionId, question: Question) {
        let Question { peer, older } = question;
        let Some(asker) = self.connections.get_mut(&id) else { return };
        let Some(link) = asker.link.as_ref().map(|link| link.id) else { return };
        if !matches!(asker.stage, Stage::Greeted | Stage::Accepted | Stage::Up) || !asker.asks.allows(now) {
            return;
        }
        if peer == self.me {
            if let Some(proof) = Supersedes::sign(&self.keypair, self.me, self.start, older) {
                self.push(id, Kind::Supersedes, &proof.encode());
            }
        } else if let Some((to, linked)) = self.linked(&peer)
            && linked.start().is_some_and(|linked| linked.is_newer_than(&older))
            && self.connections.get_mut(&to).is_some_and(|linked| linked.relays.allows(now))
        {
            self.questions.relayed(now, question, link);
            self.push(to, Kind::Elsewhere, &question.encode());
        }
    }

    pub(super) fn on_proof(&mut self, id: ConnectionId, payload: &[u8]) {
        let now = Instant::now();
        let Some(stage) = self.connections.get(&id).map(|connection| connection.stage) else { return };
        if matches!(stage, Stage::Outlived { .. } | Stage::Ending) {
            return;
        }
        let Some(proof) = Supersedes::decode(payload) else { return self.violated(id, "a malformed proof") };
        if proof.peer == self.me {
            if proof.older == self.start && proof.verify() {
                return self.superseded();
            }
            return self.violated(id, "a proof that proves nothing");
        }
        if stage == Stage::Opening {
            return self.violated(id, "a proof before the greeting");
        }
        // Each valid proof ends a connection or answers a question, so no peer can make this one verify without bound.
        let older = |connection: &Connection| connection.peer == proof.peer && connection.start() == Some(proof.older);
        let of_use = self.questions.is_open(now, &proof.question())
            || self.connections.values().any(|connection| connection.stage != Stage::Ending && older(connection));
        match of_use {
            true if proof.verify() => self.proved(now, &proof),
            true => self.violated(id, "a proof that proves nothing"),
            // The proof came too late.
            false => {}
        }
    }

    /// Tells the older start, and the peers that asked.
    fn proved(&mut self, now: Instant, proof: &Supersedes) {
        let payload = proof.encode();
        for asker in self.questions.answered(&proof.question()) {
            if let Some(&id) = self.by_link.get(&asker) {
                self.push(id, Kind::Supersedes, &payload);
            }
        }
        let is_older = |(id, connection): (&ConnectionId, &Connection)| {
            (connection.peer == proof.peer && connection.start() == Some(proof.older))
                .then_some((*id, connection.stage))
        };
        for (id, stage) in self.connections.iter().filter_map(is_older).collect::<Vec<_>>() {
            if stage == Stage::Ending {
                continue;
            }
            self.push(id, Kind::Supersedes, &payload);
            if !matches!(stage, Stage::Outlived { .. }) {
                self.outlived(now, id);
            }
            self.refuse_outlived(id);
        }
        // Without a link, this peer looks for the newer start.
        self.tiebreak.heard(now, proof.peer, proof.newer, Source::Introduced);
    }

    /// This is the older start. Nothing that it does may get in the way of the newer one.
    fn superseded(&mut self) {
        if std::mem::replace(&mut self.superseded, true) {
            return;
        }
        self.tell(Event::Superseded);
        self.leave_neighbours();
        if let Some(discovery) = self.discovery.take() {
            discovery.leave_to_another();
        }
        // From now on no peer is missed.
        self.tiebreak.forget_all();
        self.dials.clear();
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.end(id, Some((Kind::Goodbye, String::new())), DownReason::Shutdown);
        }
    }
}
