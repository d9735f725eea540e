//! Bob crashes while a message is held, and goes on from his last snapshot. Nothing is lost, nothing comes twice, and no clock is
//! used again.
//!
//! What it takes: the snapshot is stored after each change and before anything that follows from the change leaves the machine;
//! and whoever sends keeps a message until its destination has *delivered* it, because a snapshot has no held messages.
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

    // Alice greets Bob, who thanks her; then she asks both, and Carol answers.
    let greeting = alice_peer.send([bob.clone()])?;
    assert_eq!(take(&mut bob_peer, &greeting, "hello")?, (Receipt::Delivered, vec!["hello"]));
    let thanks = bob_peer.send([alice.clone()])?;
    store(&bob_peer, &file)?;
    take(&mut alice_peer, &thanks, "thank you")?;
    let question = alice_peer.send([bob.clone(), carol.clone()])?;
    take(&mut carol_peer, &question, "lunch?")?;
    let answer = carol_peer.send([alice.clone(), bob.clone()])?;
    take(&mut alice_peer, &answer, "yes!")?;

    // The answer is held at Bob's when he crashes.
    assert_eq!(take(&mut bob_peer, &answer, "yes!")?, (Receipt::Held, vec![]));
    store(&bob_peer, &file)?;
    drop(bob_peer);

    let mut bob_peer = restore(&file)?;
    assert_eq!(bob_peer.held(), 0, "what was held has to come again");
    // The others send again whatever he has not told them to be delivered.
    assert_eq!(take(&mut bob_peer, &greeting, "hello")?, (Receipt::Duplicate, vec![]));
    assert_eq!(take(&mut bob_peer, &answer, "yes!")?, (Receipt::Held, vec![]));
    assert_eq!(take(&mut bob_peer, &question, "lunch?")?, (Receipt::Delivered, vec!["lunch?", "yes!"]));
    store(&bob_peer, &file)?;

    let next = bob_peer.send([alice, carol])?;
    assert_eq!((thanks.clock(), next.clock()), (1, 2), "he goes on counting where he was");
    assert_eq!(take(&mut alice_peer, &next, "I come too")?, (Receipt::Delivered, vec!["I come too"]));
    assert_eq!(take(&mut carol_peer, &next, "I come too")?, (Receipt::Delivered, vec!["I come too"]));
    fs::remove_file(&file)?;
    println!("bob crashed with one message held; he has been given each once, the question before the answer");
    Ok(())
}

/// Takes a message in, and returns what can be delivered now.
fn take(
    peer: &mut Peer,
    envelope: &Envelope<String>,
    text: &'static str,
) -> Result<(Receipt, Vec<&'static str>), Box<dyn Error>> {
    let receipt = peer.accept(envelope, text)?;
    Ok((receipt, std::iter::from_fn(|| peer.next_delivery()).map(|delivery| delivery.message).collect()))
}

fn store(peer: &Peer, file: &Path) -> Result<(), Box<dyn Error>> {
    // Replaced at once: a crash in between leaves the old one.
    let new = file.with_extension("new");
    fs::write(&new, peer.snapshot().to_bytes())?;
    Ok(fs::rename(new, file)?)
}

fn restore(file: &Path) -> Result<Peer, Box<dyn Error>> {
    let snapshot = Snapshot::from_bytes(&fs::read(file)?, &Limits::default())?;
    Ok(Peer::restore(snapshot, Config::default())?)
}
