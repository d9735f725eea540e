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
        "Bob@::ffff:10.0.0.2",
        &with_fingerprint("bob", 2),
        &with_fingerprint("BOB", 2).to_lowercase(),
        &format!("bob@{}", bob.ending(4)),
        &format!("bob@{}", bob.fingerprint()),
        &format!("bob·{bob}"),
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
    let (too_short, of_another) = (format!("bob·{}", bob.ending(3)), with_fingerprint("bob", 3));
    for text in [
        &too_short,
        &of_another,
        "bob·10.0.0.2",
        "bob@10.0.0.3",
        "bob@",
        "bob·",
        "bob@?",
        "?",
        "",
        "10.0.0.9",
        "10.0.0.2:4001",
        &person(9).to_string(),
    ] {
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
    let mut expected = [2, 4].map(|seed| (person(seed), with_fingerprint("bob", seed)));
    expected.sort();
    let expected = expected.map(|(_, label)| label);
    for text in ["bob", "Bob"] {
        assert_eq!(candidates(&directory, text, Wanted::Anyone), expected);
        assert_eq!(candidates(&directory, text, Wanted::Person), expected);
    }
    assert_eq!(resolve(&directory, "bob@10.0.0.2"), Ok(Resolved::Person(person(2))));
    directory.set_present(person(4), ip(2));
    assert_eq!(candidates(&directory, "bob@10.0.0.2", Wanted::Anyone), expected);
    assert_eq!(candidates(&directory, "10.0.0.2", Wanted::Anyone), expected);
}

#[test]
fn a_name_that_only_looks_like_another_is_not_taken_for_it() {
    let mut directory = three();
    // Cyrillic. It is the only one of that look, and shown as such.
    news(&mut directory, 4, &record(4, 1, "dаve", &[]));
    assert_eq!(label(&directory, 4), "dаve");
    assert_eq!(resolve(&directory, "dаve"), Ok(Resolved::Person(person(4))));
    let shown = Some(with_fingerprint("dаve", 4));
    assert_eq!(resolve(&directory, "dave"), Err(Refusal::UnknownTarget { name: "dave".to_owned(), nearest: shown }));
    assert!(resolve(&directory, "dave@10.0.0.4").is_err());
    // The fingerprint says who is meant, however the name is typed.
    assert_eq!(resolve(&directory, &with_fingerprint("dave", 4)), Ok(Resolved::Person(person(4))));
    news(&mut directory, 5, &record(5, 1, "dave", &[]));
    for text in ["dave", "dаve"] {
        assert_eq!(candidates(&directory, text, Wanted::Anyone).len(), 2);
    }
}

#[test]
fn a_person_is_found_by_every_address_that_was_theirs() {
    let mut directory = three();
    let there = |directory: &Directory, address: &str| resolve(directory, &format!("bob@{address}")).is_ok();
    directory.set_present(person(2), ip(7));
    directory.set_present(person(2), "fd00::7".parse().unwrap());
    let moved = Record { addresses: vec![SocketAddr::from(([10, 0, 0, 8], 4000))], ..record(2, 2, "bob", &[]) };
    news(&mut directory, 2, &moved);
    for address in ["10.0.0.2", "10.0.0.7", "fd00::7", "FD00:0::7", "10.0.0.8"] {
        assert!(there(&directory, address), "{address}");
    }
    assert!(!there(&directory, "10.0.0.3") && !there(&directory, "10.0.0.9"));
    assert_eq!(directory.people_meant("bob").unwrap()[0].addresses, ["10.0.0.8", "fd00::7", "10.0.0.7", "10.0.0.2"]);
    // The oldest are dropped; the one that is used now is the latest.
    let config = Config::default();
    directory.set_present(person(2), ip(2));
    for last in 0..config.max_known_addresses - 1 {
        directory.set_present(person(2), IpAddr::from([10, 0, 1, u8::try_from(last).unwrap()]));
    }
    assert!(there(&directory, "10.0.0.2") && !there(&directory, "10.0.0.7"));
    assert_eq!(directory.people[&person(2)].known_at.len(), config.max_known_addresses);
}

#[test]
fn all_that_is_known_of_everybody_of_a_name() {
    let mut directory = three();
    news(&mut directory, 4, &record(4, 1, "Bob", &[]));
    directory.depart(record(4, 1, "Bob", &[]).process).unwrap();
    let people = directory.people_meant("bob").unwrap();
    let mut told: Vec<_> = people.iter().map(|bob| (bob.user.who.name.as_str(), bob.forgotten)).collect();
    told.sort_unstable();
    assert_eq!(told, [("Bob", true), ("bob", false)]);
    let one = directory.people_meant(&with_fingerprint("bob", 2)).unwrap();
    let [bob] = one.as_slice() else { panic!("{one:?}") };
    assert_eq!(
        (bob.fingerprint.clone(), bob.listening.clone()),
        (person(2).fingerprint(), vec!["10.0.0.2:4000".into()])
    );
    assert!(matches!(directory.people_meant("bo"), Err(Refusal::UnknownUser { .. })));
}

