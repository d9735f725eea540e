//! The accounts of a host: who gets in, and the peers that run for them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use account::{AccountFolder, Accounts, Cost, Key, Passphrase, SealedKey, Seed};
use node::chat::{self, Answer, Command, Name};
use node::{AttachError, DataFolder, Ending, Home, SESSION, SessionEnded, connect};
use parking_lot::Mutex;
use tokio::sync::{Mutex as TurnMutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, timeout};
use zeroize::Zeroizing;

use crate::HostLimits;
use crate::guesses::Guesses;
use crate::limits::network;
use crate::rates::Rates;
use crate::refusal::Refusal;
use crate::routes::Shared;
use crate::seat::Seat;
use crate::secret::Secret;
use crate::sessions::NoSession;
use crate::tries::Tries;
use crate::troubles::Troubles;
use crate::vault::Vault;

/// How often it is looked for sessions that are not used any more.
const SWEEP: Duration = Duration::from_secs(60);

/// However short sessions are, it is looked no more often.
const AT_MOST: Duration = Duration::from_millis(100);

/// How long a peer may take to say goodbye: longer than it waits for its slowest link.
const GOODBYE: Duration = Duration::from_secs(15);

/// Who may make an account at the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Everybody who can reach the page.
    Open,
    /// Those who know this code.
    Code(String),
    /// Nobody.
    Closed,
}

/// What a host is started with.
pub struct Hosting {
    /// The accounts that can log in. Those that register are added to them.
    pub accounts: Accounts,
    /// Who can register.
    pub registration: Registration,
    /// What the passphrases of new accounts cost to try.
    pub cost: Cost,
    /// How much of everything it takes.
    pub limits: HostLimits,
    /// What the peer of an account is started with, but its home.
    pub peer: Box<dyn Fn(&Name) -> node::Config + Send + Sync>,
}

/// A host at work.
pub(crate) struct Host {
    page: Shared,
    hosting: Hosting,
    vault: Vault,
    tries: Mutex<Tries>,
    guesses: Arc<Guesses>,
    registrations: Mutex<Rates<IpAddr>>,
    /// The peers that run for log-ins here. Whoever starts or stops one has its turn.
    peers: Mutex<HashMap<Name, Turn>>,
    /// Room for peers.
    room: Arc<Semaphore>,
    troubles: Mutex<Troubles>,
}

type Turn = Arc<TurnMutex<Option<Arc<Seat>>>>;

impl Host {
    pub(crate) fn new(page: Shared, hosting: Hosting) -> Arc<Self> {
        let limits = hosting.limits;
        let rates = |burst, every| Rates::new(burst, every, limits.remembered);
        Arc::new(Self {
            vault: Vault::new(limits.openings, limits.waiting),
            tries: Mutex::new(Tries::new(limits)),
            guesses: Guesses::new(rates(limits.wrong, limits.wrong_every)),
            registrations: Mutex::new(rates(limits.registrations, limits.registration_every)),
            peers: Mutex::default(),
            room: Arc::new(Semaphore::new(limits.peers)),
            troubles: Mutex::default(),
            page,
            hosting,
        })
    }

    pub(crate) fn page(&self) -> &Shared {
        &self.page
    }

    pub(crate) fn registration(&self) -> &Registration {
        &self.hosting.registration
    }

    /// Opens an account, starts its peer unless it runs, and opens a session of it.
    pub(crate) async fn log_in(
        self: &Arc<Self>,
        from: IpAddr,
        name: &str,
        passphrase: &str,
    ) -> Result<Secret, Refusal> {
        let until = self.until();
        let guess = self.guesses.begin(from, until).await?;
        let name = choose(name)?;
        let passphrase = Passphrase::new(passphrase).map_err(|error| Refusal::of_account(from, error))?;
        self.tries.lock().begin(name.as_str(), from, Instant::now()).map_err(Refusal::Wait)?;
        let opening = {
            let (accounts, name, cost) = (self.hosting.accounts.clone(), name.clone(), self.hosting.cost);
            move || {
                let opened = open(&accounts, &name, &passphrase, cost);
                // It counts even if nobody waits for the answer any more.
                if let Err(account::Error::WrongPassphrase { .. }) = opened {
                    guess.wrong();
                }
                opened
            }
        };
        let (account, seed) =
            self.vault.work(until, opening).await?.map_err(|error| Refusal::of_account(from, error))?;
        self.tries.lock().right(name.as_str(), from);
        self.sit_down(from, account, &seed).await
    }

