//! Random changes against a list of everything: every read and every reopening gives the same as the list.
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for some variants")]

mod support;

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use chat::{Change, Conversation, Entry, Filed, Hlc, Kept, MessageId, Name, ProcessId, SignedRecord, Store};
use proptest::prelude::*;
use proptest::sample::Index;
use store::SqliteStore;
use support::{Print, conversation, print};

/// What is known of one message. Messages are in the order in which they came.
#[derive(Clone, Debug)]
enum As {
    Held(u64),
    Delivered,
    Shown(Entry),
}

#[derive(Clone, Debug)]
struct Known {
    kept: Kept,
    /// The life that its stamp is from.
    life: usize,
    is: As,
}

/// The naive store.
#[derive(Clone, Debug, Default)]
struct Model {
    known: Vec<Known>,
    formers: Vec<u32>,
    arrivals: u64,
    settled: u64,
    parcels: Vec<chat::Parcel>,
    delayed: BTreeMap<u64, i64>,
    scheduled: BTreeMap<u64, Bytes>,
    mind: Option<Bytes>,
    verified: Option<Bytes>,
    talks: BTreeMap<Conversation, Bytes>,
    greetings: BTreeMap<ProcessId, Bytes>,
    addresses: BTreeMap<chat::PersonId, Vec<IpAddr>>,
    aliases: BTreeMap<Name, chat::PersonId>,
}

