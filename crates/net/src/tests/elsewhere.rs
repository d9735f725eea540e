//! One identity in two places, where one of them or a third peer lies.

use bytes::BytesMut;

use super::*;
use crate::{
    elsewhere::{Question, Supersedes},
    frame::{Split, split},
};

fn identity(seed: u8) -> (Keypair, Key) {
    let keypair = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
    let key = key_of(&keypair.public().to_peer_id()).unwrap();
    (keypair, key)
}

impl Rude {
    /// The next frame that is not a heartbeat.
    async fn frame(&mut self, buffer: &mut BytesMut) -> (Kind, bytes::Bytes) {
        let reads = async {
            loop {
                match split(buffer, 1000).unwrap() {
                    Split::Control { kind: Kind::Heartbeat, .. } => {}
                    Split::Control { kind, payload } => return (kind, payload),
                    Split::Data { .. } => panic!("no data is expected"),
                    Split::Nothing => {
                        let mut bytes = [0; 1000];
                        let n = self.stream.read(&mut bytes).await.unwrap();
                        assert!(n > 0, "the other side is gone");
                        buffer.extend_from_slice(&bytes[..n]);
                    }
                }
            }
        };
        timeout(PATIENCE, reads).await.expect("a frame")
    }

    /// The next frame of this kind.
    async fn hears_of(&mut self, kind: Kind, buffer: &mut BytesMut) -> bytes::Bytes {
        loop {
            let (of, payload) = self.frame(buffer).await;
            if of == kind {
                return payload;
            }
        }
    }

    /// Links to a peer and learns its start.
    async fn meets(&mut self, start: Start, buffer: &mut BytesMut) -> Start {
        self.greet_as(start).await;
        let greeting = self.hears_of(Kind::Greeting, buffer).await;
        Greeting::decode(&greeting, VERSION).unwrap().start
    }
}

const STRANGER: Start = Start { r: u64::MAX, at: 1 };

