//! Who may ask: requests that another site has a browser make are refused before anything looks at them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::header::{HeaderName, UPGRADE, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

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

/// The two ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    pub(crate) from: IpAddr,
    pub(crate) to: SocketAddr,
}

/// Where browsers find the page.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// Over TLS.
    pub(crate) is_encrypted: bool,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// It was given a name.
    pub(crate) has_a_name: bool,
    /// What a link to it names: the first of the names that were given, else its address on this machine.
    host: String,
    /// The names by which it may be called, beside the addresses of this machine: in small letters, `host` or `host:port`.
    names: Vec<String>,
}

impl Reach {
    /// A name without a port goes with the port of `address`.
    pub(crate) fn new(address: SocketAddr, is_encrypted: bool, names: &[String]) -> Self {
        let (host, has_a_name) = (here(address).to_string(), !names.is_empty());
        let mut reach = Self { is_encrypted, address, has_a_name, host, names: Vec::new() };
        for name in names {
            reach.call(name);
        }
        if let Some(first) = reach.names.first() {
            reach.host.clone_from(first);
        }
        let ip = address.ip();
        if ip.is_loopback() || ip.is_unspecified() {
            reach.call("localhost");
        }
        reach
    }

    fn call(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if name.contains(':') && !name.ends_with(']') {
            self.names.push(name);
        } else {
            self.names.extend(spellings(&name, self.address.port(), self.is_encrypted));
        }
    }

    /// The page, as a browser opens it.
    pub(crate) fn link(&self) -> String {
        format!("{}://{}/", self.scheme(), self.host)
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_encrypted { "https" } else { "http" }
    }

    /// Whether a request that came over such a connection calls the page by a name of its own. A foreign name that leads here
    /// (DNS rebinding) is none.
    fn is_called(&self, host: &str, to: SocketAddr) -> bool {
        let host = host.to_ascii_lowercase();
        let ip = match to.ip().to_canonical() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        self.names.contains(&host) || spellings(&ip, to.port(), self.is_encrypted).contains(&host)
    }
}

/// Where this machine reaches what listens at an address.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

/// How browsers write a host: with its port, and also without one if that is the scheme's own.
fn spellings(host: &str, port: u16, is_encrypted: bool) -> Vec<String> {
    let usual = if is_encrypted { 443 } else { 80 };
    let bare = (port == usual).then(|| host.to_owned());
    std::iter::once(format!("{host}:{port}")).chain(bare).collect()
}

/// Refuses what does not come from this page, and adds the headers that bind it.
pub(crate) async fn guard(State(page): State<Shared>, request: Request, next: Next) -> Response {
    let to = request.extensions().get::<Connection>().map_or(page.reach.address, |connection| connection.to);
    let mut response = match check(&page.reach, to, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(why) => (StatusCode::FORBIDDEN, why).into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What is answered without TLS where there is TLS: a browser that was given an address alone tries HTTP first.
pub(crate) fn to_tls(reach: Reach) -> Router {
    Router::new().fallback(send_to_tls).with_state(reach)
}

async fn send_to_tls(
    State(reach): State<Reach>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
) -> Response {
    match called(&reach, connection.to, &headers) {
        Ok(host) => Redirect::temporary(&format!("{}://{host}/", reach.scheme())).into_response(),
        Err(why) => (StatusCode::FORBIDDEN, why).into_response(),
    }
}

/// What a request calls the page, if that is a name of its own.
fn called<'a>(reach: &Reach, to: SocketAddr, headers: &'a HeaderMap) -> Result<&'a str, &'static str> {
    let host = only(headers, &HOST).filter(|host| reach.is_called(host, to));
    host.ok_or("this page is not called so: use its address, or tell it its name with --name\n")
}

fn check(reach: &Reach, to: SocketAddr, method: &Method, headers: &HeaderMap) -> Result<(), &'static str> {
    let host = called(reach, to, headers)?;
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads && !headers.contains_key(UPGRADE) {
        return Ok(());
    }
    let origin = only(headers, &ORIGIN).and_then(|origin| origin.split_once("://"));
    if origin != Some((reach.scheme(), host)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_called(reach: &Reach, to: &str, host: &str) -> bool {
        reach.is_called(host, to.parse().unwrap())
    }

    #[test]
    fn a_page_is_called_by_its_address_and_by_the_names_that_were_given() {
        let names = ["chat.example".to_owned(), "Other.Example:8443".to_owned()];
        let reach = Reach::new("0.0.0.0:443".parse().unwrap(), true, &names);
        for host in
            ["192.0.2.7", "192.0.2.7:443", "chat.example", "CHAT.example:443", "other.example:8443", "localhost"]
        {
            assert!(is_called(&reach, "192.0.2.7:443", host), "{host}");
        }
        for host in ["evil.example", "192.0.2.8", "chat.example:80", "other.example", "chat.example.evil.example", ""] {
            assert!(!is_called(&reach, "192.0.2.7:443", host), "{host}");
        }
        assert_eq!(reach.link(), "https://chat.example:443/");
        assert_eq!(Reach::new("0.0.0.0:4180".parse().unwrap(), false, &[]).link(), "http://127.0.0.1:4180/");
        assert_eq!(Reach::new("[::]:4180".parse().unwrap(), true, &[]).link(), "https://[::1]:4180/");
        let six = Reach::new("[::]:4180".parse().unwrap(), false, &[]);
        assert!(is_called(&six, "[2001:db8::1]:4180", "[2001:db8::1]:4180"));
        assert!(is_called(&six, "[::ffff:192.0.2.7]:4180", "192.0.2.7:4180"));
        assert!(!is_called(&six, "[2001:db8::1]:4180", "[2001:db8::1]"));
        let public = Reach::new("192.0.2.7:4180".parse().unwrap(), false, &[]);
        assert!(!is_called(&public, "192.0.2.7:4180", "localhost:4180"), "it is not on this machine alone");
    }
}
