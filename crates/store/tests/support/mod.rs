//! Messages to keep, as real peers write and receive them: alice's view of what alice, bob and carol say.
#![allow(dead_code, reason = "each test uses its part of this")]
#![allow(unreachable_pub, reason = "each test has it as a module of its own")]
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for some variants")]

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use chat::{
    Change, Command, Config, Entry, Identity, Incarnation, Kept, LinkId, MemoryStore, Name, Now, Peer, ProcessId,
    Store, Target,
};

pub const PEERS: usize = 3;
pub const ALICE: usize = 0;
pub const START: i64 = 1_800_000_000_000_000;

/// Three peers in one thread, joined by queues.
pub struct Mesh {
    peers: Vec<Peer<MemoryStore>>,
    wires: BTreeMap<(usize, usize), VecDeque<Bytes>>,
    now: Now,
    /// What alice had to make durable.
    durable: Vec<Change>,
    count: usize,
}

impl Mesh {
    /// All peers are connected, and alice is in its `life`th life.
    pub fn new(life: u64) -> Self {
        Self::of(PEERS, life)
    }

    pub fn of(count: usize, life: u64) -> Self {
        let now = Now { monotonic: Duration::from_secs(1), unix_micros: START };
        let peer = |number: usize| {
            let seed = [u8::try_from(number).unwrap() + 1; 32];
            let names = ["alice", "bob", "carol"];
            let name = names.get(number).map_or_else(|| format!("peer{number}"), |&name| name.to_owned());
            let incarnation = Incarnation(if number == ALICE { life } else { 1 });
            let name = Name::parse(&name).unwrap();
            Peer::new(Config::default(), Identity::from_seed(seed), name, incarnation, MemoryStore::default(), now)
                .unwrap()
        };
        let peers: Vec<_> = (0..count).map(peer).collect();
        let mut mesh = Self { peers, wires: BTreeMap::new(), now, durable: Vec::new(), count };
        let people: Vec<_> = mesh.peers.iter().map(|peer| peer.process().person).collect();
        for from in 0..count {
            for to in (0..count).filter(|&to| to != from) {
                let remote = SocketAddr::from(([10, 0, 0, u8::try_from(to).unwrap()], 4000));
                let link = mesh.link(from, to);
                mesh.peers[from].handle_link_up(now, link, people[to], remote);
            }
        }
        mesh.carry();
        mesh
    }

    fn link(&self, from: usize, to: usize) -> LinkId {
        LinkId((from * self.count + to) as u64)
    }

    /// The peer `from` says these texts, and they arrive.
    pub fn say(&mut self, from: usize, texts: &[(Target, &str)]) {
        for (to, text) in texts {
            let command = Command::Send { to: to.clone(), text: (*text).to_owned(), delay_ms: 0 };
            self.peers[from].handle_command(self.now, command).unwrap();
        }
        self.carry();
        self.now.monotonic += Duration::from_millis(10);
        self.now.unix_micros += 10_000;
        for peer in 0..self.count {
            self.peers[peer].handle_timeout(self.now);
        }
        self.carry();
    }

    fn perform(&mut self, from: usize) {
        let effects = self.peers[from].take_effects(self.now);
        self.peers[from].store_mut().apply(&effects.durable).unwrap();
        if from == ALICE {
            self.durable.extend(effects.durable);
        }
        for (link, frame) in effects.frames {
            let to = usize::try_from(link.0).unwrap() % self.count;
            self.wires.entry((to, from)).or_default().push_back(frame);
        }
    }

    fn carry(&mut self) {
        (0..self.count).for_each(|peer| self.perform(peer));
        loop {
            let next = self.wires.iter_mut().find_map(|(&wire, frames)| Some((wire, frames.pop_front()?)));
            let Some(((to, from), frame)) = next else { return };
            let link = self.link(to, from);
            self.peers[to].handle_frame(self.now, link, &frame).unwrap();
            self.perform(to);
        }
    }

    /// What alice had to keep so far, one change per message, after the numbers of the processes.
    pub fn take(&mut self) -> Vec<Change> {
        self.take_runs().into_iter().flat_map(one_by_one).collect()
    }

    /// The same, in the runs that alice was given.
    pub fn take_runs(&mut self) -> Vec<Change> {
        let durable = std::mem::take(&mut self.durable);
        let mut numbered = BTreeMap::new();
        for change in &durable {
            if let Some(kept) = kept_of(change) {
                numbered.insert(kept.author_number(), kept.id().process);
            }
        }
        let numbers = numbered.into_iter().filter(|(number, _)| *number != 0);
        numbers.map(|(number, process)| Change::Process { number, process }).chain(durable).collect()
    }
}

/// A change for each message of a run.
fn one_by_one(change: Change) -> Vec<Change> {
    match change {
        Change::Shown(run) => run.entries().map(|entry| Change::Shown(entry.into())).collect(),
        one => vec![one],
    }
}

pub fn kept_of(change: &Change) -> Option<&Kept> {
    match change {
        Change::Shown(run) => Some(&run.first().kept),
        Change::Delivered { kept } | Change::Held(kept) | Change::Dropped(kept) => Some(kept),
        _ => None,
    }
}

pub fn to(name: &str) -> Target {
    Target::Name(name.to_owned())
}

/// Texts of all three, in batches of several. Some are not for alice. Returns the entries that alice shows.
pub fn conversation(life: u64) -> (Vec<(u32, ProcessId)>, Vec<Entry>) {
    let mut mesh = Mesh::new(life);
    mesh.say(0, &[(Target::All, "hello all"), (to("bob"), "hello bob"), (Target::All, "Grüße an ALLE")]);
    mesh.say(1, &[(Target::All, "hi alice"), (to("carol"), "not for alice"), (to("alice"), "between us")]);
    mesh.say(2, &[(Target::All, "one"), (Target::All, "two words"), (Target::All, "three wordy words")]);
    mesh.say(0, &[(to("carol"), "psst"), (Target::All, "字を読む")]);
    mesh.say(2, &[(to("alice"), "A wordless answer")]);
    mesh.say(
        1,
        &[(Target::All, "ho"), (Target::All, "\"quoted\" AND (NOT) *"), (to("carol"), "x"), (Target::All, "last")],
    );
    let (mut numbers, mut entries) = (Vec::new(), Vec::new());
    for change in mesh.take() {
        match change {
            Change::Process { number, process } => numbers.push((number, process)),
            Change::Shown(run) => entries.extend(run.entries()),
            _ => {}
        }
    }
    (numbers, entries)
}

/// What alice has to keep while bob and carol say these texts to all, in batches of 64.
pub fn flood(texts: &[String]) -> Vec<Change> {
    let mut mesh = Mesh::new(1);
    for (turn, texts) in texts.chunks(64).enumerate() {
        let texts: Vec<(Target, &str)> = texts.iter().map(|text| (Target::All, &text[..])).collect();
        mesh.say(1 + turn % 2, &texts);
    }
    mesh.take()
}

/// `count` texts of 100 bytes.
pub fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:=>100}")).collect()
}

/// Everything about a message.
pub type Print = (chat::MessageId, u16, Vec<u8>, Vec<u8>, Vec<u8>);

pub fn print(kept: &Kept) -> Print {
    let mut stamp = Vec::new();
    kept.stamp_bytes(&mut stamp);
    (kept.id(), kept.place(), kept.batch_head(), stamp, kept.body().to_vec())
}

pub fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.text().unwrap().1.to_string()).collect()
}
