//! Whatever the order in which records come, and however often, everybody ends with the same directory, and with what a naive
//! reading of the newest records gives.

use proptest::prelude::*;

use super::*;
use crate::Pattern;

/// The second has a Greek beta, and the fourth imitates a label of person 2.
fn names() -> Vec<String> {
    let imitation = format!("bob.{}", person(2).ending(4));
    ["bob", "Βob", "Bob", &imitation, "cars", "teа"].map(str::to_owned).into()
}
const GROUPS: [&str; 4] = ["cars", "tea", "Tea", "books"];

/// A record of one of four others, honest but for the chance of two of one version.
fn any_record() -> impl Strategy<Value = (u8, Record)> {
    let groups = prop::sample::subsequence(GROUPS.to_vec(), 0..=GROUPS.len());
    let address = prop::option::of(1..4u8);
    (2..6u8, 1..6i64, 1..3u64, prop::sample::select(names()), groups, address).prop_map(
        |(seed, version, incarnation, called, groups, address)| {
            let plain = record(seed, version, &called, &groups);
            let process = ProcessId { incarnation: Incarnation(incarnation), ..plain.process };
            let addresses = address.map(|last| SocketAddr::new(ip(last), 4000)).into_iter().collect();
            (seed, Record { process, addresses, ..plain })
        },
    )
}

fn merge_all(records: impl IntoIterator<Item = SignedRecord>) -> (Directory, Vec<News>) {
    let mut directory = alice();
    let mut all = Vec::new();
    for signed in records {
        if let Merge::Newer(news) = directory.merge(&signed).unwrap() {
            all.extend(news);
        }
    }
    (directory, all)
}

fn lists(directory: &Directory) -> (Vec<crate::UserInfo>, Vec<crate::GroupInfo>, Vec<ProcessId>) {
    let everything = Pattern::new("");
    (directory.users(&everything), directory.groups(&everything), directory.everybody().collect())
}

