//! What an attacker may try on a host: other sites, other accounts, guesses, floods.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{Duration, Instant};

use futures::SinkExt as _;
use futures::future::join_all;
use node::line::MAX_LINE;
use serde_json::json;
use support::hosted::{Hosted, host, open_host, passphrase};
use tokio_tungstenite::tungstenite::Message;
use web::{HostLimits, Limits, Registration};

/// Every request that changes something.
const CHANGES: [&str; 4] = ["/login", "/register", "/logout", "/delete"];

fn body(name: &str) -> String {
    json!({"name": name, "passphrase": passphrase(name)}).to_string()
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let host = open_host().await;
    let cookie = host.register("alice").await;
    let port = host.page.port();
    let own = host.own();
    let rebound = [format!("Host: evil.example:{port}"), format!("Origin: http://evil.example:{port}"), own[1].clone()];
    let neighbour = ["Origin: http://127.0.0.1:1".to_owned(), own[1].clone()];
    let tls = [format!("Origin: https://{}", host.page), own[1].clone()];
    let (no_csrf, no_origin, nothing) = ([own[0].clone()], [own[1].clone()], []);
    for path in CHANGES {
        for headers in [&rebound[..], &neighbour, &tls, &no_csrf, &no_origin, &nothing] {
            let headers: Vec<&str> = headers.iter().map(String::as_str).chain([cookie.as_str()]).collect();
            let answer = host.ask(&format!("POST {path}"), &headers, &body("alice")).await;
            assert_eq!(answer.status(), 403, "{path} {headers:?}");
        }
    }
    assert_eq!(host.ask("GET /entry", &[&rebound[0]], "").await.status(), 403, "a foreign name learns nothing");
    for headers in [&[cookie.as_str(), &rebound[0], &rebound[1]][..], &[&cookie, &neighbour[0]], &[&cookie, &tls[0]]] {
        assert_eq!(host.open_as(headers).await.err(), Some(403), "{headers:?}");
    }
    assert!(host.is_logged_in(&cookie).await && host.folder("alice").exists());
}

#[tokio::test]
async fn a_stolen_cookie_is_worth_nothing_after_log_out() {
    let host = open_host().await;
    let stolen = host.register("alice").await;
    assert_eq!(host.post("/logout", &[&stolen], "").await.status(), 204);
    let own = host.log_in("alice").await;
    assert!(!host.is_logged_in(&stolen).await);
    assert_eq!(host.open(&stolen).await.err(), Some(401));
    assert_eq!(host.delete(&stolen, "alice").await.status(), 401);
    assert_eq!(host.post("/logout", &[&stolen], "").await.status(), 204);
    assert!(host.is_logged_in(&own).await, "the thief logs nobody out");
}

