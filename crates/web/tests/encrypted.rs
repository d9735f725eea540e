//! TLS: a certificate that was given, or one that the host makes for itself.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt as _;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::json;
use support::{Answer, loopback};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use web::{Error, HostLimits, Limits, Listening, Registration, Tls};

const NAME: &str = "chat.example";

struct Encrypted {
    page: SocketAddr,
    folder: TempDir,
    _serving: web::Serving,
}

impl Encrypted {
    /// A host with a certificate of its own.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = [NAME.to_owned()];
        let tls = Tls::own(&folder.path().join("host.pem"), &names).unwrap();
        let listening = Listening::bind(loopback(), &names, Some(tls)).await.unwrap();
        let page = listening.address();
        assert_eq!(listening.links().unwrap(), [format!("https://{NAME}:{}/", page.port())]);
        let hosting =
            support::hosted::hosting(folder.path().join("accounts"), Registration::Open, HostLimits::default());
        Self { page, folder, _serving: listening.serve_accounts(hosting, Limits::of_host()) }
    }

    /// A connection of a browser that trusts the certificate, and checks the name in it.
    async fn connect(&self) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.path().join("host.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.page).await.unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    fn host(&self) -> String {
        format!("{NAME}:{}", self.page.port())
    }

    async fn post(&self, path: &str, host: &str, origin: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nX-Causerie: 1\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        Answer(String::from_utf8(answer).unwrap())
    }
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_tls_alone_and_the_websocket_opens() {
    let host = Encrypted::start().await;
    let body = json!({"name": "alice", "passphrase": "p"}).to_string();
    let own = host.host();
    for (name, origin) in [
        (own.clone(), format!("http://{own}")),
        (own.clone(), format!("https://{}", host.page)),
        ("evil.example".to_owned(), "https://evil.example".to_owned()),
    ] {
        assert_eq!(host.post("/register", &name, &origin, &body).await.status(), 403, "{name} {origin}");
    }
    let answer = host.post("/register", &own, &format!("https://{own}"), &body).await;
    assert_eq!(answer.status(), 204, "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-causerie-host-") && cookie.ends_with("; Path=/; Secure"), "{cookie}");

    let mut request = format!("wss://{own}/session").into_client_request().unwrap();
    let pair = cookie.split(';').next().unwrap();
    request.headers_mut().insert("cookie", pair.parse().unwrap());
    let refused = tokio_tungstenite::client_async(request.clone(), host.connect().await).await.unwrap_err();
    assert!(matches!(refused, WsError::Http(answer) if answer.status() == 403), "no origin");
    request.headers_mut().insert("origin", format!("https://{own}").parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(request, host.connect().await).await.unwrap();
    let Some(Ok(Message::Text(hello))) = socket.next().await else { panic!("no hello") };
    assert!(hello.contains(r#""name":"alice""#), "{hello}");
}

/// A browser that was given an address without `https://`.
#[tokio::test]
async fn without_tls_nothing_is_answered_but_where_the_page_is() {
    let host = Encrypted::start().await;
    for (name, status, location) in
        [(host.host(), 307, Some(format!("https://{}/", host.host()))), ("evil.example".to_owned(), 403, None)]
    {
        for request in ["GET /enter", "POST /register"] {
            let mut stream = TcpStream::connect(host.page).await.unwrap();
            let request = format!("{request} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let answer = Answer(answer);
            assert_eq!((answer.status(), answer.header("location")), (status, location.as_deref()), "{answer:?}");
            assert!(!answer.body().contains('<') && answer.header("set-cookie").is_none(), "{answer:?}");
        }
    }
}

#[test]
fn a_host_makes_its_certificate_once_and_keeps_the_key_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/host.pem");
    let names = ["chat.example:4180".to_owned(), "192.0.2.7".to_owned(), "2001:db8::1".to_owned()];
    let made = Tls::own(&path, &names).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Tls::own(&path, &[]).unwrap().fingerprint(), made.fingerprint());
    assert_eq!(made.fingerprint().len(), 32 * 3 - 1, "{}", made.fingerprint());
    let other = Tls::own(&folder.path().join("other.pem"), &names).unwrap();
    assert_ne!(other.fingerprint(), made.fingerprint());
}

/// Files of a certificate that is valid in these years, and its key.
fn files(folder: &Path, name: &str, years: [i32; 2]) -> [PathBuf; 2] {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    let paths = ["crt", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
    fs::write(&paths[0], params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&paths[1], key.serialize_pem()).unwrap();
    paths
}

#[test]
fn what_is_no_certificate_or_no_key_for_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let [good, key] = files(folder.path(), "good", [2020, 4000]);
    Tls::load(&good, &key).unwrap();
    let [other, other_key] = files(folder.path(), "other", [2020, 4000]);
    let [expired, expired_key] = files(folder.path(), "expired", [2019, 2020]);
    let [early, early_key] = files(folder.path(), "early", [3999, 4000]);
    let (missing, garbage, empty) =
        (folder.path().join("missing"), folder.path().join("garbage"), folder.path().join("empty"));
    fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    fs::write(&empty, "").unwrap();
    let refuse = |certificate: &Path, key: &Path| Tls::load(certificate, key).unwrap_err();
    for refused in [refuse(&good, &other_key), refuse(&other, &key)] {
        assert!(matches!(refused, Error::KeyDoesNotFit { .. }), "{refused}");
    }
    for (certificate, key, over) in [(&expired, &expired_key, true), (&early, &early_key, false)] {
        let refused = refuse(certificate, key);
        assert!(matches!(refused, Error::CertificateDate { is_over, .. } if is_over == over), "{refused}");
        assert!(refused.to_string().contains(&*certificate.to_string_lossy()), "{refused}");
    }
    for certificate in [&missing, &garbage, &empty, &key] {
        let refused = refuse(certificate, &key);
        assert!(matches!(refused, Error::Certificate { .. }), "{refused}");
    }
    for key in [&missing, &garbage, &empty, &good] {
        let refused = refuse(&good, key);
        assert!(matches!(refused, Error::CertificateKey { .. }), "{refused}");
    }
}