    /// Until when a log-in may wait for its turn.
    fn until(&self) -> Instant {
        Instant::now() + self.page.limits.last_request / 2
    }

    /// Makes an account, starts its peer, and opens a session of it.
    pub(crate) async fn register(
        self: &Arc<Self>,
        from: IpAddr,
        name: &str,
        passphrase: &str,
        code: &str,
    ) -> Result<Secret, Refusal> {
        let until = self.until();
        let guess = self.guesses.begin(from, until).await?;
        match &self.hosting.registration {
            Registration::Open => {}
            Registration::Code(known) if is_same(known, code.trim()) => {}
            Registration::Code(_) => {
                guess.wrong();
                return Err(Refusal::WrongCode);
            }
            Registration::Closed => return Err(Refusal::Closed),
        }
        let name = choose(name)?;
        let refuse = |error| Refusal::of_account(from, error);
        let passphrase = Passphrase::new(passphrase).map_err(refuse)?;
        let accounts = self.hosting.accounts.clone();
        let there = accounts.list().map_err(refuse)?;
        if let Some(taken) = there.iter().find(|other| other.looks_like(&name)) {
            return Err(refuse(account::Error::NameTaken { name: taken.to_string() }));
        }
        if there.len() >= self.hosting.limits.accounts {
            return Err(Refusal::Full);
        }
        self.nobody_is_called(&name).await?;
        // An account that could not be used now is not made.
        drop(self.room()?);
        {
            let (mut registrations, now) = (self.registrations.lock(), Instant::now());
            registrations.may(&network(from), now).map_err(Refusal::Wait)?;
            registrations.count(network(from), now);
        }
        let making = {
            let (name, cost) = (name.clone(), self.hosting.cost);
            move || {
                let seed = Seed::draw()?;
                let sealed = SealedKey::seal(&seed, &name, &passphrase, cost)?;
                let account = accounts.create(&name, &Key::Sealed(sealed))?;
                drop(guess);
                Ok((account, seed))
            }
        };
        let (account, seed) = self.vault.work(until, making).await?.map_err(refuse)?;
        tracing::info!("{name} has registered");
        self.sit_down(from, account, &seed).await
    }

    /// Refuses a name that somebody in the chat has, as far as a peer that runs here knows. If none runs, the new peer finds out.
    async fn nobody_is_called(&self, name: &Name) -> Result<(), Refusal> {
        let turns: Vec<Turn> = self.peers.lock().values().cloned().collect();
        let running = turns.iter().find_map(|turn| turn.try_lock().ok()?.clone());
        let Some(requests) = running.as_ref().and_then(|seat| seat.requests()) else { return Ok(()) };
        let Ok(Ok(Answer::Users { users })) = requests.request(Command::ListUsers).await else { return Ok(()) };
        let mut names = users.into_iter().map(|user| user.who.name);
        match names.find(|other| Name::parse(other).is_ok_and(|other| other.looks_like(name))) {
            Some(other) => {
                Err(Refusal::Typed(format!("somebody in this chat is called {other} already: choose another name")))
            }
            None => Ok(()),
        }
    }

    /// Opens a session of the peer of an account whose passphrase was right.
    async fn sit_down(self: &Arc<Self>, from: IpAddr, account: AccountFolder, seed: &Seed) -> Result<Secret, Refusal> {
        let turn = self.turn(account.name());
        let mut running = turn.lock().await;
        if let Some(seat) = running.as_ref() {
            match self.page.sessions.lock().open(seat, Instant::now()) {
                // It has just said goodbye, or is about to.
                Err(NoSession::Over) => {}
                opened => return Ok(opened?),
            }
        }
        if let Some(seat) = running.take() {
            // One that takes longer keeps its folder, and that is told below.
            let _ = timeout(GOODBYE, seat.gone()).await;
        }
        let seat = self.seat(from, account, seed).await?;
        let opened = self.page.sessions.lock().open(&seat, Instant::now());
        if opened.is_err() {
            seat.stop();
        }
        *running = Some(seat).filter(|seat| seat.is_ours());
        Ok(opened?)
    }

