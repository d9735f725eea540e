/// Why a line is no command: each message says in one line what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misread {
    #[error("there is no command {given}{}; -h lists them all, and a space in front sends the line as text", suggestion(.nearest))]
    UnknownCommand { given: String, nearest: Option<&'static str> },
    #[error("something is missing: write {usage}")]
    Incomplete { usage: String },
    #[error("that is one word too many: write {usage}")]
    TooMany { usage: String },
    #[error("write a name right behind the @: @alice hello")]
    EmptyTarget,
    #[error("there is no message: write @{target} MESSAGE")]
    NoMessage { target: String },
    #[error("{given:?} is not a number of seconds from 0 to 3600: write {usage}")]
    BadDelay { given: String, usage: String },
    #[error("{given:?} names no message, as alice#12 does: write {usage}")]
    NoMessageName { given: String, usage: String },
    #[error("{given:?} is not a number of messages: write {usage}")]
    BadCount { given: String, usage: String },
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean -{name}?"))
}
