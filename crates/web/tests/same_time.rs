//! How long a host works on a wrong passphrase. The test is alone in its process, whose processor time it measures: that of the
//! clock depends on what else the machine does.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use account::{Accounts, Cost, Key, Seed};
use node::chat::Name;
use serde_json::json;
use support::hosted::hosting;
use support::{Page, loopback};
use web::{HostLimits, Limits, Listening, Registration};

/// The processor time of this process so far, in hundredths of a second.
fn used() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn a_name_that_is_not_there_and_one_without_a_passphrase_take_as_long_as_a_wrong_passphrase() {
    let base = tempfile::tempdir().unwrap();
    let listening = Listening::on_loopback(loopback()).await.unwrap();
    let page = Page { page: listening.address() };
    let mut hosting =
        hosting(base.path().to_owned(), Registration::Open, HostLimits { wrong: 6, ..HostLimits::default() });
    // What passphrases really cost.
    hosting.cost = Cost::default();
    let _serving = listening.serve_accounts(hosting, Limits::of_host());
    let body = |name: &str, passphrase: &str| json!({"name": name, "passphrase": passphrase}).to_string();
    assert_eq!(page.post("/register", &[], &body("alice", "right")).await.status(), 204);
    let accounts = Accounts::new(base.path().to_owned());
    accounts.create(&Name::parse("plain").unwrap(), &Key::Plain(Seed::draw().unwrap())).unwrap();
    let mut shortest = [u64::MAX; 3];
    for _ in 0..2 {
        for (name, shortest) in ["alice", "nobody", "plain"].iter().zip(&mut shortest) {
            let before = used();
            assert_eq!(page.post("/login", &[], &body(name, "guess")).await.status(), 401);
            *shortest = (used() - before).min(*shortest);
        }
    }
    let [wrong, nobody, plain] = shortest;
    assert!(wrong >= 3, "{wrong} hundredths of a second");
    for other in [nobody, plain] {
        assert!(other * 3 > wrong && wrong * 3 > other, "{wrong}, {nobody} and {plain} hundredths of a second");
    }
}
