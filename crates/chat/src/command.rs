//! What a user may ask for, and what the peer answers. Command text is parsed by the user interface, never here.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::diagram::DiagramInfo;
use crate::name::TELLS_APART;
use crate::{GroupInfo, HeldInfo, Message, MessageId, PersonInfo, Problem, Recipients, UserInfo, WaitingInfo, Who};

/// To whom a message is addressed, as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Everybody.
    All,
    /// What stood behind `@`: the name of a person or a group, an alias, `name·fingerprint` or `name@fingerprint`,
    /// `name@address`, a fingerprint or a peer id.
    Name(String),
    /// Several people, as one message to all of them and to nobody else: names as in [`Name`](Self::Name), of people alone.
    People(Vec<String>),
    /// The person whom a dial of this address proves to be there, whatever anybody's record says.
    Address(SocketAddr),
}

/// One request of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Command {
    /// Everybody known, present or away.
    ListUsers,
    /// All that is known of a person, or of everybody who goes by a name that looks like this one.
    Who {
        /// The person: a name, an alias, `name·fingerprint`, `name@address`, an address, a fingerprint or a peer id.
        person: String,
    },
    /// Every group, with its members.
    ListGroups,
    /// The groups I am in.
    MyGroups,
    /// People whose name or address contains the pattern (case-insensitive; `*` stands for any run of characters).
    FindUser {
        /// The pattern.
        pattern: String,
    },
    /// Groups whose name contains the pattern, likewise.
    FindGroup {
        /// The pattern.
        pattern: String,
    },
    /// Creates a group and joins it.
    CreateGroup {
        /// The new group's name.
        group: String,
    },
    /// Joins a group that somebody is in.
    JoinGroup {
        /// Its name.
        group: String,
    },
    /// Leaves a group.
    LeaveGroup {
        /// Its name.
        group: String,
    },
    /// Sends a text.
    Send {
        /// To whom.
        to: Target,
        /// The text, 1 byte to `Config::max_text` bytes.
        text: String,
        /// Let it go out only after so many milliseconds (at most 3,600,000). Up to `Config::max_stamped_delay` (30 s) it is stamped
        /// now, so that what is said meanwhile waits for it; one that is longer is scheduled, and stamped when it goes out.
        #[serde(default)]
        delay_ms: u64,
    },
    /// Messages of one conversation, or of all of them: the newest, or those next to a message of the history.
    History {
        /// The conversation; all when left out.
        #[serde(default)]
        of: Option<Target>,
        /// How many; `Config::history_shown` (5) when left out.
        #[serde(default)]
        count: Option<usize>,
        /// Only what stands before this message in the history.
        #[serde(default)]
        before: Option<MessageId>,
        /// Only what stands behind this message: of that the oldest messages, not the newest.
        #[serde(default)]
        after: Option<MessageId>,
    },
    /// Marks what was shown of one conversation, or of all of them, as read by the user, for all user interfaces.
    Read {
        /// The conversation; all when left out.
        #[serde(default)]
        of: Option<Target>,
        /// The last message that was read: what stands behind it in the history stays unread. Everything is read when left out.
        #[serde(default)]
        up_to: Option<MessageId>,
    },
    /// The newest messages that have all of some words in them, of one conversation or of all.
    Search {
        /// The words, with white space in between; upper and lower case do not matter.
        words: String,
        /// The conversation; all when left out.
        #[serde(default)]
        of: Option<Target>,
        /// How many; `Config::search_shown` (20) when left out.
        #[serde(default)]
        count: Option<usize>,
    },
    /// Who has a message of mine, and who has not.
    Seen {
        /// Which one: 1 or nothing for the last, 2 for the one before.
        #[serde(default)]
        nth: Option<usize>,
        /// Which one, by its id; then `nth` does not count.
        #[serde(default)]
        message: Option<MessageId>,
    },
    /// One message, the whole of it.
    Show {
        /// Who wrote it, as [`Target::Name`] names a person, or the process of the message's id.
        author: String,
        /// Its author's clock at the send: the number behind the `#`.
        clock: u64,
    },
    /// What is held back, and what it waits for; and what of mine has not gone out yet.
    Pending,
    /// Takes back a text of mine that has not gone out yet.
    Cancel {
        /// Its number; the one that was written last when left out.
        #[serde(default)]
        number: Option<u64>,
    },
    /// Sends a text of mine now that is scheduled, or that was left unsent.
    Resend {
        /// Its number; the one that was left unsent last when left out.
        #[serde(default)]
        number: Option<u64>,
    },
    /// Another name for this user, for everybody.
    Nick {
        /// The new name.
        name: String,
    },
    /// Shows the code by which this user and a person can tell that they have each other's keys, or remembers what they found.
    Verify {
        /// The person, as for [`Command::Who`].
        person: String,
        /// Whether both have the same code; left out to see it.
        #[serde(default)]
        same: Option<bool>,
    },
    /// A name for a person that only this user sees.
    Alias {
        /// The person, as for [`Command::Who`].
        person: String,
        /// The name to show instead.
        name: String,
    },
    /// Forgets an alias.
    Unalias {
        /// The alias.
        name: String,
    },
    /// Forgets somebody who is gone for good, for everybody.
    Forget {
        /// The person, as for [`Command::Who`].
        person: String,
    },
    /// Connects to a peer at `ip:port`, `host:port` or a multiaddr.
    Connect {
        /// The address.
        address: String,
    },
    /// What this peer saw lately, as a space–time diagram.
    Diagram,
    /// How this peer is doing.
    Health,
    /// Deletes the account: tells everybody that nothing is to be kept for its person any more, and stops the peer, whose process then
    /// removes what it kept.
    DeleteAccount {
        /// The name that the person claims, letter by letter, to say that it is meant.
        name: String,
    },
    /// Stops the peer, whichever user interface asks. Its person is away then, and what is sent to them waits.
    LogOut,
}

