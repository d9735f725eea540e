//! The rest of a conversation's history, behind the newest messages: it comes a piece at a time while its reader reads, and is
//! gone on with after a link broke or the peer was restarted. What is to be fetched still is kept with the conversation
//! ([`Rest`]); whom it is asked of, here.
//!
//! Only somebody who has been shown all of it ends that. What is to be had of others is taken once nobody else has answered for
//! a while, and whoever comes later is asked all the same: so a gap in history closes when somebody comes who has what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use causal::Index;

use crate::frame::{Control, HistoryWanted, Shown};
use crate::history::{Conversation, Entry, SortKey};
use crate::run::Run;
use crate::store::{Change, Store};
use crate::{Event, LinkId, MessageId};

use super::super::talk::{Rest, Vector};
use super::super::{BadFrame, Now, Peer};

/// Who is asked for the rest of one conversation, and who need not be.
#[derive(Debug)]
pub(super) struct Following {
    asked: Option<Asked>,
    /// When the last piece came, or somebody was asked, or nobody was left to ask.
    pub(super) since: Duration,
    /// Who is here and has not been shown all of it.
    lacking: BTreeSet<Index>,
    /// Up to where whoever has not been shown all has handed over what he has.
    exhausted: BTreeMap<Index, Vector>,
    /// Nobody who has been shown all of it has come for a while: what the others have is taken.
    takes_what_there_is: bool,
    /// How many messages have come.
    got: usize,
}

/// One who is asked, a piece after the other.
#[derive(Debug)]
struct Asked {
    request: u32,
    from: Index,
    link: LinkId,
    /// What of each author he need not hand over, and up to where he is to.
    after: Vector,
    up_to: Vector,
    /// How far back he has come.
    before: Option<SortKey>,
    /// How much of it he had been shown himself, at the piece when that was least.
    shown: Shown,
    /// All that he has is wanted, though it is not all.
    is_last_resort: bool,
}

impl Following {
    fn new(now: Now) -> Self {
        Self {
            asked: None,
            since: now.monotonic,
            lacking: BTreeSet::new(),
            exhausted: BTreeMap::new(),
            takes_what_there_is: false,
            got: 0,
        }
    }

    /// Whether a piece is on its way.
    pub(super) fn is_under_way(&self) -> bool {
        self.asked.is_some()
    }

    /// Since when a piece has been waited for, or somebody who has been shown all.
    pub(super) fn waits_since(&self) -> Option<Duration> {
        let waits = self.asked.is_some() || (!self.takes_what_there_is && !self.lacking.is_empty());
        waits.then_some(self.since)
    }

    /// A member is here anew: he may have been shown by now what he lacked.
    pub(super) fn ask_anew(&mut self, member: Index) {
        self.lacking.remove(&member);
    }

    /// The link to a member is down.
    pub(super) fn leave(&mut self, link: LinkId, member: Option<Index>) {
        self.asked.take_if(|asked| asked.link == link);
        self.lacking.retain(|&lacking| Some(lacking) != member);
    }

    /// Whoever is asked does not help: others are asked.
    fn pass_on(&mut self, now: Now) {
        if let Some(asked) = self.asked.take() {
            self.lacking.insert(asked.from);
            self.since = now.monotonic;
        }
    }
}

impl<S: Store> Peer<S> {
    /// More is to be fetched of a conversation than what has come; `from`, who may have it, is asked first.
    pub(super) fn fetch_rest(&mut self, now: Now, conversation: &Conversation, rest: Rest, from: Option<Index>) {
        self.talks.entry(conversation).rest.add(rest);
        if let Some(following) = self.gate.rests.get_mut(conversation) {
            following.asked = None;
        }
        self.follow(now, conversation, from);
    }

    /// Asks for the rest of every conversation that has one.
    pub(in crate::peer) fn follow_all(&mut self, now: Now) {
        let with_rest = self.talks.all_mut().filter(|(_, talk)| !talk.rest.is_empty());
        for conversation in with_rest.map(|(conversation, _)| conversation.clone()).collect::<Vec<_>>() {
            self.follow(now, &conversation, None);
        }
    }

