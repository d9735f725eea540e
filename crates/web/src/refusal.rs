use std::net::IpAddr;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

use crate::sessions::NoSession;
use crate::vault::Busy;

/// Why somebody does not get in, or does not get what they asked for. The text is for people to read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("too many tries: wait {} s, and try again", .0.as_secs().max(1))]
    Wait(Duration),
    #[error("many people log in at this moment: try again in a few seconds")]
    Busy,
    #[error(
        "wrong name or passphrase. If you have forgotten the passphrase, what is left is the recovery words, an exported file \
         whose passphrase you know, or a new account under another name. An account without a passphrase gets one \
         from `causerie account lock --account NAME` on the host"
    )]
    Wrong,
    #[error("this host takes no new accounts")]
    Closed,
    #[error("wrong code: ask the people who run this host for it")]
    WrongCode,
    #[error("this host has as many accounts as it may have: ask the people who run it")]
    Full,
    #[error("as many people are logged in at this host as it has room for: try again once others have logged out")]
    NoRoom,
    #[error("that request cannot be read: load the page again")]
    Unreadable,
    /// What was typed makes no sense, or a name is in use.
    #[error("{0}")]
    Typed(String),
    #[error(
        "a causerie runs with this account on the host already, and it offers no session: stop it, and log in again"
    )]
    InUse,
    #[error("you are not logged in")]
    LoggedOut,
    #[error("that is not the name of this account, so nothing was deleted")]
    OtherName,
    #[error("a causerie runs with this account on the host: stop it there first, then delete the account")]
    RunsElsewhere,
    /// Something is wrong with the host.
    #[error("{0}")]
    Host(String),
}

impl Refusal {
    /// The host cannot do it. Only a user of this machine is told more than that.
    pub(crate) fn of_host(from: IpAddr, error: &dyn std::error::Error) -> Self {
        tracing::warn!("an account cannot be opened: {error}");
        if from.to_canonical().is_loopback() {
            Self::Host(error.to_string())
        } else {
            Self::Host("the host cannot do that: the people who run it find the reason in its log".to_owned())
        }
    }

    /// Why the account crate refuses.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is neither wrong nor badly typed is the host's affair")]
    pub(crate) fn of_account(from: IpAddr, error: account::Error) -> Self {
        use account::Error::{
            BadName, EmptyPassphrase, InUse, LongPassphrase, Memory, NameTaken, NoAccount, WrongPassphrase,
        };
        match error {
            WrongPassphrase { .. } | NoAccount { .. } => Self::Wrong,
            Memory { .. } => Self::Busy,
            NameTaken { ref name } => Self::Typed(format!("there is an account {name} already: choose another name")),
            InUse { .. } => Self::RunsElsewhere,
            BadName(_) | EmptyPassphrase | LongPassphrase { .. } => Self::Typed(error.to_string()),
            other => Self::of_host(from, &other),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::Wrong | Self::LoggedOut => StatusCode::UNAUTHORIZED,
            Self::Closed | Self::WrongCode | Self::Full => StatusCode::FORBIDDEN,
            Self::Unreadable | Self::Typed(_) | Self::OtherName => StatusCode::BAD_REQUEST,
            Self::InUse | Self::RunsElsewhere => StatusCode::CONFLICT,
            Self::Host(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Busy> for Refusal {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

impl From<NoSession> for Refusal {
    fn from(none: NoSession) -> Self {
        match none {
            NoSession::Over | NoSession::Full => Self::Busy,
            NoSession::Random => Self::Host("the system gives no random numbers".to_owned()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut text = self.to_string();
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text.push('.');
        let mut response = (self.status(), text).into_response();
        if let Self::Wait(wait) = self {
            response.headers_mut().insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        response
    }
}