#[tokio::test]
async fn one_account_sees_and_does_nothing_of_another() {
    let host = open_host().await;
    let (alice, bob) = (host.register("alice").await, host.register("bob").await);
    let mut hers = host.open(&alice).await.unwrap();
    hers.send(r#"{"id":1,"command":"create_group","group":"secret"}"#).await;
    hers.answer(1).await;
    hers.send(r#"{"id":2,"command":"send","to":{"name":"secret"},"text":"between us"}"#).await;
    assert_eq!(hers.answer(2).await["answer"], "sent");
    let person = host.who(&alice).await.1;

    let mut his = host.open(&bob).await.unwrap();
    assert_eq!(his.line().await["me"]["name"], "bob");
    for (id, request) in [
        json!({"command": "history", "count": 100}),
        json!({"command": "history", "of": {"name": "group:secret"}, "count": 100}),
        json!({"command": "history", "of": {"name": person}, "count": 100}),
        json!({"command": "search", "words": "between", "count": 100}),
        json!({"command": "pending"}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut request = request;
        request["id"] = json!(100 + id);
        // What others may have written into a request changes nothing about whose it is.
        request["account"] = json!("alice");
        request["person"] = json!(person);
        his.send(&request.to_string()).await;
        let answer = his.answer(100 + id as u64).await.to_string();
        assert!(!answer.contains("between us"), "{request}: {answer}");
    }
    // Of two cookies of one name the first one counts, and a browser sends what the host has set.
    let id = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let name = alice.split_once('=').unwrap().0.to_owned();
    for forged in [
        format!("{name}=alice"),
        format!("{name}={person}"),
        format!("{name}={}", id(&alice).to_uppercase()),
        format!("{name}={:032x}", u128::from_str_radix(&id(&alice), 16).unwrap() + 1),
        format!("{name}={}0", id(&alice)),
        format!("{name}-alice={}", id(&alice)),
    ] {
        assert!(!host.is_logged_in(&forged).await, "{forged}");
        assert_eq!(host.open(&forged).await.err(), Some(401), "{forged}");
    }
    assert_eq!(host.delete(&bob, "alice").await.status(), 400);
    let other = open_host().await;
    other.register("alice").await;
    assert!(!other.is_logged_in(&alice).await, "a session of one host is none of another");
    assert!(host.is_logged_in(&alice).await && host.folder("alice").exists());
}

#[tokio::test]
async fn who_sends_too_much_or_reads_nothing_disturbs_nobody_else() {
    let limits = Limits { patience: Duration::from_millis(300), sockets: 2, ..Limits::of_host() };
    let host = host(Registration::Open, limits, HostLimits::default()).await;
    let (alice, bob) = (host.register("alice").await, host.register("bob").await);
    let mut fine = host.open(&bob).await.unwrap();
    let mut long = host.open(&alice).await.unwrap();
    // It may be closed before it has taken all of it.
    let _ = long.0.send(Message::text("x".repeat(MAX_LINE + 1))).await;
    assert_eq!(long.end().await, None);
    let (_stuck, mut busy) = (host.open(&alice).await.unwrap(), host.open(&alice).await.unwrap());
    assert_eq!(host.open(&alice).await.err(), Some(503), "all places of alice are taken");
    let text = "x".repeat(60_000);
    for id in 0..160 {
        busy.send(&json!({"id": id, "command": "send", "to": "all", "text": text}).to_string()).await;
        assert_eq!(busy.answer(id).await["answer"], "sent");
        fine.send(&json!({"id": id, "command": "list_users"}).to_string()).await;
        assert_eq!(fine.answer(id).await["answer"], "users");
    }
    let mut tries = 0;
    while host.open(&alice).await.is_err() {
        tries += 1;
        assert!(tries < 1500, "the one that reads nothing keeps its place");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Many log-ins, fifty at a time; how often each status came.
async fn try_many(host: &Hosted, count: usize, name: impl Fn(usize) -> String) -> Vec<u16> {
    let mut statuses = Vec::new();
    for begin in (0..count).step_by(50) {
        let tries = (begin..begin + 50).map(|nth| {
            let (host, name) = (&host, name(nth));
            async move { host.try_log_in(&name, "guess").await }
        });
        for answer in join_all(tries).await {
            if answer.status() == 429 {
                let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!(wait > 0, "{answer:?}");
                assert!(answer.body().starts_with("Too many tries: wait "), "{answer:?}");
            }
            statuses.push(answer.status());
        }
    }
    statuses
}

#[tokio::test]
async fn a_thousand_wrong_log_ins_of_one_account_are_five_guesses_and_a_few() {
    let begun = Instant::now();
    let host = open_host().await;
    let alice = host.register("alice").await;
    let statuses = try_many(&host, 1000, |_| "alice".to_owned()).await;
    let guesses = statuses.iter().filter(|status| **status == 401).count();
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    // After the fifth there is a wait of a second, which doubles.
    let most = 5 + 64 - (begun.elapsed().as_secs() + 1).leading_zeros() as usize;
    assert!((5..=most).contains(&guesses), "{guesses} of at most {most}");
    assert!(host.is_logged_in(&alice).await, "alice herself chats on");
    let slowed = host.try_log_in("alice", &passphrase("alice")).await;
    assert_eq!(slowed.status(), 429, "not even the right one comes through at once");
}

#[tokio::test]
async fn an_attacker_at_one_address_keeps_no_owner_out_who_is_at_another() {
    let host = open_host().await;
    host.register("alice").await;
    let (attacker, owner) = (Ipv4Addr::new(127, 0, 1, 1), Ipv4Addr::new(127, 0, 2, 1));
    for round in 0..10 {
        let guesses = join_all((0..20).map(|_| host.try_log_in_from(attacker, "alice", "guess"))).await;
        assert!(round == 0 || guesses.iter().any(|guess| guess.status() == 429), "the attacker has to wait");
        assert_eq!(host.try_log_in_from(owner, "alice", &passphrase("alice")).await.status(), 204, "round {round}");
    }
}

#[tokio::test]
async fn guesses_of_many_addresses_at_one_account_have_a_bound() {
    let limits = HostLimits { wrong_of_account: 12, wrong_every: Duration::from_secs(3600), ..HostLimits::default() };
    let host = host(Registration::Open, Limits::of_host(), limits).await;
    let mut statuses = Vec::new();
    for nth in 0..20 {
        statuses.push(host.try_log_in_from(Ipv4Addr::new(127, 0, 3, nth), "alice", "guess").await.status());
    }
    assert_eq!(statuses, [[401; 12].as_slice(), &[429; 8]].concat());
    assert_eq!(host.try_log_in_from(Ipv4Addr::new(127, 0, 3, 99), "bob", "guess").await.status(), 401);
}

#[tokio::test]
async fn a_thousand_wrong_log_ins_with_a_thousand_names_slow_their_address_down() {
    let limits =
        HostLimits { waiting: 8, openings: 2, wrong_every: Duration::from_secs(3600), ..HostLimits::default() };
    let host = host(Registration::Open, Limits::of_host(), limits).await;
    let alice = host.register("alice").await;
    let statuses = try_many(&host, 1000, |nth| format!("name{nth}")).await;
    let guesses = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(guesses, 5, "however many come at once");
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    assert!(host.is_logged_in(&alice).await);
    let mut tab = host.open(&alice).await.unwrap();
    tab.send(r#"{"id":1,"command":"list_users"}"#).await;
    assert_eq!(tab.answer(1).await["answer"], "users", "who is in stays in");
}

#[tokio::test]
async fn many_people_behind_one_router_log_in_at_once_and_leave_room_for_others() {
    let limits = HostLimits { waiting: 8, openings: 2, ..HostLimits::default() };
    let host = host(Registration::Open, Limits::of_host(), limits).await;
    let names: Vec<_> = (0..30).map(|nth| format!("name{nth}")).collect();
    for request in ["registers", "logs in"] {
        let class = join_all(names.iter().map(async |name| match request {
            "registers" => host.try_register(name, &passphrase(name)).await.status(),
            _ => host.try_log_in(name, &passphrase(name)).await.status(),
        }));
        let other = host.try_log_in_from(Ipv4Addr::new(127, 0, 4, 1), "nobody", "guess");
        let (class, other) = tokio::join!(class, other);
        assert_eq!(class, [204; 30], "{request}");
        assert_eq!(other.status(), 401);
    }
}

#[tokio::test]
async fn a_thousand_registrations_of_one_address_make_a_few_accounts() {
    let limits = HostLimits { registrations: 3, ..HostLimits::default() };
    let host = host(Registration::Open, Limits::of_host(), limits).await;
    let mut statuses = Vec::new();
    for begin in (0..1000).step_by(50) {
        let tries = (begin..begin + 50).map(|nth| {
            let host = &host;
            async move { host.try_register(&format!("name{nth}"), "p").await.status() }
        });
        statuses.extend(join_all(tries).await);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 3, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 204 | 429)), "{statuses:?}");
    let folders = std::fs::read_dir(host.base.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(folders.count(), 3);
}

#[tokio::test]
async fn wrong_codes_are_guesses_too() {
    let limits = HostLimits { wrong_every: Duration::from_secs(3600), ..HostLimits::default() };
    let host = host(Registration::Code("open sesame".to_owned()), Limits::of_host(), limits).await;
    let mut statuses = Vec::new();
    for nth in 0..10 {
        let body = json!({"name": "alice", "passphrase": "p", "code": nth.to_string()}).to_string();
        statuses.push(host.post("/register", &[], &body).await.status());
    }
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429, 429, 429, 429]);
}

/// Tells a part of a test, which runs in a process of its own, where to do its work.
const FOLDER: &str = "CAUSERIE_TEST_FOLDER";

#[tokio::test]
#[ignore = "a part of the test below"]
async fn part_register_on_a_full_disk() {
    let base = std::env::var(FOLDER).expect("a test starts this one");
    let listening = web::Listening::on_loopback(support::loopback()).await.unwrap();
    let page = support::Page { page: listening.address() };
    let hosting = support::hosted::hosting(base.into(), Registration::Open, HostLimits::default());
    let _serving = listening.serve_accounts(hosting, Limits::of_host());
    let refused = page.post("/register", &[], &body("alice")).await;
    assert!(refused.status() == 500 && refused.body().contains("that the disk has room"), "{refused:?}");
    assert_eq!(page.post("/login", &[], &body("alice")).await.status(), 401);
}

#[test]
fn a_full_disk_is_named_and_leaves_no_part_of_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh");
    child.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    child.args(["--exact", "part_register_on_a_full_disk", "--ignored"]).env(FOLDER, folder.path());
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["~lock"]);
}
