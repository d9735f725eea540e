//! What a user interface is told, and the values that events and answers are made of.

use std::sync::Arc;

use bytestring::ByteString;
use serde::{Deserialize, Serialize};

use crate::{MessageId, PersonId, ProcessId};

/// A person as shown to this user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The key behind the name.
    pub person: PersonId,
    /// The name the person claims.
    pub name: String,
    /// Where the person was last seen: an IP address without a port.
    pub address: Option<String>,
    /// What to show: this user's alias, else the name; and behind it `·` and a fingerprint where another person who is known
    /// has a name that looks like it. It can be written behind `@`.
    pub label: String,
}

/// To whom a message went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipients {
    /// Everybody.
    All,
    /// The members of a group.
    Group(Arc<str>),
    /// One person, the other side of the conversation: the addressee of my own message, the author of anybody else's.
    Direct(Arc<Who>),
    /// Several people and nobody else: everybody in the conversation but this user. The author of a message that is not my own is
    /// among them.
    People(Arc<[Arc<Who>]>),
}

/// A message as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id, the same on every peer.
    pub id: MessageId,
    /// Its author.
    pub from: Arc<Who>,
    /// To whom it went.
    pub to: Recipients,
    /// The text as written: harmful control sequences are the user interface's to remove. It shares memory with the
    /// other messages that its author signed together.
    pub text: ByteString,
    /// The author's own time of writing, Unix time in microseconds.
    pub sent_at: i64,
    /// I wrote it.
    pub own: bool,
    /// It was fetched as history, not delivered as it happened.
    pub fetched: bool,
    /// It had been given up (a gap was shown) and came after all; or it sorts more than
    /// `Config::late_after` (1 minute) behind the newest of its conversation that was here, and not because I was away.
    pub late: bool,
    /// The author's clock was a day or more (`Config::max_clock_ahead`) from mine, as far as I could tell when it came: `sent_at` is
    /// more than that ahead; or it is before 2020; or more than that before the link came up over which it was written. History
    /// that was fetched may be old, so there only the first two count. The order of history does not depend on it.
    pub clock_off: bool,
}

/// A person in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// The person.
    pub who: Who,
    /// There is a link to this person now (always, for oneself).
    pub present: bool,
    /// It is oneself.
    pub me: bool,
    /// This user has compared keys with this person ([`Command::Verify`](crate::Command::Verify)).
    #[serde(default)]
    pub verified: bool,
    /// The groups this person is in, sorted.
    pub groups: Vec<String>,
}

/// All that is known of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonInfo {
    /// The person as listed; `who.person` is the whole key.
    #[serde(flatten)]
    pub user: UserInfo,
    /// The last eight characters of the peer id. Every peer shows the same, so two people can compare it.
    pub fingerprint: String,
    /// Where the person was ever seen, or said to be: IP addresses, the latest first, at most `Config::max_known_addresses`.
    pub addresses: Vec<String>,
    /// Where the person listens, by their own account: `ip:port`.
    pub listening: Vec<String>,
    /// The person was forgotten: nothing is kept for them, but the history still shows them.
    pub forgotten: bool,
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupInfo {
    /// Its name.
    pub name: String,
    /// I am in it.
    pub member: bool,
    /// Its members by label, sorted; oneself among them if a member.
    pub members: Vec<String>,
}

/// A message that is held back, and what it waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldInfo {
    /// The message that is held.
    pub id: MessageId,
    /// Its author.
    pub from: Arc<Who>,
    /// The messages it waits for, as far as they are not here, with their authors.
    pub missing: Vec<(MessageId, Arc<Who>)>,
    /// It waits for history of these conversations that is being fetched (`all`, a group's name, a person's label).
    pub fetching: Vec<String>,
}

/// A text of mine that has not gone out yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingInfo {
    /// By which it can be taken back.
    pub number: u64,
    /// The message, if it is stamped: others may wait for it.
    pub id: Option<MessageId>,
    /// To whom it is to go.
    pub to: Recipients,
    /// The text.
    pub text: ByteString,
    /// When it goes out, Unix time in microseconds; not by itself if there is no such time.
    pub due_at: Option<i64>,
}

/// What of a conversation the user has not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadInfo {
    /// The conversation.
    pub of: Recipients,
    /// How many messages of others were shown and not read, at most `Config::max_unread`. What came as history does not count.
    pub unread: usize,
    /// How many of them name the user.
    pub mentions: usize,
    /// The first of them in the order of history.
    pub first: Option<MessageId>,
}

/// What a user interface has to know before the first event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// This user.
    pub me: Who,
    /// One's own process.
    pub process: ProcessId,
    /// Everybody known, oneself included, sorted by name.
    pub users: Vec<UserInfo>,
    /// Every group, with one's memberships.
    pub groups: Vec<GroupInfo>,
    /// Who had this user's name first, if the user was told of such a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_taken_by: Option<Who>,
    /// The conversations with something in them that the user has not read.
    #[serde(default)]
    pub unread: Vec<UnreadInfo>,
}

