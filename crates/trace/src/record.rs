//! One line of a trace.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One event of one peer: a JSON object on a line of its own.
///
/// Unknown fields are ignored when a line is read, so that a later version may add some.
///
/// # Examples
///
/// ```
/// use trace::{Event, Record};
///
/// let line = r#"{"ts":7,"peer":"B","name":"bob","event":"deliver","id":"A:1","seen":true}"#;
/// let record: Record = serde_json::from_str(line)?;
/// assert_eq!(record.event, Event::Deliver { id: "A:1".parse()? });
/// assert_eq!(serde_json::to_string(&record)?, r#"{"ts":7,"peer":"B","name":"bob","event":"deliver","id":"A:1"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Unix time in microseconds by this peer's clock. It is for people: the clocks of two peers are never compared.
    pub ts: i64,
    /// The process of the event: any string without a colon that names one incarnation of one peer.
    pub peer: Arc<str>,
    /// The name of the peer.
    pub name: Arc<str>,
    /// What the peer did.
    #[serde(flatten)]
    pub event: Event,
}

/// What a peer did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The peer began to run: the first time, or again after a stop or a crash.
    Start {
        /// The process that this one replaces, if it is a new incarnation of a peer.
        #[serde(skip_serializing_if = "Option::is_none")]
        supersedes: Option<Arc<str>>,
    },
    /// The peer ended on purpose.
    Stop,
    /// The peer sent a message. This is written when the message is stamped, even if it is transmitted later.
    Send {
        /// The message.
        id: MessageId,
        /// Its destinations.
        dests: Vec<Arc<str>>,
        /// The group to which it was written, if any.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<Arc<str>>,
    },
    /// A message of another process was delivered.
    Deliver {
        /// The message.
        id: MessageId,
    },
    /// A message arrived that cannot be delivered yet, and is held back.
    Hold {
        /// The message.
        id: MessageId,
        /// The messages that it waits for.
        missing: Vec<MessageId>,
    },
    /// Messages of one author were given up.
    Abandon {
        /// The first one.
        id: MessageId,
        /// The clock of the last one.
        upto: u64,
    },
    /// A message was delivered after it had been given up.
    Late {
        /// The message.
        id: MessageId,
    },
    /// A message was shown that was not delivered to this process. It came as history: this process was not one of its
    /// destinations.
    Show {
        /// The message.
        id: MessageId,
        /// Whether its answers may have been shown before it. This is so if some history is missing, as the user was told,
        /// or is still on its way and comes after the newest. Left out if false.
        #[serde(skip_serializing_if = "is_false")]
        late: bool,
    },
    /// A process is gone for good: it is no longer a destination.
    Forget {
        /// The process that is gone.
        process: Arc<str>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The id of a message: its author and the author's clock. Written `PROCESS:CLOCK`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The author, without a colon.
    pub process: Arc<str>,
    /// The author's clock.
    pub clock: u64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.process, self.clock)
    }
}

/// A text that is not a message id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a message id (PROCESS:CLOCK)")]
pub struct ParseIdError(String);

impl FromStr for MessageId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let refuse = || ParseIdError(text.chars().take(80).collect());
        let (process, clock) = text.rsplit_once(':').ok_or_else(refuse)?;
        if process.is_empty() || process.contains(':') {
            return Err(refuse());
        }
        Ok(Self { process: process.into(), clock: clock.parse().map_err(|_| refuse())? })
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = MessageId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message id (PROCESS:CLOCK)")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<MessageId, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// A line as it was read, before the check that it has the fields of its event. (The derived form of a flattened enum would
/// buffer each line as a tree first. That would take most of the time of checking a million lines.)
#[derive(Deserialize)]
struct Line {
    ts: i64,
    peer: Arc<str>,
    name: Arc<str>,
    event: Kind,
    id: Option<MessageId>,
    dests: Option<Vec<Arc<str>>>,
    group: Option<Arc<str>>,
    missing: Option<Vec<MessageId>>,
    upto: Option<u64>,
    supersedes: Option<Arc<str>>,
    process: Option<Arc<str>>,
    late: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Start,
    Stop,
    Send,
    Deliver,
    Hold,
    Abandon,
    Late,
    Show,
    Forget,
}