impl Model {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Held(kept) => {
                let arrival = self.arrivals;
                self.arrivals += 1;
                if !matches!(self.at(kept), Some(Known { is: As::Held(_) | As::Delivered | As::Shown(_), .. })) {
                    self.set(kept, As::Held(arrival));
                }
            }
            Change::Carried(parcel) => {
                let it = (parcel.message, parcel.to);
                self.parcels.retain(|known| (known.message, known.to) != it);
                self.parcels.push(parcel.clone());
            }
            Change::HandedOver { message, to } => {
                self.parcels.retain(|known| (known.message, known.to) != (*message, *to));
            }
            Change::Delivered { kept } if !self.contains(kept.id()) => self.set(kept, As::Delivered),
            Change::Shown(run) => {
                for entry in run.entries().filter(|entry| !self.contains(entry.kept.id())).collect::<Vec<_>>() {
                    self.set(&entry.kept, As::Shown(entry.clone()));
                }
            }
            Change::Dropped(kept) => {
                let place = (kept.batch_number(), kept.place());
                let is_it = |known: &Known| (known.kept.batch_number(), known.kept.place()) == place;
                self.known.retain(|known| !(is_it(known) && matches!(known.is, As::Held(_))));
            }
            Change::Delayed { clock, due: Some(due) } => drop(self.delayed.insert(*clock, *due)),
            Change::Delayed { clock, due: None } => drop(self.delayed.remove(clock)),
            Change::Withdrawn(kept) => {
                let number = kept.batch_number();
                self.known.retain(|known| number.is_none() || known.kept.batch_number() != number);
            }
            Change::Scheduled { number, text: Some(text) } => drop(self.scheduled.insert(*number, text.clone())),
            Change::Scheduled { number, text: None } => drop(self.scheduled.remove(number)),
            Change::Settled { up_to } => self.settled = *up_to,
            Change::Mind(bytes) => self.mind = Some(bytes.clone()),
            Change::Verified(bytes) => self.verified = Some(bytes.clone()),
            Change::Talk { conversation, vectors } => drop(self.talks.insert(conversation.clone(), vectors.clone())),
            Change::Greeting { of, signed } => drop(self.greetings.insert(*of, signed.clone())),
            Change::Addresses { of, known } => drop(self.addresses.insert(*of, known.clone())),
            Change::Alias { alias, person: Some(person) } => drop(self.aliases.insert(alias.clone(), *person)),
            Change::Alias { alias, person: None } => drop(self.aliases.remove(alias)),
            Change::Reborn => {
                self.formers.push(FORMER + u32::try_from(self.formers.len()).unwrap());
                self.known.retain(|known| !matches!(known.is, As::Held(_)));
                self.settled = 0;
                self.delayed.clear();
            }
            _ => {}
        }
    }

    fn at(&self, kept: &Kept) -> Option<&Known> {
        let place = (kept.batch_number(), kept.place());
        place.0?;
        self.known.iter().find(|known| (known.kept.batch_number(), known.kept.place()) == place)
    }

    fn set(&mut self, kept: &Kept, is: As) {
        let life = self.at(kept).map_or(self.formers.len(), |known| known.life);
        let place = (kept.batch_number(), kept.place());
        self.known.retain(|known| place.0.is_none() || (known.kept.batch_number(), known.kept.place()) != place);
        self.known.push(Known { kept: kept.clone(), life, is });
    }

    fn contains(&self, id: MessageId) -> bool {
        let is_delivered = |known: &Known| matches!(known.is, As::Delivered | As::Shown(_));
        self.known.iter().any(|known| known.kept.id() == id && is_delivered(known))
    }

    /// How the message reads now.
    fn read(&self, known: &Known) -> Print {
        let Some(&former) = self.formers.get(known.life) else { return print(&known.kept) };
        let filed = (0..64).filter_map(|place| known.kept.sibling(place)).map(|sibling| {
            let mut stamp = Vec::new();
            sibling.stamp_bytes(&mut stamp);
            Filed { place: sibling.place(), stamp, body: Bytes::copy_from_slice(sibling.body()) }
        });
        let all = Kept::read(0, &known.kept.batch_head(), filed.collect(), Some(former), 100).unwrap();
        print(all.iter().find(|kept| kept.place() == known.kept.place()).unwrap())
    }

    fn newest(&self) -> Vec<(&Entry, Print)> {
        let shown = self.known.iter().filter_map(|known| match &known.is {
            As::Shown(entry) => Some((entry, self.read(known))),
            _ => None,
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.sort_key()));
        shown
    }

    fn kept_by(&self, author: ProcessId) -> BTreeMap<u64, Print> {
        let all = self.first_filed(|is| !matches!(is, As::Held(_)));
        all.into_iter().filter(|(id, _)| id.process == author).map(|(id, print)| (id.clock, print)).collect()
    }

    /// One message per id: the delivered one, or else the one that was filed first.
    fn first_filed(&self, wanted: impl Fn(&As) -> bool) -> BTreeMap<MessageId, Print> {
        let mut all: Vec<&Known> = self.known.iter().filter(|known| wanted(&known.is)).collect();
        all.sort_by_key(|known| {
            (!matches!(known.is, As::Delivered | As::Shown(_)), known.kept.batch_number(), known.kept.place())
        });
        let mut first = BTreeMap::new();
        for known in all {
            first.entry(known.kept.id()).or_insert_with(|| self.read(known));
        }
        first
    }

    fn held(&self) -> Vec<Print> {
        let held = self.known.iter().filter_map(|known| match known.is {
            As::Held(arrival) => Some((arrival, self.read(known))),
            _ => None,
        });
        held.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    fn own(&self, me: ProcessId) -> Vec<Print> {
        let own = self.known.iter().filter(|known| matches!(known.is, As::Delivered | As::Shown(_)));
        let own = own.filter(|known| known.kept.id().process == me && known.kept.id().clock > self.settled);
        own.map(|known| (known.kept.id().clock, self.read(known))).collect::<BTreeMap<_, _>>().into_values().collect()
    }
}

/// The number that alice's process of the first life has in the second. The one of the second life has the next number
/// in the third.
const FORMER: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    Held(Index),
    Carried(Index, u8),
    HandedOver(Index),
    Delivered(Index),
    Shown {
        message: Index,
        group: u8,
        micros: i64,
        logical: u32,
        flags: (bool, bool, bool),
        opened: bool,
    },
    /// All messages of a batch that are here, one after the other.
    ShownTogether {
        message: Index,
        group: u8,
        micros: i64,
    },
    Dropped(Index),
    Delayed(u64, Option<i64>),
    /// Picks from the messages that have a batch of their own.
    Withdrawn(Index),
    Scheduled(u64, Option<u8>),
    Settled(u64),
    Mind(u8),
    Verified(u8),
    Talk(u8, u8),
    Greeting(Index, u8),
    Alias(u8, Option<Index>),
    Addresses(Index, Vec<IpAddr>),
    Commit,
    Fail,
    Reopen,
    Tidy,
}

