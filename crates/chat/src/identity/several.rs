//! Sealing for several people: one text, which each of them and its author can read, and nobody else.
//!
//! The text is encrypted once, by XChaCha20-Poly1305 under a key of its own, and that key is [sealed](super::seal) for each of them.
//! A hash of the key stands in front: without it a liar could give two people two keys under which one ciphertext reads as
//! two different texts. No random numbers are drawn: the key grows from the author's secret key, the context and the text.
//!
//! ```text
//! hash of the key 32 | the key, sealed, for each of the people in the order of their ids: 96 each | ciphertext and tag
//! ```

use std::collections::BTreeSet;

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305};
use sha2::{Digest, Sha256};

use super::Identity;
use super::seal::{KEY, SALT, nonce};
use crate::PersonId;

const TEXT_KEY_DOMAIN: &[u8] = b"causerie text key v1";
const COMMIT_DOMAIN: &[u8] = b"causerie text key hash v1";
const HASH: usize = 32;
/// A sealed key: what sealing adds, and the key.
const SLOT: usize = SALT + KEY + 16 + KEY;

impl Identity {
    /// Seals `plain` for these people. It opens under the same `context` only. `None` if one of them has no valid key.
    pub(crate) fn seal_for_several(&self, to: &BTreeSet<PersonId>, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let key = self.keyed(TEXT_KEY_DOMAIN, &[context, plain]);
        let mut sealed = hash(&key).to_vec();
        for person in to {
            sealed.extend(self.seal(person, context, &key)?);
        }
        sealed.extend(cipher(&key).encrypt(&nonce(context), plain).ok()?);
        Some(sealed)
    }

    /// Opens what was sealed for these people, of whom I am one. `None` if it was not, or under another context.
    pub(crate) fn open_for_several(&self, to: &BTreeSet<PersonId>, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let me = self.person();
        let at = to.iter().position(|person| *person == me)?;
        let Parts { hash, keys, text } = Parts::of(sealed, to.len())?;
        read(&self.open(context, keys.get(at)?)?, hash, context, text)
    }

    /// Opens what I sealed for these people.
    pub(crate) fn reopen_for_several(&self, to: &BTreeSet<PersonId>, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let Parts { hash, keys, text } = Parts::of(sealed, to.len())?;
        read(&self.reopen(to.first()?, context, keys.first()?)?, hash, context, text)
    }
}

fn read(key: &[u8], committed: &[u8], context: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let key: &[u8; KEY] = key.try_into().ok()?;
    (hash(key)[..] == *committed).then(|| cipher(key).decrypt(&nonce(context), text).ok())?
}

fn cipher(key: &[u8; KEY]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(Key::from_slice(key))
}

fn hash(key: &[u8; KEY]) -> [u8; HASH] {
    Sha256::new().chain_update(COMMIT_DOMAIN).chain_update(key).finalize().into()
}

/// What a text that is sealed for several consists of.
struct Parts<'a> {
    /// Of the key.
    hash: &'a [u8],
    /// The key, sealed for each of the people.
    keys: Vec<&'a [u8]>,
    text: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8], people: usize) -> Option<Self> {
        let (hash, rest) = sealed.split_at_checked(HASH)?;
        let (keys, text) = rest.split_at_checked(people.checked_mul(SLOT)?)?;
        Some(Self { hash, keys: keys.chunks_exact(SLOT).collect(), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> [Identity; 4] {
        [1, 2, 3, 4].map(|seed| Identity::from_seed([seed; 32]))
    }

    #[test]
    fn the_addressed_and_the_author_can_read_it_and_nobody_else() {
        let [alice, bob, carol, dave] = people();
        let to = BTreeSet::from([bob.person(), carol.person()]);
        let sealed = alice.seal_for_several(&to, b"context", b"hello").unwrap();
        assert_eq!(sealed.len(), HASH + 2 * SLOT + 5 + 16);
        assert!(!sealed.windows(5).any(|window| window == b"hello"));
        for reader in [&bob, &carol] {
            assert_eq!(reader.open_for_several(&to, b"context", &sealed).as_deref(), Some(&b"hello"[..]));
            assert_eq!(reader.open_for_several(&to, b"another", &sealed), None);
        }
        assert_eq!(alice.reopen_for_several(&to, b"context", &sealed).as_deref(), Some(&b"hello"[..]));
        let with_dave = BTreeSet::from([bob.person(), carol.person(), dave.person()]);
        for to in [&to, &with_dave] {
            assert_eq!(dave.open_for_several(to, b"context", &sealed), None);
            assert_eq!(dave.reopen_for_several(to, b"context", &sealed), None);
        }
    }

    #[test]
    fn altered_or_cut_it_opens_for_nobody() {
        let [alice, bob, carol, _] = people();
        let to = BTreeSet::from([bob.person(), carol.person()]);
        let sealed = alice.seal_for_several(&to, b"context", b"hello").unwrap();
        let at = to.iter().position(|person| *person == bob.person()).unwrap();
        let own = HASH + at * SLOT;
        let others = HASH + (1 - at) * SLOT..HASH + (2 - at) * SLOT;
        // The salt is the author's alone.
        for altered_at in (0..sealed.len()).filter(|at| !others.contains(at) && !(own..own + SALT).contains(at)) {
            let mut altered = sealed.clone();
            altered[altered_at] ^= 1;
            assert_eq!(bob.open_for_several(&to, b"context", &altered), None, "byte {altered_at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(bob.open_for_several(&to, b"context", &sealed[..length]), None);
        }
    }

    #[test]
    fn nobody_is_given_another_key_than_the_one_that_all_have() {
        let [alice, bob, carol, _] = people();
        let to = BTreeSet::from([bob.person(), carol.person()]);
        let (key, another) = ([1; KEY], [2; KEY]);
        let text = cipher(&another).encrypt(&nonce(b"context"), &b"hello"[..]).unwrap();
        let slot = |person, key: &[u8]| alice.seal(person, b"context", key).unwrap();
        let slots: Vec<u8> = to.iter().flat_map(|person| slot(person, &another)).collect();
        let sealed = [&hash(&key)[..], &slots, &text].concat();
        assert_eq!(bob.open_for_several(&to, b"context", &sealed), None);
        let honest = [&hash(&another)[..], &slots, &text].concat();
        assert_eq!(bob.open_for_several(&to, b"context", &honest).as_deref(), Some(&b"hello"[..]));
    }
}
