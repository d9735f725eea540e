//! What happened in a run, as an observer who sees everything would write it down. The invariants judge by this alone.
//! It is made from the peers' journals and from what their users saw, never from the internal state of a peer.

mod copies;
mod lineage;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chat::{Journal, Message, MessageId, ProcessId};

use copies::either;
pub use lineage::Lineage;
use lineage::contain;
pub use tally::Tally;

use crate::machine::Machine;

/// A process, numbered in the order in which they began.
pub type Number = usize;
/// A text, numbered in the order in which they were written.
pub type TextNumber = usize;

/// A conversation, by a name that is the same for all people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// With all people.
    All,
    /// In a group.
    Group(String),
    /// Among exactly these people, two or more.
    Among(BTreeSet<usize>),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Group(name) => f.write_str(name),
            Self::Among(people) => {
                let people: Vec<String> = people.iter().map(|person| format!("p{person}")).collect();
                f.write_str(&people.join(" and "))
            }
        }
    }
}

/// A text that a person wrote. No two texts have the same words. Ids do not tell texts apart: two copies of a peer may
/// say different texts under one id, and a text that is said again has another id.
#[derive(Clone, Debug)]
pub struct Text {
    /// The message that it was written as.
    pub id: MessageId,
    /// The messages that have left with it. There are several if it was said again.
    pub sent_as: Vec<MessageId>,
    /// The destinations of the first message, once it has been sent.
    pub dests: Vec<ProcessId>,
    /// Where it was written.
    pub place: Place,
    /// The words.
    pub words: String,
    /// Its author, a person.
    pub by: usize,
    /// The machine on which it was written.
    pub machine: usize,
    /// What its author had been shown or had written before, in that order. In a group, only since the author
    /// joined it.
    pub read: Rc<[TextNumber]>,
    /// Its author was told that it is sent.
    pub confirmed: bool,
}

/// A message that was stamped.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its author, a process.
    pub author: Number,
    /// Its author's clock.
    pub clock: u64,
    /// Its destinations.
    pub dests: Vec<ProcessId>,
    /// What happened before it: the greatest clock of each process. If two messages were sent as this one, what
    /// happened before both.
    pub past: Rc<[u64]>,
    /// If two messages were sent as this one, what happened before either.
    pub before_either: Option<Rc<[u64]>>,
    /// The text that it carries, if any.
    pub text: Option<TextNumber>,
    /// When, in virtual microseconds.
    pub at: u64,
}

/// Everything that was sent and written, and the authors.
#[derive(Debug, Default)]
pub struct Chronicle {
    /// The processes, and the person of each.
    pub processes: Vec<(ProcessId, usize)>,
    numbers: BTreeMap<ProcessId, Number>,
    /// The messages that were stamped and may have left their process.
    pub sent: BTreeMap<MessageId, Sent>,
    /// What is addressed to each process, by author and clock.
    pub inbox: BTreeMap<(ProcessId, Number), BTreeSet<u64>>,
    /// The texts.
    pub texts: Vec<Text>,
    by_words: BTreeMap<String, TextNumber>,
    /// The texts that are being written and have not left yet, by machine.
    writing: BTreeMap<(usize, MessageId), TextNumber>,
    /// The texts that have left. One message has several if its author used its number twice.
    carried: BTreeMap<MessageId, Vec<TextNumber>>,
    /// Everything that any peer ever gave up: an author, and its clocks from and to.
    pub given_up: Vec<(ProcessId, u64, u64)>,
    /// Numbers that were used twice, before their process could know: by a process whose store had been rolled back, or
    /// by two copies of one peer. Nothing can be said about the order of these: one of the two messages went to some
    /// peers, and the other to others. The process cannot know which numbers were used twice. So when it begins anew it
    /// disowns everything that it has said since the copy was made, and says those texts once more or leaves them
    /// unsent (`chat`'s `anew` module).
    pub twice: BTreeSet<MessageId>,
    /// The processes that began anew: the process that each had run as before, and how far that one had come when it
    /// was started.
    anew: BTreeMap<Number, (Number, u64)>,
    /// The processes that any peer forgot.
    pub forgotten: BTreeSet<ProcessId>,
    /// What each process delivered, whatever happened to its store later.
    pub ever_delivered: BTreeSet<(Number, MessageId)>,
    /// The words that their author took back before they went out. No person may be shown them.
    pub cancelled: BTreeSet<String>,
    /// The words that their author took back, although some peers may have them, or a copy of the author may say them.
    pub taken_back: BTreeSet<String>,
    /// The words that had been left unsent, and that their user sent after all.
    pub resent: BTreeSet<String>,
    /// Groups that a person left. Not all members can have what was said there before.
    pub left: BTreeSet<String>,
    /// People who lie.
    pub liars: BTreeSet<usize>,
    /// How many of the newest messages of a conversation a newcomer is shown before anything else.
    pub history_first: usize,
    /// Counts of what happened, for the summary.
    pub tally: Tally,
}

impl Chronicle {
    /// The number of a process, if it ever began.
    pub fn number(&self, process: &ProcessId) -> Option<Number> {
        self.numbers.get(process).copied()
    }

