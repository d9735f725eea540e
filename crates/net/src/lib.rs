//! The links: peers find each other, agree on who dials, and hold one authenticated connection per pair.
//!
//! A [`Net`] listens, discovers, dials and keeps links alive. Its user sends and receives frames, which are opaque
//! bytes to this crate. TCP, Noise and Yamux come from libp2p. Discovery is DNS-SD over mDNS. The random numbers that
//! peers announce decide who dials (see the `tiebreak` module). Peers of one process link to each other in memory
//! ([`Neighbours`]). Nothing here knows what a frame means.
//!
//! # Contract
//!
//! - At most one link per peer is up at a time. [`Event::Up`] opens it, [`Event::Down`] ends it, and every
//!   [`Event::Frames`] of that link lies between the two, in the order in which the other side sent them.
//! - No frame is lost or reordered while a link is up. Frames sent shortly before it goes down may be lost. A user that
//!   needs more keeps each frame until it is acknowledged.
//! - Every queue is bounded: [`Net::send`] says [`Room::Full`] instead of growing, and a receiver that does not take
//!   its [`Events`] slows its senders down, each link on its own.
//! - If a newer start of this same identity runs anywhere in the mesh, [`Event::Superseded`] says so soon, and the
//!   links end.
//!
//! # Examples
//!
//! Two peers on one machine, without mDNS:
//!
//! ```
//! use net::{Config, Event, Net};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let here = |seed| Config { listen: vec!["127.0.0.1:0".parse().unwrap()], mdns: false, ..Config::new([seed; 32]) };
//! let (alice, mut to_alice) = Net::start(here(1)).await?;
//! let (bob, mut to_bob) = Net::start(here(2)).await?;
//! let Some(Event::Listening { address }) = to_bob.recv().await else { panic!("bob listens first") };
//!
//! alice.connect(&address.to_string())?;
//! while let Some(event) = to_alice.recv().await {
//!     if let Event::Up { link, .. } = event {
//!         alice.send(link, "hello".into())?;
//!         break;
//!     }
//! }
//! while let Some(event) = to_bob.recv().await {
//!     if let Event::Frames { frames, .. } = event {
//!         assert_eq!(frames.collect::<Vec<_>>(), ["hello"]);
//!         break;
//!     }
//! }
//! alice.shutdown().await;
//! # bob.shutdown().await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod address;
mod behaviour;
mod book;
mod by_hand;
mod config;
mod discovery;
mod driver;
mod elsewhere;
mod error;
mod event;
mod examine;
mod frame;
mod greeting;
mod handler;
mod introduce;
pub mod limits;
mod link;
mod listen;
mod met;
mod muxer;
mod neighbours;
mod net;
mod outgoing;
mod peer;
mod pending;
mod problem;
mod questions;
mod random;
mod rumours;
mod status;
mod survey;
mod swarm;
mod tiebreak;

#[cfg(test)]
mod tests;

pub use config::{Config, Limits};
pub use error::{BadAddress, Error, Gone};
pub use event::{DownReason, Event, Events, LinkId, Room};
pub use examine::{Announced, Examination, examine};
pub use frame::Frames;
pub use neighbours::Neighbours;
pub use net::Net;
pub use problem::Problem;
pub use status::{Status, Unlinked};
