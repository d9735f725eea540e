//! Numbers and ids as bytes, and the errors of decoding.

use alloc::string::String;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::{Clock, Entry, Full, Index, MAX_CLOCK, Set};

#[cfg(test)]
mod tests;

/// A process id that can be written as bytes.
///
/// `decode` takes from the front of `input` what `encode` wrote, and accepts nothing else: for canonical bytes an id must have
/// one form only.
///
/// # Examples
/// ```
/// use causal::Id;
///
/// #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
/// struct Name(String);
///
/// impl Id for Name {
///     fn encode(&self, out: &mut Vec<u8>) {
///         self.0.encode(out);
///     }
///
///     fn decode(input: &mut &[u8]) -> Option<Self> {
///         String::decode(input).map(Self)
///     }
/// }
///
/// let mut bytes = Vec::new();
/// Name("bob".to_owned()).encode(&mut bytes);
/// assert_eq!(Name::decode(&mut &bytes[..]), Some(Name("bob".to_owned())));
/// ```
pub trait Id: Ord + Clone {
    /// Appends the id.
    ///
    /// # Examples
    /// ```
    /// let mut bytes = vec![9];
    /// causal::Id::encode(&7_u16, &mut bytes);
    /// assert_eq!(bytes, [9, 0, 7]);
    /// ```
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes an id off the front of `input`; `None` if there is none.
    ///
    /// # Examples
    /// ```
    /// let mut input = &[0, 7, 9][..];
    /// assert_eq!(<u16 as causal::Id>::decode(&mut input), Some(7));
    /// assert_eq!(input, [9]);
    /// assert_eq!(<u16 as causal::Id>::decode(&mut input), None);
    /// ```
    fn decode(input: &mut &[u8]) -> Option<Self>;
}

/// Why bytes could not be read.
///
/// # Examples
/// ```
/// use causal::{DecodeError, Envelope, Limits};
/// let later = Envelope::<u8>::from_bytes(&[9], &Limits::default());
/// assert_eq!(later, Err(DecodeError::Version(9)));
/// assert_eq!(Envelope::<u8>::from_bytes(&[], &Limits::default()), Err(DecodeError::Truncated));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("the bytes end too early")]
    Truncated,
    /// There are bytes after the end.
    #[error("there are bytes after the end")]
    Trailing,
    /// The bytes are in a later version of the format, or in another format.
    #[error("version {0} of the format is not known here")]
    Version(u8),
    /// A number has more digits than it needs, or more than 64 bits.
    #[error("a number is not written in its one form")]
    Number,
    /// An id cannot be read.
    #[error("an id cannot be read")]
    Id,
    /// A clock is zero or beyond [`MAX_CLOCK`].
    #[error("a clock is out of range")]
    Clock,
    /// A bit or position that is out of range.
    #[error("position {position} is beyond the {count} that there are")]
    Position {
        /// The position.
        position: u64,
        /// How many there are.
        count: usize,
    },
    /// A number for which no table entry was sent.
    #[error("{what} number {number} was never introduced on this link")]
    Unknown {
        /// What the number stands for.
        what: Numbered,
        /// The number.
        number: u64,
    },
    /// Additions to a link's table that do not begin where the table ends.
    #[error("additions begin with number {first}, but {known} are known on this link")]
    Gap {
        /// The first number introduced.
        first: u64,
        /// How many are known.
        known: usize,
    },
    /// A set in an unknown form, or in a form that has no meaning in its place.
    #[error("a set begins with {0}, which has no meaning there")]
    Form(u64),
    /// The roster has no room for a new process.
    #[error(transparent)]
    Full(#[from] Full),
    /// There are more of something than the reader accepts.
    #[error("{count} {what} are more than the {limit} that are accepted")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there were.
        count: u64,
        /// How many are accepted.
        limit: usize,
    },
    /// Entries or ids are out of order, or one is there twice.
    #[error("entries or ids are not in strict order")]
    Unordered,
    /// The bytes can be read, but the encoder would have written them differently.
    #[error("the bytes are not in their canonical form")]
    NotCanonical,
}

/// The two kinds of things that a link numbers.
///
/// # Examples
/// ```
/// let error = causal::DecodeError::Unknown { what: causal::Numbered::Set, number: 4 };
/// assert_eq!(error.to_string(), "set number 4 was never introduced on this link");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// Processes.
    Process,
    /// Destination sets.
    Set,
}

impl core::fmt::Display for Numbered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Set => "set",
        })
    }
}

/// Appends a number, seven bits per byte, the low bits first.
pub(crate) fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number in its shortest form.
pub(crate) fn take(input: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(input)?;
        let low = u64::from(byte & 0x7f);
        if shift == 63 && low > 1 {
            return Err(DecodeError::Number);
        }
        number |= low << shift;
        if byte < 0x80 {
            return if byte == 0 && shift > 0 { Err(DecodeError::Number) } else { Ok(number) };
        }
    }
    Err(DecodeError::Number)
}

pub(crate) fn take_byte(input: &mut &[u8]) -> Result<u8, DecodeError> {
    let (&byte, rest) = input.split_first().ok_or(DecodeError::Truncated)?;
    *input = rest;
    Ok(byte)
}

pub(crate) fn take_bytes<'a>(input: &mut &'a [u8], count: usize) -> Result<&'a [u8], DecodeError> {
    let (bytes, rest) = input.split_at_checked(count).ok_or(DecodeError::Truncated)?;
    *input = rest;
    Ok(bytes)
}

pub(crate) fn take_clock(input: &mut &[u8]) -> Result<Clock, DecodeError> {
    in_range(take(input)?)
}

