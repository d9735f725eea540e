//! Peers that break the protocol, or speak another version of it.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one event and leaves the rest")]

mod elsewhere;

use std::{net::SocketAddr, time::Duration};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{Swarm, identity::Keypair, swarm::SwarmEvent};
use tokio::time::timeout;

use crate::{
    Config, DownReason, Event, Events, Limits, Net, Room,
    behaviour::{Behaviour, StreamOpened},
    frame::{Kind, MAX_CONTROL, write_frame, write_header},
    greeting::{Greeting, VERSION},
    handler::Opened,
    met::Met,
    peer::{Key, Start, key_of},
    swarm,
};

const PATIENCE: Duration = Duration::from_secs(30);

fn config(seed: u8) -> Config {
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    Config { listen, mdns: false, ..Config::new([seed; 32]) }
}

async fn start(config: Config) -> (Net, Events, SocketAddr) {
    let (net, mut events) = Net::start(config).await.unwrap();
    match events.recv().await {
        Some(Event::Listening { address }) => (net, events, address),
        other => panic!("{other:?}"),
    }
}

async fn next<T>(events: &mut Events, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let waits = async {
        loop {
            if let Some(picked) = pick(events.recv().await.expect("the net runs")) {
                return picked;
            }
        }
    };
    timeout(PATIENCE, waits).await.expect("an event")
}

async fn refused(events: &mut Events) -> String {
    next(events, |event| match event {
        Event::Refused { reason, .. } => Some(reason),
        _ => None,
    })
    .await
}

async fn up(events: &mut Events) -> crate::LinkId {
    next(events, |event| match event {
        Event::Up { link, .. } => Some(link),
        _ => None,
    })
    .await
}

async fn down(events: &mut Events) -> DownReason {
    next(events, |event| match event {
        Event::Down { reason, .. } => Some(reason),
        _ => None,
    })
    .await
}

/// A peer that is authenticated like any other, and writes what it likes.
struct Rude {
    stream: libp2p::Stream,
    me: Key,
    swarm: tokio::task::JoinHandle<()>,
}

impl Rude {
    async fn dial(address: SocketAddr) -> Self {
        Self::dial_as(Keypair::generate_ed25519(), address).await
    }

