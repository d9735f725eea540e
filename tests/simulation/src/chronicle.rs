//! What happened in a run, as somebody who sees everything would write it down. Invariants judge by this alone: it is made
//! of the peers' journals and of what their users saw, never of what the peers have in mind.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chat::{Journal, Message, MessageId, ProcessId};

/// A process, numbered in the order in which they began.
pub type Number = usize;
/// A text, numbered in the order in which they were written.
pub type TextNumber = usize;

/// A conversation as everybody would name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// With everybody.
    All,
    /// In a group.
    Group(String),
    /// Among these people and nobody else, two or more.
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

/// A text that somebody wrote.
#[derive(Clone, Debug)]
pub struct Text {
    /// The message.
    pub id: MessageId,
    /// Where it was written.
    pub place: Place,
    /// The words.
    pub words: String,
    /// Its author, a person.
    pub by: usize,
    /// What its author had been shown (or had written) before, in the order in which it was; of a group, as a member.
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
    /// Whom it is addressed to.
    pub dests: Vec<ProcessId>,
    /// What happened before it: of each process, the greatest clock.
    pub past: Rc<[u64]>,
    /// The text that it carries, if it carries one.
    pub text: Option<TextNumber>,
    /// When, in virtual microseconds.
    pub at: u64,
}

/// What one store has been through. A copy of the store comes with a copy of this.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// The process that writes here.
    pub process: Option<Number>,
    /// The causal past of what it does next.
    pub past: Vec<u64>,
    /// The messages delivered here.
    pub delivered: BTreeSet<MessageId>,
    /// What was given up here: of an author, the clocks from and to.
    pub given_up: Vec<(ProcessId, u64, u64)>,
    /// The same, with clocks that nobody had used yet: what comes of these is called late.
    pub calls_late: Vec<(ProcessId, u64, u64)>,
    /// The texts shown here, one's own included, in order.
    pub read: Vec<TextNumber>,
    /// The same, to look them up.
    pub shown: BTreeSet<TextNumber>,
    /// The groups that its person is in, and how many texts had been shown when he joined.
    pub groups: BTreeMap<String, usize>,
    /// The store is a copy that was put back, and its peer has not begun anew since.
    pub rolled_back: bool,
    /// How far its process had come when the copy was made.
    pub copied_at: u64,
    /// The words that were to go out later, by what is kept here.
    pub promised: BTreeSet<String>,
    /// Those of them that were taken back.
    pub cancelled: BTreeSet<String>,
    /// Its user was told that history could not be fetched.
    pub lacks_history: bool,
}

impl Lineage {
    /// Whether this message may be called late here.
    pub fn calls_late(&self, id: MessageId) -> bool {
        contain(&self.calls_late, id)
    }

    /// Whether this message was given up here.
    pub fn gave_up(&self, id: MessageId) -> bool {
        contain(&self.given_up, id)
    }
}

fn contain(ranges: &[(ProcessId, u64, u64)], id: MessageId) -> bool {
    ranges.iter().any(|&(author, from, to)| author == id.process && (from..=to).contains(&id.clock))
}

