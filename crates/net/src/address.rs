//! Addresses, in three forms: as people write them, as libp2p writes them, and as bytes on a link.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use libp2p::{Multiaddr, multiaddr::Protocol};

use crate::{
    BadAddress,
    peer::{Key, key_of},
};

/// An address given by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The peer that is expected there, if the multiaddr names one.
    pub(crate) peer: Option<Key>,
}

/// What a user wrote: an address, or a host name that must be resolved first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    At(Target),
    Host(Host),
}

/// A host name and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// Reads `ip:port`, `[v6]:port`, `host:port` or a multiaddr.
pub(crate) fn parse(text: &str) -> Result<Place, BadAddress> {
    let target = match text.parse() {
        Ok(address) => Target { address: canonical(address), peer: None },
        Err(_) => match (parse_multiaddr(text), parse_host(text)) {
            (Some(target), _) => target,
            (None, Some(Host { port: 0, .. })) => {
                return Err(BadAddress::Unusable { address: text.to_owned(), reason: "it has no port" });
            }
            (None, Some(host)) => return Ok(Place::Host(host)),
            (None, None) => return Err(BadAddress::Syntax(text.chars().take(100).collect())),
        },
    };
    match unusable(&target.address) {
        Some(reason) => Err(BadAddress::Unusable { address: text.to_owned(), reason }),
        None => Ok(Place::At(target)),
    }
}

/// A host name may hold what RFC 1123 allows, and `_`, in any script: labels with dots in between. The last label is
/// not a number.
fn parse_host(text: &str) -> Option<Host> {
    let (name, port) = text.rsplit_once(':')?;
    let is_label = |label: &str| {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        (1..=63).contains(&label.len()) && label.chars().all(fits) && !label.starts_with('-') && !label.ends_with('-')
    };
    let bare = name.strip_suffix('.').unwrap_or(name);
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = bare.len() <= 253 && bare.split('.').all(is_label) && !bare.rsplit('.').next().is_some_and(is_number);
    is_name.then_some(Host { name: name.to_owned(), port: port.parse().ok()? })
}

/// Turns an IPv4 address that is written as IPv6 into the IPv4 address.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn parse_multiaddr(text: &str) -> Option<Target> {
    let multiaddr: Multiaddr = text.parse().ok()?;
    let peer = if let Some(Protocol::P2p(id)) = multiaddr.iter().nth(2) { Some(key_of(&id)?) } else { None };
    let parts = if peer.is_some() { 3 } else { 2 };
    (multiaddr.iter().count() == parts).then_some(Target { address: from_multiaddr(&multiaddr)?, peer })
}

/// Why an address cannot be dialled, if it cannot.
pub(crate) fn unusable(address: &SocketAddr) -> Option<&'static str> {
    if address.port() == 0 {
        Some("it has no port")
    } else if address.ip().is_unspecified() {
        Some("it names every interface, not one machine")
    } else if address.ip().is_multicast() || address.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) {
        Some("it names many machines, not one")
    } else if is_link_local_v6(&address.ip()) {
        Some("link-local IPv6 addresses need an interface, which the transport cannot name; use another address")
    } else {
        None
    }
}

pub(crate) fn is_link_local_v6(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

pub(crate) fn to_multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(address.ip().into()).with(Protocol::Tcp(address.port()))
}

/// The socket address at the front of a multiaddr.
pub(crate) fn from_multiaddr(multiaddr: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = multiaddr.iter();
    let (ip, port) = (parts.next()?, parts.next()?);
    let ip = if let Protocol::Ip4(ip) = ip {
        IpAddr::V4(ip)
    } else if let Protocol::Ip6(ip) = ip {
        IpAddr::V6(ip)
    } else {
        return None;
    };
    if let Protocol::Tcp(port) = port { Some(canonical(SocketAddr::new(ip, port))) } else { None }
}

/// Writes a count (one byte) and that many addresses: a family (4 or 6), the IP address, the port.
pub(crate) fn encode_all(addresses: &[SocketAddr], out: &mut Vec<u8>) {
    let count = u8::try_from(addresses.len()).expect("callers bound what they list to less than 256");
    out.push(count);
    for address in addresses {
        match address.ip() {
            IpAddr::V4(ip) => {
                out.push(4);
                out.extend(ip.octets());
            }
            IpAddr::V6(ip) => {
                out.push(6);
                out.extend(ip.octets());
            }
        }
        out.extend(address.port().to_be_bytes());
    }
}

