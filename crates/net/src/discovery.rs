//! Finding other peers on the local network: DNS-SD over mDNS.
//!
//! A peer announces one service instance per port. Its TXT records hold the peer id (`id`), the tie-break's number
//! (`r`, hex), the time of its start (`s`, hex, Unix microseconds, which tells the newer of two starts) and the
//! protocol version (`v`). Presence is not this module's business. An instance that disappears says nothing about its
//! peer, which may be reachable through another interface. Only the link tells whether a peer is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use libp2p::PeerId;
use mdns_sd::{IfKind, Receiver, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo, UnregisterStatus};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{self, MissedTickBehavior},
};

use crate::{
    Problem,
    address::{canonical, unusable},
    book::MAX_ADDRESSES,
    peer::{Key, Start, key_of, peer_id},
    survey::survey,
};

const SERVICE: &str = "_causerie._tcp.local.";
/// How often interfaces are looked at, in seconds. An interface that comes up late is used after about that time.
const INTERFACE_CHECK: u32 = 1;
/// The least pause between announcements, however many peers have yet to hear this one.
const ANNOUNCE_PAUSE: Duration = Duration::from_secs(1);
/// How long the goodbye packets may take.
const GOODBYE: Duration = Duration::from_millis(200);

/// What discovery finds out.
#[derive(Debug)]
pub(crate) enum Found {
    /// A peer announces itself.
    Peer { peer: Key, start: Start, addresses: Vec<SocketAddr> },
    /// A peer no longer announces itself.
    Gone(Key),
    /// What is in the way of discovery at the moment.
    Survey(Vec<Problem>),
    /// No more files can be opened, so it is not known what is in the way.
    NoFiles(String),
}

/// Announces this peer and looks for others until it is dropped or stopped.
pub(crate) struct Discovery {
    setting: Setting,
    services: Vec<ServiceInfo>,
    running: Option<Running>,
    announced: Instant,
    watch: JoinHandle<()>,
}

/// What is announced, where, and who is told of the findings.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) me: Key,
    pub(crate) start: Start,
    pub(crate) version: u16,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) interface: Option<String>,
    pub(crate) found: mpsc::Sender<Found>,
}

/// A daemon that has opened its sockets, if it could.
struct Running {
    daemon: ServiceDaemon,
    listening: JoinHandle<()>,
}

impl Discovery {
    pub(crate) fn start(setting: Setting) -> mdns_sd::Result<Self> {
        let ports = setting.listen.iter().map(SocketAddr::port).collect::<BTreeSet<_>>();
        let services = ports.into_iter().enumerate().map(|(nth, port)| setting.service(port, nth));
        let services = services.collect::<mdns_sd::Result<Vec<_>>>()?;
        let running = Some(Running::start(&setting, &services)?);
        let watch = tokio::spawn(watch(setting.interface.clone(), setting.found.clone()));
        Ok(Self { setting, services, running, announced: Instant::now(), watch })
    }

    /// Begins again with new sockets, for those that could not be opened before.
    pub(crate) fn begin_again(&mut self) {
        self.running = None;
        self.running = Running::start(&self.setting, &self.services)
            .inspect_err(|error| tracing::debug!(%error, "mDNS does not begin again"))
            .ok();
    }

    /// Announces this peer again, but not too often.
    pub(crate) fn announce(&mut self, now: Instant) {
        if now.duration_since(self.announced) < ANNOUNCE_PAUSE {
            return;
        }
        self.announced = now;
        let Some(Running { daemon, .. }) = &self.running else { return };
        for service in &self.services {
            if let Err(error) = daemon.register(service.clone()) {
                tracing::debug!(%error, "cannot announce");
            }
        }
    }

    /// Asks a peer to confirm that it is there. [`Found::Gone`] follows if it does not within `patience`. Returns
    /// whether it was asked.
    pub(crate) fn verify(&self, peer: &Key, patience: Duration) -> bool {
        let name = format!("{}.{SERVICE}", peer_id(peer));
        self.running.as_ref().is_some_and(|running| running.daemon.verify(name, patience).is_ok())
    }

    /// Stops without taking the announcement back: another program announces itself under the same name.
    pub(crate) fn leave_to_another(self) {
        if let Some(Running { daemon, .. }) = &self.running
            // A daemon without interfaces cannot say goodbye anywhere.
            && let Err(error) = daemon.disable_interface(IfKind::All)
        {
            tracing::debug!(%error, "mDNS is gone already");
        }
    }

    /// Stops, and takes the announcement back.
    pub(crate) async fn stop(self) {
        let Some(Running { daemon, .. }) = &self.running else { return };
        let services = self.services.iter();
        let statuses: Vec<_> = services.filter_map(|service| daemon.unregister(service.get_fullname()).ok()).collect();
        let gone = async {
            for status in statuses {
                let _: Result<UnregisterStatus, _> = status.recv_async().await;
            }
        };
        if time::timeout(GOODBYE, gone).await.is_err() {
            tracing::debug!("mDNS takes its time to say goodbye");
        }
    }
}

