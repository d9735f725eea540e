//! Signed greetings: how a peer finds out that its store was rolled back.
//!
//! Every peer signs, when a link comes up and then with its heartbeats, how far it has come. The other side keeps the
//! greatest and gives it back at the next link-up, before anything is delivered there. A store that is behind it, or knows another
//! message under its clock, was lost in part, and its clocks may have been used. Only one's own signature proves that.
//!
//! What differs from comparing whole vectors: the states of one process follow one another, so its clock and the number of its
//! deliveries tell which of two is later. A greeting takes some 130 bytes however many peers there are.

use bytes::Bytes;
use causal::Clock;
use serde::{Deserialize, Serialize};

use crate::ProcessId;
use crate::batch::Hash;
use crate::clock;
use crate::codec;
use crate::frame::{Control, Handed, Returned};
use crate::identity::{self, Identity, Signature};
use crate::store::{Change, Store};

use super::{BadFrame, Now, Peer};

const DOMAIN: &[u8] = b"causerie greeting v1";

/// The longest greeting, in bytes.
const MAX_BYTES: usize = 256;

/// How far a process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    pub(crate) process: ProcessId,
    /// The greatest clock that it has used.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) clock: u64,
    /// The hash of that message; nothing while it is under `-delay`, and may be taken back.
    pub(crate) last: Option<Hash>,
    /// How many messages it has delivered.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) delivered: u64,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    greeting: Bytes,
    signature: Signature,
}

/// What a greeting claims, signed or not.
pub(super) fn claim(signed: &[u8]) -> Result<Greeting, BadFrame> {
    let Signed { greeting, .. } = codec::decode(signed, MAX_BYTES)?;
    Ok(codec::decode(&greeting, MAX_BYTES)?)
}

/// A greeting, signed.
pub(super) fn sign(identity: &Identity, greeting: &Greeting) -> Bytes {
    let greeting = codec::encode(greeting);
    let signature = identity.sign(&[DOMAIN, &greeting].concat());
    codec::encode(&Signed { greeting, signature })
}

/// A greeting that nobody signed.
#[cfg(test)]
pub(super) fn forged(process: ProcessId) -> Bytes {
    let greeting = codec::encode(&Greeting { process, clock: 0, last: None, delivered: 0 });
    codec::encode(&Signed { greeting, signature: Signature([0; 64]) })
}

impl<S: Store> Peer<S> {
    /// My greeting as things stand: what was said in this turn is signed first, so that its hash and its clock go together.
    pub(super) fn greeting(&mut self, now: Now) -> Bytes {
        self.flush(now);
        let greeting = Greeting {
            process: self.me,
            clock: self.causal.clock(),
            last: self.ledger.last.filter(|_| self.outbox.due(self.causal.clock()).is_none()),
            delivered: self.ledger.delivered,
        };
        if let Some((of, signed)) = &self.greeted_with
            && *of == greeting
        {
            return signed.clone();
        }
        let signed = sign(&self.identity, &greeting);
        self.greeted_with = Some((greeting, signed.clone()));
        signed
    }

    /// Tells everybody how far I have come, if that has changed.
    pub(super) fn greet_again(&mut self, now: Now) {
        let signed = self.fresh_greeting(now);
        if std::mem::take(&mut self.greeting_is_news) {
            let frame = Control::Greeting { signed }.encode();
            self.effects.frames.extend(self.link_of.values().map(|&link| (link, frame.clone())));
        }
    }

    /// My greeting as things stand, of which all have to learn with the next heartbeat if some do now.
    pub(super) fn fresh_greeting(&mut self, now: Now) -> Bytes {
        let before = self.greeted_with.as_ref().map(|(greeting, _)| *greeting);
        let signed = self.greeting(now);
        self.greeting_is_news |= before != self.greeted_with.as_ref().map(|(greeting, _)| *greeting);
        signed
    }

    /// Keeps the greeting of the process at the other end, if it is greater than what is kept. It came over a link that
    /// proves who is there, so its signature is left for him to check when he gets it back.
    pub(super) fn keep_greeting(&mut self, greeting: &Greeting, signed: Bytes) {
        let kept = self.greetings.get(&greeting.process).and_then(|kept| claim(kept).ok());
        let reach = |greeting: &Greeting| (greeting.clock, greeting.delivered, greeting.last.is_some());
        if kept.is_none_or(|kept| reach(&kept) < reach(greeting)) {
            self.greetings.insert(greeting.process, signed.clone());
            self.effects.durable.push(Change::Greeting { of: greeting.process, signed });
        }
    }

