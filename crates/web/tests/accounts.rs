//! A host: registering, logging in and out, deleting. Each account has a peer of its own.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use account::{Accounts, Key, Seed};
use node::chat::Name;
use node::{Config, DataFolder, Home};
use serde_json::json;
use support::hosted::{Hosted, host, open_host, passphrase};
use support::loopback;
use web::{HostLimits, Limits, Registration};
use zeroize::Zeroizing;

/// The account's key, which its passphrase opens.
fn seed(host: &Hosted, name: &str) -> Seed {
    let accounts = Accounts::new(host.base.path().to_owned());
    match accounts.key(&Name::parse(name).unwrap()).unwrap() {
        Key::Sealed(sealed) => sealed.open(&account::Passphrase::new(&passphrase(name)).unwrap()).unwrap(),
        Key::Plain(seed) => seed,
    }
}

#[tokio::test]
async fn who_registers_is_in_and_the_account_is_one_of_this_machine() {
    let host = open_host().await;
    let answer = host.try_register("alice", &passphrase("alice")).await;
    assert_eq!(answer.status(), 204, "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with(&format!("causerie-host-{}=", host.page.port())), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
    let (name, person) = host.who(&answer.cookie()).await;
    assert_eq!((name.as_str(), person), ("alice", seed(&host, "alice").person().to_string()));
    let key = fs::metadata(host.folder("alice").join("identity.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_with_a_reason_and_leaves_nothing() {
    let host = open_host().await;
    let long = "x".repeat(500);
    for (name, passphrase, why) in [
        (long.as_str(), "p", "32"),
        ("", "p", "name"),
        ("../alice", "p", "name"),
        (".alice", "p", "dot"),
        ("alice", "", "empty"),
        ("alice", &"p".repeat(1025), "1024 bytes"),
    ] {
        let answer = host.try_register(name, passphrase).await;
        assert_eq!(answer.status(), 400, "{name:.20}: {answer:?}");
        assert!(answer.body().contains(why), "{name:.20}: {}", answer.body());
    }
    for body in ["", "{", "[]", r#"{"name":"alice"}"#, r#"{"name":7,"passphrase":"p"}"#] {
        assert_eq!(host.post("/register", &[], body).await.status(), 400, "{body}");
        assert_eq!(host.post("/login", &[], body).await.status(), 400, "{body}");
    }
    let endless = format!(r#"{{"name":"alice","passphrase":"{}"}}"#, "p".repeat(1 << 20));
    assert_eq!(host.post("/register", &[], &endless).await.status(), 413);
    assert!(!fs::read_dir(host.base.path()).unwrap().any(|entry| entry.unwrap().path().is_dir()), "nothing is left");
    host.register("alice").await;
    for taken in ["alice", "Alice", " alice "] {
        let answer = host.try_register(taken, "p").await;
        assert!(answer.status() == 400 && answer.body().contains("another name"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_wrong_passphrase_no_passphrase_and_a_name_that_is_not_there_get_the_same_answer() {
    let host = open_host().await;
    host.register("alice").await;
    let accounts = Accounts::new(host.base.path().to_owned());
    accounts.create(&Name::parse("plain").unwrap(), &Key::Plain(Seed::draw().unwrap())).unwrap();
    let wrong = host.try_log_in("alice", "guess").await;
    let nobody = host.try_log_in("nobody", "guess").await;
    assert_eq!((wrong.status(), wrong.body()), (401, nobody.body()));
    assert_eq!(nobody.status(), 401);
    let plain = host.try_log_in("plain", "guess").await;
    assert_eq!((plain.status(), plain.body()), (401, nobody.body()));
    assert!(plain.body().contains("causerie account lock"), "its owner learns what to do: {}", plain.body());
    assert!(wrong.body().contains("recovery words"), "{}", wrong.body());
    assert!(wrong.header("set-cookie").is_none());
}

#[tokio::test]
async fn two_log_ins_of_one_account_share_its_peer_and_the_last_one_out_stops_it() {
    let host = open_host().await;
    let first = host.register("alice").await;
    let second = host.log_in("alice").await;
    assert_ne!(first, second);
    assert_eq!(host.who(&first).await, host.who(&second).await);
    let [mut one, mut other] = [host.open(&first).await.unwrap(), host.open(&second).await.unwrap()];
    one.send(r#"{"id":1,"command":"send","to":"all","text":"said here"}"#).await;
    while other.line().await["message"]["text"] != "said here" {}
    assert_eq!(host.post("/logout", &[&first], "").await.status(), 204);
    assert_eq!(one.end().await, Some(4401));
    other.send(r#"{"id":2,"command":"list_users"}"#).await;
    assert_eq!(other.answer(2).await["answer"], "users", "its peer goes on for the other");
    assert!(DataFolder::open(&host.folder("alice")).is_err());
    assert_eq!(host.post("/logout", &[&second], "").await.status(), 204);
    assert_eq!(other.end().await, Some(4401));
    let mut tries = 0;
    while DataFolder::open(&host.folder("alice")).is_err() {
        tries += 1;
        assert!(tries < 1500, "its peer goes on for nobody");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let again = host.log_in("alice").await;
    let mut tab = host.open(&again).await.unwrap();
    tab.send(r#"{"id":3,"command":"history","count":5}"#).await;
    assert_eq!(tab.answer(3).await["messages"][0]["text"], "said here", "what was said is kept");
}

#[tokio::test]
async fn who_logs_in_at_once_after_logging_out_waits_for_the_goodbye() {
    let host = open_host().await;
    let mut cookie = host.register("alice").await;
    for _ in 0..3 {
        assert_eq!(host.post("/logout", &[&cookie], "").await.status(), 204);
        cookie = host.log_in("alice").await;
        assert_eq!(host.who(&cookie).await.0, "alice");
    }
}

#[tokio::test]
async fn many_log_ins_of_one_account_at_once_start_one_peer() {
    let host = open_host().await;
    let cookie = host.register("alice").await;
    assert_eq!(host.post("/logout", &[&cookie], "").await.status(), 204);
    let cookies = futures::future::join_all((0..4).map(|_| host.log_in("alice"))).await;
    for cookie in &cookies {
        assert_eq!(host.who(cookie).await.0, "alice");
    }
}

#[tokio::test]
async fn an_account_whose_peer_runs_elsewhere_is_attached_to_once_the_passphrase_was_right() {
    let host = open_host().await;
    let cookie = host.register("alice").await;
    assert_eq!(host.post("/logout", &[&cookie], "").await.status(), 204);
    let requests = run_elsewhere(&host, "alice").await;

    assert_eq!(host.try_log_in("alice", "guess").await.status(), 401);
    let cookie = host.log_in("alice").await;
    assert_eq!(host.who(&cookie).await.0, "alice");
    assert_eq!(host.post("/logout", &[&cookie], "").await.status(), 204);
    assert!(requests.request(node::chat::Command::ListUsers).await.is_ok(), "it goes on");
    let cookie = host.log_in("alice").await;
    assert_eq!(host.delete(&cookie, "alice").await.status(), 204);
    assert!(!host.folder("alice").exists() && !host.is_logged_in(&cookie).await);
    assert!(requests.request(node::chat::Command::ListUsers).await.is_err(), "it has stopped");
}

/// Starts the peer of an account as another process does, and has it run until it is told to stop.
async fn run_elsewhere(host: &Hosted, name: &str) -> node::Requests {
    let folder = loop {
        match DataFolder::open(&host.folder(name)) {
            Ok(folder) => break folder,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let mut config = Config::new(name);
    config.home = Some(Home { folder, seed: Zeroizing::new(*seed(host, name).expose()) });
    config.mdns = false;
    config.listen = vec![loopback()];
    let mut elsewhere = node::start(config).await.unwrap();
    let requests = elsewhere.requests.clone();
    tokio::spawn(async move { while elsewhere.events.next_batch().await.is_some() {} });
    requests
}

/// The account is deleted in another process, which ends no session here. Then another person makes one of that name.
#[tokio::test]
async fn a_session_of_a_deleted_account_leads_to_no_other_account_of_its_name() {
    let host = open_host().await;
    let of_eve = host.register("mallet").await;
    assert_eq!(host.post("/logout", &[&of_eve], "").await.status(), 204);
    let elsewhere = run_elsewhere(&host, "mallet").await;
    let of_eve = host.log_in("mallet").await;
    let eve = host.who(&of_eve).await.1;
    elsewhere.stop();
    let accounts = Accounts::new(host.folder("mallet").parent().unwrap().to_owned());
    while accounts.delete(&Name::parse("mallet").unwrap()).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let of_other = host.register("mallet").await;
    let other = host.who(&of_other).await.1;
    assert_ne!(eve, other);
    assert!(!host.is_logged_in(&of_eve).await);
    assert_eq!(host.delete(&of_eve, "mallet").await.status(), 401);
    assert_eq!(host.who(&of_other).await.1, other, "the other account goes on");
}

#[tokio::test]
async fn a_deleted_account_is_gone_with_its_sessions_and_its_name_is_free() {
    let host = open_host().await;
    let (alice, bob) = (host.register("alice").await, host.register("bob").await);
    let person = host.who(&alice).await.1;
    let mut tabs = [host.open(&alice).await.unwrap(), host.open(&alice).await.unwrap()];
    for wrong in ["", "Alice", "bob"] {
        let refused = host.delete(&alice, wrong).await;
        assert!(refused.status() == 400 && refused.body().contains("nothing was deleted"), "{refused:?}");
    }
    assert_eq!(host.delete("Cookie: other=1", "alice").await.status(), 401);
    assert_eq!(host.delete(&alice, "alice").await.status(), 204);
    for tab in &mut tabs {
        assert_eq!(tab.end().await, Some(4401));
    }
    assert!(!host.is_logged_in(&alice).await && host.is_logged_in(&bob).await);
    let mut his = host.open(&bob).await.unwrap();
    his.send(r#"{"id":1,"command":"list_users"}"#).await;
    let users = his.answer(1).await;
    assert!(!users.to_string().contains("alice"), "everybody was told: {users}");
    assert!(!host.folder("alice").exists());
    assert_eq!(host.try_log_in("alice", &passphrase("alice")).await.status(), 401);
    let anew = host.register("alice").await;
    assert_ne!(host.who(&anew).await.1, person, "it is somebody else");
}

#[tokio::test]
async fn an_account_that_is_logged_out_or_deleted_in_a_tab_is_so_at_the_host() {
    let host = open_host().await;
    let cookies = [host.register("alice").await, host.log_in("alice").await];
    let mut tab = host.open(&cookies[0]).await.unwrap();
    tab.send(r#"{"id":1,"command":"log_out"}"#).await;
    tab.end().await;
    let mut tries = 0;
    while host.is_logged_in(&cookies[0]).await || host.is_logged_in(&cookies[1]).await {
        tries += 1;
        assert!(tries < 1500, "its sessions go on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let cookie = host.log_in("alice").await;
    let mut tab = host.open(&cookie).await.unwrap();
    tab.send(r#"{"id":1,"command":"delete_account","name":"alice"}"#).await;
    tab.end().await;
    let mut tries = 0;
    while host.folder("alice").exists() {
        tries += 1;
        assert!(tries < 1500, "its folder is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(host.try_log_in("alice", &passphrase("alice")).await.status(), 401);
}

#[tokio::test]
async fn a_host_says_who_can_register() {
    let closed = host(Registration::Closed, Limits::of_host(), HostLimits::default()).await;
    assert!(closed.ask("GET /entry", &[], "").await.body().contains(r#""registration":"closed""#));
    assert_eq!(closed.try_register("alice", "p").await.status(), 403);
    let code = host(Registration::Code("open sesame".to_owned()), Limits::of_host(), HostLimits::default()).await;
    assert!(code.ask("GET /entry", &[], "").await.body().contains(r#""registration":"code""#));
    for wrong in ["", "open", "open sesamf", "open sesame "] {
        let body = serde_json::json!({"name": "alice", "passphrase": "p", "code": wrong}).to_string();
        let expected = if wrong == "open sesame " { 204 } else { 403 };
        assert_eq!(code.post("/register", &[], &body).await.status(), expected, "{wrong}");
    }
    let full = host(Registration::Open, Limits::of_host(), HostLimits { accounts: 1, ..HostLimits::default() }).await;
    full.register("alice").await;
    let refused = full.try_register("bob", "p").await;
    assert!(refused.status() == 403 && refused.body().contains("as many accounts"), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_is_damaged_is_named_and_left_as_it_is() {
    let host = open_host().await;
    host.register("alice").await;
    host.register("bob").await;
    let key = host.folder("alice").join("identity.key");
    fs::copy(host.folder("bob").join("identity.key"), &key).unwrap();
    let foreign = host.try_log_in("alice", &passphrase("bob")).await;
    assert!(foreign.status() == 500 && foreign.body().contains("key of bob, not of alice"), "{foreign:?}");
    fs::write(&key, "damaged").unwrap();
    let damaged = host.try_log_in("alice", &passphrase("alice")).await;
    assert!(damaged.status() == 500 && damaged.body().contains("is damaged"), "{damaged:?}");
    assert_eq!(fs::read_to_string(&key).unwrap(), "damaged", "nothing was overwritten");
}

#[tokio::test]
async fn a_host_that_stops_says_goodbye_for_all_of_its_peers() {
    let host = open_host().await;
    let mut tabs = Vec::new();
    for name in ["alice", "bob"] {
        let cookie = host.register(name).await;
        tabs.push(host.open(&cookie).await.unwrap());
    }
    let folders = [host.folder("alice"), host.folder("bob")];
    host.serving.stop().await;
    for tab in &mut tabs {
        assert_eq!(tab.end().await, Some(4401));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for folder in folders {
        assert!(DataFolder::open(&folder).is_ok(), "{}", folder.display());
    }
}

#[tokio::test]
async fn a_session_that_nobody_uses_ends_and_its_peer_stops() {
    let limits = Limits { idle: Duration::from_millis(300), ..Limits::of_host() };
    let host = host(Registration::Open, limits, HostLimits::default()).await;
    let cookie = host.register("alice").await;
    let mut tries = 0;
    while DataFolder::open(&host.folder("alice")).is_err() {
        tries += 1;
        assert!(tries < 1500, "its peer goes on for nobody");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!host.is_logged_in(&cookie).await);
}

#[tokio::test]
async fn a_name_that_somebody_in_the_chat_has_is_refused() {
    let host = open_host().await;
    let alice = host.register("alice").await;
    let mut tab = host.open(&alice).await.unwrap();
    tab.send(r#"{"id":1,"command":"health"}"#).await;
    let health = tab.answer(1).await;
    let mut config = Config::new("carol");
    config.mdns = false;
    config.listen = vec![loopback()];
    config.peers = vec![health["listening"][0].as_str().unwrap().to_owned()];
    let mut carol = node::start(config).await.unwrap();
    tokio::spawn(async move { while carol.events.next_batch().await.is_some() {} });
    while tab.line().await["event"] != "peer_up" {}
    for name in ["carol", "Carol", "car\u{43e}l"] {
        let refused = host.try_register(name, "p").await;
        assert!(refused.status() == 400 && refused.body().contains("is called carol already"), "{refused:?}");
        assert!(!host.folder(name).exists());
    }
    host.register("bob").await;
}

/// As if the user had taken a minute to think of a passphrase.
#[tokio::test]
async fn a_request_under_way_is_answered_although_its_connection_has_lasted_long_enough() {
    let limits = Limits { connection_lasts: Duration::from_millis(1), ..Limits::of_host() };
    let host = host(Registration::Open, limits, HostLimits::default()).await;
    let body = json!({"name": "alice", "passphrase": "p"}).to_string();
    let answer = loop {
        let answer = host.post("/register", &[], &body).await;
        // One that comes too late is not taken, and a browser connects again.
        if !answer.0.is_empty() {
            break answer;
        }
    };
    assert_eq!(answer.status(), 204, "{answer:?}");
}