    /// The peer of an account: started here, or one that runs in another process of this user.
    async fn seat(self: &Arc<Self>, from: IpAddr, account: AccountFolder, seed: &Seed) -> Result<Arc<Seat>, Refusal> {
        let path = account.path().to_owned();
        let tabs = self.page.limits.sockets;
        let folder = DataFolder::open_existing(&path);
        // A process that deletes an account opens its data folder first, so from here on this one stays.
        if !account.is_there() {
            return Err(Refusal::Wrong);
        }
        let folder = match folder {
            Ok(folder) => folder,
            Err(node::Error::DataInUse { .. }) => {
                connect(&path, SESSION).await.map_err(|_| Refusal::InUse)?;
                return Ok(Seat::of_another(path, Some(account), tabs));
            }
            Err(error) => return Err(Refusal::of_host(from, &error)),
        };
        let room = self.room()?;
        let mut config = (self.hosting.peer)(account.name());
        config.home = Some(Home { folder, seed: Zeroizing::new(*seed.expose()) });
        let session = node::start(config).await.map_err(|error| Refusal::of_host(from, &error))?;
        let (here, gone) = watch::channel(());
        let seat = Seat::of_account(account, tabs, session.requests.clone(), gone);
        tokio::spawn(Arc::clone(self).watch_over(Arc::clone(&seat), session, here, room));
        Ok(seat)
    }

    /// Room for one more peer.
    fn room(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            let room = self.hosting.limits.peers;
            tracing::warn!("{room} people are logged in, and there is no room for more");
            Refusal::NoRoom
        })
    }

    /// Takes what happens at a peer, which its tabs are told by its own socket, until it has said goodbye. If its user has deleted the
    /// account, wherever they asked for it, what it kept is removed.
    async fn watch_over(
        self: Arc<Self>,
        seat: Arc<Seat>,
        mut session: node::Session,
        here: watch::Sender<()>,
        room: OwnedSemaphorePermit,
    ) {
        let me = session.hello.known.me.person;
        while let Some(news) = session.events.next_batch().await {
            self.troubles.lock().heard(me, &news);
        }
        self.troubles.lock().left(me);
        self.page.sessions.lock().end_all_of(&seat);
        if let Some(account) = seat.account.as_ref().filter(|_| session.events.ending() == Ending::Deleted) {
            tracing::info!("{} has deleted the account", account.name());
            if let Err(error) = remove(self.hosting.accounts.clone(), &seat).await {
                tracing::error!("{error}");
            }
        }
        drop((room, here));
    }

    /// Deletes the account of a session, whose name was typed once more. Its peer tells everybody first, wherever it runs.
    pub(crate) async fn delete(&self, from: IpAddr, seat: &Arc<Seat>, typed: &str) -> Result<(), Refusal> {
        let account = seat.account.as_ref().filter(|account| account.name().as_str() == typed);
        let account = account.ok_or(Refusal::OtherName)?;
        let turn = self.turn(account.name());
        let _running = turn.lock().await;
        match node::attach(&seat.folder).await {
            // What answers may be the peer of an account that was made since.
            Ok(_) if !account.is_there() => return Err(Refusal::LoggedOut),
            Ok(session) => tell_everybody(session).await?,
            // It has gone since. What is here is deleted all the same.
            Err(AttachError::NoPeer { .. }) => {}
            Err(error) => return Err(Refusal::of_host(from, &error)),
        }
        seat.gone().await;
        let deleted = remove(self.hosting.accounts.clone(), seat).await;
        deleted.map_err(|error| Refusal::of_account(from, error))?;
        self.page.sessions.lock().end_all_of(seat);
        Ok(())
    }

    fn turn(&self, name: &Name) -> Turn {
        let mut peers = self.peers.lock();
        // What nobody waits for and no peer runs for is not remembered.
        peers.retain(|_, turn| {
            let is_over = |seat: Option<&Arc<Seat>>| seat.is_none_or(|seat| seat.is_gone());
            Arc::strong_count(turn) > 1 || turn.try_lock().is_ok_and(|seat| !is_over(seat.as_ref()))
        });
        Arc::clone(peers.entry(name.clone()).or_default())
    }

    /// Ends sessions that nobody uses any more, as long as the host runs.
    pub(crate) async fn sweep(self: Arc<Self>) {
        let mut again = interval(SWEEP.min(self.page.limits.idle.max(AT_MOST)));
        loop {
            again.tick().await;
            self.page.sessions.lock().sweep(Instant::now());
        }
    }

    /// Logs everybody out, and waits until their peers have said goodbye.
    pub(crate) async fn stop(&self) {
        self.page.sessions.lock().end_all();
        let turns: Vec<Turn> = self.peers.lock().values().cloned().collect();
        let goodbyes = turns.into_iter().map(async |turn| {
            if let Some(seat) = turn.lock().await.take() {
                seat.stop();
                seat.gone().await;
            }
        });
        let _ = timeout(GOODBYE, futures::future::join_all(goodbyes)).await;
    }
}

