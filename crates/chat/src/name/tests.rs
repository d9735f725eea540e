use proptest::prelude::*;

use super::*;
use crate::codec;

#[test]
fn names_of_any_script() {
    for name in [
        "a",
        "bob",
        "Zoë",
        "Δημήτρης",
        "ゆき",
        "小明",
        "محمد",
        "प्रिया",
        "김",
        "x.y-z_1",
        "_",
        ".x",
        "٣",
        "a-",
        &"ä".repeat(32),
    ] {
        assert_eq!(Name::parse(name).unwrap().as_str(), name);
    }
}

#[test]
fn what_is_no_name_is_told_why() {
    let reason = |text: &str| Name::parse(text).unwrap_err().reason;
    assert_eq!(reason(""), "a name has at least one letter");
    assert_eq!(reason(&"x".repeat(33)), "a name has at most 32 letters");
    assert_eq!(reason(&"x".repeat(500)), "a name has at most 32 letters");
    assert_eq!(reason(&"e\u{301}".repeat(33)), "a name has at most 32 letters");
    assert_eq!(reason("a b"), "a name has no space in it");
    assert_eq!(reason("a@b"), "a name has letters, digits, `_`, `-` and `.` in it, and no `@`");
    assert_eq!(reason("a\u{7}"), "a name has letters, digits, `_`, `-` and `.` in it, and no U+0007");
    assert_eq!(reason("-lu"), "a name does not begin with `-`: commands do");
    assert_eq!(reason("\u{301}a"), "a name begins with a letter, not with a mark on one");
    for all in ["all", "All", "ALL"] {
        assert_eq!(reason(all), "`all` is taken: it holds everybody");
    }
}

#[test]
fn nothing_unseen_and_nothing_that_turns_the_writing_round() {
    // Bidirectional controls, joiners, a soft hyphen, fillers, variation selectors, tags, a byte order mark, emoji.
    for c in "\u{202e}\u{2066}\u{200f}\u{61c}\u{200d}\u{200b}\u{ad}\u{115f}\u{1160}\u{3164}\u{ffa0}\u{34f}\u{fe0f}\u{e0061}\u{e0100}\u{feff}\u{1b}\u{9b}\n😀:/".chars() {
        assert!(Name::parse(&format!("bo{c}b")).is_err(), "{c:?}");
    }
}

#[test]
fn one_name_however_it_is_composed() {
    let composed = Name::parse("Jos\u{e9}").unwrap();
    assert_eq!(Name::parse("Jose\u{301}").unwrap(), composed);
    assert_eq!(Name::parse(&"e\u{301}".repeat(32)).unwrap().as_str(), "é".repeat(32));
}

#[test]
fn a_bad_name_does_not_decode() {
    assert_eq!(codec::decode::<Name>(&codec::encode("bob"), 100).unwrap().as_str(), "bob");
    assert!(codec::decode::<Name>(&codec::encode("b b"), 100).is_err());
    assert!(serde_json::from_str::<Name>("\"b\\u001b\"").is_err());
}

#[test]
fn patterns() {
    let matches = |pattern: &str, text: &str| Pattern::new(pattern).matches(text);
    assert!(matches("", "bob") && matches("*", "bob") && matches("***", ""));
    assert!(matches("OB", "bob@10.0.0.1") && !matches("bb", "bob"));
    assert!(matches("b*b", "bob") && matches("b*1", "bob@10.0.0.1") && !matches("1*b", "bob@10.0.0.1"));
    assert!(!matches("b*b", "b"));
    assert!(matches("ΟΔΟΣ", "οδος") && matches("οδοσ", "ΟΔΟΣ"));
    assert!(matches("e\u{301}", "É"));
    assert!(!matches("a", ""));
}

#[test]
fn a_hostile_pattern_takes_no_time() {
    let pattern = Pattern::new(&"a*".repeat(200_000));
    assert!(!pattern.matches(&"a".repeat(128)));
    assert!(!Pattern::new(&format!("{}b", "*a".repeat(60))).matches(&"a".repeat(128)));
}

#[test]
fn slips_of_the_fingers() {
    let names = ["alice", "bob", "cars", "Zoë", "carpentry"];
    let near = |name| nearest(name, names);
    assert_eq!(near("alcie"), Some("alice"));
    assert_eq!(near("ALICE"), Some("alice"));
    assert_eq!(near("bbo"), Some("bob"));
    assert_eq!(near("boby"), Some("bob"));
    assert_eq!(near("carpent"), Some("carpentry"));
    assert_eq!(near("cats"), Some("cars"));
    assert_eq!(near("zoe"), Some("Zoë"));
    assert_eq!(near("xyz"), None);
    assert_eq!(near("ed"), None);
    assert_eq!(near(""), None);
    assert_eq!(near(&"alice".repeat(1000)), None);
}

/// The pattern tried at every place, with every length for every star.
fn naive(pattern: &[char], text: &[char]) -> bool {
    fn here(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => true,
            Some(('*', rest)) => (0..=text.len()).any(|at| here(rest, &text[at..])),
            Some((c, rest)) => text.first() == Some(c) && here(rest, &text[1..]),
        }
    }
    (0..=text.len()).any(|at| here(pattern, &text[at..]))
}

proptest! {
    #[test]
    fn a_pattern_matches_where_the_naive_one_does(pattern in "[aAbB*]{0,6}", text in "[aAbB]{0,10}") {
        let chars = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
        prop_assert_eq!(Pattern::new(&pattern).matches(&text), naive(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn a_name_is_found_by_any_part_of_it_in_any_case(text in "\\PC{1,20}", from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let chars: Vec<char> = text.nfc().collect();
        let (from, to) = (from.index(chars.len()), to.index(chars.len()));
        let part: String = chars[from.min(to)..=from.max(to)].iter().collect();
        let whole: String = chars.iter().collect();
        // A part that begins with a mark composes with nothing, which in the whole it may.
        prop_assume!(!is_combining_mark(part.chars().next().unwrap()));
        prop_assume!(!chars[from.max(to)..].iter().skip(1).take(1).any(|c| is_combining_mark(*c)));
        prop_assert!(Pattern::new(&part).matches(&whole), "{:?} in {:?}", part, whole);
    }

    #[test]
    fn what_parses_stays_as_it_is(text in "[\\p{L}\\p{N}\\p{M}._-]{1,40}") {
        if let Ok(name) = Name::parse(&text) {
            prop_assert_eq!(Name::parse(name.as_str()), Ok(name.clone()));
            prop_assert!(name.as_str().chars().count() <= 32);
            prop_assert!(name.as_str().chars().all(|c| !c.is_control()));
            prop_assert!(Pattern::new(name.as_str()).matches(name.as_str()));
        }
    }
}
