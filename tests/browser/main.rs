//! The page in a real browser: peers on 127.0.0.1, without multicast, one of them with a page, or a host.

mod accessible;
mod browser;
mod history;
mod host;
#[path = "../support/host.rs"]
#[allow(dead_code, reason = "a browser test does not measure")]
mod hosted;
mod hostile;
mod notices;
mod order;
mod outage;
#[path = "../support/peer.rs"]
#[allow(dead_code, reason = "a browser test has fewer peers to drive than an end-to-end test")]
mod peer;
mod people;
mod sending;
#[path = "../support/service.rs"]
#[allow(dead_code, reason = "a browser test asks a service for less than an end-to-end test")]
mod service;
#[path = "../support/skip.rs"]
mod skip;
mod talk;
mod unread;

/// Says that no test may be skipped, if it is 1.
const REQUIRE: &str = "CAUSERIE_REQUIRE_BROWSER";
