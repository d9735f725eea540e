//! Every order in which three processes can send a few messages to any destinations, and in which these can arrive. Messages
//! are delivered in causal order and exactly once, and all are delivered in the end. `docs/causal.md` gives the figures. To
//! run the large tests: `cargo test --release -p causal-multicast --test every_interleaving -- --ignored --nocapture`

mod network;

use causal::{Config, Markers};
use network::{Network, check};

fn interleavings(multicasts: u8, markers: Markers) -> usize {
    check(Network { config: Config { markers, ..Config::default() }, multicasts, crash: false, hasty: 0, alone: false })
}

#[test]
fn of_three_messages_with_every_marker() {
    assert_eq!(interleavings(3, Markers::Always), 4_351);
}

#[test]
fn of_four_messages() {
    assert_eq!(interleavings(4, Config::default().markers), 115_123);
}

#[test]
fn of_four_messages_with_every_marker() {
    interleavings(4, Markers::Always);
}

#[test]
#[ignore = "large"]
fn of_five_messages() {
    interleavings(5, Config::default().markers);
}
