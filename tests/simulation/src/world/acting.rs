//! Carrying out the plan: what users do, and what goes wrong.

use chat::{Answer, Change, Command, Conversation, GroupInfo, PersonId, Recipients, Run, Target, WaitingInfo};

use super::{Violation, World};
use crate::chronicle::{Lineage, Place};
use crate::plan::{Action, Boundary, Disk, To};

/// How many texts are written before the network heals. Any conversation must fit into what a newcomer is shown (200).
const MOST_TEXTS: usize = 180;

impl World {
    pub(super) fn act(&mut self, action: Action) -> Result<(), Violation> {
        self.note(|_| format!("-- {action:?}"));
        if self.is_refused(&action) {
            return Ok(());
        }
        match action {
            Action::Say { who, to, texts, delay_ms } => {
                for _ in 0..texts.min(MOST_TEXTS.saturating_sub(self.words)) {
                    self.say(who, &to, delay_ms);
                }
                self.perform_for_user(who).map(drop)
            }
            Action::Cancel { who, nth, resend } => self.cancel(who, nth, resend),
            Action::Create { who, group } => self.command(who, Command::CreateGroup { group: group.to_owned() }),
            Action::Join { who, group } => self.command(who, Command::JoinGroup { group: group.to_owned() }),
            Action::Leave { who, group } => self.command(who, Command::LeaveGroup { group: group.to_owned() }),
            Action::Alias { who, whom } => {
                let person = format!("p{whom}");
                self.command(who, Command::Alias { person, name: format!("x{whom}") })
            }
            Action::Forget { who, whom } => self.forget(who, whom),
            Action::Block { from, to } => {
                self.network.block(self.now, from, to);
                Ok(())
            }
            Action::Cut { a, b } => {
                self.cut(a, b);
                Ok(())
            }
            Action::Split { side } => {
                self.split(side);
                Ok(())
            }
            Action::Mend { a, b } => {
                self.mend(a, b);
                Ok(())
            }
            Action::MendAll => {
                self.mend_all();
                Ok(())
            }
            Action::Slow { from, to, each } => {
                self.network.path(from, to).each = each;
                Ok(())
            }
            Action::Break { a, b } => {
                if let Some(end) = self.network.end(a, b) {
                    self.link_down(end, "it broke")?;
                    self.network.close(self.now, end, "it broke");
                }
                Ok(())
            }
            Action::Crash { who, .. } if self.is_stuck(who) => {
                self.kill(who, "while its disk was full");
                Ok(())
            }
            Action::Crash { who, at } => {
                if self.machines[who].peer.is_some() {
                    self.machines[who].doomed = Some(at);
                }
                Ok(())
            }
            Action::Goodbye { who } => self.goodbye(who),
            Action::Start { who, disk } => self.start(who, disk),
            Action::Copy { who } => {
                self.machines[who].copy_store();
                Ok(())
            }
            Action::Jump { who, seconds } => {
                self.machines[who].skew += seconds * 1_000_000;
                Ok(())
            }
            Action::Right { who } => {
                self.machines[who].skew = 0;
                Ok(())
            }
            Action::Fill { who, time } => {
                self.fill(who, time);
                Ok(())
            }
        }
    }

    pub(super) fn split(&mut self, side: u64) {
        for a in 0..self.machines.len() {
            for b in 0..a {
                if (side >> a) & 1 != (side >> b) & 1 {
                    self.cut(a, b);
                }
            }
        }
    }

    fn cut(&mut self, a: usize, b: usize) {
        self.network.block(self.now, a, b);
        self.network.block(self.now, b, a);
    }

    pub(super) fn mend(&mut self, a: usize, b: usize) {
        self.network.open(self.now, a, b);
        self.network.open(self.now, b, a);
        self.dial_soon(a, b);
    }

    /// The two try to connect, unless they belong to the same person.
    fn dial_soon(&mut self, a: usize, b: usize) {
        if self.machines[a].person != self.machines[b].person {
            self.network.dial(self.now, a, b, true);
        }
    }

    pub(super) fn mend_all(&mut self) {
        for a in 0..self.machines.len() {
            for b in 0..a {
                self.mend(a, b);
            }
        }
    }

