use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use node::Socket;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::by_code::OnePeer;
use crate::guard::{Connection, Reach, to_tls};
use crate::host::Host;
use crate::places::Places;
use crate::routes::Page;
use crate::seat::Seat;
use crate::{Error, Hosting, Limits, Tls, by_account, by_code, link, routes};

/// How long to wait before another try when no connection can be taken, as when no more files may be open.
const AGAIN: Duration = Duration::from_secs(1);

/// How a connection begins that speaks TLS: with a record of a handshake.
const HANDSHAKE: u8 = 22;

/// A port that is taken for a page. Browsers that come wait until the page is served.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    reach: Reach,
    tls: Option<Tls>,
}

/// The page of a host that is served.
pub struct Serving {
    host: Arc<Host>,
    tasks: [JoinHandle<()>; 2],
}

impl Listening {
    /// Takes a port of this machine alone, without TLS; 0 stands for a free one.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address that other machines reach, [`Error::Listen`] if the port cannot be had.
    pub async fn on_loopback(address: SocketAddr) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback { address });
        }
        Self::bind(address, &[], None).await
    }

    /// Takes a port; 0 stands for a free one. Browsers may call the page by its address and by `names`, each a host with or
    /// without a port. Without TLS everybody on the way can read and change all that is said.
    ///
    /// # Errors
    /// [`Error::Listen`] if the port cannot be had.
    pub async fn bind(address: SocketAddr, names: &[String], tls: Option<Tls>) -> Result<Self, Error> {
        let refuse = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        Ok(Self { listener, reach: Reach::new(address, tls.is_some(), names), tls })
    }

    /// Serves the page of the peer that has the data folder `folder` open, in this process or in another one, and whose person has
    /// the peer id `person`, as long as the Tokio runtime of the caller lasts. When the peer stops, every browser is told. No other
    /// page may be served for that folder.
    ///
    /// # Errors
    /// [`Error::Folder`] if the folder cannot have the socket over which links are given.
    pub fn serve(self, folder: &Path, person: &str, limits: Limits) -> Result<(), Error> {
        let socket = Socket::bind(folder, link::SOCKET)?;
        let page = Page::new(self.reach.clone(), person, limits);
        let seat = Seat::of_another(folder.to_owned(), None, limits.sockets);
        let peer = OnePeer::new(Arc::clone(&page), seat);
        tokio::spawn(link::give(socket, Arc::clone(&peer)));
        let app = routes::router(page, by_code::router(peer));
        tokio::spawn(accept(self.listener, self.reach, self.tls, app, limits));
        Ok(())
    }

    /// Serves the page of a host on the Tokio runtime of the caller, and runs the peers of the accounts that are logged in.
    pub fn serve_accounts(self, hosting: Hosting, limits: Limits) -> Serving {
        // A name that another host on this machine does not have.
        let page = Page::new(self.reach.clone(), &format!("host-{}", self.reach.address.port()), limits);
        let host = Host::new(Arc::clone(&page), hosting);
        let app = routes::router(page, by_account::router(Arc::clone(&host)));
        let serving = tokio::spawn(accept(self.listener, self.reach, self.tls, app, limits));
        Serving { tasks: [serving, tokio::spawn(Arc::clone(&host).sweep())], host }
    }

    /// Where the page is.
    pub fn address(&self) -> SocketAddr {
        self.reach.address
    }

    /// Links to the page: one by the first of its names, or if it has none, one for each address of this machine at which it is
    /// reached.
    ///
    /// # Errors
    /// What the system says if it does not tell its addresses.
    pub fn links(&self) -> io::Result<Vec<String>> {
        if self.reach.has_a_name {
            return Ok(vec![self.reach.link()]);
        }
        let port = self.address().port();
        let link = |ip| format!("{}://{}/", self.reach.scheme(), SocketAddr::new(ip, port));
        Ok(addresses(self.address().ip())?.into_iter().map(link).collect())
    }
}

/// The addresses of this machine that one to listen on stands for. Those that hold on one wire alone are left out.
///
/// # Errors
/// What the system says if it does not tell its addresses.
pub fn addresses(listen: IpAddr) -> io::Result<Vec<IpAddr>> {
    if !listen.is_unspecified() {
        return Ok(vec![listen]);
    }
    let is_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    let of_family = |ip: &IpAddr| listen.is_ipv6() || ip.is_ipv4();
    let interfaces = if_addrs::get_if_addrs()?.into_iter().map(|interface| interface.ip());
    Ok(interfaces.filter(|ip| of_family(ip) && !is_local(ip)).collect())
}

impl Serving {
    /// Takes nobody in any more, logs everybody out, and waits until their peers have said goodbye; 15 s at most.
    pub async fn stop(self) {
        let [serving, sweeping] = self.tasks;
        serving.abort();
        sweeping.abort();
        self.host.stop().await;
    }
}

async fn accept(listener: TcpListener, reach: Reach, tls: Option<Tls>, app: Router, limits: Limits) {
    let places = Places::new(limits);
    let to_tls = to_tls(reach);
    let mut fails = false;
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !fails {
                    tracing::warn!("browsers cannot connect to the page: {error}");
                }
                fails = true;
                sleep(AGAIN).await;
                continue;
            }
        };
        fails = false;
        let (Some(place), Ok(to)) = (places.take(from.ip()), stream.local_addr()) else { continue };
        let (app, tls, to_tls) = (app.clone(), tls.clone(), to_tls.clone());
        tokio::spawn(async move {
            let connection = Connection { from: from.ip().to_canonical(), to };
            let talk = async {
                match tls {
                    None => converse(stream, connection, app, limits).await,
                    Some(tls) if speaks_tls(&stream).await => encrypt(stream, &tls, connection, app, limits).await,
                    Some(_) => converse(stream, connection, to_tls, limits).await,
                }
            };
            if timeout(limits.connection_lasts + limits.last_request, talk).await.is_err() {
                tracing::debug!("a connection to the page lasted too long");
            }
            drop(place);
        });
    }
}

async fn speaks_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1) if first == [HANDSHAKE])
}

async fn encrypt(stream: TcpStream, tls: &Tls, connection: Connection, app: Router, limits: Limits) {
    match tls.accept(stream).await {
        Ok(stream) => converse(stream, connection, app, limits).await,
        Err(error) => tracing::debug!("a browser and the page do not agree on TLS: {error}"),
    }
}

/// Answers the requests of one connection, until one of them makes it a WebSocket.
async fn converse<S>(stream: S, connection: Connection, app: Router, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(connection);
        app.call(request)
    });
    let answering = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.connection_lasts)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut answering = pin!(answering);
    let answered = tokio::select! {
        answered = answering.as_mut() => answered,
        () = sleep(limits.connection_lasts) => {
            answering.as_mut().graceful_shutdown();
            answering.await
        }
    };
    if let Err(error) = answered {
        tracing::debug!("a connection to the page has broken: {error}");
    }
}