    /// The person whose process it is.
    pub fn person(&self, process: &ProcessId) -> Option<usize> {
        self.number(process).map(|number| self.processes[number].1)
    }

    /// Whether a liar runs this process.
    pub fn is_liars(&self, process: &ProcessId) -> bool {
        self.person(process).is_none_or(|person| self.liars.contains(&person))
    }

    /// Whether a process sent or delivered this message, and its store has since been put back to a copy without it.
    /// Until the process learns that, the others believe that it has the message.
    pub fn was_rolled_back_behind(&self, lineage: &Lineage, id: MessageId) -> bool {
        let number = lineage.process.filter(|_| lineage.rolled_back);
        number
            .is_some_and(|number| self.processes[number].0 == id.process || self.ever_delivered.contains(&(number, id)))
    }

    /// Whether any peer gave this message up.
    pub fn was_given_up(&self, id: MessageId) -> bool {
        contain(&self.given_up, id)
    }

    /// The number of the text that a message carries.
    pub fn text_number(&self, id: MessageId) -> Option<TextNumber> {
        self.carried.get(&id)?.first().copied()
    }

    /// The text that a message carries.
    pub fn text(&self, id: MessageId) -> Option<&Text> {
        self.text_number(id).map(|number| &self.texts[number])
    }

    /// The text that is shown as this message, if its author wrote that.
    pub fn text_shown(&self, message: &Message) -> Option<TextNumber> {
        let carried = self.carried.get(&message.id)?;
        let shown = carried.iter().find(|&&number| self.texts[number].words == *message.text);
        // A liar may have sent different texts to different peers.
        shown.or(carried.first().filter(|_| self.is_liars(&message.id.process))).copied()
    }

    /// Whether a conversation has more messages than a newcomer is shown before anything else. A text that was said
    /// again counts as several.
    pub fn is_long(&self, place: &Place) -> bool {
        let texts = self.texts.iter().filter(|text| text.place == *place);
        texts.map(|text| text.sent_as.len().max(1)).sum::<usize>() > self.history_first
    }

    /// The name of a message in reports: `p2#14`. If its person had several incarnations, their number is added.
    pub fn name(&self, id: MessageId) -> String {
        format!("{}#{}", self.process_name(&id.process), id.clock)
    }

    /// The name of a process in reports: `p2`, or `p2.1` for a later one.
    pub fn process_name(&self, process: &ProcessId) -> String {
        let Some(number) = self.number(process) else { return format!("?{:x}", process.incarnation.0) };
        let person = self.processes[number].1;
        match self.processes[..number].iter().filter(|(_, of)| *of == person).count() {
            0 => format!("p{person}"),
            lives => format!("p{person}.{lives}"),
        }
    }

    /// A process begins to write to a store. `anew` if it takes over from another one while the peer runs.
    pub fn begin(&mut self, process: ProcessId, machine: &mut Machine, anew: bool) {
        let Machine { number: at, person, lineage, .. } = machine;
        let number = *self.numbers.entry(process).or_insert_with(|| {
            self.processes.push((process, *person));
            self.processes.len() - 1
        });
        let former = lineage.process.replace(number);
        lineage.lives.insert(process);
        if anew {
            self.anew.extend(former.map(|former| (number, (former, lineage.started_at))));
            if let (Some(former), Some(beyond)) = (former, lineage.disowned_beyond()) {
                let id = |clock| MessageId { process: self.processes[former].0, clock };
                self.twice.extend(lineage.own.range(id(beyond + 1)..=id(u64::MAX)));
            }
            lineage.started_at = 0;
            return;
        }
        lineage.started_at = lineage.clock();
        // What it wrote before it was killed, and had not kept, was never written.
        self.writing.retain(|(machine, _), _| machine != at);
    }

    /// A store is put back to this copy. Whatever was taken back since is no longer taken back here: some peers may be
    /// sent it, and others not.
    pub fn go_back_to(&mut self, lineage: &Lineage) {
        let undone: BTreeSet<&String> = lineage.promised.difference(&lineage.cancelled).collect();
        let undone: BTreeSet<String> = self.cancelled.iter().filter(|words| undone.contains(words)).cloned().collect();
        self.cancelled.retain(|words| !undone.contains(words));
        self.twice.extend(self.texts.iter().filter(|text| undone.contains(&text.words)).flat_map(|text| &text.sent_as));
    }

    /// The messages that carry these words and may have left their author.
    pub fn said(&self, words: &str) -> Vec<MessageId> {
        let ids = self.by_words.get(words).into_iter().flat_map(|&number| &self.texts[number].sent_as);
        ids.filter(|id| !self.twice.contains(id)).copied().collect()
    }

    /// Whether a message that carries these words may have left its author.
    pub fn was_ever_said(&self, words: &str) -> bool {
        self.by_words.get(words).is_some_and(|&number| !self.texts[number].sent_as.is_empty())
    }