/// Everything that was sent and written, by whom.
#[derive(Debug, Default)]
pub struct Chronicle {
    /// The processes: who they are, and whose.
    pub processes: Vec<(ProcessId, usize)>,
    numbers: BTreeMap<ProcessId, Number>,
    /// The messages that were stamped and may have left their process.
    pub sent: BTreeMap<MessageId, Sent>,
    /// What is addressed to each process, by author and clock.
    pub inbox: BTreeMap<(ProcessId, Number), BTreeSet<u64>>,
    /// The texts.
    pub texts: Vec<Text>,
    by_id: BTreeMap<MessageId, TextNumber>,
    /// What anybody ever gave up: of an author, the clocks from and to.
    pub given_up: Vec<(ProcessId, u64, u64)>,
    /// Numbers that a process used again whose store had been rolled back, before it could know. Nothing can be said of these:
    /// one of the two was said to some, and the other to others. The process cannot know which it used again, so it disowns all
    /// that it has used since the store was put back when it begins anew, and says the texts once more (`chat`'s `restart` module).
    pub twice: BTreeSet<MessageId>,
    /// What each process delivered, whatever became of its store.
    pub ever_delivered: BTreeSet<(Number, MessageId)>,
    /// The words that an author took back before they went out: nobody may be shown them.
    pub cancelled: BTreeSet<String>,
    /// The words that had been left unsent and that their user sent after all.
    pub resent: BTreeSet<String>,
    /// Groups that somebody left: what was said there before, not all members can have.
    pub left: BTreeSet<String>,
    /// People who lie.
    pub liars: BTreeSet<usize>,
    /// How many of the newest messages of a conversation a newcomer is shown before anything else.
    pub history_first: usize,
    /// Counts of what happened, for the summary.
    pub tally: Tally,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Messages stamped.
    pub sent: u64,
    /// Deliveries.
    pub delivered: u64,
    /// Messages held back.
    pub held: u64,
    /// Ranges given up.
    pub abandoned: u64,
    /// Deliveries of what had been given up.
    pub late: u64,
    /// Texts shown as history.
    pub fetched: u64,
    /// Frames carried.
    pub frames: u64,
    /// Crashes.
    pub crashes: u64,
    /// Links that came up.
    pub links: u64,
    /// Turns that could not be kept at first.
    pub stuck: u64,
    /// Turns of users that could not be kept, so they were undone.
    pub refused: u64,
}

impl Tally {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        let Self { sent, delivered, held, abandoned, late, fetched, frames, crashes, links, stuck, refused } = other;
        self.sent += sent;
        self.delivered += delivered;
        self.held += held;
        self.abandoned += abandoned;
        self.late += late;
        self.fetched += fetched;
        self.frames += frames;
        self.crashes += crashes;
        self.links += links;
        self.stuck += stuck;
        self.refused += refused;
    }
}

impl Chronicle {
    /// The number of a process, if it ever began.
    pub fn number(&self, process: &ProcessId) -> Option<Number> {
        self.numbers.get(process).copied()
    }

    /// Whose process it is.
    pub fn person(&self, process: &ProcessId) -> Option<usize> {
        self.number(process).map(|number| self.processes[number].1)
    }

    /// Whether a liar's.
    pub fn is_liars(&self, process: &ProcessId) -> bool {
        self.person(process).is_none_or(|person| self.liars.contains(&person))
    }

    /// Whether a process sent or delivered this message, and its store has been put back since, to a copy without it. Until it learns
    /// that, it is taken for one that has it.
    pub fn was_rolled_back_behind(&self, lineage: &Lineage, id: MessageId) -> bool {
        let number = lineage.process.filter(|_| lineage.rolled_back);
        number
            .is_some_and(|number| self.processes[number].0 == id.process || self.ever_delivered.contains(&(number, id)))
    }

    /// Whether this message was given up by anybody.
    pub fn was_given_up(&self, id: MessageId) -> bool {
        contain(&self.given_up, id)
    }

    /// The number of the text that a message carries.
    pub fn text_number(&self, id: MessageId) -> Option<TextNumber> {
        self.by_id.get(&id).copied()
    }

    /// The text that a message carries.
    pub fn text(&self, id: MessageId) -> Option<&Text> {
        self.text_number(id).map(|number| &self.texts[number])
    }

    /// Whether a conversation has more texts than a newcomer is shown before anything else.
    pub fn is_long(&self, place: &Place) -> bool {
        self.texts.iter().filter(|text| text.place == *place).nth(self.history_first).is_some()
    }

    /// A message as a reader of a report calls it: `p2#14`, with the incarnation's number among its person's if there were more.
    pub fn name(&self, id: MessageId) -> String {
        format!("{}#{}", self.process_name(&id.process), id.clock)
    }

    /// A process likewise: `p2`, or `p2.1` for a later one.
    pub fn process_name(&self, process: &ProcessId) -> String {
        let Some(number) = self.number(process) else { return format!("?{:x}", process.incarnation.0) };
        let person = self.processes[number].1;
        match self.processes[..number].iter().filter(|(_, of)| *of == person).count() {
            0 => format!("p{person}"),
            lives => format!("p{person}.{lives}"),
        }
    }

