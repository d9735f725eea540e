//! Beginning anew as another incarnation: after a roll-back of the store, beside a running copy of this peer, or when the others
//! have forgotten it.

use std::collections::BTreeMap;
use std::time::Duration;

use causal::{Clock, Index, Set};

use crate::history::Entry;
use crate::kept::Causal;
use crate::store::{Change, Store};
use crate::{Command, Event, Journal, ProcessId};

use super::restart::{causal_config, number, take_fresh};
use super::{Now, Peer};

/// Why a peer begins anew.
#[derive(Debug)]
pub(super) enum Anew {
    /// Its store was put back from a copy.
    RolledBack,
    /// It is not the newest start of its identity: a copy of it runs and says what is said under that name.
    Superseded,
    /// Others have forgotten it.
    Forgotten {
        /// Who says so.
        by: String,
    },
}

impl Anew {
    /// What the others are told.
    fn reason(&self) -> &'static str {
        match self {
            Self::RolledBack => "beginning anew: the store was rolled back",
            Self::Superseded => "beginning anew: a copy of this peer runs",
            Self::Forgotten { .. } => "beginning anew: it was forgotten",
        }
    }

    /// What the user is told. Of a copy that runs the caller knows more.
    fn warning(&self) -> Option<String> {
        let why = match self {
            Self::RolledBack => {
                "what is kept here is older than what you have sent: it was put back from a copy, or a copy of it runs"
                    .to_owned()
            }
            Self::Superseded => return None,
            Self::Forgotten { by } => {
                format!("{by} had forgotten this peer: it was away for long, or a person said -forget")
            }
        };
        Some(format!("{why}. This peer begins anew, and fetches what is missing from the others"))
    }
}

impl<S: Store> Peer<S> {
    /// Another copy of this peer runs, with the same identity, and counts as the one that was started later: the caller has proof of that,
    /// has ended all links, and makes no others. From now on, for as long as this process lives, this peer says nothing.
    /// What it has said since its start, and not every recipient has acknowledged, is kept as unsent, for the user to resend
    /// after a restart or to drop. The caller tells the user.
    pub fn handle_superseded(&mut self, now: Now) {
        if !self.superseded {
            self.superseded = true;
            self.begin_anew(now, &Anew::Superseded);
        }
    }

    /// Whether a command would say something to others, which a peer that was superseded may not.
    pub(super) fn is_muted(&self, command: &Command) -> bool {
        self.superseded
            && match command {
                Command::CreateGroup { .. }
                | Command::JoinGroup { .. }
                | Command::LeaveGroup { .. }
                | Command::Send { .. }
                | Command::Resend { .. }
                | Command::Forget { .. }
                | Command::Connect { .. }
                | Command::DeleteAccount { .. }
                | Command::Nick { .. } => true,
                Command::ListUsers
                | Command::Who { .. }
                | Command::ListGroups
                | Command::MyGroups
                | Command::FindUser { .. }
                | Command::FindGroup { .. }
                | Command::History { .. }
                | Command::Read { .. }
                | Command::Search { .. }
                | Command::Seen { .. }
                | Command::Show { .. }
                | Command::Pending
                | Command::Cancel { .. }
                | Command::Alias { .. }
                | Command::Verify { .. }
                | Command::Unalias { .. }
                | Command::Diagram
                | Command::Health
                | Command::LogOut => false,
            }
    }

    /// Whether a text of mine was for a peer that has not acknowledged it, or for nobody yet.
    fn is_with_not_all(&self, entry: &Entry) -> bool {
        entry.kept.dests().is_empty() || self.outbox.message(entry.kept.clock()).is_some()
    }

