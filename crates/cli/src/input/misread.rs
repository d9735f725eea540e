/// Why a line is no command and goes to nobody: each message says in one line what to do, and how to send the line all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flaw}; {escape}")]
pub(crate) struct Misread {
    pub(super) flaw: Flaw,
    pub(super) escape: Escape,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("there is no command {given}{}; -h lists them all", suggestion(.nearest))]
    UnknownCommand { given: String, nearest: Option<&'static str> },
    #[error("something is missing: write {usage}")]
    Incomplete { usage: String },
    #[error("that is one word too many: write {usage}")]
    TooMany { usage: String },
    #[error("write a name right behind the @: @alice hello")]
    EmptyTarget,
    #[error("there is no message: write {targets} MESSAGE")]
    NoMessage { targets: String },
    #[error("{given:?} is not a number of seconds from 0 to 3600: write {usage}")]
    BadDelay { given: String, usage: String },
    #[error("{given:?} names no message, as alice#12 does: write {usage}")]
    NoMessageName { given: String, usage: String },
    #[error("{given:?} is not a number of messages from 1 on: write {usage}")]
    BadCount { given: String, usage: String },
    #[error("{given:?} is neither yes nor no: write {usage}")]
    NeitherYesNorNo { given: String, usage: String },
    #[error("U+{code:04X} in front of the {mark} cannot be seen or is an odd blank: write the {mark} first")]
    Hidden { code: u32, mark: char },
    #[error("U+{code:04X} looks like an @ and is none: write @ in front of a name")]
    LooksLikeAt { code: u32 },
    #[error("{given:?} looks like a command and is none: write -{name}")]
    LooksLikeCommand { given: String, name: &'static str },
    #[error("{given:?} begins a command, and only a message can be delayed")]
    DelayedCommand { given: String },
    #[error("{given:?} alone is not sent: did you mean -{name}?")]
    BareWord { given: String, name: &'static str },
}

/// How a text that was refused is sent all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Escape {
    #[error("a space in front sends the line to everybody as text")]
    Space,
    #[error("@all in front of the text sends it to everybody as it is")]
    All,
}

/// Of a whole line.
impl From<Flaw> for Misread {
    fn from(flaw: Flaw) -> Self {
        Self { flaw, escape: Escape::Space }
    }
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean -{name}?"))
}

/// What an error repeats of a line.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The first word of a line, as an error repeats it.
pub(super) fn first_word(text: &str) -> String {
    shortened(text.split_whitespace().next().unwrap_or(text))
}
