//! Reserves ports to listen on for one process alone.
//!
//! libp2p sets `SO_REUSEPORT` on the sockets it listens on. So two processes could share a fixed port without an error,
//! and each would get half of the connections. Two things prevent that. First, a socket without the option is bound for
//! a moment, which fails if another program listens there. Second, on Linux, a name in the abstract namespace of Unix
//! sockets keeps two processes apart that start at the same instant. The kernel frees the name when the process ends.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
};

use crate::{Error, address::is_link_local_v6};

/// How many ports are tried before this gives up on finding a free one.
const ATTEMPTS: usize = 16;

/// Holds an address for this process for as long as it lives.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) address: SocketAddr,
    #[cfg(target_os = "linux")]
    _name: Option<std::os::unix::net::UnixListener>,
}

/// Reserves what `listen` asks for, with real ports in place of 0. If it is empty, reserves every interface.
pub(crate) fn reserve(listen: &[SocketAddr]) -> Result<Vec<Reserved>, Error> {
    if listen.is_empty() {
        return everywhere();
    }
    listen.iter().map(|&address| if address.port() == 0 { free(address) } else { fixed(address) }).collect()
}

/// Reserves both families on one port, so that one announcement names both.
fn everywhere() -> Result<Vec<Reserved>, Error> {
    let (v4, v6) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    for _ in 0..ATTEMPTS {
        // A probe of the IPv6 port takes both families.
        let (port, families) = match probe(SocketAddr::new(v6, 0)) {
            Ok(found) => (found.port(), &[v4, v6][..]),
            Err(_) => (probe(SocketAddr::new(v4, 0)).map_err(Error::NoPort)?.port(), &[v4][..]),
        };
        let reserved: Result<Vec<_>, _> = families.iter().map(|&ip| fixed(SocketAddr::new(ip, port))).collect();
        if let Ok(reserved) = reserved {
            return Ok(reserved);
        }
    }
    Err(Error::NoPort(io::ErrorKind::AddrInUse.into()))
}

fn free(address: SocketAddr) -> Result<Reserved, Error> {
    for _ in 0..ATTEMPTS {
        let found = probe(address).map_err(|source| Error::Listen { address, source })?;
        if let Ok(reserved) = fixed(found) {
            return Ok(reserved);
        }
    }
    Err(Error::NoPort(io::ErrorKind::AddrInUse.into()))
}

fn fixed(address: SocketAddr) -> Result<Reserved, Error> {
    let name = claim(address)?;
    match probe(address) {
        Ok(_) => Ok(name),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Error::PortInUse(address)),
        Err(source) => Err(Error::Listen { address, source }),
    }
}

/// Listens for a moment, without `SO_REUSEPORT`.
fn probe(address: SocketAddr) -> io::Result<SocketAddr> {
    TcpListener::bind(address)?.local_addr()
}

#[cfg(target_os = "linux")]
fn claim(address: SocketAddr) -> Result<Reserved, Error> {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr as UnixAddr, UnixListener},
    };
    let name = UnixAddr::from_abstract_name(format!("causerie-listens-on-{address}"));
    match name.and_then(|name| UnixListener::bind_addr(&name)) {
        Ok(name) => Ok(Reserved { address, _name: Some(name) }),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Error::PortInUse(address)),
        // Without Unix sockets the probe alone must do.
        Err(_) => Ok(Reserved { address, _name: None }),
    }
}

#[cfg(not(target_os = "linux"))]
fn claim(address: SocketAddr) -> Result<Reserved, Error> {
    Ok(Reserved { address })
}

/// This machine's addresses of one family that can be dialled from here or from elsewhere. Read from the kernel's
/// tables, for systems that tell them in no other way.
pub(crate) fn local_addresses(v4: bool) -> Vec<IpAddr> {
    let mut addresses = if v4 {
        of_fib_trie(&fs::read_to_string("/proc/net/fib_trie").unwrap_or_default())
    } else {
        of_if_inet6(&fs::read_to_string("/proc/net/if_inet6").unwrap_or_default())
    };
    addresses.retain(|ip| !is_link_local_v6(ip));
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// A line with an address is followed by one that says what kind it is.
fn of_fib_trie(text: &str) -> Vec<IpAddr> {
    let lines = || text.lines().map(str::trim);
    let local = lines().zip(lines().skip(1)).filter(|(_, kind)| *kind == "/32 host LOCAL");
    local.filter_map(|(address, _)| address.strip_prefix("|-- ")?.parse().ok()).collect()
}

/// Each line begins with an address in 32 hexadecimal digits.
fn of_if_inet6(text: &str) -> Vec<IpAddr> {
    let addresses = text.lines().filter_map(|line| line.split_whitespace().next());
    addresses.filter_map(|digits| Some(IpAddr::V6(u128::from_str_radix(digits, 16).ok()?.into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_port_is_reserved_once() {
        let held = reserve(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let again = [held[0].address];
        assert!(matches!(reserve(&again), Err(Error::PortInUse(_))));
        drop(held);
        assert!(reserve(&again).is_ok());
    }

    #[test]
    fn a_port_that_another_program_listens_on_is_refused() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let error = reserve(&[address]).unwrap_err();
        assert!(error.to_string().contains("in use"), "{error}");
    }

    #[test]
    fn addresses_are_read_from_the_tables_of_the_kernel() {
        let trie = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.9.0.0\n        /24 link UNICAST\n     |-- 10.9.0.2\n        /32 host LOCAL\n";
        assert_eq!(of_fib_trie(trie), ["10.9.0.2".parse::<IpAddr>().unwrap()]);
        let inet6 = "fd000000000000000000000000000002 0a 40 00 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n";
        assert_eq!(of_if_inet6(inet6), ["fd00::2", "::1"].map(|ip| ip.parse::<IpAddr>().unwrap()));
        assert!(of_fib_trie("rubbish").is_empty() && of_if_inet6("rubbish").is_empty());
    }

    #[test]
    fn listening_everywhere_takes_one_port() {
        let reserved = reserve(&[]).unwrap();
        assert!(reserved.iter().all(|r| r.address.port() == reserved[0].address.port() && r.address.port() != 0));
    }
}