#[tokio::test]
async fn an_invalid_proof_closes_its_link_and_stops_no_peer() {
    let (bob, bobs_key) = identity(1);
    let (_net, mut events, address) = start(config(1)).await;
    let proof_of = |older: Start, keypair: &Keypair| {
        let newer = Start { r: 1, at: older.at + 1 };
        Supersedes::sign(keypair, bobs_key, newer, older).unwrap().encode()
    };
    for case in 0..6 {
        let mut rude = Rude::dial(address).await;
        let mut buffer = BytesMut::new();
        let older = rude.meets(STRANGER, &mut buffer).await;
        let genuine = proof_of(older, &bob);
        let (what, bytes) = match case {
            0 => ("signed by another key", proof_of(older, &identity(2).0)),
            // A proof of an earlier start, when `r` was different.
            1 => ("of an earlier start", proof_of(Start { r: older.r ^ 1, at: older.at - 1 }, &bob)),
            2 => ("cut", genuine[..genuine.len() - 1].to_vec()),
            3 => ("longer", [&genuine[..], &[0]].concat()),
            // The newer start is not newer.
            4 => ("turned around", [&genuine[..32], &genuine[48..64], &genuine[32..48], &genuine[64..]].concat()),
            _ => ("the genuine one", genuine),
        };
        up(&mut events).await;
        rude.send(Kind::Supersedes, &bytes).await;
        let mut stopped = false;
        let reason = next(&mut events, |event| match event {
            Event::Superseded => {
                stopped = true;
                None
            }
            Event::Down { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
        match reason {
            DownReason::Protocol(reason) if case < 5 => assert!(reason.contains("proof"), "{what}: {reason}"),
            DownReason::Shutdown if case == 5 => {}
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(stopped, case == 5, "{what}");
    }
}

#[tokio::test]
async fn a_peer_signs_only_for_older_starts_and_at_a_bounded_rate() {
    let (_net, _events, address) = start(config(1)).await;
    let (_, bobs_key) = identity(1);
    let mut rude = Rude::dial(address).await;
    let mut buffer = BytesMut::new();
    let newer = rude.meets(STRANGER, &mut buffer).await;
    let about = |older| Question { peer: bobs_key, older }.encode();
    for refused in [newer, Start { r: 0, at: newer.at + 1 }] {
        rude.send(Kind::Elsewhere, &about(refused)).await;
    }
    for r in 0..200 {
        rude.send(Kind::Elsewhere, &about(Start { r, at: 1 })).await;
    }
    let mut answers = Vec::new();
    let collect = async {
        loop {
            let proof = Supersedes::decode(&rude.hears_of(Kind::Supersedes, &mut buffer).await).unwrap();
            assert!(proof.verify() && proof.newer == newer);
            answers.push(proof.older.r);
        }
    };
    let _ = timeout(Duration::from_millis(500), collect).await;
    assert!((1..=8).contains(&answers.len()), "{answers:?}");
}

#[tokio::test]
async fn questions_in_the_wrong_form_or_place_close_the_link() {
    let (_net, mut events, address) = start(config(1)).await;
    let mut rude = Rude::dial(address).await;
    rude.greet().await;
    up(&mut events).await;
    rude.send(Kind::Elsewhere, b"?").await;
    assert_eq!(down(&mut events).await, DownReason::Protocol("a malformed question".to_owned()));
    for (kind, says) in [(Kind::Elsewhere, "no greeting"), (Kind::Supersedes, "a proof before the greeting")] {
        let mut rude = Rude::dial(address).await;
        let (key, whose) = identity(7);
        let proof = Supersedes::sign(&key, whose, Start { r: 1, at: 2 }, Start { r: 1, at: 1 }).unwrap();
        rude.send(kind, &proof.encode()).await;
        assert!(holds(&rude.hears().await, says), "{says}");
    }
}

/// alice has a link to bob's older start, and a third peer speaks of a newer one.
#[tokio::test]
async fn a_third_peer_ends_a_link_with_a_proof_alone() {
    let (_net, mut events, address) = start(config(1)).await;
    let (bob, bobs_key) = identity(2);
    let older = Start { r: u64::MAX, at: 5 };
    let (mut old, mut heard) = (Rude::dial_as(bob.clone(), address).await, BytesMut::new());
    old.meets(older, &mut heard).await;
    up(&mut events).await;
    let newer = Start { r: u64::MAX, at: 6 };
    let genuine = Supersedes::sign(&bob, bobs_key, newer, older).unwrap();
    let forged = Supersedes::sign(&identity(3).0, bobs_key, newer, older).unwrap();
    let of_no_use = Supersedes::sign(&identity(3).0, bobs_key, newer, Start { r: 4, at: 4 }).unwrap();

    let mut liar = Rude::dial(address).await;
    liar.greet().await;
    up(&mut events).await;
    // A proof that is of no use is not checked: it might be an answer that comes too late.
    liar.send(Kind::Supersedes, &of_no_use.encode()).await;
    liar.send(Kind::Supersedes, &forged.encode()).await;
    assert_eq!(down(&mut events).await, DownReason::Protocol("a proof that proves nothing".to_owned()));

    let mut honest = Rude::dial(address).await;
    honest.greet().await;
    up(&mut events).await;
    honest.send(Kind::Supersedes, &genuine.encode()).await;
    assert_eq!(down(&mut events).await, DownReason::Superseded);
    assert_eq!(old.hears_of(Kind::Supersedes, &mut heard).await, genuine.encode());
    old.hears_of(Kind::Refuse, &mut heard).await;
}

/// The newer start holds nothing up: its link is up before it is asked.
#[tokio::test]
async fn a_newer_start_without_a_proof_keeps_its_link_and_the_older_one_is_refused() {
    let (_net, mut events, address) = start(config(1)).await;
    let (bob, bobs_key) = identity(2);
    let older = Start { r: u64::MAX, at: 5 };
    let (mut old, mut heard) = (Rude::dial_as(bob.clone(), address).await, BytesMut::new());
    old.meets(older, &mut heard).await;
    up(&mut events).await;
    let (mut new, mut asked) = (Rude::dial_as(bob, address).await, BytesMut::new());
    new.meets(Start { r: u64::MAX, at: 6 }, &mut asked).await;
    // What the older start says no longer reaches the user, and the link is not lost over it.
    assert_eq!(down(&mut events).await, DownReason::Superseded);
    old.send(Kind::Data, b"late").await;
    let link = up(&mut events).await;
    assert_eq!(new.hears_of(Kind::Elsewhere, &mut asked).await, Question { peer: bobs_key, older }.encode());
    assert!(holds(&old.hears_of(Kind::Refuse, &mut heard).await, "same identity"));
    new.send(Kind::Data, b"in time").await;
    let first = next(&mut events, |event| match event {
        Event::Frames { link: on, frames } => Some((on, frames.collect::<Vec<_>>())),
        _ => None,
    });
    assert_eq!(first.await, (link, vec![bytes::Bytes::from_static(b"in time")]));
}
