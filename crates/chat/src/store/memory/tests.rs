use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::messages::Messages;
use super::*;
use crate::body::{self, Scope, TextHead};
use crate::history::SortKey;
use crate::hlc::Hlc;
use crate::identity::Signature;
use crate::kept::{Leaf, SignedBatch};
use crate::{Incarnation, Name, PersonId};

fn process(author: u8) -> ProcessId {
    ProcessId { person: PersonId::new([author; 32]), incarnation: Incarnation(0) }
}

fn kept(author: u8, clock: u64, length: usize) -> Kept {
    let mut causal = causal::Process::<ProcessId, ()>::new(process(author), causal::Config::default());
    let stamp = causal::Stamp { clock, ..causal.multicast(&causal::Set::default()) };
    in_one_batch(author, &stamp, &[(clock, length)]).remove(0)
}

/// Messages of one author that were signed together.
fn batch(author: u8, messages: &[(u64, usize)]) -> Vec<Kept> {
    in_one_batch(author, kept(author, 1, 0).stamp(), messages)
}

fn in_one_batch(author: u8, stamp: &causal::Stamp, messages: &[(u64, usize)]) -> Vec<Kept> {
    let leaf = |&(clock, length)| Leaf::here(causal::Stamp { clock, ..stamp.clone() }, 0..length);
    let longest = messages.iter().map(|&(_, length)| length).max().unwrap_or(0);
    let (leaves, bodies) = (messages.iter().map(leaf).collect(), Bytes::from(vec![0; longest]));
    let batch = Arc::new(SignedBatch::new(process(author), Signature([0; 64]), leaves, bodies));
    (0..messages.len()).map(|index| Kept::new(Arc::clone(&batch), index)).collect()
}

fn group(number: u8) -> Conversation {
    Conversation::Group(Name::parse(&format!("g{number}")).unwrap())
}

fn entry(conversation: &Conversation, author: u8, clock: u64, micros: i64, length: usize) -> Entry {
    Entry {
        conversation: conversation.clone(),
        hlc: Hlc { micros, logical: 0 },
        kept: kept(author, clock, length),
        fetched: false,
        late: false,
        clock_off: false,
        opened: None,
    }
}

/// So many texts of one batch, a microsecond apart.
fn run(conversation: &Conversation, author: u8, clock: u64, micros: i64, count: usize) -> Run {
    let (mut bodies, mut leaves) = (Vec::new(), Vec::new());
    let hlc = |nth: usize| Hlc { micros: micros + nth as i64, logical: 0 };
    for nth in 0..count {
        let body = body::text(&TextHead { scope: Scope::All, sent_at: 0, hlc: hlc(nth), first: None }, "text");
        let place = bodies.len()..bodies.len() + body.len();
        bodies.extend_from_slice(&body);
        leaves.push(match nth {
            0 => Leaf::here(kept(author, clock, 0).stamp().clone(), place),
            _ => Leaf::follows(0, place),
        });
    }
    let batch = Arc::new(SignedBatch::new(process(author), Signature([0; 64]), leaves, bodies.into()));
    let first = Entry { hlc: hlc(0), kept: Kept::new(batch, 0), ..entry(conversation, author, clock, micros, 0) };
    let run = Run::of(first, u32::try_from(count - 1).unwrap(), |_, _, _| true);
    assert_eq!(run.count() as usize, count);
    run
}

fn keys(entries: &[Entry]) -> Vec<SortKey> {
    entries.iter().map(Entry::sort_key).collect()
}

/// What the store says it takes is what its messages take, and each is filed in exactly two places.
fn check_books(store: &MemoryStore) {
    let of_author = |messages: &Messages| -> usize {
        let kept: Vec<Kept> = messages.after(0).map(|(_, kept)| kept).collect();
        let runs = kept.chunk_by(|one, other| Arc::ptr_eq(one.batch(), other.batch()));
        kept.len() * OVERHEAD + runs.map(|run| run[0].batch().bytes()).sum::<usize>()
    };
    assert_eq!(store.authors.bytes(), store.authors.iter().map(|(_, messages)| of_author(messages)).sum::<usize>());
    let mut ids = BTreeSet::new();
    for (process, messages) in store.authors.iter() {
        ids.extend(messages.after(0).map(|(clock, _)| MessageId { process: *process, clock }));
    }
    let id = |place: &Place| MessageId { process: store.authors.process(place.author), clock: place.clock };
    let mut listed: Vec<MessageId> = store.unshown.iter().map(id).collect();
    for (conversation, shown) in &store.conversations {
        let entries = shown.newest(conversation, None, usize::MAX, &store.authors);
        assert!(!entries.is_empty());
        assert_eq!(shown.len(), entries.len());
        assert_eq!(shown.bytes(), entries.iter().map(|entry| entry.kept.bytes() + OVERHEAD).sum::<usize>());
        listed.extend(entries.iter().map(|entry| entry.kept.id()));
    }
    assert_eq!(listed.len(), ids.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), ids);
}

