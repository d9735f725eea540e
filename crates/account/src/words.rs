//! Recovery words: a seed as 24 English words with a checksum (BIP 39).

use bip39::{Language, Mnemonic};
use secrecy::{SecretString, zeroize::Zeroizing};

use crate::Seed;

/// How many words stand for a seed.
const COUNT: usize = 24;
/// The longest word that is looked at or shown.
const WORD_CHARS: usize = 20;

/// Why a text is not a set of recovery words. [`Unknown`](Self::Unknown) holds one of the typed words. Show it to the
/// person who typed them, and never log it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WordsError {
    /// There are not 24 words.
    #[error("these are {found} words, and there are always 24; check whether one is missing or there twice")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// A word is not on the list.
    #[error("word {position}, {word:?}, is not a recovery word; {}", suggestion(near))]
    Unknown {
        /// Which word, from 1.
        position: usize,
        /// The word, cut to 20 characters.
        word: String,
        /// The words that it may have meant, the likeliest first. At most three.
        near: Vec<&'static str>,
    },
    /// All words are on the list, but their checksum is wrong.
    #[error("all 24 words are known, but at least one is wrong, or two have changed places; check them one by one")]
    Checksum,
}

fn suggestion(near: &[&str]) -> String {
    match near {
        [] => "check its spelling".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    }
}

impl Seed {
    /// The seed as 24 words with one space between them. They are as good as the key: a person who has them can speak
    /// as this person.
    pub fn words(&self) -> SecretString {
        let mnemonic = Mnemonic::from_entropy(self.expose()).expect("BIP 39 has 24 words for 32 bytes");
        let longest = COUNT * (WORD_CHARS + 1);
        let mut text = Zeroizing::new(String::with_capacity(longest));
        for word in mnemonic.words() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text.as_str().into()
    }

    /// The seed that 24 words stand for. Capitals and the number of spaces do not matter. The caller overwrites the
    /// text.
    ///
    /// # Errors
    /// [`WordsError`] says which word is unknown, if one is.
    pub fn from_words(text: &str) -> Result<Self, WordsError> {
        let mut text = Zeroizing::new(text.to_owned());
        text.make_ascii_lowercase();
        let found = text.split_whitespace().count();
        if found != COUNT {
            return Err(WordsError::Count { found });
        }
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &text).map_err(|error| match error {
            bip39::Error::UnknownWord(index) => {
                let word: String =
                    text.split_whitespace().nth(index).unwrap_or_default().chars().take(WORD_CHARS).collect();
                WordsError::Unknown { position: index + 1, near: near(&word), word }
            }
            bip39::Error::BadWordCount(_)
            | bip39::Error::BadEntropyBitCount(_)
            | bip39::Error::InvalidChecksum
            | bip39::Error::AmbiguousLanguages(_) => WordsError::Checksum,
        })?;
        let entropy = Zeroizing::new(mnemonic.to_entropy_array().0);
        Ok(Self::new(entropy[..32].try_into().expect("24 words stand for 32 bytes")))
    }
}

/// The words that are at most two typing errors away, or that begin with the same four letters, which no two words on
/// the list share.
fn near(word: &str) -> Vec<&'static str> {
    let start: String = word.chars().take(4).collect();
    let slips = |candidate: &&'static str| {
        let slips = strsim::osa_distance(word, candidate);
        let same_start = start.len() == 4 && candidate.starts_with(&start);
        (slips <= 2 || same_start).then_some((slips, *candidate))
    };
    let mut near: Vec<_> = Language::English.word_list().iter().filter_map(slips).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, word)| word).take(3).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    /// From the test vectors of BIP 39.
    #[test]
    fn the_test_vectors_of_the_standard() {
        let zeros = format!("{}art", "abandon ".repeat(23));
        assert_eq!(Seed::new(&[0; 32]).words().expose_secret(), zeros);
        let ones = format!("{}vote", "zoo ".repeat(23));
        assert_eq!(Seed::new(&[0xff; 32]).words().expose_secret(), ones);
        let seed = Seed::from_words(
            "hamster diagram private dutch cause delay private meat slide toddler razor book \
             happy fancy gospel tennis maple dilemma loan word shrug inflict delay length",
        );
        assert_eq!(seed.unwrap().to_hex().as_str(), "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c");
    }

    #[test]
    fn capitals_and_spaces_do_not_matter() {
        let words = format!("\n  {}\tART ", "Abandon  ".repeat(23));
        assert_eq!(Seed::from_words(&words).unwrap().expose(), &[0; 32]);
    }

    #[test]
    fn an_unknown_word_is_named_with_likely_corrections() {
        let mut words = vec!["abandon"; 23];
        words.push("art");
        for (typed, meant) in [("abandn", "abandon"), ("hopse", "horse"), ("abando", "abandon"), ("abanxyz", "abandon")]
        {
            words[6] = typed;
            let refused = Seed::from_words(&words.join(" ")).unwrap_err();
            let WordsError::Unknown { position: 7, word, near } = refused else { panic!("{typed}: {refused}") };
            assert_eq!(word, typed);
            assert!(near.contains(&meant) && near.len() <= 3, "{typed}: {near:?}");
        }
        words[6] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
        let refused = Seed::from_words(&words.join(" ")).unwrap_err();
        let WordsError::Unknown { position: 7, word, near } = refused else { panic!("{refused}") };
        assert_eq!((word.len(), near.len()), (WORD_CHARS, 0));
    }

    #[test]
    fn words_too_few_or_too_many_are_counted() {
        for count in [0, 12, 23, 25, 10_000] {
            let words = "abandon ".repeat(count);
            assert_eq!(Seed::from_words(&words).unwrap_err(), WordsError::Count { found: count });
        }
    }

    #[test]
    fn known_words_that_do_not_belong_together_are_refused() {
        let words = "abandon ".repeat(24);
        assert_eq!(Seed::from_words(&words).unwrap_err(), WordsError::Checksum);
    }

    proptest! {
        #[test]
        fn words_stand_for_their_seed(bytes: [u8; 32]) {
            let words = Seed::new(&bytes).words();
            prop_assert_eq!(words.expose_secret().split(' ').count(), COUNT);
            let seed = Seed::from_words(words.expose_secret()).unwrap();
            prop_assert_eq!(seed.expose(), &bytes);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "(\\PC{0,12} ){0,26}") {
            let _ = Seed::from_words(&text);
        }
    }
}
