//! Links: who is at the other end, and what he was given.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use causal::wire::{Mark, Table};
use causal::{Clock, Index};

use crate::frame::{Control, Have, Returned};
use crate::record::SignedRecord;
use crate::store::Store;
use crate::{Event, LinkId, PersonId};

use super::anew::Anew;
use super::carry::Offers;
use super::requests::Requests;
use super::{BadFrame, Now, Peer, greeting};

/// One link that is up.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) person: PersonId,
    remote: SocketAddr,
    /// Who is there, once it has said so.
    pub(super) process: Option<Index>,
    /// When it said so, Unix time in microseconds, and which clock its process had used by then.
    greeted: (i64, Clock),
    /// The process there was forgotten and has been told so: nothing that it says counts.
    pub(super) dismissed: bool,
    /// The other side's numbers, of this connection.
    pub(super) table: Table,
    /// My record, as it was told in the greeting.
    told: Option<Bytes>,
    /// Which of my numbers it has been told.
    pub(super) mark: Mark,
    /// It has no room: nothing is pushed until it is ready.
    pub(super) full: bool,
    /// My messages up to this clock were given to it, if they are addressed to it ...
    pub(super) pushed: Clock,
    /// ... but for these, which were under `-delay` then.
    pub(super) skipped: BTreeSet<Clock>,
    /// How many of them it has not acknowledged.
    pub(super) in_flight: usize,
    /// What is left with others there, and asked for.
    pub(super) offers: Offers,
    /// What it has asked for.
    pub(super) requests: Requests,
    /// How many pulls it has not answered.
    pub(super) unanswered: usize,
}

impl Link {
    /// The other side's end of the connection.
    pub(super) fn remote(&self) -> SocketAddr {
        self.remote
    }
}

/// Behind why nobody was reached at an address that a message was for.
const NOT_SENT: &str = "; your message was not sent";

impl<S: Store> Peer<S> {
    /// A link came up. Its key is `person`'s: the caller has authenticated it.
    pub fn handle_link_up(&mut self, now: Now, link: LinkId, person: PersonId, remote: SocketAddr) {
        self.multicast_stale_record(now);
        let state = Link {
            person,
            remote,
            process: None,
            greeted: (0, 0),
            dismissed: false,
            told: self.directory.signed_record_of(self.me.person).map(|record| record.bytes().clone()),
            table: Table::default(),
            mark: Mark::default(),
            full: false,
            pushed: 0,
            skipped: BTreeSet::new(),
            in_flight: 0,
            offers: Offers::default(),
            requests: Requests::default(),
            unanswered: 0,
        };
        self.links.insert(link, state);
        self.await_pushes(now, person);
        let hello = Control::Hello {
            greeting: self.greeting(now),
            have: self.have_everything(),
            records: self.directory.records_for(person).cloned().collect(),
            returned: Box::new(self.returned_to(person)),
        };
        self.send_control(link, &hello);
    }

    /// A link went down.
    pub fn handle_link_down(&mut self, now: Now, link: LinkId, reason: &str) {
        if self.is_ghost_gone(link, reason) {
            return;
        }
        let Some(Link { person, process, offers, .. }) = self.links.remove(&link) else { return };
        let lost = process.filter(|process| self.link_of.get(process) == Some(&link));
        lost.and_then(|process| self.link_of.remove(&process));
        // Whoever was at the other end is not asked again.
        self.fetch_elsewhere(now, link, process);
        self.fail_to_address(person, reason);
        let Some(process) = process else { return };
        if lost.is_none() {
            self.ask_others_for_parcels_of(now, process, offers.into_asked());
            return;
        }
        self.begin_to_lag(process);
        self.search_no_more(process);
        self.ask_others_for_parcels_of(now, process, offers.into_asked());
        self.directory.set_absent(person);
        let who = self.directory.who(person);
        self.tell(Event::PeerDown { who, reason: reason.to_owned() });
        self.note_spread();
        self.note_alone();
        self.announce_what_i_have_of(process);
        self.pull_what_others_have();
    }

    /// A link has no more room.
    pub fn handle_link_full(&mut self, link: LinkId) {
        if let Some(link) = self.links.get_mut(&link) {
            link.full = true;
        }
    }

    /// A link has room again.
    pub fn handle_link_ready(&mut self, link: LinkId) {
        if let Some(link) = self.links.get_mut(&link) {
            link.full = false;
        }
        self.pump_all();
    }

    /// This peer can be reached at `address`.
    pub fn handle_listening(&mut self, address: SocketAddr) {
        if self.addresses.insert(address) {
            self.record_is_stale = true;
            self.tell(Event::Listening { address: address.to_string() });
        }
    }

    /// An address that was to be dialled could not be reached.
    pub fn handle_connect_failed(&mut self, address: String, mut reason: String) {
        if self.for_address.failed(&address) {
            reason.push_str(NOT_SENT);
        }
        self.tell(Event::ConnectFailed { address, reason });
    }

    /// The dial of an address that was to be reached has proved that this person is there, and there is a link to them.
    pub fn handle_reached(&mut self, now: Now, address: SocketAddr, person: PersonId) {
        self.for_address.reached(address, person);
        if self.link_of.keys().any(|&process| self.person_of(process) == person) {
            self.say_to_address(now, person);
        } else if !self.links.values().any(|link| link.person == person) {
            self.fail_to_address(person, "the link is down again");
        }
    }