    /// Asks for the rest of a conversation, unless somebody was asked or nobody is there to ask. `first` has been shown what was
    /// said, or most of it.
    pub(super) fn follow(&mut self, now: Now, conversation: &Conversation, first: Option<Index>) {
        let Some(talk) = self.talks.known(conversation).filter(|talk| !talk.rest.is_empty()) else { return };
        if self.is_strange(conversation) {
            self.gate.rests.remove(conversation);
            return;
        }
        let (rest, is_lost) = (&talk.rest, !talk.lost.is_empty());
        let (after, up_to, before) = (rest.after.clone(), rest.up_to.clone(), rest.reached);
        // Of whoever has told of it I may not have heard yet that he is in the group.
        let may_have = |&(who, _): &(Index, LinkId)| Some(who) == first || self.may_have(who, conversation);
        let members: Vec<_> = self.linked().into_iter().filter(may_have).collect();
        let following = self.gate.rests.entry(conversation.clone()).or_insert_with(|| Following::new(now));
        following.takes_what_there_is |= is_lost;
        if let Some(first) = first {
            following.ask_anew(first);
        }
        if following.is_under_way() {
            return;
        }
        let is_fresh = |&&(who, _): &&(Index, LinkId)| !following.lacking.contains(&who);
        let welcomer = members.iter().filter(is_fresh).find(|&&(who, _)| Some(who) == first);
        let fresh = welcomer.or_else(|| members.iter().find(is_fresh));
        let has_more = |&&(who, _): &&(Index, LinkId)| {
            following.exhausted.get(&who).is_none_or(|handed_over| !up_to.is_within(handed_over))
        };
        let last_resort = || if following.takes_what_there_is { members.iter().find(has_more) } else { None };
        let Some(&(from, link)) = fresh.or_else(last_resort) else { return };
        let is_last_resort = fresh.is_none();
        let after = following.exhausted.get(&from).filter(|_| is_last_resort).cloned().unwrap_or(after);
        self.gate.last_request += 1;
        let request = self.gate.last_request;
        following.since = now.monotonic;
        following.asked = Some(Asked { request, from, link, after, up_to, before, shown: Shown::All, is_last_resort });
        self.want_rest(conversation);
    }

    fn want_rest(&mut self, conversation: &Conversation) {
        let Some(following) = self.gate.rests.get(conversation) else { return };
        let Some(Asked { request, link, after, up_to, before, .. }) = &following.asked else { return };
        let named = |vector: &Vector| vector.iter(self.causal.roster()).map(|(_, id, clock)| (id, clock)).collect();
        let wanted = HistoryWanted {
            request: *request,
            scope: self.scope_of(conversation),
            after: named(after),
            up_to: named(up_to),
            also: Vec::new(),
            before: *before,
        };
        self.send_control(*link, &Control::HistoryWanted(wanted));
    }

    /// Of which conversation this is a piece of the rest, if it was asked for.
    pub(super) fn rest_asked(&self, from: Index, request: u32) -> Option<Conversation> {
        let is_meant = |following: &Following| {
            following.asked.as_ref().is_some_and(|asked| (asked.from, asked.request) == (from, request))
        };
        self.gate.rests.iter().find(|(_, following)| is_meant(following)).map(|(conversation, _)| conversation.clone())
    }

