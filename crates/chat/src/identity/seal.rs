//! Sealing: what only one person, and its author, can read.
//!
//! X25519 and XChaCha20-Poly1305 by `crypto_box`, with a key pair made for this one message, as in NaCl's sealed boxes; a
//! person's X25519 key is the Ed25519 key in its Montgomery form. What differs from a sealed box: no random numbers are drawn, so that
//! this crate stays without them. The message's key pair grows from the author's secret key, the context and a salt that is
//! a keyed hash of the message (as in SIV modes): so each message has its own, and the author can open what he sealed.
//!
//! ```text
//! salt 16 | the message's public key 32 | ciphertext and tag, 16 longer than the message
//! ```

use crypto_box::aead::Aead;
use crypto_box::{ChaChaBox, Nonce, PublicKey, SecretKey};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use super::Identity;
use crate::PersonId;

const SALT_DOMAIN: &[u8] = b"causerie seal salt v1";
const KEY_DOMAIN: &[u8] = b"causerie seal key v1";
const NONCE_DOMAIN: &[u8] = b"causerie seal nonce v1";
pub(super) const SALT: usize = 16;
pub(super) const KEY: usize = 32;

impl Identity {
    /// Seals `plain` for one person. It opens under the same `context` only. `None` if the person's key is none.
    pub(crate) fn seal(&self, to: &PersonId, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let salt = &self.keyed(SALT_DOMAIN, &[context, plain])[..SALT];
        let own = self.message_key(to, context, salt);
        let sealed = ChaChaBox::new(&public(to)?, &own).encrypt(&nonce(context), plain).ok()?;
        Some([salt, own.public_key().as_bytes(), &sealed].concat())
    }

    /// Opens what was sealed for me. `None` if it was not, or under another context.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (_, key, sealed) = split(sealed)?;
        let mine = SecretKey::from_bytes(self.0.to_scalar_bytes());
        ChaChaBox::new(&PublicKey::from_bytes(*key), &mine).decrypt(&nonce(context), sealed).ok()
    }

    /// Opens what I sealed for somebody else.
    pub(crate) fn reopen(&self, to: &PersonId, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (salt, _, sealed) = split(sealed)?;
        let own = self.message_key(to, context, salt);
        ChaChaBox::new(&public(to)?, &own).decrypt(&nonce(context), sealed).ok()
    }

    fn message_key(&self, to: &PersonId, context: &[u8], salt: &[u8]) -> SecretKey {
        SecretKey::from_bytes(self.keyed(KEY_DOMAIN, &[to.public_key(), context, salt]))
    }

    /// A hash that nobody without the secret key can compute. The lengths of the parts stand before them.
    pub(super) fn keyed(&self, domain: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(domain);
        hash.update(self.0.to_bytes());
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// A key pair serves once, so the nonce need not differ: it ties what is sealed to its context.
pub(super) fn nonce(context: &[u8]) -> Nonce {
    let hash = Sha256::new().chain_update(NONCE_DOMAIN).chain_update(context).finalize();
    *Nonce::from_slice(&hash[..24])
}

fn public(person: &PersonId) -> Option<PublicKey> {
    let key = VerifyingKey::from_bytes(person.public_key()).ok().filter(|key| !key.is_weak())?;
    Some(PublicKey::from_bytes(key.to_montgomery().to_bytes()))
}

fn split(sealed: &[u8]) -> Option<(&[u8], &[u8; KEY], &[u8])> {
    let (salt, rest) = sealed.split_at_checked(SALT)?;
    let (key, rest) = rest.split_first_chunk()?;
    Some((salt, key, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> [Identity; 3] {
        [1, 2, 3].map(|seed| Identity::from_seed([seed; 32]))
    }

    #[test]
    fn only_the_addressed_and_the_author_can_read_it() {
        let [alice, bob, carol] = people();
        let sealed = alice.seal(&bob.person(), b"context", b"hello").unwrap();
        assert_eq!(sealed.len(), 5 + SALT + KEY + 16);
        assert!(!sealed.windows(5).any(|window| window == b"hello"));
        assert_eq!(bob.open(b"context", &sealed).as_deref(), Some(&b"hello"[..]));
        assert_eq!(alice.reopen(&bob.person(), b"context", &sealed).as_deref(), Some(&b"hello"[..]));
        assert_eq!(carol.open(b"context", &sealed), None);
        assert_eq!(carol.reopen(&bob.person(), b"context", &sealed), None);
        assert_eq!(alice.open(b"context", &sealed), None);
    }

    #[test]
    fn under_another_context_or_altered_it_opens_for_nobody() {
        let [alice, bob, _] = people();
        let sealed = alice.seal(&bob.person(), b"context", b"hello").unwrap();
        assert_eq!(bob.open(b"another", &sealed), None);
        // The salt is the author's alone.
        for at in SALT..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(bob.open(b"context", &altered), None, "byte {at}");
        }
        for length in 0..sealed.len() {
            assert_eq!(bob.open(b"context", &sealed[..length]), None);
        }
    }

    #[test]
    fn every_message_has_a_key_pair_of_its_own() {
        let [alice, bob, carol] = people();
        let key = |to: &Identity, context: &[u8], plain: &[u8]| {
            let sealed = alice.seal(&to.person(), context, plain).unwrap();
            sealed[SALT..SALT + KEY].to_vec()
        };
        let first = key(&bob, b"1", b"hello");
        assert_eq!(key(&bob, b"1", b"hello"), first);
        for other in [key(&carol, b"1", b"hello"), key(&bob, b"2", b"hello"), key(&bob, b"1", b"hallo")] {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn a_person_without_a_sound_key_gets_nothing() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let [alice, ..] = people();
        assert_eq!(alice.seal(&PersonId::new(neutral), b"", b"hello"), None);
        assert_eq!(alice.seal(&PersonId::new([2; 32]), b"", b"hello"), None);
    }
}
