mod convergence;
mod lookup;
mod namesakes;

use super::*;
use crate::{Identity, Incarnation};

/// Everybody's key follows from a number.
fn identity(seed: u8) -> Identity {
    Identity::from_seed([seed; 32])
}

fn person(seed: u8) -> PersonId {
    identity(seed).person()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

/// A record of person `seed`, first incarnation, at 10.0.0.`seed`.
fn record(seed: u8, version: i64, called: &str, groups: &[&str]) -> Record {
    Record {
        process: ProcessId { person: person(seed), incarnation: Incarnation(1) },
        name: name(called),
        groups: groups.iter().map(|group| name(group)).collect(),
        addresses: vec![SocketAddr::from(([10, 0, 0, seed], 4000))],
        version: Hlc { micros: version, logical: 0 },
        rank: 0,
        started_as: None,
    }
}

fn signed(seed: u8, record: &Record) -> SignedRecord {
    SignedRecord::sign(&identity(seed), record)
}

/// The directory of person 1, who is called alice and is in no group.
fn alice() -> Directory {
    let mut directory = Directory::new(person(1), &Config::default());
    let own = record(1, 1, "alice", &[]);
    directory.write_own(signed(1, &own), own);
    directory
}

fn news(directory: &mut Directory, seed: u8, record: &Record) -> Vec<News> {
    match directory.merge(&signed(seed, record)).unwrap() {
        Merge::Newer(news) => news,
        other @ (Merge::Same | Merge::Older | Merge::OwnIsNewer) => panic!("{other:?}"),
    }
}

fn joined(seed: u8, group: &str) -> News {
    News::Joined { person: person(seed), group: name(group) }
}

fn left(seed: u8, group: &str) -> News {
    News::Left { person: person(seed), group: name(group) }
}

#[test]
fn a_group_exists_while_somebody_is_in_it() {
    let mut directory = alice();
    let appeared = |group| News::GroupAppeared(name(group));
    assert_eq!(
        news(&mut directory, 2, &record(2, 1, "bob", &["cars"])),
        [News::Appeared(person(2)), appeared("cars"), joined(2, "cars")]
    );
    assert_eq!(
        news(&mut directory, 3, &record(3, 1, "carol", &["cars"])),
        [News::Appeared(person(3)), joined(3, "cars")]
    );
    assert_eq!(
        news(&mut directory, 2, &record(2, 2, "bob", &["books"])),
        [appeared("books"), joined(2, "books"), left(2, "cars")]
    );
    assert_eq!(news(&mut directory, 3, &record(3, 2, "carol", &[])), [left(3, "cars"), News::GroupGone(name("cars"))]);
    assert_eq!(directory.group(&name("cars")), None);
    assert_eq!(directory.group_called(&name("BOOKS")), Some(&name("books")));
}

#[test]
fn only_what_is_newer_counts() {
    let mut directory = alice();
    let newest = signed(2, &record(2, 5, "bob", &["cars"]));
    assert!(matches!(directory.merge(&newest), Ok(Merge::Newer(_))));
    let generation = directory.generation();
    assert_eq!(directory.merge(&newest), Ok(Merge::Same));
    assert_eq!(directory.merge(&signed(2, &record(2, 4, "bobby", &[]))), Ok(Merge::Older));
    assert_eq!(directory.signed_record_of(person(2)), Some(&newest));
    assert_eq!(directory.generation(), generation);
}

#[test]
fn a_forged_record_changes_nothing() {
    let mut directory = alice();
    news(&mut directory, 2, &record(2, 1, "bob", &[]));
    let mallory = identity(66);
    let forged = SignedRecord::forged(&mallory, &record(2, 2, "bob", &["cars"]));
    assert!(matches!(directory.merge(&forged), Err(NotMerged::Bad(BadRecord::Signature(_)))));
    assert_eq!(directory.members(&name("cars")).count(), 0);
    assert_eq!(directory.who(person(2)).name, "bob");
}

#[test]
fn a_new_incarnation_takes_the_place_of_the_old_one() {
    let mut directory = alice();
    let first = record(2, 1, "bob", &["cars", "books"]);
    news(&mut directory, 2, &first);
    let generation = directory.generation();
    let second = Record {
        process: ProcessId { incarnation: Incarnation(2), ..first.process },
        ..record(2, 2, "bob", &["cars", "tea"])
    };
    assert_eq!(
        news(&mut directory, 2, &second),
        [
            News::Superseded(first.process),
            News::GroupAppeared(name("tea")),
            joined(2, "tea"),
            left(2, "books"),
            News::GroupGone(name("books"))
        ]
    );
    assert_ne!(directory.generation(), generation);
    assert_eq!(directory.members(&name("cars")).collect::<Vec<_>>(), [second.process]);
    assert!(directory.everybody().any(|process| process == second.process));
    assert!(directory.everybody().all(|process| process != first.process));
    assert_eq!(directory.process_of(person(2)), Some(second.process));
}

#[test]
fn the_generation_changes_with_memberships_and_only_then() {
    let mut directory = alice();
    let mut last = directory.generation();
    let mut changes = |directory: &Directory| std::mem::replace(&mut last, directory.generation()) != last;
    news(&mut directory, 2, &record(2, 1, "bob", &["cars"]));
    assert!(changes(&directory));
    news(&mut directory, 2, &record(2, 2, "robert", &["cars"]));
    directory.set_present(person(2), ip(9));
    directory.set_absent(person(2));
    assert!(!changes(&directory));
    news(&mut directory, 2, &record(2, 3, "robert", &[]));
    assert!(changes(&directory));
}

#[test]
fn only_the_first_link_to_a_person_is_new_however_the_record_came() {
    let mut directory = alice();
    news(&mut directory, 2, &record(2, 1, "bob", &[]));
    assert!(directory.set_present(person(2), ip(2)));
    directory.set_absent(person(2));
    assert!(!directory.set_present(person(2), ip(3)));
}

#[test]
fn a_record_of_mine_that_i_did_not_write_is_outdone() {
    let mut directory = alice();
    let from_another_life = Record {
        process: ProcessId { person: person(1), incarnation: Incarnation(9) },
        ..record(1, 1000, "alice", &["cars"])
    };
    assert_eq!(directory.merge(&signed(1, &from_another_life)), Ok(Merge::OwnIsNewer));
    assert_eq!(directory.members(&name("cars")).count(), 0);
    let version = directory.next_version(Hlc { micros: 2, logical: 0 });
    assert!(version > from_another_life.version);
    let own = Record { version, ..record(1, 0, "alice", &[]) };
    directory.write_own(signed(1, &own), own.clone());
    assert_eq!(directory.merge(&signed(1, &from_another_life)), Ok(Merge::Older));
    assert_eq!(directory.merge(&signed(1, &own)), Ok(Merge::Same));
    // Of the same version, but not mine: everybody else keeps the one of the greater bytes, so it has to be outdone too.
    let twin = Record { name: name("malice"), ..own };
    assert_eq!(directory.merge(&signed(1, &twin)), Ok(Merge::OwnIsNewer));
    assert!(directory.next_version(Hlc::default()) > version);
}

#[test]
fn there_is_a_bound_on_people() {
    let mut directory = Directory::new(person(1), &Config { max_processes: 3, ..Config::default() });
    let own = record(1, 1, "alice", &[]);
    directory.write_own(signed(1, &own), own);
    for seed in [2, 3] {
        news(&mut directory, seed, &record(seed, 1, "bob", &[]));
    }
    assert_eq!(directory.merge(&signed(4, &record(4, 1, "bob", &[]))), Err(NotMerged::TooMany { limit: 3 }));
    assert_eq!(directory.everybody().count(), 3);
    news(&mut directory, 3, &record(3, 2, "carol", &[]));
}

fn label(directory: &Directory, seed: u8) -> String {
    directory.who(person(seed)).label.clone()
}

/// A name with the fingerprint of person `seed`.
fn with_fingerprint(name: &str, seed: u8) -> String {
    format!("{name}·{}", person(seed).ending(4))
}

#[test]
fn namesakes_are_told_apart_by_their_keys() {
    let mut directory = alice();
    news(&mut directory, 2, &record(2, 1, "bob", &[]));
    assert_eq!(label(&directory, 2), "bob");
    let before = directory.who(person(2));
    assert_eq!(
        news(&mut directory, 3, &record(3, 1, "bob", &[])),
        [News::Appeared(person(3)), News::Changed(Changed { person: person(2), before })]
    );
    for seed in [2, 3] {
        assert_eq!(label(&directory, seed), with_fingerprint("bob", seed));
    }
    let before = [2, 3].map(|seed| directory.who(person(seed)));
    let changed =
        |seed: u8| News::Changed(Changed { person: person(seed), before: before[usize::from(seed) - 2].clone() });
    assert_eq!(news(&mut directory, 3, &record(3, 2, "rob", &[])), [changed(3), changed(2)]);
    assert_eq!((label(&directory, 2), label(&directory, 3)), ("bob".to_owned(), "rob".to_owned()));
}

#[test]
fn a_label_does_not_hang_on_addresses() {
    let mut directory = alice();
    for seed in [2, 3] {
        news(&mut directory, seed, &record(seed, 1, "bob", &[]));
    }
    for address in [ip(9), ip(8), "fd00::9".parse().unwrap()] {
        directory.set_present(person(2), address);
        directory.set_absent(person(2));
        assert_eq!(label(&directory, 2), with_fingerprint("bob", 2));
        assert_eq!(directory.who(person(2)).address, Some(address.to_string()));
    }
}

#[test]
fn names_that_look_alike_are_one_name() {
    for (one, other) in [
        ("alice", "аlice"),
        ("bob", "Bob"),
        ("Alice", "AIice"),
        ("Bob", "Βob"),
        ("bob", "b0b"),
        ("mary", "Μary"),
        ("alice", "АLICE"),
    ] {
        let mut directory = Directory::new(person(1), &Config::default());
        let own = record(1, 1, one, &[]);
        directory.write_own(signed(1, &own), own);
        news(&mut directory, 2, &record(2, 1, other, &[]));
        assert_eq!(label(&directory, 1), with_fingerprint(one, 1), "{one} and {other}");
        assert_eq!(label(&directory, 2), with_fingerprint(other, 2), "{one} and {other}");
    }
}

#[test]
fn a_name_that_imitates_a_label_is_shown_as_what_it_is() {
    let mut directory = alice();
    let ending = person(2).ending(4);
    news(&mut directory, 2, &record(2, 1, "bob", &[]));
    for imitation in [format!("bob.{ending}"), format!("Bob-X{ending}"), format!("b0b_{}", ending.to_lowercase())] {
        let version = directory.people.get(&person(3)).map_or(1, |known| known.record.version.micros + 1);
        news(&mut directory, 3, &record(3, version, &imitation, &[]));
        assert_eq!(label(&directory, 3), with_fingerprint(&imitation, 3));
        assert_eq!(label(&directory, 2), with_fingerprint("bob", 2));
    }
    // Nobody may choose a letter that looks like the dot. Who does so all the same is never shown by that alone.
    for dot in ['ꞏ', 'ᐧ', 'ˑ'] {
        let imitation = format!("carol{dot}PUWe");
        assert!(Name::choose(&imitation).is_err(), "{imitation}");
        let version = directory.people[&person(3)].record.version.micros + 1;
        news(&mut directory, 3, &record(3, version, &imitation, &[]));
        assert_eq!(label(&directory, 3), with_fingerprint(&imitation, 3));
    }
    assert_eq!(label(&directory, 2), "bob");
    news(&mut directory, 4, &record(4, 1, "anna-lena", &[]));
    news(&mut directory, 5, &record(5, 1, "anna", &[]));
    assert_eq!((label(&directory, 4), label(&directory, 5)), ("anna-lena".to_owned(), "anna".to_owned()));
}

#[test]
fn a_person_who_has_departed_keeps_their_name() {
    let mut directory = alice();
    let gone = record(2, 1, "bob", &[]);
    news(&mut directory, 2, &gone);
    directory.depart(gone.process).unwrap();
    news(&mut directory, 3, &record(3, 1, "bob", &[]));
    for seed in [2, 3] {
        assert_eq!(label(&directory, seed), with_fingerprint("bob", seed));
    }
}

#[test]
fn somebody_unknown_is_shown_by_fingerprint() {
    let who = alice().who(person(9));
    assert_eq!((who.name.as_str(), who.label.clone()), ("?", format!("?·{}", person(9).fingerprint())));
    let mut directory = alice();
    news(&mut directory, 2, &Record { addresses: Vec::new(), ..record(2, 1, "bob", &[]) });
    assert_eq!(directory.who(person(2)).address, None);
    directory.set_present(person(2), "::ffff:10.0.0.7".parse().unwrap());
    assert_eq!(directory.who(person(2)).address, Some("10.0.0.7".to_owned()));
}

#[test]
fn aliases() {
    let mut directory = alice();
    news(&mut directory, 2, &record(2, 1, "bob", &["cars"]));
    news(&mut directory, 3, &record(3, 1, "carol", &[]));
    directory.set_alias(person(2), name("boss")).unwrap();
    assert_eq!(label(&directory, 2), "boss");
    assert_eq!(directory.set_alias(person(2), name("chief")).unwrap().replaced, Some(name("boss")));
    assert_eq!(label(&directory, 2), "chief");
    directory.set_alias(person(3), name("chief")).unwrap();
    assert_eq!((label(&directory, 2), label(&directory, 3)), ("bob".to_owned(), "chief".to_owned()));
    assert_eq!(directory.set_alias(person(2), name("Cars")), Err(Refusal::GroupExists { group: "cars".to_owned() }));
    assert_eq!(directory.remove_alias("boss"), Err(Refusal::UnknownUser { name: "boss".to_owned(), nearest: None }));
    // A person comes who has the alias as their name. While there is the alias, these are two people of one name.
    news(&mut directory, 4, &record(4, 1, "Chief", &[]));
    let labels = [label(&directory, 3), label(&directory, 4)];
    assert_eq!(labels, [with_fingerprint("chief", 3), with_fingerprint("Chief", 4)]);
    let (whose, changed) = directory.remove_alias("chief").unwrap();
    assert_eq!(whose, person(3));
    assert_eq!(changed.iter().map(|changed| changed.person).collect::<Vec<_>>(), [person(3), person(4)]);
    assert_eq!([label(&directory, 3), label(&directory, 4)], ["carol", "Chief"]);
}

#[test]
fn there_is_a_bound_on_aliases() {
    let mut directory = Directory::new(person(1), &Config { max_aliases: 1, ..Config::default() });
    for seed in [2, 3] {
        news(&mut directory, seed, &record(seed, 1, "bob", &[]));
    }
    directory.set_alias(person(2), name("boss")).unwrap();
    assert!(matches!(directory.set_alias(person(3), name("chief")), Err(Refusal::TooMany { limit: 1, .. })));
    directory.set_alias(person(2), name("chief")).unwrap();
    directory.set_alias(person(3), name("chief")).unwrap();
}

#[test]
fn before_a_link_tells_better_somebody_is_at_an_address_that_others_can_use() {
    let mut directory = alice();
    for (listening, shown) in [
        (&["[::1]:4000", "127.0.0.1:4000"][..], "127.0.0.1"),
        (&["127.0.0.1:4000", "[fd00::2]:4000"], "fd00::2"),
        (&["127.0.0.1:4000", "[fd00::2]:4000", "192.0.2.2:4000"], "192.0.2.2"),
    ] {
        let addresses = listening.iter().map(|address| address.parse().unwrap()).collect();
        let version = directory.next_version(Hlc { micros: 1, logical: 0 });
        directory.write_own(
            signed(1, &record(1, 1, "alice", &[])),
            Record { addresses, version, ..record(1, 1, "alice", &[]) },
        );
        assert_eq!(directory.who(person(1)).address, Some(shown.to_owned()));
    }
}