    /// A link was refused, by us or by the other side.
    pub fn handle_refused(&mut self, peer: String, reason: String) {
        self.tell(Event::LinkRefused { peer, reason });
    }

    /// The caller has something to say to the user.
    pub fn handle_warning(&mut self, text: String) {
        self.tell(Event::Warning { text });
    }

    /// Who is at the other end.
    pub(super) fn greeted(&self, link: LinkId) -> Result<Index, BadFrame> {
        self.links[&link].process.ok_or_else(|| BadFrame("a frame before the greeting".to_owned()))
    }

    pub(super) fn handle_hello(
        &mut self,
        now: Now,
        link_id: LinkId,
        signed: Bytes,
        have: &[Have],
        records: Vec<SignedRecord>,
        returned: &Returned,
    ) -> Result<(), BadFrame> {
        let greeting = greeting::claim(&signed)?;
        let process = greeting.process;
        let link = self.links.get_mut(&link_id).expect("frames are handled only on links that are up");
        if link.process.is_some() {
            return Err(BadFrame("a second greeting".to_owned()));
        }
        let (person, remote) = (link.person, link.remote);
        if process.person != person || process == self.me {
            return Err(BadFrame("a greeting under somebody else's name".to_owned()));
        }
        let is_new = self.is_a_newcomer(&records);
        let records: Vec<SignedRecord> = records.into_iter().filter(|signed| !self.directory.has(signed)).collect();
        let is_behind = self.was_rolled_back(returned) || self.was_superseded(&records);
        self.inherit(&records);
        if is_behind {
            self.begin_anew(now, &Anew::RolledBack);
            return Ok(());
        }
        let index = self.causal.intern(process).map_err(|full| BadFrame(full.to_string()))?;
        if self.causal.forgotten().contains(index) {
            self.dismiss(link_id, process);
            return Ok(());
        }
        let was_met = self.has_met(person);
        self.keep_greeting(&greeting, signed);
        let link = self.links.get_mut(&link_id).expect("still up");
        (link.process, link.greeted) = (Some(index), (now.unix_micros, greeting.clock));
        self.merge_records(now, records);
        if is_new {
            self.claim_among_others();
        }
        // It may be another incarnation's, which may even be gone for good: then the other side writes a newer one as soon as
        // it sees ours.
        if !self.directory.knows(person) {
            return Err(BadFrame("a greeting without a record of its own".to_owned()));
        }
        // Between my greeting and his he was not known here: what I multicast of myself meanwhile has passed him by.
        let mine = self.directory.signed_record_of(self.me.person).map(SignedRecord::bytes);
        self.record_is_stale |= self.links.get(&link_id).is_some_and(|link| link.told.as_ref() != mine);
        self.note_seen(index);
        self.note_company(now);
        self.come_home(now);
        self.link_of.insert(index, link_id);
        if !was_met {
            self.effects.met.push(person);
        }
        let new = self.directory.set_present(person, shown_address(remote)) && !was_met;
        self.keep_addresses_of(person);
        let who = self.directory.who(person);
        self.tell(Event::PeerUp { who, new });
        self.causal.vouch(index, greeting.clock);
        self.drop_made_up_holes(index, greeting.clock);
        self.talks.drop_made_up(index, self.causal.vouched(index));
        self.take_vector(index, have)?;
        self.note_what_was_said(index, greeting.clock);
        self.push_again(link_id);
        self.leave_parcels_with(now, index, link_id);
        self.pull_what_others_have();
        self.ask_to_complete(index);
        self.ask_anew(index);
        self.admit(now);
        self.follow_all(now);
        self.say_to_address(now, person);
        Ok(())
    }

    /// Everything that the other side has not acknowledged is to be pushed again, from the oldest.
    pub(super) fn push_again(&mut self, link: LinkId) {
        let link = self.links.get_mut(&link).expect("link_of names links that are up");
        link.pushed = 0;
        link.skipped.clear();
        link.in_flight = 0;
    }

    /// Says what is for the person at an address that was reached.
    fn say_to_address(&mut self, now: Now, person: PersonId) {
        for to in self.for_address.take(person) {
            self.say_to_person(now, person, to.text, to.delay_ms);
        }
    }

    /// Drops what is for the person at an address that was reached, unless another link to them is left.
    pub(super) fn fail_to_address(&mut self, person: PersonId, reason: &str) {
        if self.links.values().any(|link| link.person == person) {
            return;
        }
        for to in self.for_address.take(person) {
            self.tell(Event::ConnectFailed { address: to.address.to_string(), reason: format!("{reason}{NOT_SENT}") });
        }
    }

    /// When the present link to a process came up (Unix time in microseconds), if it used this clock later.
    pub(super) fn link_up_before(&self, process: Index, clock: Clock) -> Option<i64> {
        let (at, used) = self.links.get(self.link_of.get(&process)?)?.greeted;
        (clock > used).then_some(at)
    }

    /// The links of those who have said who they are.
    pub(super) fn linked(&self) -> Vec<(Index, LinkId)> {
        self.link_of.iter().map(|(&process, &link)| (process, link)).collect()
    }
}

/// An IPv4 address that came in over an IPv6 socket is shown as what it is.
fn shown_address(remote: SocketAddr) -> IpAddr {
    remote.ip().to_canonical()
}
