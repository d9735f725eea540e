//! The way in to the page of one peer: a one-time code, which its user gets over a socket in the data folder.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::codes::Codes;
use crate::refusal::Refusal;
use crate::routes::{self, Page, Shared};
use crate::seat::Seat;
use crate::secret::Secret;

/// Bytes of a body: a code, and nothing else is ever sent.
const BODY: usize = 64;

/// The page of one peer.
pub(crate) struct OnePeer {
    pub(crate) page: Shared,
    pub(crate) codes: Mutex<Codes>,
    seat: Arc<Seat>,
}

impl OnePeer {
    pub(crate) fn new(page: Shared, seat: Arc<Seat>) -> Arc<Self> {
        let codes = Mutex::new(Codes::new(page.limits));
        Arc::new(Self { page, codes, seat })
    }
}

pub(crate) fn router(peer: Arc<OnePeer>) -> Router<Shared> {
    Router::new()
        .route("/login", post(log_in))
        .route("/entry", get(entry))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(peer)
}

async fn entry(State(peer): State<Arc<OnePeer>>, headers: HeaderMap) -> Response {
    routes::offer(&peer.page, &headers, None)
}

/// Exchanges a one-time code for a session.
async fn log_in(State(peer): State<Arc<OnePeer>>, headers: HeaderMap, code: String) -> Result<Response, Refusal> {
    let page: &Page = &peer.page;
    let code = Secret::read(&code).ok_or(Refusal::LoggedOut)?;
    let now = Instant::now();
    if !peer.codes.lock().redeem(code, now) {
        return Err(Refusal::LoggedOut);
    }
    let id = page.sessions.lock().open(&peer.seat, now)?;
    Ok(page.let_in(&headers, id))
}
