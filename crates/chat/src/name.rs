//! Names of people and groups: what one is, how it is searched, and what a mistyped one may have meant.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

/// The most characters (Unicode scalar values) in a name.
const MAX_CHARS: usize = 32;
/// What stands between a name and the fingerprint that tells it apart. No name has it.
pub(crate) const TELLS_APART: char = '·';
/// The shortest fingerprint behind a name: two people of one name share these by chance once in a
/// million times, and then it grows.
pub(crate) const SHORTEST_FINGERPRINT: usize = 4;

/// A name of a person or a group, or an alias: 1 to 32 letters, digits, `_`, `-` or `.` of any script.
///
/// Marks that belong to a letter (accents, vowel signs) count as letters and cannot come first. `-` cannot come first
/// either, since a command begins with it. Characters that show nothing, that change the direction of writing or control
/// the terminal are none of these. `all`, however capitalised, is taken: it holds everybody.
///
/// Two spellings that look the same by Unicode's canonical equivalence (NFC, UAX #15) are one name. Names that differ in case,
/// or that look alike in another way (a Cyrillic `а` for a Latin one), are two names that people cannot tell apart: see
/// `looks`. [`Pattern`] finds names by a part of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadName {
    /// What was given, cut to 80 characters.
    pub text: String,
    /// What is wrong with it, in words.
    pub reason: String,
}

