//! Events as lines.

use std::collections::BTreeSet;
use std::iter;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use node::chat::{Event, HeldInfo, Message, MessageId, PersonId, Recipients, Who};
use node::line::Hello;

use super::answers::{cancelled_line, name_some};
use super::fold::fold;
use super::{Paint, harmless, harmless_line};

/// What stands in front of the second and further lines of one message: as much as a time and a space.
pub(super) const INDENT: &str = "         ";

/// The kind of problem that tells of many people at once.
const OFFLINE: &str = "offline";

/// Turns events and answers into lines of text without line ends. It remembers the day last shown, so that a line can
/// say when it changes.
#[derive(Debug)]
pub(crate) struct Show {
    pub(super) paint: Paint,
    zone: TimeZone,
    /// The user, once it is known who that is.
    me: Option<PersonId>,
    day: Option<Date>,
    /// Who went when this peer lost the network, while it is known to be without one, and until they are back.
    gone_at_once: BTreeSet<PersonId>,
    /// Who was away when the user was last told so. It is told again when that changes.
    pub(super) told_away: Vec<Who>,
    offline: bool,
    /// Long messages are shown by their beginning.
    folds: bool,
}

impl Show {
    pub(crate) fn new(paint: Paint, zone: TimeZone) -> Self {
        Self {
            paint,
            zone,
            me: None,
            day: None,
            gone_at_once: BTreeSet::new(),
            told_away: Vec::new(),
            offline: false,
            folds: false,
        }
    }

    /// For a screen: long messages are shown by their beginning, with what to type for the rest.
    pub(crate) fn folding(self) -> Self {
        Self { folds: true, ..self }
    }

    /// The lines that begin a session; `hint` says what to do next.
    pub(crate) fn hello(&mut self, hello: &Hello, hint: &str) -> Vec<String> {
        let me = &hello.known.me;
        self.me = Some(me.person);
        let program = harmless_line(&hello.program);
        let mut lines = vec![format!(
            "{program}: you are {}{}",
            self.paint.person(me.person, &harmless_line(&me.name)),
            self.paint.dim(&format!(" ({}); {}", me.person.fingerprint(), harmless_line(hint)))
        )];
        let here: Vec<Who> =
            hello.known.users.iter().filter(|user| user.present && !user.me).map(|user| user.who.clone()).collect();
        if !here.is_empty() {
            lines.push(format!("here: {}", name_some(&here)));
        }
        if let Some(other) = &hello.known.name_taken_by {
            lines.push(self.paint.warning(&name_taken(&me.name, other)));
        }
        lines
    }

