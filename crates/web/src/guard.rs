//! Who may ask: requests that another site has a browser make are refused before anything looks at them.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::header::{HeaderName, UPGRADE, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::routes::Shared;

/// What a browser lets no other site add to a request without asking this one first.
pub(crate) const CSRF: HeaderName = HeaderName::from_static("x-causerie");

/// Everything that is not named here is forbidden to the page. Trusted Types turn a text that would become HTML into an error.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What every answer says to the browser.
const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (CACHE_CONTROL, "no-cache"),
];

/// The names by which this page may be called. A foreign name that leads here (DNS rebinding) is none of them.
pub(crate) fn hosts(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let ip = match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    let names = [ip, "localhost".to_owned()];
    let bare = names.clone().into_iter().filter(|_| port == 80);
    names.iter().map(|name| format!("{name}:{port}")).chain(bare).collect()
}

/// Refuses what does not come from this page, and adds the headers that bind it.
pub(crate) async fn guard(State(page): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match check(&page.hosts, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::FORBIDDEN, why).into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(hosts: &[String], method: &Method, headers: &HeaderMap) -> Result<(), &'static str> {
    let host = only(headers, &HOST).filter(|host| hosts.iter().any(|known| known == host));
    let host = host.ok_or("this page is called by its address alone, as the link has it\n")?;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads && !headers.contains_key(UPGRADE) {
        return Ok(());
    }
    let from_here = only(headers, &ORIGIN).and_then(|origin| origin.strip_prefix("http://")) == Some(host);
    if !from_here {
        return Err("only the page itself may ask for this\n");
    }
    if !reads && only(headers, &CSRF) != Some("1") {
        return Err("only a script of the page itself may ask for this\n");
    }
    Ok(())
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
