//! A session as JSON lines: one object per line, in both directions. `docs/json.md` describes them for users.
//!
//! The peer's first line is a [`Hello`]. Then come events (`{"event": …}`), answers (`{"answer": …}`) and errors
//! (`{"error": …}`), and over a socket a last line (`{"end": …}`). A request is a command (`{"command": …}`). It may
//! carry an `id`, which its answer repeats. A client may send the version that it speaks in a line of its own
//! (`{"hello": 1}`).

use chat::{Answer, Command, Event, Refusal};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The version of this format. It grows when a reader of an older version could misunderstand a line. New kinds of
/// lines and new fields do not count: a reader ignores what it does not know.
pub const VERSION: u32 = 1;

/// The longest line that a peer reads, in bytes: more than the longest message in a JSON object, with every character
/// escaped.
pub const MAX_LINE: usize = 1 << 19;

/// The most characters of an error about a line that cannot be read. It quotes what a client may have made up.
const MAX_ERROR: usize = 300;

/// The first line of a session: who this peer is, and what and which people it knew then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The version of this format, [`VERSION`].
    pub hello: u32,
    /// The program and its version, for people to read.
    pub program: String,
    /// Who this peer is, and what and which people it knew.
    #[serde(flatten)]
    pub known: chat::Hello,
}

/// An id that a request carries, so that its answer can be told from others: any JSON value of the client's choice,
/// even `null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub Value);

impl From<u64> for RequestId {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

/// Reads an id that is present. One that is `null` does not count as missing.
fn present<'de, D: Deserializer<'de>>(id: D) -> Result<Option<RequestId>, D::Error> {
    RequestId::deserialize(id).map(Some)
}

/// A line to the peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestLine {
    /// The answer repeats it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The command.
    #[serde(flatten)]
    pub command: Command,
}

/// A line from the peer after the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// Something happened.
    Event(Event),
    /// A command was carried out.
    Answer {
        /// The request's id.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// The answer.
        #[serde(flatten)]
        answer: Answer,
    },
    /// A command was not carried out.
    Error {
        /// The request's id.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        id: Option<RequestId>,
        /// What is wrong and what to do, for people to read.
        error: String,
        /// The refusal in typed form. Left out if the line itself could not be understood.
        #[serde(flatten)]
        refusal: Option<Refusal>,
    },
    /// The session ends here, and the client did not ask for that.
    End {
        /// Why, for people to read.
        end: String,
        /// The same for programs.
        #[serde(default, skip_serializing_if = "Ending::is_other")]
        why: Ending,
    },
}

/// Why a session has ended, for the cases that a program may want to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Ending {
    /// The user has logged out ([`Command::LogOut`]), here or at another user interface.
    LoggedOut,
    /// The user has deleted the account ([`Command::DeleteAccount`]). The process of the peer removes what the account
    /// kept.
    Deleted,
    /// Any other reason. A reader takes a reason that it does not know for this one.
    #[default]
    #[serde(other)]
    Other,
}

impl Ending {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_other(&self) -> bool {
        *self == Self::Other
    }
}

impl Line {
    /// The line that answers a request.
    pub fn answering(id: Option<RequestId>, answered: Result<Answer, Refusal>) -> Self {
        match answered {
            Ok(answer) => Self::Answer { id, answer },
            Err(refusal) => Self::Error { id, error: refusal.to_string(), refusal: Some(refusal) },
        }
    }

    /// The line for a request that could not be understood.
    pub fn misunderstood(id: Option<RequestId>, error: String) -> Self {
        Self::Error { id, error, refusal: None }
    }
}

/// Reads a line: the `id` in it, and the object.
///
/// # Errors
/// What is wrong with it, for people to read.
pub fn open(line: &[u8]) -> Result<(Option<RequestId>, Value), String> {
    let object: Value = serde_json::from_slice(line).map_err(|error| cut(format!("that is not JSON: {error}")))?;
    Ok((object.get("id").cloned().map(RequestId), object))
}

/// Reads the command in an object.
///
/// # Errors
/// What is wrong with it, for people to read.
pub fn asks(object: &Value) -> Result<Command, String> {
    if object.get("command").is_none() {
        return Err("a request needs a \"command\", and what belongs to it".to_owned());
    }
    Command::deserialize(object).map_err(|error| cut(format!("that command cannot be read: {error}")))
}

/// The version that a client says it speaks.
pub(crate) fn hello_of(object: &Value) -> Option<u32> {
    let version = object.get("hello")?;
    // A value that is not a version cannot be ours.
    Some(version.as_u64().and_then(|version| version.try_into().ok()).unwrap_or(u32::MAX))
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_ERROR) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat::Target;

    #[test]
    fn requests_read_as_documented() {
        let read = |text: &str| serde_json::from_str::<RequestLine>(text).unwrap();
        assert_eq!(
            read(r#"{"id":7,"command":"send","to":{"name":"bob"},"text":"hi"}"#),
            RequestLine {
                id: Some(RequestId::from(7)),
                command: Command::Send { to: Target::Name("bob".into()), text: "hi".into(), delay_ms: 0 },
            }
        );
        assert_eq!(
            read(r#"{"id":"a","command":"list_users"}"#),
            RequestLine { id: Some(RequestId("a".into())), command: Command::ListUsers }
        );
        assert_eq!(
            read(r#"{"command":"send","to":"all","text":"hi","delay_ms":1500}"#).command,
            Command::Send { to: Target::All, text: "hi".into(), delay_ms: 1500 }
        );
        assert!(serde_json::from_str::<RequestLine>(r#"{"command":"fly"}"#).is_err());
    }

    #[test]
    fn every_kind_of_line_has_its_own_key_and_reads_back() {
        let lines = [
            (
                Line::Event(Event::Listening { address: "127.0.0.1:1".into() }),
                r#"{"event":"listening","address":"127.0.0.1:1"}"#,
            ),
            (
                Line::answering(Some(RequestId::from(1)), Ok(Answer::Created { group: "cars".into() })),
                r#"{"id":1,"answer":"created","group":"cars"}"#,
            ),
            (
                Line::answering(None, Err(Refusal::EmptyText)),
                r#"{"error":"there is no text to send","refusal":"empty_text"}"#,
            ),
            (Line::misunderstood(None, "what?".into()), r#"{"error":"what?"}"#),
            (Line::misunderstood(Some(RequestId(Value::Null)), "what?".into()), r#"{"id":null,"error":"what?"}"#),
            (Line::End { end: "the peer has left".into(), why: Ending::Other }, r#"{"end":"the peer has left"}"#),
            (
                Line::End { end: "alice has logged out".into(), why: Ending::LoggedOut },
                r#"{"end":"alice has logged out","why":"logged_out"}"#,
            ),
        ];
        for (line, text) in lines {
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
            assert_eq!(serde_json::from_str::<Line>(text).unwrap(), line, "{text}");
        }
        let of_later = serde_json::from_str::<Line>(r#"{"end":"over","why":"something new"}"#).unwrap();
        assert_eq!(of_later, Line::End { end: "over".into(), why: Ending::Other });
    }
}
