//! A sealed key: the seed, encrypted with a passphrase, and the name of the account, as seven lines of text.
//!
//! argon2id (RFC 9106) turns the passphrase into a key, and XChaCha20-Poly1305 seals the seed with that key. All lines
//! above the seed are associated data, so the name, the version and the cost cannot be changed without the passphrase.
//! The last line is a checksum of everything above it, which tells damage from a wrong passphrase.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Version};
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use chat::Name;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};

use crate::seed::fill;
use crate::{BadCost, Cost, Error, Passphrase, Seed};

/// What every version of the format begins with.
pub(crate) const MAGIC: &str = "causerie sealed key ";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A key that a passphrase opens.
///
/// ```
/// use account::{Cost, Passphrase, SealedKey, Seed};
/// use chat::Name;
///
/// let seed = Seed::draw()?;
/// let passphrase = Passphrase::new("correct horse battery staple")?;
/// let sealed = SealedKey::seal(&seed, &Name::parse("alice").unwrap(), &passphrase, Cost::new(64, 1, 1)?)?;
/// assert_eq!(sealed.open(&passphrase)?.person(), seed.person());
/// assert!(sealed.open(&Passphrase::new("letmein")?).is_err());
/// # Ok::<(), account::Error>(())
/// ```
#[derive(Clone)]
pub struct SealedKey {
    name: Name,
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
    seed: [u8; 32],
    tag: [u8; 16],
}

/// Why a text is not a sealed key that can be opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not a whole sealed key.
    Damaged,
    /// Its format is from a later version.
    Version(u32),
    /// Its cost is out of bounds.
    Cost(BadCost),
}

impl SealedKey {
    /// Seals `seed` for the account `name`. Takes as long as `cost` says, on the calling thread.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Random`].
    pub fn seal(seed: &Seed, name: &Name, passphrase: &Passphrase, cost: Cost) -> Result<Self, Error> {
        let mut sealed = Self { name: name.clone(), cost, salt: [0; 16], nonce: [0; 24], seed: [0; 32], tag: [0; 16] };
        fill(&mut sealed.salt)?;
        fill(&mut sealed.nonce)?;
        let cipher = sealed.cipher(passphrase)?;
        let mut secret = Zeroizing::new(*seed.expose());
        let tag = cipher
            .encrypt_in_place_detached(&XNonce::from(sealed.nonce), sealed.header().as_bytes(), &mut *secret)
            .expect("32 bytes are not too many to encrypt");
        sealed.seed = *secret;
        sealed.tag = tag.into();
        Ok(sealed)
    }

    /// The seed. Takes as long as the key's cost says, on the calling thread, whether the passphrase is right or wrong.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`], [`Error::Memory`].
    pub fn open(&self, passphrase: &Passphrase) -> Result<Seed, Error> {
        let cipher = self.cipher(passphrase)?;
        let mut secret = Zeroizing::new(self.seed);
        cipher
            .decrypt_in_place_detached(
                &XNonce::from(self.nonce),
                self.header().as_bytes(),
                &mut *secret,
                &Tag::from(self.tag),
            )
            .map_err(|_| Error::WrongPassphrase { name: self.name.clone() })?;
        Ok(Seed::new(&secret))
    }

    /// The account's name. Only a key that opens proves it.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it costs to try a passphrase.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    fn cipher(&self, passphrase: &Passphrase) -> Result<XChaCha20Poly1305, Error> {
        let params = self.cost.params();
        let mut blocks = Zeroizing::new(Vec::new());
        let full = |_| Error::Memory { mebibytes: self.cost.memory_kib().div_ceil(1024) };
        blocks.try_reserve_exact(params.block_count()).map_err(full)?;
        blocks.resize(params.block_count(), Block::new());
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase.expose(), &self.salt, &mut *key, blocks.as_mut_slice())
            .expect("cost, salt and passphrase lie within the bounds of argon2");
        Ok(XChaCha20Poly1305::new(Key::from_slice(&*key)))
    }

    /// The lines above the seed: the associated data.
    fn header(&self) -> String {
        let hex = base16ct::lower::encode_string;
        let Self { name, cost, salt, nonce, .. } = self;
        format!("{MAGIC}{VERSION}\nname {name}\nargon2id {cost}\nsalt {}\nnonce {}\n", hex(salt), hex(nonce))
    }

    /// The text of the file.
    pub(crate) fn encode(&self) -> String {
        let hex = base16ct::lower::encode_string;
        let above = format!("{}seed {}{}\n", self.header(), hex(&self.seed), hex(&self.tag));
        format!("{above}check {}\n", checksum(&above))
    }

    /// Reads a sealed key exactly as `encode` writes it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Flaw> {
        let text = str::from_utf8(bytes).map_err(|_| Flaw::Damaged)?;
        let (version, _) = text.strip_prefix(MAGIC).and_then(|rest| rest.split_once('\n')).ok_or(Flaw::Damaged)?;
        match version.parse() {
            Ok(VERSION) => {}
            Ok(later) if later > VERSION => return Err(Flaw::Version(later)),
            Ok(_) | Err(_) => return Err(Flaw::Damaged),
        }
        let (above, check) = text.split_at(text.find("check ").ok_or(Flaw::Damaged)?);
        if check.strip_prefix("check ").and_then(|check| check.strip_suffix('\n')) != Some(&checksum(above)) {
            return Err(Flaw::Damaged);
        }
        let sealed = Self::parse_lines(above).ok_or(Flaw::Damaged)?.map_err(Flaw::Cost)?;
        // Each number, digit and space has only one spelling.
        if sealed.encode() == text { Ok(sealed) } else { Err(Flaw::Damaged) }
    }

    fn parse_lines(above: &str) -> Option<Result<Self, BadCost>> {
        let mut lines = above.lines().skip(1);
        let mut line = |key| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        let name = Name::parse(line("name")?).ok()?;
        let cost = line("argon2id").and_then(Cost::parse)?;
        let (mut salt, mut nonce, mut box_) = ([0; 16], [0; 24], [0; 48]);
        unhex(line("salt")?, &mut salt)?;
        unhex(line("nonce")?, &mut nonce)?;
        unhex(line("seed")?, &mut box_)?;
        let (seed, tag) = box_.split_at(32);
        let (seed, tag) = (seed.try_into().ok()?, tag.try_into().ok()?);
        Some(cost.map(|cost| Self { name, cost, salt, nonce, seed, tag }))
    }
}

/// Fills `bytes` from the hexadecimal `text`, if it has the right length.
fn unhex(text: &str, bytes: &mut [u8]) -> Option<()> {
    let length = bytes.len();
    base16ct::lower::decode(text, bytes).is_ok_and(|decoded| decoded.len() == length).then_some(())
}

/// The first eight bytes of the SHA-256 of `text`, in hexadecimal.
fn checksum(text: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(text)[..8])
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedKey").field("name", &self.name).field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