    /// The lines of an event that happened at `now`; some events have none.
    pub(crate) fn event(&mut self, event: &Event, now: Timestamp) -> Vec<String> {
        let paint = self.paint;
        let text = match event {
            Event::Message { message } if message.fetched => return self.message(message),
            Event::Message { message } => return self.delivered(message, now),
            Event::Listening { address } => paint.dim(&format!("listening on {}", harmless_line(address))),
            // One line for all of them has said so.
            Event::PeerUp { who, .. } if self.gone_at_once.remove(&who.person) => return Vec::new(),
            Event::PeerDown { who, .. } if self.offline => {
                self.gone_at_once.insert(who.person);
                return Vec::new();
            }
            Event::PeerUp { who, new } => {
                format!("* {} is here{}", self.who(who), if *new { ", for the first time" } else { "" })
            }
            Event::PeerDown { who, reason } => format!("* {} has gone: {}", self.who(who), harmless_line(reason)),
            Event::Scheduled { waiting } => paint.dim(&self.scheduled_line(waiting)),
            Event::Cancelled { waiting } => paint.dim(&cancelled_line(waiting)),
            Event::Held { held } => paint.dim(&held_line(held)),
            Event::Released { id, from, held_ms } => {
                paint.dim(&format!("released: {} after {}", name_message(id, from), seconds(*held_ms)))
            }
            Event::Gap { from, first, last } => {
                let which =
                    if first == last { format!("message {first}") } else { format!("messages {first} to {last}") };
                paint.warning(&format!(
                    "gap: {which} of {} could not be had from anybody reachable; what comes after is shown without",
                    harmless_line(&from.label)
                ))
            }
            Event::Unspread { id, messages, missing } => {
                let which = if *messages == 1 {
                    format!("your message {} is", id.clock)
                } else {
                    format!("{messages} messages of yours, from {} on, are", id.clock)
                };
                paint.dim(&format!("({which} not yet with {})", name_some(missing)))
            }
            Event::Spread { id, messages: 1 } => {
                paint.dim(&format!("(your message {} is now with everybody who is here)", id.clock))
            }
            Event::Spread { id, messages } => {
                let text =
                    format!("({messages} messages of yours, up to {}, are now with everybody who is here)", id.clock);
                paint.dim(&text)
            }
            // What the user sees here need not be counted for them.
            Event::Delivered { .. } | Event::Unread(_) => return Vec::new(),
            Event::CatchingUp { messages, of } => {
                paint.dim(&format!("catching up: {} of about {}", thousands(*messages), thousands(*of)))
            }
            Event::CaughtUp { messages, people } => format!(
                "* caught up: {} message{} from {} while you were away",
                thousands(*messages),
                if *messages == 1 { "" } else { "s" },
                if *people == 1 { "one person".to_owned() } else { format!("{people} people") }
            ),
            Event::Forgotten { who, by } if who.person == by.person => {
                format!("* {} has deleted the account", self.who(who))
            }
            Event::Forgotten { who, by } => {
                format!("* {} is gone for good and forgotten, as {} says", self.who(who), self.who(by))
            }
            Event::GroupAppeared { group, by } => {
                let group = harmless_line(group);
                format!("* there is a group {group}, with {}; -joingroup {group} joins it", self.who(by))
            }
            Event::GroupJoined { group, who } => format!("* {} has joined {}", self.who(who), harmless_line(group)),
            Event::GroupLeft { group, who } => format!("* {} has left {}", self.who(who), harmless_line(group)),
            Event::GroupGone { group } => format!("* the group {} is gone: nobody is in it", harmless_line(group)),
            Event::Fetched { messages: 0, .. } => return Vec::new(),
            Event::Fetched { conversation, messages } => paint.dim(&format!(
                "({messages} earlier message{} of {})",
                if *messages == 1 { "" } else { "s" },
                harmless_line(conversation)
            )),
            Event::LinkRefused { peer, reason } => {
                paint.warning(&format!("no link to {}: {}", harmless_line(peer), harmless_line(reason)))
            }
            Event::ConnectFailed { address, reason } => {
                paint.warning(&format!("could not connect to {}: {}", harmless_line(address), harmless_line(reason)))
            }
            Event::PersonChanged { who, before, before_name } if *before_name != who.name => {
                let now_called = self.paint.person(who.person, &harmless_line(&who.name));
                if self.me == Some(who.person) {
                    format!("* you are now called {}", self.who(who))
                } else if *before == who.label {
                    // The label is this user's own name for them.
                    format!("* {} ({}) is now called {now_called}", harmless_line(before), harmless_line(before_name))
                } else {
                    format!("* {} is now called {}", harmless_line(before), self.who(who))
                }
            }
            // Only the address is another one.
            Event::PersonChanged { who, before, .. } if *before == who.label => return Vec::new(),
            Event::PersonChanged { who, before, .. } => {
                let shared = who.label.strip_prefix(before.as_str()).is_some_and(|rest| rest.starts_with('·'));
                let why = if shared { ", as another person's name looks the same" } else { "" };
                if self.me == Some(who.person) {
                    format!("* you are now called {}{why}", self.who(who))
                } else {
                    format!("* {} is now {}{why}", harmless_line(before), self.who(who))
                }
            }
            Event::NameTaken { name, who } => paint.warning(&name_taken(name, who)),
            Event::Problem(problem) if problem.kind == OFFLINE => {
                self.offline = true;
                self.gone_at_once.clear();
                paint.warning(&harmless_line(&problem.text))
            }
            Event::Solved(problem) if problem.kind == OFFLINE => {
                self.offline = false;
                format!("* {}", harmless_line(&problem.text))
            }
            Event::Problem(problem) => paint.warning(&harmless_line(&problem.text)),
            Event::Solved(problem) => harmless_line(&problem.text).into_owned(),
            Event::Warning { text } => paint.warning(&harmless_line(text)),
            // `Event` may grow; a new kind is shown by its name until it has a line of its own.
            other => paint.dim(&harmless_line(&format!("{other:?}"))),
        };
        self.stamped(now, &text)
    }