    async fn dial_as(keypair: Keypair, address: SocketAddr) -> Self {
        let me = key_of(&keypair.public().to_peer_id()).unwrap();
        let mut swarm: Swarm<Behaviour> = swarm::build(&keypair, &Limits::default(), Met::new(0));
        swarm.dial(swarm::dial_address(address, None)).unwrap();
        let stream = loop {
            if let SwarmEvent::Behaviour(StreamOpened { opened: Opened::Stream(stream), .. }) =
                swarm.select_next_some().await
            {
                break stream;
            }
        };
        let swarm = tokio::spawn(async move { while swarm.next().await.is_some() {} });
        Self { stream, me, swarm }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn send(&mut self, kind: Kind, payload: &[u8]) {
        let mut bytes = Vec::new();
        write_frame(kind, payload, &mut bytes);
        self.write(&bytes).await;
    }

    /// Greets so that the other side decides which connection stays. It does so at once.
    async fn greet(&mut self) {
        self.greet_as(Start { r: u64::MAX, at: 1 }).await;
    }

    async fn greet_as(&mut self, start: Start) {
        let greeting = Greeting { id: self.me, start, dial: 1, listen: Vec::new() };
        self.send(Kind::Greeting, &greeting.encode(VERSION)).await;
    }

    /// What the other side writes until it closes.
    async fn hears(&mut self) -> Vec<u8> {
        let mut heard = Vec::new();
        // It does not matter how the other side closes.
        let _ = timeout(PATIENCE, self.stream.read_to_end(&mut heard)).await.expect("the other side closes");
        heard
    }
}

impl Drop for Rude {
    fn drop(&mut self) {
        self.swarm.abort();
    }
}

fn holds(heard: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(heard).contains(text)
}

#[tokio::test]
async fn another_version_is_refused_on_both_sides() {
    let (_old, mut to_old, address) = start(config(1)).await;
    let (new, mut to_new) = Net::start_with(config(2), VERSION + 1).unwrap();
    new.connect(&address.to_string()).unwrap();
    let (old, new) = tokio::join!(refused(&mut to_old), refused(&mut to_new));
    let (ours, theirs) = (VERSION, VERSION + 1);
    assert_eq!(
        old,
        format!("it speaks version {theirs} of the protocol, this peer version {ours}: upgrade this program")
    );
    assert_eq!(
        new,
        format!("it speaks version {ours} of the protocol, this peer version {theirs}: upgrade the other one")
    );
}

#[tokio::test]
async fn another_version_is_not_dialled_again_and_again() {
    let (_old, mut to_old, address) = start(config(1)).await;
    let (_new, mut to_new) =
        Net::start_with(Config { peers: vec![address.to_string()], ..config(2) }, VERSION + 1).unwrap();
    tokio::join!(refused(&mut to_old), refused(&mut to_new));
    let more = timeout(Duration::from_secs(3), refused(&mut to_old)).await;
    assert!(more.is_err(), "told once: {more:?}");
}

#[tokio::test]
async fn a_greeting_that_claims_another_identity_is_refused() {
    let (_net, mut events, address) = start(config(1)).await;
    let mut rude = Rude::dial(address).await;
    rude.me = [7; 32];
    rude.greet().await;
    let reason = refused(&mut events).await;
    assert!(reason.contains("another identity"), "{reason}");
    assert!(holds(&rude.hears().await, "another identity"), "the other side is told");
}

#[tokio::test]
async fn rubbish_for_a_greeting_is_refused() {
    for rubbish in [&b"hello"[..], &[0; 300]] {
        let (_net, mut events, address) = start(config(1)).await;
        let mut rude = Rude::dial(address).await;
        rude.send(Kind::Greeting, rubbish).await;
        let reason = refused(&mut events).await;
        assert!(reason.contains("malformed"), "{reason}");
        assert!(holds(&rude.hears().await, "malformed"));
    }
}

#[tokio::test]
async fn frames_that_break_the_protocol_close_the_link() {
    let mut oversized = Vec::new();
    write_header(Kind::Data, (2 << 20) + 1, &mut oversized);
    let mut long_list = Vec::new();
    write_header(Kind::Introduce, MAX_CONTROL + 1, &mut long_list);
    let mut introductions = Vec::new();
    write_frame(Kind::Introduce, b"?", &mut introductions);
    let mut digest = Vec::new();
    write_frame(Kind::Digest, b"?", &mut digest);
    let mut accept = Vec::new();
    write_frame(Kind::Accept, &[], &mut accept);
    let cases: [(&str, &[u8], &str); 8] = [
        ("no length", &[0], "a length that is none"),
        ("endless length", &[0xff; 5], "a length that is none"),
        ("unknown kind", &[1, 99], "unknown kind 99"),
        ("oversized", &oversized, "more than allowed"),
        ("oversized list", &long_list, "more than allowed"),
        ("introductions", &introductions, "malformed introductions"),
        ("digest", &digest, "malformed digest"),
        ("a decision", &accept, "not the other side's"),
    ];
    let (net, mut events, address) = start(config(1)).await;
    for (what, bytes, says) in cases {
        let mut rude = Rude::dial(address).await;
        rude.greet().await;
        up(&mut events).await;
        rude.write(bytes).await;
        let DownReason::Protocol(reason) = down(&mut events).await else { panic!("{what}") };
        assert!(reason.contains(says), "{what}: {reason}");
        assert!(holds(&rude.hears().await, says), "{what}: the other side is told");
    }
    net.shutdown().await;
}

#[tokio::test]
async fn memory_is_not_reserved_for_what_a_frame_claims() {
    let (_net, mut events, address) = start(config(1)).await;
    let mut rude = Rude::dial(address).await;
    rude.greet().await;
    let link = up(&mut events).await;
    // A long frame that never comes, and then silence: the link dies, and nothing of the frame was delivered.
    let mut header = Vec::new();
    write_header(Kind::Data, 2 << 20, &mut header);
    rude.send(Kind::Data, b"whole").await;
    rude.write(&header).await;
    let frames = next(&mut events, |event| match event {
        Event::Frames { link: on, frames } if on == link => Some(frames),
        _ => None,
    })
    .await;
    assert_eq!(frames.collect::<Vec<_>>(), [&b"whole"[..]]);
}

#[tokio::test]
async fn a_killed_peer_is_noticed_by_its_connection_not_by_its_silence() {
    let (_net, mut events, address) = start(config(1)).await;
    let mut rude = Rude::dial(address).await;
    rude.greet().await;
    up(&mut events).await;
    // This is what the kernel does for a killed process: no last frame, only the end of the connection.
    drop(rude);
    assert!(matches!(down(&mut events).await, DownReason::Lost(_)));
}

#[tokio::test]
async fn a_peer_that_does_not_greet_is_cut_off() {
    let limits = Limits { greeting: Duration::from_secs(1), ..Limits::default() };
    let (_net, _events, address) = start(Config { limits, ..config(1) }).await;
    let mut rude = Rude::dial(address).await;
    rude.hears().await;
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_keep_others_out_for_long() {
    let limits = Limits { handshake: Duration::from_secs(600), pending: 4, ..Limits::default() };
    let (_net, mut events, address) = start(Config { limits, ..config(1) }).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let (_other, _events, _) = start(Config { peers: vec![address.to_string()], ..config(2) }).await;
    up(&mut events).await;
}

#[tokio::test]
async fn identities_that_never_greet_keep_no_peer_out() {
    let limits = Limits { greeting: Duration::from_secs(600), pending: 4, ..Limits::default() };
    let (_net, mut events, address) = start(Config { limits, ..config(1) }).await;
    let mut rude = Vec::new();
    for _ in 0..12 {
        rude.push(Rude::dial(address).await);
    }
    let (_other, _events, _) = start(Config { peers: vec![address.to_string()], ..config(2) }).await;
    up(&mut events).await;
    // The first of them had to make room for the others, and was cut off without a word.
    assert_eq!(rude[0].hears().await, b"");
}

/// What the user holds of one link's frames is bounded. The link goes on when they are dropped, and other links never
/// stop.
#[tokio::test]
async fn a_link_waits_for_the_frames_that_are_held() {
    let limits = Limits { incoming: 10_000, ..Limits::default() };
    let (_net, mut events, address) = start(Config { limits, ..config(1) }).await;
    let mut links = Vec::new();
    let mut senders = Vec::new();
    for seed in [2, 3] {
        let (sender, mut theirs, _) = start(config(seed)).await;
        sender.connect(&address.to_string()).unwrap();
        links.push(up(&mut events).await);
        let link = up(&mut theirs).await;
        senders.push((sender, link, theirs));
    }
    for _ in 0..100 {
        senders[0].0.send(senders[0].1, bytes::Bytes::from(vec![0; 1000])).unwrap();
    }
    let mut held = Vec::new();
    let frames_of = async |events: &mut Events, link| {
        next(events, |event| match event {
            Event::Frames { link: on, frames } if on == link => Some(frames),
            _ => None,
        })
        .await
    };
    let hold = async {
        loop {
            held.push(frames_of(&mut events, links[0]).await);
        }
    };
    assert!(timeout(Duration::from_secs(1), hold).await.is_err());
    let mut got: usize = held.iter().map(ExactSizeIterator::len).sum();
    assert!(got < 20, "{got} frames of 1,000 bytes were handed over");
    senders[1].0.send(senders[1].1, bytes::Bytes::from_static(b"still here")).unwrap();
    assert_eq!(frames_of(&mut events, links[1]).await.next().unwrap(), &b"still here"[..]);
    drop(held);
    while got < 100 {
        got += frames_of(&mut events, links[0]).await.len();
    }
}

/// A receiver does not take its frames. Its sender is told to stop, then cut off. Others go on meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_receiver_slows_only_its_own_link() {
    let (alice, mut to_alice, address) = start(config(1)).await;
    let (slow, mut to_slow, _) = start(config(2)).await;
    let (quick, mut to_quick, _) = start(config(3)).await;
    slow.connect(&address.to_string()).unwrap();
    let slow_link = up(&mut to_alice).await;
    up(&mut to_slow).await;
    quick.connect(&address.to_string()).unwrap();
    let quick_link = up(&mut to_alice).await;
    up(&mut to_quick).await;

    // `to_slow` is not read from here on, so its link fills up end to end.
    let frame = bytes::Bytes::from(vec![7; 1000]);
    let mut taken = 0;
    let fill = async {
        loop {
            match alice.send(slow_link, frame.clone()).unwrap() {
                Room::Plenty => taken += 1,
                Room::Full => {
                    let full = timeout(
                        Duration::from_secs(1),
                        next(&mut to_alice, |event| {
                            matches!(event, Event::Writable { link } if link == slow_link).then_some(())
                        }),
                    );
                    if full.await.is_err() {
                        return;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, fill).await.expect("the queue fills up");
    assert!(taken < 100_000, "memory is bounded: {taken} frames were taken");

    for i in 0..1000u32 {
        alice.send(quick_link, bytes::Bytes::copy_from_slice(&i.to_be_bytes())).unwrap();
    }
    let mut got = 0;
    while got < 1000 {
        got += next(&mut to_quick, |event| match event {
            Event::Frames { frames, .. } => Some(frames.len()),
            _ => None,
        })
        .await;
    }

    // Once the slow receiver reads again, its link has room again.
    let room =
        next(&mut to_alice, |event| matches!(event, Event::Writable { link } if link == slow_link).then_some(()));
    let drain = async { while to_slow.recv().await.is_some() {} };
    tokio::select! {
        () = room => {}
        () = drain => panic!("the slow one stopped"),
    }
    // Now it is not read at all. It is still there: dropping its events would end it. And the sender does not stop when
    // told to.
    while alice.send(slow_link, frame.clone()).is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(down(&mut to_alice).await, DownReason::Overrun);
    drop((slow, to_slow, quick));
}
