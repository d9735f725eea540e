//! Ten peers in one process, and one outside in the network: all form one mesh, and causerie's guarantees hold across
//! it.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one event and leaves the rest")]

#[path = "../../../tests/support/namespace.rs"]
mod namespace;
#[path = "../../../tests/support/skip.rs"]
mod skip;

use std::collections::BTreeSet;
use std::time::Duration;

use namespace::{LAN, inside};
use node::chat::{Command, Event, Target};
use node::{Config, Events, Neighbours, Session};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// If it is 1, no test may be skipped.
const REQUIRE: &str = "CAUSERIE_REQUIRE_NAMESPACES";

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

const TOGETHER: usize = 10;

async fn next(events: &mut Events) -> Event {
    timeout(PATIENCE, events.next()).await.expect("in time").expect("the peer runs")
}

async fn start(name: String, mdns: bool, neighbours: &Neighbours, peers: Vec<String>) -> Session {
    let mut config = Config::new(name);
    if !mdns {
        config.listen = vec!["127.0.0.1:0".parse().expect("an address")];
    }
    (config.mdns, config.neighbours, config.peers) = (mdns, neighbours.clone(), peers);
    node::start(config).await.expect("the peer starts")
}

/// Waits until a peer is linked to all others, says a word, and waits for each other peer's word.
async fn take_part(mut session: Session) -> Session {
    let (mut linked, mut has_said) = (0, false);
    let mut heard = BTreeSet::new();
    while heard.len() < TOGETHER || !has_said {
        match next(&mut session.events).await {
            Event::PeerUp { .. } => linked += 1,
            Event::PeerDown { who, reason } => panic!("{} went away: {reason}", who.name),
            Event::Message { message } => assert!(heard.insert(message.text), "each once"),
            _ => {}
        }
        if linked == TOGETHER && !has_said {
            has_said = true;
            let text = format!("this is {}", session.hello.known.me.name);
            let say = Command::Send { to: Target::All, text, delay_ms: 0 };
            session.requests.request(say).await.expect("the peer runs").expect("it is sent");
        }
    }
    session
}

async fn all_read_all(sessions: impl IntoIterator<Item = Session>) {
    let mut parts = JoinSet::new();
    for session in sessions {
        parts.spawn(take_part(session));
    }
    // No peer leaves before all have heard all.
    let mut sessions = Vec::new();
    while let Some(part) = parts.join_next().await {
        sessions.push(part.expect("every peer hears all"));
    }
    assert_eq!(sessions.len(), TOGETHER + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_in_one_process_and_one_outside_hear_each_other() {
    let neighbours = Neighbours::default();
    let mut outside = start("outside".to_owned(), false, &Neighbours::default(), Vec::new()).await;
    let address = loop {
        if let Event::Listening { address } = next(&mut outside.events).await {
            break address;
        }
    };
    let mut sessions = vec![outside];
    for number in 0..TOGETHER {
        // Only one of them knows the address of the peer outside, and it is not the first.
        let peers = if number == 4 { vec![address.clone()] } else { Vec::new() };
        sessions.push(start(format!("peer{number}"), false, &neighbours, peers).await);
    }
    all_read_all(sessions).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_outside_finds_all_peers_of_a_process_by_one_announcement() {
    if !inside("a_peer_outside_finds_all_peers_of_a_process_by_one_announcement", LAN) {
        return;
    }
    let neighbours = Neighbours::default();
    let mut sessions = vec![start("outside".to_owned(), true, &Neighbours::default(), Vec::new()).await];
    for number in 0..TOGETHER {
        sessions.push(start(format!("peer{number}"), true, &neighbours, Vec::new()).await);
    }
    all_read_all(sessions).await;
}
