//! Answers and refusals as lines.

use std::sync::Arc;

use jiff::Timestamp;
use node::chat::{Answer, GroupInfo, HeldInfo, Message, PersonInfo, Recipients, Refusal, UserInfo, WaitingInfo, Who};
use unicode_width::UnicodeWidthStr;

use super::harmless_line;
use super::lines::{Show, and_list, held_line, seconds};

/// Who hears that an account was deleted, where `told` people are reachable.
pub(crate) fn told_others(told: usize) -> String {
    match told {
        1 => "one person is told, and tells the others".to_owned(),
        told => format!("{told} people are told, and tell the others"),
    }
}

/// How many people a line names before it counts the rest.
const NAMED: usize = 5;

/// How many characters of a text a list shows.
const BEGINNING: usize = 60;

impl Show {
    /// The lines of an answer that came at `now`.
    pub(crate) fn answer(&mut self, answer: &Answer, now: Timestamp) -> Vec<String> {
        match answer {
            Answer::Users { users } => self.users(users),
            Answer::Who { people } => people.iter().flat_map(|person| self.person(person)).collect(),
            Answer::Groups { groups } => self.groups(groups),
            Answer::Created { group } => {
                vec![format!("you have made the group {group} and are in it; @{group} MESSAGE writes to it")]
            }
            Answer::Joined { group, history } => self.joined(group, history),
            Answer::Left { group } => vec![format!("you have left {group}")],
            Answer::Sent { message, away, due_ms } => self.sent(message, away, *due_ms, now),
            Answer::Scheduled { waiting } => {
                let line = self.paint.dim(&self.scheduled_line(waiting));
                self.stamped(now, &line)
            }
            Answer::Cancelled { waiting } => vec![cancelled_line(waiting)],
            Answer::Connecting { address } => vec![format!("connecting to {}", harmless_line(address))],
            // It is asked for by those who can draw.
            Answer::Read | Answer::Diagram(_) => Vec::new(),
            Answer::History { of, messages } => self.history(of.as_ref(), messages),
            Answer::Found { of, messages } => self.found(of.as_ref(), messages),
            Answer::Seen { message, by, not_by, away } => self.seen(message, by, not_by, away),
            Answer::Shown { message } => self.whole(message),
            Answer::Pending { held, delayed: _, waiting, unacknowledged, undelivered: _ } => {
                self.pending(held, waiting, *unacknowledged)
            }
            Answer::Forgotten { who } => {
                vec![format!("{} is forgotten: nothing is kept for them any more, here or anywhere", self.who(who))]
            }
            Answer::Renamed { who } => vec![format!("you are now called {}", self.who(who))],
            Answer::Code { user, code } => self.code(user, code),
            Answer::Verified { user: UserInfo { who, verified: true, .. } } => {
                vec![format!("you have verified the key of {}", self.who(who))]
            }
            Answer::Verified { user } => vec![format!("the key of {} counts as not verified", self.who(&user.who))],
            Answer::Aliased { who } => {
                let name = harmless_line(&who.name);
                vec![format!("{name} ({}) is now {} to you", who.person.fingerprint(), self.who(who))]
            }
            Answer::Unaliased { who } => vec![format!("that is {} again", self.who(who))],
            Answer::Health { healthy: _, listening, links, missing, problems } => {
                let mut lines: Vec<_> =
                    problems.iter().map(|problem| format!("not healthy: {}", harmless_line(&problem.text))).collect();
                if lines.is_empty() || listening.is_empty() || !missing.is_empty() {
                    lines.push(health(listening, *links, missing));
                }
                lines
            }
            Answer::Deleting { who: _, told: 0 } => vec![
                "you have deleted the account, and nobody is here to be told: the others keep what is for you until one of \
                 them says -forget, or for 30 days"
                    .to_owned(),
            ],
            Answer::Deleting { who: _, told } => {
                vec![format!("you have deleted the account: {}", told_others(*told))]
            }
            Answer::LoggingOut { who: _ } => {
                vec!["you have logged out: what is sent to you waits until you are back".to_owned()]
            }
        }
    }

    /// The line of a refusal.
    pub(crate) fn refusal(&self, refusal: &Refusal) -> String {
        self.wrong(&refusal.to_string())
    }

    /// The line of anything else that went wrong.
    pub(crate) fn wrong(&self, text: &str) -> String {
        self.paint.wrong(&format!("! {}", harmless_line(text)))
    }

    /// The code of a person, and what to do with it.
    fn code(&self, user: &UserInfo, code: &str) -> Vec<String> {
        let label = harmless_line(&user.who.label);
        let again = if user.verified { " (you have verified this key)" } else { "" };
        vec![
            format!("your code with {}{again}:", self.who(&user.who)),
            format!("  {}", harmless_line(code)),
            format!("With -verify and your name {label} sees the same code, if you have each other's keys."),
            format!("Compare it by voice or in person. If it is the same: -verify {label} yes"),
            "If it is not, another person uses one of your names.".to_owned(),
        ]
    }

