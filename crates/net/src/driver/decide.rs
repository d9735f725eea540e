//! Which connection to a peer stays.
//!
//! Of every pair, one side decides: the side that dials by the tie-break's rule, computed from the numbers in the
//! greetings of this connection. It takes the first connection on which both sides have greeted and says so on it
//! (`Accept`). From then on, both sides treat that link as up. So there is never a doubt, and never more than one link.
//! The deciding side does not wait for its own dial: a firewall may swallow that while the other side's dial gets
//! through. Of several connections it prefers one that it dialled itself, then the newest that the other side dialled.
//!
//! A connection from a newer start takes the place of the older start's link at once ([`elsewhere`](super::elsewhere)
//! handles the rest).

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Instant};

use libp2p::swarm::ConnectionId;

use super::{Connection, Driver, Reason, Stage, opening::LOOK, version_mismatch};
use crate::{
    DownReason, Event, LinkId,
    by_hand::{EntryId, Purpose},
    frame::Kind,
    greeting::{BadGreeting, Greeting},
    introduce::{Introduction, Relation},
    link::Ended,
    outgoing::Finish,
    peer::{Key, Start, first_dials, peer_id},
    tiebreak::Lost,
};

/// The order of the connections to one peer, for the side that decides: the greatest stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// The peer's start: a newer start has forgotten the connections of an older one.
    start: (u64, u64),
    /// A connection that this side dialled is preferred. Two of those are equal: this side knows that the older one
    /// lives.
    ours: bool,
    /// Of two that the other side dialled, the newer one is preferred. The other side has lost the older one, or it
    /// would not have dialled again.
    theirs: u64,
}

impl Driver {
    pub(super) fn greeted(&mut self, id: ConnectionId, greeting: Result<Greeting, BadGreeting>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.stage != Stage::Opening {
            return;
        }
        let peer = connection.peer;
        let greeting = match greeting {
            Ok(greeting) if greeting.id == peer => greeting,
            Ok(_) => {
                self.count_violation(peer, "a greeting that claims another identity");
                return self.refuse(id, "the greeting claims another identity than the connection proves".to_owned());
            }
            Err(BadGreeting::Version(version)) => {
                if connection.dial.is_none() {
                    self.greet(id);
                }
                return self.refuse(id, version_mismatch(version, self.version));
            }
            Err(BadGreeting::Malformed) => {
                self.count_violation(peer, "a malformed greeting");
                return self.refuse(id, "the greeting is malformed".to_owned());
            }
        };
        let start = greeting.start;
        let dialled = connection.dial.is_none();
        connection.greeting = Some(greeting);
        connection.stage = Stage::Greeted;
        let up = self.up.get(&peer).and_then(|up| self.connections.get(up)).and_then(Connection::start);
        if up.is_some_and(|up| up.is_newer_than(&start)) {
            return self.outlived(Instant::now(), id);
        }
        // The dialled side greets only now, so a connection that is refused earlier never looks like a link to the
        // other side.
        if dialled {
            self.greet(id);
        }
        self.decide(peer);
    }

    /// The other side has decided that this connection stays.
    pub(super) fn accepted(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if matches!(connection.stage, Stage::Outlived { .. } | Stage::Ending) {
            return;
        }
        let theirs = connection.greeting.as_ref().is_some_and(|theirs| !decides((self.me, self.start), theirs));
        if connection.stage != Stage::Greeted || !theirs {
            return self.violated(id, "a decision that was not the other side's");
        }
        connection.stage = Stage::Accepted;
        let (peer, start) = (connection.peer, connection.start());
        if let Some(old) = self.link_of_older(&peer, start) {
            self.outlived(Instant::now(), old);
        }
        match self.up.get(&peer).copied() {
            // The new one comes up as soon as the old one is down.
            Some(old) => self.end(old, None, DownReason::Superseded),
            None => self.bring_up(id),
        }
    }

