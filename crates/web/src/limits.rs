use std::net::IpAddr;
use std::thread;
use std::time::Duration;

/// How much of everything a page takes. The defaults are for the page of one peer, to which a browser opens a handful of tabs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// TCP connections at once, 128 by default. One more is closed as soon as it comes. WebSockets do not count here.
    pub connections: usize,
    /// TCP connections at once of one address, 128 by default. One more is closed as soon as it comes.
    pub connections_of_address: usize,
    /// How long one connection takes requests, 60 s by default; that of a WebSocket lasts.
    pub connection_lasts: Duration,
    /// How much longer the last of them may take, 60 s by default: a log-in may wait for its turn for half of it.
    pub last_request: Duration,
    /// WebSockets at once of one peer, 32 by default.
    pub sockets: usize,
    /// WebSockets at once, 32 by default.
    pub all_sockets: usize,
    /// How long a browser may take nothing of what is written to its WebSocket before it is dropped, 20 s by default.
    pub patience: Duration,
    /// Sessions at once of one peer, 16 by default. One more ends the one that was used longest ago.
    pub sessions: usize,
    /// Sessions at once, 16 by default. One more is refused.
    pub all_sessions: usize,
    /// How long a session lasts that is not used, 12 h by default.
    pub idle: Duration,
    /// One-time codes at once, 8 by default. One more ends the oldest.
    pub codes: usize,
    /// How long a one-time code can be used, 2 min by default: long enough to open a link.
    pub code_lasts: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            connections_of_address: 128,
            connection_lasts: Duration::from_secs(60),
            last_request: Duration::from_secs(60),
            sockets: 32,
            all_sockets: 32,
            patience: Duration::from_secs(20),
            sessions: 16,
            all_sessions: 16,
            idle: Duration::from_secs(12 * 3600),
            codes: 8,
            code_lasts: Duration::from_secs(120),
        }
    }
}

impl Limits {
    /// For the accounts of a host: 1,024 connections, 256 of them for one address, 2,048 WebSockets and 2,048 sessions in all,
    /// and for each account as much as for one peer.
    pub fn of_host() -> Self {
        let all = Self { connections: 1024, connections_of_address: 256, ..Self::default() };
        Self { all_sockets: 2048, all_sessions: 2048, ..all }
    }
}

/// How much of everything a host takes beside that.
#[derive(Clone, Copy, Debug)]
pub struct HostLimits {
    /// Accounts in its folder, 1,000 by default. Nobody can register beyond that.
    pub accounts: usize,
    /// Accounts that are logged in at once, 1,000 by default. The peer of each takes memory and a dozen files.
    pub peers: usize,
    /// Passphrases that are worked on at once, by default as many as there are processors, and 4 at most: each takes 64 MiB
    /// and all of one processor.
    pub openings: usize,
    /// Passphrases that wait for that, 256 by default: a minute's work for two processors. One more is refused.
    pub waiting: usize,
    /// Wrong passphrases and wrong codes that one address may send in a row, 5 by default. Further ones are taken one in
    /// [`wrong_every`](Self::wrong_every). No more of one address are
    /// worked on at once, or wait for that among those of other addresses.
    pub wrong: u32,
    /// Wrong passphrases for one account that all addresses together may send in a row, 100 by default. Further ones are taken one
    /// in [`wrong_every`](Self::wrong_every). One address, which is taken more slowly, never gets there.
    pub wrong_of_account: u32,
    /// How soon one more wrong one is forgiven, 10 s by default.
    pub wrong_every: Duration,
    /// Accounts that one address may register in a row, 100 by default, for a class behind one router. Further ones are taken
    /// one in [`registration_every`](Self::registration_every).
    pub registrations: u32,
    /// How soon one more may be registered, 36 s by default.
    pub registration_every: Duration,
    /// Addresses, names, and pairs of both, that are remembered for that, 10,000 of each by default.
    pub remembered: usize,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            accounts: 1000,
            peers: 1000,
            openings: thread::available_parallelism().map_or(1, |cores| cores.get().min(4)),
            waiting: 256,
            wrong: 5,
            wrong_of_account: 100,
            wrong_every: Duration::from_secs(10),
            registrations: 100,
            registration_every: Duration::from_secs(36),
            remembered: 10_000,
        }
    }
}

/// What counts as one address: of IPv6 the first 64 bits, since one machine may take all the rest.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_has_one_address_however_many_it_takes() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
