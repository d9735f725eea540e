//! A real peer with a page, and a browser's requests to it, byte for byte.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part of it, and fails where it cannot")]

pub(crate) mod hosted;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use node::{Config, DataFolder, Home};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use web::{Limits, Listening, link};
use zeroize::Zeroizing;

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page, as a browser reaches it.
pub(crate) struct Page {
    pub(crate) page: SocketAddr,
}

/// A peer and its page.
pub(crate) struct Served {
    at: Page,
    pub(crate) folder: TempDir,
    requests: node::Requests,
}

impl Deref for Served {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.at
    }
}

pub(crate) async fn serve(limits: Limits) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new("alice");
    let mut seed = Zeroizing::new([0; 32]);
    seed[..8].copy_from_slice(&folder.path().as_os_str().as_encoded_bytes()[folder.path().as_os_str().len() - 8..]);
    config.home = Some(Home { folder: DataFolder::open(folder.path()).unwrap(), seed });
    config.mdns = false;
    config.listen = vec![loopback()];
    let listening = Listening::on_loopback(loopback()).await.unwrap();
    let mut session = node::start(config).await.unwrap();
    let page = listening.address();
    listening.serve(folder.path(), &session.hello.known.me.person.to_string(), limits).unwrap();
    let requests = session.requests.clone();
    tokio::spawn(async move { while session.events.next_batch().await.is_some() {} });
    Served { at: Page { page }, folder, requests }
}

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

impl Served {
    pub(crate) fn stop(&self) {
        self.requests.stop();
    }

    /// A one-time code, out of a link.
    pub(crate) async fn code(&self) -> String {
        let link = link(self.folder.path()).await.unwrap();
        let (page, code) = link.split_once('#').unwrap();
        assert_eq!(page, format!("http://{}/", self.page));
        code.to_owned()
    }

    /// Logs in: the line `Cookie: …` of the session.
    pub(crate) async fn log_in(&self) -> String {
        let code = self.code().await;
        let answer = self.post("/login", &[], &code).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        answer.cookie()
    }
}

impl Page {
    /// What is answered to a request whose lines these are, with the page's own `Host` unless it has another.
    pub(crate) async fn ask(&self, request: &str, headers: &[&str], body: &str) -> Answer {
        self.ask_from(Ipv4Addr::LOCALHOST, request, headers, body).await
    }

    /// The same, from a browser at another address.
    async fn ask_from(&self, from: Ipv4Addr, request: &str, headers: &[&str], body: &str) -> Answer {
        let mut text = format!("{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            text += &format!("Host: {}\r\n", self.page);
        }
        for header in headers {
            text += &format!("{header}\r\n");
        }
        text += &format!("\r\n{body}");
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let mut stream = socket.connect(self.page).await.unwrap();
        // A server that has no place for it may have closed already.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        // A server that refuses a long body closes before it has read all of it.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an answer in time");
        Answer(String::from_utf8_lossy(&answer).into_owned())
    }

    /// What the page's own scripts send with a request that changes something.
    pub(crate) fn own(&self) -> [String; 2] {
        [format!("Origin: http://{}", self.page), "X-Causerie: 1".to_owned()]
    }

    pub(crate) async fn post(&self, path: &str, headers: &[&str], body: &str) -> Answer {
        self.post_from(Ipv4Addr::LOCALHOST, path, headers, body).await
    }

    pub(crate) async fn post_from(&self, from: Ipv4Addr, path: &str, headers: &[&str], body: &str) -> Answer {
        let own = self.own();
        let headers: Vec<&str> = own.iter().map(String::as_str).chain(headers.iter().copied()).collect();
        self.ask_from(from, &format!("POST {path}"), &headers, body).await
    }

    pub(crate) async fn is_logged_in(&self, cookie: &str) -> bool {
        match self.ask("GET /login", &[cookie], "").await.status() {
            204 => true,
            401 => false,
            other => panic!("{other}"),
        }
    }

    /// Opens the WebSocket of a tab; the status that it is refused with.
    pub(crate) async fn open(&self, cookie: &str) -> Result<Tab, u16> {
        self.open_as(&[cookie, &self.own()[0]]).await
    }

    pub(crate) async fn open_as(&self, headers: &[&str]) -> Result<Tab, u16> {
        let mut request = format!("ws://{}/session", self.page).into_client_request().unwrap();
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            let name = tokio_tungstenite::tungstenite::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(self.page).await.unwrap();
        match timeout(PATIENCE, tokio_tungstenite::client_async(request, stream)).await.expect("an answer in time") {
            Ok((socket, _)) => Ok(Tab(socket)),
            Err(Error::Http(refused)) => Err(refused.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    /// The line `Cookie: …` of the session that it begins.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {self:?}"));
        format!("Cookie: {}", cookie.split(';').next().unwrap())
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{:?}", self.0))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v)
    }
}

/// The WebSocket of a tab.
pub(crate) struct Tab(pub(crate) WebSocketStream<TcpStream>);

impl Tab {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next line.
    pub(crate) async fn line(&mut self) -> Value {
        match timeout(PATIENCE, self.0.next()).await.expect("a line in time") {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("no line: {other:?}"),
        }
    }

    /// Waits for the answer with that id.
    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        loop {
            let line = self.line().await;
            if line["id"] == id {
                return line;
            }
        }
    }

    /// Waits for the end; the code that it was closed with.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("an end in time") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}