impl Running {
    fn start(Setting { me, interface, found, .. }: &Setting, services: &[ServiceInfo]) -> mdns_sd::Result<Self> {
        let daemon = ServiceDaemon::new()?;
        daemon.set_ip_check_interval(INTERFACE_CHECK)?;
        if let Some(interface) = interface {
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(interface.as_str())?;
        }
        for service in services {
            daemon.register(service.clone())?;
        }
        let events = daemon.browse(SERVICE)?;
        let listening = tokio::spawn(listen_to(events, daemon.clone(), *me, found.clone()));
        Ok(Self { daemon, listening })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listening.abort();
        if let Err(error) = self.daemon.shutdown() {
            tracing::debug!(%error, "mDNS is gone already");
        }
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Setting {
    fn service(&self, port: u16, nth: usize) -> mdns_sd::Result<ServiceInfo> {
        let Self { me, start, version, listen, .. } = self;
        let id = peer_id(me).to_string();
        // Names are compared without case, so two peer ids might look equal. The host's name is in hex and new at each
        // start.
        let host = format!("{:016x}-{:016x}.local.", start.r, start.at);
        let name = if nth == 0 { id.clone() } else { format!("{id}-{nth}") };
        let ips: Vec<_> = listen.iter().filter(|address| address.port() == port).map(SocketAddr::ip).collect();
        let fixed: Vec<_> = ips.iter().filter(|ip| !ip.is_unspecified()).map(ToString::to_string).collect();
        let properties = [
            ("id", id),
            ("r", format!("{:016x}", start.r)),
            ("s", format!("{:016x}", start.at)),
            ("v", version.to_string()),
        ];
        let service = ServiceInfo::new(SERVICE, &name, &host, fixed.join(",").as_str(), port, &properties[..])?;
        let mut service = if ips.iter().any(|ip| ip.is_unspecified()) { service.enable_addr_auto() } else { service };
        // Instance and host are unique by construction. Probing would only cost most of a second.
        service.set_requires_probe(false);
        Ok(service)
    }
}

async fn listen_to(mut events: Receiver<ServiceEvent>, daemon: ServiceDaemon, me: Key, found: mpsc::Sender<Found>) {
    loop {
        match events.recv_async().await {
            Ok(ServiceEvent::ServiceResolved(service)) => {
                let Some(peer) = read(&service).filter(|peer| !matches!(peer, Found::Peer { peer, .. } if *peer == me))
                else {
                    continue;
                };
                if found.send(peer).await.is_err() {
                    return;
                }
            }
            Ok(ServiceEvent::ServiceRemoved(_, name)) => {
                let peer = name.split(['.', '-']).next().and_then(|id| key_of(&id.parse::<PeerId>().ok()?));
                if let Some(peer) = peer
                    && found.send(Found::Gone(peer)).await.is_err()
                {
                    return;
                }
            }
            Ok(_) => {}
            // The daemon drops a subscriber that does not keep up. Begin again: its cache answers at once.
            Err(_) => match daemon.browse(SERVICE) {
                Ok(again) => events = again,
                Err(error) => {
                    tracing::debug!(%error, "mDNS stopped");
                    return;
                }
            },
        }
    }
}

/// What a peer says of itself. `None` if it is not one of ours or names no address that can be dialled.
fn read(service: &ResolvedService) -> Option<Found> {
    let text = |key| service.get_property_val_str(key);
    let peer = key_of(&text("id")?.parse::<PeerId>().ok()?)?;
    let (r, at) = (number(text("r")?)?, number(text("s")?)?);
    // Its greeting tells whether its version is ours: only the greeting is authenticated.
    text("v")?.parse::<u16>().ok()?;
    let mut addresses: Vec<_> = service
        .get_addresses()
        .iter()
        .map(|ip| canonical(SocketAddr::new(ip.to_ip_addr(), service.get_port())))
        .filter(|address| unusable(address).is_none())
        .collect();
    addresses.sort_unstable();
    addresses.truncate(MAX_ADDRESSES);
    (!addresses.is_empty()).then_some(Found::Peer { peer, start: Start { r, at }, addresses })
}

/// Reads a number of an announcement: 16 hexadecimal digits.
fn number(text: &str) -> Option<u64> {
    let is_one = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// The peers that announce themselves within `patience`, and where.
pub(crate) async fn look(interface: Option<&str>, patience: Duration) -> BTreeMap<Key, Vec<SocketAddr>> {
    let mut peers = BTreeMap::new();
    let browse = || {
        let daemon = ServiceDaemon::new()?;
        if let Some(interface) = interface {
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(interface)?;
        }
        let events = daemon.browse(SERVICE)?;
        mdns_sd::Result::Ok((daemon, events))
    };
    let Ok((daemon, events)) = browse() else { return peers };
    let listening = async {
        while let Ok(event) = events.recv_async().await {
            if let ServiceEvent::ServiceResolved(service) = event
                && let Some(Found::Peer { peer, addresses, .. }) = read(&service)
            {
                peers.insert(peer, addresses);
            }
        }
    };
    // Listening ends when the time is up.
    let _ = time::timeout(patience, listening).await;
    if let Err(error) = daemon.shutdown() {
        tracing::debug!(%error, "mDNS is gone already");
    }
    peers
}

/// Looks for what is in the way of discovery, because the mDNS daemon itself stays silent about it.
async fn watch(interface: Option<String>, found: mpsc::Sender<Found>) {
    let mut ticks = time::interval(Duration::from_secs(u64::from(INTERFACE_CHECK)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = Vec::new();
    loop {
        ticks.tick().await;
        let news = match survey(interface.as_deref()) {
            Ok(problems) if problems == told => continue,
            Ok(problems) => {
                told.clone_from(&problems);
                Found::Survey(problems)
            }
            Err(error) => Found::NoFiles(error.to_string()),
        };
        if found.send(news).await.is_err() {
            return;
        }
    }
}
