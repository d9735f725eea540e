//! What a user asks for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use causal::Clock;

use crate::body::{self, First, Scope, TextHead};
use crate::codec;
use crate::directory::{NewAlias, Resolved, Wanted};
use crate::history::{Conversation, Entry};
use crate::kept::{Kept, SignedBatch};
use crate::name::{Name, Pattern};
use crate::run::Run;
use crate::store::{Change, Store};
use crate::verification;
use crate::{Answer, Command, DiagramInfo, Event, HeldInfo, Hello, Message, MessageId, PersonId, Refusal, Target};

use super::arrival::sealing;
use super::{Now, Peer};

impl<S: Store> Peer<S> {
    /// Carries out what a user asks for. After [`Answer::LoggingOut`] the caller stops the peer, and after [`Answer::Deleting`]
    /// in the steps that the module on deletion states.
    ///
    /// # Errors
    /// [`Refusal`] says why not; then nothing changed.
    pub fn handle_command(&mut self, now: Now, command: Command) -> Result<Answer, Refusal> {
        if self.is_muted(&command) {
            return Err(Refusal::Superseded);
        }
        match command {
            Command::ListUsers => Ok(Answer::Users { users: self.directory.users(&Pattern::new("")) }),
            Command::Who { person } => Ok(Answer::Who { people: self.directory.people_meant(&person)? }),
            Command::FindUser { pattern } => Ok(Answer::Users { users: self.directory.users(&Pattern::new(&pattern)) }),
            Command::ListGroups => Ok(Answer::Groups { groups: self.directory.groups(&Pattern::new("")) }),
            Command::FindGroup { pattern } => {
                Ok(Answer::Groups { groups: self.directory.groups(&Pattern::new(&pattern)) })
            }
            Command::MyGroups => {
                let groups =
                    self.directory.groups(&Pattern::new("")).into_iter().filter(|group| group.member).collect();
                Ok(Answer::Groups { groups })
            }
            Command::CreateGroup { group } => self.create_group(now, &group),
            Command::JoinGroup { group } => self.join_group(now, &group),
            Command::LeaveGroup { group } => self.leave_group(now, &group),
            Command::Send { to, text, delay_ms } => self.send(now, to, text, delay_ms),
            Command::History { of, count, before, after } => self.history(of, count, before, after),
            Command::Read { of, up_to } => self.mark_read(of, up_to),
            Command::Search { words, of, count } => self.search(&words, of, count),
            Command::Seen { nth, message } => self.seen(now, nth, message),
            Command::Show { author, clock } => self.message_named(now, &author, clock),
            Command::Pending => Ok(self.pending(now)),
            Command::Cancel { number } => self.cancel(now, number),
            Command::Resend { number } => self.resend(now, number),
            Command::Nick { name } => self.nick(now, &name),
            Command::Verify { person, same } => self.verify(&person, same),
            Command::Alias { person, name } => self.alias(now, &person, &name),
            Command::Unalias { name } => self.unalias(now, &name),
            Command::Forget { person } => self.forget_person(now, &person),
            Command::Connect { address } => {
                self.effects.dial.push(address.clone());
                Ok(Answer::Connecting { address })
            }
            // Only the trace's crate can draw, and only the caller knows it.
            Command::Diagram => Ok(Answer::Diagram(DiagramInfo::default())),
            Command::Health => {
                let listening: Vec<SocketAddr> = self.addresses.iter().copied().collect();
                Ok(self.health(&listening, &[], Vec::new()))
            }
            Command::DeleteAccount { name } => self.delete_account(&name),
            Command::LogOut => Ok(Answer::LoggingOut { who: (*self.who()).clone() }),
        }
    }

    /// What a user interface has to know before the first event.
    pub fn hello(&mut self) -> Hello {
        Hello {
            me: (*self.directory.who(self.me.person)).clone(),
            process: self.me,
            users: self.directory.users(&Pattern::new("")),
            groups: self.directory.groups(&Pattern::new("")),
            name_taken_by: self.name_taken_by(),
            unread: self.all_unread(),
        }
    }

