//! What every page answers, whichever way leads in.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use node::line::MAX_LINE;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::guard::Reach;
use crate::secret::Secret;
use crate::sessions::{Entered, Sessions};
use crate::{Limits, files, guard, relay};

/// What all requests share.
pub(crate) struct Page {
    pub(crate) reach: Reach,
    /// The name of the cookie. Browsers keep cookies by host and not by port: each page of a machine has a name of its own.
    cookie: String,
    pub(crate) sessions: Mutex<Sessions>,
    sockets: Arc<Semaphore>,
    pub(crate) limits: Limits,
}

pub(crate) type Shared = Arc<Page>;

impl Page {
    /// A page whose cookie is called by `name`.
    pub(crate) fn new(reach: Reach, name: &str, limits: Limits) -> Shared {
        // The prefix has browsers take it from no unencrypted page of that name.
        let prefix = if reach.is_encrypted { "__Host-" } else { "" };
        Arc::new(Self {
            reach,
            cookie: format!("{prefix}causerie-{name}"),
            sessions: Mutex::new(Sessions::new(limits)),
            sockets: Arc::new(Semaphore::new(limits.all_sockets)),
            limits,
        })
    }

    /// The session that a request belongs to, by its cookie. It need not be open.
    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<Secret> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie).and_then(|(_, value)| Secret::read(value))
    }

    /// Gives a browser its session. One that it had before ends.
    pub(crate) fn let_in(&self, headers: &HeaderMap, id: Secret) -> Response {
        if let Some(before) = self.session(headers) {
            self.sessions.lock().end(before);
        }
        (StatusCode::NO_CONTENT, self.set_cookie(&id.write(), "")).into_response()
    }

    /// Takes the session away from a browser.
    pub(crate) fn let_out(&self) -> Response {
        (StatusCode::NO_CONTENT, self.set_cookie("", "; Max-Age=0")).into_response()
    }

    fn set_cookie(&self, value: &str, more: &str) -> [(axum::http::HeaderName, String); 1] {
        let secure = if self.reach.is_encrypted { "; Secure" } else { "" };
        [(SET_COOKIE, format!("{}={value}; HttpOnly; SameSite=Strict; Path=/{secure}{more}", self.cookie))]
    }

    /// The session that a request belongs to, if it is open.
    pub(crate) fn entered(&self, headers: &HeaderMap) -> Option<Entered> {
        self.session(headers).and_then(|id| self.sessions.lock().enter(id, Instant::now()))
    }
}

/// All of a page, with its way in.
pub(crate) fn router(page: Shared, way_in: Router<Shared>) -> Router {
    files::router()
        .merge(way_in)
        .route("/login", get(logged_in))
        .route("/logout", post(log_out))
        .route("/session", get(open))
        .layer(middleware::from_fn_with_state(Arc::clone(&page), guard::guard))
        .with_state(page)
}

/// What the way in has to offer, in JSON.
#[derive(Serialize)]
struct Offer<'a> {
    logged_in: bool,
    /// The account of this browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    /// Who can register, if the way in is by accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<&'a str>,
}

/// Says who can register, if the way in is by accounts, and whether this browser is in.
pub(crate) fn offer(page: &Page, headers: &HeaderMap, registration: Option<&str>) -> Response {
    let seat = page.entered(headers).map(|entered| entered.seat);
    let account = seat.as_ref().and_then(|seat| seat.account.as_ref()).map(|account| account.name().as_str());
    Json(Offer { logged_in: seat.is_some(), account, registration }).into_response()
}

/// Whether this browser is logged in.
async fn logged_in(State(page): State<Shared>, headers: HeaderMap) -> StatusCode {
    if page.entered(&headers).is_some() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}

/// Ends the session of this browser, for all of its tabs.
async fn log_out(State(page): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(id) = page.session(&headers) {
        page.sessions.lock().end(id);
    }
    page.let_out()
}

/// Opens the peer's session over a WebSocket.
async fn open(State(page): State<Shared>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let Some(id) = page.session(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let Some(entered) = page.sessions.lock().enter(id, Instant::now()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let places = [&page.sockets, &entered.seat.tabs].map(|places| Arc::clone(places).try_acquire_owned());
    let [Ok(place), Ok(tab)] = places else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    upgrade.max_message_size(MAX_LINE).max_frame_size(MAX_LINE).on_upgrade(async move |browser: WebSocket| {
        relay::relay(browser, page, id, entered).await;
        drop((place, tab));
    })
}
