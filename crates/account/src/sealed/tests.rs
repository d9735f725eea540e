use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn cheap() -> Cost {
    Cost::new(8, 1, 1).unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse").unwrap()
}

fn sealed() -> SealedKey {
    SealedKey::seal(&Seed::new(&[7; 32]), &Name::parse("alice").unwrap(), &passphrase(), cheap()).unwrap()
}

/// The text with a matching checksum, as an attacker would write it.
fn with_checksum(text: &str) -> String {
    let above = &text[..text.find("check ").unwrap()];
    format!("{above}check {}\n", checksum(above))
}

/// Made by another implementation: the C code of argon2, libsodium's `crypto_aead_xchacha20poly1305_ietf_encrypt` and
/// Python's `hashlib`. The seed is 32 sevens and the passphrase "correct horse".
const FOREIGN: &str = "\
causerie sealed key 1
name alice
argon2id memory=64 passes=2 lanes=2
salt 000102030405060708090a0b0c0d0e0f
nonce 101112131415161718191a1b1c1d1e1f2021222324252627
seed c86fd50387050319f7601a4bda26e88d70913a91255bf4340bb88a89e29568719afdf1a0dabffbe4f79a3bbeff28a388
check 9203d5280a7843b1
";

#[test]
fn a_key_that_another_implementation_sealed_opens() {
    let read = SealedKey::parse(FOREIGN.as_bytes()).unwrap();
    assert_eq!(read.open(&passphrase()).unwrap().expose(), &[7; 32]);
    assert_eq!(read.encode(), FOREIGN);
}

#[test]
fn a_key_opens_with_its_passphrase_only() {
    let read = SealedKey::parse(sealed().encode().as_bytes()).unwrap();
    assert_eq!(read.open(&passphrase()).unwrap().expose(), &[7; 32]);
    for wrong in ["correct hors", "correct horse ", "Correct horse", "x"] {
        let refused = read.open(&Passphrase::new(wrong).unwrap()).unwrap_err();
        assert!(matches!(refused, Error::WrongPassphrase { .. }), "{wrong}: {refused}");
    }
}

#[test]
fn a_wrong_passphrase_takes_as_long_as_a_right_one() {
    let cost = Cost::new(8 * 1024, 2, 1).unwrap();
    let sealed = SealedKey::seal(&Seed::new(&[7; 32]), &Name::parse("alice").unwrap(), &passphrase(), cost).unwrap();
    let time = |passphrase: &Passphrase| {
        let start = Instant::now();
        let _ = sealed.open(passphrase);
        start.elapsed()
    };
    let (right, wrong) = (passphrase(), Passphrase::new("x").unwrap());
    // The best of several times, measured in turns: a busy machine only adds to a time. A refusal before argon2id would
    // take a thousandth.
    let times: Vec<_> = (0..5).map(|_| (time(&right), time(&wrong))).collect();
    let (right, wrong) = (times.iter().map(|both| both.0).min(), times.iter().map(|both| both.1).min());
    assert!(wrong.unwrap() > right.unwrap() / 10, "{times:?}");
}

#[test]
fn sealing_a_key_twice_gives_two_texts() {
    let [one, two] = [sealed(), sealed()];
    assert_ne!(one.salt, two.salt);
    assert_ne!(one.nonce, two.nonce);
    assert_ne!(one.seed, two.seed);
}

#[test]
fn damage_to_any_byte_is_distinguished_from_a_wrong_passphrase() {
    let text = sealed().encode().into_bytes();
    for at in 0..text.len() {
        for flip in [1, 0x20, 0x80] {
            let mut damaged = text.clone();
            damaged[at] ^= flip;
            let flaw = SealedKey::parse(&damaged).unwrap_err();
            // The digit of the version may have become another digit.
            assert!(matches!(flaw, Flaw::Damaged) || at == MAGIC.len(), "byte {at}: {flaw:?}");
        }
        let mut shorter = text.clone();
        shorter.remove(at);
        SealedKey::parse(&shorter).unwrap_err();
    }
}

#[test]
fn a_cut_or_lengthened_key_is_damaged() {
    let text = sealed().encode();
    for length in 0..text.len() {
        assert_eq!(SealedKey::parse(&text.as_bytes()[..length]).unwrap_err(), Flaw::Damaged, "{length}");
    }
    for longer in [format!("{text}\n"), format!("\n{text}"), format!("{text}{text}"), text.replace('\n', "\r\n")] {
        assert_eq!(SealedKey::parse(longer.as_bytes()).unwrap_err(), Flaw::Damaged);
    }
}

