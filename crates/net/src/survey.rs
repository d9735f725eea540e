//! Checks whether this machine lets peers find each other: its interfaces, and the port of multicast DNS.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
};

use if_addrs::Interface;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{Problem, address::is_link_local_v6, limits::lacks_files};

/// The port of multicast DNS.
const PORT: u16 = 5353;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// A DNS message that asks nothing.
const NOTHING: [u8; 12] = [0; 12];

/// What is in the way of discovery at the moment, on `interface` or on all of them.
///
/// # Errors
/// If no more files can be opened, so nothing can be checked.
pub(crate) fn survey(interface: Option<&str>) -> io::Result<Vec<Problem>> {
    let all = match if_addrs::get_if_addrs() {
        Ok(all) => all,
        Err(error) if lacks_files(&error.to_string()) => return Err(error),
        Err(error) => return Ok(vec![Problem::InterfacesHidden { error: error.to_string() }]),
    };
    let mut problems: Vec<Problem> = of_interfaces(&all, interface).into_iter().collect();
    let used: Vec<&Interface> = all
        .iter()
        .filter(|i| i.is_oper_up() && !i.is_loopback() && interface.is_none_or(|name| i.name == name))
        .collect();
    problems.extend(of_multicast(&used));
    Ok(problems)
}

fn of_interfaces(all: &[Interface], interface: Option<&str>) -> Option<Problem> {
    let Some(name) = interface else {
        let mut up = all.iter().filter(|i| !i.is_loopback() && i.is_oper_up()).peekable();
        if up.peek().is_none() {
            return Some(Problem::NoInterface);
        }
        return up.all(|i| is_link_local_v6(&i.ip())).then_some(Problem::OnlyLinkLocal { interface: None });
    };
    let interface = name.to_owned();
    let Some(found) = all.iter().find(|i| i.name == name) else {
        let mut there: Vec<_> = all.iter().map(|i| i.name.clone()).collect();
        there.dedup();
        return Some(Problem::NoSuchInterface { interface, there });
    };
    if !found.is_oper_up() && !found.is_loopback() {
        return Some(Problem::InterfaceDown { interface });
    }
    let dialable = all.iter().any(|i| i.name == name && !is_link_local_v6(&i.ip()));
    (!dialable).then_some(Problem::OnlyLinkLocal { interface: Some(interface) })
}

/// Whether the port of multicast DNS can be shared with others, and packets can be sent from it. The packets sent have
/// a time to live of zero, so they never leave this machine.
fn of_multicast(used: &[&Interface]) -> Option<Problem> {
    let (v4, v6): (Vec<_>, Vec<_>) = used.iter().copied().partition(|interface| interface.ip().is_ipv4());
    let families = [("IPv4", v4), ("IPv6", v6)];
    families.into_iter().filter(|(family, used)| *family == "IPv4" || !used.is_empty()).find_map(|(family, used)| {
        let error = attempt(family == "IPv4", &used).err()?;
        if error.kind() == io::ErrorKind::AddrInUse {
            return Some(Problem::MulticastPortTaken);
        }
        if error.kind() == io::ErrorKind::PermissionDenied {
            return Some(Problem::MulticastRefused { family, error: error.to_string() });
        }
        // An interface may go during the check, and not every system has both families.
        tracing::debug!(family, %error, "multicast was not looked at");
        None
    })
}

fn attempt(v4: bool, used: &[&Interface]) -> io::Result<()> {
    let (domain, any): (_, IpAddr) =
        if v4 { (Domain::IPV4, Ipv4Addr::UNSPECIFIED.into()) } else { (Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()) };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    if v4 {
        socket.set_multicast_ttl_v4(0)?;
        socket.set_multicast_loop_v4(false)?;
    } else {
        socket.set_only_v6(true)?;
        socket.set_multicast_hops_v6(0)?;
        socket.set_multicast_loop_v6(false)?;
    }
    socket.bind(&SocketAddr::new(any, PORT).into())?;
    for interface in used {
        let (group, index): (SocketAddr, _) = match interface.ip() {
            IpAddr::V4(ip) => {
                socket.set_multicast_if_v4(&ip)?;
                (SocketAddrV4::new(GROUP_V4, PORT).into(), 0)
            }
            IpAddr::V6(_) => {
                let index = interface.index.unwrap_or(0);
                socket.set_multicast_if_v6(index)?;
                (SocketAddrV6::new(GROUP_V6, PORT, 0, index).into(), index)
            }
        };
        match socket.send_to(&NOTHING, &group.into()) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Ok(_) => {}
            Err(error) => tracing::debug!(index, %error, "nothing was sent"),
        }
    }
    Ok(())
}