/// Reads what [`encode_all`] wrote, off the front. Addresses that cannot be dialled are left out.
pub(crate) fn decode_all(from: &mut &[u8], most: usize) -> Option<Vec<SocketAddr>> {
    let count = usize::from(take::<1>(from)?[0]);
    if count > most {
        return None;
    }
    let mut addresses = Vec::with_capacity(count);
    for _ in 0..count {
        let ip = match take::<1>(from)? {
            [4] => IpAddr::V4(Ipv4Addr::from(take::<4>(from)?)),
            [6] => IpAddr::V6(Ipv6Addr::from(take::<16>(from)?)),
            _ => return None,
        };
        let address = canonical(SocketAddr::new(ip, u16::from_be_bytes(take(from)?)));
        if unusable(&address).is_none() {
            addresses.push(address);
        }
    }
    Some(addresses)
}

/// Takes `N` bytes off the front.
pub(crate) fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, expected) in [
            ("192.0.2.1:4001", "192.0.2.1:4001"),
            ("[2001:db8::1]:4001", "[2001:db8::1]:4001"),
            ("/ip4/192.0.2.1/tcp/4001", "192.0.2.1:4001"),
            ("/ip6/2001:db8::1/tcp/4001", "[2001:db8::1]:4001"),
            ("[::ffff:192.0.2.1]:4001", "192.0.2.1:4001"),
            ("/ip6/::ffff:192.0.2.1/tcp/4001", "192.0.2.1:4001"),
        ] {
            let target = Target { address: expected.parse().unwrap(), peer: None };
            assert_eq!(parse(text), Ok(Place::At(target)), "{text}");
        }
        let id = crate::peer::peer_id(&[7; 32]);
        let Ok(Place::At(target)) = parse(&format!("/ip4/192.0.2.1/tcp/4001/p2p/{id}")) else { panic!() };
        assert_eq!(target.peer, Some([7; 32]));
        for (text, name, port) in [
            ("localhost:4001", "localhost", 4001),
            ("peer-1.example.org:1", "peer-1.example.org", 1),
            ("example.org.:65535", "example.org.", 65535),
            ("my_host:4100", "my_host", 4100),
            ("bücher.example:4100", "bücher.example", 4100),
            ("3com.example:4100", "3com.example", 4100),
        ] {
            assert_eq!(parse(text), Ok(Place::Host(Host { name: name.to_owned(), port })), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("{}:1", "x".repeat(64));
        for text in [
            "",
            "nonsense",
            "1.2.3.4",
            "1.2.3.4:99999",
            "/ip4/1.2.3.4",
            "/ip4/1.2.3.4/udp/1",
            "host:",
            ":1",
            "host:x",
            "host:99999",
            "1.2.3:1",
            "1.2.3.4.5:1",
            "-x:1",
            "x-:1",
            "a..b:1",
            "a b:1",
            "http://host:1",
            "host/x:1",
            "a:b:1",
            long.as_str(),
        ] {
            assert!(matches!(parse(text), Err(BadAddress::Syntax(_))), "{text}");
        }
        for text in ["host:0", "1.2.3.4:0", "0.0.0.0:1", "[::]:1", "[fe80::1]:1", "224.0.0.251:1", "[::ffff:0.0.0.0]:1"]
        {
            assert!(matches!(parse(text), Err(BadAddress::Unusable { .. })), "{text}");
        }
        let sha256 = libp2p::PeerId::random();
        assert!(parse(&format!("/ip4/1.2.3.4/tcp/1/p2p/{sha256}")).is_err(), "only Ed25519 keys");
        assert!(parse("/ip4/1.2.3.4/tcp/1/ws").is_err());
    }

    #[test]
    fn encodes_and_decodes() {
        let addresses = ["192.0.2.1:4001".parse().unwrap(), "[2001:db8::1]:1".parse().unwrap()];
        let mut bytes = Vec::new();
        encode_all(&addresses, &mut bytes);
        for cut in 0..bytes.len() {
            assert_eq!(decode_all(&mut &bytes[..cut], 16), None);
        }
        let mut rest = &bytes[..];
        assert_eq!(decode_all(&mut rest, 16).unwrap(), addresses);
        assert!(rest.is_empty());
        assert_eq!(decode_all(&mut &bytes[..], 1), None, "more than the bound");
    }
}