    /// My newest texts since the start of this run, however much others have said since, newest first.
    fn said_since_the_start(&self) -> impl Iterator<Item = Entry> + '_ {
        let since_the_start = self.ledger.clock_at_start + 1..=self.causal.clock();
        since_the_start.rev().filter_map(|clock| self.own_text(clock)).take(self.config.max_resent)
    }

    /// The same, and behind them my texts from before the start that not everybody has: if an earlier run began with a copy of the
    /// store, their clocks may have been used before, too.
    fn said_in_doubt(&self) -> impl Iterator<Item = Entry> + '_ {
        let outstanding: Vec<Clock> = self.outbox.after(0).map(|outgoing| outgoing.kept.clock()).collect();
        let earlier = outstanding.into_iter().rev().filter(|&clock| clock <= self.ledger.clock_at_start);
        let texts = earlier.filter_map(|clock| self.own_text(clock));
        self.said_since_the_start().chain(texts).take(self.config.max_resent)
    }

    /// What is on its way, as my messages since the start of this run have told others: what I say next waits for it, whether they
    /// get these messages or not.
    fn told_since_the_start(&self) -> Vec<causal::Entry> {
        let mut newest: BTreeMap<(Index, Index), Clock> = BTreeMap::new();
        let last = self.causal.clock();
        let many = Clock::try_from(self.config.max_resent).unwrap_or(Clock::MAX);
        for kept in
            (self.ledger.clock_at_start.max(last.saturating_sub(many))..last).filter_map(|clock| self.own(clock + 1))
        {
            for entry in kept.stamp().log.iter() {
                // What one author sent to one destination waits for all that it sent there before.
                for dest in entry.dests.iter() {
                    let clock = newest.entry((entry.sender, dest)).or_default();
                    *clock = entry.clock.max(*clock);
                }
            }
        }
        let mut told: BTreeMap<(Index, Clock), Set> = BTreeMap::new();
        for ((sender, dest), clock) in newest {
            told.entry((sender, clock)).or_default().insert(dest);
        }
        told.into_iter().map(|((sender, clock), dests)| causal::Entry { sender, clock, dests }).collect()
    }

    /// Goes on as another incarnation, which others welcome with what it missed.
    ///
    /// My store may be behind what I have signed: it was rolled back. What it has of my clock may have been used before; so what
    /// I said since the start goes out again under the new incarnation. The same is true if a copy of me runs, but then my user decides
    /// what becomes of it. Or I was forgotten, and nobody addresses what I am any more. What I said as that is handed on, like what
    /// a peer said that is not here. What not everybody has goes out again as well: those who have forgotten me may have done so for a
    /// copy of me, and some may have its messages under my clocks. Each text is shown once ([`repeats`](super::repeats)).
    pub(super) fn begin_anew(&mut self, now: Now, why: &Anew) {
        self.flush(now);
        let mut unsent: Vec<Entry> = match why {
            Anew::RolledBack => self.said_in_doubt().collect(),
            Anew::Superseded | Anew::Forgotten { .. } => {
                self.said_in_doubt().filter(|entry| self.is_with_not_all(entry)).collect()
            }
        };
        unsent.reverse();
        // How long each is delayed, and whether it is left to my user.
        let how = |entry: &Entry| {
            let clock = entry.kept.id().clock;
            let delay = self.outbox.due(clock).map(|due| due.saturating_sub(now.monotonic));
            match why {
                Anew::RolledBack => (delay.unwrap_or_default(), self.schedule.may_be_said_already(clock)),
                Anew::Superseded => (Duration::ZERO, true),
                // What was delayed is handed on from now on, with what waits for it.
                Anew::Forgotten { .. } => (Duration::ZERO, false),
            }
        };
        let unsent: Vec<_> = unsent.into_iter().map(|entry| (how(&entry), entry)).collect();
        for (link, _) in std::mem::take(&mut self.links) {
            self.effects.renew.push((link, why.reason().to_owned()));
        }
        for process in std::mem::take(&mut self.link_of).into_keys() {
            let person = self.person_of(process);
            self.directory.set_absent(person);
            let who = self.directory.who(person);
            self.tell(Event::PeerDown { who, reason: "your peer begins anew".to_owned() });
        }
        let old = self.me;
        let is_forked = matches!(why, Anew::RolledBack | Anew::Superseded);
        self.me = ProcessId { person: old.person, incarnation: take_fresh(&mut self.ledger.fresh) };
        let sent = match why {
            // What was sent since the start may have clocks that were used before: nobody gets it under these.
            Anew::RolledBack | Anew::Superseded => self.ledger.clock_at_start,
            Anew::Forgotten { .. } => self.causal.clock(),
        };
        let mut anew = self.causal.snapshot();
        if is_forked {
            // What was sent since the start counts for nothing: nor has it told anybody of what is on its way.
            anew.remember(&self.ledger.log_at_start);
            anew.remember(&self.told_since_the_start());
        }
        let anew = anew.reborn(self.me, sent);
        let room = self.config.max_processes.max(anew.processes.len());
        self.causal =
            Causal::restore(anew, causal_config(&self.config, room, 0)).expect("made of a snapshot that is sound");
        let index = self.causal.roster().index(&old).expect("just added");
        if is_forked {
            self.ledger.doubtful.insert(index, sent);
        }
        self.ledger.held_at_start = 0;
        self.ledger.log_at_start = self.causal.snapshot().log;
        self.talks.hand_over(self.causal.me(), index);
        self.owe_welcomes_again();
        self.forget_what_was_under_way(now);
        self.keep_state();
        if !self.ledger.is_on() {
            self.effects.durable.push(Change::Process { number: number(index), process: old });
        }
        self.effects.durable.push(Change::Reborn);
        self.ledger.settled = 0;
        self.ledger.delivered = 0;
        self.ledger.last = None;
        self.ledger.clock_at_start = 0;
        self.ledger.causal_moved = true;
        self.journal(Journal::Start { process: self.me, name: self.name.to_string(), supersedes: Some(old) });
        if let Some(text) = why.warning() {
            self.tell(Event::Warning { text });
        }
        drop(self.write_own_record(now));
        match why {
            Anew::RolledBack => self.doubt_scheduled(now),
            Anew::Superseded => self.stop_scheduled(),
            Anew::Forgotten { .. } => {}
        }
        for ((delay, is_left_to_my_user), entry) in unsent {
            let Some((written_at, text)) = entry.text() else { continue };
            let conversation = entry.conversation.clone();
            // Some may have been shown it; if what was said was a repetition itself, it is one of the same text.
            let first = entry.first().unwrap_or(entry.kept.id());
            if is_left_to_my_user || self.may_say(&conversation).is_err() {
                self.leave_unsent(conversation, text, written_at, first);
            } else {
                self.say_again(now, conversation, (written_at, text), first, delay);
            }
        }
    }
}