#[test]
fn a_repaired_checksum_does_not_hide_an_altered_byte() {
    let text = sealed().encode();
    for at in 0..text.find("check ").unwrap() {
        for flip in [1, 2, 8] {
            let mut altered = text.clone().into_bytes();
            altered[at] ^= flip;
            let Ok(altered) = String::from_utf8(altered) else { continue };
            if let Ok(parsed) = SealedKey::parse(with_checksum(&altered).as_bytes()) {
                let refused = parsed.open(&passphrase()).unwrap_err();
                assert!(matches!(refused, Error::WrongPassphrase { .. }), "byte {at}: {refused}");
            }
        }
    }
}

#[test]
fn a_key_belongs_to_its_name_and_its_cost() {
    let text = sealed().encode();
    for (from, to) in [("name alice", "name bob"), ("memory=8", "memory=16"), ("passes=1", "passes=2")] {
        let altered = with_checksum(&text.replace(from, to));
        let refused = SealedKey::parse(altered.as_bytes()).unwrap().open(&passphrase()).unwrap_err();
        assert!(matches!(refused, Error::WrongPassphrase { .. }), "{to}: {refused}");
    }
}

#[test]
fn absurd_costs_are_refused_before_any_work() {
    let text = sealed().encode();
    let costs = [
        "memory=4294967295 passes=1 lanes=1",
        "memory=262145 passes=1 lanes=1",
        "memory=8 passes=4294967295 lanes=1",
        "memory=8 passes=11 lanes=1",
        "memory=8 passes=0 lanes=1",
        "memory=0 passes=1 lanes=1",
        "memory=8 passes=1 lanes=0",
        "memory=8 passes=1 lanes=2",
        "memory=64 passes=1 lanes=16777215",
    ];
    for cost in costs {
        let absurd = with_checksum(&text.replace("memory=8 passes=1 lanes=1", cost));
        assert!(matches!(SealedKey::parse(absurd.as_bytes()).unwrap_err(), Flaw::Cost(_)), "{cost}");
    }
    for cost in ["memory=99999999999 passes=1 lanes=1", "memory=+8 passes=1 lanes=1", "memory=08 passes=1 lanes=1", ""]
    {
        let absurd = with_checksum(&text.replace("memory=8 passes=1 lanes=1", cost));
        assert_eq!(SealedKey::parse(absurd.as_bytes()).unwrap_err(), Flaw::Damaged, "{cost}");
    }
}

#[test]
fn a_later_version_is_named() {
    let later = sealed().encode().replace("sealed key 1", "sealed key 12");
    assert_eq!(SealedKey::parse(later.as_bytes()).unwrap_err(), Flaw::Version(12));
    for none in ["sealed key 0", "sealed key 01", "sealed key ", "sealed key x", "sealed key 99999999999"] {
        let none = with_checksum(&sealed().encode().replace("sealed key 1", none));
        assert_eq!(SealedKey::parse(none.as_bytes()).unwrap_err(), Flaw::Damaged, "{none}");
    }
}

#[test]
fn a_sealed_key_shows_its_name_and_none_of_its_bytes() {
    assert_eq!(
        format!("{:?}", sealed()),
        "SealedKey { name: \"alice\", cost: Cost { memory_kib: 8, passes: 1, lanes: 1 }, .. }"
    );
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        bytes: [u8; 32], name in "[\\p{L}\\p{N}][\\p{L}\\p{N}_.-]{0,31}", text in "\\PC{1,60}",
        (lanes, passes) in (1u32..=4, 1u32..=3), memory in 32u32..80,
    ) {
        let Ok(name) = Name::parse(&name) else { return Ok(()) };
        let (passphrase, cost) = (Passphrase::new(&text).unwrap(), Cost::new(memory, passes, lanes).unwrap());
        let sealed = SealedKey::seal(&Seed::new(&bytes), &name, &passphrase, cost).unwrap();
        let text = sealed.encode();
        prop_assert!(text.len() <= crate::file::LIMIT, "{} bytes", text.len());
        let read = SealedKey::parse(text.as_bytes()).unwrap();
        prop_assert_eq!((read.name(), read.cost()), (&name, cost));
        let seed = read.open(&passphrase).unwrap();
        prop_assert_eq!(seed.expose(), &bytes);
    }

    #[test]
    fn no_bytes_break_the_reader(bytes: Vec<u8>, cut in 0usize..400, more in "\\PC{0,80}") {
        let _ = SealedKey::parse(&bytes);
        let text = sealed().encode();
        let start = text.get(..cut.min(text.len())).unwrap_or_default();
        let _ = SealedKey::parse(format!("{start}{more}").as_bytes());
        let _ = SealedKey::parse(with_checksum(&format!("{start}{more}\ncheck ")).as_bytes());
    }
}
