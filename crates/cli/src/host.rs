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
        let listening = listen(options, tls).await?;
        listening.serve(folder, &me.person.to_string(), Limits::default())?;
        say(&format!("the page of {} is at {}", me.name, web::link(folder).await?))?;
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
    open_more_files();
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
        limits: HostLimits::default(),
        peer: Box::new(move |name: &Name| {
            let mut config = node::Config::new(name.as_str());
            reach(&mut config, links.clone());
            config.neighbours = neighbours.clone();
            config
        }),
    };
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let listening = listen(&options, tls).await?;
        for link in listening.links()? {
            say(&format!("the page is at {link}"))?;
        }
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

/// Takes the port, and tells what there is to know of the encryption.
async fn listen(options: &Web, tls: Option<Tls>) -> anyhow::Result<Listening> {
    let fingerprint = tls.as_ref().map(|tls| tls.fingerprint().to_owned());
    let listening = Listening::bind(options.address, &options.names, tls).await?;
    if let Some(fingerprint) = fingerprint {
        say(&format!("its certificate has the SHA-256 fingerprint {fingerprint}"))?;
    } else if !options.address.ip().is_loopback() {
        tracing::warn!("--insecure-http: everybody between this host and a browser can read passphrases and messages");
    }
    Ok(listening)
}

/// The certificate of this host, made when it is first needed.
fn own_certificate(options: &Web) -> anyhow::Result<Tls> {
    let ips = addresses(options.address.ip())?.into_iter().map(|ip| ip.to_string());
    let names: Vec<String> = options.names.iter().cloned().chain(ips).collect();
    Ok(Tls::own(&home::host_certificate()?, &names)?)
}

/// Each account takes a dozen files, and each link between two peers one: as many as the system allows without asking.
fn open_more_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // With what it has it serves fewer people, and says so when there are too many.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