/// Has a peer tell everybody that its account is deleted, and waits until it has stopped.
async fn tell_everybody(mut session: node::Session) -> Result<(), Refusal> {
    let mut name = session.hello.known.me.name.clone();
    let requests = session.requests.clone();
    let asking = async {
        loop {
            match requests.request(Command::DeleteAccount { name }).await {
                // Its user may have another name by now.
                Ok(Err(chat::Refusal::NotConfirmed { name: other })) => name = other,
                Ok(Err(refused)) => return Err(Refusal::Host(refused.to_string())),
                Ok(Ok(_)) | Err(SessionEnded) => return Ok(()),
            }
        }
    };
    let listening = async { while session.events.next_batch().await.is_some() {} };
    let (asked, ()) = tokio::join!(
        async {
            let asked = asking.await;
            if asked.is_err() {
                requests.stop();
            }
            asked
        },
        async {
            // One that is stuck is found out by whoever tries to remove its folder.
            let _ = timeout(GOODBYE, listening).await;
        }
    );
    asked
}

/// Opens the identity of an account, and holds its folder.
fn open(
    accounts: &Accounts,
    name: &Name,
    passphrase: &Passphrase,
    cost: Cost,
) -> Result<(AccountFolder, Seed), account::Error> {
    match accounts.open(name) {
        Ok((account, Key::Sealed(sealed))) => Ok((account, sealed.open(passphrase)?)),
        Ok((_, Key::Plain(_))) | Err(account::Error::NoAccount { .. }) => {
            // It takes as long as a wrong passphrase, so nobody learns which accounts there are.
            SealedKey::seal(&Seed::draw()?, name, passphrase, cost)?;
            Err(account::Error::WrongPassphrase { name: name.clone() })
        }
        Err(other) => Err(other),
    }
}

/// Overwrites and removes the account of a seat. It may be gone already, and another one there under its name.
async fn remove(accounts: Accounts, seat: &Arc<Seat>) -> Result<(), account::Error> {
    let seat = Arc::clone(seat);
    let delete = move || seat.account.as_ref().map_or(Ok(()), |account| accounts.delete_held(account));
    // A task that panicked has removed what it could.
    let removed = spawn_blocking(delete).await.unwrap_or(Ok(()));
    if matches!(removed, Err(account::Error::NoAccount { .. })) { Ok(()) } else { removed }
}

fn choose(name: &str) -> Result<Name, Refusal> {
    Name::choose(name.trim()).map_err(|bad| Refusal::Typed(format!("that is no name for an account: {}", bad.reason)))
}

/// Takes the same time wherever the two differ.
fn is_same(known: &str, given: &str) -> bool {
    let differ = known.bytes().zip(given.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
    known.len() == given.len() && differ == 0
}