impl Line {
    fn event(self) -> Result<Event, &'static str> {
        let id = self.id.ok_or("id");
        Ok(match self.event {
            Kind::Start => Event::Start { supersedes: self.supersedes },
            Kind::Stop => Event::Stop,
            Kind::Send => Event::Send { id: id?, dests: self.dests.ok_or("dests")?, group: self.group },
            Kind::Deliver => Event::Deliver { id: id? },
            Kind::Hold => Event::Hold { id: id?, missing: self.missing.unwrap_or_default() },
            Kind::Abandon => Event::Abandon { id: id?, upto: self.upto.ok_or("upto")? },
            Kind::Late => Event::Late { id: id? },
            Kind::Show => Event::Show { id: id?, late: self.late.unwrap_or_default() },
            Kind::Forget => Event::Forget { process: self.process.ok_or("process")? },
        })
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let line = Line::deserialize(deserializer)?;
        let (ts, peer, name) = (line.ts, line.peer.clone(), line.name.clone());
        if peer.is_empty() || peer.contains(':') {
            return Err(serde::de::Error::custom("a peer is a text without a colon"));
        }
        Ok(Self { ts, peer, name, event: line.event().map_err(serde::de::Error::missing_field)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> MessageId {
        text.parse().unwrap()
    }

    #[test]
    fn every_event_is_written_as_documented_and_read_back() {
        let cases = [
            (Event::Start { supersedes: None }, r#""start""#),
            (Event::Start { supersedes: Some("P0".into()) }, r#""start","supersedes":"P0""#),
            (Event::Stop, r#""stop""#),
            (
                Event::Send { id: id("P:1"), dests: vec!["Q".into(), "R".into()], group: Some("cars".into()) },
                r#""send","id":"P:1","dests":["Q","R"],"group":"cars""#,
            ),
            (Event::Send { id: id("P:2"), dests: vec![], group: None }, r#""send","id":"P:2","dests":[]"#),
            (Event::Deliver { id: id("Q:7") }, r#""deliver","id":"Q:7""#),
            (
                Event::Hold { id: id("Q:8"), missing: vec![id("R:1"), id("Q:7")] },
                r#""hold","id":"Q:8","missing":["R:1","Q:7"]"#,
            ),
            (Event::Abandon { id: id("R:1"), upto: 3 }, r#""abandon","id":"R:1","upto":3"#),
            (Event::Late { id: id("R:2") }, r#""late","id":"R:2""#),
            (Event::Show { id: id("R:3"), late: false }, r#""show","id":"R:3""#),
            (Event::Show { id: id("R:3"), late: true }, r#""show","id":"R:3","late":true"#),
            (Event::Forget { process: "R".into() }, r#""forget","process":"R""#),
        ];
        for (event, tail) in cases {
            let record = Record { ts: 1_700_000_000_000_000, peer: "P".into(), name: "päul \"x\"".into(), event };
            let line = serde_json::to_string(&record).unwrap();
            let head = r#"{"ts":1700000000000000,"peer":"P","name":"päul \"x\"","event":"#;
            assert_eq!(line, format!("{head}{tail}}}"));
            assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
        }
    }

    #[test]
    fn a_line_without_the_fields_of_its_event_is_refused() {
        for tail in [
            r#""send","id":"P:1""#,
            r#""send","dests":[]"#,
            r#""deliver""#,
            r#""deliver","id":"P1""#,
            r#""deliver","id":":1""#,
            r#""deliver","id":"P:Q:1""#,
            r#""deliver","id":"P:-1""#,
            r#""abandon","id":"P:1""#,
            r#""show""#,
            r#""forget""#,
            r#""explode""#,
        ] {
            let line = format!(r#"{{"ts":1,"peer":"P","name":"p","event":{tail}}}"#);
            assert!(serde_json::from_str::<Record>(&line).is_err(), "{line}");
        }
        assert!(serde_json::from_str::<Record>(r#"{"ts":1,"peer":"P:1","name":"p","event":"stop"}"#).is_err());
    }
}
