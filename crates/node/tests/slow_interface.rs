//! A user interface that takes no events slows only its own links, and nothing is lost.

use std::time::Duration;

use node::chat::{Answer, Command, Event, Target};
use node::{Config, Events, Requests, Session};
use tokio::time::{sleep, timeout};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than all the buffers between two peers hold: 200 messages of 60 kB.
const MESSAGES: usize = 200;
const BYTES: usize = 60_000;

async fn start(name: &str, peers: &[&str]) -> Session {
    let mut config = Config::new(name);
    config.listen = vec!["127.0.0.1:0".parse().expect("an address")];
    config.peers = peers.iter().map(ToString::to_string).collect();
    config.mdns = false;
    config.event_batches = 1;
    config.drain = PATIENCE;
    node::start(config).await.expect("the peer starts")
}

async fn until<T>(events: &mut Events, mut find: impl FnMut(Event) -> Option<T>) -> T {
    let search = async {
        loop {
            let event = events.next().await.expect("the peer runs");
            if let Some(found) = find(event) {
                return found;
            }
        }
    };
    timeout(PATIENCE, search).await.expect("in time")
}

async fn address(session: &mut Session) -> String {
    until(&mut session.events, |event| if let Event::Listening { address } = event { Some(address) } else { None })
        .await
}

async fn meets(session: &mut Session, name: &str) {
    until(&mut session.events, |event| {
        let Event::PeerUp { who, .. } = event else { return None };
        (who.name == name).then_some(())
    })
    .await;
}

/// Sends all the messages, as many at once as the session takes.
async fn say_all(requests: &Requests) {
    let mut submitted = Vec::new();
    for number in 0..MESSAGES {
        let text = format!("{number} {}", "x".repeat(BYTES));
        let command = Command::Send { to: Target::All, text, delay_ms: 0 };
        submitted.push(requests.submit(command).await.expect("the peer runs"));
    }
    for mut submitted in submitted {
        let answer = submitted.answer().await.expect("the peer runs").expect("it is sent");
        assert!(matches!(answer, Answer::Sent { .. }));
    }
}

/// A user interface that is not slow, whatever it is told.
async fn take_all(mut events: Events) {
    while events.next().await.is_some() {}
}

/// The numbers in front of `count` messages, in the order in which they came.
async fn numbers(events: &mut Events, count: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let number = until(events, |event| {
            assert!(!matches!(event, Event::PeerDown { .. }), "no link breaks: {event:?}");
            let Event::Message { message } = event else { return None };
            message.text.split(' ').next()?.parse().ok()
        });
        numbers.push(number.await);
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_interface_gets_everything_later_while_the_others_go_on() {
    let mut alice = start("alice", &[]).await;
    let hub = address(&mut alice).await;
    let mut slow = start("slow", &[&hub]).await;
    meets(&mut slow, "alice").await;
    let mut carol = start("carol", &[&hub]).await;
    meets(&mut carol, "alice").await;
    meets(&mut alice, "carol").await;
    // From here on nothing takes the events of `slow`. carol is still told everything.
    let mut heard = tokio::spawn(async move { (numbers(&mut carol.events, MESSAGES).await, carol) });
    let Session { requests, events, .. } = alice;
    tokio::spawn(take_all(events));
    say_all(&requests).await;
    let (told, _carol) = (&mut heard).await.expect("carol is told");
    assert!(told.into_iter().eq(0..MESSAGES));
    // Time enough for a peer that takes in more than its user does.
    sleep(Duration::from_secs(1)).await;
    let pending = requests.request(Command::Pending).await.expect("the peer runs").expect("it is no refusal");
    let Answer::Pending { unacknowledged, .. } = pending else { panic!("{pending:?}") };
    assert!(unacknowledged > 0, "the slow one has taken everything in");
    assert!(numbers(&mut slow.events, MESSAGES).await.into_iter().eq(0..MESSAGES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_leaves_first_hands_over_what_was_said() {
    let mut alice = start("alice", &[]).await;
    let hub = address(&mut alice).await;
    let mut slow = start("slow", &[&hub]).await;
    meets(&mut slow, "alice").await;
    meets(&mut alice, "slow").await;
    let Session { requests, events, .. } = alice;
    let alice_leaves = tokio::spawn(take_all(events));
    say_all(&requests).await;
    requests.stop();
    // Time enough for a peer that does not wait to be gone.
    sleep(Duration::from_secs(1)).await;
    assert!(numbers(&mut slow.events, MESSAGES).await.into_iter().eq(0..MESSAGES));
    alice_leaves.await.expect("it leaves");
}
