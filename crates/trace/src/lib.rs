//! What a peer did, in a form that anybody can check: a trace is a file of JSON Lines, one event a line, in the order
//! in which the peer did it.
//!
//! [`Writer`] appends [`Record`]s to such a file. [`check()`] reads the files of all peers and verifies causal order,
//! exactly-once and completeness from them alone, and [`Diagram`] draws them. Neither knows anything of the algorithm that
//! made the traces or shares code with it: program order in each file, and "a send comes before its deliveries", are all
//! that they use.
//!
//! # Examples
//!
//! The dependency triangle: alice tells bob and carol, bob answers both, and carol is shown the answer first.
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