    pub(super) fn start(&mut self, who: usize, disk: Disk) -> Result<(), Violation> {
        if self.machines[who].peer.is_some() {
            return Ok(());
        }
        let (kind, is_one_of_two) = (self.setting.stores, self.is_one_of_two(who));
        let machine = &mut self.machines[who];
        self.starts += 1;
        (machine.left, machine.superseded, machine.started) = (false, false, self.starts);
        let before = machine.disk.take();
        let kept = match (disk, machine.copy.take()) {
            (Disk::Lost, _) => None,
            (Disk::Copy, Some((copy, lineage))) => {
                let number = lineage.process.unwrap_or(usize::MAX);
                let copied_at = lineage.past.get(number).copied().unwrap_or(0);
                self.chronicle.go_back_to(&lineage);
                machine.lineage = Lineage { rolled_back: true, copied_at, ..lineage };
                Some(copy)
            }
            (Disk::Same | Disk::Copy, copy) => {
                machine.copy = copy;
                before
            }
        };
        let label = machine.to_string();
        let unfit = |error: chat::StoreError| Violation {
            invariant: "a peer starts on what its store has",
            what: format!("{label}: {error}"),
        };
        let store = match kept {
            Some(kept) => kept.reopened(),
            None => {
                machine.lineage = Lineage::default();
                crate::disk::Disk::empty(kind)
            }
        };
        let store = store.map_err(unfit)?;
        self.machines[who].lineage.forked |= is_one_of_two;
        let machine = &mut self.machines[who];
        let (config, name, fresh) = (self.setting.config.clone(), machine.name.clone(), machine.fresh());
        let started = crate::disk::start(config, machine.identity.clone(), name, fresh, store, machine.now(self.now));
        let mut peer = started.map_err(unfit)?;
        peer.handle_listening(machine.address());
        machine.peer = Some(peer);
        for other in (0..self.machines.len()).filter(|&other| other != who) {
            self.dial_soon(who, other);
        }
        self.perform(who)
    }

    pub(super) fn goodbye(&mut self, who: usize) -> Result<(), Violation> {
        let now = self.machines[who].now(self.now);
        let Some(peer) = &mut self.machines[who].peer else { return Ok(()) };
        peer.handle_shutdown(now);
        self.perform(who)?;
        if self.machines[who].peer.is_some() {
            self.machines[who].left = true;
            self.end_process(who);
        }
        Ok(())
    }

    /// A user writes something. It is noted before it leaves, because it may leave without its user ever learning that.
    pub(super) fn say(&mut self, who: usize, to: &To, delay_ms: u64) -> Option<chat::MessageId> {
        self.words += 1;
        let text = format!("t{}", self.words);
        let to = match to {
            To::All => Target::All,
            To::Group(group) => Target::Name((*group).to_owned()),
            To::Person(other) => Target::Name(format!("p{other}")),
            To::People(one, other) => Target::People([one, other].map(|person| format!("p{person}")).into()),
        };
        let now = self.machines[who].now(self.now);
        let peer = self.machines[who].peer.as_mut()?;
        let answer = peer.handle_command(now, Command::Send { to, text: text.clone(), delay_ms });
        if delay_ms > 0 && answer.is_ok() {
            self.machines[who].promising.push(text);
        }
        let Ok(Answer::Sent { message, .. }) = answer else { return None };
        let by = self.machines[who].person;
        let place = match &message.to {
            Recipients::All => Place::All,
            Recipients::Group(name) => Place::Group(name.to_string()),
            Recipients::Direct(other) => self.among(by, [other.person]),
            Recipients::People(others) => self.among(by, others.iter().map(|other| other.person)),
        };
        self.chronicle.write(message.id, &message.text, place, &self.machines[who]);
        self.machines[who].owed.push(message.id);
        Some(message.id)
    }

    /// Takes back one of the texts that have not gone out. One that was left unsent may be sent instead.
    fn cancel(&mut self, who: usize, nth: usize, resend: bool) -> Result<(), Violation> {
        let waiting = self.waiting(who);
        let Some(chosen) = nth.checked_rem(waiting.len()).map(|at| waiting[at].clone()) else { return Ok(()) };
        if !resend || chosen.due_at.is_some() {
            return self.command(who, Command::Cancel { number: Some(chosen.number) });
        }
        // If a text was to go out later, no peer may know whether it did.
        if self.machines[who].lineage.promised.contains(&*chosen.text) {
            self.chronicle.resent.insert(chosen.text.to_string());
        }
        self.command(who, Command::Resend { number: Some(chosen.number) })
    }

    /// The texts of a user that have not gone out.
    pub(super) fn waiting(&mut self, who: usize) -> Vec<WaitingInfo> {
        if let Some(Answer::Pending { waiting, .. }) = self.ask(who, Command::Pending) { waiting } else { Vec::new() }
    }

