//! Where peers can be reached. What a connection proved is kept apart from what was only heard.

use std::{collections::HashMap, net::SocketAddr};

use crate::peer::Key;

/// The most addresses of one peer, of each of the two kinds. A machine with a few interfaces has fewer.
pub(crate) const MAX_ADDRESSES: usize = 8;

/// The addresses of every peer that is known.
#[derive(Debug)]
pub(crate) struct Book {
    peers: HashMap<Key, Entry>,
    /// Peers in the book at once.
    most: usize,
}

#[derive(Debug, Default)]
struct Entry {
    /// Where a connection to it was authenticated, and where it said over that connection that it listens. The
    /// likeliest comes first.
    greeted: Vec<SocketAddr>,
    /// Where it is said to listen. Any peer can claim this. The likeliest comes first.
    heard: Vec<SocketAddr>,
    /// Something was heard since the last link.
    fresh: bool,
    /// Whether the last dial since the last link used the heard addresses. `None`: there was no such dial.
    by_hearsay: Option<bool>,
}

impl Book {
    pub(crate) fn new(most: usize) -> Self {
        Self { peers: HashMap::new(), most }
    }

    /// Notes that a link to the peer is up, so these addresses lead to it. The likeliest comes first.
    pub(crate) fn greeted(&mut self, peer: Key, addresses: &[SocketAddr]) {
        let entry = self.peers.entry(peer).or_default();
        (entry.fresh, entry.by_hearsay) = (false, None);
        put_first(&mut entry.greeted, addresses);
        entry.heard.retain(|address| !entry.greeted.contains(address));
    }

    /// Notes that the peer is said to listen there. `likely` addresses are tried before those heard earlier, others
    /// after them.
    pub(crate) fn heard(&mut self, peer: Key, addresses: &[SocketAddr], likely: bool) {
        if self.peers.len() >= self.most && !self.peers.contains_key(&peer) {
            return;
        }
        let entry = self.peers.entry(peer).or_default();
        let mut new: Vec<_> = addresses.iter().copied().filter(|address| !entry.greeted.contains(address)).collect();
        entry.fresh |= new.iter().any(|address| !entry.heard.contains(address));
        if !likely {
            let earlier = std::mem::replace(&mut entry.heard, new);
            new = earlier;
        }
        put_first(&mut entry.heard, &new);
    }

    /// Where to dial the peer this time. Proven and heard addresses take turns. The heard ones go first if there is a
    /// new one among them. So forged addresses never keep this peer from one that has had a link.
    pub(crate) fn for_next_dial(&mut self, peer: &Key) -> &[SocketAddr] {
        let Some(entry) = self.peers.get_mut(peer) else { return &[] };
        let turn = entry.by_hearsay.map_or(entry.fresh, |before| !before);
        let by_hearsay = !entry.heard.is_empty() && (turn || entry.greeted.is_empty());
        entry.by_hearsay = Some(by_hearsay);
        if by_hearsay { &entry.heard } else { &entry.greeted }
    }

    /// Where links to the peer led. This is what other peers are told.
    pub(crate) fn proven(&self, peer: &Key) -> &[SocketAddr] {
        self.peers.get(peer).map_or(&[], |entry| &entry.greeted)
    }

    /// Another peer answered at this address, so it is dropped.
    pub(crate) fn is_wrong(&mut self, peer: &Key, address: SocketAddr) {
        if let Some(entry) = self.peers.get_mut(peer) {
            entry.heard.retain(|heard| *heard != address);
            entry.greeted.retain(|greeted| *greeted != address);
        }
    }

    /// If the book is full, forgets the peers that are not known.
    pub(crate) fn make_room(&mut self, knows: impl Fn(&Key) -> bool) {
        if self.peers.len() >= self.most {
            self.peers.retain(|peer, _| knows(peer));
        }
    }
}

/// Puts `new` at the front of `known`, each address once, within the bound.
fn put_first(known: &mut Vec<SocketAddr>, new: &[SocketAddr]) {
    let earlier = std::mem::take(known);
    for address in new.iter().chain(&earlier) {
        if known.len() < MAX_ADDRESSES && !known.contains(address) {
            known.push(*address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn forged_addresses_never_displace_proven_ones() {
        let mut book = Book::new(4);
        book.greeted([1; 32], &[at(1), at(2)]);
        for port in 100..200 {
            book.heard([1; 32], &[at(port)], true);
        }
        let by_hearsay = book.for_next_dial(&[1; 32]).to_vec();
        assert_eq!((by_hearsay.len(), by_hearsay[0]), (MAX_ADDRESSES, at(199)));
        book.heard([1; 32], &[at(300)], true);
        assert_eq!(book.for_next_dial(&[1; 32]), [at(1), at(2)]);
        assert_eq!(book.for_next_dial(&[1; 32])[0], at(300));
        assert_eq!(book.for_next_dial(&[1; 32]), [at(1), at(2)]);
        assert_eq!(book.proven(&[1; 32]), [at(1), at(2)]);
    }

    #[test]
    fn announced_addresses_come_before_introduced_ones_and_the_latest_first() {
        let mut book = Book::new(4);
        book.heard([1; 32], &[at(1)], false);
        book.heard([1; 32], &[at(2)], true);
        book.heard([1; 32], &[at(3), at(1)], false);
        assert_eq!(book.for_next_dial(&[1; 32]), [at(2), at(1), at(3)]);
        book.is_wrong(&[1; 32], at(2));
        assert_eq!(book.for_next_dial(&[1; 32]), [at(1), at(3)]);
        book.greeted([1; 32], &[at(3)]);
        assert_eq!(book.for_next_dial(&[1; 32]), [at(3)]);
        assert_eq!(book.for_next_dial(&[2; 32]), []);
    }

    #[test]
    fn is_bounded() {
        let mut book = Book::new(2);
        for peer in 0..100 {
            book.heard([peer; 32], &[at(1)], true);
        }
        assert_eq!(book.peers.len(), 2);
        book.make_room(|peer| *peer == [1; 32]);
        book.heard([7; 32], &[at(1)], true);
        assert_eq!(
            (
                book.for_next_dial(&[1; 32]).len(),
                book.for_next_dial(&[0; 32]).len(),
                book.for_next_dial(&[7; 32]).len()
            ),
            (1, 0, 1)
        );
    }
}
