//! Peers introduce peers, so that one address is enough to join the whole mesh. Pure.
//!
//! - A stranger (somebody whom only an address given by hand led here) is introduced at once: to everybody this peer
//!   has links to, and they to him.
//! - Everything else waits until the links have not changed for a while. Then each peer sends a digest of whom it has
//!   links to; where two digests differ, each tells the other of those it has not told of yet. So two meshes that come
//!   into contact at one point grow together, and a mesh that is complete costs a few bytes a link.
//!
//! Only peers with a link to the introducer are introduced: nobody passes on hearsay, so whoever is gone is forgotten.
//!
//! Neighbours in one process ([`neighbours`](crate::neighbours)) know each other without that. One of them speaks for all: it
//! introduces its neighbours and the peers outside to each other at once, however it came to know them, and it alone sends
//! digests to its neighbours.

use std::{
    collections::{BTreeMap, HashSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use crate::{
    LinkId,
    address::{decode_all, encode_all, take},
    book::MAX_ADDRESSES,
    frame::{Kind, MAX_CONTROL},
    peer::{Key, Start},
    random::mix,
};

/// The longest introduction: key, start, count, and every address an IPv6 one.
const LONGEST: usize = 32 + 16 + 1 + MAX_ADDRESSES * 19;
/// Introductions in a frame, so that it is never too long.
const A_FRAME: usize = MAX_CONTROL / LONGEST;
/// How long the links must not have changed, and how much longer for each link: while hundreds start, the digests
/// would differ all the time.
const SETTLE: Duration = Duration::from_secs(1);
const SETTLE_A_LINK: Duration = Duration::from_millis(20);

/// A peer, as others need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    pub(crate) peer: Key,
    pub(crate) start: Start,
    /// Where it can be reached, the likeliest first. Of a neighbour, an unspecified one stands for every one of this machine.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Introduction {
    /// The same for the peer at `address`: loopback addresses lead elsewhere from another machine. `machine` are the
    /// addresses of this one.
    fn seen_from(&self, address: SocketAddr, machine: &[IpAddr]) -> Option<Self> {
        let near = address.ip().is_loopback();
        let named = self.addresses.iter().flat_map(|a| {
            let any = a.ip().is_unspecified();
            let same_family = machine.iter().filter(move |ip| any && ip.is_ipv4() == a.is_ipv4());
            let of_machine = same_family.map(|ip| SocketAddr::new(*ip, a.port()));
            of_machine.chain((!any).then_some(*a))
        });
        let addresses: Vec<_> = named.filter(|a| near || !a.ip().is_loopback()).take(MAX_ADDRESSES).collect();
        (!addresses.is_empty()).then_some(Self { addresses, ..*self })
    }

    fn token(&self) -> u64 {
        token(&self.peer, &self.start)
    }
}

fn token(peer: &Key, start: &Start) -> u64 {
    let (head, _) = peer.split_first_chunk().expect("a key has 32 bytes");
    mix(u64::from_le_bytes(*head) ^ mix(start.r))
}

/// What a peer is to this one when a link to it comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It was heard of before.
    Known,
    /// Nobody has heard of it.
    Stranger,
    /// It is in the same process.
    Neighbour,
}

/// A frame for a link.
pub(crate) type Letter = (LinkId, Kind, Vec<u8>);

/// Whom this peer has links to, and what each of them has been told.
#[derive(Debug)]
pub(crate) struct Circle {
    me: u64,
    contacts: BTreeMap<LinkId, Contact>,
    /// Whether this peer speaks for its neighbours.
    speaks: bool,
    /// The addresses of this machine.
    machine: Vec<IpAddr>,
    /// When the links are settled, if that is still to come.
    settles: Option<Instant>,
}

#[derive(Debug)]
struct Contact {
    introduction: Introduction,
    /// The other side's end of the connection.
    address: SocketAddr,
    /// It is a neighbour.
    here: bool,
    /// Whom the other side knows from this side, or this side from it.
    told: HashSet<u64>,
    /// The digest that was sent last.
    sent: Option<Digest>,
    /// The digest that came last, until it is answered.
    theirs: Option<Digest>,
}

/// Of a set of peers: the same on two sides only if the sets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digest {
    count: u32,
    sum: u64,
}

impl Circle {
    pub(crate) fn new(me: &Key, start: &Start) -> Self {
        Self { me: token(me, start), contacts: BTreeMap::new(), speaks: false, machine: Vec::new(), settles: None }
    }

    /// This peer speaks for its neighbours from now on.
    pub(crate) fn speak(&mut self) {
        self.speaks = true;
    }

    pub(crate) fn speaks(&self) -> bool {
        self.speaks
    }

    /// This machine has these addresses.
    pub(crate) fn machine_is_at(&mut self, mut addresses: Vec<IpAddr>) {
        addresses.sort_unstable();
        addresses.dedup();
        self.machine = addresses;
    }

    /// A link came up.
    pub(crate) fn joined(
        &mut self,
        now: Instant,
        link: LinkId,
        introduction: Introduction,
        address: SocketAddr,
        relation: Relation,
    ) -> Vec<Letter> {
        let mut letters = Vec::new();
        let here = relation == Relation::Neighbour;
        let mut contact = Contact { introduction, address, here, told: HashSet::new(), sent: None, theirs: None };
        if self.is_introduced_at_once(relation) {
            letters.extend(contact.tell(link, self.contacts.values(), &self.machine));
            for (id, other) in &mut self.contacts {
                letters.extend(other.tell(*id, [&contact], &self.machine));
            }
        }
        self.contacts.insert(link, contact);
        self.unsettle(now);
        letters
    }

