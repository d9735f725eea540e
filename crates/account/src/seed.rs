use std::fmt;

use chat::{Identity, PersonId};
use secrecy::{ExposeSecret, SecretBox, zeroize::Zeroizing};

use crate::Error;

/// The 32 random bytes that an identity is made from: the secret key of RFC 8032. They are never shown, and are
/// overwritten when dropped.
pub struct Seed(SecretBox<[u8; 32]>);

impl Seed {
    /// A new seed from the system's randomness.
    ///
    /// # Errors
    /// [`Error::Random`].
    pub fn draw() -> Result<Self, Error> {
        let mut seed = Self(SecretBox::new(Box::new([0; 32])));
        fill(secrecy::ExposeSecretMut::expose_secret_mut(&mut seed.0))?;
        Ok(seed)
    }

    /// A seed from these bytes. The caller overwrites its own copy.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(SecretBox::init_with_mut(|seed: &mut [u8; 32]| seed.copy_from_slice(bytes)))
    }

    /// The seed itself. Copies of it are not overwritten.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// The person whose seed this is.
    pub fn person(&self) -> PersonId {
        Identity::from_seed(*self.expose()).person()
    }

    /// The seed as a plain key file has it, without the line feed.
    pub(crate) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(base16ct::lower::encode_string(self.expose()))
    }

    /// Reads 64 hexadecimal digits. Capital digits are accepted: a person may have typed them.
    pub(crate) fn from_hex(text: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let whole = base16ct::mixed::decode(text, &mut *bytes).is_ok_and(|decoded| decoded.len() == 32);
        whole.then(|| Self::new(&bytes))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// Fills `bytes` from the system's randomness.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| Error::Random(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_and_do_not_show_themselves() {
        let [one, two] = [Seed::draw().unwrap(), Seed::draw().unwrap()];
        assert_ne!(one.expose(), two.expose());
        assert_ne!(one.person(), two.person());
        assert_eq!(format!("{one:?}"), "Seed(..)");
    }

    #[test]
    fn a_seed_is_64_digits_of_either_case() {
        let seed = Seed::new(&[0xab; 32]);
        assert_eq!(seed.to_hex().as_str(), "ab".repeat(32));
        assert_eq!(Seed::from_hex("aB".repeat(32).as_bytes()).unwrap().expose(), seed.expose());
        for damaged in ["", "zz", &"g".repeat(64), &"a".repeat(63), &"a".repeat(62), &"a".repeat(66)] {
            assert!(Seed::from_hex(damaged.as_bytes()).is_none(), "{damaged:?}");
        }
    }
}