fn step() -> impl Strategy<Value = Step> {
    let shown = (any::<Index>(), 0..4u8, 0..5i64, 0..2u32, any::<(bool, bool, bool)>(), prop::bool::weighted(0.2))
        .prop_map(|(message, group, micros, logical, flags, opened)| Step::Shown {
            message,
            group,
            micros,
            logical,
            flags,
            opened,
        });
    prop_oneof![
        3 => any::<Index>().prop_map(Step::Held),
        2 => any::<(Index, u8)>().prop_map(|(message, sealed)| Step::Carried(message, sealed)),
        1 => any::<Index>().prop_map(Step::HandedOver),
        2 => any::<Index>().prop_map(Step::Delivered),
        8 => shown,
        4 => (any::<Index>(), 0..4u8, 0..5i64)
            .prop_map(|(message, group, micros)| Step::ShownTogether { message, group, micros }),
        3 => any::<Index>().prop_map(Step::Dropped),
        1 => (1..9u64, any::<Option<i64>>()).prop_map(|(clock, due)| Step::Delayed(clock, due)),
        2 => any::<Index>().prop_map(Step::Withdrawn),
        1 => (1..9u64, any::<Option<u8>>()).prop_map(|(number, text)| Step::Scheduled(number, text)),
        1 => (0..9u64).prop_map(Step::Settled),
        1 => any::<u8>().prop_map(Step::Mind),
        1 => any::<u8>().prop_map(Step::Verified),
        1 => (0..4u8, any::<u8>()).prop_map(|(group, vectors)| Step::Talk(group, vectors)),
        1 => any::<(Index, u8)>().prop_map(|(of, signed)| Step::Greeting(of, signed)),
        1 => (0..3u8, any::<Option<Index>>()).prop_map(|(alias, of)| Step::Alias(alias, of)),
        1 => (any::<Index>(), prop::collection::vec(any::<IpAddr>(), 0..4)).prop_map(|(of, known)| Step::Addresses(of, known)),
        5 => Just(Step::Commit),
        1 => Just(Step::Fail),
        2 => Just(Step::Reopen),
        2 => Just(Step::Tidy),
    ]
}

fn group(number: u8, person: ProcessId) -> Conversation {
    match number {
        0 => Conversation::All,
        1 => Conversation::Direct(person.person),
        2 => Conversation::People([person.person, chat::PersonId::new([1; 32])].into()),
        _ => Conversation::Group(Name::parse(&format!("g{number}")).unwrap()),
    }
}

/// A record that no peer writes. So nothing before it in the transaction may be kept either.
fn bad_record() -> Change {
    let bytes = [vec![1, 9], vec![0; 64]].concat();
    Change::Record(SignedRecord::from_stored(&bytes).unwrap())
}