    /// A text is being written on this machine, or said again there. Its message has a number, but has not left yet.
    pub fn write(&mut self, id: MessageId, words: &str, place: Place, machine: &Machine) {
        let Machine { number: at, person, lineage, .. } = machine;
        let number = self.by_words.get(words).copied().unwrap_or(self.texts.len());
        self.writing.insert((*at, id), number);
        if number < self.texts.len() {
            return;
        }
        // The author may have left the group and joined again. What the author read before that as a member need not
        // reach the others.
        let since = if let Place::Group(group) = &place { lineage.groups.get(group).copied() } else { None };
        let text = Text {
            id,
            sent_as: Vec::new(),
            dests: Vec::new(),
            place,
            words: words.to_owned(),
            by: *person,
            machine: *at,
            read: lineage.read[since.unwrap_or(0)..].into(),
            confirmed: false,
        };
        self.by_words.insert(text.words.clone(), number);
        self.texts.push(text);
    }

    /// Its author was told that it is not sent, so no person may ever be shown it. Its number is free again.
    pub fn refuse(&mut self, id: MessageId, at: usize) {
        self.writing.remove(&(at, id));
    }

    /// The text that is being written on this machine as this message.
    pub fn being_written(&self, id: MessageId, at: usize) -> Option<&Text> {
        self.writing.get(&(at, id)).map(|&number| &self.texts[number])
    }

    /// Its author was told that it is sent.
    pub fn confirm(&mut self, id: MessageId) {
        if let Some(&number) = self.carried.get(&id).and_then(|carried| carried.last()) {
            self.texts[number].confirmed = true;
        }
    }

    /// Takes a line of a journal that broke no rule.
    pub fn note(&mut self, entry: &Journal, machine: &mut Machine, at: u64) {
        let Machine { number: place, lineage, .. } = machine;
        match entry {
            Journal::Send { id, dests, .. } => {
                self.tally.sent += 1;
                let Some(author) = self.number(&id.process) else { return };
                if lineage.past.len() <= author {
                    lineage.past.resize(author + 1, 0);
                }
                let mut past: Rc<[u64]> = lineage.past.as_slice().into();
                let mut before_either = None;
                if let Some(other) = self.sent.get(id) {
                    // A peer that delivers this message has delivered one of the two. So only what happened before both
                    // counts.
                    self.twice.insert(*id);
                    before_either = Some(either(&past, other.before_either.as_ref().unwrap_or(&other.past)));
                    past = past.iter().zip(other.past.iter()).map(|(one, other)| *one.min(other)).collect();
                }
                lineage.past[author] = id.clock;
                lineage.own.insert(*id);
                let text = self.writing.remove(&(*place, *id));
                for dest in dests {
                    self.inbox.entry((*dest, author)).or_default().insert(id.clock);
                }
                self.sent
                    .insert(*id, Sent { author, clock: id.clock, dests: dests.clone(), past, before_either, text, at });
                if let Some(text) = text {
                    self.carried.entry(*id).or_default().push(text);
                    if self.texts[text].sent_as.is_empty() {
                        self.texts[text].dests.clone_from(dests);
                    }
                    self.texts[text].sent_as.push(*id);
                    if lineage.shown.insert(text) {
                        lineage.read.push(text);
                    }
                }
            }
            Journal::Deliver { id } | Journal::Late { id } => {
                self.tally.delivered += 1;
                self.tally.late += u64::from(matches!(entry, Journal::Late { .. }));
                lineage.delivered.insert(*id);
                self.ever_delivered.extend(lineage.process.map(|process| (process, *id)));
                if let Some(sent) = self.sent.get(id) {
                    let longest = sent.past.len().max(sent.author + 1);
                    if lineage.past.len() < longest {
                        lineage.past.resize(longest, 0);
                    }
                    for (mine, &theirs) in lineage.past.iter_mut().zip(sent.past.iter()) {
                        *mine = (*mine).max(theirs);
                    }
                    lineage.past[sent.author] = lineage.past[sent.author].max(sent.clock);
                }
            }
            Journal::Abandon { first, upto } => {
                self.tally.abandoned += 1;
                lineage.calls_late.push((first.process, first.clock, *upto));
                // A clock that was made up excuses nothing that its author says from now on.
                let id = |clock| MessageId { process: first.process, clock };
                if let Some((last, _)) = self.sent.range(id(first.clock)..=id(*upto)).next_back() {
                    lineage.given_up.push((first.process, first.clock, last.clock));
                    self.given_up.push((first.process, first.clock, last.clock));
                }
            }
            Journal::Hold { .. } => self.tally.held += 1,
            Journal::Start { supersedes, .. } => lineage.rolled_back &= supersedes.is_none(),
            Journal::Forget { process } => drop(self.forgotten.insert(*process)),
            Journal::Stop | Journal::Show { .. } => {}
        }
    }

    /// Takes a text that was shown and broke no rule.
    pub fn note_shown(&mut self, message: &Message, lineage: &mut Lineage) {
        self.tally.fetched += u64::from(message.fetched);
        if let Some(text) = self.text_shown(message)
            && lineage.shown.insert(text)
        {
            lineage.read.push(text);
        }
    }
}
