//! From what a user writes to whom it means.

use super::*;
use crate::Pattern;

fn resolve(directory: &Directory, text: &str) -> Result<Resolved, Refusal> {
    directory.resolve(text, Wanted::Anyone)
}

/// alice (me), bob, carol at 10.0.0.1 to .3; bob and carol are in `cars`.
fn three() -> Directory {
    let mut directory = alice();
    news(&mut directory, 2, &record(2, 1, "bob", &["cars"]));
    news(&mut directory, 3, &record(3, 1, "carol", &["cars", "Tea"]));
    directory
}

/// Each of the candidates of an ambiguous name means one thing, and no two the same.
fn candidates(directory: &Directory, text: &str, wanted: Wanted) -> Vec<String> {
    let Err(Refusal::Ambiguous { name, candidates }) = directory.resolve(text, wanted) else {
        panic!("{text} is not ambiguous: {:?}", directory.resolve(text, wanted));
    };
    assert_eq!(name, text);
    let meant: Vec<_> = candidates.iter().map(|candidate| directory.resolve(candidate, wanted).unwrap()).collect();
    assert!(candidates.len() > 1);
    for (at, one) in meant.iter().enumerate() {
        assert!(!meant[..at].contains(one), "{candidates:?}");
    }
    candidates
}

#[test]
fn every_spelling_of_a_person() {
    let directory = three();
    let bob = person(2);
    for text in [
        "bob",
        "BOB",
        "bob@10.0.0.2",
        "Bob@10.0.0.2",
        &format!("bob@{}", bob.fingerprint()),
        &bob.fingerprint(),
        &bob.to_string(),
        "10.0.0.2",
        "10.0.0.2:4000",
    ] {
        assert_eq!(resolve(&directory, text), Ok(Resolved::Person(bob)), "{text}");
        assert_eq!(directory.resolve(text, Wanted::Person), Ok(Resolved::Person(bob)), "{text}");
        assert!(matches!(directory.resolve(text, Wanted::Group), Err(Refusal::UnknownGroup { .. })), "{text}");
    }
    assert_eq!(resolve(&directory, "alice"), Ok(Resolved::Person(person(1))));
    for text in ["bob@10.0.0.3", "bob@", "bob@?", "?", "", "10.0.0.9", "10.0.0.2:4001", &person(9).to_string()] {
        assert!(matches!(resolve(&directory, text), Err(Refusal::UnknownTarget { .. })), "{text}");
    }
}

#[test]
fn groups_and_everybody() {
    let directory = three();
    for text in ["cars", "Cars", "group:cars"] {
        assert_eq!(resolve(&directory, text), Ok(Resolved::Group(name("cars"))));
        assert_eq!(directory.resolve(text, Wanted::Group), Ok(Resolved::Group(name("cars"))));
        assert!(matches!(directory.resolve(text, Wanted::Person), Err(Refusal::UnknownUser { .. })));
    }
    assert_eq!(resolve(&directory, "All"), Ok(Resolved::All));
    assert_eq!(directory.resolve("all", Wanted::Group), Ok(Resolved::All));
    assert!(matches!(directory.resolve("all", Wanted::Person), Err(Refusal::UnknownUser { .. })));
}

#[test]
fn an_unknown_name_is_met_with_a_guess_of_its_kind() {
    let directory = three();
    let guess = |text, wanted| match directory.resolve(text, wanted).unwrap_err() {
        Refusal::UnknownTarget { nearest, .. }
        | Refusal::UnknownUser { nearest, .. }
        | Refusal::UnknownGroup { nearest, .. } => nearest,
        other => panic!("{other:?}"),
    };
    assert_eq!(guess("cards", Wanted::Anyone), Some("cars".to_owned()));
    assert_eq!(guess("cards", Wanted::Group), Some("cars".to_owned()));
    assert_eq!(guess("cards", Wanted::Person), None);
    assert_eq!(guess("carrol", Wanted::Person), Some("carol".to_owned()));
}

#[test]
fn two_bobs() {
    let mut directory = three();
    news(&mut directory, 4, &record(4, 1, "bob", &[]));
    let mut expected = ["bob@10.0.0.2", "bob@10.0.0.4"];
    expected.sort_by_key(|text| person(text.as_bytes()[11] - b'0'));
    assert_eq!(candidates(&directory, "bob", Wanted::Anyone), expected);
    directory.set_present(person(4), ip(2));
    let by_fingerprint = candidates(&directory, "bob", Wanted::Person);
    for seed in [2, 4] {
        assert!(by_fingerprint.contains(&format!("bob@{}", person(seed).fingerprint())), "{by_fingerprint:?}");
    }
    candidates(&directory, "bob@10.0.0.2", Wanted::Anyone);
    candidates(&directory, "10.0.0.2", Wanted::Anyone);
}