/// Something outside of the program that keeps a peer from working as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which one, in one word of lower case: `docs/troubleshooting.md` lists them.
    pub kind: String,
    /// The cause, and what to do, for people to read.
    pub text: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// This peer listens there.
    Listening {
        /// `ip:port`.
        address: String,
    },
    /// Somebody is reachable.
    PeerUp {
        /// Who.
        who: Arc<Who>,
        /// There was never a link to this person before.
        new: bool,
    },
    /// Somebody is not reachable any more.
    PeerDown {
        /// Who.
        who: Arc<Who>,
        /// Why, in words.
        reason: String,
    },
    /// A message is delivered.
    Message {
        /// The message.
        message: Message,
    },
    /// A text of mine is scheduled.
    Scheduled {
        /// The text and when it goes out.
        waiting: Box<WaitingInfo>,
    },
    /// A text of mine that had not gone out was taken back.
    Cancelled {
        /// What it was.
        waiting: Box<WaitingInfo>,
    },
    /// A message has been held back for longer than an eye-blink (`Config::held_notice`, 100 ms). It is told of nine such
    /// messages at a time (`Config::max_told_held`), and not of what was missed while this peer was away:
    /// [`Command::Pending`](crate::Command::Pending) has all.
    Held {
        /// The message and what it waits for.
        held: HeldInfo,
    },
    /// A message that was announced as held is delivered; its `Message` event comes right after.
    Released {
        /// The message.
        id: MessageId,
        /// Its author.
        from: Arc<Who>,
        /// How long it was held, in milliseconds.
        held_ms: u64,
    },
    /// Messages of mine are still on their way to people who are reachable, after `Config::spread_notice` (1 s).
    Unspread {
        /// The oldest of them.
        id: MessageId,
        /// How many there are.
        messages: usize,
        /// Who has not got them.
        missing: Vec<Who>,
    },
    /// What was announced as still on its way is now with everybody who is reachable.
    Spread {
        /// The newest of these messages.
        id: MessageId,
        /// How many there are.
        messages: usize,
    },
    /// Texts of mine are now with everybody whom they are addressed to and who is here, and with one person at least. Told once of
    /// each.
    Delivered {
        /// The messages.
        messages: Vec<MessageId>,
    },
    /// There is more, or less, that the user has not read of a conversation.
    Unread(UnreadInfo),
    /// Messages were given up: nobody reachable has them.
    Gap {
        /// Their author.
        from: Arc<Who>,
        /// The first clock that was given up.
        first: u64,
        /// The last one. How many messages to me lie between is not known.
        last: u64,
    },
    /// After this peer was without any link: what was said meanwhile is coming in, and it is much.
    CatchingUp {
        /// How many messages have come.
        messages: u64,
        /// How many there are, roughly.
        of: u64,
    },
    /// All that was said while this peer was without any link has come, as far as those who are here have it. Its messages were
    /// events before this one.
    CaughtUp {
        /// How many messages.
        messages: u64,
        /// From how many people.
        people: usize,
    },
    /// Somebody is gone for good: nothing is addressed to him or kept for him any more.
    Forgotten {
        /// Who.
        who: Arc<Who>,
        /// Who says so; this user after `Config::forget_after` (30 days) without a sign of life. If they say it of themselves, they have
        /// deleted the account.
        by: Arc<Who>,
    },
    /// Somebody else created a group, or one came to be known.
    GroupAppeared {
        /// The group.
        group: String,
        /// A member.
        by: Arc<Who>,
    },
    /// Somebody joined a group.
    GroupJoined {
        /// The group.
        group: String,
        /// Who.
        who: Arc<Who>,
    },
    /// Somebody left a group.
    GroupLeft {
        /// The group.
        group: String,
        /// Who.
        who: Arc<Who>,
    },
    /// The last member left a group: it exists no more.
    GroupGone {
        /// The group.
        group: String,
    },
    /// History of a conversation has been fetched; its messages came before this event.
    Fetched {
        /// `all`, a group's name, or a person's label.
        conversation: String,
        /// How many messages.
        messages: usize,
    },
    /// A link was refused, by us or by the other side, with the reason.
    LinkRefused {
        /// The other side's address or label.
        peer: String,
        /// The reason and what to do.
        reason: String,
    },
    /// An address that was asked for could not be reached.
    ConnectFailed {
        /// The address.
        address: String,
        /// Why.
        reason: String,
    },
    /// A person is shown in another way: a new name, a new address, or a label that is longer since another person has
    /// the same name, or short again.
    PersonChanged {
        /// The person as now shown.
        who: Arc<Who>,
        /// As shown before.
        before: String,
        /// The name that the person claimed before.
        before_name: String,
    },
    /// Another person had this user's name first, and the user should choose another one. It is told once for each name.
    NameTaken {
        /// This user's name.
        name: String,
        /// The other person.
        who: Arc<Who>,
    },
    /// Something keeps this peer from working as it should. Told once; the answer to a question about its health has it as well.
    Problem(Problem),
    /// A problem that was told is gone. Told once; the text says so.
    Solved(Problem),
    /// A warning that the user should see.
    Warning {
        /// What, and what to do.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flood moves an event for each message, several times: no rare one may make all of them larger.
    #[test]
    fn no_event_is_larger_than_a_message() {
        assert_eq!(size_of::<Event>(), size_of::<Message>());
    }
}
