//! Three threads and a channel for each link. Carol looks at Bob's channel before Alice's, so every answer reaches her
//! before its question. Her process delivers them in order all the same.
//!
//! `cargo run -p causal-multicast --example channels`
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use causal::{Config, Envelope, Process, Receipt};

type Name = &'static str;
type Peer = Process<Name, String>;
type Copy = (Envelope<Name>, String);
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const QUESTIONS: usize = 5;

pub(crate) fn main() -> Outcome<()> {
    let (alice_to_bob, bob_from_alice) = channel();
    let (alice_to_carol, carol_from_alice) = channel();
    let (bob_to_carol, carol_from_bob) = channel();

    let delivered = thread::scope(|scope| {
        let alice = scope.spawn(move || alice(&[alice_to_bob, alice_to_carol]));
        let bob = scope.spawn(move || bob(&bob_from_alice, &bob_to_carol));
        let carol = scope.spawn(move || carol(&carol_from_alice, &carol_from_bob));
        alice.join().expect("alice does not panic")?;
        bob.join().expect("bob does not panic")?;
        carol.join().expect("carol does not panic")
    })?;

    let expected: Vec<String> = (0..QUESTIONS).flat_map(|n| [format!("question {n}"), format!("answer {n}")]).collect();
    assert_eq!(delivered, expected);
    println!("delivered to carol, in this order: {}", delivered.join(", "));
    Ok(())
}

/// Sends each question to both others.
fn alice(links: &[Sender<Copy>]) -> Outcome<()> {
    let mut process = Peer::new("alice", Config::default());
    for n in 0..QUESTIONS {
        let envelope = process.send(["bob", "carol"])?;
        for link in links {
            link.send((envelope.clone(), format!("question {n}")))?;
        }
    }
    Ok(())
}

/// Answers each question once it is delivered.
fn bob(from_alice: &Receiver<Copy>, to_carol: &Sender<Copy>) -> Outcome<()> {
    let mut process = Peer::new("bob", Config::default());
    for (envelope, text) in from_alice {
        process.accept(&envelope, text)?;
        while let Some(delivery) = process.next_delivery() {
            let answer = delivery.message.replace("question", "answer");
            to_carol.send((process.send(["carol"])?, answer))?;
        }
    }
    Ok(())
}

/// Receives each answer before its question.
fn carol(from_alice: &Receiver<Copy>, from_bob: &Receiver<Copy>) -> Outcome<Vec<String>> {
    let mut process = Peer::new("carol", Config::default());
    let mut delivered = Vec::new();
    for _ in 0..QUESTIONS {
        let (answer, text) = from_bob.recv()?;
        assert_eq!(process.accept(&answer, text)?, Receipt::Held);
        let (question, text) = from_alice.recv()?;
        assert_eq!(process.accept(&question, text)?, Receipt::Delivered);
        while let Some(delivery) = process.next_delivery() {
            delivered.push(delivery.message);
        }
    }
    Ok(delivered)
}