impl Name {
    /// The name that is spelled so.
    ///
    /// # Errors
    /// [`BadName`] says what is wrong with it.
    ///
    /// # Examples
    /// ```
    /// use chat::Name;
    ///
    /// assert_eq!(Name::parse("Zoë_2")?.as_str(), "Zoë_2");
    /// assert_eq!(Name::parse("e\u{301}")?, Name::parse("é")?);
    /// assert_eq!(Name::parse("two words").unwrap_err().reason, "a name has no space in it");
    /// # Ok::<(), chat::BadName>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, BadName> {
        // Composing never makes a text more than three times shorter, so nothing longer can become a name.
        let start: String = text.chars().take(4 * MAX_CHARS).nfc().collect();
        match flaw(&start) {
            None => Ok(Self(start.into())),
            Some(reason) => Err(BadName { text: text.chars().take(80).collect(), reason }),
        }
    }

    /// The name that a user has chosen for a person or a group. It imitates neither `all` nor a label, as a name that comes
    /// from elsewhere may.
    ///
    /// # Errors
    /// [`BadName`] says what is wrong with it.
    pub fn choose(text: &str) -> Result<Self, BadName> {
        let name = Self::parse(text)?;
        let reason = if name.looks().iter().any(|look| look == "all") {
            "it looks like `all`, which holds everybody".to_owned()
        } else if let Some(dot) = name.0.chars().find(|c| skeleton(c.encode_utf8(&mut [0; 4])).eq([TELLS_APART])) {
            format!("U+{:04X} looks like the `{TELLS_APART}` in front of a fingerprint", u32::from(dot))
        } else {
            return Ok(name);
        };
        Err(BadName { text: name.to_string(), reason })
    }

    /// Whether people can take the two names for one: they are the same without regard to case, or look alike (Unicode UTS 39).
    ///
    /// # Examples
    /// ```
    /// use chat::Name;
    ///
    /// let (latin, cyrillic) = (Name::parse("alice")?, Name::parse("Аlice")?);
    /// assert!(latin != cyrillic && latin.looks_like(&cyrillic));
    /// # Ok::<(), chat::BadName>(())
    /// ```
    pub fn looks_like(&self, other: &Self) -> bool {
        let others = other.looks();
        self.looks().iter().any(|look| others.contains(look))
    }

    /// The name as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without regard to case.
    pub(crate) fn folded(&self) -> String {
        fold(&self.0)
    }

    /// What the name looks like; see [`looks`].
    pub(crate) fn looks(&self) -> [String; 2] {
        looks(&self.0)
    }

    /// Whether it ends like a label, in what could be a fingerprint.
    pub(crate) fn looks_like_a_label(&self) -> bool {
        let seen: String = skeleton(&self.0).collect();
        seen.rsplit_once(TELLS_APART).is_some_and(|(_, end)| {
            end.len() >= SHORTEST_FINGERPRINT && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }

    /// The name as a shared text.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

/// What is wrong with a text in normal form, if it is not a name.
fn flaw(text: &str) -> Option<String> {
    let Some(first) = text.chars().next() else { return Some("a name has at least one letter".to_owned()) };
    if text.chars().count() > MAX_CHARS {
        return Some(format!("a name has at most {MAX_CHARS} letters"));
    }
    for c in text.chars() {
        if c.is_whitespace() {
            return Some("a name has no space in it".to_owned());
        }
        let fits = c.is_alphanumeric() || matches!(c, '_' | '-' | '.') || is_combining_mark(c);
        if !fits || shows_nothing(c) {
            return Some(match c {
                '!'..='~' => format!("a name has letters, digits, `_`, `-` and `.` in it, and no `{c}`"),
                _ => format!("a name has letters, digits, `_`, `-` and `.` in it, and no U+{:04X}", u32::from(c)),
            });
        }
    }
    if first == '-' {
        return Some("a name does not begin with `-`: commands do".to_owned());
    }
    if is_combining_mark(first) {
        return Some("a name begins with a letter, not with a mark on one".to_owned());
    }
    if fold(text) == "all" {
        return Some("`all` is taken: it holds everybody".to_owned());
    }
    None
}

/// Letters and marks of Unicode that are not drawn (`Default_Ignorable_Code_Point` among them): with them two
/// different names would look the same.
fn shows_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        Self::parse(text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A text without regard to case: letter by letter, so that a part of a word folds as it does within the word
/// (`str::to_lowercase` spells a sigma at the end of a word in another way).
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// What a text in normal form looks like. Two texts look alike if they have one of these in common: their skeletons (Unicode
/// UTS 39, section 4) are the same without regard to case, be it that capitals or that small letters look alike (a capital `I`
/// is like a small `l`, a Greek capital beta is like a `B`).
pub(crate) fn looks(text: &str) -> [String; 2] {
    let look = |text: &str| skeleton(&fold(text)).collect();
    [look(text), look(&skeleton(text).collect::<String>())]
}

/// What names are searched for: a part of them, without regard to case; `*` stands for any run of characters.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What must come, one behind the other.
    parts: Vec<String>,
}

impl Pattern {
    /// The pattern that is spelled so. The empty one matches everything.
    pub fn new(text: &str) -> Self {
        let text: String = fold(text).nfc().collect();
        Self { parts: text.split('*').filter(|part| !part.is_empty()).map(str::to_owned).collect() }
    }

    /// Whether the pattern occurs in `text`. It takes each part at its first place, so the time is linear in both.
    pub fn matches(&self, text: &str) -> bool {
        let text: String = fold(text).nfc().collect();
        let mut rest = text.as_str();
        self.parts.iter().all(|part| match rest.find(part.as_str()) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    }
}

/// The candidate most like `name`, if one is much like it: it holds the name or is held by it (from three letters on), or
/// a slip or two of the fingers lie between them, one for every three letters.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    if length > 2 * MAX_CHARS {
        return None;
    }
    let name = fold(name);
    let distance = |candidate: &str| {
        let candidate = fold(candidate);
        let slips = strsim::osa_distance(&name, &candidate);
        let (short, long) = if name.len() < candidate.len() { (&name, &candidate) } else { (&candidate, &name) };
        let part = short.chars().count() >= 3 && long.contains(short.as_str());
        (part || slips <= (length / 3).clamp(1, 3)).then_some(slips)
    };
    let near = candidates.into_iter().filter_map(|candidate| Some((distance(candidate)?, candidate)));
    near.min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