    /// The lines of messages that were said before this prompt was opened: less bright than what is said now.
    pub(crate) fn recent(&mut self, messages: &[Message]) -> Vec<String> {
        let bright = std::mem::replace(&mut self.paint, Paint { on: false });
        let lines = self.listed(messages);
        self.paint = bright;
        lines.iter().map(|line| bright.dim(line)).collect()
    }

    /// The lines of a message, long as it may be.
    pub(super) fn whole(&mut self, message: &Message) -> Vec<String> {
        let folds = std::mem::replace(&mut self.folds, false);
        let lines = self.message(message);
        self.folds = folds;
        lines
    }

    /// The lines of messages in the order of history. A day that is over does not come back: that is a clock that is behind.
    pub(super) fn listed(&mut self, messages: &[Message]) -> Vec<String> {
        let mut latest = None;
        let mut lines = Vec::with_capacity(messages.len());
        for message in messages {
            latest = if message.clock_off { latest } else { latest.max(Some(self.written(message).date())) };
            lines.extend(self.message_under(latest.or(self.day), message));
        }
        lines
    }

    /// The lines of a message, under the day on which it was written if its author's clock is to be believed.
    pub(crate) fn message(&mut self, message: &Message) -> Vec<String> {
        let day = if message.clock_off { self.day } else { Some(self.written(message).date()) };
        self.message_under(day, message)
    }

    /// The lines of a message that is delivered now, under the day on which that is: its author was away, or has a clock that is wrong.
    fn delivered(&mut self, message: &Message, now: Timestamp) -> Vec<String> {
        let today = now.to_zoned(self.zone.clone()).date();
        self.message_under(Some(today), message)
    }

    /// When a message was written by its author's own clock.
    fn written(&self, message: &Message) -> Zoned {
        Timestamp::from_microsecond(message.sent_at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone())
    }

    fn message_under(&mut self, day: Option<Date>, message: &Message) -> Vec<String> {
        let text = harmless(&message.text);
        let (text, more) = if self.folds { fold(&text) } else { (&*text, None) };
        let to = match &message.to {
            Recipients::All => String::new(),
            Recipients::Group(group) => format!("[{}] ", harmless_line(group)),
            Recipients::Direct(_) if !message.own => "[to you] ".to_owned(),
            Recipients::Direct(who) => format!("[to {}] ", harmless_line(&who.label)),
            Recipients::People(others) => {
                let others = others.iter().filter(|who| who.person != message.from.person);
                let others = others.map(|who| harmless_line(&who.label).into_owned());
                let you = (!message.own).then(|| "you".to_owned());
                format!("[to {}] ", and_list(you.into_iter().chain(others)))
            }
        };
        let mut marks = Vec::new();
        if message.late {
            marks.push("came late");
        }
        if message.clock_off {
            marks.push("by a clock that is off");
        }
        let at = self.written(message);
        let day = day.unwrap_or_else(|| at.date());
        let written = at.strftime("%-d %B %Y").to_string();
        if day != at.date() {
            marks.insert(0, &written);
        }
        let marks = if marks.is_empty() { String::new() } else { self.paint.dim(&format!(" ({})", marks.join(", "))) };
        let from = self.who(&message.from);
        let more = more.map_or_else(String::new, |more| {
            format!("\n{}", self.paint.dim(&format!("{more}; -show {}", name_message(&message.id, &message.from))))
        });
        self.under(day, &at, &format!("{}{from}: {text}{more}{marks}", self.paint.dim(&to)))
    }