impl Command {
    /// Whether the peer stops if it carries this out.
    pub fn asks_to_stop(&self) -> bool {
        matches!(self, Self::LogOut | Self::DeleteAccount { .. })
    }

    /// Whether carrying it out changes what is kept. Any other can be answered while nothing can be kept.
    pub fn changes_state(&self) -> bool {
        match self {
            Self::CreateGroup { .. }
            | Self::JoinGroup { .. }
            | Self::LeaveGroup { .. }
            | Self::Send { .. }
            | Self::Cancel { .. }
            | Self::Resend { .. }
            | Self::Nick { .. }
            | Self::Verify { same: Some(_), .. }
            | Self::Alias { .. }
            | Self::Unalias { .. }
            | Self::Read { .. }
            | Self::Forget { .. }
            | Self::DeleteAccount { .. } => true,
            Self::ListUsers
            | Self::Who { .. }
            | Self::Verify { same: None, .. }
            | Self::ListGroups
            | Self::MyGroups
            | Self::FindUser { .. }
            | Self::FindGroup { .. }
            | Self::History { .. }
            | Self::Search { .. }
            | Self::Seen { .. }
            | Self::Show { .. }
            | Self::Pending
            | Self::Connect { .. }
            | Self::Diagram
            | Self::Health
            | Self::LogOut => false,
        }
    }
}

