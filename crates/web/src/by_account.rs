//! The way in to a host: its accounts.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::{Zeroize as _, Zeroizing};

use crate::guard::Connection;
use crate::host::{Host, Registration};
use crate::refusal::Refusal;
use crate::routes::{self, Shared};

/// Bytes of a body: the longest name, passphrase and code, with every character escaped.
const BODY: usize = 16 * 1024;

/// What a log-in asks for.
#[derive(Deserialize)]
struct LogIn {
    name: String,
    passphrase: String,
}

/// What a new account is made of.
#[derive(Deserialize)]
struct Register {
    name: String,
    passphrase: String,
    #[serde(default)]
    code: String,
}

/// The name of the account that is to be deleted.
#[derive(Deserialize)]
struct Delete {
    name: String,
}

pub(crate) fn router(host: Arc<Host>) -> Router<Shared> {
    Router::new()
        .route("/login", post(log_in))
        .route("/entry", get(entry))
        .route("/register", post(register))
        .route("/delete", post(delete))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(host)
}

async fn entry(State(host): State<Arc<Host>>, headers: HeaderMap) -> Response {
    let registration = match host.registration() {
        Registration::Open => "open",
        Registration::Code(_) => "code",
        Registration::Closed => "closed",
    };
    routes::offer(host.page(), &headers, Some(registration))
}

async fn log_in(
    State(host): State<Arc<Host>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let LogIn { name, passphrase } = read(body)?;
    let passphrase = Zeroizing::new(passphrase);
    let id = host.log_in(connection.from, &name, &passphrase).await?;
    Ok(host.page().let_in(&headers, id))
}

async fn register(
    State(host): State<Arc<Host>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let Register { name, passphrase, code } = read(body)?;
    let passphrase = Zeroizing::new(passphrase);
    let id = host.register(connection.from, &name, &passphrase, &code).await?;
    Ok(host.page().let_in(&headers, id))
}

async fn delete(
    State(host): State<Arc<Host>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let Delete { name } = read(body)?;
    let page = host.page();
    let entered = page.entered(&headers).ok_or(Refusal::LoggedOut)?;
    host.delete(connection.from, &entered.seat, &name).await?;
    Ok(page.let_out())
}

/// What was asked for. The bytes are overwritten, as far as they are here alone.
fn read<T: DeserializeOwned>(body: Bytes) -> Result<T, Refusal> {
    let asked = serde_json::from_slice(&body).map_err(|_| Refusal::Unreadable);
    if let Ok(mut bytes) = body.try_into_mut() {
        bytes.zeroize();
    }
    asked
}