    fn is_introduced_at_once(&self, relation: Relation) -> bool {
        match relation {
            Relation::Stranger => true,
            Relation::Neighbour => self.speaks,
            Relation::Known => self.speaks && self.contacts.values().any(|contact| contact.here),
        }
    }

    /// A link went down.
    pub(crate) fn left(&mut self, now: Instant, link: LinkId) {
        if self.contacts.remove(&link).is_some() {
            self.unsettle(now);
        }
    }

    /// Introductions came. `None` when they are malformed.
    pub(crate) fn introduced(&mut self, link: LinkId, payload: &[u8]) -> Option<Vec<Introduction>> {
        let introductions = decode(payload)?;
        if let Some(contact) = self.contacts.get_mut(&link) {
            // What is remembered of a link is bounded by what there is to tell it, or it could grow with lies.
            if contact.told.len() + introductions.len() > 4096 {
                contact.told.clear();
            }
            contact.told.extend(introductions.iter().map(Introduction::token));
        }
        Some(introductions)
    }

    /// A digest came. `None` when it is malformed.
    pub(crate) fn digest(&mut self, link: LinkId, payload: &[u8]) -> Option<Vec<Letter>> {
        let digest = Digest::decode(payload)?;
        let settled = self.settles.is_none();
        let mine = self.mine();
        if let Some(contact) = self.contacts.get_mut(&link) {
            contact.theirs = Some(digest);
        }
        Some(if settled { self.answer(link, mine) } else { Vec::new() })
    }

    /// What is to be sent once the links have settled.
    pub(crate) fn poll(&mut self, now: Instant) -> Vec<Letter> {
        if self.settles.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.settles = None;
        let mine = self.mine();
        let mut letters = Vec::new();
        for (id, contact) in &mut self.contacts {
            if contact.sent != Some(mine) && (self.speaks || !contact.here) {
                contact.sent = Some(mine);
                letters.push((*id, Kind::Digest, mine.encode()));
            }
        }
        for link in self.contacts.keys().copied().collect::<Vec<_>>() {
            letters.extend(self.answer(link, mine));
        }
        letters
    }

    /// When [`poll`](Self::poll) has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.settles
    }

    fn unsettle(&mut self, now: Instant) {
        let links = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX);
        self.settles = Some(now + SETTLE + SETTLE_A_LINK.saturating_mul(links));
    }

    /// Tells a link of everybody it has not been told of, if its digest differs.
    fn answer(&mut self, link: LinkId, mine: Digest) -> Vec<Letter> {
        let Some(mut contact) = self.contacts.remove(&link) else { return Vec::new() };
        let differs = contact.theirs.take().is_some_and(|theirs| theirs != mine);
        let letters = if differs { contact.tell(link, self.contacts.values(), &self.machine) } else { Vec::new() };
        self.contacts.insert(link, contact);
        letters
    }

    fn mine(&self) -> Digest {
        let tokens = self.contacts.values().map(|contact| contact.introduction.token());
        let sum = tokens.fold(self.me, u64::wrapping_add);
        Digest { count: u32::try_from(self.contacts.len()).unwrap_or(u32::MAX), sum }
    }
}

impl Contact {
    /// Tells it of others. Neighbours know each other already.
    fn tell<'a>(&mut self, link: LinkId, of: impl IntoIterator<Item = &'a Self>, machine: &[IpAddr]) -> Vec<Letter> {
        let of = of.into_iter().filter(|other| !(self.here && other.here));
        let new = of.map(|other| &other.introduction).filter(|other| other.peer != self.introduction.peer);
        let new = new.filter_map(|introduction| introduction.seen_from(self.address, machine));
        let new: Vec<_> = new.filter(|introduction| self.told.insert(introduction.token())).collect();
        new.chunks(A_FRAME).map(|some| (link, Kind::Introduce, encode(some))).collect()
    }
}

impl Digest {
    fn encode(&self) -> Vec<u8> {
        [&self.count.to_be_bytes()[..], &self.sum.to_be_bytes()].concat()
    }

    fn decode(mut from: &[u8]) -> Option<Self> {
        let count = u32::from_be_bytes(take(&mut from)?);
        let sum = u64::from_be_bytes(take(&mut from)?);
        from.is_empty().then_some(Self { count, sum })
    }
}

fn encode(introductions: &[Introduction]) -> Vec<u8> {
    let mut out = Vec::new();
    for introduction in introductions {
        out.extend(introduction.peer);
        out.extend(introduction.start.r.to_be_bytes());
        out.extend(introduction.start.at.to_be_bytes());
        encode_all(&introduction.addresses, &mut out);
    }
    out
}

fn decode(mut from: &[u8]) -> Option<Vec<Introduction>> {
    let mut introductions = Vec::new();
    while !from.is_empty() {
        let peer = take(&mut from)?;
        let r = u64::from_be_bytes(take(&mut from)?);
        let at = u64::from_be_bytes(take(&mut from)?);
        let addresses = decode_all(&mut from, MAX_ADDRESSES)?;
        introductions.push(Introduction { peer, start: Start { r, at }, addresses });
    }
    Some(introductions)
}

#[cfg(test)]
mod tests;