#[test]
fn a_message_is_kept_once() {
    let mut store = MemoryStore::default();
    let first = entry(&group(1), 1, 1, 10, 5);
    let again = Entry { late: true, ..entry(&group(2), 1, 1, 11, 5) };
    let silent = Change::Delivered { kept: kept(1, 1, 5) };
    store.apply(&[Change::Shown(first.clone().into()), Change::Shown(again.into()), silent]).unwrap();
    let all = store.newest(None, None, 9);
    assert_eq!(keys(&all), keys(&[first]));
    assert!(!all[0].late);
    check_books(&store);
}

#[test]
fn a_flood_in_one_conversation_drops_nothing_of_another() {
    let limits = MemoryLimits { max_messages: 1000, max_bytes: 40 * (OVERHEAD + 1000) };
    let mut store = MemoryStore::new(limits);
    let quiet = entry(&Conversation::Direct(PersonId::new([1; 32])), 1, 1, 0, 100);
    store.apply(&[Change::Shown(quiet.clone().into()), Change::Delivered { kept: kept(3, 1, 10) }]).unwrap();
    for clock in 1..=500 {
        store.apply(&[Change::Shown(entry(&group(1), 2, clock, clock as i64, 700).into())]).unwrap();
        assert!(store.authors.bytes() <= limits.max_bytes);
    }
    assert!(store.contains(quiet.kept.id()));
    let newest = store.newest(Some(&group(1)), None, usize::MAX);
    assert!((20..=50).contains(&newest.len()), "{}", newest.len());
    assert_eq!(newest[0].kept.id().clock, 500);
    check_books(&store);
    // What shows nothing is bounded too, also where there is nothing else.
    let mut store = MemoryStore::new(MemoryLimits { max_messages: 10, ..limits });
    for clock in 1..=50 {
        store.apply(&[Change::Delivered { kept: kept(2, clock, if clock < 25 { 10 } else { 60_000 }) }]).unwrap();
        assert!(store.authors.bytes() <= limits.max_bytes && store.unshown.len() <= 10);
        check_books(&store);
    }
}

#[test]
fn a_short_message_does_not_keep_long_ones_for_nothing() {
    let limits = MemoryLimits { max_messages: 1000, max_bytes: 1_000_000 };
    let mut store = MemoryStore::new(limits);
    for n in 0..500 {
        let messages = batch(1, &[(2 * n + 1, 5), (2 * n + 2, 10_000)]);
        for (kept, conversation) in messages.into_iter().zip([group(1), group(2)]) {
            let entry = Entry { kept, ..entry(&conversation, 1, 1, n as i64, 1) };
            store.apply(&[Change::Shown(entry.into())]).unwrap();
        }
        // What is in memory, whatever the store says: each batch once.
        let author = store.authors.of(process(1)).unwrap();
        let mut batches: Vec<_> =
            author.after(0).map(|(_, kept)| (Arc::as_ptr(kept.batch()), kept.batch().bytes())).collect();
        batches.dedup();
        assert!(batches.iter().map(|(_, bytes)| bytes).sum::<usize>() <= limits.max_bytes);
    }
    check_books(&store);
}

#[test]
fn what_comes_interleaved_is_read_in_order() {
    let mut store = MemoryStore::default();
    let mut expected = Vec::new();
    // Batches of 64 that overlap in time, many more than are sorted at once; then old history.
    for batch in 0..40 {
        for author in 0..2 {
            for clock in batch * 64 + 1..=batch * 64 + 64 {
                let entry = entry(&Conversation::All, author, clock, clock as i64, 1);
                expected.push(entry.sort_key());
                store.apply(&[Change::Shown(entry.into())]).unwrap();
            }
        }
    }
    for clock in 1..=10 {
        let entry = entry(&Conversation::All, 7, clock, 5 * clock as i64, 1);
        expected.push(entry.sort_key());
        store.apply(&[Change::Shown(entry.into())]).unwrap();
    }
    expected.sort();
    expected.reverse();
    assert_eq!(keys(&store.newest(Some(&Conversation::All), None, usize::MAX)), expected);
    assert_eq!(keys(&store.newest(None, Some(expected[99]), 1000)), expected[100..1100]);
    check_books(&store);
}

