//! A record of what a peer did, in a form that any program can check. A trace is a file of JSON Lines. Each line is one event,
//! and the lines are in the order in which the peer did these things.
//!
//! [`Writer`] appends [`Record`]s to such a file. [`check()`] reads the files of all peers and verifies causal order,
//! exactly-once and completeness from them alone. [`Diagram`] draws them. Both are independent of the algorithm that made the
//! traces, and share no code with it. They use only the order of lines in each file, and the rule that a send comes before its
//! deliveries.
//!
//! # Examples
//!
//! The dependency triangle: alice sends to bob and carol, bob answers both, and carol delivers the answer first.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let write = |name: &str, lines: &str| {
//!     let file = folder.path().join(name);
//!     std::fs::write(&file, lines).map(|()| file)
//! };
//! let files = [
//!     write("alice", concat!(
//!         r#"{"ts":1,"peer":"A","name":"alice","event":"send","id":"A:1","dests":["B","C"]}"#, "\n"))?,
//!     write("bob", concat!(
//!         r#"{"ts":2,"peer":"B","name":"bob","event":"deliver","id":"A:1"}"#, "\n",
//!         r#"{"ts":3,"peer":"B","name":"bob","event":"send","id":"B:1","dests":["A","C"]}"#, "\n"))?,
//!     write("carol", concat!(
//!         r#"{"ts":4,"peer":"C","name":"carol","event":"deliver","id":"B:1"}"#, "\n",
//!         r#"{"ts":5,"peer":"C","name":"carol","event":"deliver","id":"A:1"}"#, "\n"))?,
//! ];
//! let report = trace::check(&files, &trace::Options::default())?;
//! assert_eq!(report.violations, 1);
//! assert_eq!(report.shown[0].rule, trace::Rule::CausalOrder);
//! assert!(report.to_string().contains("carol delivered bob#1 before alice#1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod check;
mod diagram;
mod error;
mod history;
mod past;
mod record;
mod writer;

pub use check::{Options, Report, Rule, Violation, check};
pub use diagram::{Diagram, Picture, PictureArrow, PictureMark, PictureSpan, SHIVIZ_EXPRESSION};
pub use error::Error;
pub use record::{Event, MessageId, ParseIdError, Record};
pub use writer::{Writer, write_lines};