#[test]
fn case_tells_groups_apart_where_it_makes_a_difference() {
    let mut directory = three();
    news(&mut directory, 4, &record(4, 1, "dave", &["CARS"]));
    assert_eq!(resolve(&directory, "cars"), Ok(Resolved::Group(name("cars"))));
    assert_eq!(resolve(&directory, "CARS"), Ok(Resolved::Group(name("CARS"))));
    candidates(&directory, "Cars", Wanted::Anyone);
    assert_eq!(candidates(&directory, "Cars", Wanted::Group), ["CARS", "cars"]);
}

#[test]
fn a_name_of_a_person_and_a_group() {
    let mut directory = three();
    news(&mut directory, 4, &record(4, 1, "cars", &[]));
    let expected = [with_fingerprint("cars", 4), "group:cars".to_owned()];
    assert_eq!(candidates(&directory, "cars", Wanted::Anyone), expected);
    assert_eq!(directory.resolve("cars", Wanted::Person), Ok(Resolved::Person(person(4))));
    assert_eq!(directory.resolve("cars", Wanted::Group), Ok(Resolved::Group(name("cars"))));
    // A lookalike of a group or a person takes no place either.
    assert_eq!(directory.group_called(&name("сars")), Some(&name("cars")));
    assert!(directory.is_a_person(&name("bоb")));
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
fn an_alias_never_takes_a_persons_place() {
    let mut directory = three();
    directory.set_present(person(2), ip(2));
    let fingerprint = person(2).fingerprint();
    for taken in ["bob", "BOB", "alice", "b\u{43e}b", "10.0.0.2", fingerprint.as_str()] {
        let Ok(alias) = Name::parse(taken) else { continue };
        let refused = directory.set_alias(person(3), alias);
        assert!(matches!(refused, Err(Refusal::AliasTaken { .. })), "{taken}: {refused:?}");
    }
    assert_eq!(resolve(&directory, "bob"), Ok(Resolved::Person(person(2))));
    // An alias moves from one to another, and its own person may have it in another spelling.
    directory.set_alias(person(3), name("boss")).unwrap();
    assert_eq!(directory.set_alias(person(3), name("Boss")).unwrap().replaced, Some(name("boss")));
    directory.set_alias(person(2), name("Boss")).unwrap();
    assert_eq!(resolve(&directory, "Boss"), Ok(Resolved::Person(person(2))));
    // The name of a person who has gone for good is free.
    directory.depart(record(2, 1, "bob", &[]).process);
    directory.set_alias(person(3), name("bob")).unwrap();
}

#[test]
fn an_alias_and_a_claim_are_two_of_one_name() {
    let mut directory = three();
    directory.set_alias(person(3), name("boss")).unwrap();
    news(&mut directory, 4, &record(4, 1, "boss", &[]));
    candidates(&directory, "boss", Wanted::Anyone);
    for seed in [3, 4] {
        assert_eq!(resolve(&directory, &with_fingerprint("boss", seed)), Ok(Resolved::Person(person(seed))));
        assert_eq!(resolve(&directory, &format!("boss@10.0.0.{seed}")), Ok(Resolved::Person(person(seed))));
    }
    assert_eq!(resolve(&directory, "carol"), Ok(Resolved::Person(person(3))));
    assert!(directory.is_a_person(&name("BOSS")) && !directory.is_a_person(&name("cars")));
    // A group that appears under it later is not written to by mistake, nor instead of it.
    news(&mut directory, 4, &record(4, 2, "dave", &["boss"]));
    assert_eq!(candidates(&directory, "boss", Wanted::Anyone), [with_fingerprint("boss", 3), "group:boss".into()]);
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
    assert_eq!(labels(""), ["alice", "bob", "boss"]);
    assert_eq!(labels("B*2"), ["bob"]);
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
    assert_eq!(groups[0].members, ["bob", "boss"]);
    assert!(!groups[0].member);
    assert_eq!(directory.groups(&Pattern::new("A*S")).len(), 1);
    let own = record(1, 2, "alice", &["cars"]);
    directory.write_own(signed(1, &own), own);
    let cars = directory.group(&name("cars")).unwrap();
    assert!(cars.member);
    assert_eq!(cars.members, ["alice", "bob", "boss"]);
}
