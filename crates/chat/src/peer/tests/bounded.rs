//! However much was said, what a peer has in mind is bounded by what is live: the people, and what is still on its way.
//!
//! `CAUSERIE_MESSAGES` says how many messages (20,000): a million takes a minute of one core in a debug build, and shows the same figures.

use std::time::Duration;

use super::world::World;
use crate::store::{MemoryLimits, Store};
use crate::{Command, Config};

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
const DAVE: usize = 3;

/// What is said in one turn, and how many messages are kept for reading.
const BURST: usize = 200;
const HISTORY: usize = 1000;

/// Everybody but dave floods everybody, a group and one another, until so many messages are said.
fn chatter(world: &mut World, messages: usize) {
    for round in 0..messages / BURST {
        let who = round % 3;
        let to = match round % 7 {
            0 | 1 => "cars",
            2 => PEOPLE[(who + 1) % 3],
            _ => "all",
        };
        world.say_many(who, to, BURST);
        world.pass(Duration::from_millis(10));
        for someone in &mut world.people {
            someone.events.clear();
        }
    }
    world.pass(Duration::from_secs(40));
}

/// Of the one who has most: causal entries, bytes of the causal order as it is kept, bytes of what is undelivered elsewhere, and
/// messages in the history.
fn live(world: &World) -> [usize; 4] {
    let mut most = [0; 4];
    for someone in &world.people[..3] {
        let peer = &someone.peer;
        assert_eq!(peer.causal.held(), 0);
        let (log, snapshot) = (peer.causal.stats().log, peer.causal.snapshot().to_bytes().len());
        let history = peer.store.newest(None, None, usize::MAX).len();
        for (most, now) in most.iter_mut().zip([log, snapshot, peer.outbox.bytes(), history]) {
            *most = (*most).max(now);
        }
    }
    most
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what a long run is for")]
fn what_is_kept_in_mind_does_not_grow_with_what_was_said() {
    let messages = std::env::var("CAUSERIE_MESSAGES").map_or(20_000, |number| number.parse().unwrap());
    let limits = MemoryLimits { max_messages: HISTORY, ..MemoryLimits::default() };
    let mut world = World::with_limits(&PEOPLE, Config::default(), limits);
    world.link_all();
    world.settle();
    world.create(0, "cars");
    world.settle();
    world.join(1, "cars");
    world.join(2, "cars");
    world.pass(Duration::from_secs(5));

    // Somebody who is away is waited for: what is for him grows.
    world.kill(DAVE);
    chatter(&mut world, messages / 2);
    let [log, snapshot, outbox, history] = live(&world);
    println!(
        "with dave away: {log} entries, {snapshot} bytes of order, {outbox} bytes kept for him, {history} in history"
    );
    assert!(outbox > messages / 20 * 100, "{outbox}");

    world.command(0, Command::Forget { person: "dave".to_owned() }).unwrap();
    world.pass(Duration::from_secs(5));
    let before = live(&world);
    assert_eq!(before[2], 0, "nothing is kept for somebody who is gone");
    for part in 1..=5 {
        chatter(&mut world, messages / 10);
        let [log, snapshot, outbox, history] = live(&world);
        println!(
            "{part}/5 later: {log} entries, {snapshot} bytes of order, {outbox} bytes outstanding, {history} in history"
        );
        assert!(log <= 3 * PEOPLE.len() && snapshot < 2048 && outbox == 0, "{log} {snapshot} {outbox}");
        assert!(history <= 6 * HISTORY, "{history}");
    }
}
