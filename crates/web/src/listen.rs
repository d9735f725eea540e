use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use node::Socket;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::{Error, Limits, link, routes};

/// How long to wait before another try when no connection can be taken, as when no more files may be open.
const AGAIN: Duration = Duration::from_secs(1);

/// A port that is taken for a page. Browsers that come wait until the page is served.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Takes the port; 0 stands for a free one.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address that other machines reach, [`Error::Listen`] if the port cannot be had.
    pub async fn bind(address: SocketAddr) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback { address });
        }
        let refuse = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        Ok(Self { listener, address })
    }

    /// Serves the page of the peer of this process that has the data folder `folder` open, and whose person has the peer
    /// id `person`, as long as the Tokio runtime of the caller lasts. When the peer stops, every browser is told.
    ///
    /// # Errors
    /// [`Error::Folder`] if the folder cannot have the socket over which links are given.
    pub fn serve(self, folder: &Path, person: &str, limits: Limits) -> Result<(), Error> {
        let socket = Socket::bind(folder, link::SOCKET)?;
        let page = routes::Page::new(self.address, folder, person, limits);
        tokio::spawn(link::give(socket, Arc::clone(&page)));
        tokio::spawn(accept(self.listener, routes::router(page), limits));
        Ok(())
    }

    /// Where the page is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: TcpListener, app: Router, limits: Limits) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(AGAIN).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let app = app.clone();
        tokio::spawn(async move {
            converse(stream, app, limits).await;
            drop(place);
        });
    }
}

/// Answers the requests of one connection, until one of them makes it a WebSocket.
async fn converse(stream: TcpStream, app: Router, limits: Limits) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.connection_lasts)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .with_upgrades();
    if let Ok(Err(error)) = timeout(limits.connection_lasts, connection).await {
        tracing::debug!("a connection to the page has broken: {error}");
    }
}
