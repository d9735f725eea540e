//! Logging in by a one-time code, and out again.

mod support;

use std::time::Duration;

use support::serve;
use web::{Error, Limits, Listening, link};

#[tokio::test]
async fn a_code_becomes_a_cookie_that_only_this_page_gets() {
    let alice = serve(Limits::default()).await;
    let code = alice.code().await;
    let answer = alice.post("/login", &[], &code).await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    let (pair, rest) = cookie.split_once(';').unwrap();
    let (name, id) = pair.split_once('=').unwrap();
    assert!(name.starts_with("causerie-12D3KooW"), "it is named for the peer: {name}");
    assert_eq!(rest, " HttpOnly; SameSite=Strict; Path=/");
    assert!(id.len() == 32 && id != code, "128 bits of its own");
    assert!(alice.is_logged_in(&format!("Cookie: other=1; {pair}")).await);
    assert!(!alice.is_logged_in(&format!("Cookie: {name}={code}")).await);
    assert!(!alice.is_logged_in("Cookie: other=1").await);
}

#[tokio::test]
async fn a_code_is_used_up_and_guesses_use_up_nothing() {
    let alice = serve(Limits::default()).await;
    let code = alice.code().await;
    for wrong in [String::new(), "0".repeat(32), code.to_uppercase() + "x", code[..31].to_owned()] {
        assert_eq!(alice.post("/login", &[], &wrong).await.status(), 401, "{wrong}");
    }
    assert_eq!(alice.post("/login", &[], &"0".repeat(1 << 20)).await.status(), 413);
    assert_eq!(alice.post("/login", &[], &code).await.status(), 204);
    assert_eq!(alice.post("/login", &[], &code).await.status(), 401, "it works once");
}

#[tokio::test]
async fn a_code_that_was_not_used_for_long_is_worth_nothing() {
    let alice = serve(Limits { code_lasts: Duration::from_millis(1), ..Limits::default() }).await;
    let code = alice.code().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(alice.post("/login", &[], &code).await.status(), 401);
}

#[tokio::test]
async fn logging_out_ends_every_tab_of_that_session_and_the_cookie_is_worth_nothing() {
    let alice = serve(Limits::default()).await;
    let (mine, other) = (alice.log_in().await, alice.log_in().await);
    let mut tabs = [alice.open(&mine).await.unwrap(), alice.open(&mine).await.unwrap()];
    let mut others = alice.open(&other).await.unwrap();
    let answer = alice.post("/logout", &[&mine], "").await;
    assert_eq!(answer.status(), 204);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    for tab in &mut tabs {
        assert_eq!(tab.end().await, Some(4401));
    }
    assert!(!alice.is_logged_in(&mine).await);
    assert_eq!(alice.open(&mine).await.err(), Some(401), "a stolen cookie");
    others.send(r#"{"id":1,"command":"list_users"}"#).await;
    assert_eq!(others.answer(1).await["answer"], "users");
}

#[tokio::test]
async fn a_session_that_is_not_used_ends_by_itself() {
    let alice = serve(Limits { idle: Duration::from_millis(300), ..Limits::default() }).await;
    let cookie = alice.log_in().await;
    let mut tab = alice.open(&cookie).await.unwrap();
    assert_eq!(tab.end().await, Some(4401));
    assert!(!alice.is_logged_in(&cookie).await);
}

#[tokio::test]
async fn the_code_and_the_session_of_one_peer_open_no_other() {
    let (alice, bob) = (serve(Limits::default()).await, serve(Limits::default()).await);
    let code = alice.code().await;
    assert_eq!(bob.post("/login", &[], &code).await.status(), 401);
    let cookie = alice.log_in().await;
    assert!(!bob.is_logged_in(&cookie).await);
    assert_eq!(bob.open(&cookie).await.err(), Some(401));
}

#[tokio::test]
async fn only_addresses_of_this_machine_are_served_and_a_page_that_is_not_there_is_named() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:4180"] {
        let refused = Listening::on_loopback(address.parse().unwrap()).await.unwrap_err();
        assert!(matches!(refused, Error::NotLoopback { .. }) && refused.is_misuse(), "{refused}");
    }
    let taken = Listening::on_loopback("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let refused = Listening::on_loopback(taken.address()).await.unwrap_err();
    assert!(refused.to_string().contains(&taken.address().to_string()), "{refused}");
    let nobody = tempfile::tempdir().unwrap();
    assert!(link(nobody.path()).await.unwrap_err().to_string().contains("--web"));
}