    fn create_group(&mut self, now: Now, group: &str) -> Result<Answer, Refusal> {
        let group = group_name(group)?;
        if let Some(group) = self.directory.group_called(&group) {
            return Err(Refusal::GroupExists { group: group.to_string() });
        }
        if self.directory.is_a_person(&group) {
            return Err(Refusal::NameTaken { name: group.to_string() });
        }
        self.enter(now, &group)?;
        Ok(Answer::Created { group: group.to_string() })
    }

    fn join_group(&mut self, now: Now, group: &str) -> Result<Answer, Refusal> {
        let group = self.known_group(group)?;
        if self.groups.contains(&group) {
            return Err(Refusal::AlreadyAMember { group: group.to_string() });
        }
        self.enter(now, &group)?;
        let info = self.directory.group(&group).expect("I have just joined it");
        let history = self.newest(Some(&Conversation::Group(group)), self.config.history_shown);
        Ok(Answer::Joined { group: info, history })
    }

    fn known_group(&self, group: &str) -> Result<Name, Refusal> {
        match self.directory.resolve(group, Wanted::Group)? {
            Resolved::Group(group) => Ok(group),
            Resolved::All => Err(Refusal::AllIsFixed),
            Resolved::Person(_) => unreachable!("a group was wanted"),
        }
    }

    fn enter(&mut self, now: Now, group: &Name) -> Result<(), Refusal> {
        if self.groups.len() >= self.config.max_groups {
            return Err(Refusal::TooMany {
                what: "groups that you are in".to_owned(),
                limit: self.config.max_groups,
                config: "max_groups".to_owned(),
            });
        }
        self.groups.insert(group.clone());
        self.record_is_stale = true;
        self.multicast_stale_record(now);
        Ok(())
    }

    fn leave_group(&mut self, now: Now, group: &str) -> Result<Answer, Refusal> {
        let group = self.known_group(group)?;
        if !self.groups.remove(&group) {
            return Err(Refusal::NotAMember { group: group.to_string() });
        }
        self.record_is_stale = true;
        self.multicast_stale_record(now);
        Ok(Answer::Left { group: group.to_string() })
    }

    fn send(&mut self, now: Now, to: Target, text: String, delay_ms: u64) -> Result<Answer, Refusal> {
        if text.is_empty() {
            return Err(Refusal::EmptyText);
        }
        if text.len() > self.config.max_text {
            return Err(Refusal::TextTooLong { bytes: text.len(), limit: self.config.max_text });
        }
        let delay = Duration::from_millis(delay_ms);
        if delay > self.config.max_delay {
            return Err(Refusal::DelayTooLong);
        }
        let conversation = match to {
            Target::All => Conversation::All,
            Target::Address(address) => return self.send_to_address(address, text, delay_ms),
            Target::Name(name) if let Ok(address) = name.parse() => {
                return self.send_to_address(address, text, delay_ms);
            }
            Target::Name(name) => match self.directory.resolve(&name, Wanted::Anyone)? {
                Resolved::All => Conversation::All,
                Resolved::Group(group) => Conversation::Group(group),
                Resolved::Person(person) => Conversation::Direct(self.proved_to_be(&name, person)?),
            },
            Target::People(names) => self.conversation_with(&names)?,
        };
        self.may_say(&conversation)?;
        if delay > self.config.max_stamped_delay {
            return Ok(Answer::Scheduled { waiting: self.schedule(now, conversation, text.into(), delay)? });
        }
        Ok(self.say(now, conversation, text.into(), delay))
    }