#[test]
fn case_counts_where_it_makes_a_difference() {
    let mut directory = three();
    news(&mut directory, 4, &record(4, 1, "Bob", &["CARS"]));
    assert_eq!(resolve(&directory, "bob"), Ok(Resolved::Person(person(2))));
    assert_eq!(resolve(&directory, "Bob"), Ok(Resolved::Person(person(4))));
    candidates(&directory, "BOB", Wanted::Anyone);
    assert_eq!(resolve(&directory, "CARS"), Ok(Resolved::Group(name("CARS"))));
    candidates(&directory, "Cars", Wanted::Anyone);
    assert_eq!(candidates(&directory, "Cars", Wanted::Group), ["CARS", "cars"]);
}

#[test]
fn a_name_of_a_person_and_a_group() {
    let mut directory = three();
    news(&mut directory, 4, &record(4, 1, "cars", &[]));
    assert_eq!(candidates(&directory, "cars", Wanted::Anyone), ["cars@10.0.0.4", "group:cars"]);
    assert_eq!(directory.resolve("cars", Wanted::Person), Ok(Resolved::Person(person(4))));
    assert_eq!(directory.resolve("cars", Wanted::Group), Ok(Resolved::Group(name("cars"))));
}

#[test]
fn nobody_takes_anothers_fingerprint_for_a_name() {
    let mut directory = three();
    let fingerprint = person(2).fingerprint();
    news(&mut directory, 4, &record(4, 1, &fingerprint, &[]));
    candidates(&directory, &fingerprint, Wanted::Person);
    // ... nor an address.
    news(&mut directory, 4, &record(4, 2, "10.0.0.2", &[]));
    candidates(&directory, "10.0.0.2", Wanted::Person);
}

#[test]
fn an_alias_goes_before_a_claim() {
    let mut directory = three();
    directory.set_alias(person(3), name("boss")).unwrap();
    news(&mut directory, 4, &record(4, 1, "boss", &[]));
    assert_eq!(resolve(&directory, "boss"), Ok(Resolved::Person(person(3))));
    assert_eq!(resolve(&directory, "boss@10.0.0.4"), Ok(Resolved::Person(person(4))));
    assert_eq!(resolve(&directory, "carol"), Ok(Resolved::Person(person(3))));
    assert!(directory.is_a_person(&name("BOSS")) && !directory.is_a_person(&name("cars")));
    // ... but a group that appears under it later is not written to by mistake, nor instead of it.
    news(&mut directory, 4, &record(4, 2, "dave", &["boss"]));
    assert_eq!(candidates(&directory, "boss", Wanted::Anyone), ["carol@10.0.0.3", "group:boss"]);
}

#[test]
fn at_an_address_is_whoever_is_really_there() {
    let mut directory = three();
    let there = SocketAddr::from(([10, 0, 0, 2], 4000));
    assert_eq!(directory.at_address(there), Some(person(2)));
    // carol claims bob's address.
    let claim = Record { addresses: vec![there], ..record(3, 2, "carol", &[]) };
    news(&mut directory, 3, &claim);
    assert_eq!(directory.at_address(there), None);
    directory.set_present(person(3), ip(3));
    assert_eq!(directory.at_address(there), None);
    directory.set_present(person(2), ip(2));
    assert_eq!(directory.at_address(there), Some(person(2)));
    assert_eq!(directory.at_address(SocketAddr::from(([10, 0, 0, 2], 4001))), None);
    directory.set_absent(person(2));
    assert_eq!(directory.at_address(there), None);
}

#[test]
fn lists() {
    let mut directory = three();
    directory.set_present(person(3), ip(3));
    directory.set_alias(person(3), name("boss")).unwrap();
    let labels = |text: &str| -> Vec<String> {
        directory.users(&Pattern::new(text)).into_iter().map(|user| user.who.label).collect()
    };
    assert_eq!(labels(""), ["alice@10.0.0.1", "bob@10.0.0.2", "boss"]);
    assert_eq!(labels("B*2"), ["bob@10.0.0.2"]);
    assert_eq!(labels("carol@"), ["boss"]);
    assert_eq!(labels("OSS"), ["boss"]);
    assert_eq!(labels("zzz"), Vec::<String>::new());
    let users = directory.users(&Pattern::new(""));
    assert_eq!(
        users.iter().map(|user| (user.me, user.present)).collect::<Vec<_>>(),
        [(true, true), (false, false), (false, true)]
    );
    assert_eq!(users[2].groups, ["Tea", "cars"]);
    let groups = directory.groups(&Pattern::new(""));
    assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["cars", "Tea"]);
    assert_eq!(groups[0].members, ["bob@10.0.0.2", "boss"]);
    assert!(!groups[0].member);
    assert_eq!(directory.groups(&Pattern::new("A*S")).len(), 1);
    let own = record(1, 2, "alice", &["cars"]);
    directory.write_own(signed(1, &own), own);
    let cars = directory.group(&name("cars")).unwrap();
    assert!(cars.member);
    assert_eq!(cars.members, ["alice@10.0.0.1", "bob@10.0.0.2", "boss"]);
}
