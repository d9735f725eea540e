//! Finding others on the local network: DNS-SD over mDNS.
//!
//! A peer announces one service instance a port, with its peer id (`id`), the number of the tie-break (`r`, hex), the
//! time of its start (`s`, hex, Unix microseconds: the newer of two starts) and the protocol version (`v`) as TXT
//! records. Presence is not this module's business: an instance that disappears says nothing about its peer, who may
//! be reachable by another interface. Whether somebody is there, the link tells.

use std::{
    collections::BTreeSet,
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
    address::{is_link_local_v6, unusable},
    book::MAX_ADDRESSES,
    peer::{Key, Start, key_of, peer_id},
};

const SERVICE: &str = "_causerie._tcp.local.";
/// How often interfaces are looked at, in seconds: one that comes up late is used within about that.
const INTERFACE_CHECK: u32 = 1;
/// Announcements are not repeated more often than this, however many peers are to be made to hear.
const ANNOUNCE_PAUSE: Duration = Duration::from_secs(1);
/// How long the goodbye packets may take.
const GOODBYE: Duration = Duration::from_millis(200);

/// What discovery finds out.
#[derive(Debug)]
pub(crate) enum Found {
    /// A peer announces itself.
    Peer { peer: Key, start: Start, addresses: Vec<SocketAddr> },
    /// Something the user should know.
    Warning(String),
}

/// Announces this peer and looks for others until it is dropped or stopped.
pub(crate) struct Discovery {
    daemon: ServiceDaemon,
    services: Vec<ServiceInfo>,
    announced: Instant,
    tasks: Vec<JoinHandle<()>>,
}

impl Discovery {
    /// Starts. What is found goes to `found`.
    pub(crate) fn start(
        me: &Key,
        start: &Start,
        version: u16,
        listen: &[SocketAddr],
        interface: Option<String>,
        found: mpsc::Sender<Found>,
    ) -> mdns_sd::Result<Self> {
        let daemon = ServiceDaemon::new()?;
        daemon.set_ip_check_interval(INTERFACE_CHECK)?;
        if let Some(interface) = &interface {
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(interface.as_str())?;
        }
        let mut services = Vec::new();
        for port in listen.iter().map(SocketAddr::port).collect::<BTreeSet<_>>() {
            let service = service(me, start, version, listen, port, services.len())?;
            daemon.register(service.clone())?;
            services.push(service);
        }
        let events = daemon.browse(SERVICE)?;
        let tasks = vec![
            tokio::spawn(listen_to(events, daemon.clone(), *me, found.clone())),
            tokio::spawn(watch(interface, found)),
        ];
        Ok(Self { daemon, services, announced: Instant::now(), tasks })
    }

    /// Makes sure that others hear of this peer.
    pub(crate) fn announce(&mut self, now: Instant) {
        if now.duration_since(self.announced) < ANNOUNCE_PAUSE {
            return;
        }
        self.announced = now;
        for service in &self.services {
            if let Err(error) = self.daemon.register(service.clone()) {
                tracing::debug!(%error, "cannot announce");
            }
        }
    }

    /// Takes the announcement back.
    pub(crate) async fn stop(self) {
        let statuses: Vec<_> =
            self.services.iter().filter_map(|service| self.daemon.unregister(service.get_fullname()).ok()).collect();
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

impl Drop for Discovery {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Err(error) = self.daemon.shutdown() {
            tracing::debug!(%error, "mDNS is gone already");
        }
    }
}

fn service(
    me: &Key,
    start: &Start,
    version: u16,
    listen: &[SocketAddr],
    port: u16,
    nth: usize,
) -> mdns_sd::Result<ServiceInfo> {
    let id = peer_id(me).to_string();
    // Names are compared without case, in which two peer ids might agree: the host's is in hex and new at each start.
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
    // Instance and host are unique by construction: probing would only cost most of a second.
    service.set_requires_probe(false);
    Ok(service)
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
            Ok(_) => {}
            // The daemon drops a subscriber that does not keep up: begin again, its cache answers at once.
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

/// What a peer says of itself; `None` when it is not one of ours or names no address that can be dialled.
fn read(service: &ResolvedService) -> Option<Found> {
    let text = |key| service.get_property_val_str(key);
    let peer = key_of(&text("id")?.parse::<PeerId>().ok()?)?;
    let (r, at) = (number(text("r")?)?, number(text("s")?)?);
    // Whether its version is ours, its greeting says: only that is authenticated.
    text("v")?.parse::<u16>().ok()?;
    let mut addresses: Vec<_> = service
        .get_addresses()
        .iter()
        .map(|ip| SocketAddr::new(ip.to_ip_addr(), service.get_port()))
        .filter(|address| unusable(address).is_none())
        .collect();
    addresses.sort_unstable();
    addresses.truncate(MAX_ADDRESSES);
    (!addresses.is_empty()).then_some(Found::Peer { peer, start: Start { r, at }, addresses })
}

/// A number as [`service`] writes it: 16 hexadecimal digits.
fn number(text: &str) -> Option<u64> {
    let is_one = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// Says so when there is no interface to announce on: the mDNS daemon itself stays silent.
async fn watch(interface: Option<String>, found: mpsc::Sender<Found>) {
    let mut ticks = time::interval(Duration::from_secs(u64::from(INTERFACE_CHECK)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut warned = None;
    loop {
        ticks.tick().await;
        let warning = trouble(interface.as_deref());
        if warning != warned {
            if let Some(text) = &warning
                && found.send(Found::Warning(text.clone())).await.is_err()
            {
                return;
            }
            warned = warning;
        }
    }
}

fn trouble(interface: Option<&str>) -> Option<String> {
    let all = if_addrs::get_if_addrs().ok()?;
    let Some(name) = interface else {
        let any = all.iter().any(|i| !i.is_loopback() && i.is_oper_up());
        return (!any).then(|| {
            "no network interface is up: only peers on this machine can be discovered until one is; \
             or give an address by hand"
                .to_owned()
        });
    };
    let Some(found) = all.iter().find(|i| i.name == name) else {
        let mut names: Vec<_> = all.iter().map(|i| i.name.as_str()).collect();
        names.dedup();
        return Some(format!(
            "there is no network interface {name:?} with an address (there are: {}): nobody can be discovered until it \
             is there",
            names.join(", ")
        ));
    };
    if !found.is_oper_up() && !found.is_loopback() {
        return Some(format!("network interface {name:?} is down: nobody can be discovered until it is up"));
    }
    let dialable = all.iter().any(|i| i.name == name && !is_link_local_v6(&i.ip()));
    (!dialable).then(|| {
        format!(
            "network interface {name:?} has only a link-local IPv6 address, which cannot be dialled: give it another \
             address"
        )
    })
}
