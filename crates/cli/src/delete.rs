//! `causerie account delete`: the others are told, by the peer that runs or by one that is started for that alone; then the files go.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

use account::{Accounts, Key, Seed};
use node::chat::{Answer, Command, Event, Name};
use node::{AttachError, DataFolder, Ending, Events, Home, Session};
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::account::{piped_line, say};
use crate::ask::{STOPPING, ask};
use crate::chat::{reach, runtime};
use crate::options::{Delete, Links};
use crate::passphrase::open_unless;
use crate::show::told_others;
use crate::{Misuse, explain, home};

/// How long a peer that is started only to tell the others looks for them, and how long for one more. A link is made within a second of
/// hearing.
const FINDING: Duration = Duration::from_secs(5);
const ONE_MORE: Duration = Duration::from_secs(1);

/// Who hears of it.
enum Told {
    /// So many people, and the others by them.
    People(usize),
    /// Nobody, and why not.
    Nobody(String),
}

pub(crate) fn run(options: Delete) -> anyhow::Result<()> {
    let name = home::account_name(&options.name)?;
    let accounts = home::accounts()?;
    let folder = accounts.find(&name)?;
    if !options.yes {
        say(&format!(
            "This deletes {name}, with its identity and all its messages on this machine, and tells everybody. Nothing brings them back but \
             an export or the recovery words.\nType the name to go on: "
        ))?;
        if piped_line()?.trim() != name.as_str() {
            return Err(Misuse("that is another name, so nothing was deleted".to_owned()).into());
        }
    }
    let running = runtime()?.block_on(by_the_running_peer(&folder))?;
    let told = match running {
        Some(told) => told,
        None => match open(&accounts, &name, options.passphrase.passphrase_file.as_deref())? {
            Ok(seed) => runtime()?.block_on(by_a_peer_of_its_own(&folder, &name, &seed, options.links))?,
            Err(why_not) => Told::Nobody(why_not),
        },
    };
    match accounts.delete(&name) {
        Ok(()) => {}
        // The process of the peer that ran has been quicker.
        Err(account::Error::NoAccount { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    match told {
        Told::People(told) => say(&format!("deleted {name}: {}", told_others(told))),
        Told::Nobody(why) => say(&format!(
            "deleted {name} from this machine. Nobody was told, because {why}: the others keep what is for {name} until one of them says \
             -forget {name}, or for 30 days"
        )),
    }
}

/// Has the peer tell the others that runs on this folder, if one does.
async fn by_the_running_peer(folder: &Path) -> anyhow::Result<Option<Told>> {
    match node::attach(folder).await {
        Ok(session) => by(session).await.map(Some),
        Err(AttachError::NoPeer { .. } | AttachError::Folder(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The key, or why it cannot be had.
fn open(accounts: &Accounts, name: &Name, file: Option<&str>) -> anyhow::Result<Result<Seed, String>> {
    let sealed = match accounts.key(name) {
        Ok(Key::Plain(seed)) => return Ok(Ok(seed)),
        Ok(Key::Sealed(sealed)) => sealed,
        Err(unusable) => return Ok(Err(format!("the key cannot be used ({unusable})"))),
    };
    let is_asked = file.is_none() && io::stdin().is_terminal();
    if file.is_some() || is_asked {
        if is_asked {
            say("Only the passphrase allows telling the others; Enter alone goes on without.")?;
        }
        if let Some((seed, _)) = open_unless(&sealed, file, |typed| is_asked && typed.is_empty())? {
            return Ok(Ok(seed));
        }
    }
    Ok(Err("that takes the passphrase".to_owned()))
}

/// Starts a peer that finds the others and tells them. What keeps it from that keeps nobody from deleting.
async fn by_a_peer_of_its_own(folder: &Path, name: &Name, seed: &Seed, links: Links) -> anyhow::Result<Told> {
    let mut config = node::Config::new(name.to_string());
    config.home = Some(Home { folder: DataFolder::open(folder)?, seed: Zeroizing::new(*seed.expose()) });
    reach(&mut config, links);
    let mut session = match node::start(config).await {
        Ok(session) => session,
        Err(error) => return Ok(Told::Nobody(format!("its peer cannot be started ({})", explain(&error.into())))),
    };
    if is_in_company(&mut session.events).await {
        return by(session).await;
    }
    session.requests.stop();
    while session.events.next_batch().await.is_some() {}
    Ok(Told::Nobody("nobody was found".to_owned()))
}

/// Waits until others are found, and no more of them come.
async fn is_in_company(events: &mut Events) -> bool {
    let end = Instant::now() + FINDING;
    let mut until = end;
    while let Ok(Some(event)) = timeout_at(until, events.next()).await {
        if matches!(event, Event::PeerUp { .. }) {
            until = end.min(Instant::now() + ONE_MORE);
        }
    }
    until < end
}

/// Has a peer tell the others, and waits until it has stopped.
async fn by(mut session: Session) -> anyhow::Result<Told> {
    let name = session.hello.known.me.name.clone();
    let (answer, _) = ask(&mut session, Command::DeleteAccount { name }).await?;
    let events = &mut session.events;
    let stopped = async { while events.next_batch().await.is_some() {} };
    anyhow::ensure!(timeout(STOPPING, stopped).await.is_ok(), "the peer does not stop; is it stuck?");
    anyhow::ensure!(events.ending() == Ending::Deleted, "{}", events.reason());
    let Answer::Deleting { told, .. } = answer else { anyhow::bail!("the peer answers {answer:?}") };
    Ok(if told == 0 { Told::Nobody("nobody else was here".to_owned()) } else { Told::People(told) })
}
