use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no page, or no link to it. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Other machines could reach the address.
    #[error("--web {address} is not an address of this machine alone: give a loopback one, such as 127.0.0.1:4180")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// Nothing can listen there.
    #[error("the page cannot be served on {address}: {source}; {}", instead(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The peer serves no page, or there is none.
    #[error(
        "no peer serves a page on the data folder {}; start one with `causerie run --web 127.0.0.1:4180`, or name another \
         folder with --data, or another account with --account", path.display()
    )]
    NoPage {
        /// The folder.
        path: PathBuf,
    },
    /// The peer gave no link.
    #[error("the peer has given no link to its page; is it stopped, or stuck?")]
    NoLink,
    /// There is no certificate to be had from the file.
    #[error("the certificate {}: {reason}; it is to be a PEM file with the certificate first and its chain behind it", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Browsers would not take the certificate now.
    #[error(
        "the certificate {} {}: renew it, or look at the clock of this machine; one that causerie made is made anew once you \
         remove the file", path.display(), if *is_over { "has expired" } else { "is not valid yet" }
    )]
    CertificateDate {
        /// The file.
        path: PathBuf,
        /// It was valid, and is no more.
        is_over: bool,
    },
    /// There is no key to be had from the file.
    #[error("the key {}: {reason}; it is to be a PEM file with a private key that has no passphrase", path.display())]
    CertificateKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key belongs to another certificate.
    #[error(
        "the key {} does not belong to the certificate {}: give the two that were made together", key.display(),
        certificate.display()
    )]
    KeyDoesNotFit {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// This host's own certificate cannot be made.
    #[error("a certificate cannot be written to {}: {source}; give one with --tls-cert and --tls-key", path.display())]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The socket in the data folder cannot be made.
    #[error(transparent)]
    Folder(#[from] node::Error),
    /// The socket in the data folder cannot be used.
    #[error(transparent)]
    Attach(node::AttachError),
}

/// What to do where nothing can listen.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other causes are the same to the user")]
fn instead(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "stop what is served there, or choose another port",
        io::ErrorKind::AddrNotAvailable => {
            "give an address of this machine (`ip address` lists them), or 0.0.0.0 for all of them"
        }
        io::ErrorKind::PermissionDenied => {
            "choose a port from 1024 on, or let this program have lower ones (CAP_NET_BIND_SERVICE)"
        }
        _ => "give another address",
    }
}

impl Error {
    /// Whether another option would have helped, whatever state the machine is in.
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::NotLoopback { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_had_is_told_with_what_to_do() {
        let refused =
            |kind: io::ErrorKind| Error::Listen { address: "192.0.2.7:443".parse().unwrap(), source: kind.into() };
        for (kind, advice) in [
            (io::ErrorKind::AddrInUse, "stop what is served there"),
            (io::ErrorKind::AddrNotAvailable, "an address of this machine"),
            (io::ErrorKind::PermissionDenied, "a port from 1024 on"),
        ] {
            let told = refused(kind).to_string();
            assert!(told.contains("192.0.2.7:443") && told.contains(advice), "{told}");
        }
    }
}