#[test]
fn what_is_withdrawn_leaves_its_place_to_another() {
    let mut store = MemoryStore::default();
    let sealed = Entry { opened: Some(Bytes::from_static(b"plain")), ..entry(&group(1), 1, 2, 20, 5) };
    let entries = [entry(&group(1), 1, 1, 10, 5), sealed, entry(&group(1), 1, 3, 30, 5), entry(&group(2), 1, 4, 40, 5)];
    let silent = kept(1, 5, 5);
    for entry in &entries {
        store.apply(&[Change::Shown(entry.clone().into())]).unwrap();
    }
    store.apply(&[Change::Delivered { kept: silent.clone() }]).unwrap();
    for gone in [&entries[1].kept, &entries[3].kept, &silent] {
        store.apply(&[Change::Withdrawn(gone.clone())]).unwrap();
        assert!(!store.contains(gone.id()));
        check_books(&store);
        store.apply(&[Change::Delivered { kept: kept(1, gone.clock(), 1) }]).unwrap();
        assert!(store.contains(gone.id()));
        check_books(&store);
    }
    assert_eq!(keys(&store.newest(None, None, 9)), [entries[2].sort_key(), entries[0].sort_key()]);
    // If nothing of an author is here, there is nothing to take away.
    store.apply(&[Change::Withdrawn(kept(9, 1, 1))]).unwrap();
}

#[test]
fn what_claims_to_be_of_the_last_of_all_moments_goes_too() {
    let mut store = MemoryStore::new(MemoryLimits { max_messages: 8, ..MemoryLimits::default() });
    for clock in 1..=20 {
        store.apply(&[Change::Shown(entry(&group(1), 1, clock, i64::MAX, 5).into())]).unwrap();
        assert!(store.newest(None, None, usize::MAX).len() <= 8);
        check_books(&store);
    }
    assert_eq!(store.newest(None, None, 1)[0].kept.id().clock, 20);
}

