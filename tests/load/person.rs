//! One person: a browser's requests, and the WebSocket of one tab.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Somebody who uses the page of a host.
pub(crate) struct Person {
    name: String,
    page: SocketAddr,
    /// Where they come from.
    from: IpAddr,
    cookie: String,
    tab: Option<WebSocketStream<TcpStream>>,
    /// Who is present, by key, beside themselves.
    present: HashSet<String>,
    /// What they have read.
    read: HashSet<String>,
}

impl Person {
    pub(crate) fn new(page: SocketAddr, nth: usize) -> Self {
        let [.., high, low] = nth.to_be_bytes();
        Self {
            name: format!("person{nth}"),
            page,
            from: Ipv4Addr::new(127, 1, high, low).into(),
            cookie: String::new(),
            tab: None,
            present: HashSet::new(),
            read: HashSet::new(),
        }
    }

    async fn connect(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(self.from, 0)).unwrap();
        socket.connect(self.page).await.unwrap()
    }

    /// The whole answer to a request of the page's script.
    async fn post(&self, path: &str, body: &str) -> String {
        let (page, cookie, length) = (self.page, &self.cookie, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {page}\r\nOrigin: http://{page}\r\nX-Causerie: 1\r\nCookie: {cookie}\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Registers or logs in, and opens a tab.
    pub(crate) async fn enter(&mut self, path: &str) {
        let passphrase = format!("the passphrase of {}", self.name);
        let body = json!({"name": self.name, "passphrase": passphrase}).to_string();
        let answer = loop {
            let answer = self.post(path, &body).await;
            if !answer.starts_with("HTTP/1.1 503") {
                break answer;
            }
            // As many as may wait already do.
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        assert!(answer.starts_with("HTTP/1.1 204"), "{}: {answer}", self.name);
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        self.cookie = cookie.split(';').next().unwrap().to_owned();
        let mut request = format!("ws://{}/session", self.page).into_client_request().unwrap();
        request.headers_mut().insert("origin", format!("http://{}", self.page).parse().unwrap());
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        let (tab, _) = tokio_tungstenite::client_async(request, self.connect().await).await.unwrap();
        self.tab = Some(tab);
        let hello = self.line().await.expect("a hello");
        assert_eq!(hello["me"]["name"], self.name.as_str(), "{hello}");
        for user in hello["users"].as_array().unwrap() {
            if user["present"] == true && user["me"] == false {
                self.present.insert(user["who"]["person"].as_str().unwrap().to_owned());
            }
        }
    }

    pub(crate) async fn log_out(&mut self) {
        let answer = self.post("/logout", "").await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        while self.line().await.is_some() {}
        self.tab = None;
        self.present.clear();
    }

    /// Waits until all others are present.
    pub(crate) fn sees_all(count: usize) -> impl Fn(&mut Self) -> futures::future::BoxFuture<'_, ()> {
        move |person| {
            Box::pin(async move {
                while person.present.len() < count - 1 {
                    person.line().await.expect("the session goes on");
                }
            })
        }
    }

    pub(crate) async fn speak(&mut self) {
        let request = json!({"id": 1, "command": "send", "to": "all", "text": format!("I am {}", self.name)});
        self.tab.as_mut().expect("a tab").send(Message::text(request.to_string())).await.unwrap();
        loop {
            let line = self.line().await.expect("the session goes on");
            if line["id"] == 1 {
                assert_eq!(line["answer"], "sent", "{line}");
                return;
            }
        }
    }

    /// Waits until a message of each of the others was read.
    pub(crate) fn reads_all(count: usize) -> impl Fn(&mut Self) -> futures::future::BoxFuture<'_, ()> {
        move |person| {
            Box::pin(async move {
                while person.read.len() < count - 1 {
                    person.line().await.expect("the session goes on");
                }
            })
        }
    }

    /// The next line, and what it says is remembered. `None` at the end of the session.
    async fn line(&mut self) -> Option<Value> {
        let tab = self.tab.as_mut().expect("a tab");
        let line: Value = loop {
            match tab.next().await? {
                Ok(Message::Text(text)) => break serde_json::from_str(&text).unwrap(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        };
        let person = || line["who"]["person"].as_str().unwrap().to_owned();
        match line["event"].as_str() {
            Some("peer_up") => {
                self.present.insert(person());
            }
            Some("peer_down") => {
                self.present.remove(&person());
            }
            Some("message") => {
                self.read.insert(line["message"]["text"].as_str().unwrap().to_owned());
            }
            Some(_) | None => {}
        }
        Some(line)
    }
}
