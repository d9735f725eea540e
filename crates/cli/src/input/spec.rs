//! The commands, once: help, completion and the parser read the same table.

use std::fmt::Write as _;

/// Which command a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Help,
    Quit,
    LogOut,
    DeleteAccount,
    ListUsers,
    Who,
    ListGroups,
    MyGroups,
    FindUser,
    FindGroup,
    CreateGroup,
    JoinGroup,
    LeaveGroup,
    Delay,
    History,
    Search,
    Seen,
    Show,
    Pending,
    Cancel,
    Resend,
    Nick,
    Verify,
    Alias,
    Unalias,
    Forget,
    Connect,
    Message,
    Me,
}

/// One command.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) verb: Verb,
    /// Its names without the `-`; the first is the one that help and completion show.
    pub(crate) names: &'static [&'static str],
    /// What stands behind the name.
    pub(crate) arguments: &'static str,
    pub(crate) about: &'static str,
}

impl Spec {
    /// The command as written, with what stands behind it.
    pub(crate) fn usage(&self) -> String {
        let name = self.names[0];
        if self.arguments.is_empty() { format!("-{name}") } else { format!("-{name} {}", self.arguments) }
    }

    /// The name of this command that was meant, in upper or lower case.
    pub(crate) fn named(&self, name: &str) -> &'static str {
        self.names.iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(&self.names[0])
    }
}

const fn spec(verb: Verb, names: &'static [&'static str], arguments: &'static str, about: &'static str) -> Spec {
    Spec { verb, names, arguments, about }
}

/// Every command, in the order in which help lists them.
pub(crate) const SPECS: &[Spec] = &[
    spec(Verb::ListUsers, &["listusers", "lu"], "", "everybody, present or away"),
    spec(Verb::Who, &["who"], "[PERSON]", "key and addresses of one, or everybody"),
    spec(Verb::FindUser, &["finduser"], "TEXT", "people by part of a name or address, with *"),
    spec(Verb::ListGroups, &["listgroups", "lg", "list"], "", "every group and its members"),
    spec(Verb::FindGroup, &["findgroup"], "TEXT", "groups by part of a name, with *"),
    spec(Verb::MyGroups, &["mygroups"], "", "the groups you are in"),
    spec(Verb::CreateGroup, &["creategroup"], "GROUP", "make a group and join it"),
    spec(Verb::JoinGroup, &["joingroup", "join"], "GROUP", "join a group, and see its last messages"),
    spec(Verb::LeaveGroup, &["leavegroup", "leave"], "GROUP", "leave a group"),
    spec(Verb::Delay, &["delay"], "SECONDS [@TARGET] MESSAGE", "send it later; up to 30 s, see who must wait"),
    spec(Verb::History, &["history"], "[TARGET] [N]", "the last N messages (5) of one, or of all"),
    spec(Verb::Search, &["search"], "[@TARGET] WORDS", "the last messages with all of these words"),
    spec(Verb::Seen, &["seen"], "[N]", "who has your last message, or the Nth last"),
    spec(Verb::Show, &["show"], "NAME#N", "the whole of a long message"),
    spec(Verb::Pending, &["pending"], "", "what is held back, and what you send later"),
    spec(Verb::Cancel, &["cancel"], "[N]", "take back what has not gone out yet"),
    spec(Verb::Resend, &["resend"], "[N]", "send now what was left unsent"),
    spec(Verb::Nick, &["nick"], "NAME", "call yourself by another name, for everybody"),
    spec(Verb::Verify, &["verify"], "PERSON [yes|no]", "a code to compare aloud, and what you found"),
    spec(Verb::Alias, &["alias"], "PERSON NAME", "call somebody by a name that only you see"),
    spec(Verb::Unalias, &["unalias"], "NAME", "forget that name"),
    spec(Verb::Forget, &["forget"], "PERSON", "give somebody up who is gone for good"),
    spec(Verb::Connect, &["connect"], "ADDRESS", "connect to an ip:port or a multiaddr"),
    spec(Verb::Message, &["msg"], "TARGET MESSAGE", "the same as @TARGET MESSAGE"),
    spec(Verb::Me, &["me"], "MESSAGE", "the same as *MESSAGE*, to everybody"),
    spec(Verb::Help, &["help", "h"], "", "this list"),
    spec(Verb::DeleteAccount, &["delete-account"], "NAME", "delete yourself, for everybody and for good"),
    spec(Verb::LogOut, &["logout"], "", "stop the peer; what is sent to you waits"),
    spec(Verb::Quit, &["quit", "q", "exit"], "", "say goodbye and leave, as Ctrl-D does"),
];

/// The command behind a name, which is given without its `-` or `/`.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// The names that are much like one that is none.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    // Longer than any name: what is left is not compared with a megabyte of something else.
    let name: String = name.to_ascii_lowercase().chars().take(40).collect();
    let names = SPECS.iter().flat_map(|spec| spec.names).copied();
    let score = |known: &str| {
        let likeness = strsim::jaro_winkler(known, &name);
        if known.contains(&name) || name.contains(known) && known.len() > 2 { likeness.max(0.9) } else { likeness }
    };
    names
        .map(|known| (score(known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|best| best.0 > 0.75)
        .map(|best| best.1)
}

/// What `-h` shows: every command, aligned, one a line.
pub(crate) fn help() -> String {
    let written = |spec: &Spec| {
        let names: Vec<_> = spec.names.iter().map(|name| format!("-{name}")).collect();
        let names = names.join(" ");
        if spec.arguments.is_empty() { names } else { format!("{names} {}", spec.arguments) }
    };
    let mut rows = vec![
        ("MESSAGE".to_owned(), "to everybody"),
        ("@TARGET MESSAGE".to_owned(), "to a person, a group, or an ip:port"),
        ("@BOB @CAROL MESSAGE".to_owned(), "one message to several people"),
        (" MESSAGE".to_owned(), "with a space in front: never a command"),
    ];
    rows.extend(SPECS.iter().map(|spec| (written(spec), spec.about)));
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (left, right) in rows {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {left:width$}  {right}");
    }
    text.push_str("  /command is -command, too. Tab completes; Ctrl-R searches what you typed.");
    text
}
