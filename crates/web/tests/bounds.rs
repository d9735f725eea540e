//! How much a browser, or what pretends to be one, can take of a peer.

mod support;

use std::time::Duration;

use node::line::MAX_LINE;
use serde_json::json;
use support::serve;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use web::Limits;

use futures::SinkExt as _;

#[tokio::test]
async fn a_frame_that_is_too_long_or_no_line_ends_that_tab_alone() {
    let alice = serve(Limits::default()).await;
    let cookie = alice.log_in().await;
    let mut fine = alice.open(&cookie).await.unwrap();
    let mut long = alice.open(&cookie).await.unwrap();
    // It may be closed before it has taken all of it.
    let _ = long.0.send(Message::text("x".repeat(MAX_LINE + 1))).await;
    assert_eq!(long.end().await, None);
    let mut binary = alice.open(&cookie).await.unwrap();
    binary.0.send(Message::binary(vec![0, 255])).await.unwrap();
    assert_eq!(binary.end().await, Some(4400));
    let mut lines = alice.open(&cookie).await.unwrap();
    lines.send("{\"id\":1,\"command\":\"list_users\"}\n{\"id\":2,\"command\":\"list_users\"}").await;
    assert_eq!(lines.end().await, Some(4400));
    fine.send(r#"{"id":1,"command":"list_users"}"#).await;
    assert_eq!(fine.answer(1).await["answer"], "users");
}

#[tokio::test]
async fn there_are_so_many_sockets_and_no_more() {
    let alice = serve(Limits { sockets: 2, ..Limits::default() }).await;
    let cookie = alice.log_in().await;
    let (mut first, _second) = (alice.open(&cookie).await.unwrap(), alice.open(&cookie).await.unwrap());
    assert_eq!(alice.open(&cookie).await.err(), Some(503));
    first.0.close(None).await.unwrap();
    first.end().await;
    let mut tries = 0;
    while alice.open(&cookie).await.is_err() {
        tries += 1;
        assert!(tries < 500, "its place is not free again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn there_are_so_many_connections_and_no_more() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let lasts = limits.connection_lasts;
    let alice = serve(limits).await;
    let _idle = [TcpStream::connect(alice.page).await.unwrap(), TcpStream::connect(alice.page).await.unwrap()];
    let mut third = TcpStream::connect(alice.page).await.unwrap();
    let closed = timeout(lasts / 2, third.read(&mut [0; 1])).await.expect("it is closed at once");
    assert_eq!(closed.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_connection_that_asks_for_nothing_gives_its_place_back() {
    let limits = Limits { connections: 1, connection_lasts: Duration::from_millis(500), ..Limits::default() };
    let alice = serve(limits).await;
    let mut idle = TcpStream::connect(alice.page).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(30), idle.read_to_end(&mut rest)).await.expect("it does not last");
    let mut tries = 0;
    while !alice.ask("GET /", &[], "").await.0.starts_with("HTTP/1.1 200") {
        tries += 1;
        assert!(tries < 500, "its place is not free again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The texts fill what the systems of both sides take in between, and the peer's own bound for a client (16 MiB) is far
/// from reached: it is the page that gives up.
#[tokio::test]
async fn a_browser_that_reads_nothing_is_dropped_and_nobody_waits_for_it() {
    let alice = serve(Limits { patience: Duration::from_millis(300), sockets: 2, ..Limits::default() }).await;
    let cookie = alice.log_in().await;
    let stuck = alice.open(&cookie).await.unwrap();
    let mut fine = alice.open(&cookie).await.unwrap();
    let text = "x".repeat(60_000);
    for id in 0..160 {
        fine.send(&json!({"id": id, "command": "send", "to": "all", "text": text}).to_string()).await;
        assert_eq!(fine.answer(id).await["answer"], "sent");
    }
    let mut tries = 0;
    loop {
        if alice.open(&cookie).await.is_ok() {
            break;
        }
        tries += 1;
        assert!(tries < 1500, "the one that reads nothing keeps its place");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(stuck);
}

#[tokio::test]
async fn a_tab_speaks_the_lines_of_the_session_and_is_told_when_the_peer_leaves() {
    let alice = serve(Limits::default()).await;
    let cookie = alice.log_in().await;
    let (mut one, mut other) = (alice.open(&cookie).await.unwrap(), alice.open(&cookie).await.unwrap());
    assert_eq!(one.line().await["hello"], 1);
    assert_eq!(other.line().await["me"]["name"], "alice");
    one.send("{").await;
    assert!(one.line().await["error"].as_str().unwrap().contains("JSON"));
    one.send(r#"{"id":2,"command":"send","to":"all","text":"<b>hi</b>"}"#).await;
    assert_eq!(one.answer(2).await["message"]["text"], "<b>hi</b>");
    loop {
        let line = other.line().await;
        if line["event"] == "message" {
            assert_eq!(line["message"]["own"], true);
            break;
        }
    }
    alice.stop();
    loop {
        let line = one.line().await;
        if line.get("end").is_some() {
            break;
        }
    }
    assert_eq!(one.end().await, Some(1001));
}