    /// The people to whom there was a link before, in this life or an earlier one; those that were known first in front.
    pub fn met(&self) -> Vec<crate::PersonId> {
        let mut met: Vec<crate::PersonId> = Vec::new();
        for (_, process) in self.causal.roster().iter() {
            let is_met = process.person != self.me.person && self.greetings.contains_key(process);
            if is_met && !met.contains(&process.person) {
                met.push(process.person);
            }
        }
        met
    }

    /// Whether there was a link to this person before, in this life or an earlier one.
    pub(super) fn has_met(&self, person: crate::PersonId) -> bool {
        let first = ProcessId { person, incarnation: crate::Incarnation(0) };
        self.greetings.range(first..).next().is_some_and(|(process, _)| process.person == person)
    }

    /// What the person at the other end of a new link is given back: his greatest greeting, and his newest message if that tells
    /// more. A process that was forgotten gets them, too: others may have forgotten a copy of it, or what it was before its store was
    /// put back.
    pub(super) fn returned_to(&self, person: crate::PersonId) -> Returned {
        let Some(process) = self.directory.last_process_of(person) else { return Returned::default() };
        let greeting = self.greetings.get(&process).cloned();
        let claimed = greeting.as_ref().and_then(|signed| claim(signed).ok());
        // Of a message that was under `-delay` then the greeting tells nothing but its clock.
        let told = |greeting: Greeting| greeting.clock.saturating_sub(u64::from(greeting.last.is_none()));
        let told = claimed.map_or(0, told);
        let newest = self.causal.roster().index(&process).map_or(0, |index| self.causal.delivered(index));
        let newest = if newest > told {
            let kept = self.store.kept_by(process, newest - 1, newest, 1).pop();
            kept.filter(|kept| kept.is_signed(&self.causal)).map(|kept| kept.handed(&self.causal))
        } else {
            None
        };
        Returned { greeting, newest }
    }

    /// Whether what came back proves that I had come further than my store knows.
    pub(super) fn was_rolled_back(&self, returned: &Returned) -> bool {
        returned.greeting.as_ref().is_some_and(|signed| self.is_ahead(signed))
            || returned.newest.as_ref().is_some_and(|newest| self.is_of_my_future(newest))
    }

    /// Whether I signed this greeting, and know less of what I had done by then.
    fn is_ahead(&self, signed: &[u8]) -> bool {
        let Ok(Signed { greeting: bytes, signature }) = codec::decode(signed, MAX_BYTES) else { return false };
        let Ok(greeting) = codec::decode::<Greeting>(&bytes, MAX_BYTES) else { return false };
        let is_another = |last: Hash| self.is_not_mine(greeting.clock, &last);
        greeting.process == self.me
            && (greeting.clock > self.causal.clock()
                || greeting.delivered > self.ledger.delivered
                || greeting.last.is_some_and(is_another))
            && identity::verify(&self.me.person, &[DOMAIN, &bytes].concat(), &signature).is_ok()
    }

    /// Whether I know a message of mine with this clock and it is another one than `hash` is of: what was lost with the store may be
    /// fewer messages than I have said since.
    fn is_not_mine(&self, clock: Clock, hash: &Hash) -> bool {
        let sent = || {
            let kept = match self.outbox.message(clock) {
                Some(outgoing) => outgoing.kept.clone(),
                None => self.store.kept_by(self.me, clock.checked_sub(1)?, clock, 1).pop()?,
            };
            Some(kept.batch().hashes(&self.causal)[kept.index()])
        };
        let mine = if clock == self.causal.clock() { self.ledger.last } else { sent() };
        mine.is_some_and(|mine| mine != *hash)
    }

    fn is_of_my_future(&self, handed: &Handed) -> bool {
        let Ok(envelope) = causal::Envelope::<ProcessId>::from_bytes(&handed.envelope, &self.limits()) else {
            return false;
        };
        let leaf = crate::batch::leaf(&handed.envelope, &handed.body);
        *envelope.sender() == self.me
            && (envelope.clock() > self.causal.clock() || self.is_not_mine(envelope.clock(), &leaf))
            && handed
                .proof
                .leaves(&leaf)
                .is_ok_and(|leaves| crate::batch::verify(&self.me, &leaves, &handed.proof.signature).is_ok())
    }
}