    /// Whether something can be said there now.
    pub(super) fn may_say(&self, conversation: &Conversation) -> Result<(), Refusal> {
        if self.outbox.bytes() >= self.config.max_outbox {
            return Err(Refusal::OutboxFull {
                bytes: self.outbox.bytes(),
                limit: self.config.max_outbox,
                config: "max_outbox".to_owned(),
            });
        }
        match conversation {
            Conversation::Group(group) if !self.groups.contains(group) => {
                Err(Refusal::NotAMember { group: group.to_string() })
            }
            Conversation::Direct(person) if *person == self.me.person => Err(Refusal::Oneself),
            Conversation::Direct(person) => self.may_write_to([person]),
            Conversation::People(others) => self.may_write_to(others),
            Conversation::All | Conversation::Group(_) => Ok(()),
        }
    }

    fn may_write_to<'a>(&self, people: impl IntoIterator<Item = &'a PersonId>) -> Result<(), Refusal> {
        match people.into_iter().find(|&&person| self.directory.process_of(person).is_none()) {
            Some(&gone) => Err(Refusal::Departed { who: self.directory.who(gone).label.clone() }),
            None => Ok(()),
        }
    }

    /// The person, if a message to `name` may go to them. People write their own records, so a claim to an address is not
    /// enough: a link has to have come from it, and an address with a port is to be dialled.
    pub(super) fn proved_to_be(&self, name: &str, person: PersonId) -> Result<PersonId, Refusal> {
        let is_claimed = name.parse().is_ok_and(|address| !self.directory.was_seen_at(person, address));
        if is_claimed || name.parse::<SocketAddr>().is_ok() {
            return Err(Refusal::UnknownTarget { name: name.to_owned(), nearest: None });
        }
        Ok(person)
    }

    /// What records say of addresses counts for nothing here: the address is dialled, even if there is a link to it.
    fn send_to_address(&mut self, address: SocketAddr, text: String, delay_ms: u64) -> Result<Answer, Refusal> {
        if self.addresses.contains(&address) {
            return Err(Refusal::Oneself);
        }
        if self.for_address.len() >= self.config.max_waiting_for_address {
            return Err(Refusal::TooMany {
                what: "messages waiting for a connection".to_owned(),
                limit: self.config.max_waiting_for_address,
                config: "max_waiting_for_address".to_owned(),
            });
        }
        self.for_address.push(address, text, delay_ms);
        self.effects.reach.push(address);
        Ok(Answer::Connecting { address: address.to_string() })
    }

    /// A message to an address, once this person has proved to be there.
    pub(super) fn say_to_person(&mut self, now: Now, person: PersonId, text: String, delay_ms: u64) {
        let (conversation, delay) = (Conversation::Direct(person), Duration::from_millis(delay_ms));
        if let Err(refusal) = self.may_say(&conversation) {
            self.tell(Event::Warning { text: format!("your message was not sent: {refusal}") });
        } else if delay > self.config.max_stamped_delay {
            match self.schedule(now, conversation, text.into(), delay) {
                Ok(waiting) => self.tell(Event::Scheduled { waiting: Box::new(waiting) }),
                Err(refusal) => self.tell(Event::Warning { text: refusal.to_string() }),
            }
        } else if let Answer::Sent { message, .. } = self.say(now, conversation, text.into(), delay) {
            self.tell(Event::Message { message });
        }
    }

    /// Says a text: it is stamped now, and goes out at the end of the turn or after `delay`.
    pub(super) fn say(&mut self, now: Now, conversation: Conversation, text: ByteString, delay: Duration) -> Answer {
        self.say_as(now, conversation, (now.unix_micros, text), None, delay)
    }

    /// Says a text again that was written then and said as `first`: those who were shown that are not shown it twice.
    pub(super) fn say_again(
        &mut self,
        now: Now,
        conversation: Conversation,
        written: (i64, ByteString),
        first: MessageId,
        delay: Duration,
    ) -> Answer {
        self.say_as(now, conversation, written, Some(first.into()), delay)
    }

    fn say_as(
        &mut self,
        now: Now,
        conversation: Conversation,
        (sent_at, text): (i64, ByteString),
        first: Option<First>,
        delay: Duration,
    ) -> Answer {
        let dests = self.dests(&conversation);
        self.welcome_unaddressed(&dests);
        let head = TextHead {
            scope: match &conversation {
                Conversation::All => Scope::All,
                Conversation::Group(group) => Scope::Group(group.clone()),
                Conversation::Direct(_) | Conversation::People(_) => Scope::Direct,
            },
            sent_at,
            hlc: self.clock.tick(now.unix_micros),
            first,
        };
        let group = match &conversation {
            Conversation::All => Some("all"),
            Conversation::Group(group) => Some(group.as_str()),
            Conversation::Direct(_) | Conversation::People(_) => None,
        };
        let due = (!delay.is_zero()).then(|| now.monotonic + delay);
        let mut body = body::text(&head, &text);
        let mut opened = None;
        let sealed = match &conversation {
            Conversation::All | Conversation::Group(_) => None,
            Conversation::Direct(person) => {
                Some(self.identity.seal(person, &sealing(self.me), &body).map(|sealed| body::sealed(&sealed)))
            }
            Conversation::People(others) => {
                let sealed = self.identity.seal_for_several(others, &sealing(self.me), &body);
                Some(sealed.map(|sealed| body::sealed_for_several(&sealed)))
            }
        };
        if let Some(sealed) = sealed {
            let sealed = sealed.expect("a person whose record was taken has a sound key");
            opened = Some(std::mem::replace(&mut body, sealed));
        }
        let clock = self.multicast(&dests, &body, opened, group, due);
        if !dests.is_empty() {
            self.watch_delivery(clock);
        }
        if due.is_none() {
            self.watch_spread(now, clock);
        } else {
            self.schedule.note_stamped(clock);
        }
        let talk = self.talks.entry(&conversation);
        talk.shown.raise(self.causal.me(), clock);
        talk.newest = talk.newest.max(head.hlc.time().min(now.unix_micros));
        let to = match &conversation {
            Conversation::Direct(_) | Conversation::People(_) => self.recipients(&conversation),
            Conversation::All | Conversation::Group(_) => {
                self.talks.entry(&conversation).recipients.clone().expect("set for all and groups")
            }
        };
        let message = Message {
            id: self.id_of(self.causal.me(), clock),
            from: self.directory.who(self.me.person),
            to,
            text,
            sent_at: head.sent_at,
            own: true,
            fetched: false,
            late: false,
            clock_off: false,
        };
        let linked = self.processes_here();
        let away = dests.difference(&linked);
        let away = away.iter().map(|dest| (*self.directory.who(self.person_of(dest))).clone()).collect();
        Answer::Sent { message, away, due_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX) }
    }

    /// My own messages, once they are signed: texts go into my history like anybody's. `opened` has the bodies
    /// of those that travel sealed, by their place.
    pub(super) fn keep_own(&mut self, batch: &Arc<SignedBatch>, mut opened: impl FnMut(usize) -> Option<Bytes>) {
        for (first, followers) in batch.runs() {
            let mut count = 0;
            while count <= followers {
                let kept = first.behind(count);
                let opened = opened(kept.index());
                count += self.keep_own_first(kept, opened, followers - count);
            }
        }
    }

    /// Keeps the first of such messages, and those of its followers that are texts like it. Answers how many that are.
    fn keep_own_first(&mut self, kept: Kept, opened: Option<Bytes>, followers: u32) -> u32 {
        if let Ok(body::Body::Text(TextHead { scope, hlc, .. })) =
            body::Body::decode(opened.clone().unwrap_or_else(|| kept.shared_body()))
            && let Some(conversation) = self.conversation(&kept, &scope)
        {
            let entry = Entry { conversation, hlc, kept, fetched: false, late: false, clock_off: false, opened };
            let run = Run::of(entry, followers, |_, _, _| true);
            let count = run.count();
            self.effects.durable.push(Change::Shown(run));
            count
        } else {
            self.effects.durable.push(Change::Delivered { kept });
            1
        }
    }

    fn pending(&mut self, now: Now) -> Answer {
        self.flush(now);
        let mut held: Vec<(Duration, causal::Index, Clock)> = Vec::with_capacity(self.causal.held());
        for (kept, followers, &at) in self.causal.held_runs() {
            held.extend(kept.run(followers).map(|kept| (at, kept.sender(), kept.clock())));
        }
        held.sort();
        let mut held: Vec<HeldInfo> =
            held.into_iter().map(|(_, author, clock)| self.held_info(author, clock)).collect();
        let gated: Vec<_> = self.gate.waiting().map(|(kept, _)| (kept.stamp().sender, kept.stamp().clock)).collect();
        for (author, clock) in gated {
            held.push(self.gated_info(author, clock));
        }
        let delayed: Vec<Clock> = self.outbox.delayed().collect();
        let delayed = delayed.into_iter().map(|clock| self.id_of(self.causal.me(), clock)).collect();
        let (waiting, undelivered) = (self.waiting_texts(now), self.undelivered());
        Answer::Pending { held, delayed, waiting, unacknowledged: self.outbox.len() as u64, undelivered }
    }

    fn verify(&mut self, person: &str, same: Option<bool>) -> Result<Answer, Refusal> {
        let Resolved::Person(person) = self.directory.resolve(person, Wanted::Person)? else {
            return Err(Refusal::UnknownUser { name: person.to_owned(), nearest: None });
        };
        if person == self.me.person {
            return Err(Refusal::OwnKey);
        }
        let Some(same) = same else {
            let code = verification::code(&self.me.person, &person);
            return Ok(Answer::Code { user: self.directory.user_info(person), code });
        };
        let verified = &mut self.directory.verified;
        if if same { verified.insert(person) } else { verified.remove(&person) } {
            self.effects.durable.push(Change::Verified(codec::encode(&self.directory.verified)));
        }
        Ok(Answer::Verified { user: self.directory.user_info(person) })
    }

    fn alias(&mut self, now: Now, person: &str, name: &str) -> Result<Answer, Refusal> {
        let name = Name::choose(name).map_err(bad_name)?;
        let Resolved::Person(person) = self.directory.resolve(person, Wanted::Person)? else {
            return Err(Refusal::UnknownUser { name: person.to_owned(), nearest: None });
        };
        let NewAlias { replaced, changed } = self.directory.set_alias(person, name.clone())?;
        self.forget_alias(replaced);
        self.effects.durable.push(Change::Alias { alias: name, person: Some(person) });
        self.tell_changed(now, changed.iter().filter(|changed| changed.person != person));
        Ok(Answer::Aliased { who: (*self.directory.who(person)).clone() })
    }

    /// What a person has no more must not come back with a restart.
    pub(super) fn forget_alias(&mut self, alias: Option<Name>) {
        self.effects.durable.extend(alias.map(|alias| Change::Alias { alias, person: None }));
    }

    fn unalias(&mut self, now: Now, name: &str) -> Result<Answer, Refusal> {
        let alias = Name::parse(name).map_err(bad_name)?;
        let (person, changed) = self.directory.remove_alias(alias.as_str())?;
        self.effects.durable.push(Change::Alias { alias, person: None });
        self.tell_changed(now, changed.iter().filter(|changed| changed.person != person));
        Ok(Answer::Unaliased { who: (*self.directory.who(person)).clone() })
    }

    fn gated_info(&mut self, author: causal::Index, clock: Clock) -> HeldInfo {
        let from = self.directory.who(self.person_of(author));
        let fetching = self.fetching_for((author, clock));
        HeldInfo { id: self.id_of(author, clock), from, missing: Vec::new(), fetching }
    }
}

fn group_name(name: &str) -> Result<Name, Refusal> {
    if name.eq_ignore_ascii_case("all") {
        return Err(Refusal::AllIsFixed);
    }
    Name::choose(name).map_err(bad_name)
}

pub(super) fn bad_name(bad: crate::name::BadName) -> Refusal {
    Refusal::BadName { name: bad.text, reason: bad.reason }
}