    /// A piece of the rest came: it joins the history, and is not shown before it is asked for, unless it belongs among the newest.
    ///
    /// # Errors
    /// [`BadFrame`] for a piece that no honest peer puts together.
    pub(super) fn take_rest(
        &mut self,
        now: Now,
        conversation: &Conversation,
        piece: &[u8],
        more: Option<SortKey>,
        shown: Shown,
    ) -> Result<(), BadFrame> {
        let Some(Asked { up_to, .. }) = self.gate.rests.get(conversation).and_then(|rest| rest.asked.as_ref()) else {
            return Ok(());
        };
        let up_to: BTreeMap<_, _> = up_to.iter(self.causal.roster()).map(|(_, id, clock)| (id, clock)).collect();
        let mut entries = self.take_piece(now, conversation, &up_to, piece)?.entries;
        let shelf = self.gate.shelf.get(conversation);
        let just_shown: BTreeSet<MessageId> = self.shown_in_this_turn().flat_map(Run::ids).collect();
        // What is on the shelf is shown with the welcome that named it.
        let is_new = |entry: &Entry| {
            shelf.is_none_or(|shelf| !shelf.contains_key(&entry.sort_key())) && !just_shown.contains(&entry.kept.id())
        };
        entries.retain(is_new);
        entries.sort_by_key(Entry::sort_key);
        let got = entries.len();
        let newest = self.oldest_of_the_newest(conversation);
        for entry in entries {
            if newest.is_none_or(|oldest| entry.sort_key() > oldest) {
                self.show_history(now, entry, true);
                continue;
            }
            let (author, clock) = (entry.kept.sender(), entry.kept.clock());
            let stamped = entry.first().is_none().then_some(entry.hlc);
            let clock_off = entry.sent_at().is_some_and(|sent_at| self.is_clock_off(now, sent_at, stamped, None));
            let entry = Entry { clock_off, ..entry };
            self.note_missed(now, entry.kept.id(), author, true);
            // The user can read it from now on, and answer.
            self.clock.observe(now.unix_micros, entry.hlc);
            self.talks.entry(conversation).shown.raise(author, clock);
            self.effects.durable.push(Change::Shown(entry.into()));
        }
        let Some(following) = self.gate.rests.get_mut(conversation) else { return Ok(()) };
        let Some(asked) = &mut following.asked else { return Ok(()) };
        asked.shown = asked.shown.min(shown);
        following.got += got;
        following.since = now.monotonic;
        // Each piece has to go further back than the one before, or a liar could keep this up for ever.
        let more = more.filter(|more| asked.before.is_none_or(|before| *more < before));
        let has_all = asked.shown == Shown::All;
        match more {
            Some(_) if has_all || asked.is_last_resort => {
                asked.before = more;
                if has_all {
                    self.talks.entry(conversation).rest.reach(more);
                }
                self.want_rest(conversation);
            }
            None if has_all => {
                following.asked = None;
                self.end_rest(conversation);
            }
            _ => {
                if more.is_none() {
                    following.exhausted.entry(asked.from).or_default().raise_all(&asked.up_to);
                }
                following.pass_on(now);
                self.follow(now, conversation, None);
            }
        }
        Ok(())
    }

    /// The place of the oldest of the newest messages of a conversation, those that a newcomer is shown before anything else; none
    /// if all are among them.
    fn oldest_of_the_newest(&self, conversation: &Conversation) -> Option<SortKey> {
        let stored = self.store.newest(Some(conversation), None, self.config.history_first);
        let shelved = self.gate.shelf.get(conversation).into_iter().flat_map(BTreeMap::keys).copied();
        let mut newest: Vec<SortKey> = stored.iter().map(Entry::sort_key).chain(shelved).collect();
        newest.sort_unstable_by(|one, other| other.cmp(one));
        newest.get(self.config.history_first.checked_sub(1)?).copied()
    }

    /// All of it is here.
    fn end_rest(&mut self, conversation: &Conversation) {
        let talk = self.talks.entry(conversation);
        let was_told_of_loss = talk.told_of_loss;
        if talk.lost.is_within(&talk.rest.up_to) {
            (talk.lost, talk.told_of_loss) = (Vector::emptied(), false);
        }
        talk.rest.end();
        let messages = self.gate.rests.remove(conversation).map_or(0, |following| following.got);
        if was_told_of_loss && messages > 0 {
            let conversation = self.conversation_label(conversation);
            self.tell(Event::Fetched { conversation, messages });
        }
    }

    /// Whoever lets a piece wait for long is left for somebody else. Where nobody has been shown all, the user hears of it, and what
    /// there is is taken.
    pub(super) fn give_up_rests(&mut self, now: Now) {
        let patience = self.config.abandon_after;
        let is_late =
            |following: &Following| following.waits_since().is_some_and(|since| since + patience <= now.monotonic);
        let late = self.gate.rests.iter().filter(|(_, following)| is_late(following));
        for conversation in late.map(|(conversation, _)| conversation.clone()).collect::<Vec<_>>() {
            let Some(following) = self.gate.rests.get_mut(&conversation) else { continue };
            if following.is_under_way() {
                following.pass_on(now);
            } else {
                following.takes_what_there_is = true;
                let talk = self.talks.entry(&conversation);
                let named =
                    talk.rest.up_to.iter(self.causal.roster()).map(|(author, _, clock)| (author, clock)).collect();
                self.note_lost(&conversation, named);
                self.tell_of_loss(&conversation);
            }
            self.follow(now, &conversation, None);
        }
    }
}