    /// Decides which connection to a peer stays, if that is up to this side and there is something to decide.
    pub(super) fn decide(&mut self, peer: Key) {
        let me = (self.me, self.start);
        let candidates = self.connections.iter().filter(|(_, connection)| {
            connection.peer == peer
                && connection.stage == Stage::Greeted
                && connection.greeting.as_ref().is_some_and(|theirs| decides(me, theirs))
        });
        let mut candidates: BTreeSet<_> = candidates.filter_map(|(id, c)| Some((c.rank()?, *id))).collect();
        let Some((rank, best)) = candidates.pop_last() else { return };
        // A connection of an older start than the link's is never a candidate.
        if let Some(old) = self.link_of_older(&peer, self.connections.get(&best).and_then(Connection::start)) {
            self.outlived(Instant::now(), old);
        }
        if let Some(&old) = self.up.get(&peer) {
            if !self.connections.get(&old).and_then(Connection::rank).is_some_and(|old| rank.replaces(old)) {
                self.end(best, Some((Kind::Duplicate, String::new())), DownReason::Superseded);
            } else {
                // The decision is made again as soon as the old one is down.
                self.end(old, None, DownReason::Superseded);
            }
        } else {
            if let Some(link) = self.connections.get(&best).and_then(|connection| connection.link.as_ref()) {
                link.outgoing.push_control(Kind::Accept, &[]);
            }
            self.bring_up(best);
        }
        for (_, id) in candidates {
            // A connection of an older start waits for the proof.
            if !self.connections.get(&id).is_some_and(|connection| connection.stage == Stage::Greeted) {
                continue;
            }
            self.end(id, Some((Kind::Duplicate, String::new())), DownReason::Superseded);
        }
    }

    /// Whether a connection to the peer is being made, from either side.
    pub(super) fn is_coming_about(&self, peer: &Key) -> bool {
        self.dials.values().any(|dial| dial.reason == Reason::Rule(*peer))
            || self.connections.values().any(|connection| {
                connection.peer == *peer
                    && matches!(connection.stage, Stage::Opening | Stage::Greeted | Stage::Accepted)
            })
    }

    fn bring_up(&mut self, id: ConnectionId) {
        let now = Instant::now();
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (Some(link), Some(greeting)) = (&mut connection.link, &connection.greeting) else { return };
        connection.stage = Stage::Up;
        let (peer, start, remote) = (connection.peer, greeting.start, connection.remote);
        let neighbour = connection.neighbour.clone();
        let relation = match &neighbour {
            Some(_) => Relation::Neighbour,
            None if connection.stranger || self.tiebreak.knows_another(&peer, &start) => Relation::Stranger,
            None => Relation::Known,
        };
        let event = Event::Up { link: link.id, peer, address: remote };
        self.outbox.push_back((event, link.up.take()));
        self.links.write().insert(link.id, Arc::clone(&link.outgoing));
        let link = link.id;
        let addresses = reachable_at(remote, connection.dial.is_some(), &greeting.listen);
        let entry = connection.by_hand();
        self.up.insert(peer, id);
        self.swarm.behaviour().is_link(id);
        self.refusals.remove(&peer);
        self.tiebreak.linked(now, peer, start);
        if let Some(entry) = entry {
            self.by_hand_linked(entry, peer);
        }
        for address in self.by_hand.peer_up(peer) {
            self.tell(Event::Reached { address, peer });
        }
        self.suspect_no_more(&peer);
        if neighbour.is_none() {
            self.is_online();
        }
        let tiebreak = &self.tiebreak;
        self.book.make_room(|peer| tiebreak.knows(peer));
        self.book.greeted(peer, &addresses);
        let addresses =
            neighbour.as_ref().map_or_else(|| self.book.proven(&peer), |neighbour| &neighbour.listen).to_vec();
        let introduction = Introduction { peer, start, addresses };
        let letters = self.circle.joined(now, link, introduction, remote, relation);
        self.post(letters);
        self.outlive_others(now, peer, start);
    }