/// The newest record of each, by version, then bytes.
fn newest(records: &[(u8, Record)]) -> BTreeMap<PersonId, Record> {
    let mut newest: BTreeMap<PersonId, (Hlc, SignedRecord, Record)> = BTreeMap::new();
    for (seed, record) in records {
        let candidate = (record.version, signed(*seed, record), record.clone());
        let known = newest.entry(record.process.person).or_insert_with(|| candidate.clone());
        if (known.0, known.1.bytes()) < (candidate.0, candidate.1.bytes()) {
            *known = candidate;
        }
    }
    newest.into_iter().map(|(person, (_, _, record))| (person, record)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_and_the_number_of_copies_do_not_matter(
        records in prop::collection::vec(any_record(), 0..12),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        seed in any::<u64>(),
    ) {
        let in_order: Vec<SignedRecord> = records.iter().map(|(seed, record)| signed(*seed, record)).collect();
        let mut shuffled = in_order.clone();
        if !in_order.is_empty() {
            shuffled.extend(again.iter().map(|index| in_order[index.index(in_order.len())].clone()));
        }
        let mut state = seed;
        shuffled.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        });
        let (one, _) = merge_all(in_order);
        let (other, _) = merge_all(shuffled);
        let nobody = Identity::from_seed([9; 32]).person();
        prop_assert_eq!(lists(&one), lists(&other));
        prop_assert!(one.records_for(nobody).eq(other.records_for(nobody)));

        let newest = newest(&records);
        prop_assert_eq!(one.everybody().count(), newest.len() + 1);
        for group in GROUPS.map(name) {
            let members: BTreeSet<ProcessId> =
                newest.values().filter(|record| record.groups.contains(&group)).map(|record| record.process).collect();
            prop_assert_eq!(one.members(&group).collect::<BTreeSet<_>>(), members.clone());
            prop_assert_eq!(one.group(&group).is_some(), !members.is_empty());
        }
    }

    /// Whoever follows the news knows who is where.
    #[test]
    fn the_news_tell_the_whole_story(records in prop::collection::vec(any_record(), 0..12)) {
        let (directory, news) = merge_all(records.iter().map(|(seed, record)| signed(*seed, record)));
        let mut people = BTreeSet::from([person(1)]);
        let mut groups: BTreeMap<Name, BTreeSet<PersonId>> = BTreeMap::new();
        for item in news {
            match item {
                News::Appeared(person) => prop_assert!(people.insert(person)),
                News::Changed(Changed { person, .. }) => prop_assert!(people.contains(&person)),
                News::Superseded(process) => prop_assert!(people.contains(&process.person)),
                News::GroupAppeared(group) => prop_assert_eq!(groups.insert(group, BTreeSet::new()), None),
                News::Joined { person, group } => prop_assert!(groups.get_mut(&group).unwrap().insert(person)),
                News::Left { person, group } => prop_assert!(groups.get_mut(&group).unwrap().remove(&person)),
                News::GroupGone(group) => prop_assert_eq!(groups.remove(&group), Some(BTreeSet::new())),
            }
        }
        prop_assert_eq!(people.len(), directory.everybody().count());
        let members = |group: &Name| directory.members(group).map(|process| process.person).collect::<BTreeSet<_>>();
        prop_assert!(groups.iter().all(|(group, told)| *told == members(group)));
        prop_assert!(directory.groups(&Pattern::new("")).iter().all(|group| groups.contains_key(group.name.as_str())));
    }

    /// The news name all who are shown in another way than before.
    #[test]
    fn the_news_name_all_whose_labels_change(records in prop::collection::vec(any_record(), 0..12)) {
        let mut directory = alice();
        let mut shown = BTreeMap::from([(person(1), directory.who(person(1)))]);
        for (seed, record) in records {
            let Merge::Newer(news) = directory.merge(&signed(seed, &record)).unwrap() else { continue };
            for item in news {
                match item {
                    News::Appeared(person) => drop(shown.insert(person, directory.who(person))),
                    News::Changed(Changed { person, before }) => {
                        prop_assert_eq!(shown.insert(person, directory.who(person)), Some(before));
                    }
                    News::Superseded(_)
                    | News::GroupAppeared(_)
                    | News::Joined { .. }
                    | News::Left { .. }
                    | News::GroupGone(_) => {}
                }
            }
            for user in directory.users(&Pattern::new("")) {
                prop_assert_eq!(&*shown[&user.who.person], &user.who);
            }
        }
    }

    /// A label is the name alone if that is theirs alone; it means the one person who has it, unless a
    /// group has the same name; and what is offered for an ambiguous name is not ambiguous.
    #[test]
    fn labels_and_candidates_are_unambiguous(
        records in prop::collection::vec(any_record(), 0..12),
        seen in prop::collection::vec((2..6u8, 1..4u8), 0..6),
        alias in prop::option::of((2..6u8, prop::sample::select(vec!["boss", "bob", "zed"]))),
    ) {
        let (mut directory, _) = merge_all(records.iter().map(|(seed, record)| signed(*seed, record)));
        for (seed, last) in seen {
            directory.set_present(person(seed), ip(last));
        }
        if let Some((seed, alias)) = alias {
            // As one that was set before anybody was called so.
            directory.put_alias(person(seed), name(alias));
        }
        let users = directory.users(&Pattern::new(""));
        for user in &users {
            let aliased = alias.filter(|(seed, _)| person(*seed) == user.who.person).map(|(_, alias)| alias);
            let called = name(aliased.unwrap_or(&user.who.name));
            let looks_like_me = |other: &Name| other.looks().iter().any(|look| called.looks().contains(look));
            let others = users.iter().filter(|other| other.who.person != user.who.person);
            let by_name = others.clone().any(|other| looks_like_me(&name(&other.who.name)));
            let by_alias = aliased.is_none() && alias.is_some_and(|(seed, alias)| {
                looks_like_me(&name(alias)) && others.clone().any(|other| other.who.person == person(seed))
            });
            let label = if by_name || by_alias {
                format!("{called}·{}", user.who.person.ending(4))
            } else {
                called.to_string()
            };
            // Two of one ending among five people are not to be expected; an imitation is followed by its own.
            let imitates = called.as_str().contains('.') || user.who.label.starts_with(&format!("{called}·"));
            prop_assert!(user.who.label == label || imitates, "{} is not {}", user.who.label, label);
            for text in [&user.who.label, &user.who.name] {
                match directory.resolve(text, Wanted::Anyone) {
                    Ok(Resolved::Person(meant)) => prop_assert_eq!(meant, user.who.person),
                    Ok(other @ (Resolved::All | Resolved::Group(_))) => prop_assert!(false, "{} is {:?}", text, other),
                    Err(Refusal::Ambiguous { candidates, .. }) => {
                        let meant = candidates.iter().map(|text| directory.resolve(text, Wanted::Anyone));
                        let meant: Vec<_> = meant.collect::<Result<_, _>>().unwrap();
                        prop_assert!(meant.len() > 1);
                        prop_assert!((1..meant.len()).all(|at| !meant[..at].contains(&meant[at])), "{:?}", candidates);
                    }
                    Err(other) => prop_assert!(false, "{} is refused: {}", text, other),
                }
            }
            prop_assert_eq!(
                directory.resolve(&user.who.label, Wanted::Person), Ok(Resolved::Person(user.who.person))
            );
        }
    }
}
