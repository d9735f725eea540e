//! Certificates: one that was given, or one that a host makes for itself.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{CertificateParams, KeyPair};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, InconsistentKeys, ServerConfig};
use tokio_rustls::server::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use crate::Error;

/// What a page is encrypted with.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    fingerprint: String,
}

impl Tls {
    /// A certificate with the chain behind it, and its key, both as PEM.
    ///
    /// # Errors
    /// [`Error::Certificate`], [`Error::CertificateDate`], [`Error::CertificateKey`], [`Error::KeyDoesNotFit`]: which of the two files
    /// is wrong, and how.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let refuse = |reason: String| Error::Certificate { path: certificate.to_owned(), reason };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| refuse(error.to_string()))?;
        let first = chain.first().ok_or_else(|| refuse("there is no certificate in it".to_owned()))?;
        let read = Certificate::from_der(first).map_err(|error| refuse(error.to_string()))?;
        let validity = read.tbs_certificate().validity();
        let [begins, ends] = [&validity.not_before, &validity.not_after].map(|time| time.to_system_time());
        let now = SystemTime::now();
        if now < begins || now > ends {
            let is_over = now > ends;
            return Err(Error::CertificateDate { path: certificate.to_owned(), is_over });
        }
        let fingerprint = fingerprint(first);
        let bad_key = |reason: String| Error::CertificateKey { path: key.to_owned(), reason };
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad_key(error.to_string()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
        let mut config = config.map_err(|error| {
            if error == rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
                Error::KeyDoesNotFit { certificate: certificate.to_owned(), key: key.to_owned() }
            } else {
                bad_key(error.to_string())
            }
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint })
    }

    /// The certificate of this host in the file `path`, with its key. If there is none, one is made for these names and addresses.
    ///
    /// # Errors
    /// Those of [`load`](Self::load); [`Error::CertificateFile`] if the file cannot be written.
    pub fn own(path: &Path, names: &[String]) -> Result<Self, Error> {
        if !path.exists() {
            let text = make(names).map_err(|error| Error::CertificateFile { path: path.to_owned(), source: error })?;
            write(path, &text).map_err(|source| Error::CertificateFile { path: path.to_owned(), source })?;
        }
        Self::load(path, path)
    }

    /// The SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A certificate that nobody but its own key has signed, and the key. It does not expire: those who use it compare its
/// fingerprint, and no authority renews it.
fn make(names: &[String]) -> io::Result<Zeroizing<String>> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let names: Vec<String> = names.iter().map(|name| bare(name).to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "causerie");
    let certificate = params.self_signed(&key).map_err(io::Error::other)?;
    Ok(Zeroizing::new(certificate.pem() + &key.serialize_pem()))
}

/// A host without its port.
fn bare(name: &str) -> &str {
    if name.parse::<IpAddr>().is_ok() {
        return name;
    }
    let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Writes a file that its owner alone can read. It is there as a whole, or not at all.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

fn fingerprint(certificate: &[u8]) -> String {
    let bytes: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}