    pub(super) fn ended(&mut self, id: ConnectionId, link: LinkId, ended: Ended) {
        let now = Instant::now();
        self.by_link.remove(&link);
        self.links.write().remove(&link);
        let Some(connection) = self.connections.remove(&id) else { return };
        let peer = connection.peer;
        self.swarm.behaviour_mut().abort(peer_id(&peer), id);
        if let Ended::Down(DownReason::Protocol(what)) = &ended {
            self.count_violation(peer, what);
        }
        let outlived = matches!(connection.stage, Stage::Outlived { .. });
        let ended = if outlived { Ended::Down(DownReason::Superseded) } else { ended };
        if self.up.get(&peer) == Some(&id) {
            self.up.remove(&peer);
            self.down(now, peer, link, ended);
        } else {
            self.came_to_nothing(now, &connection, ended);
        }
        let accepted =
            |(id, c): (&ConnectionId, &Connection)| (c.peer == peer && c.stage == Stage::Accepted).then_some(*id);
        match self.connections.iter().find_map(accepted) {
            Some(next) => self.bring_up(next),
            None => self.decide(peer),
        }
    }

    /// A link that was up is now down.
    pub(super) fn down(&mut self, now: Instant, peer: Key, link: LinkId, ended: Ended) {
        let reason = match ended {
            Ended::Down(reason) => reason,
            Ended::Refused(reason) => DownReason::ClosedByPeer(reason),
            Ended::Duplicate => DownReason::Superseded,
        };
        let lost = match reason {
            DownReason::Goodbye | DownReason::Shutdown => Lost::Goodbye,
            DownReason::Closed(_) | DownReason::ClosedByPeer(_) | DownReason::Protocol(_) => Lost::ForCause,
            DownReason::Renewed(_)
            | DownReason::Lost(_)
            | DownReason::Silent
            | DownReason::Superseded
            | DownReason::Overrun => Lost::Broken,
        };
        if reason == DownReason::Silent {
            self.may_be_offline();
        }
        self.circle.left(now, link);
        self.rumours.forget(&peer);
        self.tiebreak.lost(now, peer, lost);
        self.by_hand.peer_down(now, peer, lost);
        self.tell(Event::Down { link, peer, reason });
    }

    /// A connection ended before it became a link.
    fn came_to_nothing(&mut self, now: Instant, connection: &Connection, ended: Ended) {
        let peer = connection.peer;
        match (ended, connection.by_hand()) {
            // Both sides refuse at once, each for the same reason in its own words. The user reads only the first.
            (Ended::Refused(_), _) if connection.stage == Stage::Ending => {}
            (Ended::Refused(reason), entry) => self.was_refused(now, peer, connection.remote, reason, entry),
            // This side has refused, and said so.
            (Ended::Down(DownReason::Closed(_)), _) => {}
            (Ended::Duplicate | Ended::Down(DownReason::Superseded), Some(entry))
                if connection.is_look() && self.up.contains_key(&peer) =>
            {
                self.already_linked(entry, peer);
            }
            (Ended::Duplicate | Ended::Down(DownReason::Superseded), Some(entry)) => {
                self.by_hand_deferred(now, entry, peer);
            }
            (Ended::Duplicate, None) => {}
            (Ended::Down(reason), Some(entry)) => self.by_hand_failed(now, entry, reason.to_string()),
            (Ended::Down(reason), None) => tracing::debug!(peer = %peer_id(&peer), %reason, "no link"),
        }
        self.settle(now, peer);
    }

    fn was_refused(&mut self, now: Instant, peer: Key, remote: SocketAddr, reason: String, entry: Option<EntryId>) {
        self.tiebreak.refused(now, peer);
        if let Some(entry) = entry {
            if let Some((_, Purpose::Reach(address))) = self.by_hand.asked_for(entry) {
                let (address, reason) = (address.to_string(), reason.clone());
                self.tell(Event::ConnectFailed { address, reason });
            }
            self.by_hand.refused(now, entry);
        }
        self.refused(peer, Some(remote), reason);
    }