    fn users(&self, users: &[UserInfo]) -> Vec<String> {
        if users.is_empty() {
            return vec!["nobody; -lu lists everybody".to_owned()];
        }
        let width = users.iter().map(|user| harmless_line(&user.who.label).width()).max().unwrap_or(0);
        let address = |user: &UserInfo| harmless_line(user.who.address.as_deref().unwrap_or("-")).into_owned();
        let address_width = users.iter().map(|user| address(user).len()).max().unwrap_or(0);
        let state_width = users.iter().map(|user| state(user).len()).max().unwrap_or(0).max(4);
        let line = |user: &UserInfo| {
            let pad = " ".repeat(width - harmless_line(&user.who.label).width());
            let groups = harmless_line(&user.groups.join(", ")).into_owned();
            let (who, state, address) = (self.who(&user.who), state(user), address(user));
            format!("  {who}{pad}  {state:<state_width$}  {address:<address_width$}  {groups}").trim_end().to_owned()
        };
        users.iter().map(line).collect()
    }

    /// All that is known of a person.
    fn person(&self, person: &PersonInfo) -> Vec<String> {
        let who = &person.user.who;
        let state = if person.forgotten { "forgotten" } else { state(&person.user) };
        let mut lines = vec![format!("{}: {state}", self.who(who))];
        let key = who.person.to_string();
        let (groups, addresses) = (person.user.groups.join(", "), person.addresses.join(", "));
        let listening = person.listening.join(", ");
        let verified = if person.user.verified { "yes, by you".to_owned() } else { String::new() };
        let rows = [
            ("name", &who.name),
            ("fingerprint", &person.fingerprint),
            ("verified", &verified),
            ("key", &key),
            ("groups", &groups),
            ("addresses", &addresses),
            ("listens on", &listening),
        ];
        let told = rows.into_iter().filter(|(_, value)| !value.is_empty());
        lines.extend(told.map(|(what, value)| format!("  {what:<11}  {}", harmless_line(value))));
        lines
    }

    fn groups(&self, groups: &[GroupInfo]) -> Vec<String> {
        if groups.is_empty() {
            return vec!["no group; -creategroup GROUP makes one".to_owned()];
        }
        let width = groups.iter().map(|group| harmless_line(&group.name).width()).max().unwrap_or(0);
        let line = |group: &GroupInfo| {
            let name = harmless_line(&group.name);
            let pad = " ".repeat(width - name.width());
            let mine = if group.member { "*" } else { " " };
            format!("{mine} {name}{pad}  {}", harmless_line(&group.members.join(", ")))
        };
        groups.iter().map(line).collect()
    }

    fn joined(&mut self, group: &GroupInfo, history: &[Message]) -> Vec<String> {
        let name = harmless_line(&group.name).into_owned();
        let members = harmless_line(&group.members.join(", ")).into_owned();
        let mut lines = self.listed(history);
        lines.push(format!("you are in {name}, with {members}; @{name} MESSAGE writes to it"));
        lines
    }

    /// The line that was typed stands above already; what is left to say is what the user cannot see there.
    fn sent(&mut self, message: &Message, away: &[Who], due_ms: u64, now: Timestamp) -> Vec<String> {
        let mut notes = Vec::new();
        if due_ms > 0 {
            notes.push(format!("message {} goes out in {}", message.id.clock, seconds(due_ms)));
        }
        if away.is_empty() {
            self.told_away.clear();
        } else if self.told_away != away {
            self.told_away = away.to_vec();
            let verb = if away.len() == 1 { "is" } else { "are" };
            notes.push(format!("{} {verb} away: it is kept and goes out when they are back", name_some(away)));
        }
        if notes.is_empty() {
            return Vec::new();
        }
        let note = self.paint.dim(&format!("({})", notes.join("; ")));
        self.stamped(now, &note)
    }

    fn history(&mut self, of: Option<&Recipients>, messages: &[Message]) -> Vec<String> {
        if messages.is_empty() {
            return vec![match of {
                None | Some(Recipients::All) => "nothing has been said yet".to_owned(),
                Some(Recipients::Group(group)) => format!("nothing has been said in {} yet", harmless_line(group)),
                Some(Recipients::Direct(who)) => format!("you and {} have said nothing yet", harmless_line(&who.label)),
                Some(Recipients::People(others)) => format!("{} have said nothing yet to each other", with_you(others)),
            }];
        }
        self.listed(messages)
    }

    fn found(&mut self, of: Option<&Recipients>, messages: &[Message]) -> Vec<String> {
        if messages.is_empty() {
            let place = match of {
                None => "here".to_owned(),
                Some(Recipients::All) => "to everybody".to_owned(),
                Some(Recipients::Group(group)) => format!("in {}", harmless_line(group)),
                Some(Recipients::Direct(who)) => format!("between you and {}", harmless_line(&who.label)),
                Some(Recipients::People(others)) => format!("among {}", with_you(others)),
            };
            return vec![format!("no message {place} has all of these words")];
        }
        self.listed(messages)
    }

