//! Every order in which three processes can send a few messages while one of them crashes, a copy of its message is lost, and a
//! process gives up a copy that is lost or merely slow. Order is lost for nothing else, and every message is delivered,
//! delivered late, or given up. `docs/causal.md` gives the figures. To run the large tests:
//! `cargo test --release -p causal-multicast --test every_crash -- --ignored --nocapture`

mod network;

use causal::{Config, Trust};
use network::{Network, check};

fn crashes(multicasts: u8, crash: bool) -> usize {
    check(Network { config: Config::default(), multicasts, crash, hasty: 1, alone: false })
}

/// No author vouches for a clock, so each message is given up alone.
fn crashes_unvouched(multicasts: u8, crash: bool) -> usize {
    let config = Config { trust: Trust::Vouched, ..Config::default() };
    check(Network { config, multicasts, crash, hasty: 1, alone: true })
}

#[test]
fn of_two_messages_with_a_crash_and_an_abandon() {
    assert_eq!(crashes(2, true), 4_051);
}

#[test]
fn of_three_messages_with_an_abandon() {
    assert_eq!(crashes(3, false), 7_107);
}

#[test]
fn of_four_messages_with_an_abandon() {
    assert_eq!(crashes(4, false), 259_331);
}

#[test]
fn of_three_messages_with_a_crash_and_an_abandon() {
    assert_eq!(crashes(3, true), 170_031);
}

#[test]
fn of_three_messages_one_of_which_is_disregarded() {
    assert_eq!(crashes_unvouched(3, false), 7_113);
}

#[test]
fn of_three_messages_with_a_crash_one_of_which_is_disregarded() {
    assert_eq!(crashes_unvouched(3, true), 170_503);
}

#[test]
#[ignore = "large"]
fn of_four_messages_with_a_crash_and_an_abandon() {
    crashes(4, true);
}

#[test]
#[ignore = "large"]
fn of_four_messages_one_of_which_is_disregarded() {
    assert_eq!(crashes_unvouched(4, false), 260_910);
}