/// The answer to a command that was carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// To [`Command::ListUsers`] and [`Command::FindUser`], sorted by name; oneself is among them.
    Users {
        /// The people.
        users: Vec<UserInfo>,
    },
    /// To [`Command::Who`], sorted by name; more than one where people share the name.
    Who {
        /// The people.
        people: Vec<PersonInfo>,
    },
    /// To [`Command::ListGroups`], [`Command::FindGroup`] and [`Command::MyGroups`], sorted by name.
    Groups {
        /// The groups.
        groups: Vec<GroupInfo>,
    },
    /// The group exists and I am in it.
    Created {
        /// Its name.
        group: String,
    },
    /// I am in the group.
    Joined {
        /// The group as it now is.
        group: GroupInfo,
        /// Its newest messages that are here already, oldest first. More may follow as [`crate::Event::Message`]s
        /// with `fetched` set, once the members have handed them over.
        history: Vec<Message>,
    },
    /// I am no longer in the group.
    Left {
        /// Its name.
        group: String,
    },
    /// The message is on its way, or kept for those who are away.
    Sent {
        /// The message as the others will see it.
        message: Message,
        /// Those of its recipients who are not reachable now; they get it when they return.
        away: Vec<Who>,
        /// When it will be transmitted, in milliseconds from now; 0 unless it is delayed.
        due_ms: u64,
    },
    /// The text will be stamped and sent later.
    Scheduled {
        /// The text and when it goes out.
        waiting: WaitingInfo,
    },
    /// The text was taken back: nobody got it, and nothing waits for it any more.
    Cancelled {
        /// What it was.
        waiting: WaitingInfo,
    },
    /// The message is sent once the address has proved who is there; if that fails nothing is sent.
    Connecting {
        /// The address.
        address: String,
    },
    /// What was shown is marked as read.
    Read,
    /// The messages, oldest first.
    History {
        /// Whose conversation it is; `None` for all of them.
        of: Option<Recipients>,
        /// The messages.
        messages: Vec<Message>,
    },
    /// What was looked for, the newest of it, oldest first.
    Found {
        /// Whose conversation it is; `None` for all of them.
        of: Option<Recipients>,
        /// The messages.
        messages: Vec<Message>,
    },
    /// Who has a message of mine. Whoever was forgotten, or lives on as another incarnation, is in none of the lists.
    Seen {
        /// The message.
        message: Message,
        /// Those who have it.
        by: Vec<Who>,
        /// Those who are reachable and have not got it yet.
        not_by: Vec<Who>,
        /// Those who are away; they get it when they return.
        away: Vec<Who>,
    },
    /// The message that was asked for.
    Shown {
        /// The message; the newest one, if its author has begun anew and counts from 1 again.
        message: Message,
    },
    /// What is held back.
    Pending {
        /// The messages, oldest first.
        held: Vec<HeldInfo>,
        /// My own messages that are stamped and whose transmission is delayed.
        delayed: Vec<MessageId>,
        /// My own texts that have not gone out yet, stamped or not, by number.
        #[serde(default)]
        waiting: Vec<WaitingInfo>,
        /// My own messages that somebody has not acknowledged: the message's number and who is missing.
        unacknowledged: u64,
        /// Of these, the newest `Config::max_undelivered`, those that are not with everybody who is here, or with nobody yet:
        /// [`Event::Delivered`](crate::Event::Delivered) tells when that changes.
        #[serde(default)]
        undelivered: Vec<MessageId>,
    },
    /// The person is forgotten: nothing is addressed to him or kept for him any more, here or anywhere. Should he return after
    /// all he is somebody new with a known name, and gets what was said as history.
    Forgotten {
        /// The person.
        who: Who,
    },
    /// This user has another name.
    Renamed {
        /// This user under the new name.
        who: Who,
    },
    /// The code of this user and a person.
    Code {
        /// The person.
        user: UserInfo,
        /// Six groups of five digits, the same on the person's screen.
        code: String,
    },
    /// What this user found is remembered: [`UserInfo::verified`] has it.
    Verified {
        /// The person.
        user: UserInfo,
    },
    /// The alias is set.
    Aliased {
        /// The person under the new name.
        who: Who,
    },
    /// The alias is gone.
    Unaliased {
        /// The person under the old name.
        who: Who,
    },
    /// What this peer saw lately.
    Diagram(DiagramInfo),
    /// How this peer is doing.
    Health {
        /// It listens, and nobody is missing. To be alone is healthy.
        healthy: bool,
        /// Where it listens, `ip:port` each.
        listening: Vec<String>,
        /// The people to whom there is a link.
        links: usize,
        /// The people who should have a link and have none.
        missing: Vec<Who>,
        /// What else keeps it from working as it should.
        #[serde(default)]
        problems: Vec<Problem>,
    },
    /// The peer tells the others that the account is deleted, and stops: nothing more is answered.
    Deleting {
        /// This user.
        who: Who,
        /// How many people are reachable and are told. The others hear it from these; if there are none, nobody hears it, and the others
        /// forget the person after `Config::forget_after` (30 days).
        told: usize,
    },
    /// The peer says goodbye and stops: nothing more is answered.
    LoggingOut {
        /// This user.
        who: Who,
    },
}