    /// Refuses a connection and tells both users.
    fn refuse(&mut self, id: ConnectionId, reason: String) {
        let Some(connection) = self.connections.get(&id) else { return };
        let (peer, remote, entry) = (connection.peer, connection.remote, connection.by_hand());
        self.was_refused(Instant::now(), peer, remote, reason.clone(), entry);
        self.end(id, Some((Kind::Refuse, reason.clone())), DownReason::Closed(reason));
    }

    /// The other side broke the protocol: the link closes with the reason.
    pub(super) fn violated(&mut self, id: ConnectionId, what: &str) {
        self.end(id, Some((Kind::Close, what.to_owned())), DownReason::Protocol(what.to_owned()));
    }

    fn count_violation(&mut self, peer: Key, what: &str) {
        self.violations += 1;
        let (peer, so_far) = (peer_id(&peer), self.violations);
        // The more there have been, the fewer of them are worth a log line: keys cost nothing.
        if so_far <= 10 || so_far.is_power_of_two() {
            tracing::warn!(%peer, what, so_far, "the protocol was broken");
        } else {
            tracing::debug!(%peer, what, so_far, "the protocol was broken");
        }
    }

    /// Ends a connection that is not up, because it has taken too long or cannot become a link.
    pub(super) fn give_up(&mut self, id: ConnectionId, why: &str) {
        self.end(id, None, DownReason::Lost(why.to_owned()));
    }

    /// Ends a connection with a last word, or at once without one.
    pub(super) fn end(&mut self, id: ConnectionId, last: Option<(Kind, String)>, reason: DownReason) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.stage = Stage::Ending;
        if let Some(link) = &connection.link {
            let (last, text) = last.unzip();
            link.outgoing.finish(Finish { last, text: text.unwrap_or_default(), reason });
        } else if let Some(connection) = self.connections.remove(&id) {
            let peer = connection.peer;
            self.swarm.behaviour_mut().abort(peer_id(&peer), id);
            self.came_to_nothing(Instant::now(), &connection, Ended::Down(reason));
            self.decide(peer);
        }
    }
}

impl Rank {
    /// Whether this connection takes the place of the one that is up: if it is of a newer start, or if the other side
    /// dialled both and this one later.
    fn replaces(self, up: Self) -> bool {
        self.start > up.start || (self.start == up.start && !self.ours && !up.ours && self.theirs > up.theirs)
    }
}

impl Connection {
    pub(super) fn start(&self) -> Option<Start> {
        self.greeting.as_ref().map(|greeting| greeting.start)
    }

    fn rank(&self) -> Option<Rank> {
        let greeting = self.greeting.as_ref()?;
        let start = (greeting.start.at, greeting.start.r);
        Some(Rank { start, ours: self.dial.is_some(), theirs: greeting.dial })
    }

    /// It was dialled although there was a link.
    fn is_look(&self) -> bool {
        self.dial.is_some_and(|dial| dial.number == LOOK)
    }

    fn by_hand(&self) -> Option<EntryId> {
        match self.dial?.reason {
            Reason::ByHand(entry) => Some(entry),
            Reason::Rule(_) | Reason::Rumour => None,
        }
    }
}

/// Whether this side decides, by the numbers in the greetings.
fn decides((me, start): (Key, Start), theirs: &Greeting) -> bool {
    first_dials((start.r, &me), (theirs.start.r, &theirs.id))
}

/// Where a linked peer can be reached, the likeliest first. First the address where it was dialled, or its visible IP
/// address with a port that it listens on. Then the addresses where it says that it listens.
fn reachable_at(remote: SocketAddr, dialled: bool, listen: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    if dialled {
        addresses.push(remote);
    } else {
        let same_family = listen.iter().filter(|address| address.is_ipv4() == remote.is_ipv4());
        addresses.extend(same_family.map(|address| SocketAddr::new(remote.ip(), address.port())));
    }
    addresses.extend(listen);
    let mut seen = BTreeSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses
}
