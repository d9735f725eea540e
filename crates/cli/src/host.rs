//! `causerie web`: a page for the accounts of this machine, and the peers of those that are logged in; or, in a process of its own,
//! the page of one peer.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use account::Cost;
use anyhow::{Context as _, bail};
use node::Neighbours;
use node::chat::Name;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use web::{HostLimits, Hosting, Limits, Listening, Registration, Tls, addresses};

use crate::chat::{reach, runtime};
use crate::options::Web;
use crate::signals::Signals;
use crate::{Misuse, home, log};

/// Files of one account that is logged in: 9 of its peer, and some for tabs and for links to peers elsewhere.
const FILES_OF_ONE: u64 = 16;

/// Files of the host itself, and of browsers that come and go.
const FILES_OF_HOST: u64 = 64;

/// With room for so many people nothing is said of it: as many as a chat is made for.
const PLENTY: usize = 100;

/// Serves the page until a signal asks it to stop.
pub(crate) fn run(mut options: Web) -> anyhow::Result<ExitCode> {
    log::to_stderr(&options.log)?;
    match options.data.take() {
        Some(folder) => serve_peer(&options, &folder),
        None => serve_accounts(options),
    }
}

/// The page of a peer in another process. A peer that is started again finds its page served.
fn serve_peer(options: &Web, folder: &Path) -> anyhow::Result<ExitCode> {
    let tls = encryption(options)?;
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let me = node::attach(folder).await?.hello.known.me.clone();
        if web::link(folder).await.is_ok() {
            bail!("that peer has a page already: `causerie page --data {}` prints a link to it", folder.display());
        }
        let fingerprint = tls.as_ref().map(|tls| tls.fingerprint().to_owned());
        let listening = Listening::bind(options.address, &options.names, tls).await?;
        listening.serve(folder, &me.person.to_string(), Limits::default())?;
        say(&format!("the page of {} is at {}", me.name, web::link(folder).await?))?;
        tell_of_encryption(options, fingerprint.as_deref())?;
        signals.leave().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn serve_accounts(options: Web) -> anyhow::Result<ExitCode> {
    if let Some(fixed) = options.links.listen.iter().find(|address| address.port() != 0) {
        return Err(Misuse(format!(
            "--listen {fixed}: each account has a peer with a port of its own, so give port 0"
        ))
        .into());
    }
    home::dump_nothing().context("the system does not let this program keep its memory to itself")?;
    let peers = room()?;
    let accounts = home::accounts()?;
    accounts.sweep()?;
    let tls = encryption(&options)?;
    let registration = match &options.register_code {
        Some(code) => Registration::Code(code.clone()),
        None if options.no_register => Registration::Closed,
        None => Registration::Open,
    };
    let (links, neighbours) = (options.links.clone(), Neighbours::default());
    let hosting = Hosting {
        accounts,
        registration,
        cost: Cost::default(),
        limits: HostLimits { peers, ..HostLimits::default() },
        peer: Box::new(move |name: &Name| {
            let mut config = node::Config::new(name.as_str());
            reach(&mut config, links.clone());
            config.neighbours = neighbours.clone();
            config
        }),
    };
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let fingerprint = tls.as_ref().map(|tls| tls.fingerprint().to_owned());
        let listening = Listening::bind(options.address, &options.names, tls).await?;
        for link in listening.links()? {
            say(&format!("the page is at {link}"))?;
        }
        tell_of_encryption(&options, fingerprint.as_deref())?;
        let serving = listening.serve_accounts(hosting, Limits::of_host());
        signals.leave().await;
        serving.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// What the page is encrypted with, if it is to be.
fn encryption(options: &Web) -> anyhow::Result<Option<Tls>> {
    Ok(match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::load(certificate, key)?),
        _ if options.address.ip().is_loopback() || options.insecure_http => None,
        _ => Some(own_certificate(options)?),
    })
}

/// Tells what there is to know of the encryption.
fn tell_of_encryption(options: &Web, fingerprint: Option<&str>) -> io::Result<()> {
    if let Some(fingerprint) = fingerprint {
        return say(&format!(
            "its certificate has the SHA-256 fingerprint {fingerprint}: where a browser warns of it, compare the two"
        ));
    }
    if !options.address.ip().is_loopback() {
        tracing::warn!("--insecure-http: everybody between this host and a browser can read passphrases and messages");
    }
    Ok(())
}

/// The certificate of this host, made when it is first needed.
fn own_certificate(options: &Web) -> anyhow::Result<Tls> {
    let ips = addresses(options.address.ip())?.into_iter().map(|ip| ip.to_string());
    let names: Vec<String> = options.names.iter().cloned().chain(ips).collect();
    Ok(Tls::own(&home::host_certificate()?, &names)?)
}

/// How many accounts can be logged in at once: as many as the system gives files for without asking.
fn room() -> anyhow::Result<usize> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // With what it has it serves fewer people.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let most = HostLimits::default().peers;
    let Some(files) = getrlimit(Resource::Nofile).current else { return Ok(most) };
    let room = usize::try_from(files.saturating_sub(FILES_OF_HOST) / FILES_OF_ONE).map_or(most, |room| room.min(most));
    let raise = "raise the hard limit (`ulimit -Hn`, LimitNOFILE= of systemd)";
    if room == 0 {
        bail!("this process may open {files} files, and needs {}: {raise}", FILES_OF_HOST + FILES_OF_ONE);
    }
    if room < PLENTY {
        tracing::warn!(
            "{room} people can be logged in at once, since this process may open {files} files: for more, {raise}"
        );
    }
    Ok(room)
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
