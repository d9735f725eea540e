//! What can be checked of a data folder and a network while no peer runs on that folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::data::{follow, look_at_permissions};
use crate::{DataFolder, Error};

/// How long other peers may take to answer. They do so within a tenth of a second.
const LOOK: Duration = Duration::from_secs(2);

/// How many open files a peer may need: one per link, and some more.
const FILES: u64 = 256;

/// How many bytes are written to see whether there is room: more than the longest message needs.
const ROOM: usize = 1 << 19;

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub check: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, and what to do.
    pub text: String,
}

impl Check {
    /// The outcome of a check: what was found, or what is wrong.
    pub fn new(check: &'static str, found: Result<String, String>) -> Self {
        let ok = found.is_ok();
        Self { check, ok, text: found.unwrap_or_else(|wrong| wrong) }
    }
}

/// Checks the data folder `data` and the network, without joining the chat. Needs a Tokio runtime with time and I/O
/// enabled.
pub async fn examine(data: &Path, interface: Option<&str>) -> Vec<Check> {
    let mut checks = vec![
        Check::new("data folder", look_at_folder(data).map_err(|error| error.to_string())),
        Check::new("open files", look_at_limit()),
    ];
    let found = net::examine(interface, LOOK).await;
    checks.extend(found.problems.iter().map(|problem| Check::new("network", Err(problem.to_string()))));
    if found.problems.is_empty() {
        let addresses: Vec<String> = found.addresses.iter().map(IpAddr::to_string).collect();
        checks.push(Check::new("network", Ok(format!("others can reach this machine at {}", addresses.join(", ")))));
        checks.push(Check::new("discovery", Ok("multicast DNS can be sent".to_owned())));
    }
    if found.peers.is_empty() {
        checks.push(Check::new("peers", Ok("no other peer announces itself here".to_owned())));
    }
    checks.extend(found.peers.into_iter().map(|announced| {
        let net::Announced { peer, address, unreachable } = announced;
        let who = chat::PersonId::new(peer).fingerprint();
        Check::new(
            "peer",
            match unreachable {
                None => Ok(format!("{who} answers at {address}")),
                Some(why) => Err(format!(
                    "{who} announces itself and cannot be reached at {address} ({why}): open TCP port {} on that machine",
                    address.port()
                )),
            },
        )
    }));
    checks
}

fn look_at_folder(data: &Path) -> Result<String, Error> {
    let named = data.display();
    follow(data)?;
    if let Err(error) = fs::metadata(data)
        && error.kind() == io::ErrorKind::NotFound
    {
        return Ok(format!("{named} is not there yet: the first start makes it"));
    }
    let folder = DataFolder::open(data)?;
    look_at_permissions(data)?;
    follow(&folder.database())?;
    store::find(&folder.database())?;
    try_to_write(data).map_err(|source| Error::Data { path: data.to_owned(), source })?;
    Ok(format!("{named} can be written"))
}

/// Whether there is room for a message.
fn try_to_write(folder: &Path) -> io::Result<()> {
    let path = folder.join("doctor.try");
    let written = OpenOptions::new().create(true).truncate(true).write(true).open(&path).and_then(|mut file| {
        file.write_all(&vec![0; ROOM])?;
        file.sync_all()
    });
    fs::remove_file(&path)?;
    written
}

/// If the system tells no limits, there is nothing to complain about.
fn look_at_limit() -> Result<String, String> {
    match net::limits::open_files() {
        Some(limit) if limit < FILES => Err(format!(
            "this process may open {limit} files, and a peer with many links needs {FILES}: raise the limit (`ulimit -n`, or \
             LimitNOFILE= of systemd)"
        )),
        Some(limit) => Ok(format!("up to {limit} may be open")),
        None => Ok("the system names no limit".to_owned()),
    }
}