fn check(store: &mut SqliteStore, model: &Model, pool: &[Entry], me: ProcessId) -> Result<(), TestCaseError> {
    let expected = model.newest();
    let conversations: Vec<Option<Conversation>> =
        (0..4).map(|number| Some(group(number, pool[0].kept.id().process))).chain([None]).collect();
    for of in &conversations {
        let expected: Vec<_> =
            expected.iter().filter(|(entry, _)| of.as_ref().is_none_or(|of| entry.conversation == *of)).collect();
        let described = |entries: Vec<Entry>| -> Vec<_> {
            entries
                .into_iter()
                .map(|entry| (print(&entry.kept), format!("{:?}", Entry { kept: pool[0].kept.clone(), ..entry })))
                .collect()
        };
        let entry = |(entry, print): &&(&Entry, Print)| {
            (print.clone(), format!("{:?}", Entry { kept: pool[0].kept.clone(), ..(*entry).clone() }))
        };
        let all: Vec<_> = expected.iter().map(entry).collect();
        prop_assert_eq!(&described(store.newest(of.as_ref(), None, usize::MAX)), &all);
        for (at, (before, _)) in expected.iter().enumerate() {
            for count in [0, 1, 2, 5] {
                let page = all[at + 1..].iter().take(count).cloned().collect::<Vec<_>>();
                prop_assert_eq!(described(store.newest(of.as_ref(), Some(before.sort_key()), count)), page);
                let mut newer = all[..at].to_vec();
                newer.reverse();
                newer.truncate(count);
                prop_assert_eq!(described(store.oldest(of.as_ref(), before.sort_key(), count)), newer);
            }
        }
        for words in
            [&["w"][..], &["WORD"], &["word", "wordy"], &["all"], &["\""], &["\"quoted\" and"], &["字を読"], &["none"]]
        {
            let words_in = |text: &str| words.iter().all(|word| text.to_lowercase().contains(&word.to_lowercase()));
            let found = expected.iter().filter(|(entry, _)| entry.text().is_some_and(|(_, text)| words_in(&text)));
            let found: Vec<_> = found.map(entry).collect();
            for count in [1, usize::MAX] {
                let found: Vec<_> = found.iter().take(count).cloned().collect();
                prop_assert_eq!(&described(store.search(of.as_ref(), words, count)), &found, "{:?}", words);
            }
        }
    }
    for entry in pool {
        let id = entry.kept.id();
        prop_assert_eq!(store.contains(id), model.contains(id));
        let by_author = model.kept_by(id.process);
        for (after, up_to, count) in
            [(0, u64::MAX, 99), (id.clock - 1, id.clock, 1), (id.clock, id.clock + 2, 1), (5, 4, 3)]
        {
            let expected: Vec<_> = by_author
                .iter()
                .filter(|(clock, _)| **clock > after && **clock <= up_to)
                .map(|(_, print)| print)
                .take(count)
                .collect();
            let kept = store.kept_by(id.process, after, up_to, count);
            let kept: Vec<Print> = kept.iter().map(print).collect();
            prop_assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
        }
    }
    let saved = store.load().unwrap();
    let prints = |kept: &[Kept]| kept.iter().map(print).collect::<Vec<_>>();
    prop_assert_eq!(prints(&saved.held), model.held());
    prop_assert_eq!(&saved.carried, &model.parcels);
    prop_assert_eq!(prints(&saved.own), model.own(me));
    let delayed = model.delayed.iter().filter(|(clock, _)| **clock > model.settled);
    prop_assert_eq!(saved.delayed, delayed.map(|(clock, due)| (*clock, *due)).collect::<Vec<_>>());
    prop_assert_eq!(saved.scheduled.into_iter().collect::<BTreeMap<_, _>>(), model.scheduled.clone());
    prop_assert_eq!(saved.mind.as_ref(), model.mind.as_ref());
    prop_assert_eq!(saved.verified.as_ref(), model.verified.as_ref());
    prop_assert_eq!(saved.talks.into_iter().collect::<BTreeMap<_, _>>(), model.talks.clone());
    prop_assert_eq!(saved.greetings.into_iter().collect::<BTreeMap<_, _>>(), model.greetings.clone());
    prop_assert_eq!(saved.addresses.into_iter().collect::<BTreeMap<_, _>>(), model.addresses.clone());
    prop_assert_eq!(saved.aliases.into_iter().collect::<BTreeMap<_, _>>(), model.aliases.clone());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_read_gives_what_the_model_gives(lives in prop::collection::vec(prop::collection::vec(step(), 0..40), 1..3)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("causerie.db");
        let mut store = SqliteStore::open(&file).unwrap();
        let (mut model, mut me) = (Model::default(), None);
        for (life, steps) in lives.into_iter().enumerate() {
            let (numbers, new) = conversation(life as u64 + 1);
            // The text of a sealed message differs from its body. Here, it is another message's body.
            let opened = new[0].kept.body().to_vec();
            let mut changes: Vec<Change> =
                numbers.into_iter().map(|(number, process)| Change::Process { number, process }).collect();
            if let Some(former) = me {
                changes.push(Change::Process { number: FORMER, process: former });
                changes.push(Change::Reborn);
            }
            let mine = new.iter().map(|entry| &entry.kept).find(|kept| kept.author_number() == 0).unwrap();
            me = Some(mine.id().process);
            store.apply(&changes).unwrap();
            changes.iter().for_each(|change| model.apply(change));
            // From earlier lives there is what was read back.
            let old = store.newest(None, None, usize::MAX);
            let mut pool = [new, old.clone()].concat();
            let mut open: Vec<Change> = Vec::new();
            for step in steps.into_iter().chain([Step::Commit, Step::Reopen]) {
                let kept = |index: Index| index.get(&pool).kept.clone();
                let of = |number| group(number, pool[0].kept.id().process);
                match step {
                    Step::Held(message) => open.push(Change::Held(kept(message))),
                    Step::Carried(message, sealed) => open.push(Change::Carried(chat::Parcel {
                        message: kept(message).id(),
                        to: kept(message).id().process,
                        sealed: vec![sealed; 3].into(),
                        signature: chat::Signature([sealed; 64]),
                    })),
                    Step::HandedOver(message) => {
                        let message = kept(message).id();
                        open.push(Change::HandedOver { message, to: message.process });
                    }
                    Step::Delivered(message) => open.push(Change::Delivered { kept: kept(message) }),
                    Step::Shown { message, group, micros, logical, flags: (fetched, late, clock_off), opened: is_sealed } => {
                        let opened = is_sealed.then(|| Bytes::from(opened.clone()));
                        let (conversation, hlc) = (of(group), Hlc { micros, logical });
                        let entry = Entry { conversation, hlc, kept: kept(message), fetched, late, clock_off, opened };
                        open.push(Change::Shown(entry.into()));
                    }
                    Step::ShownTogether { message, group, micros } => {
                        let message = kept(message);
                        for (behind, kept) in (0..64).filter_map(|place| message.sibling(place)).enumerate() {
                            let hlc = Hlc { micros: micros + behind as i64 / 2, logical: behind as u32 % 2 };
                            let entry = Entry { conversation: of(group), hlc, kept, fetched: false, late: false, clock_off: false, opened: None };
                            open.push(Change::Shown(entry.into()));
                        }
                    }
                    Step::Dropped(message) => open.push(Change::Dropped(kept(message))),
                    Step::Delayed(clock, due) => open.push(Change::Delayed { clock, due }),
                    Step::Withdrawn(message) => {
                        let alone: Vec<&Entry> =
                            pool.iter().filter(|entry| entry.kept.places_here().count_ones() == 1).collect();
                        if !alone.is_empty() {
                            open.push(Change::Withdrawn(message.get(&alone).kept.clone()));
                        }
                    }
                    Step::Scheduled(number, text) => {
                        open.push(Change::Scheduled { number, text: text.map(|text| vec![text].into()) });
                    }
                    Step::Settled(up_to) => open.push(Change::Settled { up_to }),
                    Step::Mind(mind) => open.push(Change::Mind(vec![mind].into())),
                    Step::Verified(people) => open.push(Change::Verified(vec![people].into())),
                    Step::Talk(number, vectors) => {
                        open.push(Change::Talk { conversation: of(number), vectors: vec![vectors].into() });
                    }
                    Step::Greeting(who, signed) => {
                        open.push(Change::Greeting { of: kept(who).id().process, signed: vec![signed].into() });
                    }
                    Step::Addresses(who, known) => {
                        open.push(Change::Addresses { of: kept(who).id().process.person, known });
                    }
                    Step::Alias(number, who) => {
                        let person = who.map(|who| kept(who).id().process.person);
                        open.push(Change::Alias { alias: Name::parse(&format!("al{number}")).unwrap(), person });
                    }
                    Step::Commit => {
                        store.apply(&open).unwrap();
                        open.drain(..).for_each(|change| model.apply(&change));
                        check(&mut store, &model, &pool, me.unwrap())?;
                    }
                    Step::Fail => {
                        open.push(bad_record());
                        prop_assert!(store.apply(&open).is_err());
                        open.clear();
                        check(&mut store, &model, &pool, me.unwrap())?;
                    }
                    Step::Reopen => {
                        drop(store);
                        store = SqliteStore::open(&file).unwrap();
                        // What was in memory is gone, and the same messages come again.
                        open.clear();
                        pool = [conversation(life as u64 + 1).1, old.clone()].concat();
                        check(&mut store, &model, &pool, me.unwrap())?;
                    }
                    Step::Tidy => {
                        store.tidy_all().unwrap();
                        check(&mut store, &model, &pool, me.unwrap())?;
                    }
                }
            }
        }
    }
}