/// Takes a clock or 0 from the persisted state of this process. Reduces one beyond the last clock to the last clock: earlier
/// versions accepted such clocks from other processes.
pub(crate) fn take_kept_position(input: &mut &[u8]) -> Result<Clock, DecodeError> {
    Ok(take(input)?.min(MAX_CLOCK))
}

/// As [`take_kept_position`], for the clock of a message, which is not 0.
pub(crate) fn take_kept_clock(input: &mut &[u8]) -> Result<Clock, DecodeError> {
    in_range(take_kept_position(input)?)
}

/// Checks a clock that was read from bytes, or computed from what was.
pub(crate) fn in_range(clock: Clock) -> Result<Clock, DecodeError> {
    if (1..=MAX_CLOCK).contains(&clock) { Ok(clock) } else { Err(DecodeError::Clock) }
}

/// Takes the number of items that follow. Each item takes at least a byte, so a count beyond the bytes left is refused at once.
pub(crate) fn take_count(input: &mut &[u8], what: &'static str, limit: usize) -> Result<usize, DecodeError> {
    let count = take(input)?;
    accept_count(count, input, what, limit)
}

/// As [`take_count`], for a count that has been read already.
pub(crate) fn accept_count(count: u64, input: &[u8], what: &'static str, limit: usize) -> Result<usize, DecodeError> {
    match usize::try_from(count) {
        Ok(count) if count > input.len() => Err(DecodeError::Truncated),
        Ok(count) if count <= limit => Ok(count),
        Ok(_) | Err(_) => Err(DecodeError::TooMany { what, count, limit }),
    }
}

/// Takes a position below `count`.
pub(crate) fn take_index(input: &mut &[u8], count: usize) -> Result<Index, DecodeError> {
    let position = take(input)?;
    usize::try_from(position)
        .ok()
        .filter(|&position| position < count)
        .map(Index::at)
        .ok_or(DecodeError::Position { position, count })
}

pub(crate) fn take_id<P: Id>(input: &mut &[u8]) -> Result<P, DecodeError> {
    P::decode(input).ok_or(DecodeError::Id)
}

/// Appends a set as a bitmap of the places of its members, which are below `count`.
pub(crate) fn put_set(set: &Set, count: usize, place: impl Fn(Index) -> usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + count.div_ceil(8), 0);
    for place in set.iter().map(place) {
        out[start + place / 8] |= 1 << (place % 8);
    }
}

pub(crate) fn take_set(input: &mut &[u8], count: usize) -> Result<Set, DecodeError> {
    let bytes = take_bytes(input, count.div_ceil(8))?;
    let bits = bytes
        .iter()
        .enumerate()
        .flat_map(|(at, &byte)| (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| at * 8 + bit));
    let set: Set = bits.map(Index::at).collect();
    if set.end() > count {
        return Err(DecodeError::Position { position: set.end() as u64 - 1, count });
    }
    Ok(set)
}

/// Appends entries, in the order of the places of their authors. The places of all named processes are below `count`.
pub(crate) fn put_entries(entries: &[Entry], count: usize, place: impl Fn(Index) -> usize, out: &mut Vec<u8>) {
    let mut entries: SmallVec<[&Entry; 16]> = entries.iter().collect();
    entries.sort_unstable_by_key(|entry| (place(entry.sender), entry.clock));
    put(entries.len() as u64, out);
    for entry in entries {
        put(place(entry.sender) as u64, out);
        put(entry.clock, out);
        put_set(&entry.dests, count, &place, out);
    }
}

/// Takes entries, which must be in strict order.
pub(crate) fn take_entries(input: &mut &[u8], count: usize, limit: usize) -> Result<Vec<Entry>, DecodeError> {
    let entries = take_any_entries(input, count, limit)?;
    entries.iter().try_for_each(|entry| in_range(entry.clock).map(drop))?;
    Ok(entries)
}

/// As [`take_entries`], from the persisted state of this process. Leaves out an entry beyond the last clock, which earlier
/// versions accepted from other processes: no such message was ever sent.
pub(crate) fn take_kept_entries(input: &mut &[u8], count: usize, limit: usize) -> Result<Vec<Entry>, DecodeError> {
    let mut entries = take_any_entries(input, count, limit)?;
    entries.retain(|entry| in_range(entry.clock).is_ok());
    Ok(entries)
}

fn take_any_entries(input: &mut &[u8], count: usize, limit: usize) -> Result<Vec<Entry>, DecodeError> {
    let entries = (0..take_count(input, "entries", limit)?)
        .map(|_| Ok(Entry { sender: take_index(input, count)?, clock: take(input)?, dests: take_set(input, count)? }))
        .collect::<Result<Vec<_>, DecodeError>>()?;
    if entries.is_sorted_by(|a, b| (a.sender, a.clock) < (b.sender, b.clock)) {
        Ok(entries)
    } else {
        Err(DecodeError::Unordered)
    }
}

macro_rules! fixed_id {
    ($($number:ty)*) => {
        $(impl Id for $number {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn decode(input: &mut &[u8]) -> Option<Self> {
                <[u8; size_of::<Self>()]>::decode(input).map(Self::from_be_bytes)
            }
        })*
    };
}

fixed_id!(u8 u16 u32 u64);

impl<const N: usize> Id for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        take_bytes(input, N).ok()?.try_into().ok()
    }
}

impl Id for String {
    fn encode(&self, out: &mut Vec<u8>) {
        put(self.len() as u64, out);
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(take(input).ok()?).ok()?;
        Self::from_utf8(take_bytes(input, length).ok()?.to_vec()).ok()
    }
}
