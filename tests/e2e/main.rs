//! End to end: real peers, each a process in a network namespace of its own. One file a property.

#[path = "../support/host.rs"]
#[allow(dead_code, reason = "an end-to-end test does not measure")]
mod host;
#[path = "../support/peer.rs"]
mod peer;
#[path = "../support/service.rs"]
mod service;
#[path = "../support/skip.rs"]
mod skip;
mod support {
    pub(crate) mod net;
}

/// Says that no test may be skipped, if it is 1.
const REQUIRE: &str = "CAUSERIE_REQUIRE_NAMESPACES";

mod attached;
mod bad_input;
mod by_hand;
mod chaos;
mod clocks;
mod commands;
mod crash;
mod cut;
mod deleting;
mod diagram;
mod dice;
mod discovery;
mod full_disk;
mod groups;
mod homecoming;
mod hosts;
mod ipv6;
mod joining;
mod kills;
mod labels;
mod leaving;
mod limits;
mod logging_out;
mod mesh;
mod names;
mod port;
mod program;
mod second_device;
mod services;
mod triangle;
mod trouble;
mod two_places;
mod verification;
