//! The prompt on a real screen: peers on 127.0.0.1, without multicast, one of them in tmux.

#[path = "../support/peer.rs"]
#[allow(dead_code, reason = "a screen test has fewer peers to drive than an end-to-end test")]
mod peer;
#[path = "../support/service.rs"]
#[allow(dead_code, reason = "a screen test asks a service for less than an end-to-end test")]
mod service;
#[path = "../support/skip.rs"]
mod skip;

mod accounts;
mod attached;
mod bare;
mod demonstration;
mod screen;
mod still;
mod suspended;
mod typing;
mod wrapping;

/// Says that no test may be skipped, if it is 1.
const REQUIRE: &str = "CAUSERIE_REQUIRE_NAMESPACES";
