//! What the page's address answers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use node::line::MAX_LINE;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::sessions::{Secret, Sessions};
use crate::{Limits, files, guard, relay};

/// Bytes of a body: a code, and nothing else is ever sent.
const BODY: usize = 64;

/// What all requests share.
pub(crate) struct Page {
    pub(crate) address: SocketAddr,
    pub(crate) hosts: Vec<String>,
    pub(crate) folder: PathBuf,
    /// The name of the cookie. Browsers keep cookies by host and not by port: each peer of a machine has a name of its own.
    cookie: String,
    pub(crate) sessions: Mutex<Sessions>,
    sockets: Arc<Semaphore>,
    pub(crate) limits: Limits,
}

pub(crate) type Shared = Arc<Page>;

impl Page {
    pub(crate) fn new(address: SocketAddr, folder: &Path, person: &str, limits: Limits) -> Shared {
        Arc::new(Self {
            address,
            hosts: guard::hosts(address),
            folder: folder.to_owned(),
            cookie: format!("causerie-{person}"),
            sessions: Mutex::new(Sessions::new(limits)),
            sockets: Arc::new(Semaphore::new(limits.sockets)),
            limits,
        })
    }

    /// The session that a request belongs to, by its cookie. It need not be open.
    fn session(&self, headers: &HeaderMap) -> Option<Secret> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie).and_then(|(_, value)| Secret::read(value))
    }

    fn set_cookie(&self, value: &str, more: &str) -> [(axum::http::HeaderName, String); 1] {
        [(SET_COOKIE, format!("{}={value}; HttpOnly; SameSite=Strict; Path=/{more}", self.cookie))]
    }
}

pub(crate) fn router(page: Shared) -> Router {
    files::router()
        .route("/login", get(logged_in).post(log_in))
        .route("/entry", get(entry))
        .route("/logout", post(log_out))
        .route("/session", get(open))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&page), guard::guard))
        .with_state(page)
}

/// Whether this browser is logged in.
async fn logged_in(State(page): State<Shared>, headers: HeaderMap) -> StatusCode {
    let id = page.session(&headers);
    let open = id.and_then(|id| page.sessions.lock().enter(id, Instant::now()));
    if open.is_some() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}

/// What the page's way in has to offer.
async fn entry(State(page): State<Shared>, headers: HeaderMap) -> Response {
    let id = page.session(&headers);
    let open = id.and_then(|id| page.sessions.lock().enter(id, Instant::now()));
    let offered = format!("{{\"logged_in\":{}}}", open.is_some());
    ([(CONTENT_TYPE, "application/json")], offered).into_response()
}

/// Exchanges a one-time code for a session.
async fn log_in(State(page): State<Shared>, headers: HeaderMap, code: String) -> Response {
    let Some(code) = Secret::read(&code) else { return StatusCode::UNAUTHORIZED.into_response() };
    let mut sessions = page.sessions.lock();
    match sessions.redeem(code, Instant::now()) {
        Ok(Some(id)) => {
            if let Some(before) = page.session(&headers) {
                sessions.end(before);
            }
            (StatusCode::NO_CONTENT, page.set_cookie(&id.write(), "")).into_response()
        }
        Ok(None) => StatusCode::UNAUTHORIZED.into_response(),
        Err(error) => {
            tracing::warn!("nobody can log in at the page: {error}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Ends the session of this browser, for all of its tabs.
async fn log_out(State(page): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(id) = page.session(&headers) {
        page.sessions.lock().end(id);
    }
    (StatusCode::NO_CONTENT, page.set_cookie("", "; Max-Age=0")).into_response()
}

/// Opens the peer's session over a WebSocket.
async fn open(State(page): State<Shared>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let Some(id) = page.session(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let Some(ended) = page.sessions.lock().enter(id, Instant::now()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(place) = Arc::clone(&page.sockets).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    upgrade.max_message_size(MAX_LINE).max_frame_size(MAX_LINE).on_upgrade(async move |browser: WebSocket| {
        relay::relay(browser, page, id, ended).await;
        drop(place);
    })
}
