use std::path::PathBuf;
use std::sync::Arc;

use account::AccountFolder;
use node::Requests;
use tokio::sync::{Semaphore, watch};

/// What a session is a session of: a peer that runs on a data folder.
pub(crate) struct Seat {
    pub(crate) folder: PathBuf,
    /// The account that it was entered for, at a host.
    pub(crate) account: Option<AccountFolder>,
    /// Places for its tabs.
    pub(crate) tabs: Arc<Semaphore>,
    /// The peer, if it runs for the sessions at this page alone and stops with the last of them.
    peer: Option<Peer>,
}

struct Peer {
    requests: Requests,
    /// Whether it was asked to stop.
    stopping: watch::Sender<bool>,
    /// Its end, to be waited for: dropped once it has said goodbye.
    gone: watch::Receiver<()>,
}

impl Seat {
    /// A peer that runs whether or not there is a session at this page.
    pub(crate) fn of_another(folder: PathBuf, account: Option<AccountFolder>, tabs: usize) -> Arc<Self> {
        Arc::new(Self { folder, account, tabs: Arc::new(Semaphore::new(tabs)), peer: None })
    }

    /// A peer of this process. `gone` is dropped once it has said goodbye.
    pub(crate) fn of_account(
        account: AccountFolder,
        tabs: usize,
        requests: Requests,
        gone: watch::Receiver<()>,
    ) -> Arc<Self> {
        let peer = Some(Peer { requests, stopping: watch::Sender::new(false), gone });
        let folder = account.path().to_owned();
        Arc::new(Self { folder, account: Some(account), tabs: Arc::new(Semaphore::new(tabs)), peer })
    }

    /// Whether what is in the folder is still what was entered. An account that was made since under the name of one that was
    /// deleted is another one.
    pub(crate) fn is_there(&self) -> bool {
        self.account.as_ref().is_none_or(AccountFolder::is_there)
    }

    /// Whether its peer runs in this process, for the sessions here.
    pub(crate) fn is_ours(&self) -> bool {
        self.peer.is_some()
    }

    /// The way to ask that peer.
    pub(crate) fn requests(&self) -> Option<&Requests> {
        self.peer.as_ref().map(|peer| &peer.requests)
    }

    /// Whether its peer was asked to stop, or has stopped by itself.
    pub(crate) fn is_over(&self) -> bool {
        self.peer.as_ref().is_some_and(|peer| *peer.stopping.borrow())
    }

    /// Has the peer say goodbye and stop, if it runs for the sessions here.
    pub(crate) fn stop(&self) {
        if let Some(peer) = &self.peer {
            peer.stopping.send_replace(true);
            peer.requests.stop();
        }
    }

    /// Whether the peer of this process has said goodbye.
    pub(crate) fn is_gone(&self) -> bool {
        self.peer.as_ref().is_none_or(|peer| peer.gone.has_changed().is_err())
    }

    /// Waits until the peer of this process has said goodbye.
    pub(crate) async fn gone(&self) {
        if let Some(peer) = &self.peer {
            let mut gone = peer.gone.clone();
            while gone.changed().await.is_ok() {}
        }
    }
}
