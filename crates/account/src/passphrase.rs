use std::fmt;

use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use unicode_normalization::UnicodeNormalization;

use crate::Error;

/// The passphrase that opens a sealed key. It is never shown, and is overwritten when dropped.
pub struct Passphrase(SecretString);

impl Passphrase {
    /// The most bytes, in NFC.
    pub const MAX_BYTES: usize = 1024;

    /// Makes a passphrase from this text. The text is converted to NFC, because keyboards spell an accented letter in
    /// different ways (RFC 8265, section 4). Spaces count.
    ///
    /// # Errors
    /// [`Error::EmptyPassphrase`], [`Error::LongPassphrase`].
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::EmptyPassphrase);
        }
        // Reserves all the room at once: a string that grows leaves its old bytes behind in memory.
        let mut composed = Zeroizing::new(String::with_capacity(Self::MAX_BYTES));
        for letter in text.nfc() {
            if composed.len() + letter.len_utf8() > Self::MAX_BYTES {
                return Err(Error::LongPassphrase { limit: Self::MAX_BYTES });
            }
            composed.push(letter);
        }
        Ok(Self(composed.as_str().into()))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_one_letter_are_one_passphrase() {
        let [composed, apart] = ["café", "cafe\u{301}"].map(|text| Passphrase::new(text).unwrap());
        assert_eq!(composed.expose(), apart.expose());
    }

    #[test]
    fn a_passphrase_is_neither_empty_nor_too_long() {
        assert!(matches!(Passphrase::new(""), Err(Error::EmptyPassphrase)));
        Passphrase::new(" ").unwrap();
        Passphrase::new(&"x".repeat(Passphrase::MAX_BYTES)).unwrap();
        let long = Passphrase::new(&"x".repeat(Passphrase::MAX_BYTES + 1));
        assert!(matches!(long, Err(Error::LongPassphrase { .. })));
    }

    #[test]
    fn a_passphrase_does_not_show_itself() {
        assert_eq!(format!("{:?}", Passphrase::new("hunter2").unwrap()), "Passphrase(..)");
    }
}
