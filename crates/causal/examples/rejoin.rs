//! Bob's process crashes while it holds a message back, and goes on from its last snapshot. Nothing is lost, nothing is
//! delivered twice, and no clock is used again.
//!
//! This takes two things. First, the snapshot is stored after each change, before any consequence of the change leaves the
//! machine. Second, a sender keeps a message until its destination has *delivered* it, because a snapshot has no held
//! messages.
//!
//! `cargo run -p causal-multicast --example rejoin`
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::error::Error;
use std::path::Path;
use std::{env, fs, process};

use causal::{Config, Envelope, Limits, Process, Receipt, Snapshot};

type Peer = Process<String, &'static str>;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let file = env::temp_dir().join(format!("causal-rejoin-{}", process::id()));
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(str::to_owned);
    let mut alice_peer = Peer::new(alice.clone(), Config::default());
    let mut bob_peer = Peer::new(bob.clone(), Config::default());
    let mut carol_peer = Peer::new(carol.clone(), Config::default());

    // Alice greets Bob, and Bob thanks her. Then she asks both, and Carol answers.
    let greeting = alice_peer.send([bob.clone()])?;
    assert_eq!(take(&mut bob_peer, &greeting, "hello")?, (Receipt::Delivered, vec!["hello"]));
    let thanks = bob_peer.send([alice.clone()])?;
    store(&bob_peer, &file)?;
    take(&mut alice_peer, &thanks, "thank you")?;
    let question = alice_peer.send([bob.clone(), carol.clone()])?;
    take(&mut carol_peer, &question, "lunch?")?;
    let answer = carol_peer.send([alice.clone(), bob.clone()])?;
    take(&mut alice_peer, &answer, "yes!")?;

    // Bob's process holds the answer back when it crashes.
    assert_eq!(take(&mut bob_peer, &answer, "yes!")?, (Receipt::Held, vec![]));
    store(&bob_peer, &file)?;
    drop(bob_peer);

    let mut bob_peer = restore(&file)?;
    assert_eq!(bob_peer.held(), 0, "held messages have to come again");
    // The others send every message again that Bob's process has not acknowledged as delivered.
    assert_eq!(take(&mut bob_peer, &greeting, "hello")?, (Receipt::Duplicate, vec![]));
    assert_eq!(take(&mut bob_peer, &answer, "yes!")?, (Receipt::Held, vec![]));
    assert_eq!(take(&mut bob_peer, &question, "lunch?")?, (Receipt::Delivered, vec!["lunch?", "yes!"]));
    store(&bob_peer, &file)?;

    let next = bob_peer.send([alice, carol])?;
    assert_eq!((thanks.clock(), next.clock()), (1, 2), "it goes on counting where it was");
    assert_eq!(take(&mut alice_peer, &next, "I come too")?, (Receipt::Delivered, vec!["I come too"]));
    assert_eq!(take(&mut carol_peer, &next, "I come too")?, (Receipt::Delivered, vec!["I come too"]));
    fs::remove_file(&file)?;
    println!("bob crashed while it held one message; it delivered each message once, the question before the answer");
    Ok(())
}

/// Takes a message in, and returns the messages that are delivered now.
fn take(
    peer: &mut Peer,
    envelope: &Envelope<String>,
    text: &'static str,
) -> Result<(Receipt, Vec<&'static str>), Box<dyn Error>> {
    let receipt = peer.accept(envelope, text)?;
    Ok((receipt, std::iter::from_fn(|| peer.next_delivery()).map(|delivery| delivery.message).collect()))
}

fn store(peer: &Peer, file: &Path) -> Result<(), Box<dyn Error>> {
    // The rename replaces the file at once: a crash before it leaves the old snapshot.
    let new = file.with_extension("new");
    fs::write(&new, peer.snapshot().to_bytes())?;
    Ok(fs::rename(new, file)?)
}

fn restore(file: &Path) -> Result<Peer, Box<dyn Error>> {
    let snapshot = Snapshot::from_bytes(&fs::read(file)?, &Limits::default())?;
    Ok(Peer::restore(snapshot, Config::default())?)
}
