//! Whether a text names a person. One rule for every user interface.
//!
//! A text names the user if the name that they claim stands in it as a word, with or without an `@` in front, in upper or lower case.
//! `bob` is named in `Bob, look`, `@bob` and `bob.`, and not in `bobby`, `anna-bob` or `bob.x`, which are other names. A fingerprint
//! behind the name (`bob·PUWe`) has to be the end of the user's peer id: another person of that name has another one.

use memchr::memchr2_iter;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::PersonId;
use crate::name::{Name, SHORTEST_FINGERPRINT, TELLS_APART, fold};

/// Whom texts may name.
pub(crate) struct Named {
    /// Without regard to case.
    name: String,
    person: PersonId,
}

impl Named {
    pub(crate) fn new(name: &Name, person: PersonId) -> Self {
        Self { name: name.folded(), person }
    }

    /// Whether a text in UTF-8 names this person.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        if text.is_ascii() && self.places_in_ascii(text).next().is_none() {
            return false;
        }
        let Ok(text) = str::from_utf8(text) else { return false };
        let text = fold(&text.nfc().collect::<String>());
        text.match_indices(&self.name)
            .any(|(at, name)| is_end_of_word(text[..at].chars().rev()) && self.is_meant(&text[at + name.len()..]))
    }

    /// Where the name's letters stand in an ASCII text. Most texts are that, and name nobody: this alone is looked at of them.
    fn places_in_ascii(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        let name = self.name.as_bytes();
        let is_name =
            move |at: usize| text[at..].get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        memchr2_iter(name[0], name[0].to_ascii_uppercase(), text).filter(move |&at| is_name(at))
    }

    /// Whether what stands behind the name leaves it this person's.
    fn is_meant(&self, behind: &str) -> bool {
        let Some(fingerprint) = behind.strip_prefix(TELLS_APART) else { return is_end_of_word(behind.chars()) };
        let end = fingerprint.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(fingerprint.len());
        end < SHORTEST_FINGERPRINT || fold(&self.person.to_string()).ends_with(&fingerprint[..end])
    }
}

/// Whether a name can end where these characters go on, read away from it.
fn is_end_of_word(mut beyond: impl Iterator<Item = char>) -> bool {
    let is_of_a_word = |c: char| c.is_alphanumeric() || c == '_' || is_combining_mark(c);
    match beyond.next() {
        // They join the parts of a name, and end sentences.
        Some('.' | '-') => !beyond.next().is_some_and(is_of_a_word),
        Some(c) => !is_of_a_word(c),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, text: &str) -> bool {
        Named::new(&Name::parse(name).unwrap(), PersonId::new([7; 32])).is_in(text.as_bytes())
    }

    #[test]
    fn a_name_counts_as_a_word_in_upper_or_lower_case() {
        for text in [
            "bob",
            "@bob hello",
            "Hello BOB!",
            "(bob)",
            "thanks bob.",
            "bob-",
            "bob's",
            "a.b bob",
            "bob\nbob",
            "-bob",
            "é bob",
        ] {
            assert!(names("bob", text), "{text}");
        }
        for text in [
            "",
            "bobby",
            "kabob",
            "anna-bob",
            "bob.x",
            "bob-x",
            "x.bob",
            "bob_",
            "bob2",
            "bo b",
            "bo\u{301}b",
            "bob\u{301}",
        ] {
            assert!(!names("bob", text), "{text}");
        }
        assert!(names("bob", "not bobby but bob"));
        assert!(names("Zoë", "ZOË?") && names("zoë", "zoe\u{308}") && !names("Zoë", "zoe"));
        assert!(names("ΟΔΟΣ", "οδος") && names("οδος", "ΟΔΟΣ"));
        assert!(names("a.b", "@a.b") && names("a.b", "a.b.") && !names("a.b", "a.bc"));
    }

    #[test]
    fn a_fingerprint_has_to_be_this_persons() {
        let mine = PersonId::new([7; 32]).ending(4).to_owned();
        assert!(names("bob", &format!("@bob·{mine} hello")));
        assert!(names("bob", &format!("BOB·{}!", mine.to_lowercase())));
        assert!(!names("bob", "@bob·xxxx hello"));
        assert!(names("bob", "bob· hello"), "that is no fingerprint");
    }
}
