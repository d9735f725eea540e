//! The key that makes a person, and what it signs.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::PersonId;

mod seal;
mod several;

/// A peer's own key pair (Ed25519, RFC 8032). It never shows its secret half, and overwrites it when dropped: it stays in one place, as what
/// is moved leaves a copy behind.
#[derive(Clone)]
pub struct Identity(Box<SigningKey>);

impl Identity {
    /// The key pair that grows from a seed of 32 random bytes: the secret key of RFC 8032.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Box::new(SigningKey::from_bytes(&seed)))
    }

    /// Who signs with this key.
    pub fn person(&self) -> PersonId {
        PersonId::new(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`. Each kind of message begins with words of its own, so that no signature serves another kind.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.person()).finish()
    }
}

/// An Ed25519 signature as it came: good only once [`verify`]ed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Signature({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// serde knows arrays up to 32 bytes only: two halves.
impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (first, second) = self.0.split_at(32);
        let half = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).expect("half of 64 bytes");
        (half(first), half(second)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (first, second) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&first);
        bytes[32..].copy_from_slice(&second);
        Ok(Self(bytes))
    }
}

/// The signature does not belong to this person and this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not by {by:?} over these bytes")]
pub struct BadSignature {
    /// Who was said to have signed.
    pub by: PersonId,
}

/// Checks that `person` signed `message`, strictly: keys and signatures that other implementations might judge otherwise
/// (small order, not canonical) are refused, so that all peers judge alike.
///
/// # Errors
/// [`BadSignature`] if not, or if `person` is no valid key.
pub fn verify(person: &PersonId, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
    let key = VerifyingKey::from_bytes(person.public_key()).map_err(|_| BadSignature { by: *person })?;
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    key.verify_strict(message, &signature).map_err(|_| BadSignature { by: *person })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signer_and_only_these_bytes() {
        let alice = Identity::from_seed([1; 32]);
        let bob = Identity::from_seed([2; 32]);
        let signature = alice.sign(b"hello");
        assert_eq!(verify(&alice.person(), b"hello", &signature), Ok(()));
        assert_eq!(verify(&alice.person(), b"hallo", &signature), Err(BadSignature { by: alice.person() }));
        assert_eq!(verify(&bob.person(), b"hello", &signature), Err(BadSignature { by: bob.person() }));
        let mut altered = signature;
        altered.0[40] ^= 1;
        assert!(verify(&alice.person(), b"hello", &altered).is_err());
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let signature = Identity::from_seed([1; 32]).sign(b"hello");
        // Not on the curve, and the point of order one, for which a lax check accepts a signature of zeros.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert!(verify(&PersonId::new([2; 32]), b"hello", &signature).is_err());
        let mut zeros = [0; 64];
        zeros[0] = 1;
        assert!(verify(&PersonId::new(neutral), b"hello", &Signature(zeros)).is_err());
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn the_test_vector_of_the_standard() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let identity = Identity::from_seed(seed.try_into().unwrap());
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(identity.person().public_key().as_slice(), public);
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(identity.sign(&[0x72]).0.as_slice(), hex(signature));
    }

    #[test]
    fn the_seed_is_never_shown() {
        let shown = format!("{:?}", Identity::from_seed([0xab; 32]));
        assert!(!shown.contains("ab, ab") && !shown.contains("171") && !shown.contains("abab"), "{shown}");
    }
}