    /// Only a person who is away can be forgotten.
    fn forget(&mut self, who: usize, whom: usize) -> Result<(), Violation> {
        let now = self.machines[who].now(self.now);
        let Some(peer) = &mut self.machines[who].peer else { return Ok(()) };
        // If the user does not know that person, or the person is here, the peer refuses.
        let _ = peer.handle_command(now, Command::Forget { person: format!("p{whom}") });
        self.perform_for_user(who).map(drop)
    }

    fn among(&self, person: usize, others: impl IntoIterator<Item = PersonId>) -> Place {
        let number = |other| self.machines.iter().find(|machine| machine.id() == other).map(|machine| machine.person);
        Place::Among(others.into_iter().filter_map(number).chain([person]).collect())
    }

    /// A peer that begins anew says once more what it said as its former process. No user writes these texts now.
    pub(super) fn note_resent(&mut self, who: usize, durable: &[Change]) {
        let runs = durable.iter().filter_map(|change| if let Change::Shown(run) = change { Some(run) } else { None });
        let by = self.machines[who].person;
        for entry in runs.flat_map(Run::entries) {
            let id = entry.kept.id();
            let own = !entry.fetched && self.machines[who].id() == id.process.person;
            let is_known =
                self.machines[who].lineage.own.contains(&id) || self.chronicle.being_written(id, who).is_some();
            if !own || is_known {
                continue;
            }
            let place = match &entry.conversation {
                Conversation::All => Place::All,
                Conversation::Group(name) => Place::Group(name.to_string()),
                Conversation::Direct(other) => self.among(by, [*other]),
                Conversation::People(others) => self.among(by, others.iter().copied()),
            };
            if let Some((_, words)) = entry.text() {
                self.chronicle.write(id, &words, place, &self.machines[who]);
            }
        }
    }

    fn command(&mut self, who: usize, command: Command) -> Result<(), Violation> {
        let now = self.machines[who].now(self.now);
        let Some(peer) = &mut self.machines[who].peer else { return Ok(()) };
        let answer = peer.handle_command(now, command);
        let doomed = self.machines[who].doomed;
        // If the peer was killed before this was durable, it never happened.
        if self.perform_for_user(who)?
            && doomed != Some(Boundary::BeforeDurable)
            && let Ok(answer) = answer
        {
            self.note_answer(who, answer);
        }
        Ok(())
    }

    /// If a peer's store was lost or put back, the others tell it which groups its person is in.
    pub(super) fn note_inherited(&mut self, who: usize, durable: &[Change]) {
        let machine = &mut self.machines[who];
        let me = machine.id();
        let (groups, read) = (&mut machine.lineage.groups, machine.lineage.read.len());
        for change in durable {
            if let Change::Record(signed) = change
                && let Ok(record) = signed.claim()
                && record.process.person == me
            {
                for group in record.groups {
                    groups.entry(group.to_string()).or_insert(read);
                }
            }
        }
    }

    /// A user learns that a command was carried out.
    pub(super) fn note_answer(&mut self, who: usize, answer: Answer) {
        if let Answer::Cancelled { waiting } = &answer {
            // A text that was left unsent may have reached some peers before that.
            let is_with_some = waiting.due_at.is_none() && self.chronicle.was_ever_said(&waiting.text);
            if !is_with_some && !self.is_promised_elsewhere(who, &waiting.text) {
                self.chronicle.cancelled.insert(waiting.text.to_string());
            }
            self.chronicle.taken_back.insert(waiting.text.to_string());
            self.machines[who].lineage.cancelled.insert(waiting.text.to_string());
        }
        let lineage = &mut self.machines[who].lineage;
        let (groups, read) = (&mut lineage.groups, lineage.read.len());
        if let Answer::Created { group } | Answer::Joined { group: GroupInfo { name: group, .. }, .. } = answer {
            groups.insert(group, read);
        } else if let Answer::Left { group } = answer {
            groups.remove(&group);
            self.chronicle.left.insert(group);
        }
    }

    /// Whether another machine of the same person also has this text, to go out later.
    fn is_promised_elsewhere(&self, who: usize, words: &str) -> bool {
        let person = self.machines[who].person;
        let mut others = self.machines.iter().filter(|other| other.number != who && other.person == person);
        others.any(|other| other.lineage.promised.contains(words) && !other.lineage.cancelled.contains(words))
    }
}