    /// A process began to write to a store; `anew` if it took over from another while it ran.
    pub fn begin(&mut self, process: ProcessId, person: usize, lineage: &mut Lineage, anew: bool) {
        let number = *self.numbers.entry(process).or_insert_with(|| {
            self.processes.push((process, person));
            self.processes.len() - 1
        });
        let former = lineage.process.replace(number);
        if anew {
            if let Some(former) = former.filter(|_| lineage.rolled_back) {
                let id = |clock| MessageId { process: self.processes[former].0, clock };
                let disowned = self.sent.range(id(lineage.copied_at + 1)..=id(u64::MAX)).map(|(id, _)| *id);
                self.twice.extend(disowned);
            }
            return;
        }
        // What it wrote before it was killed and had not kept was never written.
        let Self { by_id, sent, .. } = self;
        by_id.retain(|id, _| id.process != process || sent.contains_key(id));
    }

    /// A store is put back to this: what was taken back since is not, and one of the two went to some, and the other to others.
    pub fn go_back_to(&mut self, lineage: &Lineage) {
        let undone: BTreeSet<&String> = lineage.promised.difference(&lineage.cancelled).collect();
        let undone: BTreeSet<String> = self.cancelled.iter().filter(|words| undone.contains(words)).cloned().collect();
        self.cancelled.retain(|words| !undone.contains(words));
        self.twice.extend(self.texts.iter().filter(|text| undone.contains(&text.words)).map(|text| text.id));
    }

    /// How many messages carry these words, and may have left their author.
    pub fn said(&self, words: &str) -> usize {
        let said = self.texts.iter().filter(|text| text.words == words && !self.twice.contains(&text.id));
        said.filter(|text| self.sent.contains_key(&text.id)).count()
    }

    /// A text is being written: its message has its number, but has not left yet.
    pub fn write(&mut self, id: MessageId, words: &str, place: Place, by: usize, lineage: &Lineage) {
        // What he read as a member of old, before he left and joined again, he cannot be asked to share.
        let since = if let Place::Group(group) = &place { lineage.groups.get(group).copied() } else { None };
        let text = Text {
            id,
            place,
            words: words.to_owned(),
            by,
            read: lineage.read[since.unwrap_or(0)..].into(),
            confirmed: false,
        };
        self.by_id.insert(id, self.texts.len());
        self.texts.push(text);
    }

    /// Its author was told that it is not sent, so nobody may ever be shown it. Its number is free again.
    pub fn refuse(&mut self, id: MessageId) {
        self.by_id.remove(&id);
    }

    /// Its author was told that it is sent.
    pub fn confirm(&mut self, id: MessageId) {
        if let Some(&number) = self.by_id.get(&id) {
            self.texts[number].confirmed = true;
        }
    }

    /// Takes a line of a journal that broke no rule.
    pub fn note(&mut self, entry: &Journal, lineage: &mut Lineage, at: u64) {
        match entry {
            Journal::Send { id, dests, .. } => {
                self.tally.sent += 1;
                if self.sent.contains_key(id) {
                    self.twice.insert(*id);
                }
                let Some(author) = self.number(&id.process) else { return };
                if lineage.past.len() <= author {
                    lineage.past.resize(author + 1, 0);
                }
                let past = lineage.past.as_slice().into();
                lineage.past[author] = id.clock;
                let text = self.text_number(*id);
                for dest in dests {
                    self.inbox.entry((*dest, author)).or_default().insert(id.clock);
                }
                self.sent.insert(*id, Sent { author, clock: id.clock, dests: dests.clone(), past, text, at });
                if let Some(text) = text {
                    lineage.read.push(text);
                    lineage.shown.insert(text);
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
            Journal::Stop | Journal::Show { .. } | Journal::Forget { .. } => {}
        }
    }

    /// Takes a text that was shown and broke no rule.
    pub fn note_shown(&mut self, message: &Message, lineage: &mut Lineage) {
        self.tally.fetched += u64::from(message.fetched);
        if let Some(text) = self.text_number(message.id)
            && lineage.shown.insert(text)
        {
            lineage.read.push(text);
        }
    }
}
