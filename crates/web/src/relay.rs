//! One tab: its WebSocket carries the lines of a session of the peer, one line per message.

use std::future::pending;
use std::io;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use node::{SESSION, connect};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, sleep, timeout};

use crate::routes::{Page, Shared};
use crate::secret::Secret;
use crate::sessions::Entered;

/// The browser is logged out; of the codes that are free for programs.
const LOGGED_OUT: u16 = 4401;

/// The browser sent what is no line.
const NO_LINE: u16 = 4400;

/// The peer's session is over.
const OVER: u16 = 1001;

/// Carries lines until one of the two ends is closed, or the browser is logged out.
pub(crate) async fn relay(browser: WebSocket, page: Shared, id: Secret, entered: Entered) {
    let page = &*page;
    let Entered { seat, mut ended } = entered;
    let (mut to_browser, from_browser) = browser.split();
    let why = match connect(&seat.folder, SESSION).await {
        // What answers may be the peer of an account that was made since.
        Ok(_) if !seat.is_there() => Some((LOGGED_OUT, "logged out")),
        Ok(peer) => {
            let (from_peer, to_peer) = peer.into_split();
            tokio::select! {
                why = down(from_peer, &mut to_browser, page) => why,
                why = up(from_browser, to_peer, page, id) => why,
                () = ended.wait() => Some((LOGGED_OUT, "logged out")),
                () = idle(page, id) => Some((LOGGED_OUT, "logged out")),
            }
        }
        Err(error) => {
            tracing::debug!("a browser gets no session: {error}");
            Some((OVER, "the peer has left"))
        }
    };
    if let Some((code, reason)) = why {
        let frame = CloseFrame { code, reason: reason.into() };
        // One that takes nothing any more is dropped without a word.
        let _ = timeout(page.limits.patience, to_browser.send(Message::Close(Some(frame)))).await;
    }
}

/// Why a WebSocket is closed; `None` if nothing can be said any more.
type Why = Option<(u16, &'static str)>;

/// From the peer to the browser.
async fn down(from: OwnedReadHalf, to: &mut SplitSink<WebSocket, Message>, page: &Page) -> Why {
    let mut from = BufReader::new(from);
    let mut line = String::new();
    loop {
        line.clear();
        match from.read_line(&mut line).await {
            Ok(0) | Err(_) => return Some((OVER, "the peer has left")),
            Ok(_) => {}
        }
        let more = from.buffer().contains(&b'\n');
        let text = Message::Text(line.trim_end_matches('\n').into());
        let sending = async {
            to.feed(text).await?;
            if more { Ok(()) } else { to.flush().await }
        };
        match timeout(page.limits.patience, sending).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return None,
            Err(_) => {
                tracing::info!("a browser that reads nothing is dropped");
                return None;
            }
        }
    }
}

/// From the browser to the peer. Whatever comes keeps the log-in alive.
async fn up(mut from: SplitStream<WebSocket>, mut to: OwnedWriteHalf, page: &Page, id: Secret) -> Why {
    while let Some(Ok(message)) = from.next().await {
        let line = match message {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Binary(_) => return Some((NO_LINE, "a message is a line of text")),
            Message::Close(_) => return None,
        };
        if line.as_str().contains('\n') {
            return Some((NO_LINE, "a message is one line"));
        }
        if page.sessions.lock().enter(id, Instant::now()).is_none() {
            return Some((LOGGED_OUT, "logged out"));
        }
        if write(&mut to, line.as_str()).await.is_err() {
            // The other direction says why.
            return pending().await;
        }
    }
    None
}

async fn write(to: &mut OwnedWriteHalf, line: &str) -> io::Result<()> {
    to.write_all(line.as_bytes()).await?;
    to.write_all(b"\n").await
}

/// Waits until the log-in has not been used for too long.
async fn idle(page: &Page, id: Secret) {
    loop {
        let left = page.sessions.lock().lasts(id, Instant::now());
        match left {
            Some(left) => sleep(left).await,
            None => return,
        }
    }
}