proptest! {
    /// Runs, which may overlap in their clocks and come between one another in time, are kept as their messages are.
    #[test]
    fn a_run_is_kept_as_its_messages_are(
        said in prop::collection::vec((0..2u8, 0..3u8, 1..30u64, 0..30i64, 1..9usize), 0..20),
        max_messages in prop_oneof![Just(10_000), 9..30usize],
        before in (0..40i64, 0..3u8, 0..40u64),
        (after, up_to) in (0..40u64, 0..40u64),
        count in 0..9usize,
    ) {
        let mut store = MemoryStore::new(MemoryLimits { max_messages, ..MemoryLimits::default() });
        let mut shown: Vec<Entry> = Vec::new();
        for (conversation, author, clock, micros, count) in said {
            let run = run(&group(conversation), author, clock, micros, count);
            store.apply(&[Change::Shown(run.clone())]).unwrap();
            check_books(&store);
            let is_known = |shown: &[Entry], entry: &Entry| shown.iter().any(|one| one.kept.id() == entry.kept.id());
            let is_whole = !run.entries().any(|entry| is_known(&shown, &entry));
            let mut pieces: Vec<Vec<Entry>> = vec![run.entries().collect()];
            if !is_whole {
                pieces = run.entries().map(|entry| vec![entry]).collect();
            }
            for piece in pieces {
                let new: Vec<Entry> = piece.into_iter().filter(|entry| !is_known(&shown, entry)).collect();
                shown.extend(new);
                shown.sort_by_key(Entry::sort_key);
                let of_it = |entry: &Entry| entry.conversation == group(conversation);
                let len = shown.iter().filter(|entry| of_it(entry)).count();
                let gone = if len > max_messages { len - (max_messages - max_messages / 8) } else { 0 };
                for _ in 0..gone {
                    let oldest = shown.iter().position(of_it).unwrap();
                    shown.remove(oldest);
                }
            }
        }
        let before: SortKey = (
            Hlc { micros: before.0, logical: 0 },
            MessageId { process: process(before.1), clock: before.2 },
        );
        for before in [None, Some(before)] {
            for of in [None, Some(group(0))] {
                let expected = shown.iter().rev().filter(|entry| of.as_ref().is_none_or(|of| entry.conversation == *of));
                let expected = expected.map(Entry::sort_key).filter(|key| before.is_none_or(|before| *key < before));
                prop_assert_eq!(keys(&store.newest(of.as_ref(), before, count)), expected.take(count).collect::<Vec<_>>());
                let Some(after) = before else { continue };
                let newer = shown.iter().filter(|entry| of.as_ref().is_none_or(|of| entry.conversation == *of));
                let newer = newer.map(Entry::sort_key).filter(|key| *key > after);
                prop_assert_eq!(keys(&store.oldest(of.as_ref(), after, count)), newer.take(count).collect::<Vec<_>>());
            }
        }
        for author in 0..3 {
            let of_author = shown.iter().map(|entry| entry.kept.id()).filter(|id| id.process == process(author));
            let mut clocks: Vec<u64> = of_author.map(|id| id.clock).collect();
            clocks.sort_unstable();
            let is_here = |&clock: &u64| store.contains(MessageId { process: process(author), clock });
            prop_assert!(clocks.iter().all(is_here));
            let expected = clocks.into_iter().filter(|clock| (after + 1..=up_to).contains(clock)).take(count);
            let kept = store.kept_by(process(author), after, up_to, count);
            prop_assert_eq!(kept.iter().map(|kept| kept.id().clock).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
    }
}

#[derive(Clone, Debug)]
struct Said {
    conversation: u8,
    author: u8,
    clock: u64,
    micros: i64,
    shows: bool,
}

fn said() -> impl Strategy<Value = Said> {
    (0..3u8, 0..3u8, 1..20u64, 0..6i64, prop::bool::weighted(0.9))
        .prop_map(|(conversation, author, clock, micros, shows)| Said { conversation, author, clock, micros, shows })
}

proptest! {
    /// Against a list of everything, sorted afresh at each question.
    #[test]
    fn it_reads_as_a_sorted_list(
        said in prop::collection::vec(said(), 0..60),
        max_messages in 1..20usize,
        of in 0..3u8,
        count in 0..8usize,
        before in (0..6i64, 0..3u8, 0..20u64),
        (after, up_to) in (0..20u64, 0..20u64),
    ) {
        let mut store = MemoryStore::new(MemoryLimits { max_messages, ..MemoryLimits::default() });
        // What an author signed together does not follow one another: batches interleave.
        let batches: Vec<Vec<Vec<Kept>>> = (0..3)
            .map(|author| (0..7).map(|n| batch(author, &[(n + 7, 3), (n + 14, 4), (n, 5), (n + 1, 6)])).collect())
            .collect();
        let mut shown: Vec<Entry> = Vec::new();
        let mut unshown: Vec<Kept> = Vec::new();
        for Said { conversation, author, clock, micros, shows } in said {
            let mut entry = entry(&group(conversation), author, clock, micros, 3);
            if let Some(kept) = batches[usize::from(author)].iter().flatten().find(|kept| kept.id().clock == clock) {
                entry.kept = kept.clone();
            }
            let id = entry.kept.id();
            let known = shown.iter().any(|entry| entry.kept.id() == id) || unshown.iter().any(|kept| kept.id() == id);
            prop_assert_eq!(store.contains(id), known);
            if shows {
                store.apply(&[Change::Shown(entry.clone().into())]).unwrap();
            } else {
                store.apply(&[Change::Delivered { kept: entry.kept.clone() }]).unwrap();
            }
            check_books(&store);
            if known {
                continue;
            }
            if shows {
                shown.push(entry);
                shown.sort_by_key(Entry::sort_key);
                let same = |entry: &&Entry| entry.conversation == group(conversation);
                let count = shown.iter().filter(same).count();
                let gone = if count > max_messages { count - (max_messages - max_messages / 8) } else { 0 };
                for _ in 0..gone {
                    let oldest = shown.iter().position(|entry| same(&entry)).unwrap();
                    shown.remove(oldest);
                }
            } else {
                unshown.push(entry.kept);
                if unshown.len() > max_messages {
                    unshown.remove(0);
                }
            }
        }
        let before: SortKey = (
            Hlc { micros: before.0, logical: 0 },
            MessageId { process: process(before.1), clock: before.2 },
        );
        for before in [None, Some(before)] {
            for of in [None, Some(group(of))] {
                let expected: Vec<SortKey> = shown
                    .iter()
                    .rev()
                    .filter(|entry| of.as_ref().is_none_or(|of| entry.conversation == *of))
                    .map(Entry::sort_key)
                    .filter(|key| before.is_none_or(|before| *key < before))
                    .take(count)
                    .collect();
                prop_assert_eq!(keys(&store.newest(of.as_ref(), before, count)), expected);
            }
        }
        let by_author = |author: u8| {
            let all = shown.iter().map(|entry| &entry.kept).chain(&unshown).map(Kept::id);
            let mut clocks: Vec<u64> = all.filter(|id| id.process == process(author)).map(|id| id.clock).collect();
            clocks.sort_unstable();
            clocks.into_iter().filter(|clock| (after + 1..=up_to).contains(clock)).take(count).collect::<Vec<_>>()
        };
        for author in 0..3 {
            let kept = store.kept_by(process(author), after, up_to, count);
            prop_assert_eq!(kept.iter().map(|kept| kept.id().clock).collect::<Vec<_>>(), by_author(author));
        }
    }
}
