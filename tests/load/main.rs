//! Many people at one host: they register, log out, and log in at once; they see each other, and each reads a message of each.
//! The host is the program itself, the passphrases cost what they cost, and each person has a WebSocket and an address of
//! their own.
//!
//! `CAUSERIE_LOAD=150 cargo test --release -p causerie --test load -- --nocapture` tells the times and the memory for so many.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it fails where it cannot go on, and tells what it measures"
)]

#[path = "../support/host.rs"]
#[allow(dead_code, reason = "the load is on a host, and not on one peer")]
mod host;
#[path = "../support/peer.rs"]
#[allow(dead_code, reason = "there is no peer at a terminal here")]
mod peer;
mod person;

use std::env;
use std::time::{Duration, Instant};

use futures::future::join_all;
use host::Host;
use person::Person;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// How many there are, unless the environment says otherwise: what two processors do in well under three minutes without
/// optimisations.
const PEOPLE: usize = 60;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(1200);

#[test]
fn all_people_of_a_host_see_each_other_and_read_a_message_of_each() {
    let people = env::var("CAUSERIE_LOAD").map_or(PEOPLE, |count| count.parse().expect("CAUSERIE_LOAD is a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let host = Host::start(folder.path(), &[]);
    let work = async { timeout(PATIENCE, load(&host, people)).await.expect("it comes to an end") };
    Runtime::new().expect("there are threads").block_on(work);
}

async fn load(host: &Host, count: usize) {
    let address = host.link.strip_prefix("http://").and_then(|link| link.strip_suffix('/')).unwrap().parse().unwrap();
    let mut people: Vec<Person> = (0..count).map(|nth| Person::new(address, nth)).collect();
    let mut clock = Clock(Instant::now());
    println!("{count} people at one host:");
    join_all(people.iter_mut().map(|person| person.enter("/register"))).await;
    clock.tell("have registered, which starts a peer for each", host);
    join_all(people.iter_mut().map(Person::sees_all(count))).await;
    clock.tell("saw each other", host);
    join_all(people.iter_mut().map(Person::log_out)).await;
    clock.tell("have logged out", host);
    join_all(people.iter_mut().map(|person| person.enter("/login"))).await;
    clock.tell("have logged in, all at once", host);
    join_all(people.iter_mut().map(Person::sees_all(count))).await;
    clock.tell("see each other", host);
    join_all(people.iter_mut().map(Person::speak)).await;
    clock.tell("have said something", host);
    join_all(people.iter_mut().map(Person::reads_all(count))).await;
    clock.tell("have read a message of each", host);
    println!("{:>6} MB at most", host.megabytes("VmHWM:"));
}

/// Tells how long each part has taken.
struct Clock(Instant);

impl Clock {
    fn tell(&mut self, what: &str, host: &Host) {
        println!("{:>6.1} s  {:>5} MB  {what}", self.0.elapsed().as_secs_f64(), host.megabytes("VmRSS:"));
        self.0 = Instant::now();
    }
}