    /// Somebody's label, painted.
    pub(super) fn who(&self, who: &Who) -> String {
        self.paint.person(who.person, &harmless_line(&who.label))
    }

    /// `text` behind the time of day, and before it the day if it is not the one of the line before.
    pub(crate) fn stamped(&mut self, at: Timestamp, text: &str) -> Vec<String> {
        let at = at.to_zoned(self.zone.clone());
        self.under(at.date(), &at, text)
    }

    fn under(&mut self, day: Date, at: &Zoned, text: &str) -> Vec<String> {
        let mut lines = Vec::with_capacity(2);
        if self.day.is_some_and(|before| before != day) {
            lines.push(self.paint.dim(&format!("-- {} --", day.strftime("%A, %-d %B %Y"))));
        }
        self.day = Some(day);
        lines.extend(timed(&self.paint.dim(&at.strftime("%H:%M:%S").to_string()), text));
        lines
    }

    /// The time of day, in this user's zone.
    pub(super) fn time_of(&self, unix_micros: i64) -> String {
        let at = Timestamp::from_microsecond(unix_micros).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// Whether there are colours.
    pub(crate) fn colours(&self) -> bool {
        self.paint.on
    }

    /// The day of the lines to come, if none was shown yet.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.day.get_or_insert_with(|| now.to_zoned(self.zone.clone()).date());
    }
}

/// A line of this user's own, as it stands on the screen once it was sent at `time`.
pub(crate) fn said(time: &str, prompt: &str, text: &str) -> Vec<String> {
    let text = harmless(text);
    let (text, more) = fold(&text);
    let more = more.map_or_else(String::new, |more| format!("\n{more}"));
    timed(time, &format!("{prompt}{text}{more}"))
}

/// `text` behind a time, its further lines indented as far.
fn timed(time: &str, text: &str) -> Vec<String> {
    let mut rows = text.split('\n');
    let first = rows.next().unwrap_or("");
    iter::once(format!("{time} {first}")).chain(rows.map(|row| format!("{INDENT}{row}"))).collect()
}

/// That another person had this user's name first.
fn name_taken(name: &str, other: &Who) -> String {
    format!(
        "your name {} is also the name of {}, who had it first: choose another with -nick NAME",
        harmless_line(name),
        harmless_line(&other.label)
    )
}

/// `held: waiting for alice#12 (bob#4 comes after it)`.
pub(super) fn held_line(held: &HeldInfo) -> String {
    let mut waits: Vec<String> = held.missing.iter().map(|(id, from)| name_message(id, from)).collect();
    waits.extend(held.fetching.iter().map(|of| format!("what was said before in {}", harmless_line(of))));
    let comes = if waits.len() == 1 { "it" } else { "them" };
    format!("held: waiting for {} ({} comes after {comes})", waits.join(", "), name_message(&held.id, &held.from))
}

/// A message by its author and its number: `alice#12`.
pub(super) fn name_message(id: &MessageId, from: &Arc<Who>) -> String {
    format!("{}#{}", harmless_line(&from.label), id.clock)
}

/// `you, bob and carol`.
pub(super) fn and_list(names: impl IntoIterator<Item = String>) -> String {
    let mut names: Vec<String> = names.into_iter().collect();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// A number for people.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span of time for people.
pub(super) fn seconds(milliseconds: u64) -> String {
    if milliseconds < 1000 { format!("{milliseconds} ms") } else { format!("{:.1} s", milliseconds as f64 / 1000.0) }
}
