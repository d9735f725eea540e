use std::collections::BTreeSet;

use chat::{Identity, Incarnation, MemoryStore, Name, News, Peer, StoreError};
use net::Net;
use store::{Retention, SqliteStore};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::Home;
use crate::data::follow;
use crate::drawing::Lately;
use crate::journal::Trace;
use crate::keep::Keep;
use crate::line::{Hello, VERSION};
use crate::problems::Problems;
use crate::run::{LOOK, Node};
use crate::server::{Server, Service};
use crate::session::session;
use crate::socket::{SESSION, Socket};
use crate::{Config, DataFolder, Error, Session};

/// How many clients wait for the end of a turn to be let in. More of them wait where they are.
const ATTACHING: usize = 16;

/// Starts a peer on the caller's Tokio runtime, and opens the session of its own process. Dropping that session, or
/// [`Requests::stop`](crate::Requests::stop), stops the peer. While a peer with a data folder runs, other processes can
/// [`attach`](crate::attach()).
///
/// # Errors
/// Every [`Error`] says what to do.
pub async fn start(config: Config) -> Result<Session, Error> {
    let name = Name::choose(&config.name)
        .map_err(|bad| Error::BadName { name: bad.text.clone(), reason: bad.reason.clone() })?;
    let (folder, seed) = match config.home {
        Some(Home { folder, seed }) => (Some(folder), seed),
        None => (None, random_seed()?),
    };
    let socket = folder.as_ref().map(|folder| Socket::bind(folder.path(), SESSION)).transpose()?;
    let store = match &folder {
        Some(folder) => Keep::Disk(Box::new(open_database(folder)?)),
        None => Keep::Memory(MemoryStore::default()),
    };
    let trace = match &config.trace {
        Some(path) => {
            Some(Trace::open(path, &store.traced()?).map_err(|source| Error::Trace { path: path.clone(), source })?)
        }
        None => None,
    };
    let mut links = net::Config::new(seed.clone());
    links.listen = config.listen;
    links.peers = config.peers;
    links.mdns = config.mdns;
    links.interface = config.interface;
    links.neighbours = config.neighbours;
    let (net, links) = Net::start(links).await?;

    let clock = Clock::start();
    // If a peer has no home, only its own process can ask for a drawing.
    let journal = folder.is_some() || config.trace.is_some();
    let limits = chat::Config { journal, ..chat::Config::default() };
    let identity = Identity::from_seed(*seed);
    let peer = Peer::new(limits, identity, name, Incarnation(draw()?), store, clock.now());
    let mut peer = peer.map_err(|error| named(error, folder.as_ref()))?;
    for person in peer.met() {
        net.met(*person.public_key());
    }
    let program = format!("causerie {}", env!("CARGO_PKG_VERSION"));
    let hello = Hello { hello: VERSION, program: program.clone(), known: peer.hello() };
    let (session, far) = session(hello, config.event_batches);
    let (attach, attaching) = mpsc::channel(ATTACHING);
    let outbound = session.requests.outbound();
    let service = Service { program, outbound, attach, max_clients: config.max_clients };
    let server = socket.map(|socket| Server::start(socket, service));
    let node = Node {
        peer,
        net,
        links,
        trace,
        lately: Lately::default(),
        clock,
        far,
        clients: Clients::new(config.client_bytes),
        attaching,
        server,
        folder,
        done: Vec::new(),
        checks: JoinSet::new(),
        drain: config.drain,
        backlog: News::default(),
        condemned: BTreeSet::new(),
        deaf: false,
        owed: Vec::new(),
        stuck: None,
        problems: Problems::default(),
        next_look: Instant::now() + LOOK,
        untidy: true,
        retention: Retention { max_age: config.keep, max_bytes: config.keep_bytes },
        next_retention: Instant::now(),
    };
    tokio::spawn(node.run());
    Ok(session)
}

fn open_database(folder: &DataFolder) -> Result<SqliteStore, Error> {
    let file = folder.database();
    follow(&file)?;
    Ok(SqliteStore::open(&file)?)
}

/// The peer does not know which file holds the data that it cannot read. Adds the path.
fn named(error: StoreError, folder: Option<&DataFolder>) -> StoreError {
    match (error, folder.map(DataFolder::database)) {
        (StoreError::Unreadable { reason }, Some(file)) if !reason.contains(&*file.to_string_lossy()) => {
            store::damaged(&file, &reason)
        }
        (error, _) => error,
    }
}

fn random_seed() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(|error| Error::Random(error.to_string()))?;
    Ok(seed)
}

fn draw() -> Result<u64, Error> {
    getrandom::u64().map_err(|error| Error::Random(error.to_string()))
}