impl Answer {
    /// Whether the peer stops after this answer.
    pub fn is_the_last(&self) -> bool {
        matches!(self, Self::LoggingOut { .. } | Self::Deleting { .. })
    }
}

/// Why a command was not carried out. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case", tag = "refusal")]
pub enum Refusal {
    /// The store cannot keep anything at the moment, so nothing is done.
    #[error("nothing can be kept at the moment, so nothing is done: {reason}")]
    NotKept {
        /// Why not.
        reason: String,
    },
    /// A copy of this peer was started later and is running, so this one says nothing.
    #[error(
        "another copy of this peer was started later and is running, so this one sends nothing: stop the other one and start \
         this one again, or go on there"
    )]
    Superseded,
    /// Nobody and no group goes by that name.
    #[error("nobody and no group is called {name:?}{}", did_you_mean(.nearest))]
    UnknownTarget {
        /// The name.
        name: String,
        /// A known name that is much like it.
        nearest: Option<String>,
    },
    /// Nobody goes by that name.
    #[error("nobody is called {name:?}{}; -lu lists everybody", did_you_mean(.nearest))]
    UnknownUser {
        /// The name.
        name: String,
        /// A known name that is much like it.
        nearest: Option<String>,
    },
    /// No group goes by that name.
    #[error("there is no group {group:?}{}; -lg lists the groups, -creategroup makes one", did_you_mean(.nearest))]
    UnknownGroup {
        /// The name.
        group: String,
        /// A known name that is much like it.
        nearest: Option<String>,
    },
    /// More than one person or group goes by that name.
    #[error("{name:?} is more than one: {}; write one of these{}", candidates.join(", "), in_ascii(candidates))]
    Ambiguous {
        /// The name.
        name: String,
        /// What to write instead, each of them unambiguous.
        candidates: Vec<String>,
    },
    /// The group exists already.
    #[error("the group {group:?} exists already; -joingroup {group} joins it")]
    GroupExists {
        /// The name.
        group: String,
    },
    /// A person who is known goes by that name, so no group may be created under it.
    #[error("{name:?} is the name of a person; a group needs another one")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// This user is called so already.
    #[error("you are called {name} already")]
    SameName {
        /// The name.
        name: String,
    },
    /// A person who is known has a name or a label that looks like it.
    #[error("{name:?} is taken: {who} is called so, or looks the same; choose another name")]
    NickTaken {
        /// The name.
        name: String,
        /// The label of the person.
        who: String,
    },
    /// It looks like an alias of this user's.
    #[error("{alias:?} is your alias for {who}; choose another name, or forget the alias with -unalias {alias}")]
    NickIsAlias {
        /// The alias.
        alias: String,
        /// The name of the person.
        who: String,
    },
    /// A person has that name, so no other person is called so.
    #[error("{name:?} is what {who} is called; an alias needs another name")]
    AliasTaken {
        /// The name.
        name: String,
        /// The label of who goes by it.
        who: String,
    },
    /// Not a name: the reason says what a name is.
    #[error("{name:?} is not a name: {reason}")]
    BadName {
        /// What was given, cut to 80 characters.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// I am not in that group.
    #[error("you are not in the group {group:?}; -joingroup {group} joins it")]
    NotAMember {
        /// The name.
        group: String,
    },
    /// I am in that group already.
    #[error("you are in the group {group:?} already")]
    AlreadyAMember {
        /// The name.
        group: String,
    },
    /// `all` holds everybody and cannot be created, joined or left.
    #[error("`all` holds everybody: it cannot be created, joined or left")]
    AllIsFixed,
    /// A message without text.
    #[error("there is no text to send")]
    EmptyText,
    /// A search for nothing.
    #[error("there are no words to look for")]
    NoWords,
    /// I have not said so much.
    #[error("there is no such message of yours{}", only(*.said))]
    NothingSaid {
        /// How many of my messages there are here.
        said: usize,
    },
    /// No message of that author has that number.
    #[error("no message {message} is among the newest {limit} here")]
    NoSuchMessage {
        /// The author and the number, `alice#12`.
        message: String,
        /// `Config::max_looked_through`.
        limit: usize,
    },
    /// There is no such message in the history here.
    #[error("the message {message} is not here, or shows nothing")]
    NotInHistory {
        /// Its id.
        message: MessageId,
    },
    /// A text over the limit.
    #[error("the text has {bytes} bytes; a message holds {limit} at most")]
    TextTooLong {
        /// Its length in bytes.
        bytes: usize,
        /// `Config::max_text`.
        limit: usize,
    },
    /// There is nothing to take back.
    #[error("nothing of yours waits to go out{}; -pending lists what does", numbered(*.number))]
    NothingWaits {
        /// The number that was given.
        number: Option<u64>,
    },
    /// There is nothing to send after all.
    #[error(
        "nothing of yours was left unsent; -pending lists what waits to go out, and -resend N sends one of these now"
    )]
    NothingUnsent,
    /// A delay over an hour.
    #[error("a delay is 0 to 3600 seconds")]
    DelayTooLong,
    /// A message to several was addressed to something that is not a person.
    #[error("{name:?} is not a person; one message to several goes to people alone")]
    NotAPerson {
        /// What was given.
        name: String,
    },
    /// A list of people without anybody in it.
    #[error("there is nobody in this list of people")]
    NoPeople,
    /// A message to too many people at once.
    #[error("a message goes to {limit} people at most ({config}); make a group with -creategroup, or write to @all")]
    TooManyPeople {
        /// The limit.
        limit: usize,
        /// The name of the limit in `Config`.
        config: String,
    },
    /// A message to oneself.
    #[error("that is you: there is nobody else to send it to")]
    Oneself,
    /// Somebody who is here was to be forgotten.
    #[error("{who} is here; only somebody who has gone can be forgotten")]
    Present {
        /// The person's label.
        who: String,
    },
    /// The name of the account to be deleted was not written, or another one.
    #[error(
        "this deletes {name} for everybody, and everything that is kept here, and nothing brings it back: to go on write \
         -delete-account {name}"
    )]
    NotConfirmed {
        /// The name to write.
        name: String,
    },
    /// The person was forgotten and has not returned.
    #[error("{who} is gone for good, and nothing reaches them; if they return, they are known again at once")]
    Departed {
        /// The person's label.
        who: String,
    },
    /// The user's own key was to be compared.
    #[error("that is you: -verify NAME is for the key of another person")]
    OwnKey,
    /// Too many messages wait for others to take them; the limit is named.
    #[error("{bytes} bytes of your messages wait for others to take them; the limit is {limit} ({config})")]
    OutboxFull {
        /// How much waits.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
        /// The name of the limit in `Config`.
        config: String,
    },
    /// A limit of `Config` on how many there may be.
    #[error("there are {limit} {what} already, the limit ({config})")]
    TooMany {
        /// Groups, aliases ...
        what: String,
        /// The limit.
        limit: usize,
        /// The name of the limit in `Config`.
        config: String,
    },
    /// Not an address.
    #[error("{address:?} is not an address: write ip:port, [ip6]:port, host:port or a multiaddr")]
    BadAddress {
        /// What was given.
        address: String,
    },
}

fn in_ascii(candidates: &[String]) -> &'static str {
    let has_dot = candidates.iter().any(|candidate| candidate.contains(TELLS_APART));
    if has_dot { " (@ does for ·)" } else { "" }
}

fn only(said: usize) -> String {
    match said {
        0 => ": you have said nothing yet".to_owned(),
        1 => "; there is one here".to_owned(),
        _ => format!("; there are {said} here"),
    }
}

fn numbered(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| format!(" under the number {number}"))
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