    /// The message, and below it who has it and who has not.
    fn seen(&mut self, message: &Message, by: &[Who], not_by: &[Who], away: &[Who]) -> Vec<String> {
        let mut lines = self.message(message);
        if by.is_empty() && not_by.is_empty() && away.is_empty() {
            lines.push("  nobody else is there to have it".to_owned());
        } else if not_by.is_empty() && away.is_empty() {
            lines.push(format!("  everybody has it ({})", by.len()));
        } else {
            let rows = [("has it", "have it", by), ("not yet", "not yet", not_by), ("away", "away", away)];
            for (one, more, people) in rows.into_iter().filter(|(_, _, people)| !people.is_empty()) {
                let row = if people.len() == 1 { one } else { more };
                lines.push(format!("  {row} ({}): {}", people.len(), name_some(people)));
            }
        }
        lines
    }

    /// Where a text of mine is scheduled, and how it is taken back.
    pub(super) fn scheduled_line(&self, waiting: &WaitingInfo) -> String {
        let WaitingInfo { number, due_at, .. } = waiting;
        let when = due_at.map_or_else(String::new, |due| format!(" for {}", self.time_of(due)));
        format!("(scheduled{when}; nobody waits for it; -cancel {number} takes it back)")
    }

    fn waiting_line(&self, waiting: &WaitingInfo) -> String {
        let WaitingInfo { number, id, due_at, .. } = waiting;
        let when = match (id, due_at) {
            (Some(id), Some(due)) => format!("message {} goes out at {}", id.clock, self.time_of(*due)),
            (None, Some(due)) => format!("scheduled for {}", self.time_of(*due)),
            (_, None) => format!("waits for you: -resend {number} sends it, -cancel {number} drops it"),
        };
        format!("{number}: {} ({when})", whole(waiting))
    }

    fn pending(&self, held: &[HeldInfo], waiting: &[WaitingInfo], unacknowledged: u64) -> Vec<String> {
        let mut lines: Vec<_> = held.iter().map(held_line).collect();
        lines.extend(waiting.iter().map(|waiting| self.waiting_line(waiting)));
        if unacknowledged > 0 {
            let s = if unacknowledged == 1 { "" } else { "s" };
            lines.push(format!("on its way: {unacknowledged} message{s} of yours that somebody has not got yet"));
        }
        if lines.is_empty() {
            lines.push("nothing is held back, delayed or on its way".to_owned());
        }
        lines
    }
}

fn state(user: &UserInfo) -> &'static str {
    match (user.me, user.present) {
        (true, _) => "you",
        (false, true) if user.verified => "here, verified",
        (false, true) => "here",
        (false, false) if user.verified => "away, verified",
        (false, false) => "away",
    }
}

/// That a text was taken back, and which.
pub(super) fn cancelled_line(waiting: &WaitingInfo) -> String {
    format!("taken back, and nobody got it: {}", whole(waiting))
}

/// To whom, and how the text begins.
fn whole(waiting: &WaitingInfo) -> String {
    let to = match &waiting.to {
        Recipients::All => "everybody".to_owned(),
        Recipients::Group(group) => harmless_line(group).into_owned(),
        Recipients::Direct(who) => harmless_line(&who.label).into_owned(),
        Recipients::People(others) => and_list(others.iter().map(|who| harmless_line(&who.label).into_owned())),
    };
    let text = harmless_line(&waiting.text);
    let cut: String = text.chars().take(BEGINNING).collect();
    let rest = if cut.len() < text.len() { "…" } else { "" };
    format!("to {to}: {cut}{rest}")
}

/// The first few by their labels, and how many more there are.
pub(super) fn name_some(people: &[Who]) -> String {
    let named: Vec<_> = people.iter().take(NAMED).map(|who| harmless_line(&who.label).into_owned()).collect();
    let more = people.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", named.join(", "))
}

fn with_you(others: &[Arc<Who>]) -> String {
    let others = others.iter().map(|who| harmless_line(&who.label).into_owned());
    and_list(["you".to_owned()].into_iter().chain(others))
}

fn health(listening: &[String], links: usize, missing: &[Who]) -> String {
    if listening.is_empty() {
        return "not healthy: this peer listens nowhere".to_owned();
    }
    if !missing.is_empty() {
        return format!("not healthy: there is no link to {}", name_some(missing));
    }
    let linked = match links {
        0 => "alone".to_owned(),
        1 => "1 link".to_owned(),
        _ => format!("{links} links"),
    };
    format!("healthy: {linked}, listening on {}", harmless_line(&listening.join(", ")))
}
