//! Peers introduce peers, so that one address is enough to join the whole mesh. Pure.
//!
//! - A stranger is a peer that was unknown until an address given by hand led to it or from it. A stranger is
//!   introduced at once to every peer that this one has links to, and they are introduced to it.
//! - Everything else waits until the links have not changed for a while. Then each peer sends a digest of the peers
//!   that it has links to. If two digests differ, each side tells the other of the peers that it has not told it of
//!   yet. So two meshes that touch at one point grow together, and a complete mesh costs a few bytes per link.
//!
//! A peer only introduces peers that it has a link to. Nobody passes on hearsay, so a peer that is gone is forgotten.
//!
//! Neighbours in one process ([`neighbours`](crate::neighbours)) know each other without introductions. One of them
//! speaks for all. It introduces its neighbours and the peers outside to each other at once, however it met those. It
//! alone sends digests to its neighbours.

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

/// The longest introduction in bytes: key, start, count, and as many IPv6 addresses as fit.
const LONGEST: usize = 32 + 16 + 1 + MAX_ADDRESSES * 19;
/// The most introductions in one frame, so that the frame is never too long.
const A_FRAME: usize = MAX_CONTROL / LONGEST;
/// How long the links must not have changed, and how much longer for each link. While hundreds of peers start, the
/// digests would differ all the time.
const SETTLE: Duration = Duration::from_secs(1);
const SETTLE_A_LINK: Duration = Duration::from_millis(20);

/// What other peers need to know of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    pub(crate) peer: Key,
    pub(crate) start: Start,
    /// Where it can be reached, the likeliest first. For a neighbour, an unspecified address stands for every address
    /// of this machine.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Introduction {
    /// What to tell the peer at `address`: another machine cannot use loopback addresses of this one. `machine` holds
    /// this machine's addresses.
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
    /// This peer has heard of it before.
    Known,
    /// This peer has not heard of it before.
    Stranger,
    /// It is in the same process.
    Neighbour,
}

/// A frame for a link.
pub(crate) type Letter = (LinkId, Kind, Vec<u8>);

/// The peers that this one has links to, and what each of them has been told.
#[derive(Debug)]
pub(crate) struct Circle {
    me: u64,
    contacts: BTreeMap<LinkId, Contact>,
    /// Whether this peer speaks for its neighbours.
    speaks: bool,
    /// The addresses of this machine.
    machine: Vec<IpAddr>,
    /// When the links count as settled. `None`: they already do.
    settles: Option<Instant>,
}

#[derive(Debug)]
struct Contact {
    introduction: Introduction,
    /// The other side's end of the connection.
    address: SocketAddr,
    /// It is a neighbour.
    here: bool,
    /// The peers that this side has told it of, or heard of from it.
    told: HashSet<u64>,
    /// The digest that was sent last.
    sent: Option<Digest>,
    /// The digest that came last, until it is answered.
    theirs: Option<Digest>,
}

/// Stands for a set of peers. Two sides have the same digest only if they have the same set.
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

    /// Introductions came. `None` if they are malformed.
    pub(crate) fn introduced(&mut self, link: LinkId, payload: &[u8]) -> Option<Vec<Introduction>> {
        let introductions = decode(payload)?;
        if let Some(contact) = self.contacts.get_mut(&link) {
            // Bounds what is remembered per link. Otherwise a peer could make it grow with lies.
            if contact.told.len() + introductions.len() > 4096 {
                contact.told.clear();
            }
            contact.told.extend(introductions.iter().map(Introduction::token));
        }
        Some(introductions)
    }

    /// A digest came. `None` if it is malformed.
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

    /// If the other side's digest differs, tells it of all peers that it has not been told of.
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
    /// Tells it of other peers. Neighbours know each other already.
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
